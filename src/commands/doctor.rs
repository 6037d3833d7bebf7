//! `sidelight doctor`: tries each permission that a sweep needs, and says which fails and why.

use super::cloud_args::CloudArgs;
use super::sweep::{Folder, scanner};
use crate::cloud::{Account, Error, Kind, Permission, Verdict};
use crate::model::{CloudVolume, printable_str};
use crate::pipeline::Advisories;
use crate::source::ebs_snapshot;
use crate::sweep::{Scanner, Selection, Settings, left_out};
use comfy_table::{Table as Grid, presets};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

const ASSUME: &str = "sts:AssumeRole";
const DELETE: &str = "ec2:DeleteSnapshot";
const LIST: &str = "ebs:ListSnapshotBlocks";
const GET: &str = "ebs:GetSnapshotBlock";
/// EBS asks for `kms:DescribeKey` along with it.
const DECRYPT: &str = "kms:Decrypt";
/// Each key that is tried takes a snapshot.
const MOST_KEYS: usize = 20;

const EXAMPLES: &str = "Examples:
  sidelight doctor --region eu-central-1                   dry runs only: nothing is made
  sidelight doctor --make-snapshot                         one is made, read and deleted
  sidelight doctor --make-snapshot --output s3://BUCKET/results    and the results can be written

Exit codes: 0 all is allowed; 2 could not run; 3 something is denied or could not be tried.";

/// Try each permission that a sweep needs, and say which fails and why
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    cloud: CloudArgs,
    /// Make a snapshot of one volume, and of one for each key, read a block of it, and delete it:
    /// reading and keys have no dry run
    #[arg(long)]
    make_snapshot: bool,
    /// Where sweeps are to write their results: a small file is put there, to see whether it can be
    #[arg(long, value_name = "DIR")]
    output: Option<String>,
}

/// Runs the doctor.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let folder = args.output.as_deref().map(Folder::parse).transpose()?;
    let account = Arc::new(args.cloud.examine()?);
    let scanner = scanner(account, Settings::default(), &Advisories::Unwanted)?;
    let account = &scanner.account;
    let mut found: Vec<_> = account.assumed.iter().map(assuming).collect();
    let (instances, why) = match account.instances(&[]) {
        Ok(instances) => (instances, "there is no instance to try it on".to_owned()),
        Err(error) => (Vec::new(), error.to_string()),
    };
    let selection = Selection { stopped: true, ..Selection::default() };
    let wanted: Vec<_> = instances.iter().filter(|it| selection.refuses(it).is_none()).collect();
    let left_out: Vec<String> =
        wanted.iter().flat_map(|it| left_out(it)).map(|it| it.0.id.clone()).collect();
    let instance = wanted.first().copied().ok_or(why.as_str());
    // Only what is of this instance can be left out of it.
    let own =
        |id: &&String| instance.is_ok_and(|it| it.volumes.iter().any(|v| v.context.id == **id));
    let own: Vec<String> = left_out.iter().filter(own).cloned().collect();
    found.extend(account.permissions(instance, &own));
    // Not even a trial is made on a volume whose owner says never.
    let volumes = wanted.iter().flat_map(|it| &it.volumes).map(|it| &it.context);
    let volumes: Vec<_> = volumes.filter(|volume| !left_out.contains(&volume.id)).collect();
    for tried in reading(&scanner, args.make_snapshot, &volumes, &why) {
        // What was really done says more than a dry run.
        found.retain(|dry| dry.action != tried.action || tried.action == DECRYPT);
        found.push(tried);
    }
    found.push(alias(&scanner));
    found.extend(folder.map(|folder| writing(&folder, account)));
    show(&scanner, &found)?;
    let fine = found.iter().all(|permission| permission.verdict == Verdict::Allowed);
    Ok(ExitCode::from(if fine { 0 } else { 3 }))
}

/// Reading of blocks, tried on a snapshot made for it: one of a plain volume, and one for each key.
fn reading(
    scanner: &Scanner<'_>,
    make_snapshot: bool,
    volumes: &[&CloudVolume],
    why: &str,
) -> Vec<Permission> {
    let samples = samples(volumes);
    let untried = |why: &str| -> Vec<Permission> {
        let reading = [LIST, GET].map(|action| outcome(action, Verdict::Untried, why));
        let keys = samples.keys().flatten();
        let keys = keys.map(|key| outcome(DECRYPT, Verdict::Untried, &format!("{key}: {why}")));
        reading.into_iter().chain(keys).collect()
    };
    if samples.is_empty() {
        return untried(why);
    }
    if !make_snapshot {
        return untried("it has no dry run; --make-snapshot tries it");
    }
    let mut found = Vec::new();
    for (key, volume) in samples.iter().take(MOST_KEYS) {
        let tried =
            scanner.with_snapshot(volume, |snapshot| read_one(&scanner.ebs, snapshot, *key));
        let tried = tried.unwrap_or_else(|failure| untried(&failure.detail));
        for it in tried {
            keep(&mut found, it);
        }
    }
    for key in samples.keys().skip(MOST_KEYS).flatten() {
        let why = format!("{key}: only {MOST_KEYS} keys are tried");
        found.push(outcome(DECRYPT, Verdict::Untried, &why));
    }
    found.push(deleting(scanner));
    found
}

/// A volume for each key, and one without.
fn samples<'a>(volumes: &[&'a CloudVolume]) -> BTreeMap<Option<&'a str>, &'a str> {
    let mut samples = BTreeMap::new();
    for volume in volumes {
        let key = volume.encrypted.then(|| volume.kms_key.as_deref().unwrap_or("the default key"));
        samples.entry(key).or_insert(volume.id.as_str());
    }
    samples
}

/// Of the two that read, the worst verdict counts; each key has its own line.
fn keep(found: &mut Vec<Permission>, new: Permission) {
    match found.iter_mut().find(|it| it.action == new.action && new.action != DECRYPT) {
        Some(known) if known.verdict == Verdict::Allowed => *known = new,
        Some(_) => {}
        None => found.push(new),
    }
}

/// What the snapshots came to, those of calls whose answers were lost too.
fn deleting(scanner: &Scanner<'_>) -> Permission {
    if let Err(error) = scanner.sweep_up() {
        return outcome(DELETE, Verdict::Untried, &error.to_string());
    }
    scanner.ledger.settle();
    match scanner.ledger.undeleted().as_slice() {
        [] => outcome(DELETE, Verdict::Allowed, "the snapshots are gone"),
        left => outcome(DELETE, Verdict::Denied, &format!("left over: {}", left.join(", "))),
    }
}

fn read_one(ebs: &ebs_snapshot::Account, snapshot: &str, key: Option<&str>) -> Vec<Permission> {
    let denied = |error: &ebs_snapshot::Error| {
        use ebs_snapshot::Error::{AccessDenied, KeyDenied};
        matches!(error, AccessDenied { .. } | KeyDenied { .. })
    };
    // A key that is denied says nothing of the right to call.
    let verdict = |action, error: &ebs_snapshot::Error| {
        let by_key = matches!(error, ebs_snapshot::Error::KeyDenied { .. });
        let action = if by_key { DECRYPT } else { action };
        let verdict = if denied(error) { Verdict::Denied } else { Verdict::Untried };
        let key = key.filter(|_| by_key).map_or(String::new(), |key| format!("{key}: "));
        outcome(action, verdict, &format!("{key}{error}"))
    };
    let opened = match ebs.snapshot(snapshot) {
        Ok(opened) => opened,
        Err(error) => {
            let first = verdict(LIST, &error);
            let same = outcome(GET, Verdict::Untried, &error.to_string());
            return if first.action == DECRYPT { vec![first] } else { vec![first, same] };
        }
    };
    let listed = outcome(LIST, Verdict::Allowed, snapshot);
    let got = match opened.first_block() {
        Ok(true) => outcome(GET, Verdict::Allowed, snapshot),
        Ok(false) => outcome(GET, Verdict::Untried, "the snapshot holds no block"),
        Err(error) => verdict(GET, &error),
    };
    let used = key.filter(|_| got.verdict == Verdict::Allowed);
    let used = used.map(|key| outcome(DECRYPT, Verdict::Allowed, key));
    [listed, got].into_iter().chain(used).collect()
}

fn assuming((arn, outcome): &(String, Result<(), Error>)) -> Permission {
    match outcome {
        Ok(()) => self::outcome(ASSUME, Verdict::Allowed, arn),
        Err(error) => self::outcome(ASSUME, Verdict::Denied, &error.to_string()),
    }
}

/// Writing of results, tried with a file that stays.
fn writing(folder: &Folder, account: &Account) -> Permission {
    let content = "{ \"note\": \"sidelight doctor could write here\" }\n";
    let tried = folder.write(account, "doctor.json", |out| out.write_all(content.as_bytes()));
    match tried {
        Ok(()) => outcome(folder.action(), Verdict::Allowed, &folder.to_string()),
        Err(error) => outcome(folder.action(), Verdict::Denied, &format!("{error:#}")),
    }
}

/// Good to have, and nothing depends on it.
fn alias(scanner: &Scanner<'_>) -> Permission {
    const ACTION: &str = "iam:ListAccountAliases";
    let account = &scanner.account;
    match &account.alias_error {
        Some(error) if error.kind == Kind::Denied => {
            outcome(ACTION, Verdict::Denied, "reports show the account's id alone")
        }
        Some(error) => outcome(ACTION, Verdict::Untried, &error.to_string()),
        None => outcome(ACTION, Verdict::Allowed, account.alias.as_deref().unwrap_or("no alias")),
    }
}

fn outcome(action: &'static str, verdict: Verdict, detail: &str) -> Permission {
    Permission { action, verdict, detail: detail.to_owned() }
}

fn show(scanner: &Scanner<'_>, found: &[Permission]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "account   {}", scanner.account.id)?;
    writeln!(out, "region    {}\n", scanner.account.region)?;
    let mut grid = Grid::new();
    grid.load_style(presets::NOTHING);
    for permission in found {
        let detail = printable_str(&permission.detail);
        grid.add_row([permission.action, permission.verdict.as_str(), &detail]);
    }
    for line in grid.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}
