//! What decorators change when they decorate, and what they made of a function when that is called.

use super::code::Run;
use super::objects::{class_of, lineage};
use super::outside::keeps_track;
use super::{Changed, MODULE, Object, World};
use crate::names::Bound;
use crate::names::scope::{FunctionId, Reference};
use crate::project::ModuleId;

/// What decorating does. `calls`: how many calls of the dotted name make the decorator, if nothing else does.
pub(super) fn by_decorator(world: World, module: ModuleId, decorator: &Reference, calls: Option<usize>) -> Changed {
    let mut run = Run::new(world);
    match world.trace_reference(module, MODULE, decorator).object {
        Object::Attribute { module: home, name, rest } if rest.is_empty() => run.decorates_by(home, name, calls),
        Object::Attribute { module: home, name, rest } => {
            let known = run.method_decorates(home, name, &rest, calls).or_else(|| run.method(home, name, &rest));
            known.unwrap_or_else(|| if home == module { Changed::nothing() } else { Changed::of(home) })
        }
        Object::External(path) => Changed::outside_if(&path, keeps_track(&path)),
        Object::Module(_) => Changed::anything(),
        Object::Unknown => Changed::anything_if(!matches!(decorator.name, "property" | "staticmethod" | "classmethod")),
    }
}

impl<'p> Run<'_, 'p> {
    /// Decorating by what a name of a module stands for.
    fn decorates_by(&mut self, home: ModuleId, name: &str, calls: Option<usize>) -> Changed {
        let bindings = self.world.names.file(home).bindings(name);
        if bindings.is_empty() {
            return Changed::anything();
        }
        Changed::all(bindings.iter().map(|binding| match binding.what {
            Bound::Function(id) => self.decorates(home, id, calls),
            // `try: from x import decorator` / `except ImportError: def decorator(f): …`
            Bound::Import(site) => match self.world.site_object(home, site) {
                Object::External(path) => Changed::outside_if(&path, keeps_track(&path)),
                _ => Changed::anything(),
            },
            _ => self.called_at_once(home, name),
        }))
    }

    /// Decorating by a method of a class: `@Class.method`.
    fn method_decorates(&mut self, home: ModuleId, name: &str, rest: &[&str], calls: Option<usize>) -> Option<Changed> {
        let [method] = rest else { return None };
        let (at, class) = class_of(self.world, home, &[name])?;
        let own = lineage(self.world, at, class).into_iter().find_map(|(at, class)| {
            let found = self.world.names.file(at).class(class).methods.get(method)?;
            Some(found.iter().map(|id| (at, *id)).collect::<Vec<_>>())
        })?;
        let made = self.made(at, class);
        Some(made.and(Changed::all(own.into_iter().map(|(at, id)| self.decorates(at, id, calls)))))
    }

    /// Decorating by a function, or by what as many calls of it give. What that returns in turn waits until it is called.
    pub fn decorates(&mut self, module: ModuleId, id: FunctionId, calls: Option<usize>) -> Changed {
        let Some(calls) = calls else { return self.function(module, id) };
        let waiting = if calls > 0 { self.waiting(module, id) } else { Vec::new() };
        let own = self.itself(module, id);
        own.and(Changed::all(waiting.into_iter().map(|inner| self.decorates(module, inner, Some(calls - 1)))))
    }

    /// What calling a function runs besides the function: what its decorators made of it.
    pub(super) fn made_by_decorators(&mut self, module: ModuleId, id: FunctionId) -> Changed {
        let file = self.world.names.file(module);
        let found = file.function(id);
        Changed::all(found.decorators.iter().map(|path| {
            let Some((first, rest)) = path.split_first() else { return Changed::nothing() };
            if let Some(owner) = file.owner(first, found.parent).filter(|owner| *owner != MODULE) {
                let bindings = file.scope(owner).bindings[first].iter().filter(|_| rest.is_empty());
                return Changed::all(bindings.map(|b| match b.what {
                    Bound::Function(decorator) => self.function(module, decorator),
                    _ => Changed::nothing(),
                }));
            }
            match self.world.trace(module, MODULE, first, rest).object {
                Object::Attribute { module: home, name, rest } if rest.is_empty() => {
                    let bindings = self.world.names.file(home).bindings(name).iter();
                    Changed::all(bindings.map(|b| match b.what {
                        Bound::Function(decorator) => self.function(home, decorator),
                        _ => Changed::nothing(),
                    }))
                }
                Object::Attribute { module: home, name, rest } => {
                    let known = class_of(self.world, home, &[name]).is_some();
                    known.then(|| self.method(home, name, &rest)).flatten().unwrap_or_else(Changed::nothing)
                }
                _ => Changed::nothing(),
            }
        }))
    }
}
