//! `sidelight doctor`: tries each permission that a sweep needs, and says which fails and why.

use super::cloud_args::CloudArgs;
use super::sweep::{Folder, scanner};
use crate::cloud::{Account, Error, Kind, Permission, Verdict};
use crate::model::printable_str;
use crate::pipeline::Advisories;
use crate::source::ebs_snapshot;
use crate::sweep::{Scanner, Selection, Settings, left_out};
use comfy_table::{Table as Grid, presets};
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

const ASSUME: &str = "sts:AssumeRole";
const DELETE: &str = "ec2:DeleteSnapshot";

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
    /// Make a snapshot of one volume, read a block of it, and delete it: reading and keys have no
    /// dry run
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
    // A role that may not even look is told so below, call by call.
    let instances = account.instances(&[]).unwrap_or_default();
    let selection = Selection { stopped: true, ..Selection::default() };
    let wanted = instances.into_iter().find(|instance| selection.refuses(instance).is_none());
    // Not even a trial is made on a volume whose owner says never.
    let instance = wanted.map(|mut instance| {
        let left_out: Vec<_> = left_out(&instance).into_iter().map(|it| it.0.id.clone()).collect();
        instance.volumes.retain(|volume| !left_out.contains(&volume.context.id));
        instance
    });
    found.extend(account.permissions(instance.as_ref()));
    for tried in reading(&scanner, args, instance.as_ref().and_then(|it| it.volumes.first())) {
        // What was really done says more than a dry run.
        found.retain(|dry| dry.action != tried.action);
        found.push(tried);
    }
    found.push(alias(&scanner));
    found.extend(folder.map(|folder| writing(&folder, account)));
    show(&scanner, &found)?;
    let fine = found.iter().all(|permission| permission.verdict == Verdict::Allowed);
    Ok(ExitCode::from(if fine { 0 } else { 3 }))
}

/// Reading of blocks, tried on a snapshot made for it.
fn reading(
    scanner: &Scanner<'_>,
    args: &Args,
    volume: Option<&crate::cloud::Volume>,
) -> Vec<Permission> {
    let untried = |why: &str| {
        let actions = ["ebs:ListSnapshotBlocks", "ebs:GetSnapshotBlock"];
        actions.map(|action| outcome(action, Verdict::Untried, why)).to_vec()
    };
    let Some(volume) = volume else { return untried("there is no volume to try it on") };
    if !args.make_snapshot {
        return untried("it has no dry run; --make-snapshot tries it");
    }
    let id = &volume.context.id;
    let mut found = match scanner.with_snapshot(id, |snapshot| read_one(&scanner.ebs, snapshot)) {
        Ok(found) => found,
        Err(failure) => return untried(&failure.detail),
    };
    let (verdict, detail) = match scanner.ledger.undeleted().pop() {
        None => (Verdict::Allowed, "the snapshot is gone".to_owned()),
        Some(left) => (Verdict::Denied, format!("{left} is left over")),
    };
    found.push(outcome(DELETE, verdict, &detail));
    found
}

fn read_one(ebs: &ebs_snapshot::Account, snapshot: &str) -> Vec<Permission> {
    let (list, get) = ("ebs:ListSnapshotBlocks", "ebs:GetSnapshotBlock");
    let verdict = |action, error: &ebs_snapshot::Error| {
        use ebs_snapshot::Error::{AccessDenied, KeyDenied};
        let denied = matches!(error, AccessDenied { .. } | KeyDenied { .. });
        let verdict = if denied { Verdict::Denied } else { Verdict::Untried };
        outcome(action, verdict, &error.to_string())
    };
    let opened = match ebs.snapshot(snapshot) {
        Ok(opened) => opened,
        Err(error) => return vec![verdict(list, &error), outcome(get, Verdict::Untried, "")],
    };
    let listed = outcome(list, Verdict::Allowed, snapshot);
    vec![
        listed,
        match opened.first_block() {
            Ok(true) => outcome(get, Verdict::Allowed, snapshot),
            Ok(false) => outcome(get, Verdict::Untried, "the snapshot holds no block"),
            Err(error) => verdict(get, &error),
        },
    ]
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
