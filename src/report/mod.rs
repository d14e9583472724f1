//! Reports: one file a format, all from the same [`Outcome`]. A report writes to the handle it is given and decides
//! nothing: what is shown is what the planner found.

pub mod diff;
mod excerpt;
pub mod github;
pub mod graph;
pub mod html;
pub mod json;
pub mod markdown;
pub mod message;
pub mod sarif;
pub mod svg;
mod table;
pub mod text;
mod verification;
mod words;

use crate::outcome::{CycleEntry, Outcome, ProjectOutcome, Standing, Status, Summary};
use crate::project::settings::Level;

/// Version of the JSON report; it grows when a field changes its meaning or goes.
pub const VERSION: u32 = 1;

/// The result of a run over `projects`, which took `seconds` of wall time.
pub fn outcome(level: Level, projects: Vec<ProjectOutcome>, seconds: f64) -> Outcome {
    let summary = summarize(&projects, seconds);
    let tool = format!("cyclefix {}", env!("CARGO_PKG_VERSION"));
    Outcome {
        version: VERSION,
        tool,
        level,
        projects,
        summary,
        baseline: None,
        branch: None,
        branches: Vec::new(),
        patches: Vec::new(),
        batch: None,
    }
}

/// Counts over all projects. `fixed` are the cycles that the plan dissolves, written or not; `left` are those that the
/// project has after the plan, which may be parts of one that was only made smaller.
pub fn summarize(projects: &[ProjectOutcome], seconds: f64) -> Summary {
    let mut summary = Summary { seconds, ..Summary::default() };
    for project in projects {
        summary.cycles += project.cycles.len();
        summary.fixed += project.cycles.iter().filter(|cycle| is_dissolved(cycle)).count();
        summary.left += project.cycles_after;
        summary.modules_in_cycles_before += project.cycles.iter().map(|cycle| cycle.modules.len()).sum::<usize>();
        summary.modules_in_cycles_after += project.modules_in_cycles_after;
        summary.pairs_removed += project.cycles.iter().map(|cycle| cycle.pairs_removed).sum::<usize>();
        summary.pairs_hidden += project.cycles.iter().map(|cycle| cycle.pairs_hidden).sum::<usize>();
        for change in &project.changes {
            let (added, removed) = diff::lines(change);
            summary.files_changed += usize::from(change.before != change.after);
            summary.lines_added += added;
            summary.lines_removed += removed;
        }
    }
    summary
}

fn is_dissolved(cycle: &CycleEntry) -> bool {
    matches!(cycle.status, Status::Planned | Status::Fixed)
}

/// Whether the run only looked for cycles, and planned nothing.
fn is_found_alone(outcome: &Outcome) -> bool {
    let mut all = outcome.projects.iter().flat_map(|project| &project.cycles);
    all.all(|cycle| cycle.status == Status::Found)
}

/// Whether a report has to speak of a cycle: none does of what a baseline knows.
fn is_news(cycle: &CycleEntry) -> bool {
    cycle.baseline != Some(Standing::Known)
}
