"""Masks: what is one, what is none, and that voxels keep their places."""

import copy
import pickle

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_array_equal

from neuroprimer.imaging import (
    Grid,
    Mask,
    MaskError,
    NotANumberError,
    require_mask,
    save_image,
    sphere,
    voxel_to_world,
)
from neuroprimer.imaging.tables import masks as masks_module
from neuroprimer.imaging.tables.masks import same_mask

OBLIQUE = np.array([[-2, 0, 0, 90], [0, 1.97, -0.36, -35], [0, 0.32, 2.17, -7], [0, 0, 0, 1.0]])
SHAPE = (4, 5, 6)

insides = hnp.arrays(bool, SHAPE)


def make_mask(inside, affine=OBLIQUE):
    inside = np.asarray(inside, bool)
    return Mask(grid=Grid(shape=inside.shape, affine=affine), inside=inside)


def image_of(values, affine=OBLIQUE):
    return nib.Nifti1Image(np.asarray(values), affine)


LAYOUTS = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "every second": lambda volume: np.repeat(volume, 2, axis=0)[::2],
    "upside down": lambda volume: np.ascontiguousarray(volume[..., ::-1])[..., ::-1],
    "axes turned round": lambda volume: np.ascontiguousarray(volume.transpose(1, 2, 0)).transpose(
        2, 0, 1
    ),
    "of a run": lambda volume: np.stack([volume, volume], axis=-1)[..., 1],
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["i2", "f4", ">f8"])
@given(inside=insides)
def test_voxels_come_in_the_order_of_numpy_whatever_the_memory(layout, dtype, inside):
    volume = LAYOUTS[layout](np.arange(120).reshape(SHAPE).astype(dtype))
    out = np.empty(inside.sum(), np.float32)

    mask = make_mask(inside)

    assert_array_equal(mask.take(volume), volume[inside])
    assert mask.take(volume, out=out) is out
    assert_array_equal(out, volume[inside])


@pytest.mark.parametrize("n_volumes", [1, 3])
@pytest.mark.parametrize("order", ["C", "F"])
@given(inside=insides, strip=st.integers(1, 50))
def test_all_volumes_of_a_run_come_as_rows(n_volumes, order, inside, strip):
    run = np.arange(120 * n_volumes, dtype=np.int16).reshape(*SHAPE, n_volumes)
    out = np.empty((n_volumes, inside.sum()), np.float32)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(masks_module, "STRIP_VOXELS", strip)
        make_mask(inside).take_volumes(np.asarray(run, order=order), out=out)

    assert_array_equal(out, run[inside].T)


@given(inside=insides)
def test_put_undoes_take(inside):
    volume = np.arange(120.0).reshape(SHAPE)
    mask = make_mask(inside)
    back = np.zeros(SHAPE)

    mask.put(mask.take(volume), back)

    assert_array_equal(back, np.where(inside, volume, 0))


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 6, 1), (5, 4, 6), (6, 6, 6)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_volume_of_another_shape_is_refused(shape, order):
    with pytest.raises(MaskError, match="does not lie on"):
        make_mask(np.ones(SHAPE)).take(np.zeros(shape, order=order))


@pytest.mark.parametrize("order", ["C", "F"])
def test_run_of_another_shape_is_refused(order):
    out = np.empty((2, 120))
    with pytest.raises(MaskError, match="does not lie on"):
        make_mask(np.ones(SHAPE)).take_volumes(np.zeros((6, 5, 4, 2), order=order), out=out)


@given(inside=insides, data=st.data())
def test_some_voxels_of_a_mask_are_a_mask(inside, data):
    kept = data.draw(hnp.arrays(bool, int(inside.sum())))
    volume = np.arange(120).reshape(SHAPE)
    mask = make_mask(inside)

    assert_array_equal(mask.choose(kept).take(volume), mask.take(volume)[kept])


def test_array_of_another_shape_is_no_mask_for_a_grid():
    with pytest.raises(MaskError, match=r"shape \(4, 5, 7\)"):
        Mask(grid=Grid(shape=SHAPE, affine=OBLIQUE), inside=np.ones((4, 5, 7)))


def test_mask_cannot_be_changed_from_outside():
    inside = np.ones(SHAPE, bool)
    mask = make_mask(inside)

    inside[0, 0, 0] = False

    assert mask.n_voxels == 120
    with pytest.raises(ValueError, match="read-only"):
        mask.inside[0, 0, 0] = False


def by_pickle(mask):
    return pickle.loads(pickle.dumps(mask))  # noqa: S301 - written in the same line


