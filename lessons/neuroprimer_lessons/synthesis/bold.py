"""The dataset ``localizer-bold``: a functional run, its events, and what is true of it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from neuroprimer_lessons.synthesis.chance import Bits, numbers, smooth_noise, start, white_noise
from neuroprimer_lessons.synthesis.files import write_image, write_json, write_table
from neuroprimer_lessons.synthesis.head import brain_tissue
from neuroprimer_lessons.synthesis.template import ellipsoid, world_points

SHAPE, VOLUMES, TR_S, VOXEL_MM = (64, 64, 40), 128, 2.4, 3.5
SEED = 20_070_911
# The box of slices is turned about x and z, as on most scanners' screens; its centre in the world.
TILT_RAD, YAW_RAD, CENTRE_MM = 0.20, 0.05, (1.0, -18.0, 14.0)

DRIFT_PERCENT, SLOW_PERCENT = -2.0, 0.2
TSNR, AUTOCORRELATION, AIR_NOISE = 70.0, 0.35, 3.0
# How much brighter the first volumes are, before the magnetisation has settled.
SETTLING = (0.10, 0.03)
GHOST = 0.02
STEP = 0.75

FIRST_ONSET_S, INTERVALS_S, EVENT_S = 9.6, (5.4, 6.6, 7.8), 3.0
EVENTS_OF_EACH = 10


@dataclass(frozen=True, kw_only=True)
class Response:
    """Where one kind of event is answered, and by how many percent of the signal at its peak."""

    region: str
    events: tuple[str, ...]
    centre_mm: tuple[float, float, float]
    radius_mm: float
    percent: float


# A region's number in the label image is its place in this list, from 1.
RESPONSES = (
    Response(
        region="visual", events=("checkerboard",), centre_mm=(0, -84, 2), radius_mm=12, percent=2.5
    ),
    Response(
        region="auditory_left",
        events=("sentence",),
        centre_mm=(-50, -18, 6),
        radius_mm=9,
        percent=2.0,
    ),
    Response(
        region="auditory_right",
        events=("sentence",),
        centre_mm=(50, -18, 6),
        radius_mm=9,
        percent=1.8,
    ),
    Response(
        region="motor_left",
        events=("right_button",),
        centre_mm=(-34, -22, 50),
        radius_mm=9,
        percent=2.0,
    ),
    Response(
        region="motor_right",
        events=("left_button",),
        centre_mm=(34, -22, 50),
        radius_mm=9,
        percent=2.0,
    ),
)
TRIAL_TYPES = tuple(sorted({event for one in RESPONSES for event in one.events}))


def make_bold(folder: Path) -> None:
    """Write the run, its regions, events, sidecar and truth."""
    baseline, labels = make_baseline(), make_labels()
    run = np.empty((*SHAPE, 1, VOLUMES), dtype=np.int16)
    for index, volume in enumerate(_volumes(baseline, labels)):
        run[..., 0, index] = np.rint(volume / STEP)
    # The header holds time in the fifth dimension, as some converters write it.
    write_image(folder / "localizer_bold.nii.gz", run, affine(), step=STEP, tr_s=TR_S)
    write_image(folder / "active_regions.nii.gz", labels, affine(), dtype=np.uint8, intent="label")
    write_table(
        folder / "events.tsv",
        [("onset", "duration", "trial_type"), *events()],
        separator="\t",
    )
    sidecar = {"RepetitionTime": TR_S, "TaskName": "localizer", "MagneticFieldStrength": 3}
    write_json(folder / "localizer_bold.json", sidecar)
    write_json(folder / "truth.json", _truth(labels))


def affine() -> NDArray[np.float64]:
    """Return the oblique affine of the run; the first voxel index grows to the left."""
    cos, sin = np.cos(TILT_RAD), np.sin(TILT_RAD)
    tilt = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    cos, sin = np.cos(YAW_RAD), np.sin(YAW_RAD)
    yaw = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    edges_mm = yaw @ tilt @ np.diag([-VOXEL_MM, VOXEL_MM, VOXEL_MM])
    whole = np.eye(4)
    whole[:3, :3] = edges_mm
    whole[:3, 3] = CENTRE_MM - edges_mm @ ((np.array(SHAPE) - 1) / 2)
    return np.round(whole, 5)  # exact in the header, which holds single precision


@cache
def events() -> tuple[tuple[float, float, str], ...]:
    """Return onset and duration in seconds, and kind, of each event: a shuffled rapid design."""
    kinds = np.repeat(TRIAL_TYPES, EVENTS_OF_EACH)
    bits = start(SEED)
    kinds = kinds[np.argsort(numbers(bits, len(kinds)))]
    intervals_s = np.array(INTERVALS_S)[numbers(bits, len(kinds) - 1) % len(INTERVALS_S)]
    onsets_s = FIRST_ONSET_S + np.concatenate([[0.0], np.cumsum(intervals_s)])
    return tuple(
        (round(float(onset), 1), EVENT_S, str(kind))
        for onset, kind in zip(onsets_s, kinds, strict=True)
    )


def regressor(kind: str) -> NDArray[np.float64]:
    """Return the response to all events of a kind at each volume; one event alone peaks at 1.

    The haemodynamic response is the difference of two gamma densities, with peaks near 5 and 15 s.
    """
    fine_s = 0.1
    times_s = np.arange(0, 32, fine_s)
    rise, undershoot = (times_s**power / math.factorial(power) for power in (5, 15))
    kernel = (rise - undershoot / 6) * np.exp(-times_s)
    one = np.convolve(np.ones(round(EVENT_S / fine_s)), kernel)
    one /= one.max()
    response = np.zeros(round(VOLUMES * TR_S / fine_s) + len(one))
    for onset_s, _, this in events():
        if this == kind:
            first = round(onset_s / fine_s)
            response[first : first + len(one)] += one
    return np.asarray(response[np.round(np.arange(VOLUMES) * TR_S / fine_s).astype(int)])


def drift() -> NDArray[np.float64]:
    """Return what the signal of each volume is multiplied by: a line, and one slow wave.

    The wave is a cosine of a whole number of turns and thus has no part in the line.
    """
    share = np.arange(VOLUMES) / (VOLUMES - 1)
    wave = np.cos(2 * np.pi * (np.arange(VOLUMES) + 0.5) / VOLUMES)
    return np.asarray(1 + DRIFT_PERCENT / 100 * share + SLOW_PERCENT / 100 * wave)


def make_baseline() -> NDArray[np.float64]:
    """Return the head as an echo-planar sequence sees it, without noise."""
    points_mm = world_points(SHAPE, affine())
    t1, grey, white = brain_tissue(points_mm, blur_mm=1.6)
    fluid = np.clip((t1 > 0.02) * (1 - grey - white), 0, 1) * np.clip(t1 / 0.15, 0, 1)
    picture = 1000 * grey + 760 * white + 900 * fluid
    hull = ndimage.binary_closing(t1 > 0.15, iterations=2)
    depth_mm = ndimage.distance_transform_edt(~hull, sampling=VOXEL_MM)
    picture = np.where((depth_mm > 0) & (depth_mm <= 3.6), picture + 120, picture)
    picture = np.where((depth_mm > 7) & (depth_mm <= 11), 210.0, picture)  # what is left of fat
    picture = ndimage.gaussian_filter(picture, 0.5)
    # Near the air of sinus and ears the signal is lost.
    for centre_mm, radii_mm, loss in (
        ((0.0, 34.0, -24.0), (20.0, 20.0, 14.0), 0.75),
        ((-44.0, -14.0, -32.0), (16.0, 20.0, 12.0), 0.6),
        ((44.0, -14.0, -32.0), (16.0, 20.0, 12.0), 0.6),
    ):
        near = ellipsoid(points_mm, centre_mm, radii_mm)
        picture *= 1 - loss / (1 + near * near * near)
    ghost = np.roll(picture, SHAPE[1] // 2, axis=1)
    return np.asarray(picture + GHOST * ghost)


def make_labels() -> NDArray[np.uint8]:
    """Return which region each voxel belongs to: its number, or 0."""
    points_mm = world_points(SHAPE, affine())
    t1, grey, _ = brain_tissue(points_mm, blur_mm=1.6)
    labels = np.zeros(SHAPE, dtype=np.uint8)
    for number, one in enumerate(RESPONSES, start=1):
        ball = ellipsoid(points_mm, one.centre_mm, (one.radius_mm,) * 3) <= 1
        labels[ball & (t1 > 0.3) & (grey > 0.3)] = number
    return labels


def _volumes(
    baseline: NDArray[np.float64], labels: NDArray[np.uint8]
) -> Iterator[NDArray[np.float64]]:
    """Yield one volume after the other, for not all of them to be held at once."""
    bits = start(SEED, 1)
    amount = np.maximum(baseline / TSNR, AIR_NOISE)
    level, settling = drift(), np.zeros(VOLUMES)
    settling[: len(SETTLING)] = SETTLING
    answers = [
        (
            labels == number,
            one.percent / 100,
            np.sum([regressor(kind) for kind in one.events], axis=0),
        )
        for number, one in enumerate(RESPONSES, start=1)
    ]
    noise = _spatial_noise(bits)
    fresh = np.sqrt(1 - AUTOCORRELATION * AUTOCORRELATION)
    for index in range(VOLUMES):
        signal = baseline * (level[index] + settling[index])
        for inside, share, response in answers:
            signal[inside] += baseline[inside] * share * response[index]
        yield np.abs(signal + amount * noise)
        noise = AUTOCORRELATION * noise + fresh * _spatial_noise(bits)


def _spatial_noise(bits: Bits) -> NDArray[np.float64]:
    """Return noise of standard deviation 1: half of its variance smooth, half of it white."""
    smooth = smooth_noise(bits, SHAPE, passes=1)
    return np.asarray((smooth + white_noise(bits, SHAPE)) / np.sqrt(2.0))


def _truth(labels: NDArray[np.uint8]) -> dict[str, object]:
    return {
        "drift_percent_per_run": DRIFT_PERCENT,
        "drift_words": "a straight line from the first to the last volume, in percent of the "
        "signal at the first, and the same in every voxel of the head",
        "slow_wave_percent": SLOW_PERCENT,
        "tsnr": TSNR,
        "tsnr_words": "signal / standard deviation of the noise in every voxel of the brain, "
        "without drift, responses and the first volumes",
        "autocorrelation": AUTOCORRELATION,
        "settling_percent": [100 * part for part in SETTLING],
        "repetition_time_s": TR_S,
        "motion": "none",
        "regions": [
            {
                "label": number,
                "name": one.region,
                "events": one.events,
                "effect_percent": one.percent,
                "centre_mm": one.centre_mm,
                "radius_mm": one.radius_mm,
                "voxels": int((labels == number).sum()),
            }
            for number, one in enumerate(RESPONSES, start=1)
        ],
    }
