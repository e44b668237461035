"""Masking: images as rows of numbers within a mask, and back."""

from typing import Any

import nibabel as nib
import numpy as np
from nibabel.spatialimages import SpatialImage
from numpy.typing import ArrayLike, DTypeLike, NDArray

from neuroprimer.imaging.engine.finite import NanPolicy, require_real, settle_nan
from neuroprimer.imaging.files.images import ImageSource, as_4d, load_image
from neuroprimer.imaging.files.times import write_repetition_time
from neuroprimer.imaging.files.voxels import fits_single, load_voxels
from neuroprimer.imaging.space.grids import Grid, require_same_grid
from neuroprimer.imaging.tables.masks import Mask, MaskError, require_mask


def apply_mask(
    image: ImageSource,
    mask: ImageSource | Mask,
    *,
    threshold: float | None = None,
    nan: NanPolicy = "raise",
    dtype: DTypeLike | None = None,
) -> NDArray[Any]:
    """Return the numbers within a mask: one row for each volume.

    Parameters
    ----------
    image : str, path-like or image
        A 3-D image, or a 4-D one with one volume after another.
    mask : str, path-like, image or Mask
        On the same grid: zeros and ones, or any numbers with `threshold`.
    threshold : float, optional
        Voxels of the mask above it are looked at.
    nan : {"raise", "omit", "zero"}
        What to do about voxels in the mask that are NaN or infinite: refuse them, leave these
        voxels out of every row, or take zero for them.
    dtype : numpy dtype, optional
        Type of the result. Default: float32 for what it can hold exactly, else float64. Numbers
        are rounded towards zero where whole ones are asked for.

    Returns
    -------
    values : (n_images, n_voxels) array
        Always two axes, also for a single volume. Voxels stand in the order of
        ``volume[mask == 1]``.

    Raises
    ------
    GridMismatchError
        If image and mask lie on different grids; nothing is resampled.
    MaskError
        If the mask is none.
    NotANumberError
        If voxels in the mask are NaN or infinite and `nan` is "raise", or if voxels are no real
        numbers at all.

    See Also
    --------
    unmask : the way back.

    Examples
    --------
    >>> image = nib.Nifti1Image(np.arange(8.0).reshape(2, 2, 2), np.eye(4))
    >>> mask = nib.Nifti1Image((np.arange(8).reshape(2, 2, 2) > 5).astype(np.uint8), np.eye(4))
    >>> apply_mask(image, mask)
    array([[6., 7.]])
    """
    mask = require_mask(mask, threshold=threshold)
    image = load_image(image)
    require_on_grid(image, mask, "apply the mask")
    run = load_voxels(as_4d(image))
    values = np.empty((run.shape[3], mask.n_voxels), float_dtype(run.dtype))
    mask.take_volumes(run, out=values)
    # before a NaN can become some whole number
    values, _ = settle_nan(values, nan)
    return values if dtype is None else values.astype(dtype, copy=False)


def float_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """Return the narrowest type of real numbers that holds every value of a type exactly.

    Parameters
    ----------
    dtype : numpy dtype
        Any type of voxels.

    Returns
    -------
    dtype : numpy dtype
        float32 or float64. 64-bit integers beyond 2**53 are rounded.

    Raises
    ------
    NotANumberError
        If it is a type of complex numbers, of colours or of text.

    Examples
    --------
    >>> float_dtype(np.int16), float_dtype(np.int32)
    (dtype('float32'), dtype('float64'))
    """
    require_real(dtype)
    return np.dtype(np.float32 if fits_single(dtype) else np.float64)


def require_on_grid(image: SpatialImage, mask: Mask, deed: str) -> None:
    """Raise unless an image lies on the grid of a mask.

    Parameters
    ----------
    image : nibabel.spatialimages.SpatialImage
        An image with any number of volumes.
    mask : Mask
        The mask.
    deed : str
        What was to be done, for the message.

    Raises
    ------
    GridMismatchError
        It names both grids and the call that brings the mask onto the image's grid.

    Examples
    --------
    >>> mask = Mask(grid=Grid(shape=(1, 1, 2), affine=np.eye(4)), inside=np.ones((1, 1, 2)))
    >>> require_on_grid(nib.Nifti1Image(np.zeros((1, 1, 2)), np.eye(4)), mask, "apply the mask")
    """
    require_same_grid(
        Grid.of(image),
        mask.grid,
        what=f"Cannot {deed}",
        hint="mask = resample_to(mask, image, interpolation='nearest') brings the mask to the "
        "image; resample_to(image, mask) the image to the mask.",
    )


def unmask(
    values: ArrayLike,
    mask: ImageSource | Mask,
    *,
    threshold: float | None = None,
    fill: float = 0,
    tr_s: float | None = None,
) -> nib.Nifti1Image:
    """Put numbers back to where they belong in space.

    Parameters
    ----------
    values : (n_voxels,) or (n_images, n_voxels) array-like
        Numbers in the order of `apply_mask`.
    mask : str, path-like, image or Mask
        The mask that they came from.
    threshold : float, optional
        Voxels of the mask above it are looked at.
    fill : float
        The number for all voxels outside. Whole numbers become real ones where it is none.
    tr_s : float, optional
        Time between two images, for the header of a 4-D image.

    Returns
    -------
    image : nibabel.Nifti1Image
        3-D for one row of shape (n_voxels,), else 4-D with a volume for each row.

    Raises
    ------
    MaskError
        If the mask is none, or the number of voxels differs.
    NotANumberError
        If the numbers are none.

    Examples
    --------
    >>> mask = nib.Nifti1Image(np.ones((2, 2, 2), np.uint8), np.eye(4))
    >>> unmask(np.zeros((5, 8)), mask).shape
    (2, 2, 2, 5)
    """
    mask = require_mask(mask, threshold=threshold)
    numbers = np.asarray(values)
    if numbers.ndim not in (1, 2) or numbers.shape[-1] != mask.n_voxels:
        raise MaskError(
            f"The mask has {mask.n_voxels} voxels, but the numbers have shape {numbers.shape}.",
            hint="Expected (n_voxels,) for one image or (n_images, n_voxels) for several.",
        )
    dtype = _volume_dtype(numbers.dtype, fill)
    shape = (*mask.grid.shape, *numbers.shape[:-1])
    voxels = np.full(shape, fill, dtype=dtype, order="F")
    for index, row in enumerate(np.atleast_2d(numbers)):
        mask.put(row, voxels[..., index] if numbers.ndim == 2 else voxels)
    image = nib.Nifti1Image(voxels, mask.grid.affine, dtype=dtype)
    if tr_s is not None and numbers.ndim == 2:
        write_repetition_time(image.header, tr_s)
    return image


def _volume_dtype(dtype: np.dtype[Any], fill: float) -> np.dtype[Any]:
    """Return the type of an image that holds numbers of a type and those around them."""
    require_real(dtype)
    if dtype.kind == "f":
        return np.promote_types(dtype, np.float32)  # NIfTI knows no float16
    whole = np.promote_types(dtype, np.uint8) if dtype.kind == "b" else dtype
    limits = np.iinfo(whole)
    fits = limits.min <= fill <= limits.max and float(fill).is_integer()
    return whole if fits else np.promote_types(whole, np.float32)
