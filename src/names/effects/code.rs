//! What running code of the project changes: calling a function, making an instance, using an object.

use std::collections::BTreeSet;

use super::classes::base_registers;
use super::handed::{is_changed_by_call, may_take_out, takes_out};
use super::made::{is_class_of_self, is_metaclass};
use super::objects::{self, calls_parameter, keeps_in_closure, keeps_in_object, lineage};
use super::outside::{changes_outside, keeps_track};
use super::{Changed, SetUp, is_changed, is_code, is_parameter, sets_attribute, state};
use crate::names::evaluated::is_stdlib;
use crate::names::methods::{MUTATORS, is_special};
use crate::names::scope::{
    Binding, ClassId, FunctionId, MODULE, MethodCall, NamedAccess, Reference, Role, is_asked_for,
};
use crate::names::{Bound, FileNames, Object, Use, World};
use crate::project::ModuleId;
use crate::syntax::Span;

/// Builtin types, which a call may be handed and may call.
pub(super) const TYPES: [&str; 12] =
    ["bool", "bytearray", "bytes", "complex", "dict", "float", "frozenset", "int", "list", "set", "str", "tuple"];

/// Functions of Python that call what they are handed.
pub(super) const CALLING: [&str; 14] = [
    "accumulate",
    "dropwhile",
    "filter",
    "filterfalse",
    "groupby",
    "iter",
    "map",
    "max",
    "min",
    "reduce",
    "sort",
    "sorted",
    "starmap",
    "takewhile",
];

/// Methods of objects of Python that call what they are handed, now or a little later.
const CALLING_LATER: [&str; 8] = ["callback", "call_soon", "enter_context", "map", "push", "sub", "submit", "subn"];

/// Functions of the standard library that may be handed something to call for each part of what they go through.
const GOING_THROUGH: [&str; 6] = ["dump", "dumps", "load", "loads", "sub", "subn"];

/// Special methods that a plain use of an object does not run.
const NOT_ON_USE: [&str; 13] = [
    "__call__",
    "__class_getitem__",
    "__delattr__",
    "__delitem__",
    "__init__",
    "__init_subclass__",
    "__instancecheck__",
    "__new__",
    "__prepare__",
    "__set_name__",
    "__setattr__",
    "__setitem__",
    "__subclasscheck__",
];

/// Special methods that tell something, and may keep it to tell it faster the next time.
const TELLING: [&str; 10] =
    ["__bool__", "__contains__", "__eq__", "__ge__", "__gt__", "__hash__", "__le__", "__len__", "__lt__", "__ne__"];

/// Follows what runs, each function and class once.
pub(super) struct Run<'w, 'p> {
    pub(super) world: World<'w, 'p>,
    seen: BTreeSet<(ModuleId, Span, Option<SetUp>)>,
    /// Of which only the code itself was followed, not the functions that it returns.
    seen_itself: BTreeSet<(ModuleId, Span)>,
    /// What is followed runs the first time alone that this function is called.
    once: Option<SetUp>,
    /// It is of a metaclass: what the body of a new class binds, its fourth parameter, belongs to that class.
    hook: Option<(ModuleId, FunctionId)>,
}

impl<'w, 'p> Run<'w, 'p> {
    pub fn new(world: World<'w, 'p>) -> Self {
        Self { world, seen: BTreeSet::new(), seen_itself: BTreeSet::new(), once: None, hook: None }
    }

    /// What a hook does that runs for each new class.
    pub fn of_hook(world: World<'w, 'p>, module: ModuleId, id: FunctionId) -> Changed {
        Self { hook: Some((module, id)), ..Self::new(world) }.function(module, id)
    }

