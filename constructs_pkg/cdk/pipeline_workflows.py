"""The state machines *intake* and *sign* of a signing pipeline: Step Functions with JSONata, no Lambda code.

- intake (Express) takes a batch from the queue, starts one execution of *sign* for each upload, and takes its time, so
  that AWS Signer's rate limits hold. The execution's name is a hash of bucket, key and version: an upload whose event
  comes twice is signed once.
- sign (Standard) copies an upload, has it signed, waits until it is filed, and asks AWS Signer where nobody told.
- finish (Standard), in `pipeline_filing`, is started by AWS Signer's event, or by *sign* where the event was lost.

Where the SHA-256 of an upload comes from: S3 computes it, when *sign* copies the upload with a checksum algorithm
(CopyObject). It is asked of no uploader, and no uploader can state another one. JSONata turns its Base64 into
hexadecimal digits.

Facts: the service models of S3 and AWS Signer (botocore 1.43.106), whose members Step Functions takes with a capital
letter ("AWS SDK service integrations"); what only AWS can confirm stands in ``docs/live-checks.md``.
"""

from collections.abc import Sequence

from constructs_pkg.cdk.states_language import (
    Json,
    State,
    assign,
    choice,
    fail,
    hexadecimal,
    jsonata,
    machine,
    retrying,
    signer_retries,
    task,
)
from constructs_pkg.guardrails.signing_pipeline import PipelineApplication, SigningPipelineNames

__all__ = ["BATCH", "LONGEST_SECONDS", "intake_workflow", "sign_workflow"]

BATCH = 2
"""Uploads that are started at once; then the intake waits a second. AWS Signer's limit is three jobs a second."""

_SHA256_BASE64_CHARACTERS = 44
_FIRST_WAIT_SECONDS = 20
_LONGEST_WAIT_SECONDS = 300
_MOST_POLLS = 16
"""With the waits above, a job has about an hour."""
LONGEST_SECONDS = 2 * 60 * 60
"""After which an execution of *sign* or *finish* has failed."""

_KEY = r"/^[a-z][a-z0-9_-]*\/[A-Za-z0-9][A-Za-z0-9._\/-]*\.zip$/"
# Beside the form, because "$" matches before a line break at the end in some engines.
_OTHER_SIGN = r"/[^A-Za-z0-9._\/-]/"
_COMMIT_START = r"/^[0-9A-Za-z]/"
_MOST_COMMIT_CHARACTERS = 128


def intake_workflow(names: SigningPipelineNames) -> State:
    """Return the definition of *intake*; its input is a batch of messages as EventBridge Pipes hands it on.

    An execution fails as a whole where one upload could not be started; the queue then hands out the batch again.
    """
    upload = "$d := $parse($states.input.body).detail; "
    start = task(
        names.partition,
        "sfn:startExecution",
        {
            "StateMachineArn": names.machine_arn(names.sign_machine),
            "Name": jsonata(
                f"({upload}$hash($join([$d.bucket.name, $d.object.key, $d.object.`version-id`], '/'), 'SHA-256'))"
            ),
            "Input": jsonata(
                f"({upload}$string({{'bucket': $d.bucket.name, 'key': $d.object.key, "
                "'version': $d.object.`version-id`}))"
            ),
        },
        retry=[
            {"ErrorEquals": ["Sfn.ExecutionAlreadyExistsException"], "MaxAttempts": 0},
            retrying(seconds=1, attempts=5),
        ],
        catch={"Next": "IsKnown", "Output": jsonata("{'error': $states.errorOutput.Error}")},
        end=True,
    )
    each: dict[str, Json] = {
        "Start": start,
        "IsKnown": choice("$contains($states.input.error, 'ExecutionAlreadyExists')", "Known", "NotStarted"),
        "Known": {"Type": "Succeed"},
        "NotStarted": fail("NotStarted", "$states.input.error"),
    }
    return machine(
        "Takes uploads from the queue, a few a second",
        "EachUpload",
        {
            "EachUpload": {
                "Type": "Map",
                "Items": jsonata("$states.input"),
                "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, "StartAt": "Start", "States": each},
                "Next": "Pace",
            },
            "Pace": {"Type": "Wait", "Seconds": 1, "End": True},
        },
        timeout_seconds=60,
    )


