//! What `dpkg-query` says is installed on each disk.

use crate::standin::Standin;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;

const FORMAT: &str =
    "--showformat=${Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\n";

/// The packages of the disk `image`, as sorted lines of `dpkg-query`: those written beside a real
/// disk when it was made, or those of the committed root that the small disks are filled from.
pub fn packages(standin: &Standin, image: &str) -> Vec<String> {
    let disk = fs::canonicalize(standin.image(image)).expect("the disk");
    let beside = disk.with_file_name(format!("{image}.packages"));
    let text = fs::read_to_string(beside).unwrap_or_else(|_| small());
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    assert!(lines.len() > 3, "a witness that says nothing is none");
    lines.sort();
    lines
}

fn small() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("disk-fixtures/quickstart-root");
    let mut command = Command::new("dpkg-query");
    command.arg("--admindir").arg(root.join("var/lib/dpkg")).args(["-W", FORMAT]);
    let output = command.output().expect("dpkg-query runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The packages of a report in the same form.
pub fn reported(report: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let line = |package: &Value| {
        let source = &package["source"];
        let fields = [&package["name"], &package["version"], &package["arch"]];
        let fields = fields.into_iter().chain([&source["name"], &source["version"]]);
        fields.map(text).collect::<Vec<_>>().join("\t")
    };
    let packages = report["assets"][0]["packages"].as_array().expect("packages");
    // Those that dpkg knows: its query says nothing of others.
    let of_dpkg = packages.iter().filter(|package| package["ecosystem"] == "deb");
    let mut lines: Vec<_> = of_dpkg.map(line).collect();
    lines.sort();
    lines
}
