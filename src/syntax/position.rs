//! Lines and columns of byte offsets.

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
