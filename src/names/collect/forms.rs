//! What single expressions are, by their form.

use crate::names::scope::{By, Keeper, Reference, Role};
use crate::project::is_identifier;
use crate::syntax::ast::{Expr, ExprKind, Ident, Params, Stmt, StmtKind};

/// What a bound value reads, and what is called to make it.
#[derive(Clone, Default)]
pub(super) struct Source<'a> {
    pub from: Vec<Reference<'a>>,
    pub call: Option<Reference<'a>>,
    pub plain: bool,
    pub positional: Option<usize>,
}

impl<'a> Source<'a> {
    pub(super) fn of(value: &Expr<'a>) -> Self {
        let call = match &value.kind {
            ExprKind::Call { func, .. } => func.dotted().map(|path| reference(&path)),
            _ => None,
        };
        let positional = match &value.kind {
            ExprKind::Call { args, .. } if !args.iter().any(|a| matches!(a.value.kind, ExprKind::Starred(_))) => {
                Some(args.iter().filter(|a| a.keyword.is_none()).count())
            }
            _ => None,
        };
        Self { from: references(value), call, plain: value.dotted().is_some(), positional }
    }

    /// The same for what is taken out of the value.
    pub(super) fn parts(&self) -> Self {
        Self { from: self.from.clone(), call: None, plain: self.plain, positional: None }
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
                _ => None,
            },
            _ => plainly(),
        },
        _ => plainly(),
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
