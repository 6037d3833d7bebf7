# Three roles: what the sweep may do (task), what ECS needs to start it (start), and what the schedule
# needs to ask ECS (schedule). infra/iam/actions.json says why for each action.

locals {
  duties = ["create", "delete", "discovery", "read"]

  target_role_arns = [
    for duty in local.duties : "arn:${local.partition}:iam::${local.target_account_id}:role/${var.target_role_prefix}-${duty}"
  ]

  # The account and the repository of an image in Amazon ECR; none for other registries.
  ecr_image = try(regex("^(?P<account>[0-9]{12})\\.dkr\\.ecr\\.(?P<region>[a-z0-9-]+)\\.amazonaws\\.com(?:\\.cn)?/(?P<repository>[^@]+)@", var.image), null)

  ecs_trust = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account_id }
        ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:ecs:${local.region}:${local.account_id}:*" }
      }
    }]
  })

  task_statements = concat(
    [
      {
        Sid       = "AssumeTargetRoles"
        Effect    = "Allow"
        Action    = ["sts:AssumeRole"]
        Resource  = local.target_role_arns
        Condition = {}
      },
      {
        Sid       = "WriteResults"
        Effect    = "Allow"
        Action    = ["s3:PutObject"]
        Resource  = ["${aws_s3_bucket.results.arn}/${var.results_prefix}/*"]
        Condition = {}
      },
      {
        Sid       = "EncryptResults"
        Effect    = "Allow"
        Action    = ["kms:GenerateDataKey"]
        Resource  = [aws_kms_key.this.arn]
        Condition = { StringEquals = { "kms:ViaService" = ["s3.${local.region}.${data.aws_partition.current.dns_suffix}"] } }
      },
    ],
    # ForAllValues also holds when a role has no organization, so that such a role is denied.
    [
      for paths in [var.organization_paths] : {
        Sid       = "NeverOutsideTheOrganization"
        Effect    = "Deny"
        Action    = ["sts:AssumeRole"]
        Resource  = ["*"]
        Condition = { "ForAllValues:StringNotLike" = { "aws:ResourceOrgPaths" = paths } }
      } if length(paths) > 0
    ],
  )
}

resource "aws_iam_role" "task" {
  name                 = "${var.name}-task"
  description          = "Sidelight sweep: assumes the target roles and writes results"
  assume_role_policy   = local.ecs_trust
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags

  lifecycle {
    precondition {
      condition     = var.external_id != null || local.target_account_id == local.account_id
      error_message = "external_id is required when the target account is not the scanner's own."
    }
  }
}

resource "aws_iam_role_policy" "task" {
  name = "sweep"
  role = aws_iam_role.task.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      for statement in local.task_statements : { for key, value in statement : key => value if key != "Condition" || try(length(value) > 0, true) }
    ]
  })
}

resource "aws_iam_role" "start" {
  name                 = "${var.name}-start"
  description          = "Starts Sidelight tasks: pulls the image and writes logs"
  assume_role_policy   = local.ecs_trust
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags
}

resource "aws_iam_role_policy" "start" {
  name = "pull-and-log"
  role = aws_iam_role.start.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid      = "WriteLogs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.sweep.arn}:*"]
      }],
      flatten([for image in local.ecr_image[*] : [
        {
          Sid      = "LogIntoTheRegistry"
          Effect   = "Allow"
          Action   = ["ecr:GetAuthorizationToken"]
          Resource = ["*"]
        },
        {
          Sid      = "PullTheImage"
          Effect   = "Allow"
          Action   = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
          Resource = ["arn:${local.partition}:ecr:${image.region}:${image.account}:repository/${image.repository}"]
        },
      ]]),
    )
  })
}

resource "aws_iam_role" "schedule" {
  name                 = "${var.name}-schedule"
  description          = "Starts the Sidelight sweep on schedule"
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "events.amazonaws.com" }
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account_id }
        ArnEquals    = { "aws:SourceArn" = "arn:${local.partition}:events:${local.region}:${local.account_id}:rule/${var.name}-sweep" }
      }
    }]
  })
}

resource "aws_iam_role_policy" "schedule" {
  name = "run-sweep"
  role = aws_iam_role.schedule.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "RunTheSweep"
        Effect    = "Allow"
        Action    = ["ecs:RunTask"]
        Resource  = ["arn:${local.partition}:ecs:${local.region}:${local.account_id}:task-definition/${aws_ecs_task_definition.sweep.family}:*"]
        Condition = { ArnEquals = { "ecs:cluster" = aws_ecs_cluster.this.arn } }
      },
      {
        Sid       = "HandOverItsRoles"
        Effect    = "Allow"
        Action    = ["iam:PassRole"]
        Resource  = [aws_iam_role.start.arn, aws_iam_role.task.arn]
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
    ]
  })
}
