"""Stands in for the platform team on a laptop: a throwaway signing authority and the policy file that trusts it.

In an organization you get the policy file from your platform team, and a pipeline signs with AWS Signer.
"""

from dataclasses import replace
from pathlib import Path

from constructs_pkg.clock import now
from constructs_pkg.signing.authority_directory import AuthorityDirectory
from constructs_pkg.signing.policy_file import format_policy
from constructs_pkg.signing.template_terms import ApprovedConfig, TemplateTerms

CONFIG_PARAMETER = "/lambda-code-signing/code-signing-configs/payments/arn"


def local_platform(folder: Path) -> tuple[AuthorityDirectory, Path]:
    """Return a signer and the path of the policy file; both are made where they do not exist yet."""
    authority, policy_file = AuthorityDirectory(folder / "authority"), folder / "code-signing-policy.json"
    if not authority.path.exists():
        AuthorityDirectory.init(authority.path, region="eu-west-1", account="111122223333", at=now())
        with authority.changing() as inside:
            inside.put_profile("payments")
    policy = authority.read().export_policy(at=now(), profiles=["payments"], max_age_days=7)
    # What the platform team says besides: where functions find the organization's code signing config.
    terms = TemplateTerms(approved_configs=(ApprovedConfig("ssm", CONFIG_PARAMETER),))
    policy_file.write_text(format_policy(replace(policy, templates=terms)), "utf-8")
    return authority, policy_file
