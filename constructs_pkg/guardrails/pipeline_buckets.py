"""The policies of a signing pipeline's buckets: who may write where, and that nobody replaces or deletes anything.

What they cannot do: whoever may change a bucket's policy (``s3:PutBucketPolicy``: administrators of the publisher
account, its root user) can take the denies away first. An SCP or Object Lock is stronger, see ``docs/signing.md``.

Sources: service authorization data of S3 (``s3:if-none-match`` is a key of ``PutObject``, which CopyObject needs, too);
S3 guide, "Enforce conditional writes"; IAM guide, "AWS global condition context keys".
"""

import json
from collections.abc import Sequence

from constructs_pkg.errors import GuardrailError
from constructs_pkg.guardrails.documents import Condition, Statement
from constructs_pkg.guardrails.resource_policy import EVERYBODY, Principal, ResourcePolicy, accounts, service
from constructs_pkg.guardrails.signing_pipeline import PipelineApplication, SigningPipelineNames

__all__ = ["MAX_BUCKET_POLICY_BYTES", "log_bucket_policy", "signed_bucket_policy", "upload_bucket_policy"]

MAX_BUCKET_POLICY_BYTES = 20 * 1024
"""What a bucket's policy may have (S3 guide, "Bucket policies": 20 KB)."""

_READING = ("s3:Get*", "s3:List*")
_WRITING = ("s3:AbortMultipartUpload", "s3:PutObject")


def upload_bucket_policy(names: SigningPipelineNames, applications: Sequence[PipelineApplication]) -> ResourcePolicy:
    """Return the policy of the bucket of uploads.

    An application's writers, and nobody else, may write below its prefix; the pipeline alone writes below its own.
    Versions are deleted by the bucket's lifecycle only, so that what was signed can be looked at afterwards. A role of
    another account needs ``s3:PutObject`` in its own policies as well.

    Args:
        names: The pipeline.
        applications: Whose uploads are signed.

    Raises:
        GuardrailError: Two applications differ in signs only, so that their statements would share a name, or there
            are too many for one policy (about 25).
    """
    bucket = names.bucket_arn(names.upload_bucket)
    prefixes = tuple(f"{bucket}/{application.name}/*" for application in applications)
    own = f"{bucket}/{names.own_prefix}*"
    allowed = [one for application in applications for one in _writers(names, application, bucket)]
    policy = ResourcePolicy(
        (
            _plain_text(bucket),
            *allowed,
            *(_foreign_uploads(application, bucket) for application in applications),
            _deny("DenyOtherPlaces", actions=("s3:PutObject",), not_resources=(*prefixes, own)),
            _deny("DenyForeignPipelineObjects", ("s3:PutObject",), (own,), (_is_not(names.role_arn("sign")),)),
            _deny("DenyChanges", not_actions=(*_READING, *_WRITING), resources=(f"{bucket}/*",)),
        )
    )
    size_bytes = len(json.dumps(policy.to_dict(), separators=(",", ":")))
    if size_bytes > MAX_BUCKET_POLICY_BYTES:
        raise GuardrailError(
            f"the policy of the bucket {names.upload_bucket} for {len(applications)} applications has {size_bytes} "
            f"bytes; S3 takes {MAX_BUCKET_POLICY_BYTES}. Name accounts instead of roles, or make a second pipeline"
        )
    return policy


def signed_bucket_policy(names: SigningPipelineNames, organization_id: str) -> ResourcePolicy:
    """Return the policy of the bucket of signed code.

    The organization reads it, the pipeline's finishing role writes it, and it may only make objects that are not there
    (``If-None-Match``). Nobody changes or deletes an object.

    Args:
        names: The pipeline.
        organization_id: Whose principals may read, such as ``o-a1b2c3d4e5``.
    """
    bucket = names.bucket_arn(names.signed_bucket)
    signed, everything = f"{bucket}/{names.signed_prefix}*", f"{bucket}/*"
    ours = Condition("StringEquals", "aws:PrincipalOrgID", (organization_id,))
    writing = ("s3:PutObject", "s3:PutObjectTagging")
    return ResourcePolicy(
        (
            _plain_text(bucket),
            (
                EVERYBODY,
                Statement(
                    sid="AllowOrganizationReads",
                    effect="Allow",
                    actions=(
                        "s3:GetObject",
                        "s3:GetObjectTagging",
                        "s3:GetObjectVersion",
                        "s3:GetObjectVersionTagging",
                    ),
                    resources=(signed,),
                    conditions=(ours,),
                ),
            ),
            (
                EVERYBODY,
                Statement(
                    sid="AllowOrganizationListing",
                    effect="Allow",
                    actions=("s3:ListBucket",),
                    resources=(bucket,),
                    conditions=(ours, Condition("StringLike", "s3:prefix", (f"{names.signed_prefix}*",))),
                ),
            ),
            _deny("DenyForeignWrites", writing, (everything,), (_is_not(names.role_arn("finish")),)),
            _deny("DenyOtherPlaces", actions=("s3:PutObject",), not_resources=(signed,)),
            _deny(
                "DenyReplacing", ("s3:PutObject",), (everything,), (Condition("Null", "s3:if-none-match", ("true",)),)
            ),
            _deny("DenyChanges", not_actions=(*_READING, *writing), resources=(everything,)),
        )
    )


