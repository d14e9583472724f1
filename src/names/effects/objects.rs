//! Objects of the project's classes, and the functions that closures come from: whether they keep what they are handed.

use std::collections::BTreeSet;

use super::class_body::nested;
use super::code::is_self;
use crate::names::methods::READING;
use crate::names::scope::{Binding, ClassId, FunctionId, MODULE, Moment, Reference, Role};
use crate::names::{Bound, FileNames, Object, Use, World};
use crate::project::ModuleId;

/// A class with all its bases of the project, itself first.
pub type Lineage = Vec<(ModuleId, ClassId)>;

pub fn lineage(world: World, module: ModuleId, class: ClassId) -> Lineage {
    let mut all = vec![(module, class)];
    let mut next = 0;
    while let Some((home, class)) = all.get(next).copied() {
        let bases = &world.names.file(home).class(class).bases;
        let found: Lineage = bases.iter().filter_map(|path| class_of(world, home, path)).collect();
        all.extend(found.into_iter().filter(|base| !all.contains(base)).collect::<Lineage>());
        next += 1;
    }
    all
}

/// The class of the project that a dotted name of a module stands for.
pub fn class_of(world: World, module: ModuleId, path: &[&str]) -> Option<(ModuleId, ClassId)> {
    let (first, rest) = path.split_first()?;
    let Object::Attribute { module: home, name, rest } = world.trace(module, MODULE, first, rest).object else {
        return None;
    };
    let file = world.names.file(home);
    let outer =
        file.bindings(name).iter().find_map(|b| if let Bound::Class(class) = b.what { Some(class) } else { None })?;
    // e.g. `Outer.Inner`.
    let inner = rest.iter().try_fold(outer, |class, name| nested(file, class, name))?;
    Some((home, inner))
}

/// The classes that a value may be made of.
pub(super) fn classes(world: World, module: ModuleId, value: &Binding) -> Vec<Lineage> {
    let of = |from: &Reference| class_of(world, module, &from.path()).map(|(home, class)| lineage(world, home, class));
    value.from.iter().filter_map(of).collect()
}

/// Whether a value is what the first name that it reads gives when it is called: `value = Class(…)`.
pub(super) fn is_made(world: World, module: ModuleId, value: &Binding) -> bool {
    let after = world.project().text(module).get(value.span.end..).unwrap_or_default();
    let Some(first) = value.from.first() else { return false };
    let mut call = after.trim_start().strip_prefix('=').map(str::trim_start);
    for part in first.path() {
        call = call.and_then(|text| text.trim_start_matches('.').strip_prefix(part));
    }
    call.is_some_and(|text| text.starts_with('('))
}

/// Whether a class or a base of it defines a method.
pub(super) fn has(world: World, of: &[(ModuleId, ClassId)], method: &str) -> bool {
    of.iter().any(|(home, class)| world.names.file(*home).class(*class).methods.contains_key(method))
}

