"""The table of AWS Lambda: what its messages about code signing mean, in its own words and in CloudFormation's.

Quoted messages were read in public error reports; each row names its source. Where AWS publishes no wording, a row is
recognised by the exception's name or by the shape of the record. No remedy switches a check off.
"""

import re

from constructs_pkg.explanations.meaning import Meaning, compact_pattern

__all__ = ["LAMBDA_MEANINGS"]

_GUIDE = "AWS Lambda Developer Guide, configuration-codesigning"
_LAMBDA_MODEL = "botocore 1.43.106, lambda service model"
_OBSERVED = "observed on AWS"

_VERIFY = (
    "Ask for the reason without deploying: lambda-code-signing verify ARTIFACT.zip --policy POLICY.json. It tells "
    "unsigned, wrong publisher, expired and revoked apart, which AWS's message does not"
)
_SIGN = (
    "Sign the ZIP that you deploy, and deploy the signed object: AWS Signer writes a new object, the source stays "
    "unsigned. CDK assets, inline code and nested stacks of SAM are not signed by themselves"
)
_NOT_ACCEPTED = "signed using a signature that the client is not configured to accept"
_FOR = r"\.?\W?Checktheprovidedsignaturefor"
_NAME = r"(?P<subject>[A-Za-z0-9:_$/-]{1,512})"
_LAYER = r"(?P<subject>arn:[a-z-]+:lambda:[a-z0-9-]+:[0-9]{12}:layer:[A-Za-z0-9_-]+(?::[0-9]+)?)"
_REFUSALS = frozenset({"layer_not_accepted", "code_unsigned", "signature_not_accepted", "integrity_failed"})


def _word(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.IGNORECASE)


def _status(word: str) -> re.Pattern[str]:
    # AWS writes the word in capitals, which tells it from what follows once the white space is gone.
    return re.compile(rf"(?i:signature_?status)[\"']?[:=][\"']?{word}(?![A-Z])")


