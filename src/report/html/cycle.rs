//! A cycle on the page: its loop, pictures, crashes, imports, plan and refusals.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::import::{ImportView, Index};
use super::picture::{Figure, figures};
use super::prose::{Prose, prose};
use crate::outcome::{
    Certainty, CrashEntry, CycleEntry, FixEntry, Outcome, ProjectOutcome, RefusalEntry, Safety, Status,
};
use crate::report::text::crash;
use crate::report::{is_dissolved, words};

/// Items up to which a list is unfolded.
const UNFOLDED: usize = 20;

pub struct CycleView {
    pub number: usize,
    pub id: String,
    pub level: &'static str,
    pub size: usize,
    /// E.g. `a -> b -> a`.
    pub line: String,
    pub class: &'static str,
    pub status: &'static str,
    /// Whether it crashes; empty if not.
    pub crash: &'static str,
    pub is_sure: bool,
    pub steps: Vec<ImportView>,
    pub figures: Vec<Figure>,
    pub crashes: Vec<CrashView>,
    pub imports: Vec<ImportView>,
    pub unfold_imports: bool,
    pub modules: Vec<ModuleView>,
    pub unfold_modules: bool,
    pub joined: String,
    pub united: String,
    pub fixes: Vec<FixView>,
    pub choice: String,
    pub refusals: Vec<ReasonView>,
    pub refused: usize,
    pub pairs_removed: usize,
    pub pairs_hidden: usize,
}

pub struct CrashView {
    /// Which modules cannot be imported first.
    pub told: Prose,
    pub is_sure: bool,
    /// The module that is imported first.
    pub entry: String,
    pub traceback: String,
}

pub struct ModuleView {
    pub name: String,
    pub imports: usize,
    pub imported_by: usize,
    pub is_left: bool,
}

pub struct FixView {
    pub number: usize,
    pub strategy: String,
    pub safety: &'static str,
    pub title: Prose,
    /// Why it is unsafe.
    pub doubt: Prose,
    pub applied: bool,
    pub removes: Vec<String>,
    pub files: Vec<String>,
}

/// The refusals for one reason.
pub struct ReasonView {
    pub reason: String,
    pub places: Vec<PlaceView>,
    pub is_open: bool,
}

pub struct PlaceView {
    pub place: String,
    pub message: Prose,
    pub strategy: String,
}

impl CycleView {
    pub fn new(outcome: &Outcome, project: &ProjectOutcome, cycle: &CycleEntry, number: usize) -> Self {
        let index = Index::new(project, cycle);
        let (class, status) = match cycle.status {
            Status::Fixed => ("good", "dissolved"),
            Status::Planned => ("good", "can be dissolved"),
            Status::Found => ("bad", "found"),
            Status::Refused if cycle.fixes.iter().any(|fix| fix.applied) => ("bad", "made smaller, not dissolved"),
            Status::Refused => ("bad", "stays"),
        };
        let crash = cycle.crashes.first().map(|crash| crash.certainty);
        Self {
            number,
            id: cycle.id.clone(),
            level: cycle.level.as_str(),
            size: cycle.modules.len(),
            line: words::shortest_loop(cycle).replace("->", "\u{2192}"),
            class,
            status,
            crash: crash.map_or("", |certainty| if certainty == Certainty::Fails { "crashes" } else { "may crash" }),
            is_sure: crash == Some(Certainty::Fails),
            steps: cycle.shortest_loop.iter().map(|import| index.view(import)).collect(),
            figures: figures(project, cycle, outcome.level),
            crashes: crash::groups(&cycle.crashes).iter().map(|group| crash_view(project, group)).collect(),
            imports: cycle.imports.iter().map(|import| index.view(import)).collect(),
            unfold_imports: cycle.imports.len() <= UNFOLDED,
            modules: modules(project, cycle),
            unfold_modules: cycle.modules.len() <= UNFOLDED,
            joined: cycle.joined.join(", "),
            united: words::united(cycle, &str::to_owned),
            fixes: cycle.fixes.iter().enumerate().map(|(index, fix)| fix_view(project, index + 1, fix)).collect(),
            choice: choice(cycle),
            refusals: reasons(project, &cycle.refusals),
            refused: cycle.refusals.len(),
            pairs_removed: cycle.pairs_removed,
            pairs_hidden: cycle.pairs_hidden,
        }
    }

    /// Fixes that make up the plan.
    pub fn applied(&self) -> usize {
        self.fixes.iter().filter(|fix| fix.applied).count()
    }

