"""Coordinates: how points that were found differ from those expected, in words."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroprimer.imaging.comparing.answers import Shape, UnlikeError, read_numbers, say_shape
from neuroprimer.imaging.space.affines import (
    AffineError,
    require_invertible,
    require_numbers,
    voxel_to_world,
    world_to_voxel,
)
from neuroprimer.imaging.space.grids import AFFINE_TOLERANCE_MM

Points: TypeAlias = NDArray[np.float64]
Slip: TypeAlias = tuple[str, Points]

ROUNDING = 1e-9
DECIMALS = (3, 2, 1, 0)
PAIRS = ((0, 1), (0, 2), (1, 2))


def compare_coordinates(
    found: Any,
    expected: ArrayLike,
    *,
    affine: ArrayLike | None = None,
    tolerance_mm: float = AFFINE_TOLERANCE_MM,
) -> str:
    """Say how coordinates differ from those expected, and nothing if they do not.

    Parameters
    ----------
    found : object
        What somebody takes for the coordinates; anything at all.
    expected : (3,) or (n, 3) array-like
        The right ones, in mm or in voxels.
    affine : (4, 4) array-like, optional
        Voxel to world. With it, it is noticed when one was taken for the other, or the affine was
        applied in part.
    tolerance_mm : float
        How far a point may be off, in mm; for voxel indices, in voxels.

    Returns
    -------
    difference : str
        One difference, in a sentence or two, without any number of `expected`; "" if there is
        none.

    Raises
    ------
    AffineError
        If `expected` are no coordinates, or `affine` is no affine that can be inverted.

    Examples
    --------
    >>> affine = np.array([[2.0, 0, 0, -90], [0, 2, 0, -126], [0, 0, 2, -72], [0, 0, 0, 1]])
    >>> compare_coordinates([90, -126, -72], [-90, -126, -72])
    'x has the opposite sign: left and right have changed places.'
    >>> compare_coordinates((45, 63, 36), (0, 0, 0), affine=affine)
    'These are voxel indices, but world coordinates in mm were asked for.'
    """
    right = _require_expected(expected)
    matrix = None if affine is None else require_invertible(affine)
    try:
        points = read_numbers(
            found,
            wanted=_say_wanted(right.shape),
            find_fault=lambda shape: _find_fault(shape, right.shape),
        )
    except UnlikeError as unlike:
        return str(unlike)
    with np.errstate(all="ignore"):  # answers may hold numbers of any size
        if points.shape != right.shape:
            return _say_fourth(points)
        return _find_difference(points, right, matrix, tolerance_mm)


def _require_expected(expected: ArrayLike) -> Points:
    points = require_numbers(expected, "A point")
    if points.ndim not in (1, 2) or points.shape[-1] != 3 or not np.isfinite(points).all():
        raise AffineError(
            f"Expected coordinates are finite numbers of shape (3,) or (n, 3), but these have "
            f"shape {points.shape}.",
            hint="Pass the right answer as an array.",
        )
    return points


def _say_wanted(shape: Shape) -> str:
    if len(shape) == 1:
        return "three numbers"
    return "a table of points, with three numbers in each row"


def _find_fault(found: Shape, expected: Shape) -> str:
    if found in (expected, (*expected[:-1], 4)):  # what the fourth number is, is seen later
        return ""
    if found == ():
        return f"Expected {_say_wanted(expected)}, but this is a single number."
    if len(expected) == 1:
        if found in ((1, 3), (3, 1)):
            return f"It is a table of shape {say_shape(found)}: .ravel() makes one point of it."
        if len(found) == 2 and 3 in found:
            return "These are several points, but one was asked for."
    elif found == expected[::-1]:
        return "It is transposed: a point is a row, not a column. Take its .T"
    elif found == (3,):
        return "This is one point, but a table of points was asked for: one row for each."
    elif found == (expected[0] * 3,):
        return "All numbers stand in one row: .reshape(-1, 3) makes a row for each point."
    elif len(found) == 2 and found[1] == 3:
        many = "many" if found[0] > expected[0] else "few"
        return f"These are too {many} points: there should be one row for each."
    return f"Expected {_say_wanted(expected)}, but this has shape {say_shape(found)}."


def _say_fourth(points: Points) -> str:
    if np.allclose(points[..., 3], 1):
        return (
            "There is a fourth number, the one that was added for the product with the affine: "
            "leave it out, with [:3]."
        )
    return "There are four numbers for a point, but space has three axes."


def _find_difference(
    found: Points, expected: Points, affine: NDArray[np.float64] | None, tolerance_mm: float
) -> str:
    def is_same(points: Points) -> bool:
        return bool(np.linalg.norm(found - points, axis=-1).max(initial=0) <= tolerance_mm)

    if is_same(expected):
        return ""
    for decimals in DECIMALS:
        if np.allclose(found, expected.round(decimals), rtol=0, atol=ROUNDING):
            return "The numbers are rounded: keep all digits, fractions have a meaning."
    if np.array_equal(found, np.trunc(expected)):
        return "The numbers are cut to whole ones: does the array have an integer type?"
    slips = [] if affine is None else list(_affine_slips(expected, affine))
    for words, slip in [*slips, *_plain_slips(expected)]:
        if is_same(slip):
            return words
    return _say_step(found, expected, is_same) or _say_places(found, expected, tolerance_mm)


def _affine_slips(expected: Points, affine: NDArray[np.float64]) -> Iterator[Slip]:
    """Yield what comes out when the affine is used in another way than it should be."""
    axes, shift = affine[:3, :3], affine[:3, 3]
    in_voxels, in_mm = world_to_voxel(affine, expected), voxel_to_world(affine, expected)
    yield "These are voxel indices, but world coordinates in mm were asked for.", in_voxels
    yield "These are world coordinates in mm, but voxel indices were asked for.", in_mm
    yield (
        "The translation was not added: the last column of the affine belongs to it.",
        expected - shift,
    )
    yield (
        "The translation was subtracted where it should be added, or added twice with the wrong "
        "sign.",
        expected - 2 * shift,
    )
    yield "The translation was added twice.", expected + shift
    # of voxel indices, the translation is taken away before the 3 x 3 part is undone
    back = np.linalg.solve(axes, shift)
    yield "The translation was not taken away before the 3 x 3 part was undone.", expected + back
    yield (
        "The translation was taken away after the 3 x 3 part was undone; it comes first.",
        expected + back - shift,
    )
    yield (
        "The inverse of the affine was used where the affine itself leads from voxels to the "
        "world.",
        world_to_voxel(affine, in_voxels),
    )
    yield (
        "The affine was used where its inverse leads from the world to voxels.",
        voxel_to_world(affine, in_mm),
    )
    yield (
        "The 3 x 3 part was used transposed: `M @ ijk` for one point is `ijk @ M.T` for rows.",
        in_voxels @ axes + shift,
    )
    yield (
        "The axes were left out: voxel sizes and translation are not enough, since the axes of "
        "this image do not run along the world's.",
        in_voxels * np.linalg.norm(axes, axis=0) + shift,
    )


def _plain_slips(expected: Points) -> Iterator[Slip]:
    """Yield what comes out when axes, signs or units are taken for others."""
    yield (
        "x has the opposite sign: left and right have changed places.",
        expected * (-1, 1, 1),
    )
    yield "y has the opposite sign: front and back have changed places.", expected * (1, -1, 1)
    yield "z has the opposite sign: top and bottom have changed places.", expected * (1, 1, -1)
    yield (
        "x and y have the opposite sign: this is LPS, as in DICOM, where x grows to the left and "
        "y to the back. Here they grow to the right and to the front.",
        expected * (-1, -1, 1),
    )
    yield "All signs are the opposite of what they should be.", -expected
    yield "The order is reversed: the first number is the first axis.", expected[..., ::-1]
    for one, other in PAIRS:
        order = np.arange(3)
        order[[one, other]] = other, one
        yield (
            f"The {_NTH[one]} and the {_NTH[other]} number have changed places.",
            expected[..., order],
        )
    for turn in (1, 2):
        yield "The three numbers are in another order.", np.roll(expected, turn, axis=-1)
    if expected.ndim == 2:
        yield "The points are right, but in the reverse order.", expected[::-1]
        if len(expected) == 3:
            yield "It is transposed: a point is a row, not a column. Take its .T", expected.T
    yield "The numbers are ten times too small: are they centimetres?", expected / 10
    yield "The numbers are a thousand times too small: are they metres?", expected / 1000
    yield "The numbers are a thousand times too large.", expected * 1000


_NTH = ("first", "second", "third")


def _say_step(found: Points, expected: Points, is_same: Callable[[Points], bool]) -> str:
    """Say that all points are off by the same one step, or half of one."""
    for size, words in (
        (1, "Numbers are off by exactly one: voxels are counted from zero."),
        (0.5, "Numbers are off by a half: an index means the centre of a voxel, not its edge."),
    ):
        for step in itertools.product((0, 1, -1), repeat=3):
            if any(step) and is_same(expected + size * np.array(step)):
                return words
    if found.ndim == 2 and len(found) > 1:
        apart = (found - expected).mean(axis=0)
        if is_same(expected + apart):
            return "All points are off by the same way: was a translation left out or added?"
    return ""


def _say_places(found: Points, expected: Points, tolerance_mm: float) -> str:
    is_off = np.abs(found - expected) > tolerance_mm / 2
    if found.ndim == 2:
        off_rows = is_off.any(axis=1)
        if not off_rows.all():
            first = int(np.argmax(off_rows))
            much = "One point is" if off_rows.sum() == 1 else "Some points are"
            return f"{much} off, first in the row with the index {first}."
    off = [name for axis, name in enumerate(_NTH) if is_off[..., axis].any()]
    if len(off) == 1:
        return f"Only the {off[0]} number is off."
    if len(off) == 2:
        return f"The {off[0]} and the {off[1]} number are off."
    return "None of the three numbers is right; try a point whose place you know."
