//! What single expressions are, by their form.

use crate::names::methods::{is_data, is_special};
use crate::names::scope::{By, Keeper, Reference, Role};
use crate::project::is_identifier;
use crate::syntax::ast::{Arg, Expr, ExprKind, Function, Ident, Params, Stmt, StmtKind};
use crate::syntax::imports::stmt_exprs;

/// What a bound value reads, and what is called to make it.
#[derive(Clone, Default)]
pub(super) struct Source<'a> {
    pub from: Vec<Reference<'a>>,
    pub call: Option<Reference<'a>>,
    pub plain: bool,
    pub positional: Option<usize>,
    pub begins: &'a str,
    pub builtin: bool,
}

impl<'a> Source<'a> {
    pub(super) fn of(value: &Expr<'a>, text: &'a str) -> Self {
        let call = made_by(value);
        let positional = match &value.kind {
            ExprKind::Call { args, .. } if !args.iter().any(|a| matches!(a.value.kind, ExprKind::Starred(_))) => {
                Some(args.iter().filter(|a| a.keyword.is_none()).count())
            }
            _ => None,
        };
        Self {
            from: references(value),
            call,
            plain: value.dotted().is_some(),
            positional,
            begins: begins(value, text),
            builtin: is_builtin(value, text),
        }
    }

    /// The same for what is taken out of the value.
    pub(super) fn parts(&self) -> Self {
        Self { from: self.from.clone(), call: None, plain: self.plain, positional: None, begins: "", builtin: false }
    }
}

/// The parameters that are annotated with the name of a class, as it is or as a string, and that name.
pub(super) fn types<'a>(params: &Params<'a>) -> Vec<(&'a str, Reference<'a>)> {
    let named = |expr: &Expr<'a>| match &expr.kind {
        ExprKind::Str(std::borrow::Cow::Borrowed(text)) => {
            text.split('.').all(is_identifier).then(|| reference_of_path(text))
        }
        _ => expr.dotted().map(|path| reference(&path)),
    };
    let pairs = params.annotated.iter().zip(&params.annotations);
    pairs.filter_map(|(at, annotation)| Some((params.names.get(*at)?.text, named(annotation)?))).collect()
}

/// Whether an expression is a list, tuple, set or dictionary that is written out.
pub(super) fn is_display(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Sequence(_) | ExprKind::Dict(_))
}

/// Builtins whose result holds their arguments.
const WRAPPING: [&str; 3] = ["property", "staticmethod", "classmethod"];
/// Builtins whose result holds what is in their argument.
const COLLECTING: [&str; 5] = ["frozenset", "set", "list", "tuple", "dict"];

/// Others that make what is of a type of Python's own.
const TEXTS: [&str; 6] = ["str", "repr", "globals", "locals", "sorted", "dir"];

/// Whether what a call gives stands for the function that it is handed first: `partial(g, x)`, `ref(g)`.
pub(super) fn wraps_function(func: &Expr) -> bool {
    matches!(func.last_name(), Some("partial" | "partialmethod" | "ref" | "WeakMethod"))
}

/// Whether what keeps the result of a call keeps its arguments thereby, and no more is done with them.
pub(super) fn keeps_arguments(keeper: Keeper, func: &Expr, args: &[Arg]) -> bool {
    // What is made on the spot is asked for what is in it.
    let held = || args.iter().all(|a| !is_call(&a.value) && !matches!(a.value.kind, ExprKind::Starred(_)));
    match func.as_name() {
        Some(name) if WRAPPING.contains(&name) => true,
        Some(name) if COLLECTING.contains(&name) => held(),
        _ => wraps_function(func) && matches!(keeper, Keeper::Attribute(_)),
    }
}

/// What a call calls, as a dotted name.
pub(super) fn made_by<'a>(expr: &Expr<'a>) -> Option<Reference<'a>> {
    match &expr.kind {
        ExprKind::Call { func, .. } => func.dotted().map(|path| reference(&path)),
        _ => None,
    }
}

