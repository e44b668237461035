"""Arrivals: who listens hears how much of a file is here while it is on its way."""

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar

# Is told the name of a file, how many bytes of it are here, and of how many, if that is known.
Listener = Callable[[str, int, int | None], None]
_listener: ContextVar[Listener] = ContextVar("listener", default=lambda *_: None)


@contextlib.contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Let a listener hear of all downloads of this process."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def tell(name: str, done: int, total: int | None) -> None:
    """Tell whoever listens how far a download is."""
    _listener.get()(name, done, total)
