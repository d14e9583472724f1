//! The command line from the first byte read to the last one written, on a project with one cycle.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const A: &str = "from b import f\r\n\r\n\r\ndef g():\r\n    return f()\r\n";
/// So that no file comes new.
const DEFER: &str = "--strategy=defer-import";
const B: &str = "import a\n\n\ndef f():\n    return 1\n\n\ndef h():\n    return a.g()\n";

/// A git repository with the cycle `a -> b -> a`, committed.
fn project() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.py"), A).unwrap();
    fs::write(dir.path().join("b.py"), B).unwrap();
    git(dir.path(), &["init", "-q"], b"");
    git(dir.path(), &["-c", "core.autocrlf=false", "add", "."], b"");
    git(dir.path(), &["-c", "user.name=n", "-c", "user.email=e@e", "commit", "-qm", "c", "--no-verify"], b"");
    dir
}

fn git(dir: &Path, args: &[&str], input: &[u8]) {
    let mut child = Command::new("git").args(args).current_dir(dir).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    assert!(child.wait().unwrap().success(), "{args:?} {}", String::from_utf8_lossy(input));
}

fn cyclefix(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cyclefix")).args(args).current_dir(dir).output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn sources(dir: &Path) -> [String; 2] {
    ["a.py", "b.py"].map(|name| fs::read_to_string(dir.join(name)).unwrap())
}

fn is_untouched(dir: &Path) -> bool {
    let mut names: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    sources(dir) == [A, B] && names == [".git", "a.py", "b.py"]
}

#[test]
fn check_explains_and_writes_nothing() {
    let dir = project();
    let output = cyclefix(dir.path(), &[]);
    let report = text(&output.stdout);
    assert_eq!(code(&output), 1);
    assert!(report.contains("cycle 1 of 1: 2 modules"), "{report}");
    assert!(report.contains("a -> b -> a") && report.contains("a.py:1"), "{report}");
    assert!(
        report.ends_with("1 cycle, 2 modules\nsee what would dissolve them with --dry-run, write it with --apply\n"),
        "{report}"
    );
    assert_eq!(text(&output.stderr), "");
    assert!(!report.contains('\u{1b}'));
    assert!(is_untouched(dir.path()));
    assert_eq!(output.stdout, cyclefix(dir.path(), &["--check", "."]).stdout);
    assert!(text(&cyclefix(dir.path(), &["--color", "always"]).stdout).contains('\u{1b}'));
}

#[test]
fn dry_run_through_git_is_apply() {
    let (dry, applied) = (project(), project());
    let output = cyclefix(dry.path(), &["--dry-run", DEFER]);
    assert_eq!(code(&output), 1);
    assert!(is_untouched(dry.path()));
    assert!(text(&output.stderr).contains("planned a -> b -> a (2 modules)"), "{}", text(&output.stderr));
    assert_eq!(text(&cyclefix(dry.path(), &["--dry-run", DEFER, "--quiet", "--color", "always"]).stderr), "");
    git(dry.path(), &["-c", "core.autocrlf=false", "apply", "--whitespace=nowarn", "-"], &output.stdout);

    let output = cyclefix(applied.path(), &["--apply", DEFER]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("1 cycle, 2 modules; 1 dissolved"), "{}", text(&output.stdout));
    assert_eq!(sources(dry.path()), sources(applied.path()));
    assert_ne!(sources(dry.path()), [A, B]);

    let again = cyclefix(applied.path(), &["--apply", DEFER]);
    assert_eq!((code(&again), text(&again.stdout)), (0, "no import cycles in 2 modules\n".into()));
    assert_eq!(sources(dry.path()), sources(applied.path()));
}

#[test]
fn apply_wants_a_clean_tree() {
    let dir = project();
    let edited = format!("{B}x = 1\n");
    fs::write(dir.path().join("b.py"), &edited).unwrap();
    let output = cyclefix(dir.path(), &["--apply"]);
    assert_eq!((code(&output), text(&output.stdout)), (2, String::new()));
    let message = text(&output.stderr);
    assert!(
        message.starts_with("error: uncommitted changes: b.py\nhint: ") && message.contains("--allow-dirty"),
        "{message}"
    );
    assert_eq!(sources(dir.path()), [A.to_owned(), edited]);
    assert_eq!(code(&cyclefix(dir.path(), &["--apply", "--allow-dirty"])), 0);
}

#[test]
fn apply_counts_untracked_files_that_it_would_write() {
    let dir = project();
    fs::remove_dir_all(dir.path().join(".git")).unwrap();
    git(dir.path(), &["init", "-q"], b"");
    assert_eq!(code(&cyclefix(dir.path(), &["--apply"])), 2);
    assert!(is_untouched(dir.path()));
    fs::remove_dir_all(dir.path().join(".git")).unwrap();
    assert_eq!(code(&cyclefix(dir.path(), &["--apply"])), 0);
}

#[test]
fn json_fits_its_schema_in_every_action() {
    let schema = serde_json::from_str(include_str!("../schema/report.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let dir = project();
    let actions = [("--check", "found", 1, 1), ("--dry-run", "planned", 1, 0), ("--apply", "fixed", 0, 0)];
    for (action, status, exit, left) in actions {
        let output = cyclefix(dir.path(), &[action, "--format", "json"]);
        assert_eq!(code(&output), exit);
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
        assert_eq!(report["projects"][0]["cycles"][0]["status"], status);
        assert_eq!(report["summary"]["left"], left);
    }
}

#[test]
fn a_closed_pipe_is_quiet() {
    let dir = project();
    for args in [["--check", "."], ["--dry-run", "."], ["--format", "json"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cyclefix"));
        command.args(args).arg("--quiet").current_dir(dir.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!((code(&output), text(&output.stderr)), (1, String::new()));
    }
}

#[test]
fn a_killed_run_is_reported_and_undone() {
    let dir = project();
    // The journal of a run that was killed before it replaced a file.
    let journal = "{\"folders\":[],\"entries\":[{\"path\":\"a.py\",\"temp\":\".cyclefix-1-0.tmp\",\
                   \"backup\":\".cyclefix-1-0.bak\",\"existed\":true,\"after\":null}]}\n";
    fs::write(dir.path().join(".cyclefix-journal"), journal).unwrap();
    fs::write(dir.path().join(".cyclefix-1-0.tmp"), "half").unwrap();
    let output = cyclefix(dir.path(), &[]);
    assert!(text(&output.stderr).contains("was interrupted"), "{}", text(&output.stderr));
    let output = cyclefix(dir.path(), &["--apply", DEFER]);
    assert!(text(&output.stderr).contains("was interrupted"), "{}", text(&output.stderr));
    assert_eq!(code(&output), 0);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3);
}

#[cfg(unix)]
#[test]
fn a_read_only_file_stops_the_run_before_it_writes() {
    use std::os::unix::fs::PermissionsExt;
    let dir = project();
    for name in ["a.py", "b.py"] {
        fs::set_permissions(dir.path().join(name), fs::Permissions::from_mode(0o444)).unwrap();
    }
    let output = cyclefix(dir.path(), &["--apply", "--allow-dirty"]);
    assert_eq!(code(&output), 2);
    let message = text(&output.stderr);
    assert!(message.contains("is read-only\nhint: "), "{message}");
    assert!(is_untouched(dir.path()));
}
