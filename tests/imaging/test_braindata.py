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
    ("index", "tr_s"), [(slice(None, None, 2), 4), ([0, 3], 6), ([0, 1, 3], None), (0, None)]
)
def test_time_between_images_follows_the_choice(index, tr_s):
    assert make_data()[index].tr_s in (tr_s, 2 if tr_s is None and index == 0 else tr_s)


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


def test_pipe_calls_a_function_with_the_images_first():
    assert (
        make_data().pipe(lambda data, add, factor=1: (len(data) + add) * factor, 1, factor=2) == 14
    )


@pytest.mark.parametrize(("n_images", "n_rows"), [(1, 1), (3, 3), (12, 5)])
def test_plot_returns_a_figure_with_a_row_for_each_image(n_images, n_rows):
    import matplotlib.pyplot as plt

    figure = BrainData(make_maps(n_images)).plot(n_slices=3)

    pictures = [axes for axes in figure.axes if axes.images and axes.get_label() != "<colorbar>"]
    assert len(pictures) == 3 * n_rows
    assert plt.get_fignums() == []


def test_iplot_returns_a_viewer():
    assert "<html" in BrainData(make_maps(2)).iplot().get_standalone().lower()
