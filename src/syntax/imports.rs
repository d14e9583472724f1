//! The imports of one file, each with its place and the moment at which it runs, and what a file binds at its top level.

use super::ast::*;
use crate::outcome::Kind;

/// Where an import stands, as far as moving it is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Directly in the module's body.
    Top,
    /// At module level, inside `if`, `try`, `with`, a loop or `match`.
    Block,
    /// In a class body.
    Class,
    /// In a function or lambda.
    Function,
}

/// One name of an import statement, or one call of `import_module("…")`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportSite<'a> {
    /// The whole statement or call.
    pub stmt: Span,
    /// The alias in it; the `*`, or the call.
    pub at: Span,
    pub kind: Kind,
    pub place: Place,
    /// Number of leading dots.
    pub level: usize,
    /// What stands behind `from`, or the dotted name of `import a.b`.
    pub module: &'a str,
    /// The name taken from the module; `None` for `import a.b`, `from m import *` and calls.
    pub name: Option<&'a str>,
    pub asname: Option<&'a str>,
    pub star: bool,
    /// A call, not a statement.
    pub call: bool,
}

impl<'a> ImportSite<'a> {
    /// The name that it binds in its scope, if it binds one.
    pub fn bound(&self) -> Option<&'a str> {
        if self.star || self.call {
            return None;
        }
        self.asname.or(self.name).or_else(|| self.module.split('.').next())
    }

    /// What it names in its target, for people.
    pub fn shown(&self) -> &'a str {
        if self.star { "*" } else { self.name.unwrap_or(self.module) }
    }
}

/// All that the import graph needs to know of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct FileImports<'a> {
    pub sites: Vec<ImportSite<'a>>,
    /// Names bound at module level while the module is imported, in order; with the site, if it is an import.
    pub bound: Vec<(&'a str, Option<usize>)>,
    /// Where the parser lost its way first.
    pub error: Option<usize>,
}

pub fn imports<'a>(ast: &Ast<'a>) -> FileImports<'a> {
    let text = ast.text.as_bytes();
    let calls = ["import_module", "__import__"].iter().any(|n| memchr::memmem::find(text, n.as_bytes()).is_some());
    let mut walk = Walk {
        out: FileImports { error: ast.error, ..FileImports::default() },
        guards: Guards::of(&ast.body),
        kind: Kind::Eager,
        place: Place::Top,
        calls,
    };
    walk.block(&ast.body);
    walk.out
}

/// The names that stand for TYPE_CHECKING in a file.
#[derive(Debug, Default, Clone)]
pub struct Guards<'a> {
    aliases: Vec<&'a str>,
}

impl<'a> Guards<'a> {
    pub fn of(body: &[Stmt<'a>]) -> Self {
        let mut aliases = Vec::new();
        for stmt in body {
            match &stmt.kind {
                StmtKind::Import(import) if import.from.is_some() => {
                    let renamed = import.names.iter().filter(|a| a.name == "TYPE_CHECKING").filter_map(|a| a.asname);
                    aliases.extend(renamed.map(|n| n.text));
                }
                // mypy takes `MYPY` for true, as it does TYPE_CHECKING.
                StmtKind::Assign { targets, value } if is_falsy(value) => {
                    aliases.extend(targets.iter().filter_map(Expr::as_name).filter(|n| *n == "MYPY"));
                }
                _ => {}
            }
        }
        Self { aliases }
    }

    /// Whether a test is never true at run time but is for type checkers, or is plainly false.
    pub fn never(&self, test: &Expr<'a>) -> bool {
        match &test.kind {
            ExprKind::Name(name) => *name == "TYPE_CHECKING" || self.aliases.contains(name),
            ExprKind::Attribute { name, .. } => name.text == "TYPE_CHECKING",
            ExprKind::BoolOp { and: true, values } => values.iter().any(|v| self.never(v)),
            _ => is_falsy(test),
        }
    }

    /// Whether a test is a TYPE_CHECKING of some spelling itself, not a constant.
    pub fn is_guard(&self, test: &Expr<'a>) -> bool {
        !is_falsy(test) && !matches!(test.kind, ExprKind::BoolOp { .. }) && self.never(test)
    }

    /// The kind that imports in an arm of an `if` have, given its test and whether an earlier arm's test excludes it.
    pub fn arm(&self, branches: &[Branch<'a>], index: usize) -> Kind {
        let not_never = |test: &Expr<'a>| matches!(&test.kind, ExprKind::Not(inner) if self.never(inner));
        let earlier_always = branches[..index].iter().filter_map(|b| b.test.as_ref()).any(not_never);
        match &branches[index].test {
            _ if earlier_always => Kind::Type,
            Some(test) if self.never(test) => Kind::Type,
            Some(test) if is_main(test) => Kind::Deferred,
            _ => Kind::Eager,
        }
    }
}

fn is_falsy(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Constant("False" | "0"))
}

/// `__name__ == "__main__"`, either way round.
fn is_main(test: &Expr) -> bool {
    let ExprKind::Compare { operators, values } = &test.kind else { return false };
    operators.as_slice() == ["=="]
        && values.iter().any(|v| v.as_name() == Some("__name__"))
        && values.iter().any(|v| v.as_str() == Some("__main__"))
}

struct Walk<'a> {
    out: FileImports<'a>,
    guards: Guards<'a>,
    kind: Kind,
    place: Place,
    /// Whether the text has calls that import at all.
    calls: bool,
}

