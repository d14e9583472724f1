//! The end of a batch for people: a line for each project that has cycles, and what could not be run.

use std::io::{self, Write};

use comfy_table::{CellAlignment, Table, presets};

use super::text::{BAD, DIM, GOOD, HEAD, WARN, plain};
use super::words::count;
use super::{is_dissolved, summarize};
use crate::outcome::{BatchEntry, FailedEntry, Outcome, ProjectOutcome, Status};

/// Members of a project that are named.
const MEMBERS: usize = 3;
/// Lines of the table, of each of its parts.
const LINES: usize = 200;

/// Writes the table and how many projects there were. `done`: whether the rewrite was written.
pub fn write(out: &mut dyn Write, outcome: &Outcome, batch: &BatchEntry, done: bool) -> io::Result<()> {
    let with_cycles: Vec<&ProjectOutcome> = outcome.projects.iter().filter(|p| says(p)).collect();
    if !with_cycles.is_empty() {
        projects(out, &with_cycles, done)?;
    }
    for FailedEntry { members, error, .. } in batch.failed.iter().take(LINES) {
        writeln!(out, "{BAD}failed{BAD:#}  {}: {}", name(members), plain(error))?;
    }
    rest(out, batch.failed.len(), "failed")?;
    for project in batch.stopped.iter().take(LINES) {
        writeln!(out, "{WARN}not run{WARN:#} {}", plain(project))?;
    }
    rest(out, batch.stopped.len(), "not run")?;
    writeln!(out, "{HEAD}{}{HEAD:#}", counts(outcome, batch))
}

/// How many projects there were, and what of them has no cycles or could not be run.
pub fn counts(outcome: &Outcome, batch: &BatchEntry) -> String {
    let members = |projects: &mut dyn Iterator<Item = &ProjectOutcome>| -> usize {
        projects.map(|project| project.members.len()).sum()
    };
    let failed: usize = batch.failed.iter().map(|failed| failed.members.len()).sum();
    let run = members(&mut outcome.projects.iter());
    let clean = members(&mut outcome.projects.iter().filter(|project| !says(project)));
    let parts = [(clean, "without cycles"), (failed, "failed"), (batch.stopped.len(), "not run")];
    let parts = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!(", {n} {what}"));
    count(run + failed + batch.stopped.len(), "project") + &parts.collect::<String>()
}

/// Whether a line is due to a project.
pub fn says(project: &ProjectOutcome) -> bool {
    !project.cycles.is_empty() || project.hoist.as_ref().is_some_and(|hoist| !hoist.fixes.is_empty())
}

/// What a table says of each project, besides its name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Columns {
    /// Cycles that were only looked for.
    Found,
    Planned,
    Dissolved,
    CanMove,
    Moved,
}

impl Columns {
    /// `done`: whether the rewrite was written.
    pub fn of(projects: &[&ProjectOutcome], done: bool) -> Self {
        let found = projects.iter().flat_map(|project| &project.cycles).all(|cycle| cycle.status == Status::Found);
        match (projects.iter().any(|project| project.hoist.is_some()), done) {
            (true, false) => Self::CanMove,
            (true, true) => Self::Moved,
            (false, false) if found => Self::Found,
            (false, false) => Self::Planned,
            (false, true) => Self::Dissolved,
        }
    }

    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::Found => &["modules", "cycles", "in cycles"],
            Self::Planned => &["modules", "cycles", "can go", "left", "files"],
            Self::Dissolved => &["modules", "cycles", "dissolved", "left", "files"],
            Self::CanMove => &["modules", "can move", "stay", "files"],
            Self::Moved => &["modules", "moved", "stay", "files"],
        }
    }

    /// What stands below the names.
    pub fn numbers(self, project: &ProjectOutcome) -> Vec<usize> {
        let size = summarize(std::slice::from_ref(project), 0.0);
        let (modules, files) = (project.modules, size.files_changed);
        let hoist = project.hoist.as_ref().map_or((0, 0), |hoist| (hoist.fixes.len(), hoist.refusals.len()));
        match self {
            Self::Found => vec![modules, size.cycles, size.modules_in_cycles_before],
            Self::Planned | Self::Dissolved => vec![modules, size.cycles, size.fixed, size.left, files],
            Self::CanMove | Self::Moved => vec![modules, hoist.0, hoist.1, files],
        }
    }
}

fn projects(out: &mut dyn Write, projects: &[&ProjectOutcome], done: bool) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let columns = Columns::of(projects, done);
    table.set_header(std::iter::once(&"project").chain(columns.names()));
    for project in projects.iter().take(LINES) {
        let numbers = columns.numbers(project).into_iter().map(|n| n.to_string());
        table.add_row(std::iter::once(name(&project.members)).chain(numbers));
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        column.set_cell_alignment(if index == 0 { CellAlignment::Left } else { CellAlignment::Right });
    }
    for (index, line) in table.lines().enumerate() {
        let style = match index.checked_sub(1).and_then(|index| projects.get(index)) {
            None => DIM,
            Some(project) if project.cycles.iter().all(is_dissolved) => GOOD,
            Some(_) => BAD,
        };
        writeln!(out, "{style}{}{style:#}", line.trim_end())?;
    }
    rest(out, projects.len(), "with cycles")
}

/// The folders of the projects that were read as one.
pub fn name(members: &[String]) -> String {
    let mut names: Vec<String> = members.iter().take(MEMBERS).map(|member| plain(member)).collect();
    if members.len() > MEMBERS {
        names.push(format!("{} more", members.len() - MEMBERS));
    }
    names.join(" + ")
}

fn rest(out: &mut dyn Write, len: usize, what: &str) -> io::Result<()> {
    match len.saturating_sub(LINES) {
        0 => Ok(()),
        more => writeln!(out, "and {more} more {what}"),
    }
}
