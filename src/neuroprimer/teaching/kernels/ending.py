"""The end of kernels, with all that they have started."""

import contextlib
import os
import signal
from collections.abc import Collection, Iterator

import psutil


def kill_family(pid: int, *, with_itself: bool = True) -> None:
    """Kill a kernel, its descendants in any session, and what else is in the session it leads.

    Parameters
    ----------
    pid : int
        Process id of the kernel; it may have ended.
    with_itself : bool
        Whether the kernel is to be killed, too.
    """
    # Descendants are looked up while the kernel lives: its end would scatter them.
    family = [*descendants(pid), *_of_session(pid)]
    if with_itself:
        with contextlib.suppress(psutil.NoSuchProcess):
            family.append(psutil.Process(pid))
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    if hasattr(os, "killpg"):
        # what was forked since then is still in the group, which outlives its leader
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


def kill_orphans(keep: Collection[int]) -> None:
    """Kill what this process got from kernels that have ended, with all that it has started.

    Parameters
    ----------
    keep : collection of int
        Process ids of kernels that live. What else is in this process's own session is kept, too.
    """
    for child in psutil.Process().children():
        with contextlib.suppress(ProcessLookupError):
            if child.pid not in keep and os.getsid(child.pid) != os.getsid(0):
                kill_family(child.pid)


def descendants(pid: int) -> list[psutil.Process]:
    """Return all processes that a living process has started, directly or not."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).children(recursive=True)
    return []


def _of_session(pid: int) -> Iterator[psutil.Process]:
    if not hasattr(os, "getsid"):
        return
    for process in psutil.process_iter():
        with contextlib.suppress(OSError, psutil.NoSuchProcess):
            if process.pid != pid and os.getsid(process.pid) == pid:
                yield process
