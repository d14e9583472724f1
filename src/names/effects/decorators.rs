//! What decorators change when they decorate, and what they made of a function when that is called.

use super::code::{CALLING, Run};
use super::objects::{class_of, lineage};
use super::outside::keeps_track;
use super::{Changed, MODULE, Object, World};
use crate::names::scope::{ClassId, FunctionId, Reference, Role};
use crate::names::{Bound, Use};
use crate::project::ModuleId;
use crate::syntax::Span;

/// A definition that is decorated.
type Definition = (ModuleId, Span);

/// What decorating a definition does. `calls`: how many calls of the dotted name make the decorator, if nothing else does.
pub(super) fn by_decorator(
    world: World,
    module: ModuleId,
    definition: Span,
    decorator: &Reference,
    calls: Option<usize>,
) -> Changed {
    let mut run = Run::new(world);
    let of = (module, definition);
    match world.trace_reference(module, MODULE, decorator).object {
        Object::Attribute { module: home, name, rest } if rest.is_empty() => run.decorates_by(home, name, calls, of),
        Object::Attribute { module: home, name, rest } => {
            let known = run.method_decorates(home, name, &rest, calls, of).or_else(|| run.method(home, name, &rest));
            known.unwrap_or_else(|| if home == module { Changed::nothing() } else { Changed::of(home) })
        }
        Object::External(path) => Changed::outside_if(&path, keeps_track(&path)),
        Object::Module(_) => Changed::anything(),
        Object::Unknown => Changed::anything_if(!matches!(decorator.name, "property" | "staticmethod" | "classmethod")),
    }
}

impl<'p> Run<'_, 'p> {
    /// Decorating by what a name of a module stands for.
    fn decorates_by(&mut self, home: ModuleId, name: &str, calls: Option<usize>, of: Definition) -> Changed {
        let bindings = self.world.names.file(home).bindings(name);
        if bindings.is_empty() {
            return Changed::anything();
        }
        Changed::all(bindings.iter().map(|binding| match binding.what {
            Bound::Function(id) => self.function_decorates(home, id, calls, of),
            Bound::Class(class) if self.calls_when_made(home, class) => {
                self.called_at_once(home, name).and(self.defined(of))
            }
            // `try: from x import decorator` / `except ImportError: def decorator(f): …`
            Bound::Import(site) => match self.world.site_object(home, site) {
                Object::External(path) => Changed::outside_if(&path, keeps_track(&path)),
                _ => Changed::anything(),
            },
            _ => self.called_at_once(home, name),
        }))
    }

    /// Decorating by a method of a class: `@Class.method`.
    fn method_decorates(
        &mut self,
        home: ModuleId,
        name: &str,
        rest: &[&str],
        calls: Option<usize>,
        of: Definition,
    ) -> Option<Changed> {
        let [method] = rest else { return None };
        let (at, class) = class_of(self.world, home, &[name])?;
        let own = lineage(self.world, at, class).into_iter().find_map(|(at, class)| {
            let found = self.world.names.file(at).class(class).methods.get(method)?;
            Some(found.iter().map(|id| (at, *id)).collect::<Vec<_>>())
        })?;
        let made = self.made(at, class);
        Some(made.and(Changed::all(own.into_iter().map(|(at, id)| self.function_decorates(at, id, calls, of)))))
    }

    /// Decorating a definition by a function, or by what as many calls of it give.
    pub(super) fn function_decorates(
        &mut self,
        module: ModuleId,
        id: FunctionId,
        calls: Option<usize>,
        of: Definition,
    ) -> Changed {
        let called = self.calls_what_it_gets(module, id, calls);
        let of_definition = if called { self.defined(of) } else { Changed::nothing() };
        self.decorates(module, id, calls).and(of_definition)
    }

    /// Whether a function, or what as many calls of it give, may call what it is handed.
    fn calls_what_it_gets(&self, module: ModuleId, id: FunctionId, calls: Option<usize>) -> bool {
        let file = self.world.names.file(module);
        let waiting = self.waiting(module, id);
        match calls {
            Some(calls) if calls > 0 && !waiting.is_empty() => {
                waiting.into_iter().any(|inner| self.calls_what_it_gets(module, inner, Some(calls - 1)))
            }
            _ => {
                let runs = |moment| {
                    file.runs_in(id, moment) && (calls.is_none() || !waiting.iter().any(|w| file.runs_in(*w, moment)))
                };
                let function = file.function(id);
                let is_handed = |used: &Use| {
                    used.attributes.is_empty()
                        && function.params.contains(&used.name)
                        && used.owner == Some(function.scope)
                };
                let goes_on = |used: &Use| match (used.role, used.passed_to()) {
                    (Role::Called, _) => true,
                    (Role::Argument, Some(to)) => self.may_call(module, used, to),
                    _ => false,
                };
                file.uses.iter().any(|used| runs(used.moment) && is_handed(used) && goes_on(used))
            }
        }
    }

    /// Whether a callee may call what it is handed: code of the project, and functions of Python that do.
    fn may_call(&self, module: ModuleId, used: &Use, to: &Reference) -> bool {
        match self.world.trace_reference(module, used.scope, to).object {
            Object::Attribute { .. } => true,
            _ => CALLING.contains(to.attributes.last().unwrap_or(&to.name)),
        }
    }

    /// Whether making an instance of a class may call what that is handed.
    fn calls_when_made(&self, module: ModuleId, class: ClassId) -> bool {
        lineage(self.world, module, class).into_iter().any(|(at, class)| {
            let methods = &self.world.names.file(at).class(class).methods;
            let makers = ["__new__", "__init__"].into_iter().filter_map(|name| methods.get(name)).flatten();
            makers.into_iter().any(|id| self.calls_what_it_gets(at, *id, Some(0)))
        })
    }

    /// Calling what a definition gives, and what decorators made of it.
    fn defined(&mut self, (module, definition): Definition) -> Changed {
        let file = self.world.names.file(module);
        let function = file.functions.iter().position(|f| !f.is_lambda && f.span == definition);
        let class = file.classes.iter().position(|c| c.span == definition);
        let function = function.map_or_else(Changed::nothing, |id| self.function(module, FunctionId(id as u32)));
        function.and(class.map_or_else(Changed::nothing, |id| self.made(module, ClassId(id as u32))))
    }

    /// Decorating by a function, or by what as many calls of it give. What that returns in turn waits until it is called.
    fn decorates(&mut self, module: ModuleId, id: FunctionId, calls: Option<usize>) -> Changed {
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
