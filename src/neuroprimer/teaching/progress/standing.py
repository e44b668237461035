"""Standing: how far a student is with an exercise, told from what happened."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from neuroprimer.teaching.progress.store import ATTEMPT, HINT, MARK, RESET, SOLUTION, Event


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How far a student is with an exercise.

    Parameters
    ----------
    exercise_id : str
        Which exercise.
    n_attempts : int
        How often an answer was checked, whatever it was.
    n_honest : int
        How many answers since the last reset were no mere repetition of the one before.
    is_solved : bool
        Whether an answer was ever right.
    is_marked : bool
        Whether the student has said that it is done. That is no answer, and solves nothing.
    n_hints : int
        How many hints were shown since the last reset.
    has_seen_solution : bool
        Whether the solution was ever shown.
    first_solved_when : str
        Date and time of the first right answer, ISO 8601 in UTC; empty if there is none.
    """

    exercise_id: str
    n_attempts: int
    n_honest: int
    is_solved: bool
    is_marked: bool
    n_hints: int
    has_seen_solution: bool
    first_solved_when: str


def standing_of(events: Iterable[Event], lesson_id: str, exercise_id: str) -> Standing:
    """Tell how far a student is with an exercise.

    A reset lets the student begin again: hints and honest attempts count from the last one on.
    What was reached stays: attempts, a solution that was seen, and that the exercise is solved or
    marked.

    Parameters
    ----------
    events : iterable of Event
        The oldest first, as `Progress.events` gives them; those of other exercises do no harm.
    lesson_id, exercise_id : str
        Which exercise.

    Returns
    -------
    standing : Standing
        All zero for an exercise that was never touched. An attempt is honest if its answer differs
        from the last one that was given; an attempt without an answer is none, and does not make
        the same answer new.

    Examples
    --------
    >>> events = [
    ...     Event(lesson_id="affines", exercise_id="inverse", kind=ATTEMPT, digest=digest)
    ...     for digest in ("a", "a", "b", "")
    ... ]
    >>> standing = standing_of(events, "affines", "inverse")
    >>> standing.n_attempts, standing.n_honest, standing.is_solved
    (4, 2, False)
    """
    mine = [
        event
        for event in events
        if (event.lesson_id, event.exercise_id) == (lesson_id, exercise_id)
    ]
    solved_when = [event.when for event in mine if event.kind == ATTEMPT and event.is_correct]
    since = _since_reset(mine)
    return Standing(
        exercise_id=exercise_id,
        n_attempts=_count(mine, ATTEMPT),
        n_honest=_count_honest(since),
        is_solved=bool(solved_when),
        is_marked=_count(mine, MARK) > 0,
        n_hints=_count(since, HINT),
        has_seen_solution=_count(mine, SOLUTION) > 0,
        first_solved_when=min(solved_when, default=""),
    )


def points_earned(events: Iterable[Event], lesson_id: str, exercise_id: str) -> float:
    """Return the most points that a right answer to an exercise has earned; 0 without one.

    Examples
    --------
    >>> events = [
    ...     Event(lesson_id="l", exercise_id="e", kind=ATTEMPT, is_correct=True, points=points)
    ...     for points in (0.5, 2.0, 1.0)
    ... ]
    >>> points_earned(events, "l", "e")
    2.0
    """
    return max(
        (
            event.points
            for event in events
            if (event.lesson_id, event.exercise_id) == (lesson_id, exercise_id)
            and event.kind == ATTEMPT
            and event.is_correct
        ),
        default=0.0,
    )


def _count(events: Iterable[Event], kind: str) -> int:
    return sum(event.kind == kind for event in events)


def _since_reset(events: Sequence[Event]) -> Sequence[Event]:
    resets = [place for place, event in enumerate(events) if event.kind == RESET]
    return events[resets[-1] + 1 :] if resets else events


def _count_honest(events: Iterable[Event]) -> int:
    answers = [event.digest for event in events if event.kind == ATTEMPT and event.digest]
    return sum(answer != before for before, answer in zip(["", *answers], answers, strict=False))
