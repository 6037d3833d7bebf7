//! A scanner as Terraform deploys it: a task role that may do nothing itself assumes the roles that
//! `sidelight onboard` prints, one for each duty, and puts its results into a bucket.

use crate::accounts::{Account, Other};
use crate::books::Books;
use crate::permissions::{DUTIES, granted_to, perform, recorded};
use crate::standin::{Standin, standin};
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The scanner's own role.
pub const TASK: &str = "[[role]]\nname = 'task'\n";
/// Credentials of roles that are to be renewed at once, which is refused after the first four.
pub const EXPIRING: &str = "session_seconds = 12
[[role]]
name = 'task'
[[instance]]
name = 'web'
volume = [{ device = '/dev/xvda', image = 'small.img' }]
[[fault]]
action = 'AssumeRole'
after = 5
error = 'ExpiredToken'
[[fault]]
action = 'GetSnapshotBlock'
resource = 'web'
delay_ms = 2500
";
const EXTERNAL_ID: &str = "a-strangers-word";
const BUCKET: &str = "sidelight-results";

/// Makes the roles that it reads, and a bucket; prints credentials of the task's role.
const DEPLOY: &str = r#"
import boto3, json, sys
iam, account, bucket = boto3.client("iam"), sys.argv[1], sys.argv[2]
for role in json.load(sys.stdin):
    name = role["RoleName"]
    iam.create_role(RoleName=name, Description=role["Description"],
                    AssumeRolePolicyDocument=json.dumps(role["AssumeRolePolicyDocument"]))
    for policy in role["Policies"]:
        iam.put_role_policy(RoleName=name, PolicyName=policy["PolicyName"],
                            PolicyDocument=json.dumps(policy["PolicyDocument"]))
s3 = boto3.client("s3")
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
task = boto3.client("sts").assume_role(RoleArn=f"arn:aws:iam::{account}:role/task", RoleSessionName="task")
print(json.dumps(task["Credentials"], default=str))
"#;
/// Prints what is in the bucket, by key.
const LIST: &str = r#"
import boto3, json, sys
s3, bucket = boto3.client("s3"), sys.argv[1]
keys = [found["Key"] for found in s3.list_objects_v2(Bucket=bucket)["Contents"]]
read = lambda key: json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
print(json.dumps({key: read(key) for key in keys}))
"#;

