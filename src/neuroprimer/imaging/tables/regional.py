"""Regional signals: one number for each image and each part of the brain."""

from dataclasses import dataclass
from typing import Any, Unpack, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from neuroprimer.errors import NeuroprimerError
from neuroprimer.imaging.engine.finite import OMIT_HINT, NanPolicy, NotANumberError, require_real
from neuroprimer.imaging.files.images import ImageSource, load_image
from neuroprimer.imaging.files.voxels import load_voxels
from neuroprimer.imaging.space.grids import Grid, require_same_grid
from neuroprimer.imaging.tables.aggregation import summarise_images
from neuroprimer.imaging.tables.blocks import Source
from neuroprimer.imaging.tables.masks import Mask, MaskError, require_mask
from neuroprimer.imaging.tables.readings import HowToRead, Reading
from neuroprimer.imaging.tables.sources import Images


class RegionError(NeuroprimerError, ValueError):
    """Labels that do not name regions.

    Examples
    --------
    >>> import nibabel as nib
    >>> image = nib.Nifti1Image(np.array([[[4.0, 6.0, 5.0]]]), np.eye(4))
    >>> labels = nib.Nifti1Image(np.array([[[1.0, 1.5, 1.8]]]), np.eye(4))
    >>> region_signals(image, labels)
    Traceback (most recent call last):
    ...
    neuroprimer.imaging.tables.regional.RegionError: Labels are whole numbers,
    but 2 voxels hold something else. Were they interpolated? Labels are
    resampled with interpolation='nearest'.
    """


def mean_signal(
    images: Images, mask: ImageSource | Mask | None = None, **options: Unpack[HowToRead]
) -> NDArray[np.float64]:
    """Return the mean over voxels, for each image.

    Parameters
    ----------
    images : path, image, array, BrainData, or iterable of paths or images
        As in `summarise_images`.
    mask : path, image or Mask, optional
        Zeros and ones on the same grid. Default: all voxels, those in the air around the head as
        well. Of BrainData, only voxels in its own mask can be looked at.
    **options
        As in `HowToRead`: nan, progress, n_workers, affine.

    Returns
    -------
    signal : (n_images,) array
        In float64.

    Raises
    ------
    NotANumberError, GridMismatchError, NoImagesError, MaskError
        As `summarise_images` and `require_mask` do.

    Examples
    --------
    >>> import nibabel as nib
    >>> run = nib.Nifti1Image(np.arange(16, dtype=np.int16).reshape(2, 2, 2, 2), np.eye(4))
    >>> mean_signal(run).tolist()
    [7.0, 8.0]
    """
    if mask is None:
        found = summarise_images(images, ["mean_signal"], **options)
        return cast("NDArray[np.float64]", found.mean_signal)
    inside = require_mask(mask)
    reading = Reading.begin(images, options)
    require_same_grid(
        inside.grid,
        reading.source.grid,
        what="Cannot apply the mask",
        hint="mask = resample_to(mask, image, interpolation='nearest') brings it to the grid of "
        "the images.",
    )
    if not reading.source.columns_of(inside.inside).any():
        raise MaskError(
            f"No voxel of the mask is looked at: {inside} lies outside the mask of the images.",
            hint="BrainData holds the voxels of its own mask and no others.",
        )
    return _read_means(reading, Regions.of(reading.source, inside.inside)).ravel()


def region_signals(
    images: Images, labels: ImageSource, **options: Unpack[HowToRead]
) -> pd.DataFrame:
    """Return the mean over the voxels of each region, for each image.

    Parameters
    ----------
    images : path, image, array, BrainData, or iterable of paths or images
        As in `summarise_images`.
    labels : path or image
        Whole numbers on the same grid, one for each region; 0 is no region.
    **options
        As in `HowToRead`: nan, progress, n_workers, affine.

    Returns
    -------
    signals : pandas.DataFrame
        A row for each image, a column for each label.

    Raises
    ------
    NotANumberError
        If voxels in a region are NaN or infinite and `nan` is "raise".
    RegionError
        If labels are no whole numbers, or there is no region, or a region has no voxel in the
        mask of BrainData.
    GridMismatchError
        If images and labels lie on different grids.

    Examples
    --------
    >>> import nibabel as nib
    >>> run = nib.Nifti1Image(np.arange(16, dtype=np.int16).reshape(2, 2, 2, 2), np.eye(4))
    >>> halves = nib.Nifti1Image(np.repeat([3, 7], 4).reshape(2, 2, 2).astype("u1"), np.eye(4))
    >>> region_signals(run, halves)
         3     7
    0  3.0  11.0
    1  4.0  12.0
    """
    reading = Reading.begin(images, options)
    regions = Regions.on(reading.source, labels)
    return pd.DataFrame(_read_means(reading, regions), columns=regions.labels)


