output "vpc_id" {
  description = "The network."
  value       = aws_vpc.this.id
}

output "subnet_ids" {
  description = "Subnets of the tasks."
  value       = [for subnet in aws_subnet.task : subnet.id]
}

output "security_group_id" {
  description = "Security group of the tasks: nothing comes in, TLS goes out."
  value       = aws_security_group.task.id
}

output "assign_public_ip" {
  description = "Whether the tasks take a public address to get out."
  value       = local.internet
}
