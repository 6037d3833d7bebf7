//! `sidelight scan i-…`, `vol-…`, `ami-…`: what has no snapshot yet gets one for as long as the
//! scan takes.

use super::cloud_args::CloudArgs;
use super::progress::Task;
use super::sweep;
use crate::inventory::Options;
use crate::pipeline::{Advisories, Scan};
use crate::sweep::{Failure, Scanner, Selection, Settings};
use anyhow::{Context, bail};
use std::path::Path;

const KINDS: [&str; 3] = ["i-", "vol-", "ami-"];

/// Whether the text is an id of these kinds, and no file.
pub fn is_one(text: &str) -> bool {
    let digits = KINDS.iter().find_map(|kind| text.strip_prefix(kind));
    let is_id = digits.is_some_and(|digits| {
        matches!(digits.len(), 8 | 17) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    is_id && !Path::new(text).exists()
}

/// Scans what the id names. Gives back the snapshots that could not be deleted, too.
pub fn scan(
    id: &str,
    cloud: &CloudArgs,
    (cache_bytes, inventory): (u64, Options),
    advisories: &Advisories,
    task: &Task,
) -> anyhow::Result<(Scan, Vec<String>)> {
    let settings = Settings { cache_bytes, inventory, ..Settings::default() };
    let scanner = sweep::connect(cloud, settings, advisories)?;
    let outcome = match id.split('-').next() {
        Some("i") => scan_instance(&scanner, id, task),
        Some("vol") => scanner.scan_volume(id, task).map_err(|failure| told(id, &failure)),
        _ => scanner.scan_image(id, task).map_err(|failure| told(id, &failure)),
    };
    if let Err(error) = scanner.sweep_up() {
        tracing::warn!(%error, "snapshots of calls whose answers were lost were not looked for");
    }
    scanner.ledger.settle();
    Ok((outcome?, scanner.ledger.undeleted()))
}

fn scan_instance(scanner: &Scanner<'_>, id: &str, task: &Task) -> anyhow::Result<Scan> {
    task.now("looking for the instance");
    let found = scanner.account.instances(&[id.to_owned()])?;
    let instance = found.first().with_context(|| format!("{id}: no such instance"))?;
    // Who names an instance means it, running or stopped; its owner's "never" holds all the same.
    let selection = Selection { stopped: true, ..Selection::default() };
    if let Some(reason) = selection.refuses(instance) {
        bail!("{id} is not scanned: {}", reason.as_str());
    }
    task.now("waiting for its snapshots");
    scanner.scan(instance, task).finish().map_err(|failure| told(id, &failure))
}

fn told(id: &str, failure: &Failure) -> anyhow::Error {
    anyhow::anyhow!("{id} was not scanned: {}", failure.detail)
}
