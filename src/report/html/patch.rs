//! The rewrite of one file, line by line, for the page.

use similar::{ChangeTag, TextDiff};

use crate::outcome::{FileChange, ProjectOutcome};
use crate::report::{diff, words};

/// Lines of context around a change.
const CONTEXT: usize = 3;

pub struct Patch {
    pub path: String,
    /// What becomes of the file, unless it only changes.
    pub note: &'static str,
    pub added: usize,
    pub removed: usize,
    pub hunks: Vec<Hunk>,
}

pub struct Hunk {
    /// As in a unified diff, e.g. `@@ -1,3 +1,4 @@`.
    pub header: String,
    pub lines: Vec<Line>,
}

pub struct Line {
    /// `+`, `-` or a space.
    pub sign: char,
    /// Without the line feed that ends it.
    pub text: String,
    /// Whether it ends with the file, without a line feed.
    pub is_open: bool,
}

/// The files that a project's rewrite changes.
pub fn patches(project: &ProjectOutcome) -> Vec<Patch> {
    let changed = project.changes.iter().filter(|change| change.before != change.after);
    changed.map(|change| patch(words::path(project, &change.path), change)).collect()
}

fn patch(path: String, change: &FileChange) -> Patch {
    let note = match (&change.before, &change.after) {
        (None, _) => "new file",
        (_, None) => "file goes",
        _ => "",
    };
    let (added, removed) = diff::lines(change);
    let (before, after) = diff::sides(change);
    let diff = TextDiff::from_slices(&before, &after);
    let mut unified = diff.unified_diff();
    let hunks = unified.context_radius(CONTEXT).iter_hunks().map(|hunk| {
        let lines = hunk.iter_changes().map(|line| line_of(line.tag(), line.value()));
        Hunk { header: hunk.header().to_string(), lines: lines.collect() }
    });
    Patch { path, note, added, removed, hunks: hunks.collect() }
}

fn line_of(tag: ChangeTag, text: &str) -> Line {
    let sign = match tag {
        ChangeTag::Insert => '+',
        ChangeTag::Delete => '-',
        ChangeTag::Equal => ' ',
    };
    let bare = text.strip_suffix('\n');
    Line { sign, text: bare.unwrap_or(text).to_owned(), is_open: bare.is_none() }
}
