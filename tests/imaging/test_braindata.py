"""BrainData: a table of images that stays one, whatever is done to it."""

import copy
import pickle

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nilearn.maskers import NiftiMasker
from numpy.testing import assert_allclose, assert_array_equal

from neuroprimer.errors import NeuroprimerError
from neuroprimer.imaging import (
    BrainData,
    BrainDataError,
    BrainDataIndexError,
    GridMismatchError,
    MaskError,
    NoImagesError,
    NotANumberError,
    load_image,
    make_like,
    make_maps,
    make_run,
    repetition_time_s,
    require_mask,
)

AFFINE = np.diag([-3.0, 3, 3, 1])
SHAPE = (4, 5, 3)
INSIDE = np.arange(60).reshape(SHAPE) % 4 == 0
MASK = nib.Nifti1Image(INSIDE.astype(np.uint8), AFFINE)
VOXELS = np.random.default_rng(0).normal(5, 2, (*SHAPE, 6)).astype(np.float32)
ROWS = VOXELS[INSIDE].T
ABOUT = pd.DataFrame({"subject": [1, 1, 2, 2, 3, 3], "level": list("ababab")})


def make_image(voxels=VOXELS):
    return nib.Nifti1Image(voxels, AFFINE)


def make_data(**known):
    return BrainData(
        make_image(), MASK, **{"X": ABOUT, "Y": [0, 1, 0, 1, 0, 1], "tr_s": 2, **known}
    )


def test_public_names_stay_within_the_budget():
    """A new one needs a decision record: analyses are functions."""
    public = {name for name in dir(BrainData) if not name.startswith("_")}

    assert public == {
        *("data", "mask", "grid", "shape", "tr_s", "X", "Y"),
        *("mean", "std", "sum", "median", "min", "max"),
        *("copy", "append", "to_image", "to_nifti", "write", "plot", "iplot", "pipe"),
    }


# ---------------------------------------------------------------- making


def test_rows_are_what_numpy_and_nilearn_cut_out():
    data = BrainData(make_image(), MASK)

    assert_array_equal(data.data, ROWS)
    assert_allclose(data.data, NiftiMasker(MASK, standardize=None).fit_transform(make_image()))


def test_files_images_and_iterators_make_the_same_table(tmp_path):
    paths = [tmp_path / f"{t}.nii.gz" for t in range(6)]
    for t, path in enumerate(paths):
        nib.save(make_image(VOXELS[..., t]), path)
    images = [make_image(VOXELS[..., t]) for t in range(6)]

    for given in (paths, [str(path) for path in paths], images, iter(images), load_image(paths)):
        assert_array_equal(BrainData(given, MASK).data, ROWS)


def test_list_of_images_is_never_laid_end_to_end():
    assert BrainData([make_image(VOXELS[..., t]) for t in range(3)], MASK).shape == (3, 15)


def test_without_a_mask_nothing_is_lost():
    run = make_run(6)

    data = BrainData(run)

    assert_array_equal(data.to_image().get_fdata(), run.get_fdata())
    assert data.tr_s == pytest.approx(repetition_time_s(run))


def test_integers_become_the_narrowest_real_numbers_that_hold_them():
    kinds = {np.int16: np.float32, np.uint8: np.float32, np.int32: np.float64, "f8": np.float64}
    for stored, expected in kinds.items():
        assert BrainData(make_image(VOXELS.astype(stored)), MASK).data.dtype == expected


def test_mixed_types_become_one_that_holds_both():
    images = [make_image(VOXELS[..., 0]), make_image(VOXELS[..., 1].astype(np.float64))]

    data = BrainData(images, MASK)

    assert data.data.dtype == np.float64
    assert_array_equal(data.data, ROWS[:2])


def test_progress_is_told():
    seen = []

    BrainData([make_image()] * 3, MASK, progress=lambda done, total: seen.append((done, total)))

    assert seen == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    "known",
    [ABOUT, ABOUT["level"], {"a": range(6)}, np.arange(6), np.ones((6, 2)), list(range(6))],
    ids=["frame", "series", "dict", "vector", "matrix", "list"],
)
def test_tables_come_in_many_forms(known):
    assert make_data(X=known).X.shape[0] == 6


BAD = VOXELS.copy()
BAD[0, 0, 0, 2] = np.nan


