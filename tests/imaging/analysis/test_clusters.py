"""Clusters against scipy's labelling, nilearn, nltools 0.5.1, and what was painted."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from nilearn.regions import connected_regions
from numpy.testing import assert_allclose, assert_array_equal
from scipy.ndimage import label

from neuroprimer.imaging.analysis.clusters import regions
from neuroprimer.imaging.analysis.statistics import threshold
from neuroprimer.imaging.braindata import BrainData, BrainDataError, make_like
from neuroprimer.imaging.engine.finite import NotANumberError
from neuroprimer.imaging.phantoms import make_maps
from neuroprimer.imaging.space.affines import voxel_to_world
from neuroprimer.imaging.tables.moments import StatisticError

ORACLE = np.load(Path(__file__).parents[1] / "oracles" / "nltools_0_5_1.npz", allow_pickle=False)
TYPES = ("connected_components", "local_regions")
# Voxels of 2 x 3 x 2 mm, stored from right to left and turned about x.
OBLIQUE = np.array([[-2, 0, 0, 40], [0, 2.9, -0.5, -30], [0, 0.7, 1.9, -7], [0, 0, 0, 1.0]])


def make_blobs(*blobs: tuple[tuple[int, int, int], float, float]) -> BrainData:
    """Return one map with cones: centre (voxel), radius (voxels) and height of each."""
    volume = np.zeros((24, 20, 16), np.float32)
    ijk = np.moveaxis(np.indices(volume.shape), 0, -1)
    for centre, radius, height in blobs:
        away = np.linalg.norm(ijk - np.array(centre), axis=-1)
        volume += np.where(away <= radius, height * (1.2 - away / radius), 0).astype(np.float32)
    mask = nib.Nifti1Image(np.ones(volume.shape, np.uint8), OBLIQUE)
    return BrainData(nib.Nifti1Image(volume, OBLIQUE), mask)


@pytest.fixture
def blobs() -> BrainData:
    return make_blobs(((5, 5, 5), 3, 4), ((17, 14, 10), 3, -6), ((5, 14, 5), 2.5, 3))


def test_regions_agree_with_nltools():
    affine = ORACLE["input/affine"]
    volume = np.isin(ORACLE["input/labels"], [1, 3]) * np.float32(5)
    mask = nib.Nifti1Image(ORACLE["input/mask"], affine)

    found = regions(BrainData(nib.Nifti1Image(volume, affine), mask), min_region_mm3=27)

    assert_array_equal(found.data, ORACLE["regions/connected_components"])


def test_regions_are_those_that_scipy_labels(blobs):
    found = regions(blobs, min_region_mm3=0)

    volume = blobs.to_image().get_fdata()
    labels, n_labels = label(volume > 0)
    expected = [np.where(labels == number, volume, 0) for number in range(1, n_labels + 1)]
    expected.append(np.where(volume < 0, volume, 0))
    assert_array_equal(np.moveaxis(found.to_image().get_fdata(), -1, 0), expected)


@pytest.mark.parametrize("extract_type", TYPES)
def test_positive_regions_are_those_of_nilearn(extract_type):
    # Two cones that run into each other, with peaks more than 10 voxels apart.
    data = make_blobs(((4, 9, 8), 8, 4), ((18, 9, 8), 8, 4))

    found = regions(data, extract_type=extract_type, smoothing_fwhm_mm=4)

    expected, _ = connected_regions(data.to_image(), 1350, extract_type, 4)
    assert_array_equal(found.to_image().get_fdata().squeeze(), expected.get_fdata().squeeze())
    assert len(found) == {"connected_components": 1, "local_regions": 2}[extract_type]


@pytest.mark.parametrize("extract_type", TYPES)
def test_regions_of_the_negative_map_are_the_negative_regions(blobs, extract_type):
    found = regions(blobs, min_region_mm3=0, extract_type=extract_type)
    mirrored = regions(blobs * -1, min_region_mm3=0, extract_type=extract_type)

    order = np.argsort(found.X["peak"], kind="stable")
    back = np.argsort(-mirrored.X["peak"], kind="stable")
    assert_array_equal(mirrored.data[back], -found.data[order])


@pytest.mark.parametrize("extract_type", TYPES)
def test_neighbours_of_opposite_sign_are_two_regions(extract_type):
    data = make_blobs(((5, 5, 5), 2, 1), ((9, 5, 5), 2, -2))

    found = regions(data, min_region_mm3=0, extract_type=extract_type)

    assert len(found) == 2
    assert np.sign(found.X["peak"]).tolist() == [1, -1]


def test_regions_add_up_to_the_map(blobs):
    found = regions(blobs, min_region_mm3=0)

    assert_array_equal(found.data.sum(axis=0), blobs.data[0])


def test_peak_and_volume_of_a_region_are_in_world_units(blobs):
    table = regions(blobs, min_region_mm3=0).X.sort_values("peak")

    assert_allclose(table["peak"], [-7.2, 3.6, 4.8], rtol=1e-6)
    places = table[["peak_x_mm", "peak_y_mm", "peak_z_mm"]].to_numpy()
    centres = [(17, 14, 10), (5, 14, 5), (5, 5, 5)]
    assert_allclose(places, voxel_to_world(OBLIQUE, centres), rtol=0, atol=1e-9)
    voxel_mm3 = 2 * (2.9 * 1.9 + 0.5 * 0.7)
    ball = sum(
        i * i + j * j + k * k <= 9 for i in range(-3, 4) for j in range(-3, 4) for k in range(-3, 4)
    )
    assert_allclose(table["volume_mm3"].iloc[[0, 2]], ball * voxel_mm3, rtol=1e-12)


def test_peaks_are_those_of_the_map_where_the_mask_leaves_voxels_out():
    maps = BrainData(make_maps(2, effect=[9, -9]))

    found = regions(maps.pipe(threshold, upper=5, lower=-5), min_region_mm3=0)

    volumes = maps.to_image().get_fdata()
    for _, row in found.X.iterrows():
        at_mm = row[["peak_x_mm", "peak_y_mm", "peak_z_mm"]].to_numpy(float)
        ijk = np.rint(np.linalg.solve(maps.grid.affine, [*at_mm, 1])[:3]).astype(int)
        assert volumes[(*ijk, int(row["image"]))] == row["peak"]
    assert found.X["image"].tolist() == sorted(found.X["image"])
    assert set(found.X["image"]) == {0, 1}


def test_regions_up_to_the_least_volume_are_left_out(blobs):
    smallest = regions(blobs, min_region_mm3=0).X["volume_mm3"].min()

    assert len(regions(blobs, min_region_mm3=smallest - 1)) == 3
    assert len(regions(blobs, min_region_mm3=smallest + 1)) == 2


def test_local_regions_leave_out_what_lies_close_to_a_higher_peak():
    data = make_blobs(((5, 5, 5), 3, 4), ((13, 5, 5), 3, 2))

    assert len(regions(data, min_region_mm3=0)) == 2
    assert len(regions(data, min_region_mm3=0, extract_type="local_regions")) == 1


@pytest.mark.parametrize("extract_type", TYPES)
def test_map_of_a_single_voxel_is_a_region(extract_type):
    data = make_blobs(((5, 5, 5), 0.5, 1))

    found = regions(data, min_region_mm3=0, extract_type=extract_type)

    assert np.count_nonzero(found.data) == 1


def test_peaks_are_looked_for_without_smoothing_if_so_wanted(blobs):
    found = regions(blobs, min_region_mm3=0, extract_type="local_regions", smoothing_fwhm_mm=0)

    assert len(found) >= 2


def test_regions_leave_the_tables_of_the_maps_behind(blobs):
    blobs.Y = {"rating": [3]}

    found = regions(blobs)

    assert found.Y.empty
    assert found.X.columns.tolist() == [
        "image",
        "peak",
        "peak_x_mm",
        "peak_y_mm",
        "peak_z_mm",
        "volume_mm3",
    ]


@pytest.mark.parametrize("extract_type", TYPES)
def test_no_region_of_that_size_is_refused(blobs, extract_type):
    with pytest.raises(StatisticError, match="no region larger than 1e"):
        regions(blobs, min_region_mm3=1e6, extract_type=extract_type)


def test_empty_map_is_refused(blobs):
    with pytest.raises(StatisticError, match="0 of 7680 numbers are not 0"):
        regions(blobs * 0)


@pytest.mark.parametrize("name", ["min_region_mm3", "smoothing_fwhm_mm"])
@pytest.mark.parametrize("size", [-1, np.nan, np.inf, "6", None])
def test_size_that_is_none_is_refused(blobs, name, size):
    with pytest.raises(StatisticError, match=f"{name}=.* is no size"):
        regions(blobs, **{name: size})


def test_unknown_type_names_those_there_are(blobs):
    with pytest.raises(StatisticError, match="'connected_components', 'local_regions'"):
        regions(blobs, extract_type="blobs")


def test_numbers_that_are_none_are_refused(blobs):
    values = blobs.data.copy()
    values[0, 0] = np.nan

    with pytest.raises(NotANumberError, match="1 of 7680"):
        regions(make_like(blobs, values))


def test_image_in_place_of_braindata_is_refused():
    with pytest.raises(BrainDataError, match="expected BrainData"):
        regions(make_maps(1)[0])
