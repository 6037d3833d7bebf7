//! What a scan did not read, where, and why.

use serde::Serialize;

/// Something that may hold packages and was not read. Normal things (swap, an EFI partition)
/// are not gaps.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Gap {
    /// Device, partition, filesystem or path, as a person would name it.
    pub place: String,
    /// Why, as one word for programs.
    pub reason: GapReason,
    /// Why, in words.
    pub detail: String,
}

impl Gap {
    /// A gap at `place`.
    #[expect(clippy::needless_pass_by_value, reason = "takes errors and texts alike")]
    pub fn new(place: impl Into<String>, reason: GapReason, detail: impl ToString) -> Self {
        let (place, detail) = (place.into(), detail.to_string());
        // Errors about a path begin with it.
        let own = detail.strip_prefix(&place).and_then(|rest| rest.strip_prefix(": "));
        let detail = own.map(str::to_owned).unwrap_or(detail);
        Self { place, reason, detail }
    }
}

/// The reasons a gap can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// The layer below could not deliver bytes.
    Unreadable,
    /// The bytes contradict their format.
    Corrupt,
    /// A format or feature that is recognised but not read.
    Unsupported,
    /// Encrypted inside the disk.
    Encrypted,
    /// Something that should be there is not.
    Missing,
    /// Left out on purpose, by its owner or by the user.
    Excluded,
    /// A size or count limit stopped the reading.
    Limit,
    /// No advisories are known for this system, so nothing could be matched.
    NoVendorData,
}

impl GapReason {
    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Corrupt => "corrupt",
            Self::Unsupported => "unsupported",
            Self::Encrypted => "encrypted",
            Self::Missing => "missing",
            Self::Excluded => "excluded",
            Self::Limit => "limit",
            Self::NoVendorData => "no_vendor_data",
        }
    }
}
