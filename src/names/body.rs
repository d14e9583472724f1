//! What the body of a module does when it runs, as far as imports can depend on it: a small program out of the syntax tree,
//! kept per file so that the import of a module can be run in the abstract from any entry.
//!
//! What runs for type checkers alone, or only when the file is a script, is left out. Everything else is there in the order
//! in which CPython would run it.

mod lower;

use std::ops::Range;

use crate::syntax::Span;

pub use lower::body;

/// Statements in a row.
pub type Block<'a> = Vec<Step<'a>>;

/// The program of one file.
#[derive(Debug, Default)]
pub struct Body<'a> {
    pub block: Block<'a>,
    pub functions: Vec<Callable<'a>>,
    pub classes: Vec<ClassBody<'a>>,
}

impl Body<'_> {
    /// Whether the module's own level may go on after an import or a name that failed.
    pub fn handles_failures(&self) -> bool {
        handles(&self.block)
    }
}

fn handles(block: &[Step]) -> bool {
    let takes = |catches: &Catches| catches.import || catches.attribute || catches.name;
    block.iter().any(|step| match &step.act {
        Act::Try { handlers, body, .. } => handlers.iter().any(|h| takes(&h.catches)) || handles(body),
        Act::With { suppresses, body, .. } => suppresses.as_ref().is_some_and(takes) || handles(body),
        Act::If(arms) => arms.iter().any(|(_, block)| handles(block)),
        Act::Loop { body, .. } => handles(body),
        _ => false,
    })
}

/// A function or lambda.
#[derive(Debug)]
pub struct Callable<'a> {
    /// `<lambda>` for a lambda, as in a traceback.
    pub name: &'a str,
    pub params: Vec<&'a str>,
    /// Where it is defined.
    pub at: usize,
    /// Whether its body is left out, in the outline of a file.
    pub left_out: bool,
    pub globals: Vec<&'a str>,
    pub block: Block<'a>,
}

#[derive(Debug)]
pub struct ClassBody<'a> {
    pub name: &'a str,
    pub bases: Vec<Value<'a>>,
    pub metaclass: Option<Value<'a>>,
    pub block: Block<'a>,
}

/// A statement.
#[derive(Debug)]
pub struct Step<'a> {
    pub span: Span,
    pub act: Act<'a>,
}

#[derive(Debug)]
pub enum Act<'a> {
    /// The sites of one import statement.
    Import(Range<usize>),
    Evaluate(Value<'a>),
    Assign {
        targets: Vec<Value<'a>>,
        value: Value<'a>,
    },
    Function {
        function: u32,
        decorators: Vec<Value<'a>>,
        /// Default values and annotations.
        evaluated: Vec<Value<'a>>,
    },
    Class {
        class: u32,
        decorators: Vec<Value<'a>>,
    },
    Delete(Vec<&'a str>),
    /// Arms with their tests; an `else` has none.
    If(Vec<(Option<Value<'a>>, Block<'a>)>),
    Loop {
        /// What a `for` goes over, or the test of a `while`.
        head: Value<'a>,
        target: Option<Value<'a>>,
        /// Whether the body surely runs: over a literal that is not empty.
        sure: bool,
        body: Block<'a>,
        orelse: Block<'a>,
    },
    Try {
        body: Block<'a>,
        handlers: Vec<Handler<'a>>,
        orelse: Block<'a>,
        finally: Block<'a>,
    },
    With {
        items: Vec<(Value<'a>, Option<Value<'a>>)>,
        /// What a `contextlib.suppress` among the items keeps from going on.
        suppresses: Option<Catches>,
        body: Block<'a>,
    },
    Match {
        subject: Value<'a>,
        arms: Vec<Block<'a>>,
        /// Whether the last arm takes whatever is left.
        total: bool,
    },
    Return(Value<'a>),
    Raise {
        value: Value<'a>,
        /// What handlers that take it would take.
        class: Error,
    },
    /// `break` or `continue`.
    Leave,
}

#[derive(Debug)]
pub struct Handler<'a> {
    pub catches: Catches,
    pub name: Option<&'a str>,
    pub block: Block<'a>,
}

/// The errors of a half-filled module that a handler takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Catches {
    pub import: bool,
    pub attribute: bool,
    pub name: bool,
    /// A module that is not installed.
    pub missing: bool,
    /// Any other error.
    pub other: bool,
}

/// What is raised, as far as handlers and `__getattr__` tell it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    Import,
    Attribute,
    Name,
    Other,
}

/// An expression.
#[derive(Debug)]
pub struct Value<'a> {
    pub span: Span,
    pub what: What<'a>,
}

#[derive(Debug)]
pub enum What<'a> {
    /// Nothing that imports can depend on.
    Opaque,
    Name(&'a str),
    Attribute(Box<Value<'a>>, &'a str),
    Call {
        function: Box<Value<'a>>,
        /// With their keywords.
        args: Vec<(Option<&'a str>, Value<'a>)>,
    },
    /// `import_module("…")`, by its site.
    Import(usize),
    Item(Box<Value<'a>>, Box<Value<'a>>),
    Text(&'a str),
    Truth(bool),
    None,
    Lambda {
        function: u32,
        defaults: Vec<Value<'a>>,
    },
    Comprehension {
        clauses: Vec<(Value<'a>, Value<'a>, Vec<Value<'a>>)>,
        element: Vec<Value<'a>>,
    },
    Walrus(&'a str, Box<Value<'a>>),
    Not(Box<Value<'a>>),
    /// `and` if the flag is set, else `or`.
    Logic(bool, Vec<Value<'a>>),
    /// `a if test else b`: these three, in order of the text.
    Conditional(Box<[Value<'a>; 3]>),
    /// `is`, `is not`, `==`, `!=`, `in`, `not in`: the flag says whether it is the negated one.
    Same(bool, Box<Value<'a>>, Box<Value<'a>>),
    In(bool, Box<Value<'a>>, Box<Value<'a>>),
    /// `sys.version_info >= (3, minor)`.
    Since(u32),
    Sequence(Vec<Value<'a>>),
    Annotation(Box<Value<'a>>),
    /// Its parts in order of evaluation.
    Parts(Vec<Value<'a>>),
}
