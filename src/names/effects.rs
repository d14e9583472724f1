//! What importing a module does that others can see, beyond binding its own names. Errs on the side of "something".

use super::evaluated::is_stdlib;
use super::scope::{ClassId, FunctionId, MODULE, Reference, Role};
use super::{Bound, FileNames, Moment, Object, ScopeId, World};
use crate::project::ModuleId;
use crate::syntax::Span;
use crate::syntax::ast::{Ast, Expr, ExprKind, Stmt, StmtKind};
use crate::syntax::imports::{Guards, stmt_exprs};

/// A statement that may have an effect, before it is known what its names stand for.
#[derive(Clone, Debug)]
pub struct Effect<'a> {
    pub span: Span,
    what: What<'a>,
}

#[derive(Clone, Debug)]
enum What<'a> {
    /// A call whose result is thrown away.
    Call(Option<Reference<'a>>),
    /// A call whose result is bound: an effect only if the project's own code registers something.
    BoundCall(Reference<'a>),
    Decorator(Option<Reference<'a>>),
    Base(Option<Reference<'a>>),
    Metaclass(Option<Reference<'a>>),
    /// Assigns to an attribute or item of something.
    Store(Option<Reference<'a>>),
    /// Deletes, raises, prints, and what else has no name.
    Other,
}

/// The statements of a module body that may have an effect.
pub fn candidates<'a>(ast: &Ast<'a>) -> Vec<Effect<'a>> {
    let mut out = Vec::new();
    let guards = Guards::of(&ast.body);
    block(&ast.body, &guards, &mut out);
    out
}

fn reference<'a>(expr: &Expr<'a>) -> Option<Reference<'a>> {
    match &expr.kind {
        ExprKind::Call { func, .. } => reference(func),
        ExprKind::Subscript { value, .. } => reference(value),
        ExprKind::Attribute { value, name } => {
            let mut found = reference(value)?;
            found.attributes.push(name.text);
            Some(found)
        }
        ExprKind::Name(name) => Some(Reference { name, attributes: Vec::new() }),
        _ => None,
    }
}

fn block<'a>(body: &[Stmt<'a>], guards: &Guards<'a>, out: &mut Vec<Effect<'a>>) {
    for stmt in body {
        let mut add = |what| out.push(Effect { span: stmt.span, what });
        for expr in stmt_exprs(stmt) {
            calls(expr, &mut add);
        }
        match &stmt.kind {
            StmtKind::Expr(expr) => match &expr.kind {
                ExprKind::Call { func, .. } => add(What::Call(reference(func))),
                ExprKind::Str(_) | ExprKind::Constant(_) | ExprKind::Name(_) | ExprKind::Attribute { .. } => {}
                _ => add(What::Other),
            },
            StmtKind::Assign { targets, .. } => {
                for target in targets {
                    store(target, &mut add);
                }
            }
            StmtKind::AugAssign { target, .. } | StmtKind::AnnAssign { target, .. } => store(target, &mut add),
            StmtKind::Function(function) => function.decorators.iter().for_each(|d| add(What::Decorator(reference(d)))),
            StmtKind::Class(class) => {
                class.decorators.iter().for_each(|d| add(What::Decorator(reference(d))));
                for arg in &class.args {
                    match arg.keyword {
                        None => add(What::Base(reference(&arg.value))),
                        Some("metaclass") => add(What::Metaclass(reference(&arg.value))),
                        Some(_) => {}
                    }
                }
                block(&class.body, guards, out);
            }
            StmtKind::If { branches } => {
                for (index, branch) in branches.iter().enumerate() {
                    if guards.arm(branches, index) == crate::outcome::Kind::Eager {
                        block(&branch.body, guards, out);
                    }
                }
            }
            StmtKind::Delete(targets) => {
                if targets.iter().any(|t| t.as_name().is_none()) {
                    add(What::Other);
                }
            }
            StmtKind::Raise(_) => add(What::Other),
            StmtKind::Other(parts) if !parts.is_empty() => add(What::Other),
            _ => {
                for inner in stmt.blocks() {
                    block(inner, guards, out);
                }
            }
        }
    }
}

