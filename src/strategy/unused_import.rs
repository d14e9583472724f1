//! unused-import: an import whose name nobody uses, of a module that is loaded anyway or whose import does nothing, is
//! removed.

use super::import_use::{load_obstacle, obstacle, occurs, uses};
use super::{Context, Cycle, Fix, Proposals, Strategy};
use crate::outcome::Safety;
use crate::rewrite::Intent;

pub const STRATEGY: Strategy = Strategy { name: "unused-import", propose };

const COST: u64 = 10;

fn propose(ctx: &Context, cycle: &Cycle) -> Proposals {
    let mut out = Proposals::default();
    for id in cycle.imports() {
        let site = ctx.world.graph.site(id.module, id.site);
        // Where a name is used, the refusals of other strategies say more.
        if obstacle(ctx, id).is_some() || !uses(ctx, id).none() || occurs(ctx, id) || load_obstacle(ctx, id).is_some() {
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
            intents: vec![(id.module, Intent::Remove { site: id.site })],
            cost: COST,
        });
    }
    out
}
