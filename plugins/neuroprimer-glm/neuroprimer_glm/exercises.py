"""The exercises of the lesson on first-level models."""

import json
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from neuroprimer.imaging import as_4d, load_image, region_signals, repetition_time_s
from neuroprimer.teaching import (
    Choice,
    Exercise,
    FindData,
    Incorrect,
    NumericQuiz,
    Quiz,
    WrongAnswer,
)
from neuroprimer.teaching.exercises.comparers import require_number
from neuroprimer_glm.comparing import DesignPlan, compare_contrasts, compare_designs, make_design

Vector: TypeAlias = NDArray[np.float64]

DATASET = "localizer-bold"
UNSTEADY = 2
LEFT, RIGHT, MERGED = "left_button", "right_button", "button"
EVENT_S = 3.0
# A run may be read in single precision.
ROUNDING = 1e-4


@dataclass(frozen=True, kw_only=True)
class Study:
    """The mean signal of each region, and the model of the lesson."""

    signals: pd.DataFrame
    plan: DesignPlan
    design: pd.DataFrame


@lru_cache(maxsize=1)
def load_study(run_file: Path, sidecar: Path, labels: Path, events: Path, truth: Path) -> Study:
    """Read the regions of the steady volumes once for all checks."""
    run = as_4d(load_image(run_file))
    signals = region_signals(run, labels).iloc[UNSTEADY:]
    signals.columns = pd.Index([one["name"] for one in json.loads(truth.read_text())["regions"]])
    times_s = np.arange(run.shape[3], dtype=np.float64) * repetition_time_s(run, sidecar=sidecar)
    plan = DesignPlan(events=pd.read_csv(events, sep="\t"), times_s=times_s[UNSTEADY:])
    return Study(signals=signals, plan=plan, design=make_design(plan))


def _study(data: FindData) -> Study:
    names = ("localizer_bold.nii.gz", "localizer_bold.json", "active_regions.nii.gz")
    return load_study(*(data(DATASET, name) for name in (*names, "events.tsv", "truth.json")))


def fit(signal: Vector, design: pd.DataFrame) -> "pd.Series[float]":
    """Return the betas of least squares by column."""
    betas: Vector = np.linalg.lstsq(design.to_numpy(), signal, rcond=None)[0]
    return pd.Series(betas, index=design.columns, dtype=float)


@cache
def height_of_one() -> float:
    """Return how high a column of the design is at the peak of one event alone."""
    event = pd.DataFrame({"onset": [0.0], "duration": [EVENT_S], "trial_type": ["one"]})
    alone = DesignPlan(events=event, times_s=np.arange(0, 30, 0.2), drift_model=None)
    return float(make_design(alone)["one"].max())


def check_left_against_right(answer: Any, data: FindData) -> None:
    """Compare with 1 for the left button and -1 for the right one."""
    columns = [str(name) for name in _study(data).design]
    if fault := compare_contrasts(answer, {LEFT: 1.0, RIGHT: -1.0}, columns):
        raise Incorrect(fault)


def check_one_kind_of_press(answer: Any, data: FindData) -> None:
    """Compare with the design in which both buttons have one column."""
    plan = _study(data).plan
    merged = plan.events.replace({"trial_type": {LEFT: MERGED, RIGHT: MERGED}})
    if fault := compare_designs(answer, replace(plan, events=merged)):
        raise Incorrect(fault)