    /// Files that these change.
    pub fn files(&self) -> usize {
        self.fixes.iter().filter(|fix| fix.applied).flat_map(|fix| &fix.files).collect::<BTreeSet<_>>().len()
    }
}

fn crash_view(project: &ProjectOutcome, group: &[&CrashEntry]) -> CrashView {
    let crash = crash::shown(group);
    let names: Vec<String> = group.iter().map(|crash| format!("`{}`", crash.entry)).collect();
    let is_sure = crash.certainty == Certainty::Fails;
    let told = if is_sure { "cannot be imported first" } else { "may fail, if imported first" };
    let mut traceback = format!(">>> import {}\n", crash.entry);
    if !crash.chain.is_empty() {
        traceback.push_str("Traceback (most recent call last):\n");
    }
    for frame in &crash.chain {
        let function = frame.function.as_deref().unwrap_or("<module>");
        let file = words::path(project, &frame.file);
        traceback
            .push_str(&format!("  File \"{file}\", line {}, in {function}\n    {}\n", frame.line, frame.statement));
    }
    traceback.push_str(&crash.error);
    CrashView { told: prose(&format!("{} {told}:", names.join(", "))), is_sure, entry: crash.entry.clone(), traceback }
}

fn modules(project: &ProjectOutcome, cycle: &CycleEntry) -> Vec<ModuleView> {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for import in &cycle.imports {
        counts.entry(&import.from).or_default().0 += 1;
        counts.entry(&import.to).or_default().1 += 1;
    }
    let is_left = |name: &String| project.left.iter().any(|part| part.contains(name));
    let view = |name: &String| {
        let (imports, imported_by) = counts.get(name.as_str()).copied().unwrap_or_default();
        ModuleView { name: name.clone(), imports, imported_by, is_left: is_left(name) }
    };
    cycle.modules.iter().map(view).collect()
}

fn fix_view(project: &ProjectOutcome, number: usize, fix: &FixEntry) -> FixView {
    let (title, doubt) = match fix.safety {
        Safety::Unsafe => fix.title.split_once("; unsafe: ").unwrap_or((&fix.title, "")),
        Safety::Safe => (fix.title.as_str(), ""),
    };
    let removes = fix.removes.iter().map(|import| {
        let place = words::path(project, &import.file);
        format!("{} \u{2192} {} ({place}:{})", import.from, import.to, import.line)
    });
    let mut removes: Vec<String> = removes.collect();
    removes.dedup();
    FixView {
        number,
        strategy: fix.form.as_ref().map_or_else(|| fix.strategy.clone(), |form| format!("{}, {form}", fix.strategy)),
        safety: if fix.safety == Safety::Safe { "safe" } else { "unsafe" },
        title: prose(title),
        doubt: prose(doubt),
        applied: fix.applied,
        removes,
        files: fix.files.iter().map(|file| words::path(project, file)).collect(),
    }
}

/// How good the choice of fixes is.
fn choice(cycle: &CycleEntry) -> String {
    match &cycle.plan {
        Some(_) if !is_dissolved(cycle) => String::new(),
        Some(plan) if plan.exact => format!("The choice costs {}; it is proved that no other costs less.", plan.cost),
        Some(plan) => format!("The choice costs {}; one of {} or more may exist.", plan.cost, plan.bound),
        None => String::new(),
    }
}

/// The reasons, the most frequent first, each with its places in order.
fn reasons(project: &ProjectOutcome, all: &[RefusalEntry]) -> Vec<ReasonView> {
    let mut groups: BTreeMap<&str, Vec<&RefusalEntry>> = BTreeMap::new();
    all.iter().for_each(|refusal| groups.entry(&refusal.reason).or_default().push(refusal));
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(reason, refusals)| (Reverse(refusals.len()), *reason));
    let view = |(reason, mut refusals): (&str, Vec<&RefusalEntry>)| {
        refusals.sort_by_key(|refusal| (&refusal.file, refusal.line, &refusal.message, &refusal.strategy));
        let place = |refusal: &RefusalEntry| match refusal.line {
            0 => words::path(project, &refusal.file),
            line => format!("{}:{line}", words::path(project, &refusal.file)),
        };
        let places = refusals.iter().map(|refusal| PlaceView {
            place: place(refusal),
            message: prose(&refusal.message),
            strategy: refusal.strategy.clone(),
        });
        ReasonView { reason: reason.to_owned(), places: places.collect(), is_open: all.len() <= UNFOLDED }
    };
    groups.into_iter().map(view).collect()
}
