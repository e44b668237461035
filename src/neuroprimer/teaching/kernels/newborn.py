"""What makes a forked child as if it had just been started: a kernel with a past of its own."""

import atexit
import contextlib
import ctypes
import fcntl
import gc
import itertools
import os
import random
import signal
import socket
import struct
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import threadpoolctl

from neuroprimer.teaching.kernel_signs import SEED_VARIABLE
from neuroprimer.teaching.kernels.hiding import HiddenModules

# Where a number of threads is asked for, by the libraries that look there.
THREAD_VARIABLES = {
    "openblas": ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS"),
    "mkl": ("MKL_NUM_THREADS", "OMP_NUM_THREADS"),
    "blis": ("BLIS_NUM_THREADS", "OMP_NUM_THREADS"),
    "openmp": ("OMP_NUM_THREADS",),
}

INLINE_BACKEND = "module://matplotlib_inline.backend_inline"

# See unshare(2) and netdevice(7).
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1

PR_SET_PDEATHSIG, PR_SET_NAME, PR_SET_CHILD_SUBREAPER = 1, 15, 36  # see prctl(2)

# How a kernel is called where processes are listed; its command line is still the server's.
PROCESS_NAME = b"np-kernel"


def become(request: Mapping[str, Any], streams: Sequence[int], modules: HiddenModules) -> None:
    """Take on the session, streams, environment and folder that were asked for.

    Parameters
    ----------
    request : mapping
        With ``env``, ``cwd``, ``umask``, ``network``, and the process id of the ``server``.
    streams : sequence of int
        Descriptors of standard input, output and error.
    modules : HiddenModules
        What was imported before the fork.
    """
    os.setsid()
    _take_name()
    die_with_parent(request["server"])
    adopt_orphans()
    for number in (signal.SIGCHLD, signal.SIGTERM):  # the others are as the server got them
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
    if not request["network"]:
        leave_network()
    tempfile.tempdir = None  # found anew, from this environment
    _forget_the_dice(modules)
    _set_threads()
    gc.enable()


def rehearse() -> None:
    """Do once what every kernel does first, so that what it compiles and looks up is there."""
    from ipykernel.kernelapp import IPKernelApp

    app = IPKernelApp()  # type: ignore[no-untyped-call]
    app.parse_command_line(["-f", "kernel.json"])


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
    import ipykernel
    from ipykernel.kernelapp import IPKernelApp

    sys.argv = [str(Path(ipykernel.__file__).parent.with_name("ipykernel_launcher.py")), *arguments]
    app = IPKernelApp.instance()
    app.initialize(list(arguments))  # type: ignore[no-untyped-call]
    modules.when_revealed("matplotlib", _choose_backend, first=True)
    if "__mp_main__" in modules.hidden:  # as multiprocessing calls the main module
        modules.hidden["__mp_main__"] = sys.modules["__main__"]
    os.write(ready, b"R")
    os.close(ready)
    app.start()  # type: ignore[no-untyped-call]


def _choose_backend() -> None:
    """Do what importing matplotlib would have done with this kernel's environment."""
    matplotlib = sys.modules["matplotlib"]
    wanted = os.environ.get("MPLBACKEND") or matplotlib.rcParamsOrig["backend"]
    # that none is settled yet is a value, too, which only a plain dictionary takes
    dict.__setitem__(matplotlib.rcParams, "backend", wanted)


def end(status: int) -> None:
    """End this process as an interpreter ends: threads joined, exit functions called."""
    try:
        threading._shutdown()  # type: ignore[attr-defined]  # only the interpreter's end does it
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    finally:
        os._exit(status)  # whatever went wrong, this process must not go on as a second server


def open_anew(descriptors: Iterable[int]) -> None:
    """Open files once more, each at its place: processes that share one share where they read.

    Parameters
    ----------
    descriptors : iterable of int
        Of files that exist.
    """
    for descriptor in descriptors:
        place = os.lseek(descriptor, 0, os.SEEK_CUR)
        flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
        own = os.open(f"/proc/self/fd/{descriptor}", flags)
        os.lseek(own, place, os.SEEK_SET)
        os.dup2(own, descriptor, inheritable=False)
        os.close(own)


def _take_name() -> None:
    ctypes.CDLL(None).prctl(PR_SET_NAME, PROCESS_NAME)


def die_with_parent(parent: int) -> None:
    """Ask the system to kill this process when the one that forked it is gone.

    Parameters
    ----------
    parent : int
        Process id of the one that forked it.
    """
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it was faster
        os._exit(1)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent has ended, so that they can be found."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def leave_network() -> None:
    """Move into a network that has this machine's own addresses only, where the system lets us.

    Where it does not, the hook in the kernel stops Python code, though not other programs.
    """
    system = ctypes.CDLL(None, use_errno=True)
    if system.unshare(CLONE_NEWNET) and not _leave_as_common_user(system):
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_:
        # the new loopback is down, and lessons may well talk to themselves
        request = struct.pack("16sh", b"lo", IFF_UP)
        fcntl.ioctl(any_, SIOCSIFFLAGS, request)


def _leave_as_common_user(system: ctypes.CDLL) -> bool:
    user, group = os.getuid(), os.getgid()
    if system.unshare(CLONE_NEWUSER | CLONE_NEWNET):
        return False
    # in its own eyes the process stays who it is
    for file, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        Path("/proc/self", file).write_text(text)
    return True


def _forget_the_dice(modules: HiddenModules) -> None:
    """Give the shared generators new seeds, or those that the environment asks for."""
    seed = os.environ.get(SEED_VARIABLE)
    random.seed(None if seed is None else int(seed))
    numpy_random = modules.hidden.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed(None if seed is None else int(seed))


# The libraries with threads of their own, and of how many modules they are.
_LIBRARIES: dict[int, list[Any]] = {}


def look_for_threads(modules: HiddenModules) -> None:
    """Look up the libraries whose threads each kernel will set; the server does it for all."""
    if len(modules.hidden) not in _LIBRARIES:
        _LIBRARIES.clear()
        found = threadpoolctl.ThreadpoolController().lib_controllers
        _LIBRARIES[len(modules.hidden)] = found


def _set_threads() -> None:
    """Give the libraries for linear algebra the threads that they would have started with."""
    cores = len(os.sched_getaffinity(0))
    for library in itertools.chain.from_iterable(_LIBRARIES.values()):
        asked = [
            os.environ.get(name, "") for name in THREAD_VARIABLES.get(library.internal_api, ())
        ]
        wanted = next((int(text) for text in asked if text.isdecimal() and int(text)), cores)
        if library.num_threads != wanted:
            library.set_num_threads(wanted)
