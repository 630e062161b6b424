"""The payments team's CDK app: signs the code, synthesizes, and prints the verdicts."""

import os
import sys
from pathlib import Path

from constructs_pkg.node import ensure_node

ensure_node()  # before aws_cdk, which starts it

import aws_cdk as cdk  # noqa: E402
from local_platform import local_platform  # noqa: E402
from payments_stack import PaymentsStack  # noqa: E402

from constructs_pkg.cdk import CodeSigningChecks  # noqa: E402
from constructs_pkg.signing.report import iso_time  # noqa: E402
from constructs_pkg.tables import format_table  # noqa: E402

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Synthesize; a violation ends the program with the CDK's report and exit code 1."""
    output = Path(os.environ.get("CDK_OUTDIR", HERE / "cdk.out")).absolute()
    app = cdk.App(outdir=str(output), analytics_reporting=False)
    signer, policy_file = local_platform(output / ".local-platform")

    # These two lines are all that an app needs for the checks.
    checks = CodeSigningChecks(policy_file, fetch_from="your platform team's bucket")
    cdk.Validations.of(app).add_plugins(checks)

    stack = PaymentsStack(app, "Payments", policy=policy_file, signer=signer, store=output / ".signed")
    app.synth()
    # Under the cdk command line, standard output is that of "cdk synth".
    print(verdicts(stack, checks), file=sys.stderr if "CDK_OUTDIR" in os.environ else sys.stdout)
    return 0


def verdicts(stack: PaymentsStack, checks: CodeSigningChecks) -> str:
    """Return the verdicts as a table."""
    rows = [
        [
            f"{stack.node.path}/{name}",
            code.report.decision,
            code.report.signing_profile_version_arn.name,
            iso_time(code.report.expires_at)[:10],
        ]
        for name, code in stack.code.items()
    ]
    table = format_table(["code", "Lambda's verdict", "publisher", "signed until"], rows)
    return f"Verdicts\n{table}\n\n{checks.report.summary}"


if __name__ == "__main__":
    sys.exit(main())
