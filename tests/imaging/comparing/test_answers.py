"""Answers: nothing is read before its shape is known to be right."""

import numpy as np
import pytest

from neuroprimer.imaging import (
    compare_affines,
    compare_coordinates,
    compare_images,
    compare_masks,
    compare_times,
)


class Watched:
    """An object with a shape that remembers whether its numbers were asked for."""

    shape = (7, 11)
    was_read = False

    def __array__(self, *_, **__):
        self.was_read = True
        return np.zeros(self.shape)


@pytest.mark.parametrize(
    ("compare", "expected"),
    [
        (compare_affines, np.eye(4)),
        (compare_coordinates, (1, 2, 3)),
        (compare_coordinates, [(1, 2, 3)]),
        (compare_masks, np.ones((2, 2, 2))),
        (compare_images, np.ones((2, 2, 2))),
        (compare_times, 2.5),
        (compare_times, [2.5, 3]),
    ],
)
def test_answer_of_a_wrong_shape_is_not_read(compare, expected):
    answer = Watched()

    assert "(7, 11)" in compare(answer, expected)
    assert not answer.was_read


def test_masked_numbers_are_no_numbers():
    affine = np.ma.array(np.eye(4), mask=False)
    affine[0, 0] = np.ma.masked

    assert "NaN" in compare_affines(affine, np.eye(4))


def test_list_that_contains_itself_is_not_followed_for_ever(odd_answer):
    assert len(compare_affines(odd_answer, np.eye(4))) < 300
