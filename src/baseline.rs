//! A baseline: the cycles that a team knows of, so that only new ones count. A component is known by its modules: moved
//! lines change nothing, a module that joins does.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::outcome::{CycleEntry, Stale, StaleEntry, Standing};
use crate::project::settings::Level;

/// Version of the file; it grows when a field changes its meaning or goes.
pub const VERSION: u32 = 1;

/// What the file holds. Everything is sorted, so that equal baselines are equal files, and a line stands for one module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    pub version: u32,
    /// By the path of the project's root, seen from the folder of the file, with `/`.
    pub projects: BTreeMap<String, Known>,
}

/// The known cycles of a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    pub level: Level,
    /// The modules of each component.
    pub cycles: BTreeSet<BTreeSet<String>>,
}

impl Default for Baseline {
    fn default() -> Self {
        Self { version: VERSION, projects: BTreeMap::new() }
    }
}

impl Known {
    /// Whether a component is one of these, or a part of one.
    pub fn holds(&self, modules: &[String]) -> bool {
        self.cycles.iter().any(|known| modules.iter().all(|module| known.contains(module)))
    }

    /// Marks each cycle as known or new, and names the modules that joined one that was known, and those that became one.
    pub fn judge(&self, cycles: &mut [CycleEntry]) {
        for cycle in cycles {
            if self.holds(&cycle.modules) {
                cycle.baseline = Some(Standing::Known);
                continue;
            }
            cycle.baseline = Some(Standing::New);
            let part = |known: &BTreeSet<String>| -> Vec<String> {
                cycle.modules.iter().filter(|module| known.contains(*module)).cloned().collect()
            };
            let met: Vec<Vec<String>> = self.cycles.iter().map(part).filter(|part| !part.is_empty()).collect();
            let old: BTreeSet<&String> = met.iter().flatten().collect();
            if !old.is_empty() {
                cycle.joined = cycle.modules.iter().filter(|module| !old.contains(module)).cloned().collect();
            }
            if met.len() > 1 {
                cycle.united = met;
            }
        }
    }

    /// Entries that are too large by now: those of `cycles` that are gone, and those with modules that are out of them.
    /// Only entries that `is_seen` by this run are judged.
    pub fn stale(&self, cycles: &[CycleEntry], is_seen: &dyn Fn(&BTreeSet<String>) -> bool) -> Vec<StaleEntry> {
        let in_cycles: BTreeSet<&String> = cycles.iter().flat_map(|cycle| &cycle.modules).collect();
        let judged = self.cycles.iter().filter(|known| is_seen(known));
        let entry = |known: &BTreeSet<String>| {
            let out: Vec<String> = known.iter().filter(|module| !in_cycles.contains(module)).cloned().collect();
            let how = match out.len() {
                0 => return None,
                n if n == known.len() => Stale::Gone,
                _ => Stale::Smaller,
            };
            Some(StaleEntry { how, modules: known.iter().cloned().collect(), out })
        };
        judged.filter_map(entry).collect()
    }

    /// The entries after a run that found or left `cycles`: what the run did not see stays.
    pub fn updated(
        self,
        level: Level,
        cycles: impl Iterator<Item = Vec<String>>,
        is_seen: &dyn Fn(&BTreeSet<String>) -> bool,
    ) -> Self {
        let same_level = self.level == level;
        let kept = self.cycles.into_iter().filter(|known| same_level && !is_seen(known));
        let cycles = kept.chain(cycles.map(|modules| modules.into_iter().collect())).collect();
        Self { level, cycles }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn known(cycles: &[&str]) -> Known {
        let set = |modules: &&str| modules.split(' ').map(str::to_owned).collect();
        Known { level: Level::Eager, cycles: cycles.iter().map(set).collect() }
    }

    fn holds(known: &Known, modules: &str) -> bool {
        known.holds(&modules.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn parts_are_known_and_what_joins_is_not() {
        let known = known(&["a b c", "x y"]);
        for modules in ["a b c", "a c", "x y"] {
            assert!(holds(&known, modules), "{modules}");
        }
        for modules in ["a b c d", "b x", "a b c x y", "n m"] {
            assert!(!holds(&known, modules), "{modules}");
        }
    }

    #[test]
    fn what_a_run_does_not_see_stays() {
        let seen = |modules: &BTreeSet<String>| !modules.contains("x");
        let next = known(&["a b c", "x y"]).updated(Level::Eager, [vec!["b".into(), "a".into()]].into_iter(), &seen);
        assert_eq!(next, known(&["a b", "x y"]));
        let other = known(&["a b c", "x y"]).updated(Level::All, std::iter::empty(), &seen);
        assert_eq!((other.level, other.cycles.len()), (Level::All, 0));
    }
}
