"""AWS Signer, S3 and STS in memory, in the shape of boto3's clients, with faults where a test wants them.

The signatures are real (a local authority makes them). Time is virtual: who sleeps moves it.
"""

import base64
import hashlib
import io
import uuid
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from constructs_pkg.aws.pacing import SignerRate, Waiting
from constructs_pkg.aws.signer import AwsSigner
from constructs_pkg.errors import ServiceError, SigningError
from constructs_pkg.signing.authority import LocalAuthority
from constructs_pkg.signing.signer_reference import AwsSignerReference
from constructs_pkg.testing.local_aws.rate_limits import SIGNER_LIMITS, RateLimits
from tests.signing.signed_archives import archive_of

ACCOUNT, OTHER_ACCOUNT, REGION = "111111111111", "222222222222", "eu-west-1"
BUCKET, PROFILE = "signing", "payments_g1"
START = datetime(2026, 11, 23, 9, tzinfo=UTC)


class Killed(BaseException):
    """Stands for the end of the process: nothing of ours may catch it."""


def refusal(code: str, message: str = "refused", operation: str = "Operation") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@dataclass
class World:
    """What is the same for all clients: objects, jobs, time, faults, and what was asked.

    ``answers`` holds, by operation, what replaces members of the real answer; ``before`` and ``after`` hold what the
    next calls of it meet: an exception, a callable, or None.
    """

    authority: LocalAuthority
    versioning: str | None = "Enabled"
    bucket_region: str = REGION
    objects: dict[str, list[tuple[str, bytes, dict[str, Any]]]] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    before: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    after: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    looks_until_done: int = 1
    job_failure: str | None = None
    sign_as: str | None = None
    tamper: Callable[[bytes], bytes] = lambda signed: signed
    seconds: float = 0.0
    slept: list[float] = field(default_factory=list)
    limits: RateLimits | None = None

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    def client(self, service: str, region: str | None = None, *, attempts: int = 8) -> Any:
        fake = {"s3": FakeS3, "signer": FakeSigner, "sts": FakeSts}[service](self)
        fake.meta = SimpleNamespace(region_name=region or REGION)
        assert attempts == 1 or service != "signer", "requests to Signer are repeated by us, in their turn"
        return fake

    def signer(self, **more: Any) -> AwsSigner:
        reference = more.pop("reference", AwsSignerReference(BUCKET, timeout_seconds=60))
        waiting = Waiting(lambda: self.seconds, self.sleep)
        return AwsSigner(reference, clients=self, waiting=waiting, rate=SignerRate(), **more)

    def body(self, key: str) -> bytes:
        return self.objects[key][-1][1]

    def count(self, operation: str) -> int:
        return self.asked.count(operation)

    @property
    def signed_jobs(self) -> int:
        return sum(job["status"] == "Succeeded" for job in self.jobs.values())


def new_world(**more: Any) -> World:
    authority = LocalAuthority(b"w" * 48, created_at=START - timedelta(days=365), region=REGION, account=ACCOUNT)
    authority.put_profile(PROFILE)
    authority.put_profile("other_g1")
    return World(authority, **more)


