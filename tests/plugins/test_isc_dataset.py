"""The dataset of viewers: the same everywhere, called synthetic, and true to what is said of it."""

import json
import os
import subprocess
import sys

import nibabel as nib
import numpy as np
import pytest
from numpy.testing import assert_allclose

from neuroprimer.imaging import load_image, repetition_time_s
from neuroprimer.teaching import content_digest, dataset_files, load_catalogue
from neuroprimer.teaching.kept_data import DatasetError
from neuroprimer_isc import dataset as plugins_data
from neuroprimer_isc import plugin
from neuroprimer_isc.dataset import FILM_WATCHING


@pytest.fixture(scope="module")
def folder():
    catalogue = load_catalogue()
    return dataset_files(catalogue, catalogue.datasets["film-watching"])[0].parent


@pytest.fixture(scope="module")
def truth(folder):
    return json.loads((folder / "truth.json").read_text())


@pytest.fixture(scope="module")
def inside(folder):
    return nib.load(folder / "brain_mask.nii.gz").get_fdata() > 0


@pytest.fixture(scope="module")
def labels(folder, inside):
    return nib.load(folder / "regions.nii.gz").get_fdata()[inside]


@pytest.fixture(scope="module")
def percent(folder, inside):
    """Viewers x volumes x voxels, in percent of the first volume of a fitted line."""
    files = sorted(folder.glob("sub-*_bold.nii.gz"))
    runs = np.stack([nib.load(file).get_fdata()[inside].T for file in files])
    lines = np.linspace(0, 1, runs.shape[1])
    fit = np.stack([np.polyfit(lines, run, deg=1) for run in runs])
    return 100 * runs / fit[:, [1]]


@pytest.fixture(scope="module")
def flat(percent):
    times = np.arange(percent.shape[1])
    fits = [np.polyfit(times, run, deg=1) for run in percent]
    return np.stack(
        [run - np.outer(times, f[0]) - f[1] for run, f in zip(percent, fits, strict=True)]
    )


@pytest.fixture(scope="module")
def in_time(flat, truth):
    """All films from the same moment on."""
    viewer = int(truth["late_viewer"][-2:]) - 1
    late = round(truth["late_s"] / truth["repetition_time_s"])
    return np.stack([run[late:] if n == viewer else run[:-late] for n, run in enumerate(flat)])


def mean_r_of_pairs(signals):
    """Average of all pairs over all voxels, with numpy alone."""
    n_viewers = len(signals)
    tables = [np.corrcoef(signals[:, :, voxel]) for voxel in range(signals.shape[2])]
    return np.mean([table[np.triu_indices(n_viewers, 1)].mean() for table in tables])


