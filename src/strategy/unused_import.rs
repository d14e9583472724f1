//! unused-import: an import whose name nobody uses, of a module that is loaded anyway or whose import does nothing, is
//! removed.

use super::import_use::{Obstacle, obstacle, occurs, silenced, uses};
use super::loading::{Instead, load_obstacle};
use super::{Context, Cycle, Fix, ImportId, Proposals, Reason, Refusal, Strategy, cost};
use crate::outcome::Safety;
use crate::rewrite::Intent;

pub const STRATEGY: Strategy = Strategy { name: "unused-import", propose };

fn propose(ctx: &Context, cycle: &Cycle) -> Proposals {
    let mut out = Proposals::default();
    let alone = ctx.project().settings.strategies == [STRATEGY.name];
    for id in cycle.imports() {
        let site = ctx.world.graph.site(id.module, id.site);
        if let Some(found) =
            obstacle(ctx, id).or_else(|| kept(ctx, id)).or_else(|| load_obstacle(ctx, id, Instead::default()))
        {
            // Where a name is used, the refusals of other strategies say more.
            if alone || uses(ctx, id).none() {
                let Obstacle { reason, message, at } = found;
                out.refusals.push(Refusal { strategy: STRATEGY.name, import: id, reason, message, at });
            }
            continue;
        }
        let module = &ctx.project().module(id.module).name;
        out.fixes.push(Fix {
            strategy: STRATEGY.name,
            form: None,
            title: format!("remove the unused import of `{}` from `{module}`", site.shown()),
            safety: Safety::Safe,
            doubt: None,
            removes: vec![id],
            adds: Vec::new(),
            intents: vec![(id.module, Intent::Remove { site: id.site })],
            creates: Vec::new(),
            cost: cost::base(&ctx.project().settings, STRATEGY.name, None),
        });
    }
    out
}

/// A use of the name, or a place in strings or comments where it may be one.
fn kept(ctx: &Context, id: ImportId) -> Option<Obstacle> {
    let at = (id.module, ctx.world.graph.site(id.module, id.site).at);
    if !uses(ctx, id).none() {
        return Some(Obstacle::new(Reason::Used, at, "the name is used"));
    }
    if let Some(comment) = silenced(ctx, id) {
        return Some(comment);
    }
    occurs(ctx, id).then(|| Obstacle::new(Reason::Used, at, "the name occurs in a string or comment"))
}
