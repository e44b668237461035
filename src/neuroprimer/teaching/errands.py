"""Errands: what a build asks of a lesson's kernel besides its cells, without leaving a trace."""

import ast
import asyncio
import contextlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

from neuroprimer.teaching.exercises import forking
from neuroprimer.teaching.exercises.regions import ExerciseCell
from neuroprimer.teaching.golden import reading
from neuroprimer.teaching.kernels.sessions import Kernel
from neuroprimer.teaching.lesson_runs import LessonRun
from neuroprimer.teaching.proofs import ProofOutcome

# How long a kernel may take for what is asked of it before and after the cells.
ERRAND_TIMEOUT_S = 10

# How long the proof of one exercise may take beyond the time that its cell may.
PROOF_TIMEOUT_S = 120

PROOF_FILE = "proof.json"

# How long the kernel may take to begin reading figures, or to hand over what it has read.
READING_TIMEOUT_S = 60


async def prove_exercise(run: LessonRun, kernel: Kernel, cell: ExerciseCell) -> None:
    """Prove an exercise in the state that its lesson has before its cell.

    Parameters
    ----------
    run : LessonRun
        Gets a `ProofOutcome`.
    kernel : Kernel
        That of the lesson; a child of it does the work.
    cell : ExerciseCell
        Checks the exercise.
    """
    if not hasattr(os, "fork"):
        run.proofs.append(_unproven(cell, "this system cannot fork kernels, which a proof needs."))
        return
    began = time.perf_counter()
    file = kernel.folder / PROOF_FILE
    file.unlink(missing_ok=True)
    lesson = {
        "id": run.lesson.id,
        "path": str(run.lesson.path.absolute()),
        "exercises": run.lesson.exercises,
    }
    order = {"lesson": lesson, "cell": asdict(cell), "timeout_s": run.limits.cell_timeout_s}
    patience_s = run.limits.cell_timeout_s + PROOF_TIMEOUT_S
    call = f"prove_in_child({json.dumps(order)!r}, {str(file)!r}, {patience_s})"
    try:
        reply = await run_errand(
            kernel, inside_code(forking, call), timeout_s=patience_s + ERRAND_TIMEOUT_S
        )
        problem = _problem_of(reply)
    except TimeoutError:
        problem = "the kernel no longer answered."
    run.proofs.append(_unproven(cell, problem) if problem else _outcome(file, cell))
    run.proof_s += time.perf_counter() - began


def _problem_of(reply: Mapping[str, Any]) -> str:
    content = reply["content"]
    return "" if content["status"] == "ok" else f"{content.get('ename')}: {content.get('evalue')}"


def _outcome(file: Path, cell: ExerciseCell) -> ProofOutcome:
    """Return what the child has written: a proof, or a traceback."""
    if not file.exists():
        return _unproven(cell, "its proof did not come to an end in time.")
    text = file.read_text(encoding="utf-8")
    try:
        return ProofOutcome.from_dict(json.loads(text))
    except ValueError:
        last = text.strip().rpartition("\n")[2]
        return _unproven(cell, last.partition("Error: ")[2] or last)


def _unproven(cell: ExerciseCell, problem: str) -> ProofOutcome:
    return ProofOutcome(exercise_id=cell.exercise_id, cell=cell.number, problem=problem)


async def start_reading_figures(kernel: Kernel) -> None:
    """Let a kernel read the data behind all figures that it shows from now on.

    Where that cannot be, nothing will have been read in the end.
    """
    with contextlib.suppress(TimeoutError):
        code = inside_code(reading, "start_reading()")
        await run_errand(kernel, code, timeout_s=READING_TIMEOUT_S)


async def take_figure_data(kernel: Kernel) -> tuple[str, ...]:
    """Return the data behind the figures that were shown, and let the kernel read no more."""
    expressions = {"read": reading.WHAT_WAS_READ}
    try:
        reply = await run_errand(kernel, "", expressions, timeout_s=READING_TIMEOUT_S)
        text = reply["content"]["user_expressions"]["read"]["data"]["text/plain"]
        return tuple(json.loads(ast.literal_eval(text)))
    except (TimeoutError, LookupError, TypeError, ValueError, SyntaxError):
        return ()  # the lesson has changed what it answers with; a rule tells of unread figures


def inside_code(module: ModuleType, *calls: str) -> str:
    """Return code that runs a module of ours inside a kernel, in a namespace of its own."""
    source = Path(str(module.__file__)).read_text(encoding="utf-8") + "\n" + "\n".join(calls)
    return f"exec(compile({source!r}, 'neuroprimer', 'exec'), {{'__name__': 'neuroprimer_inside'}})"


async def run_errand(
    kernel: Kernel,
    code: str,
    expressions: Mapping[str, str] | None = None,
    *,
    timeout_s: float = ERRAND_TIMEOUT_S,
) -> dict[str, Any]:
    """Run code of ours that leaves no trace in the notebook, and return the reply.

    Parameters
    ----------
    kernel : Kernel
        That of the lesson.
    code : str
        What it runs.
    expressions : mapping of str to str, optional
        What it evaluates afterwards.
    timeout_s : float
        How long that may take, in seconds.

    Raises
    ------
    TimeoutError
        If it takes longer.
    """
    request = kernel.client.execute(
        code, silent=True, store_history=False, user_expressions=dict(expressions or {})
    )
    async with asyncio.timeout(timeout_s):
        while True:
            reply: dict[str, Any] = await kernel.client.get_shell_msg()
            if reply["parent_header"].get("msg_id") == request:
                return reply
