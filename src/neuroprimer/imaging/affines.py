"""Affines: from voxel indices to world coordinates, and back.

An affine here is always a 4 x 4 matrix that takes voxel indices ``ijk`` to world coordinates
``xyz`` in mm, RAS+: x grows to the right, y to the front, z to the top of the head. An index
means the centre of its voxel.
"""

import nibabel as nib
import numpy as np
from nibabel import affines as nibabel_affines
from numpy.typing import ArrayLike, NDArray

from neuroprimer.errors import NeuroprimerError

# Ratio of the longest to the shortest axis of a voxel whose edges have length 1: beyond this, more
# than half of the digits of float64 are lost on the way back.
FLATTEST = 1e8


class AffineError(NeuroprimerError, ValueError):
    """A matrix that cannot serve as an affine."""


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
    matrix = _require_numbers(affine, "An affine")
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


def _require_numbers(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """Return an array in float64, or say why its values are no real numbers."""
    try:
        array = np.asarray(values)
        if np.iscomplexobj(array):
            raise TypeError("complex numbers have no place in the world")
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise AffineError(
            f"{name} is made of real numbers, but this {type(values).__name__} is not: {error}.",
            hint="Pass image.affine, or an array of numbers.",
        ) from error


def _require_triples(coordinates: ArrayLike, name: str) -> NDArray[np.float64]:
    """Return coordinates whose last axis has length 3, in float64."""
    triples = _require_numbers(coordinates, name)
    if triples.ndim == 0 or triples.shape[-1] != 3:
        raise AffineError(
            f"{name} has three numbers along its last axis, but its shape is {triples.shape}.",
            hint="One point is (3,), many points are (n, 3); transpose an array of shape (3, n).",
        )
    return triples


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
    affine = require_affine(affine)
    return _require_triples(ijk, "ijk") @ affine[:3, :3].T + affine[:3, 3]


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
    affine = require_affine(affine)
    offset = _require_triples(xyz, "xyz") - affine[:3, 3]
    _require_volume(affine)
    # solve() keeps more digits than multiplying with an inverse
    ijk = np.linalg.solve(affine[:3, :3], offset.reshape(-1, 3).T)
    return np.asarray(ijk.T.reshape(offset.shape))


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
    return np.asarray(nibabel_affines.voxel_sizes(require_affine(affine)))


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


def _require_volume(affine: NDArray[np.float64]) -> None:
    """Raise if the voxel axes lie in one plane, so that there is no way back from the world."""
    sizes_mm = voxel_sizes(affine)
    # Rounding hides a plane from a determinant of exactly zero. Directions are compared, not
    # lengths: long voxels next to thin ones are no reason to refuse.
    if not sizes_mm.all() or np.linalg.cond(affine[:3, :3] / sizes_mm) > FLATTEST:
        raise AffineError(
            f"This affine cannot be inverted: its voxels are {sizes_mm.tolist()} mm along i, j, k "
            "and span no volume.",
            hint="No column of the 3 x 3 part may be zero or a sum of the others.",
        )
