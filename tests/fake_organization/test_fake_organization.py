"""The fake organization answers in botocore's shapes, throttles, fails and lets time pass as it is told to."""

from datetime import timedelta

import pytest
from botocore.exceptions import ClientError, PaginationError, ParamValidationError

from constructs_pkg.testing.fake_organization import (
    ConfigRecord,
    EventRecord,
    FakeOrganization,
    FunctionRecord,
    LayerRecord,
    MetricRecord,
    Service,
    ServiceAnswer,
    SimulatedClock,
    SimulatedThreads,
)

ACCOUNT, OTHER, REGION, ROLE = "444444444401", "222222222222", "eu-west-1", "auditor"
PROFILE = "arn:aws:signer:eu-west-1:222222222222:/signing-profiles/acme_payments_g1/a1B2c3D4e5"
JOB = "arn:aws:signer:eu-west-1:222222222222:/signing-jobs/12345678-1234-1234-1234-123456789012"
CONFIG = f"arn:aws:lambda:{REGION}:{ACCOUNT}:code-signing-config:csc-0123456789abcdef0"
LAYER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:money:3"


@pytest.fixture
def organization() -> FakeOrganization:
    made = FakeOrganization(SimulatedClock())
    made.add_unit("ou-a1b2-00000001")
    made.add_account(ACCOUNT, "ou-a1b2-00000001", roles=[ROLE])
    made.add_account(OTHER)
    place = made.place(ACCOUNT, REGION)
    place.configs[CONFIG] = ConfigRecord(CONFIG, (PROFILE,), "Warn")
    place.layers[LAYER] = LayerRecord(LAYER, PROFILE, JOB)
    place.functions["charge"] = FunctionRecord(
        "charge", CONFIG, 0.0, PROFILE, JOB, layers=(LAYER,), versions=(("1", None, None),)
    )
    place.functions["import"] = FunctionRecord("import", None, 0.0, None, None)
    place.parameters["/a/b/arn"] = ("String", CONFIG)
    place.events.append(EventRecord("CreateFunction20150331", made.clock.now(), {"errorCode": "X"}))
    place.metrics.append(MetricRecord("E", (("FunctionName", "charge"),), [(made.clock.now(), 2.0)]))
    home = made.place(OTHER, REGION)
    home.jobs[JOB.rpartition("/")[2]] = {"status": "Succeeded", "profileName": "acme_payments_g1"}
    home.profiles["acme_payments_g1"] = {"profileVersion": "a1B2c3D4e5", "status": "Active"}
    return made


def code_of(caught) -> str:
    return caught.value.response["Error"]["Code"]


