//! What runs when a module is imported, in order: what still runs, but before or after other code than now, must not change
//! what that code reads or changes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::Context;
use super::import_use::Obstacle;
use super::reason::Reason;
use crate::graph::{Edge, Graph};
use crate::names::effects::Place;
use crate::outcome::Kind;
use crate::project::{ModuleId, ModuleSet};
use crate::syntax::Span;

/// The code of a module before its first import that runs, between two of them, or behind the last.
pub type Stretch = (ModuleId, usize);

/// What a stretch does to a place.
#[derive(Clone, Copy, Debug)]
pub struct Touch {
    at: Span,
    changes: bool,
}

/// All that a module's import does to places, by stretch.
pub type Touches = Arc<BTreeMap<usize, BTreeMap<Place, Touch>>>;

/// The last that touches a place: when, and of which module it is.
type Last = Option<(usize, ModuleId)>;

/// What some imports of a module become.
pub struct Cut<'c> {
    pub module: ModuleId,
    /// The edges that go.
    pub edges: &'c dyn Fn(&Edge) -> bool,
    /// Modules that are imported instead, and at which site.
    pub instead: Option<(usize, &'c [ModuleId])>,
}

/// Something that runs after other code than now, which one of the two would see.
pub fn obstacle(ctx: &Context, cut: &Cut) -> Option<Obstacle> {
    let graph = ctx.world.graph;
    let lost = graph.edges_of(cut.module).iter().filter(|e| e.kind == Kind::Eager && (cut.edges)(e));
    // Only what those imports load, or what else the module loads by then, can change places.
    if !lost.into_iter().any(|e| graph.loads(e.to).iter().any(|m| !ctx.touches(m).is_empty())) {
        return None;
    }
    let before = ctx.touching(cut.module);
    if before.is_empty() {
        return None;
    }
    let after = sequence(ctx, cut.module, Some(cut));
    let now: HashMap<Stretch, usize> = after.into_iter().enumerate().map(|(at, stretch)| (stretch, at)).collect();
    // By place: the last that touches it after the cut, of those before, and the last that changes it.
    let mut last: BTreeMap<(Option<ModuleId>, &Place), [Last; 2]> = BTreeMap::new();
    for (stretch, touches) in before.iter() {
        // What is no longer loaded is looked at elsewhere.
        let Some(now) = now.get(stretch) else { continue };
        for (place, touch) in &touches[&stretch.1] {
            // What belongs to one module stands together.
            let key = (place.module(), place);
            let whole = place.module().map(Place::Module);
            let same =
                |other: &(Option<ModuleId>, &Place)| if whole.is_some() { other.0 == key.0 } else { *other == key };
            let near = last.range((key.0, whole.as_ref().unwrap_or(place))..).take_while(|(other, _)| same(other));
            let others = near.filter(|((_, other), _)| collide(place, other));
            let overtaken =
                others.filter_map(|(_, [touched, changed])| if touch.changes { *touched } else { *changed });
            if let Some((_, other)) = overtaken.max().filter(|(at, _)| *at > *now) {
                return Some(refusal(ctx, *stretch, place, *touch, other));
            }
            let [touched, changed] = last.entry(key).or_default();
            let this = Some((*now, stretch.0));
            *touched = (*touched).max(this);
            if touch.changes {
                *changed = (*changed).max(this);
            }
        }
    }
    None
}

/// Whether it matters in which order two places of one module are touched. What is set up once is there for whoever asks next.
fn collide(one: &Place, other: &Place) -> bool {
    !matches!(one, Place::Once(..)) || one != other
}

fn refusal(ctx: &Context, stretch: Stretch, place: &Place, touch: Touch, other: ModuleId) -> Obstacle {
    let name = |module: ModuleId| &ctx.project().module(module).name;
    let verb = if touch.changes { "changes" } else { "reads" };
    let what = match place {
        Place::Module(home) | Place::Once(home, _) => format!("state of `{}`", name(*home)),
        Place::Package(package) => format!("state of `{package}`"),
        Place::Anything => "something that others can see".to_owned(),
    };
    let order = match other == stretch.0 {
        true => "in another order".to_owned(),
        false => format!("before `{}`, not after it", name(other)),
    };
    let message = format!("`{}` {verb} {what} when it is imported, and would do so {order}", name(stretch.0));
    Obstacle::new(Reason::ImportSideEffect, (stretch.0, touch.at), message)
}

