//! Finds cycles and explains them; plans nothing. Only what the cycles load is parsed.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Stage, cycles, found};
use crate::graph::Graph;
use crate::names::{Names, World};
use crate::outcome::ProjectOutcome;
use crate::project::settings::Level;
use crate::project::{ModuleSet, Project};
use crate::strategy::Cycle;

/// The cycles of a project.
pub fn check(project: &Project, progress: &(dyn Fn(Stage) + Sync)) -> ProjectOutcome {
    let total = project.tree.modules.len();
    let done = AtomicUsize::new(0);
    let read = || progress(Stage::Parse(done.fetch_add(1, Ordering::Relaxed) + 1, total));
    let mut graph = Graph::skimmed(project, &read);
    let level = project.settings.level;
    loop {
        let mut found = cycles(&graph, level);
        let names = Names::on_demand(&graph);
        names.prepare(&loaded(&graph, &found));
        let world = World { graph: &graph, names: &names };
        if level == Level::Fragile {
            found::retain_fragile(world, &mut found);
        }
        let outcome = found::outcome(world, &found);
        let others = names.others();
        if others.is_empty() {
            return outcome;
        }
        graph.replace(others);
    }
}

/// All that runs when a module of the cycles is imported.
fn loaded(graph: &Graph, cycles: &[Cycle]) -> ModuleSet {
    let mut all = ModuleSet::default();
    for module in cycles.iter().flat_map(|cycle| &cycle.modules).copied() {
        if !all.contains(&module) {
            all.extend(graph.loads(module).iter());
        }
    }
    all
}
