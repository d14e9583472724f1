//! A project on the page: its figures, its cycles and its rewrite.

use std::borrow::Cow;

use super::cycle::CycleView;
use super::patch::{Patch, patches};
use super::prose::{Prose, prose};
use crate::outcome::{CommandEntry, Outcome, ProjectOutcome, Status, VerificationEntry};
use crate::report::{is_news, summarize, table, words};

pub struct ProjectView<'a> {
    pub name: Cow<'a, str>,
    pub anchor: String,
    pub modules: usize,
    pub imports: usize,
    pub cycles: Vec<CycleView>,
    /// Cycles that the page does not show.
    pub known: usize,
    pub in_cycles: usize,
    pub dissolved: usize,
    pub left: usize,
    pub crash: usize,
    pub may_crash: usize,
    pub files: usize,
    pub added: usize,
    pub removed: usize,
    pub patches: Vec<Patch>,
    pub skipped: Vec<SkippedView>,
    pub verified: Vec<Prose>,
}

pub struct SkippedView {
    pub place: String,
    pub reason: Prose,
}

/// What a project is called: its folder as the user named it, or as its repository has it; of projects that were read as one,
/// all folders.
pub fn name(project: &ProjectOutcome) -> Cow<'_, str> {
    if project.members.len() > 1 {
        return Cow::from(table::name(&project.members));
    }
    Cow::from(match (project.root.trim_end_matches('/'), project.prefix.trim_end_matches('/')) {
        ("" | ".", "" | ".") => "this folder",
        ("" | ".", prefix) => prefix,
        (root, _) => root,
    })
}

impl<'a> ProjectView<'a> {
    /// The project that comes as number `place`, after as many cycles as `number` says.
    pub fn new(outcome: &Outcome, project: &'a ProjectOutcome, place: usize, number: &mut usize) -> Self {
        // What a run did is said, of known cycles as well.
        let shown = project.cycles.iter().filter(|cycle| is_news(cycle) || cycle.status == Status::Fixed);
        let cycles: Vec<CycleView> = shown
            .map(|cycle| {
                *number += 1;
                CycleView::new(outcome, project, cycle, *number)
            })
            .collect();
        let summary = summarize(std::slice::from_ref(project), 0.0);
        let skipped = project.skipped.iter().map(|skipped| {
            let line = skipped.line.map(|line| format!(":{line}")).unwrap_or_default();
            SkippedView {
                place: format!("{}{line}", words::path(project, &skipped.file)),
                reason: prose(&skipped.reason),
            }
        });
        Self {
            name: name(project),
            anchor: format!("p{place}"),
            modules: project.modules,
            imports: project.imports,
            known: project.cycles.len() - cycles.len(),
            in_cycles: summary.modules_in_cycles_before,
            dissolved: summary.fixed,
            left: summary.left,
            crash: cycles.iter().filter(|cycle| cycle.is_sure).count(),
            may_crash: cycles.iter().filter(|cycle| !cycle.is_sure && !cycle.crash.is_empty()).count(),
            files: summary.files_changed,
            added: summary.lines_added,
            removed: summary.lines_removed,
            patches: patches(project),
            skipped: skipped.collect(),
            verified: project
                .verification
                .iter()
                .flat_map(|ran| verified(ran, !project.changes.is_empty()))
                .map(|line| prose(&line))
                .collect(),
            cycles,
        }
    }
}

/// What `--verify` ran, without the time it took; `stands` is whether a fix is left.
fn verified(ran: &VerificationEntry, stands: bool) -> Vec<String> {
    let modules = words::count(ran.modules, "module");
    let command = ran.command.as_ref().map(|command| format!("; {}", measure(command))).unwrap_or_default();
    let (version, python) = (&ran.version, &ran.python);
    let mut out = vec![match stands {
        true => format!("Python {version} (`{python}`) imported {modules} first, before and after{command}."),
        false => format!("Nothing is verified: no fix stands when Python {version} (`{python}`) runs it."),
    }];
    let unproved = ran.unproved.iter().map(|unproved| {
        format!("Not proved: this Python imports `{}` neither before nor after: {}", unproved.module, unproved.error)
    });
    out.extend(unproved.filter(|_| stands));
    out.extend(ran.unsteady.iter().map(|item| format!("Not proved: `{item}` fails by chance, with the same text")));
    out.extend(ran.refused.iter().map(|veto| format!("Left out: {}: {}", veto.title, veto.message)));
    out
}

fn measure(command: &CommandEntry) -> String {
    let tests = words::count(command.tests, "test");
    match (command.by_test, command.failed_before) {
        (false, _) => format!("`{}` succeeds", command.command),
        (true, 0) => format!("`{}` passes {tests}", command.command),
        (true, failed) => format!("`{}` passes what it passed of {tests}, {failed} failed before", command.command),
    }
}
