"""Events: what whoever watches a build is told of, without loading what executes lessons."""

from collections.abc import Callable
from dataclasses import dataclass

from neuroprimer.teaching.model import ExecutionResult, Lesson


@dataclass(frozen=True, kw_only=True)
class LessonEvent:
    """Something that happened while lessons ran.

    Parameters
    ----------
    lesson : Lesson
        Whose run it is.
    cell, cells : int
        The code cell that begins, from 1, and how many there are; 0 when the lesson begins.
    result : ExecutionResult or None
        Given when the lesson has ended, or need not run.
    """

    lesson: Lesson
    cell: int = 0
    cells: int = 0
    result: ExecutionResult | None = None


OnEvent = Callable[[LessonEvent], None]


def ignore_event(_: LessonEvent) -> None:
    """Do nothing about an event."""
