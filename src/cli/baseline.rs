//! `--baseline`: what of a run is new.

use std::collections::BTreeSet;
use std::path::Path;

use super::args::{Action, Args};
use crate::baseline::{Baseline, Known};
use crate::io::baseline::{self, BaselineError};
use crate::io::load::Loaded;
use crate::outcome::{BaselineEntry, Outcome, ProjectOutcome};
use crate::project::Project;

/// Holds an outcome against the baseline that the user named, and updates that if asked. Nothing without one.
pub fn apply(args: &Args, loaded: &[Loaded], outcome: &mut Outcome) -> Result<(), BaselineError> {
    let Some(path) = &args.baseline else { return Ok(()) };
    let mut file = match baseline::read(path)? {
        Some(file) => file,
        None if args.update_baseline => Baseline::default(),
        None => return Err(BaselineError::Missing(path.clone())),
    };
    let mut entry =
        BaselineEntry { file: path.display().to_string(), updated: args.update_baseline, ..Default::default() };
    for (Loaded { project, .. }, outcome) in loaded.iter().zip(&mut outcome.projects) {
        judge(args, path, project, outcome, (&mut file, &mut entry))?;
    }
    if args.update_baseline {
        baseline::write(path, &file)?;
    }
    entry.listed = file.projects.values().map(|known| known.cycles.len()).sum();
    outcome.baseline = Some(entry);
    Ok(())
}

fn judge(
    args: &Args,
    path: &Path,
    project: &Project,
    outcome: &mut ProjectOutcome,
    (file, entry): (&mut Baseline, &mut BaselineEntry),
) -> Result<(), BaselineError> {
    let level = project.settings.level;
    let key = baseline::key(path, &project.root);
    let is_seen = |modules: &BTreeSet<String>| is_seen(project, modules);
    let none = || Known { level, cycles: BTreeSet::new() };
    let mut known = file.projects.get(&key).cloned().unwrap_or_else(none);
    let remaining: Vec<Vec<String>> = match args.action() {
        Action::Apply => outcome.left.clone(),
        _ => outcome.cycles.iter().map(|cycle| cycle.modules.clone()).collect(),
    };
    if args.update_baseline {
        known = known.updated(level, remaining.iter().cloned(), &is_seen);
        // A project without cycles needs no entry.
        match known.cycles.is_empty() {
            true => drop(file.projects.remove(&key)),
            false => drop(file.projects.insert(key, known.clone())),
        }
    } else if known.level != level {
        return Err(BaselineError::Level { path: path.to_owned(), known: known.level, now: level });
    }
    known.judge(&mut outcome.cycles);
    entry.new += remaining.iter().filter(|modules| !known.holds(modules)).count();
    entry.known += remaining.iter().filter(|modules| known.holds(modules)).count();
    entry.stale.extend(known.stale(&outcome.cycles, &is_seen).into_iter().filter(|_| !args.update_baseline));
    Ok(())
}

/// Whether a run that is bound to some paths would show a cycle of these modules: one is writable, or one is gone.
fn is_seen(project: &Project, modules: &BTreeSet<String>) -> bool {
    let mut there = 0;
    for (_, module) in project.modules().filter(|(_, module)| modules.contains(&module.name)) {
        if project.file(module.file).writable {
            return true;
        }
        there += 1;
    }
    there < modules.len()
}
