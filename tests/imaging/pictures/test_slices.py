"""Slices: planes of the world against scipy, nibabel and the phantoms' own truth."""

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nibabel.testing import data_path
from numpy.testing import assert_allclose, assert_array_equal
from scipy import ndimage

from neuroprimer.imaging import AffineError, voxel_to_world
from neuroprimer.imaging.phantoms import REGIONS, make_head, make_labels, make_run
from neuroprimer.imaging.pictures.slices import (
    MOST_PIXELS,
    PLANES,
    PictureError,
    cut,
    middle_mm,
    open_volume,
    spread_over,
)

SMALL = {"shape": (20, 24, 20), "voxel_mm": 8}
SPOT_MM = REGIONS["spot_right"].centre_mm
codes = st.permutations(["RL", "AP", "SI"]).flatmap(
    lambda pairs: st.tuples(*map(st.sampled_from, pairs)).map("".join)
)
planes = pytest.mark.parametrize("plane", PLANES)


def image_of(voxels: object, affine: object = None, **options: object) -> nib.Nifti1Image:
    return nib.Nifti1Image(np.asarray(voxels), np.eye(4) if affine is None else affine, **options)


@settings(deadline=None)
@given(codes=codes, plane=st.sampled_from(list(PLANES)))
def test_slice_is_the_same_in_every_storage_order(codes, plane):
    at_mm = SPOT_MM[PLANES[plane][0]]
    expected = cut(open_volume(make_head(**SMALL)), plane, at_mm)

    piece = cut(open_volume(make_head(axis_codes=codes, **SMALL)), plane, at_mm)

    assert_allclose(piece.values, expected.values, rtol=0, atol=1e-9)
    assert piece.extent_mm == expected.extent_mm


@pytest.mark.parametrize("axis_codes", ["RAS", "SRP"])
def test_pixels_of_straight_voxels_are_the_voxels(axis_codes):
    head = make_head((20, 24, 18), voxel_mm=(7, 8, 9), axis_codes=axis_codes)
    canonical = nib.as_closest_canonical(head)
    low = canonical.affine[:3, 3]

    piece = cut(open_volume(head), "coronal", low[1] + 5 * 8)

    assert_allclose(piece.values, canonical.get_fdata()[:, 5, :].T, rtol=0, atol=1e-9)
    assert piece.extent_mm == (low[0] - 3.5, low[0] + 136.5, low[2] - 4.5, low[2] + 157.5)


@planes
def test_oblique_slice_shows_what_lies_at_each_point_of_the_plane(plane):
    run = nib.load(data_path / "example4d.nii.gz")
    voxels = run.get_fdata()[..., 0]
    at_mm = 20.0
    piece = cut(open_volume(run, volume=0), plane, at_mm)
    upright, across, up = PLANES[plane]
    left, right, bottom, top = piece.extent_mm
    rows, columns = piece.values.shape
    points = np.empty((rows, columns, 3))
    points[..., upright] = at_mm
    points[..., across] = left + (np.arange(columns) + 0.5) * (right - left) / columns
    points[..., up] = (bottom + (np.arange(rows) + 0.5) * (top - bottom) / rows)[:, None]
    ijk = np.moveaxis((points - run.affine[:3, 3]) @ np.linalg.inv(run.affine[:3, :3]).T, -1, 0)

    expected = ndimage.map_coordinates(voxels, ijk, order=1, cval=np.nan)  # NaN outside of centres

    known = np.isfinite(expected)
    assert known.sum() > 1000
    assert_allclose(piece.values[known], expected[known], rtol=0, atol=1e-6)
    assert np.isnan(piece.values).any()  # corners of the box that the tilted image does not reach


def test_pixels_of_an_oblique_image_are_as_fine_as_its_voxels():
    head = make_head(tilt_rad=0.3, voxel_mm=(4, 4, 6), shape=(40, 48, 27))

    left, right, bottom, top = cut(open_volume(head), "sagittal", 0).extent_mm
    rows, columns = cut(open_volume(head), "sagittal", 0).values.shape

    assert_allclose([(right - left) / columns, (top - bottom) / rows], 4, rtol=0.02)


