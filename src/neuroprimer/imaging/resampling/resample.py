"""Resampling: images on other grids, and images whose picture has been moved.

All directions here are meant in the world: "5 mm in x" moves a brain 5 mm to its right, whatever
the order in which its voxels are stored.
"""

from itertools import product
from typing import Literal

import nibabel as nib
import numpy as np
from nibabel.orientations import apply_orientation, inv_ornt_aff
from nibabel.spatialimages import SpatialImage
from numpy.typing import ArrayLike, NDArray

from neuroprimer.imaging.files.headers import ALIGNED, derive_image, storable_dtype, world_code
from neuroprimer.imaging.files.voxels import load_voxels
from neuroprimer.imaging.resampling.pulls import SAME_PLACE_VOXELS, Pull
from neuroprimer.imaging.resampling.regrid import (
    Interpolation,
    NanPolicy,
    Options,
    ResampleError,
    regrid,
    require_lengths,
    require_option,
)
from neuroprimer.imaging.space.affines import (
    AffineError,
    axis_codes,
    require_affine,
    require_invertible,
    voxel_to_world,
    world_to_voxel,
)
from neuroprimer.imaging.space.grids import Grid

FieldOfView = Literal["keep", "grow"]


def move_image(image: SpatialImage, world_affine: ArrayLike) -> nib.Nifti1Image:
    """Move an image by its header alone; every voxel keeps its value.

    Parameters
    ----------
    image : nibabel.spatialimages.SpatialImage
        Its voxels are not read.
    world_affine : (4, 4) array-like
        World to world, in mm, RAS+: where each point of the picture goes.

    Returns
    -------
    moved : nibabel.Nifti1Image
        The same voxels, still on disk if they were, under the affine
        ``world_affine @ image.affine``. The repetition time and the rest of the header are kept.

    Raises
    ------
    AffineError
        If `world_affine` is no affine, or flattens space.
    ResampleError
        If `image` is no image.

    See Also
    --------
    transform_image : moves the picture over a grid that stays where it is.

    Notes
    -----
    The header then says "aligned" (sform code 2), as the coordinates are no longer those of the
    scanner or template. The qform says the same where it can; it holds no shears, and is then
    marked as unknown (code 0).

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_head
    >>> head = make_head()
    >>> to_the_right = nib.affines.from_matvec(np.eye(3), [5, 0, 0])
    >>> move_image(head, to_the_right).affine[:3, 3] - head.affine[:3, 3]
    array([5., 0., 0.])
    """
    _require_image(image)
    moved = _moved(require_affine(image.affine), world_affine)
    return derive_image(image, image.dataobj, moved, code=ALIGNED)


