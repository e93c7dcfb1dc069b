//! Tables: columns that line up, without lines around them.

use crate::output::shown;
use clap::builder::styling::Style;

/// A cell and how it looks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: shown(&text.into()).into_owned(), style: Style::new() }
    }

    #[must_use]
    pub(crate) fn styled(mut self, style: Style) -> Self {
        self.style = style;
        self
    }
}

/// A row, and lines that belong under it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    pub(crate) cells: Vec<Cell>,
    pub(crate) below: Vec<String>,
}

/// Rows as text.
pub(crate) fn table(rows: &[Row]) -> String {
    let columns = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.cells.get(column));
        cells.map(|cell| cell.text.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    let mut lines = Vec::new();
    for row in rows {
        let mut line = String::new();
        let mut gap = 0;
        for (cell, width) in row.cells.iter().zip(&widths) {
            let length = cell.text.chars().count();
            if length > 0 {
                let Cell { text, style } = cell;
                line.push_str(&format!("{:gap$}{style}{text}{style:#}", ""));
                gap = 0;
            }
            gap += width - length.min(*width) + 2;
        }
        lines.push(line);
        let indent = widths.first().map_or(0, |width| width + 2);
        lines.extend(row.below.iter().map(|text| format!("{:indent$}{text}", "")));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_nothing_trails() {
        let row = |texts: &[&str], below: &[&str]| Row {
            cells: texts.iter().map(|text| Cell::new(*text)).collect(),
            below: below.iter().map(|text| (*text).to_owned()).collect(),
        };
        let text = table(&[row(&["applied", "1_a", "", "x"], &[]), row(&["no", "10_bcd", ""], &["why"])]);
        assert_eq!(text, "applied  1_a       x\nno       10_bcd\n         why");
    }
}
