//! The imports inside a cycle, each with its place and with what becomes of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::outcome::{CycleEntry, FixEntry, ImportEntry, ProjectOutcome, Safety};
use crate::report::words;

pub struct ImportView {
    pub from: String,
    pub to: String,
    /// When it runs, and whether it loads a package above its target.
    pub kind: String,
    /// What it takes, unless the target says it.
    pub names: String,
    pub place: String,
    /// The first line of the statement, where its text is at hand.
    pub statement: String,
    pub fates: Vec<Fate>,
}

/// What becomes of an import, or why nothing does.
pub struct Fate {
    pub class: &'static str,
    pub text: String,
    /// Where more is said of it: the end of an anchor of the cycle.
    pub anchor: String,
}

/// What tells the entries of one import apart from those of others.
type Key<'a> = (&'a str, usize, usize, &'a str, bool);

fn key(import: &ImportEntry) -> Key<'_> {
    (&import.file, import.line, import.column, &import.to, import.implicit)
}

/// Everything that is said of the imports of a cycle, by import.
pub struct Index<'a> {
    project: &'a ProjectOutcome,
    /// The names that each fix removes.
    fixes: BTreeMap<Key<'a>, BTreeMap<usize, BTreeSet<&'a str>>>,
    all: &'a [FixEntry],
    /// Reasons why it is not cut, by module and name.
    reasons: BTreeMap<(&'a str, &'a str), BTreeSet<&'a str>>,
    /// The component that is left which a module is in.
    left: BTreeMap<&'a str, usize>,
}

impl<'a> Index<'a> {
    pub fn new(project: &'a ProjectOutcome, cycle: &'a CycleEntry) -> Self {
        let mut fixes: BTreeMap<Key<'a>, BTreeMap<usize, BTreeSet<&'a str>>> = BTreeMap::new();
        for (number, fix) in cycle.fixes.iter().enumerate() {
            for import in &fix.removes {
                let names = fixes.entry(key(import)).or_default().entry(number).or_default();
                names.extend(import.names.iter().map(String::as_str));
            }
        }
        let mut reasons: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
        for refusal in &cycle.refusals {
            let (module, name) = &refusal.import;
            reasons.entry((module, name)).or_default().insert(&refusal.reason);
        }
        let parts = project.left.iter().enumerate();
        let left = parts.flat_map(|(part, modules)| modules.iter().map(move |module| (module.as_str(), part)));
        Self { project, fixes, all: &cycle.fixes, reasons, left: left.collect() }
    }

    pub fn view(&self, import: &ImportEntry) -> ImportView {
        let names = match &import.names[..] {
            [only] if *only == import.to => String::new(),
            names => names.join(", "),
        };
        let statement = self.project.excerpts.get(&import.file).and_then(|text| text.get(import.span.clone()));
        ImportView {
            from: import.from.clone(),
            to: import.to.clone(),
            kind: words::kind(import),
            names,
            place: format!("{}:{}", words::path(self.project, &import.file), import.line),
            statement: statement.and_then(|text| text.lines().next()).unwrap_or_default().trim_end().to_owned(),
            fates: self.fates(import),
        }
    }

    fn fates(&self, import: &ImportEntry) -> Vec<Fate> {
        let mut out = Vec::new();
        let mut cut: BTreeSet<&str> = BTreeSet::new();
        for (number, names) in self.fixes.get(&key(import)).into_iter().flatten() {
            let fix = &self.all[*number];
            let part = if import.names.iter().all(|name| names.contains(name.as_str())) { "" } else { " in part" };
            let (class, text) = match (fix.applied, fix.safety) {
                (true, _) => ("cut", format!("cut{part} by fix {}", number + 1)),
                (false, Safety::Unsafe) => ("unsafe", format!("fix {} would cut it{part}, and is unsafe", number + 1)),
                (false, Safety::Safe) => ("unsafe", format!("fix {} could cut it{part}", number + 1)),
            };
            if fix.applied {
                cut.extend(names);
            }
            out.push(Fate { class, text, anchor: format!("fix{}", number + 1) });
        }
        if import.names.iter().all(|name| cut.contains(name.as_str())) {
            return out;
        }
        if self.left.get(import.from.as_str()).is_none_or(|part| self.left.get(import.to.as_str()) != Some(part)) {
            out.push(Fate { class: "free", text: "in no cycle any more".into(), anchor: String::new() });
            return out;
        }
        let kept = import.names.iter().filter(|name| !cut.contains(name.as_str()));
        let reasons: BTreeSet<&str> = kept
            .filter_map(|name| self.reasons.get(&(import.from.as_str(), name.as_str())))
            .flatten()
            .copied()
            .collect();
        let fate = |reason: &str| Fate { class: "stays", text: reason.to_owned(), anchor: reason.to_owned() };
        out.extend(reasons.into_iter().map(fate));
        if out.is_empty() {
            out.push(Fate { class: "stays", text: "stays".into(), anchor: String::new() });
        }
        out
    }
}
