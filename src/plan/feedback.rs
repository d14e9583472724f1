//! Minimum feedback arc set: the cheapest arcs whose removal leaves no cycle. Exact by branch and bound over lazily
//! generated cycles where that ends in time; else a greedy choice made irredundant.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

/// An arc between two nodes; `cost` is `None` for one that cannot be removed.
#[derive(Clone, Copy, Debug)]
pub struct Arc {
    pub from: u32,
    pub to: u32,
    pub cost: Option<u64>,
}

/// Indices of arcs to remove.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    pub arcs: BTreeSet<usize>,
    pub cost: u64,
    /// Whether no cheaper choice exists.
    pub exact: bool,
}

/// Chooses arcs such that every cycle with a removable arc that can be broken is. Cycles of arcs that cannot be removed are
/// left: their nodes count as one.
pub fn choose(arcs: &[Arc], budget: Duration) -> Choice {
    let group = contract(arcs);
    let live: Vec<(usize, Arc)> = arcs
        .iter()
        .enumerate()
        .map(|(i, a)| (i, Arc { from: group(a.from), to: group(a.to), cost: a.cost }))
        .filter(|(_, a)| a.from != a.to)
        .collect();
    let graph = Graph::new(&live);
    let mut best = greedy(&graph);
    let deadline = Instant::now() + budget;
    // Each round solves the cycles known so far exactly, and learns those that its choice misses.
    let mut cycles: Vec<Vec<usize>> = graph.short_cycles(&BTreeSet::new());
    loop {
        let Some(hit) = hitting_set(&graph, &cycles, best.cost, deadline) else {
            // Out of time: the greedy choice stands, its optimality unknown.
            return graph.outside(best);
        };
        let Some(hit) = hit else {
            // Nothing cheaper than the best hits even the cycles known.
            best.exact = true;
            return graph.outside(best);
        };
        let missed = graph.short_cycles(&hit);
        if missed.is_empty() {
            let cost = graph.cost(&hit);
            return graph.outside(Choice { arcs: hit, cost, exact: true });
        }
        cycles.extend(missed);
    }
}

/// The representative of each node after merging those in cycles of arcs that cannot be removed.
fn contract(arcs: &[Arc]) -> impl Fn(u32) -> u32 {
    let fixed = arcs.iter().filter(|a| a.cost.is_none()).map(|a| (a.from, a.to));
    let mut member = BTreeMap::new();
    for component in crate::graph::strongly_connected(fixed) {
        let first = component[0];
        member.extend(component.into_iter().map(|node| (node, first)));
    }
    move |node| member.get(&node).copied().unwrap_or(node)
}

struct Graph {
    /// Arcs in order of their index in the input.
    arcs: Vec<Arc>,
    input: Vec<usize>,
    next: BTreeMap<u32, Vec<usize>>,
}

impl Graph {
    fn new(live: &[(usize, Arc)]) -> Self {
        let mut next: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (index, (_, arc)) in live.iter().enumerate() {
            next.entry(arc.from).or_default().push(index);
        }
        Self { arcs: live.iter().map(|l| l.1).collect(), input: live.iter().map(|l| l.0).collect(), next }
    }

    fn cost(&self, arcs: &BTreeSet<usize>) -> u64 {
        arcs.iter().filter_map(|a| self.arcs[*a].cost).sum()
    }

    fn outside(&self, choice: Choice) -> Choice {
        Choice { arcs: choice.arcs.iter().map(|a| self.input[*a]).collect(), ..choice }
    }

    /// A shortest cycle through an arc that avoids the removed ones, as arcs.
    fn cycle_through(&self, arc: usize, removed: &BTreeSet<usize>) -> Option<Vec<usize>> {
        let (start, goal) = (self.arcs[arc].to, self.arcs[arc].from);
        let mut came: BTreeMap<u32, usize> = BTreeMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(at) = queue.pop_front() {
            if at == goal {
                let mut path = vec![arc];
                let mut node = goal;
                while node != start {
                    let by = came[&node];
                    path.push(by);
                    node = self.arcs[by].from;
                }
                return Some(path);
            }
            for next in self.next.get(&at).map_or(&[][..], Vec::as_slice) {
                let to = self.arcs[*next].to;
                if !removed.contains(next) && to != start && !came.contains_key(&to) {
                    came.insert(to, *next);
                    queue.push_back(to);
                }
            }
        }
        None
    }

    /// A shortest cycle through each arc that lies on one, without repetition.
    fn short_cycles(&self, removed: &BTreeSet<usize>) -> Vec<Vec<usize>> {
        let mut found = BTreeSet::new();
        for arc in 0..self.arcs.len() {
            if removed.contains(&arc) || self.arcs[arc].cost.is_none() {
                continue;
            }
            if let Some(mut cycle) = self.cycle_through(arc, removed) {
                cycle.sort_unstable();
                found.insert(cycle);
            }
        }
        found.into_iter().collect()
    }
}

