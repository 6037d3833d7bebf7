//! Tests of the classification of answers and of the retries.

use super::*;
use std::sync::atomic::{AtomicU32, Ordering};

fn check(status: u16, code: &str, reason: Option<&str>, expected: (Class, Cause)) {
    let failure = classify(Answer { status, code, reason, message: "said" });
    assert_eq!((failure.class, failure.cause), expected, "{code} {reason:?}");
    assert!(failure.detail.ends_with("said"), "{}", failure.detail);
}

#[test]
fn throttles_slow_down_what_their_reason_names() {
    let slow = |scope| (Class::Throttled(scope), Cause::Throttle);
    let code = "RequestThrottledException";
    check(400, code, Some("ACCOUNT_THROTTLED"), slow(Scope::Account));
    check(400, code, Some("RESOURCE_LEVEL_THROTTLE"), slow(Scope::Snapshot));
    check(400, code, Some("DEPENDENCY_REQUEST_THROTTLED"), slow(Scope::Snapshot));
    check(400, code, None, slow(Scope::Account));
    check(400, "ThrottlingException", None, slow(Scope::Account));
    check(400, "ConcurrentLimitExceededException", None, slow(Scope::Account));
    check(429, "Unheard", None, slow(Scope::Account));
}

#[test]
fn servers_in_trouble_are_asked_again() {
    check(500, "InternalServerException", None, (Class::Transient, Cause::Other));
    check(503, "ServiceUnavailable", None, (Class::Transient, Cause::Other));
    check(502, "", None, (Class::Transient, Cause::Other));
}

#[test]
fn tokens_are_listed_again() {
    let code = "ValidationException";
    check(400, code, Some("INVALID_BLOCK_TOKEN"), (Class::BlockToken, Cause::Other));
    check(400, code, Some("INVALID_PAGE_TOKEN"), (Class::PageToken, Cause::Other));
}

#[test]
fn refusals_are_final() {
    let fatal = |cause| (Class::Fatal, cause);
    check(403, "AccessDeniedException", Some("UNAUTHORIZED_ACCOUNT"), fatal(Cause::AccessDenied));
    check(403, "AccessDeniedException", Some("DEPENDENCY_ACCESS_DENIED"), fatal(Cause::Key));
    check(400, "ValidationException", Some("INVALID_CUSTOMER_KEY"), fatal(Cause::Key));
    check(400, "ValidationException", Some("INVALID_SNAPSHOT_ID"), fatal(Cause::State));
    check(400, "ValidationException", Some("INVALID_BLOCK"), fatal(Cause::Other));
    let unknown = fatal(Cause::UnknownSnapshot);
    check(404, "ResourceNotFoundException", Some("SNAPSHOT_NOT_FOUND"), unknown);
    check(403, "ExpiredTokenException", None, fatal(Cause::Credentials));
    check(402, "ServiceQuotaExceededException", None, fatal(Cause::Other));
}

async fn attempts_made(class: Class) -> (u32, super::super::Usage) {
    let (account, snapshot) = (Limiter::new(64, 1000.0), Limiter::new(64, 1000.0));
    let meter = Meter::default();
    let gate = Gate { account: &account, snapshot: Some(&snapshot), meter: &meter };
    let made = AtomicU32::new(0);
    let outcome: Result<(), _> = gate
        .call(Action::Get, || async {
            made.fetch_add(1, Ordering::Relaxed);
            Err(Failure::new(class, Cause::Other, ""))
        })
        .await;
    assert!(outcome.is_err());
    (made.into_inner(), meter.usage())
}

#[tokio::test(start_paused = true)]
async fn attempts_are_bounded_by_class() {
    assert_eq!(attempts_made(Class::Fatal).await.0, 1);
    assert_eq!(attempts_made(Class::Damaged).await.0, DAMAGED_ATTEMPTS);
    assert_eq!(attempts_made(Class::Transient).await.0, ATTEMPTS);
    let (made, usage) = attempts_made(Class::Throttled(Scope::Snapshot)).await;
    assert_eq!((made, usage.get_calls, usage.throttles, usage.retries), (8, 8, 8, 7));
}

#[tokio::test(start_paused = true)]
async fn a_call_without_answer_is_given_up_and_made_again() {
    let (account, meter) = (Limiter::new(64, 1000.0), Meter::default());
    let gate = Gate { account: &account, snapshot: None, meter: &meter };
    let made = AtomicU32::new(0);
    let outcome = gate
        .call(Action::List, || async {
            if made.fetch_add(1, Ordering::Relaxed) == 0 {
                std::future::pending::<()>().await;
            }
            Ok(7)
        })
        .await;
    assert_eq!(outcome, Ok(7));
    assert_eq!(meter.usage().list_calls, 2);
}

#[tokio::test(start_paused = true)]
async fn other_failures_leave_the_attempts_of_a_damaged_block() {
    let (account, meter) = (Limiter::new(64, 1000.0), Meter::default());
    let gate = Gate { account: &account, snapshot: None, meter: &meter };
    let made = AtomicU32::new(0);
    let outcome = gate
        .call(Action::Get, || async {
            let class = match made.fetch_add(1, Ordering::Relaxed) {
                0..=4 => Class::Transient,
                5 => Class::Damaged,
                made => return Ok(made),
            };
            Err(Failure::new(class, Cause::Other, ""))
        })
        .await;
    assert_eq!(outcome, Ok(6));
}

#[test]
fn waits_double_up_to_a_cap() {
    assert_eq!(backoff_bound(1), BACKOFF_BASE);
    assert_eq!(backoff_bound(3), 4 * BACKOFF_BASE);
    assert_eq!(backoff_bound(u32::MAX), BACKOFF_CAP);
    assert!((1..100).all(|made| backoff(made) <= backoff_bound(made)));
}
