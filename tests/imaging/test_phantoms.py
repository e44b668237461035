"""Phantoms: the same picture in every storage order, and the truth that they promise."""

import itertools

import nibabel as nib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from neuroprimer.imaging import GridMismatchError, obliquity, voxel_to_world
from neuroprimer.imaging.phantoms import (
    REGIONS,
    PhantomError,
    block_design,
    make_head,
    make_labels,
    make_maps,
    make_run,
)

ALL_CODES = [
    "".join(codes)
    for pairs in itertools.permutations(["RL", "AP", "SI"])
    for codes in itertools.product(*pairs)
]
SMALL = {"shape": (20, 24, 18), "voxel_mm": 8.0}
# every function with the same box, as images
MAKERS = {
    "head": lambda **box: make_head(**box),
    "run": lambda **box: make_run(2, **box),
    "labels": lambda **box: make_labels(**box),
    "map": lambda **box: make_maps(1, **box)[0],
}
makers = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


@pytest.mark.parametrize("codes", ALL_CODES)
@makers
def test_world_picture_is_the_same_in_every_storage_order(make, codes):
    stored = make(axis_codes=codes, **SMALL)

    canonical = nib.as_closest_canonical(stored)

    assert nib.aff2axcodes(stored.affine) == tuple(codes)
    assert_array_equal(canonical.dataobj, make(**SMALL).dataobj)
    assert_allclose(canonical.affine, make(**SMALL).affine, rtol=0, atol=1e-12)


@makers
def test_header_says_what_it_is(make):
    header = make(axis_codes="PIR", **SMALL).header

    assert header["descrip"].item() == b"synthetic"
    assert header.get_xyzt_units() == ("mm", "sec")
    assert_allclose(header.get_qform(), header.get_sform(), rtol=0, atol=1e-5)
    assert (header["qform_code"], header["sform_code"]) == (1, 1)


@makers
def test_middle_of_the_box_lies_at_world_zero(make):
    image = make(axis_codes="SLP", voxel_mm=(3, 4, 5), shape=(9, 8, 7))

    middle = (np.array(image.shape[:3]) - 1) / 2

    assert_allclose(voxel_to_world(image.affine, middle), 0, rtol=0, atol=1e-12)
    assert_allclose(image.header.get_zooms()[:3], (5, 3, 4), rtol=0, atol=1e-6)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_head_is_no_mirror_image_of_itself(axis):
    voxels = make_head().get_fdata()

    assert np.abs(voxels - np.flip(voxels, axis)).max() > 200


@pytest.mark.parametrize("codes", ["RAS", "LAS", "PIR"])
@pytest.mark.parametrize("tilt_rad", [0, 0.4])
def test_brightest_place_lies_right_in_front_and_above(codes, tilt_rad):
    head = make_head(axis_codes=codes, tilt_rad=tilt_rad)
    voxels = head.get_fdata()

    brightest = voxel_to_world(head.affine, np.argwhere(voxels > 900)).mean(axis=0)

    assert_allclose(brightest, REGIONS["spot_right"].centre_mm, rtol=0, atol=1)


def test_tilted_box_sees_the_same_head():
    straight, tilted = make_head(), make_head(tilt_rad=0.3)

    # centre of the spot, a ventricle, the brain and the air, in voxels of either
    points = [[34, 22, 26, 1], [10, -8, 8, 1], [0, -50, -20, 1], [0, 0, 78, 1]]
    seen = [
        [
            image.get_fdata()[tuple(np.rint(np.linalg.solve(image.affine, point))[:3].astype(int))]
            for point in points
        ]
        for image in (straight, tilted)
    ]

    assert_allclose(obliquity(tilted.affine), [0, 0.3, 0.3], rtol=0, atol=1e-6)
    assert_allclose(seen[0], seen[1], rtol=0, atol=40)


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_run_holds_what_its_docstring_promises(dtype):
    run = make_run(100, tr_s=3, dtype=dtype)
    labels = make_labels(run.shape[:3], voxel_mm=8).get_fdata()
    voxels, task = run.get_fdata(), block_design(100)
    calm = voxels[labels == 3].mean(axis=0)  # the spot's mirror image, which does not respond
    spot = voxels[labels == 4].mean(axis=0) / calm

    per_minute = np.polyfit(np.arange(100) * 3 / 60, calm / calm[0], 1)[0]

    assert run.get_data_dtype() == dtype
    assert run.header.get_zooms()[3] == 3
    assert_allclose(spot[task].mean() / spot[~task].mean(), 1.04, rtol=0, atol=0.003)
    assert_allclose(per_minute, -0.01, rtol=0, atol=0.002)
    assert_allclose(np.diff(voxels[labels == 3], axis=1).std() / np.sqrt(2), 7, rtol=0.05)


