//! merge-modules: two small modules that import each other become one. The emptied one stays and passes on every name that
//! was asked of it.

mod body;
mod exports;
mod imports;
mod names;
mod order;
mod standing;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use super::import_use::Obstacle;
use super::{Added, Context, Cycle, Fix, ImportId, Proposals, Reason, Refusal, Strategy};
use crate::outcome::Safety;
use crate::project::ModuleId;
use crate::rewrite::Intent;
use body::Body;

pub const STRATEGY: Strategy = Strategy { name: "merge-modules", propose };

/// Lines that two modules may have together, unless each needs the other while it is imported.
const SMALL: usize = 400;

/// One of the two modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    /// Takes all definitions in.
    Home,
    /// Stays as a re-export.
    Emptied,
}

impl Side {
    const BOTH: [Side; 2] = [Side::Home, Side::Emptied];

    fn other(self) -> Side {
        match self {
            Side::Home => Side::Emptied,
            Side::Emptied => Side::Home,
        }
    }
}

/// Two modules of which one takes the other in.
#[derive(Clone, Copy, Debug)]
struct Pair {
    home: ModuleId,
    emptied: ModuleId,
}

impl Pair {
    fn module(self, side: Side) -> ModuleId {
        match side {
            Side::Home => self.home,
            Side::Emptied => self.emptied,
        }
    }

    fn turned(self) -> Pair {
        Pair { home: self.emptied, emptied: self.home }
    }

    fn has(self, module: ModuleId) -> bool {
        module == self.home || module == self.emptied
    }
}

/// One value for each of the two modules.
#[derive(Clone, Debug, Default)]
struct Both<T> {
    home: T,
    emptied: T,
}

impl<T> Both<T> {
    fn of(&self, side: Side) -> &T {
        match side {
            Side::Home => &self.home,
            Side::Emptied => &self.emptied,
        }
    }

    fn of_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Home => &mut self.home,
            Side::Emptied => &mut self.emptied,
        }
    }
}

fn propose(ctx: &Context, cycle: &Cycle) -> Proposals {
    let mut out = Proposals::default();
    let alone = ctx.project().settings.strategies == [STRATEGY.name];
    let found = pairs(ctx, cycle);
    for (pair, imports) in &found {
        let (pair, import) = (*pair, imports[0]);
        let merged = match tied_elsewhere(ctx, cycle, pair) {
            // What is no pair of its own says little beside the refusals of other strategies.
            Some(_) if !alone => continue,
            Some(other) => Err(other),
            None => merge(ctx, pair, imports).or_else(|first| merge(ctx, pair.turned(), imports).map_err(|_| first)),
        };
        match merged {
            Ok(fix) => out.fixes.push(fix),
            Err(found) if found.reason == Reason::TooLarge && !alone => {}
            Err(Obstacle { reason, message, at }) => {
                out.refusals.push(Refusal { strategy: STRATEGY.name, import, reason, message, at });
            }
        }
    }
    if found.is_empty() && alone {
        let import = cycle.imports()[0];
        let at = (import.module, ctx.world.graph.site(import.module, import.site).at);
        let message = "no two modules of the cycle import each other".to_owned();
        out.refusals.push(Refusal { strategy: STRATEGY.name, import, reason: Reason::TiedElsewhere, message, at });
    }
    out
}

/// Modules that import each other, with the imports between them; the one with more users, then more lines, takes the other
/// in.
fn pairs(ctx: &Context, cycle: &Cycle) -> Vec<(Pair, Vec<ImportId>)> {
    let mut between: BTreeMap<(ModuleId, ModuleId), Vec<ImportId>> = BTreeMap::new();
    for edge in cycle.edges.iter().filter(|e| !e.implicit) {
        between.entry((edge.from, edge.to)).or_default().push(ImportId { module: edge.from, site: edge.site });
    }
    let mut out = Vec::new();
    for ((from, to), imports) in &between {
        let Some(back) = between.get(&(*to, *from)).filter(|_| from < to) else { continue };
        if ctx.project().module(*from).root != ctx.project().module(*to).root {
            continue;
        }
        let weight = |module: ModuleId| {
            let importers = ctx.world.graph.edges_into(module).filter(|e| !e.implicit);
            let importers: BTreeSet<ModuleId> = importers.map(|e| e.from).filter(|m| m != from && m != to).collect();
            (importers.len(), lines(ctx, module))
        };
        let pair = Pair { home: *from, emptied: *to };
        let pair = if weight(*to) > weight(*from) { pair.turned() } else { pair };
        out.push((pair, imports.iter().chain(back).copied().collect()));
    }
    out
}