fn store<'a>(target: &Expr<'a>, add: &mut impl FnMut(What<'a>)) {
    match &target.kind {
        ExprKind::Name(_) => {}
        ExprKind::Sequence(items) => items.iter().for_each(|i| store(i, add)),
        ExprKind::Starred(inner) => store(inner, add),
        _ => add(What::Store(reference(target))),
    }
}

/// All calls that evaluating an expression makes.
fn calls<'a>(expr: &Expr<'a>, add: &mut impl FnMut(What<'a>)) {
    if let ExprKind::Call { func, .. } = &expr.kind
        && let Some(found) = reference(func)
    {
        add(What::BoundCall(found));
    }
    expr.parts(&mut |part| calls(part, add));
    if let ExprKind::Comprehension { element, clauses } = &expr.kind {
        element.iter().for_each(|e| calls(e, add));
        clauses.iter().flat_map(|c| &c.tests).for_each(|t| calls(t, add));
    }
}

/// Words in the names of third-party functions, decorators and base classes that put what they get into a registry: routes,
/// tasks, signal receivers, ORM models, plugins.
const REGISTERING: [&str; 28] = [
    "regist",
    "route",
    "task",
    "receiver",
    "hook",
    "listen",
    "event",
    "command",
    "subscri",
    "handler",
    "plugin",
    "signal",
    "connect",
    "model",
    "document",
    "table",
    "schema",
    "entity",
    "extension",
    "declarative",
    "blueprint",
    "group",
    "app",
    "resource",
    "view",
    "serializer",
    "install",
    "patch",
];

/// Third-party packages whose base classes keep track of their subclasses.
const KEEPING_TRACK: [&str; 22] = [
    "django",
    "sqlalchemy",
    "flask_sqlalchemy",
    "sqlmodel",
    "celery",
    "peewee",
    "mongoengine",
    "marshmallow",
    "pony",
    "tortoise",
    "odoo",
    "luigi",
    "airflow",
    "kivy",
    "bokeh",
    "wagtail",
    "ormar",
    "piccolo",
    "beanie",
    "cliff",
    "elasticsearch_dsl",
    "graphene",
];

/// Whether something from outside may keep track of what it is handed.
fn keeps_track(path: &str) -> bool {
    if is_stdlib(path) {
        return path.starts_with("atexit") || path.ends_with(".register") || path == "codecs.register_error";
    }
    let top = path.split('.').next().unwrap_or_default();
    let last = path.rsplit('.').next().unwrap_or_default().to_lowercase();
    KEEPING_TRACK.contains(&top) || REGISTERING.iter().any(|w| last.contains(w))
}

/// The first statement of a module whose effect others can see.
pub fn first(world: World, module: ModuleId) -> Option<Span> {
    let effects = &world.names.effects[module.index()];
    effects.iter().find(|e| is_visible(world, module, &e.what)).map(|e| e.span)
}

/// The first statement inside a span whose effect others can see.
pub fn within(world: World, module: ModuleId, span: Span) -> Option<Span> {
    let mut inside = world.names.effects[module.index()].iter().filter(|e| span.contains(e.span));
    inside.find(|e| is_visible(world, module, &e.what)).map(|e| e.span)
}

fn is_visible(world: World, module: ModuleId, what: &What) -> bool {
    match what {
        What::Other | What::Call(None) | What::Decorator(None) | What::Store(None) => true,
        What::Base(None) | What::Metaclass(None) => true,
        What::Call(Some(call)) => !is_own(world, module, call) && !is_quiet_call(world, module, call),
        What::Store(Some(target)) => !is_own(world, module, target),
        What::BoundCall(call) => match world.trace_reference(module, MODULE, call).object {
            Object::Attribute { module: home, name, rest } if rest.is_empty() => registers(world, home, name, 3),
            // A method of an instance made here and now.
            Object::Attribute { module: home, name, .. } if is_class(world, home, name) => {
                registers(world, home, name, 3)
            }
            // A method of an object that another module owns, e.g. `task = app.task(f)`.
            Object::Attribute { module: home, .. } => home != module,
            Object::External(path) => !is_stdlib(&path) && keeps_track(&path) && path.contains(".register"),
            _ => false,
        },
        What::Decorator(Some(decorator)) => match world.trace_reference(module, MODULE, decorator).object {
            Object::Attribute { module: home, name, rest } if rest.is_empty() => registers(world, home, name, 3),
            Object::Attribute { module: home, .. } => home != module,
            Object::External(path) => keeps_track(&path),
            Object::Module(_) => true,
            Object::Unknown => {
                !matches!(decorator.name, "property" | "staticmethod" | "classmethod") && !in_class_body(decorator)
            }
        },
        What::Base(Some(base)) => base_registers(world, module, base, 16),
        What::Metaclass(Some(path)) => {
            let path: Vec<&str> = std::iter::once(path.name).chain(path.attributes.iter().copied()).collect();
            metaclass_registers(world, module, &path, 16)
        }
    }
}

