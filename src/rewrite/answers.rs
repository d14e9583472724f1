//! What a module has of its own that answers for its names: `__getattr__` and `__dir__` (PEP 562), as far as more can be
//! added to them without a change to what they do now.

use std::collections::{BTreeMap, BTreeSet};

use super::lines::line_start;
use super::{Page, RewriteError};
use crate::names;
use crate::names::scope::{Bound, FileNames, MODULE, Scope};
use crate::syntax::Span;
use crate::syntax::ast::{Ast, Expr, ExprKind, Function, Stmt, StmtKind};
use crate::syntax::imports::Guards;

/// The functions of a module that answer for its names.
#[derive(Debug, Default)]
pub struct Answers {
    pub getattr: Option<Own>,
    pub dir: Option<Own>,
    /// How the `__dir__` is to list more; `None` if what it lists does not go by the namespace.
    pub listing: Option<Listing>,
    /// Names that are other things in the `__getattr__` than in the module.
    locals: Vec<String>,
    /// What the `__getattr__` speaks of that is no local of it.
    speaks_of: Vec<String>,
    /// The tables of what the module loads on demand already.
    pub names: Option<Table<BTreeMap<String, String>>>,
    pub submodules: Option<Table<BTreeSet<String>>>,
    /// Whether the module binds `__all__`, which says what `import *` of it gives.
    pub has_all: bool,
    /// Names that the module deletes at its top.
    deleted: Vec<String>,
    /// Types of Python's own whose names the module binds to something else.
    rebound: Vec<&'static str>,
}

/// A table of names and the statement that makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table<T> {
    pub statement: Span,
    pub holds: T,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own {
    /// The statement of the module's top level that it stands in: its own, or `if not TYPE_CHECKING:`.
    pub statement: Span,
    pub def: Span,
    pub parameter: String,
    /// The first statement that does something, behind docstring and `global`.
    pub first: Span,
    /// Where what stands before that ends.
    pub head: usize,
    /// Whether blank lines part its statements.
    pub airy: bool,
}

/// Where names are added to what a `__dir__` returns, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// `sorted(…)` around anything that has names.
    Sorted(Span),
    /// `sorted([…])`, `sorted({…})`: a display.
    SortedDisplay(Span),
    /// `sorted(set(…) | …)`: sets that are united.
    Union(Span),
    /// Anything that has names.
    Plain(Span),
    /// A list.
    Display(Span),
}

/// Why one cannot be extended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    pub at: Span,
    pub why: String,
}

/// Types that annotations of the printed functions name.
const TYPES: [&str; 3] = ["list", "object", "str"];
/// What the added look-up reads in a `__getattr__`.
const READ: [&str; 6] = ["_LAZY", "_SUBMODULES", "getattr", "globals", "__name__", "__package__"];
/// Names for the value that is looked up.
const VALUES: [&str; 3] = ["value", "loaded", "attribute"];
/// Annotations of what any value may be.
const ANYTHING: [&str; 2] = ["Any", "object"];

impl Answers {
    /// Finds those of a file that is being rewritten.
    pub fn of_page(page: &Page) -> Result<Self, RewriteError> {
        let names = names::collect(&page.ast, &page.imports);
        Self::of(&page.ast, &names).map_err(|_| RewriteError::Form("more cannot be added to its `__getattr__`"))
    }

    /// Finds those of a file of which these are the names.
    pub fn of(ast: &Ast, file: &FileNames) -> Result<Self, Unfit> {
        let rebound = TYPES.into_iter().filter(|name| !file.bindings(name).is_empty()).collect();
        let bindings = file.scope(MODULE).bindings.iter();
        let deleted = bindings.filter(|(_, all)| all.iter().any(|b| b.what == Bound::Deleted));
        let deleted = deleted.map(|(name, _)| (*name).to_owned()).collect();
        let has_all = !file.bindings("__all__").is_empty();
        let mut out = Self { rebound, deleted, has_all, ..Self::default() };
        if let Some((statement, function)) = definition(ast, file, "__getattr__", None)? {
            out.getattr = Some(own(ast, statement, function, 1)?);
            out.look_inside(file, function)?;
        }
        // What an earlier rewrite put there asks its `__dir__` for all names.
        let earlier = ["_LAZY", "_SUBMODULES"].iter().any(|table| !file.bindings(table).is_empty());
        let asks = out.getattr.as_ref().filter(|_| earlier).map(|own| own.def);
        if let Some((statement, function)) = definition(ast, file, "__dir__", asks)? {
            out.dir = Some(own(ast, statement, function, 0)?);
            out.listing = listing(ast, file, function)?;
        }
        let hooks: Vec<Span> = out.getattr.iter().chain(&out.dir).map(|own| own.def).collect();
        out.names = table(ast, file, "_LAZY", &hooks, pairs);
        out.submodules = table(ast, file, "_SUBMODULES", &hooks, items);
        Ok(out)
    }