/// Whether methods of an object, or those that they call, change the object itself.
pub(super) fn keeps_in_object(world: World, of: &[(ModuleId, ClassId)], methods: &[&str]) -> bool {
    let mut todo: Vec<String> = methods.iter().map(|&m| m.to_owned()).collect();
    let mut seen: BTreeSet<String> = todo.iter().cloned().collect();
    while let Some(method) = todo.pop() {
        for (home, class) in of {
            let file = world.names.file(*home);
            let found = file.class(*class).methods.get(method.as_str()).into_iter().flatten();
            for id in found {
                let uses = file.uses.iter().filter(|u| file.runs_in(*id, u.moment) && is_self(file, *id, u));
                for used in uses.filter(|u| !u.attributes.is_empty()) {
                    let last = used.attributes[used.attributes.len() - 1].text;
                    match used.role {
                        Role::Store | Role::Delete => return true,
                        Role::Called if used.attributes.len() > 1 && !READING.contains(&last) => return true,
                        _ if seen.insert(used.attributes[0].text.to_owned()) => {
                            todo.push(used.attributes[0].text.to_owned());
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    false
}

/// Whether what a function returns may keep something: a function in it changes variables around it, or it makes an object
/// that does when it is called.
pub(super) fn keeps_in_closure(world: World, module: ModuleId, id: FunctionId) -> bool {
    keeps(world, module, id, &mut BTreeSet::new())
}

fn keeps(world: World, module: ModuleId, id: FunctionId, seen: &mut BTreeSet<(ModuleId, FunctionId)>) -> bool {
    if !seen.insert((module, id)) {
        return false;
    }
    let file = world.names.file(module);
    let inside = |outer: Option<FunctionId>| outer.is_some_and(|at| file.runs_in(id, Moment::Call(at)));
    if file.classes.iter().any(|class| inside(class.outer)) {
        return true;
    }
    let rebound = |b: &Binding| b.from_inside && file.runs_in(id, b.moment);
    let own_scopes = file.scopes.iter().skip(1);
    if own_scopes.into_iter().any(|scope| scope.bindings.values().flatten().any(rebound)) {
        return true;
    }
    file.uses.iter().filter(|u| file.runs_in(id, u.moment)).any(|used| {
        let captured = used.owner.is_some_and(|owner| owner != MODULE && !file.is_of(owner, used.moment));
        let last = used.attributes.last().map(|a| a.text);
        match used.role {
            Role::Store | Role::Delete => captured,
            Role::Called if captured => last.is_some_and(|a| !READING.contains(&a)),
            Role::Argument if captured && super::handed::is_changed_by_call(used) => true,
            Role::Called | Role::Returned if used.owner.is_none_or(|owner| owner == MODULE) => {
                match world.trace_use(module, used).object {
                    Object::Attribute { module: home, name, rest } if rest.is_empty() => {
                        world.names.file(home).bindings(name).iter().any(|b| match b.what {
                            Bound::Function(other) => keeps(world, home, other, seen),
                            Bound::Class(class) => keeps_in_object(world, &lineage(world, home, class), &["__call__"]),
                            _ => false,
                        })
                    }
                    _ => false,
                }
            }
            _ => false,
        }
    })
}

/// Whether what a name of a module stands for may put something into what it is handed when it is called.
pub(super) fn fills(world: World, module: ModuleId, name: &str) -> bool {
    let file = world.names.file(module);
    file.bindings(name).iter().any(|b| match b.what {
        Bound::Function(id) => fills_parameter(file, id),
        Bound::Class(class) => lineage(world, module, class).into_iter().any(|(home, class)| {
            let file = world.names.file(home);
            let methods = file.class(class).methods.values().flatten();
            methods.into_iter().any(|id| fills_parameter(file, *id) || fills_own(file, *id))
        }),
        _ => false,
    })
}

fn fills_parameter(file: &FileNames, id: FunctionId) -> bool {
    let function = file.function(id);
    let itself = function.params.first().filter(|_| function.class.is_some());
    file.uses.iter().any(|u| {
        file.runs_in(id, u.moment)
            && u.owner == Some(function.scope)
            && function.params.contains(&u.name)
            && itself != Some(&u.name)
            && changes(u, 1)
    })
}

/// Whether a method puts something into an attribute of its object.
fn fills_own(file: &FileNames, id: FunctionId) -> bool {
    file.uses.iter().any(|u| file.runs_in(id, u.moment) && is_self(file, id, u) && changes(u, 2))
}

/// Whether a use changes what a name, or the attribute behind it, stands for; `depth`: the attributes up to a method of that.
fn changes(used: &Use, depth: usize) -> bool {
    match used.role {
        Role::Called => {
            used.attributes.len() >= depth && used.attributes.last().is_some_and(|a| !READING.contains(&a.text))
        }
        Role::Store | Role::Delete => used.item && used.attributes.len() + 1 >= depth || used.attributes.len() >= depth,
        Role::Argument => {
            let to = used.passed_to().map_or("", |to| to.name);
            used.attributes.len() + 1 == depth && matches!(to, "setattr" | "delattr")
        }
        _ => false,
    }
}

/// Whether a function calls something that it is handed, or a function in it does.
pub(super) fn calls_parameter(file: &FileNames, id: FunctionId) -> bool {
    let function = file.function(id);
    file.uses.iter().any(|u| {
        u.role == Role::Called
            && file.runs_in(id, u.moment)
            && u.attributes.is_empty()
            && u.owner == Some(function.scope)
            && function.params.contains(&u.name)
    })
}
