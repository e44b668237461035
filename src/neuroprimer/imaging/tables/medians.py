"""Medians: the middle number of each voxel, of images that need not fit into memory."""

import tempfile
from dataclasses import replace
from typing import IO

import numpy as np
from numpy.typing import NDArray

from neuroprimer.imaging.engine.finite import NanPolicy
from neuroprimer.imaging.engine.workers import map_in_order
from neuroprimer.imaging.tables.blocks import MemorySource, SlabSource, Source
from neuroprimer.imaging.tables.readings import Reading, make_slices

# A median needs all rows of a voxel at once: so many bytes of them at a time.
MEDIAN_BYTES = 16 << 20


def find_medians(reading: Reading) -> tuple[NDArray[np.float64], int]:
    """Return the median of each voxel over all images.

    Parameters
    ----------
    reading : Reading
        The images. Where they come whole, as from a compressed file, they are laid down in a
        temporary file first.

    Returns
    -------
    medians : (n_voxels,) array
        In the order of the source's columns.
    n_bad : int
        How many voxels are NaN or infinite in at least one image.

    Examples
    --------
    >>> voxels = np.array([1.0, 5.0, 9.0]).reshape(1, 1, 1, 3)
    >>> find_medians(Reading.begin(voxels, {"affine": np.eye(4)}))
    (array([5.]), 0)
    """
    if isinstance(reading.source, SlabSource):
        return _find_medians(reading.source, reading)
    with tempfile.TemporaryFile() as spool:
        # how many images have been looked at is told while they are laid down
        spooled = _spool(reading.source, reading, spool)
        return _find_medians(spooled, replace(reading, progress=None))


def _find_medians(source: SlabSource, reading: Reading) -> tuple[NDArray[np.float64], int]:
    """Return the median of each voxel, and how many voxels hold numbers that are none."""
    medians = np.empty(source.n_voxels)

    def gather(columns: slice) -> int:
        (block,) = source.column_blocks(columns, source.n_images)
        medians[columns], n_bad = _column_medians(np.array(block, np.float64), reading.nan)
        return n_bad

    slabs = make_slices(source.n_voxels, max(MEDIAN_BYTES // (8 * source.n_images), 1))
    total = 0
    found = map_in_order(gather, slabs, n_workers=reading.n_workers)
    for n_done, n_bad in enumerate(found, start=1):
        total += n_bad
        reading.tell(source.n_images * n_done // len(slabs))
    return medians, total


def _column_medians(slab: NDArray[np.float64], nan: NanPolicy) -> tuple[NDArray[np.float64], int]:
    """Return the median of each column, and how many columns hold numbers that are none."""
    finite = np.isfinite(slab)
    n_bad = int(np.count_nonzero(~finite.all(axis=0)))
    if n_bad == 0:
        return np.median(slab, axis=0, overwrite_input=True), 0
    slab[~finite] = 0 if nan == "zero" else np.nan
    if nan != "omit":
        return np.median(slab, axis=0), n_bad
    empty = ~finite.any(axis=0)
    slab[0, empty] = 0
    medians = np.nanmedian(slab, axis=0)
    medians[empty] = np.nan
    return medians, n_bad


def _spool(source: Source, reading: Reading, spool: IO[bytes]) -> SlabSource:
    """Write all rows into a file from which any columns can be read."""
    n_rows = 0
    for block in source.row_blocks(reading.n_workers):
        np.ascontiguousarray(block, np.float64).tofile(spool)
        n_rows += len(block)
        reading.tell(n_rows)
    spool.flush()
    table = np.memmap(spool, np.float64, "r", shape=(n_rows, source.n_voxels))
    return MemorySource(table, source.grid)
