//! What is the same whenever it is loaded: modules of which nobody can tell that they are loaded earlier than now.

use std::collections::BTreeSet;

use super::Context;
use super::loading::state_read;
use crate::graph::Edge;
use crate::names::evaluated::is_stdlib;
use crate::names::{Bound, Moment, Object, Role, Use};
use crate::outcome::Kind;
use crate::project::{ModuleId, ModuleSet};
use crate::syntax::Span;
use crate::syntax::imports::{ImportSite, Place};

/// Modules of the standard library, as [`is_stdlib`] has it, that are not there on every platform, build or version.
const OPTIONAL: [&str; 27] = [
    "_winapi",
    "bz2",
    "crypt",
    "ctypes",
    "curses",
    "dbm",
    "distutils",
    "fcntl",
    "graphlib",
    "grp",
    "lzma",
    "msvcrt",
    "nt",
    "posix",
    "pty",
    "pwd",
    "readline",
    "resource",
    "ssl",
    "sqlite3",
    "termios",
    "tkinter",
    "tomllib",
    "turtle",
    "typing_extensions",
    "winreg",
    "zoneinfo",
];

/// Modules whose attributes may have another value later.
const STATE: [&str; 7] = ["locale", "os", "platform", "site", "sys", "sysconfig", "warnings"];

/// What gives the same whenever it is called: builtins, and names of the standard library.
const PURE: [&str; 33] = [
    "abc.abstractmethod",
    "bytes",
    "classmethod",
    "collections.namedtuple",
    "collections.OrderedDict",
    "contextlib.contextmanager",
    "dataclasses.dataclass",
    "dataclasses.field",
    "dict",
    "enum.auto",
    "enum.unique",
    "float",
    "frozenset",
    "functools.lru_cache",
    "functools.partial",
    "functools.total_ordering",
    "functools.wraps",
    "int",
    "len",
    "list",
    "logging.getLogger",
    "object",
    "property",
    "range",
    "re.compile",
    "set",
    "staticmethod",
    "str",
    "tuple",
    "typing.NewType",
    "typing.TypeVar",
    "typing.ParamSpec",
    "typing.overload",
];

/// Where it may show that `target` is loaded with `entry` from now on: a module that comes with it does something when it is
/// loaded, reads what may change, or needs what may be missing.
pub fn shows_earlier(ctx: &Context, entry: ModuleId, target: ModuleId) -> Option<(ModuleId, Span)> {
    let before = surely_loaded(ctx, entry);
    let mut new = ctx.world.graph.loads(target).iter().filter(|m| !before.contains(m)).peekable();
    new.peek()?;
    let known = outside(ctx, &before);
    new.find_map(|module| Some((module, unsettled(ctx, module, &known)?)))
}

/// Where it may show that an import of one module stands in another as well.
pub fn shows_import(ctx: &Context, entry: ModuleId, from: (ModuleId, usize)) -> Option<(ModuleId, Span)> {
    let site = ctx.world.graph.site(from.0, from.1);
    match ctx.world.graph.targets[from.0.index()][from.1] {
        Some(target) => shows_earlier(ctx, entry, target.module),
        None => {
            let known = outside(ctx, &surely_loaded(ctx, entry));
            (!is_there(site, &known)).then_some((from.0, site.at))
        }
    }
}

/// What is loaded with a module in any case: what stands in an `if` or a `try` may not be.
fn surely_loaded(ctx: &Context, entry: ModuleId) -> ModuleSet {
    let graph = ctx.world.graph;
    graph.loaded_by(entry, &|e: &Edge| graph.site(e.from, e.site).place == Place::Block)
}

/// What modules import from outside of the project in any case.
fn outside<'p>(ctx: &Context<'_, 'p>, modules: &ModuleSet) -> BTreeSet<(&'p str, Option<&'p str>)> {
    let graph = ctx.world.graph;
    let sites = modules.iter().flat_map(|m| graph.files[m.index()].sites.iter().zip(&graph.targets[m.index()]));
    let loaded = sites.filter(|(s, target)| s.kind == Kind::Eager && s.place == Place::Top && target.is_none());
    loaded.flat_map(|(s, _)| [(s.module, s.name), (s.module, None)]).collect()
}

/// Whether an import from outside of the project neither fails nor does anything where others are made.
fn is_there(site: &ImportSite, known: &BTreeSet<(&str, Option<&str>)>) -> bool {
    let top = site.module.split('.').next().unwrap_or_default();
    let standard = is_stdlib(top) && !OPTIONAL.contains(&top);
    !site.call && (standard || !site.star && known.contains(&(site.module, site.name)))
}

/// Whether a module is the same whenever it is loaded, and can be loaded wherever the project runs.
pub fn is_settled(ctx: &Context, module: ModuleId) -> bool {
    unsettled(ctx, module, &BTreeSet::new()).is_none()
}

/// What in a module may fail, do something, or give another thing at another time when it is loaded.
fn unsettled(ctx: &Context, module: ModuleId, known: &BTreeSet<(&str, Option<&str>)>) -> Option<Span> {
    let graph = ctx.world.graph;
    let file = ctx.world.names.file(module);
    let sites = graph.files[module.index()].sites.iter().zip(&graph.targets[module.index()]);
    let mut missing = sites.filter(|(s, target)| s.kind == Kind::Eager && target.is_none() && !is_there(s, known));
    let unread = graph.files[module.index()].error.map(|at| Span { start: at, end: at });
    missing
        .next()
        .map(|(s, _)| s.stmt)
        .or(unread)
        .or(file.dynamic)
        .or_else(|| ctx.effect(module, &|_| false))
        .or_else(|| ctx.reads(module).first().map(|read| read.at))
        .or_else(|| state_read(ctx, module).map(|found| found.at.1))
        .or_else(|| file.method_calls.iter().find(|call| call.moment == Moment::Import).map(|call| call.span))
        .or_else(|| {
            let mut uses = file.uses.iter().filter(|u| u.moment == Moment::Import);
            uses.find(|u| !is_constant(ctx, module, u)).map(|u| u.span)
        })
}

/// Whether what a use of a name gives does not depend on when it runs.
fn is_constant<'p>(ctx: &Context<'_, 'p>, module: ModuleId, used: &Use<'p>) -> bool {
    let called = matches!(used.role, Role::Called | Role::Decorator);
    match ctx.world.trace_use(module, used).object {
        Object::Module(_) => !called,
        Object::External(path) => {
            let state = STATE.contains(&path.split('.').next().unwrap_or_default());
            PURE.contains(&path.as_str()) || !called && !state
        }
        Object::Attribute { module: home, name, .. } => {
            let stays = |b: &crate::names::scope::Binding| !b.from_inside && b.what != Bound::Deleted;
            !called
                && ctx.world.names.file(home).bindings(name).iter().all(stays)
                && ctx.users.replaced(home, name).is_none()
        }
        Object::Unknown => !called || used.owner.is_none() && PURE.contains(&used.name),
    }
}