    /// Whether a name is that of a table to which more can be added.
    pub fn has_table(&self, name: &str) -> bool {
        name == "_LAZY" && self.names.is_some() || name == "_SUBMODULES" && self.submodules.is_some()
    }

    /// Whether the module answers for names of its own, be it not by what an earlier rewrite put there.
    pub fn are_its_own(&self) -> bool {
        let answers = self.getattr.is_some() || self.dir.is_some();
        answers && self.names.is_none() && self.submodules.is_none()
    }

    fn look_inside(&mut self, file: &FileNames, function: &Function) -> Result<(), Unfit> {
        let unfit = |why: &str| Err(Unfit { at: function.name.span, why: why.to_owned() });
        let scope = scope_of(file, function);
        self.locals = scope.into_iter().flat_map(|s| s.bindings.keys()).map(|name| (*name).to_owned()).collect();
        if READ.iter().any(|name| self.is_local(name)) {
            return unfit("the `__getattr__` of the module has variables of names that a look-up needs");
        }
        let declared = scope.into_iter().flat_map(|s| s.globals.iter().chain(&s.nonlocals));
        let used = file.uses.iter().filter(|u| function.def.contains(u.span)).map(|u| &u.name);
        self.speaks_of = declared.chain(used).map(|name| (*name).to_owned()).collect();
        let annotation = function.returns.as_ref();
        let any = |e: &Expr| {
            let quoted = e.as_str().is_some_and(|text| ANYTHING.contains(&text));
            quoted || e.last_name().is_some_and(|n| ANYTHING.contains(&n) && e.dotted().is_some())
        };
        if !annotation.is_none_or(any) {
            return unfit("the annotation of the module's `__getattr__` says what it gives");
        }
        Ok(())
    }

    /// Whether a name is another thing in the `__getattr__` than in the module.
    pub fn is_local(&self, name: &str) -> bool {
        self.locals.iter().any(|local| local == name)
    }

    /// Whether the module deletes a name.
    pub fn is_deleted(&self, name: &str) -> bool {
        self.deleted.iter().any(|deleted| deleted == name)
    }

    /// Whether the names of these types mean them in the module.
    pub fn means(&self, types: &[&str]) -> bool {
        types.iter().all(|name| !self.rebound.contains(name))
    }

    /// A name for a variable of the `__getattr__` that takes nothing from the code that is there.
    pub fn value(&self) -> Option<&'static str> {
        let parameter = self.getattr.as_ref().map(|own| own.parameter.as_str());
        let is_free = |name: &&&str| {
            let spoken_of = self.speaks_of.iter().any(|other| other == **name);
            Some(**name) != parameter && (self.is_local(name) || !spoken_of)
        };
        VALUES.iter().find(is_free).copied()
    }
}

/// The one definition of a module's function, and the statement of the top level that holds it. Nothing may use it by its name, but
/// for code `within`.
fn definition<'t, 'a>(
    ast: &'t Ast<'a>,
    file: &FileNames,
    name: &str,
    within: Option<Span>,
) -> Result<Option<(&'t Stmt<'a>, &'t Function<'a>)>, Unfit> {
    let Some(first) = file.bindings(name).first() else { return Ok(None) };
    let unfit = |why: &str| Err(Unfit { at: first.span, why: format!("the `{name}` of the module {why}") });
    if file.bindings(name).len() > 1 || !matches!(first.what, Bound::Function(_)) {
        return unfit("is no plain function");
    }
    let is_within = |span: Span| within.is_some_and(|within| within.contains(span));
    if file.uses_of(name).any(|used| !is_within(used.span)) || file.exports.names.contains(&name) {
        return unfit("is used by its name");
    }
    let guards = Guards::of(&ast.body);
    let found = ast.body.iter().find_map(|stmt| {
        let held = unconditional(&guards, stmt).into_iter().find_map(|inner| match &inner.kind {
            StmtKind::Function(function) if function.name.text == name => Some(&**function),
            _ => None,
        });
        held.map(|function| (stmt, function))
    });
    found.map_or_else(|| unfit("is there under a condition"), |f| Ok(Some(f)))
}

