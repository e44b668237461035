"""The store: what a student has done, in one SQLite file on the student's own machine."""

import contextlib
import math
import os
import sqlite3
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import platformdirs

from neuroprimer.errors import NeuroprimerError
from neuroprimer.teaching.progress.database import (
    VERSION,
    bring_up_to_date,
    identify,
    opened,
    writing,
)

PROGRESS_VARIABLE = "NEUROPRIMER_PROGRESS"
OFF = "off"

ATTEMPT, HINT, SOLUTION, RESET, MARK = "attempt", "hint", "solution", "reset", "mark"
KINDS = (ATTEMPT, HINT, SOLUTION, RESET, MARK)

DAMAGED = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)
BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)

COLUMNS = 'id, lesson_id, exercise_id, kind, is_correct, message, digest, points, "when"'
# An id that is known is passed over; anything else that is wrong with a row is an error.
INSERT = f"""
    INSERT INTO events ({COLUMNS})
    VALUES (:id, :lesson_id, :exercise_id, :kind, :is_correct, :message, :digest, :points, :when)
    ON CONFLICT (id) DO NOTHING
"""  # noqa: S608  # put together from the constant above alone
SELECT = f"""
    SELECT {COLUMNS} FROM events
    WHERE :lesson_id IS NULL OR lesson_id = :lesson_id
    ORDER BY "when", number
"""  # noqa: S608  # the same


class ProgressError(NeuroprimerError, RuntimeError):
    """Progress that cannot be recorded, read or exchanged."""


