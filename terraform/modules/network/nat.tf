# The way to the internet, for advisory feeds: one NAT gateway in one zone. A sweep that is cut off
# because that zone fails runs again on the next schedule.

resource "aws_internet_gateway" "this" {
  count = local.nat ? 1 : 0

  vpc_id = aws_vpc.this.id
  tags   = local.tags
}

resource "aws_subnet" "public" {
  count = local.nat ? 1 : 0

  vpc_id                  = aws_vpc.this.id
  availability_zone       = local.zones[0]
  cidr_block              = cidrsubnet(var.cidr_block, 3, 7)
  map_public_ip_on_launch = false
  tags                    = merge(var.tags, { Name = "${var.name}-public" })
}

resource "aws_route_table" "public" {
  count = local.nat ? 1 : 0

  vpc_id = aws_vpc.this.id
  tags   = merge(var.tags, { Name = "${var.name}-public" })
}

resource "aws_route" "public_default" {
  count = local.nat ? 1 : 0

  route_table_id         = aws_route_table.public[0].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this[0].id
}

resource "aws_route_table_association" "public" {
  count = local.nat ? 1 : 0

  subnet_id      = aws_subnet.public[0].id
  route_table_id = aws_route_table.public[0].id
}

# Neither `vpc` (gone from provider 6) nor `domain` (read-only in 3.39): an address is for a VPC by itself
# since EC2-Classic is closed.
resource "aws_eip" "nat" {
  #checkov:skip=CKV2_AWS_19:the address belongs to the NAT gateway below
  count = local.nat ? 1 : 0

  tags = merge(var.tags, { Name = "${var.name}-nat" })
}

resource "aws_nat_gateway" "this" {
  count = local.nat ? 1 : 0

  allocation_id = aws_eip.nat[0].id
  subnet_id     = aws_subnet.public[0].id
  tags          = local.tags

  depends_on = [aws_internet_gateway.this]
}

resource "aws_route" "private_default" {
  count = local.nat ? 1 : 0

  route_table_id         = aws_route_table.private.id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[0].id
}
