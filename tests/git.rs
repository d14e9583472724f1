//! What counts as uncommitted.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

#[path = "harness/repository.rs"]
mod repository;

use std::fs;

use cyclefix::io::git::{dirty, prefix};

use repository::{git, write};

/// A repository with two projects, `[x]sub` and `[x]sub2`.
fn repository() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for name in ["[x]sub/a.py", "[x]sub/b.py", "[x]sub2/c.py"] {
        write(dir.path(), name, "x = 1\n");
    }
    write(dir.path(), ".gitignore", "ignored.py\n");
    git(dir.path(), &["init", "-q"]);
    git(dir.path(), &["add", "."]);
    git(dir.path(), &["-c", "user.name=n", "-c", "user.email=e@e", "commit", "-qm", "c", "--no-verify"]);
    dir
}

#[test]
fn only_changes_below_the_root_count() {
    let dir = repository();
    let root = dir.path().join("[x]sub");
    let none: Vec<String> = Vec::new();
    assert_eq!(dirty(&root, &["a.py".into()]).unwrap(), none);
    write(dir.path(), "[x]sub2/c.py", "x = 2\n");
    write(dir.path(), "x/c.py", "x = 2\n");
    assert_eq!(dirty(&root, &["a.py".into()]).unwrap(), none);
    assert_eq!(dirty(dir.path(), &[]).unwrap(), ["[x]sub2/c.py"]);

    write(&root, "a.py", "x = 2\n");
    write(&root, "b.py", "x = 2\n");
    git(&root, &["add", "b.py"]);
    assert_eq!(dirty(&root, &[]).unwrap(), ["[x]sub/a.py", "[x]sub/b.py"]);
}

#[test]
fn untracked_files_count_if_they_are_written() {
    let dir = repository();
    write(dir.path(), "u.py", "");
    write(dir.path(), "new folder/u.py", "");
    write(dir.path(), "ignored.py", "");
    assert_eq!(dirty(dir.path(), &[]).unwrap(), Vec::<String>::new());
    let touched = ["u.py", "new folder/u.py", "ignored.py", "missing.py"].map(String::from);
    assert_eq!(dirty(dir.path(), &touched).unwrap(), ["ignored.py", "new folder/u.py", "u.py"]);
}

#[test]
fn repositories_below_are_asked_for_files_that_are_written() {
    let dir = repository();
    let nested = repository();
    let inside = dir.path().join("libs/own");
    fs::create_dir_all(inside.parent().unwrap()).unwrap();
    fs::rename(nested.path(), &inside).unwrap();
    let touched = ["libs/own/[x]sub/a.py".to_owned()];
    let untracked = |all: Vec<String>| all.into_iter().filter(|f| !f.ends_with("a.py")).collect::<Vec<_>>();
    assert_eq!(untracked(dirty(dir.path(), &touched).unwrap()), Vec::<String>::new());
    write(&inside, "[x]sub/b.py", "x = 2\n");
    assert_eq!(untracked(dirty(dir.path(), &touched).unwrap()), ["libs/own/[x]sub/b.py"]);
    assert_eq!(dirty(dir.path(), &[]).unwrap(), Vec::<String>::new());
}

#[test]
fn a_repository_without_a_commit_is_read() {
    let dir = tempfile::tempdir().unwrap();
    git(dir.path(), &["init", "-q"]);
    write(dir.path(), "a.py", "");
    git(dir.path(), &["add", "."]);
    assert_eq!(dirty(dir.path(), &[]).unwrap(), ["a.py"]);
}

#[test]
fn prefix_leads_from_the_top() {
    let dir = repository();
    assert_eq!(prefix(dir.path()).as_deref(), Some(""));
    write(dir.path(), "[x]sub/deep er/a.py", "");
    assert_eq!(prefix(&dir.path().join("[x]sub/deep er")).as_deref(), Some("[x]sub/deep er"));
    let alone = tempfile::tempdir().unwrap();
    assert_eq!(prefix(alone.path()), None);
    assert_eq!(dirty(alone.path(), &["a.py".into()]).unwrap(), Vec::<String>::new());
    git(alone.path(), &["init", "-q", "--bare"]);
    assert_eq!(prefix(alone.path()), None);
}