/// Runs a script with the variables of an account.
fn python(standin: &Standin, account: &Account, words: &[&str], input: &str) -> Value {
    let as_user = standin.sidelight(account, &[]);
    let python = test_material::python().expect("the stand-in runs with it");
    let mut command = Command::new(python);
    command.arg("-c").args(words).stdin(Stdio::piped()).stdout(Stdio::piped());
    for (name, value) in as_user.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.env("AWS_DEFAULT_REGION", account.region);
    let mut child = command.spawn().expect("python runs");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("taken");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn onboard(account: &Account, format: &str) -> Output {
    let role = format!("arn:aws:iam::{}:role/task", account.id);
    let mut command = Command::new(env!("CARGO_BIN_EXE_sidelight"));
    command.args(["onboard", "--account", &account.id, "--scanner-role", &role]);
    command.args(["--external-id", EXTERNAL_ID, "--region", account.region, "--format", format]);
    command.output().expect("the program runs")
}

/// `sidelight` as the task that Terraform starts.
fn task(standin: &Standin, account: &Account, task: &Value, words: &[&str]) -> Command {
    let text = |name: &str| task[name].as_str().expect("text");
    let mut command = standin.sidelight(account, words);
    command
        .env("AWS_ACCESS_KEY_ID", text("AccessKeyId"))
        .env("AWS_SECRET_ACCESS_KEY", text("SecretAccessKey"))
        .env("AWS_SESSION_TOKEN", text("SessionToken"))
        .env("SIDELIGHT_ROLE_PREFIX", "sidelight")
        .env("SIDELIGHT_ACCOUNT", &account.id)
        .env("SIDELIGHT_EXTERNAL_ID", EXTERNAL_ID);
    command
}

#[test]
fn each_duty_has_the_credentials_of_its_own_role() {
    let Some(standin) = standin() else { return };
    let account = Other::Roles.account();
    let roles = String::from_utf8(onboard(&account, "policy").stdout).expect("UTF-8");
    let credentials = python(standin, &account, &[DEPLOY, &account.id, BUCKET], &roles);

    let mut stranger = task(standin, &account, &credentials, &["sweep", "--no-match"]);
    let refused = stranger.env("SIDELIGHT_EXTERNAL_ID", "guessed").output().expect("it runs");
    let stderr = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("cannot assume") && stderr.contains("sidelight-discovery"), "{stderr}");

    // Where nothing can be written, nothing is made.
    let nowhere = ["sweep", "--no-match", "--output", "s3://no-such-bucket/one"];
    let refused = task(standin, &account, &credentials, &nowhere).output().expect("it runs");
    let stderr = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("NoSuchBucket"), "{stderr}");
    assert_eq!(Books::of(standin, &account).count("ec2:CreateSnapshots"), 0);

    let before = Books::of(standin, &account).calls();
    let words = ["sweep", "--no-match", "--output", &format!("s3://{BUCKET}/one/two")];
    let output = task(standin, &account, &credentials, &words).output().expect("it runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");

    let calls = &standin.control("calls")["calls"];
    for (action, duty) in [
        ("ec2:DescribeInstances", "discovery"),
        ("ec2:CreateSnapshots", "create"),
        ("ebs:GetSnapshotBlock", "read"),
        ("ec2:DeleteSnapshot", "delete"),
    ] {
        let principals = calls[action]["principals"].as_object().expect("principals");
        let own: Vec<_> = principals.keys().filter(|arn| arn.contains(&account.id)).collect();
        let expected =
            format!("arn:aws:sts::{}:assumed-role/sidelight-{duty}/sidelight", account.id);
        assert_eq!(own, [&expected], "{action}");
    }

    let mut calls = Books::of(standin, &account).calls();
    let written = python(standin, &account, &[LIST, BUCKET], "");
    let keys = written.as_object().expect("documents");
    let key = keys.keys().find(|key| key.ends_with("/sweep.json")).expect("one");
    let sweep = &written[key];
    let folder = format!("one/two/{}", sweep["sweep"].as_str().expect("an id"));
    assert_eq!(key, &format!("{folder}/sweep.json"));
    assert_eq!(sweep["totals"]["scanned"], 2);
    // The receipt is that of the stand-in, the roles and the results among it.
    for (action, count) in before {
        *calls.get_mut(&action).expect("it only grows") -= count;
    }
    calls.retain(|_, count| *count > 0);
    let mut receipt = sweep["receipt"]["calls"].as_object().expect("calls").clone();
    // The drills compare those of blocks, which the stand-in counts by key and not by account.
    receipt.retain(|action, _| !action.starts_with("ebs:"));
    assert_eq!(Value::from(receipt), serde_json::json!(calls));
    assert_eq!(calls["sts:AssumeRole"], 4);
    for host in sweep["hosts"].as_array().expect("hosts") {
        let id = host["instance_id"].as_str().expect("an id");
        let report = &written[format!("{folder}/{id}/report.json")];
        assert_eq!(report["schema_version"].is_null(), host["report"].is_null(), "{id}");
    }
    check_duties(standin, &account, &credentials);
    check_doctor(standin, &account, &credentials);
    check_lost_results(standin, &account, &credentials);
}

/// What each role was seen to do is what its policies grant, by duty; and so it is for the task itself.
fn check_duties(standin: &Standin, account: &Account, credentials: &Value) {
    perform(standin, account, |words| task(standin, account, credentials, words));
    let id = &account.id;
    for duty in DUTIES {
        let role = format!("arn:aws:sts::{id}:assumed-role/sidelight-{duty}/sidelight");
        assert_eq!(recorded(standin, &role), granted_to(duty), "{duty}");
    }
    let own = recorded(standin, &format!("arn:aws:sts::{id}:assumed-role/task/task"));
    assert_eq!(own, granted_to("task"));
}

