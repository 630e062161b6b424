"""The IAM policy of docs/signing.md is what ``sign`` needs, each action of it; real requests keep AWS's rate."""

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from constructs_pkg.aws.clients import Clients
from constructs_pkg.aws.signer import AwsSigner
from constructs_pkg.errors import AwsError, LambdaCodeSigningError, SigningError
from constructs_pkg.signing.signer_reference import AwsSignerReference
from constructs_pkg.testing.local_aws import LocalAws
from tests.local_aws.code_builders import PLATFORM, REGION
from tests.signing.signed_archives import archive_of

OWNER, ACCOUNT = "111111111111", "444444444403"
BUCKET, PROFILE = "acme-payments-signing", "acme_payments_g1"
PAGE = Path(__file__).parents[2] / "docs" / "signing.md"


def documented_policy() -> dict[str, Any]:
    blocks = [token.content for token in MarkdownIt().parse(PAGE.read_text("utf-8")) if token.info == "json"]
    return next(json.loads(block) for block in blocks if "SignWithOneProfile" in block)


POLICY = documented_policy()
ACTIONS = [
    action
    for statement in POLICY["Statement"]
    for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
]


def without(action: str) -> dict[str, Any]:
    policy = copy.deepcopy(POLICY)
    for statement in policy["Statement"]:
        actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        statement["Action"] = [item for item in actions if item != action] or ["s3:GetBucketTagging"]
    return policy


class RoleClients(Clients):
    """boto3's clients of a session of a role."""

    def __init__(self, aws: LocalAws, credentials: dict[str, str]) -> None:
        super().__init__()
        self._aws, self._credentials = aws, credentials
        self.answers: list[int] = []

    def client(self, service: str, region: str | None = None, *, attempts: int = 1) -> Any:
        assert attempts == 1
        made = self._aws.client(service, region=region or REGION, credentials=self._credentials)
        made.meta.events.register("after-call.signer", self._note)
        return made

    def _note(self, http_response: Any, **_: Any) -> None:
        self.answers.append(http_response.status_code)


class Account:
    """A bucket, a central profile that grants to the account, and roles with one policy each."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        owner = aws.client("signer", account=OWNER)
        owner.put_signing_profile(profileName=PROFILE, platformId=PLATFORM)
        revision: dict[str, str] = {}
        for action in ("StartSigningJob", "GetSigningProfile"):
            granted = {"profileName": PROFILE, "principal": ACCOUNT, "statementId": action, **revision}
            made = owner.add_profile_permission(action=f"signer:{action}", **granted)
            revision = {"revisionId": made["revisionId"]}
        s3 = aws.client("s3", account=ACCOUNT)
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})

    def signer(self, name: str, policy: dict[str, Any]) -> AwsSigner:
        """Return a signer with the rights of a role, which speaks to the local AWS."""
        return self.signer_of(self.clients(name, policy))

    def signer_of(self, clients: RoleClients) -> AwsSigner:
        reference = AwsSignerReference(BUCKET, profile_owner=OWNER, timeout_seconds=5)
        return AwsSigner(reference, clients=clients)

    def clients(self, name: str, policy: dict[str, Any]) -> RoleClients:
        iam = self.aws.client("iam", account=ACCOUNT)
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
            ],
        }
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        iam.put_role_policy(RoleName=name, PolicyName="sign", PolicyDocument=json.dumps(policy))
        role = f"arn:aws:iam::{ACCOUNT}:role/{name}"
        sts = self.aws.client("sts", account=ACCOUNT)
        given = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        return RoleClients(self.aws, given)


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with LocalAws(is_strict=True, limits_rates=True) as aws:
        made = Account(aws)
        sign(made.signer("first", POLICY), "0")
        yield made


def sign(signer: AwsSigner, *texts: str) -> None:
    for text in texts:
        signer.sign_object(archive_of(app__py=text.encode()), None, profile=PROFILE, at=datetime.now(UTC), name="app")


def test_the_documented_policy_suffices_and_the_rate_is_never_exceeded(account: Account) -> None:
    clients = account.clients("documented", POLICY)
    sign(account.signer_of(clients), "0", "1", "2", "3", "4")
    assert clients.answers == [200] * 10  # the profile, four jobs started and five looked at


@pytest.mark.parametrize("action", ACTIONS)
def test_each_action_of_the_documented_policy_is_needed(account: Account, action: str) -> None:
    signer = account.signer(f"without-{action.replace(':', '-')}", without(action))
    with pytest.raises(LambdaCodeSigningError) as caught:
        sign(signer, "0", action)  # what was signed before, and what was not
    assert isinstance(caught.value, AwsError | SigningError)
