//! Where the definitions of one module stand among those of the other: each behind all that it needs while the module is
//! imported. The statements of each module keep their order.

use std::collections::BTreeSet;
use std::ops::Range;

use super::super::import_use::Obstacle;
use super::super::{Context, Reason};
use super::body::Body;
use super::names::Names;
use super::{Both, Pair, Side};
use crate::names::scope::Moment;
use crate::names::{Bound, Role, Use};
use crate::syntax::Span;

/// A run of statements of the emptied module.
#[derive(Clone, Debug)]
pub struct Slot {
    /// The item of the other module that it stands before; `None`: at the end.
    pub before: Option<usize>,
    pub run: Range<usize>,
}

#[derive(Clone, Debug, Default)]
pub struct Order {
    pub slots: Vec<Slot>,
    /// Whether each needs something of the other while it is imported.
    pub both_ways: bool,
}

/// Takes the statements of the emptied module in as late as one needs them, then as many as can follow.
pub fn interleave<'p>(
    ctx: &Context<'_, 'p>,
    pair: Pair,
    bodies: &Both<Body<'p>>,
    names: &Names<'p>,
) -> Result<Order, Obstacle> {
    let search = Needs { ctx, pair, bodies, names };
    let needs = |side: Side| -> Vec<BTreeSet<usize>> {
        (0..bodies.of(side).items.len()).map(|item| search.of(side, item)).collect()
    };
    let (home, emptied) = (needs(Side::Home), needs(Side::Emptied));
    let mut order =
        Order { slots: Vec::new(), both_ways: [&home, &emptied].iter().all(|n| n.iter().any(|s| !s.is_empty())) };
    let mut placed = 0;
    for (at, wanted) in home.iter().enumerate() {
        let Some(last) = wanted.last().filter(|last| **last >= placed) else { continue };
        let ready = |needed: &&BTreeSet<usize>| needed.last().is_none_or(|n| *n < at);
        let end = placed + emptied[placed..].iter().take_while(ready).count();
        if end <= *last {
            let (ours, theirs) = (&bodies.home.items[at], &bodies.emptied.items[end]);
            let name = |body: &Body, span: Span| span.of(body.text).lines().next().unwrap_or_default().to_owned();
            let message = format!(
                "`{}` and `{}` need each other while the modules are imported",
                name(&bodies.home, ours.span),
                name(&bodies.emptied, theirs.span)
            );
            return Err(Obstacle::new(Reason::Inherent, (pair.home, ours.span), message));
        }
        order.slots.push(Slot { before: Some(at), run: placed..end });
        placed = end;
    }
    if placed < emptied.len() {
        order.slots.push(Slot { before: None, run: placed..emptied.len() });
    }
    Ok(order)
}

struct Needs<'n, 'c, 'p> {
    ctx: &'n Context<'c, 'p>,
    pair: Pair,
    bodies: &'n Both<Body<'p>>,
    names: &'n Names<'p>,
}

impl<'p> Needs<'_, '_, 'p> {
    /// The items of the other module that an item needs when it runs, also by way of what it may call.
    fn of(&self, side: Side, item: usize) -> BTreeSet<usize> {
        let mut out = BTreeSet::new();
        let item = &self.bodies.of(side).items[item];
        if side == Side::Emptied && self.names.twins.contains(&item.span) {
            return out;
        }
        let decorated = item.span.of(self.bodies.of(side).text).starts_with('@');
        let mut seen: BTreeSet<(Side, &'p str)> = BTreeSet::new();
        let mut todo: Vec<(Side, &'p str)> = self.meant(side, item.span, true, decorated);
        while let Some((at, name)) = todo.pop() {
            let (at, name) = self.kept(at, name);
            if !seen.insert((at, name)) {
                continue;
            }
            let file = self.ctx.world.names.file(self.pair.module(at));
            for binding in file.bindings(name) {
                let Some(index) = self.bodies.of(at).item_at(binding.span) else { continue };
                if at != side {
                    out.insert(index);
                }
                let value = !matches!(binding.what, Bound::Function(_) | Bound::Class(_));
                todo.extend(self.meant(at, self.bodies.of(at).items[index].span, value, true));
            }
        }
        out
    }

    /// What stays of a definition that both modules have.
    fn kept(&self, side: Side, name: &'p str) -> (Side, &'p str) {
        let file = self.ctx.world.names.file(self.pair.module(side));
        let twin = side == Side::Emptied
            && file.bindings(name).iter().any(|b| self.names.twins.iter().any(|t| t.contains(b.span)));
        if twin { (Side::Home, name) } else { (side, name) }
    }

    /// The definitions that a statement means, in what runs with the import or may run then.
    fn meant(&self, side: Side, within: Span, itself: bool, called: bool) -> Vec<(Side, &'p str)> {
        let module = self.pair.module(side);
        let file = self.ctx.world.names.file(module);
        let later = file.postponed || self.ctx.project().settings.target_version >= (3, 14);
        let runs = |u: &&Use<'p>| {
            let evaluated = match u.role {
                Role::Quoted(_) => false,
                Role::Annotation(_) => !later,
                _ => true,
            };
            let now = match u.moment {
                Moment::Import => itself,
                Moment::Call(function) => called && self.ctx.running.may_run(module, function),
                Moment::Main | Moment::Never => false,
            };
            evaluated && now && within.contains(u.span)
        };
        file.uses.iter().filter(runs).filter_map(|u| self.names.meant(self.ctx, self.pair, side, u)).collect()
    }
}
