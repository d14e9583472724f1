//! How a file is laid out: line ends, indentation, quotes; and the lines around an offset.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::project::settings::ImportStyle;

/// The habits of a file.
#[derive(Clone, Debug)]
pub struct Layout {
    /// `\n`, `\r\n` or `\r`: what most lines end with.
    pub newline: &'static str,
    /// One step of indentation.
    pub indent: String,
    /// Whether strings are mostly in single quotes.
    pub single_quotes: bool,
    /// Whether every name that is imported from a module has a statement of its own.
    pub single_names: bool,
    /// Whether names that are renamed stand in one statement with others.
    pub joins_renamed: bool,
}

impl Layout {
    pub fn of(text: &str) -> Self {
        let crlf = text.matches("\r\n").count();
        let lf = text.matches('\n').count() - crlf;
        let cr = text.matches('\r').count() - crlf;
        let newline = if crlf > lf {
            "\r\n"
        } else if cr > lf {
            "\r"
        } else {
            "\n"
        };
        Self {
            newline,
            indent: indent_step(text),
            single_quotes: text.matches('\'').count() > text.matches('"').count(),
            single_names: has_single_names(text),
            joins_renamed: joins_renamed(text),
        }
    }

    /// The same, as far as the project's sorter of imports does not have it otherwise.
    pub fn styled(self, style: &ImportStyle) -> Self {
        Self {
            single_names: self.single_names || style.single_names,
            joins_renamed: self.joins_renamed || style.joins_renamed,
            ..self
        }
    }
}

/// Whether some module is imported from more than once at the top, and no statement imports more than one name.
fn has_single_names(text: &str) -> bool {
    let mut modules = BTreeSet::new();
    let mut again = false;
    for line in text.lines() {
        let Some(from) = line.trim_start().strip_prefix("from ") else { continue };
        let Some((module, names)) = from.split_once(" import ") else { continue };
        let names = names.split('#').next().unwrap_or_default();
        if names.contains([',', '(', '\\']) {
            return false;
        }
        again |= line.starts_with("from ") && !modules.insert(module);
    }
    again
}

/// Whether a statement imports several names, one of them under another name or under its own as type checkers want it.
fn joins_renamed(text: &str) -> bool {
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(from) = line.trim_start().strip_prefix("from ") else { continue };
        let Some((_, names)) = from.split_once(" import ") else { continue };
        let mut names = names.to_owned();
        if names.starts_with('(') && !names.contains(')') {
            for line in lines.by_ref() {
                names.push_str(line.split('#').next().unwrap_or_default());
                if line.contains(')') {
                    break;
                }
            }
        }
        let several = names.split(',').filter(|name| name.contains(char::is_alphabetic)).count() > 1;
        if several && names.contains(" as ") {
            return true;
        }
    }
    false
}

/// The first indentation behind a line that opens a block.
fn indent_step(text: &str) -> String {
    let mut opened = false;
    for line in text.lines() {
        let content = line.trim_start_matches([' ', '\t']);
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let indent = &line[..line.len() - content.len()];
        if opened && !indent.is_empty() {
            return indent.to_owned();
        }
        let block = ["def ", "class ", "if ", "for ", "while ", "try", "with ", "else", "async "];
        opened = indent.is_empty() && line.trim_end().ends_with(':') && block.iter().any(|b| content.starts_with(b));
    }
    "    ".to_owned()
}

/// Where the line of `at` begins.
pub fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind(['\n', '\r']).map_or(0, |n| n + 1)
}

/// Where the line of `at` ends, before its line end.
pub fn line_end(text: &str, at: usize) -> usize {
    text[at..].find(['\n', '\r']).map_or(text.len(), |n| at + n)
}

/// Where the next line begins, or the end of the text.
pub fn next_line(text: &str, at: usize) -> usize {
    let end = line_end(text, at);
    if text[end..].starts_with("\r\n") { end + 2 } else { (end + 1).min(text.len()) }
}

/// Blank lines right before a line's start.
pub fn blank_lines_before(text: &str, start: usize) -> Range<usize> {
    let mut at = start;
    while text[..at].ends_with(['\n', '\r']) {
        let end = if text[..at].ends_with("\r\n") { at - 2 } else { at - 1 };
        let previous = line_start(text, end);
        if !text[previous..end].trim_matches([' ', '\t']).is_empty() {
            break;
        }
        at = previous;
    }
    at..start
}

/// Blank lines from a line's start on.
pub fn blank_lines_after(text: &str, start: usize) -> Range<usize> {
    let mut at = start;
    while at < text.len() && text[at..line_end(text, at)].trim_matches([' ', '\t']).is_empty() {
        at = next_line(text, at);
    }
    start..at
}

/// The white space at the start of the line of `at`.
pub fn indent_of(text: &str, at: usize) -> &str {
    let start = line_start(text, at);
    let line = &text[start..at];
    let line = line.trim_start_matches('\u{feff}');
    &line[..line.len() - line.trim_start_matches([' ', '\t', '\x0c']).len()]
}
