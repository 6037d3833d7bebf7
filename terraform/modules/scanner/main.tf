# The scanner: an ECS task on Fargate that a schedule starts. It has no way in, a read-only root and
# no capability; what it may do in an account it scans comes from the roles it assumes there.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  # `id` is the name of the region with every version of the provider.
  region = data.aws_region.current.id

  bucket = coalesce(var.results_bucket_name, "${var.name}-results-${local.account_id}-${local.region}")

  # The image declares this path as a volume that its user owns; nothing else can be written.
  scratch = "/scratch"

  # All that this module knows of the command line: what the two containers run, and what they are told.
  advisories     = "${local.scratch}/advisories.store"
  update_command = ["feeds", "update", "--log-format", "json", "--advisories", local.advisories]
  sweep_command = concat(
    ["sweep", "--log-format", "json", "--region", local.region, "--output", "s3://${local.bucket}/${var.results_prefix}"],
    var.fetch_advisories ? ["--advisories", local.advisories] : [],
    var.extra_arguments,
  )
  environment = { for name, value in {
    AWS_REGION            = local.region
    HOME                  = local.scratch
    TMPDIR                = local.scratch
    SIDELIGHT_ACCOUNT     = local.target_account_id
    SIDELIGHT_ROLE_PREFIX = var.target_role_prefix
    SIDELIGHT_EXTERNAL_ID = var.external_id
  } : name => value if value != null }

  target_account_id = coalesce(var.target_account_id, local.account_id)

  # Both containers are locked down alike.
  container = {
    image                  = var.image
    environment            = [for name, value in local.environment : { name = name, value = value }]
    user                   = "65532:65532"
    privileged             = false
    readonlyRootFilesystem = true
    linuxParameters        = { capabilities = { drop = ["ALL"] }, initProcessEnabled = true }
    mountPoints            = [{ sourceVolume = "scratch", containerPath = local.scratch, readOnly = false }]
    # Longest that Fargate grants: the sweep deletes its snapshots before it goes.
    stopTimeout = 120
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.sweep.name
        awslogs-region        = local.region
        awslogs-stream-prefix = "sweep"
      }
    }
  }

  # Advisories are fetched first, into the scratch folder. If some cannot be, the sweep still runs and says so.
  containers = concat(
    [for command in [local.update_command] : merge(local.container, {
      name      = "advisories"
      essential = false
      command   = command
    }) if var.fetch_advisories],
    [merge(
      local.container,
      {
        name      = "sidelight"
        essential = true
        command   = local.sweep_command
      },
      { for key in ["dependsOn"] : key => [{ containerName = "advisories", condition = "COMPLETE" }] if var.fetch_advisories },
    )],
  )
}

resource "aws_ecs_cluster" "this" {
  name = var.name
  tags = var.tags

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_cloudwatch_log_group" "sweep" {
  name              = "/${var.name}/sweep"
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.this.arn
  tags              = var.tags
}

resource "aws_ecs_task_definition" "sweep" {
  family                   = "${var.name}-sweep"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.size.cpu
  memory                   = var.size.memory
  execution_role_arn       = aws_iam_role.start.arn
  task_role_arn            = aws_iam_role.task.arn
  tags                     = var.tags

  volume {
    name = "scratch"
  }

  container_definitions = jsonencode(local.containers)
}
