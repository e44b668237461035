"""Affines: every slip earns its own words, and none of them gives the right affine away."""

import re

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroprimer.imaging import (
    AffineError,
    about,
    compare_affines,
    compose,
    decompose,
    euler_rotation,
    rotation,
    rotation_axis_angle,
    scaling,
    translation,
)


def make_parts(seed: int) -> tuple[np.ndarray, float, np.ndarray, np.ndarray]:
    """Return axis, angle, zooms and translation, none of them special."""
    draw = np.random.default_rng(seed)
    axis = draw.uniform(0.3, 1, 3) * draw.choice([-1, 1], 3)
    zooms = draw.permutation([1.13, 2.27, 3.41]) * draw.uniform(0.9, 1.1)
    shift = draw.permutation([21.7, 63.9, 131.3]) * draw.choice([-1, 1], 3)
    return axis, draw.uniform(0.2, 1.2), zooms, shift * draw.uniform(0.9, 1.1)


def make_expected(seed: int) -> np.ndarray:
    axis, angle_rad, zooms, shift = make_parts(seed)
    return compose(translation_mm=shift, rotation=rotation(axis, angle_rad), zooms=zooms)


seeds = st.integers(0, 10**6)


def with_translation(affine, shift):
    changed = affine.copy()
    changed[:3, 3] = shift
    return changed


def with_axes(affine, axes):
    changed = affine.copy()
    changed[:3, :3] = axes
    return changed


def swapped(count, one, other):
    order = list(range(count))
    order[one], order[other] = other, one
    return order


def with_rotation(affine, turn):
    return compose(decompose(affine), rotation=turn)


def degrees_of(affine):
    axis, angle_rad = rotation_axis_angle(decompose(affine).rotation)
    return with_rotation(affine, rotation(axis, np.degrees(angle_rad)))


def radians_of(affine):
    axis, angle_rad = rotation_axis_angle(decompose(affine).rotation)
    return with_rotation(affine, rotation(axis, np.radians(angle_rad)))


