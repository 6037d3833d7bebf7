//! Containers whose records are lost, as far as the runtime's configurations beside them tell.
//!
//! The records of CRI-O's containers are in a file that is never flushed: a machine that stops at once, or a
//! snapshot of one that runs, may have them half or not at all.

use super::records::Container;
use super::spec::Spec;
use crate::containers::store::{Store, is_plain};
use crate::model::Gap;
use serde_json::json;
use std::collections::HashSet;

/// Records made anew of the containers of a driver that are not known.
pub fn records(
    store: &Store,
    driver: &str,
    known: &HashSet<String>,
    most: usize,
    gaps: &mut Vec<Gap>,
) -> Vec<Container> {
    let names = store.names(&format!("{driver}-containers"), gaps).into_iter();
    let lost = names.filter(|id| is_plain(id) && !known.contains(id)).take(most);
    let mut records = Vec::new();
    for id in lost {
        match Spec::read(store, driver, &id) {
            Ok(Some(spec)) => records.extend(record(id, &spec)),
            // What was never started has none, and files are no containers.
            Ok(None) => {}
            Err(gap) => gaps.push(gap),
        }
    }
    records
}

fn record(id: String, spec: &Spec) -> Option<Container> {
    let layer = spec.layer()?.to_owned();
    let name = spec.annotation("ContainerName").or_else(|| spec.annotation("Name"));
    let image = spec.annotation("ImageRef").filter(|image| is_plain(image)).unwrap_or_default();
    let metadata = json!({
        "pod-id": spec.annotation("SandboxID").unwrap_or_default(),
        "image-name": spec.annotation("Image").unwrap_or_default(),
    });
    Some(Container {
        id,
        names: name.map(|name| vec![name.to_owned()]),
        image: image.to_owned(),
        layer,
        metadata: metadata.to_string(),
        created: None,
    })
}
