//! The report for people. It stays readable with many cycles and with huge ones: every list in it is bounded and ends
//! in the count of what it leaves out. It is always styled; the stream that takes it strips what it cannot show.

pub(super) mod crash;

use std::collections::BTreeMap;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::words::{count, plural};
use super::{excerpt, is_dissolved, is_found_alone, is_news, table, verification, words};
use crate::outcome::{
    BaselineEntry, BranchEntry, CycleEntry, FixEntry, HoistEntry, Outcome, PatchEntry, ProjectOutcome, RefusalEntry,
    Safety, Stale, StaleEntry, Status,
};

/// Imports of a loop that are drawn.
const LOOP: usize = 6;
/// Modules of a component that are named.
const MODULES: usize = 12;
/// Fixes of a cycle that are listed.
const FIXES: usize = 12;
/// Refusals of a cycle that are listed with their place.
const REFUSALS: usize = 8;
/// Skipped files that are listed.
const SKIPPED: usize = 10;
/// Commits of a branch that are listed.
const COMMITS: usize = 30;

pub(super) const HEAD: Style = Style::new().bold();
pub(super) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(super) const WARN: Style = AnsiColor::Yellow.on_default().bold();
pub(super) const DIM: Style = Style::new().dimmed();

/// How much the report says of each cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Everything: where the cycle is and, if that was planned, what would be done, and why not more. For `--check`.
    Full,
    /// What would be done, and why not more; the diff stands beside it. For `--dry-run`.
    Planned,
    /// What was done and what is left, and why. For `--apply`.
    Done,
}

/// Writes the report, styled.
pub fn write(out: &mut dyn Write, outcome: &Outcome, view: View) -> io::Result<()> {
    match &outcome.batch {
        Some(batch) => table::write(out, outcome, batch, view == View::Done)?,
        None => projects(out, outcome, view)?,
    }
    summary(out, outcome, view)?;
    outcome.baseline.as_ref().map_or(Ok(()), |held| baseline(out, held))?;
    outcome.branch.iter().chain(&outcome.branches).try_for_each(|made| branch(out, made))?;
    patches(out, &outcome.patches)
}

/// All that is said of each project.
fn projects(out: &mut dyn Write, outcome: &Outcome, view: View) -> io::Result<()> {
    let total = outcome.summary.cycles;
    let mut number = 0;
    for project in &outcome.projects {
        let says = !project.cycles.is_empty() || project.hoist.is_some();
        if outcome.projects.len() > 1 && says {
            writeln!(out, "{HEAD}{}{HEAD:#}", plain(&project.root))?;
        }
        for cycle in &project.cycles {
            number += 1;
            // What a run did is said, of known cycles as well.
            if !is_news(cycle) && cycle.status != Status::Fixed {
                continue;
            }
            match view {
                View::Full => full(out, project, cycle, (number, total))?,
                View::Planned | View::Done => done(out, project, cycle, view)?,
            }
        }
        if let Some(found) = &project.hoist {
            hoist(out, project, found)?;
        }
        if let Some(ran) = &project.verification {
            verification::write(out, ran, !project.changes.is_empty())?;
        }
    }
    Ok(())
}

/// Writes what is stale in a baseline, as warnings.
pub fn write_stale(out: &mut dyn Write, outcome: &Outcome) -> io::Result<()> {
    let Some(baseline) = &outcome.baseline else { return Ok(()) };
    for StaleEntry { how, modules, out: gone } in baseline.stale.iter().take(SKIPPED) {
        let of = |names: &[String]| first(names.iter().map(String::as_str), names.len(), LOOP);
        let what = match how {
            Stale::Gone => format!("the cycle of {} is gone", of(modules)),
            Stale::Smaller => format!("{} is no part of the cycle of {} any more", of(gone), of(modules)),
        };
        writeln!(out, "{WARN}warning{WARN:#}: {} is stale: {what}", plain(&baseline.file))?;
    }
    if baseline.stale.is_empty() {
        return Ok(());
    }
    rest(out, 0, baseline.stale.len(), SKIPPED, "entry")?;
    writeln!(out, "--update-baseline takes out what is stale")
}

/// Writes what could not be analysed or rewritten, as warnings.
pub fn write_skipped(out: &mut dyn Write, outcome: &Outcome) -> io::Result<()> {
    let skipped: Vec<_> = outcome.projects.iter().flat_map(|p| p.skipped.iter().map(move |s| (p, s))).collect();
    for (project, skipped) in skipped.iter().take(SKIPPED) {
        let place = place(project, &skipped.file, skipped.line.unwrap_or(0));
        writeln!(out, "{WARN}warning{WARN:#}: {place}: {}", plain(&skipped.reason))?;
    }
    match skipped.len().saturating_sub(SKIPPED) {
        0 => Ok(()),
        rest => writeln!(out, "{WARN}warning{WARN:#}: and {rest} more {}", plural(rest, "file")),
    }
}

