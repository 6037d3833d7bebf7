//! `sidelight onboard`: what an account has to make before it can be scanned. Asks nobody.

use super::output::Output;
use crate::cloud::{Onboarding, Roles, is_account};
use anyhow::ensure;
use std::process::ExitCode;

const EXAMPLES: &str = "Examples:
  sidelight onboard --account 444455556666 --scanner-role arn:aws:iam::111122223333:role/sidelight-task >roles.json
  aws cloudformation deploy --template-file roles.json --stack-name sidelight --capabilities CAPABILITY_NAMED_IAM
  sidelight onboard --account 444455556666 --scanner-role ARN --format tfvars >terraform.tfvars.json";

/// Print the roles that an account needs before it can be scanned
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The account that is to be scanned
    #[arg(long, value_name = "ID", value_parser = account)]
    account: String,
    /// The role of the scanner that may assume them; may be repeated
    #[arg(long, value_name = "ARN", required = true, value_parser = role)]
    scanner_role: Vec<String>,
    /// Start of the roles' names
    #[arg(long, value_name = "PREFIX", default_value = "sidelight")]
    role_prefix: String,
    /// The external id that they ask for [default: a new one, if the scanner is in another account]
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
    /// A region that may be scanned; may be repeated [default: all]
    #[arg(long, value_name = "REGION")]
    region: Vec<String>,
    /// A CloudFormation template, the roles and policies alone, or inputs of the Terraform module
    #[arg(long, value_parser = ["cloudformation", "policy", "tfvars"], default_value = "cloudformation")]
    format: String,
}

fn account(text: &str) -> Result<String, String> {
    is_account(text)
        .then(|| text.to_owned())
        .ok_or_else(|| "an account id has 12 digits".to_owned())
}

/// Only a whole role: a trust in an account or a wildcard would be a trust in anybody there.
fn role(text: &str) -> Result<String, String> {
    let parts: Vec<_> = text.splitn(6, ':').collect();
    let whole = matches!(&parts[..], ["arn", partition, "iam", "", account, name]
        if partition.starts_with("aws") && is_account(account) && name.starts_with("role/"));
    let plain = !text.contains(['*', '?', '"']) && text.len() <= 2048;
    let wrong = "the ARN of a role, such as arn:aws:iam::111122223333:role/NAME, without wildcards";
    (whole && plain).then(|| text.to_owned()).ok_or_else(|| wrong.to_owned())
}

/// Prints what the account has to make.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let named = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte);
    let prefix = &args.role_prefix;
    let valid = (1..=54).contains(&prefix.len()) && prefix.bytes().all(named);
    ensure!(valid, "{prefix:?} cannot begin the name of a role");
    let region = |text: &&String| {
        !text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    if let Some(wrong) = args.region.iter().find(region) {
        anyhow::bail!("{wrong:?} is no region");
    }
    let foreign =
        args.scanner_role.iter().any(|role| role.split(':').nth(4) != Some(&args.account));
    let external_id = args.external_id.clone().or_else(|| foreign.then(new_external_id));
    let roles = Roles { prefix: prefix.clone(), account: None, external_id };
    let onboarding = Onboarding {
        account: args.account.clone(),
        roles,
        scanner_roles: args.scanner_role.clone(),
        regions: args.region.clone(),
    };
    let document = match args.format.as_str() {
        "tfvars" => onboarding.tfvars(),
        "policy" => onboarding.roles(),
        _ => onboarding.cloudformation(),
    };
    Output::stdout().write(|out| {
        serde_json::to_writer_pretty(&mut *out, &document)?;
        writeln!(out)
    })?;
    if let (None, Some(id)) = (&args.external_id, &onboarding.roles.external_id) {
        eprintln!("sidelight: external id {id}; the scanner needs it as SIDELIGHT_EXTERNAL_ID");
    }
    Ok(ExitCode::SUCCESS)
}

/// Not a secret, but nobody else's: 128 bits.
fn new_external_id() -> String {
    format!("{:032x}", fastrand::u128(..))
}
