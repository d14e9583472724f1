//! Who uses which attribute of which module: by import, attribute, alias, star, string or patch.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::asked::Asked;
use super::scope::{MODULE, Role};
use super::{Bound, Moment, Object, World};
use crate::outcome::Kind;
use crate::project::{Borrowed, ModuleId, is_identifier};
use crate::syntax::Span;

/// How a module's attribute is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// `from m import name`.
    Import(Kind),
    /// `m.name`, read.
    Attribute(Moment),
    /// Named in a string or through `getattr`.
    Text,
    /// Assigned, deleted or patched.
    Replaced,
}

/// One use of an attribute of a module.
#[derive(Clone, Copy, Debug)]
pub struct AttributeUse<'p> {
    pub user: ModuleId,
    pub name: &'p str,
    pub how: How,
    pub span: Span,
}

/// What is known of the users of one module.
#[derive(Debug, Default)]
pub struct ModuleUsers<'p> {
    pub uses: Vec<AttributeUse<'p>>,
    /// By name, the indices of its uses.
    by_name: FxHashMap<&'p str, Vec<usize>>,
    /// `from m import *`.
    pub stars: Vec<(ModuleId, Span)>,
    /// The module object goes where anything may be read of it.
    pub escapes: Vec<(ModuleId, Span)>,
    /// Names of it are listed by `dir`.
    pub listed: Vec<(ModuleId, Span)>,
    /// Names of it are read as they are computed, by `getattr` and `hasattr`, which its `__getattr__` answers.
    pub asked: Vec<(ModuleId, Span)>,
    /// The module object goes where attributes may be read of it, each by its name.
    pub handed: Vec<(ModuleId, Span)>,
    /// It is taken out of `sys.modules` by its name.
    pub fetched: Vec<(ModuleId, Span)>,
    /// Anything of it may be replaced: a patch by a name that is not known.
    pub patched_somehow: Option<(ModuleId, Span)>,
    /// It is reloaded or taken out of `sys.modules`.
    pub reloaded: Option<(ModuleId, Span)>,
}

impl<'p> ModuleUsers<'p> {
    fn of_name(&self, name: &str) -> impl Iterator<Item = &AttributeUse<'p>> {
        self.by_name.get(name).into_iter().flatten().map(|index| &self.uses[*index])
    }

    /// Where any name of the module may be read without being named.
    pub fn read_unnamed(&self) -> impl Iterator<Item = &(ModuleId, Span)> {
        self.escapes.iter().chain(&self.listed).chain(&self.asked)
    }
}

/// Users of all modules of a project.
pub struct Users<'p> {
    by_module: BTreeMap<ModuleId, ModuleUsers<'p>>,
    none: ModuleUsers<'p>,
    /// Whose annotations the project evaluates.
    asked: Asked,
    /// Names under which something goes on, as an argument, a value or an item, where the project evaluates annotations of what
    /// it is handed.
    goes_on: BTreeSet<&'p str>,
    /// Classes that stand in annotations which something evaluates, by module and name.
    nested: BTreeSet<(ModuleId, String)>,
    /// Classes and functions that are handed to something outside the project, which may evaluate their annotations.
    handed_out: BTreeSet<(ModuleId, String)>,
    /// Names read of modules that nothing names.
    read_somewhere: BTreeSet<&'p str>,
    /// Attributes read of objects of which nothing is known.
    loose: BTreeSet<&'p str>,
    /// Names that are set on a module which an expression gives.
    set_anywhere: BTreeMap<&'p str, (ModuleId, Span)>,
    /// Names that are set on objects of which nothing is known.
    set_loosely: BTreeMap<&'p str, (ModuleId, Span)>,
    /// Whether code of the project reads annotations as they are.
    reads_annotations: bool,
}

