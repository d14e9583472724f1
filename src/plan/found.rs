//! Cycles as they are found: their modules, a shortest loop, their imports with places, and what crashes by them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use crate::graph::{Edge, Graph, counts, shortest_loop};
use crate::names::scope::MODULE;
use crate::names::{Bound, Moment, Role, Use, World};
use crate::outcome::*;
use crate::project::settings::Level;
use crate::project::{ModuleId, Skipped};
use crate::simulate::{Frame, Outcome, Simulator, Verdict};
use crate::strategy::Cycle;
use crate::syntax::{Lines, Span};

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
fn skipped(graph: &Graph) -> Vec<Skipped> {
    let project = graph.project;
    let mut out = project.skipped.clone();
    out.extend(project.files.iter().filter_map(|f| f.trouble.clone()));
    for (id, module) in project.modules() {
        if let Some(at) = graph.files[id.index()].error
            && project.file(module.file).trouble.is_none()
        {
            let file = project.file(module.file);
            out.push(Skipped {
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

/// The outcome of a project whose cycles stay as they are.
pub fn outcome(world: World, cycles: &[Cycle]) -> ProjectOutcome {
    let entries = entries(world, cycles);
    let left: Vec<Vec<String>> = entries.iter().map(|entry| entry.modules.clone()).collect();
    ProjectOutcome {
        excerpts: excerpts(world, &entries),
        cycles: ranked(entries),
        modules_in_cycles_after: left.iter().map(Vec::len).sum(),
        cycles_after: left.len(),
        left,
        ..nothing(world.graph)
    }
}

/// What surely crashes is told first, then what may.
pub fn ranked(mut entries: Vec<CycleEntry>) -> Vec<CycleEntry> {
    entries.sort_by_key(|entry| entry.crashes.first().map_or((true, None), |crash| (false, Some(crash.certainty))));
    entries
}

/// The text of the files that the loops of cycles lead through.
pub fn excerpts(world: World, entries: &[CycleEntry]) -> BTreeMap<String, Arc<str>> {
    let shown: BTreeSet<&str> = entries.iter().flat_map(|e| &e.shortest_loop).map(|i| i.file.as_str()).collect();
    let files = world.project().files.iter().filter(|file| shown.contains(file.path.as_str()));
    files.map(|file| (file.path.clone(), file.text.clone())).collect()
}

/// Cycles for which nothing is planned.
pub fn entries(world: World, cycles: &[Cycle]) -> Vec<CycleEntry> {
    let modules: Vec<ModuleId> = cycles.iter().flat_map(|cycle| &cycle.modules).copied().collect();
    let mut outcomes = Simulator::new(world).outcomes(&modules).into_iter();
    let crashes: Vec<Vec<CrashEntry>> = cycles.iter().map(|cycle| crashes(world, cycle, &mut outcomes)).collect();
    cycles.par_iter().zip(crashes).map(|(cycle, crashes)| entry(world, cycle, crashes)).collect()
}

fn entry(world: World, cycle: &Cycle, crashes: Vec<CrashEntry>) -> CycleEntry {
    let lines = &mut LineCache::default();
    let modules: Vec<String> = cycle.modules.iter().map(|m| world.project().module(*m).name.clone()).collect();
    CycleEntry {
        id: id(&modules),
        level: lowest_level(world, cycle),
        shortest_loop: shortest_loop(&cycle.modules, &cycle.edges).iter().map(|e| lines.import(world, e)).collect(),
        imports: imports(world, cycle, lines),
        after: Vec::new(),
        modules,
        crashes,
        status: Status::Found,
        fixes: Vec::new(),
        plan: None,
        pairs_removed: 0,
        pairs_hidden: 0,
        refusals: Vec::new(),
        baseline: None,
        joined: Vec::new(),
        united: Vec::new(),
    }
}

/// The modules of a component that cannot be imported first, or may not be: those that surely fail first.
fn crashes(world: World, cycle: &Cycle, outcomes: &mut impl Iterator<Item = Outcome>) -> Vec<CrashEntry> {
    let entry = |(entry, Outcome { verdict, .. }): (&ModuleId, Outcome)| {
        let certainty = if matches!(verdict, Verdict::Fails(_)) { Certainty::Fails } else { Certainty::May };
        let failure = verdict.failure()?;
        let (file, line) = place(world, failure.place());
        Some(CrashEntry {
            entry: world.project().module(*entry).name.clone(),
            certainty,
            error: failure.error.clone(),
            file,
            line,
            chain: failure.chain.iter().map(|frame| frame_entry(world, frame)).collect(),
        })
    };
    let mut found: Vec<CrashEntry> = cycle.modules.iter().zip(outcomes).filter_map(entry).collect();
    found.sort_by_key(|crash| crash.certainty);
    found
}

fn frame_entry(world: World, frame: &Frame) -> FrameEntry {
    let (file, line) = place(world, (frame.module, frame.span));
    let text = world.project().text(frame.module);
    let at = frame.span.start.min(text.len());
    let from = text[..at].rfind(['\n', '\r']).map_or(0, |end| end + 1);
    FrameEntry {
        module: world.project().module(frame.module).name.clone(),
        function: frame.function.clone(),
        file,
        line,
        statement: text[from..].lines().next().unwrap_or_default().trim().trim_start_matches('\u{feff}').to_owned(),
    }
}

/// Explicit and implicit imports of a component, those of one statement and target together.
fn imports(world: World, cycle: &Cycle, lines: &mut LineCache) -> Vec<ImportEntry> {
    let mut out: Vec<ImportEntry> = Vec::new();
    for edge in &cycle.edges {
        let entry = lines.import(world, edge);
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

/// File and line of a place.
pub fn place(world: World, (module, span): (ModuleId, Span)) -> (String, usize) {
    (path(world, module), Lines::new(world.project().text(module)).line(span.start))
}

pub fn path(world: World, module: ModuleId) -> String {
    world.project().file(world.project().module(module).file).path.clone()
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
fn lowest_level(world: World, cycle: &Cycle) -> Level {
    let whole = |level: Level| {
        let pairs = cycle.edges.iter().filter(|e| counts(level, e.kind)).map(|e| (e.from.0, e.to.0));
        crate::graph::strongly_connected(pairs).first().is_some_and(|c| c.len() == cycle.modules.len())
    };
    if !whole(Level::Eager) {
        return if whole(Level::Runtime) { Level::Runtime } else { Level::All };
    }
    if cycle.edges.iter().any(|e| e.kind == Kind::Eager && is_early(world, e)) { Level::Fragile } else { Level::Eager }
}

/// Leaves the cycles in which some import needs a name of its target at once.
pub fn retain_fragile(world: World, cycles: &mut Vec<Cycle>) {
    cycles.retain(|cycle| cycle.edges.iter().any(|edge| is_early(world, edge)));
}

/// Whether an eager import needs a name of its target at once.
fn is_early(world: World, edge: &Edge) -> bool {
    binding(world, edge) == Some(Binding::Early)
}

fn binding(world: World, edge: &Edge) -> Option<Binding> {
    if edge.kind != Kind::Eager {
        return None;
    }
    let site = world.graph.site(edge.from, edge.site);
    if edge.implicit {
        return Some(Binding::Late);
    }
    let target = world.graph.targets[edge.from.index()][edge.site];
    if site.star || (site.name.is_some() && target.is_some_and(|t| !t.is_module)) {
        return Some(Binding::Early);
    }
    let file = world.names.file(edge.from);
    let early = site.bound().is_some_and(|name| {
        file.uses_of(name).any(|u| {
            u.moment == Moment::Import
                && !u.attributes.is_empty()
                && match u.role {
                    Role::Quoted(_) => false,
                    Role::Annotation(_) => !file.postponed,
                    _ => true,
                }
                && reads(world, edge, u)
        })
    });
    Some(if early { Binding::Early } else { Binding::Late })
}

/// Whether a use reads an attribute of the edge's target.
fn reads(world: World, edge: &Edge, used: &Use) -> bool {
    let attributes: Vec<&str> = used.attributes.iter().map(|a| a.text).collect();
    let trace = world.trace(edge.from, MODULE, used.name, &attributes);
    trace.reads.iter().any(|(module, name)| {
        *module == edge.to
            && world.names.file(*module).bindings(name).iter().any(|b| !matches!(b.what, Bound::Declared))
    })
}

/// Lines of files already looked at.
#[derive(Default)]
pub struct LineCache {
    lines: BTreeMap<ModuleId, Arc<Lines>>,
}

impl LineCache {
    /// An import as the report shows it.
    pub fn import(&mut self, world: World, edge: &Edge) -> ImportEntry {
        let project = world.project();
        let text = project.text(edge.from);
        let lines = self.lines.entry(edge.from).or_insert_with(|| Arc::new(Lines::new(text)));
        let site = world.graph.site(edge.from, edge.site);
        let (line, column) = lines.position(text, site.stmt.start);
        ImportEntry {
            from: project.module(edge.from).name.clone(),
            to: project.module(edge.to).name.clone(),
            kind: edge.kind,
            implicit: edge.implicit,
            binding: binding(world, edge),
            file: path(world, edge.from),
            line,
            column,
            names: vec![site.shown().to_owned()],
            span: site.stmt.range(),
        }
    }
}
