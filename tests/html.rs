//! The HTML page, parsed as browsers do: well-formed, closed to everything outside, and complete.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use scraper::{ElementRef, Html, Selector};
use sha2::{Digest, Sha256};

const A: &str =
    "\u{feff}from pkg.b import f  # </script><script>alert('a')</script>\r\n\r\n\r\ndef g():\r\n    return f()";
const B: &str = "import pkg.a\n\nX = \"</pre><img src=x onerror=alert(1)> &amp; \u{202e}\u{1b}[31m\"\n\n\n\
                 def f():\n    return 1\n\n\ndef h():\n    return pkg.a.g()\n";
/// Inherits from each other: stays, and crashes.
const C: &str = "import pkg.d\n\n\nclass C(pkg.d.D):\n    pass\n";
const D: &str = "import pkg.c\n\n\nclass D(pkg.c.C):\n    pass\n";
/// The folder of the project.
const DIR: &str = "a <b onclick='x'> & \"c\"";

fn write(root: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// A project with two cycles, whose names and texts are hostile.
fn project() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let files = [("pkg/__init__.py", ""), ("pkg/a.py", A), ("pkg/b.py", B), ("pkg/c.py", C), ("pkg/d.py", D)];
    let more = [
        ("pkg/broken.py", "x = (\n"),
        ("pyproject.toml", ""),
        ("../quiet/pyproject.toml", ""),
        ("../quiet/m.py", "x = 1\n"),
    ];
    write(&dir.path().join(DIR), &[&files[..], &more].concat());
    dir
}

fn run(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cyclefix")).args(args).current_dir(dir).output().unwrap()
}

/// Runs in the project, and gives the page.
fn page(dir: &Path, args: &[&str]) -> String {
    let output = run(dir, &[&["--quiet", "--html", "page.html"], args].concat());
    assert_ne!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read_to_string(dir.join("page.html")).unwrap()
}

fn all<'a>(page: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    page.select(&Selector::parse(selector).unwrap()).collect()
}

fn text(element: ElementRef) -> String {
    element.text().collect()
}

/// The page as a tree, after what holds of every page is checked.
fn checked(page: &str) -> Html {
    let html = Html::parse_document(page);
    assert!(html.errors.is_empty(), "{:?}", html.errors);
    let elements = all(&html, "*");
    let ids: Vec<&str> = elements.iter().filter_map(|element| element.value().id()).collect();
    let known: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), known.len(), "an id stands twice");
    for element in &elements {
        for (name, value) in element.value().attrs() {
            assert!(
                !name.starts_with("on") && !["src", "srcset", "style", "action", "data"].contains(&name),
                "{name}={value}"
            );
            let target = match name {
                "href" | "xlink:href" => value.strip_prefix('#'),
                "marker-end" => value.strip_prefix("url(#").and_then(|rest| rest.strip_suffix(')')),
                "aria-labelledby" => Some(value),
                _ => continue,
            };
            assert!(target.is_some_and(|id| known.contains(id)), "{name}={value}");
        }
    }
    for foreign in ["link", "img", "iframe", "object", "embed", "form", "base", "style ~ style", "script ~ script"] {
        assert_eq!(all(&html, foreign).len(), 0, "{foreign}");
    }
    // The policy allows the style and the script of the page, and nothing else.
    let policy = all(&html, "meta[http-equiv=Content-Security-Policy]")[0].attr("content").unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
    for name in ["style", "script"] {
        let own = text(all(&html, name)[0]);
        assert!(!own.contains("@import") && !own.contains("url("));
        assert!(policy.contains(&STANDARD.encode(Sha256::digest(own.as_bytes()))), "{name}");
    }
    html
}

