"""Rules about code and layers: what each kind of artifact gives, and that no verdict differs from the verifier's."""

import functools
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from constructs_pkg.arns import LayerVersionArn, SigningProfileVersionArn
from constructs_pkg.rules import Artifact, ArtifactKind, CheckContext, Resource, Severity, Template, check_template
from constructs_pkg.rules.code_rules import hits_of_report
from constructs_pkg.signing.attestation import attest_archive, format_attestation
from constructs_pkg.signing.policy import CodeSigningPolicy, Mode, Revocations, RevokedJob
from constructs_pkg.signing.report import Decision
from constructs_pkg.signing.template_terms import ExternalLayer
from constructs_pkg.signing.trust import TrustStore
from constructs_pkg.signing.verifier import verify_archive
from tests.corpus import cms_cases, independent_cms, zip_cases
from tests.rules.judging import POLICY, PUBLISHER, SIGNED, VERIFIED_AT, broken, config, function, judge
from tests.signing.test_layer_registry import REGISTRY


def layer(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::Lambda::LayerVersion", "Properties": {"Content": "signed.zip", **properties}}


def in_s3(**more: str) -> dict[str, str]:
    return {"S3Bucket": "my-bucket", "S3Key": "k.zip", **more}


KINDS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "signed": ({"F": function()}, []),
    "unsigned": ({"F": function(Code="unsigned.zip")}, ["LCS201 F"]),
    "tampered": ({"F": function(Code="tampered.zip")}, ["LCS202 F"]),
    "wrong-publisher": ({"F": function(Code="other.zip")}, ["LCS203 F"]),
    "inline": ({"F": function(Code={"ZipFile": "x"})}, ["LCS207 F"]),
    "image-under-config": ({"F": function(Code={"ImageUri": "i"})}, ["LCS208 F"]),
    "image": ({"F": function(Code={"ImageUri": "i"}, CodeSigningConfigArn=None)}, ["LCS215 F"]),
    "image-by-package-type": ({"F": function(Code=None, PackageType="Image", CodeSigningConfigArn=None)}, ["LCS215 F"]),
    "missing-file": ({"F": function(Code="nowhere.zip")}, ["LCS214 F"]),
    "no-code": ({"F": function(Code=None)}, ["LCS213 F"]),
    "foreign": ({"F": function(Code=in_s3())}, ["LCS210 F", "LCS211 F"]),
    "foreign-with-version": ({"F": function(Code=in_s3(S3ObjectVersion="v"))}, ["LCS211 F"]),
    "foreign-key-parameter": ({"F": function(Code=in_s3(S3Key={"Ref": "P"}))}, ["LCS213 F"]),
    "foreign-version-parameter": ({"F": function(Code=in_s3(S3ObjectVersion={"Ref": "P"}))}, ["LCS213 F"]),
    "path-parameter": ({"F": function(Code={"Ref": "P"})}, ["LCS213 F"]),
    "layer": ({"L": layer()}, []),
    "layer-unsigned": ({"L": layer(Content="unsigned.zip")}, ["LCS301 L"]),
    "layer-wrong-publisher": ({"L": layer(Content="other.zip")}, ["LCS302 L"]),
    "layer-tampered": ({"L": layer(Content="tampered.zip")}, ["LCS202 L"]),
    "sam": (
        {"F": {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "unsigned.zip"}}},
        ["LCS101 F", "LCS201 F"],
    ),
    "sam-inline": (
        {"F": {"Type": "AWS::Serverless::Function", "Properties": {"InlineCode": "x"}}},
        ["LCS101 F", "LCS207 F"],
    ),
    "sam-s3": (
        {"F": {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "s3://b/k.zip"}}},
        ["LCS101 F", "LCS210 F", "LCS211 F"],
    ),
    "sam-layer": (
        {"L": {"Type": "AWS::Serverless::LayerVersion", "Properties": {"ContentUri": "unsigned.zip"}}},
        ["LCS301 L"],
    ),
    "application": (
        {"A": {"Type": "AWS::Serverless::Application", "Properties": {"Location": {"ApplicationId": "arn:x"}}}},
        ["LCS217 A"],
    ),
    "unread-nested-stack": (
        {"S": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "https://x/y.json"}}},
        ["LCS904 S"],
    ),
}


