"""IAM policy documents as values: what developers and pipelines may do with Lambda, derived from one intent.

Doors: ``GuardrailIntent``, and of it ``developer_policies``, ``permissions_boundary`` and ``service_control_policies``;
each returns ``PolicyDocument`` values that know their size. ``MemberAccount`` names
what the rollout makes in an account; ``remediator_policies``, ``auditor_policies`` and ``forwarder_policies`` are what
its roles may do. ``DriftRights`` is what the roles of the drift remediation may do. Pure: the standard library only.
"""

from constructs_pkg.guardrails.auditor import auditor_policies, forwarder_policies
from constructs_pkg.guardrails.boundary import permissions_boundary
from constructs_pkg.guardrails.break_glass import BreakGlassAccess
from constructs_pkg.guardrails.developer import (
    application_developer_policies,
    developer_policies,
    regional_developer_policy,
    shared_developer_policies,
)
from constructs_pkg.guardrails.documents import Condition, PolicyDocument, Statement
from constructs_pkg.guardrails.drift_roles import DriftRights, expiry_policy, invoking_policy
from constructs_pkg.guardrails.fitting import MANAGED_POLICY, PERMISSIONS_BOUNDARY, SERVICE_CONTROL_POLICY, Limit
from constructs_pkg.guardrails.intent import DEFAULT_PIPELINE_SERVICES, GuardrailIntent
from constructs_pkg.guardrails.member_account import MemberAccount
from constructs_pkg.guardrails.remediator import remediator_policies
from constructs_pkg.guardrails.service_control import service_control_policies
from constructs_pkg.guardrails.trust_policy import TrustPolicy

__all__ = [
    "DEFAULT_PIPELINE_SERVICES",
    "MANAGED_POLICY",
    "PERMISSIONS_BOUNDARY",
    "SERVICE_CONTROL_POLICY",
    "BreakGlassAccess",
    "Condition",
    "DriftRights",
    "GuardrailIntent",
    "Limit",
    "MemberAccount",
    "PolicyDocument",
    "Statement",
    "TrustPolicy",
    "application_developer_policies",
    "auditor_policies",
    "developer_policies",
    "expiry_policy",
    "forwarder_policies",
    "invoking_policy",
    "permissions_boundary",
    "regional_developer_policy",
    "remediator_policies",
    "service_control_policies",
    "shared_developer_policies",
]
