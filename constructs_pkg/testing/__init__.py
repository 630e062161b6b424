"""What developer teams use in their own tests: no AWS account, no network, the verdicts that Lambda would give.

The doors:

* ``constructs_pkg.testing.fixtures``: pytest fixtures; ``pytest_plugins = ["constructs_pkg.testing.fixtures"]``.
* `assert_deployable`: fails with every reason why a stack or template would not deploy.
* `lambda_verdict`: what Lambda says about one archive with its layers.
* `ThrowawayAuthority`: signs what a test needs signed. UNSAFE FOR PRODUCTION.
* ``constructs_pkg.testing.matching``: what to look for with ``aws_cdk.assertions``.
"""

from constructs_pkg.testing.deployability import assert_deployable, lambda_verdict
from constructs_pkg.testing.throwaway_authority import APPROVED_CONFIG_ARN, ThrowawayAuthority

__all__ = ["APPROVED_CONFIG_ARN", "ThrowawayAuthority", "assert_deployable", "lambda_verdict"]
