"""Images: how one that was found differs from the one expected, in words."""

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
from nibabel.spatialimages import SpatialImage
from numpy.typing import NDArray

from neuroprimer.imaging.comparing.answers import UnlikeError
from neuroprimer.imaging.comparing.voxels import (
    NTH,
    Answer,
    orders_of,
    read_voxels,
    require_voxels,
    say_grid,
    say_lengths,
    take_answer,
)

Voxels: TypeAlias = NDArray[np.float64]

WANTED = "an image, or an array of its voxels"


def compare_images(
    found: Any,
    expected: SpatialImage | NDArray[Any],
    *,
    before: SpatialImage | NDArray[Any] | None = None,
    tolerance: float = 1e-6,
) -> str:
    """Say how an image differs from the one expected, and nothing if it does not.

    Parameters
    ----------
    found : object
        What somebody takes for the image; anything at all.
    expected : image or array
        The right one. If both have an affine, these are compared, too.
    before : image or array, optional
        What there was before it was moved. With it, it is noticed when nothing has moved, or has
        moved to the other side.
    tolerance : float
        How far a voxel may be off, as a part of the range of `expected`. The type of the voxels
        does not matter.

    Returns
    -------
    difference : str
        One difference, in a sentence or two, without any number of `expected`; "" if there is
        none.

    Raises
    ------
    UnlikeError
        If `expected` or `before` have no voxels.

    Examples
    --------
    >>> voxels = np.arange(24.0).reshape(2, 3, 4)
    >>> compare_images(voxels.astype(int).tolist(), voxels)
    ''
    >>> compare_images(voxels[:, ::-1], voxels)
    'It is mirrored along its second axis.'
    >>> compare_images(voxels.T, voxels)
    'Its axes are in another order: this one has shape (4, 3, 2).'
    """
    right = require_voxels(expected)
    wanted = read_voxels(right, WANTED).astype(np.float64)
    try:
        answer = take_answer(found, WANTED)
        if fault := say_lengths(answer.shape, right.shape):
            return fault
        voxels = read_voxels(answer, WANTED).astype(np.float64)
    except UnlikeError as unlike:
        return str(unlike)
    with np.errstate(all="ignore"):  # answers may hold numbers of any size
        if nan := _say_nan(voxels, wanted):
            return nan
        grid = say_grid(answer, right)
        limit = tolerance * _range(wanted)
        if _is_same(voxels, wanted, limit):
            return f"The voxels are right. {grid}" if grid else ""
        if grid:
            return f"{grid} The voxels differ, too."
        return _find_difference(voxels, wanted, right, before, limit)


def _range(voxels: Voxels) -> float:
    finite = voxels[np.isfinite(voxels)]
    if not finite.size:
        return 1.0
    return float(np.ptp(finite) or np.abs(finite).max() or 1.0)


def _say_nan(found: Voxels, expected: Voxels) -> str:
    is_nan, should_be = ~np.isfinite(found), ~np.isfinite(expected)
    if np.array_equal(is_nan, should_be):
        return ""
    if not should_be.any():
        much = "All" if is_nan.all() else "Some"
        return f"{much} of its voxels are NaN or infinite, and none should be."
    if not is_nan.any():
        return "None of its voxels is NaN, but some should be: what is unknown has become a number."
    if is_nan.sum() == should_be.sum():
        return "As many voxels are NaN as should be, but others."
    return f"Too {'many' if is_nan.sum() > should_be.sum() else 'few'} of its voxels are NaN."


def _is_same(one: Voxels, other: Voxels, limit: float) -> bool:
    """Tell whether voxels agree; NaN were compared before."""
    return not bool((np.abs(one - other) > limit).any())


def _find_difference(
    found: Voxels, expected: Voxels, right: Answer, before: Any, limit: float
) -> str:
    if not np.nanstd(found):
        return "All its voxels are the same: there is no picture in it."
    if before is not None and (moved := _say_move(found, expected, before, limit)):
        return moved
    for words, slip in _slips(expected, right):
        if _is_same(found, slip, limit):
            return words
    return (
        _say_intensity(found, expected, limit)
        or _say_shift(found, expected, limit)
        or _say_where(found, expected, limit)
    )


