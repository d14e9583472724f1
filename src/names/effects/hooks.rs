//! What a hook that runs for each new class does with it: `__init_subclass__`, methods of a metaclass.

use super::code::is_self;
use super::handed::is_changed_by_call;
use crate::names::evaluated::is_stdlib;
use crate::names::methods::{BUILTIN_METHODS, MUTATORS, READING};
use crate::names::scope::{FunctionId, MODULE, Reference, Role};
use crate::names::{Bound, FileNames, Object, Use, World};
use crate::project::ModuleId;

/// Whether a hook changes nothing but the new class and what is handed to it, beside what [`Run`](super::code::Run) sees. Errs
/// on the side of "no".
pub fn keeps_to_itself(world: World, module: ModuleId, id: FunctionId) -> bool {
    let file = world.names.file(module);
    let hook = Hook { world, module, file, id };
    let uses = file.uses.iter().filter(|u| file.runs_in(id, u.moment));
    uses.filter(|u| u.owner.is_some_and(|owner| owner != MODULE)).all(|used| hook.is_private(used))
}

struct Hook<'h, 'p> {
    world: World<'h, 'p>,
    module: ModuleId,
    file: &'h FileNames<'p>,
    id: FunctionId,
}

impl Hook<'_, '_> {
    fn is_private(&self, used: &Use) -> bool {
        let last = used.attributes.last().map(|a| a.text);
        match (used.role, used.attributes.len()) {
            (Role::Called, 0) => false,
            (Role::Called, 1) => {
                let method = last.unwrap_or_default();
                if MUTATORS.contains(&method) {
                    self.is_handed_or_made(used)
                } else {
                    method.starts_with("__") || BUILTIN_METHODS.contains(&method) || self.is_own_method(used, method)
                }
            }
            (Role::Called, _) => last.is_some_and(|method| READING.contains(&method)),
            (Role::Store | Role::Delete, 0) => self.is_handed_or_made(used),
            (Role::Store | Role::Delete, 1) => {
                !self.is_item(used) && (self.is_new_class(used) || self.is_in_its_body(used))
            }
            (Role::Store | Role::Delete, _) => false,
            (Role::Argument, _) if is_changed_by_call(used) => self.is_new_class(used),
            (Role::Argument, 0) => !self.is_new_class(used) || self.keeps_nothing(used),
            _ => true,
        }
    }

    /// Whether a name is a parameter of the hook, or bound to something that it made.
    fn is_handed_or_made(&self, used: &Use) -> bool {
        let bindings = used.owner.and_then(|owner| self.file.scope(owner).bindings.get(used.name));
        bindings.into_iter().flatten().all(|b| match b.what {
            Bound::Parameter => true,
            Bound::Value => b.from.iter().all(|from| from.attributes.is_empty()),
            _ => false,
        })
    }

    /// Whether a name stands for the class that is made: the first parameter, but for `__new__`, which makes it.
    fn is_new_class(&self, used: &Use) -> bool {
        if is_self(self.file, self.id, used) && !matches!(self.file.function(self.id).name, "__new__" | "__prepare__") {
            return true;
        }
        let makes = |from: &Reference| {
            matches!(from.name, "super" | "type") || from.attributes.last().is_some_and(|a| *a == "__new__")
        };
        let bindings = used.owner.and_then(|owner| self.file.scope(owner).bindings.get(used.name));
        let mut bindings = bindings.into_iter().flatten().peekable();
        bindings.peek().is_some() && bindings.all(|b| b.what == Bound::Value && b.from.first().is_some_and(makes))
    }

    /// Whether a name runs over what the body of the new class binds: `for name, value in namespace.items()`.
    fn is_in_its_body(&self, used: &Use) -> bool {
        let namespace = self.file.function(self.id).params.get(3);
        let bindings = used.owner.and_then(|owner| self.file.scope(owner).bindings.get(used.name));
        let mut bindings = bindings.into_iter().flatten().peekable();
        let is_of = |from: &Reference| Some(&from.name) == namespace;
        bindings.peek().is_some() && bindings.all(|b| b.from.first().is_some_and(is_of))
    }

    /// A method of the metaclass itself is looked into where it is called.
    fn is_own_method(&self, used: &Use, method: &str) -> bool {
        let class = self.file.function(self.id).class;
        is_self(self.file, self.id, used) && class.is_some_and(|c| self.file.class(c).methods.contains_key(method))
    }

    /// `name.attribute[…] = …`
    fn is_item(&self, used: &Use) -> bool {
        let end = used.attributes.last().map_or(used.span.end, |a| a.span.end);
        self.world.project().text(self.module)[end..].trim_start_matches([' ', '\t']).starts_with('[')
    }

    /// Whether what it is handed to is a function of Python that keeps nothing.
    fn keeps_nothing(&self, used: &Use) -> bool {
        let Some(to) = used.passed_to() else { return false };
        // e.g. `Base.__new__(cls, …)`, which is looked into where it is called.
        if to.attributes.last().is_some_and(|method| method.starts_with("__")) {
            return true;
        }
        match self.world.trace_reference(self.module, used.scope, to).object {
            Object::External(path) => is_stdlib(&path),
            Object::Unknown => to.attributes.is_empty() || to.name == "super",
            _ => false,
        }
    }
}
