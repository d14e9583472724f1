//! Modules that are no `.py` file: extension modules, built or as source, and those that only a stub tells of.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::print_stderr, clippy::unwrap_used)]

#[path = "harness/repository.rs"]
mod repository;

use std::path::Path;
use std::process::Command;

use repository::write;

/// The modules in cycles of a project of these files.
fn in_cycles(files: &[(&str, &str)]) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, text)| write(dir.path(), name, text));
    report(dir.path())
}

fn report(dir: &Path) -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_cyclefix")).args(["--format", "json"]).current_dir(dir).output();
    let report: serde_json::Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    let cycles = report["projects"][0]["cycles"].as_array().unwrap();
    let modules = cycles.iter().flat_map(|cycle| cycle["modules"].as_array().unwrap());
    modules.map(|module| module.as_str().unwrap().to_owned()).collect()
}

const PACKAGE: (&str, &str) = ("pkg/__init__.py", "from .m import f\n");

#[test]
fn what_is_below_the_package_of_a_module_leads_not_back_to_it() {
    let fallback = "try:\n    from ._speed import f\nexcept ImportError:\n    def f():\n        return 1\n";
    assert!(in_cycles(&[PACKAGE, ("pkg/m.py", fallback)]).is_empty());
    assert!(in_cycles(&[PACKAGE, ("pkg/m.py", "import pkg._speed\n\nf = pkg._speed.f\n")]).is_empty());
}

#[test]
fn a_name_of_the_package_leads_back_to_it() {
    let by_name = ("pkg/m.py", "from . import _speed\n\nf = _speed.f\n");
    assert_eq!(in_cycles(&[PACKAGE, by_name]), ["pkg", "pkg.m"]);
    for ending in [".pyi", ".pyx", ".pyd", ".so", ".abi3.so", ".cpython-313-x86_64-linux-gnu.so"] {
        let speed = format!("pkg/_speed{ending}");
        assert!(in_cycles(&[PACKAGE, by_name, (&speed, "")]).is_empty(), "{ending}");
        // The package says what the name stands for where there is no such file.
        let optional = "try:\n    from . import _speed\nexcept ImportError:\n    _speed = None\n\nfrom .m import f\n";
        let package = ("pkg/__init__.py", optional);
        assert_eq!(in_cycles(&[package, by_name, (&speed, "")]), ["pkg", "pkg.m"], "{ending}");
    }
}

#[test]
fn from_outside_it_loads_the_package() {
    let files =
        [("pkg/__init__.py", "import other\n"), ("pkg/_speed.pyi", ""), ("other.py", "from pkg import _speed\n")];
    assert_eq!(in_cycles(&files), ["other", "pkg"]);
    let files = [files[0], files[1], ("other.py", "from pkg._speed import f\n")];
    assert_eq!(in_cycles(&files), ["other", "pkg"]);
}

#[test]
fn python_loads_an_extension_without_its_package() {
    let script = "import _elementtree; print(_elementtree.__file__)";
    let output = Command::new("python3").args(["-c", script]).output();
    let found = output.ok().and_then(|o| String::from_utf8(o.stdout).ok()).unwrap_or_default();
    let extension = Path::new(found.trim());
    if !extension.is_file() {
        eprintln!("SKIPPED: there is no python3 with an extension module to copy");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "pkg/__init__.py", "from .m import parser\n\nNAME = 1\n");
    write(dir.path(), "pkg/m.py", "from . import _elementtree\n\nparser = _elementtree.XMLParser\n");
    std::fs::copy(extension, dir.path().join("pkg").join(extension.file_name().unwrap())).unwrap();
    assert!(report(dir.path()).is_empty());
    // What begins to load while `m` runs, as Python's own audit events tell.
    let trace = "import sys\nseen = []\nsys.addaudithook(lambda e, a: e == 'import' and seen.append(a[0]))\n\
                 import pkg.m\nprint(seen[len(seen) - seen[::-1].index('pkg.m'):])";
    let output = Command::new("python3").args(["-c", trace]).current_dir(dir.path()).output().unwrap();
    let seen = String::from_utf8(output.stdout).unwrap();
    assert!(seen.starts_with("['pkg._elementtree'"), "{seen}{}", String::from_utf8_lossy(&output.stderr));
    assert!(!seen.contains("'pkg'"), "{seen}");
}
