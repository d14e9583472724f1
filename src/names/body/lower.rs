//! From the syntax tree to the program of a file.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use super::{Act, Block, Body, Callable, Catches, ClassBody, Error, Handler, Param, Step, Value, What};
use crate::names::evaluated::is_builtin;
use crate::outcome::Kind;
use crate::syntax::Span;
use crate::syntax::ast::{self, Ast, Expr, ExprKind, Stmt, StmtKind};
use crate::syntax::imports::{FileImports, Guards, stmt_exprs};

/// The program of a file.
pub fn body<'a>(ast: &Ast<'a>, imports: &FileImports<'a>, postponed: bool) -> Body<'a> {
    let mut statements: HashMap<Span, Range<usize>> = HashMap::new();
    let mut calls = HashMap::new();
    for (index, site) in imports.sites.iter().enumerate() {
        if site.call {
            calls.insert(site.at, index);
        } else {
            statements.entry(site.stmt).or_insert(index..index).end = index + 1;
        }
    }
    let guards = Guards::of(&ast.body);
    let mut lower = Lower { out: Body::default(), guards, statements, calls, postponed, inside: false, text: ast.text };
    lower.out.block = lower.block(&ast.body);
    lower.out
}

struct Lower<'a> {
    text: &'a str,
    out: Body<'a>,
    guards: Guards<'a>,
    statements: HashMap<Span, Range<usize>>,
    calls: HashMap<Span, usize>,
    postponed: bool,
    /// Whether it stands in a function, where annotations of variables are not evaluated.
    inside: bool,
}

