"""The Lambda actions that guardrails allow, by name: what AWS adds tomorrow is not among them until somebody adds it.

Checked by the tests against the service authorization data for AWS Lambda, of which every name here is one.
"""

__all__ = [
    "ACCOUNT",
    "CODE_CHANGES",
    "CREATION",
    "EVENT_SOURCES",
    "FUNCTIONS",
    "LISTED",
    "READING",
    "SURFACES",
    "TAGGING",
]

READING: tuple[str, ...] = ("lambda:Get*", "lambda:List*")
"""Wildcards, because reading lets no code run."""

CREATION: tuple[str, ...] = ("lambda:CreateFunction", "lambda:PutFunctionCodeSigningConfig")
"""The only two actions that have the condition key ``lambda:CodeSigningConfigArn``."""

CODE_CHANGES: tuple[str, ...] = ("lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration")
"""What changes the code that an existing function runs: its archive, its layers, its handler."""

TAGGING: tuple[str, ...] = ("lambda:TagResource", "lambda:UntagResource")

EVENT_SOURCES: tuple[str, ...] = (
    "lambda:CreateEventSourceMapping",
    "lambda:DeleteEventSourceMapping",
    "lambda:UpdateEventSourceMapping",
)

FUNCTIONS: tuple[str, ...] = (
    "lambda:AddPermission",
    "lambda:CreateAlias",
    "lambda:CreateFunctionUrlConfig",
    "lambda:DeleteAlias",
    "lambda:DeleteFunction",
    "lambda:DeleteFunctionConcurrency",
    "lambda:DeleteFunctionEventInvokeConfig",
    "lambda:DeleteFunctionUrlConfig",
    "lambda:DeleteProvisionedConcurrencyConfig",
    "lambda:InvokeFunction",
    "lambda:InvokeFunctionUrl",
    "lambda:PublishVersion",
    "lambda:PutFunctionConcurrency",
    "lambda:PutFunctionEventInvokeConfig",
    "lambda:PutFunctionRecursionConfig",
    "lambda:PutProvisionedConcurrencyConfig",
    "lambda:RemovePermission",
    "lambda:UpdateAlias",
    "lambda:UpdateFunctionEventInvokeConfig",
    "lambda:UpdateFunctionUrlConfig",
    *CODE_CHANGES,
)
"""Daily work on functions that exist."""

LISTED: tuple[str, ...] = (
    *READING,
    *CREATION,
    *TAGGING,
    "lambda:Delete*",  # deleting and invoking let no new code run; what must not be deleted is denied by name
    "lambda:Invoke*",
    "lambda:PublishLayerVersion",  # checks nothing and runs nothing: what is attached counts
    *(name for name in (*EVENT_SOURCES, *FUNCTIONS) if not name.startswith(("lambda:Delete", "lambda:Invoke"))),
)
"""``FUNCTIONS`` and all else that an application needs, in few characters, where a list grants nothing by itself."""

SURFACES: tuple[str, ...] = (
    "lambda:ConnectMicrovm",
    "lambda:CreateMicrovm*",
    "lambda:CreateWebFunction*",
    "lambda:EnableReplication*",
    "lambda:ResumeMicrovm",
    "lambda:RunMicrovm",
    "lambda:UpdateMicrovmImage*",
)
"""Ways to run code that no code signing config guards: Web Functions, MicroVMs and Lambda@Edge replicas."""

ACCOUNT: tuple[str, ...] = (
    *READING,
    *CREATION,
    *CODE_CHANGES,
    *TAGGING,
    "lambda:AddLayerVersionPermission",
    "lambda:AddPermission",
    "lambda:CheckpointDurableExecution",
    "lambda:CreateAlias",
    "lambda:CreateCapacityProvider",
    "lambda:CreateEventSourceMapping",
    "lambda:CreateFunctionUrlConfig",
    "lambda:Delete*",
    "lambda:Invoke*",
    "lambda:PassCapacityProvider",
    "lambda:Publish*",
    "lambda:PutFunctionConcurrency",
    "lambda:PutFunctionEventInvokeConfig",
    "lambda:PutFunctionRecursionConfig",
    "lambda:PutFunctionScalingConfig",
    "lambda:PutProvisionedConcurrencyConfig",
    "lambda:PutRuntimeManagementConfig",
    "lambda:RemoveLayerVersionPermission",
    "lambda:RemovePermission",
    "lambda:SendDurableExecutionCallback*",
    "lambda:StopDurableExecution",
    "lambda:UpdateAlias",
    "lambda:UpdateCapacityProvider",
    "lambda:UpdateEventSourceMapping",
    "lambda:UpdateFunctionEventInvokeConfig",
    "lambda:UpdateFunctionUrlConfig",
)
"""All that an account with several applications uses; wider than ``LISTED``, for the service control policy alone."""
