"""What a build prepares inside a lesson's kernel before its first cell.

The source of this file is sent to the kernel and run there in a namespace of its own, so it uses
the standard library alone and works in any environment. Nothing of it shows in the lesson's names.
"""

import importlib.abc
import importlib.util
import random
import socket
import sys
from typing import Any

LOOPBACK = ("", "localhost", "::1", "0.0.0.0")  # noqa: S104  # nothing listens here

# Events of Python that lead out of this machine, and which of their arguments holds the address.
WAYS_OUT = {
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
}


class NetworkOffError(ConnectionError):
    """An attempt to reach another machine from a lesson that has not said that it needs one."""


def seed_everything(seed: int) -> None:
    """Give the shared generators of random numbers a seed, numpy's when it is imported."""
    random.seed(seed)
    loaded = sys.modules.get("numpy.random")
    if loaded is not None:
        loaded.seed(seed)
    else:
        sys.meta_path.insert(0, _SeedOnImport(seed))


class _SeedOnImport(importlib.abc.MetaPathFinder):
    """Seeds numpy's generator as soon as it is there, and is gone then."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def find_spec(self, name: str, *_: object) -> Any:
        if name != "numpy.random":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_and_seed(module: Any) -> None:
                load(module)
                module.seed(self.seed)

            spec.loader.exec_module = load_and_seed  # type: ignore[method-assign]
        return spec


def turn_network_off() -> None:
    """Refuse every address but this machine's own; Python lets nobody undo it."""

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        place = WAYS_OUT.get(event)
        if place is None:
            return
        host = arguments[place]
        if isinstance(host, tuple):
            host = host[0]
        elif event in ("socket.connect", "socket.sendto"):
            return  # the path of a Unix socket
        if not isinstance(host, str) or _is_near(host):
            return
        raise NetworkOffError(
            f"This lesson tried to reach {host}, but lessons are built without a network. "
            "If it cannot do without, let its metadata say `network: true`."
        )

    sys.addaudithook(refuse)


def _is_near(host: str) -> bool:
    is_loopback_v4 = host.startswith("127.") and host.replace(".", "").isdecimal()
    return host in LOOPBACK or is_loopback_v4 or host == socket.gethostname()


def cut_output(most_characters: int) -> None:
    """Let through no more than so many characters of what is written, over all cells."""
    stream_type: Any = type(sys.stdout)
    flush_buffers = getattr(stream_type, "_flush_buffers", None)
    if flush_buffers is None:
        return  # no stream of ipykernel: whoever reads the messages counts, too
    left = most_characters

    # Not write(): IPython puts one of its own in its place for each cell. What programs write to
    # the descriptor comes by here as well.
    def flush_some(stream: Any) -> Any:
        nonlocal left
        for parent, text in flush_buffers(stream):
            if left >= 0:
                yield parent, text[: left + 1]  # the one too many shows that there was more
            left = max(left - len(text), -1)

    stream_type._flush_buffers = flush_some
