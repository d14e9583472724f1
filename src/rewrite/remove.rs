//! Takes names out of import statements, and statements out of blocks.

use std::collections::BTreeSet;
use std::ops::Range;

use super::comments::attached;
use super::import_text::stmt_key;
use super::lines::*;
use super::{Page, RewriteError};
use crate::edit::Edit;
use crate::syntax::Span;
use crate::syntax::ast::{Stmt, StmtKind};
use crate::syntax::imports::Guards;

/// The statements of which no name is left.
pub fn statements_going(page: &Page, removed: &BTreeSet<usize>) -> BTreeSet<Span> {
    let statements: BTreeSet<Span> = removed.iter().map(|s| page.imports.sites[*s].stmt).collect();
    statements.into_iter().filter(|s| kept(page, *s, removed).is_empty()).collect()
}

/// Blocks for type checkers alone of which nothing is left once the sites are gone.
pub fn empty_guards(page: &Page, removed: &BTreeSet<usize>) -> BTreeSet<Span> {
    let going = statements_going(page, removed);
    let guards = Guards::of(&page.ast.body);
    let empty = |stmt: &&Stmt| match &stmt.kind {
        StmtKind::If { branches } => {
            branches.len() == 1
                && branches[0].test.as_ref().is_some_and(|t| guards.is_guard(t))
                && branches[0].body.iter().all(|s| going.contains(&s.span))
        }
        _ => false,
    };
    page.ast.body.iter().filter(empty).map(|s| s.span).collect()
}

/// The import of `TYPE_CHECKING`, if nothing but the guards uses it.
pub fn guard_import(page: &Page, guards: &BTreeSet<Span>) -> Option<usize> {
    let site = page.imports.sites.iter().position(|s| s.name == Some("TYPE_CHECKING") && s.asname.is_none())?;
    let at = page.imports.sites[site].at;
    let used = |at: usize| !guards.iter().any(|g| g.range().contains(&at));
    let others = page.text.match_indices("TYPE_CHECKING").filter(|(i, _)| !at.range().contains(i));
    (!guards.is_empty() && !others.into_iter().any(|(i, _)| used(i))).then_some(site)
}

fn kept(page: &Page, stmt: Span, removed: &BTreeSet<usize>) -> Vec<usize> {
    let all = page.imports.sites.iter().enumerate().filter(|(_, s)| s.stmt == stmt);
    all.map(|(i, _)| i).filter(|i| !removed.contains(i)).collect()
}

/// Takes the sites out, and with them the comment lines above that are `uncommented`. Blank lines around a statement that goes are thinned out, but not below `anchor`, behind which something
/// new stands.
pub fn remove(
    page: &mut Page,
    removed: &BTreeSet<usize>,
    guards: &BTreeSet<Span>,
    uncommented: &BTreeSet<Span>,
    anchor: Option<Span>,
) -> Result<(), RewriteError> {
    let going = statements_going(page, removed);
    let partly: BTreeSet<Span> =
        removed.iter().map(|s| page.imports.sites[*s].stmt).filter(|s| !going.contains(s)).collect();
    let text = page.text;
    let anchor = anchor.map(|a| next_line(text, a.end));
    let mut lines: Vec<Range<usize>> = Vec::new();
    let single = going.iter().filter(|stmt| !guards.iter().any(|g| g.contains(**stmt)));
    let all: BTreeSet<Span> = single.chain(guards).copied().collect();
    for stmt in &all {
        let found = if guards.contains(stmt) { delete_line(text, *stmt) } else { whole(page, *stmt, &going) };
        match found? {
            Whole::Edit(edit) => page.add(edit)?,
            // Statements on neighbouring lines go as one.
            Whole::Lines(range) => {
                let comments = uncommented.iter().find(|c| c.end == range.start).map(|c| c.range());
                let above = comments.or_else(|| attached(page, *stmt, &going));
                let range = above.map_or(range.start, |a| a.start)..range.end;
                match lines.last_mut() {
                    Some(last) if last.end == range.start || neighbours(page, last.end, range.start, anchor) => {
                        last.end = range.end;
                    }
                    _ => lines.push(range),
                }
            }
        }
    }
    for range in lines {
        let filled = page.edits.edits().iter().any(|e| {
            e.range.is_empty() && (e.range.start == range.start || e.range.start == range.end) && !e.text.is_empty()
        });
        let range = if filled || anchor == Some(range.end) {
            range
        } else {
            with_paragraph(page, with_blank_lines(text, range), &all)
        };
        page.add(Edit::delete(range))?;
    }
    for stmt in partly {
        names(page, stmt, removed)?;
    }
    Ok(())
}

/// Whether only blank lines stand between two places, and nothing new is to stand there.
fn neighbours(page: &Page, from: usize, to: usize, anchor: Option<usize>) -> bool {
    let filled = |e: &Edit| from <= e.range.start && e.range.end <= to;
    page.text[from..to].trim().is_empty() && anchor != Some(from) && !page.edits.edits().iter().any(filled)
}

enum Whole {
    Edit(Edit),
    /// Whole lines.
    Lines(Range<usize>),
}

/// Removes a whole statement with its line, or leaves `pass` in a block that would be empty.
fn whole(page: &Page, stmt: Span, going: &BTreeSet<Span>) -> Result<Whole, RewriteError> {
    let text = page.text;
    let block = block_of(&page.ast.body, stmt).ok_or(RewriteError::Form("it is no statement of its own"))?;
    let in_module = std::ptr::eq(block, page.ast.body.as_slice());
    if !in_module && block[0].span == stmt && block.iter().all(|s| going.contains(&s.span)) {
        return Ok(Whole::Edit(Edit::replace(stmt.range(), "pass")));
    }
    delete_line(text, stmt)
}

