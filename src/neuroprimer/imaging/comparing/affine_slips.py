"""Affine slips: the matrices that come out when one thing goes wrong, and words for each."""

import itertools
from collections.abc import Iterator, Sequence
from functools import reduce
from typing import TypeAlias

import numpy as np
from nibabel.affines import from_matvec
from numpy.typing import NDArray

from neuroprimer.imaging.space.affine_parts import decompose
from neuroprimer.imaging.space.affines import AffineError, require_invertible
from neuroprimer.imaging.space.rotations import rotation, rotation_axis_angle

Matrix: TypeAlias = NDArray[np.float64]
Slip: TypeAlias = tuple[str, Matrix]

PAIRS = ((0, 1), (0, 2), (1, 2))

# All orders of five factors are 120 products; of more, only the reversed order is tried.
MOST_FACTORS = 5

# A smaller turn is the same in degrees and in radians, as far as anybody can see.
SMALLEST_TURN_RAD = 1e-6

# Ways to write the same affine with other signs of the zooms: turns by a half about each axis.
HALF_TURNS = ((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1))

UNITS = (
    (1000, "a thousand times too large: are these micrometres, and not mm?"),
    (1e-3, "a thousand times too small: are these metres, and not mm?"),
    (0.1, "ten times too small: are these centimetres, and not mm?"),
)


def affine_slips(expected: Matrix, factors: Sequence[Matrix]) -> Iterator[Slip]:
    """Yield what an affine becomes by one known slip, the most telling first.

    Parameters
    ----------
    expected : (4, 4) array
        The right one.
    factors : sequence of (4, 4) array
        Those whose product it is, as they are written; may be empty.

    Yields
    ------
    words : str
        Feedback, without any number of the expected affine.
    slip : (4, 4) array
        What would be found.

    Examples
    --------
    >>> words, slip = next(affine_slips(np.diag([2.0, 2, 2, 1]), []))
    >>> words
    'It is the identity, which leaves every point where it is.'
    """
    yield "It is the identity, which leaves every point where it is.", np.eye(4)
    is_turn = not expected[:3, 3].any() and _is_rotation(expected[:3, :3])
    if is_turn:  # then the transpose, the inverse and the other direction are all the same
        yield (
            "It turns in the other direction: look at the sign of the angle.",
            expected.T,
        )
    yield (
        "It is transposed: its rows stand where its columns should. The translation belongs into "
        "the last column.",
        expected.T,
    )
    yield from _inverse_slips(expected)
    yield from _order_slips(factors)
    yield from _translation_slips(expected)
    yield from _mirror_slips(expected)
    yield from _exchange_slips(expected)
    yield from _part_slips(expected)


def _inverse_slips(expected: Matrix) -> Iterator[Slip]:
    inverse = find_inverse(expected)
    if inverse is not None:
        yield (
            "It is the inverse: it leads the way back. An image's affine leads from voxels to the "
            "world, its inverse from the world to voxels.",
            inverse,
        )
        yield "It is the inverse, and transposed as well.", inverse.T


def find_inverse(affine: Matrix) -> Matrix | None:
    """Return the way back, or None if there is none."""
    try:
        return np.asarray(np.linalg.inv(require_invertible(affine)))
    except AffineError:
        return None


def _is_rotation(axes: Matrix) -> bool:
    return bool(np.allclose(axes @ axes.T, np.eye(3), atol=1e-9) and np.linalg.det(axes) > 0)


def _order_slips(factors: Sequence[Matrix]) -> Iterator[Slip]:
    """Yield products of the right factors that are not the right product."""
    if len(factors) < 2:
        return
    yield (
        "The factors are multiplied in the reverse order: the one on the right acts first.",
        _product(factors[::-1]),
    )
    yield (
        "The factors are multiplied number by number: `*` does that, `@` multiplies matrices.",
        reduce(np.multiply, factors),
    )
    yield "The factors are added: `@` multiplies matrices.", reduce(np.add, factors)
    for order in itertools.permutations(factors) if len(factors) <= MOST_FACTORS else ():
        yield (
            "The factors are right, but multiplied in another order: the one on the right acts "
            "first.",
            _product(order),
        )
    turned = [_in_degrees(factor) for factor in factors]
    yield _DEGREES, _product(turned)
    for place, factor in enumerate(factors):
        before, after = factors[:place], factors[place + 1 :]
        yield "One of the factors is missing.", _product([*before, *after])
        inverse = find_inverse(factor)
        if inverse is not None:
            yield (
                "One of the factors is inverted: it undoes what it should do.",
                _product([*before, inverse, *after]),
            )
        yield _DEGREES, _product([*before, turned[place], *after])


def _product(factors: Sequence[Matrix]) -> Matrix:
    return reduce(np.matmul, factors)


def _translation_slips(expected: Matrix) -> Iterator[Slip]:
    axes, shift = expected[:3, :3], expected[:3, 3]
    yield (
        "The translation is missing: the last column says where voxel (0, 0, 0) lies.",
        from_matvec(axes, np.zeros(3)),
    )
    yield (
        "The translation, the last column, has the opposite sign.",
        from_matvec(axes, -shift),
    )
    for row, axis in enumerate("xyz"):
        yield (
            f"The translation has the wrong sign along {axis}.",
            from_matvec(axes, _negate(shift, row)),
        )
    yield (
        "The numbers of the translation stand in the reverse order: x comes first.",
        from_matvec(axes, shift[::-1]),
    )
    for one, other in PAIRS:
        yield (
            f"In the translation, {'xyz'[one]} and {'xyz'[other]} have changed places.",
            from_matvec(axes, _exchange(shift, one, other)),
        )
    inverse = find_inverse(expected)
    if inverse is not None:
        yield (
            "The translation counts voxels, but the last column is in mm.",
            from_matvec(axes, inverse[:3, :3] @ shift),
        )
    yield (
        "The translation was turned and stretched by the rest: it must act last, so its matrix "
        "stands on the left of the product.",
        from_matvec(axes, axes @ shift),
    )
    for factor, words in UNITS:
        yield f"The translation is {words}", from_matvec(axes, shift * factor)
    yield from _step_slips(axes, shift)


