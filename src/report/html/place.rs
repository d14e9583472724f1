//! Where the boxes and arrows of a picture go, laid out by dagre: layer by layer, with as few crossings as it finds.

use std::fmt::Write;

use dagre::graph::{Graph, GraphOptions};
use dagre::{EdgeLabel, LayoutOptions, NodeLabel, Point, RankDir};

/// Height of a box, and the width of a character in it, in pixels of the picture.
const HEIGHT: f64 = 28.0;
const CHARACTER: f64 = 7.4;
/// Width of a box at least: two arrows have to be told apart at it.
const WIDTH: f64 = 64.0;
/// What is left free between a box and its text, and around the picture.
const PADDING: f64 = 10.0;
const MARGIN: f64 = 12.0;
/// Boxes up to which the layers stand one below the other. With more, a layer would be too wide for any screen.
const DOWN: usize = 9;

/// A picture, placed.
pub struct Placed {
    pub width: f64,
    pub height: f64,
    /// In the order of the labels.
    pub boxes: Vec<Rect>,
    /// The way of each arrow as SVG has it, in their order.
    pub paths: Vec<String>,
}

#[derive(Clone, Copy)]
pub struct Rect {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// Places boxes with `labels`, and the arrows between them; none leads from a box to itself, or twice the same way.
pub fn place(labels: &[String], arrows: &[(usize, usize)]) -> Placed {
    let mut graph = Graph::with_options(GraphOptions { directed: true, multigraph: true, compound: false });
    for (index, label) in labels.iter().enumerate() {
        let width = (label.chars().count() as f64 * CHARACTER + 2.0 * PADDING).max(WIDTH);
        graph.set_node(index.to_string(), Some(NodeLabel { width, height: HEIGHT, ..NodeLabel::default() }));
    }
    for (from, to) in arrows {
        // No label needs room beside it.
        let edge = EdgeLabel { label_offset: 0.0, ..EdgeLabel::default() };
        graph.set_edge(from.to_string(), to.to_string(), Some(edge), None);
    }
    let is_wide = labels.len() > DOWN;
    dagre::layout(
        &mut graph,
        Some(LayoutOptions {
            rankdir: if is_wide { RankDir::LR } else { RankDir::TB },
            nodesep: if is_wide { 12.0 } else { 28.0 },
            edgesep: 16.0,
            ranksep: 56.0,
            ..LayoutOptions::default()
        }),
    );
    read(&graph, labels.len(), arrows)
}

/// The places that the layout found, moved so that nothing lies outside the picture.
fn read(graph: &Graph<NodeLabel, EdgeLabel>, count: usize, arrows: &[(usize, usize)]) -> Placed {
    let mut boxes: Vec<Rect> = (0..count).filter_map(|index| graph.node(&index.to_string())).map(rect).collect();
    let ends = arrows.iter().map(|(from, to)| graph.edge(&from.to_string(), &to.to_string(), None));
    let mut ways: Vec<Vec<Point>> = ends.map(|edge| edge.map_or_else(Vec::new, |edge| edge.points.clone())).collect();
    let corners = boxes.iter().flat_map(|rect| [(rect.x, rect.y), (rect.x + rect.width, rect.y + rect.height)]);
    let points = ways.iter().flatten().map(|point| (point.x, point.y));
    let start = (f64::MAX, f64::MAX, f64::MIN, f64::MIN);
    let (left, top, right, bottom) =
        corners.chain(points).fold(start, |all, (x, y)| (all.0.min(x), all.1.min(y), all.2.max(x), all.3.max(y)));
    let (x, y) = (MARGIN - left, MARGIN - top);
    boxes.iter_mut().for_each(|rect| (rect.x, rect.y) = (rect.x + x, rect.y + y));
    ways.iter_mut().flatten().for_each(|point| (point.x, point.y) = (point.x + x, point.y + y));
    Placed {
        width: right - left + 2.0 * MARGIN,
        height: bottom - top + 2.0 * MARGIN,
        boxes,
        paths: ways.iter().map(|points| curve(points)).collect(),
    }
}

fn rect(node: &NodeLabel) -> Rect {
    let (x, y) = (node.x.unwrap_or_default(), node.y.unwrap_or_default());
    Rect { x: x - node.width / 2.0, y: y - node.height / 2.0, width: node.width, height: node.height }
}

/// A smooth way from the first point to the last, past those between.
fn curve(points: &[Point]) -> String {
    let mut out = String::new();
    let Some(first) = points.first() else { return out };
    let _infallible = write!(out, "M{:.0} {:.0}", first.x, first.y);
    for pair in points.get(1..).unwrap_or_default().windows(2) {
        let (x, y) = ((pair[0].x + pair[1].x) / 2.0, (pair[0].y + pair[1].y) / 2.0);
        let _infallible = write!(out, "Q{:.0} {:.0} {x:.0} {y:.0}", pair[0].x, pair[0].y);
    }
    if let [_, .., last] = points {
        let _infallible = write!(out, "L{:.0} {:.0}", last.x, last.y);
    }
    out
}
