"""Fork servers: where they are, how one is started, and how it is asked for a kernel."""

import contextlib
import fcntl
import hashlib
import json
import os
import select
import socket
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from neuroprimer.errors import NeuroprimerError
from neuroprimer.teaching.kernels.messages import receive_message, send_message

MODULE = "neuroprimer.teaching.kernels.forkserver"

# How long a server that nobody owns waits for the next kernel.
IDLE_S = 60.0
IDLE_VARIABLE = "NEUROPRIMER_KERNELS_IDLE_S"

# How long a kernel may take, with all imports before it. A plain one starts in a second.
PATIENCE_S = 60.0

# How many may have asked before the server looks.
LONGEST_QUEUE = 1024

# These belong to one kernel or one terminal; two that differ in nothing else share a server.
PRIVATE_VARIABLES = frozenset(
    (
        "TMPDIR",
        "IPYTHONDIR",
        "MPLBACKEND",
        "PWD",
        "OLDPWD",
        "SHLVL",
        "_",
        "TERM",
        "COLUMNS",
        "LINES",
    )
)
PRIVATE_PREFIXES = ("JPY_", "NEUROPRIMER_", "PYTEST_")

# A library with threads of its own makes its process unfit for forking. Kernels get what their own
# environment says.
ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "GOTO_NUM_THREADS",
        "MKL_NUM_THREADS",
        "BLIS_NUM_THREADS",
    ),
    "1",
)


# Servers that nobody owns; whoever started one must still take note of its end.
_started: list["subprocess.Popen[bytes]"] = []


class NoForkError(NeuroprimerError, RuntimeError):
    """A kernel that cannot be forked, and can be started plainly."""


@dataclass(frozen=True, kw_only=True)
class ForkedKernel:
    """A kernel that was forked, as it was handed over.

    Parameters
    ----------
    pid : int
        Of its process, which is a child of the server.
    handle : int
        A pidfd: readable when the kernel has ended.
    line : socket.socket
        Closing it lets the server kill the kernel; the exit status arrives there.
    """

    pid: int
    handle: int
    line: socket.socket


def why_not_fork() -> str:
    """Return why this system cannot fork kernels, or nothing if it can."""
    if sys.platform != "linux" or not hasattr(os, "pidfd_open"):
        return "kernels are forked on Linux only"
    return ""


def server_path(environment: Mapping[str, str]) -> Path:
    """Return where a server that nobody owns listens, for kernels with some environment.

    Parameters
    ----------
    environment : mapping of str to str
        Of the kernels. Libraries read it when they are imported, so it makes servers different.

    Returns
    -------
    path : pathlib.Path
        In a folder of this user's alone.

    Raises
    ------
    NoForkError
        If that folder belongs to somebody else, or is open to others.
    """
    with warnings.catch_warnings():  # that there is no such folder yet is nobody's fault
        warnings.simplefilter("ignore")
        folder = platformdirs.user_runtime_path("neuroprimer")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        facts = folder.stat()
    except OSError as error:
        raise NoForkError(f"there is no folder for sockets: {error}") from error
    if facts.st_uid != os.getuid() or facts.st_mode & 0o077:
        raise NoForkError(f"{folder} is not this user's alone")
    identity = [sys.executable, sys.version, sys.prefix, sorted(_shared(environment).items())]
    return folder / f"{hashlib.sha256(repr(identity).encode()).hexdigest()[:16]}.sock"


def start_server(
    path: Path,
    statements: Sequence[str],
    environment: Mapping[str, str],
    *,
    idle_s: float | None,
) -> "subprocess.Popen[bytes]":
    """Start a fork server.

    Parameters
    ----------
    path : pathlib.Path
        Where it is to listen. What it says goes beside, into a file that ends in ``.log``.
    statements : sequence of str
        Import statements, and what else makes lessons start faster, in this order.
    environment : mapping of str to str
        Of the kernels to come.
    idle_s : float or None
        How long it stays when it has no kernel. None makes it ours: it stays until we close its
        standard input or end, and removes the folder of its socket if we could not.

    Returns
    -------
    process : subprocess.Popen
        The server; requests may be made at once, and wait until it can answer.
    """
    with socket.socket(socket.AF_UNIX) as listener, path.with_suffix(".log").open("wb") as log:
        _listen(listener, path)
        recipe = {
            "socket": str(path),
            "listener": listener.fileno(),
            "statements": list(dict.fromkeys(statements)),
            "idle_s": idle_s,
        }
        return subprocess.Popen(  # noqa: S603  ourselves
            [sys.executable, "-Xfrozen_modules=off", "-m", MODULE, json.dumps(recipe)],
            env={**_shared(environment), **ONE_THREAD},
            cwd=path.parent,
            stdin=subprocess.PIPE if idle_s is None else subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )


