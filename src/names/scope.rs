//! The names of one file: scopes, what binds a name in them, every use of a name and when it runs.
//! Scoping is Python's own: class scopes are invisible to methods, comprehensions have scopes of their own, a walrus
//! binds outside of them, `global` and `nonlocal` redirect.

use std::collections::{BTreeMap, BTreeSet};

use crate::syntax::Span;
use crate::syntax::ast::Ident;
use crate::syntax::exports::Exports;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeId(pub u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionId(pub u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassId(pub u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnnotationId(pub u32);

pub const MODULE: ScopeId = ScopeId(0);

/// Names that every module has without binding them.
const GIVEN: [&str; 6] = ["__name__", "__doc__", "__spec__", "__file__", "__dict__", "__class__"];

/// Whether a module's `__getattr__` is asked for a name that the module does not bind.
pub fn is_asked_for(name: &str) -> bool {
    !GIVEN.contains(&name)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeKind {
    Module,
    Class(ClassId),
    Function(FunctionId),
    Comprehension,
    /// Type parameters of a function or class (PEP 695), around it.
    TypeParams,
}

#[derive(Debug)]
pub struct Scope<'a> {
    pub kind: ScopeKind,
    pub parent: Option<ScopeId>,
    pub bindings: BTreeMap<&'a str, Vec<Binding<'a>>>,
    pub globals: BTreeSet<&'a str>,
    pub nonlocals: BTreeSet<&'a str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Index of the site in the file's imports.
    Import(usize),
    Function(FunctionId),
    Class(ClassId),
    Parameter,
    /// An assignment of any form.
    Value,
    /// `x: int` without a value: makes the name local, binds nothing.
    Declared,
    Deleted,
}

#[derive(Clone, Debug)]
pub struct Binding<'a> {
    pub what: Bound,
    pub span: Span,
    /// Names read by the bound value, for following aliases: `g = partial(f)`.
    pub from: Vec<Reference<'a>>,
    /// What is called to make the value: `partial`.
    pub call: Option<Reference<'a>>,
    /// How many arguments without a name that call gets, if it can be told.
    pub positional: Option<usize>,
    /// Whether the value is a dotted name, or taken out of one.
    pub plain: bool,
    /// Whether it is of a type of Python's own: a display, a text, a number, `dict(…)`.
    pub builtin: bool,
    /// What a text that is put together begins with.
    pub begins: &'a str,
    /// Whether it runs in another scope, by `global` or `nonlocal`.
    pub from_inside: bool,
    /// Whether a statement around it may skip it: `if`, `try`, a loop.
    pub conditional: bool,
    pub moment: Moment,
}

/// The bindings of a name that bind it when the program runs; where none does, those for type checkers.
pub fn that_run<'b, 'a>(bindings: &'b [Binding<'a>]) -> impl DoubleEndedIterator<Item = &'b Binding<'a>> + Clone {
    let runs = |b: &Binding| b.moment != Moment::Never && b.what != Bound::Declared;
    let any = bindings.iter().any(runs);
    bindings.iter().filter(move |b| !any || b.moment != Moment::Never)
}

/// A name with the attributes behind it: `a.b.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference<'a> {
    pub name: &'a str,
    pub attributes: Vec<&'a str>,
}

impl<'a> Reference<'a> {
    /// The name and the attributes behind it.
    pub fn path(&self) -> Vec<&'a str> {
        std::iter::once(self.name).chain(self.attributes.iter().copied()).collect()
    }
}

/// When code runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// While the module is imported.
    Import,
    /// When the file is run as a script.
    Main,
    /// When this function is called; the innermost one.
    Call(FunctionId),
    /// Never: under TYPE_CHECKING.
    Never,
}

/// What is done with the value of a use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Load,
    Called,
    Decorator,
    /// Handed to a call.
    Argument,
    Returned,
    /// Handed to a call that asks one thing of it, and keeps it from going on: `isinstance`, `getattr` with a literal.
    Inspected,
    Base,
    Annotation(AnnotationId),
    /// Named in the text of a string annotation or of a type comment.
    Quoted(Option<AnnotationId>),
    /// `name.attr = …` or `name[…] = …`.
    Store,
    /// `del name.attr`.
    Delete,
}

