//! Strongly connected components (Tarjan 1972), with a stack of its own: chains of imports are long.

use rustc_hash::FxHashMap;

/// The strongly connected components of two or more nodes, nodes sorted; a component comes behind those that it leads to.
pub fn strongly_connected(pairs: impl Iterator<Item = (u32, u32)>) -> Vec<Vec<u32>> {
    let arcs = Arcs::new(pairs);
    let mut search = Search {
        arcs: &arcs,
        order: vec![0; arcs.nodes.len()],
        lowest: vec![0; arcs.nodes.len()],
        entered: 0,
        open: Vec::new(),
        found: Vec::new(),
    };
    for node in 0..arcs.nodes.len() {
        if search.order[node] == 0 {
            search.from(node);
        }
    }
    search.found
}

/// Arcs by the node that they start from, in the order in which they came. Nodes are counted as they came.
struct Arcs {
    nodes: Vec<u32>,
    /// Where the arcs of each node begin.
    first: Vec<usize>,
    to: Vec<usize>,
}

impl Arcs {
    fn new(pairs: impl Iterator<Item = (u32, u32)>) -> Self {
        let mut nodes: Vec<u32> = Vec::new();
        let mut places: FxHashMap<u32, usize> = FxHashMap::default();
        let mut last = None;
        let mut place = |node: u32| {
            *places.entry(node).or_insert_with(|| {
                nodes.push(node);
                nodes.len() - 1
            })
        };
        let mut arcs: Vec<(usize, usize)> = Vec::new();
        for pair in pairs.filter(|pair| last.replace(*pair) != Some(*pair)) {
            arcs.push((place(pair.0), place(pair.1)));
        }
        arcs.sort_by_key(|(from, _)| *from);
        let first = (0..=nodes.len()).map(|node| arcs.partition_point(|(from, _)| *from < node)).collect();
        Self { first, to: arcs.into_iter().map(|(_, to)| to).collect(), nodes }
    }
}

struct Search<'a> {
    arcs: &'a Arcs,
    /// When each node was entered, counted from 1; 0: not yet, `CLOSED`: its component is known.
    order: Vec<usize>,
    /// The earliest entered node that each is known to lead to.
    lowest: Vec<usize>,
    entered: usize,
    /// Nodes entered whose component is not known yet.
    open: Vec<usize>,
    found: Vec<Vec<u32>>,
}

const CLOSED: usize = usize::MAX;

impl Search<'_> {
    fn from(&mut self, start: usize) {
        // Nodes on the way here, each with its next arc.
        let mut path = vec![self.enter(start)];
        while let Some((node, arc)) = path.last_mut() {
            let node = *node;
            if *arc < self.arcs.first[node + 1] {
                let to = self.arcs.to[*arc];
                *arc += 1;
                match self.order[to] {
                    0 => path.push(self.enter(to)),
                    CLOSED => {}
                    order => self.lowest[node] = self.lowest[node].min(order),
                }
                continue;
            }
            path.pop();
            if let Some((above, _)) = path.last() {
                self.lowest[*above] = self.lowest[*above].min(self.lowest[node]);
            }
            if self.lowest[node] == self.order[node] {
                self.close(node);
            }
        }
    }

    fn enter(&mut self, node: usize) -> (usize, usize) {
        self.entered += 1;
        self.order[node] = self.entered;
        self.lowest[node] = self.entered;
        self.open.push(node);
        (node, self.arcs.first[node])
    }

    /// Takes the component of `node` from the open nodes: it and all entered after it.
    fn close(&mut self, node: usize) {
        let at = self.open.iter().rposition(|open| *open == node).unwrap_or(self.open.len());
        let members = self.open.split_off(at);
        members.iter().for_each(|member| self.order[*member] = CLOSED);
        if members.len() > 1 {
            let mut component: Vec<u32> = members.into_iter().map(|member| self.arcs.nodes[member]).collect();
            component.sort_unstable();
            self.found.push(component);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::strongly_connected;

    #[test]
    fn components_come_behind_those_that_they_lead_to() {
        let found = strongly_connected([(1, 2), (2, 1), (2, 3), (3, 4), (4, 3), (4, 5), (9, 9)].into_iter());
        assert_eq!(found, [[3, 4], [1, 2]]);
    }

    #[test]
    fn a_long_chain_needs_no_deep_stack() {
        let long = (0..300_000).map(|n| (n, n + 1)).chain([(300_000, 0)]);
        assert_eq!(strongly_connected(long)[0].len(), 300_001);
    }
}
