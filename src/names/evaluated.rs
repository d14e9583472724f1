//! Whether something evaluates an annotation at run time whatever its form.

use super::scope::{AnnotationId, AnnotationOwner, Bound, Class, ClassId, Function, FunctionId, MODULE};
use super::users::Users;
use super::{Object, World};
use crate::project::ModuleId;

/// How sure it is that nothing evaluates an annotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evaluated {
    No,
    /// Code that evaluates annotations of what it is handed might get hold of it.
    Handed,
    /// An unknown decorator or base class might.
    Possibly,
    Yes,
}

/// Base classes whose class-level annotations are evaluated: by the last part of their name.
const BASES: [&str; 28] = [
    "BaseModel",
    "BaseSettings",
    "RootModel",
    "GenericModel",
    "SQLModel",
    "Struct",
    "DeclarativeBase",
    "MappedAsDataclass",
    "Schema",
    "HasTraits",
    "Document",
    "EmbeddedDocument",
    "ObjectType",
    "InputObjectType",
    "Controller",
    "Table",
    "TypedDict",
    "NamedTuple",
    "Model",
    "BaseConfig",
    "Section",
    "Injectable",
    "ViewSet",
    "Serializer",
    "Base",
    "DeclarativeBaseNoMeta",
    "Resource",
    "DataClassJsonMixin",
];

/// Decorators that evaluate the annotations of what they decorate: by the last part of their name.
const DECORATORS: [&str; 46] = [
    "validate_call",
    "validate_arguments",
    "beartype",
    "typechecked",
    "inject",
    "autowired",
    "get",
    "post",
    "put",
    "delete",
    "patch",
    "head",
    "options",
    "websocket",
    "route",
    "api_route",
    "command",
    "callback",
    "field",
    "type",
    "input",
    "mutation",
    "subscription",
    "interface",
    "federation",
    "register",
    "singledispatch",
    "singledispatchmethod",
    "task",
    "flow",
    "tool",
    "mapped",
    "mapped_as_dataclass",
    "as_declarative",
    "wraps_types",
    "runtime_typing",
    "pydantic_dataclass",
    "dispatch",
    "overtake",
    "jaxtyped",
    "check_types",
    "njit",
    "jit",
    "vectorize",
    "op",
    "asset",
];

/// Decorators known to leave annotations alone: by the last part of their name.
const HARMLESS_DECORATORS: [&str; 43] = [
    "property",
    "staticmethod",
    "classmethod",
    "abstractmethod",
    "abstractproperty",
    "overload",
    "override",
    "final",
    "wraps",
    "cached_property",
    "cache",
    "lru_cache",
    "contextmanager",
    "asynccontextmanager",
    "dataclass",
    "dataclasses",
    "total_ordering",
    "unique",
    "runtime_checkable",
    "no_type_check",
    "setter",
    "getter",
    "deleter",
    "deprecated",
    "define",
    "frozen",
    "mutable",
    "attrs",
    "attrib",
    "s",
    "fixture",
    "parametrize",
    "skipif",
    "skip",
    "xfail",
    "usefixtures",
    "coroutine",
    "type_check_only",
    "dataclass_transform",
    "register_at_fork",
    "given",
    "mark",
    "asyncio",
];

