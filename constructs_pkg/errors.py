"""Every error that this package raises on purpose, one small class per audience.

A refusal is an answer and therefore a value (a report); an error says that no answer could be reached. Messages name
the thing, then its value, then the remedy.
"""

from dataclasses import dataclass

__all__ = [
    "ArchiveError",
    "ArnError",
    "AttestationError",
    "AwsError",
    "CmsError",
    "ConstructError",
    "FileAccessError",
    "GuardrailError",
    "LambdaCodeSigningError",
    "LayerRegistryError",
    "LocalAwsError",
    "NodeError",
    "OrganizationError",
    "PackagingError",
    "PolicyError",
    "Problem",
    "ProvenanceError",
    "ServiceError",
    "SigningError",
    "TemplateError",
    "TrustError",
    "ValidityError",
]


class LambdaCodeSigningError(Exception):
    """The root of every error that this package raises on purpose."""


class ArchiveError(LambdaCodeSigningError, ValueError):
    """A ZIP archive is not one that every reader understands alike, or it exceeds a limit.

    Args:
        reason: The stable machine-readable code, a member of ``constructs_pkg.signing.archive_defects.ArchiveDefect``.
        message: What is wrong, naming the entry or the place and the value, and what to do.
    """

    def __init__(self, reason: str, message: str) -> None:
        self.reason = str(reason)
        super().__init__(message)


class ArnError(LambdaCodeSigningError, ValueError):
    """A text is not the ARN that was asked for. Also a ``ValueError``, as parsers of text raise."""


class AttestationError(LambdaCodeSigningError, ValueError):
    """An attestation of a signed object is not one that this release reads, or is about another object."""


class AwsError(LambdaCodeSigningError):
    """AWS refused a request or was not reached, so that no answer could be had.

    Args:
        code: AWS's own error code, such as ``AccessDeniedException``, or the name of botocore's error.
        message: What was tried and what AWS said, and what to do.
        said: What AWS said, alone, for who can tell better what was tried and what to do; the message where left out.
    """

    def __init__(self, code: str, message: str, said: str | None = None) -> None:
        self.code = code
        self.said = message if said is None else said
        super().__init__(message)


class CmsError(LambdaCodeSigningError, ValueError):
    """A signature envelope is not exactly what AWS Signer writes, or its signature does not verify.

    Args:
        reason: The stable machine-readable code, a member of ``constructs_pkg.signing.cms_defects.CmsDefect``.
        message: What is wrong, naming the field and the value.
    """

    def __init__(self, reason: str, message: str) -> None:
        self.reason = str(reason)
        super().__init__(message)


class ConstructError(LambdaCodeSigningError, ValueError):
    """A construct was given arguments that contradict each other or that AWS would refuse."""


class FileAccessError(LambdaCodeSigningError):
    """A file that a command was told to read or write cannot be, or is there already; the message says what to do."""


class GuardrailError(LambdaCodeSigningError, ValueError):
    """A guardrail cannot be written down: its intent is contradictory or its document does not fit IAM's limits."""


class NodeError(LambdaCodeSigningError):
    """No Node.js that AWS CDK can run on was found."""


class ValidityError(LambdaCodeSigningError, ValueError):
    """A validity period is not one that AWS Signer has."""


class PackagingError(LambdaCodeSigningError, ValueError):
    """A directory cannot be packaged as it is; the message names the file and what to do about it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a file.

    Attributes:
        where: The key path (``applications[2].owners``) or ``line N, column M``.
        message: What is wrong, naming the value.
        remedy: What to do about it.
    """

    where: str
    message: str
    remedy: str

    def __str__(self) -> str:
        """Return the problem on one line."""
        return f"{self.where}: {self.message}. {self.remedy}"


class OrganizationError(LambdaCodeSigningError, ValueError):
    """An organization file cannot be used; holds all of its problems, never only the first.

    Args:
        source: The file, as the user named it.
        problems: Every problem that was found, at least one.
    """

    def __init__(self, source: str, problems: tuple[Problem, ...]) -> None:
        self.source = source
        self.problems = problems
        noun = "problem" if len(problems) == 1 else "problems"
        lines = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(f"{source}: {len(problems)} {noun}\n{lines}")


class PolicyError(LambdaCodeSigningError, ValueError):
    """A code signing policy cannot be used; holds all of its problems, never only the first.

    Args:
        source: The file, as the user named it, or what else the policy came from.
        problems: Every problem that was found, at least one.
    """

    def __init__(self, source: str, problems: tuple[Problem, ...]) -> None:
        self.source = source
        self.problems = problems
        noun = "problem" if len(problems) == 1 else "problems"
        lines = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(f"{source}: {len(problems)} {noun}\n{lines}")


class LayerRegistryError(PolicyError):
    """A registry of other people's layers cannot be used; holds all of its problems, never only the first."""


class ProvenanceError(LambdaCodeSigningError, ValueError):
    """A statement of where a signed archive comes from is not one that this release reads, or cannot be made."""


class SigningError(LambdaCodeSigningError):
    """A signer refused to sign, or a local signing authority cannot do what was asked of it.

    Args:
        reason: The stable machine-readable code, such as ``already_signed`` or ``profile_canceled``.
        message: What was refused, naming the value, and what to do.
    """

    def __init__(self, reason: str, message: str) -> None:
        self.reason = str(reason)
        super().__init__(message)


class TemplateError(LambdaCodeSigningError, ValueError):
    """A file is not a template or cloud assembly that can be understood; the message says where and why."""


class TrustError(LambdaCodeSigningError, ValueError):
    """A certificate chain is not one to trust, or a trust root cannot be used.

    Args:
        reason: The stable machine-readable code, a member of ``constructs_pkg.signing.trust.TrustDefect``.
        message: What is wrong, naming the certificate and the value.
    """

    def __init__(self, reason: str, message: str) -> None:
        self.reason = str(reason)
        super().__init__(message)


class LocalAwsError(LambdaCodeSigningError):
    """A local AWS cannot be started or has gone; the message names the reason and what to do."""


class ServiceError(LambdaCodeSigningError):
    """A service of the local AWS refuses a request, in the words of AWS's own error.

    Args:
        code: The name of the exception, such as ``ResourceNotFoundException``.
        message: What is refused, naming the value.
        status_code: The HTTP status.
    """

    def __init__(self, code: str, message: str, status_code: int = 400) -> None:
        self.code = code
        self.status_code = status_code
        super().__init__(message)