def progress_file() -> Path | None:
    """Return where this user's progress is kept, or None if it shall not be kept at all.

    Returns
    -------
    file : pathlib.Path or None
        What ``NEUROPRIMER_PROGRESS`` says, else the system's place for a user's data. None if it
        says ``off``, as it does while a course is built.
    """
    place = os.environ.get(PROGRESS_VARIABLE)
    if place == OFF:
        return None
    return Path(place) if place else platformdirs.user_data_path("neuroprimer") / "progress.sqlite"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that a student did with an exercise.

    Parameters
    ----------
    lesson_id, exercise_id : str
        Which exercise.
    kind : str
        ``ATTEMPT``, ``HINT``, ``SOLUTION``, ``RESET``, or ``MARK``: the student says that the
        exercise is done, and nothing was checked.
    is_correct : bool
        Whether the answer was right, of an attempt.
    message : str
        What the student was told.
    digest : str
        Tells answers apart without keeping them; empty for an attempt without an answer.
    points : float
        What the attempt earned.
    when : str
        Date and time with its offset, ISO 8601; kept in UTC, to the second. Default: now.
    id : str
        No other event has it, on any machine. Default: a random one.

    Raises
    ------
    ProgressError
        If the kind is another, an id is empty, the points are no finite number, or the time is
        none.

    Examples
    --------
    >>> event = Event(
    ...     lesson_id="what-is-an-image",
    ...     exercise_id="dimensions",
    ...     kind=ATTEMPT,
    ...     digest="5feceb66",
    ...     when="2026-03-01T10:00:00+01:00",
    ... )
    >>> event.when
    '2026-03-01T09:00:00+00:00'
    """

    lesson_id: str
    exercise_id: str
    kind: str
    is_correct: bool = False
    message: str = ""
    digest: str = ""
    points: float = 0.0
    when: str = field(default_factory=_now)
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ProgressError(
                f"Nothing that a student does is called {self.kind!r}.",
                hint=f"An event's kind is one of: {', '.join(KINDS)}.",
            )
        for name in ("lesson_id", "exercise_id", "id"):
            _require_name(getattr(self, name), name)
        if not math.isfinite(self.points):
            raise ProgressError(
                f"An attempt cannot earn {self.points} points.", hint="Give a finite number."
            )
        # A check's feedback may quote anything, even names of files that are no proper text.
        object.__setattr__(self, "message", _as_text(self.message))
        object.__setattr__(self, "digest", _as_text(self.digest))
        object.__setattr__(self, "when", _as_utc(self.when))

    def __str__(self) -> str:
        return f"{self.kind} at {self.exercise_id!r} of {self.lesson_id!r}"


class Progress:
    """What a student has done, in one file.

    The file is opened for each operation and closed again, so that kernels that live for hours,
    or fork, share it with each other and with the commands.

    Parameters
    ----------
    path : pathlib.Path
        The file; it need not exist.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     progress = Progress(Path(folder) / "progress.sqlite")
    ...     progress.record(Event(lesson_id="affines", exercise_id="inverse", kind=HINT))
    ...     [str(event) for event in progress.events()]
    ["hint at 'inverse' of 'affines'"]
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    def record(self, event: Event) -> None:
        """Keep an event; one that is kept already is not kept twice.

        Raises
        ------
        ProgressError
            If it could not be kept: the folder or the file cannot be written, is held by another
            program, is damaged, is none of ours, or of a newer version.
        """
        self._insert((event,), f"The {event} was not recorded")

    def add(self, events: Iterable[Event]) -> int:
        """Keep those events that are not known yet: all of them, or none if that fails.

        Parameters
        ----------
        events : iterable of Event
            Of another machine, for example.

        Returns
        -------
        n_new : int
            How many were not known.

        Raises
        ------
        ProgressError
            As `record`; nothing was then kept.
        """
        events = tuple(events)
        if not events:
            return 0
        return self._insert(events, f"{len(events)} event(s) were not recorded")

    def events(self, lesson_id: str | None = None) -> tuple[Event, ...]:
        """Return what was done, the oldest first.

        Parameters
        ----------
        lesson_id : str, optional
            Of this lesson alone.

        Returns
        -------
        events : tuple of Event
            Ordered by their times, and those of the same second as they were recorded. Empty if
            there is no file; none is then created.

        Raises
        ------
        ProgressError
            If the file cannot be read.
        """
        with self._explained("The progress cannot be read"):
            if not self.path.exists():
                return ()
            with self._opened() as connection:
                rows = connection.execute(SELECT, {"lesson_id": lesson_id}).fetchall()
        return tuple(_event(row) for row in rows)

    def _insert(self, events: tuple[Event, ...], undone: str) -> int:
        with self._explained(undone):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._opened() as connection, writing(connection):
                return connection.executemany(INSERT, map(asdict, events)).rowcount

    @contextlib.contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        with opened(self.path) as connection:
            self._require_ours(connection)
            bring_up_to_date(connection)
            yield connection

    def _require_ours(self, connection: sqlite3.Connection) -> None:
        version, is_ours = identify(connection)
        if not is_ours:
            raise ProgressError(
                f"{self.path} is a database of another program. Nothing in it was changed.",
                hint=_ELSEWHERE,
            )
        if version > VERSION:
            raise ProgressError(
                f"{self.path} was written by a newer neuroprimer: it is of version {version}, "
                f"and this one knows versions up to {VERSION}. Nothing in it was changed.",
                hint="Upgrade neuroprimer: pip install --upgrade neuroprimer",
            )

    @contextlib.contextmanager
    def _explained(self, undone: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ProgressError(
                f"{undone}: {error.filename}: {error.strerror}.", hint=_ELSEWHERE
            ) from error
        except sqlite3.Error as error:
            # The primary code is the lowest byte; what Python itself raises has none.
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            raise ProgressError(
                f"{undone}: {self.path}: {error}.", hint=self._way_out(code)
            ) from error

    def _way_out(self, code: int) -> str:
        if code in DAMAGED:
            return (
                "The file is damaged, or no file of progress, and was left as it is. Move it "
                f"aside, for example to {self.path.name}.damaged: the next answer begins a new one."
            )
        if code in BUSY:
            return "Another program holds the file. End that program and try again."
        return _ELSEWHERE


_ELSEWHERE = (
    f"Choose another place: set {PROGRESS_VARIABLE} to a file in a folder that you can write, "
    f"or to '{OFF}' to record nothing."
)


def _event(row: sqlite3.Row) -> Event:
    return Event(**{**dict(row), "is_correct": bool(row["is_correct"])})


def _require_name(value: str, name: str) -> None:
    if not value or _as_text(value) != value:
        raise ProgressError(
            f"{value!r} cannot be the {name} of an event.", hint="Give a text that is not empty."
        )


def _as_text(text: str) -> str:
    """Return a text without the halves of characters that no file can hold."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _as_utc(when: str) -> str:
    try:
        moment = datetime.fromisoformat(when)
        if moment.tzinfo is None:
            raise ValueError("it has no offset from UTC")
        return moment.astimezone(UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError) as error:
        raise ProgressError(
            f"{when!r} is not the time of an event: {error}.",
            hint="Write it like '2026-03-01T09:00:00+00:00'.",
        ) from error