    /// Calling what a name of a module stands for.
    pub fn called(&mut self, module: ModuleId, name: &str) -> Changed {
        let bindings = self.world.names.file(module).bindings(name);
        if bindings.is_empty() {
            return Changed::anything();
        }
        Changed::all(bindings.iter().map(|binding| match binding.what {
            Bound::Function(id) => self.function(module, id),
            // Making an object binds it and no more, unless its class keeps track.
            Bound::Class(class) => self.made(module, class),
            // e.g. `decorator = factory(option)`: what the functions that made it do.
            Bound::Value if is_method_of_result(self.world.project().text(module), binding) => Changed::of(module),
            Bound::Value if !binding.from.is_empty() => {
                Changed::all(binding.from.iter().map(|from| self.made_by(module, name, from)))
            }
            _ => Changed::anything(),
        }))
    }

    /// Calling a value that something of `from` made.
    fn made_by(&mut self, module: ModuleId, name: &str, from: &Reference) -> Changed {
        match self.world.trace_reference(module, MODULE, from).object {
            Object::Attribute { module: home, name: maker, rest }
                if rest.is_empty() && (home, maker) != (module, name) && is_code(self.world, home, maker) =>
            {
                // It may keep what it is handed, in itself or in the variables around it.
                let keeps = self.world.names.file(home).bindings(maker).iter().any(|b| match b.what {
                    Bound::Function(id) => keeps_in_closure(self.world, home, id),
                    Bound::Class(class) => {
                        keeps_in_object(self.world, &lineage(self.world, home, class), &["__call__"])
                    }
                    _ => false,
                });
                let kept = if keeps { Changed::of(module) } else { Changed::nothing() };
                let classes = self.world.names.file(home).bindings(maker).iter().filter_map(|b| match b.what {
                    Bound::Class(class) => Some(class),
                    _ => None,
                });
                let calls = classes.map(|class| self.special(home, class, &|name| name == "__call__"));
                let calls = Changed::all(calls);
                self.called(home, maker).and(kept).and(calls)
            }
            Object::External(path) => Changed::outside_if(&path, !is_stdlib(&path)),
            Object::Unknown if from.attributes.is_empty() && TYPES.contains(&from.name) => Changed::nothing(),
            _ => Changed::anything(),
        }
    }

    /// Functions in a function that it only returns.
    pub(super) fn waiting(&self, module: ModuleId, id: FunctionId) -> Vec<FunctionId> {
        let file = self.world.names.file(module);
        let scope = file.function(id).scope;
        let inner = file.functions.iter().enumerate().filter(|(_, function)| function.outer == Some(id));
        let inner = inner.map(|(index, _)| FunctionId(index as u32));
        inner.filter(|inner| file.is_only_returned(scope, *inner)).collect()
    }

    /// Running a function, where nothing calls what it returns.
    pub(super) fn itself(&mut self, module: ModuleId, id: FunctionId) -> Changed {
        let waiting = self.waiting(module, id);
        if waiting.is_empty() {
            return self.function(module, id);
        }
        let span = self.world.names.file(module).function(id).span;
        if self.seen.contains(&(module, span, self.once)) || !self.seen_itself.insert((module, span)) {
            return Changed::nothing();
        }
        self.run(module, id, &waiting)
    }

    /// Running a function, and what it returns.
    pub fn function(&mut self, module: ModuleId, id: FunctionId) -> Changed {
        let file = self.world.names.file(module);
        let function = file.function(id);
        if function.works_once && self.once.is_none() {
            self.once = Some((module, id));
            let changed = self.function(module, id).once(module, id);
            self.once = None;
            return changed;
        }
        if !self.seen.insert((module, function.span, self.once)) {
            return Changed::nothing();
        }
        self.made_by_decorators(module, id).and(self.run(module, id, &[]))
    }

