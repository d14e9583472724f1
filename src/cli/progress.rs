//! Progress on stderr, for people who watch a terminal.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::plan::Stage;

/// A bar that is gone when the work is done; nothing at all where nobody watches.
pub struct Progress(ProgressBar);

impl Progress {
    pub fn new(wanted: bool) -> Self {
        let shown = wanted && std::io::stderr().is_terminal();
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        if let Ok(style) = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len}") {
            bar.set_style(style);
        }
        Self(bar)
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

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
