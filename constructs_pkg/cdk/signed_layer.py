"""A layer of signed code, shared with accounts or the organization."""

import hashlib
import json
import re
from collections.abc import Sequence
from typing import NoReturn

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from constructs_pkg.arns import LayerVersionArn, SigningProfileVersionArn
from constructs_pkg.cdk.arn_parameter import ArnParameter
from constructs_pkg.cdk.claims import claim_name
from constructs_pkg.cdk.imported_signed_layer import ImportedSignedLayer
from constructs_pkg.cdk.layer_attachment import attach_layer, require_function, seen_by_cdk
from constructs_pkg.cdk.signed_code_kinds import SignedArchiveCode, SignedAtPublishCode, SignedObjectCode
from constructs_pkg.cdk.signer_region import require_signer_region
from constructs_pkg.errors import ConstructError
from constructs_pkg.signing.archive import DEFAULT_LIMITS, open_directory
from constructs_pkg.signing.archive_bytes import ArchiveBytes
from constructs_pkg.signing.layer_tree import layer_problems

__all__ = ["SignedLayer", "layer_parameter_prefix"]

# Botocore 1.43.106, ``lambda`` service model: shapes LayerName (its ARN form left away), Description, LicenseInfo,
# CompatibleRuntimes, CompatibleArchitectures, LayerPermissionAllowedPrincipal, OrganizationId.
_NAME = re.compile(r"[a-zA-Z0-9-_]{1,140}")
_MAX_DESCRIPTION_CHARACTERS = 256
_MAX_LICENSE_CHARACTERS = 512
_MAX_RUNTIMES = 15
_ACCOUNT = re.compile(r"[0-9]{12}")
_ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}")


def layer_parameter_prefix(layer_name: str) -> str:
    """Return the default beginning of the names of a layer's SSM parameters, for stacks that read them."""
    return f"/lambda-code-signing/layers/{layer_name}"


