"""The reference deployment: turns ``organization.toml`` into CloudFormation for the signing authority and its configs.

``make synth`` and ``cdk deploy`` both run this file. It makes no AWS calls.
"""

import argparse
import json
import os
import shutil
import sys
from pathlib import Path

try:
    from constructs_pkg.clock import now
    from constructs_pkg.errors import LambdaCodeSigningError
    from constructs_pkg.node import ensure_node
    from constructs_pkg.organization import load_organization, lock_path, read_lock
    from constructs_pkg.organization.rotation import refuse_to_strand
except ModuleNotFoundError as error:  # cdk runs the python3 that it finds
    print(f"{error}. 'make synth' installs it into .venv; then: source .venv/bin/activate", file=sys.stderr)
    sys.exit(2)

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Synthesize the organization's stacks; return the exit code: 0 made, 2 the organization file is bad."""
    parser = argparse.ArgumentParser(description="Synthesize an organization's code signing into cdk.out.")
    parser.add_argument("--organization", default=os.environ.get("ORGANIZATION"), help="default: organization.toml")
    parser.add_argument("--signer", help="who signs the functions of this deployment, such as aws:bucket=NAME")
    parser.add_argument("--policy", help="the policy file that trusts the signer")
    parser.add_argument("--audit", default=os.environ.get("AUDIT"), help="refuse to strand what this audit file names")
    arguments = parser.parse_args()
    # What the cdk command line was given with -c
    given = json.loads(os.environ.get("CDK_CONTEXT_JSON", "{}")) | {k: v for k, v in vars(arguments).items() if v}
    try:
        ensure_node()
        return synthesize(given)
    except LambdaCodeSigningError as error:
        print(error, file=sys.stderr)
        return 2


def synthesize(given: dict[str, str]) -> int:
    """Load the file, declare the stacks, write ``cdk.out`` and print what it holds."""
    path = Path(given.get("organization") or HERE / "organization.toml")
    # All of this before the App, whose constructor already makes cdk.out: a bad file leaves nothing behind.
    organization = load_organization(path, at=now())
    lock = read_lock(lock_path(path))
    if audit := given.get("audit"):
        refuse_to_strand(organization, Path(audit), at=now())

    import aws_cdk as cdk  # noqa: PLC0415 (a bad file is told without waiting for Node.js)

    from constructs_pkg.cdk.deployment import declare_deployment  # noqa: PLC0415
    from constructs_pkg.cdk.drift_code import signed_drift_code  # noqa: PLC0415

    flags = json.loads((HERE / "cdk.json").read_text("utf-8"))["context"]
    outdir = Path(os.environ.get("CDK_OUTDIR", HERE / "cdk.out"))
    was_there = outdir.exists()
    drift_code = signed_drift_code(organization, signer=given.get("signer"), policy=given.get("policy"), at=now())
    app = cdk.App(context=flags, outdir=str(outdir), analytics_reporting=False)
    try:
        deployment = declare_deployment(app, organization, lock=lock, at=now(), drift_code=drift_code)
    except LambdaCodeSigningError:
        if not was_there:  # the App has made it
            shutil.rmtree(outdir, ignore_errors=True)
        raise
    assembly = deployment.synthesize(app)
    deployment.draw(assembly)
    # Under the cdk command line, standard output is that of "cdk synth" and "cdk ls".
    print(deployment.summary(assembly), file=sys.stderr if "CDK_OUTDIR" in os.environ else sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
