"""Affines: how one that was found differs from the one expected, in words."""

import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroprimer.imaging.comparing.affine_slips import Matrix, affine_slips, angle_slips
from neuroprimer.imaging.comparing.answers import (
    Shape,
    UnlikeError,
    find_attribute,
    read_numbers,
    say_shape,
)
from neuroprimer.imaging.space.affines import require_affine, require_numbers
from neuroprimer.imaging.space.grids import AFFINE_TOLERANCE_MM

# Images have some hundred voxels along an axis: that far from the origin, places are compared.
REACH = 100
CORNERS = np.array(list(itertools.product((-REACH, REACH), repeat=3)))

# The last row of a product or an inverse may be off by rounding.
ROUNDING = 1e-9

DECIMALS = (4, 3, 2, 1, 0)

ROWS = ("first row, which makes x", "second row, which makes y", "third row, which makes z")
COLUMNS = (
    "first column, the step along i",
    "second column, the step along j",
    "third column, the step along k",
    "last column, the translation",
)

TABLE = "a 4 x 4 table of numbers"


def compare_affines(
    found: Any,
    expected: ArrayLike,
    *,
    factors: Iterable[ArrayLike] = (),
    tolerance_mm: float = AFFINE_TOLERANCE_MM,
) -> str:
    """Say how an affine differs from the one expected, and nothing if it does not.

    Parameters
    ----------
    found : object
        What somebody takes for the affine; anything at all.
    expected : (4, 4) array-like
        The right one.
    factors : iterable of (4, 4) array-like
        Matrices whose product is the right one, from left to right; then it is noticed when they
        are multiplied in another order.
    tolerance_mm : float
        How far apart the two may put a point within 100 voxels (or mm) of the origin, in mm.

    Returns
    -------
    difference : str
        One difference, in a sentence or two, without any number of `expected`; "" if there is
        none.

    Raises
    ------
    AffineError
        If `expected` or one of the `factors` is no affine.

    Examples
    --------
    >>> affine = np.array([[2.0, 0, 0, -90], [0, 2, 0, -126], [0, 0, 2, -72], [0, 0, 0, 1]])
    >>> compare_affines(affine, affine)
    ''
    >>> compare_affines(np.diag([-1, 1, 1, 1]) @ affine, affine)
    'It is mirrored left-right: the row of x has the opposite sign.'
    >>> compare_affines(affine[:3], affine)
    'The last row is missing: three zeros and a one make a 3 x 4 table an affine.'
    """
    right = _require_expected(expected)
    parts = [_require_expected(factor) for factor in factors]
    try:
        table = read_numbers(_take_table(found), wanted=TABLE, find_fault=_find_fault)
    except UnlikeError as unlike:
        return str(unlike)
    with np.errstate(all="ignore"):  # answers may hold numbers of any size
        return _find_difference(table, right, parts, tolerance_mm)


def _require_expected(affine: ArrayLike) -> Matrix:
    matrix = require_numbers(affine, "An affine")
    if matrix.shape == (4, 4) and np.allclose(matrix[3], [0, 0, 0, 1], rtol=0, atol=ROUNDING):
        matrix[3] = 0, 0, 0, 1
    return require_affine(matrix)


def _take_table(found: Any) -> Any:
    if find_attribute(found, "affine") is not None:
        raise UnlikeError(f"Expected {TABLE}, but this is a whole image: take its .affine")
    return found


def _find_fault(shape: Shape) -> str:
    words = {
        (4, 4): "",
        (3, 4): "The last row is missing: three zeros and a one make a 3 x 4 table an affine.",
        (3, 3): "It is a 3 x 3 matrix, which has no place for the translation: an affine is 4 x 4.",
        (16,): "Its sixteen numbers stand in one row: .reshape(4, 4) makes a table of them.",
        (): f"Expected {TABLE}, but this is a single number.",
    }
    return words.get(shape, f"Expected {TABLE}, but this has shape {say_shape(shape)}.")


def _find_difference(
    found: Matrix, expected: Matrix, factors: list[Matrix], tolerance_mm: float
) -> str:
    has_last_row = np.allclose(found[3], [0, 0, 0, 1], rtol=0, atol=ROUNDING)
    if has_last_row and _apart_mm(found, expected) <= tolerance_mm:
        return ""
    if rounded := _say_rounded(found, expected):
        return rounded
    for words, slip in affine_slips(expected, factors):
        is_last_row_same = np.allclose(found[3], slip[3], rtol=0, atol=tolerance_mm)
        if is_last_row_same and _apart_mm(found, slip) <= tolerance_mm:
            return words
    if not has_last_row:
        return _say_last_row(found, expected, tolerance_mm)
    return (
        _say_angle(found, expected, tolerance_mm)
        or _say_factor(found, expected, tolerance_mm)
        or _say_places(found, expected, tolerance_mm)
    )


