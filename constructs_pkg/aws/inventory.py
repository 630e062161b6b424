"""Reads what is deployed in one account and Region: functions, layers, code signing configs, deployments, metrics.

Calls grow with the functions, not with their product: configs are found by ListFunctionsByCodeSigningConfig, and only a
function in none of these listings is asked for one by one. Signatures of attached layers come with ListFunctions.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from constructs_pkg.aws.deployments import deployments, function_name, validation_errors
from constructs_pkg.aws.member_place import MemberPlace, kind_of
from constructs_pkg.errors import AwsError
from constructs_pkg.inventory.readings import (
    ConfigReading,
    FailureKind,
    FunctionReading,
    Gap,
    Part,
    Place,
    PlaceReading,
    Signature,
)

__all__ = ["Wanted", "read_place"]

_T = TypeVar("_T")

_PARAMETERS = "/lambda-code-signing/code-signing-configs"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to read of a place, beside its functions and configs.

    Attributes:
        versions: Published versions of functions, too.
        deployment_days: Deployments and metrics of so many past days, at most 14; 0 for none.
        published_layers: Who signed each layer version of the account, a call each: needs ``lambda:GetLayerVersion``,
            which answers with a link to the code and which the auditor role therefore does not have.
    """

    versions: bool = False
    deployment_days: int = 0
    published_layers: bool = False


def read_place(place: MemberPlace, wanted: Wanted, at: datetime) -> PlaceReading:
    """Read an account and Region; a part that cannot be read becomes a gap, and the others are read all the same.

    What happened in the last 15 minutes may be missing: CloudTrail and CloudWatch list it later.

    Args:
        place: Where.
        wanted: What.
        at: The present moment.

    Raises:
        AwsError: Not even the functions could be read.
    """
    return _Reader(place, wanted, at).read()


