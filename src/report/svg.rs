//! The pictures of the cycles as SVG, laid out by layout-rs.

use layout::backends::svg::SVGWriter;
use layout::core::base::Orientation;
use layout::core::color::Color;
use layout::core::style::{LineStyleKind, StyleAttr};
use layout::std_shapes::render::get_shape_size;
use layout::std_shapes::shapes::{Arrow, Element, LineEndKind, ShapeKind};
use layout::topo::layout::VisualGraph;

use super::graph::{self, Look, Picture};
use crate::outcome::Outcome;

/// Arrows that can be laid out in about a second; of larger pictures, loops and cuts alone are shown.
const ARROWS: usize = 150;
const FONT: usize = 15;
/// Radius of the corners of a box.
const ROUNDED: usize = 5;

pub fn svg(outcome: &Outcome) -> String {
    let pictures = graph::bounded(outcome, ARROWS);
    let mut canvas = VisualGraph::new(Orientation::TopToBottom);
    for picture in &pictures {
        add(&mut canvas, picture);
    }
    let mut writer = SVGWriter::new();
    if pictures.is_empty() {
        // The library lays out nothing but something.
        return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1\" height=\"1\"/>\n".to_owned();
    }
    canvas.do_it(false, false, false, &mut writer);
    writer.finalize()
}

fn add(canvas: &mut VisualGraph, picture: &Picture) {
    let look = |color: &str, width: usize| {
        StyleAttr::new(Color::fast(color), width, Some(Color::fast("white")), ROUNDED, FONT)
    };
    let nodes: Vec<_> = picture
        .shown()
        .into_iter()
        .map(|index| {
            let shape = ShapeKind::new_box(&picture.nodes[index]);
            let size = get_shape_size(Orientation::TopToBottom, &shape, FONT, false);
            let element = Element::create(shape, look("black", 1), Orientation::TopToBottom, size);
            (index, canvas.add_node(element))
        })
        .collect();
    let node = |index: usize| nodes.iter().find(|(known, _)| *known == index).map(|(_, node)| *node);
    for arrow in &picture.arrows {
        let (line, color, width) = match (arrow.cut, arrow.look) {
            (true, _) => (LineStyleKind::Dashed, "red", 2),
            (false, Look::Early) => (LineStyleKind::Normal, "black", 2),
            (false, Look::Plain) => (LineStyleKind::Normal, "black", 1),
            (false, Look::Implicit) => (LineStyleKind::Dotted, "black", 1),
            (false, Look::Late) => (LineStyleKind::Normal, "gray", 1),
        };
        if let (Some(from), Some(to)) = (node(arrow.from), node(arrow.to)) {
            let arrow = Arrow::new(LineEndKind::None, LineEndKind::Arrow, line, "", &look(color, width), &None, &None);
            canvas.add_edge(arrow, from, to);
        }
    }
}
