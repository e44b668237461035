"""Aggregation against numpy: the same numbers wherever images come from."""

import tracemalloc

import dask.array as da
import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nibabel.testing import data_path
from nilearn.image import math_img, mean_img
from numpy.testing import assert_allclose, assert_array_equal

from neuroprimer.errors import NeuroprimerError
from neuroprimer.imaging import (
    BrainData,
    GridMismatchError,
    MaskError,
    NoImagesError,
    NotANumberError,
    RegionError,
    StatisticError,
    load_image,
    max_image,
    mean_image,
    mean_signal,
    median_image,
    min_image,
    region_signals,
    std_image,
    sum_image,
    summarise_images,
    tsnr_image,
)
from neuroprimer.imaging.tables import medians, readings, sources

AFFINE = np.array([[-2, 0, 0, 9], [0, 2.9, -0.5, -5], [0, 0.4, 3.9, -7], [0, 0, 0, 1.0]])
SHAPE = (5, 4, 3, 17)
VOXELS = np.random.default_rng(0).normal(100, 20, SHAPE).astype(np.float32)
TRUTH = {
    mean_image: VOXELS.mean(axis=3, dtype=np.float64),
    std_image: VOXELS.std(axis=3, dtype=np.float64),
    sum_image: VOXELS.sum(axis=3, dtype=np.float64),
    min_image: VOXELS.min(axis=3),
    max_image: VOXELS.max(axis=3),
    median_image: np.median(VOXELS.astype(np.float64), axis=3),
    tsnr_image: VOXELS.mean(axis=3, dtype=np.float64) / VOXELS.std(axis=3, dtype=np.float64),
}
LABELS = nib.Nifti1Image((np.arange(60).reshape(SHAPE[:3]) % 3).astype(np.int16) * 4, AFFINE)


def make_run(voxels=VOXELS, image_class=nib.Nifti1Image):
    return image_class(voxels, AFFINE)


def save(image, folder, name):
    nib.save(image, folder / name)
    return folder / name


def save_volumes(folder):
    return [save(make_run(VOXELS[..., t]), folder, f"{t:02}.nii.gz") for t in range(SHAPE[3])]


