"""``lambda-code-signing revoke``: shows what a revocation reaches, asks, writes down why, and revokes."""

import json
import sys
from datetime import datetime
from pathlib import Path

import click

from constructs_pkg.arns import SigningJobArn
from constructs_pkg.aws.member_place import MemberPlace, kind_of
from constructs_pkg.aws.revocation import Target, revoke, signer_record
from constructs_pkg.cli.files import refuse_existing, write_file
from constructs_pkg.cli.output import EXIT_NO, EXIT_NO_VERDICT, EXIT_YES, say, say_json, tell
from constructs_pkg.cli.parameters import MOMENT, PATH, examples, format_option
from constructs_pkg.cli.radius_answer import RadiusAnswer, radius_of
from constructs_pkg.cli.revocation_target import target_of, target_options
from constructs_pkg.cli.surveying import Reader, reader_of, require_state, survey_options, without_option
from constructs_pkg.errors import AwsError, FileAccessError, LambdaCodeSigningError
from constructs_pkg.inventory.incident import IncidentRecord, Outcome
from constructs_pkg.inventory.readings import FailureKind

__all__ = ["command"]

_LONGEST_REASON = 500
"""Characters, as AWS Signer takes them (botocore)."""

_REFUSALS = frozenset({"ValidationException", "ResourceNotFoundException", "BadRequestException"})
"""Errors after which nothing has changed; after any other it is not known."""

_OF_A_JOB = """This CANNOT BE UNDONE. AWS Signer knows no way back:
  - The signature of this job is untrusted for ever, in all Regions of the partition.
  - Functions that run its code go on running. What enforces refuses their next deployment with the same artifact, a
    rollback too, until the artifact is signed again by another job.
  - Other signatures of the same signing profile stay good."""

_OF_A_PROFILE = """This CANNOT BE UNDONE. AWS Signer knows no way back:
  - Every signature that this profile version made after {effective_time} is untrusted for ever, in all Regions of the
    partition. The moment can be moved earlier by revoking again, never later.
  - The profile signs nothing any more, and its name can never be used again: a new generation has to take its place.
  - Functions that run its code go on running. What enforces refuses their next deployment with the same artifact, a
    rollback too, until the artifact is signed by another profile that the config lists."""


@click.command(
    name="revoke",
    epilog=examples(
        "lambda-code-signing revoke --reason 'built from a stolen branch' --job "
        "arn:aws:signer:eu-west-1:222222222222:/signing-jobs/12345678-1234-1234-1234-123456789012",
    ),
)
@target_options
@click.option("--reason", required=True, help="Why, 1 to 500 characters; AWS Signer keeps it, and so does the record.")
@click.option(
    "--effective-time",
    type=MOMENT,
    help="With --profile-version: signatures made after this moment, which lies in the past, are revoked.",
)
@click.option(
    "--record",
    type=PATH,
    metavar="FILE",
    help="The incident record to write; incident-TIME.json where left out.",
)
@click.option("--accept-partial", is_flag=True, help="Revoke although not everything could be read that it may reach.")
@click.option("--yes", is_flag=True, help="Do not ask; needed where there is no terminal.")
@without_option
@survey_options
@format_option("text", "json")
def command(
    *,
    job: str | None,
    profile_version: str | None,
    published_layers: bool,
    reason: str,
    effective_time: datetime | None,
    record: Path | None,
    accept_partial: bool,
    yes: bool,
    without: tuple[str, ...],
    organization_file: Path,
    accounts_from: str,
    state: Path | None,
    resume: bool,
    workers: int,
    output_format: str,
) -> int:
    """Revoke what a job signed, or what a profile version signed after a moment. IT CANNOT BE UNDONE.

    Shows the blast radius first, asks, writes an incident record (who, when, why), revokes, and completes the record
    with what became of it. A record that says 'intended' belongs to a run that ended in between: look at AWS Signer.

    Exit code 0: revoked. 1: refused by AWS Signer, or by you. 2: wrong usage. 3: the blast radius is not wholly known
    (and --accept-partial was not given), or it is not known whether the revocation took place.
    """
    target = target_of(job, profile_version)
    _check_words(target, reason, effective_time)
    _check_terminal(yes=yes)
    require_state(state, resume=resume)
    reader = reader_of(organization_file)
    at = reader.pace.at()
    if effective_time is not None and effective_time >= at:
        raise click.UsageError(
            f"--effective-time {effective_time:%Y-%m-%dT%H:%M:%SZ} is not in the past; AWS Signer takes no other"
        )
    _check_account(target, reader)
    path = record or Path(f"incident-{at:%Y%m%dT%H%M%SZ}.json")
    refuse_existing(path, force=False)
    radius = radius_of(
        reader,
        target,
        accounts_from=accounts_from,
        without=without,
        published_layers=published_layers,
        state=state,
        resume=resume,
        workers=workers,
    )
    tell(f"{radius.text()}\n")
    if not radius.is_complete and not accept_partial:
        tell(
            "Nothing was revoked: not everything is known that it would reach. Read the rest with --state and "
            "--resume, leave accounts out by name with --without-account, or revoke all the same with --accept-partial"
        )
        return EXIT_NO_VERDICT
    tell(_warning(target, effective_time))
    if not yes and not click.confirm(f"Revoke {target} for ever?", default=False, err=True):
        tell("Nothing was revoked")
        return EXIT_NO
    incident = _intent(reader, target, reason.strip(), effective_time, radius)
    ended = _carry_out(reader, target, incident, path)
    if output_format == "json":
        say_json({**ended.document(), "record": str(path)})
    else:
        say(_text(ended, path))
    return {Outcome.REVOKED: EXIT_YES, Outcome.REFUSED: EXIT_NO}.get(ended.outcome, EXIT_NO_VERDICT)