/// Whether a value is of a type of Python's own.
pub(super) fn is_builtin(expr: &Expr, text: &str) -> bool {
    match &expr.kind {
        ExprKind::Sequence(_) | ExprKind::Dict(_) | ExprKind::Comprehension { .. } => true,
        ExprKind::Constant(_) | ExprKind::Not(_) => true,
        ExprKind::Call { func, .. } => {
            func.as_name().is_some_and(|name| COLLECTING.contains(&name) || TEXTS.contains(&name))
                || asked_text(func, text).is_some()
        }
        _ => is_text(expr, text),
    }
}

/// Whether a value is a text, by its form: `"a"`, `f"{x}"`, `"%s" % x`, `", ".join(x)[1:]`.
fn is_text(expr: &Expr, text: &str) -> bool {
    match &expr.kind {
        ExprKind::Str(_) => true,
        ExprKind::Other(parts) => is_formatted(expr, parts, text),
        ExprKind::Subscript { value, .. } => is_text(value, text),
        ExprKind::Call { func, .. } => {
            asked_text(func, text).is_some_and(|method| !matches!(method, "split" | "rsplit" | "splitlines"))
        }
        _ => false,
    }
}

/// The method of a text that an expression is, of those that give texts, lists of texts or truth values.
fn asked_text<'a>(expr: &Expr<'a>, text: &str) -> Option<&'a str> {
    let ExprKind::Attribute { value, name } = &expr.kind else { return None };
    const METHODS: [&str; 20] = [
        "capitalize",
        "casefold",
        "center",
        "expandtabs",
        "format",
        "join",
        "ljust",
        "lower",
        "lstrip",
        "replace",
        "rjust",
        "rsplit",
        "rstrip",
        "split",
        "splitlines",
        "strip",
        "swapcase",
        "title",
        "upper",
        "zfill",
    ];
    (METHODS.contains(&name.text) && is_text(value, text)).then_some(name.text)
}

/// Whether an expression only makes text of its parts: `f"{x}"`, `"%s" % x`.
pub(super) fn is_formatted(expr: &Expr, parts: &[Expr], text: &str) -> bool {
    let own = expr.span.of(text);
    let prefix = own.find(['"', '\'']).map_or("", |at| &own[..at]);
    let is_f_string = matches!(prefix, "f" | "F" | "fr" | "rf" | "Fr" | "rF" | "fR" | "Rf" | "FR" | "RF");
    let is_template = match parts {
        [Expr { kind: ExprKind::Str(_), span }, right] => {
            text[span.end..right.span.start].trim_matches([' ', '"', '\'', '(']) == "%"
        }
        _ => false,
    };
    let inside = parts.first().is_some_and(|part| part.span.start > expr.span.start);
    is_f_string && inside || is_template
}

/// Whether an expression is `name()`.
pub(super) fn called_plainly(expr: &Expr, name: &str) -> bool {
    matches!(&expr.kind, ExprKind::Call { func, args } if args.is_empty() && func.as_name() == Some(name))
}

/// The strings of a table with a private name: `_LAZY = {"name": ".module"}`.
pub(super) fn table<'a>(stmt: &Stmt<'a>) -> Vec<&'a str> {
    let StmtKind::Assign { targets, value } = &stmt.kind else { return Vec::new() };
    let private = targets.iter().all(|t| t.as_name().is_some_and(|n| n.starts_with('_') && !n.starts_with("__")));
    let parts = match &value.kind {
        ExprKind::Dict(parts) | ExprKind::Sequence(parts) if private => parts,
        _ => return Vec::new(),
    };
    let text = |part: &Expr<'a>| match part.kind {
        ExprKind::Str(std::borrow::Cow::Borrowed(text)) => Some(text),
        _ => None,
    };
    items(parts).filter_map(text).collect()
}

/// The items of a display; of a dictionary, keys and values.
pub(super) fn items<'e, 'a>(parts: &'e [Expr<'a>]) -> impl Iterator<Item = &'e Expr<'a>> {
    parts.iter().flat_map(|part| match &part.kind {
        ExprKind::Other(pair) => pair.as_slice(),
        _ => std::slice::from_ref(part),
    })
}

