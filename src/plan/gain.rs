//! Whether a plan that cannot dissolve a cycle whole is worth its changes.

use std::collections::BTreeSet;

use crate::graph::{Edge, strongly_connected};
use crate::strategy::{Cycle, Fix, ImportId};

/// Why fixes are not worth it, and one of them to say so of.
pub struct LittleGain {
    pub fix: Fix,
    pub message: String,
}

/// What some fixes come to.
struct Gain {
    /// Pairs of modules that no longer import each other.
    pairs: usize,
    /// Modules that no longer stand in a cycle.
    freed: usize,
    /// Modules that still do.
    left: usize,
}

impl Gain {
    fn of(cycle: &Cycle, fixes: &[&Fix]) -> Self {
        let removed: BTreeSet<ImportId> = fixes.iter().flat_map(|f| f.removes.iter().copied()).collect();
        let (cut, kept): (Vec<&Edge>, Vec<&Edge>) =
            cycle.edges.iter().partition(|e| removed.contains(&ImportId { module: e.from, site: e.site }));
        let mut kept: BTreeSet<(u32, u32)> = kept.into_iter().map(|e| (e.from.0, e.to.0)).collect();
        kept.extend(fixes.iter().flat_map(|f| &f.adds).map(|(from, to)| (from.0, to.0)));
        let pairs: BTreeSet<(u32, u32)> = cut.into_iter().map(|e| (e.from.0, e.to.0)).collect();
        let pairs = pairs.difference(&kept).count();
        let left: usize = strongly_connected(kept.into_iter()).iter().map(Vec::len).sum();
        Self { pairs, freed: cycle.modules.len().saturating_sub(left), left }
    }

    /// Two modules are worth three imports.
    fn is_enough(&self) -> bool {
        self.left == 0 || 2 * self.pairs <= 3 * self.freed
    }
}

/// The fixes without those that gain too little: the one is dropped first without which the fewest modules stay. Where none is
/// worth it, says why.
pub fn worthwhile(cycle: &Cycle, fixes: Vec<Fix>) -> Result<Vec<Fix>, Box<LittleGain>> {
    let whole = Gain::of(cycle, &fixes.iter().collect::<Vec<_>>());
    if whole.left == 0 {
        return Ok(fixes);
    }
    // What is much to read is for cycles that go whole.
    let mut kept: Vec<&Fix> = fixes.iter().filter(|f| !f.is_for_whole_cycles()).collect();
    let gain = Gain::of(cycle, &kept);
    if gain.freed > 0 && gain.is_enough() {
        return Ok(needed(cycle, kept, gain.freed));
    }
    while !kept.is_empty() {
        let without = |index: &usize| {
            let others: Vec<&Fix> = kept.iter().enumerate().filter(|(i, _)| i != index).map(|(_, f)| *f).collect();
            (Gain::of(cycle, &others).freed, kept[*index].cost, std::cmp::Reverse(*index))
        };
        let Some(least) = (0..kept.len()).max_by_key(without) else { break };
        kept.remove(least);
        let gain = Gain::of(cycle, &kept);
        if gain.freed > 0 && gain.is_enough() {
            return Ok(needed(cycle, kept, gain.freed));
        }
    }
    let message = format!(
        "{} imports between modules would have to go to free {} modules, and {} would stay in cycles",
        whole.pairs, whole.freed, whole.left
    );
    fixes.into_iter().next().map_or(Ok(Vec::new()), |fix| Err(Box::new(LittleGain { fix, message })))
}

/// The fixes without those that free nothing.
fn needed(cycle: &Cycle, mut kept: Vec<&Fix>, freed: usize) -> Vec<Fix> {
    for index in (0..kept.len()).rev() {
        let fix = kept.remove(index);
        if Gain::of(cycle, &kept).freed < freed {
            kept.insert(index, fix);
        }
    }
    kept.into_iter().cloned().collect()
}
