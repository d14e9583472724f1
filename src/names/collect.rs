//! Walks a syntax tree and fills [`FileNames`].

mod doctest;
mod forms;
mod gives;
mod once;

use std::collections::{BTreeMap, BTreeSet};

use forms::*;
pub use forms::{is_private, words};
use gives::gives;
use once::works_once;

use super::scope::*;
use crate::outcome::Kind;
use crate::project::is_identifier;
use crate::syntax::Span;
use crate::syntax::ast::{self, Arg, Ast, Expr, ExprKind, Ident, Params, Stmt, StmtKind};
use crate::syntax::exports::Exports;
use crate::syntax::imports::{FileImports, Guards, stmt_exprs};

/// Collects the names of a file. `imports` are those of the same tree.
pub fn collect<'a>(ast: &Ast<'a>, imports: &FileImports<'a>) -> FileNames<'a> {
    let mut walk = Walk {
        text: ast.text,
        out: FileNames::default(),
        guards: Guards::of(&ast.body),
        sites: imports.sites.iter().enumerate().map(|(i, s)| (s.at, i)).collect(),
        scope: MODULE,
        function: None,
        guard: Kind::Eager,
        conditional: false,
        kept: None,
        keeps_arguments: None,
        twice: false,
        gives: Gives::Anything,
        named: Vec::new(),
        classes: Vec::new(),
        may_patch: ["patch", "setattr"]
            .iter()
            .any(|w| memchr::memmem::find(ast.text.as_bytes(), w.as_bytes()).is_some()),
    };
    walk.push_scope(ScopeKind::Module, None);
    walk.out.asks_subclasses = memchr::memmem::find(ast.text.as_bytes(), b"__subclasses__").is_some();
    walk.out.postponed = ast.body.iter().any(is_postponement);
    walk.docstring(&ast.body);
    walk.block(&ast.body);
    for comment in &ast.comments {
        walk.type_comment(*comment);
    }
    let mut out = walk.out;
    out.exports = Exports::of(ast);
    if out.bindings("__getattr__").iter().any(|b| matches!(b.what, Bound::Function(_))) {
        out.on_demand = ast.body.iter().flat_map(table).collect();
        out.answers_all = ast.body.iter().any(
            |stmt| matches!(&stmt.kind, StmtKind::Function(f) if f.name.text == "__getattr__" && !knows_its_names(f)),
        );
    }
    let owners: Vec<_> = out.uses.iter().map(|u| out.owner(u.name, u.scope)).collect();
    for (used, owner) in out.uses.iter_mut().zip(owners) {
        used.owner = owner;
    }
    // A class body looks a name up in itself, then in the module: what it binds itself it may have read from there.
    let twice: Vec<Use> = out
        .uses
        .iter()
        .filter(|u| u.owner == Some(u.scope) && matches!(out.scope(u.scope).kind, ScopeKind::Class(_)))
        .filter(|u| !out.bindings(u.name).is_empty())
        .map(|u| Use { owner: Some(MODULE), moment: u.moment.min(Moment::Import), ..u.clone() })
        .collect();
    out.uses.extend(twice);
    out.told_apart = told_apart(&out);
    out.reads_place = ["__module__", "find_class", "<class '"].iter().find_map(|word| {
        let start = memchr::memmem::find(ast.text.as_bytes(), word.as_bytes())?;
        Some(Span { start, end: start + word.len() })
    });
    out.normalised = !ast.text.is_ascii() && {
        let bound = out.scopes.iter().flat_map(|scope| scope.bindings.keys().copied());
        let used = out.uses.iter().flat_map(|u| std::iter::once(u.name).chain(u.attributes.iter().map(|a| a.text)));
        let imported = imports.sites.iter().flat_map(|s| s.module.split('.').chain(s.name));
        bound.chain(used).chain(imported).chain(out.loose.iter().copied()).any(may_be_normalised)
    };
    out
}

/// Names of a module that are bound for type checkers and by the program: `if TYPE_CHECKING: …`, `else: …`.
fn told_apart<'a>(names: &FileNames<'a>) -> BTreeMap<&'a str, Vec<Binding<'a>>> {
    let all = names.scope(MODULE).bindings.iter();
    let for_types = |(_, bindings): &(&&str, &Vec<Binding>)| bindings.iter().any(|b| b.moment == Moment::Never);
    all.filter(for_types).map(|(name, bindings)| (*name, that_run(bindings).cloned().collect())).collect()
}

/// `from __future__ import annotations`.
pub fn is_postponement(stmt: &Stmt) -> bool {
    matches!(&stmt.kind, StmtKind::Import(i) if i.from.is_some_and(|f| f.module == "__future__" && f.level == 0)
        && i.names.iter().any(|a| a.name == "annotations"))
}

struct Walk<'a> {
    text: &'a str,
    out: FileNames<'a>,
    guards: Guards<'a>,
    sites: BTreeMap<Span, usize>,
    scope: ScopeId,
    function: Option<FunctionId>,
    guard: Kind,
    conditional: bool,
    /// What keeps the expression at hand.
    kept: Option<Keeper<'a>>,
    /// What keeps the arguments of the call at hand: its result is made of them.
    keeps_arguments: Option<Keeper<'a>>,
    /// Whether what a call gives is called in turn.
    twice: bool,
    /// What becomes of what the call at hand gives.
    gives: Gives,
    /// Modules named by a literal of which an attribute is read at once.
    named: Vec<Span>,
    /// Classes around, by what their names become a part of: the names that are private to them.
    classes: Vec<&'a str>,
    /// Whether the text speaks of patching at all.
    may_patch: bool,
}

/// Calls that replace an attribute named by a string.
const REPLACING: [&str; 8] = ["patch", "object", "setattr", "delattr", "multiple", "dict", "spy", "stub"];
/// Calls whose string arguments are types.
const TYPE_CALLS: [&str; 7] = ["cast", "TypeVar", "NewType", "ForwardRef", "TypedDict", "NamedTuple", "assert_type"];

/// Builtins that ask one thing of their arguments.
const INSPECTING: [&str; 7] = ["isinstance", "issubclass", "type", "id", "callable", "len", "super"];

/// Calls that evaluate the annotations of their first argument.
const EVALUATING: [&str; 7] = [
    "get_type_hints",
    "get_annotations",
    "signature",
    "resolve_types",
    "type_hints",
    "evaluate_forward_ref",
    "TypeAdapter",
];

