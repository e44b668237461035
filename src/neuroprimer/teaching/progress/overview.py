"""The overview: how far a student is with each lesson of a course, and what comes next."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from neuroprimer.teaching.model import Lesson
from neuroprimer.teaching.progress.standing import points_earned, standing_of
from neuroprimer.teaching.progress.store import Event


@dataclass(frozen=True, kw_only=True)
class Row:
    """How far a student is with a lesson.

    Parameters
    ----------
    lesson : Lesson
        Which lesson.
    n_exercises, n_solved, n_attempts : int
        Exercises that it has, those that are solved, and how often their answers were checked.
    n_marked : int
        Exercises that are not solved, but of which the student says that they are done.
    points, points_possible : float
        What was earned, and what all of its exercises count.
    is_done : bool
        Whether all exercises are solved or marked; see `overview` for a lesson that has none.
    """

    lesson: Lesson
    n_exercises: int
    n_solved: int
    n_marked: int
    n_attempts: int
    points: float
    points_possible: float
    is_done: bool


def overview(
    lessons: Iterable[Lesson],
    exercises: Mapping[str, Mapping[str, float]],
    events: Iterable[Event],
) -> tuple[Row, ...]:
    """Tell how far a student is with each lesson.

    Nothing tells whether a lesson without exercises was read. It counts as done as soon as
    the student has begun an exercise of a lesson that stands after it, or one that it had once;
    until then `next_lesson` proposes it.

    Parameters
    ----------
    lessons : iterable of Lesson
        In the order of the course.
    exercises : mapping of str to mapping of str to float
        By the lesson's id, the points of each exercise by its id. A lesson that is not in it has
        no exercises.
    events : iterable of Event
        The oldest first. Those of exercises that are no more are passed over, and an exercise
        earns no more than it counts now.

    Returns
    -------
    rows : tuple of Row
        One for each lesson, in the same order.

    Examples
    --------
    >>> from neuroprimer.teaching.progress.store import ATTEMPT
    >>> lessons = [Lesson(id="affines", title="Affines", path="affines.md")]
    >>> right = Event(
    ...     lesson_id="affines", exercise_id="inverse", kind=ATTEMPT, is_correct=True, points=2.0
    ... )
    >>> (row,) = overview(lessons, {"affines": {"inverse": 2.0, "order": 1.0}}, [right])
    >>> row.n_solved, row.n_exercises, row.points, row.points_possible, row.is_done
    (1, 2, 2.0, 3.0, False)
    """
    lessons, by_lesson = tuple(lessons), _by_lesson(events)
    return tuple(
        _row(
            lesson,
            exercises.get(lesson.id, {}),
            by_lesson.get(lesson.id, ()),
            has_gone_on=any(later.id in by_lesson for later in lessons[place:]),
        )
        for place, lesson in enumerate(lessons)
    )


def next_lesson(rows: Sequence[Row]) -> Lesson | None:
    """Return the first lesson that is not done and whose prerequisites are.

    Parameters
    ----------
    rows : sequence of Row
        As `overview` gives them. Prerequisites that are not among them are passed over.

    Returns
    -------
    lesson : Lesson or None
        None when all lessons are done, or each that is not waits for another in a circle.

    Examples
    --------
    >>> first = Lesson(id="images", title="Images", path="images.md")
    >>> second = Lesson(id="affines", title="Affines", path="affines.md", prerequisites=("images",))
    >>> next_lesson(overview([second, first], {}, [])).title
    'Images'
    """
    waiting = {row.lesson.id for row in rows if not row.is_done}
    for row in rows:
        if not row.is_done and waiting.isdisjoint(row.lesson.prerequisites):
            return row.lesson
    return None


def _by_lesson(events: Iterable[Event]) -> Mapping[str, Sequence[Event]]:
    by_lesson: dict[str, list[Event]] = {}
    for event in events:
        by_lesson.setdefault(event.lesson_id, []).append(event)
    return by_lesson


def _row(
    lesson: Lesson,
    points_of: Mapping[str, float],
    events: Collection[Event],
    *,
    has_gone_on: bool,
) -> Row:
    standings = [standing_of(events, lesson.id, exercise_id) for exercise_id in points_of]
    n_solved = sum(standing.is_solved for standing in standings)
    n_marked = sum(standing.is_marked and not standing.is_solved for standing in standings)
    return Row(
        lesson=lesson,
        n_exercises=len(points_of),
        n_solved=n_solved,
        n_marked=n_marked,
        n_attempts=sum(standing.n_attempts for standing in standings),
        points=sum(
            min(points_earned(events, lesson.id, exercise_id), possible)
            for exercise_id, possible in points_of.items()
        ),
        points_possible=sum(points_of.values()),
        is_done=n_solved + n_marked == len(points_of) if points_of else has_gone_on,
    )