@pytest.mark.parametrize(("resources", "expected"), KINDS.values(), ids=KINDS)
def test_each_kind_of_code_gets_its_rule(resources: dict[str, Any], expected: list[str]) -> None:
    assert broken(resources, Parameters={"P": {"Type": "String", "Default": "signed.zip"}}) == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (ArtifactKind.DIRECTORY, ("LCS209", Severity.FATAL)),
        (ArtifactKind.SIGNED_AT_PUBLISH, ("LCS212", Severity.NOTE)),
        (ArtifactKind.MISSING, ("LCS214", Severity.FATAL)),
        (ArtifactKind.UNDECIDED, ("LCS213", Severity.FATAL)),
    ],
)
def test_what_only_files_tell_gets_its_rule_too(kind: ArtifactKind, expected: tuple[str, Severity]) -> None:
    class Located:
        def artifact_of(self, _: Resource) -> Artifact:
            return Artifact(kind, "src")

    template = Template({"Resources": {"F": function()}})
    (found,) = check_template(template, context=CheckContext(POLICY, VERIFIED_AT, Located()))
    assert (found.rule.id, found.severity) == expected


def test_expired_expiring_and_revoked_code_is_told_apart() -> None:
    expires_at = verify_archive(SIGNED.archive, POLICY, VERIFIED_AT).expires_at
    job = verify_archive(SIGNED.archive, POLICY, VERIFIED_AT).signing_job_arn
    assert expires_at is not None
    assert job is not None
    soon = replace(POLICY, templates=replace(POLICY.templates, expires_within_days=30))
    revoked = replace(POLICY, revocations=Revocations((RevokedJob(job),)))
    resources = {"F": function()}
    assert [item.rule.id for item in judge(resources, POLICY, expires_at)] == ["LCS204"]
    assert [item.rule.id for item in judge(resources, soon, expires_at - timedelta(days=30))] == ["LCS205"]
    assert [item.rule.id for item in judge(resources, soon, expires_at - timedelta(days=30, seconds=1))] == []
    assert [item.rule.id for item in judge(resources, revoked)] == ["LCS206"]


def test_under_warn_what_lambda_lets_through_is_a_warning_and_a_changed_archive_still_fails() -> None:
    policy = replace(POLICY, mode=Mode.WARN)
    assert [item.severity for item in judge({"F": function(Code="unsigned.zip")}, policy)] == [Severity.WARNING]
    assert [item.fails for item in judge({"F": function(Code="tampered.zip")}, policy)] == [True]


def test_a_config_of_the_app_that_enforces_makes_the_verdict_strict_where_the_organization_warns() -> None:
    resources = {"F": function(Code="unsigned.zip", CodeSigningConfigArn={"Ref": "C"}), "C": config()}
    assert [item.fails for item in judge(resources, replace(POLICY, mode=Mode.WARN))] == [True]


def test_a_config_that_trusts_fewer_publishers_judges_the_function_and_its_layers() -> None:
    other = SigningProfileVersionArn.parse(str(SIGNED.authority.export_policy(at=VERIFIED_AT).allowed_publishers[1]))
    policy = replace(POLICY, allowed_publishers=(*POLICY.allowed_publishers, other))
    own = {"CodeSigningConfigArn": {"Ref": "C"}, "Layers": [{"Ref": "L"}]}
    resources = {"F": function(Code="other.zip", **own), "C": config(), "L": layer(Content="other.zip")}
    assert broken({"F": function(Code="other.zip"), "L": layer(Content="other.zip")}, policy) == []
    assert broken(resources, policy) == ["LCS203 F", "LCS302 F"]


def test_a_config_of_the_app_that_trusts_more_than_the_policy_widens_nothing() -> None:
    stranger = PUBLISHER.replace("team_app", "other_app")
    resources = {"F": function(Code="other.zip", CodeSigningConfigArn={"Ref": "C"}), "C": config(stranger, PUBLISHER)}
    assert broken(resources) == ["LCS203 F", "LCS118 C"]


def test_without_a_policy_nothing_that_needs_a_verdict_passes() -> None:
    assert broken({"F": function(), "L": layer()}, None) == ["LCS216 F", "LCS216 L"]


def _attested(code: dict[str, str], archive: bytes, **attested: str) -> dict[str, Any]:
    place = {"bucket": "my-bucket", "key": "k.zip", "object_version": "v1", **attested}
    text = format_attestation(attest_archive(archive, **place))
    return {"F": {**function(Code=code), "Metadata": {"LambdaCodeSigningAttestation": text}}}


def test_a_foreign_object_is_judged_by_its_attestation() -> None:
    code = in_s3(S3ObjectVersion="v1")
    assert broken(_attested(code, SIGNED.archive)) == []
    assert broken(_attested({**code, "S3Bucket": {"Ref": "Bucket"}}, SIGNED.archive)) == []
    assert broken(_attested(code, SIGNED.archive, object_version="v2")) == ["LCS211 F"]
    assert broken(_attested(code, SIGNED.archive, key="other.zip")) == ["LCS211 F"]
    assert broken(_attested(in_s3(), SIGNED.archive)) == ["LCS210 F"]
    other = {"Resources": _attested(code, SIGNED.archive)}
    other["Resources"]["F"]["Metadata"] = {"LambdaCodeSigningAttestation": "{}"}
    assert broken(other["Resources"]) == ["LCS211 F"]


