"""A small organization with a baseline in every account, and the state machine of the task contract in this process."""

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from constructs_pkg.runtime.drift import (
    detect,
    gather,
    inspect_batch,
    list_instances,
    repair,
    report,
    start,
)
from constructs_pkg.runtime.drift.expectations import (
    Exemption,
    Expectations,
    ExpectedApplication,
    ExpectedStackSet,
)
from constructs_pkg.runtime.drift.settings import Settings
from constructs_pkg.runtime.drift.storage import BucketStore
from constructs_pkg.runtime.drift.surroundings import Surroundings, surroundings
from constructs_pkg.testing.fake_organization import (
    ConfigRecord,
    EventRecord,
    FakeOrganization,
    FunctionRecord,
    Place,
    SimulatedClock,
)
from constructs_pkg.testing.fake_organization.stack_records import FakeStack, FakeStackSet
from constructs_pkg.testing.fake_organization.stack_state import deploy_stack_set, drifts_of

SECURITY = "222222222222"
REGION = "eu-west-1"
ROLE = "acme-drift-remediator"
PUBLISHER = "arn:aws:signer:eu-west-1:222222222222:/signing-profiles/acme_payments_g2/aBcDeFgHi1"
FOREIGN = "arn:aws:signer:eu-west-1:999999999999:/signing-profiles/somebody/aBcDeFgHi1"
STACK_SET = "acme-code-signing-second"
BUCKET = "acme-drift-remediation-222222222222-eu-west-1"
TOPIC = "arn:aws:sns:eu-west-1:222222222222:drift"
MACHINE = "arn:aws:states:eu-west-1:222222222222:execution:acme-drift-remediation"

APPLICATIONS = ("payments", "checkout")

EXPECTATIONS = Expectations(
    organization_id="o-a1b2c3d4e5",
    organization="acme",
    partition="aws",
    security_account=SECURITY,
    publisher_account=SECURITY,
    home_region=REGION,
    stack_sets=(
        ExpectedStackSet("acme-code-signing-first", "first", "Warn", "detect", APPLICATIONS),
        ExpectedStackSet(STACK_SET, "second", "Enforce", "remediate", APPLICATIONS),
    ),
    applications=(
        ExpectedApplication("payments", ("payments-*",)),
        ExpectedApplication("checkout", ("checkout-*",)),
    ),
    exemptions=(
        Exemption("control-*", "platform@acme.example", "made by AWS", date(2031, 12, 31)),
        Exemption("legacy-*", "legacy@acme.example", "was to be replaced", date(2026, 11, 1)),
    ),
    signing_profiles=("acme_payments_g2", "acme_checkout_g1"),
)


def config_resource(mode: object = None) -> dict[str, Any]:
    return {
        "Type": "AWS::Lambda::CodeSigningConfig",
        "Properties": {
            "AllowedPublishers": {"SigningProfileVersionArns": [PUBLISHER]},
            "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": mode or {"Ref": "Mode"}},
        },
    }


def parameter_resource(application: str, logical_id: str) -> dict[str, Any]:
    return {
        "Type": "AWS::SSM::Parameter",
        "Properties": {
            "Name": f"/lambda-code-signing/code-signing-configs/{application}/arn",
            "Type": "String",
            "Value": {"Fn::GetAtt": [logical_id, "CodeSigningConfigArn"]},
        },
    }


TEMPLATE: dict[str, Any] = {
    "Parameters": {"Mode": {"Type": "String"}},
    "Resources": {
        "PaymentsConfig": config_resource(),
        "PaymentsParameter": parameter_resource("payments", "PaymentsConfig"),
        "CheckoutConfig": config_resource(),
        "CheckoutParameter": parameter_resource("checkout", "CheckoutConfig"),
        "Guardrail": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {
                "ManagedPolicyName": "acme-guardrail",
                "PolicyDocument": {"Statement": [{"Effect": "Deny", "Resource": {"Ref": "PaymentsConfig"}}]},
            },
        },
    },
}


