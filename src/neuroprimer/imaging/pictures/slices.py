"""Slices: what an image shows on a plane of the world.

A slice here is cut through the world, not through the array: it is sagittal, coronal or axial
however the image is stored, and its edges are in mm. Where the voxels lie straight, each pixel is
one voxel; where they lie oblique, the plane is sampled anew. That is for the eye only: no image is
changed or resampled.
"""

from dataclasses import dataclass
from itertools import product
from operator import index
from typing import Any, SupportsIndex

import numpy as np
from nibabel.spatialimages import SpatialImage
from numpy.typing import NDArray
from scipy import ndimage

from neuroprimer.errors import NeuroprimerError
from neuroprimer.imaging.files.voxels import load_voxels, loaded_dtype
from neuroprimer.imaging.resampling.labels import is_declared_label, look_like_labels
from neuroprimer.imaging.space.affines import (
    axis_codes,
    obliquity,
    voxel_sizes,
    voxel_to_world,
    world_to_voxel,
)
from neuroprimer.imaging.space.grids import Grid

# The world axis that stands upright on each plane, then those that run across and up in a picture.
PLANES = {"sagittal": (0, 1, 2), "coronal": (1, 0, 2), "axial": (2, 0, 1)}
INTERPOLATIONS = ("linear", "nearest")

# A screen shows no more than this along either side.
MOST_PIXELS = 1024
# By how much a voxel axis may turn, over the whole image, before its picture looks turned.
STRAIGHT_RAD = 1e-3
# World coordinates of a voxel's edge come with rounding; in voxels.
EDGE = 0.5 + 1e-6


class PictureError(NeuroprimerError, ValueError):
    """A picture that cannot be drawn as asked.

    Examples
    --------
    >>> from neuroprimer.imaging import make_head, plot_slices
    >>> plot_slices(make_head((10, 12, 10), voxel_mm=16), at_mm=(0, 0, 300))
    Traceback (most recent call last):
    ...
    neuroprimer.imaging.pictures.slices.PictureError: There is nothing at z =
    300 mm: the image reaches from z = -80 to 80. Places are in mm of the world.
    If this is a voxel index, voxel_to_world(image.affine, ijk) turns it into
    mm.
    """


@dataclass(frozen=True, kw_only=True, eq=False)
class Volume:
    """The voxels of one volume, ready to be cut.

    Parameters
    ----------
    voxels : (i, j, k) array
        Real numbers, in the type of the file.
    grid : Grid
        Where they lie.
    is_label : bool
        Whether the numbers are names of regions, or of inside and outside.
    interpolation : {"linear", "nearest"}
        What is shown between voxel centres.
    is_number : (i, j, k) bool array, optional
        Which voxels are numbers, if some are NaN or infinite.
    """

    voxels: NDArray[Any]
    grid: Grid
    is_label: bool
    interpolation: str
    is_number: NDArray[np.bool_] | None = None

    @property
    def is_straight(self) -> bool:
        """Whether voxel axes run along world axes, in whatever order."""
        return bool(obliquity(self.grid.affine).max() < STRAIGHT_RAD)

    def box_mm(self) -> NDArray[np.float64]:
        """Return the lowest and the highest x, y, z of the voxels' outer edges, shape (2, 3)."""
        edges = product(*((-0.5, length - 0.5) for length in self.grid.shape))
        corners = voxel_to_world(self.grid.affine, list(edges))
        return np.stack([corners.min(axis=0), corners.max(axis=0)])


@dataclass(frozen=True, kw_only=True, eq=False)
class Slice:
    """What an image shows on one plane of the world.

    Parameters
    ----------
    plane : {"sagittal", "coronal", "axial"}
        Which way the plane lies.
    at_mm : float
        Where it lies, along x, y or z.
    values : (rows, columns) float array
        The first row is the lowest, the first column the one furthest left, back or down in the
        *world*: columns run along x (sagittal: y), rows along z (axial: y). NaN where there is no
        voxel, or none with a number.
    extent_mm : tuple of four float
        World coordinates of the outer edges: left, right, bottom, top.
    """

    plane: str
    at_mm: float
    values: NDArray[np.float64]
    extent_mm: tuple[float, float, float, float]