impl<'p> Users<'p> {
    pub fn new(world: World<'_, 'p>) -> Self {
        let ids: Vec<ModuleId> = world.project().modules().map(|(id, _)| id).collect();
        let facts = || -> Vec<Vec<(ModuleId, Fact<'p>)>> { ids.par_iter().map(|id| facts(world, *id)).collect() };
        let (asked, found) = rayon::join(|| super::asked::evaluated(world), facts);
        let mut by_module: BTreeMap<ModuleId, ModuleUsers<'p>> = BTreeMap::new();
        for (user, facts) in ids.iter().zip(found) {
            for (module, fact) in facts {
                let users = by_module.entry(module).or_default();
                match fact {
                    Fact::Use(name, how, span) => users.uses.push(AttributeUse { user: *user, name, how, span }),
                    Fact::Star(span) => users.stars.push((*user, span)),
                    Fact::Escape(span) => users.escapes.push((*user, span)),
                    Fact::Listed(span) => users.listed.push((*user, span)),
                    Fact::Asked(span) => users.asked.push((*user, span)),
                    Fact::Handed(span) => users.handed.push((*user, span)),
                    Fact::Fetched(span) => users.fetched.push((*user, span)),
                    Fact::PatchedSomehow(span) => users.patched_somehow = Some((*user, span)),
                    Fact::Reloaded(span) => users.reloaded = Some((*user, span)),
                }
            }
        }
        for (module, name) in manifest_paths(world).into_iter().chain(borrowed(world)) {
            let here = AttributeUse { user: module, name, how: How::Text, span: Span::default() };
            by_module.entry(module).or_default().uses.push(here);
        }
        for users in by_module.values_mut() {
            for (index, used) in users.uses.iter().enumerate() {
                users.by_name.entry(used.name).or_default().push(index);
            }
        }
        let handed_out = super::handed::handed_out(world);
        let nested = super::handed::nested(world, &asked.found);
        let goes_on =
            if asked.open { ids.iter().flat_map(|user| goes_on(world, *user)).collect() } else { BTreeSet::new() };
        let read_somewhere =
            ids.iter().flat_map(|user| world.names.file(*user).computed_reads.iter().copied()).collect();
        let loose = ids.par_iter().flat_map_iter(|user| loose(world, *user)).collect();
        let set = |user: &ModuleId| {
            let user = *user;
            world.names.file(user).set_on_computed.iter().map(move |(name, at)| (*name, (user, *at)))
        };
        let computed = ids.iter().filter(|id| imports_computed(world.project().text(**id)));
        let set_there = computed.flat_map(|user| set_on_unknown(world, *user));
        let set_anywhere = ids.iter().flat_map(set).chain(set_there).collect();
        let set_loosely = ids.iter().flat_map(|user| set_on_unknown(world, *user)).collect();
        Self {
            by_module,
            none: ModuleUsers::default(),
            asked,
            goes_on,
            nested,
            handed_out,
            read_somewhere,
            loose,
            set_anywhere,
            set_loosely,
            reads_annotations: ids.par_iter().any(|id| reads_annotations(world.project().text(*id))),
        }
    }

    /// Where the module object goes on, if the attribute may be read of it there.
    pub fn may_be_read(&self, module: ModuleId, name: &str) -> Option<(ModuleId, Span)> {
        let users = self.of(module);
        let elsewhere = |at: &&(ModuleId, Span)| at.0 != module;
        let handed = users.handed.iter().find(elsewhere).filter(|_| self.loose.contains(name));
        users.read_unnamed().find(elsewhere).or(handed).copied()
    }

    /// Where an attribute of a module may be read without being named: the module object goes on, or all its names are taken.
    pub fn readers<'u>(&'u self, module: ModuleId, name: &'u str) -> impl Iterator<Item = (ModuleId, Span)> + 'u {
        let users = self.of(module);
        let handed = users.handed.iter().filter(|_| self.loose.contains(name));
        users.read_unnamed().chain(handed).chain(&users.stars).copied()
    }

    /// Whether what a module's name stands for is handed to code outside the project.
    pub fn is_handed_out(&self, module: ModuleId, name: &str) -> bool {
        self.handed_out.contains(&(module, name.to_owned())) || self.nested.contains(&(module, name.to_owned()))
    }

    /// Whether the project evaluates annotations of classes that it is handed, and cannot be told of which.
    pub fn evaluates_what_it_is_handed(&self) -> bool {
        self.asked.open
    }

    /// Whether that may be a function of this name: something of this name goes on.
    pub fn goes_on(&self, name: &str) -> bool {
        self.goes_on.contains(name)
    }

    /// Whether an attribute of this name is read of a module that nothing names.
    pub fn is_read_somewhere(&self, name: &str) -> bool {
        self.read_somewhere.contains(name)
    }

    /// Whether some call evaluates the annotations of a class that extends what a module's name stands for.
    pub fn evaluates_below(&self, module: ModuleId, name: &str) -> bool {
        self.asked.bases.contains(&(module, name.to_owned()))
    }

    /// Whether some call evaluates the annotations of what a module's name stands for.
    pub fn evaluates(&self, module: ModuleId, name: &str) -> bool {
        self.asked.found.contains(&(module, name.to_owned()))
    }

    /// Whether code of the project may tell an annotation from a text that says the same, of whatever it is handed.
    pub fn reads_annotations(&self) -> bool {
        self.reads_annotations
    }

    pub fn of(&self, module: ModuleId) -> &ModuleUsers<'p> {
        self.by_module.get(&module).unwrap_or(&self.none)
    }

