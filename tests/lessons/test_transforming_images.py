"""What the lesson on transforming images says in its prose is what comes out."""

import nibabel as nib
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import ndimage

import neuroprimer
from neuroprimer.imaging import (
    Grid,
    about,
    image_centre_mm,
    load_image,
    make_head,
    make_labels,
    move_image,
    resample_to,
    rotation,
    scaling,
    transform_image,
    translation,
    voxel_to_world,
)


@pytest.fixture(scope="module")
def brain():
    t1 = load_image(neuroprimer.lesson("transforming-images").data("mni152-t1"))
    return resample_to(t1, Grid(shape=(50, 59, 48), affine=t1.affine @ scaling(4)))


def test_product_with_the_array_fails_unless_there_are_four_slices(brain):
    voxels, shift = np.asanyarray(brain.dataobj), translation([10, 0, 0])

    with pytest.raises(ValueError, match="not aligned"):
        np.dot(voxels, shift)
    product = np.dot(voxels[:, :, 20:24], shift)
    assert_allclose(product[..., 3], 10 * voxels[:, :, 20] + voxels[:, :, 23], rtol=1e-6)


def test_header_moved_and_resampled_is_the_image_transformed(brain):
    shift = translation([30, 0, 0])

    assert_allclose(
        resample_to(move_image(brain, shift), brain).get_fdata(),
        transform_image(brain, shift).get_fdata(),
    )


def test_pull_with_the_way_there_goes_to_the_other_side(brain):
    voxels = brain.get_fdata()
    there = np.linalg.inv(brain.affine) @ translation([5, 0, 0]) @ brain.affine

    def middle_mm(matrix):
        pulled = ndimage.affine_transform(voxels, matrix, order=1)
        return voxel_to_world(brain.affine, ndimage.center_of_mass(pulled))[0]

    assert middle_mm(there) == pytest.approx(-5, abs=0.05)
    assert middle_mm(np.linalg.inv(there)) == pytest.approx(5, abs=0.05)


def test_twelve_turns_blur_and_one_does_not(brain):
    turn = about(rotation("z", np.radians(30)), image_centre_mm(brain))
    twice = transform_image(transform_image(brain, turn), np.linalg.inv(turn))
    once = transform_image(brain, np.linalg.matrix_power(turn, 12))

    assert np.abs(once.get_fdata() - brain.get_fdata()).max() < 0.01
    assert np.abs(twice.get_fdata() - brain.get_fdata()).mean() > 1


def test_rim_of_mixed_labels_claims_to_be_all_other_regions():
    labels = make_labels()
    disguised = nib.Nifti1Image(labels.get_fdata(), labels.affine)
    tilt = rotation("z", np.radians(10))
    mixed = transform_image(disguised, tilt, interpolation="linear")
    around_region_4 = np.s_[20:36, 24:40, 26]

    true = np.unique(transform_image(labels, tilt).dataobj[around_region_4])
    rounded = np.unique(np.round(mixed.dataobj[around_region_4]))

    assert true.tolist() == [0, 4]
    assert rounded.tolist() == [0, 1, 2, 3, 4]


def test_array_reversed_alone_takes_the_spot_to_the_left():
    head = make_head()
    voxels = np.asanyarray(head.dataobj)

    def spot_mm(array, affine):
        return voxel_to_world(affine, np.argwhere(array > 900).mean(axis=0))[0]

    assert spot_mm(voxels, head.affine) == pytest.approx(34, abs=0.1)
    assert spot_mm(voxels[::-1], head.affine) == pytest.approx(-34, abs=0.1)
    flip = np.diag([-1.0, 1, 1, 1])
    flip[0, 3] = head.shape[0] - 1
    assert spot_mm(voxels[::-1], head.affine @ flip) == pytest.approx(34, abs=0.1)


def test_slicer_reverses_an_axis_only_if_told_where_to_begin():
    head = make_head()
    flip = np.diag([-1.0, 1, 1, 1])
    flip[0, 3] = head.shape[0] - 1

    assert_allclose(head.slicer[head.shape[0] - 1 :: -1].affine, head.affine @ flip)
    # once this fails, the lesson may recommend slicer[::-1]
    assert not np.allclose(head.slicer[::-1].affine, head.affine @ flip)
