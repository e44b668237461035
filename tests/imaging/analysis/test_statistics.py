"""Statistics against numpy and scipy in float64, nltools 0.5.1, and their own laws."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist
from scipy.stats import pearsonr, spearmanr

from neuroprimer.imaging import GridMismatchError
from neuroprimer.imaging.analysis.statistics import (
    distance,
    icc,
    require_finite,
    similarity,
    threshold,
)
from neuroprimer.imaging.braindata import BrainData, BrainDataError, make_like
from neuroprimer.imaging.engine.finite import NotANumberError
from neuroprimer.imaging.phantoms import make_maps
from neuroprimer.imaging.tables.masks import sphere
from neuroprimer.imaging.tables.moments import StatisticError

ORACLE = np.load(Path(__file__).parents[1] / "oracles" / "nltools_0_5_1.npz", allow_pickle=False)
SIMILARITIES = ("correlation", "spearman", "cosine", "dot_product")
METRICS = ("euclidean", "sqeuclidean", "cityblock", "chebyshev", "correlation", "cosine")
# From 0.1 to 50, so that nothing overflows and differences are no rounding errors.
tables = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 4), st.integers(2, 9)),
    elements=st.integers(-500, 500).map(lambda tenths: tenths / 10),
)


def in_a_row(values: np.ndarray, **tables: object) -> BrainData:
    """Return images x voxels as images whose voxels lie in a row; many, in a plane."""
    n_voxels = np.shape(values)[1]
    shape = (n_voxels, 1, 1) if n_voxels < 30_000 else (1000, n_voxels // 1000, 1)
    mask = nib.Nifti1Image(np.ones(shape, np.uint8), np.eye(4))
    return BrainData(np.asarray(values), mask, **tables)


@pytest.fixture
def maps() -> BrainData:
    return BrainData(make_maps(5), X={"subject": list("abcde")})


@pytest.fixture
def of_oracle() -> BrainData:
    affine = ORACLE["input/affine"]
    image = nib.Nifti1Image(ORACLE["input/image"], affine)
    return BrainData(image, nib.Nifti1Image(ORACLE["input/mask"], affine))


# threshold


@pytest.mark.parametrize(
    ("case", "options"),
    [
        ("upper_5", {"upper": 5}),
        ("lower_1", {"lower": 1}),
        ("upper_6_lower_-2", {"upper": 6, "lower": -2}),
        ("upper_90%", {"upper": "90%"}),
        ("lower_10%", {"lower": "10%"}),
        ("upper_90%_lower_10%", {"upper": "90%", "lower": "10%"}),
        ("upper_5_binarize", {"upper": 5, "binarize": True}),
        ("upper_6_lower_-2_binarize", {"upper": 6, "lower": -2, "binarize": True}),
    ],
)
def test_threshold_keeps_what_nltools_keeps(of_oracle, case, options):
    kept = threshold(of_oracle[:3], **options)

    assert_array_equal(kept.data.astype(np.float32), ORACLE[f"threshold/{case}"])


def test_zero_is_a_threshold(of_oracle):
    kept = threshold(of_oracle[:3], upper=0)

    assert_array_equal(kept.data, np.where(of_oracle[:3].data >= 0, of_oracle[:3].data, 0))
    assert (kept.data != ORACLE["defect/threshold_upper_0"]).any()


@given(values=tables, upper=st.floats(-50, 50), lower=st.floats(-50, 50))
@settings(deadline=None)
def test_threshold_is_settled_after_once(values, upper, lower):
    # A level on the other side of 0 would keep the zeros that were put.
    data = in_a_row(values)

    once = threshold(data, upper=abs(upper), lower=-abs(lower))

    assert_array_equal(threshold(once, upper=abs(upper), lower=-abs(lower)).data, once.data)


@given(values=tables, level=st.integers(0, 100))
@settings(deadline=None)
def test_percentile_is_that_of_all_voxels_of_all_images(values, level):
    kept = threshold(in_a_row(values), upper=f"{level}%", binarize=True)

    cut = np.percentile(values.astype(np.float64), level)
    # numpy interpolates in the type of the numbers: at a number, it may end up beside it.
    clear = np.abs(values - cut) > 1e-4
    assert_array_equal((kept.data == 1)[clear], (values >= cut)[clear])


def test_percentile_is_found_among_millions_of_voxels():
    values = np.arange(2_000_000, dtype=np.float64)[np.newaxis]

    kept = threshold(in_a_row(values.astype(np.float32)), upper="95%", binarize=True)

    assert kept.data.sum() == np.count_nonzero(values >= np.percentile(values, 95))


def test_threshold_of_a_decimal_keeps_that_number_in_float32():
    kept = threshold(in_a_row(np.array([[0.7, 0.6999]], np.float32)), upper=0.7, binarize=True)

    assert kept.data.tolist() == [[1, 0]]


def test_kept_zero_is_one_when_binarized():
    p = in_a_row(np.array([[0.0, 0.01, 0.2]]))

    assert threshold(p, lower=0.05, binarize=True).data.tolist() == [[1, 1, 0]]


def test_binarize_alone_marks_what_is_not_zero():
    assert threshold(in_a_row(np.array([[0.0, -2, 3]])), binarize=True).data.tolist() == [[0, 1, 1]]


def test_threshold_keeps_tables_and_type(maps):
    kept = threshold(maps, upper=1)

    assert kept.X.equals(maps.X)
    assert kept.data.dtype == maps.data.dtype


def test_no_images_have_no_percentile(maps):
    with pytest.raises(StatisticError, match="is no threshold"):
        threshold(maps[[]], upper="95%")


def test_nan_is_never_kept():
    data = in_a_row(np.array([[1.0, 5.0]]))
    with_nan = make_like(data, np.array([[np.nan, 5.0]]))

    assert threshold(with_nan, upper=2, lower=1).data.tolist() == [[0, 5]]


def test_level_itself_is_kept_on_both_sides():
    data = in_a_row(np.array([[-2.0, -1, 0, 1, 2]]))

    assert threshold(data, upper=1, lower=-1).data.tolist() == [[-2, -1, 0, 1, 2]]
    assert threshold(data, upper=1, lower=-1, binarize=True).data.tolist() == [[1, 1, 0, 1, 1]]


@pytest.mark.parametrize(
    ("values", "options", "expected"),
    [
        ([1, 2, np.inf], {"upper": "50%"}, [0, 1, 1]),
        ([-np.inf, 1, 2, 3], {"lower": "10%"}, [1, 0, 0, 0]),
    ],
)
def test_infinite_numbers_are_high_and_low(values, options, expected):
    data = in_a_row(np.zeros((1, len(values))))
    with_inf = make_like(data, np.array([values], float))

    assert threshold(with_inf, **options, binarize=True).data.tolist() == [expected]


def test_percentile_of_nan_is_refused():
    data = in_a_row(np.array([[1.0, 5.0]]))

    with pytest.raises(NotANumberError, match="percentile 50%: 1 of 2 numbers"):
        threshold(make_like(data, np.array([[np.nan, 5.0]])), upper="50%")


def test_lower_above_upper_is_refused(maps):
    with pytest.raises(StatisticError, match="lower=3 lies above upper=2"):
        threshold(maps, upper=2, lower=3)


def test_nothing_to_threshold_is_refused(maps):
    with pytest.raises(StatisticError, match="neither upper nor lower"):
        threshold(maps)


@pytest.mark.parametrize("level", ["95", "x%", "101%", "-1%", "nan%", float("nan"), [3], "%"])
def test_level_that_is_none_is_refused(maps, level):
    with pytest.raises(StatisticError, match="is no threshold"):
        threshold(maps, upper=level)


@pytest.mark.parametrize(
    "function",
    [
        lambda image: threshold(image, upper=1),
        lambda image: similarity(image, image),
        distance,
        icc,
    ],
)
def test_image_in_place_of_braindata_is_refused(function):
    with pytest.raises(BrainDataError, match="expected BrainData, not a Nifti1Image"):
        function(make_maps(1)[0])


# similarity


@pytest.mark.parametrize("method", SIMILARITIES)
def test_similarity_agrees_with_nltools(of_oracle, method):
    likeness = similarity(of_oracle, of_oracle[3], method=method)

    expected = ORACLE[f"similarity/{method}"]
    if method == "dot_product":
        assert_allclose(likeness, expected, rtol=0, atol=1e-6 * expected.max())
    else:
        assert_allclose(likeness, expected, rtol=0, atol=5e-7)


@pytest.mark.parametrize(
    ("method", "oracle"),
    [
        ("correlation", lambda one, other: pearsonr(one, other).statistic),
        ("spearman", lambda one, other: spearmanr(one, other).statistic),
        ("cosine", lambda one, other: 1 - cdist([one], [other], "cosine")[0, 0]),
        ("dot_product", lambda one, other: sum(one * other)),
    ],
)
def test_similarity_agrees_with_scipy_for_each_pair(method, oracle):
    # More images than are taken at a time, and ties for the ranks.
    rng = np.random.default_rng(1)
    one, other = rng.integers(0, 9, (35, 40)) / 4, rng.integers(0, 9, (2, 40)) / 4

    likeness = similarity(in_a_row(one), in_a_row(other), method=method)

    expected = [[oracle(left, right) for right in other] for left in one]
    assert_allclose(likeness, expected, rtol=1e-12, atol=1e-12)


def test_similarity_to_one_image_has_one_axis(maps):
    assert similarity(maps, maps[0]).shape == (5,)
    assert similarity(maps, maps[:2]).shape == (5, 2)


def test_similarity_takes_an_image_within_the_mask(maps):
    image = make_maps(1, seed=9)[0]

    likeness = similarity(maps, image)

    inside = maps.mask.get_fdata() == 1
    expected = [pearsonr(row.astype(float), image.get_fdata()[inside])[0] for row in maps.data]
    assert_allclose(likeness, expected, rtol=0, atol=1e-12)


@given(values=hnp.arrays(np.float64, (2, 12), elements=st.integers(-99, 99)), scale=st.floats(1, 9))
@settings(deadline=None)
def test_correlation_ignores_unit_and_origin_of_an_image(values, scale):
    if np.ptp(values, axis=1).min() == 0:
        return
    one, other = in_a_row(values[:1]), in_a_row(values[1:])

    likeness = similarity(one, other)

    assert_allclose(similarity(one * scale + 3, other), likeness, rtol=0, atol=1e-9)
    assert_allclose(similarity(one * -scale, other), -likeness, rtol=0, atol=1e-9)
    assert -1 <= likeness[0] <= 1


@pytest.mark.parametrize("method", SIMILARITIES)
def test_similarity_of_large_float32_numbers_is_counted_in_float64(method):
    values = (1e4 + np.random.default_rng(0).standard_normal((2, 500))).astype(np.float32)

    likeness = similarity(in_a_row(values[:1]), in_a_row(values[1:]), method=method)

    wide = in_a_row(values.astype(np.float64))
    assert_allclose(likeness, similarity(wide[0], wide[1], method=method), rtol=1e-14)
    if method == "correlation":
        expected = np.corrcoef(values.astype(np.float64))[0, 1]
        assert_allclose(likeness, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("method", ["correlation", "spearman"])
def test_correlation_with_a_constant_image_is_refused(method):
    data = in_a_row(np.array([[1.0, 2, 4], [0.1, 0.1, 0.1]]))

    with pytest.raises(StatisticError, match=f"{method} is not defined.* 1 of data"):
        similarity(data, data[0], method=method)
    with pytest.raises(StatisticError, match=f"{method} is not defined.* 0 of other"):
        similarity(data[0], data[1], method=method)


def test_cosine_of_a_constant_image_is_defined_unless_it_is_zero():
    data = in_a_row(np.array([[2.0, 2, 2], [0, 0, 0]]))

    assert_allclose(similarity(data[0], data[0], method="cosine"), 1, rtol=1e-15)
    with pytest.raises(StatisticError, match="0 in every voxel: 1 of data"):
        similarity(data, data[0], method="cosine")


@pytest.mark.parametrize("method", ["correlation", "spearman", "cosine"])
def test_rounding_takes_no_image_beyond_a_likeness_of_one(method):
    data = in_a_row(np.random.default_rng(0).normal(size=(50, 30)))

    likeness = similarity(data, data, method=method)

    assert likeness.max() <= 1
    assert_allclose(np.diagonal(likeness), 1, rtol=1e-14)


def test_masks_that_only_have_as_many_voxels_are_told_apart(maps):
    volume = np.roll(maps.mask.get_fdata(), 1, axis=0)
    moved = BrainData(maps.data, nib.Nifti1Image(volume.astype(np.uint8), maps.mask.affine))

    with pytest.raises(BrainDataError, match=r"masks differ.*1974 voxels against 1974, 1767 in"):
        similarity(maps, moved)


def test_mask_within_the_other_is_another_one(maps):
    smaller = BrainData(maps.to_image(), sphere(maps.grid, (0, 0, 0), 30))

    for one, other in ((maps, smaller), (smaller, maps)):
        with pytest.raises(BrainDataError, match="masks differ"):
            similarity(one, other)


def test_same_mask_from_elsewhere_is_the_same(maps):
    again = BrainData(make_maps(1, seed=5), maps.mask)

    assert similarity(maps, again).shape == (5,)


def test_braindata_on_another_grid_are_refused(maps):
    with pytest.raises(GridMismatchError, match="Cannot compare the images"):
        similarity(maps, BrainData(make_maps(1, shape=(10, 12, 10), voxel_mm=16)))


def test_similarity_to_an_image_on_another_grid_is_refused(maps):
    with pytest.raises(GridMismatchError, match="10 x 12 x 10"):
        similarity(maps, make_maps(1, shape=(10, 12, 10), voxel_mm=16)[0])


def test_unknown_method_names_those_there_are(maps):
    with pytest.raises(StatisticError, match="'correlation', 'spearman', 'cosine', 'dot_product'"):
        similarity(maps, maps, method="kendall")


# distance


@pytest.mark.parametrize("metric", METRICS)
def test_distance_agrees_with_scipy(maps, metric):
    wide = maps.data.astype(np.float64)

    assert_allclose(
        distance(maps, metric=metric), cdist(wide, wide, metric), rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize("metric", ["euclidean", "correlation"])
def test_distance_agrees_with_nltools(of_oracle, metric):
    expected = ORACLE[f"distance/{metric}"]

    assert_allclose(
        distance(of_oracle, metric=metric), expected, rtol=0, atol=1e-6 * expected.max()
    )


@given(values=tables.filter(lambda values: len(values) >= 3))
@settings(deadline=None)
def test_no_way_is_shorter_than_the_straight_one(values):
    apart = distance(in_a_row(values))

    assert_array_equal(apart, apart.T)
    assert_array_equal(np.diagonal(apart), 0)
    assert (apart[0, 1] + apart[1, 2] - apart[0, 2]) >= -1e-9


def test_distances_of_one_image_or_none(maps):
    assert distance(maps[0]).tolist() == [[0]]
    assert distance(maps[[]]).shape == (0, 0)


def test_correlation_distance_of_a_constant_image_is_refused():
    with pytest.raises(StatisticError, match="correlation is not defined"):
        distance(in_a_row(np.array([[1.0, 2], [3, 3]])), metric="correlation")


def test_unknown_metric_names_those_there_are(maps):
    with pytest.raises(StatisticError, match=r"'euclidean', 'sqeuclidean', .*pdist"):
        distance(maps, metric="manhattan")


def test_message_names_the_first_of_many_constant_images():
    values = np.ones((7, 2))

    with pytest.raises(StatisticError, match=r": 0, 1, 2, 3, 4, \.\.\. of data"):
        distance(in_a_row(values), metric="correlation")


# icc


def icc_by_variance_table(ratings: np.ndarray, kind: str) -> float:
    """Return the coefficient from sums of squares, targets x judges, as in Shrout and Fleiss."""
    n, k = ratings.shape
    grand = ratings.mean()
    total = ((ratings - grand) ** 2).sum()
    targets = k * ((ratings.mean(axis=1) - grand) ** 2).sum()
    judges = n * ((ratings.mean(axis=0) - grand) ** 2).sum()
    bms, jms = targets / (n - 1), judges / (k - 1)
    wms = (total - targets) / (n * (k - 1))
    ems = (total - targets - judges) / ((n - 1) * (k - 1))
    return {
        "icc1": (bms - wms) / (bms + (k - 1) * wms),
        "icc2": (bms - ems) / (bms + (k - 1) * ems + k * (jms - ems) / n),
        "icc3": (bms - ems) / (bms + (k - 1) * ems),
    }[kind]


@pytest.mark.parametrize(("kind", "published"), [("icc1", 0.17), ("icc2", 0.29), ("icc3", 0.71)])
def test_icc_agrees_with_the_table_of_shrout_and_fleiss(kind, published):
    assert round(icc(in_a_row(ORACLE["input/judges"]), kind=kind), 2) == published


def test_consistency_is_that_of_nltools_and_absolute_agreement_is_not():
    judges = in_a_row(ORACLE["input/judges"])

    assert_allclose(icc(judges, kind="icc3"), ORACLE["icc/icc3_judges"], rtol=0, atol=1e-12)
    assert abs(icc(judges) - ORACLE["defect/icc2_judges"]) > 0.3


@pytest.mark.parametrize("kind", ["icc1", "icc2", "icc3"])
def test_icc_agrees_with_a_variance_table(kind):
    # More voxels than are taken at a time.
    rng = np.random.default_rng(2)
    ratings = rng.normal(size=(300_000, 1)) + rng.normal(size=4) + rng.normal(size=(300_000, 4))

    agreement = icc(in_a_row(ratings.T), kind=kind)

    assert_allclose(agreement, icc_by_variance_table(ratings, kind), rtol=0, atol=1e-12)


def test_icc_does_not_cancel_where_images_differ_much():
    rng = np.random.default_rng(2)
    ratings = rng.normal(size=(300, 1)) + rng.normal(size=(300, 4))

    shifted = icc(in_a_row((ratings + np.arange(4) * 2.0**27).T), kind="icc3")

    # At 4e8, float64 keeps 6e-8 of a number.
    assert_allclose(shifted, icc_by_variance_table(ratings, "icc3"), rtol=0, atol=1e-6)


@given(shifts=hnp.arrays(np.float64, 4, elements=st.floats(-99, 99)))
@settings(deadline=None)
def test_consistency_ignores_a_constant_in_each_image(shifts):
    judges = ORACLE["input/judges"]

    shifted = icc(in_a_row(judges + shifts[:, np.newaxis]), kind="icc3")

    assert_allclose(shifted, icc(in_a_row(judges), kind="icc3"), rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", ["icc1", "icc2", "icc3"])
def test_same_images_agree_perfectly(maps, kind):
    assert_allclose(icc(maps[[0, 0, 0]], kind=kind), 1, rtol=1e-12)


@pytest.mark.parametrize("kind", ["icc1", "icc2", "icc3"])
@pytest.mark.parametrize("values", [np.full((3, 7), 0.1), np.outer([0.1, 0.7, 0.3], np.ones(7))])
def test_agreement_on_constant_images_is_refused(kind, values):
    with pytest.raises(StatisticError, match="all voxels have the same mean"):
        icc(in_a_row(values), kind=kind)


def test_agreement_without_spread_between_voxels_is_refused():
    with pytest.raises(StatisticError, match="all voxels have the same mean"):
        icc(in_a_row(np.array([[1.0, 0], [0, 1]])))


@pytest.mark.parametrize("shape", [(1, 5), (5, 1)])
def test_agreement_needs_two_images_and_two_voxels(shape):
    with pytest.raises(StatisticError, match="two images and two voxels"):
        icc(in_a_row(np.ones(shape)))


def test_unknown_kind_names_those_there_are(maps):
    with pytest.raises(StatisticError, match="'icc1', 'icc2', 'icc3'"):
        icc(maps, kind="icc2k")


# what all of them refuse


@pytest.mark.parametrize("function", [lambda data: similarity(data, data), distance, icc])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_none_are_refused_with_their_count(function, bad):
    data = in_a_row(np.arange(6.0).reshape(2, 3))
    values = data.data.copy()
    values[1, 1:] = bad

    with pytest.raises(NotANumberError, match="2 of 6 numbers are NaN or infinite"):
        function(make_like(data, values))


def test_large_numbers_whose_sum_overflows_are_finite():
    require_finite(in_a_row(np.full((2, 3), 1e308)), "count")


def test_other_images_with_nan_are_refused(maps):
    values = maps.data.copy()
    values[0, 0] = np.nan

    with pytest.raises(NotANumberError, match="1 of"):
        similarity(maps, make_like(maps, values))
