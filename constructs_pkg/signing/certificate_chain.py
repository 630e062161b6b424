"""The judgement of a signer's certificate chain at the moment of signing."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID

from constructs_pkg.errors import TrustError
from constructs_pkg.signing.certificate_reading import extension_of, name_of
from constructs_pkg.signing.trust import CertificateSummary, TrustDefect, TrustStore, fingerprint_text

__all__ = ["CertificateChain", "verify_chain"]

_MAX_INTERMEDIATES = 2


@dataclass(frozen=True, slots=True)
class CertificateChain:
    """A chain that was verified: leaf, regional, parent, root.

    Attributes:
        certificates: Leaf first.
    """

    certificates: tuple[x509.Certificate, ...]

    @property
    def certificate_hashes(self) -> tuple[str, ...]:
        """Return what ``signer-data:GetRevocationStatus`` takes as ``certificateHashes``.

        For each certificate, leaf first, the hex of ``SHA-384(its TBSCertificate) || SHA-384(its issuer's)``; the root
        is its own issuer.
        """
        own = [hashlib.sha384(certificate.tbs_certificate_bytes).hexdigest() for certificate in self.certificates]
        return tuple(digest + issuer for digest, issuer in zip(own, [*own[1:], own[-1]], strict=True))

    @property
    def summary(self) -> tuple[CertificateSummary, ...]:
        """Return the summaries, leaf first."""
        return tuple(CertificateSummary.of(certificate) for certificate in self.certificates)


def verify_chain(
    leaf: x509.Certificate, certificates: Sequence[x509.Certificate], trust: TrustStore, at: datetime
) -> CertificateChain:
    """Judge the signer's chain at the signing time.

    The leaf is no CA, may make digital signatures and is for code signing. Every certificate was valid at ``at``. The
    chain uses all the certificates, each issued by the next, which is a CA with a sufficient path length; it ends in a
    certificate that the trust store knows. The kind of the leaf's key is *not* judged here: the check of the signature
    does. No revocation list or responder is asked: AWS's own revocation is that of jobs and profiles.

    Args:
        leaf: The signer's certificate.
        certificates: All that the signature carries, the leaf and the root among them, in any order.
        trust: The roots of the user.
        at: The signing time, aware.

    Raises:
        TrustError: Any of it does not hold; ``reason`` is a member of `TrustDefect`.
    """
    _require_leaf(leaf)
    others = [certificate for certificate in certificates if certificate != leaf]
    roots = [certificate for certificate in others if certificate.subject == certificate.issuer]
    trusted = [root for root in roots if trust.trusts(root)]
    if not trusted:
        raise TrustError(TrustDefect.ROOT_UNTRUSTED, _untrusted(roots))
    for certificate in certificates:
        if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
            raise TrustError(
                TrustDefect.NOT_VALID_AT_SIGNING,
                f"the certificate {name_of(certificate)} is valid from {certificate.not_valid_before_utc.isoformat()} "
                f"to {certificate.not_valid_after_utc.isoformat()}, not at the signing time {at.isoformat()}",
            )
    chain = _chain(leaf, [certificate for certificate in others if certificate not in trusted], trusted, at)
    unused = [certificate for certificate in certificates if certificate not in chain]
    if unused:
        raise TrustError(
            TrustDefect.UNUSED_CERTIFICATE,
            f"the certificate {name_of(unused[0])} is in the signature but no part of the signer's chain",
        )
    return CertificateChain(chain)


def _chain(
    leaf: x509.Certificate, intermediates: list[x509.Certificate], roots: list[x509.Certificate], at: datetime
) -> tuple[x509.Certificate, ...]:
    """Let the library build and verify the path; what the leaf is for was judged before, by name."""
    leaf_policy = verification.ExtensionPolicy.permit_all()
    try:
        verifier = (
            verification.PolicyBuilder()
            .time(at)
            .store(verification.Store(roots))
            .max_chain_depth(_MAX_INTERMEDIATES)
            .extension_policies(ca_policy=_ca_policy(), ee_policy=leaf_policy)
            .build_client_verifier()
        )
        return tuple(verifier.verify(leaf, intermediates).chain)
    except (verification.VerificationError, ValueError, UnsupportedAlgorithm) as error:
        raise TrustError(
            TrustDefect.CHAIN, f"the signer's certificates do not make a valid chain to the trust root: {error}"
        ) from error


def _ca_policy() -> verification.ExtensionPolicy:
    """Ask of each issuer what it has to say; whether it is a CA, and how long its path may be, the library judges."""
    return (
        verification.ExtensionPolicy.permit_all()
        .require_present(x509.BasicConstraints, verification.Criticality.AGNOSTIC, None)
        .require_present(x509.KeyUsage, verification.Criticality.AGNOSTIC, _validate_ca_usage)
        .may_be_present(x509.ExtendedKeyUsage, verification.Criticality.AGNOSTIC, _validate_ca_purposes)
    )


def _validate_ca_usage(_policy: verification.Policy, certificate: x509.Certificate, found: x509.KeyUsage) -> None:
    if not found.key_cert_sign:
        raise ValueError(f"the certificate {name_of(certificate)} issued another and may not sign certificates")


def _validate_ca_purposes(
    _policy: verification.Policy, certificate: x509.Certificate, found: x509.ExtendedKeyUsage | None
) -> None:
    allowed = {ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if found is not None and allowed.isdisjoint(found):
        raise ValueError(f"the certificate {name_of(certificate)} issued another for code signing and may not")


def _require_leaf(leaf: x509.Certificate) -> None:
    """Refuse a signer's certificate that is not one for code signing, each flaw by its own name."""
    extensions = leaf.extensions
    constraints = extension_of(extensions, x509.BasicConstraints)
    if constraints is None or constraints.ca:
        raise TrustError(
            TrustDefect.LEAF_IS_CA, f"the signer's certificate {name_of(leaf)} is a CA, or does not say that it is none"
        )
    usage = extension_of(extensions, x509.KeyUsage)
    if usage is None or not usage.digital_signature:
        raise TrustError(
            TrustDefect.LEAF_KEY_USAGE, f"the signer's certificate {name_of(leaf)} is not for digital signatures"
        )
    purposes = extension_of(extensions, x509.ExtendedKeyUsage)
    if purposes is None or ExtendedKeyUsageOID.CODE_SIGNING not in purposes:
        raise TrustError(
            TrustDefect.LEAF_EXTENDED_KEY_USAGE, f"the signer's certificate {name_of(leaf)} is not for code signing"
        )


def _untrusted(roots: Sequence[x509.Certificate]) -> str:
    if not roots:
        return "the signature carries no root certificate"
    found = fingerprint_text(roots[0].fingerprint(hashes.SHA256()).hex())
    return (
        f"the signature's root {name_of(roots[0])} with the SHA-256 fingerprint {found} is not one of the trust roots. "
        "Was the archive signed by AWS Signer in the partition whose root you trust?"
    )
