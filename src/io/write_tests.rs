//! What must hold when a write fails or is killed at any step.
#![allow(clippy::unwrap_used)]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;

type Tree = BTreeMap<String, Vec<u8>>;

fn change(path: &str, before: Option<&str>, after: Option<&str>) -> FileChange {
    FileChange { path: path.into(), before: before.map(Into::into), after: after.map(Into::into) }
}

fn changes() -> Vec<FileChange> {
    vec![
        change("a.py", Some("a\r\n"), Some("A\r\n")),
        change("gone.py", Some("gone\n"), None),
        change("new/deep/n.py", None, Some("n\n")),
        change("pkg/b.py", Some("b"), Some("B")),
    ]
}

/// A project as it is before `changes`.
fn project() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("pkg")).unwrap();
    for change in changes() {
        if let Some(before) = change.before {
            fs::write(dir.path().join(change.path), before.as_bytes()).unwrap();
        }
    }
    dir
}

/// Every name below `dir`, folders too.
fn tree(dir: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut open = vec![dir.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
            let is_folder = path.is_dir();
            tree.insert(name, if is_folder { Vec::new() } else { fs::read(&path).unwrap() });
            if is_folder {
                open.push(path);
            }
        }
    }
    tree
}

fn written() -> Tree {
    let names =
        [("a.py", "A\r\n"), ("new", ""), ("new/deep", ""), ("new/deep/n.py", "n\n"), ("pkg", ""), ("pkg/b.py", "B")];
    names.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).into()
}

/// A probe that does `fault` before step `n`.
fn at_step(n: usize, fault: fn() -> io::Result<()>) -> impl Fn() -> io::Result<()> {
    let step = Cell::new(0);
    move || {
        step.set(step.get() + 1);
        if step.get() == n { fault() } else { Ok(()) }
    }
}

fn full() -> io::Result<()> {
    Err(io::ErrorKind::StorageFull.into())
}

fn kill() -> io::Result<()> {
    // Nothing of the writer runs after this, as after SIGKILL.
    std::panic::resume_unwind(Box::new("killed"))
}

#[test]
fn writes_all() {
    let dir = project();
    apply(dir.path(), &changes()).unwrap();
    assert_eq!(tree(dir.path()), written());
    assert!(!interrupted(dir.path()));
    assert_eq!(recover(dir.path()).unwrap(), None);
}

#[test]
fn a_failure_at_any_step_changes_nothing() {
    let mut steps = 0;
    for n in 1.. {
        let dir = project();
        let before = tree(dir.path());
        let result = run(&[(dir.path(), &changes())], &at_step(n, full));
        if result.is_ok() {
            steps = n - 1;
            break;
        }
        assert_eq!(tree(dir.path()), before, "step {n}");
    }
    // The journal, two folders, three texts, three backups, four replacements, the end.
    assert_eq!(steps, 14);
}

#[test]
fn a_kill_at_any_step_is_undone_by_the_next_run() {
    for n in 1..=14 {
        let dir = project();
        let before = tree(dir.path());
        let killed = catch_unwind(AssertUnwindSafe(|| run(&[(dir.path(), &changes())], &at_step(n, kill))));
        assert!(killed.is_err(), "step {n}");
        assert_eq!(interrupted(dir.path()), n > 1);
        let message = recover(dir.path()).unwrap();
        assert_eq!(message.is_some(), n > 1);
        assert_eq!(tree(dir.path()), before, "step {n}");
        apply(dir.path(), &changes()).unwrap();
        assert_eq!(tree(dir.path()), written());
    }
}

#[test]
fn a_kill_after_the_end_keeps_the_result() {
    let dir = project();
    let changes = changes();
    let mut open = Run::check(dir.path(), &changes).unwrap().begin().unwrap();
    open.stage(&|| Ok(())).unwrap();
    open.commit(&|| Ok(())).unwrap();
    open.done(&|| Ok(())).unwrap();
    drop(open);
    assert!(recover(dir.path()).unwrap().is_some_and(|message| message.contains("after it had written")));
    assert_eq!(tree(dir.path()), written());
}