    fn run(&mut self, module: ModuleId, id: FunctionId, without: &[FunctionId]) -> Changed {
        let file = self.world.names.file(module);
        let runs = |moment| file.runs_in(id, moment) && !without.iter().any(|waiting| file.runs_in(*waiting, moment));
        let mut module_level = file.scope(MODULE).bindings.values().flatten();
        let rebinds = module_level.any(|b| b.from_inside && runs(b.moment));
        let own = if rebinds { Changed::of(module) } else { Changed::nothing() };
        let uses = file.uses.iter().filter(|u| runs(u.moment));
        let accesses = file.accesses.iter().filter(|access| runs(access.moment));
        let accesses = Changed::all(accesses.map(|access| self.access_in(module, id, access)));
        own.and(accesses).and(Changed::all(uses.map(|used| self.use_in(module, id, used))))
    }

    /// `setattr(x, "name", value)`.
    fn access_in(&self, module: ModuleId, id: FunctionId, access: &NamedAccess<'p>) -> Changed {
        let file = self.world.names.file(module);
        if !sets_attribute(self.world.project().text(module), access) {
            return Changed::nothing();
        }
        let function = file.function(id);
        match file.owner(access.module.name, access.scope) {
            Some(MODULE) => state(self.world, module, &access.module),
            Some(owner) if owner == function.scope && function.params.first() == Some(&access.module.name) => {
                if is_of_class_itself(file, id) {
                    Changed::of(module)
                } else {
                    Changed::nothing()
                }
            }
            _ => Changed::nothing(),
        }
    }

    fn use_in(&mut self, module: ModuleId, id: FunctionId, used: &Use<'p>) -> Changed {
        let file = self.world.names.file(module);
        let stored = || state(self.world, module, &used.reference());
        match used.role {
            _ if used.owner.is_some() && shares(file, id, used) => Changed::of(module),
            _ if used.owner == Some(MODULE) && self.takes_out(module, used) => stored(),
            // What the class makes of `self.name = …`.
            Role::Store | Role::Delete if used.attributes.len() == 1 && !used.item && is_self(file, id, used) => {
                if sets_own_dict(self.world, module, used) {
                    return Changed::of(module);
                }
                self.set(module, file.function(id).class.expect("`self` is of a method"), used.attributes[0].text)
            }
            // e.g. `self.register()`.
            Role::Called if used.attributes.len() == 1 && is_self(file, id, used) => {
                let class = file.class(file.function(id).class.expect("`self` is of a method"));
                let methods = class.methods.get(used.attributes[0].text).into_iter().flatten();
                Changed::all(methods.map(|m| self.function(module, *m)))
            }
            // What it hands itself to may keep it, or put something into it.
            Role::Argument
                if used.attributes.is_empty() && is_self(file, id, used) && is_handed_to_parameter(file, used) =>
            {
                Changed::of(module)
            }
            Role::Argument if used.owner == Some(MODULE) && is_changed(self.world, module, used) => stored(),
            Role::Argument => self.handed(module, used),
            // What a function does to its own variables, or to attributes of what it is handed, stays there.
            Role::Store | Role::Delete if used.owner == Some(MODULE) => stored(),
            Role::Store | Role::Delete => {
                let text = self.world.project().text(module);
                let handed = used.owner.is_some_and(|o| is_parameter(file, text, o, used.name));
                let of_class = self.hook == Some((module, id)) && file.function(id).params.get(3) == Some(&used.name);
                let handed = handed && !of_class;
                Changed::anything_if(used.attributes.is_empty() && handed)
            }
            Role::Called if used.owner.is_none_or(|owner| owner == MODULE) => self.call(module, used),
            Role::Called => self.call_by_alias(module, used),
            Role::Base => base_registers(self.world, module, &used.reference(), 16),
            _ => Changed::nothing(),
        }
    }

    /// Whether a use takes something out of an iterator of a module.
    fn takes_out(&self, module: ModuleId, used: &Use<'p>) -> bool {
        if !may_take_out(used) {
            return false;
        }
        match self.world.trace_use(module, used).object {
            Object::Attribute { module: home, name, rest } => {
                rest.is_empty() && takes_out(self.world, home, name, used)
            }
            _ => false,
        }
    }

