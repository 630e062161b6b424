"""What must keep working: daily work, pipelines and the rest of an account."""

from tests.guardrails.asking import (
    CONFIG_KEY,
    LAYER,
    OUR_BOUNDARY,
    SILENT,
    TELEMETRY,
    YES,
    Row,
    ask,
    attach,
    create,
    function,
    of_lambda,
    passing,
    policy,
    profile,
    role,
)
from tests.guardrails.intents import ACCOUNT, APPROVED, APPROVED_TOO, OUTSIDER, SECURITY, TRUSTED

DAILY_WORK = [
    Row(
        f"a developer may {action.partition(':')[2]} on a function of the application's",
        ask(action, arn),
        YES,
        YES,
        YES,
    )
    for action, arn in (
        ("lambda:CreateAlias", function()),
        ("lambda:DeleteAlias", function()),
        ("lambda:DeleteFunction", function()),
        ("lambda:DeleteFunctionConcurrency", function()),
        ("lambda:DeleteFunctionEventInvokeConfig", function()),
        ("lambda:DeleteFunctionUrlConfig", function()),
        ("lambda:DeleteProvisionedConcurrencyConfig", function("payments-api:live")),
        ("lambda:InvokeFunction", function("payments-api:live")),
        ("lambda:InvokeFunctionUrl", function()),
        ("lambda:PublishVersion", function()),
        ("lambda:PutFunctionConcurrency", function()),
        ("lambda:PutFunctionEventInvokeConfig", function()),
        ("lambda:PutFunctionRecursionConfig", function()),
        ("lambda:PutProvisionedConcurrencyConfig", function("payments-api:live")),
        ("lambda:RemovePermission", function()),
        ("lambda:UpdateAlias", function()),
        ("lambda:UpdateFunctionCode", function()),
        ("lambda:UpdateFunctionConfiguration", function()),
        ("lambda:UpdateFunctionEventInvokeConfig", function()),
        ("lambda:ListAliases", function()),
        ("lambda:GetFunction", function("somebody-elses")),
    )
]

