//! The command line by the built binary, as far as it does not depend on what is found.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

use std::process::{Command, Output};

fn cyclefix(args: &[&str], env: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cyclefix"));
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command.args(args).envs(env.iter().copied()).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Asserts that the run is refused as bad usage, with nothing on stdout; gives stderr.
fn refused(args: &[&str]) -> String {
    let output = cyclefix(args, &[]);
    assert_eq!(output.status.code(), Some(2), "{args:?}");
    assert_eq!(text(&output.stdout), "");
    let message = text(&output.stderr).to_owned();
    assert!(message.starts_with("error: "), "{message}");
    message
}

#[test]
fn help_names_every_option_and_the_exit_codes() {
    let output = cyclefix(&["--help"], &[]);
    assert_eq!(output.status.code(), Some(0));
    let help = text(&output.stdout);
    for part in [
        "--check",
        "--dry-run",
        "--apply",
        "--level",
        "--strategy",
        "--target-version",
        "--unsafe-fixes",
        "--verify",
        "--python",
        "explain",
        "--allow-dirty",
        "--exclude",
        "--source-root",
        "--config",
        "--jobs",
        "--format",
        "--quiet",
        "--no-progress",
        "--color",
        "Examples:",
        "Exit codes:",
        "git apply",
        "defer-import",
    ] {
        assert!(help.contains(part), "{part}\n{help}");
    }
    assert!(!help.contains("sabotage"));
    assert!(!help.contains('\u{1b}'));
    assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
    assert!(cyclefix(&["-h"], &[]).stdout.len() < help.len());
}

#[test]
fn version_is_that_of_the_package() {
    let output = cyclefix(&["--version"], &[]);
    assert_eq!(text(&output.stdout), concat!("cyclefix ", env!("CARGO_PKG_VERSION"), "\n"));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn actions_exclude_each_other() {
    for args in [["--check", "--apply"], ["--dry-run", "--apply"], ["--check", "--dry-run"]] {
        assert!(refused(&args).contains("cannot be used with"));
    }
}

#[test]
fn bad_values_name_the_good_ones() {
    assert!(refused(&["--strategy", "defer-imports"]).contains("'defer-import'"));
    assert!(refused(&["--strategy", "unused-import,nothing"]).contains("nothing"));
    assert!(refused(&["--strategy", ""]).contains("--strategy"));
    assert!(refused(&["--level", "eagre"]).contains("'eager'"));
    assert!(refused(&["--format", "yaml"]).contains("json"));
    assert!(refused(&["--color", "bogus"]).contains("never"));
    assert!(refused(&["--jobs", "0"]).contains("--jobs"));
    assert!(refused(&["--appply"]).contains("'--apply'"));
    for version in ["2.7", "3", "3.5", "3.21", "3.+9", "3.9.1", "py39", ""] {
        assert!(refused(&["--target-version", version]).contains("from 3.6 to 3.20"), "{version}");
    }
}

#[test]
fn a_path_that_is_not_there_is_named() {
    let message = refused(&["no/such/folder"]);
    assert!(message.contains("no/such/folder"), "{message}");
    assert!(message.contains("\nhint: "), "{message}");
    assert!(!message.contains('\u{1b}'));
}

#[test]
fn errors_are_coloured_as_asked() {
    let is_coloured = |args: &[&str], env: &[(&str, &str)]| {
        let output = cyclefix(&[args, &["no/such/folder"]].concat(), env);
        output.stderr.contains(&0x1b)
    };
    assert!(is_coloured(&["--color", "always"], &[]));
    assert!(is_coloured(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(is_coloured(&["--color", "always"], &[("NO_COLOR", "1")]));
    assert!(!is_coloured(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!is_coloured(&[], &[("NO_COLOR", "1"), ("TERM", "xterm")]));
    assert!(!is_coloured(&["--color", "auto"], &[("TERM", "xterm")]));
}
