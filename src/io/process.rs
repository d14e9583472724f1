//! Runs a process to its end, within a time limit, and with all that it started; an interrupted run ends them.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::family::Family;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Time between two looks at a process that has just started, and at one that takes longer.
const SOON: Duration = Duration::from_millis(1);
const LATER: Duration = Duration::from_millis(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Exit(ExitStatus),
    TimedOut,
}

/// From here on, Ctrl-C and SIGTERM no longer end this process but are noted, so that what it started and wrote can go first.
pub fn catch_interrupts() {
    // A second call finds the handler in place; where there can be none, an interrupt ends the process as before.
    let _in_place = ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::Relaxed));
}

/// Whether the user wants the run to end.
pub fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Runs `command` to its end.
///
/// Errors: it cannot be started; `ErrorKind::Interrupted` if the user wants the run to end.
pub fn run(command: &mut Command, limit: Option<Duration>) -> io::Result<Ended> {
    if is_interrupted() {
        return Err(io::ErrorKind::Interrupted.into());
    }
    let start = Instant::now();
    let mut family = Family::start(command)?;
    loop {
        if family.has_ended()? {
            return family.end().map(Ended::Exit);
        }
        let elapsed = start.elapsed();
        if is_interrupted() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        if limit.is_some_and(|limit| elapsed > limit) {
            return Ok(Ended::TimedOut);
        }
        std::thread::sleep(if elapsed < Duration::from_secs(1) { SOON } else { LATER });
    }
}

/// Runs `command` to its end, and gives what it prints to standard output and to standard error.
///
/// Errors: as [`run`]; `ErrorKind::TimedOut` if it takes longer than `limit`.
pub fn output(command: &mut Command, limit: Duration) -> io::Result<(String, String)> {
    let (mut stdout, mut stderr) = (tempfile::tempfile()?, tempfile::tempfile()?);
    command.stdin(Stdio::null()).stdout(stdout.try_clone()?).stderr(stderr.try_clone()?);
    if run(command, Some(limit))? == Ended::TimedOut {
        let why = format!("it is still running after {} s", limit.as_secs());
        return Err(io::Error::new(io::ErrorKind::TimedOut, why));
    }
    let read = |file: &mut File| {
        let mut bytes = Vec::new();
        file.rewind()?;
        file.read_to_end(&mut bytes)?;
        io::Result::Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    Ok((read(&mut stdout)?, read(&mut stderr)?))
}
