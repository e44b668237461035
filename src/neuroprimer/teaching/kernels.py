"""Kernels: a fresh process for each lesson, and nothing of it left behind."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.paths import jupyter_path
from traitlets import TraitError

from neuroprimer.errors import NeuroprimerError

# Begins the name of each kernel's private folder, so that its path can be told in an output.
FOLDER_PREFIX = "neuroprimer-"

LOG = "kernel.log"

# What jupyter_client raises for a kernel.json that is damaged, incomplete or names no program.
UNUSABLE_SPEC = (OSError, ValueError, TypeError, LookupError, TraitError)

# The address of a Unix socket has room for about 100 characters, its name takes some.
LONGEST_SOCKET_FOLDER = 80

# What goes wrong reaches the caller as an error; the libraries' own log lines would only double it.
QUIET_LOG = logging.getLogger("neuroprimer.kernels")
QUIET_LOG.addHandler(logging.NullHandler())
QUIET_LOG.propagate = False


class KernelStartError(NeuroprimerError, RuntimeError):
    """A kernel that did not come up."""


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """A running kernel and the line to it."""

    manager: AsyncKernelManager
    client: AsyncKernelClient

    async def death(self) -> str:
        """Say how the kernel's process ended."""
        provisioner = self.manager.provisioner
        status = await provisioner.poll() if provisioner else None
        return _describe_exit(status)


@contextlib.asynccontextmanager
async def start_kernel(
    name: str, *, variables: Mapping[str, str], start_timeout_s: float
) -> AsyncIterator[Kernel]:
    """Start a kernel in a folder of its own; kill it and all it started at the end.

    Parameters
    ----------
    name : str
        Of the kernel spec, such as ``"python3"``.
    variables : mapping of str to str
        Environment variables, besides those of this process.
    start_timeout_s : float
        How long the kernel may take to answer, in seconds.

    Yields
    ------
    kernel : Kernel
        Ready for code. Its working directory, temporary files and IPython profile are private.

    Raises
    ------
    KernelStartError
        If there is no such kernel, or it does not answer in time.
    """
    with tempfile.TemporaryDirectory(prefix=FOLDER_PREFIX, ignore_cleanup_errors=True) as root:
        folder = Path(root)
        manager = AsyncKernelManager(
            kernel_name=name,
            connection_file=str(folder / "kernel.json"),
            # by default the manager also looks into the user's IPython folder, and makes it
            kernel_spec_manager=KernelSpecManager(kernel_dirs=jupyter_path("kernels")),
            log=QUIET_LOG,
            **_transport(folder),
        )
        async with contextlib.AsyncExitStack() as at_the_end:
            at_the_end.push_async_callback(_end, manager)
            await _launch(manager, folder, variables)
            client = manager.client()
            at_the_end.callback(client.stop_channels)
            await _wait_until_ready(client, manager, folder, start_timeout_s)
            yield Kernel(manager=manager, client=client)


async def _launch(manager: AsyncKernelManager, folder: Path, variables: Mapping[str, str]) -> None:
    try:
        with (folder / LOG).open("wb") as stream:
            await manager.start_kernel(
                cwd=_subfolder(folder, "work"),
                env={
                    **os.environ,
                    "IPYTHONDIR": _subfolder(folder, "ipython"),
                    "TMPDIR": _subfolder(folder, "tmp"),
                    "PYTHONHASHSEED": "0",
                    **variables,
                },
                stdout=stream,
                stderr=stream,
            )
    except NoSuchKernel as error:
        raise KernelStartError(
            f"There is no kernel called {manager.kernel_name!r}.",
            hint="`jupyter kernelspec list` shows the kernels there are.",
        ) from error
    except UNUSABLE_SPEC as error:
        raise KernelStartError(
            f"The program of the kernel {manager.kernel_name!r} cannot be started: "
            f"{type(error).__name__}: {error}.",
            hint="`jupyter kernelspec list` shows the folder whose kernel.json names it.",
        ) from error


async def _wait_until_ready(
    client: AsyncKernelClient, manager: AsyncKernelManager, folder: Path, start_timeout_s: float
) -> None:
    client.start_channels()
    client.allow_stdin = False  # nobody is there to answer input()
    try:
        await client.wait_for_ready(timeout=start_timeout_s)
    except RuntimeError as error:
        last_words = (folder / LOG).read_text(errors="replace").strip().splitlines()[-1:]
        raise KernelStartError(
            f"The kernel {manager.kernel_name!r} did not start within {start_timeout_s:g} s: "
            + "; ".join([" ".join(str(error).split()), *last_words]),
            hint="Run `jupyter console --kernel` with that name to see what is wrong with it.",
        ) from error


def _transport(folder: Path) -> dict[str, str]:
    """Return the manager's settings for private sockets, where the system has them."""
    if sys.platform == "win32" or len(str(folder)) > LONGEST_SOCKET_FOLDER:
        return {}
    return {"transport": "ipc", "ip": str(folder / "socket")}


def _subfolder(folder: Path, name: str) -> str:
    made = folder / name
    made.mkdir()
    return str(made)


async def _end(manager: AsyncKernelManager) -> None:
    """Kill the kernel and what it started, and close what belongs to it."""
    # This comes before anything is waited for: it must work even while all ends.
    pid = getattr(manager.provisioner, "pid", None)
    if pid:
        _kill_all(pid)
    with contextlib.suppress(RuntimeError, asyncio.TimeoutError):
        if manager.has_kernel:
            await manager.shutdown_kernel(now=True)
    await manager.cleanup_resources()


def _kill_all(pid: int) -> None:
    """Kill a kernel, its children in any session, and what else is left in its own session."""
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in psutil.Process(pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
    if hasattr(os, "killpg"):
        # the group outlives its leader: children of a kernel that has died are found by it
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


def _describe_exit(status: int | None) -> str:
    if status is None:
        return "it no longer answers"
    if status < 0:
        named = -status in {known.value for known in signal.Signals}
        return f"it was ended by {signal.Signals(-status).name if named else f'signal {-status}'}"
    return f"it ended with exit status {status}"
