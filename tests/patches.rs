//! `--patches`, `--split-by` and `--max-files`: what `git am` makes of the patches, and how commits are shared out.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

#[path = "harness/repository.rs"]
mod repository;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use repository::{git, quiet, write};

fn cyclefix(dir: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cyclefix"));
    quiet(&mut command);
    command.arg("--strategy=extract-utility-module").args(args).current_dir(dir).output().unwrap()
}

/// The report as JSON, which its schema describes.
fn json(dir: &Path, args: &[&str]) -> Value {
    let output = cyclefix(dir, &[args, &["--format", "json"]].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"));
    let schema = serde_json::from_str(include_str!("../schema/report.schema.json")).unwrap();
    let errors: Vec<String> =
        jsonschema::validator_for(&schema).unwrap().iter_errors(&report).map(|e| e.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
    report
}

/// Two modules of a package that need each other; what one of them needs can move to a new module.
fn cycle(dir: &Path, package: &str, a: &str, b: &str) {
    let top = package.rsplit('/').next().unwrap();
    write(dir, &format!("{package}/__init__.py"), "");
    write(dir, &format!("{package}/{a}.py"), &format!("from {top}.{b} import f\n\n\ndef g():\n    return f()\n"));
    let text = format!("import {top}.{a}\n\n\ndef f():\n    return 1\n\n\ndef h():\n    return {top}.{a}.g()\n");
    write(dir, &format!("{package}/{b}.py"), &text);
}

/// A repository of two projects, with two cycles in the one and one in the other.
fn repository() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    cycle(dir.path(), "libs/one/one", "a", "b");
    cycle(dir.path(), "libs/one/one", "c", "d");
    cycle(dir.path(), "libs/two/two", "a", "b");
    write(dir.path(), "libs/one/pyproject.toml", "");
    write(dir.path(), "libs/two/pyproject.toml", "");
    git(dir.path(), &["init", "-q", "-b", "main"]);
    git(dir.path(), &["config", "user.name", "Ada Łovelace"]);
    git(dir.path(), &["config", "user.email", "ada@example.com"]);
    git(dir.path(), &["config", "core.autocrlf", "false"]);
    commit(dir.path());
    dir
}

fn commit(dir: &Path) {
    git(dir, &["add", "."]);
    git(dir, &["commit", "-qm", "c"]);
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// All that must not change: the work tree, the branches, and the objects.
fn state(dir: &Path) -> String {
    [&["status", "--porcelain"][..], &["for-each-ref"], &["count-objects", "-v"]].map(|args| git(dir, args)).concat()
}

#[test]
fn git_takes_a_patch_for_each_cycle() {
    let dir = repository();
    let folder = tempfile::tempdir().unwrap();
    let patches = folder.path().join("deep/patches");
    let patches_arg = patches.to_str().unwrap();
    cyclefix(dir.path(), &["--batch", "--apply", "--branch", "whole"]);
    write(dir.path(), "libs/one/one/a.py", "not committed (\n");
    for args in [&["--batch"][..], &["--dry-run"]] {
        let before = state(dir.path());
        let output = cyclefix(dir.path(), &[args, &["--patches", patches_arg]].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("what is not committed plays no part: libs/one/one/a.py\n"), "{said}");
        let report = String::from_utf8_lossy(if args == ["--batch"] { &output.stdout } else { &output.stderr });
        assert!(report.contains("\n3 patches for `git am`\n"), "{report}");
        assert_eq!(state(dir.path()), before);
        let files = names(&patches);
        assert_eq!(files[0], "0001-dissolve-the-import-cycle-of-one-a-and-one-b.patch");
        assert_eq!(files.len(), 3);

        let clone = folder.path().join(args[0]);
        git(dir.path(), &["clone", "-q", ".", clone.to_str().unwrap()]);
        git(&clone, &["config", "user.name", "Bob"]);
        git(&clone, &["config", "user.email", "bob@example.com"]);
        for (index, file) in files.iter().enumerate() {
            git(&clone, &["am", "-q", patches.join(file).to_str().unwrap()]);
            assert_eq!(json(&clone, &["--batch"])["summary"]["cycles"], 2 - index, "{file}");
        }
        let log = git(&clone, &["log", "--format=%an <%ae>: %s", "-3"]);
        let first = "Ada Łovelace <ada@example.com>: Dissolve the import cycle of one.a and one.b";
        assert_eq!(log.lines().last().unwrap(), first);
        assert!(git(&clone, &["log", "--format=%B", "-1"]).contains("\ncyclefix cycle "));
        // A branch holds the same.
        assert_eq!(git(&clone, &["diff", "origin/whole"]), "");
        fs::remove_dir_all(&patches).unwrap();
        // The second time from objects that are packed.
        git(dir.path(), &["gc", "-q", "--prune=now"]);
    }
}

#[test]
fn a_folder_that_holds_something_is_refused() {
    let dir = repository();
    let folder = tempfile::tempdir().unwrap();
    let refused = |place: &Path, more: &[&str], part: &str| {
        let output = cyclefix(dir.path(), &[&["--patches", place.to_str().unwrap()], more].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{said}");
        assert!(said.contains(part), "{said}");
    };
    write(folder.path(), "full/x", "");
    refused(&folder.path().join("full"), &[], "is not empty\nhint: ");
    refused(&folder.path().join("full/x"), &[], "is no folder\nhint: ");
    refused(&folder.path().join("new"), &["--apply"], "only if there is a --branch");
    refused(&folder.path().join("new"), &["--split-by", "owner"], "has no CODEOWNERS\nhint: ");
    fs::create_dir(folder.path().join("empty")).unwrap();
    cyclefix(dir.path(), &["--patches", folder.path().join("empty").to_str().unwrap()]);
    assert_eq!(names(&folder.path().join("empty")).len(), 3);
    let output = cyclefix(dir.path(), &["--split-by", "project"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("--branch <NAME> or --patches <DIR>"));
}

/// Branches of a report with the titles of their commits.
fn branches(report: &Value) -> Vec<(String, Vec<String>)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let titles = |branch: &Value| branch["commits"].as_array().unwrap().iter().map(|c| text(&c["title"])).collect();
    let all = report["branches"].as_array().unwrap();
    all.iter().map(|branch| (text(&branch["name"]), titles(branch))).collect()
}

#[test]
fn a_branch_for_each_project() {
    let dir = repository();
    let report = json(dir.path(), &["--batch", "--apply", "--branch", "fix", "--split-by", "project"]);
    let title = |pair: &str| format!("Dissolve the import cycle of {pair}");
    let expected = [
        ("fix/libs-one".to_owned(), vec![title("one.a and one.b"), title("one.c and one.d")]),
        ("fix/libs-two".to_owned(), vec![title("two.a and two.b")]),
    ];
    assert_eq!(branches(&report), expected);
    for (name, _) in expected {
        let base = git(dir.path(), &["merge-base", "main", &name]);
        assert_eq!(base, git(dir.path(), &["rev-parse", "main"]));
        let changed = git(dir.path(), &["diff", "--name-only", "main", &name]);
        assert!(changed.lines().all(|file| file.starts_with(&name.replace("fix/libs-", "libs/"))), "{changed}");
    }
    git(dir.path(), &["fsck", "--strict", "--no-dangling"]);
    let output = cyclefix(dir.path(), &["--batch", "--apply", "--branch", "fix", "--split-by", "project"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("the branch `fix/libs-one` exists already"));
    // Patches of projects hold what their branches hold.
    let folder = tempfile::tempdir().unwrap();
    let report = json(dir.path(), &["--batch", "--split-by", "project", "--patches", folder.path().to_str().unwrap()]);
    assert_eq!(report["patches"].as_array().unwrap().len(), 2);
    let files = names(folder.path());
    assert_eq!(files[0], "0001-libs-one-dissolve-2-import-cycles.patch");
    git(dir.path(), &["am", "-q", folder.path().join(&files[0]).to_str().unwrap()]);
    assert_eq!(git(dir.path(), &["diff", "fix/libs-one"]), "");
    git(dir.path(), &["am", "-q", folder.path().join(&files[1]).to_str().unwrap()]);
    assert_eq!(json(dir.path(), &["--batch"])["summary"]["cycles"], 0);
}

#[test]
fn a_branch_for_each_owner() {
    let dir = repository();
    write(dir.path(), ".github/CODEOWNERS", "*.py @org/all\n/libs/one/one/a.py @zed\n/libs/one/one/b*.py @zed\n");
    commit(dir.path());
    let report = json(dir.path(), &["--batch", "--apply", "--branch", "fix", "--split-by", "owner"]);
    let title = |pair: &str| format!("Dissolve the import cycle of {pair}");
    let expected = [
        ("fix/org-all".to_owned(), vec![title("one.c and one.d"), title("two.a and two.b")]),
        ("fix/zed".to_owned(), vec![title("one.a and one.b")]),
    ];
    assert_eq!(branches(&report), expected);
    // The second stands on the first; all together is what one branch would be.
    let tip = |name: &str| git(dir.path(), &["rev-parse", name]);
    assert_eq!(report["branches"][1]["base"], tip("fix/org-all").trim());
    assert_eq!(tip("fix/zed~1"), tip("fix/org-all"));
    json(dir.path(), &["--batch", "--apply", "--branch", "whole"]);
    assert_eq!(git(dir.path(), &["diff", "whole", "fix/zed"]), "");
    let made = json(dir.path(), &["--batch", "--apply", "--branch", "few", "--split-by", "owner", "--commits", "one"]);
    assert_eq!(branches(&made)[0].1, ["Dissolve 2 import cycles"]);
    assert_eq!(git(dir.path(), &["diff", "few/zed", "fix/zed"]), "");
}

#[test]
fn no_branch_changes_more_files_than_asked_if_that_can_be() {
    let dir = repository();
    let made = |name: &str, more: &[&str]| {
        let args = [&["--batch", "--apply", "--branch", name][..], more].concat();
        let output = cyclefix(dir.path(), &args);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{said}");
        let names = git(dir.path(), &["branch", "--list", "--format=%(refname:short)", &format!("{name}/*")]);
        (said, names.lines().map(str::to_owned).collect::<Vec<_>>())
    };
    let (said, names) = made("six", &["--max-files", "6"]);
    assert_eq!((said.as_str(), names), ("", vec!["six/1".to_owned(), "six/2".to_owned()]));
    let changed = |from: &str, to: &str| git(dir.path(), &["diff", "--name-only", from, to]).lines().count();
    assert_eq!((changed("main", "six/1"), changed("six/1", "six/2")), (6, 3));
    let (said, names) = made("two", &["--max-files", "2", "--split-by", "project"]);
    assert_eq!(names, ["two/libs-one-1", "two/libs-one-2", "two/libs-two"]);
    assert_eq!(said.matches("changes 3 files, more than --max-files 2: a fix stays whole").count(), 3, "{said}");
}
