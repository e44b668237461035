"""Pulls: where the voxels of one grid lie among those of another.

Every voxel of the target fetches its value from the place in the source where it lies. For most
rows of a target that is a run of voxels inside the source, with nothing before and behind it.
"""

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroprimer.imaging.space.affines import world_to_voxel
from neuroprimer.imaging.space.grids import Grid

Box = tuple[slice, ...]
Shape = tuple[int, int, int]

# Two places nearer than this, in voxels, are the same place. Headers keep affines in float32, which
# moves the far corner of a large image by less than that.
SAME_PLACE_VOXELS = 1e-4

# What one thread takes at a time, in voxels of the target: a millisecond of the fastest work.
SLAB_VOXELS = 2**18


@dataclass(frozen=True, kw_only=True, eq=False)
class Pull:
    """Where the voxels of a target lie among those of a source.

    A voxel of the target lies at ``steps @ ijk + origin`` in the source.

    Parameters
    ----------
    steps : (3, 3) array
        How far a step along i, j and k of the target goes in the source, in voxels: one per column.
    origin : (3,) array
        Where voxel (0, 0, 0) of the target lies in the source.
    source_shape, target_shape : tuple of three int
        Lengths of both.

    Examples
    --------
    >>> coarse = Grid(shape=(4, 4, 4), affine=np.diag([2, 2, 2, 1]))
    >>> fine = Grid(shape=(7, 7, 7), affine=np.eye(4))
    >>> Pull.between(coarse, fine).steps.diagonal()
    array([0.5, 0.5, 0.5])
    """

    steps: NDArray[np.float64]
    origin: NDArray[np.float64]
    source_shape: Shape
    target_shape: Shape

    @classmethod
    def between(cls, source: Grid, target: Grid) -> "Pull":
        """Return where the voxels of one grid lie in another.

        Raises
        ------
        AffineError
            If the voxel axes of `source` lie in one plane.
        """
        return cls(
            # Each axis by itself: subtracting two places in mm would cost digits.
            steps=np.asarray(np.linalg.solve(source.affine[:3, :3], target.affine[:3, :3]), float),
            origin=world_to_voxel(source.affine, target.affine[:3, 3]),
            source_shape=source.shape,
            target_shape=target.shape,
        )

    def transposed(self) -> "Pull":
        """Return the same for both arrays with their axes in reverse."""
        return Pull(
            steps=np.ascontiguousarray(self.steps[::-1, ::-1]),
            origin=self.origin[::-1].copy(),
            source_shape=self.source_shape[::-1],
            target_shape=self.target_shape[::-1],
        )

    def starting_at(self, ijk: ArrayLike) -> NDArray[np.float64]:
        """Return the origin of the part of the target that begins at a voxel."""
        return np.asarray(self.steps @ np.asarray(ijk) + self.origin)


@dataclass(frozen=True, kw_only=True, eq=False)
class Slab:
    """Some planes of a target, and what of each of their rows lies inside the source.

    Parameters
    ----------
    planes : slice
        Which planes along the first axis of the target.
    pull : Pull
        Counted from the first of these planes.
    first, stop : (planes, rows) array of int32
        Each row is inside from `first` up to `stop`, which may be nowhere.
    """

    planes: slice
    pull: Pull
    first: NDArray[np.int32]
    stop: NDArray[np.int32]

    def find_box(self) -> Box | None:
        """Return the smallest box of the slab that holds all that is inside; None if nothing is."""
        filled = self.first < self.stop
        if not filled.any():
            return None
        planes, rows = (np.flatnonzero(filled.any(axis=axis)) for axis in (1, 0))
        return (
            slice(int(planes[0]), int(planes[-1]) + 1),
            slice(int(rows[0]), int(rows[-1]) + 1),
            slice(int(self.first[filled].min()), int(self.stop[filled].max())),
        )

    def outside(self, box: Box) -> NDArray[np.bool_]:
        """Tell which voxels of a box lie outside of the source."""
        along = np.arange(box[2].start, box[2].stop)
        first, stop = (run[box[:2]][..., np.newaxis] for run in (self.first, self.stop))
        return np.asarray((along < first) | (along >= stop))


