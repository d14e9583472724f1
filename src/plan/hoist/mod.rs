//! The way back: imports of the project's own modules that stand inside functions, and break no cycle there, move to the top of
//! their module. An import may be late for a reason, so that in doubt it stays.

mod load;
mod place;

use std::collections::BTreeSet;

use elsa::FrozenVec;

use super::entries::MOST;
use super::solved::{self, Round};
use super::{Solved, Veto, cycles, found, intents, key, planned, report};
use crate::graph::Graph;
use crate::names::{Names, Wanted, World};
use crate::outcome::{HoistEntry, Status};
use crate::project::settings::Level;
use crate::project::{ModuleId, Project};
use crate::rewrite;
use crate::strategy::{Context, Cycle, Fix, Reason, Refusal};
use crate::verify::{self, Damage};
use load::Loads;

/// Moves what can be moved, with none of the fixes that did not stand before; the outcome holds no cycles, only the changes.
pub fn hoist(project: &Project, vetoes: &[Veto], read: &(dyn Fn(usize, usize) + Sync)) -> Solved {
    let states = FrozenVec::new();
    let total = project.tree.modules.len();
    let done = std::sync::atomic::AtomicUsize::new(0);
    let mut graph =
        Graph::skimmed(project, &|| read(done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1, total));
    let names = Names::new(&mut graph, &vec![Wanted::Names; total]);
    // What runs while any module is imported matters, not only what does in a cycle.
    let whole = Cycle { modules: project.modules().map(|(id, _)| id).collect(), edges: Vec::new() };
    let ctx = Context::new(&graph, &names, &[whole]);
    let (mut chosen, mut refusals) = candidates(&ctx);
    for veto in vetoes {
        let (bad, good): (Vec<Fix>, Vec<Fix>) = chosen.drain(..).partition(|fix| veto.meets(&ctx, fix));
        chosen = good;
        let why = || (Reason::FailedVerification, veto.message.clone());
        refusals.extend(bad.into_iter().map(|fix| place::refusal(&ctx, fix.removes[0], why())));
    }
    let mut outcome = found::nothing(&graph);
    let mut touched = Vec::new();
    let still = cycles(&graph, Level::Eager).into_iter().flat_map(|cycle| cycle.modules).collect();
    while !chosen.is_empty() {
        match attempt(&ctx, &chosen, &states) {
            Ok(after) => {
                outcome.changes = report::changes(project, after);
                touched = solved::touched(ctx.world, after, &outcome.changes, &BTreeSet::new(), &still);
                break;
            }
            Err(damage) => refusals.extend(drop_where(&ctx, &mut chosen, &damage)),
        }
    }
    refusals.sort_by_key(|r| r.import);
    let status = match (chosen.is_empty(), refusals.is_empty()) {
        (false, _) => Status::Planned,
        (true, false) => Status::Refused,
        (true, true) => Status::Found,
    };
    let keyed = |fix: &Fix| fix.removes.iter().map(|import| key(&graph, *import)).collect();
    let fixes: Vec<_> = chosen.iter().map(|fix| (fix.clone(), keyed(fix))).collect();
    let rounds = if fixes.is_empty() { Vec::new() } else { vec![Round { before: None, fixes }] };
    outcome.hoist = Some(HoistEntry {
        status,
        fixes: chosen.into_iter().map(|fix| report::fix_entry(&planned(&ctx, fix, true))).collect(),
        refusals: refusals.into_iter().map(|refusal| report::hoist_refusal(&ctx, refusal)).collect(),
    });
    Solved { outcome, touched, rounds, states: elsa::FrozenVec::new() }
}

