//! Whose annotations the project evaluates: what `typing.get_type_hints` and its like are handed, followed back through
//! variables, parameters and `self`, as far as names lead.

use std::collections::{BTreeMap, BTreeSet};

use memchr::memmem::find;
use rayon::prelude::*;

use super::scope::{Argument, FunctionId, MODULE, Place, Reference, Role, ScopeId, ScopeKind};
use super::{Bound, Object, Use, World};
use crate::project::ModuleId;

/// What the project evaluates the annotations of.
#[derive(Debug, Default)]
pub struct Asked {
    /// Classes and functions whose annotations some call evaluates, by module and name.
    pub found: BTreeSet<(ModuleId, String)>,
    /// Classes of which that is said as the bases of others, so that it says nothing of what else extends them.
    pub bases: BTreeSet<(ModuleId, String)>,
    /// Whether some call evaluates those of what cannot be followed: an attribute, what a call gives, an argument of a function
    /// that is handed on itself.
    pub open: bool,
}

/// What evaluates annotations that are strings, wherever it is called.
const READERS: [&str; 3] = ["get_type_hints", "get_annotations", "resolve_types"];

/// Calls that give what they are handed, or a part of it, or its class.
const TRANSPARENT: [&str; 16] = [
    "type",
    "cast",
    "unwrap",
    "partial",
    "get_origin",
    "get_args",
    "get_type_hints",
    "list",
    "tuple",
    "set",
    "frozenset",
    "sorted",
    "reversed",
    "iter",
    "enumerate",
    "zip",
];

pub fn evaluated(world: World) -> Asked {
    let mut asked = Asked::default();
    let mut todo = Vec::new();
    for (user, _) in world.project().modules() {
        let file = world.names.file(user);
        asked.open |= file.evaluates_unknown;
        for call in &file.evaluated {
            if call.strings {
                todo.push(Step { user, scope: call.scope, of: call.of.clone(), made: false });
            } else if let Object::Attribute { module, name, .. } =
                world.trace_reference(user, call.scope, &call.of).object
            {
                asked.found.insert((module, name.to_owned()));
            }
        }
    }
    let users: Vec<ModuleId> = world.project().modules().map(|(id, _)| id).collect();
    asked.open |= users.par_iter().any(|user| hands_reader_on(world, *user));
    asked.found.extend(users.par_iter().flat_map_iter(|user| dispatched(world, *user)).collect::<Vec<_>>());
    if todo.is_empty() {
        return asked;
    }
    let (functions, seen) = (BTreeSet::new(), BTreeSet::new());
    let mut search = Search { world, named: named(world), asked, functions, seen, todo };
    while let Some(step) = search.todo.pop() {
        search.reference(&step);
    }
    search.asked
}

/// Whether a file uses what evaluates annotations otherwise than by calling it under its name, or evaluates the texts of
/// annotations by itself.
fn hands_reader_on(world: World, user: ModuleId) -> bool {
    let text = world.project().text(user).as_bytes();
    let has = |word: &str| find(text, word.as_bytes()).is_some();
    if has("__annotations__") && ["eval(", "ForwardRef", "_eval_type"].iter().any(|word| has(word)) {
        return true;
    }
    if !READERS.iter().any(|word| has(word)) {
        return false;
    }
    let takes = |used: &&Use| match used.role {
        Role::Called => !READERS.contains(&last(used)),
        Role::Load | Role::Argument | Role::Returned => true,
        _ => false,
    };
    world.names.file(user).uses.iter().filter(takes).any(|used| match world.trace_use(user, used).object {
        Object::External(path) => READERS.contains(&path.rsplit('.').next().unwrap_or_default()),
        _ => false,
    })
}

/// Functions that are handed to `register` of a `functools.singledispatch` function, which reads the annotation of the first
/// parameter.
fn dispatched(world: World, user: ModuleId) -> Vec<(ModuleId, String)> {
    let is_alone = |used: &&Use| {
        let argument = used.argument.as_deref();
        argument.is_some_and(|a| a.callee.attributes.last() == Some(&"register") && is_at(a, 0, ""))
    };
    let file = world.names.file(user);
    let handed = file.uses.iter().filter(is_alone).filter_map(|used| {
        let Object::Attribute { module: home, name: callee, rest } =
            world.trace_reference(user, used.scope, used.passed_to()?).object
        else {
            return None;
        };
        let dispatches = world.names.file(home).bindings(callee).iter().any(|b| match b.what {
            Bound::Function(id) => {
                let mut decorators = world.names.file(home).function(id).decorators.iter();
                decorators.any(|path| path.last().is_some_and(|n| n.starts_with("singledispatch")))
            }
            _ => false,
        });
        let Object::Attribute { module, name, .. } = world.trace_use(user, used).object else { return None };
        let mut bindings = world.names.file(module).bindings(name).iter();
        let is_function = bindings.any(|b| matches!(b.what, Bound::Function(_)));
        (dispatches && is_function && rest == ["register"]).then(|| (module, name.to_owned()))
    });
    handed.collect()
}

