"""Every rule by its id, and which check looks at which resource."""

from collections.abc import Callable, Iterator

from constructs_pkg.rules import (
    cdk_helpers,
    check_rules,
    code_rules,
    config_rules,
    layer_rules,
    policy_rules,
    profile_rules,
    publisher_rules,
    surface_rules,
)
from constructs_pkg.rules.code_property import CODE_TYPES, FUNCTION_TYPES
from constructs_pkg.rules.context import CheckContext
from constructs_pkg.rules.statements import POLICY_TYPES
from constructs_pkg.rules.template import Resource
from constructs_pkg.rules.violation import Hit, Rule

__all__ = ["CHECKS", "RULES", "Check"]

Check = Callable[[Resource, CheckContext], Iterator[Hit]]
"""Looks at one resource and says what is wrong with it."""

_MODULES = (
    config_rules,
    surface_rules,
    publisher_rules,
    cdk_helpers,
    code_rules,
    layer_rules,
    profile_rules,
    policy_rules,
    check_rules,
)

RULES: dict[str, Rule] = {
    rule.id: rule for rule in sorted((rule for module in _MODULES for rule in module.RULES), key=lambda rule: rule.id)
}
"""Every rule by its id, in the order of the ids."""

_BY_TYPES: tuple[tuple[tuple[str, ...], tuple[Check, ...]], ...] = (
    (FUNCTION_TYPES, (config_rules.check_function_config,)),
    (CODE_TYPES, (code_rules.check_code,)),
    (FUNCTION_TYPES, (layer_rules.check_layers,)),
    (
        (config_rules.CONFIG_TYPE,),
        (config_rules.check_config_mode, publisher_rules.check_publishers, profile_rules.check_platform),
    ),
    ((publisher_rules.PROFILE_TYPE,), (profile_rules.check_profile_name, profile_rules.check_profile_validity)),
    ((profile_rules.PERMISSION_TYPE,), (profile_rules.check_profile_permission,)),
    (POLICY_TYPES, (policy_rules.check_statements, policy_rules.check_managed_policies)),
    ((policy_rules.FUNCTION_PERMISSION,), (policy_rules.check_function_permission,)),
    (surface_rules.SURFACE_TYPES, (surface_rules.check_surface,)),
    (("AWS::Serverless::Application",), (surface_rules.check_application,)),
    (("AWS::CloudFormation::Stack", "AWS::CloudFormation::StackSet"), (check_rules.check_nested,)),
)

CHECKS: dict[str, tuple[Check, ...]] = {}
"""The checks of each type of resource, in the order in which they report."""

for _types, _checks in _BY_TYPES:
    for _type in _types:
        CHECKS[_type] = CHECKS.get(_type, ()) + _checks