/// What runs in order when a module is imported first, as far as it touches places; nothing if it changes none.
pub type Touching = Arc<[(Stretch, Touches)]>;

/// The stretches that touch places when a module is imported first, with what their modules do.
pub fn touching(ctx: &Context, entry: ModuleId) -> Touching {
    let all = sequence(ctx, entry, None).into_iter().map(|stretch| (stretch, ctx.touches(stretch.0)));
    let all: Vec<(Stretch, Touches)> = all.filter(|(stretch, touches)| touches.contains_key(&stretch.1)).collect();
    let changes = all.iter().any(|(stretch, touches)| touches[&stretch.1].values().any(|touch| touch.changes));
    if changes { all.into() } else { Arc::default() }
}

/// The stretches that run when a module is imported first, in order.
fn sequence(ctx: &Context, entry: ModuleId, cut: Option<&Cut>) -> Vec<Stretch> {
    enum Task {
        Enter(ModuleId),
        Run(Stretch),
    }
    let graph = ctx.world.graph;
    let mut out = Vec::new();
    let mut entered = ModuleSet::default();
    let mut todo = vec![Task::Enter(entry)];
    let mut tasks = Vec::new();
    while let Some(task) = todo.pop() {
        let module = match task {
            Task::Run(stretch) => {
                out.push(stretch);
                continue;
            }
            Task::Enter(module) if entered.contains(&module) => continue,
            Task::Enter(module) => module,
        };
        // The packages above it come first, and may load it.
        let above: Vec<ModuleId> = graph.project.tree.above(module).filter(|p| !entered.contains(p)).collect();
        if !above.is_empty() {
            todo.push(Task::Enter(module));
            todo.extend(above.into_iter().rev().map(Task::Enter));
            continue;
        }
        entered.insert(module);
        let stops = ctx.stops(module);
        for (at, stop) in stops.iter().enumerate() {
            tasks.push(Task::Run((module, at)));
            let cut = cut.filter(|cut| cut.module == module);
            let kept = stop.edges.iter().filter(|e| cut.is_none_or(|cut| !(cut.edges)(e)));
            tasks.extend(kept.map(|e| Task::Enter(e.to)));
            if let Some((_, others)) = cut.and_then(|cut| cut.instead).filter(|(site, _)| *site == stop.site) {
                tasks.extend(others.iter().copied().map(Task::Enter));
            }
        }
        tasks.push(Task::Run((module, stops.len())));
        todo.extend(tasks.drain(..).rev());
    }
    out
}

/// An import of a module that runs something of the project with it.
#[derive(Debug)]
pub struct Stop {
    site: usize,
    start: usize,
    /// In the order in which they load.
    edges: Vec<Edge>,
}

/// The imports of a module that run something of the project with it, by place.
pub fn stops(graph: &Graph, module: ModuleId) -> Arc<[Stop]> {
    let mut by_site: BTreeMap<usize, Vec<Edge>> = BTreeMap::new();
    for edge in graph.edges_of(module).iter().filter(|e| e.kind == Kind::Eager) {
        by_site.entry(edge.site).or_default().push(*edge);
    }
    let mut stops: Vec<Stop> = by_site
        .into_iter()
        .map(|(site, mut edges)| {
            edges.sort_by_key(|e| e.implicit);
            Stop { site, start: graph.site(module, site).at.start, edges }
        })
        .collect();
    stops.sort_by_key(|stop| (stop.start, stop.site));
    stops.into()
}

/// What a module's import does to the state of modules, by stretch.
pub fn touches(ctx: &Context, module: ModuleId) -> Touches {
    let stops = ctx.stops(module);
    let mut all: BTreeMap<usize, BTreeMap<Place, Touch>> = BTreeMap::new();
    let mut add = |place: Place, touch: Touch| {
        let stretch = stops.partition_point(|stop| stop.start < touch.at.start);
        let known = all.entry(stretch).or_default().entry(place).or_insert(touch);
        if touch.changes && !known.changes {
            *known = touch;
        }
    };
    for (at, changed) in ctx.effects(module).iter() {
        changed.places().for_each(|place| add(place.clone(), Touch { at: *at, changes: true }));
    }
    for read in ctx.reads(module).iter() {
        if let Some(place) = &read.place {
            add(place.clone(), Touch { at: read.at, changes: false });
        }
    }
    Arc::new(all)
}
