"""AWS Lambda of a fake organization: functions, layers and code signing configs, to be listed and read."""

# boto3's methods take parameters in the letters of the API, and types are known to it at run time only.
# ruff: noqa: ANN401, N803

from typing import Any

from constructs_pkg.testing.fake_organization.clients import Service
from constructs_pkg.testing.fake_organization.faults import ServiceAnswer
from constructs_pkg.testing.fake_organization.records import ConfigRecord, FunctionRecord, LayerRecord

__all__ = ["LambdaService"]

_PAGE = 50
"""ListFunctions returns at most 50, whatever is asked for (botocore); the others are taken to do so, too."""


class LambdaService(Service):
    """What an audit reads."""

    def list_functions(
        self,
        *,
        FunctionVersion: str = "",
        Marker: str | None = None,
        MaxItems: int = _PAGE,
    ) -> dict[str, Any]:
        """List functions, with their published versions where ``ALL`` are asked for."""
        items: list[Any] = []
        for function in self._place().functions.values():
            items.append(self._configuration(function))
            if FunctionVersion == "ALL":
                items += [
                    self._configuration(function, number, profile, job) for number, profile, job in function.versions
                ]
        return self._listed("ListFunctions", items, MaxItems, Marker, "Functions")

    def get_function_code_signing_config(self, *, FunctionName: str) -> dict[str, Any]:
        """Tell a function's config; without one, the ARN is empty, as the local AWS has it."""
        name = FunctionName.rpartition(":")[2]
        function = self._place().functions.get(name)
        if function is None:
            raise ServiceAnswer("ResourceNotFoundException", f"Function not found: {FunctionName}", 404)
        return {"FunctionName": name, "CodeSigningConfigArn": function.config_arn or ""}

    def put_function_code_signing_config(self, *, FunctionName: str, CodeSigningConfigArn: str) -> dict[str, Any]:
        """Put a function under a config of its own account and Region; listings hear of it later."""
        function = self._place().functions.get(FunctionName)
        if function is None:
            raise ServiceAnswer("ResourceNotFoundException", f"Function not found: {FunctionName}", 404)
        function.config_arn = self._config(CodeSigningConfigArn).arn
        function.config_since = self.organization.clock.monotonic()
        return {"FunctionName": FunctionName, "CodeSigningConfigArn": CodeSigningConfigArn}

    def list_code_signing_configs(self, *, Marker: str | None = None, MaxItems: int = _PAGE) -> dict[str, Any]:
        """List the configs."""
        items = [_config(config) for config in self._place().configs.values()]
        return self._listed("ListCodeSigningConfigs", items, MaxItems, Marker, "CodeSigningConfigs")

    def get_code_signing_config(self, *, CodeSigningConfigArn: str) -> dict[str, Any]:
        """Read one config."""
        return {"CodeSigningConfig": _config(self._config(CodeSigningConfigArn))}

    def list_functions_by_code_signing_config(
        self,
        *,
        CodeSigningConfigArn: str,
        Marker: str | None = None,
        MaxItems: int = _PAGE,
    ) -> dict[str, Any]:
        """List the functions under a config, without those that came lately where listings lag behind."""
        config = self._config(CodeSigningConfigArn)
        known_until = self.organization.clock.monotonic() - self.organization.faults.config_lag_seconds
        items = [
            self._function_arn(function.name)
            for function in self._place().functions.values()
            if function.config_arn == config.arn and function.config_since <= known_until
        ]
        return self._listed("ListFunctionsByCodeSigningConfig", items, MaxItems, Marker, "FunctionArns")

    def list_layers(self, *, Marker: str | None = None, MaxItems: int = _PAGE) -> dict[str, Any]:
        """List the account's own layers."""
        names = dict.fromkeys(arn.rpartition(":")[0] for arn in self._own_layers())
        items = [{"LayerName": name.rpartition(":")[2], "LayerArn": name} for name in names]
        return self._listed("ListLayers", items, MaxItems, Marker, "Layers")

    def list_layer_versions(
        self,
        *,
        LayerName: str,
        Marker: str | None = None,
        MaxItems: int = _PAGE,
    ) -> dict[str, Any]:
        """List the versions of a layer; who signed them is not in it."""
        name = LayerName.rpartition(":")[2]
        arns = [arn for arn in self._own_layers() if arn.split(":")[6] == name]
        if not arns:
            raise ServiceAnswer("ResourceNotFoundException", f"The resource you requested does not exist: {name}", 404)
        items = [{"LayerVersionArn": arn, "Version": int(arn.rpartition(":")[2])} for arn in arns]
        return self._listed("ListLayerVersions", items, MaxItems, Marker, "LayerVersions")

    def get_layer_version_by_arn(self, *, Arn: str) -> dict[str, Any]:
        """Read one version of a layer of any account of the organization."""
        layer = self._layer(Arn)
        if layer is None:
            raise ServiceAnswer("ResourceNotFoundException", f"The resource you requested does not exist: {Arn}", 404)
        return {
            "LayerArn": Arn.rpartition(":")[0],
            "LayerVersionArn": Arn,
            "Version": int(Arn.rpartition(":")[2]),
            "Content": {"CodeSha256": "sha256", "CodeSize": 1000}
            | _signature(layer.profile_version_arn, layer.job_arn),
        }

    def _place(self) -> Any:
        return self.organization.place(self.account, self.region)

    def _own_layers(self) -> list[str]:
        return list(self._place().layers)

    def _layer(self, arn: str) -> LayerRecord | None:
        owner = arn.split(":")[4]
        return self.organization.place(owner, self.region).layers.get(arn)

    def _config(self, arn: str) -> ConfigRecord:
        config = self._place().configs.get(arn)
        if config is None:
            raise ServiceAnswer(
                "ResourceNotFoundException", f"The code signing configuration cannot be found: {arn}", 404
            )
        return config

    def _function_arn(self, name: str) -> str:
        return f"arn:{self.organization.partition}:lambda:{self.region}:{self.account}:function:{name}"

    def _listed(self, operation: str, items: list[Any], size: int, token: str | None, key: str) -> dict[str, Any]:
        return self.page(
            f"lambda:{operation}",
            items,
            min(size, _PAGE),
            token,
            key=key,
            token_key="NextMarker",  # noqa: S106
        )

    def _configuration(
        self, function: FunctionRecord, version: str = "$LATEST", profile: str | None = None, job: str | None = None
    ) -> dict[str, Any]:
        is_latest = version == "$LATEST"
        layers = [(arn, self._layer(arn)) for arn in function.layers]
        arn = self._function_arn(function.name)
        return {
            "FunctionName": function.name,
            "FunctionArn": arn if is_latest else f"{arn}:{version}",
            "Version": version,
            "PackageType": function.package_type,
            "CodeSha256": "sha256",
            "CodeSize": 1000,
            "Layers": [
                {"Arn": arn, "CodeSize": 1000}
                | ({} if layer is None else _signature(layer.profile_version_arn, layer.job_arn))
                for arn, layer in layers
            ],
            **(_signature(function.profile_version_arn, function.job_arn) if is_latest else _signature(profile, job)),
        }


def _signature(profile_version_arn: str | None, job_arn: str | None) -> dict[str, str]:
    profile = {} if profile_version_arn is None else {"SigningProfileVersionArn": profile_version_arn}
    return profile | ({} if job_arn is None else {"SigningJobArn": job_arn})


def _config(config: ConfigRecord) -> dict[str, Any]:
    return {
        "CodeSigningConfigId": config.arn.rpartition(":")[2],
        "CodeSigningConfigArn": config.arn,
        "AllowedPublishers": {"SigningProfileVersionArns": list(config.publishers)},
        "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": config.mode},
        "LastModified": "2026-11-01T00:00:00.000+0000",
    }
