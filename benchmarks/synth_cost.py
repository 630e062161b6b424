"""Measures what the checks add to ``app.synth()`` of an app of 1,000 functions; prints a Markdown report.

Run it on a quiet machine: ``python benchmarks/synth_cost.py --output benchmarks/results/synth_cost.md``. Every variant
synthesizes the same app once a round, all in one process, and its best round counts, so that the ratios come from one
run of one machine. What the goal is about is measured inside of the synth: the time that the CDK waits for the checks,
less what reading the artifacts costs by itself. The difference of two whole synths is shown too; it is as large as what
they vary by.
"""

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from constructs_pkg.node import ensure_node

ensure_node()  # before aws_cdk, which starts it

import aws_cdk as cdk  # noqa: E402
from aws_cdk import aws_lambda as lambda_  # noqa: E402

from constructs_pkg.cdk import CodeSigningChecks, RequireCodeSigning  # noqa: E402
from constructs_pkg.clock import now  # noqa: E402
from constructs_pkg.signing.verifier import verify_archive  # noqa: E402
from constructs_pkg.testing import APPROVED_CONFIG_ARN, ThrowawayAuthority  # noqa: E402

FUNCTIONS, STACKS, ARTIFACTS = 1000, 5, 20
GOAL_PERCENT = 5.0
MODULE = "def handler(event, context):\n    return 'ok'\n" * 500


@dataclass(frozen=True)
class Variant:
    """One way to synthesize the app."""

    title: str
    has_checks: bool = False
    has_requirement: bool = False
    has_validation: bool = True


PLAIN = Variant("without the checks")
CHECKED = Variant("with `CodeSigningChecks`", has_checks=True)
REQUIRED = Variant("without the checks, config put on by `RequireCodeSigning`", has_requirement=True)
BARE = Variant("without the checks, CDK's own template validation off", has_validation=False)
BARE_CHECKED = Variant(
    "with `CodeSigningChecks`, CDK's own template validation off", has_checks=True, has_validation=False
)
VARIANTS = (PLAIN, CHECKED, REQUIRED, BARE, BARE_CHECKED)


class TimedChecks(CodeSigningChecks):
    """The checks, which remember how long they took; the way from Node.js to them shows in the synth alone."""

    seconds = 0.0

    def validate(self, context: cdk.IPolicyValidationContext) -> cdk.PolicyValidationPluginReport:
        """Judge the assembly; called by CDK."""
        begin = time.perf_counter()
        try:
            return super().validate(context)
        finally:
            self.seconds = time.perf_counter() - begin


def main() -> int:
    """Measure, print, and tell by the exit code whether the goal is met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path, help="where to write the report as well")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        authority, artifacts = make_artifacts(Path(folder))
        synths: dict[Variant, list[float]] = {variant: [] for variant in VARIANTS}
        checks: list[float] = []
        readings: list[float] = []
        for number in range(arguments.rounds):
            print(f"round {number + 1} of {arguments.rounds}", file=sys.stderr)
            for variant in VARIANTS:
                plugin = TimedChecks(authority.policy)
                synths[variant].append(seconds_of_synth(variant, plugin, artifacts, Path(folder)))
                checks += [plugin.seconds] if variant.has_checks else []
            readings.append(seconds_of(lambda: read_all(authority, artifacts)))
    best = {variant: min(times) for variant, times in synths.items()}
    report, is_met = report_on(best, min(checks), min(readings), arguments.rounds)
    print(report)
    if arguments.output:
        arguments.output.write_text(report + "\n", "utf-8")
    return 0 if is_met else 1


def make_artifacts(folder: Path) -> tuple[ThrowawayAuthority, list[Path]]:
    """Sign as many different archives as there are artifacts."""
    authority = ThrowawayAuthority.make(folder / "authority")
    return authority, [
        authority.signed_archive(folder / f"{number}.zip", {"index.py": f"NUMBER = {number}\n{MODULE}"})
        for number in range(ARTIFACTS)
    ]


def seconds_of_synth(variant: Variant, checks: CodeSigningChecks, artifacts: list[Path], folder: Path) -> float:
    """Build the app, and return how long its synth alone takes."""
    with tempfile.TemporaryDirectory(dir=folder) as outdir:
        app = cdk.App(
            outdir=outdir, analytics_reporting=False, builtin_cloud_formation_validation=variant.has_validation
        )
        for number in range(STACKS):
            add_functions(cdk.Stack(app, f"Stack{number}"), artifacts, has_config=not variant.has_requirement)
        if variant.has_requirement:
            RequireCodeSigning(APPROVED_CONFIG_ARN).apply_to(app)
        if variant.has_checks:
            cdk.Validations.of(app).add_plugins(checks)
        seconds = seconds_of(app.synth)
        if variant.has_checks:
            report = checks.report
            assert report is not None
            assert (report.functions, report.archives, report.violations) == (FUNCTIONS, ARTIFACTS, ())
        return seconds


def add_functions(stack: cdk.Stack, artifacts: list[Path], *, has_config: bool) -> None:
    """Add a stack's share of the functions; every artifact serves many of them."""
    codes = [lambda_.Code.from_asset(str(path)) for path in artifacts]
    config = lambda_.CodeSigningConfig.from_code_signing_config_arn(stack, "Config", APPROVED_CONFIG_ARN)
    for number in range(FUNCTIONS // STACKS):
        lambda_.Function(
            stack,
            f"Function{number}",
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler="index.handler",
            code=codes[number % len(codes)],
            code_signing_config=config if has_config else None,
        )


def read_all(authority: ThrowawayAuthority, artifacts: list[Path]) -> None:
    """Verify every artifact once."""
    for path in artifacts:
        with path.open("rb") as file:
            assert verify_archive(file, authority.policy, now())


def seconds_of(action: Callable[[], object]) -> float:
    """Return how long something takes."""
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def report_on(best: dict[Variant, float], checks: float, reading: float, rounds: int) -> tuple[str, bool]:
    """Return the report, and whether the goal is met."""
    added = checks - reading
    percents = {plain: 100 * added / best[plain] for plain in (PLAIN, BARE)}
    is_met = percents[PLAIN] <= GOAL_PERCENT
    rows = [f"| `app.synth()` {variant.title} | {seconds:.2f} |" for variant, seconds in best.items()]
    conditions = (
        f"`app.synth()` of {FUNCTIONS:,} functions (L2, each with its own role) in {STACKS} stacks, {ARTIFACTS} "
        f"different signed archives. Seconds, best of {rounds} rounds in one process. `benchmarks/synth_cost.py` "
        "writes this file."
    )
    machine = (
        f"{platform.system()}, {os.cpu_count()} processors, Python {platform.python_version()}, aws-cdk-lib "
        f"{version('aws-cdk-lib')}."
    )
    verdict = (
        f"Besides reading each archive once the checks take {1000 * added:.0f} ms, {percents[PLAIN]:.1f} % of a synth "
        f"(goal: at most {GOAL_PERCENT:.0f} %: {'met' if is_met else 'NOT met'}). With CDK's own template validation "
        f"off, the same work is {percents[BARE]:.1f} % of a much shorter synth."
    )
    lines = [
        "# What the checks cost at synth",
        "",
        conditions,
        "",
        machine,
        "",
        "| what | seconds |",
        "|---|---|",
        *rows,
        f"| the checks inside of it, the archives included | {checks:.3f} |",
        f"| reading and verifying the {ARTIFACTS} archives, by itself | {reading:.3f} |",
        "",
        verdict,
    ]
    return "\n".join(lines), is_met


if __name__ == "__main__":
    sys.exit(main())
