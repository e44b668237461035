"""Transforms against numpy, nibabel and their own laws."""

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from nibabel import affines as nibabel_affines
from numpy.testing import assert_allclose, assert_array_equal

from neuroprimer.imaging import AffineError, voxel_to_world, world_to_voxel
from neuroprimer.imaging.space.rotations import rotation
from neuroprimer.imaging.space.transforms import (
    about,
    chain,
    image_centre_mm,
    invert,
    make_affine,
    reflection,
    require_direction,
    scaling,
    shearing,
    translation,
)

numbers = st.floats(-100, 100)
triples = st.tuples(numbers, numbers, numbers)
points = hnp.arrays(float, st.tuples(st.integers(1, 5), st.just(3)), elements=numbers)
directions = triples.filter(lambda axis: np.linalg.norm(axis) > 0.1)
matrices = hnp.arrays(float, (3, 3), elements=st.floats(-3, 3)).filter(
    lambda matrix: np.linalg.norm(matrix) > 0.1 and np.linalg.cond(matrix) < 1e4
)


@st.composite
def affines(draw: st.DrawFn) -> np.ndarray:
    """Draw any affine that has a way back, sheared and mirrored ones among them."""
    return nibabel_affines.from_matvec(draw(matrices), draw(triples))


@given(offset_mm=triples, xyz=points)
def test_translation_adds_the_offset(offset_mm, xyz):
    assert_allclose(voxel_to_world(translation(offset_mm), xyz), xyz + offset_mm, rtol=1e-12)


@given(factors=triples.filter(all), xyz=points)
def test_scaling_multiplies_each_axis(factors, xyz):
    assert_allclose(voxel_to_world(scaling(factors), xyz), xyz * factors, rtol=1e-12)


def test_one_factor_scales_all_axes():
    assert_array_equal(scaling(3), np.diag([3.0, 3, 3, 1]))


@pytest.mark.parametrize(("axis", "column"), [("x", 0), ("y", 1), ("z", 2)])
def test_reflection_turns_one_axis_round(axis, column):
    expected = np.eye(4)
    expected[column, column] = -1

    assert_array_equal(reflection(axis), expected)


@given(axis=directions, xyz=points)
def test_reflection_turns_the_part_along_the_direction_round(axis, xyz):
    unit = np.divide(axis, np.linalg.norm(axis))
    along = np.outer(xyz @ unit, unit)

    assert_allclose(voxel_to_world(reflection(axis), xyz), xyz - 2 * along, atol=1e-11)


@given(axis=directions)
def test_reflection_undoes_itself(axis):
    assert_allclose(reflection(axis) @ reflection(axis), np.eye(4), atol=1e-14)


def test_shears_stand_right_of_the_diagonal():
    expected = [[1, 0.1, 0.2, 0], [0, 1, 0.3, 0], [0, 0, 1, 0], [0, 0, 0, 1]]

    assert_array_equal(shearing(xy=0.1, xz=0.2, yz=0.3), expected)


@pytest.mark.parametrize(
    "transform",
    [translation((1, 2, 3)), scaling(-2), reflection("x"), shearing(), invert(scaling(-2))],
    ids=["translation", "scaling", "reflection", "shearing", "inverse"],
)
def test_every_transform_is_float64_and_has_no_negative_zero(transform):
    assert transform.shape == (4, 4)
    assert transform.dtype == np.float64
    assert not np.signbit(transform[transform == 0]).any()


@given(matrix=matrices, centre_mm=triples)
def test_about_a_point_leaves_that_point_where_it_is(matrix, centre_mm):
    transform = about(make_affine(matrix), centre_mm)

    assert_allclose(voxel_to_world(transform, centre_mm), centre_mm, rtol=0, atol=1e-11)


@given(affine=affines(), centre_mm=triples)
def test_about_a_point_is_there_and_back_around_the_transform(affine, centre_mm):
    there_and_back = translation(centre_mm) @ affine @ translation(np.negative(centre_mm))

    assert_allclose(about(affine, centre_mm), there_and_back, rtol=1e-12, atol=1e-10)


def test_about_a_point_keeps_the_translation_of_the_transform():
    transform = about(translation((1, 2, 3)) @ rotation("z", 0.3), (10, 20, 30))

    assert_allclose(voxel_to_world(transform, (10, 20, 30)), (11, 22, 33), rtol=1e-12)


