"""Measures the local AWS: start, memory, 500 signing jobs, a StackSet in 50 accounts and 3 Regions; prints Markdown.

Run it on a quiet machine: ``python benchmarks/local_aws.py --output benchmarks/results/local_aws.md``. Every number
comes from boto3 calls to a server in a process of its own, so request and answer are in the times. Needs Linux, whose
``/proc`` tells the memory of the server.
"""

import argparse
import io
import os
import platform
import re
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

from constructs_pkg.testing.local_aws import LocalAws

STARTS = 5
JOBS, ACCOUNTS = 500, 50
REGIONS = ("eu-west-1", "eu-central-1", "us-east-1")
SECURITY = "222222222222"
FIRST_ACCOUNT = 555555555500
SIGNING_THREADS = 4
KIB_IN_MIB = 1024
PROFILE_ARN = "arn:aws:signer:eu-west-1:222222222222:/signing-profiles/benchmark/0123456789"
TEMPLATE = f"""
Resources:
  Config:
    Type: AWS::Lambda::CodeSigningConfig
    Properties:
      Description: DESCRIPTION
      AllowedPublishers:
        SigningProfileVersionArns: ["{PROFILE_ARN}"]
      CodeSigningPolicies:
        UntrustedArtifactOnDeployment: Enforce
"""

Row = tuple[str, str]


def main() -> None:
    """Parse the arguments, measure, print and write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        organization = write_organization(Path(folder))
        print("start", file=sys.stderr)
        rows += measure_start(organization)
        print("signing jobs", file=sys.stderr)
        rows += measure_signing(organization)
        print("StackSet", file=sys.stderr)
        rows += measure_stack_set(organization)
        print("state", file=sys.stderr)
        rows += measure_restart(organization, Path(folder) / "state")
    report = heading() + "\n".join(
        ["| what | result |", "|---|---:|", *(f"| {name} | {value} |" for name, value in rows)]
    )
    print(report)
    if arguments.output is not None:
        arguments.output.write_text(report + "\n", encoding="utf-8")


def write_organization(folder: Path) -> Path:
    """Write an organization with 50 accounts in one organizational unit."""
    accounts = "\n".join(
        f'[[accounts]]\nname = "member-{number}"\nid = "{FIRST_ACCOUNT + number}"\norganizational_unit = "members"\n'
        for number in range(ACCOUNTS)
    )
    regions = ", ".join(f'"{region}"' for region in REGIONS)
    path = folder / "organization.toml"
    path.write_text(
        f"""
[organization]
id = "o-b3nchm4rk0"
name = "bench"
management_account = "111111111111"
security_account = "{SECURITY}"
home_region = "{REGIONS[0]}"
target_regions = [{regions}]

[[organizational_units]]
name = "members"
id = "ou-b3nc-00000001"

{accounts}

[[applications]]
name = "benchmark"
owners = ["benchmark@bench.example"]
[applications.signers]
accounts = ["{SECURITY}"]

