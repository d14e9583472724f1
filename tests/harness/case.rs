//! A case: one readable file that holds a small project, and what cyclefix makes of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// Bytes of a project by path.
pub type Tree = BTreeMap<String, Vec<u8>>;

/// A case as it is written: comments, options, files.
///
/// Attributes behind a path say what no editor shows: `crlf`, `bom`, `latin-1`, `no-newline` (at the end of the file). Files
/// below `site-packages/` are put on Python's path beside the project; `check.py` is run before and after.
#[derive(Default)]
pub struct Case {
    pub name: String,
    pub rule: String,
    pub options: Vec<String>,
    pub files: Tree,
    pub site_packages: Tree,
    pub check: Option<Vec<u8>>,
}

impl Case {
    pub fn read(path: &Path) -> Self {
        let name = path.file_stem().unwrap().to_str().unwrap();
        Self::parse(name, &fs::read_to_string(path).unwrap())
    }

    pub fn parse(name: &str, text: &str) -> Self {
        let mut case = Self { name: name.to_owned(), ..Self::default() };
        let mut parts = text.split("\n#- ");
        let mut head = parts.next().unwrap();
        let mut first = None;
        if let Some(rest) = head.strip_prefix("#- ") {
            (head, first) = ("", Some(rest));
        }
        for line in head.lines() {
            match (line.strip_prefix("#! "), line.strip_prefix("# ")) {
                (Some(options), _) => case.options.extend(options.split(' ').map(str::to_owned)),
                (_, Some(rule)) => case.rule = format!("{} {rule}", case.rule).trim().to_owned(),
                _ => assert_eq!(line, "", "{name}: neither comment nor options"),
            }
        }
        for part in first.into_iter().chain(parts) {
            let (header, text) = part.split_once('\n').unwrap_or((part, ""));
            let mut words = header.split(' ');
            let path = words.next().unwrap();
            let bytes = encode(text, &words.collect::<Vec<_>>());
            match path.strip_prefix("site-packages/") {
                Some(path) => drop(case.site_packages.insert(path.to_owned(), bytes)),
                None if path == "check.py" => case.check = Some(bytes),
                None => drop(case.files.insert(path.to_owned(), bytes)),
            }
        }
        case
    }

    /// The lowest Python that the case's code runs on, as a minor version of 3.
    pub fn minor(&self) -> u32 {
        let mut words = self.options.iter().skip_while(|o| *o != "--target-version");
        words.nth(1).map_or(9, |v| v.strip_prefix("3.").unwrap().parse().unwrap())
    }
}

fn encode(text: &str, attributes: &[&str]) -> Vec<u8> {
    // The last line end of a part stands before the next header; the split took it. Blank lines between files are layout.
    let mut text = text.trim_end_matches('\n').to_owned();
    if !text.is_empty() && !attributes.contains(&"no-newline") {
        text.push('\n');
    }
    if attributes.contains(&"crlf") {
        text = text.replace('\n', "\r\n");
    }
    if attributes.contains(&"bom") {
        text.insert(0, '\u{feff}');
    }
    let known = ["crlf", "bom", "latin-1", "no-newline"];
    assert!(attributes.iter().all(|a| known.contains(a)), "{attributes:?}");
    if attributes.contains(&"latin-1") { text.chars().map(|c| c as u8).collect() } else { text.into_bytes() }
}

pub fn write(folder: &Path, files: &Tree) {
    for (path, bytes) in files {
        let file = folder.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
}

pub fn read(folder: &Path) -> Tree {
    let mut out = Tree::new();
    let mut todo = vec![PathBuf::new()];
    while let Some(inside) = todo.pop() {
        for entry in fs::read_dir(folder.join(&inside)).unwrap() {
            let entry = entry.unwrap();
            let path = inside.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                todo.push(path);
            } else {
                out.insert(path.to_str().unwrap().replace('\\', "/"), fs::read(entry.path()).unwrap());
            }
        }
    }
    out
}

