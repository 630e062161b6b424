"""Asks AWS Lambda about a layer version and prints who signed it and whether that is allowed."""

import tempfile
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import click

from constructs_pkg.arns import LayerVersionArn
from constructs_pkg.aws.clients import Clients
from constructs_pkg.aws.layers import LayerVersion, download_layer_version, get_layer_version
from constructs_pkg.cli.layer_registry import read_policy_file, read_registry
from constructs_pkg.cli.output import EXIT_NO, EXIT_NO_VERDICT, EXIT_YES, one_line, say, say_json, tell
from constructs_pkg.cli.progress import Progress
from constructs_pkg.cli.verification import read_trust_roots
from constructs_pkg.errors import ArnError
from constructs_pkg.signing.layer_registry import LayerRegistry
from constructs_pkg.signing.layer_verdict import LayerVerdict, judge_layer
from constructs_pkg.signing.policy import CodeSigningPolicy
from constructs_pkg.signing.report import VerificationReport
from constructs_pkg.signing.verifier import verify_archive

__all__ = ["LAYER_VERSION", "LayerSources", "inspect_layer", "layer_arn"]

LAYER_VERSION = 1
"""The version of the JSON answer: it grows by one when a key changes its meaning or goes away."""


@dataclass(frozen=True, slots=True)
class LayerSources:
    """What a layer is judged by, as the options say it.

    Attributes:
        policy: The policy file.
        registry: The layer registry.
        trust_roots: PEM files.
    """

    policy: Path | None
    registry: Path | None
    trust_roots: tuple[Path, ...]

    def load(self, at: datetime) -> tuple[CodeSigningPolicy | None, LayerRegistry | None]:
        """Read policy and registry.

        Raises:
            LambdaCodeSigningError: A file cannot be read or used.
        """
        policy = None if self.policy is None else read_policy_file(self.policy)
        if policy is not None:
            policy = replace(policy, trust=policy.trust | read_trust_roots(self.trust_roots))
        return policy, None if self.registry is None else read_registry(self.registry, at)


def inspect_layer(text: str, sources: LayerSources, at: datetime, *, download: bool, as_json: bool) -> int:
    """Look a layer version up, judge it and print the answer.

    Args:
        text: The layer version's ARN.
        sources: What to judge by.
        at: The moment of the verdict, aware.
        download: Whether to verify its archive.
        as_json: Whether to print JSON.

    Returns:
        The exit code.
    """
    arn = layer_arn(text)
    if download and sources.policy is None:
        raise click.UsageError("--download verifies under a policy: give --policy.")
    policy, registry = sources.load(at)
    if download and policy is not None:
        policy.require_usable(at)
    layer = get_layer_version(Clients(), arn)
    report = None if policy is None or not download else _report(layer, policy, at)
    verdict = None
    if policy is not None or registry is not None:
        verdict = judge_layer(
            arn, layer.publisher, layer.signing_job_arn, policy=policy, registry=registry, report=report
        )
    if as_json:
        say_json(_json(layer, verdict, at))
    else:
        say("\n".join(_lines(layer, verdict)))
    if verdict is None:
        tell("No verdict: give --policy, --registry or both to say what is allowed.")
        return EXIT_NO_VERDICT
    return EXIT_YES if verdict else EXIT_NO


def layer_arn(text: str) -> LayerVersionArn:
    """Return the ARN that a user gave.

    Args:
        text: The argument.

    Raises:
        click.BadParameter: It is no layer version ARN.
    """
    try:
        return LayerVersionArn.parse(text)
    except ArnError as error:
        raise click.BadParameter(str(error), param_hint="ARN") from error


def _report(layer: LayerVersion, policy: CodeSigningPolicy, at: datetime) -> VerificationReport:
    progress = Progress(f"downloading {layer.arn.name}", layer.code_bytes)
    with tempfile.TemporaryFile() as archive:
        try:
            download_layer_version(layer, archive, advance=progress.advance)
        finally:
            progress.close()
        return verify_archive(archive, policy, at, artifact=str(layer.arn), resource_arn=layer.arn)


def _json(layer: LayerVersion, verdict: LayerVerdict | None, at: datetime) -> dict[str, object]:
    return {
        "version": LAYER_VERSION,
        "layer_version_arn": str(layer.arn),
        "verdict": _word(verdict),
        "findings": [
            {"code": item.code, "message": item.message, "remedy": item.remedy}
            for item in (() if verdict is None else verdict.findings)
        ],
        "signing_profile_version_arn": None if layer.publisher is None else str(layer.publisher),
        "signing_job_arn": None if layer.signing_job_arn is None else str(layer.signing_job_arn),
        "code_sha256": layer.code_sha256,
        "code_bytes": layer.code_bytes,
        "created": layer.created,
        "description": layer.description,
        "license_info": layer.license_info,
        "compatible_runtimes": list(layer.compatible_runtimes),
        "compatible_architectures": list(layer.compatible_architectures),
        "report": None if verdict is None or verdict.report is None else verdict.report.to_dict(),
        "registry_entry": _registry_entry(layer, at),
    }


def _registry_entry(layer: LayerVersion, at: datetime) -> dict[str, object] | None:
    """Return what the registry would say of this layer in its Region, for its keeper to complete."""
    if layer.publisher is None:
        return None
    pattern = f"arn:{layer.arn.partition}:lambda:{layer.arn.region}:{layer.arn.account}:layer:{layer.arn.name}:*"
    return {
        "vendor": f"account {layer.arn.account}",
        "layer": pattern,
        "publishers": [
            {
                "profile_version_arn": str(layer.publisher),
                "read_from": str(layer.arn),
                "read_on": at.date().isoformat(),
            }
        ],
    }


def _lines(layer: LayerVersion, verdict: LayerVerdict | None) -> list[str]:
    facts = {
        "signed by": layer.publisher or "nobody that AWS Lambda names",
        "signing job": layer.signing_job_arn,
        "SHA-256": layer.code_sha256,
        "size": f"{layer.code_bytes:,} bytes",
        "published": layer.created,
        "description": layer.description,
        "licence": layer.license_info or "not stated",
        "runtimes": ", ".join(layer.compatible_runtimes) or None,
        "architectures": ", ".join(layer.compatible_architectures) or None,
        "archive": _archive_line(verdict),
    }
    lines = [f"{layer.arn}: {_word(verdict).replace('_', ' ').upper()}"]
    lines += [f"  {name}: {one_line(str(value))}" for name, value in facts.items() if value is not None]
    return lines + [f"  {item.code}: {one_line(str(item))}" for item in (() if verdict is None else verdict.findings)]


def _archive_line(verdict: LayerVerdict | None) -> str:
    if verdict is None or verdict.report is None:
        return "not looked at: integrity, expiry and certificates are not judged (--download)"
    return f"downloaded and verified: {verdict.report.signature_status}"


def _word(verdict: LayerVerdict | None) -> str:
    if verdict is None:
        return "no_verdict"
    return "allowed" if verdict else "not_allowed"
