"""Saving: images written to disk, whole or not at all."""

import math
import shutil
import tempfile
import warnings
from os import PathLike, fsdecode
from pathlib import Path
from typing import Any, cast

import nibabel as nib
import numpy as np
from nibabel.spatialimages import SpatialImage
from numpy.typing import DTypeLike, NDArray

from neuroprimer.imaging.files.headers import ALIGNED
from neuroprimer.imaging.files.images import LONGEST_NIFTI1_AXIS
from neuroprimer.imaging.files.times import stored_time, write_time
from neuroprimer.imaging.files.voxels import (
    UNREADABLE,
    ImageFileError,
    load_voxels,
    require_convertible,
    require_dtype,
)

# Formats with one file, so that a single rename puts the whole image into place.
ENDINGS = (".nii.gz", ".nii", ".mgz", ".mgh")
MGH_ENDINGS = (".mgz", ".mgh")

# What nibabel raises for what a format cannot hold, the system for what it cannot write, and
# pathlib for links that lead in a circle.
UNWRITABLE: tuple[type[Exception], ...] = (*UNREADABLE, RuntimeError)

# Rounding to the steps of an integer type is noise. Up to a thousandth of the image's own spread
# it is far below what any scanner adds.
QUANTISATION_TOLERANCE = 1e-3

# A spread as small as this, compared with the values, is what is left of rounding in float64. Such
# an image says one number, to which the second tolerance applies.
CONSTANT, CONSTANT_TOLERANCE = 1e-12, 1e-6


class QuantisationWarning(UserWarning):
    """Voxels that lose more than they should when they are written in a narrower type.

    Examples
    --------
    A script that should stop here turns the warning into an error:

    >>> image = nib.Nifti1Image(np.array([[[0, 0.5, 1000]]]), np.eye(4))
    >>> with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
    ...     warnings.simplefilter("error", QuantisationWarning)
    ...     save_image(image, Path(folder) / "map.nii.gz", dtype=np.uint8)
    Traceback (most recent call last):
    ...
    neuroprimer.imaging.files.saving.QuantisationWarning: Rounding to uint8
    changes a voxel by up to 0.5; the image's standard deviation is 471. Without
    dtype, save_image() writes float32.
    """


def save_image(
    image: SpatialImage, path: str | PathLike[str], *, dtype: DTypeLike | None = None
) -> Path:
    """Write an image to a file, which is there as a whole afterwards, or as it was before.

    Parameters
    ----------
    image : nibabel.spatialimages.SpatialImage
        Any image.
    path : str or path-like
        A name that ends in .nii, .nii.gz, .mgh or .mgz, in a folder that exists. Where it is a
        link, the file is written that it leads to.
    dtype : numpy dtype, optional
        The type of a voxel in the file. Default: see `default_dtype`; float32 for real numbers.

    Returns
    -------
    path : pathlib.Path
        The file. An image that was opened from it before has to be opened again.

    Raises
    ------
    ImageFileError
        If the ending is another one, the folder cannot be written to, or the voxels do not fit
        into `dtype`.
    VoxelTypeError
        If `image` is no image, `dtype` no type of numbers, or one cannot become the other.

    Warns
    -----
    QuantisationWarning
        If rounding changes a voxel by more than a thousandth of the image's standard deviation
        or, in an image of whole numbers, at all.

    Examples
    --------
    >>> image = nib.Nifti1Image(np.ones((2, 2, 2)), np.eye(4))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     nib.load(save_image(image, Path(folder) / "ones.nii.gz")).get_data_dtype()
    dtype('<f4')
    """
    path, ending = _require_path(path)
    voxels = load_voxels(image)
    if voxels.size == 0 or voxels.ndim == 0:
        raise ImageFileError(
            f"Cannot save {path.name}: the image has no voxels; its shape is {voxels.shape}.",
            hint="Every axis needs a length of at least 1.",
        )
    stored = default_dtype(voxels, ending) if dtype is None else require_dtype(dtype)
    require_convertible(voxels.dtype, stored)
    fitted = _fitted(voxels, stored, path)
    try:
        _replace_file(_make_file_image(image, fitted, stored, ending), path.resolve())
    except UNWRITABLE as error:
        raise ImageFileError(
            f"Cannot save {path}: {error}.",
            hint="Is the folder there, may you write to it, and does the format know the type? "
            "What was there before is unchanged.",
        ) from error
    is_scaled = fitted.dtype.kind == "f" and stored.kind in "iu"
    written = load_voxels(cast("SpatialImage", nib.load(path)), np.float64) if is_scaled else fitted
    if voxels.dtype.kind in "iuf" and (is_scaled or fitted.dtype != voxels.dtype):
        _warn_of_rounding(voxels, written, stored)
    return path


