//! SARIF, GitHub annotations and Markdown, from real runs of the built binary.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

const A: &str = "\u{feff}from pkg.b import f\r\n\r\n\r\ndef g():\r\n    return f()";
const B: &str = "import pkg.a\n\n\ndef f():\n    return 1\n\n\ndef h():\n    return pkg.a.g()\n";
/// Inherits from each other: stays.
const C: &str = "import pkg.d\n\n\nclass C(pkg.d.D):\n    pass\n";
const D: &str = "import pkg.c\n\n\nclass D(pkg.c.C):\n    pass\n";
const BROKEN: &str = "x = (\n";

/// A project with two cycles, in a folder whose name needs escapes, below the top of a repository.
fn project() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("a, 50%: x");
    let files = [("pkg/__init__.py", ""), ("pkg/a.py", A), ("pkg/b.py", B), ("pkg/c.py", C), ("pkg/d.py", D)];
    for (name, text) in [&files[..], &[("pkg/broken.py", BROKEN), ("pyproject.toml", "")]].concat() {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    assert!(Command::new("git").args(["init", "-q"]).current_dir(dir.path()).status().unwrap().success());
    dir
}

fn run(dir: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cyclefix"));
    command.args(["--strategy=defer-import", "a, 50%: x"]).args(args).current_dir(dir).output().unwrap()
}

