"""Loading certificates whole, and reading them: the library parses names and extensions on demand, and fails then."""

from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

__all__ = ["extension_of", "load_certificate", "load_certificates", "name_of"]

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)


def load_certificate(der: bytes) -> x509.Certificate:
    """Return a certificate of which names, times and extensions can be read.

    Args:
        der: Its DER.

    Raises:
        ValueError: It is malformed anywhere.
    """
    return _load(der)[0]


def load_certificates(pem: bytes) -> list[x509.Certificate]:
    """Return all certificates of a PEM text, at least one, of which everything can be read.

    Args:
        pem: The text.

    Raises:
        ValueError: There is none, or one is malformed anywhere.
    """
    return _load(pem, is_pem=True)


def _load(data: bytes, *, is_pem: bool = False) -> list[x509.Certificate]:
    try:
        found = x509.load_pem_x509_certificates(data) if is_pem else [x509.load_der_x509_certificate(data)]
        for certificate in found:
            _ = (certificate.subject, certificate.issuer, certificate.extensions)
            _ = (certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    except (
        ValueError,
        TypeError,
        KeyError,  # a name of an unknown string type, up to cryptography 49
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.InvalidVersion,
    ) as error:
        raise ValueError(str(error)) from error
    return found


def extension_of(extensions: x509.Extensions, kind: type[_Extension]) -> _Extension | None:
    """Return an extension of a certificate; None where it has none of this kind."""
    try:
        return extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def name_of(certificate: x509.Certificate) -> str:
    """Return what messages call a certificate: its subject (RFC 4514) in quotes."""
    return f"'{certificate.subject.rfc4514_string()}'"
