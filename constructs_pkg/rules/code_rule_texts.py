"""The texts of the rules about code, LCS201 to LCS216, LCS301 and LCS302."""

from constructs_pkg.rules.violation import Rule, Severity

__all__ = [
    "ATTESTATION_WANTED",
    "DIRECTORY",
    "EXPIRED",
    "EXPIRES_SOON",
    "IMAGE",
    "IMAGE_UNDER_CONFIG",
    "INLINE",
    "INTEGRITY",
    "LAYER_UNSIGNED",
    "LAYER_WRONG_PUBLISHER",
    "MISSING",
    "NOT_JUDGED",
    "REVOKED",
    "RULES",
    "SIGNED_AT_PUBLISH",
    "UNDECIDED",
    "UNSIGNED",
    "VERSION_WANTED",
    "WRONG_PUBLISHER",
]

_REMEDY_SIGN = (
    "Sign the archive with an allowed signing profile and deploy the signed file unchanged; in CDK, use SignedCode"
)

UNSIGNED = Rule(
    "LCS201",
    "The code is not signed",
    Severity.FATAL,
    "Lambda refuses it under a config that enforces, and cannot tell who made it under one that warns.",
    _REMEDY_SIGN,
)
INTEGRITY = Rule(
    "LCS202",
    "The code or its signature was changed, or is no signature to trust",
    Severity.FATAL,
    "Lambda refuses it under every config, Warn included.",
    _REMEDY_SIGN,
)
WRONG_PUBLISHER = Rule(
    "LCS203",
    "The code is signed by a publisher that is not allowed",
    Severity.FATAL,
    "A sound signature of somebody whom nobody approved is worth nothing.",
    "Have it signed by an allowed publisher, or ask the security team to admit this one",
)
EXPIRED = Rule(
    "LCS204",
    "The code's signature has run out",
    Severity.FATAL,
    "Lambda refuses it at the next deployment under a config that enforces.",
    "Build and sign again",
)
EXPIRES_SOON = Rule(
    "LCS205",
    "The code's signature runs out soon",
    Severity.ERROR,
    "A rollback or a deployment after that day fails.",
    "Build and sign again",
)
REVOKED = Rule(
    "LCS206",
    "The code's signature was revoked",
    Severity.FATAL,
    "Somebody had a reason to take back the trust in exactly this.",
    "Find out why; then build from reviewed sources and sign again",
)
INLINE = Rule(
    "LCS207",
    "The code is written into the template",
    Severity.FATAL,
    "Inline code has no archive that could carry a signature; a config that enforces refuses it.",
    "Move it to a file and sign the archive",
)
IMAGE_UNDER_CONFIG = Rule(
    "LCS208",
    "A container image under a code signing config",
    Severity.FATAL,
    "Lambda code signing does not cover container images, and refuses the combination.",
    "Package the function as a signed ZIP archive, or remove the config and have the image exempted",
)
DIRECTORY = Rule(
    "LCS209",
    "The code is a directory that nobody will sign",
    Severity.FATAL,
    "The tool zips it on upload, after every step that could have signed it.",
    "Package and sign it first: SignedCode.from_directory in CDK, 'lambda-code-signing package' and 'sign' elsewhere",
)
VERSION_WANTED = Rule(
    "LCS210",
    "An object in S3 without its version",
    Severity.FATAL,
    "Whoever may write to the bucket decides what is deployed.",
    "Name the object version (S3ObjectVersion, in SAM Version); the bucket must be versioned",
)
ATTESTATION_WANTED = Rule(
    "LCS211",
    "An object in S3 without an attestation",
    Severity.FATAL,
    "The object cannot be read here, so that its signature is unknown before Lambda sees it.",
    "Attest the object when it is signed and give the attestation (SignedCode.from_signed_bucket in CDK, the "
    "resource's Metadata elsewhere), or deploy the archive from a local file",
)
SIGNED_AT_PUBLISH = Rule(
    "LCS212",
    "The code is signed when it is published",
    Severity.NOTE,
    "Accepted: a command signs it on the way to the bucket. No verdict exists before that; Lambda gives it.",
    "Nothing to do",
)
UNDECIDED = Rule(
    "LCS213",
    "Where the code comes from is open until the deployment",
    Severity.FATAL,
    "Whoever deploys decides what code it is.",
    "Use an asset, a local archive, or an S3 object that the template names",
)
MISSING = Rule(
    "LCS214",
    "The code cannot be judged",
    Severity.FATAL,
    "Code that nobody can look at is not accepted.",
    "Build it before the check, and check the path",
)
IMAGE = Rule(
    "LCS215",
    "A container image, which code signing cannot cover",
    Severity.FATAL,
    "No config guards it: Lambda runs whatever the image holds.",
    "Package the function as a signed ZIP archive, or have it exempted with owner, reason and last day",
)
NOT_JUDGED = Rule(
    "LCS216",
    "A signature was not judged",
    Severity.ERROR,
    "No policy says whom to trust, and what is undecided is not accepted.",
    "Give the organization's policy file with --policy",
)
LAYER_UNSIGNED = Rule(
    "LCS301",
    "The layer is not signed",
    Severity.FATAL,
    "Every layer of a function with a config is checked like the function's own code.",
    _REMEDY_SIGN,
)
LAYER_WRONG_PUBLISHER = Rule(
    "LCS302",
    "The layer is signed by a publisher that is not allowed",
    Severity.FATAL,
    "Every layer of a function with a config is checked like the function's own code.",
    "Have it signed by an allowed publisher, or ask the security team to admit this one",
)
RULES = (
    UNSIGNED,
    INTEGRITY,
    WRONG_PUBLISHER,
    EXPIRED,
    EXPIRES_SOON,
    REVOKED,
    INLINE,
    IMAGE_UNDER_CONFIG,
    DIRECTORY,
    VERSION_WANTED,
    ATTESTATION_WANTED,
    SIGNED_AT_PUBLISH,
    UNDECIDED,
    MISSING,
    IMAGE,
    NOT_JUDGED,
    LAYER_UNSIGNED,
    LAYER_WRONG_PUBLISHER,
)
