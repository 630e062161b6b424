"""The signing pipeline's table: who may sign with what, who may write where, and what nobody may do."""

from collections.abc import Mapping
from dataclasses import dataclass

from constructs_pkg.guardrails.pipeline_buckets import signed_bucket_policy, upload_bucket_policy
from constructs_pkg.guardrails.pipeline_roles import pipeline_role_policies
from constructs_pkg.guardrails.signing_pipeline import PipelineApplication, SigningPipelineNames
from tests.guardrails.asking import ask
from tests.guardrails.iam_evaluator import Request
from tests.guardrails.intents import OUTSIDER

PUBLISHER, BUILD, PAYMENTS, CHECKOUT = "222222222222", "444444444405", "444444444404", "444444444402"
ORGANIZATION_ID = "o-a1b2c3d4e5"
NAMES = SigningPipelineNames(prefix="acme", partition="aws", account=PUBLISHER, region="eu-west-1")
APPLICATIONS = (
    PipelineApplication(
        name="payments",
        profile_name="acme_payments_g2",
        profile_version="a1B2c3D4e5",
        writer_roles=(f"arn:aws:iam::{PAYMENTS}:role/payments-release", f"arn:aws:iam::{BUILD}:role/payments-ci"),
    ),
    PipelineApplication(
        name="checkout",
        profile_name="acme_checkout_g1",
        profile_version="f6G7h8I9j0",
        writer_roles=(f"arn:aws:iam::{BUILD}:role/checkout-ci",),
        writer_accounts=(CHECKOUT,),
    ),
    PipelineApplication(name="frozen", profile_name="acme_frozen_g1", profile_version="k1L2m3N4o5"),
)
UPLOADS = upload_bucket_policy(NAMES, APPLICATIONS).to_dict()
SIGNED = signed_bucket_policy(NAMES, ORGANIZATION_ID).to_dict()
ROLES = {of: policy.to_dict() for of, policy in pipeline_role_policies(NAMES, APPLICATIONS).items()}
NOTHING: Mapping = {"Version": "2012-10-17", "Statement": []}
EVERYTHING: Mapping = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "AdministratorAccess", "Effect": "Allow", "Action": "*", "Resource": "*"}],
}
GLOBAL = ("aws:PrincipalOrgID", "aws:SecureTransport")


@dataclass(frozen=True)
class Row:
    """A request, whose policies its role has, the bucket's policy, and what must come out."""

    why: str
    request: Request
    identity: Mapping
    resource_policy: Mapping
    granted: bool
    denied_by: frozenset[str] = frozenset()


def role(name: str, account: str) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def upload(key: str) -> str:
    return f"arn:aws:s3:::{NAMES.upload_bucket}/{key}"


def signed(key: str = "signed/ab/acme_payments_g2-a1B2c3D4e5.zip") -> str:
    return f"arn:aws:s3:::{NAMES.signed_bucket}/{key}"


def request_of(principal: str, action: str, arn: str, *, organization: str | None = ORGANIZATION_ID, **keys) -> Request:
    """What AWS fills in for a role of the organization that speaks TLS, and what the row says."""
    given = {"aws__SecureTransport": "true", **({"aws__PrincipalOrgID": organization} if organization else {}), **keys}
    asked = ask(action, arn, extra_keys=GLOBAL, **given)
    return Request(principal, asked.action, asked.resources, asked.region, asked.context, extra_keys=GLOBAL)


def to_uploads(
    why: str, principal: str, key: str, *denied_by: str, granted: bool, identity: Mapping = EVERYTHING
) -> Row:
    request = request_of(principal, "s3:PutObject", upload(key))
    return Row(why, request, identity, UPLOADS, granted, frozenset(denied_by))


def own(of: str, why: str, action: str, arn: str, *denied_by: str, granted: bool = True, **keys) -> Row:
    """What a role of the pipeline may do, with its own policies and nothing else."""
    bucket = SIGNED if NAMES.signed_bucket in arn else UPLOADS if NAMES.upload_bucket in arn else NOTHING
    request = request_of(NAMES.role_arn(of), action, arn, **keys)
    return Row(f"{of}: {why}", request, ROLES[of], bucket, granted, frozenset(denied_by))


