"""The code signing config that lets only signed code run, made here or imported by its ARN."""

import re
from collections.abc import Sequence
from typing import Literal, cast, get_args

import aws_cdk as cdk
import jsii
from aws_cdk import aws_lambda as lambda_
from aws_cdk.interfaces.aws_lambda import CodeSigningConfigReference
from constructs import Construct

from constructs_pkg.arns import CodeSigningConfigArn
from constructs_pkg.cdk.arn_parameter import ArnParameter
from constructs_pkg.cdk.publishers import Publisher, publisher_arns
from constructs_pkg.cdk.signer_region import require_signer_region
from constructs_pkg.errors import ArnError, ConstructError

__all__ = ["EnforcedCodeSigning", "ImportedCodeSigning", "UntrustedArtifactPolicy"]

UntrustedArtifactPolicy = Literal["Enforce", "Warn"]
"""What Lambda does on a signature that is expired, revoked, of another publisher, or missing: refuse the deployment, or
let it pass with a warning. An archive that was changed after signing is refused either way."""

_MAX_DESCRIPTION_CHARACTERS = 256


@jsii.implements(lambda_.ICodeSigningConfig)
class _CodeSigning(cdk.Resource):
    """A code signing config, as this package and as aws-cdk-lib's ``ICodeSigningConfig`` see it."""

    _config_arn: str
    _config_id: str

    @property
    def config_arn(self) -> str:
        """Return the ARN."""
        return self._config_arn

    @property
    def config_id(self) -> str:
        """Return the id, ``csc-`` and 17 letters and digits that AWS makes up."""
        return self._config_id

    @property
    def code_signing_config_arn(self) -> str:
        """Return ``config_arn`` for aws-cdk-lib."""
        return self._config_arn

    @property
    def code_signing_config_id(self) -> str:
        """Return ``config_id`` for aws-cdk-lib."""
        return self._config_id

    @property
    def code_signing_config_ref(self) -> CodeSigningConfigReference:
        """Return a reference to the config for aws-cdk-lib."""
        return CodeSigningConfigReference(code_signing_config_arn=self._config_arn)

    def attach_to(self, function: lambda_.Function | lambda_.CfnFunction) -> None:
        """Make a function accept signed code only.

        Lambda checks the code of the function and of its layers from the next deployment of code on; what runs
        already keeps running. Attaching the same config again changes nothing. Unlike passing this object as
        ``code_signing_config=`` of ``aws_lambda.Function``, which works too, it looks at the function first.

        What it does not check: that the archive and the layers are signed, and code that is replaced after this call.

        Args:
            function: A function of this App, as the L2 or the L1.

        Raises:
            ConstructError: The function has inline code or a container image, which cannot be signed; has another
                config; is imported; or is known to be in another account or Region than the config.
        """
        resource = _cfn_function(function)
        path = function.node.path
        _require_archive(resource, path)
        self._require_same_environment(resource, path)
        attached = resource.code_signing_config_arn
        stack = cdk.Stack.of(resource)
        if attached is not None and stack.resolve(attached) != stack.resolve(self._config_arn):
            raise ConstructError(
                f"function={path} already has the code signing config {stack.resolve(attached)}; a function has one. "
                "Detach that one first, or add the publishers of both to one config"
            )
        resource.code_signing_config_arn = self._config_arn

    def _require_same_environment(self, resource: lambda_.CfnFunction, path: str) -> None:
        own, others = self.env, cdk.Stack.of(resource)
        for what, here, there in (("account", own.account, others.account), ("Region", own.region, others.region)):
            if not cdk.Token.is_unresolved(here) and not cdk.Token.is_unresolved(there) and here != there:
                raise ConstructError(
                    f"function={path} is in the {what} {there}, the code signing config {self.node.path} in {here}. "
                    f"Make or import a config of the {what} {there}"
                )


