"""Drift remediation for real: the state machine is interpreted, its signed functions run as code, IAM is enforced.

What CloudFormation does here for ``REVERT_DRIFT`` is the local AWS's model of it, and proves nothing about AWS.
"""

import json

import pytest

from constructs_pkg.aws.accounts import MemberAccounts
from constructs_pkg.aws.clients import Clients
from constructs_pkg.aws.member_place import Pace
from constructs_pkg.cli import surveying
from constructs_pkg.cli.main import main
from constructs_pkg.testing.local_aws import LocalAws
from tests.local_aws.drift_story import (
    CLOSED,
    FILE,
    HOME,
    OTHER,
    PAYMENTS,
    SECURITY,
    SHOP,
    STACK_SET,
    DriftStory,
    add_a_topic_through_cloudformation,
    delete_the_config,
    deny_the_role,
    detach,
    make_a_config,
    make_and_delete_a_config,
    make_functions_without_config,
    switch_to_warn,
    take_the_forwarders_policy,
    trust_somebody_else,
    wait_for,
)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory):
    file = tmp_path_factory.mktemp("organization") / "organization.toml"
    file.write_text(FILE, "utf-8")
    # the states' waits take a hundredth of their time
    with LocalAws(organization=file, is_strict=True, environment={"SFN_WAIT_SCALE": "0.01"}) as aws:
        yield DriftStory(aws, file)


def test_the_auditor_that_the_rollout_makes_may_read_all_that_a_promotion_asks(
    story: DriftStory, tmp_path, monkeypatch, capsys
) -> None:
    for name, value in story.aws.environment(SECURITY, HOME).items():
        monkeypatch.setenv(name, value)
    # The local AWS takes any rate: nobody has to wait for a turn.
    unhurried = MemberAccounts(Clients(), str, HOME, pace=Pace(sleep=lambda _seconds: None))
    monkeypatch.setattr(surveying, "home", lambda: unhurried)
    file = tmp_path / "organization.toml"
    file.write_text(FILE.replace('mode = "Enforce"', 'mode = "Warn"'), "utf-8")
    code = main(["promote", "first", "--organization", str(file), "--format", "json"])
    answer = json.loads(capsys.readouterr().out)
    assert (answer["failures"], answer["gaps"]) == ([], [])
    assert [(place["account"], place["region"], place["complete"]) for place in answer["places"]] == [
        (account, region, True) for account in (SHOP, PAYMENTS, CLOSED) for region in (HOME, OTHER)
    ]
    assert (code, answer["verdict"], answer["obstructions"]) == (0, "ready", [])


def test_every_kind_of_drift_is_reverted_proposed_or_told_and_nothing_is_done_twice(story: DriftStory) -> None:
    story.tamper(
        switch_to_warn(SHOP, HOME),
        make_a_config(SHOP, HOME),
        trust_somebody_else(SHOP, OTHER),
        delete_the_config(PAYMENTS, HOME),
        make_functions_without_config(PAYMENTS, OTHER, "payments-api", "aws-controltower-notify"),
        deny_the_role(CLOSED),
    )
    started_twice_at_once_one_run_does_everything_once(story)
    a_run_that_is_killed_is_carried_on_by_the_next(story)
    a_call_in_a_member_account_starts_a_run_over_both_buses(story)
    what_would_delete_something_waits_for_a_human_who_approves(story)
    nothing_arrives_without_the_forwarders_right_or_against_the_policy_of_the_bus(story)


def started_twice_at_once_one_run_does_everything_once(story: DriftStory) -> None:
    outputs = [story.output(execution) for execution in [story.start(), story.start()]]
    (report,) = (output for output in outputs if "report_key" in output)
    (other,) = (output for output in outputs if "report_key" not in output)
    assert other["start"]["status"] == "BUSY"
    rows = story.rows(report)
    assert {place: row["outcome"] for place, row in rows.items()} == {
        (SHOP, HOME): "needs_human",  # the config that somebody made stays, and is told
        (SHOP, OTHER): "reverted",
        (PAYMENTS, HOME): "reverted",
        (PAYMENTS, OTHER): "reverted",
        (CLOSED, HOME): "unknown",
        (CLOSED, OTHER): "unknown",
    }
    assert [(finding["tier"], finding["kind"]) for finding in rows[SHOP, HOME]["findings"]] == [("unmanaged", "config")]
    (exempt,) = rows[PAYMENTS, OTHER]["findings"]
    assert (exempt["resource"], exempt["exemption"]["owner"]) == ("aws-controltower-notify", "platform@acme.example")
    assert "sts:AssumeRole" in rows[CLOSED, HOME]["explanation"] + str(rows[CLOSED, HOME]["findings"])
    everything_is_as_declared(story)
    places = [(SHOP, HOME), (SHOP, OTHER), (PAYMENTS, HOME), (PAYMENTS, OTHER)]
    assert [story.updates(*place) for place in places] == [1, 1, 1, 0]
    for form in ("md", "html"):
        key = report["report_key"].replace("json", form)
        text = story.s3.get_object(Bucket=report["bucket"], Key=key)["Body"].read().decode()
        assert all(account in text for account in (SHOP, PAYMENTS, CLOSED))