pub fn cyclefix(folder: &Path, options: &[String], more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cyclefix"));
    let output =
        command.current_dir(folder).args(options).args(more).args(["--quiet", "--jobs", "1"]).output().unwrap();
    assert_ne!(output.status.code(), Some(2), "{more:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// What became of a case.
pub struct Ran {
    pub before: tempfile::TempDir,
    pub after: tempfile::TempDir,
    /// The JSON report of the run that wrote.
    pub report: Value,
    pub diff: String,
    pub exit: i32,
    pub troubles: Vec<String>,
}

impl Ran {
    /// Runs a case through every action and holds them against each other.
    pub fn new(case: &Case) -> Self {
        let [before, dry, after] = [(); 3].map(|()| tempfile::tempdir().unwrap());
        for folder in [&before, &dry, &after] {
            write(folder.path(), &case.files);
        }
        let mut troubles = Vec::new();
        let preview = cyclefix(dry.path(), &case.options, &["--dry-run"]);
        if read(dry.path()) != case.files {
            troubles.push("--dry-run wrote".to_owned());
        }
        let done = cyclefix(after.path(), &case.options, &["--apply", "--format", "json"]);
        let report: Value = serde_json::from_slice(&done.stdout).unwrap();
        let result = read(after.path());
        if !preview.stdout.is_empty() {
            fs::write(before.path().join("the.diff"), &preview.stdout).unwrap();
            let diff = before.path().join("the.diff");
            let apply = ["-c", "core.autocrlf=false", "apply", "--whitespace=nowarn"];
            let output = Command::new("git").current_dir(dry.path()).args(apply).arg(&diff).output().unwrap();
            if !output.status.success() {
                troubles.push(format!("git apply: {}", String::from_utf8_lossy(&output.stderr)));
            }
            fs::remove_file(diff).unwrap();
        }
        if read(dry.path()) != result {
            troubles.push("git apply of --dry-run is not --apply".to_owned());
        }
        let next = cyclefix(after.path(), &case.options, &["--dry-run", "--format", "json"]);
        let next_report: Value = serde_json::from_slice(&next.stdout).unwrap();
        if next_report["summary"]["cycles"] != report["summary"]["left"] {
            troubles.push(format!(
                "left are {}, found again {}",
                report["summary"]["left"], next_report["summary"]["cycles"]
            ));
        }
        if cycles(&next_report).any(|c| c["status"] == "planned") {
            troubles.push("a second run plans more".to_owned());
        }
        cyclefix(after.path(), &case.options, &["--apply"]);
        if read(after.path()) != result {
            troubles.push("a second --apply changed files".to_owned());
        }
        let diff = String::from_utf8_lossy(&preview.stdout).into_owned();
        Self { before, after, report, diff, exit: done.status.code().unwrap(), troubles }
    }

    /// The golden result: what was done and why not, then the diff.
    pub fn golden(&self) -> String {
        let mut out = format!("exit {}\n", self.exit);
        for skipped in projects(&self.report).flat_map(|p| p["skipped"].as_array().unwrap()) {
            let line = skipped.get("line").and_then(Value::as_u64).map_or(String::new(), |l| format!(":{l}"));
            writeln!(out, "skipped {}{line}: {}", text(&skipped["file"]), text(&skipped["reason"])).unwrap();
        }
        for cycle in cycles(&self.report) {
            let names: Vec<&str> = cycle["modules"].as_array().unwrap().iter().map(text).collect();
            writeln!(out, "\n{}: {} ({})", text(&cycle["status"]), names.join(", "), text(&cycle["level"])).unwrap();
            for fix in cycle["fixes"].as_array().unwrap() {
                let form = fix["form"].as_str().map_or(String::new(), |f| format!(", {f}"));
                let kept = if fix["applied"] == true { "" } else { ", not applied" };
                let safety = text(&fix["safety"]);
                writeln!(out, "  {} [{safety}{form}{kept}] {}", text(&fix["strategy"]), text(&fix["title"])).unwrap();
            }
            for refusal in cycle["refusals"].as_array().unwrap() {
                let place = format!("{}:{}", text(&refusal["file"]), refusal["line"]);
                let (strategy, reason) = (text(&refusal["strategy"]), text(&refusal["reason"]));
                writeln!(out, "  {strategy} refused, {reason}, {place}: {}", text(&refusal["message"])).unwrap();
            }
        }
        if !self.diff.is_empty() {
            // What cannot be seen is spelled out.
            let shown = self.diff.replace('\r', "\\r").replace('\u{feff}', "\\ufeff").replace('\u{c}', "\\f");
            write!(out, "\n{shown}").unwrap();
        }
        out
    }

    /// Reasons of the refusals of one strategy.
    pub fn reasons(&self, strategy: &str) -> Vec<String> {
        let all = cycles(&self.report).flat_map(|c| c["refusals"].as_array().unwrap());
        all.filter(|r| r["strategy"] == strategy).map(|r| text(&r["reason"]).to_owned()).collect()
    }
}

fn projects(report: &Value) -> impl Iterator<Item = &Value> {
    report["projects"].as_array().unwrap().iter()
}

fn cycles(report: &Value) -> impl Iterator<Item = &Value> {
    projects(report).flat_map(|p| p["cycles"].as_array().unwrap())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