def default_dtype(voxels: NDArray[Any], ending: str = ".nii.gz") -> np.dtype[Any]:
    """Return the type in which voxels are written when none is asked for.

    Parameters
    ----------
    voxels : array
        Voxels as they are in memory.
    ending : str
        That of the file: .mgh and .mgz know fewer types.

    Returns
    -------
    dtype : numpy dtype
        float32 for real numbers. Integers stay what they are, but for truth values, which become
        uint8, and 64-bit integers, which become int32 where they fit, since few programs read
        them. A type that the format does not know becomes the next wider one.

    Examples
    --------
    >>> default_dtype(np.zeros(3)), default_dtype(np.array([True])), default_dtype(np.arange(3))
    (dtype('float32'), dtype('uint8'), dtype('int32'))
    """
    dtype = voxels.dtype.newbyteorder("=")
    is_mgh = ending in MGH_ENDINGS
    if dtype.kind == "b":
        return np.dtype(np.uint8)
    if dtype.kind == "f":
        return np.dtype(np.float32)
    if is_mgh and dtype == np.int8:
        return np.dtype(np.int16)
    if dtype.kind in "iu" and (dtype.itemsize == 8 or (is_mgh and dtype == np.uint32)):
        return np.dtype(np.int32) if _fits(voxels, np.iinfo(np.int32)) else dtype
    return dtype


def _require_path(path: str | PathLike[str]) -> tuple[Path, str]:
    """Return where to write, and the ending that says in which format."""
    try:
        wanted = Path(fsdecode(path)).expanduser()
    except (TypeError, RuntimeError) as error:
        raise ImageFileError(
            f"Cannot save an image to {path!r}: {error}.", hint="Pass the name of a file."
        ) from error
    for ending in ENDINGS:
        if wanted.name.lower().endswith(ending):
            return wanted, ending
    raise ImageFileError(
        f"Cannot save an image as {wanted.name}: expected a name that ends in "
        f"{', '.join(ENDINGS)}.",
        hint="Formats of two files are written with nibabel.save().",
    )


def _fits(voxels: NDArray[Any], limits: np.iinfo) -> bool:
    return bool(limits.min <= voxels.min() and voxels.max() <= limits.max)


def _fitted(voxels: NDArray[Any], stored: np.dtype[Any], path: Path) -> NDArray[Any]:
    """Return voxels that can be written as `stored`, or say why they cannot."""
    if stored.kind in "iu" and voxels.dtype.kind == "f":
        return _fitted_reals(voxels, stored, path)
    if stored.kind in "iu" and not _fits(voxels, limits := np.iinfo(stored)):
        raise ImageFileError(
            f"Cannot save {path.name} as {stored}: the values go from {voxels.min()} to "
            f"{voxels.max()}, {stored} from {limits.min} to {limits.max}.",
            hint="Choose a wider type, or leave it out.",
        )
    with np.errstate(over="ignore"):
        fitted = voxels.astype(stored, copy=False)
    if stored.kind == "f" and np.isinf(fitted).sum() > np.isinf(voxels).sum():
        raise ImageFileError(
            f"Cannot save {path.name} as {stored}: the largest value is "
            f"{np.abs(voxels[np.isfinite(voxels)]).max():g}.",
            hint="Pass dtype='float64'.",
        )
    return fitted


