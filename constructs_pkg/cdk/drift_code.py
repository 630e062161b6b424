"""The code of the reference deployment's drift remediation: staged, and signed when it is published."""

from datetime import datetime
from pathlib import Path

from constructs_pkg.cdk.signed_code import SignedCode
from constructs_pkg.cdk.signed_code_kinds import SignedAtPublishCode
from constructs_pkg.drift_asset import stage_drift_asset
from constructs_pkg.errors import ConstructError
from constructs_pkg.organization import Organization
from constructs_pkg.organization_drift import drift_expectations
from constructs_pkg.signing.archive_store import DEFAULT_STORE

__all__ = ["signed_drift_code"]


def signed_drift_code(
    organization: Organization,
    *,
    signer: str | None,
    policy: Path | str | None,
    at: datetime,
    store: Path | str = DEFAULT_STORE,
) -> SignedAtPublishCode | None:
    """Stage the functions with what the organization expects, and have them signed when they are published.

    Args:
        organization: A loaded organization.
        signer: Who signs, in words, as for `SignedCode.at_publish`; None for nobody.
        policy: The policy file that trusts the signer.
        at: The moment at which the policy has to be usable, aware.
        store: The directory that keeps what is staged, and the package until it is published.

    Returns:
        The code; None where nobody signs, or where the organization asks for no drift remediation.

    Raises:
        ConstructError: A signer came without a policy or the other way round, or the policy allows another profile.
        PackagingError: The package cannot be made.
        PolicyError: The policy is missing or cannot judge.
        SigningError: There is no such kind of signer.
    """
    if (signer is None) != (policy is None):
        raise ConstructError(f"signer={signer} and policy={policy} belong together: give both, or neither")
    table = organization.drift_remediation
    if signer is None or policy is None or table is None:
        return None
    profile = organization.active_profile_of(table.application).profile_name(organization)
    # In the store, which has one place: the path is the package's label in the asset manifest.
    staged = stage_drift_asset(Path(store) / "drift-remediation", drift_expectations(organization))
    return SignedCode.at_publish(
        staged.path, signer=signer, policy=policy, profile=profile, compression_level=9, store=store, at=at
    )
