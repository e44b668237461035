"""Minutes, in words."""

from collections.abc import Iterable

from neuroprimer.teaching.model import Lesson


def duration_words(minutes: int) -> str:
    """Return a time in hours and minutes.

    Examples
    --------
    >>> duration_words(45), duration_words(120), duration_words(145)
    ('45 min', '2 h', '2 h 25 min')
    """
    hours, rest = divmod(minutes, 60)
    words = [f"{hours} h"] if hours else []
    return " ".join([*words, f"{rest} min"] if rest or not words else words)


def time_words(lessons: Iterable[Lesson]) -> str:
    """Return what lessons take for reading and for exercises; empty where none says so.

    Examples
    --------
    >>> lesson = Lesson(id="a", title="A", path="a.md", teaching_min=20, exercise_min=15)
    >>> time_words([lesson, lesson, lesson, lesson])
    '1 h 20 min reading, 1 h exercises'
    """
    lessons = tuple(lessons)
    amounts = (
        (sum(one.teaching_min for one in lessons), "reading"),
        (sum(one.exercise_min for one in lessons), "exercises"),
    )
    return ", ".join(f"{duration_words(amount)} {what}" for amount, what in amounts if amount)