@settings(deadline=None, max_examples=50)  # images of 77,000 voxels each
@given(
    codes=codes,
    tilt_rad=st.floats(-0.7, 0.7),
    plane=st.sampled_from(list(PLANES)),
)
def test_spot_lies_where_it_should_in_any_storage_and_tilt(codes, tilt_rad, plane):
    upright, across, up = PLANES[plane]
    head = make_head(axis_codes=codes, tilt_rad=tilt_rad)

    piece = cut(open_volume(head), plane, SPOT_MM[upright])

    left, right, bottom, top = piece.extent_mm
    row, column = np.argwhere(piece.values > 900).mean(axis=0) + 0.5
    rows, columns = piece.values.shape
    assert_allclose(left + column / columns * (right - left), SPOT_MM[across], rtol=0, atol=2)
    assert_allclose(bottom + row / rows * (top - bottom), SPOT_MM[up], rtol=0, atol=2)


def test_slice_between_voxels_is_the_mean_of_its_neighbours():
    voxels = np.zeros((3, 3, 2))
    voxels[..., 1] = 10

    assert_allclose(cut(open_volume(image_of(voxels)), "axial", 0.25).values, 2.5, rtol=1e-12)


def test_nearest_shows_voxels_as_they_are():
    voxels = np.zeros((3, 3, 2))
    voxels[..., 1] = 10
    volume = open_volume(image_of(voxels), interpolation="nearest")

    assert_array_equal(cut(volume, "axial", 0.49).values, 0)
    assert_array_equal(cut(volume, "axial", 0.51).values, 10)


@pytest.mark.parametrize("tilt_rad", [0, 0.4])
def test_labels_are_never_mixed(tilt_rad):
    volume = open_volume(make_labels(tilt_rad=tilt_rad))

    values = cut(volume, "coronal", 21.3).values

    assert set(np.unique(values[np.isfinite(values)])) == {0, 3, 4}


@pytest.mark.parametrize(
    ("image", "is_label"),
    [
        (make_labels(), True),
        (image_of(np.asarray(make_labels().dataobj)), True),
        (image_of(np.eye(5, dtype=np.uint8)[:, :, None]), True),
        (make_head(), False),
        (image_of(np.asarray(make_head().dataobj).astype(np.int16)), False),
    ],
    ids=["intent", "atlas", "mask", "head", "integers"],
)
def test_names_of_regions_are_not_interpolated_and_all_else_is(image, is_label):
    volume = open_volume(image)

    assert volume.is_label is is_label
    assert volume.interpolation == ("nearest" if is_label else "linear")


def test_edge_voxels_are_shown_to_their_outer_edge():
    volume = open_volume(image_of(np.full((2, 2, 1), 5.0)))

    assert_array_equal(cut(volume, "axial", 0.49).values, 5)
    assert_array_equal(cut(volume, "axial", 0.51).values, np.nan)


def test_voxels_without_a_number_are_empty_and_spoil_no_neighbour():
    voxels = np.arange(27.0).reshape(3, 3, 3)
    voxels[1, 1, 1] = np.nan
    voxels[0, 0, 1] = np.inf

    at_voxels = cut(open_volume(image_of(voxels)), "axial", 1).values
    between = cut(open_volume(image_of(voxels)), "axial", 1.4).values

    expected = np.where(np.isfinite(voxels[:, :, 1].T), voxels[:, :, 1].T, np.nan)
    assert_allclose(at_voxels, expected, rtol=1e-12)
    assert_array_equal(np.isnan(between), np.isnan(expected))
    # 0.4 of the voxel above, and nothing of the one that is no number
    assert_allclose(cut(open_volume(image_of(voxels)), "axial", 1.6).values[1, 1], 14, rtol=1e-12)


@pytest.mark.parametrize(
    "dtype", [">i2", np.uint8, np.float16, np.int64, ">f8", np.longdouble, np.bool_]
)
def test_voxels_of_any_real_type_are_drawn(dtype):
    voxels = np.zeros((3, 3, 3), dtype=dtype)
    voxels[2, 0, 1] = 1
    image = nib.spatialimages.SpatialImage(voxels, np.eye(4))

    values = cut(open_volume(image, interpolation="linear"), "axial", 1).values

    assert_allclose(values, [[0, 0, 1], [0, 0, 0], [0, 0, 0]], rtol=0, atol=1e-12)


def test_image_with_needles_for_voxels_fits_on_a_screen():
    turn = nib.eulerangles.euler2mat(z=0.5)
    needles = image_of(np.ones((4, 4, 4)), nib.affines.from_matvec(turn @ np.diag([1e-4, 50, 50])))

    assert max(cut(open_volume(needles), "axial", 60).values.shape) <= MOST_PIXELS


