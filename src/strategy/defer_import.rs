//! defer-import: an import that is not needed while its module is imported runs later or never: under TYPE_CHECKING, as a
//! lazy import, in the functions that use it, or when a name is asked of the module.

use std::collections::BTreeMap;

use super::import_use::{Obstacle, Uses, later_obstacle, obstacle, occurs, reload_doubt, uses, wanted_at_run_time};
use super::loading::{Instead, load_obstacle};
use super::{Context, Cycle, Fix, ImportId, Proposals, Refusal, Strategy, cost, later, module_getattr};
use crate::names::users::How;
use crate::outcome::{Kind, Safety};
use crate::project::ModuleId;
use crate::rewrite::Intent;
use crate::strategy::Reason;

pub const STRATEGY: Strategy = Strategy { name: "defer-import", propose };

fn propose(ctx: &Context, cycle: &Cycle) -> Proposals {
    let mut out = Proposals::default();
    // Re-exports of one module from another go together.
    let mut passed_on: BTreeMap<(ModuleId, ModuleId), Vec<ImportId>> = BTreeMap::new();
    for id in cycle.imports() {
        match (defer(ctx, id), ctx.world.graph.targets[id.module.index()][id.site]) {
            (Ok(Some(fix)), _) => out.fixes.push(fix),
            (Ok(None), _) => {}
            (Err(found), Some(target)) if module_getattr::may_fit(ctx, id, &found) => {
                passed_on.entry((id.module, target.module)).or_default().push(id);
            }
            (Err(found), _) => out.refusals.push(refusal(id, found)),
        }
    }
    for ((_, target), ids) in passed_on {
        match module_getattr::fix(ctx, target, &ids) {
            Ok(fix) => out.fixes.push(fix),
            Err(found) => out.refusals.extend(ids.iter().map(|id| refusal(*id, found.clone()))),
        }
    }
    module_getattr::settle(&mut out.fixes);
    out
}

fn refusal(import: ImportId, Obstacle { reason, message, at }: Obstacle) -> Refusal {
    Refusal { strategy: STRATEGY.name, import, reason, message, at }
}

fn base(ctx: &Context, form: &str) -> u64 {
    cost::base(&ctx.project().settings, STRATEGY.name, Some(form))
}

/// The first form that fits; `None` if the import does not run on import anyway.
fn defer(ctx: &Context, id: ImportId) -> Result<Option<Fix>, Obstacle> {
    let site = ctx.world.graph.site(id.module, id.site);
    if site.kind != Kind::Eager {
        return Ok(None);
    }
    if ctx.project().settings.target_version >= (3, 15)
        && !crate::graph::counts(ctx.project().settings.level, Kind::Lazy)
        && let Some(fix) = lazy(ctx, id)
    {
        return Ok(Some(fix));
    }
    if let Some(found) = obstacle(ctx, id) {
        return Err(found);
    }
    let mut found = uses(ctx, id);
    if let Some(blocked) = found.blocked {
        return Err(blocked);
    }
    if let Some(lost) = load_obstacle(ctx, id, Instead::default()) {
        return Err(lost);
    }
    if found.none() {
        let message = if occurs(ctx, id) {
            "nothing uses the name, but it occurs in a string or comment"
        } else {
            "nothing uses the name: removing the import is for unused-import"
        };
        return Err(Obstacle::new(Reason::KeptOnPurpose, (id.module, site.at), message));
    }
    let level = ctx.project().settings.level;
    let counted = if found.functions.is_empty() { Kind::Type } else { Kind::Deferred };
    if crate::graph::counts(level, counted) {
        let message = format!("the import would still count at level {}", level.as_str());
        return Err(Obstacle::new(Reason::StillCounts, (id.module, site.at), message));
    }
    found.doubt = found.doubt.or_else(|| later::doubt(ctx, id));
    if found.functions.is_empty() {
        return Ok(Some(for_types(ctx, id, &found)));
    }
    if let Some(later) = later_obstacle(ctx, id) {
        return Err(later);
    }
    if let count @ cost::TOO_MANY.. = found.functions.len() {
        let message = format!("the import would be repeated in {count} functions");
        return Err(Obstacle::new(Reason::LittleGain, (id.module, site.at), message));
    }
    Ok(Some(in_functions(ctx, id, &found)))
}

