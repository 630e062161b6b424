"""Simulates one run of drift remediation over thousands of accounts on simulated time; prints a Markdown report.

Run it with ``python benchmarks/drift_run_cost.py``. The tasks themselves run, over the fake organization with its
latencies and AWS's documented rates; the state machine is played by this script, which hands the children of each map
to as many hands as ``max_concurrency`` says. Prices and the time of CloudFormation's own detection are assumptions that
stand in the report. The memory of boto3, which the fake replaces, is measured in a process of its own.
"""

import argparse
import heapq
import json
import platform
import subprocess
import sys
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from constructs_pkg.cdk.drift_state_machine import TASKS
from constructs_pkg.runtime.drift import detect, gather, inspect_batch, list_instances, repair, report, start
from constructs_pkg.runtime.drift.expectations import Expectations, ExpectedApplication, ExpectedStackSet
from constructs_pkg.runtime.drift.settings import HANDLERS, Settings
from constructs_pkg.runtime.drift.surroundings import Surroundings, surroundings
from constructs_pkg.testing.fake_organization import LATENCIES, FakeOrganization, FunctionRecord, SimulatedClock
from constructs_pkg.testing.fake_organization.stack_records import FakeStackSet
from constructs_pkg.testing.fake_organization.stack_set_calls import STACK_SET_DETECTION_SECONDS
from constructs_pkg.testing.fake_organization.stack_state import deploy_stack_set

SECURITY, HOME = "222222222222", "eu-west-1"
REGIONS = ("eu-west-1", "eu-central-1", "us-east-1", "us-west-2")
STACK_SET, BUCKET = "acme-code-signing-second", "acme-drift-remediation-222222222222-eu-west-1"
PUBLISHER = "arn:aws:signer:eu-west-1:222222222222:/signing-profiles/acme_payments_g2/aBcDeFgHi1"
APPLICATIONS = ("payments", "checkout", "notices")
FUNCTIONS_EACH = 4
MAX_CONCURRENCY = 40
TRANSITION_SECONDS, COLD_START_SECONDS = 0.05, 1.2
"""What AWS Step Functions takes between two states, and what a first call of a function takes: assumptions."""
# us-east-1, dollars, as the price lists had them in 2025: an assumption, too.
TRANSITION, GIB_SECOND, REQUEST, S3_WRITE, S3_READ = 0.000025, 0.0000133334, 0.0000002, 0.000005, 0.0000004
RUNS_PER_MONTH = 730
TASK_RUNS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "start": start.run,
    "detect": detect.run,
    "list_instances": list_instances.run,
    "inspect_batch": inspect_batch.run,
    "gather": gather.run,
    "repair": repair.run,
    "report": report.run,
}
assert tuple(TASK_RUNS) == TASKS


def config_resource() -> dict[str, Any]:
    """Return a code signing config of the baseline."""
    return {
        "Type": "AWS::Lambda::CodeSigningConfig",
        "Properties": {
            "AllowedPublishers": {"SigningProfileVersionArns": [PUBLISHER]},
            "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Enforce"},
        },
    }


def parameter_resource(application: str) -> dict[str, Any]:
    """Return the parameter that names an application's config."""
    return {
        "Type": "AWS::SSM::Parameter",
        "Properties": {
            "Name": f"/lambda-code-signing/code-signing-configs/{application}/arn",
            "Type": "String",
            "Value": {"Fn::GetAtt": [f"{application.title()}Config", "CodeSigningConfigArn"]},
        },
    }


TEMPLATE = json.dumps(
    {
        "Resources": {f"{one.title()}Config": config_resource() for one in APPLICATIONS}
        | {f"{one.title()}Parameter": parameter_resource(one) for one in APPLICATIONS}
    }
)
EXPECTATIONS = Expectations(
    organization_id="o-a1b2c3d4e5",
    organization="acme",
    partition="aws",
    security_account=SECURITY,
    publisher_account=SECURITY,
    home_region=HOME,
    stack_sets=(ExpectedStackSet(STACK_SET, "second", "Enforce", "remediate", APPLICATIONS),),
    applications=tuple(ExpectedApplication(one, (f"{one}-*",)) for one in APPLICATIONS),
    exemptions=(),
    signing_profiles=("acme_payments_g2",),
)


