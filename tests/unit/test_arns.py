"""ARNs are read and written without loss, and every mistake of the field has a message of its own."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_pkg.arns import (
    Arn,
    CodeSigningConfigArn,
    FunctionArn,
    LayerVersionArn,
    RoleArn,
    SigningJobArn,
    SigningProfileArn,
    SigningProfileVersionArn,
    parse_arn,
)
from constructs_pkg.errors import ArnError
from constructs_pkg.regions import REGIONS_BY_PARTITION

PROFILE = "arn:aws:signer:eu-west-1:123456789012:/signing-profiles/acme_payments_g1"
VERSION = f"{PROFILE}/AbCdEf1234"

WORD = string.ascii_letters + string.digits
places = st.sampled_from(
    [(partition, region) for partition in REGIONS_BY_PARTITION for region in REGIONS_BY_PARTITION[partition]]
)
accounts = st.text("0123456789", min_size=12, max_size=12)
profile_names = st.text(WORD + "_", min_size=2, max_size=64)
versions = st.text(WORD, min_size=10, max_size=10)
names = st.text(WORD + "-_", min_size=1, max_size=140)
qualifiers = st.one_of(st.none(), st.just("$LATEST"), st.text(WORD + "-_", min_size=1, max_size=128))
paths = st.one_of(
    st.just("/"), st.text(string.punctuation.replace("/", "") + WORD, min_size=1).map(lambda word: f"/{word}/")
)


def _regional(kind: type[Arn], *parts: st.SearchStrategy[object]) -> st.SearchStrategy[Arn]:
    return st.tuples(places, accounts, *parts).map(lambda drawn: kind(*drawn[0], *drawn[1:]))


any_arn = st.one_of(
    _regional(SigningProfileArn, profile_names),
    _regional(SigningProfileVersionArn, profile_names, versions),
    _regional(SigningJobArn, st.uuids().map(str)),
    _regional(
        CodeSigningConfigArn,
        st.text(string.ascii_lowercase + "0123456789", min_size=17, max_size=17).map("csc-".__add__),
    ),
    _regional(FunctionArn, names, qualifiers),
    _regional(LayerVersionArn, names, st.integers(1, 9_999_999_999)),
    st.builds(
        RoleArn,
        st.sampled_from(sorted(REGIONS_BY_PARTITION)),
        st.just(""),
        accounts,
        paths,
        st.text(WORD + "_+=,.@-", min_size=1, max_size=64),
    ),
)


@given(any_arn)
def test_what_is_written_is_read_back_the_same_by_its_own_kind_and_by_any(arn: Arn):
    assert type(arn).parse(str(arn)) == arn
    assert parse_arn(str(arn)) == arn


@given(any_arn, any_arn)
def test_an_arn_of_another_kind_is_refused(arn: Arn, other: Arn):
    if type(arn) is not type(other):
        with pytest.raises(ArnError):
            type(other).parse(str(arn))


@given(any_arn, st.text(min_size=1, max_size=3), st.integers(min_value=0))
def test_a_text_with_something_put_in_is_another_arn_or_refused(arn: Arn, text: str, place: int):
    original = str(arn)
    place %= len(original) + 1
    changed = original[:place] + text + original[place:]
    try:
        read = parse_arn(changed)
    except ArnError as error:
        message = str(error)
    else:
        message = ""
        assert str(read) == changed
        assert read != arn
    assert message.isprintable()


@given(st.text())
def test_any_other_text_is_refused_with_an_arn_error(text: str):
    with pytest.raises(ArnError):
        parse_arn(text)


@pytest.mark.parametrize(
    ("text", "arn"),
    [
        (PROFILE, SigningProfileArn("aws", "eu-west-1", "123456789012", "acme_payments_g1")),
        (VERSION, SigningProfileVersionArn("aws", "eu-west-1", "123456789012", "acme_payments_g1", "AbCdEf1234")),
        (
            "arn:aws:signer:eu-west-1:123456789012:/signing-jobs/01234567-89ab-cdef-0123-456789abcdef",
            SigningJobArn("aws", "eu-west-1", "123456789012", "01234567-89ab-cdef-0123-456789abcdef"),
        ),
        (
            "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:code-signing-config:csc-0123456789abcdef0",
            CodeSigningConfigArn("aws-us-gov", "us-gov-west-1", "123456789012", "csc-0123456789abcdef0"),
        ),
        (
            "arn:aws-cn:lambda:cn-north-1:123456789012:function:pay-ments_1:$LATEST",
            FunctionArn("aws-cn", "cn-north-1", "123456789012", "pay-ments_1", "$LATEST"),
        ),
        ("arn:aws:lambda:eu-west-1:123456789012:function:pay", FunctionArn("aws", "eu-west-1", "123456789012", "pay")),
        (
            "arn:aws:lambda:eu-west-1:123456789012:layer:tools:12",
            LayerVersionArn("aws", "eu-west-1", "123456789012", "tools", 12),
        ),
        ("arn:aws:iam::123456789012:role/pay", RoleArn("aws", "", "123456789012", "/", "pay")),
        ("arn:aws:iam::123456789012:role/a/b/pay", RoleArn("aws", "", "123456789012", "/a/b/", "pay")),
    ],
)
def test_the_forms_of_aws_are_read(text: str, arn: Arn):
    assert parse_arn(text) == arn
    assert str(arn) == text


COPY = "Use profileVersionArn from 'aws signer get-signing-profile'"
TEN = "a signing profile version is exactly 10 letters and digits"
MISTAKES = {
    "a profile where a profile version is wanted": (
        PROFILE,
        f"is a signing profile ARN, not a signing profile version ARN: it ends after the name. {COPY}",
    ),
    "two slashes": (
        VERSION.replace(":/", "://"),
        "has two slashes before 'signing-profiles'. Write ':/signing-profiles/' with one",
    ),
    "no version after the slash": (
        f"{PROFILE}/",
        f"has no version after the last '/'. {COPY}, with its 10-character version",
    ),
    "the singular": (
        VERSION.replace("profiles", "profile"),
        "says 'signing-profile'. Write ':/signing-profiles/', in the plural",
    ),
    "a version of another length": (
        VERSION[:-1],
        f"has the version {VERSION[-10:-1]!r} of 9 characters; {TEN}. Copy it again from AWS Signer",
    ),
    "no slash before": (
        VERSION.replace(":/", ":"),
        "has no slash before 'signing-profiles'. Write ':/signing-profiles/' with one",
    ),
}
"""The text and what its message says after the text in quotes."""


@pytest.mark.parametrize(("text", "message"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_of_the_field_has_its_own_message(text: str, message: str):
    with pytest.raises(ArnError) as caught:
        SigningProfileVersionArn.parse(text)
    assert str(caught.value) == f"{text!r} {message}"


def test_no_two_mistakes_share_a_message():
    assert len({message for _, message in MISTAKES.values()}) == len(MISTAKES)


@pytest.mark.parametrize("name", ["two slashes", "the singular", "a version of another length", "no slash before"])
def test_reading_an_arn_of_any_kind_tells_the_same_mistake(name: str):
    text, message = MISTAKES[name]
    with pytest.raises(ArnError) as caught:
        parse_arn(text)
    assert str(caught.value) == f"{text!r} {message}"


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (SigningProfileArn, VERSION, "names one version of a signing profile"),
        (SigningProfileArn, f"{PROFILE}/\n", "Leave '/\\n' away"),
        (SigningProfileArn, f"{PROFILE}/", "ends with a '/'"),
        (SigningProfileArn, PROFILE.replace("acme_payments_g1", "a-b"), "has the profile name 'a-b'"),
        (SigningProfileArn, PROFILE.replace("acme_payments_g1", "a"), "has the profile name 'a'"),
        (SigningProfileArn, PROFILE.replace("/signing-profiles", "/jobs"), "is not a signing profile ARN"),
        (SigningProfileVersionArn, f"{VERSION}/x", "has the version 'AbCdEf1234/x' of 12 characters"),
        (SigningProfileVersionArn, f"{VERSION}\n", "has the version 'AbCdEf1234\\n' of 11 characters"),
        (SigningProfileArn, PROFILE.replace("arn:", "urn:"), "is not an ARN"),
        (SigningProfileArn, "arn:aws:signer", "is not an ARN"),
        (SigningProfileArn, PROFILE.replace(":aws:", ":aws-moon:"), "has the partition 'aws-moon'"),
        (
            SigningProfileArn,
            PROFILE.replace("eu-west-1", "cn-north-1"),
            "has the partition 'aws', but cn-north-1 is in",
        ),
        (SigningProfileArn, PROFILE.replace("eu-west-1", "Europe"), "has the Region 'Europe'"),
        (SigningProfileArn, PROFILE.replace("eu-west-1", "eu-west-٢"), "has the Region"),
        (SigningProfileArn, PROFILE.replace("eu-west-1", ""), "has the Region ''"),
        (SigningProfileArn, PROFILE.replace("123456789012", "12345678901"), "has the account '12345678901'"),
        (SigningProfileArn, PROFILE.replace("123456789012", "١٢٣٤٥٦٧٨٩٠١٢"), "has the account"),
        (SigningProfileArn, PROFILE.replace("signer", "lambda"), "is an ARN of the service 'lambda'"),
        (SigningProfileArn, PROFILE + "x" * 2048, "an ARN has at most 2048"),
        (SigningJobArn, "arn:aws:signer:eu-west-1:123456789012:/signing-jobs/1", "is not a signing job ARN"),
        (SigningJobArn, "arn:aws:signer:eu-west-1:123456789012:signing-jobs/1", "is not a signing job ARN"),
        (
            CodeSigningConfigArn,
            "arn:aws:lambda:eu-west-1:123456789012:code-signing-config:csc-1",
            "is not a code signing config ARN",
        ),
        (FunctionArn, "arn:aws:lambda:eu-west-1:123456789012:function:a.b", "is not a Lambda function ARN"),
        (FunctionArn, "arn:aws:lambda:eu-west-1:123456789012:layer:a:1", "is not a Lambda function ARN"),
        (LayerVersionArn, "arn:aws:lambda:eu-west-1:123456789012:layer:a", "is a layer ARN without a version"),
        (LayerVersionArn, "arn:aws:lambda:eu-west-1:123456789012:layer:a:0", "is not a layer version ARN"),
        (LayerVersionArn, "arn:aws:lambda:eu-west-1:123456789012:layer:a:x", "is not a layer version ARN"),
        (RoleArn, "arn:aws:iam:eu-west-1:123456789012:role/a", "IAM is global, leave it empty"),
        (RoleArn, "arn:aws:iam::123456789012:user/a", "is not an IAM role ARN"),
        (RoleArn, "arn:aws:iam::123456789012:role", "is not an IAM role ARN"),
        (RoleArn, "arn:aws:iam::123456789012:role/", "is not an IAM role ARN"),
        (RoleArn, "arn:aws:iam::123456789012:root", "is not an IAM role ARN"),
        (RoleArn, "arn:aws:iam::123456789012:role//a", "is not an IAM role ARN"),
        (RoleArn, "arn:aws:iam::123456789012:role/*", "is not an IAM role ARN"),
    ],
)
def test_what_is_not_the_wanted_arn_is_refused_with_what_is_wrong(kind: type[Arn], text: str, message: str):
    with pytest.raises(ArnError) as caught:
        kind.parse(text)
    assert message in str(caught.value)
    assert str(caught.value).isprintable()


def test_an_unknown_kind_of_resource_is_refused_with_the_kinds_that_are_known():
    with pytest.raises(ArnError, match=r"none of the ARNs that code signing knows \(SigningProfileArn, "):
        parse_arn("arn:aws:s3:::bucket")


def test_a_region_that_is_newer_than_the_table_is_read():
    arn = SigningProfileArn.parse(PROFILE.replace("eu-west-1", "eu-west-9"))
    assert arn.region == "eu-west-9"


def test_a_profile_gives_the_arns_of_its_versions_and_a_version_its_profile():
    profile = SigningProfileArn.parse(PROFILE)
    assert str(profile.version("AbCdEf1234")) == VERSION
    assert SigningProfileVersionArn.parse(VERSION).profile == profile
    with pytest.raises(ArnError, match="of 9 characters"):
        profile.version("AbCdEf123")


def test_a_role_tells_whether_it_has_a_path():
    assert not RoleArn.parse("arn:aws:iam::123456789012:role/a").has_path
    assert RoleArn.parse("arn:aws:iam::123456789012:role/p/a").has_path
