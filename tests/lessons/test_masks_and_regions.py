"""What the lesson on masks and regions says of its run and its masks."""

import nibabel as nib
import numpy as np
import pytest
from scipy.ndimage import binary_erosion

import neuroprimer
from neuroprimer.imaging import as_4d, brain_mask, dice, load_image, mean_image, resample_to


@pytest.fixture(scope="module")
def lesson():
    return neuroprimer.lesson("masks-and-regions")


@pytest.fixture(scope="module")
def average(lesson):
    return mean_image(as_4d(load_image(lesson.data("localizer-bold", "localizer_bold.nii.gz"))))


@pytest.fixture(scope="module")
def masks(average):
    return {way: brain_mask(average, method=way) for way in ("epi", "template", "background")}


@pytest.fixture(scope="module")
def amygdala(lesson):
    return load_image(lesson.data("amygdala", "amygdala_mask.nii.gz"))


def test_most_of_the_block_is_air(average):
    voxels = average.get_fdata()

    assert round(float(np.median(voxels))) == 6
    assert (voxels > 400).mean() < 0.25
    assert voxels[voxels > 400].mean() / voxels.mean() == pytest.approx(4, abs=0.3)


def test_mask_of_the_background_takes_nearly_everything(masks):
    assert np.mean(masks["background"].dataobj) > 0.99


@pytest.mark.parametrize(("way", "overlap"), [("template", 0.91), ("background", 0.37)])
def test_overlap_of_the_brain_masks(masks, way, overlap):
    assert round(dice(masks["epi"], masks[way]), 2) == overlap


def test_brain_is_lost_behind_the_forehead(masks):
    ijk = np.rint(
        nib.affines.apply_affine(np.linalg.inv(masks["epi"].affine), (0, 34, -18))
    ).astype(int)

    assert masks["template"].dataobj[tuple(ijk)] == 1
    assert masks["epi"].dataobj[tuple(ijk)] == 0


def test_linear_resampling_without_a_threshold_nearly_doubles_a_mask(amygdala, average):
    nearest = np.count_nonzero(resample_to(amygdala, average).dataobj)
    mixed = resample_to(amygdala, average, interpolation="linear").get_fdata()

    assert np.count_nonzero(mixed > 0) / nearest == pytest.approx(1.9, abs=0.1)
    assert np.count_nonzero(mixed > 0.5) / nearest == pytest.approx(1, abs=0.05)


def test_rim_costs_an_amygdala_more_of_its_dice_than_a_brain(amygdala, average, masks):
    def dice_without_rim(mask):
        inside = np.asanyarray(mask.dataobj) > 0
        smaller = binary_erosion(inside, np.ones((3, 3, 3)))
        return 2 * smaller.sum() / (smaller.sum() + inside.sum())

    assert dice_without_rim(resample_to(amygdala, average)) < 0.5
    assert dice_without_rim(masks["epi"]) > 0.8


def test_nan_counts_as_not_zero(average, masks):
    inside = np.asanyarray(masks["epi"].dataobj) > 0
    values = np.where(inside, average.get_fdata(), np.nan)
    within = values[np.asanyarray(masks["template"].dataobj) > 0]

    assert np.count_nonzero(values != 0) == values.size
    assert np.nan_to_num(within).mean() / np.nanmean(within) == pytest.approx(0.9, abs=0.01)
