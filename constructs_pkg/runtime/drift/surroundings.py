"""What the tasks of the state machine work with, made once for each Lambda environment; and their log."""

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from .access import Access, Refused, default_session
from .expectations import IAM_REGIONS, Expectations, parse_expectations
from .finding import Finding
from .settings import Settings
from .stack_sets import StackSets
from .storage import BucketStore, Store
from .values import digest

__all__ = [
    "EXPECTATIONS_FILE",
    "MAX_TEMPLATE_BYTES",
    "Surroundings",
    "log",
    "of_this_function",
    "serve",
    "surroundings",
]

EXPECTATIONS_FILE = "drift_expectations.json"
"""Lies beside the package ``drift`` in the signed archive."""
MAX_TEMPLATE_BYTES = 51_200
"""The largest template that CreateChangeSet takes in the request (CloudFormation's quotas)."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything outside that a task needs.

    Attributes:
        settings: What the deployment says.
        expectations: What the organization says.
        access: Clients.
        store: Where documents are kept.
        now: The clock.
    """

    settings: Settings
    expectations: Expectations
    access: Access
    store: Store
    now: Callable[[], datetime]

    def stack_sets(self, name: str) -> StackSets:
        """Return a StackSet to ask."""
        return StackSets(self.access.central("cloudformation"), name, self.settings.call_as)

    def trail_of(self, account: str, region: str) -> Callable[[Finding], Any]:
        """Return what makes the CloudTrail client that a finding of a stack instance is asked about."""
        iam_region = IAM_REGIONS.get(self.expectations.partition, region)
        return lambda found: self.access.member(account, "cloudtrail", iam_region if found.is_of_iam else region)

    def template_to_give(self, template: str) -> dict[str, str]:
        """Return the parameter by which CloudFormation gets a template: itself, or where it is lent if it is too large.

        Raises:
            Refused: It is too large and cannot be lent, or AWS refused.
        """
        size_bytes = len(template.encode())
        if size_bytes <= MAX_TEMPLATE_BYTES:
            return {"TemplateBody": template}
        if not self.settings.templates_url:
            raise Refused(
                "give a stack the StackSet's template",
                "TemplateTooLarge",
                f"it has {size_bytes:,} bytes, {MAX_TEMPLATE_BYTES:,} are taken in a request. "
                "Run UpdateStackInstances of the StackSet for this account and Region",
            )
        name = f"{digest(template)}.json"
        self.store.lend_text(f"templates/{name}", template)
        return {"TemplateURL": f"{self.settings.templates_url}{name}"}


def surroundings(
    session: Any,  # noqa: ANN401 (boto3 makes its types at run time)
    settings: Settings,
    expectations: Expectations,
    *,
    now: Callable[[], datetime],
    store: Store | None = None,
    member_role: str | None = None,
) -> Surroundings:
    """Put surroundings together.

    Args:
        session: A boto3 session with the caller's credentials.
        settings: What the deployment says.
        expectations: What the organization says.
        now: The clock.
        store: Where documents are kept; the bucket of the settings where left out.
        member_role: The name of the role to assume in member accounts, without an external id; where left out, the
            remediator's, with its external id.
    """
    name = member_role or expectations.member_role
    access = Access(
        session,
        central_region=expectations.home_region,
        member_role=lambda account: f"arn:{expectations.partition}:iam::{account}:role/{name}",
        external_id=expectations.external_id if member_role is None else None,
        session_name="code-signing-drift",
        now=now,
    )
    kept = BucketStore(access.central("s3"), settings.bucket) if store is None else store
    return Surroundings(settings, expectations, access, kept, now)


@lru_cache(maxsize=1)
def of_this_function() -> Surroundings:
    """Return the surroundings of a deployed function, from its environment and the file beside its package."""
    document = json.loads(Path(__file__).parents[1].joinpath(EXPECTATIONS_FILE).read_text("utf-8"))
    return surroundings(
        default_session(),
        Settings.from_environment(os.environ),
        parse_expectations(document),
        now=lambda: datetime.now(UTC),
    )


def log(level: str, message: str, **fields: object) -> None:
    """Write one line of JSON, which CloudWatch Logs can be asked for field by field."""
    print(json.dumps({"level": level, "message": message, **fields}, default=str))


def serve(
    task: str, run: Callable[[Mapping[str, Any], Surroundings], dict[str, Any]], event: Mapping[str, Any]
) -> dict[str, Any]:
    """Run one task of the state machine, and log what came of it.

    Args:
        task: Its name.
        run: What it does.
        event: What the state machine gave.

    Returns:
        What the state machine gets.
    """
    began = time.monotonic()
    of_run: Any = event.get("run") or {}
    known = {"task": task, "run_id": of_run.get("run_id"), "stack_set": of_run.get("stack_set")}
    try:
        answer = run(event, of_this_function())
    except Exception as error:
        log("ERROR", str(error), **known, error=type(error).__name__, seconds=round(time.monotonic() - began, 3))
        raise
    small = {key: value for key, value in answer.items() if isinstance(value, (str, int, float)) and key != "level"}
    log("INFO", f"{task} is done", **known, seconds=round(time.monotonic() - began, 3), answer=small)
    return answer