    /// A method of an object of a module, called by a variable of the function: `found = module.registry; found.add(x)`.
    fn call_by_alias(&mut self, module: ModuleId, used: &Use<'p>) -> Changed {
        let (Some(owner), Some(method)) = (used.owner, used.attributes.last()) else { return Changed::nothing() };
        let scope = self.world.names.file(module).scope(owner);
        let bindings = scope.bindings.get(used.name).into_iter().flatten();
        let plain = bindings.filter_map(|b| match (b.what, b.from.as_slice()) {
            (Bound::Value, [one]) if MUTATORS.contains(&method.text) => Some(one),
            _ => None,
        });
        Changed::all(plain.map(|from| {
            match self.world.trace_reference(module, scope.parent.unwrap_or(MODULE), from).object {
                Object::Attribute { module: home, name, .. } if !is_code(self.world, home, name) => Changed::of(home),
                _ => Changed::nothing(),
            }
        }))
    }

    /// A call inside a function of what is no variable of it.
    fn call(&mut self, module: ModuleId, used: &Use<'p>) -> Changed {
        let mutates = used.attributes.last().is_some_and(|a| MUTATORS.contains(&a.text));
        match self.world.trace_use(module, used).object {
            Object::Attribute { module: home, name, rest } if rest.is_empty() => {
                if is_code(self.world, home, name) {
                    self.called(home, name)
                } else {
                    Changed::nothing()
                }
            }
            Object::Attribute { module: home, name, rest } => match self.method(home, name, &rest) {
                Some(changed) => changed,
                None if mutates => state(self.world, module, &used.reference()),
                None => Changed::nothing(),
            },
            Object::External(path) => {
                let keeps = || used.attributes.is_empty() && keeps_track(&path);
                Changed::outside_if(&path, mutates || changes_outside(&path) || keeps())
            }
            _ if mutates && used.owner == Some(MODULE) => state(self.world, module, &used.reference()),
            _ => Changed::nothing(),
        }
    }

    /// What a call does with a function that it is handed, if it calls it.
    pub fn handed(&mut self, module: ModuleId, used: &Use<'p>) -> Changed {
        let Some(to) = used.passed_to() else { return self.handed_to_method(module, used) };
        let calls = match self.world.trace_reference(module, used.scope, to).object {
            Object::Attribute { module: home, name, rest } if rest.is_empty() => {
                let file = self.world.names.file(home);
                let functions = file.bindings(name).iter();
                functions.into_iter().any(|b| matches!(b.what, Bound::Function(id) if calls_parameter(file, id)))
            }
            Object::Attribute { .. } | Object::Module(_) => false,
            Object::External(path) => {
                let last = path.rsplit('.').next().unwrap_or_default();
                is_stdlib(&path) && (CALLING.contains(&last) || GOING_THROUGH.contains(&last))
            }
            Object::Unknown => CALLING.contains(to.attributes.last().unwrap_or(&to.name)),
        };
        let last = to.attributes.last().copied().unwrap_or(to.name);
        let calls = calls || CALLING_LATER.contains(&last);
        match self.world.trace_use(module, used).object {
            Object::Attribute { module: home, name, rest } if rest.is_empty() => {
                let is_code = calls && is_code(self.world, home, name);
                if is_code { self.called(home, name) } else { Changed::nothing() }
            }
            // e.g. `map(app.add, names)`, `pool.submit(seen.append, name)`.
            Object::Attribute { module: home, name, rest } => match self.method(home, name, &rest) {
                Some(changed) if calls => changed,
                None if rest.last().is_some_and(|last| MUTATORS.contains(last)) => Changed::of(home),
                _ => Changed::nothing(),
            },
            _ => Changed::nothing(),
        }
    }

