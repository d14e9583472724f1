//! `--batch`: many projects in one run. Each is read, planned and written by itself, several at a time; one that fails, or
//! that an interrupt ends, leaves the others as they are.

mod jobs;
mod run;

use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

use anyhow::Context;
use rayon::ThreadPool;

use super::args::{Action, Args, Task};
use super::commits::{OfProject, Target};
use super::{branch, check_files, draw, exit_code, mark_fixed, print, print_failure, unless_closed, warn};
use crate::io::discover::{self, BadLine, Named};
use crate::io::owners::Owners;
use crate::io::process::catch_interrupts;
use crate::io::snapshot::{Scratch, Snapshot};
use crate::io::state::State;
use crate::outcome::{BatchEntry, FailedEntry};
use crate::report;
use run::Ended;

#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    #[error("no project below {0}")]
    Nothing(String),
}

impl BatchError {
    /// The way out.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            BatchError::Nothing(_) => {
                "a project is a folder with pyproject.toml, setup.py or setup.cfg, or a package (`__init__.py`); \
                 folders of modules alone are read without --batch"
                    .into()
            }
        })
    }
}

/// What all projects of a run have in common.
struct Batch<'a> {
    args: &'a Args,
    pool: &'a ThreadPool,
    threads: usize,
    /// The last commit, with `--branch` or `--patches`.
    scratch: Option<&'a Scratch>,
    owners: Option<&'a Owners>,
    state: Option<State>,
    /// One project is written at a time, as several may have one root.
    writing: Mutex<()>,
}

pub fn session(args: &Args, pool: &ThreadPool, start: Instant) -> anyhow::Result<ExitCode> {
    catch_interrupts();
    check_files(args)?;
    let (named, bad) = discover::named(&args.paths)?;
    let paths: Vec<_> = named.iter().map(|one| one.path().clone()).collect();
    let snapshot = args.makes_commits().then(|| Snapshot::take(&paths)).transpose()?;
    let target = snapshot.as_ref().map(|snapshot| Target::open(args, snapshot)).transpose()?;
    let owners = target.as_ref().and_then(|target| target.owners.as_ref());
    let state = args.state.as_deref().map(|path| State::open(path, &kind(args, snapshot.as_ref()))).transpose()?;
    let scratch = snapshot.as_ref().map(|snapshot| &snapshot.scratch);
    let threads = pool.current_num_threads();
    let batch = Batch { args, pool, threads, scratch, owners, state, writing: Mutex::default() };

    let named: Vec<Named> = match &snapshot {
        None => named,
        Some(snapshot) => named.iter().zip(&snapshot.paths).map(|(one, path)| one.at(path.clone())).collect(),
    };
    let mut entry = BatchEntry::default();
    entry.failed.extend(bad.iter().map(bad_line));
    let units = batch.find(&named, &mut entry)?;
    match &snapshot {
        Some(snapshot) => branch::warn_uncommitted(args, snapshot, units.iter().map(|unit| &unit.request.root)),
        None => batch.recover(&units, &named)?,
    }
    let jobs = batch.group(units, &mut entry);
    let mut records = Vec::new();
    for result in batch.run(&jobs) {
        match result {
            Ended::Done(record) => records.push(record),
            Ended::Failed(failed) => entry.failed.push(failed),
            Ended::Stopped(members) => entry.stopped.extend(members),
        }
    }
    entry.failed.sort();
    entry.stopped.sort();
    let level = args.level.or_else(|| Some(records.first()?.level)).unwrap_or_default();
    let mut commits = Vec::new();
    let mut projects = Vec::new();
    for record in records {
        commits.push(OfProject { name: record.outcome.members.join(" "), commits: record.commits });
        projects.push(record.outcome);
    }
    let mut outcome = report::outcome(level, projects, start.elapsed().as_secs_f64());
    // What was finished is in the state, from where the next run makes all branches and patches.
    let kept = !entry.stopped.is_empty() && args.state.is_some();
    if let (Some(target), false) = (&target, kept)
        && target.write(args, &commits, &mut outcome)?
        && args.branch.is_some()
    {
        mark_fixed(&mut outcome.projects);
    }
    for failed in &entry.failed {
        print_failure(&format!("{}: {}", failed.members.join(" + "), failed.error), failed.hint.as_deref());
    }
    let stopped = !entry.stopped.is_empty();
    outcome.batch = Some(entry);
    let prefixes: Vec<String> = outcome.projects.iter().map(|project| project.prefix.clone()).collect();
    unless_closed(print(args, &outcome, &prefixes)).context("cannot write the report")?;
    draw(args, &outcome)?;
    match batch.state {
        Some(state) if !stopped => state.remove()?,
        Some(_) => warn(args, "stopped; the same command goes on from here"),
        None => {}
    }
    Ok(exit_code(args.action(), &outcome))
}

/// What the results of a run depend on besides the projects and their settings.
fn kind(args: &Args, snapshot: Option<&Snapshot>) -> String {
    let mut words = vec!["cyclefix --batch".to_owned()];
    let action = match (args.action(), args.task()) {
        (Action::Check, Task::Dissolve) => "--check (with a plan)",
        (Action::Check, _) => "--check",
        (Action::DryRun, _) => "--dry-run",
        (Action::Apply, _) => "--apply",
    };
    words.push(action.to_owned());
    if let Some(snapshot) = snapshot {
        let parts = format!("{:?} {:?} {}", args.commits, args.split_by, args.max_files.is_some());
        words.push(format!("--branch or --patches from {} ({parts})", snapshot.base));
    }
    words.extend((args.task() == Task::Hoist).then(|| "--hoist".to_owned()));
    words.extend(args.separate.then(|| "--separate".to_owned()));
    words.join(" ")
}

fn bad_line(line: &BadLine) -> FailedEntry {
    let (error, at) = (line.to_string(), None);
    FailedEntry { members: vec![line.text.clone()], error, hint: line.error.hint(), at }
}
