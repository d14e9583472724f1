//! What a rewrite made worse: the new text is analysed from scratch and held against the old.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::graph::Graph;
use crate::names::effects::Place;
use crate::names::scope::MODULE;
use crate::names::users::{How, is_internal};
use crate::names::{Bound, FileNames, Moment, Names, Object, World};
use crate::outcome::Kind;
use crate::project::{ModuleId, ModuleSet};
use crate::simulate::{Outcome, Simulator, Verdict};
use crate::strategy::Context;

/// Something that got worse, and the modules of which at least one must have caused it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    pub what: String,
    pub modules: BTreeSet<ModuleId>,
    /// Imports that are gone, of one module by another, if one of these alone would mend it; empty where that is not known.
    pub missed: BTreeSet<(ModuleId, ModuleId)>,
}

impl Damage {
    pub fn new(what: String, modules: BTreeSet<ModuleId>) -> Self {
        Self { what, modules, missed: BTreeSet::new() }
    }
}

/// Compares the project after a rewrite of `changed` modules with its analysis before. Imports that come new are damage
/// unless they are `expected`, or lead to a module that came new itself.
pub fn compare<'p>(
    ctx: &Context,
    after: &Graph<'p>,
    names_after: &Names<'p>,
    changed: &BTreeSet<ModuleId>,
    expected: &BTreeSet<(ModuleId, ModuleId)>,
) -> Vec<Damage> {
    let before = ctx.world.graph;
    // Code may have moved among the changed modules, and what was a builtin in one is so in another.
    let plain = changed.iter().filter(|m| !before.files[m.index()].sites.iter().any(|s| s.star));
    let builtins: BTreeSet<&str> = plain.flat_map(|m| unbound(ctx.world.names.file(*m))).collect();
    let mut out = Vec::new();
    for module in changed {
        if let Some(what) = text_damage(before, after, *module)
            .or_else(|| name_damage(ctx, after, names_after, *module, changed, &builtins))
            .or_else(|| import_damage(before, after, *module, expected))
            .or_else(|| taken_for_types(ctx, after, names_after, *module, changed))
        {
            out.push(Damage::new(what, BTreeSet::from([*module])));
        }
    }
    out.extend(new_damage(ctx, after, names_after, changed));
    out.extend(load_damage(ctx, after, names_after, changed));
    out
}

/// Names used in a file that it does not bind, strings aside.
fn unbound<'a>(file: &FileNames<'a>) -> BTreeSet<&'a str> {
    let free = file.uses.iter().filter(|u| u.owner.is_none() && !matches!(u.role, crate::names::Role::Quoted(_)));
    free.map(|u| u.name).collect()
}

/// What is wrong with modules that came new: text that does not parse, or names that nothing binds, be they not builtins or
/// the like that changed modules used before.
fn new_damage(ctx: &Context, after: &Graph, names: &Names, changed: &BTreeSet<ModuleId>) -> Vec<Damage> {
    let known: BTreeSet<&str> = changed.iter().flat_map(|m| unbound(ctx.world.names.file(*m))).collect();
    let mut out = Vec::new();
    for (id, module) in after.project.modules().skip(ctx.world.graph.files.len()) {
        let users = || changed.iter().copied().filter(|m| after.edges_of(*m).iter().any(|e| e.to == id)).collect();
        if after.files[id.index()].error.is_some() {
            out.push(Damage::new(format!("the new module `{}` does not parse", module.name), users()));
        } else if let Some(name) = unbound(names.file(id)).difference(&known).next() {
            let what = format!("`{name}` has no definition in the new module `{}`", module.name);
            out.push(Damage::new(what, users()));
        }
    }
    out
}

fn text_damage(before: &Graph, after: &Graph, module: ModuleId) -> Option<String> {
    let broken = after.files[module.index()].error.is_some() && before.files[module.index()].error.is_none();
    broken.then(|| "the new text does not parse".to_owned())
}

/// What a module's `__getattr__` and `__dir__` use of the builtins, as they are printed; and what every module has.
const BUILTINS: [&str; 9] =
    ["AttributeError", "__name__", "__package__", "getattr", "globals", "list", "object", "sorted", "str"];

