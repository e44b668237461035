"""Proving: an exercise tried with its stub, its solution, its wrong answers and mutants.

This runs in a child of the lesson's kernel, in the state that the lesson has at that cell. Each
try is a child again, so that none can see or disturb another, and none of them the lesson.
"""

import contextlib
import json
import os
import pickle
import random
import select
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import threadpoolctl
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from IPython.utils.capture import capture_output

from neuroprimer.teaching.exercises.checking import LISTENERS, OPENED, check_answer
from neuroprimer.teaching.exercises.files import load_exercises, require_exercise
from neuroprimer.teaching.exercises.giveaways import find_giveaways
from neuroprimer.teaching.exercises.model import CheckOutcome, Exercise, FindData
from neuroprimer.teaching.exercises.mutations import mutants_of
from neuroprimer.teaching.exercises.regions import ExerciseCell
from neuroprimer.teaching.model import Lesson
from neuroprimer.teaching.proofs import ProofOutcome, Try, Verdict

# How long a stub or a wrong answer may run. A right one may take as long as its cell.
WRONG_TIMEOUT_S = 10.0
TIMEOUT_VARIABLE = "NEUROPRIMER_WRONG_ANSWER_S"

LONGEST_ERROR = 300

Facts = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class _Heard:
    """One call of ``lesson.check``."""

    exercise: Exercise
    answer: Any
    data: FindData
    outcome: CheckOutcome


def prove(order: str, answer_file: str) -> None:
    """Prove one exercise and write what came of it.

    Parameters
    ----------
    order : str
        JSON with ``lesson`` (its id, path, and file of exercises), ``cell`` (an `ExerciseCell`)
        and ``timeout_s`` for the solution.
    answer_file : str
        Gets a `ProofOutcome` as JSON.
    """
    content = json.loads(order)
    lesson = Lesson(**content["lesson"], title="")
    cell = ExerciseCell(**content["cell"])
    # GNU OpenMP hangs in the child of a process that has used its threads, unless it needs none
    threadpoolctl.threadpool_limits(1)
    outcome = _prove_exercise(lesson, cell, content["timeout_s"])
    Path(answer_file).write_text(json.dumps(asdict(outcome)), encoding="utf-8")


def _prove_exercise(lesson: Lesson, cell: ExerciseCell, timeout_s: float) -> ProofOutcome:
    exercise = require_exercise(lesson, cell.exercise_id)
    wrong_timeout_s = float(os.environ.get(TIMEOUT_VARIABLE, WRONG_TIMEOUT_S))

    def try_code(code: str) -> Verdict:
        return _verdict_in_child(lambda: {"verdict": _run(code, cell)[0]}, wrong_timeout_s)[0]

    with tempfile.TemporaryFile() as right_answer:
        reference, found = _verdict_in_child(
            lambda: _try_solution(exercise, cell, right_answer), timeout_s
        )
        _warm_up(exercise, lesson, right_answer)
    return ProofOutcome(
        exercise_id=exercise.id,
        exercise_ids=tuple(load_exercises(lesson)),
        cell=cell.number,
        has_solution=bool(cell.solution.strip()),
        stub=try_code(cell.stub),
        reference=reference,
        wrong=tuple(
            Try(name=wrong.code, words=wrong.message, verdict=try_code(wrong.code))
            for wrong in exercise.wrong_answers
        ),
        mutants=tuple(
            Try(name=name, words=exercise.harmless.get(name, ""), verdict=Verdict(**verdict))
            for name, verdict in found.get("mutants", ())
        ),
        giveaways=tuple(found.get("giveaways", ())),
        hints=tuple(exercise.hints),
        points=exercise.points,
    )


def _try_solution(exercise: Exercise, cell: ExerciseCell, right_answer: IO[bytes]) -> Facts:
    """Run the solution, keep its answer, and make of it what else a check should refuse."""
    verdict, heard = _run(cell.solution, cell)
    if heard is None or not heard.outcome.is_correct:
        return {"verdict": verdict}
    with contextlib.suppress(Exception):  # not all that may be an answer can be pickled
        pickle.dump(heard.answer, right_answer)
        right_answer.flush()
    mutants = [
        (name, _told(check_answer(exercise, mutant, heard.data)))
        for name, mutant in mutants_of(heard.answer)
    ]
    giveaways = find_giveaways(exercise, cell.solution, heard.answer)
    return {"verdict": verdict, "mutants": mutants, "giveaways": giveaways}


