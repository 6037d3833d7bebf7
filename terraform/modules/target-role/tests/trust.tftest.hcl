# Who may assume the roles, and what is refused.

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

run "same_account_needs_no_external_id" {
  command = plan

  assert {
    condition = jsondecode(aws_iam_role.duty["read"].assume_role_policy).Statement == [{
      Sid       = "OnlyTheScanner"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { AWS = ["arn:aws:iam::111122223333:role/sidelight-scanner"] }
    }]
    error_message = "The trust must be the scanner's role and nothing else: ${aws_iam_role.duty["read"].assume_role_policy}"
  }

  assert {
    condition     = length(distinct([for role in aws_iam_role.duty : role.assume_role_policy])) == 1
    error_message = "All duties must have the same trust."
  }
}

run "another_account_presents_external_id_and_organization" {
  command = plan

  variables {
    scanner_role_arns = ["arn:aws:iam::444455556666:role/sidelight-scanner"]
    external_id       = "2f1c7d5e-0001-4000-8000-feedfacecafe"
    organization_id   = "o-a1b2c3d4e5"
  }

  assert {
    condition = alltrue([for role in aws_iam_role.duty :
      jsondecode(role.assume_role_policy).Statement == [{
        Sid       = "OnlyTheScanner"
        Effect    = "Allow"
        Action    = "sts:AssumeRole"
        Principal = { AWS = ["arn:aws:iam::444455556666:role/sidelight-scanner"] }
        Condition = { StringEquals = {
          "sts:ExternalId"     = "2f1c7d5e-0001-4000-8000-feedfacecafe"
          "aws:PrincipalOrgID" = "o-a1b2c3d4e5"
        } }
      }]
    ])
    error_message = "Both conditions must stand in every trust policy."
  }
}

run "another_account_without_external_id_is_refused" {
  command = plan

  variables {
    scanner_role_arns = ["arn:aws:iam::444455556666:role/sidelight-scanner"]
  }

  expect_failures = [aws_iam_role.duty]
}

run "one_foreign_role_among_ours_is_enough_to_refuse" {
  command = plan

  variables {
    scanner_role_arns = [
      "arn:aws:iam::111122223333:role/sidelight-scanner",
      "arn:aws:iam::444455556666:role/sidelight-scanner",
    ]
  }

  expect_failures = [aws_iam_role.duty]
}

run "no_principal_is_refused" {
  command = plan

  variables {
    scanner_role_arns = []
  }

  expect_failures = [var.scanner_role_arns]
}

run "any_principal_is_refused" {
  command = plan

  variables {
    scanner_role_arns = ["*"]
  }

  expect_failures = [var.scanner_role_arns]
}

run "whole_account_is_refused" {
  command = plan

  variables {
    scanner_role_arns = ["arn:aws:iam::111122223333:root"]
  }

  expect_failures = [var.scanner_role_arns]
}

run "wildcard_role_is_refused" {
  command = plan

  variables {
    scanner_role_arns = ["arn:aws:iam::111122223333:role/*"]
  }

  expect_failures = [var.scanner_role_arns]
}

run "user_is_refused" {
  command = plan

  variables {
    scanner_role_arns = ["arn:aws:iam::111122223333:user/admin"]
  }

  expect_failures = [var.scanner_role_arns]
}

run "short_external_id_is_refused" {
  command = plan

  variables {
    external_id = "guessable"
  }

  expect_failures = [var.external_id]
}

run "malformed_organization_is_refused" {
  command = plan

  variables {
    organization_id = "o-*"
  }

  expect_failures = [var.organization_id]
}

run "wildcard_key_is_refused" {
  command = plan

  variables {
    kms_key_arns = ["arn:aws:kms:us-east-1:111122223333:key/*"]
  }

  expect_failures = [var.kms_key_arns]
}

run "malformed_region_is_refused" {
  command = plan

  variables {
    regions = ["us-*"]
  }

  expect_failures = [var.regions]
}

run "malformed_boundary_is_refused" {
  command = plan

  variables {
    permissions_boundary_arn = "arn:aws:iam::111122223333:role/not-a-policy"
  }

  expect_failures = [var.permissions_boundary_arn]
}

run "malformed_role_prefix_is_refused" {
  command = plan

  variables {
    role_prefix = "side*"
  }

  expect_failures = [var.role_prefix]
}

run "session_of_a_day_is_refused" {
  command = plan

  variables {
    max_session_seconds = 86400
  }

  expect_failures = [var.max_session_seconds]
}

run "tag_without_values_is_refused" {
  command = plan

  variables {
    readable_snapshot_tag = { key = "backup", values = [] }
  }

  expect_failures = [var.readable_snapshot_tag]
}

run "nothing_to_read_is_refused" {
  command = plan

  variables {
    take_snapshots = false
  }

  expect_failures = [aws_iam_role.duty]
}

run "boundary_bounds_every_role" {
  command = plan

  variables {
    permissions_boundary_arn = "arn:aws:iam::111122223333:policy/boundary"
  }

  assert {
    condition     = alltrue([for role in aws_iam_role.duty : role.permissions_boundary == "arn:aws:iam::111122223333:policy/boundary"])
    error_message = "Every role must have the boundary."
  }
}
