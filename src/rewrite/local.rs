//! Puts imports at the head of a function.

use std::collections::BTreeSet;

use super::block::{self, Line};
use super::import_text::{ImportText, stmt_key};
use super::lines::*;
use super::{Page, RewriteError};
use crate::edit::Edit;
use crate::syntax::Span;
use crate::syntax::ast::{Function, Stmt, StmtKind};

/// Imports of the sites that are `removed` are left as they are.
pub fn add(
    page: &mut Page,
    function: Span,
    imports: Vec<ImportText>,
    removed: &BTreeSet<usize>,
) -> Result<(), RewriteError> {
    let text = page.text;
    let newline = page.layout.newline;
    let (def, body, lines) = {
        let found = find(&page.ast.body, function).ok_or(RewriteError::Form("its function is not found"))?;
        let body: Vec<Place> = found.body.iter().map(|s| Place::of(page, s)).collect();
        let start = usize::from(body.first().is_some_and(|p| p.is_docstring));
        let changes = |stmt: &Stmt| removed.iter().any(|site| page.imports.sites[*site].stmt == stmt.span);
        let run = found.body[start..].iter().take_while(|s| matches!(s.kind, StmtKind::Import(_)));
        let lines: Vec<Line> = run.filter(|s| !changes(s)).map(|s| Line::of(page, s)).collect();
        (found.def, body, lines)
    };
    let Some(first) = body.first() else { return Err(RewriteError::Form("its function has no body")) };
    let outer = indent_of(text, def.start).to_owned();
    let on_line_of_head = !text[line_start(text, first.span.start)..first.span.start].trim().is_empty();
    if on_line_of_head {
        // e.g. `def f(): return g()`: the body gets lines of its own.
        let indent = format!("{outer}{}", page.layout.indent);
        let head = text[..first.span.start].trim_end_matches([' ', '\t']).len();
        let mut new = String::new();
        for (_, statement) in ImportText::print(page, imports, &indent) {
            new.push_str(&format!("{newline}{indent}{}", noted(page, statement)));
        }
        new.push_str(&format!("{newline}{newline}{indent}"));
        return page.add(Edit::replace(head..first.span.start, new));
    }
    if text[..first.span.start].trim_end().ends_with('\\') {
        return Err(RewriteError::Form("its function's body continues the line of the head"));
    }
    let indent = indent_of(text, first.span.start).to_owned();
    let imports = block::join_all(page, &lines, imports)?;
    let statements = ImportText::print(page, imports, &indent);
    let start = usize::from(first.is_docstring);
    let run: Vec<&Place> = body[start..].iter().take_while(|p| p.key.is_some()).collect();
    if !run.is_empty() {
        // Names of modules that the function imports from already have joined those.
        for (key, statement) in statements {
            let statement = noted(page, statement);
            let before = |p: &&&Place| p.key.as_ref().is_some_and(|k| *k <= key);
            let above = run.iter().rev().find(before);
            let section = |p: Option<&&Place>| p.and_then(|p| p.key.as_ref()).map(|k| k.section);
            let apart = |p: Option<&&Place>| section(p).is_some_and(|s| s != key.section);
            let (at, lead, trail) = match above {
                Some(place) => (below_line(text, place.span)?, if apart(Some(place)) { newline } else { "" }, ""),
                None => (line_start(text, run[0].span.start), "", if apart(run.first()) { newline } else { "" }),
            };
            let mut edit = insert_line(text, at, &indent, &statement, newline);
            edit.text = format!("{lead}{}{trail}", edit.text);
            page.add(edit)?;
        }
        return Ok(());
    }
    let at = match body.get(start) {
        _ if start == 0 => head_of(page, line_start(text, first.span.start), def),
        Some(_) => blank_lines_after(text, below_line(text, first.span)?).end,
        // A docstring alone: nothing can use the name, but the import is not lost.
        None => next_line(text, first.span.end),
    };
    let mut new = String::new();
    for (_, statement) in statements {
        new.push_str(&format!("{indent}{}{newline}", noted(page, statement)));
    }
    if body.get(start).is_some() {
        new.push_str(newline);
    }
    if at == text.len() && !text.ends_with(['\n', '\r']) {
        new.insert_str(0, newline);
    }
    page.add(Edit::insert(at, new))
}

/// Where the line behind a statement begins, if nothing but a comment follows on its own.
fn below_line(text: &str, stmt: Span) -> Result<usize, RewriteError> {
    let rest = text[stmt.end..line_end(text, stmt.end)].trim();
    if !rest.is_empty() && !rest.starts_with('#') {
        return Err(RewriteError::Form("another statement follows on the line that it would stand behind"));
    }
    Ok(next_line(text, stmt.end))
}

/// The start of the body with the comments that stand above its first statement, but for one that tells the types (PEP 484): that
/// has to follow the head.
fn head_of(page: &Page, first_line: usize, def: Span) -> usize {
    let text = page.text;
    let mut at = first_line;
    loop {
        if at <= def.start {
            return first_line;
        }
        let end = if text[..at].ends_with("\r\n") { at - 2 } else { at - 1 };
        let previous = line_start(text, end);
        let line = text[previous..end].trim_start();
        let tells_types = line.trim_start_matches(['#', ' ']).starts_with("type:");
        if previous <= def.start || !line.starts_with('#') || tells_types {
            return at;
        }
        at = previous;
    }
}

fn insert_line(text: &str, at: usize, indent: &str, statement: &str, newline: &str) -> Edit {
    if at == text.len() && !text.ends_with(['\n', '\r']) {
        return Edit::insert(at, format!("{newline}{indent}{statement}"));
    }
    Edit::insert(at, format!("{indent}{statement}{newline}"))
}

/// Marks a local import for a linter of the project that objects to them.
fn noted(page: &Page, statement: String) -> String {
    if !page.project.settings.lints_local_imports {
        return statement;
    }
    // The mark stands on the line on which the statement begins, which may have comments above it.
    let lines = statement.split_inclusive('\n').map(|line| {
        let code = line.trim_start();
        if !code.starts_with("from ") && !code.starts_with("import ") || code.contains('#') {
            return line.to_owned();
        }
        let plain = line.trim_end_matches(['\r', '\n']);
        format!("{plain}  # noqa: PLC0415{}", &line[plain.len()..])
    });
    lines.collect()
}

struct Place {
    span: Span,
    key: Option<super::import_text::SortKey>,
    is_docstring: bool,
}

impl Place {
    fn of(page: &Page, stmt: &Stmt) -> Self {
        Self { span: stmt.span, key: stmt_key(page, stmt), is_docstring: stmt.is_string() }
    }
}

fn find<'b, 'a>(block: &'b [Stmt<'a>], function: Span) -> Option<&'b Function<'a>> {
    for stmt in block {
        if let StmtKind::Function(found) = &stmt.kind
            && stmt.span == function
        {
            return Some(found);
        }
        if stmt.span.contains(function) {
            return stmt.blocks().into_iter().find_map(|b| find(b, function));
        }
    }
    None
}
