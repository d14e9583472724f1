//! Cycles that no choice breaks, and what can be done around them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use petgraph::algo::astar;
use petgraph::prelude::DiGraphMap;

use super::{Arc, Choice, choose};
use crate::graph::strongly_connected;

/// Cycles are given up so many times before the best choice so far stands.
const ROUNDS: usize = 12;

/// The choice that leaves the fewest nodes in cycles, the cheapest of several. Where some cycle cannot be broken, [`choose`]
/// forgives an arc, and with it every cycle through that; here only such a cycle is given up, its nodes count as one, and the
/// others are broken all the same.
pub fn choose_most(arcs: &[Arc], costs: &[u64], budget: Duration) -> Choice {
    let deadline = Instant::now() + budget;
    let mut merged: BTreeMap<u32, u32> = BTreeMap::new();
    let mut best: Option<(usize, Choice)> = None;
    let mut late = false;
    for _ in 0..ROUNDS {
        let group = |node: u32| merged.get(&node).copied().unwrap_or(node);
        let moved = arcs.iter().map(|a| Arc { from: group(a.from), to: group(a.to), ..a.clone() });
        let moved: Vec<Arc> = moved.filter(|a| a.from != a.to).collect();
        let choice = choose(&moved, costs, deadline.saturating_duration_since(Instant::now()));
        late |= choice.late;
        let given_up: Vec<Vec<u32>> =
            choice.forgiven.iter().filter_map(|arc| shortest_cycle(&moved, *arc, &choice.fixes)).collect();
        let left = strongly_connected(there(arcs, &choice.fixes).map(|a| (a.from, a.to))).iter().map(Vec::len).sum();
        if best.as_ref().is_none_or(|(least, before)| (left, choice.cost) < (*least, before.cost)) {
            best = Some((left, choice));
        }
        if given_up.is_empty() {
            break;
        }
        let rings = given_up.iter().flat_map(|cycle| cycle.iter().zip(cycle.iter().cycle().skip(1)));
        let known = merged.iter().flat_map(|(node, group)| [(*node, *group), (*group, *node)]);
        let pairs: Vec<(u32, u32)> = rings.map(|(a, b)| (*a, *b)).chain(known).collect();
        for component in strongly_connected(pairs.into_iter()) {
            let first = component[0];
            merged.extend(component.into_iter().map(|node| (node, first)));
        }
    }
    best.map_or_else(Choice::default, |(_, choice)| Choice { late, ..choice })
}

/// The arcs that are there when these fixes are taken.
fn there<'a>(arcs: &'a [Arc], fixes: &'a BTreeSet<usize>) -> impl Iterator<Item = &'a Arc> {
    arcs.iter().filter(|a| a.when.is_subset(fixes) && !a.ways.iter().any(|w| w.is_subset(fixes)))
}

/// The nodes of a cycle through an arc, of arcs that cannot be removed as far as possible.
fn shortest_cycle(arcs: &[Arc], (from, to): (u32, u32), fixes: &BTreeSet<usize>) -> Option<Vec<u32>> {
    /// What an arc counts that could be removed; more than a path of others is long.
    const REMOVABLE: u64 = 1 << 32;
    let length = |a: &Arc| if a.ways.is_empty() { 1 } else { REMOVABLE };
    let mut graph: DiGraphMap<u32, u64> = DiGraphMap::new();
    for arc in there(arcs, fixes) {
        let known = graph.edge_weight(arc.from, arc.to).copied();
        graph.add_edge(arc.from, arc.to, length(arc).max(known.unwrap_or_default()));
    }
    if !graph.contains_node(to) {
        return None;
    }
    astar(&graph, to, |node| node == from, |(_, _, length)| *length, |_| 0).map(|(_, nodes)| nodes)
}