@pytest.mark.parametrize("duplicate", [copy.deepcopy, by_pickle])
def test_copy_of_a_mask_is_the_same_and_as_unchangeable(duplicate):
    mask = make_mask(np.arange(120).reshape(SHAPE) % 3)
    mask.take(np.zeros(SHAPE))  # what is kept for later is no part of a copy

    copied = duplicate(mask)

    assert same_mask(copied, mask)
    assert not copied.inside.flags.writeable
    assert len(pickle.dumps(mask)) < 2000


@given(one=insides, other=insides)
def test_masks_are_the_same_when_every_voxel_is(one, other):
    mask = make_mask(one)

    assert same_mask(mask, mask)
    assert same_mask(mask, make_mask(one.copy()))
    assert same_mask(make_mask(one), make_mask(other)) == np.array_equal(one, other)


def test_masks_on_different_grids_are_not_the_same():
    inside = np.ones(SHAPE)
    moved = OBLIQUE.copy()
    moved[0, 3] += 1

    assert not same_mask(make_mask(inside), make_mask(inside, moved))


def test_mask_becomes_an_image_and_comes_back():
    mask = make_mask(np.arange(120).reshape(SHAPE) % 3 == 1)

    image = mask.to_image()

    assert image.get_data_dtype() == np.uint8
    assert same_mask(require_mask(image), mask)


@pytest.mark.parametrize("dtype", ["u1", "i2", ">i4", "f4", "f8", "i8"])
def test_zeros_and_ones_of_any_type_are_a_mask(dtype):
    inside = np.arange(120).reshape(SHAPE) % 3 == 1

    image = nib.Nifti1Image(inside.astype(dtype), OBLIQUE, dtype=np.dtype(dtype))

    assert_array_equal(require_mask(image).inside, inside)


@pytest.mark.parametrize("name", ["mask.nii", "mask.nii.gz", "mask.mgz"])
def test_mask_is_read_from_a_file(tmp_path, name):
    inside = np.arange(120).reshape(SHAPE) % 3 == 1
    save_image(image_of(inside.astype("u1")), tmp_path / name)

    assert_array_equal(require_mask(tmp_path / name).inside, inside)


def test_ones_that_a_file_has_rounded_are_ones(tmp_path):
    inside = np.arange(120).reshape(SHAPE) % 3 == 1
    image = image_of((inside * 255).astype("u1"))
    image.header.set_slope_inter(1 / 255, 0)
    stored = nib.Nifti1Image(inside.astype("f4"), OBLIQUE, image.header)
    stored.to_filename(tmp_path / "scaled.nii")

    assert_array_equal(require_mask(tmp_path / "scaled.nii").inside, inside)


def test_mask_may_have_a_fourth_axis_of_one_volume():
    assert require_mask(image_of(np.ones((*SHAPE, 1), "u1"))).n_voxels == 120


def test_mask_of_one_voxel():
    inside = np.zeros(SHAPE, "u1")
    inside[1, 2, 3] = 1

    mask = require_mask(image_of(inside))

    assert mask.n_voxels == 1
    assert mask.take(np.arange(120).reshape(SHAPE)).tolist() == [1 * 30 + 2 * 6 + 3]


@given(threshold=st.floats(0, 0.99))
def test_probabilities_are_cut_above_the_threshold(threshold):
    probabilities = np.linspace(0, 1, 120).reshape(SHAPE)

    mask = require_mask(image_of(probabilities), threshold=threshold)

    assert_array_equal(mask.inside, probabilities > threshold)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.array([0, 2]), r"1 voxels hold something else \(2\).*threshold="),
        (np.array([0, 1, 0.3, 0.2, 0.6, 0.9]), r"4 voxels .* \(0.2, 0.3, 0.6, ...\)"),
        (np.array([0, 1, np.nan]), r"1 voxels hold something else \(nan\)"),
        (np.array([0, 1, np.inf]), r"1 voxels hold something else \(inf\)"),
        (np.array([-1, 1]), r"\(-1\)"),
    ],
    ids=["0 and 2", "probabilities", "nan", "inf", "negative"],
)
def test_other_numbers_than_zero_and_one_need_a_threshold(values, words):
    with pytest.raises(MaskError, match=words):
        require_mask(image_of(values.reshape(1, 1, -1).astype("f4")))


def test_nan_cannot_be_cut():
    with pytest.raises(MaskError, match=r"cut at 0.5: 2 voxels are NaN"):
        require_mask(image_of(np.array([[[0.2, np.nan, np.nan]]])), threshold=0.5)


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 6, 2), (4, 5, 6, 1, 3)])
def test_mask_has_three_axes(shape):
    with pytest.raises(MaskError, match="three axes"):
        require_mask(image_of(np.ones(shape, "u1")))


