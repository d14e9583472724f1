//! Runs the projects of a batch, several at a time. What one of them ends in stays with it.

use std::cmp::Reverse;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::super::args::Action;
use super::super::progress::BatchProgress;
use super::super::{Bug, Stopped, branch, hint, mark_fixed, planned, refuse_dirty, spelled_out, unless_stopped};
use super::Batch;
use super::jobs::Job;
use crate::io::load::{LoadError, Loaded};
use crate::io::state::{Record, fingerprint};
use crate::io::{git, write};
use crate::outcome::{FailedEntry, Fault, ProjectOutcome};
use crate::plan::Stage;
use crate::report;

/// What became of a project.
pub enum Ended<T> {
    Done(T),
    Failed(FailedEntry),
    /// An interrupt came first.
    Stopped(Vec<String>),
}

impl Batch<'_> {
    /// Runs all projects; what they ended in is in their order.
    pub fn run(&self, jobs: &[Job]) -> Vec<Ended<Record>> {
        let wanted = !self.args.quiet && !self.args.no_progress;
        let progress = BatchProgress::new(wanted, jobs.len(), jobs.iter().map(|job| job.modules).sum());
        // The large ones first, so that none of them is left for one thread at the end.
        let mut order: Vec<usize> = (0..jobs.len()).collect();
        order.sort_by_key(|index| Reverse(jobs[*index].modules));
        let all: usize = jobs.iter().map(|job| job.modules).sum();
        let run = |index: &usize| {
            // As many threads as its part of the work.
            let threads = (self.threads * jobs[*index].modules).div_ceil(all.max(1)).max(1);
            let record = self.run_one(&jobs[*index], threads)?;
            let counts = report::summarize(std::slice::from_ref(&record.outcome), 0.0);
            progress.done(jobs[*index].modules, counts.cycles, counts.fixed);
            Ok(record)
        };
        let ended = self.each(&order, |index| jobs[*index].members.clone(), run);
        let mut ended: Vec<(usize, Ended<Record>)> = order.into_iter().zip(ended).collect();
        ended.sort_by_key(|(index, _)| *index);
        ended.into_iter().map(|(_, ended)| ended).collect()
    }

    /// Does `work` for all items, several at a time; results are in the order of the items.
    pub fn each<I: Sync, T: Send>(
        &self,
        items: &[I],
        members: impl Fn(&I) -> Vec<String> + Sync,
        work: impl Fn(&I) -> anyhow::Result<T> + Sync,
    ) -> Vec<Ended<T>> {
        let attempt = |item: &I| {
            let worked = catch_unwind(AssertUnwindSafe(|| {
                unless_stopped();
                work(item)
            }));
            let failed = |error: anyhow::Error| FailedEntry {
                members: members(item),
                error: spelled_out(&error),
                hint: hint(&error),
                at: self.fault(&error),
            };
            match worked {
                Ok(Ok(done)) => Ended::Done(done),
                Ok(Err(error)) => Ended::Failed(failed(error)),
                Err(thrown) if thrown.is::<Stopped>() => Ended::Stopped(members(item)),
                Err(_) => Ended::Failed(failed(Bug.into())),
            }
        };
        let next = AtomicUsize::new(0);
        let slots: Vec<Mutex<Option<Ended<T>>>> = items.iter().map(|_| Mutex::default()).collect();
        // Threads of their own, as what waits in the pool would take up other projects meanwhile, without end.
        thread::scope(|scope| {
            for _ in 0..self.threads.min(items.len()) {
                scope.spawn(|| {
                    while let Some((item, slot)) = {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        items.get(index).zip(slots.get(index))
                    } {
                        let ended = attempt(item);
                        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(ended);
                    }
                });
            }
        });
        let ended = slots.into_iter().map(|slot| slot.into_inner().unwrap_or_else(PoisonError::into_inner));
        ended.map(|ended| ended.expect("the threads took up every item")).collect()
    }

    /// The file of an error, from the top of its repository.
    fn fault(&self, error: &anyhow::Error) -> Option<Fault> {
        let (path, line) = error.downcast_ref::<LoadError>()?.place()?;
        let (folder, name) = (path.parent()?, path.file_name()?.to_string_lossy());
        let file = match git::prefix(folder)?.as_str() {
            "" => name.into_owned(),
            prefix => format!("{prefix}/{name}"),
        };
        let error = spelled_out(error).replace(&path.display().to_string(), &file);
        Some(Fault { file, line, error })
    }

    fn run_one(&self, job: &Job, threads: usize) -> anyhow::Result<Record> {
        let loaded = self.load(&job.request, threads)?;
        if let Some(state) = &self.state
            && let Some(known) = state.find(&job.members, &fingerprint(&loaded, &[]))
        {
            return Ok(known.clone());
        }
        let here = || if loaded.project.root == "." { String::new() } else { loaded.project.root.clone() };
        let prefix = match self.scratch {
            Some(scratch) => scratch.prefix(&loaded.root),
            None => git::prefix(&loaded.root).unwrap_or_else(here),
        };
        // Of its own: in a pool of all projects, what waits would take up a large part of another one, and small projects
        // be finished with the large ones only.
        let (outcome, commits) = super::super::threads(threads)?.install(|| {
            let mut outcome = planned(self.args, &loaded.project, &[], &|_: Stage| unless_stopped()).outcome;
            outcome.changes = self.args.alter(outcome.changes);
            outcome.members = job.members.clone();
            outcome.prefix = prefix;
            // Only the page draws source.
            if self.args.html.is_none() {
                outcome.excerpts.clear();
            }
            let commits = match self.scratch {
                Some(_) => branch::commits_of(self.args, &loaded, &outcome, self.owners),
                None => Vec::new(),
            };
            (outcome, commits)
        });
        unless_stopped();
        let level = loaded.project.settings.level;
        let mut record = Record { content: String::new(), level, outcome, commits };
        if self.args.action() == Action::Apply && self.scratch.is_none() {
            self.write(job, &loaded, &mut record)?;
        } else {
            self.note(&loaded, &mut record, false)?;
        }
        Ok(record)
    }

    /// Keeps a result; `written`: whether its changes are, or are about to be, in the files.
    fn note(&self, loaded: &Loaded, record: &mut Record, written: bool) -> anyhow::Result<()> {
        let Some(state) = &self.state else { return Ok(()) };
        record.content = fingerprint(loaded, if written { &record.outcome.changes } else { &[] });
        Ok(state.note(record)?)
    }

    /// Writes a project's changes, all or none, and marks what that dissolved.
    fn write(&self, job: &Job, loaded: &Loaded, record: &mut Record) -> anyhow::Result<()> {
        let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        unless_stopped();
        if !self.args.allow_dirty && !record.outcome.changes.is_empty() {
            refuse_dirty(&own_dirty(job, loaded, &record.outcome)?)?;
        }
        mark_fixed(std::slice::from_mut(&mut record.outcome));
        // Kept first: if the write does not come about, the files are not those that the record is for.
        self.note(loaded, record, true)?;
        write::apply(&loaded.root, &record.outcome.changes)?;
        Ok(())
    }
}

/// What of a project is not committed; other projects of the run may have been written in the meantime.
fn own_dirty(job: &Job, loaded: &Loaded, outcome: &ProjectOutcome) -> Result<Vec<String>, git::GitError> {
    let touched = outcome.changes.iter().filter(|change| change.before.is_some());
    let touched: Vec<String> = touched.map(|change| change.path.clone()).collect();
    let mut files = git::dirty(&loaded.root, &touched)?;
    let prefix = git::prefix(&loaded.root).unwrap_or_default();
    let is_own = |file: &String| {
        let inside = file.strip_prefix(&prefix).unwrap_or(file).trim_start_matches('/');
        job.request.holds(&loaded.root.join(inside))
    };
    files.retain(is_own);
    Ok(files)
}
