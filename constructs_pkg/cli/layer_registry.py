"""Reads layer registries for the commands, shows them, and joins them to policies."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from constructs_pkg.cli.files import read_file, refuse_existing, write_file
from constructs_pkg.cli.output import EXIT_NO, EXIT_YES, one_line, say, say_json
from constructs_pkg.plurals import counted
from constructs_pkg.signing.layer_registry import KnownLayer, KnownPublisher, LayerRegistry
from constructs_pkg.signing.layer_registry_file import MAX_REGISTRY_BYTES, parse_layer_registry
from constructs_pkg.signing.policy import CodeSigningPolicy
from constructs_pkg.signing.policy_file import MAX_POLICY_BYTES, format_policy, parse_policy
from constructs_pkg.tables import format_table

__all__ = ["REGISTRY_ANSWER_VERSION", "read_policy_file", "read_registry", "show_registry"]

REGISTRY_ANSWER_VERSION = 1
"""The version of the JSON answer: it grows by one when a key changes its meaning or goes away."""


@dataclass(frozen=True, slots=True)
class _Row:
    """One publisher of one layer, and whether the policy allows it; None where no policy was given."""

    known: KnownLayer
    publisher: KnownPublisher
    is_allowed: bool | None

    def cells(self) -> list[str]:
        return [
            one_line(self.known.vendor),
            self.known.layer,
            str(self.publisher.profile_version_arn),
            ", ".join(self.publisher.regions) or "all",
            self.publisher.read_on.isoformat(),
            {None: "not asked", True: "yes", False: "NO"}[self.is_allowed],
        ]

    def to_dict(self) -> dict[str, object]:
        return {
            "vendor": self.known.vendor,
            "layer": self.known.layer,
            "profile_version_arn": str(self.publisher.profile_version_arn),
            "regions": list(self.publisher.regions),
            "read_from": str(self.publisher.read_from),
            "read_on": self.publisher.read_on.isoformat(),
            "allowed": self.is_allowed,
        }


def read_registry(path: Path, at: datetime) -> LayerRegistry:
    """Read a layer registry file.

    Args:
        path: The file.
        at: The present moment, aware.

    Raises:
        FileAccessError: It cannot be read.
        LayerRegistryError: It is not such a file.
    """
    return parse_layer_registry(read_file(path, MAX_REGISTRY_BYTES, "the layer registry"), str(path), at=at)


def read_policy_file(path: Path) -> CodeSigningPolicy:
    """Read a policy file.

    Args:
        path: The file.

    Raises:
        FileAccessError: It cannot be read.
        PolicyError: It is not such a file.
    """
    return parse_policy(read_file(path, MAX_POLICY_BYTES, "the policy"), str(path))


def show_registry(
    file: Path, policy_file: Path | None, output: Path | None, at: datetime, *, force: bool, as_json: bool
) -> int:
    """Print a registry, and write a policy that knows its layers.

    Args:
        file: The registry.
        policy_file: The policy, or None.
        output: Where to write the policy with the layers, or None.
        at: The present moment, aware.
        force: Whether to replace a file.
        as_json: Whether to print JSON.

    Returns:
        The exit code.
    """
    registry = read_registry(file, at)
    policy = None if policy_file is None else read_policy_file(policy_file)
    if output is not None and policy is not None:
        refuse_existing(output, force=force)
        text = format_policy(registry.added_to(policy)).encode("utf-8")
        write_file(output, lambda target: target.write(text), force=force)
    rows = [
        _Row(known, publisher, None if policy is None else publisher.profile_version_arn in policy.allowed_publishers)
        for known in registry.layers
        for publisher in known.publishers
    ]
    if as_json:
        publishers = [row.to_dict() for row in rows]
        say_json({"version": REGISTRY_ANSWER_VERSION, "file": str(file), "publishers": publishers})
    else:
        say(_text(file, rows, output))
    return EXIT_NO if any(row.is_allowed is False for row in rows) else EXIT_YES


def _text(file: Path, rows: Sequence[_Row], output: Path | None) -> str:
    lines = [f"{file}: {counted(len(rows), 'publisher')}"]
    if rows:
        header = ["vendor", "layer", "publisher", "Regions", "read on", "allowed"]
        lines.append(format_table(header, [row.cells() for row in rows]))
    if output is not None:
        lines.append(f"{output}: the policy with these layers")
    return "\n".join(lines)
