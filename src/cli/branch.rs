//! `--apply --branch`: the rewrite of the last commit, as commits on a new branch.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;

use super::args::{Args, Commits};
use super::{DIRTY, baseline, draw, exit_code, level, mark_fixed, options, print, solve, unless_closed, warn};
use crate::io::branch::{NewBranch, Oid};
use crate::io::git;
use crate::io::load::Loaded;
use crate::io::snapshot::Snapshot;
use crate::outcome::{BranchEntry, CommitEntry, FileChange, NewCommit, ProjectOutcome, Step};
use crate::plan::steps;
use crate::report::{self, message};

/// Files that say how a project is read; as they are committed is how they count.
const SETTINGS: [&str; 2] = ["cyclefix.toml", "pyproject.toml"];

pub fn session(args: &Args, name: &str, start: Instant) -> anyhow::Result<ExitCode> {
    let snapshot = Snapshot::take(&args.paths)?;
    let branch = NewBranch::check(&snapshot.git, &snapshot.top, name, args.force_branch)?;
    let loaded = snapshot.load(&options(args), &|settings| args.adjust(settings))?;
    warn_uncommitted(args, &snapshot, loaded.iter().map(|loaded| &loaded.root));
    let mut projects = solve(args, &loaded, None)?;
    let of = |(loaded, outcome)| commits_of(args, loaded, outcome, &snapshot.prefix(&loaded.root));
    let commits: Vec<NewCommit> = loaded.iter().zip(&projects).flat_map(of).collect();
    let made = write(args, &branch, name, snapshot.base, &commits)?;
    if made.is_some() {
        mark_fixed(&mut projects);
    }
    for (project, loaded) in projects.iter_mut().zip(&loaded) {
        project.prefix = snapshot.prefix(&loaded.root);
    }
    let mut outcome = report::outcome(level(args, &loaded), projects, start.elapsed().as_secs_f64());
    outcome.branch = made;
    baseline::apply(args, &loaded, &mut outcome)?;
    let prefixes: Vec<String> = outcome.projects.iter().map(|project| project.prefix.clone()).collect();
    unless_closed(print(args, &outcome, &prefixes)).context("cannot write the report")?;
    draw(args, &outcome)?;
    Ok(exit_code(args.action(), &outcome))
}

/// Writes the commits to the branch; `None` if there are none.
pub fn write(
    args: &Args,
    branch: &NewBranch,
    name: &str,
    base: Oid,
    commits: &[NewCommit],
) -> anyhow::Result<Option<BranchEntry>> {
    if commits.is_empty() {
        warn(args, &format!("there is nothing to commit, so that the branch `{name}` was not made"));
        return Ok(None);
    }
    let ids = branch.write(base, commits)?;
    let entry = |(commit, id): (&NewCommit, Oid)| CommitEntry {
        id: id.to_string(),
        title: commit.title().to_owned(),
        cycles: commit.cycles.clone(),
    };
    let commits = commits.iter().zip(ids).map(entry).collect();
    Ok(Some(BranchEntry { name: name.to_owned(), base: base.to_string(), commits }))
}

/// The plan for a project as commits; `prefix` leads to its root from the top of the repository.
pub fn commits_of(args: &Args, loaded: &Loaded, outcome: &ProjectOutcome, prefix: &str) -> Vec<NewCommit> {
    let commit = |step: Step| NewCommit {
        message: message::message(outcome, loaded.project.settings.level, &step),
        cycles: step.cycles.iter().map(|index| outcome.cycles[*index].id.clone()).collect(),
        changes: step.changes.into_iter().map(|change| below(prefix, change)).collect(),
    };
    steps_of(args, loaded, outcome).into_iter().map(commit).collect()
}

fn steps_of(args: &Args, loaded: &Loaded, outcome: &ProjectOutcome) -> Vec<Step> {
    match args.commits {
        Commits::Cycle if outcome.hoist.is_none() => steps::steps(&loaded.project, outcome),
        _ => steps::whole(outcome),
    }
}

fn below(prefix: &str, change: FileChange) -> FileChange {
    let path = if prefix.is_empty() { change.path } else { format!("{prefix}/{}", change.path) };
    FileChange { path, ..change }
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
