"""Masks: which voxels are looked at."""

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.spatialimages import SpatialImage
from numpy.typing import ArrayLike, NDArray

from neuroprimer.errors import NeuroprimerError
from neuroprimer.imaging.engine.finite import require_real
from neuroprimer.imaging.files.images import ImageSource, load_image
from neuroprimer.imaging.files.voxels import load_voxels, loaded_dtype
from neuroprimer.imaging.space.affines import voxel_to_world, world_to_voxel
from neuroprimer.imaging.space.grids import Grid, same_grid

# Zeros and ones of a file that stores whole numbers and a slope come back with rounding.
ROUNDING = 1e-6

# A header keeps an affine in float32: by this part of its radius, at least, a sphere must reach
# further so that voxels on its surface are in it on every side.
SURFACE = 1e-5


# So many time series at once are turned into columns within a core's cache.
STRIP_VOXELS = 8192


class MaskError(NeuroprimerError, ValueError):
    """An image that cannot serve as a mask, or numbers that do not fit to one.

    Examples
    --------
    >>> chances = nib.Nifti1Image(np.array([[[0, 0.2, 0.9]]]), np.eye(4))
    >>> require_mask(chances)
    Traceback (most recent call last):
    ...
    neuroprimer.imaging.tables.masks.MaskError: A mask holds zeros and ones, but
    2 voxels hold something else (0.2, 0.9). Say where to cut:
    require_mask(mask, threshold=0.5) for probabilities, with threshold=0 for a
    mask of zeros and other numbers.
    """


