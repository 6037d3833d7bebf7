# The roles that a scanner assumes in a target account: one for each duty, none of which can do
# the work of another. What each may do is written once, in policies/.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  regions    = length(var.regions) > 0 ? var.regions : ["*"]

  # Snapshots that the reader may open: those of our sweeps, those that the customer names, or both.
  readable = merge(
    { for key in ["sidelight:sweep"] : "sweep" => { key = key, values = ["*"] } if var.take_snapshots },
    { for tag in var.readable_snapshot_tag[*] : "named" => tag },
  )

  scope = {
    account_id = local.account_id
    partition  = local.partition
    regions    = jsonencode(local.regions)
  }

  readable_scope = {
    for name, tag in local.readable :
    name => merge(local.scope, { tag_key = tag.key, tag_values = jsonencode(tag.values) })
  }

  key_scope = {
    key_arns = jsonencode(coalesce(var.kms_key_arns, [
      "arn:${local.partition}:kms:*:${local.account_id}:key/*"
    ]))
    via_services = jsonencode([
      for region in local.regions : "ec2.${region}.${data.aws_partition.current.dns_suffix}"
    ])
  }

  duties = concat(["discovery", "read"], var.take_snapshots ? ["create", "delete"] : [])
}

# Which policy document goes to which duty. Each becomes one inline policy, so that a role and
# what it may do are created and deleted together.
locals {
  documents = merge(
    {
      describe-hosts = { duty = "discovery", json = templatefile("${path.module}/policies/describe-hosts.json.tftpl", local.scope) }
    },
    {
      for name, scope in local.readable_scope : "read-${name}-blocks" => {
        duty = "read", json = templatefile("${path.module}/policies/read-blocks.json.tftpl", scope)
      }
    },
    {
      for name in ["decrypt-blocks"] : name => {
        duty = "read", json = templatefile("${path.module}/policies/decrypt-blocks.json.tftpl", local.key_scope)
      } if var.kms_key_arns == null || try(length(var.kms_key_arns) > 0, false)
    },
    {
      for name, duty in { create-snapshots = "create", delete-snapshots = "delete" } : name => {
        duty                               = duty, json = templatefile("${path.module}/policies/${name}.json.tftpl", local.scope)
      } if var.take_snapshots
    },
  )

  statements = {
    for duty in local.duties : duty => flatten([
      for document in local.documents : jsondecode(document.json).Statement if document.duty == duty
    ])
  }

  allowed_actions = {
    for duty, statements in local.statements : duty => sort(distinct(flatten([
      for statement in statements : statement.Action if statement.Effect == "Allow"
    ])))
  }
}

locals {
  trust_conditions = { for key, value in {
    "sts:ExternalId"     = var.external_id
    "aws:PrincipalOrgID" = var.organization_id
  } : key => value if value != null }

  trust_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [merge(
      {
        Sid       = "OnlyTheScanner"
        Effect    = "Allow"
        Action    = "sts:AssumeRole"
        Principal = { AWS = var.scanner_role_arns }
      },
      { for key, value in { Condition = { StringEquals = local.trust_conditions } } : key => value if length(local.trust_conditions) > 0 },
    )]
  })

  trusts_another_account = anytrue([
    for arn in var.scanner_role_arns : split(":", arn)[4] != local.account_id
  ])
}

resource "aws_iam_role" "duty" {
  for_each = toset(local.duties)

  name                 = "${var.role_prefix}-${each.key}"
  description          = "Sidelight scanner, duty ${each.key}"
  assume_role_policy   = local.trust_policy
  permissions_boundary = var.permissions_boundary_arn
  max_session_duration = var.max_session_seconds
  tags                 = var.tags

  lifecycle {
    precondition {
      condition     = var.external_id != null || !local.trusts_another_account
      error_message = "external_id is required when a scanner role stands in another account."
    }
    precondition {
      condition     = var.take_snapshots || var.readable_snapshot_tag != null
      error_message = "readable_snapshot_tag is required when take_snapshots is false: there would be nothing to read."
    }
  }
}

resource "aws_iam_role_policy" "document" {
  for_each = local.documents

  name   = each.key
  role   = aws_iam_role.duty[each.value.duty].name
  policy = jsonencode(jsondecode(each.value.json))
}
