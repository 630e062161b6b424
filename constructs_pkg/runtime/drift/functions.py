"""Asks Lambda and Signer about functions, configs and signing profiles, and attaches functions to configs."""

# boto3 makes its clients, and their types, at run time.
# ruff: noqa: ANN401

from typing import Any

from .access import Refused, asking
from .observations import ObservedConfig, ObservedFunction, ObservedProfile
from .paging import pages

__all__ = ["Functions", "signing_profiles"]

_PLATFORM = "AWSLambda-SHA384-ECDSA"


class Functions:
    """The functions of one account and Region.

    Args:
        client: A Lambda client of the member account.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def listed(self) -> tuple[ObservedFunction, ...]:
        """Return all functions, each once.

        Raises:
            Refused: AWS refused.
        """
        listed = pages(
            "list the functions",
            self._client.list_functions,
            marker="Marker",
            next_marker="NextMarker",
            MaxItems=50,
        )
        found = {
            str(one["FunctionName"]): ObservedFunction(str(one["FunctionName"]), str(one.get("PackageType", "Zip")))
            for page in listed
            for one in page["Functions"]
        }
        return tuple(found[name] for name in sorted(found))

    def configs(self) -> tuple[ObservedConfig, ...]:
        """Return all code signing configs with the functions under them; cheaper than asking function by function.

        Raises:
            Refused: AWS refused.
        """
        listed = pages(
            "list the code signing configs",
            self._client.list_code_signing_configs,
            marker="Marker",
            next_marker="NextMarker",
            MaxItems=50,
        )
        found: dict[str, Any] = {
            str(one["CodeSigningConfigArn"]): one for page in listed for one in page["CodeSigningConfigs"]
        }
        return tuple(
            ObservedConfig(
                arn=arn,
                enforcement=str(one["CodeSigningPolicies"]["UntrustedArtifactOnDeployment"]),
                publishers=tuple(sorted(one["AllowedPublishers"]["SigningProfileVersionArns"])),
                description=str(one.get("Description") or ""),
                functions=self._under(arn),
            )
            for arn, one in sorted(found.items())
        )

    def _under(self, config_arn: str) -> tuple[str, ...]:
        listed = pages(
            f"list the functions under {config_arn}",
            self._client.list_functions_by_code_signing_config,
            marker="Marker",
            next_marker="NextMarker",
            CodeSigningConfigArn=config_arn,
            MaxItems=50,
        )
        # arn:aws:lambda:REGION:ACCOUNT:function:NAME, perhaps with a qualifier
        return tuple(sorted({str(arn).split(":")[6] for page in listed for arn in page["FunctionArns"]}))

    def config_of(self, function: str) -> str:
        """Return the ARN of the config above one function, empty where there is none.

        Raises:
            Refused: AWS refused.
        """
        try:
            with asking(f"read the code signing config of {function}"):
                answer = self._client.get_function_code_signing_config(FunctionName=function)
        except Refused as refused:
            if refused.code == "CodeSigningConfigNotFoundException":  # which answer it is, is not documented
                return ""
            raise
        return str(answer.get("CodeSigningConfigArn") or "")

    def attach(self, function: str, config_arn: str) -> None:
        """Put a function under a config; it holds from the next deployment of code on.

        Raises:
            Refused: AWS refused.
        """
        with asking(f"put {function} under {config_arn}"):
            self._client.put_function_code_signing_config(FunctionName=function, CodeSigningConfigArn=config_arn)


def signing_profiles(client: Any) -> tuple[ObservedProfile, ...]:
    """Return the signing profiles of an account and Region that can sign code for Lambda.

    Args:
        client: A Signer client of the member account.

    Raises:
        Refused: AWS refused.
    """
    listed = pages(
        "list the signing profiles",
        client.list_signing_profiles,
        marker="nextToken",
        includeCanceled=False,
        platformId=_PLATFORM,
        maxResults=25,
    )
    found = {
        str(one["profileName"]): ObservedProfile(str(one["profileName"]), str(one.get("profileVersionArn", "")))
        for page in listed
        for one in page["profiles"]
        if one.get("status", "Active") == "Active"
    }
    return tuple(found[name] for name in sorted(found))
