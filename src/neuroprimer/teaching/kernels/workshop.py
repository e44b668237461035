"""The workshop of a run of lessons: its folder, its fork server, and nothing left behind."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import psutil

from neuroprimer.teaching.kernels.servers import (
    NoForkError,
    connect,
    join_server,
    server_path,
    start_server,
    tell_server,
    why_not_fork,
)

if os.name == "posix":
    import fcntl

# Begins the name of each run's private folder, so that its path can be told in an output.
FOLDER_PREFIX = "neuroprimer-"

LOCK = "lock"

# The address of a Unix socket has room for about 100 characters.
LONGEST_SOCKET_PATH = 90

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

    def get_ready(self, statements: Sequence[str]) -> None:
        """Have the server import what kernels will need; nobody waits for it.

        Parameters
        ----------
        statements : sequence of str
            In the order in which they had best come. What it has done already costs nothing.
        """
        if self.server is not None:
            tell_server(self.server, statements)

    def has_lost_server(self) -> bool:
        """Tell whether there was a fork server that no longer listens."""
        if self.server is None:
            return False
        try:
            connect(self.server).close()
        except NoForkError:
            return True
        return False

    def without_server(self) -> "Workshop":
        """Return the same workshop for plain kernels, after its server was lost."""
        return replace(self, server=None, why_plain="the fork server was killed")


def kernel_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment that the kernels of a run have in common.

    Parameters
    ----------
    variables : mapping of str to str
        What goes before the variables of this process.
    """
    return {**os.environ, "PYTHONHASHSEED": "0", **variables}


@contextlib.contextmanager
def open_workshop(
    environment: Mapping[str, str],
    statements: Sequence[str] = (),
    *,
    forks: bool = True,
    linger_s: float = 0,
) -> Iterator[Workshop]:
    """Make a folder for a run and start a fork server; both are gone at the end, unless it lingers.

    Parameters
    ----------
    environment : mapping of str to str
        What kernels have in common.
    statements : sequence of str, optional
        What the server imports; it can be told later, too.
    forks : bool
        Whether kernels are to be forked where the system can.
    linger_s : float
        How long the fork server stays after this run, for the next one. Such a server is shared by
        all runs of this user in the same environment.

    Yields
    ------
    workshop : Workshop
        The server may still be importing; requests wait for it.
    """
    sweep_up()
    with tempfile.TemporaryDirectory(prefix=FOLDER_PREFIX, ignore_cleanup_errors=True) as root:
        folder = Path(root)
        with _holding(folder), contextlib.ExitStack() as at_the_end:
            # at last: a server that was killed, or stays, ends no kernel of ours
            at_the_end.callback(_kill_workers, folder)
            server, why_plain = None, ""
            if forks:
                try:
                    server = at_the_end.enter_context(
                        _server(folder, statements, environment, linger_s)
                    )
                except NoForkError as error:
                    why_plain = error.message
            yield Workshop(folder=folder, server=server, why_plain=why_plain)


@contextlib.contextmanager
def _server(
    folder: Path, statements: Sequence[str], environment: Mapping[str, str], linger_s: float
) -> Iterator[Path]:
    """Have a fork server, of this run alone or one that lingers."""
    reason = why_not_fork()
    if reason:
        raise NoForkError(reason)
    path = server_path(environment) if linger_s else folder / "server.sock"
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        raise NoForkError(f"the folder {path.parent} has too long a name for a socket")
    if linger_s:
        join_server(path, statements, environment, idle_s=linger_s)
        yield path
        return
    process = start_server(path, statements, environment, idle_s=None)
    try:
        yield path
    finally:
        _dismiss(process)


def sweep_up() -> None:
    """Remove what runs that were killed have left: their folders, and what works in them."""
    for lock in Path(tempfile.gettempdir()).glob(f"{FOLDER_PREFIX}*/{LOCK}"):
        # one that is in use, or somebody else's, stays
        with contextlib.suppress(OSError), lock.open("r+") as file:
            _hold(file)
            _kill_workers(lock.parent)
            shutil.rmtree(lock.parent, ignore_errors=True)


@contextlib.contextmanager
def _holding(folder: Path) -> Iterator[None]:
    """Hold a lock in a folder, which the system lets go when this process ends, however it does."""
    unheld = folder / f"{LOCK}-to-be"
    with unheld.open("x") as file:
        _hold(file)
        unheld.rename(folder / LOCK)  # nobody finds it before it is held
        yield


def _hold(file: IO[str]) -> None:
    if os.name == "posix":
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


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
