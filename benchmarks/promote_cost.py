"""Simulates ``promote`` over thousands of accounts on simulated time; prints a Markdown report.

Run it with ``python benchmarks/promote_cost.py``. The command line itself runs, over the fake organization, with its
latencies and AWS's rates; only time is simulated, and boto3's clients are the fake's. What real clients cost to make is
measured apart, without a network. The accounts' contents are made when they are asked for and forgotten after, so that
the memory is that of ``promote``.
"""

import argparse
import contextlib
import io
import json
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter, OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

from constructs_pkg.aws.accounts import MemberAccounts
from constructs_pkg.aws.clients import Clients
from constructs_pkg.aws.member_place import Pace
from constructs_pkg.cli import surveying
from constructs_pkg.cli.main import main
from constructs_pkg.clock import now
from constructs_pkg.organization import load_organization
from constructs_pkg.organization.rollout import planned_stack_sets
from constructs_pkg.testing.fake_organization import (
    LATENCIES,
    ConfigRecord,
    EventRecord,
    FakeOrganization,
    FunctionRecord,
    Place,
    SimulatedClock,
    SimulatedThreads,
)

ROOT = Path(__file__).parents[1]
SECURITY, ROLE = "222222222222", "acme-code-signing-auditor"
REGIONS = ("eu-west-1", "eu-central-1", "us-east-1", "us-west-2")
APPLICATIONS = {"payments": "payments", "checkout": "basket", "customer-notices": "notices"}
OTHERS = [
    application
    for application in planned_stack_sets(load_organization(ROOT / "organization.toml", at=now()))[0].applications
    if application not in APPLICATIONS
]
PUBLISHER = "arn:aws:signer:eu-west-1:222222222222:/signing-profiles/acme_payments_g2/a1B2c3D4e5"
JOB = "arn:aws:signer:eu-west-1:222222222222:/signing-jobs/00000000-0000-0000-0000-000000000001"


@dataclass(frozen=True)
class Scenario:
    """How large an organization is, and how it is read."""

    accounts: int
    functions: int
    workers: int = 32
    faulty: bool = False


class LargeOrganization(FakeOrganization):
    """Accounts whose contents are made from their number; one in fifty has twenty times as many functions."""

    def __init__(self, scenario: Scenario, clock: SimulatedClock) -> None:
        super().__init__(clock, latencies=LATENCIES, checks_answers=False)
        self.scenario = scenario
        self.functions = 0
        self._made: OrderedDict[tuple[str, str], Place] = OrderedDict()
        self.add_account(SECURITY)
        self.add_unit("ou-a1b2-00000001")
        self.add_unit("ou-a1b2-00000002")
        for number in range(scenario.accounts):
            account = f"{500000000000 + number}"
            self.add_account(account, f"ou-a1b2-0000000{number % 2 + 1}", roles=[ROLE])
            if scenario.faulty and number % 200 == 0:
                self.faults.denied_roles.add((account, ROLE))
            if scenario.faulty and number % 400 == 1:
                self.faults.closed_accounts.add(account)
            if scenario.faulty and number % 200 == 2:
                self.faults.regions_off.add((account, "us-west-2"))
            if scenario.faulty and number % 10 == 3:
                self.faults.throttled[account, "eu-west-1", "lambda:ListFunctions"] = number % 12

    def place(self, account: str, region: str) -> Place:
        """Return an account in a Region, made anew where it was forgotten."""
        key = (account, region)
        if key not in self._made:
            self._made[key] = self._make(account, region)
            if len(self._made) > 4 * self.scenario.workers:
                self._made.popitem(last=False)
        self._made.move_to_end(key)
        return self._made[key]

    def _make(self, account: str, region: str) -> Place:
        place = Place(account, region)
        chance = random.Random(f"{account}{region}")
        for number, application in enumerate([*APPLICATIONS, *OTHERS]):
            arn = f"arn:aws:lambda:{region}:{account}:code-signing-config:csc-{number:017d}"
            place.configs[arn] = ConfigRecord(arn, (PUBLISHER,), "Warn")
            place.parameters[f"/lambda-code-signing/code-signing-configs/{application}/arn"] = ("String", arn)
        arns = list(place.configs)
        many = self.scenario.functions * (20 if int(account) % 50 == 0 else 1)
        for number in range(many):
            kind = chance.random()
            application = chance.randrange(3)
            config = None if kind < 0.02 else arns[application]
            signer = None if kind < 0.03 else PUBLISHER
            name = f"{[*APPLICATIONS.values()][application]}-{number}"
            place.functions[name] = FunctionRecord(name, config, -1.0, signer, JOB if signer else None)
            if 0.03 < kind < 0.035:
                record = {"requestParameters": {"functionName": name}, "signatureStatus": "MISMATCH"}
                at = self.clock.now() - timedelta(days=chance.randrange(13))
                place.events.append(EventRecord("UpdateFunctionCode20150331v2", at, record))
        self.functions += many
        return place


