//! The roles of a scanned account, one for each duty; their names are those that
//! `terraform/modules/target-role` gives them.

use crate::aws::Role;

/// What the names and the trust of the roles are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles {
    /// Start of their names.
    pub prefix: String,
    /// The account that they are in; the caller's own if none is named.
    pub account: Option<String>,
    /// What their trust policies ask for.
    pub external_id: Option<String>,
}

/// What a role is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    /// Lists what there is.
    Discovery,
    /// Makes snapshots.
    Create,
    /// Reads their blocks.
    Read,
    /// Deletes them.
    Delete,
}

impl Duty {
    /// The end of the role's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Discovery => "discovery",
            Self::Create => "create",
            Self::Read => "read",
            Self::Delete => "delete",
        }
    }
}

impl Roles {
    /// The role for a duty in an account.
    pub fn role(&self, account: &str, region: &str, duty: Duty) -> Role {
        let (partition, prefix) = (partition(region), &self.prefix);
        Role {
            arn: format!("arn:{partition}:iam::{account}:role/{prefix}-{}", duty.as_str()),
            external_id: self.external_id.clone(),
        }
    }
}

/// AWS is three clouds that know nothing of each other.
pub(super) fn partition(region: &str) -> &'static str {
    match region.split('-').next() {
        Some("cn") => "aws-cn",
        Some("us") if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

/// Whether the text is an account id.
pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_named_by_prefix_and_duty_in_their_partition() {
        let roles = Roles { prefix: "sidelight".to_owned(), account: None, external_id: None };
        for (region, duty, expected) in [
            ("eu-west-1", Duty::Read, "arn:aws:iam::111122223333:role/sidelight-read"),
            (
                "us-gov-west-1",
                Duty::Delete,
                "arn:aws-us-gov:iam::111122223333:role/sidelight-delete",
            ),
            ("cn-north-1", Duty::Create, "arn:aws-cn:iam::111122223333:role/sidelight-create"),
        ] {
            assert_eq!(roles.role("111122223333", region, duty).arn, expected);
        }
    }
}
