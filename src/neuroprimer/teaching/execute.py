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

from neuroprimer.teaching.kernels.imports import import_statements
from neuroprimer.teaching.kernels.sessions import (
    QUIET_LOG,
    Kernel,
    KernelStartError,
    kernel_environment,
    start_kernel,
)
from neuroprimer.teaching.kernels.workshop import Workshop, open_workshop
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
    preloads: Iterable[str] = (),
    forks: bool = True,
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
    preloads : iterable of str, optional
        Statements that the fork server runs besides the imports of the lessons.
    forks : bool
        Whether kernels are forked from a process that has imported what the lessons import.
        Otherwise, and where that cannot be, each is started from nothing.
    on_event : callable, optional
        Is told of each `LessonEvent`.

    Returns
    -------
    results : tuple of ExecutionResult
        In the order of `lessons`. A lesson that fails has its `failure` set; it stops no other.
    """
    runs = [_prepare(lesson, limits or Limits(), on_event) for lesson in lessons]
    statements = [*dict.fromkeys(needed for run in runs for needed in run.needs), *preloads]
    variables = variables or {}
    if not runs:
        return ()

    async def run_all(workshop: Workshop) -> tuple[ExecutionResult, ...]:
        free = asyncio.Semaphore(jobs or os.cpu_count() or 1)

        async def run_one(run: _Run) -> ExecutionResult:
            async with free:
                on_event(LessonEvent(lesson=run.lesson))
                result = await _execute(run, workshop, variables)
                on_event(LessonEvent(lesson=run.lesson, result=result))
                return result

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(run_one(run)) for run in runs]
        return tuple(task.result() for task in tasks)

    with open_workshop(statements, kernel_environment(variables), forks=forks) as workshop:
        return asyncio.run(run_all(workshop))


@dataclass
class _Run:
    """What is known of a run while it goes on."""

    lesson: Lesson
    limits: Limits
    on_event: OnEvent
    source: NotebookNode | None = None
    notebook: NotebookNode | None = None
    failure: Finding | None = None
    needs: tuple[str, ...] = ()
    cell: int = 0
    durations_s: dict[int, float] = field(default_factory=dict)

    def finding(self, rule: str, message: str) -> Finding:
        return Finding(rule=rule, subject=self.lesson.id, message=message, cell=self.cell or None)


def _prepare(lesson: Lesson, limits: Limits, on_event: OnEvent) -> _Run:
    """Read a lesson's notebook, and from it what its kernel had better have at hand."""
    limits = replace(
        limits,
        cell_timeout_s=lesson.cell_timeout_s or limits.cell_timeout_s,
        lesson_timeout_s=lesson.lesson_timeout_s or limits.lesson_timeout_s,
    )
    run = _Run(lesson=lesson, limits=limits, on_event=on_event)
    try:
        run.source = read_notebook(lesson.path)
    except NotebookError as error:
        run.failure = run.finding("NP201", str(error))
        return run
    run.notebook = _without_outputs(run.source)
    code = [cell.source for _, cell in code_cells(run.source)]
    run.needs = tuple(dict.fromkeys(s for source in code for s in import_statements(source)))
    return run


async def _execute(run: _Run, workshop: Workshop, variables: Mapping[str, str]) -> ExecutionResult:
    if run.notebook is None:
        return ExecutionResult(lesson=run.lesson, failure=run.failure)
    began = time.perf_counter()
    name = run.notebook.metadata.get("kernelspec", {}).get("name", DEFAULT_KERNEL)
    start_s = 0.0
    why_plain = workshop.why_plain
    try:
        async with start_kernel(
            name,
            workshop,
            variables=variables,
            start_timeout_s=run.limits.start_timeout_s,
            needs=run.needs,
        ) as kernel:
            start_s = time.perf_counter() - began
            why_plain = why_plain or kernel.why_plain
            run.failure = await _run_bounded(run, kernel)
    except KernelStartError as error:
        run.failure = run.finding("NP305", str(error))
    return ExecutionResult(
        lesson=run.lesson,
        source=run.source,
        notebook=make_reproducible(run.notebook),
        failure=run.failure,
        why_plain=why_plain,
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
    assert run.notebook is not None  # noqa: S101  for mypy: _execute() has seen to it
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
    total = sum(1 for _ in code_cells(client.nb))
    run.on_event(LessonEvent(lesson=run.lesson, cell=run.cell, cells=total))
    began = time.perf_counter()
    try:
        await client.async_execute_cell(cell, client.nb.cells.index(cell), execution_count=run.cell)
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
