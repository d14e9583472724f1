//! Whether statements may leave their module: nothing may tell where they stand, when they run, or that what replaces a name
//! of the module no longer reaches them.

use std::collections::BTreeSet;

use super::closure::{Closure, Sheet};
use super::import_use::Obstacle;
use super::writable::not_writable;
use super::{Context, Reason, standing};
use crate::names::effects::within;
use crate::names::evaluated::is_stdlib;
use crate::names::methods::READING;
use crate::names::scope::{FunctionId, MODULE};
use crate::names::{Bound, Moment, Object, Role, Use};
use crate::project::ModuleId;
use crate::syntax::Span;
use crate::syntax::ast::{Expr, ExprKind, Stmt, StmtKind};
use crate::syntax::imports::Place;

/// What stands against taking anything out of a module.
pub fn module_obstacle(ctx: &Context, module: ModuleId) -> Option<Obstacle> {
    let project = ctx.project();
    let source = project.file(project.module(module).file);
    let file = ctx.world.names.file(module);
    let users = ctx.users.of(module);
    let name = &project.module(module).name;
    let at = |span: Span| (module, span);
    let refuse = |reason, at, message: String| Some(Obstacle::new(reason, at, message));
    if let Some((reason, message)) = not_writable(ctx, module) {
        return refuse(reason, at(Span::default()), message);
    }
    if project.stubs.iter().any(|s| s.strip_suffix('i') == Some(&source.path)) {
        return refuse(Reason::Stub, at(Span::default()), format!("a stub file stands beside `{name}`"));
    }
    let main = file.uses.iter().find(|u| u.moment == Moment::Main);
    if name.rsplit('.').next() == Some("__main__") || main.is_some() {
        let span = main.map_or(Span::default(), |u| u.span);
        return refuse(Reason::Script, at(span), format!("`{name}` is run as a script"));
    }
    if let Some(reloaded) = users.reloaded {
        return refuse(Reason::ReloadedModule, reloaded, format!("`{name}` is reloaded"));
    }
    let sites = &ctx.world.graph.files[module.index()].sites;
    if let Some(star) = sites.iter().find(|s| s.star && s.place < Place::Function) {
        return refuse(Reason::NoName, at(star.stmt), "`import *` may bind any name".to_owned());
    }
    if let Some(at) = standing::told_by_place(ctx, module) {
        return refuse(Reason::PlaceDependent, at, format!("what is defined in `{name}` is told by its module"));
    }
    if let Some(span) = file.dynamic {
        return refuse(Reason::DynamicNames, at(span), format!("`{name}` reads its own names by string"));
    }
    if let Some(escape) = users.escapes.iter().find(|(user, _)| *user != module) {
        let message = format!("the module object of `{name}` is handed on, so that its names may be looked at");
        return refuse(Reason::DynamicNames, *escape, message);
    }
    None
}

/// What stands against taking these statements out.
pub fn obstacle<'p>(ctx: &Context<'_, 'p>, sheet: &Sheet<'_, 'p>, closure: &Closure) -> Option<Obstacle> {
    let each = closure.statements.iter();
    patched(ctx, sheet, closure)
        .or_else(|| annotated(ctx, sheet, closure))
        .or_else(|| shown_in_text(ctx, sheet, closure))
        .or_else(|| each.clone().find_map(|index| place(ctx, sheet, sheet.statement(*index).span)))
        .or_else(|| each.clone().find_map(|index| effect(ctx, sheet, *index)))
        .or_else(|| sheet.staying(&closure.statements).find_map(|used| changed(ctx, sheet, closure, used)))
        .or_else(|| above_imports(ctx, sheet, closure))
}

/// Whether a statement means the same at another time and in another module, as far as it alone is concerned.
pub fn stands_anywhere<'p>(ctx: &Context<'_, 'p>, sheet: &Sheet<'_, 'p>, index: usize) -> bool {
    place(ctx, sheet, sheet.statement(index).span).or_else(|| effect(ctx, sheet, index)).is_none()
}