impl<'a> Walk<'a> {
    fn under(&mut self, kind: Kind, place: Place, body: &[Stmt<'a>]) {
        let outer = (self.kind, self.place);
        self.kind = self.kind.max(kind);
        self.place = self.place.max(place);
        self.block(body);
        (self.kind, self.place) = outer;
    }

    fn bind(&mut self, name: &'a str, site: Option<usize>) {
        if self.kind == Kind::Eager && self.place < Place::Class {
            self.out.bound.push((name, site));
        }
    }

    fn block(&mut self, body: &[Stmt<'a>]) {
        for stmt in body {
            self.stmt(stmt);
        }
    }

    fn stmt(&mut self, stmt: &Stmt<'a>) {
        if self.calls {
            self.expressions(stmt);
        }
        match &stmt.kind {
            StmtKind::Import(import) => self.import(stmt.span, import),
            StmtKind::Function(function) => {
                self.bind(function.name.text, None);
                self.under(Kind::Deferred, Place::Function, &function.body);
            }
            StmtKind::Class(class) => {
                self.bind(class.name.text, None);
                self.under(Kind::Eager, Place::Class, &class.body);
            }
            StmtKind::If { branches } => {
                for (index, branch) in branches.iter().enumerate() {
                    self.under(self.guards.arm(branches, index), Place::Block, &branch.body);
                }
            }
            StmtKind::Assign { targets, .. } => {
                targets.iter().filter_map(Expr::as_name).for_each(|name| self.bind(name, None));
            }
            _ => {
                for block in stmt.blocks() {
                    self.under(Kind::Eager, Place::Block, block);
                }
            }
        }
    }

    fn import(&mut self, stmt: Span, import: &Import<'a>) {
        let kind = if import.lazy { self.kind.max(Kind::Lazy) } else { self.kind };
        let site = |at, module, name, asname, star| ImportSite {
            stmt,
            at,
            kind,
            place: self.place,
            level: import.from.map_or(0, |f| f.level),
            module,
            name,
            asname,
            star,
            call: false,
        };
        let mut found = Vec::new();
        match import.from {
            Some(from) if from.module == "__future__" && from.level == 0 => return,
            Some(from) if import.names.is_empty() => found.push(site(stmt, from.module, None, None, true)),
            Some(from) => {
                for alias in &import.names {
                    found.push(site(alias.span, from.module, Some(alias.name), alias.asname.map(|n| n.text), false));
                }
            }
            None => {
                for alias in &import.names {
                    found.push(site(alias.span, alias.name, None, alias.asname.map(|n| n.text), false));
                }
            }
        }
        for site in found {
            let index = self.out.sites.len();
            if kind == Kind::Eager
                && let Some(name) = site.bound()
            {
                self.bind(name, Some(index));
            }
            self.out.sites.push(site);
        }
    }

    /// Finds the importing calls in the expressions of one statement, its blocks left out.
    fn expressions(&mut self, stmt: &Stmt<'a>) {
        let mut calls = Vec::new();
        for_each_expr(stmt, &mut |expr, deferred| {
            if let Some(call) = import_call(expr) {
                calls.push((expr.span, call, deferred));
            }
        });
        for (at, (level, module), deferred) in calls {
            let kind = if deferred { self.kind.max(Kind::Deferred) } else { self.kind };
            let place = if deferred { Place::Function } else { self.place };
            self.out.sites.push(ImportSite {
                stmt: at,
                at,
                kind,
                place,
                level,
                module,
                name: None,
                asname: None,
                star: false,
                call: true,
            });
        }
    }
}

/// The target of `import_module("a.b")`, `import_module(".b", __package__)` or `__import__("a.b")`: dots and name.
fn import_call<'a>(expr: &Expr<'a>) -> Option<(usize, &'a str)> {
    let ExprKind::Call { func, args } = &expr.kind else { return None };
    let called = func.last_name()?;
    let plain = !matches!(func.kind, ExprKind::Call { .. } | ExprKind::Subscript { .. });
    if !plain || !matches!(called, "import_module" | "__import__") {
        return None;
    }
    let ExprKind::Str(std::borrow::Cow::Borrowed(name)) = &args.first()?.value.kind else { return None };
    let module = name.trim_start_matches('.');
    let level = name.len() - module.len();
    if level > 0 {
        let package = &args.get(1)?.value;
        if !matches!(package.as_name(), Some("__package__" | "__name__")) {
            return None;
        }
    }
    Some((level, module))
}

/// Visits every expression of a statement without its blocks; the flag says whether it stands in a lambda.
pub fn for_each_expr<'e, 'a>(stmt: &'e Stmt<'a>, visit: &mut dyn FnMut(&'e Expr<'a>, bool)) {
    for expr in stmt_exprs(stmt) {
        deep(expr, false, visit);
    }
}

fn deep<'e, 'a>(expr: &'e Expr<'a>, deferred: bool, visit: &mut dyn FnMut(&'e Expr<'a>, bool)) {
    visit(expr, deferred);
    expr.parts(&mut |part| deep(part, deferred, visit));
    match &expr.kind {
        ExprKind::Lambda { body, .. } => deep(body, true, visit),
        ExprKind::Comprehension { element, clauses } => {
            for (index, clause) in clauses.iter().enumerate() {
                if index > 0 {
                    deep(&clause.iter, deferred, visit);
                }
                clause.tests.iter().for_each(|t| deep(t, deferred, visit));
            }
            element.iter().for_each(|e| deep(e, deferred, visit));
        }
        _ => {}
    }
}

/// The expressions that a statement itself evaluates, in rough order; not those of its blocks.
pub fn stmt_exprs<'e, 'a>(stmt: &'e Stmt<'a>) -> Vec<&'e Expr<'a>> {
    match &stmt.kind {
        StmtKind::Expr(value) => vec![value],
        StmtKind::Assign { targets, value } => std::iter::once(value).chain(targets).collect(),
        StmtKind::AugAssign { target, value } => vec![value, target],
        StmtKind::AnnAssign { target, annotation, value } => value.iter().chain([annotation, target]).collect(),
        StmtKind::Function(f) => {
            let params = f.params.defaults.iter().chain(&f.params.annotations);
            f.decorators.iter().chain(params).chain(&f.returns).chain(&f.type_params).collect()
        }
        StmtKind::Class(c) => {
            c.decorators.iter().chain(c.args.iter().map(|a| &a.value)).chain(&c.type_params).collect()
        }
        StmtKind::If { branches } => branches.iter().filter_map(|b| b.test.as_ref()).collect(),
        StmtKind::While { test, .. } => vec![test],
        StmtKind::For { target, iter, .. } => vec![iter, target],
        StmtKind::Try { handlers, .. } => handlers.iter().flat_map(|h| &h.types).collect(),
        StmtKind::With { items, .. } => {
            items.iter().flat_map(|i| std::iter::once(&i.context).chain(&i.target)).collect()
        }
        StmtKind::Match { subject, cases } => {
            subject.iter().chain(cases.iter().flat_map(|c| c.reads.iter().chain(&c.guard))).collect()
        }
        StmtKind::Return(v) | StmtKind::Raise(v) | StmtKind::Assert(v) | StmtKind::Delete(v) | StmtKind::Other(v) => {
            v.iter().collect()
        }
        StmtKind::TypeAlias { value, type_params, .. } => type_params.iter().chain([value]).collect(),
        StmtKind::Import(_) | StmtKind::Global(_) | StmtKind::Nonlocal(_) | StmtKind::Pass | StmtKind::Leave(_) => {
            Vec::new()
        }
    }
}
