"""Sessions: a kernel for one lesson, in a folder of its own, and nothing of it left behind."""

import asyncio
import contextlib
import logging
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager, NoSuchKernel
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.paths import jupyter_path
from traitlets import Dict, TraitError

from neuroprimer.errors import NeuroprimerError
from neuroprimer.teaching.kernels.ending import kill_family
from neuroprimer.teaching.kernels.provisioner import kernel_arguments
from neuroprimer.teaching.kernels.servers import NoForkError
from neuroprimer.teaching.kernels.workshop import Workshop, kernel_environment

LOG = "kernel.log"

PROVISIONER = "neuroprimer-fork"

# How long the first question waits for its answer; a forked kernel has it in some milliseconds.
FIRST_PATIENCE_S = 0.1

# How long a killed kernel may take to be gone.
ENDING_S = 5.0

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
    folder: Path

    @property
    def pid(self) -> int | None:
        """Process id of the kernel, if it runs on this machine."""
        return getattr(self.manager.provisioner, "pid", None)

    @property
    def why_plain(self) -> str:
        """Why the kernel was not forked although it might have been; empty otherwise."""
        return str(getattr(self.manager.provisioner, "why_plain", ""))

    async def death(self) -> str:
        """Say how the kernel's process ended."""
        provisioner = self.manager.provisioner
        status = await provisioner.poll() if provisioner else None
        return _describe_exit(status)


@contextlib.asynccontextmanager
async def start_kernel(
    name: str,
    workshop: Workshop,
    *,
    variables: Mapping[str, str],
    start_timeout_s: float,
    needs: Sequence[str] | None = None,
    network: bool = True,
) -> AsyncIterator[Kernel]:
    """Start a kernel in a folder of its own; kill it and all it started at the end.

    Parameters
    ----------
    name : str
        Of the kernel spec, such as ``"python3"``.
    workshop : Workshop
        Has the fork server, if kernels are to be forked.
    variables : mapping of str to str
        Environment variables, besides those of this process.
    start_timeout_s : float
        How long the kernel may take to answer, in seconds.
    needs : sequence of str, optional
        The server's statements that this kernel waits for. Default: all.
    network : bool
        Whether a forked kernel, and what it starts, can reach other machines.

    Yields
    ------
    kernel : Kernel
        Ready for code. Its working directory, temporary files and IPython profile are private.

    Raises
    ------
    KernelStartError
        If there is no such kernel, or it does not answer in time.
    """
    with tempfile.TemporaryDirectory(dir=workshop.folder, ignore_cleanup_errors=True) as root:
        folder = Path(root)
        manager = AsyncKernelManager(
            kernel_name=name,
            connection_file=str(folder / "kernel.json"),
            kernel_spec_manager=_Specs(
                # by default the manager also looks into the user's IPython folder, and makes it
                kernel_dirs=jupyter_path("kernels"),
                provisioner=_provisioner(workshop, needs, network),
            ),
            log=QUIET_LOG,
            **_transport(folder),
        )
        async with contextlib.AsyncExitStack() as at_the_end:
            at_the_end.push_async_callback(_end, manager)
            await _launch(manager, folder, variables)
            client = manager.client()
            at_the_end.callback(client.stop_channels)
            await _wait_until_ready(client, manager, folder, start_timeout_s)
            yield Kernel(manager=manager, client=client, folder=folder)


class _Specs(KernelSpecManager):
    """Kernel specs in which every kernel that can be forked is forked."""

    provisioner = Dict()

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return the spec of a kernel, with our provisioner if it fits."""
        spec = super().get_kernel_spec(kernel_name)
        if self.provisioner and "kernel_provisioner" not in spec.metadata:
            with contextlib.suppress(NoForkError):  # another Python, or another language
                kernel_arguments(spec.argv)
                spec.metadata["kernel_provisioner"] = self.provisioner
        return spec


def _provisioner(workshop: Workshop, needs: Sequence[str] | None, network: bool) -> dict[str, Any]:
    if workshop.server is None:
        return {}
    config = {
        "server": str(workshop.server),
        "needs": None if needs is None else list(needs),
        "network": network,
    }
    return {"provisioner_name": PROVISIONER, "config": config}


async def _launch(manager: AsyncKernelManager, folder: Path, variables: Mapping[str, str]) -> None:
    try:
        with (folder / LOG).open("wb") as stream:
            await manager.start_kernel(
                cwd=_subfolder(folder, "work"),
                env={
                    **kernel_environment(variables),
                    "IPYTHONDIR": _subfolder(folder, "ipython"),
                    "TMPDIR": _subfolder(folder, "tmp"),
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
    """Wait for an answer on both channels; jupyter_client's own way adds 0.2 s of silence."""
    client.start_channels(hb=False)
    client.allow_stdin = False  # nobody is there to answer input()
    problem = "Kernel did not answer"
    give_up = time.monotonic() + start_timeout_s
    patience_s = FIRST_PATIENCE_S
    while time.monotonic() < give_up:
        if await _answers(client, min(patience_s, give_up - time.monotonic())):
            return
        patience_s *= 2  # what was sent before its sockets were there is lost
        if not await manager.is_alive():
            problem = "Kernel died before replying to kernel_info"
            break
    last_words = (folder / LOG).read_text(errors="replace").strip().splitlines()[-1:]
    raise KernelStartError(
        f"The kernel {manager.kernel_name!r} did not start within {start_timeout_s:g} s: "
        + "; ".join([problem, *last_words]),
        hint="Run `jupyter console --kernel` with that name to see what is wrong with it.",
    )


async def _answers(client: AsyncKernelClient, patience_s: float) -> bool:
    """Tell whether a question comes back on the shell channel, and its end on the other."""
    question = client.kernel_info()
    until = time.monotonic() + patience_s

    async def hear(channel: Any, kind: str) -> None:
        while True:
            message = await channel.get_msg(timeout=max(0.0, until - time.monotonic()))
            is_ours = message["parent_header"].get("msg_id") == question
            state = message["content"].get("execution_state", "idle")
            if is_ours and message["msg_type"] == kind and state == "idle":
                return

    try:
        await hear(client.iopub_channel, "status")
        await hear(client.shell_channel, "kernel_info_reply")
    except Empty:
        return False
    return True


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
        kill_family(pid)
    with contextlib.suppress(RuntimeError, asyncio.TimeoutError):
        if manager.has_kernel:
            await asyncio.wait_for(_gone(manager), ENDING_S)
            await manager.shutdown_kernel(now=True)
    await manager.cleanup_resources()


async def _gone(manager: AsyncKernelManager) -> None:
    if manager.provisioner is not None:
        await manager.provisioner.wait()


def _describe_exit(status: int | None) -> str:
    if status is None:
        return "it no longer answers"
    if status < 0:
        named = -status in {known.value for known in signal.Signals}
        return f"it was ended by {signal.Signals(-status).name if named else f'signal {-status}'}"
    return f"it ended with exit status {status}"
