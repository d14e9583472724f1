//! What code from outside the project does with what it is handed.

use std::collections::BTreeSet;

use crate::names::evaluated::is_stdlib;

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
pub(super) fn keeps_track(path: &str) -> bool {
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

/// Functions of the standard library, and all below them, that change what others see: the process, the file system.
const CHANGING: [&str; 44] = [
    "asyncio.set_event_loop",
    "asyncio.set_event_loop_policy",
    "atexit",
    "codecs.register",
    "copyreg",
    "decimal.getcontext",
    "decimal.setcontext",
    "faulthandler.enable",
    "gc",
    "importlib.reload",
    "locale.setlocale",
    "logging.addLevelName",
    "logging.basicConfig",
    "logging.captureWarnings",
    "logging.config",
    "logging.disable",
    "logging.setLoggerClass",
    "logging.root",
    "mimetypes.add_type",
    "mimetypes.init",
    "multiprocessing.Process",
    "multiprocessing.set_start_method",
    "os.chdir",
    "os.environ",
    "os.makedirs",
    "os.mkdir",
    "os.putenv",
    "os.remove",
    "os.rename",
    "os.umask",
    "os.unlink",
    "random.seed",
    "shutil",
    "signal",
    "socket.setdefaulttimeout",
    "sqlite3.connect",
    "subprocess",
    "sys.meta_path",
    "sys.modules",
    "sys.path",
    "sys.set",
    "threading.Thread",
    "threading.Timer",
    "warnings",
];

/// Functions of the standard library among and below these that only tell something.
const TELLING: [&str; 14] = [
    "gc.get",
    "gc.isenabled",
    "os.environ.copy",
    "os.environ.get",
    "os.environ.items",
    "os.environ.keys",
    "shutil.get",
    "shutil.which",
    "signal.Signals",
    "signal.getsignal",
    "sys.modules.get",
    "sys.path.copy",
    "warnings.catch_warnings",
    "warnings.warn",
];

/// Whether a function of the standard library changes what others see.
pub(super) fn changes_outside(path: &str) -> bool {
    is_stdlib(path)
        && CHANGING.iter().any(|start| path.starts_with(start))
        && !TELLING.iter().any(|start| path.starts_with(start))
}

/// Whether an object that a function of the standard library gives is one that all share: a logger, a context.
pub(super) fn gives_shared(path: &str) -> bool {
    ["logging.getLogger", "pathlib.Path"].contains(&path) || changes_outside(path)
}
