"""What `explain` says of each recorded call: nothing of most, and never more than the record proves."""

import json

import pytest

from constructs_pkg.explanations import explain
from tests.recorded.recordings import RECORDS, recorded, varied

SAID = {
    "DeleteRolePermissionsBoundary-denied": ("access_denied", "iam:DeleteRolePermissionsBoundary"),
    "PublishLayerVersion": ("status_valid", ""),
    "UpdateFunctionCode-denied": ("access_denied", "lambda:UpdateFunctionCode"),
}
"""Of all other recordings, nothing: they are about something else, or nothing went wrong."""


def said_of(document: object) -> list[tuple[str, str]]:
    return [(one.explanation.code, one.explanation.subject) for one in explain(json.dumps(document))]


@pytest.mark.parametrize("name", RECORDS)
def test_of_a_recorded_call_it_says(name: str) -> None:
    assert said_of(recorded(name)) == ([SAID[name]] if name in SAID else [])


def test_valid_is_not_called_signed_or_accepted() -> None:
    (found,) = explain(json.dumps(recorded("PublishLayerVersion")))
    assert found.explanation.title == "No check of the signature failed"
    assert found.explanation.meaning == (
        "No check failed, and no more than that: the one record of AWS that is public says VALID of an unsigned layer, "
        "published where no code signing config applied. It proves neither that the code is signed nor by whom."
    )


@pytest.mark.parametrize("status", ["MISMATCH", "EXPIRED", "REVOKED"])
def test_another_status_in_the_place_that_was_recorded_is_recognised(status: str) -> None:
    record = varied(recorded("PublishLayerVersion"), additionalEventData={"signatureStatus": status})
    assert said_of(record) == [(f"status_{status.lower()}", "")]
