//! The pictures of a cycle, before and after, with the same places in both: of all its modules, and of a large one
//! those that are of use.

use std::collections::{BTreeMap, BTreeSet};

use super::place::{self, Rect};
use super::prose::{Prose, prose};
use crate::graph::counts;
use crate::outcome::{CycleEntry, Kind, LinkEntry, ProjectOutcome};
use crate::project::settings::Level;
use crate::report::graph::{Look, look};
use crate::report::words;

/// Arrows up to which a picture can be read as a whole.
const READABLE: usize = 120;
/// Arrows up to which one is worth to be laid out, to be looked at in parts.
const LAID_OUT: usize = 800;
/// Width of a picture, in pixels, from which on another does not stand beside it.
const WIDE: f64 = 680.0;
/// Parts of a module's name, at most, by which modules are taken together.
const DEPTH: usize = 6;

/// A picture of a cycle as it is, and as it is after the plan.
pub struct Figure {
    pub title: String,
    pub note: Prose,
    pub before: Drawing,
    pub after: Option<Drawing>,
    /// Whether the two do not fit side by side.
    pub is_wide: bool,
    /// Whether it is shown at once.
    pub is_open: bool,
}

pub struct Drawing {
    pub title: &'static str,
    /// What it says, in words.
    pub label: String,
    pub width: String,
    pub height: String,
    pub boxes: Vec<Node>,
    pub arrows: Vec<Line>,
}

pub struct Node {
    pub x: String,
    pub y: String,
    pub width: String,
    pub height: String,
    /// Where the text stands.
    pub middle: (String, String),
    pub label: String,
    /// The whole name.
    pub name: String,
    pub class: &'static str,
}

pub struct Line {
    pub path: String,
    pub class: &'static str,
    pub title: String,
}

/// All imports of one box by another.
#[derive(Clone)]
struct Link {
    before: Option<Look>,
    after: After,
    in_loop: bool,
    /// Pairs of modules.
    count: usize,
}

/// What becomes of the imports of a pair; of several pairs, the latest here is told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum After {
    Gone,
    /// It stays, and does not count any more.
    Later,
    /// It counts, and is part of no cycle.
    Free,
    New,
    /// It is part of a cycle.
    Left,
}

type Links = BTreeMap<(String, String), Link>;

/// The pictures of a cycle, the best first.
pub fn figures(project: &ProjectOutcome, cycle: &CycleEntry, level: Level) -> Vec<Figure> {
    let links = links(project, cycle, level);
    let changes = links.values().any(|link| matches!(link.after, After::Gone | After::Later | After::New));
    let sketch = Sketch { cycle, changes };
    let size = words::count(cycle.modules.len(), "module");
    let what = words::count(links.len(), "arrow");
    if links.len() <= READABLE {
        return vec![sketch.figure(format!("All {size}"), String::new(), &links, true)];
    }
    let mut out = Vec::new();
    if let Some((packages, depth)) = by_package(cycle, &links) {
        let told = match depth {
            DEPTH => "Each box is a package, with the modules right in it.".to_owned(),
            depth => format!("Each box is what the first {} of a name tell.", words::count(depth, "part")),
        };
        out.push(sketch.figure("By package".into(), told, &packages, true));
    }
    let few: Links = links.clone().into_iter().filter(|(_, link)| is_news(link)).collect();
    if few.len() <= LAID_OUT {
        let title = if changes { "The shortest loop, and what changes" } else { "The shortest loop" };
        out.push(sketch.figure(title.into(), String::new(), &few, true));
    }
    if links.len() <= LAID_OUT {
        out.push(sketch.figure(format!("All {size}, {what}"), String::new(), &links, false));
    }
    out
}

/// Whether it belongs to the shortest loop, or the plan changes it.
fn is_news(link: &Link) -> bool {
    link.in_loop || matches!(link.after, After::Gone | After::Later | After::New)
}

