"""Labels: numbers that are names, between which there is nothing.

Halfway between region 17 and region 41 lies no region 29: label images and masks must never be
interpolated. Most files do not say what they hold, so one has to look.
"""

from typing import Any

import numpy as np
from nibabel.spatialimages import SpatialImage
from numpy.typing import NDArray

from neuroprimer.imaging.files.voxels import load_voxels, loaded_dtype

# The NIfTI intents of numbers that stand for something else.
LABEL_INTENTS = ("label", "neuroname")

# Of the neighbours of a voxel in a region, most lie in the region. Of those in a picture, few have
# exactly its number.
LIKE_NEIGHBOURS = 0.4

# So many voxels show what kind of image it is.
LOOK_AT_VOXELS = 2**16


def is_declared_label(image: SpatialImage) -> bool:
    """Tell whether an image says by itself that its numbers are names.

    Parameters
    ----------
    image : nibabel.spatialimages.SpatialImage
        Its voxels are not read.

    Returns
    -------
    declared : bool
        True for truth values and for the NIfTI intents "label" and "neuroname".

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_head, make_labels
    >>> is_declared_label(make_labels()), is_declared_label(make_head())
    (True, False)
    """
    intent = image.header.get_intent()[0] if hasattr(image.header, "get_intent") else ""
    return intent in LABEL_INTENTS or loaded_dtype(image.dataobj) == np.bool_


def holds_labels(image: SpatialImage) -> bool:
    """Tell whether the numbers of an image are names of things, not quantities.

    Parameters
    ----------
    image : nibabel.spatialimages.SpatialImage
        3-D or 4-D.

    Returns
    -------
    labels : bool
        True if the image says so (see Notes, 1) or looks so (2 and 3).

    Notes
    -----
    1. Truth values, and the NIfTI intents "label" and "neuroname", are labels.
    2. An image of whole numbers (an integer type, without scaling) that are all 0 or 1 is a mask.
    3. An image of whole numbers that stand in plateaus is taken for an atlas: for half of its
       numbers or more, two in five neighbours within a plane have the same number. Zero does not
       count. Brains show a few in a hundred.

    The third is a guess, and it can be wrong: maps of counts with broad steps look like labels,
    and atlases with regions of one or two voxels do not. Setting the intent,
    ``image.header.set_intent("label")``, settles it, and so does naming the interpolation.
    Numbers with a fraction, or of a floating type, are never taken for labels unless the intent
    says so.

    Examples
    --------
    >>> import nibabel as nib
    >>> atlas = np.repeat(np.array([17, 41], np.int16), 32).reshape(4, 4, 4)
    >>> holds_labels(nib.Nifti1Image(atlas, np.eye(4)))
    True
    """
    return is_declared_label(image) or (
        loaded_dtype(image.dataobj).kind in "iu" and look_like_labels(load_voxels(image))
    )


def look_like_labels(voxels: NDArray[Any]) -> bool:
    """Tell whether whole numbers are those of a mask, or stand in plateaus as those of an atlas.

    Parameters
    ----------
    voxels : (i, j, k) or (i, j, k, t) array
        Of an integer type. Of a run, the first volume that is not empty is looked at.

    Returns
    -------
    labels : bool
        False if all are zero.

    Examples
    --------
    >>> look_like_labels(np.arange(64).reshape(4, 4, 4))
    False
    """
    volumes = voxels.reshape(*voxels.shape[:3], -1)
    volume = next((one for one in np.moveaxis(volumes, -1, 0) if one.any()), None)
    if volume is None:
        return False
    if volume.min() >= 0 and volume.max() <= 1:
        return bool(voxels.min() >= 0 and voxels.max() <= 1)
    return _stand_in_plateaus(volume)


def _stand_in_plateaus(volume: NDArray[Any]) -> bool:
    """Tell whether most numbers have enough neighbours of their own kind."""
    planes = _some_planes(volume)
    names, numbered = np.unique(planes, return_inverse=True)
    numbered = numbered.reshape(planes.shape)
    neighbours, alike = np.zeros(len(names)), np.zeros(len(names))
    for axis in (0, 1):
        ones = numbered.swapaxes(0, axis)
        for one, other in ((ones[:-1], ones[1:]), (ones[1:], ones[:-1])):
            neighbours += np.bincount(one.ravel(), minlength=len(names))
            alike += np.bincount(one[one == other], minlength=len(names))
    counted = (names != 0) & (neighbours > 0)
    fractions = alike[counted] / neighbours[counted]
    return len(fractions) > 0 and bool(np.median(fractions) >= LIKE_NEIGHBOURS)


def _some_planes(volume: NDArray[Any]) -> NDArray[Any]:
    """Return planes from all over a volume, of those that are not empty."""
    occupied = np.flatnonzero(volume.any(axis=(0, 1)))
    count = max(1, LOOK_AT_VOXELS * volume.shape[2] // volume.size)
    if count >= len(occupied):
        return volume[..., occupied]
    return volume[..., occupied[((np.arange(count) + 0.5) * len(occupied) / count).astype(int)]]