ORDINARY = [
    Row("the second name pattern counts", ask("lambda:UpdateFunctionCode", function("ledger")), YES, YES, YES),
    Row(
        "a version of a function without a wildcard", ask("lambda:InvokeFunction", function("ledger:7")), YES, YES, YES
    ),
    Row("lists have no resource", ask("lambda:ListFunctions"), YES, YES, YES),
    Row("a function under the approved config", create(), YES, YES, YES),
    Row("a function under the other approved config", create(config=APPROVED_TOO), YES, YES, YES),
    Row("putting the approved config on a function", attach(APPROVED), YES, YES, YES),
    Row("putting the other approved config on a function", attach(APPROVED_TOO), YES, YES, YES),
    Row("creation with ordinary tags", create(aws__TagKeys=("team", "cost")), YES, YES, YES),
    Row(
        "tags at creation ask for TagResource",
        ask("lambda:TagResource", function(), aws__TagKeys=("team",)),
        YES,
        YES,
        YES,
    ),
    Row("an ordinary tag goes", ask("lambda:UntagResource", function(), aws__TagKeys=("team",)), YES, YES, YES),
    Row(
        "CloudFormation tags event source mappings",
        ask("lambda:TagResource", of_lambda("event-source-mapping:uuid"), aws__TagKeys=("team",)),
        YES,
        YES,
        YES,
    ),
    Row("creation with an allowed layer", create(lambda__Layer=(LAYER,)), YES, YES, YES),
    Row(
        "publishing a layer of one's own", ask("lambda:PublishLayerVersion", of_lambda("layer:ledger-x")), YES, YES, YES
    ),
    Row("a layer of one's own", create(lambda__Layer=(of_lambda("layer:ledger-x:1"),)), YES, YES, YES),
    Row(
        "taking a version of a layer away",
        ask("lambda:DeleteLayerVersion", of_lambda("layer:ledger-x:1")),
        SILENT,
        YES,
        YES,
    ),
    Row(
        "publishing a layer in another Region",
        ask("lambda:PublishLayerVersion", f"arn:aws:lambda:eu-central-1:{ACCOUNT}:layer:ledger-x"),
        YES,
        YES,
        YES,
    ),
    Row(
        "publishing a layer of that name in another account",
        ask("lambda:PublishLayerVersion", of_lambda("layer:ledger-x").replace(ACCOUNT, OUTSIDER)),
        SILENT,
        YES,
        YES,
    ),
    Row(
        "publishing any other layer, which runs nothing until it is attached",
        ask("lambda:PublishLayerVersion", of_lambda("layer:shared")),
        SILENT,
        YES,
        YES,
    ),
    Row(
        "both allowed layers at once",
        ask("lambda:UpdateFunctionConfiguration", function(), lambda__Layer=(LAYER, TELEMETRY)),
        YES,
        YES,
        YES,
    ),
    Row(
        "the developer guide says that UpdateFunctionConfiguration has the config's key; then it must work with it",
        ask(
            "lambda:UpdateFunctionConfiguration",
            function(),
            extra_keys=(CONFIG_KEY,),
            lambda__CodeSigningConfigArn=APPROVED,
        ),
        YES,
        YES,
        YES,
    ),
    Row(
        "an AWS service may invoke",
        ask("lambda:AddPermission", function(), lambda__Principal="sns.amazonaws.com"),
        YES,
        YES,
        YES,
    ),
    Row(
        "so may the one trusted account",
        ask("lambda:AddPermission", function(), lambda__Principal=TRUSTED),
        YES,
        YES,
        YES,
    ),
    Row(
        "a URL with IAM authentication",
        ask("lambda:CreateFunctionUrlConfig", function(), lambda__FunctionUrlAuthType="AWS_IAM"),
        YES,
        YES,
        YES,
    ),
    Row(
        "a URL stays with IAM authentication",
        ask("lambda:UpdateFunctionUrlConfig", function(), lambda__FunctionUrlAuthType="AWS_IAM"),
        YES,
        YES,
        YES,
    ),
    Row(
        "an event source for a function of the application's",
        ask("lambda:CreateEventSourceMapping", lambda__FunctionArn=function()),
        YES,
        YES,
        YES,
    ),
    Row(
        "changing an event source",
        ask(
            "lambda:UpdateEventSourceMapping",
            of_lambda("event-source-mapping:uuid"),
            lambda__FunctionArn=function("ledger"),
        ),
        YES,
        YES,
        YES,
    ),
    Row(
        "removing an event source",
        ask(
            "lambda:DeleteEventSourceMapping",
            of_lambda("event-source-mapping:uuid"),
            lambda__FunctionArn=function("ledger:7"),
        ),
        YES,
        YES,
        YES,
    ),
    Row("passing an execution role to Lambda", passing("payments-api-execution"), YES, YES, YES),
    Row("passing the other execution role", passing("ledger-execution"), YES, YES, YES),
    Row(
        "passing an execution role to Scheduler", passing("ledger-execution", "scheduler.amazonaws.com"), YES, YES, YES
    ),
    Row(
        "signing with the application's profile",
        ask("signer:StartSigningJob", profile("acme_payments_g2")),
        YES,
        YES,
        YES,
    ),
    Row("signing with its other profile", ask("signer:StartSigningJob", profile("acme_payments_g3")), YES, YES, YES),
    Row("reading a profile", ask("signer:GetSigningProfile", profile("acme_checkout_g1")), YES, YES, YES),
    Row("listing profiles", ask("signer:ListSigningProfiles"), YES, YES, YES),
    Row(
        "watching a signing job",
        ask("signer:DescribeSigningJob", f"arn:aws:signer:eu-west-1:{SECURITY}:/signing-jobs/uuid"),
        YES,
        YES,
        YES,
    ),
]

