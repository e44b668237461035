"""Aggregation: one image or one signal from many images, however many there are.

Images are read once, some voxels at a time, so that the memory needed does not grow with their
number. Numbers are taken in the type they have and added up in float64.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Unpack, cast

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from neuroprimer.imaging.engine.finite import OMIT_HINT, NotANumberError
from neuroprimer.imaging.tables.medians import find_medians
from neuroprimer.imaging.tables.moments import ColumnMoments, StatisticError, require_statistic
from neuroprimer.imaging.tables.readings import HowToRead, Reading
from neuroprimer.imaging.tables.sources import Images


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageSummary:
    """What was asked about images, from one pass over them.

    Parameters
    ----------
    n_images : int
        How many there were.
    mean_image, std_image, sum_image, min_image, max_image : nibabel.Nifti1Image or None
        Over images, at each voxel, in float64; None for what was not asked.
    mean_signal : (n_images,) array or None
        Over voxels, for each image.

    Examples
    --------
    >>> from neuroprimer.imaging import make_run
    >>> summary = summarise_images(make_run(4), ["mean_image"])
    >>> summary.n_images, summary.std_image is None
    (4, True)
    """

    n_images: int
    mean_image: nib.Nifti1Image | None = None
    std_image: nib.Nifti1Image | None = None
    sum_image: nib.Nifti1Image | None = None
    min_image: nib.Nifti1Image | None = None
    max_image: nib.Nifti1Image | None = None
    mean_signal: NDArray[np.float64] | None = None


SUMMARIES = ("mean_image", "std_image", "sum_image", "min_image", "max_image", "mean_signal")


def summarise_images(
    images: Images,
    wanted: Iterable[str] = ("mean_image", "std_image", "mean_signal"),
    *,
    ddof: int = 0,
    **options: Unpack[HowToRead],
) -> ImageSummary:
    """Compute several statistics of images in one pass over them.

    Parameters
    ----------
    images : path, image, array, BrainData, or iterable of paths or images
        A run, or many images on one grid. Iterators are drawn from once. Arrays, also of dask,
        have the axes (x, y, z, image) and need `affine`.
    wanted : iterable of str
        Any of "mean_image", "std_image", "sum_image", "min_image", "max_image", "mean_signal".
    ddof : int
        The divisor of the standard deviation is the number of images minus `ddof`: 0 describes
        these images, 1 estimates the spread of what they were drawn from.
    **options
        As in `HowToRead`: nan, progress, n_workers, affine.

    Returns
    -------
    summary : ImageSummary
        Images in float64 on the grid of the input; zero outside the mask of BrainData.

    Raises
    ------
    NotANumberError
        If voxels are NaN or infinite and `nan` is "raise".
    GridMismatchError
        If images lie on different grids.
    NoImagesError
        If there is no image.
    StatisticError
        If there are not more images than `ddof`, or one asks for something else.

    Notes
    -----
    Spreads are sums of squared distances from the mean, merged block by block, so that a small
    spread about a large mean keeps its digits; see `ColumnMoments`.

    Examples
    --------
    >>> run = nib.Nifti1Image(np.arange(16, dtype=np.int16).reshape(2, 2, 2, 2), np.eye(4))
    >>> summarise_images(run).mean_signal.tolist()
    [7.0, 8.0]
    """
    wanted = frozenset([wanted] if isinstance(wanted, str) else wanted)
    unknown = sorted(wanted.difference(SUMMARIES))
    if unknown or not wanted:
        raise StatisticError(
            f"Cannot compute {', '.join(unknown) or 'nothing'}; expected some of "
            f"{', '.join(SUMMARIES)}.",
            hint="Each has a function of its own, too, as mean_image().",
        )
    reading = Reading.begin(images, options)
    statistics = [
        "row" if name == "mean_signal" else name.removesuffix("_image") for name in wanted
    ]
    moments, row_sums, row_counts = reading.gather(statistics)
    signal = row_sums / np.where(row_counts, row_counts, np.nan)
    if "std_image" in wanted:
        require_statistic("std", len(row_sums), ddof)
    if reading.nan == "raise":
        _require_finite(moments, signal if "mean_signal" in wanted else None)

    def image_of(statistic: str, **named: int) -> nib.Nifti1Image | None:
        if f"{statistic}_image" not in wanted:
            return None
        return reading.source.to_image(getattr(moments, statistic)(**named))

    return ImageSummary(
        n_images=len(row_sums),
        mean_image=image_of("mean"),
        std_image=image_of("std", ddof=ddof),
        sum_image=image_of("sum"),
        min_image=image_of("min"),
        max_image=image_of("max"),
        mean_signal=signal if "mean_signal" in wanted else None,
    )


def _require_finite(moments: ColumnMoments, signal: NDArray[np.float64] | None) -> None:
    n_voxels = int(np.count_nonzero(~np.isfinite(moments.sum())))
    if n_voxels == 0:
        return
    images = (
        "at least one image"
        if signal is None
        else f"{np.count_nonzero(~np.isfinite(signal))} of {len(signal)} images"
    )
    raise NotANumberError(
        f"{n_voxels} of {len(moments.counts)} voxels are NaN or infinite in {images}.",
        hint=OMIT_HINT,
    )


def mean_image(images: Images, **options: Unpack[HowToRead]) -> nib.Nifti1Image:
    """Return the mean at each voxel, over all images.

    Parameters
    ----------
    images : path, image, array, BrainData, or iterable of paths or images
        As in `summarise_images`.
    **options
        As in `HowToRead`: nan, progress, n_workers, affine.

    Returns
    -------
    image : nibabel.Nifti1Image
        3-D, in float64.

    Raises
    ------
    NotANumberError, GridMismatchError, NoImagesError
        As `summarise_images` does.

    Examples
    --------
    >>> run = nib.Nifti1Image(np.arange(16, dtype=np.int16).reshape(2, 2, 2, 2), np.eye(4))
    >>> float(mean_image(run).dataobj[0, 0, 1])
    2.5
    """
    return cast("nib.Nifti1Image", summarise_images(images, ["mean_image"], **options).mean_image)


def sum_image(images: Images, **options: Unpack[HowToRead]) -> nib.Nifti1Image:
    """Return the sum at each voxel, over all images.

    Parameters
    ----------
    images : path, image, array, BrainData, or iterable of paths or images
        As in `summarise_images`.
    **options
        As in `HowToRead`: nan, progress, n_workers, affine.

    Returns
    -------
    image : nibabel.Nifti1Image
        3-D, in float64.

    Raises
    ------
    NotANumberError, GridMismatchError, NoImagesError
        As `summarise_images` does.

    Examples
    --------
    >>> run = nib.Nifti1Image(np.arange(16, dtype=np.int16).reshape(2, 2, 2, 2), np.eye(4))
    >>> float(sum_image(run).dataobj[0, 0, 1])
    5.0
    """
    return cast("nib.Nifti1Image", summarise_images(images, ["sum_image"], **options).sum_image)


def min_image(images: Images, **options: Unpack[HowToRead]) -> nib.Nifti1Image:
    """Return the lowest number at each voxel, over all images.

    Parameters
    ----------
    images : path, image, array, BrainData, or iterable of paths or images
        As in `summarise_images`.
    **options
        As in `HowToRead`: nan, progress, n_workers, affine.

    Returns
    -------
    image : nibabel.Nifti1Image
        3-D, in float64.

    Raises
    ------
    NotANumberError, GridMismatchError, NoImagesError
        As `summarise_images` does.

    Examples
    --------
    >>> run = nib.Nifti1Image(np.arange(16, dtype=np.int16).reshape(2, 2, 2, 2), np.eye(4))
    >>> float(min_image(run).dataobj[0, 0, 1])
    2.0
    """
    return cast("nib.Nifti1Image", summarise_images(images, ["min_image"], **options).min_image)


def max_image(images: Images, **options: Unpack[HowToRead]) -> nib.Nifti1Image:
    """Return the highest number at each voxel, over all images.

    Parameters
    ----------
    images : path, image, array, BrainData, or iterable of paths or images
        As in `summarise_images`.
    **options
        As in `HowToRead`: nan, progress, n_workers, affine.

    Returns
    -------
    image : nibabel.Nifti1Image
        3-D, in float64.

    Raises
    ------
    NotANumberError, GridMismatchError, NoImagesError
        As `summarise_images` does.

    Examples
    --------
    >>> run = nib.Nifti1Image(np.arange(16, dtype=np.int16).reshape(2, 2, 2, 2), np.eye(4))
    >>> float(max_image(run).dataobj[0, 0, 1])
    3.0
    """
    return cast("nib.Nifti1Image", summarise_images(images, ["max_image"], **options).max_image)


def std_image(images: Images, *, ddof: int = 0, **options: Unpack[HowToRead]) -> nib.Nifti1Image:
    """Return the standard deviation at each voxel, over all images.

    Parameters
    ----------
    images : path, image, array, BrainData, or iterable of paths or images
        As in `summarise_images`.
    ddof : int
        The divisor is the number of images minus `ddof`.
    **options
        As in `HowToRead`: nan, progress, n_workers, affine.

    Returns
    -------
    image : nibabel.Nifti1Image
        3-D, in float64.

    Raises
    ------
    NotANumberError, GridMismatchError, NoImagesError, StatisticError
        As `summarise_images` does.

    Examples
    --------
    >>> run = nib.Nifti1Image(np.arange(16, dtype=np.int16).reshape(2, 2, 2, 2), np.eye(4))
    >>> float(std_image(run).dataobj[0, 0, 1])
    0.5
    """
    found = summarise_images(images, ["std_image"], ddof=ddof, **options)
    return cast("nib.Nifti1Image", found.std_image)


def tsnr_image(images: Images, *, ddof: int = 0, **options: Unpack[HowToRead]) -> nib.Nifti1Image:
    """Return the temporal signal-to-noise ratio of a run: mean over standard deviation.

    Parameters
    ----------
    images : path, image, array, BrainData, or iterable of paths or images
        As in `summarise_images`. Drift counts as noise unless it was taken out before.
    ddof : int
        The divisor of the standard deviation is the number of images minus `ddof`.
    **options
        As in `HowToRead`: nan, progress, n_workers, affine.

    Returns
    -------
    image : nibabel.Nifti1Image
        3-D, in float64; zero where the signal does not vary at all, as in padding, and NaN where
        there was no number at all.

    Raises
    ------
    NotANumberError, GridMismatchError, NoImagesError, StatisticError
        As `summarise_images` does.

    Notes
    -----
    Defined, among others, in [1]_.

    References
    ----------
    .. [1] C. Triantafyllou et al., Comparison of physiological noise at 1.5 T, 3 T and 7 T and
       optimization of fMRI acquisition parameters, NeuroImage 26 (2005) 243.

    Examples
    --------
    >>> run = nib.Nifti1Image(np.arange(16, dtype=np.int16).reshape(2, 2, 2, 2), np.eye(4))
    >>> float(tsnr_image(run).dataobj[0, 0, 1])
    5.0
    """
    found = summarise_images(images, ["mean_image", "std_image"], ddof=ddof, **options)
    mean, std = (np.asarray(image.dataobj) for image in (found.mean_image, found.std_image))  # type: ignore[union-attr] # both were asked for
    ratio = np.divide(mean, std, out=np.zeros_like(mean), where=std != 0)
    return nib.Nifti1Image(ratio, cast("nib.Nifti1Image", found.mean_image).affine)


def median_image(images: Images, **options: Unpack[HowToRead]) -> nib.Nifti1Image:
    """Return the median at each voxel, over all images.

    A median needs all images of a voxel at once. Where a source gives only whole images, as a
    compressed file does, these are laid down in a temporary file first.

    Parameters
    ----------
    images : path, image, array, BrainData, or iterable of paths or images
        As in `summarise_images`.
    **options
        As in `HowToRead`: nan, progress, n_workers, affine.

    Returns
    -------
    image : nibabel.Nifti1Image
        3-D, in float64.

    Raises
    ------
    NotANumberError, GridMismatchError, NoImagesError
        As `summarise_images` does.

    Examples
    --------
    >>> run = nib.Nifti1Image(np.arange(16, dtype=np.int16).reshape(2, 2, 2, 2), np.eye(4))
    >>> float(median_image(run).dataobj[0, 0, 1])
    2.5
    """
    reading = Reading.begin(images, options)
    medians, n_bad = find_medians(reading)
    if n_bad and reading.nan == "raise":
        raise NotANumberError(
            f"{n_bad} of {len(medians)} voxels are NaN or infinite in at least one image.",
            hint=OMIT_HINT,
        )
    return reading.source.to_image(medians)
