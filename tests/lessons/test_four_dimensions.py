"""The lesson on runs: what its prose says of the synthetic run is so, and near to the truth."""

import json
import re

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import neuroprimer
from neuroprimer.imaging import (
    BrainData,
    as_4d,
    brain_mask,
    detrend,
    load_image,
    mean_signal,
    repetition_time_s,
    world_to_voxel,
)


@pytest.fixture(scope="module")
def lesson():
    return neuroprimer.lesson("four-dimensions")


@pytest.fixture(scope="module")
def prose(lesson):
    return re.sub(r"\s+", " ", lesson.lesson.path.read_text())


@pytest.fixture(scope="module")
def raw(lesson):
    return load_image(lesson.data("localizer-bold", "localizer_bold.nii.gz"))


@pytest.fixture(scope="module")
def truth(lesson):
    return json.loads(lesson.data("localizer-bold", "truth.json").read_text())


@pytest.fixture(scope="module")
def mask(raw):
    return brain_mask(as_4d(raw))


@pytest.fixture(scope="module")
def brain(raw, mask):
    return BrainData(as_4d(raw), mask)


def test_obvious_cures_lose_the_repetition_time_and_ours_keeps_it(raw, lesson):
    squeezed = np.squeeze(np.asanyarray(raw.dataobj[..., :2]))
    by_hand = nib.Nifti1Image(squeezed, raw.affine, raw.header)

    assert len(raw.shape) == 5
    assert nib.squeeze_image(raw).shape == raw.shape
    assert by_hand.header.get_zooms()[3] == 1
    assert_allclose(raw.header["pixdim"][4:6], (1, 2.4))
    sidecar = lesson.data("localizer-bold", "localizer_bold.json")
    assert repetition_time_s(as_4d(raw), sidecar=sidecar) == 2.4  # and warns of nothing


def test_most_of_the_field_of_view_is_air(raw, mask, brain, prose):
    everywhere, in_brain = mean_signal(as_4d(raw)).mean(), brain.mean("voxels").mean()

    assert np.mean(np.asanyarray(mask.dataobj)) == pytest.approx(0.25, abs=0.05)
    assert "Three of four voxels are not brain" in prose
    assert f"about {everywhere:.0f} on the left, about {in_brain:.0f} on the right" in prose


def test_two_volumes_are_unsteady_and_their_height_is_found(brain, truth):
    signal = brain.mean("voxels")
    found = 100 * (signal[:4] / signal[10:20].mean() - 1)

    assert_allclose(found, [*truth["settling_percent"], 0, 0], atol=0.3)


def test_first_volumes_make_the_drift_steeper_by_a_third(brain, truth):
    signal = brain.mean("voxels")
    with_them, without = (drift_percent(part) for part in (signal, signal[2:]))

    assert without == pytest.approx(truth["drift_percent_per_run"], abs=0.1)
    assert with_them / without == pytest.approx(4 / 3, abs=0.05)


def drift_percent(signal):
    volumes = np.arange(len(signal))
    slope, start = np.polyfit(volumes, signal, deg=1)
    return 100 * slope * volumes[-1] / start


def test_tsnr_rises_to_the_truth_with_each_step(brain, truth):
    steady = brain[2:]
    flat = detrend(steady) + steady.mean()
    found = [np.median((part.mean() / part.std()).data) for part in (brain, steady, flat)]

    assert found == sorted(found)
    assert found[-1] == pytest.approx(truth["tsnr"], rel=0.02)


def test_response_of_the_voxel_is_late_and_near_the_truth(lesson, brain, truth):
    events = pd.read_csv(lesson.data("localizer-bold", "events.tsv"), sep="\t")
    affine = brain.grid.affine
    steady = brain[2:]
    ijk = tuple(np.round(world_to_voxel(affine, (0, -84, 2))).astype(int))
    voxel = (detrend(steady) + steady.mean()).to_image().get_fdata()[ijk]
    percent = 100 * (voxel / voxel.mean() - 1)
    lags_s, times_s = np.arange(-3, 18.1, 1.5), np.arange(2, 128) * 2.4
    seen, heard = (
        np.mean([np.interp(onset_s + lags_s, times_s, percent) for onset_s in onsets_s], axis=0)
        for onsets_s in (
            events.loc[events["trial_type"] == kind, "onset"]
            for kind in ("checkerboard", "sentence")
        )
    )

    assert 6 <= lags_s[seen.argmax()] <= 8
    assert seen.min() < 0
    rise = seen.max() - seen[lags_s == 0][0]
    assert rise == pytest.approx(truth["regions"][0]["effect_percent"], abs=0.3)
    assert (seen - heard)[(lags_s >= 6) & (lags_s <= 8)].min() > 1.5