def open_volume(
    image: SpatialImage, *, volume: int | None = None, interpolation: str | None = None
) -> Volume:
    """Read one volume of an image.

    Parameters
    ----------
    image : nibabel.spatialimages.SpatialImage
        3-D, or 4-D together with `volume`.
    volume : int, optional
        Which volume of a 4-D image, from 0; negative numbers count from the end.
    interpolation : {"linear", "nearest"}, optional
        Default: nearest for label images and masks (see :func:`holds_labels`), linear for all
        others.

    Returns
    -------
    volume : Volume
        One volume; the others are not read.

    Raises
    ------
    PictureError
        If `image` is no image of real numbers, has more than one volume and none is chosen, or
        has no such volume.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_run
    >>> open_volume(make_run(5), volume=-1).voxels.shape
    (20, 24, 20)
    """
    if not isinstance(image, SpatialImage):
        raise PictureError(
            f"Only an image can be drawn, but this is a {type(image).__name__}.",
            hint="Open a file with load_image(path); turn BrainData into an image with to_image().",
        )
    if interpolation not in (None, *INTERPOLATIONS):
        raise PictureError(
            f"{interpolation!r} is no interpolation; expected one of {', '.join(INTERPOLATIONS)}.",
            hint="Leave it out: names of regions are never mixed, and all else is.",
        )
    grid = Grid.of(image)
    axis_codes(grid.affine)  # raises if there is no way back from the world
    voxels = _load_one_volume(image, volume)
    if voxels.dtype.kind not in "biuf":
        raise PictureError(
            f"Voxels of type {voxels.dtype} are not numbers on one scale.",
            hint="Draw one part of them: the real or absolute part, or one colour channel.",
        )
    voxels = voxels.reshape(grid.shape)
    is_label = is_declared_label(image) or (voxels.dtype.kind in "iu" and look_like_labels(voxels))
    if voxels.dtype in (np.bool_, np.float16, np.longdouble):  # which scipy does not sample
        voxels = voxels.astype(np.float64)
    is_number = np.isfinite(voxels)
    return Volume(
        voxels=voxels,
        is_number=None if is_number.all() else is_number,
        grid=grid,
        is_label=is_label,
        interpolation=interpolation or ("nearest" if is_label else "linear"),
    )


def _load_one_volume(image: SpatialImage, volume: int | None) -> NDArray[Any]:
    """Return the voxels of the volume that was asked for, or of the only one."""
    shape = image.shape
    if len(shape) > 4 or 0 in shape:
        raise PictureError(
            f"Only 3-D images and volumes of 4-D images can be drawn, but the shape is {shape}.",
            hint="Drop axes of length 1 first, or take a part with image.slicer[...].",
        )
    n_volumes = shape[3] if len(shape) == 4 else 1
    if volume is None and n_volumes > 1:
        raise PictureError(
            f"This image has {n_volumes} volumes and none was chosen.",
            hint="Pass volume=0 for the first one (volumes=[0, 1] to plot_montage), choose that of "
            "an overlay with image.slicer[..., 0], or draw their mean.",
        )
    chosen = 0 if volume is None else require_whole(volume, "The number of a volume")
    if not -n_volumes <= chosen < n_volumes:
        raise PictureError(
            f"There is no volume {chosen}: this image has {n_volumes}.",
            hint=f"Volumes count from 0 to {n_volumes - 1}.",
        )
    if n_volumes == 1:
        return load_voxels(image)
    return np.asarray(image.dataobj[..., chosen], dtype=loaded_dtype(image.dataobj))


def require_whole(number: SupportsIndex, what: str) -> int:
    """Return a whole number, or say that it is none.

    Parameters
    ----------
    number : int
        Any kind of whole number.
    what : str
        What it counts, for the message.

    Returns
    -------
    number : int
        The same number.

    Raises
    ------
    PictureError
        If it is something else.

    Examples
    --------
    >>> require_whole(np.int16(3), "The number of a volume")
    3
    """
    try:
        return index(number)
    except TypeError as error:
        raise PictureError(
            f"{what} is a whole number, but this is {number!r}.", hint="Pass 0 or 1, say."
        ) from error


def cut(volume: Volume, plane: str, at_mm: float) -> Slice:
    """Cut a volume along a plane of the world.

    Parameters
    ----------
    volume : Volume
        The voxels.
    plane : {"sagittal", "coronal", "axial"}
        Which way to cut.
    at_mm : float
        Where to cut, along x, y or z.

    Returns
    -------
    slice : Slice
        What lies on the plane.

    Notes
    -----
    Linear interpolation weighs the eight voxels around a point by their nearness. Voxels that are
    not numbers have no weight; where they would have more than half of it, the result is NaN.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_head
    >>> head = open_volume(make_head(axis_codes="PIL"))
    >>> axial = cut(head, "axial", 26)
    >>> axial.values.shape, axial.extent_mm
    ((48, 40), (-80.0, 80.0, -96.0, 96.0))
    >>> bool(axial.values[:, 20:].max() > axial.values[:, :20].max())  # the spot lies right
    True
    """
    upright, across, up = PLANES[plane]
    columns, rows = _pixel_edges(volume, across), _pixel_edges(volume, up)
    points = np.empty((len(rows) - 1, len(columns) - 1, 3))
    points[..., upright] = at_mm
    points[..., across] = (columns[:-1] + columns[1:]) / 2
    points[..., up] = ((rows[:-1] + rows[1:]) / 2)[:, np.newaxis]
    return Slice(
        plane=plane,
        at_mm=float(at_mm),
        values=_sample(volume, points),
        extent_mm=(float(columns[0]), float(columns[-1]), float(rows[0]), float(rows[-1])),
    )


