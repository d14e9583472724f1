//! What making an instance of a class runs: the methods that make it, what the class is decorated with, its metaclass, the
//! factories of its fields, and what setting an attribute of it runs.

use super::Changed;
use super::code::Run;
use super::objects::{self, class_of, keeps_in_closure, keeps_in_object, lineage};
use crate::names::scope::{Class, ClassId, FunctionId, MODULE, Place, Reference};
use crate::names::{Bound, FileNames, Object, Use};
use crate::project::ModuleId;

/// Methods that run while an instance is made, or a member of an enumeration is asked for by its value. A function that makes an
/// instance may enter it.
const MAKING: [&str; 9] = [
    "__init__",
    "__new__",
    "__post_init__",
    "__attrs_pre_init__",
    "__attrs_post_init__",
    "__set_name__",
    "__enter__",
    "__exit__",
    "_missing_",
];

/// Keywords of a field of a class whose value is called for each instance.
const FACTORIES: [&str; 2] = ["default_factory", "factory"];

impl<'p> Run<'_, 'p> {
    /// Making an instance.
    pub(super) fn made(&mut self, module: ModuleId, class: ClassId) -> Changed {
        let own = self.special(module, class, &|name| MAKING.contains(&name));
        let all = lineage(self.world, module, class).into_iter();
        let more =
            all.map(|(home, class)| self.made_by_metaclass(home, class).and(self.made_by_factories(home, class)));
        own.and(Changed::all(more)).and(self.made_by_class_decorators(module, class))
    }

    /// A metaclass is called instead of the class, and may keep the instance.
    fn made_by_metaclass(&mut self, home: ModuleId, class: ClassId) -> Changed {
        let Some(path) = &self.world.names.file(home).class(class).metaclass else { return Changed::nothing() };
        let Some((at, meta)) = class_of(self.world, home, path) else { return Changed::nothing() };
        let of = lineage(self.world, at, meta);
        let kept = if keeps_in_object(self.world, &of, &["__call__"]) { Changed::of(home) } else { Changed::nothing() };
        kept.and(self.special(at, meta, &|name| name == "__call__"))
    }

    /// `field(default_factory=f)` in the body of a class.
    fn made_by_factories(&mut self, home: ModuleId, class: ClassId) -> Changed {
        let file = self.world.names.file(home);
        let body = file.class(class).scope;
        let is_factory = |place: Place| matches!(place, Place::Keyword(name) if FACTORIES.contains(&name));
        let functions = file.functions.iter().enumerate();
        let lambdas = functions.filter(|(_, function)| {
            function.is_lambda
                && function.parent == body
                && function.argument.as_ref().is_some_and(|argument| is_factory(argument.place))
        });
        let lambdas: Vec<FunctionId> = lambdas.map(|(index, _)| FunctionId(index as u32)).collect();
        let lambdas = Changed::all(lambdas.into_iter().map(|id| self.function(home, id)));
        let handed = |used: &&Use| used.scope == body && used.argument.as_ref().is_some_and(|a| is_factory(a.place));
        let named = file.uses.iter().filter(handed).map(|used| match self.world.trace_use(home, used).object {
            Object::Attribute { module, name, rest } if rest.is_empty() && super::is_code(self.world, module, name) => {
                self.called(module, name)
            }
            Object::Attribute { module, name, rest } => self.method(module, name, &rest).unwrap_or_default(),
            _ => Changed::nothing(),
        });
        lambdas.and(Changed::all(named))
    }

    /// What a decorator made of a class is called instead of it, and may keep the instance: `@singleton`.
    fn made_by_class_decorators(&mut self, module: ModuleId, class: ClassId) -> Changed {
        let found = self.world.names.file(module).class(class);
        Changed::all(found.decorators.iter().filter_map(|path| path.split_first()).map(|(first, rest)| {
            let Object::Attribute { module: home, name, rest } = self.world.trace(module, MODULE, first, rest).object
            else {
                return Changed::nothing();
            };
            let bindings = self.world.names.file(home).bindings(name).iter().filter(|_| rest.is_empty());
            Changed::all(bindings.map(|b| match b.what {
                Bound::Function(id) => {
                    let waiting = self.waiting(home, id);
                    let keeps = waiting.iter().any(|inner| keeps_in_closure(self.world, home, *inner));
                    let kept = if keeps { Changed::of(module) } else { Changed::nothing() };
                    kept.and(Changed::all(waiting.into_iter().map(|inner| self.function(home, inner))))
                }
                Bound::Class(decorator) => {
                    let of = lineage(self.world, home, decorator);
                    let keeps = keeps_in_object(self.world, &of, &["__call__"]);
                    let kept = if keeps { Changed::of(module) } else { Changed::nothing() };
                    kept.and(self.special(home, decorator, &|name| name == "__call__"))
                }
                _ => Changed::nothing(),
            }))
        }))
    }

    /// Setting an attribute of an instance of a class: its property, what its body binds the name to, or `__setattr__`.
    pub(super) fn set(&mut self, module: ModuleId, class: ClassId, attribute: &str) -> Changed {
        let by_property = lineage(self.world, module, class).into_iter().map(|(home, class)| {
            let file = self.world.names.file(home);
            let all = file.class(class).methods.get(attribute).into_iter().flatten();
            let setters = all.filter(|id| file.function(**id).decorators.iter().any(|d| d.last() == Some(&"setter")));
            Changed::all(setters.map(|id| self.function(home, *id)))
        });
        let by_property = Changed::all(by_property.collect::<Vec<_>>());
        let by_descriptor = self.described(module, class, attribute, "__set__");
        by_property.and(by_descriptor).and(self.special(module, class, &|name| name == "__setattr__"))
    }

    /// A special method of the object that the body of a class binds to a name.
    pub(super) fn described(&mut self, module: ModuleId, class: ClassId, attribute: &str, method: &str) -> Changed {
        Changed::all(lineage(self.world, module, class).into_iter().map(|(home, class)| {
            let file = self.world.names.file(home);
            let bindings = file.scope(file.class(class).scope).bindings.get(attribute).into_iter().flatten();
            let values = bindings.filter(|b| b.what == Bound::Value);
            let world = self.world;
            let classes = values.flat_map(|b| objects::classes(world, home, b));
            let classes: Vec<_> = classes.filter_map(|of| of.first().copied()).collect();
            Changed::all(classes.into_iter().map(|(at, class)| self.special(at, class, &|name| name == method)))
        }))
    }
}

