//! Which functions may run while some module of the project is imported. Errs on the side of "may".

use std::collections::{BTreeSet, HashMap, HashSet};

use super::methods::{BUILTIN_METHODS, is_special};
use super::scope::{ClassId, FunctionId, MODULE, Moment, Reference, Role, ScopeKind, Use};
use super::{Bound, Object, ScopeId, World};
use crate::outcome::Kind;
use crate::project::ModuleId;
use crate::syntax::Span;

/// Functions that may run at import time.
#[derive(Debug, Default)]
pub struct Running {
    /// With the place that makes each run.
    functions: HashMap<(ModuleId, FunctionId), (ModuleId, Span)>,
}

impl Running {
    /// Follows what runs while one of `roots` is imported.
    pub fn new(world: World, roots: &BTreeSet<ModuleId>) -> Self {
        let mut search = Search {
            world,
            live: HashMap::new(),
            out: Running::default(),
            classes: HashSet::new(),
            todo: Vec::new(),
            here: (ModuleId(0), Span::default()),
            names: BTreeSet::new(),
            read: BTreeSet::new(),
            callers: HashSet::new(),
            handed: HashMap::new(),
            fields_called: HashSet::new(),
            fields: HashMap::new(),
            results: HashSet::new(),
            metaclasses: HashSet::new(),
            extended: HashSet::new(),
            values: HashSet::new(),
        };
        for module in roots {
            search.moment(*module, Moment::Import);
        }
        while let Some((module, function)) = search.todo.pop() {
            search.function(module, function);
        }
        search.out
    }

    /// The place that calls or hands on a function that may run.
    pub fn because(&self, module: ModuleId, function: FunctionId) -> Option<(ModuleId, Span)> {
        self.functions.get(&(module, function)).copied()
    }

    pub fn may_run(&self, module: ModuleId, function: FunctionId) -> bool {
        self.functions.contains_key(&(module, function))
    }
}

struct Search<'w, 'p> {
    world: World<'w, 'p>,
    /// Methods of the classes of which an instance may exist, by name.
    live: HashMap<&'p str, Vec<(ModuleId, FunctionId)>>,
    out: Running,
    /// Classes of which an instance may exist.
    classes: HashSet<(ModuleId, ClassId)>,
    todo: Vec<(ModuleId, FunctionId)>,
    /// The use that is being followed.
    here: (ModuleId, Span),
    /// Method names already taken to be called.
    names: BTreeSet<&'p str>,
    /// Attributes that are read of objects that may be of any class.
    read: BTreeSet<&'p str>,
    /// Functions that call or hand on a parameter.
    callers: HashSet<(ModuleId, FunctionId)>,
    /// What was handed to functions that do not, so far.
    handed: HashMap<(ModuleId, FunctionId), Vec<Handed<'p>>>,
    /// Attributes that are called, and what was put into those that are not, so far.
    fields_called: HashSet<&'p str>,
    fields: HashMap<&'p str, Vec<Handed<'p>>>,
    /// Functions whose results are called.
    results: HashSet<(ModuleId, FunctionId)>,
    /// Metaclasses already taken to run.
    metaclasses: HashSet<(ModuleId, ClassId)>,
    /// Classes already taken to be extended.
    extended: HashSet<(ModuleId, ClassId)>,
    /// Values already followed.
    values: HashSet<(ModuleId, &'p str)>,
}

/// A value handed to a call, and where.
#[derive(Clone)]
struct Handed<'p> {
    module: ModuleId,
    scope: ScopeId,
    name: &'p str,
    attributes: Vec<&'p str>,
    here: (ModuleId, Span),
}

impl<'w, 'p> Search<'w, 'p> {
    fn run(&mut self, module: ModuleId, function: FunctionId) {
        if !self.out.functions.contains_key(&(module, function)) {
            self.out.functions.insert((module, function), self.here);
            self.todo.push((module, function));
            self.decorators_are_called(module, function);
        }
    }

