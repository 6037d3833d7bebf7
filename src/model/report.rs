//! The result of one scan, as reports write it.

use super::{
    ContainerContext, ContainerImage, Coverage, Engine, Finding, Gap, HostContext, Package,
};
use serde::Serialize;

/// Version of the JSON report's shape; grows when a reader could break.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything that one scan found.
#[derive(Debug, Clone, Serialize)]
pub struct ScanReport {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The host that the disks belong to.
    pub host: HostContext,
    /// The host, and each container on it.
    pub assets: Vec<Asset>,
    /// What became of each part of the disks.
    pub coverage: Coverage,
    /// What the search for packages went over, if all files were searched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub walk: Option<Walk>,
    /// The images in the host's stores of containers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<StoredImage>,
    /// What was not read, sorted.
    pub gaps: Vec<Gap>,
    /// The feeds that findings were matched with, and their dates.
    pub feeds: Vec<FeedState>,
    /// What the scan cost.
    pub receipt: Receipt,
}

impl ScanReport {
    /// Whether this feed was there to match with.
    pub fn has_feed(&self, name: &str) -> bool {
        self.feeds.iter().any(|feed| feed.name == name)
    }
}

/// A walk over the files of a host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Walk {
    /// Folders that were entered.
    pub folders: u64,
    /// Regular files that were met.
    pub files: u64,
    /// Folders that were met and not entered, sorted.
    pub excluded: Vec<Excluded>,
}

/// A folder that the walk did not enter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Excluded {
    /// Its path.
    pub path: String,
    /// Why.
    pub why: String,
}

/// An image in a store of containers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct StoredImage {
    /// The engine whose store it is in.
    pub engine: Engine,
    /// Folder of the store.
    pub store: String,
    /// containerd's namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// What is said of it.
    #[serde(flatten)]
    pub image: ContainerImage,
    /// How many containers of the store were made from it.
    pub containers: usize,
    /// Whether it is among the assets.
    pub scanned: bool,
}

/// Something that packages are installed on.
#[derive(Debug, Clone, Serialize)]
pub struct Asset {
    /// Host or container.
    pub kind: AssetKind,
    /// Stable id.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// What else is known of a container, or of an image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<Box<ContainerContext>>,
    /// Packages, sorted.
    pub packages: Vec<Package>,
    /// Findings, sorted; absent packages of advisories are not here.
    pub findings: Vec<Finding>,
}

/// Kind of an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AssetKind {
    /// A host.
    Host,
    /// A container found on a host's disk.
    Container,
    /// An image in a store of containers, or in a file.
    Image,
}

impl AssetKind {
    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Container => "container",
            Self::Image => "image",
        }
    }
}

/// One feed of the advisory store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FeedState {
    /// Feed name.
    pub name: String,
    /// When the data were published or fetched, RFC 3339.
    pub date: String,
    /// SHA-256 of the feed's file.
    pub sha256: String,
    /// Entries that were not understood, and so not matched.
    pub skipped: u64,
}

/// What a scan read and spent.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Receipt {
    /// Distinct 512 KiB blocks that were read.
    pub blocks_read: u64,
    /// Blocks that hold data on the devices, when the source knows.
    pub blocks_allocated: Option<u64>,
    /// Bytes fetched from the sources.
    pub bytes_read: u64,
    /// Calls to cloud APIs, retries included.
    pub api_calls: u64,
    /// Calls that had to be made again.
    pub retries: u64,
    /// Price of the calls in US dollars at list price.
    pub usd: f64,
    /// Peak resident memory of the process.
    pub peak_memory_bytes: u64,
    /// Wall-clock time of the scan.
    pub seconds: f64,
}
