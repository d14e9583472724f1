//! direct-import: a name is imported from the module that defines it, not from one that passes it on. Nothing moves; the loop
//! through the re-exporting module, mostly a package's `__init__`, is gone.

use std::collections::{BTreeMap, BTreeSet};

use super::import_use::{Obstacle, bound_anew, not_writable, reload_doubt};
use super::loading::{Instead, load_obstacle};
use super::{Added, Context, Cycle, Fix, ImportId, Proposals, Reason, Refusal, Strategy, cost, setting};
use crate::graph::Edge;
use crate::names::scope::{Binding, MODULE, ScopeId};
use crate::names::{Bound, Moment, Object, Role, Use};
use crate::outcome::{Kind, Safety};
use crate::project::ModuleId;
use crate::project::resolve::Target;
use crate::rewrite::{ImportText, Intent};
use crate::syntax::Span;
use crate::syntax::imports::Place;

pub const STRATEGY: Strategy = Strategy { name: "direct-import", propose };

/// How many modules a name may be passed through.
const CHAIN: usize = 24;

fn propose(ctx: &Context, cycle: &Cycle) -> Proposals {
    let mut out = Proposals::default();
    for id in cycle.imports() {
        let found = match ctx.world.graph.site(id.module, id.site).name {
            Some(_) => from_import(ctx, id),
            None => module_import(ctx, id),
        };
        match found {
            Ok(Some(fix)) => out.fixes.push(fix),
            Ok(None) => {}
            Err(Obstacle { reason, message, at }) => {
                out.refusals.push(Refusal { strategy: STRATEGY.name, import: id, reason, message, at });
            }
        }
    }
    out
}

/// Where a name comes from: the module that defines it and its name there; no name for a module itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Home<'n> {
    module: ModuleId,
    name: Option<&'n str>,
}

/// `from T import X`: followed to where `X` is defined; `None` if that is `T` itself.
fn from_import(ctx: &Context, id: ImportId) -> Result<Option<Fix>, Obstacle> {
    let site = ctx.world.graph.site(id.module, id.site);
    let (Some(target), Some(name)) = (ctx.world.graph.targets[id.module.index()][id.site], site.name) else {
        return Ok(None);
    };
    if target.is_module || target.falls_back {
        return Ok(None);
    }
    if site.place == Place::Block && site.kind == Kind::Eager {
        let message = "the import stands in a block that says when it applies";
        return Err(Obstacle::new(Reason::ConditionalImport, (id.module, site.at), message));
    }
    let Some(home) = home(ctx, id.module, target.module, name)? else { return Ok(None) };
    if site.place == Place::Function {
        may_be_set(ctx, target.module, name, home)?;
    }
    movable(ctx, id, Instead { modules: &[home.module], ..Instead::default() })?;
    let import = spelled(ctx, id.module, home, site.bound().unwrap_or(name), site.level > 0);
    let intents = vec![(id.module, Intent::Reimport { site: id.site, import })];
    Ok(Some(fix(ctx, id, &BTreeSet::from([home]), intents, 0)))
}

