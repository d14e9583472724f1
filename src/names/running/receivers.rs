//! Who gets what is handed to a call.

use super::classes::ClassKey;
use super::kept::Key;
use super::*;
use crate::names::evaluated::is_stdlib;
use crate::names::scope::Argument;

/// Who gets what is handed to a callee.
pub(super) struct Receivers<'p> {
    pub functions: Vec<(ModuleId, FunctionId)>,
    /// What keeps it.
    pub keepers: Vec<Key<'p>>,
    /// Whether methods get their object as an argument, too: `C.method(object, …)`.
    pub unbound: bool,
    /// How many arguments come before those that are seen: `partial(f, x)`.
    pub shift: usize,
}

impl<'p> Receivers<'p> {
    pub(super) fn functions(functions: Vec<(ModuleId, FunctionId)>) -> Self {
        Self { functions, keepers: Vec::new(), unbound: false, shift: 0 }
    }
}

/// Calls that do not call what they are handed.
const QUIET: [&str; 27] = [
    "functools.partial",
    "functools.wraps",
    "functools.update_wrapper",
    "functools.lru_cache",
    "functools.partialmethod",
    "weakref.ref",
    "weakref.WeakMethod",
    "warnings.warn",
    "collections.namedtuple",
    "contextvars.ContextVar",
    "operator.attrgetter",
    "enum.Enum",
    "dataclasses.field",
    "numpy.vectorize",
    "numpy.frompyfunc",
    "atexit.register",
    "inspect.Signature.from_callable",
    "inspect.getdoc",
    "inspect.getfile",
    "inspect.getfullargspec",
    "inspect.getmodule",
    "inspect.getsource",
    "inspect.isclass",
    "inspect.iscoroutinefunction",
    "inspect.isfunction",
    "inspect.ismethod",
    "inspect.signature",
];

/// Builtins that do not, either; what collections hold is followed by the names that they are made from.
const QUIET_BUILTINS: [&str; 13] = [
    "property",
    "staticmethod",
    "classmethod",
    "setattr",
    "repr",
    "frozenset",
    "set",
    "list",
    "tuple",
    "dict",
    "enumerate",
    "zip",
    "reversed",
];