/// A name that lost its definition, in the module or for those who take it from there.
fn name_damage<'p>(
    ctx: &Context,
    graph: &Graph<'p>,
    after: &Names<'p>,
    module: ModuleId,
    changed: &BTreeSet<ModuleId>,
    builtins: &BTreeSet<&str>,
) -> Option<String> {
    let (old, new) = (ctx.world.names.file(module), after.file(module));
    let known = |name: &&&str| builtins.contains(**name) || BUILTINS.contains(*name);
    if let Some(name) = unbound(new).difference(&unbound(old)).find(|name| !known(name)) {
        return Some(format!("`{name}` lost its definition"));
    }
    // A name bound for type checkers alone must not be needed at run time.
    let never = |name: &str| {
        let bindings = new.bindings(name);
        !bindings.is_empty() && bindings.iter().all(|b| b.moment == Moment::Never)
    };
    let was_bound = |name: &str| old.bindings(name).iter().any(|b| b.moment != Moment::Never);
    for used in &new.uses {
        let runs = !matches!(used.moment, Moment::Never)
            && !matches!(used.role, crate::names::Role::Quoted(_) | crate::names::Role::Annotation(_));
        if used.owner == Some(MODULE) && runs && never(used.name) && was_bound(used.name) {
            return Some(format!("`{}` is used at run time but no longer imported", used.name));
        }
    }
    if let Some(name) = other_object(ctx, graph, after, module, changed) {
        return Some(format!("`{name}` would stand for something else"));
    }
    let bound = |file: &FileNames| -> BTreeSet<String> {
        let scope = file.scope(MODULE);
        let real = |b: &crate::names::scope::Binding| b.what != Bound::Declared && b.moment != Moment::Never;
        scope.bindings.iter().filter(|(_, all)| all.iter().any(real)).map(|(n, _)| (*n).to_owned()).collect()
    };
    let served = |name: &&String| graph.served(module, name).is_some();
    let mut before = bound(old);
    before.extend(by_star(ctx, module));
    let after_world = World { graph, names: after };
    let starred = |name: &&String| after_world.exports_by_star(module, name);
    for lost in before.difference(&bound(new)).filter(|name| !served(name) && !starred(name)) {
        // Who changed as well may take it from elsewhere by now.
        let takes = |user: ModuleId| {
            let sites = graph.files[user.index()].sites.iter().zip(&graph.targets[user.index()]);
            sites.filter(|(s, _)| s.name == Some(lost)).any(|(_, target)| target.is_some_and(|t| t.module == module))
        };
        let elsewhere = |u: &&crate::names::users::AttributeUse| {
            let moved = matches!(u.how, How::Import(_)) && changed.contains(&u.user) && !takes(u.user);
            u.how != How::Import(Kind::Type) && u.user != module && !moved
        };
        if ctx.users.uses(module, lost).any(|u| elsewhere(&u)) {
            return Some(format!("another module takes `{lost}` from here"));
        }
    }
    None
}

/// A name that an import takes at run time from a changed or new module that binds it for type checkers alone.
fn taken_for_types(
    ctx: &Context,
    graph: &Graph,
    after: &Names,
    module: ModuleId,
    changed: &BTreeSet<ModuleId>,
) -> Option<String> {
    let sites = graph.files[module.index()].sites.iter().zip(&graph.targets[module.index()]);
    let eager = sites.filter(|(site, _)| site.kind == Kind::Eager);
    let mut taken = eager.filter_map(|(site, target)| Some((site.name?, target.filter(|t| !t.is_module)?.module)));
    let is_new = |home: ModuleId| changed.contains(&home) || home.index() >= ctx.world.graph.files.len();
    taken
        .find(|(name, home)| {
            let bindings = after.file(*home).bindings(name);
            let for_types = !bindings.is_empty() && bindings.iter().all(|b| b.moment == Moment::Never);
            is_new(*home) && for_types && graph.served(*home, name).is_none()
        })
        .map(|(name, home)| format!("`{}` binds `{name}` for type checkers alone", graph.project.module(home).name))
}

/// What others take from a module that has it by `import *`.
fn by_star(ctx: &Context, module: ModuleId) -> BTreeSet<String> {
    let used = ctx.users.of(module).uses.iter().filter(|u| ctx.world.exports_by_star(module, u.name));
    used.map(|u| u.name.to_owned()).collect()
}

