"""What the roles of a signing pipeline may do: intake, sign, finish, the pipe, and EventBridge.

Signing needs ``signer:StartSigningJob`` on the profile, and the rights on the buckets of who calls, because AWS
Signer reads the source and writes the result as the caller (see ``docs/live-checks.md``).

Sources: service authorization data; Step Functions guide, "Logging using CloudWatch Logs" and "AWS X-Ray" (actions that
have no resource types); EventBridge guide, "Pipes permissions".
"""

from collections.abc import Sequence

from constructs_pkg.guardrails.documents import Condition, PolicyDocument, Statement
from constructs_pkg.guardrails.signing_pipeline import PipelineApplication, SigningPipelineNames
from constructs_pkg.guardrails.state_machine_rights import LOG_DELIVERY, TRACING
from constructs_pkg.guardrails.trust_policy import TrustPolicy

__all__ = ["pipeline_role_policies", "pipeline_trust_policies"]


def pipeline_role_policies(
    names: SigningPipelineNames, applications: Sequence[PipelineApplication]
) -> dict[str, PolicyDocument]:
    """Return the policy of each role, by what `SigningPipelineNames.role` calls it.

    Args:
        names: The pipeline.
        applications: Whose uploads are signed, with which profiles.
    """
    return {
        "intake": PolicyDocument((_starts("StartSigning", names, names.sign_machine), *_observed())),
        "sign": PolicyDocument((*_signing(names, applications), *_observed())),
        "finish": PolicyDocument((*_finishing(names), *_observed())),
        "pipe": PolicyDocument(_carrying(names)),
        "events": PolicyDocument((_starts("StartFinishing", names, names.finish_machine),)),
    }


def pipeline_trust_policies(names: SigningPipelineNames) -> dict[str, TrustPolicy]:
    """Return whom each role trusts: one service, and of it one state machine, pipe or rule of this account."""
    machines = {"intake": names.intake_machine, "sign": names.sign_machine, "finish": names.finish_machine}
    start = f"arn:{names.partition}"
    end = f"{names.region}:{names.account}"
    trusts = {of: _trust(names, "states", names.machine_arn(machine)) for of, machine in machines.items()}
    trusts["pipe"] = _trust(names, "pipes", f"{start}:pipes:{end}:pipe/{names.prefix}-signing-*")
    trusts["events"] = _trust(names, "events", f"{start}:events:{end}:rule/{names.prefix}-signing-*")
    return trusts


def _trust(names: SigningPipelineNames, service: str, source: str) -> TrustPolicy:
    return TrustPolicy(
        kind="Service",
        principal=f"{service}.amazonaws.com",
        conditions=(
            Condition("ArnLike", "aws:SourceArn", (source,)),
            Condition("StringEquals", "aws:SourceAccount", (names.account,)),
        ),
    )


def _signing(names: SigningPipelineNames, applications: Sequence[PipelineApplication]) -> tuple[Statement, ...]:
    uploads, signed = names.bucket_arn(names.upload_bucket), names.bucket_arn(names.signed_bucket)
    own = f"{uploads}/{names.own_prefix}*"
    prefixes = tuple(f"{uploads}/{application.name}/*" for application in applications)
    profiles = tuple(names.profile_arn(application.profile_name) for application in applications)
    return (
        _allow("ReadUploads", ("s3:GetObject", "s3:GetObjectVersion"), (*prefixes, own)),
        _allow("WriteOwnObjects", ("s3:PutObject",), (own,)),
        _allow("LookAtBuckets", ("s3:GetBucketVersioning", "s3:ListBucket"), (uploads, signed)),
        _allow("LookForSigned", ("s3:GetObject",), (f"{signed}/{names.signed_prefix}*",)),
        _allow("Sign", ("signer:StartSigningJob",), profiles),
        _allow("LookAtJobs", ("signer:DescribeSigningJob",), (names.job_arns,)),
        _starts("StartFinishing", names, names.finish_machine),
    )


def _finishing(names: SigningPipelineNames) -> tuple[Statement, ...]:
    uploads, signed = names.bucket_arn(names.upload_bucket), names.bucket_arn(names.signed_bucket)
    own, place = f"{uploads}/{names.own_prefix}*", f"{signed}/{names.signed_prefix}*"
    return (
        _allow("LookAtJobs", ("signer:DescribeSigningJob",), (names.job_arns,)),
        _allow("ReadOwnObjects", ("s3:GetObject", "s3:GetObjectVersion"), (own,)),
        _allow("LookAtBuckets", ("s3:ListBucket",), (uploads, signed)),
        _allow("FileSigned", ("s3:GetObject", "s3:PutObject", "s3:PutObjectTagging"), (place,)),
    )


def _carrying(names: SigningPipelineNames) -> tuple[Statement, ...]:
    return (
        _allow(
            "ReadQueue",
            ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"),
            (names.queue_arn(names.upload_queue),),
        ),
        _allow("RunIntake", ("states:StartSyncExecution",), (names.machine_arn(names.intake_machine),)),
    )


def _observed() -> tuple[Statement, ...]:
    """Allow what a state machine needs to log and to be traced; these actions have no resource types."""
    return (_allow("DeliverLogs", LOG_DELIVERY, ("*",)), _allow("Trace", TRACING, ("*",)))


def _starts(sid: str, names: SigningPipelineNames, machine: str) -> Statement:
    return _allow(sid, ("states:StartExecution",), (names.machine_arn(machine),))


def _allow(sid: str, actions: tuple[str, ...], resources: tuple[str, ...]) -> Statement:
    return Statement(sid=sid, effect="Allow", actions=actions, resources=resources)
