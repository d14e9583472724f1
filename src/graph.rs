//! The import graph: which module imports which, when, and what of it runs in circles.

mod components;
mod incoming;
mod reach;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, OnceLock};

use rayon::iter::Either;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::outcome::Kind;
use crate::project::resolve::{Resolver, Shadowed, Target, absolute, is_at_or_below};
use crate::project::settings::Level;
use crate::project::{Module, ModuleId, ModuleSet, Project};
use crate::skim::skim;
use crate::syntax::imports::{FileImports, ImportSite, Place, imports};
use crate::syntax::parse;
pub use components::strongly_connected;
use incoming::Incoming;
use reach::Reach;

/// One import of a module of the project by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    pub from: ModuleId,
    pub to: ModuleId,
    /// Index into the sites of `from`.
    pub site: usize,
    /// Runs a package above what is imported.
    pub implicit: bool,
    pub kind: Kind,
}

/// All imports of a project. Edges are sorted, so that every order derived from them is the same on every run.
#[derive(Debug)]
pub struct Graph<'p> {
    pub project: &'p Project,
    /// By module.
    pub files: Vec<Arc<FileImports<'p>>>,
    /// By module and site.
    pub targets: Vec<Vec<Option<Target>>>,
    pub edges: Vec<Edge>,
    /// By module: the names that its `__getattr__` loads (PEP 562), with the sites under TYPE_CHECKING that say from where.
    on_demand: Vec<BTreeMap<&'p str, usize>>,
    /// Where the edges of each module begin.
    first: Vec<usize>,
    shadowed: Shadowed,
    /// By module, all that runs when it is imported first, once somebody asked.
    loads: Vec<OnceLock<ModuleSet>>,
    reach: OnceLock<Reach>,
    incoming: OnceLock<Incoming>,
}

impl<'p> Graph<'p> {
    /// The imports of every module as the skim sees them: what only the tree tells is missing, be it a syntax error or what
    /// `__all__` lists. `done` is called once a file.
    pub fn skimmed(project: &'p Project, done: &(dyn Fn() + Sync)) -> Self {
        Self::read(project, |text| {
            done();
            skim(text).unwrap_or_else(|| imports(&parse(text)))
        })
    }

    /// The imports of every module as the tree has them.
    pub fn parsed(project: &'p Project) -> Self {
        Self::read(project, |text| imports(&parse(text)))
    }

