"""Signals against scipy, nilearn, scikit-learn and their own laws."""

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from nilearn.image import smooth_img
from nilearn.signal import butterworth
from numpy.testing import assert_allclose, assert_array_equal
from scipy import signal, stats
from scipy.interpolate import PchipInterpolator
from sklearn import preprocessing

from neuroprimer.imaging.analysis import signals
from neuroprimer.imaging.analysis.rescaling import r_to_z, scale, standardize, z_to_r
from neuroprimer.imaging.analysis.signals import detrend, find_spikes, temporal_resample
from neuroprimer.imaging.analysis.smoothing import smooth
from neuroprimer.imaging.analysis.voxelwise import SignalError
from neuroprimer.imaging.braindata import BrainData, make_like
from neuroprimer.imaging.engine.finite import NotANumberError
from neuroprimer.imaging.phantoms import make_maps, make_run
from neuroprimer.imaging.space.affines import AffineError, voxel_sizes
from neuroprimer.imaging.tables.moments import StatisticError

OBLIQUE = np.array([[-2, 0, 0, 90], [0, 2.9, -0.5, -35], [0, 0.4, 3.9, -7], [0, 0, 0, 1.0]])
SHAPE = (9, 8, 7)

# Each function as one would call it on a run, for what holds for all of them.
CALLS = {
    "smooth": lambda data: smooth(data, fwhm_mm=6),
    "detrend": detrend,
    "standardize": standardize,
    "standardize over voxels": lambda data: standardize(data, axis="voxels"),
    "scale": scale,
    "filter": lambda data: signals.filter(data, low_pass_hz=0.1),
    "find_spikes": find_spikes,
    "temporal_resample": lambda data: temporal_resample(data, tr_s=3),
    "r_to_z": lambda data: r_to_z(make_like(data, data.data / 10)),
    "z_to_r": z_to_r,
}
KEEPS_ROWS = sorted(CALLS.keys() - {"find_spikes", "temporal_resample"})


def make_brain(values, **known):
    """Return BrainData around an array of images x voxels, with the voxels in one line."""
    values = np.asarray(values)
    mask = nib.Nifti1Image(np.ones((values.shape[1], 1, 1), np.uint8), np.diag([3.0, 3, 3, 1]))
    return BrainData(values, mask, **known)


def make_ball(n_images=2, *, dtype=np.float64, reach=3.2, seed=0):
    """Return images in a ball that touches the sides of its box, if it reaches far enough."""
    i, j, k = np.indices(SHAPE)
    inside = (i - 4) ** 2 + (j - 4) ** 2 + (k - 3) ** 2 <= reach**2
    mask = nib.Nifti1Image(inside.astype(np.uint8), OBLIQUE)
    rng = np.random.default_rng(seed)
    return BrainData((rng.normal(3, 1, (n_images, inside.sum()))).astype(dtype), mask)


def make_noise(n_images=40, n_voxels=6, *, dtype=np.float64, seed=0, **known):
    """Return a run of positive noise."""
    values = np.random.default_rng(seed).normal(5, 0.5, (n_images, n_voxels))
    return make_brain(values.astype(dtype), tr_s=2.0, **known)


def tiny(*shape):
    return hnp.arrays(float, shape, elements=st.floats(-100, 100))


# ---------------------------------------------------------------------------- smooth


@pytest.mark.parametrize("reach", [2.2, 5.0])
@pytest.mark.parametrize("fwhm_mm", [3, 6.5, 14])
def test_smoothing_in_zeros_is_that_of_nilearn(reach, fwhm_mm):
    data = make_ball(reach=reach)
    inside = data.mask.get_fdata() == 1

    smoothed = smooth(data, fwhm_mm=fwhm_mm, edges="zero")

    expected = smooth_img(data.to_image(), fwhm_mm).get_fdata()[inside].T
    assert_allclose(smoothed.data, expected, rtol=0, atol=1e-14)


