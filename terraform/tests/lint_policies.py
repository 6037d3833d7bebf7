"""Holds every IAM policy of a Terraform state against AWS's own tables of actions, resources and condition keys,
as the policy linter parliament carries them: unknown actions, keys that an action does not have, resources of the
wrong kind.

One of its findings is no fault: a call that AWS checks on several resources (ec2:CreateSnapshots: instance, volume,
snapshot) may have one statement for each. Then each kind that it misses must stand in another statement.

Usage: terraform show -json | lint_policies.py
"""

import json
import sys

import parliament


def policies(module):
    for resource in module.get("resources", []):
        if resource["type"] == "aws_iam_role_policy":
            yield resource["address"], resource["values"]["policy"]
    for child in module.get("child_modules", []):
        yield from policies(child)


def as_list(value):
    return value if isinstance(value, list) else [value]


def granted(policy):
    """(action, kind of resource) pairs; the kind is what stands between the last colon and the slash."""
    for statement in json.loads(policy)["Statement"]:
        if statement["Effect"] == "Allow":
            for resource in as_list(statement["Resource"]):
                kind = resource.rsplit(":", 1)[-1].split("/")[0]
                yield from ((action, kind) for action in as_list(statement["Action"]))


def faults(policy):
    grants = set(granted(policy))
    for finding in parliament.analyze_policy_string(policy).findings:
        if finding.issue != "RESOURCE_MISMATCH":
            yield f"{finding.issue}: {finding.detail}"
            continue
        for missing in as_list(finding.detail):
            kind = missing["required_format"].rsplit(":", 1)[-1].split("/")[0]
            if (missing["action"], kind) not in grants:
                yield f"{missing['action']} is granted on no {kind}"


def main():
    seen = list(policies(json.load(sys.stdin)["values"]["root_module"]))
    found = [(address, fault) for address, policy in seen for fault in faults(policy)]
    for address, fault in found:
        print(f"{address}: {fault}", file=sys.stderr)
    print(f"parliament: {len(seen)} policies, {len(found)} faults")
    sys.exit(1 if found or not seen else 0)


main()
