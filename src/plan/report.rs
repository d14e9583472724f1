//! The outcome of a plan: cycles as they were found, what was done for each, and what is left.

use std::collections::{BTreeMap, BTreeSet};

use super::found::{self, LineCache, excerpts, nothing, path, place, ranked};
use super::{ImportKey, Plan, Planned, Refused, State};
use crate::graph::{Edge, Graph, counts};
use crate::outcome::*;
use crate::project::settings::Level;
use crate::project::{ModuleId, Project};
use crate::strategy::{Context, Cycle, Fix, Refusal};

/// An import that a fix removes, as the report shows it.
pub type Removed = ImportEntry;

pub fn outcome(ctx: &Context, found: &[Cycle], plan: Plan, after: Option<&State>) -> ProjectOutcome {
    let project = ctx.project();
    let level = project.settings.level;
    let left: Vec<Vec<ModuleId>> = match after {
        None => found.iter().map(|c| c.modules.clone()).collect(),
        Some(state) => state.cycles(level).into_iter().map(|c| c.modules).collect(),
    };
    let still: BTreeSet<ModuleId> = left.iter().flatten().copied().collect();
    let stuck: BTreeSet<&str> = still.iter().map(|m| project.module(*m).name.as_str()).collect();
    // What an accepted fix removed needs no excuse; nor does what is no longer part of a cycle.
    let removed = plan.planned.iter().filter(|p| p.applied).flat_map(|p| &p.removes);
    let fixed: BTreeSet<(&str, &str)> = removed.map(|r| (r.from.as_str(), r.names[0].as_str())).collect();
    let is_told =
        |r: &Refused| stuck.contains(r.key.0.as_str()) && !fixed.contains(&(r.key.0.as_str(), r.key.2.as_str()));
    let entry = |(cycle, found): (&Cycle, CycleEntry)| {
        let mut entry = entry(cycle, found, &plan, &still, &is_told);
        (entry.pairs_removed, entry.pairs_hidden) =
            after.map_or((0, 0), |state| pairs_gone(cycle, &state.graph, level));
        entry.after = links(ctx.world.graph, cycle, after.map_or(ctx.world.graph, |state| &state.graph));
        entry
    };
    let entries: Vec<CycleEntry> = found.iter().zip(found::entries(ctx.world, found)).map(entry).collect();
    let end = after.map_or(project, |state| state.graph.project);
    let names = |modules: &Vec<ModuleId>| modules.iter().map(|m| end.module(*m).name.clone()).collect();
    ProjectOutcome {
        left: left.iter().map(names).collect(),
        excerpts: excerpts(ctx.world, &entries),
        cycles: ranked(entries),
        changes: after.map_or_else(Vec::new, |state| changes(project, state.graph.project)),
        modules_in_cycles_after: still.len(),
        cycles_after: left.len(),
        ..nothing(ctx.world.graph)
    }
}

/// The pairs of modules of a cycle whose counted imports are all gone: those with no other import left, and those with one.
fn pairs_gone(cycle: &Cycle, after: &Graph, level: Level) -> (usize, usize) {
    let pairs: BTreeSet<(ModuleId, ModuleId)> = cycle.edges.iter().map(|e| (e.from, e.to)).collect();
    let (mut removed, mut hidden) = (0, 0);
    for (from, to) in pairs {
        let left = || after.edges_of(from).iter().filter(|e| e.to == to);
        if !left().any(|e| counts(level, e.kind)) {
            *if left().next().is_none() { &mut removed } else { &mut hidden } += 1;
        }
    }
    (removed, hidden)
}

/// What the modules of a cycle, and new ones, import of each other afterwards, and what else they import anew.
fn links(before: &Graph, cycle: &Cycle, after: &Graph) -> Vec<LinkEntry> {
    let members: BTreeSet<ModuleId> = cycle.modules.iter().copied().collect();
    let is_new = |module: ModuleId| module.index() >= before.project.tree.modules.len();
    let gained = |edge: &&Edge| {
        members.contains(&edge.to) || is_new(edge.to) || !before.edges_of(edge.from).iter().any(|b| b.to == edge.to)
    };
    let mut pairs: BTreeMap<(ModuleId, ModuleId), Kind> = BTreeMap::new();
    let mut waiting: Vec<ModuleId> = cycle.modules.clone();
    let mut seen = members.clone();
    while let Some(module) = waiting.pop() {
        let back =
            |edge: &&Edge| if is_new(module) { members.contains(&edge.to) || is_new(edge.to) } else { gained(edge) };
        for edge in after.edges_of(module).iter().filter(back) {
            let kind = pairs.entry((edge.from, edge.to)).or_insert(edge.kind);
            *kind = (*kind).min(edge.kind);
            if is_new(edge.to) && seen.insert(edge.to) {
                waiting.push(edge.to);
            }
        }
    }
    let name = |module: ModuleId| after.project.module(module).name.clone();
    let link = |((from, to), kind)| LinkEntry { from: name(from), to: name(to), kind };
    let mut out: Vec<LinkEntry> = pairs.into_iter().map(link).collect();
    out.sort();
    out
}

