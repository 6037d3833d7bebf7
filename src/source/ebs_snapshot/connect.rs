//! The client: region, credentials and endpoint from the environment, TLS by rustls and ring.
//!
//! The SDK's own retries are off: they know neither throttle reasons nor damaged blocks.

use super::Error;
use super::error::chain;
use super::retry::CALL_TIMEOUT;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_ebs::Client;
use aws_sdk_ebs::config::ProvideCredentials;
use aws_smithy_http_client::{Builder, tls};
use std::time::Duration;
use tokio::runtime::Runtime;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Threads of their own, so that callers may be of any kind.
pub(super) fn runtime() -> Result<Runtime, Error> {
    // Checksums of full speed (1,000 blocks/s) keep about one thread busy.
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("ebs-snapshot")
        .enable_all()
        .build()
        .map_err(|error| Error::Runtime(error.to_string()))
}

/// A client and its region; fails early where region or credentials are missing.
pub(super) async fn client(region: Option<String>) -> Result<(Client, String), Error> {
    for variable in ["AWS_ENDPOINT_URL_EBS", "AWS_ENDPOINT_URL"] {
        if std::env::var_os(variable).is_some_and(|url| url.is_empty()) {
            return Err(Error::EmptyEndpoint(variable));
        }
    }
    let http = Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(CALL_TIMEOUT)
        .operation_attempt_timeout(CALL_TIMEOUT)
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts);
    if let Some(region) = region {
        loader = loader.region(Region::new(region));
    }
    let config = loader.load().await;
    let region = config.region().ok_or(Error::MissingRegion)?.to_string();
    let missing = |detail: String| Error::MissingCredentials(detail);
    let credentials =
        config.credentials_provider().ok_or_else(|| missing("no provider".to_owned()))?;
    let found = credentials.provide_credentials().await;
    found.map_err(|error| missing(chain(&error)))?;
    Ok((Client::new(&config), region))
}