def _step_slips(axes: Matrix, shift: Matrix) -> Iterator[Slip]:
    steps = [np.array(step) for step in itertools.product((0, 1, -1), repeat=3) if any(step)]
    for step in steps:
        yield (
            "The translation is off by half a voxel: it says where the centre of voxel (0, 0, 0) "
            "lies, not its corner.",
            from_matvec(axes, shift + axes @ step / 2),
        )
    for step in steps:
        yield (
            "The translation is off by one voxel: voxels are counted from zero.",
            from_matvec(axes, shift + axes @ step),
        )


def _mirror_slips(expected: Matrix) -> Iterator[Slip]:
    words = {
        (-1, 1, 1): "It is mirrored left-right: the row of x has the opposite sign.",
        (1, -1, 1): "It is mirrored front to back: the row of y has the opposite sign.",
        (1, 1, -1): "It is mirrored top to bottom: the row of z has the opposite sign.",
        (-1, -1, 1): "The rows of x and y have the opposite sign: this is LPS, as in DICOM, where "
        "x grows to the left and y to the back. Here they grow to the right and to the front.",
        (-1, -1, -1): "All three rows have the opposite sign.",
    }
    for signs, sentence in words.items():
        yield sentence, np.diag([*signs, 1.0]) @ expected
    for column, axis in enumerate("ijk"):
        flip = np.eye(4)
        flip[column, column] = -1
        yield (
            f"The step along {axis} goes the wrong way: that column has the opposite sign.",
            expected @ flip,
        )


def _exchange_slips(expected: Matrix) -> Iterator[Slip]:
    for one, other in PAIRS:
        order = _exchange(np.arange(4), one, other)
        yield (
            f"The axes {'xyz'[one]} and {'xyz'[other]} of the world have changed places: two rows "
            "are swapped.",
            expected[order],
        )
        yield (
            f"The voxel axes {'ijk'[one]} and {'ijk'[other]} have changed places: two columns are "
            "swapped.",
            expected[:, order],
        )
        yield (
            f"The axes {'xyz'[one]} and {'xyz'[other]} have changed places, and {'ijk'[one]} and "
            f"{'ijk'[other]} with them.",
            expected[order][:, order],
        )


def _part_slips(expected: Matrix) -> Iterator[Slip]:
    """Yield what comes out when the turn or the voxel sizes are not what they should be."""
    axes, shift = expected[:3, :3], expected[:3, 3]
    if find_inverse(expected) is not None:
        parts = decompose(expected)
        turn, stretch = parts.rotation[:3, :3], parts.rotation[:3, :3].T @ axes
        yield (
            "The turn goes in the other direction: look at the sign of the angle.",
            from_matvec(turn.T @ stretch, shift),
        )
        yield (
            "The turn is missing: the voxel sizes alone do not make the directions.",
            from_matvec(stretch, shift),
        )
        yield (
            "The voxel sizes stand on the wrong side of the turn: they act first, so their matrix "
            "stands on the right.",
            from_matvec(stretch @ turn, shift),
        )
        yield (
            "The turn is right, but the voxel sizes are missing.",
            from_matvec(turn, shift),
        )
    yield (
        "The 3 x 3 part is transposed: each column is the step along one voxel axis.",
        from_matvec(axes.T, shift),
    )


_DEGREES = (
    "An angle was taken in the wrong unit: sines and cosines want radians, and numpy.radians() "
    "makes them from degrees, once."
)


def angle_slips(expected: Matrix) -> Iterator[Slip]:
    """Yield 3 x 3 parts that come out when an angle is taken in the wrong unit.

    Parameters
    ----------
    expected : (4, 4) array
        The right affine.

    Yields
    ------
    words : str
        Feedback.
    axes : (3, 3) array
        What would be found. The translation may be anything: if the turn is about another point
        than the origin, it depends on the angle.

    Examples
    --------
    >>> len(list(angle_slips(np.eye(4))))  # no turn, and three ways to write it as half a turn
    9
    """
    if find_inverse(expected) is None:
        return
    turn = decompose(expected).rotation
    for signs in HALF_TURNS:
        flip = np.diag([*signs, 1.0])
        rest = (turn @ flip).T @ expected
        for wrong in _wrong_angles(turn @ flip):
            yield _DEGREES, (wrong @ rest)[:3, :3]


def _wrong_angles(turn: Matrix) -> Iterator[Matrix]:
    axis, angle_rad = rotation_axis_angle(turn)
    if angle_rad < SMALLEST_TURN_RAD:
        return
    # more than half a turn comes back as less than one, the other way round
    yield rotation(axis, np.degrees(angle_rad))
    yield rotation(axis, np.degrees(angle_rad) - 360)
    yield rotation(axis, np.radians(angle_rad))


def _in_degrees(factor: Matrix) -> Matrix:
    """Return what a turn becomes if its angle is in degrees, and any other factor as it is."""
    if factor[:3, 3].any() or not _is_rotation(factor[:3, :3]):
        return factor
    return next(_wrong_angles(factor), factor)


def _negate(numbers: Matrix, place: int) -> Matrix:
    return np.where(np.arange(len(numbers)) == place, -numbers, numbers)


def _exchange(numbers: NDArray[np.generic], one: int, other: int) -> NDArray[np.generic]:
    changed = numbers.copy()
    changed[[one, other]] = changed[[other, one]]
    return changed