def log_bucket_policy(names: SigningPipelineNames) -> ResourcePolicy:
    """Return the policy of the bucket of access logs: S3 writes the logs of this account's buckets, and nobody else."""
    bucket = names.bucket_arn(names.log_bucket)
    sources = (names.bucket_arn(names.signed_bucket), names.bucket_arn(names.upload_bucket))
    return ResourcePolicy(
        (
            _plain_text(bucket),
            (
                service("logging.s3.amazonaws.com"),
                Statement(
                    sid="AllowAccessLogs",
                    effect="Allow",
                    actions=("s3:PutObject",),
                    resources=(f"{bucket}/*",),
                    conditions=(
                        Condition("ArnLike", "aws:SourceArn", sources),
                        Condition("StringEquals", "aws:SourceAccount", (names.account,)),
                    ),
                ),
            ),
        )
    )


def _writers(
    names: SigningPipelineNames, application: PipelineApplication, bucket: str
) -> list[tuple[Principal, Statement]]:
    """Allow an application's accounts and roles.

    A role is named by a condition, its account by the principal: S3 refuses a policy that names a role which does not
    exist yet, and a role that is made anew would have lost its right.
    """
    place = (f"{bucket}/{application.name}/*",)
    found: list[tuple[Principal, Statement]] = []
    if application.writer_accounts:
        whole = Statement(
            sid=f"AllowAccountsOf{_words(application.name)}", effect="Allow", actions=_WRITING, resources=place
        )
        found.append((accounts(names.partition, application.writer_accounts), whole))
    if application.writer_roles:
        roles = Statement(
            sid=f"AllowRolesOf{_words(application.name)}",
            effect="Allow",
            actions=_WRITING,
            resources=place,
            conditions=(Condition("ArnEquals", "aws:PrincipalArn", application.writer_roles),),
        )
        of_roles = tuple(role.split(":")[4] for role in application.writer_roles)
        found.append((accounts(names.partition, of_roles), roles))
    return found


def _foreign_uploads(application: PipelineApplication, bucket: str) -> tuple[Principal, Statement]:
    """Deny everybody but an application's writers; without writers, everybody."""
    conditions: list[Condition] = []
    if application.writer_roles:
        conditions.append(_is_not(*application.writer_roles))
    if application.writer_accounts:
        conditions.append(Condition("StringNotEquals", "aws:PrincipalAccount", application.writer_accounts))
    place = (f"{bucket}/{application.name}/*",)
    return _deny(f"DenyOthersThan{_words(application.name)}", ("s3:PutObject",), place, tuple(conditions))


def _plain_text(bucket: str) -> tuple[Principal, Statement]:
    insecure = Condition("Bool", "aws:SecureTransport", ("false",))
    return _deny("DenyPlainText", ("s3:*",), (bucket, f"{bucket}/*"), (insecure,))


def _is_not(*roles: str) -> Condition:
    return Condition("ArnNotEquals", "aws:PrincipalArn", roles)


def _deny(
    sid: str,
    actions: tuple[str, ...] = (),
    resources: tuple[str, ...] = (),
    conditions: tuple[Condition, ...] = (),
    *,
    not_actions: tuple[str, ...] = (),
    not_resources: tuple[str, ...] = (),
) -> tuple[Principal, Statement]:
    statement = Statement(
        sid=sid,
        effect="Deny",
        actions=actions,
        not_actions=not_actions,
        resources=resources,
        not_resources=not_resources,
        conditions=conditions,
    )
    return EVERYBODY, statement


def _words(name: str) -> str:
    return "".join(word.capitalize() for word in name.replace("_", "-").split("-"))
