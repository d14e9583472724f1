//! What a fix does to a project: edits of files it has, and files that come new. A change is applied as a
//! whole or not at all.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::edit::TextEdit;
use crate::project::{FileId, Project, SourceFile};

/// A file that comes new; its path is relative to the project's root, with `/`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NewFile {
    pub path: String,
    pub text: String,
}

/// Text edits and new files over a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    pub edits: BTreeMap<FileId, TextEdit>,
    pub files: Vec<NewFile>,
}

impl Change {
    /// The project as it is after the change. Ids of its files and modules stay; new ones stand behind them.
    pub fn apply(&self, project: &Project) -> Project {
        let mut next = project.clone();
        for (file, edit) in &self.edits {
            let text = edit.apply(&project.file(*file).text);
            next.rewrite(*file, Arc::from(text));
        }
        for NewFile { path, text } in &self.files {
            let text = Arc::from(text.as_str());
            next.add(SourceFile { path: path.clone(), text, trouble: None, writable: true });
        }
        next
    }
}
