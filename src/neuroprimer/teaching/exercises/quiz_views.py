"""What a notebook shows of a quiz, and of an answer to it."""

from dataclasses import dataclass

from neuroprimer.teaching.exercises.files import require_quiz
from neuroprimer.teaching.exercises.model import CheckOutcome, FindData
from neuroprimer.teaching.exercises.quiz_html import (
    outcome_html,
    outcome_text,
    quiz_html,
    quiz_text,
)
from neuroprimer.teaching.exercises.quizzes import check_quiz
from neuroprimer.teaching.model import Lesson


@dataclass(frozen=True, kw_only=True, repr=False)
class QuizView:
    """A quiz as a notebook shows it.

    Parameters
    ----------
    html : str
        For browsers; answers by itself.
    text : str
        For everything else.
    """

    html: str
    text: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True, kw_only=True, repr=False)
class AnswerView:
    """What is said of an answer, as a notebook shows it.

    Parameters
    ----------
    outcome : CheckOutcome
        What the check has said.
    """

    outcome: CheckOutcome

    def _repr_html_(self) -> str:
        return outcome_html(self.outcome)

    def __repr__(self) -> str:
        return outcome_text(self.outcome)


def view_quiz(lesson: Lesson, quiz_id: str, data: FindData) -> QuizView:
    """Return one of a lesson's quizzes, to be shown.

    Raises
    ------
    UnknownQuizError
        If there is none of that id; names the nearest.
    ExerciseFileError
        If the file of exercises cannot be used.
    LessonError
        If a number cannot be computed; here, so that the lesson's own run fails.
    """
    quiz = require_quiz(lesson, quiz_id)
    return QuizView(html=quiz_html(quiz, data, lesson_id=lesson.id), text=quiz_text(quiz))


def view_answer(lesson: Lesson, quiz_id: str, answer: object, data: FindData) -> AnswerView:
    """Return what is said of an answer to one of a lesson's quizzes, to be shown.

    Raises
    ------
    UnknownQuizError
        If there is none of that id; names the nearest.
    ExerciseFileError
        If the file of exercises cannot be used.
    """
    return AnswerView(outcome=check_quiz(require_quiz(lesson, quiz_id), answer, data))
