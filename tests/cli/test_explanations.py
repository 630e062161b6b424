"""Every message that explain knows is recognised, in the forms in which people meet it, and nothing else is."""

import json
import re
import textwrap

import pytest

from constructs_pkg.arns import FunctionArn, LayerVersionArn
from constructs_pkg.explanations import explain
from constructs_pkg.explanations.denials import _BY_ACTION
from constructs_pkg.explanations.lambda_messages import LAMBDA_MEANINGS
from constructs_pkg.explanations.signer_messages import SIGNER_MEANINGS
from constructs_pkg.signing.aws_messages import improperly_signed, signature_not_accepted

FUNCTION = "arn:aws:lambda:eu-west-1:222222222222:function:payments-api"
LAYER = "arn:aws:lambda:us-east-1:184161586896:layer:opentelemetry-collector-arm64-0_11_0:1"
PROFILE = "arn:aws:signer:eu-west-1:111111111111:/signing-profiles/payments_g1"
STACK_FUNCTION = "dummy-stackk-MyFunction3BAA72D1-wrnBDfNVr1Ik"
NOT_ACCEPTED = (
    "Lambda cannot deploy the function. The function or layer might be signed using a signature that the client is not "
    "configured to accept. Check the provided signature for {}."
)

MESSAGES = {
    "cloudformation names a function": (
        (
            f'Resource handler returned message: "{NOT_ACCEPTED.format(STACK_FUNCTION)}" (RequestToken: '
            "d6b8497f-0573-c147-72f4-f5264e22883f, HandlerErrorCode: InvalidRequest)"
        ),
        [("signature_not_accepted", STACK_FUNCTION)],
    ),
    "cloudformation broken in the middle of words": (
        NOT_ACCEPTED.format(STACK_FUNCTION).replace("using", "u\nsing").replace("MyFunction", "My\nFunction"),
        [("signature_not_accepted", STACK_FUNCTION)],
    ),
    "the first sentence alone": (
        "The function or layer might be signed using a signature that the client is not configured to accept.",
        [("signature_not_accepted", "")],
    ),
    "a layer": (f'"{NOT_ACCEPTED.format(LAYER)} (Service: Lambda, Status Code: 400)"', [("layer_not_accepted", LAYER)]),
    "unsigned": (NOT_ACCEPTED.format("unsigned"), [("code_unsigned", "")]),
    "a function whose name begins with unsigned": (
        NOT_ACCEPTED.format("unsigned-uploads"),
        [("signature_not_accepted", "unsigned-uploads")],
    ),
    "the exception with its message says it once": (
        "An error occurred (CodeVerificationFailedException) when calling the UpdateFunctionCode operation: "
        + NOT_ACCEPTED.format(FUNCTION),
        [("signature_not_accepted", FUNCTION)],
    ),
    "integrity": (
        (
            "Lambda cannot deploy the function. The function or layer code is not properly signed. This can mean that "
            "the code was signed incorrectly or modified after it was signed. "
            f"Check the provided signature for {FUNCTION}."
        ),
        [("integrity_failed", FUNCTION)],
    ),
    "the exception alone": ("CodeVerificationFailedException", [("code_verification_failed", "")]),
    "the documented integrity exception": ("InvalidCodeSignatureException", [("invalid_code_signature", "")]),
    "config not found": (
        "An error occurred (CodeSigningConfigNotFoundException) when calling the CreateFunction operation",
        [("config_not_found", "")],
    ),
    "config in use": (
        "An error occurred (ResourceConflictException) when calling the DeleteCodeSigningConfig operation: ...",
        [("config_in_use", "")],
    ),
    "container image in a table of SAM": (
        "CREATE_FAILED  AWS::Lambda::Function  HelloWorldFunction  Resource handler\n"
        + textwrap.indent(
            "returned message:\n'Code signing is not\nsupported for\nfunctions created with\ncontainer images.\n",
            " " * 50,
        ),
        [("image_not_signable", "")],
    ),
    "container image yields no advice on qualifiers": (
        (
            "An error occurred (InvalidParameterValueException) when calling the GetFunctionCodeSigningConfig "
            "operation: Code signing is not supported for functions created with container images."
        ),
        [("image_not_signable", "")],
    ),
    "qualifier": (
        "An error occurred (InvalidParameterValueException) when calling the GetFunctionCodeSigningConfig operation",
        [("config_of_qualifier", "")],
    ),
    "21 publishers": (
        (
            "Value at 'allowedPublishers.signingProfileVersionArns' failed to satisfy constraint: Member must have "
            "length less than or equal to 20"
        ),
        [("too_many_publishers", "")],
    ),
    "no object version": (
        "ValidationException: StartSigningJobRequest:source:version should not be empty",
        [("source_not_versioned", "")],
    ),
    "sam without versioning": (
        (
            "Error: Unable to upload artifact lambda/functions/my-function referenced by CodeUri parameter of "
            "rMyFunction resource.\n'VersionId'"
        ),
        [("upload_without_version", "")],
    ),
    "failed job": ('{"jobId": "a", "status": "Failed", "statusReason": "?"}', [("signing_job_failed", "")]),
    "already signed": ("Signing failed: the zip file is already signed", [("already_signed", "")]),
    "role with a path": (
        (
            "An error occurred (ValidationException) when calling AddProfilePermission operation:\n"
            "Principal is not a valid AWS account id or IAM Role Arn"
        ),
        [("principal_refused", "")],
    ),
    "unknown profile": (
        "An error occurred (ResourceNotFoundException) when calling the StartSigningJob operation: ...",
        [("profile_not_found", "")],
    ),
    "throttled": (
        "An error occurred (TooManyRequestsException) when calling the StartSigningJob operation",
        [("signer_throttled", "")],
    ),
    "no Signer in the Region": (
        'Could not connect to the endpoint URL: "https://signer.eu-central-2.amazonaws.com/signing-profiles"',
        [("signer_unreachable", "eu-central-2")],
    ),
    "a profile for devices": (
        (
            "An error occurred (ValidationException) when calling the PutSigningProfile operation: signing material "
            "cannot be null."
        ),
        [("profile_of_other_platform", "")],
    ),
    **{
        f"signature status {word}": (
            json.dumps({"detail": {"signatureStatus": word}}),
            [(f"status_{word.lower()}", "")],
        )
        for word in ("VALID", "MISMATCH", "EXPIRED", "REVOKED")
    },
    "signature status in the json of a log line": (
        'verdict "signatureStatus":"MISMATCH" for payments',
        [("status_mismatch", "")],
    ),
}


