//! JSON for programs; its shape is versioned by `schema_version`.

use super::{Options, ReportFormat};
use crate::model::ScanReport;
use std::io::{self, Write};

/// The format.
pub struct Json;

impl ReportFormat for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn write(&self, report: &ScanReport, _: Options, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, report)?;
        writeln!(out)
    }
}
