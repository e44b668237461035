"""Moments against numpy in long double, whole or in parts, with numba and without."""

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

from neuroprimer.imaging import StatisticError
from neuroprimer.imaging.engine import compiled
from neuroprimer.imaging.tables import moments
from neuroprimer.imaging.tables.moment_loops import STRIP, add_rows
from neuroprimer.imaging.tables.moments import (
    ColumnMoments,
    column_statistic,
    require_statistic,
    row_statistic,
)

ALL = ("mean", "std", "sum", "min", "max", "row")

real_tables = hnp.arrays(
    st.sampled_from([np.float64, np.float32, np.int16, np.uint8, np.dtype(">f4"), np.dtype(">i2")]),
    st.tuples(st.integers(1, 12), st.integers(1, 5)),
    elements={"min_value": 0, "max_value": 200},
)


def in_parts(table, cuts, **options):
    """Return moments of a table and the sums of its rows, gathered part by part."""
    gathered = ColumnMoments(table.shape[1], ALL, **options)
    parts = [part for part in np.split(table, sorted(cuts)) if len(part)]
    rows = [gathered.add(part) for part in parts]
    return gathered, *map(np.concatenate, zip(*rows, strict=True))


def exact(table, reduce, **options):
    """Return what numpy finds in more digits than float64 has."""
    return np.asarray(reduce(table.astype(np.longdouble), axis=0, **options), np.float64)


@given(table=real_tables, cuts=st.lists(st.integers(0, 12), max_size=4), ddof=st.integers(0, 1))
def test_any_split_of_the_rows_gives_what_numpy_gives(table, cuts, ddof):
    gathered, row_sums, row_counts = in_parts(table, cuts)
    size = np.abs(table.astype(float)).max()

    assert_allclose(gathered.mean(), exact(table, np.mean), rtol=1e-12)
    assert_allclose(gathered.sum(), exact(table, np.sum), rtol=1e-12)
    assert_array_equal(gathered.min(), table.min(axis=0))
    assert_array_equal(gathered.max(), table.max(axis=0))
    assert_allclose(row_sums, table.sum(axis=1, dtype=np.longdouble).astype(float), rtol=1e-12)
    assert_array_equal(row_counts, table.shape[1])
    if len(table) > ddof:
        # The spread of equal numbers is nothing but rounding, and the squares of distances below
        # 1e-154 are smaller than any number in float64.
        spread = exact(table, np.std, ddof=ddof)
        atol = max(1e-15 * size, 1e-153)
        assert_allclose(gathered.std(ddof=ddof), spread, rtol=1e-12, atol=atol)
    else:
        assert np.isnan(gathered.std(ddof=ddof)).all()


def hard_table(seed=0, n_rows=500):
    """Return numbers around a million that differ by a thousandth."""
    return 1e6 + 1e-3 * np.random.default_rng(seed).standard_normal((n_rows, 40))


@pytest.mark.parametrize("is_long", [False, True], ids=["numpy", "numba"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int16, np.uint8, ">i2", bool])
def test_sums_alone_are_those_of_numpy(dtype, is_long):
    table = (np.random.default_rng(0).standard_normal((70, 3000)) * 90 + 100).astype(dtype)
    gathered = ColumnMoments(3000, ["mean", "sum"], is_long=is_long)

    for rows in (slice(0, 1), slice(1, 40), slice(40, 70)):
        gathered.add(table[rows, :1500], slice(0, 1500))
        gathered.add(table[rows, 1500:], slice(1500, 3000))

    assert_allclose(gathered.sum(), exact(table, np.sum), rtol=1e-13)
    assert_allclose(gathered.mean(), exact(table, np.mean), rtol=1e-13)


