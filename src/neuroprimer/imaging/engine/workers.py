"""Workers: the same work for many items, side by side on the cores there are.

Threads, not processes: the arrays are shared, and numpy, scipy and the inflaters let other threads
run while they count. No OpenMP, which a forked notebook kernel would hang on.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar, cast

from neuroprimer.errors import NeuroprimerError

Item = TypeVar("Item")
Result = TypeVar("Result")


class WorkerCountError(NeuroprimerError, ValueError):
    """A number of threads with which no work can be done."""


def default_workers() -> int:
    """Return how many cores this process may use.

    Returns
    -------
    n_workers : int
        At least 1.

    Examples
    --------
    >>> default_workers() >= 1
    True
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # pragma: no cover - systems without affinities


def map_in_order(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    n_workers: int | None = None,
    n_ahead: int = 0,
) -> Iterator[Result]:
    """Apply a function to many items on several threads and yield the results in order.

    Only a few items are in the air at any time, so that neither a long iterable nor its results
    fill the memory.

    Parameters
    ----------
    work : callable
        Called once with each item.
    items : iterable
        May be endless; it is drawn from as results are taken.
    n_workers : int, optional
        Number of threads. Default: as many as there are cores. With 1, no thread is started.
    n_ahead : int
        How many items are drawn beyond those being worked on: where drawing one takes long, no
        thread stands idle meanwhile. Each is held in memory.

    Yields
    ------
    result : object
        What `work` returned, in the order of `items`.

    Raises
    ------
    WorkerCountError
        If `n_workers` is less than 1.

    Examples
    --------
    >>> list(map_in_order(abs, [-1, 2, -3], n_workers=2))
    [1, 2, 3]
    """
    n_workers = default_workers() if n_workers is None else n_workers
    if n_workers < 1:
        raise WorkerCountError(
            f"Work needs a thread at least, but n_workers is {n_workers}.",
            hint="Leave n_workers out to use all cores.",
        )
    if n_workers == 1:
        yield from map(work, items)
        return
    waiting = iter(items)
    with ThreadPoolExecutor(n_workers, thread_name_prefix="neuroprimer") as pool:
        in_the_air: deque[Future[Result]] = deque(
            pool.submit(work, item) for item in islice(waiting, n_workers + n_ahead)
        )
        try:
            while in_the_air:
                result = in_the_air.popleft().result()
                in_the_air.extend(pool.submit(work, item) for item in islice(waiting, 1))
                yield result
        finally:
            for future in in_the_air:
                future.cancel()


def read_ahead(items: Iterable[Item]) -> Iterator[Item]:
    """Draw the next item on another thread while the last one is being used.

    Parameters
    ----------
    items : iterable
        Drawn from by one thread, one item ahead.

    Yields
    ------
    item : object
        In order.

    Examples
    --------
    >>> list(read_ahead(range(3)))
    [0, 1, 2]
    """
    iterator = iter(items)
    end = object()
    with ThreadPoolExecutor(1, thread_name_prefix="neuroprimer-ahead") as pool:
        upcoming = pool.submit(next, iterator, end)
        while (item := upcoming.result()) is not end:
            upcoming = pool.submit(next, iterator, end)
            yield cast("Item", item)