    /// The same for a method of what is no plain name: `re.compile("a").sub(f, text)`.
    fn handed_to_method(&mut self, module: ModuleId, used: &Use<'p>) -> Changed {
        let (file, text) = (self.world.names.file(module), self.world.project().text(module));
        let around = |call: &MethodCall| {
            let Some(between) = text.get(call.span.end..used.span.start) else { return false };
            let depth = |open: i32, byte| match byte {
                b'(' => open + 1,
                b')' => open - 1,
                _ => open,
            };
            between.starts_with('(') && between.bytes().fold(0, depth) == 1
        };
        let mut calls = file.method_calls.iter().filter(|call| call.moment == used.moment);
        let calls = calls.any(|call| CALLING_LATER.contains(&call.name) && around(call));
        if !calls {
            return Changed::nothing();
        }
        match self.world.trace_use(module, used).object {
            Object::Attribute { module: home, name, rest } if rest.is_empty() => {
                if is_code(self.world, home, name) {
                    self.called(home, name)
                } else {
                    Changed::nothing()
                }
            }
            _ => Changed::nothing(),
        }
    }

    /// As [`Run::called`], where an instance that is made is used in some way: `with Lock(): …`, `Register()(f)`.
    pub fn called_at_once(&mut self, module: ModuleId, name: &str) -> Changed {
        let bindings = self.world.names.file(module).bindings(name).iter();
        let used = bindings.filter_map(|b| if let Bound::Class(class) = b.what { Some(class) } else { None });
        let used = Changed::all(used.map(|class| self.special(module, class, &is_applied)));
        used.and(self.called(module, name))
    }

    /// Special methods of an instance of a class.
    pub(super) fn special(&mut self, module: ModuleId, class: ClassId, counts: &dyn Fn(&str) -> bool) -> Changed {
        Changed::all(lineage(self.world, module, class).into_iter().map(|(home, class)| {
            let methods = self.world.names.file(home).class(class).methods.iter();
            let special = methods.filter(|(name, _)| counts(name));
            Changed::all(special.flat_map(|(_, all)| all).map(|f| self.function(home, *f)))
        }))
    }

    /// Using an object that a name of a module is bound to, and reading an attribute of it: special methods and properties run.
    pub fn used(&mut self, home: ModuleId, name: &str, attribute: Option<&str>) -> Changed {
        let file = self.world.names.file(home);
        let bindings = file.bindings(name);
        if bindings.is_empty() && is_asked_for(name) {
            // A module's `__getattr__` is asked.
            let hooks = file.bindings("__getattr__").iter();
            return Changed::all(hooks.map(|b| match b.what {
                Bound::Function(id) => self.function(home, id),
                _ => Changed::nothing(),
            }));
        }
        Changed::all(bindings.iter().map(|binding| {
            match binding.what {
                Bound::Class(class) => self.class_used(home, class, attribute),
                Bound::Value => Changed::all(
                    objects::classes(self.world, home, binding)
                        .into_iter()
                        .map(|of| self.object_used(home, &of, attribute)),
                ),
                _ => Changed::nothing(),
            }
        }))
    }

    /// `C[T]`, and what a metaclass makes of `C.name`.
    fn class_used(&mut self, home: ModuleId, class: ClassId, attribute: Option<&str>) -> Changed {
        Changed::all(lineage(self.world, home, class).into_iter().map(|(home, class)| {
            let found = self.world.names.file(home).class(class);
            let own = found.methods.get("__class_getitem__").into_iter().flatten();
            let own = Changed::all(own.map(|f| self.function(home, *f)));
            let own = own.and(Changed::all(attribute.map(|name| self.described(home, class, name, "__get__"))));
            let known = attribute.is_some_and(|a| found.methods.contains_key(a));
            let meta = found.metaclass.as_ref().filter(|_| !known);
            let meta = meta.and_then(|path| objects::class_of(self.world, home, path));
            own.and(Changed::all(
                meta.map(|(at, meta)| self.object_used(home, &lineage(self.world, at, meta), attribute)),
            ))
        }))
    }