/// `import T` and its uses `T.x`, each of which can be had from where `x` is defined.
fn module_import(ctx: &Context, id: ImportId) -> Result<Option<Fix>, Obstacle> {
    let world = ctx.world;
    let site = world.graph.site(id.module, id.site);
    let Some(target) = world.graph.targets[id.module.index()][id.site] else { return Ok(None) };
    let here = (id.module, site.at);
    let Some(bound) = site.bound() else { return Ok(None) };
    // `import a.b` binds `a`, of which others may ask more than this import gives.
    let plain = site.asname.is_some() || !site.module.contains('.');
    if !target.is_module || !plain || site.kind != Kind::Eager {
        return Ok(None);
    }
    let file = world.names.file(id.module);
    let mut homes = BTreeSet::new();
    let mut wanted: BTreeMap<(Home, &str), Vec<(&Use, Span)>> = BTreeMap::new();
    for used in file.uses.iter().filter(|u| u.name == bound && u.owner == Some(MODULE)) {
        let (home, local, span) = respelled(ctx, id, target.module, used)?;
        homes.insert(home);
        wanted.entry((home, local)).or_default().push((used, span));
    }
    if homes.is_empty() || homes.iter().any(|h| h.module == target.module && h.name.is_some()) {
        return Ok(None);
    }
    if let Some(found) = super::import_use::obstacle(ctx, id) {
        return Err(found);
    }
    let modules: Vec<ModuleId> = homes.iter().map(|h| h.module).collect();
    movable(ctx, id, Instead { modules: &modules, respelled: true, ..Instead::default() })?;
    let mut intents = vec![(id.module, Intent::Remove { site: id.site })];
    let mut count = 0;
    let mut taken: BTreeMap<&str, Home> = BTreeMap::new();
    for ((home, local), uses) in &wanted {
        let scopes = uses.iter().map(|(u, _)| u.scope);
        if taken.insert(local, *home).is_some_and(|other| other != *home) {
            let message = format!("`{local}` would stand for two things");
            return Err(Obstacle::new(Reason::NameCollision, here, message));
        }
        match free_name(ctx, id.module, *home, local, scopes) {
            Name::Free => {
                let import = spelled(ctx, id.module, *home, local, false);
                intents.push((id.module, Intent::Import(import)));
            }
            Name::Imported => {}
            Name::Taken => {
                let message = format!("the module uses the name `{local}` for something else");
                return Err(Obstacle::new(Reason::NameCollision, here, message));
            }
        }
        for (_, span) in uses {
            count += 1;
            intents.push((id.module, Intent::Replace { span: *span, text: (*local).to_owned() }));
        }
    }
    Ok(Some(fix(ctx, id, &homes, intents, count)))
}

/// Where the first attribute of `T.x.y` that is no re-exporting module comes from, its local name, and the text that it replaces.
fn respelled<'n>(
    ctx: &'n Context,
    id: ImportId,
    target: ModuleId,
    used: &'n Use,
) -> Result<(Home<'n>, &'n str, Span), Obstacle> {
    let at = (id.module, used.span);
    let plainly = !matches!(used.role, Role::Store | Role::Delete | Role::Quoted(_));
    let Some(first) = used.attributes.first().filter(|_| plainly) else {
        let message = format!("`{}` itself is used, not only what it holds", used.name);
        return Err(Obstacle::new(Reason::DynamicNames, at, message));
    };
    let mut module = target;
    let mut end = first;
    for attribute in &used.attributes {
        end = attribute;
        if let Object::Module(next) = ctx.world.attribute(module, attribute.text) {
            let is_child =
                ctx.project().module(next).name == format!("{}.{}", ctx.project().module(module).name, attribute.text);
            if !is_child {
                let message = format!("`{}` passes a module on under another name", used.name);
                return Err(Obstacle::new(Reason::DynamicNames, at, message));
            }
            module = next;
            continue;
        }
        if module == target || end.span == first.span {
            break;
        }
        // `T.sub.f`: the submodule is imported, and `f` looked up in it as before.
        let before = used.attributes.iter().take_while(|a| a.span != attribute.span).last().unwrap_or(first);
        let span = Span { start: used.span.start, end: before.span.end };
        return Ok((Home { module, name: None }, before.text, span));
    }
    let span = Span { start: used.span.start, end: end.span.end };
    if module != target {
        return Ok((Home { module, name: None }, end.text, span));
    }
    let home = home(ctx, id.module, target, end.text)?.unwrap_or(Home { module: target, name: Some(end.text) });
    if used.moment != Moment::Import {
        may_be_set(ctx, target, end.text, home)?;
    }
    Ok((home, end.text, span))
}

/// A name that is looked up in a package whenever the code runs, and that its users may set there.
fn may_be_set(ctx: &Context, seen: ModuleId, name: &str, home: Home) -> Result<(), Obstacle> {
    let is_package = ctx.project().module(seen).is_package;
    let found =
        home.name.filter(|_| is_package).and_then(|own| setting::obstacle(ctx, (seen, name), (home.module, own)));
    found.map_or(Ok(()), Err)
}