    fn function(&mut self, module: ModuleId, function: FunctionId) {
        self.moment(module, Moment::Call(function));
    }

    /// What a function returned is called: the functions in it may run.
    fn result_is_called(&mut self, module: ModuleId, function: FunctionId) {
        if !self.results.insert((module, function)) {
            return;
        }
        let file = self.world.names.file(module);
        for (index, inner) in file.functions.iter().enumerate() {
            if inner.outer == Some(function) {
                let inner = FunctionId(index as u32);
                self.run(module, inner);
                self.result_is_called(module, inner);
            }
        }
    }

    /// All that runs at one moment of a module.
    fn moment(&mut self, module: ModuleId, moment: Moment) {
        let file = self.world.names.file(module);
        if moment == Moment::Import {
            self.imported_names(module);
        }
        for used in file.uses.iter().filter(|u| u.moment == moment) {
            self.used(module, used);
        }
        for (method, _) in file.method_calls.iter().filter(|(_, m)| *m == moment) {
            self.field(method);
            self.method(method);
        }
        // A lambda may be called by whatever it is handed to.
        for (index, function) in file.functions.iter().enumerate() {
            let here = match moment {
                Moment::Import => function.outer.is_none(),
                Moment::Call(outer) => function.outer == Some(outer),
                _ => false,
            };
            if here && function.is_lambda {
                self.run(module, FunctionId(index as u32));
            }
        }
        for (index, class) in file.classes.iter().enumerate() {
            let here = match moment {
                Moment::Import => class.outer.is_none(),
                Moment::Call(outer) => class.outer == Some(outer),
                _ => false,
            };
            if here {
                self.class_is_created(module, ClassId(index as u32));
            }
        }
    }

    /// Names taken from modules that do not bind them.
    fn imported_names(&mut self, module: ModuleId) {
        let graph = self.world.graph;
        for (index, site) in graph.files[module.index()].sites.iter().enumerate() {
            if let (Some(target), Some(name), Kind::Eager) =
                (graph.targets[module.index()][index], site.name, site.kind)
                && !target.is_module
                && self.world.names.file(target.module).bindings(name).is_empty()
            {
                self.here = (module, site.at);
                self.getattr(target.module);
            }
        }
    }

    fn used(&mut self, module: ModuleId, used: &Use<'p>) {
        if matches!(used.role, Role::Annotation(_) | Role::Quoted(_) | Role::Delete) {
            return;
        }
        let attributes: Vec<&'p str> = used.attributes.iter().map(|a| a.text).collect();
        self.here = (module, used.span);
        if let (Role::Argument, Some(callee)) = (used.role, &used.passed_to)
            && let Some(receivers) = self.receivers(module, used.scope, callee)
        {
            // Handed to functions of the project, it runs if they call what they are handed.
            let value = Handed { module, scope: used.scope, name: used.name, attributes, here: self.here };
            receivers.into_iter().for_each(|receiver| self.hand_to(receiver, &value));
            return;
        }
        if self.is_alias(module, used) {
            self.aliased(module, used, &attributes);
            return;
        }
        if used.role == Role::Returned {
            // A function of its own is called by whoever calls the result; a class may be instantiated by anyone.
            self.reach(module, used.scope, used.name, &attributes, Role::Load);
            return;
        }
        self.reach(module, used.scope, used.name, &attributes, used.role);
    }

