//! The official schemas as a witness, in the environment that `scripts/setup` makes.

use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The validator, where it is installed.
pub fn validator() -> Option<Validator> {
    test_material::python().map(Validator)
}

/// A way to ask whether a document is valid.
pub struct Validator(PathBuf);

impl Validator {
    /// What is wrong with the document, a line for each error.
    pub fn errors(&self, document: &[u8]) -> String {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scan/report/sbom_schema.py");
        let mut child = Command::new(&self.0)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python runs");
        let mut input = child.stdin.take().expect("piped");
        input.write_all(document).expect("the validator reads all of its input");
        drop(input);
        let output = child.wait_with_output().expect("the validator ends");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        assert_eq!(output.status.success(), text.is_empty(), "the validator did not run: {text}");
        text
    }
}

/// What the schema cannot say: references are unique, and each one leads somewhere.
pub fn check_references(bom: &Value) {
    let mut known = std::collections::BTreeSet::new();
    let list = |name: &str| bom[name].as_array().cloned().unwrap_or_default();
    let subject = bom["metadata"]["component"].clone();
    for part in [vec![subject], list("components"), list("vulnerabilities")].concat() {
        let reference = part["bom-ref"].as_str().expect("a reference").to_owned();
        assert!(known.insert(reference.clone()), "{reference} is there twice");
    }
    let mut used = Vec::new();
    for dependency in list("dependencies") {
        used.push(dependency["ref"].clone());
        used.extend(dependency["dependsOn"].as_array().cloned().unwrap_or_default());
    }
    for vulnerability in list("vulnerabilities") {
        let affects = vulnerability["affects"].as_array().cloned().unwrap_or_default();
        used.extend(affects.iter().map(|target| target["ref"].clone()));
    }
    for reference in used {
        let reference = reference.as_str().expect("a reference");
        assert!(known.contains(reference), "{reference} leads nowhere");
    }
}
