"""What is made of answers that AWS really gave; botocore's Stubber holds them against its model of the API.

AWS Signer's do not stand that: `signingMaterial` is an empty object, of which the model requires a `certificateArn`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.stub import Stubber

from constructs_pkg.aws.deployments import DEPLOYMENT_EVENTS, deployments
from constructs_pkg.aws.inventory import Wanted, read_place
from constructs_pkg.aws.member_place import MemberPlace, Pace
from constructs_pkg.inventory.readings import DeploymentReading, FunctionReading, Signature
from constructs_pkg.runtime.drift.expiry import Expiring, find_expiring
from constructs_pkg.runtime.drift.functions import Functions, signing_profiles
from constructs_pkg.runtime.drift.observations import ObservedFunction, ObservedProfile
from constructs_pkg.runtime.drift.stack_sets import DetectionOperation, StackSets
from tests.recorded.recordings import ACCOUNT, looked_up, record_of, recorded, varied

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
SESSION = boto3.session.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1")
CONFIG = f"arn:aws:lambda:us-east-1:{ACCOUNT}:code-signing-config:csc-0123456789abcdef0"
PUBLISHER = f"arn:aws:signer:us-east-1:{ACCOUNT}:/signing-profiles/acme_payments_g1/0123456789"
FUNCTIONS = ("payments-auth", "payments-green", "payments-red")

Answers = dict[str, list[dict[str, Any]]]


@contextmanager
def answering(service: str, answers: Answers) -> Iterator[Any]:
    client = SESSION.client(service)
    with Stubber(client) as stub:
        for method, each in answers.items():
            for answer in each:
                stub.add_response(method, answer)
        yield client
        stub.assert_no_pending_responses()


class Answering:
    """A client that gives each method's answers in turn, whatever the model says."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    def __getattr__(self, method: str) -> Any:
        return lambda **_request: self._answers[method].pop(0)


def place_of(**clients: Any) -> MemberPlace:
    class Clients:
        def client(self, service: str, _region: str, *, attempts: int) -> Any:
            assert attempts == 1
            return clients[service]

    return MemberPlace(Clients, ACCOUNT, "us-east-1", Pace(sleep=lambda _: None))  # type: ignore[arg-type]


def test_a_function_under_a_config_whose_answer_names_no_signer_is_unsigned() -> None:
    """Of the three functions one is under a config, and its listing has neither signing profile nor job."""
    nothing = {"FunctionName": "payments-red", "CodeSigningConfigArn": ""}  # as the model tells, not recorded
    asked = [nothing, nothing, recorded("answer-GetFunctionCodeSigningConfig")]
    config = {
        "CodeSigningConfigId": "csc-0123456789abcdef0",
        "CodeSigningConfigArn": CONFIG,
        "AllowedPublishers": {"SigningProfileVersionArns": [PUBLISHER]},
        "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Warn"},
        "LastModified": "2022-07-06T08:14:02.404+0000",
    }
    listing = {
        "list_functions": [recorded("answer-ListFunctions")],
        "list_code_signing_configs": [{"CodeSigningConfigs": []}],
        "get_function_code_signing_config": asked,
        "get_code_signing_config": [{"CodeSigningConfig": config}],
    }
    with (
        answering("lambda", listing) as lambda_,
        answering("ssm", {"get_parameters_by_path": [{"Parameters": []}]}) as ssm,
    ):
        reading = read_place(place_of(**{"lambda": lambda_, "ssm": ssm}), Wanted(), AT)
    assert reading.gaps == ()
    assert reading.functions == (
        FunctionReading("payments-red", "$LATEST", False, None, Signature()),
        FunctionReading("payments-auth", "$LATEST", False, None, Signature()),
        FunctionReading("payments-green", "$LATEST", False, CONFIG, Signature()),
    )


def test_drift_remediation_reads_functions_and_their_config() -> None:
    answers = {
        "list_functions": [recorded("answer-ListFunctions")],
        "get_function_code_signing_config": [recorded("answer-GetFunctionCodeSigningConfig")],
    }
    with answering("lambda", answers) as client:
        functions = Functions(client)
        assert functions.listed() == tuple(ObservedFunction(name, "Zip") for name in FUNCTIONS)
        assert functions.config_of("payments-green") == CONFIG


def test_a_drift_detection_of_39_stacks_is_read_as_over() -> None:
    answers = {"describe_stack_set_operation": [recorded("answer-DescribeStackSetOperation")]}
    with answering("cloudformation", answers) as client:
        found = StackSets(client, "acme-code-signing-second", "SELF").operation("an-operation")
    assert found == DetectionOperation("an-operation", "DETECT_DRIFT", "SUCCEEDED")
    assert not found.is_running


def test_signing_profiles_are_read() -> None:
    found = signing_profiles(Answering({"list_signing_profiles": [recorded("answer-ListSigningProfiles")]}))
    version = f"arn:aws:signer:us-west-2:{ACCOUNT}:/signing-profiles/acme_notation_0/0123456789"
    assert found == (ObservedProfile("acme_notation_0", version),)


def test_a_job_without_source_object_or_material_counts_as_the_signature_of_its_profile() -> None:
    answers = {
        "list_signing_jobs": [recorded("answer-ListSigningJobs"), {"jobs": []}],
        "list_signing_profiles": [recorded("answer-ListSigningProfiles")],
    }
    found = find_expiring(Answering(answers), at=AT, days=30)
    assert found == Expiring({"acme_notation_0": 1}, ("acme_notation_0",), ())


def test_deployments_are_found_by_their_names_with_the_date_and_without() -> None:
    """AWS announced in 2021 that the date would go; were only one form asked for, the other would be nobody's."""
    warned = varied(record_of("UpdateFunctionCode"), additionalEventData={"signatureStatus": "MISMATCH"})
    undated = varied(warned, eventName="UpdateFunctionCode")
    answers = {name: {"Events": []} for name in DEPLOYMENT_EVENTS}
    answers |= {one["eventName"]: {"Events": [looked_up(one, AT)]} for one in (warned, undated)}
    with answering("cloudtrail", {"lookup_events": list(answers.values())}) as client:
        found = tuple(deployments(place_of(cloudtrail=client), AT, AT))
    assert found == tuple(
        DeploymentReading("payments-api", AT, name, ("MISMATCH",), None)
        for name in ("UpdateFunctionCode20150331v2", "UpdateFunctionCode")
    )