    /// Special methods of an object of a class, which is bound in the module `home`, and its property of a name.
    fn object_used(&mut self, home: ModuleId, of: &[(ModuleId, ClassId)], attribute: Option<&str>) -> Changed {
        let mut run: BTreeSet<&str> = BTreeSet::new();
        for (at, class) in of {
            let file = self.world.names.file(*at);
            let is_property = |all: &[FunctionId]| all.iter().any(|f| !file.function(*f).decorators.is_empty());
            let methods = file.class(*class).methods.iter();
            let counts = methods.filter(|(name, all)| {
                is_special(name) && !NOT_ON_USE.contains(name) || attribute == Some(**name) && is_property(all)
            });
            run.extend(counts.map(|(name, _)| *name));
        }
        let described = attribute.zip(of.first());
        let described = described.map(|(name, (at, class))| self.described(*at, *class, name, "__get__"));
        Changed::all(described).and(self.methods(Some(home), of, &run.into_iter().collect::<Vec<_>>()))
    }

    /// What a method of an object changes; `None` where the object's class is not known.
    pub fn method(&mut self, home: ModuleId, name: &str, rest: &[&str]) -> Option<Changed> {
        let [method] = rest else { return None };
        let bindings = self.world.names.file(home).bindings(name);
        let all = bindings.iter().map(|binding| match binding.what {
            // A method of the class itself, or of an instance made here and now.
            Bound::Class(class) => {
                let of = lineage(self.world, home, class);
                objects::has(self.world, &of, method)
                    .then(|| self.made(home, class).and(self.methods(None, &of, &[method])))
            }
            Bound::Value if objects::is_made(self.world, home, binding) => {
                let classes = objects::classes(self.world, home, binding);
                let known = classes.first().is_some_and(|of| objects::has(self.world, of, method));
                known.then(|| Changed::all(classes.iter().map(|of| self.methods(Some(home), of, &[method]))))
            }
            _ => None,
        });
        let all: Option<Vec<Changed>> = all.collect();
        all.filter(|all| !all.is_empty()).map(Changed::all)
    }

    /// Running methods of an object that is bound in the module `home`, or nowhere yet.
    fn methods(&mut self, home: Option<ModuleId>, of: &[(ModuleId, ClassId)], names: &[&str]) -> Changed {
        let lasting: Vec<&str> = names.iter().filter(|name| !TELLING.contains(name)).copied().collect();
        let kept = home.filter(|_| keeps_in_object(self.world, of, &lasting));
        Changed::all(kept.map(Changed::of)).and(Changed::all(of.iter().map(|(at, class)| {
            let methods = &self.world.names.file(*at).class(*class).methods;
            let all = names.iter().filter_map(|name| methods.get(name)).flatten();
            Changed::all(all.map(|f| self.function(*at, *f)))
        })))
    }
}

/// Whether a use names the object or class that a method is called on.
pub(super) fn is_self(file: &FileNames, id: FunctionId, used: &Use) -> bool {
    let function = file.function(id);
    function.class.is_some() && used.owner == Some(function.scope) && function.params.first() == Some(&used.name)
}

/// Whether what it is handed to is something that a function was handed.
fn is_handed_to_parameter(file: &FileNames, used: &Use) -> bool {
    let Some(to) = used.passed_to().filter(|to| to.attributes.is_empty()) else { return false };
    let owner = file.owner(to.name, used.scope).filter(|owner| *owner != MODULE);
    owner.is_some_and(|owner| file.scope(owner).bindings[to.name].iter().any(|b| b.what == Bound::Parameter))
}

/// Whether the first parameter of a method is the class itself, or one that its metaclass looks after.
fn is_of_class_itself(file: &FileNames, id: FunctionId) -> bool {
    let function = file.function(id);
    let of_metaclass = function.class.is_some_and(|class| is_metaclass(file.class(class)));
    matches!(function.name, "__new__" | "__init_subclass__" | "__class_getitem__")
        || function.decorators.iter().any(|d| d.as_slice() == ["classmethod"])
        || of_metaclass && !matches!(function.name, "__init__" | "__prepare__")
}