/// Top-level modules of the standard library, whose classes and decorators evaluate no annotations beyond the tables
/// above.
pub const STDLIB: [&str; 122] = [
    "abc",
    "argparse",
    "array",
    "ast",
    "asyncio",
    "atexit",
    "base64",
    "bisect",
    "builtins",
    "bz2",
    "calendar",
    "cmath",
    "cmd",
    "code",
    "codecs",
    "collections",
    "colorsys",
    "concurrent",
    "configparser",
    "contextlib",
    "contextvars",
    "copy",
    "csv",
    "ctypes",
    "curses",
    "dataclasses",
    "datetime",
    "decimal",
    "difflib",
    "dis",
    "distutils",
    "doctest",
    "email",
    "enum",
    "errno",
    "filecmp",
    "fnmatch",
    "fractions",
    "ftplib",
    "functools",
    "gc",
    "getopt",
    "getpass",
    "gettext",
    "glob",
    "graphlib",
    "gzip",
    "hashlib",
    "heapq",
    "hmac",
    "html",
    "http",
    "imaplib",
    "importlib",
    "inspect",
    "io",
    "ipaddress",
    "itertools",
    "json",
    "keyword",
    "linecache",
    "locale",
    "logging",
    "lzma",
    "mailbox",
    "marshal",
    "math",
    "mimetypes",
    "mmap",
    "multiprocessing",
    "numbers",
    "operator",
    "optparse",
    "os",
    "pathlib",
    "pdb",
    "pickle",
    "pkgutil",
    "platform",
    "plistlib",
    "pprint",
    "queue",
    "random",
    "re",
    "reprlib",
    "sched",
    "secrets",
    "select",
    "selectors",
    "shelve",
    "shlex",
    "shutil",
    "signal",
    "smtplib",
    "socket",
    "socketserver",
    "sqlite3",
    "ssl",
    "stat",
    "statistics",
    "string",
    "struct",
    "subprocess",
    "sys",
    "tarfile",
    "tempfile",
    "textwrap",
    "threading",
    "time",
    "timeit",
    "tkinter",
    "tokenize",
    "trace",
    "traceback",
    "tracemalloc",
    "turtle",
    "types",
    "typing",
    "typing_extensions",
    "unicodedata",
    "unittest",
    "urllib",
];

/// Whether a dotted path from outside the project belongs to the standard library.
pub fn is_stdlib(path: &str) -> bool {
    const MORE: [&str; 14] = [
        "uuid",
        "warnings",
        "wave",
        "weakref",
        "webbrowser",
        "wsgiref",
        "xml",
        "xmlrpc",
        "zipfile",
        "zipimport",
        "zlib",
        "zoneinfo",
        "__future__",
        "tomllib",
    ];
    let top = path.split('.').next().unwrap_or_default();
    STDLIB.contains(&top) || MORE.contains(&top)
}

pub fn annotation(world: World, users: &Users, module: ModuleId, id: AnnotationId) -> Evaluated {
    let file = world.names.file(module);
    let owner = file.annotation(id).owner;
    let named = match owner {
        AnnotationOwner::Class(class) => Some(file.class(class)),
        AnnotationOwner::Function(function) => file.function(function).class.map(|c| file.class(c)),
        _ => None,
    };
    let function = match owner {
        AnnotationOwner::Function(function) => Some(file.function(function)),
        _ => None,
    };
    let function_is_asked = function.is_some_and(|f| f.class.is_none() && users.evaluates(module, f.name));
    if function_is_asked || named.is_some_and(|class| class_is_asked(world, users, module, class, 16)) {
        return Evaluated::Yes;
    }
    // What a class inherits are its fields and how it is made.
    let is_inherited = function.is_none_or(|f| f.name == "__init__");
    if is_inherited && named.is_some_and(|c| c.parent == MODULE && users.evaluates_below(module, c.name)) {
        return Evaluated::Yes;
    }
    let given = |name: &str, scope| scope == MODULE && users.is_handed_out(module, name);
    let is_given = function.is_some_and(|f| given(f.name, f.parent)) || named.is_some_and(|c| given(c.name, c.parent));
    let open = users.evaluates_what_it_is_handed() && may_be_handed(users, owner, function);
    let known = by_owner(world, module, owner);
    match (is_given, open) {
        (true, _) => Evaluated::Possibly.max(known),
        (false, true) => Evaluated::Handed.max(known),
        _ => known,
    }
}

/// Whether an annotation is one of a class, which may be found by any object of it, or of a function that goes on.
fn may_be_handed(users: &Users, owner: AnnotationOwner, function: Option<&Function>) -> bool {
    matches!(owner, AnnotationOwner::Class(_)) || function.is_some_and(|f| users.goes_on(f.name))
}