/// What leads from one module to another, before or after.
fn links(project: &ProjectOutcome, cycle: &CycleEntry, level: Level) -> Links {
    let part: BTreeMap<&str, usize> = project
        .left
        .iter()
        .enumerate()
        .flat_map(|(index, modules)| modules.iter().map(move |module| (module.as_str(), index)))
        .collect();
    let is_left = |from: &str, to: &str| part.get(from).is_some_and(|index| part.get(to) == Some(index));
    let after: BTreeMap<(&str, &str), Kind> =
        cycle.after.iter().map(|LinkEntry { from, to, kind }| ((from.as_str(), to.as_str()), *kind)).collect();
    let becomes = |from: &str, to: &str| match after.get(&(from, to)) {
        None => After::Gone,
        Some(kind) if !counts(level, *kind) => After::Later,
        Some(_) if is_left(from, to) => After::Left,
        Some(_) => After::Free,
    };
    let in_loop: BTreeSet<(&str, &str)> =
        cycle.shortest_loop.iter().map(|import| (import.from.as_str(), import.to.as_str())).collect();
    let mut out = Links::new();
    for import in &cycle.imports {
        let (from, to) = (import.from.as_str(), import.to.as_str());
        let link = || Link { before: None, after: becomes(from, to), in_loop: in_loop.contains(&(from, to)), count: 1 };
        let link = out.entry((from.to_owned(), to.to_owned())).or_insert_with(link);
        link.before = Some(link.before.map_or(look(import), |known| known.min(look(import))));
    }
    for ((from, to), kind) in after {
        if counts(level, kind) {
            let link = || Link { before: None, after: After::New, in_loop: false, count: 1 };
            out.entry((from.to_owned(), to.to_owned())).or_insert_with(link);
        }
    }
    out
}

/// The links between packages, and after how many parts their names are cut: as few as it takes for a picture that can be
/// read. Nothing, if all is in one package.
fn by_package(cycle: &CycleEntry, links: &Links) -> Option<(Links, usize)> {
    let packages: BTreeSet<&str> = cycle.modules.iter().filter_map(|module| Some(module.rsplit_once('.')?.0)).collect();
    let mut best: Option<(Links, usize)> = None;
    for depth in (1..=DEPTH).rev() {
        let found = grouped(links, &|module| {
            let is_package = packages.contains(module);
            let package = if is_package { module } else { module.rsplit_once('.').map_or(module, |parts| parts.0) };
            package.split('.').take(depth).collect::<Vec<&str>>().join(".")
        });
        if found.is_empty() {
            break;
        }
        if best.as_ref().is_none_or(|(known, _)| found.len() < known.len()) {
            best = Some((found, depth));
        }
        if best.as_ref().is_some_and(|(known, _)| known.len() <= READABLE) {
            break;
        }
    }
    best.filter(|(found, _)| found.len() <= LAID_OUT)
}

/// The links between groups of modules.
fn grouped(links: &Links, group: &dyn Fn(&str) -> String) -> Links {
    let mut out = Links::new();
    for ((from, to), link) in links {
        let (from, to) = (group(from), group(to));
        if from == to {
            continue;
        }
        match out.get_mut(&(from.clone(), to.clone())) {
            None => drop(out.insert((from, to), link.clone())),
            Some(known) => {
                known.before = known.before.into_iter().chain(link.before).min();
                known.after = known.after.max(link.after);
                known.in_loop |= link.in_loop;
                known.count += link.count;
            }
        }
    }
    out
}

struct Sketch<'a> {
    cycle: &'a CycleEntry,
    /// Whether the plan changes anything in it.
    changes: bool,
}

