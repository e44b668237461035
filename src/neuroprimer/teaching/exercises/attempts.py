"""Attempts: what a student has tried in this notebook and in others, as far as it can be kept."""

import hashlib
from typing import Any

from neuroprimer.teaching.exercises.checking import is_placeholder
from neuroprimer.teaching.exercises.model import CheckOutcome
from neuroprimer.teaching.progress.standing import Standing, standing_of
from neuroprimer.teaching.progress.store import (
    ATTEMPT,
    Event,
    Progress,
    ProgressError,
    progress_file,
)

# An answer that is larger is told from others by its shape and ends.
LARGEST_BYTES = 64_000_000

# What could not be written, or is not to be. It lasts as long as the notebook's kernel.
_in_memory: list[Event] = []


def note_event(event: Event) -> str:
    """Keep something that a student has done.

    Parameters
    ----------
    event : Event
        An attempt, a hint, a solution.

    Returns
    -------
    problem : str
        Why it is kept for this session only; empty if all is well, or nothing is to be kept.
    """
    file = progress_file()
    if file is not None:
        try:
            Progress(file).record(event)
        except ProgressError as error:
            _in_memory.append(event)
            return str(error)
        return ""
    _in_memory.append(event)
    return ""


def events_of(lesson_id: str | None = None) -> tuple[Event, ...]:
    """Return what a student has done, oldest first: what is kept, and what this session knows.

    Parameters
    ----------
    lesson_id : str, optional
        Of one lesson only. Default: of all.
    """
    kept: tuple[Event, ...] = ()
    file = progress_file()
    if file is not None:
        try:
            kept = Progress(file).events(lesson_id)
        except ProgressError:  # `reading_problem` tells
            kept = ()
    return (*kept, *(event for event in _in_memory if lesson_id in (None, event.lesson_id)))


def reading_problem() -> str:
    """Return why what a student has done before cannot be read; empty if all is well."""
    file = progress_file()
    try:
        if file is not None:
            Progress(file).events()
    except ProgressError as error:
        return str(error)
    return ""


def where(lesson_id: str, exercise_id: str) -> Standing:
    """Return where a student is with an exercise."""
    return standing_of(events_of(lesson_id), lesson_id, exercise_id)


def attempt_of(lesson_id: str, answer: Any, outcome: CheckOutcome, *, points: float = 0.0) -> Event:
    """Return an attempt, ready to be kept; the answer itself is not part of it.

    Parameters
    ----------
    lesson_id : str
        The lesson's.
    answer : object
        Only a digest of it is kept, to tell one attempt from the next.
    outcome : CheckOutcome
        What the check said, and of which exercise.
    points : float
        What a right answer counts.
    """
    return Event(
        lesson_id=lesson_id,
        exercise_id=outcome.exercise_id,
        kind=ATTEMPT,
        is_correct=outcome.is_correct,
        message=outcome.message,
        digest="" if is_placeholder(answer) else digest_of_answer(answer),
        points=points if outcome.is_correct else 0.0,
    )


def digest_of_answer(answer: Any) -> str:
    """Return what tells an answer from another, whatever it is.

    Examples
    --------
    >>> digest_of_answer([1, 2]) == digest_of_answer([1, 2]) != digest_of_answer([2, 1])
    True
    """
    try:
        is_array = hasattr(answer, "tobytes") and answer.nbytes <= LARGEST_BYTES
        content = answer.tobytes() if is_array else repr(answer).encode(errors="replace")
        shape = str(getattr(answer, "shape", ""))
    except Exception:  # noqa: BLE001  a repr that raises is a student's, and no reason to stop
        content, shape = b"", ""
    kind = f"{type(answer).__name__} {shape} "
    return hashlib.sha256(kind.encode(errors="replace") + content).hexdigest()[:16]
