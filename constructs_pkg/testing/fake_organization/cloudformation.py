"""CloudFormation of a fake organization: stacks and StackSets."""

from constructs_pkg.testing.fake_organization.stack_calls import StackCalls
from constructs_pkg.testing.fake_organization.stack_set_calls import StackSetCalls

__all__ = ["CloudFormationService"]


class CloudFormationService(StackSetCalls, StackCalls):
    """Both halves of the API; each names its pages' operation itself."""
