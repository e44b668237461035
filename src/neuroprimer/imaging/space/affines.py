"""Affines: from voxel indices to world coordinates, and back.

An affine here is always a 4 x 4 matrix that takes voxel indices ``ijk`` to world coordinates
``xyz`` in mm, RAS+: x grows to the right, y to the front, z to the top of the head. An index
means the centre of its voxel.
"""

from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroprimer.errors import NeuroprimerError
from neuroprimer.imaging.space.point_kernels import (
    carry,
    to_voxel,
    to_voxel_loop,
    to_world,
    to_world_loop,
)

# Ratio of the longest to the shortest axis of a voxel whose edges have length 1: beyond this, more
# than half of the digits of float64 are lost on the way back.
FLATTEST = 1e8

# Rows and columns of the shears xy, xz and yz.
SHEARED = [0, 0, 1], [1, 2, 2]


class AffineError(NeuroprimerError, ValueError):
    """A matrix that cannot serve as an affine.

    Examples
    --------
    >>> affine = nib.affines.from_matvec(np.eye(3), [10, 20, 30])
    >>> voxel_to_world(affine.T, [0, 0, 0])
    Traceback (most recent call last):
    ...
    neuroprimer.imaging.space.affines.AffineError: The last row of an affine is
    0 0 0 1, but here it is [10.0, 20.0, 30.0, 1.0]. If the translation stands
    in the last row, it is transposed: pass its .T
    """


def require_affine(affine: ArrayLike) -> NDArray[np.float64]:
    """Return `affine` as a float64 array, or say why it is none.

    Parameters
    ----------
    affine : (4, 4) array-like
        Voxel to world, in mm, RAS+.

    Returns
    -------
    affine : (4, 4) array
        The same numbers in float64.

    Raises
    ------
    AffineError
        If `affine` is not (4, 4), holds NaN or infinity, or its last row is not 0 0 0 1.

    Examples
    --------
    >>> require_affine(np.eye(4)).shape
    (4, 4)
    """
    matrix = require_numbers(affine, "An affine")
    if matrix.shape != (4, 4):
        raise AffineError(
            f"An affine has shape (4, 4), but this array has shape {matrix.shape}.",
            hint="A 3 x 3 matrix has no place for the translation: "
            "nibabel.affines.from_matvec(matrix, translation) makes it 4 x 4.",
        )
    if not np.isfinite(matrix).all():
        raise AffineError(
            "An affine holds finite numbers, but this one has "
            f"{np.count_nonzero(~np.isfinite(matrix))} that are NaN or infinite.",
            hint="Look at image.header: the sform or the qform of the file may be damaged.",
        )
    if not np.array_equal(matrix[3], [0, 0, 0, 1]):
        raise AffineError(
            f"The last row of an affine is 0 0 0 1, but here it is {matrix[3].tolist()}.",
            hint="If the translation stands in the last row, it is transposed: pass its .T",
        )
    return matrix