fn for_types(ctx: &Context, id: ImportId, found: &Uses) -> Fix {
    let site = ctx.world.graph.site(id.module, id.site);
    let module = &ctx.project().module(id.module).name;
    let mut intents =
        vec![(id.module, Intent::Remove { site: id.site }), (id.module, Intent::ForTypes { site: id.site })];
    intents.extend(found.quotes.iter().map(|span| (id.module, Intent::Quote { span: *span })));
    let doubt = found.doubt.clone().or_else(|| wanted_at_run_time(ctx, id).map(|o| o.message));
    Fix {
        strategy: STRATEGY.name,
        form: Some("type-checking"),
        title: format!("import `{}` in `{module}` for type checkers only", site.shown()),
        safety: if doubt.is_some() { Safety::Unsafe } else { Safety::Safe },
        doubt,
        removes: vec![id],
        adds: Vec::new(),
        intents,
        creates: Vec::new(),
        cost: base(ctx, "type-checking") + cost::QUOTE * found.quotes.len() as u64,
    }
}

fn in_functions(ctx: &Context, id: ImportId, found: &Uses) -> Fix {
    let file = ctx.world.names.file(id.module);
    let site = ctx.world.graph.site(id.module, id.site);
    let module = &ctx.project().module(id.module).name;
    let mut intents = vec![(id.module, Intent::Remove { site: id.site })];
    if found.types {
        intents.push((id.module, Intent::ForTypes { site: id.site }));
        intents.extend(found.quotes.iter().map(|span| (id.module, Intent::Quote { span: *span })));
    }
    let mut names = Vec::new();
    for function in &found.functions {
        let function = file.function(*function);
        intents.push((id.module, Intent::Local { site: id.site, function: function.span }));
        names.push(match function.class {
            Some(class) => format!("`{}.{}`", file.class(class).name, function.name),
            None => format!("`{}`", function.name),
        });
    }
    let count = names.len();
    let places = match names.as_slice() {
        [one] => one.clone(),
        [one, two] => format!("{one} and {two}"),
        [one, two, ..] => format!("{one}, {two} and {} more", count - 2),
        [] => String::new(),
    };
    let reload = reload_doubt(ctx, id);
    let doubt = found.doubt.clone().or(reload);
    Fix {
        strategy: STRATEGY.name,
        form: Some("function"),
        title: format!("import `{}` in {places} of `{module}` instead of at its top", site.shown()),
        safety: if doubt.is_some() { Safety::Unsafe } else { Safety::Safe },
        doubt,
        removes: vec![id],
        adds: Vec::new(),
        intents,
        creates: Vec::new(),
        cost: base(ctx, "function") + cost::REPEAT * (count as u64 - 1) + cost::QUOTE * found.quotes.len() as u64,
    }
}

/// The name stays where it is and is loaded on first use: nothing that uses it later can tell.
fn lazy(ctx: &Context, id: ImportId) -> Option<Fix> {
    use crate::syntax::imports::Place;
    let site = ctx.world.graph.site(id.module, id.site);
    let movable = obstacle(ctx, id);
    let harmless = |r: &Obstacle| {
        matches!(r.reason, Reason::PublicName | Reason::UsedElsewhere | Reason::PatchedName | Reason::DoctestUse)
    };
    if site.place != Place::Top || site.star || site.call || movable.as_ref().is_some_and(|o| !harmless(o)) {
        return None;
    }
    // All names of the statement become lazy together.
    let file = &ctx.world.graph.files[id.module.index()];
    let together: Vec<ImportId> = file
        .sites
        .iter()
        .enumerate()
        .filter(|(_, s)| s.stmt == site.stmt)
        .map(|(site, _)| ImportId { module: id.module, site })
        .collect();
    for each in &together {
        let name = ctx.world.graph.site(each.module, each.site).bound()?;
        let taken = ctx
            .users
            .uses(id.module, name)
            .any(|u| matches!(u.how, How::Import(Kind::Eager) | How::Attribute(crate::names::Moment::Import)));
        if taken || uses(ctx, *each).blocked.is_some() || !ctx.users.of(id.module).stars.is_empty() {
            return None;
        }
    }
    if load_obstacle(ctx, id, Instead::default()).is_some() {
        return None;
    }
    let module = &ctx.project().module(id.module).name;
    Some(Fix {
        strategy: STRATEGY.name,
        form: Some("lazy"),
        title: format!("import `{}` lazily in `{module}`", site.shown()),
        safety: Safety::Safe,
        doubt: None,
        removes: together.clone(),
        adds: Vec::new(),
        intents: together.iter().map(|i| (i.module, Intent::Lazy { site: i.site })).collect(),
        creates: Vec::new(),
        cost: base(ctx, "lazy"),
    })
}
