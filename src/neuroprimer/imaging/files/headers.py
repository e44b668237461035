"""Headers: what a new image keeps of the one that it was made from."""

from typing import Any

import nibabel as nib
import numpy as np
from nibabel.analyze import AnalyzeHeader
from nibabel.nifti1 import Nifti1Header
from nibabel.spatialimages import SpatialImage
from numpy.typing import DTypeLike, NDArray

from neuroprimer.imaging.space.grids import Grid, same_grid

# What the coordinates of a NIfTI image mean: of nothing known, or of another scan or template to
# which it was brought.
UNKNOWN, ALIGNED = 0, 2

# Types of voxels that no NIfTI file holds, and the narrowest that holds their values.
STORABLE: dict[Any, np.dtype[Any]] = {
    np.dtype(np.bool_): np.dtype(np.uint8),
    np.dtype(np.float16): np.dtype(np.float32),
    np.dtype(np.longdouble): np.dtype(np.float64),
}


def storable_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """Return the type in which NIfTI holds the values of a type.

    Parameters
    ----------
    dtype : numpy dtype
        Any type of voxels.

    Returns
    -------
    dtype : numpy dtype
        Another one only for those that NIfTI does not know.

    Examples
    --------
    >>> storable_dtype(bool), storable_dtype(np.int16)
    (dtype('uint8'), dtype('int16'))
    """
    return STORABLE.get(np.dtype(dtype), np.dtype(dtype))


def world_code(image: SpatialImage) -> int:
    """Return the NIfTI code for what the coordinates of an image mean.

    Parameters
    ----------
    image : nibabel.spatialimages.SpatialImage
        An image of any format.

    Returns
    -------
    code : int
        That of the sform, or else of the qform: 1 scanner, 2 aligned, 3 Talairach, 4 MNI. Where
        neither is known, 2: with 0, programs would not believe the affine.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_head
    >>> world_code(make_head())
    1
    """
    if not isinstance(image.header, Nifti1Header):
        return ALIGNED
    return int(image.header["sform_code"]) or int(image.header["qform_code"]) or ALIGNED


def derive_image(
    image: SpatialImage, voxels: Any, affine: NDArray[np.float64], *, code: int
) -> nib.Nifti1Image:
    """Make an image of new voxels or at a new place that keeps the rest of a header.

    Parameters
    ----------
    image : nibabel.spatialimages.SpatialImage
        Where the header comes from.
    voxels : array, or array proxy
        A proxy is not read. Of a type that NIfTI knows.
    affine : (4, 4) array
        Voxel to world, in mm, RAS+.
    code : int
        What the coordinates mean, a NIfTI code.

    Returns
    -------
    derived : nibabel.Nifti1Image
        With the time step, units, intent and description of `image`. Its sform is `affine`, and
        so is its qform, unless there are shears, which a qform cannot hold: it is then unknown.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_labels
    >>> regions = make_labels()
    >>> derived = derive_image(regions, np.zeros((2, 2, 2), np.uint8), np.eye(4), code=4)
    >>> derived.header.get_intent()[0], derived.get_sform(coded=True)[1]
    ('label', 4)
    """
    header = _copy_header(image)
    header.set_data_dtype(storable_dtype(voxels.dtype))
    header.set_qform(affine, code)
    header.set_sform(affine, code)
    told = Grid(shape=voxels.shape[:3], affine=header.get_qform())
    if not same_grid(told, Grid(shape=voxels.shape[:3], affine=affine)):
        header["qform_code"] = UNKNOWN
    return nib.Nifti1Image(voxels, affine, header)


def _copy_header(image: SpatialImage) -> Nifti1Header:
    """Return a NIfTI-1 header with all that a header of any format has in common with it."""
    if isinstance(image.header, AnalyzeHeader):
        # unchecked, as the check would tell of NIfTI-2's longer header
        header: Nifti1Header = Nifti1Header.from_header(image.header, check=False)
        header["sizeof_hdr"] = Nifti1Header.sizeof_hdr
        return header
    header = Nifti1Header()
    header.set_data_shape(image.shape)
    header.set_zooms(image.header.get_zooms()[: len(image.shape)])
    if isinstance(image.header, nib.MGHImage.header_class):
        header.set_xyzt_units("mm", "msec")
    return header
