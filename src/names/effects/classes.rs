//! What making a class changes: hooks of its bases and of its metaclass.

use super::Changed;
use super::code::Run;
use super::hooks::keeps_to_itself;
use super::objects::{Lineage, class_of, lineage};
use super::outside::keeps_track;
use crate::names::evaluated::is_stdlib;
use crate::names::methods::is_special;
use crate::names::scope::{Class, ClassId, FunctionId, MODULE, Reference};
use crate::names::{Bound, Object, World};
use crate::project::ModuleId;

/// Whether some module asks a class for its subclasses: each new one is seen.
fn subclasses_are_asked_for(world: World, module: ModuleId, class: &str) -> bool {
    world.names.asking_subclasses().iter().any(|user| {
        world.names.file(*user).uses.iter().any(|u| {
            u.attributes.last().is_some_and(|a| a.text == "__subclasses__")
                && match world.trace_use(*user, u).object {
                    Object::Attribute { module: home, name, rest } => {
                        home == module && (name == class || rest.contains(&class))
                    }
                    // e.g. `cls.__subclasses__()` in the class itself.
                    _ => *user == module,
                }
        })
    })
}

/// What making the members of an enumeration changes.
pub(super) fn enum_registers(world: World, module: ModuleId, class: &Class) -> Changed {
    let all = class.bases.iter().filter_map(|path| class_of(world, module, path));
    let of: Lineage = all.flat_map(|(home, base)| lineage(world, home, base)).collect();
    let bases =
        of.iter().flat_map(|(home, base)| world.names.file(*home).class(*base).bases.iter().map(|path| (*home, path)));
    let mut bases = class.bases.iter().map(|path| (module, path)).chain(bases);
    let is_enum = bases.any(|(home, path)| match path.split_first() {
        Some((first, rest)) => {
            matches!(world.trace(home, MODULE, first, rest).object, Object::External(path) if path.starts_with("enum."))
        }
        None => false,
    });
    if !is_enum {
        return Changed::nothing();
    }
    let own = class.methods.iter().map(|(name, all)| (module, *name, all.as_slice()));
    let inherited = of.iter().flat_map(|(home, base)| {
        world.names.file(*home).class(*base).methods.iter().map(|(name, all)| (*home, *name, all.as_slice()))
    });
    let special = own.chain(inherited).filter(|(_, name, _)| is_special(name) || *name == "_generate_next_value_");
    Changed::all(
        special
            .flat_map(|(home, _, all)| all.iter().map(move |f| (home, *f)))
            .map(|(home, f)| Run::new(world).function(home, f)),
    )
}

/// The modules whose state extending a base class may change: a registry is kept where the class is that keeps it.
pub(super) fn base_registers(world: World, module: ModuleId, base: &Reference, depth: usize) -> Changed {
    if depth == 0 {
        return Changed::anything();
    }
    match world.trace_reference(module, MODULE, base).object {
        Object::External(path) => Changed::outside_if(&path, keeps_track(&path)),
        Object::Attribute { module: home, name, rest } if rest.is_empty() => {
            let bindings = world.names.file(home).bindings(name).iter();
            Changed::all(bindings.map(|b| match b.what {
                Bound::Class(class) => class_keeps_track(world, home, name, class, depth),
                Bound::Import(_) | Bound::Declared => Changed::nothing(),
                _ => Changed::anything(),
            }))
        }
        Object::Attribute { rest, .. } => match (class_of(world, module, &base.path()), rest.last()) {
            (Some((home, class)), Some(name)) => class_keeps_track(world, home, name, class, depth),
            _ => Changed::anything(),
        },
        Object::Unknown => Changed::anything_if(
            !base.name.chars().next().is_some_and(char::is_lowercase)
                && !["Error", "Exception", "Warning"].iter().any(|end| base.name.ends_with(end)),
        ),
        _ => Changed::anything(),
    }
}

pub(super) fn class_keeps_track(world: World, home: ModuleId, name: &str, class: ClassId, depth: usize) -> Changed {
    let class = world.names.file(home).class(class);
    let hooks = class.methods.get("__init_subclass__").into_iter().flatten();
    let hook = Changed::all(hooks.map(|f| run_hook(world, home, *f)));
    let asked = subclasses_are_asked_for(world, home, name);
    // A metaclass may keep what it makes in the class that it is of.
    let metaclass = class.metaclass.as_ref().map(|path| match metaclass_registers(world, home, path, depth) {
        changed if changed.is_nothing() => changed,
        changed => changed.and(Changed::of(home)),
    });
    let bases = class.bases.iter().map(|path| match path.split_first() {
        Some((first, rest)) => {
            base_registers(world, home, &Reference { name: first, attributes: rest.to_vec() }, depth - 1)
        }
        None => Changed::anything(),
    });
    let asked = if asked { Changed::of(home) } else { Changed::nothing() };
    hook.and(asked).and(Changed::all(metaclass)).and(Changed::all(bases))
}

pub(super) fn metaclass_registers(world: World, module: ModuleId, path: &[&str], depth: usize) -> Changed {
    let Some((first, rest)) = path.split_first() else { return Changed::anything() };
    match world.trace(module, MODULE, first, rest).object {
        Object::External(path) => Changed::outside_if(&path, !is_stdlib(&path)),
        Object::Attribute { module: home, name, rest } if rest.is_empty() && depth > 0 => {
            let bindings = world.names.file(home).bindings(name).iter();
            Changed::all(bindings.map(|b| match b.what {
                Bound::Class(class) => metaclass_hooks(world, home, class, depth),
                _ => Changed::anything(),
            }))
        }
        Object::Unknown => Changed::anything_if(first != &"type"),
        _ => Changed::anything(),
    }
}

/// What a metaclass does with each class that is made, or one that it inherits from.
fn metaclass_hooks(world: World, home: ModuleId, class: ClassId, depth: usize) -> Changed {
    let class = world.names.file(home).class(class);
    let hooks = ["__prepare__", "__new__", "__init__"].iter().filter_map(|m| class.methods.get(m)).flatten();
    let own = Changed::all(hooks.map(|f| run_hook(world, home, *f)));
    let bases = class.bases.iter().map(|path| metaclass_registers(world, home, path, depth - 1));
    own.and(Changed::all(bases))
}

/// What a hook changes that runs for each new class.
fn run_hook(world: World, home: ModuleId, hook: FunctionId) -> Changed {
    let shared = if keeps_to_itself(world, home, hook) { Changed::nothing() } else { Changed::of(home) };
    shared.and(Run::of_hook(world, home, hook))
}
