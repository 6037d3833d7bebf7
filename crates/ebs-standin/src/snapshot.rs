//! A snapshot: an image with an id, a state, a lineage, an owner, and who may read it.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use hyper::body::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    error::{ErrorKind, StandinError},
    image::{BLOCK_SIZE, Image},
    images::Images,
};

/// A snapshot to serve.
///
/// As JSON (`POST /_standin/snapshots`) it has the members `id` and `path`, and optionally
/// `status`, `access`, `lineage`, `owner` and `volume_gib`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    pub(crate) id: String,
    #[serde(rename = "path")]
    pub(crate) source: Source,
    #[serde(default)]
    pub(crate) status: Status,
    #[serde(default)]
    pub(crate) access: Access,
    #[serde(default)]
    pub(crate) lineage: Option<String>,
    #[serde(default)]
    pub(crate) owner: Option<String>,
    #[serde(default)]
    pub(crate) volume_gib: Option<u32>,
}

impl Snapshot {
    /// A raw image file, which must not change while it is served.
    pub fn file(id: impl Into<String>, path: impl AsRef<Path>) -> Self {
        Self::new(id.into(), Source::File(path.as_ref().to_owned()))
    }

    /// A raw image in memory.
    pub fn bytes(id: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(id.into(), Source::Memory(bytes.into().into()))
    }

    /// Sets the state; only a completed snapshot can be read. Default: completed.
    #[must_use]
    pub fn status(mut self, status: Status) -> Self {
        self.status = status;
        self
    }

    /// Sets who may read it. Default: readable.
    #[must_use]
    pub fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// Names the volume that it was made from. `ListChangedBlocks` compares only snapshots
    /// of one lineage; without a lineage a snapshot is related to itself alone.
    #[must_use]
    pub fn lineage(mut self, lineage: impl Into<String>) -> Self {
        self.lineage = Some(lineage.into());
        self
    }

    /// Sets the account that owns it. Access keys that were registered for another account
    /// are then denied; keys that were not registered are not checked.
    #[must_use]
    pub fn owner(mut self, account: impl Into<String>) -> Self {
        self.owner = Some(account.into());
        self
    }

    /// Sets the size of the volume, where it is larger than the image.
    #[must_use]
    pub fn volume_gib(mut self, volume_gib: u32) -> Self {
        self.volume_gib = Some(volume_gib);
        self
    }

    fn new(id: String, source: Source) -> Self {
        Self {
            id,
            source,
            status: Status::default(),
            access: Access::default(),
            lineage: None,
            owner: None,
            volume_gib: None,
        }
    }

    /// Opens the image and finds its allocated blocks, unless `images` has it already.
    pub(crate) fn load(self, images: &Images) -> Result<Served, StandinError> {
        if !is_snapshot_id(&self.id) {
            return Err(StandinError::SnapshotId(self.id));
        }
        let image = self.source.load(images).map_err(|source| {
            let path = PathBuf::from(self.source.to_string());
            StandinError::Image { path, source }
        })?;
        let served = Served { snapshot: self, image };
        if i32::try_from(served.block_count()).is_err() {
            return Err(StandinError::TooLarge(served.snapshot.id));
        }
        Ok(served)
    }
}

/// Where the bytes of an image are.
#[derive(Clone, Deserialize)]
#[serde(from = "PathBuf")]
pub(crate) enum Source {
    File(PathBuf),
    Memory(Bytes),
}

impl Source {
    fn load(&self, images: &Images) -> std::io::Result<Arc<Image>> {
        match self {
            Self::File(path) => images.open(path),
            Self::Memory(bytes) => Image::from_memory(bytes.clone()).map(Arc::new),
        }
    }
}

impl From<PathBuf> for Source {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Memory(bytes) => write!(f, "({} bytes in memory)", bytes.len()),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The state of a snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It can be read.
    #[default]
    Completed,
    /// It is still being made.
    Pending,
    /// Making it failed.
    Error,
}

/// Who may read a snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Everyone whom `owner` does not exclude.
    #[default]
    Readable,
    /// No one: `UNAUTHORIZED_ACCOUNT`.
    Denied,
    /// No one, for want of the KMS key: `DEPENDENCY_ACCESS_DENIED`.
    KmsDenied,
    /// No one, since the KMS key is disabled: `INVALID_CUSTOMER_KEY`.
    KmsDisabled,
}

/// What of a snapshot may change while it is served (`POST /_standin/snapshots/ID`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The new state; `None` leaves it.
    #[serde(default)]
    pub status: Option<Status>,
    /// Who may read it now; `None` leaves it.
    #[serde(default)]
    pub access: Option<Access>,
}

/// A snapshot that was loaded.
#[derive(Clone, Debug)]
pub(crate) struct Served {
    pub(crate) snapshot: Snapshot,
    pub(crate) image: Arc<Image>,
}

impl Served {
    pub(crate) fn id(&self) -> &str {
        &self.snapshot.id
    }

    /// The size of the volume in GiB: that of the image, or what was asked for if that is more.
    pub(crate) fn volume_gib(&self) -> u64 {
        self.image.volume_gib().max(self.snapshot.volume_gib.map_or(0, u64::from))
    }

    /// How many blocks the volume has, allocated or not.
    pub(crate) fn block_count(&self) -> u64 {
        self.volume_gib().saturating_mul((1 << 30) / BLOCK_SIZE as u64)
    }

    /// Why `account` (where the caller's is known) cannot read it, if so.
    pub(crate) fn refusal(&self, account: Option<&str>) -> Option<ErrorKind> {
        let owner = self.snapshot.owner.as_deref();
        if owner.is_some_and(|owner| account.is_some_and(|account| account != owner)) {
            return Some(ErrorKind::UnauthorizedAccount);
        }
        match (self.snapshot.access, self.snapshot.status) {
            (Access::Denied, _) => Some(ErrorKind::UnauthorizedAccount),
            (_, Status::Pending | Status::Error) => Some(ErrorKind::InvalidSnapshotId),
            (Access::KmsDenied, _) => Some(ErrorKind::DependencyAccessDenied),
            (Access::KmsDisabled, _) => Some(ErrorKind::InvalidCustomerKey),
            (Access::Readable, Status::Completed) => None,
        }
    }

    pub(crate) fn changed(&self, change: Change) -> Self {
        let mut snapshot = self.snapshot.clone();
        snapshot.status = change.status.unwrap_or(snapshot.status);
        snapshot.access = change.access.unwrap_or(snapshot.access);
        Self { snapshot, image: Arc::clone(&self.image) }
    }

    pub(crate) fn is_related_to(&self, other: &Self) -> bool {
        let lineage = &self.snapshot.lineage;
        self.id() == other.id() || (lineage.is_some() && *lineage == other.snapshot.lineage)
    }
}

/// True for `snap-` and lowercase hexadecimal digits, 64 characters at most.
pub(crate) fn is_snapshot_id(id: &str) -> bool {
    let digits = id.strip_prefix("snap-").unwrap_or_default();
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    id.len() <= 64 && !digits.is_empty() && digits.bytes().all(is_digit)
}