def test_renormalised_smoothing_is_the_weighted_mean_of_the_voxels_in_the_mask():
    data, fwhm_mm = make_ball(), 8.0
    sigmas = fwhm_mm / np.sqrt(8 * np.log(2)) / voxel_sizes(OBLIQUE)
    ijk = np.argwhere(data.mask.get_fdata() == 1)
    apart = ijk[:, np.newaxis] - ijk
    weights = np.exp(-((apart / sigmas) ** 2).sum(axis=-1) / 2)
    weights[(np.abs(apart) > np.floor(4 * sigmas + 0.5)).any(axis=-1)] = 0

    smoothed = smooth(data, fwhm_mm=fwhm_mm)

    assert_allclose(smoothed.data, data.data @ weights / weights.sum(axis=0), rtol=0, atol=1e-13)


@given(
    inside=hnp.arrays(bool, (4, 3, 3)).filter(np.any),
    level=st.floats(-1e6, 1e6),
    fwhm_mm=st.floats(0, 6),
)
def test_renormalised_smoothing_keeps_flat_images_flat_in_any_mask(inside, level, fwhm_mm):
    mask = nib.Nifti1Image(inside.astype(np.uint8), np.diag([2.0, 2, 2, 1]))
    flat = BrainData(np.full((1, inside.sum()), level), mask)

    assert_allclose(smooth(flat, fwhm_mm=fwhm_mm).data, level, rtol=1e-14, atol=1e-300)


def test_renormalised_smoothing_of_ones_is_exactly_one():
    ones = make_like(make_ball(), np.ones(make_ball().shape))

    assert (smooth(ones, fwhm_mm=6).data == 1).all()


def test_smoothing_in_zeros_darkens_the_edge():
    ones = make_like(make_ball(), np.ones(make_ball().shape))

    assert smooth(ones, fwhm_mm=6, edges="zero").data.min() < 0.6


@pytest.mark.parametrize("edges", ["renormalise", "zero"])
def test_a_point_inside_spreads_to_half_its_height_at_half_the_width(edges):
    volume = np.zeros((41, 41, 41))
    volume[20, 20, 20] = 1
    mask = nib.Nifti1Image(np.ones(volume.shape, np.uint8), np.eye(4))
    point = BrainData(nib.Nifti1Image(volume, np.eye(4)), mask)

    smoothed = smooth(point, fwhm_mm=6, edges=edges).to_image().get_fdata()

    for axis in range(3):
        along = np.take(np.moveaxis(smoothed, axis, 0)[:, 20, 20], [17, 20, 23])
        assert_allclose(along / along[1], [0.5, 1, 0.5], rtol=0, atol=1e-12)
    assert_allclose(smoothed.sum(), 1, rtol=1e-12)


@pytest.mark.parametrize("edges", ["renormalise", "zero"])
@pytest.mark.parametrize("fwhm_mm", [0, 0.2])
def test_a_width_far_below_a_voxel_changes_nothing(fwhm_mm, edges):
    data = make_ball()

    assert_array_equal(smooth(data, fwhm_mm=fwhm_mm, edges=edges).data, data.data)


def test_a_voxel_with_no_neighbour_in_the_mask_keeps_its_number():
    inside = np.zeros((9, 9, 9), np.uint8)
    inside[1, 1, 1] = inside[7, 7, 7] = 1
    data = BrainData(np.array([[5.0, 9.0]]), nib.Nifti1Image(inside, np.eye(4)))

    assert_allclose(smooth(data, fwhm_mm=3).data, [[5, 9]], rtol=1e-12)


@pytest.mark.parametrize("fwhm_mm", [-1, None, "6", np.nan, np.inf, 1e4, True, [6, 6, 6]])
def test_width_of_smoothing_is_a_number_of_mm_within_the_images(fwhm_mm):
    with pytest.raises(SignalError, match="expected a number from 0 to 27"):
        smooth(make_ball(), fwhm_mm=fwhm_mm)


