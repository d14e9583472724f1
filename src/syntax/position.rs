//! Lines and columns of byte offsets, and where in a text stands what was parsed of it.

use super::Span;

/// Where in a text stands what was parsed: its pieces in a row, each by its start there and its start in the text.
#[derive(Debug, Default)]
pub struct Places {
    pieces: Vec<(usize, usize)>,
}

impl Places {
    /// Of a text that was parsed from an offset on.
    pub fn from(start: usize) -> Self {
        Self { pieces: vec![(0, start)] }
    }

    /// A piece behind those that are known.
    pub fn add(&mut self, parsed: usize, text: usize) {
        self.pieces.push((parsed, text));
    }

    pub fn at(&self, parsed: usize) -> usize {
        let known = self.pieces.partition_point(|(start, _)| *start <= parsed);
        let (start, text) = self.pieces[known.saturating_sub(1)];
        text + parsed - start
    }

    pub fn span(&self, parsed: std::ops::Range<usize>) -> Span {
        let start = self.at(parsed.start);
        // What ends with a piece does not end where the next one begins.
        Span { start, end: if parsed.is_empty() { start } else { self.at(parsed.end - 1) + 1 } }
    }
}

/// Where each line of a text begins.
#[derive(Clone, Debug)]
pub struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    pub fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        for at in memchr::memchr2_iter(b'\n', b'\r', bytes) {
            // CRLF is one line end, a lone CR is one as well.
            if bytes[at] == b'\n' || bytes.get(at + 1) != Some(&b'\n') {
                starts.push(at + 1);
            }
        }
        Self { starts }
    }

    /// 1-based line of an offset.
    pub fn line(&self, at: usize) -> usize {
        self.starts.partition_point(|s| *s <= at)
    }

    /// 1-based line and column, the column in characters. A byte order mark is none, as editors have it.
    pub fn position(&self, text: &str, at: usize) -> (usize, usize) {
        let line = self.line(at);
        let before = text[self.starts[line - 1]..at].trim_start_matches('\u{feff}');
        (line, before.chars().count() + 1)
    }
}
