//! Rows of text as a Markdown table, so that figures can be pasted where they are told.

/// The first row is the heading. Numbers stand right.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        text += &line(row, &widths);
        if number == 0 {
            let rule = |(column, width): (usize, &usize)| match column {
                0 => "-".repeat(*width),
                _ => format!("{}:", "-".repeat(width.saturating_sub(1))),
            };
            let rules: Vec<String> = widths.iter().enumerate().map(rule).collect();
            text += &line(&rules, &widths);
        }
    }
    text
}

fn line(row: &[String], widths: &[usize]) -> String {
    let cells = row.iter().zip(widths).enumerate();
    let padded: Vec<String> = cells
        .map(|(column, (cell, width))| match column {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        })
        .collect();
    format!("| {} |\n", padded.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
        let text = table(&[
            row(["what", "ms"]),
            row(["a long name", "1.25"]),
            row(["b", "10.00"]),
        ]);
        assert_eq!(
            text,
            "| what        |    ms |\n| ----------- | ----: |\n| a long name |  1.25 |\n| b           | 10.00 |\n"
        );
    }
}