/// Whether an argument is the one at a position or of a name.
fn is_at(argument: &Argument, position: usize, name: &str) -> bool {
    match argument.place {
        Place::Position(at) => at == position,
        Place::Keyword(keyword) => keyword == name,
        Place::Unknown => false,
    }
}

fn last<'p>(used: &Use<'p>) -> &'p str {
    used.attributes.last().map_or(used.name, |a| a.text)
}

/// Uses by the last part of the name of what is called, for arguments, and of what is used, for the others.
#[derive(Default)]
struct Named<'w, 'p> {
    given: BTreeMap<&'p str, Vec<(ModuleId, &'w Use<'p>)>>,
    used: BTreeMap<&'p str, Vec<(ModuleId, &'w Use<'p>)>>,
}

fn named<'w, 'p>(world: World<'w, 'p>) -> Named<'w, 'p> {
    let mut out = Named::default();
    for (user, _) in world.project().modules() {
        for used in &world.names.file(user).uses {
            if let (Role::Argument, Some(callee)) = (used.role, used.passed_to()) {
                let last = callee.attributes.last().copied().unwrap_or(callee.name);
                out.given.entry(last).or_default().push((user, used));
            }
            if matches!(used.role, Role::Called | Role::Load | Role::Argument | Role::Returned | Role::Base) {
                out.used.entry(last(used)).or_default().push((user, used));
            }
        }
    }
    out
}

/// A name whose object is asked for its annotations.
struct Step<'p> {
    user: ModuleId,
    scope: ScopeId,
    of: Reference<'p>,
    /// Whether the object is made of it.
    made: bool,
}

struct Search<'w, 'p> {
    world: World<'w, 'p>,
    named: Named<'w, 'p>,
    asked: Asked,
    /// Functions that evaluate the annotations of what they are handed.
    functions: BTreeSet<(ModuleId, FunctionId)>,
    /// Local variables already followed.
    seen: BTreeSet<(ModuleId, ScopeId, &'p str)>,
    todo: Vec<Step<'p>>,
}

/// Whether attributes of an object may lead to another that has annotations.
fn leads_on(attributes: &[&str]) -> bool {
    attributes.iter().any(|a| !a.starts_with("__"))
}

impl<'p> Search<'_, 'p> {
    fn reference(&mut self, step: &Step<'p>) {
        let Step { user, scope, of, made } = step;
        match self.world.trace_reference(*user, *scope, of).object {
            Object::Attribute { module, name, rest } => return self.attribute(module, name, &rest, *made),
            Object::External(path) => {
                let last = path.rsplit('.').next().unwrap_or_default();
                self.asked.open |= made & !path.starts_with("typing") && !TRANSPARENT.contains(&last);
                return;
            }
            Object::Module(_) => return,
            Object::Unknown => {}
        }
        let file = self.world.names.file(*user);
        let Some(owner) = file.owner(of.name, *scope) else {
            self.asked.open |= made & !TRANSPARENT.contains(&of.name);
            return;
        };
        self.asked.open |= leads_on(&of.attributes);
        if !self.seen.insert((*user, owner, of.name)) {
            return;
        }
        for binding in &file.scope(owner).bindings[of.name] {
            match (binding.what, file.scope(owner).kind) {
                (Bound::Value, _) if owner != MODULE => {
                    let made = !binding.plain && !binding.builtin;
                    self.asked.open |= binding.from.is_empty();
                    let from = binding.from.iter();
                    self.todo.extend(from.map(|of| Step { user: *user, scope: owner, of: of.clone(), made }));
                }
                (Bound::Class(id), _) => self.bases(*user, id),
                (Bound::Function(_), _) => {
                    self.asked.found.insert((*user, of.name.to_owned()));
                }
                (Bound::Parameter, ScopeKind::Function(function)) => self.parameter(*user, function, of.name),
                _ => {}
            }
        }
    }