fn full(out: &mut dyn Write, project: &ProjectOutcome, cycle: &CycleEntry, (n, of): (usize, usize)) -> io::Result<()> {
    let (size, level) = (count(cycle.modules.len(), "module"), cycle.level.as_str());
    writeln!(out, "{BAD}cycle {n} of {of}{BAD:#}{HEAD}: {size} ({level}){HEAD:#} {DIM}[{}]{DIM:#}", cycle.id)?;
    writeln!(out, "  {}", loop_line(cycle))?;
    crash::write(out, project, cycle)?;
    let drawn = &cycle.shortest_loop[..cycle.shortest_loop.len().min(LOOP)];
    if !drawn.is_empty() {
        writeln!(out, "{}", excerpt::draw(project, &prefix(project), drawn))?;
    }
    if cycle.modules.len() > cycle.shortest_loop.len() {
        writeln!(out, "  modules: {}", first(cycle.modules.iter().map(String::as_str), cycle.modules.len(), MODULES))?;
    }
    joined(out, cycle)?;
    fixes(out, cycle, View::Full)?;
    cycle_refusals(out, project, cycle)?;
    writeln!(out)
}

fn done(out: &mut dyn Write, project: &ProjectOutcome, cycle: &CycleEntry, view: View) -> io::Result<()> {
    let (style, verdict) = match cycle.status {
        Status::Fixed => (GOOD, "dissolved"),
        Status::Planned => (GOOD, "planned"),
        Status::Found | Status::Refused => (BAD, "left"),
    };
    let size = count(cycle.modules.len(), "module");
    writeln!(out, "{style}{verdict}{style:#} {} ({size}) {DIM}[{}]{DIM:#}", loop_line(cycle), cycle.id)?;
    fixes(out, cycle, view)?;
    cycle_refusals(out, project, cycle)
}

/// The fixes under what becomes of the cycle by them: those that make up the plan, then those that are only shown.
fn fixes(out: &mut dyn Write, cycle: &CycleEntry, view: View) -> io::Result<()> {
    let (applied, shown): (Vec<_>, Vec<_>) = cycle.fixes.iter().partition(|fix| fix.applied);
    let head = match cycle.status {
        Status::Fixed => "dissolved by",
        Status::Planned => "can be dissolved by",
        Status::Found | Status::Refused if view == View::Done => "made smaller by",
        Status::Found | Status::Refused => "can be made smaller by",
    };
    list_fixes(out, &format!("{GOOD}{head}{GOOD:#} {}", count(applied.len(), "fix")), &applied)?;
    if let Some(plan) = &cycle.plan
        && !applied.is_empty()
        && !plan.exact
    {
        writeln!(out, "  {DIM}the choice costs {}; one of {} or more may exist{DIM:#}", plan.cost, plan.bound)?;
    }
    list_fixes(out, &format!("{WARN}only with --unsafe-fixes{WARN:#}"), &shown)
}

fn list_fixes(out: &mut dyn Write, head: &str, fixes: &[&FixEntry]) -> io::Result<()> {
    if fixes.is_empty() {
        return Ok(());
    }
    writeln!(out, "  {head}:")?;
    for fix in fixes.iter().take(FIXES) {
        let grade = match fix.safety {
            Safety::Safe => format!("{DIM}safe{DIM:#}  "),
            Safety::Unsafe => format!("{WARN}unsafe{WARN:#}"),
        };
        let form = fix.form.as_ref().map(|form| format!(", {form}")).unwrap_or_default();
        writeln!(out, "    {grade}  {} {DIM}[{}{form}]{DIM:#}", plain(&fix.title), fix.strategy)?;
    }
    rest(out, 4, fixes.len(), FIXES, "fix")
}

/// The modules that joined a cycle that a baseline knows, and the known cycles that became one.
fn joined(out: &mut dyn Write, cycle: &CycleEntry) -> io::Result<()> {
    if !cycle.united.is_empty() {
        writeln!(out, "  {BAD}joins{BAD:#} the known cycles {}", words::united(cycle, &plain))?;
    }
    if cycle.joined.is_empty() {
        return Ok(());
    }
    let names = first(cycle.joined.iter().map(String::as_str), cycle.joined.len(), MODULES);
    writeln!(out, "  {BAD}joined{BAD:#} a known cycle: {names}")
}

