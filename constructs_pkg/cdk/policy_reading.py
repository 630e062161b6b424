"""Gets the policy that an App is judged by, a value or a file; where it cannot be used, says what to fetch."""

from datetime import datetime
from pathlib import Path

from constructs_pkg.errors import PolicyError, Problem
from constructs_pkg.signing.policy import CodeSigningPolicy
from constructs_pkg.signing.policy_file import MAX_POLICY_BYTES, parse_policy

__all__ = ["PolicySource", "read_policy"]

PolicySource = CodeSigningPolicy | Path | str
"""A policy, or the path of a policy file."""


def read_policy(source: PolicySource, *, at: datetime, fetch_from: str | None = None) -> CodeSigningPolicy:
    """Return a policy that can judge at a moment.

    Args:
        source: The policy, or the path of its file.
        at: The moment of the verdicts, aware.
        fetch_from: Where the platform team publishes the file, in words or as an address, for the message.

    Raises:
        PolicyError: The file is missing, is not a policy file of a version that this release reads, holds a root that
            is none, or is older than it allows itself to be. The last problem says what to fetch.
    """
    try:
        policy = source if isinstance(source, CodeSigningPolicy) else _read(Path(source))
        policy.require_usable(at)
    except PolicyError as error:
        name = error.source if isinstance(source, CodeSigningPolicy) else str(source)
        remedies = (*error.problems, Problem("what to do", *_what_to_fetch(source, fetch_from)))
        raise PolicyError(name, remedies) from error
    return policy


def _read(path: Path) -> CodeSigningPolicy:
    try:
        with path.open("rb") as file:
            text = file.read(MAX_POLICY_BYTES + 1)
    except OSError as error:
        problem = Problem("file", f"it cannot be read: {error.strerror}", f"Looked for it at {path.absolute()}")
        raise PolicyError(str(path), (problem,)) from error
    return parse_policy(text, str(path))


def _what_to_fetch(source: PolicySource, fetch_from: str | None) -> tuple[str, str]:
    where = f" from {fetch_from}" if fetch_from else ", where your platform team publishes it"
    target = "" if isinstance(source, CodeSigningPolicy) else f" and put it at {source}"
    return (
        "nothing can be judged without a policy, so that nothing is let through",
        f"Fetch the present code signing policy file{where}{target}",
    )
