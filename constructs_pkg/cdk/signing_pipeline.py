"""A pipeline that signs what applications upload, in the publisher account, without a line of Lambda code."""

from collections.abc import Sequence

import aws_cdk as cdk
from constructs import Construct

from constructs_pkg.cdk.claims import claim_name
from constructs_pkg.cdk.pipeline_buckets import PipelineBuckets
from constructs_pkg.cdk.pipeline_machines import PipelineMachines
from constructs_pkg.cdk.pipeline_watch import PipelineWatch
from constructs_pkg.cdk.signer_region import require_signer_region
from constructs_pkg.errors import ConstructError, GuardrailError
from constructs_pkg.guardrails.signing_pipeline import PipelineApplication, SigningPipelineNames
from constructs_pkg.regions import partition_of_region

__all__ = ["SigningPipeline"]

_MOST_DAYS = 3650


class SigningPipeline(Construct):
    """Signs every ZIP that is uploaded below an application's prefix, with that application's signing profile.

    ``s3://<uploads>/<application>/<name>.zip`` becomes
    ``s3://<signed>/signed/<source sha256>/<profile>-<version>.zip``, with its provenance as ``.json`` beside it. The
    same content is signed once by one version of a profile. Only an application's writers can write its prefix; nobody
    can replace or delete signed objects; the whole organization can read them. A failure is told to a topic, and
    nothing is lost without an alarm.

    What it does not do: it does not look into what it signs (that is the build's business), and it does not deploy.
    AWS Signer's job decides whether an archive can be signed. Administrators of its account can change everything.

    Args:
        scope: The parent construct, in a stack whose account and Region are known: those of the profiles.
        construct_id: Id within the scope.
        name_prefix: The organization's short name; what the names of all resources begin with.
        organization_id: Who may read signed code, such as ``o-a1b2c3d4e5``.
        applications: Whose uploads are signed, with which profiles; at least one.
        emails: Who is told of failures.
        keep_uploads_days: How long uploads are kept, 1 to 3650 days.
        lock_signed_days: How long Object Lock keeps signed objects in governance mode, 1 to 3650 days; None for no
            Object Lock. It can only be chosen when the bucket is made.

    Attributes:
        names: What everything is called.
        buckets: Its buckets.
        machines: Its state machines, queues, pipe and rules.
        watch: Its topic and alarms.

    Raises:
        ConstructError: The stack's account or Region is unknown or has no AWS Signer, there is no application, one
            occurs twice, or a number is out of its range.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name_prefix: str,
        organization_id: str,
        applications: Sequence[PipelineApplication],
        emails: Sequence[str] = (),
        keep_uploads_days: int = 30,
        lock_signed_days: int | None = None,
    ) -> None:
        _check_applications(applications)
        _check_days("keep_uploads_days", keep_uploads_days)
        if lock_signed_days is not None:
            _check_days("lock_signed_days", lock_signed_days)
        require_signer_region(scope)
        self.names = _names(name_prefix, cdk.Stack.of(scope))
        super().__init__(scope, construct_id)
        claim_name(self, "name_prefix", self.names.upload_bucket, "Give each pipeline its own name_prefix")
        try:
            self.buckets = PipelineBuckets(
                self,
                "Buckets",
                names=self.names,
                applications=applications,
                organization_id=organization_id,
                keep_uploads_days=keep_uploads_days,
                lock_signed_days=lock_signed_days,
            )
        except GuardrailError as error:
            raise ConstructError(f"applications: {error}") from error
        self.machines = PipelineMachines(self, "Machines", names=self.names, applications=applications)
        self.watch = PipelineWatch(self, "Watch", names=self.names, machines=self.machines, emails=emails)
        # Nobody may upload before somebody listens: what came earlier would never be signed.
        self.buckets.uploads_policy.add_resource_dependency(self.machines.uploaded)
        self.buckets.uploads_policy.add_resource_dependency(self.machines.pipe)
        cdk.CfnOutput(self, "UploadBucket", value=self.buckets.uploads.ref, description="Where to upload to")
        cdk.CfnOutput(self, "SignedBucket", value=self.buckets.signed.ref, description="Where to deploy from")
        cdk.CfnOutput(self, "Topic", value=self.watch.topic.ref, description="Who is told of failures")


def _names(prefix: str, stack: cdk.Stack) -> SigningPipelineNames:
    for name, value in (("account", stack.account), ("region", stack.region)):
        if cdk.Token.is_unresolved(value):
            raise ConstructError(
                f"env.{name} of the stack {stack.node.path} is not known. Give the stack an environment: a pipeline "
                "lives where the signing profiles do"
            )
    partition = partition_of_region(stack.region)
    if partition is None:
        raise ConstructError(f"env.region={stack.region!r} of the stack {stack.node.path} is no known Region")
    try:
        return SigningPipelineNames(prefix=prefix, partition=partition, account=stack.account, region=stack.region)
    except GuardrailError as error:
        raise ConstructError(f"name_prefix: {error}") from error


def _check_applications(applications: Sequence[PipelineApplication]) -> None:
    if not applications:
        raise ConstructError("applications is empty. Name at least one, or leave the pipeline away")
    names = [application.name for application in applications]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConstructError(f"applications: {', '.join(twice)} occur twice. One profile signs for an application")


def _check_days(argument: str, days: int) -> None:
    if not 1 <= days <= _MOST_DAYS:
        raise ConstructError(f"{argument}={days} is out of range. Give 1 to {_MOST_DAYS} days")
