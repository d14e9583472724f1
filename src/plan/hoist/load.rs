//! What an import at the top of a module loads, and whether anything can tell that it is loaded earlier.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::graph::{Edge, Graph};
use crate::names::evaluated::is_stdlib;
use crate::names::{Bound, Moment, Object, Role, Use};
use crate::outcome::Kind;
use crate::project::ModuleId;
use crate::strategy::{Context, state_read};
use crate::syntax::imports::Place;

/// Modules of the standard library that are not there on every platform or build.
const OPTIONAL: [&str; 21] = [
    "_winapi", "bz2", "crypt", "ctypes", "curses", "dbm", "fcntl", "grp", "lzma", "msvcrt", "nt", "posix", "pty",
    "pwd", "readline", "resource", "ssl", "sqlite3", "termios", "tkinter", "winreg",
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

/// Who loads whom while it is imported: at the top, or in a function that may run then.
pub struct Loads<'g, 'p> {
    graph: &'g Graph<'p>,
    next: Vec<BTreeSet<ModuleId>>,
}

impl<'g, 'p> Loads<'g, 'p> {
    pub fn new(ctx: &Context<'g, 'p>) -> Self {
        let graph = ctx.world.graph;
        let mut next = vec![BTreeSet::new(); graph.files.len()];
        for edge in graph.edges.iter().filter(|e| runs(ctx, e)) {
            next[edge.from.index()].insert(edge.to);
        }
        Self { graph, next }
    }

    /// Takes it that a module loads others as well.
    pub fn add(&mut self, from: ModuleId, to: impl IntoIterator<Item = ModuleId>) {
        self.next[from.index()].extend(to);
    }

    /// All that is loaded when a module is imported first.
    pub fn of(&self, entry: ModuleId) -> HashSet<ModuleId> {
        let mut todo = vec![entry];
        todo.extend(packages(self.graph, entry));
        let mut seen: HashSet<ModuleId> = todo.iter().copied().collect();
        while let Some(at) = todo.pop() {
            todo.extend(self.next[at.index()].iter().copied().filter(|to| seen.insert(*to)));
        }
        seen
    }
}

fn packages(graph: &Graph, module: ModuleId) -> Vec<ModuleId> {
    graph.project.tree.above(module).collect()
}

/// Whether an import may run while its module is imported.
fn runs(ctx: &Context, edge: &Edge) -> bool {
    match edge.kind {
        Kind::Eager | Kind::Lazy => true,
        Kind::Type => false,
        Kind::Deferred => {
            let stmt = ctx.world.graph.site(edge.from, edge.site).stmt;
            let file = ctx.world.names.file(edge.from);
            let mut functions = (0u32..).map(crate::names::scope::FunctionId).zip(&file.functions);
            functions.any(|(id, f)| f.span.contains(stmt) && ctx.running.may_run(edge.from, id))
        }
    }
}

/// The first module that would be loaded earlier than now, though that may be seen: it does something when it is loaded, reads
/// what may change, or needs what may be missing.
pub fn visible(ctx: &Context, loads: &Loads, module: ModuleId, targets: &[ModuleId]) -> Option<ModuleId> {
    // What stands in an `if` or a `try` may not be loaded at all.
    let conditional = |e: &Edge| ctx.world.graph.site(e.from, e.site).place == Place::Block;
    let before = ctx.world.graph.loaded_by(module, &conditional);
    let loaded: BTreeSet<ModuleId> = targets.iter().flat_map(|m| loads.of(*m)).collect();
    loaded.into_iter().filter(|m| !before.contains(m)).find(|m| !is_settled(ctx, *m))
}

/// Whether a module is the same whenever it is loaded, and can be loaded wherever the project runs.
fn is_settled(ctx: &Context, module: ModuleId) -> bool {
    let graph = ctx.world.graph;
    let file = ctx.world.names.file(module);
    let sites = graph.files[module.index()].sites.iter().zip(&graph.targets[module.index()]);
    let common = sites.filter(|(s, target)| s.kind == Kind::Eager && target.is_none()).all(|(s, _)| {
        let top = s.module.split('.').next().unwrap_or_default();
        is_stdlib(top) && !OPTIONAL.contains(&top) && !s.call
    });
    common
        && graph.files[module.index()].error.is_none()
        && file.dynamic.is_none()
        && ctx.effect(module, &|_| false).is_none()
        && state_read(ctx, module).is_none()
        && !file.method_calls.iter().any(|call| call.moment == Moment::Import)
        && file.uses.iter().filter(|u| u.moment == Moment::Import).all(|u| is_constant(ctx, module, u))
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

/// Whether a module that does something when it is loaded is loaded before or after other modules than it was, or what the module
/// itself does comes before one of its imports.
pub fn is_reordered(ctx: &Context, after: &Graph, module: ModuleId) -> bool {
    let sites = ctx.world.graph.files[module.index()].sites.iter();
    let last = sites.filter(|s| s.kind == Kind::Eager).map(|s| s.stmt.start).max();
    if ctx.effect(module, &|_| false).is_some_and(|effect| last.is_some_and(|last| effect.start < last)) {
        return true;
    }
    let before = order(ctx.world.graph, module);
    let known: HashSet<ModuleId> = before.iter().copied().collect();
    let after: Vec<ModuleId> = order(after, module).into_iter().filter(|m| known.contains(m)).collect();
    let mut acts: HashMap<ModuleId, bool> = HashMap::new();
    let mut segments = |all: &[ModuleId]| -> Vec<BTreeSet<ModuleId>> {
        let mut out = vec![BTreeSet::new()];
        for module in all {
            let acts = *acts.entry(*module).or_insert_with(|| !is_settled(ctx, *module));
            if acts {
                out.extend([BTreeSet::from([*module]), BTreeSet::new()]);
            } else if let Some(last) = out.last_mut() {
                last.insert(*module);
            }
        }
        out
    };
    segments(&before) != segments(&after)
}

/// The modules that an import of `entry` loads, in the order in which they are done.
fn order(graph: &Graph, entry: ModuleId) -> Vec<ModuleId> {
    let mut seen = HashSet::new();
    let mut out = Vec::new();
    for start in packages(graph, entry).into_iter().chain([entry]) {
        run(graph, start, &mut seen, &mut out);
    }
    out
}

/// Appends what a module loads, then itself. A stack of its own, since chains of imports are long.
fn run(graph: &Graph, start: ModuleId, seen: &mut HashSet<ModuleId>, out: &mut Vec<ModuleId>) {
    let mut stack: Vec<(ModuleId, Vec<ModuleId>)> = Vec::new();
    let enter = |module: ModuleId| {
        let mut edges: Vec<&Edge> = graph.edges_of(module).iter().filter(|e| e.kind == Kind::Eager).collect();
        let depth = |e: &Edge| graph.project.module(e.to).name.len();
        edges.sort_by_key(|e| std::cmp::Reverse((e.site, !e.implicit, depth(e))));
        (module, edges.into_iter().map(|e| e.to).collect())
    };
    if seen.insert(start) {
        stack.push(enter(start));
    }
    while let Some((module, rest)) = stack.last_mut() {
        match rest.pop() {
            Some(next) if seen.insert(next) => stack.push(enter(next)),
            Some(_) => {}
            None => {
                out.push(*module);
                stack.pop();
            }
        }
    }
}
