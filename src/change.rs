//! What a fix does to a project: edits of files it has, files it gains and loses. A change is applied as a
//! whole or not at all.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::edit::{Conflict, TextEdit};
use crate::project::{FileId, ModuleTree, Project, SourceFile};

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

    /// The project as it is after the change. Ids of files that stay are kept; a deleted file is taken out of the
    /// modules and leaves an empty text.
    pub fn apply(&self, project: &Project) -> Project {
        let mut next = project.clone();
        for (file, edit) in &self.edits {
            let text = edit.apply(&project.file(*file).text);
            next.files[file.index()].text = Arc::from(text);
        }
        for op in &self.files {
            match op {
                FileOp::Create { path, text } => next.files.push(SourceFile {
                    path: path.clone(),
                    text: Arc::from(text.as_str()),
                    trouble: None,
                    writable: true,
                }),
                FileOp::Delete { path } => {
                    if let Some(file) = next.files.iter_mut().find(|f| &f.path == path) {
                        file.text = Arc::from("");
                        file.path = String::new();
                    }
                }
            }
        }
        if !self.files.is_empty() {
            next.tree = ModuleTree::new(&next.files, project.tree.layout());
        }
        next
    }
}