/// A statement that needs what would move, and runs before the imports among which that would be imported back.
fn above_imports(ctx: &Context, sheet: &Sheet, closure: &Closure) -> Option<Obstacle> {
    let first = sheet.ast.body.iter().find(|s| matches!(s.kind, StmtKind::Import(_)))?.span.start;
    let needs = |used: &&Use| {
        let runs = match used.moment {
            Moment::Import => true,
            Moment::Call(function) => runs_on_import(ctx, sheet.module, function),
            _ => false,
        };
        runs && used.span.start < first && used.owner == Some(MODULE) && closure.names.contains(used.name)
    };
    let used = sheet.staying(&closure.statements).find(needs)?;
    let message = format!("`{}` is needed above the first import of its module", used.name);
    Some(Obstacle::new(Reason::NoPlace, (sheet.module, used.span), message))
}

/// An annotation of a variable, which stands in the `__annotations__` of its module.
fn annotated(ctx: &Context, sheet: &Sheet, closure: &Closure) -> Option<Obstacle> {
    let is_annotated = |i: &&usize| matches!(sheet.statement(**i).kind, StmtKind::AnnAssign { .. });
    closure.statements.iter().find(is_annotated)?;
    let read = ctx.users.uses(sheet.module, "__annotations__").next()?;
    let message = format!("the annotations of `{}` are read", ctx.project().module(sheet.module).name);
    Some(Obstacle::new(Reason::DynamicNames, (read.user, read.span), message))
}

/// An exception whose name, as tracebacks show it, stands in a text of the project.
fn shown_in_text(ctx: &Context, sheet: &Sheet, closure: &Closure) -> Option<Obstacle> {
    let file = ctx.world.names.file(sheet.module);
    let is_error = |name: &str| ["Error", "Exception", "Warning"].iter().any(|end| name.ends_with(end));
    let mut errors = file.classes.iter().filter(|class| {
        let base = class.bases.iter().filter_map(|path| path.last()).any(|base| is_error(base));
        class.parent == MODULE && closure.names.contains(class.name) && (base || is_error(class.name))
    });
    errors.find_map(|class| {
        let at = standing::shown_in_text(ctx, sheet.module, class.name)?;
        let path = format!("{}.{}", ctx.project().module(sheet.module).name, class.name);
        Some(Obstacle::new(Reason::PlaceDependent, at, format!("a text names `{path}` as tracebacks show it")))
    })
}

/// A name that the statements read in their module and something replaces there.
fn patched(ctx: &Context, sheet: &Sheet, closure: &Closure) -> Option<Obstacle> {
    closure.reads.iter().find_map(|name| {
        let at = ctx.users.replaced(sheet.module, name)?;
        let path = format!("{}.{name}", ctx.project().module(sheet.module).name);
        Some(Obstacle::new(Reason::PatchedName, at, format!("`{path}` is replaced from outside")))
    })
}

fn place(ctx: &Context, sheet: &Sheet, span: Span) -> Option<Obstacle> {
    let text = span.of(ctx.project().text(sheet.module));
    if let Some((at, word)) = standing::word(ctx, sheet.module, span) {
        let message = format!("`{word}` depends on where the code stands");
        return Some(Obstacle::new(Reason::PlaceDependent, (sheet.module, at), message));
    }
    if let Some((at, name)) = standing::asks_caller(ctx, sheet.module, span) {
        let message = format!("`{name}` looks at the code that calls it");
        return Some(Obstacle::new(Reason::PlaceDependent, (sheet.module, at), message));
    }
    if let Some((at, name)) = standing::asked_by_base(ctx, sheet.module, span) {
        let message = format!("`{name}` looks at the module of a class that inherits from it");
        return Some(Obstacle::new(Reason::PlaceDependent, at, message));
    }
    if let Some((at, name)) = standing::asked_by_decorator(ctx, sheet.module, span) {
        let message = format!("`{name}` looks at the module of what it decorates");
        return Some(Obstacle::new(Reason::PlaceDependent, at, message));
    }
    let mut inside = ctx.world.names.file(sheet.module).functions.iter().filter(|f| span.contains(f.span));
    if let Some(found) = inside.find(|f| f.dynamic) {
        let message = format!("`{}` reads its names by string", found.name);
        return Some(Obstacle::new(Reason::PlaceDependent, (sheet.module, found.span), message));
    }
    text.find(">>>").map(|start| {
        let at = Span { start: span.start + start, end: span.start + start + 3 };
        Obstacle::new(Reason::DoctestUse, (sheet.module, at), "a doctest runs among the names of its module")
    })
}

