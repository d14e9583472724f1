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
        "--branch",
        "--commits",
        "--force-branch",
        "--patches",
        "--split-by",
        "--max-files",
        "--batch",
        "--separate",
        "--state",
        "--baseline",
        "--update-baseline",
        "--show-settings",
        "--settings-schema",
        "--completions",
        "--man-page",
        "--graph",
        "--html",
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
    // A release build names its commit, too.
    let version = text(&output.stdout).strip_prefix(concat!("cyclefix ", env!("CARGO_PKG_VERSION"))).unwrap();
    let commit = version.strip_prefix(" (").and_then(|rest| rest.strip_suffix(")\n"));
    assert!(version == "\n" || commit.is_some_and(|id| id.bytes().all(|b| b.is_ascii_hexdigit())), "{version}");
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

#[test]
fn completions_and_the_manual_name_the_options() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = cyclefix(&["--completions", shell], &[]);
        assert_eq!(output.status.code(), Some(0));
        assert!(text(&output.stdout).contains("force-branch"), "{shell}");
    }
    let output = cyclefix(&["--man-page"], &[]);
    let page = text(&output.stdout);
    assert!(page.contains(".TH cyclefix 1") && page.contains("force\\-branch"), "{page}");
    assert!(refused(&["--completions", "csh"]).contains("fish"));
}

#[test]
fn the_settings_that_are_shown_are_settings_that_say_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let show = |args: &[&str]| {
        let args = [&["--show-settings", folder.path().to_str().unwrap()], args].concat();
        let output = cyclefix(&args, &[]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stdout).to_owned()
    };
    write("a.py", "");
    write(
        "pyproject.toml",
        "[project]\nrequires-python = '>=3.11'\n[tool.ruff.lint.flake8-type-checking]\n\
         runtime-evaluated-decorators = ['x.y']\n[tool.cyclefix]\nkeep = ['a -> b.*']\ncosts.defer-import = 7\n",
    );
    let first = show(&["--level", "all", "--exclude", "x"]);
    for line in [
        "level = \"all\"",
        "exclude = [\"x\"]",
        "keep = [\"a -> b.*\"]",
        "target-version = \"3.11\"",
        "runtime-evaluated-decorators = [\"x.y\"]",
        "\"defer-import/lazy\" = 7",
        "merge-modules = 90",
    ] {
        assert!(first.lines().any(|l| l == line), "{line}\n{first}");
    }
    write("cyclefix.toml", &first);
    let second = show(&[]);
    let settings = |text: &str| text.lines().filter(|l| !l.starts_with('#')).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(settings(&first), settings(&second));
    assert!(second.contains("cyclefix.toml\n") && first.contains("pyproject.toml\n"));

    let schema: serde_json::Value = serde_json::from_slice(&cyclefix(&["--settings-schema"], &[]).stdout).unwrap();
    let shown: toml::Value = toml::from_str(&second).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(validator.is_valid(&serde_json::to_value(shown).unwrap()), "{second}");
}
