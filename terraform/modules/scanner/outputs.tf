output "task_role_arn" {
  description = "Role of the sweep: the principal that target accounts trust (scanner_role_arns)."
  value       = aws_iam_role.task.arn
}

output "allowed_actions" {
  description = "What each role may call, from the policies themselves. infra/iam/actions.json says why."
  value = { for duty, policy in {
    task     = aws_iam_role_policy.task.policy
    start    = aws_iam_role_policy.start.policy
    schedule = aws_iam_role_policy.schedule.policy
    } : duty => sort(distinct(flatten([
      for statement in jsondecode(policy).Statement : statement.Action if statement.Effect == "Allow"
  ]))) }
}

output "results_bucket" {
  description = "Bucket of the results."
  value       = aws_s3_bucket.results.bucket
}

output "results_url" {
  description = "Where the sweep writes."
  value       = "s3://${local.bucket}/${var.results_prefix}"
}

output "kms_key_arn" {
  description = "Key of the results and logs."
  value       = aws_kms_key.this.arn
}

output "log_group" {
  description = "Logs of the sweeps."
  value       = aws_cloudwatch_log_group.sweep.name
}

output "cluster_arn" {
  description = "Cluster that the sweeps run in."
  value       = aws_ecs_cluster.this.arn
}

output "task_definition_arn" {
  description = "The sweep, to start one by hand with aws ecs run-task."
  value       = aws_ecs_task_definition.sweep.arn
}

output "command" {
  description = "What the sweep runs, after the image's entry point."
  value       = local.sweep_command
}
