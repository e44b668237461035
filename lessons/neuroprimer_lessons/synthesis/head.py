"""The dataset ``localizer-t1``: a head with skull and scalp around the template's brain."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from neuroprimer_lessons.synthesis.chance import Bits, smooth_noise, start, white_noise
from neuroprimer_lessons.synthesis.files import write_image, write_json
from neuroprimer_lessons.synthesis.template import (
    ellipsoid,
    load_template,
    world_points,
)

SHAPE = (157, 189, 136)
# The first voxel index grows to the left, as in many a scan.
AFFINE = np.array([[-1.0, 0, 0, 78], [0, 1, 0, -112], [0, 0, 1, -50], [0, 0, 0, 1]])
SEED = 20_120_301

# The synthetic person's head is so much smaller than the average one that its scalp fits in.
SCALE = 0.93
# Outer borders of the shells around the brain, in mm from its surface.
FLUID_MM, SKULL_MM, SCALP_MM = 2.0, 7.5, 11.5
# Intensities.
WHITE, GREY, FLUID, BONE, MARROW, FAT, MUSCLE = 172.0, 118.0, 34.0, 12.0, 92.0, 205.0, 78.0
NOISE = 3.5
# A capsule of oil on the right side of the forehead tells right from left.
MARKER_MM, MARKER_RADII_MM = (46.0, 62.0, 12.0), (5.0, 4.0, 8.0)
EYES_MM, EYE_RADII_MM = ((-31.0, 62.0, -39.0), (31.0, 62.0, -39.0)), (12.0, 12.0, 12.0)
FACE_MM, FACE_RADII_MM = (0.0, 2.0, -62.0), (66.0, 76.0, 52.0)
AIRWAYS_MM = (((0.0, 56.0, -52.0), (14.0, 22.0, 20.0)), ((0.0, 66.0, -6.0), (13.0, 5.0, 12.0)))


def make_head_t1(folder: Path) -> None:
    """Write the image and a sidecar with its truth."""
    voxels = head(world_points(SHAPE, AFFINE))
    write_image(folder / "localizer_t1.nii.gz", voxels, AFFINE)
    truth = {
        "scale_against_template": SCALE,
        "right_marker_mm": MARKER_MM,
        "intensities": {"white matter": WHITE, "grey matter": GREY, "fluid": FLUID},
        "noise": NOISE,
    }
    write_json(folder / "truth.json", truth)


def brain_tissue(
    points_mm: NDArray[np.float64], *, blur_mm: float = 0.0
) -> tuple[NDArray[np.float64], ...]:
    """Return T1 intensity, grey and white matter of the person at points of the world, 0 to 1.

    Parameters
    ----------
    points_mm : (3, ...) array
        World coordinates.
    blur_mm : float
        Standard deviation by which large voxels mix what lies in them.
    """
    template = load_template()
    ijk = [_askew(points_mm, axis) / SCALE - template.affine[axis, 3] for axis in range(3)]
    maps = []
    for voxels in (template.t1, template.grey, template.white):
        picture = voxels / 255.0
        if blur_mm:
            picture = ndimage.gaussian_filter(picture, blur_mm)
        maps.append(ndimage.map_coordinates(picture, ijk, order=1, mode="constant"))
    return tuple(maps)


def head(points_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the T1-weighted head at the points of a grid of 1 mm."""
    bits = start(SEED)
    t1, grey, white = brain_tissue(points_mm)
    picture, depth_mm = _outside(points_mm, t1, bits)
    inner = _brain(t1, grey, white)
    inner += 4.0 * smooth_noise(bits, t1.shape, passes=2) * (grey + white)
    share = np.clip(t1 / 0.2, 0, 1)
    picture = np.where(depth_mm <= 0, share * inner + (1 - share) * FLUID, picture)
    picture = ndimage.gaussian_filter(picture, 0.45)
    picture *= _coil(points_mm)
    noisy = np.hypot(
        picture + NOISE * white_noise(bits, t1.shape), NOISE * white_noise(bits, t1.shape)
    )
    return np.asarray(np.clip(noisy, 0, 255))