def a_run_that_is_killed_is_carried_on_by_the_next(story: DriftStory) -> None:
    story.tamper(switch_to_warn(SHOP, HOME), trust_somebody_else(SHOP, OTHER), switch_to_warn(PAYMENTS, HOME))
    before, runs = story.updates(SHOP, HOME), len(story.keys("repairs.json"))
    killed = story.start()
    wait_for(lambda: len(story.keys("repairs.json")) > runs)  # the repairs begin
    story.client("stepfunctions").stop_execution(executionArn=killed)
    report = story.output(story.start())
    outcomes = [row["outcome"] for place, row in story.rows(report).items() if place[0] != CLOSED]
    assert sorted(set(outcomes) - {"clean", "exempt", "reverted", "needs_human"}) == []
    everything_is_as_declared(story)
    assert story.updates(SHOP, HOME) == before + 1


def a_call_in_a_member_account_starts_a_run_over_both_buses(story: DriftStory) -> None:
    """The call, the member's rule and role, the central bus, the drift rule and its role, the state machine."""
    before = story.executions()
    story.listen(on=True)
    story.tamper(detach(PAYMENTS, OTHER, "payments-api"))
    (execution,) = story.executions() - before
    event = story.given_to(execution)
    detail = event["detail"]
    assert (event["source"], event["detail-type"]) == ("aws.lambda", "AWS API Call via CloudTrail")
    assert (
        (event["account"], event["region"]) == (detail["recipientAccountId"], detail["awsRegion"]) == (PAYMENTS, OTHER)
    )
    assert detail["eventName"] == "DeleteFunctionCodeSigningConfig"
    rows = story.rows(story.output(execution))
    assert {place: row["outcome"] for place, row in rows.items()} == {(PAYMENTS, OTHER): "reverted"}
    everything_is_as_declared(story)
    # the repair is a call in the member account, too: it comes the same way, and starts nothing
    (own,) = story.executions() - before - {execution}
    assert story.given_to(own)["detail"]["eventName"] == "PutFunctionCodeSigningConfig"
    assert story.output(own)["start"] == {
        "status": "IGNORED",
        "reason": "lambda:PutFunctionCodeSigningConfig was made by acme-drift-remediator: by us, or by StackSets",
    }
    story.listen(on=False)


def nothing_arrives_without_the_forwarders_right_or_against_the_policy_of_the_bus(story: DriftStory) -> None:
    story.listen(on=True)
    before = story.executions()
    story.tamper(take_the_forwarders_policy(SHOP, HOME), make_and_delete_a_config(SHOP, HOME))
    story.client("events").remove_permission(EventBusName="acme-code-signing", RemoveAllPermissions=True)
    story.tamper(make_and_delete_a_config(PAYMENTS, HOME))
    assert story.executions() == before


def what_would_delete_something_waits_for_a_human_who_approves(story: DriftStory) -> None:
    story.tamper(add_a_topic_through_cloudformation(SHOP, OTHER))
    topics = story.client("sns", SHOP, OTHER)
    execution = story.fire()  # what the schedule's own target starts
    assert story.given_to(execution) == {"kind": "schedule", "wave": STACK_SET}
    row = story.rows(story.output(execution))[SHOP, OTHER]
    assert row["outcome"] == "proposed", row
    assert len(topics.list_topics()["Topics"]) == 1
    proposal = row["proposal"]
    approval = {"kind": "approval", "run_id": proposal["run_id"], "account": SHOP, "region": OTHER}
    assert "there is no such proposal" in str(story.output(story.start({**approval, "digest": "0" * 64})))
    rows = story.rows(story.output(story.start({**approval, "digest": proposal["digest"]})))
    assert {place: one["outcome"] for place, one in rows.items()} == {(SHOP, OTHER): "reverted"}
    assert topics.list_topics()["Topics"] == []


def everything_is_as_declared(story: DriftStory) -> None:
    places = [(account, region) for account in (SHOP, PAYMENTS) for region in (HOME, OTHER)]
    assert {place: story.is_as_declared(*place) for place in places} == dict.fromkeys(places, True)
    attached = story.config(PAYMENTS, OTHER)["CodeSigningConfigArn"]
    assert story.config_of("payments-api", PAYMENTS, OTHER) == attached
    assert story.config_of("aws-controltower-notify", PAYMENTS, OTHER) is None


def test_functions_run_signed_code_under_a_config_that_enforces(story: DriftStory) -> None:
    functions = story.client("lambda")
    for name in ("acme-drift-repair", "acme-drift-report"):
        found = functions.get_function_configuration(FunctionName=name)
        assert "/acme_code_signing_g1/" in found["SigningProfileVersionArn"]
        config = functions.get_function_code_signing_config(FunctionName=name)["CodeSigningConfigArn"]
        policies = functions.get_code_signing_config(CodeSigningConfigArn=config)["CodeSigningConfig"]
        assert policies["CodeSigningPolicies"] == {"UntrustedArtifactOnDeployment": "Enforce"}
    assert {SECURITY} == {found["FunctionArn"].split(":")[4]}


def test_signatures_that_expire_are_looked_for_by_a_role_that_may_list_them(story: DriftStory) -> None:
    answer = story.client("lambda").invoke(FunctionName="acme-drift-expiry", Payload=b"{}")
    found = json.loads(answer["Payload"].read())
    assert (found["ExpiryChecks"], found["SignaturesExpiring"], found["not_active"]) == (1, 0, [])
