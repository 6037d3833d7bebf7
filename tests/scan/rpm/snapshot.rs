//! An rpm host as a snapshot: the same packages as from its image, and few blocks.

use super::{assert_same, gaps, make_disk, real_hosts, rows_with_epoch, unpack};
use ebs_standin::{Action, Standin};
use std::process::Command;

const ID: &str = "snap-0123456789abcdef0";

#[test]
fn a_snapshot_has_the_packages_of_its_database() {
    let Some(folder) = unpack("fixtures.tar.zst", "*rpmdb/reconstructed/*") else { return };
    for (name, host) in real_hosts(folder.path()) {
        if name != "amazon_2" && name != "amazon_2023" {
            continue;
        }
        let work = tempfile::tempdir().expect("a folder");
        let image = make_disk(&name, &host, work.path());
        let server = Standin::builder().snapshot(ID, &image).start().expect("started");
        let output = Command::new(env!("CARGO_BIN_EXE_sidelight"))
            .args(["scan", "--no-match", "--format", "json", ID])
            .env("AWS_ENDPOINT_URL_EBS", server.url())
            .envs([("AWS_ACCESS_KEY_ID", "AKIATEST"), ("AWS_SECRET_ACCESS_KEY", "x")])
            .env("AWS_REGION", "us-east-1")
            .output()
            .expect("the program runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        let report: serde_json::Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {stderr}"));
        assert_eq!((output.status.code(), gaps(&report)), (Some(0), Vec::new()), "{name}");
        assert_same(&rows_with_epoch(&report), &host.expected, &name);
        // The database has 4 MiB; beside it stand the superblock, inodes and folders.
        let blocks = server.stats().calls_of(Action::GetSnapshotBlock);
        assert!(blocks <= 16, "{name}: {blocks}");
    }
}