fn lines(ctx: &Context, module: ModuleId) -> usize {
    ctx.project().text(module).lines().count()
}

/// A way between the two through other modules of the cycle: merged, they would be in a new one.
fn tied_elsewhere(ctx: &Context, cycle: &Cycle, pair: Pair) -> Option<Obstacle> {
    let direct = |from: ModuleId, to: ModuleId| pair.has(from) && pair.has(to);
    [(pair.home, pair.emptied), (pair.emptied, pair.home)].into_iter().find_map(|(start, goal)| {
        let mut seen = BTreeSet::from([start]);
        let mut todo = vec![start];
        while let Some(at) = todo.pop() {
            for edge in cycle.edges.iter().filter(|e| e.from == at && !direct(e.from, e.to)) {
                if edge.to == goal {
                    let name = |m: ModuleId| &ctx.project().module(m).name;
                    let message = format!("`{}` leads to `{}` through other modules, too", name(start), name(goal));
                    let here = (edge.from, ctx.world.graph.site(edge.from, edge.site).at);
                    return Some(Obstacle::new(Reason::TiedElsewhere, here, message));
                }
                if seen.insert(edge.to) {
                    todo.push(edge.to);
                }
            }
        }
        None
    })
}

/// The fix that makes one module of the two.
fn merge(ctx: &Context, pair: Pair, between: &[ImportId]) -> Result<Fix, Obstacle> {
    standing::check(ctx, pair)?;
    let bodies = Both { home: Body::of(ctx, pair.home)?, emptied: Body::of(ctx, pair.emptied)? };
    let names = names::unite(ctx, pair, &bodies)?;
    let imports = imports::unite(ctx, pair, &bodies, &names)?;
    let order = order::interleave(ctx, pair, &bodies, &names)?;
    standing::loading(ctx, pair, &names)?;
    if !order.both_ways && lines(ctx, pair.home) + lines(ctx, pair.emptied) > SMALL {
        let at = (pair.home, bodies.home.items.first().map_or_else(Default::default, |i| i.span));
        let message = format!("the two have more than {SMALL} lines");
        return Err(Obstacle::new(Reason::TooLarge, at, message));
    }
    let exports = exports::of(ctx, pair, &bodies, &names)?;
    let merged = text::merged(ctx, pair, &bodies, &names, imports, &order)?;
    let left = exports::text(ctx, pair, &bodies, &exports);
    let name = |m: ModuleId| &ctx.project().module(m).name;
    Ok(Fix {
        strategy: STRATEGY.name,
        form: None,
        title: format!("merge `{}` into `{}`; the old path passes its names on", name(pair.emptied), name(pair.home)),
        safety: Safety::Safe,
        doubt: None,
        removes: between.to_vec(),
        adds: adds(ctx, pair),
        intents: vec![(pair.home, Intent::Whole { text: merged }), (pair.emptied, Intent::Whole { text: left })],
        creates: Vec::new(),
        cost: super::cost::base(&ctx.project().settings, STRATEGY.name, None),
    })
}

/// The edges that move with the code.
fn adds(ctx: &Context, pair: Pair) -> Vec<Added> {
    let edges = ctx.world.graph.edges_of(pair.emptied).iter().filter(|e| e.to != pair.home);
    let all: BTreeSet<Added> = edges.map(|e| Added::always(pair.home, e.to)).collect();
    all.into_iter().collect()
}