/// Where `module.name` comes from, as near to its definition as `user` may look, if every step there is certain; `None` if
/// that is the module itself.
fn home<'n>(ctx: &'n Context, user: ModuleId, module: ModuleId, name: &'n str) -> Result<Option<Home<'n>>, Obstacle> {
    let mut at = Home { module, name: Some(name) };
    let mut best = None;
    let mut passed = Vec::new();
    for _ in 0..CHAIN {
        let Some(name) = at.name else { break };
        let bindings = ctx.world.names.file(at.module).bindings(name);
        passed.push((at.module, name, bindings));
        let Some(next) = step(ctx, at.module, name, bindings).filter(|next| can_be_named(ctx, *next)) else { break };
        at = next;
        if at.module != user && at.module != module && !is_hidden(ctx, user, at.module) {
            best = Some(at);
        }
    }
    let import = passed[0].2.iter().find(|b| comes_from_the_project(ctx, module, b));
    if let Some(import) = import.filter(|_| passed.len() == 1 && at.name.is_some()) {
        let message = format!("where `{}.{name}` comes from is decided at run time", ctx.project().module(module).name);
        return Err(Obstacle::new(Reason::ConditionalImport, (module, import.span), message));
    }
    if best.is_some() {
        passed.into_iter().try_for_each(|(module, name, bindings)| stays(ctx, module, name, bindings))?;
    }
    Ok(best)
}

/// Whether a module's name stands for one thing once it is bound.
fn stays(ctx: &Context, module: ModuleId, name: &str, bindings: &[Binding]) -> Result<(), Obstacle> {
    let path = format!("{}.{name}", ctx.project().module(module).name);
    if let Some(at) = ctx.users.replaced(module, name) {
        return Err(Obstacle::new(Reason::PatchedName, at, format!("`{path}` is replaced from outside")));
    }
    if let Some(at) = ctx.world.names.file(module).dynamic.filter(|_| writes_namespace(ctx.project().text(module))) {
        let message = format!("`{}` writes its names by string", ctx.project().module(module).name);
        return Err(Obstacle::new(Reason::DynamicNames, (module, at), message));
    }
    match bound_anew(bindings) {
        Some(at) => {
            let message = format!("`{path}` is bound anew at run time");
            Err(Obstacle::new(Reason::ReboundState, (module, at), message))
        }
        None => Ok(()),
    }
}

/// Whether a module that handles its own namespace as a dictionary may write it.
fn writes_namespace(text: &str) -> bool {
    let calls = ["globals()", "vars()", "locals()"];
    let writes = ["[", ".update(", ".setdefault(", ".pop(", "."];
    let handled = |call: &&str| {
        text.match_indices(*call).any(|(at, _)| writes.iter().any(|w| text[at + call.len()..].starts_with(w)))
    };
    calls.iter().any(handled) || text.contains("exec(") || text.contains("= globals()")
}

/// Whether `from package import module` gives the module: its package may bind the name to something else.
fn can_be_named(ctx: &Context, home: Home) -> bool {
    let this = ctx.project().module(home.module);
    let Some((package, name)) = this.name.rsplit_once('.').filter(|_| home.name.is_none()) else { return true };
    let Some(package) = ctx.project().tree.find(package, this.root) else { return true };
    let bindings = ctx.world.names.file(package).bindings(name);
    let itself = |b: &Binding| match b.what {
        Bound::Import(site) => {
            let target = ctx.world.graph.targets[package.index()][site];
            target.is_some_and(|t| t.is_module && t.module == home.module)
        }
        Bound::Declared => true,
        _ => false,
    };
    bindings.iter().all(itself)
}

fn comes_from_the_project(ctx: &Context, module: ModuleId, binding: &Binding) -> bool {
    matches!(binding.what, Bound::Import(site) if ctx.world.graph.targets[module.index()][site].is_some())
}

