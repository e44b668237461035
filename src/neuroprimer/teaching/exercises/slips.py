"""Slips: numbers that come out when one thing goes wrong, and words for each."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from neuroprimer.teaching.exercises.answers import Shape

NumberSlip: TypeAlias = tuple[str, float]
ListSlip: TypeAlias = tuple[str, list[float]]

# float64 has no more digits.
MOST_DIGITS = 15

# How near a wrong number is said to be close.
CLOSE = 0.01

ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
)  # fmt: skip


def say_number(found: float, expected: float, is_same: Callable[[float, float], bool]) -> str:
    """Say how a wrong number differs from the right one, without naming that.

    Parameters
    ----------
    found, expected : float
        Two finite numbers that differ.
    is_same : callable
        Tells whether two numbers count as the same.

    Returns
    -------
    feedback : str
        One sentence or two.

    Examples
    --------
    >>> say_number(-3.5, 3.5, math.isclose)
    'The size is right, but the sign is not.'
    """
    for words, slip in _number_slips(expected):
        # a tolerance that is absolute would take everything small for a zero
        if math.isfinite(slip) and (is_same(found, slip) if slip else not found):
            return words
    if is_rounded(found, expected):
        return "It is rounded too early: keep all digits until the end."
    if found == int(expected):
        return "It is cut to a whole number: `//` and int() drop what stands behind the point."
    return _say_size(found, expected)


def _number_slips(expected: float) -> Iterator[NumberSlip]:
    if not expected:
        return
    yield "The size is right, but the sign is not.", -expected
    if expected == int(expected):
        words = "It is off by one: is the first counted as zero, or the last left out?"
        yield words, expected + 1
        yield words, expected - 1
    yield "It is zero, but it should not be.", 0.0
    yield "It is in percent: a hundred of them make a whole.", expected * 100
    yield "It is a hundred times too small.", expected / 100
    yield "It is a thousand times too large: look at the unit.", expected * 1000
    yield "It is a thousand times too small: look at the unit.", expected / 1000
    for power in (1, 4, 5, 6, 7, 8, 9):
        words = "The digits are right, but the decimal point is not where it should be."
        yield words, expected * 10.0**power
        yield words, expected / 10.0**power
    yield "It is upside down: take one divided by it.", 1 / expected
    yield "It is in degrees, but radians are expected.", math.degrees(expected)
    yield "It is in radians, but degrees are expected.", math.radians(expected)
    yield "It is twice as much as it should be.", expected * 2
    yield "It is half of what it should be.", expected / 2
    yield "It is squared where it should not be.", expected * expected
    if expected > 0:
        yield "It is the square root of what it should be.", math.sqrt(expected)


def is_rounded(found: float, expected: float) -> bool:
    """Tell whether a number is another one with fewer digits.

    Examples
    --------
    >>> is_rounded(0.33, 1 / 3)
    True
    """
    if not found or found == expected:
        return False
    return any(
        found == round(expected, digits) or found == float(f"{expected:.{digits}e}")
        for digits in range(MOST_DIGITS)
    )


def _say_size(found: float, expected: float) -> str:
    if found * expected < 0:
        return "Neither the sign nor the size is right."
    more = "large" if abs(found) > abs(expected) else "small"
    if abs(found - expected) < CLOSE * abs(expected):
        return f"It is close, but a little too {more}: was a number on the way rounded?"
    return f"It is too {more}."


def say_list(found: Sequence[float], expected: Sequence[float], shape: Shape, limit: float) -> str:
    """Say how wrong numbers of the right shape differ from the right ones, without naming those.

    Parameters
    ----------
    found, expected : sequence of float
        All numbers, the last axis running fastest; some differ.
    shape : tuple of int
        The lengths of the axes of both.
    limit : float
        How far two numbers may lie apart to count as the same.

    Returns
    -------
    feedback : str
        One sentence or two.

    Examples
    --------
    >>> say_list([3, 2, 1], [1, 2, 3], (3,), 1e-9)
    'The numbers are right, but in the reverse order.'
    """

    def is_same(numbers: Sequence[float], scale: float = 1) -> bool:
        pairs = zip(found, numbers, strict=True)
        return all(abs(one - other) <= limit * scale for one, other in pairs)

    for words, slip in _list_slips(expected, shape):
        if is_same(slip):
            return words
    if _is_same_sorted(found, expected, limit):
        return "The numbers are right, but in another order."
    if all(
        one == other or is_rounded(one, other) for one, other in zip(found, expected, strict=True)
    ):
        return "The numbers are rounded too early: keep all digits until the end."
    offset = (math.fsum(found) - math.fsum(expected)) / len(found)
    if len(found) > 1 and is_same([number + offset for number in expected]):
        one = "exactly one" if math.isclose(abs(offset), 1) else "one and the same number"
        return f"All numbers are too {'large' if offset > 0 else 'small'} by {one}."
    factor = _find_factor(found, expected) if len(found) > 1 else 0.0
    if factor and is_same([factor * number for number in expected], abs(factor)):
        more = "large" if abs(factor) > 1 else "small"
        return f"All numbers are too {more}, by one and the same factor: look at the unit."
    return _say_place(found, expected, shape, limit)


def _list_slips(expected: Sequence[float], shape: Shape) -> Iterator[ListSlip]:
    yield "All signs are the opposite of what they should be.", [-number for number in expected]
    if len(shape) == 1:
        yield "The numbers are right, but in the reverse order.", list(expected[::-1])
        return
    if len(shape) == 2 and shape[0] == shape[1]:
        columns = [expected[start :: shape[1]] for start in range(shape[1])]
        yield (
            "It is transposed: rows stand where columns should.",
            [number for column in columns for number in column],
        )
    yield "The numbers are right, but all axes are reversed.", list(expected[::-1])
    blocks = _cut(expected, math.prod(shape[1:]))
    yield (
        "The rows are right, but in the reverse order.",
        [number for block in reversed(blocks) for number in block],
    )
    yield (
        "The numbers are right, but within each row in the reverse order.",
        [number for row in _cut(expected, shape[-1]) for number in reversed(row)],
    )


def _cut(numbers: Sequence[float], width: int) -> list[Sequence[float]]:
    return [numbers[start : start + width] for start in range(0, len(numbers), width)]


def _is_same_sorted(found: Sequence[float], expected: Sequence[float], limit: float) -> bool:
    pairs = zip(sorted(found), sorted(expected), strict=True)
    return all(abs(one - other) <= limit for one, other in pairs)


def _find_factor(found: Sequence[float], expected: Sequence[float]) -> float:
    """Return the factor that brings one list nearest to another, or 0."""
    squares = math.fsum(number * number for number in expected)
    products = math.fsum(one * other for one, other in zip(found, expected, strict=True))
    factor = products / squares if squares else 0.0
    return factor if math.isfinite(factor) else 0.0


def _say_place(
    found: Sequence[float], expected: Sequence[float], shape: Shape, limit: float
) -> str:
    off = [
        place
        for place, (one, other) in enumerate(zip(found, expected, strict=True))
        if not abs(one - other) <= limit
    ]
    if len(off) == len(found):
        return "None of the numbers is right."
    much = "One number is" if len(off) == 1 else "Some numbers are"
    if len(shape) == 2:
        row, column = divmod(off[0], shape[1])
        return f"{much} off, first in the {_nth(row)} row, {_nth(column)} column."
    return f"{much} off, first the {_nth(off[0])}."


def _nth(place: int) -> str:
    return ORDINALS[place] if place < len(ORDINALS) else "one after the tenth"
