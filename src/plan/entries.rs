//! The modules whose import is simulated before and after a change: those of the cycles and, while cycles remain, all that
//! load them and something that changes, as far as it makes a difference that they come first.

use std::collections::{BTreeMap, BTreeSet};

use super::cycles;
use crate::graph::Graph;
use crate::outcome::Kind;
use crate::project::settings::Level;
use crate::project::{ModuleId, ModuleSet};
use crate::strategy::{Context, Cycle};
use crate::syntax::imports::Place;

/// More of a kind are not simulated: those that change come first, then packages, through which most imports lead.
pub const MOST: usize = 400;

/// `after` is the graph after the change of the modules that are `changed`; `before` are the cycles before it.
pub fn entries(ctx: &Context, after: &Graph, before: &[Cycle], changed: &BTreeSet<ModuleId>) -> Vec<ModuleId> {
    let mut all: Vec<ModuleId> = before.iter().flat_map(|c| &c.modules).copied().collect();
    if all.len() > MOST {
        all.sort_by_key(|m| (!changed.contains(m), !ctx.project().module(*m).is_package));
        all.truncate(MOST);
    }
    let left = cycles(after, Level::Eager);
    if left.is_empty() {
        return all;
    }
    let members: ModuleSet = left.iter().flat_map(|c| &c.modules).copied().collect();
    let cycle_of = (0..left.len()).flat_map(|index| left[index].modules.iter().map(move |m| (*m, index))).collect();
    let starts = |graph| Starts { graph, members: &members, cycle_of: &cycle_of, reached: BTreeMap::new() };
    let (mut now, mut then) = (starts(ctx.world.graph), starts(after));
    let mut follows_another = |m: ModuleId| {
        let first = then.first_steps(m);
        !changed.contains(&m) && first.is_some() && first == now.first_steps(m)
    };
    let mut known: BTreeSet<ModuleId> = all.iter().copied().collect();
    let touched = ctx.world.graph.importers(changed.iter().copied());
    for cycle in &left {
        let importers = ctx.world.graph.importers([cycle.modules[0]]);
        let mut differs = |m: &ModuleId| touched.contains(m) && known.insert(*m) && !follows_another(*m);
        all.extend(importers.iter().filter(|m| differs(m)).take(MOST));
    }
    all
}

/// Modules of cycles, each with the index of its cycle.
type Reached = BTreeSet<(usize, ModuleId)>;

/// What of a module runs first: a package above it, or an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum First {
    Package(ModuleId),
    Site(usize),
}

/// Where modules enter the cycles.
struct Starts<'g, 'p> {
    graph: &'g Graph<'p>,
    /// The modules of the cycles.
    members: &'g ModuleSet,
    cycle_of: &'g BTreeMap<ModuleId, usize>,
    /// What an import of a module loads of them.
    reached: BTreeMap<ModuleId, Reached>,
}

impl Starts<'_, '_> {
    /// By cycle that a module loads, the first import by which a module enters it, if that loads all of the cycle that the module ever loads: it is
    /// complete before anything else of the module runs, so that the module ends as that import does.
    fn first_steps(&mut self, module: ModuleId) -> Option<Vec<(usize, First)>> {
        let project = self.graph.project;
        let all = self.reach(module);
        if all.iter().any(|(_, m)| *m == module) {
            return None;
        }
        let mut steps: Vec<(First, Reached)> =
            project.tree.above(module).map(|p| (First::Package(p), self.reach(p))).collect();
        let mut by_site: BTreeMap<usize, Reached> = BTreeMap::new();
        for edge in self.graph.edges_of(module).iter().filter(|e| e.kind == Kind::Eager) {
            by_site.entry(edge.site).or_default().extend(self.reach(edge.to));
        }
        steps.extend(by_site.into_iter().map(|(site, reach)| (First::Site(site), reach)));
        let is_plain = |first: First| match first {
            First::Package(_) => true,
            First::Site(site) => self.graph.site(module, site).place == Place::Top,
        };
        let first = |cycle: usize| {
            let of = |reach: &Reached| reach.iter().filter(|(c, _)| *c == cycle).count();
            let (first, reach) = steps.iter().find(|(_, reach)| of(reach) > 0)?;
            // What a step loads, the module loads: as many are the same.
            (is_plain(*first) && of(reach) == of(&all)).then_some((cycle, *first))
        };
        let cycles: BTreeSet<usize> = all.iter().map(|(cycle, _)| *cycle).collect();
        cycles.into_iter().map(first).collect()
    }

    fn reach(&mut self, module: ModuleId) -> Reached {
        let load = || self.graph.loads(module).common(self.members).map(|m| (self.cycle_of[&m], m)).collect();
        self.reached.entry(module).or_insert_with(load).clone()
    }
}
