"""Quizzes as HTML that answers by itself, and as plain text."""

import base64
import json
from collections.abc import Mapping
from html import escape
from typing import Any

from neuroprimer.teaching.exercises.model import FindData
from neuroprimer.teaching.exercises.quiz_answers import LETTERS, UNREADABLE_NUMBER
from neuroprimer.teaching.exercises.quiz_script import SCRIPT, STYLE
from neuroprimer.teaching.exercises.quizzes import (
    INCOMPLETE,
    MISSING_CHOICE,
    MISSING_NUMBER,
    OTHER_NUMBER,
    AnyQuiz,
    NumericQuiz,
    Quiz,
    require_key,
)

WRONG = "Not yet."
SEVERAL = "Choose all that apply."


def quiz_html(quiz: AnyQuiz, data: FindData, *, lesson_id: str) -> str:
    """Return a quiz as a piece of HTML that needs no kernel and asks no other host.

    What is right, and what is said of each answer, is encoded, so that nobody who looks at the
    page's source reads it by accident. That hides it from the eye and not from the curious: a page
    that can check an answer holds it, and anybody can decode it.

    The piece has no ids, so that it may stand on a page twice. A right answer is kept in the
    browser's ``localStorage`` as ``neuroprimer:LESSON:QUIZ``, and the form lets the event
    ``neuroprimer-quiz`` rise, with the lesson and the quiz as its detail.

    Parameters
    ----------
    quiz : Quiz or NumericQuiz
        What is asked.
    data : callable
        Finds the lesson's data, of which the numbers are computed.
    lesson_id : str
        The lesson in which it is asked.

    Returns
    -------
    html : str
        The same in every build.

    Raises
    ------
    LessonError
        If a number cannot be computed.

    Examples
    --------
    >>> quiz = NumericQuiz(
    ...     id="axes", question="How many axes?", answer=lambda data: 3, tolerance=0
    ... )
    >>> quiz_html(quiz, None, lesson_id="space")[:52]
    '<form class="neuroprimer-quiz" data-quiz="space:axes'
    """
    name = f"{lesson_id}:{quiz.id}"
    key = base64.b64encode(json.dumps(_key(quiz, data), sort_keys=True).encode()).decode()
    fields = _choices(quiz, name) if isinstance(quiz, Quiz) else _number(quiz)
    hint = f" <small>{SEVERAL}</small>" if isinstance(quiz, Quiz) and quiz.several else ""
    # JupyterLab would take keys pressed on a choice for commands to the notebook
    return f"""\
<form class="neuroprimer-quiz" data-quiz="{name}" data-key="{key}" \
data-lm-suppress-shortcuts="true" autocomplete="off">
<style>{STYLE}</style>
<fieldset>
<legend>{escape(quiz.question)}{hint}</legend>
{fields}
</fieldset>
<p class="neuroprimer-how">{escape(_how(quiz), quote=False)}</p>
<button type="submit" disabled>Check</button>
<div class="neuroprimer-verdict" role="status" aria-live="polite"></div>
<script>{SCRIPT}</script>
</form>
"""


def quiz_text(quiz: AnyQuiz) -> str:
    """Return a quiz as plain text, with how to answer it.

    Examples
    --------
    >>> quiz = NumericQuiz(
    ...     id="axes", question="How many axes?", answer=lambda data: 3, tolerance=0
    ... )
    >>> print(quiz_text(quiz))
    How many axes?
    Answer with lesson.answer("axes", 2.5), with your number in its place.
    """
    lines = [quiz.question]
    if isinstance(quiz, Quiz):
        lines[0] += f" {SEVERAL}" if quiz.several else ""
        lines += [
            f"  {letter}) {choice.text}"
            for letter, choice in zip(LETTERS, quiz.choices, strict=False)
        ]
    return "\n".join([*lines, _how(quiz)])


def _key(quiz: AnyQuiz, data: FindData) -> Mapping[str, Any]:
    """Return what the page's script must know to say the same as `check_quiz`."""
    if isinstance(quiz, Quiz):
        return {
            "correct": sorted(quiz.correct),
            "feedback": [choice.feedback for choice in quiz.choices],
            "right": quiz.right,
            "wrong": WRONG,
            "missing": MISSING_CHOICE,
            "incomplete": INCOMPLETE,
        }
    key = require_key(quiz, data)
    return {
        "expected": key.expected,
        "slips": key.slips,
        "tolerance": float(quiz.tolerance),
        "unit": quiz.unit,
        "right": quiz.right,
        "wrong": WRONG,
        "missing": MISSING_NUMBER,
        "other": OTHER_NUMBER,
        "unreadable": UNREADABLE_NUMBER,
    }


def _choices(quiz: Quiz, name: str) -> str:
    kind = "checkbox" if quiz.several else "radio"
    return "\n".join(
        f'<label><input type="{kind}" name="{name}" value="{letter}">'
        f"<span>{letter})</span><span>{escape(choice.text)}</span></label>"
        for letter, choice in zip(LETTERS, quiz.choices, strict=False)
    )


def _number(quiz: NumericQuiz) -> str:
    # an input of the type "number" takes no decimal comma in an English browser
    unit = f"<span>{escape(quiz.unit)}</span>" if quiz.unit else ""
    return (
        '<label><span>Your answer</span><input type="text" inputmode="decimal" '
        f'spellcheck="false">{unit}</label>'
    )


def _how(quiz: AnyQuiz) -> str:
    if isinstance(quiz, NumericQuiz):
        example, what = "2.5", "number"
    elif quiz.several:
        example, what = '["a", "b"]', "letters"
    else:
        example, what = '"b"', "letter"
    return f'Answer with lesson.answer("{quiz.id}", {example}), with your {what} in its place.'
