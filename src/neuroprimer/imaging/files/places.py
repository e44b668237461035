"""Places: which part of an array is asked for, and of which file."""

from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from nibabel.fileslice import canonical_slicers

Stamp: TypeAlias = tuple[int, int, int]


def chosen_shape(slicer: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of what an index chooses, without an array.

    Parameters
    ----------
    slicer : index
        What one would put between square brackets.
    shape : tuple of int
        Of the array that is asked.

    Returns
    -------
    chosen : tuple of int
        The lengths of what would come out.

    Raises
    ------
    IndexError
        If the array has no such part; the words are numpy's.

    Examples
    --------
    >>> chosen_shape((..., -1), (4, 5, 6))
    (4, 5)
    """
    return np.shape(np.broadcast_to(False, shape)[slicer])  # takes no memory


def find_place(slicer: Any, shape: tuple[int, ...]) -> tuple[Any, ...] | None:
    """Return an index as one integer or slice for each axis, or None when it is of another kind.

    Parameters
    ----------
    slicer : index
        What one would put between square brackets; one that `chosen_shape` takes.
    shape : tuple of int
        Of the array that is asked.

    Returns
    -------
    place : tuple of int and slice, or None
        Integers count from the front. None for lists, arrays and new axes.

    Examples
    --------
    >>> find_place((..., -1), (4, 5, 6))
    (slice(None, None, None), slice(None, None, None), 5)
    """
    try:
        place = canonical_slicers(slicer, shape)
    except ValueError:
        return None
    return None if None in place else place


def stamp_of(path: Path) -> Stamp:
    """Return what tells a file from another one that takes its name.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    stamp : tuple of int
        Its number on the disk, its length, and when it was written.

    Examples
    --------
    >>> stamp_of(Path(__file__)) == stamp_of(Path(__file__))
    True
    """
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns
