"""One account and Region is read wholly, and what cannot be read is a gap or an error, never nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest
from botocore.exceptions import EndpointConnectionError

from constructs_pkg.aws.deployments import deployment_of, errors_of
from constructs_pkg.aws.inventory import Wanted, read_place
from constructs_pkg.aws.member_place import kind_of
from constructs_pkg.errors import AwsError
from constructs_pkg.inventory.readings import (
    ConfigReading,
    DeploymentReading,
    FailureKind,
    FunctionReading,
    MetricReading,
    Part,
    Place,
    Signature,
)
from constructs_pkg.testing.fake_organization import RATES, ServiceAnswer
from constructs_pkg.testing.fake_organization.lambda_service import LambdaService
from tests.aws.estate import APPLICATIONS, AT, PAYMENTS, ROLE, SANDBOX, SECURITY, STRANGER, VENDOR, Estate, job

HERE = (SANDBOX, "eu-west-1")


@pytest.fixture
def estate() -> Estate:
    return Estate()


def read(estate, *, versions=False, days=14, layers=False, region="eu-west-1"):
    place = estate.members.place(SANDBOX, region)
    return read_place(place, Wanted(versions=versions, deployment_days=days, published_layers=layers), AT)


def test_everything_of_a_place_is_read(estate) -> None:
    config = estate.approved(*HERE, "payments")
    signed, unsigned = estate.layer("money", VENDOR, job_arn=job(900)), estate.layer("old", None)
    estate.function("payments-charge", job=job(901), layers=(signed, unsigned), versions=(("1", STRANGER, job(902)),))
    estate.function("loose", config="none", signer=None, package_type="Image")
    estate.deployment("payments-charge", "MISMATCH", AT - timedelta(days=1))
    estate.deployment("payments-charge", "VALID", AT - timedelta(hours=1))
    estate.deployment("payments-charge", "EXPIRED", AT - timedelta(days=15))
    estate.counted({"FunctionName": "payments-charge"}, 2.0, AT - timedelta(days=1))
    reading = read(estate, versions=True, layers=True)
    layers = ((signed, Signature(VENDOR, job(900))), (unsigned, Signature()))
    latest = FunctionReading("payments-charge", "$LATEST", False, config, Signature(PAYMENTS, job(901)), layers)
    assert (reading.place, reading.at, reading.gaps) == (Place(*HERE), AT, ())
    assert reading.functions == (
        latest,
        replace(latest, version="1", code=Signature(STRANGER, job(902))),
        FunctionReading("loose", "$LATEST", True, None, Signature(), ()),
    )
    assert reading.latest_functions == (reading.functions[0], reading.functions[2])
    assert ConfigReading(config, "Warn", (PAYMENTS, VENDOR)) in reading.configs
    assert len(reading.configs) == len(APPLICATIONS)
    assert dict(reading.approved)["payments"] == config
    assert reading.deployments == (
        DeploymentReading(
            "payments-charge", AT - timedelta(days=1), "UpdateFunctionCode20150331v2", ("MISMATCH",), None
        ),
    )
    assert reading.errors == (MetricReading("payments-charge", 2),)
    assert reading.published_layers == layers


def test_what_is_not_wanted_is_not_asked(estate) -> None:
    estate.function("payments-charge")
    reading = read(estate, days=0)
    assert (reading.deployments, reading.errors, reading.gaps) == ((), (), ())
    assert {name for name in estate.aws.calls if not name.startswith(("lambda", "ssm"))} == {"sts:AssumeRole"}


def test_a_function_that_listings_do_not_know_yet_is_asked_for(estate) -> None:
    estate.aws.faults.config_lag_seconds = 3600
    estate.function("payments-charge")
    estate.function("bare", config="none")
    reading = read(estate, days=0)
    assert {one.name: one.config_arn for one in reading.functions} == {
        "payments-charge": estate.approved(*HERE, "payments"),
        "bare": None,
    }
    assert estate.aws.calls["lambda:GetFunctionCodeSigningConfig"] == 2


def test_a_config_of_another_account_stays_without_publishers(estate) -> None:
    foreign = "arn:aws:lambda:eu-west-1:999999999999:code-signing-config:csc-99999999999999999"
    estate.function("payments-charge", config=foreign)
    reading = read(estate, days=0)
    assert (reading.functions[0].config_arn, reading.gaps) == (foreign, ())
    assert foreign not in {config.arn for config in reading.configs}


@pytest.mark.parametrize(
    ("answer", "functions", "parts"),
    [
        ("ResourceNotFoundException", [], set()),  # deleted since it was listed
        ("CodeSigningConfigNotFoundException", [("bare", None)], set()),
        ("AccessDeniedException", [("bare", None)], {Part.CONFIGS}),
    ],
)
def test_a_function_that_changes_meanwhile_is_neither_lost_nor_made_up(estate, answer, functions, parts) -> None:
    class Racing(LambdaService):
        def get_function_code_signing_config(self, **_parameters):
            raise ServiceAnswer(answer, "meanwhile")

    estate.function("bare", config="none")
    estate.aws.serve("lambda", Racing)
    reading = read(estate, days=0)
    assert [(one.name, one.config_arn) for one in reading.functions] == functions
    assert reading.unknown == parts


@pytest.mark.parametrize(("answer", "parts"), [("ResourceNotFoundException", set()), ("Odd", {Part.CONFIGS})])
def test_a_config_that_is_deleted_meanwhile_holds_no_function(estate, answer, parts) -> None:
    class Racing(LambdaService):
        def list_functions_by_code_signing_config(self, **_parameters):
            raise ServiceAnswer(answer, "meanwhile")

    estate.function("payments-charge")
    estate.aws.serve("lambda", Racing)
    reading = read(estate, days=0)
    assert (len(reading.functions), reading.unknown) == (1, parts)


def test_a_config_that_cannot_be_read_now_is_a_gap_not_a_config_without_publishers(estate) -> None:
    foreign = "arn:aws:lambda:eu-west-1:999999999999:code-signing-config:csc-99999999999999999"
    estate.function("payments-charge", config=foreign)
    estate.aws.faults.failing[SANDBOX, "eu-west-1", "lambda:GetCodeSigningConfig"] = ServiceAnswer("Odd", "odd")
    assert read(estate, days=0).unknown == {Part.CONFIGS}


def test_calls_grow_with_pages_not_with_functions(estate) -> None:
    calls = []
    for number in range(100):
        estate.function(f"payments-{number}")
        if number in {49, 99}:
            estate.aws.calls.clear()
            assert len(read(estate).functions) == number + 1
            calls.append(estate.aws.calls.total())
    assert calls[1] - calls[0] == 2  # one more page of functions, one more of those under their config


@pytest.mark.parametrize(
    ("fault", "parts"),
    [
        ("cloudtrail:LookupEvents", {Part.DEPLOYMENTS}),
        ("cloudwatch:ListMetrics", {Part.ERRORS}),
        ("ssm:GetParametersByPath", {Part.APPROVED}),
        ("lambda:ListCodeSigningConfigs", {Part.CONFIGS}),
        ("lambda:ListFunctionsByCodeSigningConfig", {Part.CONFIGS}),
        ("lambda:GetLayerVersionByArn", {Part.LAYERS}),
    ],
)
def test_a_part_that_is_refused_is_a_gap_and_the_rest_is_read(estate, fault, parts) -> None:
    estate.function("payments-charge", layers=(estate.layer("money", VENDOR),))
    estate.aws.faults.denied_actions.add((SANDBOX, fault))
    reading = read(estate, layers=True)
    assert reading.unknown == parts
    assert [gap.kind for gap in reading.gaps] == [FailureKind.DENIED]
    assert SANDBOX in reading.gaps[0].message
    assert len(reading.functions) == 1


def test_metrics_that_stay_partial_are_a_gap(estate) -> None:
    estate.counted({"FunctionName": "payments-charge"}, 2.0, AT - timedelta(days=1))
    estate.aws.faults.partial_metrics.add(SANDBOX)
    reading = read(estate)
    assert (reading.errors, reading.unknown) == ((), {Part.ERRORS})
    assert "PartialData" in reading.gaps[0].message


def test_without_the_functions_there_is_no_reading(estate) -> None:
    estate.aws.faults.denied_actions.add((SANDBOX, "lambda:ListFunctions"))
    with pytest.raises(AwsError, match=f"cannot list functions .* in {SANDBOX}/eu-west-1"):
        read(estate)


def test_a_function_is_told_once_when_pages_repeat_and_an_endless_listing_is_an_error(estate) -> None:
    estate.function("payments-charge")
    estate.aws.faults.repeated_pages.add("lambda:ListFunctions")
    assert len(read(estate).functions) == 1
    estate.aws.faults.endless_pages.add("lambda:ListFunctions")
    with pytest.raises(AwsError, match="does not end"):
        read(estate)


def test_throttling_is_sat_out_and_the_rate_is_kept(estate) -> None:
    for number in range(60):
        estate.function(f"payments-{number}", config="none")
    estate.aws.faults.throttled[SANDBOX, "eu-west-1", "lambda:ListFunctions"] = 3
    reading = read(estate, days=0)
    assert len(reading.functions) == 60
    assert estate.aws.calls["lambda:ListFunctions"] == 5  # two pages, three refusals
    assert estate.aws.calls["lambda:GetFunctionCodeSigningConfig"] == 60  # none of them throttled: nothing was repeated
    lambda_calls = sum(count for name, count in estate.aws.calls.items() if name.startswith("lambda:"))
    assert estate.clock.monotonic() >= lambda_calls / RATES["lambda"]


def test_throttling_that_does_not_end_is_an_error_after_some_minutes(estate) -> None:
    estate.aws.faults.throttled[SANDBOX, "eu-west-1", "lambda:ListFunctions"] = 10**6
    with pytest.raises(AwsError, match="TooManyRequestsException") as caught:
        read(estate)
    assert caught.value.code == "TooManyRequestsException"
    assert estate.aws.calls["lambda:ListFunctions"] == 8
    assert 30 < estate.clock.monotonic() < 120


@pytest.mark.parametrize(("failures", "calls"), [(2, 3), (3, 3)])
def test_a_service_that_is_not_reached_is_tried_thrice(estate, failures, calls) -> None:
    tries = iter(range(failures))

    class Far(LambdaService):
        def list_functions(self, **parameters):
            if next(tries, None) is not None:
                raise EndpointConnectionError(endpoint_url="https://lambda.invalid")
            return super().list_functions(**parameters)

    estate.aws.serve("lambda", Far)
    place = estate.members.place(SANDBOX, "eu-west-1")
    if failures < calls:
        assert place.call("lambda", "list_functions")["Functions"] == []
    else:
        with pytest.raises(AwsError) as caught:
            place.call("lambda", "list_functions")
        assert kind_of(caught.value.code) is FailureKind.UNREACHABLE
    assert estate.aws.calls["lambda:ListFunctions"] == calls


def test_credentials_that_expire_are_renewed_before_and_after(estate) -> None:
    members = estate.members
    place = members.place(SANDBOX, "eu-west-1")
    place.call("lambda", "list_functions")
    estate.clock.sleep(3100)
    place.call("lambda", "list_functions")
    assert estate.aws.calls["sts:AssumeRole"] == 2  # ten minutes before the end
    key = (SANDBOX, "eu-west-1", "lambda:ListFunctions")
    estate.aws.faults.failing[key] = ServiceAnswer("ExpiredTokenException", "expired", 403)
    with pytest.raises(AwsError, match="ExpiredToken"):
        place.call("lambda", "list_functions")
    assert estate.aws.calls["sts:AssumeRole"] == 3  # once more; then it is an error
    assert estate.aws.calls["lambda:ListFunctions"] == 4


def test_the_own_account_is_read_without_a_role(estate) -> None:
    estate.members.place(SECURITY, "eu-west-1").call("lambda", "list_functions")
    assert "sts:AssumeRole" not in estate.aws.calls


def test_a_role_that_is_refused_is_named(estate) -> None:
    estate.aws.faults.denied_roles.add((SANDBOX, ROLE))
    with pytest.raises(
        AwsError, match=rf"cannot assume arn:aws:iam::{SANDBOX}:role/{ROLE}: .*trusts the security"
    ) as no:
        estate.members.clients(SANDBOX)
    assert no.value.code == "AccessDenied"


def event(record, name="UpdateFunctionCode20150331v2"):
    return {"EventId": "e-1", "EventName": name, "EventTime": AT, "CloudTrailEvent": record}


@pytest.mark.parametrize(
    ("record", "function", "statuses", "error"),
    [
        (
            '{"requestParameters": {"functionName": "f"}, "x": [{"signatureStatus": "REVOKED"}]}',
            "f",
            ("REVOKED",),
            None,
        ),
        ('{"requestParameters": {"functionName": "1:function:f"}, "signatureStatus": "NEW"}', "f", ("NEW",), None),
        (
            '{"requestParameters": {"functionName": "1:function:f:2"}, "errorCode": "CodeVerificationFailedException"}',
            "f",
            (),
            "CodeVerificationFailedException",
        ),
        ('{"requestParameters": null, "signatureStatus": ["EXPIRED"]}', None, ('["EXPIRED"]',), None),
    ],
)
def test_a_deployment_that_is_not_valid_is_found_wherever_its_status_stands(record, function, statuses, error) -> None:
    expected = DeploymentReading(function, AT, "UpdateFunctionCode20150331v2", statuses, error)
    assert deployment_of(event(record)) == expected


@pytest.mark.parametrize(
    "record",
    ['{"signatureStatus": "VALID"}', "{}", '{"errorCode": "AccessDenied"}'],
)
def test_a_deployment_that_says_nothing_bad_is_left_out(record) -> None:
    assert deployment_of(event(record)) is None


@pytest.mark.parametrize("record", ["no json", "[]", "[" * 100_000])
def test_a_record_that_cannot_be_read_is_an_error_not_a_valid_deployment(record) -> None:
    with pytest.raises(AwsError, match="e-1"):
        deployment_of(event(record))


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        ([], ()),
        ([({"FunctionName": "f"}, 0.0)], ()),
        ([({"FunctionName": "f"}, 2.0), ({"FunctionName": "f", "Resource": "f:1"}, 3.0)], (MetricReading("f", 3),)),
        ([({}, 3.0), ({"FunctionName": "f"}, 3.0)], (MetricReading("f", 3),)),
        ([({}, 3.0), ({"FunctionName": "f"}, 1.0)], (MetricReading("f", 1), MetricReading(None, 2))),
        ([({}, 3.0), ({"Other": "x"}, 1.0)], (MetricReading(None, 3),)),
    ],
)
def test_what_is_counted_is_told_once_whatever_its_dimensions(metrics, expected) -> None:
    told = [
        ({"Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()]}, total)
        for dimensions, total in metrics
    ]
    assert errors_of(told) == expected
