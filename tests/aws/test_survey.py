"""Every account is read or told of; faults stay where they are; a run that was ended goes on where it was."""

import sqlite3
from datetime import timedelta

import pytest

from constructs_pkg.aws.accounts import ListedAccount, accounts_of_units, all_accounts
from constructs_pkg.aws.clients import Clients
from constructs_pkg.aws.inventory import Wanted
from constructs_pkg.aws.survey import Judged, Survey
from constructs_pkg.aws.survey_state import SurveyState
from constructs_pkg.errors import AwsError, FileAccessError
from constructs_pkg.inventory.readings import Failure, FailureKind
from constructs_pkg.testing.fake_organization import ServiceAnswer
from tests.aws.estate import AT, DEVELOPMENT, REGIONS, ROLE, SANDBOX, SECURITY, Estate

QUESTION = {"organization": "o-a1b2c3d4e5", "wanted": "everything"}


@pytest.fixture
def estate() -> Estate:
    made = Estate()
    made.function("payments-charge")
    return made


def survey(estate, **more):
    accounts = more.pop("accounts", estate.accounts)
    return Survey(estate.members, accounts, REGIONS, Wanted(deployment_days=14), lambda reading: reading, **more)


def outcome(results):
    """Return the places that were read, and the failures as (account, Region, kind)."""
    results = list(results)
    read = sorted(str(one.place) for one in results if isinstance(one, Judged))
    return read, [(one.account, one.region, one.kind) for one in results if isinstance(one, Failure)]


ALL = sorted(f"{account}/{region}" for account in (SANDBOX, DEVELOPMENT) for region in REGIONS)


def test_every_place_is_read_with_one_role_an_account(estate) -> None:
    done = []
    assert outcome(survey(estate, on_account=lambda: done.append(1)).results()) == (ALL, [])
    assert (len(done), estate.aws.calls["sts:AssumeRole"]) == (2, 2)


@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        (lambda faults: faults.denied_roles.add((SANDBOX, ROLE)), (SANDBOX, None, FailureKind.DENIED)),
        (lambda faults: faults.closed_accounts.add(SANDBOX), (SANDBOX, None, FailureKind.DENIED)),
        (lambda faults: faults.regions_off.add((SANDBOX, "us-east-1")), (SANDBOX, "us-east-1", FailureKind.REGION_OFF)),
        (
            lambda faults: faults.throttled.update({(SANDBOX, "us-east-1", "lambda:ListFunctions"): 10**6}),
            (SANDBOX, "us-east-1", FailureKind.THROTTLED),
        ),
        (
            lambda faults: faults.denied_actions.add((SANDBOX, "lambda:ListFunctions")),
            (SANDBOX, "eu-west-1", FailureKind.DENIED),
        ),
        (
            lambda faults: faults.failing.update(
                {(SANDBOX, "eu-central-1", "lambda:ListFunctions"): ServiceAnswer("Odd", "odd")}
            ),
            (SANDBOX, "eu-central-1", FailureKind.FAILED),
        ),
    ],
)
def test_a_fault_is_told_of_its_account_and_the_rest_goes_on(estate, fault, failure) -> None:
    fault(estate.aws.faults)
    read, failures = outcome(survey(estate).results())
    assert failure in failures
    assert {account for account, _, _ in failures} == {SANDBOX}
    assert [place for place in ALL if place.startswith(DEVELOPMENT)] == [
        place for place in read if place.startswith(DEVELOPMENT)
    ]
    expected = {f"{account}/{region}" for account, region, _ in failures}
    assert not expected & set(read)


def test_an_account_that_organizations_calls_closed_is_not_asked(estate) -> None:
    closed = [ListedAccount(SANDBOX, is_open=False), ListedAccount(DEVELOPMENT)]
    _, failures = outcome(survey(estate, accounts=closed).results())
    assert failures == [(SANDBOX, None, FailureKind.ACCOUNT_CLOSED)]
    assert estate.aws.calls["sts:AssumeRole"] == 1


def test_credentials_of_the_caller_that_are_not_valid_are_no_region_that_is_off(estate) -> None:
    key = (SECURITY, "eu-west-1", "sts:AssumeRole")
    estate.aws.faults.failing[key] = ServiceAnswer("InvalidClientTokenId", "no", 403)
    _, failures = outcome(survey(estate).results())
    assert {(region, kind) for _, region, kind in failures} == {(None, FailureKind.FAILED)}


def state(path, *, resume, at=AT, question=QUESTION):
    return SurveyState(path, question, resume=resume, at=at)


