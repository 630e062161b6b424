"""Archives, signed and not, and the AWS calls around them that every test of the local AWS makes."""

import io
import zipfile
from uuid import uuid4

from constructs_pkg.testing.local_aws import LocalAws

PLATFORM = "AWSLambda-SHA384-ECDSA"
REGION = "eu-west-1"
SIGNATURE = "META_INF/aws_signer_signature_v1.0.SF"


def archive(text="def handler(event, context):\n    return 'ok'\n", name="index.py"):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        target.writestr(name, text)
    return buffer.getvalue()


def tampered(signed):
    """The same archive with one more statement in its function, the signature left as it was."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(signed)) as source, zipfile.ZipFile(buffer, "w") as target:
        for entry in source.infolist():
            body = source.read(entry)
            target.writestr(entry, body + b"\n# more\n" if entry.filename == "index.py" else body)
    return buffer.getvalue()


class Desk:
    """The calls of one account, with names that no other test uses."""

    def __init__(self, aws: LocalAws, account: str, region: str = REGION) -> None:
        self.aws, self.account, self.region = aws, account, region
        self.s3 = aws.client("s3", account=account, region=region)
        self.signer = aws.client("signer", account=account, region=region)
        self.lambda_ = aws.client("lambda", account=account, region=region)
        self.bucket = f"code-{uuid4().hex[:12]}"
        self.s3.create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": region})
        self.s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})

    def upload(self, body, key="function.zip"):
        return self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)["VersionId"]

    def profile(self, **more):
        name = f"p_{uuid4().hex[:12]}"
        made = self.signer.put_signing_profile(profileName=name, platformId=PLATFORM, **more)
        return name, made["profileVersionArn"]

    def job(self, profile, body, key="function.zip", **more):
        """Sign an archive, and describe the job."""
        version = self.upload(body, key)
        started = self.signer.start_signing_job(
            source={"s3": {"bucketName": self.bucket, "key": key, "version": version}},
            destination={"s3": {"bucketName": self.bucket, "prefix": "signed/"}},
            profileName=profile,
            **more,
        )
        return self.signer.describe_signing_job(jobId=started["jobId"])

    def signed(self, profile, body=None, **more):
        """Sign an archive, and return it with its job's id."""
        job = self.job(profile, archive() if body is None else body, **more)
        assert job["status"] == "Succeeded", job["statusReason"]
        return self.read(job["signedObject"]["s3"]["key"]), job["jobId"]

    def read(self, key):
        return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def config(self, *publishers, mode="Enforce"):
        made = self.lambda_.create_code_signing_config(
            AllowedPublishers={"SigningProfileVersionArns": list(publishers)},
            CodeSigningPolicies={"UntrustedArtifactOnDeployment": mode},
        )
        return made["CodeSigningConfig"]["CodeSigningConfigArn"]

    def function(self, code=None, config=None, **more):
        """Create a function, from a ZIP or from the members of ``Code``; return CreateFunction's answer."""
        given = archive() if code is None else code
        more.setdefault("FunctionName", f"f-{uuid4().hex[:12]}")
        if config is not None:
            more["CodeSigningConfigArn"] = config
        return self.lambda_.create_function(
            Runtime="python3.12",
            Handler="index.handler",
            Role=f"arn:aws:iam::{self.account}:role/execution",
            Code=given if isinstance(given, dict) else {"ZipFile": given},
            **more,
        )

    def layer(self, code):
        """Publish a layer version; return PublishLayerVersion's answer."""
        return self.lambda_.publish_layer_version(LayerName=f"l-{uuid4().hex[:12]}", Content={"ZipFile": code})