def codes_and_subjects(text: str) -> list[tuple[str, str]]:
    return [(item.explanation.code, item.explanation.subject) for item in explain(text)]


@pytest.mark.parametrize(("text", "expected"), MESSAGES.values(), ids=MESSAGES)
def test_message_is_recognised_with_what_it_names(text: str, expected: list[tuple[str, str]]) -> None:
    assert codes_and_subjects(text) == expected


def test_every_row_of_the_table_is_reached_by_a_message() -> None:
    reached = {code for _, expected in MESSAGES.values() for code, _ in expected}
    assert {meaning.code for meaning in (*LAMBDA_MEANINGS, *SIGNER_MEANINGS)} == reached


@pytest.mark.parametrize("resource", [FunctionArn.parse(FUNCTION), LayerVersionArn.parse(LAYER), None])
def test_what_the_verifier_says_that_aws_would_say_is_explained(resource: FunctionArn | LayerVersionArn | None) -> None:
    subject = str(resource or "ARN")
    code = "layer_not_accepted" if resource and ":layer:" in subject else "signature_not_accepted"
    assert codes_and_subjects(signature_not_accepted(resource).message) == [(code, subject)]
    assert codes_and_subjects(improperly_signed(resource).message) == [("integrity_failed", subject)]


DENIED = "User: arn:aws:sts::222222222222:assumed-role/dev/jo is not authorized to perform: {} on resource: {} {}"
WHO = {
    "with an explicit deny in a service control policy": "a service control policy denies it",
    "with an explicit deny in a permissions boundary": "the permissions boundary of the role denies it",
    "with an explicit deny in an identity-based policy": "a policy of the user or role denies it",
    "because no identity-based policy allows the lambda:CreateFunction action": "a policy of the user or role",
    "because no permissions boundary allows the lambda:CreateFunction action": "the permissions boundary of the role",
}


