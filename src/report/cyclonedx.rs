//! CycloneDX 1.5 in JSON (<https://cyclonedx.org/docs/1.5/json/>): the software bill of materials
//! of a host, and on request its findings as vulnerabilities.
//!
//! The host is the subject of the document, with its context as properties named `sidelight:…`.
//! Gaps are properties too, and make the composition incomplete, so that nobody takes the list for
//! whole when it is not. There is no clock and no random number in it: the serial number is made
//! from the content, so that two scans of one disk give one document.

mod components;
mod context;
mod v1_6;
mod vulnerabilities;

use super::{Options, ReportFormat, Vulnerabilities, uuid_of};
use crate::model::ScanReport;
use components::{HOST, Parts};
use cyclonedx_bom::models::component::Components;
use cyclonedx_bom::models::composition::{AggregateType, Composition, Compositions};
use cyclonedx_bom::models::dependency::Dependencies;
use cyclonedx_bom::models::metadata::Metadata;
use cyclonedx_bom::models::property::Properties;
use cyclonedx_bom::models::tool::{Tool, Tools};
use cyclonedx_bom::prelude::{Bom, SpecVersion, UrnUuid};
use std::io::{self, Write};
pub use v1_6::CycloneDx16;

/// The newest version that the crate writes.
const VERSION: SpecVersion = SpecVersion::V1_5;

/// The format.
pub struct CycloneDx;

impl ReportFormat for CycloneDx {
    fn name(&self) -> &'static str {
        "cyclonedx"
    }

    fn write(&self, report: &ScanReport, options: Options, out: &mut dyn Write) -> io::Result<()> {
        let (mut bom, _) = document(report, options);
        bom.serial_number = Some(serial_number(&json(bom.clone())?)?);
        let mut text = json(bom)?;
        text.push(b'\n');
        out.write_all(&text)
    }
}

/// Through a buffer, for the crate's error hides what kind of failure a write was.
fn json(bom: Bom) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    bom.output_as_json(&mut text, VERSION).map_err(io::Error::other)?;
    // The crate (0.8.1) names this member of `analysis` by its model, not by the schema. Inside a
    // string the quotes would be escaped, so that only the name of a member is met.
    let text = String::from_utf8(text).map_err(io::Error::other)?;
    Ok(text.replace("\"responses\": [", "\"response\": [").into_bytes())
}

fn serial_number(document: &[u8]) -> io::Result<UrnUuid> {
    let urn = UrnUuid::new(format!("urn:uuid:{}", uuid_of(document)));
    urn.map_err(|error| io::Error::other(format!("{error:?}")))
}

fn document(report: &ScanReport, options: Options) -> (Bom, Parts<'_>) {
    let mut parts = Parts::of(report);
    let mut properties = context::properties(report);
    // Without a feed nothing was matched, which an empty list would deny.
    let include = options.vulnerabilities == Vulnerabilities::Include && !report.feeds.is_empty();
    let vulnerabilities = include.then(|| {
        properties.extend(context::feeds(report));
        vulnerabilities::of(report, &mut parts)
    });
    let components = std::mem::take(&mut parts.components);
    let dependencies = std::mem::take(&mut parts.dependencies);
    let bom = Bom {
        // The crate's default is a random one.
        serial_number: None,
        metadata: Some(Metadata {
            timestamp: None,
            tools: Some(Tools::List(vec![Tool::new(
                "Sidelight",
                "sidelight",
                env!("CARGO_PKG_VERSION"),
            )])),
            authors: None,
            component: Some(components::subject(report)),
            manufacture: None,
            supplier: None,
            licenses: None,
            properties: Some(Properties(properties)),
            lifecycles: None,
        }),
        components: Some(Components(components)),
        dependencies: Some(Dependencies(dependencies)),
        compositions: compositions(report),
        vulnerabilities,
        spec_version: VERSION,
        ..Bom::default()
    };
    (bom, parts)
}

/// Nothing is said of a list without gaps: a host can hold software that no package manager knows.
fn compositions(report: &ScanReport) -> Option<Compositions> {
    let host = cyclonedx_bom::models::bom::BomReference::new(HOST);
    let incomplete = Composition {
        bom_ref: None,
        aggregate: AggregateType::Incomplete,
        assemblies: Some(vec![host]),
        dependencies: None,
        vulnerabilities: None,
        signature: None,
    };
    (!report.gaps.is_empty()).then(|| Compositions(vec![incomplete]))
}
