//! What the standard library gives that is another thing at another time, in another thread or another folder.

use std::collections::BTreeSet;

use crate::names::scope::{Binding, MODULE};
use crate::names::{Bound, Moment, Object, Role, Use, World};
use crate::project::ModuleId;
use crate::syntax::Span;

/// Names of the standard library, and all below them, that are another thing at another time.
const CHANGING: [&str; 11] = [
    "os.environ",
    "os.environb",
    "sys.argv",
    "sys.displayhook",
    "sys.excepthook",
    "sys.meta_path",
    "sys.modules",
    "sys.path",
    "sys.stderr",
    "sys.stdin",
    "sys.stdout",
];

/// Functions of the standard library, and all below them, that give another thing at another time.
const ASKING: [&str; 54] = [
    "asyncio.all_tasks",
    "asyncio.current_task",
    "asyncio.get_event_loop",
    "asyncio.get_running_loop",
    "contextvars.copy_context",
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "getpass.getuser",
    "gettext",
    "glob.glob",
    "glob.iglob",
    "importlib.metadata.entry_points",
    "importlib.util.find_spec",
    "io.open",
    "locale.getlocale",
    "logging.getLoggerClass",
    "os.access",
    "os.getcwd",
    "os.getcwdb",
    "os.getenv",
    "os.getpid",
    "os.getppid",
    "os.listdir",
    "os.path.exists",
    "os.path.getmtime",
    "os.path.getsize",
    "os.path.isdir",
    "os.path.isfile",
    "os.path.islink",
    "os.path.lexists",
    "os.scandir",
    "os.stat",
    "os.urandom",
    "os.walk",
    "pathlib.Path.cwd",
    "pkgutil.find_loader",
    "pkgutil.iter_modules",
    "pkgutil.walk_packages",
    "random",
    "secrets",
    "shutil.which",
    "socket.getdefaulttimeout",
    "tempfile",
    "threading.active_count",
    "threading.current_thread",
    "threading.currentThread",
    "threading.enumerate",
    "threading.get_ident",
    "threading.get_native_id",
    "time",
    "uuid.uuid1",
    "uuid.uuid4",
];

/// Functions that make a path whole by the folder of the moment.
const COMPLETING: [&str; 3] = ["os.path.abspath", "os.path.realpath", "os.path.relpath"];

/// Methods of a path that ask the file system.
const OF_PATHS: [&str; 17] = [
    "absolute",
    "exists",
    "glob",
    "is_dir",
    "is_file",
    "is_symlink",
    "iterdir",
    "lstat",
    "open",
    "owner",
    "read_bytes",
    "read_text",
    "resolve",
    "rglob",
    "samefile",
    "stat",
    "walk",
];

/// Names that tell where a file is, whatever the folder of the moment.
const OWN_PLACES: [&str; 3] = ["__file__", "__path__", "__spec__"];
/// The same of the standard library.
const FIXED_PLACES: [&str; 10] = [
    "importlib.resources",
    "inspect.getfile",
    "os.path.expanduser",
    "pathlib.Path.home",
    "site",
    "sys.base_prefix",
    "sys.exec_prefix",
    "sys.executable",
    "sys.prefix",
    "sysconfig",
];

