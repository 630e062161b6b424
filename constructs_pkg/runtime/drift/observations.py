"""What was seen in one member account and Region, as plain values; what could not be seen is a value, too."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = [
    "Baseline",
    "Difference",
    "MemberStack",
    "Observation",
    "ObservedConfig",
    "ObservedFunction",
    "ObservedProfile",
    "ResourceDrift",
    "StackInstance",
    "Unreadable",
    "approved_config_resources",
]

_PARAMETER = "/lambda-code-signing/code-signing-configs/"


@dataclass(frozen=True, slots=True)
class StackInstance:
    """One stack instance, as StackSets lists it.

    Attributes:
        account: Twelve digits.
        region: Its Region.
        stack_id: The ARN of the member stack; empty where there is none (yet).
        status: ``SUCCEEDED`` where it is up to date; ``INOPERABLE``, ``OUTDATED``, or ``StackInstanceDetailedStatus``.
        reason: Why it has this status.
        drift_status: ``DRIFTED``, ``IN_SYNC``, ``UNKNOWN`` or ``NOT_CHECKED``.
        sibling_stacks: The stacks that the wave's other StackSets made in the same account and Region.
    """

    account: str
    region: str
    stack_id: str
    status: str
    reason: str
    drift_status: str
    sibling_stacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """One property that is not what the template says. ``kind`` is ``ADD``, ``REMOVE`` or ``NOT_EQUAL``."""

    path: str
    expected: str
    actual: str
    kind: str


@dataclass(frozen=True, slots=True)
class ResourceDrift:
    """One resource of the member stack, as drift detection sees it. ``status`` is ``StackResourceDriftStatus``."""

    logical_id: str
    physical_id: str
    resource_type: str
    status: str
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class MemberStack:
    """The member stack.

    Attributes:
        stack_id: Its ARN.
        status: ``StackStatus``.
        reason: ``StackStatusReason``.
        template: The parsed template, or its text where it is no JSON.
        parameters: Name to value.
        resources: Logical id to physical id.
    """

    stack_id: str
    status: str
    reason: str
    template: object
    parameters: Mapping[str, str]
    resources: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ObservedConfig:
    """A code signing config, with the names of the functions under it."""

    arn: str
    enforcement: str
    publishers: tuple[str, ...]
    description: str
    functions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ObservedFunction:
    """A function. ``package_type`` is ``Zip`` or ``Image``."""

    name: str
    package_type: str


@dataclass(frozen=True, slots=True)
class ObservedProfile:
    """A signing profile that can sign."""

    name: str
    version_arn: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A part that could not be read: ``role``, ``drift``, ``stack``, ``functions``, ``profiles``; and why."""

    part: str
    reason: str


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the StackSet says all its member stacks are.

    Attributes:
        template: As in `MemberStack`.
        parameters: Name to value; only those that are the same everywhere.
        configs: Application to logical id of its code signing config.
    """

    template: object
    parameters: Mapping[str, str]
    configs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Observation:
    """Everything that was seen. A part that is None was not seen; `unreadable` says why.

    Attributes:
        instance: The stack instance.
        drifts: The resources that are not in sync, or None where that is not known.
        stack: The member stack, or None.
        is_gone: CloudFormation says that there is no such stack.
        overrides: The parameters whose values this instance has of its own.
        configs: All code signing configs, or None.
        functions: All functions, or None.
        profiles: All signing profiles that can sign, or None.
        siblings: What the stacks of the wave's other StackSets made here, by physical id; None where that is not known.
        unreadable: What could not be read.
    """

    instance: StackInstance
    drifts: tuple[ResourceDrift, ...] | None = None
    stack: MemberStack | None = None
    is_gone: bool = False
    overrides: Mapping[str, str] = field(default_factory=dict[str, str])
    configs: tuple[ObservedConfig, ...] | None = None
    functions: tuple[ObservedFunction, ...] | None = None
    profiles: tuple[ObservedProfile, ...] | None = None
    siblings: frozenset[str] | None = frozenset()
    unreadable: tuple[Unreadable, ...] = ()


def approved_config_resources(template: object) -> dict[str, str]:
    """Return application to logical id of its code signing config, as a StackSet's template tells.

    The template publishes each config's ARN as the SSM parameter
    ``/lambda-code-signing/code-signing-configs/APPLICATION/arn``: whichever resource that refers to is the config.
    """
    resources = _object(_object(template).get("Resources"))
    found: dict[str, str] = {}
    for resource in resources.values():
        properties = _object(_object(resource).get("Properties"))
        name = properties.get("Name")
        if _object(resource).get("Type") != "AWS::SSM::Parameter" or not isinstance(name, str):
            continue
        application = name.removeprefix(_PARAMETER).removesuffix("/arn")
        logical_id = _reference(properties.get("Value"))
        if name == f"{_PARAMETER}{application}/arn" and logical_id is not None:
            found[application] = logical_id
    return found


def _reference(value: object) -> str | None:
    """Return the logical id that ``Ref`` or ``Fn::GetAtt`` names."""
    known = _object(value)
    if isinstance(known.get("Ref"), str):
        return str(known["Ref"])
    attribute = known.get("Fn::GetAtt")
    if isinstance(attribute, list) and attribute and isinstance(attribute[0], str):
        return attribute[0]
    return attribute.split(".")[0] if isinstance(attribute, str) else None


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}  # pyright: ignore[reportUnknownVariableType] (any JSON object)
