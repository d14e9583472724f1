//! What the body of a module does when it runs, as far as imports can depend on it: a small program out of the syntax tree,
//! kept per file so that the import of a module can be run in the abstract from any entry.
//!
//! What runs for type checkers alone, or only when the file is a script, is left out. Everything else is there in the order
//! in which CPython would run it.

mod lower;

use std::ops::Range;

use crate::syntax::Span;
use crate::syntax::ast::Leave;

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
    pub params: Vec<Param<'a>>,
    /// Where it is defined.
    pub at: usize,
    /// Whether its body is left out, in the outline of a file.
    pub left_out: bool,
    pub globals: Vec<&'a str>,
    pub nonlocals: Vec<&'a str>,
    pub block: Block<'a>,
}

/// A parameter, by what it takes.
#[derive(Debug)]
pub enum Param<'a> {
    /// One argument; with what it is without one, where that can be told from the text.
    One(&'a str, Option<Value<'a>>),
    /// `*args`.
    Rest(&'a str),
    /// `**kwargs`.
    Keywords(&'a str),
}

#[derive(Debug)]
pub struct ClassBody<'a> {
    pub name: &'a str,
    pub bases: Vec<Value<'a>>,
    pub metaclass: Option<Value<'a>>,
    /// What else it hands to those that it extends.
    pub keywords: Vec<(&'a str, Value<'a>)>,
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
    /// Names and attributes.
    Delete(Vec<Value<'a>>),
    /// Arms with their tests; an `else` has none.
    If(Vec<(Option<Value<'a>>, Block<'a>)>),
    Loop {
        /// What a `for` goes over, or the test of a `while`.
        head: Value<'a>,
        target: Option<Value<'a>>,
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
    /// `raise` alone.
    RaiseAgain,
    Leave(Leave),
}

#[derive(Debug)]
pub struct Handler<'a> {
    pub catches: Catches,
    /// What it takes, evaluated when something was raised.
    pub types: Value<'a>,
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

impl Catches {
    pub const ALL: Self = Self { import: true, attribute: true, name: true, missing: true, other: true };

    pub fn or(self, other: Self) -> Self {
        Self {
            import: self.import || other.import,
            attribute: self.attribute || other.attribute,
            name: self.name || other.name,
            missing: self.missing || other.missing,
            other: self.other || other.other,
        }
    }

    /// Whether it takes what is raised.
    pub fn takes(self, class: Error) -> bool {
        match class {
            Error::Import => self.import,
            Error::Attribute => self.attribute,
            Error::Name => self.name,
            Error::Plain => self.other,
            // It may be derived from one of these.
            Error::Other => self.import || self.missing || self.other,
        }
    }
}

/// What is raised, as far as handlers and `__getattr__` tell it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    Import,
    Attribute,
    Name,
    /// Another of Python's own.
    Plain,
    /// Of a class that is not known.
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
    /// Whole numbers, save 0 and 1, which are as good as truths.
    Number(i64),
    None,
    Lambda {
        function: u32,
        defaults: Vec<Value<'a>>,
    },
    Comprehension {
        /// Of a generator, which runs when somebody asks it for values.
        waits: bool,
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
    /// A tuple.
    Tuple(Vec<Value<'a>>),
    /// A list or set.
    List(Vec<Value<'a>>),
    /// Keys and values; what is spread into it has no key.
    Dict(Vec<(Option<Value<'a>>, Value<'a>)>),
    /// `*value` or `**value`.
    Starred(Box<Value<'a>>),
    Annotation(Box<Value<'a>>),
    /// Its parts in order of evaluation.
    Parts(Vec<Value<'a>>),
}
