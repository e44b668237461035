"""Rotations: turns of the world about an axis, or about three one after the other.

Angles are in radians and follow the right hand: with the thumb along the axis, the fingers show
the turn.
"""

import math
from functools import reduce
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroprimer.imaging.space.affines import AffineError, require_affine, require_numbers
from neuroprimer.imaging.space.transforms import (
    AXES,
    make_affine,
    require_direction,
    require_triple,
)

# A matrix that came through a header in float32 is orthogonal to about this much.
ROTATION_TOLERANCE = 1e-6

# Two turns in a row about one axis are a single turn, so neighbours differ.
EULER_ORDERS = tuple(
    f"R{first} @ R{second} @ R{third}"
    for first, second, third in product(AXES, repeat=3)
    if first != second != third
)


def rotation(axis: str | ArrayLike, angle_rad: float) -> NDArray[np.float64]:
    """Return the transform that turns the world about an axis through its origin.

    Parameters
    ----------
    axis : {"x", "y", "z"} or (3,) array-like
        The axis, of any length.
    angle_rad : float
        The angle in radians. A positive one turns front to top about x, top to right about y, and
        right to front about z.

    Returns
    -------
    transform : (4, 4) array
        World to world, in mm.

    Raises
    ------
    AffineError
        If `axis` is no axis, or the angle is no finite number.

    See Also
    --------
    about : turns about another point than the origin.
    rotation_axis_angle : the way back from the matrix.

    Notes
    -----
    Rodrigues' formula: with the axis as a unit vector n, angle a and N the matrix of the cross
    product with n, the 3 x 3 part is ``n n' + cos(a) (I - n n') + sin(a) N`` [1]_.

    References
    ----------
    .. [1] O. Rodrigues, Des lois géométriques qui régissent les déplacements d'un système solide
       dans l'espace, Journal de mathématiques pures et appliquées 5 (1840) 380.

    Examples
    --------
    >>> rotation("z", np.pi / 2)[:3, :3].round(6)
    array([[ 0., -1.,  0.],
           [ 1.,  0.,  0.],
           [ 0.,  0.,  1.]])
    """
    direction = require_direction(axis)
    angle = require_numbers(angle_rad, "angle_rad")
    if angle.shape != () or not np.isfinite(angle):
        raise AffineError(
            f"angle_rad is one finite number, but here it is {angle.tolist()}.",
            hint="Three angles at once are for euler_rotation().",
        )
    along = np.outer(direction, direction)
    cross = np.cross(np.eye(3), direction)
    return make_affine(along + np.cos(angle) * (np.eye(3) - along) + np.sin(angle) * cross)


def euler_rotation(angles_rad: ArrayLike, order: str) -> NDArray[np.float64]:
    """Return the transform that turns the world about three axes, one after the other.

    Parameters
    ----------
    angles_rad : (3,) array-like
        One angle for each matrix of the product, in the order in which it is written.
    order : str
        The product itself, such as "Rx @ Ry @ Rz". As always, the matrix on the right acts first.

    Returns
    -------
    transform : (4, 4) array
        World to world, in mm.

    Raises
    ------
    AffineError
        If the angles are not three finite numbers, or `order` is not one of the twelve products.

    Notes
    -----
    "xyz" means one product to some programs and another to others, so no such word is taken
    here. ``euler_rotation((a, b, c), "Rx @ Ry @ Rz")`` equals

    - ``nibabel.eulerangles.euler2mat(z=c, y=b, x=a)``,
    - ``scipy.spatial.transform.Rotation.from_euler("XYZ", (a, b, c))``, capital letters,
    - ``transforms3d.euler.euler2mat(c, b, a, "szyx")``,

    and ``euler_rotation((c, b, a), "Rz @ Ry @ Rx")`` equals

    - ``scipy.spatial.transform.Rotation.from_euler("xyz", (a, b, c))``, small letters,
    - ``transforms3d.euler.euler2mat(a, b, c, "sxyz")``, which is its default.

    Examples
    --------
    >>> from neuroprimer.imaging import voxel_to_world
    >>> quarter = np.pi / 2
    >>> angles_rad = (quarter, 0, quarter)
    >>> voxel_to_world(euler_rotation(angles_rad, "Rx @ Ry @ Rz"), [9, 0, 0]).round().astype(int)
    array([0, 0, 9])
    >>> voxel_to_world(euler_rotation(angles_rad, "Rz @ Ry @ Rx"), [9, 0, 0]).round().astype(int)
    array([0, 9, 0])
    """
    angles = require_triple(angles_rad, "angles_rad")
    axes = _axes_of_product(order)
    turns = (rotation(axis, angle) for axis, angle in zip(axes, angles, strict=True))
    return reduce(np.matmul, turns)


