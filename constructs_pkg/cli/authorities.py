"""What the commands of ``authority`` do to a throwaway authority's directory, each with its warning."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click

from constructs_pkg.arns import SigningJobArn
from constructs_pkg.cli.files import write_file
from constructs_pkg.cli.output import EXIT_YES, say, say_json, tell
from constructs_pkg.clock import now
from constructs_pkg.errors import ArnError, ValidityError
from constructs_pkg.plurals import counted
from constructs_pkg.signing.authority import LocalAuthority
from constructs_pkg.signing.authority_directory import AuthorityDirectory
from constructs_pkg.signing.policy import Mode
from constructs_pkg.signing.policy_file import format_policy
from constructs_pkg.signing.report import iso_time
from constructs_pkg.signing.template_terms import ApprovedConfig, TemplateTerms
from constructs_pkg.signing.trust import CertificateSummary
from constructs_pkg.tables import format_table
from constructs_pkg.validity import LONGEST_VALIDITY, Validity

__all__ = [
    "AUTHORITY_VERSION",
    "cancel_profile",
    "export",
    "init_authority",
    "put_profile",
    "revoke_job",
    "revoke_profile",
    "show_authority",
    "warn_of",
]

AUTHORITY_VERSION = 1
"""The version of the JSON form of ``show``: it grows by one when a key changes its meaning or goes away."""


def init_authority(directory: Path, region: str, account: str, at: datetime | None) -> int:
    """Make an authority; see ``authority init --help``."""
    warn_of(directory)
    try:
        AuthorityDirectory.init(directory, region=region, account=account, at=at or now())
    except OSError as error:
        raise click.ClickException(f"{directory} cannot be written: {error.strerror}. Use another") from error
    say(
        f"{directory}: an authority in {account}, {region}. Now make a profile: "
        f"lambda-code-signing authority profile {directory} NAME"
    )
    return EXIT_YES


def put_profile(directory: Path, name: str, validity: str | None) -> int:
    """Make a signing profile and print its version ARN."""
    warn_of(directory)
    try:
        period = LONGEST_VALIDITY if validity is None else Validity.parse(validity)
    except ValidityError as error:
        raise click.BadParameter(str(error), param_hint="--validity") from error
    with AuthorityDirectory(directory).changing() as authority:
        authority.put_profile(name, validity=period)
        arn = authority.profile_version_arn(name)
    say(str(arn))
    return EXIT_YES


def cancel_profile(directory: Path, name: str) -> int:
    """Cancel a signing profile."""
    warn_of(directory)
    with AuthorityDirectory(directory).changing() as authority:
        authority.cancel_profile(name)
    say(f"{name} is cancelled: it signs no more, what it signed stays good")
    return EXIT_YES


def revoke_job(directory: Path, job: str, reason: str) -> int:
    """Revoke one signature by its job's ARN or id."""
    warn_of(directory)
    with AuthorityDirectory(directory).changing() as authority:
        revoked = authority.revoke_job(_job_id(authority, job), reason=reason)
    say(f"the signing job {revoked.job_id} is revoked. Export the policy again")
    return EXIT_YES


def revoke_profile(directory: Path, name: str, effective_time: datetime | None, reason: str) -> int:
    """Revoke what a profile signed from a moment on, now where it is left out."""
    warn_of(directory)
    at = now()
    with AuthorityDirectory(directory).changing() as authority:
        revoked = authority.revoke_profile(name, reason=reason, effective_time=effective_time or at, at=at)
    say(f"{name} is revoked for signatures from {iso_time(revoked.revoked_from)} on. Export the policy again")
    return EXIT_YES


def export(
    directory: Path,
    output: Path | None,
    mode: str,
    profiles: Sequence[str],
    max_age_days: int | None,
    config_arns: Sequence[str],
    *,
    force: bool,
) -> int:
    """Write the policy that trusts an authority; see ``authority export-policy --help``."""
    warn_of(directory)
    authority = AuthorityDirectory(directory).read()
    policy = authority.export_policy(
        at=now(), mode=Mode(mode.capitalize()), profiles=profiles or None, max_age_days=max_age_days
    )
    terms = TemplateTerms(tuple(ApprovedConfig("arn", arn) for arn in dict.fromkeys(config_arns)))
    text = format_policy(replace(policy, templates=terms))
    if output is None:
        click.echo(text, nl=False)
        return EXIT_YES
    write_file(output, lambda file: file.write(text.encode("utf-8")), force=force)
    say(f"{output}: {policy.mode}, {counted(len(policy.allowed_publishers), 'allowed publisher')}")
    return EXIT_YES


def show_authority(directory: Path, *, as_json: bool) -> int:
    """Print what an authority holds."""
    warn_of(directory)
    authority = AuthorityDirectory(directory).read()
    if as_json:
        say_json(_json(authority))
    else:
        say(_text(directory, authority))
    return EXIT_YES


def warn_of(directory: Path) -> None:
    """Say on standard error what a throwaway authority is."""
    tell(f"UNSAFE FOR PRODUCTION: {directory} is a throwaway authority; whoever reads it can sign anything.")


def _job_id(authority: LocalAuthority, job: str) -> str:
    """Return the id of a job that is named by its id or by its ARN, which has to be one of this authority's."""
    if not job.startswith("arn:"):
        return job
    try:
        arn = SigningJobArn.parse(job)
    except ArnError as error:
        raise click.BadParameter(str(error), param_hint="--job") from error
    if (arn.region, arn.account) != (authority.region, authority.account):
        raise click.BadParameter(
            f"{job!r} is a job in {arn.account}, {arn.region}; this authority is in {authority.account}, "
            f"{authority.region}. Use its own job",
            param_hint="--job",
        )
    return arn.job_id


def _text(directory: Path, authority: LocalAuthority) -> str:
    root = CertificateSummary.of(authority.root)
    profiles = [
        (item.name, str(item.status), str(item.validity), str(authority.profile_version_arn(item.name)))
        for item in authority.profiles
    ]
    jobs = [
        (item.job_id, item.profile_name, iso_time(item.signed_at) or "", "revoked" if item.is_revoked else "")
        for item in authority.jobs
    ]
    parts = [f"{directory}: {authority.account}, {authority.region}, since {iso_time(authority.created_at)}"]
    parts.append(f"Root {root.subject}\n  SHA-256 {root.sha256}")
    parts.append("Profiles\n" + format_table(("name", "status", "validity", "version ARN"), profiles))
    parts.append("Jobs\n" + format_table(("id", "profile", "signed", "revoked"), jobs))
    return "\n\n".join(parts)


def _json(authority: LocalAuthority) -> dict[str, object]:
    return {
        "version": AUTHORITY_VERSION,
        "unsafe_for_production": True,
        "account": authority.account,
        "region": authority.region,
        "created_at": iso_time(authority.created_at),
        "root_sha256": CertificateSummary.of(authority.root).sha256,
        "profiles": [
            {
                "name": item.name,
                "status": str(item.status),
                "validity": str(item.validity),
                "profile_version_arn": str(authority.profile_version_arn(item.name)),
                "revoked_from": iso_time(item.revoked_from),
                "reason": item.reason,
            }
            for item in authority.profiles
        ],
        "jobs": [
            {
                "job_id": item.job_id,
                "profile": item.profile_name,
                "signed_at": iso_time(item.signed_at),
                "is_revoked": item.is_revoked,
                "reason": item.reason,
            }
            for item in authority.jobs
        ],
    }
