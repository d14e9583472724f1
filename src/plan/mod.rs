//! The planner.

use crate::outcome::ProjectOutcome;
use crate::project::Project;

/// Finds the cycles of a project, plans their removal and gives the result.
pub fn solve(_project: &Project, _progress: &(dyn Fn(Stage) + Sync)) -> ProjectOutcome {
    unimplemented!()
}

/// What the run is at, for a progress display.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Reads imports: files done, files in all.
    Parse(usize, usize),
    /// Cycles dissolved so far, cycles in all.
    Plan(usize, usize),
}
