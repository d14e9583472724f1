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

/// A command that runs `program` as somebody whom permissions bind: the superuser reads everything. `dir` is opened to all.
#[cfg(unix)]
pub fn bound(dir: &Path, program: &str) -> Command {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    let mode = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let own = dir.join(".program");
    fs::copy(program, &own).unwrap();
    mode(&own, 0);
    let is_superuser = fs::File::open(&own).is_ok();
    mode(&own, 0o755);
    mode(dir, 0o755);
    let mut command = Command::new(own);
    quiet(&mut command);
    if is_superuser {
        command.uid(65534).gid(65534);
    }
    command.current_dir(dir);
    command
}

/// Runs git; gives stdout.
pub fn git(dir: &Path, args: &[&str]) -> String {
    let mut command = Command::new("git");
    quiet(&mut command);
    let output = command.args(args).current_dir(dir).output().unwrap();
    assert!(output.status.success(), "{args:?} {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
