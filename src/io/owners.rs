//! Who owns a file, by CODEOWNERS as GitHub and GitLab read it: the last pattern that fits says it.

use globset::{GlobBuilder, GlobMatcher};

/// Where the file may be, the first that is there counts.
pub const PLACES: [&str; 4] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"];

/// The rules of a file.
#[derive(Debug, Default)]
pub struct Owners {
    rules: Vec<Rule>,
    /// Lines, counted from 1, that hold no pattern that could be read.
    pub unread: Vec<usize>,
}

#[derive(Debug)]
struct Rule {
    fits: Vec<GlobMatcher>,
    owners: Vec<String>,
}

impl Owners {
    pub fn parse(text: &str) -> Self {
        let mut this = Self::default();
        // GitLab: a section may name owners for those of its patterns that name none.
        let mut of_section: Vec<String> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            let words = || line.split_whitespace().take_while(|word| !word.starts_with('#'));
            if line.starts_with('[') || line.starts_with("^[") {
                let after = line.rsplit_once(']').map_or("", |(_, after)| after);
                of_section = after.split_whitespace().map(str::to_owned).collect();
                continue;
            }
            let Some(pattern) = words().next() else { continue };
            let mut owners: Vec<String> = words().skip(1).map(str::to_owned).collect();
            if owners.is_empty() {
                owners.clone_from(&of_section);
            }
            owners.sort();
            match globs(pattern) {
                Some(fits) => this.rules.push(Rule { fits, owners }),
                None => this.unread.push(index + 1),
            }
        }
        this
    }

    /// The owners of a file, sorted; `path` is relative to the top of the repository.
    pub fn of(&self, path: &str) -> &[String] {
        let rule = self.rules.iter().rev().find(|rule| rule.fits.iter().any(|glob| glob.is_match(path)));
        rule.map_or(&[], |rule| &rule.owners)
    }
}

/// What a pattern fits: as in .gitignore, but that a `*` at its end leaves what lies deeper.
fn globs(pattern: &str) -> Option<Vec<GlobMatcher>> {
    let base = pattern.trim_start_matches('/').trim_end_matches('/');
    let anchored = pattern.trim_end_matches('/').contains('/');
    let base = if anchored { base.to_owned() } else { format!("**/{base}") };
    let below = format!("{base}/**");
    let all = match pattern {
        "*" | "**" | "/" => vec!["**".to_owned()],
        pattern if pattern.ends_with('/') => vec![below],
        pattern if pattern.ends_with("/*") => vec![base],
        _ => vec![base, below],
    };
    all.iter()
        .map(|glob| Some(GlobBuilder::new(glob).literal_separator(true).build().ok()?.compile_matcher()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_pattern_that_fits_says_the_owners() {
        let owners = Owners::parse(
            "# all\n* @all\n*.py @py @also # and why\n/docs/ @docs\napps/ @apps\n/build/* @build\n/one/two @two\n\
             /free/x.py\n[Section][2] @section\nlib/*.py\n^[Optional]\nlib/y.py\n",
        );
        for (path, expected) in [
            ("x.txt", "@all"),
            ("a/b.py", "@also @py"),
            ("docs/a/b.py", "@docs"),
            ("a/docs/b.py", "@also @py"),
            ("a/apps/b.py", "@apps"),
            ("build/b.py", "@build"),
            ("build/a/b.py", "@also @py"),
            ("one/two/b.py", "@two"),
            ("one/two.py", "@also @py"),
            ("free/x.py", ""),
            ("lib/x.py", "@section"),
            ("lib/y.py", ""),
        ] {
            assert_eq!(owners.of(path).join(" "), expected, "{path}");
        }
        assert_eq!(Owners::parse("a{ @x\nb @y\n").unread, [1]);
    }
}