    /// E.g. `connect = pool.connect` at module level: whoever calls `connect` is followed to the method.
    fn is_alias(&self, module: ModuleId, used: &Use<'p>) -> bool {
        if used.role != Role::Load
            || used.scope != MODULE
            || used.moment != Moment::Import
            || used.attributes.is_empty()
        {
            return false;
        }
        let text = self.world.project().text(module);
        let is_target = |end: usize| text.get(end..used.span.start).is_some_and(|between| between.trim() == "=");
        let names_it = |from: &[Reference<'p>]| matches!(from, [one] if one.name == used.name && one.attributes.iter().eq(used.attributes.iter().map(|a| &a.text)));
        let bindings = self.world.names.file(module).scope(MODULE).bindings.values().flatten();
        bindings.into_iter().any(|b| b.what == Bound::Value && is_target(b.span.end) && names_it(&b.from))
    }

    /// An alias reads what it names: of a method that takes a property, or what else a decorator made of it.
    fn aliased(&mut self, module: ModuleId, used: &Use<'p>, attributes: &[&'p str]) {
        let Object::Attribute { module: home, name, rest } =
            self.world.trace(module, used.scope, used.name, attributes).object
        else {
            return;
        };
        let bindings = self.world.names.file(home).bindings(name);
        if rest.is_empty() || !bindings.iter().all(|b| b.what == Bound::Value) {
            self.reach(module, used.scope, used.name, attributes, used.role);
            return;
        }
        for attribute in &attributes[attributes.len() - rest.len()..] {
            self.read(attribute);
        }
    }

    fn hand_to(&mut self, receiver: (ModuleId, FunctionId), value: &Handed<'p>) {
        for attribute in &self.world.names.file(receiver.0).function(receiver.1).stores {
            if self.fields_called.contains(attribute) {
                self.hand(value);
            } else {
                self.fields.entry(attribute).or_default().push(value.clone());
            }
        }
        if self.callers.contains(&receiver) {
            self.hand(value);
        } else {
            self.handed.entry(receiver).or_default().push(value.clone());
        }
    }

    /// An attribute of this name is called, or its value goes on.
    fn field(&mut self, attribute: &'p str) {
        if self.fields_called.insert(attribute) {
            for value in self.fields.remove(attribute).unwrap_or_default() {
                self.hand(&value);
            }
        }
    }

    fn hand(&mut self, value: &Handed<'p>) {
        let here = std::mem::replace(&mut self.here, value.here);
        self.reach(value.module, value.scope, value.name, &value.attributes, Role::Argument);
        self.here = here;
    }

    /// The functions that a callee stands for, if it can only be functions of the project, or nothing that calls.
    fn receivers(
        &self,
        module: ModuleId,
        scope: ScopeId,
        callee: &Reference<'p>,
    ) -> Option<Vec<(ModuleId, FunctionId)>> {
        match self.world.trace_reference(module, scope, callee).object {
            Object::Attribute { module: home, name, rest } if rest.is_empty() => {
                let bindings = self.world.names.file(home).bindings(name);
                let found: Vec<_> = bindings
                    .iter()
                    .map(|b| match b.what {
                        Bound::Function(function) => Some(vec![(home, function)]),
                        Bound::Class(class) => self.initializers(home, class),
                        _ => None,
                    })
                    .collect::<Option<Vec<_>>>()?;
                (!found.is_empty()).then(|| found.into_iter().flatten().collect())
            }
            Object::External(path) => {
                let quiet = path.starts_with("typing.")
                    || path.starts_with("typing_extensions.")
                    || matches!(
                        path.as_str(),
                        "functools.partial"
                            | "functools.wraps"
                            | "functools.update_wrapper"
                            | "functools.lru_cache"
                            | "functools.partialmethod"
                            | "weakref.ref"
                            | "weakref.WeakMethod"
                            | "warnings.warn"
                            | "collections.namedtuple"
                            | "collections.defaultdict"
                            | "contextvars.ContextVar"
                            | "operator.attrgetter"
                            | "enum.Enum"
                            | "dataclasses.field"
                    );
                quiet.then(Vec::new)
            }
            Object::Unknown => {
                let quiet = callee.attributes.is_empty()
                    && matches!(
                        callee.name,
                        "property" | "staticmethod" | "classmethod" | "frozenset" | "setattr" | "repr"
                    );
                quiet.then(Vec::new)
            }
            _ => None,
        }
    }

