//! One HTML page of a run, which stands alone: style and script are in it, and its policy allows nothing else, from this
//! machine or another. It can be read without the script, which only filters, zooms and unfolds. Every value passes through
//! [`inert`], the escaper of the template; what is not escaped is the style and the script.

mod cycle;
mod import;
mod inert;
mod patch;
mod picture;
mod place;
mod project;
mod prose;

use std::io::{self, Write};

use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::{is_dissolved, words};
use crate::outcome::Outcome;
use project::ProjectView;
use prose::{Prose, prose};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    policy: String,
    style: &'static str,
    script: &'static str,
    title: String,
    /// The run in a sentence.
    summary: String,
    /// Of the baseline and the branch.
    notes: Vec<Prose>,
    projects: Vec<ProjectView<'a>>,
    tool: &'a str,
    level: &'static str,
}

/// Writes the page. It holds neither time nor date, so that the same result gives the same bytes.
pub fn write(out: &mut dyn Write, outcome: &Outcome) -> io::Result<()> {
    let mut number = 0;
    let projects = outcome.projects.iter().enumerate();
    let page = Page {
        policy: policy(),
        style: STYLE,
        script: SCRIPT,
        title: title(outcome),
        summary: summary(outcome),
        notes: notes(outcome).iter().map(|note| prose(note)).collect(),
        projects: projects.map(|(place, project)| ProjectView::new(outcome, project, place + 1, &mut number)).collect(),
        tool: &outcome.tool,
        level: outcome.level.as_str(),
    };
    page.write_into(out).map_err(io::Error::other)
}

/// Allows this style and this script, and nothing else (Content Security Policy, level 3).
fn policy() -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

fn title(outcome: &Outcome) -> String {
    match &outcome.projects[..] {
        [project] => format!("Import cycles of {}", project::name(project)),
        all => format!("Import cycles of {}", words::count(all.len(), "project")),
    }
}

fn summary(outcome: &Outcome) -> String {
    let summary = &outcome.summary;
    if summary.cycles == 0 {
        let modules = outcome.projects.iter().map(|project| project.modules).sum();
        return format!("There are no import cycles in {}.", words::count(modules, "module"));
    }
    let (cycles, modules) =
        (words::count(summary.cycles, "cycle"), words::count(summary.modules_in_cycles_before, "module"));
    let done = outcome.projects.iter().flat_map(|project| &project.cycles).filter(|cycle| is_dissolved(cycle));
    let is_done = done.clone().all(|cycle| cycle.status == crate::outcome::Status::Fixed) && done.count() > 0;
    let verb = match (summary.fixed, is_done) {
        (0, _) => "none can be dissolved".to_owned(),
        (1, true) => "1 is dissolved".to_owned(),
        (n, true) => format!("{n} are dissolved"),
        (n, false) => format!("{n} can be dissolved"),
    };
    let left = match summary.left {
        0 => "none is left".to_owned(),
        1 => "1 is left".to_owned(),
        n => format!("{n} are left"),
    };
    let files = match summary.files_changed {
        0 => String::new(),
        n => format!(" ({}, +{} \u{2212}{})", words::count(n, "file"), summary.lines_added, summary.lines_removed),
    };
    format!("{cycles} of {modules}; {verb}{files}, {left}.")
}

/// What the baseline and the branch have to say.
fn notes(outcome: &Outcome) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(baseline) = &outcome.baseline {
        let stale = match baseline.stale.len() {
            0 => String::new(),
            n => format!("; {} of it stale, which `--update-baseline` takes out", words::count(n, "entry")),
        };
        let known = format!("{} known to `{}`, which this page leaves out", baseline.known, baseline.file);
        out.push(format!("Baseline: {} new, {known}{stale}.", baseline.new));
    }
    if let Some(branch) = &outcome.branch {
        let commits = words::count(branch.commits.len(), "commit");
        out.push(format!("Branch `{}`: {commits} on top of `{}`.", branch.name, short(&branch.base)));
        out.extend(branch.commits.iter().map(|commit| format!("`{}` {}", short(&commit.id), commit.title)));
    }
    out
}

fn short(id: &str) -> &str {
    id.get(..10).unwrap_or(id)
}