/// Why a cycle stays.
fn cycle_refusals(out: &mut dyn Write, project: &ProjectOutcome, cycle: &CycleEntry) -> io::Result<()> {
    if is_dissolved(cycle) || cycle.refusals.is_empty() {
        return Ok(());
    }
    writeln!(out, "  {BAD}refused{BAD:#}:")?;
    refusals(out, project, &cycle.refusals)
}

/// Reasons by how often they were met, with the first places of each.
fn refusals(out: &mut dyn Write, project: &ProjectOutcome, all: &[RefusalEntry]) -> io::Result<()> {
    let mut by_reason: BTreeMap<&str, Vec<&RefusalEntry>> = BTreeMap::new();
    for refusal in all {
        by_reason.entry(&refusal.reason).or_default().push(refusal);
    }
    let mut groups: Vec<_> = by_reason.into_iter().collect();
    groups.sort_by_key(|(_, refusals)| std::cmp::Reverse(refusals.len()));
    let places = (REFUSALS / groups.len().max(1)).max(1);
    for (reason, refusals) in groups.iter().take(REFUSALS) {
        let line = |refusal: &RefusalEntry| {
            let place = place(project, &refusal.file, refusal.line);
            format!("{place}: {} {DIM}[{}]{DIM:#}", plain(&refusal.message), refusal.strategy)
        };
        if let [refusal] = refusals[..] {
            writeln!(out, "    {reason}: {}", line(refusal))?;
            continue;
        }
        writeln!(out, "    {reason}, {}:", count(refusals.len(), "time"))?;
        for refusal in refusals.iter().take(places) {
            writeln!(out, "      {}", line(refusal))?;
        }
        rest(out, 6, refusals.len(), places, "place")?;
    }
    rest(out, 4, groups.len(), REFUSALS, "reason")
}

/// What `--hoist` moves, and what stays where it is.
fn hoist(out: &mut dyn Write, project: &ProjectOutcome, hoist: &HoistEntry) -> io::Result<()> {
    let done = if hoist.status == Status::Fixed { "moved" } else { "can move" };
    let fixes: Vec<&FixEntry> = hoist.fixes.iter().collect();
    list_fixes(out, &format!("{GOOD}{done} to the top{GOOD:#}"), &fixes)?;
    if !hoist.refusals.is_empty() {
        writeln!(out, "  {WARN}stay in their functions{WARN:#}:")?;
    }
    refusals(out, project, &hoist.refusals)
}

fn hoist_summary(out: &mut dyn Write, outcome: &Outcome, hoists: &[&HoistEntry], view: View) -> io::Result<()> {
    let moved: usize = hoists.iter().map(|h| h.fixes.len()).sum();
    let stay: usize = hoists.iter().map(|h| h.refusals.len()).sum();
    let summary = &outcome.summary;
    let done = if view == View::Done { "moved to the top" } else { "can move to the top" };
    let files = match summary.files_changed {
        0 => String::new(),
        n => format!(" ({}, +{} -{})", count(n, "file"), summary.lines_added, summary.lines_removed),
    };
    writeln!(out, "{HEAD}{} {done}{files}, {stay} stay{HEAD:#}", count(moved, "import"))?;
    if view == View::Full && summary.files_changed > 0 {
        writeln!(out, "see the rewrite with --dry-run, write it with --apply")?;
    }
    Ok(())
}