/// The statement, or what it holds where nothing but a type checker goes another way.
fn unconditional<'t, 'a>(guards: &Guards<'a>, stmt: &'t Stmt<'a>) -> Vec<&'t Stmt<'a>> {
    let StmtKind::If { branches } = &stmt.kind else { return vec![stmt] };
    let never = |test: &Option<Expr<'a>>| test.as_ref().is_some_and(|t| guards.never(t));
    let always = |test: &Option<Expr<'a>>| {
        test.as_ref().is_none_or(|t| matches!(&t.kind, ExprKind::Not(inner) if guards.never(inner)))
    };
    let arm = branches.iter().find(|branch| !never(&branch.test)).filter(|branch| always(&branch.test));
    arm.into_iter().flat_map(|branch| &branch.body).collect()
}

fn own(ast: &Ast, statement: &Stmt, function: &Function, parameters: usize) -> Result<Own, Unfit> {
    let text = ast.text;
    let name = function.name.text;
    let unfit = |why: &str| Err(Unfit { at: function.name.span, why: format!("the `{name}` of the module {why}") });
    let params = &function.params;
    let header = &text[function.def.start..function.body.first().map_or(function.def.end, |s| s.span.start)];
    let takes = &header[..header.find(')').unwrap_or(header.len())];
    let plain = params.names.len() == parameters && params.defaults.is_empty() && !takes.contains(['*', '/']);
    if !plain || !header.starts_with("def") || !function.decorators.is_empty() {
        return unfit("is no plain function");
    }
    if function.def.of(text).contains("yield") {
        return unfit("yields");
    }
    let is_head = |stmt: &Stmt| stmt.is_string() || matches!(stmt.kind, StmtKind::Global(_));
    let Some(first) = function.body.iter().find(|stmt| !is_head(stmt)) else {
        return unfit("has no body");
    };
    let own_line = |stmt: &Stmt| text[line_start(text, stmt.span.start)..stmt.span.start].trim().is_empty();
    if !function.body.iter().all(own_line) {
        return unfit("has several statements in a line");
    }
    let body: Vec<&Stmt> = function.body.iter().filter(|stmt| !is_head(stmt)).collect();
    let apart = |pair: &[&Stmt]| {
        let lines: Vec<&str> = text[pair[0].span.end..pair[1].span.start].lines().collect();
        lines.len() > 2 && lines[1..lines.len() - 1].iter().any(|line| line.trim().is_empty())
    };
    Ok(Own {
        statement: statement.span,
        def: function.def,
        parameter: params.names.first().map_or_else(String::new, |p| p.text.to_owned()),
        first: first.span,
        head: function.body.iter().take_while(|stmt| is_head(stmt)).last().map_or(function.def.start, |s| s.span.end),
        airy: body.windows(2).any(apart),
    })
}

/// The table of a name, if nothing but the functions reads it and it holds texts alone.
fn table<T>(
    ast: &Ast,
    file: &FileNames,
    name: &str,
    hooks: &[Span],
    read: impl Fn(&str, &Expr) -> Option<T>,
) -> Option<Table<T>> {
    let is_inside = |span: Span| hooks.iter().any(|hook| hook.contains(span));
    let is_plain = file.bindings(name).len() == 1 && file.uses_of(name).all(|used| is_inside(used.span));
    let found = ast.body.iter().find_map(|stmt| match &stmt.kind {
        StmtKind::Assign { targets, value } if matches!(targets.as_slice(), [only] if only.as_name() == Some(name)) => {
            Some(Table { statement: stmt.span, holds: read(ast.text, value)? })
        }
        _ => None,
    });
    found.filter(|_| is_plain)
}

fn pairs(_: &str, value: &Expr) -> Option<BTreeMap<String, String>> {
    let ExprKind::Dict(pairs) = &value.kind else { return None };
    let pair = |pair: &Expr| match &pair.kind {
        ExprKind::Other(pair) => match pair.as_slice() {
            [key, value] => Some((key.as_str()?.to_owned(), value.as_str()?.to_owned())),
            _ => None,
        },
        _ => None,
    };
    pairs.iter().map(pair).collect()
}