/// Whether some call evaluates the annotations of a class or of one that it extends.
fn class_is_asked(world: World, users: &Users, module: ModuleId, class: &Class, depth: usize) -> bool {
    if class.parent == MODULE && users.evaluates(module, class.name) {
        return true;
    }
    class.bases.iter().filter(|_| depth > 0).any(|path| {
        let Some((first, rest)) = path.split_first() else { return false };
        let Object::Attribute { module: home, name, rest } = world.trace(module, class.parent, first, rest).object
        else {
            return false;
        };
        let file = world.names.file(home);
        let mut bases = file.bindings(name).iter().filter_map(|b| match b.what {
            Bound::Class(base) if rest.is_empty() => Some(file.class(base)),
            _ => None,
        });
        bases.any(|base| class_is_asked(world, users, home, base, depth - 1))
    })
}

/// What the decorators and bases of an annotation's owner tell.
pub(super) fn by_owner(world: World, module: ModuleId, owner: AnnotationOwner) -> Evaluated {
    match owner {
        AnnotationOwner::Local | AnnotationOwner::Module => Evaluated::No,
        AnnotationOwner::Class(class) => of_class(world, module, class),
        AnnotationOwner::Function(function) => of_function(world, module, function),
    }
}

fn of_function(world: World, module: ModuleId, id: FunctionId) -> Evaluated {
    let file = world.names.file(module);
    let function = file.function(id);
    let mut worst = Evaluated::No;
    for path in &function.decorators {
        worst = worst.max(of_decorator(world, module, path));
    }
    if let Some(class) = function.class {
        // e.g. a controller whose handlers are read by its framework.
        let class = file.class(class);
        for path in &class.decorators {
            worst = worst.max(of_decorator(world, module, path).min(Evaluated::Possibly));
        }
    }
    worst
}

fn of_class(world: World, module: ModuleId, id: ClassId) -> Evaluated {
    of_class_within(world, module, id, 16)
}

fn of_class_within(world: World, module: ModuleId, id: ClassId, depth: usize) -> Evaluated {
    let class = world.names.file(module).class(id);
    let mut worst = Evaluated::No;
    for path in &class.decorators {
        worst = worst.max(of_decorator(world, module, path));
    }
    for path in class.bases.iter().chain(&class.metaclass) {
        worst = worst.max(of_base(world, module, class.parent, path, depth));
    }
    worst
}

fn of_base(world: World, module: ModuleId, scope: super::ScopeId, path: &[&str], depth: usize) -> Evaluated {
    let (Some(first), true) = (path.first(), depth > 0) else { return Evaluated::Possibly };
    match world.trace(module, scope, first, &path[1..]).object {
        Object::Attribute { module: home, name, rest } if rest.is_empty() => {
            let listed = |p: &String| *p == format!("{}.{name}", world.project().module(home).name);
            if world.project().settings.runtime_evaluated_base_classes.iter().any(listed) {
                return Evaluated::Yes;
            }
            let bindings = world.names.file(home).bindings(name);
            let classes = bindings.iter().filter_map(|b| match b.what {
                Bound::Class(class) => Some(class),
                _ => None,
            });
            let hooked = classes.clone().any(|c| {
                let class = world.names.file(home).class(c);
                class.metaclass.is_some()
                    || class.bases.iter().any(|b| b.as_slice() == ["type"])
                    || ["__init_subclass__", "__prepare__", "__new__", "__set_name__"]
                        .iter()
                        .any(|m| class.methods.contains_key(m))
            });
            if hooked && reads_annotations(world, home) {
                return Evaluated::Possibly;
            }
            // A base made by a call, e.g. `declarative_base()`.
            classes.map(|c| of_class_within(world, home, c, depth - 1)).max().unwrap_or(Evaluated::Possibly)
        }
        Object::External(path) => {
            let last = path.rsplit('.').next().unwrap_or_default();
            if is_stdlib(&path) || matches!(path.split('.').next(), Some("attr" | "attrs" | "pytest")) {
                return Evaluated::No;
            }
            let listed = world.project().settings.runtime_evaluated_base_classes.contains(&path);
            if listed || BASES.contains(&last) { Evaluated::Yes } else { Evaluated::Possibly }
        }
        Object::Unknown if is_builtin_class(first) => Evaluated::No,
        _ => Evaluated::Possibly,
    }
}

