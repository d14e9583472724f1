//! Runs a process to its end, within a time limit, and with all that it started; an interrupted run ends them.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

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
    own_group(command);
    let start = Instant::now();
    let mut family = Family(command.spawn()?);
    loop {
        if let Some(status) = family.0.try_wait()? {
            return Ok(Ended::Exit(status));
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

/// A process and what it started. None of them outlives this.
struct Family(Child);

#[cfg(unix)]
fn own_group(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

#[cfg(not(unix))]
fn own_group(_: &mut Command) {}

impl Drop for Family {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(group) = i32::try_from(self.0.id()).ok().and_then(rustix::process::Pid::from_raw) {
            // Where nobody is left of it, there is nothing to end.
            let _gone = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}
