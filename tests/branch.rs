//! `--apply --branch`: the commits, and that nothing else of the repository changes.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

#[path = "harness/repository.rs"]
mod repository;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use repository::{git, quiet, write};

/// Two cycles, each with a deferrable import, and a module beside them.
const FILES: [(&str, &str); 6] = [
    ("a.py", "from b import f\n\n\ndef g():\n    return f()\n"),
    ("b.py", "import a\n\n\ndef f():\n    return 1\n\n\ndef h():\n    return a.g()\n"),
    ("p/__init__.py", ""),
    ("p/c.py", "from p.d import f\n\n\ndef g():\n    return f()\n"),
    ("p/d.py", "import p.c\n\n\ndef f():\n    return 1\n\n\ndef h():\n    return p.c.g()\n"),
    ("main.py", "import a\nimport p.c\n\nprint(a.g(), p.c.g())\n"),
];
const BRANCH: [&str; 4] = ["--apply", "--branch", "fix/cycles", "--strategy=defer-import"];

fn commit(dir: &Path) {
    git(dir, &["add", "."]);
    git(dir, &["commit", "-qm", "c"]);
}

fn empty() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    git(dir.path(), &["init", "-q", "-b", "main"]);
    git(dir.path(), &["config", "user.name", "Ada"]);
    git(dir.path(), &["config", "user.email", "ada@example.com"]);
    dir
}

fn repository() -> tempfile::TempDir {
    let dir = empty();
    FILES.iter().for_each(|(name, text)| write(dir.path(), name, text));
    commit(dir.path());
    dir
}

fn cyclefix(dir: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cyclefix"));
    quiet(&mut command);
    command.args(args).current_dir(dir).output().unwrap()
}

/// Runs with [`BRANCH`] and `more`; asserts that all was dissolved.
fn branch(dir: &Path, more: &[&str]) -> Output {
    let output = cyclefix(dir, &[&BRANCH, more].concat());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn refused(dir: &Path, args: &[&str], parts: &[&str]) {
    let output = cyclefix(dir, args);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{message}");
    assert!(message.starts_with("error: ") && message.contains("\nhint: "), "{message}");
    parts.iter().for_each(|part| assert!(message.contains(part), "{part}: {message}"));
}

/// All that must not change: files and their times of change, the index, what is checked out, other branches.
fn state(dir: &Path) -> String {
    let index = fs::read(dir.join(".git/index")).unwrap();
    let refs = git(dir, &["for-each-ref"]);
    let refs: Vec<&str> = refs.lines().filter(|line| !line.ends_with("fix/cycles")).collect();
    let head = fs::read_to_string(dir.join(".git/HEAD")).unwrap();
    let mut files: Vec<String> = git(dir, &["ls-files", "-o", "-c"]).lines().map(str::to_owned).collect();
    files.sort();
    let time = |name: &String| fs::symlink_metadata(dir.join(name)).and_then(|found| found.modified()).ok();
    let text = |name: &String| fs::read(dir.join(name)).ok();
    let files: Vec<String> = files.iter().map(|name| format!("{name} {:?} {:?}", text(name), time(name))).collect();
    format!("{index:?}\n{refs:?}\n{head}\n{files:#?}")
}

/// Checks a branch out elsewhere and gives the folder; asserts that nothing differs from what git would store.
fn checked_out(dir: &Path, name: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("tree");
    git(dir, &["worktree", "add", "-q", "--detach", tree.to_str().unwrap(), name]);
    git(&tree, &["update-index", "--refresh"]);
    assert_eq!(git(&tree, &["status", "--porcelain"]), "");
    (folder, tree)
}

#[test]
fn each_commit_dissolves_one_cycle_and_nothing_else_changes() {
    let dir = repository();
    let before = state(dir.path());
    let output = branch(dir.path(), &[]);
    assert_eq!(state(dir.path()), before);
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(report.contains("branch fix/cycles: 2 commits on top of "), "{report}");
    git(dir.path(), &["fsck", "--strict", "--no-dangling"]);
    let log = git(dir.path(), &["log", "--format=%an %ce %s", "main..fix/cycles"]);
    let subjects = ["Dissolve the import cycle of p.c and p.d", "Dissolve the import cycle of a and b"];
    assert_eq!(log, subjects.map(|s| format!("Ada ada@example.com {s}\n")).concat());
    assert_eq!(git(dir.path(), &["log", "--format=%P", "-1", "fix/cycles~1"]), git(dir.path(), &["rev-parse", "main"]));
    assert_eq!(git(dir.path(), &["diff", "--name-only", "main", "fix/cycles~1"]).lines().count(), 1);
    let message = git(dir.path(), &["log", "--format=%B", "-1", "fix/cycles~1"]);
    for part in ["\n    a -> b -> a\n", "\n- ", "[defer-import/function]", "defer-import/function: ", "cyclefix cycle "]
    {
        assert!(message.contains(part), "{part}: {message}");
    }
    // Each commit by itself: one cycle less, and what is applied in place is what the last one holds.
    for (commit, left) in [("fix/cycles~2", 2), ("fix/cycles~1", 1), ("fix/cycles", 0)] {
        let (_folder, tree) = checked_out(dir.path(), commit);
        let output = cyclefix(&tree, &["--format", "json"]);
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["summary"]["cycles"], left, "{commit}");
        assert_eq!(report["projects"][0]["skipped"].as_array().unwrap().len(), 0);
    }
    cyclefix(dir.path(), &["--apply", "--strategy=defer-import"]);
    assert_eq!(git(dir.path(), &["diff", "fix/cycles"]), "");
}

