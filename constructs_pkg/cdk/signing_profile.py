"""Signing profiles of AWS Signer's Lambda platform: made here, or imported from another account or Region."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NoReturn

import aws_cdk as cdk
import jsii
from aws_cdk import aws_signer as signer
from aws_cdk.interfaces.aws_signer import SigningProfileReference
from constructs import Construct

from constructs_pkg.arns import SigningProfileVersionArn
from constructs_pkg.cdk.arn_parameter import ArnParameter
from constructs_pkg.cdk.claims import claim_name
from constructs_pkg.cdk.profile_permission import ProfilePermissions, ProfilePrincipal
from constructs_pkg.cdk.signer_region import require_signer_region
from constructs_pkg.errors import ArnError, ConstructError
from constructs_pkg.validity import LONGEST_VALIDITY, Validity

__all__ = [
    "LAMBDA_PLATFORM_ID",
    "ImportedSigningProfile",
    "LambdaSigningProfile",
    "RecordedProfile",
    "version_arn_parameter_name",
]

LAMBDA_PLATFORM_ID = "AWSLambda-SHA384-ECDSA"
"""AWS Signer's one platform for Lambda archives."""

_NAME = re.compile(r"[A-Za-z0-9_]{2,64}")


def version_arn_parameter_name(profile_name: str) -> str:
    """Return the default name of the SSM parameter that holds a profile's version ARN, for stacks that read it."""
    return f"/lambda-code-signing/signing-profiles/{profile_name}/version-arn"


@dataclass(frozen=True, slots=True)
class RecordedProfile:
    """A profile name that has been used before, with what can never change about it.

    The attributes are those of one item of ``aws signer list-signing-profiles --include-canceled``.

    Attributes:
        validity: Its signature validity period.
        platform_id: Its platform.
        status: ``Active``, ``Canceled`` or ``Revoked``.
    """

    validity: Validity
    platform_id: str = LAMBDA_PLATFORM_ID
    status: Literal["Active", "Canceled", "Revoked"] = "Active"


@jsii.implements(signer.ISigningProfile)
class _LambdaProfile(cdk.Resource):
    """One version of a Lambda signing profile, as this package and as aws-cdk-lib's ``ISigningProfile`` see it."""

    _parts: "_Parts"

    @property
    def profile_name(self) -> str:
        """Return the name, as it was given: the literal name where it is known."""
        return self._parts.name

    @property
    def profile_arn(self) -> str:
        """Return the ARN of the profile in all of its versions, which IAM policies take."""
        return self._parts.arn

    @property
    def profile_version(self) -> str:
        """Return the version, ten letters and digits."""
        return self._parts.version

    @property
    def profile_version_arn(self) -> str:
        """Return the ARN of the version, which code signing configs take."""
        return self._parts.version_arn

    @property
    def signing_profile_name(self) -> str:
        """Return ``profile_name`` for aws-cdk-lib."""
        return self._parts.name

    @property
    def signing_profile_arn(self) -> str:
        """Return ``profile_arn`` for aws-cdk-lib."""
        return self._parts.arn

    @property
    def signing_profile_version(self) -> str:
        """Return ``profile_version`` for aws-cdk-lib."""
        return self._parts.version

    @property
    def signing_profile_version_arn(self) -> str:
        """Return ``profile_version_arn`` for aws-cdk-lib."""
        return self._parts.version_arn

    @property
    def signing_profile_ref(self) -> SigningProfileReference:
        """Return a reference to the profile for aws-cdk-lib."""
        return SigningProfileReference(signing_profile_arn=self._parts.arn)


@dataclass(frozen=True, slots=True)
class _Parts:
    name: str
    arn: str
    version: str
    version_arn: str


