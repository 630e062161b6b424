"""The names of a signing pipeline in the publisher account: buckets, prefixes, queues, state machines and roles.

Everybody who meets the pipeline (its constructs, its policies, whoever uploads or deploys) takes the names from here.
"""

import re
from dataclasses import dataclass

from constructs_pkg.errors import GuardrailError

__all__ = ["PipelineApplication", "SigningPipelineNames"]

_APPLICATION = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_MAX_BUCKET_CHARACTERS = 63


@dataclass(frozen=True, kw_only=True, slots=True)
class PipelineApplication:
    """One application of a pipeline: whose uploads are signed with which profile.

    Attributes:
        name: The prefix of its uploads: a lower-case letter, then letters, digits, ``-`` and ``_``.
        profile_name: The signing profile, of the pipeline's own account and Region.
        profile_version: The profile's version, of which the signed object's name is made; may be an AWS CDK token.
        writer_roles: ARNs of the roles that may upload.
        writer_accounts: Accounts whose own policies decide who may upload.

    Raises:
        GuardrailError: The name has another form.
    """

    name: str
    profile_name: str
    profile_version: str
    writer_roles: tuple[str, ...] = ()
    writer_accounts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check that the name can be a prefix and is none of the pipeline's own."""
        if _APPLICATION.fullmatch(self.name) is None:
            raise GuardrailError(
                f"application name={self.name!r} cannot be a prefix of uploads. Use up to 40 lower-case letters, "
                "digits, '-' and '_', a letter first"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class SigningPipelineNames:
    """What a pipeline calls things.

    Attributes:
        prefix: The organization's short name.
        partition: ``aws``, ``aws-cn``, …
        account: The 12 digits of the publisher account.
        region: The Region of the profiles.

    Raises:
        GuardrailError: A bucket's name would be too long.
    """

    prefix: str
    partition: str
    account: str
    region: str

    def __post_init__(self) -> None:
        """Check what S3 checks about names of buckets."""
        longest = max((self.upload_bucket, self.signed_bucket, self.log_bucket), key=len)
        if len(longest) > _MAX_BUCKET_CHARACTERS:
            raise GuardrailError(
                f"prefix={self.prefix!r} makes the bucket name {longest} of {len(longest)} characters. "
                f"S3 takes {_MAX_BUCKET_CHARACTERS}; use a shorter prefix"
            )

    @property
    def upload_bucket(self) -> str:
        """Return the bucket that applications upload to, each below ``<application>/``."""
        return self._bucket("code-uploads")

    @property
    def signed_bucket(self) -> str:
        """Return the bucket that the organization deploys from: ``signed/<source sha256>/<profile>-<version>.zip``."""
        return self._bucket("signed-code")

    @property
    def log_bucket(self) -> str:
        """Return the bucket of the access logs of the other two."""
        return self._bucket("code-logs")

    @property
    def own_prefix(self) -> str:
        """Return the prefix of the upload bucket that only the pipeline writes; no application can have its name."""
        return "_pipeline/"

    @property
    def staged_prefix(self) -> str:
        """Return where the pipeline copies an upload, to have S3 compute its SHA-256; this copy is signed."""
        return f"{self.own_prefix}staged/"

    @property
    def jobs_prefix(self) -> str:
        """Return where AWS Signer puts what it signed, named after the job."""
        return f"{self.own_prefix}jobs/"

    @property
    def signed_prefix(self) -> str:
        """Return the prefix of all objects of the signed bucket."""
        return "signed/"

    @property
    def intake_machine(self) -> str:
        """Return the state machine that takes uploads from the queue, a few at a time."""
        return f"{self.prefix}-signing-intake"

    @property
    def sign_machine(self) -> str:
        """Return the state machine that signs one upload."""
        return f"{self.prefix}-signing-sign"

    @property
    def finish_machine(self) -> str:
        """Return the state machine that files what a job signed under its content-addressed name."""
        return f"{self.prefix}-signing-finish"

    @property
    def upload_queue(self) -> str:
        """Return the queue of uploads that wait for their turn."""
        return f"{self.prefix}-signing-uploads.fifo"

    @property
    def dead_upload_queue(self) -> str:
        """Return the queue of uploads that could not be taken in."""
        return f"{self.prefix}-signing-uploads-dead.fifo"

    @property
    def dead_event_queue(self) -> str:
        """Return the queue of events that EventBridge could not deliver."""
        return f"{self.prefix}-signing-events-dead"

    @property
    def topic(self) -> str:
        """Return the topic of failures and alarms."""
        return f"{self.prefix}-signing-pipeline"

    def role(self, of: str) -> str:
        """Return the name of a role, without a path.

        Args:
            of: ``intake``, ``sign``, ``finish``, ``pipe`` or ``events``.
        """
        return f"{self.prefix}-signing-{of}"

    def role_arn(self, of: str) -> str:
        """Return the ARN of a role, see `role`."""
        return f"arn:{self.partition}:iam::{self.account}:role/{self.role(of)}"

    def bucket_arn(self, bucket: str) -> str:
        """Return the ARN of a bucket."""
        return f"arn:{self.partition}:s3:::{bucket}"

    def machine_arn(self, machine: str) -> str:
        """Return the ARN of a state machine."""
        return f"arn:{self.partition}:states:{self.region}:{self.account}:stateMachine:{machine}"

    def queue_arn(self, queue: str) -> str:
        """Return the ARN of a queue."""
        return f"arn:{self.partition}:sqs:{self.region}:{self.account}:{queue}"

    @property
    def topic_arn(self) -> str:
        """Return the ARN of the topic."""
        return f"arn:{self.partition}:sns:{self.region}:{self.account}:{self.topic}"

    def profile_arn(self, profile: str) -> str:
        """Return the ARN of a signing profile of this account and Region, in all of its versions."""
        return f"arn:{self.partition}:signer:{self.region}:{self.account}:/signing-profiles/{profile}"

    @property
    def job_arns(self) -> str:
        """Return the pattern of the ARNs of signing jobs of this account and Region, whose ids are random."""
        return f"arn:{self.partition}:signer:{self.region}:{self.account}:/signing-jobs/*"

    def _bucket(self, purpose: str) -> str:
        return f"{self.prefix}-{purpose}-{self.account}-{self.region}"
