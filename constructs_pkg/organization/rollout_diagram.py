"""The rollout of an organization as a picture: SVG text that needs no script, no font and no stylesheet of a page.

It has a background of its own, so that it reads alike on light and dark pages. Everything is placed by arithmetic from
the organization; text that would not fit is cut with an ellipsis.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from constructs_pkg.organization.model import Organization
from constructs_pkg.organization.tables import OrganizationalUnit, Wave
from constructs_pkg.plurals import counted

__all__ = ["rollout_svg"]

_WIDTH = 1000
_MARGIN = 24
_TOP_HEIGHT = 150
_LANE = 56
"""Room on both sides of the waves, for the lines that go past them."""
_WAVE_X = _MARGIN + _LANE
_WAVE_WIDTH = _WIDTH - 2 * _WAVE_X - 40
_GAP = 44
_HEADER_HEIGHT = 62
_UNITS_PER_ROW = 3
_UNIT_GAP = 12
_UNIT_WIDTH = (_WAVE_WIDTH - (_UNITS_PER_ROW + 1) * _UNIT_GAP) // _UNITS_PER_ROW
_LINE_HEIGHT = 17
_MOST_ACCOUNTS = 4
_MOST_UNITS = 30
_CHARACTER_WIDTH = 0.56
"""Of the font size; the average of common sans-serif fonts, a little wide to be safe."""

_FONTS = "system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif"
_INK, _SOFT, _LINE, _PAPER, _PANEL = "#1f2933", "#52606d", "#9aa5b1", "#f8f9fb", "#ffffff"
_MODES = {"Warn": ("#fff4d6", "#8a5a00"), "Enforce": ("#e3f4e8", "#1b6b3a")}
_SAYS = {"Warn": "untrusted code is deployed and logged", "Enforce": "untrusted code is refused"}
_POLICY, _EVENTS, _TRUST = "#9c2f2f", "#2b5ca8", "#6b3fa0"


@dataclass(frozen=True, slots=True)
class _Box:
    x: int
    y: int
    width: int
    height: int

    @property
    def bottom(self) -> int:
        return self.y + self.height

    @property
    def middle(self) -> int:
        return self.x + self.width // 2


def rollout_svg(organization: Organization) -> str:
    """Return the picture of the accounts, waves and StackSets, and of who trusts whom.

    Args:
        organization: A loaded organization. Of a wave with many units or accounts, the first are named and the others
            counted.
    """
    waves = list(_placed(organization))
    bottom = waves[-1][1].bottom if waves else _MARGIN + 40 + _TOP_HEIGHT
    height = bottom + 88
    title = f"Code signing of {organization.name} ({organization.id})"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}">',
        f'<g font-family="{_FONTS}">',
        f"<title>{escape(title)}</title>",
        "<defs>",
        *(_marker(name, colour) for name, colour in _MARKERS.items()),
        "</defs>",
        f'<rect width="{_WIDTH}" height="{height}" rx="14" fill="{_PAPER}"/>',
        _text(_MARGIN, _MARGIN + 16, title, size=18, weight="600", width=_WIDTH - 2 * _MARGIN),
        *_central(organization),
        *(part for index, (wave, box) in enumerate(waves) for part in _wave(organization, index, wave, box)),
        *_lines(organization, waves),
        *_legend(organization, height),
        "</g></svg>",
    ]
    return "\n".join(parts) + "\n"


_MARKERS = {"line": _SOFT, "policy": _POLICY, "events": _EVENTS, "trust": _TRUST}


def _marker(name: str, colour: str) -> str:
    return (
        f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        f'orient="auto-start-reverse"><path d="M0 0L8 4L0 8z" fill="{colour}"/></marker>'
    )


def _placed(organization: Organization) -> Iterator[tuple[Wave, _Box]]:
    y = _MARGIN + 40 + _TOP_HEIGHT + _GAP + 12
    for wave in organization.waves:
        rows = [_row_height(organization, row) for row in _rows(_units(organization, wave))]
        hidden = len(wave.organizational_units) > _MOST_UNITS
        height = _HEADER_HEIGHT + sum(rows) + _UNIT_GAP * (len(rows) + 1) + (_LINE_HEIGHT if hidden else 0)
        yield wave, _Box(_WAVE_X, y, _WAVE_WIDTH, height)
        y += height + _GAP


def _units(organization: Organization, wave: Wave) -> list[OrganizationalUnit]:
    return [organization.organizational_unit(name) for name in wave.organizational_units[:_MOST_UNITS]]


def _rows(units: list[OrganizationalUnit]) -> list[list[OrganizationalUnit]]:
    return [units[start : start + _UNITS_PER_ROW] for start in range(0, len(units), _UNITS_PER_ROW)]


def _row_height(organization: Organization, row: list[OrganizationalUnit]) -> int:
    return 48 + _LINE_HEIGHT * max(len(_account_lines(organization, unit)) for unit in row)


def _account_lines(organization: Organization, unit: OrganizationalUnit) -> list[str]:
    accounts = [account for account in organization.accounts if account.organizational_unit == unit.name]
    shown = [f"{account.id}  {account.name}" for account in accounts[:_MOST_ACCOUNTS]]
    if len(accounts) > _MOST_ACCOUNTS:
        shown.append(f"and {len(accounts) - _MOST_ACCOUNTS} more")
    return shown or ["no account in the file"]


def _central_boxes(organization: Organization) -> tuple[_Box, _Box | None, _Box]:
    """Return the boxes of the management, publisher and security account."""
    y = _MARGIN + 40
    management = _Box(_MARGIN, y, 250, _TOP_HEIGHT)
    if organization.publisher_account == organization.security_account:
        x = management.x + management.width + 40
        return management, None, _Box(x, y, _WIDTH - _MARGIN - x, _TOP_HEIGHT)
    publisher = _Box(management.x + management.width + 30, y, 250, _TOP_HEIGHT)
    x = publisher.x + publisher.width + 30
    return management, publisher, _Box(x, y, _WIDTH - _MARGIN - x, _TOP_HEIGHT)


def _central(organization: Organization) -> Iterator[str]:
    management, publisher, security = _central_boxes(organization)
    attached = sum(wave.guardrail == "attach" for wave in organization.waves)
    yield from _account(
        management,
        "Management account",
        organization.management_account,
        [
            "service control policies",
            f"attached in {attached} of {counted(len(organization.waves), 'wave')}",
            "reached by no StackSet",
        ],
    )
    profiles = counted(len(organization.signing_profiles), "signing profile")
    if publisher is not None:
        yield from _account(publisher, "Publisher account", organization.publisher_account, [profiles])
        yield _path(f"M{publisher.x + publisher.width} {publisher.y + 96}H{security.x - 2}", _SOFT, "line")
    name = organization.name
    yield from _account(
        security,
        "Security account, delegated administrator",
        organization.security_account,
        [
            *([profiles] if publisher is None else []),
            f"stack {name}-code-signing-rollout: the StackSets",
            f"event bus {name}-code-signing",
            f"role {name}-drift-remediation",
        ],
    )


def _account(box: _Box, title: str, account: str, lines: list[str]) -> Iterator[str]:
    yield _rect(box, _PANEL, _LINE)
    room = box.width - 24
    yield _text(box.x + 12, box.y + 24, title, size=14, weight="600", width=room)
    yield _text(box.x + 12, box.y + 42, account, size=12, colour=_SOFT, width=room)
    for number, line in enumerate(lines):
        yield _text(box.x + 12, box.y + 68 + number * 20, line, size=12.5, width=room)


def _wave(organization: Organization, index: int, wave: Wave, box: _Box) -> Iterator[str]:
    fill, colour = _MODES[wave.mode]
    yield _rect(box, fill, colour)
    room = box.width - 2 * _UNIT_GAP
    x = box.x + _UNIT_GAP
    heading = f"Wave {index + 1}: {wave.name}. {wave.mode}: {_SAYS[wave.mode]}"
    yield _text(x, box.y + 25, heading, size=14.5, weight="600", colour=colour, width=room)
    parts = len({application.part for application in organization.applications})
    sets = organization.stack_set_name(wave) + (f" and {parts - 1} more parts" if parts > 1 else "")
    regions = ", ".join(organization.region_order_of(wave))
    order = "at once" if wave.preferences.regions_in_parallel else "in this order"
    yield _text(x, box.y + 46, f"StackSet {sets}; {regions}, {order}", size=12.5, colour=_INK, width=room)
    y = box.y + _HEADER_HEIGHT + _UNIT_GAP // 2
    for row in _rows(_units(organization, wave)):
        height = _row_height(organization, row)
        for column, unit in enumerate(row):
            place = _Box(x + column * (_UNIT_WIDTH + _UNIT_GAP), y, _UNIT_WIDTH, height)
            yield from _unit(organization, unit, place)
        y += height + _UNIT_GAP
    hidden = len(wave.organizational_units) - _MOST_UNITS
    if hidden > 0:
        yield _text(x, y + 10, f"and {hidden} more organizational units", size=12, colour=_SOFT, width=room)


def _unit(organization: Organization, unit: OrganizationalUnit, box: _Box) -> Iterator[str]:
    yield _rect(box, _PANEL, _LINE)
    room = box.width - 20
    yield _text(box.x + 10, box.y + 19, unit.name, size=13, weight="600", width=room)
    yield _text(box.x + 10, box.y + 34, unit.id, size=11, colour=_SOFT, width=room)
    for number, line in enumerate(_account_lines(organization, unit)):
        yield _text(box.x + 10, box.y + 53 + number * _LINE_HEIGHT, line, size=12, width=room)


def _lines(organization: Organization, waves: list[tuple[Wave, _Box]]) -> Iterator[str]:
    """Draw what goes from one box to another: down the middle StackSets, left policies, right events and trust."""
    if not waves:
        return
    management, _, security = _central_boxes(organization)
    start = security.x + 120
    yield _path(f"M{start} {security.bottom}V{waves[0][1].y - 2}", _SOFT, "line")
    yield _text(start + 8, waves[0][1].y - 26, "StackSets", size=12, colour=_SOFT, width=120)
    for (_, before), (_, after) in itertools.pairwise(waves):
        yield _path(f"M{before.middle} {before.bottom}V{after.y - 2}", _SOFT, "line")
        yield _text(before.middle + 8, before.bottom + 26, "then", size=12, colour=_SOFT, width=120)
    lane = _MARGIN + 20
    for wave, box in waves:
        y = box.y + 24
        dashes = "" if wave.guardrail == "attach" else ' stroke-dasharray="4 4"'
        yield _path(f"M{lane} {management.bottom}V{y}H{box.x - 2}", _POLICY, "policy", dashes)
    last = waves[-1][1]
    right = _WAVE_X + _WAVE_WIDTH
    events, trust = right + 26, right + 66
    for _, box in waves:
        yield _path(f"M{right} {box.y + 20}H{events}", _EVENTS)
        yield _path(f"M{trust} {box.y + 44}H{right + 2}", _TRUST, "trust")
    yield _path(f"M{events} {last.y + 20}V{security.bottom + 2}", _EVENTS, "events")
    yield _path(f"M{trust} {security.bottom}V{last.y + 44}", _TRUST)


def _legend(organization: Organization, height: int) -> Iterator[str]:
    name = organization.name
    entries = (
        (_POLICY, "service control policies (dashed: dry run, attached to nothing)", 0, 0),
        (_EVENTS, "events of tampering, to the central bus", 0, 1),
        (_TRUST, f"may become {name}-drift-remediator and {name}-code-signing-auditor", 1, 0),
        (_SOFT, "publishers, mode and Region, as parameters of one template", 1, 1),
    )
    for colour, words, column, row in entries:
        x = _MARGIN + 8 + column * 470
        y = height - 54 + row * 24
        yield _path(f"M{x} {y - 4}h26", colour)
        yield _text(x + 36, y, words, size=12, colour=_SOFT, width=425)


def _rect(box: _Box, fill: str, stroke: str) -> str:
    return (
        f'<rect x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="8" fill="{fill}" '
        f'stroke="{stroke}"/>'
    )


def _path(path: str, colour: str, marker: str = "", more: str = "") -> str:
    end = f' marker-end="url(#{marker})"' if marker else ""
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.5"{end}{more}/>'


def _text(x: int, y: int, text: str, *, size: float, width: float, colour: str = _INK, weight: str = "400") -> str:
    most = int(width / (size * _CHARACTER_WIDTH * (1.06 if weight != "400" else 1)))
    shown = text if len(text) <= most else text[: most - 1].rstrip() + "…"
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" font-weight="{weight}" fill="{colour}" xml:space="preserve">'
        f"{escape(shown)}</text>"
    )
