"""The ways in which a request to Lambda may name a function: its name, its ARN, parts of it, a qualifier behind it."""

import re

from constructs_pkg.errors import ServiceError
from constructs_pkg.testing.local_aws.internals import RESPONSES

__all__ = ["function_arn", "parse_function"]

_REFERENCE = re.compile(
    r"(?:arn:aws[a-zA-Z-]*:lambda:)?(?:(?P<region>(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-[0-9]):)?"
    r"(?:(?P<account>[0-9]{12}):)?(?:function:)?(?P<name>[a-zA-Z0-9_-]{1,140})"
    r"(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9_-]{1,128}))?"
)
"""botocore's pattern of the shape ``FunctionName`` in the model of Lambda."""


def parse_function(reference: object) -> tuple[str, str | None]:
    """Return the name and the qualifier of a function.

    Args:
        reference: What the request says.

    Raises:
        ServiceError: It has another form, or names another account or Region.
    """
    match = _REFERENCE.fullmatch(reference) if isinstance(reference, str) else None
    if match is None:
        raise ServiceError(
            "InvalidParameterValueException",
            f"FunctionName {str(reference)[:160]!r} is neither the name nor the ARN of a function",
        )
    name = match["name"]
    if match["account"] not in {None, RESPONSES.get_account_id()} or match["region"] not in {
        None,
        RESPONSES.get_region(),
    }:
        raise ServiceError("ResourceNotFoundException", f"Function not found: {reference}", 404)
    return name, match["qualifier"]


def function_arn(name: str) -> str:
    """Return the ARN of a function of the present account and Region.

    Args:
        name: Its name.
    """
    return f"arn:aws:lambda:{RESPONSES.get_region()}:{RESPONSES.get_account_id()}:function:{name}"