class Organization:
    """Accounts with the baseline and functions; in each hundredth instance somebody changed something by hand."""

    def __init__(self, accounts: int, drifted_percent: float) -> None:
        self.clock = SimulatedClock()
        self.aws = FakeOrganization(self.clock, latencies=LATENCIES, checks_answers=False)
        self.aws.add_account(SECURITY)
        self.aws.buckets[BUCKET] = {}
        self.aws.stack_sets[STACK_SET] = FakeStackSet(STACK_SET, TEMPLATE, {})
        ids = [f"{400000000000 + number}" for number in range(accounts)]
        for account in ids:
            self.aws.add_account(account, roles=["acme-drift-remediator"])
        deploy_stack_set(self.aws, STACK_SET, {account: list(REGIONS) for account in ids})
        self.settings = Settings(bucket=BUCKET, topic_arn="arn:aws:sns:eu-west-1:222222222222:t", most_repairs=100_000)
        self.drifted = 0
        every = max(1, round(100 / drifted_percent))
        for number, ((account, region), instance) in enumerate(self.aws.stack_sets[STACK_SET].instances.items()):
            place = self.aws.place(account, region)
            stack = place.stacks[instance.stack_id]
            configs = {one: stack.resources[f"{one.title()}Config"].physical_id for one in APPLICATIONS}
            for one in APPLICATIONS:
                for serial in range(FUNCTIONS_EACH):
                    name = f"{one}-{serial}"
                    place.functions[name] = FunctionRecord(name, configs[one], 0.0, None, None)
            if number % every == 0:
                self.drifted += 1
                if (number // every) % 4:
                    place.configs[configs["payments"]].mode = "Warn"
                else:
                    place.functions["payments-0"].config_arn = None

    @property
    def around(self) -> Surroundings:
        """What a fresh Lambda environment has: clients and sessions of its own."""
        session = self.aws.session(SECURITY, HOME)
        return surroundings(session, self.settings, EXPECTATIONS, now=self.clock.now)

    def items(self, key: str) -> list[Any]:
        """Return what a map reads."""
        return json.loads(self.aws.buckets[BUCKET][key][0])


@dataclass
class Measured:
    """What one run took."""

    seconds: dict[str, float] = field(default_factory=dict)
    gib_seconds: float = 0.0
    invocations: int = 0
    transitions: int = 0
    peak_mib: dict[str, float] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    outcomes: dict[str, int] = field(default_factory=dict)
    drifted: int = 0
    computing_seconds: float = 0.0

    @property
    def wall_seconds(self) -> float:
        """Return how long the run took."""
        return sum(self.seconds.values())

    @property
    def dollars(self) -> dict[str, float]:
        """Return what it cost, by service."""
        writes = self.calls["s3:PutObject"]
        reads = self.calls["s3:GetObject"]
        return {
            "AWS Step Functions": self.transitions * TRANSITION,
            "AWS Lambda": self.gib_seconds * GIB_SECOND + self.invocations * REQUEST,
            "Amazon S3": writes * S3_WRITE + reads * S3_READ,
        }


class Player:
    """Plays the state machine."""

    def __init__(self, organization: Organization) -> None:
        self.organization, self.clock = organization, organization.clock
        self.found = Measured(drifted=organization.drifted)

    def task(self, name: str, event: Mapping[str, Any], *, measures_memory: bool = False) -> dict[str, Any]:
        """Call a task as AWS Lambda does: JSON in, JSON out, nothing kept."""
        given = json.loads(json.dumps(event))
        around, began = self.organization.around, self.clock.monotonic()
        if measures_memory:
            tracemalloc.start()
        answer = TASK_RUNS[name](given, around)
        if measures_memory:
            peak = tracemalloc.get_traced_memory()[1] / 2**20
            tracemalloc.stop()
            self.found.peak_mib[name] = max(peak, self.found.peak_mib.get(name, 0.0))
        seconds = self.clock.monotonic() - began
        self.found.gib_seconds += seconds * HANDLERS[name].memory_mib / 1024
        self.found.invocations += 1
        return json.loads(json.dumps(answer))

    def until_done(self, name: str, event: dict[str, Any], key: str | None = None) -> dict[str, Any]:
        """Call a task until it waits no more."""
        while True:
            answer = self.task(name, event)
            self.found.transitions += 2
            self.clock.sleep(2 * TRANSITION_SECONDS)
            if answer["status"] != "WAITING":
                return answer
            self.found.transitions += 1
            self.clock.sleep(answer["wait_seconds"])
            if key is not None:
                event[key] = answer

    def timed(self, name: str, run: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Note how long a part of the run takes."""
        began = self.clock.monotonic()
        answer = run()
        self.found.seconds[name] = self.clock.monotonic() - began + COLD_START_SECONDS
        return answer

    def mapped(self, name: str, children: list[Any], run: Callable[[int, Any], None]) -> None:
        """Run the children one after the other, and count the time that it takes with several hands."""
        hands = [0.0] * MAX_CONCURRENCY
        for number, child in enumerate(children):
            began = self.clock.monotonic()
            run(number, child)
            cold = COLD_START_SECONDS if number < MAX_CONCURRENCY else 0.0
            heapq.heapreplace(hands, hands[0] + self.clock.monotonic() - began + cold + TRANSITION_SECONDS)
            self.found.transitions += 1  # the child's own start
        self.found.seconds[name] = max(hands)

    def run(self) -> Measured:
        """Play one run."""
        execution = "arn:aws:states:eu-west-1:222222222222:execution:acme-drift-remediation:one"
        self.organization.aws.executions[execution] = "RUNNING"
        event = {"kind": "schedule", "wave": "second"}
        at = self.clock.now().isoformat()
        began, calls = time.perf_counter(), Counter(self.organization.aws.calls)
        begun = self.timed(
            "start", lambda: self.task("start", {"event": event, "execution": execution, "started_at": at})
        )
        run = begun["run"]
        state: dict[str, Any] = {"run": run}
        state["detection"] = self.timed("detect", lambda: self.until_done("detect", {"run": run}))
        state["list"] = self.timed("list_instances", lambda: self.task("list_instances", state, measures_memory=True))

        def inspect(number: int, batch: object) -> None:
            self.task("inspect_batch", {**state, "batch": batch}, measures_memory=number < 3)
            self.found.transitions += 1

        self.mapped("inspect_batch", self.organization.items(state["list"]["batches_key"]), inspect)
        state["gathered"] = self.timed("gather", lambda: self.task("gather", state, measures_memory=True))

        def mend(number: int, item: object) -> None:
            del number
            child = {"run": run, "item": item, "repair": {"status": "NEW", "attempt": 0}}
            self.until_done("repair", child, key="repair")
            self.found.transitions += 1  # the last state

        self.mapped("repair", self.organization.items(state["gathered"]["repairs_key"]), mend)
        answer = self.timed("report", lambda: self.task("report", state, measures_memory=True))
        self.found.transitions += 14  # the states of the main line that are entered once
        self.found.outcomes = {name: count for name, count in answer["outcomes"].items() if count}
        self.found.calls = self.organization.aws.calls - calls
        self.found.computing_seconds = time.perf_counter() - began
        return self.found


def boto3_mib() -> float:
    """What a process has that made the clients of a function and called nothing."""
    program = (
        "import boto3\n"
        "session = boto3.session.Session(aws_access_key_id='x', aws_secret_access_key='y', region_name='eu-west-1')\n"
        "for name in ('s3', 'sts', 'lambda', 'cloudformation', 'cloudtrail', 'signer', 'sns'): session.client(name)\n"
        # not ru_maxrss, which the process takes over from the one that started it
        "print(next(int(line.split()[1]) / 1024 for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    return float(subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout)


def table(heads: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def minutes(seconds: float) -> str:
    """Return seconds as minutes."""
    return f"{seconds / 60:.1f} min"


def text_of(found: dict[int, Measured], base_mib: float) -> str:
    """Return the report."""
    largest = found[max(found)]
    sizes = table(
        ["accounts", "instances", "drifted", "wall time", "calls", "transitions", "dollars a run", "a month, hourly"],
        [
            [
                f"{accounts:,}",
                f"{accounts * len(REGIONS):,}",
                str(one.drifted),
                minutes(one.wall_seconds),
                f"{one.calls.total():,}",
                f"{one.transitions:,}",
                f"{sum(one.dollars.values()):.3f}",
                f"{sum(one.dollars.values()) * RUNS_PER_MONTH:,.0f}",
            ]
            for accounts, one in found.items()
        ],
    )
    phases = table(
        ["task", *(f"{accounts:,} accounts" for accounts in found)],
        [[name, *(minutes(one.seconds[name]) for one in found.values())] for name in largest.seconds],
    )
    memory = table(
        ["task", "configured", *(f"{accounts:,} accounts" for accounts in found)],
        [
            [
                name,
                f"{HANDLERS[name].memory_mib} MiB",
                *(f"{base_mib + one.peak_mib[name]:.0f} MiB" for one in found.values()),
            ]
            for name in largest.peak_mib
        ],
    )
    calls = table(
        ["call", *(f"{accounts:,} accounts" for accounts in found)],
        [[name, *(f"{one.calls[name]:,}" for one in found.values())] for name, _ in largest.calls.most_common()],
    )
    cost = ", ".join(f"{name} {dollars:.3f}" for name, dollars in largest.dollars.items())
    central = sum(
        count for name, count in largest.calls.items() if name.startswith("cloudformation:ListStackInstanceResource")
    )
    rate = central / max(largest.seconds["inspect_batch"], 1.0)
    outcomes = ", ".join(f"{count:,} {name}" for name, count in largest.outcomes.items())
    smaller = found[sorted(found)[-2]] if len(found) > 1 else largest
    more = (max(found) - (sorted(found)[-2] if len(found) > 1 else 0)) * len(REGIONS)
    growth = (
        f"All of it grows in proportion to the instances: another thousand adds "
        f"{(largest.calls.total() - smaller.calls.total()) / more * 1000:,.0f} calls, "
        f"{(largest.transitions - smaller.transitions) / more * 1000:,.0f} transitions, "
        f"{(sum(largest.dollars.values()) - sum(smaller.dollars.values())) / more * 1000:.4f} dollars and "
        f"{(largest.wall_seconds - smaller.wall_seconds) / more * 1000:.0f} seconds."
    )
    assumed = (
        f"{TRANSITION_SECONDS} s between two states, {COLD_START_SECONDS} s for a cold start, "
        f"{STACK_SET_DETECTION_SECONDS:.0f} s for CloudFormation's own detection of the whole StackSet (which in truth "
        f"grows with the instances), and prices of us-east-1 as of 2025: transition ${TRANSITION:.6f}, GiB second on "
        f"arm64 ${GIB_SECOND:.10f}, request ${REQUEST:.7f}, S3 write ${S3_WRITE:.6f}, read ${S3_READ:.7f}"
    )
    what = (
        f"One scheduled run over one StackSet in {len(REGIONS)} Regions of every account, "
        f"{len(APPLICATIONS) * FUNCTIONS_EACH} functions an instance; in 1 % of the instances a config was switched to "
        "Warn, or a function detached, by hand. `benchmarks/drift_run_cost.py` writes this file."
    )
    central_rate = (
        "Calls in member accounts are spread over the accounts, whose rates are separate. What all children ask the "
        f"one central CloudFormation is `ListStackInstanceResourceDrifts`: {rate:.1f} a second at {MAX_CONCURRENCY} "
        "children; its limit is not documented, and a throttled call is retried eight times."
    )
    return f"""# What a run of drift remediation costs

{what}

The tasks themselves run, on simulated time. **Assumptions, no measurements of AWS:** the latencies of the fake
organization, {assumed}.
{MAX_CONCURRENCY} children of a map at a time. Not counted: logs, the key, CloudTrail, the topic, and what the tasks
compute: it takes no simulated time.

{platform.system()}, Python {platform.python_version()}, boto3 {version("boto3")}.

{sizes}

{growth}

Outcomes of the largest: {outcomes}. Its cost by service, in dollars: {cost}.
What is simulated took {largest.computing_seconds:.0f} s to compute.

## Where the time goes

{phases}

## Memory

A process with the clients of a function alone has {base_mib:.0f} MiB; the tasks add what they hold at once.

{memory}

## Calls by kind

{calls}

{central_rate}
"""


def main() -> None:
    """Simulate and write."""
    parser = argparse.ArgumentParser(description="Simulate runs of drift remediation and write the report.")
    parser.add_argument("--accounts", type=int, nargs="+", default=[50, 500, 5000])
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "drift_run_cost.md")
    arguments = parser.parse_args()
    found = {}
    for accounts in arguments.accounts:
        found[accounts] = Player(Organization(accounts, 1.0)).run()
        print(f"{accounts} accounts: {found[accounts].computing_seconds:.0f} s", file=sys.stderr)
    arguments.output.write_text(text_of(found, boto3_mib()), "utf-8")
    print(arguments.output.read_text("utf-8"))


if __name__ == "__main__":
    main()