fn summary(out: &mut dyn Write, outcome: &Outcome, view: View) -> io::Result<()> {
    let hoists: Vec<&HoistEntry> = outcome.projects.iter().filter_map(|p| p.hoist.as_ref()).collect();
    if !hoists.is_empty() {
        return hoist_summary(out, outcome, &hoists, view);
    }
    let summary = &outcome.summary;
    if summary.cycles == 0 {
        let modules = outcome.projects.iter().map(|project| project.modules).sum();
        return writeln!(out, "no import cycles in {}", count(modules, "module"));
    }
    if is_found_alone(outcome) {
        let (cycles, modules) = (count(summary.cycles, "cycle"), count(summary.modules_in_cycles_before, "module"));
        writeln!(out, "{HEAD}{cycles}, {modules}{HEAD:#}")?;
        if outcome.baseline.as_ref().is_none_or(|baseline| baseline.new > 0 && !baseline.updated) {
            writeln!(out, "see what would dissolve them with --dry-run, write it with --apply")?;
        }
        return Ok(());
    }
    let done = if view == View::Done { "dissolved" } else { "can be dissolved" };
    let dissolved = match summary.fixed {
        0 => format!("none {done}"),
        n => format!("{n} {done}"),
    };
    let files = match summary.files_changed {
        0 => String::new(),
        n => format!(" ({}, +{} -{})", count(n, "file"), summary.lines_added, summary.lines_removed),
    };
    let left = match summary.left {
        0 => String::from("none is left"),
        1 => String::from("1 is left"),
        n => format!("{n} are left"),
    };
    let (cycles, modules) = (count(summary.cycles, "cycle"), count(summary.modules_in_cycles_before, "module"));
    let pairs = match (summary.pairs_removed, summary.pairs_hidden) {
        (0, 0) => String::new(),
        (removed, hidden) => {
            format!("; {}: {removed} removed, {hidden} hidden", plural(removed + hidden, "dependency"))
        }
    };
    writeln!(out, "{HEAD}{cycles}, {modules}; {dissolved}{files}, {left}{pairs}{HEAD:#}")?;
    if view == View::Full && summary.files_changed > 0 {
        writeln!(out, "see the rewrite with --dry-run, write it with --apply")?;
    }
    Ok(())
}

/// What is new, and how much is known.
fn baseline(out: &mut dyn Write, baseline: &BaselineEntry) -> io::Result<()> {
    let file = plain(&baseline.file);
    if baseline.updated {
        return writeln!(out, "{file} lists {}", count(baseline.listed, "cycle"));
    }
    writeln!(out, "{HEAD}{} new{HEAD:#}, {} known to {file}", count(baseline.new, "cycle"), baseline.known)
}

/// The commits of a branch that was made.
fn branch(out: &mut dyn Write, branch: &BranchEntry) -> io::Result<()> {
    let (name, base) = (plain(&branch.name), short_id(&branch.base));
    writeln!(out, "branch {HEAD}{name}{HEAD:#}: {} on top of {base}", count(branch.commits.len(), "commit"))?;
    for commit in branch.commits.iter().take(COMMITS) {
        writeln!(out, "  {} {}", short_id(&commit.id), plain(&commit.title))?;
    }
    rest(out, 2, branch.commits.len(), COMMITS, "commit")
}

/// The patches that were written.
fn patches(out: &mut dyn Write, patches: &[PatchEntry]) -> io::Result<()> {
    if !patches.is_empty() {
        writeln!(out, "{HEAD}{}{HEAD:#} for `git am`", count(patches.len(), "patch"))?;
    }
    for patch in patches.iter().take(COMMITS) {
        writeln!(out, "  {} {DIM}{}{DIM:#}", plain(&patch.file), plain(&patch.title))?;
    }
    rest(out, 2, patches.len(), COMMITS, "patch")
}

fn short_id(id: &str) -> &str {
    id.get(..10).unwrap_or(id)
}

/// The loop in one line, e.g. `a -> b -> a`; of a long one the first modules and how many follow.
fn loop_line(cycle: &CycleEntry) -> String {
    words::shortest_loop_of(cycle, LOOP, &plain)
}

/// A place as editors and terminals know it; line 0 stands for the whole file.
fn place(project: &ProjectOutcome, file: &str, line: usize) -> String {
    let path = format!("{}{}", prefix(project), plain(file));
    // What is said of the project as a whole names no file.
    let path = if file.is_empty() { path.trim_end_matches('/') } else { &path };
    if line == 0 { path.to_owned() } else { format!("{path}:{line}") }
}

/// What to put before a path of the project, so that it leads there from where the user is.
fn prefix(project: &ProjectOutcome) -> String {
    match project.root.trim_end_matches('/') {
        "" | "." => String::new(),
        root if root.starts_with('/') => String::new(),
        root => format!("{}/", plain(root)),
    }
}

/// The first `limit` of `of` names, and how many more there are.
fn first<'a>(names: impl Iterator<Item = &'a str>, of: usize, limit: usize) -> String {
    let mut names: Vec<String> = names.take(limit).map(plain).collect();
    if of > limit {
        names.push(format!("and {} more", of - limit));
    }
    names.join(", ")
}

/// A line for what a list of `len` leaves out after `limit`.
fn rest(out: &mut dyn Write, indent: usize, len: usize, limit: usize, what: &str) -> io::Result<()> {
    match len.saturating_sub(limit) {
        0 => Ok(()),
        more => writeln!(out, "{:indent$}and {more} more {}", "", plural(more, what)),
    }
}

/// Text without the characters that a terminal would act on.
pub(super) fn plain(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}