class EnforcedCodeSigning(_CodeSigning):
    """A code signing config that refuses untrusted code, unless Warn is asked for by name.

    AWS Lambda, CloudFormation and the L2 ``aws_lambda.CodeSigningConfig`` all warn only where nothing is said. The
    policy is always written into the template here, because CloudFormation looks for drift only in what is declared.

    It is an ``aws_lambda.ICodeSigningConfig``, so that ``code_signing_config=`` takes it. A config in use cannot be
    deleted: AWS Lambda refuses until no function has it. Its ARN is an output of the stack and an SSM parameter.

    What it does not check: that the publishers exist and are active, and that the functions' code is signed by them.

    Args:
        scope: The parent construct.
        construct_id: Id within the scope.
        publishers: Whose signatures are trusted: 1 to 20 different ones, each a ``LambdaSigningProfile`` of any
            generation, a profile imported with ``LambdaSigningProfile.from_version_arn``, a profile of aws-cdk-lib, or
            a version ARN, which may be a token. Or one list token in place of the list.
        mode: ``Enforce`` or ``Warn``.
        description: Up to 256 characters.
        parameter_name: The SSM parameter that holds the config's ARN; by default
            ``/lambda-code-signing/code-signing-configs/<path of the construct>/arn``.

    Raises:
        ConstructError: A publisher is given twice, is no Lambda profile's version ARN or is of another partition; there
            are none or more than 20; the mode or the description does not fit; the Region has no AWS Signer.

    Facts: the service model of AWS Lambda (botocore 1.43.106: ``AllowedPublishers``, ``CodeSigningPolicies``,
    ``Description``).
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        publishers: Sequence[Publisher],
        mode: UntrustedArtifactPolicy = "Enforce",
        description: str | None = None,
        parameter_name: str | None = None,
    ) -> None:
        if mode not in get_args(UntrustedArtifactPolicy) and not cdk.Token.is_unresolved(mode):
            raise ConstructError(f"mode={mode!r} is neither 'Enforce' nor 'Warn'")
        _check_description(description)
        require_signer_region(scope)
        arns = publisher_arns(scope, publishers)
        super().__init__(scope, construct_id)
        self.mode = mode
        self.publishers = tuple(arns)
        self.l1 = lambda_.CfnCodeSigningConfig(
            self,
            "Resource",
            allowed_publishers=lambda_.CfnCodeSigningConfig.AllowedPublishersProperty(
                signing_profile_version_arns=arns
            ),
            code_signing_policies=lambda_.CfnCodeSigningConfig.CodeSigningPoliciesProperty(
                untrusted_artifact_on_deployment=mode
            ),
            description=description,
        )
        self._config_arn = self.l1.attr_code_signing_config_arn
        self._config_id = self.l1.attr_code_signing_config_id
        self.parameter = ArnParameter(
            self,
            "Parameter",
            name=_default_parameter_name(self) if parameter_name is None else parameter_name,
            arn=self._config_arn,
            description="ARN of the code signing config",
        )
        self.output = cdk.CfnOutput(
            self, "ConfigArn", value=self._config_arn, description="ARN of the code signing config"
        )

    @staticmethod
    def from_config_arn(
        scope: Construct, construct_id: str, config_arn: str | CodeSigningConfigArn
    ) -> "ImportedCodeSigning":
        """Use a code signing config that another stack of this account and Region owns.

        Works with tokens, such as a parameter's value, where aws-cdk-lib's own import gives a wrong id.

        Args:
            scope: The parent construct.
            construct_id: Id within the scope.
            config_arn: The ARN. Tokens pass through unchecked.

        Raises:
            ConstructError: It is not the ARN of a code signing config.
        """
        return ImportedCodeSigning(scope, construct_id, config_arn)


class ImportedCodeSigning(_CodeSigning):
    """A code signing config of another stack; made by ``EnforcedCodeSigning.from_config_arn``.

    Its ARN does not tell whether it enforces, nor whom it trusts.
    """

    def __init__(self, scope: Construct, construct_id: str, config_arn: str | CodeSigningConfigArn) -> None:
        text = str(config_arn)
        if cdk.Token.is_unresolved(text):
            super().__init__(scope, construct_id)
            # arn:PARTITION:lambda:REGION:ACCOUNT:code-signing-config:ID
            self._config_arn, self._config_id = text, cdk.Fn.select(6, cdk.Fn.split(":", text))
            return
        try:
            arn = CodeSigningConfigArn.parse(text)
        except ArnError as error:
            raise ConstructError(f"config_arn: {error}") from error
        super().__init__(scope, construct_id, environment_from_arn=text)
        self._config_arn, self._config_id = text, arn.config_id


def _cfn_function(function: object) -> lambda_.CfnFunction:
    resource = function.node.default_child if isinstance(function, lambda_.Function) else function
    if not isinstance(resource, lambda_.CfnFunction):
        raise ConstructError(
            f"function is a {type(function).__name__}; attach_to takes an aws_lambda.Function or CfnFunction of this "
            "App. For an imported function attach the config in the stack that makes it"
        )
    return resource


def _require_archive(resource: lambda_.CfnFunction, path: str) -> None:
    code = cast("object", cdk.Stack.of(resource).resolve(resource.code))
    # An L1 takes its code as a struct or as a dict, in either spelling.
    keys = cast("dict[str, object]", code) if isinstance(code, dict) else {}
    names = {key.lower().replace("_", "") for key in keys}
    if "imageuri" in names or resource.package_type == "Image":
        raise ConstructError(
            f"function={path} is a container image. Lambda code signing covers .zip archives and layers only. "
            "Deploy it from a signed archive, or leave it out and record it as an exemption"
        )
    if "zipfile" in names:
        raise ConstructError(
            f"function={path} has inline code, which nobody can sign: CloudFormation makes its archive during the "
            "deployment. Put the code into a signed .zip and pass it with aws_lambda.Code.from_asset or from_bucket"
        )


def _check_description(description: str | None) -> None:
    if description is None or cdk.Token.is_unresolved(description):
        return
    if len(description) > _MAX_DESCRIPTION_CHARACTERS:
        raise ConstructError(
            f"description has {len(description)} characters; a code signing config takes {_MAX_DESCRIPTION_CHARACTERS}"
        )


def _default_parameter_name(construct: Construct) -> str:
    levels = [re.sub("[^A-Za-z0-9_.-]", "-", level) for level in construct.node.path.split("/")]
    return "/".join(["/lambda-code-signing/code-signing-configs", *levels, "arn"])
