//! The projects of a batch: found, surveyed, and put together where they import each other.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::args::Action;
use super::super::progress::Progress;
use super::super::{options, warn};
use super::run::Ended;
use super::{Batch, BatchError};
use crate::io::discover::{self, Named};
use crate::io::load::{self, LoadError, LoadOptions, Loaded, Request};
use crate::io::write;
use crate::links::{self, Survey};
use crate::outcome::BatchEntry;
use crate::plan::Stage;

/// A project that was found.
pub struct Unit {
    pub request: Request,
    /// Where it starts, as the user knows it.
    pub shown: String,
}

/// Projects that are read as one.
pub struct Job {
    pub request: Request,
    pub members: Vec<String>,
    pub modules: usize,
}

impl Batch<'_> {
    /// The projects. What is part of none is said.
    pub fn find(&self, named: &[Named], entry: &mut BatchEntry) -> anyhow::Result<Vec<Unit>> {
        let found = discover::discover(named, &self.args.exclude, self.threads);
        let found = found.map_err(|error| match self.scratch {
            None => error,
            Some(scratch) => scratch.moved(error),
        })?;
        let unit = |request: Request| {
            let starts: Vec<String> = request.starts.iter().map(|start| self.shown(start)).collect();
            Unit { request, shown: starts.join(" + ") }
        };
        let units: Vec<Unit> = found.projects.into_iter().map(unit).collect();
        for (path, reason) in &found.skipped {
            warn(self.args, &format!("{}: {reason}", self.shown(path)));
        }
        if units.is_empty() && entry.failed.is_empty() {
            let paths: Vec<String> = self.args.paths.iter().map(|path| format!("`{}`", path.display())).collect();
            return Err(BatchError::Nothing(paths.join(", ")).into());
        }
        entry.loose_files = found.loose.len();
        if let Some(first) = found.loose.first() {
            let (n, first) = (found.loose.len(), self.shown(first));
            warn(self.args, &format!("Python files that are part of no project were not read: {n}, e.g. {first}"));
        }
        Ok(units)
    }

    fn shown(&self, path: &Path) -> String {
        self.scratch.map_or_else(|| load::shown(path), |scratch| scratch.shown(path))
    }

    /// Reads a project with so many threads.
    pub fn load(&self, request: &Request, threads: usize) -> Result<Loaded, LoadError> {
        let adjust = |settings: &mut _| self.args.adjust(settings);
        let options = LoadOptions { jobs: Some(threads), ..options(self.args) };
        match self.scratch {
            None => request.clone().load(&options, &adjust),
            Some(scratch) => scratch.load(request.clone(), &options, &adjust),
        }
    }

    /// Undoes what earlier runs were killed at, in any folder that could have been a root; a run that writes nothing only
    /// says so.
    pub fn recover(&self, units: &[Unit], named: &[Named]) -> anyhow::Result<()> {
        let tops: Vec<PathBuf> = named.iter().filter_map(|one| one.path().canonicalize().ok()).collect();
        let mut folders = BTreeSet::new();
        for Unit { request, .. } in units {
            folders.insert(request.root.clone());
            let inside = |at: &&Path| tops.iter().any(|top| at.starts_with(top));
            folders.extend(request.root.ancestors().take_while(inside).map(Path::to_owned));
        }
        for folder in folders.iter().filter(|folder| write::interrupted(folder)) {
            let shown = self.shown(folder);
            if self.args.action() != Action::Apply {
                warn(self.args, &format!("an --apply of `{shown}` was interrupted; the next one undoes it first"));
            } else if let Some(done) = write::recover(folder)? {
                warn(self.args, &format!("{shown}: {done}"));
            }
        }
        Ok(())
    }

    /// Which projects are read as one: those that import each other, unless the user wants each by itself.
    pub fn group(&self, units: Vec<Unit>, entry: &mut BatchEntry) -> Vec<Job> {
        let progress = Progress::new(!self.args.quiet && !self.args.no_progress);
        let done = AtomicUsize::new(0);
        let survey = |unit: &Unit| {
            progress.show(Stage::Parse(done.fetch_add(1, Ordering::Relaxed), units.len()));
            let loaded = self.load(&unit.request, (self.threads / units.len().max(1)).max(1))?;
            let survey = self.pool.install(|| Survey::new(&loaded.project));
            Ok((survey, loaded.settings_file))
        };
        let mut read = Vec::new();
        for (unit, ended) in units.iter().zip(self.each(&units, |unit| vec![unit.shown.clone()], survey)) {
            match ended {
                Ended::Done((survey, settings)) => read.push((unit, survey, settings)),
                Ended::Failed(failed) => entry.failed.push(failed),
                Ended::Stopped(members) => entry.stopped.extend(members),
            }
        }
        drop(progress);
        let surveys: Vec<Survey> = read.iter().map(|(_, survey, _)| survey.clone()).collect();
        let groups = match self.args.separate {
            true => (0..surveys.len()).map(|index| vec![index]).collect(),
            false => links::groups(&surveys),
        };
        let mut jobs = Vec::new();
        for group in groups {
            let requests: Vec<Request> = group.iter().map(|index| read[*index].0.request.clone()).collect();
            let Some(request) = Request::merged(&requests) else { continue };
            if group.len() > 1 {
                let own = group.iter().filter_map(|index| read[*index].2.as_ref());
                let unused = own.filter(|file| file.parent() != Some(&request.root));
                self.warn_of_settings(&request, unused.map(|file| self.shown(file)).collect());
            }
            jobs.push(Job {
                request,
                members: group.iter().map(|index| read[*index].0.shown.clone()).collect(),
                modules: group.iter().map(|index| read[*index].1.modules).sum(),
            });
        }
        jobs
    }

    fn warn_of_settings(&self, request: &Request, unused: Vec<String>) {
        if unused.is_empty() || self.args.config.is_some() {
            return;
        }
        let root = self.shown(&request.root.join("cyclefix.toml"));
        let message = format!(
            "cyclefix settings that play no part, as projects that import each other are read as one: {}; what counts for \
             all of them is in {root}, or each is run by itself with --separate",
            unused.join(", ")
        );
        warn(self.args, &message);
    }
}