/// Where a call hands something over.
#[derive(Clone, Debug)]
pub struct Argument<'a> {
    pub callee: Reference<'a>,
    pub place: Place<'a>,
    pub by: By,
    pub gives: Gives,
}

/// What becomes of what a call gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gives {
    #[default]
    Anything,
    /// It is returned.
    Returned,
    /// It is called, `f(…)(…)`, or comes to where it may be.
    Called,
}

/// How the name of a callee leads to what is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// It is what is called.
    Name,
    /// It is not written as a dotted name: `super().m(…)`, `set(…).union(…)`.
    Implied,
    /// What a call of it gives is called: `f(…)(…)`.
    Result,
    /// A method of an item of the collection is called: `x[key].append`.
    Item,
}

/// Which argument of a call something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place<'a> {
    Position(usize),
    Keyword(&'a str),
    /// It stands behind `*args`.
    Unknown,
}

/// What keeps a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeper<'a> {
    /// A name of the module.
    Variable(&'a str),
    /// An attribute of something, also of a class by its body.
    Attribute(&'a str),
    /// The same of a special method, and the name of the object.
    Special(&'a str, &'a str),
    /// A collection of this name, which takes it as an item.
    Item(&'a str),
    /// The same as a key.
    ItemKey(&'a str),
    /// A name of a function, which is bound to it as it is or to what it holds.
    Local,
}

#[derive(Clone, Debug)]
pub struct Use<'a> {
    pub name: &'a str,
    /// The name alone.
    pub span: Span,
    pub attributes: Vec<Ident<'a>>,
    pub scope: ScopeId,
    pub role: Role,
    pub moment: Moment,
    /// The scope that the name belongs to; `None` for builtins and what is not bound here.
    pub owner: Option<ScopeId>,
    /// The call that it is handed to, if it is handed over whole.
    pub argument: Option<Box<Argument<'a>>>,
    /// Where it is kept: as it is, what calling it gives, or as an item of a display.
    pub kept: Option<Keeper<'a>>,
    /// What calling it gives is called in turn: `f()()`, `@f()`.
    pub twice: bool,
    /// What counts is one item: `name[…]`.
    pub item: bool,
}

impl<'a> Use<'a> {
    /// What it is handed to, if that is a dotted name and it is handed over whole.
    pub fn passed_to(&self) -> Option<&Reference<'a>> {
        self.argument.as_deref().filter(|a| a.by == By::Name).map(|a| &a.callee)
    }

    /// The attributes behind the name.
    pub fn attributes_text(&self) -> Vec<&'a str> {
        self.attributes.iter().map(|a| a.text).collect()
    }

    /// The name with its attributes.
    pub fn reference(&self) -> Reference<'a> {
        Reference { name: self.name, attributes: self.attributes.iter().map(|a| a.text).collect() }
    }
}

/// What a function returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gift<'a> {
    /// What a name stands for, or some of its arguments filled in.
    Name(&'a str),
    /// What a call of the name gives that has this name alone for an argument.
    Result(&'a str, Option<&'a str>),
    Lambda,
}

#[derive(Debug)]
pub struct Function<'a> {
    /// Empty for a lambda.
    pub name: &'a str,
    /// The whole definition with decorators, or the lambda.
    pub span: Span,
    pub scope: ScopeId,
    /// The scope it is defined in.
    pub parent: ScopeId,
    /// The next function around it.
    pub outer: Option<FunctionId>,
    /// The class whose body it stands in directly.
    pub class: Option<ClassId>,
    pub decorators: Vec<Vec<&'a str>>,
    /// Which of the decorators are made by a call: `@f(…)`.
    pub factories: Vec<bool>,
    pub params: Vec<&'a str>,
    /// Which of the parameters take what is left over: `*args`, `**kwargs`.
    pub stars: Vec<usize>,
    /// The classes that annotations of parameters name.
    pub types: Vec<(&'a str, Reference<'a>)>,
    /// What default values read.
    pub defaults: Vec<Reference<'a>>,
    pub is_lambda: bool,
    pub is_async: bool,
    /// What it returns, if that is nothing but such.
    pub gives: Option<Vec<Gift<'a>>>,
    /// Whether it sets something up the first time alone, and the same whoever calls it first.
    pub works_once: bool,
    /// Where a lambda is kept.
    pub kept: Option<Keeper<'a>>,
    /// The call that a lambda is handed to.
    pub argument: Option<Argument<'a>>,
    /// Whether it calls `locals()`, `vars()`, `eval` or `exec`.
    pub dynamic: bool,
}

