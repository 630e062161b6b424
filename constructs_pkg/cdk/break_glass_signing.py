"""Signing in an emergency: a profile that short signatures come from, a role for people on call, and an alarm."""

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from constructs_pkg.cdk.claims import claim_name
from constructs_pkg.cdk.signing_profile import LambdaSigningProfile, RecordedProfile
from constructs_pkg.errors import ConstructError
from constructs_pkg.guardrails.break_glass import SESSION_SECONDS, BreakGlassAccess
from constructs_pkg.validity import Validity

__all__ = ["BreakGlassSigning"]

_MAX_VALIDITY_DAYS = 7
_AWS_MANAGED_KEY = "alias/aws/sns"


class BreakGlassSigning(Construct):
    """A way to sign when the normal one is broken, which is narrow, short and loud, and loosens no config.

    Lambda goes on enforcing: what runs after an emergency was signed, by a person whom the records name. The profile's
    signatures run out after days, so that its code cannot be deployed again; it must be in the configs of the
    application *before* the emergency. The role is assumed by named IAM users with MFA, for one hour, with an incident
    in the session's tags, and can sign with this profile and nothing else: it cannot change a function, a config, a
    profile or itself. Every assumption of the role and every job of the profile goes to the topic.

    Why there is no role that switches a config to Warn is told in ``docs/adr`` and ``docs/incidents.md``.

    What it does not do: deploy (developers do, under their guardrail), attach itself to configs (pass ``profile`` to
    them), make the IAM users, or replace what was signed with it: code that runs keeps running when its signature runs
    out.

    Args:
        scope: The parent construct, in the publisher account and the home Region.
        construct_id: Id within the scope.
        prefix: The organization's short name.
        application: The application. Each has its own, as each has its own signing profile.
        principals: ARNs of IAM users, at least one; see `BreakGlassAccess`.
        bucket: A versioned bucket of this account and Region, used by ``lambda-code-signing sign --bucket``.
        topic: Who is alarmed: a topic of this App, because a rule can only publish where the topic's policy says so.
        generation: The generation of the profile ``<prefix>_<application>_emergency_g<generation>``.
        validity: How long signatures last, 1 to 7 days.
        recorded: As for `LambdaSigningProfile`.

    Attributes:
        access: Role and policy as values.
        profile: The emergency profile; list it in the application's configs.
        role: The ``AWS::IAM::Role``.
        policy: The ``AWS::IAM::ManagedPolicy``.
        assumed: The rule about the role.
        signed: The rule about the profile.

    Raises:
        ConstructError: The validity is longer, the topic is of another App or cannot be published to by Amazon
            EventBridge, or as for `LambdaSigningProfile`.
        GuardrailError: A principal is no IAM user, or a name does not fit.

    Facts: ``AssumeRole`` is a read-only management event, which rules see only in the state
    ``ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS`` (Amazon EventBridge user guide, "Receiving read-only management
    events from AWS services"); a topic under the key ``alias/aws/sns`` takes no events (ibid., "Amazon SNS
    permissions").
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        prefix: str,
        application: str,
        principals: Sequence[str],
        bucket: s3.IBucket,
        topic: sns.Topic,
        generation: int = 1,
        validity: Validity | None = None,
        recorded: Mapping[str, RecordedProfile] | None = None,
    ) -> None:
        lasting = Validity(3, "DAYS") if validity is None else validity
        if lasting.unit != "DAYS" or lasting.value > _MAX_VALIDITY_DAYS:
            raise ConstructError(
                f"validity={lasting} is not 1 to {_MAX_VALIDITY_DAYS} days. What was signed in an emergency must be "
                "replaced by code that was signed as usual"
            )
        _check_topic(topic)
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        name_prefix = f"{prefix}_{application}_emergency".replace("-", "_")
        self.profile = LambdaSigningProfile(
            self, f"G{generation}", name_prefix=name_prefix, generation=generation, validity=lasting, recorded=recorded
        )
        self.access = BreakGlassAccess(
            prefix=prefix,
            application=application,
            # Not stack.partition nor bucket.bucket_arn, which a feature flag of the user writes differently.
            partition=cdk.Aws.PARTITION,
            account=stack.account,
            region=stack.region,
            principals=tuple(principals),
            profile_arn=self.profile.profile_arn,
            bucket_arn=f"arn:{cdk.Aws.PARTITION}:s3:::{bucket.bucket_name}",
        )
        claim_name(self, "role name", self.access.role_name, "Declare one BreakGlassSigning for each application")
        self.policy = iam.CfnManagedPolicy(
            self,
            "Policy",
            managed_policy_name=self.access.policy_name,
            description=f"{application}: signing in an emergency",
            policy_document=self.access.policy().to_dict(),
        )
        self.role = iam.CfnRole(
            self,
            "Role",
            role_name=self.access.role_name,
            description=f"{application}: signing in an emergency. Every use raises an alarm",
            assume_role_policy_document=self.access.trust_policy(),
            managed_policy_arns=[self.policy.attr_policy_arn],
            max_session_duration=SESSION_SECONDS,
        )
        self.assumed = self._rule(
            "Assumed",
            topic,
            state="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
            source="aws.sts",
            # Refused attempts count too: somebody tried.
            detail={"eventName": ["AssumeRole"], "requestParameters": {"roleArn": [self.role.attr_arn]}},
        )
        self.signed = self._rule(
            "Signed",
            topic,
            state="ENABLED",
            source="aws.signer",
            detail={
                "$or": [
                    {"requestParameters": {"profileName": [self.profile.profile_name]}},
                    {"userIdentity": {"sessionContext": {"sessionIssuer": {"arn": [self.role.attr_arn]}}}},
                ]
            },
        )
        cdk.CfnOutput(self, "RoleArn", value=self.role.attr_arn, description="Role for signing in an emergency")

    def _rule(
        self, construct_id: str, topic: sns.Topic, *, state: str, source: str, detail: dict[str, object]
    ) -> events.CfnRule:
        application = self.access.application
        rule = events.CfnRule(
            self,
            construct_id,
            description=f"{application}: somebody signs in an emergency, or tries to",
            state=state,
            event_pattern={"source": [source], "detail-type": ["AWS API Call via CloudTrail"], "detail": detail},
            targets=[
                events.CfnRule.TargetProperty(
                    id="Alarm",
                    arn=topic.topic_arn,
                    input_transformer=events.CfnRule.InputTransformerProperty(
                        input_paths_map={
                            "action": "$.detail.eventName",
                            "who": "$.detail.userIdentity.arn",
                            "when": "$.detail.eventTime",
                            "from": "$.detail.sourceIPAddress",
                            "error": "$.detail.errorCode",
                            "id": "$.detail.eventID",
                        },
                        input_template=(
                            f'"BREAK GLASS {application}: <action> by <who> from <from> at <when>. Error: <error>. '
                            'CloudTrail event <id>. If nobody on call knows why, treat it as an intrusion."'
                        ),
                    ),
                )
            ],
        )
        topic.add_to_resource_policy(
            iam.PolicyStatement.from_json(
                {
                    "Sid": f"Alarm{rule.node.addr[-16:]}",
                    "Effect": "Allow",
                    "Principal": {"Service": "events.amazonaws.com"},
                    "Action": "sns:Publish",
                    "Resource": topic.topic_arn,
                    "Condition": {"ArnEquals": {"aws:SourceArn": rule.attr_arn}},
                }
            )
        )
        return rule


def _check_topic(topic: object) -> None:
    # The annotation stops nobody at run time, and an imported topic would swallow the alarm without a word.
    resource = topic.node.default_child if isinstance(topic, sns.Topic) else None
    if not isinstance(resource, sns.CfnTopic):
        raise ConstructError(
            f"topic is a {type(topic).__name__}; only the policy of an aws_sns.Topic of this App can let the rules "
            "publish. Make a topic, and subscribe the people on call to it"
        )
    if resource.kms_master_key_id == _AWS_MANAGED_KEY:
        raise ConstructError(
            f"topic={resource.node.path} is encrypted with {_AWS_MANAGED_KEY}, which lets Amazon EventBridge publish "
            "nothing. Use a key of your own whose policy allows events.amazonaws.com kms:Decrypt and "
            "kms:GenerateDataKey*"
        )
