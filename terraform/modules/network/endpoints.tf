# Blocks and results stay in the AWS network: EBS has an endpoint in the subnets, S3 one in the route table.

resource "aws_vpc_endpoint" "s3" {
  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${local.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [aws_route_table.task.id]
  tags              = merge(var.tags, { Name = "${var.name}-s3" })
}

resource "aws_vpc_endpoint" "interface" {
  for_each = toset(local.interface_endpoints)

  vpc_id              = aws_vpc.this.id
  service_name        = "com.amazonaws.${local.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = [for subnet in aws_subnet.task : subnet.id]
  security_group_ids  = [aws_security_group.endpoints.id]
  tags                = merge(var.tags, { Name = "${var.name}-${each.key}" })
}

resource "aws_security_group" "endpoints" {
  name        = "${var.name}-endpoints"
  description = "Endpoints of AWS services, for scanner tasks"
  vpc_id      = aws_vpc.this.id
  tags        = merge(var.tags, { Name = "${var.name}-endpoints" })
}

resource "aws_security_group_rule" "endpoints_from_task" {
  description              = "TLS from scanner tasks"
  type                     = "ingress"
  security_group_id        = aws_security_group.endpoints.id
  source_security_group_id = aws_security_group.task.id
  protocol                 = "tcp"
  from_port                = 443
  to_port                  = 443
}

resource "aws_security_group" "task" {
  #checkov:skip=CKV2_AWS_5:the scanner module gives it to its tasks
  name        = "${var.name}-task"
  description = "Scanner tasks: nothing comes in, TLS goes out"
  vpc_id      = aws_vpc.this.id
  tags        = merge(var.tags, { Name = "${var.name}-task" })
}

resource "aws_security_group_rule" "task_to_internet" {
  count = local.internet ? 1 : 0

  description       = "TLS to AWS and to advisory feeds"
  type              = "egress"
  security_group_id = aws_security_group.task.id
  cidr_blocks       = ["0.0.0.0/0"]
  protocol          = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_security_group_rule" "task_to_endpoints" {
  description              = "TLS to the endpoints of AWS services"
  type                     = "egress"
  security_group_id        = aws_security_group.task.id
  source_security_group_id = aws_security_group.endpoints.id
  protocol                 = "tcp"
  from_port                = 443
  to_port                  = 443
}

resource "aws_security_group_rule" "task_to_s3" {
  count = local.internet ? 0 : 1

  description       = "TLS to S3: results, and image layers"
  type              = "egress"
  security_group_id = aws_security_group.task.id
  prefix_list_ids   = [aws_vpc_endpoint.s3.prefix_list_id]
  protocol          = "tcp"
  from_port         = 443
  to_port           = 443
}
