"""Who may sign in an emergency: a role that named people assume with MFA for an hour, and that can do nothing else."""

import re
from dataclasses import dataclass

from constructs_pkg.errors import GuardrailError
from constructs_pkg.guardrails.documents import Condition, PolicyDocument, Statement, is_token

__all__ = ["INCIDENT_TAG", "SESSION_SECONDS", "BreakGlassAccess"]

SESSION_SECONDS = 3600
"""The longest session, and the shortest limit that IAM takes (botocore 1.43.106, ``iam`` CreateRole)."""

INCIDENT_TAG = "incident"
"""The session tag that says what the role is assumed for; AWS CloudTrail records it."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_USER = re.compile(r"arn:[a-z-]{3,20}:iam::[0-9]{12}:user/(?:[\x21-\x7e]{1,510}/)?[A-Za-z0-9_+=,.@-]{1,64}")
_MAX_ROLE_NAME_CHARACTERS = 64
_OBJECTS = ("jobs/*", "signed/*", "unsigned/*")
"""Where archives lie in a bucket for signing (`constructs_pkg.signing.object_names`)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BreakGlassAccess:
    """The emergency signing of one application, as values; ARNs, account and Region may be or hold AWS CDK tokens.

    Attributes:
        prefix: The organization's short name.
        application: The application.
        partition: ``aws``, ``aws-cn``, …
        account: The publisher account.
        region: The Region of profile and bucket; the role can be assumed through its endpoint of AWS STS only.
        principals: The IAM users who may assume the role, at least one, by ARN. Roles are refused: a session of a role,
            such as those of IAM Identity Center, carries no MFA into the next role, so that the condition could never
            hold (IAM User Guide, "AWS global condition context keys", ``aws:MultiFactorAuthPresent``).
        profile_arn: The emergency signing profile, without a version.
        bucket_arn: The bucket through which archives go to be signed.

    Raises:
        GuardrailError: A value has another form; the message names it.
    """

    prefix: str
    application: str
    partition: str
    account: str
    region: str
    principals: tuple[str, ...]
    profile_arn: str
    bucket_arn: str

    def __post_init__(self) -> None:
        """Check names and principals."""
        for field in ("prefix", "application"):
            text = getattr(self, field)
            if _NAME.fullmatch(text) is None:
                raise GuardrailError(
                    f"{field}: {text[:100]!r} cannot be used. Use at most 40 letters, digits, '-', '_'"
                )
        if len(self.role_name) > _MAX_ROLE_NAME_CHARACTERS:
            raise GuardrailError(
                f"prefix and application make the role name {self.role_name!r} of {len(self.role_name)} characters; "
                f"IAM takes {_MAX_ROLE_NAME_CHARACTERS}. Shorten one"
            )
        if not self.principals or len(set(self.principals)) != len(self.principals):
            raise GuardrailError(
                f"principals: {list(self.principals)} is empty or names somebody twice. Name the people who are on "
                "call for security, better two than one"
            )
        for principal in self.principals:
            if not is_token(principal) and _USER.fullmatch(principal) is None:
                raise GuardrailError(
                    f"principals: {principal[:200]!r} is not the ARN of one IAM user. Roles and whole accounts cannot "
                    "prove MFA when they assume a role: make an IAM user for each person on call, with a hardware key"
                )

    @property
    def role_name(self) -> str:
        """Return the role's name."""
        return f"{self.prefix}-break-glass-{self.application}"

    @property
    def policy_name(self) -> str:
        """Return the managed policy's name, which the guardrails of the account protect like their own."""
        return f"{self.prefix}-guardrail-break-glass-{self.application}"

    def trust_policy(self) -> dict[str, object]:
        """Return who may assume the role: the named users, with MFA, under their own name, for an incident.

        The Region is demanded because AWS CloudTrail records ``AssumeRole`` in the Region of the endpoint that was
        asked, and the alarm listens in this one.
        """
        for_incident = (
            Condition("Bool", "aws:MultiFactorAuthPresent", ("true",)),
            Condition("StringLike", f"aws:RequestTag/{INCIDENT_TAG}", ("?*",)),
        )
        assume = Statement(
            sid="AssumeWithMfaForAnIncident",
            effect="Allow",
            actions=("sts:AssumeRole",),
            resources=("*",),
            conditions=(
                *for_incident,
                Condition("StringEquals", "aws:RequestedRegion", (self.region,)),
                Condition("StringEquals", "sts:RoleSessionName", ("${aws:username}",)),
            ),
        )
        # sts:TagSession knows no sts:RoleSessionName (service authorization data).
        tag = Statement(
            sid="TagTheSessionWithIt",
            effect="Allow",
            actions=("sts:TagSession",),
            resources=("*",),
            conditions=(*for_incident, Condition("ForAllValues:StringEquals", "aws:TagKeys", (INCIDENT_TAG,))),
        )
        principal = {"AWS": list(self.principals)}
        return {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Principal": principal,
                    **{key: value for key, value in statement.to_dict().items() if key != "Resource"},
                }
                for statement in (assume, tag)
            ],
        }

    def policy(self) -> PolicyDocument:
        """Return what the role may do: sign with the emergency profile, through the bucket, and nothing else."""
        jobs = f"arn:{self.partition}:signer:{self.region}:{self.account}:/signing-jobs/*"
        return PolicyDocument(
            (
                Statement(
                    sid="SignWithTheEmergencyProfile",
                    effect="Allow",
                    actions=("signer:GetSigningProfile", "signer:StartSigningJob"),
                    resources=(self.profile_arn,),
                ),
                Statement(sid="WatchTheJob", effect="Allow", actions=("signer:DescribeSigningJob",), resources=(jobs,)),
                Statement(
                    sid="LookAtTheBucket",
                    effect="Allow",
                    actions=("s3:GetBucketVersioning", "s3:ListBucket"),
                    resources=(self.bucket_arn,),
                ),
                Statement(
                    sid="MoveArchives",
                    effect="Allow",
                    actions=("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"),
                    resources=tuple(f"{self.bucket_arn}/{objects}" for objects in _OBJECTS),
                ),
            )
        )
