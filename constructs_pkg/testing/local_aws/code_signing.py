"""Lambda's code signing, enforced: every way in which code reaches a function goes through the verifier first.

MiniStack's own functions that store code are wrapped, so that what its CloudFormation or Cloud Control calls is checked
too. Publishing a layer checks nothing, attaching it does: as on AWS.
"""

# MiniStack is untyped and has no public names for this; `internals` lists all that is touched.
# ruff: noqa: SLF001, ANN401

import base64
import binascii
import copy
import hashlib
import json
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, cast

from constructs_pkg.errors import ServiceError
from constructs_pkg.signing.deployment import Artifact
from constructs_pkg.testing.local_aws.code_signing_configs import INVALID, CodeSigningConfigs
from constructs_pkg.testing.local_aws.deployment_records import record_deployment
from constructs_pkg.testing.local_aws.function_references import function_arn, parse_function
from constructs_pkg.testing.local_aws.internals import LAMBDA, RESPONSES
from constructs_pkg.testing.local_aws.judgement import Judge, function_artifact, layer_artifact
from constructs_pkg.testing.local_aws.overlay import Overlay, Proceed, Request, Response, error_response
from constructs_pkg.testing.local_aws.rest_json import RestJsonService
from constructs_pkg.testing.local_aws.signing_authority import SigningAuthority

__all__ = ["CodeSigning", "install"]

_MAX_INLINE_CODE_CHARACTERS = 4 * 70_167_211 // 3 + 4
"""Lambda's limit for a request, 70,167,211 bytes, in Base64 (the message of AWS's RequestEntityTooLargeException)."""
_OK = 300
_read_objects: ContextVar[dict[tuple[str, str, str | None], bytes | None] | None] = ContextVar(
    "read_objects", default=None
)

Handler = Callable[..., Response]


def install(overlay: Overlay) -> None:
    """Serve the code signing configs and enforce them.

    Args:
        overlay: The registry.
    """
    configs = CodeSigningConfigs(overlay)
    code_signing = CodeSigning(configs, Judge(overlay, overlay.part(SigningAuthority)))
    overlay.share(configs)
    overlay.share(code_signing)
    service = RestJsonService("lambda", configs.operations, invalid_code=INVALID)
    tag_service = RestJsonService("lambda", configs.tag_operations, invalid_code=INVALID)

    async def serve(request: Request, proceed: Proceed) -> Response:
        if "/tags/" in request.path and ":code-signing-config:" in request.path:
            return await tag_service(request, proceed)
        return await service(request, proceed)

    overlay.add_service("lambda", serve)
    LAMBDA._fetch_code_from_s3 = _reading_once(LAMBDA._fetch_code_from_s3)
    for name, wrap in (
        ("_create_function", code_signing.checking_create),
        ("_update_code", code_signing.checking_code),
        ("_update_config", code_signing.checking_layers),
        ("_publish_layer_version", code_signing.noting_layer),
    ):
        setattr(LAMBDA, name, _guarded(wrap, getattr(LAMBDA, name)))
    LAMBDA._layer_config_from_version = code_signing.showing_layer(LAMBDA._layer_config_from_version)