    /// The `__init__` of a class whose bases are all known, without a metaclass or `__new__` that might do otherwise.
    fn initializers(&self, module: ModuleId, class: ClassId) -> Option<Vec<(ModuleId, FunctionId)>> {
        let found = self.world.names.file(module).class(class);
        if found.metaclass.is_some() || found.methods.contains_key("__new__") || !found.decorators.is_empty() {
            return None;
        }
        if let Some(own) = found.methods.get("__init__") {
            return Some(own.iter().map(|f| (module, *f)).collect());
        }
        let bases = self.bases(module, class);
        let known =
            bases.len() == found.bases.iter().filter(|b| !matches!(b.as_slice(), ["object"] | [.., "Generic"])).count();
        let [(home, base), ..] = bases.as_slice() else { return None };
        if !known || (*home, *base) == (module, class) {
            return None;
        }
        self.initializers(*home, *base)
    }

    /// A function calls or hands on one of its parameters.
    fn calls_parameter(&mut self, module: ModuleId, owner: ScopeId) {
        let ScopeKind::Function(function) = self.world.names.file(module).scope(owner).kind else { return };
        if self.callers.insert((module, function)) {
            let found = self.world.names.file(module).function(function);
            for default in &found.defaults {
                self.reach(module, found.parent, default.name, &default.attributes, Role::Called);
            }
            for value in self.handed.remove(&(module, function)).unwrap_or_default() {
                self.hand(&value);
            }
        }
    }

