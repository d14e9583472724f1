//! The message of a commit that holds a step of a plan: what the cycle was, what takes it apart, and why so.

use std::collections::BTreeSet;

use super::words;
use crate::outcome::{Certainty, CycleEntry, FixEntry, NewCommit, ProjectOutcome, Status, Step};
use crate::project::settings::Level;

/// Characters of a subject line, as git's tools expect.
const SUBJECT: usize = 72;
/// Fixes that a message spells out.
const FIXES: usize = 20;

/// What speaks for each kind of fix, by strategy or by strategy and form.
const WHY: [(&str, &str); 9] = [
    ("unused-import", "nobody uses what these imports bind, so that they can go"),
    ("direct-import", "the name comes from the module that defines it, and nothing moves"),
    ("defer-import/type-checking", "only annotations need the import, which a type checker still sees"),
    ("defer-import/lazy", "the module is loaded at the first use of the name (PEP 810)"),
    ("defer-import/function", "the name is only needed when the function runs"),
    (
        "defer-import/module-getattr",
        "only users of the package need the name, which is loaded when they ask for it (PEP 562)",
    ),
    (
        "extract-utility-module/existing-module",
        "both sides need the definitions, and a module for such things is there",
    ),
    ("extract-utility-module/new-module", "both sides need the definitions, which now stand below both"),
    ("merge-modules", "the modules need each other's definitions, and are one unit"),
];

/// Subject, blank line, body.
pub fn message(project: &ProjectOutcome, level: Level, step: &Step) -> String {
    let cycles: Vec<&CycleEntry> = step.cycles.iter().map(|index| &project.cycles[*index]).collect();
    let mut paragraphs = vec![subject(project, &cycles)];
    paragraphs.extend(cycles.iter().flat_map(|cycle| of_cycle(cycle, level)));
    if let Some(hoist) = &project.hoist {
        let fixes: Vec<&FixEntry> = hoist.fixes.iter().collect();
        paragraphs.push(list(&fixes));
        paragraphs.push("At the top of their modules, these imports are part of no cycle.".into());
    }
    paragraphs.join("\n\n") + "\n"
}

/// The messages of several commits as that of one which does what they do.
pub fn joined(commits: &[NewCommit]) -> String {
    let cycles: usize = commits.iter().map(|commit| commit.cycles.len()).sum();
    let shrinks =
        |commit: &NewCommit| commit.title().starts_with("Shrink") || commit.title().starts_with("Dissolve or");
    let dissolved = !commits.iter().any(shrinks);
    let verb = if dissolved { "Dissolve" } else { "Dissolve or shrink" };
    let head = format!("{verb} {}", words::count(cycles, "import cycle"));
    let all = commits.iter().map(|commit| commit.message.trim_end().to_owned());
    std::iter::once(head).chain(all).collect::<Vec<String>>().join("\n\n") + "\n"
}

fn subject(project: &ProjectOutcome, cycles: &[&CycleEntry]) -> String {
    let dissolved = cycles.iter().all(|cycle| matches!(cycle.status, Status::Planned | Status::Fixed));
    let verb = if dissolved { "Dissolve" } else { "Shrink" };
    match cycles {
        [] if project.hoist.is_some() => "Move imports to the top of their modules".into(),
        [cycle] => {
            let first = cycle.shortest_loop.first().map_or(cycle.modules[0].as_str(), |import| import.from.as_str());
            let other = match (cycle.modules.len(), cycle.modules.iter().find(|module| *module != first)) {
                (2, Some(other)) => other.clone(),
                (n, _) => format!("{} other modules", n - 1),
            };
            let long = format!("{verb} the import cycle of {first} and {other}");
            if long.chars().count() <= SUBJECT {
                return long;
            }
            format!("{verb} an import cycle of {} modules", cycle.modules.len())
        }
        _ if dissolved => format!("Dissolve {} import cycles", cycles.len()),
        _ => format!("Dissolve or shrink {} import cycles", cycles.len()),
    }
}

fn of_cycle(cycle: &CycleEntry, level: Level) -> Vec<String> {
    let when = match level {
        Level::Fragile | Level::Eager => "while they are imported themselves",
        Level::Runtime => "when they are imported or their functions run",
        Level::All => "at run time or for type checkers",
    };
    let mut out = vec![format!(
        "{} modules import each other {when}; the\nshortest way round is\n\n    {}",
        cycle.modules.len(),
        words::shortest_loop(cycle)
    )];
    if let Some(crash) = cycle.crashes.first() {
        let more = match cycle.crashes.len() {
            1 => String::new(),
            n => {
                let unsure = cycle.crashes.last().is_some_and(|last| last.certainty == Certainty::May);
                let cannot = if unsure { "may fail, too" } else { "cannot be imported first" };
                format!("\n({} {cannot})", words::count(n - 1, "more module"))
            }
        };
        let fails = words::fails(crash);
        out.push(format!("`import {}` in a fresh interpreter {fails}:\n\n    {}{more}", crash.entry, crash.error));
    }
    let fixes: Vec<&FixEntry> = cycle.fixes.iter().filter(|fix| fix.applied).collect();
    out.push(list(&fixes));
    let kinds: BTreeSet<String> = fixes.iter().map(|fix| kind(fix)).collect();
    let reason = |kind: &String| {
        let why = WHY.iter().find(|(known, _)| known == kind).map_or("", |(_, why)| why);
        format!("{kind}: {why}")
    };
    out.push(kinds.iter().map(reason).collect::<Vec<String>>().join("\n"));
    out.push(match (&cycle.status, &cycle.plan) {
        (Status::Planned | Status::Fixed, Some(plan)) if plan.exact => {
            format!("No other choice of fixes costs a reader of the code less ({}).", plan.cost)
        }
        (Status::Planned | Status::Fixed, Some(plan)) => {
            format!("The choice costs {}; that none costs less than {} is proved.", plan.cost, plan.bound)
        }
        (Status::Planned | Status::Fixed, None) => "The cycle is gone.".into(),
        _ => "The cycle is smaller, not gone: what is left of it has no safe rewrite.".into(),
    });
    out.push(format!("cyclefix cycle {}", cycle.id));
    out
}

fn list(fixes: &[&FixEntry]) -> String {
    let mut lines: Vec<String> =
        fixes.iter().take(FIXES).map(|fix| format!("- {} [{}]", fix.title, kind(fix))).collect();
    if fixes.len() > FIXES {
        lines.push(format!("- and {} more", fixes.len() - FIXES));
    }
    lines.join("\n")
}

/// Strategy and form, as the settings name them.
fn kind(fix: &FixEntry) -> String {
    fix.form.as_ref().map_or_else(|| fix.strategy.clone(), |form| format!("{}/{form}", fix.strategy))
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_kind_of_fix_has_its_reason() {
        let mut known: Vec<&str> = super::WHY.iter().map(|(kind, _)| *kind).collect();
        let mut all: Vec<&str> = crate::strategy::cost::TABLE.iter().map(|(kind, _)| *kind).collect();
        known.sort_unstable();
        all.sort_unstable();
        assert_eq!(known, all);
    }
}
