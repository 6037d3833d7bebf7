# What the task may do and how it runs, and which inputs are refused.

mock_provider "aws" {
  override_during = plan

  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }
  mock_data "aws_region" {
    defaults = { id = "eu-central-1" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::results" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-central-1:111122223333:key/results" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:111122223333:log-group:/sidelight/sweep" }
  }
  mock_resource "aws_ecs_cluster" {
    defaults = { arn = "arn:aws:ecs:eu-central-1:111122223333:cluster/sidelight" }
  }
  mock_resource "aws_ecs_task_definition" {
    defaults = { arn = "arn:aws:ecs:eu-central-1:111122223333:task-definition/sidelight-sweep:1" }
  }
}

override_resource {
  target          = aws_iam_role.task
  override_during = plan
  values          = { arn = "arn:aws:iam::111122223333:role/sidelight-task" }
}

override_resource {
  target          = aws_iam_role.start
  override_during = plan
  values          = { arn = "arn:aws:iam::111122223333:role/sidelight-start" }
}

override_resource {
  target          = aws_iam_role.schedule
  override_during = plan
  values          = { arn = "arn:aws:iam::111122223333:role/sidelight-schedule" }
}

variables {
  image             = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/security/sidelight@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
  subnet_ids        = ["subnet-0123456789abcdef0"]
  security_group_id = "sg-0123456789abcdef0"
}

run "grants_equal_the_list_of_actions" {
  command = plan

  assert {
    condition = output.allowed_actions == {
      for duty in ["schedule", "start", "task"] : duty => sort([
        for entry in jsondecode(file("${path.module}/../../../infra/iam/actions.json")).actions :
        entry.action if entry.duty == duty && entry.account == "scanner"
      ])
    }
    error_message = "The policies and infra/iam/actions.json differ: ${jsonencode(output.allowed_actions)}"
  }
}

run "task_assumes_its_roles_and_writes_results_only" {
  command = plan

  assert {
    condition = jsondecode(aws_iam_role_policy.task.policy).Statement == [
      {
        Sid    = "AssumeTargetRoles"
        Effect = "Allow"
        Action = ["sts:AssumeRole"]
        Resource = [
          "arn:aws:iam::111122223333:role/sidelight-create",
          "arn:aws:iam::111122223333:role/sidelight-delete",
          "arn:aws:iam::111122223333:role/sidelight-discovery",
          "arn:aws:iam::111122223333:role/sidelight-read",
        ]
      },
      {
        Sid      = "WriteResults"
        Effect   = "Allow"
        Action   = ["s3:PutObject"]
        Resource = ["arn:aws:s3:::results/results/*"]
      },
      {
        Sid       = "EncryptResults"
        Effect    = "Allow"
        Action    = ["kms:GenerateDataKey"]
        Resource  = ["arn:aws:kms:eu-central-1:111122223333:key/results"]
        Condition = { StringEquals = { "kms:ViaService" = ["s3.eu-central-1.amazonaws.com"] } }
      },
    ]
    error_message = "The sweep has other rights: ${aws_iam_role_policy.task.policy}"
  }
}

run "task_is_locked_down" {
  command = plan

  assert {
    condition = length(jsondecode(aws_ecs_task_definition.sweep.container_definitions)) == 2 && alltrue([
      for container in jsondecode(aws_ecs_task_definition.sweep.container_definitions) :
      container.readonlyRootFilesystem && !container.privileged && container.user == "65532:65532"
      && container.linuxParameters.capabilities == { drop = ["ALL"] }
      && container.mountPoints == [{ sourceVolume = "scratch", containerPath = "/scratch", readOnly = false }]
    ])
    error_message = "The container could change itself or its host: ${aws_ecs_task_definition.sweep.container_definitions}"
  }

  assert {
    condition = [
      for container in jsondecode(aws_ecs_task_definition.sweep.container_definitions) : [container.name, container.command]
      ] == [
      ["advisories", ["feeds", "update", "--log-format", "json", "--advisories", "/scratch/advisories.store"]],
      ["sidelight", [
        "sweep", "--log-format", "json", "--region", "eu-central-1",
        "--output", "s3://sidelight-results-111122223333-eu-central-1/results", "--advisories", "/scratch/advisories.store",
      ]],
    ]
    error_message = "Another command: ${aws_ecs_task_definition.sweep.container_definitions}"
  }

  assert {
    condition     = !aws_cloudwatch_event_target.sweep.ecs_target[0].network_configuration[0].assign_public_ip
    error_message = "A public address must be asked for."
  }
}

