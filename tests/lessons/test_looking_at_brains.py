"""What the lesson on looking at brains says of its images."""

import nibabel as nib
import numpy as np
import pytest
from nibabel.affines import apply_affine
from numpy.testing import assert_allclose

import neuroprimer


@pytest.fixture(scope="module")
def lesson():
    return neuroprimer.lesson("looking-at-brains")


def test_middle_of_the_mask_lies_in_neither_part(lesson):
    mask = nib.load(lesson.data("amygdala", "amygdala_mask.nii.gz"))
    voxels = np.asanyarray(mask.dataobj)
    xyz = apply_affine(mask.affine, np.argwhere(voxels))
    middle = np.rint(apply_affine(np.linalg.inv(mask.affine), xyz.mean(axis=0))).astype(int)

    assert np.unique(voxels).tolist() == [0, 1]
    assert_allclose(nib.affines.voxel_sizes(mask.affine), 2)
    assert_allclose(xyz.mean(axis=0), (0, -4, -18), atol=1e-6)
    assert voxels[tuple(middle)] == 0
    assert_allclose(xyz[xyz[:, 0] < 0].mean(axis=0), (-24, -4, -18), atol=1e-6)


def test_mask_is_on_some_but_not_all_coronal_slices(lesson):
    mask = nib.load(lesson.data("amygdala", "amygdala_mask.nii.gz"))
    y = apply_affine(mask.affine, np.argwhere(np.asanyarray(mask.dataobj)))[:, 1]

    assert -16 < y.min() < y.max() < 8


def test_range_hides_most_of_the_slice_between_the_hemispheres(lesson):
    t1 = nib.load(lesson.data("mni152-t1"))
    brain = np.asanyarray(t1.dataobj)[98]
    brain = brain[brain > 0]

    assert (brain < 120).mean() > 0.5


def test_capsule_is_bright_on_the_right_only(lesson):
    head = nib.load(lesson.data("localizer-t1", "localizer_t1.nii.gz"))
    right, left = (
        np.asanyarray(head.dataobj)[
            tuple(np.rint(apply_affine(np.linalg.inv(head.affine), xyz)).astype(int))
        ]
        for xyz in ((46, 62, 12), (-46, 62, 12))
    )

    assert right > 2 * left
