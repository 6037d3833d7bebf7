//! CycloneDX 1.6 in JSON (<https://cyclonedx.org/docs/1.6/json/>), which the crate does not write: its document
//! of 1.5, which 1.6 takes as it is, with what 1.6 can say of how a package was found.

use super::document;
use crate::model::{Ecosystem, Package, PackageState, ScanReport};
use crate::report::{Options, ReportFormat, uuid_of};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{self, Write};

/// The format.
pub struct CycloneDx16;

impl ReportFormat for CycloneDx16 {
    fn name(&self) -> &'static str {
        "cyclonedx-1.6"
    }

    fn write(&self, report: &ScanReport, options: Options, out: &mut dyn Write) -> io::Result<()> {
        let (bom, parts) = document(report, options);
        let mut bom: Value =
            serde_json::from_slice(&super::json(bom)?).map_err(io::Error::other)?;
        bom["$schema"] = json!("http://cyclonedx.org/schema/bom-1.6.schema.json");
        bom["specVersion"] = json!("1.6");
        let packages = parts.by_reference();
        let components = bom["components"].as_array_mut().into_iter().flatten();
        for component in components {
            add_evidence(component, &packages);
        }
        let text = serde_json::to_vec_pretty(&bom).map_err(io::Error::other)?;
        bom["serialNumber"] = json!(format!("urn:uuid:{}", uuid_of(&text)));
        serde_json::to_writer_pretty(&mut *out, &bom).map_err(io::Error::other)?;
        out.write_all(b"\n")
    }
}

/// Says how the package was told.
fn add_evidence(component: &mut Value, packages: &HashMap<&str, &Package>) {
    let reference = component["bom-ref"].as_str().unwrap_or_default();
    let Some(package) = packages.get(reference) else { return };
    let (technique, confidence) = technique(package);
    let methods: Vec<_> = package
        .evidence
        .iter()
        .map(|path| json!({ "technique": technique, "confidence": confidence, "value": path }))
        .collect();
    component["evidence"]["identity"] = json!([{
        "field": "purl",
        "confidence": confidence,
        "concludedValue": package.purl,
        "methods": methods,
    }]);
}

/// What was looked at, and how sure it makes: the record of a manager says what is installed, a text in a
/// program what it was built from, a lockfile only what was meant to be.
fn technique(package: &Package) -> (&'static str, f64) {
    let from_program = !package.evidence.iter().any(|path| is_text(path));
    match package.ecosystem {
        _ if package.state == PackageState::Locked => ("manifest-analysis", 0.5),
        Ecosystem::Generic if from_program => ("binary-analysis", 0.8),
        Ecosystem::Golang | Ecosystem::Cargo if from_program => ("binary-analysis", 1.0),
        _ => ("manifest-analysis", 1.0),
    }
}

/// Whether a path is that of a text with versions, and not of a program.
fn is_text(path: &str) -> bool {
    let ending = path.rsplit('/').next().and_then(|name| name.rsplit_once('.'));
    ending.is_some_and(|(_, ending)| matches!(ending, "mod" | "lock" | "sum" | "h" | "php"))
}
