//! Markdown for a pull request: a table of the cycles, each with its loop and what becomes of it, and the rewrite as folded
//! diffs. It stays below what GitHub takes as one comment.

use std::io::{self, Write};

use super::table::{self, Columns};
use super::{diff, is_dissolved, is_news, words};
use crate::outcome::{BatchEntry, Certainty, CycleEntry, FileChange, Outcome, ProjectOutcome, Status};

/// Cycles that are listed, and spelled out.
const CYCLES: usize = 50;
const DETAILS: usize = 20;
/// Imports of a loop, fixes and refusals of a cycle that are listed.
const ITEMS: usize = 12;
/// Where the text has to be at an end of the tables, of what is spelled out, of the diffs and of all, in bytes: a comment on
/// GitHub has at most 65,536 characters.
const TABLES_END: usize = 16_000;
const DETAILS_END: usize = 36_000;
const DIFFS_END: usize = 58_000;
const END: usize = 65_000;

pub fn write(out: &mut dyn Write, outcome: &Outcome) -> io::Result<()> {
    let mut text = Vec::new();
    report(&mut text, outcome)?;
    out.write_all(&text)
}

fn report(out: &mut Vec<u8>, outcome: &Outcome) -> io::Result<()> {
    let cycles: Vec<(&ProjectOutcome, &CycleEntry)> =
        outcome.projects.iter().flat_map(|p| p.cycles.iter().filter(|c| is_news(c)).map(move |c| (p, c))).collect();
    head(out, outcome, cycles.len())?;
    if let Some(found) = &outcome.batch {
        batch(out, outcome, found)?;
    }
    if !cycles.is_empty() {
        list(out, &cycles)?;
        let shown = fill(out, DETAILS_END, cycles.iter().take(DETAILS), |out, (number, (project, cycle))| {
            details(out, project, cycle, number + 1)
        })?;
        rest(out, cycles.len(), shown, "cycles are not spelled out here")?;
    }
    diffs(out, outcome)?;
    skipped(out, outcome)
}

/// Writes parts as long as the text stays shorter than `end`; gives their number.
fn fill<T>(
    out: &mut Vec<u8>,
    end: usize,
    parts: impl Iterator<Item = T>,
    write: impl Fn(&mut Vec<u8>, (usize, T)) -> io::Result<()>,
) -> io::Result<usize> {
    let mut written = 0;
    for part in parts.enumerate() {
        let before = out.len();
        write(out, part)?;
        if out.len() > end {
            out.truncate(before);
            break;
        }
        written += 1;
    }
    Ok(written)
}

fn head(out: &mut Vec<u8>, outcome: &Outcome, shown: usize) -> io::Result<()> {
    let summary = &outcome.summary;
    match (&outcome.baseline, summary.cycles) {
        (_, 0) => writeln!(out, "### No import cycles")?,
        (Some(_), _) if shown == 0 => writeln!(out, "### No new import cycles")?,
        (Some(_), _) => writeln!(out, "### {}", words::count(shown, "new import cycle"))?,
        (None, n) => writeln!(out, "### {}", words::count(n, "import cycle"))?,
    }
    writeln!(out)?;
    if let Some(baseline) = &outcome.baseline {
        let stale = match baseline.stale.len() {
            0 => String::new(),
            n => format!("; stale: {}, which `--update-baseline` takes out", words::count(n, "entry")),
        };
        writeln!(out, "{} known to {}{stale}.\n", baseline.known, code(&baseline.file))?;
    }
    let branches: Vec<_> = outcome.branch.iter().chain(&outcome.branches).collect();
    let shown = fill(out, TABLES_END, branches.iter(), |out, (_, branch)| {
        writeln!(out, "Branch {}, {}:\n", code(&branch.name), words::count(branch.commits.len(), "commit"))?;
        for commit in branch.commits.iter().take(CYCLES) {
            writeln!(out, "- {} {}", code(commit.id.get(..10).unwrap_or_default()), text(&commit.title))?;
        }
        writeln!(out)
    })?;
    rest(out, branches.len(), shown, "branches")
}