def test_unknown_edges_name_the_known_ones():
    with pytest.raises(SignalError, match="'renormalise', 'zero'"):
        smooth(make_ball(), fwhm_mm=6, edges="mirror")


def test_voxels_without_a_volume_are_not_smoothed():
    affine = [[2, 2, 0, 0], [0, 0, 0, 0], [0, 0, 2, 0], [0, 0, 0, 1]]
    flat = nib.Nifti1Image(np.ones((2, 2, 2)), np.array(affine, float))

    with pytest.raises(AffineError):
        smooth(BrainData(flat), fwhm_mm=6)


# ---------------------------------------------------------------------------- detrend


@given(offsets=tiny(4), slopes=tiny(4), n_images=st.integers(2, 60))
def test_nothing_is_left_of_a_line(offsets, slopes, n_images):
    lines = offsets + slopes * np.arange(n_images)[:, np.newaxis]

    assert_allclose(detrend(make_brain(lines)).data, 0, atol=1e-9)


def test_detrending_leaves_what_the_best_line_does_not_explain():
    run = make_noise(30)
    time = np.arange(30)

    expected = run.data - np.polynomial.Polynomial.fit(time, run.data[:, 2], 1)(time)[:, np.newaxis]
    assert_allclose(detrend(run).data[:, 2], expected[:, 2], rtol=0, atol=1e-12)


def test_constant_detrending_takes_the_mean_out():
    run = make_noise(30)

    assert_allclose(
        detrend(run, method="constant").data, run.data - run.data.mean(axis=0), atol=1e-14
    )


def test_many_voxels_in_blocks_give_what_all_at_once_give():
    values = np.random.default_rng(0).normal(100, 5, (2000, 600)).cumsum(axis=0)

    # the walks reach 200,000
    expected = signal.detrend(values, axis=0)
    assert_allclose(detrend(make_brain(values)).data, expected, rtol=0, atol=1e-8)


def test_unknown_trend_names_the_known_ones():
    with pytest.raises(SignalError, match="'linear', 'constant'"):
        detrend(make_noise(), method="cubic")


# ---------------------------------------------------------------------------- standardize


