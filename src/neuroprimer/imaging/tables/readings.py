"""Readings: how many images are gone through once, by several threads or by dask."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import zip_longest
from operator import index
from typing import Any, TypeAlias, TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroprimer.errors import NeuroprimerError
from neuroprimer.imaging.engine.finite import NanPolicy, require_nan_policy
from neuroprimer.imaging.engine.workers import default_workers, map_in_order
from neuroprimer.imaging.tables.blocks import SlabSource, Source
from neuroprimer.imaging.tables.moments import ColumnMoments
from neuroprimer.imaging.tables.sources import DaskSource, Images, make_source
from neuroprimer.imaging.tables.stacking import NoImagesError

# Most voxels of one slab: a row of so many is well worth what it costs to have it mapped.
SLAB_VOXELS = 1 << 17

# All rows of so many voxels together are worth a thread.
VOXELS_OF_THREAD = 1 << 15

# Rows looked at together within a slab. Each may keep 2 MB of a mapped file in memory, the largest
# page there is.
SLAB_ROWS = 12

# More numbers than numpy adds up in the time in which numba is loaded.
MANY_NUMBERS = 1 << 28

# Rows that come one by one are put together up to this size.
JOINED_BYTES = 16 << 20

# Statistics of each voxel, and sum and count of the numbers of each image.
Gathered: TypeAlias = tuple[ColumnMoments, NDArray[np.float64], NDArray[np.int64]]


class ReadingError(NeuroprimerError, TypeError):
    """An option that does not say how images are to be read."""


class HowToRead(TypedDict, total=False):
    """The options that all functions share which go through many images.

    Parameters
    ----------
    nan : {"raise", "omit", "zero"}
        What to do about voxels that are NaN or infinite: refuse them (the default), leave each out
        where it stands, so that a mean is the mean of the others, or take zero for it.
    progress : callable
        Called with the number of images looked at so far, and of all (None when an iterator does
        not tell).
    n_workers : int
        Number of threads. Default: as many as there are cores. dask arrays are left to dask.
    affine : (4, 4) array-like
        Voxel to world in mm, RAS+, for images that are a bare numpy or dask array.
    """

    nan: NanPolicy
    progress: Callable[[int, int | None], None] | None
    n_workers: int | None
    affine: ArrayLike | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Reading:
    """A source and how it is to be read.

    Parameters
    ----------
    source : Source
        The images.
    nan : {"raise", "omit", "zero"}
        What to do about NaN.
    n_workers : int
        Number of threads.
    progress : callable or None
        Told how many images have been looked at.
    """

    source: Source
    nan: NanPolicy
    n_workers: int
    progress: Callable[[int, int | None], None] | None

    @classmethod
    def begin(cls, images: Images, options: HowToRead) -> "Reading":
        """Open images as the options say."""
        unknown = sorted(options.keys() - HowToRead.__annotations__.keys())
        if unknown:
            raise ReadingError(
                f"There is no option {', '.join(unknown)}; expected some of "
                f"{', '.join(HowToRead.__annotations__)}.",
                hint="A mask is for mean_signal() alone; BrainData(images, mask) keeps what is in "
                "one.",
            )
        nan = options.get("nan", "raise")
        require_nan_policy(nan)
        source = make_source(images, options.get("affine"))
        if source.n_images == 0:
            raise NoImagesError(
                "There is no image to look at: the table of images is empty.",
                hint="Was an index, or a condition on X, true for none of them?",
            )
        return cls(
            source=source,
            nan=nan,
            n_workers=_require_workers(options.get("n_workers")),
            progress=options.get("progress"),
        )

    def gather(self, statistics: Sequence[str]) -> Gathered:
        """Return statistics of each voxel, and sum and count of numbers of each image."""
        source = self.source
        if isinstance(source, DaskSource):
            return self._gather_chunks(source, statistics)
        is_long = source.n_voxels * (source.n_images or 1) > MANY_NUMBERS
        moments = ColumnMoments(source.n_voxels, statistics, nan=self.nan, is_long=is_long)
        if isinstance(source, SlabSource):
            return moments, *self._gather_slabs(source, moments)
        found = []
        n_done = 0
        for block in _join(source.row_blocks(self.n_workers)):
            found.append(moments.add(block))
            n_done += len(block)
            self.tell(n_done)
        row_sums, row_counts = map(np.concatenate, zip(*found, strict=True))
        return moments, row_sums, row_counts

    def _gather_slabs(
        self, source: SlabSource, moments: ColumnMoments
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Let each thread look at all images, at voxels of its own."""

        def gather(columns: slice) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
            blocks = source.column_blocks(columns, SLAB_ROWS)
            sums, counts = zip(*(moments.add(block, columns) for block in blocks), strict=True)
            return np.concatenate(sums), np.concatenate(counts)

        slabs = make_slices(source.n_voxels, _slab_width(source.n_voxels, self.n_workers))
        row_sums = np.zeros(source.n_images)
        row_counts = np.zeros(source.n_images, np.int64)
        found = map_in_order(gather, slabs, n_workers=self.n_workers)
        for n_done, (sums, counts) in enumerate(found, start=1):
            row_sums += sums
            row_counts += counts
            self.tell(source.n_images * n_done // len(slabs))
        return row_sums, row_counts

    def _gather_chunks(self, source: DaskSource, statistics: Sequence[str]) -> Gathered:
        """Let dask gather each chunk where it is, and merge what comes of them pair by pair."""
        from dask.delayed import delayed  # an extra; whoever passes a dask array has it

        # functions of the module and nothing of this object, since all of it is sent to each worker
        found = [delayed(_gather_chunk)(block, statistics, self.nan) for block in source.blocks]
        while len(found) > 1:
            pairs = zip_longest(found[::2], found[1::2])
            found = [one if other is None else delayed(_merge)(one, other) for one, other in pairs]
        gathered: Gathered = found[0].compute()
        self.tell(len(gathered[1]))
        return gathered

    def tell(self, n_done: int) -> None:
        """Report how many images have been looked at."""
        if self.progress is not None:
            n_all = self.source.n_images
            # of a list, the number of images is known, but not how many volumes each one has
            self.progress(n_done, None if n_all is None or n_done > n_all else n_all)


def _slab_width(n_voxels: int, n_workers: int) -> int:
    """Return how many voxels a slab has, so that all threads have equally many slabs."""
    useful = min(n_workers, math.ceil(n_voxels / VOXELS_OF_THREAD))
    rounds = math.ceil(n_voxels / (SLAB_VOXELS * useful))
    return math.ceil(n_voxels / (rounds * useful))


def _require_workers(n_workers: int | None) -> int:
    """Return a number of threads, or say why it is none."""
    try:
        wanted = default_workers() if n_workers is None else index(n_workers)
    except TypeError:
        wanted = 0
    if wanted < 1:
        raise ReadingError(
            f"n_workers={n_workers!r} is no number of threads; expected a whole number from 1 on.",
            hint="Without it, there are as many as there are cores.",
        )
    return wanted


def _gather_chunk(block: NDArray[Any], statistics: Sequence[str], nan: NanPolicy) -> Gathered:
    """Return statistics of each voxel, and sum and count of each image, of one part of them."""
    moments = ColumnMoments(block.shape[1], statistics, nan=nan)
    return moments, *moments.add(block)


def _merge(one: Gathered, other: Gathered) -> Gathered:
    """Return what two parts of the images give together."""
    moments = copy(one[0]).merge(other[0])
    return moments, np.concatenate([one[1], other[1]]), np.concatenate([one[2], other[2]])


def _join(blocks: Iterable[NDArray[Any]]) -> Iterator[NDArray[Any]]:
    """Put small blocks together: what is added at once is merged once."""
    waiting: list[NDArray[Any]] = []
    for block in blocks:
        waiting.append(block.copy())  # it may be written over when the next one is asked for
        if sum(part.nbytes for part in waiting) >= JOINED_BYTES:
            yield np.concatenate(waiting)
            waiting.clear()
    if waiting:
        yield np.concatenate(waiting)


def make_slices(length: int, width: int) -> list[slice]:
    """Cut a length into slices of a width; the last may be shorter.

    Parameters
    ----------
    length, width : int
        How long it all is, and each slice but the last.

    Returns
    -------
    slices : list of slice
        From 0 to `length`.

    Examples
    --------
    >>> make_slices(5, 2)
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    return [slice(start, min(start + width, length)) for start in range(0, length, width)]
