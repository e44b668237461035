"""Finite numbers: what to do about voxels that are NaN or infinite, or no real numbers at all."""

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import DTypeLike, NDArray

from neuroprimer.errors import NeuroprimerError

NanPolicy = Literal["raise", "omit", "zero"]

# What to do next where each number that is none can be left out by itself.
OMIT_HINT = "Pass nan='omit' to leave each out where it stands, or nan='zero' to take zero for it."


class NotANumberError(NeuroprimerError, ValueError):
    """Voxels that are NaN, infinite, complex or colours where real numbers are needed.

    Examples
    --------
    >>> import nibabel as nib
    >>> from neuroprimer.imaging import mean_image
    >>> image = nib.Nifti1Image(np.array([[[1, np.nan, np.inf]]]), np.eye(4))
    >>> mean_image(image)
    Traceback (most recent call last):
    ...
    neuroprimer.imaging.engine.finite.NotANumberError: 2 of 3 voxels are NaN or
    infinite in at least one image. Pass nan='omit' to leave each out where it
    stands, or nan='zero' to take zero for it.
    """


def require_nan_policy(nan: str) -> None:
    """Raise unless a word says what to do about numbers that are none.

    Parameters
    ----------
    nan : str
        The word.

    Raises
    ------
    NotANumberError
        If it is none of "raise", "omit" and "zero".

    Examples
    --------
    >>> require_nan_policy("omit")
    """
    if nan not in get_args(NanPolicy):
        raise NotANumberError(
            f"nan={nan!r} does not say what to do about NaN; expected one of "
            f"{', '.join(map(repr, get_args(NanPolicy)))}.",
            hint="'raise' refuses such voxels, 'omit' leaves them out, 'zero' takes zero for them.",
        )


def require_real(dtype: DTypeLike) -> None:
    """Raise unless a type is one of real numbers.

    Parameters
    ----------
    dtype : numpy dtype
        The type of one voxel.

    Raises
    ------
    NotANumberError
        If it is complex, as the images of some scanners are, or holds colours or text.

    Examples
    --------
    >>> require_real(np.int16)
    """
    if np.dtype(dtype).kind not in "biuf":
        raise NotANumberError(
            f"Voxels of the type {np.dtype(dtype)} are no real numbers.",
            hint="Of complex numbers take numpy.abs(), of colours one channel, and make an image "
            "of that with nibabel.Nifti1Image(numbers, image.affine).",
        )


def fill_masked(array: Any) -> Any:
    """Return an array with NaN where numpy was told to look away.

    Parameters
    ----------
    array : array
        Of numpy, masked or not, or of another kind.

    Returns
    -------
    filled : array
        A copy of a `numpy.ma.MaskedArray`, and anything else as it is.

    Examples
    --------
    >>> fill_masked(np.ma.masked_equal([1, 2, 3], 2))
    array([ 1., nan,  3.])
    """
    if not isinstance(array, np.ma.MaskedArray):
        return array
    require_real(array.dtype)
    return np.ma.filled(array.astype(np.promote_types(array.dtype, np.float32)), np.nan)


def settle_nan(
    values: NDArray[Any], nan: NanPolicy
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Deal with numbers that are NaN or infinite, as it was asked for.

    Parameters
    ----------
    values : (n_images, n_voxels) array
        Rows of voxels.
    nan : {"raise", "omit", "zero"}
        Refuse them, leave out the voxels that have one in any row, or put zero.

    Returns
    -------
    values : (n_images, n_left) array
        Finite numbers only: `values` itself if all are finite, else a new array.
    left : (n_voxels,) array of bool or None
        Which voxels are left; None when it is all of them.

    Raises
    ------
    NotANumberError
        With the count, if `nan` is "raise" and there are any, or if it is "omit" and every voxel
        has one.

    Examples
    --------
    >>> values, left = settle_nan(np.array([[1.0, np.nan], [2.0, 3.0]]), "omit")
    >>> values.tolist(), left.tolist()
    ([[1.0], [2.0]], [True, False])
    """
    require_nan_policy(nan)
    # A sum is finite when all terms are, and costs no array of truth values.
    with np.errstate(invalid="ignore", over="ignore"):
        if np.isfinite(values.sum(dtype=np.float64)):
            return values, None
    finite = np.isfinite(values)
    if nan == "zero":
        return np.where(finite, values, np.zeros((), values.dtype)), None
    left = finite.all(axis=0)
    if left.all():  # finite numbers too large for their sum
        return values, None
    if nan == "raise":
        raise NotANumberError(
            f"{np.count_nonzero(~finite)} of {finite.size} numbers within the mask are NaN or "
            f"infinite, in {np.count_nonzero(~left)} voxels and "
            f"{np.count_nonzero(~finite.all(axis=1))} of {len(finite)} images.",
            hint="Pass nan='omit' to leave these voxels out, or nan='zero' to take zero for them.",
        )
    if not left.any():
        raise NotANumberError(
            f"No voxel is left: each of {left.size} is NaN or infinite in at least one of "
            f"{len(finite)} images.",
            hint="Is one of the images empty? Leave it out, or pass nan='zero' to take zero for "
            "these voxels.",
        )
    return values[:, left], left
