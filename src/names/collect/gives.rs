//! What a function returns, as far as that is functions.

use crate::syntax::ast::{Arg, Expr, ExprKind, Function, Stmt, StmtKind};

/// The names that a function returns, if all that it returns are names, as they are or as `wraps(…)` leaves them, and lambdas,
/// which have the empty name.
pub(super) fn gives<'a>(function: &Function<'a>) -> Option<Vec<&'a str>> {
    let mut found = Vec::new();
    block(&function.body, &mut found).then_some(found)
}

fn block<'a>(body: &[Stmt<'a>], found: &mut Vec<&'a str>) -> bool {
    body.iter().all(|stmt| match &stmt.kind {
        StmtKind::Return(values) => values.iter().all(|value| returned(value, found)),
        StmtKind::Function(_) | StmtKind::Class(_) => true,
        _ => stmt.blocks().into_iter().all(|block_| block(block_, found)),
    })
}

fn returned<'a>(value: &Expr<'a>, found: &mut Vec<&'a str>) -> bool {
    match &value.kind {
        ExprKind::Name(name) => found.push(name),
        ExprKind::Constant("None") => {}
        ExprKind::Lambda { .. } => found.push(""),
        ExprKind::Call { func, args } => match (&func.kind, func.last_name(), args.as_slice()) {
            // `wraps(f)(inner)`, `update_wrapper(inner, f)`, `cast("F", inner)`
            (ExprKind::Call { .. }, Some("wraps"), [Arg { value, .. }])
            | (_, Some("update_wrapper"), [Arg { value, .. }, ..])
            | (_, Some("cast"), [_, Arg { value, .. }]) => return returned(value, found),
            _ => return false,
        },
        _ => return false,
    }
    true
}