def check_response_in_percent(answer: Any, data: FindData) -> None:
    """Compare with the sentence's beta, in percent at the peak of one event."""
    study = _study(data)

    def percent_in(region: str, kind: str = "sentence") -> float:
        betas = fit(study.signals[region].to_numpy(), study.design)
        return float(100 * height_of_one() * betas[kind] / betas["constant"])

    right = percent_in("auditory_right")
    signal = study.signals["auditory_right"].to_numpy()
    betas = fit(signal, study.design)
    known = {
        "A column is not 1 at the peak of one event. How high is it?": right / height_of_one(),
        "That is in units of the scanner. Percent of what?": betas["sentence"],
        "That is in units of the scanner, at the peak. Percent of what?": (
            betas["sentence"] * height_of_one()
        ),
        "That is a part of one. The question asks for percent.": right / 100,
        "That is the region on the other side.": percent_in("auditory_left"),
        "That is what the region makes of checkerboards.": (
            percent_in("auditory_right", "checkerboard")
        ),
        "That is how far the signal goes up and down, with drift and noise in it.": (
            100 * (signal.max() - signal.min()) / signal.mean()
        ),
    }
    require_number(answer, right, tolerance=ROUNDING, unit="percent", known=known)


def check_how_sure(answer: Any, data: FindData) -> None:
    """Compare with the t of left against right in the region of the left hand."""
    study = _study(data)
    signal, design = study.signals["motor_right"].to_numpy(), study.design
    columns, x = design.columns, design.to_numpy()
    left, right = (np.asarray(columns == name, dtype=float) for name in (LEFT, RIGHT))
    betas = fit(signal, design).to_numpy()
    squares = float(np.sum((signal - x @ betas) ** 2))
    n_rows, n_columns = x.shape
    inverse = np.linalg.inv(x.T @ x)

    def t_of(weights: Vector, df: int = n_rows - n_columns) -> float:
        return float(weights @ betas / np.sqrt(squares / df * (weights @ inverse @ weights)))

    weights = left - right
    effect = float(weights @ betas)
    known = {
        "That is the left button alone, against nothing.": t_of(left),
        "That is the effect. By how uncertain it is, is it to be divided?": effect,
        "That divides by the variance; the standard error is its root.": t_of(weights) ** 2
        / effect,
        "The residuals were divided by the number of volumes. Each column has used one up.": (
            t_of(weights, n_rows)
        ),
        "That divides by the spread of what is left over. How well the design tells the two apart "
        "is not in it.": effect / float(np.sqrt(squares / (n_rows - n_columns))),
    }
    require_number(answer, t_of(weights), tolerance=ROUNDING, known=known)


def count_free(data: FindData) -> float:
    """Return the degrees of freedom of the lesson's design."""
    n_rows, n_columns = _study(data).design.shape
    return float(n_rows - n_columns)


def _count_volumes(data: FindData) -> float:
    return float(len(_study(data).design))


