"""Bootstrapping: how far a statistic would vary if other images had been drawn."""

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from neuroprimer.imaging.analysis.inference import divide_by_error
from neuroprimer.imaging.analysis.statistics import require_finite
from neuroprimer.imaging.braindata import BrainData, make_like
from neuroprimer.imaging.engine.options import require_option
from neuroprimer.imaging.engine.workers import map_in_order
from neuroprimer.imaging.tables.moments import ColumnMoments, StatisticError

Named = Literal["mean", "std"]
Statistic = Named | Callable[[BrainData], BrainData]
Summary = tuple[NDArray[np.float64], ...]

# All samples of some columns stand in float64 at a time, for each thread.
BLOCK_BYTES = 1 << 24
NARROWEST_BLOCK = 16


@dataclass(frozen=True, kw_only=True, eq=False)
class Bootstrap:
    """What `bootstrap` found: at each voxel, how a statistic is spread over the samples.

    Parameters
    ----------
    mean, std : BrainData
        Mean and standard deviation over the samples; the latter is the standard error.
    z, p : BrainData
        Mean over standard error, and the two-sided p-value of a normal distribution.
    lower, upper : BrainData
        Between these percentiles lies the share `confidence` of the samples.
    confidence : float
        Between 0 and 1.
    n_samples : int
        How many samples were drawn.

    Examples
    --------
    >>> from neuroprimer.imaging import BrainData, bootstrap, make_maps
    >>> result = bootstrap(BrainData(make_maps(5)), n_samples=50)
    >>> result.n_samples, len(result.mean), bool((result.lower.data <= result.upper.data).all())
    (50, 1, True)
    """

    mean: BrainData
    std: BrainData
    z: BrainData
    p: BrainData
    lower: BrainData
    upper: BrainData
    confidence: float
    n_samples: int

    def __repr__(self) -> str:
        excluded = (self.lower.data > 0) | (self.upper.data < 0)
        return (
            f"Bootstrap of {self.n_samples} samples: standard error up to "
            f"{self.std.data.max():.3g}, z from {self.z.data.min():.3g} to "
            f"{self.z.data.max():.3g}\nThe interval of {100 * self.confidence:g} % excludes 0 in "
            f"{np.count_nonzero(excluded)} of {self.mean.shape[1]} voxels\n{self.mean.grid}"
        )


