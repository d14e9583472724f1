//! Puts imports at the head of a module: new ones, and those that take the place of others.

use std::collections::{BTreeMap, BTreeSet};

use super::block::{self, Line};
use super::import_text::ImportText;
use super::lines::*;
use super::{Page, RewriteError};
use crate::edit::Edit;
use crate::syntax::Span;
use crate::syntax::ast::{Expr, ExprKind, Import, Stmt, StmtKind};

/// Adds imports to the first run of import statements, or makes one.
pub fn add(page: &mut Page, imports: Vec<ImportText>, gone: &BTreeSet<Span>) -> Result<(), RewriteError> {
    if imports.is_empty() {
        return Ok(());
    }
    let is_import = |s: &&Stmt| matches!(s.kind, StmtKind::Import(_));
    let start = page.ast.body.iter().position(|s| is_import(&s));
    // Imports below code stand there for a reason, and what they load may ask for what is added.
    let start = start.filter(|start| !page.ast.body[..*start].iter().any(is_code));
    let Some(start) = start else { return first(page, imports) };
    let (start, imports) = match below_dunders(page, start) {
        None => (start, imports),
        Some(below) => {
            let is_future = |import: &ImportText| import.module == "__future__";
            let (future, imports): (Vec<_>, Vec<_>) = imports.into_iter().partition(is_future);
            into_run(page, start, future, gone)?;
            if !page.ast.body.get(below).is_some_and(|s| is_import(&s)) {
                return behind_dunder(page, page.ast.body[below - 1].span, imports);
            }
            (below, imports)
        }
    };
    into_run(page, start, imports, gone)
}

/// Adds imports to the run of import statements that begins there.
fn into_run(
    page: &mut Page,
    start: usize,
    imports: Vec<ImportText>,
    gone: &BTreeSet<Span>,
) -> Result<(), RewriteError> {
    if imports.is_empty() {
        return Ok(());
    }
    let run = page.ast.body[start..].iter().take_while(|s| matches!(s.kind, StmtKind::Import(_)));
    let run: Vec<Line> = run.map(|s| Line::of(page, s)).collect();
    among(page, run, imports, gone)
}

/// The statement behind plain `__names__` that stand below imports from `__future__` alone, as PEP 8 has it. `start` is the
/// first of those.
pub fn below_dunders(page: &Page, start: usize) -> Option<usize> {
    let body = &page.ast.body;
    let is_future = |s: &&Stmt| match &s.kind {
        StmtKind::Import(import) => import.from.is_some_and(|from| from.level == 0 && from.module == "__future__"),
        _ => false,
    };
    let dunders = start + body[start..].iter().take_while(is_future).count();
    let below = dunders + body[dunders..].iter().take_while(|s| is_plain_dunder(page, s)).count();
    (dunders > start && below > dunders).then_some(below)
}

/// E.g. `__all__ = ["a"]`, which reads nothing.
fn is_plain_dunder(page: &Page, stmt: &Stmt) -> bool {
    let StmtKind::Assign { targets, value } = &stmt.kind else { return false };
    let is_dunder = |target: &Expr| target.as_name().is_some_and(|n| n.starts_with("__") && n.ends_with("__"));
    let is_plain = |value: &Expr| {
        let number = value.span.of(page.text).chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '_'));
        value.as_str().is_some() || number
    };
    let plain = match &value.kind {
        ExprKind::Sequence(items) => items.iter().all(is_plain),
        _ => is_plain(value),
    };
    let end = line_end(page.text, stmt.span.end);
    let behind = page.text[stmt.span.end..end].trim();
    plain && targets.iter().all(is_dunder) && (behind.is_empty() || behind.starts_with('#'))
}

/// Adds the first imports below a `__name__`, which code follows.
fn behind_dunder(page: &mut Page, dunder: Span, imports: Vec<ImportText>) -> Result<(), RewriteError> {
    if imports.is_empty() {
        return Ok(());
    }
    let newline = page.layout.newline;
    let at = next_line(page.text, dunder.end);
    let above = if page.text[..at].ends_with(['\n', '\r']) { newline.to_owned() } else { newline.repeat(2) };
    let below = if blank_lines_after(page.text, at).is_empty() { newline } else { "" };
    let lines = sections(page, imports);
    page.add(Edit::insert(at, format!("{above}{lines}{below}")))
}

