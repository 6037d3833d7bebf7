//! Which revisions are in use, by `state.json` of snapd: for each snap the `current` one. Where that file
//! cannot be asked, as in an image that was never started, all that are there are.

use super::{ENDING, MOST_PROBLEMS, SNAPS};
use crate::host::Host;
use crate::inventory::Problems;
use crate::model::{Gap, GapReason, Partial, printable_str};
use serde::Deserialize;
use std::collections::{BTreeMap, HashSet};

pub(super) const STATE: &str = "/var/lib/snapd/state.json";
const MOST_STATE: u64 = 64 << 20;

#[derive(Deserialize)]
struct State {
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    snaps: Option<BTreeMap<String, Installed>>,
}

#[derive(Deserialize)]
struct Installed {
    /// None while the first revision is being installed.
    current: Option<Revision>,
}

/// A number from the store, or `x1` for what was installed from a file.
#[derive(Deserialize)]
#[serde(untagged)]
enum Revision {
    Text(String),
    Number(i64),
}

/// The images that are in use, of those that are there.
pub(super) fn current(host: &Host, files: Vec<Vec<u8>>) -> Partial<Vec<Vec<u8>>> {
    let mut gaps = Vec::new();
    let Some(snaps) = snaps(host, &mut gaps) else { return Partial { found: files, gaps } };
    let files: HashSet<Vec<u8>> = files.into_iter().collect();
    let (mut found, mut missing) = (Vec::new(), Problems::new(SNAPS, MOST_PROBLEMS));
    for (name, snap) in snaps {
        let revision = match snap.current {
            Some(Revision::Text(text)) => text,
            Some(Revision::Number(number)) => number.to_string(),
            None => continue,
        };
        let path = format!("{SNAPS}/{name}_{revision}{ENDING}");
        if files.contains(path.as_bytes()) {
            found.push(path.into_bytes());
        } else {
            let detail = format!(
                "snap {}, revision {}: no such image",
                printable_str(&name),
                printable_str(&revision)
            );
            missing.push(Gap::new(SNAPS, GapReason::Missing, detail));
        }
    }
    gaps.extend(missing.into_gaps());
    Partial { found, gaps }
}

fn snaps(host: &Host, gaps: &mut Vec<Gap>) -> Option<BTreeMap<String, Installed>> {
    let bytes = match host.tree.read(STATE.as_bytes(), MOST_STATE) {
        Ok(bytes) => bytes?,
        Err(error) => {
            gaps.push(Gap::new(STATE, error.reason(), error));
            return None;
        }
    };
    match serde_json::from_slice::<State>(&bytes) {
        Ok(state) => state.data?.snaps,
        Err(error) => {
            gaps.push(Gap::new(STATE, GapReason::Corrupt, error));
            None
        }
    }
}
