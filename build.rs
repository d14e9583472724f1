//! Names the commit that a release is built from, for `cyclefix --version`. Other builds do not: they would be made anew
//! after each commit.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=CYCLEFIX_COMMIT");
    let set = std::env::var("CYCLEFIX_COMMIT").ok().filter(|commit| !commit.is_empty());
    let commit = set.or_else(packaged).or_else(checked_out);
    let commit = commit.map(|commit| format!(" ({})", commit.get(..10).unwrap_or(&commit))).unwrap_or_default();
    println!("cargo:rustc-env=CYCLEFIX_VERSION={}{commit}", env!("CARGO_PKG_VERSION"));
}

/// What `cargo package` notes.
fn packaged() -> Option<String> {
    let text = std::fs::read_to_string(here()?.join(".cargo_vcs_info.json")).ok()?;
    let id = text.split("\"sha1\"").nth(1)?.split('"').nth(1)?;
    id.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| id.to_owned())
}

/// The commit of the checkout, for a build of the profile `release`.
fn checked_out() -> Option<String> {
    let out = PathBuf::from(std::env::var_os("OUT_DIR")?);
    if !out.iter().any(|part| part == "release") || !here()?.join(".git").exists() {
        return None;
    }
    // HEAD changes with the branch, and its log with each commit.
    for file in ["HEAD", "logs/HEAD"] {
        let path = git(&["rev-parse", "--git-path", file])?;
        println!("cargo:rerun-if-changed={}", here()?.join(path).display());
    }
    git(&["rev-parse", "HEAD"])
}

fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).current_dir(here()?).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

fn here() -> Option<PathBuf> {
    std::env::var_os("CARGO_MANIFEST_DIR").map(|folder| Path::new(&folder).to_owned())
}
