"""The template: the average brain that nilearn ships, and where its points lie in the world."""

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

# Above a fifth of the brightest voxel lies the brain: the threshold of nilearn's own mask.
BRAIN_THRESHOLD = 51


@dataclass(frozen=True)
class Template:
    """The template and its tissue maps on one grid of 1 mm, each from 0 to 255.

    Parameters
    ----------
    t1, grey, white : (i, j, k) uint8 array
        Intensity, and how likely grey and white matter are.
    affine : (4, 4) array
        Voxel to world, in mm, RAS+.
    """

    t1: NDArray[np.uint8]
    grey: NDArray[np.uint8]
    white: NDArray[np.uint8]
    affine: NDArray[np.float64]


@cache
def load_template() -> Template:
    """Return the template; nilearn itself is not imported, which would take seconds."""
    images = [_load(name) for name in ("t1", "gm", "wm")]
    t1, grey, white = (np.asanyarray(image.dataobj) for image in images)
    return Template(t1, grey, white, images[0].affine)


def brain_mask_2mm() -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return the mask that ``load_mni152_brain_mask(resolution=2)`` of nilearn gives, exactly.

    Every second voxel of the template lies on the 2 mm grid, so that nothing is interpolated.
    """
    template = load_template()
    affine = template.affine @ np.diag([2.0, 2.0, 2.0, 1.0])
    return template.t1[::2, ::2, ::2] > BRAIN_THRESHOLD, affine


def world_points(shape: tuple[int, ...], affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the world coordinates of all voxels, shape (3, i, j, k).

    Written out as sums: a product of matrices may add in another order on another processor.
    """
    ijk = np.indices(shape, dtype=np.float64, sparse=True)
    return np.stack(
        [
            affine[axis, 0] * ijk[0]
            + affine[axis, 1] * ijk[1]
            + affine[axis, 2] * ijk[2]
            + affine[axis, 3]
            for axis in range(3)
        ]
    )


def ellipsoid(
    points_mm: NDArray[np.float64],
    centre_mm: tuple[float, float, float],
    radii_mm: tuple[float, float, float],
) -> NDArray[np.float64]:
    """Return for each point the square of its distance from a centre, 1 on the surface."""
    parts = [((points_mm[axis] - centre_mm[axis]) / radii_mm[axis]) ** 2 for axis in range(3)]
    return np.asarray(parts[0] + parts[1] + parts[2])


def _load(name: str) -> nib.Nifti1Image:
    spec = find_spec("nilearn")
    folders = spec.submodule_search_locations if spec else None
    if not folders:  # it is one of the requirements, so its own message says all there is to say
        raise ModuleNotFoundError("nilearn", name="nilearn")
    file = f"mni_icbm152_{name}_tal_nlin_sym_09a_converted.nii.gz"
    image = nib.load(Path(folders[0]) / "datasets" / "data" / file)
    assert isinstance(image, nib.Nifti1Image)  # noqa: S101  for mypy: it ends in .nii.gz
    return image
