"""What a survey has read so far, in a file: each place is written at once and wholly, so that a run can go on."""

import json
import sqlite3
import threading
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import TypeAdapter, ValidationError

from constructs_pkg.errors import FileAccessError
from constructs_pkg.inventory.readings import Place, PlaceReading

__all__ = ["REUSED_FOR", "SurveyState"]

REUSED_FOR = timedelta(hours=24)
"""How long a reading is good enough to be used again."""

_FORMAT = 1
_APPLICATION = 0x4C435331
"""Says in the header of an SQLite file that it is one of these ("LCS1")."""
_READING = TypeAdapter(PlaceReading)


class SurveyState:
    """An SQLite file with one row for each place that was read without a gap; a context manager.

    A row is written in one transaction: a process that is killed loses the places that it was at, no others. The file
    is for its owner only: it tells what runs where.

    Args:
        path: The file; its directory exists.
        question: What was asked (organization, what was wanted): readings for another question are not reused.
        resume: Whether what is there is used; otherwise a file that is there is refused.
        at: The present moment.

    Raises:
        FileAccessError: The file is there although it is not to be used, is not such a file, or answers another
            question.
    """

    def __init__(self, path: Path, question: Mapping[str, str], *, resume: bool, at: datetime) -> None:
        self._path, self._lock, self._since = path, threading.Lock(), at - REUSED_FOR
        if path.exists() and not resume:
            raise FileAccessError(f"{path} exists already. Go on from it with --resume, or remove it to begin anew")
        try:
            path.touch(mode=0o600)
            self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise FileAccessError(f"{path} cannot be opened: {reason}. Check the path") from error
        try:
            self._prepare(json.dumps({**question, "format": _FORMAT}, sort_keys=True))
        except sqlite3.Error as error:
            self._connection.close()
            raise FileAccessError(f"{path} is no state of a survey: {error}. Name another file") from error
        except FileAccessError:
            self._connection.close()
            raise

    def reading(self, place: Place) -> PlaceReading | None:
        """Return what was read of a place in the last 24 hours, None where it has to be read.

        Raises:
            FileAccessError: The file is broken.
        """
        query = "SELECT reading FROM readings WHERE account = ? AND region = ? AND at >= ?"
        with self._lock, closing(self._connection.cursor()) as cursor:
            row = cursor.execute(query, (place.account, place.region, self._since.isoformat())).fetchone()
        if row is None:
            return None
        try:
            return _READING.validate_json(row[0])
        except ValidationError as error:
            raise FileAccessError(f"{self._path} holds a reading of {place} that is broken. Remove the file") from error

    def keep(self, reading: PlaceReading) -> None:
        """Write down what was read; a reading with gaps is not kept, so that it is tried again.

        Raises:
            FileAccessError: It cannot be written.
        """
        if reading.gaps:
            return
        row = (reading.place.account, reading.place.region, reading.at.isoformat(), _READING.dump_json(reading))
        try:
            with self._lock, closing(self._connection.cursor()) as cursor:
                cursor.execute("INSERT OR REPLACE INTO readings VALUES (?, ?, ?, ?)", row)
        except sqlite3.Error as error:
            raise FileAccessError(f"{self._path} cannot be written: {error}. Check the disk") from error

    def _prepare(self, question: str) -> None:
        with closing(self._connection.cursor()) as cursor:
            if cursor.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION:
                if cursor.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    raise FileAccessError(f"{self._path} is a database of something else. Name another file")
                cursor.execute(f"PRAGMA application_id = {_APPLICATION}")
            cursor.execute("CREATE TABLE IF NOT EXISTS question (text TEXT NOT NULL)")
            cursor.execute(
                "CREATE TABLE IF NOT EXISTS readings (account TEXT, region TEXT, at TEXT NOT NULL, "
                "reading BLOB NOT NULL, PRIMARY KEY (account, region))"
            )
            asked = cursor.execute("SELECT text FROM question").fetchone()
            if asked is None:
                cursor.execute("INSERT INTO question VALUES (?)", (question,))
            elif asked[0] != question:
                raise FileAccessError(
                    f"{self._path} holds what another command, other options or another organization asked for. "
                    "Name another file"
                )

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._connection.close()
