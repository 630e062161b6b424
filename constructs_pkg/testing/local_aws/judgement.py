"""Would Lambda take this code? Asks the verifier, with the configs, roots and revocations of the server."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from constructs_pkg.arns import CodeSigningConfigArn, FunctionArn, LayerVersionArn, SigningProfileVersionArn
from constructs_pkg.errors import ServiceError, SigningError
from constructs_pkg.signing.archive import SIGNATURE_ENTRY
from constructs_pkg.signing.deployment import Artifact
from constructs_pkg.signing.policy import CodeSigningPolicy, Mode, PolicyOrigin
from constructs_pkg.signing.report import CheckName, CheckStatus, Decision, VerificationReport
from constructs_pkg.signing.trust import TrustStore
from constructs_pkg.signing.verifier import verify_archive
from constructs_pkg.testing.local_aws.overlay import Overlay
from constructs_pkg.testing.local_aws.signing_authority import SigningAuthority

__all__ = ["Judge", "SignatureOrigin", "function_artifact", "layer_artifact"]

_NOBODY = SigningProfileVersionArn("aws", "us-east-1", "000000000000", "nobody", "0000000000")
_ROOT_OF_LAST_RESORT = "us-east-1"


@dataclass(frozen=True, slots=True)
class SignatureOrigin:
    """Where an intact signature comes from.

    Attributes:
        profile_version_arn: The publisher.
        job_arn: The signing job.
    """

    profile_version_arn: str
    job_arn: str

    def to_dict(self) -> dict[str, str]:
        """Return the two members that Lambda's answers have for signed code."""
        return {"SigningProfileVersionArn": self.profile_version_arn, "SigningJobArn": self.job_arn}


class Judge:
    """Asks the verifier.

    Args:
        overlay: Whose clock counts.
        authority: Whose signatures are trusted, and what it revoked.
    """

    def __init__(self, overlay: Overlay, authority: SigningAuthority) -> None:
        self._overlay = overlay
        self._authority = authority

    def judge(
        self, config: dict[str, Any], artifacts: Sequence[Artifact], region: str
    ) -> tuple[list[VerificationReport], ServiceError | None]:
        """Judge the artifacts of one deployment, in their order.

        Args:
            config: The code signing config, as the API shows it.
            artifacts: The function's code, its layers, or both.
            region: The Region of the deployment.

        Returns:
            All reports, and the refusal where Lambda would refuse: the one of the first artifact at fault.
        """
        now = self._overlay.now()
        policy = CodeSigningPolicy(
            tuple(
                SigningProfileVersionArn.parse(arn)
                for arn in dict.fromkeys(config["AllowedPublishers"]["SigningProfileVersionArns"])
            ),
            Mode(config["CodeSigningPolicies"]["UntrustedArtifactOnDeployment"]),
            self._trust(region),
            self._authority.revocations,
            PolicyOrigin(CodeSigningConfigArn.parse(config["CodeSigningConfigArn"]), now),
        )
        reports = [
            verify_archive(artifact.source, policy, now, artifact=artifact.name, resource_arn=artifact.resource_arn)
            for artifact in artifacts
        ]
        refused = next((report for report in reports if report.decision is Decision.REJECTED), None)
        if refused is None or refused.aws_error is None:
            return reports, None
        return reports, ServiceError(refused.aws_error.code, refused.aws_error.message)

    def origin_of(self, archive: bytes, region: str) -> SignatureOrigin | None:
        """Return where an archive's signature comes from; None where it has none, or one that does not hold.

        Args:
            archive: The ZIP.
            region: The Region that asks.
        """
        if SIGNATURE_ENTRY.encode() not in archive:
            return None
        policy = CodeSigningPolicy((_NOBODY,), Mode.WARN, self._trust(region))
        report = verify_archive(archive, policy, self._overlay.now())
        is_intact = report.checks[CheckName.INTEGRITY].status is CheckStatus.PASSED
        if not is_intact or not report.claims_verified:
            return None
        return SignatureOrigin(str(report.signing_profile_version_arn), str(report.signing_job_arn))

    def _trust(self, region: str) -> TrustStore:
        try:
            self._authority.use_region(region)
        except SigningError:
            # AWS Signer is not there: what was signed elsewhere can be judged all the same.
            self._authority.use_region(_ROOT_OF_LAST_RESORT)
        return self._authority.trust


def function_artifact(arn: str, code: bytes) -> Artifact:
    """Return a function's own code for `Judge.judge`.

    Args:
        arn: The function's ARN, without a qualifier.
        code: The ZIP.
    """
    return Artifact("function", code, FunctionArn.parse(arn))


def layer_artifact(arn: str, code: bytes) -> Artifact:
    """Return a layer version for `Judge.judge`.

    Args:
        arn: The layer version's ARN.
        code: The ZIP.
    """
    return Artifact(arn, code, LayerVersionArn.parse(arn))
