//! The statements of a module body that may have an effect.

use super::{Effect, What};
use crate::names::scope::Reference;
use crate::outcome::Kind;
use crate::syntax::ast::{Arg, Ast, Expr, ExprKind, Stmt, StmtKind};
use crate::syntax::imports::{Guards, stmt_exprs};

/// Builtins that apply special methods of what they get.
const USING: [&str; 20] = [
    "abs",
    "all",
    "any",
    "bool",
    "bytes",
    "dict",
    "float",
    "format",
    "frozenset",
    "hash",
    "int",
    "iter",
    "len",
    "list",
    "repr",
    "set",
    "sorted",
    "str",
    "sum",
    "tuple",
];

/// The statements of a module body that may have an effect.
pub fn candidates<'a>(ast: &Ast<'a>) -> Vec<Effect<'a>> {
    let mut out = Vec::new();
    let guards = Guards::of(&ast.body);
    block(&ast.body, &guards, false, &mut out);
    out
}

fn reference<'a>(expr: &Expr<'a>) -> Option<Reference<'a>> {
    match &expr.kind {
        ExprKind::Call { func, .. } => reference(func),
        ExprKind::Subscript { value, .. } => reference(value),
        ExprKind::Attribute { value, name } => {
            let mut found = reference(value)?;
            found.attributes.push(name.text);
            Some(found)
        }
        ExprKind::Name(name) => Some(Reference { name, attributes: Vec::new() }),
        _ => None,
    }
}

fn decorator<'a>(expr: &Expr<'a>) -> What<'a> {
    let (mut at, mut calls) = (expr, 0);
    while let ExprKind::Call { func, .. } = &at.kind {
        (at, calls) = (func, calls + 1);
    }
    What::Decorator(reference(expr), at.dotted().is_some().then_some(calls))
}

/// `filtered` tells whether the block ends what it does to the filters of warnings.
fn block<'a>(body: &[Stmt<'a>], guards: &Guards<'a>, filtered: bool, out: &mut Vec<Effect<'a>>) {
    for stmt in body {
        let mut add = |what| out.push(Effect { span: stmt.span, what, filtered });
        let binds = matches!(stmt.kind, StmtKind::Expr(_) | StmtKind::Assign { .. } | StmtKind::AnnAssign { .. });
        let decorators = match &stmt.kind {
            StmtKind::Function(function) => function.decorators.as_slice(),
            StmtKind::Class(class) => class.decorators.as_slice(),
            _ => &[],
        };
        for expr in stmt_exprs(stmt) {
            if decorators.iter().any(|decorator| decorator.span == expr.span) {
                calls_for_decorator(expr, &mut add);
            } else {
                calls(expr, !binds, &mut add);
            }
        }
        match &stmt.kind {
            StmtKind::Expr(expr) => match &expr.kind {
                ExprKind::Call { func, .. } => add(What::Call(reference(func))),
                ExprKind::Str(_) | ExprKind::Constant(_) | ExprKind::Name(_) | ExprKind::Attribute { .. } => {}
                _ => add(What::Other),
            },
            StmtKind::Assign { targets, .. } => {
                for target in targets {
                    store(target, &mut add);
                }
            }
            StmtKind::AugAssign { target, .. } => match &target.kind {
                ExprKind::Name(name) => add(What::Grown(Reference { name, attributes: Vec::new() })),
                _ => store(target, &mut add),
            },
            StmtKind::AnnAssign { target, .. } => store(target, &mut add),
            StmtKind::Function(function) => function.decorators.iter().for_each(|d| add(decorator(d))),
            StmtKind::Class(class) => {
                class.decorators.iter().for_each(|d| add(decorator(d)));
                for arg in &class.args {
                    match arg.keyword {
                        None => add(What::Base(reference(&arg.value))),
                        Some("metaclass") => add(What::Metaclass(reference(&arg.value))),
                        Some(_) => {}
                    }
                }
                block(&class.body, guards, filtered, out);
            }
            StmtKind::If { branches } => {
                for (index, branch) in branches.iter().enumerate() {
                    if guards.arm(branches, index) == Kind::Eager {
                        block(&branch.body, guards, filtered, out);
                    }
                }
            }
            StmtKind::Delete(targets) => {
                if targets.iter().any(|t| t.as_name().is_none()) {
                    add(What::Other);
                }
            }
            StmtKind::Raise(_) => add(What::Other),
            StmtKind::Other(parts) if !parts.is_empty() => add(What::Other),
            _ => {
                let filtered = filtered || catches_warnings(stmt);
                for inner in stmt.blocks() {
                    block(inner, guards, filtered, out);
                }
            }
        }
    }
}

