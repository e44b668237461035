"""Mask algebra against numpy, nilearn and the laws of sets."""

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from nilearn.masking import intersect_masks
from numpy.testing import assert_array_equal

from neuroprimer.imaging import (
    GridMismatchError,
    MaskError,
    dice,
    difference_mask,
    intersection_mask,
    require_mask,
    union_mask,
)

AFFINE = np.diag([-2.0, 2, 3, 1])
SHAPE = (3, 4, 5)

insides = hnp.arrays(bool, SHAPE)


def image_of(inside, affine=AFFINE):
    return nib.Nifti1Image(np.asarray(inside, np.uint8), affine)


def voxels_of(image):
    assert image.get_data_dtype() == np.uint8
    return np.asarray(image.dataobj) == 1


@given(masks=st.lists(insides, min_size=1, max_size=4))
def test_union_and_intersection_are_any_and_all(masks):
    images = [image_of(inside) for inside in masks]

    assert_array_equal(voxels_of(union_mask(images)), np.any(masks, axis=0))
    assert_array_equal(voxels_of(intersection_mask(images)), np.all(masks, axis=0))


@given(one=insides, other=insides)
def test_difference_and_intersection_make_up_the_first_mask(one, other):
    pair = [image_of(one), image_of(other)]

    without = voxels_of(difference_mask(*pair))

    assert_array_equal(without | voxels_of(intersection_mask(pair)), one)
    assert not (without & other).any()


@given(one=insides, other=insides)
def test_dice_is_twice_the_shared_voxels_over_the_sum(one, other):
    pair = image_of(one), image_of(other)

    if one.any() or other.any():
        shared = np.count_nonzero(one & other)
        assert dice(*pair) == pytest.approx(2 * shared / (one.sum() + other.sum()), rel=1e-15)
        assert dice(*pair) == dice(*reversed(pair))
    else:
        with pytest.raises(MaskError, match="two empty masks"):
            dice(*pair)


@pytest.mark.parametrize(("share", "ours"), [(1, intersection_mask), (0, union_mask)])
def test_agrees_with_nilearn(share, ours):
    rng = np.random.default_rng(0)
    images = [image_of(rng.random(SHAPE) < 0.7) for _ in range(3)]

    theirs = intersect_masks(images, threshold=share, connected=False)

    assert_array_equal(voxels_of(ours(images)), np.asarray(theirs.dataobj) == 1)


def test_masks_come_as_files_images_masks_and_iterators(tmp_path):
    image_of(np.ones(SHAPE)).to_filename(tmp_path / "one.nii")
    half = image_of(np.arange(60).reshape(SHAPE) < 30)

    many = (mask for mask in (tmp_path / "one.nii", half, require_mask(half)))

    assert voxels_of(intersection_mask(many)).sum() == 30


def test_grid_is_kept():
    assert_array_equal(union_mask([image_of(np.ones(SHAPE))]).affine, AFFINE)


def test_result_may_be_empty():
    one = image_of(np.arange(60).reshape(SHAPE) < 30)

    assert not voxels_of(difference_mask(one, one)).any()


CALLS = {
    "union": lambda *masks: union_mask(masks),
    "intersection": lambda *masks: intersection_mask(masks),
    "difference": difference_mask,
    "dice": dice,
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_different_grids_are_both_named_with_the_way_out(call):
    one, other = image_of(np.ones(SHAPE)), image_of(np.ones(SHAPE), np.eye(4))

    words = "voxels 2 x 2 x 3 mm.*voxels 1 x 1 x 1 mm.*resample_to"
    with pytest.raises(GridMismatchError, match=words):
        call(one, other)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_probabilities_are_no_mask(call):
    one = image_of(np.ones(SHAPE))
    with pytest.raises(MaskError, match="zeros and ones"):
        call(one, nib.Nifti1Image(np.full(SHAPE, 0.3), AFFINE))


@pytest.mark.parametrize("operation", [union_mask, intersection_mask])
def test_no_mask_cannot_be_combined(operation):
    with pytest.raises(MaskError, match="there is none"):
        operation([])


@pytest.mark.parametrize("single", [image_of(np.ones(SHAPE)), "mask.nii"])
def test_single_mask_must_stand_in_a_list(single):
    with pytest.raises(MaskError, match="Expected several masks"):
        union_mask(single)
