//! The syntax tree that the analysis works on: small, owned by nobody but the text it borrows, and with a place for
//! everything that binds, uses or imports a name. What does neither is kept only as its parts.

use std::ops::Range;

/// A range of bytes of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

impl Span {
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }

    pub fn contains(self, other: Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    pub fn of(self, text: &str) -> &str {
        &text[self.range()]
    }
}

/// A name and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ident<'a> {
    pub text: &'a str,
    pub span: Span,
}

/// A parsed file.
#[derive(Debug)]
pub struct Ast<'a> {
    pub text: &'a str,
    pub body: Vec<Stmt<'a>>,
    /// All comments, in order.
    pub comments: Vec<Span>,
    /// Where the parser lost its way first, as a byte offset.
    pub error: Option<usize>,
}

#[derive(Debug)]
pub struct Stmt<'a> {
    /// From the first decorator or keyword to the last byte of the statement.
    pub span: Span,
    pub kind: StmtKind<'a>,
}

#[derive(Debug)]
pub enum StmtKind<'a> {
    /// An expression on its own.
    Expr(Expr<'a>),
    /// `a = b = value`, one entry a target.
    Assign {
        targets: Vec<Expr<'a>>,
        value: Expr<'a>,
    },
    AugAssign {
        target: Expr<'a>,
        value: Expr<'a>,
    },
    AnnAssign {
        target: Expr<'a>,
        annotation: Expr<'a>,
        value: Option<Expr<'a>>,
    },
    Import(Import<'a>),
    Function(Box<Function<'a>>),
    Class(Box<Class<'a>>),
    If {
        branches: Vec<Branch<'a>>,
    },
    While {
        test: Expr<'a>,
        body: Vec<Stmt<'a>>,
        orelse: Vec<Stmt<'a>>,
    },
    For {
        target: Expr<'a>,
        iter: Expr<'a>,
        body: Vec<Stmt<'a>>,
        orelse: Vec<Stmt<'a>>,
    },
    Try {
        body: Vec<Stmt<'a>>,
        handlers: Vec<Handler<'a>>,
        orelse: Vec<Stmt<'a>>,
        finally: Vec<Stmt<'a>>,
    },
    With {
        items: Vec<WithItem<'a>>,
        body: Vec<Stmt<'a>>,
    },
    Match {
        subject: Vec<Expr<'a>>,
        cases: Vec<Case<'a>>,
    },
    Return(Vec<Expr<'a>>),
    Raise(Vec<Expr<'a>>),
    Assert(Vec<Expr<'a>>),
    Delete(Vec<Expr<'a>>),
    Global(Vec<Ident<'a>>),
    Nonlocal(Vec<Ident<'a>>),
    TypeAlias {
        name: Option<Ident<'a>>,
        type_params: Vec<Expr<'a>>,
        value: Expr<'a>,
    },
    Pass,
    /// `break` and `continue`.
    Leave(Leave),
    /// What Python 2 had.
    Other(Vec<Expr<'a>>),
}

/// How a statement leaves the round of a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    Break,
    Continue,
}

/// One arm of an `if`; the `else` has no test.
#[derive(Debug)]
pub struct Branch<'a> {
    pub test: Option<Expr<'a>>,
    pub body: Vec<Stmt<'a>>,
}

#[derive(Debug)]
pub struct Handler<'a> {
    pub types: Vec<Expr<'a>>,
    pub name: Option<Ident<'a>>,
    pub body: Vec<Stmt<'a>>,
}

#[derive(Debug)]
pub struct WithItem<'a> {
    pub context: Expr<'a>,
    pub target: Option<Expr<'a>>,
}

#[derive(Debug)]
pub struct Case<'a> {
    /// Names that the pattern binds.
    pub captures: Vec<Ident<'a>>,
    /// Names that the pattern reads: classes and constants.
    pub reads: Vec<Expr<'a>>,
    pub guard: Option<Expr<'a>>,
    pub body: Vec<Stmt<'a>>,
}

/// `import …` or `from … import …`.
#[derive(Debug)]
pub struct Import<'a> {
    /// `lazy`, PEP 810.
    pub lazy: bool,
    /// `None` for `import a.b`.
    pub from: Option<From<'a>>,
    /// Empty for `from m import *`.
    pub names: Vec<Alias<'a>>,
}

#[derive(Debug, Clone, Copy)]
pub struct From<'a> {
    /// Number of leading dots.
    pub level: usize,
    /// The dotted name after the dots, or `""`.
    pub module: &'a str,
    /// Dots and name.
    pub span: Span,
}

#[derive(Debug, Clone, Copy)]
pub struct Alias<'a> {
    /// A name, or the dotted name of `import a.b`.
    pub name: &'a str,
    pub asname: Option<Ident<'a>>,
    pub span: Span,
}

impl<'a> Alias<'a> {
    /// The name that the alias binds: `a` for `import a.b`.
    pub fn bound(&self) -> &'a str {
        self.asname.map_or_else(|| self.name.split('.').next().unwrap_or(self.name), |n| n.text)
    }
}

#[derive(Debug)]
pub struct Function<'a> {
    pub name: Ident<'a>,
    pub decorators: Vec<Expr<'a>>,
    pub type_params: Vec<Expr<'a>>,
    pub params: Params<'a>,
    pub returns: Option<Expr<'a>>,
    pub body: Vec<Stmt<'a>>,
    /// From `def` or `async` on, without decorators.
    pub def: Span,
}

