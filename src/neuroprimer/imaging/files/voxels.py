"""Voxels: the numbers of an image while they are still in its file.

nibabel opens an image without reading its voxels; the objects here take the place of its array
proxies. They inflate faster, read just what is asked for, notice damage, and say so in words.
"""

import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from nibabel.arrayproxy import ArrayProxy, is_proxy
from nibabel.filebasedimages import ImageFileError as NibabelImageFileError
from nibabel.fileslice import fileslice
from nibabel.freesurfer.mghformat import MGHError
from nibabel.spatialimages import HeaderDataError, ImageDataError, SpatialImage
from nibabel.tripwire import TripWireError
from numpy.typing import DTypeLike, NDArray

from neuroprimer.errors import NeuroprimerError
from neuroprimer.imaging.files.inflate import DAMAGED, inflate_file, open_inflated
from neuroprimer.imaging.files.places import Stamp, chosen_shape, find_place, stamp_of

SINGLE = np.dtype(np.float32)
DOUBLE = np.dtype(np.float64)

# float32 has 24 bits. Where the largest scaled number is no more than this many steps of the
# scaling, rounding changes it by less than a sixty-fourth of a step.
MOST_STEPS_IN_SINGLE = 2.0**18

# Numbers that are scaled at a time: few enough to stay in the cache between two operations.
BLOCK_VOXELS = 1 << 15

# What nibabel and the libraries below it raise for damaged files, and for formats that need a
# package which is not installed (TripWireError, ImportError).
UNREADABLE: tuple[type[Exception], ...] = (
    *DAMAGED,
    NibabelImageFileError,
    HeaderDataError,
    ImageDataError,
    MGHError,
    TripWireError,
    ImportError,
    zlib.error,
    KeyError,
    ValueError,
    TypeError,
    OverflowError,
    MemoryError,
)


class ImageFileError(NeuroprimerError, OSError):
    """A file that cannot be read or written as an image.

    Examples
    --------
    >>> from neuroprimer.imaging import load_image
    >>> load_image("sub-99_T1w.nii.gz")
    Traceback (most recent call last):
    ...
    neuroprimer.imaging.files.voxels.ImageFileError: Cannot open
    sub-99_T1w.nii.gz: there is no such file. The folder ... exists; look for
    the name in it.
    """


