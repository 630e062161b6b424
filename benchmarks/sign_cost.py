"""Measures what ``sign`` takes besides AWS: looking at archives, keeping AWS Signer's rate; prints a Markdown report.

Run it with ``python benchmarks/sign_cost.py``. The first part signs one large archive in memory and compares the CPU
time with that of reading the archive once. The second signs many small ones on the local AWS, with AWS Signer's limits.
"""

# boto3 makes its clients, and their types, at run time.
# ruff: noqa: ANN401

import io
import os
import platform
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from constructs_pkg.aws.clients import Clients
from constructs_pkg.aws.pacing import SignerRate
from constructs_pkg.aws.signer import AwsSigner
from constructs_pkg.aws.signing_batch import sign_concurrently
from constructs_pkg.clock import now
from constructs_pkg.signing.archive import read_archive
from constructs_pkg.signing.signed_object import SignedObject
from constructs_pkg.signing.signer_reference import AwsSignerReference
from constructs_pkg.testing.local_aws import LocalAws

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from tests.aws.fake_signing import PROFILE, World, new_world  # noqa: E402 (the tests are no package that is installed)

RESULTS = ROOT / "benchmarks" / "results" / "sign_cost.md"
ACCOUNT, REGION, BUCKET = "444444444403", "eu-west-1", "signing"
LARGE_FILES, LARGE_FILE_BYTES = 200, 500_000
ARCHIVES = 60


def archive(files: int, file_bytes: int, seed: str) -> bytes:
    """Return an archive of stored files, the same for the same seed in its names only."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as opened:
        for number in range(files):
            opened.writestr(zipfile.ZipInfo(f"{seed}-{number}.bin"), os.urandom(file_bytes))
    return target.getvalue()


def cpu_seconds(call: Callable[[], object]) -> float:
    """Return the CPU time of a call in this process, all threads."""
    start = time.process_time()
    call()
    return time.process_time() - start


def looking() -> str:
    """Compare signing and reusing with reading once."""
    source = archive(LARGE_FILES, LARGE_FILE_BYTES, "large")
    once = min(cpu_seconds(lambda: read_archive(io.BytesIO(source))) for _ in range(3))
    world = new_world()
    # What the fake itself does: signing, and the checksums and entity tags of S3.
    inside: list[float] = []
    for kind in ("StartSigningJob", "PutObject", "HeadObject"):
        measured(world, kind, inside)
    rows: list[str] = []
    for what in ("signed", "reused"):
        inside.clear()
        seconds = cpu_seconds(
            lambda: world.signer().sign_object(
                io.BytesIO(source), io.BytesIO(), profile=PROFILE, at=world.now(), name="large"
            )
        )
        rows.append(f"| {what} | {(seconds - sum(inside)) / once:.1f} |")
    return "\n".join(rows)


def measured(world: World, operation: str, inside: list[float]) -> None:
    """Add the CPU time of an operation of the fake to a list."""
    begun: list[float] = []
    world.before[operation] = Always(lambda: begun.append(time.process_time()))
    world.after[operation] = Always(lambda: inside.append(time.process_time() - begun.pop()))


class Always(list[Any]):
    """A list of faults that never ends."""

    def __init__(self, call: Callable[[], object]) -> None:
        super().__init__([call])

    def pop(self, _index: Any = -1) -> Any:
        """Return the one fault, and keep it."""
        return self[0]


class CountingClients(Clients):
    """Clients of the local AWS that count AWS Signer's answers by their status."""

    def __init__(self, aws: LocalAws) -> None:
        super().__init__()
        self._aws = aws
        self.answers: Counter[tuple[str, int]] = Counter()

    def client(self, service: str, region: str | None = None, *, attempts: int = 1) -> Any:  # noqa: ARG002 (of Clients)
        """Return a client of the local AWS."""
        made = self._aws.client(service, account=ACCOUNT, region=region or REGION)
        made.meta.events.register("after-call.signer", self._note)
        return made

    def _note(self, http_response: Any, model: Any, **_: Any) -> None:
        self.answers[model.name, http_response.status_code] += 1


def rate(aws: LocalAws, concurrency: int) -> str:
    """Sign many archives, and then again."""
    sources = [archive(1, 1000, f"{concurrency}-{number}") for number in range(ARCHIVES)]
    cells: list[str] = []
    for _ in range(2):
        clients = CountingClients(aws)
        signer = AwsSigner(AwsSignerReference(BUCKET), clients=clients, rate=SignerRate())
        signer.require_ready(PROFILE, now())

        def sign(source: bytes, signer: AwsSigner = signer) -> SignedObject:
            return signer.sign_object(source, None, profile=PROFILE, at=now(), name="small")

        start = time.monotonic()
        results = sign_concurrently(
            [lambda source=source: sign(source) for source in sources],
            concurrency=concurrency,
            stop=signer.stop,
            on_done=lambda: None,
        )
        seconds = time.monotonic() - start
        assert all(result.signed for result in results), results
        refused = sum(count for (_, status), count in clients.answers.items() if status == 429)
        cells += [f"{seconds:.1f}", f"{ARCHIVES / seconds:.1f}", str(refused)]
    return f"| {concurrency} | {' | '.join(cells)} |"


def main() -> None:
    """Measure, and write the report."""
    with LocalAws(limits_rates=True) as aws:
        s3, signer = (aws.client(service, account=ACCOUNT, region=REGION) for service in ("s3", "signer"))
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        signer.put_signing_profile(profileName=PROFILE, platformId="AWSLambda-SHA384-ECDSA")
        rows = "\n".join(rate(aws, concurrency) for concurrency in (1, 16, 64))
    report = f"""# What `sign` takes besides AWS

{platform.system()}, Python {platform.python_version()}, boto3 {version("boto3")}. By `benchmarks/sign_cost.py`.

## Looking at archives

CPU time for an archive of {LARGE_FILES * LARGE_FILE_BYTES // 1_000_000} MB, without AWS's part, as a multiple of
reading the archive once as the verifier does:

| | times reading once |
|---|---|
{looking()}

## Keeping AWS Signer's rate

{ARCHIVES} small archives on the local AWS, which takes 3 new jobs and 6 looks at a job a second and refuses the rest;
what it refuses is sent again. A job is over at once there, so that this is the pace alone; **it says nothing about how
long AWS takes**.

| at once | seconds | a second | refused | again: seconds | a second | refused |
|---|---|---|---|---|---|---|
{rows}
"""
    RESULTS.write_text(report, "utf-8")
    print(report)


if __name__ == "__main__":
    main()
