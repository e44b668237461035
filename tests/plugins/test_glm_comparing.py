"""Comparers of designs and contrasts: right ones pass, each slip earns its own words."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from neuroprimer_glm.comparing import (
    DesignPlan,
    compare_contrasts,
    compare_designs,
    make_design,
)

EVENTS = pd.DataFrame(
    {
        "onset": [6.0, 21.5, 40.0, 58.5, 77.0, 95.5],
        "duration": 4.0,
        "trial_type": ["house", "face"] * 3,
    }
)
# The first two volumes were cut off.
PLAN = DesignPlan(events=EVENTS, times_s=np.arange(2, 70) * 2.0, high_pass_hz=1 / 64)
DESIGN = make_design(PLAN)


def test_right_design_passes_in_single_precision_too():
    assert compare_designs(DESIGN, PLAN) == ""
    assert compare_designs(DESIGN.astype(np.float32), PLAN) == ""


SLIPS = {
    "haemodynamic response is missing": replace(PLAN, hrf_model=None),
    "Without hrf_model, nilearn takes": replace(PLAN, hrf_model="glover"),
    "onsets are seconds": replace(PLAN, events=EVENTS.assign(onset=EVENTS["onset"] / 2)),
    "when was the first volume taken": replace(PLAN, times_s=np.arange(68) * 2.0),
    "only the first is there": replace(PLAN, events=EVENTS.iloc[:2]),
    "columns for it are missing": replace(PLAN, drift_model=None),
    "too many columns for drift": replace(PLAN, high_pass_hz=1 / 40),
    "too few columns for drift": replace(PLAN, high_pass_hz=1 / 128),
    "There are too many rows": replace(PLAN, times_s=np.arange(70) * 2.0),
    "There are too few rows": replace(PLAN, times_s=np.arange(3, 70) * 2.0),
    "There is no column 'house'": replace(PLAN, events=EVENTS.replace("house", "home")),
}


@pytest.mark.parametrize(("words", "slip"), SLIPS.items(), ids=list(SLIPS))
def test_slip_in_a_design_is_told(words, slip):
    assert words in compare_designs(make_design(slip), PLAN)


@pytest.mark.filterwarnings("ignore:.*duration:UserWarning")  # nilearn's own words for this slip
def test_events_without_duration_are_told():
    brief = make_design(replace(PLAN, events=EVENTS.assign(duration=0.0)))

    assert compare_designs(brief, PLAN) == "The events have lost their duration."


ALTERED = {
    "in another order, and contrasts go by the order": DESIGN[DESIGN.columns[::-1]],
    "The column 'motion' does not belong here.": DESIGN.assign(motion=1.0),
    "A column is there twice.": pd.concat([DESIGN, DESIGN[["constant"]]], axis=1),
    "The column 'face' holds what belongs to 'house'.": DESIGN.assign(
        face=DESIGN["house"], house=DESIGN["face"]
    ),
    "Numbers differ, first in the column 'face'.": DESIGN.assign(face=2 * DESIGN["face"]),
    "Some of its numbers are NaN or infinite.": DESIGN.assign(face=np.nan),
    "Not all of its columns hold numbers.": DESIGN.assign(face="a face"),
}


@pytest.mark.parametrize(("words", "answer"), ALTERED.items(), ids=list(ALTERED))
def test_altered_design_is_told(words, answer):
    assert words in compare_designs(answer, PLAN)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "There is no answer yet"),
        (..., "There is no answer yet"),
        ("face", "this is a text"),
        (DESIGN.to_numpy(), "this is a ndarray"),
        (pd.DataFrame(), "too few rows"),
        (DESIGN.rename(columns={"face": 3}), "There is no column 'face'"),
    ],
    ids=["none", "dots", "text", "array", "empty", "number for a name"],
)
def test_anything_may_be_handed_over_for_a_design(answer, words):
    assert words in compare_designs(answer, PLAN)


COLUMNS = ["face", "house", "tone", "drift_1", "constant"]
WEIGHTS = {"face": 1.0, "house": -1.0}


@pytest.mark.parametrize(
    "answer",
    [
        [1, -1, 0, 0, 0],
        np.array([[1.0, -1, 0, 0, 0]]),
        (1, -1, 0, 0, 0),
        pd.Series([1, -1, 0, 0, 0]),
    ],
    ids=["list", "row", "tuple", "series"],
)
def test_right_contrast_passes_in_any_form(answer):
    assert compare_contrasts(answer, WEIGHTS, COLUMNS) == ""


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ([-1, 1, 0, 0, 0], "The sign is turned"),
        ([1, 1, 0, 0, 0], "do not sum to zero"),
        ([1, 0, 0, 0, 0], "do not sum to zero"),
        ([2, -2, 0, 0, 0], "not the size of the effect"),
        ([1, -1, 0], "Every column needs a weight"),
        ([1, -1], "the shape is (2,)"),
        ([0, 1, -1, 0, 0], "in another order than the columns: one of them weighs 'tone'"),
        ([1, -1, 1, 0, -1], "The column 'tone' has no part"),
        ([0, 0, 0, 0, 0], "All weights are zero."),
        ([np.nan, -1, 0, 0, 0], "NaN"),
        ("face - house", "this is a text"),
        (1.0, "this is a number"),
        (None, "There is no answer yet"),
        ([[1, -1, 0, 0, 0]] * 2, "the shape is (2, 5)"),
        ([1, "x", 0, 0, 0], "this is a text"),
        ([1e308, -1e308, 1e308, 0, 0], "do not sum to zero"),
    ],
)
def test_slip_in_a_contrast_is_told(answer, words):
    assert words in compare_contrasts(answer, WEIGHTS, COLUMNS)


def test_parts_of_a_mean_count_as_they_should():
    weights = {"face": 0.5, "house": 0.5, "tone": -1.0}

    assert compare_contrasts([0.7, 0.3, -1, 0, 0], weights, COLUMNS) == (
        "The columns are right, but not how much each of them counts."
    )