@dataclass(frozen=True, kw_only=True, eq=False)
class Mask:
    """The voxels of a grid that are looked at, in the order in which numpy counts them.

    Parameters
    ----------
    grid : Grid
        Where the voxels lie.
    inside : (i, j, k) array of bool
        True for the voxels that are looked at.

    Examples
    --------
    >>> grid = Grid(shape=(2, 2, 2), affine=np.eye(4))
    >>> Mask(grid=grid, inside=np.array([[[1, 0], [0, 0]], [[0, 0], [0, 1]]]))
    Mask of 2 voxels on Grid 2 x 2 x 2, voxels 1 x 1 x 1 mm, axes RAS, first voxel at (0, 0, 0) mm
    """

    grid: Grid
    inside: NDArray[np.bool_]

    def __post_init__(self) -> None:
        inside = np.array(self.inside, dtype=bool)
        if inside.shape != self.grid.shape:
            raise MaskError(
                f"A mask for {self.grid} has its shape, but this array has shape {inside.shape}.",
                hint="Make it from an image with require_mask().",
            )
        inside.flags.writeable = False
        object.__setattr__(self, "inside", inside)

    def __repr__(self) -> str:
        return f"Mask of {self.n_voxels} voxels on {self.grid}"

    def __reduce__(self) -> tuple[Any, tuple[()]]:
        # a copy is made anew, so that it cannot be written to either
        return partial(Mask, grid=self.grid, inside=self.inside), ()

    @cached_property
    def n_voxels(self) -> int:
        """How many voxels are looked at."""
        return int(np.count_nonzero(self.inside))

    @cached_property
    def _places(self) -> NDArray[np.intp]:
        """Where the voxels stand in the memory of a volume whose last axis is the fastest."""
        return np.flatnonzero(self.inside)

    @cached_property
    def _file_places(self) -> NDArray[np.intp]:
        """Where they stand in a volume whose first axis is the fastest, as in files."""
        return np.ravel_multi_index(np.nonzero(self.inside), self.grid.shape, order="F")

    def take(self, volume: NDArray[Any], out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Return the numbers of one volume within the mask.

        Parameters
        ----------
        volume : (i, j, k) array
            One volume on the grid.
        out : (n_voxels,) array, optional
            Where to put them, in any type of numbers.

        Returns
        -------
        values : (n_voxels,) array
            Equal to ``volume[inside]``, but faster.

        Raises
        ------
        MaskError
            If the volume has another shape than the grid.
        """
        if volume.shape != self.grid.shape:
            raise MaskError(
                f"A volume of shape {volume.shape} does not lie on {self.grid}.",
                hint="Take one volume of a run at a time.",
            )
        # read in the order of its memory, a volume need not be copied first
        if volume.flags.f_contiguous:
            flat, places = volume.reshape(-1, order="F"), self._file_places
        elif volume.flags.c_contiguous:
            flat, places = volume.reshape(-1), self._places
        else:
            flat, places = volume[self.inside], None
        if out is None or out.dtype != flat.dtype or places is None:
            values = flat if places is None else flat[places]
            if out is None:
                return values
            out[...] = values
            return out
        # the places are right, and numpy is faster where it may bend wrong ones
        return np.take(flat, places, out=out, mode="clip")

    def take_volumes(self, run: NDArray[Any], out: NDArray[Any]) -> None:
        """Put the numbers of all volumes within the mask into the rows of a table.

        Parameters
        ----------
        run : (i, j, k, n_images) array
            Volumes on the grid.
        out : (n_images, n_voxels) array
            Where to put them, in any type of numbers.

        Raises
        ------
        MaskError
            If the volumes have another shape than the grid.
        """
        if run.shape[3] == 1 or not run.flags.c_contiguous or run.shape[:3] != self.grid.shape:
            for index, row in enumerate(out):
                self.take(run[..., index], out=row)
            return
        # All times of a voxel lie side by side: to look for one volume would be to read them all.
        voxels = run.reshape(-1, run.shape[3])
        for first in range(0, self.n_voxels, STRIP_VOXELS):
            strip = slice(first, first + STRIP_VOXELS)
            out[:, strip] = voxels[self._places[strip]].T

    def put(self, values: NDArray[Any], volume: NDArray[Any]) -> None:
        """Write numbers into the mask's voxels of a volume.

        Parameters
        ----------
        values : (n_voxels,) array
            In the order of `take`.
        volume : (i, j, k) array
            One volume on the grid; it is changed.
        """
        volume[self.inside] = values

    def choose(self, voxels: NDArray[np.bool_]) -> "Mask":
        """Return the mask of some of its voxels.

        Parameters
        ----------
        voxels : (n_voxels,) array of bool
            True for those to keep, in the order of `take`.

        Returns
        -------
        mask : Mask
            On the same grid.
        """
        inside = np.zeros(self.grid.shape, dtype=bool)
        self.put(voxels, inside)
        return Mask(grid=self.grid, inside=inside)

    def to_image(self) -> nib.Nifti1Image:
        """Return the mask as an image of zeros and ones.

        Returns
        -------
        image : nibabel.Nifti1Image
            Type uint8.
        """
        return nib.Nifti1Image(self.inside.astype(np.uint8), self.grid.affine)


def require_mask(
    mask: ImageSource | Mask, *, threshold: float | None = None, allow_empty: bool = False
) -> Mask:
    """Return a mask, or say why an image is none.

    Parameters
    ----------
    mask : str, path-like, image or Mask
        A 3-D image of zeros and ones, or, with a threshold, of any numbers.
    threshold : float, optional
        Voxels above it are looked at. Without it, an image with other values than 0 and 1 is
        refused: a map of probabilities above zero would cover nearly everything. A `Mask` is
        taken as it is.
    allow_empty : bool
        Whether a mask without any voxel will do.

    Returns
    -------
    mask : Mask
        The voxels and their grid.

    Raises
    ------
    MaskError
        If the image is not 3-D, not binary without a threshold, holds NaN, or leaves no voxel.
    NotANumberError
        If its voxels are complex numbers or colours.

    Examples
    --------
    >>> probabilities = nib.Nifti1Image(np.linspace(0, 1, 8).reshape(2, 2, 2), np.eye(4))
    >>> require_mask(probabilities, threshold=0.5).n_voxels
    4
    """
    if isinstance(mask, Mask):
        found, values = mask, mask.inside
    else:
        image = load_image(mask)
        values = _load_volume(image)
        inside = _require_binary(values) if threshold is None else _above(values, threshold)
        found = Mask(grid=Grid.of(image), inside=inside)
    if found.n_voxels == 0 and not allow_empty:
        above = "" if threshold is None else f" above {threshold:g}"
        raise MaskError(
            f"This mask holds no voxel{above}: its values go from {values.min():g} to "
            f"{values.max():g}.",
            hint="It leaves nothing to look at; was it cut too high, or is it the wrong image?",
        )
    return found


def _load_volume(image: SpatialImage) -> NDArray[Any]:
    """Return the voxels of a 3-D image of real numbers, or say why it is none."""
    if any(length != 1 for length in image.shape[3:]) or len(image.shape) < 3:
        raise MaskError(
            f"A mask has three axes, but this image has shape {image.shape}.",
            hint="Choose one volume, for example with image.slicer[..., 0].",
        )
    require_real(loaded_dtype(image.dataobj))
    return load_voxels(image).reshape(image.shape[:3])


def _require_binary(values: NDArray[Any]) -> NDArray[np.bool_]:
    inside = np.abs(values - 1.0) <= ROUNDING
    is_other = ~inside & ~(np.abs(values) <= ROUNDING)
    if is_other.any():
        others = np.unique(values[is_other])
        shown = ", ".join(f"{other:g}" for other in others[:3]) + ", ..." * (len(others) > 3)
        raise MaskError(
            f"A mask holds zeros and ones, but {np.count_nonzero(is_other)} voxels hold something "
            f"else ({shown}).",
            hint="Say where to cut: require_mask(mask, threshold=0.5) for probabilities, with "
            "threshold=0 for a mask of zeros and other numbers.",
        )
    return np.asarray(inside)


def _above(values: NDArray[Any], threshold: float) -> NDArray[np.bool_]:
    n_nan = int(np.count_nonzero(np.isnan(values)))
    if n_nan:
        raise MaskError(
            f"A mask cannot be cut at {threshold:g}: {n_nan} voxels are NaN.",
            hint="numpy.nan_to_num() makes zeros of them, if that is what they mean.",
        )
    return np.asarray(values > threshold)


def sphere(grid: Grid | ImageSource, centre_mm: ArrayLike, radius_mm: float) -> nib.Nifti1Image:
    """Return a mask of all voxels whose centres lie within a distance of a point.

    Parameters
    ----------
    grid : Grid, str, path-like or image
        Where the voxels lie; of BrainData, its ``grid``.
    centre_mm : (3,) array-like
        World coordinates of the centre, in mm.
    radius_mm : float
        A voxel whose centre is exactly this far away belongs to the sphere.

    Returns
    -------
    mask : nibabel.Nifti1Image
        Zeros and ones.

    Raises
    ------
    MaskError
        If no voxel's centre lies in the sphere, the point is not three finite numbers, or the
        radius is not a positive one.

    Examples
    --------
    >>> grid = Grid(shape=(9, 9, 9), affine=np.diag([2, 2, 2, 1]))
    >>> int(sphere(grid, (8, 8, 8), 2).dataobj.sum())
    7
    """
    grid = grid if isinstance(grid, Grid) else Grid.of(load_image(grid))
    centre, radius = _require_ball(centre_mm, radius_mm)
    reach_mm = radius * (1 + SURFACE)
    nearest = world_to_voxel(grid.affine, centre)
    half = reach_mm * np.linalg.norm(np.linalg.inv(grid.affine[:3, :3]), axis=1)
    first = np.clip(np.ceil(nearest - half), 0, grid.shape).astype(int)
    last = np.clip(np.floor(nearest + half) + 1, 0, grid.shape).astype(int)
    box = tuple(slice(low, high) for low, high in zip(first, last, strict=True))
    ijk = np.moveaxis(np.asarray(np.mgrid[box]), 0, -1)
    away_mm = np.linalg.norm(voxel_to_world(grid.affine, ijk) - centre, axis=-1)
    inside = np.zeros(grid.shape, dtype=bool)
    inside[box] = away_mm <= reach_mm
    if not inside.any():
        raise MaskError(
            f"No voxel has its centre within {radius:g} mm of {centre.tolist()} in {grid}.",
            hint="Is the point in mm and inside the image, and the radius not below the size of "
            "a voxel?",
        )
    return Mask(grid=grid, inside=inside).to_image()


def _require_ball(centre_mm: ArrayLike, radius_mm: float) -> tuple[NDArray[np.float64], float]:
    """Return centre and radius as numbers, or say why they are none."""
    try:
        centre, radius = np.asarray(centre_mm, np.float64), float(radius_mm)
    except (TypeError, ValueError) as error:
        raise MaskError(
            f"A sphere has a centre and a radius in numbers, but these are {centre_mm!r} and "
            f"{radius_mm!r}: {error}.",
            hint="For example sphere(image, (20, -4, -18), 6), all in mm.",
        ) from error
    if centre.shape != (3,) or not np.isfinite(centre).all():
        raise MaskError(
            f"The centre of a sphere is one point (x, y, z) in mm, but this is {centre.tolist()}.",
            hint="union_mask() joins several spheres.",
        )
    if not 0 < radius < np.inf:
        raise MaskError(f"A sphere of {radius:g} mm has no inside.", hint="Pass a radius in mm.")
    return centre, radius


def same_mask(one: Mask, other: Mask) -> bool:
    """Tell whether two masks look at the same voxels in the same places.

    Parameters
    ----------
    one, other : Mask
        The masks to compare.

    Returns
    -------
    same : bool
        True when the grids are the same and so is every voxel.

    Examples
    --------
    >>> grid = Grid(shape=(9, 9, 9), affine=np.eye(4))
    >>> one, other = (require_mask(sphere(grid, (4, 4, 4), mm)) for mm in (1, 1.2))
    >>> same_mask(one, other)
    True
    """
    if one is other:
        return True
    return same_grid(one.grid, other.grid) and np.array_equal(one.inside, other.inside)
