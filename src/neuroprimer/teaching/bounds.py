"""Bounds: what a lesson may use of the machine, watched while it runs."""

import asyncio
import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from neuroprimer.teaching.kernels.ending import descendants
from neuroprimer.teaching.model import Limits

# How often a kernel is looked at.
INTERVAL_S = 0.1

MEGABYTE = 1_000_000

# Whether the system tells the children of a process, as Linux does unless it was built without.
TELLS_CHILDREN = Path(f"/proc/self/task/{os.getpid()}/children").exists()


@dataclass
class Usage:
    """What a kernel and everything that it started have used so far.

    Parameters
    ----------
    peak_bytes : int
        Most memory of their own that they held at once; files mapped into memory do not count.
    cpu_s : float
        Processor time of those that still run, in seconds.
    processes : int
        How many there were at once, at most.
    """

    peak_bytes: int = 0
    cpu_s: float = 0.0
    processes: int = 0


@dataclass(frozen=True, kw_only=True)
class Breach:
    """A bound that was overstepped: the rule, and the figure against the limit."""

    rule: str
    message: str


async def watch_kernel(pid: int, limits: Limits, usage: Usage) -> Breach:
    """Look at a kernel again and again, until it oversteps a bound.

    Parameters
    ----------
    pid : int
        Of the kernel's process.
    limits : Limits
        What it may use.
    usage : Usage
        Is brought up to date, for whoever asks later.

    Returns
    -------
    breach : Breach
        Of memory, or of the number of processes. Never returns if there is none.
    """
    while True:
        look_at_kernel(pid, usage)
        if usage.peak_bytes > limits.memory_mb * MEGABYTE:
            return Breach(
                rule="NP310",
                message=f"it held {usage.peak_bytes / MEGABYTE:.0f} MB of memory, and may hold "
                f"{limits.memory_mb:g} MB.",
            )
        if usage.processes > limits.processes:
            return Breach(
                rule="NP312",
                message=f"it had {usage.processes} processes, and may have {limits.processes:g}.",
            )
        await asyncio.sleep(INTERVAL_S)


def look_at_kernel(pid: int, usage: Usage) -> None:
    """Bring up to date what a kernel has used."""
    with contextlib.suppress(psutil.NoSuchProcess):
        children = _descendants_now(pid)
        family = [psutil.Process(pid), *children]
        held = _own_bytes(family[0]) + sum(map(_added_bytes, children))
        usage.peak_bytes = max(usage.peak_bytes, held)
        usage.processes = max(usage.processes, len(family))
        usage.cpu_s = max(usage.cpu_s, sum(map(_cpu_s, family)))


def _descendants_now(pid: int) -> list[psutil.Process]:
    """Return the processes under one; one that ends meanwhile may hide others until the next look.

    psutil looks at every process of the machine, which ten times a second, for each kernel, would
    take a good part of a processor.
    """
    if not TELLS_CHILDREN:
        return descendants(pid)
    pids = [*_children_now(pid)]
    for child in pids:
        pids.extend(_children_now(child))
    found = []
    for child in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            found.append(psutil.Process(child))
    return found


def _children_now(pid: int) -> Iterator[int]:
    with contextlib.suppress(OSError):  # it, or one of its threads, has ended
        for thread in Path(f"/proc/{pid}/task").iterdir():
            yield from map(int, (thread / "children").read_text().split())


def _own_bytes(process: psutil.Process) -> int:
    try:
        return sum(_own_kilobytes(process.pid)) * 1024
    except OSError:  # another system
        with contextlib.suppress(psutil.Error):
            return int(process.memory_info().rss)
    return 0


def _added_bytes(child: psutil.Process) -> int:
    """Return what a process holds that the one which forked it does not: most pages are both's."""
    try:
        rollup = Path(f"/proc/{child.pid}/smaps_rollup").read_text()
    except OSError:  # another system, or it has ended
        return _own_bytes(child)
    dirty = (line for line in rollup.splitlines() if line.startswith("Private_Dirty:"))
    return sum(int(line.split()[1]) for line in dirty) * 1024


def _own_kilobytes(pid: int) -> Iterator[int]:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(("RssAnon:", "RssShmem:")):
            yield int(line.split()[1])


def _cpu_s(process: psutil.Process) -> float:
    with contextlib.suppress(psutil.Error):
        times = process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0
