//! A good choice without a proof: the way that meets most demands for its cost until none is left, then
//! single fixes exchanged for cheaper ones.

use std::collections::BTreeMap;

use super::network::{Network, Taken};

/// Takes what is missing until no cycle is left, then gives back what is not needed.
pub fn completed(network: &Network, taken: Taken) -> Taken {
    without_needless(network, filled(network, taken, u32::MAX))
}

/// Takes more, but not `barred`, until no cycle is left.
fn filled(network: &Network, mut taken: Taken, barred: u32) -> Taken {
    loop {
        let demands = network.open_demands(&taken);
        let mut met: BTreeMap<Vec<u32>, u64> = BTreeMap::new();
        for way in demands.iter().flat_map(|d| &d.ways) {
            if !way.contains(&barred) {
                let missing = way.iter().copied().filter(|f| !taken.has[*f as usize]).collect();
                *met.entry(missing).or_default() += 1;
            }
        }
        let worth = |(way, n): &(&Vec<u32>, &u64)| {
            let cost: u64 = way.iter().map(|f| network.costs[*f as usize]).sum();
            (u128::from(**n) << 64) / u128::from(cost.max(1))
        };
        // The first among equals.
        let Some((way, _)) = met.iter().rev().max_by_key(worth) else { return taken };
        way.iter().for_each(|f| taken.has[*f as usize] = true);
    }
}

/// Gives back the dearest first what can be spared.
fn without_needless(network: &Network, mut taken: Taken) -> Taken {
    let mut by_cost: Vec<u32> = taken.all().collect();
    by_cost.sort_by_key(|f| std::cmp::Reverse(network.costs[*f as usize]));
    for fix in by_cost {
        taken.has[fix as usize] = false;
        if !network.is_enough(&taken) {
            taken.has[fix as usize] = true;
        }
    }
    taken
}

/// Gives up one fix at a time, and does without it where that is cheaper.
pub fn exchanged(network: &Network, mut best: Taken) -> Taken {
    for fix in best.all().collect::<Vec<u32>>() {
        let mut rest = best.clone();
        rest.has[fix as usize] = false;
        let other = without_needless(network, filled(network, rest, fix));
        if network.cost(&other) < network.cost(&best) {
            best = other;
        }
    }
    best
}
