"""A small good organization file for the tests, and the one way to spoil it: replace a text in it."""

from datetime import UTC, datetime

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

GOOD = """
[organization]
id = "o-a1b2c3d4e5"
name = "acme"
management_account = "111111111111"
security_account = "222222222222"
home_region = "eu-west-1"
target_regions = ["eu-west-1", "us-east-1"]

[[organizational_units]]
name = "sandbox"
id = "ou-a1b2-00000001"

[[organizational_units]]
name = "production"
id = "ou-a1b2-00000002"

[[accounts]]
name = "shop"
id = "444444444444"
organizational_unit = "production"

[[applications]]
name = "payments"
owners = ["payments@acme.example"]
[applications.signers]
accounts = ["444444444444"]
roles = ["arn:aws:iam::444444444444:role/payments-release"]
oidc_role = "arn:aws:iam::222222222222:role/payments-ci"

[[applications]]
name = "check-out"
owners = ["checkout@acme.example"]

[[signing_profiles]]
application = "payments"
generation = 1
validity = "135 months"
state = "retiring"

[[signing_profiles]]
application = "payments"
generation = 2
validity = "12 months"
state = "active"

[[signing_profiles]]
application = "check-out"
generation = 1
validity = "90 days"
state = "active"

[[external_publishers]]
name = "observatory"
vendor = "Observatory Ltd"
profile_version_arn = "arn:aws:signer:us-east-1:777777777777:/signing-profiles/ObservatoryLayers/a1B2c3D4e5"
applications = ["payments"]
reason = "telemetry layer"
review_by = 2030-06-30

[[waves]]
name = "first"
mode = "Warn"
guardrail = "dry-run"
organizational_units = ["sandbox"]
[waves.preferences]
max_concurrent_percentage = 25
region_order = ["us-east-1", "eu-west-1"]

[[waves]]
name = "second"
mode = "Enforce"
organizational_units = ["production"]

[[developer_guardrails]]
application = "payments"
functions = ["payments-*"]
execution_roles = ["payments-*-execution"]
layers = ["arn:aws:lambda:*:222222222222:layer:payments-*:*"]

[[developer_guardrails]]
application = "check-out"
functions = ["checkout-*"]
execution_roles = ["checkout-*-execution"]

[[exemptions]]
functions = "aws-controltower-*"
owner = "platform@acme.example"
reason = "made by AWS Control Tower"
expires = 2030-12-31

[notifications]
emails = ["security@acme.example"]
"""


def spoiled(*changes: tuple[str, str]) -> str:
    """Return the good file with texts replaced, each where it stands first; a text that is not there is a mistake."""
    text = GOOD
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text
