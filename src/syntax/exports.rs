//! What a file's `__all__` lists.

use std::borrow::Cow;

use super::ast::*;

/// Names that `__all__` lists in literals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exports<'a> {
    pub names: Vec<&'a str>,
    /// Whether it also holds what no literal says.
    pub more: bool,
}

impl<'a> Exports<'a> {
    pub fn of(ast: &Ast<'a>) -> Self {
        let mut out = Self::default();
        if memchr::memmem::find(ast.text.as_bytes(), b"__all__").is_some() {
            out.block(&ast.body);
        }
        out
    }

    /// Whether nothing says what a star import takes but the namespace itself.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && !self.more
    }

    /// Whether literals say all that a star import takes.
    pub fn is_plain(&self) -> bool {
        !self.names.is_empty() && !self.more
    }

    fn block(&mut self, body: &[Stmt<'a>]) {
        for stmt in body {
            self.stmt(stmt);
        }
    }

    fn stmt(&mut self, stmt: &Stmt<'a>) {
        match &stmt.kind {
            StmtKind::Function(_) | StmtKind::Class(_) => {}
            StmtKind::Assign { targets, value } => {
                targets.iter().filter(|t| is_all(t)).for_each(|_| self.value(value));
            }
            StmtKind::AnnAssign { target, value: Some(value), .. } | StmtKind::AugAssign { target, value } => {
                if is_all(target) {
                    self.value(value);
                }
            }
            // `__all__.append("name")`, `__all__.extend(other.__all__)`
            StmtKind::Expr(Expr { kind: ExprKind::Call { func, args }, .. })
                if func.dotted().is_some_and(|d| d.len() == 2 && d[0] == "__all__") =>
            {
                args.iter().for_each(|arg| self.value(&arg.value));
            }
            _ => stmt.blocks().into_iter().for_each(|block| self.block(block)),
        }
    }

    fn value(&mut self, value: &Expr<'a>) {
        match &value.kind {
            ExprKind::Sequence(items) => items.iter().for_each(|item| self.value(item)),
            ExprKind::Str(Cow::Borrowed(name)) => self.names.push(name),
            _ => {
                self.more = true;
                value.parts(&mut |part| self.value(part));
            }
        }
    }
}

fn is_all(target: &Expr) -> bool {
    target.as_name() == Some("__all__")
}
