//! What the stand-in counted for one account: calls by action, what they cost, snapshots.

use crate::accounts::Account;
use crate::standin::Standin;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// US dollars for a call, at list price.
const PRICES: [(&str, f64); 3] = [
    ("ebs:ListSnapshotBlocks", 0.0006 / 1000.0),
    ("ebs:GetSnapshotBlock", 0.003 / 1000.0),
    ("s3:PutObject", 0.005 / 1000.0),
];

/// The books of an account.
#[derive(Debug)]
pub struct Books {
    /// Every call of the control plane in the order of their ends, with its resources and result.
    pub log: Vec<Call>,
    blocks: Vec<(String, String)>,
    /// Snapshots made through the API that exist.
    pub left: Vec<String>,
}

/// One call of the control plane.
#[derive(Debug)]
pub struct Call {
    /// As IAM writes it.
    pub action: String,
    /// `ok`, `dropped` or the code of an error.
    pub result: String,
    /// Ids in its parameters.
    pub resources: Vec<String>,
}

impl Books {
    /// The books as they are now.
    pub fn of(standin: &Standin, account: &Account) -> Self {
        let log = standin.control("log");
        let key = account.key();
        let list = |value: &Value| value.as_array().expect("a list").clone();
        let own = |entry: &Value| entry["account"] == *account.id;
        let calls = list(&log["control_plane"]).into_iter().filter(own).map(|entry| Call {
            action: text(&entry["action"]),
            result: text(&entry["result"]),
            resources: list(&entry["resources"]).iter().map(text).collect(),
        });
        let blocks = list(&log["ebs"]).into_iter().filter(|entry| entry["caller"] == *key);
        let blocks =
            blocks.map(|entry| (format!("ebs:{}", text(&entry["action"])), text(&entry["result"])));
        let snapshots = list(&standin.control("snapshots")["snapshots"]).into_iter();
        let left = snapshots.filter(|entry| own(entry) && entry["made"] == true);
        Self {
            log: calls.collect(),
            blocks: blocks.collect(),
            left: left.map(|entry| text(&entry["id"])).collect(),
        }
    }

    /// Calls by action.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        let mut calls = BTreeMap::new();
        let actions = self.log.iter().map(|call| &call.action);
        for action in actions.chain(self.blocks.iter().map(|(action, _)| action)) {
            *calls.entry(action.clone()).or_default() += 1;
        }
        calls
    }

    /// What all calls cost, those that failed too.
    pub fn dollars(&self) -> f64 {
        self.dollars_by_action().iter().map(|(_, dollars)| dollars).sum()
    }

    /// The same by action.
    pub fn dollars_by_action(&self) -> [(&'static str, f64); 3] {
        let calls = self.calls();
        let count = |action: &str| {
            f64::from(u32::try_from(calls.get(action).copied().unwrap_or_default()).expect("few"))
        };
        PRICES.map(|(action, price)| (action, count(action) * price))
    }

    /// How many calls of the action ended.
    pub fn count(&self, action: &str) -> usize {
        usize::try_from(self.calls().get(action).copied().unwrap_or_default()).expect("few")
    }

    /// Snapshots that were deleted through the API.
    pub fn deleted(&self) -> usize {
        let deletes = self.log.iter().filter(|call| call.action == "ec2:DeleteSnapshot");
        let done = deletes.filter(|call| call.result == "ok");
        done.flat_map(|call| &call.resources).collect::<BTreeSet<_>>().len()
    }

    /// Snapshots that were made, by what was asked for: one of each volume of an instance. A lost
    /// answer to a call that was carried out counts.
    pub fn made(&self, standin: &Standin, account: &Account) -> usize {
        let names = standin.control("names");
        let names = names[&account.id][account.region].as_object().expect("names");
        let creates = self.log.iter().filter(|call| call.action.starts_with("ec2:CreateSnapshot"));
        let done = creates.filter(|call| call.result == "ok" || call.result == "dropped");
        let volumes = |call: &Call| {
            let host = |(name, id): (&String, &Value)| {
                let concerned = call.resources.iter().any(|resource| *id == **resource);
                (concerned && id.as_str()?.starts_with("i-")).then(|| format!("{name}:/dev/"))
            };
            let prefix = names.iter().find_map(host);
            // The parameters name a volume of an instance only to leave it out.
            let wanted = |name: &str, id: &Value| {
                name.starts_with(prefix.as_deref().unwrap_or_default())
                    && call.resources.iter().all(|resource| *id != **resource)
            };
            match prefix {
                Some(_) => names.iter().filter(|(name, id)| wanted(name, id)).count(),
                None => 1,
            }
        };
        done.map(volumes).sum()
    }
}

/// The text of a JSON value.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
