//! What can go wrong: in starting the stand-in ([`StandinError`]), and as answers of the
//! API ([`ErrorKind`]).
//!
//! Types, reasons and HTTP codes are those of the service model (`ebs/2019-11-02`); those of
//! the signature and of `ThrottlingException` are from the user guide's table of errors.

use std::{io, net::SocketAddr, path::PathBuf};

use serde::{Deserialize, Serialize};

/// Why the stand-in, or one of its snapshots, could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum StandinError {
    /// The image cannot be opened or read.
    #[error("cannot read image {}", path.display())]
    Image {
        /// The image.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The image has more blocks than an index of the API can name.
    #[error("image of snapshot {0} is larger than the api can address")]
    TooLarge(String),
    /// The id is not `snap-` and hexadecimal digits, 64 characters at most.
    #[error("snapshot id {0:?} is not snap- followed by lowercase hexadecimal digits")]
    SnapshotId(String),
    /// The id is taken.
    #[error("snapshot {0} is already served")]
    Duplicate(String),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The runtime could not be built.
    #[error("cannot start the runtime")]
    Runtime(#[source] io::Error),
}

/// An error of the API, with its reason where the type has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// `ResourceNotFoundException`, `SNAPSHOT_NOT_FOUND`.
    SnapshotNotFound,
    /// `ResourceNotFoundException`, `DEPENDENCY_RESOURCE_NOT_FOUND`.
    DependencyResourceNotFound,
    /// `AccessDeniedException`, `UNAUTHORIZED_ACCOUNT`.
    UnauthorizedAccount,
    /// `AccessDeniedException`, `DEPENDENCY_ACCESS_DENIED`: the KMS key is denied.
    DependencyAccessDenied,
    /// `RequestThrottledException`, `ACCOUNT_THROTTLED`.
    AccountThrottled,
    /// `RequestThrottledException`, `RESOURCE_LEVEL_THROTTLE`.
    ResourceLevelThrottle,
    /// `RequestThrottledException`, `DEPENDENCY_REQUEST_THROTTLED`.
    DependencyRequestThrottled,
    /// `ThrottlingException`, which the user guide names but the model does not.
    Throttling,
    /// `ServiceQuotaExceededException`, `DEPENDENCY_SERVICE_QUOTA_EXCEEDED`.
    ServiceQuotaExceeded,
    /// `ConcurrentLimitExceededException`.
    ConcurrentLimitExceeded,
    /// `InternalServerException`.
    InternalServer,
    /// `ServiceUnavailable` (503), as a front end sends it.
    ServiceUnavailable,
    /// `ValidationException`, `INVALID_SNAPSHOT_ID`.
    InvalidSnapshotId,
    /// `ValidationException`, `INVALID_BLOCK`.
    InvalidBlock,
    /// `ValidationException`, `INVALID_BLOCK_TOKEN`.
    InvalidBlockToken,
    /// `ValidationException`, `INVALID_PAGE_TOKEN`.
    InvalidPageToken,
    /// `ValidationException`, `INVALID_PARAMETER_VALUE`.
    InvalidParameterValue,
    /// `ValidationException`, `INVALID_CUSTOMER_KEY`: the KMS key is disabled or gone.
    InvalidCustomerKey,
    /// `ValidationException`, `INVALID_DEPENDENCY_REQUEST`.
    InvalidDependencyRequest,
    /// `ValidationException`, `UNRELATED_SNAPSHOTS`.
    UnrelatedSnapshots,
    /// `MissingAuthenticationTokenException`: no `Authorization` header.
    MissingAuthentication,
    /// `IncompleteSignatureException`: an `Authorization` header that is not SigV4.
    IncompleteSignature,
    /// `InvalidSignatureException`: signed for another service.
    InvalidSignature,
    /// `ExpiredTokenException`: the session's credentials are over.
    ExpiredToken,
    /// `UnrecognizedClientException`: the access key is unknown.
    UnrecognizedClient,
    /// `UnknownOperationException`: no such path.
    UnknownOperation,
}