def test_empty_mask_is_refused_unless_it_is_allowed():
    empty = image_of(np.zeros(SHAPE, "u1"))

    with pytest.raises(MaskError, match="holds no voxel: its values go from 0 to 0"):
        require_mask(empty)
    with pytest.raises(MaskError, match="holds no voxel: its values go from 0 to 0"):
        require_mask(make_mask(np.zeros(SHAPE)))
    with pytest.raises(MaskError, match="no voxel above 3: its values go from 0 to 1"):
        require_mask(image_of(np.linspace(0, 1, 120).reshape(SHAPE)), threshold=3)
    assert require_mask(empty, allow_empty=True).n_voxels == 0


@pytest.mark.parametrize("dtype", [np.complex64, [("R", "u1"), ("G", "u1"), ("B", "u1")]])
def test_complex_numbers_and_colours_are_no_mask(dtype):
    with pytest.raises(NotANumberError, match="no real numbers"):
        require_mask(image_of(np.zeros(SHAPE, dtype)))


def test_mask_is_taken_as_it_is():
    mask = make_mask(np.ones(SHAPE))

    assert require_mask(mask, threshold=0.5) is mask


def test_repr_says_how_many_voxels_and_where():
    assert repr(make_mask(np.ones(SHAPE))).startswith("Mask of 120 voxels on Grid 4 x 5 x 6,")


GRIDS = {
    "straight": np.diag([2.0, 2, 2, 1]),
    "oblique": OBLIQUE,
    "long voxels": np.diag([-1.0, 3, 5, 1]),
}


@pytest.mark.parametrize("affine", GRIDS.values(), ids=GRIDS)
@given(
    ijk=st.tuples(st.floats(-2, 12), st.floats(-2, 13), st.floats(-2, 14)),
    radius_mm=st.floats(0.5, 15),
)
def test_sphere_holds_the_voxels_within_its_radius_and_no_others(affine, ijk, radius_mm):
    grid = Grid(shape=(10, 11, 12), affine=affine)
    centre_mm = voxel_to_world(affine, ijk)
    every_voxel = np.moveaxis(np.indices(grid.shape), 0, -1)
    away_mm = np.linalg.norm(voxel_to_world(affine, every_voxel) - centre_mm, axis=-1)
    expected = away_mm <= radius_mm

    if np.abs(away_mm - radius_mm).min() < 1e-3:  # on the surface, see below
        return
    if expected.any():
        assert_array_equal(sphere(grid, centre_mm, radius_mm).dataobj, expected)
    else:
        with pytest.raises(MaskError, match="No voxel has its centre"):
            sphere(grid, centre_mm, radius_mm)


def test_sphere_is_symmetric_though_a_header_rounds_the_affine(tmp_path):
    affine = np.diag([3.1, 3.1, 3.1, 1])
    affine[:3, 3] = -90.3, -126.7, -72.1
    nib.Nifti1Image(np.zeros((60, 60, 60), "u1"), affine).to_filename(tmp_path / "grid.nii")

    inside = np.asarray(
        sphere(tmp_path / "grid.nii", voxel_to_world(affine, (30, 30, 30)), 6.2).dataobj
    )

    assert inside[28, 30, 30] == inside[32, 30, 30] == inside[30, 30, 28] == inside[30, 32, 30] == 1
    assert inside.sum() == 33  # all whole numbers with i2 + j2 + k2 <= 4


def test_sphere_at_the_edge_of_an_image_is_cut_off():
    grid = Grid(shape=(5, 5, 5), affine=np.eye(4))

    assert np.asarray(sphere(grid, (0, 0, 0), 1).dataobj).sum() == 4


@pytest.mark.parametrize(
    ("centre_mm", "radius_mm", "words"),
    [
        ((1, 1, 1), 0, "0 mm has no inside"),
        ((1, 1, 1), -2, "-2 mm has no inside"),
        ((1, 1, 1), np.inf, "inf mm has no inside"),
        ((1, 1, 1), np.nan, "nan mm has no inside"),
        ((1, 1, 1), "wide", "'wide'"),
        ((1, 1, np.nan), 2, "one point"),
        ((1, 1), 2, "one point"),
        ([(1, 1, 1), (2, 2, 2)], 2, r"one point.*union_mask"),
        ("here", 2, "'here'"),
        ((500, 1, 1), 2, r"within 2 mm of \[500.0, 1.0, 1.0\]"),
        ((0.5, 0.5, 0.5), 0.1, "not below the size of a voxel"),
    ],
)
def test_sphere_without_voxels_or_sense_is_refused(centre_mm, radius_mm, words):
    with pytest.raises(MaskError, match=words):
        sphere(Grid(shape=(5, 5, 5), affine=np.eye(4)), centre_mm, radius_mm)
