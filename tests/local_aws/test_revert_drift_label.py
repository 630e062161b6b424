"""What the local AWS does for drift-aware change sets is said to be ours: green there proves nothing about AWS."""

from pathlib import Path

from constructs_pkg.testing.local_aws.behaviours import BEHAVIOURS
from constructs_pkg.testing.local_aws.cloudformation import revert_drift

ROOT = Path(__file__).parents[2]


def test_drift_aware_change_sets_are_labelled_as_our_emulation() -> None:
    origins = {text: origin for text, origin, _ in BEHAVIOURS if "REVERT_DRIFT" in text}
    assert origins["REVERT_DRIFT on a stack that a StackSet made is allowed"] == "our model"
    assert origins["REVERT_DRIFT needs UsePreviousTemplate and previous parameters; others are refused"] == "our model"
    assert "observed on AWS" not in origins.values(), "nobody has run it on AWS: see docs/live-checks.md"
    shown = {text: origin for text, origin, _ in BEHAVIOURS}
    assert shown["A deleted resource is shown as Add, a dependant as Modify"] == "our model"
    assert shown["Without drift the change set ends FAILED; the reason is that of an ordinary one"] == "our model"
    assert "our model" in (revert_drift.__doc__ or "")


def test_the_page_about_drift_says_that_no_account_has_seen_it_yet() -> None:
    page = (ROOT / "docs/drift.md").read_text("utf-8")
    checks = (ROOT / "docs/live-checks.md").read_text("utf-8")
    assert "live-checks.md#drift" in page
    assert "--deployment-mode REVERT_DRIFT" in checks
