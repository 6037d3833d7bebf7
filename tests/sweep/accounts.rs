//! The accounts that the stand-in serves: one for each drill and test.

use crate::drills::drills;
use std::fs;
use std::path::Path;

/// An account and its description.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its id.
    pub id: String,
    /// The region that is swept.
    pub region: &'static str,
    /// Its TOML file.
    pub text: String,
}

/// Hosts of most drills: one of one volume, one of two that fstab joins, one that is stopped.
const THREE: &str = "
[[instance]]
name = 'web'
tags = { team = 'shop', env = 'prod' }
volume = [{ device = '/dev/xvda', image = 'small.img' }]
[[instance]]
name = 'database'
tags = { team = 'data', env = 'prod' }
volume = [{ device = '/dev/xvda', image = 'root.img' }, { device = '/dev/xvdf', image = 'var.img' }]
[[instance]]
name = 'idle'
state = 'stopped'
volume = [{ device = '/dev/xvda', image = 'small.img' }]
";
/// A snapshot is seen once before it is completed.
const TIMING: &str = "[snapshots]\npolls = 1\n";

const REGION: &str = "eu-west-1";
/// Where the accounts of other tests than drills begin.
const OTHERS: usize = 500;

impl Account {
    /// An account of hosts and faults.
    pub fn new(number: usize, text: &str) -> Self {
        let id = format!("3000{number:08}");
        let text = format!(
            "[account]\nid = '{id}'\nalias = 'drill-{number}'\nregions = ['{REGION}', 'us-east-1']\n{text}"
        );
        Self { id, region: REGION, text }
    }

    /// An account with the three hosts of most drills, and `faults`, which may set other times too.
    pub fn three(number: usize, faults: &str) -> Self {
        let timing = if faults.contains("[snapshots]") { "" } else { TIMING };
        Self::new(number, &format!("{timing}{faults}{THREE}"))
    }

    /// The account of `infra/standin/twenty.toml`, under an id of its own.
    pub fn twenty(number: usize) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("infra/standin/twenty.toml");
        let text = fs::read_to_string(path).expect("the description of twenty hosts");
        let id = format!("3000{number:08}");
        assert!(text.contains("111122223333"));
        Self { text: text.replace("111122223333", &id), id, region: REGION }
    }

    /// Its access key.
    pub fn key(&self) -> String {
        format!("AKIA{}TEST", self.id)
    }
}

/// The accounts of the tests that are no drills.
#[derive(Debug, Clone, Copy)]
pub enum Other {
    /// Written reports.
    Reports,
    /// Scans of single instances, volumes and images.
    Targets,
    /// Hosts that are both swept and scanned.
    Alike,
    /// All that needs a permission.
    Permissions,
    /// Where making snapshots is not permitted.
    Doctor,
    /// Many hosts at once.
    Parallel,
    /// A sweep that is killed twice.
    Killed,
    /// Two sweeps at the same time.
    Together,
    /// A second Ctrl-C.
    Impatient,
    /// One that is swept by roles.
    Roles,
    /// Ctrl-C that nobody hears of.
    Unheard,
    /// What owners do not want.
    Wishes,
    /// Roles whose credentials cannot be renewed.
    Expiring,
    /// A doctor whose call for a snapshot is not answered.
    LostTrial,
    /// Keys, some of which are denied.
    Keys,
    /// Deleting takes longer than anyone waits.
    Hanging,
    /// Making snapshots takes longer than anyone waits.
    Unanswered,
}

const ALL: [Other; 17] = [
    Other::Reports,
    Other::Targets,
    Other::Alike,
    Other::Permissions,
    Other::Doctor,
    Other::Parallel,
    Other::Killed,
    Other::Together,
    Other::Impatient,
    Other::Roles,
    Other::Unheard,
    Other::Wishes,
    Other::Expiring,
    Other::LostTrial,
    Other::Keys,
    Other::Hanging,
    Other::Unanswered,
];

impl Other {
    /// Its account.
    pub fn account(self) -> Account {
        let number = OTHERS + self as usize;
        match self {
            Self::Reports | Self::Targets | Self::Keys => Account::twenty(number),
            Self::Permissions => Account::three(number, crate::permissions::IMAGE),
            Self::Alike => Account::three(number, ""),
            Self::Doctor => Account::three(number, crate::doctor::UNPERMITTED),
            Self::Parallel => Account::new(number, &crate::twenty::alike()),
            Self::Killed => Account::three(number, crate::cleanup::SLOW),
            Self::Together => Account::three(number, crate::cleanup::LOST),
            Self::Impatient => Account::three(number, crate::killed::IMPATIENT),
            Self::Roles => Account::three(
                number,
                &format!("{}{}", crate::roles::TASK, crate::permissions::IMAGE),
            ),
            Self::Unheard => Account::three(number, crate::killed::SLOW),
            Self::Wishes => Account::new(number, crate::wishes::HOSTS),
            Self::Expiring => Account::new(number, crate::roles::EXPIRING),
            Self::LostTrial => Account::three(number, crate::doctor::LOST),
            Self::Hanging => Account::three(number, crate::stopping::HANGING),
            Self::Unanswered => Account::three(number, crate::stopping::UNANSWERED),
        }
    }
}

/// All accounts.
pub fn all() -> Vec<Account> {
    let drills = drills().into_iter().map(|drill| drill.account());
    drills.chain(ALL.map(Other::account)).collect()
}
