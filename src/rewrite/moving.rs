//! Statements that leave a module for another one: which lines are theirs, and the text of a module that comes new.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::comments::{comment_top, is_drawn, is_unformatted, where_used};
use super::import_text::{ImportText, Section};
use super::lines::*;
use super::remove::statements_going;
use super::{Page, RewriteError};
use crate::edit::Edit;
use crate::project::{ModuleId, Project};
use crate::syntax::Span;
use crate::syntax::ast::{Ast, Stmt, StmtKind};

/// A module that comes new, with statements of the module `of`.
pub struct NewModule<'a> {
    pub of: ModuleId,
    pub docstring: &'a str,
    pub imports: Vec<ImportText>,
    /// Imports for type checkers alone.
    pub typed: Vec<ImportText>,
    /// Statements at the top level of the module, in order.
    pub statements: &'a [Span],
}

/// Prints a new module in the layout of the one that its statements come from.
///
/// `ast` is that of the module.
pub fn print<'p>(project: &'p Project, ast: &Arc<Ast<'p>>, new: NewModule) -> Result<String, RewriteError> {
    let page = Page::of(project, new.of, ast.clone());
    let newline = page.layout.newline;
    let NewModule { docstring, mut imports, typed, statements, .. } = new;
    let mut text = licence(&page);
    text.push_str(&format!("\"\"\"{docstring}\"\"\"{newline}{newline}"));
    if !typed.is_empty() {
        imports.push(ImportText::from("typing", "TYPE_CHECKING"));
    }
    let typed_last = !typed.is_empty();
    let mut any = import_block(&page, imports, "", &mut text);
    if !typed.is_empty() {
        let indent = page.layout.indent.clone();
        let lines = project.settings.import_style.lines_after.unwrap_or(1);
        text.push_str(&format!("{}if TYPE_CHECKING:{newline}", newline.repeat(lines)));
        any |= import_block(&page, typed, &indent, &mut text);
    }
    let body = definitions(&page, statements)?;
    let first = page.ast.body.iter().find(|s| statements.first() == Some(&s.span));
    if any {
        let usual = if first.is_some_and(is_definition) && !is_headed(&body) { 2 } else { 1 };
        let lines = project.settings.import_style.lines_after.filter(|_| !typed_last);
        text.push_str(&newline.repeat(lines.unwrap_or(usual)));
    } else if first.is_some_and(is_definition) {
        text.push_str(newline);
    }
    Ok(text + &body)
}

/// The text of statements to be added behind others.
pub fn text<'p>(
    project: &'p Project,
    ast: &Arc<Ast<'p>>,
    module: ModuleId,
    statements: &[Span],
) -> Result<String, RewriteError> {
    definitions(&Page::of(project, module, ast.clone()), statements)
}

/// Imports of a module as another has them: those that leave it bring their comments along, of the others tools read theirs there
/// as well.
pub fn imports<'p>(
    project: &'p Project,
    ast: &Arc<Ast<'p>>,
    module: ModuleId,
    sites: &[usize],
    leaving: &BTreeSet<usize>,
) -> Vec<ImportText> {
    let page = Page::of(project, module, ast.clone());
    let going = statements_going(&page, leaving);
    let import = |site: &usize| {
        let import = ImportText::of(&page, *site, &going);
        let import = if leaving.contains(site) { import } else { import.repeated() };
        ImportText { comment: import.comment.as_deref().and_then(where_used), ..import }
    };
    sites.iter().map(import).collect()
}

/// Prints imports by sections; whether there are any.
fn import_block(page: &Page, imports: Vec<ImportText>, indent: &str, text: &mut String) -> bool {
    let newline = page.layout.newline;
    let mut last: Option<Section> = None;
    for (key, statement) in ImportText::print(page, imports, indent) {
        if last.is_some_and(|section| section != key.section) {
            text.push_str(newline);
        }
        last = Some(key.section);
        text.push_str(&format!("{indent}{statement}{newline}"));
    }
    last.is_some()
}

/// The comment at the head of a file, if it speaks of its licence: each file of such a project has one. A line with the
/// file's own name does not go along.
fn licence(page: &Page) -> String {
    let mut at = 0;
    let start = page.ast.body.first().map_or(page.text.len(), |s| line_start(page.text, s.span.start));
    while at < start && page.text[at..].starts_with('#') {
        at = next_line(page.text, at);
    }
    let head = &page.text[..blank_lines_after(page.text, at).end.min(start)];
    let words = head.to_lowercase();
    let is_licence = ["copyright", "licen", "spdx", "(c)"].iter().any(|w| words.contains(w));
    if !is_licence || head.starts_with("#!") || words.contains("coding") {
        return String::new();
    }
    head.split_inclusive('\n').filter(|line| !line.trim_end().ends_with(".py")).collect()
}

/// Whether a text begins with a comment that a blank line parts from what follows.
fn is_headed(text: &str) -> bool {
    text.lines().find(|line| !line.starts_with('#')).is_some_and(str::is_empty)
}

fn is_definition(stmt: &Stmt) -> bool {
    matches!(stmt.kind, StmtKind::Function(_) | StmtKind::Class(_))
}