/// `import_module(name)` of a name that is not a literal.
pub(super) fn imports_computed(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Call { func, .. } if matches!(func.last_name(), Some("import_module" | "__import__")))
        && named_module(expr).is_none()
}

/// The module that `import_module("m")`, `__import__("m")` or `sys.modules["m"]` gives, as written.
pub(super) fn named_module<'a>(expr: &Expr<'a>) -> Option<&'a str> {
    let literal = |e: &Expr<'a>| match e.kind {
        ExprKind::Str(std::borrow::Cow::Borrowed(text)) => Some(text),
        _ => None,
    };
    match &expr.kind {
        ExprKind::Call { func, args } if matches!(func.last_name(), Some("import_module" | "__import__")) => {
            literal(&args.first()?.value)
        }
        ExprKind::Subscript { value, index } if value.dotted().is_some_and(|d| d == ["sys", "modules"]) => {
            literal(index.first()?)
        }
        _ => None,
    }
}

/// Names in a text that are not attributes, with their offsets.
pub fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = &text[at..];
            let start = rest.find(|c: char| c == '_' || c.is_alphabetic())?;
            let length = rest[start..].find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(rest.len() - start);
            let (from, to) = (at + start, at + start + length);
            at = to;
            let attribute = text[..from].trim_end().ends_with('.');
            let number = text[..from].ends_with(|c: char| c.is_ascii_digit());
            if !attribute && !number {
                return Some((from, &text[from..to]));
            }
        }
    })
}

/// A part of a called, passed or annotated whole is no longer that itself.
pub(super) fn role_of_part(role: Role) -> Role {
    match role {
        Role::Argument | Role::Inspected | Role::Returned | Role::Annotation(_) => role,
        Role::Called | Role::Decorator | Role::Base | Role::Store => Role::Argument,
        _ => Role::Load,
    }
}

pub(super) fn decorator_path<'a>(decorator: &Expr<'a>) -> Vec<&'a str> {
    match &decorator.kind {
        ExprKind::Call { func, .. } => decorator_path(func),
        _ => decorator.dotted().unwrap_or_default(),
    }
}

pub(super) fn is_call(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Call { .. })
}

/// `Base` of `Base[T]` too.
pub(super) fn base_path<'a>(base: &Expr<'a>) -> Vec<&'a str> {
    match &base.kind {
        ExprKind::Subscript { value, .. } => base_path(value),
        _ => base.dotted().unwrap_or_default(),
    }
}

pub(super) fn first_name<'a>(expr: &Expr<'a>) -> Option<Ident<'a>> {
    if let ExprKind::Name(text) = expr.kind {
        return Some(Ident { text, span: expr.span });
    }
    let mut found = None;
    expr.parts(&mut |part| {
        if found.is_none() {
            found = first_name(part);
        }
    });
    found
}

/// `x` of `type(x)`, else the expression itself.
pub(super) fn instance<'e, 'a>(expr: &'e Expr<'a>) -> &'e Expr<'a> {
    match &expr.kind {
        ExprKind::Call { func, args } if matches!(func.kind, ExprKind::Name("type")) && args.len() == 1 => {
            &args[0].value
        }
        _ => expr,
    }
}

pub(super) fn reference<'a>(path: &[&'a str]) -> Reference<'a> {
    Reference { name: path[0], attributes: path[1..].to_vec() }
}

/// A dotted text as a reference; only its spelling counts.
pub(super) fn reference_of_path(path: &str) -> Reference<'_> {
    Reference { name: path, attributes: Vec::new() }
}

