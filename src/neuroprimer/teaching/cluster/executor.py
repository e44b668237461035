"""The build's part: lessons go to a Dask cluster, and results come back as they end."""

import contextlib
import logging
import os
import queue
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from distributed import Client, Future, KilledWorker

from neuroprimer.teaching.cache.digests import Digests
from neuroprimer.teaching.cache.distributions import Distributions
from neuroprimer.teaching.cluster.orders import Machine, Order, Outcome
from neuroprimer.teaching.cluster.worker import run_order
from neuroprimer.teaching.events import LessonEvent, OnEvent, ignore_event
from neuroprimer.teaching.executors import ExecutorError
from neuroprimer.teaching.history import PastRun, last_run
from neuroprimer.teaching.lesson_runs import LessonRun
from neuroprimer.teaching.model import ExecutionResult, Finding, Lesson, Limits
from neuroprimer.teaching.scheduling import order_of_start
from neuroprimer.teaching.side_by_side import forecast_of

# How long a scheduler may take to answer, at first and when the line to it is cut.
CONNECT_S = 5.0

# How long a cluster may be without any worker; an adaptive one starts them when there is work.
NO_WORKER_S = 120.0

# How often it is looked whether the cluster is still there, when it says nothing.
INTERVAL_S = 1.0

# What dask raises when a cluster goes away in the middle of a question.
GONE = (OSError, RuntimeError, TimeoutError)


def execute_on_cluster(
    scheduler: str,
    lessons: Iterable[Lesson],
    /,
    *,
    jobs: int | None = None,
    limits: Limits | None = None,
    variables: Mapping[str, str] | None = None,
    preloads: Iterable[str] = (),
    forks: bool = True,
    history: Mapping[str, tuple[PastRun, ...]] | None = None,
    on_event: OnEvent = ignore_event,
) -> tuple[ExecutionResult, ...]:
    """Run lessons on the workers of a Dask cluster, one on each of their threads.

    Parameters
    ----------
    scheduler : str
        Address of the scheduler, such as ``"tcp://127.0.0.1:8786"``.
    lessons, jobs, limits, variables, preloads, forks, history, on_event
        As for `execute_lessons`. Without `jobs`, all threads of the cluster are used.

    Returns
    -------
    results : tuple of ExecutionResult
        In the order of `lessons`.

    Raises
    ------
    ExecutorError
        If the scheduler cannot be reached, goes away, or has no worker for a long time.
    """
    lessons, preloads, limits = tuple(lessons), tuple(preloads), limits or Limits()
    runs = [LessonRun.of_lesson(lesson, limits, ignore_event) for lesson in lessons]
    forecasts = [forecast_of(run, last_run(history or {}, run.lesson)) for run in runs]
    readable = {place: run for place, run in enumerate(runs) if run.failure is None}
    results = {
        place: ExecutionResult(lesson=run.lesson, failure=run.failure)
        for place, run in enumerate(runs)
        if place not in readable
    }
    if readable:
        build, topic = Machine.here(Distributions()), f"neuroprimer-{uuid4().hex}"
        orders = [
            Order(
                lesson=lessons[place],
                text=lessons[place].path.read_bytes(),
                limits=limits,
                variables={**(variables or {}), **_declared(lessons[place])},
                unset=tuple(n for n in lessons[place].environment if n not in os.environ),
                preloads=preloads,
                forks=forks,
                topic=topic,
                place=place,
                build=build,
            )
            for place in order_of_start(forecasts, jobs=1)
            if place in readable
        ]
        with _quiet_client(), _connect(scheduler) as client:
            results |= _Dispatch(client, scheduler, orders, jobs, on_event).run()
    return tuple(results[place] for place in range(len(lessons)))


def _declared(lesson: Lesson) -> dict[str, str]:
    return {name: os.environ[name] for name in lesson.environment if name in os.environ}


@contextlib.contextmanager
def _quiet_client() -> Iterator[None]:
    """Keep dask from logging, with a traceback, what reaches the user as an error in words."""
    logger = logging.getLogger("distributed.client")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


@contextlib.contextmanager
def _connect(scheduler: str) -> Iterator[Client]:
    try:
        client = Client(scheduler, timeout=CONNECT_S, set_as_default=False)
    except (*GONE, ValueError, TypeError) as error:  # the last two for what is no address
        words = " ".join(str(error).split())
        raise ExecutorError(
            f"No Dask scheduler can be reached at {scheduler!r}: {words}",
            hint="Start one with `dask scheduler`; it says its address, like tcp://HOST:8786.",
        ) from error
    try:
        yield client
    finally:
        with contextlib.suppress(*GONE):
            client.close(CONNECT_S)


