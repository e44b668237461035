"""Clusters: the connected regions of maps, and where they lie."""

import warnings
from collections.abc import Iterator
from numbers import Real
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from nilearn.regions import connected_regions
from numpy.typing import NDArray

from neuroprimer.imaging.analysis.statistics import require_finite
from neuroprimer.imaging.braindata import BrainData, make_like
from neuroprimer.imaging.engine.options import require_option
from neuroprimer.imaging.space.affines import voxel_to_world
from neuroprimer.imaging.tables.masks import require_mask
from neuroprimer.imaging.tables.moments import StatisticError

ExtractType = Literal["connected_components", "local_regions"]


def regions(
    data: BrainData,
    *,
    min_region_mm3: float = 1350.0,
    extract_type: ExtractType = "connected_components",
    smoothing_fwhm_mm: float = 6.0,
) -> BrainData:
    """Take maps apart into connected regions, one image for each.

    Parameters
    ----------
    data : BrainData
        Maps, as a rule after `threshold`: only voxels that are not 0 belong to regions.
    min_region_mm3 : float
        Regions up to this volume, in cubic mm, are left out.
    extract_type : {"connected_components", "local_regions"}
        Voxels that touch by a face belong to one region. "local_regions" goes by the peaks of the
        smoothed map: a region with several of them is cut up between them.
    smoothing_fwhm_mm : float
        For "local_regions": by how much the map is smoothed to look for peaks; the regions keep
        the numbers they had.

    Returns
    -------
    found : BrainData
        One image for each region, 0 elsewhere. X tells of each: "image", the map it comes from
        (counted from 0); "peak", the number furthest from 0, and "peak_x_mm", "peak_y_mm",
        "peak_z_mm", where it lies in the world; "volume_mm3".

    Raises
    ------
    StatisticError
        If there is no region of that size, or an option is none.
    NotANumberError
        If numbers are NaN or infinite.
    BrainDataError
        If `data` is no BrainData.

    Notes
    -----
    The work is done by `nilearn.regions.connected_regions`, on the positive and on the negative
    part of each map, in this order: by itself it takes neighbours of opposite sign for one region
    ("connected_components") and finds no negative peaks ("local_regions"). For "local_regions" a
    peak is what no voxel within 10 voxels along each axis exceeds: a region of its own that lies
    closer to a higher peak is left out.

    nltools 0.5.1 does the same with neither part treated by itself, has "local_regions" as its
    default, and returns no table.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_maps
    >>> from neuroprimer.imaging.analysis.statistics import threshold
    >>> mean = BrainData(make_maps(8, effect=4)).mean()
    >>> spots = mean.pipe(threshold, upper=2).pipe(regions)
    >>> spots.X
       image      peak  peak_x_mm  peak_y_mm  peak_z_mm  volume_mm3
    0      0  4.367554       28.0       28.0       20.0      8704.0
    """
    require_option("extract_type", extract_type, get_args(ExtractType), error=StatisticError)
    require_finite(data, "look for regions")
    for name, number in (
        ("min_region_mm3", min_region_mm3),
        ("smoothing_fwhm_mm", smoothing_fwhm_mm),
    ):
        _require_size(name, number)
    rows: list[NDArray[Any]] = []
    sources: list[int] = []
    for source, part, sign in _signed_parts(data):
        with warnings.catch_warnings():
            # that there is no region, or no peak, is told below
            warnings.simplefilter("ignore", UserWarning)
            found, _ = connected_regions(
                part.to_image(), min_region_mm3, extract_type, smoothing_fwhm_mm
            )
        if found is not None:
            rows.extend(sign * BrainData(found, data.mask).data)
            sources.extend([source] * found.shape[3])
    if not rows:
        raise StatisticError(
            f"There is no region larger than {min_region_mm3:g} cubic mm; "
            f"{np.count_nonzero(data.data)} of {data.data.size} numbers are not 0.",
            hint="Lower min_region_mm3, or the threshold before.",
        )
    table = pd.DataFrame([_describe(row, data) for row in rows])
    table.insert(0, "image", sources)
    return make_like(data, np.stack(rows), X=table, Y=None, tr_s=None)


def _signed_parts(data: BrainData) -> Iterator[tuple[int, BrainData, int]]:
    """Yield the positive and the negative part of each map, if there is any, as positive maps."""
    for number, image in enumerate(data):
        for sign in (1, -1):
            part = np.maximum(sign * image.data, 0)
            if part.any():
                yield number, make_like(image, part), sign


def _describe(row: NDArray[Any], data: BrainData) -> dict[str, float]:
    """Return where the peak of a region lies and how large it is."""
    peak = int(np.argmax(np.abs(row)))
    ijk = np.argwhere(require_mask(data.mask).inside)[peak]
    xyz_mm = voxel_to_world(data.grid.affine, ijk)
    voxel_mm3 = abs(np.linalg.det(data.grid.affine[:3, :3]))
    return {
        "peak": float(row[peak]),
        **{f"peak_{axis}_mm": float(place) for axis, place in zip("xyz", xyz_mm, strict=True)},
        "volume_mm3": float(np.count_nonzero(row) * voxel_mm3),
    }


def _require_size(name: str, number: Any) -> None:
    if not isinstance(number, Real) or not 0 <= float(number) < np.inf:
        raise StatisticError(
            f"{name}={number!r} is no size: expected a number, 0 or more.",
            hint="Sizes are in mm, volumes in cubic mm.",
        )
