# Scans the account that it stands in: network, scanner and the roles of a target account.

provider "aws" {
  region = var.region
}

module "network" {
  source = "../../modules/network"

  name            = var.name
  egress          = var.egress
  log_kms_key_arn = module.scanner.kms_key_arn
  tags            = var.tags
}

module "scanner" {
  source = "../../modules/scanner"

  name                       = var.name
  image                      = var.image
  subnet_ids                 = module.network.subnet_ids
  security_group_id          = module.network.security_group_id
  assign_public_ip           = module.network.assign_public_ip
  target_role_prefix         = var.name
  schedule_expression        = var.schedule_expression
  fetch_advisories           = var.egress == "internet"
  extra_arguments            = var.extra_arguments
  delete_results_with_bucket = var.delete_results_with_bucket
  tags                       = var.tags
}

module "target_role" {
  source = "../../modules/target-role"

  role_prefix       = var.name
  scanner_role_arns = [module.scanner.task_role_arn]
  regions           = [var.region]
  tags              = var.tags
}
