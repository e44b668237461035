"""Exchange: progress as files that go from machine to machine, or into a gradebook."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from neuroprimer.teaching.progress.standing import points_earned, standing_of
from neuroprimer.teaching.progress.store import HINT, Event, Progress, ProgressError
from neuroprimer.teaching.sealed import write_whole

FORMAT = "neuroprimer-progress"
FORMAT_VERSION = 2  # 1 has no marks, and is read all the same

JSON, CSV = ".json", ".csv"

# The columns of the gradebook.
COLUMNS = ("lesson", "exercise", "attempts", "hints", "solved", "points", "first_solved")

# Spreadsheets take a text that begins with one of these for a formula.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")

TYPES = {
    field.name: {"is_correct": bool, "points": float}.get(field.name, str)
    for field in fields(Event)
}


def export_progress(progress: Progress, file: Path, *, overwrite: bool = False) -> None:
    """Write what a student has done into a file.

    Parameters
    ----------
    progress : Progress
        What is exported.
    file : pathlib.Path
        Ends in .json, for another machine: all events; or in .csv, for a gradebook: one row for
        each exercise that was touched, with attempts and hints of all time.
    overwrite : bool, optional
        Whether a file that exists is replaced.

    Raises
    ------
    ProgressError
        If the file's name ends otherwise, it exists, or it cannot be written, or if the progress
        cannot be read.
    """
    _require_suffix(file, JSON, CSV)
    if file.resolve() == progress.path.resolve():
        raise ProgressError(
            f"{file} holds the progress itself, and was not replaced.", hint="Choose another name."
        )
    events = progress.events()
    data = _as_json(events) if file.suffix.lower() == JSON else _as_csv(events)
    _write(file, data, overwrite=overwrite)


def import_progress(progress: Progress, file: Path) -> int:
    """Add what an export of another machine tells: all of it, or nothing if anything is wrong.

    Parameters
    ----------
    progress : Progress
        What is added to.
    file : pathlib.Path
        A JSON export.

    Returns
    -------
    n_new : int
        How many events were not known; 0 if the file was imported before.

    Raises
    ------
    ProgressError
        If the file cannot be read, is no such export, or one of a newer version, or if the events
        cannot be recorded.
    """
    return progress.add(load_events(file))


def merge_progress(files: Sequence[Path], into: Path, *, overwrite: bool = False) -> int:
    """Make one JSON export of several.

    Parameters
    ----------
    files : sequence of pathlib.Path
        JSON exports. An event that several have is taken once.
    into : pathlib.Path
        What is written; ends in .json.
    overwrite : bool, optional
        Whether a file that exists is replaced; it may be one of `files`.

    Returns
    -------
    n_events : int
        How many there are in the merged file.

    Raises
    ------
    ProgressError
        If one of the files cannot be read, or the merged one not be written, or if its name ends
        otherwise. Nothing is then written.
    """
    _require_suffix(into, JSON)
    events: dict[str, Event] = {}
    for file in files:
        for event in load_events(file):
            events.setdefault(event.id, event)
    # Sorting keeps the order of events of the same second, as the file they came from has it.
    _write(
        into, _as_json(sorted(events.values(), key=lambda event: event.when)), overwrite=overwrite
    )
    return len(events)


def load_events(file: Path) -> tuple[Event, ...]:
    """Read the events of a JSON export.

    Raises
    ------
    ProgressError
        If the file cannot be read, is no such export, or one of a newer version.
    """
    try:
        content = json.loads(file.read_bytes())
    except OSError as error:
        raise ProgressError(
            f"Cannot read {file}: {error.strerror}.",
            hint="Look at the name of the file, and whether you may read it.",
        ) from error
    except (ValueError, RecursionError) as error:
        raise _no_export(file, f"it is not JSON: {error}") from error
    records = _require_records(file, content)
    return tuple(_event(file, place, record) for place, record in enumerate(records, start=1))


def _require_records(file: Path, content: Any) -> list[Any]:
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise _no_export(file, f"it does not say that its format is {FORMAT!r}")
    version = content.get("version")
    if type(version) is not int or version < 1:
        raise _no_export(file, f"its version is {version!r}")
    if version > FORMAT_VERSION:
        raise ProgressError(
            f"{file} was exported by a newer neuroprimer: its format is of version {version}, and "
            f"this one knows versions up to {FORMAT_VERSION}. Nothing was imported.",
            hint="Upgrade neuroprimer: pip install --upgrade neuroprimer",
        )
    records = content.get("events")
    if not isinstance(records, list):
        raise _no_export(file, "it has no list of events")
    return records


def _event(file: Path, place: int, record: Any) -> Event:
    if not isinstance(record, dict) or record.keys() != TYPES.keys():
        raise _no_export(file, f"event {place} does not have the fields {', '.join(TYPES)}")
    if type(record["points"]) is int:  # other programs write 1 for 1.0
        record = {**record, "points": _as_float(record["points"])}
    for name, expected in TYPES.items():
        if type(record[name]) is not expected:
            raise _no_export(
                file, f"{name!r} of event {place} is {record[name]!r}, not a {expected.__name__}"
            )
    try:
        return Event(**record)
    except ProgressError as error:
        raise _no_export(file, f"event {place}: {error.message}") from error


def _as_float(number: int) -> float:
    try:
        return float(number)
    except OverflowError:
        return float("inf")  # which no event takes


def _no_export(file: Path, why: str) -> ProgressError:
    return ProgressError(
        f"{file} is not an export of progress: {why.rstrip('.')}. Nothing was imported.",
        hint="Take a file that `neuroprimer progress export FILE.json` has written.",
    )


def _require_suffix(file: Path, *suffixes: str) -> None:
    if file.suffix.lower() not in suffixes:
        raise ProgressError(
            f"Cannot tell from the name {file.name!r} what to write.",
            hint=f"Let it end in {' or '.join(suffixes)}.",
        )


def _write(file: Path, data: bytes, *, overwrite: bool) -> None:
    try:
        if file.exists() and not overwrite:
            raise ProgressError(
                f"{file} exists, and was not replaced.",
                hint="Choose another name, or say that it may be overwritten.",
            )
        write_whole(file, data)
    except OSError as error:
        raise ProgressError(
            f"Cannot write {file}: {error.strerror}.",
            hint="Choose a file in a folder that you can write.",
        ) from error


def _as_json(events: Iterable[Event]) -> bytes:
    content = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "events": [asdict(event) for event in events],
    }
    return json.dumps(content, indent=1).encode()


def _as_csv(events: Sequence[Event]) -> bytes:
    by_exercise: dict[tuple[str, str], list[Event]] = {}
    for event in events:
        by_exercise.setdefault((event.lesson_id, event.exercise_id), []).append(event)
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(COLUMNS)
    for (lesson_id, exercise_id), its_events in sorted(by_exercise.items()):
        standing = standing_of(its_events, lesson_id, exercise_id)
        table.writerow(
            (
                _as_cell(lesson_id),
                _as_cell(exercise_id),
                standing.n_attempts,
                # A gradebook tells all hints; a reset does not take them back.
                sum(event.kind == HINT for event in its_events),
                int(standing.is_solved),
                points_earned(its_events, lesson_id, exercise_id),
                standing.first_solved_when,
            )
        )
    return text.getvalue().encode()


def _as_cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_SIGNS) else text
