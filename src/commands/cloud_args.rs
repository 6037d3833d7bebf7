//! Which account is asked, in which region, and as whom: the same for every command of the cloud.

use crate::cloud::{Account, Roles, is_account};
use anyhow::ensure;

/// Options of every command that asks an account.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct CloudArgs {
    /// AWS region [default: that of AWS_REGION or the AWS profile]
    #[arg(long)]
    pub region: Option<String>,
    /// Assume PREFIX-discovery, PREFIX-create, PREFIX-read and PREFIX-delete, each for its duty
    #[arg(long, value_name = "PREFIX", env = "SIDELIGHT_ROLE_PREFIX", hide_env_values = true)]
    role_prefix: Option<String>,
    /// The account of these roles [default: the caller's own]
    #[arg(long, value_name = "ID", env = "SIDELIGHT_ACCOUNT", hide_env_values = true)]
    account: Option<String>,
    /// The external id that these roles ask for
    #[arg(long, value_name = "ID", env = "SIDELIGHT_EXTERNAL_ID", hide_env_values = true)]
    external_id: Option<String>,
}

impl CloudArgs {
    /// Opens the account; one that was named and is another is refused.
    pub fn connect(&self) -> anyhow::Result<Account> {
        self.check(Account::connect(self.region.as_deref(), self.roles()?.as_ref())?)
    }

    /// As [`CloudArgs::connect`], but roles that cannot be assumed are told by the account.
    pub fn examine(&self) -> anyhow::Result<Account> {
        self.check(Account::examine(self.region.as_deref(), self.roles()?.as_ref())?)
    }

    fn check(&self, account: Account) -> anyhow::Result<Account> {
        if let Some(wanted) = self.account()? {
            let id = &account.id;
            ensure!(wanted == id, "the credentials lead to account {id}, not to {wanted}");
        }
        Ok(account)
    }

    /// The account that is named; an empty variable names none.
    fn account(&self) -> anyhow::Result<Option<&str>> {
        let named = self.account.as_deref().map(str::trim).filter(|text| !text.is_empty());
        if let Some(text) = named {
            let several = text.contains(',') || text == "*";
            ensure!(!several, "{text}: one account at a time; several are not swept yet");
            ensure!(is_account(text), "{text}: an account id has 12 digits");
        }
        Ok(named)
    }

    fn roles(&self) -> anyhow::Result<Option<Roles>> {
        let Some(prefix) = self.role_prefix.clone().filter(|prefix| !prefix.is_empty()) else {
            return Ok(None);
        };
        Ok(Some(Roles {
            prefix,
            account: self.account()?.map(str::to_owned),
            external_id: self.external_id.clone().filter(|id| !id.is_empty()),
        }))
    }
}
