"""What drift remediation keeps and tells: one key, the bucket of its reports, the topic, the dead-letter queue."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from constructs_pkg.regions import URL_SUFFIXES, partition_of_region

__all__ = ["DriftStorage", "partition_of"]

_DEAD_LETTER_DAYS = 14
_LENT_DAYS = 7
_REPLACED_DAYS = 90
"""How long what was overwritten or deleted stays: leases, proposals, the newest report of a StackSet."""


class DriftStorage(Construct):
    """The key, the versioned bucket, the topic and the dead-letter queue of one drift remediation.

    Everything is encrypted with one customer managed key, because the AWS managed keys of Amazon SNS and Amazon SQS
    admit neither CloudWatch alarms nor EventBridge (SNS guide, "Enabling compatibility between event sources from AWS
    services and encrypted topics"). The bucket and the key outlive the stack: reports are evidence.

    Args:
        scope: The parent construct.
        construct_id: Id within the scope.
        prefix: What every name begins with.
        log_groups: Names of the log groups that the key may encrypt, beside that of the events; may end with ``*``.
        emails: Who is asked to subscribe to the topic; each has to confirm.
        report_days: How long a run with its report stays in the bucket.
        organization_id: ``o-…``, whose remediators may read the templates that are lent to them.
        remediator_role: The name of their role.

    Attributes:
        key: Encrypts the bucket, the topic, the queue and the log groups.
        bucket_name: The bucket's name.
        events_log_group_name: A log group for events, which the key may encrypt.
        bucket: Runs with their reports below ``runs/``; what outlives a run: leases, proposals, newest reports; and
            below ``templates/`` what is too large to be sent to CloudFormation in a request.
        templates_url: What the addresses of the lent templates begin with, in S3's path style as the CDK writes them.
        topic: Hears of each run once, and of alarms.
        dead_letters: What could not start a run.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        prefix: str,
        log_groups: Sequence[str],
        emails: Sequence[str],
        report_days: int,
        organization_id: str,
        remediator_role: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._stack = cdk.Stack.of(self)
        self.events_log_group_name = f"/aws/events/{prefix}"
        self.bucket_name = f"{prefix}-{self._stack.account}-{self._stack.region}"
        self.key = self._key(prefix, [*log_groups, self.events_log_group_name])
        suffix = URL_SUFFIXES.get(partition_of(self), self._stack.url_suffix)
        self.templates_url = f"https://s3.{self._stack.region}.{suffix}/{self.bucket_name}/templates/"
        self.bucket = self._bucket(report_days, self._lend_templates(organization_id, remediator_role))
        self.topic = self._topic(prefix, emails)
        self.dead_letters = self._queue(prefix)

    def allow_dead_letters_of(self, rule_arns: Sequence[str]) -> None:
        """Let EventBridge put what rules could not deliver into the dead-letter queue.

        Args:
            rule_arns: The rules' ARNs.
        """
        sqs.CfnQueuePolicy(
            self,
            "DeadLettersPolicy",
            queues=[self.dead_letters.attr_queue_url],
            policy_document=_document(
                {
                    "Sid": "EventBridgeLeavesWhatItCouldNotDeliver",
                    "Effect": "Allow",
                    "Principal": {"Service": "events.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": self.dead_letters.attr_arn,
                    "Condition": {"ArnEquals": {"aws:SourceArn": list(rule_arns)}},
                },
                _tls_only("sqs:*", [self.dead_letters.attr_arn]),
            ),
        )

    def _key(self, prefix: str, log_groups: Sequence[str]) -> kms.CfnKey:
        account, region, partition = self._stack.account, self._stack.region, partition_of(self)
        groups = [f"arn:{partition}:logs:{region}:{account}:log-group:{name}" for name in log_groups]
        key = kms.CfnKey(
            self,
            "Key",
            description=f"{prefix}: reports, notifications and logs of drift remediation",
            enable_key_rotation=True,
            key_policy=_document(
                {
                    "Sid": "IamPoliciesOfThisAccountDecide",
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:{partition}:iam::{account}:root"},
                    "Action": "kms:*",
                    "Resource": "*",
                },
                {
                    "Sid": "AlarmsAndRulesUseTheTopicAndTheQueue",
                    "Effect": "Allow",
                    "Principal": {"Service": ["cloudwatch.amazonaws.com", "events.amazonaws.com"]},
                    "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
                    "Resource": "*",
                    "Condition": {"StringEquals": {"aws:SourceAccount": account}},
                },
                {
                    "Sid": "LogGroupsOfDriftRemediation",
                    "Effect": "Allow",
                    "Principal": {"Service": f"logs.{region}.{self._stack.url_suffix}"},
                    "Action": [
                        "kms:Decrypt*",
                        "kms:Describe*",
                        "kms:Encrypt*",
                        "kms:GenerateDataKey*",
                        "kms:ReEncrypt*",
                    ],
                    "Resource": "*",
                    "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
                },
            ),
        )
        key.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        return key

    def _lend_templates(self, organization_id: str, remediator_role: str) -> dict[str, object]:
        partition = partition_of(self)
        return {
            "Sid": "RemediatorsReadWhatIsLentToThem",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": "s3:GetObject",
            "Resource": f"arn:{partition}:s3:::{self.bucket_name}/templates/*",
            "Condition": {
                "StringEquals": {"aws:PrincipalOrgID": organization_id},
                "ArnLike": {"aws:PrincipalArn": f"arn:{partition}:iam::*:role/{remediator_role}"},
            },
        }

    def _bucket(self, report_days: int, lending: dict[str, object]) -> s3.CfnBucket:
        rule = s3.CfnBucket.RuleProperty
        bucket = s3.CfnBucket(
            self,
            "Reports",
            bucket_name=self.bucket_name,
            versioning_configuration=s3.CfnBucket.VersioningConfigurationProperty(status="Enabled"),
            bucket_encryption=s3.CfnBucket.BucketEncryptionProperty(
                server_side_encryption_configuration=[
                    s3.CfnBucket.ServerSideEncryptionRuleProperty(
                        bucket_key_enabled=True,
                        server_side_encryption_by_default=s3.CfnBucket.ServerSideEncryptionByDefaultProperty(
                            sse_algorithm="aws:kms", kms_master_key_id=self.key.attr_arn
                        ),
                    )
                ]
            ),
            public_access_block_configuration=s3.CfnBucket.PublicAccessBlockConfigurationProperty(
                block_public_acls=True, block_public_policy=True, ignore_public_acls=True, restrict_public_buckets=True
            ),
            ownership_controls=s3.CfnBucket.OwnershipControlsProperty(
                rules=[s3.CfnBucket.OwnershipControlsRuleProperty(object_ownership="BucketOwnerEnforced")]
            ),
            lifecycle_configuration=s3.CfnBucket.LifecycleConfigurationProperty(
                rules=[
                    rule(id="runs", prefix="runs/", status="Enabled", expiration_in_days=report_days),
                    rule(id="templates", prefix="templates/", status="Enabled", expiration_in_days=_LENT_DAYS),
                    rule(
                        id="replaced",
                        status="Enabled",
                        noncurrent_version_expiration=s3.CfnBucket.NoncurrentVersionExpirationProperty(
                            noncurrent_days=_REPLACED_DAYS
                        ),
                        abort_incomplete_multipart_upload=s3.CfnBucket.AbortIncompleteMultipartUploadProperty(
                            days_after_initiation=7
                        ),
                    ),
                ]
            ),
        )
        bucket.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        s3.CfnBucketPolicy(
            self,
            "ReportsPolicy",
            bucket=bucket.ref,
            policy_document=_document(_tls_only("s3:*", [bucket.attr_arn, f"{bucket.attr_arn}/*"]), lending),
        )
        return bucket

    def _topic(self, prefix: str, emails: Sequence[str]) -> sns.CfnTopic:
        topic = sns.CfnTopic(self, "Topic", topic_name=prefix, kms_master_key_id=self.key.attr_arn)
        sns.CfnTopicPolicy(
            self,
            "TopicPolicy",
            topics=[topic.attr_topic_arn],
            policy_document=_document(
                {
                    "Sid": "AlarmsOfThisAccountTell",
                    "Effect": "Allow",
                    "Principal": {"Service": "cloudwatch.amazonaws.com"},
                    "Action": "sns:Publish",
                    "Resource": topic.attr_topic_arn,
                    "Condition": {"StringEquals": {"aws:SourceAccount": self._stack.account}},
                },
                _tls_only("sns:Publish", [topic.attr_topic_arn]),
            ),
        )
        for number, email in enumerate(emails, start=1):
            sns.CfnSubscription(
                self, f"Email{number}", topic_arn=topic.attr_topic_arn, protocol="email", endpoint=email
            )
        return topic

    def _queue(self, prefix: str) -> sqs.CfnQueue:
        return sqs.CfnQueue(
            self,
            "DeadLetters",
            queue_name=f"{prefix}-dead-letters",
            kms_master_key_id=self.key.attr_arn,
            message_retention_period=_DEAD_LETTER_DAYS * 24 * 3600,
        )


def partition_of(scope: Construct) -> str:
    """Return the partition of a construct's stack: literally where its Region is known, whatever the user's flags."""
    stack = cdk.Stack.of(scope)
    known = None if cdk.Token.is_unresolved(stack.region) else partition_of_region(stack.region)
    return known or stack.partition


def _document(*statements: dict[str, object]) -> dict[str, object]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _tls_only(action: str, resources: list[str]) -> dict[str, object]:
    return {
        "Sid": "NobodyWithoutTls",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": action,
        "Resource": resources,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