/// A line for each project of a batch that has cycles, and for each that could not be run.
fn batch(out: &mut Vec<u8>, outcome: &Outcome, batch: &BatchEntry) -> io::Result<()> {
    writeln!(out, "{}.\n", table::counts(outcome, batch))?;
    let with_cycles: Vec<&ProjectOutcome> = outcome.projects.iter().filter(|p| table::says(p)).collect();
    if !with_cycles.is_empty() {
        let columns = Columns::of(&with_cycles, is_done(outcome));
        let names: String = columns.names().iter().map(|name| format!(" {} |", capital(name))).collect();
        writeln!(out, "| Project |{names}\n|---|{}", "---|".repeat(columns.names().len()))?;
        let shown = fill(out, TABLES_END, with_cycles.iter().take(CYCLES), |out, (_, project)| {
            let numbers: String = columns.numbers(project).iter().map(|n| format!(" {n} |")).collect();
            writeln!(out, "| {} |{numbers}", code(&table::name(&project.members)))
        })?;
        rest(out, with_cycles.len(), shown, "projects")?;
        writeln!(out)?;
    }
    let failed = batch.failed.iter().map(|failed| {
        let name = code(&table::name(&failed.members));
        format!("- {name} failed: {}", text(failed.from_top()))
    });
    let stopped = batch.stopped.iter().map(|project| format!("- {} was not run.", code(project)));
    let unfit = batch.failed.len() + batch.stopped.len();
    let lines = failed.chain(stopped).take(CYCLES);
    let shown = fill(out, TABLES_END, lines, |out, (_, line)| writeln!(out, "{line}"))?;
    rest(out, unfit, shown, "projects")?;
    if unfit > 0 { writeln!(out) } else { Ok(()) }
}

/// Whether the rewrite was written.
fn is_done(outcome: &Outcome) -> bool {
    let cycles = outcome.projects.iter().flat_map(|project| &project.cycles).map(|cycle| cycle.status);
    let hoists = outcome.projects.iter().flat_map(|project| &project.hoist).map(|hoist| hoist.status);
    cycles.chain(hoists).any(|status| status == Status::Fixed)
}

fn capital(word: &str) -> String {
    word[..1].to_uppercase() + &word[1..]
}

fn list(out: &mut Vec<u8>, cycles: &[(&ProjectOutcome, &CycleEntry)]) -> io::Result<()> {
    writeln!(out, "| | Cycle | Modules | Level | Imports removed, hidden | |\n|---|---|---|---|---|---|")?;
    let shown = fill(out, TABLES_END, cycles.iter().take(CYCLES), |out, (number, (_, cycle))| {
        let crash = match cycle.crashes.first().map(|crash| crash.certainty) {
            None => "",
            Some(Certainty::Fails) => "crashes; ",
            Some(Certainty::May) => "may crash; ",
        };
        writeln!(
            out,
            "| {} | {} | {} | {} | {}, {} | {crash}{} |",
            number + 1,
            code(&words::shortest_loop(cycle)),
            cycle.modules.len(),
            cycle.level.as_str(),
            cycle.pairs_removed,
            cycle.pairs_hidden,
            verdict(cycle)
        )
    })?;
    rest(out, cycles.len(), shown, "cycles")
}

fn verdict(cycle: &CycleEntry) -> &'static str {
    match cycle.status {
        Status::Fixed => "dissolved",
        Status::Planned => "can be dissolved",
        Status::Found => "found",
        Status::Refused => "stays",
    }
}

fn details(out: &mut dyn Write, project: &ProjectOutcome, cycle: &CycleEntry, number: usize) -> io::Result<()> {
    writeln!(out, "\n<details><summary>Cycle {number}: {}</summary>\n", html(&words::shortest_loop(cycle)))?;
    for import in cycle.shortest_loop.iter().take(ITEMS) {
        let place = format!("{}:{}", words::path(project, &import.file), import.line);
        let (from, to) = (code(&import.from), code(&import.to));
        writeln!(out, "- {}: {from} imports {to} ({})", code(&place), text(&words::kind(import)))?;
    }
    rest(out, cycle.shortest_loop.len(), ITEMS, "imports")?;
    if !cycle.united.is_empty() {
        writeln!(out, "\nJoins the known cycles {}.", words::united(cycle, &code))?;
    }
    if !cycle.joined.is_empty() {
        let joined: Vec<String> = cycle.joined.iter().map(|module| code(module)).collect();
        writeln!(out, "\nNew in a known cycle: {}.", joined.join(", "))?;
    }
    for crash in cycle.crashes.iter().take(ITEMS) {
        writeln!(
            out,
            "\n{} {} if it comes first: {}",
            code(&format!("import {}", crash.entry)),
            words::fails(crash),
            code(&crash.error)
        )?;
    }
    let fixes: Vec<_> = cycle.fixes.iter().filter(|fix| fix.applied).collect();
    if !fixes.is_empty() {
        writeln!(out, "\n{}:\n", if is_dissolved(cycle) { "Dissolved by" } else { "Made smaller by" })?;
        for fix in fixes.iter().take(ITEMS) {
            let form = fix.form.as_ref().map(|form| format!(", {form}")).unwrap_or_default();
            writeln!(out, "- {} ({}{form})", text(&fix.title), fix.strategy)?;
        }
        rest(out, fixes.len(), ITEMS, "fixes")?;
    }
    if !is_dissolved(cycle) && !cycle.refusals.is_empty() {
        writeln!(out, "\nRefused:\n")?;
        for refusal in cycle.refusals.iter().take(ITEMS) {
            let place = format!("{}:{}", words::path(project, &refusal.file), refusal.line);
            writeln!(
                out,
                "- {}: {} ({}, `{}`)",
                code(&place),
                text(&refusal.message),
                refusal.strategy,
                refusal.reason
            )?;
        }
        rest(out, cycle.refusals.len(), ITEMS, "refusals")?;
    }
    writeln!(out, "\n</details>")
}

