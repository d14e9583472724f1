//! Which of the proposed fixes are taken for a cycle: the arcs of its graph, the ways in which fixes remove them, and the
//! cheapest fixes that leave no cycle.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::feedback::{Arc, choose_most};
use crate::graph::Graph;
use crate::outcome::PlanEntry;
use crate::project::ModuleId;
use crate::strategy::{Added, Cycle, Fix, ImportId, steer};

/// Ways to remove one arc that are looked at, the cheapest. They multiply where several imports make an arc.
const WAYS: usize = 24;

/// Parts of a unit of cost: what an owner wants cut costs one part of each unit.
const PARTS: u64 = 100;

/// The cheapest fixes that dissolve what of a cycle can be, in the order in which they were proposed, and whether a proof on the
/// way took too long.
pub fn choose_fixes(graph: &Graph, cycle: &Cycle, fixes: Vec<Fix>, budget: Duration) -> (Vec<Fix>, PlanEntry, bool) {
    let costs: Vec<u64> = fixes.iter().map(|f| weight(graph, f)).collect();
    let mut by_import: BTreeMap<ImportId, Vec<usize>> = BTreeMap::new();
    for (index, fix) in fixes.iter().enumerate() {
        for import in &fix.removes {
            by_import.entry(*import).or_default().push(index);
        }
    }
    // An arc goes if all imports that make it go.
    let mut pairs: BTreeMap<(ModuleId, ModuleId), BTreeSet<ImportId>> = BTreeMap::new();
    for edge in &cycle.edges {
        pairs.entry((edge.from, edge.to)).or_default().insert(ImportId { module: edge.from, site: edge.site });
    }
    let mut arcs: Vec<Arc> = Vec::new();
    for ((from, to), imports) in &pairs {
        arcs.push(Arc { from: from.0, to: to.0, ways: ways(imports, &by_import, &costs), when: BTreeSet::new() });
    }
    let inside: BTreeSet<ModuleId> = cycle.modules.iter().copied().collect();
    for (index, fix) in fixes.iter().enumerate() {
        for added in fix.adds.iter().filter(|added| inside.contains(&added.from) && inside.contains(&added.to)) {
            let Some(when) = bringers(index, added, &fixes, &by_import) else { continue };
            let ways = if added.by.is_empty() { Vec::new() } else { ways(&added.by, &by_import, &costs) };
            arcs.push(Arc { from: added.from.0, to: added.to.0, ways, when });
        }
    }
    let choice = choose_most(&arcs, &costs, budget);
    let whole = |cost: u64| cost / PARTS;
    let entry = PlanEntry { exact: choice.exact, cost: whole(choice.cost), bound: whole(choice.bound) };
    let taken = fixes.into_iter().enumerate().filter(|(i, _)| choice.fixes.contains(i)).map(|(_, f)| f);
    (taken.collect(), entry, choice.late)
}

/// The fixes by which an edge comes that one of them adds; `None` if it never does.
pub fn bringers(
    fix: usize,
    added: &Added,
    fixes: &[Fix],
    by_import: &BTreeMap<ImportId, Vec<usize>>,
) -> Option<BTreeSet<usize>> {
    let past = added
        .past
        .iter()
        .map(|import| by_import.get(import)?.iter().copied().find(|other| fixes[*other].loads_on_demand()));
    past.chain([Some(fix)]).collect()
}

fn weight(graph: &Graph, fix: &Fix) -> u64 {
    let wanted = fix.removes.iter().any(|i| steer::is_cut(graph, *i));
    fix.cost.max(1) * if wanted { 1 } else { PARTS }
}

/// The smallest sets of fixes that remove all of `imports`, the cheapest first; none if one of them has no fix.
fn ways(
    imports: &BTreeSet<ImportId>,
    by_import: &BTreeMap<ImportId, Vec<usize>>,
    costs: &[u64],
) -> Vec<BTreeSet<usize>> {
    let mut ways: Vec<BTreeSet<usize>> = vec![BTreeSet::new()];
    for import in imports {
        let Some(fixes) = by_import.get(import) else { return Vec::new() };
        let mut longer: BTreeSet<BTreeSet<usize>> = BTreeSet::new();
        for way in ways {
            if fixes.iter().any(|f| way.contains(f)) {
                longer.insert(way);
                continue;
            }
            longer.extend(fixes.iter().map(|fix| way.iter().copied().chain([*fix]).collect()));
        }
        ways = longer.into_iter().collect();
        let price = |way: &BTreeSet<usize>| way.iter().map(|f| costs[*f]).sum::<u64>();
        ways.sort_by_key(|way| (price(way), way.len()));
        ways.truncate(WAYS);
    }
    ways
}