def cut_slabs(pull: Pull) -> tuple[Slab, ...]:
    """Cut a target into slabs that are filled one by one.

    Parameters
    ----------
    pull : Pull
        Where the target's voxels lie in the source. Those that lie beyond the centres of the
        outermost voxels by more than `SAME_PLACE_VOXELS` are outside.

    Returns
    -------
    slabs : tuple of Slab
        In order; together they are the target.

    Examples
    --------
    >>> grid = Grid(shape=(2, 1, 5), affine=np.eye(4))
    >>> up_3_mm = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 3], [0, 0, 0, 1]]
    >>> (slab,) = cut_slabs(Pull.between(grid, Grid(shape=(2, 1, 5), affine=up_3_mm)))
    >>> slab.first.tolist(), slab.stop.tolist()
    ([[0], [0]], [[2], [2]])
    """
    first, stop = _inside(pull)
    n_planes, n_rows, length = pull.target_shape
    step = max(1, SLAB_VOXELS // (n_rows * length))
    slabs = (slice(at, min(at + step, n_planes)) for at in range(0, n_planes, step))
    return tuple(
        Slab(
            planes=planes,
            pull=replace(
                pull,
                origin=pull.starting_at((planes.start, 0, 0)),
                target_shape=(planes.stop - planes.start, n_rows, length),
            ),
            first=first[planes],
            stop=stop[planes],
        )
        for planes in slabs
    )


def _inside(pull: Pull) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return where each row of a target enters the source, and where it has left it."""
    n_planes, n_rows, length = pull.target_shape
    plane, row = np.arange(n_planes)[:, np.newaxis], np.arange(n_rows)
    first = np.zeros((n_planes, n_rows))
    stop = np.full((n_planes, n_rows), float(length))
    for axis, n_voxels in enumerate(pull.source_shape):
        along_plane, along_row, step = pull.steps[axis]
        start = pull.origin[axis] + along_plane * plane + along_row * row
        low, high = -SAME_PLACE_VOXELS - start, n_voxels - 1 + SAME_PLACE_VOXELS - start
        if step == 0:
            stop[(low > 0) | (high < 0)] = 0
            continue
        entry, leaving = (low, high) if step > 0 else (high, low)
        with np.errstate(over="ignore"):  # a step of next to nothing never gets there
            np.maximum(first, np.ceil(entry / step), out=first)
            np.minimum(stop, np.floor(leaving / step) + 1, out=stop)
    first = np.minimum(first, length)
    return first.astype(np.int32), np.maximum(stop, first).astype(np.int32)


@dataclass(frozen=True, kw_only=True, eq=False)
class Copy:
    """Which voxels of a source are voxels of a target, when no value lies between voxels.

    Parameters
    ----------
    source, target : tuple of three slice
        The voxels that both have.
    axes : tuple of three int
        The order in which the source's axes run along the target's.
    """

    source: Box
    target: Box
    axes: Shape


def find_copy(pull: Pull) -> Copy | None:
    """Return how a target is made of whole voxels of its source, or None if it is not.

    Parameters
    ----------
    pull : Pull
        Where the target's voxels lie in the source.

    Returns
    -------
    copy : Copy or None
        For any order and direction of the axes, shifts by whole voxels, and every n-th voxel; up
        to `SAME_PLACE_VOXELS` anywhere in the target.

    Examples
    --------
    >>> grid = Grid(shape=(4, 4, 4), affine=np.eye(4))
    >>> every_second = Grid(shape=(2, 2, 2), affine=np.diag([2, 2, 2, 1]))
    >>> find_copy(Pull.between(grid, every_second)).source[0]
    slice(0, 3, 2)
    >>> find_copy(Pull.between(every_second, grid)) is None
    True
    """
    whole, start = np.rint(pull.steps), np.rint(pull.origin)
    used = whole != 0
    if (used.sum(axis=0) != 1).any() or (used.sum(axis=1) != 1).any():
        return None
    corners = np.array(list(product(*((0, length - 1) for length in pull.target_shape))))
    apart = corners @ (pull.steps - whole).T + (pull.origin - start)
    if np.abs(apart).max() > SAME_PLACE_VOXELS:
        return None
    runs = used.argmax(axis=1)
    source, target = [slice(0, 0)] * 3, [slice(0, 0)] * 3
    for axis, (along, n_voxels) in enumerate(zip(runs, pull.source_shape, strict=True)):
        step = int(whole[axis, along])
        places = start[axis] + step * np.arange(pull.target_shape[along])
        hits = np.flatnonzero((places >= 0) & (places < n_voxels))
        if len(hits):
            begin, end = int(places[hits[0]]), int(places[hits[-1]]) + (1 if step > 0 else -1)
            # before the first voxel there is no index to stop at: -1 means the last one
            source[axis] = slice(begin, end if end >= 0 else None, step)
            target[along] = slice(int(hits[0]), int(hits[-1]) + 1)
    i, j, k = (int(axis) for axis in used.argmax(axis=0))
    return Copy(source=tuple(source), target=tuple(target), axes=(i, j, k))
