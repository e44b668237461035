"""The fork server: a process that has imported what lessons need, and forks a kernel for each.

    python -m neuroprimer.teaching.kernels.forkserver RECIPE

The recipe is JSON: where it listens, what to import, and how long to stay without work. The server
has one thread, no event loop, no zmq context and no socket but its own; otherwise it refuses to
fork, and says why. What it imports is hidden until a lesson imports it, too.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import shutil
import signal
import socket
import struct
import sys
import time
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from neuroprimer.teaching.kernels import newborn
from neuroprimer.teaching.kernels.ending import kill_family, kill_orphans
from neuroprimer.teaching.kernels.hiding import HiddenModules
from neuroprimer.teaching.kernels.messages import receive_message, send_message
from neuroprimer.teaching.kernels.standin import standing_in

# What a kernel has loaded before its first cell, whoever starts it.
OF_EVERY_KERNEL = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "ipykernel.displayhook",
    "ipykernel.iostream",
    "ipykernel.heartbeat",
    "ipykernel.debugger",
    "IPython.core.completerlib",
    "IPython.core.history",
    "IPython.core.debugger",
    "IPython.core.debugger_backport",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "IPython.utils.wildcard",
    "sqlite3",
    "tornado.platform.asyncio",
)

# What the server has imported for itself, and a kernel has not. psutil stays: it looks for itself.
OF_THE_SERVER = frozenset(("neuroprimer", "gc", "lazy_loader", "pwd", "resource", "threadpoolctl"))

# Nobody keeps the server waiting with half a message.
PATIENCE_S = 5

STREAMS = 3

# How the reason begins when what was imported is no longer what lies on the disk.
STALE = "stale"


@dataclass
class Child:
    """A kernel that was forked, and the line to whoever asked for it."""

    pid: int
    owner: socket.socket


@dataclass
class ForkServer:
    """Imports, listens and forks.

    Parameters
    ----------
    recipe : mapping
        ``socket``, the path of its socket; ``listener``, the descriptor; ``statements``, what to
        run before forking; ``idle_s``, how long to stay without a kernel, in seconds, or None to
        stay until standard input is closed.
    listener : socket.socket
        Where requests come in.
    modules : HiddenModules
        Hides what is imported from now on.
    variables : mapping of str to str
        Environment variables that importing ipykernel sets.
    """

    recipe: dict[str, Any]
    listener: socket.socket
    modules: HiddenModules
    variables: Mapping[str, str]
    waiting: list[tuple[socket.socket, dict[str, Any], list[int]]] = field(default_factory=list)
    strangers: dict[int, socket.socket] = field(default_factory=dict)
    children: dict[int, Child] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    stamps: dict[str, tuple[int, int]] = field(default_factory=dict)
    left_open: set[tuple[str, str]] = field(default_factory=set)
    is_retired: bool = False
    quiet_since: float = field(default_factory=time.monotonic)

    def run(self) -> None:
        """Serve; import one thing after another, while nobody who has what they need waits."""
        while not self.is_idle():
            while self.serve(timeout_s=0):  # somebody may have waited for the last import
                pass
            statement = next((one for one in self.recipe["statements"] if one not in self.done), "")
            if statement:
                self._import(statement)
            else:
                self.serve(timeout_s=1)

    def _import(self, statement: str) -> None:
        before = _open_files()
        with standing_in(self.modules):
            problem = self.modules.load(statement)
        self.left_open |= _open_files() - before
        if problem:
            self.problems[statement] = problem
        self.done.add(statement)
        if self._is_complete():
            gc.collect()
            self.stamps |= {
                file: stamp
                for module in self.modules.hidden.values()
                if (file := getattr(module, "__file__", None))
                and file not in self.stamps
                and (stamp := _stamp(file))
            }
            self.quiet_since = time.monotonic()

    def is_idle(self) -> bool:
        """Tell whether there has been no kernel for as long as the server stays."""
        has_work = self.children or self.waiting or self.strangers
        if has_work or self.is_owned or not self._is_complete():
            self.quiet_since = time.monotonic()
            return False
        return self.is_retired or time.monotonic() - self.quiet_since >= self.recipe["idle_s"]

    @property
    def is_owned(self) -> bool:
        """Whether the server stays with the process that started it."""
        return self.recipe["idle_s"] is None

    # ------------------------------------------------------------------ serving

    def serve(self, timeout_s: float) -> bool:
        """Answer what has come in, and take note of kernels that ended; tell if anybody came."""
        has_come = False
        waiting_fd = _wakeups()
        lines = {child.owner.fileno(): child for child in self.children.values()}
        poll = select.poll()
        own = (self.listener.fileno(), waiting_fd, *([sys.stdin.fileno()] if self.is_owned else []))
        for descriptor in (*own, *lines, *self.strangers):
            poll.register(descriptor, select.POLLIN)
        for descriptor, _ in poll.poll(timeout_s * 1000):
            if descriptor == waiting_fd:
                with contextlib.suppress(BlockingIOError):
                    os.read(waiting_fd, 4096)
            elif descriptor == self.listener.fileno():
                self._accept()
                has_come = True
            elif descriptor in self.strangers:
                self._hear(self.strangers.pop(descriptor))
                has_come = True
            elif descriptor in lines:  # nobody else would ever end this kernel
                kill_family(lines[descriptor].pid)
            else:
                self._leave()
        self._reap()
        for entry in [*self.waiting]:
            if self._can_serve(entry[1]):
                self.waiting.remove(entry)
                self._answer(*entry)
        return has_come

    def _is_complete(self) -> bool:
        return self.done.issuperset(self.recipe["statements"])

    def _can_serve(self, request: Mapping[str, Any]) -> bool:
        needs = request.get("needs")
        return self._is_complete() or (needs is not None and self.done.issuperset(needs))

    def _accept(self) -> None:
        connection, _ = self.listener.accept()
        connection.settimeout(PATIENCE_S)
        self.strangers[connection.fileno()] = connection

    def _hear(self, connection: socket.socket) -> None:
        """Hear what somebody who has connected wants."""
        try:
            _require_same_user(connection)
            request, descriptors = receive_message(connection, STREAMS)
        except (EOFError, OSError, ValueError, PermissionError):
            connection.close()
            return
        if request.get("wants") == "kernel" and len(descriptors) == STREAMS:
            self._learn(request.get("needs") or ())
            self.waiting.append((connection, request, descriptors))
            return
        for descriptor in descriptors:
            os.close(descriptor)
        prepares = request.get("wants") == "prepare"
        answer = self._prepare(request) if prepares else self._status()
        with contextlib.suppress(OSError):
            send_message(connection, answer)
        connection.close()
        if request.get("wants") == "stop":
            self._leave()

    def _prepare(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Get ready for further lessons, or refuse because another server would be ready sooner."""
        reason = self._why_not() if self._is_complete() else ""
        if reason:
            self._retire()
            return {"refused": reason}
        self._learn(request["statements"])
        if not self.is_owned and "idle_s" in request:
            self.recipe["idle_s"] = request["idle_s"]
        return self._status()

    def _learn(self, statements: Iterable[str]) -> None:
        """Import these, too, when there is time."""
        known = self.recipe["statements"]
        known += [statement for statement in statements if statement not in known]

    def _status(self) -> dict[str, Any]:
        return {
            "pid": os.getpid(),
            "kernels": len(self.children),
            "ready": self._is_complete(),
            "problems": self.problems,
        }

    def _leave(self) -> NoReturn:
        """End, with all kernels; what an owner could not tidy up is gone, too."""
        for child in self.children.values():
            kill_family(child.pid)
        if self.is_owned:
            shutil.rmtree(Path(self.recipe["socket"]).parent, ignore_errors=True)
        sys.exit()

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            child = self.children.pop(pid, None)
            kill_family(pid, with_itself=False)
            kill_orphans(keep=self.children)  # what it left in other sessions came to us
            if child:
                with contextlib.suppress(OSError):
                    send_message(child.owner, {"exit": os.waitstatus_to_exitcode(status)})
                child.owner.close()

    # ------------------------------------------------------------------ forking

    def _answer(self, owner: socket.socket, request: dict[str, Any], streams: list[int]) -> None:
        """Fork a kernel and tell its process id, or refuse and tell why."""
        try:
            reason = self._why_not()
            if reason:
                if reason.startswith(STALE):
                    self._retire()
                send_message(owner, {"refused": reason})
                owner.close()
            else:
                self._fork(owner, request, streams)
        except OSError:  # whoever asked is gone, or the system gives us no more processes
            owner.close()
        finally:
            for stream in streams:
                os.close(stream)

    def _retire(self) -> None:
        """Make room for a server that imports what is there now; kernels of this one go on."""
        if not self.is_owned and not self.is_retired:
            self.is_retired = True
            Path(self.recipe["socket"]).unlink(missing_ok=True)

    def _fork(self, owner: socket.socket, request: dict[str, Any], streams: list[int]) -> None:
        server = os.getpid()
        ready_end, child_end = os.pipe()
        try:
            newborn.look_for_threads(self.modules)
            gc.freeze()  # the collector would touch, and so copy, every page
            pid = os.fork()
            if not pid:
                os.close(ready_end)
                owner.close()
                self._be_kernel({**request, "server": server}, streams, child_end)
            self.children[pid] = Child(pid=pid, owner=owner)
            try:
                handle = os.pidfd_open(pid)
                try:
                    send_message(owner, {"pid": pid}, [ready_end, handle])
                finally:
                    os.close(handle)
            except OSError:
                kill_family(pid)  # whoever asked is gone; its line is closed when it has ended
        finally:
            os.close(ready_end)
            os.close(child_end)

    def _why_not(self) -> str:
        """Return what makes it unsafe to fork, or nothing."""
        threads = sum(1 for _ in Path("/proc/self/task").iterdir())
        if threads > 1:
            return f"what was imported has started {threads - 1} thread(s)"
        zmq = sys.modules["zmq"]
        if zmq.Context._instance is not None:
            return "what was imported has opened a zmq context"
        shared = [name for _, name in self.left_open & _open_files() if not Path(name).is_file()]
        if shared:  # all kernels would have the same one, and take from each other what comes
            return f"what was imported keeps {min(shared)} open"
        pyplot = self.modules.hidden.get("matplotlib.pyplot")
        if pyplot is not None and pyplot._backend_mod is not None:
            return "what was imported has drawn with pyplot, which settles how figures are shown"
        changed = next((file for file, stamp in self.stamps.items() if _stamp(file) != stamp), "")
        if changed:
            return f"{STALE}: {Path(changed).name} has changed since it was imported"
        return ""

    def _be_kernel(self, request: dict[str, Any], streams: list[int], ready: int) -> NoReturn:
        """Become the kernel; this is the child, and never returns."""
        status = 1
        try:
            self._close_everything()
            request["env"].update(self.variables)
            newborn.open_anew(int(number) for number, _ in self.left_open & _open_files())
            newborn.become(request, streams, self.modules)
            newborn.run_kernel(request["argv"], self.modules, ready)
            status = 0
        except SystemExit as error:
            status = error.code if isinstance(error.code, int) else int(error.code is not None)
        except BaseException:  # noqa: BLE001  a kernel's last words belong into its log
            traceback.print_exc(file=sys.__stderr__)
        finally:
            newborn.end(status)
        os._exit(status)  # not reached; it tells readers and mypy that nothing returns

    def _close_everything(self) -> None:
        self.listener.close()
        for line in (*self.strangers.values(), *(child.owner for child in self.children.values())):
            line.close()
        for connection, _, descriptors in self.waiting:
            connection.close()
            for descriptor in descriptors:
                os.close(descriptor)
        for descriptor in _WAKEUPS:
            os.close(descriptor)


