"""Affine parts: the translation, rotation, zooms and shears that an affine is made of."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroprimer.imaging.space.affines import AffineError, require_affine, turn_zooms_shears
from neuroprimer.imaging.space.rotations import require_rotation, rotation_axis_angle
from neuroprimer.imaging.space.transforms import make_affine, require_triple, shearing

# How many decimals of a number are told apart; the last of float64 differ between processors.
ROUNDED = 12


@dataclass(frozen=True, kw_only=True, eq=False)
class AffineParts:
    """What an affine does, in the order from last to first.

    Parameters
    ----------
    translation_mm : (3,) array-like
        Where voxel (0, 0, 0) lands, in mm.
    rotation : (4, 4) array-like
        A turn about the world's origin, never a mirror.
    zooms : (3,) array-like
        Millimetres per voxel along i, j and k. Negative ones mirror; `decompose` makes at most
        the first negative.
    shears : (3,) array-like
        How many voxels i grows with j, i with k, and j with k. Applied first.

    Raises
    ------
    AffineError
        If a part has the wrong shape or holds NaN, a zoom is zero, or `rotation` is none.

    Examples
    --------
    >>> AffineParts(zooms=(-2, 2, 2), translation_mm=(90, -126, -72))
    AffineParts: translation (90, -126, -72) mm, rotation 0 degrees, zooms (-2, 2, 2) mm per voxel,
    shears (0, 0, 0)
    """

    translation_mm: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    rotation: NDArray[np.float64] = field(default_factory=lambda: np.eye(4))
    zooms: NDArray[np.float64] = field(default_factory=lambda: np.ones(3))
    shears: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))

    def __post_init__(self) -> None:
        parts = {
            "translation_mm": require_triple(self.translation_mm, "translation_mm"),
            "rotation": require_rotation(self.rotation),
            "zooms": require_triple(self.zooms, "zooms"),
            "shears": require_triple(self.shears, "shears"),
        }
        if not parts["zooms"].all():
            raise AffineError(
                f"A voxel of size zero has no volume: zooms are {parts['zooms'].tolist()}.",
                hint="Use 1 for an axis that keeps its size.",
            )
        for name, part in parts.items():
            part.flags.writeable = False
            object.__setattr__(self, name, part)

    def __repr__(self) -> str:
        axis, angle_rad = rotation_axis_angle(self.rotation)
        degrees = f"{np.degrees(angle_rad):.4g} degrees"
        return (
            f"AffineParts: translation {_triple(self.translation_mm)} mm, "
            f"rotation {degrees}{f' about {_triple(axis)}' if angle_rad else ''}, "
            f"zooms {_triple(self.zooms)} mm per voxel, shears {_triple(self.shears)}"
        )


def _triple(numbers: NDArray[np.float64]) -> str:
    """Return three numbers for people; what rounding has left of a zero is a zero."""
    return f"({', '.join(f'{round(number, ROUNDED) + 0:.4g}' for number in numbers)})"


def decompose(affine: ArrayLike) -> AffineParts:
    """Take an affine apart into translation, rotation, zooms and shears.

    Parameters
    ----------
    affine : (4, 4) array-like
        Voxel to world, in mm, RAS+.

    Returns
    -------
    parts : AffineParts
        `compose` puts them together again.

    Raises
    ------
    AffineError
        If `affine` is no affine, or its voxel axes lie in one plane.

    Notes
    -----
    ``affine = T @ R @ Z @ S``: the shear S acts first, then the zooms Z, the rotation R and the
    translation T. S has ones on its diagonal and the shears right of it. Whether an affine
    mirrors can be known, along which axis cannot: any will do with another rotation. Here it is
    always i, with a negative first zoom, so that R is a true rotation of determinant +1. These
    are the conventions of ``transforms3d.affines.decompose44``.

    Where there are shears, zooms are not voxel sizes: see `voxel_sizes`.

    Examples
    --------
    >>> decompose(np.diag([-2.0, 2.0, 3.0, 1.0])).zooms
    array([-2.,  2.,  3.])
    """
    matrix = require_affine(affine)
    turn, zooms, shears = turn_zooms_shears(matrix)
    return AffineParts(
        translation_mm=matrix[:3, 3],
        rotation=make_affine(turn),
        zooms=zooms,
        shears=shears,
    )


def compose(
    parts: AffineParts | None = None,
    *,
    translation_mm: ArrayLike | None = None,
    rotation: ArrayLike | None = None,
    zooms: ArrayLike | None = None,
    shears: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Put an affine together from translation, rotation, zooms and shears.

    Parameters
    ----------
    parts : AffineParts, optional
        What to start from, such as ``decompose(image.affine)``. Default: parts that do nothing.
    translation_mm : (3,) array-like, optional
        Where voxel (0, 0, 0) is to land, in mm, instead of what `parts` says.
    rotation : (4, 4) array-like, optional
        What `rotation` or `euler_rotation` return, instead of what `parts` says.
    zooms : (3,) array-like, optional
        Millimetres per voxel along i, j and k, instead of what `parts` says.
    shears : (3,) array-like, optional
        How many voxels i grows with j, i with k, and j with k, instead of what `parts` says.

    Returns
    -------
    affine : (4, 4) array
        Voxel to world, in mm, RAS+: ``T @ R @ Z @ S``, the shear S applied first.

    Raises
    ------
    AffineError
        If a part has the wrong shape or holds NaN, a zoom is zero, or `rotation` is none.

    See Also
    --------
    decompose : the way back, and the conventions.

    Examples
    --------
    >>> compose(zooms=(-2, 2, 2), translation_mm=(90, -126, -72))
    array([[  -2.,    0.,    0.,   90.],
           [   0.,    2.,    0., -126.],
           [   0.,    0.,    2.,  -72.],
           [   0.,    0.,    0.,    1.]])
    """
    given = {
        "translation_mm": translation_mm,
        "rotation": rotation,
        "zooms": zooms,
        "shears": shears,
    }
    changes: dict[str, Any] = {name: part for name, part in given.items() if part is not None}
    parts = replace(parts or AffineParts(), **changes)
    xy, xz, yz = parts.shears
    stretched = parts.zooms[:, np.newaxis] * shearing(xy=xy, xz=xz, yz=yz)[:3, :3]
    matrix = parts.rotation[:3, :3] @ stretched
    return make_affine(matrix, parts.translation_mm)
