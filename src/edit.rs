//! Text edits of one file. A [`TextEdit`] is sorted and disjoint by construction; two edits that touch
//! the same bytes are a typed error, never silently dropped.

use std::ops::Range;

/// Replaces the bytes of `range` by `text`. An empty range inserts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub range: Range<usize>,
    pub text: String,
}

impl Edit {
    pub fn replace(range: Range<usize>, text: impl Into<String>) -> Self {
        Self { range, text: text.into() }
    }

    pub fn insert(at: usize, text: impl Into<String>) -> Self {
        Self::replace(at..at, text)
    }

    pub fn delete(range: Range<usize>) -> Self {
        Self::replace(range, "")
    }
}

/// Two edits that cannot both be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("edits overlap at bytes {}..{} and {}..{}", first.start, first.end, second.start, second.end)]
pub struct Conflict {
    pub first: Range<usize>,
    pub second: Range<usize>,
}

/// Edits of one text, sorted by position, no two of which touch the same byte. Insertions at one
/// place keep the order in which they were added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextEdit {
    edits: Vec<Edit>,
}

impl TextEdit {
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }

    /// Adds one edit.
    ///
    /// Errors: [`Conflict`] if it touches bytes that another edit replaces, or would insert inside them.
    pub fn add(&mut self, edit: Edit) -> Result<(), Conflict> {
        if self.edits.contains(&edit) && !edit.range.is_empty() {
            return Ok(());
        }
        let at = self.edits.partition_point(|e| (e.range.start, e.range.end) <= (edit.range.start, edit.range.end));
        let clash = |other: &Edit| {
            let (a, b) = (&other.range, &edit.range);
            if a.is_empty() || b.is_empty() {
                // An insertion at the rim of a replacement is fine, inside it is not.
                (a.start < b.start && b.end < a.end) || (b.start < a.start && a.end < b.end)
            } else {
                a.start < b.end && b.start < a.end
            }
        };
        // Only the neighbours can touch it, but insertions may stand between.
        if let Some(other) = self.edits.iter().find(|e| clash(e)) {
            return Err(Conflict { first: other.range.clone(), second: edit.range });
        }
        self.edits.insert(at, edit);
        Ok(())
    }

    /// Adds all edits of `other`, or none.
    pub fn merge(&mut self, other: &TextEdit) -> Result<(), Conflict> {
        let mut merged = self.clone();
        for edit in &other.edits {
            merged.add(edit.clone())?;
        }
        *self = merged;
        Ok(())
    }

    /// The text after the edits.
    pub fn apply(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + self.edits.iter().map(|e| e.text.len()).sum::<usize>());
        let mut at = 0;
        for edit in &self.edits {
            out.push_str(&text[at..edit.range.start]);
            out.push_str(&edit.text);
            at = edit.range.end;
        }
        out.push_str(&text[at..]);
        out
    }
}
