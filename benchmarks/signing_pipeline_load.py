"""Uploads 500 archives at once to the signing pipeline on a strict local AWS; prints Markdown.

``python benchmarks/signing_pipeline_load.py --output benchmarks/results/signing_pipeline_load.md``. The template is the
reviewed one of the reference deployment; waits are not shortened and AWS Signer's rate limits apply, so that it takes
five minutes and a half, whatever the machine. How fast AWS is, it does not tell: the pace is what is measured.
"""

import argparse
import os
import platform
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # tests lie beside benchmarks and are not installed

from constructs_pkg.testing.local_aws import LocalAws
from tests.local_aws.pipeline_bench import ROOT, PipelineBench, package

Row = tuple[str, str]


def main() -> None:
    """Parse the arguments, measure, print and write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--uploads", type=int, default=500)
    arguments = parser.parse_args()
    organization = ROOT / "organization.toml"
    before = heading()
    with LocalAws(organization=organization, is_strict=True, limits_rates=True) as aws:
        rows = measure(PipelineBench(aws), arguments.uploads)
    lines = ["| what | result |", "|---|---:|", *(f"| {what} | {result} |" for what, result in rows)]
    report = before + "\n".join(lines) + "\n"
    print(report)
    if arguments.output:
        arguments.output.write_text(report, "utf-8")


def measure(bench: PipelineBench, number: int) -> list[Row]:
    """Upload, wait for the last execution, and count."""
    bodies = {f"payments/load-{index}.zip": package(f"load {index}") for index in range(number)}
    begin = time.perf_counter()
    versions = bench.upload_many(bodies)
    uploaded = time.perf_counter() - begin
    keys = [bench.signed_key(body) for body in bodies.values()]
    bench.until(lambda: all_filed(bench, keys), seconds=3600)
    filed = time.perf_counter() - begin
    statuses = Counter(bench.ended(key, version)["status"] for key, version in versions.items())
    ended = time.perf_counter() - begin
    with ThreadPoolExecutor(8) as pool:
        throttled = Counter(pool.map(lambda item: throttles(bench, *item), versions.items()))
    jobs = bench.jobs()
    return [
        ("uploads", str(number)),
        ("uploaded after", f"{uploaded:.1f} s"),
        ("the last one filed after", f"{filed:.0f} s"),
        ("filed a second", f"{number / filed:.2f}"),
        ("the last execution ended after", f"{ended:.0f} s"),
        ("executions that succeeded", str(statuses["SUCCEEDED"])),
        ("executions that ended otherwise", str(sum(statuses.values()) - statuses["SUCCEEDED"])),
        ("signing jobs", str(len(jobs))),
        ("jobs that did not succeed", str(sum(job["status"] != "Succeeded" for job in jobs))),
        ("signed objects with their provenance", str(bench.versions("signed/"))),
        ("calls that AWS Signer's limits refused, and that were made again", str(sum(throttled.elements()))),
        ("dead letters", str(bench.dead_letters())),
    ]


def all_filed(bench: PipelineBench, keys: list[str]) -> bool:
    """Say whether the provenance of every upload is there."""
    pages = bench.s3.get_paginator("list_objects_v2").paginate(
        Bucket="acme-signed-code-222222222222-eu-west-1", Prefix="signed/"
    )
    found = {item["Key"] for page in pages for item in page.get("Contents", [])}
    time.sleep(1)
    return {key.replace(".zip", ".json") for key in keys} <= found


def throttles(bench: PipelineBench, key: str, upload_version: str) -> int:
    """Return how often AWS Signer refused a call of an upload's execution because of its limits."""
    arn = bench.execution(key, upload_version)
    events = bench.states.get_execution_history(executionArn=arn, maxResults=1000)["events"]
    return sum("TooManyRequests" in str(event.get("taskFailedEventDetails", {}).get("error")) for event in events)


def heading() -> str:
    """Return what the numbers were measured on."""
    return (
        "# The signing pipeline: 500 uploads at once\n\nWritten by `python benchmarks/signing_pipeline_load.py`.\n\n"
        f"- {os.cpu_count()} cores; {platform.system()}, {platform.machine()}; load at the start "
        f"{os.getloadavg()[0]:.2f}\n"
        f"- Python {platform.python_version()}, MiniStack {version('ministack')}, boto3 {version('boto3')}\n"
        "- AWS Signer's limits: 3 StartSigningJob and 6 DescribeSigningJob a second\n\n"
    )


if __name__ == "__main__":
    main()
