"""What `promote` and the audit take from each recorded call: nothing, unless it says something bad."""

from datetime import UTC, datetime

import pytest

from constructs_pkg.aws.deployments import deployment_of
from constructs_pkg.inventory.readings import DeploymentReading
from tests.recorded.recordings import RECORDS, looked_up, record_of, recorded, varied

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
CALLS = tuple(name for name in RECORDS if "eventName" in record_of(name))


@pytest.mark.parametrize("name", CALLS)
def test_no_recorded_call_was_refused_or_warned_of_for_its_signature(name: str) -> None:
    assert deployment_of(looked_up(record_of(name), AT)) is None


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("CreateFunction", "payments-api"),
        ("CreateFunction-2016", "payments-api"),
        ("UpdateFunctionCode", "payments-api"),  # it names the function by its ARN
        ("UpdateFunctionCode-2017", "payments-api"),
        ("UpdateFunctionConfiguration", "payments-api"),
        ("UpdateFunctionCode-denied", None),  # a refused call has null for its parameters
    ],
)
def test_in_a_recorded_shape_what_is_bad_is_found_with_its_function(name: str, function: str | None) -> None:
    record = record_of(name)
    warned = varied(record, additionalEventData={"signatureStatus": "MISMATCH"}, errorCode=None)
    refused = varied(record, responseElements=None, errorCode="CodeVerificationFailedException")
    found = [deployment_of(looked_up(one, AT)) for one in (warned, refused)]
    call = record["eventName"]
    assert found == [
        DeploymentReading(function, AT, call, ("MISMATCH",), None),
        DeploymentReading(function, AT, call, (), "CodeVerificationFailedException"),
    ]


def test_the_one_recorded_status_stands_flat_and_says_valid_of_code_without_a_signature() -> None:
    record = recorded("PublishLayerVersion")
    assert record["additionalEventData"] == {"signatureStatus": "VALID"}
    # no signature of AWS Signer fits in so few bytes
    assert record["responseElements"]["content"]["codeSize"] == 174