    /// Uses of one attribute by others, or by the module itself from outside its own scope.
    pub fn uses<'u>(&'u self, module: ModuleId, name: &'u str) -> impl Iterator<Item = &'u AttributeUse<'p>> {
        self.of(module).of_name(name)
    }

    /// Where an attribute is replaced from outside, if it is.
    pub fn replaced(&self, module: ModuleId, name: &str) -> Option<(ModuleId, Span)> {
        let users = self.of(module);
        let direct = users.of_name(name).find(|u| u.how == How::Replaced);
        let direct = direct.map(|u| (u.user, u.span)).or(users.patched_somehow);
        let handed = users.handed.iter().chain(&users.escapes).any(|(user, _)| *user != module);
        let set_there = || self.set_loosely.get(name).copied().filter(|_| handed);
        direct.or_else(|| self.set_anywhere.get(name).copied()).or_else(set_there)
    }
}

/// Whether code may have modules that it does not name.
fn imports_computed(text: &str) -> bool {
    ["import_module(", "__import__("]
        .iter()
        .any(|call| memchr::memmem::find(text.as_bytes(), call.as_bytes()).is_some())
}

/// Whether code reads annotations of objects of which nothing is known: parameters of a signature, what `__annotations__` holds, types
/// of a data class's fields, hints of the `__init__` of a class.
fn reads_annotations(text: &str) -> bool {
    let has = |word: &str| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some();
    let of_signature = has("signature(") && has(".annotation");
    let of_fields = has("dataclass") && has("fields(") && has(".type");
    let of_class = has("get_type_hints(") && has(".__init__)");
    of_signature || of_fields || of_class || has(".__annotations__")
}

/// Names under which a file lets something go on that it does not call there, but those of variables of functions.
fn goes_on<'p>(world: World<'_, 'p>, user: ModuleId) -> Vec<&'p str> {
    let goes = |used: &&super::Use| match used.role {
        Role::Load | Role::Argument | Role::Returned => true,
        // e.g. `self.handler = f`.
        Role::Inspected => used.kept.is_some(),
        _ => false,
    };
    let uses = world.names.file(user).uses.iter().filter(goes);
    let named = uses.filter(|used| !used.attributes.is_empty() || used.owner.is_none_or(|owner| owner == MODULE));
    named.map(|used| used.attributes.last().map_or(used.name, |a| a.text)).collect()
}

/// Attributes that a file reads of objects of which nothing is known.
fn loose<'p>(world: World<'_, 'p>, user: ModuleId) -> Vec<&'p str> {
    let file = world.names.file(user);
    let mut out: Vec<&'p str> = file.loose.iter().copied().collect();
    for used in file.uses.iter().filter(|u| !u.attributes.is_empty()) {
        let attributes: Vec<&'p str> = used.attributes.iter().map(|a| a.text).collect();
        let known = world.trace_in(user, used.scope, used.name, &attributes).reads.len();
        out.extend(&attributes[known..]);
    }
    out
}

