//! What is proposed for the cycles of one state of a project. Asked for once; a fix that is dropped makes only the choices of
//! its own cycle new.

use std::time::Duration;

use super::choice::choose_fixes;
use super::gain::{LittleGain, worthwhile};
use crate::graph::Graph;
use crate::outcome::PlanEntry;
use crate::strategy::{Cycle, Fix};

/// The fixes that may be taken for one cycle, and those that are.
pub struct Candidates {
    fixes: Vec<Fix>,
    chosen: Option<Chosen>,
}

/// The choice for a cycle; or why the fixes are not worth it.
pub struct Chosen {
    pub fixes: Result<Vec<Fix>, Box<LittleGain>>,
    pub entry: PlanEntry,
    /// Whether a proof took too long.
    pub late: bool,
}

impl Candidates {
    pub fn new(fixes: Vec<Fix>) -> Self {
        Self { fixes, chosen: None }
    }

    /// Those that may be taken.
    pub fn fixes(&self) -> &[Fix] {
        &self.fixes
    }

    /// Takes out what was dropped.
    pub fn without(&mut self, dropped: impl Fn(&Fix) -> bool) {
        let before = self.fixes.len();
        self.fixes.retain(|fix| !dropped(fix));
        if self.fixes.len() < before {
            self.chosen = None;
        }
    }

    /// The fixes to take; `budget` is the time for a proof that none are cheaper.
    pub fn choose(&mut self, graph: &Graph, cycle: &Cycle, budget: Duration) -> &Chosen {
        self.chosen.get_or_insert_with(|| {
            let (mut best, is_whole) = choice(graph, cycle, self.fixes.clone(), budget);
            if is_whole {
                return best.0;
            }
            // What is long may be chosen and turn out not to be worth it, or to close other cycles; then others would have done
            // without it.
            let mut size = self.fixes.len();
            let closes_none = |fix: &&Fix| !fix.is_long() || !fix.adds_to(cycle);
            let is_short = |fix: &&Fix| !fix.is_long();
            let without: [&dyn Fn(&&Fix) -> bool; 2] = [&closes_none, &is_short];
            for is_wanted in without {
                let fewer: Vec<Fix> = self.fixes.iter().filter(is_wanted).cloned().collect();
                if fewer.len() < size {
                    size = fewer.len();
                    let (other, _) = choice(graph, cycle, fewer, budget);
                    best = if other.1 > best.1 { other } else { best };
                }
            }
            best.0
        })
    }
}

/// What is chosen of some fixes, how many modules it frees, and whether that is all.
fn choice(graph: &Graph, cycle: &Cycle, fixes: Vec<Fix>, budget: Duration) -> ((Chosen, usize), bool) {
    let (fixes, entry, late) = choose_fixes(graph, cycle, fixes, budget);
    let found = worthwhile(cycle, fixes);
    let (freed, is_whole) = found.as_ref().map_or((0, false), |found| (found.freed, found.is_whole));
    ((Chosen { fixes: found.map(|found| found.fixes), entry, late }, freed), is_whole)
}
