"""What can be wrong with an organization file as a file, and what a good one says."""

import os
from datetime import date
from pathlib import Path

import pytest

from constructs_pkg.arns import RoleArn, SigningProfileVersionArn
from constructs_pkg.errors import OrganizationError, Problem
from constructs_pkg.organization import Validity, load_organization, read_organization
from constructs_pkg.organization.reading import MOST_FILE_BYTES
from tests.unit.organization_text import AT, GOOD

START = "Start from examples/single-account.toml"
SYNTAX = "Correct it there; https://toml.io shows the syntax"


def _problems_of_bytes(tmp_path: Path, data: bytes) -> list[Problem]:
    path = tmp_path / "acme.toml"
    path.write_bytes(data)
    return _problems_of(path)


def _problems_of(path: Path) -> list[Problem]:
    with pytest.raises(OrganizationError) as caught:
        load_organization(path, at=AT)
    assert caught.value.source == str(path)
    return list(caught.value.problems)


def test_a_missing_file_is_named(tmp_path: Path):
    assert _problems_of(tmp_path / "none.toml") == [Problem("file", "it does not exist", f"Name another file. {START}")]


def test_a_folder_is_named(tmp_path: Path):
    remedy = f"Name the file in it, such as {tmp_path / 'organization.toml'}"
    assert _problems_of(tmp_path) == [Problem("file", "it is a directory", remedy)]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_named(tmp_path: Path):
    path = tmp_path / "acme.toml"
    path.write_text(GOOD)
    path.chmod(0)
    assert _problems_of(path) == [
        Problem("file", "it cannot be read: Permission denied", "Name a file that you may read")
    ]


def test_a_path_through_a_file_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    assert _problems_of(tmp_path / "file" / "acme.toml") == [
        Problem("file", "it cannot be read: Not a directory", "Name a file that you may read")
    ]


def test_a_nul_in_the_name_is_named():
    assert _problems_of(Path("a\0b")) == [
        Problem("file", "it cannot be read: embedded null byte", "Name a file that you may read")
    ]


def test_what_is_not_utf8_is_named_with_the_byte_its_position_and_its_line(tmp_path: Path):
    assert _problems_of_bytes(tmp_path, b"a = 1\nb = '\xff'\n") == [
        Problem("line 2", "it is not UTF-8: byte 0xff at position 11", "Save the file as UTF-8")
    ]


def test_the_position_counts_a_byte_order_mark(tmp_path: Path):
    assert _problems_of_bytes(tmp_path, b"\xef\xbb\xbfa = '\xff'\n") == [
        Problem("line 1", "it is not UTF-8: byte 0xff at position 8", "Save the file as UTF-8")
    ]


def test_utf16_is_named_by_its_first_byte(tmp_path: Path):
    assert _problems_of_bytes(tmp_path, GOOD.encode("utf-16")) == [
        Problem("line 1", "it is not UTF-8: byte 0xff at position 0", "Save the file as UTF-8")
    ]


def test_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path: Path):
    path = tmp_path / "acme.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load_organization(path, at=AT).name == "acme"


def test_a_file_of_one_mebibyte_is_read_and_one_byte_more_is_refused(tmp_path: Path):
    path = tmp_path / "acme.toml"
    padding = "#" * (MOST_FILE_BYTES - len(GOOD.encode()))
    path.write_text(GOOD + padding)
    assert load_organization(path, at=AT).name == "acme"
    path.write_text(GOOD + padding + "#")
    assert _problems_of(path) == [
        Problem("file", "it has more than 1,048,576 bytes", "Is it an organization file? Shorten it")
    ]


def test_an_endless_file_is_read_up_to_the_limit_only():
    assert _problems_of(Path("/dev/zero")) == [
        Problem("file", "it has more than 1,048,576 bytes", "Is it an organization file? Shorten it")
    ]


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n"])
def test_an_empty_file_is_named(tmp_path: Path, text: str):
    assert _problems_of_bytes(tmp_path, text.encode()) == [Problem("file", "it is empty", START)]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("a = 1\nb = [1", "end of document"),
        ("a = 1\nb == 2\n", "line 2, column 4"),
        ("[organization\n", "line 1, column 14"),
        ("a = 1\na = 2\n", "line 2, column 6"),
        ("a = 2030-02-30\n", "line 1, column 5"),
        ('a = "x\0"\n', "line 1, column 7"),
    ],
)
def test_wrong_syntax_is_named_with_line_and_column(text: str, where: str):
    with pytest.raises(OrganizationError) as caught:
        read_organization(text, "acme.toml", at=AT)
    (problem,) = caught.value.problems
    assert (problem.where, problem.remedy) == (where, SYNTAX)
    # the parser's own words, which differ between versions of Python, without the place, which stands in front
    assert problem.message.startswith("this is not TOML: ")
    assert "(at " not in problem.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = " + "1" * 5000, "this cannot be read: it holds a number that is too long"),
        ("a = " + "[" * 100_000, "this cannot be read: it nests too deeply"),
    ],
)
def test_what_python_itself_gives_up_on_is_a_problem_and_no_traceback(text: str, message: str):
    with pytest.raises(OrganizationError) as caught:
        read_organization(text, "acme.toml", at=AT)
    assert caught.value.problems == (Problem("syntax", message, START),)


