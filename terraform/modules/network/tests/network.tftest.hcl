# What can come in and go out.

mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { id = "eu-central-1" }
  }
  mock_data "aws_availability_zones" {
    defaults = { names = ["eu-central-1a", "eu-central-1b", "eu-central-1c"] }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

run "nothing_comes_in" {
  command = plan

  assert {
    condition     = aws_security_group_rule.endpoints_from_task.type == "ingress" && length(aws_security_group_rule.task_to_internet) == 1
    error_message = "Only the endpoints may be entered, by tasks."
  }

  assert {
    condition = alltrue([
      for rule in concat(
        [aws_security_group_rule.endpoints_from_task, aws_security_group_rule.task_to_endpoints],
        aws_security_group_rule.task_to_internet,
      ) : rule.protocol == "tcp" && rule.from_port == 443 && rule.to_port == 443
    ])
    error_message = "Only TLS may pass."
  }

  assert {
    condition     = aws_security_group_rule.task_to_internet[0].type == "egress"
    error_message = "The internet may be gone to, never come from."
  }

  assert {
    condition     = alltrue([for subnet in values(aws_subnet.task) : !subnet.map_public_ip_on_launch])
    error_message = "No address of the internet may be given by itself."
  }

  assert {
    condition = toset([for subnet in values(aws_subnet.task) : subnet.cidr_block]) == toset([
      "10.90.0.0/27", "10.90.0.32/27",
    ])
    error_message = "Subnets must not overlap."
  }

  assert {
    condition     = keys(aws_vpc_endpoint.interface)[0] == "ebs" && length(aws_vpc_endpoint.interface) == 1
    error_message = "Blocks go through an endpoint."
  }
}

run "without_a_way_out_everything_needed_has_an_endpoint" {
  command = plan

  variables {
    egress              = "none"
    interface_endpoints = ["kms"]
  }

  assert {
    condition     = length(aws_internet_gateway.this) + length(aws_route.internet) + length(aws_security_group_rule.task_to_internet) == 0
    error_message = "There must be no way to the internet."
  }

  assert {
    condition     = toset(keys(aws_vpc_endpoint.interface)) == toset(["ebs", "ec2", "ecr.api", "ecr.dkr", "kms", "logs", "sts"])
    error_message = "An endpoint is missing: ${jsonencode(keys(aws_vpc_endpoint.interface))}"
  }

  assert {
    condition     = !output.assign_public_ip
    error_message = "Tasks must have no public address."
  }

  assert {
    condition     = length(aws_security_group_rule.task_to_s3) == 1
    error_message = "S3 must be reachable."
  }
}

run "malformed_block_is_refused" {
  command = plan

  variables {
    cidr_block = "10.0.0.0/28"
  }

  expect_failures = [var.cidr_block]
}

run "unknown_egress_is_refused" {
  command = plan

  variables {
    egress = "open"
  }

  expect_failures = [var.egress]
}

run "unknown_retention_is_refused" {
  command = plan

  variables {
    log_retention_days = 100
  }

  expect_failures = [var.log_retention_days]
}

run "no_zone_is_refused" {
  command = plan

  variables {
    zone_count = 0
  }

  expect_failures = [var.zone_count]
}

run "malformed_name_is_refused" {
  command = plan

  variables {
    name = "Side light"
  }

  expect_failures = [var.name]
}

run "malformed_endpoint_is_refused" {
  command = plan

  variables {
    interface_endpoints = ["com.amazonaws.*"]
  }

  expect_failures = [var.interface_endpoints]
}
