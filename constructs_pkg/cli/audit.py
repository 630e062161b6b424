"""``lambda-code-signing audit``: writes down whose code runs where, before a publisher leaves the configs."""

import json
from pathlib import Path
from typing import Any

import click

from constructs_pkg.aws.inventory import Wanted
from constructs_pkg.cli.files import refuse_existing, write_file
from constructs_pkg.cli.output import EXIT_NO_VERDICT, EXIT_YES, say, say_json
from constructs_pkg.cli.parameters import PATH, examples, force_option, format_option
from constructs_pkg.cli.surveying import reader_of, require_state, rolled_out_to, survey_options
from constructs_pkg.cli.unknown import Unknown
from constructs_pkg.inventory.readings import PlaceReading
from constructs_pkg.plurals import counted

__all__ = ["command"]


@click.command(
    name="audit",
    epilog=examples(
        "lambda-code-signing audit -o audit.json",
        "lambda-code-signing audit -o audit.json --state audit.state --resume",
    ),
)
@click.option("-o", "--output", "target", type=PATH, metavar="FILE", required=True, help="The audit file to write.")
@survey_options
@force_option
@format_option("text", "json")
def command(
    *,
    target: Path,
    organization_file: Path,
    accounts_from: str,
    state: Path | None,
    resume: bool,
    workers: int,
    force: bool,
    output_format: str,
) -> int:
    """Write down whose code runs where the configs are: in the accounts of all waves and in the security account.

    One entry for each function and each of its layers that is signed, with the signing profile version; published
    versions count, too. The synth reads the file before a publisher is taken out of the configs. Changes nothing in
    AWS.

    Exit code 3: something could not be read, or AWS Organizations was not asked for the accounts. The file then says
    that it is not complete: a publisher that it does not name may be in use all the same.
    """
    refuse_existing(target, force=force)
    require_state(state, resume=resume)
    reader = reader_of(organization_file)
    surveyed = rolled_out_to(reader, accounts_from)
    at = reader.pace.at()
    entries: list[dict[str, str]] = []
    unknown = Unknown()
    wanted = Wanted(versions=True)
    with reader.reading(surveyed, wanted, _entries, state=state, resume=resume, workers=workers) as results:
        for result in results:
            entries += unknown.without(result) or ()
    knows_accounts = accounts_from == "organizations" or reader.organization.rollout.permission_model == "self-managed"
    is_complete = knows_accounts and not unknown
    document = {"version": 1, "at": f"{at:%Y-%m-%dT%H:%M:%SZ}", "complete": is_complete, "functions": entries}
    data = (json.dumps(document, indent=2) + "\n").encode("ascii")
    write_file(target, lambda file: file.write(data), force=force)
    summary: dict[str, Any] = {"version": 1, "file": str(target), "complete": is_complete, "entries": len(entries)}
    if output_format == "json":
        say_json(summary | unknown.document())
    else:
        verdict = "complete" if is_complete else "NOT complete"
        lines = [f"{target}: {counted(len(entries), 'signed artifact')} of {surveyed}; {verdict}"]
        say("\n\n".join([*lines, *unknown.parts()]))
    return EXIT_YES if is_complete else EXIT_NO_VERDICT


def _entries(reading: PlaceReading) -> list[dict[str, str]]:
    """Return an entry for each artifact and publisher of each function, once for all of its versions."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for function in reading.functions:
        for artifact, signature in (("function", function.code), *function.layers):
            publisher = signature.profile_version_arn
            if publisher is not None:
                found[function.name, artifact, publisher] = {
                    "account": reading.place.account,
                    "region": reading.place.region,
                    "function": function.name,
                    "artifact": artifact,
                    "profile_version_arn": publisher,
                }
    return list(found.values())
