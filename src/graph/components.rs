//! Strongly connected components. The only user of petgraph.

use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;
use rustc_hash::FxHashMap;

/// The strongly connected components of two or more nodes, nodes sorted; a component comes behind those that it leads to.
///
/// Chains of imports are long: of petgraph's algorithms, this is the one that does not recurse.
pub fn strongly_connected(pairs: impl Iterator<Item = (u32, u32)>) -> Vec<Vec<u32>> {
    let mut graph = DiGraph::<u32, ()>::new();
    let mut places = FxHashMap::default();
    let mut last = None;
    for pair in pairs.filter(|pair| last.replace(*pair) != Some(*pair)) {
        let [from, to] = [pair.0, pair.1].map(|node| *places.entry(node).or_insert_with(|| graph.add_node(node)));
        graph.add_edge(from, to, ());
    }
    let components = kosaraju_scc(&graph).into_iter().filter(|c| c.len() > 1);
    components
        .map(|component| {
            let mut nodes: Vec<u32> = component.into_iter().map(|index| graph[index]).collect();
            nodes.sort_unstable();
            nodes
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::strongly_connected;

    #[test]
    fn components_come_behind_those_that_they_lead_to() {
        let found = strongly_connected([(1, 2), (2, 1), (2, 3), (3, 4), (4, 3), (4, 5), (9, 9)].into_iter());
        assert_eq!(found, [vec![3, 4], vec![1, 2]]);
    }

    #[test]
    fn long_chains_need_no_deep_stack() {
        let last = 300_000;
        let long = (0..last).map(|n| (n, n + 1)).chain([(last, 0)]);
        assert_eq!(strongly_connected(long)[0].len(), 300_001);
    }
}
