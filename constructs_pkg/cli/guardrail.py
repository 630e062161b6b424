"""``lambda-code-signing guardrail``: print the guardrails of an application, for teams that deploy them without CDK."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from constructs_pkg.arns import CodeSigningConfigArn
from constructs_pkg.cli.output import say, say_json
from constructs_pkg.cli.parameters import ACCOUNT, examples, format_option, organization_option
from constructs_pkg.clock import now
from constructs_pkg.errors import GuardrailError
from constructs_pkg.guardrails import (
    MANAGED_POLICY,
    PERMISSIONS_BOUNDARY,
    SERVICE_CONTROL_POLICY,
    GuardrailIntent,
    Limit,
    PolicyDocument,
    developer_policies,
    permissions_boundary,
    service_control_policies,
)
from constructs_pkg.organization import Organization, load_organization
from constructs_pkg.organization_guardrails import guardrail_intent

__all__ = ["command"]

_KINDS = ("developer", "boundary", "scp")


@dataclass(frozen=True, slots=True)
class _Named:
    name: str
    document: PolicyDocument
    limit: Limit

    @property
    def characters(self) -> int:
        return self.limit.size_of(self.document)

    def to_dict(self) -> dict[str, object]:
        return {
            "name": self.name,
            "kind": self.limit.kind,
            "characters": self.characters,
            "limit": self.limit.max_characters,
            "document": self.document.to_dict(),
        }

    def to_text(self) -> str:
        size = f"{self.limit.kind}, {self.characters:,} of {self.limit.max_characters:,} characters"
        return f"# {self.name}: {size}\n{self.document.to_json(indent=2)}"


@click.group(name="guardrail", epilog=examples("lambda-code-signing guardrail show payments --document scp"))
def command() -> None:
    """Print the deny-by-default IAM policies for an application's developers and pipelines."""


@command.command(
    short_help="Print the guardrails of an application.",
    epilog=examples(
        "lambda-code-signing guardrail show payments --document scp",
        "lambda-code-signing guardrail show payments --write-to policies --config-arn ARN",
    ),
)
@click.argument("application")
@organization_option
@click.option(
    "--document", "kinds", type=click.Choice(_KINDS), multiple=True, help="Which one; repeatable. [default: all three]"
)
@click.option(
    "--config-arn",
    "config_arns",
    multiple=True,
    metavar="ARN",
    help="An approved code signing config; repeatable, for further Regions of the same account.",
)
@click.option(
    "--account",
    type=ACCOUNT,
    metavar="ID",
    help="Whose functions these are. [default: the configs' account, else the security account]",
)
@format_option("text", "json")
@click.option(
    "--write-to",
    type=click.Path(path_type=Path, file_okay=False),
    help="Also write each document to DIRECTORY/NAME.json, in the shortest form.",
    metavar="DIRECTORY",
)
def show(
    application: str,
    organization_file: Path,
    kinds: tuple[str, ...],
    config_arns: tuple[str, ...],
    account: str | None,
    output_format: str,
    write_to: Path | None,
) -> None:
    """Print the guardrails of APPLICATION with their sizes against AWS's limits.

    The developer policy and the permissions boundary list the approved configs: name each with --config-arn. The
    service control policy (scp) is the same for all applications and needs none. Nothing is asked of AWS.
    """
    organization = load_organization(organization_file, at=now())
    organization.application(application)
    wanted = kinds or _KINDS
    if not config_arns and set(wanted) != {"scp"}:
        raise click.UsageError(
            "the developer policy and the boundary list the approved code signing configs. Name each with --config-arn "
            "('aws lambda list-code-signing-configs' prints them), or ask for --document scp alone"
        )
    intent = _intent(organization, application, config_arns, account)
    documents = [named for kind in _KINDS if kind in wanted for named in _documents(kind, intent)]
    if write_to is not None:
        _write(documents, write_to)
    if output_format == "json":
        say_json({"documents": [named.to_dict() for named in documents]})
    else:
        say("\n\n".join(named.to_text() for named in documents))


def _intent(
    organization: Organization, application: str, config_arns: tuple[str, ...], account: str | None
) -> GuardrailIntent:
    configs = [CodeSigningConfigArn.parse(text) for text in config_arns]
    regions = list(dict.fromkeys(config.region for config in configs)) or list(organization.target_regions)
    return guardrail_intent(
        organization,
        application,
        account=account or next((config.account for config in configs), organization.security_account),
        region=regions[0],
        other_regions=regions[1:],
        approved_configs=config_arns,
    )


def _documents(kind: str, intent: GuardrailIntent) -> Iterator[_Named]:
    if kind == "developer":
        for number, document in enumerate(developer_policies(intent), 1):
            yield _Named(intent.developer_policy_name(number), document, MANAGED_POLICY)
    elif kind == "boundary":
        yield _Named(intent.boundary_name, permissions_boundary(intent), PERMISSIONS_BOUNDARY)
    else:
        for number, document in enumerate(service_control_policies(intent), 1):
            yield _Named(intent.service_control_policy_name(number), document, SERVICE_CONTROL_POLICY)


def _write(documents: list[_Named], directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for named in documents:
            (directory / f"{named.name}.json").write_text(named.document.to_json(), encoding="utf-8")
    except OSError as error:
        raise GuardrailError(f"{directory} cannot be written to ({error.strerror}). Name another --write-to") from error
