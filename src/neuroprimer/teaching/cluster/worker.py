"""The worker's part: one lesson in a kernel of its own, ended when nobody wants it any more."""

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from distributed import Status, Worker, get_worker

from neuroprimer.teaching.cache.distributions import Distributions
from neuroprimer.teaching.cluster.orders import (
    Machine,
    Order,
    Outcome,
    differences_before,
    differences_of,
    sort_imported,
)
from neuroprimer.teaching.events import LessonEvent
from neuroprimer.teaching.kernels.workshop import Workshop, kernel_environment, open_workshop
from neuroprimer.teaching.lesson_runs import LessonRun
from neuroprimer.teaching.model import ExecutionResult, Finding
from neuroprimer.teaching.side_by_side import execute_steadily

# How long the process from which kernels are forked stays for the next lesson: it may not be known
# to this worker yet.
LINGER_S = 30.0

# How often it is looked whether the build still wants the lesson.
INTERVAL_S = 0.5

# More would hide what matters.
MOST_DIFFERENCES = 5


class UnwantedError(Exception):
    """A lesson that the build has called off, or that it cannot be told about any more."""


def run_order(order: Order) -> Outcome:
    """Run a lesson on the worker that this thread belongs to.

    Parameters
    ----------
    order : Order
        From the build.

    Returns
    -------
    outcome : Outcome
        With a failure, too, if the worker is not like the build.

    Raises
    ------
    UnwantedError
        If the build is gone; the kernel is, too, then.
    """
    worker = get_worker()
    distributions = Distributions()
    here = Machine.here(distributions)
    differences = differences_before(order, here)
    if differences:
        failure = _unlike(order, worker.address, differences)
        result = ExecutionResult(lesson=order.lesson, failure=failure)
        return Outcome(result=result, worker=worker.address, files={})
    result = _run(order, worker)
    names, files = sort_imported(result.imported or {}, distributions)
    differences = differences_of(names, order, here)
    if differences:
        result = replace(result, failure=_unlike(order, worker.address, differences))
    elif result.failure is not None:
        result = replace(result, failure=_with_suspicion(result.failure, order, here))
    return Outcome(result=result, worker=worker.address, files=files)


def _run(order: Order, worker: Worker) -> ExecutionResult:
    key = worker.get_current_task()

    def tell(event: LessonEvent) -> None:
        worker.log_event(
            order.topic, {"place": order.place, "cell": event.cell, "cells": event.cells}
        )

    def is_wanted() -> bool:
        task = worker.state.tasks.get(key)
        is_leaving = worker.status in (Status.closing, Status.closed, Status.failed)
        return task is not None and task.state != "cancelled" and not is_leaving

    run = _read(order, tell)
    tell(LessonEvent(lesson=order.lesson))
    environment = kernel_environment(order.variables)
    statements = [*run.needs, *order.preloads]
    with open_workshop(environment, statements, forks=order.forks, linger_s=LINGER_S) as workshop:
        return asyncio.run(_run_while(is_wanted, run, workshop, order))


def _read(order: Order, tell: Callable[[LessonEvent], None]) -> LessonRun:
    """Read the notebook from a file that is there only for this."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / order.lesson.path.name
        file.write_bytes(order.text)
        run = LessonRun.of_lesson(replace(order.lesson, path=file), order.limits, tell)
    run.lesson = order.lesson
    return run


async def _run_while(
    is_wanted: Callable[[], bool], run: LessonRun, workshop: Workshop, order: Order
) -> ExecutionResult:
    """Run a lesson, and end it if it is not wanted any more: dask cannot end a thread."""
    running = asyncio.ensure_future(execute_steadily(run, workshop, order.variables))
    while not running.done():
        await asyncio.wait([running], timeout=INTERVAL_S)
        if not running.done() and not is_wanted():
            running.cancel()
            await asyncio.wait([running])
            raise UnwantedError(order.lesson.id)
    return running.result()


def _unlike(order: Order, address: str, differences: list[str]) -> Finding:
    return Finding(
        rule="NP316",
        subject=order.lesson.id,
        message=f"the worker {address} has {_in_short(differences)}.",
    )


def _with_suspicion(failure: Finding, order: Order, here: Machine) -> Finding:
    """Return a failure with what it may come from: a package that the worker lacks."""
    names = dict.fromkeys(sorted({*order.build.versions, *here.versions}))
    differences = differences_of(names, order, here)
    if not differences:
        return failure
    words = f"{failure.message} (The worker it ran on has {_in_short(differences)}.)"
    return replace(failure, message=words)


def _in_short(differences: list[str]) -> str:
    left = len(differences) - MOST_DIFFERENCES
    words = "; ".join(differences[:MOST_DIFFERENCES])
    return f"{words}; and {left} more" if left > 0 else words
