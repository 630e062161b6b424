"""Lambda's code signing configs: the records and every operation on them, without the enforcement."""

# MiniStack is untyped and has no public names for this; `internals` lists all that is touched.
# ruff: noqa: SLF001

import json
import secrets
import string
from typing import Any

from constructs_pkg.arns import CodeSigningConfigArn, SigningProfileVersionArn
from constructs_pkg.errors import ArnError, ServiceError
from constructs_pkg.testing.local_aws.function_references import function_arn, parse_function
from constructs_pkg.testing.local_aws.internals import LAMBDA
from constructs_pkg.testing.local_aws.overlay import Overlay, Request
from constructs_pkg.testing.local_aws.pages import page
from constructs_pkg.testing.local_aws.signing_authority import partition_of

__all__ = ["CodeSigningConfigs"]

INVALID = "InvalidParameterValueException"
_ID_ALPHABET = string.ascii_lowercase + string.digits
_ID_CHARACTERS = 17
_MAX_PAGE = 50
_MAX_TAGS = 50
_POLICY = "UntrustedArtifactOnDeployment"


class CodeSigningConfigs:
    """The code signing configs of all accounts and Regions; each operation is a `rest_json.Operation`.

    Args:
        overlay: Where they are kept.
    """

    def __init__(self, overlay: Overlay) -> None:
        self._configs = overlay.regional_store("code_signing_configs")

    @property
    def operations(self) -> dict[str, Any]:
        """Return the operations by name; tags have paths of their own and are not among them."""
        return {
            "CreateCodeSigningConfig": self.create,
            "GetCodeSigningConfig": self.get,
            "ListCodeSigningConfigs": self.list,
            "UpdateCodeSigningConfig": self.update,
            "DeleteCodeSigningConfig": self.delete,
            "ListFunctionsByCodeSigningConfig": self.list_functions,
            "PutFunctionCodeSigningConfig": self.put_function_config,
            "GetFunctionCodeSigningConfig": self.get_function_config,
            "DeleteFunctionCodeSigningConfig": self.delete_function_config,
        }

    @property
    def tag_operations(self) -> dict[str, Any]:
        """Return the operations on tags of configs, by name."""
        return {"ListTags": self.list_tags, "TagResource": self.tag, "UntagResource": self.untag}

    # For everybody in the present account and Region, CloudFormation among them

    def find(self, arn: str) -> dict[str, Any] | None:
        """Return a config of the present account and Region as the API shows it, None where there is none.

        Args:
            arn: The config's.
        """
        record = self._configs.get(arn)
        return None if record is None else _shown(record)

    def require(self, arn: str) -> dict[str, Any]:
        """Return a config that a function is to be checked by.

        Raises:
            ServiceError: There is none in this account and Region (``CodeSigningConfigNotFoundException``).
        """
        config = self.find(arn)
        if config is None:
            raise ServiceError(
                "CodeSigningConfigNotFoundException",
                "The code signing configuration cannot be found. "
                f"Check that the provided configuration is not deleted: {arn}.",
                404,
            )
        return config

    def tags_of(self, arn: str) -> dict[str, str]:
        """Return the tags of a config of the present account and Region; none where there is no such config."""
        record: dict[str, Any] = self._configs.get(arn) or {}
        return dict(record.get("tags", {}))

    def functions_of(self, arn: str) -> list[str]:
        """Return the ARNs of the functions that use a config."""
        return [
            function["config"]["FunctionArn"]
            for function in LAMBDA._functions.values()
            if function.get("code_signing_config_arn") == arn
        ]

    # The API

    def create(self, parameters: dict[str, Any], request: Request) -> dict[str, Any]:
        """Make a config. Whether the publishers exist is not checked, as on AWS."""
        return {"CodeSigningConfig": self.make(parameters, request.account, request.region)}

    def make(self, parameters: dict[str, Any], account: str, region: str) -> dict[str, Any]:
        """Make a config.

        Args:
            parameters: Those of CreateCodeSigningConfig.
            account: The present account.
            region: The present Region.

        Raises:
            ServiceError: A publisher is not the ARN of a signing profile version, or there are too many tags.
        """
        _require_publishers(parameters["AllowedPublishers"])
        tags = dict(parameters.get("Tags") or {})
        _require_tags(tags)
        config_id = "csc-" + "".join(secrets.choice(_ID_ALPHABET) for _ in range(_ID_CHARACTERS))
        arn = str(CodeSigningConfigArn(partition_of(region), region, account, config_id))
        policies: dict[str, Any] = parameters.get("CodeSigningPolicies") or {}
        self._configs[arn] = {
            "CodeSigningConfigId": config_id,
            "CodeSigningConfigArn": arn,
            "Description": parameters.get("Description", ""),
            "AllowedPublishers": {
                "SigningProfileVersionArns": list(parameters["AllowedPublishers"]["SigningProfileVersionArns"])
            },
            "CodeSigningPolicies": {_POLICY: policies.get(_POLICY, "Warn")},
            "LastModified": LAMBDA._now_iso(),
            "tags": tags,
        }
        return _shown(self._configs[arn])

    def get(self, parameters: dict[str, Any], _request: Request) -> dict[str, Any]:
        """Show a config."""
        return {"CodeSigningConfig": _shown(self._record(parameters["CodeSigningConfigArn"]))}

    def list(self, parameters: dict[str, Any], _request: Request) -> dict[str, Any]:
        """List the configs of the account and Region."""
        configs, marker = _page(sorted(self._configs.keys()), parameters)
        return {"CodeSigningConfigs": [_shown(self._configs[arn]) for arn in configs], "NextMarker": marker}

    def update(self, parameters: dict[str, Any], _request: Request) -> dict[str, Any]:
        """Change a config; what is left out or empty stays. It takes effect at the next deployment."""
        return {"CodeSigningConfig": self.change(parameters["CodeSigningConfigArn"], parameters)}

    def change(self, arn: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Change a config; what is left out or empty stays.

        Args:
            arn: The config's.
            parameters: Those of UpdateCodeSigningConfig.

        Raises:
            ServiceError: There is no such config, or a publisher is not the ARN of a signing profile version.
        """
        record = self._record(arn)
        publishers = parameters.get("AllowedPublishers")
        if publishers:
            _require_publishers(publishers)
            record["AllowedPublishers"] = {"SigningProfileVersionArns": list(publishers["SigningProfileVersionArns"])}
        policies: dict[str, Any] = parameters.get("CodeSigningPolicies") or {}
        if _POLICY in policies:
            record["CodeSigningPolicies"] = {_POLICY: policies[_POLICY]}
        if "Description" in parameters:
            record["Description"] = parameters["Description"]
        record["LastModified"] = LAMBDA._now_iso()
        return _shown(record)

    def delete(self, parameters: dict[str, Any], _request: Request) -> None:
        """Delete a config that no function uses."""
        self.remove(parameters["CodeSigningConfigArn"])

    def remove(self, arn: str) -> None:
        """Delete a config.

        Raises:
            ServiceError: There is no such config, or a function uses it (``ResourceConflictException``).
        """
        self._record(arn)
        functions = self.functions_of(arn)
        if functions:
            noun = "function" if len(functions) == 1 else "functions"
            raise ServiceError(
                "ResourceConflictException",
                f"Cannot delete the code signing configuration {arn}: it is used by {len(functions)} {noun}, "
                f"such as {functions[0]}.",
                409,
            )
        del self._configs[arn]

    def list_functions(self, parameters: dict[str, Any], _request: Request) -> dict[str, Any]:
        """List the functions that use a config."""
        arn = parameters["CodeSigningConfigArn"]
        self._record(arn)
        functions, marker = _page(self.functions_of(arn), parameters)
        return {"FunctionArns": functions, "NextMarker": marker}

    def put_function_config(self, parameters: dict[str, Any], _request: Request) -> dict[str, Any]:
        """Attach a config to a function; the code that is there is not checked."""
        name, function = _function(parameters["FunctionName"])
        arn = parameters["CodeSigningConfigArn"]
        self.require(arn)
        if function["config"].get("PackageType") == "Image":
            raise ServiceError(INVALID, "Code signing is not supported for functions created with container images.")
        function["code_signing_config_arn"] = arn
        return {"CodeSigningConfigArn": arn, "FunctionName": name}

    def get_function_config(self, parameters: dict[str, Any], _request: Request) -> dict[str, Any]:
        """Show the config of a function; an empty ARN where it has none."""
        name, function = _function(parameters["FunctionName"])
        return {"CodeSigningConfigArn": function.get("code_signing_config_arn") or "", "FunctionName": name}

    def delete_function_config(self, parameters: dict[str, Any], _request: Request) -> None:
        """Take the config away from a function."""
        _, function = _function(parameters["FunctionName"])
        function["code_signing_config_arn"] = ""

    def list_tags(self, parameters: dict[str, Any], _request: Request) -> dict[str, Any]:
        """List the tags of a config."""
        return {"Tags": dict(self._record(parameters["Resource"])["tags"])}

    def tag(self, parameters: dict[str, Any], _request: Request) -> None:
        """Tag a config."""
        record = self._record(parameters["Resource"])
        tags = {**record["tags"], **parameters["Tags"]}
        _require_tags(tags)
        record["tags"] = tags

    def untag(self, parameters: dict[str, Any], _request: Request) -> None:
        """Take tags away from a config."""
        record = self._record(parameters["Resource"])
        gone = set(parameters["TagKeys"])
        record["tags"] = {key: value for key, value in record["tags"].items() if key not in gone}

    def _record(self, arn: str) -> dict[str, Any]:
        record = self._configs.get(arn)
        if record is None:
            raise ServiceError(
                "ResourceNotFoundException", f"The Lambda code signing configuration {arn} can not be found.", 404
            )
        return record


def _shown(record: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of a record without what the API does not show."""
    return json.loads(json.dumps({key: value for key, value in record.items() if key != "tags"}))


def _page(items: list[str], parameters: dict[str, Any]) -> tuple[list[str], str | None]:
    return page(items, parameters, _MAX_PAGE, size_name="MaxItems", token_name="Marker", invalid_code=INVALID)  # noqa: S106 (a parameter's name)


def _require_publishers(publishers: dict[str, Any]) -> None:
    for arn in publishers["SigningProfileVersionArns"]:
        try:
            SigningProfileVersionArn.parse(arn)
        except ArnError as error:
            raise ServiceError(INVALID, str(error)) from error


def _require_tags(tags: dict[str, str]) -> None:
    if len(tags) > _MAX_TAGS:
        raise ServiceError(INVALID, f"a code signing configuration has at most {_MAX_TAGS} tags, not {len(tags)}")


def _function(reference: str) -> tuple[str, dict[str, Any]]:
    """Return the name and the record of a function that is named without a version or an alias."""
    name, qualifier = parse_function(reference)
    if qualifier is not None:
        raise ServiceError(
            INVALID, f"Invalid qualifier {qualifier!r}: a code signing configuration belongs to the function itself."
        )
    function = LAMBDA._functions.get(name)
    if function is None:
        raise ServiceError("ResourceNotFoundException", f"Function not found: {function_arn(name)}", 404)
    return name, function