@pytest.mark.parametrize(("axis", "number"), [("images", 0), ("voxels", 1)])
@pytest.mark.parametrize(("method", "with_std"), [("zscore", True), ("center", False)])
def test_standardizing_is_that_of_scikit_learn(axis, number, method, with_std):
    run = make_noise(30, 50)

    standardized = standardize(run, axis=axis, method=method)

    expected = preprocessing.scale(run.data, axis=number, with_std=with_std)
    assert_allclose(standardized.data, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize(("axis", "number"), [("images", 0), ("voxels", 1)])
def test_degrees_of_freedom_are_those_of_the_variance(axis, number):
    run = make_noise(12, 9)

    standardized = standardize(run, axis=axis, ddof=1)

    assert_allclose(standardized.data, stats.zscore(run.data, axis=number, ddof=1), atol=1e-13)


@given(values=tiny(5, 3), axis=st.sampled_from(["images", "voxels"]))
def test_standardizing_twice_is_standardizing_once(values, axis):
    # below this spread, steps between neighbouring numbers show
    once = standardize(make_brain(np.round(values, 6)), axis=axis)

    assert_allclose(standardize(once, axis=axis).data, once.data, rtol=0, atol=1e-7)


@pytest.mark.parametrize("axis", ["images", "voxels"])
@pytest.mark.parametrize("level", [0.0, 0.1, -1e9])
def test_what_does_not_vary_becomes_zero(axis, level):
    standardized = standardize(make_brain(np.full((7, 7), level)), axis=axis)

    assert_array_equal(standardized.data, np.zeros((7, 7)))


def test_what_varies_only_by_rounding_becomes_zero():
    rounded = np.where(np.arange(8) % 2, 0.1 + 0.2, 0.3)[:, np.newaxis]

    assert_array_equal(standardize(make_brain(rounded)).data, np.zeros((8, 1)))


def test_a_small_spread_on_a_large_mean_keeps_its_digits():
    scores = stats.zscore(np.random.default_rng(0).normal(size=(500, 3)), axis=0)
    run = make_brain(1e6 + 1e-3 * scores)

    # float64 has steps of 1.2e-10 at 1e6
    assert_allclose(standardize(run).data, scores, rtol=0, atol=2e-7)


def test_a_mean_is_not_taken_over_one_image():
    with pytest.raises(SignalError, match="standardize 1 image: expected at least 2"):
        standardize(make_noise(1))


def test_one_image_is_standardized_over_its_voxels():
    assert_allclose(standardize(make_noise(1), axis="voxels").data.std(), 1)


def test_degrees_of_freedom_need_numbers():
    with pytest.raises(StatisticError, match="ddof=2 needs more than 2"):
        standardize(make_noise(2), ddof=2)


@pytest.mark.parametrize(
    ("option", "known"),
    [({"axis": 0}, "'images', 'voxels'"), ({"method": "mean"}, "'zscore', 'center'")],
)
def test_unknown_ways_to_standardize_name_the_known_ones(option, known):
    with pytest.raises(SignalError, match=known):
        standardize(make_noise(), **option)


# ---------------------------------------------------------------------------- scale


@given(to=st.floats(1e-3, 1e6), seed=st.integers(0, 9))
def test_scaling_brings_the_grand_mean_to_a_number_by_one_factor(to, seed):
    run = make_noise(seed=seed)

    scaled = scale(run, to=to).data

    assert_allclose(scaled.mean(), to)
    assert_allclose(scaled / run.data, to / run.data.mean())


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(0.3, 1, (20, 50)),  # maps with a small effect
        -np.ones((3, 4)),
        np.zeros((3, 4)),
    ],
    ids=["maps", "below zero", "zeros"],
)
def test_images_without_a_mean_to_divide_by_are_not_scaled(values):
    with pytest.raises(SignalError, match=r"too near to zero or below it.*standardize"):
        scale(make_brain(values))


def test_maps_of_the_brain_are_not_scaled():
    with pytest.raises(SignalError, match="grand mean"):
        scale(BrainData(make_maps(5)))


def test_signal_with_some_noise_below_zero_is_scaled():
    values = np.random.default_rng(0).normal(1, 1, (20, 50))

    assert_allclose(scale(make_brain(values), to=10).data.mean(), 10)


@pytest.mark.parametrize("to", [0, -100, np.inf, np.nan, None, "100"])
def test_scale_is_a_number_above_zero(to):
    with pytest.raises(SignalError, match="expected a number above zero"):
        scale(make_noise(), to=to)


# ---------------------------------------------------------------------------- filter


@pytest.mark.parametrize("order", [1, 2, 4, 5])
@pytest.mark.parametrize(
    "cutoffs",
    [
        {"high_pass_hz": 0.02},
        {"low_pass_hz": 0.1},
        {"high_pass_hz": 0.02, "low_pass_hz": 0.1},
    ],
    ids=["high", "low", "band"],
)
def test_filtering_is_that_of_nilearn(cutoffs, order):
    run = make_noise(80)

    filtered = signals.filter(run, order=order, **cutoffs)

    expected = butterworth(
        run.data.copy(),
        sampling_rate=0.5,
        high_pass=cutoffs.get("high_pass_hz"),
        low_pass=cutoffs.get("low_pass_hz"),
        order=order,
        copy=True,
    )
    assert_allclose(filtered.data, expected, rtol=0, atol=1e-12)


def make_waves(*frequencies_hz, n_images=400, tr_s=2.0):
    time_s = tr_s * np.arange(n_images)[:, np.newaxis]
    return make_brain(np.sin(2 * np.pi * time_s * frequencies_hz), tr_s=tr_s)


