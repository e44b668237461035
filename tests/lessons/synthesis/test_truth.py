"""What is said to be true of the made-up data is found in them, by other means than made them."""

import json
import warnings

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import ndimage, stats

SETTLED = slice(4, None)


def voxels(file) -> np.ndarray:
    return np.squeeze(nib.load(file).get_fdata())


def truth_of(folder) -> dict:
    return json.loads((folder / "truth.json").read_text())


@pytest.fixture(scope="session")
def bold(files_of_dataset):
    return files_of_dataset("localizer-bold")


@pytest.fixture(scope="session")
def run(bold) -> np.ndarray:
    return voxels(bold / "localizer_bold.nii.gz")


@pytest.fixture(scope="session")
def design(bold) -> pd.DataFrame:
    """Nilearn's design, with responses scaled as the truth has them: one event alone peaks at 1."""
    from nilearn.glm.first_level import compute_regressor, make_first_level_design_matrix

    times_s = np.arange(128) * 2.4
    events = pd.read_csv(bold / "events.tsv", sep="\t")
    design = make_first_level_design_matrix(times_s, events, hrf_model="spm", drift_model=None)
    fine_s = np.arange(0, 40, 0.1)
    alone, _ = compute_regressor(np.array([[5.0], [3.0], [1.0]]), "spm", fine_s)
    for kind in events.trial_type.unique():
        design[kind] /= alone.max()
    design["slow"] = np.cos(2 * np.pi * (np.arange(128) + 0.5) / 128)
    design["drift"] = np.linspace(0, 1, 128)
    return design


@pytest.fixture(scope="session")
def fits(run, bold, design) -> dict:
    """Mean signal of each region and of the quiet brain, fitted by least squares."""
    labels = voxels(bold / "active_regions.nii.gz")
    brain = run[..., 20:].mean(axis=-1) > 600
    quiet = brain & (labels == 0)
    regions = {one["name"]: labels == one["label"] for one in truth_of(bold)["regions"]}
    x = design.to_numpy()[SETTLED]
    fitted = {}
    for name, inside in {**regions, "quiet": quiet}.items():
        signal = run[inside].mean(axis=0)[SETTLED]
        betas = np.linalg.lstsq(x, signal, rcond=None)[0]
        base = betas[list(design.columns).index("constant")]
        fitted[name] = dict(zip(design.columns, 100 * betas / base, strict=True))
    return fitted


def test_run_has_the_header_of_the_old_localizer(bold):
    image = nib.load(bold / "localizer_bold.nii.gz")

    assert image.shape == (64, 64, 40, 1, 128)
    assert image.get_data_dtype() == np.int16
    assert image.dataobj.slope == 0.75
    assert nib.aff2axcodes(image.affine) == ("L", "A", "S")
    assert np.rad2deg(nib.affines.obliquity(image.affine)).max() > 5
    assert_allclose(image.header.get_zooms()[:3], 3.5, atol=1e-4)
    assert image.header.get_zooms()[4] == pytest.approx(2.4)


def test_drift_of_the_quiet_brain_is_the_one_that_was_put_in(fits, bold):
    assert fits["quiet"]["drift"] == pytest.approx(
        truth_of(bold)["drift_percent_per_run"], abs=0.05
    )


def test_each_region_answers_its_events_as_strongly_as_was_put_in(fits, bold):
    errors = []
    for one in truth_of(bold)["regions"]:
        for kind in ("checkerboard", "sentence", "left_button", "right_button"):
            expected = one["effect_percent"] if kind in one["events"] else 0.0
            errors.append(fits[one["name"]][kind] - expected)

    # One region's noise leaves a standard error of some 0.2 %; 20 estimates have one of 0.05 %.
    assert np.abs(errors).max() < 0.7
    assert abs(np.mean(errors)) < 0.15
    assert np.std(errors) < 0.35


def test_right_button_is_answered_on_the_left(bold):
    image = nib.load(bold / "active_regions.nii.gz")
    centres_mm = {
        one["name"]: nib.affines.apply_affine(
            image.affine, ndimage.center_of_mass(voxels(bold / "active_regions.nii.gz") == label)
        )
        for label, one in enumerate(truth_of(bold)["regions"], start=1)
    }

    assert centres_mm["motor_left"][0] < -20 < 20 < centres_mm["motor_right"][0]