@pytest.mark.parametrize("n_rows", [1, 7, 32, 500])
@pytest.mark.parametrize("is_long", [False, True], ids=["numpy", "numba"])
@pytest.mark.parametrize("wanted", [("mean", "std"), ("std",), ("row", "std")], ids=str)
def test_small_spread_about_a_large_mean_keeps_its_digits(n_rows, is_long, wanted):
    table = hard_table()
    gathered = ColumnMoments(40, wanted, is_long=is_long)

    for start in range(0, 500, n_rows):
        gathered.add(table[start : start + n_rows])

    assert_allclose(gathered.std(ddof=1), exact(table, np.std, ddof=1), rtol=1e-12)
    assert_allclose(gathered.mean(), exact(table, np.mean), rtol=1e-15)


@pytest.mark.parametrize("n_missing", [1, 40])
def test_digits_are_kept_where_the_first_images_have_no_number(n_missing):
    table = hard_table()
    table[:n_missing, ::2] = np.nan
    gathered = ColumnMoments(40, ("mean", "std"), nan="omit")

    for start in range(0, 500, 32):
        gathered.add(table[start : start + 32])

    for column in range(40):
        seen = table[n_missing if column % 2 == 0 else 0 :, column].astype(np.longdouble)
        assert_allclose(gathered.std(ddof=0)[column], float(seen.std()), rtol=1e-12)


@given(cuts=st.lists(st.integers(0, 60), max_size=4), nan=st.sampled_from(["raise", "omit"]))
def test_merging_keeps_all_digits_whatever_came_first(cuts, nan):
    table = hard_table(n_rows=60)
    if nan == "omit":
        table[:20, 3] = np.nan
    whole = ColumnMoments(40, ALL, nan=nan)
    whole.add(table)

    merged = ColumnMoments(40, ALL, nan=nan)
    for part in np.split(table, sorted(cuts)):
        if len(part):
            other = ColumnMoments(40, ALL, nan=nan)
            other.add(part)
            merged = merged.merge(other)

    assert_array_equal(merged.counts, whole.counts)
    assert_array_equal(merged.min(), whole.min())
    assert_array_equal(merged.max(), whole.max())
    assert_allclose(merged.mean(), whole.mean(), rtol=1e-15)
    assert_allclose(merged.sum(), whole.sum(), rtol=1e-15)
    assert_allclose(merged.std(ddof=0), whole.std(ddof=0), rtol=1e-12)


def test_merging_without_spread_adds_up():
    one, other = ColumnMoments(2, ["mean"]), ColumnMoments(2, ["mean"])
    one.add(np.array([[1.0, 2.0]]))
    other.add(np.array([[3.0, 4.0]]))

    assert one.merge(other).mean().tolist() == [2, 3]


bad_tables = hnp.arrays(
    float,
    st.tuples(st.integers(1, 8), st.integers(1, 5)),
    elements=st.sampled_from([1.0, 2.5, -4.0, np.nan, np.inf, -np.inf]),
)


@given(table=bad_tables, cuts=st.lists(st.integers(0, 8), max_size=3))
def test_omit_takes_each_column_without_what_is_no_number(table, cuts):
    gathered, row_sums, row_counts = in_parts(table, cuts, nan="omit")

    for column, numbers in enumerate(table.T):
        seen = numbers[np.isfinite(numbers)]
        assert gathered.counts[column] == seen.size
        assert gathered.sum()[column] == seen.sum()
        if seen.size:
            assert gathered.mean()[column] == pytest.approx(seen.mean(), rel=1e-14)
            assert gathered.std(ddof=0)[column] == pytest.approx(seen.std(), rel=1e-12, abs=1e-15)
            assert (gathered.min()[column], gathered.max()[column]) == (seen.min(), seen.max())
        else:
            found = gathered.mean(), gathered.std(ddof=0), gathered.min(), gathered.max()
            assert np.isnan([each[column] for each in found]).all()
    assert_array_equal(row_sums, np.where(np.isfinite(table), table, 0).sum(axis=1))
    assert_array_equal(row_counts, np.isfinite(table).sum(axis=1))


