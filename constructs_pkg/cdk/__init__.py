"""AWS CDK constructs for Lambda code signing. Importing this loads ``aws_cdk``, which needs a Node.js."""

from constructs_pkg.node import ensure_node

ensure_node()

# The imports below load aws_cdk, which starts Node.js at once: it has to be found first.
from constructs_pkg.cdk.break_glass_signing import BreakGlassSigning  # noqa: E402
from constructs_pkg.cdk.checks import CodeSigningChecks  # noqa: E402
from constructs_pkg.cdk.code_signing_event_bus import CodeSigningEventBus  # noqa: E402
from constructs_pkg.cdk.code_signing_rollout import (  # noqa: E402
    CodeSigningRollout,
    RolloutApplication,
    RolloutWave,
)
from constructs_pkg.cdk.consumer_code_signing import ConsumerCodeSigning  # noqa: E402
from constructs_pkg.cdk.developer_guardrail import DeveloperGuardrail  # noqa: E402
from constructs_pkg.cdk.drift_remediation import DriftRemediation  # noqa: E402
from constructs_pkg.cdk.enforced_code_signing import (  # noqa: E402
    EnforcedCodeSigning,
    ImportedCodeSigning,
    UntrustedArtifactPolicy,
)
from constructs_pkg.cdk.imported_signed_layer import ImportedSignedLayer  # noqa: E402
from constructs_pkg.cdk.member_baseline import MemberApplication, MemberBaseline  # noqa: E402
from constructs_pkg.cdk.organization_guardrail import OrganizationGuardrail  # noqa: E402
from constructs_pkg.cdk.publishers import Publisher  # noqa: E402
from constructs_pkg.cdk.require_code_signing import RequireCodeSigning  # noqa: E402
from constructs_pkg.cdk.rollout_target import OperationPreferences, RolloutTarget  # noqa: E402
from constructs_pkg.cdk.signed_code import SignedCode  # noqa: E402
from constructs_pkg.cdk.signed_code_kinds import (  # noqa: E402
    SignedArchiveCode,
    SignedAtPublishCode,
    SignedObjectCode,
)
from constructs_pkg.cdk.signed_layer import SignedLayer  # noqa: E402
from constructs_pkg.cdk.signing_monitor import SigningMonitor  # noqa: E402
from constructs_pkg.cdk.signing_pipeline import SigningPipeline  # noqa: E402
from constructs_pkg.cdk.signing_profile import (  # noqa: E402
    ImportedSigningProfile,
    LambdaSigningProfile,
    RecordedProfile,
)
from constructs_pkg.cdk.stack_set_template import StackSetTemplate  # noqa: E402
from constructs_pkg.guardrails.signing_pipeline import PipelineApplication  # noqa: E402

__all__ = [
    "BreakGlassSigning",
    "CodeSigningChecks",
    "CodeSigningEventBus",
    "CodeSigningRollout",
    "ConsumerCodeSigning",
    "DeveloperGuardrail",
    "DriftRemediation",
    "EnforcedCodeSigning",
    "ImportedCodeSigning",
    "ImportedSignedLayer",
    "ImportedSigningProfile",
    "LambdaSigningProfile",
    "MemberApplication",
    "MemberBaseline",
    "OperationPreferences",
    "OrganizationGuardrail",
    "PipelineApplication",
    "Publisher",
    "RecordedProfile",
    "RequireCodeSigning",
    "RolloutApplication",
    "RolloutTarget",
    "RolloutWave",
    "SignedArchiveCode",
    "SignedAtPublishCode",
    "SignedCode",
    "SignedLayer",
    "SignedObjectCode",
    "SigningMonitor",
    "SigningPipeline",
    "StackSetTemplate",
    "UntrustedArtifactPolicy",
]
