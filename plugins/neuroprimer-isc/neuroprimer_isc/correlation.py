"""Correlation between people: how alike signals of the same place are in different heads.

Signals come as an array of viewers x volumes x voxels, or as a list with one table, volumes x
voxels, for each viewer. `brainiak.isc` takes such lists as well. All is counted in double
precision. Where a signal never changes there is no correlation, and the result is NaN.
"""

from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroprimer.errors import NeuroprimerError

Floats = NDArray[np.float64]

FEWEST_VIEWERS, FEWEST_VOLUMES = 2, 3

# Bounds the memory that the covariances of all pairs at all shifts take.
VOXELS_AT_ONCE = 256


class ViewersError(NeuroprimerError, ValueError):
    """Signals between which there is nothing to correlate."""


def pairwise_isc(signals: ArrayLike) -> Floats:
    """Correlate every viewer with every other, voxel by voxel.

    Parameters
    ----------
    signals : (viewers, volumes, voxels) array-like
        The same volumes and voxels for each viewer.

    Returns
    -------
    r : (pairs, voxels) array
        The n (n - 1) / 2 pairs in the order of `itertools.combinations`: first with second, first
        with third, and so on.

    Raises
    ------
    ViewersError
        If there are not three axes, two viewers and three volumes.

    See Also
    --------
    leave_one_out_isc : one correlation for each viewer.

    Notes
    -----
    Pearson's correlation over time, as `numpy.corrcoef` counts it. `brainiak.isc.isc` with
    ``pairwise=True`` gives the same numbers.

    Examples
    --------
    >>> wave = np.sin(np.arange(12.0))
    >>> signals = np.stack([wave, 3 * wave + 5, -wave])[:, :, np.newaxis]
    >>> pairwise_isc(signals)[:, 0].round(6)
    array([ 1., -1., -1.])
    """
    centred = _centre(signals)
    return np.stack([_correlate(one, other) for one, other in combinations(centred, 2)])


def leave_one_out_isc(signals: ArrayLike) -> Floats:
    """Correlate every viewer with the average of all others, voxel by voxel.

    Parameters
    ----------
    signals : (viewers, volumes, voxels) array-like
        The same volumes and voxels for each viewer.

    Returns
    -------
    r : (viewers, voxels) array
        One correlation for each viewer.

    Raises
    ------
    ViewersError
        If there are not three axes, two viewers and three volumes.

    See Also
    --------
    leave_one_out_from_pairwise : what to expect of it.

    Notes
    -----
    After Hasson and others, *Intersubject synchronization of cortical activity during natural
    vision*, Science 303 (2004) 1634, and Nastase and others, *Measuring shared responses across
    subjects using intersubject correlation*, SCAN 14 (2019) 667. The signals are averaged as they
    are, so a viewer whose signal is large weighs more. `brainiak.isc.isc` gives the same numbers.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> film = rng.standard_normal((500, 1))
    >>> signals = [film + rng.standard_normal((500, 1)) for _ in range(10)]
    >>> leave_one_out_isc(signals).shape
    (10, 1)
    >>> bool(leave_one_out_isc(signals).mean() > pairwise_isc(signals).mean())
    True
    """
    centred = _centre(signals)
    everybody = centred.sum(axis=0)
    return np.stack([_correlate(one, everybody - one) for one in centred])


def average_correlation(r: ArrayLike, *, axis: int = 0) -> Floats:
    """Average correlations by way of Fisher's z.

    Parameters
    ----------
    r : array-like
        Correlations, from -1 to 1.
    axis : int
        The axis to average over.

    Returns
    -------
    average : array
        Without that axis. NaN where one of the correlations is NaN, or both 1 and -1 are averaged.

    Notes
    -----
    The hyperbolic tangent of the mean of z, where z is the inverse hyperbolic tangent of r: Fisher,
    *On the probable error of a coefficient of correlation*, Metron 1 (1921) 3. `brainiak.isc` does
    so where it is asked for the mean.

    Examples
    --------
    >>> average_correlation([0.1, 0.9]).round(3)  # not 0.5
    np.float64(0.656)
    """
    with np.errstate(divide="ignore", invalid="ignore"):  # z of 1 is infinite, as it should be
        return np.asarray(np.tanh(np.arctanh(np.asarray(r, dtype=np.float64)).mean(axis=axis)))[()]


