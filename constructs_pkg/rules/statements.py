"""The IAM statements in a template, wherever CloudFormation and SAM take them, and what a statement covers."""

import fnmatch
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import cast

from constructs_pkg.rules.template import Resource, as_mapping
from constructs_pkg.rules.values import AttributeOf, Known, Outside, Possible, as_items, flattened, resolve

__all__ = ["CONFIG_KEY", "POLICY_TYPES", "Document", "StatementInTemplate", "documents_of", "managed_policies_of"]

CONFIG_KEY = "lambda:codesigningconfigarn"
"""The condition key in lower case: IAM's keys are blind to case."""

_WITH_DOCUMENT = (
    "AWS::IAM::GroupPolicy",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::RolePolicy",
    "AWS::IAM::UserPolicy",
)
_WITH_POLICIES = ("AWS::IAM::Group", "AWS::IAM::Role", "AWS::IAM::User")
_SAM = ("AWS::Serverless::Function", "AWS::Serverless::StateMachine")
_PERMISSION_SET = "AWS::SSO::PermissionSet"
_SERVICE_CONTROL = "AWS::Organizations::Policy"
POLICY_TYPES = (*_WITH_DOCUMENT, *_WITH_POLICIES, *_SAM, _PERMISSION_SET, _SERVICE_CONTROL)
"""The types of resources that hold IAM statements."""


@dataclass(frozen=True)
class StatementInTemplate:
    """One statement.

    Attributes:
        resource: Where it stands.
        body: The statement as it is written.
        location: Its place in the resource.
    """

    resource: Resource
    body: Mapping[str, object]
    location: str

    @property
    def allows(self) -> bool:
        """Tell whether it can be an ``Allow``."""
        return set(resolve(self.resource.template, self.body.get("Effect"))) != {Known("Deny")}

    @property
    def denies(self) -> bool:
        """Tell whether it is a ``Deny`` in every case."""
        return self.body.get("Effect") == "Deny"

    @cached_property
    def actions(self) -> tuple[str, ...]:
        """Return the patterns of ``Action``, in lower case; ``*`` for what is open until the deployment."""
        return self._texts("Action", "*")

    @property
    def is_of_actions(self) -> bool:
        """Tell whether it names actions and not the actions that it is not about."""
        return "Action" in self.body

    def covers(self, action: str) -> bool:
        """Tell whether it is about an action, given in lower case."""
        if self.is_of_actions:
            return any(_matches(pattern, action) for pattern in self.actions)
        excepted = self._texts("NotAction", "")
        return "NotAction" in self.body and not any(_matches(pattern, action) for pattern in excepted)

    def may_concern(self, service: str) -> bool:
        """Tell whether any of its resources can be one of a service's; what is open may be anything."""
        if "Resource" not in self.body:
            return True
        found = flattened(self.resource.template, self.body["Resource"])
        return any(_can_be_of(service, item) for item in found)

    @property
    def is_about_everything(self) -> bool:
        """Tell whether it is about every resource of an account, or every function."""
        if "Resource" not in self.body:
            return False
        items = [as_mapping(item).get("Fn::Sub", item) for item in as_items(self.body["Resource"])]
        texts = [item for item in items if isinstance(item, str)]
        return any(text == "*" or text.endswith((":function:*", ":lambda:*:*:*")) for text in texts)

    def conditions(self) -> Iterator[tuple[str, str, list[object]]]:
        """Yield operator, key in lower case, and values of each condition."""
        for operator, keys in as_mapping(self.body.get("Condition")).items():
            for key, values in as_mapping(keys).items():
                yield operator, key.lower(), as_items(values)

    def _texts(self, element: str, when_open: str) -> tuple[str, ...]:
        found = flattened(self.resource.template, self.body.get(element))
        return tuple(
            item.value.lower() if isinstance(item, Known) and isinstance(item.value, str) else when_open
            for item in found
        )


