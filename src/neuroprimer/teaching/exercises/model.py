"""What an exercise is: a question, a check, hints, and answers that people wrongly give."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from neuroprimer.teaching.model import LessonError, require_id

# Gives the path of one of the lesson's data files, as `lesson.data` does in a notebook.
FindData: TypeAlias = Callable[..., Path]

# Takes an answer and what finds data; raises `Incorrect`, and returns nothing if all is well.
Check: TypeAlias = Callable[[Any, FindData], None]


class Incorrect(Exception):  # noqa: N818  # it is an answer's verdict, and no error of anybody's code
    """An answer that is not right.

    Parameters
    ----------
    message : str
        What is off and where to look, for the student. It does not give the answer away.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, kw_only=True)
class WrongAnswer:
    """Code that students really write, and the feedback that it must earn.

    Parameters
    ----------
    code : str
        Stands in the place of the solution, and runs in the lesson's own state.
    message : str
        Words that the feedback must hold, and that no other wrong answer's feedback holds.
    """

    code: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """A question with its check, its hints, and what shows that the check can be trusted.

    Parameters
    ----------
    id : str
        Small letters, digits and hyphens; what ``lesson.check(id, answer)`` names.
    prompt : str
        What is asked, in a sentence or two.
    check : callable
        ``check(answer, data)`` raises `Incorrect` with feedback, or returns. ``data`` finds files
        as ``lesson.data`` does. What is expected is computed from them, never typed in.
    hints : tuple of str
        One at a time, each giving away a little more.
    wrong_answers : tuple of WrongAnswer
        At least two; the proof runs them.
    points : float
        What solving it counts.
    harmless : mapping of str to str
        Why the check may let a mutation of the right answer pass, by the mutation's name.

    Examples
    --------
    >>> def check_count(answer, data):
    ...     if answer != 3:
    ...         raise Incorrect("Space has another number of dimensions.")
    >>> Exercise(id="dimensions", prompt="How many dimensions has space?", check=check_count).points
    1.0
    """

    id: str
    prompt: str
    check: Check
    hints: tuple[str, ...] = ()
    wrong_answers: tuple[WrongAnswer, ...] = ()
    points: float = 1.0
    harmless: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_id(self.id, "exercise")
        if not callable(self.check):
            raise LessonError(
                f"The exercise {self.id!r} has no check.",
                hint="Pass check=, a function of the answer and the lesson's data.",
            )
        hints: object = self.hints
        if not isinstance(hints, tuple | list) or not all(isinstance(one, str) for one in hints):
            raise LessonError(
                f"The hints of {self.id!r} are {hints!r}; expected a tuple of texts.",
                hint="A single hint needs a comma: hints=('Look at the last column.',).",
            )


@dataclass(frozen=True, kw_only=True)
class CheckOutcome:
    """What a check says of an answer.

    Parameters
    ----------
    exercise_id : str
        Which exercise.
    is_correct : bool
        Whether the answer is right.
    message : str
        For the student: what is off, or that all is well.
    is_our_fault : bool
        Whether the check itself is broken, so that nothing is said of the answer.
    is_missing : bool
        Whether there was no answer yet.
    """

    exercise_id: str
    is_correct: bool
    message: str
    is_our_fault: bool = False
    is_missing: bool = False
