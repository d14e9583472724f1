//! The edges of a graph by where they lead.

use super::Edge;
use crate::project::ModuleId;

/// By target, the indices of the edges that lead to it.
#[derive(Debug)]
pub struct Incoming {
    /// Where the edges to each module begin.
    first: Vec<u32>,
    edges: Vec<u32>,
}

impl Incoming {
    pub fn new(edges: &[Edge], modules: usize) -> Self {
        let mut first = vec![0u32; modules + 1];
        edges.iter().for_each(|edge| first[edge.to.index() + 1] += 1);
        for at in 1..first.len() {
            first[at] += first[at - 1];
        }
        let mut sorted: Vec<u32> = (0..edges.len() as u32).collect();
        sorted.sort_by_key(|index| edges[*index as usize].to);
        Self { first, edges: sorted }
    }

    pub fn of(&self, module: ModuleId) -> &[u32] {
        &self.edges[self.first[module.index()] as usize..self.first[module.index() + 1] as usize]
    }
}