[[signing_profiles]]
application = "benchmark"
generation = 1
validity = "12 months"
state = "active"
""",
        "utf-8",
    )
    return path


def measure_start(organization: Path) -> list[Row]:
    """Start and stop a server some times."""
    seconds: list[float] = []
    for _ in range(STARTS):
        aws = LocalAws(organization=organization)
        begin = time.perf_counter()
        aws.start()
        seconds.append(time.perf_counter() - begin)
        memory = resident_mib(aws)
        aws.stop()
    return [
        ("start until the first request is answered, best", f"{min(seconds):.2f} s"),
        (f"the same, slowest of {STARTS}", f"{max(seconds):.2f} s"),
        ("resident memory when idle", f"{memory:.0f} MiB"),
    ]


def measure_signing(organization: Path) -> list[Row]:
    """Have one object signed 500 times and look at every job."""
    with LocalAws(organization=organization) as aws:
        s3, signer = aws.client("s3"), aws.client("signer")
        s3.create_bucket(Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": REGIONS[0]})
        s3.put_bucket_versioning(Bucket="artifacts", VersioningConfiguration={"Status": "Enabled"})
        object_version = s3.put_object(Bucket="artifacts", Key="code.zip", Body=archive())["VersionId"]
        signer.put_signing_profile(profileName="benchmark", platformId="AWSLambda-SHA384-ECDSA")

        def job(number: int) -> str:
            return signer.start_signing_job(
                profileName="benchmark",
                clientRequestToken=f"job-{number}",
                source={"s3": {"bucketName": "artifacts", "key": "code.zip", "version": object_version}},
                destination={"s3": {"bucketName": "artifacts", "prefix": "signed/"}},
            )["jobId"]

        def status(job_id: str) -> str:
            while (found := signer.describe_signing_job(jobId=job_id)["status"]) == "InProgress":
                time.sleep(0.01)
            return found

        before = resident_mib(aws)
        begin = time.perf_counter()
        with ThreadPoolExecutor(SIGNING_THREADS) as pool:
            statuses = list(pool.map(lambda number: status(job(number)), range(JOBS)))
        seconds = time.perf_counter() - begin
        insist("statuses of the signing jobs", Counter(statuses), {"Succeeded": JOBS})
        return [
            (f"{JOBS} signing jobs, {SIGNING_THREADS} at a time, each started and described", f"{seconds:.1f} s"),
            ("one job", f"{1000 * seconds / JOBS:.0f} ms"),
            ("resident memory that they add", f"{resident_mib(aws) - before:.0f} MiB"),
        ]


def measure_stack_set(organization: Path) -> list[Row]:
    """Roll a StackSet out to 50 accounts in 3 Regions, change it, detect drift, delete it."""
    name = {"StackSetName": "configs", "CallAs": "DELEGATED_ADMIN"}
    where = {"DeploymentTargets": {"OrganizationalUnitIds": ["ou-b3nc-00000001"]}, "Regions": list(REGIONS)}
    preferences = {"MaxConcurrentPercentage": 100, "FailureTolerancePercentage": 0, "RegionConcurrencyType": "PARALLEL"}
    preferences["ConcurrencyMode"] = "SOFT_FAILURE_TOLERANCE"
    rows: list[Row] = []
    count = ACCOUNTS * len(REGIONS)
    with LocalAws(organization=organization) as aws:
        cloudformation = aws.client("cloudformation", account=SECURITY)
        before = resident_mib(aws)

        def timed(what: str, operation: Callable[..., dict[str, Any]], **arguments: Any) -> None:  # noqa: ANN401
            begin = time.perf_counter()
            answer = operation(**name, **arguments, OperationPreferences=preferences)
            wait(cloudformation, name, answer["OperationId"])
            rows.append((what, f"{time.perf_counter() - begin:.1f} s"))

        cloudformation.create_stack_set(
            **name,
            TemplateBody=TEMPLATE,
            PermissionModel="SERVICE_MANAGED",
            AutoDeployment={"Enabled": True, "RetainStacksOnAccountRemoval": False},
        )
        what = f"a StackSet with one config, to {ACCOUNTS} accounts in {len(REGIONS)} Regions"
        timed(what, cloudformation.create_stack_instances, **where)
        insist("configs before the change", descriptions(aws), {"DESCRIPTION": count})
        changed = TEMPLATE.replace("DESCRIPTION", "changed")
        timed(f"changing all {count} stacks", cloudformation.update_stack_set, TemplateBody=changed)
        insist("configs after the change", descriptions(aws), {"changed": count})
        timed(f"drift detection over all {count}", cloudformation.detect_stack_set_drift)
        rows.append(("resident memory that they add", f"{resident_mib(aws) - before:.0f} MiB"))
        timed(f"deleting all {count}", cloudformation.delete_stack_instances, **where, RetainStacks=False)
        insist("configs that are left", descriptions(aws), {})
    return rows


def descriptions(aws: LocalAws) -> Counter[str]:
    """Count the configs of all accounts and Regions by their description: the StackSet's stacks are real."""
    found: Counter[str] = Counter()
    for number in range(ACCOUNTS):
        for region in REGIONS:
            client = aws.client("lambda", account=str(FIRST_ACCOUNT + number), region=region)
            found.update(config["Description"] for config in client.list_code_signing_configs()["CodeSigningConfigs"])
    return found


def insist(what: str, found: object, expected: object) -> None:
    """Stop where a measurement would be of something that did not happen."""
    if found != expected:
        raise SystemExit(f"{what}: {found}, expected {expected}")


def wait(cloudformation: Any, name: dict[str, str], operation_id: str) -> None:  # noqa: ANN401 (boto3 has no types)
    """Wait for a StackSet operation and insist on its success."""
    while True:
        operation = cloudformation.describe_stack_set_operation(**name, OperationId=operation_id)["StackSetOperation"]
        if operation["Status"] not in {"RUNNING", "QUEUED"}:
            break
        time.sleep(0.05)
    if operation["Status"] != "SUCCEEDED":
        raise SystemExit(f"the StackSet operation {operation_id} is {operation['Status']}: {operation}")


def measure_restart(organization: Path, state: Path) -> list[Row]:
    """Stop a server that keeps its state and start it again with that state."""
    with LocalAws(organization=organization, state_directory=state) as aws:
        signer = aws.client("signer")
        for number in range(100):
            signer.put_signing_profile(profileName=f"profile_{number}", platformId="AWSLambda-SHA384-ECDSA")
    begin = time.perf_counter()
    with LocalAws(organization=organization, state_directory=state) as aws:
        seconds = time.perf_counter() - begin
        pages = aws.client("signer").get_paginator("list_signing_profiles").paginate()
        found = sum(len(page["profiles"]) for page in pages)
    return [(f"start with stored state; {found} of 100 signing profiles are back", f"{seconds:.2f} s")]


def archive() -> bytes:
    """Return a ZIP with a little code."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as writer:
        writer.writestr("index.py", "def handler(event, context):\n    return 'ok'\n" * 100)
    return target.getvalue()


def resident_mib(aws: LocalAws) -> float:
    """Return the resident memory of the server."""
    status = Path(f"/proc/{aws.process_id}/status").read_text("utf-8")
    found = re.search(r"VmRSS:\s+(\d+)", status)
    if found is None:
        raise SystemExit("the system does not tell the server's memory")
    return int(found[1]) / KIB_IN_MIB


def heading() -> str:
    """Return what the numbers were measured on."""
    model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text("utf-8"))
    return (
        "# The local AWS: time and memory\n\nWritten by `python benchmarks/local_aws.py`.\n\n"
        f"- {os.cpu_count()} cores, {model[1] if model else 'unknown processor'}; {platform.system()}, "
        f"{platform.machine()}; load at the start {os.getloadavg()[0]:.2f}\n"
        f"- Python {platform.python_version()}, MiniStack {version('ministack')}, boto3 {version('boto3')}\n\n"
    )


if __name__ == "__main__":
    main()
