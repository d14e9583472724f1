//! The outline of a file: its text without the bodies of its functions, and what else no import can depend on.

use std::ops::Range;

use super::Skim;
use super::signature::idle;
use crate::syntax::imports::Place;
use crate::syntax::{Cut, Outline};

/// The outline of a text; `None` where only the parser can tell what is the body of a function.
pub fn outline(text: &str) -> Option<Outline> {
    let mut skim = Skim::new(text);
    let mut cuts: Vec<Cut> = Vec::new();
    let mut open: Option<Body> = None;
    let mut postponed = false;
    while skim.at < skim.bytes.len() {
        let start = skim.at;
        let line = skim.indentation(start);
        if let (Some((indent, token)), Some(body)) = (line, &mut open) {
            if indent > body.indent {
                body.first.get_or_insert(token);
            } else {
                cuts.push(open.take()?.cut(text, start)?);
            }
        }
        skim.logical_line()?;
        if open.is_some() {
            continue;
        }
        let Some((indent, token)) = line else {
            // The line end that follows a comment stays.
            if !text[start..skim.at].trim().is_empty() {
                cuts.push(Cut { range: start..skim.at, body: None });
            }
            continue;
        };
        if skim.has_opened_function() {
            cuts.extend(idle(text, token..skim.at, postponed).into_iter().map(|range| Cut { range, body: None }));
            open = Some(Body { indent, first: None });
        } else if let Some(range) = documentation(text, token..skim.at) {
            cuts.push(Cut { range, body: None });
        } else {
            postponed |= postpones(&text[token..skim.at]);
        }
    }
    if let Some(body) = open {
        cuts.push(body.cut(text, text.len())?);
    }
    Some(Outline { cuts })
}

/// `from __future__ import annotations`, without comments.
fn postpones(line: &str) -> bool {
    let names = line.strip_prefix("from __future__ import").unwrap_or_default();
    names.split([',', '(', ')']).any(|name| name.trim() == "annotations")
}

/// What stands between the quotes, if a line is but a string in three of them.
fn documentation(text: &str, line: Range<usize>) -> Option<Range<usize>> {
    let string = text[line.clone()].trim_end();
    let quotes = ["\"\"\"", "'''"].into_iter().find(|quotes| string.starts_with(quotes))?;
    let inside = string.strip_prefix(quotes)?.strip_suffix(quotes)?;
    // Where the last quote is escaped, it is not the one that ends the string.
    let is_one = !inside.contains(quotes) && !inside.ends_with('\\');
    is_one.then(|| line.start + quotes.len()..line.start + quotes.len() + inside.len())
}

/// The function whose `def` stands at a place, up to the first line that is no longer its own; `None` where only the parser can
/// tell.
pub fn function(text: &str, def: usize) -> Option<Range<usize>> {
    let line = text[..def].rfind(['\n', '\r']).map_or(0, |at| at + 1);
    let (indent, _) = Skim::new(text).indent(line);
    let mut skim = Skim::new(&text[def..]);
    skim.logical_line()?;
    let has_body = skim.has_opened_function();
    let is_own = |skim: &Skim| skim.indentation(skim.at).is_none_or(|(inner, _)| inner > indent);
    while has_body && skim.at < skim.bytes.len() && is_own(&skim) {
        skim.logical_line()?;
    }
    Some(def..def + skim.at)
}

/// A function whose body may still go on.
struct Body {
    /// Of the `def`.
    indent: usize,
    /// The first token of the body.
    first: Option<usize>,
}

impl Body {
    /// Takes the place of the body, which ends there.
    fn cut(self, text: &str, end: usize) -> Option<Cut> {
        let first = self.first?;
        Some(Cut { range: first..end, body: Some(text[first..].chars().next()?.len_utf8()) })
    }
}

impl Skim<'_> {
    /// How far the line at `start` is indented, and where it begins; nothing of one that is blank or a comment.
    fn indentation(&self, start: usize) -> Option<(usize, usize)> {
        let (indent, at) = self.indent(start);
        (!matches!(self.byte(at), b'\n' | b'\r' | b'#') && at < self.bytes.len()).then_some((indent, at))
    }

    /// Whether the line before opened the body of a function.
    fn has_opened_function(&self) -> bool {
        self.blocks.last().is_some_and(|b| b.body.is_none() && b.around.place == Place::Function)
    }
}
