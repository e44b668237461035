"""Quizzes: what they must be, and what is said of every kind of answer."""

import numpy as np
import pytest

from neuroprimer.teaching import Choice, NumericQuiz, Quiz, check_quiz
from neuroprimer.teaching.exercises.quizzes import (
    INCOMPLETE,
    MISSING_CHOICE,
    MISSING_NUMBER,
    OTHER_NUMBER,
    require_key,
)
from neuroprimer.teaching.model import LessonError

AXIS = Quiz(
    id="axis",
    question="Where does the first axis of RAS+ point?",
    choices=(
        Choice("to the left", feedback="That is LAS+."),
        Choice("to the right", is_correct=True, feedback="R is for right."),
        Choice("to the front", feedback="That is the second axis."),
    ),
    explanation="RAS+ names where axes point.",
)
UNITS = Quiz(
    id="units",
    question="Which of these are lengths?",
    several=True,
    choices=[
        Choice("mm", is_correct=True),
        Choice("TR", feedback="A TR is a time."),
        Choice("FWHM", is_correct=True),
        Choice("Hz", feedback="Hz is a frequency."),
    ],
)


def voxel_count(data):
    return data("grid")


def make_width(**options):
    values = {
        "id": "width",
        "question": "How wide is the image?",
        "answer": lambda data: 2.0 * voxel_count(data),
        "tolerance": 0.5,
        "unit": "mm",
        "slips": {
            "That is the number of voxels.": lambda data: voxel_count(data),
            "That is half a voxel too few, twice.": lambda data: 2.0 * (voxel_count(data) - 1),
        },
        "explanation": "Voxels times their size.",
    }
    return NumericQuiz(**{**values, **options})


WIDTH = make_width()


def data(_name):
    return 91


@pytest.mark.parametrize("answer", ["b", "B", " b) ", "(b)", "b.", 2, "2", "To  the RIGHT", ["b"]])
def test_right_choice_is_right_however_it_is_named(answer):
    outcome = check_quiz(AXIS, answer, data)

    assert outcome.is_correct
    assert outcome.exercise_id == "axis"
    assert outcome.message == "Right. R is for right. RAS+ names where axes point."


@pytest.mark.parametrize(("answer", "feedback"), [("a", 0), (3, 2), ("to the front", 2)])
def test_wrong_choice_earns_its_own_feedback(answer, feedback):
    outcome = check_quiz(AXIS, answer, data)

    assert not outcome.is_correct
    assert outcome.message == AXIS.choices[feedback].feedback


@pytest.mark.parametrize(
    "answer", [["a", "c"], ("c", "a"), {1, 3}, frozenset({"mm", "FWHM"}), "a, c", "c a", ["a", 3]]
)
def test_all_that_is_right_is_right_where_several_are(answer):
    assert check_quiz(UNITS, answer, data).is_correct


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("a", INCOMPLETE),
        (["a", "b", "c"], "A TR is a time."),
        (["d", "b"], "A TR is a time. Hz is a frequency."),
    ],
)
def test_parts_of_the_right_answer_and_more_than_it_are_not_right(answer, message):
    outcome = check_quiz(UNITS, answer, data)

    assert not outcome.is_correct
    assert outcome.message == message


@pytest.mark.parametrize("answer", [182, 182.4, 181.5, "182", "182,3", "182 mm", " +1.82e2mm"])
def test_number_within_the_tolerance_is_right(answer):
    outcome = check_quiz(WIDTH, answer, data)

    assert outcome.is_correct
    assert outcome.message == "Right. Voxels times their size."


@pytest.mark.parametrize("answer", [np.float32(182), np.int64(182), np.array(182)])
def test_numbers_of_numpy_are_numbers(answer):
    assert check_quiz(WIDTH, answer, data).is_correct


def test_numbers_of_numpy_are_positions():
    assert check_quiz(AXIS, np.int64(2), data).is_correct


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (91, "That is the number of voxels."),
        (180.2, "That is half a voxel too few, twice."),
        (182.6, OTHER_NUMBER),
        ("\N{MINUS SIGN}182", OTHER_NUMBER),
        (float("inf"), OTHER_NUMBER),
    ],
)
def test_slip_earns_its_own_feedback_and_no_other_number_does(answer, message):
    outcome = check_quiz(WIDTH, answer, data)

    assert not outcome.is_correct
    assert outcome.message == message


@pytest.mark.parametrize("answer", [None, ..., "", "  ", [], set()])
def test_no_answer_is_missing_and_not_wrong(answer):
    for quiz, message in ((AXIS, MISSING_CHOICE), (WIDTH, MISSING_NUMBER)):
        outcome = check_quiz(quiz, answer, data)

        assert outcome.is_missing
        assert not outcome.is_correct
        assert outcome.message == message