#[test]
fn one_commit_if_asked() {
    let dir = repository();
    let output = branch(dir.path(), &["--commits", "one", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let schema = serde_json::from_str(include_str!("../schema/report.schema.json")).unwrap();
    let errors: Vec<String> =
        jsonschema::validator_for(&schema).unwrap().iter_errors(&report).map(|e| e.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
    let made = &report["branch"];
    assert_eq!(made["base"], git(dir.path(), &["rev-parse", "main"]).trim());
    assert_eq!(made["commits"][0]["id"], git(dir.path(), &["rev-parse", "fix/cycles"]).trim());
    assert_eq!(made["commits"][0]["title"], "Dissolve 2 import cycles");
    assert_eq!(made["commits"].as_array().unwrap().len(), 1);
    assert_eq!(report["projects"][0]["cycles"][0]["status"], "fixed");
}

#[test]
fn what_is_not_committed_plays_no_part() {
    let dir = repository();
    write(dir.path(), "a.py", "import b\nimport p.c  # not committed\n");
    write(dir.path(), "b.py", "syntax error (\n");
    git(dir.path(), &["add", "b.py"]);
    write(dir.path(), "new.py", "import a\n");
    fs::remove_file(dir.path().join("p/d.py")).unwrap();
    let before = state(dir.path());
    let output = branch(dir.path(), &["--allow-dirty"]);
    assert_eq!(state(dir.path()), before);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("what is not committed plays no part: a.py, b.py, p/d.py\n"), "{said}");
    let changed = git(dir.path(), &["diff", "--name-only", "main", "fix/cycles"]);
    assert!(changed.lines().count() == 2 && !changed.contains("new.py"), "{changed}");
    assert!(!git(dir.path(), &["show", "fix/cycles:a.py"]).contains("not committed"));
    refused(dir.path(), &["--apply", "--branch", "x", "new.py"], &["the last commit does not hold `new.py`"]);
}

#[test]
fn names_that_cannot_be_are_refused() {
    let dir = repository();
    for name in ["a..b", "", "a b", "-x", "HEAD", "x.lock"] {
        refused(dir.path(), &["--apply", &format!("--branch={name}")], &["is no name for a branch"]);
    }
    refused(dir.path(), &["--apply", "--branch", "main"], &["the branch `main` exists already", "--force-branch"]);
    let main = ["--apply", "--branch", "main", "--force-branch"];
    refused(dir.path(), &main, &["the branch `main` is checked out in `"]);
    let (_folder, tree) = checked_out(dir.path(), "main");
    git(&tree, &["checkout", "-q", "-b", "there"]);
    refused(dir.path(), &["--apply", "--branch", "there", "--force-branch"], &["is checked out in `", "/tree"]);
    refused(&tree, &main, &["is checked out in `"]);
    git(dir.path(), &["branch", "fix"]);
    let output = cyclefix(dir.path(), &BRANCH);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("fix"));
    git(dir.path(), &["branch", "-D", "fix"]);
    branch(dir.path(), &[]);
    refused(dir.path(), &BRANCH, &["the branch `fix/cycles` exists already"]);
    branch(&tree, &["--force-branch"]);
    let output = cyclefix(dir.path(), &["--branch", "x"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("--apply"));
}

#[test]
fn repositories_that_cannot_take_a_commit_are_refused() {
    let dir = repository();
    git(dir.path(), &["config", "--unset", "user.email"]);
    git(dir.path(), &["config", "user.useConfigOnly", "true"]);
    refused(dir.path(), &BRANCH, &["git does not know who commits", "git config user.name"]);
    git(dir.path(), &["config", "user.email", "ada@example.com"]);
    write(dir.path(), ".git/refs/heads/fix/cycles.lock", "");
    refused(dir.path(), &BRANCH, &["another process holds the branch `fix/cycles`", ".lock"]);
    fs::remove_file(dir.path().join(".git/refs/heads/fix/cycles.lock")).unwrap();

    let unborn = empty();
    write(unborn.path(), "a.py", "");
    refused(unborn.path(), &BRANCH, &["has no commit yet"]);
    let none = tempfile::tempdir().unwrap();
    write(none.path(), "a.py", "");
    refused(none.path(), &BRANCH, &["no git repository holds `.`"]);
    let args = [&BRANCH[..], &[dir.path().to_str().unwrap(), unborn.path().to_str().unwrap()]].concat();
    refused(none.path(), &args, &["the paths lie in two repositories"]);
    write(dir.path(), "cyclefix.toml", "levle = 'all'\n");
    commit(dir.path());
    refused(
        dir.path(),
        &BRANCH,
        &["/cyclefix.toml:1: unknown setting `levle`", dir.path().file_name().unwrap().to_str().unwrap()],
    );
}

#[test]
fn without_cycles_there_is_no_branch() {
    let dir = empty();
    write(dir.path(), "a.py", "x = 1\n");
    commit(dir.path());
    let output = branch(dir.path(), &[]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("nothing to commit"), "{said}");
    assert_eq!(git(dir.path(), &["branch", "--list", "fix/cycles"]), "");
}

#[test]
fn line_ends_are_stored_as_git_stores_them() {
    for (attributes, autocrlf) in
        [("*.py text eol=crlf\n", "false"), ("", "true"), ("* text=auto\n", "input"), ("* -text\n", "true")]
    {
        let dir = empty();
        git(dir.path(), &["config", "core.autocrlf", autocrlf]);
        git(dir.path(), &["config", "core.safecrlf", "false"]);
        write(dir.path(), ".gitattributes", attributes);
        FILES.iter().for_each(|(name, text)| write(dir.path(), name, &text.replace('\n', "\r\n")));
        commit(dir.path());
        // Also with a strategy that makes new files.
        for (name, strategy) in [("one", "defer-import"), ("two", "extract-utility-module")] {
            let args = ["--apply", "--branch", name, "--strategy", strategy];
            let output = cyclefix(dir.path(), &args);
            assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
            let (_folder, tree) = checked_out(dir.path(), name);
            let read = |name: &str| fs::read_to_string(tree.join(name)).unwrap();
            let converted = autocrlf != "input";
            let ends = |text: &str| text.matches('\n').count() == text.matches("\r\n").count();
            assert_eq!(ends(&read("b.py")) && ends(&read("a.py")), converted, "{attributes} {autocrlf}");
            let stat = git(dir.path(), &["diff", "--numstat", "main", name]);
            assert!(stat.lines().all(|line| line.split('\t').nth(1).unwrap().parse::<usize>().unwrap() < 6), "{stat}");
        }
    }
}

#[cfg(unix)]
#[test]
fn modes_links_and_other_files_are_kept() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let dir = repository();
    for name in ["a.py", "b.py"] {
        fs::set_permissions(dir.path().join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    symlink("a.py", dir.path().join("link.py")).unwrap();
    symlink("/etc", dir.path().join("away")).unwrap();
    fs::write(dir.path().join("picture.png"), [0u8, 255, 1]).unwrap();
    commit(dir.path());
    branch(dir.path(), &[]);
    let modes = |name: &str| git(dir.path(), &["ls-tree", "-r", "--format=%(objectmode) %(path)", name]);
    assert_eq!(modes("fix/cycles"), modes("main"));
    assert!(modes("main").contains("100755 a.py\n120000 away\n100755 b.py\n120000 link.py\n"));
    let changed = git(dir.path(), &["diff", "--name-only", "main", "fix/cycles"]);
    assert!(changed.lines().all(|line| line.ends_with(".py") && line != "link.py"), "{changed}");
}

#[test]
fn bare_and_sparse_repositories_and_work_trees_are_read() {
    let dir = repository();
    let folder = tempfile::tempdir().unwrap();
    let bare = folder.path().join("bare.git");
    git(dir.path(), &["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
    git(&bare, &["config", "user.name", "Ada"]);
    git(&bare, &["config", "user.email", "ada@example.com"]);
    branch(folder.path(), &["bare.git"]);
    assert_eq!(git(&bare, &["rev-list", "--count", "main..fix/cycles"]), "2\n");
    git(&bare, &["fsck", "--strict", "--no-dangling"]);
    git(&bare, &["branch", "-D", "fix/cycles"]);
    branch(folder.path(), &["bare.git/p"]);
    refused(folder.path(), &["bare.git"], &["is a bare repository: nothing is checked out there"]);
    assert_eq!(git(&bare, &["diff", "--name-only", "main", "fix/cycles"]).matches("p/").count(), 1);

    let (_folder, tree) = checked_out(dir.path(), "main");
    git(&tree, &["sparse-checkout", "set", "p"]);
    git(&tree, &["sparse-checkout", "set", "--no-cone", "/p/"]);
    assert!(!tree.join("a.py").exists());
    let output = branch(&tree, &[]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!said.contains("warning"), "{said}");
    assert_eq!(git(&tree, &["rev-list", "--count", "main..fix/cycles"]), "2\n");
    assert!(!tree.join("a.py").exists());
    branch(&tree, &["--force-branch", "a.py"]);
}

#[test]
fn submodules_are_read_and_left_alone() {
    let (dir, other) = (repository(), empty());
    write(other.path(), "inner.py", "import b\n\nprint(b.a)\n");
    write(other.path(), "inner2.py", "from inner3 import x\n");
    write(other.path(), "inner3.py", "import inner2\n\nx = 1\n");
    commit(other.path());
    let url = other.path().to_str().unwrap();
    git(dir.path(), &["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", url, "sub"]);
    commit(dir.path());
    let output = cyclefix(dir.path(), &[&BRANCH[..], &["--source-root", ".", "--source-root", "sub"]].concat());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("sub: a submodule: read, but left alone"), "{said}");
    assert_eq!(git(dir.path(), &["rev-parse", "main:sub"]), git(dir.path(), &["rev-parse", "fix/cycles:sub"]));
    let changed = git(dir.path(), &["diff", "--name-only", "main", "fix/cycles"]);
    assert!(!changed.contains("sub") && changed.contains("p/"), "{changed}");
    git(dir.path(), &["submodule", "--quiet", "deinit", "-f", "sub"]);
    fs::remove_dir_all(dir.path().join(".git/modules")).unwrap();
    let output = branch(dir.path(), &["--force-branch"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("sub: a submodule that is not checked out: not read"), "{said}");
}

#[cfg(unix)]
#[test]
fn an_interrupt_clears_up() {
    let (dir, scratch) = (empty(), tempfile::tempdir().unwrap());
    for n in 0..300 {
        let rename = |text: &str| text.replace("p.c", &format!("p.c{n}")).replace("p.d", &format!("p.d{n}"));
        write(dir.path(), &format!("p/c{n}.py"), &rename(FILES[3].1));
        write(dir.path(), &format!("p/d{n}.py"), &rename(FILES[4].1));
    }
    write(dir.path(), "p/__init__.py", "");
    commit(dir.path());
    let before = state(dir.path());
    for (signal, args) in [("-INT", &BRANCH[..]), ("-TERM", &BRANCH[..]), ("-HUP", &["--patches", "patches"][..])] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cyclefix"));
        quiet(&mut command);
        command.args(args).arg("--jobs=1").current_dir(dir.path()).env("TMPDIR", scratch.path());
        let child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
        // The copy of the commit is begun.
        while fs::read_dir(scratch.path()).unwrap().next().is_none() {
            std::thread::yield_now();
        }
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{signal}: {said}");
        assert!(said.contains("error: interrupted\nhint: nothing was changed\n"), "{signal}: {said}");
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0, "{signal}");
        assert_eq!(state(dir.path()), before);
        assert_eq!(git(dir.path(), &["branch", "--list", "fix/cycles"]), "");
    }
}

#[test]
fn a_preview_makes_no_branch() {
    let dir = repository();
    git(dir.path(), &["commit", "-q", "--allow-empty", "-m", "later"]);
    git(dir.path(), &["branch", "fix/cycles", "HEAD~1"]);
    let before = git(dir.path(), &["for-each-ref"]);
    for action in [&["--check"][..], &["--dry-run"], &["--batch", "--check"], &["--batch", "--dry-run"]] {
        for name in [&["--branch", "new"][..], &["--branch", "fix/cycles", "--force-branch"]] {
            let output = cyclefix(dir.path(), &[action, name].concat());
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{action:?}: {said}");
            assert!(said.contains("required arguments were not provided:\n  --apply\n"), "{said}");
            assert_eq!(git(dir.path(), &["for-each-ref"]), before, "{action:?} {name:?}");
        }
    }
}

#[test]
fn projects_of_one_repository_share_a_branch() {
    let dir = empty();
    for project in ["one", "two"] {
        write(dir.path(), &format!("{project}/pyproject.toml"), "");
        FILES.iter().take(2).for_each(|(name, text)| write(dir.path(), &format!("{project}/{name}"), text));
    }
    commit(dir.path());
    branch(dir.path(), &["one", "two"]);
    let log = git(dir.path(), &["log", "--name-only", "--format=", "main..fix/cycles"]);
    assert!(log.lines().count() == 2 && log.contains("one/") && log.contains("two/"), "{log}");
    branch(dir.path(), &["one", "two", "--force-branch", "--commits", "one"]);
    assert_eq!(git(dir.path(), &["log", "--format=%s", "main..fix/cycles"]), "Dissolve 2 import cycles\n");
}
