//! What can go wrong with a call, in kinds that a sweep decides by.

use crate::aws::{ConnectError, chain, lacks_credentials};
use aws_sdk_ec2::config::http::HttpResponse;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};

/// A call that failed, its retries used up.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{action}: {detail}")]
pub struct Error {
    /// The action, as IAM writes it.
    pub action: &'static str,
    /// What kind of failure.
    pub kind: Kind,
    detail: String,
}

/// Kinds of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The caller may not do this.
    Denied,
    /// What was asked for is not there.
    NotFound,
    /// Too many calls.
    Throttled,
    /// AWS does not take the credentials, or they have expired.
    Credentials,
    /// The account has as many of these as it may have.
    Limit,
    /// What was asked for is in no state to do this with.
    State,
    /// A parameter names what is no longer so.
    Parameter,
    /// A dry run says that the call would have been allowed.
    DryRun,
    /// Nothing answers.
    Unreachable,
    /// AWS cannot be asked at all.
    Connect,
    /// Any other answer.
    Other,
}

impl Error {
    pub(super) fn new(action: &'static str, kind: Kind, detail: impl Into<String>) -> Self {
        Self { action, kind, detail: detail.into() }
    }

    pub(super) fn connect(error: &ConnectError) -> Self {
        Self::new("connecting to AWS", Kind::Connect, error.to_string())
    }

    /// Sorts an error of the SDK.
    pub(super) fn from_sdk<E>(action: &'static str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let Some(service) = error.as_service_error() else {
            let kind = if lacks_credentials(error) { Kind::Credentials } else { Kind::Unreachable };
            return Self::new(action, kind, chain(error));
        };
        let code = service.code().unwrap_or("unknown error");
        let message = service.message().unwrap_or("no message");
        let detail = crate::model::printable_str(&format!("{code}: {message}"));
        Self::new(action, kind(code), detail)
    }
}

/// By whole code, but for families that EC2 writes with a dot (`InvalidSnapshot.NotFound`).
fn kind(code: &str) -> Kind {
    match code {
        "UnauthorizedOperation" | "AccessDenied" | "AccessDeniedException" => Kind::Denied,
        "RequestLimitExceeded" | "Throttling" | "ThrottlingException" => Kind::Throttled,
        "AuthFailure"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "SignatureDoesNotMatch" => Kind::Credentials,
        // A volume takes one snapshot in 15 seconds: longer than the client tries again.
        "SnapshotCreationPerVolumeRateExceeded"
        | "PendingSnapshotLimitExceeded"
        | "SnapshotLimitExceeded"
        | "ConcurrentSnapshotLimitExceeded"
        | "ResourceLimitExceeded" => Kind::Limit,
        "IncorrectState" | "IncorrectInstanceState" | "InvalidSnapshot.InUse" => Kind::State,
        "InvalidParameterValue" => Kind::Parameter,
        "DryRunOperation" => Kind::DryRun,
        _ if code.ends_with(".NotFound") || code.ends_with(".Malformed") => Kind::NotFound,
        _ => Kind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_by_what_a_sweep_does_about_them() {
        for (code, expected) in [
            ("UnauthorizedOperation", Kind::Denied),
            ("InvalidSnapshot.NotFound", Kind::NotFound),
            ("InvalidInstanceID.Malformed", Kind::NotFound),
            ("RequestLimitExceeded", Kind::Throttled),
            ("ExpiredToken", Kind::Credentials),
            ("PendingSnapshotLimitExceeded", Kind::Limit),
            ("InternalError", Kind::Other),
            ("UnsupportedOperation", Kind::Other),
        ] {
            assert_eq!(kind(code), expected, "{code}");
        }
    }
}
