//! `--baseline`: what is known does not fail a run, and what is new does.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

#[path = "harness/repository.rs"]
mod repository;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use repository::write;

/// A class that inherits from a class that inherits back: nothing dissolves that.
fn tangle(dir: &Path, names: &[&str]) {
    for (at, name) in names.iter().enumerate() {
        let next = names[(at + 1) % names.len()];
        let text = format!("import {next}\n\n\nclass C_{name}({next}.C_{next}):\n    pass\n");
        write(dir, &format!("{name}.py"), &text);
    }
}

/// A project with the cycle of `a` and `b`, and its baseline.
fn project() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "pyproject.toml", "");
    tangle(dir.path(), &["a", "b"]);
    assert_eq!(code(&run(dir.path(), &[])), 1);
    let output = run(dir.path(), &["--update-baseline"]);
    assert_eq!((code(&output), stdout(&output).as_str()), (0, "known.json lists 1 cycle\n"), "{}", stderr(&output));
    dir
}

/// Runs with the baseline `known.json`; without one there, plainly.
fn run(dir: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cyclefix"));
    if args.contains(&"--update-baseline") || dir.join("known.json").exists() {
        command.args(["--baseline", "known.json"]);
    }
    command.args(args).current_dir(dir).output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stdout(output: &Output) -> String {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().skip_while(|line| line.contains("module")).map(|line| format!("{line}\n")).collect()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn report(dir: &Path, args: &[&str]) -> Value {
    let output = run(dir, &[&["--format", "json"], args].concat());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let schema = serde_json::from_str(include_str!("../schema/report.schema.json")).unwrap();
    let errors: Vec<String> =
        jsonschema::validator_for(&schema).unwrap().iter_errors(&report).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
    report
}

#[test]
fn known_cycles_pass_and_moved_lines_change_nothing() {
    let dir = project();
    let text = fs::read_to_string(dir.path().join("known.json")).unwrap();
    let expected = json!({"version": 1, "projects": {".": {"level": "eager", "cycles": [["a", "b"]]}}});
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
    // A line for each module, so that two branches merge.
    assert!(text.contains("\n          \"a\",\n          \"b\"\n") && text.ends_with("}\n"), "{text}");

    let moved = format!("# moved\n\n{}", fs::read_to_string(dir.path().join("a.py")).unwrap());
    write(dir.path(), "a.py", &moved);
    let output = run(dir.path(), &[]);
    assert_eq!((code(&output), stderr(&output)), (0, String::new()));
    assert_eq!(stdout(&output), "0 cycles new, 1 known to known.json\n");
    assert!(!String::from_utf8(output.stdout).unwrap().contains("cycle 1 of 1"));
    // Written again, the file is the same.
    run(dir.path(), &["--update-baseline"]);
    assert_eq!(fs::read_to_string(dir.path().join("known.json")).unwrap(), text);
}

#[test]
fn new_cycles_and_new_modules_of_old_ones_fail() {
    let dir = project();
    tangle(dir.path(), &["x", "y"]);
    let output = run(dir.path(), &[]);
    assert_eq!(code(&output), 1);
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(text.contains("x -> y -> x") && !text.contains("a -> b"), "{text}");
    assert!(text.ends_with("1 cycle new, 1 known to known.json\n"), "{text}");

    run(dir.path(), &["--update-baseline"]);
    tangle(dir.path(), &["a", "b", "c"]);
    let found = report(dir.path(), &[]);
    assert_eq!(found["baseline"]["new"], 1);
    let cycle = &found["projects"][0]["cycles"][0];
    assert_eq!((&cycle["baseline"], &cycle["joined"]), (&json!("new"), &json!(["c"])));
    assert!(String::from_utf8(run(dir.path(), &[]).stdout).unwrap().contains("joined a known cycle: c"));

    // Two known ones that become one.
    tangle(dir.path(), &["a", "b", "x", "y"]);
    assert_eq!(code(&run(dir.path(), &[])), 1);
    let cycle = &report(dir.path(), &[])["projects"][0]["cycles"][0];
    assert_eq!((&cycle["joined"], &cycle["united"]), (&Value::Null, &json!([["a", "b"], ["x", "y"]])));
    for (format, said) in [
        ("text", "joins the known cycles a, b / x, y\n"),
        ("github", "%0Ajoins the known cycles a, b / x, y%0A"),
        ("markdown", "\nJoins the known cycles `a`, `b` / `x`, `y`.\n"),
        ("sarif", "Joins the known cycles a, b / x, y."),
    ] {
        let text = String::from_utf8(run(dir.path(), &["--format", format]).stdout).unwrap();
        assert!(text.contains(said), "{text}");
    }
}

#[test]
fn stale_entries_are_said() {
    let dir = project();
    tangle(dir.path(), &["x", "y", "z"]);
    run(dir.path(), &["--update-baseline"]);
    tangle(dir.path(), &["x", "y"]);
    write(dir.path(), "a.py", "");
    let output = run(dir.path(), &[]);
    assert_eq!(code(&output), 0);
    let said = stderr(&output);
    assert!(said.contains("known.json is stale: the cycle of a, b is gone\n"), "{said}");
    assert!(said.contains("known.json is stale: z is no part of the cycle of x, y, z any more\n"), "{said}");
    // A run on other paths does not see those, and does not take them out.
    let output = run(dir.path(), &["a.py"]);
    assert!(!stderr(&output).contains("x, y, z"), "{}", stderr(&output));
    // What it says the file lists is all of it.
    assert_eq!(stdout(&run(dir.path(), &["--update-baseline", "a.py"])), "known.json lists 1 cycle\n");
    assert_eq!(
        report(dir.path(), &[])["baseline"]["stale"],
        json!([{"how": "smaller", "modules": ["x", "y", "z"], "out": ["z"]}])
    );
    run(dir.path(), &["--update-baseline"]);
    assert_eq!(report(dir.path(), &[])["baseline"]["stale"], json!([]));
}

#[test]
fn apply_counts_what_is_left() {
    let dir = project();
    write(dir.path(), "n.py", "from m import f\n\n\ndef g():\n    return f()\n");
    write(dir.path(), "m.py", "import n\n\n\ndef f():\n    return 1\n\n\ndef h():\n    return n.g()\n");
    assert_eq!(code(&run(dir.path(), &[])), 1);
    let output = run(dir.path(), &["--apply"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(String::from_utf8(output.stdout).unwrap().ends_with("0 cycles new, 1 known to known.json\n"));
}

#[test]
fn each_project_has_its_own_entries() {
    let dir = tempfile::tempdir().unwrap();
    for project in ["one", "two"] {
        write(dir.path(), &format!("{project}/pyproject.toml"), "");
        tangle(&dir.path().join(project), &["a", "b"]);
    }
    run(dir.path(), &["--update-baseline", "one"]);
    assert_eq!(code(&run(dir.path(), &["one"])), 0);
    assert_eq!(code(&run(dir.path(), &["one", "two"])), 1);
    run(dir.path(), &["--update-baseline", "two"]);
    assert_eq!(code(&run(dir.path(), &["one", "two"])), 0);
    let inner = Command::new(env!("CARGO_BIN_EXE_cyclefix"))
        .args(["--baseline", "../known.json"])
        .current_dir(dir.path().join("two"))
        .output()
        .unwrap();
    assert_eq!(code(&inner), 0, "{}", stderr(&inner));
}

#[test]
fn what_is_no_baseline_is_refused() {
    let dir = project();
    let refused = |args: &[&str], parts: [&str; 2]| {
        let output = run(dir.path(), args);
        assert_eq!((code(&output), output.stdout.len()), (2, 0));
        parts.iter().for_each(|part| assert!(stderr(&output).contains(part), "{part}: {}", stderr(&output)));
    };
    refused(&["--level", "all"], ["known.json lists cycles of the level `eager`", "say --level eager"]);
    let text = fs::read_to_string(dir.path().join("known.json")).unwrap();
    write(dir.path(), "known.json", &text.replace("\"a\",", "<<<<<<< HEAD\n\"a\","));
    refused(&[], ["known.json:8: no baseline: ", "hint: repair it"]);
    write(dir.path(), "known.json", &text.replace("\"projects\"", "\"project\""));
    refused(&[], ["known.json:3: no baseline: unknown field `project`", "hint: "]);
    write(dir.path(), "known.json", "{\"version\": 2, \"more\": []}");
    refused(&[], ["known.json is of version 2", "newer cyclefix"]);
    refused(&["--update-baseline"], ["known.json is of version 2", "newer cyclefix"]);
    let output = Command::new(env!("CARGO_BIN_EXE_cyclefix"))
        .args(["--baseline", "none.json"])
        .current_dir(dir.path())
        .output()
        .unwrap();
    assert!(stderr(&output).contains("no such baseline: none.json\nhint: --update-baseline"), "{}", stderr(&output));
    assert_eq!(code(&output), 2);
}
