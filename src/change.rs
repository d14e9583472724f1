//! What a fix does to a project: edits of files it has, files it gains and loses. A change is applied as a
//! whole or not at all.

use std::collections::BTreeMap;

use crate::edit::{Conflict, TextEdit};
use crate::project::FileId;

/// A file that comes or goes; paths are relative to the project's root, with `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileOp {
    Create { path: String, text: String },
    Delete { path: String },
}

/// Text edits and file operations over a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    pub edits: BTreeMap<FileId, TextEdit>,
    pub files: Vec<FileOp>,
}

impl Change {
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty() && self.files.is_empty()
    }

    /// Adds all of `other`, or nothing.
    ///
    /// Errors: [`Conflict`] if both edit the same bytes of a file.
    pub fn merge(&mut self, other: &Change) -> Result<(), Conflict> {
        let mut edits = self.edits.clone();
        for (file, edit) in &other.edits {
            edits.entry(*file).or_default().merge(edit)?;
        }
        self.edits = edits;
        self.files.extend(other.files.iter().filter(|op| !self.files.contains(op)).cloned().collect::<Vec<_>>());
        Ok(())
    }
}
