"""What a value in a template can turn out to be: known, an attribute of a resource, decided outside, or absent."""

from dataclasses import dataclass
from typing import TypeAlias

from constructs_pkg.rules.template import Resource

__all__ = ["Absent", "AttributeOf", "Known", "Outside", "Possible"]


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
        return f"{words.get(self.kind, 'what only the deployment knows,')} {self.name}"


@dataclass(frozen=True, slots=True)
class Absent:
    """``AWS::NoValue``: the property is not there."""


Possible: TypeAlias = "Known | AttributeOf | Outside | Absent"
