"""What drift detection reads of the types that the product deploys; MiniStack compares it with the template.

Only properties that the template sets are compared (CloudFormation's guide, "Detecting unmanaged changes"); write-only
ones, such as a function's code, are never read.
"""

import json
from collections.abc import Callable
from importlib import import_module
from typing import Any

from constructs_pkg.testing.local_aws.code_signing_configs import CodeSigningConfigs
from constructs_pkg.testing.local_aws.overlay import Overlay, Request

__all__ = ["install"]

_Properties = dict[str, Any]
_Reader = Callable[[str, _Properties], _Properties | None]

# MiniStack ships no types.
_DRIFT: Any = import_module("ministack.services.cloudformation.drift")
_PROVISIONERS: Any = import_module("ministack.services.cloudformation.provisioners")
_IAM: Any = import_module("ministack.services.iam")
_SIGNER: Any = import_module("ministack.services.signer")
_LAMBDA: Any = import_module("ministack.services.lambda_svc")
_RULES: Any = import_module("ministack.services.eventbridge")
_ALARMS: Any = import_module("ministack.services.cloudwatch")

_ALARM_PROPERTIES = frozenset({
    "ActionsEnabled", "AlarmActions", "AlarmDescription", "AlarmName", "ComparisonOperator", "DatapointsToAlarm",
    "Dimensions", "EvaluationPeriods", "ExtendedStatistic", "InsufficientDataActions", "MetricName", "Metrics",
    "Namespace", "OKActions", "Period", "Statistic", "Tags", "Threshold", "TreatMissingData", "Unit",
})  # fmt: skip
_RULE_PROPERTIES = frozenset({
    "Description", "EventBusName", "EventPattern", "Name", "RoleArn", "ScheduleExpression", "State", "Targets",
})  # fmt: skip


def install(overlay: Overlay) -> None:
    """Let drift detection read the types.

    Args:
        overlay: Has the code signing configs.
    """
    configs = overlay.part(CodeSigningConfigs)

    def read_config(physical_id: str, expected: _Properties) -> _Properties | None:
        del expected
        config = configs.find(physical_id)
        if config is None:
            return None
        tags = configs.list_tags({"Resource": physical_id}, Request("lambda", "GET", "/", {}, b"", {}))["Tags"]
        return {**config, "Tags": tags}

    readers: dict[str, tuple[_Reader, frozenset[str]]] = {
        "AWS::Lambda::CodeSigningConfig": (
            read_config,
            frozenset({"AllowedPublishers", "CodeSigningPolicies", "Description", "Tags"}),
        ),
        "AWS::Signer::SigningProfile": (
            _read_profile,
            frozenset({"PlatformId", "ProfileName", "SignatureValidityPeriod", "Tags"}),
        ),
        "AWS::Signer::ProfilePermission": (
            _read_permission,
            frozenset({"Action", "Principal", "ProfileName", "ProfileVersion", "StatementId"}),
        ),
        "AWS::IAM::ManagedPolicy": (
            _read_managed_policy,
            frozenset({"Description", "ManagedPolicyName", "Path", "PolicyDocument", "Roles"}),
        ),
        "AWS::Events::Rule": (_read_rule, _RULE_PROPERTIES),
        "AWS::CloudWatch::Alarm": (_read_alarm, _ALARM_PROPERTIES),
    }
    for name, (read, properties) in readers.items():
        overlay.add_drift_reader(name, read, properties)
    more = {"AWS::IAM::Role": (_more_of_role, frozenset({"ManagedPolicyArns", "PermissionsBoundary", "Policies"}))}
    more["AWS::Lambda::Function"] = (_more_of_function, frozenset({"CodeSigningConfigArn", "Layers"}))
    for name, (read, properties) in more.items():
        ministack_reader, known = _DRIFT._DRIFT_READERS[name]  # noqa: SLF001
        overlay.add_drift_reader(name, _both(ministack_reader, read), known | properties)


def _both(first: _Reader, second: _Reader) -> _Reader:
    def read(physical_id: str, expected: _Properties) -> _Properties | None:
        found = first(physical_id, expected)
        return None if found is None else found | (second(physical_id, expected) or {})

    return read


