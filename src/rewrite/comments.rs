//! Which comments go with an import, and what is left of them where it goes.

use std::collections::BTreeSet;
use std::ops::Range;

use super::Page;
use super::lines::{blank_lines_after, blank_lines_before, indent_of, line_end, line_start, next_line};
use crate::syntax::Span;
use crate::syntax::imports::ImportSite;

/// Words of comments that speak of a cycle.
const CYCLES: [&str; 4] = ["circular", "cycle", "cyclic", "import loop"];
/// Words of comments that say where in the file an import stands.
const PLACES: [&str; 6] = ["bottom", "end of", "at the end", "down here", "below", "at the top"];
/// Words of comments that head a group of imports.
const GROUPS: [&str; 8] = ["imports", "third", "standard", "stdlib", "first-party", "first party", "local", "library"];
/// Fewer words than this are a heading rather than a remark.
const REMARK: usize = 5;

/// The comment lines above a statement that goes, with others, if they go with it: those that speak of it alone. One that heads
/// imports which stay, or that a tool reads, stays.
pub fn attached(page: &Page, stmt: Span, going: &BTreeSet<Span>) -> Option<Range<usize>> {
    let text = page.text;
    let start = line_start(text, stmt.start);
    let top = comment_top(text, start, indent_of(text, stmt.start));
    if top == start || top == 0 || is_read_by_tools(&text[top..start]) {
        return None;
    }
    let comment = &text[top..start];
    let below = next_line(text, stmt.end);
    let ends_below = below >= text.len() || !blank_lines_after(text, below).is_empty();
    let begins_above = !blank_lines_before(text, top).is_empty();
    let goes = if ends_below {
        begins_above || !is_heading(comment)
    } else {
        !is_code(comment)
            && !is_drawn(comment)
            && (speaks_of(page, stmt, comment) || remarks(page, below, comment, going))
    };
    goes.then_some(top..start)
}

/// Whether a comment above an import that others follow is a remark on it, or nothing else is left below that it could head.
fn remarks(page: &Page, below: usize, comment: &str, going: &BTreeSet<Span>) -> bool {
    !is_heading(comment) || {
        let text = page.text;
        let next = page.imports.sites.iter().find(|s| line_start(text, s.stmt.start) == below);
        next.is_some_and(|next| going.contains(&next.stmt)) && heads_none(page, below, going)
    }
}

/// Whether every import of the lines from here to the next blank one goes.
fn heads_none(page: &Page, mut at: usize, going: &BTreeSet<Span>) -> bool {
    let text = page.text;
    while at < text.len() && blank_lines_after(text, at).is_empty() {
        let Some(next) = page.imports.sites.iter().find(|s| line_start(text, s.stmt.start) == at) else { return false };
        if !going.contains(&next.stmt) {
            return false;
        }
        at = next_line(text, next.stmt.end);
    }
    true
}

/// Where the run of comment lines above a line begins that stand as far in as `indent`.
pub fn comment_top(text: &str, start: usize, indent: &str) -> usize {
    let mut top = start;
    while text[..top].ends_with(['\n', '\r']) {
        let end = if text[..top].ends_with("\r\n") { top - 2 } else { top - 1 };
        let line = line_start(text, end);
        if !text[line..end].strip_prefix(indent).is_some_and(|rest| rest.starts_with('#')) {
            break;
        }
        top = line;
    }
    top
}

/// Whether a comment speaks of a cycle, or of what the statement imports.
fn speaks_of(page: &Page, stmt: Span, comment: &str) -> bool {
    let says = |name: &str| {
        let mut words = comment.split(|c: char| !c.is_alphanumeric() && c != '_');
        name.len() > 2 && words.any(|word| word == name)
    };
    let sites = page.imports.sites.iter().filter(|s| s.stmt == stmt);
    let mut names = sites.flat_map(|s| s.module.split('.').next_back().into_iter().chain(s.name).chain(s.asname));
    is_of_cycle(comment) || !is_of_group(comment) && names.any(says)
}

/// Whether a comment speaks of an import cycle.
fn is_of_cycle(comment: &str) -> bool {
    let words = comment.to_lowercase();
    CYCLES.iter().any(|cycle| words.contains(cycle))
}

