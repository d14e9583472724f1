//! Orphans, on Linux: processes whose parent has ended become children of cyclefix, and are ended with the family they are of.
//!
//! Only children of cyclefix are ever ended, whose ids nobody else can take while cyclefix has not waited for them.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitOptions};

/// The variable that marks a family.
const MARK: &str = "CYCLEFIX_RUN";

/// How long to wait for processes that were told to end, and between two looks.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(1);

/// All children of this process that are no orphans.
static KNOWN: Mutex<Known> =
    Mutex::new(Known { is_ready: false, strangers: BTreeSet::new(), running: BTreeSet::new(), started: 0 });

struct Known {
    is_ready: bool,
    /// Those that were there before the first family, e.g. of a shell that became this process. They are left alone.
    strangers: BTreeSet<i32>,
    /// The first process of each family, with the number in its mark.
    running: BTreeSet<(i32, u64)>,
    started: u64,
}

/// A family.
pub struct Member {
    process: Pid,
    number: u64,
}

/// Starts the first process of a family.
pub fn adopt(command: &mut Command) -> io::Result<(Child, Member)> {
    // Nobody may look for orphans between the start of a process and its being known.
    let mut known = known();
    known.prepare();
    known.started += 1;
    let number = known.started;
    let child = command.env(MARK, mark(number)).spawn()?;
    let id = i32::try_from(child.id()).ok();
    let process = id.and_then(Pid::from_raw).ok_or_else(|| io::Error::other("the process has no id"))?;
    known.running.insert((process.as_raw_pid(), number));
    Ok((child, Member { process, number }))
}

/// Whether the first process has come to its end. Nobody has waited for it then, and its id is still its own.
pub fn has_ended(member: &Member) -> io::Result<bool> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    Ok(rustix::process::waitid(WaitId::Pid(member.process), options)?.is_some())
}

impl Member {
    /// The processes below the first.
    pub fn below(&self) -> BTreeSet<i32> {
        let mut found = BTreeSet::new();
        below(self.process.as_raw_pid(), &mut found);
        found
    }

    /// Ends what is left once the first process is gone; `members` are processes that were below it.
    pub fn end(&self, mut members: BTreeSet<i32>) {
        known().running.remove(&(self.process.as_raw_pid(), self.number));
        let start = Instant::now();
        // What is ended leaves orphans of its own. What the system does not let end is left in the end.
        while self.end_orphans(&mut members) && start.elapsed() < PATIENCE {
            std::thread::sleep(PAUSE);
        }
    }

    /// Ends the orphans of this family; whether there were any.
    fn end_orphans(&self, members: &mut BTreeSet<i32>) -> bool {
        let known = known();
        let mut any = false;
        for orphan in known.orphans() {
            let Some(process) = Pid::from_raw(orphan).filter(|_| known.may_end(orphan, members)) else { continue };
            below(orphan, members);
            // Both fail where it ended by itself, or is of another user.
            let _gone = rustix::process::kill_process(process, Signal::KILL);
            let _reaped = rustix::process::waitpid(Some(process), WaitOptions::NOHANG);
            any = true;
        }
        any
    }
}

impl Known {
    fn prepare(&mut self) {
        if !self.is_ready {
            self.is_ready = true;
            self.strangers = children(std::process::id()).into_iter().collect();
            // Where the system does not know of this, groups are all there is.
            let _done = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
        }
    }

    fn orphans(&self) -> Vec<i32> {
        let first: BTreeSet<i32> = self.running.iter().map(|(process, _)| *process).collect();
        let mut all = children(std::process::id());
        all.retain(|id| !first.contains(id) && !self.strangers.contains(id));
        all
    }

    /// Whether an orphan may be ended with the family whose `members` are known. One without a mark may be of any family
    /// that still runs, or of a stranger.
    fn may_end(&self, orphan: i32, members: &BTreeSet<i32>) -> bool {
        match marked(orphan) {
            Some(number) => !self.running.iter().any(|(_, running)| *running == number),
            None => members.contains(&orphan) || self.running.is_empty() && self.strangers.is_empty(),
        }
    }
}

fn known() -> MutexGuard<'static, Known> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn mark(number: u64) -> String {
    format!("{}-{number}", std::process::id())
}

/// The number of the family whose mark a process has in its environment.
fn marked(process: i32) -> Option<u64> {
    let environment = fs::read(format!("/proc/{process}/environ")).ok()?;
    let mine = format!("{MARK}={}-", std::process::id());
    let entry = environment.split(|byte| *byte == 0).find_map(|entry| entry.strip_prefix(mine.as_bytes()))?;
    std::str::from_utf8(entry).ok()?.parse().ok()
}

fn below(process: i32, found: &mut BTreeSet<i32>) {
    for child in children(process.unsigned_abs()) {
        if found.insert(child) {
            below(child, found);
        }
    }
}

/// The children of a process, also those that have ended but nobody has waited for.
fn children(process: u32) -> Vec<i32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else { return Vec::new() };
    let lists = threads.flatten().filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<i32>>()).collect()
}