def sign_workflow(names: SigningPipelineNames, applications: Sequence[PipelineApplication]) -> State:
    """Return the definition of *sign*; its input has ``bucket``, ``key`` and ``version`` of an upload.

    Args:
        names: The pipeline.
        applications: Whose uploads are signed, with which profiles.
    """
    profiles: dict[str, Json] = {
        application.name: {"name": application.profile_name, "version": application.profile_version}
        for application in applications
    }
    return machine(
        "Signs one upload with its application's profile",
        "Begin",
        {
            "Begin": assign({"profiles": profiles, "polls": 0}, "IsAdmissible"),
            "IsAdmissible": choice(
                f"$contains($states.input.key, {_KEY}) and $not($contains($states.input.key, {_OTHER_SIGN})) and "
                "$exists($lookup($profiles, $substringBefore($states.input.key, '/')))",
                "Look",
                "NotAdmissible",
            ),
            "NotAdmissible": fail(
                "NotAdmissible",
                "$states.input.key & ' is not <application>/<name>.zip of letters, digits and . _ / -, or the "
                "application has no signing profile here'",
            ),
            **_staging(names),
            **_signing(names),
            **_waiting(names),
        },
        timeout_seconds=LONGEST_SECONDS,
    )


def _staging(names: SigningPipelineNames) -> dict[str, Json]:
    """Read what the uploader says, copy the very version, and take the SHA-256 that S3 computed over the copy."""
    commit = (
        f"$exists($states.result.Metadata.commit) and $length($states.result.Metadata.commit) <= "
        f"{_MOST_COMMIT_CHARACTERS} and $contains($states.result.Metadata.commit, {_COMMIT_START}) "
        f"and $not($contains($states.result.Metadata.commit, {_OTHER_SIGN})) "
        "? {'commit': $states.result.Metadata.commit} : {}"
    )
    metadata = (
        "$merge([$commit, {'application': $application, 'upload-key': $states.input.key, "
        "'upload-version': $states.input.version}])"
    )
    checksum = "($r := $states.result.CopyObjectResult; $string([$r.ChecksumSHA256, $r.ChecksumSha256, ''][0]))"
    return {
        "Look": task(
            names.partition,
            "s3:headObject",
            {
                "Bucket": names.upload_bucket,
                "Key": jsonata("$states.input.key"),
                "VersionId": jsonata("$states.input.version"),
            },
            assign={
                "application": jsonata("$substringBefore($states.input.key, '/')"),
                "profile": jsonata("$lookup($profiles, $substringBefore($states.input.key, '/'))"),
                "commit": jsonata(commit),
            },
            output="$states.input",
            next_state="Stage",
        ),
        "Stage": task(
            names.partition,
            "s3:copyObject",
            {
                "Bucket": names.upload_bucket,
                "Key": jsonata(f"'{names.staged_prefix}' & $states.context.Execution.Name & '.zip'"),
                "CopySource": jsonata(
                    f"'{names.upload_bucket}/' & $states.input.key "
                    "& '?versionId=' & $encodeUrlComponent($states.input.version)"
                ),
                "ChecksumAlgorithm": "SHA256",
                "MetadataDirective": "REPLACE",
                "TaggingDirective": "REPLACE",
                "ContentType": "application/zip",
                "Metadata": jsonata(metadata),
            },
            assign={
                "staged": jsonata(f"'{names.staged_prefix}' & $states.context.Execution.Name & '.zip'"),
                "stagedVersion": jsonata("$states.result.VersionId"),
                "checksum": jsonata(checksum),
            },
            output="$states.input",
            next_state="IsMeasured",
        ),
        "IsMeasured": choice(f"$length($checksum) = {_SHA256_BASE64_CHARACTERS}", "Name", "NotMeasured"),
        "NotMeasured": fail(
            "NotMeasured", "'S3 gave no SHA-256 of the whole object ' & $states.input.key & ', but: ' & $checksum"
        ),
        "Name": assign({"sha256": hexadecimal("$checksum")}, "IsSigned"),
    }