CI, NEIGHBOUR = role("payments-ci", BUILD), role("checkout-ci", BUILD)
ADMINISTRATOR, ROOT = role("admin", PUBLISHER), f"arn:aws:iam::{PUBLISHER}:root"
STRANGER = role("anyone", OUTSIDER)
PROFILES = {application.name: NAMES.profile_arn(application.profile_name) for application in APPLICATIONS}

WRITING = [
    to_uploads("an application's CI role below its prefix", CI, "payments/a.zip", granted=True),
    to_uploads("its release role", role("payments-release", PAYMENTS), "payments/a.zip", granted=True),
    to_uploads("any role of an application's account", role("x", CHECKOUT), "checkout/a.zip", granted=True),
    to_uploads(
        "the bucket's policy alone lets nobody of another account write",
        CI,
        "payments/a.zip",
        granted=False,
        identity=NOTHING,
    ),
    to_uploads("a neighbour's prefix", NEIGHBOUR, "payments/a.zip", "DenyOthersThanPayments", granted=False),
    to_uploads("a prefix that begins like ours", CI, "payments-2/a.zip", "DenyOtherPlaces", granted=False),
    to_uploads("the bucket's top", CI, "a.zip", "DenyOtherPlaces", granted=False),
    to_uploads("an application that nobody may upload for", CI, "frozen/a.zip", "DenyOthersThanFrozen", granted=False),
    to_uploads("the pipeline's own prefix", CI, "_pipeline/staged/a.zip", "DenyForeignPipelineObjects", granted=False),
    to_uploads(
        "the publisher account's administrator",
        ADMINISTRATOR,
        "payments/a.zip",
        "DenyOthersThanPayments",
        granted=True,
    ),
    to_uploads("its root user", ROOT, "checkout/a.zip", "DenyOthersThanCheckout", granted=True),
    to_uploads(
        "a role of the same name in a stranger's account",
        role("payments-ci", OUTSIDER),
        "payments/a.zip",
        "DenyOthersThanPayments",
        granted=False,
    ),
]

CHANGING = [
    Row(
        f"{who} {why} ({action})",
        request_of(principal, f"s3:{action}", arn),
        EVERYTHING,
        policy,
        principal.split(":")[4] == PUBLISHER,
        frozenset(denied_by),
    )
    for who, principal in (("a writer", CI), ("the administrator", ADMINISTRATOR), ("the root user", ROOT))
    for why, action, arn, policy, denied_by in (
        ("deletes an upload's version", "DeleteObjectVersion", upload("payments/a.zip"), UPLOADS, {"DenyChanges"}),
        ("hides an upload", "DeleteObject", upload("payments/a.zip"), UPLOADS, {"DenyChanges"}),
        ("deletes signed code", "DeleteObject", signed(), SIGNED, {"DenyChanges"}),
        ("deletes a version of signed code", "DeleteObjectVersion", signed(), SIGNED, {"DenyChanges"}),
        ("opens signed code to the world", "PutObjectAcl", signed(), SIGNED, {"DenyChanges"}),
        ("replicates into signed code", "ReplicateObject", signed(), SIGNED, {"DenyChanges"}),
        ("goes around Object Lock", "BypassGovernanceRetention", signed(), SIGNED, {"DenyChanges"}),
        ("retags signed code", "PutObjectTagging", signed(), SIGNED, {"DenyForeignWrites"}),
        ("writes signed code", "PutObject", signed(), SIGNED, {"DenyForeignWrites", "DenyReplacing"}),
    )
]

