//! What can go wrong with an account or a snapshot, in words for who runs the scan.

use crate::aws::ConnectError;

/// Why an account or a snapshot cannot be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// AWS cannot be asked at all.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// AWS does not take the credentials.
    #[error("AWS refused the credentials: {0}")]
    RefusedCredentials(String),
    /// The id does not name a snapshot.
    #[error("{0:?} is no snapshot id: expected snap- and hexadecimal digits")]
    SnapshotId(String),
    /// The region has no such snapshot.
    #[error("snapshot {snapshot} does not exist in {region}: {detail}")]
    UnknownSnapshot {
        /// Its id.
        snapshot: String,
        /// The region asked.
        region: String,
        /// What AWS said.
        detail: String,
    },
    /// The caller may not read the snapshot.
    #[error(
        "access to snapshot {snapshot} is denied: {detail}; the role needs \
         ebs:ListSnapshotBlocks and ebs:GetSnapshotBlock on it"
    )]
    AccessDenied {
        /// Its id.
        snapshot: String,
        /// What AWS said.
        detail: String,
    },
    /// The caller may not use the key of the snapshot, or the key is disabled.
    #[error(
        "the KMS key of snapshot {snapshot} cannot be used: {detail}; the role needs \
         kms:Decrypt on the key, and the key must be enabled"
    )]
    KeyDenied {
        /// Its id.
        snapshot: String,
        /// What AWS said, with the key if AWS names it.
        detail: String,
    },
    /// AWS does not serve a snapshot in this state.
    #[error("snapshot {snapshot} is not completed, or not readable block by block: {detail}")]
    NotCompleted {
        /// Its id.
        snapshot: String,
        /// What AWS said.
        detail: String,
    },
    /// The snapshot has a shape that is not known here.
    #[error("snapshot {snapshot} is not supported: {detail}")]
    Unsupported {
        /// Its id.
        snapshot: String,
        /// What is not supported.
        detail: String,
    },
    /// A block did not come whole, however often it was asked for.
    #[error("block {block} of snapshot {snapshot} arrives damaged: {detail}")]
    DamagedBlock {
        /// Id of the snapshot.
        snapshot: String,
        /// Index of the block.
        block: u32,
        /// The last damage.
        detail: String,
    },
    /// Nothing answers.
    #[error(
        "cannot reach the EBS direct APIs of {region}: {detail}; check the network and \
         AWS_ENDPOINT_URL_EBS"
    )]
    Unreachable {
        /// The region asked.
        region: String,
        /// What failed.
        detail: String,
    },
    /// AWS refused calls for their rate until the attempts were used up.
    #[error("AWS keeps throttling reads of snapshot {snapshot}: {detail}")]
    Throttled {
        /// Its id.
        snapshot: String,
        /// What AWS said.
        detail: String,
    },
    /// Any other answer.
    #[error("reading snapshot {snapshot}: {detail}")]
    Service {
        /// Its id.
        snapshot: String,
        /// What AWS said.
        detail: String,
    },
    /// The account was dropped.
    #[error("the AWS account was closed before the read ended")]
    Closed,
}
