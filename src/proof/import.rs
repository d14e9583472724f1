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
    /// Python's message and the line that raised it.
    Failed { error: String, at: Option<String> },
}

impl Imported {
    /// Reads what the interpreter wrote: one fact a line, a word and its value. `None` if it did not come to the end.
    pub fn parse(text: &str) -> Option<Self> {
        let (mut file, mut error, mut at) = (None, None, None);
        let (mut names, mut exported) = (BTreeSet::new(), BTreeSet::new());
        for line in text.lines() {
            let (word, value) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "file" => file = Some(value.to_owned()),
                "name" => drop(names.insert(value.to_owned())),
                "export" => drop(exported.insert(value.to_owned())),
                "error" => error = Some(value.to_owned()),
                "at" => at = Some(value.to_owned()),
                "end" => {
                    return Some(match error {
                        Some(error) => Imported::Failed { error, at },
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

    /// What is worse than before; of a module that came new, there is no before.
    pub fn worse(&self, before: Option<&Imported>, touched: &Touched) -> Option<String> {
        let name = &touched.module;
        match (before, self) {
            (Some(Imported::Failed { .. }), _) | (None, Imported::Fine { .. }) => None,
            (_, Imported::Failed { error, at }) => {
                let at = at.as_ref().map_or(String::new(), |at| format!(" ({at})"));
                Some(format!("`import {name}` fails: {error}{at}"))
            }
            (Some(Imported::Fine { names, exported, .. }), Imported::Fine { names: left, .. }) => {
                let private = |n: &&String| touched.private.contains(*n) && !exported.contains(*n);
                let lost = names.union(exported).find(|n| !left.contains(*n) && !private(n))?;
                Some(format!("`{name}` no longer has `{lost}`"))
            }
        }
    }
}
