//! An AWS account: its instances and their volumes, and the snapshots that a scan makes of them.
//! The only layer that changes anything in an account.
//!
//! Calls wait for their answers; they may be made from any thread, many at once.

mod account;
mod bucket;
mod calls;
mod error;
mod images;
mod instances;
mod onboarding;
mod permissions;
mod roles;
mod snapshots;

pub use account::Account;
pub use bucket::{Bucket, PUT, USD_PER_PUT};
pub use error::{Error, Kind};
pub use instances::{Instance, Volume};
pub use onboarding::Onboarding;
pub use permissions::{Permission, Verdict};
pub use roles::{Roles, is_account, partition};
pub use snapshots::{Created, Purpose, State, Tagged};

use aws_sdk_ec2::types::Tag;
use std::collections::BTreeMap;

/// Tags as a map; keys are unique in AWS. As they are, for filters compare them: what shows them makes
/// them printable.
fn tags(tags: &[Tag]) -> BTreeMap<String, String> {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    tags.iter().map(|tag| (text(tag.key()), text(tag.value()))).collect()
}
