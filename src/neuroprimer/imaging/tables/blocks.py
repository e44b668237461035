"""Blocks: a table of images x voxels, handed out some rows and columns at a time.

Statistics over images need each voxel once, not all of them at once. A source hands the voxels out
as blocks of a table with a row for each image, wherever the images come from.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, Literal, Protocol, runtime_checkable

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from neuroprimer.imaging.engine.finite import require_real
from neuroprimer.imaging.space.grids import Grid
from neuroprimer.imaging.tables.masks import Mask

Order = Literal["C", "F"]


@runtime_checkable
class ImageTable(Protocol):
    """Images that are a table already, as BrainData is."""

    @property
    def data(self) -> NDArray[Any]:
        """The numbers, (n_images, n_voxels)."""

    @property
    def mask(self) -> nib.Nifti1Image:
        """Where the voxels are, in zeros and ones."""

    @property
    def grid(self) -> Grid:
        """The grid of the mask."""


class Source(ABC):
    """Images in an order, as blocks of a table.

    Attributes
    ----------
    grid : Grid
        The grid that all images lie on.
    n_voxels : int
        Number of columns.
    n_images : int or None
        Number of rows; None when only the end of an iterator will tell.
    order : {"F", "C"}
        Whether columns count the voxels along the first axis first, as files do, or along the
        last.
    """

    grid: Grid
    n_voxels: int
    n_images: int | None
    order: Order = "F"

    @abstractmethod
    def row_blocks(self, n_workers: int | None) -> Iterator[NDArray[Any]]:
        """Yield all rows in order, some at a time, with all columns.

        A block may be written over as soon as the next one is asked for.
        """

    def columns_of(self, volume: NDArray[Any]) -> NDArray[Any]:
        """Return the numbers of a volume on the grid in the order of the columns."""
        return volume.reshape(-1, order=self.order)

    def to_image(self, values: NDArray[Any]) -> nib.Nifti1Image:
        """Return one row of numbers as a 3-D image."""
        return nib.Nifti1Image(values.reshape(self.grid.shape, order=self.order), self.grid.affine)


class SlabSource(Source):
    """A source that can hand out any columns without the others."""

    n_images: int

    @abstractmethod
    def column_blocks(self, columns: slice, n_rows: int) -> Iterator[NDArray[Any]]:
        """Yield some columns of all rows, `n_rows` at a time.

        A block may be written over as soon as the next one is asked for.
        """

    def row_blocks(self, n_workers: int | None) -> Iterator[NDArray[Any]]:
        """Yield all rows in order, one at a time, with all columns."""
        del n_workers  # threads would have to wait for each other's rows
        return self.column_blocks(slice(0, self.n_voxels), 1)


class MemorySource(SlabSource):
    """A table in memory.

    Parameters
    ----------
    table : (n_images, n_voxels) array
        The numbers.
    grid : Grid
        Where they lie.
    order : {"F", "C"}
        How columns count the voxels.
    """

    def __init__(self, table: NDArray[Any], grid: Grid, order: Order = "F") -> None:
        require_real(table.dtype)
        self._table = table
        self.grid = grid
        self.order = order
        self.n_images, self.n_voxels = table.shape

    @classmethod
    def of(cls, voxels: NDArray[Any], grid: Grid) -> "MemorySource":
        """Return the source of an array (i, j, k, n_images); it is copied only if it has gaps."""
        order: Order = "C" if voxels.flags.c_contiguous else "F"
        lengths = math.prod(grid.shape), voxels.shape[3]
        return cls(voxels.reshape(lengths, order=order).T, grid, order)

    def column_blocks(self, columns: slice, n_rows: int) -> Iterator[NDArray[Any]]:
        """Yield some columns of all rows, `n_rows` at a time."""
        for first in range(0, self.n_images, n_rows):
            yield self._table[first : first + n_rows, columns]


class TableSource(MemorySource):
    """BrainData, or what looks like it.

    Parameters
    ----------
    table : ImageTable
        Numbers within a mask.
    """

    def __init__(self, table: ImageTable) -> None:
        super().__init__(table.data, table.grid)
        self._mask = Mask(grid=table.grid, inside=np.asarray(table.mask.dataobj) != 0)

    def columns_of(self, volume: NDArray[Any]) -> NDArray[Any]:
        """Return the numbers of a volume on the grid in the order of the columns."""
        return self._mask.take(volume)

    def to_image(self, values: NDArray[Any]) -> nib.Nifti1Image:
        """Return one row of numbers as a 3-D image, zero outside the mask."""
        volume = np.zeros(self.grid.shape, values.dtype)
        self._mask.put(values, volume)
        return nib.Nifti1Image(volume, self.grid.affine)
