//! What an account that is to be scanned has to make: four roles, one for each duty. The policies are
//! those of `terraform/modules/target-role`, filled in; they are written there and nowhere else.

use super::Roles;
use super::roles::Duty;
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
    /// The tag, key and value, of snapshots of others that may be read, such as those of an AMI.
    pub readable: Option<(String, String)>,
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
        if let (Some((key, value)), Value::Object(inputs)) = (&self.readable, &mut inputs) {
            let tag = json!({ "key": key, "values": [value] });
            inputs.insert("readable_snapshot_tag".to_owned(), tag);
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
        let ours = (READABLE_TAG, "*");
        let policy = |name: &str, text, tag| json!({ "PolicyName": name, "PolicyDocument": self.filled(text, tag) });
        let own = POLICIES.iter().filter(|(_, duty, _)| *duty == wanted);
        let mut policies: Vec<_> = own.map(|(name, _, text)| policy(name, text, ours)).collect();
        if let (Some((key, value)), Duty::Read) = (&self.readable, wanted) {
            policies.push(policy("read-named-blocks", policy!("read-blocks"), (key, value)));
        }
        policies
    }

    /// The template with its placeholders filled; all of them are known, which a test holds.
    fn filled(&self, template: &str, (tag_key, tag_value): (&str, &str)) -> Value {
        let partition = self.partition();
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
            .replace("${tag_key}", tag_key)
            .replace("${tag_values}", &json!([tag_value]).to_string())
            .replace("${key_arns}", &json!(keys).to_string())
            .replace("${via_services}", &json!(services).to_string());
        serde_json::from_str(&text).expect("a test reads every template")
    }

    /// Trust ends at the border of a partition, so that it is that of the scanner.
    fn partition(&self) -> &str {
        let named = self.scanner_roles.first().and_then(|role| role.split(':').nth(1));
        named.unwrap_or("aws")
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
            readable: Some(("golden".to_owned(), "yes".to_owned())),
        }
    }

    #[test]
    fn the_partition_is_that_of_the_scanner() {
        let mut there = onboarding(&[]);
        there.scanner_roles = vec!["arn:aws-us-gov:iam::111122223333:role/scanner".to_owned()];
        let text = there.cloudformation().to_string();
        assert!(text.contains("arn:aws-us-gov:ec2:") && !text.contains("arn:aws:"), "{text}");
    }

    #[test]
    fn a_tag_lets_snapshots_of_others_be_read_and_nothing_else() {
        let roles = onboarding(&[]).roles();
        let bearing = |role: &&Value| role.to_string().contains("aws:ResourceTag/golden");
        let named: Vec<_> = roles.as_array().expect("roles").iter().filter(bearing).collect();
        assert_eq!(named.len(), 1);
        assert_eq!(named[0]["RoleName"], "sidelight-read");
        let policies = named[0]["Policies"].as_array().expect("policies");
        assert_eq!(policies.last().expect("some")["PolicyName"], "read-named-blocks");
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