class LambdaSigningProfile(_LambdaProfile):
    """A signing profile for Lambda archives that nobody cancels by mistake and that has room for a successor.

    A profile's name is ``<name_prefix>_g<generation>``. AWS Signer never lets a name be used again, even after
    the profile was cancelled, and only tags can be changed: CloudFormation answers any other change with a new
    profile under the same name, which fails. A change is therefore a new generation beside the old one; code signing
    configs list both until nothing that the old one signed is deployed any more.

    Deleting the resource cancels the profile for ever, so that it is retained when it leaves the template or its stack
    is deleted. Its version ARN is an output of the stack and an SSM parameter.

    It also is an ``aws_signer.ISigningProfile``. The L2 ``aws_signer.SigningProfile`` is not used: it drops the name
    unless a feature flag of the user's ``cdk.json`` is set, and knows no months.

    What it does not check: without ``recorded`` nothing is known about earlier deployments, so that a changed validity
    is then found by CloudFormation only. It does not ask AWS whether the name is free.

    Args:
        scope: The parent construct.
        construct_id: Id within the scope. Give each generation its own, such as ``PaymentsG2``: the logical id is what
            CloudFormation knows the profile by.
        name_prefix: The name without its generation, such as ``payments``: letters, digits and underscores. May hold
            tokens, which are passed through and compared with nothing.
        generation: 1 for the first, then counted up. A number token is passed through.
        validity: How long signatures last; 135 months, AWS Signer's maximum and default, where it is left out.
            It is a literal, because one that is unknown at synthesis could not be compared.
        recorded: The profile names that were used before in this account and Region, by name. A name that is recorded
            with another validity or platform, or as cancelled or revoked, is refused.
        parameter_name: The SSM parameter that holds the version ARN; by default
            ``/lambda-code-signing/signing-profiles/<profile name>/version-arn``.
        cancel_forever_when_removed: Opt out of retention: removing the resource cancels the profile, for ever, so that
            it signs nothing any more and its name is lost. For throw-away accounts.

    Raises:
        ConstructError: The name does not fit AWS Signer, is taken in this App, or contradicts ``recorded``; or the
            stack's Region has no AWS Signer.

    Facts: the service model of AWS Signer (botocore 1.43.106) and CloudFormation's schema of
    ``AWS::Signer::SigningProfile``, whose ``createOnlyProperties`` are all but ``Tags`` and whose delete handler calls
    ``CancelSigningProfile``. That a cancelled profile keeps its name is documented nowhere; users report it
    (aws-ia/terraform-aws-transfer-family#106), no API revives a profile, and a wrong guess costs one generation.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name_prefix: str,
        generation: int,
        validity: Validity = LONGEST_VALIDITY,
        recorded: Mapping[str, RecordedProfile] | None = None,
        parameter_name: str | None = None,
        cancel_forever_when_removed: bool = False,
    ) -> None:
        name = _profile_name(name_prefix, generation)
        _require_validity(validity)
        _compare_with_record(name, validity, recorded or {})
        require_signer_region(scope)
        super().__init__(scope, construct_id)
        claim_name(self, "profile name", name, "Count generation up, or use another name_prefix")
        self.generation = generation
        self.validity = validity
        self.l1 = signer.CfnSigningProfile(
            self,
            "Resource",
            platform_id=LAMBDA_PLATFORM_ID,
            profile_name=name,
            signature_validity_period=signer.CfnSigningProfile.SignatureValidityPeriodProperty(
                value=validity.value, type=validity.unit
            ),
        )
        # RETAIN rather than RETAIN_ON_UPDATE_OR_DELETE: cancelling after a failed creation would lose the name too,
        # while a retained profile can be imported by the next attempt.
        self.l1.apply_removal_policy(
            cdk.RemovalPolicy.DESTROY if cancel_forever_when_removed else cdk.RemovalPolicy.RETAIN
        )
        self._parts = _Parts(name, self.l1.attr_arn, self.l1.attr_profile_version, self.l1.attr_profile_version_arn)
        self._permissions = ProfilePermissions(self, self.l1)
        if parameter_name is None:
            parameter_name = version_arn_parameter_name(name)
        self.parameter = ArnParameter(
            self,
            "Parameter",
            name=parameter_name,
            arn=self.profile_version_arn,
            description=f"Version ARN of the signing profile {name}",
        )
        # CloudFormation takes no functions in an output's description, where a name may hold tokens.
        self.output = cdk.CfnOutput(
            self, "VersionArn", value=self.profile_version_arn, description="Version ARN of the signing profile"
        )

    @staticmethod
    def from_version_arn(
        scope: Construct, construct_id: str, version_arn: str | SigningProfileVersionArn
    ) -> "ImportedSigningProfile":
        """Use a profile version of another account, Region or stack.

        Args:
            scope: The parent construct.
            construct_id: Id within the scope.
            version_arn: The version ARN, such as ``profileVersionArn`` of ``aws signer get-signing-profile``. Tokens
                pass through unchecked.

        Raises:
            ConstructError: It is not a signing profile version ARN; the message tells which mistake it is.
        """
        return ImportedSigningProfile(scope, construct_id, version_arn)

    def grant_sign(self, principal: ProfilePrincipal) -> signer.CfnProfilePermission:
        """Let a principal sign with this profile (``signer:StartSigningJob``).

        The AWS Signer permission is one half: the principal's own IAM policies have to allow the action on
        ``profile_arn`` too, and on its buckets. A caller of another account usually needs ``grant_read`` as well,
        because most tools look the profile up (``signer:GetSigningProfile``) before they sign.

        Args:
            principal: A 12-digit account id, the ARN of a role without a path, or a role of CDK. Asking twice for the
                same principal makes one permission.

        Raises:
            ConstructError: It is none of these, or a role with a path, which AWS Signer refuses.
        """
        return self._permissions.allow("signer:StartSigningJob", principal)

    def grant_read(self, principal: ProfilePrincipal) -> signer.CfnProfilePermission:
        """Let a principal look this profile up (``signer:GetSigningProfile``); see ``grant_sign``."""
        return self._permissions.allow("signer:GetSigningProfile", principal)

    def grant_revoke(self, principal: ProfilePrincipal) -> signer.CfnProfilePermission:
        """Let a principal revoke single signatures of this profile (``signer:RevokeSignature``); see ``grant_sign``.

        Revoking cannot be undone. Revoking the whole profile cannot be granted across accounts.
        """
        return self._permissions.allow("signer:RevokeSignature", principal)


class ImportedSigningProfile(_LambdaProfile):
    """A signing profile version that another stack owns; made by ``LambdaSigningProfile.from_version_arn``.

    It does not check that the profile exists, is active or signs for Lambda: its ARN does not tell.
    """

    def __init__(self, scope: Construct, construct_id: str, version_arn: str | SigningProfileVersionArn) -> None:
        text = str(version_arn)
        if cdk.Token.is_unresolved(text):
            super().__init__(scope, construct_id)
            self._parts = _token_parts(text)
            return
        try:
            arn = SigningProfileVersionArn.parse(text)
        except ArnError as error:
            raise ConstructError(f"version_arn: {error}") from error
        super().__init__(scope, construct_id, environment_from_arn=text)
        self._parts = _Parts(arn.name, str(arn.profile), arn.profile_version, text)

    def grant_sign(self, principal: ProfilePrincipal) -> NoReturn:
        """Refuse: only the stack that owns the profile can."""
        self._refuse_grant("grant_sign", principal)

    def grant_read(self, principal: ProfilePrincipal) -> NoReturn:
        """Refuse: only the stack that owns the profile can."""
        self._refuse_grant("grant_read", principal)

    def grant_revoke(self, principal: ProfilePrincipal) -> NoReturn:
        """Refuse: only the stack that owns the profile can."""
        self._refuse_grant("grant_revoke", principal)

    def _refuse_grant(self, method: str, principal: ProfilePrincipal) -> NoReturn:
        raise ConstructError(
            f"{method}({principal}) on the imported signing profile {self.profile_version_arn}: the permissions "
            "of a profile belong to its own account and Region. Call it on the LambdaSigningProfile in the stack that "
            "makes it"
        )


def _profile_name(name_prefix: str, generation: int) -> str:
    if cdk.Token.is_unresolved(generation):
        return f"{name_prefix}_g{cdk.Tokenization.stringify_number(generation)}"
    # The annotation stops nobody at run time, and True is an int.
    if type(generation) is not int or generation < 1:
        raise ConstructError(f"generation={generation!r} is not a whole number from 1 on. The first generation is 1")
    name = f"{name_prefix}_g{generation}"
    if not cdk.Token.is_unresolved(name_prefix) and (not name_prefix or _NAME.fullmatch(name) is None):
        raise ConstructError(
            f"name_prefix={name_prefix!r} makes the profile name {name!r} of {len(name)} characters. "
            "AWS Signer takes 2 to 64 letters, digits and underscores, with the generation"
        )
    return name


def _require_validity(given: object) -> None:
    if not isinstance(given, Validity):
        raise ConstructError(f"validity={given!r} is no Validity. Write Validity.parse('12 months') of its module")


def _compare_with_record(name: str, validity: Validity, recorded: Mapping[str, RecordedProfile]) -> None:
    """Refuse what AWS Signer cannot do to a profile that was there before."""
    before = recorded.get(name)
    if before is None:
        return
    remedy = "add the next generation beside it, and list both in the code signing configs until the old one retires"
    if before.status != "Active":
        raise ConstructError(
            f"profile name={name!r} is recorded as {before.status}, and AWS Signer never lets a name be used again; "
            f"{remedy}"
        )
    if before.platform_id != LAMBDA_PLATFORM_ID:
        raise ConstructError(
            f"profile name={name!r} is recorded with the platform {before.platform_id}, which cannot be changed to "
            f"{LAMBDA_PLATFORM_ID}; use another name_prefix"
        )
    if before.validity != validity:
        raise ConstructError(
            f"validity={validity} contradicts the {before.validity} that {name!r} is recorded with: "
            f"AWS Signer cannot change the validity of a profile; {remedy}"
        )


def _token_parts(version_arn: str) -> _Parts:
    """Take an ARN apart in CloudFormation: ``arn:…:`` / ``signing-profiles`` / name / version."""
    pieces = cdk.Fn.split("/", version_arn, 4)
    return _Parts(pieces[2], cdk.Fn.join("/", pieces[:3]), pieces[3], version_arn)
