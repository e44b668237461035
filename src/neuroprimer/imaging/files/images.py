"""Files: images read from disk and written to it."""

import math
import os
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import unquote, urlsplit

import nibabel as nib
import numpy as np
from nibabel.arrayproxy import ArrayLike, ArrayProxy
from nibabel.spatialimages import SpatialImage
from numpy.typing import DTypeLike

from neuroprimer.errors import NeuroprimerError
from neuroprimer.imaging.files.headers import storable_dtype
from neuroprimer.imaging.files.inflate import GZIP_MAGIC, LARGEST_EXPANSION
from neuroprimer.imaging.files.places import stamp_of
from neuroprimer.imaging.files.promises import (
    GZIP_ENDINGS,
    find_hint,
    require_bytes,
    require_sound_header,
)
from neuroprimer.imaging.files.proxies import ForeignVoxels, StackedVoxels
from neuroprimer.imaging.files.streams import load_stream
from neuroprimer.imaging.files.times import stored_time, write_time
from neuroprimer.imaging.files.voxels import FileVoxels, ImageFileError
from neuroprimer.imaging.space.grids import Grid, require_same_grid

ImageSource = str | PathLike[str] | IO[bytes] | SpatialImage

# Compressions that nibabel reads by itself; how much is in such a file is seen when it is read.
OTHER_COMPRESSIONS = (".bz2", ".zst")

# The longest axis that NIfTI-1 can name: its lengths are 16-bit integers.
LONGEST_NIFTI1_AXIS = 32767

# The step that nibabel and others write for an axis of which they know nothing.
FILLED_IN = 1.0


class ImageShapeError(NeuroprimerError, ValueError):
    """An image with the wrong number of axes.

    Examples
    --------
    >>> as_4d(nib.Nifti1Image(np.zeros((2, 2, 2, 3, 4)), np.eye(4)))
    Traceback (most recent call last):
    ...
    neuroprimer.imaging.files.images.ImageShapeError: An image of shape (2, 2,
    2, 3, 4) is no run: expected (x, y, z, time), where further axes have length
    1. Choose a part of it, for example with image.slicer[..., 0].
    """


def load_image(source: ImageSource | Sequence[ImageSource]) -> SpatialImage:
    """Open an image; the voxels stay on disk until they are asked for.

    Parameters
    ----------
    source : str, path-like, binary file object, image, or list of these
        A file that nibabel reads: NIfTI-1 and -2 (.nii, .nii.gz), MGH, Analyze; a ``file:``
        address of one; or an open file with a NIfTI or MGH image. An image is returned as it is.
        Several become one run, with their volumes one after another.

    Returns
    -------
    image : nibabel.spatialimages.SpatialImage
        Header and affine are in memory, voxels are not (those of a file object are).

    Raises
    ------
    ImageFileError
        If there is no such file, it is not an image with a place in space, or it is too short
        for what its header says.
    GridMismatchError
        If several images lie on different grids.

    See Also
    --------
    load_voxels : the numbers, in a type no wider than they need.
    describe : what there is to know about an image.

    Examples
    --------
    >>> from nibabel.testing import data_path
    >>> load_image(Path(data_path) / "example4d.nii.gz").shape
    (128, 96, 24, 2)
    """
    if isinstance(source, SpatialImage):
        return source
    if isinstance(source, list | tuple):
        return _stack_images([load_image(part) for part in source])
    if hasattr(source, "read"):
        return load_stream(cast("IO[bytes]", source))
    file = _require_file(cast("str | PathLike[str]", source))
    try:
        with np.errstate(all="ignore"):  # whether an affine is one is seen below
            image = nib.load(file)
    except Exception as error:  # ten formats have ten ways to fail on bad bytes
        raise ImageFileError(
            f"Cannot open {file} as an image: {error or type(error).__name__}",
            hint=find_hint(file, error),
        ) from error
    if not isinstance(image, SpatialImage):
        raise ImageFileError(
            f"{file} is a {type(image).__name__}, which has no voxels in space.",
            hint="Surfaces and tractograms are read with nibabel.load().",
        )
    require_sound_header(image, str(file))
    return _with_our_voxels(image, file)


