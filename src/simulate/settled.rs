//! Modules that come to the same whoever imports them first: no cycle takes part in what they load, or one that fails in no
//! order. Each of them is run once, and what it leaves is put in place whenever an import comes to it.

use std::cell::{Cell as Shared, RefCell};
use std::collections::VecDeque;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::containers::CONTENTS;
use super::held::Held;
use super::import::REPLACED;
use super::run::{Mark, NAMESPACES, Raised, Run};
use super::state::{Cell, Object, Space, Status};
use crate::graph::strongly_connected;
use crate::names::body::Catches;
use crate::outcome::Kind;
use crate::project::{ModuleId, ModuleSet};

/// The names of a namespace.
pub type Cells<'p> = FxHashMap<&'p str, Cell<'p>>;

/// What the import of a module leaves.
#[derive(Debug)]
pub struct Settled<'p> {
    /// What it binds, in each of its namespaces.
    pub cells: [Cells<'p>; NAMESPACES],
    /// What it loads, in order.
    pub loads: Vec<ModuleId>,
    /// What it adds to lists and dictionaries of other modules.
    pub added: Vec<(Space, Object<'p>)>,
    /// Whether something ran that may raise for reasons of its own.
    pub risky: bool,
}

/// The run of a module, or of those of a cycle, of which it is not known yet whether they come to the same each time.
#[derive(Debug)]
pub struct Trial<'p> {
    pub modules: Vec<ModuleId>,
    /// What they load, in order, by the module whose code does.
    loads: Vec<(ModuleId, ModuleId)>,
    /// Packages above all of them, which are there before them, whatever they hold.
    above: Vec<ModuleId>,
    /// What is read of these.
    asked: RefCell<FxHashSet<(ModuleId, &'p str)>>,
    /// Whether they came to depend on something that may be different another time.
    depends: Shared<bool>,
}

impl<'p> Trial<'p> {
    pub fn depends(&self) {
        self.depends.set(true);
    }

    /// Notes that a name of a module is read that is not settled; all of its names, if there is none.
    pub fn asks(&self, module: ModuleId, name: Option<&'p str>) {
        match name.filter(|_| self.above.contains(&module)) {
            Some(name) => drop(self.asked.borrow_mut().insert((module, name))),
            None => self.depends(),
        }
    }
}

/// Modules of a cycle that are tried together.
const MOST: usize = 64;

impl<'s, 'w: 's, 'p: 'w> Run<'s, 'w, 'p> {
    /// Runs what the entries load and no cycle takes part in that may fail, those first that others import.
    pub fn settle(&mut self, entries: &[ModuleId]) {
        let graph = self.simulator.world.graph;
        self.state.fix();
        let above = entries.iter().flat_map(|entry| graph.project.tree.above(*entry));
        let loaded = graph.reached(above.chain(entries.iter().copied()).collect(), &|_| false);
        let loaded: Vec<ModuleId> = loaded.iter().filter(|module| !self.state.is_known(*module)).collect();
        let state = &self.state;
        let imports = |module: ModuleId| {
            let edges = graph.edges_of(module).iter().filter(|e| e.kind == Kind::Eager && !state.is_known(e.to));
            edges.map(|e| e.to)
        };
        let pairs = loaded.iter().flat_map(|from| imports(*from).map(move |to| (from.0, to.0)));
        let cycles = strongly_connected(pairs);
        let cycle_of: FxHashMap<ModuleId, usize> =
            cycles.iter().enumerate().flat_map(|(n, cycle)| cycle.iter().map(move |m| (ModuleId(*m), n))).collect();
        let mut groups: Vec<Vec<ModuleId>> =
            cycles.iter().map(|cycle| cycle.iter().copied().map(ModuleId).collect()).collect();
        groups.extend(loaded.iter().filter(|m| !cycle_of.contains_key(m)).map(|m| vec![*m]));
        let group_of: FxHashMap<ModuleId, usize> =
            groups.iter().enumerate().flat_map(|(n, group)| group.iter().map(move |m| (*m, n))).collect();
        // Of each group: those that import it, and how many that it imports are still to be settled.
        let mut importers: Vec<Vec<usize>> = vec![Vec::new(); groups.len()];
        let mut open: Vec<usize> = vec![0; groups.len()];
        for (n, group) in groups.iter().enumerate() {
            let mut all: Vec<usize> = group.iter().flat_map(|m| imports(*m)).map(|to| group_of[&to]).collect();
            all.sort_unstable();
            all.dedup();
            all.iter().filter(|to| **to != n).for_each(|to| importers[*to].push(n));
            open[n] = all.iter().filter(|to| **to != n).count();
        }
        let mut ready: VecDeque<usize> = (0..groups.len()).filter(|n| open[*n] == 0).collect();
        // What functions import that run meanwhile may be settled later: a second try.
        for _ in 0..2 {
            let mut not_yet = VecDeque::new();
            while let Some(n) = ready.pop_front() {
                if !self.comes_to_the_same(&groups[n]) {
                    not_yet.push_back(n);
                    continue;
                }
                for importer in std::mem::take(&mut importers[n]) {
                    open[importer] -= 1;
                    if open[importer] == 0 {
                        ready.push_back(importer);
                    }
                }
            }
            ready = not_yet;
        }
    }

    /// Runs a module, or those of a cycle in each order; keeps what they leave if that is the same each time.
    fn comes_to_the_same(&mut self, group: &[ModuleId]) -> bool {
        let graph = self.simulator.world.graph;
        let tree = &graph.project.tree;
        let is_above_all = |package: &ModuleId| group.iter().all(|m| tree.above(*m).any(|above| above == *package));
        let above: Vec<ModuleId> =
            tree.above(group[0]).filter(|p| !self.state.is_known(*p) && is_above_all(p)).collect();
        // If a package loads the cycle, no other order is the one in which it is imported.
        let is_loaded_above = || above.iter().any(|package| graph.loads(*package).contains(&group[0]));
        if group.len() > 1 && (group.len() > MOST || is_loaded_above()) {
            return false;
        }
        let (others, first) = (&group[1..], group[0]);
        others.iter().all(|entry| self.try_to_settle(*entry, group, &above, false))
            && self.try_to_settle(first, group, &above, true)
    }

    fn try_to_settle(&mut self, entry: ModuleId, group: &[ModuleId], above: &[ModuleId], keep: bool) -> bool {
        let (before, risky) = (self.mark(), self.risky);
        (self.steps, self.risky) = (0, false);
        // Nothing that may fail goes unseen because nobody takes it.
        self.watching = vec![Catches::ALL];
        self.state.trial = Some(Trial {
            modules: group.to_vec(),
            loads: Vec::new(),
            above: above.to_vec(),
            asked: RefCell::default(),
            depends: Shared::new(false),
        });
        let outcome = self.run_body(entry);
        self.levels.clear();
        self.handling.clear();
        self.watching.clear();
        let trial = self.state.trial.take();
        let trial = trial.filter(|trial| outcome.is_ok() && self.is_the_same(trial, &before));
        match &trial {
            Some(trial) if keep => {
                let mut added = self.state.added_since(&before);
                for module in group {
                    let cells = self.state.namespaces(*module).map(|space| self.state.cells(space).clone());
                    let loads = trial.loads.iter().filter(|(by, _)| by == module).map(|(_, loaded)| *loaded).collect();
                    let added = std::mem::take(&mut added);
                    self.state.settle(*module, Settled { cells, loads, added, risky: self.risky });
                }
                self.state.keep_changes(&before);
            }
            _ => self.rewind(&before),
        }
        self.risky = risky;
        trial.is_some()
    }

    /// Whether nothing was changed, read or reported but what is the same each time.
    fn is_the_same(&self, trial: &Trial<'p>, before: &Mark) -> bool {
        let world = self.simulator.world;
        let tree = &world.project().tree;
        let packages: Vec<(Space, &str)> = trial
            .modules
            .iter()
            .filter_map(|module| {
                let this = world.project().module(*module);
                let (package, last) = this.name.rsplit_once('.')?;
                Some((tree.find(package, this.root)?.0, last))
            })
            .collect();
        let own: Vec<Space> = trial.modules.iter().flat_map(|module| self.state.namespaces(*module)).collect();
        let is_own = |space: Space, name: &str| own.contains(&space) || packages.contains(&(space, name));
        // What is read of a package above is a submodule that the modules loaded themselves.
        let is_submodule = |(package, name): &(ModuleId, &'p str)| match self.child(*package, name) {
            Some(child) => {
                let bound = self.state.cells(package.0).get(name).map(|cell| cell.object);
                bound == Some(Object::Module(child))
                    && self.has_loaded(trial, child)
                    && world.names.file(*package).bindings(name).is_empty()
            }
            None => *name == REPLACED && !world.project().text(*package).contains("sys.modules[__name__]"),
        };
        !trial.depends.get()
            && self.doubts.len() == before.doubts
            && self.caught.len() == before.caught
            && trial.modules.iter().all(|module| self.state.status(*module) == Status::Done)
            && self.state.changed_only(before, &trial.modules, &is_own)
            && trial.asked.borrow().iter().all(is_submodule)
    }

    /// Whether those that are tried loaded a module, or what they loaded did.
    fn has_loaded(&self, trial: &Trial, module: ModuleId) -> bool {
        let mut todo: Vec<ModuleId> = trial.loads.iter().map(|(_, loaded)| *loaded).collect();
        let mut seen: ModuleSet = trial.modules.iter().copied().collect();
        if self.state.is_there(module) {
            return true;
        }
        while let Some(next) = todo.pop() {
            if seen.insert(next) {
                todo.extend(self.state.settled(next).into_iter().flat_map(|settled| &settled.loads));
            }
        }
        seen.contains(&module)
    }

    /// A module is loaded by those that are tried; whether it has to be run.
    pub fn is_run_in_trial(&mut self, module: ModuleId) -> bool {
        if self.state.is_there(module) {
            return false;
        }
        let is_settled = self.state.settled(module).is_some();
        let by = self.levels.iter().rev().find(|level| level.is_module()).map(|level| level.module);
        let (Some(trial), Some(by)) = (&mut self.state.trial, by) else { return true };
        let is_tried = trial.modules.contains(&module);
        if is_settled || is_tried {
            trial.loads.push((by, module));
        } else if !trial.above.contains(&module) {
            trial.depends();
        }
        is_tried
    }

    /// A name of a package is read that stands for its submodule, which may have been loaded by others alone.
    pub fn reads_submodule(&self, package: ModuleId, name: &str) {
        if let Some(trial) = &self.state.trial
            && !trial.modules.contains(&package)
            && let Some(child) = self.child(package, name)
            && !self.has_loaded(trial, child)
        {
            trial.depends();
        }
    }

    /// All names of a module are read: those of a package depend on what of it was loaded.
    pub fn reads_all_names(&self, module: ModuleId) {
        if let Some(trial) = &self.state.trial
            && self.simulator.children.contains_key(&module)
        {
            trial.depends();
        }
    }

    /// Adds to what a list or dictionary holds.
    fn add(&mut self, space: Space, more: Object<'p>) {
        let now = self.contents(Object::Open(space)).map(|(held, _)| held);
        let more = self.contents(more).map(|(held, _)| held);
        let object = match (now, more) {
            (Some(now), Some(more)) => {
                let mut all = Held::clone(&now);
                all.open |= more.open;
                all.parts.extend(more.parts.iter().filter(|part| !now.parts.contains(part)));
                self.state.kept.keep(all)
            }
            _ => Object::Any,
        };
        self.state.bind(space, CONTENTS, object);
    }

    /// Puts what a module leaves in place.
    pub fn put(&mut self, module: ModuleId, settled: &Arc<Settled<'p>>) -> Result<(), Raised> {
        for loaded in &settled.loads {
            self.load(*loaded)?;
        }
        self.risky |= settled.risky;
        self.state.fill(module, settled);
        for (space, held) in &settled.added {
            self.add(*space, *held);
        }
        Ok(())
    }
}
