"""Inference against scipy, numpy's least squares, nilearn, nltools 0.5.1, and its own laws."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from nilearn.glm import OLSModel
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import false_discovery_control, linregress, ttest_1samp
from scipy.stats import t as t_distribution

from neuroprimer.imaging.analysis.inference import DesignError, correct_p, regress, ttest
from neuroprimer.imaging.analysis.statistics import threshold
from neuroprimer.imaging.braindata import BrainData, BrainDataError, make_like
from neuroprimer.imaging.engine.finite import NotANumberError
from neuroprimer.imaging.phantoms import make_maps
from neuroprimer.imaging.tables.moments import StatisticError

ORACLE = np.load(Path(__file__).parents[1] / "oracles" / "nltools_0_5_1.npz", allow_pickle=False)
METHODS = ("fdr", "holm", "bonferroni")
probabilities = hnp.arrays(np.float64, (2, 8), elements=st.floats(0, 1))


def in_a_row(values: np.ndarray, **tables: object) -> BrainData:
    """Return images x voxels as images whose voxels lie in a row."""
    mask = nib.Nifti1Image(np.ones((np.shape(values)[1], 1, 1), np.uint8), np.eye(4))
    return BrainData(np.asarray(values), mask, **tables)


@pytest.fixture
def maps() -> BrainData:
    return BrainData(make_maps(9), X={"level": [1.0, 2, 3] * 3}, Y={"subject": range(9)}, tr_s=2)


@pytest.fixture
def of_oracle() -> BrainData:
    affine = ORACLE["input/affine"]
    image = nib.Nifti1Image(ORACLE["input/image"], affine)
    return BrainData(image, nib.Nifti1Image(ORACLE["input/mask"], affine))


@pytest.fixture
def design() -> pd.DataFrame:
    return pd.DataFrame(ORACLE["input/design"], columns=["intercept", "trend", "random"])


# ttest


@pytest.mark.parametrize("popmean", [0, -0.3, 2.5])
def test_ttest_agrees_with_scipy(maps, popmean):
    result = ttest(maps, popmean=popmean)

    expected = ttest_1samp(maps.data.astype(np.float64), popmean)
    assert_allclose(result.t.data[0], expected.statistic, rtol=1e-11, atol=1e-11)
    assert_allclose(result.p.data[0], expected.pvalue, rtol=1e-10)
    assert result.df == 8


@pytest.mark.parametrize("name", ["t", "p"])
def test_ttest_agrees_with_nltools(of_oracle, name):
    found = getattr(ttest(of_oracle), name)

    assert_allclose(found.data[0], ORACLE[f"ttest/{name}"], rtol=0, atol=5e-6)


@given(
    values=hnp.arrays(np.float64, (4, 6), elements=st.integers(-99, 99)),
    popmean=st.integers(-9, 9),
)
@settings(deadline=None)
def test_other_mean_is_that_of_shifted_images(values, popmean):
    data = in_a_row(values)

    assert_allclose(ttest(data, popmean=popmean).t.data, ttest(data - popmean).t.data, rtol=1e-9)
    assert_allclose(ttest(data * -1).t.data, -ttest(data).t.data, rtol=1e-9)


def test_constant_voxels_have_a_defined_t():
    # 0.1 has no exact sum: a rounded mean would leave a spread.
    data = in_a_row(np.tile([0.0, 0.1, -0.7, 3.0], (7, 1)))

    result = ttest(data)

    assert result.t.data[0].tolist() == [0, np.inf, -np.inf, np.inf]
    assert result.p.data[0].tolist() == [1, 0, 0, 0]


def test_constant_voxels_that_are_the_mean_have_a_t_of_zero():
    result = ttest(in_a_row(np.full((5, 2), 0.1)), popmean=0.1)

    assert result.t.data.tolist() == [[0, 0]]
    assert result.p.data.tolist() == [[1, 1]]


def test_t_of_large_numbers_with_a_small_spread_keeps_its_digits():
    noise = np.random.default_rng(0).normal(0, 1e-3, (50, 20))
    noise -= noise.mean(axis=0)

    result = ttest(in_a_row(1e6 + noise), popmean=1e6)

    # At 1e6, float64 keeps 1e-10 of a number, 1e-7 of the spread.
    exact = ttest_1samp((1e6 + noise) - 1e6, 0).statistic
    assert_allclose(result.t.data[0], exact, rtol=0, atol=1e-5)


def test_p_of_a_very_large_t_is_not_zero():
    values = 100 + np.random.default_rng(0).standard_normal((30, 1))

    result = ttest(in_a_row(values))

    expected = 2 * t_distribution.sf(result.t.data, 29)
    assert 0 < result.p.data.max() < 1e-30
    assert_allclose(result.p.data, expected, rtol=1e-12)


def test_maps_of_a_ttest_leave_tables_behind(maps):
    result = ttest(maps)

    assert len(result.t) == len(result.p) == 1
    assert result.t.X.empty
    assert result.p.Y.empty
    assert result.t.tr_s is None


def test_ttest_repr_says_what_was_found(maps):
    lines = repr(ttest(maps)).splitlines()

    assert lines[0] == "TTest with 8 degrees of freedom"
    assert "lowest p" in lines[1]
    assert lines[2].startswith("Grid 20 x 24 x 20")


def test_ttest_of_a_single_image_is_refused(maps):
    with pytest.raises(StatisticError, match="two images at least, but there is 1"):
        ttest(maps[0])


@pytest.mark.parametrize("popmean", [np.nan, "0", None])
def test_popmean_that_is_no_number_is_refused(maps, popmean):
    with pytest.raises(StatisticError, match="is no number"):
        ttest(maps, popmean=popmean)


# correct_p


@given(values=probabilities)
@settings(deadline=None)
def test_fdr_is_that_of_scipy_for_each_image(values):
    adjusted = correct_p(in_a_row(values))

    for row, before in zip(adjusted.data, values, strict=True):
        assert_allclose(row, false_discovery_control(before), rtol=1e-12)


@given(values=probabilities, level=st.floats(0.001, 0.5))
@settings(deadline=None)
def test_fdr_keeps_the_voxels_up_to_the_largest_below_the_line(values, level):
    adjusted = correct_p(in_a_row(values[:1])).data[0]

    ranked = np.sort(values[0])
    passing = [
        p for rank, p in enumerate(ranked, start=1) if p * len(ranked) / rank <= level * (1 - 1e-9)
    ]
    if passing:
        assert (adjusted[values[0] <= max(passing)] <= level).all()


@given(values=probabilities, level=st.floats(0.001, 0.5))
@settings(deadline=None)
def test_holm_keeps_voxels_step_by_step(values, level):
    adjusted = correct_p(in_a_row(values[:1]), method="holm").data[0]

    expected = np.zeros(8, bool)
    for step, voxel in enumerate(np.argsort(values[0], kind="stable")):
        adjusted_here = values[0][voxel] * (8 - step)
        if abs(adjusted_here - level) < 1e-12:
            return
        if adjusted_here > level:
            break
        expected[voxel] = True
    # Equal p-values share a fate.
    expected = np.isin(values[0], values[0][expected])
    assert_array_equal(adjusted <= level, expected)


@given(values=probabilities)
@settings(deadline=None)
def test_stricter_methods_give_higher_p(values):
    fdr, holm, bonferroni = (correct_p(in_a_row(values), method=name).data for name in METHODS)

    slack = 1e-12
    assert (values <= fdr + slack).all()
    assert (fdr <= holm + slack).all()
    assert (holm <= bonferroni + slack).all()
    assert bonferroni.max() <= 1
    assert_allclose(bonferroni, np.minimum(values * 8, 1), rtol=1e-12)


@pytest.mark.parametrize("method", METHODS)
@given(values=probabilities)
@settings(deadline=None)
def test_correction_keeps_the_order_of_voxels(method, values):
    adjusted = correct_p(in_a_row(values), method=method).data

    for row, before in zip(adjusted, values, strict=True):
        assert (np.diff(row[np.argsort(before)]) >= -1e-12).all()


def test_p_of_zero_survives_correction_and_threshold():
    result = ttest(in_a_row(np.array([[1.0, 0.3, -2], [1, -0.2, -2.1], [1, 0.4, -1.9]])))

    significant = result.p.pipe(correct_p).pipe(threshold, lower=0.05, binarize=True)

    assert significant.data.tolist() == [[1, 0, 1]]


@pytest.mark.parametrize("values", [[[-0.1, 0.5]], [[0.5, 1.1]]])
def test_numbers_that_are_no_p_values_are_refused(values):
    with pytest.raises(StatisticError, match="p-values lie between 0 and 1"):
        correct_p(in_a_row(np.array(values)))


def test_unknown_correction_names_those_there_are(maps):
    with pytest.raises(StatisticError, match="'fdr', 'bonferroni', 'holm'"):
        correct_p(ttest(maps).p, method="bonf")


# regress


@pytest.mark.parametrize(
    ("name", "case"),
    [
        ("beta", "beta"),
        ("t", "t"),
        ("p", "p"),
        ("standard_error", "sigma"),
        ("residual", "residual"),
    ],
)
def test_regress_agrees_with_nltools(of_oracle, design, name, case):
    found = getattr(regress(of_oracle, design), name)

    assert_allclose(found.data, ORACLE[f"regress/{case}"], rtol=0, atol=1e-12)


def test_degrees_of_freedom_are_images_less_regressors(of_oracle, design):
    assert regress(of_oracle, design).df == ORACLE["regress/df"][0] == 17


def test_regress_agrees_with_numpy_and_nilearn(maps):
    matrix = np.c_[np.ones(9), maps.X["level"], np.random.default_rng(0).normal(size=9)]

    fit = regress(maps, matrix)

    wide = maps.data.astype(np.float64)
    results = OLSModel(matrix).fit(wide)
    assert_allclose(fit.beta.data, np.linalg.lstsq(matrix, wide)[0], rtol=0, atol=1e-11)
    assert_allclose(fit.residual.data, results.residuals, rtol=0, atol=1e-11)
    for row in range(3):
        contrast = np.eye(3)[row]
        assert_allclose(fit.t.data[row], results.Tcontrast(contrast).t.ravel(), rtol=0, atol=1e-9)
        deviation = np.atleast_1d(results.Tcontrast(contrast).sd).ravel()
        assert_allclose(fit.standard_error.data[row], deviation, rtol=1e-9)


def test_line_through_each_voxel_agrees_with_scipy(maps):
    level = maps.X["level"].to_numpy()

    fit = regress(maps, {"constant": np.ones(9), "level": level})

    for voxel in range(0, maps.shape[1], 400):
        expected = linregress(level, maps.data[:, voxel].astype(np.float64))
        assert_allclose(fit.beta.data[:, voxel], [expected.intercept, expected.slope], atol=1e-11)
        assert_allclose(fit.standard_error.data[0, voxel], expected.intercept_stderr, rtol=1e-10)
        assert_allclose(fit.p.data[1, voxel], expected.pvalue, rtol=1e-9)


def test_constant_alone_gives_the_ttest(maps):
    fit, test = regress(maps, {"constant": np.ones(9)}), ttest(maps)

    assert_allclose(fit.t.data, test.t.data, rtol=1e-9, atol=1e-12)
    assert_allclose(fit.p.data, test.p.data, rtol=1e-9)


@given(
    matrix=hnp.arrays(np.float64, (8, 2), elements=st.integers(-20, 20)),
    weights=hnp.arrays(np.float64, (2, 3), elements=st.integers(-20, 20)),
    seed=st.integers(0, 99),
)
@settings(deadline=None)
def test_residual_is_orthogonal_to_the_design(matrix, weights, seed):
    if np.linalg.matrix_rank(matrix) < 2:
        return
    noise = np.random.default_rng(seed).normal(size=(8, 3))

    fit = regress(in_a_row(matrix @ weights + noise), matrix)

    assert_allclose(matrix.T @ fit.residual.data, 0, atol=1e-9)
    again = regress(in_a_row(fit.residual.data), matrix)
    assert_allclose(again.beta.data, 0, atol=1e-10)


def test_spread_of_the_residual_makes_the_standard_error(maps):
    matrix = np.c_[np.ones(9), maps.X["level"]]

    fit = regress(maps, matrix)

    noise = fit.residual.std(ddof=2).data
    unit = np.sqrt(np.diagonal(np.linalg.inv(matrix.T @ matrix)))[:, np.newaxis]
    assert_allclose(fit.standard_error.data, noise * unit, rtol=1e-10)


def test_design_is_the_table_x_by_default(maps):
    fit = regress(maps)

    expected = np.linalg.lstsq(maps.X.to_numpy(), maps.data.astype(np.float64))[0]
    assert_allclose(fit.beta.data, expected, atol=1e-12)


def test_maps_of_a_regression_carry_the_names_of_regressors(maps):
    fit = regress(maps, {"constant": np.ones(9), "level": maps.X["level"]})

    assert fit.beta.X["regressor"].tolist() == ["constant", "level"]
    assert_array_equal(fit.t[fit.t.X["regressor"] == "level"].data[0], fit.t.data[1])
    assert fit.beta.Y.empty
    assert fit.beta.tr_s is None


def test_residual_keeps_what_belongs_to_the_images(maps):
    residual = regress(maps).residual

    assert residual.X.equals(maps.X)
    assert residual.tr_s == 2


def test_rows_of_the_design_go_by_order_not_by_name(maps):
    table = maps.X.set_axis(range(100, 109), axis=0)

    assert_array_equal(regress(maps, table).residual.data, regress(maps).residual.data)


def test_numbers_in_other_units_have_the_same_t(maps):
    fit = regress(maps)

    assert_allclose(regress(maps * 1e-9).t.data, fit.t.data, rtol=1e-4, atol=1e-4)
    assert_allclose(regress(maps, maps.X * 1e-9).t.data, fit.t.data, rtol=1e-9)


def test_regress_takes_all_columns_however_many():
    values = np.random.default_rng(0).normal(size=(1200, 2000))
    matrix = np.c_[np.ones(1200), np.linspace(-1, 1, 1200)]

    fit = regress(in_a_row(values), matrix)

    assert_allclose(fit.beta.data, np.linalg.lstsq(matrix, values)[0], rtol=0, atol=1e-12)


def test_perfect_fit_has_an_infinite_t_where_there_is_an_effect():
    level = np.arange(7.0)
    data = in_a_row(np.stack([3 - 0.1 * level, np.full(7, 0.1), np.zeros(7)], axis=1))

    fit = regress(data, {"constant": np.ones(7), "level": level})

    assert fit.t.data.tolist() == [[np.inf, np.inf, 0], [-np.inf, 0, 0]]
    assert fit.p.data.tolist() == [[0, 0, 1], [0, 1, 1]]


def test_regression_repr_tells_whether_there_is_a_constant(maps):
    dummies = {f"level_{level}": np.tile([1.0, 2, 3], 3) == level for level in (1, 2, 3)}

    assert repr(regress(maps)).startswith("Regression on level, no constant, with 8 degrees")
    assert repr(regress(maps, dummies)).startswith(
        "Regression on level_1, level_2, level_3, with 6 degrees of freedom"
    )


def test_redundant_regressors_are_named_with_what_they_are_made_of(maps):
    level = maps.X["level"].to_numpy()
    noise = np.random.default_rng(0).normal(size=9)
    table = {"one": np.ones(9), "level": level, "noise": noise, "shifted": 5 * level - 1}

    with pytest.raises(DesignError, match=r"(one|level|shifted) of (\w+) and (\w+) can") as raised:
        regress(maps, table)

    assert "noise" not in str(raised.value)


def test_redundancy_is_found_whatever_the_unit(maps):
    level = maps.X["level"].to_numpy()

    with pytest.raises(DesignError, match="no single answer"):
        regress(maps, {"level": level * 1e-12, "more": level * 1e9})


def test_nearly_redundant_regressors_are_solved(maps):
    level = maps.X["level"].to_numpy()
    nearly = level + 1e-6 * np.random.default_rng(0).normal(size=9)

    fit = regress(maps, {"level": level, "nearly": nearly})

    fitted = maps.data - fit.residual.data
    matrix = np.c_[level, nearly]
    expected = matrix @ np.linalg.lstsq(matrix, maps.data.astype(np.float64), rcond=1e-15)[0]
    assert_allclose(fitted, expected, atol=1e-8)


@pytest.mark.parametrize(
    ("design", "message"),
    [
        ({}, "the design has no column"),
        ({"level": [1.0, 2]}, "has 2 rows and 1 columns"),
        (np.eye(9), "has 9 rows and 9 columns"),
        ({"who": list("abcdefghi")}, "'who' is of type"),
        ({"who": np.arange(9) + 1j}, "'who' is of type complex128"),
        ({"who": [1.0] * 8 + [np.nan]}, "NaN or infinite ones in who"),
        ({"fine": range(9), "who": [np.inf] * 9}, "NaN or infinite ones in who"),
        ({"who": pd.array([1, None] * 4 + [3], "Int64")}, "NaN or infinite ones in who"),
        ({"one": [1.0] * 9, "who": [0.0] * 9}, "nothing to estimate for who"),
    ],
)
def test_bad_design_is_refused(maps, design, message):
    with pytest.raises(DesignError, match=message):
        regress(maps, design)


def test_missing_design_is_refused():
    with pytest.raises(DesignError, match=r"data\.X has no column"):
        regress(BrainData(make_maps(3)))


# what all of them refuse


@pytest.mark.parametrize("function", [ttest, regress, correct_p])
def test_numbers_that_are_none_are_refused(maps, function):
    values = maps.data.copy()
    values[2, 5] = np.nan

    with pytest.raises(NotANumberError, match="1 of 17766 numbers"):
        function(make_like(maps, values))


@pytest.mark.parametrize("function", [ttest, regress, correct_p])
def test_image_in_place_of_braindata_is_refused(function):
    with pytest.raises(BrainDataError, match="expected BrainData"):
        function(make_maps(1)[0])