    fn read(project: &'p Project, imports: impl Fn(&'p str) -> FileImports<'p> + Sync) -> Self {
        let read = |module: &'p Module| Arc::new(imports(&project.file(module.file).text));
        Self::link(project, project.tree.modules.par_iter().map(read).collect(), None)
    }

    /// The graph of `project` after a change, of which these are the imports.
    pub fn with_files(&self, project: &'p Project, files: Vec<Arc<FileImports<'p>>>) -> Self {
        Self::link(project, files, Some(self))
    }

    /// Takes in some files as the tree has them.
    pub fn replace(&mut self, some: Vec<(ModuleId, Arc<FileImports<'p>>)>) {
        let mut files = self.files.clone();
        some.into_iter().for_each(|(module, imports)| files[module.index()] = imports);
        self.refine(files);
    }

    /// Takes in files as the tree has them. Where that reads other imports than the skim did, they are linked anew.
    pub fn refine(&mut self, files: Vec<Arc<FileImports<'p>>>) {
        let same = |(old, new): (&Arc<FileImports>, &Arc<FileImports>)| {
            Arc::ptr_eq(old, new) || old.sites == new.sites && old.bound == new.bound
        };
        if self.files.par_iter().zip(&files).all(same) {
            self.files = files;
        } else {
            *self = Self::link(self.project, files, None);
        }
    }

    /// Leads imports to modules. What is the same as in a state `before` is taken from there.
    fn link(project: &'p Project, files: Vec<Arc<FileImports<'p>>>, before: Option<&Self>) -> Self {
        let shadowed = shadowed(project, &files);
        let same_names = |b: &&Self| Arc::ptr_eq(&b.project.tree, &project.tree) && b.shadowed == shadowed;
        let before = before.filter(same_names);
        let same = |index: usize| before.filter(|b| Arc::ptr_eq(&b.files[index], &files[index]));
        let resolver = Resolver { tree: &project.tree, shadowed: &shadowed };
        let modules = || project.tree.modules.par_iter().enumerate();
        let targets: Vec<Vec<Option<Target>>> = modules()
            .map(|(index, _)| match same(index) {
                Some(before) => before.targets[index].clone(),
                None => {
                    let from = ModuleId(index as u32);
                    files[index].sites.iter().map(|site| target(&resolver, project, from, site)).collect()
                }
            })
            .collect();
        let on_demand: Vec<BTreeMap<&str, usize>> = files.par_iter().map(|f| served(f)).collect();
        // What a module serves on demand shows in the edges of those that ask it.
        let serves =
            |index: usize| !on_demand[index].is_empty() || before.is_some_and(|b| !b.on_demand[index].is_empty());
        let before = before.filter(|_| !(0..files.len()).any(|index| same(index).is_none() && serves(index)));
        let same = |index: usize| before.filter(|b| Arc::ptr_eq(&b.files[index], &files[index]));
        let linked = Linked { project, files: &files, targets: &targets, on_demand: &on_demand };
        let by_module: Vec<Vec<Edge>> = modules()
            .map(|(index, _)| {
                let module = ModuleId(index as u32);
                same(index).map_or_else(|| linked.edges(module), |before| before.edges_of(module).to_vec())
            })
            .collect();
        let mut first = vec![0];
        first.extend(by_module.iter().scan(0, |all, edges| {
            *all += edges.len();
            Some(*all)
        }));
        let edges = by_module.concat();
        let loads = files.iter().map(|_| OnceLock::new()).collect();
        let (reach, incoming) = (OnceLock::new(), OnceLock::new());
        Self { project, files, targets, edges, on_demand, first, shadowed, loads, reach, incoming }
    }

    /// The site under TYPE_CHECKING of a name that a module's `__getattr__` loads when it is asked for.
    pub fn served(&self, module: ModuleId, name: &str) -> Option<usize> {
        self.on_demand[module.index()].get(name).copied()
    }

    pub fn site(&self, module: ModuleId, site: usize) -> &ImportSite<'p> {
        &self.files[module.index()].sites[site]
    }

    pub fn edges_of(&self, module: ModuleId) -> &[Edge] {
        &self.edges[self.first[module.index()]..self.first[module.index() + 1]]
    }

    /// The edges that lead to a module, in order.
    pub fn edges_into(&self, module: ModuleId) -> impl Iterator<Item = &Edge> {
        let incoming = self.incoming.get_or_init(|| Incoming::new(&self.edges, self.files.len()));
        incoming.of(module).iter().map(|index| &self.edges[*index as usize])
    }

    /// What an import of `target` by `from` leads to: the target and the packages above it that `from` does not stand in.
    pub fn edges_to(&self, from: ModuleId, target: ModuleId) -> Vec<ModuleId> {
        packages_above(self.project, from, target).chain([target]).filter(|to| *to != from).collect()
    }

    /// Explicit imports, each statement and target counted once.
    pub fn import_count(&self) -> usize {
        let explicit = self.edges.iter().filter(|e| !e.implicit);
        explicit.map(|e| (e.from, e.to, self.site(e.from, e.site).stmt)).collect::<BTreeSet<_>>().len()
    }

    /// The components of two or more modules over the edges that `counts`, the largest first, modules sorted.
    pub fn components(&self, counts: impl Fn(&Edge) -> bool) -> Vec<Vec<ModuleId>> {
        let pairs = self.edges.iter().filter(|e| counts(e)).map(|e| (e.from.0, e.to.0));
        let mut found: Vec<Vec<ModuleId>> =
            strongly_connected(pairs).into_iter().map(|c| c.into_iter().map(ModuleId).collect()).collect();
        found.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        found
    }

    /// The edges inside a component that `counts`.
    pub fn inside(&self, component: &[ModuleId], counts: impl Fn(&Edge) -> bool) -> Vec<Edge> {
        let members: HashSet<ModuleId> = component.iter().copied().collect();
        let all = component.iter().flat_map(|m| self.edges_of(*m));
        all.filter(|e| members.contains(&e.to) && counts(e)).copied().collect()
    }

    /// All modules that run when `entry` is imported first: itself, the packages above it and all they load eagerly.
    pub fn loads(&self, entry: ModuleId) -> &ModuleSet {
        self.loads[entry.index()].get_or_init(|| self.loaded_by(entry, &|_| false))
    }

    /// As [`loads`](Self::loads), without some imports.
    pub fn loaded_by(&self, entry: ModuleId, without: &dyn Fn(&Edge) -> bool) -> ModuleSet {
        self.reached([entry].into_iter().chain(self.project.tree.above(entry)).collect(), without)
    }

    /// All modules that run when the body of `entry` does: itself and all it loads eagerly.
    pub fn run_by(&self, entry: ModuleId, without: &dyn Fn(&Edge) -> bool) -> ModuleSet {
        self.reached(vec![entry], without)
    }

    /// Modules and all that they load eagerly.
    pub fn reached(&self, mut todo: Vec<ModuleId>, without: &dyn Fn(&Edge) -> bool) -> ModuleSet {
        let mut seen: ModuleSet = todo.iter().copied().collect();
        while let Some(at) = todo.pop() {
            for edge in self.edges_of(at) {
                if edge.kind == Kind::Eager && !seen.contains(&edge.to) && !without(edge) {
                    seen.insert(edge.to);
                    todo.push(edge.to);
                }
            }
        }
        seen
    }

    /// All modules whose import loads one of `modules`, themselves included.
    pub fn importers(&self, modules: impl IntoIterator<Item = ModuleId>) -> ModuleSet {
        self.reach.get_or_init(|| Reach::new(self)).importers(modules)
    }
}

