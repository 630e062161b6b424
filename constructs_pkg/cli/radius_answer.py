"""The answer of ``blast-radius``: collects what is reached place by place, and says it as text and JSON."""

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

from constructs_pkg.arns import SigningProfileVersionArn
from constructs_pkg.aws.inventory import Wanted
from constructs_pkg.aws.revocation import SignerRecord, Target, signer_record
from constructs_pkg.aws.survey import Judged
from constructs_pkg.cli.output import EXIT_NO, EXIT_NO_VERDICT, EXIT_YES, one_line
from constructs_pkg.cli.surveying import Reader, Surveyed, all_of, require_accounts
from constructs_pkg.cli.unknown import Unknown
from constructs_pkg.errors import AwsError
from constructs_pkg.inventory.blast_radius import (
    EFFECTS,
    AffectedConfig,
    AffectedFunction,
    AffectedLayer,
    Effect,
    PlaceReach,
    reach_of,
)
from constructs_pkg.inventory.ownership import Ownership
from constructs_pkg.inventory.readings import Failure, Place, PlaceReading
from constructs_pkg.plurals import counted
from constructs_pkg.tables import format_table

__all__ = ["RadiusAnswer", "radius_of"]


def radius_of(
    reader: Reader,
    target: Target,
    *,
    accounts_from: str,
    without: tuple[str, ...],
    published_layers: bool,
    state: Path | None,
    resume: bool,
    workers: int,
) -> "RadiusAnswer":
    """Read all accounts, and find what hangs on a job or a profile version.

    Raises:
        AwsError: Nothing could be said.
        FileAccessError: The state cannot be used.
    """
    surveyed = all_of(reader, accounts_from, without)
    require_accounts(surveyed, "the organization")
    answer = RadiusAnswer(reader, target, surveyed, reader.pace.at(), looks_at_layers=published_layers)
    wanted = Wanted(versions=True, published_layers=published_layers)
    with reader.reading(surveyed, wanted, answer.judge, state=state, resume=resume, workers=workers) as results:
        for result in results:
            answer.add(result)
    return answer


