//! Text of others in the page: nothing of it is markup, and what no eye could see is shown.

use std::fmt::{self, Write};

use askama::filters::Escaper;

/// Escapes what HTML acts on. Control characters and those that turn the direction of text, with which code can look other
/// than it is, become signs that can be seen.
#[derive(Clone, Copy)]
pub struct Inert;

impl Escaper for Inert {
    fn write_escaped_str<W: Write>(&self, mut dest: W, string: &str) -> fmt::Result {
        string.chars().try_for_each(|c| match c {
            '&' => dest.write_str("&amp;"),
            '<' => dest.write_str("&lt;"),
            '>' => dest.write_str("&gt;"),
            '"' => dest.write_str("&quot;"),
            '\'' => dest.write_str("&#39;"),
            '\n' | '\t' => dest.write_char(c),
            // The block of control pictures has them in the order of ASCII.
            '\0'..='\u{1f}' => dest.write_char(char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}')),
            '\u{7f}' => dest.write_char('\u{2421}'),
            c if is_unseen(c) => write!(dest, "\u{27e6}U+{:04X}\u{27e7}", c as u32),
            c => dest.write_char(c),
        })
    }
}

/// C1 controls, marks of direction, the byte order mark, and what is no character (Unicode 15, 23.7).
fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{9f}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        | '\u{feff}' | '\u{fdd0}'..='\u{fdef}')
        || c as u32 & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_markup_and_everything_is_seen() {
        let mut out = String::new();
        Inert.write_escaped_str(&mut out, "<a b='\"&>\r\n\0\u{1b}\u{85}\u{202e}\u{feff}\u{1ffff}é").unwrap();
        assert_eq!(out, "&lt;a b=&#39;&quot;&amp;&gt;\u{240d}\n\u{2400}\u{241b}⟦U+0085⟧⟦U+202E⟧⟦U+FEFF⟧⟦U+1FFFF⟧é");
    }
}
