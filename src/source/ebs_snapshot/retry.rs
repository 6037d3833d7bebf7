//! Which failures are worth another attempt, and when it comes.

use super::limiter::Limiter;
use super::usage::{Action, Meter};
use crate::aws::CALL_TIMEOUT;
use std::future::Future;
use std::time::Duration;
use tokio::time::{sleep, timeout};

const ATTEMPTS: u32 = 8;
/// Attempts for a block that arrives damaged: it may be so where it is stored.
const DAMAGED_ATTEMPTS: u32 = 4;
const BACKOFF_BASE: Duration = Duration::from_millis(50);
const BACKOFF_CAP: Duration = Duration::from_secs(5);

/// What to do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Slow down and try again.
    Throttled(Scope),
    /// Try again.
    Transient,
    /// Try again, a few times.
    Damaged,
    /// List the block again.
    BlockToken,
    /// List again from the last block seen.
    PageToken,
    /// Give up.
    Fatal,
    /// Give up; the call never left.
    Unsent,
}

/// Whose calls a throttle slows down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Account,
    Snapshot,
}

/// What went wrong, for the words of the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    UnknownSnapshot,
    AccessDenied,
    Key,
    State,
    Credentials,
    Network,
    Throttle,
    Damage,
    Unsupported,
    Other,
}

/// One failed attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) class: Class,
    pub(super) cause: Cause,
    pub(super) detail: String,
}

impl Failure {
    pub(super) fn new(class: Class, cause: Cause, detail: impl Into<String>) -> Self {
        Self { class, cause, detail: detail.into() }
    }
}

/// An error answer of AWS.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer<'a> {
    pub(super) status: u16,
    pub(super) code: &'a str,
    pub(super) reason: Option<&'a str>,
    pub(super) message: &'a str,
}

/// Sorts an error answer.
pub(super) fn classify(answer: Answer<'_>) -> Failure {
    let Answer { status, code, reason, message } = answer;
    let reason = reason.unwrap_or_default();
    let (class, cause) = by_code(code, reason).unwrap_or(match status {
        429 => (Class::Throttled(Scope::Account), Cause::Throttle),
        500.. => (Class::Transient, Cause::Other),
        _ => (Class::Fatal, Cause::Other),
    });
    let name = if reason.is_empty() { code.to_owned() } else { format!("{code}/{reason}") };
    Failure::new(class, cause, format!("{name} ({status}): {message}"))
}

fn by_code(code: &str, reason: &str) -> Option<(Class, Cause)> {
    let throttled = |scope| Some((Class::Throttled(scope), Cause::Throttle));
    let fatal = |cause| Some((Class::Fatal, cause));
    match (code, reason) {
        // Calls to KMS on behalf of this snapshot are too many; plain snapshots need none.
        (
            "RequestThrottledException",
            "RESOURCE_LEVEL_THROTTLE" | "DEPENDENCY_REQUEST_THROTTLED",
        ) => throttled(Scope::Snapshot),
        (
            "RequestThrottledException"
            | "ThrottlingException"
            | "Throttling"
            | "RequestLimitExceeded"
            | "TooManyRequestsException"
            | "ConcurrentLimitExceededException",
            _,
        ) => throttled(Scope::Account),
        ("ValidationException", "INVALID_BLOCK_TOKEN") => Some((Class::BlockToken, Cause::Other)),
        ("ValidationException", "INVALID_PAGE_TOKEN") => Some((Class::PageToken, Cause::Other)),
        // Ids are checked before the call, so it is the state that AWS minds.
        ("ValidationException", "INVALID_SNAPSHOT_ID") => fatal(Cause::State),
        ("ValidationException", "INVALID_CUSTOMER_KEY")
        | ("AccessDeniedException", "DEPENDENCY_ACCESS_DENIED")
        | ("ResourceNotFoundException", "DEPENDENCY_RESOURCE_NOT_FOUND") => fatal(Cause::Key),
        ("ResourceNotFoundException", _) => fatal(Cause::UnknownSnapshot),
        ("AccessDeniedException" | "AccessDenied", _) => fatal(Cause::AccessDenied),
        (
            "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "InvalidSignatureException"
            | "IncompleteSignatureException"
            | "MissingAuthenticationTokenException"
            | "ExpiredTokenException"
            | "ExpiredToken",
            _,
        ) => fatal(Cause::Credentials),
        ("InternalServerException" | "ServiceUnavailable" | "RequestTimeout", _) => {
            Some((Class::Transient, Cause::Other))
        }
        _ => None,
    }
}

/// The limits that a call goes through.
pub(super) struct Gate<'a> {
    pub(super) account: &'a Limiter,
    pub(super) snapshot: Option<&'a Limiter>,
    pub(super) meter: &'a Meter,
}

impl Gate<'_> {
    /// Makes a call until it succeeds, fails for good, or the attempts are used up.
    pub(super) async fn call<T, F>(
        &self,
        action: Action,
        attempt: impl Fn() -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let (mut made, mut damaged) = (0, 0);
        loop {
            let failure = match self.once(action, &attempt).await {
                Ok(value) => return Ok(value),
                Err(failure) => failure,
            };
            made += 1;
            damaged += u32::from(failure.class == Class::Damaged);
            let last = made >= ATTEMPTS || damaged >= DAMAGED_ATTEMPTS;
            if last || !is_retried(failure.class) {
                return Err(failure);
            }
            sleep(backoff(made)).await;
            self.meter.retried();
        }
    }

    async fn once<T, F>(&self, action: Action, attempt: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let snapshot = match self.snapshot {
            Some(limiter) => Some(limiter.enter().await),
            None => None,
        };
        let account = self.account.enter().await;
        self.meter.called(action);
        let late = || Failure::new(Class::Transient, Cause::Network, "no answer in 30 seconds");
        let outcome = timeout(CALL_TIMEOUT, attempt()).await.unwrap_or_else(|_| Err(late()));
        match &outcome {
            Ok(_) => {
                account.succeeded();
                if let Some(slot) = &snapshot {
                    slot.succeeded();
                }
            }
            Err(Failure { class: Class::Throttled(scope), .. }) => {
                self.meter.throttled();
                let narrow = snapshot.as_ref().filter(|_| *scope == Scope::Snapshot);
                narrow.unwrap_or(&account).throttled();
            }
            Err(Failure { class: Class::Unsent, .. }) => self.meter.unsent(action),
            Err(_) => {}
        }
        outcome
    }
}

fn is_retried(class: Class) -> bool {
    match class {
        Class::Throttled(_) | Class::Transient | Class::Damaged => true,
        Class::BlockToken | Class::PageToken | Class::Fatal | Class::Unsent => false,
    }
}

/// Full jitter: anything up to a bound that doubles.
fn backoff(made: u32) -> Duration {
    backoff_bound(made).mul_f64(fastrand::f64())
}

fn backoff_bound(made: u32) -> Duration {
    BACKOFF_BASE.saturating_mul(1 << (made - 1).min(16)).min(BACKOFF_CAP)
}

#[cfg(test)]
#[path = "retry_tests.rs"]
mod tests;
