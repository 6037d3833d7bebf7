# A network for the scanner's tasks: private subnets without a way in, and as few ways out as asked for.

data "aws_region" "current" {}

data "aws_availability_zones" "available" {
  state = "available"
}

locals {
  # `id` is the name of the region with every version of the provider.
  region = data.aws_region.current.id
  zones  = slice(sort(data.aws_availability_zones.available.names), 0, var.zone_count)
  nat    = var.egress == "nat"

  # What the task, its start and its results need when there is no other way out.
  needed_without_nat  = ["ebs", "ec2", "ecr.api", "ecr.dkr", "logs", "sts"]
  interface_endpoints = local.nat ? var.interface_endpoints : distinct(concat(local.needed_without_nat, var.interface_endpoints))

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

resource "aws_subnet" "private" {
  for_each = { for index, zone in local.zones : zone => index }

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = cidrsubnet(var.cidr_block, 3, each.value)
  map_public_ip_on_launch = false
  tags                    = merge(var.tags, { Name = "${var.name}-private-${each.key}" })
}

resource "aws_route_table" "private" {
  vpc_id = aws_vpc.this.id
  tags   = merge(var.tags, { Name = "${var.name}-private" })
}

resource "aws_route_table_association" "private" {
  for_each = aws_subnet.private

  subnet_id      = each.value.id
  route_table_id = aws_route_table.private.id
}
