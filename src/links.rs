//! Which projects import each other: what each of them has to offer, what each takes from elsewhere, and the groups that
//! follow. A project is surveyed by itself, so that no two have to be in memory at once.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use crate::graph::strongly_connected;
use crate::names::evaluated::is_stdlib;
use crate::project::resolve::{Resolver, Shadowed, absolute};
use crate::project::{Module, Project, ancestors};
use crate::skim::skim;
use crate::syntax::imports::imports;
use crate::syntax::parse;

/// What is known of a project without its text.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    pub modules: usize,
    /// Modules that code of other projects could import.
    offered: BTreeSet<String>,
    /// What is imported from outside, by dotted name: a module, or a name in one.
    wanted: BTreeSet<String>,
}

impl Survey {
    pub fn new(project: &Project) -> Self {
        let shared: BTreeSet<&str> = project.tree.search_path(None).into_iter().collect();
        let is_offered =
            |module: &&Module| shared.contains(project.tree.roots[module.root].as_str()) && is_known_by(&module.name);
        let modules = &project.tree.modules;
        let offered = modules.iter().filter(is_offered).map(|module| module.name.clone()).collect();
        let shadowed = Shadowed::default();
        let resolver = Resolver { tree: &project.tree, shadowed: &shadowed };
        let ids: Vec<_> = project.modules().collect();
        let outside = ids.par_iter().map(|(id, module)| {
            let text = project.text(*id);
            let read = skim(text).unwrap_or_else(|| imports(&parse(text)));
            let mut wanted = BTreeSet::new();
            for site in read.sites.iter().filter(|site| site.level == 0) {
                let base = absolute(module, 0, site.module).unwrap_or_default();
                let is_ours = || ancestors(&base).any(|above| project.tree.find(above, module.root).is_some());
                if !base.is_empty()
                    && is_known_by(&base)
                    && resolver.resolve(*id, &base, site.name).is_none()
                    && !is_ours()
                {
                    wanted.insert(site.name.map_or_else(|| base.clone(), |name| format!("{base}.{name}")));
                }
            }
            wanted
        });
        let wanted = outside.reduce(BTreeSet::new, |mut all, mut more| {
            all.append(&mut more);
            all
        });
        Self { modules: modules.len(), offered, wanted }
    }
}

/// Whether others would know a module by this name, and mean this project: many have tests and a setup.py.
fn is_known_by(name: &str) -> bool {
    let top = name.split('.').next().unwrap_or_default();
    !matches!(top, "test" | "tests" | "testing" | "conftest" | "setup" | "docs" | "examples") && !is_stdlib(name)
}

/// Indices of the projects that belong together, as one imports the other, directly or by way of others; each is in one
/// group. Groups and what is in them are in order.
pub fn groups(surveys: &[Survey]) -> Vec<Vec<usize>> {
    let mut by_name: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for (index, survey) in surveys.iter().enumerate() {
        survey.offered.iter().for_each(|name| by_name.entry(name).or_default().push(index as u32));
    }
    let mut pairs: BTreeSet<(u32, u32)> = BTreeSet::new();
    for (index, survey) in surveys.iter().enumerate() {
        for name in &survey.wanted {
            let found = std::iter::once(name.as_str()).chain(ancestors(name)).filter_map(|name| by_name.get(name));
            let others = found.flatten().filter(|other| **other != index as u32);
            // Both ways, so that what hangs together is strongly connected.
            pairs.extend(others.flat_map(|other| [(index as u32, *other), (*other, index as u32)]));
        }
    }
    let mut groups: Vec<Vec<usize>> = strongly_connected(pairs.into_iter())
        .into_iter()
        .map(|group| group.into_iter().map(|index| index as usize).collect())
        .collect();
    let grouped: BTreeSet<usize> = groups.iter().flatten().copied().collect();
    groups.extend((0..surveys.len()).filter(|index| !grouped.contains(index)).map(|index| vec![index]));
    groups.iter_mut().for_each(|group| group.sort_unstable());
    groups.sort();
    groups
}
