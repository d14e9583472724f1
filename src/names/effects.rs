//! What importing a module does that others can see, beyond binding its own names. Errs on the side of "something".

use std::collections::BTreeSet;

use super::evaluated::is_stdlib;
use super::scope::{ClassId, FunctionId, MODULE, Reference, Role};
use super::{Bound, FileNames, Moment, Object, ScopeId, Use, World};
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

/// Those of them that are parts of words.
const STEMS: [&str; 3] = ["regist", "subscri", "listen"];

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
    let last = path.rsplit('.').next().unwrap_or_default();
    let has_capitals = last.chars().any(char::is_lowercase) && last.chars().any(char::is_uppercase);
    let registers = |name: &str| {
        let name = name.to_lowercase();
        // A name in capitals tells its words apart: a `Documenter` is no `Document`.
        REGISTERING.iter().any(|word| match STEMS.contains(word) || !has_capitals {
            true => name.contains(word),
            false => name.strip_prefix(word).is_some_and(|end| matches!(end, "" | "s")),
        })
    };
    KEEPING_TRACK.contains(&top) || camel_words(last).any(registers)
}

/// `AppTask` as `App`, `Task`; a name without capitals as it is.
fn camel_words(name: &str) -> impl Iterator<Item = &str> {
    let starts = name.char_indices().filter(|(_, c)| c.is_uppercase()).map(|(at, _)| at);
    let cuts: BTreeSet<usize> = starts.chain([0, name.len()]).collect();
    let cuts: Vec<usize> = cuts.into_iter().collect();
    (1..cuts.len()).map(move |end| &name[cuts[end - 1]..cuts[end]])
}

/// Whose state a statement may change, beyond names that it binds.
#[derive(Clone, Debug, Default)]
pub struct Changed {
    modules: BTreeSet<ModuleId>,
    /// Something of which nothing is known.
    anything: bool,
}

impl Changed {
    fn nothing() -> Self {
        Self::default()
    }

    fn anything() -> Self {
        Self { anything: true, ..Self::default() }
    }

    fn of(module: ModuleId) -> Self {
        Self { modules: BTreeSet::from([module]), anything: false }
    }

    fn anything_if(unknown: bool) -> Self {
        Self { anything: unknown, ..Self::default() }
    }

    fn and(mut self, other: Self) -> Self {
        self.modules.extend(other.modules);
        self.anything |= other.anything;
        self
    }

    fn all(parts: impl IntoIterator<Item = Changed>) -> Self {
        parts.into_iter().fold(Self::nothing(), Self::and)
    }

    /// Whether it changes nothing at all.
    pub fn is_nothing(&self) -> bool {
        self.modules.is_empty() && !self.anything
    }

    /// Whether it changes something outside of the modules that are `unseen`.
    pub fn shows(&self, unseen: &dyn Fn(ModuleId) -> bool) -> bool {
        self.anything || self.modules.iter().any(|m| !unseen(*m))
    }
}

/// The statements of a module's body that change something, and whose state that is.
pub fn effects(world: World, module: ModuleId) -> Vec<(Span, Changed)> {
    let all = world.names.effects(module).iter();
    all.map(|e| (e.span, touched(world, module, e))).filter(|(_, touched)| !touched.is_nothing()).collect()
}

/// The first statement inside a span that changes more than what it stands beside: a registration in the module itself
/// counts, an item of its own collection does not.
pub fn within(world: World, module: ModuleId, span: Span) -> Option<Span> {
    let mut inside = world.names.effects(module).iter().filter(|e| span.contains(e.span));
    let own = |what: &What, m: ModuleId| m == module && matches!(what, What::Store(_) | What::Call(_));
    inside.find(|e| touched(world, module, e).shows(&|m| own(&e.what, m))).map(|e| e.span)
}

