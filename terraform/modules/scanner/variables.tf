variable "name" {
  description = "Start of the names of all that is made."
  type        = string
  default     = "sidelight"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "The name must have 2 to 31 lower-case letters, digits and hyphens, and start with a letter."
  }
}

variable "image" {
  description = "Container image, by digest, so that what was reviewed is what runs."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-zA-Z0-9.:/_-]*@sha256:[0-9a-f]{64}$", var.image))
    error_message = "Give the image by digest: REGISTRY/NAME@sha256:64 hexadecimal digits."
  }
}

variable "subnet_ids" {
  description = "Subnets of the tasks (the network module's output subnet_ids)."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) > 0
    error_message = "At least one subnet is needed."
  }
}

variable "security_group_id" {
  description = "Security group of the tasks (the network module's output security_group_id)."
  type        = string
}

variable "assign_public_ip" {
  description = "Whether the tasks take a public address to get out (the network module's output assign_public_ip). False for subnets behind a NAT gateway or with endpoints only."
  type        = bool
  default     = false
}

variable "target_account_id" {
  description = "Account whose instances are swept. Null: the scanner's own. Use the module once for each account."
  type        = string
  default     = null

  validation {
    condition     = var.target_account_id == null || can(regex("^[0-9]{12}$", var.target_account_id))
    error_message = "An account id has 12 digits."
  }
}

variable "target_role_prefix" {
  description = "Start of the target roles' names (role_prefix of the target-role module)."
  type        = string
  default     = "sidelight"

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9-]{1,39}$", var.target_role_prefix))
    error_message = "The prefix must have 2 to 40 letters, digits and hyphens, and start with a letter."
  }
}

variable "external_id" {
  description = "External id that the target roles ask for. Required for other accounts than the scanner's own."
  type        = string
  default     = null

  validation {
    # Two tests, because a regular expression here may repeat at most 1000 times.
    condition     = var.external_id == null || try(length(var.external_id) <= 1224 && can(regex("^[A-Za-z0-9_+=,.@:/-]{16,}$", var.external_id)), false)
    error_message = "The external id must have 16 to 1224 characters out of letters, digits and _+=,.@:/-."
  }
}

variable "organization_paths" {
  description = "Paths of the AWS Organization outside which no role may be assumed, such as o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/*."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for path in var.organization_paths : can(regex("^o-[a-z0-9]{10,32}/(\\*|r-[a-z0-9]{4,32}/.*)$", path))])
    error_message = "A path starts with an organization id and a root: o-a1b2c3d4e5/r-ab12/..., or o-a1b2c3d4e5/*."
  }
}

variable "schedule_expression" {
  description = "When the sweep runs: cron(...) or rate(...), in UTC."
  type        = string
  default     = "cron(0 3 * * ? *)"

  validation {
    condition     = can(regex("^(cron\\(([^ ()]+ ){5}[^ ()]+\\)|rate\\([1-9][0-9]* (minutes?|hours?|days?)\\))$", var.schedule_expression))
    error_message = "Give cron(minutes hours day month weekday year) or rate(N unit)."
  }
}

variable "size" {
  description = "CPU units and MiB of memory of the task, a pair that Fargate offers."
  type = object({
    cpu    = number
    memory = number
  })
  default = { cpu = 1024, memory = 4096 }

  validation {
    condition = try(
      contains(
        {
          "256"   = [512, 1024, 2048]
          "512"   = range(1024, 4097, 1024)
          "1024"  = range(2048, 8193, 1024)
          "2048"  = range(4096, 16385, 1024)
          "4096"  = range(8192, 30721, 1024)
          "8192"  = range(16384, 61441, 4096)
          "16384" = range(32768, 122881, 8192)
        }[tostring(var.size.cpu)],
        var.size.memory,
      ),
      false,
    )
    error_message = "Fargate does not offer this pair of cpu and memory; 1024 and 4096 is one that it does."
  }
}

variable "fetch_advisories" {
  description = "Whether the task first fetches advisories from their publishers. If false (a network without a way out), name a store in the image with extra_arguments, or pass --no-match."
  type        = bool
  default     = true
}

variable "extra_arguments" {
  description = "Further arguments of sidelight sweep."
  type        = list(string)
  default     = []
}

variable "results_bucket_name" {
  description = "Name of the results bucket. Null: NAME-results-ACCOUNT-REGION."
  type        = string
  default     = null

  validation {
    condition     = var.results_bucket_name == null || can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.results_bucket_name))
    error_message = "A bucket name has 3 to 63 lower-case letters, digits and hyphens."
  }
}

variable "results_prefix" {
  description = "Folder of the results in the bucket; the sweep can write nowhere else."
  type        = string
  default     = "results"

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_/-]{0,99}$", var.results_prefix)) && !can(regex("(/$|//)", var.results_prefix))
    error_message = "The prefix has 1 to 100 letters, digits and _/-, starts with a letter or digit and does not end with a slash."
  }
}

variable "results_retention_days" {
  description = "Days that results are kept."
  type        = number
  default     = 365

  validation {
    condition     = var.results_retention_days >= 1 && floor(var.results_retention_days) == var.results_retention_days
    error_message = "At least one whole day."
  }
}

variable "delete_results_with_bucket" {
  description = "Whether terraform destroy may delete a bucket that still holds results."
  type        = bool
  default     = false
}

variable "access_log_bucket" {
  description = "Bucket for the access logs of the results bucket. Null: none are kept."
  type        = string
  default     = null
}

variable "key_deletion_days" {
  description = "Days between terraform destroy and the end of the key, in which results can still be saved."
  type        = number
  default     = 30

  validation {
    condition     = var.key_deletion_days >= 7 && var.key_deletion_days <= 30
    error_message = "AWS waits from 7 to 30 days."
  }
}

variable "log_retention_days" {
  description = "Days that logs are kept, one of the values that CloudWatch Logs knows."
  type        = number
  default     = 365

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653], var.log_retention_days)
    error_message = "CloudWatch Logs knows 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827 and 3653 days."
  }
}

variable "alarm_topic_arns" {
  description = "SNS topics that hear of a sweep that could not be started."
  type        = list(string)
  default     = []
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

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
  default     = {}
}