def test_what_is_made_is_what_was_recorded_also_with_other_code_paths(tmp_path):
    """numpy without the fast instructions of this processor stands for another processor."""
    # numpy tells in no public place what it can do without.
    from numpy._core._multiarray_umath import __cpu_dispatch__ as fast

    done = subprocess.run(
        [sys.executable, "-m", "neuroprimer_isc.synthesis", str(tmp_path)],
        env={**os.environ, "NPY_DISABLE_CPU_FEATURES": " ".join(fast)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    made = {file.name: content_digest(file) for file in tmp_path.iterdir()}
    assert made == FILM_WATCHING.files


def test_no_value_is_beyond_what_its_byte_can_hold(percent):
    """What is too large comes out as next to nothing."""
    assert percent.min() > 80
    assert percent.max() < 120


def test_dataset_says_that_it_is_synthetic_wherever_a_person_sees_it(folder):
    assert FILM_WATCHING.is_synthetic
    assert "synthetic" in FILM_WATCHING.title.lower()
    assert "synthetic" in FILM_WATCHING.description.lower()
    images = sorted(folder.glob("*.nii.gz"))
    assert len(images) == 18
    for image in images:
        assert b"synthetic" in nib.load(image).header["descrip"].item()
    for sidecar in ("task-film_bold.json", "truth.json"):
        assert json.loads((folder / sidecar).read_text())["Synthetic"] is True


def test_dataset_takes_no_more_room_than_is_said(folder):
    size_mb = sum(file.stat().st_size for file in folder.iterdir()) / 1e6

    assert size_mb == pytest.approx(FILM_WATCHING.size_mb, rel=0.05)


def test_runs_are_made_without_loading_what_made_them():
    code = (
        "import sys, neuroprimer.teaching as t; c = t.load_catalogue(); "
        "print(t.dataset_files(c, c.datasets['film-watching'])[0].name, "
        "{'numpy', 'scipy', 'nibabel'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["brain_mask.nii.gz", "set()"]


def test_failure_of_the_synthesis_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")

    with pytest.raises(DatasetError, match="could not be made: it was stopped"):
        plugins_data.make_film_watching(tmp_path)


def test_what_is_not_ours_is_left_to_others(tmp_path):
    others = load_catalogue().datasets["mni152-t1"]

    assert plugin.provide_dataset(others, tmp_path, "sample") is None
    assert plugin.provide_dataset(FILM_WATCHING, tmp_path, "full") is None


def test_runs_lie_in_the_template_and_know_their_repetition_time(folder, truth):
    for file in sorted(folder.glob("sub-*_bold.nii.gz")):
        run = load_image(file)
        assert run.shape == (19, 23, 19, 120)
        assert_allclose(run.affine, nib.load(folder / "brain_mask.nii.gz").affine)
        assert run.header["sform_code"] == 4  # MNI
        sidecar = folder / "task-film_bold.json"
        assert repetition_time_s(run, sidecar=sidecar) == truth["repetition_time_s"] == 2


def test_regions_lie_where_the_truth_says(folder, truth):
    image = nib.load(folder / "regions.nii.gz")
    numbers = image.get_fdata()
    for one in truth["regions"]:
        places = np.argwhere(numbers == one["label"])
        centre_mm = nib.affines.apply_affine(image.affine, places).mean(axis=0)
        assert len(places) == one["voxels"]
        assert np.linalg.norm(centre_mm - one["centre_mm"]) < 6  # less than a voxel


def test_two_viewers_correlate_as_was_put_in(in_time, labels, truth):
    for one in truth["regions"]:
        found = mean_r_of_pairs(in_time[:, :, labels == one["label"]])
        # Signals run over 117 volumes, worth some 40; the noise averages out over pairs and voxels.
        assert found == pytest.approx(one["pairwise_isc"], abs=0.015), one["name"]
    elsewhere = in_time[:, :, np.flatnonzero(labels == 0)[::9]]
    assert mean_r_of_pairs(elsewhere) == pytest.approx(0, abs=0.005)


def test_late_viewer_is_late_by_what_is_said(flat, labels, truth):
    visual = flat[:, :, labels == 1].mean(axis=2)
    found = {}
    for viewer in range(16):
        others = np.delete(visual, viewer, axis=0).mean(axis=0)
        lags = range(-8, 9)
        r = [np.corrcoef(np.roll(visual[viewer], -lag), others)[0, 1] for lag in lags]
        found[f"sub-{viewer + 1:02}"] = lags[int(np.argmax(r))] * truth["repetition_time_s"]

    assert found.pop(truth["late_viewer"]) == truth["late_s"]
    assert set(found.values()) == {0}


def test_regions_follow_the_film_of_the_truth(flat, labels, truth):
    in_time = [n for n in range(16) if f"sub-{n + 1:02}" != truth["late_viewer"]]
    for one in truth["regions"]:
        if one["source"] in truth["film"]:
            signal = flat[in_time][:, :, labels == one["label"]].mean(axis=(0, 2))
            film = np.array(truth["film"][one["source"]])
            assert np.corrcoef(signal, film)[0, 1] > 0.9, one["name"]  # the story is weak
            slope = (signal @ film) / (film @ film)
            assert slope == pytest.approx(one["signal_percent"], abs=0.05), one["name"]


def test_own_thoughts_are_as_lively_as_the_visual_region(flat, labels, truth):
    visual, own = (flat[:, :, labels == label].mean(axis=2).std() for label in (1, 5))

    assert truth["regions"][4]["signal_percent"] == truth["regions"][0]["signal_percent"]
    assert own == pytest.approx(visual, rel=0.05)


def test_drift_of_each_viewer_is_the_one_that_was_put_in(percent, labels, truth):
    quiet = percent[:, :, labels == 0].mean(axis=2)
    share = np.linspace(0, 1, quiet.shape[1])
    found = [np.polyfit(share, one / one[:5].mean(), deg=1) for one in quiet]

    assert_allclose(
        [100 * slope / level for slope, level in found], truth["drift_percent_per_run"], atol=0.15
    )


def test_noise_has_the_size_and_the_slowness_that_are_said(flat, labels, truth):
    noise = flat[:, :, labels == 0]
    n_volumes = noise.shape[1]
    lag_one = (noise[:, 1:] * noise[:, :-1]).sum(axis=1) / (noise**2).sum(axis=1)

    # What is left by a line of noise whose neighbours in time are alike, from the algebra of it.
    times = np.arange(n_volumes)
    alike = truth["autocorrelation"] ** np.abs(np.subtract.outer(times, times))
    line = np.stack([np.ones(n_volumes), times], axis=1)
    left = np.eye(n_volumes) - line @ np.linalg.pinv(line)
    left_alike = left @ alike @ left
    expected_sd = np.sqrt(np.trace(left_alike) / n_volumes)
    expected_lag_one = np.trace(left_alike, 1) / np.trace(left_alike)

    # Rounding to steps of 4 adds a hundredth to the variance.
    found = np.sqrt((noise**2).mean())
    assert found == pytest.approx(truth["noise_percent"] * expected_sd, rel=0.015)
    assert lag_one.mean() == pytest.approx(expected_lag_one, abs=0.015)
