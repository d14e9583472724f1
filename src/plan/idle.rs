//! Why lazy re-exports that were proposed are of no use: what they load on demand is asked for by modules that it leads back to,
//! and no fix makes these ask elsewhere.

use crate::project::ModuleId;
use crate::strategy::{Context, Cycle, Fix, Reason, Refusal};

/// The refusals of such fixes for a cycle that is left.
pub fn refusals(ctx: &Context, cycle: &Cycle, fixes: &[Fix]) -> Vec<Refusal> {
    let idle = fixes.iter().filter(|fix| fix.loads_on_demand());
    idle.flat_map(|fix| refusals_of(ctx, cycle, fix)).collect()
}

fn refusals_of(ctx: &Context, cycle: &Cycle, fix: &Fix) -> Vec<Refusal> {
    let (graph, first) = (ctx.world.graph, fix.removes[0]);
    let inside = |module: ModuleId| cycle.modules.binary_search(&module).is_ok();
    let Some(target) = graph.targets[first.module.index()][first.site].map(|target| target.module) else {
        return Vec::new();
    };
    let Some(added) = fix.adds.iter().find(|added| inside(added.from) && added.to == target) else { return Vec::new() };
    let name = |module: ModuleId| &ctx.project().module(module).name;
    let message =
        format!("`{}` asks for it while it is imported, and `{}` leads back there", name(added.from), name(target));
    let asks = *added.by.first().unwrap_or(&first);
    let at = (asks.module, graph.site(asks.module, asks.site).at);
    let refusal = |import| Refusal {
        strategy: fix.strategy,
        import,
        reason: Reason::UsedElsewhere,
        message: message.clone(),
        at,
    };
    fix.removes.iter().copied().map(refusal).collect()
}