class _Reader:
    def __init__(self, place: MemberPlace, wanted: Wanted, at: datetime) -> None:
        self._place, self._wanted, self._at = place, wanted, at
        self._gaps: list[Gap] = []

    def read(self) -> PlaceReading:
        functions = self._functions()
        configs, functions = self._configs(functions)
        days = self._wanted.deployment_days
        since = self._at - timedelta(days=days)
        return PlaceReading(
            Place(self._place.account, self._place.region),
            self._at,
            functions=functions,
            configs=configs,
            approved=self._part(Part.APPROVED, self._approved),
            deployments=self._part(Part.DEPLOYMENTS, lambda: deployments(self._place, since, self._at)) if days else (),
            errors=self._part(Part.ERRORS, lambda: validation_errors(self._place, since, self._at)) if days else (),
            published_layers=self._part(Part.LAYERS, self._layers) if self._wanted.published_layers else (),
            gaps=tuple(self._gaps),
        )

    def _part(self, part: Part, read: Callable[[], Iterator[_T]]) -> tuple[_T, ...]:
        """Read a part wholly, or note that it is not known."""
        try:
            return tuple(read())
        except AwsError as error:
            self._gaps.append(Gap(part, kind_of(error.code), str(error)))
            return ()

    def _lambda_pages(self, method: str, key: str, **parameters: str) -> Iterator[Any]:
        return self._place.pages("lambda", method, key, token="Marker", next_token="NextMarker", **parameters)  # noqa: S106

    def _functions(self) -> tuple[FunctionReading, ...]:
        more = {"FunctionVersion": "ALL"} if self._wanted.versions else {}
        found = (_function(answer) for answer in self._lambda_pages("list_functions", "Functions", **more))
        # A listing that changes while it is read may tell a function twice.
        return tuple({(function.name, function.version): function for function in found}.values())

    def _configs(
        self, functions: tuple[FunctionReading, ...]
    ) -> tuple[tuple[ConfigReading, ...], tuple[FunctionReading, ...]]:
        """Read the configs, and put each function under its own; without them, no function's config is known."""
        try:
            answers = self._lambda_pages("list_code_signing_configs", "CodeSigningConfigs")
            configs = {config.arn: config for config in map(_config, answers)}
            arn_of: dict[str, str | None] = {}
            for arn in tuple(configs):
                arn_of |= dict.fromkeys(self._functions_under(arn), arn)
            images = {function.name for function in functions if function.is_image}
            for name in dict.fromkeys(function.name for function in functions):
                if name not in arn_of and name not in images:
                    arn_of |= self._config_of(name)
            for arn in {arn for arn in arn_of.values() if arn is not None} - set(configs):
                configs |= self._unlisted(arn)
        except AwsError as error:
            self._gaps.append(Gap(Part.CONFIGS, kind_of(error.code), str(error)))
            return (), functions
        return tuple(configs.values()), tuple(
            replace(function, config_arn=arn_of.get(function.name))
            for function in functions
            if function.is_image or function.name in arn_of  # the others have been deleted meanwhile
        )

    def _functions_under(self, config_arn: str) -> list[str]:
        pages = self._lambda_pages(
            "list_functions_by_code_signing_config", "FunctionArns", CodeSigningConfigArn=config_arn
        )
        try:
            return [function_name(arn) for arn in pages]
        except AwsError as error:
            if error.code != "ResourceNotFoundException":  # deleted meanwhile, so nothing is under it
                raise
            return []

    def _config_of(self, function: str) -> dict[str, str | None]:
        """Ask for one function's config: none of the listings has it, but they may be behind."""
        try:
            answer = self._place.call("lambda", "get_function_code_signing_config", FunctionName=function)
        except AwsError as error:
            if error.code == "ResourceNotFoundException":  # the function has been deleted meanwhile
                return {}
            if error.code != "CodeSigningConfigNotFoundException":
                raise
            return {function: None}
        return {function: answer.get("CodeSigningConfigArn") or None}

    def _unlisted(self, config_arn: str) -> dict[str, ConfigReading]:
        """Read a config that a function has and the listing has not: one of another account, or a new one."""
        try:
            answer = self._place.call("lambda", "get_code_signing_config", CodeSigningConfigArn=config_arn)
        except AwsError as error:
            if error.code == "ResourceNotFoundException" or kind_of(error.code) is FailureKind.DENIED:
                return {}  # its publishers stay unknown: nothing counts as signed by one of them
            raise
        return {config_arn: _config(answer["CodeSigningConfig"])}

    def _approved(self) -> Iterator[tuple[str, str]]:
        pages = self._place.pages(
            "ssm",
            "get_parameters_by_path",
            "Parameters",
            token="NextToken",  # noqa: S106
            next_token="NextToken",  # noqa: S106
            Path=_PARAMETERS,
            Recursive=True,
        )
        for parameter in pages:
            application, _, key = str(parameter["Name"]).removeprefix(f"{_PARAMETERS}/").partition("/")
            if key == "arn":
                yield application, str(parameter["Value"])

    def _layers(self) -> Iterator[tuple[str, Signature]]:
        for layer in self._lambda_pages("list_layers", "Layers"):
            for version in self._lambda_pages("list_layer_versions", "LayerVersions", LayerName=layer["LayerArn"]):
                arn = str(version["LayerVersionArn"])
                answer = self._place.call("lambda", "get_layer_version_by_arn", Arn=arn)
                yield arn, _signature(answer["Content"])


def _function(answer: Mapping[str, Any]) -> FunctionReading:
    return FunctionReading(
        name=str(answer["FunctionName"]),
        version=str(answer.get("Version", "$LATEST")),
        is_image=answer.get("PackageType") == "Image",
        config_arn=None,
        code=_signature(answer),
        layers=tuple((str(layer["Arn"]), _signature(layer)) for layer in answer.get("Layers") or ()),
    )


def _signature(answer: Mapping[str, Any]) -> Signature:
    return Signature(answer.get("SigningProfileVersionArn") or None, answer.get("SigningJobArn") or None)


def _config(answer: Mapping[str, Any]) -> ConfigReading:
    policies: Mapping[str, Any] = answer.get("CodeSigningPolicies") or {}
    return ConfigReading(
        arn=str(answer["CodeSigningConfigArn"]),
        mode=str(policies.get("UntrustedArtifactOnDeployment", "Warn")),  # Lambda's default
        publishers=tuple(answer["AllowedPublishers"]["SigningProfileVersionArns"]),
    )
