"""Designs and contrasts: how an answer differs from the one expected, in words.

Like the ``compare_`` functions of `neuroprimer.imaging`, these return one difference, or "" if
there is none. Whatever is handed over, they do not raise for it, and they do not give the answer
away.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from nilearn.glm.first_level import make_first_level_design_matrix
from numpy.typing import NDArray

from neuroprimer.teaching import Incorrect
from neuroprimer.teaching.exercises.answers import find_shape, read_flat, require_answer, say_kind

# As a part of the largest number of a column; designs may be kept in single precision.
TOLERANCE = 1e-4

DRIFT = "drift_"
CONSTANT = "constant"

A_TABLE = "a table with a row for each volume, as nilearn makes it"
WEIGHTS = "a weight for each column of the design"


@dataclass(frozen=True, kw_only=True)
class DesignPlan:
    """What a design matrix is made from.

    Parameters
    ----------
    events : pandas.DataFrame
        With onset and duration in seconds, and trial_type.
    times_s : (n,) array
        When each volume was taken, in seconds after the start of the run.
    hrf_model : str or None
        Which haemodynamic response; None for none at all.
    drift_model : str or None
        How drift is modelled.
    high_pass_hz : float
        Drift is what is slower than this.
    """

    events: pd.DataFrame
    times_s: NDArray[np.float64]
    hrf_model: str | None = "spm"
    drift_model: str | None = "cosine"
    high_pass_hz: float = 1 / 128


def make_design(plan: DesignPlan) -> pd.DataFrame:
    """Return the design matrix: a row for each volume, a column for each regressor.

    Parameters
    ----------
    plan : DesignPlan
        What it is made from.

    Returns
    -------
    design : pandas.DataFrame
        Kinds of events first, in alphabetical order, then drift and the constant.

    Examples
    --------
    >>> events = pd.DataFrame({"onset": [4.0], "duration": [3.0], "trial_type": ["tone"]})
    >>> make_design(DesignPlan(events=events, times_s=np.arange(60) * 2.0)).columns.tolist()
    ['tone', 'drift_1', 'constant']
    """
    design: pd.DataFrame = make_first_level_design_matrix(
        plan.times_s,
        plan.events,
        hrf_model=plan.hrf_model,
        drift_model=plan.drift_model,
        high_pass=plan.high_pass_hz,
    )
    return design


def compare_designs(found: Any, plan: DesignPlan) -> str:
    """Say how a design matrix differs from the one that a plan makes.

    Parameters
    ----------
    found : object
        What somebody takes for the design matrix; anything at all.
    plan : DesignPlan
        What the right one is made from.

    Returns
    -------
    difference : str
        One difference, in a sentence or two; "" if there is none.

    Examples
    --------
    >>> events = pd.DataFrame({"onset": [4.0], "duration": [3.0], "trial_type": ["tone"]})
    >>> plan = DesignPlan(events=events, times_s=np.arange(60) * 2.0)
    >>> compare_designs(make_design(plan), plan)
    ''
    >>> compare_designs(make_design(replace(plan, hrf_model=None)), plan)
    'The columns jump between 0 and 1: the haemodynamic response is missing.'
    """
    expected = make_design(plan)
    try:
        require_answer(found, A_TABLE)
    except Incorrect as missing:
        return missing.message
    if not isinstance(found, pd.DataFrame):
        return f"Expected {A_TABLE}, but this is {say_kind(found)}."
    return (
        _find_wrong_rows(found, expected)
        or _find_wrong_columns(found, expected)
        or _find_wrong_numbers(found, expected, plan)
    )


def _find_wrong_rows(found: pd.DataFrame, expected: pd.DataFrame) -> str:
    apart = len(found) - len(expected)
    if not apart:
        return ""
    much = "many" if apart > 0 else "few"
    return f"There are too {much} rows: the design has one for each volume that is kept."


def _find_wrong_columns(found: pd.DataFrame, expected: pd.DataFrame) -> str:
    names, right = list(found.columns), list(expected.columns)
    if names == right:
        return ""
    for name in right:
        if not name.startswith(DRIFT) and name not in names:
            return f"There is no column {name!r}."
    n_drift, n_right = (
        sum(str(name).startswith(DRIFT) for name in all_) for all_ in (names, right)
    )
    if not n_drift and n_right:
        return "Nothing in it can follow the drift: columns for it are missing."
    if n_drift != n_right:
        much = "many" if n_drift > n_right else "few"
        return f"There are too {much} columns for drift: up to which frequency do they reach?"
    if stray := [name for name in names if name not in right]:
        return f"The column {str(stray[0])!r} does not belong here."
    if len(names) > len(right):
        return "A column is there twice."
    return "All columns are there, but in another order, and contrasts go by the order."


def _find_wrong_numbers(found: pd.DataFrame, expected: pd.DataFrame, plan: DesignPlan) -> str:
    try:
        numbers = found.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        return "Not all of its columns hold numbers."
    if not np.isfinite(numbers.to_numpy()).all():
        return "Some of its numbers are NaN or infinite."
    if _is_same(numbers, expected):
        return ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nilearn warns of some slips; so do we, in our own words
        for words, slip in _slips(plan):
            if _is_same(numbers, make_design(slip)):
                return words
    return _say_rest(numbers, expected)


def _is_same(found: pd.DataFrame, expected: pd.DataFrame) -> bool:
    return list(found.columns) == list(expected.columns) and all(
        _is_same_column(found[name], expected[name]) for name in expected
    )


def _is_same_column(found: "pd.Series[float]", expected: "pd.Series[float]") -> bool:
    limit = TOLERANCE * float(np.abs(expected).max())
    return bool(np.abs(found.to_numpy() - expected.to_numpy()).max() <= limit)


def _slips(plan: DesignPlan) -> Iterator[tuple[str, DesignPlan]]:
    """Yield what is wrong with each design that people often make, and its plan."""
    events, tr_s = plan.events, float(plan.times_s[1] - plan.times_s[0])
    yield (
        "The columns jump between 0 and 1: the haemodynamic response is missing.",
        replace(plan, hrf_model=None),
    )
    yield (
        "The responses have another shape. Without hrf_model, nilearn takes one of its own choice.",
        replace(plan, hrf_model="glover"),
    )
    yield (
        "Responses are too early, the later ones by more: onsets are seconds, and here they are "
        "volumes.",
        replace(plan, events=events.assign(onset=events["onset"] / tr_s)),
    )
    yield (
        "All responses are too late by the same time: when was the first volume taken that is "
        "kept?",
        replace(plan, times_s=plan.times_s - plan.times_s[0]),
    )
    yield (
        "The events have lost their duration.",
        replace(plan, events=events.assign(duration=0.0)),
    )
    yield (
        "Events are missing: of some kind, only the first is there.",
        replace(plan, events=events.drop_duplicates("trial_type")),
    )


def _say_rest(found: pd.DataFrame, expected: pd.DataFrame) -> str:
    off = [name for name in expected if not _is_same_column(found[name], expected[name])]
    by_name = {name: found[name].to_numpy() for name in off}
    for name in off:
        for other in off:
            if other != name and np.allclose(by_name[name], expected[other], atol=TOLERANCE):
                return f"The column {name!r} holds what belongs to {other!r}."
    return f"Numbers differ, first in the column {off[0]!r}."


def compare_contrasts(found: Any, weights: Mapping[str, float], columns: Sequence[str]) -> str:
    """Say how the weights of a contrast differ from those expected.

    Parameters
    ----------
    found : object
        What somebody takes for the weights; anything at all.
    weights : mapping of str to float
        The right ones, by column; all other columns have 0.
    columns : sequence of str
        The columns of the design, in order.

    Returns
    -------
    difference : str
        One difference, in a sentence or two; "" if there is none.

    Examples
    --------
    >>> columns = ["house", "face", "drift_1", "constant"]
    >>> compare_contrasts([-1, 1, 0, 0], {"face": 1, "house": -1}, columns)
    ''
    >>> compare_contrasts([1, -1, 0, 0], {"face": 1, "house": -1}, columns)
    'The sign is turned: this is what the second has more than the first.'
    >>> compare_contrasts([-1, 1], {"face": 1, "house": -1}, columns)
    'Every column needs a weight, also those of drift and the constant: what do they count here?'
    """
    expected = np.array([weights.get(name, 0.0) for name in columns])
    try:
        numbers = _read_weights(found, columns)
    except Incorrect as wrong:
        return wrong.message
    with np.errstate(all="ignore"):  # answers may hold numbers of any size
        if np.allclose(numbers, expected, rtol=0, atol=TOLERANCE):
            return ""
        return (
            _say_multiple(numbers, expected)
            or _say_sum(numbers, expected)
            or _say_places(numbers, expected, columns)
        )


def _read_weights(found: Any, columns: Sequence[str]) -> NDArray[np.float64]:
    require_answer(found, WEIGHTS)
    shape = find_shape(found)
    if shape is None or shape == ():
        raise Incorrect(f"Expected {WEIGHTS}, but this is {say_kind(found)}.")
    length = len(columns)
    if shape not in ((length,), (1, length)):
        n_events = sum(not name.startswith(DRIFT) and name != CONSTANT for name in columns)
        if shape == (n_events,):
            raise Incorrect(
                "Every column needs a weight, also those of drift and the constant: what do they "
                "count here?"
            )
        raise Incorrect(f"Expected {WEIGHTS}, but the shape is {shape}.")
    return np.array(read_flat(found, shape, WEIGHTS))


def _say_multiple(found: NDArray[np.float64], expected: NDArray[np.float64]) -> str:
    factor = float(found @ expected / (expected @ expected))
    if not factor or not np.allclose(found, factor * expected, rtol=0, atol=TOLERANCE):
        return ""
    if factor > 0:
        return (
            "t would be right, but not the size of the effect: all weights are off by one factor."
        )
    return "The sign is turned: this is what the second has more than the first."


def _say_sum(found: NDArray[np.float64], expected: NDArray[np.float64]) -> str:
    if abs(expected.sum()) <= TOLERANCE < abs(found.sum()):
        return (
            "The weights do not sum to zero, so this compares nothing: what both have in common "
            "does not drop out."
        )
    return ""


def _say_places(
    found: NDArray[np.float64], expected: NDArray[np.float64], columns: Sequence[str]
) -> str:
    if not found.any():
        return "All weights are zero."
    stray = [
        name
        for name, weight, right in zip(columns, found, expected, strict=True)
        if weight and not right
    ]
    if stray and np.allclose(np.sort(found), np.sort(expected), rtol=0, atol=TOLERANCE):
        return (
            f"The weights stand in another order than the columns: one of them weighs {stray[0]!r}."
        )
    if stray:
        return f"The column {stray[0]!r} has no part in this comparison."
    return "The columns are right, but not how much each of them counts."
