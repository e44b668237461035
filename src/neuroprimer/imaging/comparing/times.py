"""Times: how seconds that were found differ from those expected, in words."""

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroprimer.imaging.comparing.answers import Shape, UnlikeError, read_numbers, say_shape
from neuroprimer.imaging.files.times import RepetitionTimeError
from neuroprimer.imaging.space.affines import AffineError, require_numbers

Times: TypeAlias = NDArray[np.float64]

DECIMALS = (3, 2, 1, 0)
ROUNDING = 1e-9


def compare_times(found_s: Any, expected_s: ArrayLike, *, tolerance_s: float = 1e-6) -> str:
    """Say how times differ from those expected, and nothing if they do not.

    Parameters
    ----------
    found_s : object
        What somebody takes for the repetition time, or for several times; anything at all.
    expected_s : float or array-like
        The right ones, in seconds.
    tolerance_s : float
        How far a time may be off, in seconds.

    Returns
    -------
    difference : str
        One difference, in a sentence or two, without any number of `expected_s`; "" if there is
        none.

    Raises
    ------
    RepetitionTimeError
        If `expected_s` are no finite numbers.

    Examples
    --------
    >>> compare_times(2.5, 2.5)
    ''
    >>> compare_times(2500, 2.5)
    'It is in milliseconds, but seconds were asked for.'
    >>> compare_times(0.4, 2.5)
    'It is in Hz, times per second, but seconds were asked for: take the reciprocal.'
    """
    expected = _require_expected(expected_s)
    wanted = "a time in seconds" if expected.ndim == 0 else "times in seconds, one number for each"
    try:
        found = read_numbers(
            found_s, wanted=wanted, find_fault=lambda shape: _find_fault(shape, expected, wanted)
        )
    except UnlikeError as unlike:
        return str(unlike)
    with np.errstate(all="ignore"):  # answers may hold numbers of any size
        return _find_difference(found.reshape(expected.shape), expected, tolerance_s)


def _require_expected(expected_s: ArrayLike) -> Times:
    try:
        expected = require_numbers(expected_s, "A time")
        if np.isfinite(expected).all():
            return expected
    except AffineError as error:
        raise RepetitionTimeError(error.message, hint="Pass the right time in seconds.") from error
    raise RepetitionTimeError(
        "Expected times are finite numbers, but among these is NaN or infinity.",
        hint="Pass the right times in seconds.",
    )


def _find_fault(found: Shape, expected: Times, wanted: str) -> str:
    if found == expected.shape or (expected.ndim == 0 and found == (1,)):
        return ""
    if found == ():
        return f"Expected {wanted}, but this is a single number."
    if len(found) == 1 and expected.ndim == 1:
        apart = found[0] - len(expected)
        words = {
            1: "There is one time too many: does the list run one step too far?",
            -1: "There is one time too few: between n times there are n - 1 steps.",
        }
        return words.get(apart, f"There are too {'many' if apart > 0 else 'few'} times.")
    return f"Expected {wanted}, but this has shape {say_shape(found)}."


def _find_difference(found: Times, expected: Times, tolerance_s: float) -> str:
    def is_same(times: Times) -> bool:
        return bool(np.abs(found - times).max(initial=0) <= tolerance_s)

    if is_same(expected):
        return ""
    for words, slip in _slips(expected):
        # of long times in small units, more digits are lost by rounding
        if is_same(slip) or (np.isfinite(slip).all() and np.allclose(found, slip, rtol=1e-9)):
            return words if expected.ndim == 0 else words.replace("It is", "These are", 1)
    return _say_rounded(found, expected) or _say_rest(found, expected, is_same)


def _slips(expected: Times) -> Iterator[tuple[str, Times]]:
    units = {
        1e3: "It is in milliseconds",
        1e6: "It is in microseconds",
        1 / 60: "It is in minutes",
        1e-3: "It is a thousand times too small: was it divided by a thousand without need",
    }
    for factor, words in units.items():
        yield f"{words}, but seconds were asked for.", expected * factor
    yield (
        "It is in Hz, times per second, but seconds were asked for: take the reciprocal.",
        1 / expected,
    )
    yield "It is the reciprocal, and in milliseconds as well.", 1 / (expected * 1000)
    yield "It is right but for the sign.", -expected
    yield "It is twice as much as it should be.", expected * 2
    yield "It is half of what it should be.", expected / 2
    if expected.ndim:
        yield "It is in the reverse order.", expected[::-1]
        yield (
            "It is numbers of volumes, but seconds were asked for.",
            np.arange(float(expected.size)).reshape(expected.shape),
        )


def _say_rounded(found: Times, expected: Times) -> str:
    for decimals in DECIMALS:
        if np.allclose(found, expected.round(decimals), rtol=0, atol=ROUNDING):
            return "Rounded too early: keep all digits."
    return ""


def _say_rest(found: Times, expected: Times, is_same: Any) -> str:
    if expected.ndim == 0:
        return f"It is too {'long' if found > expected else 'short'}."
    apart = np.mean(found - expected)
    if is_same(expected + apart):
        return (
            f"All times are too {'late' if apart > 0 else 'early'} by the same: where does the "
            "clock begin?"
        )
    factor = np.sum(found * expected) / np.sum(expected**2)
    if factor and is_same(factor * expected):
        return f"All times are too {'long' if factor > 1 else 'short'}, by one and the same factor."
    first = int(np.argmax(np.abs(found - expected).ravel() > 0))
    return f"Times differ, first the one with the index {first}."