def test_waves_in_the_band_pass_and_others_do_not():
    slow, passing, fast = 0.004, 0.05, 0.2
    waves = make_waves(slow, passing, fast)

    filtered = signals.filter(waves, high_pass_hz=0.015, low_pass_hz=0.12)

    middle = slice(100, 300)  # away from the ends
    assert_allclose(filtered.data[middle, 1], waves.data[middle, 1], rtol=0, atol=4e-3)
    assert_allclose(filtered.data[middle, [0]], 0, atol=4e-3)
    assert_allclose(filtered.data[middle, [2]], 0, atol=4e-3)


def test_a_wave_at_the_cut_off_is_halved():
    waves = make_waves(0.1)

    filtered = signals.filter(waves, low_pass_hz=0.1)

    middle = slice(100, 300)
    assert_allclose(filtered.data[middle], waves.data[middle] / 2, rtol=0, atol=1e-3)


def test_a_low_pass_keeps_the_mean_and_a_high_pass_takes_it_out():
    flat = make_brain(np.full((100, 2), 7.0), tr_s=2.0)

    assert_allclose(signals.filter(flat, low_pass_hz=0.1).data, 7, rtol=1e-9)
    assert_allclose(signals.filter(flat, high_pass_hz=0.01).data, 0, atol=1e-9)


@pytest.mark.parametrize("cutoff_hz", [0, -0.1, 0.25, 128, np.nan, "0.1", True])
@pytest.mark.parametrize("which", ["high_pass_hz", "low_pass_hz"])
def test_cut_offs_lie_below_half_of_the_sampling_frequency(which, cutoff_hz):
    with pytest.raises(SignalError, match=r"every 2 s shows frequencies between 0 and 0.25 Hz"):
        signals.filter(make_noise(), **{which: cutoff_hz})


@pytest.mark.parametrize("low_pass_hz", [0.1, 0.05])
def test_cut_offs_leave_a_band_between_them(low_pass_hz):
    with pytest.raises(SignalError, match="Nothing passes"):
        signals.filter(make_noise(), high_pass_hz=0.1, low_pass_hz=low_pass_hz)


def test_filtering_needs_a_cut_off():
    with pytest.raises(SignalError, match="nothing to filter"):
        signals.filter(make_noise())


@pytest.mark.parametrize("order", [0, -1, 2.5, None])
def test_order_of_a_filter_is_a_whole_number_above_zero(order):
    with pytest.raises(SignalError, match="whole order above zero"):
        signals.filter(make_noise(), low_pass_hz=0.1, order=order)


@pytest.mark.parametrize(
    ("cutoffs", "too_few"),
    [({"low_pass_hz": 0.1}, 18), ({"high_pass_hz": 0.02, "low_pass_hz": 0.1}, 33)],
)
def test_the_shortest_run_to_be_filtered(cutoffs, too_few):
    signals.filter(make_noise(too_few + 1), **cutoffs)

    with pytest.raises(SignalError, match=f"{too_few} images are too few.*more than {too_few}"):
        signals.filter(make_noise(too_few), **cutoffs)


@pytest.mark.parametrize("call", ["filter", "temporal_resample"])
def test_functions_of_time_need_a_repetition_time(call):
    run = make_noise()
    run.tr_s = None

    with pytest.raises(
        SignalError, match=r"the time between two of them is not known.*data\.tr_s = 2\.0"
    ):
        CALLS[call](run)


# ---------------------------------------------------------------------------- find_spikes


def make_spiky(*, global_at=12, diff_at=25):
    """Return a run in which one image is brighter, and one differs with the same mean."""
    run = make_noise(40, 50)
    values = run.data.copy()
    values[global_at] += 3
    values[diff_at] += np.resize([4, -4], 50)
    return make_like(run, values)


