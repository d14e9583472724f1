//! Python, where it is found: every module imported first, before and after.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::case::{Case, Ran, read, write};

/// An interpreter and its minor version.
pub struct Python {
    path: PathBuf,
    pub minor: u32,
}

impl Python {
    /// The newest Python below 3.14, from where on annotations are evaluated on demand and prove less; else the newest.
    pub fn find() -> Option<Self> {
        let mut found = vec![PathBuf::from("python3")];
        let home = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
        let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".pyenv")));
        for entry in home.iter().filter_map(|h| std::fs::read_dir(h.join("versions")).ok()).flatten().flatten() {
            found.push(entry.path().join("bin/python3"));
        }
        let mut known: Vec<Self> = found.into_iter().filter_map(Self::at).collect();
        known.sort_by_key(|p| (p.minor < 14, p.minor));
        known.pop()
    }

    fn at(path: PathBuf) -> Option<Self> {
        let script = "import os, sys; os.fork; print(sys.version_info[1])";
        let output = Command::new(&path).args(["-c", script]).output().ok()?;
        let minor: u32 = String::from_utf8(output.stdout).ok()?.trim().parse().ok()?;
        (minor >= 9).then_some(Self { path, minor })
    }

    /// Holds what Python makes of each project before against after; gives the troubles of each.
    pub fn compare(&self, all: &[(&Case, &Ran)]) -> Vec<Vec<String>> {
        let scratch = tempfile::tempdir().unwrap();
        let jobs: Vec<Value> = all
            .iter()
            .enumerate()
            .flat_map(|(index, (case, ran))| {
                let beside = scratch.path().join(index.to_string());
                let library = beside.join("site-packages");
                write(&library, &case.site_packages);
                let check = case.check.as_ref().map(|check| {
                    let path = beside.join("check.py");
                    std::fs::create_dir_all(&beside).unwrap();
                    std::fs::write(&path, check).unwrap();
                    path
                });
                [&ran.before, &ran.after].map(|folder| job(folder.path(), &library, check.as_deref(), &ran.report))
            })
            .collect();
        let results = self.run(&jobs);
        results.chunks(2).map(|pair| worse(&pair[0], &pair[1])).collect()
    }

    fn run(&self, jobs: &[Value]) -> Vec<Value> {
        let mut command = Command::new(&self.path);
        command.args(["-S", "-c", include_str!("import_all.py")]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let input = serde_json::to_vec(jobs).unwrap();
        child.stdin.take().unwrap().write_all(&input).unwrap();
        let output = child.wait_with_output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

fn job(folder: &Path, library: &Path, check: Option<&Path>, report: &Value) -> Value {
    let roots: Vec<&str> =
        report["projects"][0]["source_roots"].as_array().unwrap().iter().map(|r| r.as_str().unwrap()).collect();
    let files: Vec<String> = read(folder).into_keys().filter(|p| p.ends_with(".py")).collect();
    let mut modules: Vec<String> = Vec::new();
    for file in &files {
        // The innermost root that holds the file names the module.
        let inside = |root: &&&str| root.is_empty() || file.starts_with(&format!("{root}/"));
        let Some(root) = roots.iter().filter(inside).max_by_key(|r| r.len()) else { continue };
        let path = file[root.len()..].trim_start_matches('/').trim_end_matches(".py").replace('/', ".");
        let name = path.strip_suffix(".__init__").unwrap_or(&path).to_owned();
        let word = |w: &str| !w.is_empty() && w.chars().all(|c| c == '_' || c.is_alphanumeric());
        if name.split('.').all(word) && !name.ends_with("__main__") {
            modules.push(name);
        }
    }
    let mut path: Vec<PathBuf> = roots.iter().map(|r| folder.join(r)).collect();
    path.push(library.to_owned());
    json!({"folder": folder, "path": path, "modules": modules, "files": files, "check": check})
}

fn worse(before: &Value, after: &Value) -> Vec<String> {
    let mut out = Vec::new();
    for broken in after["broken"].as_array().unwrap() {
        if !before["broken"].as_array().unwrap().contains(broken) {
            out.push(format!("does not compile: {broken}"));
        }
    }
    for (module, error) in after["errors"].as_object().unwrap() {
        if !error.is_null() && before["errors"][module].is_null() {
            out.push(format!("`{module}` imported first before, and now: {error}"));
        }
    }
    // A check that the cycle kept from running has to run now.
    let crashed = before["check"].is_object();
    if if crashed { after["check"].is_object() } else { before["check"] != after["check"] } {
        out.push(format!("check.py printed {} and now {}", before["check"], after["check"]));
    }
    out
}