# How the same 17 images can be given, with the options that go with it.
WAYS = {
    "nii": lambda folder: (save(make_run(), folder, "run.nii"), {}),
    "nii.gz": lambda folder: (str(save(make_run(), folder, "run.nii.gz")), {}),
    "nifti2": lambda folder: (save(make_run(image_class=nib.Nifti2Image), folder, "2.nii"), {}),
    "big-endian": lambda _: (make_run(VOXELS.astype(">f4")), {}),
    "C order": lambda _: (make_run(np.ascontiguousarray(VOXELS)), {}),
    "Fortran order": lambda _: (make_run(np.asfortranarray(VOXELS)), {}),
    "paths": lambda folder: (save_volumes(folder), {}),
    "images": lambda _: ([make_run(VOXELS[..., :9]), make_run(VOXELS[..., 9:])], {}),
    "generator": lambda _: ((make_run(VOXELS[..., t]) for t in range(SHAPE[3])), {}),
    "one stacked image": lambda folder: (load_image(save_volumes(folder)), {}),
    "BrainData": lambda _: (BrainData(make_run()), {}),
    "array": lambda _: (VOXELS, {"affine": AFFINE}),
    "dask": lambda _: (da.from_array(VOXELS, chunks=(2, 4, 3, 5)), {"affine": AFFINE}),
    "dask in one chunk": lambda _: (da.from_array(VOXELS, chunks=-1), {"affine": AFFINE}),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("function", TRUTH, ids=lambda function: function.__name__)
def test_numbers_are_the_same_wherever_images_come_from(function, way, tmp_path):
    images, options = WAYS[way](tmp_path)

    image = function(images, **options)

    assert_allclose(np.asarray(image.dataobj), TRUTH[function], rtol=1e-12)
    assert_allclose(image.affine, AFFINE, atol=1e-6)
    assert image.get_data_dtype() == np.float64


@pytest.mark.parametrize("way", WAYS)
def test_signals_are_the_same_wherever_images_come_from(way, tmp_path):
    images, options = WAYS[way](tmp_path)
    seen = []

    signals = region_signals(
        images, LABELS, progress=lambda done, total: seen.append((done, total)), **options
    )

    labels = np.asarray(LABELS.dataobj)
    assert list(signals.columns) == [4, 8]
    for label in (4, 8):
        assert_allclose(
            signals[label], VOXELS[labels == label].mean(axis=0, dtype=np.float64), rtol=1e-12
        )
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == SHAPE[3]


@pytest.mark.parametrize("way", WAYS)
def test_mean_signal_is_over_all_voxels_or_a_mask(way, tmp_path):
    images, options = WAYS[way](tmp_path)
    mask = nib.Nifti1Image((np.asarray(LABELS.dataobj) == 4).astype(np.uint8), AFFINE)

    over_mask = mean_signal(images, mask, **options)

    assert_allclose(over_mask, VOXELS[np.asarray(mask.dataobj) == 1].mean(axis=0), rtol=1e-6)
    if way != "generator":  # which has given its images away
        over_all = mean_signal(images, **options)
        assert_allclose(over_all, VOXELS.mean(axis=(0, 1, 2), dtype=np.float64), rtol=1e-12)


def test_scaled_integers_are_counted_as_what_they_mean(tmp_path):
    run = make_run()
    run.set_data_dtype(np.int16)
    path = save(run, tmp_path, "scaled.nii")
    meant = nib.load(path).get_fdata()

    assert_allclose(np.asarray(mean_image(path).dataobj), meant.mean(axis=3), rtol=1e-12)
    assert_allclose(
        np.asarray(std_image(path, ddof=1).dataobj), meant.std(axis=3, ddof=1), rtol=1e-10
    )


def test_mean_of_a_real_run_agrees_with_nilearn():
    path = data_path / "functional.nii"

    ours = np.asarray(mean_image(path).dataobj)

    assert_allclose(ours, mean_img(path, copy_header=True).get_fdata(), rtol=1e-6)


@pytest.mark.parametrize("n_workers", [1, 3])
@pytest.mark.parametrize("name", ["run.nii", "run.nii.gz"])
def test_number_of_threads_and_size_of_parts_change_nothing(name, n_workers, tmp_path, monkeypatch):
    path = save(make_run(), tmp_path, name)
    for module, constant in (
        (readings, "SLAB_VOXELS"),
        (readings, "SLAB_ROWS"),
        (readings, "JOINED_BYTES"),
        (sources, "BLOCK_BYTES"),
        (sources, "WHOLE_BYTES"),
        (medians, "MEDIAN_BYTES"),
    ):
        monkeypatch.setattr(module, constant, 7)

    for function, truth in TRUTH.items():
        found = np.asarray(function(path, n_workers=n_workers).dataobj)
        assert_allclose(found, truth, rtol=1e-12)
        many = np.asarray(function([path, path], n_workers=n_workers).dataobj)
        factor = 2 if function is sum_image else 1
        assert_allclose(many, factor * truth, rtol=1e-12)


@pytest.mark.parametrize("with_numba", [True, False])
def test_compiled_loop_gives_the_numbers_of_numpy(with_numba, tmp_path, monkeypatch):
    path = save(make_run(), tmp_path, "run.nii")
    monkeypatch.setattr(readings, "MANY_NUMBERS", 0)
    if not with_numba:
        monkeypatch.setattr(
            "neuroprimer.imaging.tables.moments.find_compiled", lambda *_, **__: None
        )

    summary = summarise_images(path)

    assert_allclose(np.asarray(summary.mean_image.dataobj), TRUTH[mean_image], rtol=1e-13)
    assert_allclose(np.asarray(summary.std_image.dataobj), TRUTH[std_image], rtol=1e-12)
    assert_allclose(summary.mean_signal, VOXELS.mean(axis=(0, 1, 2), dtype=np.float64), rtol=1e-13)


@pytest.mark.parametrize("way", [lambda x: x, lambda x: da.from_array(x, chunks=(3, 3, 3, 4))])
def test_small_spread_about_a_large_mean_keeps_its_digits(way):
    voxels = np.random.default_rng(1).normal(1e6, 1e-3, (3, 3, 3, 50))
    truth = voxels.astype(np.longdouble).std(axis=3)

    found = np.asarray(std_image(way(voxels), affine=AFFINE).dataobj)

    assert_allclose(found, truth.astype(np.float64), rtol=1e-12)


def test_mean_of_a_concatenation_is_the_weighted_mean():
    one, other = VOXELS[..., :5], VOXELS[..., 5:]
    parts = [np.asarray(mean_image(make_run(part)).dataobj) for part in (one, other)]

    together = np.asarray(mean_image([make_run(one), make_run(other)]).dataobj)

    assert_allclose(together, (5 * parts[0] + 12 * parts[1]) / 17, rtol=1e-13)


@given(cut=st.integers(1, 16), ddof=st.integers(0, 1))
def test_spread_of_a_concatenation_follows_from_its_parts(cut, ddof):
    parts = [summarise_images(make_run(part)) for part in np.split(VOXELS, [cut], axis=3)]
    counts = np.array([cut, 17 - cut]).reshape(2, 1, 1, 1)
    means = np.stack([part.mean_image.get_fdata() for part in parts])
    spreads = np.stack([part.std_image.get_fdata() for part in parts])

    whole = summarise_images(make_run(), ddof=ddof)

    mean = (counts * means).sum(axis=0) / 17
    squares = (counts * (spreads**2 + (means - mean) ** 2)).sum(axis=0)
    assert_allclose(whole.mean_image.get_fdata(), mean, rtol=1e-13)
    assert_allclose(whole.std_image.get_fdata(), np.sqrt(squares / (17 - ddof)), rtol=1e-12)


def test_agrees_with_formulas_of_nilearn():
    ours = summarise_images(make_run(), ["mean_image", "std_image", "max_image"])

    for image, formula in (
        (ours.mean_image, "np.mean(run.astype(float), axis=3)"),
        (ours.std_image, "np.std(run.astype(float), axis=3)"),
        (ours.max_image, "np.max(run, axis=3)"),
    ):
        theirs = math_img(formula, run=make_run(), copy_header_from=None)
        assert_allclose(image.get_fdata(), theirs.get_fdata(), rtol=1e-6)


def test_single_name_is_no_list_of_letters():
    assert summarise_images(make_run(), "mean_signal").mean_signal.shape == (17,)


def test_memory_does_not_grow_with_the_number_of_images():
    def peak_bytes(n_images):
        images = (make_run(np.full((40, 40, 40), t, np.float32)) for t in range(n_images))
        tracemalloc.start()
        mean_image(images)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    few, many = peak_bytes(200), peak_bytes(800)

    assert many < 1.2 * few


def test_iterator_is_drawn_from_as_images_are_needed():
    drawn = []

    def draw():
        for t in range(100):
            drawn.append(t)
            yield make_run(VOXELS[..., t % 17])

    def stop_early(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        region_signals(draw(), LABELS, progress=stop_early)
    assert len(drawn) < 20


# ---------------------------------------------------------------- NaN

BAD = VOXELS.copy()
BAD[1, 2, 0, 3] = np.nan
BAD[1, 2, 0, 4] = np.inf
BAD[2, 2, 2, :] = np.nan
FINITE = np.isfinite(BAD)
LEFT = np.where(FINITE, BAD, np.nan).astype(np.float64)
ZEROED = np.where(FINITE, BAD, 0).astype(np.float64)
NAN_TRUTH = {
    mean_image: np.nanmean,
    std_image: np.nanstd,
    min_image: np.nanmin,
    max_image: np.nanmax,
    median_image: np.nanmedian,
}


@pytest.mark.parametrize("function", TRUTH, ids=lambda function: function.__name__)
def test_nan_is_refused_and_counted(function):
    with pytest.raises(NotANumberError, match=r"\b2 of 60 voxels.*nan='omit'"):
        function(make_run(BAD))


@pytest.mark.filterwarnings("ignore:All-NaN|Mean of empty|Degrees of freedom:RuntimeWarning")
@pytest.mark.parametrize("function", NAN_TRUTH, ids=lambda function: function.__name__)
def test_nan_can_be_left_out_where_it_stands(function):
    found = np.asarray(function(make_run(BAD), nan="omit").dataobj)

    assert_allclose(found, NAN_TRUTH[function](LEFT, axis=3), rtol=1e-12)


@pytest.mark.parametrize("function", NAN_TRUTH, ids=lambda function: function.__name__)
def test_nan_can_count_as_zero(function):
    found = np.asarray(function(make_run(BAD), nan="zero").dataobj)

    assert_allclose(found, NAN_TRUTH[function](ZEROED, axis=3), rtol=1e-12)


def test_voxel_without_any_number_has_a_sum_of_nothing_and_no_ratio():
    run = make_run(BAD)

    assert np.asarray(sum_image(run, nan="omit").dataobj)[2, 2, 2] == 0
    assert np.isnan(np.asarray(tsnr_image(run, nan="omit").dataobj)[2, 2, 2])


def test_images_with_such_voxels_are_counted_when_their_signal_is_asked_for():
    with pytest.raises(NotANumberError, match="2 of 60 voxels are NaN or infinite in 17 of 17"):
        summarise_images(make_run(BAD))


def test_spread_needs_more_numbers_at_each_voxel_than_ddof():
    voxels = VOXELS[..., :2].copy()
    voxels[0, 0, 0, 1] = np.nan

    found = np.asarray(std_image(make_run(voxels), nan="omit", ddof=1).dataobj)

    assert np.isnan(found[0, 0, 0])
    assert np.isfinite(found).sum() == 59


def test_signals_refuse_omit_or_zero_nan():
    ones = nib.Nifti1Image(np.ones(SHAPE[:3], np.uint8), AFFINE)

    with pytest.raises(NotANumberError, match="of 17 images"):
        mean_signal(make_run(BAD), ones)
    left_out = mean_signal(make_run(BAD), ones, nan="omit")
    zeroed = mean_signal(make_run(BAD), nan="zero")

    assert_allclose(left_out, np.nanmean(LEFT, axis=(0, 1, 2)), rtol=1e-12)
    assert_allclose(zeroed, ZEROED.mean(axis=(0, 1, 2)), rtol=1e-12)


def test_nan_outside_the_regions_does_not_matter():
    voxels = VOXELS.copy()
    voxels[np.asarray(LABELS.dataobj) == 0] = np.nan

    assert np.isfinite(region_signals(make_run(voxels), LABELS)).all(axis=None)


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: mean_image([]), NoImagesError, "empty"),
        (lambda: mean_image(iter([])), NoImagesError, "empty"),
        (lambda: mean_image(BrainData(make_run())[:0]), NoImagesError, "empty"),
        (lambda: mean_image(VOXELS), NeuroprimerError, "affine=image.affine"),
        (lambda: mean_image(VOXELS[..., 0], affine=AFFINE), NeuroprimerError, "x, y, z, image"),
        (lambda: mean_image(make_run(), nan="skip"), NotANumberError, "'raise', 'omit', 'zero'"),
        (lambda: mean_image(make_run(), n_workers=0), NeuroprimerError, "n_workers=0"),
        (lambda: mean_image(make_run(), n_workers="two"), NeuroprimerError, "'two'"),
        (lambda: mean_image(make_run(), mask=LABELS), NeuroprimerError, "no option mask"),
        (lambda: std_image(make_run(VOXELS[..., :1]), ddof=1), StatisticError, "more than 1"),
        (lambda: summarise_images(make_run(), ["mode"]), StatisticError, "mode"),
        (lambda: summarise_images(make_run(), []), StatisticError, "nothing"),
        (
            lambda: mean_image([make_run(), nib.Nifti1Image(VOXELS, np.eye(4))]),
            GridMismatchError,
            "Grid 5 x 4 x 3.*against Grid 5 x 4 x 3",
        ),
        (
            lambda: region_signals(make_run(), nib.Nifti1Image(VOXELS[..., 0], np.eye(4))),
            GridMismatchError,
            r"resample_to\(labels, image",
        ),
        (lambda: region_signals(make_run(), make_run(VOXELS[..., 0])), RegionError, "interpolated"),
        (lambda: region_signals(make_run(), make_run()), RegionError, "three axes"),
        (
            lambda: region_signals(make_run(), make_run(np.zeros(SHAPE[:3], np.uint8))),
            RegionError,
            "zero everywhere",
        ),
        (lambda: mean_signal(make_run(), LABELS), MaskError, "zeros and ones"),
    ],
)
def test_what_cannot_be_done_is_said(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_region_without_a_voxel_in_the_mask_is_named():
    mask = nib.Nifti1Image((np.asarray(LABELS.dataobj) == 4).astype(np.uint8), AFFINE)

    with pytest.raises(RegionError, match="8"):
        region_signals(BrainData(make_run(), mask), LABELS)


def test_what_was_not_asked_for_is_none():
    summary = summarise_images(make_run(), ["max_image"])

    assert summary.mean_signal is None
    assert summary.std_image is None
    assert_array_equal(np.asarray(summary.max_image.dataobj), VOXELS.max(axis=3))


def test_signal_that_never_varies_has_no_noise_to_divide_by():
    assert_array_equal(np.asarray(tsnr_image(make_run(np.ones(SHAPE))).dataobj), 0)
