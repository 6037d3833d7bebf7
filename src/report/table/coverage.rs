//! The parts of the disks as a tree: what each holds, how large it is, what became of it.

use super::grid::{Grid, cell};
use crate::model::{Coverage, Part, PartState, SubvolumePart};
use crate::report::Screen;
use std::collections::BTreeSet;
use std::io::{self, Write};

/// Volumes in volumes are shown this deep.
const MOST_DEPTH: usize = 16;
/// Subvolumes of one filesystem that have a row each.
const MOST_SUBVOLUMES: usize = 32;

/// Writes the tree, and the bytes by state.
pub fn write(coverage: &Coverage, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    let (mut grid, mut shown) = (Grid::new(screen), BTreeSet::new());
    for root in coverage.parts.iter().filter(|part| part.on.is_empty()) {
        grid.row(row(root, &root.name));
        branches(coverage, root, "", &mut shown, &mut grid);
    }
    grid.write(out)?;
    let bytes = coverage.bytes;
    let parts = [("scanned", bytes.scanned), ("not needed", bytes.not_needed), ("gaps", bytes.gap)];
    let parts = parts.map(|(name, bytes)| format!("{name} {}", size(bytes)));
    writeln!(out, "{}", parts.join(", "))
}

/// All that is in or stands on a part. What stands on several has its own branches below that which is shown
/// first.
fn branches<'a>(
    coverage: &'a Coverage,
    part: &Part,
    indent: &str,
    shown: &mut BTreeSet<&'a str>,
    grid: &mut Grid,
) {
    if indent.chars().count() > 3 * MOST_DEPTH {
        return;
    }
    let mut inner = coverage.parts.iter().filter(|it| it.on.contains(&part.name)).peekable();
    subvolumes(part, indent, inner.peek().is_some(), grid);
    while let Some(inside) = inner.next() {
        let (corner, deeper) = match inner.peek() {
            Some(_) => ("├─ ", "│  "),
            None => ("└─ ", "   "),
        };
        let within = format!("{}:", part.name);
        let short = inside.name.strip_prefix(&within).unwrap_or(&inside.name);
        let name = format!("{indent}{corner}{short}");
        if shown.insert(&inside.name) {
            grid.row(row(inside, &name));
            branches(coverage, inside, &format!("{indent}{deeper}"), shown, grid);
        } else {
            grid.row([cell(&name), cell(""), cell(""), cell("see above"), cell("")]);
        }
    }
}

/// The subvolumes of a filesystem. Of the snapshots of one, and of those past the first rows, only the
/// number is shown; JSON has them all.
fn subvolumes(part: &Part, indent: &str, goes_on: bool, grid: &mut Grid) {
    let rows = subvolume_rows(&part.subvolumes);
    for (at, (name, state, place)) in rows.iter().enumerate() {
        let corner = if goes_on || at + 1 < rows.len() { "├─ " } else { "└─ " };
        let name = format!("{indent}{corner}{name}");
        grid.row([cell(&name), cell("subvolume"), cell(""), cell(state.as_str()), cell(place)]);
    }
}

fn subvolume_rows(subvolumes: &[SubvolumePart]) -> Vec<(String, PartState, String)> {
    let mut rows = Vec::new();
    let mut many: Vec<(PartState, String, usize, &str)> = Vec::new();
    for it in subvolumes {
        let place = match &it.detail {
            Some(detail) if it.mounts.is_empty() => detail.clone(),
            _ => it.mounts.join(", "),
        };
        if it.state != PartState::NotNeeded && rows.len() < MOST_SUBVOLUMES {
            rows.push((it.path.clone(), it.state, place));
            continue;
        }
        // Each layer of a container is a snapshot of another one.
        let place = if many.len() < MOST_SUBVOLUMES { place } else { String::new() };
        match many.iter_mut().find(|(state, text, ..)| (*state, text) == (it.state, &place)) {
            Some((_, _, count, _)) => *count += 1,
            None => many.push((it.state, place, 1, &it.path)),
        }
    }
    rows.extend(many.into_iter().map(|(state, place, count, first)| {
        let more = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
        (format!("{first}{more}"), state, place)
    }));
    rows
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
        cell(&known_size(part)),
        cell(part.state.as_str()),
        cell(&place),
    ]
}

/// The size of a disk that could not be opened is not known.
fn known_size(part: &Part) -> String {
    if part.size == 0 && part.state == PartState::Gap { String::new() } else { size(part.size) }
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
