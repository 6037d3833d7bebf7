//! The parts of the disks as a tree: what each holds, how large it is, what became of it.

use super::grid::{Grid, cell};
use crate::model::{Coverage, Part};
use crate::report::Screen;
use std::io::{self, Write};

/// Volumes in volumes are shown this deep.
const MOST_DEPTH: usize = 16;

/// Writes the tree, and the bytes by state.
pub fn write(coverage: &Coverage, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    let mut grid = Grid::new(screen);
    for root in coverage.parts.iter().filter(|part| part.on.is_empty()) {
        grid.row(row(root, &root.name));
        branches(coverage, root, "", &mut grid);
    }
    grid.write(out)?;
    let bytes = coverage.bytes;
    let parts = [("scanned", bytes.scanned), ("not needed", bytes.not_needed), ("gaps", bytes.gap)];
    let parts = parts.map(|(name, bytes)| format!("{name} {}", size(bytes)));
    writeln!(out, "{}", parts.join(", "))
}

/// All that is in or stands on a part. What stands on several has its own branches below the first of
/// them.
fn branches(coverage: &Coverage, part: &Part, indent: &str, grid: &mut Grid) {
    if indent.chars().count() > 3 * MOST_DEPTH {
        return;
    }
    let mut inner = coverage.parts.iter().filter(|it| it.on.contains(&part.name)).peekable();
    while let Some(inside) = inner.next() {
        let (corner, deeper) = match inner.peek() {
            Some(_) => ("├─ ", "│  "),
            None => ("└─ ", "   "),
        };
        let within = format!("{}:", part.name);
        let short = inside.name.strip_prefix(&within).unwrap_or(&inside.name);
        let name = format!("{indent}{corner}{short}");
        if inside.on.first() == Some(&part.name) {
            grid.row(row(inside, &name));
            branches(coverage, inside, &format!("{indent}{deeper}"), grid);
        } else {
            grid.row([cell(&name), cell(""), cell(""), cell("see above"), cell("")]);
        }
    }
}

fn row(part: &Part, name: &str) -> [comfy_table::Cell; 5] {
    let holds = part.holds.as_deref().unwrap_or_default();
    let label = part.label.as_ref().map_or(String::new(), |label| format!(" {label:?}"));
    let place = match &part.detail {
        Some(detail) if part.mounts.is_empty() => detail.clone(),
        _ => part.mounts.join(", "),
    };
    [
        cell(name),
        cell(&format!("{holds}{label}")),
        cell(&size(part.size)),
        cell(part.state.as_str()),
        cell(&place),
    ]
}

/// As people write sizes of disks.
fn size(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let unit = (bytes.max(1).ilog2() / 10) as usize;
    let shift = 10 * unit;
    let tenths = if unit == 0 { 0 } else { (bytes >> (shift - 10)) % 1024 * 10 / 1024 };
    match tenths {
        0 => format!("{} {}", bytes >> shift, units[unit]),
        tenths => format!("{}.{tenths} {}", bytes >> shift, units[unit]),
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes() {
        for (bytes, expected) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1 << 10, "1 KiB"),
            (1536, "1.5 KiB"),
            (8 << 30, "8 GiB"),
            ((8 << 30) - 1, "7.9 GiB"),
            (u64::MAX, "15.9 EiB"),
        ] {
            assert_eq!(size(bytes), expected);
        }
    }
}