def test_nan_is_refused_left_out_or_zero():
    with pytest.raises(NotANumberError, match=r"1 of 90.*nan='omit'"):
        BrainData(make_image(BAD), MASK)

    left = BrainData(make_image(BAD), MASK, nan="omit")
    zeroed = BrainData(make_image(BAD), MASK, nan="zero")

    assert left.shape == (6, 14)
    assert not np.asarray(left.mask.dataobj)[0, 0, 0]
    assert_array_equal(left.data, ROWS[:, 1:])
    assert zeroed.data[2, 0] == 0


def test_masked_numbers_of_numpy_are_none():
    masked = np.ma.masked_array(ROWS, mask=ROWS < 2)

    with pytest.raises(NotANumberError, match=f"{np.count_nonzero(ROWS < 2)} of 90"):
        BrainData(masked, MASK)
    assert_array_equal(BrainData(masked, MASK, nan="zero").data, np.where(ROWS < 2, 0, ROWS))


def test_nan_that_came_of_counting_can_be_settled_later():
    with np.errstate(all="ignore"):
        data = make_data() / np.array([1, 1, 0, 1, 1, 1])

    again = BrainData(data, nan="zero")

    assert_array_equal(again.data[2], 0)
    assert list(again.X.columns) == ["subject", "level"]
    assert again.tr_s == 2
    assert np.isinf(data.data[2]).all()


def test_array_of_the_caller_is_neither_changed_nor_locked():
    values = ROWS.copy()
    values[2, 0] = np.nan

    zeroed = BrainData(values, MASK, nan="zero")
    values[0, 1] = 7

    assert np.isnan(values[2, 0])
    assert zeroed.data[0, 1] == ROWS[0, 1]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: BrainData([]), NoImagesError, "empty"),
        (lambda: BrainData(make_image(np.zeros((*SHAPE, 2)))), MaskError, "zero everywhere"),
        (lambda: BrainData(ROWS), BrainDataError, "Pass the mask"),
        (lambda: BrainData(ROWS[:, :3], MASK), BrainDataError, r"\(n_images, 15\)"),
        (lambda: BrainData(ROWS[0], MASK), BrainDataError, "numpy.newaxis"),
        (lambda: BrainData(make_run(2), MASK), GridMismatchError, "resample_to"),
        (lambda: BrainData([make_data(), make_image()]), BrainDataError, "into one table"),
        (lambda: make_data(X=ABOUT[:4]), BrainDataError, "6 images, but has 4"),
        (lambda: make_data(Y=object()), BrainDataError, "cannot be made into a table"),
        (lambda: make_data(tr_s=0), BrainDataError, "0 is no time"),
        (lambda: make_data(tr_s="two"), BrainDataError, "'two' is no time"),
        (lambda: make_like(make_data(), ROWS[:3]), BrainDataError, "3 images, but has 6"),
    ],
)
def test_what_makes_no_table_is_refused_in_words(call, error, words):
    with pytest.raises(error, match=words):
        call()


# ---------------------------------------------------------------- choosing


@pytest.mark.parametrize(
    ("index", "rows"),
    [
        (2, [2]),
        (-1, [5]),
        (np.int64(3), [3]),
        (slice(1, 4), [1, 2, 3]),
        (slice(None, None, -2), [5, 3, 1]),
        ([4, 0], [4, 0]),
        (np.array([1, 1, 5]), [1, 1, 5]),
        (ABOUT["level"] == "b", [1, 3, 5]),
        ([True, False, False, True, False, False], [0, 3]),
        ([], []),
    ],
)
def test_index_chooses_images_and_what_is_known_of_them(index, rows):
    data = make_data()

    chosen = data[index]

    assert_array_equal(chosen.data, ROWS[rows])
    assert chosen.data.ndim == 2
    assert_array_equal(chosen.X["subject"], ABOUT["subject"].iloc[rows])
    assert len(chosen.Y) == len(chosen) == len(rows)


@pytest.mark.parametrize("index", [6, -7, (0, 1), [True], "level", 1.5, [[0]], None])
def test_image_that_is_not_there_is_said_to_be_missing(index):
    with pytest.raises(BrainDataIndexError, match="There are 6, numbered from 0"):
        make_data()[index]


