//! What fixes of this form come to beside others: a submodule that each of them alone leaves loaded, and all together do not, is
//! asked for as well.

use std::collections::BTreeSet;

use super::Group;
use crate::graph::Edge;
use crate::project::{ModuleId, ModuleSet};
use crate::rewrite::Intent;
use crate::strategy::{Context, Fix, ImportId};
use crate::syntax::Span;

/// Adds to the fixes of a package the submodules that nothing would load with it any more.
pub fn complete(ctx: &Context, fixes: &mut [Fix]) {
    let intents = fixes.iter().flat_map(|fix| &fix.intents);
    let packages: BTreeSet<ModuleId> =
        intents.filter(|(_, intent)| matches!(intent, Intent::OnDemand { .. })).map(|(module, _)| *module).collect();
    for package in packages {
        let lost = lost(ctx, package, fixes);
        for fix in fixes.iter_mut() {
            let mut own = fix.intents.iter_mut().filter(|(module, _)| *module == package);
            let table = own.find_map(|(_, intent)| match intent {
                Intent::OnDemand { submodules, .. } => Some(submodules),
                _ => None,
            });
            if let Some(table) = table {
                table.extend(lost.iter().cloned());
                table.sort();
                table.dedup();
            }
        }
    }
}

/// The submodules of a package that fixes keep from being loaded with it, and that can be asked for.
fn lost(ctx: &Context, package: ModuleId, fixes: &[Fix]) -> Vec<String> {
    let project = ctx.project();
    let group = Group {
        ctx,
        module: package,
        target: package,
        here: (package, Span::default()),
        ids: &[],
        imports: Vec::new(),
    };
    let after = loaded(ctx, package, fixes);
    let gone = ctx.world.graph.loads(package).iter().filter(|module| !after.contains(module));
    let names = gone.filter_map(|module| {
        let name = project.module(module).name.rsplit('.').next()?;
        (group.is_child(module, name) && group.submodule_is_free(name).is_ok()).then(|| name.to_owned())
    });
    names.collect()
}

/// What is loaded with a package once fixes are made.
fn loaded(ctx: &Context, package: ModuleId, fixes: &[Fix]) -> ModuleSet {
    let graph = ctx.world.graph;
    let removed: BTreeSet<ImportId> = fixes.iter().flat_map(|fix| fix.removes.iter().copied()).collect();
    let cut = |edge: &Edge| removed.contains(&ImportId { module: edge.from, site: edge.site });
    let mut all = graph.loaded_by(package, &cut);
    loop {
        let mut adds = fixes.iter().flat_map(|fix| &fix.adds).filter(|added| added.comes(&removed));
        let Some(added) = adds.find(|added| all.contains(&added.from) && !all.contains(&added.to)) else { break };
        all.extend(graph.loaded_by(added.to, &cut).iter());
    }
    all
}
