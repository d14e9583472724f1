//! Proof by running: a plan is tried, what fails is traced to the fix that caused it, and the planner goes on without that
//! fix, until what is left stands. Who runs it is the caller's business: nothing here starts a process.

pub mod command;
pub mod import;

use crate::outcome::{FileChange, VetoEntry};
use crate::plan::{Solved, Touched, Veto};
use crate::project::Project;

/// How often what failed has to fail again with the rewrite, and not without, in turns, before a fix is blamed: all in all, a
/// test that passes by chance, be it how often, misleads in less than 1 % of runs, and in 0.4 % if every other time.
const AGAIN: usize = 3;
/// The same where something was seen to go by chance already: then more is likely to.
const AGAIN_AMONG_CHANCE: usize = 5;

/// What can fail.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// A module, by name and source root, is imported first, and has the names it had.
    Module { name: String, root: String },
    /// A test of the command, by its id.
    Test(String),
    /// The command as a whole.
    Command,
}

/// Something that fails now and did not before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub item: Item,
    /// What failed, and Python's own message.
    pub message: String,
}

/// Runs rewritten projects and holds them against the project as it was.
pub trait Trial {
    type Error;

    /// The first of what fails with these changes and did not without; `solved` says what has to be looked at.
    fn run(&mut self, solved: &Solved, changes: &[FileChange]) -> Result<Option<Failure>, Self::Error>;

    /// Whether what failed, of the modules `touched` or of the command, fails with these changes, be they none.
    fn fails(&mut self, failed: &Failure, touched: &[Touched], changes: &[FileChange]) -> Result<bool, Self::Error>;

    /// Takes note that something fails by chance, or of itself: it proves nothing and is not looked at again.
    fn set_aside(&mut self, failure: Failure);

    /// Whether nothing was set aside.
    fn is_steady(&self) -> bool;

    /// Takes note that a fix was found to be the cause.
    fn vetoed(&mut self, veto: &Veto);
}

/// A plan that stands, and what did not.
pub struct Proved {
    pub solved: Solved,
    pub vetoes: Vec<VetoEntry>,
}

/// Plans until what is planned stands the trial. It ends because each turn forbids a fix or sets an item aside.
pub fn prove<T: Trial>(project: &Project, plan: &dyn Fn(&[Veto]) -> Solved, trial: &mut T) -> Result<Proved, T::Error> {
    let mut vetoes: Vec<Veto> = Vec::new();
    loop {
        let solved = plan(&vetoes);
        let found = match solved.is_empty() {
            true => None,
            false => trial.run(&solved, &solved.outcome.changes)?,
        };
        let Some(failure) = found else {
            let vetoes = vetoes.into_iter().map(entry).collect();
            return Ok(Proved { solved, vetoes });
        };
        let fix = cause(project, &solved, &failure, trial)?;
        match fix.and_then(|fix| solved.veto(fix, failure.message.clone())) {
            Some(veto) => {
                trial.vetoed(&veto);
                vetoes.push(veto);
            }
            None => trial.set_aside(failure),
        }
    }
}

fn entry(veto: Veto) -> VetoEntry {
    VetoEntry {
        strategy: veto.strategy.to_owned(),
        form: veto.form.map(str::to_owned),
        title: veto.title,
        message: veto.message,
    }
}

/// The fix from which on it fails, by bisection; `None` if it fails without any, or not each time with all.
fn cause<T: Trial>(
    project: &Project,
    solved: &Solved,
    failure: &Failure,
    trial: &mut T,
) -> Result<Option<usize>, T::Error> {
    let fails = |trial: &mut T, count: usize| match solved.changes(project, count) {
        Some(changes) => trial.fails(failure, &solved.touched, &changes),
        None => Ok(false),
    };
    let (mut good, mut bad) = (0, solved.len());
    let mut again = 0;
    while again < if trial.is_steady() { AGAIN } else { AGAIN_AMONG_CHANCE } {
        if fails(trial, good)? || !fails(trial, bad)? {
            return Ok(None);
        }
        again += 1;
    }
    while bad - good > 1 {
        let middle = good + (bad - good) / 2;
        if fails(trial, middle)? {
            bad = middle;
        } else {
            good = middle;
        }
    }
    Ok(Some(good))
}
