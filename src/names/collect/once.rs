//! Functions that do their work the first time alone: a name of the module that they set themselves keeps them from doing more.

use crate::syntax::ast::{Branch, Expr, ExprKind, Function, Stmt, StmtKind};

/// Whether a function sets something up the first time that it is called and does nothing ever after. It takes no arguments,
/// so that it is the same whoever calls first.
pub(super) fn works_once(function: &Function) -> bool {
    let body = function.body.as_slice();
    let globals: Vec<&str> = body.iter().flat_map(global).collect();
    let plain = function.params.names.is_empty() && function.decorators.is_empty();
    plain && !globals.is_empty() && is_guarded(body, &globals)
}

fn global<'a>(stmt: &Stmt<'a>) -> Vec<&'a str> {
    match &stmt.kind {
        StmtKind::Global(names) => names.iter().map(|name| name.text).collect(),
        _ => Vec::new(),
    }
}

/// Whether a block works only as long as one of the names is not set, and sets it then.
fn is_guarded(body: &[Stmt], globals: &[&str]) -> bool {
    let quiet = |stmt: &&Stmt| stmt.is_string() || matches!(stmt.kind, StmtKind::Global(_) | StmtKind::Pass);
    let start = body.iter().take_while(quiet).count();
    let Some((first, rest)) = body[start..].split_first() else { return false };
    match &first.kind {
        // `with _lock:`
        StmtKind::With { body, .. } => is_guarded(body, globals) && only_returns(rest),
        StmtKind::If { branches } => match branches.as_slice() {
            [Branch { test: Some(test), body }] => match tested(test) {
                Some((name, set)) if globals.contains(&name) => match set {
                    true => only_returns(body) && sets(rest, name),
                    // The test may be made again once a lock is held.
                    false => (sets(body, name) || is_guarded(body, globals)) && only_returns(rest),
                },
                _ => false,
            },
            _ => false,
        },
        _ => false,
    }
}

/// The name whose value decides, and whether the test is passed once it is set.
fn tested<'a>(test: &Expr<'a>) -> Option<(&'a str, bool)> {
    match &test.kind {
        ExprKind::Name(name) => Some((name, true)),
        ExprKind::Not(value) => tested(value).map(|(name, set)| (name, !set)),
        ExprKind::Compare { operators, values } => match (operators.as_slice(), values.as_slice()) {
            ([operator], [Expr { kind: ExprKind::Name(name), .. }, Expr { kind: ExprKind::Constant("None"), .. }]) => {
                match *operator {
                    "is not" => Some((name, true)),
                    "is" => Some((name, false)),
                    _ => None,
                }
            }
            _ => None,
        },
        _ => None,
    }
}

fn only_returns(body: &[Stmt]) -> bool {
    let plain = |value: &Expr| matches!(value.kind, ExprKind::Name(_) | ExprKind::Constant(_));
    body.iter().all(|stmt| matches!(&stmt.kind, StmtKind::Return(values) if values.iter().all(plain)))
}

/// Whether a block sets the name, whatever else it does.
fn sets(body: &[Stmt], name: &str) -> bool {
    body.iter().any(|stmt| match &stmt.kind {
        StmtKind::Assign { targets, .. } => targets.iter().any(|target| target.as_name() == Some(name)),
        StmtKind::AnnAssign { target, value: Some(_), .. } => target.as_name() == Some(name),
        _ => false,
    })
}
