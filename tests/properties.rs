//! Properties of edits and of the planner's choice, on small random input.
#![allow(clippy::unwrap_used)]

// The planner keeps its choice to itself: the file is built here again, on the crate's graph.
mod graph {
    pub use cyclefix::graph::strongly_connected;
}
#[path = "../src/plan/feedback.rs"]
mod feedback;

use std::collections::BTreeSet;
use std::time::Duration;

use cyclefix::edit::{Edit, TextEdit};
use feedback::{Arc, Choice, choose};
use proptest::prelude::*;

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

/// Nodes and arcs with costs, at most one arc a pair, some of which cannot be removed.
fn graphs() -> impl Strategy<Value = Vec<Arc>> {
    let arc = (0..6u32, 0..6u32, prop::option::weighted(0.85, 1..20u64));
    prop::collection::vec(arc, 0..13).prop_map(|all| {
        let mut seen = BTreeSet::new();
        let arcs = all.into_iter().filter(|(from, to, _)| from != to && seen.insert((*from, *to)));
        arcs.map(|(from, to, cost)| Arc { from, to, cost }).collect()
    })
}

/// Pairs of different nodes that reach each other over the arcs that are kept.
fn stuck(arcs: &[Arc], kept: impl Fn(usize) -> bool) -> BTreeSet<(u32, u32)> {
    let mut reach: BTreeSet<(u32, u32)> =
        arcs.iter().enumerate().filter(|(i, _)| kept(*i)).map(|(_, a)| (a.from, a.to)).collect();
    for middle in 0..6 {
        for from in 0..6 {
            for to in 0..6 {
                if reach.contains(&(from, middle)) && reach.contains(&(middle, to)) {
                    reach.insert((from, to));
                }
            }
        }
    }
    reach.iter().copied().filter(|(a, b)| a != b && reach.contains(&(*b, *a))).collect()
}

/// Whether only cycles of arcs that cannot be removed are left.
fn is_enough(arcs: &[Arc], removed: &BTreeSet<usize>) -> bool {
    stuck(arcs, |i| !removed.contains(&i)) == stuck(arcs, |i| arcs[i].cost.is_none())
}

fn cost(arcs: &[Arc], removed: &BTreeSet<usize>) -> u64 {
    removed.iter().map(|i| arcs[*i].cost.unwrap()).sum()
}

/// The least cost over all sets of removable arcs.
fn optimum(arcs: &[Arc]) -> u64 {
    let removable: Vec<usize> = (0..arcs.len()).filter(|i| arcs[*i].cost.is_some()).collect();
    let sets = (0..1u32 << removable.len()).map(|bits| -> BTreeSet<usize> {
        removable.iter().enumerate().filter(|(n, _)| bits >> n & 1 == 1).map(|(_, i)| *i).collect()
    });
    sets.map(|s| (cost(arcs, &s), s)).filter(|(_, s)| is_enough(arcs, s)).map(|(c, _)| c).min().unwrap()
}

fn sound(arcs: &[Arc], choice: &Choice) -> Result<(), TestCaseError> {
    prop_assert!(choice.arcs.iter().all(|i| arcs[*i].cost.is_some()), "{choice:?}");
    prop_assert!(is_enough(arcs, &choice.arcs), "{choice:?}");
    prop_assert_eq!(choice.cost, cost(arcs, &choice.arcs));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_choice_is_the_cheapest(arcs in graphs()) {
        let choice = choose(&arcs, Duration::from_secs(10));
        sound(&arcs, &choice)?;
        prop_assert!(choice.exact);
        prop_assert_eq!(choice.cost, optimum(&arcs));
        prop_assert_eq!(choice, choose(&arcs, Duration::from_secs(10)));
    }

    #[test]
    fn the_choice_without_time_is_sound(arcs in graphs()) {
        let choice = choose(&arcs, Duration::ZERO);
        sound(&arcs, &choice)?;
        prop_assert!(!choice.exact || choice.cost == optimum(&arcs));
    }
}