impl<'a> Walk<'a> {
    fn push_scope(&mut self, kind: ScopeKind, parent: Option<ScopeId>) -> ScopeId {
        let scope =
            Scope { kind, parent, bindings: BTreeMap::new(), globals: BTreeSet::new(), nonlocals: BTreeSet::new() };
        self.out.scopes.push(scope);
        ScopeId(self.out.scopes.len() as u32 - 1)
    }

    fn inside(&mut self, scope: ScopeId, body: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.scope, scope);
        body(self);
        self.scope = outer;
    }

    fn moment(&self) -> Moment {
        match (self.guard, self.function) {
            (Kind::Type, _) => Moment::Never,
            (_, Some(function)) => Moment::Call(function),
            (Kind::Deferred, None) => Moment::Main,
            _ => Moment::Import,
        }
    }

    fn bind(&mut self, name: &'a str, what: Bound, span: Span, from: Vec<Reference<'a>>) {
        self.bind_in(self.scope, name, what, span, Source { from, ..Source::default() });
    }

    /// A name as the compiler takes it: inside a class `C`, `__x` is `_C__x`, if the file has that name at all.
    fn mangled(&self, name: &'a str) -> &'a str {
        let Some(class) = self.classes.last().filter(|_| is_private(name)) else { return name };
        let long = format!("_{class}{name}");
        words(self.text).map(|(_, word)| word).find(|word| *word == long).unwrap_or(name)
    }

    fn bind_in(&mut self, at: ScopeId, name: &'a str, what: Bound, span: Span, source: Source<'a>) {
        let name = self.mangled(name);
        let scope = &self.out.scopes[at.0 as usize];
        let owner = if scope.globals.contains(name) {
            MODULE
        } else if scope.nonlocals.contains(name) {
            let mut up = scope.parent;
            loop {
                let Some(id) = up else { break at };
                let outer = &self.out.scopes[id.0 as usize];
                if matches!(outer.kind, ScopeKind::Function(_)) && outer.bindings.contains_key(name) {
                    break id;
                }
                up = outer.parent;
            }
        } else {
            at
        };
        let binding = Binding {
            what,
            span,
            from: source.from,
            call: source.call,
            positional: source.positional,
            plain: source.plain,
            begins: source.begins,
            builtin: source.builtin,
            from_inside: owner != at,
            conditional: self.conditional,
            moment: self.moment(),
        };
        self.out.scopes[owner.0 as usize].bindings.entry(name).or_default().push(binding);
    }

    /// Comprehensions do not hold what a walrus in them binds.
    fn walrus_scope(&self) -> ScopeId {
        let mut at = self.scope;
        while let Scope { kind: ScopeKind::Comprehension, parent: Some(parent), .. } = &self.out.scopes[at.0 as usize] {
            at = *parent;
        }
        at
    }

    fn block(&mut self, body: &[Stmt<'a>]) {
        // `global` speaks for the whole function, also for what stands above it.
        for stmt in body {
            self.declarations(stmt);
        }
        for stmt in body {
            self.stmt(stmt);
        }
    }

    fn declarations(&mut self, stmt: &Stmt<'a>) {
        let mangled = |names: &[Ident<'a>]| names.iter().map(|n| self.mangled(n.text)).collect::<Vec<_>>();
        match &stmt.kind {
            StmtKind::Global(names) => {
                let names = mangled(names);
                self.out.scopes[self.scope.0 as usize].globals.extend(names);
            }
            StmtKind::Nonlocal(names) => {
                let names = mangled(names);
                self.out.scopes[self.scope.0 as usize].nonlocals.extend(names);
            }
            StmtKind::Function(_) | StmtKind::Class(_) => {}
            _ => stmt.blocks().into_iter().flatten().for_each(|inner| self.declarations(inner)),
        }
    }

    fn conditionally(&mut self, body: &[Stmt<'a>]) {
        let outer = std::mem::replace(&mut self.conditional, true);
        self.block(body);
        self.conditional = outer;
    }

    fn stmt(&mut self, stmt: &Stmt<'a>) {
        match &stmt.kind {
            StmtKind::Import(import) => {
                for alias in &import.names {
                    if let Some(site) = self.sites.get(&alias.span).copied() {
                        let bound = if import.from.is_some() {
                            alias.asname.map_or(alias.name, |n| n.text)
                        } else {
                            alias.bound()
                        };
                        self.bind(bound, Bound::Import(site), alias.span, Vec::new());
                    }
                }
            }
            StmtKind::Function(function) => self.function(stmt.span, function),
            StmtKind::Class(class) => self.class(stmt.span, class),
            StmtKind::If { branches } => {
                for (index, branch) in branches.iter().enumerate() {
                    if let Some(test) = &branch.test {
                        self.expr(test, Role::Inspected);
                    }
                    let outer = self.guard;
                    self.guard = outer.max(self.guards.arm(branches, index));
                    self.conditionally(&branch.body);
                    self.guard = outer;
                }
            }
            StmtKind::Assign { targets, value } => {
                self.assigned(targets, value);
                let source = Source::of(value, self.text);
                for target in targets {
                    self.target(target, &source);
                }
            }
            StmtKind::AugAssign { target, value } => {
                self.kept = match &target.kind {
                    ExprKind::Name(name) => self.keeper(name),
                    ExprKind::Attribute { name, value } => Some(attribute_keeper(value, name.text)),
                    _ => None,
                };
                self.expr(value, Role::Load);
                self.kept = None;
                if target.as_name().is_some() {
                    self.expr(target, Role::Load);
                }
                self.target(target, &Source::of(value, self.text).parts());
            }
            StmtKind::AnnAssign { target, annotation, value } => {
                let owner = match self.out.scope(self.scope).kind {
                    ScopeKind::Module => AnnotationOwner::Module,
                    ScopeKind::Class(class) => AnnotationOwner::Class(class),
                    _ => AnnotationOwner::Local,
                };
                let alias = annotation.last_name() == Some("TypeAlias");
                self.annotation(annotation, owner);
                if let Some(value) = value {
                    if alias && let ExprKind::Str(_) = &value.kind {
                        self.quoted(value.span, None);
                    }
                    self.assigned(std::slice::from_ref(target), value);
                    self.target(target, &Source::of(value, self.text));
                } else if let Some(name) = target.as_name() {
                    self.bind(name, Bound::Declared, target.span, Vec::new());
                } else {
                    self.target(target, &Source::default());
                }
            }
            StmtKind::For { target, iter, body, orelse } => {
                self.kept = self.local_keeper(target, iter);
                self.expr(iter, Role::Load);
                self.target(target, &Source::of(iter, self.text).parts());
                self.conditionally(body);
                self.conditionally(orelse);
            }
            StmtKind::With { items, body } => {
                for item in items {
                    self.expr(&item.context, Role::Load);
                    if let Some(target) = &item.target {
                        self.target(target, &Source::of(&item.context, self.text).parts());
                    }
                }
                self.conditionally(body);
            }
            StmtKind::Try { body, handlers, orelse, finally } => {
                self.conditionally(body);
                for handler in handlers {
                    handler.types.iter().for_each(|t| self.expr(t, Role::Load));
                    if let Some(name) = handler.name {
                        self.bind(name.text, Bound::Value, name.span, Vec::new());
                    }
                    self.conditionally(&handler.body);
                }
                self.conditionally(orelse);
                self.conditionally(finally);
            }
            // The module is loaded for its effects alone.
            StmtKind::Expr(expr) if named_module(expr).is_some() => {
                self.named.push(expr.span);
                self.expr(expr, Role::Load);
            }
            StmtKind::Match { subject, cases } => {
                subject.iter().for_each(|s| self.expr(s, Role::Load));
                for case in cases {
                    for name in &case.captures {
                        self.bind(name.text, Bound::Value, name.span, Vec::new());
                    }
                    case.reads.iter().chain(&case.guard).for_each(|e| self.expr(e, Role::Load));
                    self.conditionally(&case.body);
                }
            }
            StmtKind::Delete(targets) => targets.iter().for_each(|t| self.delete(t)),
            StmtKind::TypeAlias { name, type_params, value } => {
                if let Some(name) = name {
                    self.bind(name.text, Bound::Value, name.span, references(value));
                }
                // Evaluated when `__value__` is asked for, by anyone.
                self.in_type_params(type_params, |walk| walk.expr(value, Role::Load));
            }
            StmtKind::Return(values) => values.iter().for_each(|v| self.expr(v, Role::Returned)),
            // A class that is raised is called.
            StmtKind::Raise(values) => values.iter().for_each(|v| {
                self.expr(v, if v.dotted().is_some() { Role::Called } else { Role::Load });
            }),
            _ => {
                for expr in stmt_exprs(stmt) {
                    self.expr(expr, Role::Load);
                }
                for block in stmt.blocks() {
                    self.conditionally(block);
                }
            }
        }
    }

    /// The value of an assignment. What one name or attribute keeps may be called only from there.
    fn assigned(&mut self, targets: &[Expr<'a>], value: &Expr<'a>) {
        let of_self =
            |t: &Expr| matches!(&t.kind, ExprKind::Attribute { value, .. } if value.as_name() == Some("self"));
        self.kept = match targets {
            [Expr { kind: ExprKind::Attribute { name, value }, .. }] => Some(attribute_keeper(value, name.text)),
            [Expr { kind: ExprKind::Subscript { value, .. }, .. }] => item_keeper(value),
            [target @ Expr { kind: ExprKind::Name(name), .. }] => {
                self.keeper(name).or_else(|| self.local_keeper(target, value))
            }
            _ => None,
        };
        if let ([Expr { kind: ExprKind::Name(alias), .. }], ScopeKind::Class(class), Some(method)) =
            (targets, self.out.scope(self.scope).kind, value.as_name())
        {
            // `__radd__ = __add__` is one more method.
            let class = &mut self.out.classes[class.0 as usize];
            if let Some(functions) = class.methods.get(method).cloned() {
                class.methods.entry(alias).or_default().extend(functions);
                self.kept = None;
                return self.expr(value, Role::Inspected);
            }
        }
        let handed_over = self.function.is_some() && targets.iter().all(of_self) && value.as_name().is_some();
        let kept = matches!(self.kept, Some(Keeper::Attribute(_)));
        self.expr(value, if handed_over && kept { Role::Inspected } else { Role::Load });
        self.kept = None;
    }

    /// What an assignment to a name makes its keeper, outside of functions.
    fn keeper(&self, name: &'a str) -> Option<Keeper<'a>> {
        match self.out.scope(self.scope).kind {
            ScopeKind::Module => Some(Keeper::Variable(name)),
            ScopeKind::Class(_) => Some(Keeper::Attribute(name)),
            _ => None,
        }
    }

    /// The same for a dotted name in a function, where what the new name is used for is what matters.
    fn local_keeper(&self, target: &Expr<'a>, value: &Expr<'a>) -> Option<Keeper<'a>> {
        let scope = self.out.scope(self.scope);
        let local = |name: &str| {
            matches!(scope.kind, ScopeKind::Function(_))
                && !scope.globals.contains(name)
                && !scope.nonlocals.contains(name)
        };
        (target.as_name().is_some_and(local) && value.dotted().is_some()).then_some(Keeper::Local)
    }

    fn delete(&mut self, target: &Expr<'a>) {
        match &target.kind {
            ExprKind::Name(name) => self.bind(name, Bound::Deleted, target.span, Vec::new()),
            ExprKind::Attribute { .. } => self.chain(target, Role::Delete),
            ExprKind::Sequence(items) => items.iter().for_each(|i| self.delete(i)),
            ExprKind::Subscript { value, index } => {
                self.sys_modules(value, index);
                self.expr(target, Role::Load);
            }
            _ => self.expr(target, Role::Load),
        }
    }

    fn target(&mut self, target: &Expr<'a>, source: &Source<'a>) {
        match &target.kind {
            ExprKind::Name(name) => self.bind_in(self.scope, name, Bound::Value, target.span, source.clone()),
            ExprKind::Attribute { .. } => self.chain(target, Role::Store),
            ExprKind::Subscript { value, index } => {
                self.sys_modules(value, index);
                // `globals()[name] = …` in a module's `__getattr__` keeps what was missing.
                if !(self.is_in("__getattr__") && called_plainly(value, "globals")) {
                    let first = self.out.uses.len();
                    self.expr(value, Role::Store);
                    if let (Some(used), true) = (self.out.uses.get_mut(first), value.dotted().is_some()) {
                        used.item = true;
                    }
                }
                let keeper = match item_keeper(value) {
                    Some(Keeper::Item(name) | Keeper::Attribute(name)) => Some(Keeper::ItemKey(name)),
                    _ => None,
                };
                for key in index {
                    self.kept = keeper;
                    self.expr(key, Role::Load);
                }
            }
            ExprKind::Sequence(items) => items.iter().for_each(|i| self.target(i, &source.parts())),
            ExprKind::Starred(inner) => self.target(inner, &source.parts()),
            _ => self.expr(target, Role::Load),
        }
    }

    /// `sys.modules["m"] = …` and `del sys.modules["m"]`: the next import makes a new module.
    fn sys_modules(&mut self, value: &Expr<'a>, index: &[Expr<'a>]) {
        if value.dotted().is_some_and(|d| d.ends_with(&["sys", "modules"]) || d == ["modules"]) {
            for key in index {
                if let ExprKind::Str(std::borrow::Cow::Borrowed(name)) = key.kind {
                    self.out.reloads.push((reference_of_path(name), self.scope));
                }
            }
        }
    }

    fn in_type_params(&mut self, params: &[Expr<'a>], body: impl FnOnce(&mut Self)) {
        if params.is_empty() {
            return body(self);
        }
        let scope = self.push_scope(ScopeKind::TypeParams, Some(self.scope));
        self.inside(scope, |walk| {
            for param in params {
                if let Some(name) = first_name(param) {
                    walk.bind(name.text, Bound::Parameter, name.span, Vec::new());
                }
            }
            for param in params {
                walk.annotation(param, AnnotationOwner::Local);
            }
            body(walk);
        });
    }

    fn params(&mut self, params: &Params<'a>) {
        for name in &params.names {
            self.bind(name.text, Bound::Parameter, name.span, Vec::new());
        }
    }

    fn function(&mut self, span: Span, function: &ast::Function<'a>) {
        for decorator in &function.decorators {
            self.decorator(decorator, function.name.text);
        }
        function.params.defaults.iter().for_each(|d| self.expr(d, Role::Load));
        let class = match self.out.scope(self.scope).kind {
            ScopeKind::Class(class) => Some(class),
            _ => None,
        };
        let id = FunctionId(self.out.functions.len() as u32);
        self.out.functions.push(Function {
            name: function.name.text,
            span,
            scope: self.scope,
            parent: self.scope,
            outer: self.function,
            class,
            decorators: function.decorators.iter().map(decorator_path).collect(),
            factories: function.decorators.iter().map(is_call).collect(),
            gives: gives(function),
            params: function.params.names.iter().map(|n| n.text).collect(),
            stars: function.params.stars.clone(),
            types: types(&function.params),
            defaults: function.params.defaults.iter().flat_map(references).collect(),
            is_lambda: false,
            is_async: function.def.of(self.text).starts_with("async"),
            // One inside another may use what that was called with.
            works_once: self.function.is_none() && works_once(function),
            kept: None,
            argument: None,
            dynamic: false,
        });
        if let Some(class) = class {
            self.out.classes[class.0 as usize].methods.entry(function.name.text).or_default().push(id);
        }
        self.bind(function.name.text, Bound::Function(id), function.name.span, Vec::new());
        self.in_type_params(&function.type_params, |walk| {
            for annotation in function.params.annotations.iter().chain(&function.returns) {
                walk.annotation(annotation, AnnotationOwner::Function(id));
            }
            let scope = walk.push_scope(ScopeKind::Function(id), Some(walk.scope));
            walk.out.functions[id.0 as usize].scope = scope;
            walk.enter(id, scope, |walk| {
                walk.params(&function.params);
                walk.docstring(&function.body);
                walk.block(&function.body);
            });
        });
    }

    fn enter(&mut self, id: FunctionId, scope: ScopeId, body: impl FnOnce(&mut Self)) {
        let outer = (self.function.replace(id), std::mem::replace(&mut self.conditional, false));
        self.inside(scope, body);
        (self.function, self.conditional) = outer;
    }

    fn class(&mut self, span: Span, class: &ast::Class<'a>) {
        for decorator in &class.decorators {
            self.decorator(decorator, class.name.text);
        }
        let id = ClassId(self.out.classes.len() as u32);
        let keyword = |name| class.args.iter().find(|a| a.keyword == Some(name));
        self.out.classes.push(Class {
            name: class.name.text,
            span,
            scope: self.scope,
            parent: self.scope,
            outer: self.function,
            bases: class.args.iter().filter(|a| a.keyword.is_none()).map(|a| base_path(&a.value)).collect(),
            metaclass: keyword("metaclass").map(|a| a.value.dotted().unwrap_or_default()),
            has_keywords: class.args.iter().any(|a| a.keyword.is_some_and(|k| k != "metaclass")),
            decorators: class.decorators.iter().map(decorator_path).collect(),
            factories: class.decorators.iter().map(is_call).collect(),
            methods: BTreeMap::new(),
        });
        self.bind(class.name.text, Bound::Class(id), class.name.span, Vec::new());
        self.in_type_params(&class.type_params, |walk| {
            for arg in &class.args {
                walk.expr(&arg.value, if arg.keyword.is_some() { Role::Argument } else { Role::Base });
            }
            let scope = walk.push_scope(ScopeKind::Class(id), Some(walk.scope));
            walk.out.classes[id.0 as usize].scope = scope;
            let outer = std::mem::replace(&mut walk.conditional, false);
            let name = class.name.text.trim_start_matches('_');
            walk.classes.extend((!name.is_empty()).then_some(name));
            walk.inside(scope, |walk| {
                walk.docstring(&class.body);
                walk.block(&class.body);
            });
            if !name.is_empty() {
                walk.classes.pop();
            }
            walk.conditional = outer;
        });
    }

    fn decorator(&mut self, decorator: &Expr<'a>, name: &'a str) {
        match &decorator.kind {
            ExprKind::Call { func, args } => {
                self.twice = true;
                self.expr(func, Role::Decorator);
                let first = self.out.uses.len();
                self.call_args(func, args);
                if let Some(used) = self.wrapped(first, func, args) {
                    (used.role, used.argument) = (Role::Called, None);
                }
            }
            _ => {
                self.kept = self.keeper(name);
                self.expr(decorator, Role::Decorator);
            }
        }
    }

    fn annotation(&mut self, expr: &Expr<'a>, owner: AnnotationOwner) {
        let id = AnnotationId(self.out.annotations.len() as u32);
        let quoted = matches!(expr.kind, ExprKind::Str(_));
        self.out.annotations.push(Annotation { span: expr.span, owner, moment: self.moment(), quoted });
        self.annotation_part(expr, id);
    }

    fn annotation_part(&mut self, expr: &Expr<'a>, id: AnnotationId) {
        match &expr.kind {
            ExprKind::Name(_) | ExprKind::Attribute { .. } => self.chain(expr, Role::Annotation(id)),
            ExprKind::Str(_) => self.quoted(expr.span, Some(id)),
            ExprKind::Subscript { value, index } => {
                self.annotation_part(value, id);
                let literal = value.last_name() == Some("Literal");
                let annotated = value.last_name() == Some("Annotated");
                for (at, part) in index.iter().enumerate() {
                    if literal || annotated && at > 0 {
                        self.expr(part, Role::Annotation(id));
                    } else {
                        self.annotation_part(part, id);
                    }
                }
            }
            ExprKind::Sequence(parts) | ExprKind::Other(parts) => {
                parts.iter().for_each(|p| self.annotation_part(p, id));
            }
            ExprKind::Conditional(parts) => parts.iter().for_each(|p| self.annotation_part(p, id)),
            ExprKind::Starred(inner) => self.annotation_part(inner, id),
            _ => self.expr(expr, Role::Annotation(id)),
        }
    }

    /// Names in the text of a string or comment that holds a type.
    fn quoted(&mut self, span: Span, id: Option<AnnotationId>) {
        for (at, word) in words(span.of(self.text)) {
            let start = span.start + at;
            self.out.uses.push(Use {
                name: word,
                span: Span { start, end: start + word.len() },
                attributes: Vec::new(),
                scope: self.scope,
                role: Role::Quoted(id),
                moment: self.moment(),
                owner: None,
                argument: None,
                kept: None,
                twice: false,
                item: false,
            });
        }
    }

    fn expr(&mut self, expr: &Expr<'a>, role: Role) {
        let (kept, twice) = (self.kept.take(), std::mem::take(&mut self.twice));
        match &expr.kind {
            ExprKind::Name(_) | ExprKind::Attribute { .. } => {
                (self.kept, self.twice) = (kept, twice);
                self.chain(expr, role);
            }
            ExprKind::Call { func, args } => {
                self.module_by_name(expr);
                self.kept = kept;
                self.twice = matches!(role, Role::Called | Role::Decorator);
                self.expr(func, Role::Called);
                self.keeps_arguments = kept.filter(|keeper| keeps_arguments(*keeper, func, args));
                self.gives = match role {
                    Role::Returned => Gives::Returned,
                    Role::Called => Gives::Called,
                    Role::Argument if wraps_function(func) => Gives::Called,
                    _ => Gives::Anything,
                };
                let first = self.out.uses.len();
                self.call_args(func, args);
                if role == Role::Returned
                    && let Some(used) = self.wrapped(first, func, args)
                {
                    (used.role, used.argument) = (role, None);
                }
            }
            ExprKind::Sequence(parts) | ExprKind::Dict(parts) => {
                for part in items(parts) {
                    self.kept = kept;
                    self.expr(part, role_of_part(role));
                }
                self.kept = None;
            }
            ExprKind::Lambda { params, body } => {
                params.defaults.iter().for_each(|d| self.expr(d, Role::Load));
                let id = FunctionId(self.out.functions.len() as u32);
                let scope = self.push_scope(ScopeKind::Function(id), Some(self.scope));
                self.out.functions.push(Function {
                    name: "",
                    span: expr.span,
                    scope,
                    parent: self.scope,
                    outer: self.function,
                    class: None,
                    decorators: Vec::new(),
                    factories: Vec::new(),
                    gives: None,
                    params: params.names.iter().map(|n| n.text).collect(),
                    stars: params.stars.clone(),
                    types: Vec::new(),
                    defaults: params.defaults.iter().flat_map(references).collect(),
                    is_lambda: true,
                    is_async: false,
                    works_once: false,
                    kept,
                    argument: None,
                    dynamic: false,
                });
                self.enter(id, scope, |walk| {
                    walk.params(params);
                    walk.expr(body, Role::Load);
                });
            }
            ExprKind::Comprehension { element, clauses } => {
                if let Some(first) = clauses.first() {
                    self.expr(&first.iter, Role::Load);
                }
                let scope = self.push_scope(ScopeKind::Comprehension, Some(self.scope));
                self.inside(scope, |walk| {
                    for (index, clause) in clauses.iter().enumerate() {
                        if index > 0 {
                            walk.expr(&clause.iter, Role::Load);
                        }
                        walk.target(&clause.target, &Source::of(&clause.iter, walk.text).parts());
                        clause.tests.iter().for_each(|t| walk.expr(t, Role::Load));
                    }
                    element.iter().for_each(|e| walk.expr(e, role_of_part(role)));
                });
            }
            ExprKind::Walrus { name, value } => {
                self.expr(value, role_of_part(role));
                self.bind_in(self.walrus_scope(), name.text, Bound::Value, name.span, Source::of(value, self.text));
            }
            ExprKind::Subscript { value, index } => {
                self.module_by_name(expr);
                if let ([Expr { kind: ExprKind::Str(std::borrow::Cow::Borrowed(name)), .. }], Some("__globals__")) =
                    (index.as_slice(), value.last_name())
                {
                    self.out.read_where_defined.push((name, expr.span));
                }
                // What is taken out of a collection may be called; a base class stays one with its parameters.
                let held = match role {
                    Role::Store | Role::Base => role,
                    _ => role_of_part(role),
                };
                let first = self.out.uses.len();
                self.expr(value, held);
                if let (Some(used), true) = (self.out.uses.get_mut(first), value.dotted().is_some()) {
                    used.item = true;
                }
                let key = if let Role::Annotation(_) = role { role } else { Role::Inspected };
                index.iter().for_each(|i| self.expr(i, key));
            }
            ExprKind::Str(std::borrow::Cow::Borrowed(text)) => self.path_string(text, expr.span, false),
            ExprKind::Compare { .. } | ExprKind::Not(_) => {
                if let ExprKind::Compare { values, .. } = &expr.kind
                    && let [key, modules] = values.as_slice()
                    && let ExprKind::Str(std::borrow::Cow::Borrowed(name)) = key.kind
                    && modules.dotted().is_some_and(|d| d.ends_with(&["sys", "modules"]))
                {
                    // `"m" in sys.modules`.
                    self.out.literal_escapes.push((name, key.span));
                }
                let mut literal = None;
                let (mut asked, mut own) = (None, false);
                expr.parts(&mut |part| match &part.kind {
                    ExprKind::Str(std::borrow::Cow::Borrowed(text)) => literal = Some(*text),
                    ExprKind::Name("__name__") => own = true,
                    _ if part.last_name() == Some("__module__") => asked = Some(part.span),
                    _ => {}
                });
                self.out.told_by_module.extend(asked.map(|span| ByModule { span, literal, own }));
                expr.parts(&mut |part| {
                    self.expr(part, if let Role::Annotation(_) = role { role } else { Role::Inspected })
                });
            }
            ExprKind::Other(parts) if is_formatted(expr, parts, self.text) => {
                let role = if let Role::Annotation(_) = role { role } else { Role::Inspected };
                parts.iter().for_each(|part| self.expr(part, role));
            }
            ExprKind::Other(parts) if expr.span.of(self.text).starts_with("yield") => {
                parts.iter().for_each(|part| self.expr(part, Role::Returned));
            }
            ExprKind::Other(parts) if kept.is_some() && self.is_sum(parts) => {
                for part in parts {
                    // What is made on the spot may have operators of its own.
                    self.kept = kept.filter(|_| part.dotted().is_some() || is_display(part));
                    self.expr(part, role_of_part(role));
                }
                self.kept = None;
            }
            _ => {
                let role = role_of_part(role);
                expr.parts(&mut |part| self.expr(part, role));
            }
        }
    }

    /// Whether an expression joins two collections: `base + [x]`, `base | {x}`.
    fn is_sum(&self, parts: &[Expr<'a>]) -> bool {
        let [left, right] = parts else { return false };
        let between = self.text[left.span.end..right.span.start].trim_matches([' ', '(', ')', '\\', '\r', '\n']);
        matches!(between, "+" | "|") && parts.iter().any(is_display)
    }

    /// `import_module("m")` or `sys.modules["m"]` whose value goes on: anything of the module may be read.
    fn module_by_name(&mut self, expr: &Expr<'a>) {
        if let ExprKind::Subscript { value, index } = &expr.kind
            && value.dotted().is_some_and(|d| d == ["sys", "modules"])
            && index.iter().any(|i| i.as_name() == Some("__name__"))
            && self.out.dynamic.is_none()
        {
            self.out.dynamic = Some(expr.span);
        }
        if let (Some(module), false) = (named_module(expr), self.named.contains(&expr.span)) {
            self.out.literal_escapes.push((module, expr.span));
        }
    }

    fn path_string(&mut self, text: &'a str, span: Span, patches: bool) {
        let plain = text.strip_suffix('.').unwrap_or(text);
        if plain.contains(['.', ':']) && plain.split(['.', ':']).all(is_identifier)
            || patches && is_identifier(plain)
            || plain.len() < text.len() && is_identifier(plain)
        {
            self.out.paths.push(PathString { text, span, patches });
        } else if self.may_patch && is_identifier(text) {
            // It may be the first part of a path that is put together.
            self.out.paths.push(PathString { text, span, patches: false });
        }
    }

    /// Names that may be replaced by what is computed: `patch(MODULE + ".name")`, `patch.object(modules[key], "name")`.
    fn set_on_computed(&mut self, first: &Expr<'a>, second: Option<&Arg<'a>>) {
        if let ExprKind::Str(std::borrow::Cow::Borrowed(text)) = &first.kind {
            let name = text.rsplit('.').next().unwrap_or_default();
            self.out.set_on_computed.extend(is_identifier(name).then_some((name, first.span)));
        }
        if let Some(Arg { value: Expr { kind: ExprKind::Str(std::borrow::Cow::Borrowed(name)), .. }, .. }) = second {
            self.out.set_on_computed.push((name, first.span));
        }
        let mut parts = Vec::new();
        first.parts(&mut |part| parts.push(part));
        parts.into_iter().for_each(|part| self.set_on_computed(part, None));
    }

    fn call_args(&mut self, func: &Expr<'a>, args: &[Arg<'a>]) {
        let (keeper, gives) = (self.keeps_arguments.take(), std::mem::take(&mut self.gives));
        let called = func.last_name().unwrap_or_default();
        let of_module = match &func.kind {
            ExprKind::Attribute { value, .. } => {
                let in_it = || value.span.of(self.text).contains(".__module__");
                value.last_name() == Some("__module__") || called == "startswith" && in_it()
            }
            _ => false,
        };
        if let ("endswith" | "removesuffix", ExprKind::Attribute { value, .. }) = (called, &func.kind)
            && value.last_name() == Some("__module__")
            && let Some(ExprKind::Str(std::borrow::Cow::Borrowed(end))) = args.first().map(|a| &a.value.kind)
        {
            self.out.told_by_end.push((end, func.span));
        }
        if called == "getmodule" || of_module {
            let literal = match args.first().map(|a| &a.value.kind) {
                Some(ExprKind::Str(std::borrow::Cow::Borrowed(text))) => Some(*text),
                _ => None,
            };
            self.out.told_by_module.push(ByModule { span: func.span, literal, own: called == "getmodule" });
        }
        let replaces = REPLACING.contains(&called) && !matches!(func.kind, ExprKind::Call { .. });
        if replaces && let Some(first) = args.first() {
            let computed =
                !matches!(first.value.kind, ExprKind::Str(_) | ExprKind::Name(_) | ExprKind::Attribute { .. });
            let held = first.value.as_name().is_some_and(|n| n.chars().all(|c| !c.is_lowercase()));
            // The builtin takes no path, but may be handed the module that a computed one names.
            let by_name = || {
                ["import_module", "__import__", "modules["].iter().any(|w| first.value.span.of(self.text).contains(w))
            };
            let is_builtin = matches!(func.kind, ExprKind::Name("setattr" | "delattr"));
            self.out.patches |= called != "dict" && (computed || held) && (!is_builtin || by_name());
            if computed && called != "dict" {
                self.set_on_computed(&first.value, args.get(1));
            }
        }
        if matches!(func.kind, ExprKind::Name(_))
            && args.is_empty()
            && matches!(called, "globals" | "locals" | "vars" | "dir")
            && !(called == "globals" && self.is_in("__dir__"))
            || matches!(func.kind, ExprKind::Name("eval" | "exec"))
        {
            self.dynamic(called, func.span);
        }
        if EVALUATING.contains(&called)
            && let Some(first) = args.first()
        {
            let strings = called != "signature" || args.iter().any(|a| a.keyword == Some("eval_str"));
            let of = instance(&first.value);
            // e.g. `get_type_hints(getattr(m, name))`.
            self.out.evaluates_unknown |= strings && of.dotted().is_none() && of.span.of(self.text).contains('(');
            let (scope, named) = (self.scope, references(of));
            self.out.evaluated.extend(named.into_iter().map(|of| Evaluation { of, scope, strings }));
        }
        self.out.reads_by_name |= match called {
            "vars" | "dir" | "getmembers" => !args.is_empty(),
            "getattr" | "attrgetter" => !args.iter().any(|a| matches!(a.value.kind, ExprKind::Str(_))),
            _ => false,
        };
        if let ("setattr", [object, name, ..]) = (called, args) {
            match &name.value.kind {
                ExprKind::Str(std::borrow::Cow::Borrowed(name)) => {
                    if object.value.last_name() == Some("modules") && object.value.dotted().is_none() {
                        self.out.set_on_computed.push((name, object.value.span));
                    }
                }
                _ => self.out.writes_by_name = true,
            }
        }
        if called == "reload"
            && let Some(path) = args.first().and_then(|a| a.value.dotted())
        {
            self.out.reloads.push((reference(&path), self.scope));
        }
        if called == "pop"
            && let ExprKind::Attribute { value, .. } = &func.kind
        {
            let keys: Vec<&Expr> = args.iter().take(1).map(|a| &a.value).collect();
            if value.dotted().is_some_and(|d| d.ends_with(&["sys", "modules"])) {
                for key in keys {
                    if let ExprKind::Str(std::borrow::Cow::Borrowed(name)) = key.kind {
                        self.out.reloads.push((reference_of_path(name), self.scope));
                    }
                }
            }
        }
        if let [first, second, ..] = args
            && (replaces || matches!(called, "getattr" | "hasattr" | "attrgetter"))
            && let Some(path) = first.value.dotted()
        {
            let name = match &second.value.kind {
                ExprKind::Str(std::borrow::Cow::Borrowed(name)) => Some(*name),
                _ => None,
            };
            self.out.accesses.push(NamedAccess {
                module: reference(&path),
                scope: self.scope,
                name,
                begins: begins(&second.value, self.text),
                computed_by: second.value.as_name(),
                replaces,
                asks: called == "hasattr",
                argument: None,
                moment: self.moment(),
                span: first.value.span,
            });
            for (index, arg) in args.iter().enumerate().skip(1) {
                match name.filter(|_| index == 2 && func.as_name() == Some("setattr")) {
                    // `x.name = value`
                    Some(name) => {
                        self.kept = Some(attribute_keeper(&first.value, name));
                        self.expr(&arg.value, Role::Load);
                    }
                    None => self.arg(arg, called, replaces),
                }
            }
            // The module does not escape here: its use is known to the letter.
            if name.is_some() {
                self.chain(&first.value, Role::Inspected);
            } else {
                let at = self.out.uses.len();
                self.arg(first, called, replaces);
                if let (Some(name), Some(used)) = (func.as_name(), self.out.uses.get_mut(at)) {
                    let callee = Reference { name, attributes: Vec::new() };
                    used.argument = Some(Box::new(Argument {
                        callee,
                        place: Place::Position(0),
                        by: By::Name,
                        gives: Gives::Anything,
                    }));
                }
            }
            return;
        }
        let by_text = match (called, args) {
            ("getattr" | "hasattr", [_, name, ..]) | ("methodcaller" | "attrgetter", [name, ..]) => {
                Some(&name.value.kind)
            }
            _ => None,
        };
        if let Some(ExprKind::Str(std::borrow::Cow::Borrowed(path))) = by_text {
            for name in path.split('.') {
                let (moment, scope, span) = (self.moment(), self.scope, func.span);
                self.out.method_calls.push(MethodCall { name, moment, scope, span, of_super: false, made_by: None });
            }
        }
        // `type(name, bases, body)` makes a class.
        if let ("type", [name, Arg { value: Expr { kind: ExprKind::Sequence(bases), .. }, .. }, body]) = (called, args)
        {
            self.expr(&name.value, Role::Inspected);
            bases.iter().for_each(|base| self.expr(base, Role::Base));
            self.expr(&body.value, Role::Argument);
            return;
        }
        if INSPECTING.contains(&called) && matches!(func.kind, ExprKind::Name(_)) {
            args.iter().for_each(|a| self.expr(&a.value, Role::Inspected));
            return;
        }
        let mut spread = false;
        for (index, arg) in args.iter().enumerate() {
            let (first, lambda) = (self.out.uses.len(), self.out.functions.len());
            self.kept = keeper;
            self.arg(arg, called, replaces);
            self.kept = None;
            spread |= arg.keyword.is_none() && matches!(arg.value.kind, ExprKind::Starred(_));
            let Some((callee, by)) = callee(func) else { continue };
            let place = match arg.keyword {
                Some(keyword) => Place::Keyword(keyword),
                None if spread => Place::Unknown,
                None => Place::Position(index),
            };
            let argument = Argument { callee, place, by, gives };
            match arg.value.kind {
                ExprKind::Name(_) | ExprKind::Attribute { .. } => {
                    if let Some(used) = self.out.uses.get_mut(first) {
                        used.argument = Some(Box::new(argument));
                    }
                }
                // Items go where the collection goes.
                ExprKind::Sequence(ref items) if items.iter().all(|i| i.dotted().is_some()) => {
                    for used in self.out.uses[first..].iter_mut() {
                        let by = if argument.by == By::Result { By::Result } else { By::Implied };
                        used.argument = Some(Box::new(Argument { by, ..argument.clone() }));
                    }
                }
                ExprKind::Call { ref func, ref args } => {
                    // Who gets `partial(g, x)` gets `g`.
                    if let Some(used) = self.wrapped(first, func, args) {
                        used.argument = Some(Box::new(argument));
                        continue;
                    }
                    let of = args.first().map(|a| a.value.span);
                    if let Some(access) = self.out.accesses.iter_mut().rev().find(|a| Some(a.span) == of) {
                        access.argument = Some(argument);
                    }
                }
                // e.g. `structure(x, List[T])`.
                ExprKind::Subscript { .. } if argument.by == By::Name => {
                    let scope = self.scope;
                    let parts = references(&arg.value).into_iter();
                    self.out.handed_parts.extend(parts.map(|of| HandedPart {
                        callee: argument.callee.clone(),
                        of,
                        scope,
                    }));
                }
                ExprKind::Lambda { .. } => {
                    let found = self.out.functions[lambda..].iter_mut().find(|f| f.span == arg.value.span);
                    found.into_iter().for_each(|f| f.argument = Some(argument.clone()));
                }
                _ => {}
            }
        }
    }

    /// The use of `g` in `partial(g, …)` and its like, among those from `first` on.
    fn wrapped(&mut self, first: usize, func: &Expr<'a>, args: &[Arg<'a>]) -> Option<&mut Use<'a>> {
        let at = args.first().filter(|_| wraps_function(func))?.value.span.start;
        self.out.uses[first..].iter_mut().find(|used| used.span.start == at)
    }

    fn arg(&mut self, arg: &Arg<'a>, called: &str, replaces: bool) {
        if let ExprKind::Str(std::borrow::Cow::Borrowed(text)) = arg.value.kind {
            if TYPE_CALLS.contains(&called) {
                self.quoted(arg.value.span, None);
            }
            if replaces {
                self.path_string(text, arg.value.span, true);
                return;
            }
        }
        self.expr(&arg.value, Role::Argument);
    }

    /// Whether the walk is in a function of the module that has this name.
    fn is_in(&self, name: &str) -> bool {
        let function = self.function.map(|f| self.out.function(f));
        function.is_some_and(|f| f.name == name && f.parent == MODULE)
    }

    fn dynamic(&mut self, called: &str, span: Span) {
        if let Some(function) = self.function {
            self.out.functions[function.0 as usize].dynamic = true;
        }
        if called != "locals" && called != "dir" || self.function.is_none() {
            let reads_globals = matches!(called, "globals" | "eval" | "exec") || self.function.is_none();
            if reads_globals && self.out.dynamic.is_none() {
                self.out.dynamic = Some(span);
            }
        }
    }

    /// A name with attributes behind it, or an attribute of something else.
    fn chain(&mut self, expr: &Expr<'a>, role: Role) {
        let (kept, twice) = (self.kept.take(), std::mem::take(&mut self.twice));
        let mut attributes: Vec<Ident<'a>> = Vec::new();
        let mut at = expr;
        loop {
            match &at.kind {
                ExprKind::Name(name) => {
                    let name = self.mangled(name);
                    attributes.reverse();
                    let moment = self.moment();
                    self.out.uses.push(Use {
                        name,
                        span: at.span,
                        attributes,
                        scope: self.scope,
                        role,
                        moment,
                        owner: None,
                        argument: None,
                        kept,
                        twice,
                        item: false,
                    });
                    return;
                }
                ExprKind::Attribute { value, name } => {
                    attributes.push(*name);
                    at = value;
                }
                _ => {
                    self.out.loose.extend(attributes.iter().map(|a| a.text));
                    if let Some(attribute) =
                        attributes.last().filter(|_| attributes.len() > 1 || !is_builtin(at, self.text))
                    {
                        // The first that was read stands last.
                        let method = attributes[0];
                        self.out.method_calls.push(MethodCall {
                            name: method.text,
                            moment: self.moment(),
                            scope: self.scope,
                            span: method.span,
                            of_super: attributes.len() == 1 && is_super(at),
                            made_by: made_by(at).filter(|_| attributes.len() == 1),
                        });
                        let found_by = at.span.of(self.text);
                        let by_place = found_by.contains("__module__") || made_by_getmodule(at);
                        // Of what inherits from a class or is made by it, its methods are asked.
                        if by_place && !["(self)", "self.__class__"].iter().any(|own| found_by.contains(own)) {
                            self.out.read_where_defined.push((attribute.text, expr.span));
                        }
                        if imports_computed(at) {
                            self.out.computed_reads.insert(attribute.text);
                        }
                        if let Some(module) = named_module(at) {
                            self.out.literal_reads.push((module, attribute.text, at.span));
                            self.named.push(at.span);
                        }
                    }
                    self.of_own_class(at, &attributes, role);
                    self.expr(at, Role::Load);
                    return;
                }
            }
        }
    }

    /// `type(self).name` is `self.__class__.name`.
    fn of_own_class(&mut self, of: &Expr<'a>, attributes: &[Ident<'a>], role: Role) {
        let (instance, moment) = (instance(of), self.moment());
        let function = self.function.map(|id| self.out.function(id)).filter(|f| f.class.is_some());
        let this = function.and_then(|f| f.params.first());
        let Some(name) = instance.as_name().filter(|name| Some(name) == this && instance.span != of.span) else {
            return;
        };
        let end = Span { start: of.span.end, end: of.span.end };
        let class = Ident { text: "__class__", span: end };
        self.out.uses.push(Use {
            name,
            span: instance.span,
            attributes: std::iter::once(class).chain(attributes.iter().rev().copied()).collect(),
            scope: self.scope,
            role,
            moment,
            owner: None,
            argument: None,
            kept: None,
            twice: false,
            item: false,
        });
    }

    fn docstring(&mut self, body: &[Stmt<'a>]) {
        let Some(Stmt {
            kind: StmtKind::Expr(Expr { kind: ExprKind::Str(std::borrow::Cow::Borrowed(text)), .. }), ..
        }) = body.first()
        else {
            return;
        };
        self.out.doctest.extend(doctest::names(text));
    }

    fn type_comment(&mut self, comment: Span) {
        let body = comment.of(self.text).trim_start_matches('#').trim_start();
        if let Some(types) = body.strip_prefix("type:")
            && !types.trim_start().starts_with("ignore")
        {
            self.quoted(comment, None);
        }
    }
}
