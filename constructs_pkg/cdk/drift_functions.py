"""The Lambda functions of drift remediation: signed code under a code signing config, two roles, encrypted logs."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_pkg.cdk.enforced_code_signing import EnforcedCodeSigning, ImportedCodeSigning
from constructs_pkg.guardrails import PolicyDocument

__all__ = ["RUNTIME", "EncryptedLogGroup", "ServiceRole", "SignedFunction"]

RUNTIME = "python3.14"


class EncryptedLogGroup(Construct):
    """A log group under a customer managed key, with a retention, that outlives its stack.

    Args:
        scope: The parent construct.
        construct_id: Id within the scope.
        name: Its name.
        key_arn: The key, whose policy has to let CloudWatch Logs use it for this name.
        retention_days: One of the periods that CloudWatch Logs has.
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str, key_arn: str, retention_days: int) -> None:
        super().__init__(scope, construct_id)
        self.name = name
        self.l1 = logs.CfnLogGroup(
            self, "Resource", log_group_name=name, kms_key_id=key_arn, retention_in_days=retention_days
        )
        self.l1.apply_removal_policy(cdk.RemovalPolicy.RETAIN)


class ServiceRole(Construct):
    """A role that one AWS service assumes, for this account alone, with one policy document and a fixed name.

    Args:
        scope: The parent construct.
        construct_id: Id within the scope.
        name: The role's name.
        description: What it is for.
        service: Such as ``lambda.amazonaws.com``.
        document: What it may do.
        states_source_account: Whether the service states ``aws:SourceAccount``, which is then demanded.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        description: str,
        service: str,
        document: PolicyDocument,
        states_source_account: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        trust: dict[str, object] = {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sts:AssumeRole",
        }
        if states_source_account:
            trust["Condition"] = {"StringEquals": {"aws:SourceAccount": cdk.Stack.of(self).account}}
        self.l1 = iam.CfnRole(
            self,
            "Resource",
            role_name=name,
            description=description,
            assume_role_policy_document={"Version": "2012-10-17", "Statement": [trust]},
            policies=[iam.CfnRole.PolicyProperty(policy_name="rights", policy_document=document.to_dict())],
        )
        self.arn = self.l1.attr_arn


class SignedFunction(Construct):
    """One function, made on the L1: no helper of CDK, whose code nobody signs, comes along.

    Args:
        scope: The parent construct.
        construct_id: Id within the scope.
        name: The function's name.
        description: What it does.
        code: Signed code, see ``SignedCode``.
        code_signing: The config that it is under.
        handler: Such as ``drift.repair.handler``.
        timeout_seconds: When Lambda ends it.
        memory_mib: Its memory, which its share of a processor follows.
        role: Its role.
        environment: Its environment variables.
        key_arn: Encrypts the environment and the logs.
        retention_days: How long logs are kept.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        description: str,
        code: lambda_.Code,
        code_signing: EnforcedCodeSigning | ImportedCodeSigning,
        handler: str,
        timeout_seconds: int,
        memory_mib: int,
        role: ServiceRole,
        environment: Mapping[str, str],
        key_arn: str,
        retention_days: int,
    ) -> None:
        super().__init__(scope, construct_id)
        self.name = name
        self.log_group = EncryptedLogGroup(
            self, "Logs", name=f"/aws/lambda/{name}", key_arn=key_arn, retention_days=retention_days
        )
        place = code.bind(self).s3_location
        assert place is not None, "signed code is an archive in S3"
        self.l1 = lambda_.CfnFunction(
            self,
            "Resource",
            function_name=name,
            description=description,
            runtime=RUNTIME,
            architectures=["arm64"],
            handler=handler,
            timeout=timeout_seconds,
            memory_size=memory_mib,
            role=role.arn,
            code=lambda_.CfnFunction.CodeProperty(
                s3_bucket=place.bucket_name, s3_key=place.object_key, s3_object_version=place.object_version
            ),
            environment=lambda_.CfnFunction.EnvironmentProperty(variables=dict(environment)),
            kms_key_arn=key_arn,
            logging_config=lambda_.CfnFunction.LoggingConfigProperty(
                # Text: a line of the embedded metric format has to reach CloudWatch Logs as it was printed.
                log_format="Text",
                log_group=self.log_group.name,
            ),
        )
        code.bind_to_resource(self.l1)
        code_signing.attach_to(self.l1)
        self.l1.add_resource_dependency(self.log_group.l1)  # else Lambda makes the group, without key and retention
        self.arn = self.l1.attr_arn
