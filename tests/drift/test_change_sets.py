"""What in a change set a machine must not decide."""

import re
from typing import Any

import pytest

from constructs_pkg.runtime.drift.change_sets import read_change_set, reasons_for_a_human


def change(**more: Any) -> dict[str, Any]:
    known = {
        "Action": "Modify",
        "LogicalResourceId": "Config",
        "PhysicalResourceId": "arn",
        "ResourceType": "AWS::Lambda::CodeSigningConfig",
        "Replacement": "False",
        "ResourceDriftStatus": "MODIFIED",
        "Details": [
            {"Target": {"Attribute": "Properties", "Name": "Description", "BeforeValue": "a", "AfterValue": "b"}},
        ],
    }
    return {"Type": "Resource", "ResourceChange": {**known, **more}}


def described(*changes: dict[str, Any], mode: str | None = "REVERT_DRIFT") -> dict[str, Any]:
    return {
        "ChangeSetName": "drift-1",
        "ChangeSetId": "arn:aws:cloudformation:eu-west-1:444444444403:changeSet/drift-1/1",
        "Status": "CREATE_COMPLETE",
        "ExecutionStatus": "AVAILABLE",
        "DeploymentMode": mode,
        "Changes": list(changes),
    }


@pytest.mark.parametrize(
    ("changes", "kind", "reasons"),
    [
        ([change()], "revert", []),
        ([change(Action="Add", ResourceDriftStatus="DELETED", Replacement=None)], "revert", []),
        ([change(Action="SyncWithActual", Replacement=None)], "revert", []),
        ([change(Action="Remove")], "revert", ["would Remove Config"]),
        ([change(Action="Import")], "revert", ["would Import Config"]),
        ([change(Action="Dynamic")], "revert", ["would Dynamic Config"]),
        ([change(Action="")], "revert", ["something unnamed"]),
        ([change(Replacement="True")], "revert", ["would or might replace Config .* True"]),
        ([change(Replacement="Conditional")], "revert", ["would or might replace Config .* Conditional"]),
        ([change(Replacement=None)], "revert", ["not said"]),
        ([change(PolicyAction="ReplaceAndDelete")], "revert", [r"would delete Config .* \(ReplaceAndDelete\)"]),
        ([change(Action="Add", ResourceDriftStatus=None)], "revert", ["would add Config .* not deleted"]),
        ([{"Type": "SomethingNew"}], "revert", ["would SomethingNew something"]),
        ([change(), change(Action="Remove", LogicalResourceId="Policy")], "revert", ["would Remove Policy"]),
        ([change()], "template", ["deployment mode REVERT_DRIFT"]),
    ],
)
def test_a_human_decides_about(changes, kind, reasons) -> None:
    found = reasons_for_a_human(read_change_set([described(*changes)]), kind)
    assert len(found) == len(reasons)
    assert all(re.search(reason, one) for reason, one in zip(reasons, found, strict=True)), found


def test_an_ordinary_change_set_may_add_but_is_no_revert() -> None:
    ordinary = read_change_set([described(change(Action="Add", ResourceDriftStatus=None), mode=None)])
    assert reasons_for_a_human(ordinary, "template") == ()
    assert reasons_for_a_human(ordinary, "revert")[0] == "it has the deployment mode of an ordinary change set"


def test_all_pages_are_read_and_the_digest_is_that_of_the_changes() -> None:
    one, two = change(), change(LogicalResourceId="Policy")
    paged = read_change_set([described(one), {**described(two), "ExecutionStatus": "ignored on later pages"}])
    assert [found.logical_id for found in paged.changes] == ["Config", "Policy"]
    assert paged.execution_status == "AVAILABLE"
    assert paged.digest == read_change_set([described(one, two)]).digest
    assert paged.digest != read_change_set([described(one)]).digest
    other = change(Details=[{"Target": {"Attribute": "Properties", "Name": "Description", "AfterValue": "c"}}])
    assert read_change_set([described(other)]).digest != read_change_set([described(one)]).digest