READING = [
    Row(
        "the organization reads signed code", request_of(CI, "s3:GetObject", signed()), EVERYTHING, SIGNED, granted=True
    ),
    Row(
        "the organization reads a version of it",
        request_of(CI, "s3:GetObjectVersion", signed()),
        EVERYTHING,
        SIGNED,
        granted=True,
    ),
    Row(
        "a stranger does not",
        request_of(STRANGER, "s3:GetObject", signed(), organization="o-zzzzzzzzzz"),
        EVERYTHING,
        SIGNED,
        granted=False,
    ),
    Row(
        "who belongs to no organization does not",
        request_of(STRANGER, "s3:GetObject", signed(), organization=None),
        EVERYTHING,
        SIGNED,
        granted=False,
    ),
    Row(
        "nobody without TLS",
        request_of(CI, "s3:GetObject", signed(), aws__SecureTransport="false"),
        EVERYTHING,
        SIGNED,
        granted=True,
        denied_by=frozenset({"DenyPlainText"}),
    ),
    Row(
        "the organization lists what is signed",
        request_of(CI, "s3:ListBucket", signed("").rstrip("/"), s3__prefix="signed/ab/"),
        EVERYTHING,
        SIGNED,
        granted=True,
    ),
    Row(
        "a neighbour's upload is not for the organization",
        request_of(NEIGHBOUR, "s3:GetObject", upload("payments/a.zip")),
        EVERYTHING,
        UPLOADS,
        granted=False,
    ),
]

PIPELINE = [
    own("sign", "reads the version that was uploaded", "s3:GetObjectVersion", upload("payments/a.zip")),
    own("sign", "copies it to its own prefix", "s3:PutObject", upload("_pipeline/staged/a.zip")),
    own("sign", "has AWS Signer write there", "s3:PutObject", upload("_pipeline/jobs/a.zip")),
    own("sign", "signs with an application's profile", "signer:StartSigningJob", PROFILES["payments"]),
    own("sign", "signs with no other", "signer:StartSigningJob", NAMES.profile_arn("acme_payments_g1"), granted=False),
    own(
        "sign",
        "changes no upload",
        "s3:PutObject",
        upload("payments/a.zip"),
        "DenyOthersThanPayments",
        granted=False,
    ),
    own(
        "sign",
        "files nothing",
        "s3:PutObject",
        signed(),
        "DenyForeignWrites",
        granted=False,
        **{"s3__if-none-match": "*"},
    ),
    own("sign", "asks about jobs", "signer:DescribeSigningJob", NAMES.job_arns.replace("*", "uuid")),
    own("sign", "revokes nothing", "signer:RevokeSignature", NAMES.job_arns.replace("*", "uuid"), granted=False),
    own("finish", "files what is not there", "s3:PutObject", signed(), **{"s3__if-none-match": "*"}),
    own("finish", "replaces nothing", "s3:PutObject", signed(), "DenyReplacing"),
    own("finish", "tags what it files", "s3:PutObjectTagging", signed()),
    own(
        "finish",
        "writes nowhere else in the bucket",
        "s3:PutObject",
        signed("other.zip"),
        "DenyOtherPlaces",
        granted=False,
        **{"s3__if-none-match": "*"},
    ),
    own("finish", "deletes nothing", "s3:DeleteObject", signed(), "DenyChanges", granted=False),
    own("finish", "reads what was signed", "s3:GetObject", upload("_pipeline/jobs/a.zip")),
    own("finish", "reads no uploads", "s3:GetObject", upload("payments/a.zip"), granted=False),
    own("finish", "signs nothing", "signer:StartSigningJob", PROFILES["payments"], granted=False),
    own("intake", "starts sign", "states:StartExecution", NAMES.machine_arn(NAMES.sign_machine)),
    own("intake", "starts nothing else", "states:StartExecution", NAMES.machine_arn("other"), granted=False),
    own("intake", "signs nothing", "signer:StartSigningJob", PROFILES["payments"], granted=False),
    own("pipe", "reads the queue", "sqs:ReceiveMessage", NAMES.queue_arn(NAMES.upload_queue)),
    own("pipe", "runs intake", "states:StartSyncExecution", NAMES.machine_arn(NAMES.intake_machine)),
    own("pipe", "puts nothing into the queue", "sqs:SendMessage", NAMES.queue_arn(NAMES.upload_queue), granted=False),
    own("events", "starts finish", "states:StartExecution", NAMES.machine_arn(NAMES.finish_machine)),
    own("events", "starts no signing", "states:StartExecution", NAMES.machine_arn(NAMES.sign_machine), granted=False),
]

ROWS = (*WRITING, *CHANGING, *READING, *PIPELINE)
