//! Attributes that are read by names in strings: `getattr(x, "name")`, `getattr(self, f"visit_{kind}")`.

use super::classes::ClassKey;
use super::*;
use crate::names::scope::NamedAccess;

/// Calls that give all that an object has.
const ALL: [&str; 2] = ["vars", "getmembers"];

impl<'p> Search<'_, 'p> {
    pub(super) fn attribute_by_name(&mut self, module: ModuleId, index: usize) {
        let access = &self.world.names.file(module).accesses[index];
        self.here = (module, access.span);
        let Reference { name, attributes } = &access.module;
        self.drives_by(access.name.unwrap_or_default());
        match access.name {
            Some(asked) if access.asks || access.replaces => self.read(asked),
            Some(asked) => {
                let attributes: Vec<&'p str> = attributes.iter().copied().chain([asked]).collect();
                self.read(asked);
                self.reach(module, access.scope, name, &attributes, Role::Argument);
            }
            None if access.replaces => {
                if let Some(class) = self.class_behind(module, access.scope, &access.module) {
                    self.somehow_set(class);
                }
            }
            None if access.asks => {}
            None => {
                let receivers =
                    access.argument.as_ref().and_then(|to| self.receivers_of_argument(module, access.scope, to));
                if let (Some(receivers), Some(to)) = (receivers, &access.argument) {
                    let what = What::AnyAttribute(index);
                    // `setattr(c, name, wrap(getattr(c, name)))` gives the method back its name.
                    let sets_back = |other: &NamedAccess<'p>| {
                        other.replaces
                            && other.name.is_none()
                            && other.scope == access.scope
                            && other.module == access.module
                    };
                    let back = self.world.names.file(module).accesses.iter().any(sets_back);
                    let then = if back { Then::Named } else { Then::Anything };
                    return self.hand_to(receivers, to.place, Handed { module, what, here: self.here, then });
                }
                self.any_is_called(module, index);
            }
        }
    }

    /// What a computed name gives is called or goes on.
    pub(super) fn any_is_called(&mut self, module: ModuleId, index: usize) {
        let access = &self.world.names.file(module).accesses[index];
        for begins in self.beginnings(module, access) {
            self.any_attribute(module, access.scope, &access.module, begins);
        }
    }

    /// What a computed name may begin with.
    fn beginnings(&self, module: ModuleId, access: &NamedAccess<'p>) -> Vec<&'p str> {
        let file = self.world.names.file(module);
        let by_variable =
            access.computed_by.and_then(|name| Some(&file.scope(file.owner(name, access.scope)?).bindings[name]));
        match by_variable {
            Some(bindings) if access.begins.is_empty() => bindings.iter().map(|b| b.begins).collect(),
            _ => vec![access.begins],
        }
    }

    /// An attribute of a computed name is set: that may be a property.
    fn somehow_set(&mut self, class: ClassKey) {
        for &(home, base) in self.linear(class).iter() {
            let file = self.world.names.file(home);
            let sets = |path: &Vec<&str>| path.last() == Some(&"setter");
            for function in file.class(base).methods.values().flatten() {
                if file.function(*function).decorators.iter().any(sets) {
                    self.run(home, *function);
                }
            }
        }
    }

    /// `x.__dict__["name"]`, `x.__dict__.items()`.
    pub(super) fn namespace_is_read(&mut self, module: ModuleId, used: &Use<'p>, attributes: &[&'p str]) {
        let of = match attributes {
            [of @ .., "__dict__"] if used.item && used.role != Role::Store => of,
            [of @ .., "__dict__", "items" | "values"] => of,
            _ => return,
        };
        let of = Reference { name: used.name, attributes: of.to_vec() };
        self.any_attribute(module, used.scope, &of, "");
    }

    /// `vars(x)`, `inspect.getmembers(x)`.
    pub(super) fn all_is_given(&mut self, module: ModuleId, used: &Use<'p>) {
        let gives_all = |callee: &Reference| callee.path().last().is_some_and(|last| ALL.contains(last));
        if used.passed_to().is_some_and(gives_all) {
            self.any_attribute(module, used.scope, &used.reference(), "");
        }
    }

    /// An attribute whose name begins so may be read, and what it gives be called.
    fn any_attribute(&mut self, module: ModuleId, scope: ScopeId, of: &Reference<'p>, begins: &'p str) {
        if let Some(class) = self.class_behind(module, scope, of) {
            if self.classes.asked_somehow.entry(class).or_default().insert(begins) {
                self.somehow_asked(class, begins);
                for below in self.classes.below.get(&class).cloned().unwrap_or_default() {
                    self.somehow_asked(below, begins);
                }
            }
        } else if !begins.is_empty() && self.beginnings.insert(begins) {
            // Without a beginning, it may be anything of anything: that the one is meant for the other cannot be told.
            for name in self.classes.live_names().into_iter().filter(|name| name.starts_with(begins)) {
                self.method(name);
            }
        }
    }

    /// The classes that a value may be, by what it was made from.
    pub(super) fn classes_behind(
        &self,
        module: ModuleId,
        scope: ScopeId,
        of: &Reference<'p>,
        depth: usize,
    ) -> Vec<ClassKey> {
        if let Some(class) = self.class_behind(module, scope, of) {
            return vec![class];
        }
        let file = self.world.names.file(module);
        let Some(deeper) = depth.checked_sub(1) else { return Vec::new() };
        let Some(owner) = file.owner(of.name, scope).filter(|_| of.attributes.is_empty()) else { return Vec::new() };
        let bindings = &file.scope(owner).bindings[of.name];
        if !bindings.iter().all(|b| b.what == Bound::Value) {
            return Vec::new();
        }
        let made_from = bindings.iter().flat_map(|b| &b.from).filter(|from| from.name != of.name);
        let base = |from: &Reference<'p>| Reference { name: from.name, attributes: Vec::new() };
        made_from.flat_map(|from| self.classes_behind(module, owner, &base(from), deeper)).collect()
    }

    /// The class that a name stands for, or of which it stands for an instance.
    fn class_behind(&self, module: ModuleId, scope: ScopeId, of: &Reference<'p>) -> Option<ClassKey> {
        let file = self.world.names.file(module);
        if let Some(owner) = file.owner(of.name, scope).filter(|owner| *owner != MODULE)
            && let ScopeKind::Function(function) = file.scope(owner).kind
        {
            let found = file.function(function);
            let itself = found.params.first() == Some(&of.name) && of.attributes.is_empty();
            return found.class.filter(|_| itself).map(|class| (module, class));
        }
        let Object::Attribute { module: home, name, rest } = self.world.trace_reference(module, scope, of).object
        else {
            return None;
        };
        let ([only], []) = (self.world.names.file(home).at_run_time(name), rest.as_slice()) else { return None };
        match only.what {
            Bound::Class(class) => Some((home, class)),
            Bound::Value => self.class_called(home, only.call.as_ref()?),
            _ => None,
        }
    }

    /// All methods of a class run whose names begin so.
    pub(super) fn somehow_asked(&mut self, class: ClassKey, begins: &str) {
        for &(home, base) in self.linear(class).iter() {
            for (name, functions) in &self.world.names.file(home).class(base).methods {
                if name.starts_with(begins) && !name.starts_with("__") {
                    functions.iter().for_each(|function| self.run(home, *function));
                }
            }
        }
    }
}
