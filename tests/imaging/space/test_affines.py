"""Affines against nibabel, numpy and their own laws."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from nibabel import affines as nibabel_affines
from nibabel.quaternions import angle_axis2mat
from numpy.testing import assert_allclose

from neuroprimer.imaging import (
    AffineError,
    axis_codes,
    obliquity,
    require_affine,
    voxel_sizes,
    voxel_to_world,
    world_to_voxel,
)
from neuroprimer.imaging.space.affines import turn_zooms_shears

coordinates = st.floats(-300, 300)
points = hnp.arrays(float, st.tuples(st.integers(1, 5), st.just(3)), elements=coordinates)
sizes_mm = st.tuples(*[st.floats(0.2, 10)] * 3)
angles_rad = st.floats(-np.pi, np.pi)
axes = st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda axis: np.linalg.norm(axis) > 0.1)


@st.composite
def affines(draw: st.DrawFn) -> np.ndarray:
    """Draw voxel sizes, reflections, a turn about any axis, and a position."""
    signs = draw(st.tuples(*[st.sampled_from([-1.0, 1.0])] * 3))
    scales = np.diag(np.multiply(draw(sizes_mm), signs))
    turn = angle_axis2mat(draw(angles_rad), draw(axes))
    return nibabel_affines.from_matvec(turn @ scales, draw(st.tuples(*[coordinates] * 3)))


# What the letters mean: which world axis, and which way along it.
DIRECTIONS = {"R": (0, 1), "L": (0, -1), "A": (1, 1), "P": (1, -1), "S": (2, 1), "I": (2, -1)}
ALL_CODES = [
    codes
    for codes in itertools.permutations(DIRECTIONS, 3)
    if len({DIRECTIONS[letter][0] for letter in codes}) == 3
]


def affine_of(codes: tuple[str, ...]) -> np.ndarray:
    """Return an affine whose voxel axes run towards the given sides."""
    affine = np.zeros((4, 4))
    affine[3, 3] = 1
    for column, letter in enumerate(codes):
        row, sign = DIRECTIONS[letter]
        affine[row, column] = sign * (column + 1.5)
    return affine


@given(affine=affines(), ijk=points)
def test_voxel_to_world_agrees_with_nibabel(affine, ijk):
    assert_allclose(
        voxel_to_world(affine, ijk), nibabel_affines.apply_affine(affine, ijk), rtol=0, atol=1e-9
    )


@given(affine=affines(), ijk=points)
def test_world_to_voxel_undoes_voxel_to_world(affine, ijk):
    xyz = voxel_to_world(affine, ijk)

    # Voxels down to 0.2 mm: rounding of coordinates in mm is five times as large in voxels.
    assert_allclose(world_to_voxel(affine, xyz), ijk, rtol=0, atol=1e-9)


@given(affine=affines(), shears=st.tuples(*[st.floats(-3, 3)] * 3), ijk=points)
def test_points_come_back_from_a_sheared_image(affine, shears, ijk):
    shear = np.eye(4)
    shear[np.triu_indices(3, k=1)] = shears
    sheared = affine @ shear

    found = world_to_voxel(sheared, voxel_to_world(sheared, ijk))

    size = 1 + np.abs(ijk).max()
    assert_allclose(found / size, ijk / size, rtol=0, atol=1e-9)


@given(affine=affines(), xyz=points)
def test_world_to_voxel_agrees_with_solving(affine, xyz):
    solved = np.linalg.solve(affine[:3, :3], (xyz - affine[:3, 3]).T).T

    assert_allclose(world_to_voxel(affine, xyz), solved, rtol=0, atol=1e-9)


def test_points_of_a_nearly_flat_image_land_where_they_came_from():
    """The way back leaves no error in mm, whatever it does to voxel indices."""
    nearly_flat = np.eye(4)
    nearly_flat[:3, :3] = [[1, 1, 1], [1, 1 + 1e-6, 1], [1, 1, 1 - 1e-6]]
    xyz = voxel_to_world(nearly_flat, np.random.default_rng(3).uniform(-100, 100, (50, 3)))

    there_and_back = voxel_to_world(nearly_flat, world_to_voxel(nearly_flat, xyz))

    # an explicit inverse is off by a million times as much
    assert_allclose(there_and_back, xyz, rtol=0, atol=1e-12)


def test_origin_of_a_mirrored_image_is_no_negative_zero():
    ijk = world_to_voxel(np.diag([-2.0, 2, 2, 1]), [[0, 0, 0], [0, -5, -3]])

    assert not np.signbit(ijk[:, 0]).any()


def test_factors_of_a_mirrored_image_hold_no_negative_zero():
    for factor in turn_zooms_shears(np.diag([2.0, -2, 2, 1])):
        assert not np.signbit(factor[factor == 0]).any()


@given(one=affines(), other=affines(), ijk=points)
def test_product_of_affines_maps_like_one_after_the_other(one, other, ijk):
    in_two_steps = voxel_to_world(one, voxel_to_world(other, ijk))

    assert_allclose(voxel_to_world(one @ other, ijk), in_two_steps, rtol=1e-9, atol=1e-6)


@given(affine=affines())
def test_voxel_sizes_are_distances_between_neighbours(affine):
    neighbours = voxel_to_world(affine, np.eye(3)) - voxel_to_world(affine, [0, 0, 0])

    assert_allclose(voxel_sizes(affine), np.linalg.norm(neighbours, axis=1), rtol=1e-9)


@pytest.mark.parametrize("size_mm", [1e-200, 1e200])
def test_voxels_beyond_reason_have_sizes_and_a_way_back(size_mm):
    affine = np.diag([size_mm, -size_mm, size_mm, 1])

    assert_allclose(voxel_sizes(affine), size_mm, rtol=1e-15)
    assert_allclose(world_to_voxel(affine, [size_mm, 0, 0]), [1, 0, 0], rtol=0)


@pytest.mark.parametrize("codes", ALL_CODES, ids="".join)
def test_axis_codes_of_every_storage_order(codes):
    assert len(ALL_CODES) == 48
    assert axis_codes(affine_of(codes)) == codes


@given(
    angle_rad=st.floats(0, np.pi / 4 - 0.01),
    world_axis=st.sampled_from([0, 1, 2]),
    codes=st.sampled_from(ALL_CODES),
)
def test_obliquity_is_given_for_each_voxel_axis_in_any_storage_order(angle_rad, world_axis, codes):
    straight = affine_of(codes)
    turn = angle_axis2mat(angle_rad, np.eye(3)[world_axis])
    turned = nibabel_affines.from_matvec(turn @ straight[:3, :3])

    # the voxel axis along the axis of the turn stays where it is
    expected = [0 if DIRECTIONS[code][0] == world_axis else angle_rad for code in codes]
    # arccos near 1 loses half of the digits
    assert_allclose(obliquity(turned), expected, rtol=0, atol=1e-7)


def test_points_keep_their_shape():
    many = np.zeros((4, 5, 3))

    assert voxel_to_world(np.eye(4), many).shape == (4, 5, 3)
    assert world_to_voxel(np.eye(4), many).shape == (4, 5, 3)
    assert world_to_voxel(np.eye(4), [1, 2, 3]).shape == (3,)


def test_arguments_are_not_changed():
    affine, ijk = np.diag([2.0, 2, 2, 1]), np.ones((2, 3))

    world_to_voxel(affine, voxel_to_world(affine, ijk))

    assert_allclose(affine, np.diag([2, 2, 2, 1]), rtol=0)
    assert_allclose(ijk, 1, rtol=0)


@pytest.mark.parametrize(
    ("affine", "words"),
    [
        (np.eye(3), r"shape \(3, 3\)"),
        (np.full((4, 4), np.nan), "16 that are NaN"),
        (np.eye(4) + np.eye(4, k=-3), "last row"),
        ([[1, 2], [3]], "not"),
        ("affine", "not"),
        (None, "there is none"),
        (np.eye(4) * 1j, "complex"),
    ],
    ids=["3x3", "nan", "transposed", "ragged", "text", "nothing", "complex"],
)
def test_what_is_no_affine_is_refused_in_words(affine, words):
    with pytest.raises(AffineError, match=words):
        require_affine(affine)


def test_axis_without_length_leaves_no_way_back():
    with pytest.raises(AffineError, match="cannot be inverted"):
        world_to_voxel(np.diag([2.0, 2, 0, 1]), [0, 0, 0])


@given(one=affines(), weights=st.tuples(st.floats(0.1, 3), st.floats(0.1, 3)))
def test_axes_in_one_plane_leave_no_way_back(one, weights):
    flat = one.copy()
    flat[:3, 2] = weights[0] * one[:3, 0] + weights[1] * one[:3, 1]

    with pytest.raises(AffineError, match="cannot be inverted"):
        world_to_voxel(flat, [0, 0, 0])


def test_long_thin_voxels_have_a_way_back():
    needles = np.diag([1e-3, 1e-3, 1e6, 1])

    assert_allclose(world_to_voxel(needles, [1e-3, 2e-3, 3e6]), [1, 2, 3], rtol=1e-12)


@pytest.mark.parametrize("name", [axis_codes, obliquity])
def test_axis_without_length_has_no_direction(name):
    with pytest.raises(AffineError, match="mm"):
        name(np.diag([2.0, 2, 0, 1]))


def test_points_with_the_wrong_number_of_coordinates_are_refused():
    with pytest.raises(AffineError, match=r"\(3, 5\)"):
        voxel_to_world(np.eye(4), np.zeros((3, 5)))


def test_points_may_be_an_array_of_objects():
    assert_allclose(voxel_to_world(np.eye(4), np.array([1, 2, 3], dtype=object)), [1, 2, 3])


@pytest.mark.parametrize(
    "ijk", [[1, "a", 3], np.array(["a", "b", "c"]), np.array([1j, 0, 0]), None], ids=str
)
def test_points_that_are_no_numbers_are_refused(ijk):
    with pytest.raises(AffineError, match="ijk is made of real numbers"):
        voxel_to_world(np.eye(4), ijk)
