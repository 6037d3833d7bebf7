//! What the disks hold, alone: the tree for people, JSON for programs.

pub use super::table::write_disks as write_table;

use crate::model::{Coverage, Gap, Receipt, ScanReport};
use serde::Serialize;
use std::io::{self, Write};

/// The parts of a scan's report that tell of disks, named as there.
#[derive(Serialize)]
struct Disks<'a> {
    schema_version: u32,
    coverage: &'a Coverage,
    gaps: &'a [Gap],
    receipt: &'a Receipt,
}

/// Writes JSON.
pub fn write_json(report: &ScanReport, out: &mut dyn Write) -> io::Result<()> {
    let ScanReport { schema_version, coverage, gaps, receipt, .. } = report;
    let disks = Disks { schema_version: *schema_version, coverage, gaps, receipt };
    serde_json::to_writer_pretty(&mut *out, &disks)?;
    writeln!(out)
}