def _with_our_voxels(image: SpatialImage, file: Path) -> SpatialImage:
    """Return the image with voxels that inflate fast and fail in words."""
    proxy = image.dataobj
    source = Path(str(getattr(proxy, "file_like", file)))
    voxels: FileVoxels | ForeignVoxels
    if type(proxy) is ArrayProxy and source.suffix.lower() not in OTHER_COMPRESSIONS:
        voxels = _make_file_voxels(proxy, source, str(file))
    else:
        voxels = ForeignVoxels.of(proxy, str(file))
    # A new image would bring its header into line with its affine, which not every header can be.
    image._dataobj = cast("ArrayLike", voxels)
    return image


def _make_file_voxels(proxy: ArrayProxy, path: Path, name: str) -> FileVoxels:
    """Return the voxels of a file that is long enough to hold them."""
    if not path.is_file():
        raise ImageFileError(
            f"Cannot open {name}: its voxels should be in {path}, which is not there.",
            hint="A .hdr file and its .img file belong together; copy both.",
        )
    stamp = stamp_of(path)
    is_gzip = path.suffix.lower() in GZIP_ENDINGS
    with path.open("rb") as stream:
        if is_gzip and stream.read(2) != GZIP_MAGIC:
            raise ImageFileError(
                f"Cannot open {name}: {path} is not compressed, though its name says so.",
                hint=find_hint(path),
            )
    size = path.stat().st_size
    require_bytes(proxy, size * LARGEST_EXPANSION if is_gzip else size, name)
    return FileVoxels(path=path, proxy=proxy, is_gzip=is_gzip, stamp=stamp)


def _stack_images(images: list[SpatialImage]) -> SpatialImage:
    """Return several images as one run."""
    if not images:
        raise ImageFileError(
            "Cannot open an empty list of images.",
            hint="Does the pattern that lists the files match any?",
        )
    runs = [as_4d(image) for image in images]
    for run in runs[1:]:
        require_same_grid(Grid.of(run), Grid.of(runs[0]), what="Cannot make one run of these")
    voxels = StackedVoxels(parts=tuple(run.dataobj for run in runs))
    is_long = max(voxels.shape) > LONGEST_NIFTI1_AXIS
    image_class: type[nib.Nifti1Image] = nib.Nifti2Image if is_long else nib.Nifti1Image
    stacked = image_class(cast("ArrayLike", voxels), runs[0].affine, runs[0].header)
    stacked.set_data_dtype(storable_dtype(voxels.dtype))
    times = {
        stored_time(run.header) if len(image.shape) > 3 else None
        for image, run in zip(images, runs, strict=True)
    }
    # Volumes that were no run, or not the same one, have no repetition time together.
    write_time(stacked.header, *((times.pop() if len(times) == 1 else None) or (0.0, "unknown")))
    return stacked


def _require_file(source: str | PathLike[str]) -> Path:
    """Return the path of an ordinary file, or say what is there instead."""
    file = _local_path(source)
    try:
        if file.is_dir():
            raise ImageFileError(
                f"Cannot open {file} as an image: it is a folder.",
                hint="Name one file in it, for example one that ends in .nii.gz.",
            )
        if not file.exists():
            raise ImageFileError(
                f"Cannot open {file}: there is no such file.", hint=_say_where_to_look(file)
            )
        # Opening a pipe would wait for a writer, perhaps for ever.
        if not file.is_file():
            raise ImageFileError(
                f"Cannot open {file} as an image: it is a pipe or a device.",
                hint="Copy what comes out of it into a file first.",
            )
    except ImageFileError:
        raise
    except (ValueError, OSError) as error:
        raise ImageFileError(
            f"Cannot open {str(source)!r}: {error}.",
            hint="Pass the path of a file in a folder that you may look into.",
        ) from error
    return file


def _say_where_to_look(file: Path) -> str:
    if file.is_symlink():
        return (
            f"It is a link to {file.readlink()}, which is not there. In a dataset of DataLad, "
            "`datalad get` brings it."
        )
    folder = file.absolute().parent
    if folder.is_dir():
        return f"The folder {folder} exists; look for the name in it."
    return f"The folder {folder} does not exist either."


