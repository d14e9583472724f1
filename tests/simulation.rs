//! The small projects of `tests/entries/`: what the report says of each module that is imported first, against every CPython
//! from 3.8 to 3.13 that is found. A case whose name starts with `may` is one that nobody can decide beforehand.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used, clippy::print_stderr)]
#![allow(dead_code, reason = "the harness is shared, and each test uses a part of it")]

mod harness {
    pub mod case;
}

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cyclefix::graph::Graph;
use cyclefix::io::load::{LoadOptions, load};
use cyclefix::names::{Names, World};
use cyclefix::project::ModuleId;
use cyclefix::simulate::Simulator;
use harness::case::{Case, cyclefix, write};
use serde_json::{Value, json};

/// The lowest Python that is asked.
const LOWEST: u32 = 8;

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/entries");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| Case::read(path)).collect()
}

/// The lowest minor version that a case's code runs on.
fn lowest(case: &Case) -> u32 {
    if case.options.is_empty() { LOWEST } else { case.minor() }
}

/// What the report says: by module of a cycle, the crash if there is one.
fn words(case: &Case, folder: &Path) -> BTreeMap<String, Value> {
    let mut options = case.options.clone();
    if options.is_empty() {
        options = vec!["--target-version".into(), "3.8".into()];
    }
    let output = cyclefix(folder, &options, &["--check", "--format", "json", "--level", "all"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut out = BTreeMap::new();
    for cycle in report["projects"].as_array().unwrap().iter().flat_map(|p| p["cycles"].as_array().unwrap()) {
        for module in cycle["modules"].as_array().unwrap() {
            out.insert(module.as_str().unwrap().to_owned(), Value::Null);
        }
        for crash in cycle["crashes"].as_array().unwrap() {
            out.insert(crash["entry"].as_str().unwrap().to_owned(), crash.clone());
        }
    }
    out
}

/// Interpreters by minor version.
fn pythons() -> BTreeMap<u32, PathBuf> {
    let mut candidates: Vec<PathBuf> = (LOWEST..14).map(|n| PathBuf::from(format!("python3.{n}"))).collect();
    candidates.push("python3".into());
    let home = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".pyenv")));
    for entry in home.iter().filter_map(|h| std::fs::read_dir(h.join("versions")).ok()).flatten().flatten() {
        candidates.push(entry.path().join("bin/python3"));
    }
    let minor = |path: &PathBuf| -> Option<u32> {
        let output = Command::new(path).args(["-c", "import sys; print(sys.version_info[1])"]).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    let known = candidates.into_iter().filter_map(|path| Some((minor(&path)?, path)));
    known.filter(|(minor, _)| (LOWEST..14).contains(minor)).collect()
}

fn ask(python: &Path, jobs: &[Value]) -> Vec<Value> {
    let mut command = Command::new(python);
    command.args(["-I", "-S", "-c", include_str!("harness/import_first.py")]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&serde_json::to_vec(jobs).unwrap()).unwrap();
    serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap()
}

fn frames(crash: &Value) -> Vec<Value> {
    let frame = |f: &Value| json!([f["file"], f["line"], f.get("function").unwrap_or(&json!("<module>"))]);
    crash["chain"].as_array().unwrap().iter().map(frame).collect()
}

/// What a case says that an interpreter does not.
fn differences(case: &Case, minor: u32, said: &BTreeMap<String, Value>, told: &Value) -> Vec<String> {
    let mut out = Vec::new();
    for (module, crash) in said {
        let told = &told[module];
        let own = told["error"].as_str().is_some_and(|e| e.contains("not here"));
        let certain = crash["certainty"] == "fails";
        if crash["certainty"] == "may" {
            continue;
        }
        if certain != (told.is_object() && !own) {
            out.push(format!("{}: `{module}` on 3.{minor}: said {crash}, but {told}", case.name));
        } else if certain && minor >= 13 {
            let (error, text) = (crash["error"].as_str().unwrap(), told["error"].as_str().unwrap());
            if !text.starts_with(error) || json!(frames(crash)) != told["frames"] {
                out.push(format!("{}: `{module}`: said {crash}, but it is {told}", case.name));
            }
        }
    }
    out
}

#[test]
fn what_is_said_of_each_module_is_what_python_does() {
    let cases = cases();
    let folders: Vec<tempfile::TempDir> = cases.iter().map(|_| tempfile::tempdir().unwrap()).collect();
    let mut said = Vec::new();
    let mut troubles = Vec::new();
    for (case, folder) in cases.iter().zip(&folders) {
        write(folder.path(), &case.files);
        let words = words(case, folder.path());
        if words.len() < 2 {
            troubles.push(format!("{}: no cycle", case.name));
        }
        let undecided = words.values().any(|crash| crash["certainty"] == "may");
        if undecided != case.name.starts_with("may") {
            troubles.push(format!("{}: {words:?}", case.name));
        }
        said.push(words);
    }
    let pythons = pythons();
    if pythons.is_empty() {
        eprintln!("NO PYTHON FROM 3.8 TO 3.13 IS FOUND: what is said of the cases is not held against one");
    }
    for (minor, python) in &pythons {
        let runs: Vec<usize> = (0..cases.len()).filter(|i| lowest(&cases[*i]) <= *minor).collect();
        let job = |i: &usize| json!({"folder": folders[*i].path(), "modules": said[*i].keys().collect::<Vec<_>>()});
        let told = ask(python, &runs.iter().map(job).collect::<Vec<_>>());
        for (i, told) in runs.iter().zip(&told) {
            troubles.extend(differences(&cases[*i], *minor, &said[*i], told));
        }
    }
    assert!(troubles.is_empty(), "\n{}\n", troubles.join("\n"));
}

#[test]
fn a_module_comes_to_the_same_alone_as_among_others() {
    for case in cases() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &case.files);
        let projects = load(&[folder.path().to_owned()], &LoadOptions::default(), &|_| ()).unwrap();
        let project = &projects[0].project;
        let graph = Graph::skimmed(project, &|| ());
        let names = Names::on_demand(&graph);
        let simulator = Simulator::new(World { graph: &graph, names: &names });
        let modules: Vec<ModuleId> = project.modules().map(|(id, _)| id).collect();
        let alone: Vec<_> = modules.iter().flat_map(|module| simulator.outcomes(&[*module])).collect();
        assert_eq!(simulator.outcomes(&modules), alone, "{}", case.name);
    }
}

#[test]
fn every_case_says_what_it_holds() {
    for case in cases() {
        assert!(case.rule.len() > 20 && case.files.len() > 1, "{}", case.name);
    }
}