/// Where a module has a name from, if it passes it on from one place in any case.
fn step<'n>(ctx: &'n Context, module: ModuleId, name: &'n str, bindings: &'n [Binding]) -> Option<Home<'n>> {
    let world = ctx.world;
    let real: Vec<&Binding> = bindings.iter().filter(|b| b.what != Bound::Declared).collect();
    if real.is_empty() {
        return by_star(ctx, module, name);
    }
    let [Binding { what: Bound::Import(site), conditional: false, .. }] = real.as_slice() else { return None };
    let found = world.graph.site(module, *site);
    if world.star_over(module, name, found.stmt).is_some() {
        return None;
    }
    let eager = |_: &Target| found.kind == Kind::Eager;
    let target = world.graph.targets[module.index()][*site].filter(eager).filter(|t| !t.falls_back)?;
    match (found.name, target.is_module) {
        (Some(_), true) => Some(Home { module: target.module, name: None }),
        (Some(name), false) => Some(Home { module: target.module, name: Some(name) }),
        (None, true) if found.asname.is_some() || !found.module.contains('.') => {
            Some(Home { module: target.module, name: None })
        }
        _ => None,
    }
}

/// A name that exactly one star import brings in.
fn by_star<'n>(ctx: &'n Context, module: ModuleId, name: &'n str) -> Option<Home<'n>> {
    let world = ctx.world;
    let sites = &world.graph.files[module.index()].sites;
    let mut from = Vec::new();
    for (index, site) in sites.iter().enumerate().filter(|(_, s)| s.star) {
        // A star import from outside may bring anything.
        let target = world.graph.targets[module.index()][index].filter(|t| !t.falls_back)?;
        if world.exports(target.module, name) {
            from.push((target.module, site.kind));
        }
    }
    match from.as_slice() {
        [(module, Kind::Eager)] => Some(Home { module: *module, name: Some(name) }),
        _ => None,
    }
}

/// What stands against taking the names of an import from these modules.
fn movable(ctx: &Context, id: ImportId, instead: Instead) -> Result<(), Obstacle> {
    if let Some(found) = not_writable(ctx, id)
        .or_else(|| super::import_use::kept_by_comment(ctx, id))
        .or_else(|| super::import_use::two_things(ctx, id))
    {
        return Err(found);
    }
    load_obstacle(ctx, id, instead).map_or(Ok(()), Err)
}

/// Whether a module is private to a package that the user stands outside of: a part of its name begins with `_`, and the
/// project does not look over that fence already.
fn is_hidden(ctx: &Context, user: ModuleId, module: ModuleId) -> bool {
    let graph = ctx.world.graph;
    let outside = |user: ModuleId| stands_outside(ctx, user, module);
    let known = |e: &Edge| !e.implicit && outside(e.from) && top(ctx, e.from) == top(ctx, module);
    outside(user) && !graph.edges_into(module).any(known)
}

fn top<'c>(ctx: &'c Context, module: ModuleId) -> &'c str {
    ctx.project().module(module).name.split('.').next().unwrap_or_default()
}

fn stands_outside(ctx: &Context, user: ModuleId, module: ModuleId) -> bool {
    let (user, name) = (&ctx.project().module(user).name, &ctx.project().module(module).name);
    name.match_indices("._").any(|(at, _)| {
        let package = &name[..at];
        !user.starts_with(package) || !matches!(user.as_bytes().get(package.len()), None | Some(b'.'))
    })
}

enum Name {
    /// Nothing in the module has the name.
    Free,
    /// The module imports the very thing under it.
    Imported,
    Taken,
}

