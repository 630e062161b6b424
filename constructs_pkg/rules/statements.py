"""The IAM statements in a template, wherever CloudFormation and SAM take them, and what a statement covers."""

import fnmatch
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from constructs_pkg.rules.template import Resource, as_mapping
from constructs_pkg.rules.values import AttributeOf, Known, as_items, resolve

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
        """Tell whether it is an ``Allow``."""
        return self.body.get("Effect") == "Allow"

    @property
    def denies(self) -> bool:
        """Tell whether it is a ``Deny``."""
        return self.body.get("Effect") == "Deny"

    @cached_property
    def actions(self) -> tuple[str, ...]:
        """Return the patterns of ``Action``, in lower case."""
        return self._texts("Action")

    @property
    def is_of_actions(self) -> bool:
        """Tell whether it names actions and not the actions that it is not about."""
        return "Action" in self.body

    def covers(self, action: str) -> bool:
        """Tell whether it is about an action, given in lower case."""
        if self.is_of_actions:
            return any(_matches(pattern, action) for pattern in self.actions)
        return "NotAction" in self.body and not any(_matches(pattern, action) for pattern in self._texts("NotAction"))

    def may_concern(self, service: str) -> bool:
        """Tell whether any of its resources can be one of a service's; what is open may be anything."""
        if "Resource" not in self.body:
            return True
        return any(_can_be_of(service, item, self.resource) for item in as_items(self.body["Resource"]))

    @property
    def is_about_everything(self) -> bool:
        """Tell whether it is about every resource of an account, or every function."""
        if "Resource" not in self.body:
            return False
        texts = [item for item in as_items(self.body["Resource"]) if isinstance(item, str)]
        return any(text == "*" or text.endswith((":function:*", ":lambda:*:*:*")) for text in texts)

    def conditions(self) -> Iterator[tuple[str, str, list[object]]]:
        """Yield operator, key in lower case, and values of each condition."""
        for operator, keys in as_mapping(self.body.get("Condition")).items():
            for key, values in as_mapping(keys).items():
                yield operator, key.lower(), as_items(values)

    def _texts(self, element: str) -> tuple[str, ...]:
        return tuple(
            found.value.lower()
            for item in as_items(self.body.get(element))
            for found in resolve(self.resource.template, item)
            if isinstance(found, Known) and isinstance(found.value, str)
        )


@dataclass(frozen=True, slots=True)
class Document:
    """One policy document: its denies bind its allows.

    Attributes:
        statements: Its statements.
        grants: Whether an ``Allow`` in it gives anybody anything; not so in a service control policy.
    """

    statements: tuple[StatementInTemplate, ...]
    grants: bool = True


def documents_of(resource: Resource) -> Iterator[Document]:
    """Yield the policy documents of one resource; trust policies (who may assume a role) grant no actions on code."""
    properties = resource.properties
    if resource.type in _WITH_DOCUMENT:
        yield _document(resource, properties.get("PolicyDocument"), "Properties/PolicyDocument")
    elif resource.type in _WITH_POLICIES:
        for number, policy in enumerate(as_items(properties.get("Policies"))):
            place = f"Properties/Policies/{number}/PolicyDocument"
            yield _document(resource, as_mapping(policy).get("PolicyDocument"), place)
    elif resource.type in _SAM:
        for number, policy in enumerate(as_items(properties.get("Policies"))):
            if "Statement" in as_mapping(policy):
                yield _document(resource, policy, f"Properties/Policies/{number}")
    elif resource.type == _PERMISSION_SET:
        yield _document(resource, properties.get("InlinePolicy"), "Properties/InlinePolicy")
    elif resource.type == _SERVICE_CONTROL:
        yield _document(resource, properties.get("Content"), "Properties/Content", grants=False)


def managed_policies_of(resource: Resource) -> Iterator[str]:
    """Yield the names of AWS's own managed policies that a resource attaches, such as ``AdministratorAccess``."""
    key = "ManagedPolicies" if resource.type == _PERMISSION_SET else "ManagedPolicyArns"
    items = as_items(resource.properties.get(key))
    items += as_items(resource.properties.get("Policies")) if resource.type in _SAM else []
    for item in items:
        for found in resolve(resource.template, item):
            if isinstance(found, Known) and isinstance(found.value, str):
                name = found.value.rpartition("/")[2]
                if ":iam::aws:policy/" in found.value or resource.type in _SAM:
                    yield name


def _document(resource: Resource, document: object, place: str, *, grants: bool = True) -> Document:
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except (ValueError, RecursionError):
            document = None  # IAM refuses it; there is nothing in it that could be judged
    found = as_items(as_mapping(document).get("Statement"))
    statements = [
        StatementInTemplate(resource, as_mapping(branch.value), f"{place}/Statement/{number}")
        for number, item in enumerate(found)
        for branch in resolve(resource.template, item)
        if isinstance(branch, Known)
    ]
    return Document(tuple(statements), grants)


@lru_cache(maxsize=10_000)
def _matches(pattern: str, action: str) -> bool:
    return fnmatch.fnmatchcase(action, pattern.replace("[", "[[]"))


def _can_be_of(service: str, item: object, resource: Resource) -> bool:
    for found in resolve(resource.template, item):
        if isinstance(found, AttributeOf):
            kind = found.resource.type.lower().split("::")
            if len(kind) < 3 or kind[1] in {service, "serverless", "cloudformation"} or kind[0] != "aws":
                return True
        elif isinstance(found, Known) and isinstance(found.value, str):
            parts = found.value.split(":")
            if len(parts) < 3 or "${" in parts[2] or _matches(parts[2].lower(), service):
                return True
        else:
            return True
    return False
