//! Where the boxes and arrows of a picture go: laid out by layout-rs, and drawn as the page needs them.

use std::fmt::Write;

use layout::core::base::Orientation;
use layout::core::format::{ClipHandle, RenderBackend};
use layout::core::geometry::Point;
use layout::core::style::{LineStyleKind, StyleAttr};
use layout::std_shapes::shapes::{Arrow, Element, LineEndKind, ShapeKind};
use layout::topo::layout::VisualGraph;

/// Height of a box, and the width of a character in it, in pixels of the picture.
const HEIGHT: f64 = 28.0;
const CHARACTER: f64 = 7.4;
/// What is left free between a box and its text, and around the picture.
const PADDING: f64 = 10.0;
const MARGIN: f64 = 12.0;
/// How far the two arrows between the same boxes are moved apart.
const APART: f64 = 9.0;

/// A picture, placed.
#[derive(Default)]
pub struct Placed {
    pub width: f64,
    pub height: f64,
    /// In the order of the labels.
    pub boxes: Vec<Rect>,
    /// The way of each arrow as SVG has it, in their order.
    pub paths: Vec<String>,
}

#[derive(Clone, Copy, Default)]
pub struct Rect {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// Places boxes with `labels` so that most `arrows` lead down. The first of two boxes comes higher, unless an arrow leads up.
pub fn place(labels: &[String], arrows: &[(usize, usize)]) -> Placed {
    if labels.is_empty() {
        return Placed::default();
    }
    let rank = ranks(labels.len(), arrows);
    let mut canvas = VisualGraph::new(Orientation::TopToBottom);
    // It looks along every path at each step, which takes for ever where there are many.
    canvas.dag.set_validate(false);
    let look = StyleAttr::simple();
    let nodes: Vec<_> = labels
        .iter()
        .enumerate()
        .map(|(index, label)| {
            let size = Point::new(label.chars().count() as f64 * CHARACTER + 2.0 * PADDING, HEIGHT);
            let (shape, mark) = (ShapeKind::new_box(label), index.to_string());
            canvas.add_node(Element::create_with_properties(shape, look.clone(), Orientation::TopToBottom, size, mark))
        })
        .collect();
    // All lead down, and the highest come first: then there is no path yet that the library would have to look along.
    let down = |&(from, to): &(usize, usize)| if rank[from] <= rank[to] { (from, to) } else { (to, from) };
    let mut order: Vec<usize> = (0..arrows.len()).collect();
    order.sort_by_key(|index| (rank[down(&arrows[*index]).0], rank[down(&arrows[*index]).1], *index));
    for index in order {
        let (from, to) = down(&arrows[index]);
        let arrow = Arrow::new(LineEndKind::None, LineEndKind::Arrow, LineStyleKind::Normal, "", &look, &None, &None);
        let arrow = Arrow { properties: Some(index.to_string()), ..arrow };
        canvas.add_edge(arrow, nodes[from], nodes[to]);
    }
    let mut sketch = Sketch { arrows, rank: &rank, placed: Placed::default() };
    sketch.placed.boxes.resize(labels.len(), Rect::default());
    sketch.placed.paths.resize(arrows.len(), String::new());
    canvas.do_it(false, false, false, &mut sketch);
    sketch.placed.width += MARGIN;
    sketch.placed.height += MARGIN;
    sketch.placed
}

/// The place of each box from above: along the arrows, as far as these do not go round.
fn ranks(count: usize, arrows: &[(usize, usize)]) -> Vec<usize> {
    let mut next: Vec<Vec<usize>> = vec![Vec::new(); count];
    arrows.iter().for_each(|(from, to)| next[*from].push(*to));
    let mut rank = vec![usize::MAX; count];
    let mut seen = vec![false; count];
    let mut left = count;
    for start in 0..count {
        let mut path = vec![(start, 0)];
        if std::mem::replace(&mut seen[start], true) {
            continue;
        }
        while let Some((node, step)) = path.last_mut() {
            match next[*node].get(*step) {
                Some(to) => {
                    *step += 1;
                    if !std::mem::replace(&mut seen[*to], true) {
                        path.push((*to, 0));
                    }
                }
                None => {
                    left -= 1;
                    rank[*node] = left;
                    path.pop();
                }
            }
        }
    }
    rank
}

/// What layout-rs draws on: it keeps the places.
struct Sketch<'a> {
    arrows: &'a [(usize, usize)],
    rank: &'a [usize],
    placed: Placed,
}

impl Sketch<'_> {
    fn grow(&mut self, x: f64, y: f64) {
        self.placed.width = self.placed.width.max(x);
        self.placed.height = self.placed.height.max(y);
    }
}

impl RenderBackend for Sketch<'_> {
    fn draw_rect(&mut self, xy: Point, size: Point, _: &StyleAttr, mark: Option<String>, _: Option<ClipHandle>) {
        let Some(rect) = index(mark.as_deref()).and_then(|index| self.placed.boxes.get_mut(index)) else { return };
        *rect = Rect { x: xy.x, y: xy.y, width: size.x, height: size.y };
        self.grow(xy.x + size.x, xy.y + size.y);
    }

    fn draw_arrow(
        &mut self,
        path: &[(Point, Point)],
        _: bool,
        _: (bool, bool),
        _: &StyleAttr,
        mark: Option<String>,
        _: &str,
    ) {
        let Some((index, &(from, to))) = index(mark.as_deref()).and_then(|i| Some((i, self.arrows.get(i)?))) else {
            return;
        };
        let is_up = self.rank[from] > self.rank[to];
        let shift = match self.arrows.contains(&(to, from)) {
            true if is_up => APART,
            true => -APART,
            false => 0.0,
        };
        for (first, second) in path {
            self.grow(first.x + APART, first.y);
            self.grow(second.x + APART, second.y);
        }
        self.placed.paths[index] = curve(path, shift, is_up);
    }

    fn draw_line(&mut self, _: Point, _: Point, _: &StyleAttr, _: Option<String>) {}

    fn draw_circle(&mut self, _: Point, _: Point, _: &StyleAttr, _: Option<String>) {}

    fn draw_text(&mut self, _: Point, _: &str, _: &StyleAttr) {}

    fn create_clip(&mut self, _: Point, _: Point, _: usize) -> ClipHandle {
        0
    }
}

fn index(mark: Option<&str>) -> Option<usize> {
    mark?.parse().ok()
}

/// The path as cubic curves: of its points, the first is left by way of the second, and each other is reached by way of
/// what stands before it, and left by the mirror of that.
fn curve(path: &[(Point, Point)], shift: f64, is_reversed: bool) -> String {
    let mut controls: Vec<(f64, f64)> = Vec::new();
    let mut last = None;
    for (number, (first, second)) in path.iter().enumerate() {
        if number == 0 {
            controls.extend([(first.x, first.y), (second.x, second.y)]);
            continue;
        }
        if let Some((way, at)) = last.replace((*first, *second)) {
            let (way, at): (Point, Point) = (way, at);
            controls.push((2.0 * at.x - way.x, 2.0 * at.y - way.y));
        }
        controls.extend([(first.x, first.y), (second.x, second.y)]);
    }
    if is_reversed {
        controls.reverse();
    }
    let mut out = String::new();
    for (number, (x, y)) in controls.iter().enumerate() {
        let lead = match number {
            0 => "M",
            n if n % 3 == 1 => "C",
            _ => " ",
        };
        let _infallible = write!(out, "{lead}{:.0} {:.0}", x + shift, y);
    }
    out
}
