//! Who loads a module, directly or not.

use super::Graph;
use crate::outcome::Kind;
use crate::project::{ModuleId, ModuleSet};

/// By module, those whose import runs it at once: who imports it eagerly, and all below it if it is a package.
#[derive(Debug)]
pub struct Reach {
    /// Where the importers of each module begin.
    first: Vec<u32>,
    importers: Vec<ModuleId>,
}

impl Reach {
    pub fn new(graph: &Graph) -> Self {
        let project = graph.project;
        let mut pairs: Vec<(ModuleId, ModuleId)> =
            graph.edges.iter().filter(|e| e.kind == Kind::Eager).map(|e| (e.to, e.from)).collect();
        for (id, _) in project.modules() {
            pairs.extend(project.tree.above(id).map(|package| (package, id)));
        }
        pairs.sort_unstable();
        pairs.dedup();
        let mut first = vec![0u32; project.tree.modules.len() + 1];
        pairs.iter().for_each(|(to, _)| first[to.index() + 1] += 1);
        for at in 1..first.len() {
            first[at] += first[at - 1];
        }
        Self { first, importers: pairs.into_iter().map(|(_, from)| from).collect() }
    }

    /// All modules whose import loads one of `modules`, themselves included.
    pub fn importers(&self, modules: impl IntoIterator<Item = ModuleId>) -> ModuleSet {
        let mut todo: Vec<ModuleId> = modules.into_iter().collect();
        let mut seen: ModuleSet = todo.iter().copied().collect();
        while let Some(at) = todo.pop() {
            let (from, to) = (self.first[at.index()] as usize, self.first[at.index() + 1] as usize);
            todo.extend(self.importers[from..to].iter().copied().filter(|module| seen.insert(*module)));
        }
        seen
    }
}
