"""Sides: measure jobs done in several ways, side by side.

Each side runs in a fresh process, first on a small case, which loads and compiles what it needs,
then on the full one: several times for its time, with the peak of memory beyond the small case.
The sides take turns for several rounds; what is printed are medians over the rounds. Memory counts
what is resident, mapped files included. It is read from Linux's /proc.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

# A side does the job on the files of a folder.
Side = Callable[[Path], Any]

# As set on some machines, they make OpenBLAS slower than it is.
ODD_SETTINGS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


@dataclass(frozen=True, kw_only=True)
class Job:
    """One job, and the ways of doing it.

    Parameters
    ----------
    title : str
        What is done.
    prepare : callable
        Called with a folder and whether the small case is wanted; writes the files.
    sides : mapping of str to callable
        The ways. Those whose names begin with "neuroprimer" are what the others are divided by.
    without_numba : sequence of str
        Sides for which numba counts as not installed.
    """

    title: str
    prepare: Callable[[Path, bool], None]
    sides: Mapping[str, Side]
    without_numba: Sequence[str] = ()


def compare(jobs: Mapping[str, Job]) -> None:
    """Measure the sides of the jobs named on the command line, or of all, and print tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("jobs", nargs="*", help=f"some of {', '.join(jobs)}; default: all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--side", help="measure this one, in this process")
    parser.add_argument("--folder", type=Path, help="where its files are")
    options = parser.parse_args()
    if options.side:
        job = jobs[options.jobs[0]]
        if options.side in job.without_numba:
            sys.modules["numba"] = None  # type: ignore[assignment] # as if it were not installed
        _measure(job.sides[options.side], options.folder, options.repeats)
        return
    for name in options.jobs or jobs:
        with tempfile.TemporaryDirectory() as folder:
            for case in ("small", "full"):
                (Path(folder) / case).mkdir()
                jobs[name].prepare(Path(folder) / case, case == "small")
            found = _take_turns(name, jobs[name], folder, options.rounds, options.repeats)
        _print_table(jobs[name].title, found, options.rounds)


def _measure(side: Side, folder: Path, repeats: int) -> None:
    side(folder / "small")
    before = _peak_bytes()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        side(folder / "full")
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"seconds": median(seconds), "extra_bytes": _peak_bytes() - before}))


def _peak_bytes() -> int:
    # Not getrusage(): its peak begins with what the parent had when this process was forked.
    status = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line.split()[1] for line in status if line.startswith("VmHWM")))


def _take_turns(
    name: str, job: Job, folder: str, rounds: int, repeats: int
) -> dict[str, list[dict[str, float]]]:
    environment = {key: value for key, value in os.environ.items() if key not in ODD_SETTINGS}
    command = [sys.executable, sys.argv[0], name, "--repeats", f"{repeats}", "--folder", folder]
    found: dict[str, list[dict[str, float]]] = {side: [] for side in job.sides}
    for _ in range(rounds):
        for side, results in found.items():
            answer = subprocess.run(
                [*command, "--side", side],
                check=True,
                stdout=subprocess.PIPE,
                text=True,
                env=environment,
            )
            results.append(json.loads(answer.stdout.splitlines()[-1]))
    return found


def _print_table(title: str, found: Mapping[str, list[dict[str, float]]], rounds: int) -> None:
    seconds = {
        side: median(result["seconds"] for result in results) for side, results in found.items()
    }
    ours = [side for side in seconds if side.startswith("neuroprimer")]
    width = max(map(len, seconds))
    print(f"{title}; medians of {rounds} rounds")
    header = "".join(f"  / {side}" for side in ours)
    print(f"{'':{width}}   seconds  extra MB{header}")
    for side, results in found.items():
        extra = median(result["extra_bytes"] for result in results) / 1e6
        ratios = "".join(f"{seconds[side] / seconds[own]:{len(own) + 3}.2f}x" for own in ours)
        print(f"{side:{width}}{seconds[side]:10.4f}{extra:10.0f}{ratios}")