def _local_path(source: str | PathLike[str]) -> Path:
    """Return the path that a name or a ``file:`` address means."""
    try:
        text = os.fsdecode(source)
        address = urlsplit(text) if "://" in text else None
        if address is None:
            return Path(text).expanduser()
    except (TypeError, ValueError, RuntimeError) as error:
        raise ImageFileError(
            f"Cannot open a {type(source).__name__} as the path of an image: {error}.",
            hint="An image is opened from a path, a file:// address or an open file. Numbers "
            "become an image by nibabel.Nifti1Image(numbers, affine).",
        ) from error
    if address.scheme != "file" or address.netloc not in ("", "localhost"):
        raise ImageFileError(
            f"Cannot open {text}: it is not a file on this machine.",
            hint="Download it first; load_image() reads paths and file:// addresses.",
        )
    return Path(unquote(address.path))


def as_4d(image: SpatialImage) -> SpatialImage:
    """Return an image with exactly four axes: x, y, z and time.

    Some programs store a run as (x, y, z, 1, time): NIfTI keeps its fifth axis for vectors, and
    few programs read it. Axes of length 1 are dropped, the others stay in order.

    Parameters
    ----------
    image : nibabel.spatialimages.SpatialImage
        An image with three axes or more. Its voxels are not read.

    Returns
    -------
    run : nibabel.spatialimages.SpatialImage
        Same affine, same voxels, same repetition time; a volume becomes a run of one.

    Raises
    ------
    ImageShapeError
        If the image has fewer than three axes, or more than one axis beyond the third is longer
        than 1.

    Examples
    --------
    >>> odd = nib.Nifti1Image(np.zeros((4, 5, 6, 1, 9), np.float32), np.eye(4))
    >>> as_4d(odd).shape
    (4, 5, 6, 9)
    """
    further = [length for length in image.shape[3:] if length != 1]
    if len(image.shape) < 3 or len(further) > 1:
        raise ImageShapeError(
            f"An image of shape {image.shape} is no run: expected (x, y, z, time), where further "
            "axes have length 1.",
            hint="Choose a part of it, for example with image.slicer[..., 0].",
        )
    if len(image.shape) == 4:
        return image
    shape = (*image.shape[:3], *(further or [1]))
    voxels: Any = image.dataobj
    run = type(image)(voxels.reshape(shape), image.affine, image.header)
    _keep_time_axis(image, run)
    return run


def _keep_time_axis(image: SpatialImage, run: SpatialImage) -> None:
    """Give a new image the time step of the one that it was made from.

    NIfTI says that the step stands with the fourth axis, whatever its length. Where a program has
    left nothing there, or the 1 that is filled in where nobody says more, it stands with the axis
    that holds the volumes.
    """
    steps = [float(step) for step in image.header.get_zooms()[3:]]
    long_axes = [step for step, length in zip(steps, image.shape[3:], strict=True) if length != 1]
    told = [step for step in (*steps[:1], *long_axes) if step > 0]
    step = next((step for step in told if step != FILLED_IN), told[0] if told else 0.0)
    if len(run.header.get_zooms()) > 3:  # a MGH header has no time axis for a single volume
        run.header.set_zooms((*image.header.get_zooms()[:3], step))


def memory_bytes(image: SpatialImage, dtype: DTypeLike = np.float64) -> int:
    """Return how many bytes all voxels of an image take up in memory.

    Parameters
    ----------
    image : nibabel.spatialimages.SpatialImage
        An image; its voxels are not read.
    dtype : numpy dtype
        The type of one voxel in memory. ``image.get_fdata()`` makes float64.

    Returns
    -------
    size_bytes : int
        Number of voxels times the size of `dtype`.

    Examples
    --------
    >>> from nibabel.testing import data_path
    >>> run = load_image(Path(data_path) / "example4d.nii.gz")
    >>> memory_bytes(run), memory_bytes(run, run.get_data_dtype())
    (4718592, 1179648)
    """
    return math.prod(image.shape) * np.dtype(dtype).itemsize
