//! `--branch` and `--patches`: the rewrite of the last commit, as commits.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;

use super::args::{Args, Commits};
use super::commits::{OfProject, Target, is_split, owners_of};
use super::{
    DIRTY, baseline, check_files, draw, exit_code, level, mark_fixed, options, print, solve, unless_closed,
    unless_stopped, warn,
};
use crate::io::git;
use crate::io::load::Loaded;
use crate::io::owners::Owners;
use crate::io::process::catch_interrupts;
use crate::io::snapshot::Snapshot;
use crate::outcome::{FileChange, NewCommit, ProjectOutcome, Step};
use crate::plan::steps;
use crate::report::{self, message};

/// Files that say how a project is read; as they are committed is how they count.
const SETTINGS: [&str; 2] = ["cyclefix.toml", "pyproject.toml"];

pub fn session(args: &Args, start: Instant) -> anyhow::Result<ExitCode> {
    catch_interrupts();
    check_files(args)?;
    let snapshot = Snapshot::take(&args.paths)?;
    let target = Target::open(args, &snapshot)?;
    let loaded = snapshot.load(&options(args), &|settings| args.adjust(settings))?;
    warn_uncommitted(args, &snapshot, loaded.iter().map(|loaded| &loaded.root));
    let mut projects = solve(args, &loaded, None)?.0;
    for (project, loaded) in projects.iter_mut().zip(&loaded) {
        project.prefix = snapshot.prefix(&loaded.root);
    }
    let of = |(loaded, outcome): (&Loaded, &ProjectOutcome)| OfProject {
        name: outcome.prefix.clone(),
        commits: commits_of(args, loaded, outcome, target.owners.as_ref()),
    };
    let commits: Vec<OfProject> = loaded.iter().zip(&projects).map(of).collect();
    unless_stopped();
    let mut outcome = report::outcome(level(args, &loaded), projects, start.elapsed().as_secs_f64());
    if target.write(args, &commits, &mut outcome)? && args.branch.is_some() {
        mark_fixed(&mut outcome.projects);
    }
    baseline::apply(args, &loaded, &mut outcome)?;
    let prefixes: Vec<String> = outcome.projects.iter().map(|project| project.prefix.clone()).collect();
    unless_closed(print(args, &outcome, &prefixes)).context("cannot write the report")?;
    draw(args, &outcome)?;
    Ok(exit_code(args.action(), &outcome))
}

/// The plan for a project as commits; the outcome's prefix leads to its root from the top of the repository.
pub fn commits_of(args: &Args, loaded: &Loaded, outcome: &ProjectOutcome, owners: Option<&Owners>) -> Vec<NewCommit> {
    let prefix = outcome.prefix.as_str();
    let commit = |step: Step| {
        let changes: Vec<FileChange> = step.changes.iter().cloned().map(|change| below(prefix, change)).collect();
        NewCommit {
            message: message::message(outcome, loaded.project.settings.level, &step),
            cycles: step.cycles.iter().map(|index| outcome.cycles[*index].id.clone()).collect(),
            owners: owners_of(owners, &mut changes.iter().map(|change| change.path.as_str())),
            changes,
        }
    };
    let key = |paths: &[&str]| {
        let paths: Vec<String> = paths.iter().map(|path| joined(prefix, path)).collect();
        owners_of(owners, &mut paths.iter().map(String::as_str))
    };
    let steps = match args.commits {
        _ if outcome.hoist.is_some() => steps::whole(outcome),
        Commits::One if !is_split(args) && args.patches.is_none() => steps::whole(outcome),
        _ => steps::steps(&loaded.project, outcome, &key),
    };
    steps.into_iter().map(commit).collect()
}

fn joined(prefix: &str, path: &str) -> String {
    if prefix.is_empty() { path.to_owned() } else { format!("{prefix}/{path}") }
}

fn below(prefix: &str, change: FileChange) -> FileChange {
    FileChange { path: joined(prefix, &change.path), ..change }
}

/// Says what of the work tree plays no part; `roots` are those of the projects, in the scratch folder.
pub fn warn_uncommitted<'r>(args: &Args, snapshot: &Snapshot, roots: impl Iterator<Item = &'r PathBuf>) {
    if snapshot.git.is_bare() {
        return;
    }
    let mut files = BTreeSet::new();
    for root in roots {
        let root = snapshot.top.join(snapshot.prefix(root));
        let settings = SETTINGS.iter().filter(|name| root.join(Path::new(name)).is_file());
        let settings: Vec<String> = settings.map(|name| (*name).to_owned()).collect();
        // A work tree that git cannot compare holds nothing that the branch depends on.
        files.extend(git::dirty(&root, &settings).unwrap_or_default());
    }
    let mut files: Vec<String> = files.into_iter().collect();
    if files.is_empty() {
        return;
    }
    let more = files.len().saturating_sub(DIRTY);
    files.truncate(DIRTY);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    warn(
        args,
        &format!(
            "the branch is made from the last commit; what is not committed plays no part: {}{more}",
            files.join(", ")
        ),
    );
}
