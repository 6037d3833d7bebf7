# What each duty may do, held against infra/iam/actions.json, and under which conditions.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }
}

variables {
  scanner_role_arns = ["arn:aws:iam::111122223333:role/sidelight-scanner"]
}

run "grants_equal_the_list_of_actions" {
  command = plan

  assert {
    condition = output.allowed_actions == {
      for duty in ["create", "delete", "discovery", "read"] : duty => sort([
        for entry in jsondecode(file("${path.module}/../../../infra/iam/actions.json")).actions :
        entry.action if entry.duty == duty && entry.account == "target" && lookup(entry, "needs_grant", true)
      ])
    }
    error_message = "The policies and infra/iam/actions.json differ: ${jsonencode(output.allowed_actions)}"
  }

  # The output is made from the documents; this looks at what is attached.
  assert {
    condition = alltrue([for duty, actions in output.allowed_actions :
      toset(actions) == toset(flatten([
        for policy in aws_iam_role_policy.document : [
          for statement in jsondecode(policy.policy).Statement : statement.Action if statement.Effect == "Allow"
        ] if policy.role == "sidelight-${duty}"
      ]))
    ])
    error_message = "A role has other policies than the output says."
  }
}

run "least_by_default" {
  command = plan

  assert {
    condition     = sort(keys(aws_iam_role.duty)) == tolist(["create", "delete", "discovery", "read"])
    error_message = "Four duties."
  }

  # No duty can do the work of another.
  assert {
    condition = length(setintersection(
      toset(output.allowed_actions["create"]), toset(output.allowed_actions["read"]),
      )) + length(setintersection(
      toset(output.allowed_actions["create"]), toset(output.allowed_actions["delete"]),
      )) + length(setintersection(
      toset(output.allowed_actions["read"]), toset(output.allowed_actions["delete"]),
    )) == 0
    error_message = "Duties overlap."
  }

  # Never: a wildcard action, or what would let a scanner copy, share, attach or start anything.
  assert {
    condition = length([
      for action in flatten(values(output.allowed_actions)) : action
      if can(regex("[*]|PassRole|CreateVolume|AttachVolume|RunInstances|ModifySnapshot|CopySnapshot|CreateGrant|ReEncrypt|PutSnapshotBlock", action))
    ]) == 0
    error_message = "A forbidden action is granted."
  }

  # Only listing calls, which AWS cannot restrict to a resource, may stand on every resource.
  assert {
    condition = alltrue(flatten([
      for policy in aws_iam_role_policy.document : [
        for statement in jsondecode(policy.policy).Statement :
        can(regex("^(ec2:Describe|iam:ListAccountAliases)", join(",", statement.Action)))
        if statement.Effect == "Allow" && statement.Resource == "*"
      ]
    ]))
    error_message = "An action that changes or reads data is granted on every resource."
  }
}

run "snapshots_must_bear_all_tags_when_made" {
  command = plan

  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.document["create-snapshots"].policy).Statement : statement.Condition
      if statement.Effect == "Allow" && statement.Resource == "arn:aws:ec2:*::snapshot/*" && contains(statement.Action, "ec2:CreateSnapshots")
      ] == [{
        StringLike = { "aws:RequestedRegion" = ["*"] }
        Null = {
          "aws:RequestTag/sidelight:sweep"   = "false"
          "aws:RequestTag/sidelight:expires" = "false"
          "aws:RequestTag/sidelight:purpose" = "false"
        }
        "ForAllValues:StringLike" = { "aws:TagKeys" = ["sidelight:*"] }
    }]
    error_message = "A snapshot without our tags, or with others, could be made."
  }

  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.document["create-snapshots"].policy).Statement : statement.Condition.StringEquals
      if contains(statement.Action, "ec2:CreateTags")
    ] == [{ "ec2:CreateAction" = ["CreateSnapshot", "CreateSnapshots"] }]
    error_message = "Existing snapshots could be tagged."
  }
}