impl Sketch<'_> {
    fn figure(&self, title: String, note: String, links: &Links, is_open: bool) -> Figure {
        let names: BTreeSet<&str> = links.keys().flat_map(|(from, to)| [from.as_str(), to.as_str()]).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let common = common(&names);
        let labels: Vec<String> =
            names.iter().map(|name| name.strip_prefix(common).unwrap_or(name).to_owned()).collect();
        let at = |name: &String| names.binary_search(&name.as_str()).unwrap_or_default();
        let ends: Vec<(usize, usize)> = links.keys().map(|(from, to)| (at(from), at(to))).collect();
        let placed = place::place(&labels, &ends);
        let draw = |is_after: bool| {
            let is_shown = |name: &str| is_after || !self.is_outside(links, name);
            let boxes = names.iter().zip(&labels).zip(&placed.boxes).filter(|((name, _), _)| is_shown(name));
            let arrows = links.iter().zip(&placed.paths).filter(|((_, link), _)| is_after || link.before.is_some());
            let class = |name: &str| if self.is_outside(links, name) { "box outside" } else { "box" };
            Drawing {
                title: if is_after { "After" } else { "Before" },
                label: self.words(links, is_after),
                width: format!("{:.0}", placed.width),
                height: format!("{:.0}", placed.height),
                boxes: boxes.map(|((name, label), rect)| node(name, label, *rect, class(name))).collect(),
                arrows: arrows.map(|((ends, link), path)| line(ends, link, path, is_after)).collect(),
            }
        };
        let mut note = note;
        if !common.is_empty() {
            note.push_str(&format!(" Names are those below `{}`.", common.trim_end_matches('.')));
        }
        Figure {
            title,
            note: prose(note.trim_start()),
            before: draw(false),
            after: self.changes.then(|| draw(true)),
            is_wide: placed.width > WIDE,
            is_open,
        }
    }

    /// Whether it is no part of the cycle: a module that the plan makes, or imports anew.
    fn is_outside(&self, links: &Links, name: &str) -> bool {
        self.cycle.modules.binary_search_by(|module| module.as_str().cmp(name)).is_err()
            && links.iter().all(|((from, to), link)| link.before.is_none() || from != name && to != name)
    }

    fn words(&self, links: &Links, is_after: bool) -> String {
        let number = |after: After| links.values().filter(|link| link.before.is_some() && link.after == after).count();
        let arrows = words::count(links.values().filter(|link| link.before.is_some()).count(), "arrow");
        if !is_after {
            return format!("{arrows} between the modules of the cycle");
        }
        let (gone, later, left) = (number(After::Gone), number(After::Later), number(After::Left));
        format!("of {arrows}, {gone} removed, {later} deferred, {left} still in a cycle")
    }
}

/// The packages that all names but their own start with, with the dot at their end.
fn common<'a>(names: &[&'a str]) -> &'a str {
    let Some(first) = names.first() else { return "" };
    let mut prefix = "";
    for (at, _) in first.match_indices('.') {
        if names.iter().all(|name| name.starts_with(&first[..=at])) {
            prefix = &first[..=at];
        }
    }
    // The package itself keeps its name.
    let top = first.split('.').next().unwrap_or_default();
    match prefix {
        "" if names.len() > 2
            && names[1..].iter().all(|name| name.strip_prefix(top).is_some_and(|r| r.starts_with('.'))) =>
        {
            names[1].get(..=top.len()).unwrap_or_default()
        }
        prefix => prefix,
    }
}

fn node(name: &str, label: &str, rect: Rect, class: &'static str) -> Node {
    let px = |value: f64| format!("{value:.0}");
    Node {
        x: px(rect.x),
        y: px(rect.y),
        width: px(rect.width),
        height: px(rect.height),
        middle: (px(rect.x + rect.width / 2.0), px(rect.y + rect.height / 2.0 + 4.0)),
        label: label.to_owned(),
        name: name.to_owned(),
        class,
    }
}

fn line((from, to): &(String, String), link: &Link, path: &str, is_after: bool) -> Line {
    let looks = match link.before {
        Some(Look::Early) => ("early", "needed at once"),
        Some(Look::Implicit) => ("implicit", "loads a package above its target"),
        Some(Look::Late) => ("late", "runs later"),
        Some(Look::Plain) | None => ("plain", "eager"),
    };
    let (class, what) = match (is_after, link.after) {
        (false, _) if link.in_loop => ("loop", "in the shortest loop"),
        (false, _) => looks,
        (true, After::Gone) => ("gone", "removed"),
        (true, After::Later) => ("later", "deferred"),
        (true, After::Free) => ("free", "in no cycle any more"),
        (true, After::New) => ("new", "new"),
        (true, After::Left) => ("left", "still in a cycle"),
    };
    let number = if link.count > 1 { format!(", {} pairs of modules", link.count) } else { String::new() };
    Line { path: path.to_owned(), class, title: format!("{from} imports {to}: {what}{number}") }
}
