//! The form `module-getattr` of defer-import: what a module passes on to outsiders alone is loaded when they ask for it, by a
//! module's `__getattr__` (PEP 562). All names that it takes of one module go together.

mod askers;
mod together;

use std::collections::BTreeSet;

use super::defer_import::STRATEGY;
use super::import_use::{Obstacle, replaced_at_home, uses};
use super::loading::{Loading, state_read};
use super::order::{self, Cut};
use super::{Added, Context, Fix, ImportId, Reason, cost, guarded, library_parts};
use crate::graph::{Edge, LARGE};
use crate::names::users::{is_internal, only_passes_on};
use crate::names::{Bound, Moment, Object, effects};
use crate::outcome::{Kind, Safety};
use crate::project::ModuleId;
use crate::rewrite::Intent;
use crate::rewrite::answers::Answers;
use crate::syntax::Span;
use crate::syntax::imports::{ImportSite, Place};

pub use askers::settle;
pub use together::complete;

pub const FORM: &str = "module-getattr";

/// Names that the printed code needs for itself.
const NEEDED: [&str; 6] = ["_LAZY", "_SUBMODULES", "AttributeError", "getattr", "globals", "sorted"];
/// Types that its annotations name, where the module means them.
const TYPES: [&str; 3] = ["list", "object", "str"];

/// Whether an import that must stay for outsiders may be a case of this form: in a package's `__init__`, or in a module that is
/// there to pass names on. No other module is given a `__getattr__`.
pub fn may_fit(ctx: &Context, id: ImportId, found: &Obstacle) -> bool {
    let site = ctx.world.graph.site(id.module, id.site);
    let facade = ctx.project().module(id.module).is_package || only_passes_on(ctx.world, id.module);
    match found.reason {
        _ if !facade => false,
        Reason::PublicName => true,
        Reason::NoName => site.star && site.place == Place::Top,
        _ => false,
    }
}

/// A module's imports of one other module, as they are to be loaded on demand.
struct Group<'c, 'x, 'p> {
    ctx: &'c Context<'x, 'p>,
    module: ModuleId,
    target: ModuleId,
    here: (ModuleId, Span),
    ids: &'c [ImportId],
    /// Each import with the names that it binds.
    imports: Vec<(ImportId, Vec<&'p str>)>,
}

/// Loads what `ids`, all in one module, take of `target` when it is asked for.
pub fn fix<'c>(ctx: &'c Context, target: ModuleId, ids: &'c [ImportId]) -> Result<Fix, Obstacle> {
    let first = ids[0];
    let site = ctx.world.graph.site(first.module, first.site);
    let here = (first.module, site.at);
    let mut group = Group { ctx, module: first.module, target, here, ids, imports: Vec::new() };
    group.possible()?;
    for id in ids {
        let names = group.names(*id)?;
        group.imports.push((*id, names));
    }
    let mut quotes = Vec::new();
    let mut doubt = None;
    for (id, _) in &group.imports {
        let found = uses(ctx, *id);
        if let Some(blocked) = found.blocked {
            return Err(blocked);
        }
        if !found.functions.is_empty() {
            let message = "functions of the module use the name itself, which its `__getattr__` does not serve";
            return Err(group.refuse(Reason::Used, message));
        }
        quotes.extend(found.quotes);
        doubt = doubt.or(found.doubt);
    }
    for (_, names) in &group.imports {
        names.iter().try_for_each(|name| group.name_is_free(name))?;
    }
    let submodules = group.submodules()?;
    let adds = group.edges();
    group.is_listed()?;
    Ok(group.planned(submodules, adds, quotes, doubt))
}

impl<'p> Group<'_, '_, 'p> {
    fn refuse(&self, reason: Reason, message: impl Into<String>) -> Obstacle {
        Obstacle::new(reason, self.here, message)
    }

