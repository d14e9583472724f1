//! What becomes of an object by the call that it is handed to: whether it is changed, or something is taken out of it.

use super::World;
use super::code::TYPES;
use crate::names::methods::MUTATORS;
use crate::names::scope::{By, Keeper, MODULE, Role};
use crate::names::{Bound, Object, Use};
use crate::project::ModuleId;

/// Functions of the standard library that change what they get.
const CHANGING: [&str; 12] = [
    "next",
    "setattr",
    "delattr",
    "heapify",
    "heappop",
    "heappush",
    "heappushpop",
    "heapreplace",
    "insort",
    "insort_left",
    "insort_right",
    "shuffle",
];

/// The same of the module `operator`, whose names alone may mean something else.
const OPERATORS: [&str; 6] = ["setitem", "delitem", "iadd", "iconcat", "ior", "isub"];

/// What gives an iterator, of which there is always only the rest.
const ITERATORS: [&str; 6] = ["iter", "map", "filter", "zip", "enumerate", "reversed"];

/// Whether it is handed to a function of Python that changes what it gets: `next(ids)`, `list.append(all, x)`.
pub(super) fn is_changed_by_call(used: &Use) -> bool {
    let Some(argument) = used.argument.as_deref() else { return false };
    // `methodcaller("append", x)(all)`
    if argument.by == By::Result {
        return argument.callee.path().last() == Some(&"methodcaller");
    }
    let Some(to) = used.passed_to() else { return false };
    match (to.name, to.attributes.as_slice()) {
        (of, [method]) if TYPES.contains(&of) || of == "object" => MUTATORS.contains(method) || is_setting(method),
        ("operator", [name]) => OPERATORS.contains(name),
        (name, rest) => CHANGING.contains(rest.last().unwrap_or(&name)),
    }
}

fn is_setting(method: &str) -> bool {
    matches!(method, "__setattr__" | "__delattr__" | "__delitem__")
}

/// Whether the namespace of what is handed to `vars` is changed: `vars(x).update(…)`, `vars(x)[key] = …`.
pub(super) fn is_changed_by_namespace(text: &str, used: &Use) -> bool {
    let by_vars = used.passed_to().is_some_and(|to| to.name == "vars" && to.attributes.is_empty());
    let end = used.attributes.last().map_or(used.span.end, |a| a.span.end);
    let Some(behind) = text[end..].trim_start().strip_prefix(')').filter(|_| by_vars) else { return false };
    behind.strip_prefix('.').is_some_and(|rest| {
        let method: &str = rest.split(|c: char| c != '_' && !c.is_alphanumeric()).next().unwrap_or_default();
        MUTATORS.contains(&method)
    })
}

/// Whether a use would take something out of an iterator. Another name for it takes nothing.
pub(super) fn may_take_out(used: &Use) -> bool {
    let named = matches!(used.kept, Some(Keeper::Variable(_) | Keeper::Attribute(_)));
    match used.role {
        Role::Load => !named && used.attributes.is_empty(),
        Role::Argument | Role::Inspected => used.attributes.is_empty(),
        _ => false,
    }
}

/// Whether a use takes something out of an iterator that a name of a module is bound to: others go on where it stops.
pub(super) fn takes_out(world: World, home: ModuleId, name: &str, used: &Use) -> bool {
    may_take_out(used) && is_iterator(world, home, name)
}

/// Whether a name of a module is bound to an iterator.
fn is_iterator(world: World, home: ModuleId, name: &str) -> bool {
    let file = world.names.file(home);
    let gives_one = |call| match world.trace_reference(home, MODULE, call).object {
        Object::External(path) => path.starts_with("itertools."),
        Object::Unknown => call.attributes.is_empty() && ITERATORS.contains(&call.name),
        Object::Attribute { module, name, rest } if rest.is_empty() => {
            let (file, text) = (world.names.file(module), world.project().text(module));
            let is_generator = |b: &crate::names::scope::Binding| match b.what {
                Bound::Function(id) => {
                    let words = file.function(id).span.of(text).split(|c: char| c != '_' && !c.is_alphanumeric());
                    file.function(id).decorators.is_empty() && words.into_iter().any(|word| word == "yield")
                }
                _ => false,
            };
            file.bindings(name).iter().any(is_generator)
        }
        _ => false,
    };
    file.bindings(name).iter().any(|b| b.what == Bound::Value && b.call.as_ref().is_some_and(gives_one))
}
