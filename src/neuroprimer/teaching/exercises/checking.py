"""Checking: an answer goes into a check, and words come out, whatever the check does."""

import contextlib
import io
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from neuroprimer.teaching.exercises.model import CheckOutcome, Exercise, FindData, Incorrect

# A check compares; one that takes longer is in a loop, or was given something enormous.
CHECK_TIMEOUT_S = 20.0

LONGEST_REASON = 200

# What stands in a notebook where there is no answer yet.
PLACEHOLDERS = (..., NotImplemented)

# Are told of each check in a notebook: exercise, answer, what finds data, and what came of it.
LISTENERS: list[Callable[[Exercise, Any, FindData, CheckOutcome], None]] = []

# What finds the data of each lesson that is open here, by the lesson's id.
OPENED: dict[str, FindData] = {}


class CheckTimeoutError(BaseException):
    """A check that does not come to an end; no `except Exception` of its own can stop this."""


def check_answer(
    exercise: Exercise, answer: Any, data: FindData, *, timeout_s: float = CHECK_TIMEOUT_S
) -> CheckOutcome:
    """Check an answer.

    Parameters
    ----------
    exercise : Exercise
        Whose check is asked.
    answer : object
        Anything at all.
    data : callable
        Finds the lesson's data files.
    timeout_s : float
        How long the check may take, in seconds, where the system can tell it.

    Returns
    -------
    outcome : CheckOutcome
        Nothing is raised and nothing is printed, whatever check and answer do.

    Examples
    --------
    >>> def check_even(answer, data):
    ...     if answer % 2:
    ...         raise Incorrect("That one is odd.")
    >>> exercise = Exercise(id="even", prompt="An even number?", check=check_even)
    >>> check_answer(exercise, 3, data=None).message
    'That one is odd.'
    """
    if is_placeholder(answer):
        return CheckOutcome(
            exercise_id=exercise.id,
            is_correct=False,
            is_missing=True,
            message="There is no answer yet: put yours in the place of the three dots.",
        )
    try:
        with _quietly(), _time_limit(timeout_s):
            exercise.check(answer, data)
    except Incorrect as verdict:
        message = _without_halves(str(verdict.message).strip()) or "That is not right."
        return CheckOutcome(exercise_id=exercise.id, is_correct=False, message=message)
    except CheckTimeoutError:
        return _broken(exercise, f"it was still busy after {timeout_s:g} s", answer)
    except (Exception, SystemExit) as error:  # noqa: BLE001  a check may raise anything
        return _broken(exercise, f"{type(error).__name__}: {_words(error)}".rstrip(": "), answer)
    return CheckOutcome(exercise_id=exercise.id, is_correct=True, message="That is right.")


def is_placeholder(answer: Any) -> bool:
    """Tell whether an answer is what stands where there is none yet.

    Examples
    --------
    >>> is_placeholder(...), is_placeholder(None)
    (True, False)
    """
    return any(answer is placeholder for placeholder in PLACEHOLDERS)


def _broken(exercise: Exercise, reason: str, answer: Any) -> CheckOutcome:
    return CheckOutcome(
        exercise_id=exercise.id,
        is_correct=False,
        is_our_fault=True,
        message="The check of this exercise could not judge your answer, which is of type "
        f"{type(answer).__name__}: {reason}. That is our fault and not yours. If the question asks "
        "for something of another kind, try that; in any case tell the authors of the lesson.",
    )


def _words(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001  it is the answer's own __str__ that may fail here
        return "it cannot be put into words"
    return _without_halves(" ".join(text.split()))[:LONGEST_REASON]


def _without_halves(text: str) -> str:
    """Return a text without the halves of characters that neither file nor screen can show."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        # where a student has made errors of warnings, a check would break of one
        warnings.catch_warnings(action="ignore"),
    ):
        yield


@contextlib.contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise where something takes too long; only the main thread of a Unix process can."""
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or not hasattr(signal, "setitimer"):
        yield
        return

    def give_up(*_: object) -> None:
        raise CheckTimeoutError

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
