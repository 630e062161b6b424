"""What a value in a template can turn out to be, as far as templates tell: every possibility, or who else decides."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, cast

import re

from constructs_pkg.rules.template import Resource, Template, as_mapping

__all__ = ["Absent", "AttributeOf", "Known", "Outside", "Possible", "resolve", "text_of", "texts_of"]

_MAX_DEPTH = 24
_MAX_POSSIBILITIES = 200
_DYNAMIC = re.compile(r"\{\{resolve:(?P<service>ssm(?:-secure)?|secretsmanager):(?P<name>[^}]*)\}\}")
_PLACEHOLDER = re.compile(r"\$\{(?P<literal>!?)(?P<name>[^}]*)\}")
_PSEUDO = {"AWS::Region", "AWS::AccountId", "AWS::Partition", "AWS::URLSuffix", "AWS::StackName", "AWS::StackId"}


@dataclass(frozen=True, slots=True)
class Known:
    """A value that the template states.

    Attributes:
        value: Any JSON value. A text may hold placeholders such as ``${AWS::Region}`` for what is known only later.
    """

    value: object

    @property
    def is_complete(self) -> bool:
        """Tell whether nothing in it is left open."""
        return not (isinstance(self.value, str) and "${" in self.value)


@dataclass(frozen=True, slots=True)
class AttributeOf:
    """An attribute of a resource of the same assembly.

    Attributes:
        resource: The resource.
        attribute: Its name, such as ``Arn``; ``Ref`` for what a reference to it gives.
    """

    resource: Resource
    attribute: str

    def __str__(self) -> str:
        """Return it as messages show it."""
        return f"{self.resource.logical_id}.{self.attribute}"


@dataclass(frozen=True, slots=True)
class Outside:
    """A value that only the deployment knows.

    Attributes:
        kind: ``parameter``, ``ssm``, ``export`` or ``intrinsic``.
        name: Of the parameter, the SSM parameter, the export, or the intrinsic function.
    """

    kind: str
    name: str

    def __str__(self) -> str:
        """Return it as messages show it."""
        words = {"parameter": "the parameter", "ssm": "the SSM parameter", "export": "the export"}
        return f"{words.get(self.kind, 'the result of')} {self.name}"


@dataclass(frozen=True, slots=True)
class Absent:
    """``AWS::NoValue``: the property is not there."""


Possible: TypeAlias = "Known | AttributeOf | Outside | Absent"


def resolve(template: Template, value: object) -> tuple[Possible, ...]:
    """Return everything that a value can be, at least one thing.

    Conditions are not evaluated: both branches of an ``Fn::If`` are possible. A parameter is what its
    ``AllowedValues`` say or what the parent stack passes; its default decides nothing, since whoever deploys may pass
    something else.

    Args:
        template: Where the value stands.
        value: The value, intrinsic functions in their long form.
    """
    found = tuple(dict.fromkeys_ordered(_resolve(template, value, 0))) if False else _unique(_resolve(template, value, 0))
    return found if len(found) <= _MAX_POSSIBILITIES else (Outside("intrinsic", "too many possibilities"),)
