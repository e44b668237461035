"""Execution: lessons go in, what they did comes out, a failure as a value."""

import asyncio
import os
from collections.abc import Iterable, Mapping

from neuroprimer.teaching.bounds import MEGABYTE
from neuroprimer.teaching.events import LessonEvent, OnEvent, ignore_event
from neuroprimer.teaching.history import PastRun, last_run
from neuroprimer.teaching.kernels.sessions import kernel_environment
from neuroprimer.teaching.kernels.workshop import (
    Workshop,
    has_lost_server,
    open_workshop,
    without_server,
)
from neuroprimer.teaching.lesson_runs import LessonRun, execute_run
from neuroprimer.teaching.model import ExecutionResult, Lesson, Limits
from neuroprimer.teaching.scheduling import Forecast, Room, order_of_start

# How a lesson fails whose kernel ends, or never comes up.
KERNEL_IS_GONE = ("NP304", "NP305")


def execute_lessons(
    lessons: Iterable[Lesson],
    *,
    jobs: int | None = None,
    limits: Limits | None = None,
    variables: Mapping[str, str] | None = None,
    preloads: Iterable[str] = (),
    forks: bool = True,
    linger_s: float = 0,
    history: Mapping[str, tuple[PastRun, ...]] | None = None,
    on_event: OnEvent = ignore_event,
) -> tuple[ExecutionResult, ...]:
    """Run lessons, each in a kernel of its own, several at a time.

    Parameters
    ----------
    lessons : iterable of Lesson
        What to run.
    jobs : int, optional
        How many kernels run side by side. Default: the number of processors.
    limits : Limits, optional
        Bounds for lessons that have none of their own.
    variables : mapping of str to str, optional
        Environment variables for the kernels.
    preloads : iterable of str, optional
        Statements that the fork server runs besides the imports of the lessons.
    forks : bool
        Whether kernels are forked from a process that has imported what the lessons import.
        Otherwise, and where that cannot be, each is started from nothing.
    linger_s : float
        How long that process stays afterwards, for the next run, in seconds.
    history : mapping of str to tuple of PastRun, optional
        How long lessons took before: the longest begin first.
    on_event : callable, optional
        Is told of each `LessonEvent`.

    Returns
    -------
    results : tuple of ExecutionResult
        In the order of `lessons`. A lesson that fails has its `failure` set; it stops no other.
    """
    limits, variables = limits or Limits(), variables or {}
    runs = [LessonRun.of_lesson(lesson, limits, on_event) for lesson in lessons]
    if not runs:
        return ()
    forecasts = [forecast_of(run, last_run(history or {}, run.lesson)) for run in runs]
    jobs = jobs or os.cpu_count() or 1

    async def run_all(workshop: Workshop) -> tuple[ExecutionResult, ...]:
        room = Room(jobs=jobs)

        async def run_one(place: int) -> ExecutionResult:
            async with room.place(forecasts[place]):
                on_event(LessonEvent(lesson=runs[place].lesson))
                result = await execute_steadily(runs[place], workshop, variables)
                on_event(LessonEvent(lesson=runs[place].lesson, result=result))
                return result

        async with asyncio.TaskGroup() as group:
            tasks = {
                place: group.create_task(run_one(place))
                for place in order_of_start(forecasts, jobs)
            }
        return tuple(tasks[place].result() for place in range(len(runs)))

    statements = _statements(runs, preloads)
    environment = kernel_environment(variables)
    with open_workshop(statements, environment, forks=forks, linger_s=linger_s) as workshop:
        return asyncio.run(run_all(workshop))


async def execute_steadily(
    run: LessonRun, workshop: Workshop, variables: Mapping[str, str]
) -> ExecutionResult:
    """Execute a lesson, and once more, in a plain kernel, if its fork server was lost meanwhile.

    Parameters
    ----------
    run, workshop, variables
        As for `execute_run`.
    """
    result = await execute_run(run, workshop, variables)
    if _is_lost(result, workshop):
        return await execute_run(run.afresh(), without_server(workshop), variables)
    return result


def _is_lost(result: ExecutionResult, workshop: Workshop) -> bool:
    """Tell whether a kernel went only because its server did, which is no fault of its lesson."""
    has_gone = result.failure is not None and result.failure.rule in KERNEL_IS_GONE
    return has_gone and has_lost_server(workshop)


def forecast_of(run: LessonRun, past: PastRun | None) -> Forecast:
    """Return what is known of a lesson's run before it begins."""
    declared_bytes = int(run.lesson.memory_mb * MEGABYTE) if run.lesson.memory_mb else None
    return Forecast(
        needs=run.needs,
        duration_s=past.duration_s if past else None,
        memory_bytes=declared_bytes or (past.peak_bytes if past else None),
    )


def _statements(runs: Iterable[LessonRun], preloads: Iterable[str]) -> list[str]:
    """Return what the server runs: first what the lightest lessons need, which can begin then."""
    by_weight = sorted(runs, key=lambda run: len(run.needs))
    return list(dict.fromkeys([s for run in by_weight for s in run.needs] + [*preloads]))