@given(table=bad_tables, cuts=st.lists(st.integers(0, 8), max_size=3))
def test_zero_counts_what_is_no_number_as_zero(table, cuts):
    gathered, row_sums, row_counts = in_parts(table, cuts, nan="zero")
    filled = np.where(np.isfinite(table), table, 0)

    assert_allclose(gathered.mean(), filled.mean(axis=0), rtol=1e-12, atol=1e-15)
    assert_allclose(gathered.std(ddof=0), filled.std(axis=0), rtol=1e-12, atol=1e-15)
    assert_array_equal(gathered.min(), filled.min(axis=0))
    assert_array_equal(row_sums, filled.sum(axis=1))
    assert_array_equal(row_counts, table.shape[1])


@pytest.mark.parametrize("is_long", [False, True], ids=["numpy", "numba"])
@given(table=bad_tables, cuts=st.lists(st.integers(0, 8), max_size=3))
def test_raise_lets_what_is_no_number_be_seen_in_its_own_column_and_row(is_long, table, cuts):
    gathered = ColumnMoments(table.shape[1], ("mean", "std", "row"), is_long=is_long)
    rows = [gathered.add(part)[0] for part in np.split(table, sorted(cuts)) if len(part)]
    finite = np.isfinite(table)

    assert_array_equal(np.isfinite(gathered.sum()), finite.all(axis=0))
    assert_array_equal(np.isfinite(gathered.mean()), finite.all(axis=0))
    assert_array_equal(np.isfinite(np.concatenate(rows)), finite.all(axis=1))


@pytest.mark.parametrize("dtype", ["f4", "f8", "i2", ">f4", ">i2", "f2", "g", "?"])
def test_numba_and_numpy_agree_for_every_type_of_voxels(dtype):
    table = (np.random.default_rng(0).standard_normal((50, 30)) * 20 + 100).astype(dtype)
    both = [ColumnMoments(30, ("mean", "std", "row"), is_long=long) for long in (False, True)]

    rows = [[each.add(part)[0] for part in np.split(table, [7, 8])] for each in both]

    plain, fast = both
    assert_allclose(fast.mean(), plain.mean(), rtol=1e-14)
    assert_allclose(fast.std(ddof=1), plain.std(ddof=1), rtol=1e-12, atol=1e-14)
    assert_allclose(np.concatenate(rows[1]), np.concatenate(rows[0]), rtol=1e-13)


def test_without_numba_long_sums_are_those_of_numpy(monkeypatch):
    monkeypatch.setattr(moments, "find_compiled", lambda *_, **__: None)
    table = hard_table()
    plain, unfortunate = ColumnMoments(40, ALL), ColumnMoments(40, ALL, is_long=True)

    plain.add(table)
    unfortunate.add(table)

    assert_array_equal(unfortunate.std(ddof=0), plain.std(ddof=0))