/// `@name.setter` and its like name something of the class body.
fn in_class_body(decorator: &Reference) -> bool {
    matches!(decorator.attributes.last(), Some(&("setter" | "getter" | "deleter")))
}

/// Whether the receiver is an object that the module made itself.
fn is_own(world: World, module: ModuleId, reference: &Reference) -> bool {
    let bindings = world.names.file(module).bindings(reference.name);
    !reference.attributes.is_empty()
        && bindings.iter().all(|b| !matches!(b.what, Bound::Import(_)))
        && (!bindings.is_empty() || reference.name.starts_with("__"))
}

fn is_quiet_call(world: World, module: ModuleId, call: &Reference) -> bool {
    match world.trace_reference(module, MODULE, call).object {
        Object::External(path) => {
            matches!(path.as_str(), "logging.getLogger.addHandler" | "typing.cast" | "warnings.warn")
        }
        Object::Attribute { module: home, name, rest } => {
            rest.is_empty() && !registers(world, home, name, 3) && is_function(world, home, name)
        }
        Object::Unknown => call.attributes.is_empty() && matches!(call.name, "isinstance" | "hasattr" | "super"),
        Object::Module(_) => false,
    }
}

fn is_parameter(file: &FileNames, scope: ScopeId, name: &str) -> bool {
    file.scope(scope).bindings.get(name).is_some_and(|all| all.iter().any(|b| b.what == Bound::Parameter))
}

fn is_class(world: World, module: ModuleId, name: &str) -> bool {
    let bindings = world.names.file(module).bindings(name);
    !bindings.is_empty() && bindings.iter().all(|b| matches!(b.what, Bound::Class(_)))
}

fn is_function(world: World, module: ModuleId, name: &str) -> bool {
    world.names.file(module).bindings(name).iter().all(|b| matches!(b.what, Bound::Function(_)))
}

/// Names of methods that put something into a collection.
const MUTATORS: [&str; 17] = [
    "append",
    "add",
    "update",
    "setdefault",
    "insert",
    "extend",
    "register",
    "connect",
    "subscribe",
    "appendleft",
    "__setitem__",
    "register_type",
    "push",
    "set",
    "put",
    "dispatch",
    "add_dispatcher",
];

/// Whether calling a function of the project may put something into the state of a module.
fn registers(world: World, module: ModuleId, name: &str, depth: usize) -> bool {
    let file = world.names.file(module);
    let bindings = file.bindings(name);
    if bindings.is_empty() || depth == 0 {
        return true;
    }
    bindings.iter().any(|binding| match binding.what {
        Bound::Function(id) => function_registers(world, module, id, depth),
        // Making an object binds it and no more, unless its class keeps track.
        Bound::Class(class) => class_registers(world, module, class, depth),
        _ => true,
    })
}

/// Whether running a function may put something into the state of a module.
fn function_registers(world: World, module: ModuleId, id: FunctionId, depth: usize) -> bool {
    let file = world.names.file(module);
    let name = file.function(id).name;
    let within = |moment: Moment| match moment {
        Moment::Call(at) => {
            let mut at = Some(at);
            while let Some(f) = at {
                if f == id {
                    return true;
                }
                at = file.function(f).outer;
            }
            false
        }
        _ => false,
    };
    let sets_global = file.scope(MODULE).bindings.values().flatten().any(|b| b.from_inside && within(b.moment));
    sets_global
        || file.uses.iter().filter(|u| within(u.moment)).any(|u| match u.role {
            // What a function does to its own variables, or to attributes of what it is handed, stays there.
            Role::Store | Role::Delete => {
                u.owner == Some(MODULE)
                    || u.attributes.is_empty() && u.owner.is_some_and(|o| is_parameter(file, o, u.name))
            }
            Role::Called if u.owner == Some(MODULE) && !u.attributes.is_empty() => {
                u.attributes.last().is_some_and(|a| MUTATORS.contains(&a.text))
            }
            Role::Called if u.owner == Some(MODULE) && u.name != name => match world.trace_use(module, u).object {
                Object::Attribute { module, name, rest } if rest.is_empty() => {
                    is_function(world, module, name) && registers(world, module, name, depth - 1)
                }
                Object::External(path) => keeps_track(&path),
                _ => false,
            },
            _ => false,
        })
}

