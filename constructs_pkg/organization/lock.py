"""The ledger, ``organization.lock.json``: profile names can never be declared anew, and what is rolled out stays there.

A signing profile's name can never be used again, not even after its profile was cancelled, and everything but its tags
is fixed when it is made: AWS Signer has no UpdateSigningProfile (botocore 1.43.106), and CloudFormation replaces the
profile instead, under a name that is taken. The ledger remembers each name with its platform and validity, so that a
change which AWS would answer with a failed deployment or a cancelled profile is refused here. For the same reason it
remembers where each unit and application is rolled out (``recorded_rollout``). It does not know what really exists in
AWS.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn, cast

from constructs_pkg.errors import OrganizationError, Problem, ValidityError
from constructs_pkg.json_keys import unique_keys
from constructs_pkg.organization.model import Organization
from constructs_pkg.organization.recorded_rollout import RecordedRollout, declared_rollout, rollout_problems
from constructs_pkg.organization.tables import LAMBDA_PLATFORM
from constructs_pkg.organization.values import shown
from constructs_pkg.plurals import counted
from constructs_pkg.validity import Validity

__all__ = [
    "MOST_LOCK_BYTES",
    "ProfileLock",
    "lock_path",
    "lock_problems",
    "parse_lock",
    "read_lock",
    "record_profiles",
    "unrecorded_profiles",
    "unrecorded_rollout",
]

MOST_LOCK_BYTES = 1024 * 1024
_VERSION = 2
_KEYS: dict[int, set[str]] = {1: {"version", "profiles"}, 2: {"version", "profiles", "rollout"}}
"""The keys of each version that can be read; version 1 knew of no rollout."""

_REMEDY = "Restore the ledger from version control; only 'lambda-code-signing organization lock' writes it"


@dataclass(frozen=True, slots=True)
class ProfileLock:
    """Every signing profile that was ever declared, and where everything is rolled out.

    Attributes:
        validities: The validity by profile name.
        rollout: Where units and applications are.
    """

    validities: Mapping[str, Validity] = field(default_factory=dict[str, Validity])
    rollout: RecordedRollout = field(default_factory=RecordedRollout)

    def to_json(self) -> str:
        """Return the ledger as its file holds it: sorted by name, one line feed at the end."""
        profiles = {
            name: {"platform": LAMBDA_PLATFORM, "validity": str(self.validities[name])}
            for name in sorted(self.validities)
        }
        rollout = {
            "home_region": self.rollout.home_region,
            "permission_model": self.rollout.permission_model,
            "units": dict(sorted(self.rollout.units.items())),
            "parts": dict(sorted(self.rollout.parts.items())),
        }
        return json.dumps({"version": _VERSION, "profiles": profiles, "rollout": rollout}, indent=2) + "\n"

    def without(self, key: str) -> "ProfileLock":
        """Return the ledger without one key of its rollout; profile names are never forgotten.

        Raises:
            KeyError: It is not recorded.
        """
        return replace(self, rollout=self.rollout.without(key))


def lock_path(organization_path: Path) -> Path:
    """Return where the ledger of an organization file lies: ``acme.toml`` has ``acme.lock.json`` in the same folder."""
    return organization_path.parent / f"{organization_path.stem}.lock.json"


def read_lock(path: Path) -> ProfileLock:
    """Read a ledger.

    Args:
        path: The file; one that does not exist is an empty ledger.

    Raises:
        OrganizationError: It cannot be read, or it is not a ledger of a known version; with the one problem.
    """
    source = str(path)
    try:
        with path.open("rb") as file:
            data = file.read(MOST_LOCK_BYTES + 1)
    except FileNotFoundError:
        return ProfileLock()
    except OSError as error:
        _refuse(source, "file", f"it cannot be read: {error.strerror or error}", cause=error)
    return parse_lock(data, source)


def parse_lock(data: bytes, source: str) -> ProfileLock:
    """Read the bytes of a ledger.

    Args:
        data: JSON in UTF-8, at most 1 MiB.
        source: How messages call the file.

    Raises:
        OrganizationError: It is not a ledger of a known version; with the one problem.
    """
    if len(data) > MOST_LOCK_BYTES:
        _refuse(source, "file", f"it has more than {MOST_LOCK_BYTES:,} bytes")
    try:
        document: object = json.loads(data.decode("utf-8"), object_pairs_hook=unique_keys)
    except (ValueError, RecursionError) as error:
        _refuse(source, "file", f"it is not JSON in UTF-8: {str(error)[:200]}", cause=error)
    version = _version(source, document)
    found = _keys(source, "file", document, _KEYS[version])
    if not isinstance(found["profiles"], dict):
        _refuse(source, "profiles", f"{shown(found['profiles'])} is not an object")
    profiles = cast("dict[str, object]", found["profiles"])
    validities = {name: _validity(source, name, profile) for name, profile in profiles.items()}
    return ProfileLock(validities, _rollout(source, found["rollout"]) if version != 1 else RecordedRollout())


def lock_problems(organization: Organization, lock: ProfileLock) -> tuple[Problem, ...]:
    """Return where an organization contradicts what was declared: validities, missing profiles, what was moved."""
    problems: list[Problem] = []
    declared = {profile.profile_name(organization): profile for profile in organization.signing_profiles}
    if lock.validities and not set(lock.validities) & set(declared):
        return (_of_another_file(lock),)
    for index, profile in enumerate(organization.signing_profiles):
        name = profile.profile_name(organization)
        recorded = lock.validities.get(name)
        if recorded is not None and recorded != profile.validity:
            generation = max(one.generation for one in organization.profiles_of(profile.application)) + 1
            problems.append(
                Problem(
                    f"signing_profiles[{index}].validity ({profile.application} generation {profile.generation})",
                    f"'{profile.validity}' is not the recorded '{recorded}' of {name}; "
                    "a signing profile's validity can never be changed",
                    f"Write '{recorded}' again and add generation {generation} with the new validity",
                )
            )
    problems.extend(
        Problem(
            "signing_profiles",
            f"{shown(name)} is recorded in the ledger, but no signing profile of the file has this name any more",
            'Keep it with state = "retired": a name can never be used again. The names of the organization and of '
            "its applications are part of it and stay, too",
        )
        for name in sorted(set(lock.validities) - set(declared))
    )
    return (*problems, *rollout_problems(organization, lock.rollout))


def _of_another_file(lock: ProfileLock) -> Problem:
    """Tell in one line that nothing fits, as where somebody makes an example file their own and its ledger stays."""
    first, *more = sorted(lock.validities)
    others = f" and {counted(len(more), 'other')}" if more else ""
    return Problem(
        "signing_profiles",
        f"the ledger records other names only: {shown(first)}{others}",
        "Remove it if it came with an example, and run 'lambda-code-signing organization lock'. If it is yours, keep "
        "the names of the organization and of its applications: they are part of names that can never be used again",
    )


def unrecorded_profiles(organization: Organization, lock: ProfileLock) -> tuple[str, ...]:
    """Return the names of profiles that the ledger does not hold yet, in the order of the file."""
    names = (profile.profile_name(organization) for profile in organization.signing_profiles)
    return tuple(name for name in names if name not in lock.validities)


def unrecorded_rollout(organization: Organization, lock: ProfileLock) -> tuple[str, ...]:
    """Return the keys of the rollout that the ledger does not hold yet, such as ``units.ou-a1b2-00000001``."""
    return tuple(key for key in declared_rollout(organization).keys if key not in lock.rollout.keys)


def record_profiles(organization: Organization, lock: ProfileLock) -> ProfileLock:
    """Return the ledger with all profiles of an organization and its rollout in it.

    Raises:
        OrganizationError: The organization contradicts the ledger; nothing recorded is ever overwritten.
    """
    problems = lock_problems(organization, lock)
    if problems:
        raise OrganizationError(f"organization {organization.name}", problems)
    declared = {profile.profile_name(organization): profile.validity for profile in organization.signing_profiles}
    return ProfileLock({**lock.validities, **declared}, declared_rollout(organization).added_to(lock.rollout))


def _version(source: str, document: object) -> int:
    """Return which version's keys the document must have, the present one's where it names none."""
    if not isinstance(document, dict):
        return _VERSION
    version = cast("dict[str, object]", document).get("version", _VERSION)
    if type(version) is not int or version not in _KEYS:  # True == 1 == 1.0
        _refuse(source, "version", f"{shown(version)} is neither 1 nor {_VERSION}, the versions that are known here")
    return version


def _validity(source: str, name: str, profile: object) -> Validity:
    where = f"profiles.{shown(name)}"
    values = _keys(source, where, profile, {"platform", "validity"})
    if values["platform"] != LAMBDA_PLATFORM:
        _refuse(source, f"{where}.platform", f"{shown(values['platform'])} is not {LAMBDA_PLATFORM!r}")
    text = values["validity"]
    if not isinstance(text, str):
        _refuse(source, f"{where}.validity", f"{shown(text)} is not a text")
    try:
        return Validity.parse(text)
    except ValidityError as error:
        _refuse(source, f"{where}.validity", str(error), cause=error)


def _rollout(source: str, value: object) -> RecordedRollout:
    values = _keys(source, "rollout", value, {"home_region", "permission_model", "units", "parts"})
    for key in ("home_region", "permission_model"):
        if not isinstance(values[key], str | None):
            _refuse(source, f"rollout.{key}", f"{shown(values[key])} is neither a text nor null")
    kinds: tuple[tuple[str, type, str], ...] = (("units", str, "a text"), ("parts", int, "a number"))
    for key, kind, called in kinds:
        if not isinstance(values[key], dict):
            _refuse(source, f"rollout.{key}", f"{shown(values[key])} is not an object")
        for name, found in cast("dict[str, object]", values[key]).items():
            if type(found) is not kind:  # True is an int
                _refuse(source, f"rollout.{key}.{shown(name)}", f"{shown(found)} is not {called}")
    return RecordedRollout(**values)


def _keys(source: str, where: str, value: object, keys: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        _refuse(source, where, f"{shown(value)} is not an object")
    found = cast("dict[str, Any]", value)
    if found.keys() != keys:
        listed = ", ".join(map(shown, sorted(found)[:10])) or "none"
        _refuse(source, where, f"its keys are {listed}, not {', '.join(sorted(keys))}")
    return found


def _refuse(source: str, where: str, message: str, *, cause: Exception | None = None) -> NoReturn:
    raise OrganizationError(source, (Problem(where, message, _REMEDY),)) from cause
