//! A good choice without a proof: the way that meets most demands for its cost until none is left, then
//! single fixes exchanged for cheaper ones.

use std::collections::BTreeMap;

use super::network::{Network, Stop, Taken};

/// Work on one way to meet a demand.
const WAY: usize = 40;

/// Takes what is missing until no cycle is left, then gives back what is not needed.
pub fn completed(network: &Network, taken: Taken) -> Taken {
    let filled = filled(network, taken, None).expect("some way to meet a demand is always open");
    without_needless(network, filled)
}

/// Takes more, but not `barred`, until no cycle is left; none if one can be broken by nothing else.
fn filled(network: &Network, mut taken: Taken, barred: Option<u32>) -> Option<Taken> {
    loop {
        let demands = network.open_demands(&taken);
        if demands.is_empty() {
            return Some(taken);
        }
        let mut meets: BTreeMap<Vec<u32>, Vec<usize>> = BTreeMap::new();
        for (index, demand) in demands.iter().enumerate() {
            network.worked(WAY * demand.ways.len());
            for way in demand.ways.iter().filter(|w| barred.is_none_or(|b| !w.contains(&b))) {
                let missing = way.iter().copied().filter(|f| !taken.has[*f as usize]).collect();
                meets.entry(missing).or_default().push(index);
            }
        }
        if meets.is_empty() {
            return None;
        }
        let worth = |(way, demands): &(Vec<u32>, Vec<usize>)| {
            let cost: u64 = way.iter().map(|f| network.costs[*f as usize]).sum();
            std::cmp::Reverse(((demands.len() as u128) << 64) / u128::from(cost.max(1)))
        };
        let mut ways: Vec<(Vec<u32>, Vec<usize>)> = meets.into_iter().collect();
        ways.sort_by_cached_key(worth);
        let mut met = vec![false; demands.len()];
        for (way, demands) in ways {
            // Where most is met by better ways, the next round counts anew.
            if 2 * demands.iter().filter(|d| !met[**d]).count() <= demands.len() {
                continue;
            }
            demands.iter().for_each(|d| met[*d] = true);
            way.iter().for_each(|f| taken.has[*f as usize] = true);
        }
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
pub fn exchanged(network: &Network, mut best: Taken, stop: Stop) -> Taken {
    for fix in best.all().collect::<Vec<u32>>() {
        if network.is_over(stop) {
            break;
        }
        let mut rest = best.clone();
        rest.has[fix as usize] = false;
        let Some(other) = filled(network, rest, Some(fix)) else { continue };
        let other = without_needless(network, other);
        if network.cost(&other) < network.cost(&best) {
            best = other;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::Arc;
    use super::*;

    /// Fix 0 breaks one cycle and closes another that nothing can break.
    #[test]
    fn what_only_one_fix_helps_is_not_looked_for_without_it() {
        let arc = |from, to, ways, when: &[usize]| Arc { from, to, ways, when: when.iter().copied().collect() };
        let arcs = [
            arc(0, 1, Vec::new(), &[]),
            arc(1, 0, Vec::new(), &[0]),
            arc(2, 3, vec![BTreeSet::from([0])], &[]),
            arc(3, 2, Vec::new(), &[]),
        ];
        let network = Network::new(&arcs, &[5]);
        let first = completed(&network, Taken::none(&network));
        let best = exchanged(&network, first.clone(), Stop::Work(u64::MAX));
        assert!(network.cost(&best) <= network.cost(&first));
        assert!(network.is_enough(&best));
    }
}