def test_only_the_volume_asked_for_is_shown():
    run = make_run(3)

    piece = cut(open_volume(run, volume=-1), "axial", 4)

    expected = cut(open_volume(run.slicer[..., 2]), "axial", 4)
    assert_array_equal(piece.values, expected.values)


def test_scaled_voxels_are_shown_as_the_header_means_them(tmp_path):
    image = image_of(np.linspace(0, 1, 27).reshape(3, 3, 3))
    image.header.set_data_dtype(np.int16)
    nib.save(image, tmp_path / "scaled.nii")

    values = cut(open_volume(nib.load(tmp_path / "scaled.nii")), "axial", 1).values

    assert_allclose(values, image.get_fdata()[..., 1].T, rtol=0, atol=1e-4)


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 6), (4, 5, 6, 1)])
def test_single_volume_needs_no_choice(shape):
    voxels = np.arange(float(np.prod(shape))).reshape(shape)

    volume = open_volume(image_of(voxels))

    assert_array_equal(volume.voxels, voxels.reshape((*shape, 1)[:3]))


@settings(deadline=None)
@given(codes=codes)
def test_slices_are_spread_evenly_through_voxel_centres(codes):
    head = open_volume(make_head(axis_codes=codes, **SMALL))

    assert spread_over(head, "axial", 5) == (-44, -20, 4, 28, 52)


def test_slices_are_spread_over_what_is_to_be_seen():
    voxels = np.zeros((5, 5, 100))
    voxels[2, 2, 60:80] = 1

    cuts_mm = spread_over(open_volume(image_of(voxels)), "axial", 4)

    assert min(cuts_mm) >= 60
    assert max(cuts_mm) < 80


@pytest.mark.parametrize("voxels", [np.zeros((3, 3, 4)), np.full((3, 3, 4), np.nan)])
def test_there_are_no_more_slices_than_voxels(voxels):
    assert spread_over(open_volume(image_of(voxels)), "axial", 9) == (0, 1, 2, 3)
    assert spread_over(open_volume(image_of(voxels)), "axial", 1) in [(1,), (2,)]


@settings(deadline=None)
@given(codes=codes)
def test_middle_is_a_voxel_in_every_storage_order(codes):
    head = make_head(axis_codes=codes, **SMALL)

    middle = middle_mm(open_volume(head))

    assert middle == (-4, -4, -4)
    ijk = np.linalg.solve(head.affine, [*middle, 1])
    assert_allclose(ijk, np.rint(ijk), rtol=0, atol=1e-9)


def test_box_reaches_to_the_outer_edges_of_the_voxels():
    head = make_head(axis_codes="PIL", tilt_rad=0.2)
    edges = np.array(head.shape) - 0.5
    corners = [
        voxel_to_world(head.affine, np.where(bits, edges, -0.5)) for bits in np.ndindex(2, 2, 2)
    ]

    box_mm = open_volume(head).box_mm()

    assert_allclose(box_mm, [np.min(corners, axis=0), np.max(corners, axis=0)], rtol=0, atol=1e-9)


RGB = np.zeros((2, 2, 2), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])


@pytest.mark.parametrize(
    ("image", "options", "words"),
    [
        ("head.nii", {}, "this is a str"),
        (np.zeros((2, 2, 2)), {}, "this is a ndarray"),
        (make_run(3), {}, r"3 volumes and none was chosen.*volume=0"),
        (make_run(3), {"volume": 3}, "no volume 3: this image has 3"),
        (make_run(3), {"volume": -4}, "no volume -4"),
        (make_run(3), {"volume": 1.5}, "whole number, but this is 1.5"),
        (make_head(), {"volume": 1}, "no volume 1: this image has 1"),
        (make_head(), {"interpolation": "cubic"}, "expected one of linear, nearest"),
        (image_of(np.zeros((2, 2, 2, 1, 3))), {}, r"\(2, 2, 2, 1, 3\)"),
        (image_of(np.zeros((2, 2, 2), complex)), {}, "complex128 are not numbers on one scale"),
        (image_of(RGB), {}, "not numbers on one scale"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(image, options, words):
    with pytest.raises(PictureError, match=words):
        open_volume(image, **options)


def test_image_without_a_place_in_the_world_is_refused():
    flat = nib.spatialimages.SpatialImage(np.zeros((2, 2, 2)), np.diag([1, 1, 0, 1]))

    with pytest.raises(AffineError):
        open_volume(flat)