def _axes_of_product(order: str) -> str:
    """Return the three axes in the order in which a product names them."""
    written = str(order).replace(" ", "").replace("@", " @ ")
    if written in EULER_ORDERS:
        return written[1::5]
    if "".join(sorted(written.lower())) == "xyz":
        first, second, third = list(written.lower())
        raise AffineError(
            f"The order {order!r} can be read in two ways.",
            hint=f"Write 'R{first} @ R{second} @ R{third}' to turn about {third} first, or "
            f"'R{third} @ R{second} @ R{first}' to turn about {first} first; the angles stand in "
            "the order of the product.",
        )
    raise AffineError(
        f"{order!r} is no Euler order.",
        hint=f"Write one of the products {', '.join(EULER_ORDERS)}.",
    )


def rotation_axis_angle(rotation: ArrayLike) -> tuple[NDArray[np.float64], float]:
    """Return the axis and the angle of a rotation.

    Parameters
    ----------
    rotation : (4, 4) array-like
        A turn about an axis through the origin, such as ``decompose(affine).rotation``.

    Returns
    -------
    axis : (3,) array
        Of length 1. A turn by nothing has no axis and gets x; a half turn has two, of which that
        whose first number other than zero is positive is returned.
    angle_rad : float
        In radians, from 0 to pi, by the right-hand rule.

    Raises
    ------
    AffineError
        If `rotation` mirrors, stretches, shears or shifts.

    Notes
    -----
    By the quaternion (w, v) of the rotation, ``angle = 2 atan2(|v|, w)`` and the axis runs along
    v. Its products with itself are sums of entries of the matrix; the column of the largest one
    is taken, so that no digits are lost for angles near 0 or pi [1]_.

    References
    ----------
    .. [1] S. W. Shepperd, Quaternion from rotation matrix, Journal of Guidance and Control 1
       (1978) 223.

    Examples
    --------
    >>> quarter_turn = [[0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    >>> axis, angle_rad = rotation_axis_angle(quarter_turn)
    >>> axis, round(math.degrees(angle_rad), 6)
    (array([0., 0., 1.]), 90.0)
    """
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = require_rotation(rotation)[:3, :3]
    # four times the products of w, x, y and z with each other
    products = np.array(
        [
            [1 + xx + yy + zz, zy - yz, xz - zx, yx - xy],
            [zy - yz, 1 + xx - yy - zz, xy + yx, xz + zx],
            [xz - zx, xy + yx, 1 - xx + yy - zz, yz + zy],
            [yx - xy, xz + zx, yz + zy, 1 - xx - yy + zz],
        ]
    )
    w, *v = products[np.diagonal(products).argmax()]
    length = math.hypot(*v)
    if length == 0:
        return np.array([1.0, 0.0, 0.0]), 0.0
    axis = require_direction(v)
    is_half_turn = abs(w) <= np.finfo(float).eps * length
    backwards = axis[np.flatnonzero(axis)[0]] < 0 if is_half_turn else w < 0
    return (-axis if backwards else axis) + 0.0, 2 * math.atan2(length, abs(w))


def require_rotation(matrix: ArrayLike) -> NDArray[np.float64]:
    """Return a rotation as a float64 array, or say why it is none.

    Parameters
    ----------
    matrix : (4, 4) array-like
        Anything.

    Returns
    -------
    rotation : (4, 4) array
        A copy.

    Raises
    ------
    AffineError
        If `matrix` is no affine, or it mirrors, stretches, shears or shifts.

    Examples
    --------
    >>> require_rotation(np.eye(4)).shape
    (4, 4)
    """
    rotation = require_affine(matrix)
    turn = rotation[:3, :3]
    apart = np.abs(turn.T @ turn - np.eye(3)).max()
    if apart > ROTATION_TOLERANCE or np.linalg.det(turn) < 0 or rotation[:3, 3].any():
        raise AffineError(
            "A rotation has columns of length 1 at right angles, determinant +1 and no "
            f"translation, but here lengths are {np.linalg.norm(turn, axis=0).round(6).tolist()}, "
            f"the determinant is {np.linalg.det(turn):.6g}, and the translation is "
            f"{rotation[:3, 3].tolist()}.",
            hint="decompose(affine).rotation is the rotation within any affine.",
        )
    return rotation
