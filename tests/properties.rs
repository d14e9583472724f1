//! Properties of edits and of the planner's choice, on small random input.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::time::Duration;

use cyclefix::edit::{Edit, TextEdit};
use cyclefix::plan::feedback::{Arc, Choice, choose, choose_most};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Edits of a text, in any order: disjoint or not.
fn edits(length: usize) -> impl Strategy<Value = Vec<Edit>> {
    let edit = (0..=length, 0..4usize, "[xyz]{0,3}")
        .prop_map(move |(start, width, text)| Edit::replace(start..(start + width).min(length), text));
    prop::collection::vec(edit, 0..6)
}

/// Whether two edits touch the same byte, or one inserts inside the other.
fn clash(a: &Edit, b: &Edit) -> bool {
    let (a, b) = (&a.range, &b.range);
    match (a.is_empty(), b.is_empty()) {
        (true, true) => false,
        (true, false) => b.start < a.start && a.start < b.end,
        (false, true) => a.start < b.start && b.start < a.end,
        (false, false) => a.start < b.end && b.start < a.end,
    }
}

/// Every byte by itself, with what stands before it.
fn naive(text: &str, edits: &[Edit]) -> String {
    let mut out = String::new();
    for at in 0..=text.len() {
        // Insertions first, in the order they were added; then the replacement that starts here.
        let starting = |empty: bool| edits.iter().filter(move |e| e.range.start == at && e.range.is_empty() == empty);
        starting(true).chain(starting(false)).for_each(|e| out.push_str(&e.text));
        let gone = edits.iter().any(|e| e.range.contains(&at));
        out.extend(text[at..].chars().next().filter(|_| !gone));
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn edits_apply_as_if_one_by_one(text in "[ab\n]{0,10}", all in edits(10)) {
        let all: Vec<Edit> = all.into_iter().filter(|e| e.range.end <= text.len()).collect();
        let mut taken: Vec<Edit> = Vec::new();
        let mut edit = TextEdit::default();
        for one in all {
            let repeats = !one.range.is_empty() && taken.contains(&one);
            let clashes = !repeats && taken.iter().any(|t| clash(t, &one));
            let before = edit.clone();
            match edit.add(one.clone()) {
                Ok(()) => prop_assert!(!clashes, "{taken:?} {one:?}"),
                Err(conflict) => {
                    prop_assert!(clashes, "{taken:?} {one:?}");
                    prop_assert_eq!(conflict.second, one.range);
                    prop_assert_eq!(&edit, &before);
                    continue;
                }
            }
            if !repeats {
                taken.push(one);
            }
        }
        prop_assert!(edit.edits().is_sorted_by_key(|e| (e.range.start, e.range.end)));
        prop_assert_eq!(edit.apply(&text), naive(&text, &taken));
    }

    #[test]
    fn merging_is_adding_all_or_nothing(first in edits(10), second in edits(10)) {
        let build = |all: Vec<Edit>| {
            let mut edit = TextEdit::default();
            for one in all {
                let _refused = edit.add(one);
            }
            edit
        };
        let (left, right) = (build(first), build(second));
        let mut merged = left.clone();
        match merged.merge(&right) {
            Ok(()) => for one in left.edits().iter().chain(right.edits()) {
                prop_assert!(merged.edits().contains(one));
            },
            Err(_) => prop_assert_eq!(merged, left),
        }
    }
}

/// Arcs between a few nodes, and what the fixes cost that remove or bring them.
#[derive(Clone, Debug)]
struct Problem {
    arcs: Vec<Arc>,
    costs: Vec<u64>,
}

/// Problems with up to `nodes` nodes, `arcs` arcs and `fixes` fixes: fixes are shared, arcs have several ways to go or
/// none, and some are brought by fixes.
fn problems(nodes: u32, arcs: usize, fixes: usize) -> impl Strategy<Value = Problem> {
    let way = prop::collection::btree_set(0..fixes, 1..3);
    let ways = prop_oneof![1 => Just(Vec::new()), 6 => prop::collection::vec(way, 1..4)];
    let when = prop_oneof![6 => Just(BTreeSet::new()), 1 => prop::collection::btree_set(0..fixes, 1..3)];
    let arc = (0..nodes, 0..nodes, ways, when);
    let arcs = prop::collection::vec(arc.prop_map(|(from, to, ways, when)| Arc { from, to, ways, when }), 0..arcs);
    let costs = prop::collection::vec(1..40u64, fixes);
    (arcs, costs)
        .prop_map(|(arcs, costs)| Problem { arcs: arcs.into_iter().filter(|a| a.from != a.to).collect(), costs })
}

impl Problem {
    /// Pairs of different nodes that reach each other over the arcs that are kept.
    fn stuck(&self, kept: impl Fn(&Arc) -> bool) -> BTreeSet<(u32, u32)> {
        let mut reach: BTreeSet<(u32, u32)> = self.arcs.iter().filter(|a| kept(a)).map(|a| (a.from, a.to)).collect();
        let nodes: BTreeSet<u32> = reach.iter().flat_map(|(a, b)| [*a, *b]).collect();
        for middle in &nodes {
            let into: Vec<u32> = nodes.iter().copied().filter(|n| reach.contains(&(*n, *middle))).collect();
            let out: Vec<u32> = nodes.iter().copied().filter(|n| reach.contains(&(*middle, *n))).collect();
            reach.extend(into.iter().flat_map(|a| out.iter().map(|b| (*a, *b))));
        }
        reach.iter().copied().filter(|(a, b)| a != b && reach.contains(&(*b, *a))).collect()
    }

    /// Whether only cycles of arcs that cannot be removed are left.
    fn is_enough(&self, fixes: &BTreeSet<usize>) -> bool {
        let there = |a: &Arc| a.when.is_subset(fixes) && !a.ways.iter().any(|w| w.is_subset(fixes));
        self.stuck(there) == self.stuck(|a| a.ways.is_empty() && a.when.is_empty())
    }

    /// The nodes that are left in cycles.
    fn left(&self, fixes: &BTreeSet<usize>) -> usize {
        let there = |a: &Arc| a.when.is_subset(fixes) && !a.ways.iter().any(|w| w.is_subset(fixes));
        self.stuck(there).iter().map(|(node, _)| *node).collect::<BTreeSet<u32>>().len()
    }

    fn cost(&self, fixes: &BTreeSet<usize>) -> u64 {
        fixes.iter().map(|f| self.costs[*f]).sum()
    }

    /// The least cost over all sets of fixes, if one is enough.
    fn optimum(&self) -> Option<u64> {
        let sets = (0..1u32 << self.costs.len())
            .map(|bits| -> BTreeSet<usize> { (0..self.costs.len()).filter(|i| bits >> i & 1 == 1).collect() });
        sets.filter(|s| self.is_enough(s)).map(|s| self.cost(&s)).min()
    }

    fn sound(&self, choice: &Choice) -> Result<(), TestCaseError> {
        prop_assert_eq!(choice.cost, self.cost(&choice.fixes));
        prop_assert!(choice.bound <= choice.cost);
        prop_assert!(!choice.exact || choice.bound == choice.cost);
        Ok(())
    }
}

const LONG: Duration = Duration::from_secs(60);

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 3000, failure_persistence: None, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::default()
    })]

    #[test]
    fn the_choice_is_the_cheapest(problem in problems(6, 14, 7)) {
        let choice = choose(&problem.arcs, &problem.costs, LONG);
        problem.sound(&choice)?;
        prop_assert!(choice.exact);
        let optimum = problem.optimum();
        if let Some(optimum) = optimum {
            prop_assert!(problem.is_enough(&choice.fixes));
            prop_assert_eq!(choice.cost, optimum);
        }
        let hasty = choose(&problem.arcs, &problem.costs, Duration::ZERO);
        problem.sound(&hasty)?;
        prop_assert!(hasty.cost >= choice.cost && hasty.bound <= choice.cost);
        prop_assert!(optimum.is_none() || problem.is_enough(&hasty.fixes));
        let most = choose_most(&problem.arcs, &problem.costs, LONG);
        problem.sound(&most)?;
        prop_assert!(problem.left(&most.fixes) <= problem.left(&choice.fixes));
        prop_assert!(!choice.forgiven.is_empty() || most == choice);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 60, failure_persistence: None, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::default()
    })]

    /// The greedy choice and its local search, which stand where there is no time for a proof.
    #[test]
    fn the_choice_without_time_is_nearly_the_cheapest(problem in problems(30, 110, 60)) {
        let (hasty, exact) = (choose(&problem.arcs, &problem.costs, Duration::ZERO), choose(&problem.arcs, &problem.costs, LONG));
        prop_assert!(exact.exact);
        prop_assert!(hasty.cost * 100 <= exact.cost * 102, "{} for {}", hasty.cost, exact.cost);
        prop_assert!(hasty.bound <= exact.cost);
    }

    #[test]
    fn the_choice_does_not_depend_on_chance(problem in problems(12, 40, 20)) {
        prop_assert_eq!(choose(&problem.arcs, &problem.costs, LONG), choose(&problem.arcs, &problem.costs, LONG));
    }
}

/// A ring of two that only closes another of two, and a long ring through one of its arcs: that can be broken all the same.
#[test]
fn a_cycle_that_cannot_be_broken_does_not_save_those_that_can() {
    let arc = |from, to, ways: &[usize], when: &[usize]| {
        let ways = ways.iter().map(|fix| BTreeSet::from([*fix])).collect();
        Arc { from, to, ways, when: when.iter().copied().collect() }
    };
    let arcs = [
        arc(0, 1, &[0], &[]),
        arc(1, 0, &[], &[]),
        arc(0, 1, &[], &[0]),
        arc(1, 2, &[1], &[]),
        arc(2, 3, &[2], &[]),
        arc(3, 0, &[3], &[]),
    ];
    let problem = Problem { arcs: arcs.to_vec(), costs: vec![5, 7, 6, 8] };
    assert_eq!(problem.left(&choose(&problem.arcs, &problem.costs, LONG).fixes), 4);
    let most = choose_most(&problem.arcs, &problem.costs, LONG);
    assert_eq!((problem.left(&most.fixes), most.fixes), (2, BTreeSet::from([2])));
}
