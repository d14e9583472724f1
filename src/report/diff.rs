//! The rewrite as a unified diff that `git apply` takes: bytes pass through as they are, and only `\n` ends a line,
//! as git has it.

use std::borrow::Cow;
use std::io::{self, Write};

use similar::{ChangeTag, TextDiff};

use crate::outcome::FileChange;

/// Lines of context around a change, as git shows.
const CONTEXT: usize = 3;

/// Writes the diff of all `changes`. `prefix` is the folder that their paths are relative to, seen from where the
/// diff is to be applied (`""` or `a/b`).
pub fn write(out: &mut dyn Write, prefix: &str, changes: &[FileChange]) -> io::Result<()> {
    changes.iter().filter(|change| change.before != change.after).try_for_each(|change| file(out, prefix, change))
}

/// Lines that a change adds and removes.
pub fn lines(change: &FileChange) -> (usize, usize) {
    let (before, after) = sides(change);
    let diff = TextDiff::from_slices(&before, &after);
    diff.iter_all_changes().fold((0, 0), |(added, removed), line| match line.tag() {
        ChangeTag::Insert => (added + 1, removed),
        ChangeTag::Delete => (added, removed + 1),
        ChangeTag::Equal => (added, removed),
    })
}

fn file(out: &mut dyn Write, prefix: &str, change: &FileChange) -> io::Result<()> {
    let path = match prefix.trim_end_matches('/') {
        "" => change.path.clone(),
        prefix => format!("{prefix}/{}", change.path),
    };
    let (old, new) = (format!("a/{path}"), format!("b/{path}"));
    writeln!(out, "diff --git {} {}", quoted(&old), quoted(&new))?;
    match (&change.before, &change.after) {
        (None, _) => writeln!(out, "new file mode 100644")?,
        (_, None) => writeln!(out, "deleted file mode 100644")?,
        _ => {}
    }
    let (before, after) = sides(change);
    if before.is_empty() && after.is_empty() {
        return Ok(());
    }
    writeln!(out, "--- {}", if change.before.is_some() { header(&old) } else { "/dev/null".into() })?;
    writeln!(out, "+++ {}", if change.after.is_some() { header(&new) } else { "/dev/null".into() })?;
    let diff = TextDiff::from_slices(&before, &after);
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        writeln!(out, "{}", hunk.header())?;
        for line in hunk.iter_changes() {
            write!(out, "{}{}", line.tag(), line.value())?;
            if !line.value().ends_with('\n') {
                writeln!(out, "\n\\ No newline at end of file")?;
            }
        }
    }
    Ok(())
}

/// The lines before and after, each with its end.
pub(super) fn sides(change: &FileChange) -> (Vec<&str>, Vec<&str>) {
    (split(change.before.as_deref()), split(change.after.as_deref()))
}

fn split(text: Option<&str>) -> Vec<&str> {
    text.unwrap_or_default().split_inclusive('\n').collect()
}

/// A path after `---` and `+++`: one with a space ends in a tab, so that nothing after it is taken for a time.
fn header(path: &str) -> Cow<'_, str> {
    match quoted(path) {
        Cow::Borrowed(path) if path.contains(' ') => format!("{path}\t").into(),
        path => path,
    }
}

/// A path as git prints it (`quote_c_style`), but for letters beyond ASCII, which git reads unquoted as well.
fn quoted(path: &str) -> Cow<'_, str> {
    if !path.contains(|c: char| c.is_ascii_control() || c == '"' || c == '\\') {
        return path.into();
    }
    let mut text = String::from("\"");
    for c in path.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            '\r' => text.push_str("\\r"),
            c if c.is_ascii_control() => text.push_str(&format!("\\{:03o}", c as u32)),
            c => text.push(c),
        }
    }
    text.push('"');
    text.into()
}
