"""Mask algebra: voxels that belong to several masks, to any of them, or to one and not another."""

from collections.abc import Callable, Iterable
from os import PathLike
from typing import TypeAlias

import nibabel as nib
import numpy as np
from nibabel.spatialimages import SpatialImage
from numpy.typing import NDArray

from neuroprimer.imaging.files.images import ImageSource
from neuroprimer.imaging.space.grids import require_same_grid
from neuroprimer.imaging.tables.masks import Mask, MaskError, require_mask

Masks: TypeAlias = Iterable[ImageSource | Mask]
Operation: TypeAlias = Callable[[NDArray[np.bool_], NDArray[np.bool_]], NDArray[np.bool_]]


def union_mask(masks: Masks) -> nib.Nifti1Image:
    """Return the voxels that belong to at least one of several masks.

    Parameters
    ----------
    masks : iterable of str, path-like, image or Mask
        On the same grid.

    Returns
    -------
    mask : nibabel.Nifti1Image
        Zeros and ones.

    Raises
    ------
    MaskError
        If there is none, or one is no mask.
    GridMismatchError
        If they lie on different grids.

    Examples
    --------
    >>> from neuroprimer.imaging.space.grids import Grid
    >>> from neuroprimer.imaging.tables.masks import sphere
    >>> grid = Grid(shape=(9, 9, 9), affine=np.eye(4))
    >>> both = union_mask([sphere(grid, (2, 2, 2), 1), sphere(grid, (6, 6, 6), 1)])
    >>> int(both.dataobj.sum())
    14
    """
    return _combine(masks, np.logical_or)


def intersection_mask(masks: Masks) -> nib.Nifti1Image:
    """Return the voxels that belong to all of several masks.

    Parameters
    ----------
    masks : iterable of str, path-like, image or Mask
        On the same grid.

    Returns
    -------
    mask : nibabel.Nifti1Image
        Zeros and ones; it may be zero everywhere.

    Raises
    ------
    MaskError
        If there is none, or one is no mask.
    GridMismatchError
        If they lie on different grids.

    Examples
    --------
    >>> from neuroprimer.imaging.space.grids import Grid
    >>> from neuroprimer.imaging.tables.masks import sphere
    >>> grid = Grid(shape=(9, 9, 9), affine=np.eye(4))
    >>> shared = intersection_mask([sphere(grid, (4, 4, 4), 1), sphere(grid, (5, 4, 4), 1)])
    >>> int(shared.dataobj.sum())
    2
    """
    return _combine(masks, np.logical_and)


def difference_mask(mask: ImageSource | Mask, without: ImageSource | Mask) -> nib.Nifti1Image:
    """Return the voxels that belong to one mask and not to another.

    Parameters
    ----------
    mask : str, path-like, image or Mask
        The voxels to begin with.
    without : str, path-like, image or Mask
        The voxels to take away, on the same grid.

    Returns
    -------
    mask : nibabel.Nifti1Image
        Zeros and ones; it may be zero everywhere.

    Raises
    ------
    MaskError
        If one is no mask.
    GridMismatchError
        If they lie on different grids.

    Examples
    --------
    >>> from neuroprimer.imaging.space.grids import Grid
    >>> from neuroprimer.imaging.tables.masks import sphere
    >>> grid = Grid(shape=(9, 9, 9), affine=np.eye(4))
    >>> shell = difference_mask(sphere(grid, (4, 4, 4), 2), sphere(grid, (4, 4, 4), 1))
    >>> int(shell.dataobj.sum())
    26
    """
    return _combine((mask, without), lambda one, other: one & ~other)


def dice(one: ImageSource | Mask, other: ImageSource | Mask) -> float:
    """Measure how far two masks overlap.

    Parameters
    ----------
    one, other : str, path-like, image or Mask
        On the same grid.

    Returns
    -------
    overlap : float
        1 for the same voxels, 0 for no voxel in common.

    Raises
    ------
    MaskError
        If one is no mask, or both are empty.
    GridMismatchError
        If they lie on different grids.

    Notes
    -----
    Twice the shared voxels over the sum of both [1]_.

    References
    ----------
    .. [1] L. R. Dice, Measures of the amount of ecologic association between species,
       Ecology 26 (1945) 297.

    Examples
    --------
    >>> from neuroprimer.imaging.space.grids import Grid
    >>> from neuroprimer.imaging.tables.masks import sphere
    >>> grid = Grid(shape=(9, 9, 9), affine=np.eye(4))
    >>> round(dice(sphere(grid, (4, 4, 4), 1), sphere(grid, (5, 4, 4), 1)), 3)
    0.286
    """
    first, second = _require_masks((one, other))
    total = first.n_voxels + second.n_voxels
    if total == 0:
        raise MaskError(
            "The overlap of two empty masks is not defined: both are zero everywhere.",
            hint="Look at the masks; a threshold may have been too high.",
        )
    return 2 * int(np.count_nonzero(first.inside & second.inside)) / total


def _combine(masks: Masks, operation: Operation) -> nib.Nifti1Image:
    first, *others = _require_masks(masks)
    inside = first.inside
    for mask in others:
        inside = operation(inside, mask.inside)
    return Mask(grid=first.grid, inside=inside).to_image()


def _require_masks(masks: Masks) -> list[Mask]:
    """Return masks on one grid, or say why they are none."""
    if isinstance(masks, str | PathLike | SpatialImage | Mask):
        raise MaskError(
            f"Expected several masks, but this is a single {type(masks).__name__}.",
            hint="Put them into a list: [one_mask, other_mask].",
        )
    found = [require_mask(mask, allow_empty=True) for mask in masks]
    if not found:
        raise MaskError("Cannot combine masks: there is none.", hint="Pass at least one.")
    for mask in found[1:]:
        require_same_grid(
            found[0].grid,
            mask.grid,
            what="Cannot combine the masks",
            hint="resample_to(mask, other_mask, interpolation='nearest') brings one to the other.",
        )
    return found
