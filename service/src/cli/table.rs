use std::io::{self, Write};

/// The most characters of one cell: longer texts are cut. The whole is in the JSON output.
const MAX_CELL: usize = 1_000;

/// Writes rows under a head, in columns two spaces apart.
pub(super) fn table<const N: usize>(
    out: &mut dyn Write,
    head: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> io::Result<()> {
    let rows: Vec<[String; N]> = std::iter::once(head.map(str::to_owned))
        .chain(
            rows.into_iter()
                .map(|row| row.map(|cell| cut(printable(cell)))),
        )
        .collect();
    let mut widths = [0_usize; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line.push_str(&format!("{cell:width$}  "));
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// A text of at most [`MAX_CELL`] characters; a cut one ends with an ellipsis.
fn cut(text: String) -> String {
    if text.chars().nth(MAX_CELL).is_none() {
        return text;
    }
    text.chars().take(MAX_CELL - 1).chain(['…']).collect()
}

/// A text without control characters: names are chosen by others and must not steer the terminal.
pub(super) fn printable(text: String) -> String {
    if text.contains(char::is_control) {
        text.chars()
            .flat_map(|c| {
                if c.is_control() {
                    c.escape_default().collect::<Vec<_>>()
                } else {
                    vec![c]
                }
            })
            .collect()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_nothing_steers_the_terminal() {
        let mut out = Vec::new();
        let rows = [
            ["é".to_owned(), "x".to_owned()],
            ["long name".to_owned(), "\u{1b}[2J".to_owned()],
        ];
        table(&mut out, ["NAME", "STATE"], rows).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "NAME       STATE\né          x\nlong name  \\u{1b}[2J\n"
        );
    }

    #[test]
    fn a_long_cell_is_cut_and_widens_no_other_row_beyond_that() {
        let mut out = Vec::new();
        let rows = [["é".repeat(70_000)], ["x".to_owned()]];
        table(&mut out, ["DETAILS"], rows).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lengths: Vec<usize> = text.lines().map(|line| line.chars().count()).collect();
        assert_eq!(lengths, [7, MAX_CELL, 1]);
        assert!(text.contains("é…\n"));
    }
}
