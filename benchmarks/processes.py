"""Processes: what commands cost, with all that they start, in time and in memory.

A process of its own runs the commands and adopts what they leave behind (PR_SET_CHILD_SUBREAPER),
so that nothing of theirs gets out of its sight, whoever forks it.

Processor time is exact: that of all descendants that have ended and been waited for, which the
system keeps, and that of those still there. Memory is sampled, every 0.2 s or, for large families,
so rarely that the sampling takes a twentieth of one processor. It is the proportional set size
(PSS), in which a page that n processes share counts 1/n for each, so that a family's sum is what
it holds. Linux only.
"""

import contextlib
import ctypes
import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

import psutil
from sides import ODD_SETTINGS

PR_SET_CHILD_SUBREAPER = 36  # see prctl(2)

# The system needs some 20 ms for each GB that it looks at, and what is measured must not feel it.
SAMPLE_S = 0.2
MOST_IDLE = 20

LEAVING_S = 5

# Of what a failing command has said, so many characters are shown.
LAST_WORDS = 2000


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What is run.

    Parameters
    ----------
    before : sequence of commands
        Run first, and not measured. What they leave running is there for the others.
    commands : sequence of commands
        Run one after another.
    folder : str
        Where. It gets ``before.txt``, ``stdout.txt`` and ``stderr.txt``, with what they say.
    variables : mapping of str to str
        Environment variables besides those of this process.
    says : str
        What the commands' standard output has to hold, for tools that exit with 0 whatever happens.
    """

    commands: Sequence[Sequence[str]]
    folder: str
    before: Sequence[Sequence[str]] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    says: str = ""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What it cost: seconds on the clock and on processors, and the most memory held at once."""

    wall_s: float
    cpu_s: float
    peak_bytes: int


def measure(turn: Turn) -> Cost:
    """Measure a turn, in a process that is its own.

    Raises
    ------
    SystemExit
        If a command fails, or does not say what it has to, with what was said.
    """
    variables = {key: value for key, value in os.environ.items() if key not in ODD_SETTINGS}
    answer = subprocess.run(
        [sys.executable, __file__, json.dumps(asdict(turn))],
        stdout=subprocess.PIPE,
        env={**variables, **turn.variables},
        cwd=turn.folder,
        check=False,
    )
    said = {file.stem: file.read_text() for file in sorted(Path(turn.folder).glob("*.txt"))}
    if answer.returncode or turn.says not in said["stdout"]:
        raise SystemExit("\n".join(text[-LAST_WORDS:] for text in said.values()))
    return Cost(**json.loads(answer.stdout))


def _measure_here(turn: Turn) -> Cost:
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    folder = Path(turn.folder)
    try:
        _run(turn.before, folder / "before.txt", folder / "before.txt")
        cpu_s = _cpu_seconds()
        with _MemoryWatch() as memory:
            began = time.perf_counter()
            _run(turn.commands, folder / "stdout.txt", folder / "stderr.txt")
            wall_s = time.perf_counter() - began
        return Cost(wall_s=wall_s, cpu_s=_cpu_seconds() - cpu_s, peak_bytes=memory.peak_bytes)
    finally:
        _end(_descendants())


def _run(commands: Sequence[Sequence[str]], stdout: Path, stderr: Path) -> None:
    with stdout.open("ab") as out, stderr.open("ab") as err:
        for command in commands:
            err.write(f"$ {' '.join(command)}\n".encode())
            err.flush()
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=out, stderr=err)


def _descendants() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = usage.ru_utime + usage.ru_stime
    for process in _descendants():
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            seconds += times.user + times.system + times.children_user + times.children_system
    return seconds


class _MemoryWatch:
    """Takes note of the most memory that the descendants of this process hold together."""

    def __init__(self) -> None:
        self.peak_bytes = 0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _watch(self) -> None:
        pause_s = SAMPLE_S
        while not self._is_over.wait(pause_s):
            began = time.perf_counter()
            held = sum(_held_bytes(process.pid) for process in _descendants())
            self.peak_bytes = max(self.peak_bytes, held)
            pause_s = max(SAMPLE_S, MOST_IDLE * (time.perf_counter() - began))


def _held_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended
        return 0
    return 1024 * int(next((line.split()[1] for line in lines if line.startswith("Pss:")), 0))


def _end(processes: Sequence[psutil.Process]) -> None:
    """End what the commands have left running, such as a server that waits for more work."""
    for stop in (psutil.Process.terminate, psutil.Process.kill):
        for process in processes:
            with contextlib.suppress(psutil.Error):
                stop(process)
        _, processes = psutil.wait_procs(processes, LEAVING_S)


if __name__ == "__main__":
    try:
        print(json.dumps(asdict(_measure_here(Turn(**json.loads(sys.argv[1]))))))
    except subprocess.CalledProcessError as error:
        raise SystemExit(error.returncode) from None
