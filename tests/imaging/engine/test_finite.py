"""Finite numbers: refused with the right count, left out, or set to zero."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_array_equal

from neuroprimer.imaging import NotANumberError
from neuroprimer.imaging.engine.finite import require_nan_policy, require_real, settle_nan

tables = hnp.arrays(
    st.sampled_from([np.float32, np.float64]),
    st.tuples(st.integers(1, 5), st.integers(1, 6)),
    elements=st.sampled_from([0.0, -1.5, 3.0, np.nan, np.inf, -np.inf]),
)


@given(table=tables)
def test_zero_takes_zero_for_what_is_no_number(table):
    values, left = settle_nan(table, "zero")

    assert left is None
    assert values.dtype == table.dtype
    assert_array_equal(values, np.where(np.isfinite(table), table, 0))


@given(table=tables)
def test_omit_leaves_out_voxels_with_a_number_missing_in_any_image(table):
    whole = np.isfinite(table).all(axis=0)

    if whole.any():
        values, left = settle_nan(table, "omit")
        assert_array_equal(values, table[:, whole])
        assert_array_equal(np.ones(whole.size, bool) if left is None else left, whole)
    else:
        with pytest.raises(NotANumberError, match=f"No voxel is left: each of {whole.size}"):
            settle_nan(table, "omit")


@given(table=tables)
def test_raise_counts_numbers_voxels_and_images(table):
    bad = ~np.isfinite(table)

    if bad.any():
        words = (
            f"^{bad.sum()} of {bad.size} numbers .* in {bad.any(axis=0).sum()} voxels "
            f"and {bad.any(axis=1).sum()} of {len(bad)} images"
        )
        with pytest.raises(NotANumberError, match=words):
            settle_nan(table, "raise")
    else:
        assert settle_nan(table, "raise")[0] is table


@pytest.mark.parametrize("nan", ["zero", "omit"])
def test_argument_is_not_changed(nan):
    table = np.array([[1.0, np.nan], [2.0, 3.0]])

    settle_nan(table, nan)

    assert np.isnan(table[0, 1])


@pytest.mark.parametrize("nan", ["raise", "omit", "zero"])
def test_finite_numbers_too_large_for_their_sum_are_kept(nan):
    table = np.full((2, 3), 1.7e308)

    values, left = settle_nan(table, nan)

    assert left is None
    assert_array_equal(values, table)


def test_unknown_policy_is_refused_with_the_known_ones():
    with pytest.raises(NotANumberError, match=r"'ignore'.*'raise', 'omit', 'zero'"):
        require_nan_policy("ignore")


@pytest.mark.parametrize("dtype", [bool, np.uint8, ">i2", np.int64, np.float16, np.longdouble])
def test_real_types_pass(dtype):
    require_real(dtype)


@pytest.mark.parametrize("dtype", [np.complex64, [("R", "u1"), ("G", "u1")], "U3", object])
def test_other_types_are_refused(dtype):
    with pytest.raises(NotANumberError, match="no real numbers"):
        require_real(dtype)
