//! Whether a plan that cannot dissolve a cycle whole is worth its changes.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::choice::bringers;
use crate::graph::{Edge, strongly_connected};
use crate::strategy::{Added, Cycle, Fix, ImportId};

/// Why fixes are not worth it, and one of them to say so of.
pub struct LittleGain {
    pub fix: Fix,
    pub message: String,
}

/// Fixes that are worth it.
pub struct Worthwhile {
    pub fixes: Vec<Fix>,
    /// How many modules they free.
    pub freed: usize,
    /// Whether nothing of the cycle is left.
    pub is_whole: bool,
}

/// As many pairs of modules a fix counts for that changes much text, where a part of the cycle stays.
const LONG: usize = 6;

/// What some fixes come to.
struct Gain {
    /// Pairs of modules that no longer import each other.
    pairs: usize,
    /// The same, what changes much text by [`LONG`].
    weighed: usize,
    /// Modules that no longer stand in a cycle.
    freed: usize,
    /// Modules that still do.
    left: usize,
}

impl Gain {
    /// Two modules are worth three imports.
    fn is_enough(&self) -> bool {
        self.left == 0 || 2 * self.weighed <= 3 * self.freed
    }
}

/// Fixes by index, and how many modules they free.
struct Worth {
    fixes: Vec<usize>,
    freed: usize,
}

/// A cycle as pairs of modules, ready to be asked what choices among some fixes come to.
struct Field<'f> {
    cycle: &'f Cycle,
    fixes: &'f [Fix],
    /// Sorted; those of the cycle, and those that a fix adds.
    pairs: Vec<(u32, u32)>,
    /// The edges of the cycle: the pair of each, and the fixes that remove its import.
    edges: Vec<(usize, Vec<usize>)>,
    /// What fixes add.
    adds: Vec<Extra>,
}

/// A pair of modules that fixes add to a cycle.
struct Extra {
    pair: usize,
    /// The fixes that bring it together.
    when: BTreeSet<usize>,
    /// By import that makes it, the fixes that remove that; empty if it comes in any case.
    by: Vec<Vec<usize>>,
}

impl Extra {
    fn comes(&self, has: &[bool]) -> bool {
        let is_gone = !self.by.is_empty() && self.by.iter().all(|removers| removers.iter().any(|fix| has[*fix]));
        self.when.iter().all(|fix| has[*fix]) && !is_gone
    }
}

impl<'f> Field<'f> {
    fn new(cycle: &'f Cycle, fixes: &'f [Fix]) -> Self {
        let added = fixes.iter().flat_map(|f| &f.adds).map(|added| (added.from.0, added.to.0));
        let all: BTreeSet<(u32, u32)> = cycle.edges.iter().map(pair).chain(added).collect();
        let pairs: Vec<(u32, u32)> = all.into_iter().collect();
        let place = |pair: (u32, u32)| pairs.partition_point(|p| *p < pair);
        let mut by_import: BTreeMap<ImportId, Vec<usize>> = BTreeMap::new();
        for (index, fix) in fixes.iter().enumerate() {
            fix.removes.iter().for_each(|import| by_import.entry(*import).or_default().push(index));
        }
        let removers =
            |e: &Edge| by_import.get(&ImportId { module: e.from, site: e.site }).cloned().unwrap_or_default();
        let edges = cycle.edges.iter().map(|e| (place(pair(e)), removers(e))).collect();
        let removers_of = |import: &ImportId| by_import.get(import).cloned().unwrap_or_default();
        let extra = |fix: usize, added: &Added| {
            let when = bringers(fix, added, fixes, &by_import)?;
            let by = added.by.iter().map(removers_of).collect();
            Some(Extra { pair: place((added.from.0, added.to.0)), when, by })
        };
        let adds = fixes.iter().enumerate();
        let adds = adds.flat_map(|(fix, f)| f.adds.iter().filter_map(move |added| extra(fix, added))).collect();
        Self { cycle, fixes, pairs, edges, adds }
    }

