"""Measures synthesis and template sizes of a rollout as the number of applications grows; prints a Markdown report.

Run it on Linux: ``python benchmarks/rollout_cost.py --output benchmarks/results/rollout_cost.md``. What counts is
processor time, of Python and of the Node.js that the CDK runs in, so that other work on the machine counts little.
Every organization has 40 organizational units in 4 waves, 8 Regions, and a guardrail for each application. Each is
synthesized in one process, one after the other; the smallest, measured in every round, is the reference.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from constructs_pkg.node import ensure_node

ensure_node()  # before aws_cdk, which starts it

import aws_cdk as cdk  # noqa: E402

from constructs_pkg.cdk.rollout_stack import CodeSigningRolloutStack  # noqa: E402
from constructs_pkg.clock import now  # noqa: E402
from constructs_pkg.errors import LambdaCodeSigningError  # noqa: E402
from constructs_pkg.organization import Organization, read_organization  # noqa: E402

WAVES, UNITS, ROUNDS = 4, 40, 2
REGIONS = (
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-central-1",
    "eu-north-1",
    "us-east-1",
    "us-east-2",
    "us-west-2",
)
COUNTS = (1, 3, 10, 30, 60, 120, 200)
IN_A_PART = 60


@dataclass(frozen=True)
class Measured:
    """One organization, synthesized."""

    applications: int
    template: str
    stack_sets: int
    resources: int
    largest_bytes: int
    stack_bytes: int
    seconds: float


def organization_of(applications: int, *, template: str, in_a_part: int = IN_A_PART) -> Organization:
    """Return an organization of so many applications."""
    head = (
        '[organization]\nid = "o-a1b2c3d4e5"\nname = "acme"\nmanagement_account = "111111111111"\n'
        f'security_account = "222222222222"\nhome_region = "eu-west-1"\ntarget_regions = {json.dumps(REGIONS)}\n'
    )
    parts = [head, f'[rollout]\ntemplate = "{template}"\n']
    parts += [f'[[organizational_units]]\nname = "unit-{unit}"\nid = "ou-a1b2-{unit:08}"\n' for unit in range(UNITS)]
    for wave in range(WAVES):
        units = json.dumps([f"unit-{unit}" for unit in range(UNITS) if unit % WAVES == wave])
        parts.append(
            f'[[waves]]\nname = "wave-{wave}"\nmode = "Warn"\nguardrail = "dry-run"\norganizational_units = {units}\n'
        )
    for number in range(applications):
        name = f"application-{number}"
        parts.append(
            f'[[applications]]\nname = "{name}"\nowners = ["a@acme.example"]\npart = {number // in_a_part + 1}\n'
            f'[[signing_profiles]]\napplication = "{name}"\ngeneration = 1\nvalidity = "3 years"\nstate = "active"\n'
            f'[[developer_guardrails]]\napplication = "{name}"\nfunctions = ["{name}-*"]\n'
            f'execution_roles = ["{name}-*-execution"]\nlayers = ["arn:aws:lambda:*:222222222222:layer:shared-*:*"]\n'
        )
    return read_organization("\n".join(parts), "benchmark.toml", at=now())


def processor_seconds() -> float:
    """Return the processor time of this process and of its children, which are alive: Node.js among them."""
    total = time.process_time()
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text("ascii", "replace").rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        if int(fields[1]) == os.getpid():
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def synthesized(organization: Organization) -> Measured:
    """Synthesize the rollout's stack and return what it took."""
    with tempfile.TemporaryDirectory() as folder:
        begin = processor_seconds()
        app = cdk.App(outdir=folder, analytics_reporting=False, builtin_cloud_formation_validation=False)
        stack = CodeSigningRolloutStack(app, "Rollout", organization=organization)
        assembly = Path(app.synth().directory)
        seconds = processor_seconds() - begin
        texts = [one.template.text or "" for one in stack.rollout.stack_sets]
        return Measured(
            applications=len(organization.applications),
            template=organization.rollout.template,
            stack_sets=len(texts),
            resources=max(len(json.loads(text)["Resources"]) for text in texts),
            largest_bytes=max(len(text.encode()) for text in texts),
            stack_bytes=(assembly / stack.template_file).stat().st_size,
            seconds=seconds,
        )


def refusal(organization: Organization) -> str:
    """Return what is said to an organization that breaks a limit."""
    try:
        synthesized(organization)
    except LambdaCodeSigningError as error:
        return str(error)
    except RuntimeError as error:  # an error that came through CDK
        return str(error).splitlines()[0]
    return "nothing"


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, help="where to write the report as well")
    arguments = parser.parse_args()
    cases = [organization_of(count, template="inline" if count <= 3 else "s3") for count in COUNTS]
    synthesized(cases[0])  # starts Node.js
    rounds = [[synthesized(case) for case in cases] for _ in range(ROUNDS)]
    best = [min(results, key=lambda result: result.seconds) for results in zip(*rounds, strict=True)]
    text = report(best)
    print(text)
    if arguments.output is not None:
        arguments.output.write_text(text + "\n", "utf-8")
    return 0


def report(best: list[Measured]) -> str:
    """Return the report."""
    rows = "\n".join(
        f"| {one.applications} | {one.template} | {one.stack_sets} | {one.resources} | {one.largest_bytes:,} | "
        f"{one.stack_bytes:,} | {one.seconds:.2f} | {one.seconds / best[0].seconds:.1f} |"
        for one in best
    )
    first, last = best[0], best[-1]
    each = (last.seconds - first.seconds) / (last.applications - first.applications) * 1000
    bytes_each = (best[2].largest_bytes - best[0].largest_bytes) / (best[2].applications - best[0].applications)
    refused = "\n".join(
        f"- {title}: `{' '.join(refusal(organization).split())}`"
        for title, organization in (
            ("4 guarded applications inline", organization_of(4, template="inline")),
            ("200 in one part", organization_of(200, template="s3", in_a_part=200)),
        )
    )
    about = (
        f"A rollout of {UNITS} organizational units in {WAVES} waves and {len(REGIONS)} Regions, with a guardrail for "
        f"each application, in parts of {IN_A_PART}. Processor seconds to declare and synthesize the stack of "
        f"StackSets, best of {ROUNDS} rounds in one process, CDK's own template validation off. "
        "`benchmarks/rollout_cost.py` writes this file."
    )
    machine = (
        f"{platform.system()}, {os.cpu_count()} processors, Python {platform.python_version()}, "
        f"aws-cdk-lib {version('aws-cdk-lib')}."
    )
    columns = [
        "applications",
        "template",
        "StackSets",
        "resources in the largest template",
        "its bytes",
        "bytes of the stack's own template",
        "seconds",
        "times the first",
    ]
    summary = (
        f"An application adds {each:.0f} ms to the synth and {bytes_each:,.0f} bytes to a template. Every template is "
        "within 51,200 bytes (inline) or 1,000,000 (s3), and within 500 resources."
    )
    return "\n\n".join(
        [
            "# What a rollout costs at synth",
            about,
            machine,
            f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|\n{rows}",
            summary,
            "What breaks a limit is told with its number and how to split:",
            refused,
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
