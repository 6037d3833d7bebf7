variable "scanner_role_arns" {
  description = "Roles of the scanner that may assume the roles of this account. Whole ARNs of roles: no wildcard, no account, no user."
  type        = list(string)

  validation {
    condition = length(var.scanner_role_arns) > 0 && alltrue([
      for arn in var.scanner_role_arns : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$", arn))
    ])
    error_message = "Give at least one whole role ARN, such as arn:aws:iam::111122223333:role/sidelight-scanner. Wildcards, users and account roots are refused."
  }
}

variable "external_id" {
  description = "External id that the scanner must present. Required when a scanner role stands in another account."
  type        = string
  default     = null

  validation {
    # Two tests, because a regular expression here may repeat at most 1000 times.
    condition     = var.external_id == null || try(length(var.external_id) <= 1224 && can(regex("^[A-Za-z0-9_+=,.@:/-]{16,}$", var.external_id)), false)
    error_message = "The external id must have 16 to 1224 characters out of letters, digits and _+=,.@:/-."
  }
}

variable "organization_id" {
  description = "AWS Organization that the scanner's account must belong to, such as o-a1b2c3d4e5."
  type        = string
  default     = null

  validation {
    condition     = var.organization_id == null || can(regex("^o-[a-z0-9]{10,32}$", var.organization_id))
    error_message = "An organization id looks like o-a1b2c3d4e5."
  }
}

variable "role_prefix" {
  description = "Start of the role names; the duty follows (sidelight-discovery, sidelight-create, sidelight-read, sidelight-delete). The scanner may assume roles of these names only."
  type        = string
  default     = "sidelight"

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9-]{1,39}$", var.role_prefix))
    error_message = "The prefix must have 2 to 40 letters, digits and hyphens, and start with a letter."
  }
}

variable "take_snapshots" {
  description = "Whether the scanner takes and deletes snapshots of its own. If false, only snapshots that bear readable_snapshot_tag are read, and no role can create or delete."
  type        = bool
  default     = true
}

variable "readable_snapshot_tag" {
  description = "Tag of snapshots that someone else takes (AWS Backup, Data Lifecycle Manager) and that the scanner may read. Values may hold * and ?."
  type = object({
    key    = string
    values = list(string)
  })
  default = null

  validation {
    condition = var.readable_snapshot_tag == null || try(
      length(var.readable_snapshot_tag.values) > 0 && can(regex("^[A-Za-z0-9 _.:/=+@-]{1,128}$", var.readable_snapshot_tag.key)), false
    )
    error_message = "Give a tag key of 1 to 128 characters (letters, digits, spaces and _.:/=+-@) and at least one value."
  }
}

variable "kms_key_arns" {
  description = "Keys of encrypted volumes that the reader may decrypt blocks with, through EBS only. Null: every key of this account. Empty: none."
  type        = list(string)
  default     = null

  validation {
    condition = alltrue([
      for arn in coalesce(var.kms_key_arns, []) : can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", arn))
    ])
    error_message = "Each key must be a whole key ARN (no alias, no wildcard)."
  }
}

variable "regions" {
  description = "Regions that may be scanned. Empty: all."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for region in var.regions : can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$", region))])
    error_message = "Each region must be a region name, such as eu-central-1."
  }
}

variable "permissions_boundary_arn" {
  description = "Policy that bounds what the roles can ever do."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary_arn == null || can(regex("^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/.+$", var.permissions_boundary_arn))
    error_message = "The permissions boundary must be the ARN of an IAM policy."
  }
}

variable "max_session_seconds" {
  description = "Longest session that the scanner may ask for, in seconds."
  type        = number
  default     = 3600

  validation {
    condition     = var.max_session_seconds >= 3600 && var.max_session_seconds <= 43200
    error_message = "A session lasts from 3600 to 43200 seconds."
  }
}

variable "tags" {
  description = "Tags of the roles."
  type        = map(string)
  default     = {}
}
