"""The buckets of a signing pipeline: uploads, signed code, and the access logs of both.

All keep versions, are encrypted, refuse plain HTTP and public access, and stay when their stack is deleted.
"""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_pkg.guardrails.pipeline_buckets import log_bucket_policy, signed_bucket_policy, upload_bucket_policy
from constructs_pkg.guardrails.resource_policy import ResourcePolicy
from constructs_pkg.guardrails.signing_pipeline import PipelineApplication, SigningPipelineNames

__all__ = ["PipelineBuckets"]

_LOG_DAYS = 400
_OWN_DAYS = 7


class PipelineBuckets(Construct):
    """The buckets, with their policies and lifecycles.

    They are encrypted with S3's own keys (SSE-S3): with a customer key, every reader of the organization would need
    ``kms:Decrypt`` in its own policies, too, and the code's secrecy would not grow (ADR 10).

    Args:
        scope: The pipeline.
        construct_id: Id within the scope.
        names: What they are called.
        applications: Who uploads.
        organization_id: Who reads.
        keep_uploads_days: How long an upload is kept.
        lock_signed_days: How long Object Lock (governance mode) keeps signed objects; None for no Object Lock.

    Attributes:
        uploads: The bucket of uploads.
        uploads_policy: Its policy, which lets applications upload.
        signed: The bucket of signed code.
        logs: The bucket of access logs.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: SigningPipelineNames,
        applications: Sequence[PipelineApplication],
        organization_id: str,
        keep_uploads_days: int,
        lock_signed_days: int | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._names = names
        self.logs = self._bucket("Logs", names.log_bucket, rules=[_expiry("logs", _LOG_DAYS)])
        log_policy = self._policy("LogsPolicy", self.logs, log_bucket_policy(names))
        self.uploads = self._bucket(
            "Uploads",
            names.upload_bucket,
            rules=[
                _expiry("uploads", keep_uploads_days),
                _expiry("the pipeline's own objects", min(_OWN_DAYS, keep_uploads_days), names.own_prefix),
            ],
            tells_eventbridge=True,
        )
        self.signed = self._bucket(
            "Signed", names.signed_bucket, rules=[_unfinished("signed code")], lock_days=lock_signed_days
        )
        for bucket in (self.uploads, self.signed):
            bucket.add_resource_dependency(log_policy)
        self.uploads_policy = self._policy("UploadsPolicy", self.uploads, upload_bucket_policy(names, applications))
        self._policy("SignedPolicy", self.signed, signed_bucket_policy(names, organization_id))

    def _bucket(
        self,
        construct_id: str,
        name: str,
        *,
        rules: list[s3.CfnBucket.RuleProperty],
        tells_eventbridge: bool = False,
        lock_days: int | None = None,
    ) -> s3.CfnBucket:
        is_log = name == self._names.log_bucket
        bucket = s3.CfnBucket(
            self,
            construct_id,
            bucket_name=name,
            bucket_encryption=s3.CfnBucket.BucketEncryptionProperty(
                server_side_encryption_configuration=[
                    s3.CfnBucket.ServerSideEncryptionRuleProperty(
                        server_side_encryption_by_default=s3.CfnBucket.ServerSideEncryptionByDefaultProperty(
                            sse_algorithm="AES256"
                        )
                    )
                ]
            ),
            lifecycle_configuration=s3.CfnBucket.LifecycleConfigurationProperty(rules=rules),
            logging_configuration=None
            if is_log
            else s3.CfnBucket.LoggingConfigurationProperty(
                destination_bucket_name=self._names.log_bucket, log_file_prefix=f"{name}/"
            ),
            notification_configuration=s3.CfnBucket.NotificationConfigurationProperty(
                event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
            )
            if tells_eventbridge
            else None,
            object_lock_enabled=None if lock_days is None else True,
            object_lock_configuration=None if lock_days is None else _lock(lock_days),
            ownership_controls=s3.CfnBucket.OwnershipControlsProperty(
                rules=[s3.CfnBucket.OwnershipControlsRuleProperty(object_ownership="BucketOwnerEnforced")]
            ),
            public_access_block_configuration=s3.CfnBucket.PublicAccessBlockConfigurationProperty(
                block_public_acls=True, block_public_policy=True, ignore_public_acls=True, restrict_public_buckets=True
            ),
            versioning_configuration=s3.CfnBucket.VersioningConfigurationProperty(status="Enabled"),
        )
        bucket.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        return bucket

    def _policy(self, construct_id: str, bucket: s3.CfnBucket, policy: ResourcePolicy) -> s3.CfnBucketPolicy:
        # The bucket by its name, as in the statements: cdk-nag compares them.
        assert bucket.bucket_name is not None
        made = s3.CfnBucketPolicy(self, construct_id, bucket=bucket.bucket_name, policy_document=policy.to_dict())
        made.add_resource_dependency(bucket)
        # Without its policy, a bucket that stays could be written by everybody whom its account lets.
        made.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        return made


def _expiry(what: str, days: int, prefix: str | None = None) -> s3.CfnBucket.RuleProperty:
    """Let objects expire; a day later their versions are gone."""
    return s3.CfnBucket.RuleProperty(
        id=f"Expire {what}",
        status="Enabled",
        prefix=prefix,
        abort_incomplete_multipart_upload=s3.CfnBucket.AbortIncompleteMultipartUploadProperty(days_after_initiation=1),
        expiration_in_days=days,
        noncurrent_version_expiration=s3.CfnBucket.NoncurrentVersionExpirationProperty(noncurrent_days=1),
    )


def _unfinished(what: str) -> s3.CfnBucket.RuleProperty:
    """Clear away what was never finished; the objects themselves stay, because deployments and rollbacks need them."""
    return s3.CfnBucket.RuleProperty(
        id=f"Abort unfinished {what}",
        status="Enabled",
        abort_incomplete_multipart_upload=s3.CfnBucket.AbortIncompleteMultipartUploadProperty(days_after_initiation=1),
    )


def _lock(days: int) -> s3.CfnBucket.ObjectLockConfigurationProperty:
    return s3.CfnBucket.ObjectLockConfigurationProperty(
        object_lock_enabled="Enabled",
        rule=s3.CfnBucket.ObjectLockRuleProperty(
            default_retention=s3.CfnBucket.DefaultRetentionProperty(mode="GOVERNANCE", days=days)
        ),
    )
