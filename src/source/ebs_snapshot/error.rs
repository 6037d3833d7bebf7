//! What can go wrong with an account or a snapshot, in words for who runs the scan.

/// Why an account or a snapshot cannot be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The threads could not be started.
    #[error("cannot start the threads that talk to AWS: {0}")]
    Runtime(String),
    /// No region is configured.
    #[error("no AWS region: name one, or set AWS_REGION, or a region in the AWS profile")]
    MissingRegion,
    /// A variable that names the endpoint is empty, which the SDK does not survive.
    #[error("{0} is set but empty: unset it, or name the URL of the endpoint")]
    EmptyEndpoint(&'static str),
    /// No credentials were found.
    #[error(
        "no AWS credentials found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or \
         AWS_PROFILE, or run with an instance, task or web identity role ({0})"
    )]
    MissingCredentials(String),
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

/// An error and its sources in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let part = error.to_string();
        // Some errors of the SDK already end with their source.
        if !text.ends_with(&part) {
            text = format!("{text}: {part}");
        }
        source = error.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