/// What a call calls, as a dotted name, and how that name leads there: a method of a collection or text stands for the builtin
/// that makes it.
pub(super) fn callee<'a>(func: &Expr<'a>) -> Option<(Reference<'a>, By)> {
    let plainly = || func.dotted().map(|path| (reference(&path), By::Name));
    let of = |name| Some((reference(&[name]), By::Implied));
    match &func.kind {
        ExprKind::Call { func, .. } => func.dotted().map(|path| (reference(&path), By::Result)),
        ExprKind::Attribute { value, name } => match &value.kind {
            ExprKind::Sequence(_) | ExprKind::Dict(_) | ExprKind::Str(_) => of("list"),
            ExprKind::Call { func, args } => match func.as_name() {
                Some("super") if is_super(value) && args.is_empty() => {
                    Some((reference(&["super", name.text]), By::Implied))
                }
                Some(name @ ("frozenset" | "set" | "list" | "tuple" | "dict")) => of(name),
                // `x.setdefault(key, []).append`
                _ => match &func.kind {
                    ExprKind::Attribute { value, name: by } if matches!(by.text, "setdefault" | "get") => {
                        item_method(value, name.text)
                    }
                    _ => None,
                },
            },
            // `x[key].append`
            ExprKind::Subscript { value, .. } => item_method(value, name.text),
            _ => plainly(),
        },
        _ => plainly(),
    }
}

/// The method of a collection in a collection: what goes into the one is in the other.
fn item_method<'a>(collection: &Expr<'a>, method: &'a str) -> Option<(Reference<'a>, By)> {
    let mut path = collection.dotted()?;
    path.push(method);
    Some((reference(&path), By::Item))
}

/// What keeps the value of an attribute.
pub(super) fn attribute_keeper<'a>(object: &Expr<'a>, name: &'a str) -> Keeper<'a> {
    match object.as_name() {
        Some(of) if is_special(name) && !is_data(name) => Keeper::Special(name, of),
        _ => Keeper::Attribute(name),
    }
}

/// What keeps an item that is put into a collection.
pub(super) fn item_keeper<'a>(collection: &Expr<'a>) -> Option<Keeper<'a>> {
    match &collection.kind {
        ExprKind::Name(name) => Some(Keeper::Item(name)),
        ExprKind::Attribute { name, .. } => Some(Keeper::Attribute(name.text)),
        _ => None,
    }
}

/// `super()`, also with the class and the object.
pub(super) fn is_super(expr: &Expr) -> bool {
    let ExprKind::Call { func, args } = &expr.kind else { return false };
    func.as_name() == Some("super")
        && (args.is_empty() || args.len() == 2 && args[1].value.as_name().is_some_and(|n| n == "self" || n == "cls"))
}

/// The letters that a text which is put together begins with, as far as a name goes: `f"visit_{x}"`, `"visit_" + x`.
pub(super) fn begins<'a>(expr: &Expr<'a>, text: &'a str) -> &'a str {
    let beginning = match &expr.kind {
        ExprKind::Str(std::borrow::Cow::Borrowed(text)) => text,
        ExprKind::Other(parts) => match parts.first() {
            Some(Expr { kind: ExprKind::Str(std::borrow::Cow::Borrowed(text)), .. }) => text,
            _ => expr.span.of(text).trim_start_matches(['f', 'F', 'r', 'R']).trim_start_matches(['"', '\'']),
        },
        ExprKind::Call { func, .. } => match &func.kind {
            ExprKind::Attribute { value, name } if name.text == "format" => begins(value, text),
            _ => "",
        },
        _ => "",
    };
    let end = beginning.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(beginning.len());
    &beginning[..end]
}

/// Whether a module's `__getattr__` does nothing but tell names apart for those that it does not know.
pub(super) fn knows_its_names(function: &Function) -> bool {
    let Some(name) = function.params.names.first() else { return false };
    let asks = |expr: &Expr| references(expr).iter().any(|r| r.name == name.text);
    let mut body = function.body.iter().skip_while(|stmt| match &stmt.kind {
        StmtKind::Expr(expr) => matches!(expr.kind, ExprKind::Str(_)),
        StmtKind::Global(_) => true,
        _ => false,
    });
    let fails = |stmt: Option<&Stmt>| match stmt.map(|s| &s.kind) {
        None | Some(StmtKind::Raise(_)) => true,
        Some(StmtKind::Return(values)) => values.iter().all(|v| matches!(v.kind, ExprKind::Constant(_))),
        _ => false,
    };
    loop {
        let Some(stmt) = body.next() else { return true };
        match &stmt.kind {
            StmtKind::If { branches } => {
                if !branches.iter().all(|b| b.test.as_ref().is_none_or(asks)) {
                    return false;
                }
                // `if name not in …: raise`
                if branches.iter().all(|b| fails(b.body.last())) && branches.len() == 1 {
                    return true;
                }
                if let Some(last) = branches.last().filter(|b| b.test.is_none()) {
                    return fails(last.body.first());
                }
            }
            StmtKind::Match { subject, .. } => return subject.iter().any(asks),
            StmtKind::Try { body, handlers, .. } => {
                return !handlers.is_empty()
                    && body.first().is_some_and(|first| {
                        stmt_exprs(first).iter().any(|e| matches!(e.kind, ExprKind::Subscript { .. }) && asks(e))
                    });
            }
            _ => return fails(Some(stmt)),
        }
    }
}