PIPELINE_WORK = [
    Row(f"a pipeline may use {action}", ask(action, arn, beyond_data=True, **context), SILENT, YES, YES)
    for action, arn, context in (
        ("acm:DescribeCertificate", "*", {}),
        ("apigateway:POST", "arn:aws:apigateway:eu-west-1::/restapis", {}),
        ("application-autoscaling:RegisterScalableTarget", "*", {}),
        ("cloudwatch:PutMetricAlarm", "*", {}),
        ("cognito-idp:CreateUserPool", "*", {}),
        ("dynamodb:CreateTable", f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/payments", {}),
        ("ec2:DescribeSubnets", "*", {}),
        ("events:PutRule", "*", {}),
        ("firehose:CreateDeliveryStream", "*", {}),
        ("kinesis:CreateStream", "*", {}),
        ("kms:Decrypt", "*", {}),
        ("logs:CreateLogGroup", "*", {}),
        ("pipes:CreatePipe", "*", {}),
        ("s3:PutObject", "arn:aws:s3:::payments/x", {}),
        ("scheduler:CreateSchedule", "*", {}),
        ("secretsmanager:GetSecretValue", "*", {}),
        ("sns:CreateTopic", "*", {}),
        ("sqs:CreateQueue", "*", {}),
        ("ssm:GetParameter", "*", {}),
        ("states:CreateStateMachine", "*", {}),
        ("tag:GetResources", "*", {}),
        ("xray:PutTraceSegments", "*", {}),
        ("iam:CreatePolicyVersion", policy("payments-tables"), {}),
        ("iam:CreateServiceLinkedRole", role("aws-service-role/x"), {}),
        ("iam:DeletePolicy", policy("payments-tables"), {}),
        ("iam:DeletePolicyVersion", policy("payments-tables"), {}),
        ("iam:DeleteRole", role("payments-x"), {}),
        ("iam:DeleteRolePolicy", role("payments-x"), {}),
        ("iam:TagPolicy", policy("payments-tables"), {}),
        ("iam:TagRole", role("payments-x"), {}),
        ("iam:UntagPolicy", policy("payments-tables"), {}),
        ("iam:UntagRole", role("payments-x"), {}),
        ("iam:UpdateRole", role("payments-x"), {}),
        ("iam:UpdateRoleDescription", role("payments-x"), {}),
        ("iam:AttachRolePolicy", role("payments-x"), {"iam__PermissionsBoundary": OUR_BOUNDARY}),
        ("iam:PutRolePolicy", role("payments-x"), {"iam__PermissionsBoundary": OUR_BOUNDARY}),
        ("iam:PutRolePermissionsBoundary", role("payments-x"), {"iam__PermissionsBoundary": OUR_BOUNDARY}),
    )
] + [
    Row(f"{action}: a service that runs code nobody signed", ask(action, beyond_data=True), SILENT, SILENT, YES)
    for action in ("codebuild:StartBuild", "ecs:RunTask", "apprunner:CreateService", "ssm:SendCommand")
]

ACCOUNT_WORK = [
    Row(f"an account may {action.partition(':')[2]}", ask(action, arn, beyond_data=True), None, None, YES)
    for action, arn in (
        ("lambda:AddLayerVersionPermission", LAYER.replace(SECURITY, ACCOUNT)),
        ("lambda:CheckpointDurableExecution", function("payments-api:1/durable-execution/x/y")),
        ("lambda:DeleteLayerVersion", LAYER.replace(SECURITY, ACCOUNT)),
        ("lambda:InvokeAsync", function()),
        ("lambda:PassCapacityProvider", of_lambda("capacity-provider:x")),
        ("lambda:PutFunctionScalingConfig", function()),
        ("lambda:PutRuntimeManagementConfig", function()),
        ("lambda:RemoveLayerVersionPermission", LAYER.replace(SECURITY, ACCOUNT)),
        ("lambda:SendDurableExecutionCallbackSuccess", function("payments-api:1/durable-execution/x/y")),
        ("lambda:StopDurableExecution", function("payments-api:1/durable-execution/x/y")),
        ("lambda:UpdateCapacityProvider", of_lambda("capacity-provider:x")),
    )
]
