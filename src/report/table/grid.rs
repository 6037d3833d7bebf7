//! Columns of text, wrapped to the width of a terminal if there is one.

use crate::model::printable_str;
use crate::report::{Colour, Screen};
use comfy_table::{Cell, ColumnConstraint, ContentArrangement, Table, Width, presets};
use std::io::{self, Write};

/// Spaces between columns.
const GAP: u16 = 2;

/// Rows under construction.
pub(super) struct Grid(Table);

impl Grid {
    /// An empty one, for this screen.
    pub(super) fn new(screen: Screen) -> Self {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_content_arrangement(match screen.width {
            Some(_) => ContentArrangement::Dynamic,
            None => ContentArrangement::Disabled,
        });
        // One more for the gap after the last column, which is cut off.
        screen.width.iter().for_each(|width| {
            table.set_width(width.saturating_add(GAP));
        });
        match screen.colour {
            Colour::Yes => table.enforce_styling(),
            Colour::No => table.force_no_tty(),
        };
        Self(table)
    }

    /// Adds a row.
    pub(super) fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        self.0.add_row(cells);
    }

    /// Writes all rows, with these widths of the first columns.
    pub(super) fn write_fixed(mut self, widths: &[u16], out: &mut dyn Write) -> io::Result<()> {
        for (column, width) in self.0.column_iter_mut().zip(widths) {
            column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(width + GAP)));
        }
        self.write(out)
    }

    /// Writes all rows.
    pub(super) fn write(mut self, out: &mut dyn Write) -> io::Result<()> {
        for column in self.0.column_iter_mut() {
            column.set_padding((0, GAP));
        }
        for line in self.0.lines() {
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// A cell of plain text.
pub(super) fn cell(text: &str) -> Cell {
    Cell::new(printable_str(text))
}
