//! What the integration tests share: the real disks, and running the program.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};
pub use test_material::{disks, root};

/// Runs `sidelight` and gives its output.
pub fn sidelight(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sidelight"))
        .args(arguments)
        .output()
        .expect("the program runs")
}

/// Runs a tool that makes or changes disks, from wherever distributions put it; what it prints.
pub fn tool(program: &str, arguments: &[&str]) -> String {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let output = Command::new(program).args(arguments).env("PATH", path).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Scans to JSON; the exit code and the report.
pub fn scan(targets: &[&Path]) -> (i32, Value) {
    scan_with(&[], targets)
}

/// Scans images with these options too.
pub fn scan_with(options: &[&str], targets: &[&Path]) -> (i32, Value) {
    let mut arguments = vec!["scan", "--format", "json", "--no-match"];
    arguments.extend(options);
    arguments.extend(targets.iter().map(|path| path.to_str().expect("UTF-8 path")));
    let output = sidelight(&arguments);
    let code = output.status.code().expect("not killed");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(code != 2, "{stderr}");
    (code, serde_json::from_slice(&output.stdout).expect("valid JSON"))
}

/// The packages of the first asset that its system's manager knows, as lines of `dpkg-query`, sorted.
pub fn packages(report: &Value) -> Vec<String> {
    let packages = report["assets"][0]["packages"].as_array().expect("packages");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let mut lines: Vec<_> = packages
        .iter()
        .filter(|p| ["deb", "rpm", "apk", "alpm"].iter().any(|kind| p["ecosystem"] == *kind))
        .map(|p| {
            let source = &p["source"];
            [&p["name"], &p["version"], &p["arch"], &source["name"], &source["version"]]
                .map(text)
                .join("\t")
        })
        .collect();
    lines.sort();
    lines
}