#[test]
fn the_page_holds_what_a_run_found() {
    let dir = project();
    let html = checked(&page(dir.path(), &["--strategy=defer-import", DIR]));
    assert_eq!(text(all(&html, "h1")[0]), format!("Import cycles of {DIR}"));
    assert!(text(all(&html, ".summary")[0]).starts_with("2 cycles of 4 modules; 1 can be dissolved (1 file, "));
    let tags: Vec<String> = all(&html, ".cycles tbody .tag").into_iter().map(text).collect();
    assert_eq!(tags, ["crashes", "can be dissolved", "crashes", "stays"]);

    let cycle = |id: &str| Html::parse_fragment(&all(&html, id)[0].html());
    let (first, second) = (cycle("#c1"), cycle("#c2"));
    // The loop, the imports and the modules, each with its place and what becomes of it.
    let rows: Vec<String> = all(&first, ".filtered li")
        .into_iter()
        .map(|row| text(row).split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(rows.len(), 4, "{rows:?}");
    assert_eq!(rows[0], format!("pkg.a → imports pkg.b f needed at once, {DIR}/pkg/a.py:1 cut by fix 1"));
    assert!(rows[1].ends_with(&format!("{DIR}/pkg/b.py:1 in no cycle any more")), "{rows:?}");
    let traceback = text(all(&first, ".crash pre")[0]);
    assert!(traceback.starts_with(">>> import pkg.") && traceback.contains("ImportError: cannot import name 'f'"));

    // Before and after hold the same boxes; what is cut is marked in the one after.
    let classes = |drawing: usize| -> Vec<String> {
        let drawing = all(&first, ".drawing")[drawing];
        let arrows = Selector::parse("path.arrow").unwrap();
        drawing.select(&arrows).map(|arrow| arrow.attr("class").unwrap().to_owned()).collect()
    };
    assert_eq!(all(&first, ".drawing").len(), 2);
    assert_eq!(
        (classes(0), classes(1)),
        (vec!["arrow loop".into(); 2], vec!["arrow later".into(), "arrow free".into()])
    );
    assert_eq!(all(&second, ".drawing").len(), 1);
    let names: Vec<_> = all(&first, ".box[data-name]").iter().filter_map(|node| node.attr("data-name")).collect();
    assert_eq!(names, ["pkg.a", "pkg.b", "pkg.a", "pkg.b"]);

    // Plan and refusals.
    assert!(text(all(&first, "#c1-fix1")[0]).contains("defer-import, function"));
    assert!(all(&first, ".reason").is_empty());
    let reasons: Vec<String> = all(&second, ".reason summary code").into_iter().map(text).collect();
    assert_eq!(reasons, ["import-time-use"]);
    assert_eq!(
        all(&second, ".reason .place").into_iter().map(text).collect::<Vec<_>>(),
        [format!("{DIR}/pkg/c.py:4"), format!("{DIR}/pkg/d.py:4")]
    );
    assert!(text(all(&html, ".skipped")[0]).contains(&format!("{DIR}/pkg/broken.py:1")));
}

#[test]
fn the_diffs_are_those_of_a_dry_run() {
    let dir = project();
    let args = ["--strategy=defer-import", DIR];
    let html = checked(&page(dir.path(), &args));
    let shown: String = all(&html, ".diff").into_iter().map(text).collect();
    let diff = String::from_utf8(run(dir.path(), &[&["--quiet", "--dry-run"], &args[..]].concat()).stdout).unwrap();
    let is_body = |line: &&str| !["diff ", "--- ", "+++ "].iter().any(|head| line.starts_with(head));
    let lines: Vec<String> = diff.lines_with_ends().filter(is_body).map(visible).collect();
    assert!(lines.iter().any(|line| line.contains("</script><script>alert('a')</script>\u{240d}")), "{diff}");
    assert_eq!(shown, lines.concat());
    let marks = |name: &str| all(&html, name).len();
    assert_eq!(
        (marks(".diff ins"), marks(".diff del")),
        (lines.iter().filter(|l| l.starts_with('+')).count(), lines.iter().filter(|l| l.starts_with('-')).count())
    );
}

/// Lines as git sees them.
trait Lines {
    fn lines_with_ends(&self) -> std::str::SplitInclusive<'_, char>;
}

impl Lines for String {
    fn lines_with_ends(&self) -> std::str::SplitInclusive<'_, char> {
        self.split_inclusive('\n')
    }
}

/// A line as the page shows what cannot be seen.
fn visible(line: &str) -> String {
    line.replace('\r', "\u{240d}").replace('\u{feff}', "⟦U+FEFF⟧")
}

