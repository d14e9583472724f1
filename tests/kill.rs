//! A run of `--apply` that is killed at any moment: afterwards the files are the old ones or the new ones, never some of each; if
//! the kill came while they were being replaced, the next run says so and puts that right.
//!
//! `CYCLEFIX_KILLS` says how often; a few times unless set.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used, clippy::print_stderr)]

#[path = "harness/repository.rs"]
mod repository;

use std::collections::BTreeMap;
use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use repository::write;

/// Cycles of the project; each is three files after the rewrite.
const CYCLES: usize = 30;

fn project(dir: &Path) {
    write(dir, "pyproject.toml", "");
    for n in 0..CYCLES {
        let package = format!("p{n}");
        write(dir, &format!("{package}/__init__.py"), "");
        write(dir, &format!("{package}/a.py"), &format!("from {package}.b import f\n\n\ndef g():\n    return f()\n"));
        let text =
            format!("import {package}.a\n\n\ndef f():\n    return 1\n\n\ndef h():\n    return {package}.a.g()\n");
        write(dir, &format!("{package}/b.py"), &text);
    }
}

fn command(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cyclefix"));
    command.arg("--strategy=extract-utility-module").args(args).current_dir(dir);
    command
}

fn run(dir: &Path, args: &[&str]) -> Output {
    command(dir, args).output().unwrap()
}

/// All files, those that a run has beside the code included.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => all.extend(files(&path)),
            false => drop(all.insert(path.clone(), fs::read(&path).unwrap())),
        }
    }
    all
}

fn rounds() -> usize {
    std::env::var("CYCLEFIX_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(8)
}

/// A number below `limit` by chance.
fn random(limit: u64) -> u64 {
    RandomState::new().build_hasher().finish() % limit
}

/// Runs `args` on the project, to the end and killed again and again.
fn killed(args: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("project");
    project(&dir);
    let old = files(&dir);
    let start = Instant::now();
    assert_eq!(run(&dir, args).status.code(), Some(0));
    let duration = start.elapsed();
    let new = files(&dir);
    assert_eq!(new.len(), old.len() + CYCLES);
    let (mut repaired, mut at_old, mut at_new) = (0, 0, 0);
    for _ in 0..rounds() {
        fs::remove_dir_all(&dir).unwrap();
        project(&dir);
        let mut child = command(&dir, args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_micros(random(duration.as_micros() as u64)));
        child.kill().unwrap();
        child.wait().unwrap();
        let now = files(&dir);
        if now == old {
            at_old += 1;
        } else if now == new {
            at_new += 1;
        }
        if now != old && now != new {
            // A run that writes nothing says so and leaves it.
            let check = run(&dir, &["--check"]);
            let said = String::from_utf8(check.stderr).unwrap();
            assert!(said.contains("was interrupted; the next one undoes it first"), "{said}");
            assert_eq!(files(&dir), now);
            let next = run(&dir, args);
            let said = String::from_utf8(next.stderr).unwrap();
            assert!(said.contains("an earlier run was interrupted"), "{said}");
            assert_eq!(next.status.code(), Some(0), "{said}");
            repaired += 1;
        } else {
            assert_eq!(run(&dir, args).status.code(), Some(0));
        }
        assert_eq!(files(&dir), new);
    }
    eprintln!("{args:?}: {at_old} as before, {at_new} as after, {repaired} repaired");
}

#[test]
fn files_are_the_old_ones_or_the_new_ones() {
    killed(&["--apply"]);
    killed(&["--batch", "--apply"]);
}