def test_slices_share_the_numbers_and_cannot_change_them():
    data = make_data()

    assert np.shares_memory(data[1:4].data, data.data)
    assert np.shares_memory(data[2].data, data.data)
    with pytest.raises(ValueError, match="read-only"):
        data[1:4].data[0, 0] = 1


def test_single_image_is_a_table_of_one():
    single = make_data()[0]

    assert len(single) == 1
    assert [each.shape for each in single] == [(1, 15)]
    assert single.mean("voxels").shape == (1,)


def test_iteration_gives_each_image_with_what_is_known_of_it():
    for t, image in enumerate(make_data()):
        assert_array_equal(image.data[0], ROWS[t])
        assert image.X["subject"].item() == ABOUT["subject"][t]


@pytest.mark.parametrize(
    ("index", "tr_s"),
    [
        (slice(2, None), 2),
        (slice(None, None, 2), 4),
        (slice(None, None, -1), 2),
        ([0, 3], 6),
        ([0, 1, 3], None),
        (ABOUT["level"] == "b", 4),
        (0, 2),
        ([], 2),
    ],
)
def test_time_between_images_follows_the_choice(index, tr_s):
    assert make_data()[index].tr_s == tr_s
    assert make_data(tr_s=None)[index].tr_s is None


def test_images_put_together_again_are_a_series_as_before():
    data = make_data()

    again = BrainData(list(data))

    assert again.tr_s == data.tr_s
    assert_array_equal(again.data, data.data)
    pd.testing.assert_frame_equal(again.X, data.X)


def test_summary_of_images_is_no_series_in_time():
    data = make_data()

    assert data.mean().tr_s is data.max().tr_s is None
    assert (data - data.mean()).tr_s == data.copy().tr_s == 2


def test_times_that_headers_have_rounded_are_the_same():
    one, other = make_data(tr_s=2.2), make_data(tr_s=float(np.float32(2.2)))

    assert one.append(other).tr_s == 2.2


def test_time_can_be_set_and_taken_away():
    data = make_data()
    data.tr_s = 1.5
    faster = data.tr_s
    data.tr_s = None

    assert (faster, data.tr_s) == (1.5, None)


# ---------------------------------------------------------------- counting


@pytest.mark.parametrize("other", [3, 2.5, np.float32(2), np.arange(1, 7), list(range(1, 7))])
def test_operators_do_what_numpy_does_with_one_number_for_each_image(other):
    data = make_data()
    column = np.asarray(other, np.float64)
    column = column[:, np.newaxis] if column.ndim else column
    rows = ROWS.astype(np.float64)

    assert_allclose((data + other).data, rows + column, rtol=1e-6)
    assert_allclose((other + data).data, rows + column, rtol=1e-6)
    assert_allclose((data - other).data, rows - column, rtol=1e-5, atol=1e-6)
    assert_allclose((other - data).data, column - rows, rtol=1e-5, atol=1e-6)
    assert_allclose((data * other).data, rows * column, rtol=1e-6)
    assert_allclose((other * data).data, rows * column, rtol=1e-6)
    assert_allclose((data / other).data, rows / column, rtol=1e-6)
    assert_allclose((other / data).data, column / rows, rtol=1e-6)
    assert (data * other).data.dtype == np.float32
    assert (data * other).tr_s == 2
    assert list((data * other).X.columns) == ["subject", "level"]


def test_images_are_combined_with_as_many_or_with_one():
    data = make_data()

    assert_array_equal((data + data).data, 2 * ROWS)
    assert_allclose((data - data[0]).data, ROWS - ROWS[0], rtol=1e-6)
    assert_allclose((data[0] - data).data, ROWS[0] - ROWS, rtol=1e-6)
    assert_array_equal(sum([data, data], 0).data, 2 * ROWS)


@pytest.mark.parametrize("statistic", ["mean", "std", "sum", "median", "min", "max"])
def test_statistics_are_those_of_numpy_in_float64(statistic):
    data, function = make_data(), getattr(np, statistic)

    over_images = getattr(data, statistic)()
    over_voxels = getattr(data, statistic)("voxels")

    assert over_images.shape == (1, 15)
    assert over_images.data.dtype == over_voxels.dtype == np.float64
    assert_allclose(over_images.data[0], function(ROWS.astype(np.float64), axis=0), rtol=1e-12)
    assert_allclose(over_voxels, function(ROWS.astype(np.float64), axis=1), rtol=1e-12)
    assert len(over_images.X.columns) == 0


