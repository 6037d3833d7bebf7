output "role_arns" {
  description = "Role of each duty."
  value       = { for duty, role in aws_iam_role.duty : duty => role.arn }
}

output "allowed_actions" {
  description = "What each duty may call, from the policies themselves. infra/iam/actions.json says why."
  value       = local.allowed_actions
}

output "policy_documents" {
  description = "The policies by name, as JSON, for review."
  value       = { for name, document in local.documents : name => document.json }
}

output "trust_policy" {
  description = "Who may assume the roles, as JSON."
  value       = local.trust_policy
}