SLIPS = {
    "is the identity": lambda _: np.eye(4),
    "is transposed: its rows stand": lambda a: a.T,
    "is the inverse: it leads": np.linalg.inv,
    "is the inverse, and transposed": lambda a: np.linalg.inv(a).T,
    "translation is missing": lambda a: with_translation(a, 0),
    "last column, has the opposite sign": lambda a: with_translation(a, -a[:3, 3]),
    "wrong sign along y": lambda a: with_translation(a, a[:3, 3] * (1, -1, 1)),
    "translation stand in the reverse order": lambda a: with_translation(a, a[2::-1, 3]),
    "In the translation, x and y": lambda a: with_translation(a, a[[1, 0, 2], 3]),
    "counts voxels": lambda a: with_translation(a, np.linalg.solve(a[:3, :3], a[:3, 3])),
    "must act last": lambda a: with_translation(a, a[:3, :3] @ a[:3, 3]),
    "are these metres": lambda a: with_translation(a, a[:3, 3] / 1000),
    "are these centimetres": lambda a: with_translation(a, a[:3, 3] / 10),
    "are these micrometres": lambda a: with_translation(a, a[:3, 3] * 1000),
    "off by half a voxel": lambda a: a @ translation([-0.5, -0.5, -0.5]),
    "off by one voxel": lambda a: a @ translation([1, 1, 1]),
    r"last column, is off\.": lambda a: a + translation([9, 7, 8]) - np.eye(4),
    "is off, along x and z": lambda a: translation([9.1, 0, 7.7]) @ a,
    "mirrored left-right": lambda a: np.diag([-1, 1, 1, 1]) @ a,
    "mirrored front to back": lambda a: np.diag([1, -1, 1, 1]) @ a,
    "mirrored top to bottom": lambda a: np.diag([1, 1, -1, 1]) @ a,
    "this is LPS": lambda a: np.diag([-1, -1, 1, 1]) @ a,
    "All three rows": lambda a: np.diag([-1, -1, -1, 1]) @ a,
    "step along j goes the wrong way": lambda a: a @ np.diag([1, -1, 1, 1]),
    "axes x and z of the world": lambda a: a[swapped(4, 0, 2)],
    "voxel axes i and k have": lambda a: a[:, swapped(4, 0, 2)],
    "and i and k with them": lambda a: a[swapped(4, 0, 2)][:, swapped(4, 0, 2)],
    "turn goes in the other direction": lambda a: with_rotation(a, decompose(a).rotation.T),
    "turn is missing": lambda a: with_rotation(a, np.eye(4)),
    "wrong side of the turn": lambda a: with_axes(
        a, np.diag(decompose(a).zooms) @ decompose(a).rotation[:3, :3]
    ),
    "voxel sizes are missing": lambda a: compose(decompose(a), zooms=(1, 1, 1)),
    "3 x 3 part is transposed": lambda a: with_axes(a, a[:3, :3].T),
    "sines and cosines want radians": degrees_of,
    "makes them from degrees, once": radians_of,
    "twice too long": lambda a: with_axes(a, a[:3, :3] * 2),
    "half as long": lambda a: with_axes(a, a[:3, :3] / 2),
    "a thousand times too long": lambda a: a @ scaling(1000),
    "a thousand times too short": lambda a: a @ scaling(0.001),
    "all three axes run the wrong way": lambda a: with_axes(a, -a[:3, :3]),
    "too long, by one and the same factor": lambda a: a @ scaling(1.3),
    "upside down": lambda a: compose(decompose(a), zooms=1 / decompose(a).zooms),
    "sizes are off along j": lambda a: a @ scaling((1, 1.3, 1)),
    "rounded too early": lambda a: a.round(2),
    "cut to whole ones": lambda a: a.astype(int),
    "Only the last row is off": lambda a: np.vstack([a[:3], [[0, 0, 0, 2]]]),
    "here it is something else": lambda a: a * 2,
    "Only the second column": lambda a: (
        a + np.eye(4)[:, [1]] @ [[0, 1, 0, 0]] * 0.3 + np.eye(4)[:, [2]] @ [[0, 1, 0, 0]] * 0.3
    ),
    "Only the first row": lambda a: a + np.outer([1, 0, 0, 0], [0.3, 0.4, 0, 7]),
    "Only one number is off, in the second row": lambda a: (
        a + np.outer([0, 1, 0, 0], [0.3, 0, 0, 0])
    ),
    "translation is right, but": lambda a: a + np.outer([1, 1, 0, 0], [0.3, 0.4, 0, 0]),
    "Several of its rows": lambda a: a + np.outer([1, 1, 1, 0], [0.3, 0.4, 0.1, 9]),
    "last row is missing": lambda a: a[:3],
    "no place for the translation": lambda a: a[:3, :3],
    "stand in one row": lambda a: a.ravel(),
    "NaN or infinite": lambda a: a * np.nan,
}


# Both are the wrong unit of an angle, and have one sentence.
DEGREES = {"sines and cosines want radians", "makes them from degrees, once"}


@pytest.mark.parametrize(("words", "slip"), SLIPS.items(), ids=SLIPS)
@settings(max_examples=12)
@given(seed=seeds)
def test_slip_earns_its_own_words(words, slip, seed):
    expected = make_expected(seed)

    said = compare_affines(slip(expected), expected)

    fitting = {others for others in SLIPS if re.search(others, said)}
    assert fitting == (DEGREES if words in DEGREES else {words})


@given(seed=seeds)
def test_right_affine_is_met_with_silence(seed):
    expected = make_expected(seed)

    assert compare_affines(expected, expected) == ""
    assert compare_affines(expected.tolist(), expected) == ""
    assert compare_affines(expected.astype(np.float32), expected) == ""
    assert compare_affines(expected.astype(object), expected) == ""


@pytest.mark.parametrize("slip", SLIPS.values(), ids=SLIPS)
@settings(max_examples=4)
@given(seed=seeds)
def test_no_number_of_the_right_affine_is_given_away(slip, seed):
    expected = make_expected(seed)

    said = compare_affines(slip(expected), expected)

    # a shape, a size of table and the voxel (0, 0, 0) are all the numbers there are
    assert set(re.findall(r"[\d.]*\d", said)) <= {"4", "3", "0", "16"}