def test_divisor_of_the_deviation_is_chosen_by_ddof():
    data = make_data()

    assert_allclose(data.std(ddof=1).data[0], ROWS.astype("f8").std(axis=0, ddof=1), rtol=1e-12)
    assert_allclose(data.std("voxels", ddof=1), ROWS.astype("f8").std(axis=1, ddof=1), rtol=1e-12)


def make_other_mask():
    inside = np.roll(INSIDE, 1)
    return nib.Nifti1Image(inside.astype(np.uint8), AFFINE)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda d: d - (1, 2), BrainDataError, "one number for each image"),
        (lambda d: d * np.ones((6, 15)), BrainDataError, r"shape \(6, 15\)"),
        (lambda d: d - ([1], [2, 3]), BrainDataError, "one number for each image"),
        (lambda d: d + "a", NeuroprimerError, "str"),
        (lambda d: d[:2] + d[:3], BrainDataError, "2 images with 3"),
        (lambda d: d + BrainData(make_image(), make_other_mask()), BrainDataError, "masks differ"),
        (lambda d: d.mean(0), BrainDataError, "'images'"),
        (lambda d: d.append(BrainData(make_image(), MASK)), BrainDataError, "columns"),
        (lambda d: d.append(make_data(tr_s=3)), BrainDataError, "every 3 s.*every 2 s"),
        (lambda d: BrainData(d, make_other_mask()), BrainDataError, "are not among"),
    ],
)
def test_what_cannot_be_combined_is_refused_in_words(call, error, words):
    with pytest.raises(error, match=words):
        call(make_data())


def test_other_than_equally_many_voxels_in_other_places_are_the_same_mask():
    one = make_data()
    twin = nib.Nifti1Image(INSIDE.astype(np.float64), AFFINE)

    assert (one + BrainData(make_image(), twin)).shape == (6, 15)
    with pytest.raises(BrainDataError, match="0 in common"):
        one.append(BrainData(make_image(), make_other_mask()))


def test_numbers_of_numpy_and_pandas_may_stand_on_the_left():
    data, weights = make_data(), np.arange(1, 7)
    expected = weights[:, np.newaxis] * ROWS

    for left in (weights, pd.Series(weights, index=list("fedcba")), list(weights)):
        assert isinstance(left * data, BrainData)
        assert_allclose((left * data).data, expected, rtol=1e-6)
    for number in (np.float64(2), np.array(2), np.int8(2), True + True):
        assert_array_equal((number * data).data, 2 * ROWS)
        assert (number * data).data.dtype == np.float32


def test_sum_of_a_list_is_the_sum_of_its_images():
    data = make_data()

    assert_array_equal(sum([data, data, data[:1]]).data, 2 * ROWS + ROWS[:1])


@pytest.mark.parametrize(
    "operation",
    [
        lambda d: -d,
        lambda d: d**2,
        lambda d: abs(d),
        lambda d: d @ d,
        lambda d: d > 0,
        lambda d: d.shape(),
        np.sqrt,
        np.mean,
        lambda d: np.add(np.ones(6), d),
    ],
)
def test_what_is_no_verb_of_a_table_is_a_plain_type_error(operation):
    with pytest.raises(TypeError):
        operation(make_data())


def test_numpy_sees_the_table_of_numbers():
    data = make_data()

    assert np.shares_memory(np.asarray(data), data.data)
    assert np.asarray(data, dtype=np.float64).dtype == np.float64
    assert np.array(data).flags.writeable
    assert_array_equal(np.asarray([data, data]).shape, (2, 6, 15))
    with pytest.raises(ValueError, match="copy"):
        np.asarray(data, dtype=np.float64, copy=False)


def test_equality_asks_for_the_same_object():
    data = make_data()

    assert data == data
    assert data != data.copy()
    assert len({data, data, data.copy()}) == 2


def test_single_image_takes_the_tables_of_those_that_it_is_combined_with():
    data = make_data()
    single = BrainData(make_image(VOXELS[..., 0]), MASK)

    assert (single + data).X.shape == (data + single).X.shape == (6, 2)
    assert (single + data).tr_s == 2


def test_no_images_combined_with_one_are_none():
    data = make_data()

    assert len(data[:0] + data[0]) == len(data[0] + data[:0]) == 0


