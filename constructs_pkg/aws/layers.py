"""What AWS Lambda tells of a layer version, and its archive, downloaded within bounds and compared with its digest."""

import base64
import binascii
import hashlib
import http.client
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, BinaryIO, NoReturn, cast
from urllib.parse import urlsplit

from constructs_pkg.arns import LayerVersionArn, SigningJobArn, SigningProfileVersionArn
from constructs_pkg.aws.clients import Clients, aws_errors
from constructs_pkg.errors import ArnError, AwsError

__all__ = ["MAX_LAYER_BYTES", "LayerVersion", "download_layer_version", "get_layer_version"]

MAX_LAYER_BYTES = 262_144_000
"""The largest archive that is downloaded: a function with its layers has 250 MB at most, unzipped (Lambda quotas)."""

_CHUNK_BYTES = 256 * 1024
_TIMEOUT_SECONDS = 60
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerVersion:
    """One layer version as ``GetLayerVersionByArn`` tells it.

    Attributes:
        arn: The layer version.
        publisher: Who signed it; None where AWS Lambda names nobody, as for unsigned and for changed archives.
        signing_job_arn: The job, likewise.
        code_sha256: The archive's digest, lower-case hexadecimal.
        code_bytes: The archive's size.
        location: Where the archive lies for ten minutes. Whoever has it may download it: it is in no representation.
        created: When it was published, as AWS writes it; None where AWS does not say.
        description: For the reader, likewise.
        license_info: The publisher's word on its licence, likewise.
        compatible_runtimes: Such as ``python3.13``.
        compatible_architectures: Such as ``arm64``.
    """

    arn: LayerVersionArn
    publisher: SigningProfileVersionArn | None
    signing_job_arn: SigningJobArn | None
    code_sha256: str
    code_bytes: int
    location: str = field(repr=False)
    created: str | None = None
    description: str | None = None
    license_info: str | None = None
    compatible_runtimes: tuple[str, ...] = ()
    compatible_architectures: tuple[str, ...] = ()


def get_layer_version(clients: Clients, arn: LayerVersionArn) -> LayerVersion:
    """Ask AWS Lambda about a layer version, in its own Region.

    The caller needs ``lambda:GetLayerVersion`` on it, and for another account's layer that account's permission too.

    Args:
        clients: The clients.
        arn: The layer version.

    Raises:
        AwsError: AWS refuses or was not reached, or its answer is about another layer or is not understood.
    """
    with aws_errors(f"look up the layer version {arn}"):
        answer = clients.client("lambda", arn.region).get_layer_version_by_arn(Arn=str(arn))
    return _read(cast("Mapping[str, Any]", answer), arn)


def download_layer_version(
    layer: LayerVersion, target: BinaryIO, *, advance: Callable[[int], None] = lambda _count: None
) -> None:
    """Download the archive of a layer version, exactly the bytes that AWS Lambda holds.

    Goes through the proxy of the environment (``HTTPS_PROXY``) and trusts ``AWS_CA_BUNDLE`` where that is set. It
    follows no redirection.

    Args:
        layer: The layer version, looked up less than ten minutes ago.
        target: Where the archive is written. What was written by the time of an error is worthless.
        advance: Told of every piece, its length in bytes.

    Raises:
        AwsError: The archive is larger than `MAX_LAYER_BYTES` or than AWS said, has another digest, or cannot be had.
    """
    if layer.code_bytes > MAX_LAYER_BYTES:
        _refuse(layer, f"it has {layer.code_bytes:,} bytes, more than the {MAX_LAYER_BYTES:,} that a layer can have")
    place = urlsplit(layer.location)
    if place.scheme != "https" and not (place.scheme == "http" and place.hostname in _LOOPBACK):
        _refuse(layer, f"its address is not https but {place.scheme[:20]!r}")
    digest, received_bytes = hashlib.sha256(), 0
    try:
        with _open(layer.location) as response:
            while chunk := response.read(_CHUNK_BYTES):
                received_bytes += len(chunk)
                if received_bytes > layer.code_bytes:
                    _refuse(layer, f"more than the {layer.code_bytes:,} bytes came that AWS Lambda had announced")
                digest.update(chunk)
                target.write(chunk)
                advance(len(chunk))
    except urllib.error.HTTPError as error:
        error.close()
        # The reason may hold the address, and with it the right to download.
        raise _error(
            layer, f"the storage answered with the status {error.code}. Ask again: addresses last ten minutes"
        ) from error
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", None) or type(error).__name__
        raise _error(layer, f"{reason}. Check network and proxy") from error
    if received_bytes != layer.code_bytes or digest.hexdigest() != layer.code_sha256:
        _refuse(
            layer,
            f"{received_bytes:,} bytes with the SHA-256 {digest.hexdigest()} came, "
            f"AWS Lambda holds {layer.code_bytes:,} with {layer.code_sha256}",
        )


class _NoRedirection(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> None:
        """Follow none: the status becomes an error."""


def _open(location: str) -> http.client.HTTPResponse:
    trusted = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None)
    opener = urllib.request.build_opener(_NoRedirection(), urllib.request.HTTPSHandler(context=trusted))
    return cast("http.client.HTTPResponse", opener.open(location, timeout=_TIMEOUT_SECONDS))


def _read(answer: Mapping[str, Any], arn: LayerVersionArn) -> LayerVersion:
    try:
        content = cast("Mapping[str, Any]", answer["Content"])
        found = LayerVersionArn.parse(str(answer["LayerVersionArn"]))
        publisher, job = content.get("SigningProfileVersionArn"), content.get("SigningJobArn")
        layer = LayerVersion(
            arn=found,
            publisher=None if publisher is None else SigningProfileVersionArn.parse(str(publisher)),
            signing_job_arn=None if job is None else SigningJobArn.parse(str(job)),
            code_sha256=base64.b64decode(str(content["CodeSha256"]), validate=True).hex(),
            code_bytes=int(content["CodeSize"]),
            location=str(content["Location"]),
            created=_text(answer.get("CreatedDate")),
            description=_text(answer.get("Description")),
            license_info=_text(answer.get("LicenseInfo")),
            compatible_runtimes=tuple(map(str, answer.get("CompatibleRuntimes") or ())),
            compatible_architectures=tuple(map(str, answer.get("CompatibleArchitectures") or ())),
        )
    except (KeyError, TypeError, ArnError, ValueError, binascii.Error) as error:
        raise AwsError(
            "UnexpectedAnswer", f"AWS Lambda's answer about the layer version {arn} is not understood: {error!r}"
        ) from error
    if found != arn:
        raise AwsError("UnexpectedAnswer", f"AWS Lambda was asked about {arn} and answered about {found}")
    return layer


def _text(value: object) -> str | None:
    return str(value) if value else None


def _refuse(layer: LayerVersion, message: str) -> NoReturn:
    raise _error(layer, message)


def _error(layer: LayerVersion, message: str) -> AwsError:
    return AwsError("LayerDownloadError", f"cannot download the layer version {layer.arn}: {message}")