def test_labels_are_the_regions_in_order():
    labels = make_labels(shape=(80, 96, 80), voxel_mm=2)
    voxels = np.asarray(labels.dataobj)

    assert labels.get_data_dtype() == np.int16
    assert labels.header.get_intent()[0] == "label"
    for number, region in enumerate(REGIONS.values(), start=1):
        inside = voxel_to_world(labels.affine, np.argwhere(voxels == number))
        assert_allclose(inside.mean(axis=0), region.centre_mm, rtol=0, atol=1e-9)
        assert_allclose(np.ptp(inside, axis=0) / 2, region.radii_mm, rtol=0, atol=2)


def test_maps_are_noise_with_an_effect_of_the_height_asked_for():
    labels = make_labels((20, 24, 20), voxel_mm=8).get_fdata()
    maps = np.array([image.get_fdata() for image in make_maps(60, effect=[0, 5] * 30)])
    brain = (maps != 0).any(axis=0)

    # the spot's voxels are much alike: the mean of 30 maps has a standard error of about 0.1
    assert_allclose(maps[1::2][:, labels == 4].mean(), 5, rtol=0, atol=0.4)
    assert_allclose(maps[0::2][:, labels == 4].mean(), 0, rtol=0, atol=0.4)
    assert_allclose(maps[0::2][:, brain].std(), 1, rtol=0.02)
    assert 0.9 < brain.sum() * 8**3 / (4 / 3 * np.pi * 58 * 72 * 58) < 1.1
    neighbours = np.corrcoef(maps[0, 9:11, 8:16, 8:12].reshape(2, -1))[0, 1]
    assert neighbours > 0.3


def test_maps_are_z_scores_in_float32():
    [image] = make_maps(1)

    assert image.get_data_dtype() == np.float32
    assert image.header.get_intent()[0] == "z score"


def test_more_images_with_the_same_seed_begin_with_the_same_ones():
    assert_array_equal(make_run(5).dataobj, make_run(9).dataobj[..., :5])
    assert_array_equal(make_maps(2)[1].dataobj, make_maps(3)[1].dataobj)


@pytest.mark.parametrize("make", [make_head, lambda seed: make_run(2, seed=seed)])
def test_seed_chooses_the_image(make):
    assert_array_equal(make(seed=3).dataobj, make(seed=3).dataobj)
    assert (np.asarray(make(seed=3).dataobj) != np.asarray(make(seed=4).dataobj)).any()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: make_head(axis_codes="RAX"), "'RAX' is no storage order"),
        (lambda: make_head(axis_codes="RRA"), "'RRA' is no storage order"),
        (lambda: make_head(axis_codes="RA"), "'RA' is no storage order"),
        (lambda: make_head(voxel_mm=0), "voxel_mm is 0"),
        (lambda: make_head(voxel_mm=(1, 2)), r"voxel_mm is \(1, 2\)"),
        (lambda: make_head(voxel_mm=float("inf")), "voxel_mm is inf"),
        (lambda: make_run(0), "0 volumes"),
        (lambda: make_run(tr_s=0), "positive, not 0"),
        (lambda: make_run(dtype=np.uint8), "not uint8"),
        (lambda: make_maps(0), "0 maps"),
        (lambda: make_maps(3, effect=[1, 2]), r"3 maps take one effect or 3"),
        (lambda: block_design(0), "0 volumes"),
    ],
)
def test_what_cannot_be_made_is_refused_in_words(make, words):
    with pytest.raises(PhantomError, match=words):
        make()


def test_box_needs_three_lengths():
    with pytest.raises(GridMismatchError, match="three positive whole lengths"):
        make_head(shape=(4, 5))
