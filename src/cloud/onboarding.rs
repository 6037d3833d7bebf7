//! What an account that is to be scanned has to make: four roles, one for each duty. The policies are
//! those of `terraform/modules/target-role`, filled in; they are written there and nowhere else.

use super::Roles;
use super::roles::{Duty, partition};
use serde_json::{Value, json};

macro_rules! policy {
    ($name:literal) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/terraform/modules/target-role/policies/",
            $name,
            ".json.tftpl"
        ))
    };
}

/// A policy and the duty that needs it.
const POLICIES: &[(&str, Duty, &str)] = &[
    ("describe-hosts", Duty::Discovery, policy!("describe-hosts")),
    ("create-snapshots", Duty::Create, policy!("create-snapshots")),
    ("read-blocks", Duty::Read, policy!("read-blocks")),
    ("decrypt-blocks", Duty::Read, policy!("decrypt-blocks")),
    ("delete-snapshots", Duty::Delete, policy!("delete-snapshots")),
];
const DUTIES: [Duty; 4] = [Duty::Discovery, Duty::Create, Duty::Read, Duty::Delete];
/// The reader opens snapshots of sweeps, and no others.
const READABLE_TAG: &str = "sidelight:sweep";

/// An account that is to be scanned.
#[derive(Debug, Clone)]
pub struct Onboarding {
    /// Its id.
    pub account: String,
    /// Names and external id of its roles.
    pub roles: Roles,
    /// The roles of the scanner that may assume them.
    pub scanner_roles: Vec<String>,
    /// Regions that may be scanned; all if there is none.
    pub regions: Vec<String>,
}

impl Onboarding {
    /// Each role with its trust and its policies, as IAM takes them.
    pub fn roles(&self) -> Value {
        let role = |duty: Duty| {
            json!({
                "RoleName": format!("{}-{}", self.roles.prefix, duty.as_str()),
                "Description": format!("Sidelight scanner, duty {}", duty.as_str()),
                "AssumeRolePolicyDocument": self.trust(),
                "Policies": self.policies(duty),
            })
        };
        Value::Array(DUTIES.map(role).to_vec())
    }

    /// A CloudFormation template that makes the roles.
    pub fn cloudformation(&self) -> Value {
        let Value::Array(roles) = self.roles() else { return Value::Null };
        let resources = DUTIES.iter().zip(roles).map(|(duty, role)| {
            let name = format!("{duty:?}Role");
            (name, json!({ "Type": "AWS::IAM::Role", "Properties": role }))
        });
        json!({
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": "Roles that a Sidelight scanner assumes in this account, one for each duty",
            "Resources": Value::Object(resources.collect()),
        })
    }

    /// Inputs of the Terraform module `target-role`, as `terraform.tfvars.json`.
    pub fn tfvars(&self) -> Value {
        let mut inputs = json!({
            "scanner_role_arns": self.scanner_roles,
            "role_prefix": self.roles.prefix,
            "regions": self.regions,
        });
        if let (Some(id), Value::Object(inputs)) = (&self.roles.external_id, &mut inputs) {
            inputs.insert("external_id".to_owned(), json!(id));
        }
        inputs
    }

    fn trust(&self) -> Value {
        let mut statement = json!({
            "Sid": "OnlyTheScanner",
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": { "AWS": self.scanner_roles },
        });
        if let (Some(id), Value::Object(statement)) = (&self.roles.external_id, &mut statement) {
            let condition = json!({ "StringEquals": { "sts:ExternalId": id } });
            statement.insert("Condition".to_owned(), condition);
        }
        json!({ "Version": "2012-10-17", "Statement": [statement] })
    }

    fn policies(&self, wanted: Duty) -> Vec<Value> {
        let own = POLICIES.iter().filter(|(_, duty, _)| *duty == wanted);
        own.map(
            |(name, _, text)| json!({ "PolicyName": name, "PolicyDocument": self.filled(text) }),
        )
        .collect()
    }

    /// The template with its placeholders filled; all of them are known, which a test holds.
    fn filled(&self, template: &str) -> Value {
        let partition = partition(self.regions.first().map_or("", String::as_str));
        let domain = if partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
        let every = vec!["*".to_owned()];
        let regions = if self.regions.is_empty() { &every } else { &self.regions };
        let services: Vec<_> =
            regions.iter().map(|region| format!("ec2.{region}.{domain}")).collect();
        let keys = [format!("arn:{partition}:kms:*:{}:key/*", self.account)];
        let text = template
            .replace("${partition}", partition)
            .replace("${account_id}", &self.account)
            .replace("${regions}", &json!(regions).to_string())
            .replace("${tag_key}", READABLE_TAG)
            .replace("${tag_values}", r#"["*"]"#)
            .replace("${key_arns}", &json!(keys).to_string())
            .replace("${via_services}", &json!(services).to_string());
        serde_json::from_str(&text).expect("a test reads every template")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn onboarding(regions: &[&str]) -> Onboarding {
        Onboarding {
            account: "444455556666".to_owned(),
            roles: Roles {
                prefix: "sidelight".to_owned(),
                account: None,
                external_id: Some("x-1".to_owned()),
            },
            scanner_roles: vec!["arn:aws:iam::111122223333:role/scanner-task".to_owned()],
            regions: regions.iter().map(|region| (*region).to_owned()).collect(),
        }
    }

    #[test]
    fn every_template_is_json_with_nothing_left_to_fill() {
        for regions in [vec![], vec!["eu-west-1", "us-east-1"], vec!["cn-north-1"]] {
            let text = onboarding(&regions).cloudformation().to_string();
            assert!(!text.contains("${"), "{text}");
        }
    }

    /// What the Terraform module allows, by its own list.
    #[test]
    fn the_actions_are_those_of_the_list() {
        let list = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/infra/iam/actions.json"));
        let list: Value = serde_json::from_str(list).expect("JSON");
        let all = list["actions"].as_array().expect("actions").iter();
        let ours = all.filter(|it| it["account"] == "target" && it["needs_grant"] != false);
        let ours = ours.filter(|it| it["when"] != "allow_changed_blocks");
        let mut expected: Vec<_> = ours.filter_map(|it| it["action"].as_str()).collect();
        expected.sort_unstable();
        let roles = onboarding(&[]).roles();
        let mut allowed = Vec::new();
        for role in roles.as_array().expect("roles") {
            for policy in role["Policies"].as_array().expect("policies") {
                for statement in policy["PolicyDocument"]["Statement"].as_array().expect("some") {
                    if statement["Effect"] == "Allow" {
                        let actions = statement["Action"].as_array().expect("actions");
                        allowed.extend(actions.iter().filter_map(Value::as_str).map(str::to_owned));
                    }
                }
            }
        }
        allowed.sort_unstable();
        allowed.dedup();
        assert_eq!(allowed, expected);
    }
}
