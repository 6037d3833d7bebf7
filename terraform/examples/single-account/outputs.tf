output "results_url" {
  description = "Where the sweep writes."
  value       = module.scanner.results_url
}

output "role_arns" {
  description = "Role of each duty."
  value       = module.target_role.role_arns
}

output "allowed_actions" {
  description = "What each role may call."
  value       = merge(module.target_role.allowed_actions, module.scanner.allowed_actions)
}

output "cluster_arn" {
  description = "Cluster that the sweeps run in."
  value       = module.scanner.cluster_arn
}

output "log_group" {
  description = "Logs of the sweeps."
  value       = module.scanner.log_group
}
