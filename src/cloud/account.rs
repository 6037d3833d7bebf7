//! The account that credentials lead to, in one region.

use super::calls::Calls;
use super::{Error, Kind};
use crate::aws::{self, Connection};
use aws_config::retry::RetryConfig;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::mpsc;
use std::time::Duration;
use tokio::runtime::Runtime;

/// Attempts at one call: throttles come in bursts when many hosts are swept at once.
const ATTEMPTS: u32 = 8;

/// An account in a region: its clients and their threads.
pub struct Account {
    runtime: Option<Runtime>,
    pub(super) ec2: aws_sdk_ec2::Client,
    calls: Calls,
    /// Account id.
    pub id: String,
    /// Alias of the account, when it has one.
    pub alias: Option<String>,
    /// Why the alias could not be asked for; nothing depends on it.
    pub alias_error: Option<Error>,
    /// The region.
    pub region: String,
}

impl Account {
    /// Finds region and credentials as every AWS tool does, and asks whose they are.
    pub fn connect(region: Option<&str>) -> Result<Self, Error> {
        let runtime = aws::runtime("cloud").map_err(|error| Error::connect(&error))?;
        let region = region.map(str::to_owned);
        let connection = block_on(&runtime, aws::connect(region))?;
        let Connection { config, region } = connection.map_err(|error| Error::connect(&error))?;
        let retry = RetryConfig::standard()
            .with_max_attempts(ATTEMPTS)
            .with_initial_backoff(Duration::from_millis(500))
            .with_max_backoff(Duration::from_secs(10));
        let config = config.into_builder().retry_config(retry).build();
        let calls = Calls::default();
        let ec2 = aws_sdk_ec2::config::Builder::from(&config).interceptor(calls.clone()).build();
        let id = block_on(&runtime, identity(config.clone(), calls.clone()))??;
        let (alias, alias_error) = match block_on(&runtime, alias(config, calls.clone()))? {
            Ok(alias) => (alias, None),
            Err(error) => (None, Some(error)),
        };
        let ec2 = aws_sdk_ec2::Client::from_conf(ec2);
        Ok(Self { runtime: Some(runtime), ec2, calls, id, alias, alias_error, region })
    }

    /// Calls so far by action, retries included.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.calls.by_action()
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

async fn identity(config: aws_config::SdkConfig, calls: Calls) -> Result<String, Error> {
    const ACTION: &str = "sts:GetCallerIdentity";
    let config = aws_sdk_sts::config::Builder::from(&config).interceptor(calls).build();
    let answer = aws_sdk_sts::Client::from_conf(config).get_caller_identity().send().await;
    let answer = answer.map_err(|error| Error::from_sdk(ACTION, &error))?;
    let id = answer.account().filter(|id| id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit()));
    id.map(str::to_owned).ok_or_else(|| Error::new(ACTION, Kind::Other, "no account id came"))
}

/// The name that people know an account by.
async fn alias(config: aws_config::SdkConfig, calls: Calls) -> Result<Option<String>, Error> {
    let config = aws_sdk_iam::config::Builder::from(&config).interceptor(calls).build();
    let answer = aws_sdk_iam::Client::from_conf(config).list_account_aliases().send().await;
    let answer = answer.map_err(|error| Error::from_sdk("iam:ListAccountAliases", &error))?;
    Ok(answer.account_aliases().first().map(|name| crate::model::printable_str(name)))
}
