//! `sidelight onboard`: what an account has to make before it can be scanned. Asks nobody.

use super::output::Output;
use crate::cloud::{Onboarding, Roles, is_account, partition};
use anyhow::ensure;
use std::collections::BTreeSet;
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
    #[arg(long, value_name = "PREFIX", default_value = "sidelight", value_parser = prefix)]
    role_prefix: String,
    /// The external id that they ask for [default: a new one, if the scanner is in another account]
    #[arg(long, value_name = "ID", value_parser = external_id)]
    external_id: Option<String>,
    /// A region that may be scanned; may be repeated [default: all]
    #[arg(long, value_name = "REGION", value_parser = region)]
    region: Vec<String>,
    /// Snapshots of others that may be read too, those of an AMI or a backup, by a tag of theirs;
    /// VALUE may hold * and ?
    #[arg(long, value_name = "KEY=VALUE", value_parser = tag)]
    readable_snapshot_tag: Option<(String, String)>,
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
    let plain =
        |name: &str| name.len() <= 2000 && name.split('/').all(|part| is_made_of(part, "+=,.@_-"));
    let whole = matches!(&parts[..], ["arn", partition, "iam", "", account, name]
        if partition.starts_with("aws")
            && is_made_of(partition, "-")
            && is_account(account) && name.strip_prefix("role/").is_some_and(plain));
    let wrong = "the ARN of a role, such as arn:aws:iam::111122223333:role/NAME, without wildcards";
    whole.then(|| text.to_owned()).ok_or_else(|| wrong.to_owned())
}

fn prefix(text: &str) -> Result<String, String> {
    let valid = (2..=40).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && is_made_of(text, "-");
    let wrong = "2 to 40 letters, digits and hyphens, the first a letter";
    valid.then(|| text.to_owned()).ok_or_else(|| wrong.to_owned())
}

fn external_id(text: &str) -> Result<String, String> {
    let valid = (16..=1224).contains(&text.len()) && is_made_of(text, "_+=,.@:/-");
    let wrong = "16 to 1224 characters out of letters, digits and _+=,.@:/-";
    valid.then(|| text.to_owned()).ok_or_else(|| wrong.to_owned())
}

fn region(text: &str) -> Result<String, String> {
    let parts: Vec<_> = text.split('-').collect();
    let word = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let number = |part: &str| {
        (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let valid = matches!(&parts[..], [first, middle @ .., last]
        if first.len() == 2 && word(first) && !middle.is_empty() && middle.iter().all(word) && number(last));
    valid.then(|| text.to_owned()).ok_or_else(|| "a region, such as eu-central-1".to_owned())
}

fn tag(text: &str) -> Result<(String, String), String> {
    let valid = |(key, value): &(&str, &str)| {
        (1..=128).contains(&key.len())
            && is_made_of(key, " _.:/=+@-")
            && (1..=256).contains(&value.len())
            && is_made_of(value, " _.:/=+@-*?")
    };
    let parts = text.split_once('=').filter(valid);
    let wrong = "KEY=VALUE, of letters, digits, spaces and _.:/=+-@";
    parts.map(|(key, value)| (key.to_owned(), value.to_owned())).ok_or_else(|| wrong.to_owned())
}

fn is_made_of(text: &str, more: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || more.as_bytes().contains(&byte);
    !text.is_empty() && text.bytes().all(known)
}

/// Prints what the account has to make.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let scanners = args.scanner_role.iter().map(|role| role.split(':').nth(1));
    let regions = args.region.iter().map(|region| Some(partition(region)));
    let partitions: BTreeSet<_> = scanners.chain(regions).collect();
    ensure!(partitions.len() == 1, "scanner roles and regions are of several partitions of AWS");
    let foreign =
        args.scanner_role.iter().any(|role| role.split(':').nth(4) != Some(&args.account));
    let external_id = args.external_id.clone().or_else(|| foreign.then(new_external_id));
    let roles = Roles { prefix: args.role_prefix.clone(), account: None, external_id };
    let onboarding = Onboarding {
        account: args.account.clone(),
        roles,
        scanner_roles: args.scanner_role.clone(),
        regions: args.region.clone(),
        readable: args.readable_snapshot_tag.clone(),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// As the variables of `terraform/modules/target-role` have it.
    #[test]
    fn what_the_terraform_module_refuses_is_refused() {
        assert!(role("arn:aws:iam::111122223333:role/path/sidelight-task").is_ok());
        for text in ["", ":", "a*", "/x", "x/"] {
            assert!(role(&format!("arn:aws:iam::111122223333:role/{text}")).is_err(), "{text}");
        }
        assert!(role("arn:aws:iam::111122223333:root").is_err());
        assert!(prefix("sidelight-2").is_ok());
        for text in ["", "s", "2s", "s_t", &"s".repeat(41)] {
            assert!(prefix(text).is_err(), "{text}");
        }
        assert!(external_id("2f1c7d5e-0001-4000").is_ok());
        for text in ["", "short", "sixteen characters", &"s".repeat(1225)] {
            assert!(external_id(text).is_err(), "{text}");
        }
        for text in ["eu-central-1", "us-gov-west-1", "ap-southeast-12"] {
            assert!(region(text).is_ok(), "{text}");
        }
        for text in ["", "eu", "eu-1", "eu-central", "EU-central-1", "eu-central-1a", "*"] {
            assert!(region(text).is_err(), "{text}");
        }
        assert_eq!(tag("golden=yes"), Ok(("golden".to_owned(), "yes".to_owned())));
        for text in ["", "golden", "=yes", "golden=", "a\"b=c"] {
            assert!(tag(text).is_err(), "{text}");
        }
    }
}