run "roles_are_for_this_account_only" {
  command = plan

  assert {
    condition = alltrue([
      for role in [aws_iam_role.task, aws_iam_role.start] :
      jsondecode(role.assume_role_policy).Statement[0].Principal == { Service = "ecs-tasks.amazonaws.com" }
      && jsondecode(role.assume_role_policy).Statement[0].Condition == {
        StringEquals = { "aws:SourceAccount" = "111122223333" }
        ArnLike      = { "aws:SourceArn" = "arn:aws:ecs:eu-central-1:111122223333:*" }
      }
    ])
    error_message = "ECS could be made to use the roles for somebody else."
  }

  assert {
    condition = jsondecode(aws_iam_role.schedule.assume_role_policy).Statement[0].Condition == {
      StringEquals = { "aws:SourceAccount" = "111122223333" }
      ArnEquals    = { "aws:SourceArn" = "arn:aws:events:eu-central-1:111122223333:rule/sidelight-sweep" }
    }
    error_message = "Another rule could use the role of the schedule."
  }

  assert {
    condition = [for statement in jsondecode(aws_iam_role_policy.schedule.policy).Statement : [statement.Resource, statement.Condition]] == [
      [
        ["arn:aws:ecs:eu-central-1:111122223333:task-definition/sidelight-sweep:*"],
        { ArnEquals = { "ecs:cluster" = "arn:aws:ecs:eu-central-1:111122223333:cluster/sidelight" } },
      ],
      [
        ["arn:aws:iam::111122223333:role/sidelight-start", "arn:aws:iam::111122223333:role/sidelight-task"],
        { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } },
      ],
    ]
    error_message = "The schedule could start something else: ${aws_iam_role_policy.schedule.policy}"
  }

  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.start.policy).Statement : statement.Resource if statement.Sid == "PullTheImage"
    ] == [["arn:aws:ecr:eu-central-1:111122223333:repository/security/sidelight"]]
    error_message = "Another image could be pulled: ${aws_iam_role_policy.start.policy}"
  }
}

run "results_are_encrypted_and_private" {
  command = plan

  assert {
    condition = flatten([
      for rule in aws_s3_bucket.results.server_side_encryption_configuration[0].rule : [
        for default in rule.apply_server_side_encryption_by_default : [default.sse_algorithm, default.kms_master_key_id]
      ]
    ]) == ["aws:kms", "arn:aws:kms:eu-central-1:111122223333:key/results"]
    error_message = "The bucket must encrypt with the key."
  }

  assert {
    condition = (
      aws_s3_bucket_public_access_block.results.block_public_acls && aws_s3_bucket_public_access_block.results.block_public_policy
      && aws_s3_bucket_public_access_block.results.ignore_public_acls && aws_s3_bucket_public_access_block.results.restrict_public_buckets
    )
    error_message = "The bucket must be closed to the public."
  }

  assert {
    condition     = !aws_s3_bucket.results.force_destroy && aws_kms_key.this.enable_key_rotation
    error_message = "Results must not be destroyed by accident, and the key must rotate."
  }
}

