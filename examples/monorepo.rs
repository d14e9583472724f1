//! Writes a synthetic monorepo: `cargo run --release --example monorepo -- FOLDER FILES IMPORTS CYCLES`. With it, proof/speed.py
//! tells whether the cost of a file stays the same as a project grows.
#![allow(clippy::disallowed_methods, clippy::print_stderr)]

#[path = "../benches/monorepo/mod.rs"]
mod monorepo;

use std::path::Path;
use std::process::ExitCode;

use monorepo::Monorepo;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<usize> = args.iter().skip(1).filter_map(|arg| arg.parse().ok()).collect();
    let (Some(folder), &[files, imports, cycles]) = (args.first(), numbers.as_slice()) else {
        eprintln!("usage: monorepo FOLDER FILES IMPORTS CYCLES");
        return ExitCode::from(2);
    };
    match write(Path::new(folder), Monorepo { files, imports, cycles }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{folder}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(folder: &Path, monorepo: Monorepo) -> std::io::Result<()> {
    for (path, text) in monorepo.files() {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
        std::fs::write(path, text)?;
    }
    Ok(())
}