def leave_one_out_from_pairwise(r: ArrayLike, n_viewers: int) -> Floats:
    """Return what leave-one-out makes of a correlation that all pairs have.

    Parameters
    ----------
    r : array-like
        The correlation between any two viewers, from 0 to 1.
    n_viewers : int
        How many viewers there are, the one who is left out among them.

    Returns
    -------
    leave_one_out : array
        The correlation of one viewer with the average of the others.

    Notes
    -----
    Signals with variance 1 and covariance r. The average of m of them has the variance
    (1 + (m - 1) r) / m and the covariance r with one more, so that the correlation is
    r sqrt(m / (1 + (m - 1) r)). This is the formula for lengthened tests of Spearman and of Brown,
    both British Journal of Psychology 3 (1910), for a test of length 1 against one of length m.
    With more and more viewers it comes near to sqrt(r).

    Examples
    --------
    >>> leave_one_out_from_pairwise(0.25, [2, 16, 10_000]).round(3)
    array([0.25 , 0.456, 0.5  ])
    """
    pairwise, n_others = np.asarray(r, dtype=np.float64), np.asarray(n_viewers) - 1
    return np.asarray(pairwise * np.sqrt(n_others / (1 + (n_others - 1) * pairwise)))[()]


def shift_viewers(signals: ArrayLike, shifts: ArrayLike) -> Floats:
    """Shift each viewer in time, in a circle: what falls off the end comes in at the beginning.

    Parameters
    ----------
    signals : (viewers, volumes, voxels) array-like
        The same volumes and voxels for each viewer.
    shifts : (viewers,) array-like of int
        By how many volumes each viewer is made later; all voxels of a viewer move together.

    Returns
    -------
    shifted : (viewers, volumes, voxels) array
        A copy.

    Raises
    ------
    ViewersError
        If the signals are none, or there is not one shift for each viewer.

    Examples
    --------
    >>> signals = np.arange(8.0).reshape(2, 4, 1)
    >>> shift_viewers(signals, [0, 1])[:, :, 0]
    array([[0., 1., 2., 3.],
           [7., 4., 5., 6.]])
    """
    viewers, by = _require_signals(signals), np.asarray(shifts)
    if by.shape != viewers.shape[:1]:
        raise ViewersError(
            f"Cannot shift the viewers: there are {len(viewers)} of them, and shifts of the shape "
            f"{by.shape}.",
            hint="Give one whole number for each viewer.",
        )
    return np.stack([np.roll(one, shift, axis=0) for one, shift in zip(viewers, by, strict=True)])


def chance_isc(signals: ArrayLike, *, n_shifts: int, seed: int) -> Floats:
    """Return what leave-one-out finds where nobody saw the same at the same time.

    Parameters
    ----------
    signals : (viewers, volumes, voxels) array-like
        The same volumes and voxels for each viewer.
    n_shifts : int
        How often to try, at least once.
    seed : int
        Of the random shifts. The same seed gives the same numbers.

    Returns
    -------
    chance : (n_shifts, voxels) array
        For each try the average over viewers, by way of Fisher's z, as a map.

    Raises
    ------
    ViewersError
        If there are not three axes, two viewers and three volumes.

    Notes
    -----
    In each try every viewer is shifted in a circle by a random number of volumes of their own. That
    breaks what viewers share in time, and keeps how alike neighbouring volumes and voxels of one
    viewer are: Kauppi and others, *Inter-subject correlation of brain hemodynamic responses during
    watching a movie*, Frontiers in Neuroinformatics 4 (2010) 5. `brainiak.isc.timeshift_isc` moves
    for leave-one-out only the viewer who is left out, so that its chance is another one.

    The largest value of each map makes a threshold for all voxels together: ``chance.max(axis=1)``.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> film = rng.standard_normal((200, 1))
    >>> signals = [film + rng.standard_normal((200, 1)) for _ in range(10)]
    >>> chance = chance_isc(signals, n_shifts=50, seed=1)
    >>> bool(chance.max() < average_correlation(leave_one_out_isc(signals))[0])
    True
    """
    centred = _centre(signals)
    rng = np.random.default_rng(seed)
    shifts = rng.integers(centred.shape[1], size=(n_shifts, len(centred)))
    n_voxels = centred.shape[2]
    chance = np.empty((n_shifts, n_voxels))
    for first in range(0, n_voxels, VOXELS_AT_ONCE):
        block = slice(first, first + VOXELS_AT_ONCE)
        chance[:, block] = _shifted_isc(centred[:, :, block], shifts)
    return chance


