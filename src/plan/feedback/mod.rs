//! The cheapest fixes after which no cycle is left: a minimum feedback arc set in which arcs go by taking fixes. A fix may
//! serve several arcs, an arc may go in several ways, and a fix may bring arcs of its own.
//!
//! Each cycle is a demand: if all fixes that brought its arcs are taken, one way to remove one of its arcs has to be
//! taken, too. Demands are generated as they are needed. `hitting` meets those known at the least cost, by branch and bound;
//! `greedy` gives the choice to start from. Where a proof takes too long, parts of the choice are searched exactly.

mod greedy;
mod hitting;
mod network;
mod stuck;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use network::{Demand, Network, Stop, Taken};
pub use stuck::choose_most;

/// An arc between two nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arc {
    pub from: u32,
    pub to: u32,
    /// Any one of these sets of fixes, all taken, removes the arc; none: it cannot go.
    pub ways: Vec<BTreeSet<usize>>,
    /// The fixes that bring the arc together, if it is not there from the start.
    pub when: BTreeSet<usize>,
}

/// Indices of the fixes to take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    pub fixes: BTreeSet<usize>,
    pub cost: u64,
    /// No choice costs less than this.
    pub bound: u64,
    /// Whether no cheaper choice exists.
    pub exact: bool,
    /// Whether a proof on the way to it took too long.
    pub late: bool,
    /// Arcs that the choice takes for missing, as nothing breaks some cycle through them.
    pub forgiven: Vec<(u32, u32)>,
}

/// Work on the first search, which settles most choices. Work, not time, so that the choice is the same on every machine.
const FIRST: u64 = 4_000_000;
/// Work on a part of a choice, and on all parts.
const PART: u64 = 400_000;
const ALL_PARTS: u64 = 8_000_000;
/// Work on one demand, to tell whether it concerns a part.
const NEAR: usize = 20;
/// Fixes that such a part gives up and chooses anew: few first, then more.
const WIDTHS: [usize; 2] = [10, 25];

/// Chooses fixes such that every cycle that can be broken is. Cycles of arcs that cannot be removed are left: their nodes
/// count as one. Where no choice breaks all others, as few arcs as possible are forgiven, and the cycles through them stay.
pub fn choose(arcs: &[Arc], costs: &[u64], budget: Duration) -> Choice {
    let deadline = Instant::now() + budget;
    let network = Network::new(&contracted(arcs), costs);
    let nothing = Taken::none(&network);
    let mut demands: Demands = network.open_demands(&nothing).into_iter().collect();
    let best = greedy::completed(&network, nothing.clone());
    let (mut best, mut bound) = solve(&network, &nothing, best, &mut demands, Stop::Work(network.after(FIRST)));
    if bound < network.cost(&best) {
        let last = network.after(ALL_PARTS);
        best = greedy::exchanged(&network, best, Stop::Work(last));
        for width in WIDTHS {
            best = chosen_anew(&network, best, &mut demands, width, last);
        }
        let (last, proved) = solve(&network, &nothing, best, &mut demands, Stop::At(deadline));
        (best, bound) = (last, bound.max(proved));
    }
    network.choice(&best, bound)
}

type Demands = BTreeSet<Demand>;

/// The cheapest choice that holds all of `kept`, or `best` where nothing cheaper is found before the search has to stop, and what
/// any such choice costs at least. Learns the demands that it meets on the way.
fn solve(network: &Network, kept: &Taken, mut best: Taken, demands: &mut Demands, stop: Stop) -> (Taken, u64) {
    let mut bound = 0;
    loop {
        let known: Vec<&Demand> = demands.iter().collect();
        let found = hitting::cheapest(network, &known, kept, network.cost(&best), stop);
        bound = bound.max(found.bound);
        // Nothing cheaper than the best meets even the demands known, or the search had to stop.
        let Some(taken) = found.taken else { return (best, bound) };
        let missed = network.open_demands(&taken);
        if missed.is_empty() {
            return (taken, bound);
        }
        demands.extend(missed);
        let completed = greedy::completed(network, taken);
        if network.cost(&completed) < network.cost(&best) {
            best = completed;
        }
    }
}

/// Gives up fixes that meet the same demands, several at a time, and finds the cheapest in their place.
fn chosen_anew(network: &Network, mut best: Taken, demands: &mut Demands, width: usize, last: u64) -> Taken {
    loop {
        let before = network.cost(&best);
        for first in best.all().collect::<Vec<u32>>() {
            if !best.has[first as usize] {
                continue;
            }
            if network.is_over(Stop::Work(last)) {
                return best;
            }
            network.worked(NEAR * demands.len());
            let mut kept = best.clone();
            near(first, &best, demands).take(width).for_each(|fix| kept.has[fix as usize] = false);
            let (other, _) = solve(network, &kept, best.clone(), demands, Stop::Work(network.after(PART).min(last)));
            if network.cost(&other) < network.cost(&best) {
                best = greedy::completed(network, other);
            }
        }
        if network.cost(&best) == before {
            return best;
        }
    }
}

/// A fix, and those of the choice that could be replaced by what could replace it: those with most such demands first.
fn near(first: u32, best: &Taken, demands: &Demands) -> impl Iterator<Item = u32> {
    let fixes = |demand: &Demand| demand.ways.iter().flatten().copied().collect::<BTreeSet<u32>>();
    let meets = |demand: &&Demand| demand.ways.iter().any(|w| w.contains(&first));
    let instead: BTreeSet<u32> = demands.iter().filter(meets).flat_map(fixes).collect();
    let mut shared: BTreeMap<u32, usize> = BTreeMap::new();
    for demand in demands {
        let common = demand.ways.iter().flatten().filter(|f| instead.contains(f)).count();
        for fix in fixes(demand).into_iter().filter(|f| common > 0 && best.has[*f as usize]) {
            *shared.entry(fix).or_default() += common;
        }
    }
    shared.remove(&first);
    let mut others: Vec<u32> = shared.keys().copied().collect();
    others.sort_by_key(|f| std::cmp::Reverse(shared[f]));
    std::iter::once(first).chain(others)
}

/// The arcs between the nodes that are left after merging those in cycles of arcs that cannot be removed.
fn contracted(arcs: &[Arc]) -> Vec<Arc> {
    let fixed = arcs.iter().filter(|a| a.ways.is_empty() && a.when.is_empty()).map(|a| (a.from, a.to));
    let mut member = BTreeMap::new();
    for component in crate::graph::strongly_connected(fixed) {
        let first = component[0];
        member.extend(component.into_iter().map(|node| (node, first)));
    }
    let group = |node: u32| member.get(&node).copied().unwrap_or(node);
    let moved = arcs.iter().map(|a| Arc { from: group(a.from), to: group(a.to), ..a.clone() });
    moved.filter(|a| a.from != a.to).collect()
}
