//! Branch and bound over known demands: the cheapest fixes that meet them all.

use super::network::{Demand, Network, Stop, Taken};

/// Steps of the search between two looks at the clock.
const STEPS: u32 = 16;

/// Work on one demand at one step.
const WORK: usize = 20;

/// What a search came to.
pub struct Found {
    /// Fixes that meet all demands and cost less than the limit; the cheapest, as the search ended in time.
    pub taken: Option<Taken>,
    /// Meeting the demands costs at least this, or at least the limit.
    pub bound: u64,
}

/// The cheapest fixes that hold all of `kept` and meet all demands, if they cost less than `limit`.
pub fn cheapest(network: &Network, demands: &[&Demand], kept: &Taken, limit: u64, stop: Stop) -> Found {
    let count = network.costs.len();
    let mut search = Search {
        network,
        costs: &network.costs,
        demands,
        taken: kept.clone(),
        refused: vec![false; count],
        residual: vec![0; count],
        paid: vec![0; count],
        limit,
        best: None,
        stop,
        late: network.is_over(stop),
        steps: 0,
    };
    let all: Vec<u32> = (0..demands.len() as u32).collect();
    let cost = network.cost(kept);
    let bound = cost + search.first_bound(&all);
    search.descend(&all, cost);
    match search.late {
        true => Found { taken: None, bound },
        false => Found { taken: search.best, bound: search.limit },
    }
}

struct Search<'n> {
    network: &'n Network,
    costs: &'n [u64],
    demands: &'n [&'n Demand],
    taken: Taken,
    /// Fixes that are not taken below this point of the search.
    refused: Vec<bool>,
    /// What is left of the cost of each fix, after the demands of the last bound were paid.
    residual: Vec<u64>,
    /// What the demand at hand paid of the cost of each fix.
    paid: Vec<u64>,
    /// Cost to stay below.
    limit: u64,
    best: Option<Taken>,
    stop: Stop,
    late: bool,
    steps: u32,
}

/// The demands that are not met at a point of the search.
#[derive(Default)]
struct Unmet {
    /// All, also those that ask for nothing yet.
    all: Vec<u32>,
    /// Those that do, the ones with the fewest ways first.
    open: Vec<(usize, u32)>,
    /// One cannot be met any more.
    hopeless: bool,
}

impl Search<'_> {
    fn first_bound(&mut self, demands: &[u32]) -> u64 {
        let unmet = self.unmet(demands);
        self.packing(&unmet.open)
    }

    fn descend(&mut self, demands: &[u32], cost: u64) {
        self.steps += 1;
        if self.steps.is_multiple_of(STEPS) {
            self.late |= self.network.is_over(self.stop);
        }
        let mut refused: Vec<u32> = Vec::new();
        if let Some(unmet) = self.worth_it(demands, cost, &mut refused) {
            match unmet.open.first() {
                None => {
                    self.limit = cost;
                    self.best = Some(self.taken.clone());
                }
                Some((_, demand)) => self.branch(*demand, &unmet.all, cost, &mut refused),
            }
        }
        refused.iter().for_each(|f| self.refused[*f as usize] = false);
    }

    /// What has to be met, unless that costs too much; refuses each fix that alone would make it so.
    fn worth_it(&mut self, demands: &[u32], cost: u64, refused: &mut Vec<u32>) -> Option<Unmet> {
        loop {
            if self.late || cost >= self.limit {
                return None;
            }
            self.network.worked(WORK * demands.len());
            let unmet = self.unmet(demands);
            if unmet.hopeless {
                return None;
            }
            let bound = cost + self.packing(&unmet.open);
            if bound >= self.limit {
                return None;
            }
            let before = refused.len();
            for (_, demand) in &unmet.open {
                for fix in self.demands[*demand as usize].ways.iter().flatten() {
                    let at = *fix as usize;
                    if !self.taken.has[at] && !self.refused[at] && bound + self.residual[at] >= self.limit {
                        self.refused[at] = true;
                        refused.push(*fix);
                    }
                }
            }
            if refused.len() == before {
                return Some(unmet);
            }
        }
    }

    /// Tries each way to meet a demand, the cheapest first; a fix that was tried alone is not tried again beside others.
    fn branch(&mut self, demand: u32, unmet: &[u32], cost: u64, refused: &mut Vec<u32>) {
        let mut ways: Vec<(u64, Vec<u32>)> = Vec::new();
        for way in self.demands[demand as usize].ways.iter().filter(|w| self.is_viable(w)) {
            let missing: Vec<u32> = way.iter().copied().filter(|f| !self.taken.has[*f as usize]).collect();
            ways.push((missing.iter().map(|f| self.costs[*f as usize]).sum(), missing));
        }
        ways.sort();
        for (price, way) in ways {
            if !self.is_viable(&way) {
                continue;
            }
            way.iter().for_each(|f| self.taken.has[*f as usize] = true);
            self.descend(unmet, cost + price);
            way.iter().for_each(|f| self.taken.has[*f as usize] = false);
            if let [alone] = way[..] {
                self.refused[alone as usize] = true;
                refused.push(alone);
            }
        }
    }

    fn is_viable(&self, way: &[u32]) -> bool {
        !way.iter().any(|f| self.refused[*f as usize])
    }

    fn unmet(&self, demands: &[u32]) -> Unmet {
        let mut out = Unmet::default();
        for index in demands {
            let demand = self.demands[*index as usize];
            // What a refused fix would have brought never comes.
            if demand.ways.iter().any(|w| self.taken.holds(w)) || !self.is_viable(&demand.when) {
                continue;
            }
            out.all.push(*index);
            if self.taken.holds(&demand.when) {
                let viable = demand.ways.iter().filter(|w| self.is_viable(w)).count();
                out.hopeless |= viable == 0;
                out.open.push((viable, *index));
            }
        }
        out.open.sort_unstable();
        out
    }

    /// A lower bound: each open demand pays what its cheapest way still costs, and each of its ways is marked down by as much.
    /// What remains of a fix's cost is what taking it would add to the bound.
    fn packing(&mut self, open: &[(usize, u32)]) -> u64 {
        for (_, demand) in open {
            for fix in self.demands[*demand as usize].ways.iter().flatten() {
                let at = *fix as usize;
                self.residual[at] = if self.taken.has[at] { 0 } else { self.costs[at] };
            }
        }
        let mut total = 0;
        for (_, demand) in open {
            let demand = self.demands[*demand as usize];
            let price = |w: &Vec<u32>| w.iter().map(|f| self.residual[*f as usize]).sum::<u64>();
            let Some(pay) = demand.ways.iter().filter(|w| self.is_viable(w)).map(price).min() else { continue };
            if pay == 0 {
                continue;
            }
            total += pay;
            for way in demand.ways.iter().filter(|w| !w.iter().any(|f| self.refused[*f as usize])) {
                let done: u64 = way.iter().map(|f| self.paid[*f as usize]).sum();
                let mut due = pay.saturating_sub(done);
                for fix in way {
                    let by = due.min(self.residual[*fix as usize]);
                    self.residual[*fix as usize] -= by;
                    self.paid[*fix as usize] += by;
                    due -= by;
                }
            }
            demand.ways.iter().flatten().for_each(|f| self.paid[*f as usize] = 0);
        }
        total
    }
}
