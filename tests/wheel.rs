//! The wheel: maturin builds it, pip installs it into a fresh virtual environment, and it runs from there.
//!
//! Needs maturin (`MATURIN`, or on the path) and Python; where they are not found, the test is skipped and says so.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used, clippy::print_stderr)]

#[path = "harness/repository.rs"]
mod repository;

use std::path::Path;
use std::process::{Command, Output};

use repository::write;

/// The output of a program that is there and succeeds.
fn try_run(program: impl AsRef<std::ffi::OsStr>, args: &[&str]) -> Option<Output> {
    Command::new(program).args(args).output().ok().filter(|output| output.status.success())
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_wheel_installs_and_runs() {
    let maturin = std::env::var_os("MATURIN").unwrap_or_else(|| "maturin".into());
    let found = [(&maturin, &["--version"][..]), (&"python3".into(), &["-c", "import ensurepip, venv"])];
    if let Some((missing, _)) = found.iter().find(|(program, args)| try_run(program, args).is_none()) {
        eprintln!("skipped: no {}", missing.display());
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let (wheels, env) = (scratch.path().join("wheels"), scratch.path().join("env"));
    // The profile `dev` is the quickest to build, and has a folder and a lock of its own beside that of the other tests.
    let target = Path::new(env!("CARGO_BIN_EXE_cyclefix")).ancestors().nth(2).unwrap();
    let mut build = Command::new(maturin);
    build.args(["build", "--profile=dev", "--locked", "--target-dir"]).arg(target).arg("--out").arg(&wheels);
    run(build.current_dir(env!("CARGO_MANIFEST_DIR")));
    let wheel = std::fs::read_dir(&wheels).unwrap().next().unwrap().unwrap().path();
    let name = wheel.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with(concat!("cyclefix-", env!("CARGO_PKG_VERSION"), "-py3-none-")), "{name}");

    run(Command::new("python3").args(["-m", "venv"]).arg(&env));
    let bin = env.join(if cfg!(windows) { "Scripts" } else { "bin" });
    run(Command::new(bin.join("python")).args(["-m", "pip", "install", "--quiet", "--no-index"]).arg(&wheel));
    let version = run(Command::new(bin.join("cyclefix")).arg("--version"));
    assert!(version.starts_with(concat!("cyclefix ", env!("CARGO_PKG_VERSION"))), "{version}");

    let project = scratch.path().join("project");
    write(&project, "pkg/__init__.py", "");
    write(&project, "pkg/a.py", "from pkg.b import f\n\n\ndef g():\n    return f()\n");
    write(&project, "pkg/b.py", "import pkg.a\n\n\ndef f():\n    return 1\n\n\ndef h():\n    return pkg.a.g()\n");
    let output = Command::new(bin.join("cyclefix")).arg("--dry-run").arg(&project).output().unwrap();
    let diff = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(diff.starts_with("diff --git ") && diff.contains("\n-from pkg.b import f\n"), "{diff}");
}
