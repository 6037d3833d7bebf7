# The way to the internet, for advisory feeds. Tasks take a public address while they run, rather than
# a NAT gateway all month; the security group lets nothing in either way. (A NAT gateway also needs an
# aws_eip, which no single configuration can ask for with the providers 3.39 and 6.)

resource "aws_internet_gateway" "this" {
  count = local.internet ? 1 : 0

  vpc_id = aws_vpc.this.id
  tags   = local.tags
}

resource "aws_route" "internet" {
  count = local.internet ? 1 : 0

  route_table_id         = aws_route_table.task.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this[0].id
}
