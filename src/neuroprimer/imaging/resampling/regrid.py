"""Regrid: an image through a pull, from its voxels to a new image with its header."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import nibabel as nib
import numpy as np
import psutil
from nibabel.spatialimages import SpatialImage
from numpy.typing import NDArray

from neuroprimer.errors import NeuroprimerError
from neuroprimer.imaging.files.headers import derive_image, storable_dtype
from neuroprimer.imaging.files.voxels import fits_single, load_voxels, loaded_dtype
from neuroprimer.imaging.resampling.labels import is_declared_label, look_like_labels
from neuroprimer.imaging.resampling.pulls import Pull
from neuroprimer.imaging.resampling.sampling import Order, make_sampling, sample_run
from neuroprimer.imaging.space.grids import Grid

Interpolation = Literal["auto", "linear", "cubic", "nearest"]
NanPolicy = Literal["raise", "zero"]

# NIfTI-1 counts the voxels along an axis in 16 bits.
LONGEST_AXIS = 32767


class ResampleError(NeuroprimerError, ValueError):
    """An image that cannot be resampled as asked.

    Examples
    --------
    >>> from neuroprimer.imaging import make_head, make_labels, resample_to
    >>> labels, head = make_labels((10, 12, 10)), make_head((20, 24, 20))
    >>> resample_to(labels, head, interpolation="linear")
    Traceback (most recent call last):
    ...
    neuroprimer.imaging.resampling.regrid.ResampleError: Cannot resample labels
    with 'linear' interpolation: the image declares that its numbers are names,
    and between two names there is none. Leave interpolation out or pass
    'nearest'. If its numbers are quantities, say so with
    image.header.set_intent('none').
    """


@dataclass(frozen=True)
class Options:
    """What all ways of resampling have in common; checked before anything is read.

    Parameters
    ----------
    interpolation : {"auto", "linear", "cubic", "nearest"}
        How values between voxels are found.
    fill_value : float
        What stands where the picture does not reach.
    nan : {"raise", "zero"}
        What to do about NaN and infinity.
    n_workers : int, optional
        Number of threads. Default: as many as there are cores.

    Raises
    ------
    ResampleError
        If an option is none of these.

    Examples
    --------
    >>> Options().interpolation
    'auto'
    """

    interpolation: str = "auto"
    fill_value: float = 0.0
    nan: str = "raise"
    n_workers: int | None = None

    def __post_init__(self) -> None:
        require_option("interpolation", self.interpolation, Interpolation)
        require_option("nan", self.nan, NanPolicy)
        whole = isinstance(self.n_workers, int | np.integer) and self.n_workers >= 1
        if self.n_workers is not None and not whole:
            raise ResampleError(
                f"{self.n_workers!r} threads cannot work; expected a whole number of at least 1.",
                hint="Leave n_workers out to use every core.",
            )


def regrid(
    image: SpatialImage, pull: Pull, target: Grid, options: Options, *, code: int
) -> nib.Nifti1Image:
    """Fill a grid with the values of an image.

    Parameters
    ----------
    image : nibabel.spatialimages.SpatialImage
        3-D or 4-D.
    pull : Pull
        Where the voxels of `target` lie in the image.
    target : Grid
        Where the result has its voxels.
    options : Options
        How to do it.
    code : int
        What the coordinates of the result mean, a NIfTI code.

    Returns
    -------
    resampled : nibabel.Nifti1Image
        With all of the header that is still true.

    Raises
    ------
    NotANumberError
        If voxels are NaN or infinite, and are not to be zero.
    ResampleError
        If voxels are no real numbers, labels are to be interpolated, the fill value is none of
        the result's type, or the result would not fit into memory.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_head
    >>> head, grid = make_head(), Grid(shape=(3, 4, 5), affine=np.eye(4))
    >>> regrid(head, Pull.between(Grid.of(head), grid), grid, Options(), code=2).shape
    (3, 4, 5)
    """
    _require_real(image)
    voxels = load_voxels(image)
    interpolation = _choose_interpolation(image, voxels, options.interpolation)
    dtype = _resampled_dtype(voxels.dtype, interpolation)
    _require_value(options.fill_value, dtype)
    n_volumes = math.prod(image.shape[3:])
    _require_room(target.shape, n_volumes, dtype)
    # A volume that numpy has made keeps its order in memory; NIfTI files have the other one.
    order: Order = "C" if voxels.ndim == 3 and voxels.flags.c_contiguous else "F"
    sampling = make_sampling(
        pull,
        interpolation=interpolation,
        fill_value=options.fill_value,
        order=order,
        n_volumes=n_volumes,
    )
    run = voxels if voxels.ndim == 4 else voxels[..., np.newaxis]
    out = np.empty((*target.shape, n_volumes), dtype, order=order)
    sample_run(run, sampling, out, nan=options.nan, n_workers=options.n_workers)
    resampled = derive_image(
        image, out if voxels.ndim == 4 else out[..., 0], target.affine, code=code
    )
    # The slices of the scanner are no longer those of the image.
    resampled.header.set_dim_info(None, None, None)
    for field in ("slice_code", "slice_start", "slice_end", "slice_duration"):
        resampled.header[field] = 0
    return resampled


def _choose_interpolation(image: SpatialImage, voxels: NDArray[Any], asked: str) -> str:
    """Return how to interpolate; refuse to interpolate what says that it holds labels."""
    declared = is_declared_label(image)
    if asked == "auto":
        whole = loaded_dtype(image.dataobj).kind in "iu"
        return "nearest" if declared or (whole and look_like_labels(voxels)) else "linear"
    if declared and asked != "nearest":
        raise ResampleError(
            f"Cannot resample labels with {asked!r} interpolation: the image declares that its "
            "numbers are names, and between two names there is none.",
            hint="Leave interpolation out or pass 'nearest'. If its numbers are quantities, say so "
            "with image.header.set_intent('none').",
        )
    return asked


def _resampled_dtype(dtype: np.dtype[Any], interpolation: str) -> np.dtype[Any]:
    if interpolation == "nearest":
        return storable_dtype(dtype)
    return np.dtype(np.float32 if fits_single(dtype) else np.float64)


def _require_real(image: SpatialImage) -> None:
    dtype = loaded_dtype(image.dataobj)
    if dtype.kind not in "biuf":
        raise ResampleError(
            f"Voxels of type {dtype} cannot be resampled; expected real numbers.",
            hint="Resample one part at a time: the real and the imaginary one, or each colour.",
        )


def _require_value(fill_value: Any, dtype: np.dtype[Any]) -> None:
    """Raise unless voxels of a type can hold what is to stand outside of the picture."""
    fits = isinstance(fill_value, int | float | np.integer | np.floating)
    if fits and dtype.kind == "f":
        fits = not np.isfinite(fill_value) or abs(fill_value) <= float(np.finfo(dtype).max)
    elif fits:
        least, most = np.iinfo(dtype).min, np.iinfo(dtype).max
        fits = least <= fill_value <= most and fill_value == int(fill_value)
    if not fits:
        raise ResampleError(
            f"fill_value={fill_value!r} is no value of the result's voxels, which are {dtype}.",
            hint="Labels and masks keep their whole numbers: fill them with one, as 0.",
        )


def _require_room(shape: tuple[int, ...], n_volumes: int, dtype: np.dtype[Any]) -> None:
    """Raise if a result cannot be held in memory, before that is tried."""
    require_lengths([*shape, n_volumes])
    size, room = math.prod(shape) * n_volumes * dtype.itemsize, psutil.virtual_memory().total
    if size > room:
        raise _too_large(
            [*shape, n_volumes],
            f"They take {size / 1e9:.4g} GB as {dtype}, and this machine has {room / 1e9:.4g} GB.",
        )


def require_lengths(lengths: Iterable[float]) -> None:
    """Raise if NIfTI cannot count the voxels along an axis.

    Parameters
    ----------
    lengths : iterable of float
        Of the result.

    Raises
    ------
    ResampleError
        If one is too long, or no number.

    Examples
    --------
    >>> require_lengths([91, 109, 91])
    """
    if not all(length <= LONGEST_AXIS for length in lengths):
        raise _too_large(lengths, f"NIfTI-1 holds at most {LONGEST_AXIS} along an axis.")


def _too_large(lengths: Iterable[float], why: str) -> ResampleError:
    return ResampleError(
        f"The result would have {' x '.join(f'{length:.6g}' for length in lengths)} voxels. {why}",
        hint="Look whether the affine is in mm and the right way round; or name a smaller grid.",
    )


def require_option(name: str, option: object, options: Any) -> None:
    """Raise unless an option is one of those there are.

    Parameters
    ----------
    name : str
        The name of the parameter.
    option : object
        What was passed.
    options : Literal
        What there is.

    Raises
    ------
    ResampleError
        If it is none of them; the message lists them.

    Examples
    --------
    >>> require_option("nan", "zero", NanPolicy)
    """
    if option not in get_args(options):
        raise ResampleError(
            f"{name}={option!r} is unknown; expected one of "
            f"{', '.join(map(repr, get_args(options)))}."
        )