fn is_below(path: &str, names: &[&str]) -> bool {
    names.iter().any(|name| path.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}

/// Whether what the standard library gives by this use is another thing at another time.
pub(super) fn is_asked_of_the_moment(world: World, module: ModuleId, used: &Use, path: &str) -> bool {
    let called = matches!(used.role, Role::Called | Role::Decorator);
    let text = world.project().text(module);
    // With a seed it is the same whenever it is made.
    let is_given = |span: Span| !matches!(span.of(text).trim(), "" | "None");
    if path == "random.Random" && called && arguments(text, used).is_some_and(is_given) {
        return false;
    }
    if is_below(path, &CHANGING) || called && is_below(path, &ASKING) {
        return true;
    }
    let Some(arguments) = arguments(text, used).filter(|_| called) else { return false };
    match path {
        // It takes `sys.stderr`.
        "logging.StreamHandler" => arguments.of(text).trim().is_empty(),
        "pathlib.Path" => {
            let asks = methods_behind(&text[arguments.end + 1..]).any(|method| OF_PATHS.contains(&method));
            asks && !is_of_fixed_place(world, module, arguments)
        }
        _ => is_below(path, &COMPLETING) && !is_of_fixed_place(world, module, arguments),
    }
}

/// What code reads by an attribute of an object that a module made: of its thread or context, or of the file system.
pub(super) fn is_object_of_the_moment(world: World, home: ModuleId, name: &str, rest: &[&str], role: Role) -> bool {
    let Some(last) = rest.last() else { return false };
    let made = |binding: &Binding| {
        let call = binding.call.as_ref()?;
        let Object::External(path) = world.trace_reference(home, MODULE, call).object else { return None };
        Some((binding.span, path))
    };
    let is_it = |(at, path): (Span, String)| match path.as_str() {
        "threading.local" => matches!(role, Role::Store | Role::Delete | Role::Load),
        "contextvars.ContextVar" => role == Role::Called && matches!(*last, "get" | "set" | "reset"),
        "pathlib.Path" => {
            let line = world.project().text(home)[at.end..].find('\n').map_or(at.end, |length| at.end + length);
            let value = Span { start: at.end, end: line };
            role == Role::Called && OF_PATHS.contains(last) && !is_of_fixed_place(world, home, value)
        }
        _ => false,
    };
    world.names.file(home).bindings(name).iter().filter_map(made).any(is_it)
}

/// What stands between the brackets behind a use that is called.
fn arguments(text: &str, used: &Use) -> Option<Span> {
    let end = used.attributes.last().map_or(used.span.end, |a| a.span.end);
    let start = text.len() - text[end..].trim_start().strip_prefix('(')?.len();
    let mut open = 1;
    let close = text[start..].bytes().position(|byte| {
        match byte {
            b'(' => open += 1,
            b')' => open -= 1,
            _ => {}
        }
        open == 0
    })?;
    Some(Span { start, end: start + close })
}

/// The names in a chain behind a call: `parent`, `exists` of `.parent.exists()`.
fn methods_behind(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let behind = rest.strip_prefix('.')?;
        let end = behind.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(behind.len());
        let (name, after) = behind.split_at(end);
        // What a method is handed is passed over.
        let close = if after.starts_with('(') { after.find(')').map_or(after.len(), |at| at + 1) } else { 0 };
        rest = &after[close..];
        Some(name)
    })
}

/// Whether a path is put together from one that is whole: that of a file of the project, of Python, or from the root.
fn is_of_fixed_place(world: World, module: ModuleId, span: Span) -> bool {
    let literal = span.of(world.project().text(module)).trim_start_matches([' ', '=', 'r', 'b', '\n']);
    literal.starts_with("\"/") || literal.starts_with("'/") || {
        let uses = world.names.file(module).uses.iter().filter(|u| span.contains(u.span));
        let mut seen = BTreeSet::new();
        uses.into_iter().any(|used| {
            let attributes: Vec<&str> = used.attributes_text();
            is_fixed(world, module, used.name, &attributes, &mut seen)
        })
    }
}

fn is_fixed<'p>(
    world: World<'_, 'p>,
    module: ModuleId,
    name: &'p str,
    attributes: &[&'p str],
    seen: &mut BTreeSet<(ModuleId, &'p str)>,
) -> bool {
    if OWN_PLACES.contains(&name) || attributes.iter().any(|attribute| OWN_PLACES.contains(attribute)) {
        return true;
    }
    match world.trace(module, MODULE, name, attributes).object {
        Object::External(path) => is_below(&path, &FIXED_PLACES),
        Object::Attribute { module: home, .. } if !seen.insert((home, name)) => false,
        Object::Attribute { module: home, name: bound, .. } => {
            let file = world.names.file(home);
            let reads = file.bindings(bound).iter().filter(|b| b.what == Bound::Value).flat_map(|b| &b.from);
            reads.into_iter().any(|from| is_fixed(world, home, from.name, &from.attributes, seen))
        }
        _ => false,
    }
}

/// Whether the program makes loggers of another class, or puts those out of use that are there, some time after it was loaded.
pub fn changes_loggers(world: World) -> bool {
    let project = world.project();
    let says = |text: &str, word: &str| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some();
    let calls = |module: ModuleId, path: &str| {
        let (_, name) = path.rsplit_once('.').unwrap_or_default();
        let later = |used: &&Use| {
            used.role == Role::Called && matches!(used.moment, Moment::Call(_) | Moment::Main) && last(used) == name
        };
        let mut uses = world.names.file(module).uses.iter().filter(later);
        says(project.text(module), name)
            && uses.any(|used| matches!(world.trace_use(module, used).object, Object::External(found) if found == path))
    };
    let modules: Vec<ModuleId> = project.modules().filter(|(_, m)| !m.is_among_tests()).map(|(id, _)| id).collect();
    let keeps = || {
        let keeps = |text: &str| {
            let values = text.split("disable_existing_loggers").skip(1);
            values.into_iter().any(|rest| rest.trim_start_matches(['"', '\'', ':', '=', ' ']).starts_with("False"))
        };
        modules.iter().any(|id| keeps(project.text(*id)))
    };
    let any = |path: &str| modules.iter().any(|id| calls(*id, path));
    any("logging.setLoggerClass") || (any("logging.config.dictConfig") || any("logging.config.fileConfig")) && !keeps()
}

fn last<'p>(used: &Use<'p>) -> &'p str {
    used.attributes.last().map_or(used.name, |a| a.text)
}
