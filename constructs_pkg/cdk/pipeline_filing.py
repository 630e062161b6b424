"""The state machine *finish* of a signing pipeline: files what a job signed under its content-addressed name.

The provenance beside it is made of the filed object alone. Running it twice changes nothing, and neither do two jobs
for one content: the first that files wins, and the statement is about what is filed.
"""

from constructs_pkg.cdk.pipeline_workflows import LONGEST_SECONDS
from constructs_pkg.cdk.states_language import (
    Json,
    State,
    assign,
    choice,
    fail,
    hexadecimal,
    jsonata,
    machine,
    signer_retries,
    task,
)
from constructs_pkg.guardrails.signing_pipeline import SigningPipelineNames

__all__ = ["finish_workflow"]

_TROUBLE = "{% $states.errorOutput.Error & ': ' & $states.errorOutput.Cause %}"


def finish_workflow(names: SigningPipelineNames) -> State:
    """Return the definition of *finish*; its input has the ``job`` that AWS Signer has ended."""
    return machine(
        "Files what a job signed under its content-addressed name",
        "Describe",
        {
            "Describe": task(
                names.partition,
                "signer:describeSigningJob",
                {"JobId": jsonata("$states.input.job")},
                retry=signer_retries(),
                assign={"job": jsonata("$states.result")},
                next_state="IsOurs",
            ),
            "IsOurs": choice(
                f"$job.Status = 'Succeeded' and $job.Source.S3.BucketName = '{names.upload_bucket}' and "
                f"$substring($job.Source.S3.Key, 0, {len(names.staged_prefix)}) = '{names.staged_prefix}'",
                "LookAtSource",
                "NothingToFile",
            ),
            "NothingToFile": {"Type": "Succeed"},
            **_filing(names),
            **_stating(names),
        },
        timeout_seconds=LONGEST_SECONDS,
    )


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
        "LookAtSource": task(
            names.partition,
            "s3:headObject",
            {
                "Bucket": names.upload_bucket,
                "Key": jsonata("$job.Source.S3.Key"),
                "VersionId": jsonata("$job.Source.S3.Version"),
                "ChecksumMode": "ENABLED",
            },
            assign={
                "upload": jsonata("$states.result.Metadata"),
                "sha256": hexadecimal("$string([$states.result.ChecksumSHA256, $states.result.ChecksumSha256][0])"),
            },
            output="{}",
            next_state="Address",
        ),
        "Address": assign(
            {
                "filed": jsonata(
                    f"'{names.signed_prefix}' & $sha256 & '/' & $job.ProfileName & '-' & $job.ProfileVersion"
                ),
                "trouble": "it cannot be read",
            },
            "File",
        ),
        "File": task(
            names.partition,
            "s3:copyObject",
            {
                "Bucket": names.signed_bucket,
                "Key": jsonata("$filed & '.zip'"),
                "CopySource": jsonata("$job.SignedObject.S3.BucketName & '/' & $job.SignedObject.S3.Key"),
                "IfNoneMatch": "*",
                "ChecksumAlgorithm": "SHA256",
                "MetadataDirective": "REPLACE",
                "ContentType": "application/zip",
                "Metadata": jsonata(metadata),
                "TaggingDirective": "REPLACE",
                "Tagging": jsonata("'application=' & $upload.application & '&signing-profile=' & $job.ProfileName"),
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
        "LookAtSigned": task(
            names.partition,
            "s3:headObject",
            {"Bucket": names.signed_bucket, "Key": jsonata("$filed & '.zip'"), "ChecksumMode": "ENABLED"},
            assign={
                "signed": jsonata("$states.result"),
                "signedSha256": hexadecimal(
                    "$string([$states.result.ChecksumSHA256, $states.result.ChecksumSha256][0])"
                ),
            },
            output="{}",
            catch={"Next": "NotFiled", "Output": {}},
            next_state="State",
        ),
        "State": task(
            names.partition,
            "s3:putObject",
            {
                "Bucket": names.signed_bucket,
                "Key": jsonata("$filed & '.json'"),
                "IfNoneMatch": "*",
                "ContentType": "application/json",
                "Body": jsonata(statement),
            },
            output=filed,
            catch={"Next": "LookAtStatement", "Output": {}, "Assign": {"trouble": _TROUBLE}},
            next_state="Filed",
        ),
        "LookAtStatement": task(
            names.partition,
            "s3:headObject",
            {"Bucket": names.signed_bucket, "Key": jsonata("$filed & '.json'")},
            output=filed,
            catch={"Next": "NotFiled", "Output": {}},
            next_state="Filed",
        ),
        "NotFiled": fail("NotFiled", "$filed & ': ' & $trouble"),
        "Filed": {"Type": "Succeed"},
    }
