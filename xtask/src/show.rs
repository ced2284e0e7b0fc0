//! What the commands print: progress, tables.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use dev_stack::Progress;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// A spinner per thing being done; plain lines where there is no terminal.
pub(crate) struct Steps {
    bars: MultiProgress,
    running: Mutex<BTreeMap<String, (Instant, ProgressBar)>>,
    terminal: bool,
}

impl Steps {
    pub(crate) fn new() -> Self {
        Self {
            bars: MultiProgress::new(),
            running: Mutex::default(),
            terminal: std::io::stderr().is_terminal(),
        }
    }
}

impl Progress for Steps {
    fn begin(&self, what: &str) {
        let bar = if self.terminal {
            self.bars.add(ProgressBar::new_spinner())
        } else {
            ProgressBar::hidden()
        };
        let style = ProgressStyle::with_template("  {spinner} {msg} {elapsed}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.insert(what.to_owned(), (Instant::now(), bar));
    }

    fn end(&self, what: &str) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((since, bar)) = running.remove(what) else {
            return;
        };
        bar.finish_and_clear();
        let line = format!("  {what:<28} {:>6.1} s", since.elapsed().as_secs_f32());
        if self.terminal {
            // A failure here would mean that the terminal is gone.
            let _ = self.bars.println(line);
        } else {
            println!("{line}");
        }
    }
}

/// Columns padded to their widest cell.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            rows.iter()
                .filter_map(|row| row.get(column))
                .map(String::len)
                .max()
                .unwrap_or_default()
        })
        .collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        format!("  {}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = [
            vec!["a".to_owned(), "b".to_owned()],
            vec!["long".to_owned(), "c".to_owned()],
        ];
        assert_eq!(table(&rows), "  a     b\n  long  c\n");
    }
}