def test_a_run_goes_on_where_another_ended_and_tries_failures_again(estate, tmp_path) -> None:
    path = tmp_path / "state"
    estate.aws.faults.regions_off.add((SANDBOX, "us-east-1"))
    estate.aws.faults.denied_actions.add((DEVELOPMENT, "cloudtrail:LookupEvents"))  # a gap
    with state(path, resume=False) as kept:
        first = list(survey(estate, state=kept).results())
    assert path.stat().st_mode & 0o777 == 0o600
    estate.aws.faults.regions_off.clear()
    estate.aws.faults.denied_actions.clear()
    estate.aws.calls.clear()
    with state(path, resume=True) as kept:
        second = list(survey(estate, state=kept).results())
    assert outcome(second) == (ALL, [])
    assert second[:2] == first[:2]  # read once
    assert estate.aws.calls["lambda:ListFunctions"] == 4  # one Region of the first account, three with a gap
    estate.aws.calls.clear()
    with state(path, resume=True) as kept:
        assert list(survey(estate, state=kept).results()) == second
    assert not estate.aws.calls


def test_a_reading_is_too_old_after_a_day(estate, tmp_path) -> None:
    with state(tmp_path / "state", resume=False) as kept:
        list(survey(estate, state=kept).results())
    estate.aws.calls.clear()
    with state(tmp_path / "state", resume=True, at=AT + timedelta(days=1, minutes=10)) as kept:
        list(survey(estate, state=kept).results())
    assert estate.aws.calls["lambda:ListFunctions"] == 6


def test_a_state_of_something_else_is_refused(tmp_path) -> None:
    path = tmp_path / "state"
    with state(path, resume=False):
        pass
    with pytest.raises(FileAccessError, match=r"exists already\. Go on from it with --resume"):
        state(path, resume=False)
    with pytest.raises(FileAccessError, match="holds what another command, other options or another organization"):
        state(path, resume=True, question={"organization": "o-other"})
    (tmp_path / "text").write_text("no database" * 100)
    with pytest.raises(FileAccessError, match="is no state of a survey"):
        state(tmp_path / "text", resume=True)
    with sqlite3.connect(tmp_path / "others") as connection:
        connection.execute("CREATE TABLE customers (name TEXT)")
    connection.close()
    with pytest.raises(FileAccessError, match="is a database of something else"):
        state(tmp_path / "others", resume=True)
    with pytest.raises(FileAccessError, match=r"cannot be opened: No such file or directory\. Check the path$"):
        state(tmp_path / "missing" / "state", resume=False)


def test_a_reading_that_somebody_changed_is_refused(estate, tmp_path) -> None:
    path = tmp_path / "state"
    with state(path, resume=False) as kept:
        list(survey(estate, state=kept).results())
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE readings SET reading = '{}'")
    connection.close()
    with state(path, resume=True) as kept, pytest.raises(FileAccessError, match="broken"):
        list(survey(estate, state=kept).results())


def test_accounts_of_units_are_those_below_them_too(estate) -> None:
    estate.aws.add_unit("ou-a1b2-0000000a", "ou-a1b2-00000001")
    estate.aws.add_account("444444444409", "ou-a1b2-0000000a")
    for number in range(25):
        estate.aws.add_account(f"5555555555{number:02}", "ou-a1b2-00000001")
    estate.aws.faults.closed_accounts.add("444444444409")
    home = Clients(estate.aws.session(SECURITY))
    found = accounts_of_units(home, ["ou-a1b2-00000001"], "eu-west-1", estate.pace)
    assert [one.account for one in found if one.account.startswith("4")] == [SANDBOX, "444444444409"]
    assert (len(found), [one.account for one in found if not one.is_open]) == (27, ["444444444409"])
    assert len(all_accounts(home, "eu-west-1", estate.pace)) == 29
    with pytest.raises(AwsError, match="ParentNotFoundException"):
        accounts_of_units(home, ["ou-a1b2-9999999z"], "eu-west-1", estate.pace)


def test_who_stops_listening_waits_for_the_region_that_is_being_read_and_no_other(estate) -> None:
    def judge(reading) -> None:
        if reading.place.account == DEVELOPMENT:
            stopped._is_over.wait(10)

    stopped = Survey(estate.members, estate.accounts, REGIONS, Wanted(), judge, workers=1)
    results = stopped.results()
    next(results)
    results.close()
    assert estate.aws.calls["lambda:ListFunctions"] == 4  # the first account, and one Region of the second


def test_what_was_read_outlives_a_process_that_is_killed(estate, tmp_path) -> None:
    killed = state(tmp_path / "state", resume=False)
    first_two = survey(estate, state=killed, workers=1, accounts=estate.accounts[:1])
    assert len(list(first_two.results())) == 3
    estate.aws.calls.clear()
    with state(tmp_path / "state", resume=True) as kept:  # the other was never closed
        assert outcome(survey(estate, state=kept).results()) == (ALL, [])
    assert estate.aws.calls["lambda:ListFunctions"] == 3
    killed.__exit__(None, None, None)