/// The statements' lines one after another; those that were neighbours keep their distance.
fn definitions(page: &Page, statements: &[Span]) -> Result<String, RewriteError> {
    let taken: BTreeSet<Span> = statements.iter().copied().collect();
    let newline = page.layout.newline;
    let mut out = String::new();
    let mut before: Option<(&Stmt, usize)> = None;
    for (index, stmt) in page.ast.body.iter().enumerate().filter(|(_, s)| taken.contains(&s.span)) {
        let lines = lines_of(page, index, &taken)?;
        if let Some((above, end)) = before {
            let between = &page.text[end..lines.start];
            if between.trim().is_empty() {
                out.push_str(between);
            } else if is_definition(stmt) || is_definition(above) {
                out.push_str(&newline.repeat(2));
            } else if between.lines().any(|line| line.trim().is_empty()) {
                out.push_str(newline);
            }
        }
        let text = &page.text[lines.clone()];
        out.push_str(text);
        if !text.ends_with(['\n', '\r']) {
            out.push_str(newline);
        }
        before = Some((stmt, lines.end));
    }
    Ok(out)
}

/// Takes statements out with their comments, and the blank lines that would stand twice.
pub fn take(page: &mut Page, statements: &BTreeSet<Span>) -> Result<(), RewriteError> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for index in 0..page.ast.body.len() {
        if !statements.contains(&page.ast.body[index].span) {
            continue;
        }
        let lines = lines_of(page, index, statements)?;
        match runs.last_mut() {
            Some(run) if page.text[run.end..lines.start].trim().is_empty() => run.end = lines.end,
            _ => runs.push(lines),
        }
    }
    for run in runs {
        let text = page.text;
        let (above, below) = (blank_lines_before(text, run.start), blank_lines_after(text, run.end));
        // What stood above stays as far from what stood below as it was from what goes, or that from what follows.
        let range = if below.end < text.len() && above.len() >= below.len() {
            run.start..below.end
        } else {
            above.start..run.end
        };
        page.add(Edit::delete(range))?;
    }
    Ok(())
}

/// Appends text to the end of a module.
pub fn append(page: &mut Page, new: &str) -> Result<(), RewriteError> {
    let newline = page.layout.newline;
    let body = page.text.trim_end();
    let gap = if body.is_empty() { 0 } else { 3 };
    let text = format!("{}{new}", newline.repeat(gap));
    page.add(Edit::replace(body.len()..page.text.len(), text))
}

/// The whole lines of a statement: with the comment right above it and the string below that documents it.
fn lines_of(page: &Page, index: usize, taken: &BTreeSet<Span>) -> Result<Range<usize>, RewriteError> {
    let text = page.text;
    let stmt = &page.ast.body[index];
    let start = line_start(text, stmt.span.start);
    if !text[start..stmt.span.start].trim_matches(['\u{feff}', ' ', '\x0c']).is_empty() {
        return Err(RewriteError::Form("it shares its line with other code"));
    }
    let mut end = stmt.span.end;
    if let Some(next) = page.ast.body.get(index + 1)
        && next.is_string()
        && !is_definition(stmt)
        && line_start(text, next.span.start) == next_line(text, end)
    {
        end = next.span.end;
    }
    let behind = text[end..line_end(text, end)].trim();
    if !behind.is_empty() && !behind.starts_with('#') {
        return Err(RewriteError::Form("it shares its line with other code"));
    }
    let lines = comment_above(page, index, taken).unwrap_or(start)..next_line(text, end);
    if is_unformatted(page, lines.clone()) {
        return Err(RewriteError::Form("it stands where a formatter is turned off"));
    }
    Ok(lines)
}

/// Where the comment right above a statement begins, if it goes with it: one that heads a block of lines stays with the block
/// unless all of that goes, and one drawn as a rule heads what follows.
fn comment_above(page: &Page, index: usize, taken: &BTreeSet<Span>) -> Option<usize> {
    let text = page.text;
    let start = line_start(text, page.ast.body[index].span.start);
    let top = comment_top(text, start, "");
    let comment = &text[top..start];
    if top == start {
        return comment_set_apart(page, index);
    }
    if top == 0 || comment.starts_with("#!") || is_drawn(comment) {
        return None;
    }
    let heads = page.ast.body[index..]
        .windows(2)
        .take_while(|w| line_start(text, w[1].span.start) == next_line(text, w[0].span.end))
        .all(|w| taken.contains(&w[1].span) || w[1].is_string());
    heads.then_some(top)
}

/// Where a comment begins that blank lines part from the statement below, if it speaks of that: it names what the statement
/// defines.
fn comment_set_apart(page: &Page, index: usize) -> Option<usize> {
    let text = page.text;
    let stmt = &page.ast.body[index];
    let above = blank_lines_before(text, line_start(text, stmt.span.start)).start;
    let top = comment_top(text, above, "");
    let comment = &text[top..above];
    let name = defined(stmt);
    let says = |name: &str| comment.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name);
    let is_free = top > 0 && !blank_lines_before(text, top).is_empty() && !is_drawn(comment);
    let names_others = || {
        let mut others = page.ast.body.iter().enumerate().filter(|(at, _)| *at != index);
        others.any(|(_, other)| is_definition(other) && says(defined(other)))
    };
    (top < above && is_free && is_definition(stmt) && says(name) && !names_others()).then_some(top)
}

/// The name of a function or class.
fn defined<'a>(stmt: &Stmt<'a>) -> &'a str {
    match &stmt.kind {
        StmtKind::Function(function) => function.name.text,
        StmtKind::Class(class) => class.name.text,
        _ => "",
    }
}