def _fitted_reals(voxels: NDArray[Any], stored: np.dtype[Any], path: Path) -> NDArray[Any]:
    """Return real numbers as integers where they are whole, else as they are, to be scaled."""
    finite = np.isfinite(voxels)
    if not finite.all():
        raise ImageFileError(
            f"Cannot save {path.name} as {stored}: {np.count_nonzero(~finite)} voxels are NaN or "
            "infinite, which integers cannot say.",
            hint="Keep the default, float32.",
        )
    # Left to itself, nibabel would scale whole numbers, too, and labels would not survive.
    is_whole = _fits(voxels, np.iinfo(stored)) and np.array_equal(voxels, np.rint(voxels))
    return voxels.astype(stored) if is_whole else voxels


def _make_file_image(
    image: SpatialImage, voxels: NDArray[Any], stored: np.dtype[Any], ending: str
) -> SpatialImage:
    """Return an image of the format that a file's ending asks for."""
    ready: SpatialImage
    if ending in MGH_ENDINGS:
        if voxels.ndim > 3 and math.prod(voxels.shape[3:]) == 1:
            voxels = voxels.reshape(voxels.shape[:3])  # the format knows no run of one volume
        ready = nib.MGHImage(voxels, image.affine, image.header)
    elif max(voxels.shape) > LONGEST_NIFTI1_AXIS or isinstance(image.header, nib.Nifti2Header):
        ready = nib.Nifti2Image(voxels, image.affine, image.header, dtype=stored)
    else:
        ready = nib.Nifti1Image(voxels, image.affine, image.header, dtype=stored)
    ready.set_data_dtype(stored)
    if type(ready.header) is not type(image.header):
        _keep_meaning(image, ready)
    return ready


def _keep_meaning(image: SpatialImage, ready: SpatialImage) -> None:
    """Give a header of another format the time step, and say that its affine is to be believed."""
    time = stored_time(image.header)
    if len(ready.shape) > 3 and time is not None:
        write_time(ready.header, *time)
    if isinstance(ready, nib.Nifti1Pair) and not isinstance(image.header, nib.Nifti1Header):
        ready.set_sform(image.affine, ALIGNED)
        ready.set_qform(image.affine, ALIGNED)


def _replace_file(image: SpatialImage, path: Path) -> None:
    """Write beside the file and move into place what is whole."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".saving-") as folder:
        written = Path(folder) / path.name
        nib.save(image, written)
        if path.exists():
            shutil.copymode(path, written)
        written.replace(path)


def _warn_of_rounding(voxels: NDArray[Any], written: NDArray[Any], stored: np.dtype[Any]) -> None:
    """Warn when what was written says something else than what was in memory."""
    finite = np.isfinite(voxels)
    # float64 has not digits enough for the longest integers.
    exact = voxels[finite].astype(np.float64 if voxels.dtype.kind == "f" else np.longdouble)
    if exact.size == 0:
        return
    lost = float(np.abs(exact - written[finite]).max())
    spread, largest = float(exact.std()), float(np.abs(exact).max())
    is_whole = lost > 0 and bool((exact == np.rint(exact)).all())
    allowed = QUANTISATION_TOLERANCE * spread
    if spread <= CONSTANT * largest:
        allowed = CONSTANT_TOLERANCE * largest
    if lost > allowed or is_whole:
        advice = "dtype='float64' keeps more digits."
        if stored.kind in "iu":
            advice = "Without dtype, save_image() writes float32."
        warnings.warn(
            f"Rounding to {stored} changes a voxel by up to {lost:.3g}; the image's standard "
            f"deviation is {spread:.3g}"
            + (", and it holds whole numbers, as labels are" if is_whole else "")
            + f". {advice}",
            QuantisationWarning,
            stacklevel=3,
        )