def transform_image(
    image: SpatialImage,
    world_affine: ArrayLike,
    *,
    grid: Grid | SpatialImage | None = None,
    interpolation: Interpolation = "auto",
    fill_value: float = 0.0,
    field_of_view: FieldOfView = "keep",
    nan: NanPolicy = "raise",
    n_workers: int | None = None,
) -> nib.Nifti1Image:
    """Move the picture in an image where an affine says, over a grid that stays where it is.

    Parameters
    ----------
    image : nibabel.spatialimages.SpatialImage
        3-D or 4-D.
    world_affine : (4, 4) array-like
        World to world, in mm, RAS+: where each point of the picture goes. A translation by +5 mm
        in x moves a brain 5 mm to its right. (Many programs take the inverse, see Notes.)
    grid : Grid or image, optional
        Where the result has its voxels. Default: where `image` has them.
    interpolation : {"auto", "linear", "cubic", "nearest"}
        How values between voxels are found. "auto" takes the nearest voxel for labels and masks,
        as :func:`holds_labels` sees them, and is linear for everything else.
    fill_value : float
        What stands where the picture does not reach.
    field_of_view : {"keep", "grow"}
        "grow" lengthens the image's own grid, voxel by voxel, until it holds the whole moved
        picture, too.
    nan : {"raise", "zero"}
        What to do about NaN and infinity, which would spread over their neighbours: refuse, or take
        zero for them. The nearest voxel is only copied: there, "raise" lets them pass.
    n_workers : int, optional
        Number of threads; no value depends on it. Default: as many as there are cores.

    Returns
    -------
    moved : nibabel.Nifti1Image
        The repetition time, units and intent of `image` are kept. Nearest voxels keep the type
        they have; otherwise voxels are float32, or float64 where float32 does not hold all values
        of the type of `image`.

    Raises
    ------
    AffineError
        If `world_affine` is no affine, or flattens space.
    NotANumberError
        If voxels are NaN or infinite, and `nan` is "raise".
    ResampleError
        If `image` is not 3-D or 4-D or its voxels are no real numbers, labels are to be
        interpolated, an option is unknown, `fill_value` does not fit the voxels' type, or the
        result would not fit into memory.

    See Also
    --------
    move_image : changes the header instead, and no voxel.
    resample_to : leaves the picture where it is.

    Notes
    -----
    ``scipy.ndimage.affine_transform``, ITK and nitransforms take the way *back*, from the result to
    the source: their translation by +5 moves the picture by -5.

    The outermost voxel centres are the edge of the picture: points beyond them are filled, for
    every interpolation, as with ``mode="constant"`` in scipy. A point that lies within 0.0001
    voxels of the edge is on it; and where all points lie as near to voxel centres, voxels are
    copied. Cubic is the interpolating B-spline of order 3, mirrored about the outermost voxels. It
    can overshoot.

    With numba (``pip install neuroprimer[fast]``), results of a million voxels and more come from
    compiled loops, all others from scipy and numpy. The two differ by rounding.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_labels
    >>> regions = make_labels()
    >>> to_the_right = nib.affines.from_matvec(np.eye(3), [8, 0, 0])
    >>> moved = transform_image(regions, to_the_right)
    >>> def middle(image):
    ...     voxels = np.argwhere(image.get_fdata() == 4)
    ...     return voxel_to_world(image.affine, voxels).mean(axis=0)
    >>> (middle(moved) - middle(regions)).round(3)
    array([8., 0., 0.])
    """
    options = Options(interpolation, fill_value, nan, n_workers)
    source = _require_volumes(image)
    require_option("field_of_view", field_of_view, FieldOfView)
    moved = Grid(shape=source.shape, affine=_moved(source.affine, world_affine))
    if grid is None:
        target = source if field_of_view == "keep" else _grown(source, moved)
    elif field_of_view == "keep":
        target = _grid_of(grid)
    else:
        raise ResampleError(
            "A grid was given, and was to be grown as well: field_of_view='grow' grows the "
            "image's own grid.",
            hint="Leave out one of the two.",
        )
    return regrid(image, Pull.between(moved, target), target, options, code=ALIGNED)


def resample_to(
    image: SpatialImage,
    target: Grid | SpatialImage,
    *,
    interpolation: Interpolation = "auto",
    fill_value: float = 0.0,
    nan: NanPolicy = "raise",
    n_workers: int | None = None,
) -> nib.Nifti1Image:
    """Give an image the voxels of another grid; the picture stays where it is in the world.

    Parameters
    ----------
    image : nibabel.spatialimages.SpatialImage
        3-D or 4-D.
    target : Grid or image
        Where the result has its voxels. Of an image, only the grid is looked at.
    interpolation, fill_value, nan, n_workers
        As in :func:`transform_image`.

    Returns
    -------
    resampled : nibabel.Nifti1Image
        On the grid of `target`, with the volumes, repetition time and intent of `image`, and the
        type of voxels that :func:`transform_image` gives.

    Raises
    ------
    AffineError
        If the voxel axes of `image` lie in one plane.
    NotANumberError, ResampleError
        As in :func:`transform_image`, and if `target` is neither a grid nor an image.

    Notes
    -----
    Nothing is smoothed: a grid with much larger voxels looks at some of the voxels and passes over
    the others.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_head, make_run
    >>> resample_to(make_run(5), make_head()).shape
    (40, 48, 40, 5)
    """
    options = Options(interpolation, fill_value, nan, n_workers)
    source, grid = _require_volumes(image), _grid_of(target)
    return regrid(image, Pull.between(source, grid), grid, options, code=world_code(image))


