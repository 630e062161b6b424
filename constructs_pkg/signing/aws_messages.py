"""The error codes and messages with which AWS Lambda refuses a deployment over code signing.

Observed on AWS: a failed integrity check and a source mismatch, both as ``CodeVerificationFailedException``. The API
model documents ``InvalidCodeSignatureException`` for integrity (botocore 1.43.106, ``lambda``); what was observed is
what is shown here. Which text expiry and revocation come with was not recorded: the text of the mismatch is shown for
them, because it is the only other one that is known and its exception is the one that was observed for both.
"""

from dataclasses import dataclass

from constructs_pkg.arns import FunctionArn, LayerVersionArn

__all__ = [
    "CODE_VERIFICATION_FAILED",
    "INVALID_CODE_SIGNATURE",
    "AwsError",
    "improperly_signed",
    "signature_not_accepted",
]

CODE_VERIFICATION_FAILED = "CodeVerificationFailedException"
"""The code of every refusal that was observed."""

INVALID_CODE_SIGNATURE = "InvalidCodeSignatureException"
"""The code that the API model documents for a failed integrity check; not the one that was observed."""

_BEGINNING = "Lambda cannot deploy the function."
_IMPROPERLY_SIGNED = (
    "The function or layer code is not properly signed. This can mean that the code was signed incorrectly or modified "
    "after it was signed."
)
_NOT_ACCEPTED = "The function or layer might be signed using a signature that the client is not configured to accept."
_UNKNOWN_ARN = "ARN"


@dataclass(frozen=True, slots=True)
class AwsError:
    """An error as AWS shows it.

    Attributes:
        code: The exception's name.
        message: Its text.
    """

    code: str
    message: str


def improperly_signed(resource: FunctionArn | LayerVersionArn | None) -> AwsError:
    """Return the refusal of code that fails the integrity check, under Enforce and Warn alike.

    Args:
        resource: The function or the layer version at fault; where it is not known yet, ``ARN`` stands in its place.
    """
    return _error(_IMPROPERLY_SIGNED, resource)


def signature_not_accepted(resource: FunctionArn | LayerVersionArn | None) -> AwsError:
    """Return the refusal, under Enforce, of code that is unsigned, by another publisher, expired or revoked.

    Args:
        resource: The function or the layer version at fault; where it is not known yet, ``ARN`` stands in its place.
    """
    return _error(_NOT_ACCEPTED, resource)


def _error(middle: str, resource: FunctionArn | LayerVersionArn | None) -> AwsError:
    arn = _UNKNOWN_ARN if resource is None else resource
    return AwsError(CODE_VERIFICATION_FAILED, f"{_BEGINNING} {middle} Check the provided signature for {arn}.")
