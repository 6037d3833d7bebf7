//! What became of each part of the disks: read, not needed, or a gap.

use serde::Serialize;

/// All parts of the scanned disks, each after those that it stands on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Disks, partitions, volumes; what a part holds is said with it.
    pub parts: Vec<Part>,
    /// Bytes of the parts that no other part stands on, by state. A filesystem over several devices stands
    /// on none of them: each counts.
    pub bytes: CoverageBytes,
}

/// A disk, a partition, or a volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Name in this scan, as gaps and mounts have it.
    pub name: String,
    /// The parts that it is in or stands on.
    pub on: Vec<String>,
    /// Size in bytes.
    pub size: u64,
    /// The format of its content: a table, a volume manager, a filesystem.
    pub holds: Option<String>,
    /// Label, of the filesystem or else of the partition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// UUID of the filesystem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// Where it is mounted in the host's tree.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mounts: Vec<String>,
    /// What became of it.
    pub state: PartState,
    /// Why, where that is not plain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What became of its subvolumes, where it has any: those that are mounted first, snapshots last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subvolumes: Vec<SubvolumePart>,
}

/// A subvolume of a filesystem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SubvolumePart {
    /// Number.
    pub id: u64,
    /// Path from the top of the filesystem.
    pub path: String,
    /// Whether it is read-only.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
    /// Path of the one that it is a snapshot of, if that is still there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot_of: Option<String>,
    /// Where the host's tree shows it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mounts: Vec<String>,
    /// What became of it.
    pub state: PartState,
    /// Why, where that is not plain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What became of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PartState {
    /// It is a part of what was scanned.
    Scanned,
    /// There is nothing in it that could hold packages.
    NotNeeded,
    /// It may hold packages, and was not read; the gaps say why.
    Gap,
}

impl PartState {
    /// The words shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scanned => "scanned",
            Self::NotNeeded => "not needed",
            Self::Gap => "gap",
        }
    }
}

/// Bytes by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct CoverageBytes {
    /// Of what was scanned.
    pub scanned: u64,
    /// Of what holds nothing.
    pub not_needed: u64,
    /// Of what was not read.
    pub gap: u64,
}

impl Coverage {
    /// These parts, counted.
    pub fn new(parts: Vec<Part>) -> Self {
        let mut bytes = CoverageBytes::default();
        let is_piece = |part: &Part| part.holds.as_deref() == Some("btrfs");
        let stands = |part: &Part, below: &Part| {
            part.on.contains(&below.name) && !(is_piece(part) && is_piece(below))
        };
        let holds_parts = |below: &Part| parts.iter().any(|part| stands(part, below));
        for part in parts.iter().filter(|part| !holds_parts(part)) {
            let sum = match part.state {
                PartState::Scanned => &mut bytes.scanned,
                PartState::NotNeeded => &mut bytes.not_needed,
                PartState::Gap => &mut bytes.gap,
            };
            *sum = sum.saturating_add(part.size);
        }
        Self { parts, bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_innermost_parts_are_counted() {
        let part = |name: &str, on: &[&str], size, state| Part {
            name: name.to_owned(),
            on: on.iter().map(|on| (*on).to_owned()).collect(),
            size,
            holds: None,
            label: None,
            uuid: None,
            mounts: Vec::new(),
            state,
            detail: None,
            subvolumes: Vec::new(),
        };
        let coverage = Coverage::new(vec![
            part("a", &[], 100, PartState::Scanned),
            part("a:p1", &["a"], 60, PartState::Scanned),
            part("a:p2", &["a"], 30, PartState::NotNeeded),
            part("b", &[], 10, PartState::Gap),
            part("vg/lv", &["a:p1"], 50, PartState::Scanned),
        ]);
        assert_eq!(coverage.bytes, CoverageBytes { scanned: 50, not_needed: 30, gap: 10 });
    }
}
