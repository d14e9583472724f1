//! The outcome of a plan: cycles as they were found, what was done for each, and what is left.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Plan, Planned, State};
use crate::graph::{Edge, Graph, counts, shortest_loop};
use crate::names::scope::MODULE;
use crate::names::{Bound, Moment, Role};
use crate::outcome::*;
use crate::project::settings::Level;
use crate::project::{ModuleId, Project};
use crate::simulate::{Frame, Outcome, Simulator, Verdict};
use crate::strategy::{Context, Cycle, Fix, Refusal};
use crate::syntax::{Lines, Span};

/// An import that a fix removes, as the report shows it.
pub type Removed = ImportEntry;

/// The outcome of a project without cycles.
pub fn nothing(graph: &Graph) -> ProjectOutcome {
    ProjectOutcome {
        root: graph.project.root.clone(),
        members: Vec::new(),
        source_roots: graph.project.tree.roots.clone(),
        modules: graph.project.tree.modules.len(),
        imports: graph.import_count(),
        skipped: skipped(graph),
        cycles: Vec::new(),
        changes: Vec::new(),
        hoist: None,
        verification: None,
        excerpts: BTreeMap::new(),
        modules_in_cycles_after: 0,
        cycles_after: 0,
        left: Vec::new(),
        prefix: String::new(),
    }
}

/// Files that were not read, or not in full.
fn skipped(graph: &Graph) -> Vec<crate::project::Skipped> {
    let project = graph.project;
    let mut out = project.skipped.clone();
    out.extend(project.files.iter().filter_map(|f| f.trouble.clone()));
    for (id, module) in project.modules() {
        if let Some(at) = graph.files[id.index()].error
            && project.file(module.file).trouble.is_none()
        {
            let file = project.file(module.file);
            out.push(crate::project::Skipped {
                file: file.path.clone(),
                line: Some(Lines::new(&file.text).line(at.min(file.text.len()))),
                reason:
                    "holds text that is not valid Python 3, or newer than the parser: read as far as possible, never \
                         rewritten"
                        .to_owned(),
            });
        }
    }
    out.sort();
    out.dedup();
    out
}

