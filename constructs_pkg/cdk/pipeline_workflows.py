"""The three state machines of a signing pipeline as Amazon States Language with JSONata, without a line of Lambda code.

- intake (Express) takes a batch from the queue, starts one execution of *sign* for each upload, and takes its time, so
  that AWS Signer's rate limits hold. The execution's name is a hash of bucket, key and version: an upload whose event
  comes twice is signed once.
- sign (Standard) copies an upload, has it signed, waits until it is filed, and asks AWS Signer where nobody told.
- finish (Standard) is started by AWS Signer's event, or by *sign* where the event was lost. It files what a job signed
  under its content-addressed name, and the provenance beside it. Running it twice changes nothing.

Where the SHA-256 of an upload comes from: S3 computes it, when *sign* copies the upload with a checksum algorithm
(CopyObject). It is asked of no uploader, and no uploader can state another one. JSONata turns its Base64 into
hexadecimal digits.

Facts: the service models of S3 and AWS Signer (botocore 1.43.106), whose members Step Functions takes with a capital
letter ("AWS SDK service integrations"); what only AWS can confirm stands in ``docs/live-checks.md``.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from constructs_pkg.guardrails.signing_pipeline import PipelineApplication, SigningPipelineNames

__all__ = ["BATCH", "finish_workflow", "intake_workflow", "sign_workflow"]

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json]"
State: TypeAlias = dict[str, Json]

BATCH = 2
"""Uploads that are started at once; then the intake waits a second. AWS Signer's limit is three jobs a second."""

_SHA256_BASE64_CHARACTERS = 44
_FIRST_WAIT_SECONDS = 20
_LONGEST_WAIT_SECONDS = 300
_MOST_POLLS = 16
"""With the waits above, a job has about an hour."""
_TIMEOUT_SECONDS = 2 * 60 * 60

_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_KEY = r"/^[a-z][a-z0-9_-]*\/[A-Za-z0-9][A-Za-z0-9._\/-]*\.zip$/"
# Beside the form, because "$" matches before a line break at the end in some engines.
_OTHER_SIGN = r"/[^A-Za-z0-9._\/-]/"
_COMMIT_START = r"/^[0-9A-Za-z]/"
_MOST_COMMIT_CHARACTERS = 128
_TROUBLE = "{% $states.errorOutput.Error & ': ' & $states.errorOutput.Cause %}"