/// What may move, each with regard to those before it, and why the rest stays.
fn candidates(ctx: &Context) -> (Vec<Fix>, Vec<Refusal>) {
    let mut loads = Loads::new(ctx);
    let (mut fixes, mut refusals) = (Vec::new(), Vec::new());
    for (module, this) in ctx.project().modules() {
        for (name, imports) in place::groups(ctx.world.graph, module) {
            let found = place::movable(ctx, name, &imports).and_then(|fix| {
                let targets: Vec<ModuleId> = fix.adds.iter().map(|added| added.to).collect();
                if targets.iter().any(|to| loads.of(*to).contains(&module)) {
                    let message = format!("what it imports loads `{}` in turn", this.name);
                    return Err((Reason::MakesCycle, message));
                }
                if let Some(seen) = load::visible(ctx, &loads, module, &targets) {
                    let name = &ctx.project().module(seen).name;
                    return Err((
                        Reason::ImportSideEffect,
                        format!("`{name}` would be loaded earlier, which may be seen"),
                    ));
                }
                Ok((fix, targets))
            });
            match found {
                Ok((fix, targets)) => {
                    loads.add(module, targets);
                    fixes.push(fix);
                }
                Err(why) => refusals.push(place::refusal(ctx, imports[0], why)),
            }
        }
    }
    (fixes, refusals)
}

/// All of the blamed modules stay as they are: what is harmless without the others is not worth the search.
fn drop_where(ctx: &Context, chosen: &mut Vec<Fix>, damage: &Damage) -> Vec<Refusal> {
    let hit = |fix: &Fix| damage.modules.contains(&fix.removes[0].module);
    let any = chosen.iter().any(hit);
    let (bad, good): (Vec<Fix>, Vec<Fix>) = chosen.drain(..).partition(|fix| !any || hit(fix));
    *chosen = good;
    let refuse = |fix: Fix| place::refusal(ctx, fix.removes[0], (Reason::FailedCheck, damage.what.clone()));
    bad.into_iter().map(refuse).collect()
}

/// Applies the fixes in memory and holds the result against what was.
fn attempt<'p>(
    ctx: &Context<'_, 'p>,
    chosen: &[Fix],
    states: &'p FrozenVec<Box<Project>>,
) -> Result<&'p Project, Damage> {
    let intents = intents(chosen);
    let changed: BTreeSet<ModuleId> = intents.modules.keys().copied().collect();
    let change = rewrite::change(ctx.project(), &intents, None, &|module| ctx.world.names.ast(module))
        .map_err(|(module, error)| Damage::new(error.to_string(), BTreeSet::from([module])))?;
    let after = states.push_get(Box::new(change.apply(ctx.project())));
    match damage(ctx, after, &changed, chosen) {
        Some(damage) => Err(damage),
        None => Ok(after),
    }
}

fn damage<'p>(
    ctx: &Context<'_, 'p>,
    after: &'p Project,
    changed: &BTreeSet<ModuleId>,
    chosen: &[Fix],
) -> Option<Damage> {
    let (graph, names) = ctx.world.after(after, None);
    let expected = chosen.iter().flat_map(|fix| &fix.adds).map(|added| (added.from, added.to)).collect();
    if let Some(first) = verify::compare(ctx, &graph, &names, changed, &expected).into_iter().next() {
        return Some(first);
    }
    let reordered: BTreeSet<ModuleId> =
        changed.iter().copied().filter(|m| load::is_reordered(ctx, &graph, *m)).collect();
    if !reordered.is_empty() {
        let what = "modules would be loaded in another order, which may be seen".to_owned();
        return Some(Damage::new(what, reordered));
    }
    let components = |graph: &Graph| -> BTreeSet<Vec<ModuleId>> {
        cycles(graph, Level::Eager).into_iter().map(|c| c.modules).collect()
    };
    let grown: BTreeSet<ModuleId> =
        components(&graph).difference(&components(ctx.world.graph)).flatten().copied().collect();
    if !grown.is_empty() {
        let modules = changed.intersection(&grown).copied().collect();
        return Some(Damage::new("a cycle would come".to_owned(), modules));
    }
    let importers = ctx.world.graph.importers(changed.iter().copied());
    let others = importers.iter().filter(|m| !changed.contains(m));
    let entries: Vec<ModuleId> = changed.iter().copied().chain(others.take(MOST)).collect();
    let world = World { graph: &graph, names: &names };
    let damage = verify::new_outcomes(ctx.world, world, &entries).into_iter().next()?;
    Some(Damage { modules: damage.modules.intersection(changed).copied().collect(), ..damage })
}