fn of_decorator(world: World, module: ModuleId, path: &[&str]) -> Evaluated {
    let (Some(first), Some(last)) = (path.first(), path.last()) else { return Evaluated::Possibly };
    let object = world.trace(module, MODULE, first, &path[1..]).object;
    let full = match &object {
        Object::External(path) => path.clone(),
        Object::Attribute { module, name, rest } => {
            let mut full = format!("{}.{name}", world.project().module(*module).name);
            rest.iter().for_each(|r| full = format!("{full}.{r}"));
            full
        }
        _ => path.join("."),
    };
    if world.project().settings.runtime_evaluated_decorators.contains(&full) {
        return Evaluated::Yes;
    }
    if full.starts_with("pydantic.") {
        return Evaluated::Yes;
    }
    match object {
        Object::External(path) if is_stdlib(&path) && !matches!(*last, "singledispatch" | "register") => Evaluated::No,
        // A decorator of the project is read as any other of its functions: does it ask for types?
        Object::Attribute { module, rest, .. } if rest.is_empty() => {
            if reads_annotations(world, module) {
                Evaluated::Possibly
            } else {
                Evaluated::No
            }
        }
        _ if HARMLESS_DECORATORS.contains(last) => Evaluated::No,
        _ if DECORATORS.contains(last) => Evaluated::Yes,
        _ => Evaluated::Possibly,
    }
}

/// Whether a module, or one that it imports, asks for annotations anywhere.
fn reads_annotations(world: World, module: ModuleId) -> bool {
    let reads = |module: ModuleId| {
        let text = world.project().text(module).as_bytes();
        ["get_type_hints", "signature(", "get_annotations", "__annotations__", "getfullargspec"]
            .iter()
            .any(|word| memchr::memmem::find(text, word.as_bytes()).is_some())
    };
    reads(module) || world.graph.edges_of(module).iter().any(|e| !e.implicit && reads(e.to))
}

/// Whether a name is one of Python's builtins (CPython 3.8 to 3.14, `builtins`).
pub fn is_builtin(name: &str) -> bool {
    const OTHERS: [&str; 70] = [
        "abs",
        "aiter",
        "all",
        "anext",
        "any",
        "ascii",
        "bin",
        "breakpoint",
        "callable",
        "chr",
        "compile",
        "copyright",
        "credits",
        "delattr",
        "dir",
        "divmod",
        "enumerate",
        "eval",
        "exec",
        "exit",
        "filter",
        "format",
        "getattr",
        "globals",
        "hasattr",
        "hash",
        "help",
        "hex",
        "id",
        "input",
        "isinstance",
        "issubclass",
        "iter",
        "len",
        "license",
        "locals",
        "map",
        "max",
        "min",
        "next",
        "oct",
        "open",
        "ord",
        "pow",
        "print",
        "quit",
        "repr",
        "reversed",
        "round",
        "setattr",
        "sorted",
        "sum",
        "vars",
        "zip",
        "Ellipsis",
        "False",
        "None",
        "NotImplemented",
        "True",
        "BaseExceptionGroup",
        "ExceptionGroup",
        "WindowsError",
        "__build_class__",
        "__debug__",
        "__doc__",
        "__import__",
        "__loader__",
        "__name__",
        "__package__",
        "__spec__",
    ];
    is_builtin_class(name) || OTHERS.contains(&name)
}

fn is_builtin_class(name: &str) -> bool {
    const CLASSES: [&str; 22] = [
        "object",
        "type",
        "int",
        "float",
        "complex",
        "str",
        "bytes",
        "bytearray",
        "list",
        "tuple",
        "dict",
        "set",
        "frozenset",
        "property",
        "staticmethod",
        "classmethod",
        "super",
        "memoryview",
        "bool",
        "Warning",
        "range",
        "slice",
    ];
    CLASSES.contains(&name)
        || name.ends_with("Error")
        || name.ends_with("Exception")
        || name.ends_with("Warning")
        || matches!(name, "KeyboardInterrupt" | "SystemExit" | "StopIteration" | "StopAsyncIteration" | "GeneratorExit")
}