def promote(scenario: Scenario) -> dict[str, object]:
    """Run the command once, and return what it took."""
    clock = SimulatedClock()
    organization = LargeOrganization(scenario, clock)
    pace = Pace(clock.monotonic, clock.sleep, clock.now, lambda: 0.5, lambda workers: SimulatedThreads(clock, workers))
    members = MemberAccounts(
        Clients(organization.session(SECURITY)),
        lambda account: account,
        "eu-west-1",
        pace=pace,
        session_of=organization.session_of,
    )
    surveying.home = lambda: members
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
        words = ["promote", "first", "--organization", "organization.toml", "--format", "json"]
        code = main([*words, "--workers", str(scenario.workers)])
    answer = json.loads(printed.getvalue())
    return {
        "code": code,
        "functions": sum(place["functions"] for place in answer["places"]),
        "places": len(answer["places"]),
        "obstructions": len(answer["obstructions"]),
        "failures": dict(Counter(one["kind"] for one in answer["failures"])),
        "seconds": clock.monotonic(),
        "calls": dict(organization.calls),
        "cpu": time.process_time() - began,
        "memory_mib": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
    }


def measured(scenario: Scenario) -> dict[str, object]:
    """Run a scenario in a process of its own, whose peak of memory is then its own."""
    given = json.dumps([scenario.accounts, scenario.functions, scenario.workers, scenario.faulty])
    with tempfile.TemporaryDirectory() as folder:
        text = (ROOT / "organization.toml").read_text("utf-8")
        regions = ", ".join(f'"{region}"' for region in REGIONS)
        text = text.replace('["eu-west-1", "eu-central-1", "us-east-1"]\n', f"[{regions}]\n")
        text = text.replace('region_order = ["eu-central-1", "eu-west-1", "us-east-1"]', f"region_order = [{regions}]")
        Path(folder, "organization.toml").write_text(text, "utf-8")
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, __file__, "--scenario", given]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def client_milliseconds() -> float:
    """Return the CPU time of making all real clients of one account in four Regions, the first account left out."""
    from constructs_pkg.aws.accounts import _boto3_session  # noqa: PLC0415 (measured as promote makes them)

    credentials = {"AccessKeyId": "a", "SecretAccessKey": "b", "SessionToken": "c"}
    times = []
    for _ in range(6):
        began = time.process_time()
        clients = Clients(_boto3_session(credentials, "eu-west-1"))
        for region in REGIONS:
            for service in ("lambda", "ssm", "cloudtrail", "cloudwatch"):
                clients.client(service, region, attempts=1)
        times.append(time.process_time() - began)
    return 1000 * min(times[1:])