/// Names that a file sets on objects of which nothing is known: `setattr(x, "name", …)`, and `x.name = …` of what is no `self`.
fn set_on_unknown<'p>(world: World<'_, 'p>, user: ModuleId) -> Vec<(&'p str, (ModuleId, Span))> {
    let set = world.names.file(user).accesses.iter().filter(|a| a.replaces);
    let unknown = set.filter(|a| {
        matches!(world.trace_in(user, a.scope, a.module.name, &a.module.attributes).object, Object::Unknown)
    });
    let by_name = unknown.filter_map(|a| Some((a.name?, (user, a.span))));
    let assigned = world
        .names
        .file(user)
        .uses
        .iter()
        .filter(|used| matches!(used.role, Role::Store | Role::Delete) && !matches!(used.name, "self" | "cls"));
    let plainly = assigned.filter_map(|used| {
        let attributes: Vec<&'p str> = used.attributes.iter().map(|a| a.text).collect();
        let (last, above) = attributes.split_last()?;
        let of = world.trace_in(user, used.scope, used.name, above).object;
        matches!(of, Object::Unknown).then_some((*last, (user, used.span)))
    });
    by_name.chain(plainly).collect()
}

enum Fact<'p> {
    Use(&'p str, How, Span),
    Star(Span),
    Escape(Span),
    Listed(Span),
    Asked(Span),
    Handed(Span),
    Fetched(Span),
    PatchedSomehow(Span),
    Reloaded(Span),
}

fn facts<'p>(world: World<'_, 'p>, user: ModuleId) -> Vec<(ModuleId, Fact<'p>)> {
    let mut out = Vec::new();
    let file = world.names.file(user);
    let graph = world.graph;
    for (index, site) in graph.files[user.index()].sites.iter().enumerate() {
        let Some(target) = graph.targets[user.index()][index] else { continue };
        match site.name {
            _ if site.star => out.push((target.module, Fact::Star(site.stmt))),
            Some(name) if !target.is_module => {
                out.push((target.module, Fact::Use(name, How::Import(site.kind), site.at)));
            }
            _ => {}
        }
    }
    for used in &file.uses {
        let Some(owner) = used.owner else { continue };
        let bindings = &file.scope(owner).bindings[used.name];
        if !bindings.iter().any(|b| matches!(b.what, Bound::Import(_))) {
            continue;
        }
        let attributes: Vec<&'p str> = used.attributes.iter().map(|a| a.text).collect();
        for trace in world.traces_in(user, used.scope, used.name, &attributes) {
            facts_of_use(world, user, used, &attributes, &trace, &mut out);
        }
        if let Some(at) = attributes.iter().position(|a| *a == "__globals__")
            && let Object::Attribute { module, .. } = world.trace(user, used.scope, used.name, &attributes[..at]).object
        {
            out.push((module, Fact::PatchedSomehow(used.span)));
        }
    }
    for path in &file.paths {
        let Some((module, rest)) = path_target(world, user, path.text) else { continue };
        match rest {
            Some(name) => {
                // `patch("m.C.method")` replaces something of the class.
                let how = if path.patches && path.text.ends_with(name) { How::Replaced } else { How::Text };
                out.push((module, Fact::Use(name, how, path.span)));
            }
            // e.g. `PREFIX = "pkg.mod."` with `patch(PREFIX + name)`, or `patch.multiple("pkg.mod", …)`.
            None if path.patches || file.patches => out.push((module, Fact::PatchedSomehow(path.span))),
            None => {}
        }
    }
    for (module, name, span) in &file.literal_reads {
        if let Some((module, None)) = path_target(world, user, module) {
            out.push((module, Fact::Use(name, How::Text, *span)));
            out.extend(is_subscript(world, user, *span).then_some((module, Fact::Fetched(*span))));
        }
    }
    for (module, span) in &file.literal_escapes {
        if let Some((module, None)) = path_target(world, user, module) {
            out.push((module, Fact::Escape(*span)));
            out.extend(is_subscript(world, user, *span).then_some((module, Fact::Fetched(*span))));
        }
    }
    for access in &file.accesses {
        let trace = world.trace_in(user, access.scope, access.module.name, &access.module.attributes);
        let Object::Module(module) = trace.object else { continue };
        out.push(match (access.name, access.replaces) {
            (Some(name), true) => (module, Fact::Use(name, How::Replaced, access.span)),
            (Some(name), false) => (module, Fact::Use(name, How::Text, access.span)),
            (None, true) => (module, Fact::PatchedSomehow(access.span)),
            (None, false) if by_all(world, user, module) => (module, Fact::Handed(access.span)),
            (None, false) => (module, Fact::Asked(access.span)),
        });
    }
    for (reference, scope) in &file.reloads {
        let trace = world.trace_in(user, *scope, reference.name, &reference.attributes);
        let module = match trace.object {
            Object::Module(module) => Some(module),
            _ => path_target(world, user, reference.name).filter(|(_, rest)| rest.is_none()).map(|(m, _)| m),
        };
        out.extend(module.map(|m| (m, Fact::Reloaded(Span::default()))));
    }
    out
}

