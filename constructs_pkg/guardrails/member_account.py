"""The names in a member account: roles, policies, rules and stacks that the rollout makes there, and whom they trust.

Everybody who meets a member account (the templates, the drift remediation, the audit) takes the names from here.
"""

from dataclasses import dataclass

from constructs_pkg.guardrails.documents import Condition
from constructs_pkg.guardrails.trust_policy import TrustPolicy
from constructs_pkg.regions import URL_SUFFIXES

__all__ = ["MemberAccount"]


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberAccount:
    """What the rollout calls things in one member account, and the central things that they know.

    Attributes:
        prefix: The organization's short name.
        organization_id: Such as ``o-a1b2c3d4e5``.
        partition: ``aws``, ``aws-cn``, …
        account: The 12 digits of the member account; an AWS CDK token is passed through.
        security_account: The 12 digits of the account that rolls out, repairs and audits.
        home_region: The Region of the central event bus.
    """

    prefix: str
    organization_id: str
    partition: str
    account: str
    security_account: str
    home_region: str

    @property
    def remediator_role(self) -> str:
        """Return the name of the role that puts drifted resources back; the service control policy exempts it."""
        return f"{self.prefix}-drift-remediator"

    @property
    def auditor_role(self) -> str:
        """Return the name of the role that reads what ``promote``, ``rollout status`` and the audit report."""
        return f"{self.prefix}-code-signing-auditor"

    def forwarder_role(self, region: str) -> str:
        """Return the name of the role with which EventBridge sends events of one Region to the central bus.

        One for each Region, because EventBridge looks whether the role is there when a rule gets its target, and the
        Regions of an account come in any order.

        Args:
            region: The Region; ``*`` for the pattern of all, an AWS CDK token is passed through.
        """
        return f"{self.prefix}-code-signing-forwarder-{region}"

    @property
    def central_drift_role_arn(self) -> str:
        """Return the ARN of the one role that may become the remediator: that of the central repair function."""
        return f"arn:{self.partition}:iam::{self.security_account}:role/{self.prefix}-drift-remediation"

    @property
    def drift_external_id(self) -> str:
        """Return what the central repair function must state when it assumes the remediator."""
        return f"{self.organization_id}/drift"

    @property
    def lent_templates_arn(self) -> str:
        """Return the pattern of the objects that the central repair function lends: templates too large to be sent."""
        return f"arn:{self.partition}:s3:::{self._drift_bucket}/templates/*"

    @property
    def lent_templates_url(self) -> str:
        """Return the same as addresses for CloudFormation, in S3's path style as the CDK writes them."""
        host = f"s3.{self.home_region}.{URL_SUFFIXES[self.partition]}"
        return f"https://{host}/{self._drift_bucket}/templates/*"

    @property
    def _drift_bucket(self) -> str:
        return f"{self.prefix}-drift-remediation-{self.security_account}-{self.home_region}"

    @property
    def event_bus_name(self) -> str:
        """Return the name of the central event bus, in the security account and the home Region."""
        return f"{self.prefix}-code-signing"

    @property
    def event_bus_arn(self) -> str:
        """Return the ARN of the central event bus."""
        return f"arn:{self.partition}:events:{self.home_region}:{self.security_account}:event-bus/{self.event_bus_name}"

    @property
    def stack_set_prefix(self) -> str:
        """Return what the names of all our StackSets begin with; the name of the wave follows."""
        return f"{self.prefix}-code-signing-"

    @property
    def stack_arns(self) -> str:
        """Return the pattern of the ARNs of the stacks that our StackSets make here (``StackSet-NAME-UUID``)."""
        return f"arn:{self.partition}:cloudformation:*:{self.account}:stack/StackSet-{self.stack_set_prefix}*/*"

    @property
    def rule_arns(self) -> str:
        """Return the pattern of the ARNs of the EventBridge rules, which are on the default bus."""
        return f"arn:{self.partition}:events:*:{self.account}:rule/{self.prefix}-code-signing-*"

    def rule_name(self, what: str) -> str:
        """Return the name of the EventBridge rule that forwards something, such as ``changes``."""
        return f"{self.prefix}-code-signing-{what}"

    @property
    def alarm_arns(self) -> str:
        """Return the pattern of the ARNs of the CloudWatch alarms."""
        return f"arn:{self.partition}:cloudwatch:*:{self.account}:alarm:{self.prefix}-code-signing-*"

    @property
    def parameter_arns(self) -> str:
        """Return the pattern of the ARNs of the SSM parameters."""
        return f"arn:{self.partition}:ssm:*:{self.account}:parameter/lambda-code-signing/*"

    @property
    def config_arns(self) -> str:
        """Return the pattern of the ARNs of all code signing configs of the account, whose ids are random."""
        return f"arn:{self.partition}:lambda:*:{self.account}:code-signing-config:*"

    def role_arn(self, name: str) -> str:
        """Return the ARN of a role of this account, without a path."""
        return f"arn:{self.partition}:iam::{self.account}:role/{name}"

    def policy_name(self, of: str, which: int | str) -> str:
        """Return the name of a managed policy of ours, which the guardrails protect by the way it begins.

        Args:
            of: ``remediator``, ``auditor`` or ``forwarder``.
            which: The number of the document, from 1; the Region for a forwarder.
        """
        return f"{self.prefix}-guardrail-{of}-{which}"

    def policy_arns(self, of: str = "") -> str:
        """Return the pattern of the ARNs of our managed policies: all of them, or those of one role."""
        return f"arn:{self.partition}:iam::{self.account}:policy/{self.prefix}-guardrail-{of and of + '-'}*"

    @property
    def remediator_trust(self) -> TrustPolicy:
        """Return who may become the remediator: the central repair function alone, from our organization.

        The principal is the account, because IAM replaces a role that is named as the principal by its unique id, and
        a role that is made again would be another (IAM User Guide, "AWS JSON policy elements: Principal"). The ARN is
        then exact by ``aws:PrincipalArn``.
        """
        return TrustPolicy(
            kind="AWS",
            principal=f"arn:{self.partition}:iam::{self.security_account}:root",
            conditions=(
                Condition("ArnEquals", "aws:PrincipalArn", (self.central_drift_role_arn,)),
                Condition("StringEquals", "aws:PrincipalOrgID", (self.organization_id,)),
                Condition("StringEquals", "sts:ExternalId", (self.drift_external_id,)),
            ),
        )

    @property
    def auditor_trust(self) -> TrustPolicy:
        """Return who may become the auditor: whoever the security account lets (its own policies decide)."""
        return TrustPolicy(
            kind="AWS",
            principal=f"arn:{self.partition}:iam::{self.security_account}:root",
            conditions=(Condition("StringEquals", "aws:PrincipalOrgID", (self.organization_id,)),),
        )

    @property
    def forwarder_trust(self) -> TrustPolicy:
        """Return who may become the forwarder: EventBridge, for our rules of this account."""
        return TrustPolicy(
            kind="Service",
            principal="events.amazonaws.com",
            conditions=(
                Condition("StringEquals", "aws:SourceAccount", (self.account,)),
                Condition("ArnLike", "aws:SourceArn", (self.rule_arns,)),
            ),
        )