@dataclass
class World:
    """Accounts 444444444401, …, each with the baseline and one function under each config."""

    accounts: int = 3
    regions: tuple[str, ...] = (REGION,)
    settings: Settings = field(default_factory=lambda: Settings(bucket=BUCKET, topic_arn=TOPIC, batch_instances=2))
    expectations: Expectations = EXPECTATIONS

    def __post_init__(self) -> None:
        self.clock = SimulatedClock()
        # every answer takes a moment, so that rates are kept without waiting
        self.aws = FakeOrganization(self.clock, latencies={"every": 0.1})
        self.aws.add_account(SECURITY)
        self.aws.buckets[BUCKET] = {}
        body = json.dumps(TEMPLATE)
        self.aws.stack_sets[STACK_SET] = FakeStackSet(STACK_SET, body, {"Mode": "Enforce"})
        self.aws.stack_sets["acme-code-signing-first"] = FakeStackSet("acme-code-signing-first", body, {"Mode": "Warn"})
        for account in self.member_accounts:
            self.aws.add_account(account, roles=[ROLE, "acme-code-signing-auditor"])
        deploy_stack_set(self.aws, STACK_SET, {account: list(self.regions) for account in self.member_accounts})
        for account in self.member_accounts:
            for region in self.regions:
                for application in ("payments", "checkout"):
                    self.add_function(account, f"{application}-api", self.config(account, application, region), region)

    @property
    def member_accounts(self) -> list[str]:
        return [f"4444444444{number:02}" for number in range(1, self.accounts + 1)]

    @property
    def around(self) -> Surroundings:
        session = self.aws.session(SECURITY, REGION)
        return surroundings(session, self.settings, self.expectations, now=self.clock.now)

    @property
    def store(self) -> BucketStore:
        return BucketStore(self.aws.session(SECURITY, REGION).client("s3"), BUCKET)

    def place(self, account: str, region: str = REGION) -> Place:
        return self.aws.place(account, region)

    def stack(self, account: str, region: str = REGION) -> FakeStack:
        return self.place(account, region).stacks[self.aws.stack_sets[STACK_SET].instances[account, region].stack_id]

    def config(self, account: str, application: str = "payments", region: str = REGION) -> str:
        return self.stack(account, region).resources[f"{application.title()}Config"].physical_id

    def add_function(self, account: str, name: str, config: str | None, region: str = REGION, **more: Any) -> None:
        record = FunctionRecord(name, config, 0.0, None, None, **more)
        self.place(account, region).functions[name] = record

    def config_of(self, account: str, function: str, region: str = REGION) -> str | None:
        return self.place(account, region).functions[function].config_arn

    def add_event(self, account: str, name: str, resource: str, by: str = "mallory", region: str = REGION) -> None:
        record = {"userIdentity": {"userName": by}, "resourceNames": [resource]}
        self.place(account, region).events.append(EventRecord(name, self.clock.now(), record))

    # -- tampering -----------------------------------------------------------------------------------------------------

    def weaken(self, account: str, application: str = "payments", region: str = REGION) -> None:
        self.place(account, region).configs[self.config(account, application, region)].mode = "Warn"

    def delete_config(self, account: str, application: str = "payments", region: str = REGION) -> None:
        arn = self.config(account, application, region)
        for function in self.place(account, region).functions.values():
            function.config_arn = None if function.config_arn == arn else function.config_arn
        del self.place(account, region).configs[arn]

    def detach(self, account: str, function: str = "payments-api", region: str = REGION) -> None:
        self.place(account, region).functions[function].config_arn = None

    def add_foreign_config(self, account: str, number: int = 1, publisher: str = FOREIGN) -> str:
        arn = f"arn:aws:lambda:{REGION}:{account}:code-signing-config:csc-f{number:016d}"
        self.place(account).configs[arn] = ConfigRecord(arn, (publisher,), "Warn")
        return arn

    def drifted(self, account: str) -> list[str]:
        """Return what is not as it should be, looked at from above: nothing of the code under test is asked."""
        place, stack = self.place(account), self.stack(account)
        found = [
            one["LogicalResourceId"] for one in drifts_of(place, stack) if one["StackResourceDriftStatus"] != "IN_SYNC"
        ]
        stack_set = self.aws.stack_sets[STACK_SET]
        same = (stack.template, stack.parameters) == (stack_set.template, stack_set.parameters)
        return [*found, *([] if same else ["template"])]