#[test]
fn pages_of_no_cycles_and_of_several_projects() {
    let dir = project();
    let html = checked(&page(dir.path(), &["quiet"]));
    assert_eq!(text(all(&html, ".summary")[0]), "There are no import cycles in 1 module.");
    assert_eq!(text(all(&html, ".none")[0]), "No import cycles in 1 module.");
    assert!(all(&html, "figure").is_empty());

    let html = checked(&page(dir.path(), &[DIR, "quiet"]));
    assert_eq!(text(all(&html, "h1")[0]), "Import cycles of 2 projects");
    assert_eq!(all(&html, "h2").into_iter().map(text).collect::<Vec<_>>(), [DIR, "quiet"]);
    assert_eq!((all(&html, "header tbody tr").len(), all(&html, "article").len()), (2, 2));
}

#[test]
fn what_a_baseline_knows_is_left_out() {
    let dir = project();
    let known = [DIR, "--baseline", "known.json"];
    run(dir.path(), &[&known[..], &["--update-baseline"]].concat());
    let html = checked(&page(dir.path(), &known));
    assert!(all(&html, "article").is_empty());
    assert_eq!(text(all(&html, ".none")[0]), "No new import cycle: 2 cycles known to the baseline.");
}

#[test]
fn every_action_writes_the_page() {
    let dir = project();
    let args = ["--strategy=defer-import", DIR];
    let seen = page(dir.path(), &args);
    assert_eq!(page(dir.path(), &[&args[..], &["--dry-run", "--jobs", "1"]].concat()), seen);
    assert_eq!(page(dir.path(), &[&args[..], &["--check", "--jobs", "3"]].concat()), seen);
    let html = checked(&page(dir.path(), &[&args[..], &["--apply", "--allow-dirty"]].concat()));
    let tags: Vec<String> = all(&html, ".cycles tbody .tag").into_iter().map(text).collect();
    assert_eq!(tags, ["crashes", "dissolved", "crashes", "stays"]);
    assert_ne!(fs::read_to_string(dir.path().join(DIR).join("pkg/a.py")).unwrap(), A);
}

#[test]
fn a_large_component_has_a_map_and_stays_small() {
    let dir = tempfile::tempdir().unwrap();
    let parts = 12;
    for part in 0..parts {
        for module in 0..12 {
            let (next, over) = ((module + 1) % 12, (part * 5 + module) % parts);
            let imports =
                format!("import big.p{part}.m{next}\nimport big.p{over}.m{module}\nfrom big import p{part}\n");
            write(dir.path(), &[(&format!("big/p{part}/m{module}.py"), &imports)]);
        }
        let next = (part + 1) % parts;
        write(dir.path(), &[(&format!("big/p{part}/__init__.py"), &format!("from big.p{next} import m0\n"))]);
    }
    write(dir.path(), &[("big/__init__.py", ""), ("pyproject.toml", "")]);
    let page = page(dir.path(), &["--strategy=unused-import", "."]);
    let html = checked(&page);
    assert!(page.len() < 2_000_000, "{}", page.len());
    let captions: Vec<String> = all(&html, "figcaption").into_iter().map(text).collect();
    assert!(captions[0].starts_with("By package. "), "{captions:?}");
    assert!(captions[1].starts_with("The shortest loop"), "{captions:?}");
    let map = all(&html, ".drawing")[0];
    let boxes = map.select(&Selector::parse(".box").unwrap()).count();
    assert_eq!(boxes, parts);
}

#[test]
fn a_page_that_cannot_be_written_is_an_error_before_anything_is() {
    let dir = project();
    fs::create_dir(dir.path().join("x.html")).unwrap();
    for (name, told) in [
        ("gone/page.html", "cannot write `gone/page.html`: there is no folder `gone`\nhint: make the folder first"),
        ("x.html", "cannot write `x.html`: it is a folder\nhint: "),
        ("page.txt", "give a name that ends in .html or .htm"),
    ] {
        let output = run(dir.path(), &["--apply", "--allow-dirty", "--html", name, DIR]);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{message}");
        assert!(message.contains(told), "{message}");
        assert_eq!(fs::read_to_string(dir.path().join(DIR).join("pkg/a.py")).unwrap(), A);
    }
    let output = run(dir.path(), &["--hoist", "--html", "page.html", "quiet"]);
    assert_eq!(output.status.code(), Some(2));
}
