"""The lesson on other tools says what its cells show, and what holds for the tools."""

import numpy as np
import pytest

import neuroprimer
from neuroprimer.imaging import BrainData, brain_mask, load_image
from neuroprimer.teaching.notebooks import code_cells, read_notebook
from neuroprimer_lessons.where_next.exercises import LISTING, LONG_NAME, entities_of


@pytest.fixture(scope="module")
def lesson():
    return neuroprimer.lesson("where-next")


@pytest.fixture(scope="module")
def code(lesson):
    return [cell.source for _, cell in code_cells(read_notebook(lesson.lesson.path))]


def test_number_of_columns_in_the_prose(lesson):
    run = load_image(lesson.data("example4d"))

    n_voxels = np.count_nonzero(brain_mask(run).dataobj)

    assert BrainData(run, brain_mask(run)).shape == (2, n_voxels)
    assert f"{n_voxels:,} columns" in lesson.lesson.path.read_text(encoding="utf-8")


def test_exercises_ask_about_the_files_that_the_page_lists(code):
    (cell,) = [source for source in code if source.startswith("listing = ")]
    on_the_page = cell.split('"""')[1].split()

    assert tuple(on_the_page) == LISTING


def test_exercises_ask_about_the_name_on_the_page(code):
    (cell,) = [source for source in code if source.startswith("long_name = ")]
    namespace = {}

    exec(cell.split("### BEGIN")[0], namespace)  # noqa: S102  # the lesson's own line

    assert namespace["long_name"] == LONG_NAME


# As the specification orders the keys that the lesson uses.
ORDER = ("sub", "ses", "task", "acq", "run", "space", "res", "desc")


@pytest.mark.parametrize("name", [LONG_NAME, *LISTING])
def test_names_keep_the_order_of_bids(name):
    keys = list(entities_of(name))

    assert keys == [key for key in ORDER if key in keys]
