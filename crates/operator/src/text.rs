//! Lines and columns for a terminal. Must not know what they say.

use std::fmt::Write;

/// Longest cell; an error's chain can be a page.
const CELL_CHARS: usize = 160;

/// A heading with rows under it, columns padded to their widest cell.
pub(crate) fn section(title: &str, head: &[&str], rows: &[Vec<String>]) -> String {
    let mut out = format!("{title}\n");
    if rows.is_empty() {
        out.push_str("  none\n");
        return out;
    }
    let head: Vec<String> = head.iter().map(|name| (*name).to_owned()).collect();
    let all: Vec<Vec<String>> = std::iter::once(&head)
        .chain(rows)
        .map(|row| row.iter().map(|cell| one_line(cell, CELL_CHARS)).collect())
        .collect();
    let widths: Vec<usize> = (0..head.len())
        .map(|column| {
            let cells = all.iter().filter_map(|row: &Vec<String>| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        })
        .collect();
    for row in &all {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        // Writing to a string can't fail.
        let _ = writeln!(out, "  {}", cells.join("  ").trim_end());
    }
    out
}

/// A text on one line, cut where it gets long.
pub(crate) fn one_line(text: &str, most: usize) -> String {
    let mut line: String = text
        .chars()
        .take(most)
        .map(|char| if char.is_control() { ' ' } else { char })
        .collect();
    if text.chars().nth(most).is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_stay_on_their_line() {
        let rows = [
            vec!["reserve".to_owned(), "timed\nout".to_owned()],
            vec!["pay".to_owned(), String::new()],
        ];
        assert_eq!(
            section("Calls", &["call", "answer"], &rows),
            "Calls\n  call     answer\n  reserve  timed out\n  pay\n"
        );
        assert_eq!(section("Timers", &["kind"], &[]), "Timers\n  none\n");
        assert_eq!(one_line("abcdef", 3), "abc…");
    }
}
