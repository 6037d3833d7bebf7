//! Plain data that every layer speaks: no I/O, no decisions.

mod advisory;
mod archive;
mod container;
mod coverage;
mod end_of_life;
mod finding;
mod gap;
mod host;
mod host_settings;
mod kernel;
mod package;
mod partial;
mod report;
mod service;
mod sweep;
mod text;

pub use advisory::{Advisory, AffectedRange, FixState, KnownExploited};
pub use archive::{Archive, UbuntuPro, UpdateStream};
pub use container::{
    Conformance, ContainerContext, ContainerImage, ContainerMount, ContainerState, DocumentState,
    Drift, Engine, Kubernetes, PackageChange,
};
pub use coverage::{Coverage, CoverageBytes, Part, PartState, SubvolumePart};
pub use end_of_life::{EndOfLife, Extended, Support, SupportCycle};
pub use finding::{Finding, Severity, Status};
pub use gap::{Gap, GapReason};
pub use host::{
    CloudContext, CloudVolume, Confidence, HostContext, KernelSign, Mount, Os, SecurityGroup,
};
pub use host_settings::{AccessMode, CloudInit, MandatoryAccess};
pub use kernel::{KernelState, PackagedKernel};
pub use package::{Ecosystem, Package, PackageState, SourcePackage};
pub use partial::Partial;
pub use report::{
    Asset, AssetKind, Excluded, FeedState, Receipt, SCHEMA_VERSION, ScanReport, StoredImage, Walk,
};
pub use service::{Service, ServiceKind};
pub use sweep::{
    HostStatus, Leftovers, SWEEP_SCHEMA_VERSION, SkipReason, SweepReceipt, SweepSummary, SweptHost,
    Totals,
};
pub use text::{printable, printable_str, uuid};
