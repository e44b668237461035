"""Brain masks: where in an image the brain is."""

import warnings
from typing import Literal, get_args

import nibabel as nib
import numpy as np
from nilearn import masking as nilearn_masking

from neuroprimer.imaging.engine.finite import NanPolicy
from neuroprimer.imaging.tables.aggregation import mean_image
from neuroprimer.imaging.tables.masks import MaskError
from neuroprimer.imaging.tables.sources import Images

Method = Literal["epi", "background", "template"]


def brain_mask(
    images: Images, *, method: Method = "epi", nan: NanPolicy = "raise"
) -> nib.Nifti1Image:
    """Find the voxels of the brain in an image or a run.

    Parameters
    ----------
    images : path, image, BrainData, or iterable of paths or images
        Several images, or the volumes of a run, are averaged first.
    method : {"epi", "background", "template"}
        "epi" looks for the valley between the dark and the bright voxels, which suits functional
        runs; "background" takes away what has the value of the image's border, which suits
        images that were cut out before; "template" lays the mask of the ICBM 152 template over
        an image that is in its space already.
    nan : {"raise", "omit", "zero"}
        What to do about voxels that are NaN or infinite: refuse them, leave each out of the
        average (where nothing is left, there is no brain), or take zero for them.

    Returns
    -------
    mask : nibabel.Nifti1Image
        Zeros and ones, on the grid of the images.

    Raises
    ------
    MaskError
        If `method` is another one, or no brain is found.
    NotANumberError
        If voxels are NaN or infinite and `nan` is "raise".

    Notes
    -----
    The work is done by nilearn's ``compute_epi_mask``, ``compute_background_mask`` and
    ``compute_brain_mask``. None of them knows anatomy: look at the result.

    Examples
    --------
    >>> from neuroprimer.imaging import make_run
    >>> mask = brain_mask(make_run(10))
    >>> sorted(np.unique(mask.dataobj).tolist())
    [0, 1]
    """
    if method not in get_args(Method):
        raise MaskError(
            f"There is no method {method!r} to find a brain; expected one of "
            f"{', '.join(get_args(Method))}.",
            hint="'epi' suits functional runs.",
        )
    average = mean_image(images, nan=nan)
    values = np.nan_to_num(np.asarray(average.dataobj, np.float32))
    if values.min() == values.max():
        raise MaskError(
            f"No brain can be found: all voxels have the value {values.flat[0]:g}.",
            hint="Is this the image that you wanted to load?",
        )
    find = {
        "epi": nilearn_masking.compute_epi_mask,
        "background": nilearn_masking.compute_background_mask,
        "template": nilearn_masking.compute_brain_mask,
    }[method]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", nilearn_masking.MaskWarning)  # said below, as an error
        inside = np.asarray(find(nib.Nifti1Image(values, average.affine)).dataobj) != 0
    if not inside.any():
        raise MaskError(
            f"No brain was found by the method {method!r}.",
            hint="Try another method, or cut at a value of your own: "
            "require_mask(image, threshold=...).",
        )
    return nib.Nifti1Image(inside.astype(np.uint8), average.affine)
