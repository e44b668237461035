"""What makes a forked child as if it had just been started: a kernel with a past of its own."""

import atexit
import ctypes
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import threadpoolctl

from neuroprimer.teaching.kernels.hiding import HiddenModules

# Where a number of threads is asked for, by the libraries that look there.
THREAD_VARIABLES = {
    "openblas": ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS"),
    "mkl": ("MKL_NUM_THREADS", "OMP_NUM_THREADS"),
    "blis": ("BLIS_NUM_THREADS", "OMP_NUM_THREADS"),
    "openmp": ("OMP_NUM_THREADS",),
}

INLINE_BACKEND = "module://matplotlib_inline.backend_inline"

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # see prctl(2)


def become(request: Mapping[str, Any], streams: Sequence[int], modules: HiddenModules) -> None:
    """Take on the session, streams, environment and folder that were asked for.

    Parameters
    ----------
    request : mapping
        With ``env``, ``cwd`` and ``umask``.
    streams : sequence of int
        Descriptors of standard input, output and error.
    modules : HiddenModules
        What was imported before the fork.
    """
    os.setsid()
    die_with_parent()
    adopt_orphans()
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.set_wakeup_fd(-1)
    for target, stream in enumerate(streams):
        os.dup2(stream, target)
        os.close(stream)
    os.environ.clear()
    os.environ.update(request["env"])
    os.umask(request["umask"])
    os.chdir(request["cwd"])
    time.tzset()
    tempfile.tempdir = None  # found anew, from this environment
    _forget_the_dice(modules)
    _set_threads()


def run_kernel(arguments: Sequence[str], modules: HiddenModules, ready: int) -> None:
    """Run an ipykernel until it is told to end.

    Parameters
    ----------
    arguments : sequence of str
        What follows ``python -m ipykernel_launcher``.
    modules : HiddenModules
        What was imported before the fork.
    ready : int
        A descriptor that gets one byte when the kernel listens.
    """
    from ipykernel.kernelapp import IPKernelApp

    # The server has its own folder here, a kernel the one it is started in.
    sys.path[:] = [entry for entry in sys.path if entry not in ("", str(Path.cwd()))]
    sys.argv = ["ipykernel_launcher.py", *arguments]
    app = IPKernelApp.instance()
    app.initialize(list(arguments))  # type: ignore[no-untyped-call]
    modules.when_revealed("matplotlib", _choose_backend)
    os.write(ready, b"R")
    os.close(ready)
    app.start()  # type: ignore[no-untyped-call]


def _choose_backend() -> None:
    """Do what importing matplotlib would have done with this kernel's environment."""
    sys.modules["matplotlib"].rcParams["backend"] = os.environ["MPLBACKEND"]


def end(status: int) -> None:
    """End this process as an interpreter ends: threads joined, exit functions called."""
    threading._shutdown()  # type: ignore[attr-defined]  # only the interpreter's end does it
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)


def die_with_parent() -> None:
    """Ask the system to kill this process when the one that forked it is gone."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent has ended, so that they can be found."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def _forget_the_dice(modules: HiddenModules) -> None:
    random.seed()
    numpy_random = modules.hidden.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()


def _set_threads() -> None:
    """Give the libraries for linear algebra the threads that they would have started with."""
    cores = len(os.sched_getaffinity(0))
    for library in threadpoolctl.ThreadpoolController().lib_controllers:
        asked = [
            os.environ.get(name, "") for name in THREAD_VARIABLES.get(library.internal_api, ())
        ]
        wanted = next((int(text) for text in asked if text.isdecimal() and int(text)), cores)
        if library.num_threads != wanted:
            library.set_num_threads(wanted)