/// Something that defining does, beyond binding the name, or that its value depends on.
fn effect<'p>(ctx: &Context<'_, 'p>, sheet: &Sheet<'_, 'p>, index: usize) -> Option<Obstacle> {
    let span = sheet.statement(index).span;
    if let Some(found) = within(ctx.world, sheet.module, span) {
        let message = "it does more than define something: what it registers would be registered earlier";
        return Some(Obstacle::new(Reason::ImportSideEffect, (sheet.module, found), message));
    }
    let mut calls = Calls { ctx, sheet, before: span.start, seen: BTreeSet::new() };
    let used = sheet.uses[index].iter().find(|u| u.moment == Moment::Import && !calls.is_quiet(u))?;
    let message = format!("the value may depend on what `{}` finds when it runs", shown(used));
    Some(Obstacle::new(Reason::ImportSideEffect, (sheet.module, used.span), message))
}

fn shown(used: &Use) -> String {
    used.attributes.iter().fold(used.name.to_owned(), |all, a| format!("{all}.{}", a.text))
}

/// Packages of the standard library whose functions give the same whenever they are called.
const SAME_ANY_TIME: [&str; 34] = [
    "abc",
    "array",
    "ast",
    "base64",
    "binascii",
    "builtins",
    "codecs",
    "collections",
    "contextlib",
    "contextvars",
    "copy",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "fractions",
    "functools",
    "hashlib",
    "ipaddress",
    "itertools",
    "math",
    "numbers",
    "operator",
    "pathlib",
    "platform",
    "queue",
    "re",
    "string",
    "struct",
    "textwrap",
    "threading",
    "types",
    "typing",
    "weakref",
];

/// Builtins that do something, or ask for something.
const NOT_QUIET: [&str; 12] =
    ["print", "input", "open", "eval", "exec", "globals", "locals", "vars", "dir", "__import__", "setattr", "delattr"];

/// Follows the calls that evaluating a statement makes.
struct Calls<'s, 'x, 'c, 'p> {
    ctx: &'s Context<'c, 'p>,
    sheet: &'s Sheet<'x, 'p>,
    /// Where the statement begins: what runs before it may have changed something.
    before: usize,
    seen: BTreeSet<&'p str>,
}

impl<'p> Calls<'_, '_, '_, 'p> {
    fn is_quiet(&mut self, used: &Use<'p>) -> bool {
        let called = matches!(used.role, Role::Called | Role::Decorator | Role::Base);
        match self.ctx.world.trace_use(self.sheet.module, used).object {
            Object::External(path) => {
                let top = path.split('.').next().unwrap_or_default();
                let asks = ["os.environ", "sys.path", "sys.modules", "sys.argv", "sys.std"]
                    .iter()
                    .any(|p| path.starts_with(p));
                !asks
                    && (!called
                        || SAME_ANY_TIME.contains(&top)
                        || !is_stdlib(&path) && self.nothing_before()
                        || used.role == Role::Base
                        || path == "typing_extensions"
                        || path.starts_with("typing_extensions."))
            }
            _ if !called => true,
            Object::Module(_) => false,
            Object::Attribute { module, name, .. } if module == self.sheet.module => self.own(name),
            Object::Attribute { .. } => self.nothing_before(),
            Object::Unknown => used.owner.is_some() || !NOT_QUIET.contains(&used.name),
        }
    }

    fn nothing_before(&self) -> bool {
        self.ctx.effect(self.sheet.module, &|_| false).is_none_or(|e| e.start >= self.before)
    }

    /// Whether all that a function or class of the module may call is quiet, too.
    fn own(&mut self, name: &str) -> bool {
        let sheet = self.sheet;
        for index in sheet.binders(name) {
            let Some(known) = sheet.uses[index].iter().map(|u| u.name).find(|n| *n == name) else {
                // Nothing in it names it again: it cannot be seen twice on one path but by others.
                if !self.quiet_inside(index) {
                    return false;
                }
                continue;
            };
            if self.seen.insert(known) && !self.quiet_inside(index) {
                return false;
            }
        }
        true
    }

    fn quiet_inside(&mut self, index: usize) -> bool {
        let sheet = self.sheet;
        if !matches!(sheet.statement(index).kind, StmtKind::Function(_) | StmtKind::Class(_)) {
            return true;
        }
        if self.seen.len() > 30 {
            return false;
        }
        sheet.uses[index].iter().all(|u| {
            let stores = matches!(u.role, Role::Store | Role::Delete) && u.owner == Some(MODULE);
            if stores {
                return false;
            }
            match self.ctx.world.trace_use(sheet.module, u).object {
                Object::Attribute { module, name, .. } if module == sheet.module && u.owner == Some(MODULE) => {
                    !matches!(u.role, Role::Called) || self.deeper(u.name, name)
                }
                _ => matches!(u.role, Role::Annotation(_) | Role::Quoted(_)) || self.is_quiet(u),
            }
        })
    }

    fn deeper(&mut self, used: &'p str, name: &str) -> bool {
        !self.seen.insert(used) || self.own(name)
    }
}

