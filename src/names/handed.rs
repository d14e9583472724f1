//! What is handed to code outside the project, which may evaluate its annotations, and what is evaluated along with it.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::evaluated::{self, Evaluated, is_stdlib};
use super::scope::{AnnotationOwner, ClassId, Reference, Role, ScopeId};
use super::{Bound, Object, Use, World};
use crate::project::ModuleId;

type Named = (ModuleId, String);

/// Packages that evaluate the annotations of the classes and functions that they are handed.
const READING: [&str; 36] = [
    "adaptix",
    "apischema",
    "beartype",
    "cattr",
    "cattrs",
    "cyclopts",
    "dacite",
    "dagster",
    "dataclass_wizard",
    "dataclasses_json",
    "desert",
    "dishka",
    "fast_depends",
    "fastapi",
    "faststream",
    "injector",
    "jsonargparse",
    "lagom",
    "litestar",
    "marshmallow_dataclass",
    "mashumaro",
    "msgspec",
    "ninja",
    "polyfactory",
    "punq",
    "pydantic",
    "pydantic_settings",
    "serde",
    "simple_parsing",
    "sqlmodel",
    "strawberry",
    "typedload",
    "typeguard",
    "typer",
    "tyro",
    "wireup",
];

fn is_reading(path: &str) -> bool {
    READING.contains(&path.split('.').next().unwrap_or_default())
}

/// Classes and functions that are handed to third-party code, by where they are defined.
pub fn handed_out(world: World) -> BTreeSet<Named> {
    let ids: Vec<ModuleId> = world.project().modules().map(|(id, _)| id).collect();
    // What an object of a library is, whose maker is not seen, only its methods' names can tell.
    let reads = ids.par_iter().any(|id| imports_reading(world, *id));
    let own: BTreeSet<&str> = if reads {
        ids.iter().flat_map(|id| world.names.file(*id).functions.iter().map(|f| f.name)).collect()
    } else {
        BTreeSet::new()
    };
    let of_module = |user: &ModuleId| {
        let user = *user;
        let file = world.names.file(user);
        let arguments = file.uses.iter().filter(|u| u.role == Role::Argument);
        let whole = arguments.filter_map(|used| Some((used.passed_to()?, used.reference(), used.scope)));
        let parts = file.handed_parts.iter().map(|part| (&part.callee, part.of.clone(), part.scope));
        let handed = whole.chain(parts).filter(|(callee, _, scope)| match maker(world, user, *scope, callee) {
            Callee::Outside(path) => !is_stdlib(&path),
            Callee::Unknown => reads && callee.attributes.last().is_some_and(|name| !own.contains(name)),
            Callee::Own => false,
        });
        let by_call = handed.filter_map(|(_, of, scope)| named(world, user, scope, &of));
        let in_classes = if reads { in_classes(world, user) } else { Vec::new() };
        by_call.chain(in_classes).collect::<Vec<_>>()
    };
    ids.par_iter().flat_map_iter(of_module).collect()
}

fn imports_reading(world: World, user: ModuleId) -> bool {
    let sites = &world.graph.files[user.index()].sites;
    sites.iter().any(|site| is_reading(site.module))
}

/// Whose code a call runs.
enum Callee {
    /// That of a library, or of an object that it made: its dotted name.
    Outside(String),
    Own,
    Unknown,
}

fn maker(world: World, user: ModuleId, scope: ScopeId, callee: &Reference) -> Callee {
    let made = |home: ModuleId, at: ScopeId, bindings: &[super::scope::Binding]| {
        let makers = bindings.iter().filter_map(|b| b.call.as_ref());
        makers.map(|call| world.trace_reference(home, at, call).object).find_map(|object| match object {
            Object::External(path) => Some(Callee::Outside(path)),
            _ => None,
        })
    };
    let file = world.names.file(user);
    match world.trace_reference(user, scope, callee).object {
        Object::External(path) => Callee::Outside(path),
        Object::Attribute { module, name, rest } if !rest.is_empty() => {
            made(module, super::scope::MODULE, world.names.file(module).bindings(name)).unwrap_or(Callee::Own)
        }
        Object::Unknown if !callee.attributes.is_empty() => {
            let Some(owner) = file.owner(callee.name, scope) else { return Callee::Own };
            made(user, owner, &file.scope(owner).bindings[callee.name]).unwrap_or(Callee::Unknown)
        }
        _ => Callee::Own,
    }
}

