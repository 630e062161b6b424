"""The resource types of Lambda code signing: CodeSigningConfig, and Function with a config that is enforced.

AWS::Signer::SigningProfile and ProfilePermission are MiniStack's own, over the records that our AWS Signer uses too;
it knows their create-only properties and refuses to replace a resource with a custom name, as CloudFormation does.
"""

from importlib import import_module
from typing import Any

from constructs_pkg.errors import ServiceError
from constructs_pkg.testing.local_aws.code_signing import CodeSigning
from constructs_pkg.testing.local_aws.code_signing_configs import CodeSigningConfigs
from constructs_pkg.testing.local_aws.overlay import Overlay, Request

__all__ = ["install"]

_CONFIG = "AWS::Lambda::CodeSigningConfig"
_FUNCTION = "AWS::Lambda::Function"
_CREATE_EVENT = "CreateFunction20150331"

# MiniStack ships no types.
_PROVISIONERS: Any = import_module("ministack.services.cloudformation.provisioners")
_LAMBDA: Any = import_module("ministack.services.lambda_svc")

_Made = tuple[str, dict[str, Any]]


def install(overlay: Overlay) -> None:
    """Teach CloudFormation both types.

    Args:
        overlay: Has the code signing configs and their enforcement.
    """
    configs, code_signing = overlay.part(CodeSigningConfigs), overlay.part(CodeSigning)
    overlay.add_resource_type(_CONFIG, _CodeSigningConfigType(configs))
    # No property of a config is create-only; stack tags reach it.
    _PROVISIONERS._REPLACING_PROPERTIES[_CONFIG] = ()  # noqa: SLF001
    _PROVISIONERS._STACK_TAG_PROPERTY[_CONFIG] = ("Tags", "list")  # noqa: SLF001
    function_type = _FunctionType(configs, code_signing, _PROVISIONERS._RESOURCE_HANDLERS[_FUNCTION])  # noqa: SLF001
    _PROVISIONERS._RESOURCE_HANDLERS[_FUNCTION] |= {  # noqa: SLF001
        "create": function_type.create,
        "update": function_type.update,
    }


class _CodeSigningConfigType:
    """AWS::Lambda::CodeSigningConfig; Ref and the physical id are the ARN."""

    def __init__(self, configs: CodeSigningConfigs) -> None:
        self._configs = configs

    def create(self, logical_id: str, properties: dict[str, Any], stack_name: str) -> _Made:
        del logical_id, stack_name
        _require(properties)
        request = _request()
        config = self._configs.make(_parameters(properties), request.account, request.region)
        return _attributes(config)

    def update(self, physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str) -> _Made:
        del stack_name
        _require(new)
        if "Description" in old and "Description" not in new:
            new = {**new, "Description": ""}
        config = self._configs.change(physical_id, _parameters(new))
        before, after = _tags(old), _tags(new)
        dropped = sorted(set(before) - set(after))
        if dropped:
            self._configs.untag({"Resource": physical_id, "TagKeys": dropped}, _request())
        if after != before:
            self._configs.tag({"Resource": physical_id, "Tags": after}, _request())
        return _attributes(config)

    def delete(self, physical_id: str, properties: dict[str, Any]) -> None:
        del properties
        if self._configs.find(physical_id) is not None:
            self._configs.remove(physical_id)


