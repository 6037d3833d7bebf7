//! The roles of a scanned account, one for each duty; their names are those that
//! `terraform/modules/target-role` gives them.

use super::calls::Calls;
use super::{Error, Kind};
use crate::aws::chain;
use aws_config::SdkConfig;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_sts::config::Credentials;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// A refusal holds for so long.
const REFUSAL: Duration = Duration::from_secs(10);

/// A role that is assumed for a duty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its ARN.
    pub arn: String,
    /// What its trust policy asks for.
    pub external_id: Option<String>,
}

/// What the names and the trust of the roles are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles {
    /// Start of their names.
    pub prefix: String,
    /// The account that they are in; the caller's own if none is named.
    pub account: Option<String>,
    /// What their trust policies ask for.
    pub external_id: Option<String>,
}

/// What a role is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    /// Lists what there is.
    Discovery,
    /// Makes snapshots.
    Create,
    /// Reads their blocks.
    Read,
    /// Deletes them.
    Delete,
}

impl Duty {
    /// The end of the role's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Discovery => "discovery",
            Self::Create => "create",
            Self::Read => "read",
            Self::Delete => "delete",
        }
    }
}

impl Roles {
    /// The role for a duty in an account.
    pub fn role(&self, account: &str, region: &str, duty: Duty) -> Role {
        let (partition, prefix) = (partition(region), &self.prefix);
        Role {
            arn: format!("arn:{partition}:iam::{account}:role/{prefix}-{}", duty.as_str()),
            external_id: self.external_id.clone(),
        }
    }
}

/// The same configuration with the credentials of a role, and whether they could be had.
pub(super) async fn assume(
    config: &SdkConfig,
    role: Role,
    calls: &Calls,
) -> (SdkConfig, Result<(), Error>) {
    let sts = aws_sdk_sts::config::Builder::from(config).interceptor(calls.clone()).build();
    let arn = role.arn.clone();
    let sts = aws_sdk_sts::Client::from_conf(sts);
    let assumed = Assumed { sts, role, known: Mutex::default() };
    let outcome = assumed.ask().await.map(|first| assumed.known().first = Some(first));
    let provider = SharedCredentialsProvider::new(assumed);
    let config = config.clone().into_builder().credentials_provider(provider).build();
    let refused = |error: CredentialsError| {
        let detail = format!("cannot assume {arn}: {}", chain(&error));
        Error::new("sts:AssumeRole", Kind::Connect, detail)
    };
    (config, outcome.map_err(refused))
}

/// Credentials of a role, asked for again when they expire; each call is counted.
#[derive(Debug)]
struct Assumed {
    sts: aws_sdk_sts::Client,
    role: Role,
    known: Mutex<Known>,
}

/// What is known of the credentials already.
#[derive(Debug, Default)]
struct Known {
    /// Those that were asked for to see whether they can be had.
    first: Option<Credentials>,
    /// When they were refused last, and why: every call that is under way would ask again.
    refused: Option<(Instant, String)>,
}

impl Assumed {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self) -> Result<Credentials, CredentialsError> {
        let call = self.sts.assume_role().role_arn(&self.role.arn).role_session_name("sidelight");
        let call = call.set_external_id(self.role.external_id.clone());
        let answer = call.send().await.map_err(CredentialsError::provider_error)?;
        let none = || CredentialsError::unhandled("no credentials came");
        let came = answer.credentials().ok_or_else(none)?;
        Ok(Credentials::new(
            came.access_key_id(),
            came.secret_access_key(),
            Some(came.session_token().to_owned()),
            SystemTime::try_from(*came.expiration()).ok(),
            "AssumeRole",
        ))
    }
}

impl ProvideCredentials for Assumed {
    fn provide_credentials<'a>(&'a self) -> provider::future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        provider::future::ProvideCredentials::new(async move {
            if let Some(first) = self.known().first.take() {
                return Ok(first);
            }
            if let Some((when, why)) = &self.known().refused
                && when.elapsed() < REFUSAL
            {
                return Err(CredentialsError::provider_error(why.clone()));
            }
            let outcome = self.ask().await;
            let refused = outcome.as_ref().err().map(|error| (Instant::now(), chain(error)));
            self.known().refused = refused;
            outcome
        })
    }
}

/// AWS is several clouds that know nothing of each other.
pub fn partition(region: &str) -> &'static str {
    let known = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("eu-isoe-", "aws-iso-e"),
        ("us-isof-", "aws-iso-f"),
        ("eusc-", "aws-eusc"),
    ];
    let found = known.into_iter().find(|(start, _)| region.starts_with(start));
    found.map_or("aws", |(_, partition)| partition)
}

/// Whether the text is an account id.
pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_named_by_prefix_and_duty_in_their_partition() {
        let roles = Roles { prefix: "sidelight".to_owned(), account: None, external_id: None };
        for (region, duty, expected) in [
            ("eu-west-1", Duty::Read, "arn:aws:iam::111122223333:role/sidelight-read"),
            (
                "us-gov-west-1",
                Duty::Delete,
                "arn:aws-us-gov:iam::111122223333:role/sidelight-delete",
            ),
            ("cn-north-1", Duty::Create, "arn:aws-cn:iam::111122223333:role/sidelight-create"),
        ] {
            assert_eq!(roles.role("111122223333", region, duty).arn, expected);
        }
    }
}