class VoxelTypeError(NeuroprimerError, TypeError):
    """Something that is no image, or a type in which no voxels can be had."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FileVoxels:
    """The voxels of an image file; they are read when they are asked for.

    ``numpy.asarray(voxels)`` reads all of them, ``voxels[..., 3]`` one volume. nibabel takes it
    as the ``dataobj`` of an image.

    Parameters
    ----------
    path : pathlib.Path
        The file with the voxels.
    proxy : nibabel.arrayproxy.ArrayProxy
        Shape, type, place and scaling of the voxels, from the header.
    is_gzip : bool
        Whether the file is a .gz file.
    stamp : tuple of int
        What the file was when it was opened, from `stamp_of`. The header belongs to that file and
        to no other.

    Examples
    --------
    >>> from nibabel.testing import data_path
    >>> from neuroprimer.imaging import load_image
    >>> voxels = load_image(Path(data_path) / "example4d.nii.gz").dataobj
    >>> voxels.shape, voxels.dtype, voxels[64, 48, 12]
    ((128, 96, 24, 2), dtype('<i2'), array([265, 266], dtype=int16))
    """

    path: Path
    proxy: ArrayProxy
    is_gzip: bool
    stamp: Stamp

    is_proxy = True

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        return tuple(int(length) for length in self.proxy.shape)  # MGH gives 32-bit integers

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of one voxel in the file, before scaling."""
        return cast("np.dtype[Any]", np.dtype(self.proxy.dtype))

    @property
    def offset(self) -> int:
        """Where in the file, inflated, the voxels begin."""
        return int(self.proxy.offset)

    @property
    def slope(self) -> float:
        """What the numbers in the file are multiplied with on the way into memory."""
        return float(self.proxy.slope)

    @property
    def inter(self) -> float:
        """What is added to the numbers in the file after that."""
        return float(self.proxy.inter)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.scale(self._read_all(), dtype), dtype, copy=copy)

    def __getitem__(self, slicer: Any) -> NDArray[Any]:
        return self.scale(self.unscaled(slicer))

    def reshape(self, shape: tuple[int, ...]) -> "FileVoxels":
        """Return the same voxels, still in the file, under another shape.

        Parameters
        ----------
        shape : tuple of int
            As many voxels as before.

        Returns
        -------
        voxels : FileVoxels
            Nothing is read.
        """
        return replace(self, proxy=self.proxy.reshape(shape))

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Tell in words what fails while the file is read.

        Yields
        ------
        None
            Run what reads the file inside the ``with`` block.

        Raises
        ------
        ImageFileError
            If the file is damaged, or is not the one any more that the header came from.
        """
        with telling_what_failed(self.path):
            if stamp_of(self.path) != self.stamp:
                raise ImageFileError(
                    f"Cannot read the voxels of {self.path}: the file has been written to since "
                    "it was opened.",
                    hint="Open it again with load_image(), which reads its new header, too.",
                )
            yield

    def unscaled(self, slicer: Any) -> NDArray[Any]:
        """Read a part as it stands in the file, before scaling.

        Parameters
        ----------
        slicer : index
            What one would put between square brackets: integers, slices, an ellipsis.

        Returns
        -------
        values : array
            The numbers in the file's own type, of either byte order.

        Raises
        ------
        ImageFileError
            If the file is damaged or cut off there.
        IndexError
            If there are no such voxels.
        """
        chosen = chosen_shape(slicer, self.shape)
        if 0 in chosen:
            return np.empty(chosen, self.dtype)
        place = find_place(slicer, self.shape)
        if place is None or all(index == slice(None) for index in place):
            return np.asarray(self._read_all()[slicer])
        with self.reading():
            if not self.is_gzip:
                # A view of a mapped file would change with the file.
                return np.array(self.proxy.get_unscaled()[slicer])
            with open_inflated(self.path) as stream:
                layout = self.shape, self.dtype, self.offset
                part: NDArray[Any] = fileslice(stream, slicer, *layout, order=self.proxy.order)
                return np.asarray(part)

    def _read_all(self) -> NDArray[Any]:
        with self.reading():
            if self.is_gzip:
                offset, n_voxels = self.offset, math.prod(self.shape)
                content = inflate_file(self.path, offset + n_voxels * self.dtype.itemsize)
                values = np.frombuffer(content, self.dtype, n_voxels, offset)
                values = values.reshape(self.shape, order=self.proxy.order)
            else:
                values = np.asarray(self.proxy.get_unscaled())
            # Voxels may begin at any byte of a file; loops that numba compiles want them in place.
            return values if values.flags.aligned else values.copy(order="K")

    def scale(self, values: NDArray[Any], dtype: DTypeLike | None = None) -> NDArray[Any]:
        """Multiply and shift numbers as the header asks.

        Parameters
        ----------
        values : array
            Numbers as they stand in the file.
        dtype : numpy dtype, optional
            float32 if this precision is enough. Default: float64.

        Returns
        -------
        scaled : array
            The same array where the header asks for nothing. Numbers too large for the type are
            infinite.
        """
        if not is_scaled(self):
            return values
        is_narrow = dtype is not None and np.dtype(dtype) == SINGLE and fits_single(values.dtype)
        with np.errstate(over="ignore", invalid="ignore"):
            if is_narrow:
                return self._scale_to_single(values)
            work = np.result_type(values, DOUBLE)
            scaled: NDArray[Any] = np.multiply(values, self.slope, dtype=work)
            scaled += self.inter
        return scaled

    def _scale_to_single(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Scale in float64, a block at a time, so that numbers are rounded once."""
        blocks = np.nditer(
            [values, None],
            flags=["external_loop", "buffered", "zerosize_ok"],
            op_flags=[["readonly"], ["writeonly", "allocate"]],
            op_dtypes=[None, SINGLE],
            buffersize=BLOCK_VOXELS,
        )
        with blocks:
            for stored, scaled in blocks:
                exact = np.multiply(stored, self.slope, dtype=DOUBLE)
                exact += self.inter
                scaled[...] = exact
            return cast("NDArray[np.float32]", blocks.operands[1])