def operation(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Count a call, and let the faults of the world happen around it."""

    def decorate(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: Any, **parameters: Any) -> Any:
            world: World = self.world
            world.asked.append(name)
            if world.limits is not None:
                try:
                    world.limits.require(ACCOUNT, REGION, name)
                except ServiceError as error:
                    raise refusal(error.code, str(error), name) from error
            happen(world.before[name])
            answer = method(self, **parameters)
            happen(world.after[name])
            return answer

        return call

    return decorate


def happen(faults: list[Any]) -> None:
    fault = faults.pop(0) if faults else None
    if isinstance(fault, BaseException):
        raise fault
    if fault is not None:
        fault()


@dataclass
class FakeSts:
    world: World

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": ACCOUNT}


@dataclass
class FakeSigner:
    world: World

    @operation("GetSigningProfile")
    def get_signing_profile(self, *, profileName: str, profileOwner: str | None = None) -> dict[str, Any]:  # noqa: N803
        try:
            profile = self.world.authority.profile(profileName)
        except SigningError as error:
            raise refusal("ResourceNotFoundException", str(error)) from error
        assert profileOwner in {None, OTHER_ACCOUNT}
        return {
            "platformId": "AWSLambda-SHA384-ECDSA",
            "status": str(profile.status),
            "profileVersionArn": str(self.world.authority.profile_version_arn(profileName)),
        } | self.world.answers.get("GetSigningProfile", {})

    @operation("StartSigningJob")
    def start_signing_job(self, **request: Any) -> dict[str, str]:
        world, token = self.world, request["clientRequestToken"]
        if token in world.tokens:
            return {"jobId": world.tokens[token]}
        job_id = str(uuid.UUID(int=len(world.jobs) + 1, version=4))
        world.tokens[token] = job_id
        world.jobs[job_id] = job = {"status": "InProgress", "looks": 0, "request": request}
        source = request["source"]["s3"]
        body = next(body for version, body, _ in world.objects[source["key"]] if version == source["version"])
        if world.job_failure is not None:
            job |= {"end": "Failed", "statusReason": world.job_failure}
            return {"jobId": job_id}
        target = io.BytesIO()
        profile = world.sign_as or request["profileName"]
        world.authority.sign(body, target, profile=profile, at=world.now(), job_id=job_id)
        key = f"{request['destination']['s3']['prefix']}{job_id}.zip"
        put(world, key, world.tamper(target.getvalue()))
        job |= {"end": "Succeeded", "signedObject": {"s3": {"bucketName": BUCKET, "key": key}}}
        return {"jobId": job_id}

    @operation("DescribeSigningJob")
    def describe_signing_job(self, *, jobId: str) -> dict[str, Any]:  # noqa: N803
        job = self.world.jobs.get(jobId)
        if job is None:
            raise refusal("ResourceNotFoundException", f"job {jobId}")
        job["looks"] += 1
        if job["looks"] >= self.world.looks_until_done:
            job["status"] = job["end"]
        return dict(job) if job["status"] != "InProgress" else {"status": "InProgress"}


def put(world: World, key: str, body: bytes, **metadata: Any) -> dict[str, str]:
    versions = world.objects.setdefault(key, [])
    versions.append((f"v{len(versions) + 1}", body, metadata))
    return {"VersionId": versions[-1][0], "ETag": etag(body)}


def etag(body: bytes) -> str:
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


@dataclass
class FakeS3:
    world: World

    @operation("HeadBucket")
    def head_bucket(self, *, Bucket: str, ExpectedBucketOwner: str) -> dict[str, Any]:  # noqa: N803
        if Bucket != BUCKET:
            raise refusal("404", "Not Found", "HeadBucket")
        if ExpectedBucketOwner != ACCOUNT:
            raise refusal("403", "Forbidden", "HeadBucket")
        return {"BucketRegion": self.world.bucket_region}

    @operation("GetBucketVersioning")
    def get_bucket_versioning(self, **_: Any) -> dict[str, Any]:
        return {} if self.world.versioning is None else {"Status": self.world.versioning}

    @operation("HeadObject")
    def head_object(self, *, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        if Key not in self.world.objects:
            raise refusal("404", "Not Found", "HeadObject")
        version, body, metadata = self.world.objects[Key][-1]
        answer = {"VersionId": version, "ETag": etag(body)}
        return answer | {key: value for key, value in metadata.items() if key == "ChecksumSHA256"}

    @operation("GetObject")
    def get_object(self, *, Key: str, VersionId: str | None = None, **_: Any) -> dict[str, Any]:  # noqa: N803
        for version, body, _metadata in reversed(self.world.objects.get(Key, [])):
            if VersionId in {None, version}:
                return {"Body": FakeBody(body), "VersionId": version}
        raise refusal("NoSuchKey", Key, "GetObject")

    @operation("PutObject")
    def put_object(self, *, Key: str, Body: Any, **parameters: Any) -> dict[str, str]:  # noqa: N803
        body = Body if isinstance(Body, bytes) else Body.read()
        versions = self.world.objects.get(Key)
        matches = parameters.pop("IfMatch", None)
        if parameters.pop("IfNoneMatch", None) == "*" and versions:
            raise refusal("PreconditionFailed", Key, "PutObject")
        if matches is not None and (not versions or etag(versions[-1][1]) != matches):
            raise refusal("PreconditionFailed", Key, "PutObject")
        checksum = parameters.get("ChecksumSHA256")
        assert checksum in {None, base64.b64encode(hashlib.sha256(body).digest()).decode()}
        return put(self.world, Key, body, **parameters)


@dataclass
class FakeBody:
    body: bytes

    def iter_chunks(self, size: int) -> Any:
        return (self.body[start : start + size] for start in range(0, len(self.body), size))


def new_limits(world: World) -> RateLimits:
    return RateLimits(SIGNER_LIMITS, lambda: world.seconds)


SOURCE = archive_of(app__py=b"def handler(event, context): return 1\n")
SHA256 = hashlib.sha256(SOURCE).hexdigest()


def sign(world, source=SOURCE, *, profile=PROFILE, target=None, **more):
    return world.signer(**more).sign_object(source, target, profile=profile, at=world.now(), name="app")


def key_of(world, profile=PROFILE):
    return f"signed/{SHA256}/{profile}-{world.authority.profile(profile).profile_version}.zip"


def changed_body(items):
    return [(name, b"evil" if name == "app.py" else body) for name, body in items]


def refused(world, **more) -> SigningError:
    with pytest.raises(SigningError) as caught:
        sign(world, **more)
    return caught.value
