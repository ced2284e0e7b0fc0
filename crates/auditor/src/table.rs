//! The report for people.

use std::io::{self, Write};

use crate::Report;

const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const DIM: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";

/// Prints one line per invariant, then what is wrong with it.
pub fn print(report: &Report, colour: bool, out: &mut impl Write) -> io::Result<()> {
    for finding in &report.findings {
        let (word, paint) = match finding.holds {
            Some(true) => ("holds", GREEN),
            Some(false) => ("BROKEN", RED),
            None => ("unchecked", DIM),
        };
        let (paint, plain) = if colour { (paint, PLAIN) } else { ("", "") };
        let figures: Vec<_> = finding
            .figures
            .iter()
            .map(|(name, value)| format!("{name} {value}"))
            .collect();
        let (id, title) = (finding.id, finding.title);
        writeln!(
            out,
            "{paint}{id:<4}{word:<10}{plain} {title:<62} {}",
            figures.join(", ")
        )?;
        for note in &finding.notes {
            writeln!(out, "               {note}")?;
        }
        let told = finding.notes.len();
        if finding.violations > told {
            writeln!(out, "               and {} more", finding.violations - told)?;
        }
    }
    Ok(())
}