pub fn outcome(ctx: &Context, found: &[Cycle], plan: Plan, after: Option<&State>) -> ProjectOutcome {
    let project = ctx.project();
    let level = project.settings.level;
    let left: Vec<Vec<ModuleId>> = match after {
        None => found.iter().map(|c| c.modules.clone()).collect(),
        Some(state) => state.cycles(level).into_iter().map(|c| c.modules).collect(),
    };
    let still: BTreeSet<ModuleId> = left.iter().flatten().copied().collect();
    let mut lines = LineCache::default();
    let mut excerpts = BTreeMap::new();
    let mut entries: Vec<CycleEntry> = Vec::new();
    for cycle in found {
        let mut entry = entry(ctx, cycle, &plan, &still, &mut lines);
        (entry.pairs_removed, entry.pairs_hidden) =
            after.map_or((0, 0), |state| pairs_gone(cycle, &state.graph, level));
        entry.after = links(ctx.world.graph, cycle, after.map_or(ctx.world.graph, |state| &state.graph));
        for import in &entry.shortest_loop {
            if let Some(file) = project.files.iter().find(|f| f.path == import.file) {
                excerpts.insert(import.file.clone(), file.text.clone());
            }
        }
        entries.push(entry);
    }
    // What surely crashes is told first, then what may.
    entries.sort_by_key(|entry| entry.crashes.first().map_or((true, None), |crash| (false, Some(crash.certainty))));
    let end = after.map_or(project, |state| state.graph.project);
    let names = |modules: &Vec<ModuleId>| modules.iter().map(|m| end.module(*m).name.clone()).collect();
    ProjectOutcome {
        left: left.iter().map(names).collect(),
        cycles: entries,
        changes: after.map_or_else(Vec::new, |state| changes(project, state.graph.project)),
        excerpts,
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

fn entry(ctx: &Context, cycle: &Cycle, plan: &Plan, still: &BTreeSet<ModuleId>, lines: &mut LineCache) -> CycleEntry {
    let project = ctx.project();
    let modules: Vec<String> = cycle.modules.iter().map(|m| project.module(*m).name.clone()).collect();
    let members: BTreeSet<ModuleId> = cycle.modules.iter().copied().collect();
    let gone = !cycle.modules.iter().any(|m| still.contains(m));
    let mine = |p: &&Planned| p.modules.iter().any(|m| members.contains(m));
    let fixes: Vec<FixEntry> = plan.planned.iter().filter(mine).map(fix_entry).collect();
    let names: BTreeSet<&str> = modules.iter().map(String::as_str).collect();
    // What an accepted fix removed needs no excuse; nor does what is no longer part of a cycle.
    let fixed: BTreeSet<(&str, &str)> = plan
        .planned
        .iter()
        .filter(|p| p.applied)
        .flat_map(|p| p.removes.iter().map(|r| (r.from.as_str(), r.names[0].as_str())))
        .collect();
    let stuck: BTreeSet<&str> = still.iter().map(|m| project.module(*m).name.as_str()).collect();
    let refusals = plan
        .refused
        .values()
        .filter(|r| names.contains(r.key.0.as_str()) && stuck.contains(r.key.0.as_str()))
        .filter(|r| !fixed.contains(&(r.key.0.as_str(), r.key.2.as_str())))
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
        id: id(&modules),
        level: lowest_level(ctx, cycle),
        shortest_loop: shortest_loop(&cycle.modules, &cycle.edges).iter().map(|e| lines.import(ctx, e)).collect(),
        imports: imports(ctx, cycle, lines),
        after: Vec::new(),
        modules,
        crashes: crashes(ctx, cycle),
        status: if gone { Status::Planned } else { Status::Refused },
        fixes,
        plan: plan.choices.iter().find(|(of, _)| of.iter().any(|m| members.contains(m))).map(|(_, choice)| *choice),
        pairs_removed: 0,
        pairs_hidden: 0,
        refusals,
        baseline: None,
        joined: Vec::new(),
    }
}

/// The modules of a component that cannot be imported first, or may not be: those that surely fail first.
fn crashes(ctx: &Context, cycle: &Cycle) -> Vec<CrashEntry> {
    let outcomes = Simulator::new(ctx.world).outcomes(&cycle.modules);
    let entry = |(entry, Outcome { verdict, .. }): (&ModuleId, Outcome)| {
        let certainty = if matches!(verdict, Verdict::Fails(_)) { Certainty::Fails } else { Certainty::May };
        let failure = verdict.failure()?;
        let (file, line) = place(ctx, failure.place());
        Some(CrashEntry {
            entry: ctx.project().module(*entry).name.clone(),
            certainty,
            error: failure.error.clone(),
            file,
            line,
            chain: failure.chain.iter().map(|frame| frame_entry(ctx, frame)).collect(),
        })
    };
    let mut found: Vec<CrashEntry> = cycle.modules.iter().zip(outcomes).filter_map(entry).collect();
    found.sort_by_key(|crash| crash.certainty);
    found
}

fn frame_entry(ctx: &Context, frame: &Frame) -> FrameEntry {
    let (file, line) = place(ctx, (frame.module, frame.span));
    let text = ctx.project().text(frame.module);
    let from = frame.span.start.min(text.len());
    FrameEntry {
        module: ctx.project().module(frame.module).name.clone(),
        function: frame.function.clone(),
        file,
        line,
        statement: text[from..].lines().next().unwrap_or_default().trim_end().to_owned(),
    }
}

/// Explicit and implicit imports of a component, those of one statement and target together.
fn imports(ctx: &Context, cycle: &Cycle, lines: &mut LineCache) -> Vec<ImportEntry> {
    let mut out: Vec<ImportEntry> = Vec::new();
    for edge in &cycle.edges {
        let entry = lines.import(ctx, edge);
        match out
            .iter_mut()
            .find(|o| o.span == entry.span && o.file == entry.file && o.to == entry.to && o.implicit == entry.implicit)
        {
            Some(same) => {
                if !same.names.contains(&entry.names[0]) {
                    same.names.extend(entry.names);
                }
                same.binding = same.binding.min(entry.binding);
            }
            None => out.push(entry),
        }
    }
    out
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
    let (file, line) = place(ctx, refusal.at);
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
    let all = changed.into_iter().map(|m| path(ctx, m)).chain(fix.creates.iter().map(|f| f.path.clone()));
    all.collect::<BTreeSet<String>>().into_iter().collect()
}

/// The edges that a fix takes away.
pub fn removed(ctx: &Context, fix: &Fix) -> Vec<Removed> {
    let mut lines = LineCache::default();
    let mut out = Vec::new();
    for import in &fix.removes {
        let edges = ctx.world.graph.edges_of(import.module).iter().filter(|e| e.site == import.site);
        out.extend(edges.map(|e| lines.import(ctx, e)));
    }
    out
}

/// File and line of a place.
pub fn place(ctx: &Context, (module, span): (ModuleId, Span)) -> (String, usize) {
    (path(ctx, module), Lines::new(ctx.project().text(module)).line(span.start))
}

fn path(ctx: &Context, module: ModuleId) -> String {
    ctx.project().file(ctx.project().module(module).file).path.clone()
}

/// A hash of the modules' names (FNV-1a): it does not change with lines, and a module that joins changes it.
fn id(modules: &[String]) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in modules.iter().flat_map(|m| m.bytes().chain([0])) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    format!("{:012x}", hash >> 16)
}

