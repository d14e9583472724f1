//! Annotations of GitHub Actions (workflow commands): one for each cycle, at the first import of its loop. What a baseline
//! knows is not annotated.

use std::io::{self, Write};

use super::{is_found_alone, is_news, words};
use crate::outcome::{BatchEntry, CycleEntry, Outcome, ProjectOutcome, Status};

/// Imports of a loop that an annotation spells out.
const LOOP: usize = 10;

pub fn write(out: &mut dyn Write, outcome: &Outcome) -> io::Result<()> {
    if let Some(batch) = &outcome.batch {
        failures(out, batch)?;
    }
    for project in &outcome.projects {
        for skipped in &project.skipped {
            let line = skipped.line.map(|line| ("line", line.to_string()));
            let place = [Some(("file", words::path(project, &skipped.file))), line, title("cyclefix: file left alone")];
            command(out, "warning", place.into_iter().flatten(), &skipped.reason)?;
        }
        for cycle in project.cycles.iter().filter(|cycle| is_news(cycle)) {
            of_cycle(out, project, cycle)?;
        }
    }
    let summary = &outcome.summary;
    let written = outcome.projects.iter().flat_map(|p| &p.cycles).any(|cycle| cycle.status == Status::Fixed);
    let mut text = format!(
        "{}, {}",
        words::count(summary.cycles, "import cycle"),
        words::count(summary.modules_in_cycles_before, "module"),
    );
    if !is_found_alone(outcome) {
        let dissolved = if written { "dissolved" } else { "can be dissolved" };
        text.push_str(&format!("; {} {dissolved}, {} left", summary.fixed, summary.left));
    }
    match &outcome.baseline {
        Some(baseline) => {
            let counts = format!("{text}; {} new, {} known to {}", baseline.new, baseline.known, baseline.file);
            writeln!(out, "cyclefix: {}", data(&counts))
        }
        None => writeln!(out, "cyclefix: {text}"),
    }
}

/// Projects that could not be run, and those that an interrupt kept from being run.
fn failures(out: &mut dyn Write, batch: &BatchEntry) -> io::Result<()> {
    for failed in &batch.failed {
        let file = failed.at.as_ref().map(|at| ("file", at.file.clone()));
        let line = failed.at.as_ref().and_then(|at| Some(("line", at.line?.to_string())));
        let hint = failed.hint.as_ref().map_or(String::new(), |hint| format!("\n{hint}"));
        let text = format!("{}: {}{hint}", failed.members.join(" + "), failed.from_top());
        command(out, "error", [file, line, title("cyclefix: project failed")].into_iter().flatten(), &text)?;
    }
    for project in &batch.stopped {
        command(out, "error", title("cyclefix: project not run").into_iter(), &format!("{project}: interrupted"))?;
    }
    Ok(())
}

fn of_cycle(out: &mut dyn Write, project: &ProjectOutcome, cycle: &CycleEntry) -> io::Result<()> {
    let mut text = words::shortest_loop(cycle);
    for import in cycle.shortest_loop.iter().take(LOOP) {
        let place = format!("{}:{}", words::path(project, &import.file), import.line);
        text.push_str(&format!("\n{place}: {} imports {} ({})", import.from, import.to, words::kind(import)));
    }
    if let Some(crash) = cycle.crashes.first() {
        text.push_str(&format!(
            "\n`import {}` {} if it comes first: {}",
            crash.entry,
            words::fails(crash),
            crash.error
        ));
    }
    if !cycle.united.is_empty() {
        text.push_str(&format!("\njoins the known cycles {}", words::united(cycle, &str::to_owned)));
    }
    if !cycle.joined.is_empty() {
        text.push_str(&format!("\nnew in a known cycle: {}", cycle.joined.join(", ")));
    }
    text.push_str(match cycle.status {
        Status::Found => "\n`cyclefix --dry-run` shows what dissolves it, or says why nothing does",
        Status::Planned | Status::Fixed => "\n`cyclefix --apply` dissolves it",
        Status::Refused => "\nit cannot be dissolved safely: `cyclefix --dry-run` says why",
    });
    let level = if cycle.status == Status::Fixed { "notice" } else { "error" };
    let mut place = Vec::new();
    if let Some(import) = cycle.shortest_loop.first() {
        place.push(("file", words::path(project, &import.file)));
        place.push(("line", import.line.to_string()));
        place.push(("col", import.column.to_string()));
    }
    place.extend(title(&format!("import cycle of {} modules", cycle.modules.len())));
    command(out, level, place.into_iter(), &text)
}

fn title(text: &str) -> Option<(&'static str, String)> {
    Some(("title", text.to_owned()))
}

fn command(
    out: &mut dyn Write,
    name: &str,
    properties: impl Iterator<Item = (&'static str, String)>,
    text: &str,
) -> io::Result<()> {
    let properties: Vec<String> = properties.map(|(key, value)| format!("{key}={}", property(&value))).collect();
    writeln!(out, "::{name} {}::{}", properties.join(","), data(text))
}

/// As the runner reads it back (`escapeData` of actions/toolkit).
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// As the runner reads it back (`escapeProperty` of actions/toolkit).
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
