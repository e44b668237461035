"""Sources: the same blocks of a table, whether images come from files, memory, lists or dask."""

import math
import mmap
from collections.abc import Iterable, Iterator, Sized
from itertools import chain
from typing import IO, Any, TypeAlias, cast

import nibabel as nib
import numpy as np
from nibabel.spatialimages import SpatialImage
from numpy.typing import ArrayLike, NDArray

from neuroprimer.imaging.engine.finite import fill_masked, require_real
from neuroprimer.imaging.engine.workers import map_in_order, read_ahead
from neuroprimer.imaging.files.images import (
    ImageShapeError,
    ImageSource,
    as_4d,
    load_image,
    memory_bytes,
)
from neuroprimer.imaging.files.inflate import open_inflated
from neuroprimer.imaging.files.proxies import StackedVoxels
from neuroprimer.imaging.files.voxels import FileVoxels, load_voxels, loaded_dtype
from neuroprimer.imaging.space.affines import require_affine
from neuroprimer.imaging.space.grids import Grid, require_same_grid
from neuroprimer.imaging.tables.blocks import (
    ImageTable,
    MemorySource,
    SlabSource,
    Source,
    TableSource,
)
from neuroprimer.imaging.tables.stacking import (
    NoImagesError,
    is_one_image,
    list_images,
    name_image,
    open_run,
)

# What one thread holds of a file at a time.
BLOCK_BYTES = 4 << 20

# Images up to this size are read in one go when they are some of many.
WHOLE_BYTES = 64 << 20

Images: TypeAlias = ImageSource | Iterable[ImageSource] | ImageTable


class PlainFileSource(SlabSource):
    """A file that is not compressed: any part is read without the rest.

    Parameters
    ----------
    voxels : FileVoxels
        Of a 4-D image.
    grid : Grid
        Where they lie.
    """

    def __init__(self, voxels: FileVoxels, grid: Grid) -> None:
        require_real(voxels.dtype)
        self._voxels = voxels
        self.grid = grid
        self.n_images = voxels.shape[3]
        self.n_voxels = math.prod(grid.shape)

    def column_blocks(self, columns: slice, n_rows: int) -> Iterator[NDArray[Any]]:
        """Yield some columns of all rows, `n_rows` at a time.

        The file is mapped: to read it would copy each number once more, which takes as long as to
        add it up. What a block showed is let go of with the next one, since mapped pages count as
        memory of this process. Whoever cuts the file off in that very moment ends the process, as
        with the arrays that nibabel maps.
        """
        stored = self._voxels.dtype
        n_numbers = self.n_images * self.n_voxels
        with self._voxels.reading(), self._voxels.path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            numbers = np.frombuffer(mapped, stored, n_numbers, self._voxels.offset)
            table = numbers.reshape(self.n_images, self.n_voxels)
            for first in range(0, self.n_images, n_rows):
                yield self._voxels.scale(table[first : first + n_rows, columns])
                if hasattr(mapped, "madvise"):  # pragma: no branch - systems that decide themselves
                    mapped.madvise(mmap.MADV_DONTNEED)