def _check_words(target: Target, reason: str, effective_time: datetime | None) -> None:
    """Refuse what AWS Signer would refuse, before anybody is asked for credentials."""
    if not 1 <= len(reason.strip()) <= _LONGEST_REASON:
        raise click.UsageError(f"--reason has {len(reason.strip())} characters; write 1 to {_LONGEST_REASON}")
    if isinstance(target, SigningJobArn):
        if effective_time is not None:
            raise click.UsageError("--effective-time is for --profile-version: a job's one signature is revoked wholly")
    elif effective_time is None:
        raise click.UsageError(
            "--profile-version needs --effective-time: signatures made after it are revoked, and it never moves later"
        )


def _check_account(target: Target, reader: Reader) -> None:
    own = reader.members.own_account
    if not isinstance(target, SigningJobArn) and target.account != own:
        raise LambdaCodeSigningError(
            f"{target} is of the account {target.account}, and you are in {own}. RevokeSigningProfile works in the "
            "profile's own account only: log in there"
        )


def _check_terminal(*, yes: bool) -> None:
    if not yes and not sys.stdin.isatty():
        raise click.UsageError("nobody can be asked here. Confirm with --yes")


def _warning(target: Target, effective_time: datetime | None) -> str:
    if isinstance(target, SigningJobArn):
        return _OF_A_JOB
    assert effective_time is not None, "checked before"
    return _OF_A_PROFILE.format(effective_time=f"{effective_time:%Y-%m-%dT%H:%M:%SZ}")


def _intent(
    reader: Reader, target: Target, reason: str, effective_time: datetime | None, radius: RadiusAnswer
) -> IncidentRecord:
    return IncidentRecord(
        kind="job" if isinstance(target, SigningJobArn) else "profile_version",
        arn=str(target),
        reason=reason,
        effective_time=effective_time,
        who=reader.caller,
        intended_at=reader.pace.at(),
        reach=radius.numbers,
        complete=radius.is_complete,
        left_out=radius.surveyed.left_out,
    )


def _carry_out(reader: Reader, target: Target, incident: IncidentRecord, path: Path) -> IncidentRecord:
    """Write the intent, revoke, and write what became of it; without a written intent nothing is revoked."""
    _write(path, incident, force=False)
    own = reader.members.own_account
    assert own is not None, "reader_of knows it"
    place = MemberPlace(lambda: reader.members.home, own, target.region, reader.pace)
    try:
        revoke(place, target, incident.reason, incident.effective_time)
    except AwsError as error:
        is_refused = error.code in _REFUSALS or kind_of(error.code) in {FailureKind.DENIED, FailureKind.THROTTLED}
        outcome = Outcome.REFUSED if is_refused else Outcome.UNKNOWN
        ended = incident.ended(outcome, reader.pace.at(), message=str(error))
    else:
        ended = incident.ended(Outcome.REVOKED, reader.pace.at(), confirmed=_is_confirmed(reader, target))
    try:
        _write(path, ended, force=True)
    except FileAccessError:
        tell(f"The record {path} still says 'intended', and the outcome is: {_text(ended, path)}")
        raise
    return ended


def _is_confirmed(reader: Reader, target: Target) -> bool | None:
    """Ask AWS Signer whether it shows the revocation; None where it does not tell."""
    try:
        record = signer_record(reader.members.place(target.account, target.region), target)
    except AwsError as error:
        tell(f"It could not be read whether AWS Signer shows the revocation: {error}")
        return None
    return None if record is None else record.revoked_at is not None


def _write(path: Path, incident: IncidentRecord, *, force: bool) -> None:
    data = (json.dumps(incident.document(), indent=2) + "\n").encode("ascii")
    write_file(path, lambda file: file.write(data), force=force)


def _text(ended: IncidentRecord, path: Path) -> str:
    said = {
        Outcome.REVOKED: "Revoked",
        Outcome.REFUSED: f"NOT revoked, AWS Signer refused: {ended.message}",
        Outcome.UNKNOWN: f"It is NOT KNOWN whether it was revoked: {ended.message}\n"
        "Ask AWS Signer with 'lambda-code-signing blast-radius' before you try again; revoking twice does no harm",
    }[ended.outcome]
    confirmed = {True: ", as AWS Signer shows", False: ", but AWS SIGNER DOES NOT SHOW IT: look at it", None: ""}
    suffix = confirmed[ended.confirmed] if ended.outcome is Outcome.REVOKED else ""
    return f"{said}{suffix}\nRecord: {path}"
