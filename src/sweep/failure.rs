//! Why a host was not scanned, and which key is meant where it was a key.

use super::place;
use crate::cloud::{Error, Kind};
use crate::model::{CloudContext, GapReason, ScanReport, SkipReason};
use crate::pipeline::{TargetError, TargetProblem};

/// Why a host was not scanned.
#[derive(Debug)]
pub struct Failure {
    /// In one word.
    pub reason: SkipReason,
    /// In words.
    pub detail: String,
}

impl Failure {
    #[expect(clippy::needless_pass_by_value, reason = "takes errors and texts alike")]
    pub(super) fn new(reason: SkipReason, detail: impl ToString) -> Self {
        Self { reason, detail: detail.to_string() }
    }
}

/// Says which key is meant where a volume could not be read for its key.
pub(super) fn name_keys(report: &mut ScanReport) {
    for gap in report.gaps.iter_mut().filter(|gap| gap.reason == GapReason::Encrypted) {
        let volume = report.host.cloud.volumes.iter().find(|volume| place(volume) == gap.place);
        if let Some(key) = volume.and_then(|volume| volume.kms_key.as_deref()) {
            gap.detail = format!("key {key}: {}", gap.detail);
        }
    }
}

pub(super) fn interrupted() -> Failure {
    Failure::new(SkipReason::Interrupted, "the sweep was told to end")
}

/// What a refused call means for the host.
pub(super) fn refused(error: &Error) -> Failure {
    let reason = match error.kind {
        Kind::Denied => SkipReason::Denied,
        Kind::NotFound | Kind::State => SkipReason::Terminated,
        Kind::Throttled => SkipReason::Throttled,
        Kind::Credentials | Kind::Connect => SkipReason::Credentials,
        Kind::Limit => SkipReason::PendingLimit,
        Kind::DryRun | Kind::Unreachable | Kind::Parameter | Kind::Other => SkipReason::Error,
    };
    Failure::new(reason, error)
}

/// What a snapshot that cannot be opened means for the host; a key is named.
pub(super) fn unreadable(error: &TargetError, context: &CloudContext) -> Failure {
    let reason = match error.kind {
        TargetProblem::Key => SkipReason::KeyDenied,
        TargetProblem::Denied => SkipReason::Denied,
        TargetProblem::Missing => SkipReason::SnapshotVanished,
        TargetProblem::Throttled => SkipReason::Throttled,
        TargetProblem::Credentials => SkipReason::Credentials,
        TargetProblem::Image(_) | TargetProblem::Other => SkipReason::Error,
    };
    let told = error.to_string();
    let volume = context.volumes.iter().find(|volume| told.starts_with(&place(volume)));
    let key = volume.and_then(|volume| volume.kms_key.as_deref());
    match (reason, key) {
        (SkipReason::KeyDenied, Some(key)) => Failure::new(reason, format!("key {key}: {error}")),
        _ => Failure::new(reason, error),
    }
}
