"""What authors write at golden cells, and what cannot be."""

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from neuroprimer.teaching.golden.marks import Mark, Tolerance, read_marks


def notebook(*metadata):
    return new_notebook(cells=[new_code_cell("1", metadata=one) for one in metadata])


def golden(**said):
    return {"tags": ["golden"], "golden": said}


def test_golden_cell_is_called_what_it_says_or_by_its_place_among_golden_cells():
    marks, faults = read_marks(notebook({}, {"tags": ["golden"]}, {}, golden(name="mean-signal")))

    assert marks == (Mark(cell=2, name="1"), Mark(cell=4, name="mean-signal"))
    assert faults == ()


def test_tolerances_are_those_of_the_cell():
    (mark,), _ = read_marks(notebook(golden(rtol="1e-3", atol=2, pixels=0)))

    assert mark.tolerance == Tolerance(rtol=1e-3, atol=2, pixels=0, is_chosen=True)


def test_tolerance_for_pixels_leaves_whole_numbers_exact():
    (mark,), _ = read_marks(notebook(golden(pixels=30)))

    assert not mark.tolerance.is_chosen


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"golden": {"name": "a"}}, "not the tag"),
        ({"tags": ["golden"], "golden": "mean"}, "should hold 'name: value' pairs"),
        (golden(tolerance=1), "knows nothing of 'tolerance'"),
        (golden(name="Mean signal"), "small letters"),
        (golden(name=3), "small letters"),
        (golden(name=None), "small letters"),
        (golden(rtol=-1), "rtol should be a number from 0, but it is -1"),
        (golden(atol="much"), "atol should be a number"),
        (golden(pixels=float("nan")), "pixels should be a number"),
        (golden(rtol=True), "rtol should be a number"),
    ],
)
def test_what_cannot_be_is_said(metadata, words):
    marks, (fault,) = read_marks(notebook({}, metadata))

    assert fault.cell == 2
    assert words in fault.message
    assert marks == ()


def test_two_cells_cannot_have_one_name():
    marks, (fault,) = read_marks(notebook(golden(name="a"), golden(name="a")))

    assert (fault.cell, fault.message) == (2, "code cell 1 is called 'a', too.")
    assert [mark.cell for mark in marks] == [1]