@pytest.mark.parametrize(("words", "meaning"), WHO.items())
def test_denial_says_which_kind_of_policy_denied(words: str, meaning: str) -> None:
    text = f"An error occurred (AccessDeniedException): {DENIED.format('lambda:CreateFunction', FUNCTION, words)}"
    (explained,) = explain(text)
    assert (explained.explanation.code, explained.explanation.subject) == ("access_denied", "lambda:CreateFunction")
    assert meaning in explained.explanation.meaning


def test_denial_without_a_resource_or_a_policy_is_explained() -> None:
    text = "User: jo is not authorized to perform: signer:PutSigningProfile"
    assert codes_and_subjects(text) == [("access_denied", "signer:PutSigningProfile")]


@pytest.mark.parametrize("action", _BY_ACTION)
def test_every_guarded_action_is_explained(action: str) -> None:
    text = DENIED.format(action, "*", "with an explicit deny in an identity-based policy")
    assert codes_and_subjects(text) == [("access_denied", action)]


def test_denial_of_an_action_that_code_signing_has_nothing_to_do_with_is_not_explained() -> None:
    assert (
        explain(DENIED.format("s3:GetObject", "arn:aws:s3:::b/k", "because no identity-based policy allows it")) == ()
    )


MISTAKES = {
    PROFILE: "is a signing profile ARN, not a signing profile version ARN",
    PROFILE.replace(":/signing", "://signing") + "/abcdefghij": "two slashes before 'signing-profiles'",
    PROFILE + "/": "has no version after the last '/'",
    PROFILE.replace("profiles", "profile") + "/abcdefghij": "says 'signing-profile'",
    PROFILE + "/abc": "of 3 characters",
}


@pytest.mark.parametrize(("arn", "mistake"), MISTAKES.items())
@pytest.mark.parametrize("text", ["{}", "  SigningProfileVersionArns:\n    - {}\n", '{{"AllowedPublishers": ["{}"]}}'])
def test_each_of_the_five_arn_mistakes_gets_its_own_message(text: str, arn: str, mistake: str) -> None:
    (explained,) = explain(text.format(arn))
    assert (explained.explanation.code, explained.explanation.subject) == ("wrong_profile_arn", arn)
    assert mistake in explained.explanation.meaning


@pytest.mark.parametrize(
    "text",
    [
        f"{PROFILE}/abcdefghij",
        f"the profile {PROFILE} was made",
        f"AllowedPublishers {PROFILE}/*",
        "AllowedPublishers arn:${AWS::Partition}:signer:eu-west-1:111111111111:/signing-profiles/p",
        "",
        "   ",
        "{}",
        "[]",
        "null",
        "Could not unzip uploaded file. Please check your file, then try to upload again.",
        "An error occurred (ResourceConflictException) when calling the CreateFunction operation: Function exists",
        "status: Failed",
        "signatureStatus: PENDING",
        '{"Records": [{"eventName": "Invoke"}]}',
    ],
)
def test_what_is_right_or_not_about_code_signing_gives_no_explanation(text: str) -> None:
    assert explain(text) == ()


CLOUDTRAIL = {
    "eventVersion": "1.09",
    "eventSource": "lambda.amazonaws.com",
    "eventName": "UpdateFunctionCode20150331v2",
    "eventTime": "2026-11-20T10:00:00Z",
    "errorCode": "CodeVerificationFailedException",
    "errorMessage": NOT_ACCEPTED.format(FUNCTION),
}
ORIGIN = "UpdateFunctionCode20150331v2 2026-11-20T10:00:00Z"
RECORDS = {
    "one record": CLOUDTRAIL,
    "a log file": {"Records": [{"eventName": "Invoke20150331"}, CLOUDTRAIL]},
    "lookup-events": {"Events": [{"EventName": "x", "CloudTrailEvent": json.dumps(CLOUDTRAIL)}]},
    "eventbridge": {"detail-type": "AWS API Call via CloudTrail", "source": "aws.lambda", "detail": CLOUDTRAIL},
    "a list": [CLOUDTRAIL, CLOUDTRAIL],
}


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_audit_record_is_read_in_every_wrapping(record: object) -> None:
    found = [(item.origin, item.explanation.code, item.explanation.subject) for item in explain(json.dumps(record))]
    assert found == [(ORIGIN, "signature_not_accepted", FUNCTION)]


