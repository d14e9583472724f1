//! What decorators do with what they decorate: call it, keep it, or hand it on.

use super::receivers::Receivers;
use super::*;
use crate::names::scope::Argument;

impl<'p> Search<'_, 'p> {
    /// A decorated function is defined.
    pub(super) fn function_is_decorated(&mut self, module: ModuleId, function: FunctionId) {
        let found = self.world.names.file(module).function(function);
        let value = self.defined(module, found.parent, found.name, found.span);
        for (path, by_call) in found.decorators.iter().zip(&found.factories) {
            let is_accessor = matches!(path.last(), Some(&"setter" | &"getter" | &"deleter"));
            let keeps = is_accessor || found.class.is_some() && keeps_methods(path);
            if !keeps {
                self.is_decorated_by(path, *by_call, &value);
            }
        }
    }

    /// The same for a class.
    pub(super) fn class_is_decorated(&mut self, module: ModuleId, class: ClassId) {
        let found = self.world.names.file(module).class(class);
        let value = self.defined(module, found.parent, found.name, found.span);
        for (path, by_call) in found.decorators.iter().zip(&found.factories) {
            self.is_decorated_by(path, *by_call, &value);
        }
    }

    /// What a definition in `scope` gives its decorators.
    pub(super) fn defined(&self, module: ModuleId, scope: ScopeId, name: &'p str, span: Span) -> Handed<'p> {
        let what = What::Name { scope, name, attributes: Vec::new() };
        Handed { module, what, here: (module, span), then: Then::Named }
    }

    /// `by_call`: a call of the dotted name makes the decorator, `@f(…)`.
    fn is_decorated_by(&mut self, path: &[&'p str], by_call: bool, value: &Handed<'p>) {
        self.here = value.here;
        let (What::Name { scope, .. }, Some((first, rest))) = (&value.what, path.split_first()) else {
            // Not a dotted name: it may be anything.
            return self.hand(value);
        };
        let callee = Reference { name: first, attributes: rest.to_vec() };
        let by = if by_call { By::Result } else { By::Name };
        let argument = Argument { callee, place: Place::Position(0), by, gives: Gives::Anything };
        self.is_handed_to_decorator(value.module, *scope, argument, value.clone());
    }

    fn is_handed_to_decorator(&mut self, module: ModuleId, scope: ScopeId, argument: Argument<'p>, value: Handed<'p>) {
        let object = self.world.trace_reference(module, scope, &argument.callee).object;
        let is_partial = matches!(object, Object::External(path) if path == "functools.partial");
        if is_partial || !self.defined_too(module, argument.callee.name).is_empty() {
            return self.hand(&value);
        }
        if self.decorates_from_outside(module, scope, &argument.callee) {
            return;
        }
        if let Some(key) = self.registers(module, scope, &argument.callee) {
            return self.keep(key, value);
        }
        if let Some(receivers) = self.receivers_of_argument(module, scope, &argument) {
            return self.hand_to(receivers, argument.place, value);
        }
        if let (By::Name, Some(class)) = (argument.by, self.class_named(module, scope, &argument.callee.path())) {
            // What it inherits from outside does not call it.
            for maker in ["__new__", "__init__"] {
                if let Some(functions) = self.method_of(class, maker) {
                    self.hand_to(Receivers::functions(functions), argument.place, value.clone());
                }
            }
            return;
        }
        let callee = &argument.callee;
        if let (By::Name, Some(receivers)) = (argument.by, self.called_on_made(module, scope, callee)) {
            return self.hand_to(receivers, argument.place, value);
        }
        match (callee.attributes.last(), argument.by) {
            // A method of some object.
            (Some(method), By::Result) => self.hand_to_results(method, argument.place, value),
            (Some(method), _) => {
                let own = self.method_of_local(module, scope, callee.name, method).unwrap_or_default();
                self.hand_to_methods(method, own, argument.place, value);
            }
            (None, _) => self.hand(&value),
        }
    }

    /// `@method.register` in a class, `@f.register(type)`: what keeps what it decorates.
    fn registers(&self, module: ModuleId, scope: ScopeId, callee: &Reference<'p>) -> Option<Key<'p>> {
        let ["register"] = callee.attributes.as_slice() else { return None };
        let [function] = self.functions_named(module, scope, callee.name, &[])?.try_into().ok()?;
        let (home, function): (ModuleId, FunctionId) = function;
        self.dispatched(home, function)
    }

    /// Whether a decorator is of a package from outside. Those do not call what they decorate.
    fn decorates_from_outside(&self, module: ModuleId, scope: ScopeId, callee: &Reference<'p>) -> bool {
        let outside = |found: &Reference<'p>, at: ScopeId, home: ModuleId| {
            let object = self.world.trace_reference(home, at, found).object;
            matches!(object, Object::External(path) if path != "functools.partial")
        };
        let file = self.world.names.file(module);
        let made_outside =
            |b: &Binding<'p>, at: ScopeId, home: ModuleId| b.call.as_ref().is_some_and(|call| outside(call, at, home));
        if let Some(owner) = file.owner(callee.name, scope).filter(|owner| *owner != MODULE) {
            let bindings = &file.scope(owner).bindings[callee.name];
            if bindings.iter().all(|b| made_outside(b, owner, module)) {
                return true;
            }
        }
        match self.world.trace_reference(module, scope, callee).object {
            Object::External(_) => true,
            Object::Attribute { module: home, name, rest } => {
                let bindings = self.world.names.file(home).at_run_time(name);
                let is_outside = |b: &Binding<'p>| match b.what {
                    // An attribute of what a decorator from outside made of a function.
                    Bound::Function(function) if !rest.is_empty() && rest != ["register"] => {
                        let found = self.world.names.file(home).function(function);
                        found.decorators.iter().any(|path| match path.split_first() {
                            Some((first, rest)) => {
                                let decorator = Reference { name: first, attributes: rest.to_vec() };
                                self.decorates_from_outside(home, found.parent, &decorator)
                            }
                            None => false,
                        })
                    }
                    Bound::Value => made_outside(b, MODULE, home),
                    _ => false,
                };
                !bindings.is_empty() && bindings.iter().all(is_outside)
            }
            _ => false,
        }
    }

    /// Hands something to what a method of some object returns.
    fn hand_to_results(&mut self, method: &'p str, place: Place<'p>, value: Handed<'p>) {
        for function in self.classes.live(method) {
            self.hand_to_result(function, place, value.clone());
        }
        self.handed_to_results.entry(method).or_default().push((place, value));
    }

    /// Hands something to one parameter of a function.
    pub(super) fn hand_to_param(
        &mut self,
        (module, function): (ModuleId, FunctionId),
        param: &'p str,
        value: Handed<'p>,
    ) {
        if let What::Name { scope, name, attributes } = &value.what {
            let path: Vec<&'p str> = std::iter::once(*name).chain(attributes.iter().copied()).collect();
            if let Some(class) = self.class_named(value.module, *scope, &path) {
                self.class_is_handed(class);
            }
        }
        if self.callers.contains(&(module, function, param)) {
            self.hand(&value);
        } else {
            if self.returned.contains(&(module, function, param)) {
                self.hand_back(&value);
            }
            self.handed.entry((module, function, param)).or_default().push(value);
        }
    }
}
