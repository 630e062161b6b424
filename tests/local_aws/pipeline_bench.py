"""The reviewed template of the signing pipeline on a strict local AWS, and the calls that tests make to it."""

import io
import json
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

from constructs_pkg.testing.local_aws import LocalAws

ROOT = Path(__file__).parents[2]
SNAPSHOTS = ROOT / "tests/cdk/__snapshots__/test_snapshots"
MANAGEMENT, PUBLISHER, BUILD = "111111111111", "222222222222", "444444444405"
UPLOADS, SIGNED = f"acme-code-uploads-{PUBLISHER}-eu-west-1", f"acme-signed-code-{PUBLISHER}-eu-west-1"
SESSION_TRUST = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}


class PipelineBench:
    """A deployed pipeline and its account's administrator.

    Waits of state machines are shortened by ``wait_scale``; the definition is the deployed one.
    """

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self.states = aws.client("stepfunctions", account=PUBLISHER)
        self.s3 = aws.client("s3", account=PUBLISHER)
        self.signer = aws.client("signer", account=PUBLISHER)
        self.sqs = aws.client("sqs", account=PUBLISHER)
        self.events = aws.client("events", account=PUBLISHER)
        self.sns = aws.client("sns", account=PUBLISHER)
        self._sessions = {}
        self._deploy()
        profiles = self.signer.list_signing_profiles()["profiles"]
        self._versions = {profile["profileName"]: profile["profileVersion"] for profile in profiles}
        # The executions that were told of: an email would be read by a person, this queue is read by the tests.
        self.told_url = self.sqs.create_queue(QueueName="told")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.told_url, AttributeNames=["QueueArn"])["Attributes"]
        allowed = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
        policy = {"Version": "2012-10-17", "Statement": [{**allowed, "Resource": arn["QueueArn"]}]}
        self.sqs.set_queue_attributes(QueueUrl=self.told_url, Attributes={"Policy": json.dumps(policy)})
        topic = f"arn:aws:sns:eu-west-1:{PUBLISHER}:acme-signing-pipeline"
        self.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["QueueArn"])

    @staticmethod
    def environment(wait_scale: float) -> dict[str, str]:
        return {"SFN_WAIT_SCALE": str(wait_scale)}

    def _deploy(self) -> None:
        self.aws.client("ssm", account=PUBLISHER).put_parameter(
            Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String"
        )
        cloudformation = self.aws.client("cloudformation", account=PUBLISHER)
        # As the CDK does it: a template in the request itself may have 51,200 bytes only.
        self.s3.create_bucket(Bucket="templates", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        for stack in ("acme-signing-authority", "acme-signing-pipeline"):
            name = f"test_templates_are_those_that_were_reviewed[organization][{stack}].json"
            self.s3.put_object(Bucket="templates", Key=stack, Body=(SNAPSHOTS / name).read_bytes())
            cloudformation.create_stack(
                StackName=stack,
                TemplateURL=f"{self.aws.endpoint_url}/templates/{stack}",
                Capabilities=["CAPABILITY_NAMED_IAM"],
                OnFailure="DO_NOTHING",
            )
            self.until(lambda stack=stack: self._created(cloudformation, stack))

    @staticmethod
    def _created(cloudformation, stack: str) -> bool:
        found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        if found["StackStatus"] == "CREATE_IN_PROGRESS":
            return False
        events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
        assert found["StackStatus"] == "CREATE_COMPLETE", [event.get("ResourceStatusReason") for event in events]
        return True

    def until(self, look, seconds: float = 30):
        """Look again until there is something, or the time is over."""
        end = time.monotonic() + seconds
        while not (found := look()):
            assert time.monotonic() < end, "nothing to be seen in time"
            time.sleep(0.05)
        return found

    # Who acts

    def session(self, account: str, role: str):
        """Return a boto3 S3 client of a role that its own account lets do everything."""
        if (account, role) not in self._sessions:
            iam = self.aws.client("iam", account=account)
            trust = {"Version": "2012-10-17", "Statement": [SESSION_TRUST]}
            try:
                iam.get_role(RoleName=role)
                iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))
            except iam.exceptions.NoSuchEntityException:
                everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
                iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))
                iam.put_role_policy(
                    RoleName=role,
                    PolicyName="everything",
                    PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [everything]}),
                )
            sts = self.aws.client("sts", account=account)
            arn = f"arn:aws:iam::{account}:role/{role}"
            credentials = sts.assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
            self._sessions[account, role] = self.aws.client("s3", credentials=credentials)
        return self._sessions[account, role]

    @property
    def writer(self):
        """Return the S3 client of the CI role of ``payments``."""
        return self.session(BUILD, "payments-ci")

    # What happens

    def upload(self, body: bytes, key: str, **more) -> str:
        """Upload as the CI role of ``payments``; return the version."""
        return self.writer.put_object(Bucket=UPLOADS, Key=key, Body=body, **more)["VersionId"]

    def execution(self, key: str, version: str) -> str:
        """Return the ARN of the execution that signs an upload: its name is made of what was uploaded."""
        name = sha256(f"{UPLOADS}/{key}/{version}".encode()).hexdigest()
        return f"arn:aws:states:eu-west-1:{PUBLISHER}:execution:acme-signing-sign:{name}"

    def ended(self, key: str, version: str) -> dict:
        """Wait for the execution that signs an upload, and return it."""
        arn = self.execution(key, version)

        def look():
            try:
                found = self.states.describe_execution(executionArn=arn)
            except self.states.exceptions.ExecutionDoesNotExist:
                return None
            return None if found["status"] == "RUNNING" else found

        return self.until(look)

    def failure(self, key: str, version: str) -> tuple[str, str]:
        """Wait for an execution that fails; return error and cause."""
        ended = self.ended(key, version)
        assert ended["status"] == "FAILED"
        events = self.states.get_execution_history(executionArn=ended["executionArn"], maxResults=1000)["events"]
        details = events[-1]["executionFailedEventDetails"]
        return details["error"], details["cause"]

    def signed_key(self, body: bytes, profile: str = "acme_payments_g2") -> str:
        """Return the name under which a signed archive must lie."""
        return f"signed/{sha256(body).hexdigest()}/{profile}-{self._versions[profile]}.zip"

    def filed(self, key: str):
        """Wait until archive and provenance are filed; return both."""
        self.until(lambda: self.has(key.replace(".zip", ".json")))
        reader = self.session(BUILD, "payments-ci")
        return tuple(
            reader.get_object(Bucket=SIGNED, Key=name)["Body"].read() for name in (key, key.replace(".zip", ".json"))
        )

    def has(self, key: str) -> bool:
        return bool(self.s3.list_objects_v2(Bucket=SIGNED, Prefix=key).get("Contents"))

    def jobs(self) -> list[dict]:
        """Return every signing job, the newest first; as slowly as AWS Signer's limits want it."""
        found, more = [], {}
        while True:
            try:
                page = self.signer.list_signing_jobs(**more)
            except self.signer.exceptions.TooManyRequestsException:
                time.sleep(0.2)
                continue
            found += page["jobs"]
            if "nextToken" not in page:
                return found
            more = {"nextToken": page["nextToken"]}

    def versions(self, key: str) -> int:
        """Return how many versions of signed objects begin with a key."""
        return len(self.s3.list_object_versions(Bucket=SIGNED, Prefix=key).get("Versions", []))

    def dead_letters(self) -> int:
        """Return how many messages lie in the two queues of dead letters."""
        names = ("acme-signing-uploads-dead.fifo", "acme-signing-events-dead")
        urls = [self.sqs.get_queue_url(QueueName=name)["QueueUrl"] for name in names]
        return sum(
            int(
                self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])[
                    "Attributes"
                ]["ApproximateNumberOfMessages"]
            )
            for url in urls
        )

    def told_of(self, key: str) -> str:
        """Wait for the notification that names an upload; return its text."""

        def look():
            received = self.sqs.receive_message(QueueUrl=self.told_url, MaxNumberOfMessages=10, VisibilityTimeout=0)
            texts = [json.loads(message["Body"])["Message"] for message in received.get("Messages", [])]
            return next((text for text in texts if key in text), None)

        return self.until(look)

    def upload_many(self, bodies: dict[str, bytes]) -> dict[str, str]:
        """Upload as many at once as threads can; return the versions by key."""
        writer = self.writer
        with ThreadPoolExecutor(16) as pool:
            made = pool.map(
                lambda item: writer.put_object(Bucket=UPLOADS, Key=item[0], Body=item[1])["VersionId"], bodies.items()
            )
            return dict(zip(bodies, made, strict=True))


def package(text: str) -> bytes:
    """Return an unsigned archive with one function, which no other text gives."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", f"def handler(event, context):\n    return {text!r}\n")
    return buffer.getvalue()
