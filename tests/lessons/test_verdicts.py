"""What the checks of the built-in lessons say of an answer that is not right."""

import numpy as np
import pytest

from neuroprimer.teaching import Incorrect
from neuroprimer_lessons.verdicts import require_no_fault

KNOWN = {"That is one voxel.": (2, 2, 3.3), "That is another.": [[1, 2], [3, 4]]}


def test_answer_without_a_fault_passes_even_if_it_is_a_known_slip():
    require_no_fault("", (2, 2, 3.3), KNOWN)


@pytest.mark.parametrize(
    "answer", [(2, 2, 3.3), [2, 2, 3.3], np.array([2, 2, 3.3], dtype=np.float32)]
)
def test_known_slip_is_told_so_whatever_holds_it(answer):
    with pytest.raises(Incorrect, match="That is one voxel"):
        require_no_fault("It is too small.", answer, KNOWN)


@pytest.mark.parametrize(
    "answer",
    [(2, 2, 3.4), (2, 2), 2, None, "two", {"i": 2}, [[2], [2, 3]], object(), np.ones(3) * 1j],
)
def test_other_answers_are_told_what_was_found(answer):
    with pytest.raises(Incorrect, match="It is too small"):
        require_no_fault("It is too small.", answer, KNOWN)
