//! `--batch`: which projects are found, that one does not stop the others, and what becomes of a run that is stopped.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

#[path = "harness/repository.rs"]
mod repository;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use repository::{git, quiet, write};

/// The two modules of a cycle that one deferred import dissolves.
fn cycle(package: &str, a: &str, b: &str) -> [(String, String); 2] {
    let path = |name: &str| format!("{package}/{}/{name}.py", package.rsplit('/').next().unwrap());
    let top = package.rsplit('/').next().unwrap();
    [
        (path(a), format!("from {top}.{b} import f\n\n\ndef g():\n    return f()\n")),
        (path(b), format!("import {top}.{a}\n\n\ndef f():\n    return 1\n\n\ndef h():\n    return {top}.{a}.g()\n")),
    ]
}

fn cyclefix(dir: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cyclefix"));
    quiet(&mut command);
    command.args(["--batch", "--strategy=defer-import"]).args(args).current_dir(dir).output().unwrap()
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// The report as JSON, which its schema describes.
fn json(dir: &Path, args: &[&str]) -> (Option<i32>, Value) {
    let output = cyclefix(dir, &[args, &["--format", "json"]].concat());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(&output)));
    let schema = serde_json::from_str(include_str!("../schema/report.schema.json")).unwrap();
    let errors: Vec<String> =
        jsonschema::validator_for(&schema).unwrap().iter_errors(&report).map(|e| e.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
    (output.status.code(), report)
}

/// The members of each project of a report.
fn members(report: &Value) -> Vec<String> {
    let names = |project: &Value| {
        let names = project["members"].as_array().unwrap();
        names.iter().map(|name| name.as_str().unwrap()).collect::<Vec<_>>().join("+")
    };
    report["projects"].as_array().unwrap().iter().map(names).collect()
}

/// Three projects: one that cannot be read, one without cycles, one with two.
fn tree(dir: &Path) {
    write(dir, "broken/pyproject.toml", "[tool.cyclefix]\nlevle = 'all'\n");
    write(dir, "broken/broken/__init__.py", "");
    write(dir, "clean/setup.cfg", "");
    write(dir, "clean/clean/__init__.py", "x = 1\n");
    write(dir, "two/two/__init__.py", "");
    cycle("two", "a", "b").iter().chain(&cycle("two", "c", "d")).for_each(|(name, text)| write(dir, name, text));
}

fn repository() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    tree(dir.path());
    git(dir.path(), &["init", "-q", "-b", "main"]);
    git(dir.path(), &["config", "user.name", "Ada"]);
    git(dir.path(), &["config", "user.email", "ada@example.com"]);
    git(dir.path(), &["add", "."]);
    git(dir.path(), &["commit", "-qm", "c"]);
    dir
}

