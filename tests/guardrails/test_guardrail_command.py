import json
from pathlib import Path

import pytest

from constructs_pkg.cli.main import main
from constructs_pkg.clock import now
from constructs_pkg.errors import GuardrailError, LambdaCodeSigningError
from constructs_pkg.guardrails import developer_policies, permissions_boundary, service_control_policies
from constructs_pkg.organization import load_organization
from constructs_pkg.organization_guardrails import guardrail_intent

ROOT = Path(__file__).parents[2]
FILE = ROOT / "organization.toml"
ACCOUNT = "444444444404"
CONFIG = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:code-signing-config:csc-0123456789abcdef0"
CONFIG_IN_VIRGINIA = CONFIG.replace("eu-west-1", "us-east-1")


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["guardrail", "show", *words, "--organization", str(FILE)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def intent(application: str = "payments", **changes):
    arguments = {"account": ACCOUNT, "region": "eu-west-1", "approved_configs": (CONFIG,), **changes}
    return guardrail_intent(load_organization(FILE, at=now()), application, **arguments)


def test_json_holds_every_document_with_its_name_and_size(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "payments", "--config-arn", CONFIG, "--format", "json")
    developer, boundary, control = (
        developer_policies(intent()),
        permissions_boundary(intent()),
        service_control_policies(intent()),
    )
    expected = [
        *(
            (
                f"acme-guardrail-payments-developer-eu-west-1-{number}",
                "managed policy",
                document.characters,
                6_144,
                document,
            )
            for number, document in enumerate(developer, 1)
        ),
        ("acme-guardrail-payments-boundary-eu-west-1", "permissions boundary", boundary.characters, 6_144, boundary),
        *(
            (f"acme-guardrail-{number}", "service control policy", document.stored_characters, 5_120, document)
            for number, document in enumerate(control, 1)
        ),
    ]
    keys = ("name", "kind", "characters", "limit", "document")
    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "documents": [dict(zip(keys, (*entry[:4], entry[4].to_dict()), strict=True)) for entry in expected]
    }


def test_text_shows_each_document_under_its_name_and_size(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "payments", "--document", "boundary", "--config-arn", CONFIG)
    document = permissions_boundary(intent())
    assert code == 0
    assert out == (
        "# acme-guardrail-payments-boundary-eu-west-1: "
        f"permissions boundary, {document.characters:,} of 6,144 characters\n"
        f"{document.to_json(indent=2)}\n"
    )


def test_service_control_policy_needs_no_config(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "payments", "--document", "scp", "--format", "json")
    assert code == 0
    assert [entry["document"] for entry in json.loads(out)["documents"]] == [
        document.to_dict() for document in service_control_policies(intent())
    ]


def test_configs_of_several_regions_make_one_guardrail_for_all_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(
        capsys, "payments", "--document", "developer", "--format", "json",
        "--config-arn", CONFIG, "--config-arn", CONFIG_IN_VIRGINIA,
    )  # fmt: skip
    both = intent(other_regions=("us-east-1",), approved_configs=(CONFIG, CONFIG_IN_VIRGINIA))
    assert code == 0
    assert [entry["document"] for entry in json.loads(out)["documents"]] == [
        document.to_dict() for document in developer_policies(both)
    ]


def test_documents_are_written_to_files_in_their_shortest_form(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new" / "policies"
    code, _, _ = run(capsys, "payments", "--document", "scp", "--write-to", str(folder))
    assert code == 0
    assert {path.name: path.read_text("utf-8") for path in folder.iterdir()} == {
        f"acme-guardrail-{number}.json": document.to_json()
        for number, document in enumerate(service_control_policies(intent()), 1)
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["payments"], "Name each with --config-arn"),
        (["paymentz"], "'paymentz' is no application of the organization acme"),
        (["payments", "--config-arn", "csc-1"], "'csc-1' is not an ARN"),
        (["payments", "--config-arn", CONFIG, "--account", "1"], "'1' is no account id. Write its 12 digits"),
        (["payments", "--config-arn", CONFIG, "--account", "222222222222"], "is of the account 444444444404"),
        (["paymentz", "--document", "scp"], "'paymentz' is no application of the organization acme"),
        (["payments", "--document", "policy"], "'policy' is not one of"),
    ],
)
def test_wrong_words_end_with_code_2_and_say_what_to_do(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, *words)
    assert (code, out) == (2, "")
    assert message in err


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.write_text("", "utf-8")
    code, out, err = run(capsys, "payments", "--document", "scp", "--write-to", str(file / "below"))
    assert (code, out) == (2, "")
    assert f"{file / 'below'} cannot be written to" in err


def test_intent_says_what_the_organization_file_says() -> None:
    organization = load_organization(FILE, at=now())
    found = intent("checkout", sibling_regions=("eu-central-1",))
    guardrail = organization.guardrail_of("checkout")
    assert guardrail is not None
    assert (found.prefix, found.partition, found.regions, found.sibling_regions) == (
        "acme",
        "aws",
        ("eu-west-1",),
        ("eu-central-1",),
    )
    assert (found.functions, found.execution_roles, found.layers) == (
        guardrail.functions,
        guardrail.execution_roles,
        guardrail.layers,
    )
    assert found.signing_profiles == ("arn:aws:signer:eu-west-1:222222222222:/signing-profiles/acme_checkout_g1",)
    assert found.exempt_functions == ("aws-controltower-*",)
    assert found.remediator_role == "acme-drift-remediator"


def test_only_the_generation_that_signs_may_sign() -> None:
    assert intent("payments").signing_profiles == (
        "arn:aws:signer:eu-west-1:222222222222:/signing-profiles/acme_payments_g2",
    )


def test_application_without_guardrail_is_refused_with_the_remedy() -> None:
    organization = load_organization(FILE, at=now()).model_copy(update={"developer_guardrails": ()})
    with pytest.raises(GuardrailError, match=r"'payments' has no \[\[developer_guardrails\]\] table"):
        guardrail_intent(organization, "payments", account=ACCOUNT, region="eu-west-1", approved_configs=(CONFIG,))
    with pytest.raises(LambdaCodeSigningError, match="'nobody' is no application"):
        guardrail_intent(organization, "nobody", account=ACCOUNT, region="eu-west-1", approved_configs=(CONFIG,))
