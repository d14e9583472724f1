//! Puts import statements among those of a block: in the order that isort and ruff keep, names of one module together.

use super::import_text::{ImportText, SortKey, name_key, stmt_key};
use super::lines::*;
use super::{Page, RewriteError};
use crate::edit::Edit;
use crate::syntax::Span;
use crate::syntax::ast::{Stmt, StmtKind};

/// A statement of a block: what positions need of it.
pub struct Line {
    pub span: Span,
    pub key: Option<SortKey>,
    /// The module and the names of `from m import a, b`, if more can join.
    joins: Option<(String, Vec<Span>)>,
}

impl Line {
    pub fn of(page: &Page, stmt: &Stmt) -> Self {
        let joins = match &stmt.kind {
            StmtKind::Import(import) if !import.names.is_empty() && !import.lazy => import.from.and_then(|from| {
                let text = stmt.span.of(page.text);
                let comment =
                    text.contains('#') || page.text[stmt.span.end..line_end(page.text, stmt.span.end)].contains('#');
                let names = import.names.iter().map(|a| a.span).collect();
                (!comment).then(|| (format!("{}{}", ".".repeat(from.level), from.module), names))
            }),
            _ => None,
        };
        Self { span: stmt.span, key: stmt_key(page, stmt), joins }
    }
}

/// Adds names to the statements of a block that import from the same modules; gives the imports that find none.
pub fn join_all(page: &mut Page, block: &[Line], imports: Vec<ImportText>) -> Result<Vec<ImportText>, RewriteError> {
    let mut rest: Vec<ImportText> = Vec::new();
    let mut joined: Vec<(&Line, Vec<String>)> = Vec::new();
    for import in imports {
        // Names of one module join the statement that is there.
        let takes = |l: &&Line| l.joins.as_ref().is_some_and(|(module, _)| *module == import.module);
        let line = block.iter().find(takes).filter(|_| !page.layout.single_names);
        match (line, &import.name) {
            (Some(line), Some(name)) if import.comment.is_none() && import.above.is_empty() => {
                match joined.iter_mut().find(|(other, _)| other.span == line.span) {
                    Some((_, all)) => all.push(name.clone()),
                    None => joined.push((line, vec![name.clone()])),
                }
            }
            _ => rest.push(import),
        }
    }
    for (line, new) in joined {
        let names = line.joins.as_ref().map_or(&[][..], |(_, names)| names.as_slice());
        join(page, line.span, names, &new)?;
    }
    Ok(rest)
}

/// Adds imports to a block that has statements.
pub fn add(page: &mut Page, block: &[Line], imports: Vec<ImportText>) -> Result<(), RewriteError> {
    let rest = join_all(page, block, imports)?;
    let text = page.text;
    let newline = page.layout.newline;
    let indent = indent_of(text, block[0].span.start).to_owned();
    let above = |key: &SortKey| block.iter().rev().find(|l| l.key.as_ref().is_some_and(|k| k <= key));
    let printed = ImportText::print(page, rest, &indent);
    // New ones of one section that follow the same line go together.
    let place = |key: &SortKey| (above(key).map(|l| l.span), key.section);
    for together in printed.chunk_by(|(one, _), (other, _)| place(one) == place(other)) {
        let key = &together[0].0;
        let above = above(key);
        let below = block.iter().find(|l| l.key.as_ref().is_some_and(|k| k > key));
        let apart = |other: &Line| other.key.as_ref().is_some_and(|k| k.section != key.section);
        let lines: String = together.iter().map(|(_, statement)| format!("{indent}{statement}{newline}")).collect();
        let (at, new) = match (above, below) {
            // The first of its section, which follows a blank line.
            (Some(above), Some(below)) if apart(above) && !apart(below) => (line_start(text, below.span.start), lines),
            (Some(above), _) => {
                let lead = if apart(above) { newline } else { "" };
                (next_line(text, above.span.end), format!("{lead}{lines}"))
            }
            (None, Some(below)) => {
                let trail = if apart(below) { newline } else { "" };
                (line_start(text, below.span.start), format!("{lines}{trail}"))
            }
            (None, None) => (line_start(text, block[0].span.start), lines),
        };
        let new = if at == text.len() && !text.ends_with(['\n', '\r']) {
            format!("{newline}{}", new.trim_end_matches(['\r', '\n']))
        } else {
            new
        };
        page.add(Edit::insert(at, new))?;
    }
    Ok(())
}