EXERCISES = [
    Exercise(
        id="left-against-right",
        prompt="Which weights ask where the left button is answered more than the right one?",
        check=check_left_against_right,
        hints=(
            "How many columns has the design, and in which order do they stand?",
            "The lesson does so for checkerboards and sentences. What counts for, what against?",
        ),
        wrong_answers=(
            WrongAnswer(
                code="button_weights = np.array([1, 0, 0, -1, 0, 0, 0, 0, 0])",
                message="in another order than the columns",
            ),
            WrongAnswer(
                code="button_weights = np.array([0, 1, 1, 0, 0, 0, 0, 0, 0])",
                message="do not sum to zero",
            ),
            WrongAnswer(
                code="button_weights = np.array([0, -1, 1, 0, 0, 0, 0, 0, 0])",
                message="The sign is turned",
            ),
            WrongAnswer(
                code="button_weights = np.array([0, 1, -1, 0])",
                message="Every column needs a weight",
            ),
            WrongAnswer(
                code="button_weights = np.array([0, 0.5, -0.5, 0, 0, 0, 0, 0, 0])",
                message="not the size of the effect",
            ),
        ),
    ),
    Exercise(
        id="one-kind-of-press",
        prompt="Make a design in which presses on both sides are one kind of event.",
        check=check_one_kind_of_press,
        hints=(
            "The design is made from a table of events. What has to change in the table?",
            "All else is as in the lesson: times, response, drift.",
        ),
        wrong_answers=(
            WrongAnswer(
                code=(
                    'same_kind = {"left_button": "button", "right_button": "button"}\n'
                    'merged = events.replace({"trial_type": same_kind})\n'
                    'merged["onset"] = merged["onset"] / tr_s\n'
                    "pressed = make_first_level_design_matrix(\n"
                    '    times_s, merged, hrf_model="spm", drift_model="cosine",\n'
                    "    high_pass=1 / 128,\n"
                    ")"
                ),
                message="onsets are seconds",
            ),
            WrongAnswer(
                code=(
                    'same_kind = {"left_button": "button", "right_button": "button"}\n'
                    'merged = events.replace({"trial_type": same_kind})\n'
                    "pressed = make_first_level_design_matrix(\n"
                    '    times_s, merged, hrf_model=None, drift_model="cosine",\n'
                    "    high_pass=1 / 128,\n"
                    ")"
                ),
                message="haemodynamic response is missing",
            ),
            WrongAnswer(
                code=(
                    'same_kind = {"left_button": "button", "right_button": "button"}\n'
                    'merged = events.replace({"trial_type": same_kind})\n'
                    "pressed = make_first_level_design_matrix(\n"
                    '    np.arange(len(brain)) * tr_s, merged, hrf_model="spm",\n'
                    '    drift_model="cosine", high_pass=1 / 128,\n'
                    ")"
                ),
                message="when was the first volume taken",
            ),
            WrongAnswer(
                code=(
                    'same_kind = {"left_button": "button", "right_button": "button"}\n'
                    'merged = events.replace({"trial_type": same_kind})\n'
                    "pressed = make_first_level_design_matrix(\n"
                    '    times_s, merged, hrf_model="spm", drift_model=None\n'
                    ")"
                ),
                message="follow the drift",
            ),
            WrongAnswer(
                code=(
                    'pressed = design.drop(columns=["left_button", "right_button"])\n'
                    'pressed["button"] = design["left_button"] + design["right_button"]'
                ),
                message="in another order, and contrasts go by the order",
            ),
            WrongAnswer(
                code=(
                    'same_kind = {"left_button": "button", "right_button": "button"}\n'
                    'merged = events.replace({"trial_type": same_kind})\n'
                    "pressed = make_first_level_design_matrix(\n"
                    '    times_s, merged, drift_model="cosine", high_pass=1 / 128\n'
                    ")"
                ),
                message="Without hrf_model",
            ),
        ),
    ),
    Exercise(
        id="response-in-percent",
        prompt="By how many percent does auditory_right answer to one sentence, at the peak?",
        check=check_response_in_percent,
        hints=(
            "Which beta is it, and to which signal does it belong?",
            "Between a beta and percent stand two things: brightness, and the height of a column.",
        ),
        wrong_answers=(
            WrongAnswer(
                code=(
                    'heard = fit(signals["auditory_right"].to_numpy(), design)\n'
                    'percent_heard = 100 * heard["sentence"] / heard["constant"]'
                ),
                message="not 1 at the peak",
            ),
            WrongAnswer(
                code=(
                    'heard = fit(signals["auditory_right"].to_numpy(), design)\n'
                    'percent_heard = heard["sentence"]'
                ),
                message="in units of the scanner. Percent",
            ),
            WrongAnswer(
                code=(
                    'heard = fit(signals["auditory_right"].to_numpy(), design)\n'
                    'percent_heard = peak * heard["sentence"] / heard["constant"]'
                ),
                message="a part of one",
            ),
            WrongAnswer(
                code=(
                    'heard = fit(signals["auditory_left"].to_numpy(), design)\n'
                    'percent_heard = 100 * peak * heard["sentence"] / heard["constant"]'
                ),
                message="the region on the other side",
            ),
        ),
    ),
    Exercise(
        id="how-sure",
        prompt="What is the t of the left button against the right one in motor_right?",
        check=check_how_sure,
        hints=(
            "t is an effect, divided by its standard error.",
            "Two things make the standard error: what is left over in this region, and the design.",
            "The lesson does so for the visual region. What is another one for this region?",
        ),
        wrong_answers=(
            WrongAnswer(
                code=(
                    'signal = signals["motor_right"].to_numpy()\n'
                    'left_only = (design.columns == "left_button") * 1.0\n'
                    "b = fit(signal, design)\n"
                    "s2 = np.sum((signal - design @ b) ** 2) / (len(X) - X.shape[1])\n"
                    "se = np.sqrt(s2 * (left_only @ np.linalg.inv(X.T @ X) @ left_only))\n"
                    "t_motor = left_only @ b / se"
                ),
                message="against nothing",
            ),
            WrongAnswer(
                code=(
                    'signal = signals["motor_right"].to_numpy()\n'
                    'left_right = ((design.columns == "left_button") * 1.0\n'
                    '              - (design.columns == "right_button"))\n'
                    "b = fit(signal, design)\n"
                    "s2 = np.sum((signal - design @ b) ** 2) / (len(X) - X.shape[1])\n"
                    "t_motor = left_right @ b / np.sqrt(s2)"
                ),
                message="How well the design tells the two apart",
            ),
            WrongAnswer(
                code=(
                    'signal = signals["motor_right"].to_numpy()\n'
                    'left_right = ((design.columns == "left_button") * 1.0\n'
                    '              - (design.columns == "right_button"))\n'
                    "b = fit(signal, design)\n"
                    "s2 = np.mean((signal - design @ b) ** 2)\n"
                    "se = np.sqrt(s2 * (left_right @ np.linalg.inv(X.T @ X) @ left_right))\n"
                    "t_motor = left_right @ b / se"
                ),
                message="divided by the number of volumes",
            ),
            WrongAnswer(
                code=(
                    'b = fit(signals["motor_right"].to_numpy(), design)\n'
                    't_motor = b["left_button"] - b["right_button"]'
                ),
                message="That is the effect",
            ),
        ),
    ),
]