def _listen(listener: socket.socket, path: Path) -> None:
    """Let requests queue from now on; the server finds them when it is up."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    listener.bind(str(temporary))
    temporary.chmod(0o600)
    listener.listen(LONGEST_QUEUE)
    temporary.rename(path)  # under its name only when it can be connected to


def connect(path: Path) -> socket.socket:
    """Connect to a server, which may still be starting.

    Raises
    ------
    NoForkError
        If there is none.
    """
    line = socket.socket(socket.AF_UNIX)
    try:
        line.connect(str(path))
    except OSError as error:
        line.close()
        raise NoForkError(f"the fork server does not answer{_last_words(path)}") from error
    return line


def connect_or_start(
    path: Path,
    find_statements: Callable[[], Sequence[str]],
    environment: Mapping[str, str],
    *,
    idle_s: float | None = None,
) -> socket.socket:
    """Connect to the server at a path; if there is none, start one with the statements found.

    It stays for `idle_s` without a kernel; by default as long as the environment says.
    """
    with contextlib.suppress(NoForkError):
        return connect(path)
    with _locked(path.with_suffix(".lock")):
        with contextlib.suppress(NoForkError):  # somebody else was faster
            return connect(path)
        if idle_s is None:
            idle_s = float(os.environ.get(IDLE_VARIABLE, IDLE_S))
        _started[:] = [server for server in _started if server.poll() is None]
        _started.append(start_server(path, find_statements(), environment, idle_s=idle_s))
        return connect(path)


def join_server(
    path: Path, statements: Sequence[str], environment: Mapping[str, str], *, idle_s: float
) -> None:
    """See to it that a server that nobody owns has some statements ready, or will have.

    Parameters
    ----------
    path : pathlib.Path
        Where it listens, or shall listen.
    statements : sequence of str
        What it is to import, besides what it has.
    environment : mapping of str to str
        Of the kernels to come, for a server that is started.
    idle_s : float
        How long it is to stay when it has no kernel, from now on.
    """
    wanted = {"wants": "prepare", "statements": list(statements), "idle_s": idle_s}
    # One that has imported what has changed since makes room, and is followed by a new one.
    with contextlib.suppress(NoForkError, OSError, EOFError, ValueError), connect(path) as line:
        line.settimeout(PATIENCE_S)
        send_message(line, wanted)
        if "refused" not in receive_message(line)[0]:
            return
    connect_or_start(path, lambda: statements, environment, idle_s=idle_s).close()


def tell_server(path: Path, statements: Sequence[str]) -> None:
    """Tell a server what to import, without waiting until it has heard; one that is gone need not.

    Parameters
    ----------
    path : pathlib.Path
        Where it listens.
    statements : sequence of str
        What it is to import, besides what it has.
    """
    with contextlib.suppress(NoForkError, OSError), connect(path) as line:
        send_message(line, {"wants": "prepare", "statements": list(statements)})


def ask_for_kernel(
    line: socket.socket,
    *,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    folder: str,
    streams: Sequence[int],
    needs: Sequence[str] | None = None,
    network: bool = True,
    patience_s: float = PATIENCE_S,
) -> ForkedKernel:
    """Ask a server for a kernel and wait until it listens.

    Parameters
    ----------
    line : socket.socket
        A fresh connection; it is used up.
    arguments : sequence of str
        What follows ``python -m ipykernel_launcher``.
    environment : mapping of str to str
        The kernel's.
    folder : str
        Where it is to work.
    streams : sequence of int
        Descriptors for its standard input, output and error.
    needs : sequence of str, optional
        Those of the server's statements that this kernel profits from; it is forked when they
        are done. Default: all.
    network : bool
        Whether the kernel and what it starts can reach other machines.
    patience_s : float
        How long to wait for the server, and then for the kernel, in seconds.

    Raises
    ------
    NoForkError
        If the server refuses, the kernel ends before it listens, or either takes too long.
    """
    request: dict[str, Any] = {
        "wants": "kernel",
        "argv": list(arguments),
        "env": dict(environment),
        "cwd": folder,
        "umask": _umask(),
        "network": network,
        "needs": None if needs is None else list(needs),
    }
    line.settimeout(patience_s)
    try:
        send_message(line, request, streams)
        answer, descriptors = receive_message(line, 2)
    except TimeoutError as error:
        line.close()
        raise NoForkError(f"the fork server has not answered for {patience_s:g} s") from error
    except (OSError, EOFError, ValueError) as error:
        line.close()
        raise NoForkError("the fork server has gone") from error
    if "pid" not in answer:
        line.close()
        raise NoForkError(f"the fork server refuses: {answer.get('refused', 'no reason given')}")
    ready, handle = descriptors
    is_ready = has_something(ready, patience_s) and os.read(ready, 1) == b"R"
    os.close(ready)
    if not is_ready:
        os.close(handle)
        line.close()
        raise NoForkError("the forked kernel does not listen")
    return ForkedKernel(pid=answer["pid"], handle=handle, line=line)


def has_something(descriptor: int, timeout_s: float | None) -> bool:
    """Tell whether there is something to read, within some time; None waits for it."""
    poll = select.poll()  # select() knows no descriptor above 1024
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(None if timeout_s is None else timeout_s * 1000))


def ask_status(path: Path, *, stop: bool = False) -> dict[str, Any]:
    """Return what a server says of itself, and end it if that is wanted.

    Raises
    ------
    NoForkError
        If nobody listens.
    """
    with connect(path) as line:
        try:
            send_message(line, {"wants": "stop" if stop else "status"})
            return receive_message(line)[0]
        except (OSError, EOFError, ValueError) as error:
            raise NoForkError("the fork server has gone") from error


def _shared(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environment.items()
        if name not in PRIVATE_VARIABLES.union(ONE_THREAD) and not name.startswith(PRIVATE_PREFIXES)
    }


def _umask() -> int:
    # the system tells it only when it is set, which would show in other threads for a moment
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("Umask")), 8)


def _last_words(path: Path) -> str:
    with contextlib.suppress(OSError):
        lines = path.with_suffix(".log").read_text(errors="replace").strip().splitlines()
        return f": {lines[-1]}" if lines else ""
    return ""


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