class Hostile:
    def __float__(self):
        raise OSError("no")

    __index__ = __repr__ = __str__ = __eq__ = __hash__ = __iter__ = __float__


UNREADABLE = [
    *(True, False, "e", "z", "right", "1 0", b"b", 10**5000, 10**400, 1j, object(), Hostile()),
    *({"b": 1}, [["b"]], [Hostile()], np.array([1, 2]), print, float("nan"), "1.234,5", "nan"),
    *("inf", "1_000", "\u0663", "x" * 100_000, "--1"),
]
NO_CHOICE = [0, 5, -1, 2.0, "0", "aa", ["b", "z"], [True]]


@pytest.mark.parametrize(
    ("quiz", "answer"),
    [
        *((quiz, answer) for quiz in (AXIS, UNITS, WIDTH) for answer in UNREADABLE),
        *((quiz, answer) for quiz in (AXIS, UNITS) for answer in NO_CHOICE),
        *((AXIS, answer) for answer in (["a", "b"], {1, 2, 3}, ("b", "c"))),
        *((WIDTH, answer) for answer in ([182.0], "182 km", "1,2,3")),
    ],
    ids=lambda value: getattr(value, "id", type(value).__name__),
)
def test_answer_that_means_nothing_gets_words_and_is_not_judged(quiz, answer):
    outcome = check_quiz(quiz, answer, data)

    assert not outcome.is_correct
    assert not outcome.is_our_fault
    assert 0 < len(outcome.message) < 300
    feedback = {INCOMPLETE, OTHER_NUMBER, *getattr(quiz, "slips", ())}
    feedback |= {choice.feedback for choice in getattr(quiz, "choices", ())}
    assert not any(judged and judged in outcome.message for judged in feedback)


def test_text_that_means_two_choices_is_asked_for_a_letter():
    quiz = Quiz(
        id="count",
        question="How many?",
        choices=(
            Choice("3", feedback="Too many."),
            Choice("2", is_correct=True),
            Choice("1", feedback="Too few."),
        ),
    )

    assert "more than one" in check_quiz(quiz, 3, data).message
    assert check_quiz(quiz, 2, data).is_correct
    assert check_quiz(quiz, "a", data).message == "Too many."


def broken(_data):
    raise KeyError("affine")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"answer": broken}, "KeyError"),
        ({"slips": {"A slip.": broken}}, "A slip."),
        ({"answer": lambda _: float("nan")}, "finite"),
        ({"slips": {"Same.": lambda _: 181.6}}, "the right answer"),
        ({"slips": {"One.": lambda _: 5, "Two.": lambda _: 5.5}}, "'One.'"),
    ],
)
def test_numbers_that_cannot_be_used_are_our_fault(options, words):
    quiz = make_width(**options)

    outcome = check_quiz(quiz, 182, data)

    assert outcome.is_our_fault
    assert not outcome.is_correct
    assert words in outcome.message
    with pytest.raises(LessonError, match="width"):
        require_key(quiz, data)


RIGHT, WRONG = Choice("yes", is_correct=True), Choice("no", feedback="Think again.")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"choices": (RIGHT,)}, "1 choice"),
        ({"choices": tuple(Choice(f"no. {i}", feedback="x") for i in range(27))}, "27 choice"),
        ({"choices": (WRONG, Choice("nope", feedback="No."))}, "0 correct"),
        ({"choices": (RIGHT, Choice("aye", is_correct=True))}, "2 correct"),
        ({"choices": (WRONG, Choice("nope", feedback="x")), "several": True}, "at least one"),
        ({"choices": (RIGHT, Choice("no"))}, "no feedback"),
        ({"choices": (RIGHT, Choice("no", feedback=" "))}, "no feedback"),
        ({"choices": (RIGHT, Choice("YES ", feedback="x"))}, "told from another"),
        ({"choices": (RIGHT, Choice(" ", feedback="x"))}, "told from another"),
        ({"choices": (RIGHT, Choice("(A)", feedback="x"))}, "told from another"),
        ({"choices": (RIGHT, WRONG), "id": "No spaces"}, "cannot be the id"),
    ],
)
def test_quiz_that_cannot_be_answered_well_is_refused(options, words):
    with pytest.raises(LessonError, match=words):
        Quiz(**{"id": "q", "question": "Is it?", **options})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"answer": 182.0}, "typed in"),
        ({"slips": {"A slip.": 91}}, "typed in"),
        ({"tolerance": -1}, "tolerance"),
        ({"tolerance": float("nan")}, "tolerance"),
        ({"id": "A"}, "cannot be the id"),
    ],
)
def test_numeric_quiz_that_cannot_be_answered_well_is_refused(options, words):
    with pytest.raises(LessonError, match=words):
        make_width(**options)
