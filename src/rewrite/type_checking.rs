//! Puts imports under `if TYPE_CHECKING:`, into the block that is there or a new one, and imports the guard.

use std::collections::BTreeSet;

use super::block::{self, Line, join};
use super::head::below_dunders;
use super::import_text::{ImportText, Section, SortKey, stmt_key};
use super::lines::*;
use super::{Page, RewriteError};
use crate::edit::Edit;
use crate::syntax::Span;
use crate::syntax::ast::{Stmt, StmtKind};
use crate::syntax::imports::Guards;

/// Adds the imports, and `more` of the standard library outside the block; gives the statement behind which a new block
/// stands.
pub fn add(
    page: &mut Page,
    imports: Vec<ImportText>,
    mut more: Vec<ImportText>,
    gone: &BTreeSet<Span>,
) -> Result<Option<Span>, RewriteError> {
    if imports.is_empty() {
        import_standard(page, more, gone)?;
        return Ok(None);
    }
    match existing_block(page) {
        Some(block) => {
            import_standard(page, more, gone)?;
            block::add(page, &block, imports).map(|()| None)
        }
        None => {
            let guard = guard(page, &mut more)?;
            import_standard(page, more, gone)?;
            new_block(page, &guard, imports, gone).map(Some)
        }
    }
}

/// The first block at module level that is guarded by TYPE_CHECKING alone, by its statements.
fn existing_block(page: &Page) -> Option<Vec<Line>> {
    let guards = Guards::of(&page.ast.body);
    for stmt in &page.ast.body {
        let StmtKind::If { branches } = &stmt.kind else { continue };
        let guarded = branches[0].test.as_ref().is_some_and(|t| guards.is_guard(t));
        let own_lines = branches[0].body.first().is_some_and(|first| {
            let start = line_start(page.text, first.span.start);
            page.text[start..first.span.start].trim().is_empty()
        });
        if guarded && own_lines {
            return Some(branches[0].body.iter().map(|s| Line::of(page, s)).collect());
        }
    }
    None
}

/// The import statements at the head of the module, up to the first definition or other code.
fn head<'p, 'a>(page: &'p Page<'a>) -> Vec<&'p Stmt<'a>> {
    let mut out = Vec::new();
    for stmt in &page.ast.body {
        match &stmt.kind {
            StmtKind::Function(_) | StmtKind::Class(_) => break,
            StmtKind::Import(_) => out.push(stmt),
            _ => {}
        }
    }
    out
}

fn new_block(
    page: &mut Page,
    guard: &str,
    imports: Vec<ImportText>,
    gone: &BTreeSet<Span>,
) -> Result<Span, RewriteError> {
    let text = page.text;
    let newline = page.layout.newline;
    let indent = page.layout.indent.clone();
    let mut block = format!("if {guard}:{newline}");
    let mut last: Option<Section> = None;
    for (key, statement) in ImportText::print(page, imports, &indent) {
        if last.is_some_and(|s| s != key.section) {
            block.push_str(newline);
        }
        last = Some(key.section);
        block.push_str(&format!("{indent}{statement}{newline}"));
    }
    // Behind the last import of the head; what follows keeps its distance.
    let Some(last) = head(page).last().map(|s| s.span) else {
        return Err(RewriteError::Form("the module has no import to stand behind"));
    };
    let at = next_line(text, last.end);
    let mut lead =
        if at == text.len() && !text.ends_with(['\n', '\r']) { newline.repeat(2) } else { newline.to_owned() };
    if gone.contains(&last) {
        // The lines above go as well: if they stand behind a blank one, that is the one needed.
        let mut top = line_start(text, last.start);
        while let Some(above) = gone.iter().find(|g| next_line(text, g.end) == top) {
            top = line_start(text, above.start);
        }
        let filled = page.edits.edits().iter().any(|e| e.range == (top..top));
        if !filled && !blank_lines_before(text, top).is_empty() {
            lead.clear();
        }
    }
    let below = blank_lines_after(text, at);
    let trail = if below.is_empty() && at < text.len() { newline } else { "" };
    page.add(Edit::insert(at, format!("{lead}{block}{trail}")))?;
    Ok(last)
}