impl<'a> Lower<'a> {
    fn block(&mut self, body: &[Stmt<'a>]) -> Block<'a> {
        body.iter().filter_map(|stmt| Some(Step { span: stmt.span, act: self.act(stmt)? })).collect()
    }

    fn act(&mut self, stmt: &Stmt<'a>) -> Option<Act<'a>> {
        Some(match &stmt.kind {
            StmtKind::Expr(value) => return self.evaluate([value]),
            StmtKind::Import(_) => Act::Import(self.statements.get(&stmt.span)?.clone()),
            StmtKind::Assign { targets, value } => self.assign(targets, value),
            StmtKind::AugAssign { target, value } => return self.evaluate([value, target]),
            StmtKind::AnnAssign { target, annotation, value } => {
                let annotation = (!self.inside && !self.postponed).then_some(annotation);
                let annotation = annotation.and_then(|annotation| self.annotation(annotation));
                match (value, annotation) {
                    (Some(value), None) => self.assign(std::slice::from_ref(target), value),
                    (None, annotation) => Act::Evaluate(annotation?),
                    // The value is evaluated before the annotation, and what the annotation gives is thrown away.
                    (Some(value), Some(annotation)) => {
                        let parts = vec![self.value(value), annotation];
                        let keep = Value { span: stmt.span, what: What::Parts(parts) };
                        Act::Assign { targets: vec![self.value(target)], value: keep }
                    }
                }
            }
            StmtKind::Function(function) => self.function(function),
            StmtKind::Class(class) => self.class(class),
            StmtKind::If { branches } => self.branches(branches),
            StmtKind::While { test, body, orelse } => {
                Act::Loop { head: self.value(test), target: None, body: self.block(body), orelse: self.block(orelse) }
            }
            StmtKind::For { target, iter, body, orelse } => {
                let (head, target) = (self.value(iter), Some(self.value(target)));
                Act::Loop { head, target, body: self.block(body), orelse: self.block(orelse) }
            }
            StmtKind::Try { body, handlers, orelse, finally } => {
                let body = self.block(body);
                let handlers = handlers.iter().map(|h| self.handler(h)).collect();
                Act::Try { body, handlers, orelse: self.block(orelse), finally: self.block(finally) }
            }
            StmtKind::With { items, body } => {
                let suppresses = items.iter().find_map(|item| match &item.context.kind {
                    ExprKind::Call { func, args } if func.last_name() == Some("suppress") => {
                        Some(catches(args.iter().map(|a| &a.value)))
                    }
                    _ => None,
                });
                let pair = |i: &ast::WithItem<'a>| (self.value(&i.context), i.target.as_ref().map(|t| self.value(t)));
                Act::With { items: items.iter().map(pair).collect(), suppresses, body: self.block(body) }
            }
            StmtKind::Match { subject, cases } => {
                let total = cases.last().is_some_and(|c| c.reads.is_empty() && c.guard.is_none());
                let subject = self.parts(stmt.span, subject.iter());
                let arm = |case: &ast::Case<'a>| {
                    let mut block = Block::new();
                    let reads = self.parts(stmt.span, case.reads.iter().chain(&case.guard));
                    block.push(Step { span: stmt.span, act: Act::Evaluate(reads) });
                    for capture in &case.captures {
                        let target = Value { span: capture.span, what: What::Name(capture.text) };
                        let value = opaque(capture.span);
                        block.push(Step { span: stmt.span, act: Act::Assign { targets: vec![target], value } });
                    }
                    block.extend(self.block(&case.body));
                    block
                };
                Act::Match { subject, arms: cases.iter().map(arm).collect(), total }
            }
            StmtKind::Return(values) => match values.as_slice() {
                [value] => Act::Return(self.value(value)),
                values => Act::Return(self.parts(stmt.span, values.iter())),
            },
            StmtKind::Raise(values) if values.is_empty() => Act::RaiseAgain,
            StmtKind::Raise(values) => {
                let class = match values.first().and_then(Expr::last_name) {
                    Some("ImportError" | "ModuleNotFoundError") => Error::Import,
                    Some("AttributeError") => Error::Attribute,
                    Some("NameError") => Error::Name,
                    Some(name) if is_builtin(name) && !matches!(name, "Exception" | "BaseException") => Error::Plain,
                    _ => Error::Other,
                };
                Act::Raise { value: self.parts(stmt.span, values.iter()), class }
            }
            StmtKind::Assert(values) if values.len() > 1 => {
                // What it says is evaluated only where it fails.
                let what = What::Logic(false, self.values(values));
                Act::Evaluate(Value { span: stmt.span, what })
            }
            StmtKind::Assert(values) | StmtKind::Other(values) => return self.evaluate(values),
            StmtKind::Leave(leave) => Act::Leave(*leave),
            StmtKind::Delete(values) => {
                let mut gone = Vec::new();
                values.iter().for_each(|value| self.deleted(value, &mut gone));
                Act::Delete(gone)
            }
            StmtKind::TypeAlias { name, .. } => {
                let name = (*name)?;
                let target = Value { span: name.span, what: What::Name(name.text) };
                Act::Assign { targets: vec![target], value: opaque(stmt.span) }
            }
            StmtKind::Global(_) | StmtKind::Nonlocal(_) | StmtKind::Pass => return None,
        })
    }

    fn evaluate<'e>(&mut self, values: impl IntoIterator<Item = &'e Expr<'a>>) -> Option<Act<'a>>
    where
        'a: 'e,
    {
        let mut values = values.into_iter().peekable();
        let span = values.peek()?.span;
        let value = self.parts(span, values);
        (!is_opaque(&value)).then_some(Act::Evaluate(value))
    }

    fn assign(&mut self, targets: &[Expr<'a>], value: &Expr<'a>) -> Act<'a> {
        let value = self.value(value);
        Act::Assign { targets: targets.iter().map(|t| self.value(t)).collect(), value }
    }

    fn branches(&mut self, branches: &[ast::Branch<'a>]) -> Act<'a> {
        let mut arms = Vec::new();
        for (index, branch) in branches.iter().enumerate() {
            if self.guards.arm(branches, index) != Kind::Eager {
                continue;
            }
            let never = |test: &Expr<'a>| matches!(&test.kind, ExprKind::Not(inner) if self.guards.never(inner));
            let test = branch.test.as_ref().filter(|test| !never(test));
            let test = test.map(|test| self.value(test));
            let last = test.is_none();
            arms.push((test, self.block(&branch.body)));
            if last {
                break;
            }
        }
        Act::If(arms)
    }

    fn handler(&mut self, handler: &ast::Handler<'a>) -> Handler<'a> {
        let bare = handler.types.is_empty();
        let catches = if bare { Catches::ALL } else { catches(handler.types.iter()) };
        let types = self.parts(handler.types.first().map_or_else(Span::default, |e| e.span), handler.types.iter());
        Handler { catches, types, name: handler.name.map(|n| n.text), block: self.block(&handler.body) }
    }

    /// The names and attributes that a `del` takes away.
    fn deleted(&mut self, expr: &Expr<'a>, out: &mut Vec<Value<'a>>) {
        match &expr.kind {
            ExprKind::Sequence(items) | ExprKind::Other(items) => items.iter().for_each(|e| self.deleted(e, out)),
            _ => out.push(self.value(expr)),
        }
    }

    /// An annotation that evaluates something.
    fn annotation(&mut self, expr: &Expr<'a>) -> Option<Value<'a>> {
        let value = self.value(expr);
        (!is_opaque(&value)).then(|| Value { span: expr.span, what: What::Annotation(Box::new(value)) })
    }

    fn values(&mut self, exprs: &[Expr<'a>]) -> Vec<Value<'a>> {
        exprs.iter().map(|e| self.value(e)).collect()
    }

    fn function(&mut self, function: &ast::Function<'a>) -> Act<'a> {
        let decorators = self.values(&function.decorators);
        let mut evaluated = self.values(&function.params.defaults);
        if !self.postponed {
            let annotations = function.params.annotations.iter().chain(&function.returns);
            evaluated.extend(annotations.filter_map(|annotation| self.annotation(annotation)));
        }
        evaluated.retain(|v| !is_opaque(v));
        let params = self.params(&function.params);
        let (mut globals, mut nonlocals) = (Vec::new(), Vec::new());
        declared(&function.body, &mut globals, &mut nonlocals);
        let outer = std::mem::replace(&mut self.inside, true);
        // Calling a coroutine function runs nothing of it.
        let is_async = function.def.of(self.text).starts_with("async");
        let mut block = if is_async { Block::new() } else { self.block(&function.body) };
        if yields(self.text, &function.body) {
            // A generator runs when somebody asks it for values, if ever.
            let span = function.def;
            block = vec![Step { span, act: Act::If(vec![(Some(opaque(span)), block)]) }];
        }
        self.inside = outer;
        let (at, left_out) = (function.def.start, !is_async && is_left_out(self.text, &function.body));
        let function =
            self.callable(Callable { name: function.name.text, params, at, left_out, globals, nonlocals, block });
        Act::Function { function, decorators, evaluated }
    }

    fn params(&mut self, params: &ast::Params<'a>) -> Vec<Param<'a>> {
        let param = |(at, name): (usize, &ast::Ident<'a>)| {
            if params.stars.contains(&at) {
                let keywords = self.text[..name.span.start].trim_end().ends_with("**");
                return if keywords { Param::Keywords(name.text) } else { Param::Rest(name.text) };
            }
            let default = params.defaulted.iter().position(|whose| *whose == at).map(|at| &params.defaults[at]);
            Param::One(name.text, default.and_then(|default| self.plain(default)))
        };
        params.names.iter().enumerate().map(param).collect()
    }

    /// A value that is the same wherever it is evaluated.
    fn plain(&mut self, expr: &Expr<'a>) -> Option<Value<'a>> {
        let plain = match &expr.kind {
            ExprKind::Name(_) | ExprKind::Str(_) | ExprKind::Constant(_) => true,
            ExprKind::Sequence(items) | ExprKind::Dict(items) => items.is_empty(),
            _ => false,
        };
        plain.then(|| self.value(expr))
    }

    fn callable(&mut self, callable: Callable<'a>) -> u32 {
        self.out.functions.push(callable);
        self.out.functions.len() as u32 - 1
    }

    fn class(&mut self, class: &ast::Class<'a>) -> Act<'a> {
        let decorators = self.values(&class.decorators);
        let (mut bases, mut metaclass, mut keywords) = (Vec::new(), None, Vec::new());
        for arg in &class.args {
            let value = self.value(&arg.value);
            match arg.keyword {
                None => bases.push(value),
                Some("metaclass") => metaclass = Some(value),
                Some(keyword) => keywords.push((keyword, value)),
            }
        }
        let outer = std::mem::replace(&mut self.inside, false);
        let block = self.block(&class.body);
        self.inside = outer;
        self.out.classes.push(ClassBody { name: class.name.text, bases, metaclass, keywords, block });
        Act::Class { class: self.out.classes.len() as u32 - 1, decorators }
    }

    fn parts<'e>(&mut self, span: Span, exprs: impl Iterator<Item = &'e Expr<'a>>) -> Value<'a>
    where
        'a: 'e,
    {
        let mut parts: Vec<Value<'a>> = exprs.map(|e| self.value(e)).filter(|v| !is_opaque(v)).collect();
        match parts.len() {
            0 => opaque(span),
            1 => parts.remove(0),
            _ => Value { span, what: What::Parts(parts) },
        }
    }

    fn value(&mut self, expr: &Expr<'a>) -> Value<'a> {
        let boxed = |lower: &mut Self, e: &Expr<'a>| Box::new(lower.value(e));
        let what = match &expr.kind {
            ExprKind::Name(name) => What::Name(name),
            ExprKind::Attribute { value, name } => What::Attribute(boxed(self, value), name.text),
            ExprKind::Call { func, args } => match self.calls.get(&expr.span) {
                Some(site) => What::Import(*site),
                None => {
                    let function = boxed(self, func);
                    What::Call { function, args: args.iter().map(|a| (a.keyword, self.value(&a.value))).collect() }
                }
            },
            ExprKind::Subscript { value, index } => {
                let of = boxed(self, value);
                let index = match index.as_slice() {
                    [only] => self.value(only),
                    several => self.parts(expr.span, several.iter()),
                };
                What::Item(of, Box::new(index))
            }
            ExprKind::Str(Cow::Borrowed(text)) => What::Text(text),
            ExprKind::Str(Cow::Owned(_)) => What::Opaque,
            ExprKind::Constant("True" | "1") => What::Truth(true),
            ExprKind::Constant("False" | "0") => What::Truth(false),
            ExprKind::Constant("None") => What::None,
            ExprKind::Constant(text) => text.parse().map_or(What::Opaque, What::Number),
            ExprKind::Lambda { params, body } => {
                let defaults = self.values(&params.defaults);
                let outer = std::mem::replace(&mut self.inside, true);
                let block = vec![Step { span: body.span, act: Act::Return(self.value(body)) }];
                self.inside = outer;
                let params = self.params(params);
                let (at, globals, nonlocals) = (expr.span.start, Vec::new(), Vec::new());
                let callable = Callable { name: "<lambda>", params, at, left_out: false, globals, nonlocals, block };
                let function = self.callable(callable);
                What::Lambda { function, defaults }
            }
            ExprKind::Comprehension { element, clauses } => {
                let clause = |c: &ast::Clause<'a>| (self.value(&c.target), self.value(&c.iter), self.values(&c.tests));
                let clauses = clauses.iter().map(clause).collect();
                let waits = !expr.span.of(self.text).starts_with(['[', '{']);
                What::Comprehension { waits, clauses, element: self.values(element) }
            }
            ExprKind::Walrus { name, value } => What::Walrus(name.text, boxed(self, value)),
            ExprKind::Not(value) => What::Not(boxed(self, value)),
            ExprKind::BoolOp { and, values } => What::Logic(*and, self.values(values)),
            ExprKind::Compare { operators, values } => return self.compare(expr, operators, values),
            ExprKind::Conditional(parts) => {
                let [value, test, other] = &**parts;
                What::Conditional(Box::new([self.value(value), self.value(test), self.value(other)]))
            }
            ExprKind::Sequence(items) => match expr.span.of(self.text).starts_with(['[', '{']) {
                true => What::List(self.values(items)),
                false => What::Tuple(self.values(items)),
            },
            ExprKind::Starred(value) => What::Starred(boxed(self, value)),
            ExprKind::Dict(items) => What::Dict(items.iter().map(|item| self.pair(item)).collect()),
            ExprKind::Other(items) => return self.parts(expr.span, items.iter()).but_any(),
        };
        Value { span: expr.span, what }
    }

    /// A key with its value.
    fn pair(&mut self, item: &Expr<'a>) -> (Option<Value<'a>>, Value<'a>) {
        match &item.kind {
            ExprKind::Other(parts) if let [key, value] = parts.as_slice() => (Some(self.value(key)), self.value(value)),
            _ => (None, self.value(item)),
        }
    }

    fn compare(&mut self, expr: &Expr<'a>, operators: &[&str], values: &[Expr<'a>]) -> Value<'a> {
        let span = expr.span;
        let ([operator], [left, right]) = (operators, values) else {
            // What comes third is evaluated if the first comparison holds.
            let mut parts = self.values(values);
            let later = parts.split_off(parts.len().min(2));
            let unknown = std::iter::once(opaque(span));
            parts.push(Value { span, what: What::Logic(true, unknown.chain(later).collect()) });
            return Value { span, what: What::Parts(parts) };
        };
        if let Some(what) = version(operator, left, right) {
            return Value { span, what };
        }
        let negated = matches!(*operator, "is not" | "!=" | "not in");
        let (left, right) = (Box::new(self.value(left)), Box::new(self.value(right)));
        let what = match *operator {
            "is" | "is not" | "==" | "!=" => What::Same(negated, left, right),
            "in" | "not in" => What::In(negated, left, right),
            _ => What::Parts(vec![*left, *right]),
        };
        Value { span, what }
    }
}

impl Value<'_> {
    /// The same evaluation, whose result is not that of its only part.
    fn but_any(self) -> Self {
        if matches!(self.what, What::Parts(_) | What::Opaque) {
            return self;
        }
        Value { span: self.span, what: What::Parts(vec![self]) }
    }
}

fn opaque<'a>(span: Span) -> Value<'a> {
    Value { span, what: What::Opaque }
}

fn is_opaque(value: &Value) -> bool {
    matches!(value.what, What::Opaque | What::Text(_) | What::Truth(_) | What::Number(_) | What::None)
}

/// A comparison of `sys.version_info` with a literal.
fn version<'a>(operator: &str, left: &Expr<'a>, right: &Expr<'a>) -> Option<What<'a>> {
    let number = |e: &Expr<'a>| match e.kind {
        ExprKind::Constant(text) => text.parse::<u32>().ok(),
        _ => None,
    };
    let is_info =
        |e: &Expr<'a>| e.dotted().is_some_and(|d| matches!(d.as_slice(), ["sys", "version_info"] | ["version_info"]));
    let major = match &left.kind {
        ExprKind::Subscript { value, index } => {
            is_info(value) && matches!(index.as_slice(), [i] if number(i) == Some(0))
        }
        ExprKind::Attribute { value, name } => is_info(value) && name.text == "major",
        _ => false,
    };
    if major {
        let than = number(right)?;
        let truth = match operator {
            ">=" => 3 >= than,
            ">" => 3 > than,
            "<" => 3 < than,
            "<=" => 3 <= than,
            "==" => 3 == than,
            "!=" => 3 != than,
            _ => return None,
        };
        return Some(What::Truth(truth));
    }
    let ExprKind::Sequence(parts) = &right.kind else { return None };
    if !is_info(left) {
        return None;
    }
    let minor = match (number(parts.first()?)?, parts.get(1).map(number)) {
        (3, None) => 0,
        (3, Some(minor)) => minor?,
        (major, _) if major < 3 => 0,
        _ => return None,
    };
    let since = What::Since(minor);
    match operator {
        // `> (3, 8)` holds from 3.8.0 on, as a longer tuple is greater.
        ">=" | ">" => Some(since),
        "<" | "<=" => Some(What::Not(Box::new(Value { span: left.span, what: since }))),
        _ => None,
    }
}

/// The errors that exception classes take, by the last part of their names.
fn catches<'e, 'a: 'e>(types: impl Iterator<Item = &'e Expr<'a>>) -> Catches {
    let mut out = Catches::default();
    for expr in types {
        if let ExprKind::Sequence(items) = &expr.kind {
            out = out.or(catches(items.iter()));
            continue;
        }
        match expr.last_name() {
            Some("ImportError") => (out.import, out.missing) = (true, true),
            Some("ModuleNotFoundError") => out.missing = true,
            Some("AttributeError") => out.attribute = true,
            Some("NameError") => out.name = true,
            Some("Exception" | "BaseException") => out = Catches::ALL,
            _ => out.other = true,
        }
    }
    out
}

/// Whether a body is but the one sign that stands for it in the outline of a file.
fn is_left_out(text: &str, body: &[Stmt]) -> bool {
    let sign = |value: &Expr| {
        let stands_for = text[value.span.start..].chars().next().map_or(0, char::len_utf8);
        matches!(value.kind, ExprKind::Constant(_)) && value.span.end - value.span.start == stands_for
    };
    matches!(body, [Stmt { kind: StmtKind::Expr(value), .. }] if sign(value))
}

/// Names that a function declares `global` and `nonlocal`, nested functions aside.
fn declared<'a>(body: &[Stmt<'a>], globals: &mut Vec<&'a str>, nonlocals: &mut Vec<&'a str>) {
    for stmt in body {
        match &stmt.kind {
            StmtKind::Global(names) => globals.extend(names.iter().map(|n| n.text)),
            StmtKind::Nonlocal(names) => nonlocals.extend(names.iter().map(|n| n.text)),
            StmtKind::Function(_) | StmtKind::Class(_) => {}
            _ => stmt.blocks().into_iter().for_each(|block| declared(block, globals, nonlocals)),
        }
    }
}

/// Whether a function with this body is a generator.
fn yields(text: &str, body: &[Stmt]) -> bool {
    fn within(text: &str, expr: &Expr) -> bool {
        let is_yield = || {
            let rest = expr.span.of(text).strip_prefix("yield");
            rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        };
        let mut found = matches!(expr.kind, ExprKind::Other(_)) && is_yield();
        if !matches!(expr.kind, ExprKind::Lambda { .. }) {
            expr.parts(&mut |part| found |= within(text, part));
        }
        found
    }
    body.iter().any(|stmt| {
        let inside = !matches!(stmt.kind, StmtKind::Function(_) | StmtKind::Class(_));
        stmt_exprs(stmt).into_iter().any(|expr| within(text, expr))
            || inside && stmt.blocks().into_iter().any(|block| yields(text, block))
    })
}
