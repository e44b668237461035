"""Hints and feedback that tell the answer, and those that do not."""

import numpy as np
import pytest

from neuroprimer.teaching.exercises.giveaways import find_giveaways
from neuroprimer.teaching.exercises.model import Exercise, WrongAnswer


def giveaways(hint, answer, solution="x = f(y)", feedback="No."):
    exercise = Exercise(
        id="one",
        prompt="?",
        check=print,
        hints=(hint,),
        wrong_answers=(WrongAnswer(code="x = 1", message=feedback),),
    )
    return find_giveaways(exercise, solution, answer)


@pytest.mark.parametrize(
    ("hint", "answer"),
    [
        ("It is 2.25 s.", 2.25),
        ("About 3.58 mm.", 3.5777),
        ("There are 902,629 of them.", 902629),
        ("There are 902629 of them.", np.int64(902629)),
        ("Look at 98, 134, 72.", (98, 134, 72)),
        ("Look at [98 134 72].", np.array([98.0, 134, 72])),
        ("The second row is 0, 1, 0, -134.", np.array([[1, 0, 0, -98], [0, 1, 0, -134]])),
        ("It is the amygdala.", "amygdala"),
    ],
)
def test_hint_that_holds_the_answer_is_found(hint, answer):
    (fault,) = giveaways(hint, answer)

    assert fault.startswith("hint 1 holds the answer")


@pytest.mark.parametrize(
    ("hint", "answer"),
    [
        ("Take 2 of the 3 axes.", 2),
        ("It is above 12.25 and below 2.251.", 2.25),
        ("Version 1.2.25 knows it.", 2.25),
        ("True or false?", True),
        ("Look at 98, then at 134.", (98, 134, 72)),
        ("Zeros: 0, 0, 0.", (0, 0, 0)),
        ("amygdalae", "amygdala"),
        ("nan", float("nan")),
        ("Anything", None),
        ("Anything", np.zeros((50, 50))),
    ],
)
def test_hint_that_does_not_is_left_alone(hint, answer):
    assert giveaways(hint, answer) == []


def test_code_of_the_solution_is_found_however_it_is_spaced():
    code = "inverse = np.linalg.inv( affine )"

    assert giveaways("Try np.linalg.inv(affine).", None, code)
    assert giveaways("Take the inverse of the affine.", None, code) == []
    assert giveaways("Anything", None, "%%bash\nnot python") == []


def test_feedback_is_read_like_hints():
    (fault,) = giveaways("Think.", 2.25, feedback="No, it is 2.25.")

    assert fault == "the feedback 'No, it is 2.25.' holds the answer, '2.25'."
