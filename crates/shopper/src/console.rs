//! The one place that writes to the terminal: results to standard output, progress bars to standard error.

use std::fmt::Display;
use std::io::{self, Write};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The terminal; clones write to the same.
#[derive(Debug, Clone, Default)]
pub struct Console {
    bars: MultiProgress,
}

impl Console {
    /// Standard output and standard error.
    pub fn new() -> Self {
        Self {
            bars: MultiProgress::with_draw_target(ProgressDrawTarget::stderr()),
        }
    }

    /// Writes a line, without tearing the bars.
    pub fn line(&self, text: impl Display) {
        self.bars.suspend(|| {
            // Nobody is left to tell when standard output is closed.
            let _ = writeln!(io::stdout().lock(), "{text}");
        });
    }

    /// A bar of `total` things.
    pub fn bar(&self, what: &'static str, total: u64) -> ProgressBar {
        let bar = self.bars.add(ProgressBar::new(total));
        let style =
            ProgressStyle::with_template("{prefix:>12} [{bar:40}] {pos}/{len} {per_sec} eta {eta} {msg}");
        if let Ok(style) = style {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(what);
        bar
    }
}

/// Seconds with enough digits to compare.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.3} s", duration.as_secs_f64())
}
