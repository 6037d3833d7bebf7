//! What a scan tells while it runs. How that is shown is the listener's affair.

/// What a scan is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Opens the targets.
    Opening,
    /// Unpacks a packed disk.
    Unpacking,
    /// Looks for volumes and filesystems.
    Disks,
    /// Reads the host's identity.
    Host,
    /// Lists the packages.
    Packages,
    /// Lists the packages of containers.
    Containers,
    /// Matches the packages with advisories.
    Matching,
}

impl Stage {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Unpacking => "unpacking",
            Self::Disks => "looking at the disks",
            Self::Host => "reading the host's identity",
            Self::Packages => "listing packages",
            Self::Containers => "listing packages of containers",
            Self::Matching => "matching advisories",
        }
    }
}

/// How much was read so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reading {
    /// Distinct 512 KiB blocks, where reading goes by blocks.
    pub blocks: Option<u64>,
    /// Bytes.
    pub bytes: u64,
    /// Bytes that there are in all, when that is known.
    pub total: Option<u64>,
}

/// Gives the present reading; asked from another thread, some times a second.
pub type Counter = Box<dyn Fn() -> Reading + Send>;

/// Listens to a scan.
pub trait Progress {
    /// A stage begins.
    fn stage(&self, stage: Stage);

    /// From now on this tells how much was read.
    fn count(&self, counter: Counter);
}