    /// What the fixes come to that are among `taken`, by index, but for one.
    fn gain(&self, taken: &[usize], without: Option<usize>) -> Gain {
        let mut has = vec![false; self.fixes.len()];
        taken.iter().filter(|fix| Some(**fix) != without).for_each(|fix| has[*fix] = true);
        let (mut cut, mut kept) = (vec![false; self.pairs.len()], vec![false; self.pairs.len()]);
        for (pair, removers) in &self.edges {
            let is_cut = removers.iter().any(|fix| has[*fix]);
            (if is_cut { &mut cut } else { &mut kept })[*pair] = true;
        }
        self.adds.iter().filter(|extra| extra.comes(&has)).for_each(|extra| kept[extra.pair] = true);
        let pairs = cut.iter().zip(&kept).filter(|(cut, kept)| **cut && !**kept).count();
        let long = self.fixes.iter().zip(&has).filter(|(fix, has)| **has && fix.is_long()).count();
        let there = self.pairs.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(pair, _)| *pair);
        let left: usize = strongly_connected(there).iter().map(Vec::len).sum();
        Gain { pairs, weighed: pairs + long * (LONG - 1), freed: self.cycle.modules.len().saturating_sub(left), left }
    }

    /// Those of the fixes that are worth it: the one is dropped first without which the fewest modules stay.
    fn enough(&self, mut kept: Vec<usize>) -> Option<Worth> {
        while !kept.is_empty() {
            let gain = self.gain(&kept, None);
            if gain.freed > 0 && gain.is_enough() {
                return Some(Worth { fixes: self.needed(kept, gain.freed), freed: gain.freed });
            }
            let without = |at: &usize| {
                let fix = kept[*at];
                (self.gain(&kept, Some(fix)).freed, self.fixes[fix].cost, std::cmp::Reverse(*at))
            };
            let least = (0..kept.len()).into_par_iter().max_by_key(without)?;
            kept.remove(least);
        }
        None
    }

    /// Those of the fixes without which no more is lost.
    fn needed(&self, mut taken: Vec<usize>, freed: usize) -> Vec<usize> {
        for at in (0..taken.len()).rev() {
            if self.gain(&taken, Some(taken[at])).freed >= freed {
                taken.remove(at);
            }
        }
        taken
    }
}

fn pair(edge: &Edge) -> (u32, u32) {
    (edge.from.0, edge.to.0)
}

/// The fixes without those that gain too little, and without those that are long where they gain no more. Where none is worth it,
/// says why.
pub fn worthwhile(cycle: &Cycle, fixes: Vec<Fix>) -> Result<Worthwhile, Box<LittleGain>> {
    let field = Field::new(cycle, &fixes);
    let whole = field.gain(&(0..fixes.len()).collect::<Vec<_>>(), None);
    if whole.left == 0 {
        return Ok(Worthwhile { fixes, freed: whole.freed, is_whole: true });
    }
    let all: Vec<usize> = (0..fixes.len()).collect();
    let short = all.iter().copied().filter(|fix| !fixes[*fix].is_long()).collect();
    let (with, without) = (field.enough(all), field.enough(short));
    let freed = |found: &Option<Worth>| found.as_ref().map_or(0, |worth| worth.freed);
    if let Some(worth) = if freed(&with) > freed(&without) { with } else { without } {
        let kept = worth.fixes.into_iter().map(|fix| fixes[fix].clone()).collect();
        return Ok(Worthwhile { fixes: kept, freed: worth.freed, is_whole: false });
    }
    let message = format!(
        "{} imports between modules would have to go to free {} modules, and {} would stay in cycles",
        whole.pairs, whole.freed, whole.left
    );
    let nothing = Worthwhile { fixes: Vec::new(), freed: 0, is_whole: false };
    fixes.into_iter().next().map_or(Ok(nothing), |fix| Err(Box::new(LittleGain { fix, message })))
}