/// Functions of the standard library, and what came before them, that read of a module where it was loaded from, and no name
/// that it binds.
const LOOKING_AT_PLACE: [&str; 13] = [
    "importlib.resources.contents",
    "importlib.resources.files",
    "importlib.resources.is_resource",
    "importlib.resources.open_binary",
    "importlib.resources.open_text",
    "importlib.resources.path",
    "importlib.resources.read_binary",
    "importlib.resources.read_text",
    "importlib_resources.files",
    "inspect.getabsfile",
    "inspect.getfile",
    "inspect.getsourcefile",
    "inspect.ismodule",
];

/// What one use says of the modules that it reads, as far as one way to follow it goes.
fn facts_of_use<'p>(
    world: World<'_, 'p>,
    user: ModuleId,
    used: &super::Use<'p>,
    attributes: &[&'p str],
    trace: &TraceIn<'p>,
    out: &mut Vec<(ModuleId, Fact<'p>)>,
) {
    let patches = world.names.file(user).patches;
    let last = trace.reads.len();
    for (at, (module, name)) in trace.reads.iter().enumerate() {
        match *name {
            "__dict__" => out.push((*module, Fact::Escape(used.span))),
            "__name__" if patches => out.push((*module, Fact::PatchedSomehow(used.span))),
            _ => {}
        }
        if *name == "__dict__" && used.role == Role::Store {
            out.push((*module, Fact::PatchedSomehow(used.span)));
        }
        let how = match used.role {
            Role::Store | Role::Delete if at + 1 == last && last == attributes.len() => How::Replaced,
            _ => How::Attribute(used.moment),
        };
        out.push((*module, Fact::Use(name, how, used.span)));
    }
    if let (Object::Module(module), Role::Argument | Role::Returned | Role::Load) = (&trace.object, used.role) {
        if used.passed_to().is_some_and(|to| looks_at_place(world, user, used.scope, to)) {
            return;
        }
        let patched = used.passed_to().is_some_and(|to| writes_anything(world, user, used.scope, to));
        out.extend(patched.then_some((*module, Fact::PatchedSomehow(used.span))));
        let anything = match used.passed_to() {
            Some(to) => reads_anything(world, user, used, *module, to),
            None => reads_by_name(world, user, *module),
        };
        let asked_by = used.passed_to().and_then(|to| builtin(world, user, used.scope, to));
        let fact = match asked_by {
            Some("dir") => Fact::Listed(used.span),
            Some("getattr" | "hasattr") => Fact::Asked(used.span),
            _ if anything => Fact::Escape(used.span),
            _ => Fact::Handed(used.span),
        };
        out.push((*module, fact));
    }
}

/// `sys.modules["m"]`, not `import_module("m")`.
fn is_subscript(world: World, user: ModuleId, span: Span) -> bool {
    span.of(world.project().text(user)).ends_with(']')
}

/// Whether what a module object is handed to reads no name that the module binds.
fn looks_at_place(world: World, user: ModuleId, scope: super::ScopeId, to: &super::scope::Reference) -> bool {
    match world.trace_reference(user, scope, to).object {
        Object::External(path) => LOOKING_AT_PLACE.contains(&path.as_str()),
        _ => false,
    }
}

/// Whether what a module object is handed to may set any name of it.
fn writes_anything(world: World, user: ModuleId, scope: super::ScopeId, to: &super::scope::Reference) -> bool {
    match world.trace_reference(user, scope, to).object {
        Object::Attribute { module, .. } => world.names.file(module).writes_by_name,
        Object::Unknown => world.names.file(user).writes_by_name,
        _ => false,
    }
}

/// The bare name of what nothing in the project binds.
fn builtin<'p>(
    world: World<'_, 'p>,
    user: ModuleId,
    scope: super::ScopeId,
    to: &super::scope::Reference<'p>,
) -> Option<&'p str> {
    let is_unbound = matches!(world.trace_reference(user, scope, to).object, Object::Unknown);
    (to.attributes.is_empty() && is_unbound).then_some(to.name)
}