/// Takes the arc on most short cycles for its cost until none is left, then gives back what is not needed.
fn greedy(graph: &Graph) -> Choice {
    let mut removed = BTreeSet::new();
    loop {
        let cycles = graph.short_cycles(&removed);
        if cycles.is_empty() {
            break;
        }
        let mut count: BTreeMap<usize, u64> = BTreeMap::new();
        for arc in cycles.iter().flatten().filter(|a| graph.arcs[**a].cost.is_some()) {
            *count.entry(*arc).or_default() += 1;
        }
        let worth = |(arc, n): &(&usize, &u64)| {
            let cost = graph.arcs[**arc].cost.unwrap_or(u64::MAX).max(1);
            (**n * 1_000_000 / cost, std::cmp::Reverse(**arc))
        };
        let Some((arc, _)) = count.iter().max_by_key(worth) else { break };
        removed.insert(*arc);
    }
    let mut by_cost: Vec<usize> = removed.iter().copied().collect();
    by_cost.sort_by_key(|a| std::cmp::Reverse(graph.arcs[*a].cost));
    for arc in by_cost {
        removed.remove(&arc);
        if graph.cycle_through(arc, &removed).is_some() {
            removed.insert(arc);
        }
    }
    Choice { cost: graph.cost(&removed), arcs: removed, exact: false }
}

/// The cheapest set of arcs that hits all cycles, if it is cheaper than `limit`; `Some(None)` if none is, `None` if time
/// is out.
fn hitting_set(graph: &Graph, cycles: &[Vec<usize>], limit: u64, deadline: Instant) -> Option<Option<BTreeSet<usize>>> {
    let sets: Vec<Vec<usize>> = cycles
        .iter()
        .map(|c| {
            let mut arcs: Vec<usize> = c.iter().copied().filter(|a| graph.arcs[*a].cost.is_some()).collect();
            arcs.sort_by_key(|a| graph.arcs[*a].cost);
            arcs
        })
        .collect();
    let mut search = Hitting { graph, sets: &sets, best: None, limit, deadline, late: false, steps: 0 };
    search.descend(&mut BTreeSet::new(), &mut BTreeSet::new(), 0);
    if search.late { None } else { Some(search.best) }
}

struct Hitting<'g> {
    graph: &'g Graph,
    sets: &'g [Vec<usize>],
    best: Option<BTreeSet<usize>>,
    /// Cost to stay below.
    limit: u64,
    deadline: Instant,
    late: bool,
    steps: u32,
}

impl Hitting<'_> {
    fn cost(&self, arc: usize) -> u64 {
        self.graph.arcs[arc].cost.unwrap_or(u64::MAX)
    }

    /// Branches over the open cycle with the fewest arcs left; arcs already refused on this branch are not tried again.
    fn descend(&mut self, taken: &mut BTreeSet<usize>, refused: &mut BTreeSet<usize>, cost: u64) {
        self.steps += 1;
        if self.steps.is_multiple_of(256) && Instant::now() > self.deadline {
            self.late = true;
        }
        if self.late || cost >= self.limit {
            return;
        }
        let mut open: Vec<Vec<usize>> = Vec::new();
        for set in self.sets {
            if set.iter().any(|a| taken.contains(a)) {
                continue;
            }
            let left: Vec<usize> = set.iter().copied().filter(|a| !refused.contains(a)).collect();
            if left.is_empty() {
                return;
            }
            open.push(left);
        }
        if open.is_empty() {
            self.limit = cost;
            self.best = Some(taken.clone());
            return;
        }
        open.sort_by_key(Vec::len);
        if cost + self.packing(&open) >= self.limit {
            return;
        }
        let mut tried = Vec::new();
        for arc in &open[0] {
            taken.insert(*arc);
            self.descend(taken, refused, cost + self.cost(*arc));
            taken.remove(arc);
            if refused.insert(*arc) {
                tried.push(*arc);
            }
        }
        for arc in tried {
            refused.remove(&arc);
        }
    }

    /// A lower bound: each open cycle is paid by what its arcs have left to pay.
    fn packing(&self, open: &[Vec<usize>]) -> u64 {
        let mut left: BTreeMap<usize, u64> = BTreeMap::new();
        let mut total = 0;
        for set in open {
            let pay = set.iter().map(|a| *left.entry(*a).or_insert_with(|| self.cost(*a))).min().unwrap_or(0);
            if pay > 0 {
                total += pay;
                for arc in set {
                    left.entry(*arc).and_modify(|l| *l -= pay);
                }
            }
        }
        total
    }
}