class RadiusAnswer:
    """What has been found so far.

    Args:
        reader: The organization and its clients: AWS Signer is asked about the target.
        target: The job or the profile version.
        surveyed: The accounts.
        at: The present moment.
        looks_at_layers: Whether layer versions that no function uses are looked at.
    """

    def __init__(
        self, reader: Reader, target: Target, surveyed: Surveyed, at: datetime, *, looks_at_layers: bool
    ) -> None:
        self.target, self.surveyed, self.at, self._looks_at_layers = target, surveyed, at, looks_at_layers
        self.regions = reader.organization.target_regions
        self._ownership = Ownership(reader.organization, at.date())
        self.signer: SignerRecord | None = None
        self.signer_message: str | None = None
        self._is_unheard_of = False
        self._ask_signer(reader)
        self.functions: list[AffectedFunction] = []
        self.layers: list[AffectedLayer] = []
        self.configs: list[AffectedConfig] = []
        self.unknown = Unknown()

    def _ask_signer(self, reader: Reader) -> None:
        place = reader.members.place(self.target.account, self.target.region)
        try:
            self.signer = signer_record(place, self.target)
        except AwsError as error:
            self.signer_message = str(error)
            self._is_unheard_of = error.code == "ResourceNotFoundException"
        else:
            if self.signer is None:
                self.signer_message = "the profile has another version now; AWS Signer tells nothing of this one"

    def judge(self, reading: PlaceReading) -> PlaceReach:
        """Find what is reached in a place; safe in any thread."""
        return reach_of(reading, str(self.target), self.publisher, self._ownership)

    def add(self, result: Judged[PlaceReach] | Failure) -> None:
        """Add what was found in a place, or note that it could not be read."""
        reach = self.unknown.without(result)
        if reach is None:
            return
        self.functions += reach.functions
        self.layers += reach.layers
        self.configs += reach.configs

    @property
    def publisher(self) -> str | None:
        """Return the profile version, None where that of a job is not known."""
        if isinstance(self.target, SigningProfileVersionArn):
            return str(self.target)
        return self.signer.publisher if self.signer else None

    @property
    def is_complete(self) -> bool:
        """Tell whether everything is known that was to be read."""
        return not self.unknown

    @property
    def exit_code(self) -> int:
        """Return 0 where nothing hangs on it, 1 where something does, 3 where something is not known.

        What neither AWS Signer nor any function, layer or config knows is a mistyped ARN rather than a clean answer.
        """
        if not self.is_complete or self._may_be_mistyped:
            return EXIT_NO_VERDICT
        return EXIT_NO if self.functions or self.layers else EXIT_YES

    @property
    def _may_be_mistyped(self) -> bool:
        return self._is_unheard_of and not (self.functions or self.layers or self.configs)

    @property
    def numbers(self) -> dict[str, int]:
        """Return how much is reached: functions and versions by effect, layers, configs."""
        effects = Counter(str(effect) for _, _, _, effect in self._distinct)
        return {
            **{str(effect): effects[str(effect)] for effect in Effect},
            "layers": len(self.layers),
            "configs": len(self.configs),
        }

    @property
    def _distinct(self) -> set[tuple[Place, str, str, Effect]]:
        """Return each function in each version once, however many of its artifacts are reached."""
        return {(one.place, one.function, one.version, one.effect) for one in self.functions}

    def document(self) -> dict[str, Any]:
        """Return the JSON answer."""
        return {
            "version": 1,
            "at": _time(self.at),
            "target": str(self.target),
            "signer": self._signer_document(),
            "complete": self.is_complete,
            "accounts_from": self.surveyed.source,
            "accounts": len(self.surveyed.accounts),
            "left_out": list(self.surveyed.left_out),
            "regions": list(self.regions),
            "unused_layers_looked_at": self._looks_at_layers,
            "numbers": self.numbers,
            "functions": [
                {
                    "account": one.place.account,
                    "region": one.place.region,
                    "function": one.function,
                    "version": one.version,
                    "artifact": one.artifact,
                    "application": one.owner.application,
                    "owners": list(one.owner.emails),
                    "code_signing_config": one.config_arn,
                    "effect": str(one.effect),
                    "profile_version_arn": one.signature.profile_version_arn,
                    "signing_job_arn": one.signature.job_arn,
                }
                for one in self.functions
            ],
            "layers": [
                {
                    "account": one.place.account,
                    "region": one.place.region,
                    "arn": one.arn,
                    "signing_job_arn": one.signature.job_arn,
                }
                for one in self.layers
            ],
            "configs": [
                {
                    "account": one.place.account,
                    "region": one.place.region,
                    "arn": one.arn,
                    "mode": one.mode,
                    "publishers": one.publishers,
                }
                for one in self.configs
            ],
            **self.unknown.document(),
        }

    def _signer_document(self) -> dict[str, Any]:
        record = self.signer
        if record is None:
            return {"known": False, "message": self.signer_message}
        return {
            "known": True,
            "status": record.status,
            "profile_version_arn": record.publisher,
            "signed_at": _time(record.signed_at),
            "expires_at": _time(record.expires_at),
            "revoked_at": _time(record.revoked_at),
            "revoked_from": _time(record.revoked_from),
        }

    def text(self) -> str:
        """Return the answer for people."""
        parts = [f"{self.target}\n{self._signer_text()}\nLooked at {', '.join(self.regions)} of {self.surveyed}"]
        if self.functions:
            rows = [
                (
                    one.place.account,
                    one.place.region,
                    one_line(f"{one.function}:{one.version}"),
                    one_line(one.artifact),
                    str(one.effect),
                    ", ".join(one.owner.emails) or "nobody is known",
                )
                for one in self.functions
            ]
            table = format_table(("account", "Region", "function", "artifact", "effect", "owners"), rows)
            effects = sorted({one.effect for one in self.functions})
            meaning = "\n".join(f"  {effect}: {EFFECTS[effect]}" for effect in effects)
            parts.append(f"Functions ({len(self.functions)})\n{table}\n\n{meaning}")
        if self.layers:
            rows = [(one.place.account, one.place.region, one_line(one.arn)) for one in self.layers]
            parts.append(
                f"Layer versions ({len(self.layers)})\n{format_table(('account', 'Region', 'layer version'), rows)}"
            )
        if self.configs:
            rows = [
                (one.place.account, one.place.region, one.arn, one.mode, str(one.publishers)) for one in self.configs
            ]
            table = format_table(("account", "Region", "code signing config", "mode", "publishers"), rows)
            parts.append(f"Configs that list the publisher ({len(self.configs)})\n{table}")
        if not self._looks_at_layers:
            parts.append("Layer versions that no function uses were not looked at (--published-layers)")
        return "\n\n".join([*parts, *self.unknown.parts(), self._last_words()])

    def _signer_text(self) -> str:
        record = self.signer
        if record is None:
            return f"AWS Signer: nothing is known: {self.signer_message}"
        said = [f"AWS Signer: {record.status}"]
        said += [
            f"{what} {_time(at)}"
            for what, at in (
                ("signed at", record.signed_at),
                ("expires at", record.expires_at),
                ("REVOKED at", record.revoked_at),
                ("for signatures from", record.revoked_from),
            )
            if at is not None
        ]
        publisher = "" if record.publisher == str(self.target) else f"\nPublisher: {record.publisher or 'not told'}"
        return ", ".join(said) + publisher

    def _last_words(self) -> str:
        refused = self.numbers[str(Effect.REFUSED)]
        found = (
            f"{counted(len(self._distinct), 'function or version runs', 'functions and versions run')} code or layers "
            f"signed by it, {refused} of them would be refused at the next deployment; "
            f"{counted(len(self.layers), 'layer version')}"
        )
        if not self.is_complete:
            return f"AT LEAST {found}. PARTIAL: not everything could be read"
        if self._may_be_mistyped:
            return f"{found}. NOT KNOWN to AWS Signer either: check the ARN before you believe this"
        return found


def _time(at: datetime | None) -> str | None:
    return None if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}"