def test_about_does_not_change_its_arguments():
    affine = scaling(2)

    about(affine, (1, 2, 3))

    assert_array_equal(affine, np.diag([2.0, 2, 2, 1]))


@pytest.mark.parametrize("shape", [(4, 5, 6), (4, 5, 6, 7), (4, 5)])
def test_centre_of_an_image_is_as_far_from_its_first_as_from_its_last_voxel(shape):
    affine = nibabel_affines.from_matvec(rotation("x", 0.3)[:3, :3] * (-2, 2, 3), (90, -126, -72))
    image = nib.Nifti1Image(np.zeros(shape, dtype=np.uint8), affine)
    last = np.subtract((*shape, 1)[:3], 1)

    ends = nibabel_affines.apply_affine(affine, [(0, 0, 0), last])

    assert_allclose(image_centre_mm(image), ends.mean(axis=0), rtol=0, atol=1e-12)


@given(first=affines(), second=affines(), third=affines(), xyz=points)
def test_chain_applies_its_first_argument_first(first, second, third, xyz):
    one_after_the_other = voxel_to_world(third, voxel_to_world(second, voxel_to_world(first, xyz)))

    chained = voxel_to_world(chain(first, second, third), xyz)

    assert_allclose(chained, one_after_the_other, rtol=1e-10, atol=1e-7)


def test_chain_is_the_product_from_right_to_left():
    shift, stretch = translation((1, 2, 3)), scaling(2)

    assert_array_equal(chain(shift, stretch), stretch @ shift)


def test_chain_of_nothing_changes_nothing():
    assert_array_equal(chain(), np.eye(4))


@given(affine=affines())
def test_inverse_after_the_affine_changes_nothing(affine):
    assert_allclose(chain(affine, invert(affine)), np.eye(4), rtol=0, atol=1e-7)


@given(affine=affines(), xyz=points)
def test_inverse_takes_points_where_world_to_voxel_takes_them(affine, xyz):
    ijk = world_to_voxel(affine, xyz)

    size = 1 + np.abs(ijk).max()
    assert_allclose(voxel_to_world(invert(affine), xyz) / size, ijk / size, rtol=0, atol=1e-6)


def test_last_row_of_an_inverse_is_exact():
    inverse = invert(shearing(xy=0.1) @ scaling((1e-3, 3, 7)) @ translation((1, 2, 3)))

    assert_array_equal(inverse[3], [0, 0, 0, 1])


def test_affine_that_presses_space_flat_has_no_inverse():
    with pytest.raises(AffineError, match="cannot be inverted"):
        invert(np.diag([2.0, 2, 0, 1]))


@pytest.mark.parametrize("size", [1e-310, 1e-200, 1e200])
def test_direction_may_have_any_length(size):
    assert_allclose(require_direction((3 * size, 0, 4 * size)), (0.6, 0, 0.8), rtol=1e-13)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: translation((1, 2)), "offset_mm is three finite numbers"),
        (lambda: translation((1, 2, np.nan)), "offset_mm is three finite numbers"),
        (lambda: scaling((1, 2)), "factors is three finite numbers"),
        (lambda: scaling(np.inf), "factors is three finite numbers"),
        (lambda: scaling((1, 0, 2)), "A factor of 0"),
        (lambda: scaling("large"), "made of real numbers"),
        (lambda: reflection("i"), r"called 'i'.*'x', 'y' or 'z'"),
        (lambda: reflection((0, 0, 0)), "points nowhere"),
        (lambda: reflection((1, 2)), "An axis is three finite numbers"),
        (lambda: shearing(xy=np.nan), "Shear by xy, xz and yz"),
        (lambda: about(np.eye(3), (0, 0, 0)), r"shape \(4, 4\)"),
        (lambda: about(np.eye(4), (0, 0)), "centre_mm is three finite numbers"),
        (lambda: chain(np.eye(4), np.eye(3)), r"shape \(4, 4\)"),
        (lambda: image_centre_mm(np.eye(4)), r"Only an image.*ndarray.*load_image"),
        (lambda: image_centre_mm(nib.Nifti1Image(np.zeros((1, 1, 1)), None)), "there is none"),
    ],
)
def test_bad_input_is_refused_in_words(make, words):
    with pytest.raises(AffineError, match=words):
        make()
