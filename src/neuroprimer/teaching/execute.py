"""Execution: lessons go in, what they did comes out, a failure as a value."""

import asyncio
import contextlib
import os
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from neuroprimer.teaching.kernels import QUIET_LOG, Kernel, KernelStartError, start_kernel
from neuroprimer.teaching.model import ExecutionResult, Finding, Lesson, Limits
from neuroprimer.teaching.notebooks import (
    ANSI,
    NotebookError,
    code_cells,
    make_reproducible,
    merge_streams,
    read_notebook,
)

DEFAULT_KERNEL = "python3"

# How long after the end of a cell its last outputs may arrive.
OUTPUT_TIMEOUT_S = 30

LONGEST_MESSAGE = 300
FAILING_LINE = re.compile(r"^-+> \d+ (.*)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class LessonEvent:
    """Something that happened while lessons ran.

    Parameters
    ----------
    lesson : Lesson
        Whose run it is.
    cell, cells : int
        The code cell that begins, from 1, and how many there are; 0 when the lesson begins.
    result : ExecutionResult or None
        Given when the lesson has ended.
    """

    lesson: Lesson
    cell: int = 0
    cells: int = 0
    result: ExecutionResult | None = None


OnEvent = Callable[[LessonEvent], None]


def ignore_event(_: LessonEvent) -> None:
    """Do nothing about an event."""


def execute_lessons(
    lessons: Iterable[Lesson],
    *,
    jobs: int | None = None,
    limits: Limits | None = None,
    variables: Mapping[str, str] | None = None,
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
        Time limits for lessons that have none of their own.
    variables : mapping of str to str, optional
        Environment variables for the kernels.
    on_event : callable, optional
        Is told of each `LessonEvent`.

    Returns
    -------
    results : tuple of ExecutionResult
        In the order of `lessons`. A lesson that fails has its `failure` set; it stops no other.
    """

    async def run_all() -> tuple[ExecutionResult, ...]:
        free = asyncio.Semaphore(jobs or os.cpu_count() or 1)

        async def run(lesson: Lesson) -> ExecutionResult:
            async with free:
                on_event(LessonEvent(lesson=lesson))
                result = await _execute(lesson, limits or Limits(), variables or {}, on_event)
                on_event(LessonEvent(lesson=lesson, result=result))
                return result

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(run(lesson)) for lesson in lessons]
        return tuple(task.result() for task in tasks)

    return asyncio.run(run_all())


@dataclass
class _Run:
    """What is known of a run while it goes on."""

    lesson: Lesson
    notebook: NotebookNode
    limits: Limits
    on_event: OnEvent
    cell: int = 0
    durations_s: dict[int, float] = field(default_factory=dict)

    def finding(self, rule: str, message: str) -> Finding:
        return Finding(rule=rule, subject=self.lesson.id, message=message, cell=self.cell or None)


async def _execute(
    lesson: Lesson, limits: Limits, variables: Mapping[str, str], on_event: OnEvent
) -> ExecutionResult:
    began = time.perf_counter()
    try:
        source = read_notebook(lesson.path)
    except NotebookError as error:
        return ExecutionResult(
            lesson=lesson,
            failure=Finding(rule="NP201", subject=lesson.id, message=str(error)),
        )
    limits = replace(
        limits,
        cell_timeout_s=lesson.cell_timeout_s or limits.cell_timeout_s,
        lesson_timeout_s=lesson.lesson_timeout_s or limits.lesson_timeout_s,
    )
    run = _Run(lesson=lesson, notebook=_without_outputs(source), limits=limits, on_event=on_event)
    name = source.metadata.get("kernelspec", {}).get("name", DEFAULT_KERNEL)
    start_s = 0.0
    failure: Finding | None
    try:
        async with start_kernel(
            name, variables=variables, start_timeout_s=limits.start_timeout_s
        ) as kernel:
            start_s = time.perf_counter() - began
            failure = await _run_bounded(run, kernel)
    except KernelStartError as error:
        failure = run.finding("NP305", str(error))
    return ExecutionResult(
        lesson=lesson,
        source=source,
        notebook=make_reproducible(run.notebook),
        failure=failure,
        start_s=start_s,
        duration_s=time.perf_counter() - began,
        cell_durations_s=run.durations_s,
    )


async def _run_bounded(run: _Run, kernel: Kernel) -> Finding | None:
    """Run all cells within the lesson's time, and say why if it did not work out."""
    cells = asyncio.ensure_future(_run_cells(run, kernel))
    try:
        # wait() leaves the cells alone when this task is cancelled; nbclient would take a
        # cancellation for the death of the kernel.
        done, _ = await asyncio.wait({cells}, timeout=run.limits.lesson_timeout_s)
        if not done:
            return run.finding(
                "NP303",
                f"the whole lesson may take {run.limits.lesson_timeout_s:g} s, and this cell was "
                "running when they were over.",
            )
        return cells.result()
    finally:
        cells.cancel()
        with contextlib.suppress(asyncio.CancelledError, DeadKernelError):
            await cells


async def _run_cells(run: _Run, kernel: Kernel) -> Finding | None:
    client = NotebookClient(
        run.notebook,
        km=kernel.manager,
        timeout_func=lambda _: run.limits.cell_timeout_s,
        record_timing=False,
        coalesce_streams=False,  # merge_streams() does it in a time that grows with the text only
        # a run whose last outputs got lost is not a run that may be published
        raise_on_iopub_timeout=True,
        iopub_timeout=OUTPUT_TIMEOUT_S,
        log=QUIET_LOG,
    )
    client.kc = kernel.client
    try:
        info = await client.async_wait_for_reply(kernel.client.kernel_info())
        run.notebook.metadata["language_info"] = info["content"]["language_info"] if info else {}
        for number, cell in code_cells(run.notebook):
            run.cell = number
            await _run_cell(run, client, cell)
        client.set_widgets_metadata()
    except CellExecutionError as error:
        return run.finding("NP301", _describe_error(error))
    except CellTimeoutError as error:
        if "IOPub" in str(error):
            return run.finding("NP302", f"its outputs did not arrive within {OUTPUT_TIMEOUT_S} s.")
        return run.finding("NP302", f"it was still running after {run.limits.cell_timeout_s:g} s.")
    except DeadKernelError:
        return run.finding("NP304", f"the kernel is gone: {await kernel.death()}.")
    return None


async def _run_cell(run: _Run, client: NotebookClient, cell: NotebookNode) -> None:
    total = sum(1 for _ in code_cells(run.notebook))
    run.on_event(LessonEvent(lesson=run.lesson, cell=run.cell, cells=total))
    began = time.perf_counter()
    try:
        await client.async_execute_cell(
            cell, run.notebook.cells.index(cell), execution_count=run.cell
        )
    finally:
        run.durations_s[run.cell] = time.perf_counter() - began
        cell.outputs = merge_streams(cell.outputs)


def _without_outputs(source: NotebookNode) -> NotebookNode:
    notebook: NotebookNode = nbformat.from_dict(source)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def _describe_error(error: CellExecutionError) -> str:
    """Return the error's kind and words, and the line of the cell that led to it."""
    line = FAILING_LINE.search(ANSI.sub("", error.traceback))
    where = f" at `{line[1].strip()}`" if line else ""
    return f"{error.ename}: {' '.join(error.evalue.split())[:LONGEST_MESSAGE]}{where}"
