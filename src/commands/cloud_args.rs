//! Which account is asked, in which region, and as whom: the same for every command of the cloud.

use crate::aws::Role;
use crate::cloud::{Account, Duty, Roles, is_account};
use crate::source::ebs_snapshot;
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
    #[arg(long, value_name = "ID", env = "SIDELIGHT_ACCOUNTS", hide_env_values = true, value_parser = account)]
    account: Option<String>,
    /// The external id that these roles ask for
    #[arg(long, value_name = "ID", env = "SIDELIGHT_EXTERNAL_ID", hide_env_values = true)]
    external_id: Option<String>,
}

fn account(text: &str) -> Result<String, String> {
    if text.contains(',') {
        return Err("one account at a time: several are not swept yet".to_owned());
    }
    is_account(text)
        .then(|| text.to_owned())
        .ok_or_else(|| "an account id has 12 digits".to_owned())
}

impl CloudArgs {
    /// Opens the account; one that was named and is another is refused.
    pub fn connect(&self) -> anyhow::Result<Account> {
        let account = Account::connect(self.region.as_deref(), self.roles().as_ref())?;
        if let Some(wanted) = &self.account {
            let id = &account.id;
            ensure!(wanted == id, "the credentials lead to account {id}, not to {wanted}");
        }
        Ok(account)
    }

    /// The same account, for blocks.
    pub fn connect_ebs(&self, account: &Account) -> anyhow::Result<ebs_snapshot::Account> {
        let role = |roles: Roles| -> Role { roles.role(&account.id, &account.region, Duty::Read) };
        let role = self.roles().map(role);
        Ok(ebs_snapshot::Account::connect_as(Some(&account.region), role)?)
    }

    fn roles(&self) -> Option<Roles> {
        Some(Roles {
            prefix: self.role_prefix.clone().filter(|prefix| !prefix.is_empty())?,
            account: self.account.clone(),
            external_id: self.external_id.clone().filter(|id| !id.is_empty()),
        })
    }
}
