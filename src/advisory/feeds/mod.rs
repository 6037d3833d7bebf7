//! The feeds: each turns its publisher's format into records of one shape, as a stream.

mod dated_list;
pub mod debian;
pub mod end_of_life;
pub mod kev;

use crate::model::{Advisory, KnownExploited, SupportCycle};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::io::{self, Read};

/// One publisher's file.
pub trait AdvisoryFeed: Send + Sync {
    /// Short name, such as `debian`.
    fn name(&self) -> &'static str;

    /// Where the publisher keeps it.
    fn url(&self) -> &'static str;

    /// Reads the whole file and hands on each record as it comes.
    fn parse(
        &self,
        input: &mut dyn Read,
        sink: &mut dyn FnMut(Record),
    ) -> Result<Summary, FeedError>;
}

/// All feeds. Adding one is a file and a line here.
pub const FEEDS: &[&dyn AdvisoryFeed] = &[&debian::Debian, &kev::Kev, &end_of_life::EndOfLife];

/// The feed of that name.
pub fn by_name(name: &str) -> Option<&'static dyn AdvisoryFeed> {
    FEEDS.iter().copied().find(|feed| feed.name() == name)
}

/// What feeds say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// An advisory.
    Advisory(Advisory),
    /// A vulnerability that is known to be exploited.
    KnownExploited(KnownExploited),
    /// Until when a release of a system is supported.
    Support(SupportCycle),
    /// The publisher lists the package in the release, though it may state nothing usable of it.
    Listed {
        /// The release.
        release: Release,
        /// Source package.
        package: String,
    },
}

/// A release of a distribution that a feed speaks of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Release {
    /// Distribution, as in os-release's `ID`.
    pub distro: String,
    /// Release, as the publisher names it.
    pub name: String,
}

/// What a feed's file held, beside its records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Advisories or vulnerabilities handed on.
    pub records: u64,
    /// Entries that could not be understood and were left out.
    pub skipped: u64,
    /// The first few of those, and why.
    pub examples: Vec<String>,
    /// Releases seen.
    pub releases: BTreeSet<Release>,
    /// The feed's own date, RFC 3339, when it has one.
    pub date: Option<String>,
}

impl Summary {
    const EXAMPLES: usize = 5;

    fn skip(&mut self, place: &str, why: impl std::fmt::Display) {
        self.skipped = self.skipped.saturating_add(1);
        if self.examples.len() < Self::EXAMPLES {
            let text: String = format!("{place}: {why}").chars().take(200).collect();
            self.examples.push(crate::model::printable_str(&text));
        }
    }
}

/// Why a feed's file is of no use as a whole.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The file ends too early.
    #[error("cut off: {0}")]
    CutOff(serde_json::Error),
    /// The file is no JSON.
    #[error("not JSON: {0}")]
    NotJson(serde_json::Error),
    /// The file is JSON of another kind.
    #[error("not the expected content: {0}")]
    Shape(serde_json::Error),
    /// The file cannot be read.
    #[error("{0}")]
    Read(io::Error),
}

impl From<serde_json::Error> for FeedError {
    fn from(error: serde_json::Error) -> Self {
        match error.classify() {
            serde_json::error::Category::Eof => Self::CutOff(error),
            serde_json::error::Category::Syntax => Self::NotJson(error),
            serde_json::error::Category::Data => Self::Shape(error),
            serde_json::error::Category::Io => Self::Read(error.into()),
        }
    }
}

/// A name or version from a feed: short, printable, without spaces.
fn is_token(text: &str) -> bool {
    (1..=256).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
