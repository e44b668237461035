"""Rotations against scipy and nibabel."""

import itertools

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from nibabel.eulerangles import euler2mat
from nibabel.quaternions import angle_axis2mat
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.transform import Rotation

from neuroprimer.imaging import AffineError, voxel_to_world
from neuroprimer.imaging.space.rotations import (
    EULER_ORDERS,
    euler_rotation,
    require_rotation,
    rotation,
    rotation_axis_angle,
)
from neuroprimer.imaging.space.transforms import reflection, scaling, translation

angles_rad = st.floats(-2 * np.pi, 2 * np.pi)
three_angles_rad = st.tuples(angles_rad, angles_rad, angles_rad)
directions = st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda axis: np.linalg.norm(axis) > 0.1)


@given(axis=directions, angle_rad=angles_rad)
def test_rotation_agrees_with_nibabel(axis, angle_rad):
    turned = rotation(axis, angle_rad)

    assert_allclose(turned[:3, :3], angle_axis2mat(angle_rad, axis), rtol=0, atol=1e-14)
    assert_array_equal(turned[:, 3], [0, 0, 0, 1])
    assert_array_equal(turned[3], [0, 0, 0, 1])


@pytest.mark.parametrize(("axis", "vector"), [("x", (1, 0, 0)), ("y", (0, 1, 0)), ("z", (0, 0, 1))])
def test_axis_has_a_name_or_three_numbers(axis, vector):
    assert_array_equal(rotation(axis, 0.3), rotation(np.multiply(vector, 5), 0.3))


@pytest.mark.parametrize(
    ("axis", "start", "end"),
    [
        ("x", (0, 1, 0), (0, 0, 1)),  # front to top
        ("y", (0, 0, 1), (1, 0, 0)),  # top to right
        ("z", (1, 0, 0), (0, 1, 0)),  # right to front
    ],
)
def test_positive_quarter_turn_follows_the_right_hand(axis, start, end):
    assert_allclose(voxel_to_world(rotation(axis, np.pi / 2), start), end, atol=1e-15)


def test_turning_about_a_named_axis_leaves_it_exactly_alone():
    assert_array_equal(rotation("x", 0.3)[0], [1, 0, 0, 0])
    assert_array_equal(rotation("x", 0.3)[:, 0], [1, 0, 0, 0])


@given(axis=directions, one_rad=angles_rad, other_rad=angles_rad)
def test_turns_about_one_axis_add_up(axis, one_rad, other_rad):
    one_after_the_other = rotation(axis, one_rad) @ rotation(axis, other_rad)

    assert_allclose(one_after_the_other, rotation(axis, one_rad + other_rad), atol=1e-13)


def test_there_are_twelve_euler_orders():
    tait_bryan = [order for order in EULER_ORDERS if len(set(order[1::5])) == 3]

    assert len(EULER_ORDERS) == 12
    assert len(tait_bryan) == 6


@given(three_rad=three_angles_rad, order=st.sampled_from(EULER_ORDERS))
def test_euler_rotation_is_the_product_as_written(three_rad, order):
    matrices = [rotation(axis, rad) for axis, rad in zip(order[1::5], three_rad, strict=True)]

    product = matrices[0] @ matrices[1] @ matrices[2]

    assert_allclose(euler_rotation(three_rad, order), product, rtol=0, atol=1e-14)


@given(three_rad=three_angles_rad, order=st.sampled_from(EULER_ORDERS))
def test_euler_rotation_agrees_with_intrinsic_angles_of_scipy(three_rad, order):
    oracle = Rotation.from_euler(order[1::5].upper(), three_rad).as_matrix()

    assert_allclose(euler_rotation(three_rad, order)[:3, :3], oracle, rtol=0, atol=1e-13)


@given(three_rad=three_angles_rad, order=st.sampled_from(EULER_ORDERS))
def test_reversed_euler_rotation_agrees_with_extrinsic_angles_of_scipy(three_rad, order):
    oracle = Rotation.from_euler(order[1::5][::-1], three_rad[::-1]).as_matrix()

    assert_allclose(euler_rotation(three_rad, order)[:3, :3], oracle, rtol=0, atol=1e-13)


@given(three_rad=three_angles_rad)
def test_x_y_z_is_the_order_of_nibabel(three_rad):
    a, b, c = three_rad

    turned = euler_rotation((a, b, c), "Rx @ Ry @ Rz")[:3, :3]

    assert_allclose(turned, euler2mat(z=c, y=b, x=a), rtol=0, atol=1e-13)