fn touched(world: World, module: ModuleId, effect: &Effect) -> Changed {
    match &effect.what {
        What::Other | What::Call(None) | What::Decorator(None) | What::Store(None) => Changed::anything(),
        What::Base(None) | What::Metaclass(None) => Changed::anything(),
        What::Call(Some(call)) if !call.attributes.is_empty() && is_own(world, module, call) => {
            state(world, module, call)
        }
        What::Call(Some(call)) => by_call(world, module, call),
        What::Store(Some(target)) => state(world, module, target),
        What::BoundCall(call) => match world.trace_reference(module, MODULE, call).object {
            Object::Attribute { module: home, name, rest } if rest.is_empty() => {
                registers(world, home, name, &mut Seen::new())
            }
            // A method of an instance made here and now.
            Object::Attribute { module: home, name, .. } if is_class(world, home, name) => {
                registers(world, home, name, &mut Seen::new())
            }
            // A method of an object that another module owns, e.g. `task = app.task(f)`.
            Object::Attribute { module: home, .. } if home != module => Changed::of(home),
            Object::External(path) => {
                Changed::anything_if(!is_stdlib(&path) && keeps_track(&path) && path.contains(".register"))
            }
            _ => Changed::nothing(),
        },
        What::Decorator(Some(decorator)) => match world.trace_reference(module, MODULE, decorator).object {
            Object::Attribute { module: home, name, rest } if rest.is_empty() => {
                registers(world, home, name, &mut Seen::new())
            }
            Object::Attribute { module: home, .. } if home != module => Changed::of(home),
            Object::Attribute { .. } => Changed::nothing(),
            Object::External(path) => Changed::anything_if(keeps_track(&path)),
            Object::Module(_) => Changed::anything(),
            Object::Unknown => match defined_around(world.names.file(module), effect.span, decorator) {
                Some(functions) => {
                    Changed::all(functions.iter().map(|f| function_registers(world, module, *f, &mut Seen::new())))
                }
                None => Changed::anything_if(
                    !matches!(decorator.name, "property" | "staticmethod" | "classmethod") && !in_class_body(decorator),
                ),
            },
        },
        What::Base(Some(base)) => base_registers(world, module, base, 16),
        What::Metaclass(Some(path)) => {
            let path: Vec<&str> = std::iter::once(path.name).chain(path.attributes.iter().copied()).collect();
            metaclass_registers(world, module, &path, 16)
        }
    }
}

/// Whose state an object is that a dotted name of the module's own scope stands for.
fn state(world: World, module: ModuleId, reference: &Reference) -> Changed {
    if is_own(world, module, reference) {
        // What it was made of may be an object of another module.
        let bindings = world.names.file(module).bindings(reference.name);
        let sources = bindings.iter().flat_map(|b| &b.from).map(|from| {
            match world.trace_reference(module, MODULE, from).object {
                Object::Attribute { module: home, name, .. } if home != module && !is_code(world, home, name) => {
                    Changed::of(home)
                }
                Object::Module(home) => Changed::of(home),
                _ => Changed::nothing(),
            }
        });
        return Changed::of(module).and(Changed::all(sources));
    }
    match world.trace_reference(module, MODULE, reference).object {
        Object::Attribute { module: home, .. } | Object::Module(home) if home != module => Changed::of(home),
        _ => Changed::anything(),
    }
}

/// Whether a name stands for a function or class: calling it gives something new.
fn is_code(world: World, module: ModuleId, name: &str) -> bool {
    let bindings = world.names.file(module).bindings(name);
    !bindings.is_empty() && bindings.iter().all(|b| matches!(b.what, Bound::Class(_) | Bound::Function(_)))
}

/// The functions of a bare name that the class body around a statement defines.
fn defined_around<'f>(file: &'f FileNames, at: Span, name: &Reference) -> Option<&'f [FunctionId]> {
    let around = file.classes.iter().filter(|class| class.span.contains(at));
    let functions = around.max_by_key(|class| class.span.start)?.methods.get(name.name)?;
    name.attributes.is_empty().then_some(functions)
}

