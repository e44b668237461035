"""Regions of interest against numpy, nilearn, scikit-learn, nltools 0.5.1, and their own laws."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from nilearn.maskers import NiftiLabelsMasker
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.decomposition import PCA

from neuroprimer.imaging import GridMismatchError
from neuroprimer.imaging.analysis.rois import aggregate, extract_roi, split_regions
from neuroprimer.imaging.braindata import BrainData, BrainDataError, make_like
from neuroprimer.imaging.engine.finite import NotANumberError
from neuroprimer.imaging.phantoms import make_labels, make_maps
from neuroprimer.imaging.tables.masks import require_mask, sphere
from neuroprimer.imaging.tables.moments import StatisticError
from neuroprimer.imaging.tables.regional import RegionError

ORACLE = np.load(Path(__file__).parents[1] / "oracles" / "nltools_0_5_1.npz", allow_pickle=False)
REGION_FUNCTIONS = (extract_roi, aggregate, split_regions)
# Six voxels in a row, one of them in no region.
small_labels = hnp.arrays(np.uint8, 6, elements=st.integers(0, 3)).filter(np.any)
small_tables = hnp.arrays(np.float32, (3, 6), elements=st.integers(-99, 99))


def in_a_row(values: np.ndarray, **tables: object) -> BrainData:
    """Return images x voxels as images whose voxels lie in a row."""
    mask = nib.Nifti1Image(np.ones((np.shape(values)[1], 1, 1), np.uint8), np.eye(4))
    return BrainData(np.asarray(values), mask, **tables)


def labels_in_a_row(values: object, dtype: object = np.uint8) -> nib.Nifti1Image:
    return nib.Nifti1Image(np.array(values, dtype).reshape(-1, 1, 1), np.eye(4))


@pytest.fixture
def maps() -> BrainData:
    return BrainData(make_maps(5), X={"level": range(5)}, Y={"y": range(5)}, tr_s=2)


@pytest.fixture
def labels() -> nib.Nifti1Image:
    return make_labels((20, 24, 20), voxel_mm=8)


@pytest.fixture
def of_oracle() -> BrainData:
    affine = ORACLE["input/affine"]
    image = nib.Nifti1Image(ORACLE["input/image"], affine)
    return BrainData(image, nib.Nifti1Image(ORACLE["input/mask"], affine))


def oracle_image(name: str) -> nib.Nifti1Image:
    return nib.Nifti1Image(ORACLE[f"input/{name}"], ORACLE["input/affine"])


# extract_roi


@pytest.mark.parametrize("metric", ["mean", "median"])
def test_signals_of_labels_agree_with_nltools(of_oracle, metric):
    signals = extract_roi(of_oracle, oracle_image("labels"), metric=metric)

    assert signals.columns.tolist() == [1, 2, 3]
    expected = ORACLE[f"extract_roi/{metric}_labels"].T
    assert_allclose(signals, expected, rtol=0, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("metric", ["mean", "median"])
def test_signal_of_a_mask_agrees_with_nltools(of_oracle, metric):
    one = oracle_image("labels")
    mask = nib.Nifti1Image((one.get_fdata() == 1).astype(np.uint8), one.affine)

    signals = extract_roi(of_oracle, mask, metric=metric)

    assert signals.columns.tolist() == ["roi"]
    expected = ORACLE[f"extract_roi/{metric}_label_1"]
    assert_allclose(signals["roi"], expected, rtol=0, atol=1e-6 * np.abs(expected).max())


def test_gaps_between_labels_do_not_matter(of_oracle):
    signals = extract_roi(of_oracle, oracle_image("gapped_labels"))

    assert signals.columns.tolist() == [2, 5, 9]
    assert_array_equal(signals, extract_roi(of_oracle, oracle_image("labels")))
    assert (ORACLE["defect/expand_mask_of_labels_2_5_9"].sum(axis=1) == 0).any()


def test_signals_agree_with_nilearn(maps, labels):
    masker = NiftiLabelsMasker(labels, resampling_target=None, standardize=None)

    expected = masker.fit_transform(maps.to_image())

    assert_allclose(extract_roi(maps, labels), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("shape", [(6, 40), (40, 6)])
def test_first_component_agrees_with_scikit_learn(shape):
    values = np.random.default_rng(0).normal(3, 1, shape)
    values += np.outer(np.linspace(-4, 4, shape[0]), np.linspace(0, 1, shape[1]))

    score = extract_roi(in_a_row(values), labels_in_a_row(np.ones(shape[1])), metric="pca")["roi"]

    expected = PCA(1).fit_transform(values)[:, 0]
    assert_allclose(np.abs(score), np.abs(expected), rtol=0, atol=1e-9)
    assert np.corrcoef(score, values.mean(axis=1))[0, 1] > 0


@pytest.mark.parametrize("sign", [1, -1])
def test_first_component_rises_with_the_mean(sign):
    rising = np.outer(np.arange(5.0), [1.0, 2, 3]) * sign

    score = extract_roi(in_a_row(rising), labels_in_a_row([1, 1, 1]), metric="pca")["roi"]

    assert_allclose(score, (np.arange(5) - 2) * sign * np.sqrt(14), atol=1e-12)


def test_first_component_of_a_region_that_does_not_vary_is_zero():
    score = extract_roi(in_a_row(np.full((4, 3), 0.1)), labels_in_a_row([1, 1, 1]), metric="pca")

    assert_allclose(score, 0, atol=1e-15)


def test_mask_of_ones_is_a_mask(maps):
    ones = nib.Nifti1Image(np.ones(maps.grid.shape, np.uint8), maps.grid.affine)

    assert_allclose(extract_roi(maps, ones)["roi"], maps.mean("voxels"), rtol=0, atol=1e-12)


def test_single_image_gives_a_table_of_one_row(maps, labels):
    assert extract_roi(maps[2], labels).shape == (1, 4)


def test_sphere_and_mask_will_do(maps):
    ball = sphere(maps.grid, (34, 22, 26), 12)

    signals = extract_roi(maps, ball)

    assert_array_equal(extract_roi(maps, require_mask(ball)), signals)


def test_table_has_the_index_of_x(maps, labels):
    signals = extract_roi(maps[2:4], labels)

    joined = pd.concat([maps[2:4].X, signals], axis=1)
    assert joined.shape == (2, 5)
    assert joined["level"].tolist() == [2, 3]


@given(values=small_tables, numbers=small_labels)
@settings(deadline=None)
def test_signals_are_means_over_the_voxels_of_each_label(values, numbers):
    signals = extract_roi(in_a_row(values), labels_in_a_row(numbers))

    for position, label in enumerate(sorted(set(numbers[numbers > 0]))):
        expected = values[:, numbers == label].astype(np.float64).mean(axis=1)
        assert_allclose(signals.iloc[:, position], expected, rtol=1e-12, atol=1e-12)


def test_means_of_float32_are_counted_in_float64():
    values = (1e4 + np.random.default_rng(0).standard_normal((2, 20_000))).astype(np.float32)

    signals = extract_roi(in_a_row(values), labels_in_a_row(np.ones(20_000)))

    assert_allclose(signals["roi"], values.astype(np.float64).mean(axis=1), rtol=1e-14)


def test_labels_may_be_floats_that_are_whole(maps, labels):
    as_float = nib.Nifti1Image(labels.get_fdata(dtype=np.float32), labels.affine)

    assert_array_equal(extract_roi(maps, as_float), extract_roi(maps, labels))


@pytest.mark.parametrize("function", REGION_FUNCTIONS)
def test_interpolated_labels_are_refused(function, maps, labels):
    blurred = nib.Nifti1Image(labels.get_fdata() * 0.7, labels.affine)

    with pytest.raises(RegionError, match="whole numbers"):
        function(maps, blurred)


@pytest.mark.parametrize("function", REGION_FUNCTIONS)
def test_region_outside_the_mask_is_named(function, maps, labels):
    numbers = np.asarray(labels.dataobj).copy()
    numbers[0, 0, 0] = 8

    with pytest.raises(RegionError, match="8"):
        function(maps, nib.Nifti1Image(numbers, labels.affine))


@pytest.mark.parametrize("function", REGION_FUNCTIONS)
def test_labels_of_zeros_are_refused(function, maps):
    zeros = nib.Nifti1Image(np.zeros(maps.grid.shape, np.uint8), maps.grid.affine)

    with pytest.raises(RegionError, match="no region"):
        function(maps, zeros)


@pytest.mark.parametrize("function", REGION_FUNCTIONS)
def test_labels_on_another_grid_are_refused_and_both_grids_named(function, maps):
    with pytest.raises(GridMismatchError, match=r"40 x 48 x 40.*20 x 24 x 20"):
        function(maps, make_labels())


@pytest.mark.parametrize("function", REGION_FUNCTIONS)
def test_image_in_place_of_braindata_is_refused(function, labels):
    with pytest.raises(BrainDataError, match="expected BrainData"):
        function(make_maps(1)[0], labels)


@pytest.mark.parametrize("function", [extract_roi, aggregate])
def test_numbers_that_are_none_are_refused(function, maps, labels):
    values = maps.data.copy()
    values[0, 0] = np.nan

    with pytest.raises(NotANumberError, match="1 of"):
        function(make_like(maps, values), labels)


def test_unknown_metric_names_those_there_are(maps, labels):
    with pytest.raises(StatisticError, match="'mean', 'median', 'pca'"):
        extract_roi(maps, labels, metric="max")


def test_component_of_a_single_image_is_refused(maps, labels):
    with pytest.raises(StatisticError, match="two images at least"):
        extract_roi(maps[0], labels, metric="pca")


# aggregate


def test_painted_image_agrees_with_nltools(of_oracle):
    painted = aggregate(of_oracle[3], oracle_image("labels"))

    assert_allclose(painted.data[0], ORACLE["aggregate/mean_image_3"], rtol=0, atol=1e-5)


def test_several_images_are_painted_each_by_itself(of_oracle):
    painted = aggregate(of_oracle, oracle_image("labels"))

    assert_array_equal(painted[3].data, aggregate(of_oracle[3], oracle_image("labels")).data)
    assert len(painted) == len(of_oracle)


@pytest.mark.parametrize("statistic", ["mean", "median", "std", "min", "max", "sum"])
def test_painted_numbers_are_those_of_numpy(maps, labels, statistic):
    painted = aggregate(maps, labels, statistic=statistic)

    numbers = labels.get_fdata()[maps.mask.get_fdata() == 1]
    for label in (1, 2, 3, 4):
        inside = maps.data[:, numbers == label].astype(np.float64)
        expected = getattr(np, statistic)(inside, axis=1, keepdims=True)
        assert_array_equal(
            painted.data[:, numbers == label],
            np.broadcast_to(expected.astype(np.float32), inside.shape),
        )
    assert not painted.data[:, numbers == 0].any()


@given(values=small_tables, numbers=small_labels)
@settings(deadline=None)
def test_painting_twice_changes_nothing(values, numbers):
    once = aggregate(in_a_row(values), labels_in_a_row(numbers))

    twice = aggregate(once, labels_in_a_row(numbers))

    assert_allclose(twice.data, once.data, rtol=1e-6)


def test_painted_images_keep_tables_and_type(maps, labels):
    painted = aggregate(maps, labels)

    assert painted.X.equals(maps.X)
    assert painted.data.dtype == np.float32


def test_unknown_statistic_names_those_there_are(maps, labels):
    with pytest.raises(StatisticError, match="mean, std, sum, min, max, median"):
        aggregate(maps, labels, statistic="pca")


# split_regions


def test_regions_hold_all_images_within_their_own_mask(maps, labels):
    regions = split_regions(maps, labels)

    assert list(regions) == [1, 2, 3, 4]
    for label, region in regions.items():
        here = (labels.get_fdata() == label) & (maps.mask.get_fdata() == 1)
        assert_array_equal(region.mask.get_fdata(), here)
        assert_array_equal(region.to_image().get_fdata()[here], maps.to_image().get_fdata()[here])
        assert region.X.equals(maps.X)
        assert region.Y.equals(maps.Y)
        assert region.tr_s == 2


def test_means_of_split_regions_are_the_signals(maps, labels):
    regions = split_regions(maps, labels)

    signals = extract_roi(maps, labels)
    for label, region in regions.items():
        assert_allclose(region.mean("voxels"), signals[label], rtol=0, atol=1e-12)


@given(values=small_tables, numbers=small_labels)
@settings(deadline=None)
def test_regions_together_are_the_labelled_voxels(values, numbers):
    regions = split_regions(in_a_row(values), labels_in_a_row(numbers))

    together = sum(region.to_image().get_fdata() for region in regions.values())
    assert_array_equal(together[:, 0, 0].T, np.where(numbers > 0, values, 0))
