"""The rollout of an organization as Mermaid text, which GitHub and many wikis draw."""

from constructs_pkg.organization.model import Organization
from constructs_pkg.plurals import counted

__all__ = ["rollout_mermaid"]


def rollout_mermaid(organization: Organization) -> str:
    """Return a flowchart of the accounts, waves and StackSets, and of who trusts whom.

    Args:
        organization: A loaded organization; names and ids have no characters that Mermaid would read.
    """
    name = organization.name
    is_one = organization.publisher_account == organization.security_account
    lines = [
        "flowchart TB",
        f'  management["management account<br/>{organization.management_account}<br/>service control policies"]',
    ]
    if not is_one:
        lines.append(f'  publisher["publisher account<br/>{organization.publisher_account}<br/>signing profiles"]')
    lines.append(
        f'  security["security account<br/>{organization.security_account}<br/>'
        f'{"signing profiles, " if is_one else ""}StackSets, event bus, drift remediation"]'
    )
    if not is_one:
        lines.append("  publisher -- publishers --> security")
    for index, wave in enumerate(organization.waves, start=1):
        lines.append(f'  subgraph wave{index}["{wave.name}: {wave.mode}"]')
        lines.append(f'    set{index}["StackSet<br/>{organization.stack_set_name(wave)}"]')
        for number, unit_name in enumerate(wave.organizational_units, start=1):
            accounts = sum(account.organizational_unit == unit_name for account in organization.accounts)
            known = f"{counted(accounts, 'account')} in the file"
            lines.append(f'    unit{index}_{number}["{unit_name}<br/>{known}"]')
            lines.append(f"    set{index} --> unit{index}_{number}")
        lines.append("  end")
        before = "security" if index == 1 else f"wave{index - 1}"
        lines.append(f"  {before} -- {'StackSets' if index == 1 else 'then'} --> set{index}")
        if wave.guardrail == "attach":
            lines.append(f"  management -- service control policies --> wave{index}")
        lines.append(f"  wave{index} -. events .-> security")
    if organization.waves:
        lines.append(f'  security -. "becomes {name}-drift-remediator" .-> wave1')
    return "\n".join(lines) + "\n"
