//! Values on their way: handed to functions, called by other names.

use super::kept::{Handed, Key, What};
use super::receivers::Receivers;
use super::*;

/// Methods that put what they are handed into a collection.
const PUTTING: [&str; 6] = ["append", "appendleft", "add", "insert", "extend", "update"];

impl<'p> Search<'_, 'p> {
    /// What a keeper stands for; `None` for names of functions.
    pub(super) fn key(&self, module: ModuleId, scope: ScopeId, keeper: Keeper<'p>) -> Option<Key<'p>> {
        match keeper {
            Keeper::Variable(name) => Some(Key::Variable(module, name)),
            Keeper::Attribute(name) => Some(Key::Attribute(name)),
            Keeper::Special(name, of) => {
                let file = self.world.names.file(module);
                let owner = file.owner(of, scope).filter(|owner| *owner != MODULE);
                let bindings = owner.map(|owner| &file.scope(owner).bindings[of]);
                let handed = bindings.is_some_and(|all| all.iter().all(|b| b.what == Bound::Parameter));
                Some(if handed { Key::Special(name) } else { Key::Attribute(name) })
            }
            Keeper::Item(name) => self.variable(module, scope, name),
            Keeper::ItemKey(name) => Some(Key::Keys(name)),
            Keeper::Local => None,
        }
    }

    /// The variable of a module that a name stands for.
    pub(super) fn variable(&self, module: ModuleId, scope: ScopeId, name: &'p str) -> Option<Key<'p>> {
        let file = self.world.names.file(module);
        if file.owner(name, scope).is_some_and(|owner| owner != MODULE && !self.is_import(module, owner, name)) {
            return None;
        }
        let Object::Attribute { module: home, name, rest } = self.world.trace(module, scope, name, &[]).object else {
            return None;
        };
        let (name, _) = self.world.names.file(home).scope(MODULE).bindings.get_key_value(name)?;
        rest.is_empty().then_some(Key::Variable(home, name))
    }

    pub(super) fn is_import(&self, module: ModuleId, owner: ScopeId, name: &str) -> bool {
        let bindings = &self.world.names.file(module).scope(owner).bindings[name];
        bindings.iter().all(|b| matches!(b.what, Bound::Import(_)))
    }

    /// The collection that a method puts its argument into: `REGISTRY.append`, `self.hooks.add`.
    pub(super) fn collection(&self, module: ModuleId, scope: ScopeId, callee: &Reference<'p>) -> Option<Key<'p>> {
        match callee.attributes.as_slice() {
            [method] if PUTTING.contains(method) => self.variable(module, scope, callee.name),
            [.., attribute, method] if PUTTING.contains(method) => Some(Key::Attribute(attribute)),
            _ => None,
        }
    }

    pub(super) fn lambda(&mut self, module: ModuleId, lambda: FunctionId) {
        let file = self.world.names.file(module);
        let found = file.function(lambda);
        self.here = (module, found.span);
        let value = Handed { module, what: What::Lambda(lambda), here: self.here, then: Then::Anything };
        let argument = found.argument.as_ref();
        match (found.kept.and_then(|keeper| self.key(module, found.parent, keeper)), argument) {
            (Some(key), Some(argument)) if argument.callee.path() == ["property"] => {
                self.property(key.name(), value);
            }
            (Some(key), _) => self.keep(key, value),
            (None, Some(argument)) => match self.receivers_of_argument(module, found.parent, argument) {
                Some(receivers) => self.hand_to(receivers, argument.place, value),
                None => self.run(module, lambda),
            },
            // It may be called by whatever it goes to.
            (None, None) => self.run(module, lambda),
        }
    }

    pub(super) fn hand_to(&mut self, receivers: Receivers<'p>, place: Place<'p>, value: Handed<'p>) {
        for keeper in receivers.keepers {
            self.keep(keeper, value.clone());
        }
        let place = match place {
            Place::Position(index) => Place::Position(index + receivers.shift),
            other => other,
        };
        for (module, function) in receivers.functions {
            for param in self.params(module, function, place, receivers.unbound) {
                self.hand_to_param((module, function), param, value.clone());
            }
        }
    }

    /// Hands something to a method of an object, whatever class below that of `own` it is of.
    pub(super) fn hand_to_methods(
        &mut self,
        name: &'p str,
        own: Vec<(ModuleId, FunctionId)>,
        place: Place<'p>,
        value: Handed<'p>,
    ) {
        let mut functions = self.classes.live(name);
        functions.extend(own);
        self.hand_to(Receivers::functions(functions), place, value.clone());
        self.handed_to_methods.entry(name).or_default().push((place, value));
    }

    pub(super) fn hand(&mut self, value: &Handed<'p>) {
        let here = std::mem::replace(&mut self.here, value.here);
        let keeps = self.keeps.take();
        match &value.what {
            What::Name { scope, name, attributes } => {
                self.reach(value.module, *scope, name, attributes, Role::Argument);
            }
            What::Lambda(lambda) => self.run(value.module, *lambda),
            What::AnyAttribute(index) => self.any_is_called(value.module, *index),
        }
        (self.here, self.keeps) = (here, keeps);
    }

    /// A function calls or hands on one of its parameters.
    pub(super) fn calls_parameter(&mut self, module: ModuleId, owner: ScopeId, param: &'p str) {
        let ScopeKind::Function(function) = self.world.names.file(module).scope(owner).kind else { return };
        if self.callers.insert((module, function, param)) {
            let keeps = self.keeps.take();
            let found = self.world.names.file(module).function(function);
            for default in &found.defaults {
                self.reach(module, found.parent, default.name, &default.attributes, Role::Called);
            }
            for value in self.handed.remove(&(module, function, param)).unwrap_or_default() {
                self.hand(&value);
            }
            self.keeps = keeps;
        }
    }

    /// What a variable holds is called. `plainly`: only what it is another name for.
    pub(super) fn values_are_called(&mut self, module: ModuleId, scope: ScopeId, name: &'p str, plainly: bool) {
        if self.followed.insert((module, scope, name, plainly)) {
            let bindings = self.world.names.file(module).scope(scope).bindings[name].iter();
            bindings.filter(|b| b.plain || !plainly).for_each(|b| self.value_is_called(module, scope, b));
        }
    }

    /// What was bound to a variable is called: what it was made from may be, too.
    pub(super) fn value_is_called(&mut self, module: ModuleId, scope: ScopeId, binding: &Binding<'p>) {
        let keeps = self.keeps.take();
        if let Some(call) = &binding.call
            && self.receivers(module, scope, call).is_some_and(|r| !(r.functions.is_empty() && r.keepers.is_empty()))
        {
            // A function or class of the project: what they are handed is followed by what they do with it.
            self.result_of(module, scope, call.name, &call.attributes, true);
        } else {
            for reference in &binding.from {
                self.reach(module, scope, reference.name, &reference.attributes, Role::Called);
                self.result_of(module, scope, reference.name, &reference.attributes, true);
            }
        }
        self.keeps = keeps;
    }
}
