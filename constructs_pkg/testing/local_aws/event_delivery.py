"""EventBridge's deliveries that take a role: to the bus of another account or Region, and to a state machine.

MiniStack drops the first and asks nobody about the second. The schedules of EventBridge Scheduler go the same way.
"""

# MiniStack is untyped and has no public names for this; `internals` lists all that is touched.
# ruff: noqa: SLF001, ANN401

import json
import logging
from collections.abc import Callable
from typing import Any

from constructs_pkg.testing.local_aws.internals import (
    CLOUDFORMATION_PROVISIONERS,
    EVENTBRIDGE,
    IAM_EVALUATOR,
    RESPONSES,
    SCHEDULER,
)
from constructs_pkg.testing.local_aws.overlay import Overlay
from constructs_pkg.testing.local_aws.role_calls import RoleCalls

__all__ = ["install"]

_LOG = logging.getLogger("local-aws.events")
_BUS = "event-bus/"
_FORWARDED = "_ForwardedFromElsewhere"
_SCHEDULES_ARE_LOOKED_AT_EVERY_SECONDS = 1
"""MiniStack's ten seconds are long for a test; on AWS a schedule fires within a minute."""


def install(overlay: Overlay) -> None:
    """Deliver, keep the policies of event buses that CloudFormation makes, and look at schedules more often.

    Args:
        overlay: The registry; ``service_integrations`` comes before this.
    """
    delivery = _Delivery(overlay, overlay.part(RoleCalls))
    EVENTBRIDGE._invoke_target = delivery.invoking(EVENTBRIDGE._invoke_target)
    overlay.add_resource_type("AWS::Events::EventBus", _EventBuses())
    SCHEDULER._SCHEDULE_TICK_INTERVAL = _SCHEDULES_ARE_LOOKED_AT_EVERY_SECONDS


class _Delivery:
    def __init__(self, overlay: Overlay, calls: RoleCalls) -> None:
        self._overlay = overlay
        self._calls = calls

    def invoking(self, original: Callable[..., None]) -> Callable[..., None]:
        """Wrap the delivery to one target."""

        def invoke(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None) -> None:
            arn = str(target.get("Arn", ""))
            service, region, account, resource = _parts(arn)
            action = {"events": "events:PutEvents", "states": "states:StartExecution"}.get(service)
            if action is None or (service == "events" and not resource.startswith(_BUS)):
                original(target, event, rule, view)
                return
            if service == "events" and (event.get(_FORWARDED) or event.get("_DispatchPath")):
                _LOG.warning("an event that came from another bus is not sent on to %s", arn)
                return
            refused = self._refusal(str(target.get("RoleArn", "")), action, arn)
            if refused is not None:
                _LOG.warning("an event for %s is dropped: %s", arn, refused)
            elif service == "states" or (account, region) == (RESPONSES.get_account_id(), RESPONSES.get_region()):
                original(target, event, rule, view)
            else:
                self._forward(event, account, region, resource.removeprefix(_BUS))

        return invoke

    def _forward(self, event: dict[str, Any], account: str, region: str, bus: str) -> None:
        """Put an event onto a bus elsewhere; it keeps the account and the Region that it comes from."""
        if EVENTBRIDGE._event_buses.get_scoped(account, region, bus) is None:
            _LOG.warning("an event is dropped: there is no bus %s in %s, %s", bus, account, region)
            return
        forwarded = {**event, "EventBusName": bus, _FORWARDED: True}
        self._overlay.run_in(account, region, EVENTBRIDGE._dispatch_event, forwarded)

    def _refusal(self, role_arn: str, action: str, arn: str) -> str | None:
        """Return why a role may not deliver; None where it may, or where nothing is authorized."""
        if not self._overlay.settings.is_strict:
            return None
        if not role_arn:
            return "the target has no role"
        account = RESPONSES.get_account_id()
        access_key, _, _ = self._calls.credentials(account, role_arn, "events")
        principal = IAM_EVALUATOR.resolve_principal(access_key, account)
        if not isinstance(principal, IAM_EVALUATOR.PrincipalInfo) or principal.policies is None:
            return f"{role_arn} is no role of {account}"
        context = IAM_EVALUATOR.EvalContext(
            principal_arn=principal.arn,
            principal_type=principal.type,
            principal_account=principal.account,
            action=action,
            resource_arn=arn,
            region=RESPONSES.get_region(),
            principal_keys=principal.keys,
        )
        if IAM_EVALUATOR.evaluate(context, principal.policies, *principal.limits).decision != "Allow":
            return f"{role_arn} may not {action}"
        service, region, owner, resource = _parts(arn)
        if service == "events" and owner != account:
            policy = EVENTBRIDGE._event_bus_policies.get_scoped(owner, region, resource.removeprefix(_BUS))
            if IAM_EVALUATOR.evaluate_resource_policy(policy, context).decision != "Allow":
                return f"the policy of the bus does not let {role_arn} in"
        return None


class _EventBuses:
    """``AWS::Events::EventBus`` with its ``Policy``, which MiniStack leaves out."""

    def __init__(self) -> None:
        self._original: dict[str, Any] = dict(CLOUDFORMATION_PROVISIONERS._RESOURCE_HANDLERS["AWS::Events::EventBus"])

    def create(self, logical_id: str, properties: dict[str, Any], stack_name: str) -> tuple[str, dict[str, Any]]:
        name, attributes = self._original["create"](logical_id, properties, stack_name)
        _keep_policy(name, properties)
        return name, attributes

    def update(
        self, physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str
    ) -> tuple[str, dict[str, Any]]:
        name, attributes = self._original["update"](physical_id, old, new, stack_name)
        _keep_policy(name, new)
        return name, attributes

    def delete(self, physical_id: str, properties: dict[str, Any]) -> None:
        self._original["delete"](physical_id, properties)
        EVENTBRIDGE._event_bus_policies.pop(physical_id, None)


def _keep_policy(bus: str, properties: dict[str, Any]) -> None:
    policy = properties.get("Policy")
    if policy:
        EVENTBRIDGE._event_bus_policies[bus] = json.loads(policy) if isinstance(policy, str) else policy
    else:
        EVENTBRIDGE._event_bus_policies.pop(bus, None)


def _parts(arn: str) -> tuple[str, str, str, str]:
    """Return service, Region, account and resource of an ARN; empty texts where it is none."""
    parts = arn.split(":", 5)
    return (parts[2], parts[3], parts[4], parts[5]) if len(parts) == 6 else ("", "", "", "")