/// Whether some module asks a class for its subclasses: each new one is seen.
fn subclasses_are_asked_for(world: World, module: ModuleId, class: &str) -> bool {
    world.project().modules().any(|(user, _)| {
        world.names.file(user).asks_subclasses
            && world.names.file(user).uses.iter().any(|u| {
                u.attributes.last().is_some_and(|a| a.text == "__subclasses__")
                    && match world.trace_use(user, u).object {
                        Object::Attribute { module: home, name, .. } => (home, name) == (module, class),
                        // e.g. `cls.__subclasses__()` in the class itself.
                        _ => user == module,
                    }
            })
    })
}

/// Whether making an instance may put something into the state of a module.
fn class_registers(world: World, module: ModuleId, class: ClassId, depth: usize) -> bool {
    let file = world.names.file(module);
    let found = file.class(class);
    let made_by = ["__init__", "__new__", "__post_init__"];
    let own = made_by.iter().filter_map(|m| found.methods.get(m)).flatten();
    own.into_iter().any(|f| function_registers(world, module, *f, depth))
        || found.bases.iter().any(|path| {
            let Some((first, rest)) = path.split_first() else { return false };
            match world.trace(module, MODULE, first, rest).object {
                Object::Attribute { module: home, name, rest } if rest.is_empty() && depth > 0 => {
                    let bindings = world.names.file(home).bindings(name);
                    bindings.iter().any(|b| match b.what {
                        Bound::Class(base) if (home, base) != (module, class) => {
                            class_registers(world, home, base, depth - 1)
                        }
                        _ => false,
                    })
                }
                _ => false,
            }
        })
}

/// Whether extending a base class may put the new class into a registry.
fn base_registers(world: World, module: ModuleId, base: &Reference, depth: usize) -> bool {
    if depth == 0 {
        return true;
    }
    match world.trace_reference(module, MODULE, base).object {
        Object::External(path) => keeps_track(&path),
        Object::Attribute { module: home, name, rest } if rest.is_empty() => {
            let file = world.names.file(home);
            file.bindings(name).iter().any(|b| match b.what {
                Bound::Class(class) => {
                    let class = file.class(class);
                    class.methods.contains_key("__init_subclass__")
                        || subclasses_are_asked_for(world, home, name)
                        || class.metaclass.as_ref().is_some_and(|path| metaclass_registers(world, home, path, depth))
                        || class.bases.iter().any(|path| match path.split_first() {
                            Some((first, rest)) => {
                                let base = Reference { name: first, attributes: rest.to_vec() };
                                base_registers(world, home, &base, depth - 1)
                            }
                            None => true,
                        })
                }
                Bound::Import(_) | Bound::Declared => false,
                _ => true,
            })
        }
        Object::Unknown => {
            !base.name.chars().next().is_some_and(char::is_lowercase)
                && !base.name.ends_with("Error")
                && !base.name.ends_with("Exception")
                && !base.name.ends_with("Warning")
        }
        _ => true,
    }
}

fn metaclass_registers(world: World, module: ModuleId, path: &[&str], depth: usize) -> bool {
    let Some((first, rest)) = path.split_first() else { return true };
    match world.trace(module, MODULE, first, rest).object {
        Object::External(path) => !is_stdlib(&path),
        Object::Attribute { module: home, name, rest } if rest.is_empty() && depth > 0 => {
            let file = world.names.file(home);
            file.bindings(name).iter().any(|b| match b.what {
                Bound::Class(class) => {
                    let class = file.class(class);
                    ["__new__", "__init__", "__call__"].iter().any(|m| class.methods.contains_key(m))
                }
                _ => true,
            })
        }
        Object::Unknown => first != &"type",
        _ => true,
    }
}