class Killed(Exception):  # noqa: N818 (it says what happened)
    pass


TASKS = {
    "start": start.run,
    "detect": detect.run,
    "list_instances": list_instances.run,
    "inspect_batch": inspect_batch.run,
    "gather": gather.run,
    "repair": repair.run,
    "report": report.run,
}


class Machine:
    """The state machine of the task contract: what remediation builds for AWS, in a few lines."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.log: list[str] = []
        self.kill_before: int | None = None
        self.on_task: Callable[[str, int], None] = lambda _task, _count: None

    def task(self, name: str, event: Mapping[str, Any]) -> dict[str, Any]:
        if self.kill_before is not None and len(self.log) >= self.kill_before:
            raise Killed
        self.log.append(name)
        self.on_task(name, self.log.count(name))
        answer = TASKS[name](json.loads(json.dumps(event)), self.world.around)
        return json.loads(json.dumps(answer))  # the state machine hands on JSON only

    def until_done(self, name: str, event: dict[str, Any], key: str | None = None) -> dict[str, Any]:
        while True:
            answer = self.task(name, event)
            if answer["status"] != "WAITING":
                return answer
            self.world.clock.sleep(answer["wait_seconds"])
            if key is not None:
                event[key] = answer

    def run(self, event: Any, execution: str = "one") -> dict[str, Any]:
        arn = f"{MACHINE}:{execution}"
        self.world.aws.executions[arn] = "RUNNING"
        try:
            started_at = self.world.clock.now().isoformat()
            begun = self.until_done("start", {"event": event, "execution": arn, "started_at": started_at})
            if begun["status"] != "GO":
                return begun
            return self._go(begun["run"])
        except Killed:
            self.world.aws.executions[arn] = "ABORTED"
            raise
        finally:
            if self.world.aws.executions[arn] == "RUNNING":
                self.world.aws.executions[arn] = "SUCCEEDED"

    def _go(self, run: dict[str, Any]) -> dict[str, Any]:
        state: dict[str, Any] = {"run": run}
        try:
            state["detection"] = self.until_done("detect", {"run": run})
            state["list"] = self.task("list_instances", state)
            for batch in self._items(state["list"]["batches_key"]):
                self._tolerated("inspect_batch", {**state, "batch": batch})
            state["gathered"] = self.task("gather", state)
            for item in self._items(state["gathered"]["repairs_key"]):
                self.repair(run, item)
        except Killed:
            raise
        except Exception as error:  # noqa: BLE001 (as Catch of the state machine does)
            state["error"] = {"Error": type(error).__name__, "Cause": str(error)}
        return self.task("report", state)

    def repair(self, run: dict[str, Any], item: dict[str, Any]) -> None:
        event = {"run": run, "item": item, "repair": {"status": "NEW", "attempt": 0}}
        try:
            self.until_done("repair", event, key="repair")
        except Killed:
            raise
        except Exception as error:  # noqa: BLE001 (as a Distributed Map tolerates it)
            self.log.append(f"failed: {error}")

    def _tolerated(self, name: str, event: Mapping[str, Any]) -> None:
        try:
            self.task(name, event)
        except Killed:
            raise
        except Exception as error:  # noqa: BLE001 (as a Distributed Map tolerates it)
            self.log.append(f"failed: {error}")

    def _items(self, key: str) -> list[Any]:
        found = self.world.store.read(key)
        assert found is not None
        return copy.deepcopy(found[0])

    def report(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        found = self.world.store.read(answer["report_key"])
        assert found is not None
        return found[0]


def rows_of(report: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the rows by account, and see to it that there is one each."""
    rows = {row["account"]: row for row in report["rows"]}
    assert len(rows) == len(report["rows"])
    return rows


def outcomes(report: Mapping[str, Any]) -> dict[str, str]:
    return {account: row["outcome"] for account, row in rows_of(report).items()}


def kinds(row: Mapping[str, Any], key: str = "findings") -> Iterator[tuple[str, str]]:
    yield from ((one["tier"], one["kind"]) for one in row[key])
