//! Who asks a module for names while modules are imported, so that what the module loads on demand is loaded then: these imports
//! are made in truth, wherever the names pass through.

use std::collections::{BTreeMap, BTreeSet};

use crate::names::Moment;
use crate::names::users::{AttributeUse, How, only_passes_on};
use crate::outcome::Kind;
use crate::project::ModuleId;
use crate::strategy::{Added, Context, Fix, ImportId};
use crate::syntax::Span;

/// How far names are followed that modules take from each other to pass them on.
const DEPTH: usize = 8;

/// Who asks, and the imports past which the question leads.
type Asker = (ModuleId, BTreeSet<ImportId>);

/// The edges to `target` that come with a fix by which `module` loads names on demand.
pub fn edges(ctx: &Context, module: ModuleId, target: ModuleId, names: &BTreeSet<&str>) -> Vec<Added> {
    let mut search = Search { ctx, found: BTreeMap::new(), past: Vec::new() };
    names.iter().for_each(|name| search.asked(module, name));
    search.asked_for_anything(module);
    let edge = |((from, past), by): (Asker, Option<BTreeSet<ImportId>>)| {
        let by = by.unwrap_or_default();
        let all = ctx.world.graph.edges_to(from, target).into_iter();
        all.map(move |to| Added { from, to, by: by.clone(), past: past.clone() }).collect::<Vec<_>>()
    };
    let found = search.found.into_iter().filter(|((from, _), _)| *from != module && *from != target);
    found.flat_map(edge).collect()
}

/// Leaves of the edges that come with fixes those that can come: each leads past what fixes of this form take away.
pub fn settle(fixes: &mut [Fix]) {
    let mut first: BTreeMap<ImportId, ImportId> = BTreeMap::new();
    for fix in fixes.iter().filter(|fix| fix.loads_on_demand()) {
        first.extend(fix.removes.iter().map(|import| (*import, fix.removes[0])));
    }
    for fix in fixes.iter_mut().filter(|fix| fix.loads_on_demand()) {
        let mut all: BTreeMap<(ModuleId, ModuleId, BTreeSet<ImportId>), Option<BTreeSet<ImportId>>> = BTreeMap::new();
        for added in std::mem::take(&mut fix.adds) {
            let past: Option<BTreeSet<ImportId>> = added.past.iter().map(|import| first.get(import).copied()).collect();
            let Some(past) = past else { continue };
            let by = (!added.by.is_empty()).then_some(added.by);
            let known = all.entry((added.from, added.to, past)).or_insert_with(|| Some(BTreeSet::new()));
            *known = known.take().zip(by).map(|(mut known, by)| {
                known.extend(by);
                known
            });
        }
        let edge = |((from, to, past), by): (_, Option<BTreeSet<ImportId>>)| Added {
            from,
            to,
            by: by.unwrap_or_default(),
            past,
        };
        fix.adds = all.into_iter().map(edge).collect();
    }
}

struct Search<'c, 'x, 'p> {
    ctx: &'c Context<'x, 'p>,
    /// The imports by which each asks; none if it asks in another way, too.
    found: BTreeMap<Asker, Option<BTreeSet<ImportId>>>,
    /// The imports that led to the name that is looked at.
    past: Vec<ImportId>,
}

impl Search<'_, '_, '_> {
    /// Those who ask a module for a name.
    fn asked(&mut self, module: ModuleId, name: &str) {
        let ctx = self.ctx;
        for used in ctx.users.uses(module, name).filter(|u| u.user != module && asks_on_import(ctx, u)) {
            let by = matches!(used.how, How::Import(_)).then(|| self.site(used.user, used.span)).flatten();
            self.note(used.user, by);
            if let Some(by) = by {
                let bound = ctx.world.graph.site(by.module, by.site).bound();
                bound.into_iter().for_each(|bound| self.passed_on(by, bound));
            }
        }
        if ctx.world.exports_by_star(module, name) {
            for (user, at) in ctx.users.of(module).stars.iter().filter(|(user, _)| *user != module) {
                let by = self.site(*user, *at);
                self.note(*user, by);
                by.into_iter().for_each(|by| self.passed_on(by, name));
            }
        }
    }

    /// Those who take all names of a module, or hand it on.
    fn asked_for_anything(&mut self, module: ModuleId) {
        let users = self.ctx.users.of(module);
        for (user, at) in users.stars.iter().filter(|(user, _)| *user != module) {
            let by = self.site(*user, *at);
            self.note(*user, by);
        }
        for (user, _) in users.handed.iter().filter(|(user, _)| *user != module) {
            self.note(*user, None);
        }
    }

    /// Those who ask a module for what an import of it gives, if it comes to load that on demand as well.
    fn passed_on(&mut self, by: ImportId, name: &str) {
        let may_pass = self.ctx.project().module(by.module).is_package || only_passes_on(self.ctx.world, by.module);
        if may_pass && self.past.len() < DEPTH && !self.past.iter().any(|past| past.module == by.module) {
            self.past.push(by);
            self.asked(by.module, name);
            self.past.pop();
        }
    }

    fn note(&mut self, user: ModuleId, by: Option<ImportId>) {
        let known =
            self.found.entry((user, self.past.iter().copied().collect())).or_insert_with(|| Some(BTreeSet::new()));
        *known = known.take().zip(by).map(|(mut known, by)| {
            known.insert(by);
            known
        });
    }

    /// The import of a module that stands at a place, if it runs with the module.
    fn site(&self, module: ModuleId, at: Span) -> Option<ImportId> {
        let sites = &self.ctx.world.graph.files[module.index()].sites;
        let here = |site: &crate::syntax::imports::ImportSite| {
            site.kind == Kind::Eager && (if site.star { site.stmt } else { site.at }) == at
        };
        sites.iter().position(here).map(|site| ImportId { module, site })
    }
}

fn asks_on_import(ctx: &Context, used: &AttributeUse) -> bool {
    match used.how {
        How::Import(kind) => kind == Kind::Eager,
        How::Attribute(Moment::Import) => true,
        How::Attribute(Moment::Call(function)) => ctx.running.may_run(used.user, function),
        How::Text => true,
        _ => false,
    }
}
