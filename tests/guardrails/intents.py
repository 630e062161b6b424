"""The intent that the guardrail tests ask about, with at least two entries wherever a list has a meaning."""

from dataclasses import replace

from constructs_pkg.guardrails import GuardrailIntent

ACCOUNT = "444444444404"
SECURITY = "222222222222"
OUTSIDER = "999999999999"
TRUSTED = "555555555555"
APPROVED = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:code-signing-config:csc-0123456789abcdef0"
APPROVED_TOO = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:code-signing-config:csc-0123456789abcdef1"
OWN_CONFIG = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:code-signing-config:csc-bad0bad0bad0bad00"

INTENT = GuardrailIntent(
    prefix="acme",
    application="payments",
    partition="aws",
    account=ACCOUNT,
    regions=("eu-west-1",),
    sibling_regions=("eu-central-1",),
    approved_configs=(APPROVED, APPROVED_TOO),
    functions=("payments-*", "ledger"),
    execution_roles=("payments-*-execution", "ledger-execution"),
    layers=(
        f"arn:aws:lambda:*:{SECURITY}:layer:payments-*:*",
        "arn:aws:lambda:eu-west-1:777777777777:layer:telemetry:3",
        f"arn:aws:lambda:*:{ACCOUNT}:layer:ledger-*:*",
    ),
    signing_profiles=(
        f"arn:aws:signer:eu-west-1:{SECURITY}:/signing-profiles/acme_payments_g2",
        f"arn:aws:signer:eu-west-1:{SECURITY}:/signing-profiles/acme_payments_g3",
    ),
    remediator_role="acme-drift-remediator",
    pass_roles_to=("lambda.amazonaws.com", "scheduler.amazonaws.com"),
    invoking_principals=(TRUSTED,),
    exempt_functions=("aws-controltower-*",),
)
SELF_MANAGED = replace(INTENT, self_managed_stack_sets=True)
LEAST = replace(INTENT, layers=(), signing_profiles=(), exempt_functions=(), invoking_principals=())
