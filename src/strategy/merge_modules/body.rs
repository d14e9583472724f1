//! The statements of a module, as far as they move as they are: what stands below its imports.

use std::sync::Arc;

use super::super::import_use::Obstacle;
use super::super::{Context, Reason};
use crate::project::ModuleId;
use crate::rewrite::lines::{blank_lines_before, line_end, line_start, next_line};
use crate::syntax::Span;
use crate::syntax::ast::{Ast, Expr, ExprKind, Stmt, StmtKind};
use crate::syntax::imports::Guards;

/// A statement of a module's top level with the lines that belong to it.
#[derive(Clone, Debug)]
pub struct Item {
    pub span: Span,
    /// Where the lines behind the statement before begin.
    pub lead: usize,
    /// Where the comment right above it begins; its own line, if there is none.
    pub start: usize,
    /// Where the next line begins.
    pub end: usize,
    pub is_definition: bool,
}

/// A module, taken apart.
pub struct Body<'a> {
    pub text: &'a str,
    pub ast: Arc<Ast<'a>>,
    /// All but docstring, imports, blocks of imports for type checkers, and `__all__`, in order.
    pub items: Vec<Item>,
    pub docstring: Option<Span>,
    /// Import statements at the top level, and blocks of them for type checkers.
    pub imports: Vec<Item>,
    /// The statement that binds `__all__`, and its list.
    pub exports: Option<(Item, Span)>,
}

enum Sort {
    Docstring,
    Import,
    Exports(Span),
    Item,
}

impl<'a> Body<'a> {
    pub fn of(ctx: &Context<'_, 'a>, module: ModuleId) -> Result<Self, Obstacle> {
        let text = ctx.project().text(module);
        let ast = ctx.world.names.ast(module);
        let guards = Guards::of(&ast.body);
        let mut out = Body { text, items: Vec::new(), docstring: None, imports: Vec::new(), exports: None, ast };
        let mut lead = 0;
        let mut found = Vec::new();
        for (index, stmt) in out.ast.body.iter().enumerate() {
            let item = item(text, stmt, lead);
            let before =
                text[line_start(text, stmt.span.start)..stmt.span.start].trim_matches(['\u{feff}', ' ', '\x0c']);
            let behind = text[stmt.span.end..line_end(text, stmt.span.end)].trim();
            if !before.is_empty() || !(behind.is_empty() || behind.starts_with('#')) {
                let message = "two statements share a line";
                return Err(Obstacle::new(Reason::Form, (module, stmt.span), message));
            }
            lead = item.end;
            found.push((item, sort(&guards, stmt, index)));
        }
        for (item, sort) in found {
            match sort {
                Sort::Docstring => out.docstring = Some(item.span),
                Sort::Import => out.imports.push(item),
                Sort::Item => out.items.push(item),
                Sort::Exports(_) if out.exports.is_some() => {
                    let message = "`__all__` is put together in steps";
                    return Err(Obstacle::new(Reason::Form, (module, item.span), message));
                }
                Sort::Exports(list) => out.exports = Some((item, list)),
            }
        }
        Ok(out)
    }

    /// The statement of an item.
    pub fn stmt(&self, item: &Item) -> Option<&Stmt<'a>> {
        self.ast.body.iter().find(|s| s.span == item.span)
    }

    /// The item that holds a place.
    pub fn item_at(&self, at: Span) -> Option<usize> {
        self.items.iter().position(|i| i.span.contains(at))
    }
}

fn item(text: &str, stmt: &Stmt, lead: usize) -> Item {
    let line = line_start(text, stmt.span.start).max(lead);
    let mut start = line;
    while start > lead {
        let above = line_start(text, text[..start].trim_end_matches(['\n', '\r']).len()).max(lead);
        if !blank_lines_before(text, start).is_empty() || !text[above..start].trim_start().starts_with('#') {
            break;
        }
        start = above;
    }
    Item {
        span: stmt.span,
        lead,
        start,
        end: next_line(text, stmt.span.end),
        is_definition: matches!(stmt.kind, StmtKind::Function(_) | StmtKind::Class(_)),
    }
}

fn sort(guards: &Guards, stmt: &Stmt, index: usize) -> Sort {
    match &stmt.kind {
        _ if index == 0 && stmt.is_string() => Sort::Docstring,
        StmtKind::Import(_) => Sort::Import,
        StmtKind::If { branches } if branches.len() == 1 => {
            let guarded = branches[0].test.as_ref().is_some_and(|t| guards.is_guard(t));
            let imports = branches[0].body.iter().all(|s| matches!(s.kind, StmtKind::Import(_)));
            if guarded && imports { Sort::Import } else { Sort::Item }
        }
        StmtKind::Assign { targets, value } if targets.iter().any(is_all) => Sort::Exports(value.span),
        StmtKind::AugAssign { target, value } if is_all(target) => Sort::Exports(value.span),
        StmtKind::AnnAssign { target, value: Some(value), .. } if is_all(target) => Sort::Exports(value.span),
        _ => Sort::Item,
    }
}

fn is_all(target: &Expr) -> bool {
    matches!(target.kind, ExprKind::Name("__all__"))
}
