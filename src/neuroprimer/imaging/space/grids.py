"""Grids: which points of the world an image has voxels for."""

from dataclasses import dataclass
from itertools import product
from operator import index

import nibabel as nib
import numpy as np
from nibabel.spatialimages import SpatialImage
from numpy.typing import NDArray

from neuroprimer.errors import NeuroprimerError
from neuroprimer.imaging.space.affines import require_affine, voxel_sizes, voxel_to_world

# Headers store affines in float32: two programs that mean the same place differ by less than this.
AFFINE_TOLERANCE_MM = 1e-3

RESAMPLE_HINT = "Resample one onto the other first, with resample_to()."


class GridMismatchError(NeuroprimerError, ValueError):
    """Two images that do not lie on the same grid.

    Examples
    --------
    >>> from neuroprimer.imaging import make_head, mean_image
    >>> mean_image([make_head((10, 12, 10)), make_head((10, 12, 8))])
    Traceback (most recent call last):
    ...
    neuroprimer.imaging.space.grids.GridMismatchError: Cannot look at an image
    with the others: they lie on different grids. Grid 10 x 12 x 8, voxels 4 x 4
    x 4 mm, axes RAS, first voxel at (-18, -22, -14) mm against Grid 10 x 12 x
    10, voxels 4 x 4 x 4 mm, axes RAS, first voxel at (-18, -22, -18) mm.
    Resample one onto the other first, with resample_to().
    """


@dataclass(frozen=True, kw_only=True, eq=False)
class Grid:
    """A box of voxels and where it lies in the world.

    Parameters
    ----------
    shape : tuple of three int
        Voxels along i, j and k. Time is no part of a grid.
    affine : (4, 4) array-like
        Voxel to world, in mm, RAS+.

    Raises
    ------
    AffineError
        If `affine` is no affine.
    GridMismatchError
        If `shape` is not three positive whole numbers.

    Examples
    --------
    >>> Grid(shape=(4, 5, 6), affine=np.diag([2, 2, 3, 1]))
    Grid 4 x 5 x 6, voxels 2 x 2 x 3 mm, axes RAS, first voxel at (0, 0, 0) mm
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]

    def __post_init__(self) -> None:
        try:
            shape = tuple(index(length) for length in self.shape)
        except TypeError:
            shape = ()
        if len(shape) != 3 or min(shape) < 1:
            raise GridMismatchError(
                f"A grid has three positive whole lengths, but this shape is {self.shape}.",
                hint="Of a 4-D image take image.shape[:3], or use Grid.of(image).",
            )
        affine = require_affine(self.affine).copy()
        affine.flags.writeable = False
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "affine", affine)

    @classmethod
    def of(cls, image: SpatialImage) -> "Grid":
        """Return the grid that an image lies on, whatever its number of volumes."""
        i, j, k = (*image.shape, 1, 1)[:3]
        return cls(shape=(i, j, k), affine=image.affine)

    def __repr__(self) -> str:
        lengths = " x ".join(map(str, self.shape))
        sizes = " x ".join(f"{size:.4g}" for size in voxel_sizes(self.affine))
        origin = ", ".join(f"{coordinate:.4g}" for coordinate in self.affine[:3, 3])
        codes = "".join(code or "?" for code in nib.aff2axcodes(self.affine))
        return f"Grid {lengths}, voxels {sizes} mm, axes {codes}, first voxel at ({origin}) mm"


def same_grid(one: Grid, other: Grid, *, tolerance_mm: float = AFFINE_TOLERANCE_MM) -> bool:
    """Tell whether two grids have the same voxels at the same places.

    Parameters
    ----------
    one, other : Grid
        The grids to compare.
    tolerance_mm : float
        By how much the centres of the eight corner voxels may lie apart, in mm.

    Returns
    -------
    same : bool
        True when the shapes are equal and no corner lies further off than `tolerance_mm`.
        An affine map moves no voxel further than it moves a corner.

    Examples
    --------
    >>> one = Grid(shape=(2, 2, 2), affine=np.eye(4))
    >>> same_grid(one, Grid(shape=(2, 2, 2), affine=np.diag([-1, 1, 1, 1])))
    False
    """
    if one.shape != other.shape:
        return False
    if np.array_equal(one.affine, other.affine):  # nearly always, and much faster to see
        return True
    corners = corner_voxels(one)
    apart = voxel_to_world(one.affine, corners) - voxel_to_world(other.affine, corners)
    return bool(np.linalg.norm(apart, axis=1).max() <= tolerance_mm)


def require_same_grid(
    one: Grid, other: Grid, *, what: str = "Cannot compare", hint: str = RESAMPLE_HINT
) -> None:
    """Raise unless two grids have the same voxels at the same places.

    Parameters
    ----------
    one, other : Grid
        The grids to compare.
    what : str
        What cannot be done, for the message.
    hint : str
        What to do about it.

    Raises
    ------
    GridMismatchError
        If they differ; it names both grids.

    Examples
    --------
    >>> grid = Grid(shape=(2, 2, 2), affine=np.eye(4))
    >>> require_same_grid(grid, grid)
    """
    if not same_grid(one, other):
        raise GridMismatchError(
            f"{what}: they lie on different grids. {one} against {other}.", hint=hint
        )


def bounding_box_mm(grid: Grid) -> NDArray[np.float64]:
    """Return the smallest box along the world axes that holds all voxel centres.

    Parameters
    ----------
    grid : Grid
        Any grid, oblique ones too.

    Returns
    -------
    box_mm : (2, 3) array
        Lowest x, y, z in the first row, highest in the second, in mm.

    Examples
    --------
    >>> bounding_box_mm(Grid(shape=(3, 3, 3), affine=np.diag([-2, 2, 2, 1])))
    array([[-4.,  0.,  0.],
           [ 0.,  4.,  4.]])
    """
    corners = voxel_to_world(grid.affine, corner_voxels(grid))
    return np.stack([corners.min(axis=0), corners.max(axis=0)])


def corner_voxels(grid: Grid) -> NDArray[np.int64]:
    """Return the indices of the eight corner voxels.

    Parameters
    ----------
    grid : Grid
        Any grid.

    Returns
    -------
    ijk : (8, 3) array
        The first and last index along each axis, in all combinations.

    Examples
    --------
    >>> corner_voxels(Grid(shape=(4, 5, 6), affine=np.eye(4)))[[0, 7]].tolist()
    [[0, 0, 0], [3, 4, 5]]
    """
    return np.array(list(product(*((0, length - 1) for length in grid.shape))))
