"""A layer is allowed where everything that was given agrees, and nothing speaks against it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from constructs_pkg.arns import LayerVersionArn, SigningJobArn, SigningProfileVersionArn
from constructs_pkg.signing.layer_verdict import judge_layer
from constructs_pkg.signing.policy import CodeSigningPolicy, Mode, Revocations, RevokedJob, RevokedProfileVersion
from constructs_pkg.signing.template_terms import ExternalLayer, TemplateTerms
from constructs_pkg.signing.verifier import verify_archive
from tests.signing.signed_archives import VERIFIED_AT, archive_of, sign, signed_archive
from tests.signing.test_layer_registry import EVERYWHERE, IRELAND, LAYER, REGISTRY

ARN = LayerVersionArn.parse("arn:aws:lambda:eu-west-1:777777777777:layer:Observatory-Agent:12")
STRANGE = LayerVersionArn.parse("arn:aws:lambda:eu-west-1:888888888888:layer:Other:1")
PUBLISHER, OTHER = SigningProfileVersionArn.parse(IRELAND), SigningProfileVersionArn.parse(EVERYWHERE)
JOB = SigningJobArn.parse("arn:aws:signer:eu-west-1:777777777777:/signing-jobs/01234567-89ab-cdef-0123-456789abcdef")
POLICY = CodeSigningPolicy((PUBLISHER,))
LATER = datetime(2026, 12, 1, tzinfo=UTC)


def codes(publisher=PUBLISHER, *, layer=ARN, policy=POLICY, registry=REGISTRY, report=None) -> list[str]:
    job = None if publisher is None else JOB
    verdict = judge_layer(layer, publisher, job, policy=policy, registry=registry, report=report)
    assert bool(verdict) is not bool(verdict.findings)
    return [finding.code for finding in verdict.findings]


def test_a_publisher_that_policy_and_registry_name_is_allowed() -> None:
    assert codes() == []
    assert codes(registry=None, layer=STRANGE) == []
    assert codes(policy=None) == []


def test_what_nobody_signed_is_not_allowed_by_whatever_is_given() -> None:
    for given in ({}, {"policy": None}, {"registry": None}):
        assert codes(None, **given) == ["unsigned"]


def test_each_source_speaks_for_itself() -> None:
    assert codes(OTHER, registry=None) == ["publisher_not_allowed"]
    assert codes(OTHER, policy=None) == ["publisher_differs_from_registry"]
    assert codes(OTHER) == ["publisher_not_allowed", "publisher_differs_from_registry"]
    assert codes(layer=STRANGE) == ["layer_not_registered"]


def test_a_mode_of_warn_allows_nobody_more() -> None:
    assert codes(OTHER, policy=replace(POLICY, mode=Mode.WARN), registry=None) == ["publisher_not_allowed"]


def test_external_layers_of_the_policy_count_like_a_registry() -> None:
    both = CodeSigningPolicy((PUBLISHER, OTHER))
    known = replace(both, templates=TemplateTerms(external_layers=(ExternalLayer(LAYER, PUBLISHER, "Observatory"),)))
    assert codes(policy=known, registry=None) == []
    assert codes(OTHER, policy=known, registry=None) == ["publisher_differs_from_policy"]


@pytest.mark.parametrize(
    ("revocations", "code"),
    [
        (Revocations(jobs=(RevokedJob(JOB),)), "job_revoked"),
        (Revocations(profile_versions=(RevokedProfileVersion(PUBLISHER, LATER),)), "profile_version_revoked"),
    ],
)
def test_a_revocation_counts_where_the_time_of_signing_is_unknown(revocations: Revocations, code: str) -> None:
    assert codes(policy=replace(POLICY, revocations=revocations)) == [code]


def test_with_the_archive_its_own_verdict_counts() -> None:
    signed = signed_archive()
    publisher = signed.policy.allowed_publishers[0]

    def judged(archive: bytes, policy: CodeSigningPolicy = signed.policy, claimed=publisher) -> list[str]:
        report = verify_archive(archive, policy, VERIFIED_AT)
        return codes(claimed, policy=policy, registry=None, report=report)

    early = Revocations(profile_versions=(RevokedProfileVersion(publisher, LATER),))
    assert judged(signed.archive) == []
    assert judged(signed.archive, replace(signed.policy, revocations=early)) == []
    assert judged(signed.archive, claimed=None) == ["unsigned", "publisher_differs_from_archive"]
    assert judged(archive_of(a=b"1")) == ["publisher_differs_from_archive", "unsigned"]
    foreign = sign(signed.authority, archive_of(a=b"1"), "other_app")
    assert judged(foreign) == ["publisher_differs_from_archive", "publisher_not_allowed"]
    assert judged(signed.archive.replace(b"handler", b"hacker!", 1)) != []


def test_with_nothing_to_judge_by_there_is_no_verdict() -> None:
    with pytest.raises(ValueError, match="give one"):
        judge_layer(ARN, PUBLISHER, JOB, policy=None, registry=None)