_WAKEUPS: list[int] = []


def _wakeups() -> int:
    """Return a descriptor that has something to read when a child has ended."""
    if not _WAKEUPS:
        _WAKEUPS.extend(os.pipe())
        for descriptor in _WAKEUPS:
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(_WAKEUPS[1], warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
    return _WAKEUPS[0]


def _require_same_user(connection: socket.socket) -> None:
    packed = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, user, _ = struct.unpack("3i", packed)
    if user != os.getuid():
        raise PermissionError("kernels are forked for their own user only")


def _stamp(file: str) -> tuple[int, int] | None:
    try:
        found = os.stat(file)  # noqa: PTH116  # of thousands of files, before each fork
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _open_files() -> set[tuple[str, str]]:
    """Return number and name of everything that is open, but for devices."""
    found = set()
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the one that lists them
            found.add((link.name, str(link.readlink())))
    return {(number, name) for number, name in found if not name.startswith("/dev/")}


def _modules_of_every_kernel() -> HiddenModules:
    """Import what kernels begin with; only that stays in sight."""
    for name in [name for name in sys.modules if name.partition(".")[0] in OF_THE_SERVER]:
        del sys.modules[name]  # whoever imports them gets them new
    for name in OF_EVERY_KERNEL:
        with contextlib.suppress(ImportError):  # names differ between versions of ipykernel
            importlib.import_module(name)
    newborn.rehearse()
    return HiddenModules(visible=set(sys.modules))


def main() -> None:
    """Serve until nobody needs it."""
    recipe = json.loads(sys.argv[1])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # it raises what no import takes for a failure of its own
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    os.environ.setdefault("MPLBACKEND", newborn.INLINE_BACKEND)
    newborn.adopt_orphans()
    gc.disable()  # importing leaves nothing to collect
    if sys.path[0] == str(Path.cwd()):  # as ipykernel's launcher does
        del sys.path[0]
    before = set(os.environ.items())
    modules = _modules_of_every_kernel()
    sys.meta_path.insert(0, modules)
    server = ForkServer(
        recipe=recipe,
        listener=socket.socket(fileno=recipe["listener"]),
        modules=modules,
        variables=dict(set(os.environ.items()) - before),
    )
    try:
        with contextlib.suppress(KeyboardInterrupt), server.listener:
            server.run()
    finally:
        if not server.is_retired:  # its place may be another's by now
            Path(recipe["socket"]).unlink(missing_ok=True)


if __name__ == "__main__":
    main()
