"""Voxels: images, masks and arrays as answers, read only if their shape is right."""

import itertools
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
from nibabel.spatialimages import SpatialImage
from numpy.typing import NDArray

from neuroprimer.errors import NeuroprimerError
from neuroprimer.imaging.comparing.affines import compare_affines
from neuroprimer.imaging.comparing.answers import (
    Shape,
    UnlikeError,
    as_real_array,
    find_shape,
    require_answer,
    say_kind,
    say_shape,
)
from neuroprimer.imaging.files.voxels import load_voxels
from neuroprimer.imaging.space.affines import AffineError, axis_codes
from neuroprimer.imaging.space.grids import Grid, same_grid
from neuroprimer.imaging.tables.masks import Mask

NTH = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")

DIRECTIONS = {
    "L": "left-right",
    "R": "left-right",
    "A": "front to back",
    "P": "front to back",
    "I": "top to bottom",
    "S": "top to bottom",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """Voxels that have not been read yet, and where they lie, as far as that is known.

    Parameters
    ----------
    source : image, Mask or array-like
        Where the voxels are.
    shape : tuple of int
        Without axes of length 1 beyond the third.
    affine : (4, 4) array, optional
        Of images and masks.
    """

    source: Any
    shape: Shape
    affine: Any = None

    def axis_names(self) -> tuple[str, ...]:
        """Return, for each axis, words that follow "mirrored"."""
        names = [f"along its {NTH[min(axis, 7)]} axis" for axis in range(len(self.shape))]
        try:
            codes = axis_codes(self.affine) if self.affine is not None else ()
        except AffineError:
            codes = ()
        for axis, code in enumerate(codes):
            names[axis] = DIRECTIONS[code]
        return tuple(names)


def take_answer(answer: Any, wanted: str) -> Answer:
    """Return where the voxels of an answer are, without reading them.

    Raises
    ------
    UnlikeError
        If it has no voxels.
    """
    require_answer(answer, wanted)
    if isinstance(answer, Mask):
        return Answer(source=answer.inside, shape=answer.grid.shape, affine=answer.grid.affine)
    shape = find_shape(answer)
    if not shape:  # a single number has no axes
        raise UnlikeError(
            f"Expected {wanted}, but this is {say_kind(answer)}.",
            hint="load_image() opens a file." if isinstance(answer, str | PathLike) else "",
        )
    affine = answer.affine if isinstance(answer, SpatialImage) else None
    return Answer(source=answer, shape=_without_ones(shape), affine=affine)


def require_voxels(expected: Any) -> Answer:
    """Return where the voxels of the right answer are.

    Raises
    ------
    UnlikeError
        If it has none.
    """
    return take_answer(expected, "an image or an array as the right answer")


def _without_ones(shape: Shape) -> Shape:
    """Drop axes of length 1 at the end, beyond the third."""
    length = len(shape)
    while length > 3 and shape[length - 1] == 1:
        length -= 1
    return shape[:length]


def read_voxels(answer: Answer, wanted: str) -> NDArray[Any]:
    """Read the voxels of an answer whose shape is right.

    Returns
    -------
    voxels : array
        Of bool as they are, other real numbers in float64.

    Raises
    ------
    UnlikeError
        If they are no real numbers, or cannot be read.
    """
    source = answer.source
    if isinstance(source, SpatialImage):
        try:
            source = load_voxels(source)
        except NeuroprimerError as error:
            raise UnlikeError(f"The voxels of this image cannot be read. {error}") from error
    if isinstance(source, list | tuple):
        source = _as_array(source, wanted)
    if isinstance(source, np.ndarray) and source.dtype == bool:
        voxels: NDArray[Any] = source
    else:
        voxels = as_real_array(source, wanted)
    if _without_ones(voxels.shape) != answer.shape:  # rows of a list may differ from its first
        raise UnlikeError(f"Expected {wanted}, but this has shape {say_shape(voxels.shape)}.")
    return voxels.reshape(answer.shape)


def _as_array(nested: Any, wanted: str) -> NDArray[Any]:
    try:
        return np.asarray(nested)
    except Exception as error:  # lists may hold any object
        raise UnlikeError(f"Expected {wanted}, but this list cannot be read as numbers.") from error


def say_lengths(found: Shape, expected: Shape) -> str:
    """Say how one shape differs from another, without naming the right one.

    Examples
    --------
    >>> say_lengths((4, 5, 6), (6, 5, 4))
    'Its axes are in another order: this one has shape (4, 5, 6).'
    >>> say_lengths((4, 5, 6), (4, 5, 6))
    ''
    """
    if found == expected:
        return ""
    this = f"this one has shape {say_shape(found)}."
    if len(found) != len(expected):
        many = "many" if len(found) > len(expected) else "few"
        return f"It has too {many} axes: {this}"
    if sorted(found) == sorted(expected):
        return f"Its axes are in another order: {this}"
    off = [NTH[min(axis, 7)] for axis in range(len(found)) if found[axis] != expected[axis]]
    where = "all of its axes" if len(off) == len(found) else f"its {' and its '.join(off)} axis"
    return f"It has another number of voxels along {where}: {this}"


def say_grid(found: Answer, expected: Answer) -> str:
    """Say that voxels lie elsewhere in the world, where both affines are known."""
    if found.affine is None or expected.affine is None:
        return ""
    try:
        one = Grid(shape=_space(found.shape), affine=found.affine)
        other = Grid(shape=_space(expected.shape), affine=expected.affine)
        if same_grid(one, other):
            return ""
    except NeuroprimerError as error:
        return f"Its affine is none. {error}"
    words = compare_affines(found.affine, expected.affine)
    return f"It lies elsewhere in the world: its affine is not the right one. {words}".strip()


def _space(shape: Shape) -> tuple[int, int, int]:
    i, j, k = (*shape, 1, 1)[:3]
    return i, j, k


def orders_of(shape: Shape) -> list[tuple[int, ...]]:
    """Return the orders of the first three axes that keep the shape, without the order itself.

    Examples
    --------
    >>> orders_of((4, 5, 4))
    [(2, 1, 0)]
    """
    n_space = min(len(shape), 3)
    rest = tuple(range(n_space, len(shape)))
    return [
        order + rest
        for order in itertools.permutations(range(n_space))
        if order != tuple(range(n_space))
        and tuple(shape[axis] for axis in order) == shape[:n_space]
    ]
