"""The workshop of a run of lessons: its folder, its fork server, and nothing left behind."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from neuroprimer.teaching.kernels.servers import start_server, why_not_fork

if os.name == "posix":
    import fcntl

# Begins the name of each run's private folder, so that its path can be told in an output.
FOLDER_PREFIX = "neuroprimer-"

LOCK = "lock"

# How long the server may take to leave when it is told to.
LEAVING_S = 10


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """Where the kernels of one run work.

    Parameters
    ----------
    folder : pathlib.Path
        Holds a folder for each kernel.
    server : pathlib.Path or None
        Socket of the fork server; None when kernels are started plainly.
    why_plain : str
        Why there is no server; empty if there is one, or none was wanted.
    """

    folder: Path
    server: Path | None = None
    why_plain: str = ""


@contextlib.contextmanager
def open_workshop(
    statements: Sequence[str], environment: Mapping[str, str], *, forks: bool = True
) -> Iterator[Workshop]:
    """Make a folder for a run and start a fork server; both are gone at the end.

    Parameters
    ----------
    statements : sequence of str
        What the server imports.
    environment : mapping of str to str
        What kernels have in common.
    forks : bool
        Whether kernels are to be forked where the system can.

    Yields
    ------
    workshop : Workshop
        The server may still be importing; requests wait for it.
    """
    sweep_up()
    with tempfile.TemporaryDirectory(prefix=FOLDER_PREFIX, ignore_cleanup_errors=True) as root:
        folder = Path(root)
        with _held(folder / LOCK):
            why_plain = why_not_fork() if forks else ""
            if not forks or why_plain:
                yield Workshop(folder=folder, why_plain=why_plain)
                return
            server = folder / "server.sock"
            process = start_server(server, statements, environment, idle_s=None)
            try:
                yield Workshop(folder=folder, server=server)
            finally:
                _dismiss(process)


def sweep_up() -> None:
    """Remove what runs that were killed have left: their folders, and what works in them."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER_PREFIX}*"):
        try:
            with _held(folder / LOCK):
                _kill_workers(folder)
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue  # in use, somebody else's, or none of ours


@contextlib.contextmanager
def _held(path: Path) -> Iterator[IO[str]]:
    """Hold a lock that the system lets go when this process ends, however it does."""
    with path.open("r+" if path.exists() else "x") as file:
        if os.name == "posix":
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield file


def _kill_workers(folder: Path) -> None:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get("TMPDIR", "").startswith(f"{folder}/"):
                process.kill()


def _dismiss(server: "subprocess.Popen[bytes]") -> None:
    assert server.stdin is not None  # noqa: S101  for mypy: an owned server is started with one
    server.stdin.close()
    try:
        server.wait(LEAVING_S)
    except subprocess.TimeoutExpired:  # it imports something that takes its time
        server.kill()
        server.wait()
