//! CycloneDX 1.5 in JSON: the software bill of materials of a host.
//!
//! The host is the subject of the document, with its context as properties named `sidelight:…`.
//! Gaps are properties too, so that nobody takes the list for complete when it is not.

use super::ReportFormat;
use crate::model::{Asset, Package, ScanReport};
use cyclonedx_bom::external_models::normalized_string::NormalizedString;
use cyclonedx_bom::external_models::uri::Purl;
use cyclonedx_bom::models::component::{Classification, Component, ComponentEvidence, Components};
use cyclonedx_bom::models::component::{Occurrence, Occurrences};
use cyclonedx_bom::models::metadata::Metadata;
use cyclonedx_bom::models::property::{Properties, Property};
use cyclonedx_bom::models::tool::{Tool, Tools};
use cyclonedx_bom::prelude::{Bom, SpecVersion};
use std::io::{self, Write};
use std::str::FromStr;

/// The format.
pub struct CycloneDx;

impl ReportFormat for CycloneDx {
    fn name(&self) -> &'static str {
        "cyclonedx"
    }

    fn write(&self, report: &ScanReport, out: &mut dyn Write) -> io::Result<()> {
        // Through a buffer, for the crate's error hides what kind of failure a write was.
        let mut text = Vec::new();
        bom(report).output_as_json(&mut text, SpecVersion::V1_5).map_err(io::Error::other)?;
        text.push(b'\n');
        out.write_all(&text)
    }
}

/// Holds neither a clock nor a random serial number: two scans of one disk give one document.
fn bom(report: &ScanReport) -> Bom {
    let tool = Tool::new("Sidelight", "sidelight", env!("CARGO_PKG_VERSION"));
    Bom {
        serial_number: None,
        metadata: Some(Metadata {
            timestamp: None,
            tools: Some(Tools::List(vec![tool])),
            component: Some(subject(report)),
            properties: Some(Properties(context(report))),
            ..empty_metadata()
        }),
        components: Some(Components(report.assets.iter().flat_map(components).collect())),
        spec_version: SpecVersion::V1_5,
        ..Bom::default()
    }
}

fn empty_metadata() -> Metadata {
    Metadata {
        timestamp: None,
        tools: None,
        authors: None,
        component: None,
        manufacture: None,
        supplier: None,
        licenses: None,
        properties: None,
        lifecycles: None,
    }
}

fn subject(report: &ScanReport) -> Component {
    let host = &report.host;
    let name = report.assets.first().map_or("host", |asset| asset.name.as_str());
    let mut subject =
        Component::new(Classification::OperatingSystem, &host.os.id, &host.os.version_id, None);
    subject.description = Some(NormalizedString::new(&host.os.pretty_name));
    subject.bom_ref = Some(format!("host:{name}"));
    subject
}

fn context(report: &ScanReport) -> Vec<Property> {
    let host = &report.host;
    let mut context = Vec::new();
    let mut add = |name: &str, value: &str| {
        context.push(Property::new(format!("sidelight:{name}"), value));
    };
    host.hostname.iter().for_each(|name| add("hostname", name));
    host.machine_id.iter().for_each(|id| add("machine_id", id));
    host.ips.iter().for_each(|address| add("ip", address));
    host.kernels.iter().for_each(|kernel| add("kernel", kernel));
    host.cloud.account.iter().for_each(|account| add("cloud:account", account));
    host.cloud.region.iter().for_each(|region| add("cloud:region", region));
    host.cloud.instance_id.iter().for_each(|id| add("cloud:instance_id", id));
    host.cloud.snapshots.iter().for_each(|id| add("cloud:snapshot", id));
    host.cloud.tags.iter().for_each(|(key, value)| add(&format!("cloud:tag:{key}"), value));
    for gap in &report.gaps {
        add("gap", &format!("{}: {}: {}", gap.place, gap.reason.as_str(), gap.detail));
    }
    context
}

fn components(asset: &Asset) -> Vec<Component> {
    asset.packages.iter().map(component).collect()
}

fn component(package: &Package) -> Component {
    let kind = Classification::Library;
    let mut component =
        Component::new(kind, &package.name, &package.version, Some(package.purl.clone()));
    component.purl = Purl::from_str(&package.purl).ok();
    component.properties = Some(Properties(vec![
        Property::new("sidelight:source_name", &package.source.name),
        Property::new("sidelight:source_version", &package.source.version),
    ]));
    let occurrences = package.evidence.iter().map(|path| Occurrence::new(path)).collect();
    component.evidence = Some(ComponentEvidence {
        licenses: None,
        copyright: None,
        occurrences: Some(Occurrences(occurrences)),
        callstack: None,
        identity: None,
    });
    component
}