/// `@name.setter` and its like name something of the class body.
fn in_class_body(decorator: &Reference) -> bool {
    matches!(decorator.attributes.last(), Some(&("setter" | "getter" | "deleter")))
}

/// Whether an object is one that the module made itself.
fn is_own(world: World, module: ModuleId, reference: &Reference) -> bool {
    let bindings = world.names.file(module).bindings(reference.name);
    bindings.iter().all(|b| !matches!(b.what, Bound::Import(_)))
        && (!bindings.is_empty() || reference.name.starts_with("__"))
}

/// What a call does whose result is thrown away.
fn by_call(world: World, module: ModuleId, call: &Reference) -> Changed {
    match world.trace_reference(module, MODULE, call).object {
        Object::External(path) => Changed::anything_if(!matches!(
            path.as_str(),
            "logging.getLogger.addHandler" | "typing.cast" | "warnings.warn"
        )),
        Object::Attribute { module: home, name, rest } if rest.is_empty() && is_function(world, home, name) => {
            registers(world, home, name, &mut Seen::new())
        }
        Object::Unknown => Changed::anything_if(
            !call.attributes.is_empty() || !matches!(call.name, "isinstance" | "hasattr" | "super"),
        ),
        _ => Changed::anything(),
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

/// Builtin types, which a call may be handed and may call.
const TYPES: [&str; 12] =
    ["bool", "bytearray", "bytes", "complex", "dict", "float", "frozenset", "int", "list", "set", "str", "tuple"];

/// Functions and classes already looked at.
type Seen = BTreeSet<(ModuleId, Span)>;

/// The modules whose state calling a name of the project may change.
fn registers(world: World, module: ModuleId, name: &str, seen: &mut Seen) -> Changed {
    let file = world.names.file(module);
    let bindings = file.bindings(name);
    if bindings.is_empty() {
        return Changed::anything();
    }
    Changed::all(bindings.iter().map(|binding| match binding.what {
        Bound::Function(id) => function_registers(world, module, id, seen),
        // Making an object binds it and no more, unless its class keeps track.
        Bound::Class(class) => class_registers(world, module, class, seen),
        // e.g. `decorator = factory(option)`: what the functions that made it do.
        Bound::Value if !binding.from.is_empty() => {
            Changed::all(binding.from.iter().map(|from| match world.trace_reference(module, MODULE, from).object {
                Object::Attribute { module: home, name: maker, rest }
                    if rest.is_empty() && (home, maker) != (module, name) && is_code(world, home, maker) =>
                {
                    // What it made may keep what it is handed, in itself or in the variables around it.
                    registers(world, home, maker, seen).and(called(world, home, maker, seen)).and(Changed::of(module))
                }
                Object::External(path) => Changed::anything_if(!is_stdlib(&path)),
                Object::Unknown if from.attributes.is_empty() && TYPES.contains(&from.name) => Changed::nothing(),
                _ => Changed::anything(),
            }))
        }
        _ => Changed::anything(),
    }))
}

/// The modules whose state calling an instance of a class may change.
fn called(world: World, module: ModuleId, class: &str, seen: &mut Seen) -> Changed {
    let file = world.names.file(module);
    let classes =
        file.bindings(class).iter().filter_map(|b| if let Bound::Class(id) = b.what { Some(id) } else { None });
    let methods = classes.filter_map(|id| file.class(id).methods.get("__call__")).flatten();
    Changed::all(methods.map(|method| function_registers(world, module, *method, seen)))
}

/// The modules whose state running a function may change.
fn function_registers(world: World, module: ModuleId, id: FunctionId, seen: &mut Seen) -> Changed {
    let file = world.names.file(module);
    if !seen.insert((module, file.function(id).span)) {
        return Changed::nothing();
    }
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
    let own = if sets_global { Changed::of(module) } else { Changed::nothing() };
    let uses = file.uses.iter().filter(|u| within(u.moment)).map(|u| {
        let stored = || {
            let attributes = u.attributes.iter().map(|a| a.text).collect();
            state(world, module, &Reference { name: u.name, attributes })
        };
        match u.role {
            _ if u.owner.is_some() && shares(file, id, u) => Changed::of(module),
            // e.g. `self.register()`.
            Role::Called if u.attributes.len() == 1 && is_self(file, id, u) => {
                let class = file.class(file.function(id).class.expect("`self` is of a method"));
                let methods = class.methods.get(u.attributes[0].text).into_iter().flatten();
                Changed::all(methods.map(|m| function_registers(world, module, *m, seen)))
            }
            Role::Argument if u.owner == Some(MODULE) && is_changed_by_call(u) => stored(),
            // What a function does to its own variables, or to attributes of what it is handed, stays there.
            Role::Store | Role::Delete if u.owner == Some(MODULE) => stored(),
            Role::Store | Role::Delete => {
                Changed::anything_if(u.attributes.is_empty() && u.owner.is_some_and(|o| is_parameter(file, o, u.name)))
            }
            Role::Called if u.owner == Some(MODULE) && !u.attributes.is_empty() => {
                if u.attributes.last().is_some_and(|a| MUTATORS.contains(&a.text)) {
                    stored()
                } else {
                    Changed::nothing()
                }
            }
            Role::Called if u.owner == Some(MODULE) && u.name != name => match world.trace_use(module, u).object {
                Object::Attribute { module, name, rest } if rest.is_empty() && is_function(world, module, name) => {
                    registers(world, module, name, seen)
                }
                Object::External(path) => Changed::anything_if(keeps_track(&path)),
                _ => Changed::nothing(),
            },
            _ => Changed::nothing(),
        }
    });
    own.and(Changed::all(uses))
}

/// Whether a use names the object or class that a method is called on.
fn is_self(file: &FileNames, id: FunctionId, used: &Use) -> bool {
    let function = file.function(id);
    function.class.is_some() && used.owner == Some(function.scope) && function.params.first() == Some(&used.name)
}

/// Whether a method changes by a use of `self` or `cls` what all instances of its class share.
fn shares(file: &FileNames, id: FunctionId, used: &Use) -> bool {
    if !is_self(file, id, used) || used.attributes.is_empty() {
        return false;
    }
    let function = file.function(id);
    let of_class = matches!(function.name, "__new__" | "__init_subclass__" | "__class_getitem__")
        || function.decorators.iter().any(|d| d.as_slice() == ["classmethod"])
        || used.attributes[0].text == "__class__";
    let last = used.attributes[used.attributes.len() - 1].text;
    match used.role {
        Role::Store | Role::Delete => of_class,
        Role::Called if used.attributes.len() > 1 && MUTATORS.contains(&last) => {
            of_class || is_of_class(file, function.class, used)
        }
        Role::Argument => is_changed_by_call(used) && (of_class || is_of_class(file, function.class, used)),
        _ => false,
    }
}

/// Whether the attribute behind `self` is bound in the body of the class, and by no method.
fn is_of_class(file: &FileNames, class: Option<ClassId>, used: &Use) -> bool {
    let Some(class) = class.map(|c| file.class(c)) else { return false };
    let attribute = used.attributes[0].text;
    let set_here = file.uses.iter().any(|u| {
        class.span.contains(u.span)
            && u.role == Role::Store
            && u.name == used.name
            && u.attributes.len() == 1
            && u.attributes[0].text == attribute
    });
    file.scope(class.scope).bindings.contains_key(attribute) && !set_here
}

/// Whether it is handed to a function of the standard library that changes what it gets.
fn is_changed_by_call(used: &Use) -> bool {
    const CHANGING: [&str; 9] =
        ["next", "setattr", "delattr", "heappush", "heappop", "insort", "insort_left", "insort_right", "shuffle"];
    used.passed_to.as_ref().is_some_and(|to| CHANGING.contains(&to.attributes.last().copied().unwrap_or(to.name)))
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

/// The modules whose state making an instance may change.
fn class_registers(world: World, module: ModuleId, class: ClassId, seen: &mut Seen) -> Changed {
    let file = world.names.file(module);
    let found = file.class(class);
    if !seen.insert((module, found.span)) {
        return Changed::nothing();
    }
    let made_by = ["__init__", "__new__", "__post_init__", "__set_name__"];
    let own = made_by.iter().filter_map(|m| found.methods.get(m)).flatten();
    let own = Changed::all(own.map(|f| function_registers(world, module, *f, seen)));
    let bases = found.bases.iter().map(|path| {
        let Some((first, rest)) = path.split_first() else { return Changed::nothing() };
        match world.trace(module, MODULE, first, rest).object {
            Object::Attribute { module: home, name, rest } if rest.is_empty() => {
                Changed::all(world.names.file(home).bindings(name).iter().map(|b| match b.what {
                    Bound::Class(base) if (home, base) != (module, class) => class_registers(world, home, base, seen),
                    _ => Changed::nothing(),
                }))
            }
            _ => Changed::nothing(),
        }
    });
    own.and(Changed::all(bases))
}

/// The modules whose state extending a base class may change: a registry is kept where the class is that keeps it.
fn base_registers(world: World, module: ModuleId, base: &Reference, depth: usize) -> Changed {
    if depth == 0 {
        return Changed::anything();
    }
    match world.trace_reference(module, MODULE, base).object {
        Object::External(path) => Changed::anything_if(keeps_track(&path)),
        Object::Attribute { module: home, name, rest } if rest.is_empty() => {
            let bindings = world.names.file(home).bindings(name).iter();
            Changed::all(bindings.map(|b| match b.what {
                Bound::Class(class) => class_keeps_track(world, home, name, class, depth),
                Bound::Import(_) | Bound::Declared => Changed::nothing(),
                _ => Changed::anything(),
            }))
        }
        Object::Unknown => Changed::anything_if(
            !base.name.chars().next().is_some_and(char::is_lowercase)
                && !["Error", "Exception", "Warning"].iter().any(|end| base.name.ends_with(end)),
        ),
        _ => Changed::anything(),
    }
}

fn class_keeps_track(world: World, home: ModuleId, name: &str, class: ClassId, depth: usize) -> Changed {
    let class = world.names.file(home).class(class);
    let hooks = class.methods.get("__init_subclass__").into_iter().flatten();
    let hook =
        Changed::all(hooks.map(|f| Changed::of(home).and(function_registers(world, home, *f, &mut Seen::new()))));
    let asked = subclasses_are_asked_for(world, home, name);
    let metaclass = class.metaclass.as_ref().map(|path| metaclass_registers(world, home, path, depth));
    let bases = class.bases.iter().map(|path| match path.split_first() {
        Some((first, rest)) => {
            base_registers(world, home, &Reference { name: first, attributes: rest.to_vec() }, depth - 1)
        }
        None => Changed::anything(),
    });
    let asked = if asked { Changed::of(home) } else { Changed::nothing() };
    hook.and(asked).and(Changed::all(metaclass)).and(Changed::all(bases))
}

fn metaclass_registers(world: World, module: ModuleId, path: &[&str], depth: usize) -> Changed {
    let Some((first, rest)) = path.split_first() else { return Changed::anything() };
    match world.trace(module, MODULE, first, rest).object {
        Object::External(path) => Changed::anything_if(!is_stdlib(&path)),
        Object::Attribute { module: home, name, rest } if rest.is_empty() && depth > 0 => {
            let file = world.names.file(home);
            Changed::all(file.bindings(name).iter().map(|b| match b.what {
                Bound::Class(class) => {
                    let class = file.class(class);
                    let hooks = ["__new__", "__init__", "__call__"].iter().filter_map(|m| class.methods.get(m));
                    Changed::anything_if(hooks.flatten().next().is_some())
                }
                _ => Changed::anything(),
            }))
        }
        Object::Unknown => Changed::anything_if(first != &"type"),
        _ => Changed::anything(),
    }
}
