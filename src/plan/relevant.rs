//! Which modules of a large project can matter for the fixes of its cycles: those that the cycles load, and those that may use
//! a name of theirs.

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::AhoCorasick;
use rayon::prelude::*;

use crate::graph::{Graph, LARGE};
use crate::names::Wanted;
use crate::project::ModuleId;
use crate::strategy::Cycle;

/// Words of code that asks for modules, classes or annotations without naming them.
const LOOKING: [&str; 7] = [
    "import_module(",
    "__import__(",
    "__subclasses__",
    "get_type_hints",
    "get_annotations",
    ".__module__",
    "getmodule(",
];

/// What is wanted of each module. In a project that is not large, the names of all are.
pub fn modules(graph: &Graph, cycles: &[Cycle]) -> Vec<Wanted> {
    let mut wanted: Vec<Wanted> = matter(graph, cycles)
        .into_iter()
        .map(|matters| if matters { Wanted::Names } else { Wanted::Nothing })
        .collect();
    cycles.iter().flat_map(|c| &c.modules).for_each(|member| wanted[member.index()] = Wanted::Tree);
    wanted
}

fn matter(graph: &Graph, cycles: &[Cycle]) -> Vec<bool> {
    let project = graph.project;
    let count = project.tree.modules.len();
    if count <= LARGE {
        return vec![true; count];
    }
    let members: BTreeSet<ModuleId> = cycles.iter().flat_map(|c| c.modules.iter().copied()).collect();
    let mut wanted = vec![false; count];
    // What they load: it may call into them while it runs.
    for cycle in cycles {
        graph.loads(cycle.modules[0]).iter().for_each(|module| wanted[module.index()] = true);
    }
    for member in &members {
        wanted[member.index()] = true;
        graph.edges_of(*member).iter().for_each(|e| wanted[e.to.index()] = true);
    }
    // Who may read, replace or pass on a name that their imports bind: the names that a fix may take away.
    let mut taken: BTreeMap<ModuleId, BTreeSet<&str>> = BTreeMap::new();
    for edge in cycles.iter().flat_map(|c| &c.edges) {
        taken.entry(edge.from).or_default().extend(graph.site(edge.from, edge.site).bound());
    }
    let packages: BTreeSet<ModuleId> = members.iter().flat_map(|m| project.tree.above(*m)).collect();
    for edge in graph.edges.iter().filter(|e| !e.implicit) {
        let Some(names) = taken.get(&edge.to) else {
            // `import package`, from which a member can be reached by attributes.
            let site = graph.site(edge.from, edge.site);
            wanted[edge.from.index()] |= packages.contains(&edge.to) && (site.name.is_none() || site.star);
            continue;
        };
        let site = graph.site(edge.from, edge.site);
        let is_module = graph.targets[edge.from.index()][edge.site].is_some_and(|t| t.is_module);
        let reads = match site.name {
            Some(name) if !is_module => names.contains(name),
            // By the module object any name can be reached.
            _ => true,
        };
        wanted[edge.from.index()] |= reads;
    }
    // Who names them in a string, imports by a name that is computed, or looks at what others define.
    let paths = members.iter().map(|m| project.module(*m).name.as_str()).filter(|n| n.contains('.'));
    let words: Vec<String> = paths
        .flat_map(|p| [".", "\"", "'", ":"].map(|end| format!("{p}{end}")))
        .chain(LOOKING.map(str::to_owned))
        .collect();
    let Ok(search) = AhoCorasick::new(words) else { return vec![true; count] };
    let named: Vec<bool> =
        project.tree.modules.par_iter().map(|m| search.is_match(project.file(m.file).text.as_bytes())).collect();
    wanted.iter_mut().zip(named).for_each(|(wanted, named)| *wanted |= named);
    wanted
}
