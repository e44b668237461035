"""Inter-subject correlation: the numbers of numpy and of BrainIAK, and what chance is."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from neuroprimer_isc.correlation import (
    VOXELS_AT_ONCE,
    ViewersError,
    average_correlation,
    chance_isc,
    leave_one_out_from_pairwise,
    leave_one_out_isc,
    pairwise_isc,
    shift_viewers,
)

# Signals as scanners give them, a thousand times larger than what they have in common.
LEVEL = 1000.0
# What rounding does to numbers on top of such a level.
ROUNDING = 1e-12


@pytest.fixture
def signals():
    """Six viewers, whose voxels share more and more, with another strength for each viewer."""
    rng = np.random.default_rng(7)
    film = rng.standard_normal((40, 5)) * np.linspace(0, 2, 5)
    own = rng.standard_normal((6, 40, 5)) * rng.uniform(0.5, 4, (6, 1, 5))
    return LEVEL + film + own


def numpys_r(one, other):
    return np.corrcoef(one, other)[0, 1]


def test_pairs_have_the_correlations_of_numpy_in_the_order_of_combinations(signals):
    expected = [
        [numpys_r(signals[a, :, voxel], signals[b, :, voxel]) for voxel in range(5)]
        for a, b in combinations(range(6), 2)
    ]

    assert_allclose(pairwise_isc(signals), expected, rtol=0, atol=ROUNDING)


def test_leave_one_out_has_the_correlations_of_numpy_with_the_mean_of_the_others(signals):
    expected = [
        [
            numpys_r(
                signals[viewer, :, voxel], np.delete(signals, viewer, 0).mean(axis=0)[:, voxel]
            )
            for voxel in range(5)
        ]
        for viewer in range(6)
    ]

    assert_allclose(leave_one_out_isc(signals), expected, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("pairwise", [True, False], ids=["pairs", "leave-one-out"])
def test_brainiak_gives_the_same_numbers(signals, pairwise):
    # It is not among the packages of the course: it needs MPI, and a compiler on most machines.
    brainiak = pytest.importorskip("brainiak.isc", reason="BrainIAK is not installed")
    ours = pairwise_isc(signals) if pairwise else leave_one_out_isc(signals)
    of_each = brainiak.isc(list(signals), pairwise=pairwise)
    on_average = brainiak.isc(list(signals), pairwise=pairwise, summary_statistic="mean")

    assert_allclose(ours, of_each, rtol=0, atol=ROUNDING)
    assert_allclose(average_correlation(ours), on_average, rtol=0, atol=ROUNDING)


def test_single_precision_loses_nothing_on_the_way(signals):
    single = signals.astype(np.float32)

    assert_allclose(
        pairwise_isc(single), pairwise_isc(single.astype(np.float64)), rtol=0, atol=ROUNDING
    )


def test_signals_are_not_changed(signals):
    before = signals.copy()

    pairwise_isc(signals)
    leave_one_out_isc(signals)
    chance_isc(signals, n_shifts=2, seed=0)

    assert np.array_equal(signals, before)


@pytest.mark.parametrize("level", [0.0, 0.1, 1e9])
def test_signal_that_never_changes_gives_nan_in_its_voxel_alone(signals, level):
    signals[2, :, 1] = level

    pairs, each = pairwise_isc(signals), leave_one_out_isc(signals)
    chance = chance_isc(signals, n_shifts=3, seed=0)

    with_it = [2 in pair for pair in combinations(range(6), 2)]
    assert np.isnan(pairs[:, 1]).tolist() == with_it
    assert np.isnan(each[:, 1]).tolist() == [viewer == 2 for viewer in range(6)]
    assert np.isnan(chance).all(axis=0).tolist() == [False, True, False, False, False]
    assert np.isfinite(np.delete(pairs, 1, axis=1)).all()


@given(r=st.floats(-0.999, 0.999), n=st.integers(1, 9))
def test_average_of_one_correlation_is_itself_and_with_its_opposite_zero(r, n):
    assert average_correlation([r] * n) == pytest.approx(r, abs=1e-12)
    assert average_correlation([r, -r] * n) == pytest.approx(0, abs=1e-12)


def test_average_goes_along_the_axis_that_is_named_and_knows_one():
    r = [[0.5, 1.0], [0.5, 0.2]]

    assert_allclose(average_correlation(r), [0.5, 1.0])
    assert average_correlation(r, axis=1)[0] == 1.0
    assert 0.2 < average_correlation(r, axis=1)[1] < 0.5


@given(r=st.floats(0, 1), n_viewers=st.integers(2, 60))
def test_leave_one_out_from_pairwise_is_what_covariances_say(r, n_viewers):
    covariances = np.full((n_viewers, n_viewers), r) + (1 - r) * np.eye(n_viewers)
    others = np.r_[0, np.full(n_viewers - 1, 1 / (n_viewers - 1))]
    with_others = covariances[0] @ others
    expected = with_others / np.sqrt(others @ covariances @ others)

    assert leave_one_out_from_pairwise(r, n_viewers) == pytest.approx(expected, abs=1e-12)


def test_shifted_viewers_keep_their_voxels_together_and_come_round(signals):
    shifted = shift_viewers(signals, [0, 1, 2, 39, 40, -1])

    assert np.array_equal(shifted[0], signals[0])
    assert np.array_equal(shifted[1, 1:], signals[1, :-1])
    assert np.array_equal(shifted[2, :2], signals[2, -2:])
    assert np.array_equal(shifted[4], signals[4])
    assert np.array_equal(shift_viewers(shifted, [0, -1, -2, -39, -40, 1]), signals)


def test_chance_is_leave_one_out_of_shifted_viewers():
    """The short cut by Fourier transform, also where voxels come in several blocks."""
    rng = np.random.default_rng(3)
    signals = LEVEL + rng.standard_normal((5, 21, VOXELS_AT_ONCE + 3))
    shifts = np.random.default_rng(11).integers(21, size=(4, 5))
    expected = [average_correlation(leave_one_out_isc(shift_viewers(signals, by))) for by in shifts]

    assert_allclose(chance_isc(signals, n_shifts=4, seed=11), expected, rtol=0, atol=1e-11)


def test_chance_is_the_same_for_the_same_seed_and_another_for_another(signals):
    one, again, other = (chance_isc(signals, n_shifts=5, seed=seed) for seed in (1, 1, 2))

    assert np.array_equal(one, again)
    assert not np.allclose(one, other)


def test_highest_of_chance_keeps_its_promise_where_nothing_is_shared():
    """Slow noise, in which neighbouring voxels are alike: about one study in twenty errs."""
    rng = np.random.default_rng(20)
    studies, n_shifts, n_false = 150, 39, 0
    for seed in range(studies):
        fresh = rng.standard_normal((8, 64, 12))
        slow = fresh[:, 4:] + fresh[:, 3:-1] + fresh[:, 2:-2] + fresh[:, 1:-3] + fresh[:, :-4]
        signals = slow + np.roll(slow, 1, axis=2)
        found = average_correlation(leave_one_out_isc(signals)).max()
        highest = chance_isc(signals, n_shifts=n_shifts, seed=seed).max(axis=1)
        n_false += (1 + np.sum(highest >= found)) / (1 + n_shifts) <= 0.05

    # 7.5 are expected of 150; 1 to 16 hold 99.6 % of what chance may bring.
    assert 1 <= n_false <= 16


@pytest.mark.parametrize("shape", [(), (6, 40), (1, 40, 5), (6, 2, 5), (2, 6, 40, 5)])
def test_signals_without_viewers_volumes_and_voxels_are_refused(shape):
    for count in (
        pairwise_isc,
        leave_one_out_isc,
        lambda signals: chance_isc(signals, n_shifts=1, seed=0),
        lambda signals: shift_viewers(signals, [0]),
    ):
        with pytest.raises(ViewersError, match="viewers x volumes x voxels") as refused:
            count(np.zeros(shape))
        assert str(shape) in str(refused.value)
        assert "np.stack" in refused.value.hint


def test_runs_of_different_lengths_are_refused(signals):
    with pytest.raises(ViewersError, match="make no array of numbers") as refused:
        leave_one_out_isc([signals[0], signals[1, :-3]])

    assert "same volumes" in refused.value.hint


def test_shifts_must_be_one_for_each_viewer(signals):
    with pytest.raises(ViewersError, match=r"there are 6 of them, and shifts of the shape \(5,\)"):
        shift_viewers(signals, [1, 2, 3, 4, 5])
