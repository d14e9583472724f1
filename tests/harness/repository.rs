//! Files and git repositories of tests. Each test uses some of it.
#![allow(dead_code)]

use std::fs;
use std::path::Path;
use std::process::Command;

/// Writes a file, with the folders above it.
pub fn write(dir: &Path, name: &str, text: &str) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Takes the user's own git settings out of a command's sight.
pub fn quiet(command: &mut Command) {
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").env("HOME", "/nonexistent");
    for name in ["NAME", "EMAIL", "DATE"] {
        command.env_remove(format!("GIT_AUTHOR_{name}")).env_remove(format!("GIT_COMMITTER_{name}"));
    }
}

/// Runs git; gives stdout.
pub fn git(dir: &Path, args: &[&str]) -> String {
    let mut command = Command::new("git");
    quiet(&mut command);
    let output = command.args(args).current_dir(dir).output().unwrap();
    assert!(output.status.success(), "{args:?} {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
