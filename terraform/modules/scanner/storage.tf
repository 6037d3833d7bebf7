# Where results go: one bucket, one key. The key also encrypts the logs.

resource "aws_kms_key" "this" {
  description             = "Sidelight results and logs"
  enable_key_rotation     = true
  deletion_window_in_days = var.key_deletion_days
  tags                    = var.tags

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AccountDecidesByIam"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "LogsOfTheScanner"
        Effect    = "Allow"
        Principal = { Service = "logs.${local.region}.${data.aws_partition.current.dns_suffix}" }
        Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
        Resource  = "*"
        Condition = {
          ArnLike = {
            "kms:EncryptionContext:aws:logs:arn" = "arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:/${var.name}/*"
          }
        }
      },
    ]
  })
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.this.key_id
}

# Encryption, versions, expiry and access logs stand inside the bucket: the resources that replace these
# blocks came with provider 4.9, and the modules also serve 3.39. Providers from 4.9 to 6 take the blocks
# with a warning; 4.0 to 4.8 do not take them at all, so versions.tf refuses these.
resource "aws_s3_bucket" "results" {
  #checkov:skip=CKV_AWS_18:access logs go to access_log_bucket, which only the account's owner can name
  #checkov:skip=CKV_AWS_144:results can be made again by a sweep; a copy in another region would be more to protect
  #checkov:skip=CKV2_AWS_62:nothing waits for results
  bucket        = local.bucket
  force_destroy = var.delete_results_with_bucket
  tags          = var.tags

  server_side_encryption_configuration {
    rule {
      bucket_key_enabled = true

      apply_server_side_encryption_by_default {
        sse_algorithm     = "aws:kms"
        kms_master_key_id = aws_kms_key.this.arn
      }
    }
  }

  versioning {
    enabled = true
  }

  lifecycle_rule {
    id                                     = "expire"
    enabled                                = true
    abort_incomplete_multipart_upload_days = 1

    expiration {
      days = var.results_retention_days
    }

    noncurrent_version_expiration {
      days = 30
    }
  }

  dynamic "logging" {
    for_each = var.access_log_bucket[*]

    content {
      target_bucket = logging.value
      target_prefix = "${local.bucket}/"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "results" {
  bucket                  = aws_s3_bucket.results.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_policy" "results" {
  bucket = aws_s3_bucket.results.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyByTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.results.arn, "${aws_s3_bucket.results.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  # AWS refuses one of two changes to a bucket's policy and public access that meet.
  depends_on = [aws_s3_bucket_public_access_block.results]
}