#[derive(Debug)]
pub struct Class<'a> {
    pub name: Ident<'a>,
    pub decorators: Vec<Expr<'a>>,
    pub type_params: Vec<Expr<'a>>,
    pub args: Vec<Arg<'a>>,
    pub body: Vec<Stmt<'a>>,
    /// From `class` on, without decorators.
    pub def: Span,
}

#[derive(Debug, Default)]
pub struct Params<'a> {
    pub names: Vec<Ident<'a>>,
    /// Which of the names take what is left over: `*args`, `**kwargs`.
    pub stars: Vec<usize>,
    pub annotations: Vec<Expr<'a>>,
    /// Whose annotations they are, as indices of names.
    pub annotated: Vec<usize>,
    pub defaults: Vec<Expr<'a>>,
    /// Whose defaults they are, as indices of names.
    pub defaulted: Vec<usize>,
}

#[derive(Debug)]
pub struct Arg<'a> {
    pub keyword: Option<&'a str>,
    pub value: Expr<'a>,
}

#[derive(Debug)]
pub struct Expr<'a> {
    pub span: Span,
    pub kind: ExprKind<'a>,
}

#[derive(Debug)]
pub enum ExprKind<'a> {
    Name(&'a str),
    Attribute {
        value: Box<Expr<'a>>,
        name: Ident<'a>,
    },
    Subscript {
        value: Box<Expr<'a>>,
        index: Vec<Expr<'a>>,
    },
    Call {
        func: Box<Expr<'a>>,
        args: Vec<Arg<'a>>,
    },
    /// A string without interpolation; the text between the quotes, escapes as written.
    Str(std::borrow::Cow<'a, str>),
    Lambda {
        params: Params<'a>,
        body: Box<Expr<'a>>,
    },
    /// Any comprehension or generator; a dictionary's element has two parts.
    Comprehension {
        element: Vec<Expr<'a>>,
        clauses: Vec<Clause<'a>>,
    },
    Walrus {
        name: Ident<'a>,
        value: Box<Expr<'a>>,
    },
    Not(Box<Expr<'a>>),
    /// `and` if the flag is set, else `or`.
    BoolOp {
        and: bool,
        values: Vec<Expr<'a>>,
    },
    Compare {
        operators: Vec<&'a str>,
        values: Vec<Expr<'a>>,
    },
    /// `a if test else b`: these three, in order of the text.
    Conditional(Box<[Expr<'a>; 3]>),
    /// List, tuple or set display.
    Sequence(Vec<Expr<'a>>),
    Dict(Vec<Expr<'a>>),
    Starred(Box<Expr<'a>>),
    /// A number, `True`, `False`, `None` or `...`.
    Constant(&'a str),
    /// Everything else, by its parts in order of evaluation.
    Other(Vec<Expr<'a>>),
}

#[derive(Debug)]
pub struct Clause<'a> {
    pub target: Expr<'a>,
    pub iter: Expr<'a>,
    pub tests: Vec<Expr<'a>>,
}

impl<'a> Expr<'a> {
    /// The name, if the expression is one.
    pub fn as_name(&self) -> Option<&'a str> {
        match self.kind {
            ExprKind::Name(name) => Some(name),
            _ => None,
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            ExprKind::Str(text) => Some(text),
            _ => None,
        }
    }

    /// `a.b.c` as its parts, if the expression is names and dots alone.
    pub fn dotted(&self) -> Option<Vec<&'a str>> {
        match &self.kind {
            ExprKind::Name(name) => Some(vec![name]),
            ExprKind::Attribute { value, name } => {
                let mut parts = value.dotted()?;
                parts.push(name.text);
                Some(parts)
            }
            _ => None,
        }
    }

    /// The last part of a dotted name: `c` of `a.b.c`, also of what is called or subscripted.
    pub fn last_name(&self) -> Option<&'a str> {
        match &self.kind {
            ExprKind::Name(name) => Some(name),
            ExprKind::Attribute { name, .. } => Some(name.text),
            ExprKind::Call { func, .. } => func.last_name(),
            ExprKind::Subscript { value, .. } => value.last_name(),
            _ => None,
        }
    }

    /// Calls `visit` with each direct part that is evaluated together with the expression, in order. Bodies of lambdas and
    /// the inside of comprehensions are scopes of their own and left out.
    pub fn parts<'e>(&'e self, visit: &mut dyn FnMut(&'e Expr<'a>)) {
        match &self.kind {
            ExprKind::Name(_) | ExprKind::Str(_) | ExprKind::Constant(_) => {}
            ExprKind::Attribute { value, .. } | ExprKind::Walrus { value, .. } => visit(value),
            ExprKind::Not(value) | ExprKind::Starred(value) => visit(value),
            ExprKind::Subscript { value, index } => {
                visit(value);
                index.iter().for_each(visit);
            }
            ExprKind::Call { func, args } => {
                visit(func);
                args.iter().for_each(|a| visit(&a.value));
            }
            ExprKind::Lambda { params, .. } => params.defaults.iter().for_each(visit),
            ExprKind::Comprehension { clauses, .. } => {
                if let Some(first) = clauses.first() {
                    visit(&first.iter);
                }
            }
            ExprKind::BoolOp { values, .. } | ExprKind::Compare { values, .. } => values.iter().for_each(visit),
            ExprKind::Sequence(parts) | ExprKind::Dict(parts) | ExprKind::Other(parts) => parts.iter().for_each(visit),
            ExprKind::Conditional(parts) => parts.iter().for_each(visit),
        }
    }
}

impl<'a> Stmt<'a> {
    /// The blocks of statements directly inside, in order; functions and classes included.
    pub fn blocks(&self) -> Vec<&[Stmt<'a>]> {
        match &self.kind {
            StmtKind::Function(f) => vec![&f.body],
            StmtKind::Class(c) => vec![&c.body],
            StmtKind::If { branches } => branches.iter().map(|b| b.body.as_slice()).collect(),
            StmtKind::While { body, orelse, .. } | StmtKind::For { body, orelse, .. } => vec![body, orelse],
            StmtKind::Try { body, handlers, orelse, finally } => {
                let mut all: Vec<&[Stmt<'a>]> = vec![body];
                all.extend(handlers.iter().map(|h| h.body.as_slice()));
                all.extend([orelse.as_slice(), finally.as_slice()]);
                all
            }
            StmtKind::With { body, .. } => vec![body],
            StmtKind::Match { cases, .. } => cases.iter().map(|c| c.body.as_slice()).collect(),
            _ => Vec::new(),
        }
    }

    /// A string on its own: a docstring, if it comes first.
    pub fn is_string(&self) -> bool {
        matches!(&self.kind, StmtKind::Expr(Expr { kind: ExprKind::Str(_), .. }))
    }
}
