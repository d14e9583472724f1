//! A process and all that it starts: none of them outlives it.
//!
//! What stays in the group of the process is ended with the group. On Linux, what left it is ended, too: cyclefix asks to
//! become the parent of orphans, and an orphan is known by the mark that its family has in the environment, or by having been
//! below one of its members. What cyclefix did not start is never touched.

use std::io;
use std::process::{Child, Command, ExitStatus};

#[cfg(target_os = "linux")]
use super::orphans;

/// A process that is ended with what it started when this is dropped.
pub struct Family {
    child: Child,
    #[cfg(target_os = "linux")]
    member: orphans::Member,
    is_ended: bool,
}

impl Family {
    /// Starts a process.
    #[cfg(target_os = "linux")]
    pub fn start(command: &mut Command) -> io::Result<Self> {
        own_group(command);
        let (child, member) = orphans::adopt(command)?;
        Ok(Self { child, member, is_ended: false })
    }

    /// Starts a process.
    #[cfg(not(target_os = "linux"))]
    pub fn start(command: &mut Command) -> io::Result<Self> {
        own_group(command);
        Ok(Self { child: command.spawn()?, is_ended: false })
    }

    /// Whether the process itself has come to its end.
    #[cfg(target_os = "linux")]
    pub fn has_ended(&mut self) -> io::Result<bool> {
        // Its id stays its own until somebody waits for it, and so does the id of its group.
        orphans::has_ended(&self.member)
    }

    /// Whether the process itself has come to its end.
    #[cfg(not(target_os = "linux"))]
    pub fn has_ended(&mut self) -> io::Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Ends all that is left, and tells how the process itself ended.
    pub fn end(mut self) -> io::Result<ExitStatus> {
        self.finish()
    }

    fn finish(&mut self) -> io::Result<ExitStatus> {
        self.is_ended = true;
        #[cfg(target_os = "linux")]
        let below = self.member.below();
        #[cfg(unix)]
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw) {
            // Where nobody is left of it, there is nothing to end.
            let _gone = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _gone = self.child.kill();
        let status = self.child.wait();
        #[cfg(target_os = "linux")]
        self.member.end(below);
        status
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        if !self.is_ended {
            let _status = self.finish();
        }
    }
}

#[cfg(unix)]
fn own_group(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

#[cfg(not(unix))]
fn own_group(_: &mut Command) {}
