//! Crashes in the report for people: which modules cannot be imported first, and the traceback that Python would print.

use std::io::{self, Write};

use super::{BAD, DIM, HEAD, WARN, count, first, plain, prefix, rest};
use crate::outcome::{Certainty, CrashEntry, CycleEntry, FrameEntry, ProjectOutcome};

/// Crashes of a cycle that are shown; the modules that crash at the same place are one.
const CRASHES: usize = 3;
/// Modules that are named for a crash.
const ENTRIES: usize = 4;
/// Statements of a traceback that are shown: at its start, and at its end.
const START: usize = 4;
const END: usize = 6;

pub fn write(out: &mut dyn Write, project: &ProjectOutcome, cycle: &CycleEntry) -> io::Result<()> {
    let groups = groups(&cycle.crashes);
    for group in groups.iter().take(CRASHES) {
        let names = first(group.iter().map(|c| c.entry.as_str()), group.len(), ENTRIES);
        let crash = shown(group);
        match crash.certainty {
            Certainty::Fails => writeln!(out, "  {BAD}crash{BAD:#}: {names} cannot be imported first")?,
            Certainty::May => writeln!(out, "  {WARN}may crash{WARN:#}: {names}, if imported first")?,
        }
        traceback(out, project, crash)?;
    }
    rest(out, 2, groups.len(), CRASHES, "crash")
}

/// The crashes by the statement that raises, in order.
pub(in crate::report) fn groups(crashes: &[CrashEntry]) -> Vec<Vec<&CrashEntry>> {
    let mut out: Vec<Vec<&CrashEntry>> = Vec::new();
    for crash in crashes {
        let place = |c: &CrashEntry| (c.certainty, c.file.clone(), c.line, c.error.clone());
        match out.iter_mut().find(|group| place(group[0]) == place(crash)) {
            Some(group) => group.push(crash),
            None => out.push(vec![crash]),
        }
    }
    out
}

/// The crash of a group that is reached by the shortest way.
pub(in crate::report) fn shown<'c>(group: &[&'c CrashEntry]) -> &'c CrashEntry {
    group.iter().copied().min_by_key(|c| c.chain.len()).expect("a group has the crash that it was made for")
}

/// As CPython prints it.
fn traceback(out: &mut dyn Write, project: &ProjectOutcome, crash: &CrashEntry) -> io::Result<()> {
    writeln!(out, "    {DIM}>>> import {}{DIM:#}", plain(&crash.entry))?;
    writeln!(out, "    Traceback (most recent call last):")?;
    let chain = &crash.chain;
    let hidden = chain.len().saturating_sub(START + END);
    let (start, end) = if hidden > 0 { (START, START + hidden) } else { (chain.len(), chain.len()) };
    chain[..start].iter().try_for_each(|frame| line(out, project, frame))?;
    if hidden > 0 {
        writeln!(out, "      {DIM}[{}]{DIM:#}", count(hidden, "more statement"))?;
    }
    chain[end..].iter().try_for_each(|frame| line(out, project, frame))?;
    writeln!(out, "    {HEAD}{}{HEAD:#}", plain(&crash.error))
}

fn line(out: &mut dyn Write, project: &ProjectOutcome, frame: &FrameEntry) -> io::Result<()> {
    let function = frame.function.as_deref().unwrap_or("<module>");
    let file = format!("{}{}", prefix(project), plain(&frame.file));
    writeln!(out, "      File \"{file}\", line {}, in {}", frame.line, plain(function))?;
    writeln!(out, "        {}", plain(&frame.statement))
}
