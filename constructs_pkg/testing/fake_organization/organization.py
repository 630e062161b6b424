"""One organization in memory: what is in it, who may do what, what goes wrong, how long answers take."""

import itertools
import threading
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from constructs_pkg.testing.fake_organization.clients import Caller, FakeSession, Service
from constructs_pkg.testing.fake_organization.clock import SimulatedClock
from constructs_pkg.testing.fake_organization.cloudformation import CloudFormationService
from constructs_pkg.testing.fake_organization.faults import Faults, Rates, ServiceAnswer, throttled
from constructs_pkg.testing.fake_organization.identity import OrganizationsService, StsService
from constructs_pkg.testing.fake_organization.lambda_service import LambdaService
from constructs_pkg.testing.fake_organization.observation import CloudTrailService, CloudWatchService
from constructs_pkg.testing.fake_organization.parameters import SsmService
from constructs_pkg.testing.fake_organization.records import FakeAccount, Place
from constructs_pkg.testing.fake_organization.run_services import S3Service, SnsService, StepFunctionsService
from constructs_pkg.testing.fake_organization.signer import SignerService
from constructs_pkg.testing.fake_organization.stack_records import FakeStackSet

__all__ = ["LATENCIES", "FakeOrganization"]

LATENCIES: Mapping[str, float] = {
    "lambda:ListFunctions": 0.35,
    "lambda": 0.06,
    "cloudtrail:LookupEvents": 0.4,
    "cloudwatch": 0.15,
    "ssm": 0.05,
    "sts": 0.1,
    "organizations": 0.2,
    "signer": 0.1,
}
"""Seconds that an answer takes on average, network included; our assumption, no measurement of AWS."""

_OTHERWISE_SECONDS = 0.1
_HOME = "eu-west-1"