run "opted_out_is_denied_for_every_duty_that_touches_data" {
  command = plan

  variables {
    readable_snapshot_tag = { key = "backup", values = ["daily"] }
  }

  assert {
    condition = alltrue([
      for name in ["create-snapshots", "read-sweep-blocks", "read-named-blocks", "decrypt-blocks"] :
      length([
        for statement in jsondecode(aws_iam_role_policy.document[name].policy).Statement : statement
        if statement.Effect == "Deny" && statement.Condition == { StringEqualsIgnoreCase = { "aws:ResourceTag/sidelight:scan" = "never" } }
      ]) == 1
    ])
    error_message = "An opt-out is not enforced."
  }

  assert {
    condition = toset(flatten([
      for statement in jsondecode(aws_iam_role_policy.document["create-snapshots"].policy).Statement : statement.Resource if statement.Effect == "Deny"
    ])) == toset(["arn:aws:ec2:*:*:instance/*", "arn:aws:ec2:*:*:volume/*"])
    error_message = "The opt-out must hold for instances and volumes."
  }
}

run "only_our_snapshots_are_read_and_deleted" {
  command = plan

  assert {
    condition = [
      for statement in concat(
        jsondecode(aws_iam_role_policy.document["read-sweep-blocks"].policy).Statement,
        jsondecode(aws_iam_role_policy.document["delete-snapshots"].policy).Statement,
      ) : statement.Condition.StringLike if statement.Effect == "Allow"
      ] == [
      { "aws:RequestedRegion" = ["*"], "aws:ResourceTag/sidelight:sweep" = ["*"] },
      {
        "aws:RequestedRegion"               = ["*"]
        "aws:ResourceTag/sidelight:sweep"   = "*"
        "aws:ResourceTag/sidelight:expires" = "*"
        "aws:ResourceTag/sidelight:purpose" = "scan"
      },
    ]
    error_message = "Snapshots of others could be read or deleted."
  }
}

run "reading_others_snapshots_takes_no_create_and_no_delete" {
  command = plan

  variables {
    take_snapshots        = false
    readable_snapshot_tag = { key = "aws:backup:source-resource", values = ["*"] }
  }

  assert {
    condition     = sort(keys(aws_iam_role.duty)) == tolist(["discovery", "read"])
    error_message = "There must be no role that creates or deletes."
  }

  assert {
    condition     = sort(keys(aws_iam_role_policy.document)) == tolist(["decrypt-blocks", "describe-hosts", "read-named-blocks"])
    error_message = "Only the named snapshots may be read: ${jsonencode(keys(aws_iam_role_policy.document))}"
  }

  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.document["read-named-blocks"].policy).Statement : statement.Condition.StringLike if statement.Effect == "Allow"
    ] == [{ "aws:RequestedRegion" = ["*"], "aws:ResourceTag/aws:backup:source-resource" = ["*"] }]
    error_message = "The customer's tag must be the condition."
  }
}

run "keys_serve_ebs_only" {
  command = plan

  variables {
    regions      = ["eu-central-1"]
    kms_key_arns = ["arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"]
  }

  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.document["decrypt-blocks"].policy).Statement : [statement.Resource, statement.Condition]
      if contains(statement.Action, "kms:Decrypt") && statement.Effect == "Allow"
      ] == [[
        ["arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"],
        {
          StringLike                 = { "kms:ViaService" = ["ec2.eu-central-1.amazonaws.com"] }
          "ForAnyValue:StringEquals" = { "kms:EncryptionContextKeys" = ["aws:ebs:id"] }
        },
    ]]
    error_message = "Keys must be usable through EBS in that region only."
  }

  assert {
    condition = alltrue(flatten([
      for name in ["describe-hosts", "create-snapshots", "read-sweep-blocks", "delete-snapshots"] : [
        for statement in jsondecode(aws_iam_role_policy.document[name].policy).Statement :
        statement.Condition.StringLike["aws:RequestedRegion"] == ["eu-central-1"]
        if statement.Effect == "Allow" && !can(regex("iam:|CreateTags", join(",", statement.Action)))
      ]
    ]))
    error_message = "Every regional call must be bound to the region."
  }
}

run "no_keys" {
  command = plan

  variables {
    kms_key_arns = []
  }

  assert {
    condition     = !contains(keys(aws_iam_role_policy.document), "decrypt-blocks")
    error_message = "Without keys there must be no decryption."
  }
}

run "other_partitions" {
  command = plan

  override_data {
    target = data.aws_partition.current
    values = { partition = "aws-cn", dns_suffix = "amazonaws.com.cn" }
  }

  assert {
    condition     = !can(regex("arn:aws:", join("", [for policy in aws_iam_role_policy.document : policy.policy])))
    error_message = "An ARN names the wrong partition."
  }
}
