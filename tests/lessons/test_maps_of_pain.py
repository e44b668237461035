"""The lesson on maps of pain says what its maps show."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

import neuroprimer
from neuroprimer.imaging import apply_mask, correct_p, smooth, sphere, ttest, union_mask
from neuroprimer_lessons.maps_of_pain.exercises import load_study


@pytest.fixture(scope="module")
def lesson():
    return neuroprimer.lesson("maps-of-pain")


@pytest.fixture(scope="module")
def prose(lesson):
    return " ".join(lesson.lesson.path.read_text(encoding="utf-8").split())


@pytest.fixture(scope="module")
def study(lesson):
    return load_study(lesson.data("pain-maps", "metadata.csv"))


@pytest.fixture(scope="module")
def is_true(lesson, study):
    truth = json.loads(lesson.data("pain-maps", "truth.json").read_text())
    balls = [
        sphere(study.maps.grid, region["centre_mm"], 1.4 * region["radius_mm"])
        for region in truth["regions"]
    ]
    return apply_mask(union_mask(balls), study.maps.mask)[0] > 0


def test_sizes_in_the_prose(study, prose):
    assert study.maps.shape == (84, 235_375)
    assert len(study.low) == len(study.medium) == len(study.high) == 28
    assert "A thousandth of 235,375 is 235" in prose
    assert "here a t of 3.69" in prose
    assert_allclose(stats.t.isf(0.0005, study.result.df), 3.69, atol=0.005)


def test_t_of_the_lesson_is_that_of_scipy(study):
    some = slice(None, None, 1000)

    expected = stats.ttest_rel(study.high.data[:, some], study.low.data[:, some])

    assert_allclose(study.result.t.data[0, some], expected.statistic, rtol=1e-3)


@pytest.mark.parametrize(("level", "share"), [(0.05, 4 / 5), (0.001, 1 / 3)])
def test_share_of_false_voxels_in_the_prose(study, is_true, level, share):
    found = study.result.p.data[0] < level

    assert np.mean(~is_true[found]) == pytest.approx(share, abs=0.03)


def test_number_that_the_quiz_asks_about(study):
    assert np.sum(study.result.p.data < 0.001) == 675


def test_false_discovery_rate_makes_nothing_up_and_misses_nearly_everything(study, is_true):
    found = correct_p(study.result.p).data[0] <= 0.05

    assert found.any()
    assert not np.any(found & ~is_true)
    assert np.mean(found[is_true]) < 0.01


def test_smoothing_finds_thirty_times_as_much_and_keeps_the_promise(study, is_true):
    contrast = study.high - study.low

    blurred = correct_p(ttest(smooth(contrast, fwhm_mm=8)).p).data[0] <= 0.05

    n_before = np.sum(correct_p(study.result.p).data <= 0.05)
    assert np.sum(blurred) / n_before == pytest.approx(30, abs=5)
    assert np.mean(~is_true[blurred]) < 1 / 20


def test_sign_flips_let_one_in_a_thousand_pass(study):
    values = (study.high - study.low).data
    rng = np.random.default_rng(0)

    passed = [
        np.sum(np.abs(stats.ttest_1samp(values * signs[:, np.newaxis], 0).statistic) > 3.69)
        for signs in rng.choice([-1, 1], size=(5, 28))
    ]

    assert 150 < np.mean(passed) < 350


def test_left_insula_has_an_effect_that_does_not_pass(lesson, study):
    truth = json.loads(lesson.data("pain-maps", "truth.json").read_text())
    left, right = truth["regions"][:2]
    ball = sphere(study.maps.grid, left["centre_mm"], 1.4 * left["radius_mm"])
    inside = apply_mask(ball, study.maps.mask)[0] > 0

    strict = correct_p(study.result.p, method="bonferroni").data[0] <= 0.05

    assert (left["name"], right["name"]) == ("insula_left", "insula_right")
    assert left["weight"] == right["weight"]
    assert strict.any()
    assert not strict[inside].any()


def test_wrong_pairs_leave_the_average_and_widen_the_spread(study):
    mixed = study.high - study.low[np.roll(np.arange(28), 1)]
    contrast = study.high - study.low

    assert_allclose(mixed.mean().data, contrast.mean().data, atol=1e-5)
    assert mixed.std(ddof=1).data.mean() > 1.1 * contrast.std(ddof=1).data.mean()