/// Prints imports by sections.
fn sections(page: &Page, imports: Vec<ImportText>) -> String {
    let newline = page.layout.newline;
    let mut text = String::new();
    let mut last = None;
    for (key, statement) in ImportText::print(page, imports, "") {
        if last.is_some_and(|section| section != key.section) {
            text.push_str(newline);
        }
        last = Some(key.section);
        text.push_str(&format!("{statement}{newline}"));
    }
    text
}

/// Whether a statement defines something: a file's head has docstrings, `__names__` and conditions alone.
fn is_code(stmt: &Stmt) -> bool {
    let is_dunder = |target: &Expr| target.as_name().is_some_and(|name| name.starts_with("__"));
    match &stmt.kind {
        StmtKind::Function(_) | StmtKind::Class(_) => true,
        StmtKind::Assign { targets, .. } => !targets.iter().all(is_dunder),
        StmtKind::AnnAssign { target, .. } => !is_dunder(target),
        _ => false,
    }
}

/// Replaces the imports of some names by others where they stand. What is replaced is among the `removed`, too; gives the
/// statements that were changed in place, so that nothing is left to remove of them.
pub fn replace(
    page: &mut Page,
    imports: BTreeMap<usize, ImportText>,
    gone: &BTreeSet<Span>,
) -> Result<BTreeSet<Span>, RewriteError> {
    let mut in_place = BTreeSet::new();
    let mut by_stmt: BTreeMap<Span, Vec<(usize, ImportText)>> = BTreeMap::new();
    for (site, import) in imports {
        by_stmt.entry(page.imports.sites[site].stmt).or_default().push((site, import));
    }
    // Those of one run go in together, so that names of one module share a statement.
    let mut by_run: BTreeMap<usize, Vec<ImportText>> = BTreeMap::new();
    for (stmt, imports) in by_stmt {
        let Some(at) = page.ast.body.iter().position(|s| s.span == stmt) else {
            in_place.extend(inside(page, stmt, imports, gone)?);
            continue;
        };
        if renamed_in_place(page, at, &imports)? {
            in_place.insert(stmt);
        } else {
            let start = run_start(page, at);
            by_run.entry(start).or_default().extend(imports.into_iter().map(|(_, import)| import));
        }
    }
    for (start, imports) in by_run {
        into_run(page, start, imports, gone)?;
    }
    Ok(in_place)
}

/// Replaces the imports of a statement in a block or function; gives it if nothing of it is left to remove.
fn inside(
    page: &mut Page,
    stmt: Span,
    imports: Vec<(usize, ImportText)>,
    gone: &BTreeSet<Span>,
) -> Result<Option<Span>, RewriteError> {
    let text = page.text;
    let indent = indent_of(text, stmt.start);
    let behind = text[stmt.end..line_end(text, stmt.end)].trim();
    if !text[line_start(text, stmt.start)..stmt.start].trim().is_empty()
        || !(behind.is_empty() || behind.starts_with('#'))
    {
        return Err(RewriteError::Form("it shares its line with other code"));
    }
    let whole = gone.contains(&stmt);
    // What stands behind a statement that is replaced stays there.
    let plain =
        |import: ImportText| ImportText { above: Vec::new(), comment: import.comment.filter(|_| !whole), ..import };
    let imports = imports.into_iter().map(|(_, import)| plain(import)).collect();
    let statements: Vec<String> = ImportText::print(page, imports, indent).into_iter().map(|(_, text)| text).collect();
    let newline = page.layout.newline;
    if whole {
        page.add(Edit::replace(stmt.range(), statements.join(&format!("{newline}{indent}"))))?;
        return Ok(Some(stmt));
    }
    let lines: String = statements.iter().map(|s| format!("{newline}{indent}{s}")).collect();
    page.add(Edit::insert(line_end(text, stmt.end), lines))?;
    Ok(None)
}

