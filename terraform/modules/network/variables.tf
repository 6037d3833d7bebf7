variable "name" {
  description = "Start of the names of all that is made."
  type        = string
  default     = "sidelight"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "The name must have 2 to 31 lower-case letters, digits and hyphens, and start with a letter."
  }
}

variable "cidr_block" {
  description = "Private addresses of the network. A task needs one address, an interface endpoint one in each zone."
  type        = string
  default     = "10.90.0.0/24"

  validation {
    condition     = can(cidrhost(var.cidr_block, 0)) && can(regex("/(1[6-9]|2[0-4])$", var.cidr_block))
    error_message = "The block must be an IPv4 block from /16 to /24."
  }
}

variable "zone_count" {
  description = "Availability zones with a subnet, 1 to 6. Interface endpoints are paid for in each."
  type        = number
  default     = 2

  validation {
    condition     = contains([1, 2, 3, 4, 5, 6], var.zone_count)
    error_message = "From 1 to 6 zones."
  }
}

variable "egress" {
  description = "Way out: internet (advisory feeds are fetched from their publishers) or none (AWS only, through endpoints; advisories must come from the image or a bucket)."
  type        = string
  default     = "internet"

  validation {
    condition     = contains(["internet", "none"], var.egress)
    error_message = "Egress is internet or none."
  }
}

variable "interface_endpoints" {
  description = "Services with an interface endpoint. With egress = none, all that a sweep needs are added."
  type        = list(string)
  default     = ["ebs"]

  validation {
    condition     = alltrue([for service in var.interface_endpoints : can(regex("^[a-z0-9][a-z0-9.-]*$", service))])
    error_message = "Give services by their endpoint name, such as ebs or ecr.api."
  }
}

variable "log_retention_days" {
  description = "Days that flow logs are kept, one of the values that CloudWatch Logs knows."
  type        = number
  default     = 365

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653], var.log_retention_days)
    error_message = "CloudWatch Logs knows 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827 and 3653 days."
  }
}

variable "log_kms_key_arn" {
  description = "Key for the flow logs (the scanner module's output kms_key_arn). Null: the key of CloudWatch Logs."
  type        = string
  default     = null
}

variable "permissions_boundary_arn" {
  description = "Policy that bounds the role that writes flow logs."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
  default     = {}
}
