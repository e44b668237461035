"""Smoothing: each voxel becomes an average of its surroundings."""

from typing import Any, Literal, get_args

import numpy as np
from nibabel.processing import fwhm2sigma
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from neuroprimer.imaging.analysis.voxelwise import SignalError, require_series
from neuroprimer.imaging.braindata import BrainData, make_like
from neuroprimer.imaging.engine.options import is_number, require_option
from neuroprimer.imaging.engine.workers import map_in_order
from neuroprimer.imaging.space.affines import require_invertible, voxel_sizes
from neuroprimer.imaging.space.grids import Grid
from neuroprimer.imaging.tables.masks import Mask, require_mask

Edges = Literal["renormalise", "zero"]

# Where nilearn and nibabel cut the Gaussian off, too.
REACH_SIGMAS = 4.0


def smooth(data: BrainData, *, fwhm_mm: float, edges: Edges = "renormalise") -> BrainData:
    """Blur each image with a Gaussian, within the mask.

    Parameters
    ----------
    data : BrainData
        Any images.
    fwhm_mm : float
        Full width of the Gaussian at half of its height, in mm, the same in all directions.
        0 changes nothing.
    edges : {"renormalise", "zero"}
        What lies outside of the mask: nothing, so that each voxel becomes the weighted mean of the
        voxels in the mask around it; or zeros, as in nilearn, which darken the edge.

    Returns
    -------
    smoothed : BrainData
        As many images.

    Raises
    ------
    SignalError
        If the width is no number, negative or wider than the images, or `edges` is unknown.
    NotANumberError
        If numbers are NaN or infinite.
    AffineError
        If voxels have no volume.

    Notes
    -----
    `scipy.ndimage.gaussian_filter1d` runs along each voxel axis, up to four standard deviations
    far. "zero" gives what `nilearn.image.smooth_img` makes of images that are zero outside of the
    mask. "renormalise" divides by the mask, smoothed likewise [1]_: the edge is as bright as the
    middle, but noisier, for it is a mean over fewer voxels.

    nltools calls the width `fwhm` and always smooths in zeros.

    References
    ----------
    .. [1] H. Knutsson, C.-F. Westin, Normalized and differential convolution, Proceedings of the
       IEEE Conference on Computer Vision and Pattern Recognition (1993) 515.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_maps
    >>> flat = BrainData(make_maps(1)) * 0 + 100
    >>> round(float(smooth(flat, fwhm_mm=16).data.min()), 3)
    100.0
    >>> round(float(smooth(flat, fwhm_mm=16, edges="zero").data.min()))
    44
    """
    require_series(data, "smooth")
    require_option("edges", edges, get_args(Edges), error=SignalError)
    sigmas = _require_sigmas(fwhm_mm, data.grid)
    mode = "constant" if edges == "renormalise" else "reflect"
    # The box of the image mirrors in "reflect" mode. Of what lies outside of a smaller box, only
    # zeros within reach matter, and mirrored zeros are zeros.
    margin = np.ceil(REACH_SIGMAS * sigmas) + 1 if mode == "reflect" else np.zeros(3)
    mask = _crop(require_mask(data.mask), margin)

    def blur(row: NDArray[Any]) -> NDArray[np.float64]:
        volume = np.zeros(mask.grid.shape)
        mask.put(row, volume)
        for axis in np.flatnonzero(REACH_SIGMAS * sigmas >= 0.5):  # else only the voxel itself
            gaussian_filter1d(
                volume, sigmas[axis], int(axis), output=volume, mode=mode, truncate=REACH_SIGMAS
            )
        return mask.take(volume)

    weights = blur(np.ones(mask.n_voxels)) if edges == "renormalise" else 1.0
    made = np.empty_like(data.data)
    for made_row, row in zip(made, map_in_order(blur, data.data), strict=True):
        made_row[:] = row / weights
    return make_like(data, made)


def _require_sigmas(fwhm_mm: float, grid: Grid) -> NDArray[np.float64]:
    """Return the standard deviation of a Gaussian along each voxel axis, in voxels."""
    sizes_mm = voxel_sizes(require_invertible(grid.affine))
    widest_mm = float((sizes_mm * grid.shape).max())
    if not is_number(fwhm_mm) or not 0 <= fwhm_mm <= widest_mm:
        raise SignalError(
            f"Cannot smooth with a width of {fwhm_mm!r} mm: expected a number from 0 to "
            f"{widest_mm:g} mm, the longest side of the images.",
            hint="fwhm_mm=6 is common; fwhm_mm=0 leaves the images as they are.",
        )
    return np.asarray(fwhm2sigma(float(fwhm_mm)) / sizes_mm)


def _crop(mask: Mask, margin: NDArray[np.float64]) -> Mask:
    """Return a mask in the smallest box that holds its voxels and a margin, for speed."""
    box = tuple(
        slice(max(int(along.min() - more), 0), int(along.max() + more) + 1)
        for along, more in zip(np.nonzero(mask.inside), margin, strict=True)
    )
    inside = mask.inside[box]
    i, j, k = inside.shape
    return Mask(grid=Grid(shape=(i, j, k), affine=mask.grid.affine), inside=inside)