run "without_a_way_out_no_advisories_are_fetched" {
  command = plan

  variables {
    fetch_advisories = false
    extra_arguments  = ["--no-match"]
  }

  assert {
    condition = [
      for container in jsondecode(aws_ecs_task_definition.sweep.container_definitions) : [container.name, container.command, contains(keys(container), "dependsOn")]
      ] == [
      ["sidelight", [
        "sweep", "--log-format", "json", "--region", "eu-central-1",
        "--output", "s3://sidelight-results-111122223333-eu-central-1/results", "--no-match",
      ], false],
    ]
    error_message = "Another command: ${aws_ecs_task_definition.sweep.container_definitions}"
  }
}

run "image_of_another_registry_needs_no_ecr" {
  command = plan

  variables {
    image = "registry.example.com/sidelight@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
  }

  assert {
    condition     = output.allowed_actions["start"] == tolist(["logs:CreateLogStream", "logs:PutLogEvents"])
    error_message = "Rights on Amazon ECR are not needed."
  }
}

run "organization_bounds_what_is_assumed" {
  command = plan

  variables {
    target_account_id  = "444455556666"
    organization_paths = ["o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/*"]
    external_id        = "2f1c7d5e-0001-4000-8000-feedfacecafe"
  }

  assert {
    condition = [for statement in jsondecode(aws_iam_role_policy.task.policy).Statement : statement if statement.Effect == "Deny"] == [{
      Sid       = "NeverOutsideTheOrganization"
      Effect    = "Deny"
      Action    = ["sts:AssumeRole"]
      Resource  = ["*"]
      Condition = { "ForAllValues:StringNotLike" = { "aws:ResourceOrgPaths" = ["o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/*"] } }
    }]
    error_message = "Roles outside the organization must be denied."
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.task.policy).Statement[0].Resource[0] == "arn:aws:iam::444455556666:role/sidelight-create"
    error_message = "Only roles of our names may be assumed."
  }
}

run "another_account_without_external_id_is_refused" {
  command = plan

  variables {
    target_account_id = "444455556666"
  }

  expect_failures = [aws_iam_role.task]
}

run "image_by_tag_is_refused" {
  command = plan

  variables {
    image = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/sidelight:latest"
  }

  expect_failures = [var.image]
}

run "no_subnet_is_refused" {
  command = plan

  variables {
    subnet_ids = []
  }

  expect_failures = [var.subnet_ids]
}

run "malformed_account_is_refused" {
  command = plan

  variables {
    target_account_id = "1111"
  }

  expect_failures = [var.target_account_id]
}

run "malformed_schedule_is_refused" {
  command = plan

  variables {
    schedule_expression = "0 3 * * *"
  }

  expect_failures = [var.schedule_expression]
}

run "size_that_fargate_lacks_is_refused" {
  command = plan

  variables {
    size = { cpu = 256, memory = 8192 }
  }

  expect_failures = [var.size]
}

run "prefix_that_ends_with_a_slash_is_refused" {
  command = plan

  variables {
    results_prefix = "results/"
  }

  expect_failures = [var.results_prefix]
}

run "prefix_with_a_wildcard_is_refused" {
  command = plan

  variables {
    results_prefix = "*"
  }

  expect_failures = [var.results_prefix]
}

run "malformed_bucket_is_refused" {
  command = plan

  variables {
    results_bucket_name = "Results"
  }

  expect_failures = [var.results_bucket_name]
}

run "malformed_path_is_refused" {
  command = plan

  variables {
    organization_paths = ["*"]
  }

  expect_failures = [var.organization_paths]
}

run "key_deleted_at_once_is_refused" {
  command = plan

  variables {
    key_deletion_days = 1
  }

  expect_failures = [var.key_deletion_days]
}

run "no_retention_is_refused" {
  command = plan

  variables {
    results_retention_days = 0
  }

  expect_failures = [var.results_retention_days]
}

run "malformed_boundary_is_refused" {
  command = plan

  variables {
    permissions_boundary_arn = "boundary"
  }

  expect_failures = [var.permissions_boundary_arn]
}