@dataclass(frozen=True, slots=True)
class Document:
    """One policy document: its denies bind its allows.

    Attributes:
        statements: Its statements.
        location: Its place in the resource.
        grants: Whether an ``Allow`` in it gives anybody anything; not so in a service control policy.
        is_open: Whether it is open until the deployment what it says, in part or at all.
    """

    statements: tuple[StatementInTemplate, ...]
    location: str
    grants: bool = True
    is_open: bool = False


def documents_of(resource: Resource) -> Iterator[Document]:
    """Yield the policy documents of one resource; trust policies (who may assume a role) grant no actions on code."""
    properties = resource.properties
    if resource.type in _WITH_DOCUMENT:
        yield from _documents(resource, properties.get("PolicyDocument"), "Properties/PolicyDocument")
    elif resource.type in _WITH_POLICIES:
        for number, policy in enumerate(flattened(resource.template, properties.get("Policies"))):
            place = f"Properties/Policies/{number}/PolicyDocument"
            value = as_mapping(policy.value).get("PolicyDocument") if isinstance(policy, Known) else policy
            yield from _documents(resource, value, place)
    elif resource.type in _SAM:
        for number, policy in enumerate(flattened(resource.template, properties.get("Policies"))):
            if isinstance(policy, Known) and "Statement" in as_mapping(policy.value):
                yield from _documents(resource, policy.value, f"Properties/Policies/{number}")
    elif resource.type == _PERMISSION_SET:
        yield from _documents(resource, properties.get("InlinePolicy"), "Properties/InlinePolicy")
    elif resource.type == _SERVICE_CONTROL:
        yield from _documents(resource, properties.get("Content"), "Properties/Content", grants=False)


def managed_policies_of(resource: Resource) -> Iterator[str]:
    """Yield the names of AWS's own managed policies that a resource attaches, such as ``AdministratorAccess``."""
    keys = ("ManagedPolicies",) if resource.type == _PERMISSION_SET else ("ManagedPolicyArns",)
    for key in (*keys, "Policies") if resource.type in _SAM else keys:
        for found in flattened(resource.template, resource.properties.get(key)):
            if isinstance(found, Known) and isinstance(found.value, str):
                name = found.value.rpartition("/")[2]
                if ":iam::aws:policy/" in found.value or resource.type in _SAM:
                    yield name


def _documents(resource: Resource, value: object, place: str, *, grants: bool = True) -> Iterator[Document]:
    """Yield what a policy document can be; one that is open until the deployment, in part or at all, says so."""
    # A policy in a list is resolved already, and may be what the deployment decides.
    possible = (value,) if isinstance(value, Outside | AttributeOf) else resolve(resource.template, value)
    for found in possible:
        document = found.value if isinstance(found, Known) else found
        if isinstance(document, str):
            document = _parsed(document)
        if isinstance(document, Outside | AttributeOf):
            yield Document((), place, grants=grants, is_open=True)
        elif isinstance(document, dict):
            written = as_mapping(cast("object", document)).get("Statement")
            found_statements = list(flattened(resource.template, written))
            statements = [
                StatementInTemplate(resource, as_mapping(item.value), f"{place}/Statement/{number}")
                for number, item in enumerate(found_statements)
                if isinstance(item, Known)
            ]
            is_open = len(statements) < len(found_statements)
            yield Document(tuple(statements), place, grants=grants, is_open=is_open)


def _parsed(text: str) -> object:
    """Parse a document that stands in a text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return Outside("intrinsic", "a policy document in a text")


@lru_cache(maxsize=10_000)
def _matches(pattern: str, action: str) -> bool:
    return fnmatch.fnmatchcase(action, pattern.replace("[", "[[]"))


def _can_be_of(service: str, found: Possible) -> bool:
    if isinstance(found, AttributeOf):
        kind = found.resource.type.lower().split("::")
        return len(kind) < 3 or kind[0] != "aws" or kind[1] in {service, "serverless"}
    if isinstance(found, Known) and isinstance(found.value, str):
        parts = found.value.split(":")
        return len(parts) < 3 or "${" in parts[2] or _matches(parts[2].lower(), service)
    return True
