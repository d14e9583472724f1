//! Blank lines between the statements of a module where edits meet what was there: as PEP 8 and the file itself have them.

use std::collections::BTreeSet;
use std::ops::Range;

use similar::{Algorithm, DiffTag, TextDiff};

use super::Page;
use super::lines::{blank_lines_after, next_line};
use crate::edit::{Edit, TextEdit};
use crate::syntax::ast::{Ast, Stmt, StmtKind};
use crate::syntax::imports::Guards;
use crate::syntax::parse;

/// A part of the new text: kept from a place of the old one, or new.
#[derive(Clone, Debug)]
struct Piece {
    new: Range<usize>,
    /// Where a kept part begins in the old text.
    old: Option<usize>,
}

/// Edits that make `new` of `old`, line by line.
pub fn by_lines(old: &str, new: &str) -> TextEdit {
    let diff = TextDiff::configure().algorithm(Algorithm::Patience).diff_lines(old, new);
    let starts = |lengths: &mut dyn Iterator<Item = usize>| -> Vec<usize> {
        let ends = lengths.scan(0, |at, length| {
            *at += length;
            Some(*at)
        });
        std::iter::once(0).chain(ends).collect()
    };
    let before = starts(&mut (0..).map_while(|line| diff.old_slice(line)).map(str::len));
    let after = starts(&mut (0..).map_while(|line| diff.new_slice(line)).map(str::len));
    let mut edits = TextEdit::default();
    for op in diff.ops().iter().filter(|op| op.tag() != DiffTag::Equal) {
        let (from, to) = (op.old_range(), op.new_range());
        let text = &new[after[to.start]..after[to.end]];
        edits.add(Edit::replace(before[from.start]..before[from.end], text)).expect("lines do not overlap");
    }
    edits
}

/// The edits with the blank lines around them set right.
pub fn spaced(page: &Page, edits: TextEdit) -> TextEdit {
    let text = page.text;
    let new = edits.apply(text);
    let pieces = pieces(text.len(), &edits);
    let lost: BTreeSet<usize> = places_of_loss(&pieces).collect();
    let ast = parse(&new);
    let guards = Guards::of(&ast.body);
    let lines_after = page.project.settings.import_style.lines_after;
    let rules = Rules { guards: &guards, apart: usual_distance(text, &page.ast), lines_after };
    let mut set_right: Vec<(Range<usize>, String)> = Vec::new();
    for pair in ast.body.windows(2) {
        let (above, below) = (&pair[0], &pair[1]);
        let from = next_line(&new, above.span.end);
        if below.span.start < from {
            continue;
        }
        let blank = blank_lines_after(&new, from);
        let part = |at: usize| pieces.iter().find(|piece| piece.new.contains(&at));
        let (Some(first), Some(gap), Some(next)) = (part(above.span.start), part(from), part(blank.end)) else {
            continue;
        };
        // Old lines between old statements stay as they are, so do new ones between new statements.
        let is_one_part = gap.new.start == next.new.start && (first.old.is_some() == gap.old.is_some());
        if is_one_part && !lost.contains(&from) {
            continue;
        }
        let count = line_ends(&new[blank.clone()]);
        let wanted = rules.wanted(above, below);
        let right = count.clamp(*wanted.start(), *wanted.end());
        if right != count {
            set_right.push((blank, page.layout.newline.repeat(right)));
        }
    }
    if set_right.is_empty() { edits } else { rebuilt(text.len(), &new, &pieces, set_right) }
}

struct Rules<'g, 'a> {
    guards: &'g Guards<'a>,
    /// Blank lines around definitions.
    apart: usize,
    /// Blank lines below imports, where the project's sorter of imports says.
    lines_after: Option<usize>,
}

