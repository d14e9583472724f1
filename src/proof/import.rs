//! What comes of importing a module first in a fresh interpreter, before and after a rewrite.

use std::collections::BTreeSet;

use crate::plan::Touched;

/// The outcome of one import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Imported {
    Fine {
        /// Where the module was loaded from, if it says so.
        file: Option<String>,
        /// Public names of its namespace.
        names: BTreeSet<String>,
        /// What its `__all__` lists.
        exported: BTreeSet<String>,
    },
    Failed {
        /// Python's message, its kind first.
        error: String,
        /// The line of the project that raised it.
        at: Option<String>,
        /// The module that was not found.
        missing: Option<String>,
    },
}

impl Imported {
    /// Reads what the interpreter wrote: one fact a line, a word and its value. `None` if it did not come to the end.
    pub fn parse(text: &str) -> Option<Self> {
        let (mut file, mut error, mut at, mut missing) = (None, None, None, None);
        let (mut names, mut exported) = (BTreeSet::new(), BTreeSet::new());
        for line in text.lines() {
            let (word, value) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "file" => file = Some(value.to_owned()),
                "name" => drop(names.insert(value.to_owned())),
                "export" => drop(exported.insert(value.to_owned())),
                "error" => error = Some(value.to_owned()),
                "at" => at = Some(value.to_owned()),
                "missing" => missing = Some(value.to_owned()),
                "end" => {
                    return Some(match error {
                        Some(error) => Imported::Failed { error, at, missing },
                        None => Imported::Fine { file, names, exported },
                    });
                }
                _ => return None,
            }
        }
        None
    }

    pub fn is_fine(&self) -> bool {
        matches!(self, Imported::Fine { .. })
    }

    pub fn error(&self) -> Option<&str> {
        match self {
            Imported::Failed { error, .. } => Some(error),
            Imported::Fine { .. } => None,
        }
    }

    /// What is worse than before; of a module that came new, there is no before. What failed before may fail, but not in
    /// another way.
    pub fn worse(&self, before: Option<&Imported>, touched: &Touched, excuses: &Excuses) -> Option<String> {
        let name = &touched.module;
        match (before, self) {
            (_, Imported::Failed { error, at, .. }) => {
                if before.is_none_or(|before| !before.is_fine()) && excuses.cover(self, before, touched) {
                    return None;
                }
                let at = at.as_ref().map_or(String::new(), |at| format!(" ({at})"));
                let old = before.and_then(Imported::error).map_or(String::new(), |old| format!("; before: {old}"));
                Some(format!("`import {name}` fails: {error}{at}{old}"))
            }
            (Some(Imported::Fine { names, exported, .. }), Imported::Fine { names: left, .. }) => {
                let private = |n: &&String| touched.private.contains(*n) && !exported.contains(*n);
                let lost = names.union(exported).find(|n| !left.contains(*n) && !private(n))?;
                Some(format!("`{name}` no longer has `{lost}`"))
            }
            (_, Imported::Fine { .. }) => None,
        }
    }
}

/// Why a module may fail that failed before, or came new: it lacks what was lacking already.
#[derive(Clone, Debug, Default)]
pub struct Excuses {
    /// Errors of the modules before.
    pub errors: BTreeSet<String>,
    /// First parts of the names of the project's modules.
    pub own: BTreeSet<String>,
}

impl Excuses {
    fn cover(&self, failed: &Imported, before: Option<&Imported>, touched: &Touched) -> bool {
        let Imported::Failed { error, missing, .. } = failed else { return true };
        let first = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
        let not_installed = missing.as_ref().is_some_and(|name| !self.own.contains(&first(name)));
        // What is still in a cycle may meet it at another place.
        let kind = |error: &str| error.split(':').next().unwrap_or_default().to_owned();
        let as_before = before.and_then(Imported::error).is_some_and(|old| kind(old) == kind(error));
        not_installed || self.errors.contains(error) || !touched.is_freed && as_before
    }
}
