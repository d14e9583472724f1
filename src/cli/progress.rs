//! Progress on stderr, for people who watch a terminal.

use std::fmt;
use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::plan::Stage;

/// A bar that is gone when the work is done; nothing at all where nobody watches.
pub struct Progress(ProgressBar);

impl Progress {
    pub fn new(wanted: bool) -> Self {
        Self(bar(wanted, "{msg} {bar:30} {pos}/{len}"))
    }

    pub fn show(&self, stage: Stage) {
        if self.0.is_hidden() {
            return;
        }
        let (what, done, all) = match stage {
            Stage::Parse(done, all) => ("reading imports", done, all),
            Stage::Plan(done, all) => ("dissolving cycles", done, all),
            Stage::Import(done, all) => ("importing modules", done, all),
            Stage::Command => ("running the command", 0, 1),
        };
        if self.0.message() != what {
            self.0.set_message(what);
        }
        self.0.set_length(all as u64);
        self.0.set_position(done as u64);
    }

    /// Lets something else be written.
    pub fn aside(&self, write: impl FnOnce()) {
        self.0.suspend(write);
    }
}

/// How far a batch is: projects done, cycles found and dissolved, and the time left, by the modules that are done.
pub struct BatchProgress {
    bar: ProgressBar,
    projects: usize,
    /// Projects, cycles found, cycles dissolved.
    done: Mutex<[usize; 3]>,
}

impl BatchProgress {
    pub fn new(wanted: bool, projects: usize, modules: usize) -> Self {
        let bar = bar(wanted, "{msg} {bar:30} {left}");
        bar.set_length(modules as u64);
        bar.enable_steady_tick(Duration::from_millis(500));
        let this = Self { bar, projects, done: Mutex::default() };
        this.say([0; 3]);
        this
    }

    /// Notes a project that is done.
    pub fn done(&self, modules: usize, cycles: usize, dissolved: usize) {
        let mut done = self.done.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        *done = [done[0] + 1, done[1] + cycles, done[2] + dissolved];
        self.bar.inc(modules as u64);
        self.say(*done);
    }

    fn say(&self, [done, cycles, dissolved]: [usize; 3]) {
        let projects = self.projects;
        self.bar.set_message(format!("{done}/{projects} projects, {cycles} cycles, {dissolved} dissolved"));
    }
}

impl Drop for BatchProgress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A bar where somebody watches.
fn bar(wanted: bool, template: &str) -> ProgressBar {
    let shown = wanted && std::io::stderr().is_terminal();
    let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(0), target);
    // Before something is done, nobody knows how long the rest takes.
    let left = |state: &ProgressState, out: &mut dyn fmt::Write| {
        let known = state.pos() > 0 && state.len().is_some_and(|all| state.pos() < all);
        let _unheard = if known { write!(out, "{:#} left", HumanDuration(state.eta())) } else { Ok(()) };
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.with_key("left", left));
    }
    bar
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
