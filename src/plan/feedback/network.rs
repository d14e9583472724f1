//! Arcs and fixes as integer vectors, which of them are there after some fixes are taken, and the cycles that are left.

use std::cell::Cell;
use std::collections::{BTreeSet, VecDeque};
use std::time::Instant;

use super::{Arc, Choice};

/// Work on one arc, to tell whether it can lie on a cycle.
const CORE: usize = 10;
/// Work on one cycle, beside that of finding it.
const CYCLE: usize = 200;

/// What one cycle asks for: if all of `when` are taken, all of one of `ways` must be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Demand {
    pub when: Vec<u32>,
    pub ways: Vec<Vec<u32>>,
}

/// Fixes that are taken, by index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    pub has: Vec<bool>,
}

impl Taken {
    pub fn none(network: &Network) -> Self {
        Self { has: vec![false; network.costs.len()] }
    }

    pub fn all(&self) -> impl Iterator<Item = u32> + '_ {
        self.has.iter().enumerate().filter(|(_, has)| **has).map(|(fix, _)| fix as u32)
    }

    pub fn holds(&self, fixes: &[u32]) -> bool {
        fixes.iter().all(|f| self.has[*f as usize])
    }
}

struct Link {
    from: u32,
    to: u32,
    /// Shortest first; the last is the pretence that the arc is not there, if it could ever be missing.
    ways: Vec<Vec<u32>>,
    when: Vec<u32>,
}

/// The arcs over nodes numbered from 0. Behind the real fixes stands, for each arc that may be there or not, one that ignores
/// the arc: it costs more than all real ones together, so that it is taken only where nothing else helps.
pub struct Network {
    links: Vec<Link>,
    /// The nodes, as the arcs name them.
    names: Vec<u32>,
    pub costs: Vec<u64>,
    /// Number of real fixes.
    real: usize,
    /// Arcs and fixes looked at so far.
    work: Cell<u64>,
}

/// When a search ends without a result.
#[derive(Clone, Copy, Debug)]
pub enum Stop {
    At(Instant),
    /// When so much work is done in all: the same on every machine.
    Work(u64),
}

impl Network {
    pub fn new(arcs: &[Arc], costs: &[u64]) -> Self {
        let names: BTreeSet<u32> = arcs.iter().flat_map(|a| [a.from, a.to]).collect();
        let names: Vec<u32> = names.into_iter().collect();
        let index = |node: u32| names.partition_point(|n| *n < node) as u32;
        let dear = costs.iter().sum::<u64>() + 1;
        let mut all = costs.to_vec();
        let mut links = Vec::new();
        for arc in arcs {
            let mut ways: Vec<Vec<u32>> =
                arc.ways.iter().map(|w| w.iter().map(|f| *f as u32).collect::<Vec<u32>>()).collect();
            if !ways.is_empty() || !arc.when.is_empty() {
                ways.push(vec![all.len() as u32]);
                all.push(dear);
            }
            let when = arc.when.iter().map(|f| *f as u32).collect();
            links.push(Link { from: index(arc.from), to: index(arc.to), ways, when });
        }
        Self { links, names, costs: all, real: costs.len(), work: Cell::new(0) }
    }

    pub fn worked(&self, amount: usize) {
        self.work.set(self.work.get() + amount as u64);
    }

    pub fn is_over(&self, stop: Stop) -> bool {
        match stop {
            Stop::At(deadline) => Instant::now() >= deadline,
            Stop::Work(limit) => self.work.get() >= limit,
        }
    }

    /// The work done when so much more is.
    pub fn after(&self, amount: u64) -> u64 {
        self.work.get() + amount
    }

    pub fn cost(&self, taken: &Taken) -> u64 {
        taken.all().map(|f| self.costs[f as usize]).sum()
    }

    /// The real fixes of a choice. A bound on what includes ignored arcs is one on the real ones less what these cost.
    pub fn choice(&self, taken: &Taken, bound: u64) -> Choice {
        let fixes: BTreeSet<usize> = taken.all().map(|f| f as usize).filter(|f| *f < self.real).collect();
        let cost = fixes.iter().map(|f| self.costs[*f]).sum();
        let ignored = self.cost(taken) - cost;
        let is_ignored = |l: &&Link| l.ways.last().is_some_and(|w| w[0] as usize >= self.real && taken.holds(w));
        let ends = |l: &Link| (self.names[l.from as usize], self.names[l.to as usize]);
        let exact = bound >= self.cost(taken);
        Choice {
            exact,
            late: !exact,
            bound: bound.saturating_sub(ignored).min(cost),
            fixes,
            cost,
            forgiven: self.links.iter().filter(is_ignored).map(ends).collect(),
        }
    }

