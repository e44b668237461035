"""Point kernels: many points through an affine, slab by slab on several cores.

Points that are not float64 are converted a block at a time: no copy of all of them is made. Where
numba is installed, compiled loops do in one pass what numpy does in several.
"""

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neuroprimer.imaging.engine.compiled import find_compiled
from neuroprimer.imaging.engine.workers import map_in_order

Floats: TypeAlias = NDArray[np.float64]

# Takes points (n, 3), the numbers of the map, and the (n, 3) array that it fills.
Kernel: TypeAlias = Callable[..., None]

# What one thread takes at a time, in points: a millisecond of work.
SLAB = 2**18

# From here on other threads save more than they cost. Numba takes a third of a second to load:
# fewer points would wait for it without ever getting that time back.
MANY = 4 * SLAB

# What numpy takes at a time, so that its second and third pass find the points in the cache.
# OpenBLAS splits a product among threads of its own from 2**18 multiplications on, and a point
# needs nine: its threads and ours would stand in each other's way.
BLOCK = 2**14


def carry(
    points: NDArray[Any], numbers: tuple[Floats, ...], *, plain: Kernel, loop: Kernel | None = None
) -> Floats:
    """Write what a kernel makes of every point into a new array.

    Parameters
    ----------
    points : (..., 3) array
        Numbers of any real type; never changed.
    numbers : tuple of arrays
        What the kernel needs to know of the affine.
    plain : callable
        The kernel in numpy. It is called with some of the points (n, 3), then `numbers`, then the
        (n, 3) array that it fills.
    loop : callable, optional
        The same as a loop that numba can compile, for points in float64; used for many points, if
        numba is installed.

    Returns
    -------
    carried : (..., 3) array
        In float64.

    Examples
    --------
    >>> carry(np.arange(6).reshape(2, 3), (2 * np.eye(3), np.ones(3)), plain=to_world)
    array([[ 1.,  3.,  5.],
           [ 7.,  9., 11.]])
    """
    carried = np.empty(points.shape)
    flat, out = points.reshape(-1, 3), carried.reshape(-1, 3)
    is_many = len(flat) >= MANY
    compiled = find_compiled(loop) if loop and is_many else None
    kernel = partial(_run_loop, compiled) if compiled else plain
    deque(
        map_in_order(
            lambda slab: kernel(flat[slab], *numbers, out[slab]),
            _slices(len(flat), SLAB),
            n_workers=None if is_many else 1,
        ),
        maxlen=0,
    )
    return carried


def _run_loop(loop: Kernel, points: NDArray[Any], *numbers_and_out: Floats) -> None:
    *numbers, out = numbers_and_out
    needs_no_copy = points.dtype == np.float64 and points.flags.c_contiguous
    for block in _slices(len(points), SLAB if needs_no_copy else BLOCK):
        loop(_floats(points[block]), *numbers, out[block])


def _floats(points: NDArray[Any]) -> Floats:
    return np.ascontiguousarray(points, dtype=np.float64)


def _slices(length: int, step: int) -> Iterator[slice]:
    return (slice(first, min(first + step, length)) for first in range(0, length, step))


def to_world(ijk: NDArray[Any], matrix: Floats, offset: Floats, xyz: Floats) -> None:
    """Write ``matrix @ ijk + offset`` for every point.

    Parameters
    ----------
    ijk : (n, 3) array
        Voxel indices, of any real type.
    matrix : (3, 3) array
        One step along i, j and k in each column, in mm.
    offset : (3,) array
        Where voxel (0, 0, 0) lies, in mm.
    xyz : (n, 3) array
        Is filled with world coordinates in mm.

    Examples
    --------
    >>> xyz = np.empty((1, 3))
    >>> to_world(np.ones((1, 3)), np.diag([2.0, 2.0, 3.0]), np.zeros(3), xyz)
    >>> xyz
    array([[2., 2., 3.]])
    """
    # BLAS takes nearly twice as long for a transposed view.
    rows, offsets = matrix.T.copy(), _repeat(offset, len(ijk))
    for block in _slices(len(ijk), BLOCK):
        part = xyz[block]
        np.matmul(_floats(ijk[block]), rows, out=part)
        part += offsets[: len(part)]


def _repeat(triple: Floats, n_points: int) -> Floats:
    """Return a block with the same three numbers in each row.

    Numpy adds it three times as fast as it spreads three numbers over all rows.
    """
    return np.tile(triple, (min(n_points, BLOCK), 1))