fn named(world: World, user: ModuleId, scope: ScopeId, of: &Reference) -> Option<Named> {
    match world.trace_reference(user, scope, of).object {
        Object::Attribute { module, name, rest } if rest.is_empty() => Some((module, name.to_owned())),
        _ => None,
    }
}

/// What bodies and heads of classes name whose base comes from a library that reads annotations: `model = T`, `Factory[T]`.
fn in_classes(world: World, user: ModuleId) -> Vec<Named> {
    let file = world.names.file(user);
    let reads = |path: &Vec<&str>, scope| match path.split_first() {
        Some((first, rest)) => {
            matches!(world.trace(user, scope, first, rest).object, Object::External(path) if is_reading(&path))
        }
        None => false,
    };
    let classes = file.classes.iter().filter(|class| class.bases.iter().any(|path| reads(path, class.parent)));
    let inside = classes.flat_map(|class| {
        let at_its_top = |used: &&Use| {
            let is_value = !matches!(used.role, Role::Annotation(_) | Role::Quoted(_) | Role::Called | Role::Decorator);
            let in_class = matches!(file.scope(used.scope).kind, super::scope::ScopeKind::Class(_));
            is_value && (in_class || used.scope == class.parent)
        };
        file.uses.iter().filter(|used| class.span.contains(used.span)).filter(at_its_top)
    });
    inside.filter_map(|used| named(world, user, used.scope, &used.reference())).collect()
}

/// Classes that stand in annotations which something evaluates, and so on: who evaluates those of a record goes on with the
/// records in it.
pub fn nested(world: World, asked: &BTreeSet<Named>) -> BTreeSet<Named> {
    let ids: Vec<ModuleId> = world.project().modules().map(|(id, _)| id).collect();
    let by_library = |user: &ModuleId| {
        let user = *user;
        let file = world.names.file(user);
        let owners = file.annotations.iter().map(|annotation| annotation.owner).collect::<Vec<_>>();
        let mut last = (AnnotationOwner::Local, false);
        let evaluated = owners.into_iter().map(|owner| {
            if last.0 != owner {
                last = (owner, evaluated::by_owner(world, user, owner) == Evaluated::Yes);
            }
            last.1
        });
        let evaluated: Vec<bool> = evaluated.collect();
        if !evaluated.contains(&true) {
            return Vec::new();
        }
        annotated(world, user, |at| evaluated[at])
    };
    let mut todo: Vec<Named> = ids.par_iter().flat_map_iter(by_library).collect();
    todo.extend(asked.iter().flat_map(|(module, name)| in_annotations_of(world, *module, name)));
    let mut out = BTreeSet::new();
    while let Some((module, name)) = todo.pop() {
        let file = world.names.file(module);
        let records: Vec<ClassId> = file
            .bindings(&name)
            .iter()
            .filter_map(|b| match b.what {
                Bound::Class(id) => Some(id),
                _ => None,
            })
            .filter(|id| !file.class(*id).decorators.is_empty() || !file.class(*id).bases.is_empty())
            .collect();
        if !records.is_empty() && out.insert((module, name.clone())) {
            todo.extend(in_annotations_of(world, module, &name));
        }
    }
    out
}

/// What the annotations of a class or function of a module name.
fn in_annotations_of(world: World, module: ModuleId, name: &str) -> Vec<Named> {
    let file = world.names.file(module);
    let owners: Vec<AnnotationOwner> = file
        .bindings(name)
        .iter()
        .filter_map(|b| match b.what {
            Bound::Class(id) => Some(AnnotationOwner::Class(id)),
            Bound::Function(id) => Some(AnnotationOwner::Function(id)),
            _ => None,
        })
        .collect();
    if owners.is_empty() {
        return Vec::new();
    }
    annotated(world, module, |at| owners.contains(&file.annotations[at].owner))
}

fn annotated(world: World, module: ModuleId, is_meant: impl Fn(usize) -> bool) -> Vec<Named> {
    let file = world.names.file(module);
    let in_it = |used: &&Use| match used.role {
        Role::Annotation(id) | Role::Quoted(Some(id)) => is_meant(id.0 as usize),
        _ => false,
    };
    file.uses.iter().filter(in_it).filter_map(|used| named(world, module, used.scope, &used.reference())).collect()
}