def test_a_key_of_two_hundred_dots_is_read_and_one_more_is_refused_before_it_costs_time():
    text = GOOD.replace('name = "shop"', 'name.{}b = "shop"')
    with pytest.raises(OrganizationError) as caught:
        read_organization(text.format("a." * 199), "acme.toml", at=AT)
    assert caught.value.problems == (Problem("accounts[0].name", "a table is not a text", "Write a text in quotes"),)
    with pytest.raises(OrganizationError) as caught:
        read_organization(text.format("a." * 200), "acme.toml", at=AT)
    assert caught.value.problems == (
        Problem("line 19", "this line has more than 200 dots", "Write it on several lines"),
    )


def test_a_comment_may_have_any_number_of_dots():
    assert read_organization(GOOD + "  # " + "." * 1000, "acme.toml", at=AT).name == "acme"


def test_two_thousand_tables_of_a_name_are_read_and_one_more_is_refused():
    unit = '[[organizational_units]]\nname = "unit-{0}"\nid = "ou-a1b2-9{0:08d}"\n'
    text = GOOD + "".join(unit.format(i) for i in range(1998))
    assert len(read_organization(text, "acme.toml", at=AT).organizational_units) == 2000
    with pytest.raises(OrganizationError) as caught:
        read_organization(text + unit.format(1998), "acme.toml", at=AT)
    assert caught.value.problems == (
        Problem("organizational_units", "there are 2001 of them", "Write at most 2000 [[organizational_units]]"),
    )


def test_a_good_file_says_what_it_says():
    organization = read_organization(GOOD, "acme.toml", at=AT)
    assert organization.publisher_account == organization.security_account == "222222222222"
    assert organization.partition == "aws"
    payments = organization.application("payments")
    assert payments.signers.roles == (RoleArn("aws", "", "444444444444", "/", "payments-release"),)
    assert payments.signers.oidc_role == RoleArn("aws", "", "222222222222", "/", "payments-ci")
    assert [(profile.generation, profile.state) for profile in organization.profiles_of("payments")] == [
        (1, "retiring"),
        (2, "active"),
    ]
    assert organization.signing_profiles[0].validity == Validity(135, "MONTHS")
    assert organization.external_publishers[0].profile_version_arn == SigningProfileVersionArn(
        "aws", "us-east-1", "777777777777", "ObservatoryLayers", "a1B2c3D4e5"
    )
    assert organization.exemptions[0].expires == date(2030, 12, 31)
    assert organization.notifications.emails == ("security@acme.example",)
    preferences = organization.waves[1].preferences
    assert (preferences.max_concurrent_percentage, preferences.failure_tolerance_percentage) == (10, 0)
    assert [organization.region_order_of(wave) for wave in organization.waves] == [
        ("us-east-1", "eu-west-1"),
        ("eu-west-1", "us-east-1"),
    ]


def test_a_publisher_account_of_its_own_is_kept():
    text = GOOD.replace("home_region", 'publisher_account = "333333333333"\nhome_region', 1)
    organization = read_organization(text, "acme.toml", at=AT)
    assert organization.publisher_account == "333333333333"
    arn = organization.active_profile_of("payments").profile_arn(organization)
    assert str(arn) == "arn:aws:signer:eu-west-1:333333333333:/signing-profiles/acme_payments_g2"


def test_the_error_prints_the_file_and_every_problem_on_a_line_of_its_own():
    with pytest.raises(OrganizationError) as caught:
        read_organization("x = 1\ny = 2\n", "acme.toml", at=AT)
    lines = str(caught.value).splitlines()
    assert lines[0] == "acme.toml: 5 problems"
    assert lines[1] == "  organization: the table [organization] is missing. Add it; it says who you are in AWS"
    assert len(lines) == 6
