"""Files: images read from disk, and what their headers say about time and memory."""

import math
import zlib
from os import PathLike
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError as NibabelImageFileError
from nibabel.spatialimages import HeaderDataError, SpatialImage
from nibabel.tripwire import TripWireError
from numpy.typing import DTypeLike

from neuroprimer.errors import NeuroprimerError

SECONDS_PER_UNIT = {"sec": 1.0, "msec": 1e-3, "usec": 1e-6}

# Functional volumes are taken every half to few seconds; half a minute is a wrong unit.
LONGEST_PLAUSIBLE_TR_S = 30.0

# What nibabel and the libraries below it raise for damaged files, and for compressions that need
# a package which is not installed (TripWireError).
UNREADABLE = (
    NibabelImageFileError,
    HeaderDataError,
    TripWireError,
    zlib.error,
    EOFError,
    KeyError,
    OSError,
    ValueError,
)


class ImageFileError(NeuroprimerError, OSError):
    """A file that cannot be read as an image."""


class RepetitionTimeError(NeuroprimerError, ValueError):
    """A header from which no believable repetition time can be read."""


def load_image(path: str | PathLike[str]) -> SpatialImage:
    """Open an image file; the voxels stay on disk until they are asked for.

    Parameters
    ----------
    path : str or path-like
        A file that nibabel reads: NIfTI-1 and -2 (.nii, .nii.gz), MGH, Analyze.

    Returns
    -------
    image : nibabel.spatialimages.SpatialImage
        Header and affine are in memory, voxels are not.

    Raises
    ------
    ImageFileError
        If there is no such file, or it is not an image with a place in space.

    Examples
    --------
    >>> from nibabel.testing import data_path
    >>> load_image(Path(data_path) / "example4d.nii.gz").shape
    (128, 96, 24, 2)
    """
    file = Path(path)
    if file.is_dir():
        raise ImageFileError(
            f"Cannot open {file} as an image: it is a folder.",
            hint="Name one file in it, for example one that ends in .nii.gz.",
        )
    if not file.exists():
        raise ImageFileError(
            f"Cannot open {file}: there is no such file.",
            hint=f"The folder {file.absolute().parent} "
            + (
                "exists; look for the name in it."
                if file.absolute().parent.is_dir()
                else "does not exist either."
            ),
        )
    try:
        image = nib.load(file)
    except UNREADABLE as error:
        raise ImageFileError(
            f"Cannot open {file} ({file.stat().st_size} bytes) as an image: {error}",
            hint="The file may be cut off or of another kind; fetch it again or look at its "
            "first bytes.",
        ) from error
    if not isinstance(image, SpatialImage):
        raise ImageFileError(
            f"{file} is a {type(image).__name__}, which has no voxels in space.",
            hint="Surfaces and tractograms are read with nibabel.load().",
        )
    return image


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


def repetition_time_s(image: SpatialImage, *, unit: str | None = None) -> float:
    """Return the time between two volumes of a run in seconds, if the header can be believed.

    Parameters
    ----------
    image : nibabel.spatialimages.SpatialImage
        A 4-D image with a NIfTI header.
    unit : {"sec", "msec", "usec"}, optional
        The unit that the number in the header has. Default: the one that the header names.

    Returns
    -------
    tr_s : float
        Repetition time in seconds.

    Raises
    ------
    RepetitionTimeError
        If the image has no time axis, the header names no unit of time, or the time is zero,
        negative, not a number, or longer than half a minute.

    Notes
    -----
    The number is ``pixdim[4]``, its unit stands in ``xyzt_units`` [1]_.

    References
    ----------
    .. [1] The NIfTI-1 data format, nifti1.h, section "units of spatial and temporal dimensions".

    Examples
    --------
    >>> from nibabel.testing import data_path
    >>> run = load_image(Path(data_path) / "example4d.nii.gz")
    >>> repetition_time_s(run, unit="msec")
    2.0
    """
    header = image.header
    if not hasattr(header, "get_xyzt_units") or len(image.shape) < 4:
        raise RepetitionTimeError(
            f"This image has no time axis: shape {image.shape}, header {type(header).__name__}.",
            hint="A repetition time belongs to a 4-D NIfTI image (x, y, z, time).",
        )
    stored_unit = header.get_xyzt_units()[1]
    used_unit = stored_unit if unit is None else unit
    if used_unit not in SECONDS_PER_UNIT:
        raise RepetitionTimeError(
            f"{used_unit!r} is not a unit of time; expected one of {', '.join(SECONDS_PER_UNIT)}.",
            hint="Pass unit='sec' or unit='msec' when you know which it is.",
        )
    stored = float(header.get_zooms()[3])
    tr_s = stored * SECONDS_PER_UNIT[used_unit]
    if not 0 < tr_s <= LONGEST_PLAUSIBLE_TR_S:
        raise RepetitionTimeError(
            f"A repetition time of {tr_s:g} s cannot be right: the header stores {stored:g} and "
            f"{f'names the unit {stored_unit!r}' if unit is None else f'you said {unit!r}'}; "
            f"expected more than 0 and at most {LONGEST_PLAUSIBLE_TR_S:g} s.",
            hint="Look into the scan protocol or the JSON sidecar, then pass unit='msec' or "
            "unit='sec'.",
        )
    return tr_s
