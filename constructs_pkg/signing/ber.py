"""The bounded step from AWS Signer's BER wrappers to DER, and the few bytes of DER writing that the envelope needs.

AWS encodes the two outermost wrappers of its signature with indefinite lengths; everything inside is DER. So only an
element that begins with an indefinite length is rewritten here. An element of definite length is copied as it stands,
never looked into: an indefinite length further inside is left for the DER parser to refuse.
"""

from constructs_pkg.errors import CmsError
from constructs_pkg.signing.cms_defects import CmsDefect

__all__ = ["MAX_INDEFINITE_DEPTH", "der_element", "indefinite_element", "to_der"]

MAX_INDEFINITE_DEPTH = 2
"""``ContentInfo`` and its ``[0]``: the wrappers that AWS writes with indefinite lengths."""

_INDEFINITE = 0x80
_CONSTRUCTED = 0x20
_END_OF_CONTENTS = b"\0\0"


def to_der(data: bytes) -> bytes:
    """Rewrite at most two nested wrappers of indefinite length with definite lengths.

    Args:
        data: One BER element. Its size is the caller's to bound; the result is never more than a few bytes longer.

    Returns:
        The same element. Whether what it holds is DER is *not* checked.

    Raises:
        CmsError: The element is cut short, nests indefinite lengths deeper than `MAX_INDEFINITE_DEPTH`, is a primitive
            of indefinite length, has a tag number above 30, or bytes follow its end.
    """
    element, end = _element_at(data, 0, MAX_INDEFINITE_DEPTH)
    if end != len(data):
        raise CmsError(
            CmsDefect.TRAILING_DATA, f"the signature has {len(data) - end} bytes after its end. Sign the archive again"
        )
    return element


def der_element(tag: int, *contents: bytes) -> bytes:
    """Return a DER element.

    Args:
        tag: The identifier octet.
        contents: What it holds, joined.
    """
    body = b"".join(contents)
    if len(body) < _INDEFINITE:
        return bytes((tag, len(body))) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes((tag, _INDEFINITE | len(length))) + length + body


def indefinite_element(tag: int, *contents: bytes) -> bytes:
    """Return a constructed BER element of indefinite length, closed by its end-of-contents octets.

    Args:
        tag: The identifier octet, with the constructed bit.
        contents: Complete elements, joined.
    """
    return bytes((tag, _INDEFINITE)) + b"".join(contents) + _END_OF_CONTENTS


def _element_at(data: bytes, start: int, depth: int) -> tuple[bytes, int]:
    """Return the element at an offset, rewritten where its length is indefinite, and the offset after it."""
    if len(data) - start < 2:
        raise _malformed("ends in the middle of an element")
    tag, first_length = data[start], data[start + 1]
    if tag & 0x1F == 0x1F:
        raise _malformed(f"has a tag of several bytes at offset {start}")
    if first_length != _INDEFINITE:
        end = _definite_end(data, start)
        return data[start:end], end
    if not tag & _CONSTRUCTED:
        raise _malformed(f"has a primitive element of indefinite length at offset {start}")
    if depth == 0:
        raise CmsError(
            CmsDefect.BER_DEPTH,
            f"the signature nests indefinite lengths deeper than {MAX_INDEFINITE_DEPTH} levels. Sign the archive again",
        )
    children: list[bytes] = []
    position = start + 2
    while data[position : position + 2] != _END_OF_CONTENTS:
        child, position = _element_at(data, position, depth - 1)
        children.append(child)
    return der_element(tag, *children), position + 2


def _definite_end(data: bytes, start: int) -> int:
    """Return the offset after an element of definite length; whether its length is DER's shortest is not checked."""
    length = data[start + 1]
    position = start + 2
    if length > _INDEFINITE:
        octets = length & 0x7F
        if octets > 4 or position + octets > len(data):
            raise _malformed(f"has a length of {octets} bytes at offset {start}")
        length = int.from_bytes(data[position : position + octets], "big")
        position += octets
    if position + length > len(data):
        raise _malformed(f"has an element of {length} bytes at offset {start}, which reaches beyond the end")
    return position + length


def _malformed(what: str) -> CmsError:
    return CmsError(CmsDefect.MALFORMED, f"the signature {what}. Sign the archive again")
