//! What is no longer loaded, or later, when some imports no longer run with their module.

use super::import_use::{Obstacle, bound_anew};
use super::order::{self, Cut};
use super::{Context, ImportId, Reason, guarded, library_parts};
use crate::graph::{Edge, Graph};
use crate::names::Object;
use crate::names::effects::Place;
use crate::names::scope::{Binding, Bound, Moment};
use crate::names::users::{AttributeUse, How, is_internal};
use crate::outcome::Kind;
use crate::project::{ModuleId, ModuleSet};
use crate::syntax::Span;

/// What comes in the place of an import.
#[derive(Clone, Copy, Debug, Default)]
pub struct Instead<'m> {
    /// Modules that are imported instead.
    pub modules: &'m [ModuleId],
    /// The module out of which definitions move: its state is seen without it then.
    pub moved_from: Option<ModuleId>,
    /// Whether all that the module asks of what it imports is written anew.
    pub respelled: bool,
}

/// What is loaded with a module, before and after some imports are cut.
pub struct Loading<'g, 'p, C> {
    graph: &'g Graph<'p>,
    /// The module whose imports are cut.
    module: ModuleId,
    cut: C,
    /// What the module loads instead.
    instead: ModuleSet,
}

impl<'g, 'p, C: Fn(&Edge) -> bool> Loading<'g, 'p, C> {
    pub fn without(graph: &'g Graph<'p>, module: ModuleId, cut: C) -> Self {
        Self { graph, module, cut, instead: ModuleSet::default() }
    }

    fn before(&self, entry: ModuleId) -> &'g ModuleSet {
        self.graph.loads(entry)
    }

    fn after(&self, entry: ModuleId) -> ModuleSet {
        let mut loaded = self.graph.loaded_by(entry, &self.cut);
        if loaded.contains(&self.module) {
            loaded.extend(self.instead.iter());
        }
        loaded
    }

    /// Whether `entry` no longer loads `module`.
    fn loses(&self, entry: ModuleId, module: ModuleId) -> bool {
        self.before(entry).contains(&module) && !self.after(entry).contains(&module)
    }

    /// What the module no longer loads, in a fixed order.
    fn lost(&self) -> Vec<ModuleId> {
        let after = self.after(self.module);
        self.before(self.module).iter().filter(|m| !after.contains(m)).collect()
    }

    /// A package that would no longer load `module`, or a use of it as an attribute of its package that nothing else would
    /// serve. Uses in what `is_own` accepts are rewritten.
    pub fn submodule_obstacle(
        &self,
        ctx: &Context,
        module: ModuleId,
        is_own: &dyn Fn(ModuleId) -> bool,
        here: (ModuleId, Span),
    ) -> Option<Obstacle> {
        let project = ctx.project();
        let used = self.attribute_obstacle(ctx, module, is_own);
        if used.is_some() || is_internal(ctx.world, module) {
            return used;
        }
        project.tree.above(module).find(|package| self.loses(*package, module)).map(|package| {
            let (package, this) = (&project.module(package).name, &project.module(module).name);
            Obstacle::new(Reason::SubmoduleAccess, here, format!("`import {package}` would no longer load `{this}`"))
        })
    }

    /// A use of `module` as an attribute of its package that nothing else would serve.
    pub fn attribute_obstacle(
        &self,
        ctx: &Context,
        module: ModuleId,
        is_own: &dyn Fn(ModuleId) -> bool,
    ) -> Option<Obstacle> {
        let project = ctx.project();
        let this = project.module(module);
        let reads = |u: &&AttributeUse| {
            matches!(u.how, How::Attribute(_) | How::Text) && !is_own(u.user) && self.loses(u.user, module)
        };
        let (package, name) = this.name.rsplit_once('.')?;
        let package = project.tree.find(package, this.root)?;
        if let Some(used) = ctx.users.uses(package, name).find(reads) {
            let message = format!("`{}` is used as an attribute without being imported there", this.name);
            return Some(Obstacle::new(Reason::SubmoduleAccess, (used.user, used.span), message));
        }
        let mut readers = ctx.users.readers(package, name);
        let at = readers.find(|(user, _)| !is_own(*user) && self.loses(*user, module))?;
        let message = format!("`{}` may be read here of its package, and would not be loaded", this.name);
        Some(Obstacle::new(Reason::SubmoduleAccess, at, message))
    }
}

/// Cutting one import of a module is of use only if all others of it go as well.
fn cut_all<'g, 'p>(ctx: &Context<'g, 'p>, id: ImportId) -> Loading<'g, 'p, impl Fn(&Edge) -> bool + use<'g, 'p>> {
    let graph = ctx.world.graph;
    let targets = &graph.targets[id.module.index()];
    let of = |site: usize| targets[site].map(|target| target.module);
    let target = of(id.site);
    Loading::without(graph, id.module, move |edge| {
        edge.from == id.module && targets[edge.site].map(|target| target.module) == target
    })
}

/// Modules that are loaded later, or not at all, when all imports of the target leave the module's body.
pub fn loaded_later(ctx: &Context, id: ImportId) -> Vec<ModuleId> {
    cut_all(ctx, id).lost()
}