class SignedLayer(Construct):
    """A layer version that functions under a code signing config can take on.

    Publishing a layer checks nothing: an unsigned layer is published without complaint and refused when the first
    function with a config takes it on. This construct takes code of ``SignedCode`` only. The version's ARN and its
    publisher, the signing profile version that consumers have to allow, are outputs of the stack and SSM parameters.

    **Versions stay.** Every property of a layer version is fixed, so that CloudFormation answers each change with a new
    version and would delete the old one together with its permissions. Functions that have the old one keep running,
    but no other function could take it on any more, and no update of these functions could name it. Version and
    permissions are therefore retained when they are replaced or leave the template. Delete old ones with
    ``aws lambda delete-layer-version`` once no function has them.

    Where the archive is on this machine and nothing in it lies where a runtime looks (``python/``, ``bin/``, …), the
    synth warns. What it does not check: that consumers allow the publisher.

    Args:
        scope: The parent construct.
        construct_id: Id within the scope.
        layer_name: The layer's name, 1 to 140 letters, digits, ``-`` and ``_``. One construct of an App has it in an
            account and Region.
        code: Code of ``SignedCode``.
        description: Up to 256 characters.
        license_info: The layer's licence: an SPDX identifier, an address or a text, up to 512 characters. Keep that of
            the vendor on a layer that was signed again.
        compatible_runtimes: Up to 15.
        compatible_architectures: ``X86_64``, ``ARM_64`` or both.
        parameter_prefix: The beginning of the names of the SSM parameters ``<prefix>/version-arn`` and
            ``<prefix>/publisher``; by default ``/lambda-code-signing/layers/<layer name>``.

    Attributes:
        layer_name: As it was given.
        publisher: The signing profile version that signed the code, or will sign it at publish.
        layer_version: The layer as aws-cdk-lib sees it, for ``layers=`` of ``aws_lambda.Function``.
        l1: The ``AWS::Lambda::LayerVersion``.
        version_parameter: The SSM parameter of the version's ARN.
        publisher_parameter: The SSM parameter of the publisher's ARN.

    Raises:
        ConstructError: The code is not of ``SignedCode``, a text does not fit AWS Lambda, the name is taken in this
            App, or the Region has no AWS Signer.

    Facts: CloudFormation's schemas of ``AWS::Lambda::LayerVersion`` and ``AWS::Lambda::LayerVersionPermission``, whose
    properties are all ``createOnlyProperties``; AWS Lambda developer guide, "Deleting a layer".
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        layer_name: str,
        code: SignedArchiveCode | SignedAtPublishCode | SignedObjectCode,
        description: str | None = None,
        license_info: str | None = None,
        compatible_runtimes: Sequence[lambda_.Runtime] = (),
        compatible_architectures: Sequence[lambda_.Architecture] = (),
        parameter_prefix: str | None = None,
    ) -> None:
        _require_signed(code)
        _check_name(layer_name)
        _check_length("description", description, _MAX_DESCRIPTION_CHARACTERS)
        _check_length("license_info", license_info, _MAX_LICENSE_CHARACTERS)
        if len(compatible_runtimes) > _MAX_RUNTIMES:
            raise ConstructError(
                f"compatible_runtimes has {len(compatible_runtimes)} runtimes; a layer version takes {_MAX_RUNTIMES}"
            )
        require_signer_region(scope)
        super().__init__(scope, construct_id)
        claim_name(self, "layer_name", layer_name, "Give this layer a name of its own")
        if isinstance(code, SignedArchiveCode):
            _warn_of_strange_tree(self, code)
        self.layer_name = layer_name
        self.publisher = code.publisher
        self.l1 = self._layer_version(code, description, license_info, compatible_runtimes, compatible_architectures)
        self.layer_version = seen_by_cdk(self, self.l1.ref, compatible_runtimes)
        # aws-cdk-lib makes a new function version where the layer's resource has changed, which it finds here.
        self.layer_version.node.default_child = self.l1
        self._permissions: dict[str, lambda_.CfnLayerVersionPermission] = {}
        prefix = layer_parameter_prefix(layer_name) if parameter_prefix is None else parameter_prefix
        self.version_parameter = ArnParameter(
            self,
            "VersionParameter",
            name=f"{prefix}/version-arn",
            arn=self.version_arn,
            description="ARN of the layer version",
        )
        self.publisher_parameter = ArnParameter(
            self,
            "PublisherParameter",
            name=f"{prefix}/publisher",
            arn=str(self.publisher),
            description="Version ARN of the signing profile that signed the layer",
        )
        cdk.CfnOutput(self, "VersionArn", value=self.version_arn, description="ARN of the layer version")
        cdk.CfnOutput(
            self,
            "Publisher",
            value=str(self.publisher),
            description="Version ARN of the signing profile, for the code signing configs of consumers",
        )

    @staticmethod
    def from_version_arn(
        scope: Construct,
        construct_id: str,
        version_arn: str | LayerVersionArn,
        *,
        publisher: str | SigningProfileVersionArn | None = None,
        compatible_runtimes: Sequence[lambda_.Runtime] = (),
    ) -> ImportedSignedLayer:
        """Use a layer version of another account or stack, or of a vendor.

        Args:
            scope: The parent construct.
            construct_id: Id within the scope.
            version_arn: The layer version, in the Region of the functions. Tokens, such as a parameter's value, pass
                through unchecked.
            publisher: The version ARN of the signing profile that signed it, or a token; may be left out where
                a registry knows it.
            compatible_runtimes: Where they are known, CDK compares them with the function's.

        Raises:
            ConstructError: One of the two is no such ARN.
        """
        return ImportedSignedLayer(
            scope, construct_id, version_arn, publisher=publisher, compatible_runtimes=compatible_runtimes
        )

    @property
    def version_arn(self) -> str:
        """Return the ARN of the layer version, known to the deployment."""
        return self.l1.ref

    def share_with_account(self, account: str) -> lambda_.CfnLayerVersionPermission:
        """Let another account use the layer (``lambda:GetLayerVersion``), whichever organization it is in.

        Args:
            account: Its 12 digits; tokens pass. Asking twice makes one permission.

        Raises:
            ConstructError: It is no account id.
        """
        if not cdk.Token.is_unresolved(account) and _ACCOUNT.fullmatch(account) is None:
            raise ConstructError(
                f"account={account[:100]!r} is not a 12-digit account id. Everybody ('*') is not offered: use "
                "share_with_organization"
            )
        return self._share(f"Account{self._token_free(account)}", account, None)

    def share_with_organization(self, organization_id: str) -> lambda_.CfnLayerVersionPermission:
        """Let every account of an organization use the layer, those that join later too.

        Args:
            organization_id: Such as ``o-a1b2c3d4e5``; tokens pass. Asking twice makes one permission.

        Raises:
            ConstructError: It is no organization id. The principal is ``*``, which without one is the whole world.
        """
        if not cdk.Token.is_unresolved(organization_id) and _ORGANIZATION.fullmatch(organization_id) is None:
            raise ConstructError(
                f"organization_id={organization_id[:100]!r} is not the id of an organization, such as 'o-a1b2c3d4e5'. "
                "Without one, the layer would be everybody's"
            )
        return self._share(f"Organization{self._token_free(organization_id)}", "*", organization_id)

    def attach_to(self, function: lambda_.Function | lambda_.CfnFunction) -> None:
        """Add this layer version to a function of the same stack; attaching it again changes nothing.

        Lambda checks the layer's signature when the function takes it on: the function's config has to list
        ``publisher``.

        Args:
            function: The function, as the L2 or the L1.

        Raises:
            ConstructError: The function is of another stack, where the reference would be an export: CloudFormation
                refuses to change an export that is in use, so that no new version could ever be published. Or it is
                a container image, or has another runtime or five layers already.
        """
        require_function(function)
        here, there = cdk.Stack.of(self), cdk.Stack.of(function)
        if here.node.path != there.node.path:
            raise ConstructError(
                f"function={function.node.path} is in the stack {there.node.path}, the layer in {here.node.path}. "
                "CloudFormation changes no export in use: there, use SignedLayer.from_version_arn with the value of "
                f"the SSM parameter {self.version_parameter.name}, or with the version's ARN in another account"
            )
        attach_layer(self.layer_version, function)

    def _layer_version(
        self,
        code: SignedArchiveCode | SignedAtPublishCode | SignedObjectCode,
        description: str | None,
        license_info: str | None,
        compatible_runtimes: Sequence[lambda_.Runtime],
        compatible_architectures: Sequence[lambda_.Architecture],
    ) -> lambda_.CfnLayerVersion:
        location = code.bind(self).s3_location
        assert location is not None, "signed code lies in S3"
        l1 = lambda_.CfnLayerVersion(
            self,
            "Resource",
            layer_name=self.layer_name,
            content=lambda_.CfnLayerVersion.ContentProperty(
                s3_bucket=location.bucket_name, s3_key=location.object_key, s3_object_version=location.object_version
            ),
            description=description,
            license_info=license_info,
            compatible_runtimes=[runtime.name for runtime in compatible_runtimes] or None,
            compatible_architectures=[architecture.name for architecture in compatible_architectures] or None,
        )
        code.bind_to_resource(l1, resource_property="Content")
        # Retained but for a failed creation, which leaves nothing that anybody could use.
        l1.apply_removal_policy(cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
        return l1

    def _share(
        self, construct_id: str, principal: str, organization_id: str | None
    ) -> lambda_.CfnLayerVersionPermission:
        if construct_id not in self._permissions:
            permission = lambda_.CfnLayerVersionPermission(
                self,
                construct_id,
                action="lambda:GetLayerVersion",
                layer_version_arn=self.version_arn,
                principal=principal,
                organization_id=organization_id,
            )
            permission.apply_removal_policy(cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
            if self._permissions:  # one policy, one writer at a time
                permission.add_resource_dependency(list(self._permissions.values())[-1])
            self._permissions[construct_id] = permission
        return self._permissions[construct_id]

    def _token_free(self, text: str) -> str:
        if not cdk.Token.is_unresolved(text):
            return text
        resolved = json.dumps(cdk.Stack.of(self).resolve(text), sort_keys=True)
        return hashlib.sha256(resolved.encode()).hexdigest()[:8]


def _require_signed(code: object) -> None:
    # The annotation stops nobody at run time, and unsigned code is the very mistake that this is for.
    if not isinstance(code, SignedArchiveCode | SignedAtPublishCode | SignedObjectCode):
        _refuse_unsigned(code)


def _refuse_unsigned(code: object) -> NoReturn:
    raise ConstructError(
        f"code is a {type(code).__name__}, which nobody knows to be signed. AWS Lambda publishes an unsigned layer and "
        "refuses it when the first function with a code signing config takes it on. Use SignedCode.from_artifact, "
        "from_directory, at_publish or from_signed_bucket"
    )


def _warn_of_strange_tree(layer: SignedLayer, code: SignedArchiveCode) -> None:
    """Warn only: a layer may hold nothing but files that functions read below ``/opt``."""
    with code.path.open("rb") as file:
        _, directory = open_directory(ArchiveBytes(file), DEFAULT_LIMITS)
        names = [name.decode("utf-8", "replace") for name in directory.names]
    problems = layer_problems(names)
    if problems:
        cdk.Annotations.of(layer).add_warning_v2("lambda-code-signing:layer-tree", "; ".join(problems))


def _check_name(layer_name: str) -> None:
    if not cdk.Token.is_unresolved(layer_name) and _NAME.fullmatch(layer_name) is None:
        raise ConstructError(
            f"layer_name={layer_name[:200]!r} is not a layer's name: use 1 to 140 letters, digits, '-' and '_'"
        )


def _check_length(argument: str, text: str | None, most: int) -> None:
    if text is not None and not cdk.Token.is_unresolved(text) and len(text) > most:
        raise ConstructError(f"{argument} has {len(text)} characters; a layer version takes {most}")