def _askew(points_mm: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Return a coordinate in a brain that is not quite symmetric, as nobody's is."""
    x, y, z = points_mm
    if axis == 0:
        return np.asarray(x + 1.4 * np.sin(y / 31) + 0.9 * np.sin(z / 23 + 1))
    if axis == 1:
        return np.asarray(y + 1.8 * np.sin(x / 37) + 0.8 * np.sin(z / 29))
    return np.asarray(z + 1.2 * np.sin(x / 27 + 2) + 0.9 * np.sin(y / 33))


def _brain(
    t1: NDArray[np.float64], grey: NDArray[np.float64], white: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return intensities of one person's brain: borders sharper than those of an average."""
    fluid = np.clip(1 - grey - white, 0, 1)
    sharp = [part * part * part + 1e-6 for part in (white, grey, fluid)]
    tissue = (WHITE * sharp[0] + GREY * sharp[1] + FLUID * sharp[2]) / (
        sharp[0] + sharp[1] + sharp[2]
    )
    return np.asarray(0.6 * tissue + 0.4 * 205 * t1)


def _outside(
    points_mm: NDArray[np.float64], t1: NDArray[np.float64], bits: Bits
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what lies around the brain, and how far from its smooth surface each point is."""
    # Skull and scalp pass over the clefts of the brain, so its surface is taken smooth.
    hull = ndimage.gaussian_filter((t1 > 0.1).astype(np.float64), 5.0, truncate=2.5) > 0.27
    hull |= t1 > 0.1
    depth_mm = ndimage.distance_transform_edt(~hull)
    thick = smooth_noise(bits, t1.shape, passes=3)
    texture = 1 + 0.10 * thick
    wavy = 1 + 0.12 * np.sin(points_mm[0] / 19 + 1) * np.sin(points_mm[1] / 23)
    skull_mm, scalp_mm = SKULL_MM * wavy, SCALP_MM * wavy
    face = ellipsoid(points_mm, FACE_MM, FACE_RADII_MM)
    face = np.where(points_mm[2] < -20, face, np.inf)
    picture = np.where(face <= 1, np.where(face > 0.87, FAT, MUSCLE) * texture, 0.0)
    for centre, radii in AIRWAYS_MM[:1]:
        picture = np.where(ellipsoid(points_mm, centre, radii) <= 1, 4.0, picture)
    for centre in EYES_MM:
        orbit = ellipsoid(points_mm, centre, EYE_RADII_MM)
        picture = np.where(orbit <= 1.7, 0.85 * FAT * texture, picture)
        picture = np.where(orbit <= 1, FLUID + 6, picture)
    picture = np.where((depth_mm <= scalp_mm) & (face > 0.87), FAT * texture, picture)
    picture = np.where(depth_mm <= skull_mm, BONE, picture)
    middle = np.abs(depth_mm - (FLUID_MM + skull_mm) / 2) < 1.3
    picture = np.where(middle, MARROW * (1 + 0.2 * thick), picture)
    for centre, radii in AIRWAYS_MM[1:]:
        sinus = (ellipsoid(points_mm, centre, radii) <= 1) & (depth_mm > FLUID_MM)
        picture = np.where(sinus, 4.0, picture)
    picture = np.where(depth_mm <= FLUID_MM, FLUID, picture)
    marker = ellipsoid(points_mm, MARKER_MM, MARKER_RADII_MM) <= 1
    return np.where(marker, 245.0, picture), depth_mm


def _coil(points_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much brighter the coil makes one part of the picture than another."""
    x, y, z = points_mm / 100
    return np.asarray(1 + 0.05 * x - 0.04 * y + 0.05 * z + 0.04 * (x * x + y * y))
