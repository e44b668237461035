"""Transforms: 4 x 4 matrices that shift, stretch, mirror and shear the world, and how to join them.

Each takes a point of the world in mm to where it goes, as a column: ``new = transform @ old``. Put
before an image's affine, ``transform @ image.affine``, it says where the voxels lie afterwards.
"""

from functools import reduce

import numpy as np
from nibabel import affines as nibabel_affines
from nibabel.spatialimages import SpatialImage
from numpy.typing import ArrayLike, NDArray

from neuroprimer.imaging.space.affines import (
    SHEARED,
    AffineError,
    require_affine,
    require_invertible,
    require_numbers,
    voxel_to_world,
)

AXES = {"x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}


def require_triple(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """Return three finite numbers in float64, or say why these are none.

    Parameters
    ----------
    values : (3,) array-like
        Anything.
    name : str
        What the numbers are, for the message.

    Returns
    -------
    triple : (3,) array
        A copy.

    Raises
    ------
    AffineError
        If `values` are not three finite numbers.

    Examples
    --------
    >>> require_triple((1, 2, 3), "offset_mm")
    array([1., 2., 3.])
    """
    triple = require_numbers(values, name)
    if triple.shape != (3,) or not np.isfinite(triple).all():
        raise AffineError(
            f"{name} is three finite numbers, but here it is {triple.tolist()}.",
            hint="One number each for x, y and z.",
        )
    return triple


def make_affine(matrix: ArrayLike, offset: ArrayLike | None = None) -> NDArray[np.float64]:
    """Return a 4 x 4 matrix made of its 3 x 3 part and its last column.

    Parameters
    ----------
    matrix : (3, 3) array-like
        What happens about the origin.
    offset : (3,) array-like, optional
        Where the origin goes. Default: it stays.

    Returns
    -------
    affine : (4, 4) array
        Zeros in it have no sign, so that they print well.

    Examples
    --------
    >>> make_affine(np.eye(3), [1, 2, 3])[:, 3]
    array([1., 2., 3., 1.])
    """
    return np.asarray(nibabel_affines.from_matvec(matrix, offset), dtype=np.float64) + 0.0


def require_direction(axis: str | ArrayLike) -> NDArray[np.float64]:
    """Return an axis as a direction of length 1, or say why it is none.

    Parameters
    ----------
    axis : {"x", "y", "z"} or (3,) array-like
        The name of an axis of the world, or any direction, of any length.

    Returns
    -------
    direction : (3,) array
        Of length 1.

    Raises
    ------
    AffineError
        If `axis` is another word, or not three finite numbers, or all of them are zero.

    Examples
    --------
    >>> require_direction([0, 3, 4])
    array([0. , 0.6, 0.8])
    """
    if isinstance(axis, str) and axis not in AXES:
        raise AffineError(
            f"No axis of the world is called {axis!r}.",
            hint="Write 'x', 'y' or 'z', or give a direction as three numbers.",
        )
    drawn = require_triple(AXES[axis] if isinstance(axis, str) else axis, "An axis")
    if not drawn.any():
        raise AffineError(
            "An axis of length zero points nowhere: here it is [0.0, 0.0, 0.0].",
            hint="Write 'x', 'y' or 'z', or three numbers that are not all zero.",
        )
    # first by the largest, because the smallest numbers of float64 have few digits
    drawn = drawn / np.abs(drawn).max()
    return np.asarray(drawn / np.hypot.reduce(drawn))


def translation(offset_mm: ArrayLike) -> NDArray[np.float64]:
    """Return the transform that shifts every point by the same way.

    Parameters
    ----------
    offset_mm : (3,) array-like
        How far to the right, to the front and up, in mm.

    Returns
    -------
    transform : (4, 4) array
        World to world, in mm.

    Raises
    ------
    AffineError
        If `offset_mm` is not three finite numbers.

    Examples
    --------
    >>> voxel_to_world(translation([10, 0, -5]), [1, 2, 3])
    array([11.,  2., -2.])
    """
    return make_affine(np.eye(3), require_triple(offset_mm, "offset_mm"))


def scaling(factors: ArrayLike) -> NDArray[np.float64]:
    """Return the transform that stretches the world about its origin.

    Parameters
    ----------
    factors : float or (3,) array-like
        One factor for all axes, or one each for x, y and z. Above 1 things grow; below 0 they are
        mirrored as well.

    Returns
    -------
    transform : (4, 4) array
        World to world, in mm.

    Raises
    ------
    AffineError
        If `factors` are not one or three finite numbers, or one is zero.

    Examples
    --------
    >>> voxel_to_world(scaling([3, 1, 0.5]), [1, 2, 4])
    array([3., 2., 2.])
    """
    numbers = require_numbers(factors, "factors")
    three = require_triple(np.repeat(numbers, 3) if numbers.shape == () else numbers, "factors")
    if not three.all():
        raise AffineError(
            "A factor of 0 presses the world flat, with no way back: factors are "
            f"{three.tolist()}.",
            hint="Use 1 for an axis that is to stay as it is.",
        )
    return make_affine(np.diag(three))


def reflection(axis: str | ArrayLike) -> NDArray[np.float64]:
    """Return the transform that mirrors the world at a plane through its origin.

    Parameters
    ----------
    axis : {"x", "y", "z"} or (3,) array-like
        The direction that is turned round: "x" swaps left and right. Any other plane is given by
        the direction that stands upright on it.

    Returns
    -------
    transform : (4, 4) array
        World to world, in mm. It undoes itself.

    Raises
    ------
    AffineError
        If `axis` is no axis.

    Notes
    -----
    With the direction as a unit vector n, the 3 x 3 part is ``I - 2 n n'`` [1]_.

    References
    ----------
    .. [1] A. S. Householder, Unitary triangularization of a nonsymmetric matrix, Journal of the
       ACM 5 (1958) 339.

    Examples
    --------
    >>> voxel_to_world(reflection("x"), [30, 5, 8])
    array([-30.,   5.,   8.])
    """
    direction = require_direction(axis)
    return make_affine(np.eye(3) - 2 * np.outer(direction, direction))


def shearing(*, xy: float = 0.0, xz: float = 0.0, yz: float = 0.0) -> NDArray[np.float64]:
    """Return the transform that lets layers of the world slide over each other.

    Parameters
    ----------
    xy, xz, yz : float
        How far x grows with y, x with z, and y with z, in mm per mm.

    Returns
    -------
    transform : (4, 4) array
        World to world, in mm. Volumes stay as they are.

    Raises
    ------
    AffineError
        If one of them is not a finite number.

    Notes
    -----
    The numbers stand right of the diagonal::

        1 xy xz 0
        0  1 yz 0
        0  0  1 0
        0  0  0 1

    A shear by other entries is one of these between two rotations.

    Examples
    --------
    >>> voxel_to_world(shearing(xy=0.5), [1, 2, 3])
    array([2., 2., 3.])
    """
    matrix = np.eye(3)
    matrix[SHEARED] = require_triple((xy, xz, yz), "Shear by xy, xz and yz")
    return make_affine(matrix)


def about(affine: ArrayLike, centre_mm: ArrayLike) -> NDArray[np.float64]:
    """Return the same transform done about another point than the origin.

    Parameters
    ----------
    affine : (4, 4) array-like
        World to world, in mm: what is done about the origin.
    centre_mm : (3,) array-like
        The point to do it about. It stays where it is, unless `affine` shifts the origin: then it
        is shifted alike.

    Returns
    -------
    transform : (4, 4) array
        World to world, in mm.

    Raises
    ------
    AffineError
        If `affine` is no affine, or `centre_mm` is not three finite numbers.

    See Also
    --------
    image_centre_mm : the middle of an image.

    Notes
    -----
    ``translation(centre_mm) @ affine @ translation(-centre_mm)``: the point is brought to the
    origin, and back afterwards.

    Examples
    --------
    >>> twice_as_large = about(scaling(2), [10, 0, 0])
    >>> voxel_to_world(twice_as_large, [[10, 0, 0], [11, 0, 0]])
    array([[10., 0., 0.],
           [12., 0., 0.]])
    """
    matrix = require_affine(affine)
    centre = require_triple(centre_mm, "centre_mm")
    matrix[:3, 3] += centre - matrix[:3, :3] @ centre
    return matrix


def image_centre_mm(image: SpatialImage) -> NDArray[np.float64]:
    """Return the world coordinates of the middle of an image's field of view.

    Parameters
    ----------
    image : nibabel.spatialimages.SpatialImage
        An image; its voxels are not read.

    Returns
    -------
    centre_mm : (3,) array
        World coordinates in mm. With an even number of voxels it lies between two of them.

    Raises
    ------
    AffineError
        If `image` is no image, or has no affine.

    Examples
    --------
    >>> from nibabel import Nifti1Image
    >>> image = Nifti1Image(np.zeros((5, 5, 4), dtype=np.uint8), np.diag([2, 2, 2, 1]))
    >>> image_centre_mm(image)
    array([4., 4., 3.])
    """
    if not isinstance(image, SpatialImage):
        raise AffineError(
            f"Only an image has a field of view, and this is a {type(image).__name__}.",
            hint="Pass what load_image() returns.",
        )
    last_voxel = np.subtract((*image.shape, 1, 1)[:3], 1)
    return voxel_to_world(image.affine, last_voxel / 2)


def chain(*affines: ArrayLike) -> NDArray[np.float64]:
    """Return the one transform that does what several do one after the other.

    Parameters
    ----------
    *affines : (4, 4) array-like
        In the order in which they act: the first argument is applied first.

    Returns
    -------
    transform : (4, 4) array
        ``chain(first, second, third)`` is ``third @ second @ first``. With no argument, the
        identity.

    Raises
    ------
    AffineError
        If one of them is no affine.

    Examples
    --------
    >>> shift, stretch = translation([10, 0, 0]), scaling(2)
    >>> voxel_to_world(chain(shift, stretch), [0, 0, 0])
    array([20., 0., 0.])
    >>> voxel_to_world(chain(stretch, shift), [0, 0, 0])
    array([10., 0., 0.])
    """
    return reduce(lambda done, next_one: require_affine(next_one) @ done, affines, np.eye(4))


def invert(affine: ArrayLike) -> NDArray[np.float64]:
    """Return the way back.

    Parameters
    ----------
    affine : (4, 4) array-like
        From one space to another, such as voxel to world.

    Returns
    -------
    inverse : (4, 4) array
        From the other space to the one, such as world to voxel.

    Raises
    ------
    AffineError
        If `affine` is no affine, or presses space flat.

    See Also
    --------
    world_to_voxel : takes points back, without losing digits to an inverse.

    Examples
    --------
    >>> voxel_to_world(invert(translation([10, 0, 0])), [10, 5, 5])
    array([0., 5., 5.])
    """
    matrix = require_invertible(affine)
    back = np.linalg.inv(matrix[:3, :3])
    return make_affine(back, -back @ matrix[:3, 3])