LAYERS: dict[str, tuple[Any, list[str]]] = {
    "known": ("arn:aws:lambda:eu-west-1:464622532012:layer:Vendor-Python:5", []),
    "known-in-own-region": ({"Fn::Sub": "arn:aws:lambda:${AWS::Region}:464622532012:layer:Vendor-Python:5"}, []),
    "unknown": ("arn:aws:lambda:eu-west-1:464622532012:layer:Other:5", ["LCS303 F"]),
    "same-name-of-another-account": ("arn:aws:lambda:eu-west-1:999999999999:layer:Vendor-Python:5", ["LCS303 F"]),
    "not-allowed": ("arn:aws:lambda:eu-west-1:111111111111:layer:Untrusted:1", ["LCS304 F"]),
    "other-region": ("arn:aws:lambda:us-east-1:464622532012:layer:Vendor-Python:5", ["LCS305 F"]),
    "without-version": ("arn:aws:lambda:eu-west-1:464622532012:layer:Vendor-Python", ["LCS307 F"]),
    "parameter": ({"Ref": "P"}, ["LCS306 F"]),
    "open-version": ({"Fn::Sub": "arn:aws:lambda:eu-west-1:464622532012:layer:Vendor-Python:${P}"}, []),
    "made-here": ({"Ref": "L"}, []),
    "no-value": ({"Ref": "AWS::NoValue"}, []),
}


@pytest.mark.parametrize(("value", "expected"), LAYERS.values(), ids=LAYERS)
def test_layers_of_others_need_a_known_and_allowed_publisher(value: Any, expected: list[str]) -> None:
    stranger = replace(POLICY.allowed_publishers[0], name="stranger")
    layers = (
        ExternalLayer("arn:aws:lambda:*:464622532012:layer:Vendor-*:*", POLICY.allowed_publishers[0], "Vendor"),
        ExternalLayer("arn:aws:lambda:*:111111111111:layer:*:*", stranger, "Stranger"),
    )
    policy = replace(POLICY, templates=replace(POLICY.templates, external_layers=layers))
    resources = {"F": function(Layers=[value]), "L": layer()}
    assert broken(resources, policy, Parameters={"P": {"Type": "String"}}) == expected


def test_layers_of_a_registry_are_known_and_their_publishers_still_have_to_be_allowed() -> None:
    vendor = "arn:aws:lambda:eu-west-1:777777777777:layer:Observatory-Agent:12"
    resources = {"F": function(Layers=[vendor])}
    assert broken(resources, POLICY) == ["LCS303 F"]
    known = REGISTRY.added_to(POLICY)
    assert broken(resources, known) == ["LCS304 F"]
    (publisher,) = REGISTRY.publishers_of(LayerVersionArn.parse(vendor))
    assert broken(resources, replace(known, allowed_publishers=(*known.allowed_publishers, publisher))) == []


@functools.cache
def corpus() -> dict[str, bytes]:
    return dict(_corpus())


def _corpus() -> Iterator[tuple[str, bytes]]:
    for case in (*cms_cases.CMS_CASES, *cms_cases.CHAIN_CASES):
        yield f"cms-{case.name}", case.archive()
    for case in (*zip_cases.REFUSED, *zip_cases.ACCEPTED):
        yield f"zip-{case.name}", case.build()
    for change in zip_cases.TRANSFORMATIONS:
        yield f"changed-{change.name}", change.apply(cms_cases.archive_with(cms_cases.good_entry()))


CORPUS_POLICY = CodeSigningPolicy(
    (SigningProfileVersionArn.parse(independent_cms.PROFILE_VERSION),), trust=TrustStore.from_pem(cms_cases.ROOT_PEM)
)


@pytest.mark.parametrize("mode", list(Mode))
def test_over_the_whole_corpus_the_rules_decide_as_the_verifier_does(mode: Mode) -> None:
    policy = replace(CORPUS_POLICY, mode=mode)
    differing = []
    decisions = set()
    for name, archive in corpus().items():
        report = verify_archive(archive, policy, VERIFIED_AT)
        hits = list(hits_of_report(report, policy, name="archive", location=""))
        severities = {hit.severity or hit.rule.severity for hit in hits}
        decided = (
            Decision.REJECTED
            if any(severity.fails for severity in severities)
            else Decision.WARNED
            if hits
            else Decision.ACCEPTED
        )
        decisions.add(report.decision)
        if decided is not report.decision or len(hits) != len(report.findings):
            differing.append((name, decided, report.decision))
    assert differing == []
    assert decisions == {Decision.ACCEPTED, Decision.REJECTED} | ({Decision.WARNED} if mode is Mode.WARN else set())
