"""Serving a built site to a browser on this machine, and to nobody else."""

import contextlib
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from neuroprimer.errors import NeuroprimerError

LOOPBACK = "127.0.0.1"


class ServeError(NeuroprimerError, OSError):
    """A site that cannot be served."""


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files and says nothing of each request: a page asks for dozens of files."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def serve_site(site: Path, *, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve a site on the loopback address until interrupted.

    Parameters
    ----------
    site : pathlib.Path
        The folder with ``index.html``.
    port : int
        0 takes any that is free.
    on_ready : callable
        Is given the address as soon as it answers.

    Raises
    ------
    ServeError
        If there is no site, or the port is taken.
    """
    if not (site / "index.html").is_file():
        raise ServeError(
            f"There is no site in {site}.", hint="Build one first: `neuroprimer build`."
        )
    handler = partial(QuietHandler, directory=str(site))
    # an interrupt is the way to end it, as the words say
    with contextlib.suppress(KeyboardInterrupt), open_server(handler, port=port) as server:
        on_ready(address_of(server))
        server.serve_forever()


def open_server(handler: Callable[..., Any], *, port: int) -> ThreadingHTTPServer:
    """Return a server on the loopback address that answers as a handler does.

    Raises
    ------
    ServeError
        If the port is taken.
    """
    try:
        return ThreadingHTTPServer((LOOPBACK, port), handler)
    except OSError as error:
        raise ServeError(
            f"Cannot serve on port {port}: {error.strerror}.",
            hint="Another program may use it; `--port 0` takes any that is free.",
        ) from error


def address_of(server: ThreadingHTTPServer) -> str:
    """Return the address of a server's front page."""
    return f"http://{LOOPBACK}:{server.server_address[1]}/"