def test_spaces_in_an_order_do_not_matter():
    assert_array_equal(
        euler_rotation((0.1, 0.2, 0.3), "Rx@Ry@Rz"),
        euler_rotation((0.1, 0.2, 0.3), "  Rx @  Ry @ Rz "),
    )


@pytest.mark.parametrize("word", ["xyz", "XYZ"])
def test_word_for_an_order_is_refused_with_both_readings(word):
    with pytest.raises(
        AffineError, match=r"two ways.*'Rx @ Ry @ Rz' to turn about z.*'Rz @ Ry @ Rx' .* x first"
    ):
        euler_rotation((0, 0, 0), word)


@pytest.mark.parametrize("order", ["Rx @ Rx @ Ry", "Rx @ Ry", "sxyz", "", None, "Ri @ Rj @ Rk"])
def test_what_is_no_euler_order_is_answered_with_all_of_them(order):
    with pytest.raises(AffineError, match=r"no Euler order.*Rx @ Ry @ Rx, Rx @ Ry @ Rz.*Rz @ Ry"):
        euler_rotation((0, 0, 0), order)


@given(axis=directions, angle_rad=st.floats(1e-9, np.pi))
@example(axis=(1, 2, 3), angle_rad=np.pi - 1e-9)
@example(axis=(-1, 0, 0), angle_rad=1e-12)
@example(axis=(-0.3, 0.2, 0.9), angle_rad=1e-300)
def test_axis_and_angle_come_back(axis, angle_rad):
    found_axis, found_rad = rotation_axis_angle(rotation(axis, angle_rad))

    assert_allclose(found_rad, angle_rad, rtol=1e-12)
    unit = np.divide(axis, np.linalg.norm(axis))
    # at half a turn both directions of an axis are right
    sign = np.sign(unit @ found_axis) if np.pi - angle_rad < 1e-12 else 1
    assert_allclose(found_axis, sign * unit, rtol=0, atol=1e-6 if angle_rad < 1e-9 else 1e-7)


@given(axis=directions, angle_rad=angles_rad)
def test_axis_and_angle_make_the_same_rotation(axis, angle_rad):
    turned = rotation(axis, angle_rad)

    assert_allclose(rotation(*rotation_axis_angle(turned)), turned, rtol=0, atol=1e-14)


@given(axis=directions, angle_rad=angles_rad)
def test_angle_lies_between_none_and_half_a_turn(axis, angle_rad):
    found_axis, found_rad = rotation_axis_angle(rotation(axis, angle_rad))

    assert 0 <= found_rad <= np.pi
    assert_allclose(np.linalg.norm(found_axis), 1, rtol=1e-14)


def test_turn_by_nothing_has_the_x_axis():
    axis, angle_rad = rotation_axis_angle(np.eye(4))

    assert_array_equal(axis, [1, 0, 0])
    assert angle_rad == 0


HALF_TURN_AXES = [axis for axis in itertools.product((-1, 0, 1), repeat=3) if any(axis)]


@pytest.mark.parametrize("axis", HALF_TURN_AXES, ids=str)
def test_half_turn_has_the_axis_that_begins_positive(axis):
    first = next(number for number in axis if number)

    found_axis, found_rad = rotation_axis_angle(rotation(axis, np.pi))

    assert_allclose(found_rad, np.pi, rtol=1e-15)
    assert_allclose(found_axis, first * np.divide(axis, np.linalg.norm(axis)), atol=1e-15)


@pytest.mark.parametrize(
    "matrix",
    [reflection("x"), scaling(2), scaling((2, 0.5, 1)), translation((1, 0, 0)), np.eye(3)],
    ids=["mirror", "larger", "same volume", "shift", "3x3"],
)
@pytest.mark.parametrize("use", [require_rotation, rotation_axis_angle])
def test_what_is_no_rotation_is_refused(use, matrix):
    with pytest.raises(AffineError, match=r"A rotation has|shape \(4, 4\)"):
        use(matrix)


def test_rotation_may_have_come_through_float32():
    stored = rotation((1, 2, 3), 0.4).astype(np.float32)

    _, angle_rad = rotation_axis_angle(stored)

    assert_allclose(angle_rad, 0.4, rtol=1e-6)


@pytest.mark.parametrize("angle_rad", [np.nan, (1, 2), "quarter", None, 1j])
def test_angle_is_one_number(angle_rad):
    with pytest.raises(AffineError, match="angle_rad"):
        rotation("x", angle_rad)


def test_euler_angles_are_three_numbers():
    with pytest.raises(AffineError, match="angles_rad is three finite numbers"):
        euler_rotation((1, 2), "Rx @ Ry @ Rz")