/// What imports lead to, before the edges are known.
struct Linked<'g, 'p> {
    project: &'p Project,
    files: &'g [Arc<FileImports<'p>>],
    targets: &'g [Vec<Option<Target>>],
    on_demand: &'g [BTreeMap<&'p str, usize>],
}

impl Linked<'_, '_> {
    /// The edges of a module, sorted.
    fn edges(&self, from: ModuleId) -> Vec<Edge> {
        let mut edges = Vec::new();
        for (site, target) in self.targets[from.index()].iter().enumerate() {
            let Some(target) = target else { continue };
            let found = &self.files[from.index()].sites[site];
            let kind = found.kind;
            let mut add = |to: ModuleId, implicit: bool| {
                if to != from {
                    edges.push(Edge { from, to, site, implicit, kind });
                }
                let packages = packages_above(self.project, from, to);
                edges.extend(packages.map(|to| Edge { from, to, site, implicit: true, kind }));
            };
            add(target.module, false);
            if found.star || found.name.is_some() && !target.is_module {
                let behind = behind(self.on_demand, self.targets, target.module, found.name, DEPTH);
                behind.into_iter().for_each(|to| add(to, true));
            }
        }
        edges.sort_unstable();
        edges.dedup();
        edges
    }
}

/// How far names that are served on demand are followed from module to module.
const DEPTH: usize = 8;

/// The names that a module with a `__getattr__` binds for type checkers alone, by site: what it loads on demand.
fn served<'p>(file: &FileImports<'p>) -> BTreeMap<&'p str, usize> {
    if !file.bound.iter().any(|(name, _)| *name == "__getattr__") {
        return BTreeMap::new();
    }
    let typed = file.sites.iter().enumerate().filter(|(_, s)| s.kind == Kind::Type && s.place == Place::Block);
    let names = typed.filter_map(|(site, s)| Some((s.bound()?, site)));
    names.filter(|(name, _)| file.bound.iter().all(|(bound, _)| bound != name)).collect()
}

/// The modules that taking a name of a module loads on demand; all that it serves, for a star import.
fn behind(
    on_demand: &[BTreeMap<&str, usize>],
    targets: &[Vec<Option<Target>>],
    module: ModuleId,
    name: Option<&str>,
    depth: usize,
) -> Vec<ModuleId> {
    let all = &on_demand[module.index()];
    if all.is_empty() || depth == 0 {
        return Vec::new();
    }
    let mut out = Vec::new();
    for (served, site) in all.iter().filter(|(served, _)| name.is_none_or(|n| n == **served)) {
        let Some(target) = targets[module.index()][*site] else { continue };
        out.push(target.module);
        if !target.is_module {
            out.extend(behind(on_demand, targets, target.module, Some(served), depth - 1));
        }
    }
    out
}

/// Modules from which on files are skimmed for their imports, and only those that matter for a plan are read in full.
pub const LARGE: usize = 2000;

/// Whether two states of a project share the text of a module.
pub fn same_text(before: &Project, after: &Project, module: &Module) -> bool {
    let old = before.files.get(module.file.index());
    old.is_some_and(|old| Arc::ptr_eq(&old.text, &after.file(module.file).text))
}

/// Whether an import of this kind counts at a level. `fragile` has the edges of `eager`; which of its components count
/// is said by their bindings.
pub fn counts(level: Level, kind: Kind) -> bool {
    match level {
        Level::Fragile | Level::Eager => kind == Kind::Eager,
        Level::Runtime => kind < Kind::Type,
        Level::All => true,
    }
}

