"""Workers: in order, in parallel, a few at a time, and done when nobody asks for more."""

import itertools
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuroprimer.imaging.engine.workers import (
    WorkerCountError,
    default_workers,
    map_in_order,
    read_ahead,
)


@given(items=st.lists(st.integers(), max_size=30), n_workers=st.integers(1, 5))
def test_results_come_in_the_order_of_the_items(items, n_workers):
    assert list(map_in_order(lambda x: x * x, items, n_workers=n_workers)) == [x * x for x in items]


def test_slow_work_does_not_change_the_order():
    def work(number: int) -> int:
        time.sleep(0.02 if number % 2 == 0 else 0)
        return number

    assert list(map_in_order(work, range(8), n_workers=4)) == list(range(8))


def test_as_many_threads_work_at_once_as_were_asked_for():
    together = threading.Barrier(3, timeout=10)

    # Nobody passes the barrier before three are there.
    assert list(map_in_order(lambda _: together.wait() >= 0, range(6), n_workers=3)) == [True] * 6


def test_one_worker_is_this_thread():
    threads = set(map_in_order(lambda _: threading.get_ident(), range(3), n_workers=1))

    assert threads == {threading.get_ident()}


def test_all_cores_are_used_by_default():
    names = set(map_in_order(lambda _: threading.current_thread().name, range(3)))

    assert default_workers() >= 1
    assert default_workers() == 1 or all(name.startswith("neuroprimer") for name in names)


@pytest.mark.parametrize("n_workers", [1, 2, 4])
def test_endless_items_are_drawn_as_results_are_taken(n_workers):
    drawn: list[int] = []

    def items() -> Iterator[int]:
        for number in itertools.count():
            drawn.append(number)
            yield number

    results = map_in_order(str, items(), n_workers=n_workers)

    assert list(itertools.islice(results, 5)) == ["0", "1", "2", "3", "4"]
    assert len(drawn) <= 5 + n_workers
    results.close()


def test_items_are_drawn_ahead_of_the_threads():
    items = iter(range(10))
    results = map_in_order(str, items, n_workers=2, n_ahead=3)

    assert next(results) == "0"
    assert next(items) == 6  # five at first, one for the one that was taken
    results.close()


def test_no_thread_is_left_when_nobody_asks_for_more():
    before = threading.active_count()
    results = map_in_order(str, itertools.count(), n_workers=3)

    next(results)
    results.close()

    assert threading.active_count() == before


@pytest.mark.parametrize("n_workers", [1, 3])
def test_error_in_the_work_reaches_who_asked(n_workers):
    def work(number: int) -> float:
        return 1 / (number - 4)

    results = map_in_order(work, range(10), n_workers=n_workers)

    assert len(list(itertools.islice(results, 4))) == 4
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert not any(thread.name.startswith("neuroprimer_") for thread in threading.enumerate())


@pytest.mark.parametrize("n_workers", [1, 3])
def test_error_in_the_items_reaches_who_asked(n_workers):
    def items() -> Iterator[int]:
        yield from range(3)
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        list(map_in_order(str, items(), n_workers=n_workers))


@pytest.mark.parametrize("n_workers", [0, -1])
def test_work_needs_a_worker(n_workers):
    with pytest.raises(WorkerCountError, match=f"n_workers is {n_workers}") as caught:
        list(map_in_order(str, [1], n_workers=n_workers))
    assert caught.value.hint


@given(items=st.lists(st.none() | st.integers()))
def test_items_read_ahead_are_the_same(items):
    assert list(read_ahead(items)) == items


def test_next_item_is_drawn_while_the_last_is_used():
    drawn = [threading.Event() for _ in range(3)]

    def items() -> Iterator[int]:
        for number, event in enumerate(drawn):
            event.set()
            yield number

    for number in read_ahead(items()):
        if number < 2:
            assert drawn[number + 1].wait(10)


def test_error_while_reading_ahead_reaches_who_asked():
    def items() -> Iterator[int]:
        yield 1
        raise OSError("gone")

    ahead = read_ahead(items())

    assert next(ahead) == 1
    with pytest.raises(OSError, match="gone"):
        next(ahead)


def test_reading_ahead_ends_when_nobody_asks_for_more():
    before = threading.active_count()
    ahead = read_ahead(itertools.count())

    next(ahead)
    ahead.close()

    assert threading.active_count() == before
