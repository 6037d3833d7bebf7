//! Kernels in every format: which of them runs, and findings on one that does not.

use super::sample::{self, finding, package, written};
use serde_json::{Value, json};
use sidelight::model::{Confidence, KernelSign, KernelState, PackagedKernel, ScanReport};
use sidelight::report::{Colour, Options, Screen, Vulnerabilities};

const OLD: &str = "5.10.0-28-amd64";
const NEW: &str = "6.1.0-18-amd64";

fn report() -> ScanReport {
    let mut report = sample::report();
    let sign = |version: &str| KernelSign {
        version: version.to_owned(),
        evidence: "/var/log/wtmp: started at 2024-01-01T00:00:00Z".to_owned(),
        confidence: Confidence::High,
    };
    report.host.kernels = vec![OLD.to_owned(), NEW.to_owned()];
    report.host.running_kernel = Some(sign(OLD));
    report.host.next_kernel = Some(sign(NEW));
    let asset = &mut report.assets[0];
    for (release, version, state) in
        [(OLD, "5.10.209-2", KernelState::Running), (NEW, "6.1.76-1", KernelState::NotRunning)]
    {
        let mut image = package(&format!("linux-image-{release}"), version, "linux", version);
        image.kernel = Some(PackagedKernel { release: release.to_owned(), state });
        asset.findings.push(finding("CVE-2024-1086", &image));
        asset.packages.push(image);
    }
    report
}

fn json_of(format: &str) -> Value {
    let options = Options { vulnerabilities: Vulnerabilities::Include, ..Options::default() };
    serde_json::from_slice(&written(&report(), format, options)).expect("JSON")
}

#[test]
fn json_has_the_kernel_of_packages_and_of_findings() {
    let report = json_of("json");
    let asset = &report["assets"][0];
    assert_eq!(asset["packages"][5]["kernel"], json!({ "release": OLD, "state": "running" }));
    assert_eq!(asset["packages"][6]["kernel"], json!({ "release": NEW, "state": "not_running" }));
    assert_eq!(asset["packages"][0].get("kernel"), None);
    let findings = asset["findings"].as_array().expect("findings");
    let states: Vec<_> = findings.iter().rev().take(3).map(|it| &it["kernel"]).collect();
    assert_eq!(states, [&json!("not_running"), &json!("running"), &Value::Null]);
}

#[test]
fn the_table_tells_which_kernel_runs() {
    for width in [None, Some(120)] {
        let screen = Screen { width, colour: Colour::No };
        let options = Options { screen, ..Options::default() };
        let text = String::from_utf8(written(&report(), "table", options)).expect("UTF-8");
        for part in [
            &format!("{OLD} (running)"),
            &format!("{NEW} (next)"),
            "5.10.209-2 (kernel running)",
            "6.1.76-1 (kernel installed, not running)",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}

#[test]
fn lists_of_packages_tell_the_state_of_their_kernels() {
    let property = |component: &Value, name: &str| {
        let all = component["properties"].as_array().expect("properties");
        let found = all.iter().find(|it| it["name"] == format!("sidelight:{name}"));
        found.map(|it| it["value"].clone())
    };
    for format in ["cyclonedx", "cyclonedx-1.6"] {
        let bom = json_of(format);
        let components = bom["components"].as_array().expect("components");
        let named = |name: &str| components.iter().find(|it| it["name"] == name).expect("there");
        let image = named(&format!("linux-image-{NEW}"));
        assert_eq!(property(image, "kernel"), Some(json!(NEW)));
        assert_eq!(property(image, "kernel_state"), Some(json!("not_running")));
        assert_eq!(property(named("curl"), "kernel_state"), None);
    }
    let document = json_of("spdx");
    let packages = document["packages"].as_array().expect("packages");
    let image = packages.iter().find(|it| it["name"] == format!("linux-image-{NEW}"));
    let source = image.expect("there")["sourceInfo"].as_str().expect("text");
    assert!(source.ends_with(&format!("; kernel {NEW}, installed, not running")), "{source}");
}