#[test]
fn credentials_of_a_role_that_cannot_be_renewed_are_the_reason() {
    let Some(standin) = standin() else { return };
    let account = Other::Expiring.account();
    let roles = String::from_utf8(onboard(&account, "policy").stdout).expect("UTF-8");
    let credentials = python(standin, &account, &[DEPLOY, &account.id, "expiring"], &roles);
    let words = ["sweep", "--no-match", "--format", "json"];
    let output = task(standin, &account, &credentials, &words).output().expect("it runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["hosts"][0]["reason"], "credentials", "{}", report["hosts"][0]["detail"]);
    // A call that never left costs nothing.
    let role = format!("arn:aws:sts::{}:assumed-role/sidelight-read/sidelight", account.id);
    let seen = &standin.control("calls")["calls"]["ebs:GetSnapshotBlock"]["principals"][&role];
    let seen = seen.as_u64().unwrap_or(0);
    assert_eq!(report["receipt"]["calls"]["ebs:GetSnapshotBlock"], seen);
    let asked = report["receipt"]["calls"]["sts:AssumeRole"].as_u64().expect("a count");
    assert!(asked < 30, "asked for roles {asked} times");
    standin.set_faults(&account, &serde_json::json!([]));
    let words = ["cleanup", "--all"];
    let output = standin.sidelight(&account, &words).output().expect("it runs");
    assert!(output.status.success());
    assert_eq!(Books::of(standin, &account).left, [""; 0]);
}

/// The doctor goes on after a role that cannot be assumed, and tries the results too.
fn check_doctor(standin: &Standin, account: &Account, credentials: &Value) {
    let fault =
        serde_json::json!([{ "action": "AssumeRole", "first": 1, "error": "AccessDenied" }]);
    standin.set_faults(account, &fault);
    let doctor = |words: &[&str]| {
        let mut words = words.to_vec();
        words.insert(0, "doctor");
        let output = task(standin, account, credentials, &words).output().expect("it runs");
        (output.status.code(), String::from_utf8(output.stdout).expect("UTF-8"))
    };
    let lines = |text: &str, action: &str, verdict: &str| {
        let has = |line: &&str| line.trim_start().starts_with(action) && line.contains(verdict);
        text.lines().filter(has).count()
    };
    let (code, text) = doctor(&[]);
    assert_eq!(code, Some(3), "{text}");
    assert_eq!(lines(&text, "sts:AssumeRole", "denied"), 1, "{text}");
    assert_eq!(lines(&text, "sts:AssumeRole", "allowed"), 3, "{text}");
    assert!(text.contains("sidelight-discovery: ") && text.contains("AccessDenied"), "{text}");
    standin.set_faults(account, &serde_json::json!([]));
    let folder = format!("s3://{BUCKET}/trial");
    let (code, text) = doctor(&["--make-snapshot", "--output", &folder]);
    assert_eq!((code, lines(&text, "s3:PutObject", "allowed")), (Some(0), 1), "{text}");
    let (code, text) = doctor(&["--make-snapshot", "--output", "s3://no-such-bucket/trial"]);
    assert_eq!((code, lines(&text, "s3:PutObject", "denied")), (Some(3), 1), "{text}");
}

/// Results that cannot be written in mid-sweep are told, and cost neither the report nor a snapshot.
fn check_lost_results(standin: &Standin, account: &Account, credentials: &Value) {
    let fault = serde_json::json!([{ "action": "PutObject", "after": 1, "error": "AccessDenied" }]);
    standin.set_faults(account, &fault);
    let folder = format!("s3://{BUCKET}/lost");
    let words = ["sweep", "--no-match", "--format", "json", "--output", &folder];
    let output = task(standin, account, credentials, &words).output().expect("it runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("not all of its results were written"), "{stderr}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["totals"]["scanned"], 2);
    assert_eq!(Books::of(standin, account).left, [""; 0]);
    standin.set_faults(account, &serde_json::json!([]));
}

#[test]
fn what_an_account_has_to_make_is_printed_in_each_form() {
    let account = Account::new(1, "");
    for (format, place) in [
        ("policy", "/0/AssumeRolePolicyDocument/Statement/0/Condition/StringEquals/sts:ExternalId"),
        (
            "cloudformation",
            "/Resources/ReadRole/Properties/AssumeRolePolicyDocument/Statement/0/Condition/StringEquals/sts:ExternalId",
        ),
        ("tfvars", "/external_id"),
    ] {
        let output = onboard(&account, format);
        let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(document.pointer(place), Some(&EXTERNAL_ID.into()), "{format}");
    }
    // The inputs are those that the module declares.
    let inputs: Value = serde_json::from_slice(&onboard(&account, "tfvars").stdout).expect("JSON");
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("terraform/modules/target-role");
    let declared = std::fs::read_to_string(module.join("variables.tf")).expect("the module");
    for name in inputs.as_object().expect("inputs").keys() {
        assert!(declared.contains(&format!("variable \"{name}\"")), "{name}");
    }
}