def _shifted_isc(centred: Floats, shifts: NDArray[np.int64]) -> Floats:
    """Return the average of leave-one-out for each row of shifts.

    What two viewers have in common depends only on how far they are shifted against each other. So
    it is counted once for every pair and every distance, by Fourier transform, and looked up.
    """
    n_viewers, n_volumes, _ = centred.shape
    first, second = np.array(list(combinations(range(n_viewers), 2))).T
    waves = np.fft.rfft(centred, axis=1)
    in_common = np.fft.irfft(waves[first].conj() * waves[second], n=n_volumes, axis=1)
    pairs_of = np.zeros((n_viewers, len(first)))
    pairs_of[first, np.arange(len(first))] = pairs_of[second, np.arange(len(first))] = 1
    own = np.einsum("ntv,ntv->nv", centred, centred)
    averages = []
    for by in shifts:
        shared = in_common[np.arange(len(first)), (by[first] - by[second]) % n_volumes]
        with_others = pairs_of @ shared
        others = own.sum(axis=0) + 2 * shared.sum(axis=0) - 2 * with_others - own
        averages.append(average_correlation(_ratio(with_others, own * others)))
    return np.stack(averages)


def _require_signals(signals: ArrayLike) -> Floats:
    try:
        viewers = np.asarray(signals, dtype=np.float64)
    except ValueError as error:
        raise ViewersError(
            f"Cannot correlate viewers: their signals make no array of numbers. {error}",
            hint="All viewers need the same volumes and voxels: cut runs that are longer.",
        ) from error
    if viewers.ndim != 3 or viewers.shape[0] < FEWEST_VIEWERS or viewers.shape[1] < FEWEST_VOLUMES:
        raise ViewersError(
            "Cannot correlate viewers: expected an array of viewers x volumes x voxels with at "
            f"least {FEWEST_VIEWERS} viewers and {FEWEST_VOLUMES} volumes, but this one has the "
            f"shape {viewers.shape}.",
            hint="Stack one table, volumes x voxels, for each viewer: np.stack(tables). A single "
            "voxel keeps its axis: signals[:, :, [0]].",
        )
    return viewers


def _centre(signals: ArrayLike) -> Floats:
    """Subtract each signal's mean; what never changes becomes zero, and not what rounding left."""
    viewers = _require_signals(signals)
    mean = viewers.mean(axis=1, keepdims=True)
    centred = viewers - mean
    largest = np.abs(centred).max(axis=1, keepdims=True)
    rounding = viewers.shape[1] * np.finfo(np.float64).eps * np.abs(mean)
    return np.where(largest <= rounding, 0.0, centred)


def _correlate(one: Floats, other: Floats) -> Floats:
    """Correlate two centred tables, column by column."""
    squares = np.einsum("tv,tv->v", one, one) * np.einsum("tv,tv->v", other, other)
    return _ratio(np.einsum("tv,tv->v", one, other), squares)


def _ratio(products: Floats, squares: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):  # 0 / 0 is NaN, as is said above
        return np.clip(products / np.sqrt(squares), -1, 1)
