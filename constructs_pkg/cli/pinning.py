"""Pins and shows trust roots; nothing becomes trusted here without a person's word or a fingerprint from elsewhere."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
from cryptography import x509

from constructs_pkg.cli.files import refuse_existing, write_file
from constructs_pkg.cli.output import EXIT_NO, EXIT_NO_VERDICT, EXIT_YES, one_line, printable, say, say_json, tell
from constructs_pkg.cli.progress import open_with_progress
from constructs_pkg.cli.verification import read_trust_roots
from constructs_pkg.errors import ArchiveError, CmsError, LambdaCodeSigningError, TrustError
from constructs_pkg.signing.archive import read_archive
from constructs_pkg.signing.archive_defects import ArchiveDefect
from constructs_pkg.signing.certificate_chain import verify_chain
from constructs_pkg.signing.cms import parse_signature
from constructs_pkg.signing.report import iso_time
from constructs_pkg.signing.trust import (
    DOCUMENTED_COMMERCIAL_ROOT_SHA256,
    CertificateSummary,
    TrustStore,
    fingerprint_text,
    parse_fingerprint,
)

__all__ = ["ROOTS_VERSION", "pin_root", "show_roots"]

ROOTS_VERSION = 1
"""The version of the JSON form of ``trust show``: it grows by one when a key changes its meaning or goes away."""

_REPORTED = fingerprint_text(DOCUMENTED_COMMERCIAL_ROOT_SHA256)
_REPORTED_LINE = f"reported: {_REPORTED} (public material on the aws partition; UNVERIFIED, for comparison only)"


def pin_root(archive: Path, output: Path, expect_fingerprint: str | None, *, force: bool) -> int:
    """Write the root of an archive to a file, after a confirmation.

    Args:
        archive: A signed archive.
        output: The PEM file to write.
        expect_fingerprint: The SHA-256 that the root must have, or None to ask.
        force: Whether to replace the file.

    Returns:
        The exit code.
    """
    refuse_existing(output, force=force)
    expected = _expected(expect_fingerprint)
    if expected is None and not sys.stdin.isatty():
        raise click.UsageError(
            "nobody can be asked here. Give --expect-fingerprint with the SHA-256 that you learnt elsewhere"
        )
    try:
        root = _root_of(archive)
    except OSError as error:
        tell(one_line(f"Error: {archive} cannot be read: {error.strerror}. Check the path"))
        return EXIT_NO_VERDICT
    except (ArchiveError, CmsError, TrustError) as error:
        tell(one_line(f"Error: {archive}: {error}"))
        return EXIT_NO_VERDICT if error.reason == ArchiveDefect.UNREADABLE else EXIT_NO
    summary = CertificateSummary.of(root)
    say("\n".join([f"root certificate of {archive}", *_lines(summary), f"  {_REPORTED_LINE}"]))
    if not _is_confirmed(summary, expected):
        return EXIT_NO
    pem = TrustStore((root,)).pem.encode("ascii")
    write_file(output, lambda file: file.write(pem), force=force)
    say(f"written to {output}")
    return EXIT_YES


def show_roots(files: Sequence[Path], *, as_json: bool) -> int:
    """Show the roots in PEM files.

    Args:
        files: The files.
        as_json: Whether to print JSON.

    Returns:
        The exit code.
    """
    try:
        roots = [(path, root) for path in files for root in read_trust_roots([path]).roots]
    except LambdaCodeSigningError as error:
        tell(f"Error: {error}")
        return EXIT_NO_VERDICT
    if as_json:
        say_json(
            {"version": ROOTS_VERSION, "roots": [_json(path, CertificateSummary.of(root)) for path, root in roots]}
        )
        return EXIT_YES
    for path, root in roots:
        say("\n".join([str(path), *_lines(CertificateSummary.of(root))]))
    say(f"  {_REPORTED_LINE}")
    return EXIT_YES


def _expected(text: str | None) -> str | None:
    try:
        return None if text is None else parse_fingerprint(text)
    except TrustError as error:
        raise click.BadParameter(str(error), param_hint="--expect-fingerprint") from error


def _root_of(path: Path) -> x509.Certificate:
    """Return the root that a sound signature brings along; whether to trust it is the next question."""
    with open_with_progress(path, f"reading {path.name}") as file:
        reading = read_archive(file)
    if reading.signature is None:
        raise CmsError("unsigned", "it is not signed. Use an archive that AWS Signer has just signed for you")
    envelope = parse_signature(reading.signature)
    envelope.check(reading.content_digest)
    roots = tuple(item for item in envelope.certificates if item.subject == item.issuer)
    # With its own roots for trust, this checks that there is one, and that the chain leads to it.
    chain = verify_chain(envelope.signer_certificate, envelope.certificates, TrustStore(roots), envelope.signed_at)
    return chain.certificates[-1]


def _is_confirmed(summary: CertificateSummary, expected: str | None) -> bool:
    if expected is not None:
        if expected == parse_fingerprint(summary.sha256):
            return True
        wrong = f"the root has the fingerprint {summary.sha256}, not {fingerprint_text(expected)}"
        tell(f"Error: {wrong}. Nothing is written")
        return False
    question = "Was this archive just signed by AWS Signer in your own account, and do you trust this root?"
    if click.confirm(printable(question), default=False, err=True):
        return True
    tell("Not confirmed: nothing is written")
    return False


def _lines(summary: CertificateSummary) -> list[str]:
    return [
        f"  subject:  {one_line(summary.subject)}",
        f"  valid:    {iso_time(summary.not_before)} to {iso_time(summary.not_after)}",
        f"  SHA-256:  {summary.sha256}",
    ]


def _json(path: Path, summary: CertificateSummary) -> dict[str, object]:
    times = {"not_before": iso_time(summary.not_before), "not_after": iso_time(summary.not_after)}
    return {"file": str(path), **asdict(summary), **times, "is_publicly_reported": summary.sha256 == _REPORTED}