class _FunctionType:
    """AWS::Lambda::Function: MiniStack's, with the config checked before and attached after."""

    def __init__(self, configs: CodeSigningConfigs, code_signing: CodeSigning, ministack: dict[str, Any]) -> None:
        self._configs = configs
        self._code_signing = code_signing
        self._create: Any = ministack["create"]
        self._update: Any = ministack["update"]

    def create(self, logical_id: str, properties: dict[str, Any], stack_name: str) -> _Made:
        config_arn = properties.get("CodeSigningConfigArn")
        if config_arn:
            self._check(logical_id, properties, stack_name, config_arn)
        made: _Made = self._create(logical_id, properties, stack_name)
        function = _LAMBDA._functions[made[0]]  # noqa: SLF001
        function["code_signing_config_arn"] = config_arn or ""
        self._code_signing.note_signature(function)
        return made

    def update(
        self,
        physical_id: str,
        old: dict[str, Any],
        new: dict[str, Any],
        stack_name: str,
        logical_id: str | None = None,
    ) -> _Made:
        function: dict[str, Any] | None = _LAMBDA._functions.get(physical_id)  # noqa: SLF001
        before, after = old.get("CodeSigningConfigArn"), new.get("CodeSigningConfigArn")
        if function is None or before == after:
            return self._update(physical_id, old, new, stack_name, logical_id)
        if after:
            self._configs.require(after)
        attached = function.get("code_signing_config_arn")
        # New code is then checked by the new config. AWS does not document the order; it is our model.
        function["code_signing_config_arn"] = after or ""
        try:
            return self._update(physical_id, old, new, stack_name, logical_id)
        except Exception:
            function["code_signing_config_arn"] = attached
            raise

    def _check(self, logical_id: str, properties: dict[str, Any], stack_name: str, config_arn: str) -> None:
        if properties.get("PackageType") == "Image" or "ImageUri" in properties.get("Code", {}):
            raise ServiceError(
                "InvalidParameterValueException",
                "Code signing is not supported for functions created with container images.",
            )
        name = properties.get("FunctionName") or _PROVISIONERS._physical_name(stack_name, logical_id, max_len=64)  # noqa: SLF001
        layers, refusal = _LAMBDA._normalize_layer_attachments(properties.get("Layers"))  # noqa: SLF001
        if refusal is not None:
            raise ServiceError("InvalidParameterValueException", f"the layers are refused: {refusal[2]!r}")
        self._code_signing.require(
            name,
            config_arn,
            event_name=_CREATE_EVENT,
            code=_code_of(properties),
            layer_arns=[layer["Arn"] for layer in layers],
        )


def _code_of(properties: dict[str, Any]) -> bytes:
    """Return the ZIP that a function is made of; inline code makes one that nobody signed.

    Raises:
        ServiceError: There is no code.
    """
    code = properties.get("Code", {})
    runtime, handler = properties.get("Runtime", "python3.12"), properties.get("Handler", "index.handler")
    content: bytes | None = _PROVISIONERS._zip_inline(code.get("ZipFile"), handler, runtime)  # noqa: SLF001
    if content is None and code.get("S3Bucket") and code.get("S3Key"):
        content = _LAMBDA._fetch_code_from_s3(  # noqa: SLF001
            code["S3Bucket"], code["S3Key"], version_id=code.get("S3ObjectVersion")
        )
    if content is None:
        raise ServiceError("InvalidParameterValueException", f"there is no code at {code!r:.200}")
    return content


def _request() -> Request:
    """Return CloudFormation's own call of Lambda, in the present account and Region."""
    return Request("lambda", "POST", "/", {}, b"", {})


def _require(properties: dict[str, Any]) -> None:
    publishers = properties.get("AllowedPublishers")
    arns = publishers.get("SigningProfileVersionArns") if isinstance(publishers, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if not isinstance(arns, list) or not 1 <= len(arns) <= 20:  # pyright: ignore[reportUnknownArgumentType]
        raise ServiceError(
            "InvalidRequest",
            "Properties validation failed: AllowedPublishers must have 1 to 20 SigningProfileVersionArns",
        )
    policies = properties.get("CodeSigningPolicies")
    mode = policies.get("UntrustedArtifactOnDeployment") if isinstance(policies, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if policies is not None and mode not in {"Warn", "Enforce"}:
        raise ServiceError(
            "InvalidRequest",
            f"Properties validation failed: UntrustedArtifactOnDeployment must be Warn or Enforce, not {mode!r}",
        )
    unknown = sorted(set(properties) - {"Description", "AllowedPublishers", "CodeSigningPolicies", "Tags"})
    if unknown:
        raise ServiceError("InvalidRequest", f"Properties validation failed: extraneous key [{', '.join(unknown)}]")


def _parameters(properties: dict[str, Any]) -> dict[str, Any]:
    names = ("Description", "AllowedPublishers", "CodeSigningPolicies")
    return {**{name: properties[name] for name in names if name in properties}, "Tags": _tags(properties)}


def _tags(properties: dict[str, Any]) -> dict[str, str]:
    tags: list[dict[str, str]] = properties.get("Tags") or []
    return {tag["Key"]: tag.get("Value", "") for tag in tags}


def _attributes(config: dict[str, Any]) -> _Made:
    arn: str = config["CodeSigningConfigArn"]
    return arn, {"CodeSigningConfigArn": arn, "CodeSigningConfigId": config["CodeSigningConfigId"]}