#[derive(Debug)]
pub struct Class<'a> {
    pub name: &'a str,
    pub span: Span,
    pub scope: ScopeId,
    pub parent: ScopeId,
    /// The next function around it.
    pub outer: Option<FunctionId>,
    /// Base classes; an empty path for an expression that is not a dotted name.
    pub bases: Vec<Vec<&'a str>>,
    pub metaclass: Option<Vec<&'a str>>,
    /// Keywords other than `metaclass`.
    pub has_keywords: bool,
    pub decorators: Vec<Vec<&'a str>>,
    /// Which of the decorators are made by a call: `@f(…)`.
    pub factories: Vec<bool>,
    pub methods: BTreeMap<&'a str, Vec<FunctionId>>,
}

/// An attribute that is read, and may be called, of what is no plain name.
#[derive(Clone, Debug)]
pub struct MethodCall<'a> {
    pub name: &'a str,
    pub moment: Moment,
    pub scope: ScopeId,
    pub span: Span,
    /// Whether it is read of `super()`.
    pub of_super: bool,
    /// What a call of which the object is the result calls: `C().method`.
    pub made_by: Option<Reference<'a>>,
}

/// Whose annotation it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnnotationOwner {
    Function(FunctionId),
    Class(ClassId),
    Module,
    /// A variable inside a function: never evaluated.
    Local,
}

#[derive(Debug)]
pub struct Annotation {
    pub span: Span,
    pub owner: AnnotationOwner,
    pub moment: Moment,
    /// A string as a whole, which nothing evaluates unless asked to.
    pub quoted: bool,
}

/// A string literal that may name something of a module.
#[derive(Clone, Debug)]
pub struct PathString<'a> {
    pub text: &'a str,
    pub span: Span,
    /// Stands in a call that replaces what it names.
    pub patches: bool,
}

/// `getattr(m, "n")`, `monkeypatch.setattr(m, "n", …)`, `patch.object(m, "n")` and their like.
#[derive(Clone, Debug)]
pub struct NamedAccess<'a> {
    pub module: Reference<'a>,
    pub scope: ScopeId,
    /// `None`: not a literal.
    pub name: Option<&'a str>,
    /// What a name that is put together begins with, and the variable that it is the value of.
    pub begins: &'a str,
    pub computed_by: Option<&'a str>,
    pub replaces: bool,
    /// Whether it only asks whether the attribute is there.
    pub asks: bool,
    /// The call that what it gives is handed to.
    pub argument: Option<Argument<'a>>,
    pub moment: Moment,
    pub span: Span,
}

/// A test of where something is defined: `c.__module__ == "m"`.
#[derive(Clone, Copy, Debug)]
pub struct ByModule<'a> {
    pub span: Span,
    /// The name or its beginning; `None`: not a literal.
    pub literal: Option<&'a str>,
    /// Whether it may mean the module that the test stands in: `__name__`, `getmodule(c)`.
    pub own: bool,
}

/// A call that evaluates the annotations of what it is handed.
#[derive(Clone, Debug)]
pub struct Evaluation<'a> {
    pub of: Reference<'a>,
    pub scope: ScopeId,
    /// Also those that are strings.
    pub strings: bool,
}

/// A name inside the brackets of what a call is handed: `f(List[T])`.
#[derive(Clone, Debug)]
pub struct HandedPart<'a> {
    pub callee: Reference<'a>,
    pub of: Reference<'a>,
    pub scope: ScopeId,
}