    /// The arcs that are there, as indices, of the part in which cycles lie: what has nothing before or behind it is trimmed.
    fn core(&self, taken: &Taken) -> Vec<u32> {
        let is_there = |l: &Link| taken.holds(&l.when) && !l.ways.iter().any(|w| taken.holds(w));
        self.worked(CORE * self.links.len());
        let mut core: Vec<u32> = (0..self.links.len() as u32).filter(|l| is_there(&self.links[*l as usize])).collect();
        loop {
            let before = core.len();
            core = self.trimmed(core, |l| (l.from, l.to));
            core = self.trimmed(core, |l| (l.to, l.from));
            if core.len() == before {
                return core;
            }
        }
    }

    /// Without the arcs from nodes to which none leads, again and again.
    fn trimmed(&self, arcs: Vec<u32>, ends: impl Fn(&Link) -> (u32, u32)) -> Vec<u32> {
        let mut into = vec![0u32; self.names.len()];
        let mut out: Vec<Vec<u32>> = vec![Vec::new(); self.names.len()];
        for arc in &arcs {
            let (from, to) = ends(&self.links[*arc as usize]);
            into[to as usize] += 1;
            out[from as usize].push(to);
        }
        let mut free: Vec<u32> = (0..self.names.len() as u32).filter(|n| into[*n as usize] == 0).collect();
        let mut gone = vec![false; self.names.len()];
        while let Some(node) = free.pop() {
            gone[node as usize] = true;
            for to in &out[node as usize] {
                into[*to as usize] -= 1;
                if into[*to as usize] == 0 {
                    free.push(*to);
                }
            }
        }
        arcs.into_iter().filter(|a| !gone[ends(&self.links[*a as usize]).0 as usize]).collect()
    }

    pub fn is_enough(&self, taken: &Taken) -> bool {
        self.core(taken).is_empty()
    }

    /// What the cycles ask for that are left: of a shortest cycle through each arc, without repetition.
    pub fn open_demands(&self, taken: &Taken) -> Vec<Demand> {
        let core = self.core(taken);
        let mut out: Vec<Vec<u32>> = vec![Vec::new(); self.names.len()];
        let mut into: Vec<Vec<u32>> = vec![Vec::new(); self.names.len()];
        for arc in &core {
            let link = &self.links[*arc as usize];
            out[link.from as usize].push(*arc);
            into[link.to as usize].push(*arc);
        }
        let mut found = BTreeSet::new();
        for start in (0..self.names.len()).filter(|n| !into[*n].is_empty()) {
            self.worked(core.len());
            let came = self.reached(start as u32, &out);
            for last in &into[start] {
                let mut node = self.links[*last as usize].from;
                if came[node as usize] == NEVER {
                    continue;
                }
                self.worked(CYCLE);
                let mut cycle = vec![*last];
                while node as usize != start {
                    let by = came[node as usize];
                    cycle.push(by);
                    node = self.links[by as usize].from;
                }
                cycle.sort_unstable();
                found.insert(cycle);
            }
        }
        let demands: BTreeSet<Demand> = found.into_iter().map(|c| self.demand(&c)).collect();
        demands.into_iter().collect()
    }

    /// By node, the arc by which a shortest path from `start` comes to it; `start` itself counts as reached.
    fn reached(&self, start: u32, out: &[Vec<u32>]) -> Vec<u32> {
        let mut came = vec![NEVER; self.names.len()];
        let mut queue = VecDeque::from([start]);
        came[start as usize] = NEVER - 1;
        while let Some(at) = queue.pop_front() {
            for arc in &out[at as usize] {
                let to = self.links[*arc as usize].to;
                if came[to as usize] == NEVER {
                    came[to as usize] = *arc;
                    queue.push_back(to);
                }
            }
        }
        came
    }

    fn demand(&self, cycle: &[u32]) -> Demand {
        let links = || cycle.iter().map(|a| &self.links[*a as usize]);
        let when: BTreeSet<u32> = links().flat_map(|l| l.when.iter().copied()).collect();
        let mut all: Vec<&Vec<u32>> = links().flat_map(|l| &l.ways).collect();
        all.sort_unstable_by_key(|w| (w.len(), *w));
        let mut ways: Vec<Vec<u32>> = Vec::new();
        for way in all {
            if !ways.iter().any(|w| w.iter().all(|f| way.contains(f))) {
                ways.push(way.clone());
            }
        }
        Demand { when: when.into_iter().collect(), ways }
    }
}

/// Stands for a node that no path reaches.
const NEVER: u32 = u32::MAX;