class FakeOrganization:
    """An organization whose clients are shaped like boto3's.

    Requests and answers are held against botocore's shapes. It does not know IAM policies: a role may everything but
    what `Faults` denies. Nothing is signed or verified.

    Args:
        clock: Where its time comes from.
        partition: Such as ``aws``.
        latencies: Seconds by ``service:Operation`` or service; empty for answers at once.
        checks_answers: Whether answers are held against botocore's shapes, too.

    Attributes:
        faults: What goes wrong.
        calls: How often each ``service:Operation`` was called, refused calls included.
        accounts: By account id.
        units: Organizational units: parent id by unit id.
        stack_sets: By name.
        buckets: Objects by bucket and key: content and ETag.
        messages: What was published: subject and message.
        executions: Status of executions of state machines by ARN.
        execution_inputs: What those got that somebody started, by ARN.
    """

    def __init__(
        self,
        clock: SimulatedClock,
        *,
        partition: str = "aws",
        latencies: Mapping[str, float] | None = None,
        checks_answers: bool = True,
    ) -> None:
        self.clock, self.partition, self.checks_answers = clock, partition, checks_answers
        self.faults = Faults()
        self.calls: Counter[str] = Counter()
        self.accounts: dict[str, FakeAccount] = {}
        self.units: dict[str, str] = {}
        self.stack_sets: dict[str, FakeStackSet] = {}
        self.buckets: dict[str, dict[str, tuple[bytes, str]]] = {}
        self.messages: list[tuple[str, str]] = []
        self.executions: dict[str, str] = {}
        self.execution_inputs: dict[str, str] = {}
        self._latencies = dict(latencies or {})
        self._places: dict[tuple[str, str], Place] = {}
        self._rates = Rates(clock.monotonic)
        self._callers: dict[str, Caller] = {}
        self._serial = itertools.count(1)
        self._lock = threading.Lock()
        self._services: dict[str, type[Service]] = {
            "cloudformation": CloudFormationService,
            "cloudtrail": CloudTrailService,
            "cloudwatch": CloudWatchService,
            "lambda": LambdaService,
            "organizations": OrganizationsService,
            "s3": S3Service,
            "signer": SignerService,
            "sns": SnsService,
            "ssm": SsmService,
            "stepfunctions": StepFunctionsService,
            "sts": StsService,
        }

    def serve(self, service: str, handler: type[Service]) -> None:
        """Answer the calls of one more service, or of one in another way.

        Args:
            service: As boto3 names it.
            handler: Its methods are named as those of boto3's client.
        """
        self._services[service] = handler

    def add_unit(self, unit: str, parent: str = "r-root") -> None:
        """Add an organizational unit."""
        self.units[unit] = parent

    def add_account(self, account: str, parent: str = "r-root", roles: Sequence[str] = ()) -> FakeAccount:
        """Add an account with roles that the callers of other accounts may assume."""
        self.accounts[account] = FakeAccount(account, parent, roles)
        return self.accounts[account]

    def place(self, account: str, region: str) -> Place:
        """Return what there is in an account in a Region; change it at any time."""
        with self._lock:
            return self._places.setdefault((account, region), Place(account, region))

    def session(self, account: str, region: str = _HOME) -> FakeSession:
        """Return the session of an administrator of an account, whose credentials do not end."""
        return FakeSession(self, Caller(account, f"arn:{self.partition}:iam::{account}:user/administrator"), region)

    def session_of(self, credentials: Mapping[str, Any], region: str = _HOME) -> FakeSession:
        """Return the session of credentials that AssumeRole handed out.

        Args:
            credentials: The member ``Credentials`` of its answer.
            region: The default Region.
        """
        return FakeSession(self, self._callers[credentials["AccessKeyId"]], region)

    def caller_of(self, access_key_id: str) -> Caller:
        """Return whom AssumeRole gave an access key id."""
        return self._callers[access_key_id]

    def register(self, caller: Caller) -> str:
        """Hand out an access key id for a caller."""
        with self._lock:
            key = f"ASIA{next(self._serial):016d}"
            self._callers[key] = caller
        return key

    def serial(self) -> int:
        """Return the next of a row of numbers, for ids."""
        with self._lock:
            return next(self._serial)

    def handler(self, service: str, caller: Caller, region: str) -> Service:
        """Return what answers a service's calls."""
        if service not in self._services:
            raise AttributeError(f"the fake organization has no service {service!r}. Add it with serve()")
        return self._services[service](self, caller, region)

    def admit(self, caller: Caller, region: str, service: str, operation: str) -> None:
        """Let time pass and count a call, before it is answered.

        Raises:
            ServiceAnswer: It is not answered, because of `Faults`, of the rate, or of credentials that have ended.
        """
        name, key = f"{service}:{operation}", (caller.account, region, f"{service}:{operation}")
        with self._lock:
            self.calls[name] += 1
            latency = self._latency(name, service, key, self.calls[name])
        if latency:
            self.clock.sleep(latency)
        with self._lock:
            self._require_credentials(caller, region, service)
            if self.faults.throttled.get(key, 0) > 0:
                self.faults.throttled[key] -= 1
                raise throttled(service)
            if key in self.faults.failing:
                raise self.faults.failing[key]
            self._rates.require(caller.account, "" if service == "sts" else region, service, operation)
        if (caller.account, name) in self.faults.denied_actions:
            code = "AccessDenied" if service in {"cloudwatch", "cloudformation"} else "AccessDeniedException"
            raise ServiceAnswer(code, f"User: {caller.arn} is not authorized to perform: {name}", 403)

    def _latency(self, name: str, service: str, key: tuple[str, str, str], count: int) -> float:
        if not self._latencies:
            return 0.0
        mean = self._latencies.get(name, self._latencies.get(service, _OTHERWISE_SECONDS))
        # between half and one and a half of the mean, the same for the same call
        return mean * (0.5 + zlib.crc32(f"{key}{count}".encode()) % 1000 / 1000)

    def _require_credentials(self, caller: Caller, region: str, service: str) -> None:
        if caller.expires_at is not None and self.clock.monotonic() >= caller.expires_at:
            raise ServiceAnswer("ExpiredTokenException", "The security token included in the request is expired", 403)
        is_off = caller.account in self.faults.closed_accounts or (caller.account, region) in self.faults.regions_off
        if is_off and service not in {"sts", "organizations"}:
            message = "The security token included in the request is invalid."
            raise ServiceAnswer("UnrecognizedClientException", message, 403)