/// Whether a comment heads a group rather than speaking of one import.
fn is_heading(comment: &str) -> bool {
    let few = comment.split_whitespace().filter(|word| word.contains(char::is_alphabetic)).count() < REMARK;
    !is_of_cycle(comment) && (few || is_drawn(comment) || is_of_group(comment))
}

/// Whether a comment has a word that heads a group of imports.
fn is_of_group(comment: &str) -> bool {
    let words = comment.to_lowercase();
    GROUPS.iter().any(|group| words.contains(group))
}

/// Whether a line of a comment is drawn as a rule.
pub fn is_drawn(comment: &str) -> bool {
    comment.lines().any(|line| {
        let body = line.trim_start_matches(['#', ' ', '\t']).trim_end();
        body.len() > 4 && body.chars().all(|c| matches!(c, '-' | '=' | '#' | '*' | '~' | '_'))
            || body.is_empty() && line.trim().len() > 8
    })
}

/// Whether a comment holds an import that somebody took out.
fn is_code(comment: &str) -> bool {
    let code = |line: &str| {
        let line = line.trim_start_matches(['#', ' ', '\t']);
        line.starts_with("import ") && !line.trim_end().ends_with('.') && line.split(' ').count() < 5
            || line.starts_with("from ") && line.contains(" import ")
    };
    comment.lines().any(code)
}

/// Whether a comment tells a tool something.
pub fn is_read_by_tools(comment: &str) -> bool {
    let words = comment.to_lowercase();
    let tools = ["isort", "fmt:", "noqa", "ruff", "pylint", "type:", "mypy", "pyright", "flake8", "yapf", "coding"];
    tools.iter().any(|tool| words.contains(tool))
}

/// Comments that turn a formatter off, and on again, for all lines between.
const REGIONS: [(&str, &str); 3] =
    [("# fmt: off", "# fmt: on"), ("# yapf: disable", "# yapf: enable"), ("# autopep8: off", "# autopep8: on")];

/// Whether lines of the top level stand, in part at least, where a formatter is turned off.
pub fn is_unformatted(page: &Page, lines: Range<usize>) -> bool {
    let at_line_start = |c: &&Span| line_start(page.text, c.start) == c.start;
    let says = |c: &Span, word: &str| c.of(page.text).starts_with(word);
    REGIONS.iter().any(|(off, on)| {
        let mut since = None;
        for comment in page.ast.comments.iter().filter(at_line_start) {
            if since.is_none() && says(comment, off) {
                since = Some(comment.start);
            } else if says(comment, on)
                && let Some(start) = since.take()
                && start < lines.end
                && lines.start < comment.end
            {
                return true;
            }
        }
        since.is_some_and(|start| start < lines.end)
    })
}

/// Whether a comment silences a linter or type checker about a whole statement.
pub fn silences(comment: &str) -> bool {
    let words = comment.to_lowercase();
    ["noqa", "type: ignore", "type:ignore", "pylint: disable", "pyright: ignore"]
        .iter()
        .any(|tool| words.contains(tool))
}

/// Comment lines that still mean something under TYPE_CHECKING: not those that only say why an import stood elsewhere.
pub fn for_types(lines: Vec<String>) -> Vec<String> {
    if is_of_cycle(&lines.join(" ")) { Vec::new() } else { lines }
}

/// Comment lines that still mean something in a function: not those that say where in the file an import stood.
pub fn in_function(lines: Vec<String>) -> Vec<String> {
    let words = lines.join(" ").to_lowercase();
    let is_of_place = is_of_cycle(&words) && PLACES.iter().any(|place| words.contains(place));
    if is_of_place { Vec::new() } else { lines }
}

/// A comment behind an import without what silences a linter about its odd place.
pub fn without_place(comment: &str) -> Option<String> {
    without_codes(comment, &["E402"])
}

/// The same without what says that nothing uses the import, for a module whose code does.
pub fn where_used(comment: &str) -> Option<String> {
    without_codes(comment, &["E402", "F401"])
}

