"""Every signature of the corpus gets the one finding that it deserves, and nothing but."""

import pytest

from constructs_pkg.arns import SigningProfileVersionArn
from constructs_pkg.signing.policy import CodeSigningPolicy, Mode
from constructs_pkg.signing.report import Decision, SignatureStatus
from constructs_pkg.signing.trust import TrustStore
from constructs_pkg.signing.verifier import verify_archive
from tests.corpus import cms_cases as corpus
from tests.corpus import independent_cms as cms

POLICY = CodeSigningPolicy(
    (SigningProfileVersionArn.parse(cms.PROFILE_VERSION),), trust=TrustStore.from_pem(corpus.ROOT_PEM)
)
CASES = [*corpus.CMS_CASES, *corpus.CHAIN_CASES]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("mode", list(Mode))
def test_each_signature_gets_exactly_its_finding_under_both_modes(case: corpus.CmsCase, mode: Mode) -> None:
    policy = CodeSigningPolicy(POLICY.allowed_publishers, mode, POLICY.trust)
    report = verify_archive(case.archive(), policy, corpus.VERIFIED_AT)
    assert [finding.code for finding in report.findings] == ([] if case.reason is None else [case.reason])
    expected = (
        (Decision.ACCEPTED, SignatureStatus.VALID)
        if case.reason is None
        else (Decision.REJECTED, SignatureStatus.INTEGRITY)
    )
    assert (report.decision, report.signature_status) == expected


def test_names_of_cases_are_unique() -> None:
    names = [case.name for case in CASES]
    assert sorted(set(names)) == sorted(names)