def _read_profile(physical_id: str, expected: _Properties) -> _Properties | None:
    """A cancelled profile counts as deleted; what AWS says of one is not documented."""
    profile = _SIGNER._profiles.get(physical_id.rpartition("/")[2])  # noqa: SLF001
    if profile is None or profile["status"] != "Active":
        return None
    period: _Properties = profile.get("signatureValidityPeriod") or {}
    found: _Properties = {"PlatformId": profile["platformId"], "ProfileName": profile["profileName"]}
    found["Tags"] = profile.get("tags") or {}
    if period and "SignatureValidityPeriod" in expected:
        found["SignatureValidityPeriod"] = {"Type": period.get("type"), "Value": period.get("value")}
    return found


def _read_permission(physical_id: str, expected: _Properties) -> _Properties | None:
    del expected
    statement_id, _, name = physical_id.partition("|")
    profile: _Properties = _SIGNER._profiles.get(name) or {}  # noqa: SLF001
    policy: _Properties = profile.get("policy") or {}
    statements: list[_Properties] = policy.get("statements", [])
    for statement in statements:
        if statement["statementId"] == statement_id:
            found: _Properties = {
                "Action": statement["action"],
                "Principal": statement["principal"],
                "StatementId": statement_id,
            }
            version = statement.get("profileVersion")
            return found | {"ProfileName": name} | ({} if version is None else {"ProfileVersion": version})
    return None


def _read_managed_policy(physical_id: str, expected: _Properties) -> _Properties | None:
    del expected
    policy = _IAM._policies.get(physical_id)  # noqa: SLF001
    if policy is None:
        return None
    document = policy["Versions"][policy["DefaultVersionId"]]["Document"]
    roles = [name for name, role in _IAM._roles.items() if physical_id in role.get("AttachedPolicies", [])]  # noqa: SLF001
    return {
        "ManagedPolicyName": policy["PolicyName"],
        "Description": policy["Description"],
        "Path": policy["Path"],
        "PolicyDocument": _document(document),
        "Roles": roles,
    }


def _more_of_role(physical_id: str, expected: _Properties) -> _Properties:
    role = _IAM._roles[physical_id]  # noqa: SLF001
    inline = [
        {"PolicyName": name, "PolicyDocument": _document(document)} for name, document in role["InlinePolicies"].items()
    ]
    found: _Properties = {"Policies": inline, "ManagedPolicyArns": list(role["AttachedPolicies"])}
    if role.get("PermissionsBoundary") or "PermissionsBoundary" not in expected:
        found["PermissionsBoundary"] = role.get("PermissionsBoundary")
    return found


def _more_of_function(physical_id: str, expected: _Properties) -> _Properties:
    del expected
    function = _LAMBDA._functions[physical_id]  # noqa: SLF001
    layers: list[_Properties] = function["config"].get("Layers") or []
    found: _Properties = {"Layers": [layer["Arn"] for layer in layers]}
    if function.get("code_signing_config_arn"):
        found["CodeSigningConfigArn"] = function["code_signing_config_arn"]
    return found


def _read_rule(physical_id: str, expected: _Properties) -> _Properties | None:
    key = _RULES._rule_key(physical_id, _PROVISIONERS._eb_rule_bus_name(expected))  # noqa: SLF001
    rule = _RULES._rules.get(key)  # noqa: SLF001
    if rule is None:
        return None
    found = {name: rule[name] for name in _RULE_PROPERTIES if rule.get(name) not in {None, ""}}
    if "EventPattern" in found:
        found["EventPattern"] = _document(found["EventPattern"])
    # a bus that the template names by its ARN is stored by its name
    found["EventBusName"] = expected.get("EventBusName", "default")
    return {**found, "Targets": _RULES._targets.get(key, [])}  # noqa: SLF001


def _read_alarm(physical_id: str, expected: _Properties) -> _Properties | None:
    alarm = _ALARMS._alarms.get(physical_id)  # noqa: SLF001
    if alarm is None:
        return None
    found = {name: alarm[name] for name in _ALARM_PROPERTIES if alarm.get(name) is not None}
    if found["Threshold"].is_integer() and not isinstance(expected.get("Threshold"), float):
        # stored as a float whatever the template writes
        found["Threshold"] = int(found["Threshold"])
    return {**found, "Tags": _ALARMS._resource_tags.get(alarm["AlarmArn"], {})}  # noqa: SLF001


def _document(value: Any) -> Any:  # noqa: ANN401 (a policy or a pattern, as text or already read)
    return json.loads(value) if isinstance(value, str) else value
