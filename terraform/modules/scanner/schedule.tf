# When the sweep runs. EventBridge rules rather than EventBridge Scheduler, which provider 3.39 does not know.

resource "aws_cloudwatch_event_rule" "sweep" {
  name                = "${var.name}-sweep"
  description         = "Starts the Sidelight sweep"
  schedule_expression = var.schedule_expression
  tags                = var.tags
}

resource "aws_cloudwatch_event_target" "sweep" {
  rule      = aws_cloudwatch_event_rule.sweep.name
  target_id = "sweep"
  arn       = aws_ecs_cluster.this.arn
  role_arn  = aws_iam_role.schedule.arn

  ecs_target {
    launch_type         = "FARGATE"
    platform_version    = "1.4.0"
    task_count          = 1
    task_definition_arn = aws_ecs_task_definition.sweep.arn

    network_configuration {
      subnets          = var.subnet_ids
      security_groups  = [var.security_group_id]
      assign_public_ip = var.assign_public_ip
    }
  }
}

# A sweep that EventBridge could not start leaves no log of its own.
resource "aws_cloudwatch_metric_alarm" "not_started" {
  alarm_name          = "${var.name}-sweep-not-started"
  alarm_description   = "EventBridge could not start the Sidelight sweep"
  namespace           = "AWS/Events"
  metric_name         = "FailedInvocations"
  dimensions          = { RuleName = aws_cloudwatch_event_rule.sweep.name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  tags                = var.tags
}