pub fn changes(before: &Project, after: &Project) -> Vec<FileChange> {
    let mut out = Vec::new();
    for (index, file) in after.files.iter().enumerate() {
        match before.files.get(index) {
            Some(old) if file.path.is_empty() => {
                out.push(FileChange { path: old.path.clone(), before: Some(old.text.clone()), after: None });
            }
            Some(old) if old.text != file.text => out.push(FileChange {
                path: old.path.clone(),
                before: Some(old.text.clone()),
                after: Some(file.text.clone()),
            }),
            Some(_) => {}
            None => out.push(FileChange { path: file.path.clone(), before: None, after: Some(file.text.clone()) }),
        }
    }
    out.sort_by(|a, b| a.path.cmp(&b.path));
    out
}

/// A cycle as it was found, with what becomes of it.
fn entry(
    cycle: &Cycle,
    found: CycleEntry,
    plan: &Plan,
    still: &BTreeSet<ModuleId>,
    is_told: &dyn Fn(&Refused) -> bool,
) -> CycleEntry {
    let members: BTreeSet<ModuleId> = cycle.modules.iter().copied().collect();
    let gone = !cycle.modules.iter().any(|m| still.contains(m));
    let mine = |p: &&Planned| p.modules.iter().any(|m| members.contains(m));
    let fixes: Vec<FixEntry> = plan.planned.iter().filter(mine).map(fix_entry).collect();
    let names: BTreeSet<&str> = found.modules.iter().map(String::as_str).collect();
    let refused = |name: &&str| plan.refused.range(first_key(name)..).map(|(_, refused)| refused);
    let refusals = names
        .iter()
        .flat_map(|name| refused(name).take_while(|r| r.key.0 == **name))
        .filter(|r| is_told(r))
        .map(|r| RefusalEntry {
            strategy: r.refusal.strategy.to_owned(),
            reason: r.refusal.reason.id().to_owned(),
            message: format!("`{}` in `{}`: {}", r.key.2, r.key.0, r.refusal.message),
            file: r.file.clone(),
            line: r.line,
            import: (r.key.0.clone(), r.key.2.clone()),
        })
        .collect();
    CycleEntry {
        status: if gone { Status::Planned } else { Status::Refused },
        fixes,
        plan: plan.choices.iter().find(|(of, _)| of.iter().any(|m| members.contains(m))).map(|(_, choice)| *choice),
        refusals,
        ..found
    }
}

/// Comes before the keys of all refusals of a module.
fn first_key(module: &str) -> (ImportKey, &'static str) {
    ((module.to_owned(), String::new(), String::new()), "")
}

pub fn fix_entry(planned: &Planned) -> FixEntry {
    let fix = &planned.fix;
    let title = match &fix.doubt {
        Some(doubt) => format!("{}; unsafe: {doubt}", fix.title),
        None => fix.title.clone(),
    };
    FixEntry {
        strategy: fix.strategy.to_owned(),
        form: fix.form.map(str::to_owned),
        safety: fix.safety,
        title,
        removes: planned.removes.clone(),
        files: planned.files.clone(),
        applied: planned.applied,
    }
}

/// Why an import stays in its function.
pub fn hoist_refusal(ctx: &Context, refusal: Refusal) -> RefusalEntry {
    let (file, line) = place(ctx.world, refusal.at);
    let site = ctx.world.graph.site(refusal.import.module, refusal.import.site);
    let here = &ctx.project().module(refusal.import.module).name;
    RefusalEntry {
        strategy: refusal.strategy.to_owned(),
        reason: refusal.reason.id().to_owned(),
        message: format!("`{}` in `{here}`: {}", site.shown(), refusal.message),
        file,
        line,
        import: (here.clone(), site.shown().to_owned()),
    }
}

/// The files that a fix changes or brings.
pub fn files(ctx: &Context, fix: &Fix) -> Vec<String> {
    let changed: BTreeSet<ModuleId> = fix.intents.iter().map(|(module, _)| *module).collect();
    let all = changed.into_iter().map(|m| path(ctx.world, m)).chain(fix.creates.iter().map(|f| f.path.clone()));
    all.collect::<BTreeSet<String>>().into_iter().collect()
}

/// The edges that a fix takes away.
pub fn removed(ctx: &Context, fix: &Fix) -> Vec<Removed> {
    let mut lines = LineCache::default();
    let mut out = Vec::new();
    for import in &fix.removes {
        let edges = ctx.world.graph.edges_of(import.module).iter().filter(|e| e.site == import.site);
        out.extend(edges.map(|e| lines.import(ctx.world, e)));
    }
    out
}
