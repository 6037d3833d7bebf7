"""What stands in the account that a moto server plays: one line for each thing, sorted.

`scripts/terraform-test` compares the lines before `terraform apply` with those after `terraform destroy`.
Left out is what AWS too goes on listing for a while after it is deleted: keys that wait for their deletion,
task definitions and clusters that are inactive, endpoints that are deleted.

Usage: moto_state.py ENDPOINT REGION
"""

import sys

import boto3

# (client, paginator, key of the list, what names one of them)
LISTED = [
    ("ec2", "describe_vpcs", "Vpcs", "VpcId"),
    ("ec2", "describe_subnets", "Subnets", "SubnetId"),
    ("ec2", "describe_security_groups", "SecurityGroups", "GroupId"),
    ("ec2", "describe_security_group_rules", "SecurityGroupRules", "SecurityGroupRuleId"),
    ("ec2", "describe_route_tables", "RouteTables", "RouteTableId"),
    ("ec2", "describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
    ("ec2", "describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId"),
    ("ec2", "describe_flow_logs", "FlowLogs", "FlowLogId"),
    ("iam", "list_roles", "Roles", "RoleName"),
    ("iam", "list_policies", "Policies", "Arn"),
    ("kms", "list_aliases", "Aliases", "AliasName"),
    ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    ("ecs", "list_task_definitions", "taskDefinitionArns", None),
    ("events", "list_rules", "Rules", "Name"),
    ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
]
LIMITS = {"list_policies": {"Scope": "Local"}, "list_task_definitions": {"status": "ACTIVE"}}


def main(endpoint, region):
    session = boto3.Session("test", "test", region_name=region)

    def client(service):
        return session.client(service, endpoint_url=endpoint)

    lines = [f"s3 bucket {bucket['Name']}" for bucket in client("s3").list_buckets()["Buckets"]]
    for service, operation, key, name in LISTED:
        api = client(service)
        pages = (
            api.get_paginator(operation).paginate(**LIMITS.get(operation, {}))
            if api.can_paginate(operation)
            else [getattr(api, operation)(**LIMITS.get(operation, {}))]
        )
        for page in pages:
            lines += [f"{service} {key} {entry[name] if name else entry}" for entry in page[key]]
    print("\n".join(sorted([*lines, *undeleted(client)])))


def undeleted(client):
    kms, ec2, ecs = client("kms"), client("ec2"), client("ecs")
    for key in kms.list_keys()["Keys"]:
        if kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] != "PendingDeletion":
            yield f"kms key {key['KeyId']}"
    for endpoint in ec2.describe_vpc_endpoints()["VpcEndpoints"]:
        if endpoint["State"] != "deleted":
            yield f"ec2 endpoint {endpoint['VpcEndpointId']}"
    for cluster in ecs.describe_clusters(clusters=ecs.list_clusters()["clusterArns"])["clusters"]:
        if cluster["status"] != "INACTIVE":
            yield f"ecs cluster {cluster['clusterArn']}"


if __name__ == "__main__":
    main(*sys.argv[1:])
