//! What README.md shows is what the tool does.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

const README: &str = include_str!("../README.md");

/// Runs cyclefix on the example project; gives stdout.
fn on_tangle(args: &[&str]) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/tangle");
    let output = Command::new(env!("CARGO_BIN_EXE_cyclefix")).args(args).current_dir(folder).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_diff_is_real() {
    let shown = README.split("```diff\n").nth(1).unwrap().split("```").next().unwrap();
    // From the top of the repository, paths lead to the example; without one, they start in it.
    let bare = |diff: &str| diff.replace("examples/tangle/", "");
    assert_eq!(bare(shown), bare(&on_tangle(&["--dry-run", "--quiet"])));
}

#[test]
fn the_crash_is_real() {
    let shown =
        README.split("```text\n").find(|part| part.starts_with("  crash: ")).unwrap().split("```").next().unwrap();
    let bare = |text: &str| text.replace("examples/tangle/", "");
    let report = bare(&on_tangle(&["--quiet"]));
    assert!(report.contains(&bare(shown)), "{report}");
}

#[test]
fn every_option_is_named() {
    let help = on_tangle(&["--help"]);
    for word in help.split_whitespace().filter(|w| w.starts_with("--") && w.len() > 2) {
        let option = word.trim_end_matches([',', '.', ')']);
        assert!(matches!(option, "--help" | "--version") || README.contains(option), "{option}");
    }
}

#[test]
fn every_reason_is_named() {
    let reasons = include_str!("../src/strategy/reason.rs");
    let ids = reasons.lines().filter_map(|line| line.split_once("=> \"")?.1.split('"').next());
    let mut count = 0;
    for id in ids {
        assert!(README.contains(&format!("| `{id}` |")), "{id}");
        count += 1;
    }
    assert!(count > 10);
}

#[test]
fn the_settings_are_known() {
    let folder = tempfile::tempdir().unwrap();
    let settings = README.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    std::fs::create_dir(folder.path().join("src")).unwrap();
    std::fs::write(folder.path().join("pyproject.toml"), settings).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_cyclefix")).current_dir(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}
