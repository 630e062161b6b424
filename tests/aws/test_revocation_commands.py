"""blast-radius and revoke as their user runs them: what is reached, asked, written down and done."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from botocore.exceptions import ReadTimeoutError

from constructs_pkg.cli import surveying
from constructs_pkg.testing.fake_organization import ServiceAnswer
from constructs_pkg.testing.fake_organization.signer import SignerService
from tests.aws.estate import CHECKOUT, DEVELOPMENT, PAYMENTS, ROLE, SANDBOX, SECURITY, VENDOR, Estate, job

JOB = job(777)
HERE = (SANDBOX, "eu-west-1")
EFFECTIVE = ("--effective-time", "2026-11-01T00:00:00Z")


@pytest.fixture
def estate(monkeypatch) -> Estate:
    made = Estate()
    monkeypatch.setattr(surveying, "home", lambda: made.members)
    place = made.aws.place(SECURITY, "eu-west-1")
    place.jobs[JOB.rpartition("/")[2]] = {
        "status": "Succeeded",
        "jobOwner": SECURITY,
        "profileName": "acme_payments_g2",
        "profileVersion": "a1B2c3D4e5",
        "completedAt": datetime(2026, 11, 1, tzinfo=UTC),
        "signatureExpiresAt": datetime(2027, 11, 1, tzinfo=UTC),
    }
    place.profiles["acme_payments_g2"] = {"profileVersion": "a1B2c3D4e5", "status": "Active"}
    enforcing = made.config(*HERE, [PAYMENTS, CHECKOUT], "Enforce")
    layer = made.layer("money", PAYMENTS, job_arn=JOB)
    made.layer("spare", PAYMENTS, job_arn=JOB)
    made.function("payments-warned", job=JOB)
    made.function(
        "payments-enforced", job=JOB, config=enforcing, versions=(("3", PAYMENTS, JOB), ("4", PAYMENTS, job(1)))
    )
    made.function("basket-view", application="checkout", signer=CHECKOUT, layers=(layer,))
    made.function("payments-bare", job=JOB, config="none", at=(DEVELOPMENT, "us-east-1"))
    made.function("payments-other", job=job(2), at=(DEVELOPMENT, "eu-west-1"))
    return made


def effects(ran):
    return sorted(
        (one["function"], one["version"], one["artifact"][:4], one["effect"]) for one in ran.json["functions"]
    )


def test_everything_that_a_job_signed_is_found_with_what_would_become_of_it(estate, run_here) -> None:
    ran = run_here("blast-radius", "--job", JOB, "--format", "json")
    assert (ran.code, ran.json["complete"], ran.err) == (1, True, "")
    assert effects(ran) == [
        ("basket-view", "$LATEST", "arn:", "warned_at_next_deployment"),
        ("payments-bare", "$LATEST", "code", "never_checked"),
        ("payments-enforced", "$LATEST", "code", "refused_at_next_deployment"),
        ("payments-enforced", "3", "code", "published_version_runs_on"),
        ("payments-warned", "$LATEST", "code", "warned_at_next_deployment"),
    ]
    assert [one["arn"].split(":")[6] for one in ran.json["layers"]] == ["money"]
    assert ran.json["signer"] == {
        "known": True,
        "status": "Succeeded",
        "profile_version_arn": PAYMENTS,
        "signed_at": "2026-11-01T00:00:00Z",
        "expires_at": "2027-11-01T00:00:00Z",
        "revoked_at": None,
        "revoked_from": None,
    }
    assert len(ran.json["configs"]) == 7  # the payments config of each account and Region, and the enforcing one
    text = run_here("blast-radius", "--job", JOB)
    assert "5 functions and versions run code or layers signed by it, 1 of them would be refused" in text.out
    assert (
        f"AWS Signer: Succeeded, signed at 2026-11-01T00:00:00Z, expires at 2027-11-01T00:00:00Z\nPublisher: {PAYMENTS}"
        in text.out
    )
    assert "Layer versions that no function uses were not looked at" in text.out
    assert estate.aws.calls["lambda:GetLayerVersionByArn"] == 0


def test_layers_that_nobody_uses_are_found_when_asked_for(estate, run_here) -> None:
    ran = run_here("blast-radius", "--job", JOB, "--published-layers", "--format", "json")
    assert [one["arn"].split(":")[6] for one in ran.json["layers"]] == ["money", "spare"]
    estate.aws.faults.denied_actions.add((SANDBOX, "lambda:GetLayerVersionByArn"))
    ran = run_here("blast-radius", "--job", JOB, "--published-layers", "--format", "json")
    assert (ran.code, ran.json["gaps"][0]["part"]) == (3, "published_layers")


@pytest.mark.usefixtures("estate")
def test_a_profile_version_reaches_all_of_its_jobs(run_here) -> None:
    ran = run_here("blast-radius", "--profile-version", PAYMENTS, "--format", "json")
    assert (ran.code, len(ran.json["functions"]), ran.json["numbers"]["configs"]) == (1, 7, 7)
    assert ran.json["signer"]["status"] == "Active"


@pytest.mark.usefixtures("estate")
def test_what_signer_does_not_tell_is_said(run_here) -> None:
    vendor = run_here("blast-radius", "--profile-version", VENDOR, "--format", "json")
    assert (vendor.code, vendor.json["signer"]["known"]) == (0, False)
    former = PAYMENTS.replace("a1B2c3D4e5", "zzzzzzzzzz")
    ran = run_here("blast-radius", "--profile-version", former)
    assert (ran.code, "the profile has another version now" in ran.out) == (0, True)


@pytest.mark.usefixtures("estate")
def test_what_nobody_has_heard_of_is_a_mistyped_arn_rather_than_clean(run_here) -> None:
    ran = run_here("blast-radius", "--job", JOB.replace("777", "778"))
    assert (ran.code, "NOT KNOWN to AWS Signer either: check the ARN before you believe this" in ran.out) == (3, True)


def test_a_partial_reading_says_at_least(estate, run_here) -> None:
    estate.aws.faults.denied_roles.add((DEVELOPMENT, ROLE))
    ran = run_here("blast-radius", "--job", JOB)
    assert ran.code == 3
    assert "AT LEAST 4 functions and versions" in ran.out
    assert f"{DEVELOPMENT} in all Regions, everything: denied" in ran.out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "either --job ARN or --profile-version ARN"),
        (("--job", JOB, "--profile-version", PAYMENTS), "either --job ARN or --profile-version ARN"),
        (("--job", PAYMENTS), "is not a signing job ARN"),
        (("--profile-version", PAYMENTS.rpartition("/")[0]), "not a signing profile version ARN"),
    ],
)
@pytest.mark.usefixtures("estate")
def test_a_target_that_is_none_is_refused(run_here, words, says) -> None:
    ran = run_here("blast-radius", *words)
    assert (ran.code, ran.out, says in ran.err) == (2, "", True)


def is_revoked(estate) -> bool:
    return "revocationRecord" in estate.aws.place(SECURITY, "eu-west-1").jobs[JOB.rpartition("/")[2]]


def test_a_revocation_shows_asks_records_and_is_confirmed(estate, run_here) -> None:
    ran = run_here("revoke", "--job", JOB, "--reason", " stolen branch ", "--record", "case.json", answers="y\n")
    assert (ran.code, ran.out) == (0, "Revoked, as AWS Signer shows\nRecord: case.json\n")
    assert (
        ran.err.index("5 functions and versions run") < ran.err.index("CANNOT BE UNDONE") < ran.err.index("for ever?")
    )
    assert is_revoked(estate)
    assert json.loads(Path("case.json").read_text("ascii")) == {
        "version": 1,
        "kind": "job",
        "arn": JOB,
        "reason": "stolen branch",
        "effective_time": None,
        "who": f"arn:aws:iam::{SECURITY}:user/administrator",
        "intended_at": "2026-11-23T12:00:01Z",
        "reach": {
            "refused_at_next_deployment": 1,
            "warned_at_next_deployment": 2,
            "never_checked": 1,
            "published_version_runs_on": 1,
            "unknown": 0,
            "layers": 1,
            "configs": 7,
        },
        "complete": True,
        "left_out": [],
        "outcome": "revoked",
        "ended_at": "2026-11-23T12:00:01Z",
        "message": None,
        "confirmed": True,
    }
    again = run_here("blast-radius", "--job", JOB)
    assert "REVOKED at 2026-11-23T12:00:01Z" in again.out


def test_a_profile_version_is_revoked_from_a_moment_in_the_past(estate, run_here) -> None:
    words = ("revoke", "--profile-version", PAYMENTS, "--reason", "key leaked", "--yes", "--format", "json")
    ran = run_here(*words, *EFFECTIVE)
    assert (ran.code, ran.json["effective_time"], ran.json["record"]) == (
        0,
        EFFECTIVE[1],
        "incident-20261123T120000Z.json",
    )
    assert "signature that this profile version made after 2026-11-01T00:00:00Z" in ran.err
    profile = estate.aws.place(SECURITY, "eu-west-1").profiles["acme_payments_g2"]
    assert profile["revocationRecord"]["revocationEffectiveFrom"] == datetime(2026, 11, 1, tzinfo=UTC)
    later = run_here(*words, "--record", "later.json", "--effective-time", "2026-11-02T00:00:00Z")
    assert (later.code, later.json["outcome"]) == (1, "refused")  # never moves later
    assert json.loads(Path("later.json").read_text("ascii"))["outcome"] == "refused"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--job", JOB), "Missing option '--reason'"),
        (("--job", JOB, "--reason", "  ", "--yes"), "--reason has 0 characters"),
        (("--job", JOB, "--reason", "x" * 501, "--yes"), "--reason has 501 characters"),
        (("--job", JOB, "--reason", "x"), "nobody can be asked here. Confirm with --yes"),
        (("--job", JOB, "--reason", "x", "--yes", "--resume"), "--resume needs the file to go on from"),
        (("--job", JOB, "--reason", "x", "--yes", *EFFECTIVE), "is for --profile-version"),
        (("--profile-version", PAYMENTS, "--reason", "x", "--yes"), "needs --effective-time"),
        (
            ("--profile-version", PAYMENTS, "--reason", "x", "--yes", "--effective-time", "2026-11-23T12:00:00Z"),
            "not in the past",
        ),
        (("--profile-version", VENDOR, "--reason", "x", "--yes", *EFFECTIVE), "log in there"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_read(estate, run_here, words, says) -> None:
    ran = run_here("revoke", *words)
    assert (ran.code, ran.out, says in ran.err) == (2, "", True)
    assert estate.aws.calls["lambda:ListFunctions"] == 0
    asks_who = estate.aws.calls["sts:GetCallerIdentity"] > 0  # nobody logs in to be told of a slip
    assert asks_who == (says in {"not in the past", "log in there"})
    assert list(Path().glob("incident*")) == []


def test_a_no_revokes_nothing_and_writes_nothing(estate, run_here) -> None:
    ran = run_here("revoke", "--job", JOB, "--reason", "x", answers="n\n")
    assert (ran.code, "Nothing was revoked" in ran.err, is_revoked(estate)) == (1, True, False)
    assert list(Path().glob("incident*")) == []


def test_a_partial_reading_revokes_only_when_told_so(estate, run_here) -> None:
    estate.aws.faults.denied_roles.add((DEVELOPMENT, ROLE))
    words = ("revoke", "--job", JOB, "--reason", "x", "--yes", "--record", "case.json")
    assert run_here(*words).code == 3
    assert (is_revoked(estate), Path("case.json").exists()) == (False, False)
    assert run_here(*words, "--accept-partial").code == 0
    assert (is_revoked(estate), json.loads(Path("case.json").read_text())["complete"]) == (True, False)


@pytest.mark.parametrize(
    ("answer", "code", "outcome"),
    [
        (ServiceAnswer("AccessDeniedException", "no", 403), 1, "refused"),
        (ServiceAnswer("ResourceNotFoundException", "no", 404), 1, "refused"),
        (ServiceAnswer("TooManyRequestsException", "slow", 429), 1, "refused"),
        (ServiceAnswer("InternalServiceErrorException", "broken", 500), 3, "unknown"),
    ],
)
def test_what_signer_answers_is_in_the_record(estate, run_here, answer, code, outcome) -> None:
    estate.aws.faults.failing[SECURITY, "eu-west-1", "signer:RevokeSignature"] = answer
    ran = run_here("revoke", "--job", JOB, "--reason", "x", "--yes", "--record", "case.json")
    recorded = json.loads(Path("case.json").read_text("ascii"))
    assert (ran.code, recorded["outcome"], answer.code in recorded["message"]) == (code, outcome, True)
    assert "NOT" in ran.out


def test_a_run_that_ends_during_the_call_leaves_its_intent(estate, run_here) -> None:
    class Ended(SignerService):
        def revoke_signature(self, **_parameters):
            raise KeyboardInterrupt

    estate.aws.serve("signer", Ended)
    ran = run_here("revoke", "--job", JOB, "--reason", "x", "--yes", "--record", "case.json")
    assert (ran.code, json.loads(Path("case.json").read_text("ascii"))["outcome"]) == (130, "intended")


def test_without_a_place_for_the_record_nothing_is_revoked(estate, run_here) -> None:
    Path("case.json").write_text("there")
    for record in ("case.json", "missing/case.json"):
        ran = run_here("revoke", "--job", JOB, "--reason", "x", "--yes", "--record", record)
        assert (ran.code, is_revoked(estate)) == (2, False)
    assert Path("case.json").read_text() == "there"


def test_a_revocation_that_signer_does_not_show_is_said(estate, run_here) -> None:
    class Forgetful(SignerService):
        def revoke_signature(self, **_parameters):
            return {}

    estate.aws.serve("signer", Forgetful)
    ran = run_here("revoke", "--job", JOB, "--reason", "x", "--yes")
    assert (ran.code, "AWS SIGNER DOES NOT SHOW IT" in ran.out) == (0, True)


def test_a_function_is_counted_once_although_its_code_and_its_layer_are_reached(estate, run_here) -> None:
    place = estate.aws.place(*HERE)
    place.functions = {name: one for name, one in place.functions.items() if name == "payments-warned"}
    place.functions["payments-warned"].layers = (next(iter(place.layers)),)
    estate.aws.place(DEVELOPMENT, "us-east-1").functions.clear()
    ran = run_here("blast-radius", "--job", JOB, "--format", "json")
    assert (len(ran.json["functions"]), ran.json["numbers"]["warned_at_next_deployment"]) == (2, 1)
    assert "\n1 function or version runs code" in run_here("blast-radius", "--job", JOB).out


def test_without_an_answer_it_is_not_known_whether_it_was_revoked(estate, run_here) -> None:
    class Silent(SignerService):
        def revoke_signature(self, **_parameters):
            raise ReadTimeoutError(endpoint_url="https://signer.invalid")

    estate.aws.serve("signer", Silent)
    ran = run_here("revoke", "--job", JOB, "--reason", "x", "--yes", "--record", "case.json")
    assert (ran.code, json.loads(Path("case.json").read_text("ascii"))["outcome"]) == (3, "unknown")
    assert "It is NOT KNOWN whether it was revoked" in ran.out
    assert estate.aws.calls["signer:RevokeSignature"] == 3


def test_an_outcome_that_cannot_be_written_is_said_aloud(estate, run_here) -> None:
    class Wiping(SignerService):
        def revoke_signature(self, **parameters):
            shutil.rmtree("case")
            return super().revoke_signature(**parameters)

    Path("case").mkdir()
    estate.aws.serve("signer", Wiping)
    ran = run_here("revoke", "--job", JOB, "--reason", "x", "--yes", "--record", "case/record.json")
    assert (ran.code, is_revoked(estate)) == (2, True)
    assert "still says 'intended', and the outcome is: Revoked" in ran.err


def test_a_revocation_that_cannot_be_looked_at_is_not_confirmed(estate, run_here) -> None:
    estate.aws.faults.denied_actions.add((SECURITY, "signer:DescribeSigningJob"))
    ran = run_here("revoke", "--job", JOB, "--reason", "x", "--yes", "--record", "case.json")
    assert (ran.code, ran.out, is_revoked(estate)) == (0, "Revoked\nRecord: case.json\n", True)
    assert json.loads(Path("case.json").read_text("ascii"))["confirmed"] is None


def test_an_effect_is_unknown_where_the_configs_could_not_be_read(estate, run_here) -> None:
    estate.aws.faults.denied_actions.add((SANDBOX, "lambda:ListCodeSigningConfigs"))
    ran = run_here("blast-radius", "--job", JOB, "--format", "json")
    assert ran.code == 3
    assert {one["effect"] for one in ran.json["functions"] if one["account"] == SANDBOX} == {
        "unknown",
        "published_version_runs_on",
    }


def test_accounts_of_the_file_are_all_that_it_names(estate, run_here) -> None:
    ran = run_here("blast-radius", "--job", JOB, "--accounts-from", "file", "--format", "json")
    assert (ran.code, ran.json["accounts"]) == (3, 7)  # those without an auditor role here are failures
    assert len(ran.json["failures"]) == 4
    assert len(ran.json["functions"]) == 5
    assert estate.aws.calls["organizations:ListAccounts"] == 0


def test_a_job_of_another_account_is_revoked_by_its_owner_s_number(estate, run_here) -> None:
    theirs = estate.aws.place(DEVELOPMENT, "eu-west-1").jobs
    theirs["00000000-0000-0000-0000-000000000999"] = {"status": "Succeeded", "jobOwner": DEVELOPMENT}
    ran = run_here("revoke", "--job", job(999).replace(SECURITY, DEVELOPMENT), "--reason", "x", "--yes")
    assert (ran.code, ran.out.splitlines()[0]) == (0, "Revoked, as AWS Signer shows")
    assert theirs["00000000-0000-0000-0000-000000000999"]["revocationRecord"]["reason"] == "x"


@pytest.mark.parametrize("command", [("blast-radius",), ("revoke", "--reason", "x", "--yes")])
def test_an_account_that_is_left_out_and_does_not_exist_is_mistyped(estate, run_here, command) -> None:
    ran = run_here(*command, "--job", JOB, "--accounts-from", "file", "--without-account", "999999999999")
    assert (ran.code, ran.out) == (2, "")
    assert "--without-account 999999999999 is none of 7 accounts, as the organization file has them" in ran.err
    assert estate.aws.calls["signer:RevokeSignature"] == 0


def test_an_account_that_was_left_out_is_in_the_record(estate, run_here) -> None:
    estate.aws.add_account("111111111111")
    words = ("--reason", "x", "--yes", "--record", "case.json", "--without-account", "111111111111")
    ran = run_here("revoke", "--job", JOB, *words)
    recorded = json.loads(Path("case.json").read_text("ascii"))
    assert (ran.code, recorded["complete"], recorded["left_out"]) == (0, True, ["111111111111"])
    assert "NOT looked at: 111111111111" in ran.err
