"""What a revocation reaches: judges which code, layers and configs of a place hang on one signing job or profile."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from constructs_pkg.inventory.ownership import Owner, Ownership
from constructs_pkg.inventory.readings import FunctionReading, Part, Place, PlaceReading, Signature

__all__ = ["EFFECTS", "AffectedConfig", "AffectedFunction", "AffectedLayer", "Effect", "PlaceReach", "reach_of"]


class Effect(StrEnum):
    """What a revocation does to code that is there."""

    REFUSED = "refused_at_next_deployment"
    WARNED = "warned_at_next_deployment"
    UNCHECKED = "never_checked"
    PUBLISHED = "published_version_runs_on"
    UNKNOWN = "unknown"


EFFECTS = {
    Effect.REFUSED: "runs on; the next deployment with this artifact is refused with CodeVerificationFailedException",
    Effect.WARNED: "runs on; the next deployment with this artifact goes through and is counted: its config warns",
    Effect.UNCHECKED: "runs on, and nothing stops it: the function has no code signing config",
    Effect.PUBLISHED: "runs on for as long as an alias or a caller names this version: it is never deployed again",
    Effect.UNKNOWN: "runs on; what happens at the next deployment is not known: its config could not be read",
}
"""Lambda looks at a signature when code or a layer is deployed, never when it runs (Lambda Developer Guide)."""


@dataclass(frozen=True, slots=True)
class AffectedFunction:
    """A function that runs what was signed so.

    Attributes:
        place: Where.
        function: Its name.
        version: ``$LATEST`` or the number of a published version.
        artifact: ``code``, or the ARN of the layer version.
        owner: The application and whom to ask.
        config_arn: Its code signing config, None where it has none.
        effect: What a revocation does to it.
        signature: Profile version and job of the artifact.
    """

    place: Place
    function: str
    version: str
    artifact: str
    owner: Owner
    config_arn: str | None
    effect: Effect
    signature: Signature


@dataclass(frozen=True, slots=True)
class AffectedLayer:
    """A layer version that was published from what was signed so."""

    place: Place
    arn: str
    signature: Signature


@dataclass(frozen=True, slots=True)
class AffectedConfig:
    """A code signing config that lists the profile version."""

    place: Place
    arn: str
    mode: str
    publishers: int


@dataclass(frozen=True, slots=True)
class PlaceReach:
    """What is reached in one place."""

    place: Place
    functions: tuple[AffectedFunction, ...]
    layers: tuple[AffectedLayer, ...]
    configs: tuple[AffectedConfig, ...]


def reach_of(reading: PlaceReading, target: str, publisher: str | None, ownership: Ownership) -> PlaceReach:
    """Return everything in a place that was signed by a job or a profile version.

    Not known here, and so not judged: when each artifact was signed, which decides under a revocation that is effective
    from a moment on.

    Args:
        reading: What was read, published versions included.
        target: The ARN of the job or of the profile version.
        publisher: The ARN of the profile version whose configs are named; None where the job's is not known.
        ownership: Who owns which function.
    """
    layers = {layer: signature for function in reading.functions for layer, signature in function.layers} | dict(
        reading.published_layers
    )
    return PlaceReach(
        reading.place,
        tuple(_functions(reading, target, ownership)),
        tuple(AffectedLayer(reading.place, layer, by) for layer, by in layers.items() if _is_by(by, target)),
        tuple(
            AffectedConfig(reading.place, config.arn, config.mode, len(config.publishers))
            for config in reading.configs
            if publisher in config.publishers
        ),
    )


def _functions(reading: PlaceReading, arn: str, ownership: Ownership) -> Iterator[AffectedFunction]:
    modes = {config.arn: config.mode for config in reading.configs}
    for function in reading.functions:
        for artifact, signature in (("code", function.code), *function.layers):
            if _is_by(signature, arn):
                yield AffectedFunction(
                    reading.place,
                    function.name,
                    function.version,
                    artifact,
                    ownership.owner_of(function.name),
                    function.config_arn,
                    _effect(reading, function, modes),
                    signature,
                )


def _effect(reading: PlaceReading, function: FunctionReading, modes: dict[str, str]) -> Effect:
    if function.version != "$LATEST":
        return Effect.PUBLISHED
    if Part.CONFIGS in reading.unknown:
        return Effect.UNKNOWN
    if function.config_arn is None:
        return Effect.UNCHECKED
    return {"Enforce": Effect.REFUSED, "Warn": Effect.WARNED}.get(modes.get(function.config_arn, ""), Effect.UNKNOWN)


def _is_by(signature: Signature, arn: str) -> bool:
    return arn in {signature.profile_version_arn, signature.job_arn}