/// How the file can spell TYPE_CHECKING; if it does not import it yet, it joins what is taken from `typing`, or `more`.
fn guard(page: &mut Page, more: &mut Vec<ImportText>) -> Result<String, RewriteError> {
    let mut from_typing: Vec<(Span, Vec<Span>)> = Vec::new();
    for stmt in head(page) {
        let StmtKind::Import(import) = &stmt.kind else { continue };
        match import.from {
            Some(from) if from.level == 0 && matches!(from.module, "typing" | "typing_extensions") => {
                if let Some(alias) = import.names.iter().find(|a| a.name == "TYPE_CHECKING") {
                    return Ok(alias.bound().to_owned());
                }
                if from.module == "typing" && !import.names.is_empty() {
                    from_typing.push((stmt.span, import.names.iter().map(|a| a.span).collect()));
                }
            }
            None => {
                if let Some(alias) = import.names.iter().find(|a| a.name == "typing") {
                    return Ok(format!("{}.TYPE_CHECKING", alias.bound()));
                }
            }
            _ => {}
        }
    }
    let several = from_typing.len() > 1 && from_typing.iter().all(|(_, names)| names.len() == 1);
    let single_names = several || page.layout.single_names;
    match from_typing.first() {
        Some((stmt, names)) if !single_names => join(page, *stmt, names, &["TYPE_CHECKING".to_owned()])?,
        _ => more.push(ImportText::from("typing", "TYPE_CHECKING")),
    }
    Ok("TYPE_CHECKING".to_owned())
}

/// Adds imports to the section of the standard library, each where it sorts.
fn import_standard(page: &mut Page, imports: Vec<ImportText>, gone: &BTreeSet<Span>) -> Result<(), RewriteError> {
    if imports.is_empty() {
        return Ok(());
    }
    let text = page.text;
    let newline = page.layout.newline;
    let statements = ImportText::print(page, imports, "");
    let head: Vec<(Span, SortKey)> =
        head(page).into_iter().filter_map(|s| Some((s.span, stmt_key(page, s)?))).collect();
    let Some(first) = head.first() else { return Err(RewriteError::Form("the module has no import to stand beside")) };
    let standard: Vec<&(Span, SortKey)> = head.iter().filter(|(_, k)| k.section == Section::Standard).collect();
    if !standard.is_empty() {
        // Where `import x` and `from x` are mixed by module, kinds do not decide.
        let mixed = !standard.is_sorted_by_key(|(_, k)| k.clone());
        for (key, statement) in statements {
            let statement = format!("{statement}{newline}");
            let before = |k: &SortKey| if mixed { k.module_name() < key.module_name() } else { *k < key };
            let edit = match standard.iter().rev().find(|(_, k)| before(k)) {
                Some((span, _)) => insert_behind(text, *span, &statement, newline),
                None => Edit::insert(line_start(text, standard[0].0.start), statement),
            };
            page.add(edit)?;
        }
        return Ok(());
    }
    let statements: String = statements.into_iter().map(|(_, statement)| format!("{statement}{newline}")).collect();
    let future = head.iter().rev().find(|(_, k)| k.section == Section::Future);
    match future {
        Some((span, _)) => {
            if let Some(first) = first_below_dunders(page) {
                let follows = head.iter().any(|(span, _)| span.start >= first.start && !gone.contains(span));
                let trail = if follows { newline } else { "" };
                return page.add(Edit::insert(line_start(text, first.start), format!("{statements}{trail}")));
            }
            let at = next_line(text, span.end);
            let below = blank_lines_after(text, at);
            let trail = if below.is_empty() { newline } else { "" };
            page.add(Edit::insert(at, format!("{newline}{statements}{trail}")))
        }
        None => {
            // The first section of the file; another one follows unless all of it goes.
            let follows = head.iter().any(|(span, _)| !gone.contains(span));
            let trail = if follows { newline } else { "" };
            let at = line_start(text, first.0.start);
            let at = if text[at..].starts_with('\u{feff}') { at + '\u{feff}'.len_utf8() } else { at };
            page.add(Edit::insert(at, format!("{statements}{trail}")))
        }
    }
}

/// The first import behind plain `__names__` that stand below imports from `__future__`.
fn first_below_dunders(page: &Page) -> Option<Span> {
    let start = page.ast.body.iter().position(|s| matches!(s.kind, StmtKind::Import(_)))?;
    let stmt = page.ast.body.get(below_dunders(page, start)?)?;
    matches!(stmt.kind, StmtKind::Import(_)).then_some(stmt.span)
}

fn insert_behind(text: &str, stmt: Span, statement: &str, newline: &str) -> Edit {
    let at = next_line(text, stmt.end);
    if at == text.len() && !text.ends_with(['\n', '\r']) {
        return Edit::insert(at, format!("{newline}{}", statement.trim_end_matches(['\r', '\n'])));
    }
    Edit::insert(at, statement.to_owned())
}
