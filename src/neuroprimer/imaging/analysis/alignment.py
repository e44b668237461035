"""Alignment: several brains brought into one space by what they do."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import orthogonal_procrustes

from neuroprimer.errors import NeuroprimerError
from neuroprimer.imaging.analysis.decomposition import EPSILON, Float64, require_images
from neuroprimer.imaging.braindata import BrainData, make_like
from neuroprimer.imaging.tables.masks import Mask, require_mask, same_mask

# The common pattern is settled when another round mends less than this share of the sum of squares.
SMALLEST_GAIN, MOST_ROUNDS = 1e-6, 50


class AlignmentError(NeuroprimerError, ValueError):
    """Datasets that cannot be brought into one space.

    Examples
    --------
    >>> from neuroprimer.imaging import make_maps
    >>> align([BrainData(make_maps(3)), BrainData(make_maps(2))])
    Traceback (most recent call last):
    ...
    neuroprimer.imaging.analysis.alignment.AlignmentError: Cannot align datasets
    of 3, 2 images. Images with the same number belong together; choose the same
    ones from each.
    """


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class VoxelRotation:
    """A rotation of the space that has an axis for each voxel, kept as thin factors.

    The whole matrix, n_voxels x n_voxels, would be ``source @ turn @ target.T``. `to_common` and
    `from_common` apply it without ever forming it.

    Parameters
    ----------
    mask : Mask
        The voxels.
    mean : (n_voxels,) array
        The mean image, which is taken away first.
    source, target : (n_voxels, k) array
        Orthonormal axes of the space that the images span (0 where they span fewer), and of the
        common space; k is n_images - 1 or n_voxels, whichever is less.
    turn : (k, k) array
        The orthogonal matrix from one to the other.

    Examples
    --------
    >>> from neuroprimer.imaging import BrainData, align, make_maps, to_common
    >>> one = BrainData(make_maps(3))
    >>> aligned = align([one, one * 2])
    >>> len(to_common(one[:2], aligned.transforms[0]))
    2
    """

    mask: Mask
    mean: Float64
    source: Float64
    turn: Float64
    target: Float64

    def __repr__(self) -> str:
        n_voxels, n_axes = self.source.shape
        return f"VoxelRotation of {n_voxels} voxels along {n_axes} axes"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Alignment:
    """Datasets whose patterns have been brought into one space.

    Parameters
    ----------
    transformed : tuple of BrainData
        The datasets after their rotations, each voxel with mean 0 over images.
    common : BrainData
        The pattern that they were brought to.
    transforms : tuple of VoxelRotation
        The rotations, for `to_common` and `from_common`.
    disparity : tuple of float
        For each dataset, how much of it does not fit: from 0 for the common pattern itself, up to a
        factor, to 1.
    history : tuple of float
        After each round, the sum of squares between datasets and common pattern, as a share of the
        sum of squares of the datasets. It never grows.

    Examples
    --------
    >>> from neuroprimer.imaging import BrainData, align, make_maps
    >>> one = BrainData(make_maps(3))
    >>> aligned = align([one, one * 2])
    >>> len(aligned.transformed), len(aligned.common)
    (2, 3)
    """

    transformed: tuple[BrainData, ...]
    common: BrainData
    transforms: tuple[VoxelRotation, ...]
    disparity: tuple[float, ...]
    history: tuple[float, ...]

    def __repr__(self) -> str:
        n_images, n_voxels = self.common.shape
        numbers = ", ".join(f"{one:.3f}" for one in self.disparity)
        return (
            f"Alignment of {len(self.transformed)} datasets of {n_images} images x {n_voxels} "
            f"voxels in {len(self.history)} rounds, disparity {numbers}"
        )


def align(
    datasets: BrainData | Sequence[BrainData], *, target: BrainData | None = None
) -> Alignment:
    """Rotate the patterns of several datasets onto each other: functional alignment.

    Each dataset is turned as a whole in the space with an axis for each voxel, so that similarities
    between its images stay as they are, until images with the same number in different datasets
    look as alike as they can.

    Parameters
    ----------
    datasets : sequence of BrainData
        For example one for each person, with one mask. Image number n means the same in all: the
        same stimulus, or the same moment of a film. The first dataset is the reference whose voxels
        the common pattern is made of. With a target, a single one will do.
    target : BrainData, optional
        Turn onto this, and leave it as it is. Default: the mean of the datasets, found in rounds.

    Returns
    -------
    alignment : Alignment
        Turned datasets, common pattern and rotations.

    Raises
    ------
    AlignmentError
        If there are fewer than two datasets, masks or numbers of images differ, or the images of a
        dataset are all alike.
    NotANumberError
        If voxels are NaN or infinite.

    Notes
    -----
    Generalised Procrustes analysis [1]_, known for brains as hyperalignment [2]_: turn each dataset
    onto the common pattern with `scipy.linalg.orthogonal_procrustes`, take the mean for the new
    pattern, and begin again. Nothing is scaled, so standardise datasets in different units first.

    With fewer images than voxels even noise can be turned onto noise: whether people have something
    in common is seen in images that took no part, which `to_common` turns.

    Only directions that the images span can be turned, so a rotation is kept as factors of the size
    of the data, and rounds cost n_images cubed. nltools 0.5.1 builds each matrix of n_voxels x
    n_voxels, stops after two rounds, and pads a dataset of fewer images with zeros without a word.
    It divides each dataset by its size, which leaves no unit; disparity is the same number. It also
    has shared response models; for these see the package brainiak.

    References
    ----------
    .. [1] J. C. Gower, Generalized Procrustes analysis, Psychometrika 40 (1975) 33.
    .. [2] J. V. Haxby et al., A common, high-dimensional model of the representational space in
       human ventral temporal cortex, Neuron 72 (2011) 404.

    Examples
    --------
    Two datasets with the same patterns in other voxels fit after their rotations.

    >>> from neuroprimer.imaging.phantoms import make_maps
    >>> one = BrainData(make_maps(6))
    >>> other = make_like(one, one.data[:, ::-1])
    >>> alignment = align([one, other])
    >>> bool(np.abs(other.data - one.data).max() > 1)
    True
    >>> apart = alignment.transformed[1] - alignment.transformed[0]
    >>> bool(np.abs(apart.data).max() < 1e-5)
    True
    """
    sets = (datasets,) if isinstance(datasets, BrainData) else tuple(datasets)
    _require_alike(sets, target)
    spans = [_Span.of(each) for each in sets]
    reference = spans[0] if target is None else _Span.of(target)
    turns, common, history = _find_turns(
        [span.coordinates for span in spans], reference.coordinates, is_fixed=target is not None
    )
    mask = require_mask(sets[0].mask)
    transforms = tuple(
        VoxelRotation(
            mask=mask,
            mean=span.mean,
            source=span.axes * span.is_spanned,
            turn=turn,
            target=reference.axes,
        )
        for span, turn in zip(spans, turns, strict=True)
    )
    return Alignment(
        transformed=tuple(map(to_common, sets, transforms)),
        common=make_like(sets[0], common @ reference.axes.T, X=None, Y=None),
        transforms=transforms,
        disparity=tuple(
            _disparity(span.coordinates @ turn, common)
            for span, turn in zip(spans, turns, strict=True)
        ),
        history=history,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Span:
    """Images around their mean as ``coordinates @ axes.T``."""

    mean: Float64
    coordinates: Float64
    axes: Float64
    is_spanned: NDArray[np.bool_]

    @classmethod
    def of(cls, data: BrainData) -> "_Span":
        numbers = np.asarray(data.data, np.float64)
        if not np.ptp(numbers, axis=0).any():
            raise AlignmentError(
                f"There is nothing to align: all {len(data)} images of one dataset are alike.",
                hint="What is turned are the differences between images.",
            )
        mean = numbers.mean(axis=0)
        images, strengths, maps = np.linalg.svd(numbers - mean, full_matrices=False)
        # centred images add up to zero, so that the last of them is known
        n_axes = min(len(data) - 1, len(mean))
        return cls(
            mean=mean,
            coordinates=(images * strengths)[:, :n_axes],
            axes=maps[:n_axes].T,
            is_spanned=strengths[:n_axes] > strengths[0] * max(numbers.shape) * EPSILON,
        )


def _find_turns(
    patterns: Sequence[Float64], reference: Float64, *, is_fixed: bool
) -> tuple[list[Float64], Float64, tuple[float, ...]]:
    """Turn patterns onto a reference, and then, unless it is fixed, onto their mean in rounds."""
    total = sum(float(np.sum(pattern**2)) for pattern in patterns)
    common, history = reference, [np.inf]
    for _ in range(1 if is_fixed else MOST_ROUNDS):
        turns = [orthogonal_procrustes(pattern, common)[0] for pattern in patterns]
        turned = [pattern @ turn for pattern, turn in zip(patterns, turns, strict=True)]
        common = reference if is_fixed else np.mean(turned, axis=0)
        history.append(sum(float(np.sum((one - common) ** 2)) for one in turned) / total)
        if history[-2] - history[-1] < SMALLEST_GAIN:
            break
    return turns, common, tuple(history[1:])


def _disparity(turned: Float64, common: Float64) -> float:
    """Return the share of squares that is left when one pattern is scaled to fit the other."""
    product = np.sum(turned * common) / np.linalg.norm(turned) / np.linalg.norm(common)
    return max(0.0, 1 - float(product) ** 2)


def _require_alike(sets: tuple[BrainData, ...], target: BrainData | None) -> None:
    if len(sets) < (2 if target is None else 1):
        raise AlignmentError(
            f"Cannot align {len(sets)} datasets: there is nothing to align to.",
            hint="Pass a list of at least two, or a target.",
        )
    every = sets if target is None else (target, *sets)
    for each in every:
        require_images(each, "align", AlignmentError)
    for other in every[1:]:
        if len(other) != len(every[0]):
            raise AlignmentError(
                f"Cannot align datasets of {', '.join(str(len(each)) for each in every)} images.",
                hint="Images with the same number belong together; choose the same ones from each.",
            )
        _require_mask(other, require_mask(every[0].mask), "align the datasets")


def _require_mask(data: BrainData, mask: Mask, deed: str) -> None:
    found = require_mask(data.mask)
    if not same_mask(found, mask):
        raise AlignmentError(
            f"Cannot {deed}: their masks differ. {found} against {mask}.",
            hint="Make all with one mask, for example with intersection_mask().",
        )


def to_common(data: BrainData, transform: VoxelRotation) -> BrainData:
    """Turn images into the common space of an alignment.

    Parameters
    ----------
    data : BrainData
        Images of the person whose rotation it is; any number, also other ones than those that were
        aligned.
    transform : VoxelRotation
        One of ``alignment.transforms``.

    Returns
    -------
    turned : BrainData
        With the tables of `data`. The mean of the aligned images is taken away, and so is what lies
        outside of the space that they span: nobody knows where it belongs.

    Raises
    ------
    AlignmentError
        If the mask is another one.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_maps
    >>> one, other = (BrainData(make_maps(6, seed=seed)) for seed in (0, 1))
    >>> transform = align([one, other]).transforms[1]
    >>> to_common(other[2:4], transform).shape
    (2, 1974)
    """
    require_images(data, "turn", AlignmentError)
    _require_mask(data, transform.mask, "turn the images")
    coordinates = (data.data - transform.mean) @ transform.source
    turned = coordinates @ transform.turn @ transform.target.T
    return make_like(data, turned.astype(data.data.dtype, copy=False))


def from_common(data: BrainData, transform: VoxelRotation) -> BrainData:
    """Turn images from the common space back into the voxels of one dataset.

    Parameters
    ----------
    data : BrainData
        Images in the common space.
    transform : VoxelRotation
        One of ``alignment.transforms``.

    Returns
    -------
    turned : BrainData
        With the tables of `data`, and the mean of the dataset added.

    Raises
    ------
    AlignmentError
        If the mask is another one.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_maps
    >>> one, other = (BrainData(make_maps(6, seed=seed)) for seed in (0, 1))
    >>> alignment = align([one, other])
    >>> back = from_common(alignment.transformed[1], alignment.transforms[1])
    >>> bool(np.allclose(back.data, other.data, atol=1e-5))
    True
    """
    require_images(data, "turn", AlignmentError)
    _require_mask(data, transform.mask, "turn the images")
    coordinates = data.data @ transform.target @ transform.turn.T
    turned = coordinates @ transform.source.T + transform.mean
    return make_like(data, turned.astype(data.data.dtype, copy=False))
