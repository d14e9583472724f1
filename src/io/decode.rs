//! Source files from bytes to text. Whatever the bytes, the text has the same length, so that offsets in one are
//! offsets in the other.

use std::str::Utf8Error;
use std::sync::Arc;

/// Text of the file's length, and what is wrong with the file if it must not be rewritten: a 1-based line and a reason.
pub fn decode(bytes: &[u8]) -> (Arc<str>, Option<(usize, String)>) {
    let text = std::str::from_utf8(bytes);
    let trouble = trouble(bytes, text.err());
    let text = match text {
        Ok(text) if !matches!(trouble, Some(Trouble::Encoding(..))) => text.into(),
        Ok(_) => ascii(bytes).into(),
        Err(_) => replaced(bytes).into(),
    };
    (text, trouble.map(Trouble::describe))
}

enum Trouble {
    /// A line, and the declared encoding, which its bytes have to be read by.
    Encoding(usize, String),
    NotUtf8(usize),
    Nul(usize),
}

impl Trouble {
    fn describe(self) -> (usize, String) {
        match self {
            Trouble::Encoding(line, name) => {
                (line, format!("encoding {name} is analysed as ASCII and never rewritten"))
            }
            Trouble::NotUtf8(line) => {
                (line, "not UTF-8: other bytes are analysed as `?`, and it is never rewritten".into())
            }
            Trouble::Nul(line) => (line, "a NUL byte, which Python refuses; it is never rewritten".into()),
        }
    }
}

fn trouble(bytes: &[u8], error: Option<Utf8Error>) -> Option<Trouble> {
    if let Some(at) = memchr::memchr(0, bytes) {
        return Some(Trouble::Nul(line_of(bytes, at)));
    }
    if let Some((line, name)) = cookie(bytes) {
        let normal = name.to_ascii_lowercase().replace('_', "-");
        if !is_utf8(&normal) {
            let other = bytes.iter().position(|b| !b.is_ascii());
            return match other {
                Some(at) => Some(Trouble::Encoding(line_of(bytes, at), name)),
                None => (!extends_ascii(&normal)).then_some(Trouble::Encoding(line, name)),
            };
        }
    }
    error.map(|error| Trouble::NotUtf8(line_of(bytes, error.valid_up_to())))
}

/// The encoding that a comment in the first two lines declares, and the line (PEP 263).
fn cookie(bytes: &[u8]) -> Option<(usize, String)> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    for (index, line) in bytes.split(|b| *b == b'\n').take(2).enumerate() {
        let line = line.trim_ascii();
        if !line.is_empty() && !line.starts_with(b"#") {
            return None;
        }
        for at in memchr::memmem::find_iter(line, "coding") {
            let rest = &line[at + "coding".len()..];
            let Some(rest) = rest.strip_prefix(b":").or_else(|| rest.strip_prefix(b"=")) else { continue };
            let is_name = |b: &&u8| b.is_ascii_alphanumeric() || b"-_.".contains(b);
            let name: Vec<u8> = rest.trim_ascii_start().iter().take_while(is_name).copied().collect();
            if !name.is_empty() {
                return Some((index + 1, String::from_utf8_lossy(&name).into_owned()));
            }
        }
    }
    None
}

fn is_utf8(encoding: &str) -> bool {
    matches!(encoding, "utf8" | "u8" | "utf" | "cp65001")
        || encoding.starts_with("utf-8")
        || encoding.starts_with("utf8-")
}

/// Whether bytes below 128 mean in this encoding what they mean in ASCII.
fn extends_ascii(encoding: &str) -> bool {
    const FAMILIES: [&str; 19] = [
        "ascii",
        "us-ascii",
        "latin",
        "l1",
        "iso-8859",
        "iso8859",
        "8859",
        "cp125",
        "cp85",
        "cp437",
        "cp866",
        "windows-125",
        "koi8",
        "mac",
        "euc",
        "gb",
        "big5",
        "cp9",
        "shift",
    ];
    FAMILIES.iter().any(|family| encoding.starts_with(family))
}

fn line_of(bytes: &[u8], at: usize) -> usize {
    memchr::memchr_iter(b'\n', &bytes[..at]).count() + 1
}

fn ascii(bytes: &[u8]) -> String {
    bytes.iter().map(|b| if b.is_ascii() { char::from(*b) } else { '?' }).collect()
}

/// Valid UTF-8 as it is, each other byte as `?`.
fn replaced(bytes: &[u8]) -> String {
    if cookie(bytes).is_some_and(|(_, name)| !is_utf8(&name.to_ascii_lowercase().replace('_', "-"))) {
        return ascii(bytes);
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '?'));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_keeps_the_length_of_the_bytes() {
        for (bytes, text, line) in [
            (&b"a = 1\r\n"[..], "a = 1\r\n", None),
            (b"\xef\xbb\xbfa = 1\n", "\u{feff}a = 1\n", None),
            ("x = 'é'\n".as_bytes(), "x = 'é'\n", None),
            (b"# coding: latin-1\na = 1\n", "# coding: latin-1\na = 1\n", None),
            (b"# coding: latin-1\n# \xe9\n", "# coding: latin-1\n# ?\n", Some(2)),
            ("#!x\n# -*- coding: cp1252 -*-\n# é\n".as_bytes(), "#!x\n# -*- coding: cp1252 -*-\n# ??\n", Some(3)),
            (b"import a # coding: latin-1\n\n# \xe9", "import a # coding: latin-1\n\n# ?", Some(3)),
            (b"# coding: utf-7\na\n", "# coding: utf-7\na\n", Some(1)),
            (b"a = 1\nb = '\xff\xfe'\n", "a = 1\nb = '??'\n", Some(2)),
            (b"a\n\0\n", "a\n\0\n", Some(2)),
        ] {
            let (found, trouble) = decode(bytes);
            assert_eq!((&*found, trouble.map(|t| t.0)), (text, line), "{text}");
            assert_eq!(found.len(), bytes.len());
        }
    }
}
