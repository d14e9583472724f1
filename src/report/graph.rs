//! Pictures of the cycles: a graph for each, as text that other tools draw (Graphviz, Mermaid). What the plan cuts is red
//! and dashed; what loads a package above its target is dotted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::{is_news, words};
use crate::outcome::{CycleEntry, ImportEntry, Kind, Outcome};

/// Arrows that Mermaid draws, 500 unless told otherwise; of larger pictures, loops and cuts alone are shown.
const ARROWS: usize = 400;

/// The graphs in the language of Graphviz.
pub fn dot(outcome: &Outcome) -> String {
    let mut out = String::from("digraph cyclefix {\n    node [shape=box, style=rounded, fontname=\"sans-serif\"];\n");
    for picture in pictures(outcome) {
        let Picture { number, title, nodes, arrows } = &picture;
        let _infallible = writeln!(out, "    subgraph cluster_{number} {{\n        label=\"{}\";", quoted(title));
        for (index, module) in nodes.iter().enumerate() {
            let _infallible = writeln!(out, "        n{number}_{index} [label=\"{}\"];", quoted(module));
        }
        for arrow in arrows {
            let style = match (arrow.cut, arrow.look) {
                (true, _) => " [style=dashed, color=red]",
                (false, Look::Implicit) => " [style=dotted]",
                (false, Look::Late) => " [color=gray]",
                (false, Look::Early) => " [style=bold]",
                (false, Look::Plain) => "",
            };
            let (from, to) = (arrow.from, arrow.to);
            let _infallible = writeln!(out, "        n{number}_{from} -> n{number}_{to}{style};");
        }
        out.push_str("    }\n");
    }
    out.push_str("}\n");
    out
}

/// The graphs in the language of Mermaid, which GitHub and GitLab draw in Markdown.
pub fn mermaid(outcome: &Outcome) -> String {
    let mut out = String::from("flowchart LR\n");
    let mut cuts = Vec::new();
    let mut count = 0;
    for picture in bounded(outcome, ARROWS) {
        let Picture { number, title, nodes, arrows } = &picture;
        let _infallible = writeln!(out, "    subgraph c{number}[\"{}\"]", entities(title));
        for index in picture.shown() {
            let _infallible = writeln!(out, "        n{number}_{index}[\"{}\"]", entities(&nodes[index]));
        }
        for arrow in arrows {
            let line = match (arrow.cut, arrow.look) {
                (true, _) | (false, Look::Implicit | Look::Late) => "-.->",
                (false, Look::Early) => "==>",
                (false, Look::Plain) => "-->",
            };
            if arrow.cut {
                cuts.push(count.to_string());
            }
            count += 1;
            let (from, to) = (arrow.from, arrow.to);
            let _infallible = writeln!(out, "        n{number}_{from} {line} n{number}_{to}");
        }
        out.push_str("    end\n");
    }
    if !cuts.is_empty() {
        let _infallible = writeln!(out, "    linkStyle {} stroke:red", cuts.join(","));
    }
    out
}

/// One cycle.
pub(super) struct Picture {
    number: usize,
    title: String,
    /// Names of the modules.
    pub nodes: Vec<String>,
    pub arrows: Vec<Arrow>,
}

impl Picture {
    /// The modules that an arrow starts or ends at.
    pub fn shown(&self) -> BTreeSet<usize> {
        self.arrows.iter().flat_map(|arrow| [arrow.from, arrow.to]).collect()
    }
}

/// All imports of one module by another.
pub(super) struct Arrow {
    pub from: usize,
    pub to: usize,
    pub look: Look,
    /// Whether the plan takes all of them out of the cycle.
    pub cut: bool,
    in_loop: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Look {
    /// A name is needed at once.
    Early,
    Plain,
    Implicit,
    /// Lazy, deferred or for type checkers.
    Late,
}

/// The pictures, with no more than `arrows` in all. If there are more, each has its loop and what is cut, as long as they last.
pub(super) fn bounded(outcome: &Outcome, arrows: usize) -> Vec<Picture> {
    let mut all = pictures(outcome);
    if all.iter().map(|picture| picture.arrows.len()).sum::<usize>() <= arrows {
        return all;
    }
    let mut left = arrows;
    for picture in &mut all {
        picture.title.push_str(", loop and cuts");
        picture.arrows.retain(|arrow| arrow.cut || arrow.in_loop);
        picture.arrows.sort_by_key(|arrow| !arrow.in_loop);
        picture.arrows.truncate(left);
        left -= picture.arrows.len();
    }
    all.retain(|picture| !picture.arrows.is_empty());
    all
}

fn pictures(outcome: &Outcome) -> Vec<Picture> {
    let cycles = outcome.projects.iter().flat_map(|project| &project.cycles).filter(|cycle| is_news(cycle));
    cycles.enumerate().map(|(number, cycle)| picture(number, cycle)).collect()
}

fn picture(number: usize, cycle: &CycleEntry) -> Picture {
    let nodes = cycle.modules.clone();
    let at = |module: &String| nodes.binary_search(module).ok();
    let place = |import: &ImportEntry| (import.file.clone(), import.line, import.column);
    let applied = cycle.fixes.iter().filter(|fix| fix.applied).flat_map(|fix| &fix.removes);
    let removed: BTreeSet<_> = applied.map(place).collect();
    let ends = |import: &ImportEntry| Some((at(&import.from)?, at(&import.to)?));
    let in_loop: BTreeSet<_> = cycle.shortest_loop.iter().filter_map(ends).collect();
    let mut arrows: BTreeMap<(usize, usize), (Look, bool)> = BTreeMap::new();
    for import in &cycle.imports {
        let Some(ends) = ends(import) else { continue };
        let arrow = arrows.entry(ends).or_insert((Look::Late, true));
        arrow.0 = arrow.0.min(look(import));
        arrow.1 &= removed.contains(&place(import));
    }
    let arrows = arrows.into_iter().map(|(ends, (look, cut))| {
        let (from, to) = ends;
        Arrow { from, to, look, cut, in_loop: in_loop.contains(&ends) }
    });
    let title = format!("{}, {}", words::count(nodes.len(), "module"), cycle.level.as_str());
    Picture { number, title, arrows: arrows.collect(), nodes }
}

pub(super) fn look(import: &ImportEntry) -> Look {
    match (import.kind, import.implicit, import.binding) {
        (Kind::Eager, true, _) => Look::Implicit,
        (Kind::Eager, _, Some(crate::outcome::Binding::Early)) => Look::Early,
        (Kind::Eager, ..) => Look::Plain,
        _ => Look::Late,
    }
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

fn entities(text: &str) -> String {
    text.replace('"', "#quot;")
}