@dataclass
class _Dispatch:
    """Lessons under way.

    Parameters
    ----------
    client : distributed.Client
        The line to the cluster.
    scheduler : str
        Its address, as the user has named it.
    orders : list of Order
        What is to be run, in the order in which it had best begin.
    jobs : int or None
        How many run side by side.
    on_event : callable
        Is told of each `LessonEvent`, in the thread of the build.
    """

    client: Client
    scheduler: str
    orders: list[Order]
    jobs: int | None
    on_event: OnEvent
    news: "queue.Queue[Future[Outcome] | dict[str, int]]" = field(default_factory=queue.Queue)
    under_way: "dict[Future[Outcome], Order]" = field(default_factory=dict)
    begun: set[int] = field(default_factory=set)
    results: dict[int, ExecutionResult] = field(default_factory=dict)
    without_worker_since: float | None = None

    def run(self) -> dict[int, ExecutionResult]:
        """Run everything, and call off what is left if that fails."""
        lessons = {order.place: order.lesson for order in self.orders}
        waiting = deque(enumerate(self.orders))
        self.client.subscribe_topic(self.orders[0].topic, lambda event: self.news.put(event[1]))
        try:
            while waiting or self.under_way:
                while waiting and len(self.under_way) < (self.jobs or len(self.orders)):
                    self._submit(*waiting.popleft())
                try:
                    news = self.news.get(timeout=INTERVAL_S)
                except queue.Empty:
                    self._require_cluster()
                    continue
                if isinstance(news, Future):
                    self._take(news)
                elif news["place"] not in self.results:
                    self._tell(LessonEvent(lesson=lessons[news["place"]], **_cells(news)), news)
        finally:
            if self.under_way and self.client.status == "running":
                with contextlib.suppress(*GONE):
                    self.client.cancel(list(self.under_way), force=True)
        return self.results

    def _submit(self, rank: int, order: Order) -> None:
        future = self.client.submit(
            run_order,
            order,
            key=f"{order.lesson.id}-{order.topic}-{order.place}",
            priority=-rank,
            pure=False,
        )
        self.under_way[future] = order
        future.add_done_callback(self.news.put)

    def _tell(self, event: LessonEvent, news: Mapping[str, int]) -> None:
        self.begun.add(news["place"])
        self.on_event(event)

    def _take(self, future: "Future[Outcome]") -> None:
        """Take what has come of a lesson, whatever it is."""
        order = self.under_way.pop(future)
        if future.status not in ("finished", "error"):
            self._lose()
        try:
            outcome = future.result()
        except KilledWorker as error:
            result = _failed(order, f"{error.allowed_failures + 1} workers died while it ran.")
        except Exception as error:  # noqa: BLE001  whatever a worker cannot do costs one lesson
            if self.client.status != "running":
                self._lose(error)
            words = " ".join(str(error).split())
            result = _failed(order, f"a worker says {type(error).__name__}: {words}")
        else:
            result = replace(_same_files(outcome), lesson=order.lesson)
        if order.place not in self.begun:  # what is told by the worker may come later
            self.on_event(LessonEvent(lesson=order.lesson))
        self.results[order.place] = result
        self.on_event(LessonEvent(lesson=order.lesson, result=result))

    def _require_cluster(self) -> None:
        """Raise if nothing can be expected any more."""
        if self.client.status != "running":
            self._lose()
        if self.client.scheduler_info(n_workers=-1).get("workers"):
            self.without_worker_since = None
            return
        self.without_worker_since = self.without_worker_since or time.monotonic()
        if time.monotonic() - self.without_worker_since > NO_WORKER_S:
            raise ExecutorError(
                f"The Dask cluster at {self.scheduler} has had no worker for {NO_WORKER_S:g} s.",
                hint=f"Start some with `dask worker {self.scheduler}`, and build again: what has "
                "passed is in the cache.",
            )

    def _lose(self, error: Exception | None = None) -> None:
        raise ExecutorError(
            f"The Dask scheduler at {self.scheduler} is gone; {len(self.results)} of "
            f"{len(self.orders)} lessons had ended.",
            hint="Start it and build again: what has passed is in the cache.",
        ) from error


def _cells(news: Mapping[str, int]) -> dict[str, Any]:
    return {"cell": news["cell"], "cells": news["cells"]}


def _failed(order: Order, message: str) -> ExecutionResult:
    finding = Finding(rule="NP315", subject=order.lesson.id, message=message)
    return ExecutionResult(lesson=order.lesson, failure=finding)


def _same_files(outcome: Outcome) -> ExecutionResult:
    """Return a result, a failed one if the worker has run other code than lies here.

    What does not lie here at all needs no word: such a run is not kept.
    """
    digests = Digests()
    others = [
        Path(file).name
        for file, digest in outcome.files.items()
        if digests.now(Path(file)) not in ("", digest)
    ]
    if not others:
        return outcome.result
    finding = Finding(
        rule="NP316",
        subject=outcome.result.lesson.id,
        message=f"the worker {outcome.worker} has another {', '.join(others)} than the build.",
    )
    return replace(outcome.result, failure=finding)
