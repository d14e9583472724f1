//! Whose annotations the project evaluates: what `typing.get_type_hints` and its like are handed, followed back through
//! variables, parameters and `self`.

use std::collections::{BTreeMap, BTreeSet};

use super::scope::{FunctionId, MODULE, Reference, Role, ScopeId, ScopeKind};
use super::{Bound, Object, Use, World};
use crate::project::ModuleId;

/// Classes and functions whose annotations some call evaluates, by module and name.
pub fn evaluated(world: World) -> BTreeSet<(ModuleId, String)> {
    let mut found = BTreeSet::new();
    let mut todo = Vec::new();
    for (user, _) in world.project().modules() {
        for call in &world.names.file(user).evaluated {
            if call.strings {
                todo.push((user, call.scope, call.of.clone()));
            } else if let Object::Attribute { module, name, .. } =
                world.trace_reference(user, call.scope, &call.of).object
            {
                found.insert((module, name.to_owned()));
            }
        }
    }
    if todo.is_empty() {
        return found;
    }
    let (functions, seen) = (BTreeSet::new(), BTreeSet::new());
    let mut search = Search { world, given: given(world), found, functions, seen, todo };
    while let Some((user, scope, of)) = search.todo.pop() {
        search.reference(user, scope, &of);
    }
    search.found
}

/// What is handed to calls, by the last part of the name of what is called.
type Given<'w, 'p> = BTreeMap<&'p str, Vec<(ModuleId, &'w Use<'p>)>>;

fn given<'w, 'p>(world: World<'w, 'p>) -> Given<'w, 'p> {
    let mut out = Given::new();
    for (user, _) in world.project().modules() {
        for used in world.names.file(user).uses.iter().filter(|u| u.role == Role::Argument) {
            let Some(callee) = used.passed_to() else { continue };
            let last = callee.attributes.last().copied().unwrap_or(callee.name);
            out.entry(last).or_default().push((user, used));
        }
    }
    out
}

struct Search<'w, 'p> {
    world: World<'w, 'p>,
    given: Given<'w, 'p>,
    found: BTreeSet<(ModuleId, String)>,
    /// Functions that evaluate the annotations of what they are handed.
    functions: BTreeSet<(ModuleId, FunctionId)>,
    /// Local variables already followed.
    seen: BTreeSet<(ModuleId, ScopeId, &'p str)>,
    todo: Vec<(ModuleId, ScopeId, Reference<'p>)>,
}

impl<'p> Search<'_, 'p> {
    fn reference(&mut self, user: ModuleId, scope: ScopeId, of: &Reference<'p>) {
        if let Object::Attribute { module, name, .. } = self.world.trace_reference(user, scope, of).object {
            if self.found.insert((module, name.to_owned())) {
                let from = self.world.names.file(module).bindings(name).iter().flat_map(|b| &b.from);
                self.todo.extend(from.map(|from| (module, MODULE, from.clone())));
            }
            return;
        }
        let file = self.world.names.file(user);
        let Some(owner) = file.owner(of.name, scope) else { return };
        if !self.seen.insert((user, owner, of.name)) {
            return;
        }
        for binding in &file.scope(owner).bindings[of.name] {
            match (binding.what, file.scope(owner).kind) {
                (Bound::Value, _) if owner != MODULE => {
                    self.todo.extend(binding.from.iter().map(|from| (user, owner, from.clone())));
                }
                (Bound::Parameter, ScopeKind::Function(function)) => self.parameter(user, function, of.name),
                _ => {}
            }
        }
    }

    /// What a function is handed by those who call it; of a method, `self` is its class.
    fn parameter(&mut self, module: ModuleId, id: FunctionId, name: &str) {
        let file = self.world.names.file(module);
        let function = file.function(id);
        let class = function.class.map(|c| file.class(c).name);
        if let Some(class) = class
            && function.params.first() == Some(&name)
        {
            self.found.insert((module, class.to_owned()));
            return;
        }
        if !self.functions.insert((module, id)) {
            return;
        }
        let called = [Some(function.name), class.filter(|_| function.name == "__init__")];
        let given = called.into_iter().flatten().filter_map(|name| self.given.get(name)).flatten();
        for (user, used) in given {
            let Some(callee) = used.passed_to() else { continue };
            let calls = match self.world.trace_reference(*user, used.scope, callee).object {
                Object::Attribute { module: home, name, rest } if home == module => match class {
                    None => rest.is_empty() && name == function.name,
                    Some(class) => name == class && (rest.is_empty() || rest == [function.name]),
                },
                // e.g. `self.register(T)`.
                Object::Unknown => class.is_some() && !callee.attributes.is_empty(),
                _ => false,
            };
            if calls {
                self.todo.push((*user, used.scope, used.reference()));
            }
        }
    }
}