class GzipFileSource(Source):
    """A compressed run: volumes come one after another, as they are inflated.

    Parameters
    ----------
    voxels : FileVoxels
        Of a 4-D image.
    grid : Grid
        Where they lie.
    """

    def __init__(self, voxels: FileVoxels, grid: Grid) -> None:
        require_real(voxels.dtype)
        self._voxels = voxels
        self.grid = grid
        self.n_images: int | None = voxels.shape[3]
        self.n_voxels = math.prod(grid.shape)

    def row_blocks(self, n_workers: int | None) -> Iterator[NDArray[Any]]:
        """Yield all volumes in order, some at a time."""
        return self._inflate() if n_workers == 1 else read_ahead(self._inflate())

    def _inflate(self) -> Iterator[NDArray[Any]]:
        stored = self._voxels.dtype
        n_images = self._voxels.shape[3]
        n_rows = max(BLOCK_BYTES // (self.n_voxels * stored.itemsize), 1)
        with self._voxels.reading(), open_inflated(self._voxels.path) as stream:
            stream.read(self._voxels.offset)
            for first in range(0, n_images, n_rows):
                block = np.empty((min(n_rows, n_images - first), self.n_voxels), stored)
                _fill(stream, block)
                yield self._voxels.scale(block)
            while stream.read(BLOCK_BYTES):  # to the end, so that the checksum is seen
                pass


class DaskSource(Source):
    """An array of dask, of which each chunk is computed where dask computes.

    Parameters
    ----------
    array : dask.array.Array
        With the axes (x, y, z, image).
    grid : Grid
        Where its voxels lie.

    Attributes
    ----------
    blocks : list of dask.delayed.Delayed
        Each makes some rows of the table, with all columns.
    """

    def __init__(self, array: Any, grid: Grid) -> None:
        require_real(array.dtype)
        self.grid = grid
        self.n_images = int(array.shape[3])
        self.n_voxels = math.prod(grid.shape)
        # dask counts the last axis fastest: with the axes turned round, that is the file's order.
        table = array.rechunk({0: -1, 1: -1, 2: -1}).T.reshape(self.n_images, self.n_voxels)
        self.blocks = list(table.to_delayed().ravel())

    def row_blocks(self, n_workers: int | None) -> Iterator[NDArray[Any]]:
        """Yield all rows in order, a chunk at a time, computed here."""
        yield from map_in_order(lambda block: block.compute(), self.blocks, n_workers=n_workers)


class ManySource(Source):
    """One image after another, each read as a whole unless it is long.

    Parameters
    ----------
    images : iterable of path or image
        On one grid. An iterator is drawn from once, as images are needed.
    n_images : int, optional
        How many volumes there are in all, if that is known. Default: as many as images, if these
        can be counted and the first is one volume.
    """

    def __init__(self, images: Iterable[ImageSource], n_images: int | None = None) -> None:
        iterator = iter(images)
        first = next(iterator, None)
        if first is None:
            raise NoImagesError(
                "There is no image to look at: the list is empty.",
                hint="Does the pattern that lists the files match any?",
            )
        image = load_image(first)
        self._images = chain([image], iterator)
        self.grid = Grid.of(image)
        self.n_voxels = math.prod(self.grid.shape)
        self.n_images = n_images
        if n_images is None and isinstance(images, Sized) and as_4d(image).shape[3] == 1:
            self.n_images = len(images)

    def row_blocks(self, n_workers: int | None) -> Iterator[NDArray[Any]]:
        """Yield the volumes of all images in order."""
        for blocks in map_in_order(self._open, self._images, n_workers=n_workers):
            yield from blocks

    def _open(self, image: ImageSource) -> Iterator[NDArray[Any]]:
        """Return the volumes of one image; what is not long is read here, on this thread."""
        image = load_image(image)
        what = f"Cannot look at {name_image(image)} with the others"
        require_same_grid(Grid.of(image), self.grid, what=what)
        if memory_bytes(image, loaded_dtype(image.dataobj)) > WHOLE_BYTES:
            return make_source(image).row_blocks(1)
        voxels = _load_exactly(open_run(image))
        require_real(voxels.dtype)
        return (voxels[..., index].reshape(1, -1, order="F") for index in range(voxels.shape[3]))


def make_source(images: Images, affine: ArrayLike | None = None) -> Source:
    """Return the source that fits to what images are given as.

    Parameters
    ----------
    images : path, image, array, BrainData, or iterable of paths or images
        What to look at. An array of numpy or dask has the axes (x, y, z, image).
    affine : (4, 4) array-like, optional
        Voxel to world in mm, RAS+; needed for an array, and refused for anything else.

    Returns
    -------
    source : Source
        A `SlabSource` where any part can be had without the rest.

    Raises
    ------
    NoImagesError
        If there is no image.
    ImageShapeError
        If an array has not four axes or comes without an affine, or an image comes with one.
    NotANumberError
        If voxels are no real numbers.

    Examples
    --------
    >>> make_source(nib.Nifti1Image(np.ones((2, 2, 2, 5)), np.eye(4))).n_images
    5
    """
    if is_dask_array(images) or (isinstance(images, np.ndarray) and images.dtype.kind not in "OUT"):
        return _make_array_source(images, affine)
    if affine is not None:
        raise ImageShapeError(
            f"affine= says where the voxels of a bare array lie; a {type(images).__name__} says "
            "that itself.",
            hint="Leave it out. move_image() makes an image with another affine.",
        )
    if isinstance(images, ImageTable):
        return TableSource(images)
    if not is_one_image(images):
        return ManySource(list_images(images))
    return _make_image_source(open_run(cast("ImageSource", images)))


def is_dask_array(images: Any) -> bool:
    """Tell whether something is an array of dask, which need not be installed.

    Parameters
    ----------
    images : object
        Anything.

    Returns
    -------
    is_dask : bool
        True for a dask array.

    Examples
    --------
    >>> is_dask_array(np.ones(3))
    False
    """
    return type(images).__module__.startswith("dask.array")


def _make_array_source(array: Any, affine: ArrayLike | None) -> Source:
    if affine is None:
        raise ImageShapeError(
            f"An array of shape {array.shape} does not say where its voxels lie.",
            hint="Pass affine=image.affine, too.",
        )
    if array.ndim != 4 or not all(length > 0 for length in array.shape):
        raise ImageShapeError(
            f"Expected an array with the axes (x, y, z, image), none of them empty, but this one "
            f"has the shape {array.shape}.",
            hint="One volume is array[..., numpy.newaxis]. Lengths that dask does not know are "
            "found by array.compute_chunk_sizes().",
        )
    array = fill_masked(array)
    grid = Grid(shape=array.shape[:3], affine=require_affine(affine))
    return DaskSource(array, grid) if is_dask_array(array) else MemorySource.of(array, grid)


def _make_image_source(run: SpatialImage) -> Source:
    """Return the source of a 4-D image."""
    grid = Grid.of(run)
    voxels: Any = run.dataobj
    if isinstance(voxels, FileVoxels) and voxels.proxy.order == "F":
        return GzipFileSource(voxels, grid) if voxels.is_gzip else PlainFileSource(voxels, grid)
    if isinstance(voxels, StackedVoxels):
        # a type of its own has to be asked for, or nibabel refuses integers of 64 bits
        parts = [nib.Nifti1Image(part, run.affine, dtype=part.dtype) for part in voxels.parts]
        return ManySource(parts, n_images=run.shape[3])
    return MemorySource.of(_load_exactly(run), grid)


def _load_exactly(image: SpatialImage) -> NDArray[Any]:
    """Read the voxels of an image; what the header scales is not rounded to float32."""
    voxels: Any = image.dataobj
    loaded = loaded_dtype(voxels)
    is_scaled = loaded != np.dtype(voxels.dtype).newbyteorder("=")
    return load_voxels(image, np.float64 if is_scaled and loaded.kind == "f" else None)


def _fill(stream: IO[bytes], target: NDArray[Any]) -> None:
    """Fill an array with what a stream gives next."""
    rest = target.reshape(-1).view(np.uint8).data
    while rest:
        n_read = stream.readinto(rest)  # type: ignore[attr-defined] # IO lacks it
        if not n_read:
            raise EOFError(f"the file ends {len(rest)} bytes too early")
        rest = rest[n_read:]