    fn site(&self, id: ImportId) -> &ImportSite<'p> {
        self.ctx.world.graph.site(id.module, id.site)
    }

    fn cuts(&self, edge: &Edge) -> bool {
        let targets = &self.ctx.world.graph.targets[self.module.index()];
        edge.from == self.module && targets[edge.site].is_some_and(|t| t.module == self.target)
    }

    /// Whether the module can have a `__getattr__` at all.
    fn possible(&self) -> Result<(), Obstacle> {
        let (ctx, file) = (self.ctx, self.ctx.world.names.file(self.module));
        let settings = &ctx.project().settings;
        if crate::graph::counts(settings.level, Kind::Deferred) {
            let message = format!("the import would still count at level {}", settings.level.as_str());
            return Err(self.refuse(Reason::StillCounts, message));
        }
        if settings.target_version < (3, 7) {
            return Err(self.refuse(Reason::TargetVersion, "a module's `__getattr__` needs Python 3.7"));
        }
        let answers = self.answers()?;
        for name in NEEDED.iter().filter(|name| !answers.has_table(name)) {
            if let Some(own) = file.bindings(name).first() {
                let message = format!("the module has a `{name}` of its own");
                return Err(Obstacle::new(Reason::DynamicNames, (self.module, own.span), message));
            }
        }
        NEEDED.iter().chain(&TYPES).try_for_each(|name| self.no_star_binds(name, &|_| true))?;
        if let Some(at) = file.dynamic {
            let message = "the module reads its own names by string";
            return Err(Obstacle::new(Reason::DynamicNames, (self.module, at), message));
        }
        for module in [self.module, self.target] {
            if let Some((user, at)) = ctx.users.of(module).reloaded {
                let message = format!("`{}` is reloaded", ctx.project().module(module).name);
                return Err(Obstacle::new(Reason::ReloadedModule, (user, at), message));
            }
        }
        let users = ctx.users.of(self.module);
        if let Some(at) = users.escapes.first().or(users.listed.first()) {
            let message = "the module object is handed on, so that its names may be read without asking for them";
            return Err(Obstacle::new(Reason::DynamicNames, *at, message));
        }
        Ok(())
    }

    /// The `__getattr__` and `__dir__` that the module has, if it has them, and more can be added to them.
    fn answers(&self) -> Result<Answers, Obstacle> {
        let (ctx, names) = (self.ctx, self.ctx.world.names);
        let refuse = |at, message: &str| Err(Obstacle::new(Reason::DynamicNames, at, message));
        let answers = match Answers::of(&names.ast(self.module), names.file(self.module)) {
            Ok(answers) => answers,
            Err(unfit) => return refuse((self.module, unfit.at), &unfit.why),
        };
        for name in ["__getattr__", "__dir__"] {
            if let Some(used) = ctx.users.uses(self.module, name).next() {
                return refuse((used.user, used.span), &format!("the module's `{name}` is used by its name"));
            }
        }
        let late =
            answers.getattr.as_ref().filter(|own| self.ids.iter().any(|id| own.def.start < self.site(*id).stmt.start));
        match late {
            Some(own) => refuse((self.module, own.def), "the module's `__getattr__` answers before the import runs"),
            None => Ok(answers),
        }
    }

    /// The names that an import binds.
    fn names(&self, id: ImportId) -> Result<Vec<&'p str>, Obstacle> {
        let world = self.ctx.world;
        let site = world.graph.site(id.module, id.site);
        let at = |reason, message: &str| Err(Obstacle::new(reason, (id.module, site.at), message));
        if site.star {
            let target = world.names.file(self.target);
            let bound = |name: &&str| target.bindings(name).iter().any(|b| b.moment == Moment::Import);
            let known = target.exports.is_plain()
                && target.exports.names.iter().all(bound)
                && self.ctx.project().tree.modules.len() <= LARGE;
            if !known {
                return at(
                    Reason::NoName,
                    "`import *` of a module without a plain `__all__` binds names that are not known",
                );
            }
            return Ok(target.exports.names.clone());
        }
        let is_module = world.graph.targets[id.module.index()][id.site].is_some_and(|t| t.is_module);
        match (site.name, site.asname) {
            (None, _) => at(Reason::Form, "`import a.b` binds a name that no table gives"),
            (Some(name), Some(other)) if name != other => at(Reason::Form, "the import renames what it takes"),
            (Some(name), _) if is_module && !self.is_child(self.target, name) => {
                at(Reason::Form, "the name is a module of another package")
            }
            (Some(name), _) => Ok(vec![name]),
        }
    }

    /// Whether a module is the submodule `name` of this package.
    fn is_child(&self, module: ModuleId, name: &str) -> bool {
        let project = self.ctx.project();
        let parent = project.module(module).name.rsplit_once('.');
        project.module(self.module).is_package && parent == Some((project.module(self.module).name.as_str(), name))
    }

    /// Whether nothing else binds the name, reads it bare or replaces it.
    fn name_is_free(&self, name: &str) -> Result<(), Obstacle> {
        let (ctx, world) = (self.ctx, self.ctx.world);
        let project = ctx.project();
        let this = project.module(self.module);
        let file = world.names.file(self.module);
        let mine = |b: Bound| matches!(b, Bound::Import(site) if self.imports.iter().any(|(id, _)| id.site == site));
        if let Some(other) = file.bindings(name).iter().find(|b| !mine(b.what)) {
            let message = format!("`{name}` is bound more than once");
            return Err(Obstacle::new(Reason::ReboundName, (self.module, other.span), message));
        }
        let submodule = project.tree.find(&format!("{}.{name}", this.name), this.root);
        if this.is_package && submodule.is_some_and(|s| s != self.target || !self.is_child(s, name)) {
            let message = format!("the submodule `{}.{name}` takes the name when it is imported", this.name);
            return Err(self.refuse(Reason::ReboundName, message));
        }
        if submodule == Some(self.target) && world.names.file(self.target).exports.names.contains(&name) {
            let message = format!("`{name}` is a submodule and a name in it");
            return Err(self.refuse(Reason::ReboundName, message));
        }
        self.no_star_binds(name, &|module| module != self.target)?;
        self.not_bare(name)?;
        if file.doctest.contains(name) {
            return Err(self.refuse(Reason::DoctestUse, format!("a doctest uses `{name}`")));
        }
        if let Some((user, at)) = ctx.users.replaced(self.module, name) {
            let message = format!("`{}.{name}` is replaced from outside", this.name);
            return Err(Obstacle::new(Reason::PatchedName, (user, at), message));
        }
        if self.is_child(self.target, name) {
            return Ok(());
        }
        let defined = match world.attribute(self.target, name) {
            Object::Attribute { module, name, .. } => !world.names.file(module).bindings(name).is_empty(),
            Object::Module(_) | Object::External(_) => true,
            Object::Unknown => false,
        };
        if !defined {
            let message = format!("what `{name}` is cannot be told without running code");
            return Err(self.refuse(Reason::DynamicNames, message));
        }
        replaced_at_home(ctx, self.target, name).map_or(Ok(()), Err)
    }

    /// Whether no `import *` of modules that count binds a name.
    fn no_star_binds(&self, name: &str, counts: &dyn Fn(ModuleId) -> bool) -> Result<(), Obstacle> {
        let world = self.ctx.world;
        for (index, site) in world.graph.files[self.module.index()].sites.iter().enumerate().filter(|(_, s)| s.star) {
            let other = world.graph.targets[self.module.index()][index];
            if other.is_none_or(|t| counts(t.module) && world.exports(t.module, name)) {
                let message = format!("another `import *` may bind `{name}` as well");
                return Err(Obstacle::new(Reason::ReboundName, (self.module, site.at), message));
            }
        }
        Ok(())
    }

    /// Bare names are not asked of a `__getattr__`: what a star import or a loaded submodule binds must not be used here.
    fn not_bare(&self, name: &str) -> Result<(), Obstacle> {
        let file = self.ctx.world.names.file(self.module);
        let Some(used) = file.uses.iter().find(|u| u.name == name && u.owner.is_none()) else { return Ok(()) };
        let (reason, message) = match used.moment {
            Moment::Import => (Reason::ImportTimeUse, format!("`{name}` is needed while the module is imported")),
            _ => (Reason::Used, format!("the module itself uses `{name}`, which its `__getattr__` does not serve")),
        };
        Err(Obstacle::new(reason, (self.module, used.span), message))
    }

    /// The submodules that are no longer loaded with the package and have to be asked for.
    fn submodules(&self) -> Result<BTreeSet<&'p str>, Obstacle> {
        let (ctx, graph, project) = (self.ctx, self.ctx.world.graph, self.ctx.project());
        let before = graph.loads(self.module);
        let after = graph.loaded_by(self.module, &|edge| self.cuts(edge));
        let lost: Vec<ModuleId> = before.iter().filter(|m| !after.contains(m)).collect();
        let cut = Cut { module: self.module, edges: &|edge| self.cuts(edge), instead: None };
        if let Some(found) = order::obstacle(ctx, &cut) {
            return Err(found);
        }
        let targets = &graph.targets[self.module.index()];
        if let Some(found) = lost.iter().find_map(|module| state_read(ctx, *module)) {
            return Err(found);
        }
        let loaded = |entry: ModuleId| graph.loaded_by(entry, &|edge| self.cuts(edge));
        let loses = |entry: ModuleId, module: ModuleId| {
            graph.loads(entry).contains(&module) && !loaded(entry).contains(&module)
        };
        let elsewhere = guarded::obstacle(ctx, &lost, &loses)
            .or_else(|| library_parts::obstacle(ctx, &lost, &|entry| loaded(entry).iter().collect()));
        if let Some(found) = elsewhere {
            return Err(found);
        }
        let is_module =
            |id: &ImportId| !graph.site(id.module, id.site).star && targets[id.site].is_some_and(|t| t.is_module);
        let imported = self.imports.iter().filter(|(id, _)| is_module(id));
        let mut out: BTreeSet<&str> = imported.flat_map(|(_, names)| names.iter().copied()).collect();
        for module in lost {
            let this = project.module(module);
            // Whoever looks at the state of a module that loads this one has its effect, too.
            let leads = |m: ModuleId| m == module || graph.loaded_by(m, &|edge| self.cuts(edge)).contains(&module);
            let unseen = |place: &effects::Place| place.module().is_some_and(leads);
            if let Some(at) = ctx.effect(module, &unseen) {
                let message = format!(
                    "importing `{}` does something that others can see, and it would be imported later",
                    this.name
                );
                return Err(Obstacle::new(Reason::ImportSideEffect, (module, at), message));
            }
            let Some((package, name)) = this.name.rsplit_once('.') else { continue };
            let Some(package) = project.tree.find(package, this.root) else { continue };
            if package == self.module {
                self.submodule_is_free(name)?;
                out.insert(name);
            } else if is_internal(ctx.world, module) {
                let loading = Loading::without(graph, self.module, |edge: &Edge| self.cuts(edge));
                loading.attribute_obstacle(ctx, module, &|_| false).map_or(Ok(()), Err)?;
            } else if !graph.loaded_by(package, &|edge| self.cuts(edge)).contains(&module) {
                let message = format!("`{}` would no longer be an attribute of its package", this.name);
                return Err(self.refuse(Reason::SubmoduleAccess, message));
            }
        }
        Ok(out)
    }

    /// Whether a submodule that is loaded later can only be asked for: nothing else has its name or replaces it.
    fn submodule_is_free(&self, name: &str) -> Result<(), Obstacle> {
        self.not_bare(name)?;
        let project = self.ctx.project();
        let this = project.module(self.module);
        let other = |b: &crate::names::scope::Binding| !self.binds_module(b.what, name);
        if let Some(other) = self.ctx.world.names.file(self.module).bindings(name).iter().find(|b| other(b)) {
            let message = format!("the submodule `{}.{name}` would take the name when it is imported", this.name);
            return Err(Obstacle::new(Reason::ReboundName, (self.module, other.span), message));
        }
        if let Some((user, at)) = self.ctx.users.replaced(self.module, name) {
            let message = format!("`{}.{name}` is replaced from outside", this.name);
            return Err(Obstacle::new(Reason::PatchedName, (user, at), message));
        }
        Ok(())
    }

    /// Whether a binding is an import of the submodule of that name.
    fn binds_module(&self, what: Bound, name: &str) -> bool {
        let Bound::Import(site) = what else { return false };
        self.ctx.world.graph.targets[self.module.index()][site]
            .is_some_and(|t| t.is_module && self.is_child(t.module, name))
    }

    /// The imports that those make in truth who ask for a name while they are imported.
    fn edges(&self) -> Vec<Added> {
        let served = self.imports.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        askers::edges(self.ctx, self.module, self.target, &served)
    }

    /// Whether `import *` of the module still gives all. Without `__all__` it goes by the namespace, which no longer holds all: then
    /// `__getattr__` is asked for `__all__`, which must not be seen otherwise.
    fn is_listed(&self) -> Result<(), Obstacle> {
        let (ctx, file) = (self.ctx, self.ctx.world.names.file(self.module));
        if !file.exports.is_empty() {
            return Ok(());
        }
        let refuse = |at, message: &str| Err(Obstacle::new(Reason::StarNames, at, message));
        if !file.bindings("__all__").is_empty() || self.answers()?.are_its_own() {
            let message = "the module has no `__all__`, and `import *` of it would no longer give the name";
            return refuse(self.here, message);
        }
        if let Some(at) = ctx.users.of(self.module).stars.first() {
            return refuse(*at, "`import *` takes all names of the module, which has no `__all__` that lists them");
        }
        let asked = ctx.users.uses(self.module, "__all__").next().map(|used| (used.user, used.span));
        let computed = || ctx.users.is_read_somewhere("__all__").then_some(self.here);
        match asked.or_else(|| ctx.users.may_be_read(self.module, "__all__")).or_else(computed) {
            Some(at) => refuse(at, "the module has no `__all__`, for which it may be asked here"),
            None => Ok(()),
        }
    }

    fn planned(&self, submodules: BTreeSet<&str>, adds: Vec<Added>, quotes: Vec<Span>, doubt: Option<String>) -> Fix {
        let module = self.module;
        let owned = |names: &BTreeSet<&str>| names.iter().map(|n| (*n).to_owned()).collect::<Vec<String>>();
        let mut intents = Vec::new();
        let mut all: Vec<&str> = Vec::new();
        for (id, names) in &self.imports {
            // A submodule is asked for as such.
            let own: BTreeSet<&str> = names.iter().copied().filter(|n| !submodules.contains(n)).collect();
            all.extend(names);
            intents.push((module, Intent::Remove { site: id.site }));
            intents
                .push((module, Intent::OnDemand { site: id.site, names: owned(&own), submodules: owned(&submodules) }));
        }
        intents.extend(quotes.into_iter().map(|span| (module, Intent::Quote { span })));
        let name = &self.ctx.project().module(module).name;
        let gives_all = self.ctx.world.names.file(module).exports.is_empty();
        let extra = cost::NAME * all.len() as u64 + if gives_all { cost::NO_ALL } else { 0 };
        let shown = match all.as_slice() {
            [] | [_] | [_, _] => all.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(" and "),
            [one, two, rest @ ..] => format!("`{one}`, `{two}` and {} more", rest.len()),
        };
        Fix {
            strategy: STRATEGY.name,
            form: Some(FORM),
            title: format!("load {shown} when `{name}` is asked for it"),
            safety: if doubt.is_some() { Safety::Unsafe } else { Safety::Safe },
            doubt,
            removes: self.imports.iter().map(|(id, _)| *id).collect(),
            adds,
            intents,
            creates: Vec::new(),
            cost: cost::base(&self.ctx.project().settings, STRATEGY.name, Some(FORM)) + extra,
        }
    }
}