fn delete_line(text: &str, stmt: Span) -> Result<Whole, RewriteError> {
    let start = line_start(text, stmt.start);
    let end = line_end(text, stmt.end);
    let before = text[start..stmt.start].trim_matches(['\u{feff}', ' ', '\t', '\x0c']);
    let after = text[stmt.end..end].trim_start_matches([' ', '\t']);
    if let Some(rest) = after.strip_prefix(';') {
        // e.g. `import a; import b`: what follows moves up to its place.
        let rest = rest.trim_start_matches([' ', '\t']);
        if !rest.is_empty() && !rest.starts_with('#') {
            return Ok(Whole::Edit(Edit::delete(stmt.start..end - rest.len())));
        }
    }
    if !before.is_empty() {
        let Some(head) = text[start..stmt.start].trim_end().strip_suffix(';') else {
            return Err(RewriteError::Form("it shares its line with a block's head"));
        };
        return Ok(Whole::Edit(Edit::delete(start + head.len()..stmt.end)));
    }
    // A mark at the very start of the file stays, so does a form feed before the statement.
    let start = start
        + (text[start..stmt.start].len() - text[start..stmt.start].trim_start_matches(['\u{feff}', '\x0c']).len());
    Ok(Whole::Lines(start..next_line(text, stmt.end)))
}

/// Lines that go, with those blank lines around them that would stand twice.
fn with_blank_lines(text: &str, lines: Range<usize>) -> Range<usize> {
    let above = blank_lines_before(text, lines.start);
    let below = blank_lines_after(text, lines.end);
    let at_end = below.end == text.len();
    if below.is_empty() && !at_end {
        return lines;
    }
    let in_block = text[lines.start..].starts_with([' ', '\t']);
    // The first of the file or of a block leaves nothing that blank lines could set apart.
    if text[..above.start].trim_matches('\u{feff}').is_empty()
        || in_block && text[..lines.start].trim_end().ends_with(':')
    {
        return lines.start..below.end;
    }
    if above.len() <= below.len() || at_end { above.start..lines.end } else { lines.start..below.end }
}

/// Lines that begin with a comment, with the blank lines that set this apart among imports of one section.
fn with_paragraph(page: &Page, lines: Range<usize>, going: &BTreeSet<Span>) -> Range<usize> {
    let text = page.text;
    let above = blank_lines_before(text, lines.start);
    if !text[lines.clone()].starts_with('#') || !blank_lines_after(text, lines.end).is_empty() {
        return lines;
    }
    let mut staying = page.ast.body.iter().filter(|s| !going.contains(&s.span));
    let before = staying.clone().find(|s| next_line(text, s.span.end) == above.start);
    let after = staying.find(|s| s.span.start == lines.end);
    let section = |stmt: Option<&Stmt>| stmt.and_then(|s| stmt_key(page, s)).map(|key| key.section);
    match section(before) {
        Some(found) if section(after) == Some(found) => above.start..lines.end,
        _ => lines,
    }
}

/// Removes some names of a statement.
fn names(page: &mut Page, stmt: Span, removed: &BTreeSet<usize>) -> Result<(), RewriteError> {
    let text = page.text;
    let kept: Vec<Span> = kept(page, stmt, removed).iter().map(|s| page.imports.sites[*s].at).collect();
    let all: Vec<(Span, bool)> = page
        .imports
        .sites
        .iter()
        .enumerate()
        .filter(|(_, s)| s.stmt == stmt)
        .map(|(i, s)| (s.at, removed.contains(&i)))
        .collect();
    let (Some(first), Some(last)) = (all.first(), all.last()) else { return Ok(()) };
    let list = Span { start: first.0.start, end: last.0.end };
    let lines_of_own = stmt.of(text).contains(['\n', '\r']);
    if !lines_of_own || text[list.range()].contains('\\') {
        let names: Vec<&str> = kept.iter().map(|s| s.of(text)).collect();
        return page.add(Edit::replace(list.range(), names.join(", ")));
    }
    for (index, (at, _)) in all.iter().enumerate().filter(|(_, (_, gone))| *gone) {
        let line = line_start(text, at.start);
        let after_comma = text[at.end..].trim_start_matches([' ', '\t']);
        let comma = after_comma.starts_with(',');
        let end = if comma { text.len() - after_comma.len() + 1 } else { at.end };
        let rest = text[end..line_end(text, end)].trim_start_matches([' ', '\t']);
        let alone = text[line..at.start].trim().is_empty() && (rest.is_empty() || rest.starts_with('#'));
        if alone {
            page.add(Edit::delete(line..next_line(text, end)))?;
        } else if index + 1 < all.len() && !rest.is_empty() && !rest.starts_with('#') {
            page.add(Edit::delete(at.start..text[..line_end(text, end)].len() - rest.len()))?;
        } else {
            // The last of several on its line: the space before it goes as well.
            let start = text[..at.start].trim_end_matches([' ', '\t']).len();
            page.add(Edit::delete(start..end))?;
        }
    }
    Ok(())
}

/// The innermost block that holds a statement.
fn block_of<'b, 'a>(block: &'b [Stmt<'a>], stmt: Span) -> Option<&'b [Stmt<'a>]> {
    for inner in block {
        if inner.span == stmt && matches!(inner.kind, StmtKind::Import(_)) {
            return Some(block);
        }
        if inner.span.contains(stmt) {
            return inner.blocks().into_iter().find_map(|b| block_of(b, stmt));
        }
    }
    None
}