def row(scenario: Scenario, took: dict[str, object]) -> str:
    """Return a line of a table."""
    calls = sum(took["calls"].values())
    functions = took["functions"]
    return (
        f"| {scenario.accounts:,} | {scenario.functions} | {scenario.workers} | {functions:,} | {calls:,} "
        f"| {calls / functions:.3f} | {took['seconds'] / 60:.1f} | {took['seconds'] * 1000 / functions:.2f} "
        f"| {took['memory_mib']:.0f} | {took['cpu']:.0f} |"
    )


HEAD = (
    "| accounts | functions in most places | workers | functions in all | calls | calls a function "
    "| minutes (simulated) | ms a function | memory, MiB | CPU seconds |\n|---|---|---|---|---|---|---|---|---|---|"
)


def report() -> str:
    """Run all scenarios, and return the report."""
    growth = [Scenario(250, 25), Scenario(500, 25), Scenario(1000, 25), Scenario(2000, 25)]
    dense = [Scenario(250, 50), Scenario(250, 100), Scenario(250, 200)]
    workers = [Scenario(500, 25, workers=8), Scenario(500, 25, workers=128)]
    faulty = Scenario(2000, 25, faulty=True)
    results = {scenario: measured(scenario) for scenario in (*growth, *dense, *workers, faulty)}
    largest, smallest = results[growth[-1]], results[growth[0]]
    ratio = (largest["seconds"] / largest["functions"]) / (smallest["seconds"] / smallest["functions"])
    calls = "\n".join(f"| {name} | {count:,} |" for name, count in sorted(largest["calls"].items()))
    broken = results[faulty]
    made = client_milliseconds()
    latencies = ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in LATENCIES.items())
    failures = ", ".join(f"{count} {kind}" for kind, count in sorted(broken["failures"].items()))
    return f"""# What `promote` takes over thousands of accounts

`lambda-code-signing promote` over a fake organization with {len(REGIONS)} Regions, on simulated time. Answers take
about as long as `LATENCIES` says, each varied by half: {latencies}.
AWS's rates are kept: Lambda 15 requests a second in an account and Region, LookupEvents 2. One account in fifty has
twenty times as many functions; 2 % of the functions have no config, 1 % are unsigned, 0.5 % were deployed untrusted.
**Latencies are our assumption, no measurement of AWS.** `benchmarks/promote_cost.py` writes this file.

{platform.system()}, Python {platform.python_version()}, boto3 {version("boto3")}. Memory is what the process grew by;
CPU time includes the fake's.

## More accounts

{HEAD}
{chr(10).join(row(one, results[one]) for one in growth)}

Eight times as many accounts take {ratio:.2f} times as long for each function (1.00 would be exactly linear).

## More functions in each account

{HEAD}
{chr(10).join(row(one, results[one]) for one in (growth[0], *dense))}

Calls grow with pages of 50 functions and with functions without a config, which are asked for one by one.

## More or fewer accounts at a time

{HEAD}
{chr(10).join(row(one, results[one]) for one in (workers[0], growth[1], workers[1]))}

The largest account is the end of it: its Regions are read one after the other, at Lambda's rate.

## Calls of 2,000 accounts in {len(REGIONS)} Regions

| call | times |
|---|---|
{calls}

## With faults

2,000 accounts, of which some deny the role, are closed, have a Region off, or throttle: exit code {broken["code"]},
{broken["places"]:,} places read, {broken["seconds"] / 60:.1f} minutes, failures: {failures}.

## Real clients

The fake's clients cost nothing to make. boto3's cost {made:.0f} ms of CPU time for each account (16 clients), so
{made * 2:.0f} seconds in all for 2,000 accounts, spread over the run.
"""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results" / "promote_cost.md")
    parser.add_argument("--scenario", help="run one scenario here and print what it took, as JSON")
    arguments = parser.parse_args()
    if arguments.scenario:
        print(json.dumps(promote(Scenario(*json.loads(arguments.scenario)))))
    else:
        arguments.output.write_text(report(), "utf-8")