fn items(text: &str, value: &Expr) -> Option<BTreeSet<String>> {
    match &value.kind {
        ExprKind::Sequence(items) if value.span.of(text).starts_with('{') => {
            items.iter().map(|item| item.as_str().map(str::to_owned)).collect()
        }
        _ => None,
    }
}

fn scope_of<'f, 'a>(file: &'f FileNames<'a>, function: &Function) -> Option<&'f Scope<'a>> {
    let found = file.functions.iter().find(|f| f.parent == MODULE && f.span.contains(function.name.span));
    found.map(|f| file.scope(f.scope))
}

/// How the `__dir__` lists more names, if what it lists goes by the namespace.
fn listing(ast: &Ast, file: &FileNames, function: &Function) -> Result<Option<Listing>, Unfit> {
    let inside = || file.uses.iter().filter(|u| function.def.contains(u.span));
    let by_namespace = ["globals", "vars", "dir", "locals", "eval", "exec", "sys", "__dict__", "__name__"];
    if !inside().any(|u| by_namespace.contains(&u.name)) {
        return Ok(None);
    }
    let unfit = Unfit { at: function.name.span, why: "the `__dir__` of the module picks names".to_owned() };
    let body: Vec<&Stmt> = function.body.iter().filter(|stmt| !stmt.is_string()).collect();
    let returned = match body.as_slice() {
        [Stmt { kind: StmtKind::Return(values), .. }] => match values.as_slice() {
            [value] => value,
            _ => return Err(unfit),
        },
        _ => return Err(unfit),
    };
    let others = inside().any(|u| by_namespace[1..].contains(&u.name));
    let found = shape(ast.text, returned).filter(|_| !others);
    let gives_list = |e: &Expr| {
        let whole = e.as_str().unwrap_or(e.span.of(ast.text));
        ["list", "List", "Iterable", "Sequence", "Collection"].iter().any(|known| {
            let name = whole.split('[').next().unwrap_or_default();
            name.rsplit('.').next() == Some(*known)
        })
    };
    let fits = |found: &Listing| {
        matches!(found, Listing::Sorted(_) | Listing::SortedDisplay(_) | Listing::Union(_))
            || function.returns.as_ref().is_none_or(gives_list)
    };
    found.filter(fits).map(Some).ok_or(unfit)
}

fn shape(text: &str, returned: &Expr) -> Option<Listing> {
    let starts = |e: &Expr, open: &[char]| {
        let shown = e.span.of(text);
        // What comes behind a comment would be part of it.
        matches!(e.kind, ExprKind::Sequence(_)) && shown.starts_with(open) && !shown.contains('#')
    };
    match &returned.kind {
        ExprKind::Call { func, args } if func.as_name() == Some("sorted") => match args.as_slice() {
            [only] if only.keyword.is_none() => match &only.value {
                display if starts(display, &['[', '{']) => Some(Listing::SortedDisplay(display.span)),
                united if is_union(text, united) => Some(Listing::Union(united.span)),
                names => is_whole(text, names).then_some(Listing::Sorted(names.span)),
            },
            _ => None,
        },
        ExprKind::Sequence(_) if starts(returned, &['[']) => Some(Listing::Display(returned.span)),
        _ => is_whole(text, returned).then_some(Listing::Plain(returned.span)),
    }
}

/// Whether names come as they are, none of them picked out.
fn is_whole(text: &str, expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Call { func, .. } => matches!(func.last_name(), Some("list" | "set" | "sorted" | "keys" | "union")),
        ExprKind::Other(parts) => joined_by(text, parts, "+"),
        _ => false,
    }
}

/// Sets, the first of which is plainly one, united by `|`.
fn is_union(text: &str, expr: &Expr) -> bool {
    let ExprKind::Other(parts) = &expr.kind else { return false };
    let is_set = |e: &Expr| {
        let display = matches!(e.kind, ExprKind::Sequence(_)) && e.span.of(text).starts_with('{');
        let made = matches!(&e.kind, ExprKind::Call { func, .. } if matches!(func.last_name(), Some("set" | "keys")));
        display || made
    };
    joined_by(text, parts, "|") && (is_set(&parts[0]) || is_union(text, &parts[0]))
}

fn joined_by(text: &str, parts: &[Expr], operator: &str) -> bool {
    matches!(parts, [left, right] if text[left.span.end..right.span.start].trim() == operator)
}
