//! Heads of functions whose evaluation nothing depends on: annotations that are not evaluated, and default values that are
//! written out.

use std::ops::Range;

use super::is_word;

/// What can be left out of the head of a function, which stands in a range of the text up to its colon: what is between its
/// brackets, and what it returns. `postponed`: annotations are not evaluated. Nothing if anything in it may be of use, or
/// cannot be told.
pub fn idle(text: &str, head: Range<usize>, postponed: bool) -> Vec<Range<usize>> {
    let bytes = text[..head.end].trim_end().as_bytes();
    read(bytes, head.start, postponed).unwrap_or_default()
}

fn read(bytes: &[u8], start: usize, postponed: bool) -> Option<Vec<Range<usize>>> {
    let open = start + memchr::memchr2(b'(', b'[', &bytes[start..])?;
    let mut head = Head { bytes, at: open + 1 };
    if bytes[open] == b'[' || bytes.last() != Some(&b':') {
        return None;
    }
    while head.byte() != b')' {
        match head.byte() {
            b':' if postponed => head.annotation()?,
            b'=' => head.default()?,
            byte if is_word(byte) || is_blank(byte) || matches!(byte, b',' | b'*' | b'/') => head.at += 1,
            _ => return None,
        }
    }
    let (parameters, colon) = (open + 1..head.at, bytes.len() - 1);
    head.at += 1;
    let after = head.at;
    head.blank();
    if head.at == colon {
        return Some(vec![parameters]);
    }
    // A comment may end with a colon, too.
    let plain = !bytes[head.at..colon].iter().any(|byte| matches!(byte, b'#' | b'\\' | b'\n' | b'\r'));
    (postponed && plain && bytes[head.at..].starts_with(b"->")).then(|| vec![parameters, after..colon])
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

struct Head<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Head<'_> {
    /// 0 at the end, which nothing takes.
    fn byte(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    fn blank(&mut self) {
        while is_blank(self.byte()) {
            self.at += 1;
        }
    }

    /// From the colon to what follows the annotation.
    fn annotation(&mut self) -> Option<()> {
        let mut depth = 0usize;
        loop {
            self.at += 1;
            match self.byte() {
                b',' | b')' | b'=' if depth == 0 => return Some(()),
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth = depth.checked_sub(1)?,
                b'"' | b'\'' => self.string()?,
                byte if is_word(byte) || is_blank(byte) || matches!(byte, b'.' | b',' | b'|' | b'-' | b'*') => {}
                _ => return None,
            }
        }
    }

    /// To the last quote of a string on one line.
    fn string(&mut self) -> Option<()> {
        let quote = self.byte();
        let inside = &self.bytes[self.at + 1..];
        let length = inside.iter().position(|byte| *byte == quote || matches!(byte, b'\\' | b'\n' | b'\r'))?;
        // Three quotes, or text after text.
        if inside[length] != quote || inside.get(length + 1) == Some(&quote) {
            return None;
        }
        self.at += 1 + length;
        Some(())
    }

    /// From the equals sign to what follows a value that is written out.
    fn default(&mut self) -> Option<()> {
        self.at += 1;
        self.blank();
        match self.byte() {
            b'"' | b'\'' => {
                self.string()?;
                self.at += 1;
            }
            byte if byte == b'-' || byte.is_ascii_digit() => {
                self.at += usize::from(byte == b'-');
                if !self.byte().is_ascii_digit() {
                    return None;
                }
                while self.byte().is_ascii_alphanumeric() || matches!(self.byte(), b'.' | b'_') {
                    self.at += 1;
                }
            }
            b'(' | b'[' | b'{' => {
                let end = match self.byte() {
                    b'(' => b')',
                    b'[' => b']',
                    _ => b'}',
                };
                self.at += 1;
                if self.byte() != end {
                    return None;
                }
                self.at += 1;
            }
            _ => {
                let word = self.bytes[self.at..].iter().take_while(|byte| is_word(**byte)).count();
                if !matches!(&self.bytes[self.at..self.at + word], b"None" | b"True" | b"False") {
                    return None;
                }
                self.at += word;
            }
        }
        self.blank();
        matches!(self.byte(), b',' | b')').then_some(())
    }
}