def test_an_image_brighter_than_the_others_is_a_global_spike():
    spikes = find_spikes(make_spiky())

    assert spikes.index[spikes["global_spike"]].tolist() == [12]


def test_an_image_unlike_the_one_before_is_a_difference_spike_and_so_is_the_way_back():
    spikes = find_spikes(make_spiky(), diff_cutoff_sd=2)

    assert spikes.index[spikes["diff_spike"]].tolist() == [12, 13, 25, 26]


def test_values_stand_beside_the_spikes():
    run = make_spiky()

    spikes = find_spikes(run)

    changes = np.abs(np.diff(run.data, axis=0)).mean(axis=1)
    assert_allclose(spikes["global_signal"], run.data.mean(axis=1))
    assert_allclose(spikes["frame_difference"], [np.nan, *changes])


@pytest.mark.parametrize("sign", [1, -1])
def test_spikes_are_found_on_either_side_of_the_mean(sign):
    run = make_spiky()
    mirrored = make_like(run, sign * run.data)

    assert (
        find_spikes(mirrored)["global_spike"].tolist() == find_spikes(run)["global_spike"].tolist()
    )


@given(cutoff_sd=st.floats(0.1, 4), seed=st.integers(0, 20))
def test_a_spike_lies_further_from_the_mean_than_the_cut_off(cutoff_sd, seed):
    run = make_noise(seed=seed)
    means = run.data.mean(axis=1)

    spikes = find_spikes(run, global_cutoff_sd=cutoff_sd, diff_cutoff_sd=None)

    expected = np.abs(stats.zscore(means)) > cutoff_sd
    assert spikes["global_spike"].tolist() == expected.tolist()


def test_a_cut_off_of_none_leaves_its_columns_out():
    assert list(find_spikes(make_noise(), global_cutoff_sd=None)) == [
        "frame_difference",
        "diff_spike",
    ]
    assert list(find_spikes(make_noise(), diff_cutoff_sd=None)) == ["global_signal", "global_spike"]


def test_spikes_need_something_to_look_for():
    with pytest.raises(SignalError, match="nothing to look for"):
        find_spikes(make_noise(), global_cutoff_sd=None, diff_cutoff_sd=None)


@pytest.mark.parametrize("level", [0.0, 0.1, 1e9])
def test_images_that_are_all_the_same_hold_no_spike(level):
    spikes = find_spikes(make_brain(np.full((37, 11), level)))

    assert not spikes[["global_spike", "diff_spike"]].to_numpy().any()


def test_an_image_that_differs_only_by_rounding_is_no_spike():
    rounded = np.where(np.arange(30) == 9, 0.3 + 5e-16, 0.3)[:, np.newaxis]

    assert not find_spikes(make_brain(rounded), diff_cutoff_sd=None)["global_spike"].any()


@pytest.mark.parametrize("cutoff_sd", [0, -3, np.nan, "3"])
@pytest.mark.parametrize("which", ["global_cutoff_sd", "diff_cutoff_sd"])
def test_cut_off_for_spikes_is_a_number_above_zero(which, cutoff_sd):
    with pytest.raises(SignalError, match="expected a number above 0"):
        find_spikes(make_noise(), **{which: cutoff_sd})


def test_a_run_too_short_for_any_spike_is_said_to_be():
    alone = np.zeros((10, 3))
    alone[4] = 1  # as far from the mean of ten as can be: exactly 3 standard deviations

    with pytest.raises(SignalError, match=r"of 10 numbers.*below 3, since none can lie further"):
        find_spikes(make_brain(alone), diff_cutoff_sd=None)


# ---------------------------------------------------------------------------- temporal_resample


@pytest.mark.parametrize("tr_s", [2, 2 * (1 + 1e-8)])
def test_the_same_repetition_time_changes_nothing(tr_s):
    run = make_noise(X={"task": range(40)})

    resampled = temporal_resample(run, tr_s=tr_s)

    assert_array_equal(resampled.data, run.data)
    assert resampled.X.equals(run.X)
    assert resampled.tr_s == tr_s