/// A name that the module imports before and after, but not the same thing: code that moved to a changed or new module aside.
fn other_object<'p>(
    ctx: &Context,
    graph: &Graph<'p>,
    names: &Names<'p>,
    module: ModuleId,
    changed: &BTreeSet<ModuleId>,
) -> Option<String> {
    let after = World { graph, names };
    let moved = |home: ModuleId| home.index() >= ctx.world.graph.files.len() || changed.contains(&home);
    let imported = |b: &crate::names::scope::Binding| matches!(b.what, Bound::Import(_));
    let bindings = names.file(module).scope(MODULE).bindings.iter();
    let mut both = bindings.filter(|(name, all)| {
        all.iter().any(imported) && ctx.world.names.file(module).bindings(name).iter().any(imported)
    });
    both.find(|(name, _)| match (ctx.world.attribute(module, name), after.attribute(module, name)) {
        (Object::Module(old), Object::Module(new)) => old != new,
        (Object::Attribute { module: old, name: was, .. }, Object::Attribute { module: new, name: is, .. }) => {
            (old, was) != (new, is) && !moved(old) && !moved(new)
        }
        (Object::Module(_), Object::Attribute { .. }) | (Object::Attribute { .. }, Object::Module(_)) => true,
        _ => false,
    })
    .map(|(name, _)| (*name).to_owned())
}

/// Imports that run on import now and did not before.
fn import_damage(
    before: &Graph,
    after: &Graph,
    module: ModuleId,
    expected: &BTreeSet<(ModuleId, ModuleId)>,
) -> Option<String> {
    let old: HashSet<ModuleId> =
        before.edges_of(module).iter().filter(|e| e.kind == Kind::Eager).map(|e| e.to).collect();
    let known =
        |to: ModuleId| old.contains(&to) || to.index() >= before.files.len() || expected.contains(&(module, to));
    let new = after.edges_of(module).iter().find(|e| e.kind == Kind::Eager && !known(e.to))?;
    Some(format!("it imports `{}` anew", after.project.module(new.to).name))
}

/// Modules with effects that some module's import no longer loads.
fn load_damage(ctx: &Context, after: &Graph, names: &Names, changed: &BTreeSet<ModuleId>) -> Vec<Damage> {
    let before = ctx.world.graph;
    let pairs = |graph: &Graph, module: ModuleId| -> BTreeSet<ModuleId> {
        graph.edges_of(module).iter().filter(|e| e.kind == Kind::Eager).map(|e| e.to).collect()
    };
    // Whoever lost a module had it by way of a changed one that lost it, too.
    let mut below: BTreeMap<ModuleId, BTreeSet<ModuleId>> = BTreeMap::new();
    for source in changed.iter().filter(|m| !pairs(before, **m).is_subset(&pairs(after, **m))) {
        let kept = after.loads(*source);
        for module in before.loads(*source).iter().filter(|m| !kept.contains(m)) {
            below.entry(module).or_default().insert(*source);
        }
    }
    if below.is_empty() {
        return Vec::new();
    }
    let mut out = Vec::new();
    for (module, sources) in below {
        let users = attribute_users(ctx, module);
        // A module whose import shows to nobody may be loaded later; not so a submodule, which is an attribute of its package.
        let is_submodule = before.project.module(module).name.contains('.');
        if !is_submodule && users.is_empty() && ctx.effect(module, &|_| false).is_none() {
            continue;
        }
        let (had, has) = (before.importers([module]), after.importers([module]));
        let lacking: Vec<ModuleId> = had.iter().filter(|m| !has.contains(m)).collect();
        // Whoever looks at the state of a module that loads this one has its effect, too.
        let unseen = |place: &Place| place.module().is_some_and(|m| has.contains(&m));
        let name = &before.project.module(module).name;
        let this = before.project.module(module);
        let packages: Vec<ModuleId> = before.project.tree.above(module).collect();
        // Whoever has the package has the submodule, or gets it from the package's `__getattr__`.
        let parent = packages
            .iter()
            .find(|p| this.name.rsplit_once('.').is_some_and(|(n, _)| n == before.project.module(**p).name));
        let last = this.name.rsplit('.').next().unwrap_or_default();
        let given = parent.is_some_and(|p| has.contains(p) || names.file(*p).on_demand.contains(last));
        // What is internal is nobody's business who does not name it.
        let is_free = is_internal(ctx.world, module) && !lacking.iter().any(|m| users.contains(m));
        let of_package: Vec<ModuleId> = lacking.iter().filter(|m| packages.contains(m) && !is_free).copied().collect();
        let in_use: Vec<ModuleId> =
            lacking.iter().filter(|m| users.contains(m) && !sources.contains(m)).copied().collect();
        let (what, without) = if !given && !of_package.is_empty() {
            (format!("`{name}` would no longer be loaded with its package"), of_package)
        } else if !given && !in_use.is_empty() {
            (format!("`{name}` is used as an attribute where it would no longer be loaded"), in_use)
        } else if !lacking.is_empty() && ctx.effect(module, &unseen).is_some() {
            (format!("`{name}`, whose import others can see, would no longer be imported as before"), lacking)
        } else {
            continue;
        };
        let gone = |from: ModuleId| {
            let lost: Vec<ModuleId> = pairs(before, from).difference(&pairs(after, from)).copied().collect();
            lost.into_iter().map(move |to| (from, to))
        };
        let all_gone: Vec<(ModuleId, ModuleId)> = sources.iter().flat_map(|source| gone(*source)).collect();
        out.push(Damage { missed: missed(after, module, &has, &without, &all_gone), ..Damage::new(what, sources) });
    }
    out
}