def test_every_operation_answers_in_the_shape_of_botocore(organization) -> None:
    member, home = organization.session(ACCOUNT), organization.session(OTHER)
    now = organization.clock.now()
    lambda_ = member.client("lambda", region_name=REGION)
    stat = {"Metric": {"Namespace": "AWS/Lambda", "MetricName": "E"}, "Period": 86400, "Stat": "Sum"}
    signer = home.client("signer")
    answers = [
        lambda_.list_functions(FunctionVersion="ALL")["Functions"],
        lambda_.list_code_signing_configs()["CodeSigningConfigs"],
        lambda_.list_functions_by_code_signing_config(CodeSigningConfigArn=CONFIG)["FunctionArns"],
        lambda_.list_layers()["Layers"],
        lambda_.list_layer_versions(LayerName="money")["LayerVersions"],
        member.client("cloudtrail").lookup_events()["Events"],
        member.client("cloudwatch").list_metrics()["Metrics"],
        member.client("cloudwatch").get_metric_data(
            MetricDataQueries=[{"Id": "q", "MetricStat": stat}], StartTime=now, EndTime=now
        )["MetricDataResults"],
        member.client("ssm").get_parameters_by_path(Path="/a", Recursive=True)["Parameters"],
        home.client("organizations").list_accounts_for_parent(ParentId="ou-a1b2-00000001")["Accounts"],
        home.client("organizations").list_organizational_units_for_parent(ParentId="r-root")["OrganizationalUnits"],
    ]
    assert [len(answer) for answer in answers] == [3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    assert lambda_.get_function_code_signing_config(FunctionName="charge")["CodeSigningConfigArn"] == CONFIG
    assert lambda_.get_function_code_signing_config(FunctionName="import")["CodeSigningConfigArn"] == ""
    assert lambda_.get_code_signing_config(CodeSigningConfigArn=CONFIG)["CodeSigningConfig"]["CodeSigningPolicies"]
    assert lambda_.get_layer_version_by_arn(Arn=LAYER)["Content"]["SigningJobArn"] == JOB
    assert home.client("sts").get_caller_identity()["Account"] == OTHER
    signer.revoke_signature(jobId=JOB.rpartition("/")[2], reason="leaked")
    assert signer.describe_signing_job(jobId=JOB.rpartition("/")[2])["revocationRecord"]["reason"] == "leaked"
    signer.revoke_signing_profile(
        profileName="acme_payments_g1", profileVersion="a1B2c3D4e5", reason="leaked", effectiveTime=now
    )
    assert signer.get_signing_profile(profileName="acme_payments_g1")["status"] == "Revoked"


def test_an_answer_that_botocore_does_not_know_is_refused(organization) -> None:
    class Wrong(Service):
        def get_parameters_by_path(self, **_parameters):
            return {"Parameters": [{"Name": 7}]}

    organization.serve("ssm", Wrong)
    with pytest.raises(ParamValidationError):
        organization.session(ACCOUNT).client("ssm").get_parameters_by_path(Path="/a")
    with pytest.raises(ParamValidationError):
        organization.session(ACCOUNT).client("lambda").get_layer_version_by_arn(Arn=7)


def test_what_the_fake_does_not_serve_is_no_method(organization) -> None:
    with pytest.raises(AttributeError, match=r"no lambda\.delete_function"):
        organization.session(ACCOUNT).client("lambda").delete_function(FunctionName="charge")
    with pytest.raises(AttributeError, match="no service 'kms'"):
        organization.session(ACCOUNT).client("kms")


def test_an_assumed_role_works_until_it_expires_and_only_where_the_account_has_it(organization) -> None:
    sts = organization.session(OTHER).client("sts")
    arn = f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"
    given = sts.assume_role(RoleArn=arn, RoleSessionName="session", DurationSeconds=900)["Credentials"]
    member = organization.session_of(given).client("sts")
    assert member.get_caller_identity()["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/session"
    organization.clock.sleep(900)
    with pytest.raises(ClientError) as caught:
        member.get_caller_identity()
    assert code_of(caught) == "ExpiredTokenException"
    for refused in (f"arn:aws:iam::{OTHER}:role/{ROLE}", "arn:aws:iam::999999999999:role/auditor"):
        with pytest.raises(ClientError) as caught:
            sts.assume_role(RoleArn=refused, RoleSessionName="session")
        assert code_of(caught) == "AccessDenied"


def test_lambda_answers_fifteen_requests_a_second_in_each_account_and_region(organization) -> None:
    lambda_ = organization.session(ACCOUNT).client("lambda", region_name=REGION)
    for _ in range(15):
        lambda_.list_functions()
    with pytest.raises(ClientError) as caught:
        lambda_.list_layers()
    assert code_of(caught) == "TooManyRequestsException"
    organization.session(ACCOUNT).client("lambda", region_name="us-east-1").list_functions()
    organization.clock.sleep(1)
    lambda_.list_functions()


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (lambda faults: faults.regions_off.add((ACCOUNT, REGION)), "UnrecognizedClientException"),
        (lambda faults: faults.closed_accounts.add(ACCOUNT), "UnrecognizedClientException"),
        (lambda faults: faults.denied_actions.add((ACCOUNT, "lambda:ListFunctions")), "AccessDeniedException"),
        (lambda faults: faults.throttled.update({(ACCOUNT, REGION, "lambda:ListFunctions"): 1}), "TooManyRequests"),
        (
            lambda faults: faults.failing.update(
                {(ACCOUNT, REGION, "lambda:ListFunctions"): ServiceAnswer("ServiceException", "broken", 500)}
            ),
            "ServiceException",
        ),
    ],
)
def test_a_fault_is_answered_with_its_error(organization, fault, code) -> None:
    fault(organization.faults)
    with pytest.raises(ClientError) as caught:
        organization.session(ACCOUNT).client("lambda").list_functions()
    assert code_of(caught).startswith(code)


def test_pages_go_on_repeat_and_never_end(organization) -> None:
    for number in range(70):
        organization.place(ACCOUNT, REGION).functions[f"f{number}"] = FunctionRecord(f"f{number}", None, 0, None, None)
    paginator = organization.session(ACCOUNT).client("lambda").get_paginator("list_functions")
    names = [one["FunctionName"] for page in paginator.paginate() for one in page["Functions"]]
    assert len(names) == len(set(names)) == 72
    organization.faults.repeated_pages.add("lambda:ListFunctions")
    names = [one["FunctionName"] for page in paginator.paginate() for one in page["Functions"]]
    assert (len(names), len(set(names))) == (144, 72)
    organization.faults.endless_pages.add("lambda:ListFunctions")
    with pytest.raises(PaginationError):
        list(paginator.paginate())


def test_listings_lag_behind_as_told(organization) -> None:
    organization.faults.config_lag_seconds = organization.faults.event_lag_seconds = 60
    lambda_, trail = (organization.session(ACCOUNT).client(name) for name in ("lambda", "cloudtrail"))
    assert lambda_.list_functions_by_code_signing_config(CodeSigningConfigArn=CONFIG)["FunctionArns"] == []
    assert lambda_.get_function_code_signing_config(FunctionName="charge")["CodeSigningConfigArn"] == CONFIG
    assert trail.lookup_events()["Events"] == []
    organization.clock.sleep(60)
    assert lambda_.list_functions_by_code_signing_config(CodeSigningConfigArn=CONFIG)["FunctionArns"] != []
    assert len(trail.lookup_events()["Events"]) == 1


def test_threads_wait_at_the_same_time_and_the_time_is_that_of_the_longest_row() -> None:
    clock = SimulatedClock()
    begin = clock.now()
    with SimulatedThreads(clock, 3) as threads:
        ends = list(threads.map(lambda seconds: clock.sleep(seconds) or clock.monotonic(), [10, 10, 10, 5, 5, 20]))
    assert ends == [10, 10, 10, 15, 15, 30]
    assert clock.now() == begin + timedelta(seconds=30)
