# A network for the scanner's tasks: subnets without a way in, and as few ways out as asked for.

data "aws_region" "current" {}

# Zones that need no opting in, so no Local Zones.
data "aws_availability_zones" "available" {
  #checkov:skip=CKV_AWS_394:a new zone changes nothing unless its name sorts before those in use; the zones differ from account to account
  state = "available"

  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  # `id` is the name of the region with every version of the provider.
  region = data.aws_region.current.id
  zones  = slice(sort(data.aws_availability_zones.available.names), 0, var.zone_count)

  internet = var.egress == "internet"

  # What the task, its start and its results need when there is no other way out.
  needed_without_internet = ["ebs", "ec2", "ecr.api", "ecr.dkr", "logs", "sts"]
  interface_endpoints     = local.internet ? var.interface_endpoints : distinct(concat(local.needed_without_internet, var.interface_endpoints))

  tags = merge(var.tags, { Name = var.name })
}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr_block
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = local.tags
}

# Taken over so that it holds no rule: nothing can use it by accident.
resource "aws_default_security_group" "closed" {
  vpc_id = aws_vpc.this.id
  tags   = merge(var.tags, { Name = "${var.name}-closed" })
}

resource "aws_subnet" "task" {
  for_each = { for index, zone in local.zones : zone => index }

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = cidrsubnet(var.cidr_block, 3, each.value)
  map_public_ip_on_launch = false
  tags                    = merge(var.tags, { Name = "${var.name}-task-${each.key}" })
}

resource "aws_route_table" "task" {
  vpc_id = aws_vpc.this.id
  tags   = merge(var.tags, { Name = "${var.name}-task" })
}

resource "aws_route_table_association" "task" {
  for_each = aws_subnet.task

  subnet_id      = each.value.id
  route_table_id = aws_route_table.task.id
}