/// Whether what a module object is handed to may read any name of it.
fn reads_anything<'p>(
    world: World<'_, 'p>,
    user: ModuleId,
    used: &super::Use<'p>,
    module: ModuleId,
    to: &super::scope::Reference,
) -> bool {
    let home = match world.trace_reference(user, used.scope, to).object {
        Object::Attribute { module, .. } => module,
        Object::Unknown if !matches!(to.name, "dir" | "vars") => user,
        _ => return true,
    };
    reads_by_name(world, home, module)
}

/// Whether a file reads names of a module that it computes, wherever they come from.
fn reads_by_name(world: World, user: ModuleId, module: ModuleId) -> bool {
    world.names.file(user).reads_by_name && !by_all(world, user, module)
}

/// Whether a file reads `__all__` of modules, so that the names it computes are taken to come from there.
fn by_all(world: World, user: ModuleId, module: ModuleId) -> bool {
    let file = world.names.file(user);
    let asks = file.loose.contains("__all__")
        || file.uses.iter().any(|u| u.attributes.last().is_some_and(|a| a.text == "__all__"));
    asks && world.names.file(module).exports.is_plain()
}

impl<'p> World<'_, 'p> {
    /// [`World::trace`] for names that live as long as the project.
    fn trace_in(&self, module: ModuleId, scope: super::ScopeId, name: &'p str, attributes: &[&'p str]) -> TraceIn<'p> {
        TraceIn::of(self.trace(module, scope, name, attributes), attributes)
    }

    /// [`World::traces`] for names that live as long as the project.
    fn traces_in(
        &self,
        module: ModuleId,
        scope: super::ScopeId,
        name: &'p str,
        attributes: &[&'p str],
    ) -> impl Iterator<Item = TraceIn<'p>> {
        self.traces(module, scope, name, attributes).into_iter().map(|trace| TraceIn::of(trace, attributes))
    }
}

struct TraceIn<'p> {
    reads: Vec<(ModuleId, &'p str)>,
    object: Object<'p>,
}

impl<'p> TraceIn<'p> {
    fn of(trace: super::Trace, attributes: &[&'p str]) -> Self {
        let object = match trace.object {
            Object::Module(module) => Object::Module(module),
            _ => Object::Unknown,
        };
        // The attributes read are the ones handed in, so they live as long.
        let reads = trace.reads.iter().enumerate().map(|(at, (module, _))| (*module, attributes[at])).collect();
        Self { reads, object }
    }
}

/// The module that a dotted text names, and the first attribute behind it.
fn path_target<'p>(world: World<'_, 'p>, user: ModuleId, text: &'p str) -> Option<(ModuleId, Option<&'p str>)> {
    let root = world.project().module(user).root;
    let text = text.strip_suffix('.').unwrap_or(text);
    let mut end = text.len();
    loop {
        let path = text[..end].replace(':', ".");
        if let Some(module) = world.project().tree.find(&path, root) {
            let rest = text.get(end + 1..).and_then(|r| r.split(['.', ':']).next()).filter(|r| !r.is_empty());
            return Some((module, rest));
        }
        end = text[..end].rfind(['.', ':'])?;
    }
}

/// `pkg.mod:name` in the project's manifests: entry points and plugins.
fn manifest_paths<'p>(world: World<'_, 'p>) -> Vec<(ModuleId, &'p str)> {
    let mut out = Vec::new();
    for text in world.project().manifests.values() {
        let is_path = |c: char| c == '.' || c == ':' || c == '_' || c.is_alphanumeric();
        for word in text.split(|c| !is_path(c)) {
            let Some((module, name)) = word.split_once(':') else { continue };
            let name = name.split('.').next().unwrap_or_default();
            if !module.split('.').all(is_identifier) || !is_identifier(name) {
                continue;
            }
            let found = (0..world.project().tree.roots.len()).find_map(|r| world.project().tree.find(module, r));
            out.extend(found.map(|m| (m, name)));
        }
    }
    out
}

