//! Code that is no module of the project's, but takes names of its modules: Cython's sources, and scripts whose names have no
//! ending. It is never rewritten; its import statements are read line by line.

use std::collections::HashSet;
use std::sync::Arc;

/// A text that takes names of modules.
#[derive(Clone, Debug)]
pub struct Borrower {
    /// Dotted, of an extension module; a script has none.
    pub module: Option<String>,
    pub imports: Vec<Borrowed>,
    text: Arc<str>,
}

/// One import statement of such a text, or one of several modules that one names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Borrowed {
    /// The dotted name, absolute.
    pub module: String,
    /// What `from module import …` takes; nothing of `import module`.
    pub names: Vec<String>,
    pub star: bool,
    /// Whether it runs whenever the text does: it stands in no block.
    pub is_sure: bool,
}

impl Borrower {
    /// What `text` takes, which is that of the extension module of this name, if it is one.
    pub fn new(module: Option<String>, text: Arc<str>) -> Self {
        let package = module.as_deref().and_then(|name| name.rsplit_once('.')).map_or("", |(package, _)| package);
        let mut imports = Vec::new();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let is_sure = !line.starts_with([' ', '\t']);
            let mut statement = code(line).to_owned();
            while goes_on(&statement)
                && let Some(next) = lines.next()
            {
                statement = format!("{} {}", statement.trim_end_matches('\\'), code(next));
            }
            for part in statement.split(';') {
                imports.extend(borrowed(part.trim(), package, is_sure));
            }
        }
        Self { module, imports, text }
    }

    /// All words of the text.
    pub fn words(&self) -> HashSet<&str> {
        self.text.split(|c: char| c != '_' && !c.is_alphanumeric()).collect()
    }
}

/// A line without its comment; what a `#` in a string hides is of no import.
fn code(line: &str) -> &str {
    line.split('#').next().unwrap_or_default().trim()
}

fn goes_on(statement: &str) -> bool {
    let is_import = statement.starts_with("from ") || statement.starts_with("import ");
    is_import && (statement.ends_with('\\') || statement.contains('(') && !statement.contains(')'))
}

fn borrowed(statement: &str, package: &str, is_sure: bool) -> Vec<Borrowed> {
    let dotted = |text: &str| text.split_whitespace().next().map(str::to_owned);
    if let Some(modules) = statement.strip_prefix("import ") {
        let one = |module| Borrowed { module, names: Vec::new(), star: false, is_sure };
        return modules.split(',').filter_map(dotted).map(one).collect();
    }
    let Some((from, names)) = statement.strip_prefix("from ").and_then(|rest| rest.split_once(" import")) else {
        return Vec::new();
    };
    let Some(module) = absolute(from.trim(), package) else { return Vec::new() };
    let names: Vec<String> = names.split([',', '(', ')']).filter_map(dotted).collect();
    vec![Borrowed { module, star: names.iter().any(|name| name == "*"), names, is_sure }]
}

fn absolute(from: &str, package: &str) -> Option<String> {
    let base = from.trim_start_matches('.');
    let level = from.len() - base.len();
    if level == 0 {
        return Some(base.to_owned());
    }
    let mut above = package;
    for _ in 1..level {
        above = above.rsplit_once('.')?.0;
    }
    match (above, base) {
        ("", _) => None,
        (_, "") => Some(above.to_owned()),
        _ => Some(format!("{above}.{base}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_imports_are_read_line_by_line() {
        let text = "cimport numpy as np\nfrom libc.math cimport sin\nimport a.b as c, d  # e\nfrom .f import (  # g\n    h as i,\n    j,\n)\n\
                    cdef class K:\n    from .. import l\n\tfrom m import *; import n\nfrom ... import o\nfrom p import \\\n  q\n";
        let found = Borrower::new(Some("x.y.z".to_owned()), text.into());
        let import = |module: &str, names: &[&str], is_sure| Borrowed {
            module: module.to_owned(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            star: names == ["*"],
            is_sure,
        };
        let expected = [
            import("a.b", &[], true),
            import("d", &[], true),
            import("x.y.f", &["h", "j"], true),
            import("x", &["l"], false),
            import("m", &["*"], false),
            import("n", &[], false),
            import("p", &["q"], true),
        ];
        assert_eq!(found.imports, expected);
        assert!(found.words().contains("sin"));
    }
}
