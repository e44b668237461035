"""Real servers and real kernels, forked and plain, and a line to talk to them."""

import ast
import contextlib
import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

import psutil
import pytest
import zmq
from jupyter_client.connect import write_connection_file
from jupyter_client.session import Session

from neuroprimer.teaching.kernels.ending import kill_family
from neuroprimer.teaching.kernels.provisioner import ForkedProcess
from neuroprimer.teaching.kernels.servers import ask_for_kernel, connect, start_server

PATIENCE_S = 30

# A process that asks for a kernel and does nothing more.
ASKS = """
    import os, signal, sys
    from pathlib import Path
    from neuroprimer.teaching.kernels.servers import ask_for_kernel, connect
    kernel = ask_for_kernel(
        connect(Path(sys.argv[1])),
        arguments=sys.argv[2:],
        environment=dict(os.environ),
        folder="/",
        streams=[0, 2, 2],
    )
    print(kernel.pid, flush=True)
    signal.pause()
"""


class Line:
    """The line to a kernel: code goes in, what it wrote comes out."""

    def __init__(self, connection: dict[str, Any]) -> None:
        self._session = Session(key=b"a key")
        self._context = zmq.Context()
        self._shell = self._context.socket(zmq.DEALER)
        self._iopub = self._context.socket(zmq.SUB)
        self._iopub.subscribe(b"")
        self._control = self._context.socket(zmq.DEALER)
        channels = {"shell": self._shell, "iopub": self._iopub, "control": self._control}
        for name, channel in channels.items():
            channel.connect(f"ipc://{connection['ip']}-{connection[f'{name}_port']}")

    def wait_until_open(self) -> None:
        """Wait until the kernel hears us and we hear all that it says."""
        for patience_s in (0.1 * 2**n for n in range(8)):
            question = self.send("kernel_info_request", {})
            with contextlib.suppress(TimeoutError):
                for _ in self._answers(question, patience_s):
                    pass
                return
        raise TimeoutError("the kernel does not answer")

    def ask(self, code: str, timeout_s: float = PATIENCE_S) -> list[dict[str, Any]]:
        """Return all messages that a piece of code leads to."""
        content = {"code": dedent(code), "silent": False, "allow_stdin": False}
        return [*self._answers(self.send("execute_request", content), timeout_s)]

    def send(self, kind: str, content: dict[str, Any]) -> Any:
        """Send a message and return it."""
        return self._session.send(self._shell, kind, content)

    def _answers(self, question: Any, timeout_s: float) -> Iterator[dict[str, Any]]:
        until = time.monotonic() + timeout_s
        while True:
            if not self._iopub.poll(max(0, until - time.monotonic()) * 1000):
                raise TimeoutError(f"no answer within {timeout_s:g} s")
            _, message = self._session.recv(self._iopub)
            if message["parent_header"].get("msg_id") != question["msg_id"]:
                continue
            if message["content"].get("execution_state") == "idle":
                return
            yield message

    def shut_down(self) -> None:
        """Ask the kernel to end, in good order."""
        self._session.send(self._control, "shutdown_request", {"restart": False})

    def close(self) -> None:
        """Hang up."""
        self._context.destroy(linger=0)


@dataclass
class TalkingKernel:
    """A kernel, forked or plain."""

    process: Any
    line: Line
    log: Path
    first_modules: frozenset[str] = frozenset()

    @property
    def pid(self) -> int:
        """Process id."""
        return int(self.process.pid)

    def run(self, code: str) -> str:
        """Return what a piece of code writes; it must not fail."""
        texts = []
        for message in self.line.ask(code):
            assert message["msg_type"] != "error", "\n".join(message["content"]["traceback"])
            texts.append(message["content"].get("text", ""))
        return "".join(texts)

    def send(self, code: str) -> None:
        """Send a piece of code whose end nobody waits for."""
        self.line.send("execute_request", {"code": dedent(code), "silent": False})

    def error(self, code: str) -> str:
        """Return kind and words of the error that a piece of code ends in."""
        (content,) = [m["content"] for m in self.line.ask(code) if m["msg_type"] == "error"]
        return f"{content['ename']}: {content['evalue']}"

    def value(self, expression: str) -> Any:
        """Return the value of an expression that is a literal."""
        return ast.literal_eval(self.run(f"print(repr({expression}))"))

    def end(self) -> None:
        """Kill it with all that it started."""
        kill_family(self.pid)
        self.process.wait(PATIENCE_S)
        self.line.close()


@dataclass
class RunningServer:
    """A fork server that this process owns, unless it was told to stay for a while."""

    path: Path
    process: "subprocess.Popen[bytes]"

    @property
    def pid(self) -> int:
        """Process id."""
        return self.process.pid

    def end(self) -> None:
        """Let it go, with all its kernels."""
        if self.process.stdin:
            self.process.stdin.close()
        else:
            self.process.terminate()
        self.process.wait(PATIENCE_S)


