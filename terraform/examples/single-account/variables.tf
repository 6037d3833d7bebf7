variable "region" {
  description = "Region to scan, and to scan from."
  type        = string
  default     = "us-east-1"
}

variable "name" {
  description = "Start of the names of all that is made."
  type        = string
  default     = "sidelight"
}

variable "image" {
  description = "Container image, by digest."
  type        = string
}

variable "egress" {
  description = "Way out of the network: internet or none. With none, no advisories are fetched: see extra_arguments."
  type        = string
  default     = "internet"
}

variable "schedule_expression" {
  description = "When the sweep runs, in UTC."
  type        = string
  default     = "cron(0 3 * * ? *)"
}

variable "extra_arguments" {
  description = "Further arguments of sidelight sweep, such as --no-match, or --advisories with a store in the image."
  type        = list(string)
  default     = []
}

variable "delete_results_with_bucket" {
  description = "Whether terraform destroy may delete a bucket that still holds results."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
  default     = { application = "sidelight" }
}
