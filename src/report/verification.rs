//! What `--verify` ran, in a few lines for people.

use std::io::{self, Write};

use super::text::{DIM, GOOD, WARN, plain};
use super::words::count;
use crate::outcome::{CommandEntry, VerificationEntry};

/// Modules of which nothing is proved that are named.
const UNPROVED: usize = 3;

/// `stands` is whether a fix is left.
pub fn write(out: &mut dyn Write, ran: &VerificationEntry, stands: bool) -> io::Result<()> {
    if !stands {
        write!(out, "{WARN}nothing is verified{WARN:#}: no fix stands when Python {} runs it", ran.version)?;
        writeln!(out, " {DIM}({:.1} s, {}){DIM:#}", ran.seconds, plain(&ran.python))?;
        return left_out(out, ran);
    }
    let modules = count(ran.modules, "module");
    write!(out, "{GOOD}verified{GOOD:#} by Python {}: {modules} imported first, before and after", ran.version)?;
    if let Some(command) = &ran.command {
        write!(out, "; {}", measure(command))?;
    }
    writeln!(out, " {DIM}({:.1} s, {}){DIM:#}", ran.seconds, plain(&ran.python))?;
    if let Some(first) = ran.unproved.first() {
        let names: Vec<String> =
            ran.unproved.iter().take(UNPROVED).map(|u| format!("`{}`", plain(&u.module))).collect();
        let more = match ran.unproved.len().saturating_sub(UNPROVED) {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        let (names, error) = (names.join(", "), plain(&first.error));
        writeln!(
            out,
            "  {WARN}not proved{WARN:#}: {names}{more}: this Python imports them neither before nor after: {error}"
        )?;
    }
    left_out(out, ran)
}

/// Tests that prove nothing, and fixes that failed.
fn left_out(out: &mut dyn Write, ran: &VerificationEntry) -> io::Result<()> {
    for item in &ran.unsteady {
        writeln!(out, "  {WARN}not proved{WARN:#}: {}: it fails by chance, with the same text", plain(item))?;
    }
    for veto in &ran.refused {
        writeln!(out, "  {WARN}left out{WARN:#}: {}: {}", plain(&veto.title), plain(&veto.message))?;
    }
    Ok(())
}

fn measure(command: &CommandEntry) -> String {
    let line = plain(&command.command);
    match (command.by_test, command.failed_before) {
        (false, _) => format!("`{line}` succeeds"),
        (true, 0) => format!("`{line}` passes {}", count(command.tests, "test")),
        (true, failed) => {
            format!("`{line}` passes what it passed of {}, {failed} failed before", count(command.tests, "test"))
        }
    }
}
