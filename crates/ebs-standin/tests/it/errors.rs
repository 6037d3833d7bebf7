//! Refusals: the snapshot, its state, its owner, its key, and the signature.

use ebs_standin::{Access, Action, Effect, ErrorKind, Faults, Rule, Snapshot, Standin, Status};

use crate::client::{Client, ID, KEY, authorization, image, serve};

fn refusal(snapshot: Snapshot) -> String {
    let server = Standin::builder().add_snapshot(snapshot).start().unwrap();
    let client = Client::new(&server);
    let listing = client.list("").error();
    assert_eq!(client.block(1, "AAAA").error(), listing);
    listing
}

fn snapshot() -> Snapshot {
    Snapshot::bytes(ID, image(&[1]))
}

#[test]
fn unknown_snapshots_and_paths_are_not_found() {
    let server = serve(&[1]);
    let client = Client::new(&server);
    let error = |path: &str| client.get(path).error();
    let missing = "404 ResourceNotFoundException/SNAPSHOT_NOT_FOUND";
    assert_eq!(error("/snapshots/snap-00/blocks"), missing);
    assert_eq!(error("/snapshots/snap-00/blocks/1?blockToken=AA"), missing);
    assert_eq!(error("/snapshots/snap-00/changedblocks"), missing);
    let invalid = "400 ValidationException/INVALID_SNAPSHOT_ID";
    for id in ["snap-", "snap-XYZ", "vol-0123", "snap-0%20", &format!("snap-{}", "0".repeat(60))] {
        assert_eq!(error(&format!("/snapshots/{id}/blocks")), invalid, "{id}");
    }
    for path in ["/", "/snapshots", "/snapshots/snap-00", "/snapshots/snap-00/blocks/1/2"] {
        assert_eq!(error(path), "404 UnknownOperationException", "{path}");
    }
}

#[test]
fn only_completed_snapshots_are_read() {
    let invalid = "400 ValidationException/INVALID_SNAPSHOT_ID";
    assert_eq!(refusal(snapshot().status(Status::Pending)), invalid);
    assert_eq!(refusal(snapshot().status(Status::Error)), invalid);
}

#[test]
fn access_and_keys_are_denied() {
    let denied = "403 AccessDeniedException";
    let of = |access| refusal(snapshot().access(access));
    assert_eq!(of(Access::Denied), format!("{denied}/UNAUTHORIZED_ACCOUNT"));
    assert_eq!(of(Access::KmsDenied), format!("{denied}/DEPENDENCY_ACCESS_DENIED"));
    assert_eq!(of(Access::KmsDisabled), "400 ValidationException/INVALID_CUSTOMER_KEY");
}

#[test]
fn an_owner_excludes_other_accounts() {
    let server = Standin::builder()
        .add_snapshot(snapshot().owner("111122223333"))
        .account(KEY, "111122223333")
        .account("OTHER", "444455556666")
        .start()
        .unwrap();
    Client::new(&server).list("").ok();
    let other = Client::new(&server).key("OTHER").list("").error();
    assert_eq!(other, "403 AccessDeniedException/UNAUTHORIZED_ACCOUNT");
    Client::new(&server).key("UNREGISTERED").list("").ok();
}

#[test]
fn a_request_must_look_signed_for_ebs() {
    let server = serve(&[1]);
    let mut client = Client::new(&server);
    client.authorization = None;
    assert_eq!(client.list("").error(), "403 MissingAuthenticationTokenException");
    let good = authorization(KEY);
    let garbled = ["Bearer x", "AWS4-HMAC-SHA256 Credential=x", &good[..good.len() - 1]];
    for header in garbled.map(str::to_owned).into_iter().chain([good.replace("20260101", "x")]) {
        client.authorization = Some(header.clone());
        assert_eq!(client.list("").error(), "403 IncompleteSignatureException", "{header}");
    }
    client.authorization = Some(good.replace("/ebs/", "/ec2/"));
    assert_eq!(client.list("").error(), "403 InvalidSignatureException");
    client.authorization = Some(good.replace(", ", ","));
    client.list("").ok();
}

/// The codes are those of the service model.
#[test]
fn every_error_can_be_asked_for() {
    let kinds = [
        (
            ErrorKind::DependencyResourceNotFound,
            "404 ResourceNotFoundException/DEPENDENCY_RESOURCE_NOT_FOUND",
        ),
        (
            ErrorKind::DependencyRequestThrottled,
            "400 RequestThrottledException/DEPENDENCY_REQUEST_THROTTLED",
        ),
        (ErrorKind::Throttling, "400 ThrottlingException"),
        (
            ErrorKind::ServiceQuotaExceeded,
            "402 ServiceQuotaExceededException/DEPENDENCY_SERVICE_QUOTA_EXCEEDED",
        ),
        (ErrorKind::ConcurrentLimitExceeded, "400 ConcurrentLimitExceededException"),
        (ErrorKind::InternalServer, "500 InternalServerException"),
        (ErrorKind::ServiceUnavailable, "503 ServiceUnavailable"),
        (ErrorKind::InvalidDependencyRequest, "400 ValidationException/INVALID_DEPENDENCY_REQUEST"),
        (ErrorKind::ExpiredToken, "403 ExpiredTokenException"),
        (ErrorKind::UnrecognizedClient, "403 UnrecognizedClientException"),
    ];
    let server = serve(&[1]);
    for (kind, expected) in kinds {
        let rule = Rule::on(Action::ListSnapshotBlocks, Effect::Error(kind));
        server.set_faults(Faults::default().rule(rule));
        assert_eq!(Client::new(&server).list("").error(), expected);
    }
}

#[test]
fn a_bad_snapshot_does_not_start() {
    let start = |snapshot| Standin::builder().add_snapshot(snapshot).start().unwrap_err();
    let bad_id = start(Snapshot::bytes("snap-G", []));
    assert!(bad_id.to_string().starts_with("snapshot id \"snap-G\" is not"), "{bad_id}");
    let missing = start(Snapshot::file(ID, "/nowhere/disk.img"));
    assert_eq!(missing.to_string(), "cannot read image /nowhere/disk.img");
    let twice = Standin::builder().add_snapshot(snapshot()).add_snapshot(snapshot()).start();
    assert_eq!(twice.unwrap_err().to_string(), format!("snapshot {ID} is already served"));
}
