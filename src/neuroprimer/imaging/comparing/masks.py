"""Masks: how one that was found differs from the one expected, in words."""

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
from nibabel.spatialimages import SpatialImage
from numpy.typing import NDArray

from neuroprimer.imaging.comparing.answers import UnlikeError
from neuroprimer.imaging.comparing.voxels import (
    NTH,
    Answer,
    read_voxels,
    require_voxels,
    say_grid,
    say_lengths,
    take_answer,
)
from neuroprimer.imaging.tables.masks import ROUNDING, Mask, MaskError

Inside: TypeAlias = NDArray[np.bool_]

# So much of the larger mask may be missing before a share is named in words.
SHARES = (
    (0.01, "less than one in a hundred"),
    (0.05, "a few in a hundred"),
    (0.15, "about a tenth"),
    (0.3, "about a quarter"),
    (0.6, "about half as many"),
    (1.4, "about as many again"),
    (np.inf, "many times that"),
)

WANTED = "a mask: an image or an array of zeros and ones"


def compare_masks(
    found: Any, expected: SpatialImage | Mask | NDArray[Any], *, dice_at_least: float = 1.0
) -> str:
    """Say how a mask differs from the one expected, and nothing if it does not.

    Parameters
    ----------
    found : object
        What somebody takes for the mask; anything at all.
    expected : image, Mask or array
        The right one. If both have an affine, these are compared, too.
    dice_at_least : float
        How much the two must overlap, by Dice's measure: 1 for the same voxels, 0 for no voxel in
        common.

    Returns
    -------
    difference : str
        One difference, in a sentence or two, without the number of voxels expected; "" if there
        is none.

    Raises
    ------
    MaskError
        If `expected` holds other numbers than zeros and ones.

    Examples
    --------
    >>> inside = np.zeros((4, 4, 4), dtype=bool)
    >>> inside[:1] = True
    >>> compare_masks(inside, inside)
    ''
    >>> compare_masks(~inside, inside)
    'It is inverted: what should be inside is outside.'
    >>> compare_masks(inside[::-1], inside)
    'It is mirrored along its first axis.'
    """
    right = require_voxels(expected)
    inside = _require_binary(read_voxels(right, WANTED))
    try:
        answer = take_answer(found, WANTED)
        if fault := say_lengths(answer.shape, right.shape):
            return fault
        voxels = read_voxels(answer, WANTED)
        if fault := _find_unbinary(voxels):
            return fault
    except UnlikeError as unlike:
        return str(unlike)
    return say_grid(answer, right) or _find_difference(
        _find_ones(voxels), inside, right, dice_at_least
    )


def _require_binary(voxels: NDArray[Any]) -> Inside:
    if fault := _find_unbinary(voxels):
        raise MaskError(
            f"The expected mask is none. {fault}", hint="Pass the right answer, of zeros and ones."
        )
    return _find_ones(voxels)


def _find_ones(voxels: NDArray[Any]) -> Inside:
    return voxels if voxels.dtype.kind == "b" else np.abs(voxels - 1.0) <= ROUNDING


def _find_unbinary(voxels: NDArray[Any]) -> str:
    """Say what keeps voxels from being a mask, or nothing."""
    if voxels.dtype.kind == "b":
        return ""
    if np.isnan(voxels).any():
        return "Some of its voxels are NaN, and neither inside nor outside."
    is_one, is_zero = _find_ones(voxels), np.abs(voxels) <= ROUNDING
    others = voxels[~(is_one | is_zero)]
    if not others.size:
        return ""
    if not is_one.any() and np.ptp(others) == 0:
        return (
            "It holds zeros and one other number where a mask holds zeros and ones: compare it "
            "with zero, by `> 0` or `!= 0`."
        )
    if np.array_equal(others, np.trunc(others)):
        return (
            "It holds several whole numbers, as a label image does: choose the label by `==`, and "
            "a mask comes out."
        )
    return "It holds other numbers than zeros and ones: cut it at a threshold, by `>`."


def _find_difference(found: Inside, expected: Inside, right: Answer, dice_at_least: float) -> str:
    overlap = _dice(found, expected)
    if overlap >= dice_at_least:
        return ""
    if not found.any():
        return "It is empty: no voxel is inside. Was the threshold too high?"
    if found.all():
        return "Every voxel is inside. Was the threshold too low?"
    for words, slip in _slips(expected, right):
        if _dice(found, slip) >= dice_at_least:
            return words
    return _say_size(found, expected) or (
        f"It overlaps with what was expected by a Dice of {_round_down(overlap)}"
        f"{_say_tendency(found, expected)}."
    )


def _dice(one: Inside, other: Inside) -> float:
    total = np.count_nonzero(one) + np.count_nonzero(other)
    return 2 * int(np.count_nonzero(one & other)) / total if total else 1.0


def _slips(expected: Inside, right: Answer) -> Iterator[tuple[str, Inside]]:
    yield "It is inverted: what should be inside is outside.", ~expected
    names = right.axis_names()
    for axis in range(expected.ndim):
        yield f"It is mirrored {names[axis]}.", np.flip(expected, axis)
    if len(set(expected.shape)) == 1:
        yield "Its axes are in the reverse order: it is transposed.", expected.T
    for axis in range(min(expected.ndim, 3)):
        for step in (1, -1):
            yield (
                f"It is shifted by one voxel along its {NTH[axis]} axis: voxels are counted from "
                "zero.",
                _shift(expected, step, axis),
            )


def _shift(inside: Inside, step: int, axis: int) -> Inside:
    """Return a mask moved by one voxel; what leaves the grid is lost."""
    moved = np.roll(inside, step, axis)
    edge: list[Any] = [slice(None)] * inside.ndim
    edge[axis] = 0 if step > 0 else -1
    moved[tuple(edge)] = False
    return moved


def _say_size(found: Inside, expected: Inside) -> str:
    """Say that one mask holds the other and more."""
    n_found, n_expected = np.count_nonzero(found), np.count_nonzero(expected)
    if not n_expected:
        return "It should be empty, but some voxels are inside."
    if not (expected & ~found).any():
        more = (n_found - n_expected) / n_expected
        return f"It is too large: it holds all that it should, and {_say_share(more)} too many."
    if not (found & ~expected).any():
        less = (n_expected - n_found) / n_found
        return (
            "It is too small: all its voxels are right, but compared with them "
            f"{_say_share(less)} are missing."
        )
    return ""


def _say_share(share: float) -> str:
    return next(words for limit, words in SHARES if share < limit or limit == np.inf)


def _round_down(overlap: float) -> str:
    return f"{np.floor(overlap * 100) / 100:.2f}"


def _say_tendency(found: Inside, expected: Inside) -> str:
    ratio = int(np.count_nonzero(found)) / max(int(np.count_nonzero(expected)), 1)
    if ratio > 1.1:
        return ", and is larger"
    if ratio < 0.9:
        return ", and is smaller"
    return ", and is about as large; it lies elsewhere or has another form"