impl<'p> Search<'_, 'p> {
    /// The parameters that an argument may become.
    pub(super) fn params(
        &self,
        module: ModuleId,
        function: FunctionId,
        place: Place<'p>,
        unbound: bool,
    ) -> Vec<&'p str> {
        let found = self.world.names.file(module).function(function);
        let is = |decorator: &str| found.decorators.iter().any(|path| path.as_slice() == [decorator]);
        let has_object = found.class.is_some() && !is("staticmethod") && (!unbound || is("classmethod"));
        match place {
            Place::Position(index) => {
                let index = index + usize::from(has_object);
                let star = found.stars.first().filter(|star| index >= **star);
                found.params.get(*star.unwrap_or(&index)).into_iter().copied().collect()
            }
            Place::Keyword(name) if found.params.contains(&name) => vec![name],
            Place::Keyword(_) => found.stars.iter().map(|star| found.params[*star]).collect(),
            Place::Unknown => found.params.clone(),
        }
    }

    /// The functions that get an argument, if that can only be functions of the project, or nothing that calls it.
    pub(super) fn receivers_of_argument(
        &self,
        module: ModuleId,
        scope: ScopeId,
        argument: &Argument<'p>,
    ) -> Option<Receivers<'p>> {
        if argument.by == By::Item {
            return None;
        }
        if argument.by != By::Result {
            return self.receivers(module, scope, &argument.callee);
        }
        // `f(…)(x)` does with `x` what a decorator does.
        if self.is_from_outside(module, scope, &argument.callee) {
            return Some(Receivers::functions(Vec::new()));
        }
        if let Some(class) = self.class_named(module, scope, &argument.callee.path()) {
            return self.called_on(class);
        }
        let made = self.functions_named(module, scope, argument.callee.name, &argument.callee.attributes)?;
        let mut functions = Vec::new();
        for (home, function) in &made {
            functions.extend(self.given(*home, *function)?);
        }
        (!made.is_empty()).then(|| Receivers::functions(functions))
    }

    /// What a call of an instance gets to, if the class makes nothing else.
    fn called_on(&self, class: ClassKey) -> Option<Receivers<'p>> {
        let found = self.method_of(class, "__call__").filter(|_| !self.makes_others(class))?;
        Some(Receivers::functions(found))
    }

    /// What gets the arguments of a call of a variable that something of the project made.
    pub(super) fn called_on_made(
        &self,
        module: ModuleId,
        scope: ScopeId,
        name: &Reference<'p>,
    ) -> Option<Receivers<'p>> {
        let Object::Attribute { module: home, name, rest } = self.world.trace_reference(module, scope, name).object
        else {
            return None;
        };
        let ([Binding { what: Bound::Value, call: Some(call), .. }], []) =
            (self.world.names.file(home).at_run_time(name), rest.as_slice())
        else {
            return None;
        };
        if let Some(class) = self.class_called(home, call) {
            return self.called_on(class);
        }
        let mut functions = Vec::new();
        for (home, function) in self.functions_named(home, MODULE, call.name, &call.attributes)? {
            functions.extend(self.given(home, function)?);
        }
        (!functions.is_empty()).then(|| Receivers::functions(functions))
    }

    /// Whether a dotted name stands for something of a package from outside, or for a method of what such a package made.
    /// Decorators from there do not call what they decorate.
    fn is_from_outside(&self, module: ModuleId, scope: ScopeId, name: &Reference<'p>) -> bool {
        let outside = |object: &Object| match object {
            Object::External(path) => !is_stdlib(path) || QUIET.contains(&path.as_str()) && path != "functools.partial",
            _ => false,
        };
        match self.world.trace_reference(module, scope, name).object {
            Object::Attribute { module: home, name, rest } if !rest.is_empty() => {
                let bindings = self.world.names.file(home).at_run_time(name);
                let made = |call: &Reference<'p>| outside(&self.world.trace_reference(home, MODULE, call).object);
                !bindings.is_empty() && bindings.iter().all(|b| b.call.as_ref().is_some_and(made))
            }
            object => outside(&object),
        }
    }

    /// The functions that a callee stands for, if it can only be functions of the project, or nothing that calls.
    pub(super) fn receivers(&self, module: ModuleId, scope: ScopeId, callee: &Reference<'p>) -> Option<Receivers<'p>> {
        let quiet = |quiet: bool| quiet.then(|| Receivers::functions(Vec::new()));
        if let ("super", [method]) = (callee.name, callee.attributes.as_slice()) {
            return self.method_above(module, scope, method).map(Receivers::functions);
        }
        let file = self.world.names.file(module);
        if let (Some(owner), []) = (file.owner(callee.name, scope), callee.attributes.as_slice())
            && matches!(file.scope(owner).kind, ScopeKind::Function(_))
        {
            let functions = file.scope(owner).bindings[callee.name].iter().map(|b| function_of(b, module));
            if let Some(functions) = functions.collect::<Option<Vec<_>>>() {
                return Some(Receivers::functions(functions));
            }
        }
        match self.world.trace_reference(module, scope, callee).object {
            Object::Attribute { module: home, name, rest } => {
                let bindings = self.world.names.file(home).at_run_time(name);
                let mut all = Receivers::functions(Vec::new());
                for binding in bindings {
                    let found = self.receivers_of(home, binding, &rest)?;
                    if all.shift != found.shift && !all.functions.is_empty() {
                        return None;
                    }
                    all.functions.extend(found.functions);
                    all.keepers.extend(found.keepers);
                    all.unbound |= found.unbound;
                    all.shift = found.shift;
                }
                (!bindings.is_empty()).then_some(all)
            }
            Object::External(path) => quiet(
                path.starts_with("typing.") || path.starts_with("typing_extensions.") || QUIET.contains(&path.as_str()),
            ),
            Object::Unknown => quiet(
                callee.attributes.is_empty()
                    && QUIET_BUILTINS.contains(&callee.name)
                    && self.world.names.file(module).owner(callee.name, scope).is_none(),
            ),
            Object::Module(_) => None,
        }
    }

    /// What is registered with a function, if it dispatches by the class of its argument.
    pub(super) fn dispatched(&self, module: ModuleId, function: FunctionId) -> Option<Key<'p>> {
        let found = self.world.names.file(module).function(function);
        let dispatches = |path: &Vec<&str>| matches!(path.last(), Some(&"singledispatch" | &"singledispatchmethod"));
        found.decorators.iter().any(dispatches).then_some(Key::Dispatched(module, function, found.name))
    }

    fn receivers_of(&self, home: ModuleId, binding: &Binding<'p>, rest: &[&str]) -> Option<Receivers<'p>> {
        match (binding.what, rest) {
            (Bound::Function(function), []) => Some(Receivers::functions(vec![(home, function)])),
            // `@f.register` of `functools.singledispatch`.
            (Bound::Function(function), ["register"]) => {
                let keepers = vec![self.dispatched(home, function)?];
                Some(Receivers { keepers, ..Receivers::functions(Vec::new()) })
            }
            (Bound::Class(class), []) => self.initializers(home, class),
            (Bound::Class(class), [method]) => {
                let functions = self.method_of((home, class), method)?;
                Some(Receivers { unbound: true, ..Receivers::functions(functions) })
            }
            // `register = registry.register`, `old_name = function`
            (Bound::Value, []) if binding.plain => {
                let of = binding.from.first()?;
                match self.world.trace_reference(home, MODULE, of).object {
                    Object::External(_) => self.receivers(home, MODULE, of),
                    Object::Attribute { module: home, name, rest } => {
                        let [only] = self.world.names.file(home).at_run_time(name) else { return None };
                        let further = !rest.is_empty() || matches!(only.what, Bound::Function(_) | Bound::Class(_));
                        further.then(|| self.receivers_of(home, only, &rest)).flatten()
                    }
                    _ => None,
                }
            }
            (Bound::Value, []) => {
                let path = |of: &Reference<'p>| match self.world.trace_reference(home, MODULE, of).object {
                    Object::External(path) => Some(path),
                    _ => None,
                };
                let made = binding.call.as_ref().and_then(path)?;
                let of = binding.from.iter().find(|from| path(from).as_deref() != Some("functools.partial"))?;
                let found = (made == "functools.partial").then(|| self.receivers(home, MODULE, of)).flatten()?;
                Some(Receivers { shift: found.shift + binding.positional?.checked_sub(1)?, ..found })
            }
            (Bound::Value, [method]) => {
                let class = self.class_called(home, binding.call.as_ref()?)?;
                self.method_of(class, method).map(Receivers::functions)
            }
            _ => None,
        }
    }

    /// The class of the project that is called to make a value.
    pub(super) fn class_called(&self, module: ModuleId, call: &Reference<'p>) -> Option<ClassKey> {
        let Object::Attribute { module: home, name, rest } = self.world.trace_reference(module, MODULE, call).object
        else {
            return None;
        };
        match self.world.names.file(home).at_run_time(name) {
            [Binding { what: Bound::Class(class), .. }] if rest.is_empty() => Some((home, *class)),
            _ => None,
        }
    }

    /// The functions of the project that a dotted name stands for. `None`: it cannot be told.
    pub(super) fn functions_named(
        &self,
        module: ModuleId,
        scope: ScopeId,
        name: &'p str,
        attributes: &[&'p str],
    ) -> Option<Vec<(ModuleId, FunctionId)>> {
        let file = self.world.names.file(module);
        if let Some(owner) = file.owner(name, scope).filter(|owner| *owner != MODULE)
            && !self.is_import(module, owner, name)
        {
            return match attributes {
                [] => Some(file.scope(owner).bindings[name].iter().filter_map(|b| function_of(b, module)).collect()),
                [method] => self.method_of_local(module, scope, name, method),
                _ => None,
            };
        }
        match self.world.trace(module, scope, name, attributes).object {
            Object::Attribute { module: home, name, rest } => {
                let mut found = Vec::new();
                for binding in self.world.names.file(home).at_run_time(name) {
                    match (function_of(binding, home), rest.as_slice()) {
                        (Some(function), []) => found.push(function),
                        (None, []) if !binding.plain || matches!(binding.what, Bound::Class(_)) => {}
                        _ => found.extend(self.receivers_of(home, binding, &rest)?.functions),
                    }
                }
                Some(found)
            }
            Object::External(_) | Object::Module(_) => Some(Vec::new()),
            Object::Unknown => None,
        }
    }
}

pub(super) fn function_of(binding: &Binding, home: ModuleId) -> Option<(ModuleId, FunctionId)> {
    match binding.what {
        Bound::Function(function) => Some((home, function)),
        _ => None,
    }
}
