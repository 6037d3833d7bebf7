//! Counts the calls by action, retries included, as each leaves for the network.

use aws_sdk_ec2::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_ec2::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ec2::error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The running counts, as an interceptor of all clients of an account.
#[derive(Debug, Clone, Default)]
pub(super) struct Calls(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    by_action: BTreeMap<String, u64>,
    /// How many of them repeat another.
    retries: u64,
}

impl Calls {
    /// Calls so far by action, as IAM writes it (`ec2:DescribeInstances`).
    pub(super) fn by_action(&self) -> BTreeMap<String, u64> {
        self.lock().by_action.clone()
    }

    /// How many calls so far repeat one that failed.
    pub(super) fn retries(&self) -> u64 {
        self.lock().retries
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        let again = config.load::<RequestAttempts>().is_some_and(|it| it.attempts() > 1);
        let mut counts = self.lock();
        *counts.by_action.entry(action).or_default() += 1;
        counts.retries += u64::from(again);
        Ok(())
    }
}