/// One shortest loop through `edges`; the first by module order among equals, explicit imports preferred.
pub fn shortest_loop(component: &[ModuleId], edges: &[Edge]) -> Vec<Edge> {
    let mut by_pair: BTreeMap<(ModuleId, ModuleId), Edge> = BTreeMap::new();
    for edge in edges {
        let best = by_pair.entry((edge.from, edge.to)).or_insert(*edge);
        if (edge.implicit, edge.kind, edge.site) < (best.implicit, best.kind, best.site) {
            *best = *edge;
        }
    }
    let mut next: BTreeMap<ModuleId, Vec<Edge>> = BTreeMap::new();
    for edge in by_pair.values() {
        next.entry(edge.from).or_default().push(*edge);
    }
    let mut best: Vec<Edge> = Vec::new();
    for start in component {
        if best.len() == 2 {
            break;
        }
        if let Some(found) = loop_through(*start, &next, best.len())
            && (best.is_empty() || found.len() < best.len())
        {
            best = found;
        }
    }
    best
}

/// A shortest loop through `start`, if it is shorter than `limit` (0: no limit).
fn loop_through(start: ModuleId, next: &BTreeMap<ModuleId, Vec<Edge>>, limit: usize) -> Option<Vec<Edge>> {
    let mut came: BTreeMap<ModuleId, Edge> = BTreeMap::new();
    let mut layer = vec![start];
    let mut depth = 0;
    while !layer.is_empty() && (limit == 0 || depth + 1 < limit) {
        depth += 1;
        let mut following = Vec::new();
        for at in layer {
            for edge in next.get(&at).map_or(&[][..], Vec::as_slice) {
                if edge.to == start {
                    let mut path = vec![*edge];
                    while path[0].from != start {
                        path.insert(0, came[&path[0].from]);
                    }
                    return Some(path);
                }
                if let Entry::Vacant(free) = came.entry(edge.to) {
                    free.insert(*edge);
                    following.push(edge.to);
                }
            }
        }
        layer = following;
    }
    None
}

/// The packages that an import of `target` by `from` runs besides: those above it that `from` does not stand in.
fn packages_above(project: &Project, from: ModuleId, target: ModuleId) -> impl Iterator<Item = ModuleId> {
    let (this, module) = (project.module(from), project.module(target));
    let packages = module.ancestors().filter(|name| !is_at_or_below(&this.name, name));
    packages.filter_map(|name| project.tree.find(name, module.root)).filter(move |package| *package != from)
}

fn target(resolver: &Resolver, project: &Project, from: ModuleId, site: &ImportSite) -> Option<Target> {
    let base = absolute(project.module(from), site.level, site.module)?;
    resolver.resolve(from, &base, site.name)
}

/// Submodules whose name their package binds to something else at its end: `from .foo import foo` in `__init__` makes
/// `from package import foo` the function.
fn shadowed(project: &Project, files: &[Arc<FileImports>]) -> Shadowed {
    let packages = project.tree.modules.par_iter().enumerate().filter(|(_, m)| m.is_package);
    let found = packages.flat_map_iter(|(index, module)| {
        let file = &files[index];
        let mut last: FxHashMap<&str, Option<usize>> = FxHashMap::default();
        last.extend(file.bound.iter().copied());
        let mut path = format!("{}.", module.name);
        let start = path.len();
        let hides = |(name, site): (&str, Option<usize>)| {
            path.truncate(start);
            path.push_str(name);
            let submodule = project.tree.find(&path, module.root);
            if submodule.is_none() && !project.tree.is_compiled(&path) {
                return None;
            }
            let is_itself = site.is_some_and(|site| {
                let site = &file.sites[site];
                let base = absolute(module, site.level, site.module).unwrap_or_default();
                match site.name {
                    Some(name) => format!("{base}.{name}") == path,
                    None => base == path,
                }
            });
            (!is_itself).then(|| submodule.ok_or_else(|| path.clone()))
        };
        let mut last: Vec<(&str, Option<usize>)> = last.into_iter().collect();
        last.sort_unstable();
        last.into_iter().filter_map(hides).collect::<Vec<_>>()
    });
    let (modules, compiled) = found.partition_map(|submodule| match submodule {
        Ok(module) => Either::Left(module),
        Err(name) => Either::Right(name),
    });
    Shadowed { modules, compiled }
}