def test_signal_to_noise_and_autocorrelation_are_those_that_were_put_in(run, bold, design):
    truth = truth_of(bold)
    mean = run[..., 20:].mean(axis=-1)
    sample = run[(mean > 600)][::7, SETTLED]
    x = design.to_numpy()[SETTLED]
    residuals = sample.T - x @ np.linalg.lstsq(x, sample.T, rcond=None)[0]
    sd = np.sqrt((residuals**2).sum(axis=0) / (len(x) - np.linalg.matrix_rank(x)))
    lag_one = (residuals[1:] * residuals[:-1]).sum(axis=0) / (residuals**2).sum(axis=0)

    # What fitting leaves of noise whose neighbours in time are alike, from the algebra of it.
    alike = truth["autocorrelation"] ** np.abs(np.subtract.outer(range(len(x)), range(len(x))))
    left = np.eye(len(x)) - x @ np.linalg.pinv(x)
    left_alike = left @ alike @ left
    expected_lag_one = np.trace(left_alike, 1) / np.trace(left_alike)
    expected_sd = np.sqrt(np.trace(left_alike) / (len(x) - np.linalg.matrix_rank(x)))

    found = np.median(mean[mean > 600][::7] / sd) * expected_sd
    assert found == pytest.approx(truth["tsnr"], rel=0.02)
    assert np.median(lag_one) == pytest.approx(expected_lag_one, abs=0.015)


def test_first_volumes_are_brighter(run, bold):
    whole = run[run.mean(axis=-1) > 600].mean(axis=0)

    excess = 100 * (whole[:3] / whole[3:10].mean() - 1)
    assert_allclose(excess, [*truth_of(bold)["settling_percent"], 0], atol=0.5)


def test_slow_decline_is_seen_in_the_mean_of_the_whole_box(run):
    mean = run.mean(axis=(0, 1, 2))[SETTLED]

    assert -2.6 < 100 * (mean[-20:].mean() / mean[:20].mean() - 1) < -1.0


@pytest.fixture(scope="session")
def pain(files_of_dataset):
    return files_of_dataset("pain-maps")


@pytest.fixture(scope="session")
def maps(pain) -> dict[int, np.ndarray]:
    """People x voxels for each level of pain."""
    inside = voxels(pain / "brain_mask.nii.gz") > 0
    table = pd.read_csv(pain / "metadata.csv")
    return {
        level: np.stack([voxels(pain / file)[inside] for file in rows.file])
        for level, rows in table.groupby("pain_level")
    }


def middle_of(one, pain) -> int:
    """Return the number of the voxel of the mask in the middle of a region."""
    mask = nib.load(pain / "brain_mask.nii.gz")
    inside = mask.get_fdata() > 0
    ijk = nib.affines.apply_affine(np.linalg.inv(mask.affine), one["centre_mm"]).round().astype(int)
    return int(np.flatnonzero(np.flatnonzero(inside) == np.ravel_multi_index(ijk, inside.shape))[0])


def test_mask_is_nilearns(pain):
    from nilearn.datasets import load_mni152_brain_mask

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = load_mni152_brain_mask(resolution=2)
    mask = nib.load(pain / "brain_mask.nii.gz")

    assert_allclose(mask.affine, expected.affine, rtol=0, atol=0)
    assert np.array_equal(mask.get_fdata(), expected.get_fdata())
    assert mask.get_fdata().sum() == 235_375


def test_there_are_three_maps_of_each_of_28_people(pain):
    table = pd.read_csv(pain / "metadata.csv")

    assert list(table.columns) == ["file", "subject", "pain_level", "intensity"]
    assert len(table) == 84
    assert (table.groupby("subject").pain_level.apply(sorted).map(tuple) == (1, 2, 3)).all()
    assert all((pain / file).exists() for file in table.file)


def test_effect_in_each_region_grows_with_pain_as_was_put_in(maps, pain):
    truth = truth_of(pain)
    for one in truth["regions"]:
        voxel = middle_of(one, pain)
        for level, values in maps.items():
            expected = truth["effect"][str(level)] * one["weight"]
            # sqrt(1 + 0.5**2 + (0.3 * 1.6)**2) / sqrt(28) is 0.23; three of them
            assert values[:, voxel].mean() == pytest.approx(expected, abs=0.7), (one, level)
        trend = np.polyfit([1, 2, 3], [maps[level][:, voxel].mean() for level in (1, 2, 3)], 1)[0]
        assert trend == pytest.approx(0.5 * one["weight"], abs=0.45)


def test_group_test_finds_the_regions_and_little_else(maps, pain):
    t = stats.ttest_1samp(maps[3], 0).statistic

    for one in truth_of(pain)["regions"]:
        assert t[middle_of(one, pain)] > 3.0, one["name"]
    bonferroni = stats.t.isf(0.025 / t.size, 27)
    mask = nib.load(pain / "brain_mask.nii.gz")
    found_mm = nib.affines.apply_affine(
        mask.affine, np.argwhere(mask.get_fdata() > 0)[t > bonferroni]
    )
    nearest = [
        np.linalg.norm(found_mm - one["centre_mm"], axis=1) / one["radius_mm"]
        for one in truth_of(pain)["regions"]
    ]
    assert len(found_mm) > 100
    assert np.min(nearest, axis=0).max() < 1.4


