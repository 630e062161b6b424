"""Rules LCS106 and LCS217: code that no code signing config can guard, or that comes from elsewhere."""

from collections.abc import Iterator

from constructs_pkg.rules.context import CheckContext
from constructs_pkg.rules.template import Resource, as_mapping
from constructs_pkg.rules.values import text_of
from constructs_pkg.rules.violation import Hit, Rule, Severity

__all__ = ["RULES", "SURFACE_TYPES", "check_application", "check_surface"]

SURFACE_TYPES = ("AWS::Lambda::MicrovmImage", "AWS::Lambda::WebFunction", "AWS::Lambda::WebFunctionRevision")
"""Types that run code of a plain S3 object and have no code signing config (botocore 1.43.115, ``lambda``)."""

SURFACE = Rule(
    "LCS106",
    "A kind of function that no code signing config can guard",
    Severity.FATAL,
    "AWS Lambda's newer kinds of compute take code from S3 and check no signature.",
    "Use AWS::Lambda::Function with a signed archive, or have it exempted with owner, reason and last day",
)
APPLICATION = Rule(
    "LCS217",
    "An application of others, whose functions nobody here can see",
    Severity.FATAL,
    "A nested application of the Serverless Application Repository, or of a URL, brings functions of its own.",
    "Copy its template into the app and sign its code, or have it exempted with owner, reason and last day",
)
RULES = (SURFACE, APPLICATION)


def check_surface(resource: Resource, context: CheckContext) -> Iterator[Hit]:  # noqa: ARG001 (a check's signature)
    """Refuse a kind of compute that has no code signing config."""
    yield Hit(SURFACE, f"{resource.logical_id} is an {resource.type}", "Type")


def check_application(application: Resource, context: CheckContext) -> Iterator[Hit]:  # noqa: ARG001 (a check's signature)
    """Refuse a nested SAM application that was not read; one that was is judged as a template of its own."""
    if application.logical_id in application.template.nested:
        return
    location = application.properties.get("Location")
    known = as_mapping(location).get("ApplicationId", location)
    shown = text_of(application.template, known)
    yield Hit(APPLICATION, f"The application {shown} cannot be read", "Properties/Location")