/// All names of one file.
#[derive(Debug, Default)]
pub struct FileNames<'a> {
    /// What `__all__` lists.
    pub exports: Exports<'a>,
    pub scopes: Vec<Scope<'a>>,
    pub uses: Vec<Use<'a>>,
    pub functions: Vec<Function<'a>>,
    pub classes: Vec<Class<'a>>,
    pub annotations: Vec<Annotation>,
    /// Names at module level that type checkers take for something else, as the program binds them.
    pub told_apart: BTreeMap<&'a str, Vec<Binding<'a>>>,
    pub paths: Vec<PathString<'a>>,
    pub accesses: Vec<NamedAccess<'a>>,
    /// Methods called on what is no plain name: `f().m()`.
    pub method_calls: Vec<MethodCall<'a>>,
    /// Attributes read of what is no plain name: `f().x`.
    pub loose: BTreeSet<&'a str>,
    /// Whether it reads attributes of objects by names that are computed: `getattr(x, n)`, `vars(x)`.
    pub reads_by_name: bool,
    /// Whether it sets attributes of objects by names that are computed: `setattr(x, n, v)`.
    pub writes_by_name: bool,
    /// Names that it sets on what `sys.modules` gives for a computed name.
    pub set_on_computed: Vec<(&'a str, Span)>,
    /// Names that a doctest uses.
    pub doctest: BTreeSet<&'a str>,
    /// The file reads its own namespace: `globals()`, `vars()`, `eval`, `exec` at some place.
    pub dynamic: Option<Span>,
    /// `from __future__ import annotations`.
    pub postponed: bool,
    /// Attributes read of modules that a literal names: `import_module("m").name`.
    pub literal_reads: Vec<(&'a str, &'a str, Span)>,
    /// Modules named by a literal whose object goes on.
    pub literal_escapes: Vec<(&'a str, Span)>,
    /// Whether it has a `__getattr__` that may do something for any name.
    pub answers_all: bool,
    /// Whether it asks a class for its subclasses.
    pub asks_subclasses: bool,
    /// Where it tells things by the module that defines them: `c.__module__ == …`, `getmodule(c)`.
    pub told_by_module: Vec<ByModule<'a>>,
    /// The same by the end of the module's name.
    pub told_by_end: Vec<(&'a str, Span)>,
    /// Where it first reads the module of something at all, or what `pickle` and `type` write of it.
    pub reads_place: Option<Span>,
    /// Attributes read of modules that a computed name gives.
    pub computed_reads: BTreeSet<&'a str>,
    /// What it asks the annotations of.
    pub evaluated: Vec<Evaluation<'a>>,
    /// Whether it asks the annotations of what no name stands for.
    pub evaluates_unknown: bool,
    /// What stands in brackets in the arguments of calls.
    pub handed_parts: Vec<HandedPart<'a>>,
    /// Modules that it takes out of `sys.modules` or reloads, as written.
    pub reloads: Vec<(Reference<'a>, ScopeId)>,
    /// Whether Python may read a name of it as another one than is written.
    pub normalised: bool,
    /// Attributes read of the module where something is defined: `sys.modules[x.__module__].name`, `f.__globals__["name"]`.
    pub read_where_defined: Vec<(&'a str, Span)>,
    /// Whether it replaces attributes of what a computed string names.
    pub patches: bool,
    /// Strings in the private tables of a module with a `__getattr__`: what it may load on demand.
    pub on_demand: BTreeSet<&'a str>,
}

impl Function<'_> {
    /// Whether a function is what its name stands for.
    pub fn is_plain(&self) -> bool {
        self.decorators.iter().all(|path| path.last() == Some(&"wraps"))
    }
}

impl<'a> FileNames<'a> {
    /// A file without names.
    pub fn empty() -> Self {
        let module = Scope {
            kind: ScopeKind::Module,
            parent: None,
            bindings: BTreeMap::new(),
            globals: BTreeSet::new(),
            nonlocals: BTreeSet::new(),
        };
        Self { scopes: vec![module], ..Self::default() }
    }

    pub fn scope(&self, id: ScopeId) -> &Scope<'a> {
        &self.scopes[id.0 as usize]
    }

    pub fn function(&self, id: FunctionId) -> &Function<'a> {
        &self.functions[id.0 as usize]
    }

    pub fn class(&self, id: ClassId) -> &Class<'a> {
        &self.classes[id.0 as usize]
    }

    pub fn annotation(&self, id: AnnotationId) -> &Annotation {
        &self.annotations[id.0 as usize]
    }

    /// The bindings of a name at module level.
    pub fn bindings(&self, name: &str) -> &[Binding<'a>] {
        self.scope(MODULE).bindings.get(name).map_or(&[], Vec::as_slice)
    }

    /// The same without those for type checkers, where there are others.
    pub fn at_run_time(&self, name: &str) -> &[Binding<'a>] {
        self.told_apart.get(name).map_or_else(|| self.bindings(name), Vec::as_slice)
    }

    /// The outermost function around a moment.
    pub fn outermost(&self, mut function: FunctionId) -> FunctionId {
        while let Some(outer) = self.function(function).outer {
            function = outer;
        }
        function
    }

    /// Whether a moment is when a function runs, or a function in it.
    pub fn runs_in(&self, function: FunctionId, moment: Moment) -> bool {
        let Moment::Call(mut at) = moment else { return false };
        while at != function {
            let Some(outer) = self.function(at).outer else { return false };
            at = outer;
        }
        true
    }

    /// Whether a function that stands in another, whose scope is `owner`, is used for nothing but to be returned.
    pub fn is_only_returned(&self, owner: ScopeId, nested: FunctionId) -> bool {
        let found = self.function(nested);
        let passes_on =
            |callee: &Reference| matches!(callee.path().last(), Some(&"wraps" | &"update_wrapper" | &"cast"));
        let returned = |used: &Use| match (used.role, &used.argument) {
            (Role::Returned, _) | (Role::Store, _) => true,
            (Role::Argument, Some(argument)) => argument.gives == Gives::Returned && passes_on(&argument.callee),
            _ => false,
        };
        let mut uses = self.uses.iter().filter(|used| used.owner == Some(owner) && used.name == found.name);
        let is_alone = matches!(self.scope(owner).bindings.get(found.name), Some(all) if all.len() == 1);
        !found.is_lambda && found.parent == owner && is_alone && found.is_plain() && uses.all(returned)
    }

    /// Whether a scope is the one of the function that runs at a moment, or stands inside it.
    pub fn is_of(&self, scope: ScopeId, moment: Moment) -> bool {
        let Moment::Call(function) = moment else { return false };
        let of = self.function(function).scope;
        let mut at = Some(scope);
        while let Some(id) = at.filter(|id| *id != of) {
            at = self.scope(id).parent;
        }
        at.is_some()
    }

    /// The scope that `name`, read in `scope`, belongs to.
    pub fn owner(&self, name: &str, scope: ScopeId) -> Option<ScopeId> {
        let mut at = Some(scope);
        while let Some(id) = at {
            let here = self.scope(id);
            if here.globals.contains(name) {
                return self.scope(MODULE).bindings.contains_key(name).then_some(MODULE);
            }
            let visible = id == scope || !matches!(here.kind, ScopeKind::Class(_)) || self.sees_class(scope, id);
            if visible && !here.nonlocals.contains(name) && here.bindings.contains_key(name) {
                return Some(id);
            }
            at = here.parent;
        }
        None
    }

    /// Type parameters see the class they stand in.
    fn sees_class(&self, from: ScopeId, class: ScopeId) -> bool {
        self.scope(from).kind == ScopeKind::TypeParams && self.scope(from).parent == Some(class)
    }

    /// Uses of a name of the module's own scope.
    pub fn uses_of<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s Use<'a>> {
        self.uses.iter().filter(move |u| u.name == name && u.owner == Some(MODULE))
    }
}
