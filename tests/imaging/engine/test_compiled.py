"""Compiled loops: faster where numba is, never needed."""

import subprocess
import sys

import numpy as np
import pytest

from neuroprimer.imaging.engine.compiled import find_compiled


def fill_with_sum(values: np.ndarray, out: np.ndarray) -> None:
    """Add numbers up, one after another."""
    total = 0.0
    for value in values:
        total += value
    out[0] = total


def test_loop_is_compiled_once():
    pytest.importorskip("numba")

    assert find_compiled(fill_with_sum) is find_compiled(fill_with_sum)


@pytest.mark.parametrize("any_order", [False, True])
@pytest.mark.parametrize("odd", [0.0, np.nan, np.inf])
def test_compiled_loop_does_what_the_loop_does(any_order, odd):
    pytest.importorskip("numba")
    values = np.random.default_rng(0).normal(size=1000)
    values[500] = odd
    plain, fast = np.empty(1), np.empty(1)

    fill_with_sum(values, plain)
    find_compiled(fill_with_sum, any_order=any_order)(values, fast)

    np.testing.assert_allclose(fast, plain, rtol=1e-12)


def count_numbers(values: np.ndarray, out: np.ndarray) -> None:
    """Count what is not NaN: NaN alone differs from itself."""
    for value in values:
        if value == value:
            out[0] += 1


@pytest.mark.parametrize("any_order", [False, True])
def test_nan_stays_nan_whatever_freedom_the_compiler_has(any_order):
    pytest.importorskip("numba")
    count = np.zeros(1)

    find_compiled(count_numbers, any_order=any_order)(np.array([1, np.nan, np.inf]), count)

    assert count == 2


def add_in_order(values: np.ndarray, out: np.ndarray) -> None:
    """Add numbers up, one after another, in a way that a compiler changes if it may."""
    total = 0.0
    for index in range(values.size):
        total += values[index]
    out[0] = total


def test_any_order_that_was_kept_is_not_taken_for_the_order_of_the_loop():
    pytest.importorskip("numba")
    values = np.tile([1e16, 1.0, -1e16, 3.0, 1e8], 200)  # each order has a sum of its own
    any_order, plain, in_order = np.zeros(1), np.zeros(1), np.zeros(1)

    find_compiled(add_in_order, any_order=True)(values, any_order)
    find_compiled(add_in_order)(values, in_order)
    add_in_order(values, plain)

    assert in_order == plain


def test_loop_that_cannot_be_kept_is_not_compiled():
    namespace: dict[str, object] = {}
    exec("def loop(values):\n    values[0] = 1\n", namespace)  # noqa: S102 - in no file

    assert find_compiled(namespace["loop"]) is None


WITHOUT_NUMBA = """
import sys
sys.modules["numba"] = None  # as if it were not installed
from neuroprimer.imaging.engine.compiled import find_compiled
from neuroprimer.imaging.space.point_kernels import to_world_loop
from neuroprimer.imaging import voxel_to_world
assert find_compiled(to_world_loop) is None
print(voxel_to_world([[2, 0, 0, 1], [0, 2, 0, 2], [0, 0, 2, 3], [0, 0, 0, 1]], [1, 1, 1]))
"""


def test_nothing_needs_numba():
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_NUMBA], capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr) == ("[3. 4. 5.]\n", "")


def test_numba_is_not_loaded_before_a_loop_is_asked_for():
    code = "import sys, neuroprimer.imaging.engine.compiled; print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"
