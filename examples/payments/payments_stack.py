"""What the payments team deploys: two functions and the layer that they share, all of them signed."""

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from constructs_pkg.cdk import EnforcedCodeSigning, RequireCodeSigning, SignedArchiveCode, SignedCode
from constructs_pkg.signing.signer import Signer

HERE = Path(__file__).resolve().parent
CONFIG_PARAMETER = "/lambda-code-signing/code-signing-configs/payments/arn"


class PaymentsStack(cdk.Stack):
    """Two functions and a layer.

    Args:
        scope: The App.
        construct_id: Id within the App.
        policy: The organization's code signing policy file.
        signer: Who signs: the local authority here, AWS Signer in a pipeline.
        store: Where signed archives are kept, so that what did not change is not signed again.
    """

    def __init__(self, scope: Construct, construct_id: str, *, policy: Path, signer: Signer, store: Path) -> None:
        super().__init__(scope, construct_id, env=cdk.Environment(account="111122223333", region="eu-west-1"))

        def signed(folder: str) -> SignedArchiveCode:
            return SignedCode.from_directory(
                HERE / folder, signer=signer, policy=policy, profile="payments", store=store
            )

        # Kept for the table of verdicts that app.py prints.
        self.code = {
            "Charge": signed("functions/charge"),
            "Refund": signed("functions/refund"),
            "Money": signed("layers/money"),
        }
        self.money = lambda_.LayerVersion(self, "Money", code=self.code["Money"])
        self.charge = self._function("Charge")
        self.refund = self._function("Refund")

        # The platform team's config. Every function above gets it, and every one that somebody adds below.
        config_arn = ssm.StringParameter.value_for_string_parameter(self, CONFIG_PARAMETER)
        RequireCodeSigning(EnforcedCodeSigning.from_config_arn(self, "CodeSigning", config_arn)).apply_to(self)

    def _function(self, name: str) -> lambda_.Function:
        return lambda_.Function(
            self,
            name,
            function_name=f"payments-{name.lower()}",
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler="index.handler",
            code=self.code[name],
            layers=[self.money],
        )