_VERDICTS = (
    Meaning(
        "layer_not_accepted",
        (compact_pattern(_NOT_ACCEPTED, _FOR + _LAYER),),
        "Lambda refused the function because of one of its layers",
        "The function has a code signing config in Enforce, and every layer of such a function is checked like its own "
        "code. This layer is unsigned, or signed by a profile version that the config does not list, or its signature "
        "has expired or was revoked. Publishing a layer checks nothing, so the layer was published without an error.",
        (
            (
                "See who signed it, and whether that is allowed: lambda-code-signing layer inspect ARN --policy "
                "policy.json"
            ),
            "Your own layer: sign its ZIP and publish a new version",
            (
                "A vendor's signed layer: have the security team check and add the vendor's profile version as an "
                "external publisher"
            ),
            (
                "A vendor's unsigned layer: look at its code, sign a copy with your own profile (lambda-code-signing "
                "layer resign ARN), publish it as your layer"
            ),
        ),
        f"{_GUIDE}; wording: open-telemetry/opentelemetry-lambda#1548",
    ),
    Meaning(
        "code_unsigned",
        (compact_pattern(_NOT_ACCEPTED, _FOR + r"unsigned(?![A-Za-z0-9_-])"),),
        "Lambda refused the code because it is not signed",
        "The function has a code signing config in Enforce, and the ZIP that was deployed carries no signature.",
        (_SIGN, _VERIFY),
        "AWS Lambda Developer Guide, governance-code-signing",
    ),
    Meaning(
        "signature_not_accepted",
        (compact_pattern(_NOT_ACCEPTED, rf"(?:{_FOR}{_NAME})?"),),
        "Lambda refused the code: it carries no signature that the function's code signing config accepts",
        "The config is in Enforce, and the function's code or one of its layers is unsigned (by far the most frequent "
        "case), or signed by a profile version that the config does not list, or its signature has expired or was "
        "revoked. The name at the end of the message is the function or the layer at fault.",
        (
            _VERIFY,
            _SIGN,
            (
                "Signed already? Compare the profile *version* ARN of the artifact (lambda-code-signing inspect) with "
                "AllowedPublishers of the config (aws lambda get-code-signing-config)"
            ),
            "Expired or revoked: build and sign again with the current profile",
        ),
        f"{_OBSERVED}; wording: aws/aws-cdk#29474, aws/aws-sam-cli#2424",
        frozenset({"layer_not_accepted", "code_unsigned"}),
    ),
    Meaning(
        "integrity_failed",
        (compact_pattern("code is not properly signed", rf"(?:.{{0,200}}?Checktheprovidedsignaturefor{_NAME})?"),),
        "Lambda refused the code because it was changed after it was signed, or its signature is broken",
        "What was deployed is not what was signed: an entry was added, removed, renamed, reordered or changed, or the "
        "signature itself is damaged. This is refused in Warn as well as in Enforce.",
        (
            (
                "Take it seriously: unless you know which step of your build rewrites the ZIP, treat it as tampering "
                "and tell your security team"
            ),
            "See what is wrong: lambda-code-signing verify ARTIFACT.zip --policy POLICY.json",
            "Make signing the last step: nothing may repack the ZIP, add files to it or sort it afterwards",
            "Build again from source and sign again; do not repair the ZIP",
        ),
        _OBSERVED,
    ),
    Meaning(
        "code_verification_failed",
        (_word("CodeVerificationFailedException"),),
        "Lambda refused the code under its code signing config",
        "The code or a layer is unsigned, signed by another publisher, expired or revoked while the config is in "
        "Enforce; Lambda was also observed to use this exception where the code was changed after signing.",
        (_VERIFY, _SIGN),
        f"{_LAMBDA_MODEL}; {_OBSERVED}",
        _REFUSALS,
    ),
    Meaning(
        "invalid_code_signature",
        (_word("InvalidCodeSignatureException"),),
        "Lambda refused the code because its signature fails the integrity check",
        "The code was changed after it was signed, or the signature is damaged. Lambda blocks this in Warn as well.",
        (
            "See what is wrong: lambda-code-signing verify ARTIFACT.zip --policy POLICY.json",
            "Make signing the last step of the build, and build and sign again; do not repair the ZIP",
        ),
        _LAMBDA_MODEL,
        _REFUSALS,
    ),
    Meaning(
        "status_valid",
        (_status("VALID"),),
        "No check of the signature failed",
        "No check failed, and no more than that: the one record of AWS that is public says VALID of an unsigned layer, "
        "published where no code signing config applied. It proves neither that the code is signed nor by whom.",
        (
            (
                "See who signed what is deployed: SigningProfileVersionArn and SigningJobArn of "
                "aws lambda get-function-configuration, and of each of its layers; without them, count it as unsigned"
            ),
            "Verify the archive: lambda-code-signing verify ARTIFACT.zip --policy POLICY.json",
            "See that a config applies: aws lambda get-function-code-signing-config --function-name NAME",
        ),
        f"{_OBSERVED}; a CloudTrail record of PublishLayerVersion20181031 of October 2026",
    ),
    Meaning(
        "status_mismatch",
        (_status("MISMATCH"),),
        "Unsigned code, or code of a publisher that is not allowed",
        "The code or a layer is unsigned or was signed by a profile version that the config does not list. Where the "
        "record holds no error, the config is in Warn: the code was deployed and runs, and the metric "
        "AWS/Lambda SignatureValidationErrors counted it.",
        (
            "Find out who deployed it: userIdentity and sourceIPAddress of the same record",
            _SIGN,
            (
                "Deploy the signed code before the config goes to Enforce: code that runs now keeps running, the next "
                "deployment would fail"
            ),
        ),
        _OBSERVED,
    ),
    Meaning(
        "status_expired",
        (_status("EXPIRED"),),
        "The signature has run out",
        "Code is accepted until the end of its profile's validity period, counted from signing. Where the record holds "
        "no error, the config is in Warn and the code was deployed.",
        (
            "Build and sign again with a profile that is active",
            "See when signatures run out: lambda-code-signing inspect ARTIFACT.zip",
        ),
        _OBSERVED,
    ),
    Meaning(
        "status_revoked",
        (_status("REVOKED"),),
        "The signature was revoked",
        "Somebody revoked the signing job, or the signing profile from a moment before this signature was made. Where "
        "the record holds no error, the config is in Warn and the code was deployed all the same.",
        (
            "Do not deploy this artifact anywhere: ask the security team why it was revoked",
            "Find where it runs: functions whose SigningJobArn or SigningProfileVersionArn is the revoked one",
            "Once the cause is dealt with, build from source and sign with a profile that is active",
        ),
        _OBSERVED,
    ),
)

