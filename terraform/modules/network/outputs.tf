output "vpc_id" {
  description = "The network."
  value       = aws_vpc.this.id
}

output "subnet_ids" {
  description = "Private subnets, for the tasks."
  value       = [for subnet in aws_subnet.private : subnet.id]
}

output "security_group_id" {
  description = "Security group of the tasks: nothing comes in, TLS goes out."
  value       = aws_security_group.task.id
}