def _warm_up(exercise: Exercise, lesson: Lesson, right_answer: IO[bytes]) -> None:
    """Let the check see the right answer here, so that each try inherits what the check keeps.

    Most checks read their data once and keep them. A try is a child of this process, and would
    otherwise read them again.
    """
    with contextlib.suppress(Exception):  # then each try does so for itself
        right_answer.seek(0)
        answer = pickle.load(right_answer)  # noqa: S301  our own child wrote it
        check_answer(exercise, answer, OPENED[lesson.id])


def _run(code: str, cell: ExerciseCell) -> tuple[Facts, _Heard | None]:
    """Run the cell with some code in the place of the solution; return what its check said."""
    heard: list[_Heard] = []

    def listen(exercise: Exercise, answer: Any, data: FindData, outcome: CheckOutcome) -> None:
        if exercise.id == cell.exercise_id:
            heard.append(_Heard(exercise=exercise, answer=answer, data=data, outcome=outcome))

    LISTENERS[:] = [listen]
    shell = InteractiveShell.instance()
    with capture_output():
        result = shell.run_cell(cell.with_code(code), store_history=False, silent=True)
    error = _error_of(result)
    if heard:  # what comes after the check, such as a hidden test, is no part of it
        return _told(heard[-1].outcome), heard[-1]
    if error:
        return asdict(Verdict(state="raised", message=error)), None
    return asdict(Verdict(state="unchecked", message="lesson.check was not reached.")), None


def _error_of(result: ExecutionResult) -> str:
    error = result.error_before_exec or result.error_in_exec
    if error is None:
        return ""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:LONGEST_ERROR]


def _told(outcome: CheckOutcome) -> Facts:
    """Return an outcome as a verdict in JSON."""
    state = "right" if outcome.is_correct else "wrong"
    state = "missing" if outcome.is_missing else state
    state = "broken" if outcome.is_our_fault else state
    return asdict(Verdict(state=state, message=outcome.message))


def _verdict_in_child(work: Callable[[], Facts], timeout_s: float) -> tuple[Verdict, Facts]:
    found = _in_child(work, timeout_s)
    return Verdict(**found["verdict"]), found


def _in_child(work: Callable[[], Facts], timeout_s: float) -> Facts:
    """Return what a piece of work returns, done in a child of this process."""
    dice = random.getstate()  # a child gets new ones
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.setpgid(0, 0)
            random.setstate(dice)
            answer: Mapping[str, Any] = work()
        except BaseException as error:  # noqa: BLE001  an exit, say: nothing may come back out of here
            words = traceback.format_exception_only(error)[-1].strip()
            answer = {"verdict": asdict(Verdict(state="raised", message=words))}
        with open(writing, "w", encoding="utf-8") as line:  # noqa: PTH123  it is a pipe
            line.write(json.dumps(answer) + "\n")
        os._exit(0)
    os.close(writing)
    text = _read_line(reading, time.monotonic() + timeout_s)
    for kill in (os.kill, os.killpg):  # with what it may have started
        try:
            kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    os.waitpid(pid, 0)
    if text:
        answered: Facts = json.loads(text)
        return answered
    state = "endless" if text is None else "raised"
    words = f"it was still running after {timeout_s:g} s" if text is None else "its process ended"
    return {"verdict": asdict(Verdict(state=state, message=words))}


def _read_line(descriptor: int, until: float) -> str | None:
    """Return a line, nothing if the other side is gone without one, None if it comes too late."""
    received = b""
    with open(descriptor, "rb", buffering=0) as line:
        while not received.endswith(b"\n"):
            ready, _, _ = select.select([line], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                return None
            piece = line.read(65536)
            if not piece:
                return ""
            received += piece
    return received.decode()
