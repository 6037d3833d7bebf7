//! Counts the calls by action, retries included, as each leaves for the network.

use aws_sdk_ec2::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_ec2::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ec2::error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The running counts, as an interceptor of all clients of an account.
#[derive(Debug, Clone, Default)]
pub(super) struct Calls(Arc<Mutex<BTreeMap<String, u64>>>);

impl Calls {
    /// Calls so far by action, as IAM writes it (`ec2:DescribeInstances`).
    pub(super) fn by_action(&self) -> BTreeMap<String, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Intercept for Calls {
    fn name(&self) -> &'static str {
        "Calls"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let action = config.load::<Metadata>().map_or_else(
            || "unknown".to_owned(),
            |call| format!("{}:{}", call.service().to_ascii_lowercase(), call.name()),
        );
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(action).or_default() += 1;
        Ok(())
    }
}