def _pixel_edges(volume: Volume, axis: int) -> NDArray[np.float64]:
    """Return where pixels begin and end along a world axis, in mm."""
    sizes_mm = voxel_sizes(volume.grid.affine)
    if volume.is_straight:
        along = [code in ["LR", "PA", "IS"][axis] for code in axis_codes(volume.grid.affine)]
        step_mm = sizes_mm[along.index(True)]
    else:
        step_mm = sizes_mm.min()
    low, high = volume.box_mm()[:, axis]
    n_pixels = int(np.clip(np.rint((high - low) / step_mm), 1, MOST_PIXELS))
    return np.linspace(low, high, n_pixels + 1)


def _sample(volume: Volume, xyz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what a volume shows at world points: NaN outside of its voxels."""
    ijk = world_to_voxel(volume.grid.affine, xyz)
    is_inside = ((ijk >= -EDGE) & (ijk <= np.array(volume.grid.shape) - 1 + EDGE)).all(axis=-1)
    if volume.interpolation == "nearest":
        nearest = np.clip(np.floor(ijk + 0.5), 0, np.array(volume.grid.shape) - 1).astype(np.intp)
        values = volume.voxels[tuple(np.moveaxis(nearest, -1, 0))].astype(np.float64)
    else:
        values = _sample_linearly(volume, np.moveaxis(ijk, -1, 0))
    return np.asarray(np.where(is_inside & np.isfinite(values), values, np.nan))


def _sample_linearly(volume: Volume, ijk: NDArray[np.float64]) -> NDArray[np.float64]:
    if volume.is_number is None:
        return _weigh(volume.voxels, ijk)
    weights = _weigh(volume.is_number.astype(np.uint8), ijk)
    values = _weigh(np.where(volume.is_number, volume.voxels, 0), ijk)
    return np.asarray(np.where(weights < 0.5, np.nan, values / np.maximum(weights, 0.5)))


def _weigh(voxels: NDArray[Any], ijk: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of the eight voxels around each point, weighted by their nearness."""
    return np.asarray(ndimage.map_coordinates(voxels, ijk, np.float64, order=1, mode="nearest"))


def spread_over(volume: Volume, plane: str, n_slices: int) -> tuple[float, ...]:
    """Choose where to cut a volume so that the slices show most of what there is to see.

    Parameters
    ----------
    volume : Volume
        The voxels.
    plane : {"sagittal", "coronal", "axial"}
        Which way to cut.
    n_slices : int
        How many slices.

    Returns
    -------
    at_mm : tuple of float
        Where to cut, along x, y or z, in rising order: through voxel centres where voxels lie
        straight. Fewer than `n_slices` if there are not so many.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_head
    >>> spread_over(open_volume(make_head()), "axial", 4)
    (-42.0, -14.0, 14.0, 42.0)
    """
    edges = _pixel_edges(volume, PLANES[plane][0])
    centres = (edges[:-1] + edges[1:]) / 2
    first, last = np.searchsorted(centres, _visible_mm(volume, PLANES[plane][0]))
    step = round((last - first) / (n_slices + 1))
    step = max(1, min(step, (len(centres) - 1) // max(1, n_slices - 1)))
    start = round((first + last - step * (n_slices - 1)) / 2)
    start = max(0, min(start, len(centres) - 1 - step * (n_slices - 1)))
    return tuple(centres[start::step][:n_slices].tolist())


def _visible_mm(volume: Volume, axis: int) -> NDArray[np.float64]:
    """Return from where to where along a world axis there is something to see."""
    steps = [max(1, length // 48) for length in volume.grid.shape]
    thinned = volume.voxels[tuple(slice(None, None, step) for step in steps)]
    size = np.abs(np.nan_to_num(thinned.astype(np.float64), posinf=0, neginf=0))
    visible = np.argwhere(size > np.percentile(size, 99) / 10)
    if not len(visible):
        return volume.box_mm()[:, axis]
    along = voxel_to_world(volume.grid.affine, visible * steps)[:, axis]
    return np.asarray(np.percentile(along, [1, 99]))


def middle_mm(volume: Volume) -> tuple[float, float, float]:
    """Return the world coordinates of a voxel in the middle, whatever the storage order.

    Parameters
    ----------
    volume : Volume
        The voxels.

    Returns
    -------
    xyz_mm : tuple of three float
        The middle of the image; of two voxels, the one further left, back or down.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_head
    >>> middle_mm(open_volume(make_head(axis_codes="LPI")))
    (-2.0, -2.0, -2.0)
    """
    x, y, z = (_pixel_edges(volume, axis) for axis in range(3))
    return _middle_pixel(x), _middle_pixel(y), _middle_pixel(z)


def _middle_pixel(edges: NDArray[np.float64]) -> float:
    left = (len(edges) - 2) // 2
    return float(edges[left : left + 2].mean())
