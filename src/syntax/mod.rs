//! Text to syntax tree. The only user of tree-sitter; what leaves here is [`ast`].

pub mod ast;
pub mod exports;
pub mod imports;
mod lower;
mod position;

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Range;

pub use ast::{Ast, Span};
pub use position::Lines;

thread_local! {
    static PARSER: RefCell<tree_sitter::Parser> = RefCell::new({
        let mut parser = tree_sitter::Parser::new();
        parser.set_language(&tree_sitter_python::LANGUAGE.into()).expect("the grammar is built for this tree-sitter");
        parser
    });
}

const BOM: &str = "\u{feff}";

/// Parses a file. Never fails: what the parser cannot make sense of is left out, and [`Ast::error`] says where.
pub fn parse(text: &str) -> Ast<'_> {
    parse_parts(text, text.as_bytes(), behind_mark(text), &[])
}

/// Parses one statement of a file, which may be indented; what it gives has places in the whole text.
pub fn parse_part(text: &str, part: Range<usize>) -> Ast<'_> {
    parse_parts(text, text.as_bytes(), part, &[])
}

/// A text of which only parts are to be read.
#[derive(Debug)]
pub struct Outline {
    /// As long as the text. At the end of each part but the last stands a `0` for the body of a function.
    pub bytes: Vec<u8>,
    pub parts: Vec<Range<usize>>,
}

/// Parses the outline of a file; what it gives has places in the whole text.
pub fn parse_outline<'a>(text: &'a str, outline: &Outline) -> Ast<'a> {
    parse_parts(text, &outline.bytes, behind_mark(text), &outline.parts)
}

/// Where the text itself stands: a byte-order mark would count as indentation.
fn behind_mark(text: &str) -> Range<usize> {
    let start = if text.starts_with(BOM) { BOM.len() } else { 0 };
    start..text.len()
}

/// Parses what stands in a range of `source`, which is as long as the text: parts of it, or all if there are none.
fn parse_parts<'a>(text: &'a str, source: &[u8], whole: Range<usize>, parts: &[Range<usize>]) -> Ast<'a> {
    let base = whole.start;
    let mut lazy = lazy_keywords(text, whole.clone());
    lazy.retain(|at| parts.is_empty() || parts.iter().any(|part| part.contains(at)));
    let mut source = Cow::Borrowed(&source[whole.clone()]);
    // A carriage return ends a line; the grammar knows it only before a line feed.
    for at in memchr::memchr_iter(b'\r', &text.as_bytes()[whole]) {
        if source.get(at + 1) != Some(&b'\n') {
            source.to_mut()[at] = b'\n';
        }
    }
    for at in &lazy {
        let source = source.to_mut();
        let at = at - base;
        let gap = source[at + 4..].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        // The keyword behind it moves to its place, so that the statement keeps its start and length.
        let length = if source[at + 4 + gap..].starts_with(b"import") { "import".len() } else { "from".len() };
        source.copy_within(at + 4 + gap..at + 4 + gap + length, at);
        source[at + length..at + 4 + gap + length].fill(b' ');
    }
    let part = |part: &Range<usize>| tree_sitter::Range {
        start_byte: part.start.saturating_sub(base),
        end_byte: part.end.saturating_sub(base),
        // Nobody asks for rows and columns.
        start_point: tree_sitter::Point::default(),
        end_point: tree_sitter::Point::default(),
    };
    let parts: Vec<tree_sitter::Range> = parts.iter().map(part).collect();
    let tree = PARSER.with_borrow_mut(|parser| {
        parser.set_included_ranges(&parts).expect("parts follow each other");
        parser.parse(&*source, None)
    });
    let tree = tree.expect("parsing has no time limit and a language");
    lower::lower(text, base, &tree, &lazy)
}

/// Offsets of the soft keyword `lazy` before `import` or `from` at the start of a line (PEP 810).
fn lazy_keywords(text: &str, whole: Range<usize>) -> Vec<usize> {
    let mut found = Vec::new();
    for at in memchr::memmem::find_iter(&text.as_bytes()[whole.clone()], b"lazy").map(|at| whole.start + at) {
        let line_start = text[..at].rfind(['\n', '\r']).map_or(0, |n| n + 1);
        let before = text[line_start..at].trim_start_matches(BOM);
        let after = &text[at + 4..];
        let words = after.trim_start_matches([' ', '\t']);
        let is_import = words.len() < after.len()
            && ["import", "from"]
                .iter()
                .any(|k| words.strip_prefix(k).is_some_and(|rest| rest.starts_with([' ', '\t', '\\', '.', '('])));
        if is_import && before.chars().all(|c| c == ' ' || c == '\t') {
            found.push(at);
        }
    }
    found
}