/// `with warnings.catch_warnings():`
fn catches_warnings(stmt: &Stmt) -> bool {
    let StmtKind::With { items, .. } = &stmt.kind else { return false };
    let is_it = |context: &Expr| match &context.kind {
        ExprKind::Call { func, .. } => func.last_name() == Some("catch_warnings"),
        _ => false,
    };
    items.iter().any(|item| is_it(&item.context))
}

fn store<'a>(target: &Expr<'a>, add: &mut impl FnMut(What<'a>)) {
    match &target.kind {
        ExprKind::Name(_) => {}
        ExprKind::Sequence(items) => items.iter().for_each(|i| store(i, add)),
        ExprKind::Starred(inner) => store(inner, add),
        _ => add(What::Store(reference(target))),
    }
}

/// The calls that evaluating a decorator makes besides those that make it.
fn calls_for_decorator<'a>(expr: &Expr<'a>, add: &mut impl FnMut(What<'a>)) {
    match &expr.kind {
        ExprKind::Call { func, args } => {
            calls_for_decorator(func, add);
            arguments(args, false, add);
        }
        _ => calls(expr, true, add),
    }
}

/// `used` tells whether the call itself uses what it gets in some way.
fn arguments<'a>(args: &[Arg<'a>], used: bool, add: &mut impl FnMut(What<'a>)) {
    for arg in args {
        if let ExprKind::Lambda { .. } = &arg.value.kind {
            add(What::Lambda(arg.value.span));
        }
        calls(&arg.value, used, add);
    }
}

/// All calls that evaluating an expression makes. What is made may be used at once: entered, iterated over, added up.
fn calls<'a>(expr: &Expr<'a>, at_once: bool, add: &mut impl FnMut(What<'a>)) {
    if let ExprKind::Call { func, args } = &expr.kind {
        match reference(func) {
            Some(found) if at_once => add(What::UsedCall(found)),
            Some(found) => add(What::BoundCall(found)),
            None if matches!(func.kind, ExprKind::Lambda { .. }) => add(What::Lambda(func.span)),
            None => {}
        }
        // `type(name, bases, body)` makes a class.
        if let (Some("type" | "new_class"), Some(ExprKind::Sequence(bases))) =
            (func.last_name(), args.get(1).map(|a| &a.value.kind))
        {
            bases.iter().for_each(|base| add(What::Base(reference(base))));
        }
        calls(func, true, add);
        let of_object = || matches!(func.last_name(), Some("copy" | "deepcopy" | "format"));
        arguments(args, func.as_name().is_some_and(|name| USING.contains(&name)) || of_object(), add);
        return;
    }
    if let ExprKind::Subscript { value, .. } = &expr.kind {
        add(What::Item(reference(value)));
    }
    let holds = matches!(
        expr.kind,
        ExprKind::Sequence(_) | ExprKind::Dict(_) | ExprKind::Walrus { .. } | ExprKind::Conditional(_)
    );
    let test = match &expr.kind {
        ExprKind::Conditional(parts) => Some(parts[1].span),
        _ => None,
    };
    expr.parts(&mut |part| calls(part, at_once || !holds || test == Some(part.span), add));
    if let ExprKind::Comprehension { element, clauses } = &expr.kind {
        element.iter().for_each(|e| calls(e, false, add));
        clauses.iter().flat_map(|c| &c.tests).for_each(|t| calls(t, true, add));
    }
}