def fits_single(dtype: DTypeLike) -> bool:
    """Tell whether float32 holds every value of a type exactly.

    Parameters
    ----------
    dtype : numpy dtype
        A type of real numbers.

    Returns
    -------
    fits : bool
        True for float32 and below and for integers of up to 16 bits.

    Examples
    --------
    >>> fits_single(np.int16), fits_single(np.int32)
    (True, False)
    """
    return np.can_cast(dtype, SINGLE)


def load_voxels(image: SpatialImage, dtype: DTypeLike | None = None) -> NDArray[Any]:
    """Read all voxels of an image, in a type no wider than their values need.

    Unlike ``image.get_fdata()``, which makes float64 and keeps a copy for as long as the image
    lives, this keeps the type that the file has, and nothing else.

    Parameters
    ----------
    image : nibabel.spatialimages.SpatialImage
        An image from a file or in memory.
    dtype : numpy dtype, optional
        The type wanted. Default: the file's own for voxels that are not scaled; for scaled ones
        float32 where the numbers in the file fit into it, float64 elsewhere.

    Returns
    -------
    voxels : array
        Shape of the image, in the byte order of this machine. The array of an image in memory is
        returned as it is.

    Raises
    ------
    ImageFileError
        If the file is damaged or cut off, or was written to since it was opened.
    VoxelTypeError
        If `image` is no image, or `dtype` no type of numbers.

    Examples
    --------
    >>> from nibabel.testing import data_path
    >>> from neuroprimer.imaging import load_image
    >>> load_voxels(load_image(Path(data_path) / "functional.nii")).dtype  # int16 and a slope
    dtype('float32')
    """
    if not isinstance(image, SpatialImage):
        raise VoxelTypeError(
            f"Cannot read the voxels of a {type(image).__name__}: expected an image.",
            hint="Open a file with load_image(); numbers become an image by "
            "nibabel.Nifti1Image(numbers, affine).",
        )
    voxels = image.dataobj
    with telling_what_failed(image.get_filename() or "the image"):
        loaded = loaded_dtype(voxels)
        if dtype is None:
            with np.errstate(over="ignore", invalid="ignore"):  # as `FileVoxels.scale` does
                return np.asarray(voxels, dtype=loaded)
        wanted = require_dtype(dtype)
        require_convertible(loaded, wanted)
        return np.asarray(voxels, dtype=wanted)


def require_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """Return a numpy dtype, or say why something is none that voxels can have.

    Parameters
    ----------
    dtype : numpy dtype
        Or the name of one.

    Returns
    -------
    dtype : numpy dtype
        A type of numbers.

    Raises
    ------
    VoxelTypeError
        If it is anything else.

    Examples
    --------
    >>> require_dtype("int16")
    dtype('int16')
    """
    try:
        known = np.dtype(dtype)
        if known.kind not in "biufcV":
            raise TypeError(f"{known} is no type of numbers")
    except TypeError as error:
        raise VoxelTypeError(
            f"Voxels cannot be of the type {dtype!r}: {error}.",
            hint="Pass a type of numpy, for example 'float32', 'int16' or 'uint8'.",
        ) from error
    return known


def require_convertible(loaded: np.dtype[Any], wanted: np.dtype[Any]) -> None:
    """Raise where a number of the wanted type could not say what a voxel holds."""
    if loaded != wanted and (loaded.kind == "V" or wanted.kind == "V"):
        raise VoxelTypeError(
            f"Cannot turn voxels of the type {loaded} into {wanted}: colours are no numbers.",
            hint="Take one colour of load_voxels(image), for example with [...]['R'].",
        )
    if loaded.kind == "c" and wanted.kind != "c":
        raise VoxelTypeError(
            f"Cannot turn voxels of the type {loaded} into {wanted}: they are complex.",
            hint="Take numpy.abs() or numpy.angle() of load_voxels(image).",
        )


