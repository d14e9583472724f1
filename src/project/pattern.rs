//! Patterns of imports in the settings: `"a -> b"`, each side a glob over module names.

use globset::{Glob, GlobBuilder, GlobMatcher};

/// Which modules import which: `*` stands for any part of a name without a dot, `**` for any with dots.
#[derive(Clone, Debug)]
pub struct ImportPattern {
    /// As it was written.
    text: String,
    from: GlobMatcher,
    to: GlobMatcher,
}

impl ImportPattern {
    /// Reads `"a -> b"`; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (from, to) = text.split_once("->").ok_or("there is no `->` in it")?;
        Ok(Self { text: text.to_owned(), from: modules(from)?, to: modules(to)? })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn matches(&self, from: &str, to: &str) -> bool {
        self.from.is_match(as_path(from)) && self.to.is_match(as_path(to))
    }
}

fn modules(pattern: &str) -> Result<GlobMatcher, String> {
    let pattern = pattern.trim();
    if pattern.is_empty() {
        return Err("a module is missing on one side of `->`".to_owned());
    }
    if let Some(odd) = pattern.chars().find(|c| c.is_whitespace() || matches!(c, '/' | '\\' | '>')) {
        return Err(format!("`{odd}` cannot stand in the name of a module"));
    }
    let glob: Result<Glob, globset::Error> = GlobBuilder::new(&as_path(pattern)).literal_separator(true).build();
    glob.map(|g| g.compile_matcher()).map_err(|e| e.kind().to_string())
}

/// A dotted name as a path, so that globs tell its parts apart.
fn as_path(name: &str) -> String {
    name.replace('.', "/")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::ImportPattern;

    #[test]
    fn stars_stand_for_parts_of_names() {
        for (pattern, from, to, expected) in [
            ("a -> b", "a", "b", true),
            ("a->b", "a", "b.c", false),
            ("a.* -> b.**", "a.x", "b.c.d", true),
            ("a.* -> b", "a.x.y", "b", false),
            ("a.** -> b", "a.x.y", "b", true),
            ("** -> p.{x,y}", "m", "p.y", true),
            ("p.*_views -> *", "p.old_views", "models", true),
        ] {
            assert_eq!(ImportPattern::parse(pattern).unwrap().matches(from, to), expected, "{pattern}");
        }
        for bad in ["a", "a -> ", "-> b", "a b -> c", "a -> b[", "a -> b -> c", "a/b -> c"] {
            assert!(ImportPattern::parse(bad).is_err(), "{bad}");
        }
    }
}