/// A statement that stays and, while the module is imported, changes what would move: who imports the new module alone would
/// not see that.
fn changed(ctx: &Context, sheet: &Sheet, closure: &Closure, used: &Use) -> Option<Obstacle> {
    if used.owner != Some(MODULE) || !closure.names.contains(used.name) {
        return None;
    }
    let at_import = match used.moment {
        Moment::Import => true,
        Moment::Call(function) => runs_on_import(ctx, sheet.module, function),
        _ => false,
    };
    let attribute = used.attributes.last().map(|a| a.text);
    let bindings = ctx.world.names.file(sheet.module).bindings(used.name);
    let is_function = bindings.iter().all(|b| matches!(b.what, Bound::Function(_)));
    let is_value = bindings.iter().all(|b| b.what == Bound::Value);
    let fixed = is_function || is_value && sheet.binders(used.name).all(|i| is_immutable(sheet.statement(i)));
    let changes = match used.role {
        Role::Store | Role::Delete => true,
        Role::Decorator => attribute.is_some(),
        Role::Called => attribute.is_some_and(|a| !READING.contains(&a)) && !(fixed && is_value),
        Role::Argument if used.moment == Moment::Import && attribute.is_none() && !fixed => {
            !is_handed_to_reader(ctx, sheet, used)
        }
        _ => false,
    };
    (at_import && changes).then(|| {
        let message = format!("`{}` is changed by the rest of its module while that is imported", used.name);
        Obstacle::new(Reason::ImportSideEffect, (sheet.module, used.span), message)
    })
}

fn runs_on_import(ctx: &Context, module: ModuleId, function: FunctionId) -> bool {
    ctx.running.may_run(module, ctx.world.names.file(module).outermost(function))
}

fn is_handed_to_reader(ctx: &Context, sheet: &Sheet, used: &Use) -> bool {
    let Some(callee) = used.passed_to() else { return false };
    match ctx.world.trace_reference(sheet.module, used.scope, callee).object {
        Object::External(path) => SAME_ANY_TIME.contains(&path.split('.').next().unwrap_or_default()),
        Object::Unknown => callee.attributes.is_empty() && !NOT_QUIET.contains(&callee.name),
        _ => false,
    }
}

fn is_immutable(stmt: &Stmt) -> bool {
    let value = match &stmt.kind {
        StmtKind::Assign { value, .. } | StmtKind::AnnAssign { value: Some(value), .. } => value,
        _ => return false,
    };
    is_fixed(value)
}

/// Whether nothing can change what an expression gives.
fn is_fixed(value: &Expr) -> bool {
    match &value.kind {
        ExprKind::Str(_) | ExprKind::Constant(_) | ExprKind::Not(_) | ExprKind::Compare { .. } => true,
        // A type alias, or an entry of a table.
        ExprKind::Subscript { value, .. } => value.last_name().is_some_and(|n| n.starts_with(char::is_uppercase)),
        ExprKind::Call { func, .. } => {
            let makers =
                ["compile", "frozenset", "TypeVar", "object", "int", "str", "float", "tuple", "timedelta", "NewType"];
            func.last_name().is_some_and(|n| makers.contains(&n))
        }
        ExprKind::Other(parts) => parts.iter().all(is_fixed),
        ExprKind::Conditional(parts) => parts.iter().all(is_fixed),
        _ => false,
    }
}