@pytest.mark.parametrize(
    ("tr_s", "n_images"), [(0.1, 781), (0.7, 112), (1, 79), (3, 27), (13, 7), (39, 3), (78, 2)]
)
def test_resampling_goes_from_the_first_image_to_the_last_but_not_beyond(tr_s, n_images):
    run = make_noise(40)  # 78 s from first to last

    resampled = temporal_resample(run, tr_s=tr_s)

    assert len(resampled) == n_images
    assert resampled.tr_s == tr_s


def test_resampling_is_that_of_scipy():
    run = make_noise(40)
    times_s = 0.7 * np.arange(112)

    expected = PchipInterpolator(2.0 * np.arange(40), run.data)(times_s)

    assert_allclose(temporal_resample(run, tr_s=0.7).data, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("tr_s", [0.1, 0.25, 0.5, 1])
def test_resampling_passes_through_every_image(tr_s):
    run = make_noise(40)

    resampled = temporal_resample(run, tr_s=tr_s)

    assert_allclose(resampled.data[:: round(2 / tr_s)], run.data, rtol=0, atol=1e-12)


def test_times_rounded_by_a_header_keep_the_last_image():
    run = make_noise(40)
    run.tr_s = float(np.float32(0.72))

    assert len(temporal_resample(run, tr_s=0.36)) == 79
    assert len(temporal_resample(run, tr_s=0.72 * 3)) == 14
    assert len(temporal_resample(run, tr_s=0.072 * (1 + 1e-7))) == 391


def test_an_image_just_after_the_last_is_the_last():
    run = make_noise(40)

    beyond = temporal_resample(run, tr_s=1 + 1e-6)

    assert_allclose(beyond.data[-1], run.data[-1], rtol=0, atol=1e-14)


@given(tr_s=st.floats(0.05, 30), slope=st.floats(-10, 10))
def test_a_line_stays_a_line_at_any_repetition_time(tr_s, slope):
    line = make_brain(3 + slope * 2.0 * np.arange(20)[:, np.newaxis], tr_s=2.0)

    resampled = temporal_resample(line, tr_s=tr_s)

    expected = 3 + slope * tr_s * np.arange(len(resampled))
    assert_allclose(resampled.data[:, 0], expected, rtol=0, atol=1e-3 * abs(slope * tr_s) + 1e-9)


@pytest.mark.parametrize("name", ["X", "Y"])
def test_tables_are_not_lost_in_silence(name):
    run = make_noise(**{name: {"task": range(40)}})

    with pytest.raises(SignalError, match=rf"{name} has a row for each.*\['task'\].*images\.X"):
        temporal_resample(run, tr_s=1)


@pytest.mark.parametrize("tr_s", [0, -1, 1e-9, 79, 2400, np.nan, np.inf, None, "1"])
def test_new_repetition_time_leaves_at_least_two_images(tr_s):
    with pytest.raises(SignalError, match=r"expected a number of seconds from 0.001 to 78"):
        temporal_resample(make_noise(40), tr_s=tr_s)


# ---------------------------------------------------------------------------- r_to_z, z_to_r


@given(r=hnp.arrays(float, (3, 4), elements=st.floats(-0.999999, 0.999999)))
def test_correlations_come_back_from_z(r):
    data = make_brain(r)

    assert_allclose(z_to_r(r_to_z(data)).data, r, rtol=0, atol=1e-15)


def test_z_is_half_of_a_logarithm():
    r = np.array([[-0.9, 0, 0.5]])

    assert_allclose(r_to_z(make_brain(r)).data, np.log((1 + r) / (1 - r)) / 2, rtol=0, atol=1e-15)


@pytest.mark.parametrize("beyond", [1.0, -1.0, 1.5])
def test_correlations_without_a_finite_z_are_counted(beyond):
    data = make_brain([[0.5, beyond, 0.2], [beyond, 0.1, 0.0]])

    with pytest.raises(SignalError, match="2 of 6 numbers"):
        r_to_z(data)


# ---------------------------------------------------------------------------- all of them


@pytest.mark.parametrize("call", KEEPS_ROWS)
def test_tables_and_repetition_time_stay(call):
    design, ratings = pd.DataFrame({"task": range(40)}), pd.DataFrame({"pain": range(40)})
    run = make_noise(X=design, Y=ratings)

    made = CALLS[call](run)

    assert made.X.equals(design)
    assert made.Y.equals(ratings)
    assert made.tr_s == 2
    assert made.shape == run.shape


@pytest.mark.parametrize("call", sorted(CALLS.keys() - {"find_spikes"}))
def test_numbers_keep_their_type_and_float32_only_rounds_the_result(call):
    single = make_noise(dtype=np.float32)
    double = make_like(single, single.data.astype(np.float64))

    made, exact = CALLS[call](single).data, CALLS[call](double).data

    assert (made.dtype, exact.dtype) == (np.float32, np.float64)
    if call == "r_to_z":  # its correlations are rounded before
        assert_allclose(made, exact, rtol=1e-6)
    else:
        assert_array_equal(made, exact.astype(np.float32))


@pytest.mark.parametrize("call", CALLS)
def test_images_given_are_not_changed(call):
    run = make_noise()
    before = run.data.copy()

    CALLS[call](run)

    assert_array_equal(run.data, before)


@pytest.mark.parametrize(
    "call", ["detrend", "standardize", "filter", "temporal_resample", "r_to_z", "z_to_r"]
)
def test_results_do_not_depend_on_the_voxels_beside(call):
    run, alone = make_noise(40, 6), make_noise(40, 6).data[:, :1]

    made = CALLS[call](run).data[:, :1]

    assert_allclose(CALLS[call](make_brain(alone, tr_s=2.0)).data, made, rtol=0, atol=1e-13)


@pytest.mark.parametrize("call", sorted(CALLS.keys() - {"r_to_z"}))
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_none_are_counted_and_refused(call, bad):
    values = make_noise().data.copy()
    values[3, 2] = bad
    run = make_like(make_noise(), values)

    with pytest.raises(NotANumberError, match=r"^Cannot .*1 of 240 numbers.*nan='omit'"):
        CALLS[call](run)


def test_correlations_that_are_none_are_refused():
    with pytest.raises(NotANumberError, match="1 of 2 numbers"):
        r_to_z(make_like(make_brain([[0.5, 0.2]]), np.array([[0.5, np.nan]])))


@pytest.mark.parametrize("function", [detrend, scale, r_to_z, z_to_r, find_spikes, standardize])
@pytest.mark.parametrize("other", [np.ones((4, 3)), make_run(4), None])
def test_something_else_than_braindata_is_named(function, other):
    with pytest.raises(SignalError, match=f"a {type(other).__name__}: expected BrainData"):
        function(other)


@pytest.mark.parametrize(
    ("call", "n_images"),
    [
        ("smooth", 0),
        ("detrend", 1),
        ("standardize", 1),
        ("standardize over voxels", 0),
        ("scale", 0),
        ("filter", 0),
        ("find_spikes", 1),
        ("temporal_resample", 0),
        ("z_to_r", 0),
    ],
)
def test_too_few_images_are_counted(call, n_images):
    with pytest.raises(SignalError, match=f"{n_images} images?: expected at least"):
        CALLS[call](make_noise()[:n_images])


def test_a_pipe_of_functions_finds_the_task_in_a_run():
    run = BrainData(make_run(60, tr_s=2))

    made = (
        run.pipe(smooth, fwhm_mm=12)
        .pipe(signals.filter, high_pass_hz=0.01)
        .pipe(standardize)
        .pipe(temporal_resample, tr_s=1)
    )

    assert (len(made), made.tr_s) == (119, 1)
