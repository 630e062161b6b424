"""The registry of layers of others: who publishes them, who signs them in which Region, and how that was found out."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from constructs_pkg.arns import LayerVersionArn, SigningProfileVersionArn
from constructs_pkg.errors import LayerRegistryError, Problem
from constructs_pkg.signing.policy import CodeSigningPolicy
from constructs_pkg.signing.template_terms import MAX_EXTERNAL_LAYERS, ExternalLayer, layer_pattern

__all__ = ["MAX_LAYERS", "MAX_PUBLISHERS_OF_A_LAYER", "KnownLayer", "KnownPublisher", "LayerRegistry"]

MAX_LAYERS = 500
MAX_PUBLISHERS_OF_A_LAYER = 60
"""Two generations for each of thirty Regions."""

_REGION = 3
"""The place of the Region in an ARN that was split at its colons."""


@dataclass(frozen=True, slots=True)
class KnownPublisher:
    """A signing profile version that signs a layer, and the evidence for it.

    Attributes:
        profile_version_arn: The publisher.
        regions: The Regions whose layer versions it signs; empty for all.
        read_from: The layer version of which ``aws lambda get-layer-version-by-arn`` told it.
        read_on: The day (UTC) on which it did.
    """

    profile_version_arn: SigningProfileVersionArn
    regions: tuple[str, ...]
    read_from: LayerVersionArn
    read_on: date


@dataclass(frozen=True, slots=True)
class KnownLayer:
    """A layer of somebody else's.

    Attributes:
        vendor: Who publishes it.
        layer: A pattern of layer version ARNs; ``*`` stands for any text. The account is written out.
        publishers: Who signs it, at least one.
        license_info: Its licence, for the reader; None where nobody noted it.
        note: Anything else for the reader, such as the address of the vendor's page.

    Raises:
        LayerRegistryError: There is no publisher or one twice for a Region, the evidence is about another layer, or a
            Region contradicts the pattern.
    """

    vendor: str
    layer: str
    publishers: tuple[KnownPublisher, ...]
    license_info: str | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        """Check that pattern, Regions and evidence belong together."""
        layer_pattern(self.layer)
        problems: list[Problem] = []
        if not self.publishers:
            remedy = "Name who signs the layer. One that nobody signs is for 'lambda-code-signing layer resign'"
            problems.append(Problem("publishers", "is empty", remedy))
        for index, publisher in enumerate(self.publishers):
            problems += self._problems_of(publisher, f"publishers[{index}]")
        arns = [(publisher.profile_version_arn, region) for publisher in self.publishers for region in _of(publisher)]
        if len(set(arns)) != len(arns):
            remedy = "List each once, with all of its Regions"
            problems.append(Problem("publishers", "a profile version is there twice for one Region", remedy))
        if problems:
            raise LayerRegistryError(f"layer {self.layer}", tuple(problems))

    def publishers_in(self, region: str) -> tuple[SigningProfileVersionArn, ...]:
        """Return who signs the layer versions of a Region."""
        return tuple(
            publisher.profile_version_arn
            for publisher in self.publishers
            if not publisher.regions or region in publisher.regions
        )

    def external_layers(self) -> tuple[ExternalLayer, ...]:
        """Return the same as a policy file says it: one pattern for each publisher and, where it is bound, Region."""
        parts = self.layer.split(":")
        return tuple(
            ExternalLayer(
                ":".join([*parts[:_REGION], region, *parts[_REGION + 1 :]]),
                publisher.profile_version_arn,
                self.vendor,
            )
            for publisher in self.publishers
            for region in publisher.regions or (parts[_REGION],)
        )

    def _problems_of(self, publisher: KnownPublisher, where: str) -> list[Problem]:
        problems: list[Problem] = []
        pattern_region = self.layer.split(":")[_REGION]
        strange = [region for region in publisher.regions if pattern_region not in {"*", region}]
        if strange:
            message = f"{', '.join(strange)} is not in the pattern {self.layer}"
            problems.append(
                Problem(f"{where}.regions", message, "Write '*' as the pattern's Region, or leave them away")
            )
        source = publisher.read_from
        if not self.matches(str(source)):
            message = f"{source} is no layer version of {self.layer}"
            problems.append(Problem(f"{where}.read_from", message, "Read it from a version of this very layer"))
        elif publisher.regions and source.region not in publisher.regions:
            message = f"{source} is of {source.region}, which is not in regions ({', '.join(publisher.regions)})"
            problems.append(Problem(f"{where}.read_from", message, "Read it in one of these Regions"))
        return problems

    def matches(self, layer_arn: str) -> bool:
        """Tell whether a layer version is of this layer."""
        # The publisher plays no part in matching.
        return ExternalLayer(self.layer, self.publishers[0].profile_version_arn, self.vendor).matches(layer_arn)


@dataclass(frozen=True, slots=True)
class LayerRegistry:
    """All layers of others that somebody has looked at.

    Attributes:
        layers: The layers, in the order of the file; several may match one ARN.
    """

    layers: tuple[KnownLayer, ...] = ()

    def entries_of(self, layer: LayerVersionArn) -> tuple[KnownLayer, ...]:
        """Return every entry that a layer version falls under."""
        return tuple(known for known in self.layers if known.matches(str(layer)))

    def publishers_of(self, layer: LayerVersionArn) -> tuple[SigningProfileVersionArn, ...]:
        """Return who may have signed a layer version, each once; none where nobody knows.

        Args:
            layer: The layer version; its Region decides.
        """
        found = [arn for known in self.entries_of(layer) for arn in known.publishers_in(layer.region)]
        return tuple(dict.fromkeys(found))

    def added_to(self, policy: CodeSigningPolicy) -> CodeSigningPolicy:
        """Return a policy whose ``external_layers`` know these layers besides its own, for the rules LCS303 and LCS304.

        Nobody becomes an allowed publisher by this: the registry says who signs, the policy who is trusted.

        Args:
            policy: The policy.

        Raises:
            LayerRegistryError: Together they are more than a policy file holds.
        """
        both: Iterable[ExternalLayer] = (*policy.templates.external_layers, *self._external_layers())
        known = tuple(dict.fromkeys(both))
        if len(known) > MAX_EXTERNAL_LAYERS:
            message = f"policy and registry have {len(known)} layers together, by Region"
            remedy = f"A policy holds {MAX_EXTERNAL_LAYERS}: keep the layers and Regions that are in use"
            raise LayerRegistryError("layer registry", (Problem("layers", message, remedy),))
        return replace(policy, templates=replace(policy.templates, external_layers=known))

    def _external_layers(self) -> list[ExternalLayer]:
        return [external for known in self.layers for external in known.external_layers()]


def _of(publisher: KnownPublisher) -> tuple[str, ...]:
    return publisher.regions or ("*",)
