"""Regional signals against numpy and nilearn, for labels of every kind."""

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from nilearn.maskers import NiftiLabelsMasker
from numpy.testing import assert_allclose, assert_array_equal

from neuroprimer.imaging import (
    BrainData,
    GridMismatchError,
    MaskError,
    NotANumberError,
    RegionError,
    mean_signal,
    region_signals,
    require_mask,
)

AFFINE = np.diag([-2.0, 2, 3, 1])
SHAPE = (3, 4, 5)
RUN = np.random.default_rng(0).normal(100, 20, (*SHAPE, 6))


def image_of(values, affine=AFFINE):
    return nib.Nifti1Image(np.asarray(values), affine)


@given(
    labels=hnp.arrays(np.int16, SHAPE, elements=st.sampled_from([0, 1, 7, 300, -2])).filter(np.any),
    order=st.sampled_from("CF"),
)
def test_signal_of_each_label_is_the_mean_over_its_voxels(labels, order):
    signals = region_signals(image_of(np.asarray(RUN, order=order)), image_of(labels))

    found = np.unique(labels[labels != 0])
    assert signals.columns.tolist() == found.tolist()
    for label in found:
        assert_allclose(signals[label], RUN[labels == label].mean(axis=0), rtol=1e-13)


def test_agrees_with_nilearn():
    labels = image_of((np.arange(60).reshape(SHAPE) % 4).astype(np.int16))

    theirs = NiftiLabelsMasker(labels, standardize=None).fit_transform(image_of(RUN))

    assert_allclose(region_signals(image_of(RUN), labels), theirs, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "f4", "f8"])
@pytest.mark.parametrize("shape", [SHAPE, (*SHAPE, 1)])
def test_labels_may_be_of_any_type_that_holds_whole_numbers(dtype, shape):
    labels = np.repeat([0, 2, 9], 20).reshape(shape).astype(dtype)

    assert region_signals(image_of(RUN), image_of(labels)).columns.tolist() == [2, 9]


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.linspace(0, 3, 60).reshape(SHAPE), "58 voxels hold something else.*interpolated"),
        (np.where(np.arange(60) < 2, np.nan, 1).reshape(SHAPE), "2 voxels hold something else"),
        (np.where(np.arange(60) < 3, np.inf, 1).reshape(SHAPE), "3 voxels hold something else"),
        (np.zeros(SHAPE, np.uint8), "zero everywhere"),
        (np.ones((*SHAPE, 2), np.uint8), "three axes"),
        (np.ones((3, 4), np.uint8)[:, :, np.newaxis].repeat(5, axis=2)[..., 0], "three axes"),
    ],
    ids=["interpolated", "nan", "infinite", "empty", "run", "slice"],
)
def test_what_is_no_label_image_is_refused(labels, words):
    run = image_of(RUN if labels.ndim > 2 else RUN[:, :, :1])
    with pytest.raises(RegionError, match=words):
        region_signals(run, image_of(labels))


def test_colours_are_no_labels():
    with pytest.raises(NotANumberError, match="no real numbers"):
        region_signals(
            image_of(RUN), image_of(np.zeros(SHAPE, [("R", "u1"), ("G", "u1"), ("B", "u1")]))
        )


@pytest.fixture
def with_gaps():
    run = RUN.copy()
    run[0, 0, 0, 2] = np.nan
    run[0, 0, 1, 2] = -np.inf
    run[2, ..., 4] = np.nan
    return run


def test_nan_in_a_region_is_refused_with_the_number_of_images(with_gaps):
    labels = image_of(np.ones(SHAPE, np.uint8))

    with pytest.raises(NotANumberError, match=r"in 2 of 6 images.*nan='omit'"):
        region_signals(image_of(with_gaps), labels)


def test_infinity_and_its_opposite_are_noticed_together():
    run = RUN.copy()
    run[0, 0, :2, 3] = np.inf, -np.inf

    with pytest.raises(NotANumberError, match="in 1 of 6 images"):
        region_signals(image_of(run), image_of(np.ones(SHAPE, np.uint8)))


def test_nan_is_left_out_where_it_stands_in_each_region(with_gaps):
    labels = np.repeat([1, 2, 3], 20).reshape(SHAPE)

    signals = region_signals(image_of(with_gaps), image_of(labels.astype(np.uint8)), nan="omit")

    gaps = np.where(np.isfinite(with_gaps), with_gaps, np.nan)
    for label in (1, 2):
        assert_allclose(signals[label], np.nanmean(gaps[labels == label], axis=0), rtol=1e-13)
    # of a region without any number, there is no mean
    assert np.isnan(signals[3]).tolist() == [False] * 4 + [True, False]


def test_nan_counts_as_zero_if_that_is_asked_for(with_gaps):
    labels = np.repeat([1, 2, 3], 20).reshape(SHAPE)

    signals = region_signals(image_of(with_gaps), image_of(labels.astype(np.uint8)), nan="zero")

    filled = np.where(np.isfinite(with_gaps), with_gaps, 0)
    for label in (1, 2, 3):
        assert_allclose(signals[label], filled[labels == label].mean(axis=0), rtol=1e-13)


def test_mask_gives_one_signal():
    inside = np.arange(60).reshape(SHAPE) % 3 == 0
    mask = image_of(inside.astype(np.uint8))

    for given_as in (mask, require_mask(mask)):
        signal = mean_signal(image_of(RUN), given_as)
        assert signal.shape == (6,)
        assert_allclose(signal, RUN[inside].mean(axis=0), rtol=1e-13)


def test_single_volume_has_a_signal_of_one_number():
    assert mean_signal(image_of(RUN[..., 0])).shape == (1,)


INNER = image_of((np.arange(60).reshape(SHAPE) < 30).astype(np.uint8))


def test_only_voxels_of_the_table_are_looked_at():
    wide = image_of((np.arange(60).reshape(SHAPE) >= 20).astype(np.uint8))

    signal = mean_signal(BrainData(image_of(RUN), INNER), wide)

    assert_allclose(signal, RUN.reshape(60, 6)[20:30].mean(axis=0), rtol=1e-13)


def test_mask_beside_that_of_the_table_is_refused():
    outside = image_of((np.arange(60).reshape(SHAPE) >= 30).astype(np.uint8))

    with pytest.raises(MaskError, match=r"Mask of 30 voxels.*lies outside the mask of the images"):
        mean_signal(BrainData(image_of(RUN), INNER), outside)


def test_label_beside_the_mask_of_the_table_is_named():
    labels = image_of(np.repeat([1, 2, 5], 20).reshape(SHAPE).astype(np.uint8))

    with pytest.raises(RegionError, match="No voxel looked at has the label 5"):
        region_signals(BrainData(image_of(RUN), INNER), labels)


@pytest.mark.parametrize(
    ("call", "words"),
    [(mean_signal, "apply the mask"), (region_signals, "use the labels")],
)
def test_another_grid_names_both_and_the_way_out(call, words):
    elsewhere = image_of(np.ones(SHAPE, np.uint8), np.eye(4))

    words += ".*voxels 1 x 1 x 1 mm.*voxels 2 x 2 x 3 mm.*resample_to"
    with pytest.raises(GridMismatchError, match=words):
        call(image_of(RUN), elsewhere)


def test_means_are_taken_in_float64():
    run = np.full((*SHAPE, 2), 16777216, np.float32)
    run[0, 0, 0] += 2

    signal = region_signals(image_of(run), image_of(np.ones(SHAPE, np.uint8)))[1]

    assert_array_equal(signal, 16777216 + 2 / 60)
