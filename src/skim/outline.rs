//! The outline of a file: its text without the bodies of its functions.

use std::ops::Range;

use super::Skim;
use crate::syntax::Outline;
use crate::syntax::imports::Place;

/// The outline of a text; `None` where only the parser can tell what is the body of a function.
pub fn outline(text: &str) -> Option<Outline> {
    let mut skim = Skim::new(text);
    let mut bodies: Vec<Body> = Vec::new();
    let mut open: Option<Body> = None;
    while skim.at < skim.bytes.len() {
        let start = skim.at;
        let line = skim.indentation(start);
        if let (Some((indent, token)), Some(body)) = (line, &mut open) {
            if indent > body.indent {
                body.first.get_or_insert(token);
            } else {
                body.range.end = start;
                bodies.extend(open.take());
            }
        }
        skim.logical_line()?;
        if let (None, Some((indent, _)), true) = (&open, line, skim.has_opened_function()) {
            open = Some(Body { indent, range: skim.at..skim.bytes.len(), first: None });
        }
    }
    bodies.extend(open);
    let mut bytes = skim.bytes.to_vec();
    let (mut parts, mut start) = (Vec::with_capacity(bodies.len() + 1), 0);
    for body in &bodies {
        let first = body.first?;
        let end = first + text[first..].chars().next()?.len_utf8();
        bytes[first..end].fill(b'0');
        *bytes.get_mut(end)? = b'\n';
        parts.push(start..end + 1);
        start = body.range.end;
    }
    parts.push(start..bytes.len());
    Some(Outline { bytes, parts })
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

/// Where the body of a function stands.
struct Body {
    /// Of the `def`.
    indent: usize,
    range: Range<usize>,
    /// Its first token.
    first: Option<usize>,
}

impl Skim<'_> {
    /// How far the line at `start` is indented, and where it begins; nothing of one that is blank or a comment.
    fn indentation(&self, start: usize) -> Option<(usize, usize)> {
        let (indent, at) = self.indent(start);
        (!matches!(self.byte(at), b'\n' | b'\r' | b'#') && at < self.bytes.len()).then_some((indent, at))
    }

    /// Whether the line before opened the body of a function.
    fn has_opened_function(&self) -> bool {
        self.blocks.last().is_some_and(|b| b.body.is_none() && b.place == Place::Function)
    }
}