#[test]
fn a_torn_journal_is_removed() {
    let dir = project();
    let before = tree(dir.path());
    fs::write(dir.path().join(super::super::journal::NAME), "{\"folders\":[],\"ent").unwrap();
    assert!(recover(dir.path()).unwrap().is_some());
    assert_eq!(tree(dir.path()), before);
}

#[test]
fn a_journal_from_elsewhere_reaches_nothing_outside() {
    let dir = project();
    let outer = tree(dir.path());
    let root = dir.path().join("pkg");
    for path in ["../a.py", "/etc/passwd", "", "x/../../a.py"] {
        let entry = |temp: &str| {
            format!(
                "{{\"folders\":[],\"entries\":[{{\"path\":{path:?},\"temp\":{temp:?},\"backup\":\".cyclefix-1\",\
                 \"existed\":false,\"after\":\"{}\"}}]}}\n",
                blob_id(b"a\r\n")
            )
        };
        fs::write(root.join(super::super::journal::NAME), entry(".cyclefix-2")).unwrap();
        assert!(matches!(recover(&root), Err(WriteError::Journal { .. })), "{path}");
        fs::write(root.join(super::super::journal::NAME), entry("b.py")).unwrap();
        assert!(matches!(recover(&root), Err(WriteError::Journal { .. })), "{path}");
        fs::remove_file(root.join(super::super::journal::NAME)).unwrap();
    }
    assert_eq!(tree(dir.path()), outer);
}

#[test]
fn an_edit_after_a_kill_is_not_lost() {
    let dir = project();
    let all = [(dir.path(), &changes()[..])];
    assert!(catch_unwind(AssertUnwindSafe(|| run(&all, &at_step(14, kill)))).is_err());
    let edited = dir.path().join("a.py");
    fs::write(&edited, "mine\n").unwrap();
    let Err(WriteError::Recover(error)) = recover(dir.path()) else { panic!("the edit was taken for ours") };
    let WriteError::Edited { backup, .. } = *error else { panic!("{error}") };
    assert!(interrupted(dir.path()));
    // As the hint says: the user keeps the edit.
    fs::remove_file(backup).unwrap();
    recover(dir.path()).unwrap();
    assert_eq!(fs::read(edited).unwrap(), b"mine\n");
    assert_eq!(fs::read(dir.path().join("pkg/b.py")).unwrap(), b"b");
    assert!(!interrupted(dir.path()));
}

#[test]
fn two_projects_are_written_as_one() {
    let (one, two) = (project(), project());
    let before = tree(one.path());
    let changes = changes();
    let all = [(one.path(), &changes[..]), (two.path(), &changes[..])];
    // The last replacement of the second project.
    assert!(run(&all, &at_step(26, full)).is_err());
    assert_eq!((tree(one.path()), tree(two.path())), (before.clone(), before));
    run(&all, &|| Ok(())).unwrap();
    assert_eq!((tree(one.path()), tree(two.path())), (written(), written()));
}

#[test]
fn two_runs_at_once_are_refused() {
    let dir = project();
    let changes = changes();
    let open = Run::check(dir.path(), &changes).unwrap().begin().unwrap();
    assert!(matches!(recover(dir.path()), Err(WriteError::Busy { .. })));
    assert!(matches!(apply(dir.path(), &changes), Err(WriteError::Busy { .. })));
    open.journal.undo().unwrap();
    apply(dir.path(), &changes).unwrap();
}

fn is_refused(dir: &Path, changes: &[FileChange]) -> WriteError {
    let before = tree(dir);
    let error = apply(dir, changes).unwrap_err();
    assert_eq!(tree(dir), before);
    error
}

#[test]
fn a_file_that_changed_meanwhile_is_kept() {
    let dir = project();
    fs::write(dir.path().join("pkg/b.py"), "edited").unwrap();
    assert!(matches!(is_refused(dir.path(), &changes()), WriteError::Changed(_)));
    fs::remove_file(dir.path().join("pkg/b.py")).unwrap();
    assert!(matches!(is_refused(dir.path(), &changes()), WriteError::Changed(_)));
}