/// Whether a class is one of classes: what its methods do to their first parameter, all instances of that class share.
pub(super) fn is_metaclass(class: &Class) -> bool {
    class.bases.iter().any(|path| path.last().is_some_and(|base| *base == "type" || base.ends_with("Meta")))
}

/// Whether what a method binds a name to is the class of its object: `cls = type(self)`, `cls = self.__class__`.
pub(super) fn is_class_of_self(file: &FileNames, id: FunctionId, used: &Use) -> bool {
    let function = file.function(id);
    let Some((class, this)) = function.class.zip(function.params.first()) else { return false };
    let is_own = |from: &Reference| match (from.name, from.attributes.as_slice()) {
        (name, ["__class__"]) => name == *this,
        (name, []) => name == file.class(class).name,
        _ => false,
    };
    let bindings = used.owner.filter(|owner| *owner == function.scope);
    let bindings = bindings.and_then(|owner| file.scope(owner).bindings.get(used.name));
    let mut bindings = bindings.into_iter().flatten().peekable();
    bindings.peek().is_some()
        && bindings.all(|b| {
            let by_type = b.call.as_ref().is_some_and(|call| call.name == "type" && call.attributes.is_empty());
            let of_this = b.from.iter().any(|from| from.name == *this && from.attributes.is_empty());
            b.what == Bound::Value && (by_type && of_this || b.plain && b.from.iter().all(is_own))
        })
}
