//! The result of one sweep: every instance of an account and region, scanned or with a reason.

use super::{CloudContext, ScanReport, Severity};
use serde::Serialize;
use std::collections::BTreeMap;

/// Version of the shape of a sweep's JSON report; grows when a reader could break.
pub const SWEEP_SCHEMA_VERSION: u32 = 1;

/// One instance of a sweep.
#[derive(Debug, Clone, Serialize)]
pub struct SweptHost {
    /// Instance id.
    pub instance_id: String,
    /// The tag `Name`.
    pub name: Option<String>,
    /// What became of it.
    pub status: HostStatus,
    /// Why it was not scanned, in one word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<SkipReason>,
    /// Why, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What EC2 says of it, when there is no report that says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud: Option<CloudContext>,
    /// Its report, as of a single scan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<ScanReport>,
}

/// What became of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HostStatus {
    /// Its disks were read; its report says how far.
    Scanned,
    /// It was not to be scanned, or has nothing to scan.
    Skipped,
    /// It was to be scanned, and could not be.
    Failed,
}

impl HostStatus {
    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scanned => "scanned",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }
}

/// Why an instance was not scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// Its owner's tag says never.
    OptedOut,
    /// It bears a tag that this sweep leaves out.
    Excluded,
    /// It bears none of the tags that this sweep asks for.
    NotIncluded,
    /// It is stopped, and this sweep takes running ones only.
    Stopped,
    /// It is neither running nor stopped.
    NotRunning,
    /// It has no EBS volume.
    InstanceStore,
    /// It went away during the sweep.
    Terminated,
    /// The key of its volumes may not be used.
    KeyDenied,
    /// The caller may not do what the scan needs.
    Denied,
    /// AWS kept refusing calls for their rate.
    Throttled,
    /// The account's snapshots on their way left no room.
    PendingLimit,
    /// A snapshot ended in error.
    SnapshotFailed,
    /// A snapshot went away before it was read.
    SnapshotVanished,
    /// A snapshot took too long.
    SnapshotTimeout,
    /// AWS no longer takes the credentials.
    Credentials,
    /// The sweep was told to end.
    Interrupted,
    /// Anything else; the detail says what.
    Error,
}

impl SkipReason {
    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OptedOut => "opted_out",
            Self::Excluded => "excluded",
            Self::NotIncluded => "not_included",
            Self::Stopped => "stopped",
            Self::NotRunning => "not_running",
            Self::InstanceStore => "instance_store",
            Self::Terminated => "terminated",
            Self::KeyDenied => "key_denied",
            Self::Denied => "denied",
            Self::Throttled => "throttled",
            Self::PendingLimit => "pending_limit",
            Self::SnapshotFailed => "snapshot_failed",
            Self::SnapshotVanished => "snapshot_vanished",
            Self::SnapshotTimeout => "snapshot_timeout",
            Self::Credentials => "credentials",
            Self::Interrupted => "interrupted",
            Self::Error => "error",
        }
    }
}

/// What a sweep came to, without its hosts.
#[derive(Debug, Clone, Serialize)]
pub struct SweepSummary {
    /// [`SWEEP_SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Id of the sweep, as in the tags of its snapshots.
    pub sweep: String,
    /// When it began, RFC 3339.
    pub started: String,
    /// Account id.
    pub account: String,
    /// Alias of the account.
    pub account_alias: Option<String>,
    /// Region.
    pub region: String,
    /// Counts over all hosts.
    pub totals: Totals,
    /// Snapshots of earlier sweeps that were found by their tags.
    pub leftovers: Leftovers,
    /// Snapshots of this sweep that could not be deleted.
    pub undeleted_snapshots: Vec<String>,
    /// What it cost.
    pub receipt: SweepReceipt,
}

/// Counts over all hosts of a sweep.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Instances seen.
    pub instances: u64,
    /// Scanned.
    pub scanned: u64,
    /// Not to be scanned.
    pub skipped: u64,
    /// To be scanned, and not.
    pub failed: u64,
    /// Scanned, with gaps.
    pub with_gaps: u64,
    /// Packages.
    pub packages: u64,
    /// Findings by severity.
    pub findings: BTreeMap<&'static str, u64>,
    /// Findings that CISA knows to be exploited.
    pub known_exploited: u64,
}

impl Totals {
    /// Counts a host in.
    pub fn add(&mut self, host: &SweptHost) {
        self.instances += 1;
        match host.status {
            HostStatus::Scanned => self.scanned += 1,
            HostStatus::Skipped => self.skipped += 1,
            HostStatus::Failed => self.failed += 1,
        }
        let Some(report) = &host.report else { return };
        self.with_gaps += u64::from(!report.gaps.is_empty());
        for asset in &report.assets {
            self.packages += asset.packages.len() as u64;
            for finding in &asset.findings {
                *self.findings.entry(finding.severity.as_str()).or_default() += 1;
                self.known_exploited += u64::from(finding.kev);
            }
        }
    }

    /// Whether a finding is at least this severe, or known to be exploited.
    pub fn reaches(&self, threshold: Severity) -> bool {
        if self.known_exploited > 0 {
            return true;
        }
        let over = Severity::ALL.into_iter().filter(|severity| *severity >= threshold);
        over.into_iter().any(|severity| self.findings.contains_key(severity.as_str()))
    }
}

/// Snapshots of earlier sweeps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Leftovers {
    /// Past their time.
    pub expired: u64,
    /// Deleted.
    pub deleted: u64,
    /// Those that could not be deleted, each with why.
    pub failed: Vec<String>,
}

/// What a sweep read and spent.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SweepReceipt {
    /// Calls by action, retries included.
    pub calls: BTreeMap<String, u64>,
    /// Price of the calls by action, for those that have one.
    pub usd_by_action: BTreeMap<String, f64>,
    /// Distinct blocks read, over all hosts.
    pub blocks_read: u64,
    /// Bytes fetched.
    pub bytes_read: u64,
    /// Calls that had to be made again.
    pub retries: u64,
    /// Price of the calls in US dollars at list price; storage of the snapshots is not in it.
    pub usd: f64,
    /// Peak resident memory of the process.
    pub peak_memory_bytes: u64,
    /// Wall-clock time of the sweep.
    pub seconds: f64,
}