#[test]
fn a_new_file_replaces_none() {
    let dir = project();
    fs::create_dir_all(dir.path().join("new/deep")).unwrap();
    fs::write(dir.path().join("new/deep/n.py"), "theirs").unwrap();
    assert!(matches!(is_refused(dir.path(), &changes()), WriteError::Exists(_)));
}

#[test]
fn a_target_that_turns_into_a_folder_undoes_the_rest() {
    let dir = project();
    let target = dir.path().join("pkg/b.py");
    let count = Cell::new(0);
    let probe = || {
        count.set(count.get() + 1);
        // Before the last file is replaced, after it was compared.
        if count.get() == 13 {
            fs::remove_file(&target)?;
            fs::create_dir(&target)?;
        }
        Ok(())
    };
    let error = run(&[(dir.path(), &changes())], &probe).unwrap_err();
    assert!(error.hint().is_some());
    // That one cannot be put back; its old text is kept, and so is the journal.
    assert!(matches!(error, WriteError::Undo { .. }), "{error}");
    assert_eq!(fs::read(dir.path().join("a.py")).unwrap(), b"a\r\n");
    assert!(interrupted(dir.path()));
    fs::remove_dir(&target).unwrap();
    recover(dir.path()).unwrap_err();
    let backup = fs::read_dir(dir.path().join("pkg")).unwrap().next().unwrap().unwrap().path();
    fs::rename(backup, &target).unwrap();
    recover(dir.path()).unwrap();
    assert_eq!(tree(dir.path()), tree(project().path()));
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn modes_are_kept() {
        let dir = project();
        set_mode(&dir.path().join("a.py"), 0o755);
        set_mode(&dir.path().join("pkg/b.py"), 0o600);
        apply(dir.path(), &changes()).unwrap();
        assert_eq!((mode(&dir.path().join("a.py")), mode(&dir.path().join("pkg/b.py"))), (0o755, 0o600));
    }

    #[test]
    fn what_is_read_only_is_refused() {
        let dir = project();
        let file = dir.path().join("gone.py");
        set_mode(&file, 0o444);
        assert!(matches!(is_refused(dir.path(), &changes()), WriteError::ReadOnly(_)));
        set_mode(&file, 0o644);
        set_mode(&dir.path().join("pkg"), 0o555);
        assert!(matches!(is_refused(dir.path(), &changes()), WriteError::ReadOnly(_)));
        set_mode(&dir.path().join("pkg"), 0o755);
    }

    #[test]
    fn links_stay_links_and_lead_nowhere_else() {
        let dir = project();
        fs::rename(dir.path().join("a.py"), dir.path().join("pkg/real.py")).unwrap();
        symlink("pkg/real.py", dir.path().join("a.py")).unwrap();
        apply(dir.path(), &changes()).unwrap();
        assert!(dir.path().join("a.py").is_symlink());
        assert_eq!(fs::read(dir.path().join("pkg/real.py")).unwrap(), b"A\r\n");

        let (dir, other) = (project(), project());
        fs::remove_dir_all(dir.path().join("pkg")).unwrap();
        symlink(other.path().join("pkg"), dir.path().join("pkg")).unwrap();
        assert!(matches!(is_refused(dir.path(), &changes()), WriteError::Outside(_)));
        let up = [change("../x.py", None, Some("x"))];
        assert!(matches!(is_refused(&other.path().join("pkg"), &up), WriteError::Outside(_)));
    }

    #[test]
    fn one_file_by_two_names_is_refused() {
        let dir = project();
        symlink("a.py", dir.path().join("c.py")).unwrap();
        let twice = [change("a.py", Some("a\r\n"), Some("A")), change("c.py", Some("a\r\n"), Some("C"))];
        assert!(matches!(is_refused(dir.path(), &twice), WriteError::Twice(_)));
    }
}