def loaded_dtype(voxels: Any) -> np.dtype[Any]:
    """Return the type that `load_voxels` gives.

    Parameters
    ----------
    voxels : array or array proxy
        What an image has as its ``dataobj``. It is not read, or one voxel of it where a format
        does not tell the type otherwise.

    Returns
    -------
    dtype : numpy dtype
        In the byte order of this machine.

    Examples
    --------
    >>> loaded_dtype(np.zeros((2, 2, 2), ">i2"))
    dtype('int16')
    """
    if _is_foreign(voxels):
        return np.asarray(voxels[(0,) * len(voxels.shape)]).dtype.newbyteorder("=")
    stored: np.dtype[Any] = np.dtype(voxels.dtype)
    if not is_scaled(voxels):
        return stored.newbyteorder("=")
    fits = _fits_single_scaled(stored, voxels.slope, voxels.inter)
    return SINGLE if fits else np.result_type(stored, DOUBLE)


def is_scaled(voxels: Any) -> bool:
    """Tell whether the numbers in a file are multiplied or shifted on the way into memory.

    Parameters
    ----------
    voxels : array or array proxy
        What an image has as its ``dataobj``; it is not read.

    Returns
    -------
    scaled : bool
        False for an array, and for colours, whatever their header says.

    Examples
    --------
    >>> is_scaled(np.zeros((2, 2, 2)))
    False
    """
    factors = getattr(voxels, "slope", 1), getattr(voxels, "inter", 0)
    return factors != (1, 0) and np.dtype(voxels.dtype).kind != "V"


def _is_foreign(voxels: Any) -> bool:
    """Tell whether nibabel scales voxels in a way of their format's own: AFNI, Philips, MINC."""
    is_of_nibabel = is_proxy(voxels) and type(voxels).__module__.startswith("nibabel.")
    return is_of_nibabel and type(voxels) is not ArrayProxy


def _fits_single_scaled(stored: np.dtype[Any], slope: float, inter: float) -> bool:
    """Tell whether float32 keeps apart what a type keeps apart, after scaling."""
    if stored.kind not in "iu" or not fits_single(stored):
        return False
    limits, single = np.iinfo(stored), np.finfo(SINGLE)
    slope, inter = float(slope), float(inter)  # Python's numbers do not warn of overflow
    largest = max(abs(slope * limit + inter) for limit in (limits.min, limits.max))
    in_steps = largest <= MOST_STEPS_IN_SINGLE * abs(slope)
    return in_steps and abs(slope) >= float(single.tiny) and largest <= float(single.max)


@contextmanager
def telling_what_failed(
    path: Path | str, failures: tuple[type[Exception], ...] = UNREADABLE
) -> Iterator[None]:
    """Turn what the libraries below raise for a damaged file into one error that says so.

    Parameters
    ----------
    path : pathlib.Path or str
        The file that is being read.
    failures : tuple of type
        What may be raised.

    Yields
    ------
    None
        Run what reads the file inside the ``with`` block.

    Raises
    ------
    ImageFileError
        In place of each of `failures`. Errors of our own pass as they are.

    Examples
    --------
    >>> with telling_what_failed(Path("run.nii")):
    ...     raise EOFError("only 12 bytes left")
    Traceback (most recent call last):
    ...
    neuroprimer.imaging.files.voxels.ImageFileError: Cannot read the voxels of run.nii: only 12 ...
    """
    try:
        yield
    except NeuroprimerError:
        raise
    except failures as error:
        raise ImageFileError(
            f"Cannot read the voxels of {path}: {error or type(error).__name__}.",
            hint=_what_to_do(error),
        ) from error


def _what_to_do(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return (
            "There is not enough memory for all of them at once; read a part, for example "
            "image.dataobj[..., 0]."
        )
    if isinstance(error, FileNotFoundError | PermissionError):
        return "Is the file still where it was when the image was opened, and may you read it?"
    return "The file is damaged or was cut off while it was copied; fetch it again."
