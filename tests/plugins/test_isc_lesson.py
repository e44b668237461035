"""The lesson on inter-subject correlation: what its prose says of the viewers is so."""

import re

import numpy as np
import pytest

import neuroprimer
from neuroprimer.imaging import BrainData, apply_mask, detrend, load_image
from neuroprimer_isc.correlation import (
    average_correlation,
    chance_isc,
    leave_one_out_isc,
    pairwise_isc,
)

LATE, LATE_VOLUMES = 11, 3


@pytest.fixture(scope="module")
def lesson():
    return neuroprimer.lesson("inter-subject-correlation")


@pytest.fixture(scope="module")
def prose(lesson):
    return re.sub(r"\s+", " ", lesson.lesson.path.read_text())


@pytest.fixture(scope="module")
def mask(lesson):
    return load_image(lesson.data("film-watching", "brain_mask.nii.gz"))


@pytest.fixture(scope="module")
def runs(lesson, mask):
    names = [f"sub-{number:02}_task-film_bold.nii.gz" for number in range(1, 17)]
    return [BrainData(lesson.data("film-watching", name), mask) for name in names]


@pytest.fixture(scope="module")
def signals(runs):
    return np.stack([run.pipe(detrend).data for run in runs])


@pytest.fixture(scope="module")
def regions(lesson, mask):
    labels = apply_mask(load_image(lesson.data("film-watching", "regions.nii.gz")), mask)[0]
    names = ["elsewhere", "visual", "auditory_left", "auditory_right", "story", "own_thoughts"]
    return {name: labels == number for number, name in enumerate(names)}


@pytest.fixture(scope="module")
def aligned(signals):
    return np.stack(
        [
            table[LATE_VOLUMES:] if viewer == LATE else table[:-LATE_VOLUMES]
            for viewer, table in enumerate(signals)
        ]
    )


@pytest.fixture(scope="module")
def isc(aligned):
    return average_correlation(leave_one_out_isc(aligned))


@pytest.fixture(scope="module")
def chance(aligned):
    return chance_isc(aligned, n_shifts=200, seed=0)


def mean_of_pairs(signals, inside):
    return average_correlation(average_correlation(pairwise_isc(signals[:, :, inside])))


def test_there_are_as_many_viewers_pairs_volumes_and_voxels_as_is_said(signals, aligned, prose):
    assert signals.shape == (16, 120, 3816)
    assert len(pairwise_isc(signals[:, :, :1])) == 120
    assert aligned.shape[1] == 117
    assert "16 runs, of 120 volumes each" in prose
    assert "16 x 15 / 2 = 120 pairs" in prose
    assert "117 volumes are worth far fewer" in prose
    assert "there are 3816 voxels" in prose


def test_drift_alone_correlates_where_nothing_is_shared(runs, signals, regions, prose):
    raw = np.stack([run.data for run in runs])

    found = mean_of_pairs(raw, regions["elsewhere"])

    assert f"correlate, with {found:.2f}" in prose
    assert abs(mean_of_pairs(signals, regions["elsewhere"])) < 0.005


def test_one_viewer_goes_with_nobody_and_all_others_with_each_other(signals, regions):
    r = np.corrcoef(signals[:, :, regions["visual"]].mean(axis=2))
    others = np.delete(np.delete(r, LATE, axis=0), LATE, axis=1)

    assert others.min() > 0.8
    assert np.abs(np.delete(r[LATE], LATE)).max() < 0.2


def test_late_viewer_is_found_and_timing_matters_as_is_said(signals, regions, prose):
    visual = signals[:, :, regions["visual"]].mean(axis=2)
    others = np.delete(visual, LATE, axis=0).mean(axis=0)
    r = {lag: np.corrcoef(others, np.roll(visual[LATE], -lag))[0, 1] for lag in range(-6, 7)}

    assert max(r, key=r.get) == LATE_VOLUMES
    assert r[0] == pytest.approx(0, abs=0.05)
    assert r[3] == pytest.approx(0.9, abs=0.05)
    assert max(r[2], r[4]) < 0.7
    assert "fallen from 0.9 to less than 0.7" in prose


def test_late_viewer_lowers_the_result_by_more_than_a_tenth(signals, aligned, regions):
    before, now = (mean_of_pairs(data, regions["visual"]) for data in (signals, aligned))

    assert 0.8 < before / now < 0.9


def test_both_averages_of_correlations_err_as_is_said():
    rng = np.random.default_rng(1)
    for n_volumes, largest in ((20, 0.012), (117, 0.003)):
        for true_r in (0.5, 0.9):
            first, noise = rng.standard_normal((2, n_volumes, 20_000))
            second = true_r * first + np.sqrt(1 - true_r**2) * noise
            r = pairwise_isc([first, second])[0]
            assert -largest < r.mean() - true_r < 0
            assert 0 < average_correlation(r) - true_r < largest
            assert np.arctanh(r).std() == pytest.approx(1 / np.sqrt(n_volumes - 3), rel=0.03)


def test_average_that_holds_the_viewer_makes_a_quarter_out_of_nothing(aligned, regions):
    elsewhere = aligned[:, :, regions["elsewhere"]]
    everybody = elsewhere.mean(axis=0)
    r = np.stack([pairwise_isc([table, everybody])[0] for table in elsewhere])

    assert average_correlation(r).mean() == pytest.approx(0.25, abs=0.01)


def test_shuffled_volumes_make_chance_too_small(aligned, chance, regions):
    rng = np.random.default_rng(0)
    seen = aligned[:, :, regions["visual"]]
    shuffled = [
        average_correlation(leave_one_out_isc([rng.permutation(table) for table in seen]))
        for _ in range(100)
    ]

    assert np.std(shuffled) < 0.85 * chance[:, regions["visual"]].std()


def test_threshold_finds_what_is_said_and_makes_nothing_up(isc, chance, regions, prose):
    highest = chance.max(axis=1)
    threshold = np.percentile(highest, 95)
    found = {name: int(np.sum(isc[inside] > threshold)) for name, inside in regions.items()}

    assert threshold == pytest.approx(0.15, abs=0.005)
    assert 0.10 < highest.min() < highest.max() < 0.19
    assert found["elsewhere"] == found["own_thoughts"] == 0
    for name in ("visual", "auditory_left", "auditory_right"):
        assert found[name] == regions[name].sum()
    missed = 1 - found["story"] / regions["story"].sum()
    assert missed == pytest.approx(1 / 5, abs=0.03)
    assert "A fifth of its voxels stay below the threshold" in prose
    assert (isc[regions["visual"]] > 0.55).all()