/// All names that a value reads.
pub(super) fn references<'a>(expr: &Expr<'a>) -> Vec<Reference<'a>> {
    let mut found = Vec::new();
    collect_references(expr, &mut found);
    found
}

pub(super) fn collect_references<'a>(expr: &Expr<'a>, found: &mut Vec<Reference<'a>>) {
    if let Some(path) = expr.dotted() {
        found.push(reference(&path));
        return;
    }
    expr.parts(&mut |part| collect_references(part, found));
    match &expr.kind {
        ExprKind::Lambda { body, .. } => collect_references(body, found),
        ExprKind::Comprehension { element, .. } => element.iter().for_each(|e| collect_references(e, found)),
        _ => {}
    }
}

/// Whether a name is made private to the class in whose body it stands.
pub fn is_private(name: &str) -> bool {
    name.starts_with("__") && !name.ends_with("__")
}

/// Whether Python may read a name as another one: identifiers are those of normal form KC (PEP 3131). These are the blocks of
/// Unicode that hold characters which it changes, and marks that it joins to the letter before them.
pub(super) fn may_be_normalised(name: &str) -> bool {
    let changes = |c: char| {
        matches!(c,
            '\u{aa}' | '\u{b5}' | '\u{ba}' | '\u{132}'..='\u{133}' | '\u{13f}'..='\u{140}' | '\u{149}' | '\u{17f}'
            | '\u{1c4}'..='\u{1cc}' | '\u{1f1}'..='\u{1f3}' | '\u{2b0}'..='\u{2e4}' | '\u{300}'..='\u{37f}' | '\u{3d0}'..='\u{3d6}' | '\u{3f0}'..='\u{3f9}'
            | '\u{587}' | '\u{675}'..='\u{678}' | '\u{900}'..='\u{dff}' | '\u{e33}' | '\u{eb3}' | '\u{edc}'..='\u{edd}'
            | '\u{f00}'..='\u{11ff}' | '\u{1d00}'..='\u{1dbf}' | '\u{1e9a}'..='\u{1e9b}' | '\u{1f00}'..='\u{21ff}'
            | '\u{2460}'..='\u{24ff}' | '\u{2c7c}'..='\u{2c7d}' | '\u{2d6f}' | '\u{2e80}'..='\u{2fff}'
            | '\u{3099}'..='\u{309f}' | '\u{30ff}' | '\u{3130}'..='\u{33ff}' | '\u{a69c}'..='\u{a69d}' | '\u{a770}'
            | '\u{a7f2}'..='\u{a7f9}' | '\u{ab5c}'..='\u{ab69}' | '\u{f900}'..='\u{ffff}' | '\u{10780}'..='\u{107ff}'
            | '\u{11000}'..='\u{11fff}' | '\u{1d100}'..='\u{1d7ff}' | '\u{1e030}'..='\u{1e08f}' | '\u{1ee00}'..='\u{1f1ff}'
            | '\u{2f800}'..='\u{2fa1f}')
    };
    name.chars().any(changes)
}

/// `inspect.getmodule(x)`.
pub(super) fn made_by_getmodule(expr: &Expr) -> bool {
    made_by(expr).is_some_and(|callee| callee.path().last() == Some(&"getmodule"))
}
