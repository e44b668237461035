"""Annotations: tables that follow their images, and indices that mean what numpy means."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from neuroprimer.imaging import BrainDataError, BrainDataIndexError
from neuroprimer.imaging.tables.annotations import (
    append_tables,
    find_rows,
    find_step,
    make_table,
)

whole = st.integers(-12, 12)
slices = st.builds(slice, *[st.none() | whole] * 2, st.none() | whole.filter(bool))


@given(n_images=st.integers(0, 9), data=st.data())
def test_index_means_what_it_means_to_numpy(n_images, data):
    indices = [slices, st.lists(st.booleans(), min_size=n_images, max_size=n_images)]
    if n_images:
        inside = st.integers(-n_images, n_images - 1)
        indices += [inside, st.lists(inside, min_size=1), inside.map(np.int16)]
    index = data.draw(st.one_of(indices))
    images = np.arange(n_images)
    meant = np.array(index, bool) if isinstance(index, list) and not index else index

    assert_array_equal(images[find_rows(index, n_images)], np.atleast_1d(images[meant]))


@pytest.mark.parametrize(
    "index",
    [
        pd.Series([True, False, True], index=[7, 8, 9]),
        pd.Series([True, False, True], dtype="boolean"),
        pd.Series([0, 2], dtype="Int64"),
        pd.Index([0, 2]),
        pd.DataFrame({"level": list("aba")})["level"] == "a",
    ],
    ids=["bool", "nullable bool", "nullable int", "index", "comparison"],
)
def test_columns_of_pandas_choose_by_place(index):
    assert find_rows(index, 3).tolist() == [0, 2]


def test_empty_list_chooses_no_image():
    assert find_rows([], 3).tolist() == []


@pytest.mark.parametrize("index", [1, -2, [1], np.array([1]), slice(1, 2), np.uint8(1)])
def test_single_image_is_a_slice_so_that_nothing_is_copied(index):
    assert isinstance(find_rows(index, 3), slice)


@pytest.mark.parametrize(
    ("index", "words"),
    [
        (3, "out of bounds"),
        (-4, "out of bounds"),
        ([0, 3], "out of bounds"),
        ([True, False], "2 truth values for 3 images"),
        (np.array([], bool), "0 truth values for 3 images"),
        ("level", "whole numbers or truth values"),
        (1.0, "whole numbers or truth values"),
        (None, "whole numbers or truth values"),
        (..., "whole numbers or truth values"),
        ((0, 1), "one whole number, a slice, or a list"),
        (np.ones((3, 1), bool), "one whole number, a slice, or a list"),
        ([[0], [1, 2]], "inhomogeneous"),
        (iter([0, 1]), "whole numbers or truth values"),
        (slice("a", None), "slice indices"),
        (slice(None, None, 0), "zero"),
        (pd.Series([True, None, True], dtype="boolean"), "whole numbers or truth values"),
    ],
)
def test_index_of_another_kind_is_refused_with_the_number_of_images(index, words):
    with pytest.raises(BrainDataIndexError, match=f"(?s){words}.*There are 3, numbered from 0"):
        find_rows(index, 3)


def test_error_is_one_that_a_loop_ends_with():
    with pytest.raises(IndexError):
        find_rows(1, 1)


@pytest.mark.parametrize(
    ("rows", "step"),
    [
        (slice(None), 1),
        (slice(2, 8, 3), 3),
        (slice(None, None, -2), 2),
        (np.array([1, 4, 7]), 3),
        (np.array([7, 4, 1]), 3),
        (np.array([1, 2, 4]), None),
        (np.array([1, 1, 1]), None),
        (np.array([5]), 1),
        (slice(3, 3), 1),
    ],
)
def test_step_is_the_distance_of_images_if_it_is_the_same_throughout(rows, step):
    assert find_step(rows, 9) == step


FORMS = {
    "frame": pd.DataFrame({"a": [1, 2, 3]}),
    "series": pd.Series([1, 2, 3], name="a"),
    "dict": {"a": [1, 2, 3]},
    "rows": [{"a": 1}, {"a": 2}, {"a": 3}],
    "vector": np.array([1, 2, 3]),
    "column": np.array([[1], [2], [3]]),
    "words": ["x", "y", "z"],
    "range": range(3),
}


@pytest.mark.parametrize("form", FORMS)
def test_table_is_made_from_every_form_and_copied(form):
    table = make_table(FORMS[form], 3, "X")

    assert table.shape == (3, 1)
    assert table is not FORMS[form]


def test_table_of_the_caller_is_not_reached_by_changes():
    table = pd.DataFrame({"a": [1, 2, 3]})

    made = make_table(table, 3, "X")
    made.loc[0, "a"] = 9

    assert table["a"].tolist() == [1, 2, 3]


def test_no_table_has_a_row_for_each_image_and_no_column():
    assert make_table(None, 3, "X").shape == (3, 0)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ([1, 2], "X needs a row for each of 3 images, but has 2"),
        ({"a": 1}, "X cannot be made into a table from a dict"),
        ({"a": [1, 2, 3], "b": [1]}, "X cannot be made into a table from a dict"),
        (np.ones((3, 2, 2)), "X cannot be made into a table from a ndarray"),
        (5, "X cannot be made into a table from a int"),
    ],
)
def test_what_is_no_table_is_refused(table, words):
    with pytest.raises(BrainDataError, match=words):
        make_table(table, 3, "X")


@given(lengths=st.lists(st.integers(0, 4), min_size=1, max_size=4))
def test_appended_tables_keep_their_rows_and_get_new_numbers(lengths):
    tables = [
        pd.DataFrame({"a": np.arange(length) + 10 * n, "b": ["x"] * length})
        for n, length in enumerate(lengths)
    ]

    longer = append_tables(tables, "X")

    assert longer["a"].tolist() == [value for table in tables for value in table["a"]]
    assert longer.index.tolist() == list(range(sum(lengths)))


@pytest.mark.parametrize(
    "other", [pd.DataFrame({"b": [1]}), pd.DataFrame(index=[0]), pd.DataFrame({"a": [1], "b": [2]})]
)
def test_tables_with_other_columns_are_not_appended(other):
    with pytest.raises(BrainDataError, match=r"Y has the columns \['a'\] on one side"):
        append_tables([pd.DataFrame({"a": [1]}), other], "Y")


def test_odd_names_of_columns_are_names():
    odd = pd.DataFrame([[1, 2, 3]], columns=[None, ("a", 1), np.nan])

    assert len(append_tables([odd, odd.copy()], "X")) == 2
