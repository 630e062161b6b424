"""An SSM parameter through which other stacks and pipelines find an ARN that only AWS can make up."""

import re

import aws_cdk as cdk
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from constructs_pkg.cdk.claims import claim_name
from constructs_pkg.errors import ConstructError

__all__ = ["ArnParameter"]

# The constraints of SSM's PutParameter (botocore 1.43.106, ``ssm`` model, documentation of ``Name``): fifteen levels,
# 1011 characters together with what SSM puts before the name in its ARN (up to 64 here), no 'aws' or 'ssm' in front.
_MAX_LEVELS = 15
_MAX_CHARACTERS = 1011 - 64
_NAME = re.compile(r"(?:/[A-Za-z0-9_.-]+)+")
_RESERVED = re.compile(r"/(?:aws|ssm)", re.IGNORECASE)


class ArnParameter(Construct):
    """A ``String`` parameter that holds one ARN, in the account and Region of its stack.

    It does not share the parameter with other accounts, and it is deleted with its stack.

    Args:
        scope: The construct that owns the ARN.
        construct_id: Id within the scope.
        name: Full name, beginning with a slash, of up to 15 levels of letters, digits, ``.``, ``-`` and ``_``. Tokens
            pass through unchecked.
        arn: The ARN, usually a token.
        description: What the ARN is.

    Raises:
        ConstructError: The name has another form, or another construct of the App has it already.
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str, arn: str, description: str) -> None:
        super().__init__(scope, construct_id)
        _check(name)
        claim_name(self, "parameter_name", name, "Give this construct its own parameter_name")
        self.name = name
        self.l1 = ssm.CfnParameter(self, "Resource", name=name, type="String", value=arn, description=description)


def _check(name: str) -> None:
    if cdk.Token.is_unresolved(name):
        return
    if len(name) > _MAX_CHARACTERS or _NAME.fullmatch(name) is None or name.count("/") > _MAX_LEVELS:
        raise ConstructError(
            f"parameter_name={name[:100]!r} ({len(name)} characters, {name.count('/')} levels) is not a name for SSM: "
            f"begin with '/', use up to {_MAX_LEVELS} levels of letters, digits, '.', '-' and '_', and at most "
            f"{_MAX_CHARACTERS} characters"
        )
    if _RESERVED.match(name):
        raise ConstructError(f"parameter_name={name!r} begins with '/aws' or '/ssm', which AWS reserves. Use another")
