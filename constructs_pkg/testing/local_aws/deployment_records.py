"""What a deployment under a code signing config leaves behind: CloudWatch's metric and CloudTrail's record."""

# MiniStack is untyped and has no public names for this; `internals` lists all that is touched.
# ruff: noqa: SLF001

import json
import time
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from constructs_pkg.arns import FunctionArn
from constructs_pkg.errors import ServiceError
from constructs_pkg.signing.report import Decision, SignatureStatus, VerificationReport
from constructs_pkg.testing.local_aws.internals import CLOUDTRAIL, CLOUDWATCH, RESPONSES

__all__ = ["record_deployment"]


def record_deployment(
    event_name: str, function_arn: str, reports: Sequence[VerificationReport], refusal: ServiceError | None
) -> None:
    """Count a warned deployment (``AWS/Lambda``, ``SignatureValidationErrors``), and record every one.

    ``signatureStatus`` stands flat in ``additionalEventData``, where the one public record has it (of a layer that was
    published, in 2026). Its words were observed on AWS, where a signature without integrity has none. That one record
    has one status, the first that is not VALID, and the profile's and the job's ARN beside it, is our model.

    Args:
        event_name: CloudTrail's name of the operation.
        function_arn: The function.
        reports: The verdicts on its code and layers.
        refusal: Why it was refused; None where it was not.
    """
    name = FunctionArn.parse(function_arn).name
    for report in reports:
        if refusal is None and report.decision is Decision.WARNED:
            CLOUDWATCH.record_metric("AWS/Lambda", "SignatureValidationErrors", 1, "Count", {"FunctionName": name})
    event: dict[str, Any] = {
        "eventVersion": "1.11",
        "eventSource": "lambda.amazonaws.com",
        "eventName": event_name,
        "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "awsRegion": RESPONSES.get_region(),
        "recipientAccountId": RESPONSES.get_account_id(),
        "eventID": str(uuid4()),
        "eventType": "AwsApiCall",
        "readOnly": False,
        "requestParameters": {"functionName": name},
    }
    if reports:
        event["additionalEventData"] = _shown(reports)
    if refusal is not None:
        event |= {"errorCode": refusal.code, "errorMessage": str(refusal)}
    CLOUDTRAIL._get_event_queue().append(
        {
            "EventId": event["eventID"],
            "EventName": event_name,
            "EventSource": event["eventSource"],
            "EventTime": time.time(),
            "Username": RESPONSES.get_account_id(),
            "AccessKeyId": "",
            "ReadOnly": "false",
            "Resources": [{"ResourceType": "AWS::Lambda::Function", "ResourceName": function_arn}],
            "CloudTrailEvent": json.dumps(event),
        }
    )


def _shown(reports: Sequence[VerificationReport]) -> dict[str, Any]:
    report = next((one for one in reports if one.signature_status is not SignatureStatus.VALID), reports[0])
    shown: dict[str, Any] = {}
    if report.signature_status is not SignatureStatus.INTEGRITY:
        shown["signatureStatus"] = str(report.signature_status)
    if report.claims_verified:
        shown["signingProfileVersionArn"] = str(report.signing_profile_version_arn)
        shown["signingJobArn"] = str(report.signing_job_arn)
    return shown
