"""Kernels: loops that fill a slab of an image from another image, for numba to compile.

What of each row lies inside the source is known beforehand, so that no voxel is asked. The rest of
a row is made in two steps: where its voxels lie, which the compiler works out for many of them at
once, and then what is found there.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Places in the source are counted in 32 bits, of which the compiler handles most at once.
MOST_VOXELS = 2**31 - 1

# How many coefficients the cubic loop needs before the first voxel and behind the last.
MARGIN = (1, 2)


def nearest_loop(
    source: NDArray[Any],
    steps: NDArray[np.float64],
    origin: NDArray[np.float64],
    first: NDArray[np.int32],
    stop: NDArray[np.int32],
    fill_value: Any,
    out: NDArray[Any],
) -> None:
    """Fill a slab with the voxels in which its own lie.

    Parameters
    ----------
    source : (n0, n1, n2) array
        Of any type, in C order, at most `MOST_VOXELS`.
    steps, first, stop, fill_value, out
        As in :func:`linear_loop`.
    origin : (3,) array
        Where the first voxel of `out` lies in the source, counted from the corner of its first
        voxel, not from the centre.

    Examples
    --------
    >>> out, source = np.empty((1, 1, 3)), np.array([[[1.0, 2, 4]]])
    >>> run = np.zeros((1, 1), np.int32), np.full((1, 1), 2, np.int32)
    >>> nearest_loop(source, np.eye(3), np.array([0.5, 0.5, 1.1]), *run, -1.0, out)
    >>> out
    array([[[ 2.,  4., -1.]]])
    """
    flat, lengths = source.reshape(-1), source.shape
    strides = (lengths[1] * lengths[2], lengths[2], 1)
    places = np.empty(out.shape[2], np.int32)
    for plane in range(out.shape[0]):
        for row in range(out.shape[1]):
            begin, end = first[plane, row], stop[plane, row]
            values = out[plane, row]
            values[:begin] = fill_value
            values[end:] = fill_value
            places[:] = 0
            for axis in range(3):
                step, last = steps[axis, 2], np.int32(lengths[axis] - 1)
                start = origin[axis] + steps[axis, 0] * plane + steps[axis, 1] * row + step * begin
                stride = np.int32(strides[axis])
                for k in range(end - begin):
                    voxel = min(max(np.int32(start + step * np.int32(k)), np.int32(0)), last)
                    places[k] += np.int32(voxel * stride)
            for k in range(end - begin):
                values[begin + k] = flat[np.uint64(places[k])]


def linear_loop(
    source: NDArray[Any],
    steps: NDArray[np.float64],
    origin: NDArray[np.float64],
    first: NDArray[np.int32],
    stop: NDArray[np.int32],
    fill_value: Any,
    out: NDArray[Any],
) -> None:
    """Fill a slab with values between the eight nearest voxels.

    Parameters
    ----------
    source : (n0, n1, n2) array
        float32 or float64, in C order, at most `MOST_VOXELS`.
    steps : (3, 3) array
        How far a step along each axis of `out` goes in the source, in voxels: one per column.
    origin : (3,) array
        Where the first voxel of `out` lies in the source.
    first, stop : (planes, rows) array of int32
        The run of each row of `out` that lies inside the source.
    fill_value : scalar of the type of `out`
        What stands outside.
    out : (planes, rows, length) array
        Is filled; type and order as `source`.

    Examples
    --------
    >>> out, source = np.empty((1, 1, 3)), np.array([[[1.0, 2, 4]]])
    >>> run = np.zeros((1, 1), np.int32), np.full((1, 1), 2, np.int32)
    >>> linear_loop(source, np.eye(3), np.array([0, 0, 0.5]), *run, -1.0, out)
    >>> out
    array([[[ 1.5,  3. , -1. ]]])
    """
    flat, lengths = source.reshape(-1), source.shape
    strides = (lengths[1] * lengths[2], lengths[2], 1)
    # An axis of length 1 has no next voxel: the way to it is nothing.
    next0 = np.uint64(strides[0] if lengths[0] > 1 else 0)
    next1 = np.uint64(strides[1] if lengths[1] > 1 else 0)
    next2 = np.uint64(strides[2] if lengths[2] > 1 else 0)
    places = np.empty(out.shape[2], np.int32)
    parts = np.empty((3, out.shape[2]), source.dtype)
    for plane in range(out.shape[0]):
        for row in range(out.shape[1]):
            begin, end = first[plane, row], stop[plane, row]
            values = out[plane, row]
            values[:begin] = fill_value
            values[end:] = fill_value
            places[:] = 0
            for axis in range(3):
                step, last = steps[axis, 2], lengths[axis] - 1.0
                start = origin[axis] + steps[axis, 0] * plane + steps[axis, 1] * row + step * begin
                stride, low = np.int32(strides[axis]), np.int32(max(lengths[axis] - 2, 0))
                for k in range(end - begin):
                    x = min(max(start + step * np.int32(k), 0.0), last)
                    voxel = min(np.int32(x), low)
                    parts[axis, k] = x - voxel
                    places[k] += np.int32(voxel * stride)
            for k in range(end - begin):
                a = np.uint64(places[k])
                b, c = a + next1, a + next0
                d = c + next1
                x, y, z = parts[0, k], parts[1, k], parts[2, k]
                low_low = flat[a] + z * (flat[a + next2] - flat[a])
                low_high = flat[b] + z * (flat[b + next2] - flat[b])
                high_low = flat[c] + z * (flat[c + next2] - flat[c])
                high_high = flat[d] + z * (flat[d + next2] - flat[d])
                lower = low_low + y * (low_high - low_low)
                upper = high_low + y * (high_high - high_low)
                values[begin + k] = lower + x * (upper - lower)


def cubic_loop(
    source: NDArray[Any],
    steps: NDArray[np.float64],
    origin: NDArray[np.float64],
    first: NDArray[np.int32],
    stop: NDArray[np.int32],
    fill_value: Any,
    out: NDArray[Any],
) -> None:
    """Fill a slab from the coefficients of a cubic spline, 64 for each voxel.

    Parameters
    ----------
    source : (n0 + 3, n1 + 3, n2 + 3) array
        Coefficients with a `MARGIN`, mirrored about the outermost voxels.
    steps, origin, first, stop, fill_value, out
        As in :func:`linear_loop`; `origin` counts from the first voxel, not from its margin.

    Notes
    -----
    The four weights along an axis are the cubic B-spline at distances 1 + t, t, 1 - t and 2 - t.

    Examples
    --------
    >>> out, source = np.empty((1, 1, 2)), np.full((5, 5, 5), 5.0)
    >>> run = np.zeros((1, 1), np.int32), np.ones((1, 1), np.int32)
    >>> cubic_loop(source, np.eye(3), np.full(3, 0.5), *run, 0.0, out)
    >>> out
    array([[[5., 0.]]])
    """
    flat, lengths = source.reshape(-1), source.shape
    strides = (lengths[1] * lengths[2], lengths[2], 1)
    next0, next1 = np.uint64(strides[0]), np.uint64(strides[1])
    one, two, three = np.uint64(1), np.uint64(2), np.uint64(3)
    nothing = source.dtype.type(0)
    places = np.empty(out.shape[2], np.int32)
    weights = np.empty((3, 4, out.shape[2]), source.dtype)
    for plane in range(out.shape[0]):
        for row in range(out.shape[1]):
            begin, end = first[plane, row], stop[plane, row]
            values = out[plane, row]
            values[:begin] = fill_value
            values[end:] = fill_value
            places[:] = 0
            for axis in range(3):
                step, last = steps[axis, 2], lengths[axis] - 4.0
                start = origin[axis] + steps[axis, 0] * plane + steps[axis, 1] * row + step * begin
                stride = np.int32(strides[axis])
                for k in range(end - begin):
                    x = min(max(start + step * np.int32(k), 0.0), last)
                    voxel = np.int32(x)
                    t = x - voxel
                    s = 1 - t
                    weights[axis, 0, k] = s * s * s / 6
                    weights[axis, 1, k] = 2 / 3 - t * t * (2 - t) / 2
                    weights[axis, 2, k] = 2 / 3 - s * s * (2 - s) / 2
                    weights[axis, 3, k] = t * t * t / 6
                    places[k] += np.int32(voxel * stride)
            for k in range(end - begin):
                z0, z1, z2, z3 = (
                    weights[2, 0, k],
                    weights[2, 1, k],
                    weights[2, 2, k],
                    weights[2, 3, k],
                )
                total, start_of_plane = nothing, np.uint64(places[k])
                for i in range(4):
                    sum_of_plane, a = nothing, start_of_plane
                    for j in range(4):
                        near = z1 * flat[a + one] + z2 * flat[a + two]
                        far = z0 * flat[a] + z3 * flat[a + three]
                        sum_of_plane += weights[1, j, k] * (near + far)
                        a += next1
                    total += weights[0, i, k] * sum_of_plane
                    start_of_plane += next0
                values[begin + k] = total