def to_ras(image: SpatialImage) -> nib.Nifti1Image:
    """Reorder the voxels of an image so that i runs to the right, j to the front, k to the top.

    Parameters
    ----------
    image : nibabel.spatialimages.SpatialImage
        3-D or 4-D, in any of the 48 storage orders.

    Returns
    -------
    reordered : nibabel.Nifti1Image
        The same voxels at the same places in the world: axes are exchanged and turned round, and
        nothing is interpolated. The header is kept, with the affine and the axes it names
        changed along. An image that is in order already is not read.

    Raises
    ------
    AffineError
        If the affine has an axis without direction.
    ResampleError
        If the image is not 3-D or 4-D.

    Notes
    -----
    An oblique image stays oblique: its axes run in the nearest directions. The voxels of an image
    in memory are not copied.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_head
    >>> axis_codes(to_ras(make_head(axis_codes="PIL")).affine)
    ('R', 'A', 'S')
    """
    grid = _require_volumes(image)
    code = world_code(image)
    if axis_codes(grid.affine) == ("R", "A", "S"):
        return derive_image(image, image.dataobj, grid.affine, code=code)
    orientation = nib.io_orientation(grid.affine)
    affine = grid.affine @ inv_ornt_aff(orientation, grid.shape)
    voxels = apply_orientation(load_voxels(image), orientation)
    voxels = voxels.astype(storable_dtype(voxels.dtype), copy=False)
    reordered = derive_image(image, voxels, affine, code=code)
    named = reordered.header.get_dim_info()
    reordered.header.set_dim_info(
        *(None if axis is None else int(orientation[axis, 0]) for axis in named)
    )
    if named[2] is not None and orientation[named[2], 1] < 0:
        reordered.header["slice_code"] = 0  # the order of slices ran the other way
    return reordered


def _moved(affine: NDArray[np.float64], world_affine: ArrayLike) -> NDArray[np.float64]:
    """Return where an affine's voxels go."""
    world_affine = require_affine(world_affine)
    try:
        require_invertible(world_affine)
    except AffineError as error:
        raise AffineError(
            "Cannot move the picture: this world affine flattens it. It takes steps of 1 mm along "
            f"x, y and z to {world_affine[:3, :3].T.tolist()}, which span no volume.",
            hint="No scale may be zero, and no column of the 3 x 3 part a sum of the others.",
        ) from error
    with np.errstate(over="ignore", invalid="ignore"):  # infinity is no affine
        return require_affine(world_affine @ affine)


def _grown(grid: Grid, moved: Grid) -> Grid:
    """Return a grid, longer by whole voxels, that holds another one's outermost voxels, too."""
    corners = list(product(*((0, length - 1) for length in moved.shape)))
    with np.errstate(over="ignore", invalid="ignore"):  # such lengths are refused below
        places = world_to_voxel(grid.affine, voxel_to_world(moved.affine, corners))
    low = np.minimum(0, np.floor(places.min(axis=0) + SAME_PLACE_VOXELS))
    high = np.maximum(np.array(grid.shape) - 1, np.ceil(places.max(axis=0) - SAME_PLACE_VOXELS))
    lengths = high - low + 1
    require_lengths(lengths)
    i, j, k = (int(length) for length in lengths)
    affine = grid.affine.copy()
    affine[:3, 3] = voxel_to_world(grid.affine, low)
    return Grid(shape=(i, j, k), affine=affine)


def _require_image(image: object) -> None:
    if not isinstance(image, SpatialImage):
        raise ResampleError(
            f"Only an image can be moved or resampled, but this is a {type(image).__name__}.",
            hint="Open a file with load_image(path).",
        )


def _require_volumes(image: SpatialImage) -> Grid:
    """Return the grid of an image with three or four axes."""
    _require_image(image)
    if len(image.shape) not in (3, 4) or 0 in image.shape:
        raise ResampleError(
            f"An image of shape {image.shape} cannot be resampled; expected (x, y, z) or "
            "(x, y, z, time).",
            hint="as_4d(image) drops a superfluous axis of length 1."
            if len(image.shape) > 4
            else "A single slice has a third axis of length 1.",
        )
    return Grid.of(image)


def _grid_of(target: Grid | SpatialImage) -> Grid:
    if isinstance(target, Grid):
        return target
    if not isinstance(target, SpatialImage):
        raise ResampleError(
            f"A {type(target).__name__} does not say where voxels lie; expected a Grid or an "
            "image.",
            hint="Grid(shape=..., affine=...) makes one; load_image(path) opens a file.",
        )
    return Grid.of(target)