fn diffs(out: &mut Vec<u8>, outcome: &Outcome) -> io::Result<()> {
    let all: Vec<(&ProjectOutcome, &FileChange)> =
        outcome.projects.iter().flat_map(|p| p.changes.iter().map(move |c| (p, c))).collect();
    let summary = &outcome.summary;
    if all.is_empty() {
        return Ok(());
    }
    let (files, added, removed) = (summary.files_changed, summary.lines_added, summary.lines_removed);
    writeln!(out, "\n#### The rewrite: {}, +{added} -{removed}", words::count(files, "file"))?;
    let shown = fill(out, DIFFS_END, all.iter(), |out, (_, (project, change))| {
        let mut patch = Vec::new();
        diff::write(&mut patch, project.prefix.as_str(), std::slice::from_ref(*change))?;
        let patch = String::from_utf8_lossy(&patch).into_owned();
        let (added, removed) = diff::lines(change);
        let (path, fence) = (html(&words::path(project, &change.path)), fence(&patch));
        writeln!(out, "\n<details><summary>{path} (+{added} -{removed})</summary>\n")?;
        writeln!(out, "{fence}diff\n{}\n{fence}\n\n</details>", patch.trim_end_matches('\n'))
    })?;
    match all.len() - shown {
        0 => Ok(()),
        1 => writeln!(out, "\n1 more file is too long for a comment: `cyclefix --dry-run` shows it."),
        more => writeln!(out, "\n{more} more files are too long for a comment: `cyclefix --dry-run` shows them."),
    }
}

fn skipped(out: &mut Vec<u8>, outcome: &Outcome) -> io::Result<()> {
    let all: Vec<_> = outcome.projects.iter().flat_map(|p| p.skipped.iter().map(move |s| (p, s))).collect();
    if all.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n<details><summary>{} left alone</summary>\n", words::count(all.len(), "file"))?;
    let shown = fill(out, END, all.iter().take(CYCLES), |out, (_, (project, skipped))| {
        let line = skipped.line.map(|line| format!(":{line}")).unwrap_or_default();
        let place = code(&format!("{}{line}", words::path(project, &skipped.file)));
        writeln!(out, "- {place}: {}", text(&skipped.reason))
    })?;
    rest(out, all.len(), shown, "files")?;
    writeln!(out, "\n</details>")
}

fn rest(out: &mut dyn Write, len: usize, limit: usize, what: &str) -> io::Result<()> {
    match len.saturating_sub(limit) {
        0 => Ok(()),
        more => writeln!(out, "\n{more} more {what}"),
    }
}

/// A code span, also in a table: with a fence that the text does not hold.
fn code(inside: &str) -> String {
    let inside = inside.replace(char::is_control, " ").replace('|', "\\|");
    let longest = inside.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    if longest > 0 { format!("{fence} {inside} {fence}") } else { format!("{fence}{inside}{fence}") }
}

/// Words with code spans, as plans and refusals have them. What would be markup outside of a span is escaped.
fn text(words: &str) -> String {
    let words = words.replace(char::is_control, " ");
    let parts: Vec<&str> = words.split('`').collect();
    // Without a closing mark, no mark opens a span.
    if parts.len().is_multiple_of(2) {
        return escape(&words);
    }
    let part = |(index, part): (usize, &&str)| if index % 2 == 1 { code(part) } else { escape(part) };
    parts.iter().enumerate().map(part).collect()
}

fn escape(words: &str) -> String {
    let mut out = String::new();
    for c in words.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '*' | '_' | '[' | ']' | '`' | '\\' | '|' | '#' | '~' | '@' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

fn html(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace(char::is_control, " ")
}

/// More backticks than any line of the patch starts with.
fn fence(patch: &str) -> String {
    let longest = patch.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    "`".repeat(longest.max(2) + 1)
}
