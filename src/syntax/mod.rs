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
use position::Places;

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
    parse_part(text, behind_mark(text)..text.len())
}

/// Parses one statement of a file, which may be indented; what it gives has places in the whole text.
pub fn parse_part(text: &str, part: Range<usize>) -> Ast<'_> {
    let (source, lazy) = source(text, &part);
    parse_source(text, &source, Places::from(part.start), &lazy)
}

/// What is left out of a text before it is parsed, in order.
#[derive(Debug)]
pub struct Outline {
    pub cuts: Vec<Cut>,
}

#[derive(Debug)]
pub struct Cut {
    pub range: Range<usize>,
    /// For the body of a function: how long its first sign is, in the place of which a `0` comes.
    pub body: Option<usize>,
}

/// Parses the outline of a file; what it gives has places in the whole text.
pub fn parse_outline<'a>(text: &'a str, outline: &Outline) -> Ast<'a> {
    let start = behind_mark(text);
    let (whole, lazy) = source(text, &(start..text.len()));
    let (mut bytes, mut places) = (Vec::with_capacity(whole.len() / 2), Places::default());
    let mut from = start;
    for cut in &outline.cuts {
        places.add(bytes.len(), from);
        bytes.extend_from_slice(&whole[from - start..cut.range.start - start]);
        if let Some(sign) = cut.body {
            bytes.resize(bytes.len() + sign, b'0');
            bytes.push(b'\n');
        }
        from = cut.range.end;
    }
    places.add(bytes.len(), from);
    bytes.extend_from_slice(&whole[from - start..]);
    parse_source(text, &bytes, places, &lazy)
}

/// Where the text itself begins: a byte-order mark would count as indentation.
fn behind_mark(text: &str) -> usize {
    if text.starts_with(BOM) { BOM.len() } else { 0 }
}

/// A part of a text as the grammar knows it, as long as before, and where in the text `lazy` stood.
fn source<'a>(text: &'a str, part: &Range<usize>) -> (Cow<'a, [u8]>, Vec<usize>) {
    let lazy = lazy_keywords(text, part);
    let mut source = Cow::Borrowed(&text.as_bytes()[part.clone()]);
    // A carriage return ends a line; the grammar knows it only before a line feed.
    for at in memchr::memchr_iter(b'\r', &text.as_bytes()[part.clone()]) {
        if source.get(at + 1) != Some(&b'\n') {
            source.to_mut()[at] = b'\n';
        }
    }
    for at in &lazy {
        let source = source.to_mut();
        let at = at - part.start;
        let gap = source[at + 4..].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        // The keyword behind it moves to its place, so that the statement keeps its start and length.
        let length = if source[at + 4 + gap..].starts_with(b"import") { "import".len() } else { "from".len() };
        source.copy_within(at + 4 + gap..at + 4 + gap + length, at);
        source[at + length..at + 4 + gap + length].fill(b' ');
    }
    (source, lazy)
}

fn parse_source<'a>(text: &'a str, source: &[u8], places: Places, lazy: &[usize]) -> Ast<'a> {
    let tree = PARSER.with_borrow_mut(|parser| parser.parse(source, None));
    let tree = tree.expect("parsing has no time limit and a language");
    lower::lower(text, places, &tree, lazy)
}

/// Offsets of the soft keyword `lazy` before `import` or `from` at the start of a line (PEP 810).
fn lazy_keywords(text: &str, part: &Range<usize>) -> Vec<usize> {
    let mut found = Vec::new();
    for at in memchr::memmem::find_iter(&text.as_bytes()[part.clone()], b"lazy").map(|at| part.start + at) {
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
