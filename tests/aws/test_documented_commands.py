"""The commands of the pages about many accounts do what the pages say, over a fake organization."""

import re
import shlex
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from constructs_pkg.cli import surveying
from tests.aws.estate import SECURITY, Estate, job

READ_ACCOUNTS = ("audit", "blast-radius", "promote", "revoke", "rollout")
DOCS = Path(__file__).parents[2] / "docs"


def commands_of(page: str) -> list[str]:
    """Return the commands of a page's shell blocks, lines joined."""
    tokens = MarkdownIt().parse((DOCS / page).read_text("utf-8"))
    blocks = [token.content for token in tokens if token.type == "fence" and token.info == "sh"]
    return [line for block in blocks for line in re.sub(r"\\\n\s*", " ", block).splitlines() if line.strip()]


@pytest.mark.parametrize("page", ["incidents.md", "promotion.md"])
def test_commands_end_with_the_documented_exit_code(page, run_here, monkeypatch) -> None:
    estate = Estate()
    estate.aws.add_account("111111111111")  # the management account, which has no auditor role
    home = estate.aws.place(SECURITY, "eu-west-1")
    home.jobs["00000000-0000-0000-0000-000000000777"] = {"status": "Succeeded", "jobOwner": SECURITY}
    home.profiles["acme_payments_g2"] = {"profileVersion": "a1B2c3D4e5", "status": "Active"}
    estate.function("payments-charge", job=job(777))
    monkeypatch.setattr(surveying, "home", lambda: estate.members)
    commands = commands_of(page)
    assert commands
    for command in commands:
        words = shlex.split(command, comments=True)
        if words[0] != "lambda-code-signing" or words[1] not in READ_ACCOUNTS:
            continue
        expected = int(match.group(1)) if (match := re.search(r"# exit (\d)$", command)) else 0
        ran = run_here(*words[1:])
        assert ran.code == expected, f"{page}: {command}\n{ran.out}{ran.err}"
