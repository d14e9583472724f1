//! Source excerpts of the imports of a loop, drawn by annotate-snippets.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};

use crate::outcome::{Binding, ImportEntry, Kind, ProjectOutcome};

/// Names of a statement that are spelled out.
const NAMES: usize = 3;

/// The excerpts of `imports`, one below the other, styled; `prefix` is put before each path.
pub fn draw(project: &ProjectOutcome, prefix: &str, imports: &[ImportEntry]) -> String {
    let elements = imports.iter().map(|import| element(project, prefix, import));
    let group = Group::with_level(Level::WARNING).elements(elements.flatten());
    Renderer::styled().render(&[group])
}

/// One import: its first line of source, or its place alone where the text is not at hand.
fn element<'a>(project: &'a ProjectOutcome, prefix: &str, import: &ImportEntry) -> Vec<Element<'a>> {
    let path = format!("{prefix}{}", import.file);
    let lines = project.excerpts.get(&import.file).and_then(|text| first_line(text, &import.span));
    match lines {
        Some((line, span)) => {
            let mark = AnnotationKind::Primary.span(span).label(label(import));
            vec![Snippet::source(line).path(path).line_start(import.line).annotation(mark).into()]
        }
        None => vec![
            Origin::path(path).line(import.line).char_column(import.column).into(),
            Level::NOTE.no_name().message(label(import)).into(),
        ],
    }
}

/// The line on which `span` starts, and the part of the span on it.
fn first_line<'a>(text: &'a str, span: &Range<usize>) -> Option<(&'a str, Range<usize>)> {
    let statement = text.get(span.clone())?;
    let start = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let line = text[start..].lines().next()?;
    let from = span.start - start;
    let to = from + statement.lines().next().map_or(0, |first| first.trim_end().len());
    Some((line, from..to.min(line.len())))
}

/// What the import does, e.g. "`a` needs `f` of `b` while it is imported itself".
fn label(import: &ImportEntry) -> String {
    let ImportEntry { from, to, .. } = import;
    if import.implicit {
        return format!("`{from}` loads `{to}` too, a package above what it imports");
    }
    let when = match import.kind {
        Kind::Eager => "while it is imported itself",
        Kind::Lazy => "at the first use (lazy)",
        Kind::Deferred => "when a function runs (deferred)",
        Kind::Type => "for type checkers alone",
    };
    match import.binding {
        Some(Binding::Early) if !import.names.is_empty() => {
            format!("`{from}` needs {} of `{to}` {when}", names(&import.names))
        }
        Some(Binding::Early) => format!("`{from}` needs `{to}` {when}"),
        _ => format!("`{from}` loads `{to}` {when}"),
    }
}

fn names(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(NAMES).map(|name| format!("`{name}`")).collect();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        rest => format!("{} and {rest} more", shown.join(", ")),
    }
}
