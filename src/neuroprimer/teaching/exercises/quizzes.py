"""Quizzes: questions with a choice or a number for an answer, and what is said of each answer."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from neuroprimer.teaching.exercises.model import CheckOutcome, FindData, Incorrect
from neuroprimer.teaching.exercises.quiz_answers import (
    LETTERS,
    bare_letter,
    is_missing,
    read_choices,
    read_number,
    squeeze,
)
from neuroprimer.teaching.model import LessonError, require_id

# Computes a number from the lesson's data.
FindNumber: TypeAlias = Callable[[FindData], float]

RIGHT = "Right."
INCOMPLETE = "What you chose is right, but it is not all that is right."
OTHER_NUMBER = "No, it is another number."
MISSING_CHOICE = "Choose an answer first."
MISSING_NUMBER = "Give a number first."


@dataclass(frozen=True)
class Choice:
    """One of the answers from which to choose.

    Parameters
    ----------
    text : str
        What is read.
    is_correct : bool
        Whether choosing it is right.
    feedback : str
        What whoever chooses it is told. A wrong choice must have it: what is wrong about it, and
        where to look.
    """

    text: str
    is_correct: bool = field(default=False, kw_only=True)
    feedback: str = field(default="", kw_only=True)


@dataclass(frozen=True, kw_only=True)
class Quiz:
    """A question with answers from which to choose.

    Parameters
    ----------
    id : str
        Small letters, digits and hyphens; what ``lesson.answer(id, answer)`` names.
    question : str
        Plain text.
    choices : tuple of Choice
        Two or more, in the order in which they are shown.
    several : bool
        Whether more than one may be chosen; then all that are correct must be.
    explanation : str
        Why the right answer is right; shown once it is found.

    Raises
    ------
    LessonError
        If no choice is correct, or more than one where one is to be chosen; if a wrong choice has
        no feedback; if choices cannot be told apart.

    Examples
    --------
    >>> quiz = Quiz(
    ...     id="first-axis",
    ...     question="Where does the first axis of RAS+ point?",
    ...     choices=(
    ...         Choice("to the right", is_correct=True),
    ...         Choice("to the left", feedback="That is LAS+, the habit of radiologists."),
    ...     ),
    ... )
    >>> check_quiz(quiz, "b", data=None).message
    'That is LAS+, the habit of radiologists.'
    """

    id: str
    question: str
    choices: tuple[Choice, ...]
    several: bool = False
    explanation: str = ""

    def __post_init__(self) -> None:
        require_id(self.id, "quiz")
        object.__setattr__(self, "choices", tuple(self.choices))  # authors may well give a list
        _require_choices(self)

    @property
    def correct(self) -> frozenset[int]:
        """Positions of the correct choices, from 0."""
        return frozenset(at for at, choice in enumerate(self.choices) if choice.is_correct)

    @property
    def right(self) -> str:
        """What is said of the right answer."""
        feedback = [choice.feedback for choice in self.choices if choice.is_correct]
        return " ".join(filter(None, [RIGHT, *feedback, self.explanation]))


@dataclass(frozen=True, kw_only=True)
class NumericQuiz:
    """A question with a number for an answer, which is computed from the lesson's data.

    Parameters
    ----------
    id : str
        Small letters, digits and hyphens; what ``lesson.answer(id, answer)`` names.
    question : str
        Plain text.
    answer : callable
        ``answer(data)`` returns the right number; ``data`` finds files as ``lesson.data`` does.
    tolerance : float
        How far an answer may be off, in the unit of the answer.
    unit : str
        Shown beside the answer; people may write it or not.
    slips : mapping of str to callable
        By the feedback that it earns, a function like `answer` for the number that a known slip
        gives.
    explanation : str
        How one comes to the number; shown once it is found.

    Raises
    ------
    LessonError
        If the answer is no function, or the tolerance no finite number from 0.

    Examples
    --------
    >>> quiz = NumericQuiz(
    ...     id="duration",
    ...     question="How long do 150 volumes with a TR of 2 s take?",
    ...     answer=lambda data: 150 * 2.0,
    ...     tolerance=0.5,
    ...     unit="s",
    ...     slips={"These are minutes.": lambda data: 150 * 2.0 / 60},
    ... )
    >>> check_quiz(quiz, 5, data=None).message
    'These are minutes.'
    """

    id: str
    question: str
    answer: FindNumber
    tolerance: float
    unit: str = ""
    slips: Mapping[str, FindNumber] = field(default_factory=dict)
    explanation: str = ""

    def __post_init__(self) -> None:
        require_id(self.id, "quiz")
        if not callable(self.answer) or not all(map(callable, self.slips.values())):
            raise LessonError(
                f"The quiz {self.id!r} has a number typed in where a function should compute it.",
                hint="Pass functions of the lesson's data as answer= and in slips=.",
            )
        if not (math.isfinite(self.tolerance) and self.tolerance >= 0):
            raise LessonError(
                f"The quiz {self.id!r} has a tolerance of {self.tolerance}, expected 0 or more.",
                hint="Say how far an answer may be off, in the unit of the answer.",
            )

    @property
    def right(self) -> str:
        """What is said of the right answer."""
        return f"{RIGHT} {self.explanation}".strip()


AnyQuiz: TypeAlias = Quiz | NumericQuiz


@dataclass(frozen=True, kw_only=True)
class NumericKey:
    """The numbers of a quiz, computed from data.

    Parameters
    ----------
    expected : float
        The right one.
    slips : tuple of (float, str)
        The number that each slip gives, and its feedback.
    """

    expected: float
    slips: tuple[tuple[float, str], ...] = ()


def check_quiz(quiz: AnyQuiz, answer: object, data: FindData) -> CheckOutcome:
    """Say what is to be said of an answer; nothing that is answered raises an error.

    Parameters
    ----------
    quiz : Quiz or NumericQuiz
        What was asked.
    answer : object
        A letter "b", the text of a choice, a number from 1, or a list or set of these where
        several may be chosen; for a `NumericQuiz`, a number.
    data : callable
        Finds the lesson's data.

    Returns
    -------
    outcome : CheckOutcome
        With the feedback of the wrong choice or of the slip.
    """
    if is_missing(answer):
        message = MISSING_CHOICE if isinstance(quiz, Quiz) else MISSING_NUMBER
        return CheckOutcome(exercise_id=quiz.id, is_correct=False, message=message, is_missing=True)
    try:
        if isinstance(quiz, Quiz):
            _judge_choices(quiz, answer)
        else:
            _judge_number(quiz, answer, require_key(quiz, data))
    except Incorrect as verdict:
        return CheckOutcome(exercise_id=quiz.id, is_correct=False, message=verdict.message)
    except LessonError as error:
        return CheckOutcome(
            exercise_id=quiz.id, is_correct=False, message=str(error), is_our_fault=True
        )
    return CheckOutcome(exercise_id=quiz.id, is_correct=True, message=quiz.right)


def require_key(quiz: NumericQuiz, data: FindData) -> NumericKey:
    """Return the numbers of a quiz, computed from the lesson's data.

    Parameters
    ----------
    quiz : NumericQuiz
        Knows how to compute them.
    data : callable
        Finds the lesson's data.

    Returns
    -------
    key : NumericKey
        Each slip's number earns the feedback of that slip.

    Raises
    ------
    LessonError
        If a number cannot be computed, is not finite, or cannot be told from another.
    """
    expected = _compute(quiz, "its answer", quiz.answer, data)
    taken = [(expected, "the right answer")]
    slips = []
    for feedback, slip in quiz.slips.items():
        number = _compute(quiz, f"the slip {feedback!r}", slip, data)
        for other, what in taken:
            if abs(number - other) <= quiz.tolerance:
                raise LessonError(
                    f"The quiz {quiz.id!r} cannot tell the slip {feedback!r} from {what}: "
                    f"{number:g} against {other:g}, with a tolerance of {quiz.tolerance:g}.",
                    hint="Make the tolerance smaller, or choose data in which they differ.",
                )
        taken.append((number, f"the slip {feedback!r}"))
        slips.append((number, feedback))
    return NumericKey(expected=expected, slips=tuple(slips))


def _compute(quiz: NumericQuiz, what: str, compute: FindNumber, data: FindData) -> float:
    try:
        number = float(compute(data))
    except Exception as error:  # an author's function may raise anything
        raise LessonError(
            f"The quiz {quiz.id!r} cannot compute {what}: {type(error).__name__}: {error}",
            hint="It is the lesson's fault, not yours; tell its authors.",
        ) from error
    if not math.isfinite(number):
        raise LessonError(
            f"The quiz {quiz.id!r} computes {number} for {what}, expected a finite number.",
            hint="It is the lesson's fault, not yours; tell its authors.",
        )
    return number


def _judge_choices(quiz: Quiz, answer: object) -> None:
    """Raise `Incorrect` unless exactly the correct choices are named."""
    texts = [choice.text for choice in quiz.choices]
    chosen = read_choices(answer, texts, several=quiz.several)
    wrong = sorted(chosen - quiz.correct)
    if wrong:
        raise Incorrect(" ".join(quiz.choices[position].feedback for position in wrong))
    if chosen < quiz.correct:
        raise Incorrect(INCOMPLETE)


def _judge_number(quiz: NumericQuiz, answer: object, key: NumericKey) -> None:
    """Raise `Incorrect` unless the number is near enough to the expected one."""
    number = read_number(answer, quiz.unit)
    if abs(number - key.expected) <= quiz.tolerance:
        return
    near = (feedback for slip, feedback in key.slips if abs(number - slip) <= quiz.tolerance)
    raise Incorrect(next(near, OTHER_NUMBER))


def _require_choices(quiz: Quiz) -> None:
    """Raise unless there is something to choose, and a word for whoever chooses wrongly."""
    if not 2 <= len(quiz.choices) <= len(LETTERS):
        raise LessonError(
            f"The quiz {quiz.id!r} has {len(quiz.choices)} choice(s), "
            f"expected 2 to {len(LETTERS)}.",
            hint="Pass choices=(Choice(...), Choice(...)).",
        )
    if not quiz.correct or (len(quiz.correct) > 1 and not quiz.several):
        raise LessonError(
            f"The quiz {quiz.id!r} has {len(quiz.correct)} correct choice(s), expected "
            + ("at least one." if quiz.several else "exactly one."),
            hint="Mark it with is_correct=True; where more than one is right, say several=True.",
        )
    for choice in quiz.choices:
        if not choice.is_correct and not choice.feedback.strip():
            raise LessonError(
                f"The wrong choice {choice.text!r} of the quiz {quiz.id!r} has no feedback.",
                hint="Say what is wrong about it and where to look: feedback='...'.",
            )
    texts = [squeeze(choice.text) for choice in quiz.choices]
    for position, text in enumerate(texts):
        if not text or text in texts[:position] or _is_letter_of_another(text, position, texts):
            raise LessonError(
                f"The choice {quiz.choices[position].text!r} of the quiz {quiz.id!r} cannot be "
                "told from another: it is empty, has the same text, or is another one's letter.",
                hint="Give every choice words of its own.",
            )


def _is_letter_of_another(text: str, position: int, texts: list[str]) -> bool:
    letters = LETTERS[: len(texts)]
    bare = bare_letter(text)
    return len(bare) == 1 and bare in letters and bare != letters[position]
