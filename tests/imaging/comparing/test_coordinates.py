"""Coordinates: every slip earns its own words, and none of them gives the right ones away."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroprimer.imaging import (
    AffineError,
    compare_coordinates,
    compose,
    rotation,
    voxel_to_world,
    world_to_voxel,
)

AFFINE = compose(
    translation_mm=(-91.3, 126.9, -72.1), rotation=rotation((1, 2, 3), 0.4), zooms=(2.1, 2.6, 3.3)
)
SHIFT, AXES = AFFINE[:3, 3], AFFINE[:3, :3]

points = st.integers(0, 10**6).map(lambda seed: np.random.default_rng(seed).uniform(11, 90, (4, 3)))

SLIPS = {
    "These are voxel indices": lambda p: world_to_voxel(AFFINE, p),
    "These are world coordinates": lambda p: voxel_to_world(AFFINE, p),
    "translation was not added": lambda p: p - SHIFT,
    "translation was subtracted": lambda p: p - 2 * SHIFT,
    "translation was added twice": lambda p: p + SHIFT,
    "not taken away before": lambda p: p + np.linalg.solve(AXES, SHIFT),
    "it comes first": lambda p: p + np.linalg.solve(AXES, SHIFT) - SHIFT,
    "The inverse of the affine was used": lambda p: world_to_voxel(
        AFFINE, world_to_voxel(AFFINE, p)
    ),
    "The affine was used where its inverse": lambda p: voxel_to_world(
        AFFINE, voxel_to_world(AFFINE, p)
    ),
    "was used transposed": lambda p: world_to_voxel(AFFINE, p) @ AXES + SHIFT,
    "axes were left out": lambda p: world_to_voxel(AFFINE, p) * (2.1, 2.6, 3.3) + SHIFT,
    "left and right": lambda p: p * (-1, 1, 1),
    "y has the opposite sign": lambda p: p * (1, -1, 1),
    "z has the opposite sign": lambda p: p * (1, 1, -1),
    "this is LPS": lambda p: p * (-1, -1, 1),
    "All signs": lambda p: -p,
    "order is reversed": lambda p: p[..., ::-1],
    "first and the second number have changed": lambda p: p[..., [1, 0, 2]],
    "numbers are in another order": lambda p: np.roll(p, 1, axis=-1),
    "centimetres": lambda p: p / 10,
    "they metres": lambda p: p / 1000,
    "too large": lambda p: p * 1000,
    "exactly one": lambda p: p + 1,
    "by a half": lambda p: p - 0.5,
    "are rounded": lambda p: p.round(1),
    "cut to whole": lambda p: p.astype(int),
    "Only the second number": lambda p: np.add(p, (0, 7, 0)),
    "first and the third number are off": lambda p: np.add(p, (4, 0, 7)),
    "None of the three": lambda p: p * (2.2, 3.3, 4.4),
    "NaN": lambda p: p * np.nan,
    "fourth number": lambda p: np.concatenate([p, np.ones_like(p[..., :1])], axis=-1),
}

TABLE_SLIPS = {
    "points are right, but in the reverse": lambda p: p[::-1],
    "It is transposed": lambda p: p.T,
    "too few points": lambda p: p[1:],
    "too many points": lambda p: np.vstack([p, p]),
    "one point, but a table": lambda p: p[0],
    "stand in one row": lambda p: p.ravel(),
    "off by the same way": lambda p: np.add(p, (4, 5, 6)),
    "One point is off, first in the row with the index 2": lambda p: np.vstack(
        [p[:2], p[2:3] + 9, p[3:]]
    ),
}


def expected_for(words, p):
    # numbers with much behind the point are cut otherwise than they are rounded
    return p.round() + 0.7 if words == "cut to whole" else p


@pytest.mark.parametrize(("words", "slip"), SLIPS.items(), ids=SLIPS)
@settings(max_examples=12)
@given(p=points)
def test_slip_of_one_point_earns_its_own_words(words, slip, p):
    point = expected_for(words, p[0])

    said = compare_coordinates(slip(point), point, affine=AFFINE)

    assert [others for others in SLIPS if re.search(others, said)] == [words]


@pytest.mark.parametrize(
    ("words", "slip"), [*SLIPS.items(), *TABLE_SLIPS.items()], ids=[*SLIPS, *TABLE_SLIPS]
)
@settings(max_examples=12)
@given(p=points)
def test_slip_of_many_points_earns_its_own_words(words, slip, p):
    if words in ("Only the second number", "first and the third number are off"):
        slip = {1: lambda p: p * (1, 1.5, 1), 2: lambda p: p * (1.5, 1, 1.5)}[
            1 if "Only" in words else 2
        ]
    p = expected_for(words, p)

    said = compare_coordinates(slip(p), p, affine=AFFINE)

    every = {**SLIPS, **TABLE_SLIPS}
    assert [others for others in every if re.search(others, said)] == [words]
    assert set(re.findall(r"[\d.]*\d", said)) <= {"3", "2", "1"}


@given(p=points)
def test_right_coordinates_are_met_with_silence(p):
    assert compare_coordinates(p, p, affine=AFFINE) == ""
    assert compare_coordinates(p.tolist(), p) == ""
    assert compare_coordinates(tuple(p[0]), p[0].tolist()) == ""


def test_slips_of_the_affine_are_left_alone_without_one():
    said = compare_coordinates(world_to_voxel(AFFINE, (10, 20, 30)), (10, 20, 30))

    assert "voxel" not in said


def test_three_points_as_columns_are_noticed():
    three = np.arange(9.0).reshape(3, 3) ** 2

    assert "transposed" in compare_coordinates(three.T, three)


@pytest.mark.parametrize("shape", [(1, 3), (3, 1)])
def test_table_of_one_point_is_no_point(shape):
    assert ".ravel()" in compare_coordinates(np.ones(3).reshape(shape), np.ones(3))


@pytest.mark.parametrize("expected", [(1.5, 2, 3), [(1.5, 2, 3), (4, 5, 6)]])
def test_odd_answer_gets_a_sentence(odd_answer, expected):
    assert re.fullmatch(r"[A-Z].+[.a-zT]", compare_coordinates(odd_answer, expected))


@pytest.mark.parametrize("expected", [(1, 2), np.nan, [1, 2, np.inf], np.zeros((2, 2, 3))])
def test_wrong_expectation_is_an_error_of_its_author(expected):
    with pytest.raises(AffineError):
        compare_coordinates((1, 2, 3), expected)
