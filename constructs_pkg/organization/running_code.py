"""The audit file: which functions run code of which signing profile version, as ``lambda-code-signing audit`` wrote it.

It tells what a publisher that leaves the configs would strand. An audit that could not read everything says so, and
proves nothing about what it does not name.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from constructs_pkg.arns import SigningProfileVersionArn
from constructs_pkg.errors import ArnError, OrganizationError, Problem

__all__ = ["MOST_AUDIT_BYTES", "OLDEST_AUDIT", "RunningArtifact", "RunningCode", "read_running_code"]

MOST_AUDIT_BYTES = 256 * 1024 * 1024
"""About a million functions."""

OLDEST_AUDIT = timedelta(days=7)
"""An older audit does not tell what runs today."""

_REMEDY = "Write it anew with 'lambda-code-signing audit -o FILE'"


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class RunningArtifact(_Table):
    """One signed artifact of one function.

    Attributes:
        account: Twelve digits.
        region: Such as ``eu-west-1``.
        function: The function's name.
        artifact: ``function``, or the ARN of a layer version.
        profile_version_arn: Whose signature AWS Lambda shows for it.
    """

    account: Annotated[str, Field(pattern=r"^\d{12}$")]
    region: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,30}$")]
    function: Annotated[str, Field(min_length=1, max_length=170)]
    artifact: Annotated[str, Field(min_length=1, max_length=256)]
    profile_version_arn: Annotated[str, Field(max_length=256)]

    @property
    def publisher(self) -> SigningProfileVersionArn:
        """Return the publisher as an ARN; reading the file has checked it."""
        return SigningProfileVersionArn.parse(self.profile_version_arn)


class RunningCode(_Table):
    """A whole audit file.

    Attributes:
        version: 1.
        at: When the audit was finished.
        complete: Whether every account and Region could be read.
        functions: Every signed artifact that was found.
    """

    version: Literal[1]
    at: Annotated[AwareDatetime, Field(strict=False)]
    complete: bool
    functions: Annotated[tuple[RunningArtifact, ...], Field(strict=False)]

    def problems(self, *, at: datetime) -> tuple[Problem, ...]:
        """Return why this audit cannot prove that nothing runs somebody's code; empty where it can.

        Args:
            at: The moment that its age is measured at, aware.
        """
        found: list[Problem] = []
        if not self.complete:
            message = "the audit could not read every account and Region, and proves nothing about the rest"
            found.append(Problem("audit.complete", message, "Run 'lambda-code-signing audit' until it is complete"))
        age = at - self.at
        if age > OLDEST_AUDIT or age < -timedelta(hours=1):
            day = self.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
            message = f"the audit is of {day} UTC, and an audit holds for {OLDEST_AUDIT.days} days"
            found.append(Problem("audit.at", message, _REMEDY))
        return tuple(found)


def read_running_code(path: Path) -> RunningCode:
    """Read an audit file.

    Args:
        path: The file.

    Raises:
        OrganizationError: It cannot be read, or it is no audit file of version 1; with the first problem.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_AUDIT_BYTES + 1)
    except OSError as error:
        raise _refused(path, "file", f"it cannot be read: {error.strerror or error}") from error
    if len(data) > MOST_AUDIT_BYTES:
        raise _refused(path, "file", f"it has more than {MOST_AUDIT_BYTES:,} bytes")
    try:
        running = RunningCode.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "file"
        raise _refused(path, where, first["msg"]) from error
    for index, artifact in enumerate(running.functions):
        try:
            SigningProfileVersionArn.parse(artifact.profile_version_arn)
        except ArnError as error:
            raise _refused(path, f"functions.{index}.profile_version_arn", str(error)) from error
    return running


def _refused(path: Path, where: str, message: str) -> OrganizationError:
    return OrganizationError(str(path), (Problem(where, message, _REMEDY),))