@settings(max_examples=20)
@given(seed=seeds, off_mm=st.floats(0.002, 5))
def test_tolerance_is_a_distance_between_points(seed, off_mm):
    expected = make_expected(seed)
    found = translation([off_mm, 0, 0]) @ expected

    assert compare_affines(found, expected)
    assert compare_affines(found, expected, tolerance_mm=off_mm * 1.01) == ""


def make_factors(seed):
    axis, angle_rad, zooms, shift = make_parts(seed)
    return translation(shift), rotation(axis, angle_rad), scaling(zooms)


@settings(max_examples=20)
@given(seed=seeds)
def test_orders_of_multiplication_are_told_apart(seed):
    shift, turn, zooms = factors = make_factors(seed)

    def say(found):
        return compare_affines(found, shift @ turn @ zooms, factors=factors)

    assert say(shift @ turn @ zooms) == ""
    assert "reverse order" in say(zooms @ turn @ shift)
    assert "in another order" in say(turn @ shift @ zooms)
    assert "number by number" in say(shift * turn * zooms)
    assert "added" in say(shift + turn + zooms)
    assert "missing" in say(shift @ turn)
    assert "One of the factors is inverted" in say(shift @ turn @ np.linalg.inv(zooms))


@settings(max_examples=20)
@given(seed=seeds)
def test_degrees_are_noticed_in_euler_angles_and_about_a_point(seed):
    *_, centre = make_parts(seed)
    angles_rad = np.random.default_rng(seed).uniform(0.2, 1.2, 3)
    turns = [rotation(axis, angle) for axis, angle in zip("xyz", angles_rad, strict=True)]
    euler = euler_rotation(angles_rad, "Rx @ Ry @ Rz")
    wrong = euler_rotation(np.degrees(angles_rad), "Rx @ Ry @ Rz")
    turned = about(rotation("z", angles_rad[0]), centre)

    assert "radians" in compare_affines(wrong, euler, factors=turns)
    assert "radians" in compare_affines(
        about(rotation("z", np.degrees(angles_rad[0])), centre), turned
    )


@pytest.mark.parametrize("angle_deg", [10, 90, 135, 200, 300, -30])
def test_degrees_are_noticed_for_angles_of_any_size(angle_deg):
    expected = rotation("x", np.radians(angle_deg)) @ np.diag([2.0, -2.5, 3, 1])
    found = rotation("x", angle_deg) @ np.diag([2.0, -2.5, 3, 1])

    assert "radians" in compare_affines(found, expected)


def test_turn_alone_is_said_to_turn_the_other_way_and_not_to_be_transposed():
    turn = rotation("z", 0.4)

    assert compare_affines(turn.T, turn).startswith("It turns in the other direction")


def test_straight_image_has_words_of_its_own():
    expected = np.array([[2.0, 0, 0, -90], [0, 2, 0, -126], [0, 0, 2, -72], [0, 0, 0, 1]])

    assert "translation is missing" in compare_affines(np.diag([2, 2, 2, 1]), expected)
    assert "inverse" in compare_affines(np.linalg.inv(expected), expected)
    assert "transposed" in compare_affines(expected.T, expected)


def test_flat_affine_is_compared_all_the_same():
    flat = np.diag([2.0, 0, 0, 1])

    assert compare_affines(flat, flat) == ""
    assert "translation" in compare_affines(translation([1, 2, 3]) @ flat, flat)


def test_image_in_the_place_of_its_affine_is_named(odd_image):
    assert "take its .affine" in compare_affines(odd_image, np.eye(4))


@pytest.fixture
def odd_image():
    return nib.Nifti1Image(np.zeros((4, 4), np.uint8), np.eye(4))


def test_odd_answer_gets_a_sentence(odd_answer):
    said = compare_affines(odd_answer, make_expected(1))

    assert re.fullmatch(r"[A-Z].+[.a-z]", said)


@pytest.mark.parametrize("blank", [None, ..., NotImplemented])
def test_blank_is_no_answer_yet(blank):
    assert compare_affines(blank, np.eye(4)).startswith("There is no answer yet")


def test_wrong_expectation_is_an_error_of_its_author():
    with pytest.raises(AffineError):
        compare_affines(np.eye(4), np.eye(3))
    with pytest.raises(AffineError):
        compare_affines(np.eye(4), np.eye(4), factors=[np.eye(3)])
