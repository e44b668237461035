"""Making the dataset ``film-watching``: ``python -m neuroprimer_isc.synthesis FOLDER``.

Chance, files and the template are those of the course's own data, so that here, too, the same bytes
come out on every machine.
"""

import json
import math
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neuroprimer.teaching import content_digest
from neuroprimer_isc.dataset import DIGESTS
from neuroprimer_lessons.synthesis.chance import Bits, smooth_noise, start, white_noise
from neuroprimer_lessons.synthesis.files import write_image, write_json
from neuroprimer_lessons.synthesis.template import (
    BRAIN_THRESHOLD,
    ellipsoid,
    load_template,
    world_points,
)

Floats = NDArray[np.float64]

VIEWERS, VOLUMES, TR_S = 16, 120, 2.0
VOXEL_MM, FIRST_VOXEL_MM, SHAPE = 8, (-72, -104, -64), (19, 23, 19)
SEED = 20_040_312
STEP = 4.0
# Of voxels without any grey matter, and how much brighter those are that hold nothing else.
WHITE, GREY_ABOVE_WHITE = 740.0, 240.0
# In percent of the baseline.
NOISE_PERCENT, LEAST_DRIFT_PERCENT, MOST_DRIFT_PERCENT = 1.0, -3.0, -1.0
AUTOCORRELATION = 0.3
# One viewer's film began late, by so many volumes.
LATE_VIEWER, LATE_VOLUMES = 12, 3


@dataclass(frozen=True, kw_only=True)
class Region:
    """An ellipsoid, and which part of the variance over time of its voxels is signal.

    The signal is everybody's or each viewer's own. Where it is everybody's, that part is also the
    correlation to be expected between two viewers.
    """

    name: str
    centre_mm: tuple[float, float, float]
    radii_mm: tuple[float, float, float]
    signal_share: float
    source: str


# A region's number in the label image is its place in this list, from 1. Both auditory regions
# follow the sound.
REGIONS = (
    Region(
        name="visual",
        centre_mm=(0, -84, 2),
        radii_mm=(27, 17, 17),
        signal_share=0.4,
        source="picture",
    ),
    Region(
        name="auditory_left",
        centre_mm=(-54, -20, 6),
        radii_mm=(13, 18, 12),
        signal_share=0.3,
        source="sound",
    ),
    Region(
        name="auditory_right",
        centre_mm=(54, -20, 6),
        radii_mm=(13, 18, 12),
        signal_share=0.3,
        source="sound",
    ),
    Region(
        name="story",
        centre_mm=(0, -56, 34),
        radii_mm=(13, 17, 17),
        signal_share=0.06,
        source="plot",
    ),
    Region(
        name="own_thoughts",
        centre_mm=(0, 52, 10),
        radii_mm=(17, 17, 21),
        signal_share=0.4,
        source="own",
    ),
)
OWN = "own"
FILM = tuple(sorted({one.source for one in REGIONS} - {OWN}))


def make_film_watching(folder: Path) -> None:
    """Write a run for each viewer, the mask, the regions, a sidecar and the truth."""
    affine = np.diag([VOXEL_MM, VOXEL_MM, VOXEL_MM, 1.0])
    affine[:3, 3] = FIRST_VOXEL_MM
    template = load_template()
    brain = block_means(template.t1) > BRAIN_THRESHOLD
    baseline = brain * (WHITE + GREY_ABOVE_WHITE * block_means(template.grey) / 255)
    labels = make_labels(brain, affine)
    film = make_film()
    drifts = drift_of_viewers()
    for viewer in range(1, VIEWERS + 1):
        signals = signals_of_viewer(film, viewer)
        # in steps, no value is above 255: half of the bytes, and the files are a fifth smaller
        run = np.zeros((*SHAPE, VOLUMES), dtype=np.uint8)
        for index, percent in enumerate(_volumes(labels, signals, viewer)):
            level = 1 + drifts[viewer - 1] / 100 * index / (VOLUMES - 1)
            run[..., index] = np.rint(baseline * (level + percent / 100) / STEP)
        name = f"sub-{viewer:02}_task-film_bold.nii.gz"
        write_image(
            folder / name, run, affine, step=STEP, dtype=np.uint8, tr_s=TR_S, is_template_space=True
        )
    mask, regions = folder / "brain_mask.nii.gz", folder / "regions.nii.gz"
    write_image(mask, brain, affine, dtype=np.uint8, is_template_space=True)
    write_image(regions, labels, affine, dtype=np.uint8, is_template_space=True, intent="label")
    write_json(folder / "task-film_bold.json", {"RepetitionTime": TR_S, "TaskName": "film"})
    write_json(folder / "truth.json", _truth(labels, film, drifts))


def block_means(picture: NDArray[np.uint8]) -> Floats:
    """Return what the template shows in each voxel, averaged over the finer voxels in it."""
    corner_mm = load_template().affine[:3, 3]
    first = [round(mm - at) for mm, at in zip(FIRST_VOXEL_MM, corner_mm, strict=True)]
    half = VOXEL_MM // 2
    block = picture[
        tuple(
            slice(at - half, at - half + VOXEL_MM * n) for at, n in zip(first, SHAPE, strict=True)
        )
    ]
    parts = block.reshape(SHAPE[0], VOXEL_MM, SHAPE[1], VOXEL_MM, SHAPE[2], VOXEL_MM)
    # whole numbers, so that the order of the sum does not matter
    return np.asarray(parts.sum(axis=(1, 3, 5), dtype=np.int64) / VOXEL_MM**3)