def _say_move(found: Voxels, expected: Voxels, before: Any, limit: float) -> str:
    """Say that nothing has moved, or that it has moved to the other side."""
    first = require_voxels(before)
    if first.shape != expected.shape:
        return ""
    voxels = read_voxels(first, WANTED).astype(np.float64)
    if _is_same(found, voxels, limit):
        return "Nothing has changed: these are the voxels that there were before."
    wanted, done = _steps(voxels, expected), _steps(voxels, found)
    if any(wanted) and done == tuple(-step for step in wanted):
        return (
            "It has moved to the other side: resampling asks for each new voxel where it comes "
            "from, so the transform must be inverted."
        )
    return ""


def _slips(expected: Voxels, right: Answer) -> Iterator[tuple[str, Voxels]]:
    names = right.axis_names()
    for axis in range(expected.ndim):
        yield f"It is mirrored {names[axis]}.", np.flip(expected, axis)
    for order in orders_of(expected.shape):
        yield "Its axes are in another order: it is transposed.", expected.transpose(order)
    yield (
        "Its voxels are rounded to whole numbers: make the image with a type that has fractions.",
        np.rint(expected),
    )
    yield (
        "Its voxels are cut to whole numbers: make the image with a type that has fractions.",
        np.trunc(expected),
    )
    yield "Its voxels have lost their sign.", np.abs(expected)


def _say_intensity(found: Voxels, expected: Voxels, limit: float) -> str:
    """Say that voxels are multiplied by something, or something is added."""
    known = np.isfinite(found)
    one, other = found[known], expected[known]
    offset = np.mean(one - other)
    if _is_same(one, other + offset, limit):
        more = "large" if offset > 0 else "small"
        return f"All voxels are too {more}, by one and the same number: was something added?"
    factor = np.sum(one * other) / np.sum(other**2)
    if factor and _is_same(one, factor * other, limit * abs(factor)):
        return _say_factor(factor)
    centred = other - other.mean()
    slope = np.sum((one - one.mean()) * centred) / np.sum(centred**2)
    if slope and _is_same(one, one.mean() + slope * centred, limit * abs(slope)):
        return (
            "The picture is right, but its grey values are stretched and shifted: was it scaled or "
            "standardised?"
        )
    return ""


def _say_factor(factor: float) -> str:
    if np.isclose(factor, -1):
        return "All voxels have the opposite sign."
    if factor < 0:
        return "All voxels have the opposite sign, and another size."
    more = "large" if factor > 1 else "small"
    return f"All voxels are too {more}, by one and the same factor: was a scaling left out?"


def _steps(one: Voxels, other: Voxels) -> tuple[int, ...]:
    """Return by how many whole voxels one picture seems moved against another, along each axis."""
    steps = []
    for axis in range(min(one.ndim, 3)):
        rest = tuple(further for further in range(one.ndim) if further != axis)
        profiles = [np.nansum(voxels, axis=rest) for voxels in (one, other)]
        first, second = (profile - profile.mean() for profile in profiles)
        match = np.correlate(second, first, mode="full")
        steps.append(int(np.argmax(match)) - (len(first) - 1))
    return tuple(steps)


def _say_shift(found: Voxels, expected: Voxels, limit: float) -> str:
    """Say that the picture is right, but some voxels away."""
    steps = _steps(expected, found)
    if not any(steps) or any(
        2 * abs(step) > length for step, length in zip(steps, expected.shape, strict=False)
    ):
        return ""
    here = tuple(slice(max(step, 0), min(step, 0) or None) for step in steps)
    there = tuple(slice(max(-step, 0), min(-step, 0) or None) for step in steps)
    if not _is_same(found[here], expected[there], limit):
        return ""
    axes = [NTH[axis] for axis, step in enumerate(steps) if step]
    return f"The picture is right, but shifted by whole voxels along its {' and '.join(axes)} axis."


def _say_where(found: Voxels, expected: Voxels, limit: float) -> str:
    is_off = np.abs(found - expected) > limit
    share = np.count_nonzero(is_off) / is_off.size
    if share < 0.01:
        much = "A few of its voxels differ"
    elif share < 0.5:
        much = "Less than half of its voxels differ"
    else:
        much = "Most of its voxels differ"
    known = np.isfinite(found)
    likeness = np.corrcoef(found[known], expected[known])[0, 1]
    if likeness > 0.9:
        return f"{much}, though the picture is much like the right one: was it interpolated twice?"
    return f"{much}, and the picture is another one: plot it beside the one you began with."