/// What code that is no module takes of modules: of each that it imports, what has a name that is a word of that code.
fn borrowed<'p>(world: World<'_, 'p>) -> Vec<(ModuleId, &'p str)> {
    let tree = &world.project().tree;
    let find = |name: &str| (0..tree.roots.len()).find_map(|root| tree.find(name, root));
    let mut out = Vec::new();
    for borrower in world.project().borrowers.iter() {
        let words = borrower.words();
        let submodules = |import: &Borrowed| {
            let below = |name: &String| find(&format!("{}.{name}", import.module));
            import.names.iter().filter_map(below).collect::<Vec<_>>()
        };
        let all = borrower.imports.iter().flat_map(|import| find(&import.module).into_iter().chain(submodules(import)));
        let modules: BTreeSet<ModuleId> = all.flat_map(|module| tree.above(module).chain([module])).collect();
        for module in modules {
            let bound = world.names.file(module).scope(MODULE).bindings.keys().copied();
            out.extend(bound.filter(|name| words.contains(name)).map(|name| (module, name)));
        }
    }
    out
}

/// Whether outsiders may use a name that a module binds by an import: it is in `__all__`, the module is a package's
/// `__init__` and does not need the name itself, the alias repeats the name (PEP 484), or the settings say so.
pub fn is_public(world: World, module: ModuleId, name: &str) -> bool {
    let project = world.project();
    let this = project.module(module);
    let exports = &world.names.file(module).exports;
    let detail = this.is_package && is_detail(world, module, name);
    if this.is_package && !detail || exports.more || exports.names.contains(&name) {
        return true;
    }
    // A module with nothing of its own is there to pass names on.
    if only_passes_on(world, module) {
        return true;
    }
    let again = world.names.file(module).bindings(name).iter().any(|b| match b.what {
        Bound::Import(site) => {
            let site = world.graph.site(module, site);
            site.asname.is_some() && site.asname == site.name
        }
        _ => false,
    });
    let path = format!("{}.{name}", this.name);
    again || project.settings.public.iter().any(|p| *p == path || p.strip_suffix(".*") == Some(&this.name))
}

/// Whether a module is a submodule of a package that is internal by its name (PEP 8), the outermost aside: outsiders have no business
/// with the package's attributes, unless the settings say so.
pub fn is_internal(world: World, module: ModuleId) -> bool {
    let project = world.project();
    let this = &project.module(module).name;
    let Some((package, _)) = this.rsplit_once('.') else { return false };
    let public = &project.settings.public;
    let is_public = public.iter().any(|p| p == this || p.strip_suffix(".*") == Some(package));
    let is_private = |part: &str| part.starts_with('_') && !part.starts_with("__");
    package.split('.').skip(1).any(is_private) && !is_public
}

/// Whether a module has nothing of its own: it is there to pass names on.
pub fn only_passes_on(world: World, module: ModuleId) -> bool {
    let file = world.names.file(module);
    let own = |b: &super::scope::Binding| !matches!(b.what, Bound::Import(_) | Bound::Declared);
    let dunder = |name: &str| name.starts_with("__") && name.ends_with("__");
    file.scope(super::scope::MODULE).bindings.iter().all(|(name, all)| dunder(name) || !all.iter().any(own))
        && file.uses.iter().all(|u| u.moment == Moment::Never || u.name.starts_with("__"))
}

/// Whether a package's `__init__` imports a name for its own code: it comes from outside the package and is used. PEP 8 takes
/// such names for details; what an `__init__` exposes are names of its submodules.
fn is_detail(world: World, module: ModuleId, name: &str) -> bool {
    let project = world.project();
    let package = &project.module(module).name;
    let from_outside = |site: usize| {
        // `import a.b` binds the package at the top.
        let found = world.graph.site(module, site);
        let plain = found.name.is_none() && found.asname.is_none();
        plain
            || world.graph.targets[module.index()][site].is_none_or(|target| {
                let target = &project.module(target.module).name;
                !target.strip_prefix(package.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
    };
    let file = world.names.file(module);
    let bindings = file.bindings(name);
    bindings.iter().all(|b| matches!(b.what, Bound::Import(site) if from_outside(site)))
        && file.uses_of(name).any(|u| !matches!(u.role, Role::Quoted(None)))
}