    fn attribute(&mut self, module: ModuleId, name: &str, rest: &[&str], made: bool) {
        let bindings = self.world.names.file(module).bindings(name);
        let is = |what: fn(&Bound) -> bool| bindings.iter().any(|b| what(&b.what));
        self.asked.open |= made && is(|b| matches!(b, Bound::Function(_)));
        self.asked.open |= leads_on(rest) && is(|b| *b == Bound::Value);
        if !self.asked.found.insert((module, name.to_owned())) {
            return;
        }
        for binding in bindings {
            if let Bound::Class(id) = binding.what {
                self.bases(module, id);
            }
            let made = binding.call.is_some() && !binding.builtin;
            let from = binding.from.iter();
            self.todo.extend(from.map(|of| Step { user: module, scope: MODULE, of: of.clone(), made }));
        }
    }

    /// The annotations of a class are those of its bases, too.
    fn bases(&mut self, user: ModuleId, id: super::scope::ClassId) {
        let class = self.world.names.file(user).class(id);
        for path in &class.bases {
            let Some((first, rest)) = path.split_first() else { continue };
            let Object::Attribute { module, name, rest } = self.world.trace(user, class.parent, first, rest).object
            else {
                continue;
            };
            if rest.is_empty() && self.asked.bases.insert((module, name.to_owned())) {
                let bindings = self.world.names.file(module).bindings(name);
                let classes =
                    bindings.iter().filter_map(|b| if let Bound::Class(id) = b.what { Some(id) } else { None });
                classes.for_each(|id| self.bases(module, id));
            }
        }
    }

    /// What a function is handed by those who call it; of a method, `self` is its class.
    fn parameter(&mut self, module: ModuleId, id: FunctionId, name: &str) {
        let file = self.world.names.file(module);
        let function = file.function(id);
        let class = function.class.map(|c| file.class(c).name);
        let is_static = function.decorators.iter().any(|path| path.last() == Some(&"staticmethod"));
        if let Some(class) = class
            && function.params.first() == Some(&name)
            && !is_static
        {
            self.asked.found.insert((module, class.to_owned()));
            return;
        }
        if !self.functions.insert((module, id)) {
            return;
        }
        let makes = matches!(function.name, "__init__" | "__new__");
        // Nobody names a lambda, nor what Python calls by itself.
        self.asked.open |= function.is_lambda || function.name.starts_with("__") && class.is_some() && !makes;
        let at = function.params.iter().position(|p| *p == name).unwrap_or_default();
        let at = at - usize::from(class.is_some() && !is_static && at > 0);
        let called: Vec<&str> = [Some(function.name), class.filter(|_| makes)].into_iter().flatten().collect();
        let is_meant = |user: ModuleId, scope: ScopeId, callee: &Reference| {
            match self.world.trace_reference(user, scope, callee).object {
                Object::Attribute { module: home, name, rest } => match class {
                    None => home == module && rest.is_empty() && name == function.name,
                    Some(class) if makes => home == module && name == class && rest.is_empty(),
                    // e.g. `bus.register(T)`.
                    Some(_) => rest.last() == Some(&function.name),
                },
                // e.g. `self.register(T)`.
                Object::Unknown => match class {
                    Some(_) => !callee.attributes.is_empty(),
                    None => {
                        user == module
                            && callee.attributes.is_empty()
                            && file.owner(callee.name, scope) == Some(function.parent)
                    }
                },
                _ => false,
            }
        };
        let (mut calls, mut open) = (0_usize, false);
        for (user, used) in called.iter().filter_map(|name| self.named.used.get(name)).flatten() {
            if is_meant(*user, used.scope, &used.reference()) {
                calls += usize::from(used.role == Role::Called);
                // Handed on, or the base of a class whose makers hand it arguments.
                open |= used.role != Role::Called;
            }
        }
        let mut steps = Vec::new();
        for (user, used) in called.iter().filter_map(|name| self.named.given.get(name)).flatten() {
            let Some(argument) = used.argument.as_deref() else { continue };
            if is_meant(*user, used.scope, &argument.callee) {
                calls -= usize::from(is_at(argument, at, name) && calls > 0);
                steps.push(Step { user: *user, scope: used.scope, of: used.reference(), made: false });
            }
        }
        self.todo.extend(steps);
        self.asked.open |= open || calls > 0;
    }
}
