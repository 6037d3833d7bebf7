//! How a host was set up: what cloud-init left, its time zone, and what confines its programs. Each part is
//! read at the same time as the others, since each waits for its own blocks.

mod cloud_init;
mod mandatory_access;
mod timezone;

use super::Tree;
use super::identity::{joined, with_gaps};
use crate::model::{CloudInit, Gap, HostContext};

/// What was found.
#[derive(Debug, Default)]
pub struct Settings {
    cloud_init: Option<CloudInit>,
    timezone: Option<String>,
    access: Option<mandatory_access::Found>,
    gaps: Vec<Gap>,
}

impl Settings {
    /// Looks for it.
    pub fn find(tree: &Tree) -> Self {
        std::thread::scope(|scope| {
            let cloud_init = scope.spawn(|| with_gaps(|gaps| cloud_init::find(tree, gaps)));
            let timezone = scope.spawn(|| with_gaps(|gaps| timezone::find(tree, gaps)));
            let access = scope.spawn(|| with_gaps(|gaps| mandatory_access::find(tree, gaps)));
            let mut gaps = Vec::new();
            let cloud_init = joined(cloud_init, &mut gaps);
            let timezone = joined(timezone, &mut gaps);
            let access = joined(access, &mut gaps);
            Self { cloud_init, timezone, access: Some(access), gaps }
        })
    }

    /// Adds it to what is known of the host.
    pub fn add_to(self, context: &mut HostContext, gaps: &mut Vec<Gap>) {
        gaps.extend(self.gaps);
        context.cloud_init = self.cloud_init;
        context.timezone = context.timezone.take().or(self.timezone);
        context.mandatory_access = self.access.and_then(|found| found.decide(&context.os));
    }
}
