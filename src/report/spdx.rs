//! SPDX 2.3 in JSON (<https://spdx.github.io/spdx-spec/v2.3/>): the software bill of materials of a host.
//!
//! The document describes the host, which contains its operating system's and other packages; a container
//! is a package that contains its own. What was not read stands in the comment of the document. The time
//! that the format asks for is that of writing, or that of `SOURCE_DATE_EPOCH`.

use super::{Options, ReportFormat, uuid_of};
use crate::model::{Asset, AssetKind, Package, PackageState, ScanReport};
use serde_json::{Value, json};
use std::io::{self, Write};

/// The format.
pub struct Spdx;

/// Said where nothing is known or claimed.
const NOTHING: &str = "NOASSERTION";
const DOCUMENT: &str = "SPDXRef-DOCUMENT";

impl ReportFormat for Spdx {
    fn name(&self) -> &'static str {
        "spdx"
    }

    fn write(&self, report: &ScanReport, _: Options, out: &mut dyn Write) -> io::Result<()> {
        let mut parts = Parts::default();
        for (index, asset) in report.assets.iter().enumerate() {
            parts.add(index, asset, report);
        }
        let name = report.assets.first().map_or("unknown", |asset| asset.name.as_str());
        let mut document = json!({
            "spdxVersion": "SPDX-2.3",
            "dataLicense": "CC0-1.0",
            "SPDXID": DOCUMENT,
            "name": name,
            "packages": parts.packages,
            "relationships": parts.relationships,
        });
        if !report.gaps.is_empty() {
            document["comment"] = json!(gaps(report));
        }
        let id = uuid_of(&serde_json::to_vec(&document).map_err(io::Error::other)?);
        document["documentNamespace"] = json!(format!("https://sidelight.invalid/spdx/{id}"));
        document["creationInfo"] = json!({
            "created": created(),
            "creators": [concat!("Tool: sidelight-", env!("CARGO_PKG_VERSION"))],
        });
        serde_json::to_writer_pretty(&mut *out, &document).map_err(io::Error::other)?;
        out.write_all(b"\n")
    }
}

#[derive(Default)]
struct Parts {
    packages: Vec<Value>,
    relationships: Vec<Value>,
}

impl Parts {
    fn add(&mut self, index: usize, asset: &Asset, report: &ScanReport) {
        let id = format!("SPDXRef-Asset-{index}");
        let os = &report.host.os;
        let (purpose, version) = match asset.kind {
            AssetKind::Host => ("OPERATING-SYSTEM", format!("{} {}", os.id, os.version_id)),
            AssetKind::Container | AssetKind::Image => ("CONTAINER", of_container(asset)),
        };
        let mut about = base(&id, &asset.name, version.trim());
        about["primaryPackagePurpose"] = json!(purpose);
        if let Some(context) = &asset.container {
            let image = context.image.reference.as_ref().or(context.image.names.first());
            let image = image.map_or("an image without a name", String::as_str);
            let (engine, kind) = (context.engine.as_str(), asset.kind.as_str());
            about["comment"] = json!(format!("{engine} {kind} {} of {image}", asset.id));
        }
        self.packages.push(about);
        self.relate(DOCUMENT, "DESCRIBES", &id);
        for (number, package) in asset.packages.iter().enumerate() {
            let reference = format!("SPDXRef-Package-{index}-{number}");
            self.packages.push(described(&reference, package));
            self.relate(&id, "CONTAINS", &reference);
        }
    }

    fn relate(&mut self, one: &str, how: &str, other: &str) {
        self.relationships.push(json!({
            "spdxElementId": one,
            "relationshipType": how,
            "relatedSpdxElement": other,
        }));
    }
}

/// The system of a container, as that of the host is told.
fn of_container(asset: &Asset) -> String {
    let os = asset.container.as_deref().map(|context| &context.os);
    os.map_or(String::new(), |os| format!("{} {}", os.id, os.version_id))
}

/// What every package must say.
fn base(id: &str, name: &str, version: &str) -> Value {
    let mut package = json!({
        "SPDXID": id,
        "name": name,
        "downloadLocation": NOTHING,
        "filesAnalyzed": false,
        "copyrightText": NOTHING,
        "licenseConcluded": NOTHING,
        "licenseDeclared": NOTHING,
    });
    if !version.is_empty() {
        package["versionInfo"] = json!(version);
    }
    package
}

fn described(id: &str, package: &Package) -> Value {
    let mut value = base(id, &package.name, &package.version);
    if let Some(vendor) = &package.vendor {
        value["supplier"] = json!(format!("Organization: {vendor}"));
    }
    let mut found = format!("found in {}", package.evidence.join(", "));
    found.push_str(match package.state {
        PackageState::Installed => "",
        PackageState::Unpacked => "; unpacked and not configured",
        PackageState::Locked => "; named by a lockfile, which does not prove that it is installed",
    });
    if let Some(owner) = &package.owner {
        found.push_str("; belongs to the package of the system ");
        found.push_str(owner);
    }
    if let Some(kernel) = &package.kernel {
        found.extend(["; kernel ", &kernel.release, ", ", kernel.state.told()]);
    }
    value["sourceInfo"] = json!(found);
    value["externalRefs"] = json!([{
        "referenceCategory": "PACKAGE-MANAGER",
        "referenceType": "purl",
        "referenceLocator": package.purl,
    }]);
    value
}

fn gaps(report: &ScanReport) -> String {
    let gap =
        |gap: &crate::model::Gap| format!("{}: {}: {}", gap.place, gap.reason.as_str(), gap.detail);
    let lines: Vec<_> = report.gaps.iter().map(gap).collect();
    format!("This list may be incomplete; not read or not matched:\n{}", lines.join("\n"))
}

/// To the second, as the format wants it.
fn created() -> String {
    let epoch = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|text| text.parse().ok());
    let second = epoch.unwrap_or_else(|| jiff::Timestamp::now().as_second());
    jiff::Timestamp::from_second(second).unwrap_or_default().to_string()
}
