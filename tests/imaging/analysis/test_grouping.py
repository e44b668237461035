"""Grouping against pandas, nltools 0.5.1, and its own laws."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from neuroprimer.imaging.analysis.grouping import groupby, require_column, transform_pairwise
from neuroprimer.imaging.braindata import BrainData, BrainDataError
from neuroprimer.imaging.phantoms import make_labels, make_maps
from neuroprimer.imaging.tables.moments import StatisticError

ORACLE = np.load(Path(__file__).parents[1] / "oracles" / "nltools_0_5_1.npz", allow_pickle=False)
PAIN = ["low", "middle", "high"] * 2


@pytest.fixture
def maps() -> BrainData:
    return BrainData(
        make_maps(6), X={"pain": PAIN, "subject": list("aaabbb")}, Y={"rating": [1, 5, 9, 2, 5, 7]}
    )


# groupby


def test_groups_hold_the_images_of_each_value_in_order(maps):
    groups = groupby(maps, "pain")

    assert list(groups) == ["low", "middle", "high"]
    assert_array_equal(groups["middle"].data, maps.data[[1, 4]])
    assert groups["high"].X["subject"].tolist() == ["a", "b"]
    assert groups["high"].Y["rating"].tolist() == [9, 7]


@given(keys=st.lists(st.sampled_from([3, 1, 2]), min_size=6, max_size=6))
@settings(deadline=None)
def test_group_means_are_those_of_pandas(keys):
    maps = BrainData(make_maps(6, shape=(8, 8, 8), voxel_mm=20))

    groups = groupby(maps, keys)

    expected = pd.DataFrame(maps.data.astype(np.float64)).groupby(np.array(keys)).mean()
    assert sum(map(len, groups.values())) == 6
    for key, group in groups.items():
        assert_allclose(group.mean().data[0], expected.loc[key], rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "by",
    [PAIN, tuple(PAIN), np.array(PAIN), pd.Series(PAIN), pd.Series(PAIN, index=range(6, 0, -1))],
)
def test_values_are_taken_by_their_order(maps, by):
    assert_array_equal(groupby(maps, by)["low"].data, maps.data[[0, 3]])


def test_images_are_grouped_by_a_category_a_truth_value_and_a_numbered_column(maps):
    maps.Y = [[True], [False], [True], [True], [False], [False]]

    assert list(groupby(maps, 0)) == [True, False]
    assert list(groupby(maps, pd.Categorical(PAIN))) == ["low", "middle", "high"]


def test_images_of_a_slice_are_grouped_by_its_table(maps):
    assert {key: len(group) for key, group in groupby(maps[2:5], "pain").items()} == {
        "high": 1,
        "low": 1,
        "middle": 1,
    }


def test_column_in_both_tables_will_do_if_it_is_the_same(maps):
    maps.Y = maps.X

    assert list(groupby(maps, "subject")) == ["a", "b"]


def test_column_with_two_meanings_is_refused(maps):
    maps.Y = {"pain": range(6)}

    with pytest.raises(StatisticError, match="'pain' in X and another one in Y"):
        groupby(maps, "pain")


def test_unknown_column_names_those_there_are(maps):
    with pytest.raises(StatisticError, match=r"'Pain'.*one of: pain, subject, rating"):
        groupby(maps, "Pain")


def test_unknown_column_of_empty_tables_says_so():
    with pytest.raises(StatisticError, match="both are empty"):
        groupby(BrainData(make_maps(2)), "pain")


def test_missing_values_are_refused_not_dropped(maps):
    with pytest.raises(StatisticError, match="2 of 6 images have no value"):
        groupby(maps, [1, None, 2, np.nan, 1, 1])


@pytest.mark.parametrize(
    ("by", "found"),
    [
        ([1, 2], "a list of 2"),
        (np.zeros((6, 2)), "a ndarray"),
        ([[1, 2]] * 6, "a list of 6"),
        (make_labels(), "a Nifti1Image"),
        (pd.DataFrame({"a": range(6)}), "a DataFrame"),
        ({1, 2}, "a set"),
        (None, "a NoneType"),
        (2.5, "a float"),
    ],
)
def test_what_is_not_one_value_for_each_image_is_refused(maps, by, found):
    with pytest.raises(StatisticError, match=f"{found}.*split_regions"):
        groupby(maps, by)


def test_braindata_is_no_list_of_values(maps):
    with pytest.raises(StatisticError, match="one value for each of 6 images"):
        groupby(maps, maps)


# transform_pairwise


def test_pairs_are_those_of_nltools():
    image = nib.Nifti1Image(ORACLE["input/image"][..., :4], ORACLE["input/affine"])
    mask = nib.Nifti1Image(ORACLE["input/mask"], ORACLE["input/affine"])
    data = BrainData(image, mask, Y={"target": ORACLE["input/target"][:4]})

    pairs = transform_pairwise(data)

    assert_array_equal(pairs.data, ORACLE["transform_pairwise/X"])
    assert_array_equal(pairs.Y["target"], ORACLE["transform_pairwise/Y"])


@given(ratings=st.lists(st.integers(0, 4), min_size=6, max_size=6).filter(lambda r: len({*r}) > 1))
@settings(deadline=None)
def test_each_pair_is_a_difference_with_its_sign(ratings):
    maps = BrainData(make_maps(6, shape=(8, 8, 8), voxel_mm=20))

    pairs = transform_pairwise(maps, target=ratings)

    n_ties = sum(ratings[i] == ratings[j] for i in range(6) for j in range(i))
    assert len(pairs) == 15 - n_ties
    assert abs(pairs.Y["target"].sum()) == len(pairs) % 2
    table = pairs.X.assign(sign=pairs.Y["target"])
    for difference, (one, other, sign) in zip(pairs.data, table.to_numpy(), strict=True):
        assert_array_equal(difference, maps.data[one] - maps.data[other])
        assert sign == np.sign(ratings[one] - ratings[other])


def test_pairs_are_made_within_groups(maps):
    pairs = transform_pairwise(maps, target="rating", group="subject")

    assert len(pairs) == 6
    assert pairs.X["subject"].tolist() == list("aaabbb")
    subject = maps.X["subject"]
    for end in ("minuend", "subtrahend"):
        assert subject[pairs.X[end]].tolist() == pairs.X["subject"].tolist()


def test_groups_without_a_name_are_called_group(maps):
    pairs = transform_pairwise(maps, target=[1, 2, 3, 4, 5, 6], group=[1, 1, 1, 1, 2, 2])

    assert pairs.X["group"].tolist() == [1] * 6 + [2]
    assert pairs.Y.columns.tolist() == ["target"]


def test_weights_of_a_ranking_separate_the_pairs():
    maps = BrainData(make_maps(8, effect=3 * np.arange(8)), Y={"pain": range(8)})

    pairs = transform_pairwise(maps)

    spot = make_labels((20, 24, 20), voxel_mm=8).get_fdata()[maps.mask.get_fdata() == 1] == 4
    assert_array_equal(np.sign(pairs.data @ spot), pairs.Y["pain"])


def test_pairs_keep_the_type_of_the_numbers_and_lose_the_repetition_time():
    maps = BrainData(make_maps(2), tr_s=2, Y=[0, 1])

    assert transform_pairwise(maps).data.dtype == np.float32
    assert transform_pairwise(maps).tr_s is None


def test_target_must_be_chosen_if_there_are_several(maps):
    with pytest.raises(StatisticError, match="Y has 0 columns"):
        transform_pairwise(BrainData(make_maps(2)))
    maps.Y = {"a": range(6), "b": range(6)}
    with pytest.raises(StatisticError, match="Y has 2 columns"):
        transform_pairwise(maps)


def test_target_must_be_numbers(maps):
    with pytest.raises(StatisticError, match="ranked by numbers"):
        transform_pairwise(maps, target="pain")


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"target": [1] * 6}, r"differs\. "),
        ({"target": [1, 1, 1, 2, 2, 2], "group": "subject"}, "differs within a group"),
    ],
)
def test_target_that_does_not_vary_is_refused(maps, options, where):
    with pytest.raises(StatisticError, match=where):
        transform_pairwise(maps, **options)


@pytest.mark.parametrize("function", [lambda image: groupby(image, "pain"), transform_pairwise])
def test_image_in_place_of_braindata_is_refused(function):
    with pytest.raises(BrainDataError, match="expected BrainData"):
        function(make_maps(1)[0])


def test_column_of_values_is_numbered_from_zero(maps):
    assert require_column(maps, pd.Series(PAIN, index=range(6, 0, -1))).index.tolist() == [
        0,
        1,
        2,
        3,
        4,
        5,
    ]