@dataclass
class Bench:
    """Starts servers and kernels, writes modules for them, and ends all at the end.

    Parameters
    ----------
    folder : pathlib.Path
        Has a short name, for sockets lie in it.
    """

    folder: Path
    count: Iterator[int] = field(default_factory=itertools.count)
    at_the_end: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @property
    def modules(self) -> Path:
        """The folder of modules that servers and kernels can import."""
        folder = self.folder / "modules"
        folder.mkdir(exist_ok=True)
        return folder

    @property
    def search_path(self) -> str:
        """What finds these modules first."""
        return os.pathsep.join([str(self.modules), os.environ.get("PYTHONPATH", "")]).rstrip(":")

    def write(self, **modules: str) -> None:
        """Write modules; two underscores in a name are a dot."""
        for name, code in modules.items():
            file = self.modules.joinpath(*name.split("__")).with_suffix(".py")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(dedent(code))

    def new_folder(self) -> Path:
        """Make a folder."""
        folder = self.folder / str(next(self.count))
        folder.mkdir(mode=0o700)
        return folder

    def environment(self, **variables: str) -> dict[str, str]:
        """Return the environment of servers and kernels."""
        return {
            **os.environ,
            "PYTHONHASHSEED": "0",
            "PYTHONPATH": self.search_path,
            "IPYTHONDIR": str(self.folder / "ipython"),
            **variables,
        }

    def serve(self, *statements: str, **options: Any) -> RunningServer:
        """Start a server."""
        return self.serve_at(self.new_folder() / "s.sock", *statements, **options)

    def serve_at(
        self, path: Path, *statements: str, idle_s: float | None = None, **variables: str
    ) -> RunningServer:
        """Start a server at a place."""
        process = start_server(path, statements, self.environment(**variables), idle_s=idle_s)
        server = RunningServer(path, process)
        self.at_the_end.callback(server.end)
        return server

    def fork(
        self,
        server: RunningServer,
        *,
        needs: Sequence[str] | None = None,
        network: bool = True,
        **variables: str,
    ) -> TalkingKernel:
        """Have a kernel forked and listen to it."""
        folder, arguments, connection = self._connection()
        options = {"needs": needs, "network": network}
        kernel = self._ask(server, folder, arguments, self.environment(**variables), **options)
        return self._talking(kernel, connection, folder / "log")

    def ask(self, server: RunningServer) -> ForkedProcess:
        """Have a kernel forked that nobody listens to."""
        folder, arguments, _ = self._connection()
        return self._ask(server, folder, arguments, self.environment(), patience_s=120)

    def _ask(
        self,
        server: RunningServer,
        folder: Path,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        **options: Any,
    ) -> ForkedProcess:
        with (folder / "log").open("wb") as log, Path(os.devnull).open("rb") as nothing:
            kernel = ask_for_kernel(
                connect(server.path),
                arguments=arguments,
                environment=environment,
                folder=str(folder),
                streams=[nothing.fileno(), log.fileno(), log.fileno()],
                **options,
            )
        return ForkedProcess(kernel)

    def fork_elsewhere(
        self, server: RunningServer
    ) -> "tuple[subprocess.Popen[str], TalkingKernel]":
        """Have another process ask for a kernel, and listen to it."""
        folder, arguments, connection = self._connection()
        with (folder / "log").open("w") as log:
            asker = subprocess.Popen(
                [sys.executable, "-c", dedent(ASKS), str(server.path), *arguments],
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.at_the_end.callback(asker.wait)
        self.at_the_end.callback(asker.kill)
        assert asker.stdout is not None
        with asker.stdout as said:
            process = psutil.Process(int(said.readline()))
        return asker, self._talking(process, connection, folder / "log")

    def start(self, **variables: str) -> TalkingKernel:
        """Start a plain kernel, as its spec says."""
        folder, arguments, connection = self._connection()
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-Xfrozen_modules=off", "-m", "ipykernel_launcher", *arguments],
                env=self.environment(**variables),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self._talking(process, connection, folder / "log")

    def _connection(self) -> tuple[Path, list[str], dict[str, Any]]:
        folder = self.new_folder()
        file, connection = write_connection_file(
            str(folder / "kernel.json"), ip=str(folder / "k"), transport="ipc", key=b"a key"
        )
        return folder, ["-f", file], connection

    def _talking(self, process: Any, connection: dict[str, Any], log: Path) -> TalkingKernel:
        kernel = TalkingKernel(process, Line(connection), log)
        self.at_the_end.callback(kernel.end)
        kernel.line.wait_until_open()
        return kernel


@contextlib.contextmanager
def open_bench() -> Iterator[Bench]:
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        bench = Bench(Path(folder))
        with bench.at_the_end:
            yield bench


@pytest.fixture
def bench() -> Iterator[Bench]:
    with open_bench() as bench:
        yield bench


@pytest.fixture(scope="module")
def shared_bench() -> Iterator[Bench]:
    """What is started here serves all tests of a module."""
    with open_bench() as bench:
        yield bench


def runs(pid: int) -> bool:
    """Tell whether a process does anything; a dead one may wait for its parent to take note."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def wait_until(holds: Callable[[], Any], timeout_s: float = PATIENCE_S) -> Any:
    """Return what a question is answered as soon as it is not answered in the negative."""
    until = time.monotonic() + timeout_s
    while not (answer := holds()):
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.01)
    return answer


@pytest.fixture(name="runs")
def runs_fixture() -> Callable[[int], bool]:
    return runs


@pytest.fixture(name="wait_until")
def wait_until_fixture() -> Callable[..., Any]:
    return wait_until
