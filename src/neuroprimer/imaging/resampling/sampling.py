"""Sampling: the values of an image at the voxels of another grid.

The target is filled in slabs of a fixed size, side by side, so that neither the number of workers
nor their order changes a value.
"""

import math
from collections import deque
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from neuroprimer.imaging.engine.compiled import Loop, find_compiled
from neuroprimer.imaging.engine.finite import NotANumberError
from neuroprimer.imaging.engine.workers import default_workers, map_in_order
from neuroprimer.imaging.resampling.kernels import (
    MARGIN,
    MOST_VOXELS,
    cubic_loop,
    linear_loop,
    nearest_loop,
)
from neuroprimer.imaging.resampling.pulls import (
    SAME_PLACE_VOXELS,
    SLAB_VOXELS,
    Copy,
    Pull,
    Slab,
    cut_slabs,
    find_copy,
)

Order = Literal["C", "F"]

# From here on numba is worth its third of a second to load.
MANY_VOXELS = 2**20

LOOPS = {"nearest": nearest_loop, "linear": linear_loop, "cubic": cubic_loop}

# From the centre of a voxel to its corner; midway between two, the higher index is taken.
TO_CORNER = 0.5 + SAME_PLACE_VOXELS

# scipy's order of the spline, and what it takes for voxels beyond the outermost.
SPLINES = {"linear": (1, "nearest"), "cubic": (3, "mirror")}


@dataclass(frozen=True, kw_only=True, eq=False)
class Sampling:
    """How volumes of one grid are sampled at the voxels of another; made once for all of a run.

    Parameters
    ----------
    slabs : tuple of Slab
        The target in pieces.
    copy : Copy or None
        How to do without any interpolation.
    interpolation : {"linear", "cubic", "nearest"}
        How values between voxels are found.
    fill_value : float
        What stands outside of the source.
    order : {"C", "F"}
        The order in memory of volumes on both grids. With "F", all is meant for their transposes.
    loop : callable or None
        A compiled kernel that does it.
    """

    slabs: tuple[Slab, ...]
    copy: Copy | None
    interpolation: str
    fill_value: float
    order: Order
    loop: Loop | None


def make_sampling(
    pull: Pull,
    *,
    interpolation: str,
    fill_value: float = 0.0,
    order: Order = "C",
    n_volumes: int = 1,
) -> Sampling:
    """Prepare all that is the same for every volume.

    Parameters
    ----------
    pull : Pull
        Where the target's voxels lie in the source.
    interpolation : {"linear", "cubic", "nearest"}
        How values between voxels are found.
    fill_value : float
        What stands outside of the source.
    order : {"C", "F"}
        The order in memory of the volumes.
    n_volumes : int
        How many volumes there are: numba is used for many voxels only.

    Returns
    -------
    sampling : Sampling
        For `sample` and `sample_run`.

    Examples
    --------
    >>> from neuroprimer.imaging import Grid
    >>> grid = Grid(shape=(2, 2, 2), affine=np.eye(4))
    >>> make_sampling(Pull.between(grid, grid), interpolation="linear").loop is None
    True
    """
    if order == "F":
        pull = pull.transposed()
    copy = find_copy(pull)
    is_many = math.prod(pull.target_shape) * n_volumes >= MANY_VOXELS
    is_countable = math.prod(length + sum(MARGIN) for length in pull.source_shape) <= MOST_VOXELS
    loop = LOOPS.get(interpolation) if is_many and is_countable and not copy else None
    return Sampling(
        slabs=() if copy else cut_slabs(pull),
        copy=copy,
        interpolation=interpolation,
        fill_value=fill_value,
        order=order,
        loop=find_compiled(loop) if loop else None,
    )


