"""What every state machine needs to write its log and its traces, as actions of AWS's services."""

__all__ = ["LOG_DELIVERY", "TRACING"]

LOG_DELIVERY = (
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
)
"""They have no resource types (Step Functions guide, "Using CloudWatch Logs to log execution history")."""

TRACING = (
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
)
"""Likewise (Step Functions guide, "Tracing with AWS X-Ray")."""