/// Which of the imports that are gone would each bring a module back to one of those that are `without` it; of these the ones that
/// close no cycle, if there are such. `has`: who still loads it.
fn missed(
    after: &Graph,
    module: ModuleId,
    has: &ModuleSet,
    without: &[ModuleId],
    gone: &[(ModuleId, ModuleId)],
) -> BTreeSet<(ModuleId, ModuleId)> {
    let reached = |from: ModuleId| without.iter().any(|m| after.loads(*m).contains(&from));
    let brings = |(from, to): &&(ModuleId, ModuleId)| (*to == module || has.contains(to)) && reached(*from);
    let all: BTreeSet<(ModuleId, ModuleId)> = gone.iter().filter(brings).copied().collect();
    let open: BTreeSet<(ModuleId, ModuleId)> =
        all.iter().filter(|(from, to)| !after.run_by(*to, &|_| false).contains(from)).copied().collect();
    if open.is_empty() { all } else { open }
}

/// Modules that read a submodule as an attribute of its package.
fn attribute_users(ctx: &Context, module: ModuleId) -> BTreeSet<ModuleId> {
    let this = ctx.project().module(module);
    let package = this.name.rsplit_once('.').and_then(|(p, name)| Some((ctx.project().tree.find(p, this.root)?, name)));
    let Some((package, name)) = package else { return BTreeSet::new() };
    let reads = ctx.users.uses(package, name).filter(|u| matches!(u.how, How::Attribute(_) | How::Text));
    reads.map(|u| u.user).collect()
}

/// Those of `entries` whose import fails now, or may, and did not before, or goes another way because a failure that the code
/// handles no longer happens, each with the modules whose code leads there.
pub fn new_outcomes(before: World, after: World, entries: &[ModuleId]) -> Vec<Damage> {
    let new = Simulator::new(after).outcomes(entries);
    let handles = entries.iter().any(|entry| before.names.body(*entry).handles_failures());
    let is_asked = |now: &Outcome| handles || now.verdict.failure().is_some() || !now.caught.is_empty();
    let differs = || entries.iter().zip(&new).filter(|(_, now)| is_asked(now));
    let asked: Vec<ModuleId> = differs().map(|(entry, _)| *entry).collect();
    if asked.is_empty() {
        return Vec::new();
    }
    let old = Simulator::new(before).outcomes(&asked);
    let name = |module: ModuleId| &after.project().module(module).name;
    let worse = differs().zip(&old).filter_map(|((entry, now), then)| {
        if let Some(failure) = now.failure_since(then) {
            let would = if matches!(now.verdict, Verdict::Fails(_)) { "would" } else { "might" };
            let what = format!("`import {}` {would} fail: {}", name(*entry), failure.error);
            return Some(Damage::new(what, failure.chain.iter().map(|frame| frame.module).collect()));
        }
        if matches!(then.verdict, Verdict::Fails(_)) {
            return None;
        }
        if let Some(came) = now.caught.iter().find(|caught| !then.caught.contains(caught)) {
            let what = format!(
                "`{}` would go on without what fails then, and does not fail today, when `{}` is imported first: {}",
                name(came.module),
                name(*entry),
                came.error
            );
            return Some(Damage::new(what, BTreeSet::from([came.module, *entry])));
        }
        let gone = then.caught.iter().find(|caught| !now.caught.contains(caught))?;
        let what = format!(
            "`{}` goes on without what fails today when `{}` is imported first, and would no longer fail: {}",
            name(gone.module),
            name(*entry),
            gone.error
        );
        Some(Damage::new(what, BTreeSet::from([gone.module, *entry])))
    });
    worse.collect()
}