def sample_run(
    voxels: NDArray[Any],
    sampling: Sampling,
    out: NDArray[Any],
    *,
    nan: str = "raise",
    n_workers: int | None = None,
) -> None:
    """Fill every volume of a run with the values of another one.

    Parameters
    ----------
    voxels : (i, j, k, t) array
        Of any type of real numbers.
    sampling : Sampling
        Made for these shapes, and for the order of the volumes of `out`.
    out : (i, j, k, t) array
        Is filled. Linear and cubic take float32 or float64.
    nan : {"raise", "zero"}
        What to do about NaN and infinity. "raise" lets them pass where they are only copied.
    n_workers : int, optional
        Number of threads. Default: as many as there are cores.

    Raises
    ------
    NotANumberError
        If a volume is not finite, and `nan` is "raise".

    Examples
    --------
    >>> from neuroprimer.imaging import Grid
    >>> grid = Grid(shape=(2, 1, 1), affine=np.eye(4))
    >>> sampling = make_sampling(Pull.between(grid, grid), interpolation="linear")
    >>> out = np.empty((2, 1, 1, 3))
    >>> sample_run(np.arange(6).reshape(2, 1, 1, 3), sampling, out)
    >>> out[1].ravel()
    array([3., 4., 5.])
    """
    n_workers, n_volumes = n_workers or default_workers(), out.shape[3]

    def fill(index: int, n_workers: int) -> None:
        source = np.asarray(voxels[..., index], dtype=out.dtype, order=sampling.order)
        if voxels.dtype.kind == "f":
            may_pass = sampling.interpolation == "nearest" and nan == "raise"
            source = source if may_pass else _finite(source, nan, f"volume {index}")
        sample(source, sampling, out[..., index], n_workers=n_workers)

    # Whole volumes side by side where there are enough: nothing then waits for anything.
    at_once = n_workers if n_volumes >= n_workers else 1
    work = partial(fill, n_workers=n_workers // at_once)
    deque(map_in_order(work, range(n_volumes), n_workers=at_once), maxlen=0)


def _finite(volume: NDArray[Any], nan: str, name: str) -> NDArray[Any]:
    """Return a volume with zero for NaN and infinity, or raise."""
    # A sum is finite when all terms are, and costs no array of truth values.
    with np.errstate(invalid="ignore", over="ignore"):
        if np.isfinite(volume.sum()):
            return volume
    wrong = ~np.isfinite(volume)
    if nan == "raise" and wrong.any():
        raise NotANumberError(
            f"{np.count_nonzero(wrong)} of the {wrong.size} voxels of {name} are NaN or infinite, "
            "and would spread over their neighbours.",
            hint="Pass nan='zero' to take zero for them, or interpolation='nearest', which only "
            "copies voxels.",
        )
    volume = volume.copy(order="K")
    volume[wrong] = 0
    return volume


def sample(
    source: NDArray[Any], sampling: Sampling, out: NDArray[Any], *, n_workers: int | None = None
) -> None:
    """Fill a volume with the values of another one.

    Parameters
    ----------
    source : (i, j, k) array
        In the order of `sampling`. For linear and cubic float32 or float64, all finite.
    sampling : Sampling
        Made for these shapes.
    out : (i, j, k) array
        Is filled. In the same order, of the type of `source`.
    n_workers : int, optional
        Number of threads. Default: as many as there are cores.

    Examples
    --------
    >>> from neuroprimer.imaging import Grid
    >>> coarse = Grid(shape=(3, 1, 1), affine=np.diag([2.0, 1, 1, 1]))
    >>> fine = Grid(shape=(6, 1, 1), affine=np.eye(4))
    >>> pull = Pull.between(coarse, fine)
    >>> out = np.empty((6, 1, 1))
    >>> sampling = make_sampling(pull, interpolation="linear", fill_value=-1)
    >>> sample(np.array([[[0.0]], [[10.0]], [[30.0]]]), sampling, out)
    >>> out.ravel()
    array([ 0.,  5., 10., 20., 30., -1.])
    """
    if sampling.order == "F":
        source, out = source.T, out.T
    if sampling.copy:
        out[...] = sampling.fill_value
        out[sampling.copy.target] = source[sampling.copy.source].transpose(sampling.copy.axes)
        return
    if sampling.interpolation == "cubic":
        source = spline_coefficients(source, n_workers=n_workers)
        if sampling.loop:
            source = np.pad(source, MARGIN, mode="reflect")
    elif sampling.interpolation == "nearest" and sampling.loop:
        # Bits are copied, whatever they mean: four types of them are all there is to compile.
        bits = np.dtype(f"u{out.dtype.itemsize}")
        fill_bits = np.array(sampling.fill_value, out.dtype).view(bits)
        source, out = source.view(bits), out.view(bits)
        sampling = replace(sampling, fill_value=int(fill_bits))
    work = partial(_fill_slab, source, sampling, out)
    deque(map_in_order(work, sampling.slabs, n_workers=n_workers), maxlen=0)


def _fill_slab(source: NDArray[Any], sampling: Sampling, out: NDArray[Any], slab: Slab) -> None:
    part, pull = out[slab.planes], slab.pull
    fill_value = out.dtype.type(sampling.fill_value)
    is_nearest = sampling.interpolation == "nearest"
    if sampling.loop:
        origin = pull.origin + TO_CORNER if is_nearest else pull.origin
        sampling.loop(source, pull.steps, origin, slab.first, slab.stop, fill_value, part)
        return
    part[...] = fill_value
    box = slab.find_box()
    if box is None:
        return
    inner, origin = part[box], pull.starting_at([run.start for run in box])
    if is_nearest:
        _fill_nearest(source, pull.steps, origin + TO_CORNER, inner)
    else:
        # Prefiltered already, so that this reads the source as it is. What lies outside of it by
        # a hair's breadth is taken as its edge.
        order, mode = SPLINES[sampling.interpolation]
        ndimage.affine_transform(
            source, pull.steps, origin, inner.shape, inner, order, mode, prefilter=False
        )
    inner[slab.outside(box)] = fill_value


def _fill_nearest(
    source: NDArray[Any],
    steps: NDArray[np.float64],
    origin: NDArray[np.float64],
    out: NDArray[Any],
) -> None:
    """Fill a box with the voxels in which its own lie, counted from the corner of the first."""
    i, j, k = (np.arange(length) for length in out.shape)
    places = np.zeros(out.shape, np.intp)
    for axis, length in enumerate(source.shape):
        along_i, along_j, along_k = steps[axis]
        rows = origin[axis] + along_i * i[:, np.newaxis] + along_j * j
        voxels = (rows[..., np.newaxis] + along_k * k).astype(np.intp)  # negative ones lie outside
        places *= length
        places += np.minimum(voxels, length - 1, out=voxels)
    np.take(source.reshape(-1), places, out=out, mode="clip")


def spline_coefficients(volume: NDArray[Any], *, n_workers: int | None = None) -> NDArray[Any]:
    """Return the coefficients of the cubic spline that passes through all voxels.

    Parameters
    ----------
    volume : (i, j, k) array
        float32 or float64.
    n_workers : int, optional
        Number of threads. Default: as many as there are cores.

    Returns
    -------
    coefficients : (i, j, k) array
        Of the same type. Beyond the outermost voxels the volume is taken as mirrored about them.

    Examples
    --------
    >>> spline_coefficients(np.full((3, 3, 3), 5.0)).round(6).min()
    np.float64(5.0)
    """
    coefficients = volume.copy()
    for axis in range(3):
        lines = coefficients.swapaxes(0, 1) if axis == 0 else coefficients
        step = max(1, SLAB_VOXELS * len(lines) // lines.size)
        parts = (lines[at : at + step] for at in range(0, len(lines), step))
        work = partial(_filter_lines, axis=max(axis, 1))
        deque(map_in_order(work, parts, n_workers=n_workers), maxlen=0)
    return coefficients


def _filter_lines(part: NDArray[Any], axis: int) -> None:
    ndimage.spline_filter1d(part, 3, axis, output=part, mode="mirror")