def intake_workflow(names: SigningPipelineNames) -> State:
    """Return the definition of *intake*; its input is a batch of messages as EventBridge Pipes hands it on.

    An execution fails as a whole where one upload could not be started; the queue then hands out the batch again.
    """
    upload = "$d := $parse($states.input.body).detail; "
    start = _task(
        names,
        "sfn:startExecution",
        {
            "StateMachineArn": names.machine_arn(names.sign_machine),
            "Name": _jsonata(
                f"({upload}$hash($join([$d.bucket.name, $d.object.key, $d.object.`version-id`], '/'), 'SHA-256'))"
            ),
            "Input": _jsonata(
                f"({upload}$string({{'bucket': $d.bucket.name, 'key': $d.object.key, "
                "'version': $d.object.`version-id`}))"
            ),
        },
        retry=[
            {"ErrorEquals": ["Sfn.ExecutionAlreadyExistsException"], "MaxAttempts": 0},
            _retry(seconds=1, attempts=5),
        ],
        catch={"Next": "IsKnown", "Output": _jsonata("{'error': $states.errorOutput.Error}")},
        end=True,
    )
    each: dict[str, Json] = {
        "Start": start,
        "IsKnown": _choice("$contains($states.input.error, 'ExecutionAlreadyExists')", "Known", "NotStarted"),
        "Known": {"Type": "Succeed"},
        "NotStarted": _fail("NotStarted", "$states.input.error"),
    }
    return _machine(
        "Takes uploads from the queue, a few a second",
        "EachUpload",
        {
            "EachUpload": {
                "Type": "Map",
                "Items": _jsonata("$states.input"),
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
    return _machine(
        "Signs one upload with its application's profile",
        "Begin",
        {
            "Begin": _assign({"profiles": profiles, "polls": 0}, "IsAdmissible"),
            "IsAdmissible": _choice(
                f"$contains($states.input.key, {_KEY}) and $not($contains($states.input.key, {_OTHER_SIGN})) and "
                "$exists($lookup($profiles, $substringBefore($states.input.key, '/')))",
                "Look",
                "NotAdmissible",
            ),
            "NotAdmissible": _fail(
                "NotAdmissible",
                "$states.input.key & ' is not <application>/<name>.zip of letters, digits and . _ / -, or the "
                "application has no signing profile here'",
            ),
            **_staging(names),
            **_signing(names),
            **_waiting(names),
        },
        timeout_seconds=_TIMEOUT_SECONDS,
    )


def finish_workflow(names: SigningPipelineNames) -> State:
    """Return the definition of *finish*; its input has the ``job`` that AWS Signer has ended."""
    return _machine(
        "Files what a job signed under its content-addressed name",
        "Describe",
        {
            "Describe": _task(
                names,
                "signer:describeSigningJob",
                {"JobId": _jsonata("$states.input.job")},
                retry=_patience(),
                assign={"job": _jsonata("$states.result")},
                next_state="IsOurs",
            ),
            "IsOurs": _choice(
                f"$job.Status = 'Succeeded' and $job.Source.S3.BucketName = '{names.upload_bucket}' and "
                f"$substring($job.Source.S3.Key, 0, {len(names.staged_prefix)}) = '{names.staged_prefix}'",
                "LookAtSource",
                "NothingToFile",
            ),
            "NothingToFile": {"Type": "Succeed"},
            **_filing(names),
            **_stating(names),
        },
        timeout_seconds=_TIMEOUT_SECONDS,
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
        "Look": _task(
            names,
            "s3:headObject",
            {
                "Bucket": names.upload_bucket,
                "Key": _jsonata("$states.input.key"),
                "VersionId": _jsonata("$states.input.version"),
            },
            assign={
                "application": _jsonata("$substringBefore($states.input.key, '/')"),
                "profile": _jsonata("$lookup($profiles, $substringBefore($states.input.key, '/'))"),
                "commit": _jsonata(commit),
            },
            output="$states.input",
            next_state="Stage",
        ),
        "Stage": _task(
            names,
            "s3:copyObject",
            {
                "Bucket": names.upload_bucket,
                "Key": _jsonata(f"'{names.staged_prefix}' & $states.context.Execution.Name & '.zip'"),
                "CopySource": _jsonata(
                    f"'{names.upload_bucket}/' & $states.input.key "
                    "& '?versionId=' & $encodeUrlComponent($states.input.version)"
                ),
                "ChecksumAlgorithm": "SHA256",
                "MetadataDirective": "REPLACE",
                "TaggingDirective": "REPLACE",
                "ContentType": "application/zip",
                "Metadata": _jsonata(metadata),
            },
            assign={
                "staged": _jsonata(f"'{names.staged_prefix}' & $states.context.Execution.Name & '.zip'"),
                "stagedVersion": _jsonata("$states.result.VersionId"),
                "checksum": _jsonata(checksum),
            },
            output="$states.input",
            next_state="IsMeasured",
        ),
        "IsMeasured": _choice(f"$length($checksum) = {_SHA256_BASE64_CHARACTERS}", "Name", "NotMeasured"),
        "NotMeasured": _fail(
            "NotMeasured", "'S3 gave no SHA-256 of the whole object ' & $states.input.key & ', but: ' & $checksum"
        ),
        "Name": _assign({"sha256": _hexadecimal("$checksum")}, "IsSigned"),
    }


def _signing(names: SigningPipelineNames) -> dict[str, Json]:
    """Start a job, unless this content has been signed by this version of the profile before."""
    return {
        "IsSigned": _task(
            names,
            "s3:headObject",
            {"Bucket": names.signed_bucket, "Key": _jsonata(_filed_key(names, ".json"))},
            retry=[],
            output=_filed_object(names),
            catch={"Next": "Sign", "Output": _jsonata("$states.input")},
            next_state="Signed",
        ),
        "Sign": _task(
            names,
            "signer:startSigningJob",
            {
                "Source": {
                    "S3": {
                        "BucketName": names.upload_bucket,
                        "Key": _jsonata("$staged"),
                        "Version": _jsonata("$stagedVersion"),
                    }
                },
                "Destination": {"S3": {"BucketName": names.upload_bucket, "Prefix": names.jobs_prefix}},
                "ProfileName": _jsonata("$profile.name"),
                "ClientRequestToken": _jsonata("$states.context.Execution.Name"),
            },
            retry=_patience(),
            assign={"job": _jsonata("$states.result.JobId")},
            next_state="Wait",
        ),
        "Signed": {"Type": "Succeed"},
    }


def _waiting(names: SigningPipelineNames) -> dict[str, Json]:
    """Wait until *finish* has filed the result; look after the job where nothing comes."""
    wait = f"$min([{_FIRST_WAIT_SECONDS} * $power(2, $polls), {_LONGEST_WAIT_SECONDS}])"
    reason = "$exists($states.result.StatusReason) ? $states.result.StatusReason : 'no reason given'"
    return {
        "Wait": {"Type": "Wait", "Seconds": _jsonata(wait), "Next": "IsFiled"},
        "IsFiled": _task(
            names,
            "s3:headObject",
            {"Bucket": names.signed_bucket, "Key": _jsonata(_filed_key(names, ".json"))},
            retry=[],
            output=_filed_object(names),
            catch={"Next": "Poll", "Output": {}},
            next_state="Signed",
        ),
        "Poll": _task(
            names,
            "signer:describeSigningJob",
            {"JobId": _jsonata("$job")},
            retry=_patience(),
            assign={
                "polls": _jsonata("$polls + 1"),
                "status": _jsonata("$states.result.Status"),
                "reason": _jsonata(reason),
            },
            output="{}",
            next_state="Judge",
        ),
        "Judge": {
            "Type": "Choice",
            "Choices": [
                {"Condition": _jsonata("$status = 'Failed'"), "Next": "NotSigned"},
                {"Condition": _jsonata(f"$polls >= {_MOST_POLLS}"), "Next": "NotFiled"},
                {"Condition": _jsonata("$status = 'Succeeded'"), "Next": "Finish"},
            ],
            "Default": "Wait",
        },
        "Finish": _task(
            names,
            "sfn:startExecution",
            {
                "StateMachineArn": names.machine_arn(names.finish_machine),
                "Name": _jsonata("$job & '-' & $polls"),
                "Input": _jsonata("$string({'job': $job})"),
            },
            catch={"Next": "Wait", "Output": {}},
            next_state="Wait",
        ),
        "NotSigned": _fail("NotSigned", "'AWS Signer job ' & $job & ' failed: ' & $reason"),
        "NotFiled": _fail("NotFiled", "'AWS Signer job ' & $job & ' is ' & $status & ' and nothing was filed'"),
    }


def _filing(names: SigningPipelineNames) -> dict[str, Json]:
    """Copy the job's result to its name, once: another job for the same content and version changes nothing."""
    arn_start = f"arn:{names.partition}:signer:{names.region}:"
    metadata = (
        "$merge([$upload, {"
        "'source-sha256': $sha256, "
        f"'signing-job-arn': '{arn_start}' & $job.JobOwner & ':/signing-jobs/' & $job.JobId, "
        f"'signing-profile-version-arn': '{arn_start}' & $job.JobOwner & ':/signing-profiles/' & $job.ProfileName "
        "& '/' & $job.ProfileVersion, "
        "'expires-at': $string($job.SignatureExpiresAt)}])"
    )
    return {
        "LookAtSource": _task(
            names,
            "s3:headObject",
            {
                "Bucket": names.upload_bucket,
                "Key": _jsonata("$job.Source.S3.Key"),
                "VersionId": _jsonata("$job.Source.S3.Version"),
                "ChecksumMode": "ENABLED",
            },
            assign={
                "upload": _jsonata("$states.result.Metadata"),
                "sha256": _hexadecimal("$string([$states.result.ChecksumSHA256, $states.result.ChecksumSha256][0])"),
            },
            output="{}",
            next_state="Address",
        ),
        "Address": _assign(
            {
                "filed": _jsonata(
                    f"'{names.signed_prefix}' & $sha256 & '/' & $job.ProfileName & '-' & $job.ProfileVersion"
                ),
                "trouble": "it cannot be read",
            },
            "File",
        ),
        "File": _task(
            names,
            "s3:copyObject",
            {
                "Bucket": names.signed_bucket,
                "Key": _jsonata("$filed & '.zip'"),
                "CopySource": _jsonata("$job.SignedObject.S3.BucketName & '/' & $job.SignedObject.S3.Key"),
                "IfNoneMatch": "*",
                "ChecksumAlgorithm": "SHA256",
                "MetadataDirective": "REPLACE",
                "ContentType": "application/zip",
                "Metadata": _jsonata(metadata),
                "TaggingDirective": "REPLACE",
                "Tagging": _jsonata("'application=' & $upload.application & '&signing-profile=' & $job.ProfileName"),
            },
            # There already, or something else: the next state sees which.
            catch={"Next": "LookAtSigned", "Output": {}, "Assign": {"trouble": _TROUBLE}},
            next_state="LookAtSigned",
        ),
    }


def _stating(names: SigningPipelineNames) -> dict[str, Json]:
    """Write the provenance of what is filed, whichever job won: everything is taken from the filed object."""
    filed = f"{{'bucket': '{names.signed_bucket}', 'key': $filed & '.zip'}}"
    optional = "$exists($m.commit) ? {'commit': $m.commit} : {}"
    statement = (
        "($m := $signed.Metadata; {"
        "'_type': 'https://in-toto.io/Statement/v1', "
        "'subject': [{'name': $filed & '.zip', 'digest': {'sha256': $signedSha256}}], "
        "'predicateType': 'urn:lambda-code-signing:provenance:v1', "
        "'predicate': {"
        f"'source': $merge([{optional}, "
        f"{{'name': 's3://{names.upload_bucket}/' & $m.`upload-key`, 'digest': {{'sha256': $m.`source-sha256`}}}}]), "
        "'signing_job_arn': $m.`signing-job-arn`, "
        "'signing_profile_version_arn': $m.`signing-profile-version-arn`, "
        "'expires_at': $m.`expires-at`, "
        "'annotations': {'application': $m.application, 'upload_version': $m.`upload-version`}}})"
    )
    return {
        "LookAtSigned": _task(
            names,
            "s3:headObject",
            {"Bucket": names.signed_bucket, "Key": _jsonata("$filed & '.zip'"), "ChecksumMode": "ENABLED"},
            assign={
                "signed": _jsonata("$states.result"),
                "signedSha256": _hexadecimal(
                    "$string([$states.result.ChecksumSHA256, $states.result.ChecksumSha256][0])"
                ),
            },
            output="{}",
            catch={"Next": "NotFiled", "Output": {}},
            next_state="State",
        ),
        "State": _task(
            names,
            "s3:putObject",
            {
                "Bucket": names.signed_bucket,
                "Key": _jsonata("$filed & '.json'"),
                "IfNoneMatch": "*",
                "ContentType": "application/json",
                "Body": _jsonata(statement),
            },
            output=filed,
            catch={"Next": "LookAtStatement", "Output": {}, "Assign": {"trouble": _TROUBLE}},
            next_state="Filed",
        ),
        "LookAtStatement": _task(
            names,
            "s3:headObject",
            {"Bucket": names.signed_bucket, "Key": _jsonata("$filed & '.json'")},
            output=filed,
            catch={"Next": "NotFiled", "Output": {}},
            next_state="Filed",
        ),
        "NotFiled": _fail("NotFiled", "$filed & ': ' & $trouble"),
        "Filed": {"Type": "Succeed"},
    }


def _filed_key(names: SigningPipelineNames, ending: str) -> str:
    return f"'{names.signed_prefix}' & $sha256 & '/' & $profile.name & '-' & $profile.version & '{ending}'"


def _filed_object(names: SigningPipelineNames) -> str:
    return f"{{'bucket': '{names.signed_bucket}', 'key': {_filed_key(names, '.zip')}}}"


def _hexadecimal(base64: str) -> str:
    """Return an expression that turns the Base64 of 32 bytes into 64 hexadecimal digits.

    Two characters of six bits are three digits; of the 43rd, four bits count. Text functions only: JSONata knows no
    bytes, and its ``$base64decode`` gives text.
    """
    return _jsonata(
        f"($text := {base64}; "
        f"$value := function($at) {{ $length($substringBefore('{_BASE64}', $substring($text, $at, 1))) }}; "
        "$join($map([0..20], function($i) { "
        "$pad($formatBase($value(2 * $i) * 64 + $value(2 * $i + 1), 16), -3, '0') })) "
        "& $formatBase($value(42) / 4, 16))"
    )


def _jsonata(expression: str) -> str:
    return f"{{% {expression} %}}"


def _machine(comment: str, start: str, states: dict[str, Json], *, timeout_seconds: int) -> State:
    return {
        "Comment": comment,
        "QueryLanguage": "JSONata",
        "StartAt": start,
        "TimeoutSeconds": timeout_seconds,
        "States": states,
    }


def _task(
    names: SigningPipelineNames,
    action: str,
    arguments: dict[str, Json],
    *,
    assign: dict[str, Json] | None = None,
    output: str | None = None,
    retry: list[Json] | None = None,
    catch: dict[str, Json] | None = None,
    next_state: str | None = None,
    end: bool = False,
) -> State:
    """Return a task; without ``retry``, a failed call is made three times more, with an empty one it is not."""
    state: State = {
        "Type": "Task",
        "Resource": f"arn:{names.partition}:states:::aws-sdk:{action}",
        "Arguments": arguments,
    }
    if retry != []:
        state["Retry"] = retry or [_retry(seconds=1, attempts=3)]
    if catch is not None:
        state["Catch"] = [{"ErrorEquals": ["States.ALL"], **catch}]
    if assign is not None:
        state["Assign"] = assign
    if output is not None:
        state["Output"] = _jsonata(output)
    if end:
        state["End"] = True
    if next_state is not None:
        state["Next"] = next_state
    return state


def _retry(*, seconds: int, attempts: int, longest_seconds: int = 10) -> State:
    return {
        "ErrorEquals": ["States.TaskFailed"],
        "IntervalSeconds": seconds,
        "MaxAttempts": attempts,
        "BackoffRate": 2,
        "MaxDelaySeconds": longest_seconds,
        "JitterStrategy": "FULL",
    }


def _patience() -> list[Json]:
    """Return how AWS Signer is asked again: others sign in this account, too, and its limits are low."""
    final = ["Signer.AccessDeniedException", "Signer.ResourceNotFoundException", "Signer.ValidationException"]
    about_an_hour = _retry(seconds=2, attempts=70, longest_seconds=60)
    return [{"ErrorEquals": list[Json](final), "MaxAttempts": 0}, about_an_hour]


def _assign(values: dict[str, Json], next_state: str) -> State:
    return {"Type": "Pass", "Assign": values, "Next": next_state}


def _choice(condition: str, yes: str, no: str) -> State:
    return {"Type": "Choice", "Choices": [{"Condition": _jsonata(condition), "Next": yes}], "Default": no}


def _fail(error: str, cause: str) -> State:
    return {"Type": "Fail", "Error": error, "Cause": _jsonata(cause)}