#[test]
fn one_project_that_fails_does_not_stop_the_others() {
    let dir = repository();
    let output = cyclefix(dir.path(), &["--apply"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(
        said.starts_with("error: broken: ") && said.contains("pyproject.toml:2: unknown setting `levle`"),
        "{said}"
    );
    assert!(said.contains("\nhint: did you mean `level`?\n"), "{said}");
    let table = stdout(&output);
    let row: Vec<&str> = table.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(row, ["two/two", "5", "2", "2", "0", "2"], "{table}");
    assert!(
        table.contains("failed  broken: ") && table.contains("\n3 projects, 1 without cycles, 1 failed\n"),
        "{table}"
    );
    assert!(table.contains("2 dissolved (2 files, "), "{table}");
    assert_eq!(git(dir.path(), &["status", "--porcelain"]).lines().count(), 2);
    // What is broken is the only thing left.
    let (code, report) = json(dir.path(), &[]);
    assert_eq!((code, members(&report)), (Some(2), vec!["clean".to_owned(), "two/two".to_owned()]));
    assert_eq!(report["summary"]["cycles"], 0);
    assert_eq!(report["batch"]["failed"][0]["members"][0], "broken");
    fs::remove_dir_all(dir.path().join("broken")).unwrap();
    assert_eq!(cyclefix(dir.path(), &[]).status.code(), Some(0));
}

#[test]
fn reports_for_other_tools_name_what_failed_and_what_was_done() {
    let dir = repository();
    let below = dir.path().join("two");
    let report = |format: &str, args: &[&str]| {
        let output = cyclefix(&below, &[&["..", "--format", format], args].concat());
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        stdout(&output).to_owned()
    };
    let at = "broken/pyproject.toml:2: unknown setting `levle`";
    let log: Value = serde_json::from_str(&report("sarif", &[])).unwrap();
    let run = &log["runs"][0]["invocations"][0];
    assert_eq!(run["executionSuccessful"], false);
    let failed = &run["toolExecutionNotifications"][0];
    let said = failed["message"]["text"].as_str().unwrap();
    assert!(failed["level"] == "error" && said.ends_with(&format!(" failed: {at} (did you mean `level`?)")), "{said}");
    let place = &failed["locations"][0]["physicalLocation"];
    assert_eq!(
        (&place["artifactLocation"]["uri"], &place["region"]["startLine"]),
        (&"broken/pyproject.toml".into(), &2.into())
    );
    let annotations = report("github", &[]);
    let first = "::error file=broken/pyproject.toml,line=2,title=cyclefix%3A project failed::";
    assert!(annotations.starts_with(first) && annotations.contains(&format!(": {at}%0Adid you mean")), "{annotations}");
    for (args, columns, row) in [
        (&[][..], "| Project | Modules | Cycles | Can go | Left | Files |\n", " | 5 | 2 | 2 | 0 | 2 |\n"),
        (&["--dry-run"], "| Project | Modules | Cycles | Can go | Left | Files |\n", " | 5 | 2 | 2 | 0 | 2 |\n"),
        (&["--apply"], "| Project | Modules | Cycles | Dissolved | Left | Files |\n", " | 5 | 2 | 2 | 0 | 2 |\n"),
    ] {
        let text = report("markdown", args);
        assert!(text.contains(columns) && text.contains(row), "{args:?}: {text}");
        assert!(text.contains(" failed: broken/pyproject.toml:2: "), "{text}");
    }
}

#[test]
fn commits_of_all_projects_make_one_branch() {
    let dir = repository();
    write(dir.path(), "two/two/a.py", "not committed (\n");
    let before = git(dir.path(), &["status", "--porcelain"]);
    let output = cyclefix(dir.path(), &["--apply", "--branch", "fix/cycles"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("error: broken: "), "{}", stderr(&output));
    assert!(stderr(&output).contains("what is not committed plays no part: two/two/a.py\n"), "{}", stderr(&output));
    assert_eq!(git(dir.path(), &["status", "--porcelain"]), before);
    git(dir.path(), &["fsck", "--strict", "--no-dangling"]);
    let log = git(dir.path(), &["log", "--format=%s", "main..fix/cycles"]);
    let subjects = ["Dissolve the import cycle of two.c and two.d", "Dissolve the import cycle of two.a and two.b"];
    assert_eq!(log, subjects.map(|subject| format!("{subject}\n")).concat());
    for (commit, left) in [("fix/cycles~1", 1), ("fix/cycles", 0)] {
        let elsewhere = tempfile::tempdir().unwrap();
        let tree = elsewhere.path().join("tree");
        git(dir.path(), &["worktree", "add", "-q", "--detach", tree.to_str().unwrap(), commit]);
        let (_, report) = json(&tree, &[]);
        assert_eq!(report["summary"]["cycles"], left, "{commit}");
    }
}

#[test]
fn one_commit_is_one_for_all_projects() {
    let dir = repository();
    cycle("more", "a", "b").iter().for_each(|(name, text)| write(dir.path(), name, text));
    write(dir.path(), "more/pyproject.toml", "");
    write(dir.path(), "more/more/__init__.py", "");
    git(dir.path(), &["add", "."]);
    git(dir.path(), &["commit", "-qm", "more"]);
    let patches = dir.path().join(".git/patches");
    let all = ["--apply", "--branch", "fix", "--commits", "one", "--patches", patches.to_str().unwrap()];
    for args in [&all[..5], &[&all[..], &["--force-branch"]].concat()] {
        let output = cyclefix(dir.path(), args);
        assert!(stdout(&output).contains("branch fix: 1 commit on top of "), "{}{}", stdout(&output), stderr(&output));
        assert_eq!(git(dir.path(), &["log", "--format=%s", "main..fix"]), "Dissolve 3 import cycles\n");
        let files = git(dir.path(), &["diff", "--name-only", "main", "fix"]);
        assert!(files.lines().count() == 3 && files.contains("more/") && files.contains("two/"), "{files}");
    }
    assert_eq!(fs::read_dir(patches).unwrap().count(), 3);
}

#[test]
fn a_project_in_a_submodule_is_read_and_left_alone() {
    let (dir, other) = (repository(), repository());
    let url = other.path().to_str().unwrap();
    git(dir.path(), &["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", url, "sub"]);
    fs::remove_dir_all(dir.path().join("broken")).unwrap();
    git(dir.path(), &["commit", "-qam", "sub"]);
    let folder = tempfile::tempdir().unwrap();
    let patches = folder.path().join("patches");
    for (args, made) in [
        (&["--apply", "--branch", "one"][..], "branch one: 2 commits"),
        (&["--apply", "--branch", "two", "--separate"], "branch two: 2 commits"),
        (&["--apply", "--branch", "by", "--split-by", "project"], "branch by/two-two: 2 commits"),
        (&["--patches", patches.to_str().unwrap()], "2 patches"),
    ] {
        let output = cyclefix(dir.path(), args);
        let said = stderr(&output);
        // The submodule's broken project fails.
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("warning: sub/two: a submodule: read, but left alone\n"), "{said}");
        assert_eq!(said.matches("a submodule: ").count(), 2, "{said}");
        assert!(stdout(&output).contains(made), "{args:?}: {}", stdout(&output));
    }
    assert_eq!(git(dir.path(), &["diff", "--name-only", "main", "one"]).lines().count(), 2);
    assert_eq!(git(dir.path(), &["rev-parse", "main:sub"]), git(dir.path(), &["rev-parse", "one:sub"]));
    assert_eq!(git(dir.path(), &["branch", "--list", "by/*"]).lines().count(), 1);
    assert_eq!(fs::read_dir(patches).unwrap().count(), 2);
}

#[test]
fn each_file_is_part_of_the_innermost_project() {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("pyproject.toml", ""),
        ("app.py", "x = 1\n"),
        ("libs/one/pyproject.toml", ""),
        ("libs/one/src/one/__init__.py", ""),
        ("libs/two/setup.py", ""),
        ("libs/two/two/__init__.py", ""),
        ("libs/two/two/setup.py", ""),
        ("env/pyvenv.cfg", ""),
        ("env/lib/x/__init__.py", ""),
    ] {
        write(dir.path(), name, text);
    }
    let (code, report) = json(dir.path(), &[]);
    assert_eq!((code, members(&report)), (Some(0), [".", "libs/one", "libs/two"].map(str::to_owned).to_vec()));
    let modules = |index: usize| report["projects"][index]["modules"].as_u64().unwrap();
    assert_eq!([modules(0), modules(1), modules(2)], [1, 1, 3]);
    // Below a project, that project counts as far as it is named.
    let (_, report) = json(dir.path(), &["libs/one/src"]);
    assert_eq!(
        (members(&report), &report["projects"][0]["root"]),
        (vec!["libs/one".to_owned()], &Value::from("libs/one"))
    );
    let (_, report) = json(dir.path(), &["--exclude", "libs/two"]);
    assert_eq!(members(&report), [".", "libs/one"]);
}

#[test]
fn packages_that_no_project_holds_are_projects() {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("a/__init__.py", ""),
        ("b/__init__.py", ""),
        ("scripts/run.py", ""),
        ("wheel-1.0/wheel-1.0.dist-info/METADATA", ""),
        ("wheel-1.0/ns/inner/__init__.py", "from ns.inner import x\n"),
        ("wheel-1.0/ns/inner/x.py", "import ns.inner\n"),
        ("wheel-1.0/top.py", ""),
    ] {
        write(dir.path(), name, text);
    }
    let output = cyclefix(dir.path(), &[]);
    assert!(
        stderr(&output).contains("part of no project were not read: 1, e.g. scripts/run.py"),
        "{}",
        stderr(&output)
    );
    let (_, report) = json(dir.path(), &[]);
    assert_eq!(members(&report), ["a", "b", "wheel-1.0"]);
    assert_eq!(report["batch"]["loose_files"], 1);
    assert_eq!(report["projects"][2]["cycles"][0]["modules"], serde_json::json!(["ns.inner", "ns.inner.x"]));
    let output = cyclefix(dir.path(), &["scripts"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("error: no project below `scripts`\nhint: "), "{}", stderr(&output));
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_not_passed_over() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("a/pyproject.toml", ""),
        ("a/a/__init__.py", ""),
        ("b/pyproject.toml", ""),
        ("b/b/__init__.py", ""),
        ("b/b/c/__init__.py", ""),
        ("list.txt", "a\nb\n"),
        ("file.py", ""),
    ] {
        write(dir.path(), name, text);
    }
    let lock = |name: &str, mode: u32| {
        fs::set_permissions(dir.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    let run = |args: &[&str]| {
        let output = repository::bound(dir.path(), env!("CARGO_BIN_EXE_cyclefix")).args(args).output().unwrap();
        (output.status.code(), stderr(&output).to_owned())
    };
    ["a", "b/b/c", "file.py"].iter().for_each(|name| lock(name, 0));
    git(dir.path(), &["init", "-q"]);
    let hint = "\nhint: check the permissions of the file and of the folders above it\n";
    for (args, named) in [
        (&["--batch", "a", "b"][..], "a"),
        (&["a"], "a"),
        (&["b/b/c"], "b/b/c"),
        (&["file.py"], "file.py"),
        (&["--batch", "file.py"], "file.py"),
    ] {
        let (code, said) = run(args);
        let error = format!("error: cannot read {named}: Permission denied (os error 13){hint}");
        assert_eq!((code, said), (Some(2), error), "{args:?}");
    }
    let (code, said) = run(&["--batch", "list.txt"]);
    let error = "error: a: list.txt:1: cannot read a: Permission denied (os error 13)";
    assert!(code == Some(2) && said.contains(&format!("{error}{hint}")), "{said}");
    // Below what was named, the others count, and it is said.
    for args in [&["."][..], &["--batch", "."], &["--batch"]] {
        let (code, said) = run(args);
        assert_eq!(code, Some(0), "{said}");
        for place in ["a", "b/b/c"] {
            let warning = format!("warning: {place}: cannot read: Permission denied (os error 13)\n");
            assert_eq!(said.matches(&warning).count(), 1, "{args:?}: {said}");
        }
    }
    ["a", "b/b/c"].iter().for_each(|name| lock(name, 0o755));
}

#[test]
fn a_manifest_lists_projects() {
    let dir = tempfile::tempdir().unwrap();
    tree(dir.path());
    write(dir.path(), "lists/some.txt", "# two of them\n../two\n\n../clean\n../no/such\nsome.txt\n");
    let (code, report) = json(dir.path(), &["lists/some.txt"]);
    assert_eq!((code, members(&report)), (Some(2), vec!["clean".to_owned(), "two".to_owned()]));
    let failed = report["batch"]["failed"].as_array().unwrap();
    let errors: Vec<&str> = failed.iter().map(|failed| failed["error"].as_str().unwrap()).collect();
    assert!(errors[0].starts_with("lists/some.txt:5: no such file or folder: "), "{errors:?}");
    write(dir.path(), "lists/far.txt", "\u{feff}../two\n../far/away\n../nowhere\n");
    let (_, report) = json(dir.path(), &["lists/far.txt"]);
    assert_eq!(members(&report), ["two"]);
    let hints: Vec<&str> =
        report["batch"]["failed"].as_array().unwrap().iter().map(|f| f["hint"].as_str().unwrap()).collect();
    assert_eq!(hints, ["there is no folder lists/../far either", "paths are relative to the folder of the manifest"]);
    fs::write(dir.path().join("lists/other.txt"), b"../two\n\xff\n").unwrap();
    let output = cyclefix(dir.path(), &["lists/other.txt"]);
    let said = "error: not UTF-8, so that it is no list of paths: lists/other.txt\nhint: ";
    assert!(output.status.code() == Some(2) && stderr(&output).starts_with(said), "{}", stderr(&output));
    assert!(errors[1].starts_with("lists/some.txt:6: not a Python file: "), "{errors:?}");
    assert_eq!(failed.len(), 2);
    assert_eq!(report["summary"]["cycles"], 2);
}

#[test]
fn projects_that_import_each_other_are_one() {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("left/pyproject.toml", "[tool.cyclefix]\nlevel = 'all'\n"),
        ("left/left/__init__.py", ""),
        ("left/left/a.py", "from right.b import f\n\n\ndef g():\n    return f()\n"),
        ("right/pyproject.toml", ""),
        ("right/right/__init__.py", ""),
        ("right/right/b.py", "import left.a\n\n\ndef f():\n    return 1\n\n\ndef h():\n    return left.a.g()\n"),
        ("other/pyproject.toml", ""),
        ("other/other/__init__.py", "import json\nimport tests.x\n"),
        ("more/pyproject.toml", ""),
        ("more/json.py", ""),
        ("more/tests/__init__.py", ""),
        ("more/tests/x.py", ""),
    ] {
        write(dir.path(), name, text);
    }
    let output = cyclefix(dir.path(), &[]);
    let said = stderr(&output);
    assert!(said.contains("settings that play no part") && said.contains("left/pyproject.toml; "), "{said}");
    let (_, report) = json(dir.path(), &[]);
    assert_eq!(members(&report), ["left+right", "more", "other"]);
    let modules = &report["projects"][0]["cycles"][0]["modules"];
    assert_eq!(modules, &serde_json::json!(["left.a", "right.b"]));
    // Each by its own name, also those that are read from one folder.
    cyclefix(dir.path(), &["--html", "page.html"]);
    let page = fs::read_to_string(dir.path().join("page.html")).unwrap();
    assert!(page.contains("<h2 id=\"p1-name\">left + right</h2>"), "{page}");
    let (code, report) = json(dir.path(), &["--separate"]);
    assert_eq!((code, members(&report).len()), (Some(0), 4));
    let output = cyclefix(dir.path(), &["--apply"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    let row: Vec<&str> = stdout(&output).lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(row[..3], ["left", "+", "right"]);
    assert_eq!(json(dir.path(), &[]).0, Some(0));
}

#[test]
fn uncommitted_changes_of_a_project_are_its_own() {
    let dir = repository();
    fs::remove_dir_all(dir.path().join("broken")).unwrap();
    write(dir.path(), "more/more/__init__.py", "");
    cycle("more", "a", "b").iter().for_each(|(name, text)| write(dir.path(), name, text));
    git(dir.path(), &["add", "."]);
    git(dir.path(), &["commit", "-qm", "more"]);
    write(dir.path(), "more/more/__init__.py", "# not committed\n");
    let output = cyclefix(dir.path(), &["--apply"]);
    assert_eq!(output.status.code(), Some(2), "{}", stdout(&output));
    assert!(stderr(&output).contains("error: more/more: uncommitted changes: more/more/__init__.py\nhint: "));
    let changed = git(dir.path(), &["status", "--porcelain"]);
    assert_eq!(changed.lines().filter(|line| line.contains("two/two/")).count(), 2, "{changed}");
    assert_eq!(changed.lines().filter(|line| line.contains("more/")).count(), 1, "{changed}");
    assert_eq!(cyclefix(dir.path(), &["--apply", "--allow-dirty"]).status.code(), Some(0));
}

#[test]
fn the_result_is_the_same_for_any_number_of_threads() {
    let dir = tempfile::tempdir().unwrap();
    for n in 0..12 {
        let package = format!("p{n}");
        write(dir.path(), &format!("{package}/{package}/__init__.py"), "");
        cycle(&package, "a", "b").iter().for_each(|(name, text)| write(dir.path(), name, text));
    }
    let run = |jobs: &str, more: &[&str]| cyclefix(dir.path(), &[&["--jobs", jobs], more].concat()).stdout;
    for more in [&["--dry-run"][..], &["--format", "markdown"], &["--format", "sarif"], &[]] {
        assert_eq!(run("1", more), run("5", more));
    }
    let diff = String::from_utf8(run("3", &["--dry-run"])).unwrap();
    assert_eq!(diff.matches("diff --git ").count(), 12);
    let report = String::from_utf8(run("3", &["--format", "markdown"])).unwrap();
    assert!(report.contains("\n12 projects.\n\n| Project |"), "{report}");
}

#[cfg(target_os = "linux")]
/// Only what `text` holds before the line with this index, counted from 0.
fn first_lines(text: &str, lines: usize) -> String {
    text.lines().take(lines).map(|line| format!("{line}\n")).collect()
}

// /dev/full stands for a run that is stopped before it has reported.
#[cfg(target_os = "linux")]
#[test]
fn a_run_goes_on_from_its_state() {
    let dir = tempfile::tempdir().unwrap();
    for n in 0..6 {
        let package = format!("p{n}");
        write(dir.path(), &format!("{package}/{package}/__init__.py"), "");
        cycle(&package, "a", "b").iter().for_each(|(name, text)| write(dir.path(), name, text));
    }
    let whole = cyclefix(dir.path(), &["--dry-run"]);
    let state = dir.path().join("state");
    let with_state = ["--dry-run", "--state", "state"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_cyclefix"));
    command.args(["--batch", "--strategy=defer-import"]).args(with_state).current_dir(dir.path());
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    assert_eq!(command.stdout(full).output().unwrap().status.code(), Some(2));
    let kept = fs::read_to_string(&state).unwrap();
    assert_eq!(kept.lines().count(), 7);
    // Killed at any time: some lines are there, the last one perhaps in part.
    let torn = first_lines(&kept, 4) + &kept.lines().nth(4).unwrap()[..40];
    for text in
        [first_lines(&kept, 1), first_lines(&kept, 3), torn, kept.clone(), "{\"batch\":1,".into(), String::new()]
    {
        fs::write(&state, text).unwrap();
        let resumed = cyclefix(dir.path(), &with_state);
        assert_eq!((stdout(&resumed), resumed.status.code()), (stdout(&whole), whole.status.code()));
        assert_eq!(stderr(&resumed), stderr(&whole));
        assert!(!state.exists());
    }
    // It is not solved again: what the state says counts, as long as the files are the same.
    let other = kept.replace("from p2.b import f", "from p2.b import f as told");
    fs::write(&state, &other).unwrap();
    let resumed = cyclefix(dir.path(), &with_state);
    assert!(stdout(&resumed).contains("import f as told"), "{}", stdout(&resumed));
    fs::write(&state, &other).unwrap();
    write(dir.path(), "p2/p2/__init__.py", "# changed\n");
    let resumed = cyclefix(dir.path(), &with_state);
    assert_eq!(stdout(&resumed), stdout(&whole));
}

#[test]
fn a_state_of_something_else_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    tree(dir.path());
    let refused = |text: &str, action: &str, part: &str| {
        write(dir.path(), "state", text);
        let output = cyclefix(dir.path(), &[action, "--state", "state"]);
        assert_eq!((output.status.code(), stdout(&output)), (Some(2), ""));
        assert!(stderr(&output).contains(part) && stderr(&output).contains("\nhint: "), "{}", stderr(&output));
        assert_eq!(fs::read_to_string(dir.path().join("state")).unwrap(), text);
    };
    refused("precious\n", "--check", "error: state:1: no state of a batch");
    refused("precious", "--check", "error: state:1: no state of a batch");
    let header =
        format!("{{\"batch\":1,\"tool\":\"{}\",\"run\":\"cyclefix --batch --apply\"}}\n", env!("CARGO_PKG_VERSION"));
    refused(&header, "--dry-run", "state is the state of another run: `cyclefix --batch --apply`");
    // What only looked for cycles has planned nothing.
    let checked = header.replace("--apply", "--check");
    refused(&checked, "--dry-run", "state is the state of another run: `cyclefix --batch --check`");
    let separate = header.replace("--apply", "--dry-run --separate");
    refused(&separate, "--dry-run", "state is the state of another run: `cyclefix --batch --dry-run --separate`");
    // What the message names is what goes on.
    write(dir.path(), "state", &separate);
    let output = cyclefix(dir.path(), &["--dry-run", "--separate", "--state", "state"]);
    assert!(!stderr(&output).contains("the state of another run"), "{}", stderr(&output));
    refused(&(header + "{}\n"), "--apply", "error: state:2: no state of a batch");
}

#[cfg(target_os = "linux")]
#[test]
fn an_apply_that_was_stopped_is_finished() {
    let dir = repository();
    fs::remove_dir_all(dir.path().join("broken")).unwrap();
    write(dir.path(), "more/more/__init__.py", "");
    cycle("more", "a", "b").iter().for_each(|(name, text)| write(dir.path(), name, text));
    git(dir.path(), &["add", "."]);
    git(dir.path(), &["commit", "-qm", "more"]);
    let elsewhere = tempfile::tempdir().unwrap();
    let state = elsewhere.path().join("state");
    let args = ["--apply", "--state", state.to_str().unwrap(), "--format", "json"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_cyclefix"));
    command.args(["--batch", "--strategy=defer-import"]).args(args).current_dir(dir.path());
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    assert_eq!(command.stdout(full).output().unwrap().status.code(), Some(2));
    let written = git(dir.path(), &["diff"]);
    // One project is as it was, as if the run had been killed before it was written.
    git(dir.path(), &["checkout", "-q", "more"]);
    assert_ne!(git(dir.path(), &["diff"]), written);
    let (code, report) = json(dir.path(), &args[..3]);
    assert_eq!((code, members(&report)), (Some(0), ["clean", "more/more", "two/two"].map(str::to_owned).to_vec()));
    assert_eq!((&report["summary"]["fixed"], &report["summary"]["files_changed"]), (&3.into(), &3.into()));
    assert_eq!(git(dir.path(), &["diff"]), written);
    assert!(!state.exists());
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_a_run_cleanly() {
    use std::process::Stdio;
    use std::time::Duration;
    let dir = tempfile::tempdir().unwrap();
    for n in 0..150 {
        let package = format!("p{n}");
        write(dir.path(), &format!("{package}/{package}/__init__.py"), "");
        cycle(&package, "a", "b").iter().for_each(|(name, text)| write(dir.path(), name, text));
    }
    let whole = cyclefix(dir.path(), &["--dry-run"]);
    let mut was_stopped = false;
    for wait in [20, 40, 60, 80, 120, 160] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cyclefix"));
        command.args(["--batch", "--strategy=defer-import", "--dry-run", "--jobs=1", "--state", "state"]);
        let child = command.current_dir(dir.path()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        // SIGINT by the tool that every Unix has.
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        let output = child.wait_with_output().unwrap();
        let stopped = stderr(&output).contains("not run");
        if stopped {
            was_stopped = true;
            assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
            assert!(stderr(&output).contains("the same command goes on from here"), "{}", stderr(&output));
        }
    }
    assert!(was_stopped, "no run was interrupted before its end");
    let resumed = cyclefix(dir.path(), &["--dry-run", "--state", "state"]);
    assert_eq!(stdout(&resumed), stdout(&whole));
}