def test_noise_has_the_size_and_the_smoothness_that_are_said(maps, pain):
    noise = maps[3] - maps[3].mean(axis=0)

    # One map's noise, and half as much that is in all maps of a person.
    assert np.median(noise.std(axis=0, ddof=1)) == pytest.approx(np.sqrt(1.25), rel=0.03)
    shared = np.mean([np.corrcoef(maps[1][n], maps[2][n])[0, 1] for n in range(28)])
    assert shared == pytest.approx(0.25 / 1.25, abs=0.03)
    inside = voxels(pain / "brain_mask.nii.gz") > 0
    picture = np.zeros(inside.shape)
    picture[inside] = noise[0]
    steps = [np.diff(picture, axis=axis)[20:70, 30:80, 30:60].var() for axis in range(3)]
    alike = 1 - np.mean(steps) / (2 * picture[20:70, 30:80, 30:60].var())
    # of a bell curve: neighbours at 2 mm are alike by exp(-(2 mm / sd)**2 / 4)
    fwhm_mm = 2 * np.sqrt(8 * np.log(2)) / np.sqrt(-4 * np.log(alike))
    assert fwhm_mm == pytest.approx(truth_of(pain)["noise_fwhm_mm"], rel=0.1)


def test_head_has_the_grid_of_the_old_localizer_and_bright_fat_around_a_brain(files_of_dataset):
    image = nib.load(files_of_dataset("localizer-t1") / "localizer_t1.nii.gz")
    head = image.get_fdata()

    assert image.shape == (157, 189, 136)
    assert image.affine.tolist() == [[-1, 0, 0, 78], [0, 1, 0, -112], [0, 0, 1, -50], [0, 0, 0, 1]]
    assert 0 <= head.min() < head.max() <= 255
    # from the left ear to the middle: air or scalp, dark bone, brain
    line = head[::-1, 100, 75][: 157 // 2]
    scalp = int(np.argmax(line > 120))
    bone = scalp + int(np.argmax(line[scalp:] < 40))
    brain = bone + int(np.argmax(line[bone:] > 90))
    assert scalp < bone < brain < 25


def test_marker_lies_on_the_right(files_of_dataset):
    folder = files_of_dataset("localizer-t1")
    image = nib.load(folder / "localizer_t1.nii.gz")
    at_mm = np.array(truth_of(folder)["right_marker_mm"])
    i, j, k = nib.affines.apply_affine(np.linalg.inv(image.affine), at_mm).round().astype(int)
    mirrored = nib.affines.apply_affine(np.linalg.inv(image.affine), at_mm * [-1, 1, 1])

    assert at_mm[0] > 0
    assert image.get_fdata()[i, j, k] > 220
    assert image.get_fdata()[tuple(mirrored.round().astype(int))] < 220


def test_tissues_of_the_head_can_be_told_apart(files_of_dataset):
    """White matter is brighter than grey, and grey brighter than fluid, where the template says."""
    folder = files_of_dataset("localizer-t1")
    head = nib.load(folder / "localizer_t1.nii.gz")
    near = nib.affines.apply_affine(
        np.linalg.inv(head.affine), [[-25, -30, 26], [-11, -18, 8], [-6, 12, 12]]
    )
    smooth = ndimage.gaussian_filter(head.get_fdata(), 0.7)
    white, thalamus, _ = (smooth[tuple(point.round().astype(int))] for point in near)

    assert white > thalamus > 60


def test_amygdalae_are_two_and_lie_where_is_said(files_of_dataset):
    folder = files_of_dataset("amygdala")
    image = nib.load(folder / "amygdala_mask.nii.gz")
    parts, count = ndimage.label(image.get_fdata())
    centres_mm = nib.affines.apply_affine(
        image.affine, ndimage.center_of_mass(image.get_fdata(), parts, range(1, count + 1))
    )

    assert count == 2
    assert image.shape == (99, 117, 95)
    assert_allclose(sorted(centres_mm.tolist()), [[-24, -4, -18], [24, -4, -18]], atol=0.01)


@pytest.mark.parametrize("dataset", ["localizer-t1", "localizer-bold", "pain-maps", "amygdala"])
def test_every_image_and_sidecar_says_that_it_is_synthetic(files_of_dataset, dataset):
    folder = files_of_dataset(dataset)
    images = sorted(folder.glob("*.nii.gz"))

    assert images
    for image in images:
        assert b"synthetic" in nib.load(image).header["descrip"].item()
    for sidecar in folder.glob("*.json"):
        if not sidecar.name.startswith("."):
            assert json.loads(sidecar.read_text())["Synthetic"] is True
    assert truth_of(folder)["Synthetic"] is True