def to_world_loop(ijk: Floats, matrix: Floats, offset: Floats, xyz: Floats) -> None:
    """Do what `to_world` does, as a loop for numba.

    Parameters
    ----------
    ijk, matrix, offset, xyz : arrays
        As in `to_world`.

    Examples
    --------
    >>> xyz = np.empty((1, 3))
    >>> to_world_loop(np.ones((1, 3)), np.diag([2.0, 2.0, 3.0]), np.zeros(3), xyz)
    >>> xyz
    array([[2., 2., 3.]])
    """
    (xi, xj, xk), (yi, yj, yk), (zi, zj, zk) = matrix
    x, y, z = offset
    for n in range(len(ijk)):
        i, j, k = ijk[n, 0], ijk[n, 1], ijk[n, 2]
        xyz[n, 0] = xi * i + xj * j + xk * k + x
        xyz[n, 1] = yi * i + yj * j + yk * k + y
        xyz[n, 2] = zi * i + zj * j + zk * k + z


def to_voxel(
    xyz: NDArray[Any], back: Floats, zooms: Floats, shears: Floats, offset: Floats, ijk: Floats
) -> None:
    """Write ``(xyz - offset) @ back / zooms`` for every point, and undo a shear.

    Parameters
    ----------
    xyz : (n, 3) array
        World coordinates in mm, of any real type.
    back : (3, 3) array
        What undoes a turn, or a turn and a small shear, when it stands to the right.
    zooms : (3,) array
        None is zero.
    shears : (3,) array
        The numbers right of the diagonal of the shear that is undone, which has ones on it and
        zeros below: of j in i, of k in i, of k in j.
    offset : (3,) array
        Where voxel (0, 0, 0) lies, in mm.
    ijk : (n, 3) array
        Is filled with voxel indices.

    Notes
    -----
    Multiplying with an inverse would lose the more digits, the nearer the voxel axes come to
    lying in one plane, and would take 49 mm by voxels of 49 mm to 0.9999999999999999. Turning
    back, dividing, and undoing the shear from k to i does neither.

    Examples
    --------
    >>> ijk = np.empty((1, 3))
    >>> zooms, shears = np.array([7.0, 49, 98]), np.array([1.0, 0, 0])
    >>> to_voxel(np.full((1, 3), 49.0), np.eye(3), zooms, shears, np.zeros(3), ijk)
    >>> ijk
    array([[6. , 1. , 0.5]])
    """
    offsets, sizes = _repeat(offset, len(xyz)), _repeat(zooms, len(xyz))
    ij, ik, jk = shears
    for block in _slices(len(xyz), BLOCK):
        part = ijk[block]
        np.matmul(_floats(xyz[block]) - offsets[: len(part)], back, out=part)
        part /= sizes[: len(part)]
        if shears.any():
            i, j, k = part.T
            j -= jk * k
            i -= ij * j + ik * k


def to_voxel_loop(
    xyz: Floats, back: Floats, zooms: Floats, shears: Floats, offset: Floats, ijk: Floats
) -> None:
    """Do what `to_voxel` does, as a loop for numba.

    Parameters
    ----------
    xyz, back, zooms, shears, offset, ijk : arrays
        As in `to_voxel`.

    Examples
    --------
    >>> ijk = np.empty((1, 3))
    >>> zooms, shears = np.array([7.0, 49, 98]), np.array([1.0, 0, 0])
    >>> to_voxel_loop(np.full((1, 3), 49.0), np.eye(3), zooms, shears, np.zeros(3), ijk)
    >>> ijk
    array([[6. , 1. , 0.5]])
    """
    (xi, xj, xk), (yi, yj, yk), (zi, zj, zk) = back
    size_i, size_j, size_k = zooms
    ij, ik, jk = shears
    x, y, z = offset
    for n in range(len(xyz)):
        right, front, up = xyz[n, 0] - x, xyz[n, 1] - y, xyz[n, 2] - z
        k = (xk * right + yk * front + zk * up) / size_k
        j = (xj * right + yj * front + zj * up) / size_j - jk * k
        ijk[n, 0] = (xi * right + yi * front + zi * up) / size_i - ij * j - ik * k
        ijk[n, 1] = j
        ijk[n, 2] = k
