//! How AWS is reached: region, credentials and endpoints are found as every AWS tool finds them;
//! TLS is rustls with ring.

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_http_client::{Builder, tls};
use std::time::Duration;
use tokio::runtime::Runtime;

/// The longest that one attempt at a call may take, body included.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What every client is made of.
#[derive(Clone)]
pub struct Connection {
    /// Configuration for clients.
    pub config: SdkConfig,
    /// The region that is asked.
    pub region: String,
}

/// Why AWS cannot be asked at all.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ConnectError {
    /// The threads could not be started.
    #[error("cannot start the threads that talk to AWS: {0}")]
    Runtime(String),
    /// No region is configured.
    #[error("no AWS region: name one, or set AWS_REGION, or a region in the AWS profile")]
    MissingRegion,
    /// A variable that names an endpoint is empty, which the SDK does not survive.
    #[error("{0} is set but empty: unset it, or name the URL of the endpoint")]
    EmptyEndpoint(String),
    /// No credentials were found.
    #[error(
        "no AWS credentials found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or \
         AWS_PROFILE, or run with an instance, task or web identity role ({0})"
    )]
    MissingCredentials(String),
}

/// Threads of their own, so that callers may be of any kind.
pub fn runtime(name: &str) -> Result<Runtime, ConnectError> {
    // Checksums of full speed (1,000 blocks/s) keep about one thread busy.
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name(name)
        .enable_all()
        .build()
        .map_err(|error| ConnectError::Runtime(error.to_string()))
}

/// Finds region and credentials; fails early where one is missing. `region` goes over
/// `AWS_REGION` and the profile, endpoints are taken from `AWS_ENDPOINT_URL` and its variants.
pub async fn connect(region: Option<String>) -> Result<Connection, ConnectError> {
    let empty = std::env::vars_os().find(|(name, url)| {
        url.is_empty() && name.as_encoded_bytes().starts_with(b"AWS_ENDPOINT_URL")
    });
    if let Some((name, _)) = empty {
        return Err(ConnectError::EmptyEndpoint(name.to_string_lossy().into_owned()));
    }
    let http = Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(CALL_TIMEOUT)
        .operation_attempt_timeout(CALL_TIMEOUT)
        .build();
    let mut loader =
        aws_config::defaults(BehaviorVersion::latest()).http_client(http).timeout_config(timeouts);
    if let Some(region) = region {
        loader = loader.region(Region::new(region));
    }
    let config = loader.load().await;
    let region = config.region().ok_or(ConnectError::MissingRegion)?.to_string();
    provide(&config).await.map_err(ConnectError::MissingCredentials)?;
    Ok(Connection { config, region })
}

/// Has the credentials made once, so that their lack is told early.
async fn provide(config: &SdkConfig) -> Result<(), String> {
    use aws_sdk_ebs::config::ProvideCredentials;
    let provider = config.credentials_provider().ok_or("no provider")?;
    provider.provide_credentials().await.map(|_| ()).map_err(|error| chain(&error))
}

/// Whether a call never left for want of credentials: those of a role could not be renewed.
pub fn lacks_credentials(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut error = Some(error);
    while let Some(this) = error {
        if this.is::<CredentialsError>() {
            return true;
        }
        error = this.source();
    }
    false
}

/// An error and its sources in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let part = error.to_string();
        // Some errors of the SDK already end with their source.
        if !text.ends_with(&part) {
            text = format!("{text}: {part}");
        }
        source = error.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