/// Adds names to `from m import …`, whose names stand at `names`.
pub fn join(page: &mut Page, stmt: Span, names: &[Span], new: &[String]) -> Result<(), RewriteError> {
    let text = page.text;
    let newline = page.layout.newline;
    let (first, last) = (names[0], names[names.len() - 1]);
    let mut all: Vec<(String, Option<Span>)> = names.iter().map(|n| (n.of(text).to_owned(), Some(*n))).collect();
    new.iter().for_each(|name| insert_name(&mut all, name));
    if !stmt.of(text).contains(['\n', '\r']) {
        return join_line(page, stmt, Span { start: first.start, end: last.end }, &all);
    }
    let one_a_line = names.iter().all(|n| text[line_start(text, n.start)..n.start].trim().is_empty());
    let comma = text[last.end..].trim_start().starts_with(',');
    for (at, (name, _)) in all.iter().enumerate().filter(|(_, (_, span))| span.is_none()) {
        let next = all[at..].iter().find_map(|(_, span)| *span);
        let edit = match next {
            _ if text[first.start..last.end].contains('\\') => Edit::insert(first.start, format!("{name}, ")),
            Some(next) if one_a_line => {
                let indent = indent_of(text, next.start);
                Edit::insert(line_start(text, next.start), format!("{indent}{name},{newline}"))
            }
            Some(next) => Edit::insert(next.start, format!("{name}, ")),
            None if one_a_line && comma => {
                let indent = indent_of(text, last.start);
                Edit::insert(next_line(text, last.end), format!("{indent}{name},{newline}"))
            }
            None if one_a_line => {
                let indent = indent_of(text, last.start);
                Edit::insert(last.end, format!(",{newline}{indent}{name}"))
            }
            None => Edit::insert(last.end, format!(", {name}")),
        };
        page.add(edit)?;
    }
    Ok(())
}

/// A one-line list of names with more names, in brackets over lines if it would be too long.
fn join_line(page: &mut Page, stmt: Span, list: Span, all: &[(String, Option<Span>)]) -> Result<(), RewriteError> {
    let text = page.text;
    let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    let bracketed = stmt.of(text).contains('(');
    let line = line_start(text, stmt.start);
    let length = text[line..list.start].chars().count() + names.join(", ").chars().count();
    if bracketed || length <= page.project.settings.line_length {
        return page.add(Edit::replace(list.range(), names.join(", ")));
    }
    let newline = page.layout.newline;
    let indent = indent_of(text, stmt.start);
    let mut out = String::from("(");
    for name in names {
        out.push_str(&format!("{newline}{indent}{}{name},", page.layout.indent));
    }
    out.push_str(&format!("{newline}{indent})"));
    page.add(Edit::replace(list.range(), out))
}

/// Puts a name where the list's own order wants it: constants first, or plainly by the alphabet.
fn insert_name(names: &mut Vec<(String, Option<Span>)>, name: &str) {
    if names.iter().any(|(n, _)| n == name) {
        return;
    }
    let lower = |n: &str| n.to_lowercase();
    let at = if names.is_sorted_by_key(|(n, _)| name_key(n)) {
        names.partition_point(|(n, _)| name_key(n) < name_key(name))
    } else if names.is_sorted_by_key(|(n, _)| lower(n)) {
        names.partition_point(|(n, _)| lower(n) < lower(name))
    } else if names.is_sorted_by_key(|(n, _)| n.clone()) {
        names.partition_point(|(n, _)| n.as_str() < name)
    } else {
        names.len()
    };
    names.insert(at, (name.to_owned(), None));
}
