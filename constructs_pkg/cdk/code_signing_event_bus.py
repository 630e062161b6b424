"""The central event bus, to which every member account of the organization forwards what happens to code signing."""

import aws_cdk as cdk
from aws_cdk import aws_events as events
from constructs import Construct

from constructs_pkg.errors import ConstructError
from constructs_pkg.guardrails import MemberAccount

__all__ = ["CodeSigningEventBus"]


class CodeSigningEventBus(Construct):
    """An event bus that takes events from the forwarder roles of one organization, and from nobody else.

    It keeps no archive and has no rules: whoever needs the events adds a rule of theirs.

    Args:
        scope: A construct in a stack of the security account and the home Region.
        construct_id: Id within the scope.
        member: The names of any member account; its ``account`` is not used.

    Attributes:
        l1: The bus.

    Raises:
        ConstructError: The stack is known to be in another account or Region than the members will send to.
    """

    def __init__(self, scope: Construct, construct_id: str, *, member: MemberAccount) -> None:
        stack = cdk.Stack.of(scope)
        for what, here, there in (
            ("account", stack.account, member.security_account),
            ("Region", stack.region, member.home_region),
        ):
            if not cdk.Token.is_unresolved(here) and here != there:
                raise ConstructError(
                    f"the event bus would be in the {what} {here}, and members send to {member.event_bus_arn}. "
                    f"Declare it in a stack of the {what} {there}"
                )
        super().__init__(scope, construct_id)
        self.name = member.event_bus_name
        self.arn = member.event_bus_arn
        forwarders = f"arn:{member.partition}:iam::*:role/{member.forwarder_role('*')}"
        statement = {
            "Sid": "OrganizationForwarders",
            "Effect": "Allow",
            "Principal": "*",
            "Action": "events:PutEvents",
            "Resource": member.event_bus_arn,
            "Condition": {
                "StringEquals": {"aws:PrincipalOrgID": member.organization_id},
                "ArnLike": {"aws:PrincipalArn": forwarders},
            },
        }
        self.l1 = events.CfnEventBus(
            self,
            "Resource",
            name=member.event_bus_name,
            description="Code signing events of all member accounts",
            policy={"Version": "2012-10-17", "Statement": [statement]},
        )
