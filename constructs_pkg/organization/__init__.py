"""The model of ``organization.toml``: what a platform team says about its organization, checked as a whole.

``load_organization`` reads a file, ``read_organization`` a text; both either return an ``Organization`` that holds no
contradiction, or raise an ``OrganizationError`` with every problem. Nothing here asks AWS whether an id exists.
"""

from constructs_pkg.organization.lock import (
    ProfileLock,
    lock_path,
    lock_problems,
    read_lock,
    record_profiles,
    unrecorded_profiles,
    unrecorded_rollout,
)
from constructs_pkg.organization.model import Organization
from constructs_pkg.organization.reading import load_organization, read_organization
from constructs_pkg.organization.schema import json_schema
from constructs_pkg.organization.tables import (
    LAMBDA_PLATFORM,
    Account,
    Application,
    DeveloperGuardrail,
    DriftRemediationTable,
    Exemption,
    ExternalPublisher,
    Notifications,
    OrganizationalUnit,
    Preferences,
    Rollout,
    Signers,
    SigningPipeline,
    SigningProfile,
    Wave,
)
from constructs_pkg.organization.warnings import warnings_of
from constructs_pkg.validity import Validity

__all__ = [
    "LAMBDA_PLATFORM",
    "Account",
    "Application",
    "DeveloperGuardrail",
    "DriftRemediationTable",
    "Exemption",
    "ExternalPublisher",
    "Notifications",
    "Organization",
    "OrganizationalUnit",
    "Preferences",
    "ProfileLock",
    "Rollout",
    "Signers",
    "SigningPipeline",
    "SigningProfile",
    "Validity",
    "Wave",
    "json_schema",
    "load_organization",
    "lock_path",
    "lock_problems",
    "read_lock",
    "read_organization",
    "record_profiles",
    "unrecorded_profiles",
    "unrecorded_rollout",
    "warnings_of",
]