def make_labels(brain: NDArray[np.bool_], affine: Floats) -> NDArray[np.uint8]:
    """Return which region each voxel belongs to: its number, or 0."""
    points_mm = world_points(SHAPE, affine)
    labels = np.zeros(SHAPE, dtype=np.uint8)
    for number, one in enumerate(REGIONS, start=1):
        labels[brain & (ellipsoid(points_mm, one.centre_mm, one.radii_mm) <= 1)] = number
    return labels


def make_film() -> dict[str, Floats]:
    """Return what the film does to everybody, by source.

    Each has `LATE_VOLUMES` more values than there are volumes: what came before the first.
    """
    return {
        source: time_course(start(SEED, 0, number), before=LATE_VOLUMES)
        for number, source in enumerate(FILM)
    }


def signals_of_viewer(film: dict[str, Floats], viewer: int) -> dict[str, Floats]:
    """Return what goes on in the regions of one viewer at each volume, by source."""
    late = LATE_VOLUMES if viewer == LATE_VIEWER else 0
    first = LATE_VOLUMES - late
    followed = {source: course[first : first + VOLUMES] for source, course in film.items()}
    return {**followed, OWN: time_course(start(SEED, 1, viewer))}


def time_course(bits: Bits, *, before: int = 0) -> Floats:
    """Return a slow signal: chance, seen through the haemodynamic response.

    Over the volumes it has the mean 0, the variance 1 and no slope, so that taking a line out
    leaves it as it is. It is rounded to what `truth.json` holds.
    """
    response = haemodynamic_response()
    chance = white_noise(bits, (before + VOLUMES + len(response) - 1,))
    slow = np.convolve(chance, response, mode="valid")
    line = np.arange(-before, VOLUMES) - (VOLUMES - 1) / 2
    inside = slow[before:]
    slope = (inside * line[before:]).sum() / (line[before:] ** 2).sum()
    flat = slow - inside.mean() - slope * line
    return np.asarray(np.round(flat / flat[before:].std(), 4))


def haemodynamic_response() -> Floats:
    """Return the difference of two gamma densities, with peaks near 5 and 15 s, at each volume."""
    times_s = np.arange(0, 32, TR_S)
    rise, undershoot = (times_s**power / math.factorial(power) for power in (5, 15))
    return np.asarray((rise - undershoot / 6) * np.exp(-times_s))


def drift_of_viewers() -> list[float]:
    """Return by how many percent the signal of each viewer has changed at the end of the run."""
    steps = start(SEED, 2).random_raw(VIEWERS) % 21
    span = MOST_DRIFT_PERCENT - LEAST_DRIFT_PERCENT
    return [round(LEAST_DRIFT_PERCENT + span * int(step) / 20, 1) for step in steps]


def signal_percent(share: float) -> float:
    """Return the standard deviation of a signal that makes up a part of the variance."""
    return NOISE_PERCENT * math.sqrt(share / (1 - share))


def _volumes(
    labels: NDArray[np.uint8], signals: dict[str, Floats], viewer: int
) -> Iterator[Floats]:
    """Yield signal and noise of one volume after the other, in percent."""
    bits = start(SEED, 3, viewer)
    noise, fresh = _spatial_noise(bits), math.sqrt(1 - AUTOCORRELATION * AUTOCORRELATION)
    for index in range(VOLUMES):
        percent = NOISE_PERCENT * noise
        for number, one in enumerate(REGIONS, start=1):
            percent[labels == number] += (
                signal_percent(one.signal_share) * signals[one.source][index]
            )
        yield percent
        noise = AUTOCORRELATION * noise + fresh * _spatial_noise(bits)


def _spatial_noise(bits: Bits) -> Floats:
    """Return noise of standard deviation 1: half of its variance smooth, half of it white."""
    smooth = smooth_noise(bits, SHAPE, passes=1)
    return np.asarray((smooth + white_noise(bits, SHAPE)) / np.sqrt(2.0))


def _truth(
    labels: NDArray[np.uint8], film: dict[str, Floats], drifts: list[float]
) -> dict[str, object]:
    return {
        "viewers": VIEWERS,
        "repetition_time_s": TR_S,
        "noise_percent": NOISE_PERCENT,
        "autocorrelation": AUTOCORRELATION,
        "drift_percent_per_run": drifts,
        "drift_words": "a straight line from the first to the last volume, the same in every voxel "
        "of a viewer",
        "late_viewer": f"sub-{LATE_VIEWER:02}",
        "late_s": LATE_VOLUMES * TR_S,
        "regions": [
            {
                "label": number,
                "name": one.name,
                "centre_mm": one.centre_mm,
                "radii_mm": one.radii_mm,
                "voxels": int((labels == number).sum()),
                "source": one.source,
                "signal_percent": round(signal_percent(one.signal_share), 4),
                "pairwise_isc": 0.0 if one.source == OWN else one.signal_share,
            }
            for number, one in enumerate(REGIONS, start=1)
        ],
        "pairwise_isc_words": "variance of the shared signal over that of signal and noise, "
        "without drift, for two viewers whose films began at the same time",
        "film": {
            source: [float(value) for value in course[LATE_VOLUMES:]]
            for source, course in film.items()
        },
    }


def record_digests() -> None:
    """Make the dataset and write down its digests; for those who change the synthesis."""
    with tempfile.TemporaryDirectory() as folder:
        make_film_watching(Path(folder))
        files = sorted(Path(folder).iterdir())
        recorded = {file.name: content_digest(file) for file in files}
        print(f"{sum(file.stat().st_size for file in files) / 1e6:.1f} MB")  # noqa: T201  for size_mb
    DIGESTS.write_text(json.dumps(recorded, indent=1) + "\n")


if __name__ == "__main__":
    if sys.argv[1:] == ["--record"]:
        record_digests()
    else:
        make_film_watching(Path(sys.argv[1]))