fn without_codes(comment: &str, odd: &[&str]) -> Option<String> {
    let lower = comment.to_ascii_lowercase();
    let pylint = lower.replace(' ', "");
    if pylint == "#pylint:disable=wrong-import-position" {
        return None;
    }
    let Some(at) = lower.find("noqa:") else { return Some(comment.to_owned()) };
    let codes = at + "noqa:".len();
    let is_code = |c: char| c.is_ascii_alphanumeric() || matches!(c, ',' | ' ' | '\t');
    let end = comment[codes..].find(|c| !is_code(c)).map_or(comment.len(), |n| codes + n);
    let all: Vec<&str> = comment[codes..end].split([',', ' ', '\t']).filter(|code| !code.is_empty()).collect();
    if !all.iter().any(|code| odd.contains(code)) {
        return Some(comment.to_owned());
    }
    let kept: Vec<&str> = all.iter().copied().filter(|code| !odd.contains(code)).collect();
    let is_plain = |code: &&str| code.ends_with(|c: char| c.is_ascii_digit());
    if !kept.iter().all(is_plain) {
        return Some(comment.to_owned());
    }
    let rest = comment[end..].trim();
    if kept.is_empty() {
        let before = comment[..at].trim_end_matches(['#', ' ']);
        let left = [before, rest].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("  ");
        return (!left.is_empty()).then_some(left);
    }
    let rest = if rest.is_empty() { String::new() } else { format!("  {rest}") };
    Some(format!("{}{}{rest}", &comment[..codes], format_args!(" {}", kept.join(", "))))
}

/// The comment that goes with one name of an import: behind the whole statement, if it is the only name; else on the name's
/// own line, or one that silences a tool about all of the names.
pub fn comment_of(page: &Page, site: &ImportSite) -> Option<String> {
    let names = page.imports.sites.iter().filter(|s| s.stmt == site.stmt).count();
    let multiline = site.stmt.of(page.text).contains(['\n', '\r']);
    let own = match (names, multiline) {
        (1, false) => behind(page, site.stmt.end),
        (_, true) => behind(page, site.at.end),
        _ => None,
    };
    let whole = || {
        let line = |at: usize| page.ast.comments.iter().find(|c| at <= c.start && c.end <= line_end(page.text, at));
        let all = [line(site.stmt.end), line(site.stmt.start).filter(|_| multiline)];
        let first_name = page.imports.sites.iter().find(|s| s.stmt == site.stmt).map_or(0, |s| s.at.start);
        let all = all.into_iter().flatten().filter(|c| c.start >= site.stmt.end || c.start < first_name);
        all.map(|c| c.of(page.text).trim_end()).find(|c| silences(c)).map(str::to_owned)
    };
    own.or_else(whole)
}

/// The comment on a line behind a place, with nothing but brackets and commas between.
fn behind(page: &Page, at: usize) -> Option<String> {
    let end = line_end(page.text, at);
    let comment = page.ast.comments.iter().find(|c| c.start >= at && c.end <= end)?;
    let between = Span { start: at, end: comment.start }.of(page.text);
    let plain = between.chars().all(|c| matches!(c, ' ' | '\t' | ',' | ')' | '('));
    plain.then(|| comment.of(page.text).trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::{is_heading, without_place};

    #[test]
    fn what_silences_a_linter_about_the_place_goes() {
        for (comment, left) in [
            ("# noqa: E402", None),
            ("# noqa: E402, F401", Some("# noqa: F401")),
            ("# noqa:F401,E402", Some("# noqa: F401")),
            ("# noqa: F401", Some("# noqa: F401")),
            ("# noqa", Some("# noqa")),
            ("# noqa: E402  # isort: skip", Some("# isort: skip")),
            ("# pylint: disable=wrong-import-position", None),
            ("# noqa: E402 since it is late", Some("# noqa: E402 since it is late")),
        ] {
            assert_eq!(without_place(comment).as_deref(), left, "{comment}");
        }
    }

    #[test]
    fn headings_are_told_from_remarks() {
        assert!(is_heading("# Third-party imports, which are installed by pip"));
        assert!(is_heading("# Exceptions"));
        assert!(!is_heading("# avoid circular import"));
        assert!(!is_heading("# the registry has to be filled before it is asked"));
    }
}