def require_numbers(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """Return an array in float64, or say why its values are no real numbers.

    Parameters
    ----------
    values : array-like
        Anything.
    name : str
        What the values are, for the message.

    Returns
    -------
    array : array
        A copy.

    Raises
    ------
    AffineError
        If the values are complex, or no numbers.

    Examples
    --------
    >>> require_numbers([1, 2], "A pair")
    array([1., 2.])
    """
    try:
        array = np.asarray(values)
        if values is None:
            raise TypeError("there is none")
        if np.iscomplexobj(array):
            raise TypeError("complex numbers have no place in the world")
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise AffineError(
            f"{name} is made of real numbers, but this {type(values).__name__} is not: {error}.",
            hint="Pass image.affine, or an array of numbers.",
        ) from error


def require_invertible(affine: ArrayLike) -> NDArray[np.float64]:
    """Return `affine` as a float64 array if there is a way back from the world.

    Parameters
    ----------
    affine : (4, 4) array-like
        Voxel to world, in mm, RAS+.

    Returns
    -------
    affine : (4, 4) array
        The same numbers in float64.

    Raises
    ------
    AffineError
        If `affine` is no affine, or its voxel axes lie in one plane.

    Examples
    --------
    >>> require_invertible(np.diag([2, 2, 3, 1])).shape
    (4, 4)
    """
    matrix = require_affine(affine)
    sizes_mm = voxel_sizes(matrix)
    # Rounding hides a plane from a determinant of exactly zero. Directions are compared, not
    # lengths: long voxels next to thin ones are no reason to refuse.
    if not sizes_mm.all() or np.linalg.cond(matrix[:3, :3] / sizes_mm) > FLATTEST:
        raise AffineError(
            f"This affine cannot be inverted: its voxels are {sizes_mm.tolist()} mm along i, j, k "
            "and span no volume.",
            hint="No column of the 3 x 3 part may be zero or a sum of the others.",
        )
    return matrix


def _require_points(coordinates: ArrayLike, name: str) -> NDArray[Any]:
    """Return coordinates whose last axis has length 3, without a copy if they are numbers."""
    points = np.asarray(coordinates) if isinstance(coordinates, np.ndarray) else coordinates
    if not isinstance(points, np.ndarray) or points.dtype.kind not in "iuf":
        points = require_numbers(points, name)
    if points.ndim == 0 or points.shape[-1] != 3:
        raise AffineError(
            f"{name} has three numbers along its last axis, but its shape is {points.shape}.",
            hint="One point is (3,), many points are (n, 3); transpose an array of shape (3, n).",
        )
    return points


def voxel_to_world(affine: ArrayLike, ijk: ArrayLike) -> NDArray[np.float64]:
    """Map voxel indices to world coordinates.

    Parameters
    ----------
    affine : (4, 4) array-like
        Voxel to world, in mm, RAS+.
    ijk : (..., 3) array-like
        Voxel indices; fractions lie between voxel centres.

    Returns
    -------
    xyz : (..., 3) array
        World coordinates in mm.

    Raises
    ------
    AffineError
        If `affine` is no affine, or the last axis of `ijk` is not of length 3.

    See Also
    --------
    world_to_voxel : the way back.

    Notes
    -----
    With the affine written as its 3 x 3 part M and its last column t, ``xyz = M @ ijk + t``.

    Examples
    --------
    >>> affine = np.diag([2.0, 2.0, 3.0, 1.0])
    >>> voxel_to_world(affine, [1, 0, 2])
    array([2., 0., 6.])
    """
    matrix = require_affine(affine)
    numbers = matrix[:3, :3].copy(), matrix[:3, 3].copy()
    return carry(_require_points(ijk, "ijk"), numbers, plain=to_world, loop=to_world_loop)


def world_to_voxel(affine: ArrayLike, xyz: ArrayLike) -> NDArray[np.float64]:
    """Map world coordinates to voxel indices.

    The indices are not rounded: the fraction says where inside a voxel the point lies.

    Parameters
    ----------
    affine : (4, 4) array-like
        Voxel to world, in mm, RAS+ (the image's own affine, not its inverse).
    xyz : (..., 3) array-like
        World coordinates in mm.

    Returns
    -------
    ijk : (..., 3) array
        Voxel indices with fractions. They may lie outside the image.

    Raises
    ------
    AffineError
        If `affine` is no affine or cannot be inverted, or the last axis of `xyz` is not of
        length 3.

    Examples
    --------
    >>> affine = np.diag([2.0, 2.0, 3.0, 1.0])
    >>> world_to_voxel(affine, [2, 0, 6])
    array([1., 0., 2.])
    """
    turn, zooms, shears = turn_zooms_shears(affine)
    # zero divided by a negative size would be printed as -0
    back, sizes = turn * np.sign(zooms) + 0.0, np.abs(zooms)
    in_mm = np.eye(3)
    in_mm[SHEARED] = shears * sizes[SHEARED[0]] / sizes[SHEARED[1]]
    # a shear as small as in most images can be undone together with the turn, which is faster
    if np.abs(in_mm[SHEARED]).max() < 0.5:
        back, shears = back @ np.linalg.inv(in_mm).T, np.zeros(3)
    numbers = back, sizes, shears, require_affine(affine)[:3, 3].copy()
    return carry(_require_points(xyz, "xyz"), numbers, plain=to_voxel, loop=to_voxel_loop)


def turn_zooms_shears(
    affine: ArrayLike,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Write the 3 x 3 part of an affine as a turn of lengthened, sheared axes.

    Parameters
    ----------
    affine : (4, 4) array-like
        Voxel to world, in mm, RAS+.

    Returns
    -------
    turn : (3, 3) array
        A rotation, of determinant +1.
    zooms : (3,) array
        In mm per voxel. The first is negative when the affine mirrors.
    shears : (3,) array
        The numbers xy, xz and yz right of the diagonal of the shear, which has ones on it.

    Raises
    ------
    AffineError
        If `affine` is no affine, or its voxel axes lie in one plane.

    Notes
    -----
    ``affine[:3, :3] == turn @ np.diag(zooms) @ shear``. Each column loses its part along those
    before it (Gram and Schmidt), twice, for what rounding left the first time. Unlike
    `numpy.linalg.qr` this keeps axes that run along the world's exactly there.

    Examples
    --------
    >>> turn, zooms, shears = turn_zooms_shears(np.diag([-2.0, 2.0, 3.0, 1.0]))
    >>> zooms
    array([-2.,  2.,  3.])
    """
    axes = require_invertible(affine)[:3, :3]
    turn, triangle = np.zeros((3, 3)), np.zeros((3, 3))
    for column in range(3):
        rest = axes[:, column]
        for _ in range(2):
            along = turn.T @ rest
            rest = rest - turn @ along
            triangle[:, column] += along
        triangle[column, column] = np.hypot.reduce(rest)
        turn[:, column] = rest / triangle[column, column]
    if np.linalg.det(turn) < 0:
        turn[:, 0] *= -1
        triangle[0] *= -1
    zooms = np.diagonal(triangle)
    shears = (triangle / zooms[:, np.newaxis])[SHEARED]
    # adding zero makes a plain zero of a negative one
    return turn + 0.0, zooms.copy(), shears + 0.0


def voxel_sizes(affine: ArrayLike) -> NDArray[np.float64]:
    """Return the distance between neighbouring voxel centres along each voxel axis.

    Parameters
    ----------
    affine : (4, 4) array-like
        Voxel to world, in mm, RAS+.

    Returns
    -------
    sizes_mm : (3,) array
        Step along i, j and k in mm, never negative.

    Raises
    ------
    AffineError
        If `affine` is no affine.

    Notes
    -----
    The length of each column of the 3 x 3 part. The diagonal alone is right only for an image
    whose axes run along the world's.

    Examples
    --------
    >>> quarter_turn = [[0, -2, 0, 0], [2, 0, 0, 0], [0, 0, 3, 0], [0, 0, 0, 1]]
    >>> voxel_sizes(quarter_turn)
    array([2., 2., 3.])
    """
    # squares of very large or small numbers would leave the range of float64
    return np.asarray(np.hypot.reduce(require_affine(affine)[:3, :3], axis=0))


def axis_codes(affine: ArrayLike) -> tuple[str, str, str]:
    """Name the direction in which each voxel index grows.

    Parameters
    ----------
    affine : (4, 4) array-like
        Voxel to world, in mm, RAS+.

    Returns
    -------
    codes : tuple of three str
        One letter each for i, j and k: L or R, P or A, I or S. For an oblique image, the
        nearest direction.

    Raises
    ------
    AffineError
        If `affine` is no affine, or a voxel axis has no length.

    Examples
    --------
    >>> axis_codes(np.diag([-1.0, 1.0, 1.0, 1.0]))
    ('L', 'A', 'S')
    """
    matrix = require_affine(affine)
    codes = nib.aff2axcodes(matrix)
    if None in codes:
        raise AffineError(
            f"A voxel axis points nowhere: voxel sizes are {voxel_sizes(matrix).tolist()} mm.",
            hint="Every column of the 3 x 3 part needs a length and a direction of its own.",
        )
    i, j, k = codes
    return str(i), str(j), str(k)


def obliquity(affine: ArrayLike) -> NDArray[np.float64]:
    """Return the angle between each voxel axis and the nearest world axis.

    Parameters
    ----------
    affine : (4, 4) array-like
        Voxel to world, in mm, RAS+.

    Returns
    -------
    angles_rad : (3,) array
        One angle each for i, j and k, in radians. All zero when the scan lies straight.

    Raises
    ------
    AffineError
        If `affine` is no affine, or a voxel axis has no length.

    Notes
    -----
    The largest entry of a column of the 3 x 3 part, divided by the column's length, is the cosine
    of the angle to the nearest world axis. `nibabel.affines.obliquity` goes by rows instead, which
    gives one angle for each *world* axis; the two differ in order when axes are permuted.

    Examples
    --------
    >>> angle_rad = 0.3
    >>> tilted = np.eye(4)
    >>> tilted[1:3, 1:3] = [
    ...     [np.cos(angle_rad), -np.sin(angle_rad)],
    ...     [np.sin(angle_rad), np.cos(angle_rad)],
    ... ]
    >>> obliquity(tilted).round(3)
    array([0. , 0.3, 0.3])
    """
    matrix = require_affine(affine)
    sizes_mm = voxel_sizes(matrix)
    if not sizes_mm.all():
        raise AffineError(
            f"A voxel axis without length has no direction: sizes are {sizes_mm.tolist()} mm.",
            hint="Every column of the 3 x 3 part needs a length.",
        )
    cosines = np.abs(matrix[:3, :3] / sizes_mm).max(axis=0)
    return np.asarray(np.arccos(np.minimum(cosines, 1)))
