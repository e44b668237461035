"""Times: every slip earns its own words, and none of them gives the right time away."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuroprimer.imaging import RepetitionTimeError, compare_times

times_s = st.integers(31, 97).map(lambda number: number / 100 + 0.00123)

SLIPS = {
    "in milliseconds, but": lambda t: t * 1000,
    "microseconds": lambda t: t * 1e6,
    "minutes": lambda t: t / 60,
    "without need": lambda t: t / 1000,
    "in Hz": lambda t: 1 / t,
    "and in milliseconds as well": lambda t: 1 / (1000 * t),
    "sign": lambda t: -t,
    "twice": lambda t: 2 * t,
    "half": lambda t: t / 2,
    "Rounded": lambda t: np.round(t, 2),
}
ONE = {"too short": lambda t: t * 0.77, "too long": lambda t: t * 1.23}
MANY = {
    "reverse order": lambda t: t[::-1],
    "numbers of volumes": lambda t: np.arange(len(t)),
    "too late by the same": lambda t: t + 3,
    "too early by the same": lambda t: t - 3,
    "too long, by one and the same factor": lambda t: t * 1.23,
    "one time too many": lambda t: [*t, 99],
    "one time too few": lambda t: t[1:],
    "too many times": lambda t: [*t, *t],
    "single number": lambda t: t[0],
    "first the one with the index 2": lambda t: np.add(t, (0, 0, 0.5, 0.1)),
}


@pytest.mark.parametrize(("words", "slip"), {**SLIPS, **ONE}.items(), ids=[*SLIPS, *ONE])
@given(time_s=times_s)
def test_slip_in_one_time_earns_its_own_words(words, slip, time_s):
    said = compare_times(slip(time_s), time_s)

    assert [others for others in {**SLIPS, **ONE} if others in said] == [words]
    assert not re.search(r"\d", said)


@pytest.mark.parametrize(("words", "slip"), {**SLIPS, **MANY}.items(), ids=[*SLIPS, *MANY])
@given(time_s=times_s)
def test_slip_in_many_times_earns_its_own_words(words, slip, time_s):
    times = time_s * np.array([1, 2.21, 3.53, 5.07])

    said = compare_times(slip(times), times)

    assert [others for others in {**SLIPS, **MANY} if others in said] == [words]
    assert set(re.findall(r"\d+", said)) <= {"2", "1"}


@given(time_s=times_s)
def test_right_time_is_met_with_silence(time_s):
    assert compare_times(time_s, time_s) == ""
    assert compare_times([time_s], time_s) == ""
    assert compare_times(np.float32(time_s), time_s) == ""
    assert compare_times([time_s, 1], np.array([time_s, 1])) == ""


def test_zero_has_no_reciprocal_and_is_compared_all_the_same():
    assert compare_times(0, 0.0) == ""
    assert compare_times(1, 0.0) == "It is too long."


@pytest.mark.parametrize("expected_s", [2.5, [1.5, 2.5]])
def test_odd_answer_gets_a_sentence(odd_answer, expected_s):
    assert re.fullmatch(r"[A-Z].+[.a-z]", compare_times(odd_answer, expected_s))


@pytest.mark.parametrize("expected_s", [None, "two", np.nan, 1j])
def test_wrong_expectation_is_an_error_of_its_author(expected_s):
    with pytest.raises(RepetitionTimeError):
        compare_times(1, expected_s)
