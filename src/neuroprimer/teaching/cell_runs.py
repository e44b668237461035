"""Cells run one after another in a kernel, within their lesson's bounds."""

import ast
import asyncio
import contextlib
import json
import re
import time
from collections.abc import Mapping
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from neuroprimer.teaching.bounds import MEGABYTE, Breach, look_at_kernel, watch_kernel
from neuroprimer.teaching.errands import (
    ERRAND_TIMEOUT_S,
    inside_code,
    prove_exercise,
    run_errand,
    start_reading_figures,
    take_figure_data,
)
from neuroprimer.teaching.events import LessonEvent
from neuroprimer.teaching.golden.marks import is_golden
from neuroprimer.teaching.kernel_signs import SEED_VARIABLE
from neuroprimer.teaching.kernels import inside
from neuroprimer.teaching.kernels.sessions import (
    QUIET_LOG,
    Kernel,
    KernelStartError,
    start_kernel,
)
from neuroprimer.teaching.kernels.workshop import Workshop
from neuroprimer.teaching.lesson_runs import LessonRun
from neuroprimer.teaching.model import ExecutionResult, Finding
from neuroprimer.teaching.notebooks import (
    ANSI,
    code_cells,
    make_reproducible,
    merge_streams,
)
from neuroprimer.teaching.progress.store import OFF, PROGRESS_VARIABLE

# How long after the end of a cell its last outputs may arrive: with hundreds of kernels on a few
# cores half a minute can pass.
OUTPUT_TIMEOUT_S = 120

LONGEST_MESSAGE = 300
FAILING_LINE = re.compile(r"^-+> \d+ (.*)$", re.MULTILINE)

# Asked at the end. It stands alone, so that nothing is imported for the answer.
WHAT_IS_IMPORTED = """\
__import__("json").dumps([__import__("sys").version, {name: file for name, module
in list(__import__("sys").modules.items())
if isinstance(file := (getattr(module, "__dict__", None) or {}).get("__file__"), str)}])
""".replace("\n", " ")


async def execute_run(
    run: LessonRun, workshop: Workshop, variables: Mapping[str, str]
) -> ExecutionResult:
    """Execute a lesson's cells in a fresh kernel.

    Parameters
    ----------
    run : LessonRun
        Is filled with what happens.
    workshop : Workshop
        Where the kernel works.
    variables : mapping of str to str
        Environment variables for the kernel.

    Returns
    -------
    result : ExecutionResult
        Also when the lesson fails.
    """
    if run.notebook is None:
        return ExecutionResult(lesson=run.lesson, failure=run.failure)
    began = time.perf_counter()
    start_s = 0.0
    why_plain = workshop.why_plain
    try:
        async with start_kernel(
            run.kernel_name,
            workshop,
            variables={SEED_VARIABLE: str(run.seed), PROGRESS_VARIABLE: OFF, **variables},
            start_timeout_s=run.limits.start_timeout_s,
            needs=run.needs,
            network=run.lesson.network,
        ) as kernel:
            start_s = time.perf_counter() - began
            why_plain = why_plain or kernel.why_plain
            run.failure = await _run_bounded(run, run.notebook, kernel)
            if kernel.pid is not None:
                look_at_kernel(kernel.pid, run.usage)
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
        peak_bytes=run.usage.peak_bytes,
        cpu_s=run.usage.cpu_s,
        proofs=tuple(run.proofs),
        proof_s=run.proof_s,
        imported=run.imported,
        interpreter=run.interpreter,
        figure_data=run.figure_data,
    )


async def _run_bounded(run: LessonRun, notebook: NotebookNode, kernel: Kernel) -> Finding | None:
    """Run all cells within the lesson's bounds, and say why if it did not work out."""
    client = _BoundedClient(run, notebook, kernel)
    cells = asyncio.ensure_future(_run_cells(run, kernel, client))
    watches: list[asyncio.Future[Breach]] = [client.breach]
    if kernel.pid is not None:
        watches.append(asyncio.ensure_future(watch_kernel(kernel.pid, run.limits, run.usage)))
    tasks: list[asyncio.Future[Any]] = [cells, *watches]
    try:
        # wait() leaves the cells alone when this task is cancelled; nbclient would take a
        # cancellation for the death of the kernel.
        done, _ = await asyncio.wait(
            tasks,
            timeout=run.limits.lesson_timeout_s,
            return_when=asyncio.FIRST_COMPLETED,
        )
        for watch in watches:
            if watch in done:
                return run.finding(watch.result().rule, watch.result().message)
        if not done:
            return run.finding(
                "NP303",
                f"the whole lesson may take {run.limits.lesson_timeout_s:g} s, and this cell was "
                "running when they were over.",
            )
        return cells.result()
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError, DeadKernelError):
            await cells


