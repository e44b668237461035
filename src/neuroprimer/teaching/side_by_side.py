"""Side by side: several lessons at a time, each in a kernel of its own."""

import asyncio
import os
from collections.abc import Iterable, Mapping

from neuroprimer.teaching.bounds import MEGABYTE
from neuroprimer.teaching.events import LessonEvent, OnEvent
from neuroprimer.teaching.history import PastRun, last_run
from neuroprimer.teaching.kernels.workshop import Workshop
from neuroprimer.teaching.lesson_runs import LessonRun
from neuroprimer.teaching.model import ExecutionResult, Lesson, Limits
from neuroprimer.teaching.scheduling import Forecast, Room, order_of_start

# How a lesson fails whose kernel ends, or never comes up.
KERNEL_IS_GONE = ("NP304", "NP305")


def run_side_by_side(
    lessons: Iterable[Lesson],
    workshop: Workshop,
    *,
    jobs: int | None,
    limits: Limits,
    variables: Mapping[str, str],
    preloads: Iterable[str],
    proves: bool,
    history: Mapping[str, tuple[PastRun, ...]],
    on_event: OnEvent,
) -> tuple[ExecutionResult, ...]:
    """Run lessons in the kernels of a workshop.

    Parameters
    ----------
    lessons, jobs, limits, variables, preloads, proves, history, on_event
        As for `execute_lessons`.
    workshop : Workshop
        Its server is told what the lessons import.

    Returns
    -------
    results : tuple of ExecutionResult
        In the order of `lessons`.
    """
    runs = [LessonRun.of_lesson(one, limits, on_event, proves=proves) for one in lessons]
    workshop.get_ready(_statements(runs, preloads))
    forecasts = [forecast_of(run, last_run(history, run.lesson)) for run in runs]
    jobs = jobs or os.cpu_count() or 1

    async def run_all() -> tuple[ExecutionResult, ...]:
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

    return asyncio.run(run_all())


async def execute_steadily(
    run: LessonRun, workshop: Workshop, variables: Mapping[str, str]
) -> ExecutionResult:
    """Execute a lesson, and once more, in a plain kernel, if its fork server was lost meanwhile.

    Parameters
    ----------
    run, workshop, variables
        As for `execute_run`.
    """
    # Loading this takes a while, in which the server may already import for the lessons.
    from neuroprimer.teaching.cell_runs import execute_run

    result = await execute_run(run, workshop, variables)
    if _is_lost(result, workshop):
        return await execute_run(run.afresh(), workshop.without_server(), variables)
    return result


def _is_lost(result: ExecutionResult, workshop: Workshop) -> bool:
    """Tell whether a kernel went only because its server did, which is no fault of its lesson."""
    has_gone = result.failure is not None and result.failure.rule in KERNEL_IS_GONE
    return has_gone and workshop.has_lost_server()


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
