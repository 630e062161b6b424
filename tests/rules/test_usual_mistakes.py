"""The eight mistakes that cfn-lint, checkov and the synthesis of AWS CDK let through are all found."""

import pytest

from tests.rules.judging import POLICY, PUBLISHER, broken, config, function

PROFILE_ARN, _, VERSION = PUBLISHER.rpartition("/")
STATED_PATH = "arn:aws:iam::123456789012:role/ci/signer"


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({"C": config(PROFILE_ARN)}, "LCS111 C"),
        ({"C": config(PUBLISHER.replace(":/signing", "://signing"))}, "LCS112 C"),
        ({"C": config(f"{PROFILE_ARN}/")}, "LCS113 C"),
        ({"C": config(PUBLISHER.replace("signing-profiles", "signing-profile"))}, "LCS114 C"),
        ({"C": config(PUBLISHER[:-2])}, "LCS115 C"),
        ({"F": function(Code={"ZipFile": "x"})}, "LCS207 F"),
        ({"F": function(Code={"ImageUri": "image"}, PackageType="Image")}, "LCS208 F"),
        ({"F": function(Layers=["arn:aws:lambda:eu-west-1:999999999999:layer:tools:1"])}, "LCS303 F"),
        (
            {
                "P": {
                    "Type": "AWS::Signer::ProfilePermission",
                    "Properties": {"Principal": STATED_PATH, "Action": "signer:StartSigningJob"},
                }
            },
            "LCS404 P",
        ),
    ],
    ids=[
        "profile-arn",
        "two-slashes",
        "no-version",
        "singular",
        "wrong-length",
        "inline-under-enforce",
        "image-with-config",
        "unsigned-external-layer",
        "role-with-path",
    ],
)
def test_it_is_found_with_and_without_a_policy(resources: dict, expected: str) -> None:
    assert broken(resources, POLICY) == [expected]
    without_policy = [found for found in broken(resources, None) if not found.startswith("LCS216")]
    assert without_policy == [expected]


@pytest.mark.parametrize(
    ("publisher", "expected"),
    [
        # What aws-cdk-lib's SigningProfile.from_signing_profile_attributes renders.
        (
            {
                "Fn::Join": [
                    "",
                    [
                        "arn:",
                        {"Ref": "AWS::Partition"},
                        ":signer:",
                        {"Ref": "AWS::Region"},
                        ":",
                        {"Ref": "AWS::AccountId"},
                        f"://signing-profiles/Central/{VERSION}",
                    ],
                ]
            },
            "LCS112 C",
        ),
        ({"Fn::Sub": "arn:${AWS::Partition}:signer:eu-west-1:123456789012:/signing-profile/N/${V}"}, "LCS114 C"),
        ({"Fn::GetAtt": ["P", "Arn"]}, "LCS111 C"),
        ({"Ref": "P"}, "LCS111 C"),
    ],
    ids=["two-slashes-of-cdk", "singular-in-sub", "arn-attribute", "ref-of-a-profile"],
)
def test_it_is_found_behind_intrinsic_functions(publisher: object, expected: str) -> None:
    resources = {"C": config(publisher), "P": {"Type": "AWS::Signer::SigningProfile", "Properties": {}}}
    found = broken({**resources, "P": {**resources["P"], "Properties": {"PlatformId": "AWSLambda-SHA384-ECDSA"}}})
    assert found == [expected]


def test_a_role_of_the_template_with_a_path_is_found_and_one_without_is_not() -> None:
    def permission(role: str) -> dict:
        return {"Type": "AWS::Signer::ProfilePermission", "Properties": {"Principal": {"Fn::GetAtt": [role, "Arn"]}}}

    def role(**properties: str) -> dict:
        return {"Type": "AWS::IAM::Role", "Properties": properties}

    resources = {"A": permission("With"), "B": permission("Without"), "With": role(Path="/ci/"), "Without": role()}
    assert broken(resources) == ["LCS404 A"]