@dataclass(frozen=True, kw_only=True, eq=False)
class Regions:
    """The columns of a table, sorted by region.

    Parameters
    ----------
    labels : (n_regions,) array of int
        In ascending order.
    columns : (n_labelled,) array of int
        The columns that belong to a region, region by region.
    starts : (n_regions,) array of int
        Where in `columns` each region begins.
    """

    labels: NDArray[np.int64]
    columns: NDArray[np.intp]
    starts: NDArray[np.intp]

    @classmethod
    def on(cls, source: Source, labels: ImageSource) -> "Regions":
        """Sort the columns of a source by the labels of an image."""
        image = load_image(labels)
        require_same_grid(
            Grid.of(image),
            source.grid,
            what="Cannot use the labels",
            hint="labels = resample_to(labels, image, interpolation='nearest') brings them to the "
            "grid of the images.",
        )
        return cls.of(source, _require_labels(load_voxels(image)))

    @classmethod
    def of(cls, source: Source, volume: NDArray[Any]) -> "Regions":
        """Sort the columns of a source by a volume of whole numbers."""
        of_columns = source.columns_of(volume).astype(np.int64)
        columns = np.argsort(of_columns, kind="stable")
        columns = columns[of_columns[columns] != 0]
        found, starts = np.unique(of_columns[columns], return_index=True)
        missing = np.setdiff1d(volume[volume != 0], found)
        if missing.size or not found.size:
            raise RegionError(
                f"No voxel looked at has the label {', '.join(map(str, missing[:5]))}."
                if missing.size
                else "These labels are zero everywhere: there is no region.",
                hint="Regions outside the mask have no signal; set their labels to 0.",
            )
        return cls(labels=found, columns=columns, starts=starts)

    def means(self, block: NDArray[Any], nan: NanPolicy) -> NDArray[np.float64]:
        """Return the mean of each region for each row."""
        numbers = block[:, self.columns].astype(np.float64)
        n_numbers: Any = np.diff(self.starts, append=len(self.columns))
        if nan != "raise":
            finite = np.isfinite(numbers)
            numbers[~finite] = 0
            if nan == "omit":
                n_numbers = np.add.reduceat(finite, self.starts, axis=1, dtype=np.int64)
        with np.errstate(invalid="ignore"):
            sums = np.add.reduceat(numbers, self.starts, axis=1)
        return np.asarray(sums / np.where(n_numbers, n_numbers, np.nan))


def _read_means(reading: Reading, regions: Regions) -> NDArray[np.float64]:
    """Return the mean of each region for each image."""
    parts = []
    n_done = 0
    for block in reading.source.row_blocks(reading.n_workers):
        parts.append(regions.means(block, reading.nan))
        n_done += len(block)
        reading.tell(n_done)
    means = np.concatenate(parts)
    if reading.nan == "raise" and not np.isfinite(means).all():
        n_images = int(np.count_nonzero(~np.isfinite(means).all(axis=1)))
        raise NotANumberError(
            f"Voxels in regions are NaN or infinite in {n_images} of {len(means)} images.",
            hint=OMIT_HINT,
        )
    return means


def _require_labels(values: NDArray[Any]) -> NDArray[np.int64]:
    """Return a volume of whole numbers, or say why it is none."""
    if values.ndim < 3 or any(length != 1 for length in values.shape[3:]):
        raise RegionError(
            f"Labels have three axes, but this image has shape {values.shape}.",
            hint="A map of probabilities for each region becomes labels by numpy.argmax().",
        )
    require_real(values.dtype)
    volume = values.reshape(values.shape[:3])
    is_whole = np.isfinite(volume) & (volume == np.rint(volume))
    if not is_whole.all():
        raise RegionError(
            f"Labels are whole numbers, but {np.count_nonzero(~is_whole)} voxels hold something "
            "else.",
            hint="Were they interpolated? Labels are resampled with interpolation='nearest'.",
        )
    return volume.astype(np.int64)
