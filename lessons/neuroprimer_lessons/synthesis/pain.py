"""The dataset ``pain-maps``: 84 maps of 28 people at three intensities of pain.

The maps lie on nilearn's 2 mm grid of the template, in nilearn's mask of 235,375 voxels. The older
mask of 238,955 voxels, which some tutorials count, comes with FSL, whose licence allows neither
commercial use nor passing it on among files of a free licence; so it is not used.
"""

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from neuroprimer_lessons.synthesis.chance import smooth_noise, start, white_noise
from neuroprimer_lessons.synthesis.files import write_image, write_json, write_table
from neuroprimer_lessons.synthesis.template import brain_mask_2mm, ellipsoid, world_points

SEED = 20_150_609
PEOPLE, LEVELS = 28, (1, 2, 3)
LEVEL_NAMES = MappingProxyType({1: "low", 2: "medium", 3: "high"})
STEP = 0.025
# In standard deviations of one map's noise, for the average person in the middle of a region.
EFFECT = MappingProxyType({1: 0.6, 2: 1.1, 3: 1.6})
# How people differ: in how much they respond, and in a pattern that is in all maps of a person.
RESPONSE_SD, PERSON_SD = 0.3, 0.5


@dataclass(frozen=True, kw_only=True)
class Region:
    """A ball that responds to pain: half of the effect at its radius, all of it inside of 0.6."""

    name: str
    centre_mm: tuple[float, float, float]
    radius_mm: float
    weight: float


REGIONS = (
    Region(name="insula_left", centre_mm=(-38, 8, 0), radius_mm=11, weight=1.0),
    Region(name="insula_right", centre_mm=(38, 8, 0), radius_mm=11, weight=1.0),
    Region(name="anterior_cingulate", centre_mm=(0, 18, 32), radius_mm=11, weight=1.0),
    Region(name="s2_left", centre_mm=(-56, -24, 22), radius_mm=10, weight=0.8),
    Region(name="s2_right", centre_mm=(56, -24, 22), radius_mm=10, weight=0.8),
    Region(name="thalamus_left", centre_mm=(-11, -18, 8), radius_mm=8, weight=0.7),
    Region(name="thalamus_right", centre_mm=(11, -18, 8), radius_mm=8, weight=0.7),
)


def make_pain_maps(folder: Path) -> None:
    """Write the maps, their mask, a table about them, and the truth."""
    mask, affine = brain_mask_2mm()
    effect = make_effect(world_points(mask.shape, affine)) * mask
    responses = response_of_people()
    inner = tuple(slice(int(one.min()), int(one.max()) + 1) for one in np.nonzero(mask))
    size = tuple(one.stop - one.start for one in inner)
    rows: list[tuple[object, ...]] = [("file", "subject", "pain_level", "intensity")]
    for person in range(PEOPLE):
        bits = start(SEED, person + 1)
        pattern = PERSON_SD * smooth_noise(bits, size, passes=3)
        for level in LEVELS:
            values = np.zeros(mask.shape)
            values[inner] = smooth_noise(bits, size, passes=3) + pattern
            values += EFFECT[level] * responses[person] * effect
            name = f"sub-{person + 1:02}_pain-{level}.nii.gz"
            write_image(folder / name, values * mask, affine, step=STEP, is_template_space=True)
            rows.append((name, f"sub-{person + 1:02}", level, LEVEL_NAMES[level]))
    write_image(folder / "brain_mask.nii.gz", mask, affine, dtype=np.uint8, is_template_space=True)
    write_table(folder / "metadata.csv", rows, separator=",")
    write_json(folder / "truth.json", _truth(responses))


def make_effect(points_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much each point responds, from 0 to 1."""
    effect = np.zeros(points_mm.shape[1:])
    for one in REGIONS:
        distance = np.sqrt(ellipsoid(points_mm, one.centre_mm, (one.radius_mm,) * 3))
        effect = np.maximum(effect, one.weight * np.clip(1.75 - 1.25 * distance, 0, 1))
    return effect


def response_of_people() -> NDArray[np.float64]:
    """Return how much each person responds; 1 on average over the 28."""
    noise = white_noise(start(SEED), (PEOPLE,))
    # Summed up as whole numbers of thousandths, for the sum to be the same everywhere.
    thousandths = np.rint(1000 * RESPONSE_SD * noise).astype(np.int64)
    centred = thousandths - round(int(thousandths.sum()) / PEOPLE)
    return np.asarray(1 + centred / 1000)


def _truth(responses: NDArray[np.float64]) -> dict[str, object]:
    return {
        "unit": "standard deviations of the noise of one map",
        "effect": {str(level): height for level, height in EFFECT.items()},
        "response_of_each_person": [round(float(one), 3) for one in responses],
        "person_sd": PERSON_SD,
        "noise_fwhm_mm": 6.7,
        "regions": [
            {
                "name": one.name,
                "centre_mm": one.centre_mm,
                "radius_mm": one.radius_mm,
                "weight": one.weight,
            }
            for one in REGIONS
        ],
        "shape_of_a_region": "the effect is whole up to 0.6 radii from the centre, falls in a "
        "straight line, is half at 1.0 and nothing from 1.4 radii on",
        "why_not_238955_voxels": "that mask comes with FSL, whose licence does not let it be "
        "passed on here",
    }