/// HTTP code, type, reason and a message.
type Wire = (u16, &'static str, Option<&'static str>, &'static str);

impl ErrorKind {
    /// The HTTP code of the answer.
    pub fn status(self) -> u16 {
        self.wire().0
    }

    /// The name in `x-amzn-ErrorType`.
    pub fn type_name(self) -> &'static str {
        self.wire().1
    }

    /// The member `Reason`, where the type has one.
    pub fn reason(self) -> Option<&'static str> {
        self.wire().2
    }

    /// The message of the answer where the caller has nothing more exact.
    pub fn message(self) -> &'static str {
        self.wire().3
    }

    /// `Type/REASON`, the key of the statistics.
    pub fn label(self) -> String {
        match self.reason() {
            Some(reason) => format!("{}/{reason}", self.type_name()),
            None => self.type_name().to_owned(),
        }
    }

    fn wire(self) -> Wire {
        self.validation().unwrap_or_else(|| self.other())
    }

    fn validation(self) -> Option<Wire> {
        let (reason, message) = match self {
            Self::InvalidSnapshotId => ("INVALID_SNAPSHOT_ID", "The snapshot ID is not valid."),
            Self::InvalidBlock => ("INVALID_BLOCK", "The block index is not valid."),
            Self::InvalidBlockToken => ("INVALID_BLOCK_TOKEN", "The block token is not valid."),
            Self::InvalidPageToken => ("INVALID_PAGE_TOKEN", "The page token is not valid."),
            Self::InvalidParameterValue => {
                ("INVALID_PARAMETER_VALUE", "A parameter of the request is not valid.")
            }
            Self::InvalidCustomerKey => ("INVALID_CUSTOMER_KEY", "The KMS key is not usable."),
            Self::InvalidDependencyRequest => {
                ("INVALID_DEPENDENCY_REQUEST", "A request to a dependency was not valid.")
            }
            Self::UnrelatedSnapshots => {
                ("UNRELATED_SNAPSHOTS", "The snapshots are not of one volume's lineage.")
            }
            _ => return None,
        };
        Some((400, "ValidationException", Some(reason), message))
    }

    fn other(self) -> Wire {
        let not_found = "ResourceNotFoundException";
        let denied = "AccessDeniedException";
        let throttled = "RequestThrottledException";
        let slow = "Rate exceeded";
        match self {
            Self::SnapshotNotFound => {
                (404, not_found, Some("SNAPSHOT_NOT_FOUND"), "The snapshot does not exist.")
            }
            Self::DependencyResourceNotFound => {
                (404, not_found, Some("DEPENDENCY_RESOURCE_NOT_FOUND"), "A dependency is missing.")
            }
            Self::UnauthorizedAccount => (
                403,
                denied,
                Some("UNAUTHORIZED_ACCOUNT"),
                "The account may not perform this action on the snapshot.",
            ),
            Self::DependencyAccessDenied => (
                403,
                denied,
                Some("DEPENDENCY_ACCESS_DENIED"),
                "Access to the KMS key of the snapshot is denied.",
            ),
            Self::AccountThrottled => (400, throttled, Some("ACCOUNT_THROTTLED"), slow),
            Self::ResourceLevelThrottle => (400, throttled, Some("RESOURCE_LEVEL_THROTTLE"), slow),
            Self::DependencyRequestThrottled => {
                (400, throttled, Some("DEPENDENCY_REQUEST_THROTTLED"), slow)
            }
            Self::Throttling => (400, "ThrottlingException", None, slow),
            Self::ServiceQuotaExceeded => (
                402,
                "ServiceQuotaExceededException",
                Some("DEPENDENCY_SERVICE_QUOTA_EXCEEDED"),
                "A service quota is used up.",
            ),
            rest => rest.front_end(),
        }
    }

    fn front_end(self) -> Wire {
        let (status, name, message) = match self {
            Self::ConcurrentLimitExceeded => {
                (400, "ConcurrentLimitExceededException", "Too many concurrent requests.")
            }
            Self::ServiceUnavailable => (503, "ServiceUnavailable", "Service is unavailable."),
            Self::MissingAuthentication => {
                (403, "MissingAuthenticationTokenException", "Missing Authentication Token")
            }
            Self::IncompleteSignature => {
                (403, "IncompleteSignatureException", "Authorization header is not SigV4.")
            }
            Self::InvalidSignature => (
                403,
                "InvalidSignatureException",
                "Credential should be scoped to correct service: 'ebs'.",
            ),
            Self::ExpiredToken => (
                403,
                "ExpiredTokenException",
                "The security token included in the request is expired",
            ),
            Self::UnrecognizedClient => (
                403,
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
            ),
            Self::UnknownOperation => (404, "UnknownOperationException", "No such operation."),
            _ => (500, "InternalServerException", "An internal error has occurred."),
        };
        (status, name, None, message)
    }
}

/// An [`ErrorKind`] with the message to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) kind: ErrorKind,
    pub(crate) message: String,
}

impl ApiError {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

impl From<ErrorKind> for ApiError {
    fn from(kind: ErrorKind) -> Self {
        Self::new(kind, kind.message())
    }
}
