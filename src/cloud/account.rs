//! The account that credentials lead to, in one region.

use super::calls::Calls;
use super::roles::{Duty, Roles, assume, is_account};
use super::{Error, Kind};
use crate::aws::{self, Connection};
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::mpsc;
use std::time::Duration;
use tokio::runtime::Runtime;

/// Attempts at one call: throttles come in bursts when many hosts are swept at once.
const ATTEMPTS: u32 = 8;
/// The longest wait for the account's alias: a network without a way to IAM answers nothing.
const ALIAS_PATIENCE: Duration = Duration::from_secs(8);
const ALIASES: &str = "iam:ListAccountAliases";

/// An account in a region: its clients and their threads.
pub struct Account {
    runtime: Option<Runtime>,
    pub(super) clients: Clients,
    pub(super) results: aws_sdk_s3::Client,
    calls: Calls,
    /// Account id.
    pub id: String,
    /// Alias of the account, when it has one.
    pub alias: Option<String>,
    /// Why the alias could not be asked for; nothing depends on it.
    pub alias_error: Option<Error>,
    /// The roles that were assumed, by ARN, and whether they could be.
    pub assumed: Vec<(String, Result<(), Error>)>,
    /// The region.
    pub region: String,
    /// What blocks are read with.
    pub reader: Connection,
}

/// One client for each duty, so that none has the rights of another.
pub(super) struct Clients {
    /// Lists what there is.
    pub discovery: aws_sdk_ec2::Client,
    /// Makes snapshots.
    pub create: aws_sdk_ec2::Client,
    /// Deletes ours.
    pub delete: aws_sdk_ec2::Client,
}

/// What the threads find out when an account is opened.
struct Opened {
    clients: Clients,
    results: aws_sdk_s3::Client,
    id: String,
    alias: Result<Option<String>, Error>,
    assumed: Vec<(String, Result<(), Error>)>,
    reader: Connection,
}

impl Account {
    /// Finds region and credentials as every AWS tool does, assumes the roles if there are any, and
    /// asks whose account that is.
    pub fn connect(region: Option<&str>, roles: Option<&Roles>) -> Result<Self, Error> {
        let mut account = Self::examine(region, roles)?;
        let refused = account.assumed.iter_mut().find(|(_, outcome)| outcome.is_err());
        match refused.map(|(_, outcome)| std::mem::replace(outcome, Ok(()))) {
            Some(Err(error)) => Err(error),
            _ => Ok(account),
        }
    }

    /// As [`Account::connect`]; roles that cannot be assumed are told by `assumed`, and by every call
    /// that needs them.
    pub fn examine(region: Option<&str>, roles: Option<&Roles>) -> Result<Self, Error> {
        let runtime = aws::runtime("cloud").map_err(|error| Error::connect(&error))?;
        let (region, roles) = (region.map(str::to_owned), roles.cloned());
        let calls = Calls::default();
        let counted = calls.clone();
        let opened =
            block_on(&runtime, async move { Box::pin(open(region, roles, &counted)).await })??;
        let Opened { clients, results, id, alias, assumed, reader } = opened;
        let (alias, alias_error) = match alias {
            Ok(alias) => (alias, None),
            Err(error) => (None, Some(error)),
        };
        let (runtime, region) = (Some(runtime), reader.region.clone());
        Ok(Self {
            runtime,
            clients,
            results,
            calls,
            id,
            alias,
            alias_error,
            assumed,
            region,
            reader,
        })
    }

    /// Calls so far by action, retries included.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.calls.by_action()
    }

    /// How many of them repeat one that failed.
    pub fn retries(&self) -> u64 {
        self.calls.retries()
    }

    /// Waits for an answer, from any thread.
    pub(super) fn wait<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Error> {
        let runtime = self.runtime.as_ref().expect("it is taken in drop only");
        block_on(runtime, future)
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Runs a future on the threads of the account; its own thread may belong to another runtime.
fn block_on<T: Send + 'static>(
    runtime: &Runtime,
    future: impl Future<Output = T> + Send + 'static,
) -> Result<T, Error> {
    let (sender, receiver) = mpsc::channel();
    runtime.spawn(async move { sender.send(future.await).ok() });
    let closed = |_| Error::new("waiting for AWS", Kind::Other, "the call was broken off");
    receiver.recv().map_err(closed)
}

