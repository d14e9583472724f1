//! What a function returns, as far as that is functions.

use crate::names::scope::Gift;
use crate::syntax::ast::{Arg, Expr, ExprKind, Function, Stmt, StmtKind};

/// What a function returns, if all of it is names, as they are or as `wraps(…)` leaves them, lambdas, and calls of names.
pub(super) fn gives<'a>(function: &Function<'a>) -> Option<Vec<Gift<'a>>> {
    let mut found = Vec::new();
    block(&function.body, &mut found).then_some(found)
}

fn block<'a>(body: &[Stmt<'a>], found: &mut Vec<Gift<'a>>) -> bool {
    body.iter().all(|stmt| match &stmt.kind {
        StmtKind::Return(values) => values.iter().all(|value| returned(value, found)),
        StmtKind::Function(_) | StmtKind::Class(_) => true,
        _ => stmt.blocks().into_iter().all(|block_| block(block_, found)),
    })
}

fn returned<'a>(value: &Expr<'a>, found: &mut Vec<Gift<'a>>) -> bool {
    match &value.kind {
        ExprKind::Name(name) => found.push(Gift::Name(name)),
        ExprKind::Constant("None") => {}
        ExprKind::Lambda { .. } => found.push(Gift::Lambda),
        ExprKind::Conditional(parts) => return returned(&parts[0], found) && returned(&parts[2], found),
        ExprKind::Call { func, args } => match (&func.kind, func.last_name(), args.as_slice()) {
            // `wraps(f)(inner)`, `update_wrapper(inner, f)`, `cast("F", inner)`
            (ExprKind::Call { .. }, Some("wraps"), [Arg { value, .. }])
            | (_, Some("update_wrapper"), [Arg { value, .. }, ..])
            | (_, Some("cast"), [_, Arg { value, .. }]) => return returned(value, found),
            (
                _,
                Some("partial"),
                [Arg { value: Expr { kind: ExprKind::Name(name), .. }, keyword: None }, rest @ ..],
            ) if rest.iter().all(|arg| arg.keyword.is_some()) => {
                found.push(Gift::Name(name));
            }
            (ExprKind::Name(name), ..) => {
                let only = match args.as_slice() {
                    [Arg { value, keyword: None }] => value.as_name(),
                    _ => None,
                };
                found.push(Gift::Result(name, only));
            }
            _ => return false,
        },
        _ => return false,
    }
    true
}