def test_embedded_record_that_is_no_json_is_searched_as_text() -> None:
    events = {"Events": [{"EventName": "x", "CloudTrailEvent": "{broken CodeSigningConfigNotFoundException"}]}
    assert [item.explanation.code for item in explain(json.dumps(events))] == ["config_not_found"]


def test_arn_that_is_no_profile_arn_at_all_is_wrong_wherever_it_stands() -> None:
    arn = "arn:aws:signer:eu-west-1:111111111111://signing-profiles/p1/abcdefghij"
    assert codes_and_subjects(f"Deploying with {arn}.") == [("wrong_profile_arn", arn)]


def test_records_one_a_line_are_read() -> None:
    assert len(explain(f"{json.dumps(CLOUDTRAIL)}\n{json.dumps({**CLOUDTRAIL, 'eventTime': 'later'})}\n")) == 2


def test_stack_events_name_the_resource() -> None:
    events = {
        "StackEvents": [
            {"LogicalResourceId": "Stack", "ResourceType": "AWS::CloudFormation::Stack", "ResourceStatus": "X"},
            {
                "LogicalResourceId": "Config",
                "ResourceType": "AWS::Lambda::CodeSigningConfig",
                "ResourceStatus": "DELETE_FAILED",
                "ResourceStatusReason": "Resource handler returned message: ...",
            },
        ]
    }
    assert [(item.origin, item.explanation.code) for item in explain(json.dumps(events))] == [
        ("Config (AWS::Lambda::CodeSigningConfig)", "config_in_use")
    ]


def test_failed_signing_job_event_is_read() -> None:
    event = {"detail-type": "Signer Job Status Change", "detail": {"job_id": "a", "status": "Failed"}}
    found = [(item.origin, item.explanation.code) for item in explain(json.dumps(event))]
    assert found == [("Signer Job Status Change", "signing_job_failed")]


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "{" + "x" * 1_000_000, "[" * 60 + "]" * 60])
def test_hostile_json_ends_without_an_explanation(text: str) -> None:
    assert explain(text) == ()


def test_repeated_beginnings_of_messages_come_to_an_end() -> None:
    """Each pattern's beginning, repeated: a search that starts over at each of them would not come to an end here."""
    for beginning in (
        "notauthorizedtoperform:a:b",
        "codeisnotproperlysigned.",
        "CouldnotconnecttotheendpointURL",
        "arn:",
    ):
        assert isinstance(explain(beginning * (250_000 // len(beginning))), tuple)


def test_no_remedy_switches_a_check_off() -> None:
    """The one thing that a frightened reader must not be told: how to get rid of the check."""
    loosening = re.compile(
        r"(?:set|switch|change|put|turn).{0,40}\bwarn\b|(?:remove|delete|detach).{0,20}(?:config|check)"
        r"|disable|bypass|skip.{0,20}check",
        re.IGNORECASE,
    )
    remedies = [text for meaning in (*LAMBDA_MEANINGS, *SIGNER_MEANINGS) for text in meaning.remedies]
    remedies += [text for denied in _BY_ACTION.values() for text in denied.remedies]
    assert [text for text in remedies if loosening.search(text)] == []


def test_every_explanation_says_what_to_do_and_where_it_is_known_from() -> None:
    incomplete = [
        meaning.code
        for meaning in (*LAMBDA_MEANINGS, *SIGNER_MEANINGS)
        if not (meaning.title and meaning.meaning and meaning.remedies and meaning.source)
    ]
    assert incomplete == []