async fn open(
    region: Option<String>,
    roles: Option<Roles>,
    calls: &Calls,
) -> Result<Opened, Error> {
    let connection = aws::connect(region).await.map_err(|error| Error::connect(&error))?;
    let Connection { config, region } = connection;
    let retry = RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(Duration::from_millis(500))
        .with_max_backoff(Duration::from_secs(10));
    let config = config.into_builder().retry_config(retry).build();
    let own = match &roles {
        Some(Roles { account: Some(account), .. }) => Some(account.clone()),
        Some(_) => Some(identity(&config, calls).await?),
        None => None,
    };
    let mut assumed = Vec::new();
    let mut duty = async |duty| match (&roles, &own) {
        (Some(roles), Some(account)) => {
            let role = roles.role(account, &region, duty);
            let arn = role.arn.clone();
            let (config, outcome) = assume(&config, role, calls).await;
            assumed.push((arn, outcome));
            config
        }
        _ => config.clone(),
    };
    let discovery = duty(Duty::Discovery).await;
    let (create, read, delete) =
        (duty(Duty::Create).await, duty(Duty::Read).await, duty(Duty::Delete).await);
    let ec2 = |config| {
        let config = aws_sdk_ec2::config::Builder::from(config).interceptor(calls.clone()).build();
        aws_sdk_ec2::Client::from_conf(config)
    };
    let s3 = aws_sdk_s3::config::Builder::from(&config).interceptor(calls.clone());
    // A stand-in under an address has no names for buckets.
    let s3 = s3.force_path_style(config.endpoint_url().is_some()).build();
    let looks = assumed.first().is_none_or(|(_, outcome)| outcome.is_ok());
    let (id, alias) = match own {
        Some(own) if !looks => {
            (own, Err(Error::new(ALIASES, Kind::Connect, "no role to ask with")))
        }
        _ => (identity(&discovery, calls).await?, alias(&discovery, calls).await),
    };
    Ok(Opened {
        clients: Clients { discovery: ec2(&discovery), create: ec2(&create), delete: ec2(&delete) },
        results: aws_sdk_s3::Client::from_conf(s3),
        id,
        alias,
        assumed,
        reader: Connection { config: read, region },
    })
}

async fn identity(config: &SdkConfig, calls: &Calls) -> Result<String, Error> {
    const ACTION: &str = "sts:GetCallerIdentity";
    let config = aws_sdk_sts::config::Builder::from(config).interceptor(calls.clone()).build();
    let answer = aws_sdk_sts::Client::from_conf(config).get_caller_identity().send().await;
    let answer = answer.map_err(|error| Error::from_sdk(ACTION, &error))?;
    let id = answer.account().filter(|id| is_account(id));
    id.map(str::to_owned).ok_or_else(|| Error::new(ACTION, Kind::Other, "no account id came"))
}

/// The name that people know an account by; it is worth no long wait.
async fn alias(config: &SdkConfig, calls: &Calls) -> Result<Option<String>, Error> {
    let config = aws_sdk_iam::config::Builder::from(config)
        .interceptor(calls.clone())
        .retry_config(RetryConfig::standard().with_max_attempts(2))
        .build();
    let call = aws_sdk_iam::Client::from_conf(config).list_account_aliases().send();
    let answer = tokio::time::timeout(ALIAS_PATIENCE, call).await;
    let answer = answer.map_err(|_| Error::new(ALIASES, Kind::Unreachable, "no answer in time"))?;
    let answer = answer.map_err(|error| Error::from_sdk(ALIASES, &error))?;
    Ok(answer.account_aliases().first().map(|name| crate::model::printable_str(name)))
}