class CodeSigning:
    """Checks deployments in the present account and Region.

    Args:
        configs: The code signing configs.
        judge: Who decides.
    """

    def __init__(self, configs: CodeSigningConfigs, judge: Judge) -> None:
        self.configs = configs
        self._judge = judge

    def require(
        self,
        function_name: str,
        config_arn: str | None,
        *,
        event_name: str,
        code: bytes | None = None,
        layer_arns: Sequence[str] = (),
    ) -> None:
        """Refuse a deployment that the config refuses; count and record one that it lets pass with a warning.

        Args:
            function_name: The function, whether it exists yet or not.
            config_arn: The code signing config; None or empty checks nothing.
            event_name: CloudTrail's name of the operation, such as ``CreateFunction20150331``.
            code: The function's ZIP; None where the deployment brings none.
            layer_arns: The layer versions that are attached.

        Raises:
            ServiceError: In AWS's words.
        """
        if not config_arn:
            return
        config = self.configs.require(config_arn)
        artifacts: list[Artifact] = []
        if code is not None:
            artifacts.append(function_artifact(function_arn(function_name), code))
        artifacts += [layer_artifact(arn, _layer_code(arn)) for arn in layer_arns]
        reports, refusal = self._judge.judge(config, artifacts, RESPONSES.get_region())
        record_deployment(event_name, function_arn(function_name), reports, refusal)
        if refusal is not None:
            raise refusal

    def note_signature(self, function: dict[str, Any]) -> None:
        """Write into a function's configuration where the signature of its code comes from, or that it has none.

        Args:
            function: MiniStack's record of the function.
        """
        code = function.get("code_zip")
        origin = self._judge.origin_of(code, RESPONSES.get_region()) if code else None
        records = [function, *(item for item in function["versions"].values() if item.get("code_zip") is code)]
        for record in records:
            for member in ("SigningProfileVersionArn", "SigningJobArn"):
                record["config"].pop(member, None)
            if origin is not None:
                record["config"].update(origin.to_dict())

    # MiniStack's functions, wrapped

    def checking_create(self, proceed: Handler, data: dict[str, Any]) -> Response:
        """CreateFunction."""
        (name, _), config_arn = parse_function(data.get("FunctionName")), data.get("CodeSigningConfigArn")
        data = {**data, "FunctionName": name}
        if name in LAMBDA._functions:
            return proceed(data)
        code_data = _object(data.get("Code"))
        is_image = data.get("PackageType") == "Image" or "ImageUri" in code_data
        if config_arn and is_image:
            raise ServiceError(INVALID, "Code signing is not supported for functions created with container images.")
        code = None if is_image else _required_code(code_data)
        layers = _layer_arns(data.get("Layers"))
        self.require(name, config_arn, event_name="CreateFunction20150331", code=code, layer_arns=layers)
        response = proceed(data)
        if response[0] >= _OK:
            return response
        function = LAMBDA._functions[name]
        function["code_signing_config_arn"] = config_arn or ""
        self.note_signature(function)
        return _with_signature(response, function)

    def checking_code(self, proceed: Handler, name: str, data: dict[str, Any]) -> Response:
        """UpdateFunctionCode, which MiniStack runs for real with DryRun too."""
        function = LAMBDA._functions.get(name)
        if function is None:
            return proceed(name, data)
        stale = LAMBDA._check_revision(function["config"], data)
        if stale is not None:
            return stale
        config_arn = function.get("code_signing_config_arn")
        if config_arn and "ImageUri" in data:
            raise ServiceError(INVALID, "Code signing is not supported for functions created with container images.")
        code = None if "ImageUri" in data else _required_code(data)
        self.require(name, config_arn, event_name="UpdateFunctionCode20150331v2", code=code)
        if data.get("DryRun"):
            return RESPONSES.json_response(_as_if_updated(function["config"], code))
        response = proceed(name, data)
        if response[0] < _OK:
            self.note_signature(function)
            response = _with_signature(response, function)
        return response

    def checking_layers(self, proceed: Handler, name: str, data: dict[str, Any]) -> Response:
        """UpdateFunctionConfiguration, which is checked where it attaches layers."""
        function = LAMBDA._functions.get(name)
        if function is not None and data.get("Layers"):
            stale = LAMBDA._check_revision(function["config"], data)
            if stale is not None:
                return stale
            self.require(
                name,
                function.get("code_signing_config_arn"),
                event_name="UpdateFunctionConfiguration20150331v2",
                layer_arns=_layer_arns(data["Layers"]),
            )
        return proceed(name, data)

    def noting_layer(self, proceed: Handler, layer_name: str, data: dict[str, Any]) -> Response:
        """PublishLayerVersion: nothing is checked, but where an intact signature comes from is shown."""
        _required_code(_object(data.get("Content")))
        response = proceed(layer_name, data)
        if response[0] >= _OK:
            return response
        answer = json.loads(response[2])
        version = next(item for item in LAMBDA._layers[layer_name]["versions"] if item["Version"] == answer["Version"])
        self._note_layer(version)
        answer["Content"] = version["Content"]
        return response[0], response[1], json.dumps(answer).encode()

    def showing_layer(self, original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
        """Wrap what a function's configuration shows of a layer."""

        def layer_config(layer_arn: str, version: dict[str, Any]) -> dict[str, Any]:
            self._note_layer(version)
            signed = {
                member: version["Content"][member]
                for member in ("SigningProfileVersionArn", "SigningJobArn")
                if member in version.get("Content", {})
            }
            return {**original(layer_arn, version), **signed}

        return layer_config

    def _note_layer(self, version: dict[str, Any]) -> None:
        code = version.get("_zip_data")
        if code and "SigningJobArn" not in version["Content"]:
            origin = self._judge.origin_of(code, RESPONSES.get_region())
            if origin is not None:
                version["Content"].update(origin.to_dict())


def _guarded(wrap: Callable[..., Response], original: Handler) -> Handler:
    """Put a check before a function of MiniStack's; its refusal becomes the function's answer."""

    def handler(*arguments: Any) -> Response:
        try:
            with _one_reading():
                return wrap(original, *arguments)
        except ServiceError as error:
            return error_response(error)

    return handler


@contextmanager
def _one_reading() -> Generator[None]:
    """Have an S3 object read once: the bytes that were checked are the bytes that are deployed."""
    token = _read_objects.set({})
    try:
        yield
    finally:
        _read_objects.reset(token)


def _reading_once(original: Callable[..., bytes | None]) -> Callable[..., bytes | None]:
    def fetch(bucket: str, key: str, version_id: str | None = None) -> bytes | None:
        known = _read_objects.get()
        if known is None:
            return original(bucket, key, version_id=version_id)
        if (bucket, key, version_id) not in known:
            known[bucket, key, version_id] = original(bucket, key, version_id=version_id)
        return known[bucket, key, version_id]

    return fetch


def _required_code(data: dict[str, Any]) -> bytes:
    """Return the ZIP that a request brings or names.

    Raises:
        ServiceError: There is none.
    """
    if "ZipFile" in data:
        return _inline_code(data["ZipFile"])
    bucket, key, version = data.get("S3Bucket"), data.get("S3Key"), data.get("S3ObjectVersion")
    if not isinstance(bucket, str) or not isinstance(key, str) or not isinstance(version, str | None):
        raise ServiceError(INVALID, "Please provide a source for function code.")
    wrong_region = LAMBDA.s3_code_region_message(bucket)
    if wrong_region:
        raise ServiceError(INVALID, wrong_region)
    code = LAMBDA._fetch_code_from_s3(bucket, key, version_id=version)
    if code is None:
        raise ServiceError(
            INVALID,
            "Error occurred while GetObject. S3 Error Code: NoSuchKey. "
            "S3 Error Message: The specified key does not exist.",
        )
    return code


def _inline_code(text: Any) -> bytes:
    if not isinstance(text, str):
        raise ServiceError("SerializationException", "ZipFile is not Base64 text")
    if len(text) > _MAX_INLINE_CODE_CHARACTERS:
        raise ServiceError(
            "RequestEntityTooLargeException", "Request must be smaller than 70167211 bytes for this operation", 413
        )
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ServiceError("SerializationException", f"ZipFile is not Base64: {error}") from error


def _layer_arns(layers: Any) -> list[str]:
    if layers is None:
        return []
    if not isinstance(layers, list):
        raise ServiceError("SerializationException", "Layers is not a list")
    arns: list[str] = []
    for layer in cast("list[Any]", layers):
        # CloudFormation's handlers pass the layers on as they are shown, with their sizes.
        arn: Any = _object(layer).get("Arn") if isinstance(layer, dict) else layer
        if not isinstance(arn, str):
            raise ServiceError("SerializationException", "Layers holds what is not the ARN of a layer version")
        arns.append(arn)
    return arns


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _layer_code(arn: str) -> bytes:
    """Return a layer version's ZIP as it would be attached.

    Raises:
        ServiceError: The caller may not attach it, it does not exist, or nobody here holds it.
    """
    version, problem = LAMBDA._resolve_layer_version_for_attachment(arn)
    if problem is not None:
        content = json.loads(problem[2])
        raise ServiceError(content.get("__type", INVALID), content.get("message", ""), problem[0])
    code = version.get("_zip_data")
    if not code:
        raise ServiceError(INVALID, f"the local AWS does not hold the layer {arn}: its signature cannot be checked")
    return code


def _as_if_updated(config: dict[str, Any], code: bytes | None) -> dict[str, Any]:
    shown = copy.deepcopy(config)
    if code is not None:
        shown["CodeSize"] = len(code)
        shown["CodeSha256"] = base64.b64encode(hashlib.sha256(code).digest()).decode()
    return shown


def _with_signature(response: Response, function: dict[str, Any]) -> Response:
    """Return MiniStack's answer with the two members of signed code, which it made before they were known."""
    answer = json.loads(response[2])
    for member in ("SigningProfileVersionArn", "SigningJobArn"):
        answer.pop(member, None)
        if member in function["config"]:
            answer[member] = function["config"][member]
    return response[0], response[1], json.dumps(answer).encode()
