"""Brain masks: that of nilearn, or a word about why there is none."""

import nibabel as nib
import numpy as np
import pytest
from nilearn import masking as nilearn_masking
from numpy.testing import assert_array_equal

from neuroprimer.imaging import (
    BrainData,
    MaskError,
    NotANumberError,
    brain_mask,
    make_head,
    make_run,
    mean_image,
    require_mask,
)


@pytest.fixture(scope="module")
def run():
    return make_run(6)


@pytest.mark.parametrize(
    ("method", "theirs"),
    [
        ("epi", nilearn_masking.compute_epi_mask),
        ("background", nilearn_masking.compute_background_mask),
    ],
)
def test_mask_is_the_one_of_nilearn(run, method, theirs):
    average = mean_image(run)
    expected = theirs(nib.Nifti1Image(average.get_fdata().astype(np.float32), run.affine))

    mask = brain_mask(run, method=method)

    assert_array_equal(np.asarray(mask.dataobj), np.asarray(expected.dataobj))
    assert_array_equal(mask.affine, run.affine)


def test_mask_of_a_phantom_lies_within_its_head(run):
    head = require_mask(make_head(run.shape[:3], voxel_mm=8), threshold=30)

    mask = require_mask(brain_mask(run))

    assert mask.n_voxels > 1000
    assert not (mask.inside & ~head.inside).any()


def test_template_is_laid_over_an_image_in_its_space(run):
    mask = require_mask(brain_mask(run, method="template"))
    expected = nilearn_masking.compute_brain_mask(mean_image(run))

    assert_array_equal(mask.inside, np.asarray(expected.dataobj) != 0)


def test_many_images_give_one_mask(run):
    volumes = [run.slicer[..., index] for index in range(3)]

    assert_array_equal(
        np.asarray(brain_mask(iter(volumes)).dataobj),
        np.asarray(brain_mask(run.slicer[..., :3]).dataobj),
    )
    assert brain_mask(BrainData(volumes)).shape == run.shape[:3]


def test_unknown_method_is_refused_with_the_known_ones(run):
    with pytest.raises(MaskError, match=r"'t1'.*epi, background, template"):
        brain_mask(run, method="t1")


def test_image_of_one_value_has_no_brain():
    with pytest.raises(MaskError, match="all voxels have the value 3"):
        brain_mask(nib.Nifti1Image(np.full((8, 8, 8), 3, np.float32), np.eye(4)))


def test_mask_without_voxels_is_an_error():
    # bright voxels without bright neighbours are worn away
    values = np.where(np.random.default_rng(0).random((12, 12, 12)) > 0.97, 100, 0)

    with pytest.raises(MaskError, match="No brain was found by the method 'epi'"):
        brain_mask(nib.Nifti1Image(values.astype(np.float32), np.eye(4)))


def test_nan_is_refused_unless_it_is_said_what_to_do(run):
    values = run.get_fdata()
    values[:2] = np.nan
    framed = nib.Nifti1Image(values, run.affine)

    with pytest.raises(NotANumberError, match="voxels are NaN"):
        brain_mask(framed)
    for nan in ("omit", "zero"):
        assert_array_equal(
            np.asarray(brain_mask(framed, nan=nan).dataobj), np.asarray(brain_mask(run).dataobj)
        )