fn free_name(
    ctx: &Context,
    module: ModuleId,
    home: Home,
    local: &str,
    mut scopes: impl Iterator<Item = ScopeId>,
) -> Name {
    let world = ctx.world;
    let file = world.names.file(module);
    let shadowed = scopes.any(|scope| file.owner(local, scope).is_some_and(|owner| owner != MODULE));
    // A name that is used and not bound here is a builtin, or comes by a star.
    if shadowed || file.uses.iter().any(|u| u.name == local && u.owner.is_none()) {
        return Name::Taken;
    }
    let bindings = file.bindings(local);
    if bindings.is_empty() {
        let uses = ctx.users.uses(module, local).next().is_some();
        let submodule = format!("{}.{local}", ctx.project().module(module).name);
        let this = ctx.project().module(module);
        // What a `__getattr__` gives for the name would no longer be asked for.
        let answered = !file.bindings("__getattr__").is_empty();
        return match uses || answered || ctx.project().tree.find(&submodule, this.root).is_some() {
            true => Name::Taken,
            false => Name::Free,
        };
    }
    let same = |b: &Binding| match b.what {
        Bound::Import(site) => {
            let target = world.graph.targets[module.index()][site];
            let found = world.graph.site(module, site);
            let same = target.is_some_and(|t| t.module == home.module && t.is_module == home.name.is_none());
            same && found.name == home.name.or(found.name) && found.kind == Kind::Eager && !b.conditional
        }
        _ => false,
    };
    if bindings.iter().all(same) { Name::Imported } else { Name::Taken }
}

/// The import of what stands at `home`, as `user` would spell it.
fn spelled(ctx: &Context, user: ModuleId, home: Home, local: &str, relative: bool) -> ImportText {
    let module = &ctx.project().module(home.module).name;
    let (from, name) = match (home.name, module.rsplit_once('.')) {
        (Some(name), _) => (module.as_str(), name),
        (None, Some((package, name))) => (package, name),
        (None, None) => {
            let alias = (module != local).then(|| local.to_owned());
            return ImportText { module: module.clone(), name: None, alias, comment: None, above: Vec::new() };
        }
    };
    let name = if name == local { name.to_owned() } else { format!("{name} as {local}") };
    let from = if relative { relative_to(ctx.project().module(user).package(), from) } else { from.to_owned() };
    ImportText { module: from, name: Some(name), alias: None, comment: None, above: Vec::new() }
}

/// `module` as code in `package` names it with dots; as it is where they share nothing.
pub fn relative_to(package: &str, module: &str) -> String {
    let (here, there): (Vec<&str>, Vec<&str>) = (package.split('.').collect(), module.split('.').collect());
    let common = here.iter().zip(&there).take_while(|(a, b)| a == b).count();
    if common == 0 || package.is_empty() {
        return module.to_owned();
    }
    format!("{}{}", ".".repeat(here.len() - common + 1), there[common..].join("."))
}

fn fix(ctx: &Context, id: ImportId, homes: &BTreeSet<Home>, intents: Vec<(ModuleId, Intent)>, respelled: u64) -> Fix {
    let site = ctx.world.graph.site(id.module, id.site);
    let module = &ctx.project().module(id.module).name;
    let reload = reload_doubt(ctx, id);
    let names: BTreeSet<&str> = homes.iter().map(|h| ctx.project().module(h.module).name.as_str()).collect();
    let package =
        ctx.world.graph.targets[id.module.index()][id.site].map_or("", |t| &ctx.project().module(t.module).name);
    let title = match (site.name, names.iter().collect::<Vec<_>>().as_slice()) {
        (Some(name), _) => {
            format!("import `{name}` in `{module}` from `{}` instead of `{package}`", names.first().unwrap_or(&""))
        }
        (None, [one]) => format!("import what `{module}` uses of `{package}` from `{one}`"),
        (None, all) => format!("import what `{module}` uses of `{package}` from {} modules of it", all.len()),
    };
    let modules = homes.iter().flat_map(|h| ctx.world.graph.edges_to(id.module, h.module));
    let adds: BTreeSet<Added> = modules.map(|to| Added::always(id.module, to)).collect();
    Fix {
        strategy: STRATEGY.name,
        form: None,
        title,
        safety: if reload.is_some() { Safety::Unsafe } else { Safety::Safe },
        doubt: reload,
        removes: vec![id],
        adds: adds.into_iter().collect(),
        intents,
        creates: Vec::new(),
        cost: cost::base(&ctx.project().settings, STRATEGY.name, None) + cost::USE * respelled,
    }
}
