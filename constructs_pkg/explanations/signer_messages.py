"""The table of AWS Signer: what its messages, and those of tools that call it, mean.

Quoted messages were read in public error reports; each row names its source.
"""

import re

from constructs_pkg.explanations.meaning import Meaning, compact_pattern

__all__ = ["SIGNER_MEANINGS"]

_SIGNER_MODEL = "botocore 1.43.106, signer service model"
_SIGNER_GUIDE = "AWS Signer Developer Guide, signing-jobs-lambda"


def _word(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.IGNORECASE)


_SIGNER_OPERATION = (
    r"(?:StartSigningJob|PutSigningProfile|GetSigningProfile|CancelSigningProfile|RevokeSign|ProfilePermission)"
)
_BUCKET = (
    "Switch versioning on: aws s3api put-bucket-versioning --bucket BUCKET --versioning-configuration Status=Enabled",
    "Upload the ZIP again: an object from before has no version that AWS Signer accepts",
)

SIGNER_MEANINGS: tuple[Meaning, ...] = (
    Meaning(
        "source_not_versioned",
        (compact_pattern("source:version should not be empty"),),
        "AWS Signer signs one version of an S3 object, and the request names none",
        "The bucket of the source has no versioning, or the version id was not passed on.",
        (*_BUCKET, "Pass the VersionId of the upload as source.s3.version"),
        "wording: terraform-aws-modules/terraform-aws-lambda#351",
    ),
    Meaning(
        "upload_without_version",
        (compact_pattern("Unable to upload artifact"), _word(r"['\"]VersionId['\"]")),
        "The bucket that SAM uploads to has no versioning, so that AWS Signer cannot sign what is in it",
        "AWS Signer signs one version of an object. SAM reads the VersionId of its upload, and there is none.",
        _BUCKET,
        "wording: aws/serverless-application-model#1850",
    ),
    Meaning(
        "signing_job_failed",
        (
            _word(r"SignerJobStatusChange|job_?Id|DescribeSigningJob|ListSigningJobs"),
            re.compile(r"(?i:status)[\"']?[:=][\"']?Failed"),
        ),
        "The signing job failed, and there is no signed object",
        "AWS Signer fails a job whose ZIP is empty, malformed, or already signed; also when it cannot read the source "
        "or write to the destination bucket.",
        (
            "Read statusReason: aws signer describe-signing-job --job-id ID",
            (
                "Is it signed already? lambda-code-signing inspect SOURCE.zip. Sign the unsigned ZIP of the build "
                "instead; for another publisher's signature, pack the content anew"
            ),
            "Is it a sound ZIP? lambda-code-signing verify SOURCE.zip names what is wrong with it",
            (
                "Source and destination bucket are in the Region of the profile, the source bucket is versioned, and "
                "the caller may read the one and write to the other"
            ),
        ),
        _SIGNER_GUIDE,
    ),
    Meaning(
        "already_signed",
        (
            _word(
                r"(?:ziparchive|zipfile|archive|file|zip|artifact|code)(?:is|was|hasbeen)?already"
                r"(?:been)?(?:signed|hasasignature|containsasignature)"
            ),
        ),
        "The ZIP carries a signature already, and AWS Signer does not sign twice",
        "An archive has one signature. Signing is refused where META_INF/aws_signer_signature_v1.0.SF is there.",
        (
            "See who signed it: lambda-code-signing inspect ARTIFACT.zip. Perhaps it is what you need",
            "Sign the unsigned ZIP of the build, not the result of an earlier job",
            "To sign another publisher's code with your profile: unpack it without META_INF, review it, package it",
        ),
        _SIGNER_GUIDE,
    ),
    Meaning(
        "principal_refused",
        (compact_pattern("Principal is not a valid AWS account id or IAM Role Arn"),),
        "AWS Signer does not take this principal for a profile permission",
        "A profile permission is for an account id or an IAM role without a path. A role such as "
        "role/teams/payments/Signer is refused although it exists.",
        (
            "Give the permission to the account (12 digits) and let the account's own policies choose the role",
            "Or use a role without a path",
        ),
        "wording: aws/aws-cli#7820",
    ),
    Meaning(
        "profile_not_found",
        (_word("ResourceNotFoundException"), _word("StartSigningJob|GetSigningProfile")),
        "AWS Signer does not know this signing profile here",
        "A profile belongs to one account and one Region. For another account's profile the request has to name the "
        "owner as well.",
        (
            "Check the Region, and the spelling: aws signer list-signing-profiles",
            "Another account's profile: pass profile-owner, and have the owner grant signer:StartSigningJob to you",
        ),
        f"{_SIGNER_MODEL}; AWS Signer Developer Guide, signing-profile-cross-account",
    ),
    Meaning(
        "signer_throttled",
        (_word("TooManyRequestsException|ThrottlingException"), _word(_SIGNER_OPERATION)),
        "Too many requests to AWS Signer",
        "The default quota is 3 requests a second for StartSigningJob and for everything that writes, for each account "
        "and Region.",
        (
            "Try again with growing pauses; a clientRequestToken makes the repetition safe",
            "Ask for a higher quota where pipelines sign in parallel",
        ),
        "AWS General Reference, AWS Signer endpoints and quotas",
    ),
    Meaning(
        "signer_unreachable",
        (_word(r"CouldnotconnecttotheendpointURL.{0,20}?(?:data-)?signer\.(?P<subject>[a-z0-9-]+)\.amazonaws"),),
        "There is no answer from AWS Signer in this Region",
        "AWS Signer does not exist in every Region where Lambda does. A network without a way out looks the same.",
        (
            "Check whether the Region has AWS Signer: AWS General Reference, AWS Signer endpoints and quotas",
            "It has none: sign in a Region that has it. Source and destination bucket must be in the profile's Region",
            "It has: look at proxy, DNS and VPC endpoint",
        ),
        "AWS General Reference, AWS Signer endpoints and quotas",
    ),
    Meaning(
        "profile_of_other_platform",
        (compact_pattern("signing material cannot be null"),),
        "The signing profile is for another platform than Lambda",
        "Only the platforms for devices ask for signing material of one's own.",
        ("Make the profile for the platform AWSLambda-SHA384-ECDSA",),
        "wording: aws-cloudformation/cloudformation-coverage-roadmap#1641",
    ),
)
