"""Voxelwise: the same work for the time series of every voxel, and what it needs."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroprimer.errors import NeuroprimerError
from neuroprimer.imaging.braindata import BrainData
from neuroprimer.imaging.engine.finite import NotANumberError, settle_nan
from neuroprimer.imaging.engine.workers import map_in_order

# Time series are worked on in blocks of this size in float64, so that there is no whole copy.
BLOCK_BYTES = 1 << 22
NARROWEST_BLOCK = 64


class SignalError(NeuroprimerError, ValueError):
    """Something that these images, or these options, do not allow.

    Examples
    --------
    >>> from neuroprimer.imaging import detrend, make_maps
    >>> detrend(BrainData(make_maps(1)))
    Traceback (most recent call last):
    ...
    neuroprimer.imaging.analysis.voxelwise.SignalError: Cannot detrend 1 image:
    expected at least 2. Time series need a 4-D image, or a list of 3-D ones, in
    order.
    """


def map_voxels(
    data: BrainData,
    work: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    *,
    n_images: int | None = None,
) -> NDArray[Any]:
    """Apply a function to all time series, a block of voxels at a time, in float64.

    Parameters
    ----------
    data : BrainData
        The images.
    work : callable
        Called with (n_images, n) float64 arrays of its own; returns as many columns.
    n_images : int, optional
        How many rows it returns. Default: as many as there are images.

    Returns
    -------
    values : (n_images, n_voxels) array
        In the type of the images.

    Examples
    --------
    >>> from neuroprimer.imaging import make_maps
    >>> maps = BrainData(make_maps(3))
    >>> map_voxels(maps, lambda series: series[::-1]).shape == maps.shape
    True
    """
    n_old, n_voxels = data.shape
    n_new = n_old if n_images is None else n_images
    made = np.empty((n_new, n_voxels), data.data.dtype)
    width = max(BLOCK_BYTES // (8 * max(n_old, n_new, 1)), NARROWEST_BLOCK)

    def fill(start: int) -> None:
        columns = slice(start, start + width)
        made[:, columns] = work(data.data[:, columns].astype(np.float64))

    for _ in map_in_order(fill, range(0, n_voxels, width)):
        pass
    return made


def require_series(data: BrainData, deed: str, *, at_least: int = 1) -> None:
    """Raise unless there are images, enough of them, with finite numbers.

    Parameters
    ----------
    data : BrainData
        The images.
    deed : str
        What is to be done to them, for the message.
    at_least : int
        How many images it takes.

    Raises
    ------
    SignalError
        If they are no BrainData, or too few.
    NotANumberError
        If numbers are NaN or infinite.

    Examples
    --------
    >>> from neuroprimer.imaging import make_maps
    >>> require_series(BrainData(make_maps(3)), "smooth")
    """
    if not isinstance(data, BrainData):
        raise SignalError(
            f"Cannot {deed} a {type(data).__name__}: expected BrainData.",
            hint="BrainData(image) makes it, from images or paths.",
        )
    if len(data) < at_least:
        raise SignalError(
            f"Cannot {deed} {len(data)} image{'' if len(data) == 1 else 's'}: expected at least "
            f"{at_least}.",
            hint="Time series need a 4-D image, or a list of 3-D ones, in order.",
        )
    try:
        settle_nan(data.data, "raise")
    except NotANumberError as error:
        raise NotANumberError(
            f"Cannot {deed} the images: {error.message}",
            hint="BrainData(data, nan='omit') leaves these voxels out.",
        ) from error
