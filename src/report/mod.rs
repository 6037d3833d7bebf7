//! Ways of writing a scan's result. A report looks nothing up.

mod cyclonedx;
pub mod disks;
mod json;
mod spdx;
pub mod sweep;
mod table;

use crate::model::{ScanReport, uuid};
use sha2::{Digest, Sha256};
use std::io::{self, Write};

/// A way of writing a report.
pub trait ReportFormat: Send + Sync {
    /// Name on the command line.
    fn name(&self) -> &'static str;

    /// Writes the report.
    fn write(&self, report: &ScanReport, options: Options, out: &mut dyn Write) -> io::Result<()>;
}

/// What is asked of a report; a format that has no use for a wish passes over it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Findings in a bill of materials.
    pub vulnerabilities: Vulnerabilities,
    /// Where it will be seen.
    pub screen: Screen,
}

/// What a report for people may do with the screen; by default, a file's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Screen {
    /// Columns; none where lines are not to be wrapped.
    pub width: Option<u16>,
    /// Colours.
    pub colour: Colour,
}

/// Whether colours are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Colour {
    /// Text only.
    #[default]
    No,
    /// ANSI escape sequences.
    Yes,
}

/// Whether a bill of materials also holds the findings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Vulnerabilities {
    /// Only what is installed.
    #[default]
    Omit,
    /// What is installed, and which advisories apply to it.
    Include,
}

/// All formats; the first is the default.
pub const FORMATS: &[&dyn ReportFormat] =
    &[&table::Table, &json::Json, &cyclonedx::CycloneDx, &cyclonedx::CycloneDx16, &spdx::Spdx];

/// The format of this name.
pub fn by_name(name: &str) -> Option<&'static dyn ReportFormat> {
    FORMATS.iter().copied().find(|format| format.name() == name)
}

/// A UUID of version 8 (RFC 9562): the SHA-256 of the document that it is the number of.
fn uuid_of(document: &[u8]) -> String {
    let digest = Sha256::digest(document);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    bytes[6] = 0x80 | bytes[6] & 0x0f;
    bytes[8] = 0x80 | bytes[8] & 0x3f;
    uuid(&bytes)
}
