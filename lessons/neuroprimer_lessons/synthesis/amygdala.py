"""The dataset ``amygdala``: a mask of two ellipsoids where the amygdalae lie."""

from pathlib import Path
from types import MappingProxyType

import numpy as np

from neuroprimer_lessons.synthesis.files import write_image, write_json
from neuroprimer_lessons.synthesis.template import brain_mask_2mm, ellipsoid, world_points

CENTRES_MM = MappingProxyType({"left": (-24.0, -4.0, -18.0), "right": (24.0, -4.0, -18.0)})
RADII_MM = (7.0, 8.0, 7.0)


def make_amygdala(folder: Path) -> None:
    """Write the mask on the 2 mm grid of the template, and a sidecar with its truth."""
    brain, affine = brain_mask_2mm()
    points_mm = world_points(brain.shape, affine)
    parts = [ellipsoid(points_mm, centre, RADII_MM) <= 1 for centre in CENTRES_MM.values()]
    write_image(
        folder / "amygdala_mask.nii.gz",
        np.logical_or(*parts),
        affine,
        dtype=np.uint8,
        is_template_space=True,
    )
    truth = {
        "centres_mm": dict(CENTRES_MM),
        "radii_mm": RADII_MM,
        "voxels": {side: int(part.sum()) for side, part in zip(CENTRES_MM, parts, strict=True)},
    }
    write_json(folder / "truth.json", truth)
