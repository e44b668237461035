"""The provisioner: how jupyter_client, and so every Jupyter tool, gets forked kernels."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Bool, List, Unicode

from neuroprimer.teaching.kernels.imports import statements_of_installed_lessons
from neuroprimer.teaching.kernels.messages import receive_message
from neuroprimer.teaching.kernels.servers import (
    ForkedKernel,
    NoForkError,
    ask_for_kernel,
    connect,
    connect_or_start,
    has_something,
    server_path,
    why_not_fork,
)

LAUNCHER = "ipykernel_launcher"

# What the launcher's own command line may have before -m without being another Python.
HARMLESS_FLAGS = frozenset({"-Xfrozen_modules=off"})

BARE_NAMES = ("python", f"python{sys.version_info[0]}", "python{}.{}".format(*sys.version_info))

# How long the server may take to tell the exit status of a kernel that has ended.
LISTENING_S = 1.0


class ForkingProvisioner(LocalProvisioner):
    """Gets kernels from a fork server; starts plain ones where that cannot be, and says why."""

    process: Any
    _line: socket.socket | None = None
    server = Unicode(help="Path of the fork server's socket; empty for the one of this user.")
    needs = List(
        Unicode(), allow_none=True, default_value=None, help="Statements to wait for; None for all."
    )
    network = Bool(True, help="Whether the kernel can reach other machines.")
    why_plain = Unicode(help="Why the kernel was started plainly; empty if it was forked.")

    async def launch_kernel(self, cmd: list[str], **options: Any) -> KernelConnectionInfo:
        """Fork a kernel, or start it."""
        try:
            kernel = await asyncio.to_thread(self._fork, cmd, options)
        except NoForkError as error:
            self.why_plain = error.message
            self.log.warning("Starting a plain kernel: %s.", error.message)
            return await super().launch_kernel(cmd, **options)
        except asyncio.CancelledError:
            if self._line is not None:  # nobody waits for the answer any more
                with contextlib.suppress(OSError):
                    self._line.shutdown(socket.SHUT_RDWR)
            raise
        self.process = ForkedProcess(kernel)
        self.pid = self.pgid = kernel.pid  # it leads a session of its own
        self.cwd = Path(options.get("cwd") or Path.cwd())
        return self.connection_info

    async def wait(self) -> int | None:
        """Wait for the end of the kernel, without asking again and again."""
        if isinstance(self.process, ForkedProcess):
            await self.process.wait_until_ended()
        return await super().wait()

    def _fork(self, command: Sequence[str], options: Mapping[str, Any]) -> ForkedKernel:
        arguments = kernel_arguments(command)
        reason = why_not_fork()
        if reason:
            raise NoForkError(reason)
        if options.get("independent"):
            raise NoForkError("the kernel is to outlive whoever starts it")
        environment = dict(options.get("env") or os.environ)
        environment.pop("JPY_PARENT_PID", None)  # its parent is the server, which looks after it
        nothing = os.open(os.devnull, os.O_RDWR)
        try:
            output = _descriptor(options.get("stdout"), 1, nothing)
            error = _descriptor(options.get("stderr"), 2, nothing, output)
            self._line = self._connect(environment)
            return ask_for_kernel(
                self._line,
                arguments=arguments,
                environment=environment,
                folder=str(Path(options.get("cwd") or "").absolute()),
                streams=[nothing, output, error],
                needs=self.needs,
                # a namespace without network reaches nobody over TCP, not even the kernel's owner
                network=self.network or self.connection_info.get("transport") != "ipc",
            )
        finally:
            os.close(nothing)

    def _connect(self, environment: Mapping[str, str]) -> socket.socket:
        if self.server:
            return connect(Path(self.server))
        return connect_or_start(
            server_path(environment), statements_of_installed_lessons, environment
        )


class ForkedProcess:
    """What jupyter_client uses of `subprocess.Popen`, for a process that is nobody's child here.

    Parameters
    ----------
    kernel : ForkedKernel
        As the server handed it over.
    """

    stdin = stdout = stderr = None

    def __init__(self, kernel: ForkedKernel) -> None:
        self.pid = kernel.pid
        self.returncode: int | None = None
        self._handle = kernel.handle
        self._line = kernel.line

    def poll(self) -> int | None:
        """Return the exit status as `subprocess` has it, or None while it runs."""
        if self.returncode is None and has_something(self._handle, 0):
            self._take_leave()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait until it has ended."""
        if self.returncode is None:
            has_something(self._handle, timeout)
        return self.poll()

    async def wait_until_ended(self) -> None:
        """Wait until it has ended, while other things go on."""
        if self.poll() is not None:
            return
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        handle = os.dup(self._handle)  # poll() may close ours meanwhile
        loop.add_reader(handle, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(handle)
            os.close(handle)

    def send_signal(self, number: int) -> None:
        """Send a signal, which can reach no other process that got the same id."""
        if self.poll() is None:
            signal.pidfd_send_signal(self._handle, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def _take_leave(self) -> None:
        self.returncode = self._status_of_zombie()
        if self.returncode is None:
            self.returncode = self._status_from_server()
        self._line.close()
        os.close(self._handle)

    def _status_of_zombie(self) -> int | None:
        """Return the exit status if the server, which may be importing, has not asked for it."""
        with contextlib.suppress(OSError):
            facts = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
            handle = Path(f"/proc/self/fdinfo/{self._handle}").read_text()
            # otherwise the id may by now be another's
            if facts[0] == "Z" and f"Pid:\t{self.pid}\n" in handle:
                return os.waitstatus_to_exitcode(int(facts[-1]))
        return None

    def _status_from_server(self) -> int:
        self._line.settimeout(LISTENING_S)
        try:
            return int(receive_message(self._line)[0]["exit"])
        except (OSError, EOFError, ValueError, LookupError):
            return -signal.SIGKILL  # the server is gone, and has taken it along


def kernel_arguments(command: Sequence[str]) -> list[str]:
    """Return what a command gives to ipykernel.

    Raises
    ------
    NoForkError
        If the command is anything else than this Python running ipykernel.
    """
    program, *rest = command
    while rest and rest[0] in HARMLESS_FLAGS:
        rest.pop(0)
    # jupyter_client puts this Python in the place of the bare names
    is_this_python = program in BARE_NAMES or str(Path(program).absolute()) == sys.executable
    if not is_this_python or rest[:2] != ["-m", LAUNCHER]:
        raise NoForkError(f"{Path(program).name} is not the Python that neuroprimer runs in")
    return rest[2:]


def _descriptor(stream: Any, default: int, nothing: int, output: int | None = None) -> int:
    """Return the descriptor that `subprocess.Popen` would give to the kernel."""
    if stream is None:
        return default
    if stream == subprocess.PIPE:
        raise NoForkError("what the kernel writes is to go through a pipe")
    if stream == subprocess.DEVNULL:
        return nothing
    if stream == subprocess.STDOUT and output is not None:
        return output
    return stream if isinstance(stream, int) else int(stream.fileno())