    fn reach(&mut self, module: ModuleId, scope: ScopeId, name: &'p str, attributes: &[&'p str], role: Role) {
        let invoked = matches!(role, Role::Called | Role::Decorator | Role::Argument);
        if let (Some(last), false) = (attributes.last(), role == Role::Inspected) {
            self.field(last);
        }
        let file = self.world.names.file(module);
        // A local name: a nested function, or a value that came from elsewhere.
        if let Some(owner) = file.owner(name, scope)
            && owner != MODULE
        {
            self.local(module, owner, name, attributes, role);
            return;
        }
        for trace in self.world.traces(module, scope, name, attributes) {
            match trace.object {
                Object::Attribute { module: home, name, rest } => {
                    let rest: Vec<&'p str> = attributes[attributes.len() - rest.len()..].to_vec();
                    self.attribute(home, name.to_owned(), &rest, role, invoked);
                }
                Object::External(_) | Object::Module(_) => {}
                Object::Unknown => {
                    if let (true, Some(method)) = (invoked, attributes.last()) {
                        self.method(method);
                    }
                }
            }
        }
    }

    fn local(&mut self, module: ModuleId, owner: ScopeId, name: &'p str, attributes: &[&'p str], role: Role) {
        let invoked = matches!(role, Role::Called | Role::Decorator | Role::Argument);
        let file = self.world.names.file(module);
        for binding in &file.scope(owner).bindings[name] {
            match binding.what {
                Bound::Function(function) if invoked && attributes.is_empty() => self.run(module, function),
                Bound::Class(class) => self.class_is_used(module, class, invoked, attributes),
                // Called, handed on, or put somewhere from where it may be called.
                Bound::Parameter if role != Role::Inspected && attributes.is_empty() => {
                    self.calls_parameter(module, owner)
                }
                Bound::Import(_) => {
                    for trace in self.world.traces(module, owner, name, attributes) {
                        let Object::Attribute { module: home, name, rest } = trace.object else { continue };
                        let rest: Vec<&'p str> = attributes[attributes.len() - rest.len()..].to_vec();
                        self.attribute(home, name.to_owned(), &rest, Role::Called, invoked);
                    }
                    return;
                }
                _ => {}
            }
        }
        if name == "self" || name == "cls" {
            // A method or property of the object at hand.
            attributes.iter().for_each(|a| self.own_method(a));
        } else if let (true, Some(method)) = (invoked, attributes.last()) {
            self.method(method);
        }
    }

    fn attribute(&mut self, home: ModuleId, name: String, rest: &[&'p str], role: Role, invoked: bool) {
        let file = self.world.names.file(home);
        let Some((name, bindings)) = file.scope(MODULE).bindings.get_key_value(name.as_str()) else {
            self.getattr(home);
            return;
        };
        let (name, bindings) = (*name, bindings.clone());
        for binding in bindings {
            match binding.what {
                // `f.register(…)` or `@x.setter` do not call what they belong to.
                Bound::Function(function) if invoked && rest.is_empty() => self.run(home, function),
                Bound::Class(class) => {
                    if role == Role::Base {
                        self.class_is_extended(home, class);
                    } else {
                        self.class_is_used(home, class, invoked, rest);
                    }
                }
                Bound::Value if !invoked => rest.iter().for_each(|a| self.method(a)),
                Bound::Value => {
                    if let Some(method) = rest.last() {
                        self.method(method);
                    }
                    if self.values.insert((home, name)) {
                        for reference in &binding.from {
                            self.reach(home, MODULE, reference.name, &reference.attributes, Role::Called);
                            self.result_of(home, reference);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// A name that the module does not bind is asked of its `__getattr__` (PEP 562).
    fn getattr(&mut self, module: ModuleId) {
        for binding in self.world.names.file(module).bindings("__getattr__") {
            if let Bound::Function(function) = binding.what {
                self.run(module, function);
            }
        }
    }

    /// The value is what a function of the project gave, or holds such: what it returned may run.
    fn result_of(&mut self, module: ModuleId, reference: &Reference<'p>) {
        if let Object::Attribute { module: home, name, rest } =
            self.world.trace_reference(module, MODULE, reference).object
            && rest.is_empty()
        {
            for binding in self.world.names.file(home).bindings(name) {
                if let Bound::Function(function) = binding.what {
                    self.result_is_called(home, function);
                }
            }
        }
    }

    /// A decorated function is called: so is what its decorators made of it.
    fn decorators_are_called(&mut self, module: ModuleId, function: FunctionId) {
        let file = self.world.names.file(module);
        let found = file.function(function);
        for path in &found.decorators {
            if let Some((first, rest)) = path.split_first() {
                let decorator = Reference { name: first, attributes: rest.to_vec() };
                self.result_of(module, &decorator);
            }
        }
    }

    /// A method of some object, which may be of any class of the project.
    fn method(&mut self, name: &'p str) {
        if BUILTIN_METHODS.contains(&name) {
            return;
        }
        self.own_method(name);
    }

    /// An attribute is read: a decorated method of that name, e.g. a property, may run.
    fn read(&mut self, name: &'p str) {
        if self.read.insert(name) {
            for (module, function) in self.live.get(name).cloned().unwrap_or_default() {
                if self.is_decorated(module, function) {
                    self.run(module, function);
                }
            }
        }
    }

    fn is_decorated(&self, module: ModuleId, function: FunctionId) -> bool {
        !self.world.names.file(module).function(function).decorators.is_empty()
    }

    fn own_method(&mut self, name: &'p str) {
        if !self.names.insert(name) {
            return;
        }
        for (module, function) in self.live.get(name).cloned().unwrap_or_default() {
            self.run(module, function);
        }
    }

    fn class_is_used(&mut self, module: ModuleId, class: ClassId, invoked: bool, attributes: &[&'p str]) {
        match attributes.first() {
            Some(method) => {
                let methods = self.world.names.file(module).class(class).methods.get(method).cloned();
                match methods {
                    Some(methods) => methods.into_iter().for_each(|m| self.run(module, m)),
                    None => self.inherited(module, class, method),
                }
                if invoked {
                    // e.g. `C.create()`, which may make an instance.
                    self.class_is_instantiated(module, class);
                }
            }
            None if invoked => self.class_is_instantiated(module, class),
            None => {}
        }
    }

    fn inherited(&mut self, module: ModuleId, class: ClassId, method: &str) {
        for (home, base) in self.bases(module, class) {
            if (home, base) == (module, class) {
                continue;
            }
            match self.world.names.file(home).class(base).methods.get(method).cloned() {
                Some(methods) => methods.into_iter().for_each(|m| self.run(home, m)),
                None => self.inherited(home, base, method),
            }
        }
    }

    /// An instance may exist: its special methods may run, and every method of a name that is called on something unknown.
    fn class_is_instantiated(&mut self, module: ModuleId, class: ClassId) {
        if !self.classes.insert((module, class)) {
            return;
        }
        let file = self.world.names.file(module);
        let found = file.class(class);
        for (name, functions) in &found.methods {
            let special = is_special(name);
            for function in functions {
                self.live.entry(name).or_default().push((module, *function));
                let read = self.read.contains(name) && self.is_decorated(module, *function);
                if special || read || self.names.contains(name) {
                    self.run(module, *function);
                }
            }
        }
        for (home, base) in self.bases(module, class) {
            self.class_is_instantiated(home, base);
        }
        // A metaclass's `__call__` makes the instance.
        if let Some(path) = &found.metaclass
            && let Some((home, metaclass)) = self.class_of(module, class, path)
        {
            self.metaclass_runs(home, metaclass);
        }
    }

    /// Making a class runs hooks of its bases, of its metaclass, and of the descriptors in its body.
    fn class_is_created(&mut self, module: ModuleId, class: ClassId) {
        for (home, base) in self.bases(module, class) {
            self.class_is_extended(home, base);
        }
        let metaclass = self.world.names.file(module).class(class).metaclass.clone();
        if let Some(path) = metaclass
            && let Some((home, metaclass)) = self.class_of(module, class, &path)
        {
            self.metaclass_runs(home, metaclass);
        }
    }

    fn metaclass_runs(&mut self, module: ModuleId, class: ClassId) {
        if !self.metaclasses.insert((module, class)) {
            return;
        }
        let methods: Vec<FunctionId> =
            self.world.names.file(module).class(class).methods.values().flatten().copied().collect();
        methods.into_iter().for_each(|m| self.run(module, m));
        for (home, base) in self.bases(module, class) {
            self.metaclass_runs(home, base);
        }
    }

    fn class_is_extended(&mut self, module: ModuleId, class: ClassId) {
        for hook in ["__init_subclass__", "__class_getitem__", "__mro_entries__"] {
            let methods = self.world.names.file(module).class(class).methods.get(hook).cloned().unwrap_or_default();
            methods.into_iter().for_each(|m| self.run(module, m));
        }
        let metaclass = self.world.names.file(module).class(class).metaclass.clone();
        if let Some(path) = metaclass
            && let Some((home, metaclass)) = self.class_of(module, class, &path)
        {
            self.metaclass_runs(home, metaclass);
        }
        for (home, base) in self.bases(module, class) {
            if (home, base) != (module, class) {
                self.class_is_extended_once(home, base);
            }
        }
    }

    fn class_is_extended_once(&mut self, module: ModuleId, class: ClassId) {
        if self.extended.insert((module, class)) {
            self.class_is_extended(module, class);
        }
    }

    fn bases(&self, module: ModuleId, class: ClassId) -> Vec<(ModuleId, ClassId)> {
        let paths = &self.world.names.file(module).class(class).bases;
        paths.iter().filter_map(|path| self.class_of(module, class, path)).collect()
    }

    fn class_of(&self, module: ModuleId, near: ClassId, path: &[&'p str]) -> Option<(ModuleId, ClassId)> {
        let scope = self.world.names.file(module).class(near).parent;
        let first = path.first()?;
        let file = self.world.names.file(module);
        if let Some(owner) = file.owner(first, scope)
            && !matches!(file.scope(owner).kind, ScopeKind::Module)
        {
            return None;
        }
        let Object::Attribute { module: home, name, rest } = self.world.trace(module, scope, first, &path[1..]).object
        else {
            return None;
        };
        if !rest.is_empty() {
            return None;
        }
        self.world.names.file(home).bindings(name).iter().find_map(|b| match b.what {
            Bound::Class(class) => Some((home, class)),
            _ => None,
        })
    }
}
