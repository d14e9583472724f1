//! What is known of methods by their names alone.

/// Methods that leave the value as it is.
pub const READING: [&str; 24] = [
    "copy",
    "count",
    "difference",
    "encode",
    "endswith",
    "findall",
    "format",
    "fullmatch",
    "get",
    "index",
    "intersection",
    "items",
    "join",
    "keys",
    "lower",
    "match",
    "replace",
    "search",
    "split",
    "startswith",
    "strip",
    "sub",
    "union",
    "values",
];

/// Names of methods that put something into a collection.
pub const MUTATORS: [&str; 17] = [
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

/// Methods of builtin types, which a call on an unknown value nearly always means.
pub const BUILTIN_METHODS: [&str; 60] = [
    "append",
    "extend",
    "insert",
    "remove",
    "pop",
    "clear",
    "index",
    "count",
    "sort",
    "reverse",
    "copy",
    "get",
    "items",
    "keys",
    "values",
    "update",
    "setdefault",
    "popitem",
    "add",
    "discard",
    "union",
    "intersection",
    "difference",
    "join",
    "split",
    "rsplit",
    "strip",
    "lstrip",
    "rstrip",
    "format",
    "replace",
    "startswith",
    "endswith",
    "lower",
    "upper",
    "encode",
    "decode",
    "title",
    "find",
    "rfind",
    "partition",
    "rpartition",
    "splitlines",
    "zfill",
    "isdigit",
    "group",
    "match",
    "search",
    "sub",
    "compile",
    "read",
    "write",
    "close",
    "readline",
    "readlines",
    "flush",
    "fileno",
    "tell",
    "seek",
    "capitalize",
];

/// Whether a name is one that Python gives a meaning.
pub fn is_dunder(name: &str) -> bool {
    name.starts_with("__") && name.ends_with("__")
}

/// Whether a method is one that Python calls by itself, at what import-time code may do.
pub fn is_special(name: &str) -> bool {
    is_dunder(name) && !NOT_ON_IMPORT.contains(&name)
}

/// Whether a special method is one that runs when an operator, a loop, a test or a call is applied to the object.
pub fn is_operator(name: &str) -> bool {
    // `dict(x)`, `f(**x)`, `print(file=x)`, `closing(x)`
    if matches!(name, "keys" | "write" | "flush" | "read" | "close") {
        return true;
    }
    let Some(plain) = name.strip_prefix("__").and_then(|rest| rest.strip_suffix("__")) else { return false };
    let binary = |name: &str| BINARY.contains(&name);
    // NumPy asks for its own: `__array_ufunc__` and others.
    binary(plain)
        || plain.strip_prefix(['r', 'i']).is_some_and(binary)
        || APPLIED.contains(&plain)
        || plain.starts_with("array")
}

const BINARY: [&str; 14] = [
    "add", "sub", "mul", "matmul", "truediv", "floordiv", "div", "mod", "divmod", "pow", "lshift", "rshift", "and",
    "xor",
];

const APPLIED: [&str; 47] = [
    "or",
    "ror",
    "ior",
    "call",
    "len",
    "length_hint",
    "bool",
    "iter",
    "next",
    "reversed",
    "contains",
    "getitem",
    "setitem",
    "delitem",
    "missing",
    "enter",
    "exit",
    "lt",
    "le",
    "gt",
    "ge",
    "ne",
    "neg",
    "pos",
    "abs",
    "invert",
    "int",
    "float",
    "complex",
    "index",
    "round",
    "trunc",
    "bytes",
    "fspath",
    "str",
    "repr",
    "format",
    "aenter",
    "aexit",
    "aiter",
    "anext",
    "await",
    "del",
    "dir",
    "sizeof",
    "floor",
    "ceil",
];

/// Whether a special method runs while an object is made, kept in a collection or asked for an attribute.
pub fn is_of_making(name: &str) -> bool {
    BY_ITSELF.contains(&name)
}

/// Whether a special method is one by which an object is copied or pickled.
pub fn is_copying(name: &str) -> bool {
    COPYING.contains(&name)
}

const COPYING: [&str; 8] = [
    "__copy__",
    "__deepcopy__",
    "__replace__",
    "__reduce__",
    "__reduce_ex__",
    "__getnewargs__",
    "__getstate__",
    "__setstate__",
];

/// Whether an attribute of a function, class or module is no method, but data.
pub fn is_data(name: &str) -> bool {
    DATA.contains(&name)
}

const DATA: [&str; 17] = [
    "__doc__",
    "__name__",
    "__qualname__",
    "__module__",
    "__annotations__",
    "__signature__",
    "__text_signature__",
    "__defaults__",
    "__kwdefaults__",
    "__dict__",
    "__all__",
    "__file__",
    "__path__",
    "__slots__",
    "__match_args__",
    "__version__",
    "__isabstractmethod__",
];

/// Whether a special method is one by which an attribute of another class is read or set.
pub fn is_descriptor(name: &str) -> bool {
    matches!(name, "__get__" | "__set__" | "__delete__")
}

const BY_ITSELF: [&str; 17] = [
    "__new__",
    "__init__",
    "__post_init__",
    "__attrs_pre_init__",
    "__attrs_post_init__",
    "__init_subclass__",
    "__class_getitem__",
    "__prepare__",
    "__set_name__",
    "__getattr__",
    "__getattribute__",
    "__setattr__",
    "__delattr__",
    "__hash__",
    "__eq__",
    "__instancecheck__",
    "__subclasscheck__",
];

/// Special methods that only run at what import-time code does not do: in an event loop, when an instance is copied, pickled,
/// shown or dropped, or when a descriptor is reached through an instance.
const NOT_ON_IMPORT: [&str; 19] = [
    "__del__",
    "__aenter__",
    "__aexit__",
    "__aiter__",
    "__anext__",
    "__await__",
    "__reduce__",
    "__reduce_ex__",
    "__getstate__",
    "__setstate__",
    "__copy__",
    "__deepcopy__",
    "__repr__",
    "__str__",
    "__format__",
    "__get__",
    "__set__",
    "__delete__",
    "__dir__",
];