fn stdout(output: &Output) -> String {
    assert_eq!(
        (output.status.code(), output.stderr.len()),
        (Some(1), 0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A SARIF log, which the schema of the standard describes.
fn sarif(dir: &Path, args: &[&str]) -> Value {
    let output = run(dir, &[&["--format", "sarif"], args].concat());
    assert!(output.stderr.is_empty());
    let log = serde_json::from_slice(&output.stdout).unwrap();
    // A pattern for languages has a bracket too many, which not every library takes.
    let schema = include_str!("standards/sarif-schema-2.1.0.json").replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}$");
    let schema = serde_json::from_str(&schema).unwrap();
    let errors: Vec<String> =
        jsonschema::validator_for(&schema).unwrap().iter_errors(&log).map(|e| e.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
    log
}

/// The text after the replacements of a SARIF fix, as the standard says: lines end in `\n` or `\r\n`, and columns count
/// characters.
fn replaced(text: &str, replacements: &[Value]) -> String {
    let mark = if text.starts_with('\u{feff}') { "\u{feff}" } else { "" };
    let text = text.trim_start_matches('\u{feff}');
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let at = |region: &Value, kind: &str| {
        let number = |key: String| region[key].as_u64().unwrap() as usize;
        let (line, column) = (number(format!("{kind}Line")), number(format!("{kind}Column")));
        let before: usize = lines[..line - 1].iter().map(|line| line.len()).sum();
        let inside: usize = lines.get(line - 1).unwrap_or(&"").chars().take(column - 1).map(char::len_utf8).sum();
        before + inside
    };
    let mut out = text.to_owned();
    for replacement in replacements.iter().rev() {
        let region = &replacement["deletedRegion"];
        out.replace_range(
            at(region, "start")..at(region, "end"),
            replacement["insertedContent"]["text"].as_str().unwrap(),
        );
    }
    format!("{mark}{out}")
}

#[test]
fn sarif_holds_cycles_places_and_fixes() {
    let dir = project();
    let log = sarif(dir.path(), &[]);
    assert_eq!((&log["version"], log["runs"].as_array().unwrap().len()), (&json!("2.1.0"), 1));
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    for result in results {
        let rule = &run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize];
        assert_eq!(rule["id"], result["ruleId"]);
        let steps = result["codeFlows"][0]["threadFlows"][0]["locations"].as_array().unwrap();
        assert_eq!((steps.len(), result["relatedLocations"].as_array().unwrap().len()), (2, 1));
        assert!(!result["partialFingerprints"]["cyclefixModules/v1"].as_str().unwrap().is_empty());
    }
    let place = &results[0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "a%2C%2050%25%3A%20x/pkg/a.py");
    assert_eq!(place["region"], json!({"startLine": 1, "startColumn": 1}));
    let notices = run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
    assert!(notices[0]["locations"][0].to_string().contains("broken.py"), "{notices:?}");

    // The fix of the one, applied, is what --apply writes; the other has none.
    assert!(results[1].get("fixes").is_none());
    let changes = results[0]["fixes"][0]["artifactChanges"].as_array().unwrap();
    assert_eq!(changes.len(), 1);
    let fixed = replaced(A, changes[0]["replacements"].as_array().unwrap());
    self::run(dir.path(), &["--apply", "--allow-dirty"]);
    assert_eq!(fs::read_to_string(dir.path().join("a, 50%: x/pkg/a.py")).unwrap(), fixed);
    assert_ne!(fixed, A);
}

#[test]
fn sarif_knows_the_baseline() {
    let dir = project();
    run(dir.path(), &["--baseline", "known.json", "--update-baseline"]);
    let path = dir.path().join("known.json");
    let known = fs::read_to_string(&path).unwrap().replace("pkg.a", "pkg.z");
    fs::write(path, known).unwrap();
    let log = sarif(dir.path(), &["--baseline", "known.json"]);
    let states: Vec<&Value> =
        log["runs"][0]["results"].as_array().unwrap().iter().map(|r| &r["baselineState"]).collect();
    assert_eq!(states, [&json!("new"), &json!("unchanged")]);
}

#[test]
fn annotations_are_escaped() {
    let dir = project();
    let text = stdout(&run(dir.path(), &["--format", "github"]));
    let lines: Vec<&str> = text.lines().collect();
    let file = "file=a%2C 50%25%3A x/pkg";
    assert!(lines[0].starts_with(&format!("::warning {file}/broken.py,line=")), "{text}");
    assert!(lines[0].contains(",title=cyclefix%3A file left alone::"), "{text}");
    let start = format!("::error {file}/a.py,line=1,col=1,title=import cycle of 2 modules::pkg.a -> pkg.b -> pkg.a%0A");
    assert!(lines[1].starts_with(&start), "{text}");
    assert!(lines[1].contains("%0Aa, 50%25: x/pkg/b.py:1: pkg.b imports pkg.a (eager)"), "{text}");
    assert!(lines[2].starts_with(&format!("::error {file}/c.py,")), "{text}");
    assert_eq!(lines[3], "cyclefix: 2 import cycles, 4 modules");
    assert_eq!(lines.len(), 4);

    run(dir.path(), &["--baseline", "known.json", "--update-baseline"]);
    let output = run(dir.path(), &["--format", "github", "--baseline", "known.json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains("::error") && text.ends_with("; 0 new, 2 known to known.json\n"), "{text}");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn markdown_has_table_loops_and_folded_diffs() {
    let dir = project();
    let text = stdout(&run(dir.path(), &["--format", "markdown"]));
    for part in [
        "### 2 import cycles\n\n|",
        "\n| 1 | `pkg.a -> pkg.b -> pkg.a` | 2 | fragile | 0, 1 | crashes; can be dissolved |\n",
        "\n| 2 | `pkg.c -> pkg.d -> pkg.c` | 2 | fragile | 0, 0 | crashes; stays |\n",
        "\n<details><summary>Cycle 1: pkg.a -&gt; pkg.b -&gt; pkg.a</summary>\n\n- `a, 50%: x/pkg/a.py:1`: `pkg.a` imports `pkg.b` (",
        "\nRefused:\n\n- `a, 50%: x/pkg/",
        "\n#### The rewrite: 1 file, +",
        "\n```diff\ndiff --git a/a, 50%: x/pkg/a.py b/a, 50%: x/pkg/a.py\n",
        "\n```\n\n</details>\n",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
    assert_eq!(text.lines().filter(|line| line.starts_with("```")).count(), 2);
}

#[test]
fn markdown_fits_into_a_comment() {
    let dir = project();
    for n in 0..60 {
        let package = format!("package_{n:_<150}");
        let root = dir.path().join("a, 50%: x").join(&package);
        fs::create_dir_all(&root).unwrap();
        fs::write(root.join("__init__.py"), "").unwrap();
        for (name, text) in [("a", A), ("b", B), ("c", C), ("d", D)] {
            fs::write(root.join(format!("{name}.py")), text.replace("pkg", &package)).unwrap();
        }
    }
    let text = stdout(&run(dir.path(), &["--format", "markdown"]));
    // What GitHub takes.
    assert!(text.chars().count() <= 65_536, "{}", text.chars().count());
    assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
    for part in
        [" more cycles\n", " more cycles are not spelled out here\n", " more files are too long for a comment: "]
    {
        assert_eq!(text.matches(part).count(), 1, "{part}\n{text}");
    }
    assert!(text.contains("<summary>1 file left alone</summary>"), "{text}");
}

#[test]
fn pictures_hold_every_module_and_what_is_cut() {
    let dir = project();
    for name in ["x.dot", "x.mmd", "x.svg"] {
        let output = run(dir.path(), &["--graph", name]);
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
        let picture = fs::read_to_string(dir.path().join(name)).unwrap();
        for module in ["pkg.a", "pkg.b", "pkg.c", "pkg.d"] {
            assert!(picture.contains(module), "{module}\n{picture}");
        }
        run(dir.path(), &["--graph", name]);
        assert_eq!(fs::read_to_string(dir.path().join(name)).unwrap(), picture);
    }
    let dot = fs::read_to_string(dir.path().join("x.dot")).unwrap();
    assert!(layout::gv::DotParser::new(&dot).process().is_ok(), "{dot}");
    assert!(dot.contains("n0_0 -> n0_1 [style=dashed, color=red];") && dot.contains("n0_1 -> n0_0;"), "{dot}");
    let mermaid = fs::read_to_string(dir.path().join("x.mmd")).unwrap();
    assert!(mermaid.contains("n0_0 -.-> n0_1\n") && mermaid.ends_with("linkStyle 0 stroke:red\n"), "{mermaid}");
    let svg = fs::read_to_string(dir.path().join("x.svg")).unwrap();
    assert!(svg.contains("stroke-dasharray") && svg.trim_end().ends_with("</svg>"), "{svg}");
    let output = run(dir.path(), &["--graph", "x.png"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains(".svg, .dot or .mmd"));
}