impl<'a> Rules<'_, 'a> {
    /// How many blank lines may stand between two statements.
    fn wanted(&self, above: &Stmt<'a>, below: &Stmt<'a>) -> std::ops::RangeInclusive<usize> {
        if let Some(lines) = self.lines_after.filter(|_| self.is_import(above) && !self.is_import(below)) {
            return lines..=lines;
        }
        if is_definition(above) || is_definition(below) {
            return self.apart..=self.apart;
        }
        match (self.is_import(above), self.is_guard(above), self.is_import(below), self.is_guard(below)) {
            (true, _, true, _) if of_one_module(above, below) => 0..=0,
            (true, _, true, _) => 0..=1,
            (true, _, _, true) | (_, true, true, _) | (_, true, _, true) => 1..=1,
            (true, ..) | (_, true, ..) => 1..=2,
            _ if above.is_string() => 1..=2,
            _ => 0..=2,
        }
    }

    fn is_import(&self, stmt: &Stmt) -> bool {
        matches!(stmt.kind, StmtKind::Import(_))
    }

    fn is_guard(&self, stmt: &Stmt<'a>) -> bool {
        match &stmt.kind {
            StmtKind::If { branches } => {
                branches.first().and_then(|b| b.test.as_ref()).is_some_and(|t| self.guards.is_guard(t))
            }
            _ => false,
        }
    }
}

fn is_definition(stmt: &Stmt) -> bool {
    matches!(stmt.kind, StmtKind::Function(_) | StmtKind::Class(_))
}

/// Whether two statements import from the same module.
fn of_one_module(one: &Stmt, other: &Stmt) -> bool {
    let from = |stmt: &Stmt| match &stmt.kind {
        StmtKind::Import(import) => import.from.map(|from| (from.level, from.module.to_owned())),
        _ => None,
    };
    from(one).is_some_and(|module| from(other) == Some(module))
}

fn line_ends(text: &str) -> usize {
    text.matches(['\n', '\r']).count() - text.matches("\r\n").count()
}

/// The blank lines that stand above most definitions of a module, where there are any; two if there are none.
fn usual_distance(text: &str, ast: &Ast) -> usize {
    let mut one = 0;
    let mut two = 0;
    for pair in ast.body.windows(2).filter(|pair| is_definition(&pair[1])) {
        let from = next_line(text, pair[0].span.end);
        if from <= pair[1].span.start {
            match line_ends(&text[blank_lines_after(text, from)]) {
                0 => {}
                1 => one += 1,
                _ => two += 1,
            }
        }
    }
    if one > two { 1 } else { 2 }
}

/// The parts of the text that edits make of one of `length` bytes.
fn pieces(length: usize, edits: &TextEdit) -> Vec<Piece> {
    let mut out = Vec::new();
    let (mut old, mut new) = (0, 0);
    let mut push = |length: usize, from: Option<usize>| {
        if length > 0 {
            out.push(Piece { new: new..new + length, old: from });
            new += length;
        }
    };
    for edit in edits.edits() {
        push(edit.range.start - old, Some(old));
        push(edit.text.len(), None);
        old = edit.range.end;
    }
    push(length - old, Some(old));
    out
}

/// Where, in the new text, something was taken out and nothing put in its place.
fn places_of_loss(pieces: &[Piece]) -> impl Iterator<Item = usize> {
    let apart = |pair: &&[Piece]| pair[0].old.is_some() && pair[1].old.is_some();
    pieces.windows(2).filter(apart).map(|pair| pair[1].new.start)
}

/// The edits of an old text of `length` bytes that give `new` after some parts of that are replaced.
fn rebuilt(length: usize, new: &str, pieces: &[Piece], replaced: Vec<(Range<usize>, String)>) -> TextEdit {
    let mut edits = TextEdit::default();
    let mut add = |range: Range<usize>, text: &str| {
        if !(range.is_empty() && text.is_empty()) {
            edits.add(Edit::replace(range, text)).expect("each part comes once");
        }
    };
    let (mut old, mut at) = (0, 0);
    let mut pending = String::new();
    let mut copy = |upto: usize, at: &mut usize, old: &mut usize, pending: &mut String| {
        for piece in pieces.iter().filter(|p| p.new.end > *at && p.new.start < upto) {
            let part = piece.new.start.max(*at)..piece.new.end.min(upto);
            match piece.old {
                None => pending.push_str(&new[part]),
                Some(from) => {
                    let from = from + (part.start - piece.new.start);
                    add(*old..from, pending);
                    pending.clear();
                    *old = from + part.len();
                }
            }
        }
        *at = upto;
    };
    for (range, text) in replaced {
        copy(range.start, &mut at, &mut old, &mut pending);
        pending.push_str(&text);
        at = range.end;
    }
    copy(new.len(), &mut at, &mut old, &mut pending);
    add(old..length, &pending);
    edits
}
