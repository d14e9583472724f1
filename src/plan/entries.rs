//! The modules whose import is simulated before and after a change: those of the cycles and, while cycles remain, all that
//! load them and something that changes, as far as it makes a difference that they come first.

use std::collections::{BTreeMap, BTreeSet};

use super::cycles;
use crate::graph::Graph;
use crate::outcome::Kind;
use crate::project::ModuleId;
use crate::project::settings::Level;
use crate::strategy::{Context, Cycle};
use crate::syntax::imports::Place;
use crate::verify;

/// More of a kind are not simulated.
pub const MOST: usize = 400;

/// `after` is the graph after the change of the modules that are `changed`; `before` are the cycles before it.
pub fn entries(ctx: &Context, after: &Graph, before: &[Cycle], changed: &BTreeSet<ModuleId>) -> Vec<ModuleId> {
    let mut all: Vec<ModuleId> = before.iter().flat_map(|c| &c.modules).copied().take(MOST).collect();
    let left = cycles(after, Level::Eager);
    if left.is_empty() {
        return all;
    }
    let mut starts = Starts { graph: after, cycles: &left, reached: BTreeMap::new() };
    let mut known: BTreeSet<ModuleId> = all.iter().copied().collect();
    let touched = verify::importers(ctx.world.graph, changed.iter().copied());
    for cycle in &left {
        let importers = verify::importers(ctx.world.graph, [cycle.modules[0]]);
        let mut differs = |m: &ModuleId| touched.contains(m) && known.insert(*m) && !starts.follows_another(*m);
        all.extend(importers.into_iter().filter(|m| differs(m)).take(MOST));
    }
    all
}

/// Where modules enter the cycles.
struct Starts<'g, 'p> {
    graph: &'g Graph<'p>,
    cycles: &'g [Cycle],
    /// Modules of cycles that an import of a module loads, each with the index of its cycle.
    reached: BTreeMap<ModuleId, BTreeSet<(usize, ModuleId)>>,
}

impl Starts<'_, '_> {
    /// Whether the first import by which a module enters each cycle loads all of that cycle that it ever loads: it is
    /// complete before anything else of the module runs, so that it ends as that import does.
    fn follows_another(&mut self, module: ModuleId) -> bool {
        let project = self.graph.project;
        let this = project.module(module);
        let all = self.reach(module);
        if all.iter().any(|(_, m)| *m == module) {
            return false;
        }
        let packages = this.ancestors().filter_map(|name| project.tree.find(name, this.root));
        let mut steps: Vec<(bool, BTreeSet<(usize, ModuleId)>)> = packages.map(|p| (true, self.reach(p))).collect();
        let mut by_site: BTreeMap<usize, BTreeSet<(usize, ModuleId)>> = BTreeMap::new();
        for edge in self.graph.edges_of(module).iter().filter(|e| e.kind == Kind::Eager) {
            by_site.entry(edge.site).or_default().extend(self.reach(edge.to));
        }
        let is_plain = |site: usize| self.graph.site(module, site).place == Place::Top;
        steps.extend(by_site.into_iter().map(|(site, reach)| (is_plain(site), reach)));
        (0..self.cycles.len()).all(|cycle| {
            let of = |reach: &BTreeSet<(usize, ModuleId)>| reach.iter().filter(|(c, _)| *c == cycle).count();
            let first = steps.iter().find(|(_, reach)| of(reach) > 0);
            // What a step loads, the module loads: as many are the same.
            first.is_none_or(|(plain, reach)| *plain && of(reach) == of(&all))
        })
    }

    fn reach(&mut self, module: ModuleId) -> BTreeSet<(usize, ModuleId)> {
        let (graph, cycles) = (self.graph, self.cycles);
        let load = || {
            let loaded = graph.loaded_by(module, &|_| false);
            let inside = |(index, cycle): (usize, &Cycle)| -> Vec<(usize, ModuleId)> {
                cycle.modules.iter().filter(|m| loaded.contains(m)).map(|m| (index, *m)).collect()
            };
            cycles.iter().enumerate().flat_map(inside).collect()
        };
        self.reached.entry(module).or_insert_with(load).clone()
    }
}
