"""What a check knows besides the template: the policy, the moment, and where artifacts are found."""

from dataclasses import dataclass, field
from datetime import datetime

from constructs_pkg.rules.artifact import ArtifactLocator
from constructs_pkg.rules.code_property import NoArtifacts
from constructs_pkg.signing.policy import CodeSigningPolicy

__all__ = ["CheckContext"]


@dataclass(frozen=True, slots=True)
class CheckContext:
    """What a check of one template knows.

    Attributes:
        policy: The organization's policy. Without one only the rules about structure decide, and every archive that
            would have to be judged is a violation of ``LCS216``.
        at: The moment of the deployment, aware.
        artifacts: Finds the code behind functions and layers.
        region: The Region that the template is deployed to; None where it is not known.
        account: The account, twelve digits; None where it is not known.
    """

    policy: CodeSigningPolicy | None
    at: datetime
    artifacts: ArtifactLocator = field(default_factory=NoArtifacts)
    region: str | None = None
    account: str | None = None