def test_loop_means_the_same_before_it_is_compiled():
    table = hard_table(n_rows=9)[:, :3]
    width = STRIP + 2
    wide = np.tile(table, (1, width // 3 + 1))[:, :width]
    total, squares, row_sums = np.zeros(width), np.zeros(width), np.zeros(9)

    add_rows(wide[:4], 0, wide[0].copy(), total, squares, row_sums[:4])
    add_rows(wide[4:], 4, wide[0].copy(), total, squares, row_sums[4:])

    assert_allclose(np.sqrt(squares / 9), exact(wide, np.std), rtol=1e-12)
    assert_allclose(wide[0] + total / 9, exact(wide, np.mean), rtol=1e-15)
    assert_allclose(row_sums, wide.sum(axis=1), rtol=1e-13)


def test_numba_is_there_to_be_tested():
    assert compiled.find_compiled(add_rows, any_order=True) is not None


@pytest.mark.parametrize("is_long", [False, True], ids=["numpy", "numba"])
def test_columns_may_be_added_to_one_after_another(is_long):
    table = hard_table()
    whole, parts = (ColumnMoments(40, ("mean", "std"), is_long=is_long) for _ in range(2))

    for start in (0, 250):
        whole.add(table[start : start + 250])
    for columns in (slice(30, 40), slice(0, 30)):
        for start in (0, 250):
            parts.add(table[start : start + 250, columns], columns)

    assert_allclose(parts.std(ddof=0), whole.std(ddof=0), rtol=1e-13)
    assert_array_equal(parts.counts, 500)


def test_constant_column_has_no_spread_at_all():
    table = np.full((100, 3), 1e6 + 0.1)
    table[0, 1] = np.nan

    gathered, _, _ = in_parts(table, [7, 50], nan="omit")

    assert_array_equal(gathered.std(ddof=0), 0)


REDUCE = {
    "mean": np.mean,
    "std": np.std,
    "sum": np.sum,
    "min": np.min,
    "max": np.max,
    "median": np.median,
}


@pytest.mark.parametrize("statistic", REDUCE)
@given(table=real_tables)
def test_statistic_over_either_axis_is_that_of_numpy_in_float64(statistic, table):
    exact_table = table.astype(float)
    size = np.abs(exact_table).max()
    close = {"rtol": 1e-12, "atol": 1e-15 * size}

    columns, rows = column_statistic(table, statistic), row_statistic(table, statistic)

    assert columns.dtype == rows.dtype == np.float64
    assert_allclose(columns, REDUCE[statistic](exact_table, axis=0), **close)
    assert_allclose(rows, REDUCE[statistic](exact_table, axis=1), **close)


@pytest.mark.parametrize("statistic", REDUCE)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_no_number_spreads_as_in_numpy_and_without_a_warning(statistic, bad):
    table = np.array([[1.0, bad, 3.0], [4.0, 5.0, 6.0]])
    with np.errstate(invalid="ignore"):
        expected = REDUCE[statistic](table, axis=0), REDUCE[statistic](table, axis=1)

    assert_allclose(column_statistic(table, statistic), expected[0], rtol=1e-14)
    assert_allclose(row_statistic(table, statistic), expected[1], rtol=1e-14)


@pytest.mark.parametrize("statistic", REDUCE)
def test_number_of_workers_changes_no_bit(statistic, monkeypatch):
    monkeypatch.setattr(moments, "TILE_BYTES", 1)
    table = np.random.default_rng(0).standard_normal((20, 3000)).astype(np.float32)

    one, many = (column_statistic(table, statistic, n_workers=n) for n in (1, 3))

    assert_array_equal(one, many)
    assert_allclose(one, REDUCE[statistic](table.astype(float), axis=0), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("ddof", [0, 1, 3])
def test_divisor_of_the_spread_is_n_minus_ddof(ddof):
    table = np.random.default_rng(0).standard_normal((5, 4))

    assert_allclose(
        column_statistic(table, "std", ddof=ddof), table.std(axis=0, ddof=ddof), rtol=1e-13
    )
    assert_allclose(
        row_statistic(table, "std", ddof=ddof), table.std(axis=1, ddof=ddof), rtol=1e-13
    )


@pytest.mark.parametrize(
    ("statistic", "n_values", "ddof", "words"),
    [
        ("mode", 3, 0, "no statistic 'mode'; expected one of mean, std, sum, min, max, median"),
        ("std", 1, 1, "ddof=1 needs more than 1 numbers, but there is 1"),
        ("std", 2, 2, "there are 2"),
        ("mean", 0, 0, "there are 0"),
    ],
)
def test_statistic_that_does_not_exist_is_refused(statistic, n_values, ddof, words):
    with pytest.raises(StatisticError, match=words):
        require_statistic(statistic, n_values, ddof)


def test_mean_needs_no_more_numbers_than_one_whatever_ddof_says():
    require_statistic("mean", 1, ddof=1)


def test_scaled_voxels_are_added_up_in_float64():
    """Float32 would lose what a thousand volumes of a bright voxel add up to."""
    image = nib.Nifti1Image(np.full((1, 1, 1, 2000), 16777217, np.int32), np.eye(4))

    values = np.asarray(image.dataobj).reshape(1, -1).T

    assert column_statistic(values, "sum")[0] == 2000 * 16777217