/// The lowest level at which the modules are one cycle.
fn lowest_level(ctx: &Context, cycle: &Cycle) -> Level {
    let whole = |level: Level| {
        let pairs = cycle.edges.iter().filter(|e| counts(level, e.kind)).map(|e| (e.from.0, e.to.0));
        crate::graph::strongly_connected(pairs).first().is_some_and(|c| c.len() == cycle.modules.len())
    };
    if !whole(Level::Eager) {
        return if whole(Level::Runtime) { Level::Runtime } else { Level::All };
    }
    if cycle.edges.iter().any(|e| e.kind == Kind::Eager && is_early(ctx, e)) { Level::Fragile } else { Level::Eager }
}

/// Whether an eager import needs a name of its target at once.
pub fn is_early(ctx: &Context, edge: &Edge) -> bool {
    binding(ctx, edge) == Some(Binding::Early)
}

fn binding(ctx: &Context, edge: &Edge) -> Option<Binding> {
    if edge.kind != Kind::Eager {
        return None;
    }
    let site = ctx.world.graph.site(edge.from, edge.site);
    if edge.implicit {
        return Some(Binding::Late);
    }
    let target = ctx.world.graph.targets[edge.from.index()][edge.site];
    if site.star || (site.name.is_some() && target.is_some_and(|t| !t.is_module)) {
        return Some(Binding::Early);
    }
    let file = ctx.world.names.file(edge.from);
    let early = site.bound().is_some_and(|name| {
        file.uses_of(name).any(|u| {
            u.moment == Moment::Import
                && !u.attributes.is_empty()
                && match u.role {
                    Role::Quoted(_) => false,
                    Role::Annotation(_) => !file.postponed,
                    _ => true,
                }
                && reads(ctx, edge, u)
        })
    });
    Some(if early { Binding::Early } else { Binding::Late })
}

/// Whether a use reads an attribute of the edge's target.
fn reads(ctx: &Context, edge: &Edge, used: &crate::names::Use) -> bool {
    let attributes: Vec<&str> = used.attributes.iter().map(|a| a.text).collect();
    let trace = ctx.world.trace(edge.from, MODULE, used.name, &attributes);
    trace.reads.iter().any(|(module, name)| {
        *module == edge.to
            && ctx.world.names.file(*module).bindings(name).iter().any(|b| !matches!(b.what, Bound::Declared))
    })
}

/// Lines of files already looked at.
#[derive(Default)]
struct LineCache {
    lines: BTreeMap<ModuleId, Arc<Lines>>,
}

impl LineCache {
    fn import(&mut self, ctx: &Context, edge: &Edge) -> ImportEntry {
        let project = ctx.project();
        let text = project.text(edge.from);
        let lines = self.lines.entry(edge.from).or_insert_with(|| Arc::new(Lines::new(text)));
        let site = ctx.world.graph.site(edge.from, edge.site);
        let (line, column) = lines.position(text, site.stmt.start);
        ImportEntry {
            from: project.module(edge.from).name.clone(),
            to: project.module(edge.to).name.clone(),
            kind: edge.kind,
            implicit: edge.implicit,
            binding: binding(ctx, edge),
            file: path(ctx, edge.from),
            line,
            column,
            names: vec![site.shown().to_owned()],
            span: site.stmt.range(),
        }
    }
}
