"""Reads a signature and shows it: what is derived here, what was verified, and what is only claimed."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import cast

from cryptography import x509

from constructs_pkg.cli.output import EXIT_NO, EXIT_NO_VERDICT, EXIT_YES, one_line, say, say_json, tell
from constructs_pkg.cli.progress import open_with_progress
from constructs_pkg.cli.verification import read_trust_roots
from constructs_pkg.errors import ArchiveError, CmsError, LambdaCodeSigningError, TrustError
from constructs_pkg.signing.archive import SIGNATURE_ENTRY, ArchiveReading, read_archive
from constructs_pkg.signing.archive_defects import ArchiveDefect
from constructs_pkg.signing.certificate_chain import verify_chain
from constructs_pkg.signing.cms import SignatureEnvelope, parse_signature
from constructs_pkg.signing.report import iso_time
from constructs_pkg.signing.trust import CertificateSummary, TrustStore

__all__ = ["INSPECTION_VERSION", "inspect_archive"]

INSPECTION_VERSION = 1
"""The version of the JSON answer: it grows by one when a key changes its meaning or goes away."""

_Json = dict[str, object]


def inspect_archive(path: Path, trust_roots: Sequence[Path], *, as_json: bool) -> int:
    """Show the signature of an archive.

    Args:
        path: The archive.
        trust_roots: PEM files of the roots to trust; without any, nothing counts as verified.
        as_json: Whether to print JSON.

    Returns:
        The exit code.
    """
    try:
        trust = read_trust_roots(trust_roots)
        with open_with_progress(path, f"reading {path.name}") as file:
            reading = read_archive(file)
    except ArchiveError as error:
        tell(one_line(f"Error: {path}: {error}"))
        return EXIT_NO_VERDICT if error.reason == ArchiveDefect.UNREADABLE else EXIT_NO
    except LambdaCodeSigningError as error:
        tell(f"Error: {error}")
        return EXIT_NO_VERDICT
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        tell(one_line(f"Error: {path} cannot be read: {reason}. Check the path"))
        return EXIT_NO_VERDICT
    answer: _Json = {"version": INSPECTION_VERSION, "artifact": str(path), "archive": _archive(reading)}
    answer["signature"], problem = _signature(reading, trust)
    if as_json:
        say_json({**answer, "problem": problem})
    else:
        say("\n".join([one_line(str(path)), *_tree({key: answer[key] for key in ("archive", "signature")})]))
    if problem is not None:
        tell(one_line(f"Error: {path}: {problem}"))
        return EXIT_NO
    return EXIT_YES


def _archive(reading: ArchiveReading) -> _Json:
    """Return what was computed from the archive itself, which needs no trust."""
    return {
        "signature_bytes": None if reading.signature is None else len(reading.signature),
        "archive_bytes": reading.archive_bytes,
        "expanded_bytes": reading.expanded_bytes,
        "entry_count": reading.entry_count,
        "content_sha384": reading.content_digest.hex(),
        "notes": [f"{note.code}: {note.message}" for note in reading.notes],
    }


def _signature(reading: ArchiveReading, trust: TrustStore) -> tuple[_Json | None, str | None]:
    """Return what the signature says, and what kept it from being read."""
    if reading.signature is None:
        return None, f"not signed: it has no entry {SIGNATURE_ENTRY}"
    try:
        envelope = parse_signature(reading.signature)
    except CmsError as error:
        return None, str(error)
    checks = _checks(envelope, reading.content_digest, trust)
    is_verified = all(item["passed"] for item in checks.values())
    signature: _Json = {
        "verified": is_verified,
        "checks": checks,
        "claims": {
            "signing_profile_version_arn": str(envelope.signing_profile_version_arn),
            "signing_job_arn": str(envelope.signing_job_arn),
            "signed_at": iso_time(envelope.signed_at),
            "expires_at": iso_time(envelope.expires_at),
            "message_digest": envelope.message_digest.hex(),
        },
        "digest_algorithm": "SHA-384",
        "signature_algorithm": "ECDSA with SHA-384, P-384",
        "algorithm_protection": envelope.has_algorithm_protection,
        "signature_value": envelope.signature.hex(),
        "certificates": [_certificate(item, envelope) for item in _signer_first(envelope)],
    }
    return signature, None


def _checks(envelope: SignatureEnvelope, content_digest: bytes, trust: TrustStore) -> dict[str, _Json]:
    """Try everything that can be tried without a policy, each by itself."""
    checks: dict[str, _Json] = {}
    attempts = {
        "content": lambda: envelope.check_content(content_digest),
        "signature": envelope.check_signature,
        "trust": lambda: _check_trust(envelope, trust),
    }
    for name, attempt in attempts.items():
        try:
            attempt()
            checks[name] = {"passed": True, "reason": _PASSED[name]}
        except (CmsError, TrustError) as error:
            checks[name] = {"passed": False, "reason": str(error)}
    return checks


_PASSED = {
    "content": "the archive's content is what the message digest says",
    "signature": "the signer's certificate holds the key that signed the claims",
    "trust": "the signer's certificate ends in a root that you trust",
}


def _check_trust(envelope: SignatureEnvelope, trust: TrustStore) -> None:
    if not trust:
        raise TrustError("no_trust_root", "no root was given to trust: the certificates could be anybody's")
    verify_chain(envelope.signer_certificate, envelope.certificates, trust, envelope.signed_at)


def _signer_first(envelope: SignatureEnvelope) -> list[x509.Certificate]:
    """Return the certificates as each names its issuer, from the signer up; those that nothing leads to come last."""
    ordered = [envelope.signer_certificate]
    left = [item for item in envelope.certificates if item != envelope.signer_certificate]
    while issuer := next((item for item in left if item.subject == ordered[-1].issuer), None):
        ordered.append(issuer)
        left.remove(issuer)
    return ordered + left


def _certificate(certificate: x509.Certificate, envelope: SignatureEnvelope) -> _Json:
    summary = asdict(CertificateSummary.of(certificate))
    role = "signer" if certificate == envelope.signer_certificate else "authority"
    if certificate.subject == certificate.issuer:
        role = "root, as the archive brings it"
    summary |= {"not_before": iso_time(summary["not_before"]), "not_after": iso_time(summary["not_after"])}
    return {"role": role, **summary}


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else one_line(str(value))


def _tree(values: Mapping[str, object], indent: str = "  ", mark: str = "") -> list[str]:
    """Return a branch of the tree; ``mark`` stands behind each value that somebody could have made up."""
    lines: list[str] = []
    for key, value in values.items():
        label = key.replace("_", " ")
        if isinstance(value, dict):
            branch = cast("_Json", value)
            below = _mark(branch) if "claims" in branch else mark
            lines += [f"{indent}{label}", *_tree(branch, indent + "  ", below if key != "checks" else "")]
        elif isinstance(value, list):
            lines += [f"{indent}{label}", *_items(cast("list[object]", value), indent + "  ", mark)]
        elif key == "verified":
            lines.append(f"{indent}{label}: {'yes' if value else 'no: what follows is only what the archive claims'}")
        else:
            lines.append(f"{indent}{label}: {_shown(value)}{mark}")
    return lines


def _items(values: Sequence[object], indent: str, mark: str) -> list[str]:
    lines: list[str] = []
    for number, value in enumerate(values, 1):
        if isinstance(value, dict):
            lines += [f"{indent}{number}", *_tree(cast("_Json", value), indent + "  ", mark)]
        else:
            lines.append(f"{indent}{one_line(str(value))}")
    return lines or [f"{indent}none"]


def _mark(signature: _Json) -> str:
    return "  [verified]" if signature["verified"] else "  [UNVERIFIED]"
