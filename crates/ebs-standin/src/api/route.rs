//! From a path and a query to the call that they name.

use std::collections::HashMap;

use hyper::{Method, http::request::Parts};

use crate::{faults::Action, plan::Call};

/// A call and its parameters.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) snapshot: String,
    pub(crate) operation: Operation,
    pub(crate) query: Query,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    List,
    Changed,
    Get { block: String },
}

impl Target {
    /// `None` where no call of the API has this method and path.
    pub(crate) fn parse(parts: &Parts) -> Option<Self> {
        if parts.method != Method::GET {
            return None;
        }
        let segments: Vec<&str> = parts.uri.path().strip_prefix('/')?.split('/').collect();
        let (snapshot, operation) = match segments[..] {
            ["snapshots", id, "blocks"] => (id, Operation::List),
            ["snapshots", id, "changedblocks"] => (id, Operation::Changed),
            ["snapshots", id, "blocks", index] => (id, Operation::Get { block: decode(index) }),
            _ => return None,
        };
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        Some(Self { snapshot: decode(snapshot), operation, query })
    }

    /// The call as the faults see it.
    pub(crate) fn call(&self) -> Call<'_> {
        let (action, block) = match &self.operation {
            Operation::List => (Action::ListSnapshotBlocks, None),
            Operation::Changed => (Action::ListChangedBlocks, None),
            Operation::Get { block } => (Action::GetSnapshotBlock, block.parse().ok()),
        };
        Call { action, snapshot: &self.snapshot, block, lineage: None }
    }

    /// The block that is asked for, or that a listing is to start from.
    pub(crate) fn index(&self) -> Option<u64> {
        let start = || self.query.get("startingBlockIndex")?.parse().ok();
        self.call().block.or_else(start)
    }
}

/// The parameters of a query, decoded.
#[derive(Debug, Default)]
pub(crate) struct Query(HashMap<String, String>);

impl Query {
    fn parse(query: &str) -> Self {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        Self(pairs.map(|(name, value)| (decode(name), decode(value))).collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// Decodes `%xx`. A `+` stays one: it is a character of the tokens.
fn decode(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        if let Some(byte) = part.get(..2).and_then(hex_byte) {
            bytes.push(byte);
            bytes.extend_from_slice(&part.as_bytes()[2..]);
        } else {
            bytes.push(b'%');
            bytes.extend_from_slice(part.as_bytes());
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Two hexadecimal digits, and no sign.
fn hex_byte(digits: &str) -> Option<u8> {
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u8::from_str_radix(digits, 16).ok().filter(|_| is_hex)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn escapes_are_decoded() {
        assert_eq!(decode("AA%2BB%2fw%3D%3D"), "AA+B/w==");
        assert_eq!(decode("a+b%"), "a+b%");
        assert_eq!(decode("%zz%+f%4"), "%zz%+f%4");
    }
}
