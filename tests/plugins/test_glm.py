"""The lesson on first-level models says what its model finds, and finds what was put in."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from nilearn.glm import compute_contrast, threshold_stats_img
from nilearn.glm.first_level import FirstLevelModel, run_glm
from nilearn.maskers import NiftiMasker
from numpy.testing import assert_allclose
from scipy import stats

import neuroprimer
from neuroprimer.imaging import (
    BrainData,
    apply_mask,
    as_4d,
    brain_mask,
    load_image,
    region_signals,
)
from neuroprimer_glm.comparing import DesignPlan, make_design

QUESTION = "checkerboard - sentence"
ANSWERING = (1, 2, 3)  # the regions that QUESTION asks about
TR_S = 2.4


@pytest.fixture(scope="module")
def lesson():
    return neuroprimer.lesson("first-level-model")


@pytest.fixture(scope="module")
def prose(lesson):
    return re.sub(r"\s+", " ", lesson.lesson.path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def truth(lesson):
    return json.loads(lesson.data("localizer-bold", "truth.json").read_text())


@pytest.fixture(scope="module")
def brain(lesson):
    run = as_4d(load_image(lesson.data("localizer-bold", "localizer_bold.nii.gz")))
    return BrainData(run, brain_mask(run))[2:]


@pytest.fixture(scope="module")
def plan(lesson):
    events = pd.read_csv(lesson.data("localizer-bold", "events.tsv"), sep="\t")
    return DesignPlan(events=events, times_s=np.arange(128)[2:] * TR_S)


@pytest.fixture(scope="module")
def design(plan):
    return make_design(plan)


@pytest.fixture(scope="module")
def labels(lesson):
    return load_image(lesson.data("localizer-bold", "active_regions.nii.gz"))


@pytest.fixture(scope="module")
def region_of(labels, brain):
    return apply_mask(labels, brain.mask)[0]


@pytest.fixture(scope="module")
def signals(brain, labels, truth):
    signals = region_signals(brain, labels)
    signals.columns = [region["name"] for region in truth["regions"]]
    return signals


@pytest.fixture(scope="module")
def peak():
    event = pd.DataFrame({"onset": [0.0], "duration": [3.0], "trial_type": ["one"]})
    alone = DesignPlan(events=event, times_s=np.arange(0, 30, 0.2), drift_model=None)
    return make_design(alone)["one"].max()


def fit_with_nilearn(brain, design, noise_model):
    masker = NiftiMasker(mask_img=brain.mask, standardize=None).fit()
    model = FirstLevelModel(mask_img=masker, noise_model=noise_model, signal_scaling=False)
    return model.fit(brain.to_image(), design_matrices=design)


@pytest.fixture(scope="module")
def models(brain, design):
    return {name: fit_with_nilearn(brain, design, name) for name in ("ols", "ar1")}


@pytest.fixture(scope="module")
def z_images(models):
    return {
        name: model.compute_contrast(QUESTION, output_type="z_score")
        for name, model in models.items()
    }


def weights_of(design, **weights):
    return np.array([weights.get(name, 0.0) for name in design])


def whitened(values, rho):
    """Return independent noise of the variance that noise of this autocorrelation is made from."""
    first = np.sqrt(1 - rho**2) * values[:1]
    return np.concatenate([first, values[1:] - rho * values[:-1]])


def generalised_least_squares(signals, design, rho, weights):
    """Return effect and standard error for noise of a known autocorrelation, without nilearn."""
    x, y = whitened(design.to_numpy(), rho), whitened(signals, rho)
    betas = np.linalg.lstsq(x, y, rcond=None)[0]
    variance = np.sum((y - x @ betas) ** 2, axis=0) / (len(x) - x.shape[1])
    return weights @ betas, np.sqrt(variance * (weights @ np.linalg.inv(x.T @ x) @ weights))


def estimate(signal, design, weights):
    """Return effect and t as the lesson finds them."""
    labels, results = run_glm(signal[:, np.newaxis], design.to_numpy(), noise_model="ar1")
    contrast = compute_contrast(labels, results, weights)
    return contrast.effect_size()[0], contrast.stat()[0]


def test_betas_of_nilearn_are_those_of_numpy(models, brain, design):
    some = slice(None, None, 50)
    image = models["ols"].compute_contrast("sentence", output_type="effect_size")

    expected = np.linalg.lstsq(design.to_numpy(), brain.data[:, some].astype(float), rcond=None)[0]

    sentence = expected[design.columns.get_loc("sentence")]
    assert_allclose(apply_mask(image, brain.mask)[0, some], sentence, rtol=0, atol=1e-2)


def test_t_by_hand_is_that_of_nilearn(signals, design):
    weights = weights_of(design, checkerboard=1, sentence=-1)
    visual = signals["visual"].to_numpy()
    labels, results = run_glm(visual[:, np.newaxis], design.to_numpy(), noise_model="ols")

    effect, standard_error = generalised_least_squares(visual, design, 0, weights)

    found = compute_contrast(labels, results, weights).stat()[0]
    assert found == pytest.approx(effect / standard_error, rel=1e-6)


@pytest.mark.parametrize("index", range(5))
def test_response_of_each_region_is_found_within_three_standard_errors(
    signals, design, truth, peak, index
):
    region = truth["regions"][index]
    signal = signals[region["name"]].to_numpy()
    weights = weights_of(design, **{region["events"][0]: 1})

    effect, standard_error = generalised_least_squares(
        signal, design, truth["autocorrelation"], weights
    )

    per_beta = 100 * peak / signal.mean()
    assert standard_error * per_beta < 0.3
    assert effect * per_beta == pytest.approx(
        region["effect_percent"], abs=3 * standard_error * per_beta
    )


def test_drift_columns_follow_the_line_and_the_wave(brain, design, truth):
    signal = brain.mean("voxels").astype(float)
    slow = [name for name in design if name.startswith("drift") or name == "constant"]
    betas = pd.Series(np.linalg.lstsq(design.to_numpy(), signal, rcond=None)[0], design.columns)
    volumes = np.arange(128)
    put_in = (
        truth["drift_percent_per_run"] * volumes / 127
        + truth["slow_wave_percent"] * np.cos(2 * np.pi * (volumes + 0.5) / 128)
    )[2:]

    found = 100 * (design[slow] @ betas[slow]).to_numpy() / betas["constant"]

    assert_allclose(found - found.mean(), put_in - put_in.mean(), atol=0.2)


def test_one_event_is_as_high_as_the_prose_says(peak, prose):
    assert peak == pytest.approx(0.59, abs=0.005)
    assert "Keep the 0.59 in mind" in prose


def test_first_volume_that_is_left_is_where_the_clock_says(plan, prose):
    assert plan.times_s[0] == pytest.approx(4.8)
    assert "the first volume that is left was taken at 4.8 s" in prose


def share_of_false(z_image, brain, region_of, p):
    z = np.abs(apply_mask(z_image, brain.mask)[0][region_of == 0])
    return np.mean(z > stats.norm.isf(p / 2))


def test_least_squares_lets_too_many_pass(z_images, brain, region_of, prose):
    shares = [share_of_false(z_images["ols"], brain, region_of, p) for p in (0.05, 0.001)]

    assert shares[0] / 0.05 == pytest.approx(2.4, abs=0.3)
    assert shares[1] / 0.001 == pytest.approx(9, abs=0.5)
    assert "More than twice as many, and nine times as many" in prose


@pytest.mark.parametrize("p", [0.05, 0.001])
def test_autoregressive_noise_repairs_most_of_it_and_not_all(z_images, brain, region_of, p):
    ols, ar1 = (share_of_false(z_images[name], brain, region_of, p) for name in ("ols", "ar1"))

    assert p < ar1 < p + 0.4 * (ols - p)


@pytest.mark.parametrize("p", [0.05, 0.001])
def test_chance_keeps_its_word_once_the_noise_is_known(brain, design, truth, region_of, p):
    weights = weights_of(design, checkerboard=1, sentence=-1)
    elsewhere = brain.data[:, region_of == 0].astype(float)

    effect, standard_error = generalised_least_squares(
        elsewhere, design, truth["autocorrelation"], weights
    )

    df = len(brain) - design.shape[1]
    passed = np.abs(effect / standard_error) > stats.t.isf(p / 2, df)
    assert passed.mean() == pytest.approx(p, rel=0.1)


def test_residuals_linger_less_than_the_noise(brain, design, truth, prose):
    y = brain.data.astype(float)
    x = design.to_numpy()
    left_over = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]

    lag_1 = np.sum(left_over[1:] * left_over[:-1], axis=0) / np.sum(left_over**2, axis=0)

    assert f"{truth['autocorrelation']} was put in" in prose
    assert f"the residuals show {np.median(lag_1):.2f}" in prose


def keep(z_image, brain, **options):
    image, _ = threshold_stats_img(
        z_image, mask_img=brain.mask, alpha=0.05, height_control="fdr", **options
    )
    return apply_mask(image, brain.mask)[0] != 0


@pytest.mark.parametrize(("noise_model", "one_of"), [("ols", 2), ("ar1", 7)])
def test_share_of_false_discoveries_in_the_prose(z_images, brain, region_of, noise_model, one_of):
    found = keep(z_images[noise_model], brain)

    assert np.mean(~np.isin(region_of[found], ANSWERING)) == pytest.approx(1 / one_of, abs=0.02)


def test_five_neighbours_make_nothing_up_and_hide_the_left_auditory_region(
    z_images, brain, region_of
):
    found = keep(z_images["ar1"], brain, cluster_threshold=5)

    assert set(region_of[found]) == {1, 3}
    assert (region_of[keep(z_images["ar1"], brain)] == 2).any()


def test_four_of_five_bars_hold_the_truth(signals, design, truth, peak, prose):
    held = {}
    for region in truth["regions"]:
        signal = signals[region["name"]].to_numpy()
        constant = np.linalg.lstsq(design.to_numpy(), signal, rcond=None)[0][-1]
        effect, t = estimate(signal, design, weights_of(design, **{region["events"][0]: 1}))
        percent = 100 * peak * effect / constant
        held[region["name"]] = abs(percent - region["effect_percent"]) < 2 * abs(percent / t)
        if region["name"] == "visual":
            assert f"we found {percent:.2f} % and 2.5 % was put in" in prose

    assert [name for name, is_held in held.items() if not is_held] == ["visual"]


def test_columns_that_look_alike_share_the_response_and_lose_certainty(signals, plan, design):
    seen = plan.events[plan.events["trial_type"] == "checkerboard"]
    cross = seen.assign(onset=seen["onset"] + 0.5, trial_type="cross")
    crowded = make_design(DesignPlan(events=pd.concat([plan.events, cross]), times_s=plan.times_s))
    visual = signals["visual"].to_numpy()

    def standard_error(design, **weights):
        effect, t = estimate(visual, design, weights_of(design, **weights))
        return effect / t

    alone = standard_error(design, checkerboard=1)
    assert standard_error(crowded, checkerboard=1) / alone == pytest.approx(4, abs=0.5)
    together = standard_error(crowded, checkerboard=1, cross=1)
    assert together / alone == pytest.approx(1, abs=0.1)


def test_late_model_loses_a_third_and_only_the_residuals_tell(signals, plan, design):
    late = make_design(
        DesignPlan(events=plan.events.assign(onset=plan.events["onset"] + 2), times_s=plan.times_s)
    )
    visual = signals["visual"].to_numpy()

    (right, _), (wrong, t) = (
        estimate(visual, one, weights_of(one, checkerboard=1)) for one in (design, late)
    )
    squares, squares_late = (
        np.linalg.lstsq(one.to_numpy(), visual, rcond=None)[1][0] for one in (design, late)
    )

    assert wrong / right == pytest.approx(2 / 3, abs=0.05)
    assert t > 5
    assert squares_late / squares == pytest.approx(4, abs=0.3)