QUIZZES = [
    NumericQuiz(
        id="degrees-of-freedom",
        question="How many degrees of freedom does our model leave?",
        answer=count_free,
        tolerance=0.1,
        slips={
            "Count the volumes once more: two of the run were cut off.": (
                lambda data: count_free(data) + UNSTEADY
            ),
            "That is the number of volumes. What do the columns use up?": _count_volumes,
            "Drift and the constant are columns, too.": (
                lambda data: _count_volumes(data) - _study(data).plan.events["trial_type"].nunique()
            ),
            "That is for a mean, a model with a single column.": (
                lambda data: _count_volumes(data) - 1
            ),
        },
        explanation="Volumes that are kept, minus all columns of the design.",
    ),
    Quiz(
        id="smaller-t",
        question="In a voxel, t is 3.6 with least squares and 3.0 with AR(1). What does that mean?",
        choices=(
            Choice(
                "The response is smaller than least squares said.",
                feedback="The effect is nearly the same in both. What else is in t?",
            ),
            Choice(
                "AR(1) has removed noise from the run.",
                feedback="Then t would have grown. The noise is all there.",
            ),
            Choice(
                "The response is what it was; least squares was too sure of it.",
                is_correct=True,
            ),
            Choice(
                "AR(1) is less sensitive, so least squares is the better choice.",
                feedback="A test that finds more, and more that is false, is not more sensitive.",
            ),
        ),
        explanation="Autocorrelation leaves betas right on average, and makes standard errors too "
        "small. AR(1) repairs the latter.",
    ),
    Quiz(
        id="look-alikes",
        question="Two columns of a design are nearly the same. What may you still ask?",
        choices=(
            Choice(
                "which of the two the region answers to more",
                feedback="That is the difference of two columns that hardly differ.",
            ),
            Choice("how the region answers to both together", is_correct=True),
            Choice(
                "whether it answers to the first",
                feedback="The first could be exchanged for the second, and the signal would not "
                "mind.",
            ),
            Choice(
                "nothing; the model has to be thrown away",
                feedback="The fit as a whole is as good as ever. One question has its answer.",
            ),
        ),
        explanation="What the columns share is known well; only how to divide it is not.",
    ),
]
