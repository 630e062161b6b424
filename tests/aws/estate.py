"""A fake organization that is deployed as organization.toml says: configs, parameters, and functions to order."""

import itertools
from datetime import UTC, datetime
from pathlib import Path

from constructs_pkg.arns import SigningJobArn
from constructs_pkg.aws.accounts import ListedAccount, MemberAccounts
from constructs_pkg.aws.clients import Clients
from constructs_pkg.aws.member_place import Pace
from constructs_pkg.organization import load_organization
from constructs_pkg.organization.rollout import planned_stack_sets
from constructs_pkg.testing.fake_organization import (
    ConfigRecord,
    EventRecord,
    FakeOrganization,
    FunctionRecord,
    LayerRecord,
    MetricRecord,
    SimulatedClock,
    SimulatedThreads,
)

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECURITY, SANDBOX, DEVELOPMENT = "222222222222", "444444444401", "444444444402"
REGIONS = ("eu-west-1", "eu-central-1", "us-east-1")
ROLE = "acme-code-signing-auditor"
PAYMENTS = "arn:aws:signer:eu-west-1:222222222222:/signing-profiles/acme_payments_g2/a1B2c3D4e5"
CHECKOUT = "arn:aws:signer:eu-west-1:222222222222:/signing-profiles/acme_checkout_g1/b1B2c3D4e5"
NOTICES = "arn:aws:signer:eu-west-1:222222222222:/signing-profiles/acme_customer_notices_g1/c1B2c3D4e5"
VENDOR = "arn:aws:signer:us-east-1:777777777777:/signing-profiles/ObservatoryLayers/a1B2c3D4e5"
STRANGER = "arn:aws:signer:eu-west-1:999999999999:/signing-profiles/stranger/z1B2c3D4e5"
ORGANIZATION = load_organization(Path(__file__).parents[2] / "organization.toml", at=AT)
APPLICATIONS = planned_stack_sets(ORGANIZATION)[0].applications
PUBLISHERS = dict.fromkeys(APPLICATIONS, NOTICES) | {"payments": PAYMENTS, "checkout": CHECKOUT}


def job(number: int) -> str:
    return str(SigningJobArn("aws", "eu-west-1", SECURITY, f"00000000-0000-0000-0000-{number:012d}"))


class Estate:
    """The wave "first" of organization.toml, rolled out in Warn: two accounts in three Regions, without a function."""

    def __init__(self, *, accounts=(SANDBOX, DEVELOPMENT), regions=REGIONS, mode="Warn", **settings) -> None:
        self.clock = SimulatedClock(AT)
        self.aws = FakeOrganization(self.clock, **settings)
        self.serial = itertools.count()
        self.aws.add_account(SECURITY)
        for unit in ("ou-a1b2-00000001", "ou-a1b2-00000002", "ou-a1b2-00000003", "ou-a1b2-00000004"):
            self.aws.add_unit(unit)
        for number, account in enumerate(accounts):
            self.aws.add_account(account, f"ou-a1b2-0000000{number % 2 + 1}", roles=[ROLE])
            for region in regions:
                self.roll_out(account, region, mode)

    def roll_out(self, account, region, mode) -> None:
        place = self.aws.place(account, region)
        for application, publisher in PUBLISHERS.items():
            arn = self.config(account, region, (publisher, VENDOR), mode)
            path = f"/lambda-code-signing/code-signing-configs/{application}"
            place.parameters |= {f"{path}/arn": ("String", arn), f"{path}/mode": ("String", mode)}

    def config(self, account, region, publishers, mode) -> str:
        arn = f"arn:aws:lambda:{region}:{account}:code-signing-config:csc-{next(self.serial):017d}"
        self.aws.place(account, region).configs[arn] = ConfigRecord(arn, tuple(publishers), mode)
        return arn

    def approved(self, account, region, application) -> str:
        parameters = self.aws.place(account, region).parameters
        return parameters[f"/lambda-code-signing/code-signing-configs/{application}/arn"][1]

    def function(self, name, *, at=(SANDBOX, "eu-west-1"), application="payments", signer=PAYMENTS, **more):
        """Add a function that nothing is wrong with, but for what the caller says."""
        config = more.pop("config", None) or self.approved(*at, application)
        record = FunctionRecord(
            name,
            None if config == "none" else config,
            self.clock.monotonic(),
            signer,
            None if signer is None else more.pop("job", job(next(self.serial))),
            **more,
        )
        self.aws.place(*at).functions[name] = record
        return record

    def layer(self, name, signer, *, at=(SANDBOX, "eu-west-1"), version=1, job_arn=None) -> str:
        arn = f"arn:aws:lambda:{at[1]}:{at[0]}:layer:{name}:{version}"
        job_arn = None if signer is None else job_arn or job(next(self.serial))
        self.aws.place(*at).layers[arn] = LayerRecord(arn, signer, job_arn)
        return arn

    def deployment(self, function, status, moment, *, at=(SANDBOX, "eu-west-1"), error=None) -> None:
        record = {
            "requestParameters": {"functionName": function},
            "additionalEventData": {"signatureStatus": status},
        } | ({"errorCode": error} if error else {})
        self.aws.place(*at).events.append(EventRecord("UpdateFunctionCode20150331v2", moment, record))

    def counted(self, dimensions, value, moment, *, at=(SANDBOX, "eu-west-1")) -> None:
        record = MetricRecord("SignatureValidationErrors", tuple(dimensions.items()), [(moment, value)])
        self.aws.place(*at).metrics.append(record)

    @property
    def pace(self) -> Pace:
        return Pace(
            monotonic=self.clock.monotonic,
            sleep=self.clock.sleep,
            at=self.clock.now,
            jitter=lambda: 0.5,
            executor=lambda workers: SimulatedThreads(self.clock, workers),
        )

    @property
    def members(self) -> MemberAccounts:
        return MemberAccounts(
            Clients(self.aws.session(SECURITY)),
            lambda account: f"arn:aws:iam::{account}:role/{ROLE}",
            "eu-west-1",
            own_account=SECURITY,
            pace=self.pace,
            session_of=self.aws.session_of,
        )

    @property
    def accounts(self):
        return [ListedAccount(account) for account in self.aws.accounts if account != SECURITY]