/// Whether a method changes by a use of `self` or `cls` what all instances of its class share.
fn shares(file: &FileNames, id: FunctionId, used: &Use) -> bool {
    if used.attributes.is_empty() {
        return false;
    }
    let by_class = is_class_of_self(file, id, used);
    if !by_class && !is_self(file, id, used) {
        return false;
    }
    let function = file.function(id);
    let of_class = by_class || is_of_class_itself(file, id) || used.attributes[0].text == "__class__";
    let last = used.attributes[used.attributes.len() - 1].text;
    match used.role {
        Role::Store | Role::Delete => of_class || used.item && is_collection_of_class(file, function.class, used),
        Role::Called if used.attributes.len() > 1 && MUTATORS.contains(&last) => {
            of_class || is_of_class(file, function.class, used)
        }
        Role::Argument => is_changed_by_call(used) && (of_class || is_of_class(file, function.class, used)),
        _ => false,
    }
}

/// Whether the attribute behind `self` is bound in the body of the class, and by no method.
fn is_of_class(file: &FileNames, class: Option<ClassId>, used: &Use) -> bool {
    let Some(class) = class.map(|c| file.class(c)) else { return false };
    let attribute = used.attributes[0].text;
    let set_here = file.uses.iter().any(|u| {
        class.span.contains(u.span)
            && u.role == Role::Store
            && !u.item
            && u.name == used.name
            && u.attributes.len() == 1
            && u.attributes[0].text == attribute
    });
    file.scope(class.scope).bindings.contains_key(attribute) && !set_here
}

/// The same, where that is a collection: what else a body binds may stand for one that each instance gets, `field(…)`.
fn is_collection_of_class(file: &FileNames, class: Option<ClassId>, used: &Use) -> bool {
    const COLLECTIONS: [&str; 7] =
        ["Counter", "OrderedDict", "WeakKeyDictionary", "WeakValueDictionary", "defaultdict", "deque", "ChainMap"];
    let bindings = class.and_then(|class| file.scope(file.class(class).scope).bindings.get(used.attributes[0].text));
    let holds = |b: &Binding| {
        let call = b.call.as_ref().map(Reference::path);
        b.what == Bound::Value
            && (b.builtin || b.plain || call.is_some_and(|c| c.last().is_some_and(|c| COLLECTIONS.contains(c))))
    };
    bindings.is_some_and(|all| all.iter().any(holds)) && is_of_class(file, class, used)
}

/// Whether a use gives an object the attributes of others: `self.__dict__ = Class.shared`.
fn sets_own_dict(world: World, module: ModuleId, used: &Use) -> bool {
    let attribute = used.attributes[0];
    let text = world.project().text(module);
    let behind = text[attribute.span.end..].trim_start();
    let Some(value) = behind.strip_prefix('=').filter(|_| attribute.text == "__dict__") else { return false };
    let start = text.len() - value.trim_start().len();
    world
        .names
        .file(module)
        .uses
        .iter()
        .any(|u| u.span.start == start && u.role == Role::Load && (!u.attributes.is_empty() || u.owner == Some(MODULE)))
}

/// Whether a name is bound to a method that takes from what was made for it or adds to that: `take = count(1).__next__`.
fn is_method_of_result(text: &str, binding: &Binding) -> bool {
    let value = text[binding.span.end..].trim_start().strip_prefix('=').and_then(|rest| rest.lines().next());
    let value = value.map(|line| line.split('#').next().unwrap_or_default().trim());
    let method = value.and_then(|value| value.rsplit_once('.')).filter(|(object, _)| object.ends_with([')', ']', '}']));
    method.is_some_and(|(_, name)| MUTATORS.contains(&name) || matches!(name, "__next__" | "send" | "pop" | "popleft"))
}

/// Whether a special method is one that some use of an object runs.
fn is_applied(name: &str) -> bool {
    is_special(name) || matches!(name, "__repr__" | "__str__" | "__format__" | "__copy__" | "__deepcopy__")
}
