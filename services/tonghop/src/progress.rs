//! Progress: a bar on a terminal, a line now and then elsewhere.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::say;

/// How far something has come.
#[derive(Debug)]
pub struct Progress {
    shown: Shown,
    label: String,
    done: u64,
    total: u64,
    tenths: u64,
}

#[derive(Debug)]
enum Shown {
    Bar(ProgressBar),
    Lines,
    Nothing,
}

impl Progress {
    /// Starts at nothing done. A quiet one shows a bar on a terminal, and nothing elsewhere: for commands whose
    /// stdout is read by programs.
    pub fn new(label: impl Into<String>, total: u64, quiet: bool) -> Progress {
        let label = label.into();
        let shown = if std::io::stderr().is_terminal() {
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {elapsed}") {
                bar.set_style(style);
            }
            bar.set_message(label.clone());
            Shown::Bar(bar)
        } else if quiet {
            Shown::Nothing
        } else {
            Shown::Lines
        };
        Progress { shown, label, done: 0, total, tenths: 0 }
    }

    /// So much is done in all.
    pub fn reach(&mut self, done: u64) {
        self.done = done.min(self.total);
        match &self.shown {
            Shown::Bar(bar) => bar.set_position(self.done),
            Shown::Lines => {
                let tenths = (self.done * 10).checked_div(self.total).unwrap_or(10);
                if tenths > self.tenths {
                    self.tenths = tenths;
                    say(format_args!("{}: {} of {}", self.label, self.done, self.total));
                }
            }
            Shown::Nothing => {}
        }
    }

    /// One more is done.
    pub fn step(&mut self) {
        self.reach(self.done + 1);
    }

    /// Prints around the bar.
    pub fn around(&self, print: impl FnOnce()) {
        match &self.shown {
            Shown::Bar(bar) => bar.suspend(print),
            Shown::Lines | Shown::Nothing => print(),
        }
    }

    /// Takes the bar away.
    pub fn finish(self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }
}