/// What would be lost if the import no longer ran with the module: a module whose import others can see, or a submodule
/// that its package gives as an attribute.
pub fn load_obstacle(ctx: &Context, id: ImportId, instead: Instead) -> Option<Obstacle> {
    let here = (id.module, ctx.world.graph.site(id.module, id.site).at);
    let mut loading = cut_all(ctx, id);
    loading.instead = instead.modules.iter().flat_map(|m| loading.after(*m).iter().collect::<Vec<_>>()).collect();
    let lost = loading.lost();
    let still = loading.after(id.module);
    let does = |place: &Place| still.iter().any(|m| ctx.effects(m).iter().any(|(_, c)| c.places().any(|p| p == place)));
    for module in &lost {
        // Whoever looks at the state of a module that loads this one has its effect, too; what is set up once needs one to do it.
        let unseen = |place: &Place| {
            place.module().is_some_and(|m| {
                let is_own = m == *module || loading.after(m).contains(module);
                instead.moved_from != Some(m) && (is_own || matches!(place, Place::Once(..)) && does(place))
            })
        };
        if let Some(at) = ctx.effect(*module, &unseen) {
            let name = &ctx.project().module(*module).name;
            let message =
                format!("importing `{name}` does something that others can see, and it would be imported later");
            return Some(Obstacle::new(Reason::ImportSideEffect, (*module, at), message));
        }
    }
    if let Some(found) = lost.iter().find_map(|module| state_read(ctx, *module)) {
        return Some(found);
    }
    let cut = Cut { module: id.module, edges: &loading.cut, instead: Some((id.site, instead.modules)) };
    if let Some(found) = order::obstacle(ctx, &cut) {
        return Some(found);
    }
    let loses = |entry: ModuleId, module: ModuleId| loading.loses(entry, module);
    let elsewhere = guarded::obstacle(ctx, &lost, &loses)
        .or_else(|| library_parts::obstacle(ctx, &lost, &|entry| loading.after(entry).iter().collect()));
    if elsewhere.is_some() {
        return elsewhere;
    }
    let target = ctx.world.graph.targets[id.module.index()][id.site].map(|target| target.module);
    // What the import itself gives goes along with it.
    let gives = |module: ModuleId| {
        target.is_some_and(|target| target == module || ctx.project().tree.above(target).any(|above| above == module))
    };
    lost.iter().find_map(|module| {
        let fetched = &ctx.users.of(*module).fetched;
        if let Some((user, at)) = fetched.iter().find(|(user, _)| loading.loses(*user, *module)) {
            let name = &ctx.project().module(*module).name;
            let message = format!("`sys.modules[\"{name}\"]` is read where nothing else would load it");
            return Some(Obstacle::new(Reason::SubmoduleAccess, (*user, *at), message));
        }
        let is_own = |user| user == id.module && (instead.respelled || gives(*module));
        loading.submodule_obstacle(ctx, *module, &is_own, here)
    })
}

/// Whether a name of a module is bound anew behind the import that leads to one that takes it: it takes the first.
fn differs_half_way(ctx: &Context, module: ModuleId, name: &str, taker: ModuleId) -> Option<Span> {
    let (world, project) = (ctx.world, ctx.project());
    let bindings = world.names.file(module).bindings(name);
    let real = |b: &&Binding| b.moment == Moment::Import && b.what != Bound::Declared;
    let mut at: Vec<Span> = bindings.iter().filter(real).map(|b| b.span).collect();
    let first = *at.first()?;
    at.extend(world.star_over(module, name, first));
    let this = project.module(module);
    let submodule = project.tree.find(&format!("{}.{name}", this.name), this.root).filter(|_| this.is_package);
    if at.len() < 2 && submodule.is_none() {
        return None;
    }
    let leads = world.graph.edges_of(module).iter().filter(|e| e.kind == Kind::Eager);
    let runs = |to: ModuleId| world.graph.run_by(to, &|edge| edge.to == module).contains(&taker);
    let lead = leads.filter(|e| runs(e.to)).map(|e| world.graph.site(module, e.site).at.start).min()?;
    let is_itself = |b: &Binding| match b.what {
        Bound::Import(site) => submodule.is_some_and(|s| world.site_object(module, site) == Object::Module(s)),
        _ => false,
    };
    // What is bound behind the import alone, nobody could take half way.
    if at.iter().all(|span| span.start > lead) {
        return None;
    }
    let later = at.iter().copied().find(|span| span.start > lead);
    later.or_else(|| submodule.filter(|_| !bindings.iter().all(is_itself)).map(|_| first))
}

/// A name that a module takes when it is imported, and that is another at another time.
pub fn state_read(ctx: &Context, module: ModuleId) -> Option<Obstacle> {
    let graph = ctx.world.graph;
    let sites = graph.files[module.index()].sites.iter().zip(&graph.targets[module.index()]);
    sites.filter(|(site, _)| site.kind == Kind::Eager).find_map(|(site, target)| {
        let (name, target) = (site.name?, target.filter(|t| !t.is_module)?);
        if let Object::Attribute { module: home, name, rest } = ctx.world.attribute(target.module, name)
            && rest.is_empty()
        {
            // Tests replace names for a while, and put them back.
            let replaced = || {
                let (user, at) = ctx.users.replaced(home, name)?;
                (!ctx.project().module(user).is_among_tests()).then_some((user, at))
            };
            let anew = bound_anew(ctx.world.names.file(home).bindings(name)).map(|at| (home, at));
            if let Some(at) = anew.or_else(replaced) {
                let message = format!("`{name}` is bound anew at run time: a later import would take another value");
                return Some(Obstacle::new(Reason::ReboundState, at, message));
            }
        }
        let at = differs_half_way(ctx, target.module, name, module)?;
        let path = format!("{}.{name}", ctx.project().module(target.module).name);
        let message = format!("`{path}` is bound more than once: a later import would take another value");
        Some(Obstacle::new(Reason::ReboundState, (target.module, at), message))
    })
}