def _apart_mm(one: Matrix, other: Matrix) -> float:
    """Return how far apart two matrices put a point that lies within reach."""
    difference = one[:3] - other[:3]
    apart = CORNERS @ difference[:, :3].T + difference[:, 3]
    return float(np.linalg.norm(apart, axis=1).max())


def _say_rounded(found: Matrix, expected: Matrix) -> str:
    if np.array_equal(found, np.trunc(expected)):
        return (
            "Its numbers were cut to whole ones: does the array have an integer type? Make it "
            "with dtype=float."
        )
    for decimals in DECIMALS:
        if np.allclose(found, expected.round(decimals), rtol=0, atol=ROUNDING):
            return "Its numbers are rounded too early: keep all digits until the end."
    return ""


def _say_last_row(found: Matrix, expected: Matrix, tolerance_mm: float) -> str:
    if _apart_mm(found, expected) <= tolerance_mm:
        return "Only the last row is off: it is three zeros and a one."
    return "The last row of an affine is three zeros and a one; here it is something else."


def _say_angle(found: Matrix, expected: Matrix, tolerance_mm: float) -> str:
    for words, axes in angle_slips(expected):
        if REACH * np.linalg.norm(found[:3, :3] - axes) <= tolerance_mm:
            return words
    return ""


def _say_factor(found: Matrix, expected: Matrix, tolerance_mm: float) -> str:
    """Say that the steps are too long or too short."""
    axes, right = found[:3, :3], expected[:3, :3]
    # The ratio is the one that comes nearest, over all nine numbers.
    factor = np.sum(axes * right) / np.sum(right**2)
    if factor and REACH * np.linalg.norm(axes - factor * right) <= tolerance_mm * abs(factor):
        if np.isclose(factor, 1):  # as good as none: the translation is what differs
            return ""
        return f"All steps from voxel to voxel are {_say_size(factor)}"
    lengths, right_lengths = np.linalg.norm(axes, axis=0), np.linalg.norm(right, axis=0)
    with np.errstate(all="ignore"):
        is_along = REACH * np.abs(axes / lengths - right / right_lengths).max() <= tolerance_mm
    if is_along:
        if np.allclose(lengths * right_lengths, 1):
            return "The voxel sizes are upside down: it needs mm per voxel, not voxels per mm."
        off = ~np.isclose(lengths, right_lengths)
        return (
            "The voxel axes have the right directions, but the voxel sizes are off along "
            f"{_list('ijk', off)}: each column is as long as its voxel."
        )
    return ""


def _say_size(factor: float) -> str:
    named = {
        2: "twice too long: was a diameter taken for a radius, or a step doubled?",
        0.5: "half as long as they should be: was a radius taken for a diameter?",
        1000: "a thousand times too long: the unit is mm.",
        0.001: "a thousand times too short: the unit is mm, not metres.",
        10: "ten times too long: the unit is mm.",
        0.1: "ten times too short: the unit is mm, not centimetres.",
        -1: "right but for their sign: all three axes run the wrong way.",
    }
    for known, words in named.items():
        if np.isclose(factor, known):
            return words
    direction = "long" if factor > 1 else "short"
    return f"too {direction}, by one and the same factor."


def _say_places(found: Matrix, expected: Matrix, tolerance_mm: float) -> str:
    """Say which rows and columns are off."""
    weights = np.array([REACH, REACH, REACH, 1])
    # eight times smaller, and no sum of twelve such numbers could be noticed
    is_off = np.abs(found - expected)[:3] * weights > tolerance_mm / 8
    rows, columns = is_off.any(axis=1), is_off.any(axis=0)
    if columns.sum() == 1 and columns[3]:
        along = "" if rows.all() else f", along {_list('xyz', rows)}"
        return f"Only the translation, the last column, is off{along}."
    if is_off.sum() == 1:
        row, column = np.argwhere(is_off)[0]
        return f"Only one number is off, in the {ROWS[row]}, and the {COLUMNS[column]}."
    if columns.sum() == 1:
        return f"Only the {COLUMNS[int(np.argmax(columns))]}, is off."
    if rows.sum() == 1:
        return f"Only the {ROWS[int(np.argmax(rows))]}, is off."
    if not columns[3]:
        return (
            "The translation is right, but the 3 x 3 part is not, in the steps along "
            f"{_list('ijk', columns[:3])}."
        )
    return (
        "Several of its rows and columns are off. Begin with the last column, which says where "
        "voxel (0, 0, 0) lies."
    )


def _list(names: str, chosen: NDArray[np.bool_]) -> str:
    *first, last = (name for name, is_chosen in zip(names, chosen, strict=True) if is_chosen)
    return f"{', '.join(first)} and {last}" if first else last