_CONFIGS = (
    Meaning(
        "config_not_found",
        (_word("CodeSigningConfigNotFoundException"),),
        "The code signing config does not exist",
        "The ARN names a config that was deleted or never existed in this account and Region. A config that is deleted "
        "and made again gets a new, random ARN; CloudFormation drift remediation does that too.",
        (
            "List what exists: aws lambda list-code-signing-configs, in the account and Region of the function",
            "Refer to the config by its stack's output or its SSM parameter instead of a copied ARN",
            "Gone although it should be there: CloudTrail says who took it away",
        ),
        _LAMBDA_MODEL,
    ),
    Meaning(
        "config_in_use",
        (
            _word("DeleteCodeSigningConfig|AWS::Lambda::CodeSigningConfig"),
            _word("ResourceConflictException|DELETE_FAILED"),
        ),
        "The code signing config cannot be deleted because functions use it",
        "A config goes only when no function is attached to it. The exception's general text, that the resource exists "
        "or another operation is in progress, is misleading here.",
        (
            "Find the functions: aws lambda list-functions-by-code-signing-config --code-signing-config-arn ARN",
            (
                "Attach each of them to the config that replaces it (aws lambda put-function-code-signing-config); "
                "attaching leaves no moment without checks, detaching first would"
            ),
            "Then delete it",
        ),
        _LAMBDA_MODEL,
    ),
    Meaning(
        "image_not_signable",
        (compact_pattern("Code signing is not supported for functions created with container images"),),
        "Container images have no Lambda code signing",
        "Code signing configs are for ZIP archives and layers. A function with PackageType Image can have none, and "
        "asking for its config gives this error too, which some tools do for every function.",
        (
            "Deploy the function as a signed ZIP where your organization demands signed code",
            (
                "It has to be an image: ask for an exemption, and sign and check images with AWS Signer for containers "
                "(Notation) and an admission check"
            ),
            "A tool that only lists functions: skip those with PackageType Image",
        ),
        f"{_GUIDE}; wording: aws/aws-cdk#13932, aws/aws-sam-cli#2786",
    ),
    Meaning(
        "config_of_qualifier",
        (_word("GetFunctionCodeSigningConfig"), _word("InvalidParameterValueException")),
        "A code signing config belongs to the function, not to a version or an alias",
        "The request names the function with a qualifier.",
        ("Ask with the function's name or its ARN without the version or alias at the end",),
        _OBSERVED,
        frozenset({"image_not_signable"}),
    ),
    Meaning(
        "too_many_publishers",
        (_word("SigningProfileVersionArns"), compact_pattern("length less than or equal to 20")),
        "A code signing config lists at most 20 profile versions",
        "Every generation of your own profiles and every external publisher counts.",
        (
            "Remove the versions that nothing runs any more (retired generations first)",
            "Split applications: one config for each application needs only its own publishers",
        ),
        _LAMBDA_MODEL,
    ),
)

LAMBDA_MEANINGS: tuple[Meaning, ...] = (*_VERDICTS, *_CONFIGS)
"""The more exact messages come first."""