def bootstrap(
    data: BrainData,
    *,
    statistic: Statistic = "mean",
    n_samples: int = 5000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Bootstrap:
    """Draw images with replacement, over and over, and look how a statistic varies.

    Parameters
    ----------
    data : BrainData
        At least two images, independent of each other: not those of one run.
    statistic : {"mean", "std"} or callable
        The mean or standard deviation (ddof 0) over images, or a function that takes BrainData of
        as many images, in which some occur more than once, and returns one image. X and Y follow
        the images.
    n_samples : int
        How often to draw.
    confidence : float
        Which share of the samples lies between `lower` and `upper`, each side leaving out as many.
    seed : int
        Chooses the samples: the same seed draws the same images.

    Returns
    -------
    result : Bootstrap
        Where all samples agree, z is infinite with a p of 0, or, if they are 0, z is 0 and p is 1.

    Raises
    ------
    StatisticError
        If the statistic is unknown or returns something else, or numbers do not fit.
    NotANumberError
        If numbers are NaN or infinite, of the images or of what the statistic returns.
    BrainDataError
        If `data` is no BrainData.

    Notes
    -----
    Percentile intervals and standard errors as in [1]_; the standard deviation over samples has
    ddof 1. For the named statistics, all samples of some voxels are computed at once as a product
    of matrices, so that memory does not grow with `n_samples`. For a function, samples come one by
    one; of each voxel the outermost ones are kept, for 95 % a tenth of all. nltools keeps every
    sample, and its ``Z`` is what `z` is here; z and p of a "std", which is never negative, mean
    nothing. p does not become 0 below 1e-16, as in nltools.

    References
    ----------
    .. [1] B. Efron, R. J. Tibshirani, An introduction to the bootstrap, Chapman & Hall (1993),
       chapters 6 and 13.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_maps
    >>> maps = BrainData(make_maps(12))
    >>> result = maps.pipe(bootstrap, n_samples=200)
    >>> result
    Bootstrap of 200 samples: standard error up to 0.483, z from -4.25 to 13.7
    The interval of 95 % excludes 0 in 166 of 1974 voxels
    Grid 20 x 24 x 20, voxels 8 x 8 x 8 mm, ...
    >>> medians = maps.pipe(bootstrap, statistic=lambda sample: sample.median(), n_samples=20)
    >>> bool((medians.lower.data <= medians.upper.data).all())
    True
    """
    if not callable(statistic):
        require_option(
            "statistic",
            statistic,
            get_args(Named),
            hint="It may also be a function.",
            error=StatisticError,
        )
    require_finite(data, "bootstrap")
    _require_numbers(len(data), n_samples, confidence)
    draws = np.random.default_rng(seed).integers(len(data), size=(n_samples, len(data)))
    tail = (1 - confidence) / 2
    if callable(statistic):
        mean, std, lower, upper = _summarise_function(data, statistic, draws, tail)
    else:
        mean, std, lower, upper = _summarise_named(data, statistic, draws, tail)
    z = divide_by_error(mean, std)
    p = np.asarray(2 * norm.sf(np.abs(z)))
    maps = (
        make_like(data, values[np.newaxis], X=None, Y=None, tr_s=None)
        for values in (mean, std, z, p, lower, upper)
    )
    names = ("mean", "std", "z", "p", "lower", "upper")
    return Bootstrap(
        **dict(zip(names, maps, strict=True)), confidence=confidence, n_samples=n_samples
    )


def _require_numbers(n_images: int, n_samples: Any, confidence: Any) -> None:
    if not isinstance(n_samples, Integral) or n_samples < 2 or n_images < 2:
        raise StatisticError(
            f"A bootstrap needs two images and two samples at least, but there are {n_images} and "
            f"{n_samples!r}.",
            hint="Drawn from one image, all samples are the same.",
        )
    if not isinstance(confidence, Real) or not 0 < float(confidence) < 1:
        raise StatisticError(
            f"A share of samples lies between 0 and 1, but confidence is {confidence!r}.",
            hint="0.95 means 95 %.",
        )


def _summarise_named(
    data: BrainData, statistic: Named, draws: NDArray[np.int64], tail: float
) -> Summary:
    """Return mean, standard deviation and both percentiles, some columns at a time."""
    n_samples, n_images = draws.shape
    shares = np.stack([np.bincount(draw, minlength=n_images) for draw in draws], axis=1) / n_images
    n_columns = data.shape[1]
    width = max(BLOCK_BYTES // (8 * n_samples), NARROWEST_BLOCK)
    first = tail * (n_samples - 1)

    def summarise(start: int) -> Summary:
        block = data.data[:, start : start + width].astype(np.float64)
        # a mean is rounded: columns of one number are moved to 0 by that number
        same = block.min(axis=0) == block.max(axis=0)
        centre = np.where(same, block[0], block.mean(axis=0))
        block -= centre
        samples = block.T @ shares
        if statistic == "std":
            squares = np.square(block).T @ shares - np.square(samples)
            samples, centre = np.sqrt(np.maximum(squares, 0)), np.zeros(len(samples))
        mean, spread = samples.mean(axis=1), samples.std(axis=1, ddof=1)
        # numpy sorts faster than it partitions for more than one percentile
        samples.sort(axis=1)
        low, high = (_interpolate(samples.T, place) for place in (first, n_samples - 1 - first))
        return mean + centre, spread, low + centre, high + centre

    parts = list(map_in_order(summarise, range(0, n_columns, width)))
    return tuple(np.concatenate(part) for part in zip(*parts, strict=True))


def _summarise_function(
    data: BrainData,
    statistic: Callable[[BrainData], BrainData],
    draws: NDArray[np.int64],
    tail: float,
) -> Summary:
    """Return mean, standard deviation and both percentiles of what a function makes of samples."""
    n_columns = data.shape[1]
    moments = ColumnMoments(n_columns, ["mean", "std"])
    lowest, highest = (LowTail(n_columns, len(draws), tail) for _ in range(2))
    for draw in draws:
        sample = statistic(data[draw])
        if not isinstance(sample, BrainData) or sample.shape != (1, n_columns):
            found = sample.shape if isinstance(sample, BrainData) else type(sample).__name__
            raise StatisticError(
                f"A statistic returns BrainData of one image of {n_columns} voxels, but this one "
                f"returned {found}.",
                hint="For example statistic=lambda sample: sample.median().",
            )
        require_finite(sample, "summarise what the statistic returned")
        row = sample.data[0].astype(np.float64)
        moments.add(row[np.newaxis])
        lowest.add(row)
        highest.add(-row)
    return moments.mean(), moments.std(ddof=1), lowest.percentile(), -highest.percentile()


class LowTail:
    """The lowest of many rows, in each column by itself, for a percentile near 0.

    Parameters
    ----------
    n_columns : int
        Number of columns.
    n_rows : int
        How many rows there will be.
    share : float
        Which part of them lies below the percentile.

    Notes
    -----
    A row goes to a second half of the memory; when that is full, the lower half of both is kept.

    Examples
    --------
    >>> tail = LowTail(1, 5, 0.1)
    >>> for number in (4.0, 1.0, 3.0, 0.0, 2.0):
    ...     tail.add(np.array([number]))
    >>> float(tail.percentile()[0]), float(np.percentile([0, 1, 2, 3, 4], 10))
    (0.4, 0.4)
    """

    def __init__(self, n_columns: int, n_rows: int, share: float) -> None:
        self._place = share * (n_rows - 1)
        self._n_kept = int(self._place) + 2
        self._n_waiting = 0
        self._rows = np.full((2 * self._n_kept, n_columns), np.inf)

    def add(self, row: NDArray[np.float64]) -> None:
        """Take in a row."""
        self._rows[self._n_kept + self._n_waiting] = row
        self._n_waiting += 1
        if self._n_waiting == self._n_kept:
            self._settle()

    def _settle(self) -> None:
        self._rows.partition(self._n_kept - 1, axis=0)
        self._rows[self._n_kept :] = np.inf
        self._n_waiting = 0

    def percentile(self) -> NDArray[np.float64]:
        """Return the percentile of each column, interpolated as numpy does by default."""
        self._settle()
        return _interpolate(np.sort(self._rows[: self._n_kept], axis=0), self._place)


def _interpolate(rising: NDArray[np.float64], place: float) -> NDArray[np.float64]:
    """Return the row at a place between two, of rows in rising order."""
    below = int(place)
    fraction = place - below
    step = fraction * (rising[below + 1] - rising[below]) if fraction else 0
    return np.asarray(rising[below] + step)
