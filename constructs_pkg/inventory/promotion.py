"""What would break if a wave enforced: judges a place's readings, and says what stands in the way of each function.

Under Enforce, Lambda refuses the next deployment of code, or of a layer, that is not signed by a publisher of the
function's config (Lambda Developer Guide, "Configure code signing"). What already runs goes on running.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Literal

from constructs_pkg.inventory.ownership import Owner, Ownership
from constructs_pkg.inventory.readings import ConfigReading, FunctionReading, Part, Place, PlaceReading

__all__ = ["Exempted", "Obstacle", "Obstruction", "PlaceJudgement", "judge_place"]


class Obstacle(StrEnum):
    """A kind of what stands in the way."""

    APPROVED_CONFIG_MISSING = "approved_config_missing"
    CONFIG_STILL_WARNS = "config_still_warns"
    NO_CONFIG = "no_config"
    CONTAINER_IMAGE = "container_image"
    CONFIG_NOT_APPROVED = "config_not_approved"
    CODE_UNSIGNED = "code_unsigned"
    CODE_PUBLISHER_NOT_LISTED = "code_publisher_not_listed"
    LAYER_UNSIGNED = "layer_unsigned"
    LAYER_PUBLISHER_NOT_LISTED = "layer_publisher_not_listed"
    EXEMPT_UNDER_CONFIG = "exempt_under_config"
    UNTRUSTED_DEPLOYMENT = "untrusted_deployment"
    VALIDATION_ERRORS = "validation_errors"


REMEDIES: Mapping[Obstacle, str] = {
    Obstacle.APPROVED_CONFIG_MISSING: "Roll the wave out to this account and Region first: 'lambda-code-signing "
    "rollout status'",
    Obstacle.CONFIG_STILL_WARNS: "Deploy the rollout: the config does not do yet what the organization file says",
    Obstacle.NO_CONFIG: "Deploy the function under its application's config, with signed code",
    Obstacle.CONTAINER_IMAGE: "Lambda signs no images: move the function to a signed ZIP, or add an exemption",
    Obstacle.CONFIG_NOT_APPROVED: "Put the function under its application's approved config",
    Obstacle.CODE_UNSIGNED: "Sign its package and deploy it",
    Obstacle.CODE_PUBLISHER_NOT_LISTED: "Sign its package with a profile that the config lists and deploy it, or add "
    "the publisher to the organization file",
    Obstacle.LAYER_UNSIGNED: "Publish the layer from signed code and attach that version",
    Obstacle.LAYER_PUBLISHER_NOT_LISTED: "Add the layer's publisher to the organization file, or re-sign the layer",
    Obstacle.EXEMPT_UNDER_CONFIG: "Sign it, or take the function from under the config: an exemption does not help a "
    "function that has one",
    Obstacle.UNTRUSTED_DEPLOYMENT: "Find out who deployed it and how; it counts until it is older than --days",
    Obstacle.VALIDATION_ERRORS: "Find out what was deployed; it counts until it is older than --days",
}
"""What to do about each kind."""


@dataclass(frozen=True, slots=True)
class Obstruction:
    """One thing that stands in the way.

    Attributes:
        kind: What it is.
        place: Where.
        function: The function, None where it is about the place.
        owner: The application and whom to ask.
        detail: The value that tells: an ARN, a count, a status.
    """

    kind: Obstacle
    place: Place
    function: str | None
    owner: Owner
    detail: str

    @property
    def remedy(self) -> str:
        """Return what to do."""
        return REMEDIES[self.kind]


@dataclass(frozen=True, slots=True)
class Exempted:
    """A function that may stay as it is until a day."""

    place: Place
    function: str
    owner: str
    expires: date


@dataclass(frozen=True, slots=True)
class PlaceJudgement:
    """What was found in one place.

    Attributes:
        place: Where.
        functions: How many functions there are.
        obstructions: What stands in the way.
        exempted: Functions that are unsigned, or without a config, and may be so for now.
    """

    place: Place
    functions: int
    obstructions: tuple[Obstruction, ...]
    exempted: tuple[Exempted, ...]


def judge_place(
    reading: PlaceReading, ownership: Ownership, *, mode: Literal["Warn", "Enforce"], applications: tuple[str, ...]
) -> PlaceJudgement:
    """Judge what was read in one account and Region.

    A function without a config is judged by that alone: Lambda reads no signature of it. What is missing from the
    reading is not judged; the caller reports its gaps.

    Args:
        reading: What was read.
        ownership: Owners and exemptions.
        mode: What the wave does at present, as the organization file has it.
        applications: The applications whose configs the rollout makes here.
    """
    return _Judge(reading, ownership, mode, applications).judgement()


@dataclass
class _Judge:
    reading: PlaceReading
    ownership: Ownership
    mode: Literal["Warn", "Enforce"]
    applications: tuple[str, ...]
    configs: dict[str, ConfigReading] = field(init=False)
    approved: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.configs = {config.arn: config for config in self.reading.configs}
        self.approved = frozenset(arn for _, arn in self.reading.approved)

    def judgement(self) -> PlaceJudgement:
        functions = self.reading.latest_functions
        obstructions = [*self._of_configs(), *self._of_deployments(), *self._of_metrics()]
        exempted: list[Exempted] = []
        for function in functions:
            found = [] if Part.CONFIGS in self.reading.unknown else list(self._of_function(function))
            exemption = self.ownership.exemption_of(function.name)
            if exemption is None:
                obstructions += found
                continue
            if found:
                exempted.append(Exempted(self.reading.place, function.name, exemption.owner, exemption.expires))
            if found and function.config_arn is not None:
                obstructions.append(self._at(Obstacle.EXEMPT_UNDER_CONFIG, function.name, function.config_arn))
        return PlaceJudgement(self.reading.place, len(functions), tuple(obstructions), tuple(exempted))

    def _of_configs(self) -> Iterator[Obstruction]:
        arn_of = dict(self.reading.approved)
        is_known = not self.reading.unknown & {Part.APPROVED, Part.CONFIGS}
        for application in self.applications if is_known else ():
            config = self.configs.get(arn_of.get(application, ""))
            owner = Owner(application, self.ownership.organization.application(application).owners)
            if config is None:
                detail = arn_of.get(application, application)
                yield Obstruction(Obstacle.APPROVED_CONFIG_MISSING, self.reading.place, None, owner, detail)
            elif self.mode == "Enforce" and config.mode != "Enforce":
                yield Obstruction(Obstacle.CONFIG_STILL_WARNS, self.reading.place, None, owner, config.arn)

    def _of_function(self, function: FunctionReading) -> Iterator[Obstruction]:
        if function.is_image:
            yield self._at(Obstacle.CONTAINER_IMAGE, function.name, "PackageType Image")
            return
        if function.config_arn is None:
            yield self._at(Obstacle.NO_CONFIG, function.name, "no code signing config")
            return
        if function.config_arn not in self.approved and Part.APPROVED not in self.reading.unknown:
            yield self._at(Obstacle.CONFIG_NOT_APPROVED, function.name, function.config_arn)
        config = self.configs.get(function.config_arn)
        publishers = frozenset(config.publishers if config else ())
        signer = function.code.profile_version_arn
        if signer is None:
            yield self._at(Obstacle.CODE_UNSIGNED, function.name, "no signature is known")
        elif signer not in publishers:
            yield self._at(Obstacle.CODE_PUBLISHER_NOT_LISTED, function.name, signer)
        for arn, signature in function.layers:
            if signature.profile_version_arn is None:
                yield self._at(Obstacle.LAYER_UNSIGNED, function.name, arn)
            elif signature.profile_version_arn not in publishers:
                detail = f"{arn} signed by {signature.profile_version_arn}"
                yield self._at(Obstacle.LAYER_PUBLISHER_NOT_LISTED, function.name, detail)

    def _of_deployments(self) -> Iterator[Obstruction]:
        for deployment in self.reading.deployments:
            if not self._is_exempt(deployment.function):
                fate = f"refused with {deployment.error_code}" if deployment.error_code else "let through"
                detail = f"{', '.join(deployment.statuses)} at {deployment.at:%Y-%m-%dT%H:%M:%SZ}, {fate}"
                yield self._at(Obstacle.UNTRUSTED_DEPLOYMENT, deployment.function, detail)

    def _of_metrics(self) -> Iterator[Obstruction]:
        for metric in self.reading.errors:
            if not self._is_exempt(metric.function):
                yield self._at(Obstacle.VALIDATION_ERRORS, metric.function, f"{metric.count} counted")

    def _is_exempt(self, function: str | None) -> bool:
        return function is not None and self.ownership.exemption_of(function) is not None

    def _at(self, kind: Obstacle, function: str | None, detail: str) -> Obstruction:
        owner = Owner(None, ()) if function is None else self.ownership.owner_of(function)
        return Obstruction(kind, self.reading.place, function, owner, detail)