def _signing(names: SigningPipelineNames) -> dict[str, Json]:
    """Start a job, unless this content has been signed by this version of the profile before."""
    return {
        "IsSigned": task(
            names.partition,
            "s3:headObject",
            {"Bucket": names.signed_bucket, "Key": jsonata(_filed_key(names, ".json"))},
            retry=[],
            output=_filed_object(names),
            catch={"Next": "Sign", "Output": jsonata("$states.input")},
            next_state="Signed",
        ),
        "Sign": task(
            names.partition,
            "signer:startSigningJob",
            {
                "Source": {
                    "S3": {
                        "BucketName": names.upload_bucket,
                        "Key": jsonata("$staged"),
                        "Version": jsonata("$stagedVersion"),
                    }
                },
                "Destination": {"S3": {"BucketName": names.upload_bucket, "Prefix": names.jobs_prefix}},
                "ProfileName": jsonata("$profile.name"),
                "ClientRequestToken": jsonata("$states.context.Execution.Name"),
            },
            retry=signer_retries(),
            assign={"job": jsonata("$states.result.JobId")},
            next_state="Wait",
        ),
        "Signed": {"Type": "Succeed"},
    }


def _waiting(names: SigningPipelineNames) -> dict[str, Json]:
    """Wait until *finish* has filed the result; look after the job where nothing comes."""
    wait = f"$min([{_FIRST_WAIT_SECONDS} * $power(2, $polls), {_LONGEST_WAIT_SECONDS}])"
    reason = "$exists($states.result.StatusReason) ? $states.result.StatusReason : 'no reason given'"
    return {
        "Wait": {"Type": "Wait", "Seconds": jsonata(wait), "Next": "IsFiled"},
        "IsFiled": task(
            names.partition,
            "s3:headObject",
            {"Bucket": names.signed_bucket, "Key": jsonata(_filed_key(names, ".json"))},
            retry=[],
            output=_filed_object(names),
            catch={"Next": "Poll", "Output": {}},
            next_state="Signed",
        ),
        "Poll": task(
            names.partition,
            "signer:describeSigningJob",
            {"JobId": jsonata("$job")},
            retry=signer_retries(),
            assign={
                "polls": jsonata("$polls + 1"),
                "status": jsonata("$states.result.Status"),
                "reason": jsonata(reason),
            },
            output="{}",
            next_state="Judge",
        ),
        "Judge": {
            "Type": "Choice",
            "Choices": [
                {"Condition": jsonata("$status = 'Failed'"), "Next": "NotSigned"},
                {"Condition": jsonata(f"$polls >= {_MOST_POLLS}"), "Next": "NotFiled"},
                {"Condition": jsonata("$status = 'Succeeded'"), "Next": "Finish"},
            ],
            "Default": "Wait",
        },
        "Finish": task(
            names.partition,
            "sfn:startExecution",
            {
                "StateMachineArn": names.machine_arn(names.finish_machine),
                "Name": jsonata("$job & '-' & $polls"),
                "Input": jsonata("$string({'job': $job})"),
            },
            catch={"Next": "Wait", "Output": {}},
            next_state="Wait",
        ),
        "NotSigned": fail("NotSigned", "'AWS Signer job ' & $job & ' failed: ' & $reason"),
        "NotFiled": fail("NotFiled", "'AWS Signer job ' & $job & ' is ' & $status & ' and nothing was filed'"),
    }


def _filed_key(names: SigningPipelineNames, ending: str) -> str:
    return f"'{names.signed_prefix}' & $sha256 & '/' & $profile.name & '-' & $profile.version & '{ending}'"


def _filed_object(names: SigningPipelineNames) -> str:
    return f"{{'bucket': '{names.signed_bucket}', 'key': {_filed_key(names, '.zip')}}}"