/// Where the run of import statements around a statement begins.
fn run_start(page: &Page, at: usize) -> usize {
    let before = page.ast.body[..at].iter().rev().take_while(|s| matches!(s.kind, StmtKind::Import(_)));
    at - before.count()
}

/// Whether the statement became the new one by another module name alone; its place in the order has to stay right.
fn renamed_in_place(page: &mut Page, at: usize, imports: &[(usize, ImportText)]) -> Result<bool, RewriteError> {
    let stmt = &page.ast.body[at];
    let StmtKind::Import(Import { from: Some(from), .. }) = &stmt.kind else { return Ok(false) };
    let (from, span) = (*from, stmt.span);
    let sites: Vec<usize> =
        page.imports.sites.iter().enumerate().filter(|(_, s)| s.stmt == span).map(|(i, _)| i).collect();
    let module = &imports[0].1.module;
    let same = |(site, import): &(usize, ImportText)| {
        let old = &page.imports.sites[*site];
        import.module == *module && import.name.as_deref() == Some(old.at.of(page.text))
    };
    if imports.len() != sites.len() || !imports.iter().all(same) {
        return Ok(false);
    }
    let neighbour = |stmt: Option<&Stmt>| stmt.map(|s| Line::of(page, s));
    let (above, below) = (at.checked_sub(1).and_then(|i| page.ast.body.get(i)), page.ast.body.get(at + 1));
    let (above, below) = (neighbour(above), neighbour(below));
    let (old, new) = (Line::of(page, stmt).key, Some(imports[0].1.key(page)));
    // Where the order was kept, it has to be kept; a statement of the same module would take the names.
    let sorted = |key: &Option<_>| {
        above.as_ref().is_none_or(|l| l.key <= *key) && below.as_ref().is_none_or(|l| l.key.is_none() || *key <= l.key)
    };
    let joins = page.ast.body.iter().any(|s| s.span != span && Line::of(page, s).key == new);
    if joins || (sorted(&old) && !sorted(&new)) {
        return Ok(false);
    }
    page.add(Edit::replace(from.span.range(), module.clone()))?;
    Ok(true)
}

/// Adds imports to a run of statements of which some go.
fn among(page: &mut Page, run: Vec<Line>, imports: Vec<ImportText>, gone: &BTreeSet<Span>) -> Result<(), RewriteError> {
    let start = run[0].span.start;
    let staying: Vec<Line> = run.into_iter().filter(|l| !gone.contains(&l.span)).collect();
    if !staying.is_empty() {
        return block::add(page, &staying, imports);
    }
    let text = sections(page, imports);
    page.add(Edit::insert(start, text))
}

/// The first imports of a module: behind its docstring.
fn first(page: &mut Page, imports: Vec<ImportText>) -> Result<(), RewriteError> {
    let text = page.text;
    let newline = page.layout.newline;
    let mut new = String::new();
    for (_, statement) in ImportText::print(page, imports, "") {
        new.push_str(&format!("{statement}{newline}"));
    }
    let docstring = page.ast.body.first().filter(|s| s.is_string()).map(|s| s.span);
    let at = docstring.map_or_else(|| above_first(page), |d| next_line(text, d.end));
    if docstring.is_some() {
        new.insert_str(0, newline);
    } else {
        new.push_str(&newline.repeat(2));
    }
    if at == text.len() && !text.ends_with(['\n', '\r']) {
        new.insert_str(0, newline);
    }
    page.add(Edit::insert(at, new))
}

/// The line of the first statement, with the comments right above it; a file's own head (`#!`, coding, licence) ends at a
/// blank line.
fn above_first(page: &Page) -> usize {
    let text = page.text;
    let Some(first) = page.ast.body.first() else { return text.len() };
    let mut at = line_start(text, first.span.start);
    while at > 0 {
        let end = if text[..at].ends_with("\r\n") { at - 2 } else { at - 1 };
        let previous = line_start(text, end);
        if !text[previous..end].trim_start_matches('\u{feff}').starts_with('#') || text[previous..end].starts_with("#!")
        {
            break;
        }
        at = previous;
    }
    if at == 0 && text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { at }
}