@pytest.mark.parametrize("other", ["a", make_image(), 3])
def test_only_tables_of_images_are_appended(other):
    with pytest.raises(BrainDataError, match="Make BrainData of the other first"):
        make_data().append(other)


# ---------------------------------------------------------------- taking along


def test_appended_images_follow_with_what_is_known_of_them():
    data = make_data()

    longer = data.append(data[:2])

    assert_array_equal(longer.data, np.vstack([ROWS, ROWS[:2]]))
    assert list(longer.X.index) == list(range(8))
    assert longer.tr_s == 2
    assert_array_equal(BrainData([data, data[:2]]).data, longer.data)


def test_smaller_mask_chooses_voxels():
    smaller = INSIDE.copy()
    smaller[:2] = False

    chosen = BrainData(make_data(), nib.Nifti1Image(smaller.astype(np.uint8), AFFINE))

    assert_array_equal(chosen.data, VOXELS[smaller].T)
    assert list(chosen.X.columns) == ["subject", "level"]


def test_image_and_back_is_the_identity_in_the_mask():
    data = make_data()

    image = data.to_image()

    assert_array_equal(image.get_fdata()[INSIDE].T, ROWS)
    assert_array_equal(image.get_fdata()[~INSIDE], 0)
    assert repetition_time_s(image) == 2
    assert data[0].to_nifti().shape == SHAPE


def test_written_images_are_read_back(tmp_path):
    data = make_data()

    again = BrainData(data.write(tmp_path / "maps.nii.gz"), MASK)

    assert_array_equal(again.data, data.data)
    assert again.tr_s == 2


def through_pickle(data):
    return pickle.loads(pickle.dumps(data))  # noqa: S301 # it was made here


@pytest.mark.parametrize("duplicate", [copy.deepcopy, BrainData.copy, through_pickle])
def test_copies_are_equal_and_share_nothing(duplicate):
    data = make_data()

    twin = duplicate(data)

    assert_array_equal(twin.data, data.data)
    assert not np.shares_memory(twin.data, data.data)
    assert not twin.data.flags.writeable
    pd.testing.assert_frame_equal(twin.X, data.X)
    assert require_mask(twin.mask).n_voxels == 15


def test_column_added_to_a_slice_does_not_reach_the_whole():
    data = make_data()
    part = data[1:4]

    part.X["new"] = 1

    assert "new" not in data.X.columns


@pytest.mark.parametrize(
    "data",
    [
        make_data(),
        make_data()[:0],
        make_data()[0],
        make_data().mean(),
        make_data(X={"a b": list("xyzxyz")}),
    ],
)
def test_repr_never_fails(data):
    assert repr(data).startswith(f"BrainData: {len(data)} image")


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (pd.DataFrame(np.ones((6, 2)), columns=[None, ("a", 1)]), "X: None, ('a', 1)"),
        (pd.DataFrame(np.ones((6, 20))), "X: 0, 1, 2, 3, 4, 5, 6, 7, ..."),
        (None, "float32, one every 2 s, Y: 0\nGrid 4 x 5 x 3"),
    ],
)
def test_repr_names_columns_as_long_as_there_are_few(table, words):
    assert words in repr(make_data(X=table))


def test_pipe_calls_a_function_with_the_images_first():
    assert (
        make_data().pipe(lambda data, add, factor=1: (len(data) + add) * factor, 1, factor=2) == 14
    )


def test_plot_draws_the_images_that_are_asked_for():
    data = BrainData(make_maps(4))

    figure = data.plot(volumes=[3, -4], n_slices=2)

    assert "image 3" in figure.description
    assert "image -4" in figure.description
    with pytest.raises(BrainDataIndexError, match="There are 4"):
        data.plot(volumes=[4])


@pytest.mark.parametrize(("n_images", "n_rows"), [(1, 1), (3, 3), (12, 5)])
def test_plot_returns_a_figure_with_a_row_for_each_image(n_images, n_rows):
    import matplotlib.pyplot as plt

    figure = BrainData(make_maps(n_images)).plot(n_slices=3)

    pictures = [axes for axes in figure.axes if axes.images and axes.get_label() != "<colorbar>"]
    assert len(pictures) == 3 * n_rows
    assert plt.get_fignums() == []


def test_iplot_returns_a_viewer():
    assert "<html" in BrainData(make_maps(2)).iplot().get_standalone().lower()