async def _run_cells(run: LessonRun, kernel: Kernel, client: "_BoundedClient") -> Finding | None:
    try:
        info = await client.async_wait_for_reply(kernel.client.kernel_info())
        client.nb.metadata["language_info"] = info["content"]["language_info"] if info else {}
        is_python = client.nb.metadata["language_info"].get("name") == "python"
        if is_python:
            try:
                await _prepare_python(run, kernel)
            except TimeoutError:
                return run.finding("NP305", f"The kernel said nothing for {ERRAND_TIMEOUT_S} s.")
        for number, cell in code_cells(client.nb):
            run.cell = number
            if is_python and run.proves and number in run.exercise_cells and run.lesson.exercises:
                await prove_exercise(run, kernel, run.exercise_cells[number])
            if is_python and is_golden(cell):
                await start_reading_figures(kernel)
                await _run_cell(run, client, cell)
                run.figure_data[number] = await take_figure_data(kernel)
            else:
                await _run_cell(run, client, cell)
        client.set_widgets_metadata()
        if is_python:
            await _ask_what_is_imported(run, kernel)
    except CellExecutionError as error:
        return run.finding("NP301", _describe_error(error))
    except CellTimeoutError as error:
        if "IOPub" in str(error):
            return run.finding("NP302", f"its outputs did not arrive within {OUTPUT_TIMEOUT_S} s.")
        return run.finding("NP302", f"it was still running after {run.limits.cell_timeout_s:g} s.")
    except DeadKernelError:
        return run.finding("NP304", f"the kernel is gone: {await kernel.death()}.")
    return None


async def _run_cell(run: LessonRun, client: "_BoundedClient", cell: NotebookNode) -> None:
    total = sum(1 for _ in code_cells(client.nb))
    run.on_event(LessonEvent(lesson=run.lesson, cell=run.cell, cells=total))
    began = time.perf_counter()
    try:
        await client.async_execute_cell(cell, client.nb.cells.index(cell), execution_count=run.cell)
    finally:
        run.durations_s[run.cell] = time.perf_counter() - began
        cell.outputs = merge_streams(cell.outputs)


class _BoundedClient(NotebookClient):
    """Collects outputs, as many as the lesson may have.

    Parameters
    ----------
    run : LessonRun
        Whose outputs are counted.
    notebook : nbformat.NotebookNode
        Gets the outputs.
    kernel : Kernel
        Where they come from.
    """

    def __init__(self, run: LessonRun, notebook: NotebookNode, kernel: Kernel) -> None:
        super().__init__(
            notebook,
            km=kernel.manager,
            timeout_func=lambda _: run.limits.cell_timeout_s,
            record_timing=False,
            coalesce_streams=False,  # merge_streams() does it in a time that grows with the text
            # a run whose last outputs got lost is not a run that may be published
            raise_on_iopub_timeout=True,
            iopub_timeout=OUTPUT_TIMEOUT_S,
            log=QUIET_LOG,
        )
        self.kc = kernel.client
        self.run = run
        self.breach: asyncio.Future[Breach] = asyncio.get_running_loop().create_future()

    def output(self, outs: Any, msg: Any, display_id: Any, cell_index: Any) -> Any:
        """Take an output, unless there have been too many."""
        content = msg["content"]
        most = int(self.run.limits.output_mb * MEGABYTE)
        left = max(0, most - self.run.characters)
        pieces = (content.get("text", ""), *content.get("data", {}).values())
        self.run.characters += sum(len(piece) for piece in pieces if isinstance(piece, str))
        if self.run.characters > most:
            if "text" in content and left:
                content["text"] = content["text"][:left]
                super().output(outs, msg, display_id, cell_index)
            if not self.breach.done():
                self.breach.set_result(
                    Breach(
                        rule="NP311",
                        message=f"the lesson has written {self.run.characters:,} characters, and "
                        f"may write {most:,}.",
                    )
                )
            return None
        return super().output(outs, msg, display_id, cell_index)


async def _prepare_python(run: LessonRun, kernel: Kernel) -> None:
    """Seed generators, turn off the network and cut endless output, inside the kernel."""
    calls = [f"seed_everything({run.seed})"]
    calls += [f"cut_output({run.limits.output_mb * MEGABYTE:.0f})"]
    calls += [] if run.lesson.network else ["turn_network_off()"]
    code = inside_code(inside, *calls)
    reply = await run_errand(kernel, code)
    if reply["content"]["status"] != "ok":  # a bug of ours: this code is no lesson's
        raise RuntimeError(f"cannot prepare the kernel: {reply['content']}")


async def _ask_what_is_imported(run: LessonRun, kernel: Kernel) -> None:
    try:
        reply = await run_errand(kernel, "", {"imported": WHAT_IS_IMPORTED})
        text = reply["content"]["user_expressions"]["imported"]["data"]["text/plain"]
        run.interpreter, run.imported = json.loads(ast.literal_eval(text))
    except (TimeoutError, LookupError, TypeError, ValueError, SyntaxError):
        run.imported = None  # the kernel is gone, or the lesson has changed what it answers with


def _describe_error(error: CellExecutionError) -> str:
    """Return the error's kind and words, and the line of the cell that led to it."""
    line = FAILING_LINE.search(ANSI.sub("", error.traceback))
    where = f" at `{line[1].strip()}`" if line else ""
    return f"{error.ename}: {' '.join(error.evalue.split())[:LONGEST_MESSAGE]}{where}"
